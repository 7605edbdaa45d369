"""Columns: bulk rating, beside joins, the peers' loops and the machine's memory, and the page that says how it went.

Run it with the interpreter of an environment that has this project with its extra `dev`. The peers' environment is made where it is
missing.

    python benchmarks/columns.py [--most 1000000]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import columns_loops
from calls import CONTESTANTS
from columns_peers import COMPILED, KERNEL, POLARS, ROUNDS, STREAMING, TABLE
from columns_rows import CASES, OFFERINGS
from columns_stream import KEPT
from contest import ENVIRONMENT, machine, markdown, median, ratio
from environments import HERE, PROJECT, prepare, python_of
from tokencost.rating.fused import ENOUGH, MANY

__all__ = ["main"]

PAGE = PROJECT / "docs" / "reference" / "benchmarks-columns.md"
MOST = 10**8
IN_TURNS = 10**7
STREAMED = 2 * 10**7
STREAM_ROUNDS = 3
PLAIN_BAR, FULL_BAR, JOIN_BAR, STREAM_BAR, MEMORY_BAR = 100, 30, 2, 8, 500
MILLION = 1e6
KERNELS = {"kernel": "kernel of numpy", "compiled": "compiled kernel"}
"""The two kernels, as they are called in what was found and on the page."""

INTRODUCTION = f"""\
# Benchmarks of columns

`benchmarks/columns.py` measures bulk rating and writes this page. Prompts and completions are drawn from two production logs, over two
years from November 2024 to October 2026; half of the requests have part of their prompt cached. Everything is drawn from one seed, so
that every machine rates the same rows. All times are on the clock, medians of several rounds. Nothing here is a test: a slow machine
breaks no build.

- *Plain* rows are of the offerings that have one price all the time, without windows and context tiers: {{plain}} of them.
- *Full* rows are of the {OFFERINGS} offerings with most windows, promotions, versions and context tiers, those of holidays included. Models
  are drawn evenly from those that have a price on the day, and one row in a thousand from all, so that some rows have no price.
- Each row has a model, an instant to the microsecond, prompt, cached prompt and completion. Out come exact ticks, an outcome and the
  version that was in force.
- *Rate_table* is the whole call on an Arrow table, the law compiled anew each time. *Kernel* is the same on columns that are read and a law
  that is compiled, as in a stream after its first batch. There are two kernels, that of *numpy* and the *compiled* one of the extra
  `compiled`. The whole call chooses by itself: the compiled one from {ENOUGH:,} rows on, as it is loaded here before the clock starts; in
  a process that has not used it yet it would be from {MANY:,} rows on.
"""

KERNEL_TEXT = """\
Each kind of table of each size in a process of its own. *Memory* is what the whole call takes above its input at its peak, its result
included. *Bytes* are what a kernel must read and write for a row. *Shares* are that traffic, for the kernel of numpy and for the
compiled one, over the bandwidth with which one core copies a column of {copied} MB: {copy:.1f} GB/s, read and write counted; it adds one
up at {sum:.1f} GB/s. *Rated* is the share of rows that have a price. The first table of a process that is rated by the compiled kernel
takes {start:.1f} s longer, in which numba is imported and its loops are read from their cache.
"""

PEERS_TEXT = """\
{rows:,} rows, one thread each, in one process, in turns, {rounds} rounds. Ratios are taken round by round, to our whole call
and to our two kernels alone; above 1 is slower. All results are whole numbers of 64 bits in memory, one a row.

Plain: a join on the model and a sum of products. Full: a join on the model and on time, on the {stretches:,} stretches of time that
our plan lays out; so versions, promotions, windows and holidays are worked out for them. They do no context tiers, give no outcomes
and no versions, and check nothing. Models are whole numbers for them, which joins like best. Before the clock starts, the sums of all
are compared on {compared} rows, full ones below the first context tier of their model; they are equal to the last tick.
"""

LOOPS_TEXT = """\
{rows:,} rows of the full table, of the {models} models that all three peers price, one call a row, in interpreters that take turns.
*Agrees* is the share of rows on which an answer equals ours to nine digits; litellm takes no instant. Our table of so few rows is
mostly the law being compiled; with {many:,} rows it takes {bulk:.3f} us a row.
"""

STREAM_TEXT = """\
{rows:,} full rows in {size:.0f} MB of Parquet, totals by model and month, {threads} threads, each run in a process of its own.
*Start* is what comes before the first row: the imports, and the reading of all price tables. *Memory* is the peak of the whole
process, Python and all libraries included. The totals of all runs are equal.
"""


class Bar(NamedTuple):
    """One bar, in words and figures."""

    what: str
    limit: str
    met: bool
    measured: str

    def row(self) -> tuple[str, ...]:
        """Return the bar as cells of a table."""
        return self.what, self.limit, "yes" if self.met else "**no**", self.measured


class Found(NamedTuple):
    """All that was measured."""

    bandwidth: dict[str, float]
    kernel: dict[tuple[str, int], dict[str, Any]]
    peers: dict[str, dict[str, Any]]
    streams: dict[str, list[dict[str, Any]]]
    loops: columns_loops.Loops


def child(script: str, folder: Path, rows: int, *more: str) -> dict[str, Any]:
    """Run a script in a process of its own and return what it found."""
    print(script, f"{rows:,}", *more, flush=True)
    command = [sys.executable, HERE / f"{script}.py", "--folder", folder, "--rows", str(rows), *more]
    done = subprocess.run(command, env={**ENVIRONMENT, "POLARS_MAX_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join((script, *more))} ended with {done.returncode}; what it said is above")
    return json.loads(done.stdout) if done.stdout else {}


def measure(folder: Path, most: int, peers: Path) -> Found:
    """Measure everything; this process itself holds no rows, for a child begins with its parent's peak of memory."""
    sizes = [10**power for power in range(4, 9) if 10**power <= most]
    turns, streamed = min(IN_TURNS, most), min(STREAMED, most)
    for rows in sorted({*sizes, turns, streamed}):
        child("columns_rows", folder, rows)
    kernel = {(case, rows): child("columns_kernel", folder, rows, "--case", case) for rows in sizes for case in CASES}
    contests = {case: child("columns_peers", folder, turns, "--case", case) for case in ("plain", "full")}
    child("columns_stream", folder, streamed, "--keep", "make")
    streams: dict[str, list[dict[str, Any]]] = {keep: [] for keep in KEPT}
    for _ in range(STREAM_ROUNDS):
        for keep, runs in streams.items():
            runs.append(child("columns_stream", folder, streamed, "--keep", keep))
    if len({run["totals"] for runs in streams.values() for run in runs}) > 1:
        raise SystemExit("the totals of the streams differ")
    bandwidth = child("columns_kernel", folder, sizes[0], "--case", "bandwidth")
    print("columns_loops", flush=True)
    return Found(bandwidth, kernel, contests, streams, columns_loops.measure(folder, turns, peers))


def bars(found: Found) -> list[Bar]:
    """Return the bars, those of the kernel on the largest tables."""
    largest = max(rows for _, rows in found.kernel)
    made: list[Bar] = []
    for case, limit in (("plain", PLAIN_BAR), ("full", FULL_BAR)):
        for kind, words in KERNELS.items():
            speed = largest / found.kernel[case, largest][kind] / MILLION
            made.append(Bar(f"{words}, one core, {largest:,} {case} rows", f"{limit} M rows/s", speed >= limit, f"{speed:.1f} M rows/s"))
    seen = found.peers["plain"]["seen"]
    for name in (TABLE, KERNEL, COMPILED):
        times = min(ratio(seen, peer, name) for peer in (POLARS, STREAMING))
        made.append(Bar(f"plain rows, {name}", f"{JOIN_BAR} x as fast as the faster polars join", times >= JOIN_BAR, f"{times:.2f}"))
    for keep, runs in found.streams.items():
        speed = statistics.median(run["rows"] / run["seconds"] for run in runs) / MILLION
        made.append(Bar(f"stream from Parquet, {KEPT[keep]}", f"{STREAM_BAR} M rows/s", speed >= STREAM_BAR, f"{speed:.1f} M rows/s"))
    peak = max(run["peak"] for runs in found.streams.values() for run in runs) / MILLION
    return [*made, Bar("stream from Parquet, memory", f"below {MEMORY_BAR} MB", peak < MEMORY_BAR, f"{peak:.0f} MB")]


# -- the page ----------------------------------------------------------------------------------------------------------------------------


def kernel_tables(found: Found) -> str:
    """Return a table for each kind of table, its sizes below one another."""
    speeds = (cell for name in ("rate_table", "numpy", "compiled") for cell in (f"{name}, M rows/s", "ns a row"))
    headings = ("rows", *speeds, "bytes a row", "shares", "memory, MB", "rated")
    parts: list[str] = []
    for name, case in CASES.items():
        lines = [_kernel_line(run, found.bandwidth["copy"]) for (kind, _), run in found.kernel.items() if kind == name]
        parts.append(f"### {case.title[0].upper()}{case.title[1:]}\n\n{markdown(headings, lines, words=0)}")
    return "\n\n".join(parts)


def _kernel_line(run: dict[str, Any], copy: float) -> tuple[str, ...]:
    rows, traffic = run["rows"], run["read"] + run["wrote"]
    return (
        f"{rows:,}",
        *(cell for name in ("table", *KERNELS) for cell in _speed(rows, run[name])),
        f"{run['read']} + {run['wrote']}",
        " ".join(f"{traffic * rows / run[kind] / copy:.0%}" for kind in KERNELS),
        f"{run['peak'] / MILLION:.0f}",
        f"{run['priced'] / rows:.2%}",
    )


def peers_tables(found: Found) -> str:
    """Return a table for plain and one for full rows."""
    parts: list[str] = []
    for case, contest in found.peers.items():
        seen, rows = contest["seen"], contest["rows"]
        lines = [
            (name, *_speed(rows, median(seen, name)), *(f"{ratio(seen, name, own):.2f}" for own in (TABLE, KERNEL, COMPILED)))
            for name in seen
        ]
        headings = ("who", "M rows/s", "ns a row", "to our table", "to numpy", "to compiled")
        parts.append(f"### {case.capitalize()}\n\n{markdown(headings, lines)}")
    return "\n\n".join(parts)


def _speed(rows: int, took: float) -> tuple[str, str]:
    return f"{rows / took / MILLION:.1f}", f"{took / rows * 1e9:.1f}"


def stream_table(found: Found) -> str:
    """Return one line for each thing that can be written."""
    lines: list[tuple[str, ...]] = []
    for keep, runs in found.streams.items():
        took, start = (statistics.median(run[what] for run in runs) for what in ("seconds", "start"))
        rows, peak, written = runs[0]["rows"], max(run["peak"] for run in runs), runs[0]["written"]
        lines.append(
            (KEPT[keep], f"{start:.1f}", f"{took:.1f}", _speed(rows, took)[0], f"{written / MILLION:.0f}", f"{peak / MILLION:.0f}")
        )
    return markdown(("what is written", "start, s", "run, s", "M rows/s", "written, MB", "memory, MB"), lines)


def page(found: Found) -> str:
    """Return the page."""
    full, loops = found.peers["full"], found.loops
    compared = " and ".join(f"{contest['compared']:,}" for contest in found.peers.values())
    stream = found.streams["totals"][0]
    bulk = found.kernel["full", max(rows for case, rows in found.kernel if rows <= IN_TURNS)]
    releases = full["releases"] | loops.releases
    distributions = {contestant.name: contestant.distribution for contestant in CONTESTANTS}
    speeds = {name: rate / 1e9 for name, rate in found.bandwidth.items() if name != "bytes"}
    start = statistics.median(run["start"] - run["compiled"] for run in found.kernel.values())
    parts = [
        INTRODUCTION.format(plain=next(iter(found.kernel.values()))["offerings"]),
        f"Measured on {machine()}{processor()}.",
        ", ".join(f"{distributions.get(name, name)} {release}" for name, release in releases.items()) + ".",
        "## Bars",
        markdown(("what", "at least", "met", "measured"), [bar.row() for bar in bars(found)], words=3),
        "## In memory",
        KERNEL_TEXT.format(copied=f"{found.bandwidth['bytes'] / MILLION:.0f}", start=start, **speeds),
        kernel_tables(found),
        "## Beside joins",
        PEERS_TEXT.format(rows=full["rows"], rounds=ROUNDS, stretches=full["stretches"], compared=compared),
        peers_tables(found),
        "## Beside loops",
        LOOPS_TEXT.format(rows=loops.rows, models=loops.models, many=bulk["rows"], bulk=bulk["table"] / bulk["rows"] * 1e6),
        markdown(("who", "us a row", "to our table", "to our loop", "agrees"), [(name, *loops.cells(name)) for name in loops.seen]),
        "## Streaming",
        STREAM_TEXT.format(rows=stream["rows"], size=stream["read"] / MILLION, threads=os.cpu_count()),
        stream_table(found),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def processor() -> str:
    """Name the processor and its larger caches, where the system says them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        caches = [path for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*") if (path / "level").read_text()[0] in "23"]
        sizes = sorted((f"L{(path / 'level').read_text().strip()}", (path / "size").read_text().strip()) for path in caches)
    except (OSError, StopIteration):
        return ""
    return f", {model}" + (f" with {' and '.join(f'{level} of {size}' for level, size in sizes)}" if sizes else "")


def main() -> None:
    """Measure everything and write the page, if it was the whole of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--most", type=int, default=MOST, help="rows of the largest table; fewer for a quick run, which prints its page only"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir(), "tokencost-columns"), help="where the rows are kept (8 GB)"
    )
    parser.add_argument("--venvs", type=Path, default=HERE / ".venvs", help="folder of the environments (default: benchmarks/.venvs)")
    parser.add_argument("--page", type=Path, help="where to write the page (default: the reference, after a whole run)")
    options = parser.parse_args()
    if options.most < 10**4:
        parser.error("--most is 10000 at least")
    venvs = options.venvs.resolve()
    peers = python_of(venvs / "peers")
    if not peers.exists():
        peers = prepare(venvs, install=False)["peers"]
    text = page(measure(options.folder, options.most, peers))
    path = options.page or (PAGE if options.most >= MOST else None)
    if path is None:
        print(text)
    else:
        path.write_text(text, encoding="utf-8")
        print(f"written to {path}")


if __name__ == "__main__":
    main()

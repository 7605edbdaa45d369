"""Workloads and price wars: runs the scripts that time them, one after another, and writes what they print into one page.

    python benchmarks/wars.py [--pyblp PYTHON] [--indexes PYTHON]

`--pyblp` is the interpreter of an environment that has this project and PyBLP, `--indexes` that of PriceIndexCalc; without them the
comparison with that peer is left out, and the page says so. About four minutes; leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Part", "main", "page"]

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE.parent / "docs" / "reference" / "benchmarks-wars.md"
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Part(NamedTuple):
    """One script, and what to know before reading its figures."""

    title: str
    told: str
    command: tuple[str, ...]


def parts(pyblp: str | None, indexes: str | None) -> list[Part]:
    """Return the scripts, with the environments of the peers where they are."""
    peer = ("--peer", indexes) if indexes else ()
    return [
        Part(
            "Many workloads on many offerings",
            "A thousand described workloads on three hundred offerings, half of them with context tiers. The bar is one second.",
            (sys.executable, "workloads.py"),
        ),
        Part(
            "Prompt caches",
            "A million requests, with 24 blocks each, through one cache rule; each rule in a process of its own. The bar is ten seconds.",
            (sys.executable, "caches.py"),
        ),
        Part(
            "Equilibria",
            "Bertrand-Nash prices, one thread, beside PyBLP in its lean form in the same process. Bars stand beside the figures."
            + ("" if pyblp else " PyBLP was not installed."),
            (pyblp or sys.executable, "equilibrium.py"),
        ),
        Part(
            "Monte Carlo",
            "100,000 paths of 20 providers over 36 months, with cuts, quantiles and winner shares. The bars are 4 s and 250 MB.",
            (sys.executable, "monte_carlo.py"),
        ),
        Part(
            "Indexes",
            "GEKS and the time-product dummy, beside PriceIndexCalc on the same panel. The bar is 10 ms for 300 items and 36 months."
            + ("" if indexes else " PriceIndexCalc was not installed."),
            (sys.executable, "indexes.py", *peer),
        ),
    ]


def page(found: list[tuple[Part, str]]) -> str:
    """Return the text of the page."""
    lines = [
        "# Benchmarks of workloads and price wars",
        "",
        "`benchmarks/wars.py` runs the scripts that time workloads, caches, equilibria, chance and indexes, and writes this page: what",
        "each of them prints. Medians on the clock, unless they say otherwise. A slow machine breaks no build.",
        "",
        f"Measured on {os.cpu_count()} cores, {platform.system()} on {platform.machine()}, CPython {platform.python_version()}.",
    ]
    for part, printed in found:
        lines += ["", f"## {part.title}", "", part.told, "", "```text norun", printed.rstrip(), "```"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run all scripts and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyblp", help="interpreter of an environment with this project and PyBLP")
    parser.add_argument("--indexes", help="interpreter of an environment with PriceIndexCalc")
    options = parser.parse_args()
    found: list[tuple[Part, str]] = []
    for part in parts(options.pyblp, options.indexes):
        print(part.title, flush=True)
        python, script, *arguments = part.command
        done = subprocess.run(
            [python, str(HERE / script), *arguments], capture_output=True, text=True, check=True, env={**os.environ, **ONE_THREAD}
        )
        found.append((part, done.stdout))
    PAGE.write_text(page(found), encoding="utf-8")
    print(f"written to {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

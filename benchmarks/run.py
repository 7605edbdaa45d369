"""Run: everything, side by side, and the page that says how it went.

python benchmarks/run.py
"""

from __future__ import annotations

import one_request
import start
from calls import CONTESTANTS
from contest import BAR_HEADINGS, machine, markdown, releases, workers
from environments import PROJECT, pythons_from_command_line

__all__ = ["main"]

PAGE = PROJECT / "docs" / "reference" / "benchmarks.md"

INTRODUCTION = """\
# Benchmarks

`benchmarks/run.py` measures tokencost and its peers side by side and writes this page. Times differ from machine to machine and from
hour to hour, ratios much less, so the bars are ratios. A ratio is taken round by round between neighbours in time; the median of
these is shown. Nothing here is a test: a slow machine breaks no build.

- Every contestant runs in an interpreter of its own and they take turns, each round begun by another.
- Every answer is compared with the exact total before anything is timed. `exact` is a decimal that equals it, `nearly` a float that is
  as close as a float gets, `wrong` another price, `cannot` none.
- Each peer is called in its fastest documented form. The usage object is made inside the timed call.
- AgentOps tokencost prices one side of a request a call, so all its calls count. It and litellm take no instant.
- Nothing is fetched while it runs; every peer prices from the table that it ships with.
"""

CASES = """\
Microseconds of processor time, the median of {rounds} turns of about 20 ms. The bar on the total is held against the fastest peer
that answers right.
"""

STARTS = """\
Milliseconds on the clock, the median of {rounds} new processes. `inside` runs from before the import to the answer; `whole` is the
life of the process, Python included. The first price is that of the plain case; model-prices has no full quote and is asked for the
total there too.
"""


def main() -> None:
    """Measure everything and write the page."""
    pythons = pythons_from_command_line(__doc__)
    with workers(pythons) as running:
        found = releases(running)
        requests = one_request.measure(running)
    starts = start.measure(pythons)
    bars = [*one_request.bars(requests), *start.bars(starts)]
    contestants = [(c.name, f"{c.distribution} {found[c.name]['release']}", found[c.name]["python"], c.numbers) for c in CONTESTANTS]
    parts = [
        INTRODUCTION.strip(),
        f"Measured on {machine()}.",
        markdown(("contestant", "release", "Python", "answers in"), contestants, words=4),
        "## Bars",
        markdown(BAR_HEADINGS, [bar.row() for bar in bars], words=3),
        "## One request",
        CASES.format(rounds=one_request.ROUNDS).strip(),
        one_request.tables(requests),
        "## Start",
        STARTS.format(rounds=start.ROUNDS).strip(),
        start.tables(starts),
    ]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print("\n\n".join(parts[2:5]))
    print(f"\nwritten to {PAGE.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()

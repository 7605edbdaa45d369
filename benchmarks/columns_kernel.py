"""The kernel in memory: one kind of table of one size in a process of its own, and the bandwidth of the machine's memory.

Measured is `book.rate_table` of an Arrow table, from end to end with the law still to be compiled, and each of the two kernels alone, that
of numpy and the compiled one, on columns that are read and a law that is compiled. The three take turns.

    python benchmarks/columns_kernel.py --folder FOLDER --rows 1000000 --case full
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import tokencost as tc
from columns_rows import CASES, arrow_table, load, names_of, usage_table
from tokencost.rating.rate_table import rate_usage_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from columns_rows import Case

__all__ = ["bandwidth", "measure", "peak_bytes", "rounds_for"]

NUMBERS = 10**8
"""Numbers of 64 bits in the columns that the bandwidth is measured on: many times larger than any cache."""
OUT = {"ticks": 8, "outcome": 1, "cell": 4}
"""Bytes a row that the kernel writes; a table whose every line has one price needs no cells."""


def peak_bytes() -> int:
    """Return the most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def seconds(call: Callable[[], object]) -> float:
    """Time one call; what it returns is given back after the clock has stopped."""
    began = time.perf_counter()
    made = call()
    took = time.perf_counter() - began
    del made
    return took


def rounds_for(first: float) -> int:
    """Return how often to repeat what took so long at first: for about half a second, and three times at least."""
    return min(max(int(0.5 / max(first, 1e-6)), 3), 15)


def measure(folder: Path, rows: int, case: Case) -> dict[str, float]:
    """Rate a table again and again; times are medians in seconds."""
    names = names_of(folder, rows, case)
    columns = load(folder, rows, case)
    book = tc.load_book()
    plan = book.plan()
    table, usage = arrow_table(columns, names), usage_table(columns, names)
    few = arrow_table({heading: column[:: max(rows // 64, 1)] for heading, column in columns.items()}, names)
    book.rate_table(few)  # files are read once, by whatever asks first
    before, began = peak_bytes(), time.perf_counter()
    costs = book.rate_table(table, threads=case.threads)
    first, peak = time.perf_counter() - began, peak_bytes() - before
    outcomes = costs.outcomes
    del costs
    whole = lambda: book.rate_table(table, threads=case.threads)  # noqa: E731
    alone = lambda kind: rate_usage_table(plan, usage, threads=case.threads, kernel=kind, reuse=True)  # noqa: E731
    turns = {"kernel": partial(alone, "numpy"), "compiled": partial(alone, "compiled"), "table": whole}
    seconds(turns["kernel"])
    start = seconds(turns["compiled"])  # with the import of numba, and what is compiled or read from its cache
    took = {name: [] for name in turns}
    for _ in range(rounds_for(first)):
        for name, call in turns.items():
            took[name].append(seconds(call))
    read = sum(column.itemsize for column in columns.values())
    wrote = sum(OUT.values()) - (OUT["cell"] if case.model == "plain" else 0)
    return {
        "rows": rows,
        "offerings": len(names),
        **{name: statistics.median(times) for name, times in took.items()},
        "start": start,
        "peak": peak,
        "read": read,
        "wrote": wrote,
        "priced": outcomes["priced"] + outcomes["free"],
    }


def bandwidth() -> dict[str, float]:
    """Return how many bytes a second one core copies (read and written) and sums up."""
    column, copy = np.ones(NUMBERS, np.int64), np.zeros(NUMBERS, np.int64)
    sums = [seconds(column.sum) for _ in range(7)]
    copies = [seconds(lambda: np.copyto(copy, column)) for _ in range(7)]
    return {"bytes": column.nbytes, "sum": column.nbytes / statistics.median(sums), "copy": 2 * column.nbytes / statistics.median(copies)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--case", choices=(*CASES, "bandwidth"), required=True)
    options = parser.parse_args()
    found = bandwidth() if options.case == "bandwidth" else measure(options.folder, options.rows, CASES[options.case])
    print(json.dumps(found))

"""Loops over the rows of a block, compiled by numba: what takes numpy one pass a step takes them one for all.

Importing this module needs numba, takes about half a second, and compiles, or reads from a cache, when a loop first runs; so it is
imported where very many rows are rated, and nowhere else. What a loop takes is read-only and contiguous, so that each is compiled once.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import numpy as np

__all__ = ["find", "multiply", "reach", "subtract"]

Numbers = Any  # columns; numpy's generics say nothing more here
_QUARTER: Final = np.uint64(15 * 60 * 10**6)
_numba: Any = import_module("numba")  # its decorators have no types, so they and what they return are `Any` here and nowhere else


def _compiled(loop: Any) -> Any:
    try:
        return _numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # no folder to keep a cache in can be written
        return _numba.njit(nogil=True)(loop)


def _find(  # noqa: PLR0917 - a call by place is the quickest  # pragma: no cover - compiled
    lines: Numbers, at: Numbers, first: int, slot_of: Numbers, flat: Numbers, ids: Numbers
) -> None:
    """Write the id of each row by its line and its quarter of an hour."""
    last, end = np.uint64(len(slot_of) - 1), np.uint64(len(flat) - 1)
    for row in range(len(ids)):
        since = at[row] - first
        quarter = np.uint64(0)
        if since > 0:
            quarter = min(np.uint64(since) // _QUARTER, last)
        ids[row] = flat[min(np.uint64(slot_of[quarter] + lines[row]), end)]


def _multiply(  # noqa: PLR0917 - the same  # pragma: no cover - compiled
    keys: Numbers, rates: Numbers, one: Numbers, two: Numbers, three: Numbers, four: Numbers, ticks: Numbers, most: Numbers, begin: int
) -> None:
    """Write the sum of four counts times the rates of each row, or add it where these meters do not begin with the first.

    Raise `most` to the largest count of each; a negative count is a huge one.
    """
    first, second, third, fourth = most
    top = np.uint32(len(rates) - 1)
    for row in range(len(keys)):
        key = min(np.uint32(keys[row]), top)
        a, b, c, d = one[row], two[row], three[row], four[row]
        first, second = max(first, np.uint64(a)), max(second, np.uint64(b))
        third, fourth = max(third, np.uint64(c)), max(fourth, np.uint64(d))
        cost = a * rates[key, 0] + b * rates[key, 1] + c * rates[key, 2] + d * rates[key, 3]
        ticks[row] = ticks[row] + cost if begin else cost
    most[0], most[1], most[2], most[3] = first, second, third, fourth


def _subtract(whole: Numbers, part: Numbers, rest: Numbers) -> int:  # pragma: no cover - compiled
    """Write what is left of each whole without a part; return the smallest, or 0."""
    smallest: Any = np.int64(0)
    for row in range(len(whole)):
        left = whole[row] - part[row]
        rest[row] = left
        smallest = min(smallest, left)
    return smallest


def _reach(ids: Numbers, trigger: Numbers, prompt: Numbers, rows: Numbers) -> int:  # pragma: no cover - compiled
    """Write which rows have a prompt that reaches the trigger of their id, in order; return how many."""
    found = 0
    for row in range(len(ids)):
        rows[found] = row
        found += prompt[row] >= trigger[np.uint32(ids[row])]
    return found


find, multiply, subtract, reach = map(_compiled, (_find, _multiply, _subtract, _reach))

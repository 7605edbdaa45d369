"""Look-ups: from a line and an instant to the id of what applies, a million rows at a time.

Time is cut into quarters of an hour. Nearly all prices change at the start of one, so for a quarter the ids of all lines are known
beforehand; runs of equal quarters share a row of the table. Rows in a quarter within which something changes are searched one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tokencost.rating.plan import Plan
    from tokencost.rating.rate_arrays import RateArrays

__all__ = ["QUARTER", "Lookup", "search_entries"]

QUARTER: Final = 15 * 60 * 10**6
"""Microseconds of a quarter of an hour."""

_ROWS_A_CELL: Final = 16
"""A table is worth its while where there are at least as many rows as cells of it, by this factor."""
_MOST_QUARTERS: Final = 2**22
_MOST_CELLS: Final = 2**26


def search_entries(plan: Plan, lines: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the entry of each row by searching the history of its line; the slow twin of the table."""
    order = np.argsort(lines, kind="stable")
    found = np.empty(len(lines), np.int64)
    bounds = np.flatnonzero(np.diff(lines[order], prepend=-1))
    for begin, end in zip(bounds, [*bounds[1:], len(order)], strict=True):
        rows = order[begin:end]
        line = int(lines[rows[0]])
        found[rows] = plan.entries[line][np.searchsorted(plan.starts[line], at[rows], side="right") - 1]
    return found


class Lookup:
    """The ids of some lines of a plan between two instants.

    `constant` holds the id of each line where none changes in between. Otherwise, where there are enough rows, `slot_of` maps quarters from
    `first` on to rows of `table`, which has one column a line (and one more, always `nothing`); quarters within which an id changes have
    the last row, whose ids are all `hard`.
    """

    def __init__(self, plan: Plan, arrays: RateArrays, lines: Sequence[int], *, low: int, high: int, rows: int) -> None:
        self.plan = plan
        self.arrays = arrays
        self.lines = np.array([*lines, 0], np.int64)
        self.width = len(self.lines)
        self.low, self.high = low, high
        self.hard, self.has_hard = arrays.count, False
        self.constant: NDArray[np.int64] | None = None
        self.table: NDArray[Any] | None = None
        inside = [self._inside(int(line)) for line in lines]
        if not any(len(starts) for starts in inside):
            at = np.full(len(lines), low, np.int64)
            self.constant = np.append(arrays.entry_ids(search_entries(plan, self.lines[:-1], at)), arrays.nothing)
            return
        quarters = high // QUARTER - low // QUARTER + 2  # one more, for what changes within the last
        if quarters > _MOST_QUARTERS:
            return
        changes = np.unique(np.concatenate(inside))
        if rows * _ROWS_A_CELL >= (len(changes) + 1) * self.width and (len(changes) + 2) * self.width <= _MOST_CELLS:
            self._lay_out(lines, changes, int(quarters))

    def _inside(self, line: int) -> NDArray[np.int64]:
        """Return the instants between the ends at which a line changes."""
        starts = self.plan.starts[line]
        begin, end = np.searchsorted(starts, [self.low, self.high], side="right")
        return starts[begin:end]

    def _lay_out(self, lines: Sequence[int], changes: NDArray[np.int64], quarters: int) -> None:
        self.first = self.low // QUARTER * QUARTER
        offset = changes - self.first
        even = offset % QUARTER == 0
        # a slot is a run of quarters with the same ids: it begins where something changes, on the quarter or within one
        begins = np.zeros(quarters, bool)
        begins[offset[even] // QUARTER] = True
        begins[offset[~even] // QUARTER + 1] = True
        begins[0] = True
        slots = np.cumsum(begins) - 1
        instants = np.maximum(
            self.first + np.flatnonzero(begins) * QUARTER, self.low
        )  # the first quarter may have changed before the first row
        small = self.hard <= np.iinfo(np.int16).max
        table = np.empty((len(instants) + 1, self.width), np.int16 if small else np.int32)
        for column, line in enumerate(lines):
            starts, entries = self.plan.starts[line], self.plan.entries[line]
            table[:-1, column] = self.arrays.entry_ids(entries[np.searchsorted(starts, instants, side="right") - 1])
        table[:-1, -1] = self.arrays.nothing
        table[-1] = self.hard
        distinct, which = _distinct(table)
        slots = which[slots]
        slots[offset[~even] // QUARTER] = which[-1]
        self.table, self.flat = distinct, distinct.reshape(-1)
        self.has_hard = not bool(even.all())
        self.slot_of = slots * self.width
        self.hard_slot = int(which[-1]) * self.width

    def search(self, columns: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the ids of rows by search; `columns` are places in `lines`."""
        ids = self.arrays.entry_ids(search_entries(self.plan, self.lines[columns], at))
        ids[columns == self.width - 1] = self.arrays.nothing
        return ids


def _distinct(table: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct rows in their order, and for each row which of them it is: peak and off-peak alternate for years."""
    numbers: dict[bytes, int] = {}
    which = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in table], np.int64)
    _, first = np.unique(which, return_index=True)
    return table[first], which

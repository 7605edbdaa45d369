"""Rows set apart: those that a block could not rate by their first cell, gathered over many blocks and settled together.

They are in a higher context tier, larger than their list, without a price, or use a meter that is free, has no rate, or is billed in
fractions. A call of numpy costs as much as a thousand rows, so a few rows of each block are not worth one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.rating.row import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tokencost.rating.buckets import Buckets
    from tokencost.rating.rate_arrays import RateArrays
    from tokencost.rating.tally import Tally

__all__ = ["Apart", "Written", "beyond"]

Numbers = Any  # columns of 64-bit integers; numpy's generics say nothing more here
_SURE: Final = float(2**62)


class Written(NamedTuple):
    """The columns that the kernel writes: exact ticks, outcome codes, cell numbers, and ticks of each meter if asked for.

    Where every line has one plain cell the cells need not be written; the outcomes are all `priced` beforehand.
    """

    ticks: NDArray[np.int64]
    outcome: NDArray[np.uint8]
    cell: NDArray[np.int32] | None
    meters: Mapping[str, NDArray[np.int64]]


class Apart:
    """Settles rows that were set apart; their cells are written and are still the ids."""

    def __init__(self, arrays: RateArrays, buckets: Buckets, written: Written) -> None:
        assert written.cell is not None, "in a plain table no row is set apart"
        self.arrays = arrays
        self.buckets = buckets
        self.written = written
        self.cell: NDArray[np.int32] = written.cell

    def settle(self, rows: Numbers, tally: Tally) -> None:
        """Give rows their own cell, or say why they have none; `rows` ascend."""
        arrays = self.arrays
        ids = self.cell[rows].astype(np.int64)
        lacking = ids >= arrays.reasons
        if lacking.any():
            self._unknown(rows[lacking], ids[lacking], tally)
            rows, ids = rows[~lacking], ids[~lacking]
        if not len(rows):
            return
        own = self.buckets.own(rows)
        cells = self._tiers(rows, ids, own, tally)
        special = arrays.special[cells] & (cells != arrays.above)
        if special.any():
            self._meters(rows[special], cells[special], [counts[special] for counts in own], tally)

    def _unknown(self, rows: Numbers, ids: Numbers, tally: Tally) -> None:
        """Mark rows without a price, and count them under their reasons."""
        arrays = self.arrays
        self.written.outcome[rows] = Outcome.UNKNOWN
        tally.reasons.count(ids, rows)
        left = (ids >= arrays.open) & (ids < arrays.nothing)
        if left.any():
            tally.slow.append(rows[left])

    # -- context tiers ---------------------------------------------------------------------------------------------------------------

    def _tiers(self, rows: Numbers, ids: Numbers, own: Sequence[Numbers], tally: Tally) -> Numbers:
        """Return the cell of each row; those above the first tier are rated anew, those above their lists marked."""
        arrays, tiers = self.arrays, self.arrays.tiers
        cells = ids.copy()
        places = np.flatnonzero((ids >= arrays.plain) & (ids < arrays.flat))
        if not len(places):
            return cells
        which = ids[places] - arrays.plain
        prompt, output = (self._tokens(side, own, places) for side in (self.buckets.prompts, self.buckets.completion))
        size = prompt + tiers.on_total[which] * output
        step = np.zeros(len(places), np.int64)
        for number in range(1, len(tiers.cell)):
            step[(size >= tiers.first_input[number, which]) & (output >= tiers.first_output[number, which])] = number
        cells[places] = tiers.cell[step, which]
        above = places[(size > tiers.limit[which]) | (output > tiers.up_to_output[step, which])]
        if len(above):
            self.written.outcome[rows[above]] = Outcome.UNKNOWN
            tally.above.count(ids[above], rows[above])
            cells[above] = arrays.above
        moved = np.flatnonzero(cells != ids)
        if len(moved):
            self._rate(rows[moved], cells[moved], [counts[moved] for counts in own], tally)
        return cells

    def _tokens(self, meters: Sequence[int], own: Sequence[Numbers], places: Numbers) -> Numbers:
        total = np.zeros(len(places), np.int64)
        for meter in meters:
            total += own[meter][places]
        return total

    def _rate(self, rows: Numbers, cells: Numbers, own: Sequence[Numbers], tally: Tally) -> None:
        """Rate rows by other cells than their first."""
        self.cell[rows] = cells
        ticks = np.zeros(len(rows), np.int64)
        for place, counts in enumerate(own):
            part = self.arrays.rates[cells, place] * counts
            ticks += part
            if self.written.meters:
                self.written.meters[self.arrays.meters[place]][rows] = part
        self.written.ticks[rows] = ticks
        tally.slow.extend(beyond(self.arrays, rows, cells, own))

    # -- meters ------------------------------------------------------------------------------------------------------------------------

    def _meters(self, rows: Numbers, cells: Numbers, own: Sequence[Numbers], tally: Tally) -> None:
        """Find the rows that use a meter without a rate or one that is billed in fractions, and those that use only free ones."""
        arrays, outcome = self.arrays, self.written.outcome
        slow, lacking, billed, paid = (np.zeros(len(rows), bool) for _ in range(4))
        fractional, unpriced = arrays.fractional[cells], arrays.unpriced[cells]
        for place, counts in enumerate(own):
            used = counts > 0
            slow |= used & (fractional >> place & 1 == 1)
            without = used & (unpriced >> place & 1 == 1)
            lacking |= without
            billed |= used & ~without
            paid |= used & (arrays.rates[cells, place] > 0)
            tally.unpriced.count(cells[without] * len(own) + place, rows[without])
        outcome[rows[billed & ~paid]] = Outcome.FREE
        outcome[rows[lacking & billed]] = Outcome.PARTIAL
        outcome[rows[lacking & ~billed]] = Outcome.UNKNOWN
        if slow.any():
            tally.slow.append(rows[slow])


def beyond(arrays: RateArrays, rows: Numbers, cells: Numbers, counts: Sequence[Numbers]) -> list[Numbers]:
    """Return the rows, if there are any, whose ticks may not fit into 64 bits; the estimate is a float, and errs to the safe side."""
    estimate = np.zeros(len(rows))
    for place, column in enumerate(counts):
        estimate += arrays.rates[cells, place].astype(float) * column.astype(float)
    found = rows[estimate >= _SURE]
    return [found] if len(found) else []

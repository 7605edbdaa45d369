"""The kernel: usage columns times rate arrays, block by block, exact in 64 bits.

A block is small enough that all its intermediate columns stay in the cache. Most rows take one look-up for time, one for rates, and a
multiplication and addition a meter. Rows with context tiers above the first, with meters without a rate, or beyond the range of 64 bits
are picked out and treated apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.rating.lookup import QUARTER
from tokencost.rating.row import Outcome
from tokencost.rating.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tokencost.rating.buckets import Buckets
    from tokencost.rating.lookup import Lookup
    from tokencost.rating.rate_arrays import RateArrays

__all__ = ["BLOCK", "Kernel", "Written"]

Numbers = Any  # columns of 64-bit integers; numpy's generics say nothing more here
BLOCK: Final = 1 << 14
"""Rows a block."""
_RANGE: Final = 2**63 - 1
_GATHERED: Final = 16
"""Blocks whose rows that need care are settled together: the calls cost more than so few rows."""
_SURE: Final = float(2**62)
_largest: Final = np.maximum.reduce
_smallest: Final = np.minimum.reduce
_NEAR: Final = 2_000
"""Quarters of an hour that a block may span before it is not worth asking whether they are all alike: three weeks."""
_FETCHED: Final = 4
"""Rates of this many meters are fetched at once: four 64-bit numbers are one move."""


class Written(NamedTuple):
    """The columns that the kernel writes: exact ticks, outcome codes, cell numbers, and ticks of each meter if asked for.

    Where every line has one plain cell the cells need not be written; the outcomes are all `priced` beforehand.
    """

    ticks: NDArray[np.int64]
    outcome: NDArray[np.uint8]
    cell: NDArray[np.int32] | None
    meters: Mapping[str, NDArray[np.int64]]


class Kernel:
    """One pass over a usage table: its counts, the look-up, the rates, and where results go.

    `lines` has the place of each row's line in the look-up, or is one place for all; `at` the instants, None where the look-up is constant.
    """

    def __init__(
        self,
        arrays: RateArrays,
        lookup: Lookup,
        *,
        lines: Numbers,
        at: Numbers,
        buckets: Buckets,
        written: Written,
    ) -> None:
        self.arrays = arrays
        self.lookup = lookup
        self.lines = lines
        self.at = at
        self.buckets = buckets
        self.meters = arrays.meters
        self.written = written
        rates = arrays.rates
        if written.cell is None:
            assert lookup.constant is not None, "only where nothing changes a row needs no cell"
            rates = rates[lookup.constant]
        self.fetches = [(begin, _padded(rates[:, begin : begin + _FETCHED])) for begin in range(0, len(self.meters), _FETCHED)]

    def run(self, begin: int, end: int) -> Tally:
        """Rate the rows from `begin` to `end`."""
        tally = Tally(ids=self.arrays.count, cells=len(self.arrays.cells), meters=len(self.meters))
        space = _Space(self, min(BLOCK, end - begin))
        rate = self._plain_block if self.written.cell is None else self._block
        for low in range(begin, end, BLOCK):
            rate(low, min(low + BLOCK, end), space, tally)
            if space.careful and (len(space.careful) >= _GATHERED or low + BLOCK >= end):
                self._settle(np.concatenate(space.careful), tally)
                space.careful.clear()
        return tally

    def _plain_block(self, low: int, high: int, space: _Space, tally: Tally) -> None:
        """Rate a block in whose time every line has one cell: a row's line leads to its rates at once."""
        counts, most, bad = self.buckets.block(low, high, space.own, tally)
        key = space.key[: high - low]
        np.copyto(key, self.lines if isinstance(self.lines, int) else self.lines[low:high])
        self._multiply(key, counts, space, low)
        if bad is not None:
            self.written.outcome[low:high][bad] = Outcome.UNKNOWN
        if self._may_leave_range(most):
            assert self.lookup.constant is not None
            self._beyond(self.lookup.constant[key], counts, tally, low)

    def _block(self, low: int, high: int, space: _Space, tally: Tally) -> None:
        """Rate a block of rows whose prices depend on time, on the size of a request, or may be missing."""
        arrays, written = self.arrays, self.written
        counts, largest, bad = self.buckets.block(low, high, space.own, tally)
        ids = self._ids(low, high, space)
        if bad is not None:
            ids[bad] = arrays.nothing
            written.outcome[low:high][bad] = Outcome.UNKNOWN
        most = int(_largest(ids))
        cells = ids
        if most >= arrays.plain:
            cells = self._cells(ids, counts, space, tally, low)
            most = int(_largest(ids))  # rows above their lists have another id now
        self._multiply(cells, counts, space, low)
        assert written.cell is not None
        written.cell[low:high] = cells
        if self._may_leave_range(largest):
            self._beyond(cells, counts, tally, low)
        if most >= arrays.careful:
            space.careful.append(np.flatnonzero(ids >= arrays.careful) + low)

    # -- time ------------------------------------------------------------------------------------------------------------------------

    def _ids(self, low: int, high: int, space: _Space) -> Numbers:
        """Return the id of each row."""
        lookup, size = self.lookup, high - low
        lines = self.lines if isinstance(self.lines, int) else self.lines[low:high]
        ids = space.ids[:size]
        if lookup.constant is not None:
            if isinstance(lines, int):
                ids.fill(lookup.constant[lines])
            else:
                key = space.key[:size]
                np.copyto(key, lines)
                lookup.constant.take(key, out=ids, mode="clip")
        elif lookup.table is None:
            ids[:] = lookup.search(_wide(lines, size), self.at[low:high])
        elif not self._same_slot(lines, self.at[low:high], space, ids):
            self._tabled(lines, self.at[low:high], space, ids)
        return ids

    def _same_slot(self, lines: Numbers, at: Numbers, space: _Space, ids: Numbers) -> bool:
        """Fill in the ids of a block in whose time nothing changes, as in most blocks of a busy log in the order of time."""
        lookup = self.lookup
        first, last = int(_smallest(at) - lookup.first) // QUARTER, int(_largest(at) - lookup.first) // QUARTER
        if last - first > _NEAR:
            return False
        slots = lookup.slot_of[first : last + 1]
        if lookup.hard_slot in slots or (slots != slots[0]).any():
            return False
        row = lookup.flat[slots[0] : slots[0] + lookup.width].astype(np.int64)
        if isinstance(lines, int):
            ids.fill(row[lines])
        else:
            key = space.key[: len(at)]
            np.copyto(key, lines)
            row.take(key, out=ids, mode="clip")
        return True

    def _tabled(self, lines: Numbers, at: Numbers, space: _Space, ids: Numbers) -> None:
        lookup, key, slot, narrow = self.lookup, space.key[: len(at)], space.slot[: len(at)], space.narrow[: len(at)]
        np.subtract(at, lookup.first, out=key)
        np.floor_divide(key, QUARTER, out=key)
        lookup.slot_of.take(key, out=slot, mode="clip")
        np.copyto(key, lines)
        np.add(slot, key, out=slot)
        lookup.flat.take(slot, out=narrow, mode="clip")
        np.copyto(ids, narrow)
        if lookup.has_hard and _largest(narrow) == lookup.hard:
            rows = np.flatnonzero(narrow == lookup.hard)
            ids[rows] = lookup.search(_wide(lines, len(at))[rows], at[rows])

    # -- tiers -----------------------------------------------------------------------------------------------------------------------

    def _cells(self, ids: Numbers, counts: Sequence[Numbers], space: _Space, tally: Tally, low: int) -> Numbers:
        """Return the cell of each row: the id itself, but for rows above the first context tier."""
        arrays, tiers = self.arrays, self.arrays.tiers
        prompt = self.buckets.prompt(counts, low, out=space.prompt[: len(ids)])
        rows = np.flatnonzero(prompt >= tiers.lowest)
        some = ids[rows]
        by_prompt = (some >= arrays.plain) & (some < arrays.flat)
        if arrays.by_output < arrays.by_prompt:
            by_prompt &= (some < arrays.by_output) | (some >= arrays.by_prompt)
            by_output = np.flatnonzero((ids >= arrays.by_output) & (ids < arrays.by_prompt))
            rows = np.sort(np.concatenate([rows[by_prompt], by_output]))
        else:
            rows = rows[by_prompt]
        if not len(rows):
            return ids
        which = ids[rows] - arrays.plain
        output = np.zeros(len(rows), np.int64)
        for place in self.buckets.completion:
            output += counts[place][rows]
        size = prompt[rows] + tiers.on_total[which] * output
        beyond = np.flatnonzero(size >= tiers.trigger[which])
        if not len(beyond):
            return ids
        rows, which, size, output = rows[beyond], which[beyond], size[beyond], output[beyond]
        step = np.zeros(len(rows), np.int64)
        for number in range(1, len(tiers.cell)):
            step[(size >= tiers.first_input[number, which]) & (output >= tiers.first_output[number, which])] = number
        cells = space.cells[: len(ids)]
        np.copyto(cells, ids)
        cells[rows] = tiers.cell[step, which]
        above = rows[(size > tiers.limit[which]) | (output > tiers.up_to_output[step, which])]
        if len(above):
            tally.above.count(ids[above], above + low)
            ids[above] = cells[above] = arrays.above
        return cells

    # -- money -----------------------------------------------------------------------------------------------------------------------

    def _multiply(self, cells: Numbers, counts: Sequence[Numbers], space: _Space, low: int) -> None:
        size = len(cells)
        ticks, product = self.written.ticks[low : low + size], space.product[:size]
        if not counts:
            ticks.fill(0)
        for begin, rates in self.fetches:
            width = rates.shape[1]
            fetched = space.fetched[width][:size]
            rates.take(cells, axis=0, out=fetched, mode="clip")
            for place in range(begin, min(begin + width, len(counts))):
                target = product if place else ticks
                np.multiply(fetched[:, place - begin], counts[place], out=target)
                if self.written.meters:
                    self.written.meters[self.meters[place]][low : low + size] = target
                if place:
                    np.add(ticks, product, out=ticks)

    def _may_leave_range(self, largest: Sequence[int]) -> bool:
        """Say whether a row could cost more ticks than 64 bits hold, by the largest count and rate of each meter."""
        return sum(count * rate for count, rate in zip(largest, self.arrays.largest, strict=True)) > _RANGE

    def _beyond(self, cells: Numbers, counts: Sequence[Numbers], tally: Tally, low: int) -> None:
        """Leave rows that may not fit into 64 bits to the slow path."""
        estimate = np.zeros(len(cells))
        for place, column in enumerate(counts):
            estimate += self.arrays.rates[cells, place].astype(float) * column.astype(float)
        rows = np.flatnonzero(estimate >= _SURE)
        if len(rows):
            tally.slow.append(rows + low)

    # -- rows that need care -----------------------------------------------------------------------------------------------------------

    def _settle(self, rows: Numbers, tally: Tally) -> None:
        """Mark rows without a price and count them under their reasons; look at the meters of the others where that is needed."""
        assert self.written.cell is not None
        arrays, cells = self.arrays, self.written.cell[rows].astype(np.int64)
        lacking = (cells >= arrays.reasons) & (cells < arrays.count)
        if lacking.any():
            void, reasons = rows[lacking], cells[lacking]
            self.written.outcome[void] = Outcome.UNKNOWN
            tally.reasons.count(reasons, void)
            left = (reasons >= arrays.open) & (reasons < arrays.nothing)
            if left.any():
                tally.slow.append(void[left])
        special = arrays.special[cells] & ~lacking
        if special.any():
            self._meters(rows[special], cells[special], tally)

    def _meters(self, rows: Numbers, cells: Numbers, tally: Tally) -> None:
        """Find the rows that use a meter without a rate or one that is billed in fractions, and those that use only free ones."""
        arrays, outcome = self.arrays, self.written.outcome
        slow, lacking, billed, paid = (np.zeros(len(rows), bool) for _ in range(4))
        fractional, unpriced = arrays.fractional[cells], arrays.unpriced[cells]
        for place, counts in enumerate(self.buckets.own(rows)):
            used = counts > 0
            slow |= used & (fractional >> place & 1 == 1)
            without = used & (unpriced >> place & 1 == 1)
            lacking |= without
            billed |= used & ~without
            paid |= used & (arrays.rates[cells, place] > 0)
            tally.unpriced.count(cells[without] * len(self.meters) + place, rows[without])
        outcome[rows[billed & ~paid]] = Outcome.FREE
        outcome[rows[lacking & billed]] = Outcome.PARTIAL
        outcome[rows[lacking & ~billed]] = Outcome.UNKNOWN
        if slow.any():
            tally.slow.append(rows[slow])


class _Space:
    """Scratch columns of one thread, so that blocks do not ask for memory."""

    def __init__(self, kernel: Kernel, size: int) -> None:
        def column() -> NDArray[np.int64]:
            return np.empty(size, np.int64)

        self.ids, self.key, self.slot, self.cells, self.prompt, self.product = (column() for _ in range(6))
        table = kernel.lookup.table
        self.narrow = np.empty(size, np.int16 if table is None else table.dtype)
        self.own = {whole: column() for whole, _ in kernel.buckets.wholes}
        self.careful: list[Numbers] = []
        self.fetched = {rates.shape[1]: np.empty((size, rates.shape[1]), np.int64) for _, rates in kernel.fetches}


def _padded(rates: Numbers) -> Numbers:
    """Return rows of rates that are 8, 16 or 32 bytes long, which are the moves that a machine has."""
    width = next(size for size in (1, 2, _FETCHED) if size >= rates.shape[1])
    padded = np.zeros((len(rates), width), np.int64)
    padded[:, : rates.shape[1]] = rates
    return padded


def _wide(lines: Numbers, size: int) -> Numbers:
    return np.full(size, lines, np.int64) if isinstance(lines, int) else lines.astype(np.int64)

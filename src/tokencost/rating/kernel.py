"""The kernel: usage columns times rate arrays, block by block, exact in 64 bits.

A block is small enough that all its intermediate columns stay in the cache. Most rows take one look-up for time, one for rates, and a
multiplication and addition a meter. Rows with context tiers above the first, with meters without a rate, or beyond the range of 64 bits
are picked out and treated apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tokencost.rating.apart import Apart, beyond
from tokencost.rating.lookup import QUARTER
from tokencost.rating.row import Outcome
from tokencost.rating.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tokencost.rating.apart import Written
    from tokencost.rating.buckets import Buckets
    from tokencost.rating.lookup import Lookup
    from tokencost.rating.rate_arrays import RateArrays

__all__ = ["BLOCK", "FETCHED", "Kernel", "Space"]

Numbers = Any  # columns of 64-bit integers; numpy's generics say nothing more here
BLOCK: Final = 1 << 13
"""Rows a block."""
_RANGE: Final = 2**63 - 1
_GATHERED: Final = 32
"""Blocks whose rows apart are settled together."""
_NONE: Final = np.empty(0, np.int64)
_largest: Final = np.maximum.reduce
_smallest: Final = np.minimum.reduce
_NEAR: Final = 2_000
"""Quarters of an hour that a block may span before it is not worth asking whether they are all alike: three weeks."""
FETCHED: Final = 4
"""Rates of this many meters are fetched at once: four 64-bit numbers are one move."""


class Kernel:
    """One pass over a usage table: its counts, the look-up, the rates, and where results go.

    `lines` has the place of each row's line in the look-up, or is one place for all; `at` the instants, None where the look-up is constant.
    """

    block = BLOCK
    """Rows that are rated at once."""

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
        self.rates = rates
        """The rates of each id; where there are no cells, of each line."""
        self.fetches = [(begin, _padded(rates[:, begin : begin + FETCHED])) for begin in range(0, len(self.meters), FETCHED)]

    def run(self, begin: int, end: int) -> Tally:
        """Rate the rows from `begin` to `end`."""
        tally = Tally(ids=self.arrays.count, cells=len(self.arrays.cells), meters=len(self.meters))
        space = self._space(min(self.block, end - begin))
        if self.written.cell is None:
            for low in range(begin, end, self.block):
                self._plain_block(low, min(low + self.block, end), space, tally)
            return tally
        apart = Apart(self.arrays, self.buckets, self.written)
        for low in range(begin, end, self.block):
            self._block(low, min(low + self.block, end), space, tally)
            if len(space.apart) >= _GATHERED or low + self.block >= end:
                apart.settle(self._gathered(space), tally)
                space.apart.clear()
        return tally

    def _space(self, size: int) -> Space:
        return Space(self, size)

    def _gathered(self, space: Space) -> Numbers:
        """Return the rows that were set apart."""
        return np.concatenate([*space.apart, _NONE])

    def _plain_block(self, low: int, high: int, space: Space, tally: Tally) -> None:
        """Rate a block in whose time every line has one cell: a row's line leads to its rates at once."""
        counts, most, bad = self.buckets.block(low, high, space.own, tally)
        key = space.key[: high - low]
        np.copyto(key, self.lines if isinstance(self.lines, int) else self.lines[low:high])
        self._multiply(key, counts, space, low)
        if bad is not None:
            self.written.outcome[low:high][bad] = Outcome.UNKNOWN
        if self._may_leave_range(most):
            assert self.lookup.constant is not None
            tally.slow.extend(beyond(self.arrays, np.arange(low, high), self.lookup.constant[key], counts))

    def _block(self, low: int, high: int, space: Space, tally: Tally) -> None:
        """Rate a block of rows whose prices depend on time, on the size of a request, or may be missing."""
        arrays, written = self.arrays, self.written
        counts, largest, bad = self.buckets.block(low, high, space.own, tally)
        ids = self._ids(low, high, space)
        if bad is not None:
            ids[bad] = arrays.nothing
            written.outcome[low:high][bad] = Outcome.UNKNOWN
        self._multiply(ids, counts, space, low)
        assert written.cell is not None
        written.cell[low:high] = ids
        if self._may_leave_range(largest):
            tally.slow.extend(beyond(arrays, np.arange(low, high), ids, counts))
        if arrays.all_plain:
            return
        prompt = self.buckets.prompt(counts, low, out=space.prompt[: high - low])
        trigger = arrays.trigger.take(ids, out=space.key[: high - low], mode="clip")
        rows = np.flatnonzero(prompt >= trigger)
        if len(rows):
            space.apart.append(rows + low)

    # -- time ------------------------------------------------------------------------------------------------------------------------

    def _ids(self, low: int, high: int, space: Space) -> Numbers:
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

    def _same_slot(self, lines: Numbers, at: Numbers, space: Space, ids: Numbers) -> bool:
        """Fill in the ids of a block in whose time nothing changes, as in most blocks of a busy log in the order of time."""
        lookup = self.lookup
        first, last = int(_smallest(at) - lookup.first) // QUARTER, int(_largest(at) - lookup.first) // QUARTER
        if first < 0 or last - first > _NEAR:  # instants that could not be read lie before all others
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

    def _tabled(self, lines: Numbers, at: Numbers, space: Space, ids: Numbers) -> None:
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

    # -- money -----------------------------------------------------------------------------------------------------------------------

    def _multiply(self, cells: Numbers, counts: Sequence[Numbers], space: Space, low: int) -> None:
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


class Space:
    """Scratch columns of one thread, so that blocks do not ask for memory."""

    def __init__(self, kernel: Kernel, size: int) -> None:
        def column() -> NDArray[np.int64]:
            return np.empty(size, np.int64)

        self.ids, self.key, self.slot, self.prompt, self.product = (column() for _ in range(5))
        table = kernel.lookup.table
        self.narrow = np.empty(size, np.int16 if table is None else table.dtype)
        self.own = {whole: column() for whole, _ in kernel.buckets.wholes}
        self.apart: list[Numbers] = []
        self.fetched = {rates.shape[1]: np.empty((size, rates.shape[1]), np.int64) for _, rates in kernel.fetches}


def _padded(rates: Numbers) -> Numbers:
    """Return rows of rates that are 8, 16 or 32 bytes long, which are the moves that a machine has."""
    width = next(size for size in (1, 2, FETCHED) if size >= rates.shape[1])
    padded = np.zeros((len(rates), width), np.int64)
    padded[:, : rates.shape[1]] = rates
    return padded


def _wide(lines: Numbers, size: int) -> Numbers:
    return np.full(size, lines, np.int64) if isinstance(lines, int) else lines.astype(np.int64)

"""The fused kernel: blocks rated by compiled loops, with the same result as the kernel of numpy, digit for digit.

It needs numba. A block with a count that cannot be, or with an amount that 64 bits may not hold, is cut into smaller ones, and that of
them which has it is left to numpy, so that reasons are told in one place. So are rows in a quarter within which something changes, rows
apart, and the search where there is no table.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from tokencost.errors import UnknownNameError
from tokencost.rating.kernel import BLOCK, FETCHED, Kernel, Space
from tokencost.rating.usage import LARGEST_COUNT

if TYPE_CHECKING:
    from tokencost.rating.apart import Written
    from tokencost.rating.buckets import Buckets
    from tokencost.rating.lookup import Lookup
    from tokencost.rating.rate_arrays import RateArrays
    from tokencost.rating.tally import Tally

__all__ = ["ENOUGH", "MANY", "FusedKernel", "KernelKind", "kernel_for"]

Numbers = Any  # columns of integers; numpy's generics say nothing more here
KernelKind = Literal["auto", "numpy", "compiled"]
_KINDS: Final = ("auto", "numpy", "compiled")
MANY: Final = 1 << 25
"""Rows from which a table is worth the import of numba and the loops read from their cache."""
ENOUGH: Final = 1 << 16
"""Rows that are enough where the loops are there already."""
_LOOPS: Final = "tokencost.rating.loops"


def kernel_for(kind: str, rows: int, detail: str) -> type[Kernel]:
    """Return the kernel to rate a table with.

    Raises:
        UnknownNameError: it is no kind of kernel.
        ModuleNotFoundError: the extra `compiled` is asked for and not installed.
    """
    if kind not in _KINDS:
        raise UnknownNameError(
            f"kernel={kind!r} is no kind of kernel; pass 'auto', 'numpy' or 'compiled'", name=str(kind), suggestions=_KINDS
        )
    if kind == "numpy" or (kind == "auto" and rows < (ENOUGH if _LOOPS in sys.modules else MANY)):
        return Kernel
    try:
        import_module(_LOOPS)
    except ImportError as error:  # also where numba does not go with the numpy that is installed
        if kind == "auto":
            return Kernel
        if error.name != "numba":
            raise
        message = "kernel='compiled' needs numba, kernel='numpy' does not; install it with: pip install 'tokencost-tariffs[compiled]'"
        raise ModuleNotFoundError(message, name=error.name) from None
    return FusedKernel if detail == "rows" else Kernel


class FusedKernel(Kernel):
    """A kernel whose blocks are rated by compiled loops; it keeps no cost of each meter."""

    block = 1 << 15
    """Rows that are rated at once: more than with numpy, as calling loops costs as much as a few thousand rows."""

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
        super().__init__(arrays, lookup, lines=lines, at=at, buckets=buckets, written=written)
        assert not written.meters, "the loops add up, and keep no cost of each meter"
        self._loops: Any = import_module(_LOOPS)
        self._columns = [_read_only(column) for column in buckets.columns]
        rates = _of_given(self.rates, buckets)
        self._fours = [(begin, _read_only(_four_wide(rates[:, begin : begin + FETCHED]))) for begin in range(0, len(self.meters), FETCHED)]
        self._trigger = _read_only(np.append(arrays.trigger, 0))  # rows whose id is `hard`, the next number, are all set apart
        self._zeros = _read_only(np.zeros(self.block, np.int64))
        self._line = _read_only(np.full(self.block, lines, np.int32)) if isinstance(lines, int) else None
        self._keys = None if written.cell is None else _read_only(written.cell)
        self._some_hard = False
        self._table: tuple[int, Numbers, Numbers] | None = None
        if lookup.constant is not None:  # as a table of one quarter
            self._table = 0, self._zeros[:1], _read_only(lookup.constant.astype(np.int32))
        elif lookup.table is not None:
            self._some_hard = lookup.has_hard
            self._table = int(lookup.first), _read_only(lookup.slot_of), _read_only(lookup.flat)

    def _space(self, size: int) -> Space:
        return _FusedSpace(self, size)

    def _plain_block(self, low: int, high: int, space: Space, tally: Tally) -> None:
        if self._rated(self._lines(low, high), low, high, space):
            return
        if high - low <= BLOCK:
            super()._plain_block(low, high, space, tally)
            return
        for begin in range(low, high, BLOCK):
            self._plain_block(begin, min(begin + BLOCK, high), space, tally)

    def _block(self, low: int, high: int, space: Space, tally: Tally) -> None:
        assert self._keys is not None
        self._locate(low, high, space)
        keys = self._keys[low:high]
        if not self._rated(keys, low, high, space):
            if high - low <= BLOCK:
                super()._block(low, high, space, tally)
            else:
                for begin in range(low, high, BLOCK):
                    self._block(begin, min(begin + BLOCK, high), space, tally)
            return
        if self.arrays.all_plain and not self._some_hard:
            return
        prompt = self.buckets.prompt([column[low:high] for column in self.buckets.columns], low, out=space.prompt[: high - low])
        found = self._loops.reach(keys, self._trigger, _as_loops_take(prompt, np.int64), space.key[: high - low])
        if found:
            space.apart.append(space.key[:found] + low)

    def _lines(self, low: int, high: int) -> Numbers:
        return self._line[: high - low] if self._line is not None else _as_loops_take(self.lines[low:high], np.int32)

    def _locate(self, low: int, high: int, space: Space) -> None:
        """Write the id of each row as its cell."""
        assert self.written.cell is not None
        cell, lookup = self.written.cell[low:high], self.lookup
        if self._table is None:
            cell[:] = self._ids(low, high, space)
            return
        first, slot_of, flat = self._table
        at = self._zeros[: high - low] if lookup.constant is not None else _as_loops_take(self.at[low:high], np.int64)
        self._loops.find(self._lines(low, high), at, first, slot_of, flat, cell)

    def _gathered(self, space: Space) -> Numbers:
        """Return the rows that were set apart; those in a quarter within which something changes are searched and rated here."""
        rows, cell = super()._gathered(space), self.written.cell
        assert cell is not None
        hard = rows[cell[rows] == self.lookup.hard] if self._some_hard else rows[:0]
        if len(hard):
            lines = np.full(len(hard), self.lines, np.int64) if isinstance(self.lines, int) else self.lines[hard].astype(np.int64)
            ids = self.lookup.search(lines, self.at[hard])
            cell[hard] = ids
            own = self.buckets.own(hard)
            self.written.ticks[hard] = sum(self.rates[ids, place] * counts for place, counts in enumerate(own))
        return rows

    def _rated(self, keys: Numbers, low: int, high: int, space: Space) -> bool:
        """Write the ticks of a block; say whether every count can be and no row can leave the range of 64 bits."""
        assert isinstance(space, _FusedSpace)
        counts = [_as_loops_take(column[low:high], np.int64) for column in self._columns]
        ticks, zeros, most = self.written.ticks[low:high], self._zeros[: high - low], space.most
        largest: list[int] = []
        for begin, rates in self._fours:
            four = counts[begin : begin + FETCHED]
            most.fill(0)
            self._loops.multiply(keys, rates, *four, *[zeros] * (FETCHED - len(four)), ticks, most, begin)
            largest += most.tolist()[: len(four)]
        if not counts or max(largest) > LARGEST_COUNT or self._may_leave_range(largest):
            return False
        rest = space.rest[: high - low]
        for whole, parts in self.buckets.wholes:
            left = counts[whole]
            for part in parts:
                if self._loops.subtract(left, counts[part], rest) < 0:
                    return False
                left = _read_only(rest)
        return True


class _FusedSpace(Space):
    """Scratch of one thread for the loops too."""

    def __init__(self, kernel: Kernel, size: int) -> None:
        super().__init__(kernel, size)
        self.most = np.empty(FETCHED, np.uint64)
        self.rest = np.empty(size, np.int64)


def _of_given(rates: Numbers, buckets: Buckets) -> Numbers:
    """Return the rates of counts as they are given: a token of a part is charged as one, and taken off its whole."""
    given = rates.copy()
    for whole, parts in buckets.wholes:
        given[:, parts] -= rates[:, [whole]]
    return given


def _four_wide(rates: Numbers) -> Numbers:
    wide = np.zeros((len(rates), FETCHED), np.int64)
    wide[:, : rates.shape[1]] = rates
    return wide


def _read_only(column: Numbers) -> Numbers:
    """Return a view that cannot be written: the loops are compiled for this one type."""
    view = column.view()
    view.flags.writeable = False
    return view


def _as_loops_take(block: Numbers, kind: type[np.generic]) -> Numbers:
    """Return a block of a column as the loops take it, which nearly all are, or else a copy."""
    flags = block.flags
    if block.dtype == kind and flags.c_contiguous and flags.aligned:
        return _read_only(block) if flags.writeable else block
    return _read_only(block.astype(kind))

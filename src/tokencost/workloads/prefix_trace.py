"""Prefix traces: requests with the ids of their prompt's blocks, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np

from tokencost.errors import TraceError, UsageError, UsageTypeError
from tokencost.tariffs.clock import to_instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from tokencost.workloads.log import BadRow

__all__ = ["LARGEST_BLOCK", "PrefixTrace", "checked_block_size", "coded", "fits"]

LARGEST_BLOCK: Final = 1 << 20
_LARGEST: Final = 1 << 40
_FARTHEST_MS: Final = 1 << 50
_DENSE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrefixTrace:
    """A log of requests whose prompts are cut into blocks of `block_size` tokens, each with an id; the last block may be shorter.

    Equal ids stand for an equal prompt up to the end of that block: an id depends on what precedes it. That is checked. `at_ms` are
    milliseconds from `start` (None where the log does not say when it began), ascending; `input` and `output` are tokens; the blocks of
    request i are `blocks[offsets[i]:offsets[i + 1]]`, ids from 0 to `ids` - 1. `reordered` counts rows that stood before an earlier one.

    >>> trace = PrefixTrace.of(at_ms=[0, 1000], input=[900, 1400], output=[5, 5], blocks=[[7, 8], [7, 9, 4]], block_size=512)
    >>> trace.requests, trace.ids, trace.blocks.tolist()
    (2, 4, [0, 1, 0, 2, 3])
    """

    path: str
    block_size: int
    at_ms: NDArray[np.int64]
    input: NDArray[np.int64]
    output: NDArray[np.int64]
    blocks: NDArray[np.int32]
    offsets: NDArray[np.int64]
    ids: int
    start: datetime | None = None
    reordered: int = 0
    bad: tuple[BadRow, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        at_ms: Sequence[int] | NDArray[np.int64],
        input: Sequence[int] | NDArray[np.int64],  # noqa: A002 - the meter's name
        output: Sequence[int] | NDArray[np.int64],
        blocks: Sequence[Sequence[int | str]] | NDArray[np.int64],
        block_size: int,
        offsets: NDArray[np.int64] | None = None,
        start: datetime | None = None,
        path: str = "trace",
    ) -> PrefixTrace:
        """Build a trace in memory: one entry a request, `blocks` as one sequence a request or flat beside `offsets`.

        Raises:
            TraceError: columns of different length, counts that cannot be, prompts that do not fit their blocks, ids that contradict.
            UsageError: `block_size` cannot be; UsageTypeError for numbers that are not whole.
        """
        checked_block_size(block_size)
        columns = [_whole(name, column) for name, column in (("at_ms", at_ms), ("input", input), ("output", output))]
        if offsets is None:
            sizes = [len(row) for row in blocks]
            offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
            codes, ids = coded([block for row in blocks for block in row])
        else:
            offsets = _whole("offsets", offsets)
            codes, ids = coded(_whole("blocks", blocks))
        made = cls(
            path=path,
            block_size=block_size,
            at_ms=columns[0],
            input=columns[1],
            output=columns[2],
            blocks=codes,
            offsets=offsets,
            ids=ids,
            start=None if start is None else to_instant(start),
        )
        return made.checked().sorted()

    @property
    def requests(self) -> int:
        """The number of requests."""
        return len(self.at_ms)

    @property
    def tokens(self) -> int:
        """All tokens of all prompts and answers."""
        return int(self.input.sum()) + int(self.output.sum())

    @property
    def span_s(self) -> int:
        """The seconds from the first to the last request, cut to whole ones."""
        return int(self.at_ms[-1] - self.at_ms[0]) // 1000 if self.requests else 0

    @property
    def covered(self) -> NDArray[np.int64]:
        """The tokens of each prompt that have a block id."""
        return np.minimum(self.input, np.diff(self.offsets) * self.block_size)

    def instants(self) -> NDArray[np.datetime64]:
        """Return the instant of every request, in UTC.

        Raises:
            TraceError: the log does not say when it began.
        """
        if self.start is None:
            raise TraceError(
                f"{self.path} counts its times from an unknown start; pass start= with the instant that is 0 where it is read",
                path=self.path,
            )
        origin = np.datetime64(to_instant(self.start).replace(tzinfo=None), "ms")
        return origin + self.at_ms.astype("m8[ms]")

    def sorted(self) -> PrefixTrace:
        """Return the trace in the order of its times; requests at one instant stay in the order of the log."""
        early = np.flatnonzero(self.at_ms[1:] < np.maximum.accumulate(self.at_ms)[:-1])
        if not len(early):
            return self
        return self.taken(np.argsort(self.at_ms, kind="stable"), reordered=len(early))

    def taken(self, rows: NDArray[np.int64], *, reordered: int | None = None, bad: tuple[BadRow, ...] | None = None) -> PrefixTrace:
        """Return some of the requests, in the order given."""
        sizes = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.arange(offsets[-1], dtype=np.int64) - np.repeat(offsets[:-1] - self.offsets[rows], sizes)
        return PrefixTrace(
            path=self.path,
            block_size=self.block_size,
            at_ms=self.at_ms[rows],
            input=self.input[rows],
            output=self.output[rows],
            blocks=self.blocks[places],
            offsets=offsets,
            ids=self.ids,
            start=self.start,
            reordered=self.reordered if reordered is None else reordered,
            bad=self.bad if bad is None else bad,
        )

    def checked(self) -> PrefixTrace:
        """Return the trace if it holds together.

        Raises:
            TraceError: it does not; the message names the first request that is wrong.
        """
        if not len(self.at_ms) == len(self.input) == len(self.output) == len(self.offsets) - 1:
            _refuse(self, None, "has columns of different length; give each one entry a request")
        if len(self.offsets) and (self.offsets[0] != 0 or self.offsets[-1] != len(self.blocks) or (np.diff(self.offsets) < 0).any()):
            _refuse(self, None, "has offsets that do not cut its blocks; pass 0, ..., the number of blocks, ascending")
        for name, column in (("input", self.input), ("output", self.output)):
            for row in np.flatnonzero((column < 0) | (column > _LARGEST))[:1]:
                _refuse(self, int(row), f"has {name}={column[row]}; counts are 0 to {_LARGEST}")
        for row in np.flatnonzero(np.abs(self.at_ms) > _FARTHEST_MS)[:1]:
            _refuse(self, int(row), f"has the time {self.at_ms[row]} ms; check its unit")
        sizes = np.diff(self.offsets)
        for row in np.flatnonzero(~fits(self.input, sizes, self.block_size))[:1]:
            blocks = f"{sizes[row]} block{'s' * int(sizes[row] != 1)} of {self.block_size} tokens"
            said = f"has {blocks} for a prompt of {self.input[row]}"
            _refuse(self, int(row), f"{said}; pass the block_size of the log")
        self._check_chain()
        return self

    def _check_chain(self) -> None:
        """Check that every id has one predecessor and one length, as ids of prefixes do."""
        ends = self.offsets[1:][np.diff(self.offsets) > 0] - 1
        before = np.empty_like(self.blocks)
        before[1:] = self.blocks[:-1]
        before[self.offsets[:-1][np.diff(self.offsets) > 0]] = -1
        first = np.empty(self.ids, np.int32)
        first[self.blocks] = before
        for place in np.flatnonzero(first[self.blocks] != before)[:1].tolist():
            row = _row(self.offsets, place)
            _refuse(
                self,
                row,
                f"has a block (place {place - self.offsets[row]}) whose id follows another block elsewhere; "
                "ids must depend on all that precedes them, so chain them where they name the content of one block alone",
            )
        lengths = np.full(self.ids, self.block_size, np.int64)
        tails = self.covered[np.diff(self.offsets) > 0] - (np.diff(self.offsets)[np.diff(self.offsets) > 0] - 1) * self.block_size
        lengths[self.blocks[ends]] = tails
        whole = np.ones(len(self.blocks), bool)
        whole[ends] = False
        for place in np.flatnonzero(whole & (lengths[self.blocks] != self.block_size))[:1].tolist():
            row = _row(self.offsets, place)
            _refuse(self, row, "has a whole block with the id of a shorter one elsewhere; give a shorter block an id of its own")
        for place in np.flatnonzero(lengths[self.blocks[ends]] != tails)[:1].tolist():
            row = _row(self.offsets, int(ends[place]))
            _refuse(self, row, "ends in a block whose id has another length elsewhere; give a shorter block an id of its own")

    def __repr__(self) -> str:
        return f"PrefixTrace({self.path!r}, {self.requests} requests, {len(self.blocks)} blocks of {self.block_size}, {self.ids} ids)"


def _whole(name: str, column: object) -> NDArray[np.int64]:
    """Return a column of whole numbers."""
    found = np.asarray(column)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iu"):
        raise UsageTypeError(f"{name} is no column of whole numbers but of {found.dtype}; pass integers", meter=name, value=column)
    return found.astype(np.int64, copy=False)


def _row(offsets: NDArray[np.int64], place: int) -> int:
    """Return the request that has a place in the flat blocks."""
    return int(np.count_nonzero(offsets <= place)) - 1


def _refuse(trace: PrefixTrace, row: int | None, why: str) -> NoReturn:
    where = trace.path if row is None else f"request {row} of {trace.path}"
    raise TraceError(f"{where} {why}", path=trace.path, row=row)


def checked_block_size(size: object) -> int:
    """Return a block size that can be.

    Raises:
        UsageTypeError: it is no whole number.
        UsageError: it is below 1 or absurd.
    """
    if type(size) is not int:
        raise UsageTypeError(f"block_size={size!r} is not a whole number; pass an int", meter="block_size", value=size)
    if not 1 <= size <= LARGEST_BLOCK:
        raise UsageError(f"block_size={size} is outside 1 to {LARGEST_BLOCK}; pass the tokens of one block", meter="block_size", value=size)
    return size


def fits(tokens: NDArray[np.int64], sizes: NDArray[np.int64], block_size: int) -> NDArray[np.bool_]:
    """Say which prompts fit their blocks: as many as they fill, and one more for the rest, which may have no id."""
    whole = tokens // block_size
    return (sizes == whole) | ((sizes == whole + 1) & (tokens % block_size > 0))


def coded(blocks: Sequence[int | str] | NDArray[np.int64]) -> tuple[NDArray[np.int32], int]:
    """Return ids as small codes from 0 in the order in which they first occur or of their size, and how many there are.

    Raises:
        TraceError: ids that are neither all whole numbers nor all text.
    """
    if isinstance(blocks, np.ndarray):
        if not len(blocks):
            return np.empty(0, np.int32), 0
        low, high = int(blocks.min()), int(blocks.max())
        if low == 0 and high < _DENSE * len(blocks):
            return blocks.astype(np.int32), high + 1
        found, codes = np.unique(blocks, return_inverse=True)
        return codes.astype(np.int32), len(found)
    kinds = {type(block) for block in blocks}
    if not kinds <= {int} and not kinds <= {str}:
        odd = next(block for block in blocks if type(block) is not next(iter(kinds & {int, str}), int))
        raise TraceError(f"block id {odd!r} is no whole number as others are, or no text; give all ids one kind", path="trace")
    index: dict[int | str, int] = {}
    codes = np.fromiter((index.setdefault(block, len(index)) for block in blocks), np.int32, len(blocks))
    return codes, len(index)

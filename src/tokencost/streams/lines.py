"""Lines: files of text, a block at a time; what a column at once cannot read is read line by line, and what is bad is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from tokencost.streams.arrow import pa
from tokencost.streams.blocks import Blocks
from tokencost.streams.reading import Chunk, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokencost.streams.arrow import Batch, DataType
    from tokencost.streams.blocks import Block
    from tokencost.streams.reading import Reading
    from tokencost.streams.sources import Source
    from tokencost.workloads.log import BadRow

__all__ = ["LineReader", "Parsed", "Torn", "assembled"]

_ONE_BY_ONE: Final = 1 << 15
"""Bytes that are read line by line where something in them is amiss; larger blocks are halved to find it."""


class Parsed(NamedTuple):
    """The good rows of a block: the columns rated, the columns kept; the bad ones; and how many bytes at its end are of an open row."""

    rated: Batch
    kept: Batch
    bad: tuple[BadRow, ...] = ()
    left: int = 0


class Torn(Exception):  # noqa: N818 - it never leaves this room
    """A piece of a block ends within quotes, or its quotes do not hold: the block has to be read as a whole."""


class LineReader(Protocol):
    """A file of text; its kinds say how a block is read at once, and how row by row."""

    source: Source
    header: tuple[str, ...]
    names: tuple[str, ...]
    rows: int | None
    begin: Place
    quotes: bool

    def at_once(self, block: Block, reading: Reading) -> Parsed | None:
        """Return the rows of a block, None if something is amiss."""
        ...

    def one_by_one(self, block: Block, reading: Reading, *, whole: bool) -> Parsed:
        """Return the good and the bad rows of a block.

        Raises:
            Torn: its quotes do not hold, and it is not whole.
        """
        ...

    def chunks(self, reading: Reading, place: Place) -> Iterator[Chunk]:
        """Yield the rows from a place on."""
        row, byte, line = max(place, self.begin)
        blocks = Blocks(self.source, byte=byte, line=line, quotes=self.quotes)
        for block in blocks:
            try:
                parsed = self._parsed(block, reading)
            except Torn:
                parsed = [self.one_by_one(block, reading, whole=True)]
            left = parsed[-1].left
            blocks.back(left)
            rated, kept = (pa.concat_tables([getattr(part, which) for part in parsed]) for which in ("rated", "kept"))
            row += rated.num_rows
            used = len(block.data) - left
            place = Place(row, block.byte + used, block.line + (block.data.count(b"\n", 0, used) if left else block.lines))
            yield Chunk(rated, kept, tuple(bad for part in parsed for bad in part.bad), place)

    def _parsed(self, block: Block, reading: Reading) -> list[Parsed]:
        """Return a block read; halved and halved again where something is amiss, so that one bad line does not slow the rest."""
        parsed = self.at_once(block, reading)
        if parsed is not None:
            return [parsed]
        halves = block.halves() if len(block.data) > _ONE_BY_ONE else None
        if halves is None:
            return [self.one_by_one(block, reading, whole=False)]
        return [part for half in halves for part in self._parsed(half, reading)]


def assembled(columns: Sequence[str], types: Mapping[str, DataType], rows: Sequence[Sequence[Any]], reading: Reading) -> Batch:
    """Return rows of cells as a table; a cell that does not fit its column is left empty and counted in the notes."""
    arrays: list[Any] = []
    for number, name in enumerate(columns):
        cells = [row[number] for row in rows]
        kind = types.get(name, pa.string())
        try:
            arrays.append(pa.array(cells, kind))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            arrays.append(pa.array([_fitting(cell, name, kind, reading) for cell in cells], kind))
    if not arrays:
        return pa.table({"": pa.nulls(len(rows))}).select([])
    return pa.table(dict(zip(columns, arrays, strict=True)))


def _fitting(cell: Any, name: str, kind: DataType, reading: Reading) -> Any:
    try:
        pa.array([cell], kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        reading.note(f"cells of {name!r} do not fit its type, {kind}, and are empty in what is written")
        return None
    return cell

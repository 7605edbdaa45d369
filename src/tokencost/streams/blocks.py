"""Blocks: a text file, packed or not, as pieces of whole lines, so that any length of it takes the same memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import StreamError
from tokencost.streams.arrow import pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokencost.streams.sources import Source

__all__ = ["BLOCK", "Block", "Blocks"]

BLOCK: Final = 4 << 20
"""Bytes read at once. A row may be longer."""

_LONGEST_ROW: Final = 16 << 20
"""Bytes that a row of many lines may take; a quote that is open for longer is taken for one that never closes."""
_QUOTE, _NEWLINE = ord('"'), ord("\n")
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Block(NamedTuple):
    """Whole lines: their bytes, the byte of the unpacked file at which they begin, the lines before them, and how many these are.

    `rows` is the number of line ends outside of quotes, `lines` that of all; blank lines count. Nothing follows a `final` block that could
    complete its last row.
    """

    data: bytes
    byte: int
    line: int
    rows: int
    lines: int
    final: bool = False

    @property
    def end(self) -> int:
        """The byte after the last."""
        return self.byte + len(self.data)

    def halves(self) -> tuple[Block, Block] | None:
        """Return two blocks of whole lines, None where there is but one line, or one that goes on in the next."""
        middle = self.data.rfind(b"\n", 0, len(self.data) // 2) + 1
        if not middle or self.rows != self.lines:
            return None
        lines = self.data.count(b"\n", 0, middle)
        rest = self.lines - lines
        left = Block(self.data[:middle], self.byte, self.line, lines, lines)
        return left, Block(self.data[middle:], self.byte + middle, self.line + lines, rest, rest)


class Blocks:
    """A text file from a byte on, in blocks of whole rows; with `quotes` a line end inside of double quotes ends no row.

    Which quotes open a cell only a reader of cells can tell; one that finds the last row of a block open gives it back, and gets it again
    with what follows.

    Raises:
        StreamError: the text is UTF-16 or binary.
        OSError: the file cannot be read, or a packed one ends too early.
    """

    def __init__(self, source: Source, *, byte: int = 0, line: int = 0, quotes: bool, size: int | None = None) -> None:
        self._source = source
        self._byte, self._line = byte, line
        self._quotes = quotes
        self._size = size or BLOCK
        self._returned = 0

    def back(self, size: int) -> None:
        """Give back the last bytes of the block that was just yielded; not of one that is final."""
        self._returned = size

    def __iter__(self) -> Iterator[Block]:
        with _opened(self._source, self._byte) as stream:
            rest = stream.read(self._size)
            if not self._byte:
                _refuse_other_text(self._source, rest)
                self._byte = len(_BOM) if rest.startswith(_BOM) else 0
                rest = rest.removeprefix(_BOM)
            ended, least = not rest, 0
            while rest:
                block = _cut(rest, self._byte, self._line, quotes=self._quotes, ended=ended, least=least)
                if block is not None:
                    self._returned = 0
                    yield block
                    used = len(block.data) - self._returned
                    self._byte += used
                    self._line += block.data.count(b"\n", 0, used) if self._returned else block.lines
                    rest, least = rest[used:], 0 if used else len(block.data)
                if not ended:
                    read: bytes = stream.read(self._size)
                    ended = not read
                    rest += b"\n" if ended and rest and not rest.endswith(b"\n") else read


def _opened(source: Source, byte: int) -> Any:
    if source.packed is None:
        stream = pa.OSFile(str(source.path))
        stream.seek(byte)
        return stream
    stream = pa.input_stream(str(source.path), compression=source.packed)
    while byte:  # what is packed has no other way to its middle
        byte -= len(stream.read(min(byte, BLOCK))) or byte
    return stream


def _refuse_other_text(source: Source, begin: bytes) -> None:
    if begin.startswith(_UTF16):
        raise StreamError(f"{source.name} is UTF-16 text; export it as UTF-8", path=source.name)
    if b"\0" in begin[:65_536]:
        raise StreamError(f"{source.name} is binary, not text; give it the ending of its kind", path=source.name)


def _cut(rest: bytes, byte: int, line: int, *, quotes: bool, ended: bool, least: int) -> Block | None:
    """Return the whole rows at the beginning of what was read, more than the `least` bytes that were not enough; None if there are none."""
    if not quotes or _QUOTE not in rest:
        end = len(rest) if ended else rest.rfind(b"\n") + 1
        rows = lines = rest.count(b"\n", 0, end)
    else:
        rows, end = _outside_quotes(rest)
        lines = rest.count(b"\n", 0, end)
    if end > least:
        return Block(rest[:end], byte, line, rows, lines, ended and end == len(rest))
    if ended:  # a quote that never closes: its reader goes on row by row
        return Block(rest, byte, line, 0, rest.count(b"\n"), final=True)
    if len(rest) > _LONGEST_ROW:
        end = rest.index(b"\n") + 1 if b"\n" in rest else len(rest)
        return Block(rest[:end], byte, line, 0, 1, final=True)
    return None


def _outside_quotes(rest: bytes) -> tuple[int, int]:
    """Return how many line ends lie outside of quotes, and the byte after the last of them."""
    import numpy as np

    found = np.frombuffer(rest, np.uint8)
    quotes = np.flatnonzero(found == _QUOTE)
    ends = np.flatnonzero(found == _NEWLINE)
    outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return len(outside), int(outside[-1]) + 1 if len(outside) else 0

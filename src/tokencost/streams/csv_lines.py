"""CSV: rows of text under a header, comma, semicolon, tab or bar between them."""

from __future__ import annotations

import csv
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import InstantError, StreamError
from tokencost.streams.arrow import arrow_csv, pa, pc
from tokencost.streams.blocks import Blocks
from tokencost.streams.cells import INSTANTS, NAMES, count_in, counts_in, instant_in, instants_in
from tokencost.streams.lines import LineReader, Parsed, Torn, assembled
from tokencost.streams.reading import Place, wanted
from tokencost.workloads.log import BadRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokencost.streams.arrow import Batch
    from tokencost.streams.blocks import Block
    from tokencost.streams.reading import Reading
    from tokencost.streams.sources import Source

__all__ = ["CsvReader"]

_CELL_LIMIT: Final = threading.Lock()
"""The csv module has one limit for all its readers."""
_LONG_CELL: Final = min(sys.maxsize, 2**31 - 1)
_HEADER_LINES: Final = 100
_OPEN: Final = "a quote opens and never closes"
_TORN: Final = "a quote closes before the end of its cell"
_Row = tuple[int, int, list[str] | str]
"""The line on which a row begins, the line after its last, and its cells or what is wrong with it; lines count from 0 in the block."""


class CsvReader(LineReader):
    """A CSV file; its columns are text as they lie, but for counts and instants."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.quotes = True
        self.rows: int | None = None
        self.begin, names, self.delimiter = _head(source)
        self.header = self.names = names
        self._texts_only = False

    def at_once(self, block: Block, reading: Reading) -> Parsed | None:
        """Return the rows of a block, None if a row is broken or a count or instant is none."""
        if b'"' in block.data and any(begins in block.data for begins in _spaced(self.delimiter)):
            return None  # a quote after a space opens a cell only for the slower reader
        for texts_only in (self._texts_only, True) if not self._texts_only else (True,):
            rows = self._read(block, reading, texts_only=texts_only)
            if rows is not None:
                self._texts_only = texts_only
                break
        else:
            return None
        if b'"' in block.data and rows.num_rows != block.rows:
            return None
        replaced: dict[str, Any] = {}
        if self._texts_only:
            replaced = {column: counts_in(rows.column(column)) for column in reading.counts}
        if reading.at:
            replaced[reading.at] = instants_in(rows.column(reading.at), reading)
        if any(column is None for column in replaced.values()):
            return None
        replaced |= {name: _bare(rows.column(name)) for name in reading.texts}
        replaced |= {name: _trimmed(rows.column(name)) for name in reading.by if name not in reading.columns.values()}
        kept = self.names if reading.keep is None else reading.keep
        as_kept = {name: column for name, column in replaced.items() if name in kept and name != reading.at}
        return Parsed(wanted(rows, reading.rated, replaced), wanted(rows, kept, as_kept))

    def _read(self, block: Block, reading: Reading, *, texts_only: bool) -> Batch | None:
        kinds = dict.fromkeys(self.names, pa.string()) | dict.fromkeys(reading.texts, NAMES)
        if not texts_only:
            kinds |= dict.fromkeys(reading.counts, pa.int64())
        include = self.names if reading.keep is None else tuple(dict.fromkeys((*reading.rated, *reading.keep)))
        try:
            return arrow_csv.read_csv(
                pa.BufferReader(block.data),
                read_options=arrow_csv.ReadOptions(column_names=self.names, block_size=max(len(block.data) // 2, 1 << 20)),
                parse_options=arrow_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=block.rows != block.lines),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=kinds, include_columns=include, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
                ),
            )
        except (pa.ArrowException, ValueError):
            return None

    def one_by_one(self, block: Block, reading: Reading, *, whole: bool) -> Parsed:
        """Return the good and the bad rows of a block."""
        raw = block.data.split(b"\n")[: block.lines]
        lines = [_decoded(line) for line in raw]
        left = 0
        rated: list[list[Any]] = []
        kept: list[list[Any]] = []
        bad: list[BadRow] = []
        names = self.names if reading.keep is None else reading.keep
        for first, after, row in _rows([line if isinstance(line, str) else "" for line in lines], self.delimiter):
            if row in (_OPEN, _TORN):
                if not whole:
                    raise Torn
                if row == _OPEN and not block.final:
                    left = len(block.data) - sum(len(line) + 1 for line in raw[:first])
                    break
            number = block.line + first + 1
            broken = next((line for line in lines[first:after] if isinstance(line, bytes)), None)
            try:
                found = self._record(row if broken is None else "not UTF-8 text")
                if found is not None:
                    cells = self._rated(found, reading, f"row {number} of {self.source.name}")
                    rated.append([cells[name] for name in reading.rated])
                    kept.append([found[name] if name == reading.at else cells.get(name, found[name]) for name in names])
            except InstantError:
                raise
            except ValueError as error:
                text = "".join(line if isinstance(line, str) else line.decode("utf-8", "backslashreplace") for line in lines[first:after])
                bad.append(BadRow(number, str(error), text.rstrip("\r\n")))
        types = dict.fromkeys(reading.counts, pa.int64()) | dict.fromkeys(reading.texts, NAMES)
        instants = {reading.at: INSTANTS} if reading.at else {}
        return Parsed(assembled(reading.rated, types | instants, rated, reading), assembled(names, types, kept, reading), tuple(bad), left)

    def _record(self, cells: list[str] | str) -> dict[str, str | None] | None:
        if isinstance(cells, str):
            raise ValueError(cells)  # noqa: TRY004 - it is not the type that is wrong
        if len(cells) <= 1 and not "".join(cells).strip():
            return None
        if len(cells) != len(self.names):
            raise ValueError(f"{len(cells)} cell{'s' * (len(cells) != 1)}, and the header has {len(self.names)}")
        return {name: cell or None for name, cell in zip(self.names, cells, strict=True)}

    def _rated(self, found: dict[str, str | None], reading: Reading, where: str) -> dict[str, Any]:
        cells: dict[str, Any] = {name: (found[name] or "").strip() or None for name in reading.by}
        for heading, column in reading.columns.items():
            cell = found[column]
            if column in reading.texts:
                cells[column] = (cell or "").strip() or None
            else:
                cells[column] = instant_in(cell, reading, where) if heading == "at" else count_in(heading, cell)
        return cells


def _bare(column: Any) -> Any:
    """Return names without the spaces around them; an empty one is none."""
    if all(word and word == word.strip() for chunk in column.chunks for word in chunk.dictionary.to_pylist()):
        return column
    return _trimmed(pc.cast(column, pa.string())).dictionary_encode()


def _trimmed(column: Any) -> Any:
    plain = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(plain, ""), None, plain)


def _spaced(delimiter: str) -> tuple[bytes, ...]:
    return (f'{delimiter} "'.encode(), b'\n "')


def _decoded(line: bytes) -> str | bytes:
    try:
        return line.decode() + "\n"
    except UnicodeDecodeError:
        return line


def _head(source: Source) -> tuple[Place, tuple[str, ...], str]:
    """Return where the rows of a file begin, its columns, and what stands between cells."""
    block = next(iter(Blocks(source, quotes=True, size=1 << 20)), None)
    if block is None or not block.data.strip():
        return Place(0, source.size, 0) if block is None else Place(0, block.end, block.lines), (), ","
    raw = block.data.split(b"\n")[:-1]
    first = next(n for n, line in enumerate(raw) if line.strip())
    lines = [line.decode("utf-8", "backslashreplace") + "\n" for line in raw[first : first + _HEADER_LINES]]
    delimiter = max(",;\t|", key=lines[0].count)
    _, after, cells = next(_rows(lines, delimiter))
    if isinstance(cells, str):
        raise StreamError(f"the header of {source.name}, line {first + 1}, is broken: {cells}; correct it", path=source.name)
    if any(isinstance(_decoded(line), bytes) for line in raw[first : first + after]):
        raise StreamError(f"the header of {source.name} is not UTF-8 text; export it as UTF-8", path=source.name)
    names = [name.strip() or f"column_{n}" for n, name in enumerate(cells, 1)]
    if doubled := [name for name, n in Counter(names).items() if n > 1]:
        raise StreamError(f"column {doubled[0]!r} stands twice in {source.name}; rename one", path=source.name, columns=tuple(names))
    size = sum(len(line) + 1 for line in raw[: first + after])
    return Place(0, block.byte + size, first + after), tuple(names), delimiter


def _rows(lines: list[str], delimiter: str) -> Iterator[_Row]:
    """Yield each row; after a broken one reading goes on with the line below its first, so that an open quote costs one row."""
    at = 0
    while at < len(lines):
        for row in _read_on(lines, at, delimiter):
            yield row
            at = row[1]


def _read_on(lines: list[str], at: int, delimiter: str) -> list[_Row]:
    """Return the rows from a line on, up to the first that is broken."""
    rows: list[_Row] = []
    with _CELL_LIMIT:  # a cell may hold a whole prompt
        limit = csv.field_size_limit(_LONG_CELL)
        reader = csv.reader(map(lines.__getitem__, range(at, len(lines))), delimiter=delimiter, strict=True, skipinitialspace=True)
        read = 0
        try:
            for cells in reader:
                rows.append((at + read, at + reader.line_num, cells))
                read = reader.line_num
        except csv.Error as error:
            said = str(error)
            said = _OPEN if said == "unexpected end of data" else _TORN if "expected after" in said else said
            rows.append((at + read, at + read + 1, said))
        finally:
            csv.field_size_limit(limit)
    return rows

"""JSON lines: one object a line; the fields of objects inside of it are columns with dotted names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from tokencost.errors import InstantError, StreamError
from tokencost.streams.arrow import arrow_json, pa, pc, text_like
from tokencost.streams.blocks import Blocks
from tokencost.streams.cells import INSTANTS, NAMES, count_in, instant_in, instants_in
from tokencost.streams.lines import LineReader, Parsed, assembled
from tokencost.streams.reading import BEGIN, wanted
from tokencost.workloads.log import BadRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokencost.streams.arrow import Batch, DataType, Schema
    from tokencost.streams.blocks import Block
    from tokencost.streams.reading import Reading
    from tokencost.streams.sources import Source

__all__ = ["JsonReader"]

_LOOKED_AT: Final = 4 << 20
"""Bytes at the beginning of a file from which its columns and their types are taken."""
_Path = tuple[str, ...]
_Faults = (pa.ArrowException, ValueError)


class JsonReader(LineReader):
    """A file of JSON lines; the types of its columns are those of its first rows, and whole numbers where counts are meant."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.quotes = False
        self.rows: int | None = None
        self.begin = BEGIN
        block = next(iter(Blocks(source, quotes=False, size=_LOOKED_AT)), None)
        if block is not None and block.data.lstrip()[:1] == b"[":
            raise StreamError(f"{source.name} is one JSON array; write one object a line", path=source.name)
        self.fields = {} if block is None else _fields(block)
        self.header = self.names = tuple(self.fields)

    def at_once(self, block: Block, reading: Reading) -> Parsed | None:
        """Return the rows of a block, None if a line is broken or a cell does not fit its column."""
        kept = self.names if reading.keep is None else reading.keep
        types = self._types(reading, (*reading.rated, *kept))
        try:
            found = arrow_json.read_json(
                pa.BufferReader(block.data),
                read_options=arrow_json.ReadOptions(block_size=len(block.data) + 1, use_threads=False),
                parse_options=arrow_json.ParseOptions(
                    explicit_schema=_nested({self.fields[name][0]: kind for name, kind in types.items()}),
                    unexpected_field_behavior="infer" if reading.keep is None else "ignore",
                ),
            )
        except _Faults:
            return None
        begun = block.data.count(b"\n{") + block.data.startswith(b"{")
        if begun != block.lines:  # blank lines, or spaces before an object
            begun = sum(1 for line in block.data.split(b"\n") if line.strip())
        if found.num_rows != begun:
            return None  # an object goes over several lines, or a line has several
        rows = pa.table({name: _column(found, self.fields[name][0]) for name in types})
        replaced: dict[str, Any] = {name: _named(rows.column(name)) for name in reading.texts}
        if reading.at:
            replaced[reading.at] = instants_in(rows.column(reading.at), reading)
            if replaced[reading.at] is None:
                return None
        if reading.keep is None:
            self._note_new(found, reading)
        return Parsed(wanted(rows, reading.rated, replaced), wanted(rows, kept))

    def _types(self, reading: Reading, names: Sequence[str]) -> dict[str, DataType]:
        types = {name: self.fields[name][1] for name in names}
        return types | dict.fromkeys(reading.counts, pa.int64()) | dict.fromkeys(reading.texts, pa.string())

    def _note_new(self, found: Batch, reading: Reading) -> None:
        known = {path for path, _ in self.fields.values()}
        for path, kind in _leaves(found.schema):
            if path not in known and not pa.types.is_null(kind):
                column = _column(found, path)
                self._note(path, reading, len(column) - column.null_count)

    def _note(self, path: _Path, reading: Reading, rows: int = 1) -> None:
        reading.note(f"field {'.'.join(path)!r} of {self.source.name} is not among its first rows, and not in what is written", rows)

    def one_by_one(self, block: Block, reading: Reading, *, whole: bool) -> Parsed:
        """Return the good and the bad rows of a block; no row goes over several lines, so every piece is whole."""
        del whole
        kept_names = self.names if reading.keep is None else reading.keep
        types = self._types(reading, (*reading.rated, *kept_names))
        rated: list[list[Any]] = []
        kept: list[list[Any]] = []
        bad: list[BadRow] = []
        for number, line in enumerate(block.data.split(b"\n"), block.line + 1):
            if not line.strip():
                continue
            try:
                found = _record(line)
                record = {name: found.get(self.fields[name][0]) for name in types}
                cells = self._rated(record, reading, f"row {number} of {self.source.name}")
                rated.append([cells[name] for name in reading.rated])
                record |= {name: cells[name] for name in reading.counts}
                kept.append([_written(record[name], types[name]) for name in kept_names])
                if reading.keep is None:
                    for path in found.keys() - {path for path, _ in self.fields.values()}:
                        self._note(path, reading)
            except InstantError:
                raise
            except ValueError as error:
                bad.append(BadRow(number, str(error), line.decode("utf-8", "backslashreplace").rstrip("\r")))
        special = dict.fromkeys(reading.texts, NAMES) | ({reading.at: INSTANTS} if reading.at else {})
        return Parsed(assembled(reading.rated, types | special, rated, reading), assembled(kept_names, types, kept, reading), tuple(bad))

    def _rated(self, record: Mapping[str, Any], reading: Reading, where: str) -> dict[str, Any]:
        cells = {name: _written(record[name], self.fields[name][1]) for name in reading.by}
        for heading, column in reading.columns.items():
            cell = record[column]
            if column in reading.texts:
                cells[column] = _written(cell, pa.string()) or None
            else:
                cells[column] = instant_in(cell, reading, where) if heading == "at" else count_in(heading, cell)
        return cells


def _record(line: bytes) -> dict[_Path, Any]:
    try:
        found = json.loads(line.decode())
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg.lower()})") from None
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        raise ValueError("JSON that is too long or too deep to read") from None
    if not isinstance(found, dict):
        raise ValueError("JSON, but not an object")  # noqa: TRY004 - the line is bad, not its type
    return dict(_flat(cast("dict[str, Any]", found)))


def _flat(found: Mapping[str, Any], begin: _Path = ()) -> Iterator[tuple[_Path, Any]]:
    for key, value in found.items():
        if isinstance(value, dict):
            yield from _flat(cast("dict[str, Any]", value), (*begin, key))
        else:
            yield (*begin, key), value


def _written(cell: Any, kind: DataType) -> Any:
    """Return a cell as its column takes it: where that is text, whatever else stands there as JSON."""
    if cell is None or isinstance(cell, str) or not text_like(kind):
        return cell
    return json.dumps(cell, ensure_ascii=False)


def _named(column: Any) -> Any:
    return pc.if_else(pc.equal(column, ""), None, column).dictionary_encode()


def _leaves(schema: Any, begin: _Path = ()) -> Iterator[tuple[_Path, DataType]]:
    """Yield the path and type of every column that is no object."""
    for field in schema:
        if pa.types.is_struct(field.type):
            yield from _leaves([field.type.field(n) for n in range(field.type.num_fields)], (*begin, field.name))
        else:
            yield (*begin, field.name), field.type


def _fields(block: Block) -> dict[str, tuple[_Path, DataType]]:
    """Return the path and type of every column of a block; where it cannot be read at once, of its good lines."""
    try:
        found = arrow_json.read_json(pa.BufferReader(block.data), read_options=arrow_json.ReadOptions(block_size=len(block.data) + 1))
        leaves = dict(_leaves(found.schema))
    except _Faults:
        leaves = _leaves_one_by_one(block)
    return {".".join(path): (path, _settled(kind)) for path, kind in leaves.items()}


def _leaves_one_by_one(block: Block) -> dict[_Path, DataType]:
    cells: dict[_Path, list[Any]] = {}
    for line in block.data.split(b"\n"):
        try:
            for path, cell in _record(line).items() if line.strip() else ():
                cells.setdefault(path, []).append(cell)
        except ValueError:
            continue  # it will be listed among the bad rows
    leaves: dict[_Path, DataType] = {}
    for path, found in cells.items():
        if any(path == longer[: len(path)] for longer in cells if len(longer) > len(path)):
            continue  # now a value, now an object: its fields are read
        try:
            leaves[path] = pa.array(found).type
        except (*_Faults, TypeError, OverflowError):
            leaves[path] = pa.string()
    return leaves


def _settled(kind: DataType) -> DataType:
    """Return the type of a column: text stays as it lies, and what has only been null is text."""
    if pa.types.is_timestamp(kind) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind) and not pa.types.is_struct(kind.value_type):
        return pa.list_(_settled(kind.value_type))
    return kind


def _nested(types: Mapping[_Path, DataType]) -> Schema:
    """Return a schema of objects within objects."""
    tree: dict[str, Any] = {}
    for path, kind in types.items():
        at = tree
        for word in path[:-1]:
            at = at.setdefault(word, {})
        at[path[-1]] = kind
    return pa.schema(_struct(tree))


def _struct(tree: Mapping[str, Any]) -> list[Any]:
    return [
        pa.field(name, pa.struct(_struct(cast("dict[str, Any]", kind))) if isinstance(kind, dict) else kind) for name, kind in tree.items()
    ]


def _column(rows: Batch, path: _Path) -> Any:
    column = rows.column(path[0])
    for name in path[1:]:
        kind = column.type
        column = pc.struct_field(column, [kind.field(n).name for n in range(kind.num_fields)].index(name))
    return column

"""Columns on disk: Parquet by row groups, Arrow files and streams by their batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tokencost.streams.arrow import pa, pq, text_like
from tokencost.streams.cells import INSTANTS, instants_in
from tokencost.streams.reading import Chunk, Place, reach, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokencost.streams.arrow import Array, Batch, DataType, Schema
    from tokencost.streams.reading import Reading
    from tokencost.streams.sources import Source

__all__ = ["ArrowReader", "ParquetReader", "extent_of"]

_BATCH: Final = 1 << 19
"""Rows that are read at once, and of wide ones so many that they stay below so many bytes, as far as a file tells before it is decoded."""
_BATCH_BYTES: Final = 1 << 26
_LEAST: Final = 1 << 12
_BUFFER: Final = 1 << 20
_MAGIC: Final = b"ARROW1"
_NANOS: Final = {"s": 10**6, "ms": 10**6, "us": 10**3, "ns": 1}
"""Nanoseconds of a number in a column of instants; Parquet counts nothing coarser than milliseconds."""


class ParquetReader:
    """A Parquet file; only the columns that are needed are decoded, text of few values by its dictionary."""

    def __init__(self, source: Source) -> None:
        self.source = source
        with pq.ParquetFile(str(source.path)) as file:
            schema: Schema = file.schema_arrow
            self.rows: int | None = int(file.metadata.num_rows)
        self.names: tuple[str, ...] = tuple(schema.names)
        self.header = _header(schema)
        self._texts = frozenset(name for name in self.names if text_like(schema.field(name).type))

    def chunks(self, reading: Reading, place: Place) -> Iterator[Chunk]:
        """Yield the rows from a place on."""
        kept = self.names if reading.keep is None else reading.keep
        few = [name for name in dict.fromkeys((*reading.texts, *reading.by)) if name in self._texts]
        columns = list(dict.fromkeys((*reading.rated, *kept)))
        with pq.ParquetFile(str(self.source.path), read_dictionary=few, buffer_size=_BUFFER, pre_buffer=False) as file:
            groups, skipped = _groups(file.metadata, place.row)
            row = place.row
            past = place.row - skipped
            size = _at_once(file.metadata, columns)
            for rows in file.iter_batches(size, row_groups=groups, columns=columns) if groups else ():
                passed, past = min(past, rows.num_rows), max(0, past - rows.num_rows)
                if passed < rows.num_rows:
                    row += rows.num_rows - passed
                    yield _chunk(rows.slice(passed), reading, kept, row)


def extent_of(source: Source, column: str | None) -> tuple[int, int] | None:
    """Return the first and the last instant of a Parquet file, in microseconds since 1970, if it says so where it ends.

    So windows of prices are laid out once for the whole file, and not anew whenever a batch brings a later month.
    """
    with pq.ParquetFile(str(source.path)) as file:
        names: Sequence[str] = file.schema_arrow.names
        kind: DataType = file.schema_arrow.field(column).type if column in names else None
        if kind is None or not pa.types.is_timestamp(kind) or kind.tz is None:
            return None
        place = [file.schema.column(n).path for n in range(len(file.schema.names))].index(column)
        groups = [file.metadata.row_group(number).column(place).statistics for number in range(file.metadata.num_row_groups)]
    if not groups or any(found is None or not found.has_min_max or found.physical_type != "INT64" for found in groups):
        return None
    each = _NANOS[kind.unit]
    return min(found.min_raw for found in groups) * each // 1000, max(found.max_raw for found in groups) * each // 1000


class ArrowReader:
    """An Arrow IPC file or stream."""

    def __init__(self, source: Source) -> None:
        self.source = source
        with pa.memory_map(str(source.path)) as file:
            self._is_file = file.read(len(_MAGIC)) == _MAGIC
            file.seek(0)
            schema: Schema = (pa.ipc.open_file if self._is_file else pa.ipc.open_stream)(file).schema
        self.rows: int | None = None
        self.names: tuple[str, ...] = tuple(schema.names)
        self.header = _header(schema)

    def chunks(self, reading: Reading, place: Place) -> Iterator[Chunk]:
        """Yield the rows from a place on."""
        kept = self.names if reading.keep is None else reading.keep
        past, row = place.row, place.row
        with pa.memory_map(str(self.source.path)) as file:
            for batch in self._batches(file, reading, kept):
                for begin in range(0, batch.num_rows, _BATCH):  # these are in memory already
                    rows = batch.slice(begin, _BATCH)
                    passed, past = min(past, rows.num_rows), max(0, past - rows.num_rows)
                    if passed < rows.num_rows:
                        row += rows.num_rows - passed
                        yield _chunk(rows.slice(passed), reading, kept, row)

    def _batches(self, file: Any, reading: Reading, kept: Sequence[str]) -> Iterator[Batch]:
        needed = (*reading.rated, *kept)
        fields = [n for n, name in enumerate(self.names) if any(word == name or word.startswith(f"{name}.") for word in needed)]
        options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        if self._is_file:
            opened = pa.ipc.open_file(file, options=options)
            yield from (opened.get_batch(n) for n in range(opened.num_record_batches))
        else:
            yield from pa.ipc.open_stream(file, options=options)


def _header(schema: Schema) -> tuple[str, ...]:
    """Return all columns, those inside of others by dotted names."""

    def names(fields: Any, begin: str = "") -> Iterator[str]:
        for field in fields:
            yield f"{begin}{field.name}"
            if pa.types.is_struct(field.type):
                yield from names([field.type.field(n) for n in range(field.type.num_fields)], f"{begin}{field.name}.")

    return tuple(names(schema))


def _groups(metadata: Any, row: int) -> tuple[list[int], int]:
    """Return the row groups that begin at a row or hold it, with all after them, and the rows before them."""
    before = 0
    for number in range(metadata.num_row_groups):
        rows = int(metadata.row_group(number).num_rows)
        if before + rows > row:
            return list(range(number, metadata.num_row_groups)), before
        before += rows
    return [], before


def _at_once(metadata: Any, columns: Sequence[str]) -> int:
    """Return how many rows are read at once, by the size of the columns in the first row group."""
    if not metadata.num_row_groups:
        return _BATCH
    group = metadata.row_group(0)
    parts = [group.column(n) for n in range(group.num_columns)]
    taken = [part for part in parts if any(part.path_in_schema == name or part.path_in_schema.startswith(f"{name}.") for name in columns)]
    size = sum(part.total_uncompressed_size for part in taken)
    return max(_LEAST, min(_BATCH, _BATCH_BYTES * group.num_rows // max(size, 1)))


def _chunk(rows: Batch, reading: Reading, kept: Sequence[str], row: int) -> Chunk:
    replaced: dict[str, Array] = {}
    if reading.at:
        column = reach(rows, reading.at)
        if text_like(column.type) or (pa.types.is_integer(column.type) and reading.start is not None):
            replaced[reading.at] = _instants(column, reading)
    return Chunk(wanted(rows, reading.rated, replaced), wanted(rows, kept), (), Place(row))


def _instants(column: Array, reading: Reading) -> Array:
    """Return text or milliseconds as instants; a cell that is none becomes null, which has no price."""
    found = instants_in(column, reading)
    if found is not None:
        return found
    from tokencost.streams.cells import instant_in

    made: list[Any] = []
    for number, cell in enumerate(column.to_pylist(), 1):
        try:
            made.append(instant_in(cell, reading, f"its row {number}"))
        except ValueError as error:
            reading.note(f"instants in {reading.at!r} cannot be read: {error}")
            made.append(None)
    return pa.array(made, INSTANTS)

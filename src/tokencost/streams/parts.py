"""Parts: files of rated rows, each written beside and moved in place when it is whole."""

from __future__ import annotations

import base64
import json
import os
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from tokencost.streams.arrow import arrow_csv, pa, pc, pq, text_like
from tokencost.streams.journal import settle
from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tokencost.streams.arrow import Array, Batch, DataType, Schema

__all__ = ["FORMATS", "Format", "PartFile", "remove_unfinished"]

Format = Literal["parquet", "csv", "jsonl", "arrow"]

FORMATS: Final[tuple[Format, ...]] = ("parquet", "csv", "jsonl", "arrow")
"""The kinds of files that can be written."""

_ROWS: Final = 1 << 20
"""Rows of a row group."""
_AT_ONCE: Final = 1 << 16
"""Values that are encoded at once."""
_UNFINISHED: Final = ".part-*.tmp"


class PartFile:
    """One part in the making: rows go to a file beside, which takes its place when it is finished."""

    def __init__(self, folder: Path, number: int, *, kind: Format) -> None:
        self.path = folder / f"part-{number:05}.{kind}"
        self._beside = folder / f".part-{number:05}.{kind}.tmp"
        self._kind: Format = kind
        self._writer: Any = None
        self._schema: Schema = None

    def write(self, rows: Batch) -> None:
        """Write rows; the first say what the columns are."""
        if self._writer is None:
            self._beside.parent.mkdir(parents=True, exist_ok=True)
            self._schema = rows.schema
            self._writer = _WRITERS[self._kind](self._beside, rows.schema)
        self._writer.write(rows if rows.schema.equals(self._schema) else rows.cast(self._schema))

    def finish(self) -> int:
        """Put the part in place, safe on the disk, and return its size in bytes."""
        self._writer.close()
        handle = os.open(self._beside, os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        self._beside.replace(self.path)
        settle(self.path.parent)
        return self.path.stat().st_size

    def abandon(self) -> None:
        """Leave nothing of a part that will not be finished."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):  # the disk is full; what is there goes now
                self._writer.close()
        self._beside.unlink(missing_ok=True)  # it may be there though its writer could not begin


def remove_unfinished(out: Path) -> None:
    """Remove what a run that was killed has left."""
    for path in out.rglob(_UNFINISHED):
        path.unlink()


class _ParquetPart:
    """A Parquet file; texts of few values are handed over as dictionaries, which is fast, and come back as plain texts.

    Whole numbers and instants are written as the steps between them, in as many bits as these need: faster than packing, and smaller.
    Decimals are not packed: to halve them takes longer than to rate a row.
    """

    def __init__(self, path: Path, schema: Schema) -> None:
        few = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        sized = [field.name for field in schema if field.name not in few and not pa.types.is_decimal(field.type)]
        steps = {field.name: "DELTA_BINARY_PACKED" for field in schema if _in_steps(field)}
        loose = {field.name for field in schema if pa.types.is_decimal(field.type)}
        self._schema = schema.with_metadata({"ARROW:schema": base64.b64encode(_plain_schema(schema).serialize().to_pybytes())})
        self._sink = pa.OSFile(str(path), "wb")
        try:
            self._file = pq.ParquetWriter(
                self._sink,
                self._schema,
                compression={path: "none" if path in loose else "snappy" for path in _paths(self._schema)},
                use_dictionary=few,
                column_encoding=steps or None,
                write_statistics=sized or False,
                write_batch_size=_AT_ONCE,
                store_schema=False,
            )
        except BaseException:
            self._sink.close()  # the disk may be full before the first byte
            raise

    def write(self, rows: Batch) -> None:
        self._file.write_table(rows.replace_schema_metadata(self._schema.metadata), row_group_size=_ROWS)

    def close(self) -> None:
        try:
            self._file.close()
        finally:
            self._file.is_open = False  # where the disk is full it would try again when it is forgotten
            self._sink.close()


class _ArrowPart:
    def __init__(self, path: Path, schema: Schema) -> None:
        self._sink = pa.OSFile(str(path), "wb")
        self._file = pa.ipc.new_file(self._sink, _plain_schema(schema))

    def write(self, rows: Batch) -> None:
        self._file.write_table(rows.cast(_plain_schema(rows.schema)))

    def close(self) -> None:
        self._file.close()
        self._sink.close()


class _CsvPart:
    def __init__(self, path: Path, schema: Schema) -> None:
        self._file = arrow_csv.CSVWriter(str(path), pa.schema([(field.name, _in_csv(field.type)) for field in schema]))

    def write(self, rows: Batch) -> None:
        columns = [_as_csv(rows.column(n)) for n in range(rows.num_columns)]
        self._file.write_table(pa.table(dict(zip(rows.schema.names, columns, strict=True))))

    def close(self) -> None:
        self._file.close()


class _JsonPart:
    def __init__(self, path: Path, schema: Schema) -> None:
        del schema
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, rows: Batch) -> None:
        for batch in rows.to_batches(max_chunksize=10_000):
            self._file.writelines(f"{json.dumps(row, ensure_ascii=False, default=_as_json)}\n" for row in batch.to_pylist())

    def close(self) -> None:
        self._file.close()


_WRITERS: Final[dict[str, Any]] = {"parquet": _ParquetPart, "csv": _CsvPart, "jsonl": _JsonPart, "arrow": _ArrowPart}


def _in_steps(field: Any) -> bool:
    """Say whether a column is written as steps; a name with a dot might be taken for a column inside of another."""
    return "." not in field.name and bool(pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type))


def _paths(schema: Schema) -> list[str]:
    """Return the columns as Parquet names them, those inside of others too."""
    sink = pa.BufferOutputStream()
    pq.write_metadata(schema, sink)
    columns = pq.read_metadata(pa.BufferReader(sink.getvalue())).schema
    return [columns.column(n).path for n in range(len(columns.names))]


def _plain_schema(schema: Schema) -> Schema:
    """Return columns that are no dictionaries: parts of all files have one type, and an Arrow file needs no dictionary in advance."""
    return pa.schema([field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in schema])


def _in_csv(kind: DataType) -> DataType:
    if pa.types.is_decimal(kind) or text_like(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return pa.string()
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _as_csv(column: Array) -> Array:
    kind = column.type
    if pa.types.is_decimal(kind):
        return _exact_text(column)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        cells: Iterable[Any] = column.to_pylist()
        return pa.array([None if cell is None else json.dumps(cell, ensure_ascii=False, default=_as_json) for cell in cells], pa.string())
    return pc.cast(column, _in_csv(kind))


def _exact_text(column: Array) -> Array:
    """Return decimals as text with every digit, without trailing zeros or an exponent."""
    text = pc.cast(column, pa.string())
    if pc.any(pc.match_substring(text, "E"), min_count=0).as_py():
        text = pa.array([None if cell is None else format(cell, "f") for cell in column.to_pylist()], pa.string())
    if column.type.scale <= 0:
        return text
    return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")


def _as_json(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        text = format(cell, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if hasattr(cell, "utcoffset"):
        return iso(cell) if cell.utcoffset() is not None else cell.isoformat()
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)

"""Arrow: columns of Arrow arrays, without a copy where their layout allows. Needs pyarrow, so it is imported where a frame is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow  # noqa: ICN001 # pyright: ignore[reportMissingTypeStubs]
import pyarrow.compute  # pyright: ignore[reportMissingTypeStubs]

from tokencost.rating.cells import Cells, Coded, Moments, Numbers, Opaque, distinct, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tokencost.rating.cells import Column

__all__ = ["ArrowTable", "coded_from", "column_of_arrow", "pa"]

pa: Any = pyarrow
"""The module pyarrow, which has no types."""
_compute: Any = pyarrow.compute
_types: Any = pyarrow.types
_DATE_LENGTH: Final = 10
_HEAD: Final = 1000
_OFFSET: Final = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
_NANOS: Final = re.compile(r"[.][0-9]{7,9}(?![0-9])")


class ArrowTable:
    """A table or record batch of pyarrow."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.names: tuple[str, ...] = tuple(table.schema.names)
        self.rows: int = table.num_rows

    def read(self, name: str, *, instants: bool = False) -> Column:
        """Return a column by name; texts are read as `instants` at once where all of them are."""
        return column_of_arrow(self._table.column(self.names.index(name)), instants=instants)


def column_of_arrow(column: Any, *, instants: bool = False) -> Column:  # noqa: PLR0911 - one for each kind of type
    """Return an Arrow array, chunked or not, as a column."""
    column, kind = _plain(column)
    is_, type_ = _types, column.type
    if is_.is_null(type_):
        return Coded(np.full(len(column), -1, np.int32), ())
    if is_.is_dictionary(type_):
        return _coded(column)
    if _is_text(type_):
        return (_moments_of_texts(column, kind) if instants else None) or _coded(_encoded(column))
    if is_.is_timestamp(type_):
        return Moments(_ticks(column), str(type_.unit), type_.tz is not None, _nulls(column), kind)
    if is_.is_date(type_):
        return Moments(
            _ticks(column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())), "D", aware=False, nulls=_nulls(column), kind=kind
        )
    if is_.is_boolean(type_) or is_.is_integer(type_) or is_.is_floating(type_):
        return Numbers(_values(column), _nulls(column), kind)
    if is_.is_decimal(type_) and type_.scale <= 0:
        try:
            column = column.cast(pa.int64())
        except pa.ArrowInvalid:  # some number is beyond 64 bits
            return Cells(column.to_pylist(), kind)
        return Numbers(_values(column), _nulls(column), kind)
    return Opaque(kind)


def _plain(column: Any) -> tuple[Any, str]:
    """Return a column that is neither of an extension type, nor run-end encoded, nor a dictionary of anything but text."""
    kind = str(column.type)
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    if _types.is_run_end_encoded(column.type):
        column = _compute.run_end_decode(column)
    if _types.is_dictionary(column.type) and not _is_text(column.type.value_type):
        column = column.cast(column.type.value_type)
    return column, kind


def _is_text(type_: Any) -> bool:
    return bool(_types.is_string(type_) or _types.is_large_string(type_) or _types.is_string_view(type_))


def _whole(column: Any) -> Any:
    """Return a column as one array; only one of several chunks is copied."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _nulls(column: Any) -> NDArray[np.bool_] | None:
    return _whole(column.is_null()).to_numpy(zero_copy_only=False) if column.null_count else None


def _values(column: Any) -> NDArray[Any]:
    whole = _whole(column)
    if whole.null_count:
        whole = whole.fill_null(pa.scalar(0, pa.int8()).cast(whole.type))
    width = whole.type.bit_width
    if width % 8 or _types.is_decimal(whole.type):
        return whole.to_numpy(zero_copy_only=False)
    # the method above loads pandas where it is installed, which takes longer than rating ten million rows
    return np.frombuffer(whole.buffers()[1] or b"", np.dtype(whole.type.to_pandas_dtype()), len(whole), whole.offset * width // 8)


def _ticks(column: Any) -> NDArray[np.int64]:
    return _values(column.view(pa.int64()) if isinstance(column, pa.Array) else _whole(column).view(pa.int64()))


def _encoded(column: Any) -> Any:
    try:
        return column.dictionary_encode()
    except pa.ArrowNotImplementedError:  # older releases do not encode views
        return column.cast(pa.large_string()).dictionary_encode()


def _coded(column: Any) -> Coded:
    """Return a dictionary column as codes; chunks with different dictionaries are brought to one."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [coded_from(chunk.indices, chunk.dictionary.to_pylist()) for chunk in chunks]
    if len(parts) == 1:
        return parts[0]
    if parts and all(part.names == parts[0].names for part in parts[1:]):
        return Coded(np.concatenate([part.codes for part in parts]), parts[0].names)
    number: dict[str, int] = {}
    whole = [np.zeros(0, np.int32)]
    for codes, names in parts:
        table = np.array([*(number.setdefault(name, len(number)) for name in names), -1], np.int32)
        whole.append(table[codes])
    return Coded(np.concatenate(whole), tuple(number))


def coded_from(indices: Any, names: Sequence[str | None]) -> Coded:
    """Return an Arrow array of indices into names as codes."""
    nulls = _nulls(indices)
    codes = signed(_values(indices), len(names))
    if nulls is not None:
        codes = codes.copy()
        codes[nulls] = -1
    return distinct(codes, names)


def _moments_of_texts(column: Any, kind: str) -> Moments | None:
    """Return ISO texts as instants in one pass, None if some are something else or only some have an offset."""
    head = column.slice(0, _HEAD)
    first = next((text for text in head.to_pylist() if text is not None), "")
    aware = bool(_OFFSET.search(first))
    if not aware and (_compute.min(_compute.utf8_length(column)).as_py() or 0) <= _DATE_LENGTH:
        return None  # a bare date is no instant
    type_ = pa.timestamp("ns" if _NANOS.search(first) else "us", "UTC" if aware else None)
    try:
        head.cast(type_)  # to fail is slow
        made = column.cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return Moments(_ticks(made), str(type_.unit), aware, _nulls(made), kind)

"""Native frames: tables of pandas, polars, pyarrow, duckdb and what else narwhals knows, read by columns and given back with more.

Needs pyarrow and narwhals, so it is imported where a frame is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from tokencost.errors import ColumnError, RangeError
from tokencost.rating.arrays import column_of_array
from tokencost.rating.arrow import ArrowTable, coded_from, column_of_arrow, pa
from tokencost.rating.cells import Moments, distinct, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokencost.rating.arrays import SourceTable
    from tokencost.rating.cells import Column

__all__ = ["Collected", "attached", "collect", "column_of_series", "open_table"]

_DUCKDB: Final = "duckdb"
_SHARED: Final = 4096
"""The categories of polars may be shared by the whole process; above so many a column is given its own."""


class Collected(NamedTuple):
    """The rows of a lazy frame, fetched once, so that costs stand beside the rows that they were made from."""

    table: Any
    kind: str


class _Frame:
    """An eager frame that narwhals knows."""

    def __init__(self, frame: nw.DataFrame[Any]) -> None:
        self._frame = frame
        self.names: tuple[str, ...] = tuple(frame.columns)
        self.rows: int = len(frame)

    def read(self, name: str, *, instants: bool = False) -> Column:
        """Return a column by name."""
        return _column(self._frame.get_column(name), instants=instants)


def collect(table: Any) -> Any:
    """Return a table that can be read by columns: itself, or the rows of a lazy one.

    Raises:
        ColumnError: it is no table, or two of its columns have the same name.
    """
    if isinstance(table, (Collected, pa.Table, pa.RecordBatch)):
        return table
    frame = _known(table)
    if frame is None:
        if hasattr(table, "__arrow_c_stream__"):
            return Collected(pa.table(table), "")
        raise ColumnError(
            f"a {type(table).__name__} is no table; pass a dict of arrays, or a frame of pandas, polars, pyarrow or duckdb",
            column=None,
            columns=(),
        )
    if isinstance(frame, nw.DataFrame):
        return table
    if frame.implementation.is_polars():
        return Collected(frame.collect().to_native(), "polars")
    return Collected(frame.collect("pyarrow").to_native(), _DUCKDB if frame.implementation.is_duckdb() else "")


def open_table(table: Any) -> SourceTable:
    """Return a table to be read a column at a time."""
    table = collect(table)
    table = table.table if isinstance(table, Collected) else table
    if isinstance(table, (pa.Table, pa.RecordBatch)):
        return ArrowTable(table)
    return _Frame(cast("nw.DataFrame[Any]", _known(table)))


def _known(table: Any) -> nw.DataFrame[Any] | nw.LazyFrame[Any] | None:
    try:
        frame: Any = nw.from_native(table, pass_through=True)
    except DuplicateError:
        names: list[Any] = list(table.columns)
        name = next(name for name in names if names.count(name) > 1)
        raise ColumnError(
            f"column {name!r} is there {names.count(name)} times; rename all but one", column=name, columns=tuple(map(str, names))
        ) from None
    return cast("nw.DataFrame[Any]", frame) if isinstance(frame, (nw.DataFrame, nw.LazyFrame)) else None


def column_of_series(values: Any, *, instants: bool = False) -> Column:
    """Return a series of pandas or polars, or an array of Arrow, as a column."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return column_of_arrow(values, instants=instants)
    series: Any = nw.from_native(values, pass_through=True, series_only=True)
    if isinstance(series, nw.Series):
        return _column(cast("nw.Series[Any]", series), instants=instants)
    return column_of_arrow(pa.chunked_array(values) if hasattr(values, "__arrow_c_stream__") else pa.array(values), instants=instants)


def _column(series: nw.Series[Any], *, instants: bool) -> Column:
    if series.implementation.is_pandas_like():
        return _column_of_pandas(series, instants=instants)
    if series.implementation.is_polars():
        return _column_of_polars(series, instants=instants)
    return column_of_arrow(cast("Any", series).to_arrow(), instants=instants)


def _column_of_pandas(series: nw.Series[Any], *, instants: bool) -> Column:
    """Return the arrays that a series of pandas is made of."""
    native: Any = series.to_native()
    if isinstance(native.dtype, np.dtype):
        return column_of_array(native.to_numpy())
    if isinstance(series.dtype, (nw.Categorical, nw.Enum)) and hasattr(native, "cat"):
        names = native.cat.categories.tolist()
        if all(isinstance(name, str) for name in names):
            return distinct(signed(native.array.codes, len(names)), names)
        return column_of_array(native.to_numpy())
    if type(native.dtype).__name__ == "DatetimeTZDtype":
        moments = column_of_array(native.to_numpy(dtype=f"M8[{native.dtype.unit}]"))
        assert isinstance(moments, Moments)  # they are datetimes
        return moments._replace(aware=True, kind=str(native.dtype))
    return column_of_arrow(cast("Any", series).to_arrow(), instants=instants)


def _column_of_polars(series: nw.Series[Any], *, instants: bool) -> Column:
    """Return the arrays that a series of polars is made of."""
    native: Any = series.to_native()
    if isinstance(series.dtype, (nw.Categorical, nw.Enum)):
        names = _categories(native.dtype)
        if names is not None:
            return coded_from(native.to_physical().to_arrow(), names)
    if isinstance(series.dtype, nw.String):  # a stream is not copied, as `to_arrow` would
        return column_of_arrow(pa.chunked_array(native), instants=instants)
    return column_of_arrow(native.to_arrow(), instants=instants)


def _categories(dtype: Any) -> list[str] | None:
    """Return the names that the codes of a series stand for; None where the whole process shares too many, or polars does not say."""
    categories: Any = getattr(dtype, "categories", None)
    series: Any = categories.to_series() if hasattr(categories, "to_series") else categories
    if series is None or len(series) > _SHARED:
        return None
    return series.to_list()


def attached(source: Any, new: Mapping[str, Any]) -> Any:
    """Return a table of the same kind with new columns at its end."""
    table = collect(source)
    kind = ""
    if isinstance(table, Collected):
        table, kind = table
    if isinstance(table, pa.RecordBatch):
        arrays = {name: _arrow(values) for name, values in new.items()}
        schema = table.schema
        for name, values in arrays.items():
            schema = schema.append(pa.field(name, values.type))
        return pa.RecordBatch.from_arrays([*table.columns, *arrays.values()], schema=schema)
    if isinstance(table, pa.Table):
        for name, values in new.items():
            table = table.append_column(name, _arrow(values))
        return _relation(table) if kind == _DUCKDB else table
    frame = cast("nw.DataFrame[Any]", _known(table))
    if frame.implementation.is_polars():
        polars: Any = frame.implementation.to_native_namespace()
        table = table.with_columns(*(polars.from_arrow(_for_polars(values, name)).alias(name) for name, values in new.items()))
        return table.lazy() if kind else table
    if frame.implementation.is_pandas_like():
        pandas: Any = frame.implementation.to_native_namespace()
        table = table.copy(deep=False)
        for name, values in new.items():
            table[name] = _pandas(values, pandas)
        return table
    return attached(cast("Any", frame).to_arrow(), new)


def _for_polars(values: Any, name: str) -> Any:
    """Return an array of Arrow that polars can read: it has decimals of 38 digits at most, and panics at longer ones."""
    array = _arrow(values)
    if pa.types.is_decimal256(array.type):
        raise RangeError(
            f"column {name!r} needs decimals of more than 38 digits, which polars has not; pass amount='float', or read .amounts()",
            rows=(),
            scale=array.type.scale,
        )
    return array


def _arrow(values: Any) -> Any:
    """Return an array of Arrow from one, or from an array of numpy."""
    if isinstance(values, np.ndarray):
        return pa.array(values.tolist() if values.dtype.kind in "OUT" else values)  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]
    return values


def _pandas(values: Any, pandas: Any) -> Any:
    """Return an array for a column of pandas; decimals and integers with gaps stay what they are in Arrow."""
    if isinstance(values, np.ndarray):
        return cast("Any", values)
    if pa.types.is_dictionary(values.type):
        return values.to_pandas().array
    if not values.null_count and (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return values.to_numpy(zero_copy_only=False)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return values.to_pandas().array
    return pandas.arrays.ArrowExtensionArray(pa.chunked_array([values] if isinstance(values, pa.Array) else values.chunks))


def _relation(table: Any) -> Any:
    duckdb: Any = nw.Implementation.DUCKDB.to_native_namespace()
    return duckdb.from_arrow(table)

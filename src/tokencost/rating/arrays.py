"""Arrays: a table as a dict of numpy arrays and lists, and columns from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import numpy as np

from tokencost.errors import ColumnError
from tokencost.rating.cells import Cells, Coded, Moments, Numbers, Opaque, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tokencost.rating.cells import Column

__all__ = ["ArrayTable", "SourceTable", "column_of_array"]

_DAYS: Final = frozenset("YMWD")
_SERIES: Final = ("__arrow_c_stream__", "__arrow_c_array__", "iloc")
"""What a series of pandas or polars, or an array of Arrow, has and an array of numpy has not."""


class SourceTable(Protocol):
    """A table of any kind, to be read a column at a time."""

    names: tuple[str, ...]
    rows: int

    def read(self, name: str, *, instants: bool = False) -> Column:
        """Return a column by name; texts may be read as `instants` at once."""
        ...


class ArrayTable:
    """A dict of arrays, lists, or columns of a frame, all of one length.

    >>> table = ArrayTable({"model": ["gpt-4o", "gpt-4o"], "input": np.array([1, 2])})
    >>> table.names, table.rows, table.read("input").values
    (('model', 'input'), 2, array([1, 2]))

    Raises:
        ColumnError: a column is no array, or the lengths differ.
    """

    def __init__(self, table: Mapping[object, object]) -> None:
        self._columns = {name: values for name, values in table.items() if isinstance(name, str)}
        self.names: tuple[str, ...] = tuple(self._columns)
        lengths = {name: _length(name, values) for name, values in self._columns.items()}
        self.rows = next(iter(lengths.values()), 0)
        for name, length in lengths.items():
            if length != self.rows:
                raise ColumnError(
                    f"column {name!r} has {length} rows and {self.names[0]!r} has {self.rows}; make all columns as long",
                    column=name,
                    columns=self.names,
                )

    def read(self, name: str, *, instants: bool = False) -> Column:
        """Return a column by name."""
        values = self._columns[name]
        if isinstance(values, (list, tuple, range)):
            return Cells(list(cast("list[Any]", values)), type(cast("object", values)).__name__)
        if isinstance(values, np.ndarray):
            return column_of_array(cast("NDArray[Any]", values))
        if any(hasattr(values, sign) for sign in _SERIES):
            from tokencost.rating.native import column_of_series

            return column_of_series(values, instants=instants)
        return column_of_array(np.asarray(values))


def _length(name: str, values: object) -> int:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") or getattr(values, "ndim", 1) != 1:
        kind = type(values).__name__ if getattr(values, "ndim", 1) == 1 else f"array of {getattr(values, 'ndim', 0)} dimensions"
        raise ColumnError(
            f"column {name!r} is a {kind}, not one value for each row; pass a list or a numpy array of one dimension, "
            "or one value for all rows as an argument, like model='gpt-4o'",
            column=name,
            columns=(name,),
        )
    return len(cast("list[Any]", values))


def column_of_array(values: NDArray[Any]) -> Column:
    """Return a numpy array as a column, without a copy where its layout allows.

    >>> column_of_array(np.array(["2025-02-01T12:00"], "M8[us]")).aware
    False
    """
    nulls: NDArray[np.bool_] | None = None
    if isinstance(values, np.ma.MaskedArray):
        masked = cast("Any", values)
        nulls = np.ma.getmaskarray(masked) if np.ma.is_masked(masked) else None
        values = np.asarray(masked.data)
    kind = str(values.dtype)
    if values.dtype.kind in "iufb":
        return Numbers(values, nulls, kind)
    if values.dtype.kind == "M":
        return _moments(values, nulls, kind)
    if values.dtype.kind in "UOT":
        cells: list[Any] = values.tolist()
        if nulls is not None:
            cells = [None if null else cell for cell, null in zip(cells, nulls.tolist(), strict=True)]
        if values.dtype.kind == "O":
            return Cells(cells, "object")
        coded = encoded(cells)
        return coded if isinstance(coded, Coded) else Opaque(kind)
    return Opaque(kind)


def _moments(values: NDArray[Any], nulls: NDArray[np.bool_] | None, kind: str) -> Column:
    unit, step = np.datetime_data(values.dtype)
    if unit == "generic":
        return Opaque(kind)
    unit = "D" if unit in _DAYS else unit
    if step != 1 or unit not in kind or not values.dtype.isnative:
        values = values.astype(f"M8[{unit}]")
    empty = np.isnat(values)
    if nulls is not None:
        empty |= nulls
    ticks = np.ascontiguousarray(values).view(np.int64)
    return Moments(ticks, unit, aware=False, nulls=empty if empty.any() else None, kind=kind)

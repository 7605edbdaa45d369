"""Frames: tables of other libraries, read by columns, and given back with new columns beside the old ones.

A dict of arrays needs nothing else. Frames of pandas, polars, pyarrow, duckdb and others need the extra `frames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from tokencost.errors import ColumnError
from tokencost.rating.arrays import ArrayTable

if TYPE_CHECKING:
    from types import ModuleType

    from tokencost.rating.arrays import SourceTable

__all__ = ["attach", "collected", "opened"]

_NEEDED: Final = ("narwhals", "pyarrow")


def attach(source: Any, new: Mapping[str, Any]) -> Any:
    """Return a table of the same kind as `source`, with new columns at its end.

    `source` is what [UsageTable][] keeps; it is left as it is. The new columns are arrays of numpy, or of pyarrow where the extra `frames`
    is installed. A frame of pandas keeps its index, a lazy frame of polars is lazy again, a relation of duckdb is one of its default
    connection. Other lazy frames come back as a table of pyarrow.

    >>> attach({"input": [1, 2]}, {"cost": [3, 4]})
    {'input': [1, 2], 'cost': [3, 4]}

    Raises:
        ColumnError: the table has a column of the name already.
    """
    names = tuple(map(str, source)) if isinstance(source, Mapping) else opened(source).names  # pyright: ignore[reportUnknownArgumentType]
    for name in new:
        if name in names:
            raise ColumnError(f"the table has a column {name!r} already; pass prefix='tokencost_' or another", column=name, columns=names)
    if isinstance(source, Mapping):
        return {**cast("Mapping[str, Any]", source), **new}
    return _native().attached(source, new)


def opened(table: object) -> SourceTable:
    """Return a table to be read a column at a time.

    >>> opened({"model": ["gpt-4o"], "input": [1]}).names
    ('model', 'input')

    Raises:
        ColumnError: it is no table, or two of its columns have the same name.
        ModuleNotFoundError: the extra `frames` is not installed.
    """
    if isinstance(table, Mapping):
        return ArrayTable(table)  # pyright: ignore[reportUnknownArgumentType]
    return _arrow().ArrowTable(table) if _is_arrow(table) else _native().open_table(table)


def collected(table: object) -> object:
    """Return what can be read more than once: a lazy frame's rows, fetched now; anything else as it is.

    >>> collected({"input": [1]})
    {'input': [1]}
    """
    if isinstance(table, Mapping) or _is_arrow(table):
        return table  # pyright: ignore[reportUnknownVariableType]
    return _native().collect(table)


def _is_arrow(table: object) -> bool:
    """Say whether a table is of pyarrow, which takes less to read than others: narwhals need not be loaded."""
    kind = type(table)
    return kind.__module__ == "pyarrow.lib" and kind.__name__ in ("Table", "RecordBatch")


def _arrow() -> ModuleType:
    from tokencost.rating import arrow

    return arrow


def _native() -> ModuleType:
    try:
        from tokencost.rating import native
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        raise ModuleNotFoundError(
            f"reading a frame needs {error.name}, a dict of arrays does not; install it with: pip install 'tokencost-tariffs[frames]'",
            name=error.name,
        ) from None
    return native

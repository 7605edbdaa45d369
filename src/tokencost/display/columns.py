"""Columns to draw: records, results that have records, or columns of plain values, read in one way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tokencost.errors import ColumnError, InstantError
from tokencost.tariffs.clock import to_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

__all__ = ["Places", "Rows", "number_of", "places_of", "rows_of"]


class Rows(NamedTuple):
    """Rows to draw, each a mapping, and the names that all of them have."""

    rows: tuple[Mapping[str, Any], ...]
    names: tuple[str, ...]

    def column(self, name: str) -> list[Any]:
        """Return a column.

        Raises:
            ColumnError: there is none.
        """
        self.need(name)
        return [row[name] for row in self.rows]

    def need(self, *names: str) -> None:
        """Refuse rows without a column.

        Raises:
            ColumnError: there is no such column.
        """
        for name in names:
            if name not in self.names:
                raise ColumnError(
                    f"no column {name!r} to draw; there are {', '.join(self.names)}; name another one", column=name, columns=self.names
                )

    def by(self, key: Callable[[Mapping[str, Any]], Hashable]) -> dict[Any, Rows]:
        """Return the rows in groups, in the order in which they are met."""
        groups: dict[Any, list[Mapping[str, Any]]] = {}
        for row in self.rows:
            groups.setdefault(key(row), []).append(row)
        return {name: Rows(tuple(rows), self.names) for name, rows in groups.items()}


def rows_of(source: object) -> Rows:
    """Return rows from records, from a result that has `records()`, or from a mapping of columns.

    >>> rows_of({"month": [1, 2], "cost": [5, 6]}).rows
    ({'month': 1, 'cost': 5}, {'month': 2, 'cost': 6})

    Raises:
        ColumnError: it is none of these, nothing is in it, or its columns differ in length.
    """
    found: Any = source
    if hasattr(found, "records") and not isinstance(found, Mapping):
        found = found.records()
    rows = _from_columns(cast("Mapping[str, Any]", found)) if isinstance(found, Mapping) else _from_records(found)
    if not rows:
        raise ColumnError("there is nothing to draw; pass at least one record", column=None, columns=())
    names = [name for name in rows[0] if all(name in row for row in rows)]
    return Rows(rows, tuple(map(str, names)))


def _from_columns(columns: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    lists = {str(name): list(column) for name, column in columns.items()}
    lengths = {name: len(column) for name, column in lists.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ColumnError(f"columns differ in length: {told}; pass a value for every row", column=None, columns=tuple(lists))
    return tuple(dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True))


def _from_records(records: object) -> tuple[Mapping[str, Any], ...]:
    if isinstance(records, str) or not isinstance(records, Iterable):
        raise ColumnError(
            f"{records!r:.60} is a {type(records).__name__}; pass records, a result with records() or a dict of columns",
            column=None,
            columns=(),
        )
    made: list[Mapping[str, Any]] = []
    for row in cast("Iterable[Any]", records):
        found = row._asdict() if hasattr(row, "_asdict") else row
        if not isinstance(found, Mapping):
            raise ColumnError(f"{row!r:.60} is no record; pass mappings or named tuples", column=None, columns=())
        made.append(cast("Mapping[str, Any]", found))
    return tuple(made)


class Places(NamedTuple):
    """Where rows stand on the axis across: numbers, instants, or names in the order in which they are met."""

    values: tuple[Any, ...]
    names: tuple[str, ...] | None = None
    has_instants: bool = False


def places_of(values: Sequence[Any]) -> Places:
    """Return the places of values: instants for dates and their text, numbers for numbers, else names in their order.

    >>> places_of(["2026-08", "2026-09", "2026-08"])
    Places(values=(0, 1, 0), names=('2026-08', '2026-09'), has_instants=False)
    """
    if all(isinstance(value, (date, datetime)) for value in values):
        return Places(tuple(_instant(value) for value in values), has_instants=True)
    if all(isinstance(value, str) for value in values):
        try:
            return Places(tuple(to_instant(value) for value in values), has_instants=True)
        except InstantError:
            pass  # names of months or periods
    elif not any(isinstance(value, str) for value in values):
        return Places(tuple(float(value) for value in values))
    order = {name: place for place, name in enumerate(dict.fromkeys(map(str, values)))}
    return Places(tuple(order[str(value)] for value in values), tuple(order))


def _instant(value: date | datetime) -> datetime:
    return to_instant(value) if isinstance(value, datetime) else datetime.combine(value, time(), tzinfo=UTC)


def number_of(value: Any) -> float:
    """Return a value as a number to draw; what is missing is a gap."""
    return nan if value is None else float(value)

"""Usage tables: many requests as columns of codes, instants and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from tokencost.errors import ColumnError, UnknownNameError, nearest
from tokencost.rating.cells import Cells, Coded, Moments, Numbers, counts_in, encoded, names_in, wrong_type
from tokencost.rating.frames import collected, opened
from tokencost.rating.headings import COUNTS, SELECTORS, counts_of, find_columns, needed_meters
from tokencost.rating.instants import UNITS, instants_in
from tokencost.tariffs.clock import to_instant, zone_named
from tokencost.tariffs.meter import METERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from tokencost.rating.arrays import SourceTable
    from tokencost.rating.cells import Faults

__all__ = ["Coded", "Unreadable", "UsageColumns", "UsageTable", "read_usage_table"]

_NAMED: Final = ("model", "at", *SELECTORS)
_MICROSECONDS: Final = "M8[us]"


def _no_meters() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageColumns:
    """Which column of a table holds what; a column that is not named is found by its usual name, '' is none.

    `counts` says whether input contains its cached part (`"totals"`) or not (`"disjoint"`), `unit` what integer instants count from 1970
    in, `zone` where the clock of instants without an offset stood; of an hour that the zone repeats in autumn, the first is meant.

    >>> UsageColumns(at="created", unit="s", meters={"input": "n_prompt"}).named
    {'at': 'created', 'input': 'n_prompt'}

    Raises:
        UnknownNameError: `counts` or `unit` is none of its words.
        InstantError: `zone` is not a time zone.
    """

    model: str | None = None
    at: str | None = None
    service_tier: str | None = None
    mode: str | None = None
    residency: str | None = None
    tenant: str | None = None
    currency: str | None = None
    meters: Mapping[str, str] = field(default_factory=_no_meters)
    counts: Literal["totals", "disjoint"] | None = None
    unit: Literal["s", "ms", "us", "ns"] | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        for word, value, words in (("counts", self.counts, COUNTS), ("unit", self.unit, UNITS)):
            if value is not None and value not in words:
                raise UnknownNameError(
                    f"{word}={value!r} is none of {', '.join(map(repr, words))}; pass one", name=value, suggestions=words
                )
        if self.zone is not None:
            zone_named(self.zone)

    @classmethod
    def of(cls, columns: UsageColumns | Mapping[str, str] | None) -> UsageColumns:
        """Return the columns of a mapping from `model`, `at`, a selector or a meter to a column's name.

        >>> UsageColumns.of({"model": "llm", "input": "n_prompt"}).meters
        {'input': 'n_prompt'}
        """
        if isinstance(columns, UsageColumns):
            return columns
        named: dict[str, Any] = dict(columns or {})
        for word in ("counts", "unit", "zone"):
            if word in named:
                cure = f"pass columns=UsageColumns({word}={named[word]!r}, ...)"
                raise UnknownNameError(f"{word!r} is no meter to read a column for; {cure}", name=word, suggestions=())
        return cls(**{name: named.pop(name) for name in _NAMED if name in named}, meters=named)

    @property
    def named(self) -> dict[str, str]:
        """The columns that are named, by what they hold."""
        return {name: column for name in _NAMED if (column := getattr(self, name)) is not None} | dict(self.meters)


class Unreadable(NamedTuple):
    """Rows of a table that cannot be rated, the one reason, and what could not be read: `at`, `model` or a meter."""

    reason: str
    rows: NDArray[np.int64]
    heading: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UsageTable:
    """Many requests: who served them, when, and what they used; each part an array with one entry for each row, or one value for all.

    `at` is in microseconds since 1970 in UTC. `totals` says whether a count contains its parts. A code of -1 is an empty cell. Cells that
    cannot be read hold 0 and their rows are in `unreadable`. `columns` says which column was read as what; `source` is the table itself.

    >>> table = read_usage_table({"input": [1000, 50], "output": [200, None]}, model="gpt-4o", at="2025-06-01T00:00:00Z")
    >>> table.rows, table.counts["input"], table.unreadable[0].reason
    (2, array([1000,   50]), "no output in column 'output'; write the count, which may be 0")
    """

    rows: int
    model: Coded | str
    at: NDArray[np.int64] | datetime
    counts: Mapping[str, NDArray[np.int64]]
    totals: bool
    currency: Coded | str | None = None
    service_tier: Coded | str | None = None
    mode: Coded | str | None = None
    residency: Coded | str | None = None
    tenant: Coded | str | None = None
    unreadable: tuple[Unreadable, ...] = ()
    columns: Mapping[str, str] = field(default_factory=_no_meters)
    source: object = None

    def column(self, name: str) -> Coded | NDArray[Any]:
        """Return any column of the source, to group by.

        Texts are coded. Numbers, booleans and dates are arrays (an array of objects where a cell is empty, None there); instants are
        `datetime64[us]`, in UTC where they name their zone.

        >>> read_usage_table({"input": [1], "output": [2], "team": ["red"]}, model="gpt-4o", at="2025-06-01T00:00:00Z").column("team").names
        ('red',)

        Raises:
            ColumnError: there is no such column, or its type cannot be grouped by.
        """
        source = opened(self.source)
        if name not in source.names:
            near = nearest(name, source.names)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(source.names[:20])}"
            raise ColumnError(f"no column {name!r} in this table; {hint}", column=name, columns=source.names)
        if source.names.count(name) > 1:
            raise ColumnError(f"column {name!r} is there twice; rename one", column=name, columns=source.names)
        return _grouping(source, name)


def read_usage_table(
    table: object,
    *,
    columns: UsageColumns | Mapping[str, str] | None = None,
    model: str | None = None,
    at: datetime | str | None = None,
    currency: str | None = None,
    service_tier: str | None = None,
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> UsageTable:
    """Read the columns of a table: a dict of arrays, or a frame of pandas, polars, pyarrow, duckdb and others that narwhals knows.

    What is passed as an argument is one value for all rows, and wins over a column. Arrays are shared with the table where their layout
    allows. A lazy frame is collected once. Rows that cannot be read are kept in `unreadable`, not raised.

    >>> table = {"model": ["gpt-4o"], "at": ["2025-06-01T12:00:00Z"], "prompt_tokens": [1000], "completion_tokens": [200]}
    >>> read_usage_table(table).model
    Coded(codes=array([0], dtype=int32), names=('gpt-4o',))

    Raises:
        ColumnError: a column is missing, there twice, or of the wrong type; the lengths differ; or it is no table.
        InstantError: instants without an offset, and no zone.
        UnknownNameError: a meter that does not exist.
    """
    wanted = UsageColumns.of(columns)
    given: dict[str, Any] = {"model": model, "currency": currency, "service_tier": service_tier, "mode": mode, "residency": residency}
    given = {name: value for name, value in {**given, "tenant": tenant}.items() if value is not None}
    if at is not None:
        given["at"] = to_instant(at)
    table = collected(table)
    source = opened(table)
    chosen = find_columns(source.names, wanted.named, given=given)
    unreadable: list[Unreadable] = []
    for heading, column in chosen.items():
        if heading in METERS:
            continue
        values = source.read(column, instants=heading == "at")
        if heading == "at":
            given[heading], faults = instants_in(values, column, unit=wanted.unit, zone=wanted.zone)
            unreadable += _listed(faults, heading)
        else:
            given[heading] = names_in(values, column, heading)
    if isinstance(given["model"], Coded):
        unreadable += _listed(
            {f"no model in column {chosen['model']!r}; write which model served the request": given["model"].codes < 0}, "model"
        )
    counts, faults = _counts(source, chosen)
    return UsageTable(
        rows=source.rows,
        counts=counts,
        totals=(wanted.counts or counts_of(chosen)) == "totals",
        unreadable=(*unreadable, *faults),
        columns=chosen,
        source=table,
        **given,
    )


def _counts(source: SourceTable, chosen: Mapping[str, str]) -> tuple[dict[str, NDArray[np.int64]], list[Unreadable]]:
    needed = needed_meters(chosen)
    counts: dict[str, NDArray[np.int64]] = {}
    unreadable: list[Unreadable] = []
    for meter, column in chosen.items():
        if meter in METERS:
            counts[meter], faults = counts_in(source.read(column), column, meter, needed=meter in needed)
            unreadable += _listed(faults, meter)
    return counts, unreadable


def _listed(faults: Faults, heading: str) -> Iterator[Unreadable]:
    for reason, bad in faults.items():
        rows = np.flatnonzero(bad)
        if len(rows):
            yield Unreadable(reason, rows, heading)


def _grouping(source: SourceTable, name: str) -> Coded | NDArray[Any]:
    """Return a column to group by."""
    column = source.read(name)
    if isinstance(column, Cells):
        return _grouping_cells(column, name)
    if isinstance(column, Coded):
        return column
    if isinstance(column, Numbers):
        values = column.values
    elif isinstance(column, Moments):
        values = column.ticks.view(f"M8[{column.unit}]")
        values = values if column.unit == "D" else values.astype(_MICROSECONDS)
    else:
        raise _not_grouped(name, column.kind)
    if column.nulls is not None:
        values = values.astype(object)
        values[column.nulls] = None
    return values


def _grouping_cells(column: Cells, name: str) -> Coded | NDArray[Any]:
    coded = encoded(column.values)
    if isinstance(coded, Coded):
        return coded
    kinds = set(map(type, column.values))
    if any(kind.__hash__ is None for kind in kinds):
        raise _not_grouped(name, f"{column.kind} with a {coded}")
    values = np.empty(len(column.values), object)
    values[:] = column.values
    if kinds == {bool}:
        return values.astype(np.bool_)
    if kinds == {int} and all(abs(value) < 2**63 for value in column.values):
        return values.astype(np.int64)
    return values


def _not_grouped(name: str, kind: str) -> ColumnError:
    return wrong_type(name, kind, "rows are not grouped by it", "group by text, integers, booleans or dates")

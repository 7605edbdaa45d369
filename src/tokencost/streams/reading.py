"""Reading: what is asked of a file, and what it gives: chunks of rows, and the place at which each ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from tokencost.streams.arrow import pa, pc
from tokencost.tariffs.meter import METERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokencost.streams.arrow import Array, Batch
    from tokencost.streams.sources import Source
    from tokencost.workloads.log import BadRow

__all__ = ["BEGIN", "Chunk", "Place", "Reader", "Reading", "reach", "wanted"]


class Place(NamedTuple):
    """Where reading goes on: the rows before it, and in text the bytes (unpacked) and lines before it."""

    row: int = 0
    byte: int = 0
    line: int = 0


BEGIN: Final = Place()


class Chunk(NamedTuple):
    """Some rows: the columns that are rated, the columns that are kept, the rows that could not be read, and where the next begin."""

    rated: Batch
    kept: Batch
    bad: tuple[BadRow, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read: the column of each heading, those that totals are by, and those that are kept.

    `keep` is None for all columns. `start` is the instant that numbers in the column of instants count milliseconds from, in microseconds
    since 1970; without it `unit` is their unit, or their size tells it. `zone` is of instants without an offset.
    """

    columns: Mapping[str, str]
    by: tuple[str, ...] = ()
    keep: tuple[str, ...] | None = None
    start: int | None = None
    unit: str | None = None
    zone: str | None = None
    notes: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def at(self) -> str | None:
        """The column of instants."""
        return self.columns.get("at")

    @property
    def counts(self) -> frozenset[str]:
        """The columns that count something."""
        return frozenset(column for heading, column in self.columns.items() if heading in METERS)

    @property
    def texts(self) -> frozenset[str]:
        """The columns of few texts: names and choices."""
        return frozenset(column for heading, column in self.columns.items() if heading not in METERS and heading != "at")

    @property
    def rated(self) -> tuple[str, ...]:
        """The columns that are rated and totalled, each once."""
        return tuple(dict.fromkeys((*self.columns.values(), *self.by)))

    def note(self, said: str, rows: int = 1) -> None:
        """Count something to know about the rows that were read."""
        self.notes[said] = self.notes.get(said, 0) + rows


class Reader(Protocol):
    """One opened file."""

    source: Source
    header: tuple[str, ...]
    """All columns; those inside of others have dotted names."""
    names: tuple[str, ...]
    """The columns that can be kept."""
    rows: int | None
    """How many rows the file has, where it says so."""

    def chunks(self, reading: Reading, place: Place) -> Iterator[Chunk]:
        """Yield the rows from a place on; what is asked of the columns must be in the header."""
        ...


def reach(rows: Batch, name: str) -> Array:
    """Return a column by its name; a dotted one may lie inside of others."""
    names: Sequence[str] = rows.schema.names
    if name in names:
        return rows.column(name)
    begin, _, rest = name.partition(".")
    while begin not in names:
        more, _, rest = rest.partition(".")
        begin = f"{begin}.{more}"
    column: Array = rows.column(begin)
    while rest:
        kind = column.type
        inner = [kind.field(n).name for n in range(kind.num_fields)]
        if rest in inner:
            return pc.struct_field(column, inner.index(rest))
        head, _, rest = rest.partition(".")
        column = pc.struct_field(column, inner.index(head))
    return column


def wanted(rows: Batch, names: Sequence[str], replaced: Mapping[str, Any] | None = None) -> Batch:
    """Return a table of these columns, some of them replaced."""
    columns = {**dict.fromkeys(names), **(replaced or {})}
    made = [reach(rows, name) if column is None else column for name, column in columns.items()]
    if not made:
        return pa.table({"": pa.nulls(rows.num_rows)}).select([])
    return pa.table(dict(zip(columns, made, strict=True)))

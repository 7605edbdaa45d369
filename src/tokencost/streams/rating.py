"""Rating of a stream: one growing plan, one chunk after another."""

from __future__ import annotations

import os
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import TokencostError
from tokencost.rating.headings import SELECTORS, counts_of
from tokencost.rating.plan import Plan, micros
from tokencost.rating.rate_table import rate_usage_table
from tokencost.rating.usage_table import UsageColumns, read_usage_table
from tokencost.streams.rated import Cause, RatedChunk
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.meter import METERS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.problem import Finding
    from tokencost.streams.reading import Chunk, Reading

__all__ = ["Rater"]

_HEADINGS: Final = ("model", "at", *SELECTORS, *METERS)


class Rater:
    """Rates chunks of files with the columns and words of the caller.

    `words` is what says the same for all rows, as text; `given` its headings, which need no column.
    """

    def __init__(
        self,
        book: Book,
        columns: UsageColumns,
        *,
        at: datetime | str | None,
        start: datetime | str | None,
        by: tuple[str, ...],
        threads: int | None,
        words: Mapping[str, str | None],
    ) -> None:
        self.book = book
        self.columns = columns
        self.by = by
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)  # reading and writing have threads of their own
        self._at = None if at is None else to_instant(at)
        begin = None if start is None else to_instant(start)
        self._words: dict[str, Any] = {"at": self._at, **words}
        self.given = frozenset(name for name, value in self._words.items() if value is not None)
        self.words = {**words, "at": None if self._at is None else iso(self._at), "start": None if begin is None else iso(begin)}
        self.reading = {"start": None if begin is None else micros(begin), "unit": columns.unit, "zone": columns.zone}
        self._plan = Plan(book)
        self._said: dict[tuple[str, str | None], str] = {}

    def cover(self, extents: Iterable[tuple[int, int]]) -> None:
        """Lay out windows of prices for instants that are to come: stretches of microseconds since 1970."""
        for low, high in extents:
            self._plan.cover(low, high)

    def rate(self, source: int, name: str, chunk: Chunk, reading: Reading, notes: Mapping[str, int]) -> RatedChunk:
        """Return what a chunk of a file costs.

        Raises:
            ColumnError, InstantError: the columns cannot be rated; the message names the file.
        """
        if not chunk.rated.num_rows:
            return RatedChunk(source, chunk, notes=notes)
        named = {heading: reading.columns.get(heading, "") for heading in _HEADINGS}
        chosen = {heading: named.pop(heading) for heading in ("model", "at", *SELECTORS)}
        counts = self.columns.counts or counts_of(reading.columns)
        columns = UsageColumns(**chosen, meters=named, counts=counts, unit=self.columns.unit, zone=self.columns.zone)
        with _in_file(name):
            usage = read_usage_table(chunk.rated, columns=columns, **self._words)
            costs = rate_usage_table(self._plan, usage, threads=self._threads, reuse=True)
        before = chunk.place.row - chunk.rated.num_rows
        causes = [self._cause(finding, name, before) for finding in costs.findings]
        return RatedChunk(source, chunk, costs, None, causes, notes)

    def _cause(self, finding: Finding, name: str, before: int) -> Cause:
        """Return a finding as a cause; it is put into words once, for its first row in all files."""
        key = finding.reason, finding.name
        if key not in self._said:
            self._said[key] = finding.told().message
        return Cause(*key, finding.rows, name, before + finding.first_row, self._said[key])

    def anew(self) -> Rater:
        """Return this rater with its plan, for rows that are told apart from those before: it puts causes into words again."""
        made = copy(self)
        made._said = {}  # noqa: SLF001 - of its own kind
        return made

    def totalled(self, rated: RatedChunk, name: str) -> RatedChunk:
        """Return a rated chunk with its totals.

        Raises:
            ColumnError: its rows cannot be grouped so; the message names the file.
        """
        if rated.costs is None or rated.totals is not None:
            return rated
        with _in_file(name):
            return rated._replace(totals=rated.costs.totals(self.by))


@contextmanager
def _in_file(name: str) -> Generator[None]:
    try:
        yield
    except TokencostError as error:
        raise type(error)(f"{name}: {error.message}", **error.facts) from None

"""Repricing: the cost of every row of any number of files, in the memory of a few batches, going on where it was stopped."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tokencost.errors import ColumnError, StreamError, UnknownNameError
from tokencost.rating.book import load_book
from tokencost.rating.usage_table import UsageColumns
from tokencost.streams.arrow_rows import extent_of
from tokencost.streams.journal import Journal, locked, write_text
from tokencost.streams.ledger import Ledger, Sums
from tokencost.streams.parts import FORMATS, remove_unfinished
from tokencost.streams.pipeline import Sink, ahead
from tokencost.streams.rated import AMOUNTS, NEW_COLUMNS, RatedChunk
from tokencost.streams.rating import Rater
from tokencost.streams.reading import BEGIN
from tokencost.streams.sources import find_sources
from tokencost.streams.survey import open_reader, rows_of, survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.totals import CostTotals
    from tokencost.streams.parts import Format
    from tokencost.streams.rated import Amount, Cause
    from tokencost.streams.reading import Chunk, Place, Reader, Reading
    from tokencost.streams.sources import Source, Sources
    from tokencost.workloads.log import BadRow

__all__ = ["ROWS_PER_PART", "Repriced", "Run", "Step", "check_words", "folders_of", "reprice"]

ROWS_PER_PART: Final = 4_000_000
_TOTALS: Final = "totals.csv"
_SUMMARY: Final = "summary.json"


class Step(NamedTuple):
    """How far a run is: rows rated, and bytes of all files behind and in all."""

    rows: int
    done: int
    size: int
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """What a run has come to: exact totals, rows by outcome, why rows have no price, and what could not be read.

    `rows` counts all rows rated, `resumed` those of them that an earlier run into the same folder had done. `columns` says for each file
    which column was read as what. `bad` are the first bad rows with their files; all of them are in `bad-rows.csv` in the folder.
    """

    out: Path | None
    totals: CostTotals
    rows: int
    resumed: int
    parts: int
    causes: tuple[Cause, ...]
    bad_rows: int
    bad: tuple[tuple[str, BadRow], ...]
    notes: Mapping[str, int]
    columns: Mapping[str, Mapping[str, str]]
    book: Book

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the tables, which every figure can be traced to."""
        return self.book.fingerprint

    @property
    def outcomes(self) -> dict[str, int]:
        """All rows by outcome."""
        return self.totals.outcomes


def reprice(
    sources: Sources,
    out: str | Path | None = None,
    *,
    by: str | Sequence[str] = (),
    book: Book | None = None,
    columns: UsageColumns | Mapping[str, str] | None = None,
    model: str | None = None,
    at: datetime | str | None = None,
    start: datetime | str | None = None,
    currency: str | None = None,
    service_tier: str | None = None,
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
    keep: Literal["all", "none"] | Sequence[str] = "all",
    kind: Format = "parquet",
    amount: Amount = "decimal",
    prefix: str = "",
    rows_per_part: int = ROWS_PER_PART,
    threads: int | None = None,
    progress: Callable[[Step], None] | None = None,
) -> Repriced:
    r"""Rate every row of files larger than memory, and write what it costs beside it.

    `sources` are files, folders or patterns: Parquet, CSV, JSON lines, Arrow; text also packed (`.gz`, `.zst`). `out` is a folder: for
    every file a folder of parts, each moved in place when it is whole, `totals.csv`, `summary.json`, and `bad-rows.csv` where lines of text
    could not be read. Without `out` there are only the totals. A run that was stopped, however hard, goes on when it is called again.

    `by` names the columns of the totals, or `model`, `offering`, `version`, `month`, `day`, `hour`. An argument such as `model` is one
    value for all rows. `start` is the instant that numbers in the column of instants count milliseconds from. `keep` says which columns are
    written beside `cost`, `currency` and `outcome`; `prefix` goes before these three names.

    >>> import tempfile
    >>> log = Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = log.write_text("model,prompt_tokens,completion_tokens\ngpt-4o,1000,200\ngpt-4o,50,x\n")
    >>> done = reprice(log, by="model", at="2025-06-01T12:00:00Z")
    >>> str(done.totals.total), done.bad_rows
    ('0.0045 USD', 1)

    Raises:
        StreamError: a file cannot be read, the folder cannot be written to, or holds another run.
        ColumnError: a column is missing or of the wrong kind, or one that would be written is there already.
        InstantError: instants without an offset and no zone.
        UnknownNameError: a meter, a kind or another word that does not exist.
    """
    book = load_book() if book is None else book
    words = {"model": model, "currency": currency, "service_tier": service_tier, "mode": mode, "residency": residency, "tenant": tenant}
    groups = (by,) if isinstance(by, str) else tuple(by)
    rater = Rater(book, UsageColumns.of(columns), at=at, start=start, by=groups, threads=threads, words=words)
    check_words(kind=kind, amount=amount)
    options = {
        "keep": keep if isinstance(keep, str) else tuple(keep),
        "kind": kind,
        "amount": amount,
        "prefix": prefix,
        "rows_per_part": rows_per_part,
    }
    folder = None if out is None else Path(out)
    return Run(find_sources(sources, without=folder), folder, rater, options, progress).run()


def check_words(*, kind: str, amount: str) -> None:
    """Refuse a kind of file or of amount that does not exist."""
    for word, value, known in (("kind", kind, FORMATS), ("amount", amount, AMOUNTS)):
        if value not in known:
            raise UnknownNameError(f"{word}={value!r} is none of {', '.join(map(repr, known))}; pass one", name=value, suggestions=known)


class Run:
    """One run: the files, where they go, and what is asked of them."""

    def __init__(
        self, sources: tuple[Source, ...], out: Path | None, rater: Rater, options: dict[str, Any], progress: Callable[[Step], None] | None
    ) -> None:
        self.sources = sources
        self.out = out
        self.rater = rater
        self.options = options
        self.progress = progress
        self.readers: list[Reader] = [open_reader(source) for source in sources]
        keep = options["keep"]
        kept = {"all": None, "none": ()}[keep] if isinstance(keep, str) else keep
        if out is None:
            kept = ()
        named, given = rater.columns.named, rater.given
        self.readings: list[Reading] = survey(self.readers, named=named, given=given, by=rater.by, keep=kept, **rater.reading)
        for reader, reading in zip(self.readers, self.readings, strict=True):
            self._refuse_doubles(reader, reading)

    def _refuse_doubles(self, reader: Reader, reading: Reading) -> None:
        """Refuse new columns that would bear the name of one that is kept."""
        kept = reader.names if reading.keep is None else reading.keep
        for name in NEW_COLUMNS:
            if (new := self.options["prefix"] + name) in kept:
                cure = "pass prefix='new_' or another, or name the columns to keep"
                raise ColumnError(f"{reader.source.name} has a column {new!r} already; {cure}", column=new, columns=reader.names)

    def run(self) -> Repriced:
        """Rate what is not done yet."""
        sums = Sums(self.rater.by)
        if self.out is None:
            self._pass_on(sums, [(n, BEGIN) for n in range(len(self.sources))], None)
            return self._result(sums, resumed=0, parts=0)
        with locked(self.out):
            return self._write(sums, self.out)

    def _write(self, sums: Sums, out: Path) -> Repriced:
        folders = folders_of(self.sources)
        journal = Journal(out, self._manifest())
        remove_unfinished(out)
        for part in journal.parts:
            sums.add_done(part)
        resumed = sums.rows
        places = {part.source: part.place for part in journal.parts}
        ended = {part.source for part in journal.parts if part.ended}
        todo = [(n, places.get(n, BEGIN)) for n in range(len(self.sources)) if n not in ended]
        if todo:
            shape = {"kind": self.options["kind"], "amount": self.options["amount"], "prefix": self.options["prefix"]}
            ledger = Ledger(journal, self.sources, folders, most=self.options["rows_per_part"], by=self.rater.by, **shape)
            try:
                self._pass_on(sums, todo, ledger)
            except StreamError as error:
                said = error.message if "safe" in error.message else f"{error.message}; {ledger.safe()} in {str(out)!r}"
                raise StreamError(said, **error.facts) from None
            finally:
                ledger.abandon()
        return self._end(sums, journal, resumed)

    def _end(self, sums: Sums, journal: Journal, resumed: int) -> Repriced:
        """Write what all parts have come to."""
        result = self._result(sums, resumed=resumed, parts=sum(part.file is not None for part in journal.parts))
        write_text(journal.out / _TOTALS, _totals_text(result.totals))
        write_text(journal.out / _SUMMARY, json.dumps(_summary(result, journal, self.sources), indent=2) + "\n")
        return result

    def _pass_on(self, sums: Sums, todo: Sequence[tuple[int, Place]], ledger: Ledger | None) -> None:
        """Rate what is to be done, and total and write it in another thread."""

        def take(rated: RatedChunk) -> None:
            name = self.sources[rated.source].name
            rated = self.rater.totalled(rated, name)
            sums.add(rated, name)
            if ledger is not None:
                ledger.take(rated)

        rows = sums.rows
        with Sink(take) as sink:
            for rated in self._rated(todo, rows):
                even = rated if ledger is None else self.rater.totalled(rated, self.sources[rated.source].name)
                sink.put(even)  # writing takes its thread as long as rating and totals take this one

    def _rated(self, todo: Sequence[tuple[int, Place]], rows: int) -> Iterator[RatedChunk]:
        """Yield the chunks of the files, rated, and one without rows at the end of each."""
        size = sum(source.size for source in self.sources)
        self.rater.cover(self._extents([n for n, _ in todo]))
        with ExitStack() as stack:
            for n, chunk, notes in stack.enter_context(ahead(self._chunks(todo))):
                if chunk is None:
                    yield RatedChunk(n)
                    continue
                rated = self.rater.rate(n, self.sources[n].name, chunk, self.readings[n], notes)
                rows += chunk.rated.num_rows
                if self.progress is not None:
                    behind = sum(source.size for source in self.sources[:n])
                    self.progress(Step(rows, behind + _done(self.readers[n], chunk), size, self.sources[n].name))
                yield rated

    def _extents(self, todo: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield the instants between the begin of the first file and the end of the last, as far as these say so; most logs lie there."""
        ends = [n for n in (todo[0], todo[-1]) if self.sources[n].kind == "parquet" and "at" not in self.rater.given]
        extents = [extent for n in ends if (extent := extent_of(self.sources[n], self.readings[n].at)) is not None]
        if extents:
            yield min(low for low, _ in extents), max(high for _, high in extents)

    def _chunks(self, todo: Sequence[tuple[int, Place]]) -> Iterator[tuple[int, Chunk | None, dict[str, int]]]:
        for n, place in todo:
            reading = self.readings[n]
            for chunk in rows_of(self.readers[n], reading, place) if self.readers[n].header else ():
                notes = dict(reading.notes)
                reading.notes.clear()
                yield n, chunk, notes
            yield n, None, {}

    def _manifest(self) -> dict[str, Any]:
        return {
            "tables": self.rater.book.fingerprint,
            **self.options,
            "by": self.rater.by,
            "columns": {**asdict(self.rater.columns), "meters": dict(self.rater.columns.meters)},
            **self.rater.words,
            "sources": [source.state() for source in self.sources],
        }

    def _result(self, sums: Sums, *, resumed: int, parts: int) -> Repriced:
        return Repriced(
            out=self.out,
            totals=sums.totals,
            rows=sums.rows,
            resumed=resumed,
            parts=parts,
            causes=tuple(sorted(sums.causes.values(), key=lambda cause: (-cause.rows, cause.reason, cause.name or ""))),
            bad_rows=sums.bad_rows,
            bad=tuple(sums.bad),
            notes=dict(sums.notes),
            columns={source.name: dict(reading.columns) for source, reading in zip(self.sources, self.readings, strict=True)},
            book=self.rater.book,
        )


def _done(reader: Reader, chunk: Chunk) -> int:
    """Return how many bytes of a file are behind a chunk, as well as can be told."""
    size = reader.source.size
    if reader.rows:
        return size * chunk.place.row // reader.rows
    return min(size, chunk.place.byte) if reader.source.packed is None else 0


def folders_of(sources: Sequence[Source]) -> list[str]:
    """Return the folder of each file's parts: its stem, numbered where several files have the same."""
    seen: Counter[str] = Counter()
    folders: list[str] = []
    for source in sources:
        seen[source.stem] += 1
        folders.append(source.stem if seen[source.stem] == 1 else f"{source.stem}~{seen[source.stem]}")
    return folders


def _totals_text(totals: CostTotals) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*totals.by, "currency", "priced", "free", "partial", "unknown", "amount", "partial_amount"])
    for row in totals.rows:
        amounts = (format(row.amount, "f"), format(row.partial_amount, "f"))
        writer.writerow([*row.group, row.currency, row.priced, row.free, row.partial, row.unknown, *amounts])
    return text.getvalue()


def _summary(result: Repriced, journal: Journal, sources: Sequence[Source]) -> dict[str, Any]:
    parts: dict[str, list[str]] = {}
    for part in journal.parts:
        parts.setdefault(sources[part.source].name, []).extend([part.file] if part.file else [])
    return {
        "tables": result.fingerprint,
        "rows": result.rows,
        "outcomes": result.outcomes,
        "amounts": {currency: format(money.amount, "f") for currency, money in result.totals.amounts.items()},
        "bad_rows": result.bad_rows,
        "problems": [cause._asdict() for cause in result.causes],
        "notes": dict(result.notes),
        "columns": {name: dict(columns) for name, columns in result.columns.items()},
        "parts": parts,
    }

"""The ledger: rated rows become parts, each with its line in the journal; and what all of them come to."""

from __future__ import annotations

import csv
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import StreamError
from tokencost.rating.totals import CostTotals
from tokencost.streams.journal import BAD_ROWS, PartDone
from tokencost.streams.parts import PartFile
from tokencost.streams.rated import Cause, add_causes, with_costs
from tokencost.streams.reading import BEGIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tokencost.rating.costs import Costs
    from tokencost.streams.journal import Journal
    from tokencost.streams.parts import Format
    from tokencost.streams.rated import Amount, RatedChunk
    from tokencost.streams.reading import Chunk, Place
    from tokencost.streams.sources import Source
    from tokencost.workloads.log import BadRow

__all__ = ["BadFile", "Ledger", "Sums"]

_SHOWN: Final = 100
"""Bad rows that are kept in memory to be shown."""


class Sums:
    """What rows have come to: totals, outcomes, causes, bad rows and notes; they add up."""

    def __init__(self, by: tuple[str, ...]) -> None:
        self.totals = CostTotals(by)
        self.rows = self.bad_rows = 0
        self.causes: dict[tuple[str, str | None], Cause] = {}
        self.notes: Counter[str] = Counter()
        self.bad: list[tuple[str, BadRow]] = []

    def add(self, rated: RatedChunk, name: str) -> None:
        """Add a rated chunk of a file."""
        if rated.chunk is None:
            return
        if rated.totals is not None:
            self.totals.add(rated.totals)
        self.rows += rated.chunk.rated.num_rows
        add_causes(self.causes, rated.causes)
        self.notes.update(rated.notes)
        self.bad_rows += len(rated.chunk.bad)
        self.bad += [(name, bad) for bad in rated.chunk.bad[: max(0, _SHOWN - len(self.bad))]]

    def add_done(self, part: PartDone) -> None:
        """Add a part that the journal has."""
        self.totals.add(CostTotals.from_json(part.totals))
        self.rows += part.rows
        add_causes(self.causes, (Cause(*cause) for cause in part.problems))
        self.notes.update(part.notes)
        self.bad_rows += part.bad_rows


class BadFile:
    """The file of rows that could not be read; what a run that was killed left behind its last finished part is cut off."""

    def __init__(self, out: Path, end: int) -> None:
        self.path = out / BAD_ROWS
        if not end:
            self.path.unlink(missing_ok=True)
        else:
            os.truncate(self.path, end)

    def add(self, name: str, rows: Iterable[BadRow]) -> None:
        """Write bad rows of a file."""
        new = not self.path.exists()
        with self.path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(["file", "row", "reason", "text"])
            writer.writerows((name, *row) for row in rows)

    def settle(self) -> int:
        """Wait until all is on the disk, and return how many bytes that is."""
        if not self.path.exists():
            return 0
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())
            return file.seek(0, os.SEEK_END)


class Ledger:
    """Writes rated chunks as parts, in the order of their files."""

    def __init__(
        self, journal: Journal, sources: Sequence[Source], folders: Sequence[str], *, kind: Format, amount: Amount, prefix: str, most: int,
        by: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.journal = journal
        self._sources = sources
        self._folders = folders
        self._kind: Format = kind
        self._amount: Amount = amount
        self._prefix = prefix
        self._most = most
        self._by = by
        self._bad = BadFile(journal.out, journal.bad_end)
        self._part: PartFile | None = None
        self._sums = Sums(by)
        self._place: dict[int, Place] = {part.source: part.place for part in journal.parts}
        self._number = Counter(part.source for part in journal.parts)

    def take(self, rated: RatedChunk) -> None:
        """Write a chunk, and finish its part where it is long enough or its file ends.

        Raises:
            StreamError: the disk is full, or cannot be written to.
        """
        try:
            if rated.chunk is None:
                self._finish(rated.source, ended=True)
                return
            self._write(rated.source, rated.chunk, rated.costs)
            self._sums.add(rated, self._sources[rated.source].name)
            self._place[rated.source] = rated.chunk.place
            if self._sums.rows >= self._most or self._sums.bad_rows >= self._most:
                self._finish(rated.source, ended=False)
        except OSError as error:
            if isinstance(error, StreamError):
                raise
            why = (error.strerror or str(error)).lower()
            message = f"cannot write into {str(self.journal.out)!r}: {why}; {self.safe()}; make room there, and run the same again to go on"
            raise StreamError(message, path=str(self.journal.out)) from None

    def safe(self) -> str:
        """Say what is safe on the disk."""
        parts = self.journal.parts
        written, rows = sum(part.file is not None for part in parts), sum(part.rows for part in parts)
        return f"{written:,} part{'s' * (written != 1)} with {rows:,} rows {'are' if written != 1 else 'is'} safe there"

    def abandon(self) -> None:
        """Leave nothing of a part that was not finished."""
        if self._part is not None:
            self._part.abandon()
            self._part = None

    def _write(self, source: int, chunk: Chunk, costs: Costs | None) -> None:
        if chunk.bad:
            self._bad.add(self._sources[source].name, chunk.bad)
        if chunk.rated.num_rows and costs is not None:
            if self._part is None:
                folder = self.journal.out / self._folders[source]
                self._part = PartFile(folder, self._number[source], kind=self._kind)
            self._part.write(with_costs(chunk.kept, costs, amount=self._amount, prefix=self._prefix))

    def _finish(self, source: int, *, ended: bool) -> None:
        sums, part = self._sums, self._part
        size = 0 if part is None else part.finish()
        file = None if part is None else part.path.relative_to(self.journal.out).as_posix()
        self._part, self._sums = None, Sums(self._by)
        done: dict[str, Any] = {
            "source": source,
            "number": self._number[source],
            "file": file,
            "size": size,
            "rows": sums.rows,
            "place": self._place.get(source, BEGIN),
            "ended": ended,
            "totals": sums.totals.to_json(),
            "outcomes": sums.totals.outcomes,
            "problems": list(sums.causes.values()),
            "bad_rows": sums.bad_rows,
            "bad_end": self._bad.settle(),
            "notes": dict(sums.notes),
        }
        self.journal.add(PartDone(**done))
        self._number[source] += 1

"""Partitions: stretches of files, each rated by a task that knows nothing but its partition, and written under a name of its own."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4

from tokencost.errors import StreamError
from tokencost.streams.arrow import pq
from tokencost.streams.journal import BAD_ROWS, settle
from tokencost.streams.ledger import Sums
from tokencost.streams.parts import PartFile
from tokencost.streams.rated import add_causes, with_costs
from tokencost.streams.reading import Place
from tokencost.streams.survey import open_reader, rows_of
from tokencost.streams.travel import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tokencost.streams.parts import Format
    from tokencost.streams.rated import Amount
    from tokencost.streams.rating import Rater
    from tokencost.streams.reading import Chunk, Reading
    from tokencost.streams.sources import Source

__all__ = ["Partition", "PartitionDone", "Shape", "join_bad_rows", "merged_sums", "partitions_of", "rate_partition"]

_HEADER: Final = ("file", "row", "reason", "text")
_BAD_SHOWN: Final = 100


class Shape(NamedTuple):
    """Where partitions are written, and as what."""

    out: Path
    kind: Format
    amount: Amount
    prefix: str


class Partition(NamedTuple):
    """A stretch of a file: from a place on so many rows, or to its end.

    `file` is the number of the file among all, `given` its path as it was given, `number` that of the stretch in the file; the parts of a
    file go into `folder`.
    """

    file: int
    given: str
    source: Source
    reading: Reading
    number: int
    begin: Place
    rows: int | None
    folder: str

    @property
    def name(self) -> str:
        """A name that depends on the partition alone."""
        return f"{self.folder}/{self.number:05}"

    @property
    def bad_rows(self) -> str:
        """The file of its bad rows, beside its part."""
        return f"{self.folder}/.bad-{self.number:05}.csv"


class PartitionDone(NamedTuple):
    """What a partition has come to, and the part that holds its rows; none where no row was good."""

    sums: Sums
    part: str | None
    size: int
    place: Place


class _Attempt(PartFile):
    """A part that two workers may be writing at once: each beside under a name of its own, and both are the same when in place."""

    def __init__(self, folder: Path, number: int, *, kind: Format) -> None:
        super().__init__(folder, number, kind=kind)
        self._beside = folder / f".part-{number:05}-{uuid4().hex}.tmp"


def partitions_of(sources: Sequence[Source], readings: Sequence[Reading], folders: Sequence[str], *, most: int) -> Iterator[Partition]:
    """Yield the partitions of all files in their order; Parquet is cut between row groups, as soon as a partition has `most` rows."""
    for file, (source, reading, folder) in enumerate(zip(sources, readings, folders, strict=True)):
        if not reading.columns:  # an empty file
            continue
        stretches = _stretches(source, most) if source.kind == "parquet" else [(0, None)]
        for number, (begin, rows) in enumerate(stretches):
            yield Partition(file, source.name, replace(source, path=source.path.absolute()), reading, number, Place(begin), rows, folder)


def _stretches(source: Source, most: int) -> Iterator[tuple[int, int]]:
    metadata = pq.read_metadata(str(source.path))
    begin = rows = 0
    for group in range(metadata.num_row_groups):
        rows += int(metadata.row_group(group).num_rows)
        if rows >= most:
            yield begin, rows
            begin, rows = begin + rows, 0
    if rows:
        yield begin, rows


def rate_partition(packed: bytes, partition: Partition, shape: Shape | None) -> PartitionDone:
    """Rate a partition with a pickled rater, and write its part if a shape is given; to do it again changes nothing.

    Raises:
        StreamError: the file has changed since the run began, or cannot be read; the part cannot be written.
    """
    _check_unchanged(partition.source)
    rater: Rater = unpacked(packed)
    work = _Work(rater.anew(), partition, shape)  # what other partitions were told must not be said of this one
    try:
        return work.run()
    except OSError as error:
        if isinstance(error, StreamError) or shape is None:
            raise
        why = (error.strerror or str(error)).lower()
        message = f"cannot write {partition.name} into {str(shape.out)!r}: {why}; make room there, and run the same again to go on"
        raise StreamError(message, path=str(shape.out)) from None
    finally:
        work.abandon()


def _check_unchanged(source: Source) -> None:
    try:
        stat = source.path.stat()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        message = f"cannot read {source.name!r} on this worker: {why}; every worker must reach the files under the same path"
        raise StreamError(message, path=source.name) from None
    if (stat.st_size, stat.st_mtime_ns) != (source.size, source.changed):
        raise StreamError(f"{source.name} has changed since the run began; begin anew", path=source.name)


class _Work:
    """One attempt at a partition."""

    def __init__(self, rater: Rater, partition: Partition, shape: Shape | None) -> None:
        self.rater = rater
        self.partition = partition
        self.shape = shape
        self.sums = Sums(rater.by)
        self.place = partition.begin
        self._part: PartFile | None = None
        self._bad: _BadRows | None = None

    def run(self) -> PartitionDone:
        """Rate and write all of it."""
        file, given, _, reading = self.partition[:4]
        for chunk in self._chunks():
            notes = dict(reading.notes)
            reading.notes.clear()
            rated = self.rater.totalled(self.rater.rate(file, given, chunk, reading, notes), given)
            self.sums.add(rated, given)
            self.place = chunk.place
            if self.shape is not None:
                self._write(self.shape, chunk, rated.costs)
        assert sum(self.sums.totals.outcomes.values()) == self.sums.rows, "every row has one outcome"
        if self._bad is not None:
            self._bad.finish()
        if self.shape is None or self._part is None:
            return PartitionDone(self.sums, None, 0, self.place)
        size = self._part.finish()
        part, self._part = self._part.path.relative_to(self.shape.out).as_posix(), None
        return PartitionDone(self.sums, part, size, self.place)

    def _chunks(self) -> Iterator[Chunk]:
        partition, left = self.partition, self.partition.rows
        for chunk in rows_of(open_reader(partition.source), partition.reading, partition.begin):
            rows = chunk.rated.num_rows
            if left is not None and rows >= left:
                end = chunk.place._replace(row=chunk.place.row - rows + left)
                yield chunk._replace(rated=chunk.rated.slice(0, left), kept=chunk.kept.slice(0, left), place=end)
                return
            left = None if left is None else left - rows
            yield chunk

    def _write(self, shape: Shape, chunk: Chunk, costs: Any) -> None:
        folder = shape.out / self.partition.folder
        if chunk.bad:
            if self._bad is None:
                self._bad = _BadRows(shape.out / self.partition.bad_rows)
            self._bad.add((self.partition.given, *row) for row in chunk.bad)
        if costs is not None:
            if self._part is None:
                self._part = _Attempt(folder, self.partition.number, kind=shape.kind)
            self._part.write(with_costs(chunk.kept, costs, amount=shape.amount, prefix=shape.prefix))

    def abandon(self) -> None:
        """Leave nothing of what was not finished."""
        for unfinished in (self._part, self._bad):
            if unfinished is not None:
                unfinished.abandon()


class _BadRows:
    """The bad rows of a partition, written beside and moved in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._beside = path.with_name(f".part-bad-{uuid4().hex}.tmp")
        self._file = self._beside.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        self._writer.writerows(rows)

    def finish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._beside.replace(self._path)

    def abandon(self) -> None:
        self._file.close()
        self._beside.unlink(missing_ok=True)


def join_bad_rows(out: Path, partitions: Iterable[Partition]) -> None:
    """Write one file of the bad rows of all partitions, in their order; nothing where there are none."""
    found = [path for partition in partitions if (path := out / partition.bad_rows).exists()]
    if not found:
        return
    whole = _BadRows(out / BAD_ROWS)
    whole.add([_HEADER])
    try:
        for path in found:
            with path.open(encoding="utf-8", newline="") as file:
                whole.add(csv.reader(file))
        whole.finish()
        settle(out)
    finally:
        whole.abandon()


def merged_sums(parts: Sequence[Sums]) -> Sums:
    """Return what parts have come to together; of the same parts in the same order it is the same."""
    whole = Sums(parts[0].totals.by)
    whole.totals = type(whole.totals).merged(part.totals for part in parts)
    for part in parts:
        whole.rows += part.rows
        whole.bad_rows += part.bad_rows
        add_causes(whole.causes, part.causes.values())
        whole.notes.update(part.notes)
        whole.bad += part.bad[: max(0, _BAD_SHOWN - len(whole.bad))]
    return whole

"""Distributed: logs larger than one machine, rated by Dask, with totals that are exact whatever happens to the workers.

A partition is rated by a task that depends on nothing but the partition. One that is run again after a lost worker gives the same totals
under the same key and writes the same file under the same name, so it counts once; and sums of whole numbers know no order.
"""

from __future__ import annotations

import pickle
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn
from uuid import uuid4

from tokencost.errors import StreamError
from tokencost.rating.book import load_book
from tokencost.rating.totals import CostTotals
from tokencost.rating.usage_table import UsageColumns
from tokencost.streams.batches import BatchRater
from tokencost.streams.journal import Journal, PartDone, locked
from tokencost.streams.ledger import Sums
from tokencost.streams.partitions import Shape, join_bad_rows, merged_sums, partitions_of, rate_partition
from tokencost.streams.parts import remove_unfinished
from tokencost.streams.rating import Rater
from tokencost.streams.reprice import ROWS_PER_PART, Run, Step, check_words, folders_of
from tokencost.streams.sources import find_sources
from tokencost.streams.travel import TravellingBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.streams.partitions import Partition, PartitionDone
    from tokencost.streams.parts import Format
    from tokencost.streams.rated import Amount
    from tokencost.streams.reprice import Repriced
    from tokencost.streams.sources import Source, Sources

__all__ = ["rate_partitions", "reprice_distributed"]

_BRANCHES: Final = 16
"""Results that are merged at a time."""

Client = Any
"""A `distributed.Client`; Dask has no types that a strict check could use."""


def rate_partitions(
    tables: Iterable[object], *, by: str | Sequence[str] = (), rater: BatchRater | None = None, client: Client | None = None
) -> CostTotals:
    """Return the exact totals of tables that lie on a cluster, one a partition.

    `tables` are delayed or future tables of any kind that `rate_table` takes: `frame.to_delayed()` of a Dask data frame, or
    `dask.delayed(read)(path)` for each path. `rater` holds the book and the words. Without `client` the current one is used, and without
    one the scheduler of this process. Nothing but totals leaves the workers.

    >>> import dask, pyarrow as pa, tokencost as tc
    >>> usage = pa.table({"model": ["gpt-4o", "o1"], "input": [1000, 1000], "output": [200, 200]})
    >>> tables = [dask.delayed(usage.slice)(n, 1) for n in range(2)]
    >>> rater = tc.BatchRater(tc.load_book(), at="2025-06-01T12:00:00Z")
    >>> [(row.group, str(row.amount)) for row in tc.rate_partitions(tables, by="model", rater=rater).rows]
    [(('gpt-4o',), '0.0045'), (('o1',), '0.027')]

    Raises:
        StreamError: Dask is missing; a partition ended worker after worker; the tables of a worker differ.
        ColumnError: a partition has not the columns that are needed.
    """
    dask = _engine("dask")
    groups = (by,) if isinstance(by, str) else tuple(by)
    run = uuid4().hex[:12]
    sent = dask.delayed(BatchRater() if rater is None else rater, name=f"tokencost-rater-{run}")
    level: list[Any] = [dask.delayed(_totals)(sent, table, groups, dask_key_name=f"tokencost-{run}-{n}") for n, table in enumerate(tables)]
    if not level:
        return CostTotals(groups)
    merge = dask.delayed(CostTotals.merged)
    for height, branches in _heights(len(level)):
        level = [merge(level[begin:end], dask_key_name=f"tokencost-merged-{run}-{height}-{begin}") for begin, end in branches]
    try:
        return level[0].compute() if client is None else client.compute(level[0]).result()
    except Exception as error:  # noqa: BLE001 - whatever a worker has raised
        _raise(error)


def _totals(rater: BatchRater, table: object, by: tuple[str, ...]) -> CostTotals:
    return rater.totals(table, by=by)


def _heights(size: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield for each height of a tree the stretches of results that are merged into one, in their order."""
    height = 0
    while size > 1:
        branches = [(begin, min(begin + _BRANCHES, size)) for begin in range(0, size, _BRANCHES)]
        yield height, branches
        height, size = height + 1, len(branches)


def reprice_distributed(
    sources: Sources,
    out: str | Path | None = None,
    *,
    client: Client | None = None,
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
    progress: Callable[[Step], None] | None = None,
) -> Repriced:
    """Do what `reprice` does, on the workers of a Dask cluster; the files and the folder must be reachable from all of them.

    A Parquet file is cut between its row groups into partitions of about `rows_per_part` rows, any other file is one partition, and each
    partition becomes one part. The journal knows the parts that are done, so that a run that was stopped goes on when it is called again.
    Without `client` the current one is used.

    >>> with distributed.Client("scheduler:8786") as client:  # doctest: +SKIP
    ...     print(reprice_distributed("logs/*.parquet", "costs", by=["model", "day"], client=client).totals)

    Raises:
        StreamError: Dask or a cluster is missing; a partition ended worker after worker; the tables of a worker differ; and as `reprice`.
        ColumnError, InstantError, UnknownNameError: as `reprice`.
    """
    client = _client(client)
    check_words(kind=kind, amount=amount)
    words = {"model": model, "currency": currency, "service_tier": service_tier, "mode": mode, "residency": residency, "tenant": tenant}
    groups = (by,) if isinstance(by, str) else tuple(by)
    travelling = TravellingBook.of(load_book() if book is None else book)
    rater = Rater(travelling, UsageColumns.of(columns), at=at, start=start, by=groups, threads=1, words=words)
    options = {
        "keep": keep if isinstance(keep, str) else tuple(keep),
        "kind": kind,
        "amount": amount,
        "prefix": prefix,
        "rows_per_part": rows_per_part,
    }
    folder = None if out is None else Path(out).absolute()  # a worker may stand elsewhere
    return _DistributedRun(client, find_sources(sources, without=folder), folder, rater, progress=progress, **options).run()


class _DistributedRun(Run):
    """A run whose partitions are rated by the workers of a cluster."""

    def __init__(self, client: Client, sources: tuple[Source, ...], out: Path | None, rater: Rater, **options: Any) -> None:
        progress = options.pop("progress")
        super().__init__(sources, out, rater, options, progress)
        self.client = client
        self.folders = folders_of(sources)
        self.partitions = list(partitions_of(sources, self.readings, self.folders, most=options["rows_per_part"]))
        self._name = f"tokencost-{uuid4().hex[:12]}"

    def run(self) -> Repriced:
        """Rate what is not done yet."""
        if self.out is not None:
            with locked(self.out):
                return self._write_all(self.out)
        leaves = self._submitted(self.partitions, None)
        for _ in self._finished(leaves):
            pass
        level = list(leaves)
        for height, branches in _heights(len(level)):
            keys = [f"{self._name}-merged-{height}-{begin}" for begin, _ in branches]
            level = [self.client.submit(_merged, level[begin:end], key=key) for key, (begin, end) in zip(keys, branches, strict=True)]
        sums = _result_of(level[0]).sums if level else Sums(self.rater.by)
        return self._result(sums, resumed=0, parts=0)

    def _write_all(self, out: Path) -> Repriced:
        journal = Journal(out, {**self._manifest(), "engine": "cluster"})
        remove_unfinished(out)
        known = {(part.source, part.number): part for part in journal.parts}
        resumed = sum(part.rows for part in journal.parts)
        shape = Shape(out, self.options["kind"], self.options["amount"], self.options["prefix"])
        leaves = self._submitted([p for p in self.partitions if (p.file, p.number) not in known], shape)
        bad: dict[tuple[int, int], Any] = {}
        for partition, done in self._finished(leaves):
            line = _line(partition, done)
            journal.add(line)
            known[partition.file, partition.number] = line
            bad[partition.file, partition.number] = done.sums.bad
        sums = Sums(self.rater.by)
        for partition in self.partitions:
            sums.add_done(known[partition.file, partition.number])
            sums.bad += bad.get((partition.file, partition.number), [])
        join_bad_rows(out, self.partitions)
        return self._end(sums, journal, resumed)

    def _submitted(self, partitions: Sequence[Partition], shape: Shape | None) -> dict[Any, Partition]:
        """Give partitions to the cluster; the rater goes there once, as a task that can be run again where it is lost."""
        sent = self.client.submit(bytes, pickle.dumps(self.rater), key=f"{self._name}-rater")
        return {self.client.submit(rate_partition, sent, part, shape, key=f"{self._name}-{part.name}"): part for part in partitions}

    def _finished(self, leaves: Mapping[Any, Partition]) -> Iterator[tuple[Partition, PartitionDone]]:
        """Yield what the partitions have come to, as they end; a fault of one ends them all."""
        rows, behind, size = 0, 0, sum(map(self._bytes_of, leaves.values()))
        try:
            for future in _engine("distributed").as_completed(list(leaves)):
                partition, done = leaves[future], _result_of(future)
                yield partition, done
                rows += done.sums.rows
                behind += self._bytes_of(partition)
                if self.progress is not None:
                    self.progress(Step(rows, behind, size, partition.source.name))
        except BaseException:
            self.client.cancel(list(leaves))
            raise

    def _bytes_of(self, partition: Partition) -> int:
        rows, size = self.readers[partition.file].rows, partition.source.size
        return size * partition.rows // rows if partition.rows and rows else size


def _merged(parts: Sequence[PartitionDone]) -> PartitionDone:
    return parts[0]._replace(sums=merged_sums([part.sums for part in parts]))


def _line(partition: Partition, done: PartitionDone) -> PartDone:
    """Return what the journal keeps of a partition."""
    sums = done.sums
    return PartDone(
        source=partition.file,
        number=partition.number,
        file=done.part,
        size=done.size,
        rows=sums.rows,
        place=done.place,
        ended=True,
        totals=sums.totals.to_json(),
        outcomes=sums.totals.outcomes,
        problems=list(sums.causes.values()),
        bad_rows=sums.bad_rows,
        bad_end=0,
        notes=dict(sums.notes),
    )


def _result_of(future: Any) -> Any:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - whatever a worker has raised
        _raise(error)


def _raise(error: Exception) -> NoReturn:
    """Raise an error of a worker, in our words where it is Dask's own: a task whose workers were lost again and again."""
    if type(error).__name__ != "KilledWorker":
        raise error
    task = str(getattr(error, "task", "a partition"))
    raise StreamError(
        f"the workers that rated {task} were lost one after another, most likely for want of memory; "
        "give them more, or make partitions smaller",
        path=task,
    ) from error


def _client(client: Client | None) -> Client:
    """Return the client, or the current one."""
    distributed = _engine("distributed")
    if client is not None:
        return client
    try:
        return distributed.default_client()
    except ValueError:
        raise StreamError(
            "there is no Dask cluster; pass client=distributed.Client(...), or call reprice on this machine", path=None
        ) from None


def _engine(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        message = "rating on many machines needs Dask; install it with: pip install 'tokencost-tariffs[distributed]'"
        raise StreamError(message, module=name) from None

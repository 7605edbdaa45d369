"""On a cluster of processes the totals are those of one process, also where a worker is lost in the middle."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

import tokencost as tc
from streams.logs import MODELS, SPAN, requests
from streams.workers import dies, finish_as_ever, finish_fails, finish_waits, piece, piece_or_wait
from tokencost.streams.batches import BatchRater
from tokencost.streams.distributed import rate_partitions, reprice_distributed
from tokencost.streams.reprice import reprice

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

dask = pytest.importorskip("dask", reason="dask is not installed; it comes with the extra distributed")
distributed = pytest.importorskip("distributed", reason="distributed is not installed; it comes with the extra distributed")

PATIENCE_S = 120
ROWS, PIECES = 600, 12
BY = ("model", "month")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a worker cannot be killed without warning there")


@pytest.fixture(scope="module")
def client():
    """A cluster of two processes with one thread each, as a machine that is lost would leave it: a nanny starts another."""
    quiet = {
        "distributed.worker.memory.terminate": False,
        "distributed.comm.timeouts.connect": f"{PATIENCE_S}s",
        "distributed.scheduler.allowed-failures": 1,
    }
    with (
        dask.config.set(quiet),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0") as cluster,
        distributed.Client(cluster, timeout=f"{PATIENCE_S}s") as client,
    ):
        yield client


@pytest.fixture(scope="module")
def log() -> pa.Table:
    return requests(ROWS)


@pytest.fixture(scope="module")
def rater(book) -> BatchRater:
    return BatchRater(book, names=[name for name in MODELS if name], span=SPAN)


def kill_who_waits(marker: Path) -> None:
    """Wait until a worker has said where it runs, and kill it without warning."""
    end = time.monotonic() + PATIENCE_S
    while not marker.exists():
        assert time.monotonic() < end, "no worker came to the partition that waits"
        time.sleep(0.01)
    os.kill(int(marker.read_text(encoding="ascii")), signal.SIGKILL)


def in_background(call, *arguments, **options):
    """Run a call in a thread, so that the test can kill a worker meanwhile."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(call, *arguments, **options)
    finally:
        pool.shutdown(wait=False)


def pieces_of(log: pa.Table) -> list:
    return [dask.delayed(piece)(log, n, PIECES) for n in range(PIECES)]


def test_totals_are_those_of_one_process(client, rater, log):
    assert rate_partitions(pieces_of(log), by=BY, rater=rater, client=client) == rater.totals(log, by=BY)


def test_a_worker_killed_in_the_middle_changes_nothing(client, rater, log, tmp_path):
    """Its partitions are rated again by another, and each is counted once."""
    tables = pieces_of(log)
    tables[PIECES // 2] = dask.delayed(piece_or_wait)(log, PIECES // 2, PIECES, str(tmp_path / "waits"))
    made = in_background(rate_partitions, tables, by=BY, rater=rater, client=client)
    kill_who_waits(tmp_path / "waits")
    assert made.result(PATIENCE_S) == rater.totals(log, by=BY)


@pytest.mark.usefixtures("client")
def test_the_current_client_is_used(rater, log):
    """Without a word, the work goes to the cluster that Dask would use."""
    assert rate_partitions(pieces_of(log), rater=rater) == rater.totals(log)


def test_a_fault_of_a_worker_is_raised_here(client, rater, log):
    with pytest.raises(tc.ColumnError, match="output"):
        rate_partitions([dask.delayed(log.drop_columns)("output")], rater=rater, client=client)


def test_a_partition_that_ends_every_worker_is_named(client, rater):
    """Dask gives up after a few workers; the error says what was rated, and what helps."""
    with pytest.raises(tc.StreamError, match="were lost one after another, most likely for want of memory; give them more"):
        rate_partitions([dask.delayed(dies)()], rater=rater, client=client)


def test_a_cluster_is_asked_for_where_there_is_none(monkeypatch, files):
    def none():
        raise ValueError("no clients found")

    monkeypatch.setattr(distributed, "default_client", none)
    with pytest.raises(tc.StreamError, match=r"there is no Dask cluster; pass client="):
        reprice_distributed(files)


# -- files ---------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(log, tmp_path_factory) -> Path:
    """A folder of Parquet with several row groups, packed CSV with bad rows, and JSON lines; and an empty file."""
    folder = tmp_path_factory.mktemp("logs")
    pq.write_table(log, folder / "a.parquet", row_group_size=50)
    pq.write_table(log.slice(0, 130), folder / "b.parquet", row_group_size=130)
    rows = log.slice(100, 90).to_pylist()
    lines = [f"{row['model'] or ''},{row['at'].isoformat()},{row['input']},{row['output']},{row['team'] or ''}\n" for row in rows]
    text = "model,at,input,output,team\n" + "".join([*lines[:40], "gpt-4o,2025-06-01T12:00:00Z,ten,5,red\n", *lines[40:]])
    (folder / "c.csv.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "d.jsonl").write_text("".join(json.dumps({**row, "at": row["at"].isoformat()}) + "\n" for row in rows), encoding="utf-8")
    pq.write_table(log.slice(0, 0), folder / "e.parquet")
    return folder


@pytest.fixture(scope="module")
def alone(files, book, tmp_path_factory):
    """What one process makes of the files."""
    return reprice(files, tmp_path_factory.mktemp("alone") / "costs", by=BY, book=book)


@pytest.fixture
def on_workers(client):
    """A function that makes every worker do something first, those too that take the place of a lost one."""

    class First(distributed.WorkerPlugin):
        name = "first"

        def __init__(self, call, *arguments):
            self.call, self.arguments = call, arguments

        def setup(self, worker):
            del worker
            self.call(*self.arguments)

    def do(call, *arguments):
        client.register_plugin(First(call, *arguments))

    yield do
    client.unregister_worker_plugin("first")
    client.run(finish_as_ever)


def rows_in(out: Path, name: str) -> list:
    """Return the rows of all parts of a file."""
    return [row for part in sorted((out / name).glob("part-*.parquet")) for row in pq.read_table(part).to_pylist()]


def assert_same(done, alone):
    assert done.totals == alone.totals
    assert (done.rows, done.outcomes, done.bad_rows, done.bad) == (alone.rows, alone.outcomes, alone.bad_rows, alone.bad)
    assert (done.causes, done.columns, done.fingerprint) == (alone.causes, alone.columns, alone.fingerprint)


def assert_same_files(out: Path, alone: Path):
    assert (out / "totals.csv").read_bytes() == (alone / "totals.csv").read_bytes()
    assert (out / "bad-rows.csv").read_bytes() == (alone / "bad-rows.csv").read_bytes()
    for name in ("a", "b", "c", "d"):
        assert rows_in(out, name) == rows_in(alone, name)
    assert list(out.rglob("*.tmp")) == []


def test_files_come_to_what_they_come_to_alone(client, files, alone, book):
    done = reprice_distributed(files, by=BY, book=book, client=client, rows_per_part=100)
    assert_same(done, alone)
    assert done.out is None


def test_costs_are_written_as_alone(client, files, alone, book, tmp_path):
    steps = []
    done = reprice_distributed(files, tmp_path / "costs", by=BY, book=book, client=client, rows_per_part=100, progress=steps.append)
    assert_same(done, alone)
    assert_same_files(done.out, alone.out)
    assert sorted(path.name for path in (done.out / "a").glob("part-*")) == [f"part-{n:05}.parquet" for n in range(6)]
    assert (done.parts, done.resumed) == (9, 0)
    assert (steps[-1].rows, steps[-1].done) == (done.rows, steps[-1].size)


def test_a_worker_killed_before_it_moves_a_part_in_place(client, on_workers, files, alone, tmp_path):
    """What it has written is written again by another; the result is the same to the byte."""
    whole = reprice_distributed(files, tmp_path / "whole", by=BY, client=client, rows_per_part=100)
    on_workers(finish_waits, str(tmp_path / "waits"))
    made = in_background(reprice_distributed, files, tmp_path / "costs", by=BY, client=client, rows_per_part=100)
    kill_who_waits(tmp_path / "waits")
    done = made.result(PATIENCE_S)
    assert_same(done, alone)
    parts = {path.relative_to(whole.out): path.read_bytes() for path in whole.out.rglob("part-*.parquet")}
    assert {path.relative_to(done.out): path.read_bytes() for path in done.out.rglob("part-*.parquet")} == parts


def test_a_run_that_was_stopped_goes_on(client, on_workers, files, alone, tmp_path):
    """A full disk stops it; called again, it rates what is left, and comes to the same."""
    on_workers(finish_fails, "part-00003.parquet")
    with pytest.raises(
        tc.StreamError, match=r"cannot write a/00003 into .*: no space left on device; make room there, and run the same again"
    ):
        reprice_distributed(files, tmp_path / "costs", by=BY, client=client, rows_per_part=100)
    on_workers(finish_as_ever)
    done = reprice_distributed(files, tmp_path / "costs", by=BY, client=client, rows_per_part=100)
    assert_same_files(done.out, alone.out)
    assert (done.totals, done.causes) == (alone.totals, alone.causes)
    again = reprice_distributed(files, tmp_path / "costs", by=BY, client=client, rows_per_part=100)
    assert (again.totals, again.resumed, again.rows) == (alone.totals, alone.rows, alone.rows)


def test_a_folder_belongs_to_one_run(client, files, book, tmp_path):
    reprice_distributed(files / "b.parquet", tmp_path / "costs", by=BY, book=book, client=client)
    with pytest.raises(tc.StreamError, match="holds a run with engine 'cluster', now None"):
        reprice(files / "b.parquet", tmp_path / "costs", by=BY, book=book)
    with pytest.raises(tc.StreamError, match="holds a run with by"):
        reprice_distributed(files / "b.parquet", tmp_path / "costs", by="model", book=book, client=client)

"""Partitions without a cluster: however a log is cut and in whatever order, the totals are the same."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from streams.logs import MODELS, SPAN, requests
from tokencost.rating.usage_table import UsageColumns
from tokencost.streams.batches import BatchRater
from tokencost.streams.distributed import rate_partitions
from tokencost.streams.partitions import Shape, merged_sums, partitions_of, rate_partition
from tokencost.streams.rating import Rater
from tokencost.streams.reprice import reprice
from tokencost.streams.sources import find_sources
from tokencost.streams.survey import open_reader, survey
from tokencost.streams.travel import TravellingBook

if TYPE_CHECKING:
    import pyarrow as pa

dask = pytest.importorskip("dask", reason="dask is not installed; it comes with the extra distributed")

ROWS = 600
BY = ("model", "month")


@pytest.fixture(scope="module", autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def log() -> pa.Table:
    return requests(ROWS)


@pytest.fixture(scope="module")
def rater(book) -> BatchRater:
    return BatchRater(book, names=[name for name in MODELS if name], span=SPAN)


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, ROWS), max_size=40), draw=st.randoms(use_true_random=False))
def test_any_partitions_in_any_order_have_the_same_totals(rater, log, cuts, draw):
    pieces = [log.slice(begin, end - begin) for begin, end in pairwise([0, *sorted(cuts), ROWS])]
    draw.shuffle(pieces)
    assert rate_partitions(pieces, by=BY, rater=rater) == rater.totals(log, by=BY)


def test_many_partitions_are_merged_by_and_by(rater, log):
    """A tree of three levels gives the same as one sum."""
    pieces = [log.slice(n, 2) for n in range(0, ROWS, 2)]
    assert rate_partitions(pieces, by=BY, rater=rater) == rater.totals(log, by=BY)


def test_threads_of_this_process_rate_too(rater, log):
    pieces = [dask.delayed(log.slice)(n, 50) for n in range(0, ROWS, 50)]
    with dask.config.set(scheduler="threads", num_workers=2):
        assert rate_partitions(pieces, by=BY, rater=rater) == rater.totals(log, by=BY)


def test_a_dask_data_frame_is_rated_by_its_partitions(rater, log):
    frames = pytest.importorskip("dask.dataframe", reason="the data frames of dask are not installed")
    frame = frames.from_pandas(log.to_pandas(), npartitions=5)
    assert rate_partitions(frame.to_delayed(), by=BY, rater=rater) == rater.totals(log, by=BY)


def test_no_partitions_have_no_totals(rater, log):
    assert rate_partitions([], by=BY, rater=rater) == rater.totals(log.slice(0, 0), by=BY)


def test_dask_is_asked_for_where_it_is_missing(monkeypatch, log):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(tc.StreamError, match=r"pip install 'tokencost-tariffs\[distributed\]'"):
        rate_partitions([log])


# -- stretches of files --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def stretches(log, book, tmp_path):
    """A function that cuts a Parquet file of 12 row groups, and gives the pickled rater with the partitions."""
    pq.write_table(log, tmp_path / "log.parquet", row_group_size=50)
    rater = Rater(TravellingBook.of(book), UsageColumns(), at=None, start=None, by=BY, threads=1, words={})
    sources = find_sources(tmp_path / "log.parquet")
    readings = survey([open_reader(sources[0])], named={}, given=(), by=BY, keep=None, **rater.reading)

    def cut(most: int):
        return pickle.dumps(rater), list(partitions_of(sources, readings, ["log"], most=most))

    return cut


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [50] * 12), (50, [50] * 12), (51, [100] * 6), (120, [150] * 4), (350, [350, 250]), (10**9, [600])]
)
def test_files_are_cut_between_row_groups(stretches, most, sizes):
    _, partitions = stretches(most)
    assert [partition.rows for partition in partitions] == sizes
    assert [partition.begin.row for partition in partitions] == [sum(sizes[:n]) for n in range(len(sizes))]


@settings(max_examples=10)
@given(data=st.data())
def test_stretches_of_a_file_come_to_the_whole(data, log, book, tmp_path_factory):
    """Whatever the row groups and the size of a partition."""
    path = tmp_path_factory.mktemp("logs") / "log.parquet"
    pq.write_table(log, path, row_group_size=data.draw(st.integers(20, ROWS), label="row group"))
    rater = Rater(TravellingBook.of(book), UsageColumns(), at=None, start=None, by=BY, threads=1, words={})
    sources = find_sources(path)
    readings = survey([open_reader(sources[0])], named={}, given=(), by=BY, keep=(), **rater.reading)
    most = data.draw(st.integers(50, ROWS), label="rows of a partition")
    done = [rate_partition(pickle.dumps(rater), part, None).sums for part in partitions_of(sources, readings, ["log"], most=most)]
    alone = reprice(path, by=BY, book=book)
    whole = merged_sums(done)
    assert (whole.totals, whole.rows) == (alone.totals, alone.rows)
    assert sorted(whole.causes.values()) == sorted(alone.causes)


def test_a_partition_that_is_rated_again_writes_the_same(stretches, tmp_path):
    """Also where its worker left something half-written beside."""
    packed, partitions = stretches(100)
    shape = Shape(tmp_path / "costs", "parquet", "decimal", "")
    first = rate_partition(packed, partitions[2], shape)
    assert first.part == "log/part-00002.parquet"
    part = tmp_path / "costs" / first.part
    written = part.read_bytes()
    again = rate_partition(packed, partitions[2], shape)
    assert (part.read_bytes(), again.sums.totals, again.size) == (written, first.sums.totals, len(written))
    assert [path.name for path in part.parent.iterdir()] == ["part-00002.parquet"]
    assert pq.read_table(part).num_rows == partitions[2].rows


def test_causes_are_told_by_the_first_row_of_their_partition(stretches):
    """Whichever partition a worker has rated before."""
    packed, partitions = stretches(100)
    forward = [rate_partition(packed, partition, None).sums.causes for partition in partitions]
    backward = [rate_partition(packed, partition, None).sums.causes for partition in reversed(partitions)]
    assert forward == backward[::-1]


def test_a_file_that_changes_meanwhile_is_refused(stretches):
    """A partition that is rated again would not be the same."""
    packed, (partition,) = stretches(ROWS)
    os.utime(partition.source.path)
    with pytest.raises(tc.StreamError, match=r"log\.parquet has changed since the run began; begin anew"):
        rate_partition(packed, partition, None)


def test_a_worker_that_cannot_reach_a_file_says_so(stretches, tmp_path):
    packed, (partition,) = stretches(ROWS)
    missing = partition._replace(source=replace(partition.source, path=tmp_path / "elsewhere.parquet"))
    with pytest.raises(tc.StreamError, match="every worker must reach the files under the same path"):
        rate_partition(packed, missing, None)

"""A rater gives the same costs on any machine, in any batches, or says why it cannot."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from streams.logs import MODELS, SPAN, requests, slowly
from tokencost.streams import travel
from tokencost.streams.batches import BatchRater

if TYPE_CHECKING:
    from pathlib import Path

NAMES = tuple(name for name in MODELS if name)
ADDED = ["cost", "currency", "outcome"]


@pytest.fixture(scope="module")
def log() -> pa.Table:
    return requests(400)


@pytest.fixture(scope="module")
def rater(book) -> BatchRater:
    return BatchRater(book, names=NAMES, span=SPAN)


@pytest.fixture
def elsewhere(monkeypatch):
    """A worker: it has opened no tables yet, and has rated nothing."""

    def arrive(rater: BatchRater) -> BatchRater:
        monkeypatch.setattr(travel, "_OPENED", {})
        return pickle.loads(pickle.dumps(rater))

    return arrive


@pytest.fixture
def own(tmp_path, tables) -> Path:
    """A folder of one's own with the tables of one provider."""
    shutil.copytree(tables / "deepseek", tmp_path / "own" / "deepseek")
    shutil.copytree(tables / "calendars", tmp_path / "own" / "calendars")
    return tmp_path / "own"


# -- the same costs ------------------------------------------------------------------------------------------------------------------


def test_rows_cost_what_they_cost_one_by_one(rater, book, log):
    assert rater.table(log).column("cost").to_pylist() == slowly(book, log)


def test_columns_stand_behind_those_given(rater, log):
    made = rater.table(log)
    assert made.column_names == [*log.column_names, *ADDED]
    assert made.select(log.column_names) == log


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 400), max_size=6))
def test_batches_may_be_cut_anywhere(rater, log, cuts):
    """One batch comes back for each, empty ones too, and together they are the table."""
    edges = [0, *sorted(cuts), 400]
    whole = log.combine_chunks().to_batches()[0]
    batches = [whole.slice(begin, end - begin) for begin, end in pairwise(edges)]
    made = list(rater(iter(batches)))
    assert [batch.num_rows for batch in made] == [batch.num_rows for batch in batches]
    assert pa.Table.from_batches(made) == rater.table(log)


def test_batches_are_rated_as_they_come(rater, log):
    """Nothing waits for the end of a partition."""
    batches = iter(log.to_batches(max_chunksize=100))
    made = rater(batches)
    next(made)
    assert len(list(batches)) == 3


def test_a_partition_without_batches_gives_none(rater):
    assert list(rater(iter(()))) == []


def test_words_for_all_rows_win_over_columns(book, log):
    rater = BatchRater(book, model="gpt-4o", at="2025-06-01T12:00:00Z", service_tier="batch", keep="none")
    row = log.slice(0, 1).to_pylist()[0]
    usage = tc.Usage.from_totals(input=row["input"], cache_read=row["cache_read"] or 0, output=row["output"])
    cost = book.cost("gpt-4o", usage, at="2025-06-01T12:00:00Z", service_tier="batch")
    assert rater.table(log.slice(0, 1)).to_pylist() == [{"cost": cost, "currency": "USD", "outcome": "priced"}]


def test_columns_are_named_as_for_a_table(book, log):
    renamed = log.rename_columns({"model": "llm", "at": "seen", "input": "n_in"})
    rater = BatchRater(book, columns={"model": "llm", "at": "seen", "input": "n_in"}, keep=())
    assert rater.table(renamed) == BatchRater(book, keep="none").table(log)


def test_threads_of_a_worker_share_a_rater(book, log):
    """A plan grows while it rates; each thread grows its own."""
    rater = BatchRater(book)
    pieces = [log.slice(n, 40) for n in range(0, 400, 40)]
    with ThreadPoolExecutor(4) as pool:
        assert pa.concat_tables(pool.map(rater.table, pieces)) == rater.table(log)


def test_totals_of_pieces_add_up(rater, log):
    whole = rater.totals(log, by=("model", "month"))
    pieces = [rater.totals(log.slice(n, 37), by=("model", "month")) for n in range(0, 400, 37)]
    assert type(whole).merged(reversed(pieces)) == whole


# -- schema --------------------------------------------------------------------------------------------------------------------------


def test_the_schema_is_known_before_any_row(rater, log):
    schema = rater.schema(log.schema)
    assert schema == rater.table(log).schema
    assert schema.field("cost").type == pa.decimal128(38, 18)
    assert (schema.field("currency").type, schema.field("outcome").type) == (pa.string(), pa.string())


def test_the_schema_does_not_depend_on_the_rows(rater, log):
    unknown = log.set_column(0, "model", pa.nulls(log.num_rows, pa.string()))
    schemas = {rater.table(table).schema for table in (log, log.slice(0, 0), unknown)}
    assert schemas == {rater.schema(log.schema)}


def test_a_column_without_any_value_is_a_column(rater, log):
    """A partition in which nothing was cached has a column of nulls there."""
    empty = log.set_column(log.column_names.index("cache_read"), "cache_read", pa.nulls(log.num_rows, pa.int64()))
    without = log.drop_columns("cache_read")
    assert rater.table(empty).column("cost") == rater.table(without).column("cost")


def test_dictionaries_are_kept_and_rated(rater, log):
    coded = log.set_column(0, "model", log.column("model").dictionary_encode())
    made = rater.table(coded)
    assert made.column("cost") == rater.table(log).column("cost")
    assert made.schema.field("model").type == coded.schema.field("model").type


def test_meters_have_columns_of_their_own(book, log):
    made = BatchRater(book, detail="meters", keep="none").table(log)
    assert made.column_names == ["cost", "cost_input", "cost_cache_read", "cost_output", "currency", "outcome"]
    assert made.schema == BatchRater(book, detail="meters", keep="none").schema(log.schema)
    parts = made.select(["cost_input", "cost_cache_read", "cost_output"]).to_pylist()
    known = [n for n, outcome in enumerate(made.column("outcome").to_pylist()) if outcome in {"priced", "free"}]
    assert known
    assert [sum(parts[n].values()) for n in known] == [made.column("cost")[n].as_py() for n in known]


def test_columns_are_kept_by_name(book, log):
    assert BatchRater(book, keep=["team", "model"]).table(log).column_names == ["team", "model", *ADDED]
    with pytest.raises(tc.ColumnError, match="no column 'user' to keep; the columns are model, at"):
        BatchRater(book, keep=["user"]).table(log)


def test_a_column_that_is_there_already_is_not_replaced(book, log):
    again = log.append_column("cost", pa.nulls(log.num_rows, pa.int64()))
    with pytest.raises(tc.ColumnError, match="there is a column 'cost' already; pass prefix="):
        BatchRater(book).table(again)
    assert BatchRater(book, prefix="tc_").table(again).column_names[-3:] == ["tc_cost", "tc_currency", "tc_outcome"]


def test_amounts_that_do_not_fit_are_refused(book, log):
    with pytest.raises(tc.RangeError, match="more than 36 digits before the point or 2 behind it; pass another scale="):
        BatchRater(book, scale=2).table(log)


def test_the_schema_in_the_words_of_spark(book):
    kinds = {
        "model": pa.string(),
        "at": pa.timestamp("us", "UTC"),
        "input": pa.int64(),
        "output": pa.int32(),
        "local": pa.timestamp("us"),
        "day": pa.date32(),
        "paid": pa.decimal128(10, 2),
        "tags": pa.list_(pa.string()),
        "where": pa.struct({"zone": pa.int16(), "ok": pa.bool_()}),
        "more": pa.map_(pa.string(), pa.float64()),
    }
    assert BatchRater(book).ddl(pa.schema(kinds)) == (
        "`model` string, `at` timestamp, `input` bigint, `output` int, `local` timestamp_ntz, `day` date, `paid` decimal(10,2), "
        "`tags` array<string>, `where` struct<`zone`: smallint, `ok`: boolean>, `more` map<string, double>, "
        "`cost` decimal(38,18), `currency` string, `outcome` string"
    )
    with pytest.raises(tc.ColumnError, match="column 'n' is uint64, which Spark has no type for"):
        BatchRater(book).ddl(pa.schema({**kinds, "n": pa.uint64()}))


# -- travel --------------------------------------------------------------------------------------------------------------------------


def test_a_rater_is_small(rater):
    """It takes the law of its names along, and no tables."""
    assert len(pickle.dumps(rater)) < 100_000


def test_a_rater_works_in_another_process(rater, log, tmp_path):
    (tmp_path / "rater").write_bytes(pickle.dumps((rater, log)))
    script = (
        "import pickle, sys; from pathlib import Path; rater, log = pickle.loads(Path('rater').read_bytes());"
        "sys.stdout.buffer.write(pickle.dumps(rater.table(log)))"
    )
    made = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=tmp_path, check=True, capture_output=True, timeout=120).stdout
    assert pickle.loads(made) == rater.table(log)


def test_names_that_travel_need_no_tables(own, elsewhere, log):
    """Their law is compiled, also where the worker has no tables at all."""
    rater = BatchRater(tc.load_book(own), names=NAMES, span=SPAN)
    made = rater.table(log)
    sent = elsewhere(rater)
    shutil.rmtree(own)
    assert sent.table(log) == made
    assert not sent.book.is_open


def test_names_travel_under_the_words_for_all_rows(own, elsewhere, log):
    """What is compiled is the price in batch, which is the one that is asked for."""
    rater = BatchRater(tc.load_book(own), names=["deepseek-chat"], span=SPAN, model="deepseek-chat", currency="CNY")
    made = rater.table(log)
    sent = elsewhere(rater)
    shutil.rmtree(own)
    assert sent.table(log) == made
    assert set(made.column("currency").to_pylist()) == {"CNY"}


def test_other_names_open_the_tables_of_the_worker(own, elsewhere, log):
    rater = BatchRater(tc.load_book(own))
    sent = elsewhere(rater)
    assert sent.table(log) == rater.table(log)
    assert sent.fingerprint == tc.load_book(own).fingerprint


def test_other_instants_open_the_tables_of_the_worker(own, elsewhere, log):
    rater = BatchRater(tc.load_book(own), names=NAMES, span=(SPAN[0], SPAN[0]))
    assert elsewhere(rater).table(log) == rater.table(log)


def test_other_tables_are_refused_with_both_fingerprints(own, elsewhere, log):
    rater = BatchRater(tc.load_book(own))
    (next((own / "deepseek").glob("*/*.toml"))).unlink()
    sent = elsewhere(rater)
    with pytest.raises(tc.StreamError, match="install the same version of the package and the same tables") as caught:
        sent.table(log)
    other = tc.load_book(own).fingerprint
    assert (caught.value.expected, caught.value.found) == (rater.fingerprint, other)
    assert rater.fingerprint in str(caught.value)
    assert other in str(caught.value)


def test_the_fingerprint_of_a_book_is_the_same_in_every_process():
    """Sets have another order in every process; the fingerprint must not show it."""
    script = "import tokencost as tc; print(tc.load_book().with_layers([tc.Contract('deal', percent=-10, meters=['input'])]).fingerprint)"
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True, timeout=120
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout


def test_missing_tables_are_said_to_be_missing(own, elsewhere, log):
    sent = elsewhere(BatchRater(tc.load_book(own)))
    shutil.rmtree(own)
    with pytest.raises(tc.StreamError, match="are not on this machine: no folder of price tables at"):
        sent.table(log)


def test_another_version_of_the_package_is_refused(rater, monkeypatch):
    sent = pickle.dumps(rater)
    monkeypatch.setattr(tc, "__version__", "99.0")
    with pytest.raises(tc.StreamError, match=r"was sent by version .*, and this machine has 99\.0"):
        pickle.loads(sent)


def test_currency_layers_and_tariffs_from_memory_travel(own, elsewhere, log):
    speed = {"input": 4000, "output": 900}
    mine = tc.self_hosted("here/rack/gpt-9o", gpu_hour="2.5", tokens_per_second=speed, currency="CNY", start=SPAN[0])
    layers = [tc.Contract("deal", percent=-10, meters=["input"]), tc.Markup("ours", percent=5)]
    book = tc.load_book(own, currency="CNY").with_tariffs([mine]).with_layers(layers)
    rater = BatchRater(book)
    sent = elsewhere(rater)
    assert sent.table(log) == rater.table(log)
    assert sent.table(log).column("cost").to_pylist() == slowly(book, log)
    assert set(sent.table(log).column("currency").to_pylist()) == {"CNY", None}


def test_errors_of_a_worker_come_home(book, log):
    """Whatever a worker raises is pickled on its way back."""
    with pytest.raises(tc.ColumnError) as caught:
        BatchRater(book).table(log.drop_columns("output"))
    assert pickle.loads(pickle.dumps(caught.value)) == caught.value
    error = tc.StreamError("lost", path="x")
    assert pickle.loads(pickle.dumps(error)) == error

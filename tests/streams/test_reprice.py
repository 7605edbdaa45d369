"""Runs: exact totals whatever the kind and the batches, whole parts, and what is said of what cannot be rated."""

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import ColumnError, InstantError, StreamError, UnknownNameError
from tokencost.rating.usage_table import UsageColumns
from tokencost.streams import arrow_rows, blocks
from tokencost.streams.reprice import reprice

MODELS = ("gpt-4o", "deepseek-reasoner", "gpt-4o-mini", "gpt-9o")
START = datetime(2025, 2, 26, 15, tzinfo=UTC)


def log_of(rows):
    """A table of requests an hour apart, from the numbers of their models and their counts."""
    return pa.table(
        {
            "model": pa.array([MODELS[model] for model, *_ in rows], pa.string()),
            "at": pa.array([START + timedelta(hours=n) for n in range(len(rows))], pa.timestamp("us", "UTC")),
            "prompt_tokens": pa.array([prompt for _, prompt, *_ in rows], pa.int32()),
            "cached_tokens": pa.array([cached for _, _, cached, _ in rows], pa.int64()),
            "completion_tokens": pa.array([completion for *_, completion in rows], pa.int64()),
            "team": pa.array(["red" if n % 3 else None for n in range(len(rows))], pa.string()),
        }
    )


def save(table, path):
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=7)
    elif path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    elif path.suffix == ".jsonl":
        rows = [{**row, "at": row["at"].isoformat()} for row in table.to_pylist()]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".feather":
        pyarrow.feather.write_feather(table, path)
    else:
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=5)
    return path


def one_by_one(table, book):
    """The cost of each row by `book.cost`, None where it has none."""
    costs = []
    for row in table.to_pylist():
        usage = tc.Usage.from_totals(input=row["prompt_tokens"], cache_read=row["cached_tokens"], output=row["completion_tokens"])
        try:
            costs.append(book.cost(row["model"], usage, at=row["at"]))
        except LookupError:
            costs.append(None)
    return costs


def by_model_and_day(table, costs):
    totals = {}
    for row, cost in zip(table.to_pylist(), costs, strict=True):
        key = row["model"], row["at"].date().isoformat()
        rows, amount = totals.get(key, (0, Decimal(0)))
        totals[key] = rows + 1, amount + (cost or 0)
    return totals


def found_totals(done):
    return {row.group: (row.rows, row.amount) for row in done.totals.rows}


@pytest.fixture
def small(monkeypatch):
    """Batches and blocks of a few rows."""
    monkeypatch.setattr(arrow_rows, "_BATCH", 5)
    monkeypatch.setattr(blocks, "BLOCK", 300)


ROWS = [(n % 4, 1000 + n, n % 7, 100 * (n % 5)) for n in range(60)]
counts = st.tuples(st.integers(0, 3), st.integers(1000, 2 * 10**9), st.integers(0, 1000), st.integers(0, 10**9))


@pytest.mark.usefixtures("small")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(counts, min_size=1, max_size=40),
    name=st.sampled_from(["a.parquet", "a.csv", "a.jsonl", "a.feather", "a.arrow"]),
    most=st.integers(1, 50),
)
def test_totals_are_those_of_one_by_one_whatever_the_kind_and_the_parts(tmp_path_factory, book, rows, name, most):
    table, folder = log_of(rows), tmp_path_factory.mktemp("run")
    path = save(table, folder / name)
    done = reprice(path, folder / "out", book=book, by=("model", "day"), rows_per_part=most)
    costs = one_by_one(table, book)
    assert found_totals(done) == by_model_and_day(table, costs)
    written = pa.concat_tables([pq.read_table(part) for part in sorted((folder / "out/a").glob("*.parquet"))])
    assert [None if cost is None else cost.normalize() for cost in written.column("cost").to_pylist()] == [
        None if cost is None else cost.normalize() for cost in costs
    ]
    assert written.column("outcome").to_pylist() == ["unknown" if cost is None else "priced" if cost else "free" for cost in costs]
    assert done.rows == len(rows)


@pytest.fixture
def log(tmp_path):
    return save(log_of(ROWS), tmp_path / "log.parquet")


@pytest.mark.usefixtures("small")
def test_parts_are_whole_files_of_about_as_many_rows(log, tmp_path):
    done = reprice(log, tmp_path / "out", rows_per_part=15)
    parts = sorted((tmp_path / "out/log").iterdir())
    assert [part.name for part in parts] == [f"part-{n:05}.parquet" for n in range(done.parts)]
    assert sum(pq.read_metadata(part).num_rows for part in parts) == 60
    assert all(pq.read_metadata(part).num_rows >= 15 for part in parts[:-1])
    assert pq.read_schema(parts[0]).names == [*log_of(ROWS).schema.names, "cost", "currency", "outcome"]
    assert {str(pq.read_schema(part).field("cost").type) for part in parts} == {"decimal128(38, 18)"}


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "arrow"])
def test_every_format_has_the_exact_amounts(log, tmp_path, book, kind):
    reprice(log, tmp_path / "out", kind=kind, keep=("team", "model"))
    (part,) = (tmp_path / "out/log").iterdir()
    if kind == "csv":
        rows = list(csv.DictReader(part.read_text(encoding="utf-8").splitlines()))
    elif kind == "jsonl":
        rows = [json.loads(line) for line in part.read_text(encoding="utf-8").splitlines()]
    else:
        table = pq.read_table(part) if kind == "parquet" else pa.ipc.open_file(part).read_all()
        rows = table.to_pylist()
    assert list(rows[0]) == ["team", "model", "cost", "currency", "outcome"]
    expected = one_by_one(log_of(ROWS), book)
    assert [Decimal(row["cost"]) if row["cost"] else None for row in rows] == expected
    if kind in ("csv", "jsonl"):
        assert rows[0]["cost"] == format(expected[0], "f")


def test_tiny_amounts_are_written_without_an_exponent(tmp_path):
    log = save(log_of([(2, 1, 1, 0)]), tmp_path / "log.parquet")
    reprice(log, tmp_path / "out", kind="csv", keep="none")
    assert (tmp_path / "out/log/part-00000.csv").read_text(encoding="utf-8") == (
        '"cost","currency","outcome"\n"0.000000075","USD","priced"\n'
    )


def test_amounts_may_be_ticks_or_floats(log, tmp_path, book):
    expected = one_by_one(log_of(ROWS), book)
    for amount, scale in (("ticks", Decimal(10) ** -12), ("float", 1)):
        reprice(log, tmp_path / amount, amount=amount, keep="none")
        found = pq.read_table(tmp_path / amount / "log/part-00000.parquet").column("cost").to_pylist()
        assert [None if cost is None else cost * scale for cost in found] == [
            None if cost is None else cost if amount == "ticks" else float(cost) for cost in expected
        ]


def test_totals_and_a_summary_lie_beside_the_parts(log, tmp_path):
    done = reprice(log, tmp_path / "out", by="model")
    lines = (tmp_path / "out/totals.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "model,currency,priced,free,partial,unknown,amount,partial_amount"
    assert lines[1:] == [f"{row.group[0]},{row.currency or ''},{row.priced},0,0,{row.unknown},{row.amount},0" for row in done.totals.rows]
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert summary["rows"] == 60
    assert summary["problems"][0]["name"] == "gpt-9o"
    assert summary["parts"] == {log.as_posix(): ["log/part-00000.parquet"]}


def test_without_a_folder_there_are_only_totals(log, tmp_path):
    done = reprice(log, by=("team", "month"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.parquet"]
    assert [row.group for row in done.totals.rows][:2] == [("red", "2025-02"), ("red", "2025-02")]
    assert (done.out, done.parts, done.rows) == (None, 0, 60)


def test_causes_are_told_with_their_rows_and_the_first_of_them(log, small):
    del small
    (cause,) = reprice(log).causes
    assert (cause.reason, cause.name, cause.rows, cause.first_row, cause.file) == ("unknown name", "gpt-9o", 15, 3, log.as_posix())
    assert cause.message.startswith("no model 'gpt-9o' in this book; did you mean ")


def test_several_files_of_one_stem_have_folders_of_their_own(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save(log_of(ROWS[:8]), tmp_path / folder / "log.parquet")
    save(log_of(ROWS[:4]), tmp_path / "a/log.csv")
    done = reprice([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert done.rows == 20
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["log", "log~2", "log~3"]


def test_files_may_have_other_types_and_columns_as_long_as_those_needed_are_there(tmp_path):
    one = log_of(ROWS[:8])
    two = one.set_column(2, "prompt_tokens", one.column("prompt_tokens").cast(pa.uint16())).drop_columns(["team"])
    two = two.set_column(0, "model", one.column("model").dictionary_encode())
    save(one, tmp_path / "one.parquet")
    save(two, tmp_path / "two.parquet")
    single, both = (reprice(paths, by="model") for paths in (tmp_path / "one.parquet", tmp_path))
    assert both.totals == single.totals + single.totals


def test_nested_columns_are_reached_by_dotted_names(tmp_path, book):
    table = log_of(ROWS)
    usage = pa.StructArray.from_arrays([table.column("prompt_tokens").combine_chunks()] * 2, names=["prompt_tokens", "completion_tokens"])
    nested = pa.table({"model": table.column("model"), "at": table.column("at"), "usage": usage})
    for name in ("n.parquet", "n.feather"):
        done = reprice(save(nested, tmp_path / name), tmp_path / f"out-{name}", model="gpt-4o")
        expected = sum(book.cost("gpt-4o", tc.Usage(input=row[1], output=row[1]), at=START) for row in ROWS)
        assert done.totals.total.amount == expected
        assert done.columns == {
            (tmp_path / name).as_posix(): {"at": "at", "input": "usage.prompt_tokens", "output": "usage.completion_tokens"}
        }
        kept = pq.read_table(tmp_path / f"out-{name}" / "n/part-00000.parquet")
        assert kept.column("usage").to_pylist()[0] == {"prompt_tokens": 1000, "completion_tokens": 1000}


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_the_words_of_the_caller_win_over_columns(tmp_path, book, name):
    log = save(log_of(ROWS), tmp_path / name)
    done = reprice(log, model="gpt-4o", at=START, service_tier="batch", columns={"cache_read": ""}, by=("model", "service_tier")[:1])
    expected = sum(book.cost("gpt-4o", tc.Usage(input=row[1], output=row[3]), at=START, service_tier="batch") for row in ROWS)
    assert done.totals.total.amount == expected


def test_bad_lines_are_kept_beside_and_counted(tmp_path, small):
    del small
    log = save(log_of(ROWS[:20]), tmp_path / "log.csv")
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[3:3] = ["a,b\n"]
    lines.append('"gpt-4o",2025-02-26 15:00:00Z,x,0,0,"red"\n')
    log.write_text("".join(lines), encoding="utf-8")
    done = reprice(log, tmp_path / "out", rows_per_part=3)
    assert (done.rows, done.bad_rows) == (20, 2)
    with (tmp_path / "out/bad-rows.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["file", "row", "reason", "text"],
            [log.as_posix(), "4", "2 cells, and the header has 6", "a,b"],
            [log.as_posix(), "23", "input='x' is not a whole number; write it in figures, without separators", lines[-1].strip()],
        ]


@pytest.mark.parametrize(("name", "columns", "words"), [
    ("azure_llm_2023_conv.csv", UsageColumns(zone="UTC"), {}),
    ("mooncake_conversation.jsonl", None, {"start": "2025-02-01T00:00:00Z"}),
])  # fmt: skip
def test_real_logs_cost_what_compare_says(shared, name, columns, words):
    log = shared / "traces" / name
    done = reprice(log, model="gpt-3.5-turbo", columns=columns, **words)
    (row,) = tc.compare(tc.read_trace(log), ["gpt-3.5-turbo"], at="each", zone="UTC", **words).rows
    assert done.totals.amounts == ({row.total.currency: row.total} if row.total is not None else {})
    assert done.rows == tc.read_trace(log).requests


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ({"by": "tema"}, ColumnError, r"no column 'tema' in .*log\.parquet; did you mean 'team'\?"),
        ({"keep": ("teams",)}, ColumnError, r"no column 'teams' in .*; did you mean 'team'\?"),
        ({"columns": {"input": "tokens"}}, ColumnError, r"no column 'tokens' in .*log\.parquet"),
        ({"columns": {"inptu": "team"}}, UnknownNameError, "no meter 'inptu'"),
        ({"columns": {"input": "team"}}, ColumnError, r"log\.parquet: column 'team'"),
        ({"kind": "xlsx"}, UnknownNameError, "kind='xlsx' is none of 'parquet', 'csv', 'jsonl', 'arrow'; pass one"),
        ({"amount": "cents"}, UnknownNameError, "amount='cents' is none of"),
        ({"columns": UsageColumns(at="prompt_tokens", meters={"input": "cached_tokens"})}, ColumnError, "unit="),
    ],
)
def test_a_question_that_cannot_be_is_an_error_that_names_the_file(log, tmp_path, words, kind, said):
    with pytest.raises(kind, match=said):
        reprice(log, tmp_path / "out", **words)


def test_instants_without_a_zone_are_refused(tmp_path):
    table = log_of(ROWS[:3])
    log = save(table.set_column(1, "at", table.column("at").cast(pa.timestamp("us"))), tmp_path / "log.parquet")
    with pytest.raises(InstantError, match=r"log\.parquet: column 'at'"):
        reprice(log)


def test_a_column_that_is_there_already_is_not_overwritten(log, tmp_path):
    reprice(log, tmp_path / "once")
    again = tmp_path / "once/log"
    with pytest.raises(ColumnError, match="has a column 'cost' already; pass prefix='new_' or another"):
        reprice(again, tmp_path / "twice", columns={"currency": ""})
    reprice(again, tmp_path / "twice", columns={"currency": ""}, prefix="new_")
    table = pq.read_table(tmp_path / "twice/part-00000/part-00000.parquet")
    assert table.column("new_cost").to_pylist() == table.column("cost").to_pylist()


@pytest.mark.parametrize("name", ["a.parquet", "a.feather"])
def test_a_broken_file_is_refused_before_anything_is_rated(tmp_path, name):
    good = save(log_of(ROWS), tmp_path / "good.parquet")
    bad = save(log_of(ROWS), tmp_path / name)
    bad.write_bytes(bad.read_bytes()[:-100])
    with pytest.raises(StreamError, match=rf"{name} cannot be read: .*; get it whole, or leave it out"):
        reprice([good, bad], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_without_rows_is_no_matter(tmp_path):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "none.jsonl").touch()
    save(log_of([]), tmp_path / "zero.parquet")
    done = reprice(tmp_path, tmp_path / "out", by="model")
    assert (done.rows, done.parts, done.totals.rows) == (0, 0, ())


def test_progress_is_told(log, small):
    del small
    steps = []
    reprice(log, progress=steps.append)
    assert steps[-1].rows == 60
    assert steps[-1].done == steps[-1].size == log.stat().st_size
    assert [step.rows for step in steps] == sorted(step.rows for step in steps)

"""Frames: the same data gives the same usage table whatever holds it, and comes back as what it was, with more columns."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from tokencost.rating.frames import attach, opened
from tokencost.rating.usage_table import Coded, UsageColumns, read_usage_table

pa = pytest.importorskip("pyarrow", reason="frames are read with pyarrow")
narwhals = pytest.importorskip("narwhals", reason="frames are read with narwhals")

NAMES = ["gpt-4o", "deepseek-chat", "claude-sonnet-4-5"]
INSTANTS = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone stands beside
COUNTS = st.integers(0, 10**15)


@st.composite
def logs(draw, *, gaps: bool):
    """Columns of a request log, as lists; with gaps, any cell may be empty."""
    rows = draw(st.integers(0, 8))

    def column(values):
        return draw(st.lists(st.one_of(st.none(), values) if gaps else values, min_size=rows, max_size=rows))

    return {
        "model": column(st.sampled_from(NAMES)),
        "timestamp": column(INSTANTS),
        "prompt_tokens": column(COUNTS),
        "cached_tokens": column(COUNTS),
        "completion_tokens": column(COUNTS),
        "mode": column(st.sampled_from(["fast", "flex"])),
    }


def arrow(log, text=None):
    types = {"model": text or pa.string(), "timestamp": pa.timestamp("us", "UTC"), "mode": text or pa.string()}
    return pa.table({name: pa.array(values, types.get(name, pa.int64())) for name, values in log.items()})


def encoded(log, index):
    table = arrow(log)
    for place, name in enumerate(table.column_names):
        if name in ("model", "mode"):
            table = table.set_column(place, name, table[name].combine_chunks().cast(pa.dictionary(index, pa.string())))
    return table


def halves(log):
    """Chunks whose dictionaries differ."""
    middle = len(log["model"]) // 2
    parts = [{name: values[:middle] for name, values in log.items()}, {name: values[middle:] for name, values in log.items()}]
    return pa.concat_tables([encoded(part, pa.int32()) for part in parts])


def batch(log):
    table = arrow(log)
    return pa.RecordBatch.from_arrays([column.combine_chunks() for column in table.columns], schema=table.schema)


class Capsule:
    """A frame of an unknown library, which only hands out a stream of Arrow."""

    def __init__(self, log):
        self.table = arrow(log)

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def pandas(log, **types):
    library = pytest.importorskip("pandas", reason="pandas is not installed")
    return library.DataFrame({name: library.Series(values, dtype=types.get(name)) for name, values in log.items()})


def pandas_arrow(log):
    library = pytest.importorskip("pandas", reason="pandas is not installed")
    return arrow(log).to_pandas(types_mapper=library.ArrowDtype)


TIMES = "datetime64[us, UTC]"
INTEGERS = dict.fromkeys(("prompt_tokens", "cached_tokens", "completion_tokens"), "Int64")


def polars(log, text="String"):
    library = pytest.importorskip("polars", reason="polars is not installed")
    kind = library.Enum([*NAMES, "flex", "fast"]) if text == "Enum" else getattr(library, text)
    types = {"model": kind, "timestamp": library.Datetime("us", "UTC"), "mode": kind}
    return library.DataFrame(log, schema={name: types.get(name, library.Int64) for name in log})


def duckdb(log):
    library = pytest.importorskip("duckdb", reason="duckdb is not installed")
    return library.from_arrow(arrow(log))


KINDS = {
    "dict of arrays of objects": lambda log: {name: np.array([*values, None], object)[:-1] for name, values in log.items()},
    "dict of arrow": lambda log: dict(zip(log, arrow(log).columns, strict=True)),
    "dict of polars": lambda log: {name: polars(log)[name] for name in log},
    "dict of pandas": lambda log: {name: pandas(log, timestamp=TIMES, **INTEGERS)[name] for name in log},
    "arrow": arrow,
    "arrow large": lambda log: arrow(log, pa.large_string()),
    "arrow view": lambda log: arrow(log, pa.string_view()),
    "arrow dictionary of int8": lambda log: encoded(log, pa.int8()),
    "arrow dictionary of uint8": lambda log: encoded(log, pa.uint8()),
    "arrow dictionary of uint32": lambda log: encoded(log, pa.uint32()),
    "arrow dictionary of int64": lambda log: encoded(log, pa.int64()),
    "arrow chunks": halves,
    "arrow slice": lambda log: arrow({name: [*values[:1], *values] for name, values in log.items()}).slice(1 if log["model"] else 0),
    "arrow batch": batch,
    "capsule": Capsule,
    "pandas": lambda log: pandas(log, timestamp=TIMES, **INTEGERS),
    "pandas object": lambda log: pandas(log, model=object, mode=object, timestamp=object, **dict.fromkeys(INTEGERS, object)),
    "pandas category": lambda log: pandas(log, model="category", mode="category", timestamp=TIMES, **INTEGERS),
    "pandas arrow": pandas_arrow,
    "polars": polars,
    "polars categorical": lambda log: polars(log, "Categorical"),
    "polars enum": lambda log: polars(log, "Enum"),
    "polars lazy": lambda log: polars(log).lazy(),
    "duckdb": duckdb,
}


def texts(column):
    return [column.names[code] if code >= 0 else None for code in column.codes.tolist()] if isinstance(column, Coded) else column


def plain(table):
    """A usage table as lists, to be compared."""
    return {
        "rows": table.rows,
        "model": texts(table.model),
        "at": table.at.tolist(),
        "counts": {meter: counts.tolist() for meter, counts in table.counts.items()},
        "mode": texts(table.mode),
        "totals": table.totals,
        "unreadable": {fault.reason: fault.rows.tolist() for fault in table.unreadable},
    }


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(st.one_of(logs(gaps=False), logs(gaps=True)))
def test_the_same_data_gives_the_same_usage(kind, log):
    """Every kind of table gives the usage that the lists give."""
    expected = read_usage_table(log)
    actual = read_usage_table(KINDS[kind](log))

    assert plain(actual) == plain(expected)
    assert all(counts.dtype == np.int64 and counts.flags.c_contiguous for counts in actual.counts.values())
    assert actual.model.codes.dtype.kind == "i"
    assert len(set(actual.model.names)) == len(actual.model.names)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_come_back_beside_the_old_ones(kind):
    """The table is of the same kind, has the old columns and the new, and is itself unchanged."""
    log = {
        "model": ["gpt-4o", "deepseek-chat"],
        "timestamp": [datetime(2025, 6, 1, 12, tzinfo=UTC)] * 2,
        "prompt_tokens": [1, 2],
        "completion_tokens": [3, 4],
        "mode": ["fast", "flex"],
        "cached_tokens": [0, 1],
    }
    source = KINDS[kind](log)
    table = read_usage_table(source)
    cost = pa.array([Decimal("0.10"), None], pa.decimal128(38, 2))
    outcome = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), ["priced", "unknown"])

    wide = attach(table.source, {"cost": cost, "outcome": outcome, "ticks": np.array([10, 0]), "why": np.array(["", "x"], object)})

    assert isinstance(wide, pa.Table if kind == "capsule" else type(source))
    made = opened(wide)
    assert made.names == (*log, "cost", "outcome", "ticks", "why")
    assert texts(made.read("outcome")) == ["priced", "unknown"]
    assert [Decimal("0.10"), None] == decimals(wide)
    assert made.read("ticks").values.tolist() == [10, 0]
    assert plain(read_usage_table(wide)) == plain(table)
    if kind != "capsule":
        assert "cost" not in opened(source).names
    with pytest.raises(tc.ColumnError, match="the table has a column 'mode' already; pass prefix='tokencost_' or another") as caught:
        attach(table.source, {"mode": cost})
    assert caught.value.column == "mode"


def decimals(table):
    """The column of costs, as Python's decimals."""
    if isinstance(table, dict):
        return table["cost"].to_pylist()
    frame = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table
    return narwhals.from_native(frame).lazy().collect("pyarrow")["cost"].to_list()


def test_a_frame_of_pandas_keeps_its_index():
    source = pandas({"model": ["a", "b"], "input": [1, 2]})
    source.index = ["x", "x"]

    wide = attach(source, {"cost": pa.array([1, None])})

    assert wide.index.tolist() == ["x", "x"]
    assert wide["cost"].tolist()[0] == 1


def test_counts_and_codes_are_shared_with_the_frame():
    """Integers of 64 bits, instants in microseconds and dictionaries are read where they lie."""
    codes, tokens, at = np.array([0, 1], np.int32), np.array([1, 2]), np.array([3, 4])
    table = pa.table(
        {
            "model": pa.DictionaryArray.from_arrays(pa.array(codes), ["a", "b"]),
            "at": pa.array(at).view(pa.timestamp("us", "Asia/Shanghai")),
            "input": pa.array(tokens),
            "output": pa.array(tokens),
        }
    )
    read = read_usage_table(table)

    assert np.shares_memory(read.model.codes, codes)
    assert np.shares_memory(read.at, at)
    assert np.shares_memory(read.counts["input"], tokens)
    unsigned = pa.DictionaryArray.from_arrays(pa.array(codes.view(np.uint32)), ["a", "b"])
    assert np.shares_memory(read_usage_table(table.set_column(0, "model", unsigned)).model.codes, codes)


def test_frames_of_pandas_and_polars_are_read_where_they_lie():
    frame = pandas({"model": ["a", "b"], "at": ["2025-06-01T12:00:00Z"] * 2, "input": [1, 2], "output": [1, 2]}, model="category", at=TIMES)
    read = read_usage_table(frame)

    assert np.shares_memory(read.counts["input"], frame["input"].to_numpy())
    assert np.shares_memory(read.model.codes, frame["model"].array.codes)
    assert np.shares_memory(read.at, frame["at"].to_numpy("M8[us]"))
    other = polars({"model": ["a", "b"], "timestamp": [datetime(2025, 6, 1, tzinfo=UTC)] * 2, "input": [1, 2], "output": [1, 2]})
    assert np.shares_memory(read_usage_table(other).counts["input"], other["input"].to_numpy())
    assert np.shares_memory(read_usage_table(other).at, other["timestamp"].to_physical().to_numpy())


def test_a_dictionary_may_repeat_its_names_or_miss_one():
    """Codes over names of which two are the same, and one is null, become codes over distinct names."""
    model = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None, 3]), pa.array(["a", "b", "a", None]))
    table = read_usage_table(pa.table({"model": model, "input": [1] * 5, "output": [1] * 5}), at="2025-06-01T12:00:00Z")

    assert (table.model.names, texts(table.model)) == (("a", "b"), ["a", "b", "a", None, None])


ONE = {"model": ["m"], "at": [datetime(2025, 6, 1, 12, tzinfo=UTC)], "input": [1], "output": [1]}


def changed(**columns):
    return pa.table({name: columns.get(name, values) for name, values in ONE.items()} | columns)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            {"input": pa.array(["1"])},
            "column 'input' has the type text, and input counts whole numbers; convert it to integers, or name another",
        ),
        ({"input": pa.array([True])}, "column 'input' has the type bool"),
        ({"input": pa.array([Decimal("1.0")])}, r"column 'input' has the type decimal128\(2, 1\)"),
        ({"input": pa.array([[1]])}, "column 'input' has the type list<.+int64>"),
        ({"input": pa.array([datetime(2025, 6, 1, tzinfo=UTC)])}, r"column 'input' has the type timestamp\[us, tz=UTC\]"),
        ({"model": pa.array([1])}, "column 'model' has the type int64, and model is text"),
        ({"at": pa.array([1])}, "column 'at' has the type int64, and integers may be seconds or milliseconds; say what they count"),
        ({"at": pa.array([1.0])}, "column 'at' has the type double"),
        ({"at": pa.array([date(2025, 6, 1)])}, r"column 'at' has the type date32\[day\], and a date spans many hours"),
    ],
)
def test_a_column_of_another_type_is_an_error_that_names_it(column, said):
    with pytest.raises(tc.ColumnError, match=said) as caught:
        read_usage_table(changed(**column))
    assert caught.value.column in column


@pytest.mark.parametrize("at", [[datetime(2025, 6, 1, 20)], ["2025-06-01T20:00:00"]])  # noqa: DTZ001 - the point
def test_instants_without_an_offset_need_a_zone(at):
    table = changed(at=pa.array(at))

    with pytest.raises(tc.InstantError, match=r"column 'at' holds .+, instants without an offset; say where the clock stood"):
        read_usage_table(table)
    assert read_usage_table(table, columns=UsageColumns(zone="Asia/Shanghai")).at.tolist() == [1_748_779_200_000_000]


@pytest.mark.parametrize(
    "texts",
    [
        ["2025-06-01T12:00:00Z", "2025-06-01T20:00:00.5+08:00", None],
        ["2025-06-01T12:00:00.123456789Z"] * 3,
        ["2025-06-01T12:00:00Z", "2025-06-01", "soon"],
        ["2025-06-01T12:00:00", "2025-06-01T12:00:00Z", None],
        ["2025-06-01", "2025-06-02", None],
        [" 2025-06-01T12:00:00Z", "2025-06-01 12:00+0000", ""],
        [None, None, None],
    ],
)
def test_instants_as_text_are_read_as_those_of_a_list(texts):
    zeros = {"input": [0] * 3, "output": [0] * 3}

    assert plain(read_usage_table(pa.table({"at": pa.array(texts, pa.string()), **zeros}), model="m")) == plain(
        read_usage_table({"at": texts, **zeros}, model="m")
    )


@pytest.mark.parametrize(("unit", "micros"), [("s", 2_000_000), ("ms", 2_000), ("us", 2), ("ns", 0)])
def test_timestamps_of_any_unit(unit, micros):
    table = changed(at=pa.array([2]).view(pa.timestamp(unit, "UTC")))

    assert read_usage_table(table).at.tolist() == [micros]


@pytest.mark.parametrize(
    "tokens",
    [
        pa.array([7], pa.uint8()),
        pa.array([7.0], pa.float32()),
        pa.array([7], pa.decimal128(38, 0)),
        pa.array([7]).dictionary_encode(),
        pa.RunEndEncodedArray.from_arrays([1], [7]),
    ],
    ids=lambda tokens: str(tokens.type),
)
def test_counts_of_any_type_that_is_whole(tokens):
    assert read_usage_table(changed(input=tokens)).counts["input"].tolist() == [7]


def test_a_count_beyond_64_bits_is_a_fault_of_its_row():
    table = read_usage_table(changed(input=pa.array([2**70], pa.decimal128(38, 0))))

    assert [(fault.reason, fault.rows.tolist()) for fault in table.unreadable] == [
        ("a number beyond 64 bits in column 'input'; check its unit", [0])
    ]


def test_a_column_that_is_there_twice():
    doubled = pa.Table.from_arrays([pa.array(["m"]), *(pa.array([1]) for _ in range(4))], ["model", "input", "output", "note", "note"])

    assert read_usage_table(doubled, at="2025-06-01T12:00:00Z").rows == 1
    with pytest.raises(tc.ColumnError, match="column 'note' is there 2 times; rename all but one"):
        read_usage_table(doubled, at="2025-06-01T12:00:00Z", columns={"tenant": "note"})
    twice = pandas({"input": [1], "output": [1]})
    twice.columns = ["input", "input"]
    with pytest.raises(tc.ColumnError, match="column 'input' is there 2 times; rename all but one"):
        read_usage_table(twice)


@pytest.mark.parametrize("table", [7, "log.csv", [1, 2], None])
def test_what_is_no_table(table):
    with pytest.raises(tc.ColumnError, match=rf"a {type(table).__name__} is no table; pass a dict of arrays, or a frame of pandas"):
        read_usage_table(table)


@pytest.mark.parametrize("kind", KINDS)
def test_any_column_can_be_grouped_by(kind):
    log = {"model": NAMES[:2], "timestamp": [datetime(2025, 6, 1, tzinfo=UTC)] * 2, "prompt_tokens": [1, 1], "completion_tokens": [1, 2]}
    table = read_usage_table(KINDS[kind](log | {"mode": ["fast", None], "cached_tokens": [7, None]}))

    assert texts(table.column("mode")) == ["fast", None]
    assert table.column("prompt_tokens").tolist() == [1, 1]
    assert [None if cell is None or cell != cell else int(cell) for cell in table.column("cached_tokens").tolist()] == [7, None]  # noqa: PLR0124 - a NaN
    if "object" not in kind:
        assert table.column("timestamp").astype("M8[s]").astype(str).tolist() == ["2025-06-01T00:00:00"] * 2


def test_a_lazy_frame_is_collected_once():
    """Costs stand beside the rows that they were made from, however often the frame would give others."""
    library = pytest.importorskip("polars", reason="polars is not installed")
    calls = []
    source = polars({"model": ["m"], "input": [1], "output": [1]}).lazy().map_batches(lambda frame: calls.append(1) or frame, schema=None)
    table = read_usage_table(source, at="2025-06-01T12:00:00Z")
    table.column("model")
    attach(table.source, {"cost": np.array([1])}).collect()

    assert isinstance(source, library.LazyFrame)
    assert len(calls) == 1


def test_neither_is_imported_for_a_dict():
    """A dict of arrays needs nothing but numpy."""
    code = (
        "import sys; from tokencost.rating.frames import attach; from tokencost.rating.usage_table import read_usage_table; "
        "t = read_usage_table({'input': [1], 'output': [1]}, model='m', at='2025-06-01T12:00:00Z'); attach(t.source, {'cost': [1]}); "
        "sys.exit(bool({'pyarrow', 'narwhals', 'pandas', 'polars', 'duckdb'} & set(sys.modules)))"
    )

    assert run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("missing", ["pyarrow", "narwhals"])
def test_what_is_missing_is_named(monkeypatch, missing):
    for name in [
        name
        for name in sys.modules
        if name.split(".")[0] == missing or name.startswith(("tokencost.rating.native", "tokencost.rating.arrow"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("tokencost.rating.native", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(
        ModuleNotFoundError, match=f"reading a frame needs {missing}, a dict of arrays does not; install it with: pip install"
    ):
        read_usage_table(object())

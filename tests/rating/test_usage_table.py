"""Usage tables from dicts of arrays: the same rows whatever the arrays, faults by the row, errors by the column."""

# ruff: noqa: DTZ001 - local clocks are read here

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.rating.headings import find_columns
from tokencost.rating.instants import to_utc
from tokencost.rating.usage_table import Coded, UsageColumns, read_usage_table

AT = "2025-06-01T12:00:00Z"
MICROS = 1_748_779_200_000_000
EPOCH = datetime(1970, 1, 1)
TICK = timedelta(microseconds=1)
ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Monrovia",
    "Pacific/Apia",
)


def read(table, **choice):
    return read_usage_table({"model": ["gpt-4o"], "at": [AT], "input": [1], "output": [1]} | table, **choice)


def counts(values, **choice):
    """Read a column of input tokens; its counts, and the rows of each reason."""
    table = read_usage_table({"input": values, "output": [0] * len(values)}, model="gpt-4o", at=AT, **choice)
    return table.counts["input"].tolist(), {fault.reason.split(";")[0]: fault.rows.tolist() for fault in table.unreadable}


def instants(values, **choice):
    zeros = [0] * len(values)
    table = read_usage_table({"at": values, "input": zeros, "output": zeros}, model="gpt-4o", columns=UsageColumns(**choice))
    return table.at.tolist(), {fault.reason.split(";")[0]: fault.rows.tolist() for fault in table.unreadable}


def test_reads_names_instants_and_counts():
    table = read_usage_table(
        {
            "gen_ai.request.model": ["gpt-4o", "gpt-4o-mini", "gpt-4o"],
            "timestamp": np.array(["2025-06-01T12:00", "2025-06-01T12:01", "NaT"], "M8[s]"),
            "prompt_tokens": np.array([10, 20, 30], np.uint16),
            "completion_tokens": [1, 2, 3],
            "service_tier": ["batch", None, None],
            "note": ["a", "b", "c"],
        },
        columns=UsageColumns(zone="UTC"),
    )

    assert (table.rows, table.totals, table.currency, table.mode) == (3, True, None, None)
    assert (table.model.codes.tolist(), table.model.names) == ([0, 1, 0], ("gpt-4o", "gpt-4o-mini"))
    assert table.at.tolist() == [MICROS, MICROS + 60_000_000, 0]
    assert {meter: found.tolist() for meter, found in table.counts.items()} == {"input": [10, 20, 30], "output": [1, 2, 3]}
    assert {found.dtype for found in table.counts.values()} == {np.dtype(np.int64)}
    assert (table.service_tier.codes.tolist(), table.service_tier.names) == ([0, -1, -1], ("batch",))
    assert [(fault.reason, fault.rows.tolist()) for fault in table.unreadable] == [
        ("no instant in column 'timestamp'; write when the request was made", [2])
    ]


def test_an_argument_is_one_value_for_all_rows_and_wins():
    table = read(
        {"currency": ["EUR"], "mode": ["fast"]},
        model="o3",
        at="2025-06-01T14:00:00+02:00",
        currency="USD",
        mode="x",
        residency="eu",
        tenant="t",
    )

    assert (table.model, table.at, table.currency, table.mode) == ("o3", datetime(2025, 6, 1, 12, tzinfo=UTC), "USD", "x")
    assert (table.residency, table.tenant, table.service_tier) == ("eu", "t", None)


def test_the_arrays_of_the_table_are_shared():
    """Counts of 64 bits and instants in microseconds are not copied."""
    tokens, at = np.arange(5), np.arange(5).view("M8[us]")
    table = read_usage_table({"at": at, "input": tokens, "output": tokens}, model="gpt-4o", columns=UsageColumns(zone="UTC"))

    assert np.shares_memory(table.counts["input"], tokens)
    assert np.shares_memory(table.at, at)


def test_what_is_not_contiguous_is_made_so():
    tokens = np.arange(10)[::2]

    assert read_usage_table({"input": tokens, "output": tokens}, model="m", at=AT).counts["input"].flags.c_contiguous


INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.float32, np.float64, ">i4", ">f8", object]


@given(st.data(), st.sampled_from(INTEGERS))
def test_counts_are_the_same_in_any_type_that_holds_them(data, kind):
    drawn = data.draw(st.lists(st.integers(0, 127), max_size=20))

    assert counts(np.array(drawn, kind)) == (drawn, {})
    assert counts(tuple(drawn)) == (drawn, {})


@given(st.lists(st.one_of(st.none(), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from(["7", " 8 ", "9.0", "x", "", True, b"1"]))))
def test_cells_of_any_kind_are_counts_or_faults(drawn):
    """A whole number is read as it is, an empty cell is a fault of a total, anything else a fault with its reason."""
    values = [1, *drawn]
    found, faults = counts(values)

    faulty = {row for rows in faults.values() for row in rows}
    for row, value in enumerate(values):
        whole = value if type(value) is int else int(value) if isinstance(value, float) and value.is_integer() else None
        whole = {"7": 7, " 8 ": 8, "9.0": 9}.get(value, whole) if isinstance(value, str) else whole
        good = whole is not None and -(2**63) <= whole < 2**63
        assert (row not in faulty) == good
        assert found[row] == (whole if good else 0)


def test_the_reasons_of_counts():
    assert counts([1, None, 1.5, 2**64, "many", True, [2], Decimal(3), Decimal("NaN"), float("inf"), np.int8(4)]) == (
        [1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 4],
        {
            "a fraction in column 'input'": [2],
            "a number beyond 64 bits in column 'input'": [3, 9],
            "text that is no whole number in column 'input'": [4],
            "a bool in column 'input'": [5],
            "a list in column 'input'": [6],
            "no input in column 'input'": [1, 8],
        },
    )
    assert counts(np.array([1.0, np.nan, 0.5, np.inf, 2.0**63, -(2.0**63)])) == (
        [1, 0, 0, 0, 0, -(2**63)],
        {
            "a fraction in column 'input'": [2],
            "a number beyond 64 bits in column 'input'": [3, 4],
            "no input in column 'input'": [1],
        },
    )
    assert counts(np.array([1, 2**63], np.uint64)) == ([1, 0], {"a number beyond 64 bits in column 'input'": [1]})
    assert counts(np.ma.array([1, 2], mask=[False, True])) == ([1, 0], {"no input in column 'input'": [1]})


def test_an_empty_cell_is_nothing_of_a_part_and_a_fault_of_a_total():
    table = read_usage_table({"input": [9, 9], "output": [None, 1], "cache_read": [3, None]}, model="m", at=AT)

    assert (table.counts["cache_read"].tolist(), table.counts["output"].tolist()) == ([3, 0], [0, 1])
    assert [fault.rows.tolist() for fault in table.unreadable] == [[0]]
    seconds = read_usage_table({"audio_s": [5, None]}, model="m", at=AT, columns={"audio_s": "audio_s"})
    assert [fault.rows.tolist() for fault in seconds.unreadable] == [[1]]


@pytest.mark.parametrize(
    "values",
    [["1", "2"], np.array(["1"]), [True], np.array([True]), np.array([1], "m8[s]"), np.array([1], "M8[s]"), [b"1"][:0] or np.array([b"1"])],
)
def test_counts_of_another_type_are_an_error_of_the_column(values):
    with pytest.raises(
        tc.ColumnError, match=r"column 'input' has the type .+, and input counts whole numbers; convert it to integers"
    ) as caught:
        counts(values)
    assert caught.value.column == "input"


@given(st.lists(st.one_of(st.none(), st.sampled_from(["gpt-4o", "o3", "", "é"]))))
def test_names_are_the_same_in_any_array_of_text(drawn):
    def names(values):
        table = read_usage_table({"model": values, "input": [0] * len(drawn), "output": [0] * len(drawn)}, at=AT)
        codes, known = table.model
        assert [list(fault.rows) for fault in table.unreadable] == (
            [[row for row, name in enumerate(drawn) if name is None]] if None in drawn else []
        )
        return [None if code < 0 else known[code] for code in codes.tolist()]

    assert names(drawn) == names(np.array(drawn, object)) == drawn
    if None not in drawn:
        assert names(np.array(drawn, "U10")) == drawn
    if hasattr(np.dtypes, "StringDType"):
        assert names(np.array(drawn, np.dtypes.StringDType(na_object=None))) == drawn


@pytest.mark.parametrize(
    ("values", "kind"), [([1], "list with a int"), (np.array([1]), "int64"), ([["a"]], "list with a list"), (np.array([b"a"]), r"\|S1")]
)
def test_names_of_another_type_are_an_error_of_the_column(values, kind):
    with pytest.raises(
        tc.ColumnError, match=rf"column 'model' has the type {kind}, and model is text; convert it to text, or name another"
    ):
        read({"model": values})


@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), min_size=1), st.sampled_from(ZONES))
def test_a_local_clock_is_read_as_zoneinfo_reads_it(drawn, zone):
    """Of a repeated hour the first is meant, a skipped time has the offset from before."""
    local = np.array([(at - EPOCH) // TICK for at in drawn])
    expected = [(at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None) - EPOCH) // TICK for at in drawn]

    assert to_utc(local, ZoneInfo(zone)).tolist() == expected
    assert instants(local.view("M8[us]"), zone=zone) == (expected, {})
    assert instants(drawn, zone=zone) == (expected, {})
    assert instants([at.isoformat() for at in drawn], zone=zone) == (expected, {})


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Monrovia", "Africa/Casablanca"])
def test_a_local_clock_around_its_changes(zone):
    """Every ten minutes of two years, changes of daylight saving included, and those that are not on a quarter."""
    start = datetime(1971, 6, 1) if zone == "Africa/Monrovia" else datetime(2024, 1, 1)
    drawn = [start + timedelta(minutes=10 * step, microseconds=step) for step in range(2 * 366 * 144)]
    expected = [(at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None) - EPOCH) // TICK for at in drawn]

    assert to_utc(np.array([(at - EPOCH) // TICK for at in drawn]), ZoneInfo(zone)).tolist() == expected


@given(
    st.lists(
        st.datetimes(
            datetime(1970, 1, 1),
            datetime(2200, 1, 1),
            timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), ZoneInfo("Europe/Berlin")]),
        )
    )
)
def test_aware_instants_need_no_zone(drawn):
    expected = [tc.to_instant(at) for at in drawn]
    micros = [(at.replace(tzinfo=None) - EPOCH) // TICK for at in expected]

    assert instants(drawn) == (micros, {})
    assert instants([at.isoformat() for at in expected], zone="Asia/Shanghai") == (micros, {})


@pytest.mark.parametrize(("unit", "per"), [("s", 10**6), ("ms", 10**3), ("us", 1), ("ns", None)])
def test_integers_count_from_1970_in_their_unit(unit, per):
    values = [-1, 0, 1, 1_748_779_200]
    expected = [value * per if per else value // 1000 for value in values]

    assert instants(np.array(values), unit=unit) == (expected, {})
    assert instants(values, unit=unit) == (expected, {})
    assert instants(np.array(values, f"M8[{unit}]"), zone="UTC") == (expected, {})


def test_the_reasons_of_instants():
    assert instants([AT, None, "soon", "2025-06-01", "2025-06-01T12:00", object, "9999-12-31T23:59:59-01:00"]) == (
        [MICROS, 0, 0, 0, 0, 0, 0],
        {
            "text that is no ISO 8601 instant in column 'at'": [2],
            "a bare date in column 'at', which spans many hours": [3],
            "a type in column 'at', not an instant": [5],
            "an instant outside the years 1 to 9999 in column 'at'": [6],
            "an instant without an offset in column 'at'": [4],
            "no instant in column 'at'": [1],
        },
    )
    assert instants(np.array([1, 2**62]), unit="s") == ([1_000_000, 0], {"an instant outside the years 1 to 9999 in column 'at'": [1]})
    assert instants(np.array([1, 2**62], "M8[us]"), zone="Asia/Shanghai")[1] == {
        "an instant outside the years 1 to 9999 in column 'at'": [1]
    }


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        (np.array([1]), tc.ColumnError, "column 'at' has the type int64, and integers may be seconds or milliseconds; say what they count"),
        ([1], tc.ColumnError, "column 'at' has the type int, and integers may be seconds"),
        (np.array([1.0]), tc.ColumnError, "column 'at' has the type float64, and at is an instant"),
        ([1.0], tc.ColumnError, "column 'at' has the type float, and at is an instant"),
        (np.array([True]), tc.ColumnError, "column 'at' has the type bool"),
        (np.array(["2025-06-01"], "M8[D]"), tc.ColumnError, r"column 'at' has the type datetime64\[D\], and a date spans many hours"),
        (
            np.array([1], "M8[us]"),
            tc.InstantError,
            r"column 'at' holds datetime64\[us\], instants without an offset; say where the clock stood",
        ),
        ([datetime(2025, 1, 1), None], tc.InstantError, "column 'at' holds .+ and the like, instants without an offset"),
        (["2025-06-01T12:00"], tc.InstantError, "column 'at' holds '2025-06-01T12:00' and the like, instants without an offset"),
    ],
)
def test_instants_of_another_type_are_an_error_of_the_column(values, error, said):
    with pytest.raises(error, match=said):
        instants(values)


def test_a_bare_date_among_instants_is_a_fault_of_its_row():
    assert instants([datetime(2025, 6, 1, 12, tzinfo=UTC), date(2025, 6, 1)]) == (
        [MICROS, 0],
        {"a bare date in column 'at', which spans many hours": [1]},
    )


@pytest.mark.parametrize(
    ("table", "columns", "said"),
    [
        (
            {"at": [AT], "input": [1], "output": [1]},
            {},
            r"no column of model in this table, which has at, input, output; name it with columns=\{'model': 'NAME'\}",
        ),
        (
            {"model": ["m"], "input": [1], "output": [1]},
            {},
            "no column of at in this table, .+ or pass at='2025-02-01T12:00:00Z' for all rows",
        ),
        (
            {"model": ["m"], "at": [AT], "input": [1]},
            {},
            r"no column of output tokens in this table, .+; name it with columns=\{'output': 'NAME'\}, or '' for none",
        ),
        (
            {"model": ["m"], "at": [AT], "input": [1], "Input": [1], "output": [1]},
            {},
            "columns 'Input' and 'input' of this table both look like input",
        ),
        (
            {"model": ["m"], "at": [AT], "input": [1], "output": [1, 2]},
            {},
            "column 'output' has 2 rows and 'model' has 1; make all columns as long",
        ),
        ({"model": "m", "at": [AT], "input": [1], "output": [1]}, {}, "column 'model' is a str, not one value for each row"),
        ({"model": ["m"], "at": [AT], "input": np.ones((1, 1)), "output": [1]}, {}, "column 'input' is a array of 2 dimensions"),
        ({"model": ["m"], "at": [AT], "input": [1], "output": [1]}, {"tenant": "tennant"}, "no column 'tennant' in this table; it has"),
        (
            {"model": ["m"], "at": [AT], "input": [1], "output": [1]},
            {"input": "output", "output": "output"},
            "is named for both input and output",
        ),
    ],
)
def test_a_column_that_is_wrong_is_one_error(table, columns, said):
    with pytest.raises(tc.ColumnError, match=said):
        read_usage_table(table, columns=columns)


def test_a_column_that_is_there_twice_is_an_error_only_where_it_is_read():
    header = ("model", "at", "input", "output", "note", "note")

    assert find_columns(header, {}) == {"model": "model", "at": "at", "input": "input", "output": "output"}
    with pytest.raises(tc.ColumnError, match="column 'note' is there 2 times; rename all but one"):
        find_columns(header, {"tenant": "note"})


def test_the_columns_that_a_caller_names():
    table = read_usage_table(
        {"llm": ["a"], "when": [7], "n": [1], "m": [2], "output": [3], "model": ["b"]},
        columns=UsageColumns(model="llm", at="when", unit="s", meters={"input": "n", "cache_read": "m"}, counts="disjoint"),
    )

    assert (table.model.names, table.at.tolist(), table.totals) == (("a",), [7_000_000], False)
    assert {meter: found.tolist() for meter, found in table.counts.items()} == {"input": [1], "cache_read": [2], "output": [3]}
    assert read({"cache_read": [1]}, columns={"cache_read": ""}).counts.keys() == {"input", "output"}
    assert read({}, columns={"output": ""}).counts.keys() == {"input"}


def test_anthropic_columns_are_disjoint():
    table = {"input_tokens": [1], "cache_read_input_tokens": [2], "output_tokens": [3]}

    assert not read_usage_table(table, model="m", at=AT).totals
    assert read_usage_table(table, model="m", at=AT, columns=UsageColumns(counts="totals")).totals


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: UsageColumns(counts="both"), tc.UnknownNameError, "counts='both' is none of 'totals', 'disjoint'; pass one"),
        (lambda: UsageColumns(unit="m"), tc.UnknownNameError, "unit='m' is none of"),
        (lambda: UsageColumns(zone="Mars/Olympus"), tc.InstantError, "zone 'Mars/Olympus' is not a time zone"),
        (
            lambda: UsageColumns.of({"zone": "UTC"}),
            tc.UnknownNameError,
            r"'zone' is no meter .+ pass columns=UsageColumns\(zone='UTC', ...\)",
        ),
        (lambda: read({}, columns={"inptu": "input"}), tc.UnknownNameError, "no meter 'inptu' to read a column for; did you mean 'input'"),
        (lambda: read({}, at="2025-06-01"), tc.InstantTypeError, "is a date at best"),
    ],
)
def test_words_that_are_none(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_any_column_of_the_source_can_be_grouped_by():
    table = read(
        {
            "team": ["red"],
            "on": np.array(["2025-06-01"], "M8[D]"),
            "n": np.array([7]),
            "gap": [None],
            "hot": [True],
            "span": np.array([1], "m8[s]"),
        }
    )

    assert isinstance(table.column("team"), Coded)
    assert table.column("on").tolist() == [date(2025, 6, 1)]
    assert table.column("n").tolist() == [7]
    assert table.column("hot").tolist() == [True]
    assert table.column("gap").codes.tolist() == [-1]
    assert read(
        {"n": [7, None]} | {name: 2 * values for name, values in {"model": ["m"], "at": [AT], "input": [1], "output": [1]}.items()}
    ).column("n").tolist() == [7, None]
    with pytest.raises(tc.ColumnError, match="no column 'taem' in this table; did you mean 'team'"):
        table.column("taem")
    with pytest.raises(tc.ColumnError, match=r"column 'span' has the type timedelta64\[s\], and rows are not grouped by it"):
        table.column("span")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7, None, 8], [7, None, 8]),
        ([2**64, 1, -1], [2**64, 1, -1]),
        ([1, 2, 3], [1, 2, 3]),
        ([True, False, True], [True, False, True]),
        (np.ma.array([1, 2, 3], mask=[0, 1, 0]), [1, None, 3]),
        (np.array(["2025-06-01T12", "NaT", "2025-06-02T12"], "M8[h]"), [datetime(2025, 6, 1, 12), None, datetime(2025, 6, 2, 12)]),
    ],
)
def test_empty_cells_of_a_column_to_group_by_are_none(values, expected):
    table = {"model": ["m"] * 3, "at": [AT] * 3, "input": [1] * 3, "output": [1] * 3, "key": values}

    assert read_usage_table(table).column("key").tolist() == expected


def test_cells_that_do_not_hash_are_not_grouped_by():
    with pytest.raises(tc.ColumnError, match="column 'key' has the type list with a list, and rows are not grouped by it; group by text"):
        read({"key": [[1]]}).column("key")


def test_a_table_without_rows():
    table = read_usage_table({"model": [], "at": [], "input": [], "output": []})

    assert (table.rows, table.at.tolist(), table.model.names, table.unreadable) == (0, [], (), ())

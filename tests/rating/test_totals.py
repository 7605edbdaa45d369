"""Totals: sums by group and currency that are exact, whatever the parts, and that say which rows they leave out."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.rating.row import OUTCOMES
from tokencost.rating.totals import CostTotals, Sums
from tokencost.rating.usage_table import UsageColumns

JUNE = "2025-06-01T12:00:00Z"
AMOUNTS = st.decimals(0, 10**9, places=12, allow_nan=False) | st.decimals(0, 1, places=18, allow_nan=False) | st.just(Decimal(10**22))
VALUES = st.none() | st.sampled_from(["", "a", "B", "10"]) | st.integers(-3, 3) | st.booleans() | st.sampled_from([0.5, -1e300])
COUNTS = st.tuples(*[st.integers(0, 10**9)] * 4)
KEYS = st.tuples(st.tuples(VALUES, VALUES), st.sampled_from(["USD", "CNY", None]))
GROUPS = st.dictionaries(KEYS, st.builds(Sums, COUNTS, AMOUNTS, AMOUNTS), max_size=5)
TOTALS = st.builds(lambda groups: CostTotals(("a", "b"), groups), GROUPS)


@given(TOTALS, TOTALS, TOTALS)
def test_adding_is_commutative_and_associative(left, middle, right):
    assert left + middle == middle + left
    assert (left + middle) + right == left + (middle + right) == CostTotals.merged([right, left, middle])
    assert (left + middle).rows == (middle + left).rows


@given(TOTALS)
def test_nothing_added_changes_nothing_and_parts_stay_as_they_were(totals):
    before = dict(totals.groups)

    assert totals + CostTotals(totals.by) == totals == CostTotals.merged([totals])
    _ = totals + totals
    assert totals.groups == before
    assert CostTotals.merged([], by=("a", "b")) == CostTotals(("a", "b"))


@given(TOTALS)
def test_json_holds_all_of_it(totals):
    again = CostTotals.from_json(totals.to_json())

    assert again == totals
    assert again.rows == totals.rows
    assert again.to_json() == totals.to_json()


@given(TOTALS)
def test_rows_are_sorted_with_empty_values_last(totals):
    rows = totals.rows

    assert len(rows) == len(totals.groups)
    for place in (0, 1):
        values = [row.group[place] for row in rows if row.group[:place] == rows[0].group[:place]]
        assert [value is None for value in values] == sorted(value is None for value in values)
        texts = [value for value in values if isinstance(value, str)]
        assert texts == sorted(texts)
        numbers = [value for value in values if isinstance(value, int | float)]
        assert numbers == sorted(numbers)


@given(TOTALS)
def test_records_and_outcomes_count_every_row(totals):
    rows = totals.rows

    assert totals.outcomes == {name: sum(getattr(row, name) for row in rows) for name in OUTCOMES}
    assert sum(totals.outcomes.values()) == sum(row.rows for row in rows)
    assert [tuple(record.values()) for record in totals.records()] == [(*row.group, *row[1:]) for row in rows]
    assert len(totals.table(limit=None).rows) == len(rows)


def test_totals_by_different_columns_do_not_add_up():
    with pytest.raises(tc.ColumnError, match=r"^totals by \('b',\) do not add up with totals by \('a',\); group both by the same columns$"):
        _ = CostTotals(("a",)) + CostTotals(("b",))


def table(rows: int, seed: int = 1) -> dict[str, Any]:
    """Requests of four models over two months, a tenth of them without a team."""
    draw = random.Random(seed)
    begin = int(datetime(2025, 2, 1, tzinfo=UTC).timestamp())
    return {
        "model": [draw.choice(["gpt-4o", "o1", "deepseek-reasoner", "gpt-9o"]) for _ in range(rows)],
        "at": np.array([begin + draw.randrange(60 * 86_400) for _ in range(rows)], "int64"),
        "input": [draw.randrange(10_000) for _ in range(rows)],
        "output": [draw.randrange(1_000) for _ in range(rows)],
        "team": [draw.choice(["red", "", "blue", None]) for _ in range(rows)],
        "shard": [draw.choice([1, 2, None]) for _ in range(rows)],
        "day_of": np.array([draw.randrange(3) for _ in range(rows)]).astype("M8[D]"),
        "paid": np.array([draw.random() < 0.5 for _ in range(rows)]),
    }


SECONDS = UsageColumns(unit="s")


@pytest.mark.parametrize(
    "by",
    [
        (),
        ("team",),
        ("shard",),
        ("paid", "team"),
        ("model",),
        ("model", "day"),
        ("month", "currency"),
        ("hour",),
        ("outcome",),
        ("offering", "version"),
        ("day_of",),
        ("team", "shard", "paid", "model", "hour", "version"),
    ],
)
def test_groups_add_up_as_a_loop_over_the_rows_does(book, by):
    rows = table(400)
    costs = book.rate_table(rows, columns=SECONDS)
    expected: dict[tuple[tuple[Any, ...], str | None], list[Any]] = defaultdict(lambda: [0, 0, 0, 0, Decimal(0)])
    for n, amount in enumerate(costs.amounts()):
        found = expected[tuple(said(costs, rows, name, n) for name in by), currency(costs, n)]
        found[costs.outcome[n]] += 1
        found[4] += amount or 0
    totals = costs.totals(by)

    assert {(row.group, row.currency): [*row[2:6], row.amount] for row in totals.rows} == expected
    assert CostTotals.from_json(totals.to_json()) == totals


def said(costs: Any, rows: dict[str, Any], name: str, n: int) -> Any:
    """What a group calls a row."""
    at = datetime.fromtimestamp(int(rows["at"][n]), UTC)
    version = costs.versions[costs.version[n]] if costs.version[n] >= 0 else None
    if name in ("month", "day", "hour"):
        return at.strftime({"month": "%Y-%m", "day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H"}[name])
    if name in ("version", "offering"):
        return version and (str(version) if name == "version" else version.offering)
    if name == "outcome":
        return OUTCOMES[costs.outcome[n]]
    if name == "currency":
        return currency(costs, n)
    value = rows[name][n]
    return str(value) if isinstance(value, np.datetime64) else value


def currency(costs: Any, n: int) -> str | None:
    return costs.currencies[costs.currency[n]] if costs.currency[n] >= 0 else None


def test_a_column_of_floats_groups_empty_cells_as_one(book):
    """A frame that has lost its integers to NaN adds up over its parts like any other."""
    shard = np.array([np.nan, 1.0, np.nan, -0.5])
    costs = book.rate_table({"input": [1] * 4, "output": [0] * 4, "shard": shard}, model="gpt-4o", at=JUNE)
    totals = costs.totals("shard")

    assert [(row.group, row.priced) for row in totals.rows] == [((-0.5,), 1), ((1.0,), 1), ((None,), 2)]
    assert CostTotals.from_json(totals.to_json()) == totals
    assert [row.priced for row in (totals + totals).rows] == [2, 2, 4]


def test_one_word_is_one_column(book):
    costs = book.rate_table(table(20), columns=SECONDS)

    assert costs.totals("model") == costs.totals(["model"])


def test_one_model_and_one_instant_for_all_rows(book):
    totals = book.rate_table({"input": [1, 2], "output": [0, 0]}, model="gpt-4o", at=JUNE).totals(["model", "hour", "day", "month"])

    assert [(row.group, row.rows) for row in totals.rows] == [(("gpt-4o", "2025-06-01T12", "2025-06-01", "2025-06"), 2)]


def test_rows_without_an_instant_have_no_day(book):
    rows = {"model": ["gpt-4o", None, "gpt-4o"], "at": [JUNE, JUNE, None], "input": [1] * 3, "output": [1] * 3}
    totals = book.rate_table(rows).totals(["day", "model"])

    assert [(row.group, row.currency, row.rows) for row in totals.rows] == [
        (("2025-06-01", "gpt-4o"), "USD", 1),
        (("2025-06-01", None), None, 1),
        ((None, "gpt-4o"), None, 1),
    ]


def test_instants_beyond_the_calendar_are_counted(book):
    """Two different days after the year 9999 are both no day; neither may push the other out."""
    at = np.array([3 * 10**17, 4 * 10**17, -4 * 10**17, 1_748_779_200_000_000])
    columns = UsageColumns(unit="us")
    costs = book.rate_table({"at": at, "input": [1] * 4, "output": [1] * 4}, model="gpt-4o", columns=columns)

    assert costs.outcomes["unknown"] == 3
    for by, known in (("day", "2025-06-01"), ("hour", "2025-06-01T12")):
        assert [(row.group, row.rows) for row in costs.totals(by).rows] == [((known,), 1), ((None,), 3)]


def test_a_column_that_is_not_there_is_named(book):
    costs = book.rate_table(table(3), columns=SECONDS)
    said = r"^no column 'taem' in this table; did you mean 'team'\?; or group by one of model, offering, version, "
    with pytest.raises(tc.ColumnError, match=said) as caught:
        costs.totals(["model", "taem"])
    assert caught.value.column == "taem"


def test_sums_beyond_64_bits_are_exact(book):
    """More than nine million dollars in ticks, from rows that each fit."""
    dear = book.with_layers([tc.Contract("dear", prices={"input": 10**12}, currency="USD")])
    costs = dear.rate_table({"input": [4] * 1_000, "output": [0] * 1_000, "n": list(range(1_000))}, model="gpt-4o", at=JUNE)

    assert costs.exact == {}
    assert costs.total == tc.Money(4 * 10**9, "USD")
    assert {row.amount for row in costs.totals("n").rows} == {Decimal(4 * 10**6)}


def test_a_total_needs_whole_rows_and_one_currency():
    whole = CostTotals((), {((), "USD"): Sums((1, 1, 0, 0), Decimal("1.5"))})
    assert whole.total == tc.Money("1.5", "USD")
    with pytest.raises(tc.IncompleteError, match=r"^1 partial and 2 unknown of 5 rows have no whole price, so there is no total") as caught:
        _ = (whole + CostTotals((), {((), None): Sums((0, 0, 1, 2))})).total
    assert caught.value.outcomes == {"priced": 1, "free": 1, "partial": 1, "unknown": 2}
    with pytest.raises(tc.IncompleteError, match=r"^no row was rated, so there is no total and no currency; pass at least one$"):
        _ = CostTotals().total
    with pytest.raises(tc.MixedCurrencyError, match=r"^the rows are in CNY and USD, which do not add up"):
        _ = (whole + CostTotals((), {((), "CNY"): Sums((1, 0, 0, 0), Decimal(1))})).total


def test_totals_print_as_a_table():
    groups = {
        (("gpt-4o", None), "USD"): Sums((1_200, 0, 0, 0), Decimal("12.5")),
        (("o1", 3), "USD"): Sums((0, 1, 2, 0), Decimal(0), Decimal("0.25")),
        (("o7", 3), None): Sums((0, 0, 0, 7)),
    }
    totals = CostTotals(("model", "shard"), groups)

    assert str(totals).splitlines() == [
        "costs by model, shard",
        "model   shard   rows  priced  free  partial  unknown  amount  partial amount  currency",
        "──────  ─────  ─────  ──────  ────  ───────  ───────  ──────  ──────────────  ────────",
        "gpt-4o         1,200   1,200     0        0        0    12.5               0  USD",
        "o1      3          3       0     1        2        0       0            0.25  USD",
        "o7      3          7       0     0        0        7",
    ]
    assert repr(totals) == "CostTotals(12.50 USD, 3 groups by model, shard)"
    assert repr(CostTotals()) == "CostTotals(nothing, 0 groups by nothing)"
    assert totals._repr_html_() == totals.table().html()
    assert totals.table(limit=1).notes == ("and 2 more groups",)
    assert totals != "totals"

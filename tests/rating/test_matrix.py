"""The same usage on many offerings: each cell is what the scalar says, each total the sum of its column."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

BOOK = tc.load_book()
OFFERINGS = ["deepseek-reasoner", "gpt-4o", "alibaba/china/qwen-max", "openai/global/whisper-1", "gemini-2.5-pro"]
BEGIN = tc.to_instant("2025-01-01T00:00:00Z")

rows = st.lists(
    st.tuples(st.integers(0, 400_000), st.integers(0, 5_000), st.integers(0, 600 * 24 * 60), st.sampled_from(["red", "blue"])),
    min_size=1,
    max_size=12,
)


def table_of(drawn):
    return {
        "input": [n for n, *_ in drawn],
        "output": [n for _, n, *_ in drawn],
        "at": [(BEGIN + timedelta(minutes=minute)).isoformat() for _, _, minute, _ in drawn],
        "team": [team for *_, team in drawn],
    }


def scalar(name, usage, at, **chosen):
    try:
        return BOOK.cost(name, usage, at=at, **chosen)
    except tc.TokencostError:
        return None


@given(rows)
def test_every_cell_is_the_scalar_cost(drawn):
    table = table_of(drawn)
    matrix = BOOK.rate_matrix(table, OFFERINGS)
    for name, costs in zip(OFFERINGS, matrix.costs, strict=True):
        expected = [
            scalar(name, tc.Usage(input=n, output=m), at) for n, m, at in zip(table["input"], table["output"], table["at"], strict=True)
        ]
        partial = costs.outcome == 2
        assert [a if not p else None for a, p in zip(costs.amounts(), partial, strict=True)] == expected


@given(rows)
def test_groups_are_the_sums_of_their_rows(drawn):
    table = table_of(drawn)
    by_team = BOOK.rate_matrix(table, OFFERINGS[:2], by="team")
    for name, totals in zip(OFFERINGS[:2], by_team.totals, strict=True):
        expected: dict[str, Decimal] = {}
        for n, m, at, team in zip(*(table[key] for key in ("input", "output", "at", "team")), strict=True):
            expected[team] = expected.get(team, Decimal(0)) + (scalar(name, tc.Usage(input=n, output=m), at) or 0)
        amounts: dict[str, Decimal] = {}
        for row in totals.rows:
            amounts[row.group[0]] = amounts.get(row.group[0], Decimal(0)) + row.amount
        assert amounts == expected


def test_one_instant_rates_all_rows_at_its_prices():
    table = {"input": [1000, 2000], "output": [100, 0], "at": ["2025-03-01T12:00:00Z", "2025-03-01T17:00:00Z"]}
    matrix = BOOK.rate_matrix(table, ["deepseek-reasoner"], at="2025-03-01T17:00:00Z")
    assert [str(amount) for amount in matrix.costs[0].amounts()] == ["0.00019", "0.00027"]


def test_a_contract_is_a_layer_of_the_book():
    book = BOOK.with_layers([tc.Contract("acme", percent=-50, offering="openai/global/gpt-4o")])
    table = {"input": [1000], "output": [0]}
    matrix = book.rate_matrix(table, ["gpt-4o", "gpt-4o-mini"], at="2025-06-01T00:00:00Z")
    assert [str(totals.total) for totals in matrix.totals] == ["0.00125 USD", "0.00015 USD"]


def test_the_model_of_a_table_does_not_matter_even_where_it_is_empty():
    table = {"model": ["gpt-9o", None], "input": [1000, 1000], "output": [0, 0]}
    matrix = BOOK.rate_matrix(table, ["gpt-4o"], at="2025-06-01T00:00:00Z")
    assert matrix.totals[0].outcomes == {"priced": 2, "free": 0, "partial": 0, "unknown": 0}


def test_ticks_outcomes_and_floats_are_rows_by_offerings_at_one_scale():
    matrix = BOOK.rate_matrix({"input": [10, 20], "output": [1, 0]}, ["gpt-4o", "o1", "text-embedding-3-small"], at="2025-06-01T00:00:00Z")
    assert matrix.ticks.shape == matrix.outcome.shape == matrix.floats().shape == (2, 3)
    assert matrix.ticks[:, 0].tolist() == [35 * 10 ** (matrix.scale - 6), 50 * 10 ** (matrix.scale - 6)]
    assert matrix.outcome.tolist() == [[0, 0, 2], [0, 0, 0]]
    assert np.allclose(matrix.floats()[:, 1], [0.00021, 0.0003], rtol=1e-12)


def test_a_finer_scale_of_one_offering_is_that_of_all():
    book = BOOK.with_layers([tc.Contract("odd", percent="-33.3333333", offering="openai/global/o1")])
    matrix = book.rate_matrix({"input": [1], "output": [0]}, ["gpt-4o", "o1"], at="2025-06-01T00:00:00Z")
    assert [tc.exact.decimal_of(int(n), matrix.scale) for n in matrix.ticks[0]] == [costs.amounts()[0] for costs in matrix.costs]


def test_amounts_beyond_64_bits_are_refused_by_name():
    matrix = BOOK.rate_matrix({"input": [10**15], "output": [10**15]}, ["gpt-4o"], at="2025-06-01T00:00:00Z")
    with pytest.raises(tc.RangeError, match=r"1 row cannot be held in whole 64-bit numbers of 10\^-12, the first is row 0"):
        _ = matrix.ticks
    assert str(matrix.totals[0].total) == "12,500,000,000.00 USD"


def test_grouped_matrices_have_no_rows():
    matrix = BOOK.rate_matrix({"input": [1], "output": [1], "team": ["red"]}, ["gpt-4o"], by="team", at="2025-06-01T00:00:00Z")
    with pytest.raises(tc.UsageError, match=r"this matrix has groups by team, not rows; read \.totals, or leave by= out"):
        _ = matrix.ticks
    assert matrix.records() == [
        {
            "offering": "gpt-4o",
            "team": "red",
            "currency": "USD",
            "priced": 1,
            "free": 0,
            "partial": 0,
            "unknown": 0,
            "amount": Decimal("0.0000125"),
            "partial_amount": Decimal(0),
        }
    ]


def test_the_table_marks_what_has_no_whole_price():
    matrix = BOOK.rate_matrix({"input": [10, 20], "output": [1, 0]}, ["gpt-4o", "text-embedding-3-small"], at="2025-06-01T00:00:00Z")
    shown = str(matrix)
    assert "gpt-4o                    0.000035  USD" not in shown
    assert "text-embedding-3-small  0.0000004*  USD" in shown
    assert shown.endswith("* some rows have no whole price here and are not in the sum; see .totals")


@pytest.mark.parametrize(
    ("offerings", "kind", "message"),
    [
        ("gpt-4o", tc.UsageTypeError, "offerings='gpt-4o' is text; pass a list of names"),
        ([], tc.UsageError, "no offering to rate on; name at least one"),
        (["gpt-9o"], tc.UnknownNameError, "no model 'gpt-9o' in this book; did you mean 'gpt-4o' or 'gpt-5' or 'gpt-4'?"),
    ],
)
def test_names_that_cannot_be_are_errors(offerings, kind, message):
    with pytest.raises(kind) as caught:
        BOOK.rate_matrix({"input": [1], "output": [1]}, offerings, at="2025-06-01T00:00:00Z")
    assert str(caught.value) == message

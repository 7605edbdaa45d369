"""Costs: the columns, sums and refusals of a rated table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tokencost as tc
from tokencost.rating.usage_table import UsageColumns

if TYPE_CHECKING:
    from tokencost.rating.costs import Costs

JUNE = "2025-06-01T12:00:00Z"
MIXED = {
    "model": ["gpt-4o", "gpt-9o", "gpt-9o", "deepseek-reasoner"],
    "at": [JUNE] * 4,
    "input": [1000, 5, 7, 10**6],
    "output": [200, 5, 7, 0],
}
START = datetime(2025, 1, 1, tzinfo=UTC)


def lab_book(lab: tc.Book, *layers: tc.Contract, **prices: str) -> tc.Book:
    """A book of one tariff with one row."""
    row = tc.Rate(currency="USD", prices={meter: Decimal(price) for meter, price in prices.items()})
    version = tc.Version(start=START, basis="announced", source="lab", checked=date(2025, 6, 1), rates=(row,))
    return lab.with_tariffs([tc.Tariff(id="lab/rack/m", publisher="lab", versions=(version,))]).with_layers(layers)


def rated(book: tc.Book, detail: str = "rows", **counts: list[int]) -> Costs:
    columns = UsageColumns(meters={"input": "", "output": "", **{meter: meter for meter in counts}}, counts="disjoint")
    return book.rate_table(counts, model="lab/rack/m", at=JUNE, columns=columns, detail=detail)


@pytest.fixture
def mixed(book) -> Costs:
    return book.rate_table(MIXED)


@pytest.fixture
def huge(lab) -> Costs:
    """Ten million dollars for a token: 64 bits hold not even one."""
    book = lab_book(lab, tc.Contract("dear", prices={"input": 10**13}, currency="USD"), input="1", output="10")
    return rated(book, "meters", input=[1, 10**15, 0], output=[1, 0, 4])


@pytest.fixture
def odd(lab) -> Costs:
    """Seconds at 1.2 an hour: each a third of a mill, all three together a whole one."""
    return rated(lab_book(lab, audio_s="1.2", audio_output_s="1.2"), "meters", audio_s=[1, 3], audio_output_s=[2, 0])


def test_columns_say_what_priced_each_row(mixed):
    assert mixed.amounts() == [Decimal("0.0045"), None, None, Decimal("0.55")]
    assert mixed.ticks.tolist() == [4_500_000_000, 0, 0, 550_000_000_000]
    assert (mixed.rows, len(mixed), mixed.scale) == (4, 4, 12)
    assert mixed.outcome.tolist() == [0, 3, 3, 0]
    assert mixed.outcomes == {"priced": 2, "free": 0, "partial": 0, "unknown": 2}
    assert [mixed.currencies[code] if code >= 0 else None for code in mixed.currency] == ["USD", None, None, "USD"]
    assert [str(mixed.versions[code]) if code >= 0 else None for code in mixed.version] == [
        "openai/global/gpt-4o 2024-10-02T00:00:00Z",
        None,
        None,
        "deepseek/global/deepseek-reasoner 2025-02-26T16:30:00Z",
    ]
    assert dict(mixed.meters) == {}
    assert mixed.exact == {}


def test_an_unknown_model_is_one_problem_with_a_suggestion(mixed):
    (problem,) = mixed.problems

    assert problem == (
        "unknown name",
        "gpt-9o",
        2,
        1,
        "no model 'gpt-9o' in this book; did you mean 'gpt-4o' or 'gpt-5' or 'gpt-4'?",
    )


def test_many_rows_of_an_unknown_model_are_one_problem(book):
    models = np.array(["gpt-9o", "gpt-4o", "o7"], object)[np.arange(300_000) % 3]
    costs = book.rate_table({"model": models, "input": np.ones(300_000, int), "output": np.ones(300_000, int)}, at=JUNE)

    assert [(problem.name, problem.rows, problem.first_row) for problem in costs.problems] == [("gpt-9o", 100_000, 0), ("o7", 100_000, 2)]


def test_a_sum_of_rows_without_a_price_is_refused(mixed):
    for ask in (lambda: mixed.total, mixed.complete):
        with pytest.raises(tc.IncompleteError) as caught:
            ask()
        message = str(caught.value)
        assert message.startswith("2 unknown of 4 rows have no whole price, so there is no total")
        assert "no model 'gpt-9o' in this book; did you mean 'gpt-4o'" in message
        assert caught.value.outcomes == mixed.outcomes
        assert caught.value.problems == mixed.problems


def test_whole_rows_add_up(book):
    table = {name: [column[0], column[3]] for name, column in MIXED.items()}
    costs = book.rate_table(table)

    assert costs.complete() is costs
    assert costs.total == tc.Money("0.5545", "USD")


def test_two_currencies_do_not_add_up(book):
    counts = {"input": [1, 1], "output": [1, 1], "currency": ["USD", "CNY"]}
    costs = book.rate_table(counts, model="deepseek-reasoner", at=JUNE)
    with pytest.raises(tc.MixedCurrencyError, match=r"^the rows are in CNY and USD, which do not add up; .* or pass currency=$") as caught:
        _ = costs.total
    assert (caught.value.left, caught.value.right) == ("CNY", "USD")
    assert costs.totals().amounts == {"CNY": tc.Money("0.00002", "CNY"), "USD": tc.Money("0.00000274", "USD")}


def test_amounts_beyond_64_bits_are_exact_or_refused(huge):
    said = [Decimal("10000000.00001"), Decimal(10**22), Decimal("0.00004")]

    assert huge.amounts() == said
    assert huge.exact == {0: said[0], 1: said[1]}
    assert huge.floats().tolist() == [float(amount) for amount in said]
    assert huge.decimals().to_pylist() == said
    assert huge.total == tc.Money.sum([tc.Money(amount, "USD") for amount in said], currency="USD")
    assert huge.frame()["cost_input"].tolist() == [Decimal(10**7), Decimal(10**22), Decimal(0)]
    for ask in (lambda: huge.ticks, lambda: huge.frame(amount="ticks")):
        with pytest.raises(tc.RangeError, match=r"^2 rows .*64-bit .* row 0, which costs 10000000\.00001; read \.amounts\(\)") as caught:
            ask()
        assert (caught.value.rows, caught.value.scale) == ((0, 1), 12)
    with pytest.raises(tc.RangeError, match=r"^meters of 2 rows .*row 0; read \.frame\(\)"):
        _ = huge.meters


def test_a_meter_that_is_no_whole_number_of_ticks_is_never_zero(odd):
    """The row is a whole number of ticks, and each of its meters is not."""
    assert odd.ticks.tolist() == [10**9, 10**9]
    thirds = [Decimal("0.000333333333333333"), Decimal("0.000666666666666667")]
    assert [odd.frame()[f"cost_{meter}"][0] for meter in ("audio_s", "audio_output_s")] == thirds
    for ask in (lambda: odd.meters, lambda: odd.frame(amount="ticks")):
        with pytest.raises(tc.RangeError, match=r"^meters of 1 row "):
            ask()


def test_a_rate_too_large_for_the_scale_of_another_is_not_lost(lab):
    """Input needs eighteen decimals; six dollars for an image are then beyond 64 bits."""
    book = lab_book(lab, tc.Contract("fine", percent="-12.3457", meters=["input"]), input="0.123457", output="2", image="6")
    costs = rated(book, input=[1000, 1000], output=[5, 5], image=[2, 0])

    assert costs.scale == 18
    assert costs.amounts() == [book.cost("lab/rack/m", tc.Usage(input=1000, output=5, image=count), at=JUNE) for count in (2, 0)]


def test_a_price_of_zero_is_free_and_no_tokens_are_not(lab):
    costs = rated(lab_book(lab, input="0", output="2"), input=[5, 0, 5], output=[0, 0, 1])

    assert costs.outcomes == {"priced": 2, "free": 1, "partial": 0, "unknown": 0}
    assert costs.amounts() == [0, 0, Decimal("0.000002")]
    assert costs.total == tc.Money("0.000002", "USD")


def test_a_row_with_a_meter_that_has_no_price_is_partial(lab):
    costs = rated(lab_book(lab, input="1", output="2"), "meters", input=[5, 0], output=[1, 0], page=[3, 2])

    assert costs.outcomes == {"priced": 0, "free": 0, "partial": 1, "unknown": 1}
    assert costs.amounts() == [Decimal("0.000007"), None]
    assert {meter: ticks.tolist() for meter, ticks in costs.meters.items()} == {
        "input": [5 * 10**6, 0],
        "output": [2 * 10**6, 0],
        "page": [0, 0],
    }
    (problem,) = costs.problems
    assert (problem.reason, problem.name, problem.rows, problem.first_row) == ("meter without a rate", "lab/rack/m page", 2, 0)
    assert problem.message.startswith("lab/rack/m has no rate for page in USD; it prices input, output")
    with pytest.raises(tc.IncompleteError, match=r"^1 partial and 1 unknown of 2 rows have no whole price"):
        _ = costs.total
    (known, unknown) = costs.totals().rows
    assert (known.currency, known.partial, known.amount, known.partial_amount) == ("USD", 1, 0, Decimal("0.000007"))
    assert (unknown.currency, unknown.unknown) == (None, 1)


def test_a_table_of_no_rows(book):
    costs = book.rate_table({"model": [], "at": [], "input": [], "output": []}, detail="meters")

    assert (costs.rows, costs.amounts(), costs.problems, costs.ticks.tolist(), costs.floats().tolist()) == (0, [], (), [], [])
    assert costs.outcomes == dict.fromkeys(("priced", "free", "partial", "unknown"), 0)
    assert costs.decimals().to_pylist() == []
    assert {name: list(column) for name, column in costs.frame().items() if name.startswith("cost")} == {
        "cost": [],
        "cost_input": [],
        "cost_output": [],
    }
    assert costs.totals(["model", "day", "offering", "outcome"]).rows == ()
    assert repr(costs) == "Costs(0 rows: none)"
    with pytest.raises(tc.IncompleteError, match=r"^no row was rated, so there is no total and no currency; pass at least one$"):
        _ = costs.total


def test_rows_that_cannot_be_read_are_counted_and_never_zero(book):
    counts = {"input": [None, 1, 1.5], "output": [1, None, 1]}
    costs = book.rate_table({"model": ["gpt-4o"] * 3, "at": [JUNE] * 3, **counts})

    assert costs.amounts() == [None] * 3
    assert np.isnan(costs.floats()).all()
    assert costs.outcomes["unknown"] == 3
    assert {(problem.reason, problem.rows, problem.first_row) for problem in costs.problems} == {
        ("unreadable input", 1, 0),
        ("unreadable output", 1, 1),
        ("unreadable input", 1, 2),
    }


@pytest.mark.parametrize(
    ("counts", "reason", "message"),
    [
        ({"input": [5, -1], "output": [1, 1]}, "negative count: input", "input=-1 is negative; counts are 0 or more"),
        (
            {"input": [5, 5], "output": [1, 10**15 + 1]},
            "absurd count: output",
            f"output={10**15 + 1} is absurd; a count is at most {10**15}, split the usage or check its unit",
        ),
        (
            {"input": [5, 5], "output": [1, 1], "cache_read": [5, 6]},
            "parts above their total: input",
            "input=5 is less than its parts cache_read=6; the total must contain them, or use Usage(...) for disjoint counts",
        ),
    ],
)
def test_counts_that_cannot_be_are_told_and_not_priced(book, counts, reason, message):
    """The other row keeps its price; what the list would have charged is nobody's currency."""
    costs = book.rate_table(counts, model="gpt-4o", at=JUNE)

    assert [(*problem,) for problem in costs.problems] == [(reason, None, 1, 1, message)]
    assert (costs.amounts()[0] is not None, costs.amounts()[1]) == (True, None)
    assert [(currency >= 0, version >= 0) for currency, version in zip(costs.currency, costs.version, strict=True)] == [
        (True, True),
        (False, False),
    ]
    assert [(row.currency, row.rows) for row in costs.totals().rows] == [("USD", 1), (None, 1)]


@pytest.mark.parametrize(
    ("keys", "kind", "message"),
    [
        ({"detail": "meter"}, tc.UnknownNameError, "detail='meter' is no kind of detail; pass 'rows' or 'meters'"),
        ({"threads": 0}, tc.UsageTypeError, "threads=0 is no number of threads; pass 1 or more"),
        ({"threads": True}, tc.UsageTypeError, "threads=True is no number of threads; pass 1 or more"),
        ({"threads": 1.5}, tc.UsageTypeError, "threads=1.5 is no number of threads; pass 1 or more"),
    ],
)
def test_words_that_mean_nothing_are_refused(book, keys, kind, message):
    with pytest.raises(kind) as caught:
        book.rate_table(MIXED, **keys)
    assert str(caught.value) == message


def test_costs_print_as_totals_and_problems(mixed):
    assert repr(mixed) == "Costs(4 rows: 2 priced, 2 unknown)"
    assert str(mixed).splitlines() == [
        "costs",
        "rows  priced  free  partial  unknown  amount  currency",
        "────  ──────  ────  ───────  ───────  ──────  ────────",
        "   2       2     0        0        0  0.5545  USD",
        "   2       0     0        0        2",
        "2 rows, first row 1: no model 'gpt-9o' in this book; did you mean 'gpt-4o' or 'gpt-5' or 'gpt-4'?",
    ]
    assert mixed._repr_html_() == mixed.table_of_totals().html()


def test_only_the_first_problems_are_printed(book):
    costs = book.rate_table({"model": [f"no-{n}" for n in range(12)], "input": [1] * 12, "output": [1] * 12}, at=JUNE)

    assert len(costs.problems) == 12
    assert str(costs).splitlines()[-1] == "and 2 more problems"


def test_misspelt_selections_are_named_and_apart(book):
    """Not under the model, which is known, and not one for the other."""
    tiers = {"service_tier": ["standrd", None, "standrd", None], "mode": [None, "deep", None, None]}
    costs = book.rate_table({"input": [1] * 4, "output": [1] * 4, **tiers}, model="gpt-4o", at=JUNE)

    assert [(problem.reason, problem.name, problem.rows) for problem in costs.problems] == [
        ("unknown name", "standrd", 2),
        ("unknown name", "deep", 1),
    ]
    assert costs.problems[0].message.endswith("did you mean 'standard'?")


@pytest.mark.parametrize(
    ("table", "kind", "message"),
    [
        ({"input": [1], "output": [1]}, tc.ColumnError, "no column of model in this table"),
        ({"model": ["gpt-4o"], "input": [1]}, tc.ColumnError, "no column of output tokens in this table"),
        ({"model": ["gpt-4o"], "input": [1], "output": [1]}, tc.ColumnError, "no column of at in this table"),
        ({"model": ["gpt-4o"], "at": [datetime(2025, 6, 1)], "input": [1], "output": [1]}, tc.InstantError, "column 'at'"),  # noqa: DTZ001
        ({"model": ["gpt-4o"], "at": [JUNE], "input": ["many"], "output": [1]}, tc.ColumnError, "column 'input' has the type"),
        (
            {"model": ["gpt-4o"], "at": [JUNE, JUNE], "input": [1], "output": [1]},
            tc.ColumnError,
            "column 'at' has 2 rows and 'model' has 1",
        ),
        (
            {"model": ["gpt-4o"], "at": [JUNE], "output": [1], "cache_read": [1], "input": [True]},
            tc.ColumnError,
            "column 'input' has the type",
        ),
    ],
)
def test_tables_that_cannot_be_rated_are_one_error(book, table, kind, message):
    with pytest.raises(kind) as caught:
        book.rate_table(table)
    assert str(caught.value).startswith(message)


def test_two_layers_that_claim_a_rate_are_an_error_only_where_rows_fall(book):
    """A clash later in the history of a model is no concern of rows before it."""
    clash = [tc.Contract(name, percent=-5, start="2025-06-01T00:00:00Z") for name in ("one", "two")]
    clashing = book.with_layers(clash)
    table = {"input": [1000], "output": [0]}
    assert clashing.rate_table(table, model="gpt-4o", at="2025-03-01T00:00:00Z").amounts() == [Decimal("0.0025")]
    with pytest.raises(tc.LayerError) as bulk:
        clashing.rate_table(table, model="gpt-4o", at="2025-07-01T00:00:00Z")
    with pytest.raises(tc.LayerError, match="contracts 'one' and 'two' both claim openai/global/gpt-4o") as alone:
        clashing.cost("gpt-4o", tc.Usage(input=1000), at="2025-07-01T00:00:00Z")
    assert bulk.value.layers == alone.value.layers


def test_an_empty_text_in_a_selector_is_the_default(book):
    table = {"input": [1000, 1000], "output": [0, 0], "service_tier": ["", "batch"], "currency": ["", "USD"], "mode": ["", ""]}
    assert book.rate_table(table, model="gpt-4o", at="2025-06-01T00:00:00Z").amounts() == [Decimal("0.0025"), Decimal("0.00125")]

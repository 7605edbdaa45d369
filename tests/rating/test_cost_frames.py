"""Frames of costs: the table as it was given, with exact costs beside it, in every kind and form."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from rating.one_by_one import table_of
from rating.usage_draws import drawn_tables
from tokencost.exact import EXACT
from tokencost.rating.cells import is_null
from tokencost.rating.rate_table import rate_usage_table
from tokencost.rating.row import OUTCOMES
from tokencost.rating.usage_table import UsageColumns, read_usage_table

if TYPE_CHECKING:
    from tokencost.rating.costs import Costs

JUNE = "2025-06-01T12:00:00Z"
MIXED = {
    "model": ["gpt-4o", "gpt-9o", "gpt-9o", "deepseek-reasoner"],
    "at": [JUNE] * 4,
    "input": [1000, 5, 7, 10**6],
    "output": [200, 5, 7, 0],
}


@settings(max_examples=15)
@given(st.data())
def test_every_way_to_read_amounts_says_the_same(lab, data):
    """Arrow decimals are the decimals digit for digit; floats are the nearest, give or take a rounding."""
    drawn = data.draw(drawn_tables(lab))
    columns = UsageColumns(counts="totals" if drawn.totals else "disjoint", meters={meter: meter for meter in drawn.meters})
    costs = rate_usage_table(drawn.book.plan(), read_usage_table(table_of(drawn.rows, drawn.meters), columns=columns), detail="meters")
    amounts = costs.amounts()
    floats = costs.floats().tolist()
    frame = costs.frame(prefix="tc_")

    assert costs.decimals().to_pylist() == amounts
    assert frame["tc_cost"].tolist() == amounts
    assert costs.columns()["cost"].to_pylist() == amounts
    assert [math.isnan(number) for number in floats] == [amount is None for amount in amounts]
    assert all(math.isclose(number, amount, rel_tol=1e-15) for number, amount in zip(floats, amounts, strict=True) if amount is not None)
    assert frame["tc_outcome"].tolist() == [OUTCOMES[code] for code in costs.outcome]
    parts = [[frame[f"tc_cost_{meter}"][row] for meter in drawn.meters] for row in range(costs.rows)]
    thirds = Decimal("1e-17")  # meters by the hour are rounded one by one
    with localcontext(EXACT):  # amounts may have more digits than the usual context keeps
        assert all(abs(sum(own) - amount) <= thirds for own, amount in zip(parts, amounts, strict=True) if amount is not None)


def to_pandas(table: dict[str, Any]) -> Any:
    return pytest.importorskip("pandas").DataFrame(table, index=[7, 8, 9, 10])


def to_polars(table: dict[str, Any]) -> Any:
    return pytest.importorskip("polars").DataFrame(table)


def to_arrow(table: dict[str, Any]) -> Any:
    return pytest.importorskip("pyarrow").table(table)


@pytest.mark.parametrize("kind", [to_pandas, to_polars, to_arrow, dict])
@pytest.mark.parametrize("amount", ["decimal", "ticks", "float"])
def test_the_kind_that_was_given_comes_back(book, kind, amount):
    table = kind(MIXED)
    costs = book.rate_table(table, detail="meters")
    frame = costs.frame(amount=amount, prefix="tc_")
    expected = {
        "decimal": [Decimal("0.0045"), None, None, Decimal("0.55")],
        "ticks": [4_500_000_000, 0, 0, 550_000_000_000],
        "float": [0.0045, None, None, 0.55],
    }[amount]

    assert type(frame) is type(table)
    assert plain(frame["tc_cost"]) == expected
    assert plain(frame["tc_currency"]) == ["USD", None, None, "USD"]
    assert plain(frame["tc_outcome"]) == ["priced", "unknown", "unknown", "priced"]
    assert plain(frame["input"]) == MIXED["input"]
    assert len(plain(frame["tc_cost_output"])) == 4
    if kind is to_pandas:
        assert frame.index.tolist() == [7, 8, 9, 10]


def plain(column: Any) -> list[Any]:
    """Return a column of any library as a list, empty cells as None."""
    values = next((getattr(column, name)() for name in ("to_pylist", "to_list", "tolist") if hasattr(column, name)), column)
    return [None if is_null(value) else value for value in values]


def test_names_that_are_taken_need_a_prefix(book):
    costs = book.rate_table({**MIXED, "cost": [1, 2, 3, 4]})
    with pytest.raises(tc.ColumnError, match=r"^the table has a column 'cost' already; pass prefix='tokencost_' or another$"):
        costs.frame()
    assert "our_cost" in costs.frame(prefix="our_")


def test_amounts_of_another_kind_are_refused(book):
    with pytest.raises(tc.UnknownNameError, match=r"^amount='money' is no kind of amount; pass 'decimal', 'ticks' or 'float'$"):
        book.rate_table(MIXED).frame(amount="money")


@pytest.fixture
def long_prices(lab):
    """A table of two rows, priced with as many ones after the point as are asked for; the second is as large as ticks can be."""
    row = tc.Rate(currency="USD", prices={"input": Decimal(1), "output": Decimal(9)})
    version = tc.Version(start=datetime(2025, 1, 1, tzinfo=UTC), basis="announced", source="lab", checked=date(2025, 6, 1), rates=(row,))
    book = lab.with_tariffs([tc.Tariff(id="lab/rack/m", publisher="lab", versions=(version,))])

    def rate(ones: int, kind: Any = dict) -> Costs:
        layer = tc.Contract("long", prices={"input": f"0.{'1' * ones}"}, currency="USD")
        return book.with_layers([layer]).rate_table(kind({"input": [1, 0], "output": [0, 10**12]}), model="lab/rack/m", at=JUNE)

    return rate


@pytest.mark.parametrize(("ones", "bits"), [(6, 128), (12, 128), (25, 128), (26, 256), (40, 256), (63, 256)])
def test_decimals_are_as_long_as_they_have_to_be(long_prices, ones, bits):
    costs = long_prices(ones)

    assert costs.decimals().type.bit_width == bits
    assert costs.decimals().to_pylist() == costs.amounts() == [Decimal(f"0.{'1' * ones}").scaleb(-6, context=EXACT), Decimal(9_000_000)]


def test_decimals_that_arrow_does_not_have_are_refused(long_prices):
    with pytest.raises(
        tc.RangeError, match=r"^amounts need 77 digits, and a decimal of Arrow has 76 at most; read \.amounts\(\), or take floats$"
    ):
        long_prices(64).decimals()


def test_decimals_that_polars_does_not_have_are_refused(long_prices):
    costs = long_prices(30, to_polars)

    with pytest.raises(
        tc.RangeError, match=r"^column 'cost' needs decimals of more than 38 digits, which polars has not; pass amount='float'"
    ):
        costs.frame()
    assert plain(costs.frame(amount="float")["cost"])[1] == 9_000_000.0

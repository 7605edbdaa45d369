"""Costs of buyers over time: by dated lists, at given prices, and how shares follow."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import CurrencyError, ScenarioError, UnitError, UnknownNameError
from tokencost.exact import from_fraction
from tokencost.scenarios.cost_over_time import cost_over_time
from tokencost.scenarios.inertia import inertia
from tokencost.scenarios.price_vectors import cost_at_prices, cost_paths_at_prices, short_cuts
from tokencost.scenarios.switching import switching
from tokencost.scenarios.unit import Unit
from tokencost.workloads.workload import Segment, Workload

CNY = Unit("CNY")
USAGE = tc.Usage(input=30_000_000, cache_read=70_000_000, output=10_000_000)


# -- by dated lists ----------------------------------------------------------------------------------------------------------------------


def test_a_month_costs_what_its_estimate_says(book):
    """The night discount of 2025-02-26 falls into the third month; growth compounds from the first."""
    chat = tc.load_workload("chat").with_growth("0.1")
    costs = cost_over_time(chat, ["deepseek-chat", "gpt-4o"], start="2025-01", months=3, book=book)
    forecasts = [tc.forecast(chat, name, start="2025-01", months=3, draws=0, book=book) for name in costs.offerings]

    assert costs.months == ("2025-01", "2025-02", "2025-03")
    for place, found in enumerate(forecasts):
        assert [from_fraction(row[place]) for row in costs.costs] == [month.cost.amount for month in found.months]


def test_the_workload_of_the_context_article_costs_48_dollars_on_r1(book):
    """All requests on one day at the price of 2025-01-20: the matrix holds the exact sum, and no cost before the launch."""
    costs = cost_over_time(USAGE, ["deepseek-reasoner", "o1"], start="2025-01", months=1, book=book)

    assert costs.costs == ((None, Fraction(1575)),)
    assert costs.reasons["2025-01", "deepseek-reasoner"].startswith(
        "61% of requests: no price of deepseek/global/deepseek-reasoner is known"
    )
    assert cost_at_prices(
        {"cache_read": "0.14", "input": "0.55", "output": "2.19"}, {"cache_read": 70, "input": 30, "output": 10}
    ) == Fraction("48.2")


def test_a_buyer_follows_dated_lists(book):
    """R1 is on sale from its first whole month; a fee above all it saves keeps the buyer on o1."""
    costs = cost_over_time(USAGE, ["o1", "deepseek-reasoner"], start="2025-01", months=3, book=book)
    cheap, dear = switching(costs, start="o1", switching_cost=500), switching(costs, start="o1", switching_cost=5000)

    assert cheap.optimal.offerings == ("o1", "deepseek-reasoner", "deepseek-reasoner")
    assert dear.optimal.offerings == ("o1",) * 3
    assert dear.saving() == 0 < cheap.saving()


def test_a_list_in_another_currency_is_converted_by_a_dated_table_or_refused(book):
    fx = tc.ExchangeTable([(dt.date(2025, 3, 1), "USD", "CNY", "7.2", "made up")])
    dollars = cost_over_time(USAGE, ["gpt-4o"], start="2025-03", months=1, book=book)
    yuan = cost_over_time(USAGE, ["gpt-4o"], start="2025-03", months=1, book=book, currency="CNY", fx=fx)

    assert (yuan.costs[0][0], yuan.currency) == (dollars.costs[0][0] * Fraction("7.2"), "CNY")
    with pytest.raises(CurrencyError, match=r"the list of openai/global/gpt-4o is in USD, not CNY; pass fx="):
        cost_over_time(USAGE, ["gpt-4o"], start="2025-03", months=1, book=book, currency="CNY")


def test_a_context_above_the_limit_of_a_list_is_out_where_the_limit_is_known(book):
    names = ["alibaba/china/qwen3-max", "deepseek/global/deepseek-v4-pro"]
    costs = cost_over_time(tc.Usage(input=1000, output=100), names, start="2026-06", months=1, book=book, currency="CNY")

    assert costs.limits == {("2026-06", "alibaba/china/qwen3-max"): 256_000}
    assert costs.meeting(context=256_000).costs == costs.costs
    long = costs.meeting(context=256_001)
    assert long.costs == ((None, costs.costs[0][1]),)
    assert long.reasons["2026-06", "alibaba/china/qwen3-max"] == "its list prices requests up to 256,000 tokens, not 256,001"


@pytest.mark.parametrize("months", [0, -1, 1.5, True, None])
def test_a_horizon_that_is_none_is_refused(book, months):
    with pytest.raises(ScenarioError, match="is not a whole number of months from 1 to 1,200"):
        cost_over_time(USAGE, ["gpt-4o"], start="2025-01", months=months, book=book)


@pytest.mark.parametrize("offerings", [[], "gpt-4o", ["gpt-4o", "gpt-4o"]])
def test_offerings_are_a_list_of_different_names(book, offerings):
    with pytest.raises(ScenarioError, match="are none, or one is there twice; pass a list of names"):
        cost_over_time(USAGE, offerings, start="2025-01", book=book)


def test_cost_paths_print_pickle_and_give_records(book):
    costs = cost_over_time(USAGE, ["deepseek-reasoner", "gpt-4o"], start="2024-12", months=1, book=book)

    assert str(costs).splitlines()[:4] == [
        "cost a month, in USD",
        "month    deepseek-reasoner  gpt-4o",
        "───────  ─────────────────  ──────",
        "2024-12                  —  262.50",
    ]
    assert pickle.loads(pickle.dumps(costs)) == costs
    assert costs.records()[1] == {
        "month": "2024-12",
        "offering": "gpt-4o",
        "cost": Decimal("262.5"),
        "currency": "USD",
        "known": "listed",
        "reason": None,
    }
    assert costs.records()[0]["cost"] is None
    assert "<table>" in costs._repr_html_()


def test_a_list_that_the_description_says_too_little_for_has_no_cost_and_a_reason(book):
    """Tiers that look at prompt and completion together need sizes that are listed; the other offerings are costed."""
    rates = tuple(tc.Rate(currency="USD", above=edge, prices={"input": Decimal(price)}) for edge, price in ((0, 3), (1000, 6)))
    version = tc.Version(
        start=tc.to_instant("2020-01-01T00:00:00Z"), basis="documented", source="x", checked=dt.date(2025, 1, 1), rates=rates
    )
    own = tc.Tariff(id="own/global/own", publisher="own", tiering="cliff", tier_on="total", versions=(version,))
    chat = tc.Workload.described(requests=10, prompt=tc.Law.lognormal(median=800, p90=4000, most=32_000), completion=0)
    costs = cost_over_time(chat, ["own/global/own", "gpt-4o"], start="2025-03", months=1, book=book.with_tariffs([own]))

    assert costs.costs[0][0] is None
    assert costs.costs[0][1] > 0
    assert costs.reasons["2025-03", "own/global/own"].startswith(
        "these context tiers are graduated or count prompt and completion together"
    )


def test_prices_past_the_last_look_are_said_to_be_carried(book):
    """Nothing is extended in silence: the forecast's words stand below the table, and no word where there is no cost."""
    costs = cost_over_time(USAGE, ["gpt-4o", "deepseek-reasoner"], start="2026-06", months=12, book=book)
    forecast = tc.forecast(Workload("one", (Segment("all", 1, USAGE),)), "gpt-4o", start="2026-06", months=12, draws=0, book=book)

    assert [costs.known[month, "gpt-4o"] for month in costs.months] == [month.known for month in forecast.months]
    assert costs.known["2027-05", "gpt-4o"] == "carried"
    assert ("2027-05", "deepseek-reasoner") not in costs.known
    assert any(line.endswith("2027-05 gpt-4o: carried on, the list was last seen before") for line in str(costs).splitlines())


# -- at given prices ---------------------------------------------------------------------------------------------------------------------


def test_the_cuts_of_may_2024():
    """1,000 Mtok in and 100 out, in yuan: a headline of -67 % on Qwen-Max is -60.6 % on this workload."""
    before = {
        "qwen-long": {"input": 20, "output": 20},
        "qwen-max": {"input": 120, "output": 120},
        "hunyuan-pro": {"input": 100, "output": 100},
        "glm-3-turbo": {"input": 5, "output": 5},
    }
    after = {
        "qwen-long": {"input": "0.5", "output": 2},
        "qwen-max": {"input": 40, "output": 120},
        "hunyuan-pro": {"input": 30, "output": 100},
        "glm-3-turbo": {"input": 1, "output": 1},
        "deepseek-v2": {"input": 1, "output": 2},
        "doubao-pro-32k": {"input": "0.8", "output": 2},
    }
    costs = cost_paths_at_prices([before, after], {"input": 1000, "output": 100}, months=["2024-05-01", "2024-05-23"], unit=CNY)

    assert costs.costs == ((22000, 132000, 110000, 5500, None, None), (700, 52000, 40000, 1100, 1200, 1000))
    assert costs.currency == "CNY"


@pytest.mark.parametrize(
    ("prices", "cost"),
    [((1, 12, 24), 5600), (("0.025", 3, 6), 1220), (("0.1", 12, 24), 4880)],
    ids=["launch", "promotion", "promotion expired"],
)
def test_v4_pro_on_800_200_100(prices, cost):
    assert (
        cost_at_prices(dict(zip(("cache_read", "input", "output"), prices, strict=True)), {"cache_read": 800, "input": 200, "output": 100})
        == cost
    )


def test_a_model_without_a_cache_price_bills_hits_as_input():
    assert cost_at_prices({"input": 2, "output": 4}, {"cache_read": 70, "input": 30, "output": 10}) == 240


def test_a_free_price_is_a_price_and_a_missing_one_is_not():
    assert cost_at_prices({"input": 0, "output": 0}, {"input": 5, "output": 5}) == 0
    with pytest.raises(ScenarioError, match="no price of output, nor of what it is part of; a missing price is not 0"):
        cost_at_prices({"input": 1}, {"input": 5, "output": 5})


def test_price_vectors_refuse_what_they_cannot_cost():
    prices = {"input": 1, "output": 2}
    with pytest.raises(ScenarioError, match="quantity of input=-1 is negative"):
        cost_at_prices(prices, {"input": -1})
    with pytest.raises(ScenarioError, match="every quantity is 0"):
        cost_at_prices(prices, {"input": 0})
    with pytest.raises(ScenarioError, match="counts calls, not tokens"):
        cost_at_prices(prices, {"request": 1})
    with pytest.raises(UnknownNameError, match="no meter 'inputs'"):
        cost_at_prices(prices, {"inputs": 1})
    with pytest.raises(UnitError, match=r"price of input=1.00 CNY is in CNY, not in USD"):
        cost_at_prices({"input": tc.Money(1, "CNY")}, {"input": 1})
    with pytest.raises(ScenarioError, match="quantities of 2 months for prices of 1"):
        cost_paths_at_prices([{"a": prices}], [{"input": 1}, {"input": 2}])
    with pytest.raises(ScenarioError, match="citation is part of neither input nor output"):
        short_cuts({**prices, "citation": 1}, {"citation": 1})


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3), st.lists(st.integers(1, 100), min_size=3, max_size=3))
def test_short_cuts_on_the_cache_lie_around_the_cost(prices, counts):
    """A cache read costs no more than fresh input, so that one short cut is too high and the other too low."""
    read, fresh, out = sorted(prices[:2]) + prices[2:]
    found = short_cuts(
        {"cache_read": read, "input": fresh, "output": out}, dict(zip(("cache_read", "input", "output"), counts, strict=True))
    )

    assert found.all_cached <= found.cost <= found.cache_ignored


# -- inertia -----------------------------------------------------------------------------------------------------------------------------

SHARES = st.floats(0, 1, allow_nan=False)


@given(SHARES, SHARES, st.floats(0, 0.99), st.integers(1, 40))
def test_inertia_towards_a_fixed_target_is_geometric(initial, target, persistence, periods):
    """The gap after n periods is the first one times persistence^n."""
    found = inertia(initial, [target] * periods, persistence=persistence)

    assert np.allclose(found.shares - target, (initial - target) * persistence ** np.arange(1, periods + 1), atol=1e-12)


def test_half_of_the_way_takes_a_half_life():
    found = inertia(0.0, [1.0] * 4, persistence=0.5 ** (1 / 3))

    assert found.half_life == pytest.approx(3, rel=1e-14)
    assert found.shares[2] == pytest.approx(0.5, rel=1e-14)


def test_the_ends_of_persistence():
    assert inertia(0.2, [0.7], persistence=0).shares.tolist() == [0.7]
    assert inertia(0.2, [0.7], persistence=0).half_life == 0
    assert inertia(0.2, [0.7], persistence=1).shares.tolist() == [0.2]
    assert inertia(0.2, [0.7], persistence=1).half_life is None
    assert "half of the way: never" in str(inertia(0.2, [0.7], persistence=1))
    assert inertia(0.2, [0.7], persistence=1)._repr_html_().startswith("<table>")


def test_shares_of_a_market_move_together_and_stay_shares():
    found = inertia([0.5, 0.3], [[0.2, 0.7]] * 3, persistence=0.5)

    assert found.shares.round(12).tolist() == [[0.35, 0.5], [0.275, 0.6], [0.2375, 0.65]]
    assert found.records()[1] == {"period": 0, "offering": 1, "share": 0.5, "target": 0.7}
    with pytest.raises(ValueError, match="read-only"):
        found.shares[0, 0] = 1


@pytest.mark.parametrize(
    ("initial", "targets", "persistence", "told"),
    [
        (1.1, [0.5], 0.5, "are not all from 0 to 1"),
        (0.1, [float("nan")], 0.5, "are not all from 0 to 1"),
        (0.1, [], 0.5, "do not fit initial shares"),
        ([0.1, 0.2], [0.1, 0.2], 0.5, "do not fit initial shares"),
        (0.1, [0.5], 1.5, "persistence=1.5 is outside 0 to 1"),
        (0.1, [0.5], float("nan"), "persistence=nan is outside 0 to 1"),
        ([0.6, 0.6], [[0.1, 0.1]], 0.5, "add up to more than 1"),
        ("much", [0.5], 0.5, "are no shares"),
    ],
)
def test_inertia_refuses_what_are_no_shares(initial, targets, persistence, told):
    with pytest.raises(ScenarioError, match=told):
        inertia(initial, targets, persistence=persistence)

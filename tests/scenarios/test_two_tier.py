"""Two tiers: calibration, situations, recovery, and what each assumption does."""

from __future__ import annotations

import pickle
from dataclasses import replace
from fractions import Fraction

import pytest

import tokencost as tc
from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.outlay import present_value
from tokencost.scenarios.two_tier import TwoTierAssumptions, TwoTierProduct, two_tier_war

QWEN, R1 = "alibaba/global/qwen-max", "deepseek/global/deepseek-reasoner"


@pytest.fixture(scope="module")
def war():
    return two_tier_war()


def test_prices_are_those_of_the_workload_of_the_day(war):
    """562,100 USD for 776,000 million tokens at R1's list, and the promotion that V3 still had."""
    paid = war["lists"].prices
    assert paid[R1] == pytest.approx(562_100 / 776_000, rel=1e-12)
    assert paid["deepseek/global/deepseek-chat"] == pytest.approx((342 * 0.014 + 266 * 0.14 + 168 * 0.28) / 776, rel=1e-12)
    assert paid[QWEN] == pytest.approx((342 * 0.64 + 266 * 1.6 + 168 * 6.4) / 776, rel=1e-12)
    assert war["lists"].cost_profit(R1) == pytest.approx(562_100 / 87_072 - 1, rel=1e-12)


def test_shares_at_the_lists_are_those_assumed(war):
    assert war["lists"].shares == pytest.approx({p.offering: p.share for p in war.assumptions.products}, rel=1e-9)
    assert war.own_elasticities[war.assumptions.anchor] == pytest.approx(-2.5, rel=1e-12)


def test_the_outlay_is_that_of_the_article(war):
    assert war.assumptions.outlay == pytest.approx(52.44e9, rel=1e-4)
    plan = war.plans["equilibrium"]
    assert present_value([plan.payment] * plan.months, rate=plan.rate) == plan.outlay
    assert plan.volume * plan.contribution == plan.payment


def test_situations_are_what_they_say(war):
    lists, under, best, end = war.situations
    assert under.prices[QWEN] == pytest.approx(0.9 * lists.prices[R1], rel=1e-12)
    assert best.contributions[QWEN] > max(lists.contributions[QWEN], under.contributions[QWEN])
    assert {name: price for name, price in best.prices.items() if name != QWEN} == {n: p for n, p in lists.prices.items() if n != QWEN}
    assert end.prices[R1] == lists.prices[R1]
    assert end.residual < 1e-12
    for situation in war.situations:
        assert sum(situation.shares.values()) + situation.outside_share == pytest.approx(1, abs=1e-12)


def test_prices_for_profit_do_not_move_where_nobody_answers(war):
    """The costs of the United States are those at which their prices at the lists are best: with Alibaba at its list they stay."""
    given = replace(war.assumptions, posted=("DeepSeek", "Anthropic"))
    assert two_tier_war(given)["equilibrium"].prices["anthropic/global/claude-3-5-sonnet-20241022"] == pytest.approx(
        war["lists"].prices["anthropic/global/claude-3-5-sonnet-20241022"], rel=1e-12
    )


def test_recovery_is_the_first_month_in_which_growing_sales_have_paid(war):
    found = war.recovery["equilibrium"]
    end = war["equilibrium"]
    first, growth = Fraction(war.size * end.shares[QWEN]), Fraction(1, 20)
    months = found.whole_months
    earned = [found.contribution * first * ((1 + growth) ** n - 1) / growth for n in (months - 1, months)]
    assert earned[0] < found.outlay * (1 + Fraction(1, 10**9))
    assert earned[1] >= found.outlay * (1 - Fraction(1, 10**9))


def test_sensitivity_turns_as_it_should(war):
    lines = {(line.assumption, line.value): line for line in war.sensitivity()}
    base = lines["as assumed", ""]
    assert lines["attributed", "0.25"].volume == pytest.approx(base.volume / 4, rel=1e-9)
    assert lines["growth", "0"].months > lines["growth", "0.02"].months > base.months > lines["growth", "0.1"].months
    assert lines["cost_factor", "3.0"].price > base.price > lines["cost_factor", "0.5"].price
    assert lines["own_elasticity", "-4.0"].price < base.price < lines["own_elasticity", "-2.0"].price
    assert lines["posted", "()"].price > base.price
    assert "below 0; pass a greater elasticity" in lines["own_elasticity", "-1.11"].refused
    assert "refused" in war.sensitivity_table().text()


def test_rescaling_the_unit_of_the_currency_moves_nothing_else(war):
    """Twice the outlay takes twice the volume."""
    twice = two_tier_war(replace(war.assumptions, outlay_cny=760_000_000_000))
    assert twice.plans["lists"].volume == pytest.approx(2 * war.plans["lists"].volume, rel=1e-12)


def test_results_print_and_pickle(war):
    back = pickle.loads(pickle.dumps(war))
    assert back.records() == war.records()
    assert {row["unit"] for row in war.records()} == {"USD/Mtok"}
    assert "380 billion CNY at 7.2464" in str(war)
    assert "<table" in war._repr_html_()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"posted": ("Deepseek",)}, "firm 'Deepseek' sells nothing here"),
        ({"posted": ("Alibaba",)}, "cannot both answer and stand"),
        ({"anchor": "gpt-5"}, "'gpt-5' is not among the products"),
        ({"undercut": 10}, "ten per cent is 0.1"),
        ({"rho": "much"}, "rho 'much' is no number"),
    ],
)
def test_assumptions_that_cannot_be(changes, message):
    with pytest.raises(ScenarioError) as caught:
        TwoTierAssumptions(**changes)
    assert message in str(caught.value)


def test_shares_above_one_are_refused():
    given = TwoTierAssumptions().with_shares_of("OpenAI", 3)
    with pytest.raises(ScenarioError, match="nobody buys none"):
        two_tier_war(given)


def test_an_offering_without_a_price_then_is_refused():
    given = TwoTierAssumptions()
    late = TwoTierProduct("openai/global/gpt-4.1", "OpenAI", "US", 0.01)
    with pytest.raises(ScenarioError, match="has no price for this workload"):
        two_tier_war(replace(given, products=(*given.products, late)), book=tc.load_book())


def test_a_situation_that_is_none(war):
    with pytest.raises(UnknownNameError, match="best response"):
        war["peace"]

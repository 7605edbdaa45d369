"""Price wars of sellers: ledgers, runways against a loop, who stops first, and whether losses ever come back."""

from __future__ import annotations

import pickle
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import ScenarioError, UnitError
from tokencost.scenarios.ledger import ledger
from tokencost.scenarios.margin import UnitMargin
from tokencost.scenarios.outlay import present_value
from tokencost.scenarios.recoupment import recoupment
from tokencost.scenarios.runway import first_to_stop, runway
from tokencost.scenarios.unit import Unit

PERCENT = st.integers(-60, 60).map(lambda percent: Fraction(percent, 100))
WAR = {"first_month": 10_000_000, "fixed": 500_000, "growth": "0.12"}
HORIZON = 300


def months_by_loop(cash, contribution, first, fixed, growth):
    """Pay month by month: how many months end with cash of 0 or more; None where that is all of the horizon."""
    volume = Fraction(first)
    for month in range(HORIZON):
        cash += contribution * volume - fixed
        if cash < 0:
            return month
        volume *= 1 + growth
    return None


# -- runways -----------------------------------------------------------------------------------------------------------------------------


def test_thirty_million_below_cost():
    """11.5 months without growth, 8.0 with 12 % a month: a price that draws volume draws losses."""
    war = runway(30_000_000, "-0.21", **WAR)

    assert (war.first_month_loss, war.whole_months, war.below_cost) == (2_600_000, 8, True)
    assert war.months == pytest.approx(8.03148867708751, rel=1e-12)
    assert war.months_without_growth == pytest.approx(11.538461538461538, rel=1e-15)
    assert float(war.cash_left) == pytest.approx(170644.414840832, rel=1e-12)


@given(st.integers(0, 5000), PERCENT, st.integers(0, 100), st.integers(0, 50), PERCENT)
@example(100, Fraction(1, 10), 100, 20, Fraction(1, 10))
@example(100, Fraction(1, 10), 100, 60, Fraction(1, 10))
@example(3949, Fraction(-59, 100), 0, 1, Fraction(60, 100))
@example(1, Fraction(42, 100), 1, 1, Fraction(41, 100))
@example(200, Fraction(-1), 100, 0, Fraction(-1, 2))
@example(199, Fraction(-1), 100, 0, Fraction(-1, 2))
def test_a_runway_is_that_of_a_loop(cash, contribution, first, fixed, growth):
    """Every sign of contribution and growth: the closed form stops in the month in which paying month by month does."""
    found = runway(cash, contribution, first_month=first, fixed=fixed, growth=growth)
    looped = months_by_loop(Fraction(cash), contribution, first, fixed, growth)

    if looped is None:
        assert found.whole_months is None or found.whole_months >= HORIZON
    else:
        assert found.whole_months == looped
        assert looped <= found.months <= looped + 1
        assert 0 <= found.cash_left <= cash + max(contribution, 0) * first * HORIZON * (1 + abs(growth)) ** HORIZON
    assert (found.note is None) == (found.whole_months is not None)


@given(st.integers(0, 5000), st.integers(1, 60), st.integers(1, 100), st.integers(0, 50), PERCENT)
def test_a_ledger_without_elasticity_ends_where_the_runway_does(cash, loss, first, fixed, growth):
    found = runway(cash, Fraction(-loss, 100), first_month=first, fixed=fixed, growth=growth)
    months = ledger([0] * 60, Fraction(loss, 100), first_month=first, growth=growth, fixed=fixed, cash=cash)

    if found.whole_months is not None and found.whole_months < 60:
        assert months.first_negative == months.whole_months == found.whole_months
        if found.whole_months:
            assert months.rows[found.whole_months - 1].cash == found.cash_left
    else:
        assert months.first_negative is None


def test_cash_that_is_spent_to_the_last_cent_has_lasted():
    """Both sides of the edge."""
    assert runway(30, -1, first_month=10).whole_months == 3
    assert runway("29.99", -1, first_month=10).whole_months == 2
    assert runway(30, -1, first_month=10).cash_left == 0
    assert runway(0, -1, first_month=10).whole_months == 0


@pytest.mark.parametrize(
    ("cash", "contribution", "options", "why"),
    [
        (5, 0, {"first_month": 10}, "never: nothing is lost"),
        (0, 1, {"first_month": 10}, "never: sales earn the fixed cost in every month"),
        (0, 1, {"first_month": 10, "fixed": 10}, "never: sales earn the fixed cost in every month"),
        (0, 1, {"first_month": 10, "growth": "-0.5"}, "never: sales earn every month"),
        (200, -1, {"first_month": 100, "growth": "-0.5"}, "never: sales shrink, and all losses add up to less than 200.00"),
        (
            100,
            1,
            {"first_month": 100, "growth": "0.1", "fixed": 120},
            "never: sales outgrow the fixed cost in month 2, after 30.00 were lost",
        ),
        (10**9, -1, {"first_month": 1}, "longer than 1,200 months; they are not worked out"),
    ],
)
def test_a_runway_without_an_end_says_why(cash, contribution, options, why):
    found = runway(cash, contribution, **options)

    assert (found.months, found.whole_months, found.cash_left) == (None, None, None)
    assert found.note == why


def test_a_price_that_is_low_is_not_below_cost():
    assert not runway(10, UnitMargin(Fraction("0.14"), Fraction("0.0217")), first_month=1, fixed=1).below_cost
    assert runway(10, UnitMargin(Fraction("0.14"), Fraction("0.35")), first_month=1).below_cost


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cash": -1}, "cash=-1 is negative"),
        ({"first_month": -1}, "first_month=-1 is negative"),
        ({"fixed": -1}, "fixed=-1 is negative"),
        ({"growth": -1}, "growth=-1 leaves nothing"),
    ],
)
def test_runways_refuse_what_cannot_be(options, told):
    taken = {"cash": 10, "first_month": 1, **options}
    with pytest.raises(ScenarioError, match=told):
        runway(taken.pop("cash"), -1, **taken)


def test_a_runway_counts_in_one_unit():
    with pytest.raises(UnitError, match="contribution is in CNY/Mtok, not in USD/Mtok"):
        runway(10, UnitMargin(Fraction(1), Fraction(2), Unit("CNY")), first_month=1)
    with pytest.raises(UnitError, match=r"cash=10.00 CNY is in CNY"):
        runway(tc.Money(10, "CNY"), -1, first_month=1)


# -- who stops first ---------------------------------------------------------------------------------------------------------------------


def test_the_seller_whose_cash_ends_first_stops_first():
    sellers = {
        "deep": runway(30_000_000, "-0.21", **WAR),
        "twin": runway(30_000_001, "-0.21", **WAR),
        "rich": runway(300_000_000, "-0.21", **WAR),
        "cheap": runway(30_000_000, "0.05", first_month=10_000_000, fixed=500_000),
    }
    found = first_to_stop(sellers)

    assert found.first == ("deep", "twin")
    assert found.last == ("cheap",)
    assert [row.seller for row in found.rows] == ["deep", "twin", "rich", "cheap"]
    assert str(found).splitlines()[-1] == "first to stop: deep, twin"
    del sellers["cheap"]
    assert first_to_stop(sellers).last == ("rich",)


def test_a_ledger_and_a_runway_stand_side_by_side():
    """A ledger that is over before cash is says no more than that."""
    found = first_to_stop({"a": ledger(["0.1"] * 6, 1, first_month=10, cash=30), "b": ledger([1], 1, first_month=1)})

    assert (found.first, found.last) == (("a",), ("b",))
    assert found.records()[1] == {"seller": "b", "whole_months": None, "note": "not within 1 months"}


def test_nobody_has_to_stop_and_nobody_is_there():
    earning = runway(1, 1, first_month=1)

    assert first_to_stop({"a": earning}).first == ()
    assert str(first_to_stop({"a": earning})).splitlines()[-1] == "first to stop: nobody"
    assert first_to_stop({"a": earning})._repr_html_().startswith("<table>")
    assert first_to_stop({"a": earning}).last == ("a",)
    with pytest.raises(ScenarioError, match="there is no seller"):
        first_to_stop({})


# -- ledgers -----------------------------------------------------------------------------------------------------------------------------


def test_a_cut_raises_volume_and_lowers_the_margin():
    """The elasticity of -1.11 by value: from 0.90 to 0.60 volume grows by (2/3)^-1.11 beside the 10 % a month."""
    found = ledger(["0.9", "0.9", "0.6"], "0.35", first_month=500_000, growth="0.1", elasticity="-1.11", fixed=120_000, cash=600_000)

    assert [row.cash for row in found.rows[:2]] == [755_000, 937_500]
    assert float(found.rows[2].volume) == pytest.approx(948891.7531945115, rel=1e-14)
    assert found.rows[2].gross_margin == Fraction(5, 12)
    assert found.rows[2].cost_profit_margin == Fraction(5, 7)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(-3, 3), PERCENT, st.integers(0, 50))
def test_a_ledger_adds_up(prices, elasticity, growth, cost):
    """Exact with a whole elasticity: cash moves by gross profit less what is fixed, volume by its formula."""
    found = ledger(prices, cost, first_month=100, growth=growth, elasticity=elasticity, fixed=7, cash=1000)
    cash = Fraction(1000)
    for month, (row, price) in enumerate(zip(found.rows, prices, strict=True)):
        assert row.volume == 100 * (1 + growth) ** month * Fraction(price, prices[0]) ** elasticity
        cash += row.gross_profit - 7
        assert row.cash == cash
        assert row.revenue - row.cost == row.gross_profit
    assert found.below_cost_months == tuple(month for month, price in enumerate(prices) if price < cost)


def test_costs_and_fixed_costs_may_change_and_the_base_price_may_lie_before():
    found = ledger([2, 1], [1, "0.5"], first_month=10, elasticity=-1, base_price=4, fixed=[1, 2])

    assert [row.volume for row in found.rows] == [20, 40]
    assert [row.cash for row in found.rows] == [19, 37]
    assert found.note == "not within 2 months"


def test_a_free_price_is_named_where_something_divides_by_it():
    free = ledger([1, 0], "0.5", first_month=10)

    assert free.rows[1].gross_margin is None
    assert free.records()[1]["gross_margin"] is None
    assert str(free).splitlines()[-1] == "a free price has no gross margin: nothing divides by a revenue of 0"
    assert ledger([1, 0], 0, first_month=10, elasticity="0.5").rows[1].volume == 0
    with pytest.raises(ScenarioError, match=r"the price of month 1 is 0: \(p_t / p_0\)\^-1.11 divides by 0"):
        ledger([1, 0], 1, first_month=10, elasticity="-1.11")
    with pytest.raises(ScenarioError, match="the base price is 0"):
        ledger([0, 1], 1, first_month=10, elasticity=-1)


@pytest.mark.parametrize(
    ("prices", "options", "told"),
    [
        ([], {}, "there is no month"),
        ([1, -1], {}, "price of month 1=-1 is negative"),
        ([1, None], {}, "price of month 1=None is not a finite number"),
        ([1], {"first_month": -1}, "first_month=-1 is negative"),
        ([1], {"growth": -1}, "growth=-1 leaves nothing"),
        ([1], {"fixed": [1, 2]}, "fixed of 2 months for prices of 1"),
        ([1, "1e-90"], {"elasticity": "-4.5"}, "takes the volume of month 1 beyond every number"),
    ],
)
def test_ledgers_refuse_what_cannot_be(prices, options, told):
    with pytest.raises(ScenarioError, match=told):
        ledger(prices, 1, **{"first_month": 1, **options})


# -- recoupment --------------------------------------------------------------------------------------------------------------------------


def test_nine_months_of_four_million():
    war = recoupment([4_000_000] * 9, 1_500_000, rate="0.01")

    assert war.months == pytest.approx(28.88868336192563, rel=1e-12)
    assert war.whole_months == 29
    assert float(war.present_value) == pytest.approx(34264070.304034755, rel=1e-14)
    assert float(war.least_gain) == pytest.approx(374741.0907374436, rel=1e-14)


@given(
    st.lists(st.integers(-20, 100), min_size=1, max_size=12),
    st.integers(1, 200),
    st.integers(-20, 20).map(lambda percent: Fraction(percent, 100)),
)
def test_gains_make_up_for_losses_in_the_month_that_is_named(losses, gain, rate):
    """The whole war is worth 0 or more with the named months of gains, and less than 0 with one month fewer."""
    war = recoupment(losses, gain, rate=rate)
    assume(war.whole_months is None or war.whole_months < 500)
    flows = [-loss for loss in losses]
    if war.whole_months is None:
        assert gain <= war.least_gain
        assert present_value([*flows, *[gain] * 500], rate=rate) < 0
    else:
        assert gain > war.least_gain or war.owed <= 0
        assert present_value([*flows, *[gain] * war.whole_months], rate=rate) >= 0
        if war.whole_months:
            assert present_value([*flows, *[gain] * (war.whole_months - 1)], rate=rate) < 0
            assert war.whole_months - 1 - 1e-6 <= war.months <= war.whole_months + 1e-6


def test_a_gain_at_the_interest_never_recoups_and_one_above_does():
    """Both sides of the edge: 100 owed at 10 % costs 10 a month."""
    assert recoupment([100], 10, rate="0.1").note == "never: 10.00 a month is not above the interest on what is owed, 10.00"
    assert recoupment([100], "10.01", rate="0.1").whole_months == 73
    assert recoupment([100], 0).note == "never: there is no gain"
    assert recoupment([100], 0).least_gain == 0


def test_without_interest_it_is_a_division():
    found = recoupment([30, 30], 25)

    assert (found.months, found.whole_months, found.owed) == (2.4, 3, 60)


def test_a_war_that_cost_nothing_is_made_up_at_once():
    assert recoupment([10, -20], 5).whole_months == 0


def test_recoupment_refuses_what_cannot_be():
    with pytest.raises(ScenarioError, match="there is no month of losses"):
        recoupment([], 1)
    with pytest.raises(ScenarioError, match="gain=-1 is negative"):
        recoupment([1], -1)
    with pytest.raises(ScenarioError, match="rate=-1 leaves nothing"):
        recoupment([1], 1, rate=-1)
    with pytest.raises(UnitError, match="loss of month 0="):
        recoupment([tc.Money(1, "CNY")], 1)


@pytest.mark.parametrize(
    "result", [runway(30_000_000, "-0.21", **WAR), recoupment([4, 4], 1, rate="0.01"), ledger([1, 2], 1, first_month=1, elasticity=-1)]
)
def test_results_print_pickle_and_give_records(result):
    assert pickle.loads(pickle.dumps(result)) == result
    assert result.records()
    assert result._repr_html_().startswith("<table>")
    assert str(result) == result.table().text()

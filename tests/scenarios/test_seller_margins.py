"""Margins, unit costs, break-even and annuities of sellers: figures by value, identities, and what divides by nothing."""

from __future__ import annotations

import pickle
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import MoneyTypeError, ScenarioError, UnitError
from tokencost.scenarios.break_even import break_even, grown
from tokencost.scenarios.margin import Margin, UnitMargin, sales_margin, unit_margin
from tokencost.scenarios.outlay import annuity, present_value
from tokencost.scenarios.serving_cost import learned_costs, machine_cost, serving_costs
from tokencost.scenarios.unit import Unit

DAY = {"cache_read": 342_000, "input": 266_000, "output": 168_000}
R1 = {"cache_read": "0.14", "input": "0.55", "output": "2.19"}
CENTS = st.integers(1, 10_000).map(lambda cents: Fraction(cents, 100))
RATES = st.integers(-90, 100).map(lambda percent: Fraction(percent, 100))


# -- margins -----------------------------------------------------------------------------------------------------------------------------


def test_the_deepseek_day():
    """608B in, 168B out on 226.75 nodes of 8 at 2 dollars: 545 % of cost is 84.5 % of revenue."""
    day = sales_margin(DAY, R1, machine_cost(gpus=Decimal("226.75") * 8, gpu_hour=2, hours=24))

    assert (day.revenue, day.cost, day.profit) == (562_100, 87_072, 475_028)
    assert day.cost_profit_margin == Fraction(562_100, 87_072) - 1
    assert f"{float(day.cost_profit_margin):.1%} {float(day.gross_margin):.1%}" == "545.6% 84.5%"
    assert (day.hit_rate, round(float(day.cost_per_unit), 3), round(float(day.cost_per_output), 3)) == (Fraction(9, 16), 0.112, 0.518)


def test_both_margins_are_printed_with_their_names():
    assert str(sales_margin(DAY, R1, 87_072)).splitlines()[5:7] == [
        "gross margin               84.5%  of revenue",
        "cost-profit margin        545.6%  of cost",
    ]


@given(CENTS, CENTS)
def test_the_two_margins_are_one_figure(revenue, cost):
    """1 - gross margin is one over 1 + cost-profit margin."""
    made = Margin(revenue, cost, {"output": Fraction(1)})

    assert (1 - made.gross_margin) * (1 + made.cost_profit_margin) == 1


def test_a_free_price_has_no_gross_margin_and_says_so():
    free = sales_margin({"output": 5}, {"output": 0}, 10)

    assert free.gross_margin is None
    assert free.cost_profit_margin == -1
    assert str(free).splitlines()[-1] == "no gross margin: the revenue is 0, and nothing divides by it"
    assert sales_margin({"output": 5}, {"output": 1}, 0).cost_profit_margin is None
    assert sales_margin({"output": 5}, {"output": 1}, 0).hit_rate is None
    assert sales_margin({"input": 5}, {"input": 1}, 0).cost_per_output is None


def test_a_margin_on_one_meter_is_not_that_of_the_mix():
    costs = {"cache_read": "0.05", "input": "0.11", "output": "0.24"}
    mix = unit_margin({"cache_read": 44, "input": 34, "output": 22}, R1, costs)

    assert (mix.price, mix.cost, mix.contribution) == (Fraction("0.7304"), Fraction("0.1122"), Fraction("0.6182"))
    assert mix.gross_margin != unit_margin({"output": 1}, R1, costs).gross_margin
    assert unit_margin({"cache_read": "0.44", "input": "0.34", "output": "0.22"}, R1, costs) == mix


def test_low_is_not_below_cost():
    """At the margin of the DeepSeek day a price of 14 cents is low and earns; at a cost of 35 cents it loses."""
    assert not UnitMargin(Fraction("0.14"), Fraction("0.0217")).below_cost
    assert UnitMargin(Fraction("0.14"), Fraction("0.35")).below_cost
    assert not UnitMargin(Fraction("0.14"), Fraction("0.14")).below_cost
    assert str(UnitMargin(Fraction("0.14"), Fraction("0.35"))) == "0.14 less 0.35 leaves -0.21 USD/Mtok, below cost"
    assert UnitMargin(Fraction(0), Fraction(1)).gross_margin is None
    assert UnitMargin(Fraction(1), Fraction(0)).cost_profit_margin is None


def test_margins_refuse_what_cannot_be():
    with pytest.raises(ScenarioError, match="volume of output=-1 is negative"):
        sales_margin({"output": -1}, R1, 1)
    with pytest.raises(ScenarioError, match="every volume is 0"):
        sales_margin({}, R1, 1)
    with pytest.raises(ScenarioError, match="cost=-1 is negative"):
        sales_margin({"output": 1}, R1, -1)
    with pytest.raises(ScenarioError, match="no price of output"):
        sales_margin({"output": 1}, {"input": 1}, 1)
    with pytest.raises(UnitError, match=r"cost=5.00 CNY is in CNY, not in USD"):
        sales_margin({"output": 1}, R1, tc.Money(5, "CNY"))


# -- what serving costs ------------------------------------------------------------------------------------------------------------------


def test_unit_costs_are_those_of_a_tariff_of_ones_own():
    """Two dollars an hour over 3600 x 4,000 tokens at half use is 2.22 a million on eight GPUs."""
    speed = {"input": 40_000, "output": 4_000}
    costs = serving_costs(gpu_hour="2", gpus=8, tokens_per_second=speed, utilisation="0.5")
    mine = tc.self_hosted("me/rack/m", gpu_hour="2", gpus=8, tokens_per_second=speed, utilisation="0.5", start="2026-01-01T00:00:00Z")

    assert costs == {name: Fraction(price) for name, price in mine.versions[0].rates[0].prices.items()}
    assert costs["output"] == Fraction("2.222222")
    assert serving_costs(gpu_hour="2", gpus=8, tokens_per_second=speed, utilisation="1")["output"] == Fraction("1.111111")
    assert serving_costs(gpu_hour="2", tokens_per_second={"output": 1000}, unit="USD/token")["output"] == Fraction("0.555556") / 10**6
    with pytest.raises(MoneyTypeError):
        serving_costs(gpu_hour=2.0, tokens_per_second=speed)


def test_machines_cost_what_their_hours_cost():
    assert machine_cost(gpus=1814, gpu_hour=tc.Money(2, "USD"), hours=24) == 87_072
    with pytest.raises(ScenarioError, match="hours=-1 is negative"):
        machine_cost(gpus=1, gpu_hour=1, hours=-1)
    with pytest.raises(UnitError, match="gpu_hour="):
        machine_cost(gpus=1, gpu_hour=tc.Money(2, "CNY"), hours=1)


def test_a_doubling_of_volume_takes_the_cost_down_a_step():
    costs = learned_costs("0.4", [100, 200, 400, 0], exponent=2, made_before=100)

    assert costs == pytest.approx([0.4, 0.1, 0.025, 0.00625])
    assert learned_costs(1, [5, 5], exponent=0, made_before=1).tolist() == [1.0, 1.0]
    with pytest.raises(ScenarioError, match="a learning curve starts from some volume"):
        learned_costs(1, [5], exponent=1, made_before=0)
    with pytest.raises(ScenarioError, match="a learning curve"):
        learned_costs(1, [], exponent=1, made_before=1)


# -- break-even --------------------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 10**6), CENTS, st.integers(1, 10**4), RATES)
def test_break_even_is_where_the_months_add_up(outlay, contribution, first, growth):
    """Month by month: the first whole month is reached by adding up, and the continuous one lies within it."""
    found = break_even(outlay, contribution, first_month=first, growth=growth)
    months = accumulate(contribution * first * (1 + growth) ** k for k in range(400))
    added = next((n for n, total in enumerate(months, 1) if total >= outlay), None)

    assert found.volume == outlay / contribution
    if added is not None:
        assert found.whole_months == added
        assert added - 1 - 1e-6 <= found.months <= added + 1e-6
    elif found.whole_months is None:
        assert found.note.startswith(("never", "longer"))
    else:
        assert found.whole_months > 400


@given(st.integers(1, 200), CENTS, st.integers(1, 100), RATES)
def test_an_outlay_of_n_months_comes_back_in_n_months(months, contribution, first, growth):
    """Both sides of the edge: exactly there, and a millionth above."""
    outlay = contribution * grown(Fraction(first), growth, months)
    found = break_even(outlay, contribution, first_month=first, growth=growth)

    assert found.whole_months == months
    assert break_even(outlay * Fraction(10**6 - 1, 10**6), contribution, first_month=first, growth=growth).whole_months <= months
    more = break_even(outlay + contribution * first * (1 + growth) ** months / 2, contribution, first_month=first, growth=growth)
    assert more.whole_months == months + 1


def test_the_limit_without_growth():
    """As growth goes to 0, months go to outlay over what a month brings."""
    still = break_even(1000, 1, first_month=7)

    assert still.months == 1000 / 7
    assert still.whole_months == 143
    for growth in ("1e-9", "1e-15", "1e-300", "-1e-15"):
        assert break_even(1000, 1, first_month=7, growth=growth).months == pytest.approx(1000 / 7, rel=1e-6)


@pytest.mark.parametrize("contribution", [0, "-0.21"])
def test_without_a_contribution_it_never_breaks_even(contribution):
    found = break_even(10, contribution, first_month=1)

    assert (found.volume, found.tokens, found.months, found.whole_months) == (None, None, None, None)
    assert found.note == f"never: each unit sold leaves {Decimal(contribution):.2f}"
    assert found.records()[0]["volume"] is None
    assert str(found).endswith(found.note)


def test_shrinking_sales_may_never_add_up():
    """Sales of 100 that halve add up to 200."""
    assert break_even(200, 1, first_month=100, growth="-0.5").note == "never: sales add up to less than 200.00 for all time"
    assert break_even(199, 1, first_month=100, growth="-0.5").whole_months == 8
    assert break_even(1, 1, first_month=0).note == "never: sales add up to less than 0 for all time"


def test_growth_at_the_edge_of_what_is_left():
    """What shrinks to nothing sells its first month only; what explodes is there in the second."""
    edge = "-0." + "9" * 40
    assert break_even(100, 1, first_month=100, growth=edge).months == pytest.approx(1)
    assert break_even("99.5", 1, first_month=100, growth=edge).whole_months == 1
    assert break_even("1e99", 1, first_month=1, growth="1e98").whole_months == 3


def test_a_figure_beyond_float64_says_so():
    with pytest.raises(ScenarioError, match="is beyond every market; check its unit"):
        break_even("1e99", "1e-300", first_month=1)


def test_an_outlay_of_nothing_is_back_at_once_and_a_volume_needs_no_months():
    assert break_even(0, -1, first_month=1).whole_months == 0
    assert (break_even(10, 2).volume, break_even(10, 2).months, break_even(10, 2).note) == (5, None, None)


def test_months_beyond_a_hundred_years_are_not_counted():
    found = break_even(10**6, 1, first_month=1)

    assert (found.months, found.whole_months) == (10**6, None)
    assert found.note == "longer than 1,200 months; whole months are not worked out"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"growth": -1}, "growth=-1 leaves nothing after a month"),
        ({"growth": "-1.5"}, "growth=-1.5 leaves nothing after a month"),
        ({"first_month": -1}, "first_month=-1 is negative"),
        ({"growth": float("inf")}, "growth=inf is not a finite number"),
    ],
)
def test_break_even_refuses_what_cannot_be(options, told):
    with pytest.raises(ScenarioError, match=told):
        break_even(10, 1, **{"first_month": 1, **options})


def test_units_do_not_mix():
    margin = UnitMargin(Fraction(2), Fraction(1), Unit("CNY"))

    assert break_even(10, margin, unit="CNY/Mtok").volume == 10
    assert break_even(10, UnitMargin(Fraction(2), Fraction(1), Unit.of("USD/token")), unit="USD/token").tokens == 10
    with pytest.raises(UnitError, match="contribution is in CNY/Mtok, not in USD/Mtok; convert it first"):
        break_even(10, margin)
    with pytest.raises(UnitError, match="contribution is in USD/Mtok, not in USD/token"):
        annuity(10, rate=0, months=1, contribution=UnitMargin(Fraction(2), Fraction(1)), unit="USD/token")
    with pytest.raises(UnitError, match=r"outlay=5.00 CNY is in CNY"):
        break_even(tc.Money(5, "CNY"), 1)
    with pytest.raises(UnitError, match=r"growth=5.00 USD is money, not a number"):
        break_even(5, 1, first_month=1, growth=tc.Money(5, "USD"))


# -- outlays -----------------------------------------------------------------------------------------------------------------------------


def test_fifty_three_billion():
    """$53B at 0.8 % a month over 60 months: $1.1157B a month, 4.46e9 Mtok at 25 cents."""
    plan = annuity(53 * 10**9, rate="0.008", months=60, contribution="0.25")

    assert round(plan.payment, 2) == Fraction("1115690490.07")
    assert round(float(plan.volume)) == 4_462_761_960
    assert plan.tokens == plan.volume * 10**6
    assert plan.volume_without_interest == 212 * 10**9
    assert present_value([plan.payment] * 60, rate="0.008") == 53 * 10**9


@given(st.integers(1, 10**9), RATES, st.integers(1, 120))
def test_the_payments_of_an_annuity_are_worth_the_outlay(outlay, rate, months):
    plan = annuity(outlay, rate=rate, months=months)

    assert present_value([plan.payment] * months, rate=rate) == outlay
    assert (plan.interest > 0) == (rate > 0)
    assert plan.volume is plan.tokens is plan.volume_without_interest is None


def test_no_volume_repays_an_outlay_without_a_contribution():
    plan = annuity(100, rate=0, months=10, contribution="-0.1")

    assert (plan.payment, plan.volume) == (10, None)
    assert plan.note == "never: each unit sold leaves -0.10, no volume repays the outlay"
    assert annuity(100, rate=0, months=10, contribution=0).volume is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"months": 0}, "months=0 is not a whole number of months"),
        ({"months": 1.5}, "months=1.5 is not a whole number of months"),
        ({"rate": -1}, "rate=-1 leaves nothing after a month"),
        ({"outlay": -1}, "outlay=-1 is negative"),
    ],
)
def test_annuities_refuse_what_cannot_be(options, told):
    given_options = {"outlay": 10, "rate": 0, "months": 12, **options}
    with pytest.raises(ScenarioError, match=told):
        annuity(given_options.pop("outlay"), **given_options)


@pytest.mark.parametrize(
    "result",
    [
        sales_margin(DAY, R1, 87_072),
        break_even(10, 1, first_month=3, growth="0.1"),
        annuity(10, rate="0.01", months=12, contribution=1),
    ],
)
def test_results_print_pickle_and_give_records(result):
    assert pickle.loads(pickle.dumps(result)) == result
    assert len(result.records()) == 1
    assert result._repr_html_().startswith("<table>")
    assert str(result) == result.table().text()

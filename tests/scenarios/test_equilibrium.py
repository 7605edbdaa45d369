"""Bertrand-Nash prices: what economics says of them, several solvers that agree, many markets at once, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokencost.errors import ConvergenceError, ScenarioError, UnitError
from tokencost.scenarios.batch import solve_part
from tokencost.scenarios.best_response import best_deviation
from tokencost.scenarios.equilibria import equilibria
from tokencost.scenarios.equilibrium import equilibrium
from tokencost.scenarios.firm_markups import aggregate_markups, firm_markups
from tokencost.scenarios.market import Market
from tokencost.scenarios.prices import Prices
from tokencost.scenarios.segments import Segment

UNIT = "USD/Mtok"
SIX = {"delta": [2.0, 1.2, 1.6, 0.8, 1.0, 0.2], "alpha": 1.8, "costs": [0.9, 0.3, 0.5, 0.15, 0.25, 0.06], "unit": UNIT}
OWNERS = [0, 0, 1, 1, 2, 2]


@st.composite
def markets(draw, *, rhos=(None, 0.0, 0.3, 0.7, 0.9), spread=4.0, most=7):
    count = draw(st.integers(2, most))
    numbers = st.lists(st.floats(-spread, spread), min_size=count, max_size=count)
    rho = draw(st.sampled_from(rhos))
    return Market(
        delta=draw(numbers),
        alpha=draw(st.floats(0.2, 5)),
        costs=draw(st.lists(st.floats(0, 2), min_size=count, max_size=count)),
        firm_ids=draw(st.lists(st.sampled_from("abc"), min_size=count, max_size=count)),
        nesting_ids=None if rho is None else draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)),
        rho=rho,
        unit=UNIT,
    )


@given(markets())
def test_newton_and_zeta_agree_and_no_firm_would_move(market):
    newton, zeta = equilibrium(market), equilibrium(market, method="zeta")
    scale = 1 / market.mixture.alphas[0]
    assert newton.prices == pytest.approx(zeta.prices, rel=1e-10, abs=1e-10 * scale)
    assert newton.residual <= 1e-12
    assert best_deviation(market, newton.prices).gain <= 1e-9


@given(markets(), st.randoms(use_true_random=False))
def test_the_order_of_products_does_not_matter(market, random):
    order = list(range(len(market.names)))
    random.shuffle(order)
    shuffled = market.replace(
        names=[market.names[place] for place in order],
        segments=market.segments(market.mixture.deltas[:, order]),
        costs=market.costs[order],
        firm_ids=[market.firm_ids[place] for place in order],
        nesting_ids=None if market.nesting_ids is None else [market.nesting_ids[place] for place in order],
    )
    assert equilibrium(shuffled).prices == pytest.approx(equilibrium(market).prices[order], rel=1e-11, abs=1e-11)


@given(markets(), st.sampled_from([1e-6, 0.14, 7.2, 1e6]))
def test_a_change_of_unit_scales_prices_and_leaves_shares(market, rate):
    usd, other = equilibrium(market), equilibrium(market.to("CNY/Mtok", rate=rate))
    assert other.prices == pytest.approx(usd.prices * rate, rel=1e-10)
    assert other.shares == pytest.approx(usd.shares, rel=1e-9, abs=1e-15)


@given(markets(rhos=(None,)), st.data())
def test_comparative_statics_of_plain_logit(market, data):
    """A merger lowers no price, an entrant raises none, quality raises one's own price, and a cost is passed on in part."""
    before = equilibrium(market).prices
    slack = 1e-10 / float(market.mixture.alphas[0])
    if len(market.firms.labels) > 1:
        assert (equilibrium(market.merge(*market.firms.labels[:2])).prices >= before - slack).all()
    entered = equilibrium(market.with_entry("new", delta=1.0, cost=0.2)).prices
    assert (entered[:-1] <= before + slack).all()
    single = market.replace(firm_ids=None)
    base = equilibrium(single).prices
    place = data.draw(st.integers(0, len(base) - 1))
    bump = np.eye(len(base))[place]
    better = equilibrium(single.replace(segments=single.segments(single.mixture.deltas + 0.1 * bump))).prices
    assert better[place] > base[place] - slack
    dearer = equilibrium(single.with_costs(single.costs + 0.01 * bump)).prices
    assert -slack < dearer[place] - base[place] < 0.01 + slack


def test_rho_of_nearly_0_is_the_plain_logit():
    nested = equilibrium(Market(**SIX, firm_ids=OWNERS, nesting_ids=[0, 1, 0, 1, 0, 1], rho=1e-9))
    assert nested.prices == pytest.approx(equilibrium(Market(**SIX, firm_ids=OWNERS)).prices, rel=1e-8)


def test_published_duopoly_of_calvano_and_others():
    """The logit market of Calvano et al. (2020): 1.473 for each alone, 1.925 together."""
    market = Market(delta=[8, 8], alpha=4, costs=[1, 1], unit=UNIT)
    assert equilibrium(market).prices.tolist() == pytest.approx([1.472926660030623] * 2, rel=1e-12)
    assert equilibrium(market.merge("0", "1")).prices.tolist() == pytest.approx([1.924980919017762] * 2, rel=1e-12)


@pytest.mark.parametrize("rho", [None, 0.5, 0.99])
@pytest.mark.parametrize("delta", [[600.0, 3.0, -400.0], [40.0, 40.0, 40.0], [-60.0, -50.0, -700.0]])
def test_extreme_utilities_end_with_their_conditions_met(delta, rho):
    nests = None if rho is None else [0, 0, 1]
    found = equilibrium(Market(delta=delta, alpha=1, costs=[0.1, 0.2, 0.3], nesting_ids=nests, rho=rho, unit=UNIT))
    assert found.residual <= 1e-12
    assert np.isfinite(found.prices).all()


def test_a_market_beyond_the_solvers_is_said_to_be_unsolved(monkeypatch):
    """No plausible wrong number: NaN in bulk, and an error on request."""

    def worse(batch):
        part = solve_part(batch)
        part[3][0] = 1e-3
        return part

    def unsolved(_, **__):
        raise ConvergenceError("still miss", residual=1e-3, iterations=1, tolerance=1e-12)

    monkeypatch.setattr("tokencost.scenarios.equilibria.solve_part", worse)
    monkeypatch.setattr("tokencost.scenarios.equilibria.equilibrium", unsolved)
    found = equilibria(delta=[[2, 1], [1, 2]], costs=[0, 0], alpha=1, unit=UNIT)
    assert found.converged.tolist() == [False, True]
    assert np.isnan(found.prices[0]).all()
    assert np.isnan(found.shares[0]).all()
    assert "1 of 2 markets converged" in str(found)
    assert [row["converged"] for row in found.records()] == [False, True]
    with pytest.raises(ConvergenceError, match="1 of 2 markets did not converge"):
        found.check()


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=8), st.booleans())
def test_bisection_on_the_sum_gives_the_markups_of_newton(log_sums, outside):
    logs = np.array(log_sums)[:, None]
    mu, _ = firm_markups(logs, outside=outside, max_iterations=50)
    assert mu == pytest.approx(aggregate_markups(logs, outside=outside), rel=1e-8)


def test_posted_prices_floors_and_caps_bind_where_they_should():
    market = Market(**SIX, firm_ids=OWNERS)
    free = equilibrium(market)
    posted = equilibrium(market.post({"2": 0.0}))
    assert posted.prices[2] == 0
    assert (posted.prices[[0, 1, 4, 5]] < free.prices[[0, 1, 4, 5]]).all()
    assert equilibrium(posted.market.post({"2": None})).prices.tolist() == pytest.approx(free.prices.tolist(), rel=1e-11)
    floored = equilibrium(market.with_floors({"5": 1.0}))
    assert floored.prices[5] == 1
    capped = equilibrium(market.with_caps(1.0))
    assert (capped.prices <= 1).all()
    assert (capped.prices[[0, 2]] == 1).all()
    slack = equilibrium(market.with_floors(0).with_caps(100))
    assert slack.prices == pytest.approx(free.prices, rel=1e-11)
    assert best_deviation(capped.market, capped.prices).gain < 1e-9


def test_a_firm_alone_without_outside_option_prices_at_its_caps():
    alone = Market(delta=[1, 2], alpha=1, costs=[0, 0], firm_ids=[0, 0], outside_option=False, unit=UNIT)
    with pytest.raises(ScenarioError, match="no best price"):
        equilibrium(alone)
    assert equilibrium(alone.with_caps(3)).prices.tolist() == [3, 3]


def test_a_mixture_is_checked_for_deviations():
    parts = [Segment(0.7, 3.0, name="hobby"), Segment(0.3, 0.8, name="enterprise")]
    found = equilibrium(Market(delta=[1.0, 0.6, 1.9], segments=parts, costs=[0.3, 0.1, 0.8], unit=UNIT))
    assert found.prices.tolist() == pytest.approx([0.9282962308, 0.6577215088, 2.1595870307], rel=1e-9)
    assert found.deviation_gain is not None
    assert abs(found.deviation_gain) < 1e-9


def test_a_mixture_with_two_stationary_prices_takes_the_one_nobody_leaves():
    """A monopolist may sell to the few who pay or to the many who do not; the better of the two is found."""
    parts = [Segment(0.93, 8.0, [6.0]), Segment(0.07, 0.4, [6.0])]
    market = Market(segments=parts, costs=[0.1], unit=UNIT)
    found = equilibrium(market)
    grid = np.linspace(0.1, 40, 20_001)
    profits = [(price - 0.1) * market.shares([price])[0] for price in grid]
    assert found.profits[0] >= max(profits) - 1e-12
    assert found.prices[0] == pytest.approx(grid[int(np.argmax(profits))], abs=2e-3)


def test_entry_and_exit_undo_each_other():
    market = Market(**SIX, firm_ids=OWNERS, floors={"1": 0.2})
    grown = market.with_entry("new", delta=1.0, cost=0.1, firm_id=2)
    assert grown.firm_ids == (*OWNERS, 2)
    assert grown.without("new").records() == market.records()
    assert grown.without("1").bounds.free
    with pytest.raises(ScenarioError, match="'x' is not in the market"):
        market.without("x")
    with pytest.raises(ScenarioError, match="no product is left"):
        market.without(*market.names)


def test_errors_of_a_solver():
    market = Market(**SIX, firm_ids=OWNERS)
    with pytest.raises(ConvergenceError, match="still miss their first-order conditions") as caught:
        equilibrium(market, method="zeta", max_iterations=2)
    assert caught.value.residual > caught.value.tolerance
    with pytest.raises(ScenarioError, match="without bounds"):
        equilibrium(market.with_floors(1), method="newton")
    with pytest.raises(ScenarioError, match="method 'x' is none"):
        equilibrium(market, method="x")
    with pytest.raises(ScenarioError, match="has no costs"):
        equilibrium(market.replace(costs=None))
    with pytest.raises(ScenarioError, match="has no two parties"):
        market.merge(0, 0)
    with pytest.raises(ScenarioError, match="firm 9 is not in the market"):
        market.merge(0, 9)


def test_the_result_says_all_of_itself():
    found = equilibrium(Market(**SIX, firm_ids=OWNERS, size=10))
    assert found.firm_profits.sum() == pytest.approx(found.profits.sum())
    assert [row["share"] for row in found.records()] == found.shares.tolist()
    text = str(found)
    assert "converged by newton" in text
    assert "<table>" in found._repr_html_()
    assert pickle.loads(pickle.dumps(found)).prices.tolist() == found.prices.tolist()
    assert found.priced.unit == found.market.unit
    with pytest.raises(ValueError, match="read-only"):
        found.prices[0] = 1


@pytest.mark.parametrize("rho", [None, 0.5, 0.95])
@pytest.mark.parametrize("owners", [None, [0, 1, 0, 2, 1, 0]])
def test_many_markets_are_each_solved_as_one_is(rho, owners):
    draw = np.random.default_rng(5)
    delta, costs, alpha = draw.normal(1, 2, (40, 6)), draw.uniform(0, 2, (40, 6)), draw.uniform(0.5, 3, 40)
    nests = None if rho is None else [0, 1, 0, 1, 1, 2]
    found = equilibria(delta=delta, costs=costs, alpha=alpha, firm_ids=owners, nesting_ids=nests, rho=rho, unit=UNIT).check()
    for place in range(40):
        one = equilibrium(
            Market(delta=delta[place], costs=costs[place], alpha=alpha[place], firm_ids=owners, nesting_ids=nests, rho=rho, unit=UNIT)
        )
        assert found.prices[place] == pytest.approx(one.prices, rel=1e-11)
        assert found.shares[place] == pytest.approx(one.shares, rel=1e-10)
        assert found.firm_profits[place] == pytest.approx(one.firm_profits, rel=1e-10)
        assert (found.hhi[place], found.consumer_surplus[place]) == pytest.approx((one.hhi, one.consumer_surplus), rel=1e-10)
        assert found.outside_share[place] == pytest.approx(one.outside_share, abs=1e-12)


def test_chunks_do_not_change_a_digit(monkeypatch):
    draw = np.random.default_rng(6)
    given_ = {"delta": draw.normal(1, 2, (50, 4)), "costs": [0.1, 0.2, 0.3, 0.4], "alpha": 2, "unit": UNIT}
    whole = equilibria(**given_)
    monkeypatch.setattr("tokencost.scenarios.equilibria._LOGIT_CHUNK", 12)
    assert equilibria(**given_).prices == pytest.approx(whole.prices, rel=1e-13)


def test_markets_that_newton_leaves_are_solved_all_the_same():
    found = equilibria(delta=[[900, 1], [1, 1]], costs=[0, 0], alpha=1, unit=UNIT)
    assert found.converged.all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delta": np.empty((0, 2))}, "none of them 0"),
        ({"delta": np.ones((3, 4))}, "do not fit"),
        ({"alpha": [1, 0]}, "alpha 0.0 is not above 0"),
        ({"costs": [[-1, 0]]}, "cost -1 is below 0"),
        ({"delta": [[np.nan, 1]]}, "delta nan is not finite"),
        ({"firm_ids": [0, 0], "outside_option": False}, "no best price"),
    ],
)
def test_arrays_that_cannot_be_markets_are_refused(changes, message):
    arguments = {"delta": np.ones((2, 2)), "costs": np.ones((2, 2)), "alpha": 1, "unit": UNIT} | changes
    with pytest.raises(ScenarioError, match=message):
        equilibria(**arguments)


def test_arrays_in_another_unit_are_refused():
    with pytest.raises(UnitError, match="cost is in CNY/Mtok"):
        equilibria(delta=[[1, 2]], costs=Prices.of([1, 2], "CNY/Mtok"), alpha=1, unit=UNIT)

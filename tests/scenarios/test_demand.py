"""Logit demand: identities at any prices, calibration there and back, units, and what is refused."""

from __future__ import annotations

import pickle
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokencost.errors import ScenarioError, UnitError
from tokencost.scenarios.calibration import calibrate_alpha, implied_costs, invert_shares, market_from_shares
from tokencost.scenarios.equilibrium import equilibrium
from tokencost.scenarios.lambert import lambert_w, lambert_w_of_exp
from tokencost.scenarios.market import Market
from tokencost.scenarios.prices import PriceCoefficient, Prices
from tokencost.scenarios.segments import Segment
from tokencost.scenarios.unit import Unit

UNIT = "USD/Mtok"


@st.composite
def markets(draw, *, segments=(1, 2), rhos=(None, 0.4, 0.9)):
    count = draw(st.integers(2, 6))
    numbers = st.lists(st.floats(-3, 3), min_size=count, max_size=count)
    parts = draw(st.sampled_from(segments))
    weights = [1.0] if parts == 1 else [0.3, 0.7]
    pieces = [Segment(w, draw(st.floats(0.3, 3)), draw(numbers)) for w in weights]
    rho = draw(st.sampled_from(rhos))
    nests = None if rho is None else draw(st.lists(st.sampled_from(["us", "china"]), min_size=count, max_size=count))
    costs = draw(st.lists(st.floats(0.01, 2), min_size=count, max_size=count))
    firms = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    return Market(segments=pieces, costs=costs, firm_ids=firms, nesting_ids=nests, rho=rho, unit=UNIT)


@given(markets(), st.data())
def test_identities_of_demand(market, data):
    """Shares and diversion sum to 1; elasticities and surplus are the derivatives of shares and surplus."""
    count = len(market.names)
    prices = np.array(data.draw(st.lists(st.floats(0.1, 3), min_size=count, max_size=count)))
    shares = market.shares(prices)
    assert shares.sum() + market.outside_share(prices) == pytest.approx(1, abs=1e-12)
    assert np.nansum(market.diversion(prices), axis=1) + market.outside_diversion(prices) == pytest.approx(1, abs=1e-9)
    step = 1e-5
    elasticities = market.elasticities(prices)
    for place in range(count):
        up, down = prices.copy(), prices.copy()
        up[place] += step
        down[place] -= step
        numeric = (np.log(market.shares(up)) - np.log(market.shares(down))) / (2 * step) * prices[place]
        assert elasticities[:, place] == pytest.approx(numeric, abs=1e-6, rel=1e-5)
        slope = (market.consumer_surplus(up) - market.consumer_surplus(down)) / (2 * step)
        assert slope == pytest.approx(-shares[place], abs=1e-7)


@given(markets(segments=(1,)), st.data())
def test_shares_lead_back_to_the_market(market, data):
    prices = np.array(data.draw(st.lists(st.floats(0.1, 3), min_size=len(market.names), max_size=len(market.names))))
    rho = None if market.nesting_ids is None else market.rho
    seen = market.shares(prices)
    back = market_from_shares(
        shares=seen, prices=prices, alpha=float(market.mixture.alphas[0]), unit=UNIT, nesting_ids=market.nesting_ids, rho=rho
    )
    assert back.mixture.deltas[0] == pytest.approx(market.mixture.deltas[0], abs=1e-8)


def test_a_mixture_is_inverted_by_its_contraction():
    parts = [Segment(0.7, 3.0), Segment(0.3, 0.8)]
    market = Market(delta=[1, 0.6, 1.9], segments=parts, unit=UNIT)
    back = market_from_shares(shares=market.shares([0.9, 0.7, 2.1]), prices=[0.9, 0.7, 2.1], segments=parts, unit=UNIT)
    assert back.mixture.deltas[0] == pytest.approx([1, 0.6, 1.9], abs=1e-11)


@given(markets(rhos=(None, 0.4)))
def test_costs_that_are_implied_by_equilibrium_prices_are_the_costs(market):
    try:
        found = equilibrium(market)
    except ScenarioError:  # a mixture without an equilibrium
        return
    assert implied_costs(market, found.prices) == pytest.approx(market.costs, rel=1e-7, abs=1e-9)


def test_large_utilities_and_tiny_shares_stay_numbers():
    market = Market(delta=[5_000, 4_990, -5_000], alpha=1, nesting_ids=[0, 0, 1], rho=0.95, unit=UNIT)
    shares = market.shares([1, 1, 1])
    assert shares.tolist() == pytest.approx([1, 0, 0])
    assert np.isfinite(market.elasticities([1, 1, 1])).all()
    assert market.consumer_surplus([1, 1, 1]) == pytest.approx(4_999)


@pytest.mark.parametrize("rho", [0.2, 0.5])
def test_alpha_gives_the_elasticity_it_was_calibrated_to(rho):
    market = Market(delta=[0.3, 0.1], alpha=1, nesting_ids=[0, 0], rho=rho, unit=UNIT)
    prices = [0.8, 0.4]
    share, within = market.shares(prices)[0], market.within_shares(prices)[0]
    alpha = calibrate_alpha(own_elasticity=-2.5, price=0.8, share=share, within_share=within, rho=rho, unit=UNIT).alpha
    seen = market_from_shares(shares=market.shares(prices), prices=prices, alpha=alpha, nesting_ids=[0, 0], rho=rho, unit=UNIT)
    assert seen.elasticities(prices)[0, 0] == pytest.approx(-2.5, rel=1e-12)


def test_units_meet_or_are_refused():
    market = Market(delta=[1], alpha=PriceCoefficient(2.0, Unit("USD")), costs=Prices.of([Decimal("0.5")], UNIT), unit=UNIT)
    assert market.shares(Prices.of([0.7], UNIT)).tolist() == market.shares([0.7]).tolist() == market.shares({"0": 0.7}).tolist()
    with pytest.raises(UnitError, match="price is in CNY/Mtok, not in USD/Mtok"):
        market.shares(Prices.of([5.0], "CNY/Mtok"))
    with pytest.raises(UnitError, match="alpha is in USD/token"):
        Market(delta=[1], alpha=PriceCoefficient(2.0, Unit("USD", 1)), unit=UNIT)
    with pytest.raises(UnitError, match="cost is in CNY/Mtok"):
        market.with_costs(Prices.of([5.0], "CNY/Mtok"))
    with pytest.raises(UnitError, match="pass rate=, CNY for 1 USD"):
        market.to("CNY/Mtok")
    token = market.to("USD/token")
    assert (token.costs[0], token.mixture.alphas[0], token.size) == pytest.approx((5e-7, 2e6, 1e6))
    assert equilibrium(token).prices * 1e6 == pytest.approx(equilibrium(market).prices, rel=1e-12)
    assert equilibrium(token).consumer_surplus == pytest.approx(equilibrium(market).consumer_surplus, rel=1e-12)


BAD_MARKETS = {
    "the market is empty": {"delta": []},
    "alpha 0 is not above 0": {"alpha": 0},
    "alpha -1 is not above 0": {"alpha": -1},
    "alpha nan is not finite": {"alpha": float("nan")},
    "delta inf is not finite": {"delta": [1, float("inf")]},
    "rho 1 is not in": {"rho": 1, "nesting_ids": [0, 0]},
    "rho -0.1 is not in": {"rho": -0.1, "nesting_ids": [0, 0]},
    "without nesting_ids": {"rho": 0.5},
    "nesting_ids without rho": {"nesting_ids": [0, 0]},
    "firm_ids has 1 entries for 2": {"firm_ids": [0]},
    "cost -1 is below 0": {"costs": [1, -1]},
    "floor 2 is above cap 1": {"floors": 2, "caps": {"1": 1}},
    "posted price 3 is outside of": {"posted": {"0": 3}, "caps": 2},
    "floor for 'x', which is not in the market": {"floors": {"x": 1}},
    "names, 1 of them different": {"names": ["a", "a"]},
    "neither alpha nor segments": {"alpha": None},
    "do? not all|not all above 0 with a sum of 1": {"alpha": None, "segments": [Segment(0.5, 1), Segment(0.4, 1)]},
    "size 0 is not above 0": {"size": 0},
    "delta True is no number": {"delta": [True, 1]},
    "delta '1' is no number": {"delta": ["1", 1]},
}


@pytest.mark.parametrize("message", BAD_MARKETS)
def test_a_market_that_cannot_be_is_refused(message):
    arguments = {"delta": [1, 2], "alpha": 1.5, "unit": UNIT} | BAD_MARKETS[message]
    with pytest.raises(ScenarioError, match=message):
        Market(**arguments)


@pytest.mark.parametrize("elasticity", [-1.0, -0.5, -1e-9])
def test_no_cost_goes_with_inelastic_demand(elasticity):
    calibration = calibrate_alpha(own_elasticity=elasticity, price=0.5, share=0.2, unit=UNIT)
    assert calibration.alpha.value == pytest.approx(-elasticity / 0.4)
    with pytest.raises(ScenarioError, match=r"in \[-1, 0\]"):
        _ = calibration.marginal_cost
    market = market_from_shares(shares=[0.2], prices=[0.5], alpha=calibration.alpha, unit=UNIT)
    with pytest.raises(ScenarioError, match="too inelastic"):
        implied_costs(market, [0.5])
    just = calibrate_alpha(own_elasticity=-1.0001, price=0.5, share=0.2, unit=UNIT)
    assert 0 < just.marginal_cost < 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"own_elasticity": 0.5}, "not below 0"),
        ({"price": 0}, "price 0 is not above 0"),
        ({"share": 1}, "share 1 is not between"),
        ({"rho": 0.5}, "rho 0.5 needs"),
        ({"rho": 0.5, "within_share": 0.1}, "within_share 0.1 is not between"),
        ({"own_elasticity": float("nan")}, "not finite"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ScenarioError, match=message):
        calibrate_alpha(**({"own_elasticity": -1.5, "price": 0.5, "share": 0.2, "unit": UNIT} | arguments))


@pytest.mark.parametrize(
    ("shares", "message"), [([0.5, 0.5], "sum to 1"), ([0.7, 0.6], "sum to 1.3"), ([0, 0.5], "share 0 is not"), ([], "empty")]
)
def test_shares_that_cannot_be_are_refused(shares, message):
    with pytest.raises(ScenarioError, match=message):
        invert_shares(shares, [1.0] * len(shares), alpha=1)


@given(st.floats(0, 1e300))
def test_lambert_w_solves_its_equation(z):
    w = float(lambert_w(z))
    assert w * np.exp(w) == pytest.approx(z, rel=1e-11)


@given(st.floats(-700, 1e6))
def test_lambert_w_of_exp_solves_its_equation_in_logarithms(y):
    w = float(lambert_w_of_exp(y))
    assert w + np.log(w) == pytest.approx(y, rel=1e-13, abs=1e-13)


def test_a_market_pickles_and_is_read_only():
    market = Market(delta=[1, 2], alpha=1.5, costs=[0.1, 0.2], unit=UNIT, posted={"1": 0.0})
    back = pickle.loads(pickle.dumps(market))
    assert back.records() == market.records()
    assert str(back) == str(market)
    assert back.bounds.named(back.names) == {"floors": {}, "caps": {}, "posted": {"1": 0.0}}
    with pytest.raises(ValueError, match="read-only"):
        market.costs[0] = 2

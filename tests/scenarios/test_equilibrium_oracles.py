"""Demand, equilibria and dynamics against the solved cases that are kept beside the repository."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tokencost.scenarios.calibration import calibrate_alpha, invert_shares, market_from_shares
from tokencost.scenarios.collusion import collusion
from tokencost.scenarios.dynamics import best_responses
from tokencost.scenarios.equilibrium import equilibrium
from tokencost.scenarios.market import Market
from tokencost.scenarios.segments import Segment
from tokencost.scenarios.undercutting import undercut

FILE = Path(__file__).resolve().parents[3] / "shared" / "oracles" / "pricewar_oracles.json"
CASES = [
    case
    for case in (json.loads(FILE.read_text())["cases"] if FILE.is_file() else [])
    if case["family"] in {"demand", "equilibrium", "dynamics"}
]
NOT_NUMBERS = {"check"}

pytestmark = pytest.mark.skipif(not CASES, reason="the solved cases are not beside the repository")


def market_of(given: dict[str, Any], **more: Any) -> Market:
    segments = [Segment(w, a) for w, a in zip(given.get("segment_weights", ()), given.get("segment_alpha", ()), strict=True)]
    arguments = {
        "delta": given.get("delta"),
        "alpha": given.get("alpha"),
        "segments": segments,
        "costs": given.get("costs"),
        "firm_ids": given.get("firm"),
        "nesting_ids": given.get("nest"),
        "rho": given.get("rho"),
        "posted": given.get("committed"),
        "floors": given.get("floor"),
        "unit": "USD/Mtok",
    }
    return Market(**(arguments | more))


def demand(given):
    market, prices = market_of(given), given["prices"]
    made = {
        "shares": market.shares(prices),
        "outside_share": market.outside_share(prices),
        "elasticity_row_j_col_k_dlns_j_dlnp_k": market.elasticities(prices),
        "diversion_from_row_to_col": market.diversion(prices),
        "diversion_to_outside": market.outside_diversion(prices),
        "consumer_surplus_per_unit_market": market.consumer_surplus(prices),
    }
    if "nest" in given:
        nests = market.nest_shares(prices)
        made |= {"group_shares": [nests[name] for name in sorted(nests)], "within_shares": market.within_shares(prices)}
    return made


def berry_inversion(given):
    arguments = {"alpha": given["alpha"], "nesting_ids": given["nest"], "rho": given["rho"]}
    market = market_from_shares(shares=given["shares"], prices=given["prices"], unit="USD/Mtok", **arguments)
    direct = invert_shares(given["shares"], given["prices"], **arguments)
    assert market.mixture.deltas[0].tolist() == direct.tolist()
    return {"delta": direct}


def alpha_calibration(given):
    found = calibrate_alpha(**given, unit="USD/Mtok")
    return {"alpha": found.alpha.value, "markup": found.markup, "marginal_cost": found.marginal_cost, "lerner": found.lerner}


def unit_scale(given):
    usd = Market(delta=given["delta"], alpha=given["alpha_usd"], costs=given["costs_usd"], firm_ids=given["firm"], unit="USD/Mtok")
    dollars, yuan = equilibrium(usd), equilibrium(usd.to("CNY/Mtok", rate=given["cny_per_usd"]))
    return {"prices_usd": dollars.prices, "prices_cny": yuan.prices, "shares": dollars.shares, "shares_cny": yuan.shares}


def no_outside(given):
    count = given["n_firms"]
    found = equilibrium(
        Market(
            delta=[0.0] * count,
            alpha=given["alpha"],
            costs=[given["cost"]] * count,
            outside_option=given["outside_option"],
            unit="USD/Mtok",
        )
    )
    assert found.prices.tolist() == pytest.approx([found.prices[0]] * count, rel=1e-14)
    return {"price": found.prices[0], "share": found.shares[0], "markup": found.markups[0]}


def bertrand(given, *, expected):
    market = market_of(given)
    found = equilibrium(market)
    assert found.converged
    assert found.residual <= 1e-12
    alphas, shares = market.mixture.alphas, found.shares
    made = {
        "prices": found.prices,
        "shares": shares,
        "outside_share": found.outside_share,
        "markups": found.markups,
        "firm_profit_per_unit_market": found.firm_profits,
        "hhi_inside_0_10000": found.hhi,
        "firm_markups": found.markups[[market.firm_ids.index(firm) for firm in found.firms]],
        "markup_closed_form": found.markups[0],
        "common_markup_closed_form": found.markups[0],
        "markup_inverse_share": 1 / (alphas[0] * (1 - shares[0])),
    }
    if "nest" in given:
        within = market.within_shares(found.prices)
        made["markup_identity"] = (1 - market.rho) / (alphas[0] * (1 - market.rho * within - (1 - market.rho) * shares))
    else:
        made["markup_identity"] = 1 / (alphas[0] * (1 - shares))
    if "price_change_fraction" in expected:
        before = equilibrium(market_of({**given, "firm": [0, 0, 1, 1, 2, 2]}))
        assert equilibrium(before.market.merge(0, 2)).prices.tolist() == pytest.approx(found.prices.tolist(), rel=1e-13)
        made["price_change_fraction"] = found.prices / before.prices - 1
    return made


def best_response_paths(given):
    market, start, rounds = market_of(given), given["initial_prices"], given["rounds"]
    every = dict(zip(given["firm"], given["revision_period"], strict=True))
    return {
        "simultaneous": best_responses(market, start, rounds=rounds).prices,
        "sequential_in_index_order": best_responses(market, start, rounds=rounds, order="sequential").prices,
        "delayed_revision": best_responses(market, start, rounds=rounds, revision_periods=every).prices,
        "limit": best_responses(market, start, rounds=100).last,
    }


def threshold(given):
    found = collusion(market_of(given))
    return {
        "nash_price": found.nash.prices[0],
        "nash_profit": found.nash_profits[0],
        "collusive_price": found.joint.prices[0],
        "collusive_profit": found.joint_profits[0],
        "deviation_price": found.deviation_prices[0, 0],
        "deviation_profit": found.deviation_profits[0],
        "critical_discount_factor": found.critical_discount_factor,
    }


def undercutting(given):
    exact = {key: Decimal(str(given[key])) for key in ("step", "floor", "top")}
    path = undercut([Decimal(str(price)) for price in given["initial"]], **exact, moves=given["moves"], unit="USD/Mtok")
    return {"path": [[float(price) for price in row] for row in path.prices]}


CALLS = {
    "demand.logit": demand,
    "demand.nested_logit": demand,
    "demand.berry_inversion": berry_inversion,
    "demand.alpha_calibration": alpha_calibration,
    "demand.unit_scale_invariance": unit_scale,
    "eq.symmetric_no_outside": no_outside,
    "dyn.best_response": best_response_paths,
    "dyn.collusion_threshold": threshold,
    "dyn.undercut_cycle": undercutting,
}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_solved_case(case):
    """Every expected value of a solved case, within the tolerance of the case."""
    call = CALLS.get(case["id"].removesuffix(".dev"))
    made = call(case["inputs"]) if call else bertrand(case["inputs"], expected=case["expected"])
    for key in case["expected"].keys() - NOT_NUMBERS:
        wanted = np.array(case["expected"][key], dtype=float)
        got = np.asarray(made[key], dtype=float)
        assert got.shape == wanted.shape, key
        np.testing.assert_allclose(got, wanted, rtol=case["tolerance"]["rel"], atol=case["tolerance"]["abs"], equal_nan=True, err_msg=key)

"""Buyers, sellers and predation against the solved cases that are kept beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tokencost.scenarios.break_even import break_even
from tokencost.scenarios.cost_paths import CostPaths
from tokencost.scenarios.inertia import inertia
from tokencost.scenarios.ledger import ledger
from tokencost.scenarios.margin import UnitMargin, sales_margin, unit_margin
from tokencost.scenarios.outlay import annuity
from tokencost.scenarios.price_vectors import cost_paths_at_prices, short_cuts
from tokencost.scenarios.recoupment import recoupment
from tokencost.scenarios.runway import runway
from tokencost.scenarios.serving_cost import machine_cost
from tokencost.scenarios.switching import switching

_FILE = Path(__file__).resolve().parents[3] / "shared" / "oracles" / "pricewar_oracles.json"
_CASES: list[dict[str, Any]] = json.loads(_FILE.read_text())["cases"] if _FILE.is_file() else []
_METERS = ("cache_read", "input", "output")


def _daily_margin(given: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    volumes = dict(zip(_METERS, (given["mtok_cache_hit"], given["mtok_cache_miss"], given["mtok_output"]), strict=True))
    prices = dict(zip(_METERS, (given["price_hit"], given["price_miss"], given["price_output"]), strict=True))
    gpus = given["nodes"] * given["gpus_per_node"]
    day = sales_margin(volumes, prices, machine_cost(gpus=gpus, gpu_hour=given["usd_per_gpu_hour"], hours=given["hours"]))
    return {
        "revenue": day.revenue,
        "cost": day.cost,
        "cost_profit_margin": day.cost_profit_margin,
        "gross_margin": day.gross_margin,
        "usd_per_mtok_all_tokens": day.cost_per_unit,
        "usd_per_mtok_output_only": day.cost_per_output,
        "hit_rate": day.hit_rate,
        "published_revenue": wanted["published_revenue"],  # what the source printed, from counts that it had rounded
        "published_margin_percent": int(day.cost_profit_margin * 100),
    }


def _break_even(given: dict[str, Any], _wanted: dict[str, Any]) -> dict[str, Any]:
    keys = ("token_mix_hit_miss_output", "price_usd_per_mtok", "marginal_cost_usd_per_mtok")
    margin = unit_margin(*(dict(zip(_METERS, given[key], strict=True)) for key in keys))
    found = break_even(given["fixed_outlay_usd"], margin, first_month=given["first_month_mtok"], growth=given["monthly_growth"])
    return {
        "average_revenue_per_mtok": margin.price,
        "contribution_per_mtok": found.contribution,
        "break_even_mtok": found.volume,
        "break_even_tokens": found.tokens,
        "months_to_recover_continuous": found.months,
        "months_to_recover_whole": found.whole_months,
    }


def _capex_annuity(given: dict[str, Any], _wanted: dict[str, Any]) -> dict[str, Any]:
    plan = annuity(given["capex_usd"], rate=given["monthly_rate"], months=given["months"], contribution=given["contribution_usd_per_mtok"])
    return {
        "monthly_contribution_usd": plan.payment,
        "monthly_volume_mtok": plan.volume,
        "monthly_volume_tokens": plan.tokens,
        "undiscounted_total_mtok": plan.volume_without_interest,
    }


def _pnl_path(given: dict[str, Any], _wanted: dict[str, Any]) -> dict[str, Any]:
    found = ledger(
        given["P"],
        given["mc"],
        first_month=given["V0"],
        growth=given["g"],
        elasticity=given["eps"],
        fixed=given["fix"],
        cash=given["cash"],
    )
    months = [
        {
            "volume_mtok": row.volume,
            "revenue": row.revenue,
            "gross_profit": row.gross_profit,
            "gross_margin": row.gross_margin,
            "cash_end": row.cash,
        }
        for row in found.rows
    ]
    return {"months": months, "first_month_index_with_negative_cash": found.first_negative}


def _runway(given: dict[str, Any], _wanted: dict[str, Any]) -> dict[str, Any]:
    cost, fixed = CostPaths.of([[given["price"], given["marginal_cost"]]]).costs[0], given["fixed_usd_per_month"]
    found = runway(given["cash_usd"], UnitMargin(*cost), first_month=given["first_month_mtok"], fixed=fixed, growth=given["monthly_growth"])
    return {
        "first_month_loss": found.first_month_loss,
        "months_continuous": found.months,
        "whole_months_survived": found.whole_months,
        "cash_left_after_last_full_month": found.cash_left,
        "months_if_no_growth": found.months_without_growth,
        "price_below_marginal_cost": found.below_cost,
    }


def _recoupment(given: dict[str, Any], _wanted: dict[str, Any]) -> dict[str, Any]:
    found = recoupment([given["monthly_loss"]] * given["months_of_predation"], given["monthly_gain_after"], rate=given["monthly_rate"])
    return {
        "present_value_of_losses": found.present_value,
        "recoupment_months_continuous": found.months,
        "recoupment_months_whole": found.whole_months,
        "minimum_gain_for_infinite_horizon_recoupment": found.least_gain,
    }


def _workload_cost(given: dict[str, Any], _wanted: dict[str, Any]) -> dict[str, Any]:
    quantities = {"cache_read": given["workload_mtok"]["cache_hit"], "input": given["workload_mtok"]["cache_miss"]}
    quantities["output"] = given["workload_mtok"]["output"]
    vectors = {
        name: {"cache_read": row["cache_hit"], "input": row["input"], "output": row["output"]}
        for name, row in given["prices_usd_per_mtok"].items()
    }
    found = {name: short_cuts(vector, quantities) for name, vector in vectors.items()}
    paths = cost_paths_at_prices([vectors], quantities)
    return {
        "cost": dict(zip(paths.offerings, paths.costs[0], strict=True)),
        "ranking_true": sorted(found, key=lambda name: found[name].cost),
        "cost_if_3to1_blend": {name: row.blend for name, row in found.items()},
        "ranking_if_blend": sorted(found, key=lambda name: found[name].blend),
        "cost_if_cache_ignored": {name: row.cache_ignored for name, row in found.items()},
        "cost_if_all_input_at_hit_price": {name: row.all_cached for name, row in found.items()},
    }


def _switching_policies(given: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    found = switching(
        given["monthly_cost"],
        start=given["start_model"],
        switching_cost=given["switching_cost"],
        horizon=given["threshold_horizon_months"],
    )
    made: dict[str, Any] = {
        "status_quo_cost": found.status_quo.cost,
        "frontier_lower_bound_ignoring_switching": found.frontier_bound,
        "saving_optimal_vs_status_quo": found.saving(),
        "regret_status_quo": found.regret("status_quo"),
    }
    for path in (found.greedy, found.threshold, found.optimal):
        own = {"cost": path.cost, "path": list(path.path), "switches": path.switches}
        made |= {f"{path.policy}_{key}": value for key, value in own.items()} | {f"regret_{path.policy}": found.regret(path.policy)}
    return {key: value for key, value in made.items() if key in wanted}


def _inertia(given: dict[str, Any], _wanted: dict[str, Any]) -> dict[str, Any]:
    found = inertia(given["initial_share"], given["target_share"], persistence=given["inertia"])
    return {"share_path": found.shares.tolist(), "half_life_periods": found.half_life}


_SOLVED = {
    "seller.daily_margin": _daily_margin,
    "seller.break_even": _break_even,
    "seller.capex_annuity": _capex_annuity,
    "seller.pnl_path": _pnl_path,
    "predation.runway": _runway,
    "predation.recoupment": _recoupment,
    "buyer.workload_cost": _workload_cost,
    "buyer.switching_policies": _switching_policies,
    "buyer.inertia": _inertia,
}


def _compare(actual: Any, expected: Any, tolerance: dict[str, float], where: str) -> None:
    """Every expected value is there, and nothing is there that was not expected."""
    if isinstance(expected, dict):
        assert set(actual) == set(expected), where
        for key, value in expected.items():
            _compare(actual[key], value, tolerance, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(actual) == len(expected), where
        for place, value in enumerate(expected):
            _compare(actual[place], value, tolerance, f"{where}[{place}]")
    elif expected is None or isinstance(expected, (str, bool)):
        assert actual == expected, where
    else:
        assert actual is not None, where
        assert abs(float(actual) - expected) <= tolerance["abs"] + tolerance["rel"] * abs(expected), (where, float(actual), expected)


@pytest.mark.skipif(not _CASES, reason="the solved cases are not beside the repository")
@pytest.mark.parametrize(
    "case", [case for case in _CASES if case["family"] in ("buyer", "seller", "predation")], ids=lambda case: case["id"]
)
def test_a_solved_case_comes_out(case):
    """Every expected value of the case, within the tolerance of the case."""
    solve = _SOLVED[case["id"].rsplit(".", 1)[0]]

    _compare(solve(case["inputs"], case["expected"]), case["expected"], case["tolerance"], case["id"])

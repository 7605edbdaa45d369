"""Indexes and declines against the solved cases that are kept beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tokencost.scenarios.decline import decline_between, decline_per_year
from tokencost.scenarios.geks import geks_index
from tokencost.scenarios.hedonic import hedonic_index, hedonic_trend
from tokencost.scenarios.price_index import chained_index, fixed_base_index, mean_index
from tokencost.scenarios.price_panel import PricePanel
from tokencost.scenarios.price_to_reach import price_to_reach
from tokencost.scenarios.time_product import time_product_index

_FILE = Path(__file__).resolve().parents[3] / "shared" / "oracles" / "pricewar_oracles.json"
_CASES: list[dict[str, Any]] = json.loads(_FILE.read_text())["cases"] if _FILE.is_file() else []
_HERE = [case for case in _CASES if case["family"] in ("price_index", "decline") and case["id"] != "index.identities"]
_NAN = float("nan")


def _matrix(rows: list[list[float | None]]) -> list[list[float]]:
    return [[_NAN if cell is None else cell for cell in row] for row in rows]


def _panel(case: dict[str, Any]) -> PricePanel:
    given = case["inputs"]
    quantities = given.get("quantities", given.get("quantities_mtok"))
    items = given.get("items", [f"item {n}" for n in range(len(given["prices"][0]))])
    return PricePanel(range(len(given["prices"])), items, _matrix(given["prices"]), quantities=_matrix(quantities))


def _complete_panel(case: dict[str, Any]) -> dict[str, Any]:
    panel, wanted = _panel(case), case["expected"]
    return {
        "fixed_base": {kind: fixed_base_index(panel, kind).values.tolist() for kind in wanted["fixed_base"]},
        "chained": {kind: chained_index(panel, kind).values.tolist() for kind in wanted["chained"]},
        "geks_full_window": {kind: geks_index(panel, kind).values.tolist() for kind in wanted["geks_full_window"]},
        "wtpd_expenditure_share_weighted": time_product_index(panel).values.tolist(),
    }


def _entry_exit(case: dict[str, Any]) -> dict[str, Any]:
    panel, wanted = _panel(case), case["expected"]
    return {
        "matched_chained": {kind: chained_index(panel, kind).values.tolist() for kind in wanted["matched_chained"]},
        "geks_full_window_matched": {kind: geks_index(panel, kind).values.tolist() for kind in wanted["geks_full_window_matched"]},
        "wtpd_expenditure_share_weighted": time_product_index(panel).values.tolist(),
        "unit_value_index_all_tokens": mean_index(panel, "unit_value").values.tolist(),
    }


def _bounce(case: dict[str, Any]) -> dict[str, Any]:
    panel = _panel(case)
    made = {f"chained_{kind}": chained_index(panel, kind).values.tolist() for kind in ("laspeyres", "paasche", "tornqvist")}
    return {**made, "geks_tornqvist": geks_index(panel, "tornqvist").values.tolist()}


def _annualised(case: dict[str, Any]) -> dict[str, Any]:
    given = case["inputs"]
    change = decline_between(given["price_start"], given["price_end"], months=given["months"])
    return {
        "total_factor": change.factor,
        "factor_per_year": change.factor_per_year,
        "log_points_per_year": change.log_points_per_year,
        "percent_change_per_year": change.percent_per_year,
        "halving_months": change.halving_months,
    }


def _record_lows(case: dict[str, Any]) -> dict[str, Any]:
    points = case["inputs"]["points"]
    dates, prices = [row["date"] for row in points], [row["usd_per_mtok"] for row in points]
    fit = decline_per_year(dates, prices, days_per_year=case["inputs"]["days_per_year"])
    longer = decline_per_year(dates, prices, days_per_year=365.25)
    # what was published: the factor to twelve digits, and the share of the variance to two
    published = {"published_factor_per_year": fit.factor_per_year, "published_r_squared": round(fit.r_squared, 2)}
    return {
        "factor_per_year": fit.factor_per_year,
        "slope_log10_per_day": fit.slope,
        "r_squared": fit.r_squared,
        "factor_per_year_if_365_25_days": longer.factor_per_year,
        **published,
    }


def _hedonic(case: dict[str, Any]) -> dict[str, Any]:
    rows = case["inputs"]["rows"]
    panel = PricePanel.from_records({"period": row["period"], "item": f"{n}", "price": row["price"]} for n, row in enumerate(rows))
    quality = {f"{n}": row["quality"] for n, row in enumerate(rows)}
    made, trend = hedonic_index(panel, quality), hedonic_trend(panel, quality)
    return {
        "time_dummy_index": made.index.values.tolist(),
        "quality_coefficient_time_dummy": made.quality[0],
        "linear_time_coefficient": trend.time,
        "quality_coefficient_linear": trend.quality[0],
        "quality_adjusted_factor_per_period": trend.factor,
        "naive_geometric_mean_index": mean_index(panel, "geometric_mean").values.tolist(),
    }


def _price_to_reach(case: dict[str, Any]) -> dict[str, Any]:
    given, models = case["inputs"], case["inputs"]["models"]
    prices = [[_NAN] * len(models) for _ in range(given["months"])]
    for column, model in enumerate(models):
        until = given["months"] if model["available_until_exclusive"] is None else model["available_until_exclusive"]
        for month in range(model["available_from"], until):
            prices[month][column] = [change["price"] for change in model["price_changes"] if change["month"] <= month][-1]
    panel = PricePanel(range(given["months"]), [model["name"] for model in models], prices)
    found = price_to_reach(panel, {model["name"]: model["quality"] for model in models}, given["levels"])
    return {
        "curves": {
            str(level): [None if row is None else {"price": row.price, "model": row.item} for row in curve]
            for level, curve in found.curves.items()
        }
    }


_CALLS = {
    "index.complete_panel.dev": _complete_panel,
    "index.entry_exit.dev": _entry_exit,
    "index.chain_drift_bounce.dev": _bounce,
    "decline.annualised.dev": _annualised,
    "decline.record_low_regression.dev": _record_lows,
    "decline.hedonic.dev": _hedonic,
    "decline.price_to_reach.dev": _price_to_reach,
}


def _compare(found: Any, wanted: Any, case: dict[str, Any], path: str = "") -> None:
    """Compare every expected value, at the tolerance of the case."""
    if isinstance(wanted, dict):
        assert set(found) == set(wanted), path
        for key, value in wanted.items():
            _compare(found[key], value, case, f"{path}/{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), path
        for n, (one, other) in enumerate(zip(found, wanted, strict=True)):
            _compare(one, other, case, f"{path}/{n}")
    elif isinstance(wanted, float):
        bar = case["tolerance"]
        assert found == pytest.approx(wanted, rel=bar["rel"], abs=bar["abs"]), path
    else:
        assert found == wanted, path


@pytest.mark.skipif(not _CASES, reason="the solved cases are kept beside the repository, and are not there")
@pytest.mark.parametrize("case", _HERE, ids=[case["id"] for case in _HERE])
def test_solved_case(case: dict[str, Any]) -> None:
    _compare(_CALLS[case["id"]](case), case["expected"], case)


@pytest.mark.skipif(not _CASES, reason="the solved cases are kept beside the repository, and are not there")
def test_every_case_of_the_families_is_called() -> None:
    assert {case["id"] for case in _HERE} == set(_CALLS)

"""Declines, hedonic regressions, prices to reach a quality, and cost cubes."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from math import inf, isnan, nan, pi, sqrt, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.cost_cube import cheapest_costs, cost_blocks
from tokencost.scenarios.decline import day_of, decline_between, decline_per_year, record_lows
from tokencost.scenarios.hedonic import hedonic_index, hedonic_trend
from tokencost.scenarios.price_index import mean_index
from tokencost.scenarios.price_panel import PricePanel
from tokencost.scenarios.price_to_reach import price_to_reach
from tokencost.scenarios.student import t_probability, t_quantile
from tokencost.workloads.profile import Month

DAY = date(2024, 1, 1)


# -- Student's t ---------------------------------------------------------------------------------------------------------------------------


@given(st.floats(1e-6, 1 - 1e-6))
def test_quantiles_of_one_and_two_degrees_have_closed_forms(probability: float) -> None:
    half = probability - 0.5
    assert t_quantile(probability, degrees=1) == pytest.approx(tan(pi * half), rel=1e-9, abs=1e-12)
    assert t_quantile(probability, degrees=2) == pytest.approx(
        2 * half * sqrt(0.5 / (probability * (1 - probability))), rel=1e-9, abs=1e-12
    )


@given(st.floats(1e-9, 1 - 1e-9), st.floats(1, 1e4))
def test_quantile_and_probability_undo_each_other(probability: float, degrees: float) -> None:
    value = t_quantile(probability, degrees=degrees)
    assert t_probability(value, degrees=degrees) == pytest.approx(probability, rel=1e-10, abs=1e-13)
    assert t_quantile(1 - probability, degrees=degrees) == pytest.approx(-value, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("degrees", "value"), [(7, 2.364624251592784), (30, 2.042272456301238), (1000, 1.9623390808264078)])
def test_quantiles_by_value(degrees: int, value: float) -> None:
    assert t_quantile(0.975, degrees=degrees) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("probability", "degrees"), [(0, 3), (1, 3), (nan, 3), (0.9, 0), (0.9, -1), (0.9, nan), (0.9, inf)])
def test_quantiles_that_are_none(probability: float, degrees: float) -> None:
    with pytest.raises(ScenarioError):
        t_quantile(probability, degrees=degrees)


def test_quantiles_far_out_and_in_the_middle() -> None:
    assert t_quantile(0.5, degrees=3) == 0
    assert t_quantile(1e-12, degrees=1) == pytest.approx(-1e12 / pi, rel=1e-9)
    with pytest.raises(ScenarioError, match="degrees of freedom"):
        t_probability(1, degrees=0)


# -- two points ----------------------------------------------------------------------------------------------------------------------------


def test_two_points_of_a_known_figure() -> None:
    """From 20 to 0.07 in the 23 months from November 2022 to October 2024: 19 times a year, not the 43 of eighteen months."""
    change = decline_between(20, 0.07, months=23)
    assert change.factor == pytest.approx(285.7142857142857, rel=1e-12)
    assert change.factor_per_year == pytest.approx(19.114185786015668, rel=1e-12)
    assert change.halving_months == pytest.approx(2.8191700850441044, rel=1e-12)
    assert str(change) == "20 to 0.07 in 23 months: 285.7x lower, 19.11x a year (-94.8 %, -2.950 log points)"


@given(st.floats(0.01, 1000), st.floats(0.01, 1000), st.floats(0.5, 100))
def test_there_and_back_cancel(start: float, end: float, months: float) -> None:
    forth, back = decline_between(start, end, months=months), decline_between(end, start, months=months)
    assert forth.log_points_per_year == pytest.approx(-back.log_points_per_year, rel=1e-9, abs=1e-12)
    assert forth.factor * back.factor == pytest.approx(1)


def test_a_price_that_stays_never_halves() -> None:
    assert decline_between(2, 2, months=5).halving_months == inf


@pytest.mark.parametrize(("start", "end", "months"), [(0, 1, 1), (1, 0, 1), (-1, 1, 1), (1, nan, 1), (1, 1, 0), (1, 1, -3), (1, 1, inf)])
def test_two_points_that_have_no_pace(start: float, end: float, months: float) -> None:
    with pytest.raises(ScenarioError):
        decline_between(start, end, months=months)


# -- a fitted line -------------------------------------------------------------------------------------------------------------------------


def test_a_published_fit_with_its_interval() -> None:
    """Nine record lows at the level of GPT-3; the factor was published as 11.77 with a 90 % interval of 8.3 to 16.7."""
    lows = {
        "2021-11-20": 60.0,
        "2022-09-01": 20.0,
        "2023-03-06": 2.0,
        "2023-07-18": 0.56,
        "2023-12-01": 0.2,
        "2024-04-14": 0.13,
        "2024-07-23": 0.1,
        "2024-09-24": 0.08,
        "2024-10-03": 0.07,
    }
    fit = decline_per_year(lows, lows.values())
    assert fit.factor_per_year == pytest.approx(11.772872667428308, rel=1e-11)
    assert (fit.low, fit.high) == pytest.approx((8.287354506877865, 16.724339561973952), rel=1e-11)
    assert (fit.points, fit.days, fit.days_per_year) == (9, 1048, 365)
    assert fit.r_squared == pytest.approx(0.9619722391864136, rel=1e-11)
    assert "90% interval         8.287 to 16.72" in str(fit)
    assert "a year of 365 days" in str(fit)


@given(st.floats(0.5, 100), st.lists(st.integers(0, 2000), min_size=3, max_size=10, unique=True))
def test_points_on_a_line_give_its_slope(factor: float, days: list[int]) -> None:
    days.sort()
    fit = decline_per_year([DAY + timedelta(days=day) for day in days], [5 * factor ** (-day / 365) for day in days])
    assert fit.factor_per_year == pytest.approx(factor, rel=1e-6)
    assert fit.halving_months * fit.log_points_per_year == pytest.approx(-12 * np.log(2), rel=1e-6) or factor == 1


@given(st.lists(st.floats(0.01, 100), min_size=4, max_size=8), st.floats(0.01, 100))
def test_a_scale_of_prices_changes_nothing_and_more_confidence_widens(prices: list[float], scale: float) -> None:
    dates = [DAY + timedelta(days=90 * n) for n in range(len(prices))]
    fit = decline_per_year(dates, prices)
    other = decline_per_year(dates, [price * scale for price in prices], confidence=0.99)
    assert other.slope == pytest.approx(fit.slope, rel=1e-9, abs=1e-12)
    assert other.low <= fit.low * (1 + 1e-6)
    assert other.high >= fit.high * (1 - 1e-6)
    assert fit.low <= fit.factor_per_year <= fit.high


def test_months_and_instants_stand_for_their_days() -> None:
    prices = [8.0, 4.0, 3.0]
    wanted = decline_per_year([date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)], prices)
    for dates in (
        ["2024-01", "2024-02", "2024-03"],
        [Month.of(f"2024-0{n}") for n in (1, 2, 3)],
        [datetime(2024, n, 1, 15, tzinfo=UTC) for n in (1, 2, 3)],
    ):
        assert decline_per_year(dates, prices) == wanted


@pytest.mark.parametrize(
    ("dates", "prices", "options", "message"),
    [
        (["2024-01-01", "2024-06-01"], [2, 1], {}, "2 points have no interval; pass three or more"),
        (["2024-01-01"], [2], {}, "1 points have no interval"),
        (["2024-01", "2024-03", "2024-02"], [3, 2, 1], {}, "2024-02-01 comes after 2024-03-01; sort the points"),
        (["2024-01"] * 3, [3, 2, 1], {}, "cannot tell its columns apart"),
        (["2024-01", "2024-02", "2024-03"], [3, 0, 1], {}, "price 0.0 has no logarithm; leave free and missing prices out"),
        (["2024-01", "2024-02", "2024-03"], [3, nan, 1], {}, "price nan has no logarithm"),
        (["2024-01", "2024-02", "2024-03"], [3, 1], {}, "3 dates have 2 prices"),
        (["2024-01", "2024-02", "2024-13"], [3, 2, 1], {}, "period '2024-13' is no date"),
        ([1, 2, 3], [3, 2, 1], {}, "period 1 is no date"),
        (["2024-01", "2024-02", "2024-03"], [3, 2, 1], {"confidence": 90}, "confidence=90 is no probability"),
        (["2024-01", "2024-02", "2024-03"], [3, 2, 1], {"days_per_year": 0}, "days_per_year=0 is no year"),
    ],
)
def test_fits_that_cannot_be(dates: list[object], prices: list[float], options: dict[str, float], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        decline_per_year(dates, prices, **options)


def test_few_points_may_say_next_to_nothing() -> None:
    fit = decline_per_year(["2024-01-01", "2024-01-02", "2024-01-04"], [9.0, 1.0, 8.0])
    assert fit.low < 1e-300
    assert fit.high == inf


@given(st.lists(st.one_of(st.floats(0.01, 10), st.just(nan)), max_size=20))
def test_record_lows_fall_and_end_at_the_least(prices: list[float]) -> None:
    lows = record_lows(range(len(prices)), prices)
    values = [price for _, price in lows]
    assert values == sorted(set(values), reverse=True)
    known = [price for price in prices if not isnan(price)]
    assert (values[-1:] == [min(known)]) if known else not values


# -- hedonic -------------------------------------------------------------------------------------------------------------------------------

ROWS = [(0, 0.3, 2.1), (0, 0.55, 9.8), (0, 0.72, 31.0), (1, 0.33, 1.1), (1, 0.58, 4.4), (1, 0.75, 17.5), (1, 0.8, 24.0), (2, 0.45, 0.9)]
ROWS += [(2, 0.62, 1.9), (2, 0.79, 8.1), (2, 0.86, 14.2)]
SCORED = PricePanel.from_records({"period": period, "item": f"m{n}", "price": price} for n, (period, _, price) in enumerate(ROWS))
QUALITY = {f"m{n}": score for n, (_, score, _) in enumerate(ROWS)}


def test_a_hedonic_index_by_value() -> None:
    made = hedonic_index(SCORED, QUALITY)
    assert made.index.values.tolist() == pytest.approx([1, 0.42435637627574757, 0.15370787551597137], rel=1e-11)
    assert (made.quality[0], made.points, made.index.matched) == (pytest.approx(6.640418688012419, rel=1e-11), 11, (3, 4, 4))
    assert "quality 6.64" in str(made)


def test_a_hedonic_trend_by_value() -> None:
    """The interval as another package of least squares has it."""
    trend = hedonic_trend(SCORED, QUALITY)
    assert trend.factor == pytest.approx(2.562935490357959, rel=1e-11)
    assert (trend.low, trend.high) == pytest.approx((2.288146670090622, 2.8707243349379596), rel=1e-11)
    assert trend.error == pytest.approx(0.06098853, rel=1e-6)
    assert trend.r_squared == pytest.approx(0.9884804874128708, rel=1e-11)


@given(st.floats(-1, 1), st.floats(-3, 3), st.integers(2, 5))
@settings(max_examples=30)
def test_prices_made_by_the_model_give_the_model(fall: float, worth: float, periods: int) -> None:
    """Items that come and go at prices of quality and time give both back, with weights or without."""
    scores = np.linspace(0.1, 1, 7)
    prices = np.exp(worth * scores + fall * np.arange(periods)[:, None])
    prices[0, 3:] = nan
    prices[-1, :2] = nan
    panel = PricePanel(range(periods), "abcdefg", prices, quantities=np.arange(1.0, 8.0))
    quality = dict(zip("abcdefg", scores.tolist(), strict=True))
    for weights in ("equal", "expenditure"):
        made = hedonic_index(panel, quality, weights=weights)
        assert made.index.values.tolist() == pytest.approx(np.exp(fall * np.arange(periods)).tolist(), rel=1e-8)
        assert made.quality[0] == pytest.approx(worth, abs=1e-7)
        assert hedonic_trend(panel, quality, weights=weights).time == pytest.approx(fall, abs=1e-7)


@given(st.floats(-50, 50), st.floats(0.1, 10))
@settings(max_examples=30)
def test_a_scale_of_scores_does_not_move_the_index(shift: float, stretch: float) -> None:
    other = hedonic_index(SCORED, {item: shift + stretch * score for item, score in QUALITY.items()})
    assert other.index.values.tolist() == pytest.approx(hedonic_index(SCORED, QUALITY).index.values.tolist(), rel=1e-8)


def test_several_scores_and_a_base() -> None:
    both = {item: (score, score**2) for item, score in QUALITY.items()}
    made = hedonic_index(SCORED, both, base=2)
    assert len(made.quality) == len(made.errors) == 2
    assert made.index[2] == 1
    assert pickle.loads(pickle.dumps(made)).quality == made.quality


def test_what_hedonic_regressions_leave_out_is_named() -> None:
    panel = PricePanel((0, 1), ("a", "b", "c", "free"), [[1, 4, 9, nan], [0.5, nan, 3, 0]])
    made = hedonic_index(panel, {"a": 1, "b": 2, "free": 9}, free="exclude")
    assert {(row.item, row.reason) for row in made.index.excluded} == {("c", "no score"), ("free", "free")}
    with pytest.raises(ScenarioError, match="a hedonic regression cannot take a price of 0"):
        hedonic_index(panel, {"a": 1, "b": 2, "free": 9})


@pytest.mark.parametrize(
    ("quality", "error", "message"),
    [
        ({}, ScenarioError, "give every item as many"),
        ({"m0": 1, "m1": (1, 2)}, ScenarioError, "give every item as many"),
        ({"zzz": 1}, UnknownNameError, "zzz"),
        ({"m0": nan}, ScenarioError, "score nan of 'm0' is no finite number"),
        ({"m0": 1, "m1": 2}, ScenarioError, "no scored item is on sale in 1"),
        (dict.fromkeys(QUALITY, 1.0), ScenarioError, "cannot tell its columns apart"),
        ({"m0": 1, "m3": 2, "m7": 3}, ScenarioError, "3 points for 4 coefficients"),
    ],
)
def test_scores_that_cannot_be(quality: dict[str, float], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        hedonic_index(SCORED, quality)


def test_trends_that_cannot_be() -> None:
    exact = {"m0": 1, "m3": 2, "m7": 4}
    with pytest.raises(ScenarioError, match="3 prices leave no interval"):
        hedonic_trend(SCORED, exact)
    with pytest.raises(ScenarioError, match="needs quantities"):
        hedonic_index(SCORED, QUALITY, weights="expenditure")
    with pytest.raises(UnknownNameError, match="volume"):
        hedonic_index(SCORED, QUALITY, weights="volume")
    with pytest.raises(ScenarioError, match="confidence=2"):
        hedonic_trend(SCORED, QUALITY, confidence=2)


def test_dated_trends_are_a_year() -> None:
    panel = PricePanel(("2024-01-01", "2024-12-31"), ("a", "b", "c"), [[1, 2, 4.1], [0.5, 1, 2]])
    trend = hedonic_trend(panel, {"a": 0, "b": 1, "c": 2})
    assert trend.per == "year"
    assert trend.factor == pytest.approx(2, rel=0.02)
    assert "lower a year at equal quality" in str(trend)


# -- price to reach ------------------------------------------------------------------------------------------------------------------------

MONTHS = [f"2024-{n:02}" for n in range(1, 6)]
REACH = PricePanel(MONTHS, ("best", "good", "poor"), [[40, nan, 1], [40, 10, 1], [20, 5, 1], [20, nan, 0], [20, 2.5, 0]])
LEVELS = {"best": 90.0, "good": 80.0, "poor": 30.0}


def test_the_cheapest_that_is_good_enough() -> None:
    found = price_to_reach(REACH, LEVELS, [80, 90, 95])
    curve = found.curves[80]
    assert [row and (row.price, row.item) for row in curve] == [(40, "best"), (10, "good"), (5, "good"), (20, "best"), (2.5, "good")]
    assert found.curves[95] == (None,) * 5
    assert found.records()[0] == {"level": 80, "period": "2024-01", "price": 40.0, "item": "best"}
    fit = found.decline(80)
    assert fit.points == 4
    assert fit == decline_per_year(["2024-01", "2024-02", "2024-03", "2024-05"], [40, 10, 5, 2.5])
    assert "—" in str(found)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=4, unique=True))
def test_a_higher_level_never_costs_less(levels: list[float]) -> None:
    found = price_to_reach(REACH, LEVELS, sorted(levels))
    for curve in zip(*found.curves.values(), strict=True):
        prices = [inf if row is None else row.price for row in curve]
        assert prices == sorted(prices)


def test_levels_that_have_no_decline() -> None:
    found = price_to_reach(REACH, {"best": 90, "poor": 30}, [30, 90])
    assert found.unscored == ("good",)
    assert "1 items have no score" in str(found)
    with pytest.raises(ScenarioError, match="2 points have no interval"):
        found.decline(90)
    with pytest.raises(ScenarioError, match="level 50 was not asked for"):
        found.decline(50)
    with pytest.raises(ScenarioError, match="no level of quality"):
        price_to_reach(REACH, LEVELS, [])
    with pytest.raises(ScenarioError, match="one score for each item"):
        price_to_reach(REACH, {"best": (1, 2)}, [1])


def test_free_is_the_cheapest_and_has_no_logarithm() -> None:
    found = price_to_reach(REACH, LEVELS, [0])
    assert found.curves[0][4] == (0.0, "poor")
    with pytest.raises(ScenarioError):
        found.decline(0)


def test_the_mean_of_what_is_on_sale_misses_the_change_of_quality() -> None:
    """Better items come in at higher prices: their mean falls slowly, their price at equal quality fast."""
    assert hedonic_index(SCORED, QUALITY).index[2] < 0.4 * mean_index(SCORED, "geometric_mean")[2]


# -- cost cubes ----------------------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_blocks_are_the_cube(months: int, models: int, workloads: int, meters: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    prices = drawn.choice([nan, 0.0, 0.5, 3.0], (months, models, meters))
    used = drawn.choice([0.0, 1.0, 20.0], (workloads, meters))
    wanted = np.array(  # a row for each month, workload and model
        [
            [[sum(q * p for p, q in zip(prices[t, m], used[w], strict=True) if q) for m in range(models)] for w in range(workloads)]
            for t in range(months)
        ],
        dtype=np.float64,
    )
    wanted[np.isnan(wanted)] = inf
    found = np.empty_like(wanted)
    for block in cost_blocks(prices, used):
        found[block.month, block.first : block.first + len(block.costs)] = block.costs
    assert found.tolist() == wanted.tolist()
    cheapest = cheapest_costs(prices, used)
    least = wanted.min(axis=2)
    assert np.array_equal(cheapest.costs, np.where(np.isinf(least), nan, least), equal_nan=True)
    assert np.array_equal(cheapest.models, np.where(np.isinf(least), -1, wanted.argmin(axis=2)))


def test_many_workloads_come_in_several_blocks() -> None:
    prices, used = np.ones((1, 3000, 1)), np.arange(100.0)[:, None]
    blocks = [(block.first, block.costs[:, 0].tolist()) for block in cost_blocks(prices, used)]
    assert len(blocks) > 1
    assert [cost for _, costs in blocks for cost in costs] == list(range(100))


@pytest.mark.parametrize(
    ("prices", "quantities", "message"),
    [
        ([[1.0]], [[1.0]], "do not fit"),
        ([[[1.0]]], [[1.0, 2.0]], "do not fit"),
        (np.ones((1, 0, 1)), [[1.0]], "do not fit"),
        ([[[1.0]]], [[-1.0]], "a quantity is negative or missing"),
        ([[[1.0]]], [[nan]], "a quantity is negative or missing"),
        ([[[-1.0]]], [[1.0]], "a price is negative or infinite"),
        ([[[inf]]], [[1.0]], "a price is negative or infinite"),
    ],
)
def test_cubes_that_cannot_be(prices: object, quantities: object, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        list(cost_blocks(prices, quantities))


def test_days_of_periods() -> None:
    assert (
        day_of(date(2024, 5, 3)) == day_of("2024-05-03") == day_of(datetime(2024, 5, 3, 23, tzinfo=UTC)) == day_of(Month.of("2024-05")) + 2
    )

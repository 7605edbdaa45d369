"""Simulated prices: solved cases, what a seed promises, and what follows from how prices move."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from decimal import Decimal
from math import erf, exp, log, pi, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokencost.errors import ScenarioError, UnitError, UnknownNameError
from tokencost.scenarios.growth import Growth, HitRate, UncertainDemand
from tokencost.scenarios.monte_carlo import MonteCarlo
from tokencost.scenarios.move import Move, Reaction
from tokencost.scenarios.price_path import PricePath
from tokencost.scenarios.price_process import PriceProcess

PATHS = 100_000
ORACLES = Path(__file__).parents[3] / "shared" / "oracles" / "pricewar_oracles.json"
A = PriceProcess(name="A", price=2, cuts_per_month=0.15, cut_size=0.4, volatility=0.1, common=0.5)
B = PriceProcess(
    name="B", price=1.5, volatility=0.2, drift=-0.02, common=0.4, rises_per_month=0.05, rise_size=(0.1, 0.6), joins_war=0.5, cut_size=0.3
)
C = PriceProcess(name="C", price=1, cuts_per_month=0.1, cut_size=(0.2, 0.8), launch_after=4)
DEMAND = UncertainDemand(volume=100, growth=Growth.uniform(0, 0.1))


def cases():
    if not ORACLES.is_file():
        return [pytest.param(None, marks=pytest.mark.skip("the solved cases are not beside the repository"))]
    family = [case for case in json.loads(ORACLES.read_text())["cases"] if case["family"] == "monte_carlo"]
    return [pytest.param(case, id=case["id"]) for case in family]


@pytest.mark.parametrize("case", cases())
def test_a_solved_case(case):
    inputs, expected, tolerance = case["inputs"], case["expected"], case["tolerance"]
    if "list" in expected:
        assert set(expected["list"]) == set(PROMISES)
        for promise in PROMISES.values():
            promise()
    elif "cut_size" in inputs:
        check_poisson(inputs, expected, tolerance)
    elif "providers" in inputs:
        check_lognormal(inputs, expected, tolerance)
    else:
        check_growth(inputs, expected, tolerance)


def check_poisson(inputs, expected, tolerance):
    months, level = inputs["months"], inputs["P0"] * (1 - inputs["cut_size"] / 2)
    process = PriceProcess(name="A", price=inputs["P0"], cuts_per_month=inputs["cuts_per_month"], cut_size=inputs["cut_size"])
    spec = MonteCarlo([process], months=months, paths=PATHS, seed=1)
    found = spec.run(levels={"A": level})
    fan, last = found["A"], spec.prices("A")[-1]
    assert process.expected_price(months) == pytest.approx(expected["mean"], rel=tolerance["rel"], abs=tolerance["abs"])
    assert abs(fan.mean[-1] - expected["mean"]) <= 5 * expected["sd"] / sqrt(PATHS)
    assert abs(fan.sd[-1] - expected["sd"]) <= 5 * sd_error(last)
    for share, key in ((0.05, "price_p05"), (0.5, "median_price"), (0.95, "price_p95")):
        assert fan.quantile(share, months).value == pytest.approx(expected[key], rel=tolerance["rel"], abs=tolerance["abs"])
    chances = found.chances["A"]
    assert abs(chances.above[-1] - expected["prob_no_cut"]) <= 5 * chances.above_error[-1]


def sd_error(values):
    centred = values - values.mean()
    return sqrt((np.mean(centred**4) - np.mean(centred**2) ** 2) / (4 * np.mean(centred**2) * len(values)))


def check_lognormal(inputs, expected, tolerance):
    start, months = inputs["P0"], inputs["months"]
    processes = [
        PriceProcess(name=f"provider {n}", price=start, drift=inputs["mu_per_month"], volatility=inputs["sigma_per_month"])
        for n in range(inputs["providers"])
    ]
    found = MonteCarlo(processes, months=months, paths=PATHS, seed=2).run(levels={"provider 3": start})
    fan, chances = found["provider 3"], found.chances["provider 3"]
    mean = processes[0].expected_price(months)
    assert mean == pytest.approx(expected["mean"], rel=tolerance["rel"], abs=tolerance["abs"])
    sigma = inputs["sigma_per_month"] * sqrt(months)
    assert mean * sqrt(exp(sigma**2) - 1) == pytest.approx(expected["sd"], rel=tolerance["rel"])
    assert abs(fan.mean[-1] - expected["mean"]) <= 5 * expected["sd"] / sqrt(PATHS)
    middle = log(start) + inputs["mu_per_month"] * months
    for text, value in expected["quantiles"].items():
        share = float(text)
        density = exp(-(((log(value) - middle) / sigma) ** 2) / 2) / (value * sigma * sqrt(2 * pi))
        error = sqrt(share * (1 - share) / PATHS) / density
        assert abs(fan.quantile(share, months).value - value) <= 5 * error
        assert fan.quantile(share, months).error == pytest.approx(error, rel=0.25)
    assert found.cheapest is not None
    assert abs(found.cheapest.mean[-1] - expected["expected_cheapest_of_K"]) <= 5 * found.cheapest.mean_error[-1]
    above = (1 - erf((log(start) - middle) / sigma / sqrt(2))) / 2
    assert above == pytest.approx(expected["prob_price_above_P0"], rel=tolerance["rel"])
    assert abs(chances.above[-1] - above) <= 5 * sqrt(above * (1 - above) / PATHS)
    assert found.winners is not None
    assert np.all(np.abs(found.winners.shares[-1] - 1 / 20) <= 5 * sqrt(0.05 * 0.95 / PATHS))


def check_growth(inputs, expected, tolerance):
    growth = Growth.uniform(inputs["a"], inputs["b"])
    demand = UncertainDemand(volume=inputs["V0"], growth=growth)
    found = MonteCarlo([PriceProcess(name="A", price=1)], months=inputs["months"], paths=PATHS, seed=3, demand=demand).run()
    assert found.cost is not None
    assert growth.mean_factor ** inputs["months"] == pytest.approx(expected["mean"], rel=tolerance["rel"])
    second = growth.mean_factor**2 + (inputs["b"] - inputs["a"]) ** 2 / 12
    assert sqrt(second ** inputs["months"] - expected["mean"] ** 2) == pytest.approx(expected["sd"], rel=1e-9)
    assert abs(found.cost.mean[-1] - expected["mean"]) <= 5 * expected["sd"] / sqrt(PATHS)
    assert found.cost.sd[-1] == pytest.approx(expected["sd"], rel=0.02)


# -- what a seed promises --------------------------------------------------------------------------------------------------------------


def spec_of(*processes, **words):
    return MonteCarlo(processes or (A, B, C), **{"months": 7, "paths": 3000, "seed": 11, "war_chance": 0.2, "demand": DEMAND} | words)


def arrays(found):
    """Return every array of a result by name, providers in alphabetical order."""
    made = {
        f"{fan.of} {key}": getattr(fan, key) for fan in found.all_fans for key in ("quantiles", "quantile_errors", "mean", "sd", "counts")
    }
    if found.winners is not None:
        for column, name in enumerate(found.winners.providers):
            made[f"winner {name}"] = found.winners.shares[:, column]
    return made


def assert_same(one, other):
    one, other = arrays(one), arrays(other)
    assert one.keys() == other.keys()
    for key, array in one.items():
        assert array.tobytes() == other[key].tobytes(), key


def test_the_same_seed_draws_the_same_bits():
    assert_same(spec_of().run(), spec_of().run())
    assert spec_of().prices("B").tobytes() == spec_of().prices("B").tobytes()
    assert spec_of(seed=12).prices("B").tobytes() != spec_of().prices("B").tobytes()


def test_neither_chunk_nor_threads_nor_order_nor_statistics_move_a_result():
    whole = spec_of().run()
    for chunk in (1, 7, 1000, 2999, 3000, 10**6):
        assert_same(spec_of().run(chunk=chunk), whole)
    assert_same(spec_of().run(threads=2, chunk=500), whole)
    assert_same(spec_of(C, A, B).run(), whole)
    part = spec_of().run(statistics=["cost"], budget=500, levels={"A": 1})
    assert list(part.fans) == ["A"]
    assert part.winners is None
    assert part.cheapest is None
    kept = arrays(whole)
    for key, array in arrays(part).items():
        assert array.tobytes() == kept[key].tobytes()


def test_another_provider_leaves_the_paths_of_the_others():
    alone, both = spec_of(A), spec_of(A, B, C, replace(B, name="D"))
    assert alone.prices("A").tobytes() == both.prices("A").tobytes()
    assert alone.run()["A"].quantiles.tobytes() == both.run()["A"].quantiles.tobytes()


def test_without_chance_the_timeline_is_met_exactly():
    """A war that was played by the rules, and a simulation of it that has no chance in it."""
    war = PricePath(
        {"A": {"price": Decimal(2)}, "B": {"price": Decimal("5.3")}},
        moves=[
            Move(at=2, offering="A", kind="set", prices={"price": "1.1"}),
            Move(at=4, offering="B", kind="promotion", by=Decimal("0.3"), until=6),
        ],
        reactions=[Reaction(offering="B", kind="undercut", by=Decimal("0.1"), targets=("A",), lag=1)],
        start=0,
        until=9,
    )
    known = {name: [path.effective_at(month)["price"] for month in range(9)] for name, path in war.paths.items()}
    silent = {"volatility": 0, "cuts_per_month": 0, "cut_size": 0.4, "rises_per_month": 0, "common": 0.7}
    processes = [PriceProcess(name=name, price=prices, **silent) for name, prices in known.items()]
    found = MonteCarlo(processes, months=8, paths=501, seed=4, war_chance=0.5).run()
    assert found.winners is not None
    assert found.cheapest is not None
    for process in processes:
        timeline = np.array([float(price) for price in known[process.name][1:]])
        assert process.timeline(8)[1:].tolist() == timeline.tolist()
        fan = found[process.name]
        assert fan.mean.tolist() == timeline.tolist()
        assert fan.sd.tolist() == [0.0] * 8
        for column in range(5):
            assert fan.quantiles[:, column].tolist() == timeline.tolist()
    least = [min(float(known[name][month]) for name in known) for month in range(1, 9)]
    assert found.cheapest.mean.tolist() == least
    assert found.winners.shares[:, 0].tolist() == [1.0 if known["A"][m] < known["B"][m] else 0.0 for m in range(1, 9)]


def test_two_scenarios_meet_the_same_luck():
    one = spec_of(A, B, paths=20_000)
    other = one.with_process(replace(A, cuts_per_month=0.3))
    for of in ("cumulative_cost", "cheapest", "A"):
        paired = one.difference(other, of=of)
        free = one.difference(other.replace(seed=99), of=of)
        assert np.all(paired.error[1:] < free.error[1:])
        assert np.all(paired.error < paired.independent_error)
        assert np.all(np.abs(free.error / free.independent_error - 1) < 0.03)
        assert abs(paired.mean[-1] - free.mean[-1]) <= 5 * (paired.error[-1] + free.error[-1])
    assert one.difference(other, of="B").mean.tolist() == [0.0] * 7
    assert one.difference(one).error.tolist() == [0.0] * 7


def test_the_global_state_of_numpy_is_left_alone():
    np.random.seed(5)  # noqa: NPY002 - it is what must not matter
    before = np.random.get_state()  # noqa: NPY002
    first = spec_of().run()
    after = np.random.get_state()  # noqa: NPY002
    assert pickle.dumps(before) == pickle.dumps(after)
    np.random.seed(6)  # noqa: NPY002
    assert_same(spec_of().run(), first)


PROMISES = {
    "same seed, same inputs -> bitwise equal arrays": test_the_same_seed_draws_the_same_bits,
    "results do not depend on chunk size, on the order providers are listed (per-provider child streams spawned from one SeedSequence "
    "keyed by name) or on which statistics are requested": test_neither_chunk_nor_threads_nor_order_nor_statistics_move_a_result,
    "adding a provider leaves the paths of the others unchanged": test_another_provider_leaves_the_paths_of_the_others,
    "zero volatility / zero cut rate reproduces the deterministic timeline exactly": test_without_chance_the_timeline_is_met_exactly,
    "antithetic or common random numbers: scenario A minus scenario B uses the same draws": test_two_scenarios_meet_the_same_luck,
    "no use of the legacy global numpy random state": test_the_global_state_of_numpy_is_left_alone,
}


def test_switching_one_kind_of_move_on_leaves_the_draws_of_the_others():
    """Cuts, the walk, rises and sizes are streams of their own."""
    quiet = spec_of(replace(A, volatility=0))
    both = spec_of(A).prices("A") / quiet.prices("A")
    walk = spec_of(replace(A, cuts_per_month=0, cut_size=None)).prices("A") / 2
    assert both == pytest.approx(walk, rel=1e-12)


# -- properties ------------------------------------------------------------------------------------------------------------------------

rates = st.floats(0, 3)
sizes = st.floats(0.01, 0.9)
processes = st.builds(
    PriceProcess,
    name=st.just("A"),
    price=st.floats(0.001, 1000),
    drift=st.floats(-0.2, 0.2),
    volatility=st.floats(0, 0.5),
    cuts_per_month=rates,
    cut_size=sizes,
    rises_per_month=rates,
    rise_size=sizes,
    common=st.floats(-1, 1),
    joins_war=st.floats(0, 1),
    joins_shortage=st.floats(0, 1),
)


@settings(max_examples=40)
@given(processes, st.integers(0, 2**64), rates)
def test_more_cuts_never_raise_a_price_on_any_path(process, seed, more):
    spec = MonteCarlo([process], months=4, paths=200, seed=seed, war_chance=0.3)
    sharper = spec.with_process(replace(process, cuts_per_month=min(process.cuts_per_month + more, 100)))
    assert np.all(sharper.prices("A") <= spec.prices("A") * (1 + 1e-12))


@settings(max_examples=40)
@given(processes, st.integers(0, 2**32), st.sampled_from([0.25, 2.0, 1024.0]))
def test_prices_are_above_0_and_scale_with_the_start(process, seed, factor):
    spec = MonteCarlo([process], months=5, paths=100, seed=seed, war_chance=0.3, shortage_chance=0.3)
    prices = spec.prices("A")
    assert np.all(prices > 0)
    scaled = spec.with_process(replace(process, price=process.price[0] * factor))
    assert scaled.prices("A").tolist() == (prices * factor).tolist()


@settings(max_examples=25)
@given(st.lists(processes, min_size=1, max_size=5), st.integers(0, 2**32), st.randoms(use_true_random=False), st.integers(1, 300))
def test_order_and_chunk_are_not_seen_and_fans_are_in_order(drawn, seed, luck, chunk):
    named = [replace(process, name=f"P{number}") for number, process in enumerate(drawn)]
    spec = MonteCarlo(named, months=3, paths=250, seed=seed, war_chance=0.4)
    found = spec.run()
    luck.shuffle(named)
    assert_same(spec.replace(processes=tuple(named)).run(chunk=chunk), found)
    assert found.winners is not None
    assert found.winners.shares.sum(axis=1) == pytest.approx([1, 1, 1])
    for fan in found.all_fans:
        assert np.all(np.diff(fan.quantiles, axis=1) >= 0)
        assert np.all(found.cheapest.mean <= fan.mean * (1 + 1e-12))


@given(st.floats(0, 1000), st.floats(0, 1000), st.integers(0, 100))
def test_passing_a_budget_grows_with_time_and_falls_with_the_budget(low, high, seed):
    low, high = sorted((low, high))
    spec = spec_of(A, B, paths=300, seed=seed)
    tight, wide = (spec.run(statistics=[], budget=budget, monthly_budget=budget).chances for budget in (low, high))
    for chances in (tight, wide):
        assert np.all(chances["budget"].first_above >= 0)
        assert np.all(chances["budget"].above >= chances["monthly_budget"].above)
    assert np.all(tight["budget"].above >= wide["budget"].above)


# -- the models ------------------------------------------------------------------------------------------------------------------------


def test_fans_are_those_of_the_paths():
    spec = spec_of(paths=4001)
    found = spec.run(quantiles=(0.1, 0.5, 0.99))
    for name in spec.names:
        prices, fan = spec.prices(name), found[name]
        assert fan.counts.tolist() == np.isfinite(prices).sum(axis=1).tolist()
        assert fan.quantiles == pytest.approx(np.nanquantile(prices, (0.1, 0.5, 0.99), axis=1).T, rel=1e-13)
        assert fan.mean == pytest.approx(np.nanmean(prices, axis=1), rel=1e-13)
        assert fan.sd == pytest.approx(np.nanstd(prices, axis=1), rel=1e-12)
        assert fan.mean_error == pytest.approx(fan.sd / np.sqrt(fan.counts), rel=1e-12)
    cube = np.array([spec.prices(name) for name in spec.names])
    least = np.nanmin(cube, axis=0)
    assert found.cheapest.mean == pytest.approx(least.mean(axis=1), rel=1e-13)
    assert found.winners.shares == pytest.approx((cube == least).mean(axis=2).T, abs=1e-12)


def test_walks_are_correlated_as_they_say():
    spec = MonteCarlo(
        [PriceProcess(name="A", price=1, volatility=0.1, common=0.8), PriceProcess(name="B", price=1, volatility=0.3, common=-0.5)],
        months=1,
        paths=PATHS,
        seed=5,
    )
    moves = [np.log(spec.prices(name)[0]) for name in "AB"]
    assert [move.std() for move in moves] == pytest.approx([0.1, 0.3], rel=0.02)
    assert np.corrcoef(moves)[0, 1] == pytest.approx(-0.4, abs=5 / sqrt(PATHS))


def test_in_a_war_all_who_join_cut_together():
    joined = {"price": 1, "cut_size": 0.5, "joins_war": 1}
    spec = MonteCarlo(
        [PriceProcess(name="A", **joined), PriceProcess(name="B", **joined), PriceProcess(name="C", **{**joined, "joins_war": 0.5})],
        months=3,
        paths=PATHS,
        seed=6,
        war_chance=0.2,
    )
    found = spec.run(levels={"A": 0.9, "C": 0.9})
    assert spec.prices("A").tobytes() == spec.prices("B").tobytes()
    assert found.chances["A"].above[-1] == pytest.approx(0.8**3, abs=5 * found.chances["A"].above_error[-1])
    assert found.chances["C"].above[-1] == pytest.approx(0.9**3, abs=5 * found.chances["C"].above_error[-1])
    assert np.all(spec.prices("C") >= spec.prices("A"))
    assert found.winners.shares[:, 0].tolist() == found.winners.shares[:, 1].tolist()


def test_in_a_shortage_prices_rise_together():
    both = [PriceProcess(name=name, price=1, rise_size=1.0, joins_shortage=1) for name in "AB"]
    spec = MonteCarlo(both, months=2, paths=20_000, seed=6, shortage_chance=0.1)
    assert spec.prices("A").tobytes() == spec.prices("B").tobytes()
    share = np.mean(spec.prices("A")[-1] > 1)
    assert share == pytest.approx(1 - 0.81, abs=5 * sqrt(0.19 * 0.81 / 20_000))


def test_a_cut_brings_more_cuts_in_the_month_after():
    """E N_t = rate + contagion (E N_(t-1) of all), as in a Hawkes process with a memory of a month."""
    quiet = PriceProcess(name="A", price=1, cut_size=0.5, cuts_per_month=0.4, contagion=0)
    listed = [replace(quiet, contagion=0.3), replace(quiet, name="B", contagion=0.2)]
    spec = MonteCarlo(listed, months=4, paths=PATHS, seed=8)
    counts = {name: -np.diff(np.log2(spec.prices(name)), axis=0, prepend=0) for name in "AB"}
    first, second = 0.4, 0.4
    for month in range(4):
        for name, mean in (("A", first), ("B", second)):
            assert counts[name][month].mean() == pytest.approx(mean, abs=5 * counts[name][month].std() / sqrt(PATHS))
        first, second = 0.4 + 0.3 * (first + second), 0.4 + 0.2 * (first + second)
    alone = MonteCarlo([quiet], months=4, paths=PATHS, seed=8)
    assert alone.prices("A")[0].tobytes() == spec.prices("A")[0].tobytes()
    assert spec.run(threads=2, chunk=999)["A"].mean.tobytes() == spec.run()["A"].mean.tobytes()


def test_sizes_between_bounds_are_uniform():
    spec = MonteCarlo([PriceProcess(name="A", price=1, cut_size=(0.2, 0.8), joins_war=1)], months=1, paths=PATHS, seed=9, war_chance=1)
    cut = 1 - spec.prices("A")[0]
    assert 0.2 <= cut.min() <= cut.max() <= 0.8
    assert [cut.mean(), cut.std()] == pytest.approx([0.5, 0.6 / sqrt(12)], rel=0.01)


def test_launches_come_after_exponential_waits():
    spec = MonteCarlo([A, C], months=6, paths=PATHS, seed=10)
    found = spec.run()
    on_sale = 1 - np.exp(-np.arange(1, 7) / 4)
    assert found["C"].counts / PATHS == pytest.approx(on_sale, abs=5 * 0.5 / sqrt(PATHS))
    seen = np.isfinite(spec.prices("C"))
    assert np.all(seen[1:] >= seen[:-1])
    late = MonteCarlo([C], months=6, paths=1000, seed=10).run()
    assert late.winners.shares[:, 0] == pytest.approx(late["C"].counts / 1000)


def test_nobody_on_sale_is_not_a_price():
    found = MonteCarlo([replace(C, launch_after=1e9)], months=2, paths=50, seed=1).run(levels={"C": 1, "cheapest": 1})
    assert np.isnan(found["C"].mean).all()
    assert found.winners.shares.tolist() == [[0.0], [0.0]]
    assert found.chances["cheapest"].above.tolist() == found.chances["cheapest"].below.tolist() == [0.0, 0.0]


def test_a_hit_rate_moves_the_price_between_fresh_and_cached():
    process = PriceProcess(name="A", price=1.0, cached_price=0.25)
    known = MonteCarlo([process], months=1, paths=10, demand=UncertainDemand(volume=1, hit_rate=0.5)).prices("A")
    assert known.tolist() == [[0.625] * 10]
    law = HitRate.beta(8, 2)
    assert law.parameters == (8, 2)
    assert (law.mean, law.sd) == pytest.approx((0.8, sqrt(16 / (100 * 11))))
    drawn = MonteCarlo([process], months=3, paths=PATHS, demand=UncertainDemand(volume=1, hit_rate=law)).prices("A")
    assert drawn[0].tolist() == drawn[2].tolist()
    assert [drawn[0].mean(), drawn[0].std()] == pytest.approx([0.4, 0.75 * law.sd], rel=0.01)
    better = MonteCarlo([process], months=1, paths=PATHS, demand=UncertainDemand(volume=1, hit_rate=HitRate.beta(16, 2))).prices("A")
    assert np.mean(better[0] < drawn[0]) > 0.99, "hit rates of two laws are in step"


def test_a_floor_holds_and_those_on_it_share():
    both = [PriceProcess(name=name, price=2, cuts_per_month=8, cut_size=0.5, floor=0.3) for name in "AB"]
    spec = MonteCarlo(both, months=5, paths=2000, seed=12)
    assert spec.prices("A").min() == 0.3
    found = spec.run()
    assert found["A"].quantiles[-1].tolist() == [0.3] * 5
    assert found.winners.shares[-1] == pytest.approx([0.5, 0.5], abs=0.01)


def test_a_price_leaves_its_floor_by_the_next_rise():
    """Cuts below the floor did not happen, so they need not be made good."""
    process = PriceProcess(name="A", price=1, cuts_per_month=20, cut_size=0.9, floor=0.5, rises_per_month=0)
    spec = MonteCarlo([process], months=2, paths=100, seed=1)
    assert np.all(spec.prices("A") == 0.5)
    raised = spec.with_process(replace(process, cuts_per_month=0, joins_shortage=1, rise_size=1.0, price=[1, 0.5])).replace(
        shortage_chance=1
    )
    assert raised.prices("A")[:, 0].tolist() == [1.0, 2.0]


def test_a_free_price_stays_free():
    assert np.all(MonteCarlo([replace(B, price=0)], months=3, paths=100).prices("B") == 0)


def test_ties_are_split():
    listed = [PriceProcess(name=name, price=price) for name, price in (("A", 1), ("B", 1), ("C", 1), ("D", 2))]
    found = MonteCarlo(listed, months=1, paths=10).run()
    assert found.winners.shares[0].tolist() == [1 / 3, 1 / 3, 1 / 3, 0]
    assert found.winners.share("D", 1) == (0.0, 0.1)


def test_ties_of_many_are_split_whatever_the_chunk():
    """Cuts of a half leave powers of a half, so that now two are alike, now five."""
    listed = [PriceProcess(name=f"P{number}", price=1, cuts_per_month=0.5, cut_size=0.5) for number in range(5)]
    spec = MonteCarlo(listed, months=4, paths=1001, seed=3)
    found = spec.run(chunk=77)
    assert found.winners.shares.tobytes() == spec.run().winners.shares.tobytes()
    cube = np.array([spec.prices(name) for name in spec.names])
    parts = cube == cube.min(axis=0)
    parts = parts / parts.sum(axis=0)
    assert found.winners.shares == pytest.approx(parts.mean(axis=2).T, rel=1e-12)
    assert found.winners.errors == pytest.approx(parts.std(axis=2).T / sqrt(1001), rel=1e-9)


def test_costs_are_prices_times_volumes():
    processes = [PriceProcess(name="A", price=[9, 2, 4]), PriceProcess(name="B", price=3)]
    spec = MonteCarlo(processes, months=3, paths=5, demand=UncertainDemand(volume=10, growth=0.5))
    found = spec.run(budget=100, monthly_budget=60)
    assert found.cost.mean.tolist() == [30, 67.5, 101.25]
    assert found.cumulative_cost.mean.tolist() == [30, 97.5, 198.75]
    assert found.cost.unit == "USD"
    assert found.chances["budget"].above.tolist() == found.chances["budget"].first_above.tolist() == [0, 0, 1]
    assert found.chances["budget"].first_above_error.tolist() == [1 / 5] * 3
    assert found.chances["monthly_budget"].above.tolist() == [0, 1, 1]
    of_a = spec.replace(demand=replace(spec.demand, buys="A")).run()
    assert of_a.cost.mean.tolist() == [30, 90, 135]


def test_lognormal_growth_has_its_mean():
    growth = Growth.lognormal(0.03, 0.1)
    spec = MonteCarlo([PriceProcess(name="A", price=1)], months=6, paths=PATHS, seed=1, demand=UncertainDemand(volume=1, growth=growth))
    cost = spec.run().cost
    assert abs(cost.mean[-1] - growth.mean_factor**6) <= 5 * cost.mean_error[-1]


# -- results ---------------------------------------------------------------------------------------------------------------------------


def test_results_say_what_they_are():
    found = spec_of().run(levels={"A": 1.5}, budget=900)
    assert found.numpy_version == found["A"].numpy_version == np.__version__
    assert found["A"].seed == found.seed == 11
    assert len(found.records()) == 6 * 7
    assert found["A"].records()[0]["q0.5"] == found["A"].quantile(0.5, 1).value
    assert "seed 11" in str(found)
    for shown in (found, found["C"], found.winners, found.chances["budget"], spec_of().difference(spec_of())):
        assert shown.table().rows
        assert "<table>" in shown._repr_html_()
        assert shown.records()
        assert str(pickle.loads(pickle.dumps(shown))) == str(shown)
    with pytest.raises(ValueError, match="read-only"):
        found["A"].mean[0] = 1


def test_chances_carry_errors_even_where_nothing_was_seen():
    chances = spec_of(A).run(levels={"A": 1e9}).chances["A"]
    assert chances.above.tolist() == [0.0] * 7
    assert chances.above_error.tolist() == chances.below_error.tolist() == [1 / 3000] * 7


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"processes": []}, "there is no provider to simulate"),
        ({"processes": [A, A]}, "provider 'A' is there twice"),
        ({"processes": ["A"]}, "'A' is no PriceProcess"),
        ({"months": 0}, "months=0 is not a whole number of months"),
        ({"months": 1.5}, "months=1.5 is not a whole number"),
        ({"paths": 0}, "paths=0 is not a whole number of at least 1"),
        ({"paths": True}, "paths=True is not"),
        ({"seed": -1}, "seed=-1 is not a whole number of 0 or more"),
        ({"seed": None}, "seed=None is not"),
        ({"war_chance": 1.1}, "war_chance 1.1 is no probability"),
        ({"shortage_chance": float("nan")}, "shortage_chance nan is not finite"),
        ({"processes": [replace(A, contagion=0.6), replace(B, contagion=0.4)]}, "contagion adds up to 1:"),
        ({"processes": [replace(A, cached_price=1)], "demand": None}, "A has a cached_price and nobody a hit rate"),
        ({"demand": UncertainDemand(volume=1, hit_rate=0.4)}, "a hit rate moves no price here"),
        ({"demand": UncertainDemand(volume=1, buys="C")}, "buys='C' is not on sale in all months"),
        ({"processes": [C]}, "buys='cheapest' is not on sale in all months"),
    ],
)
def test_what_cannot_be_simulated_is_refused(words, message):
    with pytest.raises(ScenarioError, match=message.replace("(", r"\(")):
        MonteCarlo(**{"processes": [A, B, C], "demand": DEMAND} | words)


def test_units_do_not_mix():
    with pytest.raises(UnitError, match=r"the price of B is in CNY/Mtok, not in USD/Mtok; convert it first"):
        MonteCarlo([A, replace(B, unit="CNY/Mtok")])
    with pytest.raises(UnitError, match=r"the demand is in USD/token, not in USD/Mtok"):
        MonteCarlo([A], demand=UncertainDemand(volume=1, unit="USD/token"))
    with pytest.raises(UnitError, match="the other scenario is in CNY/Mtok"):
        MonteCarlo([A]).difference(MonteCarlo([replace(A, unit="CNY/Mtok")]), of="A")


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"quantiles": (0.5, 0.1)}, ScenarioError, "are not in order"),
        ({"quantiles": (0,)}, ScenarioError, "quantile 0.0 is not between 0 and 1"),
        ({"statistics": ("winner",)}, UnknownNameError, "no statistic 'winner'"),
        ({"levels": {"Z": 1}}, UnknownNameError, "no provider 'Z'"),
        ({"levels": {"A": -1}}, ScenarioError, "level of A=-1 is negative"),
        ({"budget": 10}, ScenarioError, "budget=10 without a demand"),
        ({"chunk": 0}, ScenarioError, "chunk=0"),
        ({"threads": 0}, ScenarioError, "threads=0"),
    ],
)
def test_what_a_run_cannot_say_is_refused(words, error, message):
    with pytest.raises(error, match=message):
        MonteCarlo([A], paths=10).run(**words)


def test_a_simulation_pickles():
    spec = spec_of()
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert_same(pickle.loads(pickle.dumps(spec)).run(), spec.run())


def test_what_is_not_there_cannot_be_asked_for():
    spec = MonteCarlo([A], months=3, paths=10)
    found = spec.run()
    with pytest.raises(UnknownNameError):
        spec.prices("Z")
    with pytest.raises(UnknownNameError):
        found["Z"]
    with pytest.raises(UnknownNameError):
        found.winners.share("Z", 1)
    for ask in (found["A"].mean_at, lambda month: found.winners.share("A", month), spec.difference(spec, of="A").at):
        with pytest.raises(ScenarioError, match="month 4 was not simulated; it goes from 1 to 3"):
            ask(4)
    with pytest.raises(ScenarioError, match=r"quantile 0\.4 was not asked for"):
        found["A"].quantile(0.4, 1)
    with pytest.raises(ScenarioError, match="'cumulative_cost' without a demand"):
        spec.difference(spec)
    with pytest.raises(ScenarioError, match="paths are 10 here and 20 there"):
        spec.difference(spec.replace(paths=20), of="A")
    with pytest.raises(UnknownNameError):
        spec.difference(spec, of="Z")


def test_prices_that_float64_does_not_hold_are_refused():
    for wild in ({"volatility": 400.0}, {"drift": 300.0}, {"drift": -300.0}):
        with pytest.raises(ScenarioError, match="the price of A leaves what float64 holds in month"):
            MonteCarlo([PriceProcess(name="A", price=1, **wild)], months=9, paths=100).run()
    for growth in (1e200, Growth.lognormal(400, 1)):
        with pytest.raises(ScenarioError, match=r"the cost leaves what float64 holds in month [12]"):
            MonteCarlo([PriceProcess(name="A", price=1)], months=9, paths=100, demand=UncertainDemand(volume=1, growth=growth)).run()

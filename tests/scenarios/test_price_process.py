"""Price processes and what they draw from: what is taken, what is refused, and the laws."""

from __future__ import annotations

from decimal import Decimal
from math import exp, factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import ScenarioError, UnitError
from tokencost.scenarios.draws import PoissonLaw, stream
from tokencost.scenarios.growth import Growth, HitRate, UncertainDemand
from tokencost.scenarios.monte_carlo import MonteCarlo
from tokencost.scenarios.price_process import PriceProcess
from tokencost.scenarios.starting_prices import price_processes


@given(st.floats(1e-6, 60))
def test_counts_are_poisson(intensity):
    law = PoissonLaw(intensity)
    mass = np.diff(law.bounds, prepend=0)
    for count in range(min(len(mass), 20)):
        assert mass[count] == pytest.approx(exp(-intensity) * intensity**count / factorial(count), rel=1e-9, abs=1e-15)
    assert law.bounds[-1] == pytest.approx(1, abs=1e-13)


@given(st.floats(0, 60), st.floats(0, 60), st.integers(0, 99))
def test_counts_grow_with_the_intensity(low, high, seed):
    """One uniform number each: a path with more intensity never has fewer events."""
    low, high = sorted((low, high))
    uniform = stream(seed, "test").random(200)
    counts = []
    for intensity in (low, high):
        where, events = PoissonLaw(intensity).events(uniform)
        own = np.zeros(200, dtype=int)
        own[where] = events
        counts.append(own)
    assert np.all(counts[0] <= counts[1])


def test_streams_differ_by_every_part_of_their_key():
    firsts = [float(stream(*key).random()) for key in ((1, "cut", "A"), (2, "cut", "A"), (1, "rise", "A"), (1, "cut", "B"), (1, "cutA"))]
    assert len(set(firsts)) == 5


def test_a_stream_is_what_it_has_always_been():
    """The key is hashed with SHA-256, not with a hash that differs from run to run. A change here breaks every recorded seed."""
    words = stream(7, "cut", "deepseek").bit_generator.random_raw(2).tolist()
    assert words == [8794225898627546106, 8283605133492817139]


def test_a_price_is_taken_as_it_is_written():
    assert PriceProcess(name="A", price=Decimal("0.1")).price == (0.1,)
    assert PriceProcess(name="A", price="0.1").price == (0.1,)
    assert PriceProcess(name="A", price=[1, np.float64(2), Decimal(3)]).price == (1.0, 2.0, 3.0)
    assert PriceProcess(name="A", price=np.array([1.5, 2.5])).price == (1.5, 2.5)
    assert PriceProcess(name="A", price=tc.Money("0.55", "USD")).price == (0.55,)
    with pytest.raises(UnitError, match="is in CNY, not in USD"):
        PriceProcess(name="A", price=tc.Money("0.55", "CNY"))


def test_a_timeline_goes_on_and_drifts():
    process = PriceProcess(name="A", price=[3, 2], drift=0.1, floor=0.5)
    assert process.timeline(3) == pytest.approx([3, 2 * exp(0.1), 2 * exp(0.2), 2 * exp(0.3)])
    assert PriceProcess(name="A", price=1, drift=-1, floor=0.5).timeline(2).tolist() == [1, 0.5, 0.5]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"name": " "}, "name ' ' is none"),
        ({"name": 3}, "name 3 is none"),
        ({"name": "cheapest"}, "name 'cheapest' means a result"),
        ({"price": -1}, "price of A=-1 is negative"),
        ({"price": []}, "price of A is an empty timeline"),
        ({"price": float("inf")}, "price of A=inf is not a finite number"),
        ({"price": [1, None]}, "price of A=None is not a finite number"),
        ({"cached_price": -1}, "cached_price of A=-1 is negative"),
        ({"unit": "dollars"}, "unit 'dollars' is none"),
        ({"volatility": -0.1}, "volatility of A -0.1 is negative"),
        ({"volatility": "much"}, "volatility of A 'much' is no number"),
        ({"drift": float("nan")}, "drift of A nan is not finite"),
        ({"cuts_per_month": -1, "cut_size": 0.4}, "cuts_per_month of A -1 is negative"),
        ({"cuts_per_month": 1000, "cut_size": 0.4}, "cuts_per_month of A 1000 is more than 100"),
        ({"cuts_per_month": 1}, "cuts_per_month of A needs a cut_size"),
        ({"joins_war": 1}, "joins_war of A needs a cut_size"),
        ({"contagion": 0.5}, "contagion of A needs a cut_size"),
        ({"joins_shortage": 1}, "joins_shortage of A needs a rise_size"),
        ({"cut_size": 0}, r"cut_size of A 0 cannot be; pass a size in \(0, 1\)"),
        ({"cut_size": 1}, "cut_size of A 1 cannot be"),
        ({"cut_size": -0.2}, "cut_size of A -0.2 cannot be"),
        ({"cut_size": (0.5, 0.2)}, "or two such bounds in order"),
        ({"cut_size": (0.1, 0.2, 0.3)}, "cannot be"),
        ({"cut_size": True}, "cut_size of A True is no number"),
        ({"rises_per_month": -1, "rise_size": 1}, "rises_per_month of A -1 is negative"),
        ({"rise_size": 0}, "rise_size of A 0 cannot be; pass a size above 0"),
        ({"common": 1.5}, "common of A 1.5 is no correlation"),
        ({"joins_war": 2, "cut_size": 0.4}, "joins_war of A 2 is no probability"),
        ({"floor": 2}, "floor of A 2 is above its known price 1"),
        ({"price": [1, 0.1], "floor": 0.5}, "floor of A 0.5 is above its known price 0.1"),
        ({"launch_after": 0}, "launch_after of A 0 is no wait"),
    ],
)
def test_what_no_price_does_is_refused(words, message):
    with pytest.raises(ScenarioError, match=message):
        PriceProcess(**{"name": "A", "price": 1} | words)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Growth.fixed(-1), "growth -1 leaves nothing"),
        (lambda: Growth.uniform(0.2, 0.1), "is out of order"),
        (lambda: Growth.lognormal(0, -1), "sigma of growth -1 is negative"),
        (lambda: HitRate(1.2), "mean of the hit rate 1.2 is no share"),
        (lambda: HitRate(0.5, 0.5), "sd of the hit rate 0.5 does not go with a mean of 0.5"),
        (lambda: HitRate(0.5, -0.1), "sd of the hit rate -0.1 does not go"),
        (lambda: HitRate.beta(0, 1), "cannot be; pass two above 0"),
        (lambda: UncertainDemand(volume=0), "volume 0 buys nothing"),
        (lambda: UncertainDemand(volume=-1), "volume=-1 is negative"),
        (lambda: UncertainDemand(volume=1, growth=-2), "growth -2 leaves nothing"),
    ],
)
def test_demand_that_cannot_be_is_refused(make, message):
    with pytest.raises(ScenarioError, match=message):
        make()


def test_the_mean_has_a_formula_only_where_it_has():
    assert PriceProcess(name="A", price=2, drift=0.1, volatility=0.2).expected_price(3) == pytest.approx(2 * exp(0.36))
    for more in ({"floor": 0.5}, {"launch_after": 3}, {"cut_size": (0.1, 0.2), "cuts_per_month": 1}, {"joins_war": 0.5, "cut_size": 0.2}):
        with pytest.raises(ScenarioError, match="has no short formula"):
            PriceProcess(name="A", price=1, **more).expected_price(1)


def test_processes_begin_at_what_a_workload_pays(book):
    usage = tc.Usage(input=30_000_000, cache_read=70_000_000, output=10_000_000)
    at, names = "2025-02-01T00:00:00Z", ["gpt-4o", "deepseek-reasoner"]
    found = price_processes(usage, names, at=at, book=book, volatility=0.1)
    assert [process.name for process in found] == names
    assert found[1].price == (pytest.approx(48.2 / 110),)
    assert str(found[0].unit) == "USD/Mtok"
    assert MonteCarlo(found, months=2, paths=10).run()["gpt-4o"].unit == "USD/Mtok"


def test_processes_take_a_price_without_and_with_a_cache(book):
    plain = tc.Usage(input=100_000_000, output=10_000_000)
    cached = tc.Usage(cache_read=100_000_000, output=10_000_000)
    (process,) = price_processes(plain, ["deepseek-reasoner"], at="2025-02-01T00:00:00Z", cached_workload=cached, book=book)
    demand = UncertainDemand(volume=110, hit_rate=0.7)
    prices = MonteCarlo([process], months=1, paths=1, demand=demand).prices("deepseek-reasoner")
    assert prices[0, 0] == pytest.approx(48.2 / 110)


def test_one_offering_is_one_provider(book):
    with pytest.raises(ScenarioError, match="is there twice"):
        price_processes(tc.Usage(input=1000), ["gpt-4o", "openai/gpt-4o"], at="2025-02-01T00:00:00Z", book=book)

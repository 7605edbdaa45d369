"""Laws: distributions of whole numbers, exact."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from demand_strategies import laws, lengths, point_laws, quantile_laws, shares, small_laws


def listed(law: tc.Law) -> dict[int, Fraction]:
    """Every number of a law with its probability: the slow, obvious twin."""
    found: dict[int, Fraction] = {}
    for first, last, weight in law.stretches:
        for number in range(first, last + 1):
            found[number] = found.get(number, Fraction(0)) + Fraction(weight, law.total * (last - first + 1))
    return found


small_quantiles = st.lists(st.integers(0, 60), min_size=3, max_size=3).map(
    lambda numbers: tc.Law.quantiles(dict(zip((0, Fraction(1, 3), 1), sorted(numbers), strict=True)))
)


@given(small_laws | small_quantiles, st.integers(0, 70), st.none() | st.integers(0, 70))
def test_parts_are_sums_over_every_number(law, first, last):
    inside = {n: p for n, p in listed(law).items() if n >= first and (last is None or n <= last)}

    assert law.part(first, last) == (sum(inside.values()), sum(n * p for n, p in inside.items()))


@given(small_laws | small_quantiles)
def test_mean_is_the_sum_over_every_number(law):
    assert law.mean == sum(n * p for n, p in listed(law).items())


@given(laws, lengths)
def test_what_lies_on_both_sides_of_an_edge_is_all(law, edge):
    below, above = law.part(0, edge), law.part(edge + 1, None)

    assert (below.probability + above.probability, below.moment + above.moment) == (1, law.mean)


@given(laws, shares)
def test_quantiles_are_the_smallest_number_that_is_not_passed(law, share):
    number = law.quantile(share)

    assert 1 - law.beyond(number) >= share
    assert number == law.least or 1 - law.beyond(number - 1) < share


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=3, unique=True), st.fractions("0.01", "0.99", max_denominator=100))
def test_quantiles_that_were_said_are_found_again(numbers, share):
    low, middle, high = sorted(numbers)

    law = tc.Law.quantiles({0: low, share: middle, 1: high})

    assert (law.quantile(share), law.least, law.most, law.quantile(1)) == (middle, low, high, high)


@given(laws)
def test_documents_give_the_same_law(law):
    assert tc.Law.of(law.document) == law
    assert pickle.loads(pickle.dumps(law)) == law


@given(point_laws | quantile_laws, st.integers(1, 5))
def test_a_law_scaled_by_a_whole_number_has_that_mean_times_its_mean(law, times):
    scaled = law.scaled(times)

    assert abs(scaled.mean - times * law.mean) <= times
    assert scaled.most == times * law.most


def test_a_lognormal_law_has_its_quantiles_and_the_mean_of_the_formula():
    """The mean of a lognormal number is median * exp(sigma^2 / 2); here the cut takes off next to nothing."""
    law = tc.Law.lognormal(median=1_000, p90=2_000, most=1_000_000)

    sigma = np.log(2) / 1.2815515655446004
    assert (law.quantile(Fraction(1, 2)), law.quantile(Fraction(9, 10))) == (1_000, 2_000)
    assert float(law.mean) == pytest.approx(1_000 * np.exp(sigma**2 / 2), rel=1e-4)


def test_what_a_lognormal_law_cannot_reach_counts_as_the_most():
    law = tc.Law.lognormal(median=1_000, p90=4_000, most=8_000)

    assert float(law.part(8_000, None).probability) == pytest.approx(0.0274, abs=2e-4)
    assert law.beyond(8_000) == 0


@given(laws)
def test_draws_follow_the_law(law):
    """The mean of draws lies within six standard errors of the mean of the law, and no draw outside."""
    drawn = law.sample(np.random.Generator(np.random.PCG64(7)), 4_000)

    error = max(drawn.std(), (law.most - law.least) / 60, 1e-9) / 4_000**0.5
    assert abs(drawn.mean() - float(law.mean)) <= 6 * error
    assert law.least <= drawn.min()
    assert drawn.max() <= law.most


def test_draws_of_weights_that_no_machine_word_holds():
    law = tc.Law.points({1: Fraction(1, 10**12 + 39), 2: Fraction(1, 10**12 + 61)})

    drawn = law.sample(np.random.Generator(np.random.PCG64(0)), 10_000)

    assert abs(drawn.mean() - 1.5) < 0.03


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tc.Law.quantiles({0: 1, 0.5: 2}), r"quantiles 0: 1, 0\.5: 2 do not reach from 0 to 1; say the least \(0\) and the most"),
        (lambda: tc.Law.quantiles({}), "do not reach from 0 to 1"),
        (lambda: tc.Law.quantiles({0: 5, 1: 2}), "are not ordered: 2 at 1 follows 5 at 0; larger shares have larger numbers"),
        (lambda: tc.Law.quantiles({0: 1, 0.5: 9, "0.5": 9, 1: 10}), "are not ordered: 9 at 0.5 follows 9 at 0.5"),
        (lambda: tc.Law.quantiles({0: 1, 1.5: 2}), "quantile=1.5 is outside 0 to 1; a share of 40 % is 0.4"),
        (lambda: tc.Law.quantiles({0: 1, 1: 2.5}), "quantile 2.5 is not a whole number"),
        (lambda: tc.Law.points({}), "points {} weigh nothing; give one a weight above 0"),
        (lambda: tc.Law.points({5: 0}), "weigh nothing"),
        (lambda: tc.Law.points({5: -1}), "weight -1 of 5 is negative; weights are 0 or more"),
        (lambda: tc.Law.points({5: float("nan")}), "weight=nan is not a number"),
        (lambda: tc.Law.fixed(-1), "length -1 is not a whole number from 0 to 1,000,000,000; check its unit"),
        (lambda: tc.Law.fixed(10**10), "is not a whole number from 0"),
        (lambda: tc.Law.fixed(True), "length True is not a whole number"),
        (lambda: tc.Law.lognormal(median=5, p90=5, most=9), "median=5, p90=5, most=9 do not ascend from above 0"),
        (lambda: tc.Law.lognormal(median=0, p90=5, most=9), "do not ascend"),
        (lambda: tc.Law.of("many"), "length='many' is no law; write a whole number, or one of quantiles, lognormal, points"),
        (lambda: tc.Law.of({"normal": {}}), "is no law"),
        (lambda: tc.Law.of({"lognormal": {"median": 1}}), "is no law"),
        (lambda: tc.Law.of({"points": [[1, 2, 3]]}), r"point \[1, 2, 3\] is not \[number, weight\]; write it like \[500, 3\]"),
        (lambda: tc.Law.of(1.5), "is no law"),
        (lambda: tc.Law.fixed(1).scaled(-1), "factor=-1 is negative; lengths are 0 or more"),
        (lambda: tc.Law.fixed(1).quantile(2), "quantile=2 is outside 0 to 1"),
    ],
)
def test_laws_that_cannot_be(make, message):
    with pytest.raises(tc.WorkloadError, match=message):
        make()


def test_a_lognormal_law_that_rounds_to_one_number_is_listed():
    law = tc.Law.lognormal(median=2, p90=3, most=8)

    scaled = law.scaled("0.3")
    assert (scaled.least, scaled.quantile("0.5"), scaled.most) == (0, 1, 2)

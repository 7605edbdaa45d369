"""Simulations: requests rated one by one agree with the exact expectation, and months spread as they should."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from demand_strategies import segments
from tokencost.rating.timeline import Selection
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.hit_rate import hit_rate
from tokencost.workloads.simulated_months import simulate_months
from tokencost.workloads.simulation import rated_sample, stream

TIERED, WINDOWED = "alibaba/china/qwen3-max", "deepseek/global/deepseek-v4-flash"
MONTH = tc.Month.of("2026-09")
OFFICE = tc.HourProfile.daily([0] * 8 + [1] * 4 + [2] * 6 + [1] * 6, zone="Asia/Shanghai", weekend="0.3")
LONG = tc.Law.lognormal(median=9_000, p90=70_000, most=250_000)


def workload(**changes):
    made = {
        "requests": 40_000,
        "prompt": LONG,
        "completion": tc.Law.quantiles({0: 5, 0.5: 300, 1: 4_000}),
        "cached": 0.4,
        "profile": OFFICE,
    }
    return tc.Workload.described("w", **made | changes)


def both_kinds(book):
    """A book with one offering that has windows and, in each, tiers."""
    list_price = book.shelf.tariff(WINDOWED)
    last = list_price.versions[-1]
    rates = [
        replace(rate, above=edge, prices={meter: price * factor for meter, price in rate.prices.items()})
        for rate in last.rates
        for edge, factor in ((0, 1), (20_000, 2), (100_000, 3))
    ]
    return book.with_tariffs([replace(list_price, versions=(*list_price.versions[:-1], replace(last, rates=tuple(rates))))])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", ["tiered", "windowed", "both"])
def test_a_long_simulation_has_the_expected_mean(book, kind, seed):
    """Within four standard errors, on tiers that change in the month, on windows, and on both."""
    own = both_kinds(book) if kind == "both" else book
    offering = TIERED if kind == "tiered" else WINDOWED
    exact = tc.estimate(workload(), offering, month=MONTH, book=own, draws=0)

    drawn = tc.simulate_requests(workload(), offering, month=MONTH, book=own, requests=100_000, seed=seed)

    assert drawn.unpriced == 0
    assert abs(drawn.deviation(exact.exact / exact.requests)) <= 4
    assert drawn.standard_error < 0.01 * drawn.mean
    assert (drawn.currency, drawn.requests) == (exact.currency, 100_000)


def test_a_simulation_tells_the_spreadsheet_from_the_truth(book):
    """The naive cost of the same workload lies many standard errors away, so that the agreement above means something."""
    for own, offering in ((book, TIERED), (book, WINDOWED), (both_kinds(book), WINDOWED)):
        exact = tc.estimate(workload(), offering, month=MONTH, book=own, draws=0)
        drawn = tc.simulate_requests(workload(), offering, month=MONTH, book=own, requests=100_000)

        assert drawn.deviation(exact.naive_exact / exact.requests) > 20


@settings(max_examples=15)
@given(st.lists(segments, min_size=1, max_size=2, unique_by=lambda segment: segment.name).map(tuple))
def test_any_workload_is_simulated_as_it_is_expected(book, parts):
    """Whatever sizes, hours, tiers and modes: priced cost within six standard errors, unpriced requests as many as expected."""
    made = tc.Workload("any", parts)
    exact = tc.estimate(made, WINDOWED, month=MONTH, book=book, draws=0)
    drawn = tc.simulate_requests(made, WINDOWED, month=MONTH, book=book, requests=20_000)

    priced = sum(row.cost for row in exact.rows)
    share = float(sum(exact.unpriced.values()) / made.requests)
    assert abs(drawn.mean - float(priced / made.requests)) <= 6 * drawn.standard_error + 2e-3 * drawn.mean + 1e-12
    assert abs(drawn.unpriced / drawn.requests - share) <= 0.05


def test_the_same_seed_gives_the_same_draws_and_another_gives_others(book):
    one, same, other = (tc.simulate_requests(workload(), TIERED, month=MONTH, book=book, requests=2_000, seed=seed) for seed in (5, 5, 6))

    assert one == same
    assert one.mean != other.mean


def test_another_segment_moves_no_draw(book):
    """The costs of a segment, in draws of requests and of months, are the same beside another segment as alone."""
    alone = replace(workload(), uncertainty=tc.Uncertainty(requests=0.1, cached=0.05, completion=0.1))
    other = tc.Segment("free", 5, tc.Usage())
    beside = replace(alone, segments=(other, *alone.segments))

    months = [simulate_months(Expectation(book), own, WINDOWED, MONTH, draws=500, seed=3) for own in (alone, beside)]
    assert np.array_equal(months[0].costs, months[1].costs)
    samples = [rated_sample(Expectation(book), own.segments[-1], WINDOWED, MONTH, requests=500, seed=3) for own in (alone, beside)]
    assert np.array_equal(samples[0].costs, samples[1].costs)


def months(book, made, *, draws=20_000, **kwargs):
    return simulate_months(Expectation(book), made, WINDOWED, MONTH, draws=draws, **kwargs)


def test_chance_alone_spreads_as_a_sum_of_a_poisson_number_of_requests(book):
    """Mean and standard deviation are those of the formula: the root of requests times the mean square of a cost."""
    for requests in (100, 40_000):
        made = workload(requests=requests)
        exact = tc.estimate(made, WINDOWED, month=MONTH, book=book, draws=0).exact
        sample = rated_sample(Expectation(book), made.segments[0], WINDOWED, MONTH, requests=200_000, seed=9).costs
        deviation = (requests * float(np.mean(sample**2))) ** 0.5

        drawn = months(book, made).costs

        assert drawn.mean() == pytest.approx(float(exact), abs=5 * deviation / 20_000**0.5)
        assert drawn.std() == pytest.approx(deviation, rel=0.08)


def test_few_requests_cost_nothing_in_some_months(book):
    """Where one request a month is expected there is none in 37 % of the months."""
    drawn = months(book, workload(requests=1)).costs

    assert np.mean(drawn == 0) == pytest.approx(np.exp(-1), abs=0.02)


@pytest.mark.parametrize("of", ["requests", "cached", "completion"])
def test_an_uncertain_figure_spreads_the_cost_by_its_effect(book, of):
    """A small error moves the cost by the error times the change that one unit makes; the mean stays."""
    made = workload(requests=4_000_000)
    exact = float(tc.estimate(made, WINDOWED, month=MONTH, book=book, draws=0).exact)
    changed = {
        "requests": workload(requests=4_040_000),
        "cached": made.with_cached("0.41"),
        "completion": made.with_completion("1.01"),
    }[of]
    effect = abs(float(tc.estimate(changed, WINDOWED, month=MONTH, book=book, draws=0).exact) - exact) * 5

    drawn = months(book, replace(made, uncertainty=tc.Uncertainty(**{of: Fraction(1, 20)}))).costs

    assert drawn.std() == pytest.approx(effect, rel=0.06)
    assert drawn.mean() == pytest.approx(exact, abs=5 * effect / 20_000**0.5)


def test_uncertain_growth_matters_only_later(book):
    made = replace(workload(requests=4_000_000, growth=0.05), uncertainty=tc.Uncertainty(growth=0.01))
    now, later = (months(book, made, months_ahead=ahead).costs for ahead in (0, 12))

    assert now.std() / now.mean() < 0.002
    assert later.std() / later.mean() == pytest.approx(12 * 0.01 / 1.05, rel=0.05)


def test_errors_hit_all_segments_together(book):
    """Two halves of a workload err in the same direction, so that they spread as much as the whole."""
    spread = tc.Uncertainty(requests=0.1, cached=0.1)
    whole = replace(workload(requests=2_000_000), uncertainty=spread)
    one = replace(whole.segments[0], requests=1_000_000)
    halves = replace(whole, segments=(one, replace(one, name="other")))

    assert months(book, halves).costs.std() == pytest.approx(months(book, whole).costs.std(), rel=0.03)


def test_a_hit_rate_stays_between_its_limits(book):
    """However wrong the hit rate may be, a month costs no less than with all hits and no more than with none."""
    made = replace(workload(requests=10_000_000), uncertainty=tc.Uncertainty(cached=0.3))
    least, most = (float(tc.estimate(made.with_cached(share), WINDOWED, month=MONTH, book=book, draws=0).exact) for share in (1, 0))

    drawn = months(book, made).costs

    assert least * 0.995 < drawn.min()
    assert drawn.max() < most * 1.005


def test_requests_without_a_price_have_no_months(book):
    made = workload(prompt=300_000)

    assert simulate_months(Expectation(book), made, "anthropic/global/claude-sonnet-4-5", MONTH) is None


def test_quantiles_and_what_lies_beyond(book):
    drawn = months(book, workload(), draws=1_000)

    assert drawn.beyond(drawn.quantile(0.9)) == pytest.approx(0.1, abs=0.002)
    assert drawn.currency == "USD"


def test_hit_rates_leave_room_for_what_else_a_prompt_is_made_of():
    sizes = tc.Points([(tc.Usage(input=60, cache_read=40), 1)])

    assert hit_rate(sizes) == (Fraction(2, 5), 1)
    assert hit_rate(tc.Points([(tc.Usage(output=4), 1)])) == (0, 0)
    assert hit_rate(tc.Drawn(tc.Law.fixed(0), tc.Law.fixed(9))) == (0, 0)


def test_streams_differ_by_name_and_by_seed():
    drawn = {stream(seed, name).integers(0, 2**60) for seed in (0, 1) for name in ("a", "b")}

    assert len(drawn) == 4


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda book: tc.simulate_requests(workload(), TIERED, month=MONTH, book=book, requests=1),
            tc.UsageError,
            "requests=1 is not a whole",
        ),
        (
            lambda book: tc.simulate_requests(workload(), TIERED, month=MONTH, book=book, seed=-1),
            tc.UsageError,
            "seed=-1 is not a whole number",
        ),
        (lambda book: tc.simulate_requests(workload(), "gpt-9", month=MONTH, book=book), tc.UnknownNameError, "no model 'gpt-9'"),
        (lambda book: tc.simulate_requests(workload(), TIERED, month="now", book=book), tc.WorkloadError, "month 'now' is not a month"),
        (lambda book: months(book, workload(), draws=0), tc.UsageError, "draws=0 is not a whole number from 1 on"),
        (
            lambda book: months(book, replace(workload(), uncertainty=tc.Uncertainty(cached=0.6))),
            tc.WorkloadError,
            "uncertainty of cached 0.6 is more than a hit rate of 0.4 admits in segment 'requests'; say less than 0.49",
        ),
    ],
)
def test_simulations_that_cannot_be(book, call, error, message):
    with pytest.raises(error, match=message):
        call(book)


def test_a_currency_that_is_not_listed_is_simulated_in_the_one_that_is(book):
    drawn = rated_sample(Expectation(book), workload().segments[0], TIERED, MONTH, requests=50, seed=0, selection=Selection(currency="USD"))

    assert (drawn.currencies, drawn.unpriced) == ({"CNY"}, 0)

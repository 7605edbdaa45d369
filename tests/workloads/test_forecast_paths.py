"""Paths of a forecast: what is drawn, how far it spreads, and that nothing moves what it should not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from tokencost.workloads.forecast_paths import Drawer, Response
from tokencost.workloads.hit_rate import HitShare

CHAT = tc.Segment("chat", 3_000, tc.Usage(input=1_000, output=500))
BATCH = tc.Segment("batch", 40, tc.Usage(input=90_000, cache_read=30_000, output=4_000))
UNSURE = tc.Uncertainty(requests=Fraction(1, 10), cached=Fraction(1, 20), completion=Fraction(1, 5), growth=Fraction(1, 50))
OFFERING = "deepseek-v4-pro"


def drawn(book, *segments, draws=400, seed=0, months=3, start="2026-08", **kwargs):
    workload = tc.Workload("w", segments, **kwargs)
    return tc.forecast(workload, OFFERING, start=start, months=months, book=book, draws=draws, seed=seed)


def test_the_seed_decides(book):
    first, again, other = (drawn(book, CHAT, uncertainty=UNSURE, seed=seed) for seed in (1, 1, 2))

    assert (first.paths == again.paths).all()
    assert first == again
    assert (first.paths != other.paths).any()


def test_another_segment_moves_no_draw(book):
    """What two segments cost on a path is what each costs on it alone."""
    both = drawn(book, CHAT, BATCH, uncertainty=UNSURE)
    apart = [drawn(book, segment, uncertainty=UNSURE) for segment in (CHAT, BATCH)]

    assert np.allclose(both.paths, apart[0].paths + apart[1].paths, rtol=1e-12)


def test_more_months_move_no_draw(book):
    short, long = (drawn(book, CHAT, BATCH, uncertainty=UNSURE, months=months) for months in (2, 4))

    assert (short.paths == long.paths[:, :2]).all()


def test_the_mean_of_the_paths_is_the_expected_cost(book):
    """Under windows, context tiers and drawn sizes, within four standard errors."""
    law = tc.Law.lognormal(median=90_000, p90=400_000, most=900_000)
    size = tc.Workload.described(requests=200, prompt=law, completion=tc.Law.quantiles({0: 0, 1: 4000}), cached=0.5)
    result = tc.forecast(size, "openai/global/gpt-6.2-sol", start="2026-12", months=2, book=book, draws=4000)

    for place, row in enumerate(result.months):
        draws = result.paths[:, place]
        assert abs(draws.mean() - float(row.cost.amount)) < 4 * draws.std() / 4000**0.5


def test_sizes_spread_what_poisson_alone_does_not(book):
    """A month of 200 requests whose cost varies by 1.7 times its mean spreads by the root of (1 + 1.7 squared) / 200."""
    sizes = tc.Law.points({100: 3, 9_700: 1})  # mean 2,500, variance over the square of the mean 2.7648
    workload = tc.Workload.described(requests=200, prompt=sizes, completion=0)
    result = tc.forecast(workload, "gpt-4o", start="2025-06", months=1, book=book, draws=20_000)

    wanted = ((1 + 2.7648) / 200) ** 0.5
    assert abs(result.paths.std() / result.paths.mean() / wanted - 1) < 0.05


def test_fixed_sizes_at_one_price_are_whole_requests(book):
    workload = tc.Workload("w", (tc.Segment("s", 50, tc.Usage(input=1_000_000)),))
    paths = tc.forecast(workload, "gpt-4o", start="2025-06", months=1, book=book, draws=500).paths

    assert np.allclose(paths % 2.5, 0)
    assert abs(paths.mean() - 125) < 4 * 2.5 * (50 / 500) ** 0.5


@pytest.mark.parametrize("name", ["requests", "completion"])
def test_an_uncertain_figure_spreads_the_cost_by_its_share(book, name):
    """Ten per cent of the requests, or of the completions where all cost lies in them, are ten per cent of the cost."""
    sure = tc.Segment("s", 10**9, tc.Usage(output=1_000))
    result = tc.forecast(
        tc.Workload("w", (sure,), uncertainty=tc.Uncertainty(**{name: Fraction(1, 10)})), "gpt-4o", start="2025-06", months=1, book=book
    )

    assert abs(result.paths.std() / result.paths.mean() / 0.1 - 1) < 0.06


def test_half_of_the_uncertainty_of_requests_stays_for_the_path(book):
    """Months share half of their variance: the total of many spreads more than independent months would."""
    sure = tc.Segment("s", 10**9, tc.Usage(output=1_000))
    workload = tc.Workload("w", (sure,), uncertainty=tc.Uncertainty(requests=Fraction(1, 10)))
    paths = tc.forecast(workload, "gpt-4o", start="2025-06", months=2, book=book, draws=20_000).paths

    assert abs(float(np.corrcoef(paths.T)[0, 1]) - 0.5) < 0.03


def test_an_uncertain_cache_moves_the_cost_as_far_as_its_price(book):
    """A share of 0.5 off by 0.1, at 2.50 and 1.25 per million, spreads a cost of 1.875 by 0.125."""
    half = tc.Segment("s", 10**9, tc.Usage(input=500, cache_read=500))
    workload = tc.Workload("w", (half,), uncertainty=tc.Uncertainty(cached=Fraction(1, 10)))
    paths = tc.forecast(workload, "gpt-4o", start="2025-06", months=1, book=book, draws=20_000).paths

    assert abs(paths.std() / paths.mean() / (0.125 / 1.875) - 1) < 0.03
    assert abs(paths.mean() / 1_875_000 - 1) < 0.002


def test_the_caches_of_two_segments_are_uncertain_together(book):
    """An error of judgement seldom stops at one segment."""
    half = tc.Usage(input=500, cache_read=500)
    workload = tc.Workload("w", (tc.Segment("s", 10**9, half),), uncertainty=tc.Uncertainty(cached=Fraction(1, 10)))
    other = tc.Workload("w", (tc.Segment("t", 10**9, half),), uncertainty=workload.uncertainty)
    paths = [tc.forecast(w, "gpt-4o", start="2025-06", months=1, book=book, draws=4000).paths[:, 0] for w in (workload, other)]

    assert float(np.corrcoef(*paths)[0, 1]) > 0.98


def test_an_uncertain_growth_widens_with_time(book):
    """Five points a month are off by five per cent after one month, by about fifty after ten."""
    sure = tc.Segment("s", 10**9, tc.Usage(output=1_000))
    workload = tc.Workload("w", (sure,), uncertainty=tc.Uncertainty(growth=Fraction(1, 20)))
    paths = tc.forecast(workload, "gpt-4o", start="2025-06", months=3, book=book).paths

    spread = paths.std(axis=0) / paths.mean(axis=0)
    assert spread[0] < 1e-4
    assert abs(spread[1] / 0.05 - 1) < 0.06
    assert abs(spread[2] / 0.1 - 1) < 0.08


def test_a_cache_that_is_full_or_empty_stays_so(book):
    workload = tc.Workload("w", (CHAT,), uncertainty=tc.Uncertainty(cached=Fraction(1, 5)))
    sure = tc.Workload("w", (CHAT,))
    results = [tc.forecast(w, "gpt-4o", start="2025-06", months=1, book=book, draws=50).paths for w in (workload, sure)]

    assert (results[0] == results[1]).all()


def test_few_requests_of_many_sizes_keep_their_mean(book):
    """Three requests a month: none at all in one month of twenty."""
    workload = tc.Workload.described(requests=3, prompt=tc.Law.quantiles({0: 0, 1: 10**6}), completion=0)
    result = tc.forecast(workload, "gpt-4o", start="2025-06", months=1, book=book, draws=4000)

    paths = result.paths[:, 0]
    assert abs((paths == 0).mean() - 0.0498) < 0.014
    assert abs(paths.mean() - float(result.total.amount)) < 4 * paths.std() / 4000**0.5


def test_completions_of_few_tokens_may_be_uncertain(book):
    """Half of one token is rounded, and the cost answers all the same."""
    few = tc.Workload.described(
        requests=10**9,
        prompt=0,
        completion=tc.Law.lognormal(median=2, p90=4, most=40),
        uncertainty=tc.Uncertainty(completion=Fraction(2, 5)),
    )
    paths = tc.forecast(few, "gpt-4o", start="2025-06", months=1, book=book).paths

    assert abs(paths.std() / paths.mean() / 0.4 - 1) < 0.2


def test_totals_are_of_paths_and_not_of_bands(book):
    """The 95 per cent quantile of a total of independent months lies below the sum of the quantiles of the months."""
    result = drawn(book, CHAT, months=3, draws=4000)

    bands = sum(row.quantiles[0.95].amount for row in result.months)
    assert result.total.amount < result.total_quantiles[0.95].amount < bands
    assert result.total_quantiles == result.months[-1].cumulative_quantiles


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60_000), st.integers(0, 60_000))
def test_a_larger_budget_is_passed_no_more_often(budgeted, one, other):
    low, high = sorted((one, other))
    for few, many in zip(budgeted.passes(tc.Money(high, "USD")), budgeted.passes(tc.Money(low, "USD")), strict=True):
        assert few.by_end <= many.by_end
        assert few.alone <= many.alone <= many.by_end


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60_000))
def test_probabilities_of_a_budget_add_up(budgeted, budget):
    passing = budgeted.passes(budget)

    assert [row.by_end for row in passing] == sorted(row.by_end for row in passing)
    assert sum(row.in_month for row in passing) == pytest.approx(passing[-1].by_end)


@pytest.fixture(scope="module")
def budgeted(book):
    return drawn(book, tc.Segment("s", 10**6, tc.Usage(input=10_000, output=1_000)), uncertainty=UNSURE, months=4)


def test_budgets_that_are_always_or_never_passed(book):
    result = tc.forecast(tc.Workload("w", (CHAT,)), OFFERING, start="2026-08", months=2, book=book, draws=100, budget=0)

    assert result.passing == tuple(tc.Passing(month, 1.0, share, 1.0) for month, share in (("2026-08", 1.0), ("2026-09", 0.0)))
    assert [row.by_end for row in result.passes(10**6)] == [0.0, 0.0]
    assert "passes 0.00 USD" in str(result)


def test_a_budget_in_another_currency(book):
    with pytest.raises(tc.MixedCurrencyError, match="cannot add 5"):
        tc.forecast(tc.Workload("w", (CHAT,)), OFFERING, start="2026-08", months=1, book=book, budget=tc.Money(5, "CNY"))


def test_a_budget_without_draws(book):
    with pytest.raises(tc.WorkloadError, match="draws=0 leaves no paths to count"):
        drawn(book, CHAT, draws=0).passes(5)


def test_a_budget_after_a_month_without_a_price(book):
    """What is not known is not counted as within the budget: no probability from there on, and that of later months alone."""
    passing = drawn(book, CHAT, start="2026-12", months=3, draws=50).passes(1)

    assert passing[0].by_end == 1.0
    assert [(row.by_end, row.in_month) for row in passing[1:]] == [(None, None)] * 2
    assert passing[1].alone is None


@given(st.floats(-5, 5), st.floats(-3, 3), st.floats(-3, 3))
def test_a_response_is_exact_where_it_was_worked_out_and_straight_beyond(value, left, right):
    response = Response((-1.0, 0.0, 1.0), (left, 0.0, right))

    wanted = right * value if value > 0 else -left * value
    assert response.of(np.array([value]))[0] == pytest.approx(wanted, abs=1e-12)


def test_a_hit_rate_cannot_be_off_by_more_than_it_is():
    with pytest.raises(
        tc.WorkloadError, match=r"uncertainty of cached 0\.6 is more than a hit rate of 0\.3 admits in segment 's'; say less than 0\.46"
    ):
        Drawer(0, 10).shares(HitShare(Fraction(3, 10), Fraction(1)), 0.6, "s")


def test_a_hit_rate_stays_below_what_the_prompt_leaves_room_for():
    found = Drawer(0, 4000).shares(HitShare(Fraction(4, 10), Fraction(1, 2)), 0.1, "s")

    assert (found > 0).all()
    assert (found <= 0.5).all()
    assert abs(found.mean() - 0.4) < 0.006
    assert abs(found.std() - 0.1) < 0.006
    assert abs(float(np.corrcoef(found[:-1], found[1:])[0, 1])) < 0.06  # in no order


def test_a_factor_has_a_mean_of_one():
    found = Drawer(0, 20_000).factor(0.25, "x")

    assert abs(found.mean() - 1) < 0.015
    assert abs(np.log(found).std() - 0.5) < 0.01

"""Expectations: what a month is expected to cost, against every request and every quarter of an hour added up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from demand_strategies import drawn, points, profiles, segments, shares
from tokencost.rating.timeline import Selection
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.month_cost import month_cost

TIERED, WINDOWED = "alibaba/china/qwen3-max", "deepseek/global/deepseek-v4-flash"
OCTOBER, AUGUST = tc.Month.of("2026-10"), tc.Month.of("2026-08")
edge_sizes = st.sampled_from([0, 31_999, 32_000, 32_001, 127_999, 128_000, 128_001, 256_000, 256_001, 900_000])
edge_laws = st.dictionaries(edge_sizes, st.integers(1, 9), min_size=1, max_size=4).map(tc.Law.points)
few = st.dictionaries(st.integers(0, 900), st.integers(1, 9), min_size=1, max_size=3).map(tc.Law.points)


def one_by_one(book, workload, offering, month):
    """The slow, obvious twin: each size at each quarter of an hour, by the price of a single request."""
    total, unpriced = Fraction(0), Fraction(0)
    quarters = [month.start + timedelta(minutes=15 * n) for n in range(month.days * 96)]
    for segment in workload.segments:
        local = [quarter.astimezone(ZoneInfo(segment.profile.zone)) for quarter in quarters]
        weights = [segment.profile.weights[there.weekday() * 24 + there.hour] for there in local]
        for usage, weight in segment.sizes.rows:
            part = segment.requests * weight / segment.sizes.total
            for quarter, hour in zip(quarters, weights, strict=True):
                try:
                    cost = Fraction(book.cost(offering, usage, at=quarter))
                except tc.AboveListError:
                    unpriced += part * Fraction(hour, sum(weights))
                else:
                    total += part * Fraction(hour, sum(weights)) * cost
    return total, unpriced


def pairs(prompt, completion):
    return tc.Points(
        [
            (tc.Usage(input=a, output=b), Fraction(v * w, prompt.total * completion.total))
            for a, _, v in prompt.stretches
            for b, _, w in completion.stretches
        ]
    )


def expected(book, workload, offering, month, **selection):
    return month_cost(Expectation(book), workload, offering, month, selection=Selection(**selection))


def total(cost):
    return sum(cost.by_currency.values(), Fraction(0))


@settings(max_examples=8)
@given(edge_laws, few, profiles)
@pytest.mark.parametrize("month", ["2026-02", "2026-09"])
def test_tiers_are_integrated_as_if_request_by_request(book, month, prompt, completion, profile):
    """Prices change within both months; sizes lie on both sides of every edge of the tiers."""
    workload = tc.Workload("w", (tc.Segment("s", 12_345, pairs(prompt, completion), profile),))
    cost = expected(book, workload, TIERED, tc.Month.of(month))
    laws = tc.Workload("w", (tc.Segment("s", 12_345, tc.Drawn(prompt, completion), profile),))
    same = expected(book, laws, TIERED, tc.Month.of(month))

    assert (total(cost), sum(cost.unpriced.values())) == one_by_one(book, workload, TIERED, tc.Month.of(month))
    assert (total(same), sum(same.unpriced.values())) == (total(cost), sum(cost.unpriced.values()))


@settings(max_examples=6)
@given(few, few, profiles)
@pytest.mark.parametrize("month", ["2025-03", "2026-08", "2026-10"])
def test_windows_are_integrated_as_if_quarter_by_quarter(book, month, prompt, completion, profile):
    """Windows begin on 2026-08-16 and lose their weekends on the 22nd; October 2026 has a holiday week; 2025-03 had a night discount."""
    offering = "deepseek-reasoner" if month == "2025-03" else WINDOWED
    workload = tc.Workload("w", (tc.Segment("s", 977, pairs(prompt, completion), profile),))

    assert (total(expected(book, workload, offering, tc.Month.of(month))), 0) == one_by_one(book, workload, offering, tc.Month.of(month))


@given(st.lists(segments, min_size=2, max_size=3, unique_by=lambda segment: segment.name).map(tuple))
def test_segments_add_up(book, parts):
    """The cost of a workload is the sum of the costs of its segments, each alone; so is the number without a price."""
    whole = expected(book, tc.Workload("w", parts), WINDOWED, OCTOBER)
    alone = [expected(book, tc.Workload("w", (part,)), WINDOWED, OCTOBER) for part in parts]

    assert total(whole) == sum(map(total, alone))
    assert sum(whole.unpriced.values()) == sum(sum(one.unpriced.values()) for one in alone)
    assert whole.requests == sum(one.requests for one in alone)


@given(points | drawn(), profiles, st.integers(1, 12))
@pytest.mark.parametrize("offering", [TIERED, WINDOWED])
def test_growth_multiplies_a_month(book, offering, sizes, profile, ahead):
    workload = tc.Workload("w", (tc.Segment("s", 100, sizes, profile),), growth=Fraction(1, 20))
    now, later = (month_cost(Expectation(book), workload, offering, OCTOBER, months_ahead=n) for n in (0, ahead))

    assert total(later) == total(now) * Fraction(21, 20) ** ahead


@given(drawn(), profiles)
def test_every_priced_or_unpriced_request_is_counted_once(book, sizes, profile):
    cost = expected(book, tc.Workload("w", (tc.Segment("s", 1_000, sizes, profile),)), "anthropic/global/claude-sonnet-4-5", OCTOBER)

    assert 0 <= sum(cost.unpriced.values()) <= 1_000
    assert cost.is_complete == (not cost.unpriced)
    assert bool(cost.rows) or not cost.is_complete or not any(sizes.means.values())


@given(shares)
def test_service_tiers_are_a_mixture(book, share):
    def at(tiers):
        sizes = tc.Drawn(tc.Law.quantiles({0: 100, 1: 200_000}), tc.Law.fixed(500))
        return total(expected(book, tc.Workload("w", (tc.Segment("s", 100, sizes, service_tiers=tiers),)), "gemini-2.5-pro", OCTOBER))

    mixed = at({name: part for name, part in (("standard", 1 - share), ("batch", share)) if part})
    assert mixed == (1 - share) * at({"standard": 1}) + share * at({"batch": 1})


def test_only_requests_that_use_an_unpriced_meter_have_no_price(book):
    """One request in four searches the web, which the list does not price; the three others are priced."""
    sizes = tc.Points([(tc.Usage(input=100), 3), (tc.Usage(input=100, web_search=1), 1)])
    cost = expected(book, tc.Workload("w", (tc.Segment("s", 100, sizes),)), WINDOWED, OCTOBER)

    assert [reason.split(";")[0] for reason in cost.unpriced] == [f"{WINDOWED} has no rate for web_search in USD"]
    assert sum(cost.unpriced.values()) == 25
    assert cost.rows


def test_a_hand_computed_month_across_the_windows_of_august_2026(book):
    """15 days and 16 hours at 0.14, then off-peak 0.22 and peak 0.44, 7 hours a day for 6 days and on 7 working days, in Shanghai."""
    workload = tc.Workload.described(requests=31 * 24, prompt=1_000_000, completion=0)
    cost = expected(book, workload, WINDOWED, AUGUST)

    before = 15 * 24 + 16
    peak = 6 * 7 + 6 * 7  # the days of Shanghai from the 17th to the 22nd, and the working days from the 24th to the 31st
    off_peak = 31 * 24 - before - peak
    by_hand = before * Decimal("0.14") + off_peak * Decimal("0.22") + peak * Decimal("0.44")
    assert total(cost) == Fraction(by_hand)


def graduated(tiering, tier_on="input_total"):
    """A book with one tariff of two tiers, cut at 1,000 tokens."""
    rate = [
        tc.Rate(currency="USD", above=edge, prices={"input": Decimal(price), "cache_read": Decimal(1), "output": Decimal(9)})
        for edge, price in ((0, 3), (1_000, 6))
    ]
    version = tc.Version(
        start=tc.to_instant("2020-01-01T00:00:00Z"), basis="documented", source="x", checked=OCTOBER.start.date(), rates=tuple(rate)
    )
    tariff = tc.Tariff(id="openai/global/own", publisher="openai", tiering=tiering, tier_on=tier_on, versions=(version,))
    return tc.load_book().with_tariffs([tariff])


@given(st.dictionaries(st.integers(0, 2_000), st.integers(1, 5), min_size=1, max_size=4).map(tc.Law.points), few)
@pytest.mark.parametrize(("tiering", "tier_on"), [("graduated", "input_total"), ("cliff", "total"), ("graduated", "total")])
def test_points_are_rated_under_any_tiers(tiering, tier_on, prompt, completion):
    """Graduated tiers, and tiers that look at prompt and completion together, are rated point by point."""
    own = graduated(tiering, tier_on)
    sizes = pairs(prompt, completion)
    cost = expected(own, tc.Workload("w", (tc.Segment("s", 10, sizes),)), "openai/global/own", OCTOBER)

    each = sum(weight * Fraction(own.cost("openai/global/own", usage, at=OCTOBER.start)) for usage, weight in sizes.rows)
    assert total(cost) == 10 * each / sizes.total


@pytest.mark.parametrize(("tiering", "tier_on"), [("graduated", "input_total"), ("cliff", "total")])
def test_laws_under_tiers_that_need_points(tiering, tier_on):
    workload = tc.Workload.described(requests=1, prompt=500, completion=5)

    with pytest.raises(tc.WorkloadError, match="these context tiers are graduated or count prompt and completion together; list the sizes"):
        expected(graduated(tiering, tier_on), workload, "openai/global/own", OCTOBER)


def test_months_without_a_price_say_so(book):
    cost = expected(book, tc.Workload.described(requests=7, prompt=5, completion=5), "gpt-4o", tc.Month.of("2020-01"))

    assert (cost.rows, sum(cost.unpriced.values())) == ((), 7)
    assert "no price of openai/global/gpt-4o is known" in next(iter(cost.unpriced))

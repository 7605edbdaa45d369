"""Comparisons of described workloads: their expectation, at one instant and over a month, and the bound of a router."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.exact import from_fraction
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.law import Law
from tokencost.workloads.month_cost import month_cost
from tokencost.workloads.profile import HourProfile, Month
from tokencost.workloads.sizes import Drawn, Points
from workloads.descriptions import AT, NAMES, described_workloads, uniform_workloads, usages
from workloads.slow import trace_of

BOOK = tc.load_book()


def drawn(name="chat", requests=1000, **words):
    return tc.Segment(name, requests, Drawn(Law.of(words.pop("prompt", 1000)), Law.of(words.pop("completion", 100)), **words))


def test_an_instant_is_integrated_over_sizes():
    """Half of the prompts pass 200,000 tokens, where the list is dearer: by hand, and not the price of the mean prompt."""
    workload = tc.Workload("w", (drawn(prompt=Law.points({100_000: 1, 300_000: 1}), completion=0),))
    row = tc.compare(workload, ["gemini-2.5-pro"], at=AT, book=BOOK).rows[0]

    by_hand = 500 * Decimal("0.1") * Decimal("1.25") + 500 * Decimal("0.3") * Decimal("2.5")
    assert row.total == tc.Money(by_hand, "USD")
    assert row.total != tc.compare(tc.Usage(input=200_000), ["gemini-2.5-pro"], at=AT, book=BOOK).rows[0].total * 1000


def test_a_month_is_integrated_over_the_clock():
    """2 of 3 hours of March 2025 were at peak: an even profile pays that mean."""
    workload = tc.Workload("w", (drawn(prompt=1_000_000, completion=0, requests=300),))
    result = tc.compare(workload, ["deepseek-reasoner"], month="2025-03", book=BOOK)

    assert result.rows[0].total == tc.Money(200 * Decimal("0.55") + 100 * Decimal("0.135"), "USD")
    assert (result.at, result.month) == (None, "2025-03")
    assert "in 2025-03, in USD" in str(result)


@given(workload=described_workloads(), name=st.sampled_from(NAMES), month=st.sampled_from(["2026-08", "2026-11"]))
def test_a_month_equals_the_cost_of_a_month(workload, name, month):
    row = tc.compare(workload, [name], month=month, book=BOOK).rows[0]
    cost = month_cost(Expectation(BOOK), workload, name, Month.of(month))

    assert (row.unpriced == 0) == cost.is_complete
    if row.native is not None and len(cost.by_currency) == 1 and cost.is_complete:
        assert row.native.amount == from_fraction(next(iter(cost.by_currency.values())))


@given(workload=uniform_workloads, name=st.sampled_from(NAMES))
def test_a_uniform_workload_costs_the_same_when_it_is_described(workload, name):
    """The same requests as points: whole ticks by one way, fractions by the other, the same digits."""
    other = tc.Workload("p", tuple(tc.Segment(own.name, own.requests, Points([(own.usage, 1)])) for own in workload.segments))
    plain, points = (tc.compare(own, [name], at=AT, book=BOOK).rows[0] for own in (workload, other))

    assert (plain.total, plain.priced, plain.unpriced) == (points.total, points.priced, points.unpriced)
    assert [part.cost for part in plain.segments] == [part.cost for part in points.segments]


@given(workload=described_workloads() | uniform_workloads, at=st.booleans())
def test_a_router_is_never_dearer_than_a_single_offering(workload, at):
    when = {"at": AT} if at else {"month": "2026-11"}
    result = tc.compare(workload, NAMES, book=BOOK, **when)
    bound = result.router_bound

    assert bound.requests + bound.left_out == workload.requests
    if bound.left_out == 0 and bound.total is not None:
        assert all(bound.total <= row.total for row in result.rows if row.total is not None)
        assert bound.best_total == result.rows[0].total
    if bound.total is not None:
        assert bound.total + bound.saving == bound.best_total
        assert sum(route.requests for route in bound.routes) == bound.requests
    for choice in result.cheapest_by_segment:
        costs = [part.cost for row in result.rows for part in row.segments if part.segment == choice.segment and part.cost is not None]
        assert choice.cost == min(costs, default=None)


@given(requests=st.lists(usages, min_size=1, max_size=6), spread=st.integers(0, 40))
def test_each_request_of_a_trace_goes_to_its_cheapest_offering(requests, spread):
    start = datetime(2025, 3, 1, 15, tzinfo=UTC)
    rows = [(usage, start + timedelta(hours=spread * n)) for n, usage in enumerate(requests)]
    names = ["deepseek-reasoner", "gpt-4o-mini", "o1", "gpt-4o"]
    bound = tc.compare(trace_of(rows), names, at="each", book=BOOK).router_bound

    total = sum(min(BOOK.cost(name, usage, at=at) for name in names) for usage, at in rows)
    assert (bound.total, bound.requests, bound.left_out) == (tc.Money(total, "USD"), len(rows), 0)


def test_equal_requests_of_a_trace_count_as_often_as_they_came():
    usages = [tc.Usage(input=10, output=5000)] * 3 + [tc.Usage(input=90_000, output=1)]
    trace = trace_of([(usage, tc.to_instant(AT)) for usage in usages])
    result = tc.compare(trace, ["deepseek-flash", "gpt-4o-mini"], at=AT, book=BOOK)

    total = sum(min(BOOK.cost(name, usage, at=AT) for name in ("deepseek-flash", "gpt-4o-mini")) for usage in usages)
    assert (result.router_bound.total, result.router_bound.requests) == (tc.Money(total, "USD"), 4)
    assert result.cheapest_by_segment == ()


def test_a_part_that_one_offering_cannot_price_is_left_out_and_said():
    workload = tc.Workload("w", (tc.Segment("short", 10, tc.Usage(input=1000)), tc.Segment("long", 4, tc.Usage(input=300_000))))
    result = tc.compare(workload, ["claude-sonnet-4-5", "gpt-5.1", "gpt-4-32k"], at=AT, book=BOOK)
    bound = result.router_bound

    assert (bound.requests, bound.left_out) == (10, 4)
    assert bound.total == tc.compare(workload.segments[0].usage, ["gpt-5.1"], at=AT, book=BOOK).rows[0].total * 10
    assert "4 requests without a price on every offering are left out" in str(bound)
    assert [(own.segment, own.offering) for own in result.cheapest_by_segment] == [
        ("short", "openai/global/gpt-5.1"),
        ("long", "openai/global/gpt-5.1"),
    ]
    assert "anthropic/global/claude-sonnet-4-5" in result.cheapest_by_segment[1].without


def test_what_the_table_says_of_segments():
    """A long prompt on one, a long answer on the other: a router would save, and the notes say how much."""
    workload = tc.Workload("w", (tc.Segment("read", 10, tc.Usage(input=10**5)), tc.Segment("write", 10, tc.Usage(output=10**5))))
    rows = {"deepseek-reasoner": "0.55", "gpt-4o-mini": "0.15"}
    result = tc.compare(workload, list(rows), at="2025-02-01T00:00:00Z", book=BOOK)

    assert [str(part.cost) for part in result.rows[0].segments] == ["0.15 USD", "0.60 USD"]
    assert [part.share for part in result.rows[0].segments] == [Decimal("0.2"), Decimal("0.8")]
    assert [row.rank for row in result.rows] == [1, 2]
    assert result.segment_records()[0] == {
        "offering": "openai/global/gpt-4o-mini",
        "segment": "read",
        "requests": 10,
        "cost": Decimal("0.15"),
        "share": Decimal("0.2"),
        "currency": "USD",
    }
    assert "cheapest by segment" not in str(result)
    assert str(result.router_bound).startswith("a router saves nothing: openai/global/gpt-4o-mini is cheapest for every part")
    assert pickle.loads(pickle.dumps(result)) == result


def test_a_month_is_converted_at_the_rate_of_its_first_day():
    fx = tc.ExchangeTable([(date(2026, 10, 30), "USD", "CNY", "7", "x"), (date(2026, 11, 10), "USD", "CNY", "8", "too late")])
    workload = tc.Workload("w", (drawn(),))
    row = tc.compare(workload, ["alibaba/china/qwen3-max"], month="2026-11", fx=fx, book=BOOK).rows[0]

    assert row.total == tc.Money(from_fraction(Fraction(row.native.amount) / 7), "USD")
    assert row.notes == ("converted at 7 CNY per USD of 2026-10-30 (x)",)


def test_requests_without_a_price_are_expected_ones():
    """1 in 1,000 prompts is too long: one request of 1,000, and one of 100 as well, for some is not none."""
    law = Law.points({1000: 999, 300_000: 1})
    for requests, unpriced in ((10_000, 10), (100, 1)):
        row = tc.compare(tc.Workload("w", (drawn(prompt=law, requests=requests),)), ["claude-sonnet-4-5"], at=AT, book=BOOK).rows[0]
        assert (row.total, row.priced, row.unpriced) == (None, requests - unpriced, unpriced)


def test_a_service_tier_for_all_that_describe_none():
    workload = tc.Workload("w", (drawn(),))
    batch = tc.Workload("w", (tc.Segment("chat", 1000, workload.segments[0].size, service_tiers={"batch": 1}),))
    asked = tc.compare(workload, ["gpt-4o"], at=AT, service_tier="batch", book=BOOK)

    assert asked.rows[0].total == tc.compare(batch, ["gpt-4o"], at=AT, book=BOOK).rows[0].total
    with pytest.raises(tc.UsageError, match="service_tier='priority' was asked for, and segment 'chat' describes its own service_tiers"):
        tc.compare(batch, ["gpt-4o"], at=AT, service_tier="priority", book=BOOK)


@pytest.mark.parametrize(
    ("workload", "words", "error", "message"),
    [
        (tc.Usage(input=1), {"month": "2026-11"}, tc.UsageError, "month=2026-11 needs a workload"),
        (tc.Workload("w", (drawn(),)), {"month": "2026-13"}, tc.UsageError, "month '2026-13' is not a month; write it like '2026-11'"),
        (tc.Workload("w", (drawn(),)), {"month": "2026-11", "at": AT}, tc.UsageError, "both at= and month= were passed"),
        (tc.Workload("w", (drawn(),)), {}, tc.UsageError, "neither at= nor month= were passed"),
        (tc.Usage(input=1), {}, tc.InstantTypeError, "at="),
        (tc.Workload("w", (drawn(),)), {"at": "each"}, tc.UsageError, "at='each' needs a trace"),
    ],
)
def test_what_cannot_be_compared(workload, words, error, message):
    with pytest.raises(error, match=message):
        tc.compare(workload, ["gpt-4o"], book=BOOK, **words)


def test_a_profile_at_night_pays_the_discount():
    night = HourProfile.daily([0] * 17 + [1] * 7)
    workload = tc.Workload("w", (tc.Segment("n", 10, tc.Usage(input=10**6), night),))
    row = tc.compare(workload, ["deepseek-reasoner"], month="2025-03", book=BOOK).rows[0]

    by_hand = 10 * (Decimal("0.135") * 13 + Decimal("0.55")) / 14  # off-peak from 16:30 UTC to 00:30; this profile covers 17:00 to 24:00
    assert row.total == tc.Money("1.35", "USD") != by_hand

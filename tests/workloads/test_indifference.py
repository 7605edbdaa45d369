"""Indifference: at the values found both offerings cost the same, by the expectation, and beside them the one that was said is cheaper."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

import tokencost as tc
from tokencost.rating.timeline import Selection
from tokencost.workloads.described import Reckoner
from tokencost.workloads.law import Law
from tokencost.workloads.sizes import Drawn
from workloads.descriptions import AT, described_workloads

BOOK = tc.load_book()
USAGE = tc.Usage(input=6000, output=400)
PLAIN = ("gpt-4o", "gemini-2.5-pro", "deepseek-flash", "alibaba/global/qwen3-max", "gpt-5.1", "kimi-k3", "grok-4.3", "gpt-4o-mini")
WITH_BATCH = ("gpt-4o", "gpt-5.1", "gemini-2.5-pro", "gpt-4o-mini")


def cost_of(workload, name, **when):
    """What a workload costs by the expectation."""
    parts = Reckoner(BOOK, Selection(), **(when or {"at": AT})).segments(workload, name)
    assert not any(part.unpriced for part in parts)
    return sum((cost for part in parts for cost in part.by_currency.values()), Fraction(0))


def held(found, costs):
    """At each value the costs are equal; in each stretch the one that is said is cheaper; `costs` gives both at a value."""
    for value in found.values:
        first, second = costs(value)
        assert first == second
    for low, high, cheaper in found.stretches:
        for part in (Fraction(1, 7), Fraction(1, 2), Fraction(6, 7)):
            first, second = costs(low + (high - low) * part)
            assert {found.first: first < second, found.second: second < first, None: first == second}[cheaper]
    if not found.values:
        assert len(found.stretches) == 1
    for knot in found.knots:
        assert (knot.first, knot.second) == costs(knot.value) == found.costs(knot.value)


@given(workload=described_workloads(), pair=st.lists(st.sampled_from(PLAIN), min_size=2, max_size=2, unique=True), month=st.booleans())
def test_the_cached_share_is_exact(workload, pair, month):
    workload = tc.Workload("w", tuple(replace(own, service_tiers={"standard": 1}) for own in workload.segments))
    when = {"month": "2026-11"} if month else {"at": AT}
    try:
        found = tc.indifference(workload, *pair, over="cached", book=BOOK, **when)
    except tc.UsageError:  # some requests have no price
        reject()
    held(found, lambda value: tuple(cost_of(workload.with_cached(value), name, **when) for name in pair))


@given(
    tokens=st.integers(1, 600_000), cached=st.integers(0, 10), pair=st.lists(st.sampled_from(PLAIN), min_size=2, max_size=2, unique=True)
)
def test_the_output_share_is_exact_under_tiers(tokens, cached, pair):
    """Whole splits are rated by the expectation; between two of them the mean of both counts."""
    shares = {"cache_read": Fraction(cached, 10)}
    workload = tc.Workload("w", (tc.Segment("s", 3, Drawn(Law.fixed(tokens), Law.fixed(0), shares=shares)),))

    def whole(prompt, name):
        size = Drawn(Law.fixed(prompt), Law.fixed(tokens - prompt), shares=shares)
        return cost_of(tc.Workload("w", (tc.Segment("s", 3, size),)), name)

    def costs(value):
        prompt = (1 - value) * tokens
        low = prompt.numerator // prompt.denominator
        rest = prompt - low
        return tuple((1 - rest) * whole(low, name) + (rest * whole(low + 1, name) if rest else 0) for name in pair)

    try:
        found = tc.indifference(workload, *pair, over="output_share", at=AT, book=BOOK)
    except tc.UsageError:  # some requests have no price
        reject()
    held(found, costs)


@given(
    pair=st.lists(st.sampled_from(WITH_BATCH), min_size=2, max_size=2, unique=True),
    prompt=st.integers(0, 10**5),
    output=st.integers(1, 10**4),
)
def test_the_batch_share_is_exact(pair, prompt, output):
    workload = tc.Workload("w", (tc.Segment("s", 5, tc.Usage(input=prompt, output=output)),))
    found = tc.indifference(workload, *pair, over="batch_share", at=AT, book=BOOK)

    def costs(value):
        tiers = {"batch": value, "standard": 1 - value}
        return tuple(cost_of(tc.Workload("w", (replace(workload.segments[0], service_tiers=tiers),)), name) for name in pair)

    held(found, costs)


def test_the_peak_share_by_hand():
    """R1 in March 2025: 0.55 and 2.19 at peak, 0.135 and 0.55 off it; o3-mini 1.10 and 4.40; per million of each."""
    usage = tc.Usage(input=10**6, output=10**6)
    found = tc.indifference(usage, "deepseek-reasoner", "o3-mini", over="peak_share", at="2025-03-01T12:00:00Z", book=BOOK)

    assert found.costs(0) == (Fraction("0.685"), Fraction("5.5"))
    assert found.costs(1) == (Fraction("2.74"), Fraction("5.5"))
    assert (found.values, found.words) == ((), "deepseek/global/deepseek-reasoner is cheaper at every peak share from 0 to 1")


def test_a_peak_share_that_turns_the_order():
    """By hand: 0.685 + 2.055 s = 1.1 + 0.15 x 0, with an offering that asks 1.1 for the same."""
    rate = tc.Rate(currency="USD", prices={"input": Decimal("0.55"), "output": Decimal("0.55")})
    version = tc.Version(
        start=tc.to_instant("2025-01-01T00:00:00Z"), basis="announced", source="s", checked=date(2025, 1, 1), rates=(rate,)
    )
    book = BOOK.with_tariffs([tc.Tariff(id="lab/rack/even", publisher="lab", versions=(version,))])
    workload = tc.Workload("w", (tc.Segment("s", 1, tc.Usage(input=10**6, output=10**6)),))
    expected = (Fraction("1.1") - Fraction("0.685")) / Fraction("2.055")
    for when in ({"at": "2025-03-01T12:00:00Z"}, {"month": "2025-03"}):
        found = tc.indifference(workload, "deepseek-reasoner", "lab/rack/even", over="peak_share", book=book, **when)
        assert found.values == (expected,)
        assert [stretch.cheaper for stretch in found.stretches] == ["deepseek/global/deepseek-reasoner", "lab/rack/even"]


def test_a_cached_share_by_hand():
    """Claude Sonnet 4.5 reads at a tenth, GPT-4o at half: 3 x (1 - 0.9 c) x 6 + 6 = 2.5 x (1 - 0.5 c) x 6 + 4."""
    found = tc.indifference(USAGE, "claude-sonnet-4-5", "gpt-4o", at=AT, book=BOOK)

    assert found.values == (Fraction(5, 1) / Fraction("8.7"),)
    assert found.words == (
        "both cost the same at cached share 0.5747; cheaper is openai/global/gpt-4o from 0 to 0.5747; "
        "anthropic/global/claude-sonnet-4-5 from 0.5747 to 1"
    )
    assert "0.5747" in str(found)
    assert found.records()[0] == {"over": "cached", "low": 0, "high": Fraction(50, 87), "cheaper": "openai/global/gpt-4o"}


def test_the_curve_for_a_plot():
    curve = tc.indifference(USAGE, "claude-sonnet-4-5", "gpt-4o", at=AT, book=BOOK).curve(3)

    assert [record["cached"] for record in curve] == [Decimal(0), Decimal("0.5"), Decimal(1)]
    assert curve[0] == {
        "cached": 0, "first": Decimal("0.024"), "second": Decimal("0.019"), "difference": Decimal("0.005"), "currency": "USD"
    }  # fmt: skip


def test_a_curve_across_a_second_share():
    points = tc.indifference_curve(USAGE, "claude-sonnet-4-5", "gpt-4o", at=AT, book=BOOK, points=65)

    assert [point.across for point in points[:2]] == [0, Fraction(1, 64)]
    for point in points[1:4]:
        split = tc.Usage(input=round(6400 * (1 - point.across)), output=6400 - round(6400 * (1 - point.across)))
        assert point.values == tc.indifference(split, "claude-sonnet-4-5", "gpt-4o", at=AT, book=BOOK).values != ()
    assert (points[-1].values, points[-1].cheaper) == ((), "openai/global/gpt-4o")


def test_an_offering_against_itself_costs_the_same_everywhere():
    found = tc.indifference(USAGE, "gpt-4o", "openai/global/gpt-4o", at=AT, book=BOOK)

    assert (found.values, found.words) == ((0, 1), "both cost the same at every cached share from 0 to 1")


def test_other_parts_of_a_prompt_leave_less_to_the_cache():
    size = Drawn(Law.fixed(1000), Law.fixed(10), shares={"cache_write": 0.25})
    found = tc.indifference(tc.Workload("w", (tc.Segment("s", 1, size),)), "claude-sonnet-4-5", "gpt-5.1", at=AT, book=BOOK)

    assert found.knots[-1].value == Fraction(3, 4)
    with pytest.raises(tc.UsageError, match=r"cached=0.8 is outside 0 to 0.75, all that this workload leaves for it"):
        found.costs(0.8)


def test_two_currencies_need_a_rate():
    pair = ("alibaba/china/qwen3-max", "gpt-4o-mini")
    with pytest.raises(tc.CurrencyError, match="one list is in CNY, not USD; pass fx="):
        tc.indifference(USAGE, *pair, at=AT, book=BOOK)
    fx = tc.ExchangeTable([(date(2026, 11, 19), "USD", "CNY", "7", "x")])
    found = tc.indifference(USAGE, *pair, at=AT, fx=fx, book=BOOK)
    workload = tc.Workload("w", (tc.Segment("s", 1, USAGE),))
    assert found.costs(0) == (cost_of(workload, pair[0]) / 7, cost_of(workload, pair[1]))


WIDE = tc.Workload("w", (tc.Segment("s", 1, Drawn(Law.quantiles({0: 1, 1: 9}), Law.fixed(3))),))


@pytest.mark.parametrize(
    ("workload", "pair", "words", "error", "message"),
    [
        (USAGE, ("gpt-4o", "gpt-5.1"), {"at": AT, "over": "hit_rate"}, tc.UnknownNameError, "no share 'hit_rate'"),
        (USAGE, ("gpt-4o", "gpt-5.1"), {}, tc.UsageError, "neither at= nor month= were passed"),
        (USAGE, ("gpt-4o", "gpt-5.1"), {"at": AT, "over": "peak_share"}, tc.UsageError, "neither gpt-4o nor gpt-5.1 has windows then"),
        (WIDE, ("gpt-4o", "gpt-5.1"), {"at": AT, "over": "output_share"}, tc.UsageError, "requests of segment 's' differ in size"),
        (tc.Usage(input=300_000), ("gpt-5.1", "claude-sonnet-4-5"), {"at": AT}, tc.UsageError, "claude-sonnet-4-5 has no price for all"),
        (tc.Usage(web_search=1), ("gpt-4o", "gpt-5.1"), {"at": AT, "over": "output_share"}, tc.UsageError, "has no tokens to share out"),
    ],
)
def test_what_has_no_indifference(workload, pair, words, error, message):
    with pytest.raises(error, match=message):
        tc.indifference(workload, *pair, book=BOOK, **words)


def test_curves_that_cannot_be():
    with pytest.raises(tc.UsageError, match="over and across are both 'cached'"):
        tc.indifference_curve(USAGE, "gpt-4o", "gpt-5.1", over="cached", across="cached", at=AT)
    with pytest.raises(tc.UsageError, match="'peak_share' cannot be set; pass cached, output_share or batch_share"):
        tc.indifference_curve(USAGE, "gpt-4o", "gpt-5.1", across="peak_share", at=AT)
    with pytest.raises(tc.UsageError, match="points=1 make no curve"):
        tc.indifference(USAGE, "gpt-4o", "gpt-5.1", at=AT).curve(1)

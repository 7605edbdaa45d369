"""Sensitivities: each change is the difference of two exact estimates."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given

import tokencost as tc
from demand_strategies import profiles

TIERED, WINDOWED = "alibaba/china/qwen3-max", "deepseek/global/deepseek-v4-flash"
OFFICE = tc.HourProfile.daily([0] * 9 + [1] * 9 + [0] * 6, zone="Asia/Shanghai")


def workload(**changes):
    made = {"requests": 20_000, "prompt": tc.Law.lognormal(median=9_000, p90=70_000, most=250_000), "completion": 400, "cached": 0.4}
    return tc.Workload.described("w", **made | changes)


def exact(made, offering, book):
    return tc.estimate(made, offering, month="2026-11", book=book, draws=0).exact


def found(made, offering, book):
    result = tc.sensitivity(made, offering, month="2026-11", book=book)
    return result, {(row.driver, row.change): row for row in result.rows}


def amount(number):
    return Decimal(round(number * 10**12)).scaleb(-12)


def test_hits_and_completions_are_evaluated_again(book):
    made = workload()
    _, rows = found(made, WINDOWED, book)
    base = exact(made, WINDOWED, book)

    for key, changed in {
        ("hit rate", "+10 points"): made.with_cached("0.5"),
        ("hit rate", "-10 points"): made.with_cached("0.3"),
        ("completion length", "+10 %"): made.with_completion("1.1"),
        ("completion length", "-10 %"): made.with_completion("0.9"),
    }.items():
        assert rows[key].cost.amount == amount(exact(changed, WINDOWED, book))
        assert rows[key].difference.amount == amount(exact(changed, WINDOWED, book) - base)


def test_growth_is_compounded_over_twelve_months(book):
    _, rows = found(workload(growth=0.05), WINDOWED, book)
    row, base = rows["growth", "+1 point a month"], exact(workload(), WINDOWED, book)
    sums = [sum((1 + Fraction(rate)) ** n for n in range(12)) for rate in ("0.05", "0.06")]

    assert (row.months, row.cost.amount) == (12, amount(base * sums[1]))
    assert row.difference.amount == amount(base * (sums[1] - sums[0]))


def test_batch_moves_requests_to_its_list(book):
    _, rows = found(workload(), TIERED, book)
    moved = workload(service_tiers={"standard": 0.9, "batch": 0.1})

    assert rows["batch share", "+10 points"].cost.amount == amount(exact(moved, TIERED, book))
    assert ("batch share", "-10 points") not in rows


@given(profiles)
def test_the_share_in_peak_moves_requests_between_windows(book, profile):
    """The difference is a tenth of the requests (or what there is) times the difference of a request's cost in the two windows."""
    made = workload(prompt=1_000_000, completion=0, cached=0, profile=profile)
    result = tc.estimate(made, WINDOWED, month="2026-11", book=book, draws=0)
    peak = (result.exact / 20_000 - Fraction(15, 100)) / Fraction(15, 100)  # a request costs 0.15 off peak, 0.30 at peak
    _, rows = found(made, WINDOWED, book)

    for change, step in (("+10 points", Fraction(1, 10)), ("-10 points", Fraction(-1, 10))):
        moved = min(max(peak + step, 0), 1) - peak
        row = rows.get(("share in peak", change))
        assert (0 if row is None else row.difference.amount) == amount(20_000 * moved * Fraction(15, 100))


def test_the_largest_comes_first_and_what_does_not_apply_is_said(book):
    result, _ = found(workload(), TIERED, book)

    assert [abs(row.percent) for row in result.rows] == sorted((abs(row.percent) for row in result.rows), reverse=True)
    assert result.left_out == (
        f"hit rate, for {TIERED} bills cached prompts like others",
        f"share in peak, for the prices of {TIERED} have no windows in 2026-11",
    )
    assert "left out: hit rate" in str(result)
    assert "<table>" in result._repr_html_()
    assert len(result.records()) == len(result.rows)


def test_what_leaves_nothing_to_change(book):
    batch = workload(prompt=0, completion=0, cached=0, service_tiers={"batch": 1})
    result = tc.sensitivity(batch, "gpt-4o", month="2026-11", book=book)

    assert [reason.split(",")[0] for reason in result.left_out] == ["hit rate", "completion length", "share in peak"]
    assert {(row.driver, row.difference.amount) for row in result.rows} == {("growth", 0), ("batch share", 0)}


def test_a_hit_rate_stops_at_what_there_is(book):
    """Of a prompt that is written to the cache by a tenth, nine tenths at most can be read from it."""
    sizes = tc.Drawn(tc.Law.fixed(1_000), tc.Law.fixed(10), shares={"cache_read": "0.85", "cache_write": "0.1"})
    made = tc.Workload("w", (tc.Segment("s", 100, sizes),))
    _, rows = found(made, "claude-sonnet-4-5", book)

    assert rows["hit rate", "+10 points"].cost.amount == amount(exact(made.with_cached("0.9"), "claude-sonnet-4-5", book))


def test_an_offering_without_batch(book):
    result, rows = found(workload(), WINDOWED, book)

    assert f"batch share, for {WINDOWED} has no batch list" in result.left_out
    assert ("share in peak", "+10 points") in rows


def test_the_estimate_has_its_sensitivity(book):
    made = workload(profile=OFFICE)
    result = tc.estimate(made, WINDOWED, month="2026-11", book=book, draws=0)

    assert result.sensitivity() == tc.sensitivity(made, WINDOWED, month="2026-11", book=book)


def test_converted_estimates_change_in_the_same_currency(book):
    rates = tc.ExchangeTable([(dt.date(2026, 10, 30), "USD", "CNY", "8", "a bank")])
    native = tc.sensitivity(workload(), TIERED, month="2026-11", book=book)
    converted = tc.sensitivity(workload(), TIERED, month="2026-11", book=book, currency="USD", fx=rates)

    assert [(row.driver, row.percent) for row in converted.rows] == [(row.driver, row.percent) for row in native.rows]
    assert converted.base.amount * 8 == pytest.approx(native.base.amount)


@pytest.mark.parametrize(
    ("made", "words", "message"),
    [
        (
            workload(prompt=300_000),
            {},
            "there is no total to change on anthropic/global/claude-sonnet-4-5: anthropic/.* prices no request of more",
        ),
        (workload(prompt=300), {"currency": "CNY"}, "the list is in USD, not CNY; pass fx="),
    ],
)
def test_no_total_has_no_sensitivity(book, made, words, message):
    with pytest.raises(tc.WorkloadError, match=message):
        tc.sensitivity(made, "anthropic/global/claude-sonnet-4-5", month="2026-11", book=book, **words)


def test_segments_that_cannot_be_longer_are_left_out(book):
    made = workload(completion=0)

    assert "completion length, for there is none, or none that a tenth would change" in found(made, WINDOWED, book)[0].left_out

"""Comparisons are exact: the sum of `Book.cost` over every row, whatever the tariff, the order and the way the log is cut."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tokencost as tc
from rating.draws import LAB, choice_at, counts_for, instants_for, tariffs
from workloads.slow import slow_bill, trace_of

NAMES = [
    "gpt-4o",
    "deepseek/global/deepseek-reasoner",
    "alibaba/global/qwen3-max",
    "groq/global/whisper-large-v3",
    "deepseek/global/deepseek-chat",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> tc.Book:
    root = tmp_path_factory.mktemp("lab_tables")
    for path, text in LAB.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return tc.load_book(root)


def _agrees(row, bill):
    assert (row.priced, row.unpriced) == (bill.priced, bill.failed.total())
    assert len(row.reasons) == len(bill.failed)
    assert row.native is None or row.native.amount == bill.amount
    assert bill.failed or row.total == row.native
    assert not bill.failed or row.total is None


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tariffs(), st.data())
def test_any_tariff_at_its_own_instants(lab, tariff, data):
    """Versions, gaps, promotions, windows, tiers, minima, slices: the loop and the comparison agree on every one."""
    book = lab.with_tariffs([tariff])
    calls = data.draw(st.lists(st.tuples(counts_for(tariff).map(tc.Usage.of), instants_for(tariff)), min_size=1, max_size=12))
    wanted = choice_at(data, tariff, calls[0][1])._asdict()
    currency = wanted.pop("currency")
    row = tc.compare(trace_of(calls), [tariff.id], at="each", currency=currency, book=book, **wanted).rows[0]

    _agrees(row, slow_bill(book, tariff.id, calls, currency=currency, **wanted))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tariffs(), st.data())
def test_any_tariff_at_one_instant(lab, tariff, data):
    """Requests of the same size are rated once and counted as often as they come."""
    book = lab.with_tariffs([tariff])
    usages = data.draw(st.lists(counts_for(tariff).map(tc.Usage.of), min_size=1, max_size=6))
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)._asdict()
    currency = wanted.pop("currency")
    bill = slow_bill(book, tariff.id, [(usage, at) for usage in usages * 3], currency=currency, **wanted)
    workload = tc.Workload("w", tuple(tc.Segment("s", 3, usage) for usage in usages))

    for demand in (workload, usages * 3, trace_of((usage, at) for usage in usages * 3)):
        _agrees(tc.compare(demand, [tariff.id], at=at, currency=currency, book=book, **wanted).rows[0], bill)


usages = st.builds(
    tc.Usage,
    input=st.integers(0, 200_000),
    cache_read=st.integers(0, 50_000),
    output=st.integers(0, 20_000),
    audio_s=st.sampled_from([0, 0, 0, 7]),
)
instants = st.datetimes(
    min_value=tc.to_instant("2025-01-15T00:00:00Z").replace(tzinfo=None),
    max_value=tc.to_instant("2025-12-31T00:00:00Z").replace(tzinfo=None),
    timezones=st.just(tc.to_instant("2025-01-15T00:00:00Z").tzinfo),
)
calls = st.lists(st.tuples(usages, instants), min_size=1, max_size=30)


@given(calls, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(book, calls, random):
    """Only the reason that stands as an example may be another one."""
    shuffled = [*calls]
    random.shuffle(shuffled)
    for at in ("each", "2025-10-20T00:00:00Z"):
        first, second = (tc.compare(trace_of(some), NAMES, at=at, book=book) for some in (calls, shuffled))

        assert [row[:6] for row in first.rows] == [row[:6] for row in second.rows]
        assert [row[8:] for row in first.rows] == [row[8:] for row in second.rows]


@given(calls, st.integers(0, 30))
def test_a_log_in_two_parts_costs_the_same(book, calls, cut):
    parts = [part for part in (calls[:cut], calls[cut:]) if part]
    for at in ("each", "2025-10-20T00:00:00Z"):
        whole = {row.name: row for row in tc.compare(trace_of(calls), NAMES, at=at, book=book).rows}
        halves = [{row.name: row for row in tc.compare(trace_of(part), NAMES, at=at, book=book).rows} for part in parts]
        for name, row in whole.items():
            amounts = [half[name].native.amount for half in halves if half[name].native is not None]

            assert (row.native.amount if row.native else Decimal(0)) == sum(amounts)
            assert row.priced == sum(half[name].priced for half in halves)
            assert row.unpriced == sum(half[name].unpriced for half in halves)


@given(calls)
def test_written_and_read_again(book, tmp_path_factory, calls):
    """A log on disk costs what its requests cost."""
    path = tmp_path_factory.mktemp("written") / "log.csv"
    lines = [f"{at.isoformat()},{u.input},{u.cache_read},{u.output},{u.audio_s or ''}" for u, at in calls]
    path.write_text("\n".join(["at,input,cache_read,output,audio_s", *lines]), encoding="utf-8")
    read = tc.compare(tc.read_trace(path, counts="disjoint"), NAMES, at="each", book=book)

    assert read.rows == tc.compare(trace_of(calls), NAMES, at="each", book=book).rows


@given(calls)
def test_derived_prices_follow_from_the_total(book, calls):
    """Ranks, differences and prices are those of the exact totals, by definition."""
    result = tc.compare(trace_of(calls), NAMES, at="2025-10-20T00:00:00Z", baseline="gpt-4o", book=book)
    full = [row for row in result.rows if row.total is not None]
    tokens = sum(usage.input + usage.cache_read + usage.output for usage, _ in calls)

    assert (result.tokens, result.requests) == (tokens, len(calls))
    assert [row.total.amount for row in full] == sorted(row.total.amount for row in full)
    assert all(row.total is None for row in result.rows[len(full) :])
    assert Counter(row.name for row in result.rows) == Counter(NAMES)
    against = next((row.total for row in full if row.name == "gpt-4o"), None)
    for row in full:
        assert row.to_cheapest == row.total - full[0].total
        assert row.to_baseline == (None if against is None else row.total - against)
        _close(row.per_1000_requests, Fraction(row.total.amount) * 1000 / len(calls))
        if tokens:
            _close(row.realised_price, Fraction(row.total.amount) * 10**6 / tokens)
        else:
            assert row.realised_price is None


def _close(money, exact):
    assert abs(Fraction(money.amount) - exact) <= Fraction(1, 2 * 10**6)

"""Two production logs: read without options, rated to the last digit as a slow loop rates them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import mean, median

import pytest

import tokencost as tc
from workloads.slow import AZURE, MOONCAKE, read_azure, read_mooncake, slow_bill

BOOK = tc.load_book()
FLAT = ("gpt-4o", "deepseek/global/deepseek-reasoner", "anthropic/global/claude-3-5-haiku-20241022", "alibaba/global/qwen-max")
TIERED = ("alibaba/global/qwen3-max", "alibaba/china/qwen3-max", "google/global/gemini-2.5-pro", "bytedance/china/doubao-seed-1.6")
WINDOWED = ("deepseek/global/deepseek-chat", "deepseek/global/deepseek-reasoner")


@pytest.fixture(scope="module")
def azure(shared):
    path = shared / "traces" / AZURE
    return tc.read_trace(path), read_azure(path)


@pytest.fixture(scope="module")
def mooncake(shared):
    path = shared / "traces" / MOONCAKE
    return tc.read_trace(path), path


def test_azure_is_read_without_options(azure):
    trace, calls = azure

    assert (trace.requests, trace.bad, trace.ignored) == (19_366, (), ())
    assert trace.columns == {"at": "TIMESTAMP", "input": "ContextTokens", "output": "GeneratedTokens"}
    assert trace.total == tc.Usage(input=sum(call.input for call in calls), output=sum(call.output for call in calls))
    assert trace.instants(zone="UTC") == [call.at for call in calls]
    assert [row.number for row in trace.rows] == list(range(2, 19_368))


def test_mooncake_is_read_without_options(mooncake):
    trace, path = mooncake
    start = tc.to_instant("2025-06-01T12:00:00Z")
    calls = read_mooncake(path, start=start)

    assert (trace.requests, trace.bad, trace.ignored) == (12_031, (), ("hash_ids",))
    assert trace.columns == {"at": "timestamp", "input": "input_length", "output": "output_length"}
    assert trace.total == tc.Usage(input=sum(call.input for call in calls), output=sum(call.output for call in calls))
    assert trace.instants(start=start) == [call.at for call in calls]


@pytest.mark.parametrize("name", [*FLAT, *TIERED])
@pytest.mark.parametrize("at", ["2025-10-20T03:00:00Z", "2026-02-02T12:00:00Z"])
def test_azure_at_one_instant_is_the_loop(azure, name, at):
    trace, calls = azure
    row = tc.compare(trace, [name], at=at, book=BOOK).rows[0]
    bill = slow_bill(BOOK, name, ((call.usage, tc.to_instant(at)) for call in calls))

    assert (row.native.amount, row.priced, row.unpriced) == (bill.amount, bill.priced, bill.failed.total())
    assert row.priced == 19_366


@pytest.mark.parametrize("name", ["openai/global/gpt-3.5-turbo", "openai/global/gpt-4-1106-preview", "anthropic/global/claude-2.0"])
def test_azure_at_its_own_instants_is_the_loop(azure, name):
    trace, calls = azure
    row = tc.compare(trace, [name], at="each", zone="UTC", book=BOOK).rows[0]
    bill = slow_bill(BOOK, name, ((call.usage, call.at) for call in calls))

    assert (row.total, row.priced, row.unpriced) == (tc.Money(bill.amount, "USD"), 19_366, 0)


def test_azure_in_another_zone(azure):
    trace, calls = azure

    assert trace.instants(zone="Asia/Tokyo") == [call.at - timedelta(hours=9) for call in calls]


@pytest.mark.parametrize("name", [*FLAT, *TIERED])
@pytest.mark.parametrize("currency", [None, "CNY"])
def test_mooncake_at_one_instant_is_the_loop(mooncake, name, currency):
    """Tiers matter here: prompts reach 126,000 tokens; an offering without a list in CNY is rated in its own currency."""
    trace, path = mooncake
    at = tc.to_instant("2026-02-02T12:00:00Z")
    row = tc.compare(trace, [name], at=at, currency=currency, book=BOOK).rows[0]
    asked = currency if currency and "deepseek" in name else None
    bill = slow_bill(BOOK, name, ((call.usage, at) for call in read_mooncake(path, start=at)), currency=asked)

    assert (row.native.amount, row.priced) == (bill.amount, 12_031)


def test_tiers_really_apply(mooncake):
    """Long prompts re-rate their whole request, so the log costs more than its sum at the price of the first tier."""
    trace, _ = mooncake
    row = tc.compare(trace, ["alibaba/global/qwen3-max"], at="2026-02-02T12:00:00Z", book=BOOK).rows[0]
    first_tier = trace.total.input * Decimal("1.2e-6") + trace.total.output * Decimal("6e-6")

    assert row.total.amount > first_tier * Decimal("1.3")


@pytest.mark.parametrize("name", WINDOWED)
@pytest.mark.parametrize(
    "start",
    [
        "2025-03-01T16:00:00Z",  # the night discount begins half an hour into the log
        "2025-03-02T00:00:00Z",  # and ends half an hour into it
        "2025-02-26T16:00:00Z",  # the schedule itself begins
        "2025-09-05T15:30:00Z",  # it ends, with another list
        "2025-09-28T23:30:00Z",  # midnight, and another list
        "2025-06-01T12:00:00Z",  # nothing happens
    ],
)
def test_mooncake_at_its_own_instants_is_the_loop(mooncake, name, start):
    trace, path = mooncake
    row = tc.compare(trace, [name], at="each", start=start, book=BOOK).rows[0]
    bill = slow_bill(BOOK, name, ((call.usage, call.at) for call in read_mooncake(path, start=tc.to_instant(start))))

    assert (row.total, row.priced, row.unpriced) == (tc.Money(bill.amount, "USD"), 12_031, 0)


def test_rows_before_the_first_price_are_counted(mooncake):
    """The list of R1 begins at midnight of 20 January 2025; a log that starts half an hour before is priced in part, and never ranked."""
    trace, path = mooncake
    start = tc.to_instant("2025-01-19T23:30:00Z")
    result = tc.compare(trace, ["deepseek/global/deepseek-reasoner", "gpt-4o"], at="each", start=start, book=BOOK)
    bill = slow_bill(BOOK, "deepseek/global/deepseek-reasoner", ((call.usage, call.at) for call in read_mooncake(path, start=start)))
    whole, part = result.rows

    assert (whole.offering, whole.unpriced) == ("openai/global/gpt-4o", 0)
    assert (part.total, part.native) == (None, tc.Money(bill.amount, "USD"))
    assert (part.priced, part.unpriced) == (bill.priced, bill.failed[tc.OutsideHistoryError])
    assert 0 < part.unpriced < 12_031
    assert part.reasons[0].startswith("no price of deepseek/global/deepseek-reasoner is known at 2025-01-19T23:30:00Z")


def test_requests_above_the_list_are_counted(mooncake):
    """For six weeks only the first band of a list is known; longer prompts have no price."""
    trace, path = mooncake
    at = tc.to_instant("2025-12-01T00:00:00Z")
    row = tc.compare(trace, ["alibaba/china/qwen3-max"], at=at, book=BOOK).rows[0]
    calls = read_mooncake(path, start=at)
    bill = slow_bill(BOOK, "alibaba/china/qwen3-max", ((call.usage, at) for call in calls))

    assert bill.failed == Counter({tc.AboveListError: sum(call.input > 32_000 for call in calls)})
    assert (row.total, row.native, row.priced) == (None, tc.Money(bill.amount, "CNY"), bill.priced)
    assert row.unpriced == bill.failed.total() > 0


def test_shipped_chat_has_the_means_of_its_trace(mooncake):
    trace, _ = mooncake
    workload = tc.load_workload("chat")
    (segment,) = workload.segments

    assert workload.requests == trace.requests
    assert segment.usage.input_total == round(mean(row.usage.input for row in trace.rows)) == 12_035
    assert segment.usage.output == round(mean(row.usage.output for row in trace.rows)) == 343


def test_shipped_chat_has_the_published_cached_share(mooncake):
    """The publication gives 40 percent; a cache that forgets nothing finds 37 in the log itself."""
    _, path = mooncake
    seen: set[int] = set()
    cached = total = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        blocks = row["hash_ids"]
        known = next((n for n, block in enumerate(blocks) if block not in seen), len(blocks))
        cached += min(known * 512, row["input_length"])
        total += row["input_length"]
        seen.update(blocks)
    (segment,) = tc.load_workload("chat").segments

    assert Fraction(segment.usage.cache_read, segment.usage.input_total) == Fraction(40, 100)
    assert round(Fraction(cached, total), 2) == Fraction(37, 100)


def test_shipped_short_chat_has_the_medians_of_its_trace(azure):
    trace, _ = azure
    workload = tc.load_workload("short-chat")
    (segment,) = workload.segments

    assert workload.requests == trace.requests
    assert segment.usage.input == median(row.usage.input for row in trace.rows) == 1_020
    assert segment.usage.output == median(row.usage.output for row in trace.rows) == 129

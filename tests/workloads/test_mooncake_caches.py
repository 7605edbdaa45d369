"""The production log with block ids under the rules of providers: hit rates and costs, as two slow replays have them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

import tokencost as tc
from workloads.slow import MOONCAKE
from workloads.slow_cache import pairwise_held, read_rows, slow_replay, slow_tokens

AT = "2026-03-01T12:00:00Z"
RULES = tc.load_cache_rules()
RENEWED = [
    name for name, rule in RULES.items() if rule.renewed and rule.provider in ("alibaba", "anthropic", "deepseek", "openai", "google")
]
GOLDEN = {
    ("deepseek", "deepseek/global/deepseek-chat"): ("0.373558", "42.2735306", "28.64311268"),
    ("openai", "openai/global/gpt-4o"): ("0.263369", "403.2050375", "355.5373575"),
    ("openai", "openai/global/gpt-5.1"): ("0.263369", "222.21275875", "179.31184675"),
    ("openai-24h", "openai/global/gpt-5.1"): ("0.347331", "222.21275875", "165.63501475"),
    ("anthropic-5m", "anthropic/global/claude-sonnet-4-5"): ("0.263405", "496.212189", "472.2947214"),
    ("anthropic-1h", "anthropic/global/claude-sonnet-4-5"): ("0.347377", "496.212189", "640.1684622"),
    ("alibaba-implicit", "alibaba/global/qwen3-max"): ("0.293108", "259.4751744", "207.04638528"),
    ("alibaba-explicit", "alibaba/global/qwen3-max"): ("0.263405", "259.4751744", "248.26303926"),
    ("alibaba-implicit", "alibaba/global/qwen-plus"): ("0.293108", "62.8639868", "49.28310424"),
    ("alibaba-explicit", "alibaba/global/qwen-plus"): ("0.263405", "62.8639868", "59.67499112"),
    ("google-explicit", "google/global/gemini-2.5-pro"): ("0.339937", "222.21275875", "568.55304224875"),
}
"""Hit rate, cost without and with the cache at `AT`, in USD."""


@pytest.fixture(scope="module")
def mooncake(shared):
    path = shared / "traces" / MOONCAKE
    return tc.read_prefix_trace(path), read_rows(path)


def test_the_log_is_read_without_options(mooncake):
    trace, rows = mooncake

    assert (trace.requests, trace.block_size, trace.ids, trace.bad, trace.reordered) == (12_031, 512, 182_790, (), 0)
    assert (trace.at_ms.tolist(), trace.input.tolist(), trace.output.tolist()) == tuple(map(list, list(zip(*rows, strict=True))[:3]))
    assert trace.blocks.tolist() == [block for row in rows for block in row.ids]


@pytest.mark.parametrize("name", RENEWED)
def test_every_request_is_as_in_the_pairwise_replay(mooncake, name):
    trace, rows = mooncake
    replay = tc.replay_cache(trace, name)

    assert list(zip(replay.read.tolist(), replay.written.tolist(), strict=True)) == pairwise_held(rows, RULES[name], 512)


@pytest.mark.parametrize("rule", [RULES["deepseek"], replace(RULES["google-explicit"], granularity=512)], ids=lambda rule: rule.id)
def test_every_request_is_as_in_the_slow_replay(mooncake, rule):
    """Unit by unit; the rule without renewal has larger units here, as one token a unit would take minutes."""
    trace, rows = mooncake
    replay, slow = tc.replay_cache(trace, rule), slow_replay(rows, rule, 512)

    assert list(zip(replay.read.tolist(), replay.written.tolist(), strict=True)) == [row[:2] for row in slow]
    if rule.storage_meter:
        assert replay.storage.tolist() == slow_tokens(slow)


def test_golden_hit_rates_and_costs(mooncake, book):
    trace, _ = mooncake
    result = tc.compare_cache_rules(trace, GOLDEN, at=AT, book=book)
    found = {
        (row.replay.rule.id, row.offering): (str(row.replay.hit_rate), str(row.without.amount), str(row.cost.amount)) for row in result.rows
    }

    assert found == GOLDEN
    assert [row.cost.amount for row in result.rows] == sorted(row.cost.amount for row in result.rows)


def test_a_cost_is_every_request_rated_alone(mooncake, book):
    """Tiers look at the whole prompt, cached or not, so they matter here: some prompts are longer than 32,000 tokens."""
    trace, rows = mooncake
    held = pairwise_held(rows, RULES["alibaba-explicit"], 512)
    usages = [
        tc.Usage(input=row.input - read - written, cache_read_explicit=read, cache_write=written, output=row.output)
        for row, (read, written) in zip(rows, held, strict=True)
    ]
    replay = tc.replay_cache(trace, "alibaba-explicit")

    assert replay.cost("alibaba/global/qwen3-max", at=AT, book=book).amount == sum(
        (book.cost("alibaba/global/qwen3-max", usage, at=AT) for usage in usages), Decimal(0)
    )


def test_each_request_at_its_own_instant(shared, book):
    """The night discount of DeepSeek began at 16:30; half of this hour lies before it."""
    trace = tc.read_prefix_trace(shared / "traces" / MOONCAKE, start="2025-03-01T16:00:00Z")
    replay = tc.replay_cache(trace, "deepseek")
    each, peak, off_peak = (
        replay.cost("deepseek-chat", at=at, book=book).amount for at in ("each", "2025-03-01T16:00:00Z", "2025-03-01T17:00:00Z")
    )

    assert peak == 2 * off_peak
    assert off_peak < each < peak


def test_longer_lives_read_more(mooncake):
    trace, _ = mooncake
    rates = [tc.replay_cache(trace, RULES["openai"].with_lifetime(seconds)).hit_rate for seconds in (60, 300, 600, 1800, 3600)]

    assert [str(rate) for rate in rates] == ["0.062626", "0.263369", "0.322625", "0.344244", "0.347331"]


def test_hit_rates_over_time(mooncake):
    """The cache begins empty; from the third span of ten minutes on the rate is steady."""
    trace, _ = mooncake
    rates = tc.replay_cache(trace, "deepseek").hit_rates(every_s=600)

    assert [str(rate.rate) for rate in rates] == ["0.288642", "0.358221", "0.394275", "0.389713", "0.400706", "0.412754"]

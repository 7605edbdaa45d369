"""Comparisons of cache rules, and when a cache has paid: exact figures, by hand."""

from __future__ import annotations

import pickle
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

AT = "2026-03-01T00:00:00Z"
RULES = tc.load_cache_rules()
SONNET = "anthropic/global/claude-sonnet-4-5"


@pytest.fixture
def trace():
    """Two prompts of 4,096 tokens, nine seconds apart, with 3,584 tokens in common."""
    return tc.PrefixTrace.of(
        at_ms=[0, 9000], input=[4096, 4096], output=[10, 10], blocks=[[*range(8)], [*range(7), 9]], block_size=512, start=tc.to_instant(AT)
    )


def test_costs_by_hand(trace, book):
    """Sonnet: 3 in, 0.30 read, 3.75 or 6 written, 15 out; all per million."""
    result = tc.compare_cache_rules(trace, [("anthropic-1h", SONNET), ("anthropic-5m", SONNET)], at=AT, book=book)
    without = Decimal(8192) * 3 + 20 * 15
    short = Decimal(4608) * Decimal("3.75") + 3584 * Decimal("0.3") + 20 * 15
    long = Decimal(4608) * 6 + 3584 * Decimal("0.3") + 20 * 15

    assert [row.replay.rule.id for row in result.rows] == ["anthropic-5m", "anthropic-1h"]
    assert [row.without.amount for row in result.rows] == [without / 10**6] * 2
    assert [row.cost.amount for row in result.rows] == [short / 10**6, long / 10**6]
    assert [row.saving.amount for row in result.rows] == [(without - short) / 10**6, (without - long) / 10**6]
    assert [str(row.saving_percent) for row in result.rows] == ["25.0072", "-16.6715"]
    assert (result.requests, result.tokens, result.at) == (2, 8212, tc.to_instant(AT))


def test_a_comparison_prints_and_pickles(trace, book):
    result = tc.compare_cache_rules(trace, [("deepseek", "deepseek-chat"), ("anthropic-1h", "gpt-4o")], at=AT, book=book)

    assert str(result).splitlines() == [
        "trace: 2 requests, 8,212 tokens, at 2026-03-01T00:00:00Z",
        "rule          offering                       hit rate   without      with      saved          currency",
        "────────────  ─────────────────────────────  ────────  ────────  ────────  ─────────  ──────  ────────",
        "deepseek      deepseek/global/deepseek-chat    43.75%  0.002302  0.001399  0.0009032  +39.2%  USD",
        "anthropic-1h  openai/global/gpt-4o             43.75%   0.02068    0.0162    0.00448  +21.7%  USD",
        "deepseek: lifetime 2 h to 3 d, 2 h used",
        "anthropic-1h is the rule of anthropic; openai/global/gpt-4o has it here for comparison only",
        "openai/global/gpt-4o has no price of cache_write_1h; it is billed as input",
    ]
    assert result._repr_html_().startswith("<table>")
    assert result.records()[0] | {"rule": "deepseek", "hits": 1, "cost": Decimal("0.001398992"), "currency": "USD"} == result.records()[0]
    assert pickle.loads(pickle.dumps(result)).records() == result.records()


def test_a_rule_takes_the_minimum_of_the_model(trace, book):
    """3,584 tokens in common are enough for Sonnet, and not for Haiku."""
    result = tc.compare_cache_rules(trace, [("anthropic-5m", SONNET), ("anthropic-5m", "claude-haiku-4-5")], at=AT, book=book)

    assert {row.offering: row.replay.hits for row in result.rows} == {SONNET: 1, "anthropic/global/claude-haiku-4-5": 0}


def test_what_has_no_price_comes_last_with_its_reason(trace, book):
    result = tc.compare_cache_rules(trace, [("moonshot-5m", "kimi-k3"), ("anthropic-5m", SONNET)], at=AT, book=book)
    last = result.rows[-1]

    assert (last.offering, last.without, last.cost, last.saving) == ("moonshot/global/kimi-k3", None, None, None)
    assert "no price of moonshot/global/kimi-k3 is known at 2026-03-01T00:00:00Z" in last.reason
    assert last.reason in str(result)
    assert result.records()[-1]["cost"] is None


def test_each_at_its_own_instant(trace, book):
    pairs = [("anthropic-5m", SONNET)]

    assert (
        tc.compare_cache_rules(trace, pairs, at="each", book=book).rows[0].cost
        == tc.compare_cache_rules(trace, pairs, at=AT, book=book).rows[0].cost
    )
    assert "each request at its own instant" in str(tc.compare_cache_rules(trace, pairs, at="each", book=book))
    with pytest.raises(tc.TraceError, match="unknown start"):
        tc.compare_cache_rules(replace(trace, start=None), pairs, at="each", book=book)


@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        ([], tc.UsageError, "no rule to compare"),
        ([("anthropic-6m", SONNET)], tc.UnknownNameError, "no cache rule 'anthropic-6m'; did you mean 'anthropic-5m'"),
        ([("anthropic-5m", "claude-sonet")], tc.UnknownNameError, "no model 'claude-sonet'"),
    ],
)
def test_comparisons_that_cannot_be(trace, book, pairs, error, message):
    with pytest.raises(error, match=message):
        tc.compare_cache_rules(trace, pairs, at=AT, book=book)


# --- break-even


@pytest.mark.parametrize(
    ("rule", "offering", "exact", "reads"),
    [
        ("anthropic-5m", SONNET, Fraction(25, 90), 1),  # 1.25 + 0.1 n against 1 + n
        ("anthropic-1h", SONNET, Fraction(100, 90), 2),  # 2 + 0.1 n against 1 + n
        ("alibaba-explicit", "alibaba/global/qwen3-max", Fraction(25, 90), 1),
        ("openai-30m", "openai/global/gpt-5.6-sol", Fraction(25, 90), 1),
        ("openai-12h", "openai/global/gpt-5.6-sol", Fraction(150, 90), 2),
        ("deepseek", "deepseek/global/deepseek-chat", Fraction(0), 0),
        ("google-explicit", "google/global/gemini-2.5-pro", Fraction(4), 4),  # 4.50 an hour against 1.125 a read
    ],
)
def test_break_even_by_hand(book, rule, offering, exact, reads):
    even = tc.cache_break_even(offering, rule=rule, at="2026-08-01T00:00:00Z" if "5.6" in offering else AT, book=book)

    assert (even.exact_reads, even.reads) == (exact, reads)


def test_hours_of_storage_by_hand(book):
    """Nine reads save 9 x 1.125, which keeps a million tokens at 4.50 an hour for two hours and a quarter."""
    even = tc.cache_break_even("gemini-2.5-pro", rule="google-explicit", at=AT, book=book)

    assert (even.premium, even.saving, even.storage) == (0, Fraction(9, 8), Decimal("4.5"))
    assert (even.reads_per_hour, even.hours(9), even.hours(0), even.hours(4)) == (4, Decimal("2.25"), 0, 1)
    assert tc.cache_break_even(SONNET, rule="anthropic-5m", at=AT, book=book).hours(3) is None


def test_a_fee_for_each_hit_by_hand(book):
    """2024: 24 CNY in, nothing for a read, 0.02 CNY a hit, 300 an hour; a hit on 10,000 tokens costs 2 CNY a million."""
    even = tc.cache_break_even("moonshot/china/moonshot-v1-32k", rule="moonshot-2024", at="2024-09-01T00:00:00Z", tokens=10_000, book=book)

    assert (even.currency, even.saving, even.exact_reads, even.reads) == ("CNY", 22, Fraction(300, 22), 14)
    assert (even.hit, even.reads_per_hour) == (20, Decimal("13.636364"))


def test_the_tier_of_a_large_prefix(book):
    small, large = (
        tc.cache_break_even("alibaba/global/qwen3-max", rule="alibaba-explicit", at=AT, tokens=n, book=book) for n in (32_000, 32_001)
    )

    assert (small.input, large.input) == (Decimal("1.2"), Decimal("2.4"))


def test_what_the_list_does_not_have_is_said(book):
    even = tc.cache_break_even("gpt-4o", rule="anthropic-1h", at=AT, book=book)

    assert (even.premium, even.prices_as) == (0, {"cache_write_1h": "input"})
    assert "the list has no price of cache_write_1h; it is billed as input" in str(even)


def test_a_cache_that_saves_nothing_never_pays(book):
    even = tc.cache_break_even("deepseek/global/deepseek-chat", rule="deepseek", at="2024-06-01T00:00:00Z", currency="CNY", book=book)

    assert (even.saving, even.exact_reads, even.reads, even.reads_per_hour) == (0, None, None, None)
    assert "reading from the cache saves nothing, so it never pays" in str(even)
    assert even.records()[0]["reads"] is None


def test_a_break_even_prints():
    even = tc.cache_break_even("gemini-2.5-pro", rule="google-explicit", at=AT)

    assert str(even).splitlines() == [
        "google-explicit on google/global/gemini-2.5-pro at 2026-03-01T00:00:00Z, a prefix of 2,048 tokens",
        "         price in USD  per",
        "───────  ────────────  ──────────────────",
        "input            1.25  1M tokens",
        "write            1.25  1M tokens",
        "read            0.125  1M tokens",
        "storage           4.5  1M tokens and hour",
        "pays after 4 reads within one lifetime (1 h); exactly 4",
        "storage alone takes 4 reads an hour",
    ]
    assert even._repr_html_().startswith("<table>")


@given(st.sampled_from(["anthropic-5m", "anthropic-1h", "alibaba-explicit", "deepseek"]), st.integers(1, 12), st.integers(2, 40))
def test_a_break_even_is_where_a_replay_breaks_even(rule, times, blocks):
    """One prompt, asked again and again within its lifetime, costs no more than without a cache from that many reads on."""
    offering = {"a": SONNET, "d": "deepseek-chat"}[rule[0]] if not rule.startswith("ali") else "alibaba/global/qwen3-max"
    whole = replace(RULES[rule], fresh_tokens=0)
    tokens = blocks * 512
    trace = tc.PrefixTrace.of(
        at_ms=range(0, 1000 * (times + 1), 1000),
        input=[tokens] * (times + 1),
        output=[0] * (times + 1),
        blocks=[[*range(blocks)]] * (times + 1),
        block_size=512,
    )
    even = tc.cache_break_even(offering, rule=whole, at=AT, tokens=tokens)
    row = tc.compare_cache_rules(trace, [(whole, offering)], at=AT).rows[0]

    assert (row.cost <= row.without) == (times >= even.reads)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": 5}, "tokens=5 is no prefix that anthropic-5m keeps; pass 1024 or more"),
        ({"tokens": 2048.0}, "tokens=2048.0 is no prefix"),
        ({"tokens": 10**6, "at": "2026-06-01T00:00:00Z"}, "tokens=1000000 is above all that anthropic/global/claude-sonnet-4-5 prices"),
        ({"rule": "google-explicit"}, "has no price of cache_storage .token-seconds kept in an explicit cache. at 2026-03-01T00:00:00Z"),
    ],
)
def test_break_evens_that_cannot_be(book, changes, message):
    with pytest.raises(tc.UsageError, match=message):
        tc.cache_break_even(SONNET, **{"rule": "anthropic-5m", "at": AT, "book": book, **changes})


@pytest.mark.parametrize("reads", [-1, 1.5, True])
def test_reads_that_cannot_be(book, reads):
    with pytest.raises(tc.UsageError, match="reads="):
        tc.cache_break_even("gemini-2.5-pro", rule="google-explicit", at=AT, book=book).hours(reads)

"""Replays: what a cache rule makes of a trace, held against a slow replay of units."""

from __future__ import annotations

import pickle
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from workloads.slow_cache import Asked, slow_replay, slow_tokens

BLOCK = 8


def rule_with(**changes):
    return tc.CacheRule(**{"id": "ours", "granularity": 4, "minimum": 8, "lifetime_s": 60, **changes})


@st.composite
def logs(draw):
    """A few conversations: prompts that grow out of one another, some of them at one instant, in blocks that know what precedes them."""
    rows, at = [], 0
    texts: list[tuple[int, ...]] = [()]
    for _ in range(draw(st.integers(1, 9))):
        at += draw(st.sampled_from([0, 1, 999, 1_000, 30_000, 60_000]))
        kept = draw(st.sampled_from(texts))
        kept = kept[: draw(st.sampled_from([len(kept), len(kept) // 2, 9]))]
        text = kept + tuple(draw(st.lists(st.integers(0, 1), max_size=30)))
        texts.append(text)
        rows.append(Asked(at, len(text), draw(st.integers(0, 9)), tuple(str(text[: end + BLOCK]) for end in range(0, len(text), BLOCK))))
    return rows


rules = st.builds(
    rule_with,
    granularity=st.sampled_from([1, 2, 3, 4, 8, 12, 16]),
    minimum=st.sampled_from([1, 4, 8, 9, 16, 24]),
    lifetime_s=st.sampled_from([1, 30, 60]),
    renewed=st.booleans(),
    fresh_tokens=st.sampled_from([0, 1, 5]),
    write_meter=st.sampled_from([None, "cache_write", "cache_write_1h"]),
    storage_meter=st.sampled_from([None, "cache_storage"]),
)


def trace_of(rows, block_size=BLOCK):
    return tc.PrefixTrace.of(
        at_ms=[row.at for row in rows],
        input=[row.input for row in rows],
        output=[row.output for row in rows],
        blocks=[row.ids for row in rows],
        block_size=block_size,
    )


@given(logs(), rules)
def test_every_request_is_as_in_the_slow_replay(rows, rule):
    replay = tc.replay_cache(trace_of(rows), rule)
    slow = slow_replay(rows, rule, BLOCK)

    assert list(zip(replay.read.tolist(), replay.written.tolist(), strict=True)) == [row[:2] for row in slow]
    assert (None if replay.storage is None else replay.storage.tolist()) == (slow_tokens(slow) if rule.storage_meter else None)


@given(logs(), rules)
def test_chunks_change_nothing(rows, rule):
    """The same blocks, a few at a time."""
    from unittest import mock

    whole = tc.replay_cache(trace_of(rows), rule)
    with mock.patch("tokencost.workloads.replay._CHUNK", 3):
        parts = tc.replay_cache(trace_of(rows), rule)

    assert (whole.read.tolist(), whole.written.tolist()) == (parts.read.tolist(), parts.written.tolist())
    assert whole.usage == parts.usage


@given(logs(), rules)
def test_meters_are_disjoint_and_hold_every_token_once(rows, rule):
    replay = tc.replay_cache(trace_of(rows), rule)
    columns = replay.columns()
    prompt = sum(column for name, column in columns.items() if name not in ("output", "cache_storage"))

    assert prompt.tolist() == [row.input for row in rows]
    assert all((column >= 0).all() for column in columns.values())
    assert replay.usage == sum((tc.Usage.of({k: int(v[n]) for k, v in columns.items()}) for n in range(len(rows))), tc.Usage())
    assert (replay.read <= np.maximum(replay.trace.input - rule.fresh_tokens, 0)).all()


@given(logs(), rules, st.integers(1, 200))
def test_a_longer_life_never_reads_less(rows, rule, more):
    """Under renewal: what lives longer is alive whenever it was. Without it a late end may fall between two requests."""
    rule = replace(rule, renewed=True)
    short, long = (tc.replay_cache(trace_of(rows), each) for each in (rule, rule.with_lifetime(rule.lifetime_s + more)))

    assert (long.read >= short.read).all()


@given(logs(), rules, st.sampled_from([2, 3, 4]))
def test_a_finer_unit_never_reads_less(rows, rule, times):
    rule = replace(rule, renewed=True)
    coarse, fine = (
        tc.replay_cache(trace_of(rows), replace(rule, granularity=unit)) for unit in (rule.granularity * times, rule.granularity)
    )

    assert (fine.read >= coarse.read).all()


@given(logs(), rules, st.integers(1, 30))
def test_a_higher_minimum_never_reads_more(rows, rule, more):
    rule = replace(rule, renewed=True)
    low, high = (tc.replay_cache(trace_of(rows), replace(rule, minimum=least)) for least in (rule.minimum, rule.minimum + more))

    assert (high.read <= low.read).all()


@given(logs(), rules, st.integers(-(10**9), 10**9))
def test_only_differences_of_time_matter(rows, rule, shift):
    moved = [row._replace(at=row.at + shift) for row in rows]

    assert tc.replay_cache(trace_of(rows), rule).read.tolist() == tc.replay_cache(trace_of(moved), rule).read.tolist()


def asked(*rows):
    """Requests as (milliseconds, tokens, blocks), with equal letters for equal prefixes."""
    return [Asked(at, tokens, 1, tuple(ids)) for at, tokens, ids in rows]


@pytest.mark.parametrize(
    ("rows", "changes", "read", "written"),
    [
        pytest.param([(0, 16, "ab"), (59_999, 16, "ac")], {}, [0, 8], [16, 8], id="within the lifetime"),
        pytest.param([(0, 16, "ab"), (60_000, 16, "ac")], {}, [0, 0], [16, 16], id="a lifetime is half-open"),
        pytest.param([(0, 16, "ab"), (0, 16, "ab")], {}, [0, 0], [16, 16], id="requests at one instant do not see each other"),
        pytest.param([(0, 16, "ab"), (1, 16, "ab")], {}, [0, 12], [16, 0], id="one token stays fresh, so the last unit is not read"),
        pytest.param([(0, 16, "ab"), (1, 16, "ab")], {"fresh_tokens": 0}, [0, 16], [16, 0], id="the whole prompt may be read"),
        pytest.param([(0, 16, "ab"), (40_000, 16, "ac"), (80_000, 16, "ad")], {}, [0, 8, 8], [16, 8, 8], id="a hit renews"),
        pytest.param(
            [(0, 16, "ab"), (40_000, 16, "ac"), (80_000, 16, "ad")], {"renewed": False}, [0, 8, 0], [16, 8, 16], id="a hit does not renew"
        ),
        pytest.param(
            [(0, 16, "ab"), (60_000, 16, "ac")], {"renewed": False}, [0, 0], [16, 16], id="a lifetime is half-open without renewal too"
        ),
        pytest.param(
            [(0, 24, "abc"), (40_000, 24, "ade"), (80_000, 24, "ade")],
            {"renewed": False, "minimum": 12},
            [0, 0, 20],
            [24, 24, 0],
            id="what is too short to be read is written again without renewal too",
        ),
        pytest.param([(0, 7, "a"), (1, 16, "bc"), (2, 7, "a")], {}, [0, 0, 0], [0, 16, 0], id="short prompts are not kept"),
        pytest.param([(0, 24, "abc"), (1, 24, "ade")], {"minimum": 12}, [0, 0], [24, 24], id="a short beginning is not read"),
        pytest.param([(0, 22, "abc"), (1, 30, "abde")], {"granularity": 12}, [0, 12], [12, 12], id="units are larger than blocks"),
    ],
)
def test_edges(rows, changes, read, written):
    rows, rule = asked(*rows), rule_with(**changes)
    replay = tc.replay_cache(trace_of(rows), rule)

    assert (replay.read.tolist(), replay.written.tolist()) == (read, written)
    assert [row[:2] for row in slow_replay(rows, rule, BLOCK)] == list(zip(read, written, strict=True))


def test_storage_is_what_is_kept_and_for_how_long():
    """16 tokens for a minute; then 8 new ones for a minute, and the 8 that were read for as long again as they are renewed."""
    rows = asked((0, 16, "ab"), (45_000, 16, "ac"))
    fixed = rule_with(storage_meter="cache_storage", renewed=False)

    assert tc.replay_cache(trace_of(rows), fixed).storage.tolist() == [16 * 60, 8 * 60]
    assert tc.replay_cache(trace_of(rows), replace(fixed, renewed=True)).storage.tolist() == [16 * 60, 8 * 60 + 8 * 45]


@pytest.mark.parametrize("renewed", [True, False])
def test_storage_of_requests_at_one_instant_counts_once(renewed):
    """Both write the same 16 tokens; the second lengthens nothing."""
    rule = rule_with(storage_meter="cache_storage", renewed=renewed)
    replay = tc.replay_cache(trace_of(asked((0, 16, "ab"), (0, 16, "ab"))), rule)

    assert (replay.written.tolist(), replay.storage.tolist()) == ([16, 16], [16 * 60, 0])


def test_meters_of_a_rule_with_all_of_them():
    rule = rule_with(
        read_meter="cache_read_explicit", write_meter="cache_write_1h", storage_meter="cache_storage", hit_meter="cache_hit_request"
    )
    replay = tc.replay_cache(trace_of(asked((0, 18, "abx"), (1000, 19, "acy"))), rule)

    assert replay.usage == tc.Usage(
        input=5, cache_read_explicit=8, cache_write_1h=24, output=2, cache_hit_request=1, cache_storage=16 * 60 + 8 * 60 + 8
    )
    assert (replay.requests, replay.hits, replay.hit_rate) == (2, 1, Decimal("0.216216"))


def test_hit_rates_over_time():
    replay = tc.replay_cache(trace_of(asked((5_000, 16, "ab"), (5_999, 16, "ac"), (12_000, 16, "ad"))), rule_with())

    assert replay.hit_rates(every_s=1) == (
        tc.HitRate(0, 2, 32, 8, Decimal("0.25")),
        *(tc.HitRate(n, 0, 0, 0, None) for n in range(1, 7)),
        tc.HitRate(7, 1, 16, 8, Decimal("0.5")),
    )
    assert [rate.requests for rate in replay.hit_rates(every_s=60)] == [3]


@given(logs(), rules, st.integers(1, 100))
def test_hit_rates_over_time_add_up(rows, rule, every_s):
    replay = tc.replay_cache(trace_of(rows), rule)
    rates = replay.hit_rates(every_s=every_s)

    assert sum(rate.requests for rate in rates) == len(rows)
    assert sum(rate.read for rate in rates) == replay.read.sum()
    assert sum(rate.input for rate in rates) == replay.trace.input.sum()


@pytest.mark.parametrize("every_s", [0, -1, 1.5, "60", True])
def test_spans_that_cannot_be(every_s):
    with pytest.raises(tc.UsageError, match=r"every_s=.* is no length of a span; pass whole seconds, 1 or more"):
        tc.replay_cache(trace_of(asked((0, 16, "ab"))), rule_with()).hit_rates(every_s=every_s)


def test_an_empty_trace():
    replay = tc.replay_cache(trace_of([]), rule_with())

    assert (replay.requests, replay.hits, replay.hit_rate, replay.usage, replay.hit_rates()) == (0, 0, None, tc.Usage(), ())
    assert "hit rate —" in str(replay)


def test_a_replay_prints_and_pickles():
    replay = tc.replay_cache(trace_of(asked((0, 16, "ab"), (1000, 19, "acy"))), rule_with(write_meter="cache_write"))

    assert str(replay).splitlines() == [
        "ours: 2 requests, 1 hit, hit rate 22.86%",
        "meter        count  of input",
        "───────────  ─────  ────────",
        "input            3     8.57%",
        "cache_read       8    22.86%",
        "output           2",
        "cache_write     24    68.57%",
    ]
    assert replay._repr_html_().startswith("<table>")
    assert replay.records()[0] | {"hits": 1} == replay.records()[0]
    assert pickle.loads(pickle.dumps(replay)).usage == replay.usage


def test_a_rule_may_be_named():
    trace = trace_of(asked((0, 2048, "ab"), (1000, 2048, "ac")), block_size=1024)

    assert tc.replay_cache(trace, "openai").read.tolist() == [0, 1024]
    with pytest.raises(tc.UnknownNameError, match=r"no cache rule 'openia'; did you mean 'openai'"):
        tc.replay_cache(trace, "openia")


@pytest.mark.parametrize(("trace", "rule", "what"), [("log.jsonl", "openai", "trace"), (None, 5, "rule")])
def test_what_is_no_trace_or_rule_is_refused(trace, rule, what):
    with pytest.raises(tc.UsageTypeError, match=f"{what} .* is a .*; pass"):
        tc.replay_cache(trace_of(asked((0, 16, "ab"))) if trace is None else trace, rule)

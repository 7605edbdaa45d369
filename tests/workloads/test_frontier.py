"""Frontiers of cost and quality: held against their definition, pair by pair."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from workloads.descriptions import AT, NAMES

USAGE = tc.Usage(input=6000, output=400, cache_read=3000)
RESULT = tc.compare(USAGE, NAMES, at=AT)
IDS = [row.offering for row in RESULT.rows]


@given(scores=st.dictionaries(st.sampled_from(IDS), st.integers(0, 4)))
def test_the_frontier_is_what_no_other_beats(scores):
    """By brute force: another one costs no more and is at least as good, and better in one of the two."""
    found = RESULT.frontier(scores)
    priced = [(row.offering, row.total.amount, scores[row.offering]) for row in RESULT.rows if row.offering in scores and row.total]

    def beaten_by(name, cost, score):
        return {own for own, price, grade in priced if own != name and price <= cost and grade >= score and (price, grade) != (cost, score)}

    assert {row.offering for row in found.rows} == {row[0] for row in priced if not beaten_by(*row)}
    for row in found.dominated:
        assert set(row.dominated_by) <= beaten_by(row.offering, row.total.amount, scores[row.offering])
        assert row.dominated_by
    assert len(found.rows) + len(found.dominated) == len(priced)
    assert [row.total.amount for row in found.rows] == sorted(row.total.amount for row in found.rows)
    assert set(found.missing) == set(IDS) - set(scores)


def test_equal_cost_and_equal_quality_both_stay():
    """GPT-4.1 and o3 ask the same: with one score both stay, with two the better one beats the other."""
    result = tc.compare(tc.Usage(input=10), ["o3", "gpt-4.1"], at="2025-09-01T00:00:00Z")

    assert len(result.frontier({"o3": 5, "gpt-4.1": 5}).rows) == 2
    found = result.frontier({"o3": "5.5", "gpt-4.1": 5})
    assert [(row.offering, row.quality) for row in found.rows] == [("openai/global/o3", Fraction(11, 2))]
    assert found.dominated[0].dominated_by == ("openai/global/o3",)


def test_what_has_no_score_or_no_price_is_said():
    found = RESULT.frontier({"gpt-4o": 1, "alibaba/china/qwen3-max": 9, "claude": 3})
    text = str(found)

    assert found.unpriced == ("alibaba/china/qwen3-max",)
    assert found.unused == ("claude",)
    assert "without a score: deepseek/global/deepseek-flash" in text
    assert "without a price: alibaba/china/qwen3-max" in text
    assert "scores of offerings that are not compared: claude" in text
    assert found.records()[0]["on_frontier"] is True


def test_an_offering_may_go_by_the_end_of_its_id():
    """Only where one has it: two are called qwen3-max, and neither takes the score."""
    result = tc.compare(USAGE, ["openai/global/gpt-4o", "alibaba/global/qwen3-max", "alibaba/china/qwen3-max"], at=AT)
    found = result.frontier({"gpt-4o": 1, "qwen3-max": 2})

    assert ([row.offering for row in found.rows], found.unused) == (["openai/global/gpt-4o"], ("qwen3-max",))


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"gpt-4o": "good"}, "quality of gpt-4o='good' is not a number"),
        ({"gpt-4o": float("nan")}, "quality of gpt-4o=nan is not a number"),
        ({"gpt-4o": 1, "openai/global/gpt-4o": 2}, "openai/global/gpt-4o has two scores, gpt-4o=1 and openai/global/gpt-4o=2; keep one"),
    ],
)
def test_scores_that_cannot_be(scores, message):
    with pytest.raises(tc.UsageError, match=message):
        RESULT.frontier(scores)

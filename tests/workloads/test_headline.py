"""Headlines: a pair of prices against the list, for a whole workload."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.workloads.law import Law

BOOK = tc.load_book()
R1 = tc.Usage(cache_read=70_000_000, input=30_000_000, output=10_000_000)
AT = "2025-02-01T12:00:00Z"


def gap(usage=R1, offering="deepseek-reasoner", said=("0.14", "2.19"), **words):
    return tc.headline_gap(usage, offering, input_price=said[0], output_price=said[1], book=BOOK, **(words or {"at": AT}))


def test_the_price_of_a_cache_hit_taken_for_input():
    """70 million hits, 30 million misses, 10 million answers: 48.20 really, 35.90 where all input costs what a hit does."""
    found = gap()

    assert (str(found.really), str(found.said), str(found.gap)) == ("48.20 USD", "35.90 USD", "-12.30 USD")
    assert found.percent == Decimal("-25.5187")
    assert [(price.really, price.right) for price in found.prices] == [("cache_read", False), ("output", True)]
    assert "input was said to cost 0.14 per 1M tokens; that is the price of cache_read, input cost 0.55" in str(found)
    assert found.records()[0]["gap"] == Decimal("-12.3")


@given(hits=st.integers(0, 10**8), misses=st.integers(0, 10**8), output=st.integers(1, 10**8))
def test_it_equals_the_quote_and_a_sum_by_hand(hits, misses, output):
    usage = tc.Usage(cache_read=hits, input=misses, output=output)
    found = gap(usage)

    assert found.really.amount == BOOK.cost("deepseek-reasoner", usage, at=AT)
    assert found.said.amount == ((hits + misses) * Decimal("0.14") + output * Decimal("2.19")) / 10**6


def test_a_month_of_a_described_workload():
    workload = tc.Workload.described(requests=3, prompt=Law.points({0: 1, 2_000_000: 1}), completion=0)
    found = gap(workload, month="2025-03")

    assert found.really == tc.compare(workload, ["deepseek-reasoner"], month="2025-03", book=BOOK).rows[0].total
    assert found.said == tc.Money("0.42", "USD")
    assert "in 2025-03" in str(found)


def test_a_figure_that_is_nowhere_and_meters_that_go_unsaid():
    found = gap(tc.Usage(input=10, output=1, web_search=2), "claude-sonnet-4-5", ("1.23", "15"), at="2026-11-20T12:00:00Z")

    assert str(found.prices[0]).endswith("no price of the list, input was 3, input cost 3")
    assert found.unsaid == ("web_search",)
    assert "the headline has no price for web_search" in str(found)


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"said": (0.14, "2.19")}, tc.MoneyTypeError, "input_price 0.14 is a binary float"),
        ({"said": ("0.14", "-1")}, tc.UsageError, "output_price=-1 is negative; prices are 0 or more"),
        ({"offering": "gpt-9o"}, tc.UnknownNameError, "gpt-9o"),
        ({"offering": "gpt-5"}, tc.UsageError, "not every request has a price on gpt-5: no price of openai/global/gpt-5 is known"),
    ],
)
def test_what_cannot_be_held_against_a_list(words, error, message):
    with pytest.raises(error, match=message):
        gap(**words)

"""Sizes: requests that were listed, or prompts and completions that are drawn."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from demand_strategies import drawn, lengths, points, shares, small_laws
from tokencost.workloads.sizes import EVERYTHING, Region

edges = st.integers(0, 320_000)


def total(parts):
    """Parts of a distribution, added up."""
    counts: dict[str, Fraction] = {}
    for part in parts:
        for meter, count in part.counts.items():
            counts[meter] = counts.get(meter, Fraction(0)) + count
    return sum(part.probability for part in parts), counts


@given(points | drawn(), edges, edges)
def test_the_four_regions_around_a_corner_are_everything(sizes, prompt, completion):
    corners = [
        sizes.part(Region(*inputs, *outputs))
        for inputs in ((0, prompt), (prompt + 1, None))
        for outputs in ((0, completion), (completion + 1, None))
    ]

    assert total(corners) == (1, sizes.part(EVERYTHING).counts)


@given(small_laws, small_laws, shares, st.integers(0, 70))
def test_points_and_laws_agree_where_both_can_say_it(prompt, completion, cached, edge):
    """Two laws of points are the same sizes as the list of all their pairs."""
    pairs = [
        (tc.Usage(input=a, output=b), Fraction(v, prompt.total) * Fraction(w, completion.total))
        for a, _, v in prompt.stretches
        for b, _, w in completion.stretches
    ]
    laws, listed = tc.Drawn(prompt, completion, shares={"cache_read": cached}), tc.Points(pairs, cached=cached)

    for region in (EVERYTHING, Region(edge), Region(0, edge), Region(0, None, edge, None), Region(3, edge, 0, edge)):
        one, other = laws.part(region), listed.part(region)
        assert one.probability == other.probability
        assert {meter: n for meter, n in one.counts.items() if n} == {meter: n for meter, n in other.counts.items() if n}


@given(points, shares)
def test_another_hit_rate_keeps_the_prompt(sizes, share):
    changed = sizes.with_cached(share)

    both = changed.means.get("input", 0) + changed.means.get("cache_read", 0)
    assert changed.means.get("cache_read", 0) == share * both
    assert sum(changed.means.values()) == sum(sizes.means.values())


@given(points | drawn())
def test_draws_have_the_means(sizes):
    """Every meter's mean lies within six standard errors, rounding of shares included."""
    columns = sizes.sample(np.random.Generator(np.random.PCG64(3)), 3_000)

    for meter, mean in sizes.means.items():
        spread = max(columns[meter].std(), (columns[meter].max() - columns[meter].min()) / 50, 1.0, float(mean) / 20)
        assert abs(columns[meter].mean() - float(mean)) <= 6 * spread / 3_000**0.5
    assert all((column >= 0).all() for column in columns.values())


@given(lengths, st.integers(1, 2_000), st.integers(0, 2_000))
def test_what_each_request_uses_besides_counts_towards_its_size(prompt, image, edge):
    """An image of the prompt may lift a request over the edge of a tier."""
    sizes = tc.Drawn(tc.Law.fixed(prompt), tc.Law.fixed(0), extra=tc.Usage(image_input=image))

    assert sizes.part(Region(edge)).probability == int(prompt + image >= edge)


def test_completions_that_are_longer_leave_the_prompt():
    sizes = tc.Points([(tc.Usage(input=10, output=7, reasoning=3), 1)]).with_completion("1.5")

    assert sizes.means == {"input": 10, "output": 10, "reasoning": 4}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tc.Points([]), tc.WorkloadError, "there is no request; list at least one usage"),
        (lambda: tc.Points([(tc.Usage(input=1), 0)]), tc.WorkloadError, "weight 0 of .* is not above 0; leave the request out"),
        (lambda: tc.Points([(tc.Usage(input=1), 1)], cached=2), tc.WorkloadError, "cached=2 is outside 0 to 1"),
        (lambda: tc.Drawn(tc.Law.fixed(1), tc.Law.fixed(1), shares={"cache_read": 1.1}), tc.WorkloadError, "cache_read=1.1 is outside"),
        (
            lambda: tc.Drawn(tc.Law.fixed(1), tc.Law.fixed(1), shares={"cache_read": 0.7, "cache_write": 0.5}),
            tc.WorkloadError,
            "cache_read 0.7 \\+ cache_write 0.5 is more than all of input; shares add up to 1 at most",
        ),
        (
            lambda: tc.Drawn(tc.Law.fixed(1), tc.Law.fixed(1), shares={"web_search": 0.5}),
            tc.WorkloadError,
            "share of web_search: it is no part of a prompt or a completion; count it for each request, like web_search=1",
        ),
        (lambda: tc.Drawn(tc.Law.fixed(1), tc.Law.fixed(1), shares={"input": 0.5}), tc.WorkloadError, "share of input"),
        (lambda: tc.Drawn(tc.Law.fixed(1), tc.Law.fixed(1), shares={"cached": 0.5}), tc.UnknownNameError, "no meter 'cached'"),
        (lambda: tc.Drawn(tc.Law.fixed(1), tc.Law.fixed(1), shares={"cache_read": "half"}), tc.WorkloadError, "'half' is not a number"),
    ],
)
def test_sizes_that_cannot_be(make, error, message):
    with pytest.raises(error, match=message):
        make()

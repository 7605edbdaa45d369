"""Usage: disjoint counts, every token once."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.rating.usage import LARGEST_COUNT, Counts

COUNTS = st.dictionaries(st.sampled_from(sorted(tc.METERS)), st.integers(0, 10**9), max_size=8)


def _parts(root: str) -> list[str]:
    return [name for name, meter in tc.METERS.items() if meter.parent == root]


@st.composite
def trees(draw, root: str) -> tuple[dict[str, int], dict[str, int]]:
    """The inclusive totals of a meter and its parts, and the disjoint counts that they mean."""
    own = {root: draw(st.integers(0, 10**6))}
    totals = {root: own[root]}
    for part in draw(st.lists(st.sampled_from(_parts(root)), unique=True, max_size=4)) if _parts(root) else ():
        part_totals, part_own = draw(trees(part))
        totals[root] += part_totals[part]
        totals |= part_totals
        own |= part_own
    return totals, own


def test_every_meter_can_be_counted():
    assert set(Counts.__annotations__) == set(tc.METERS)


@given(counts=COUNTS)
def test_empty_buckets_are_left_out(counts):
    usage = tc.Usage(**counts)
    assert usage.counts == {name: count for name, count in counts.items() if count}
    assert {name: getattr(usage, name) for name in tc.METERS} == {name: counts.get(name, 0) for name in tc.METERS}


@given(counts=COUNTS)
def test_totals_add_up_each_bucket_once(counts):
    usage = tc.Usage.of(counts)
    tokens = {name: n for name, n in counts.items() if tc.METERS[name].unit == "token"}
    prompt = {"cache_read", "cache_read_explicit", "cache_write", "cache_write_1h", "cache_write_12h", "input"}
    prompt |= {f"{kind}_{what}" for kind in ("audio", "image", "video") for what in ("input", "cache_read")}
    completion = {"output", "reasoning", "audio_output", "image_output", "video_output"}
    assert usage.input_total == sum(n for name, n in tokens.items() if name in prompt)
    assert usage.output_total == sum(n for name, n in tokens.items() if name in completion)
    assert usage.tokens == sum(tokens.values())
    assert usage.tokens == usage.input_total + usage.output_total + usage.citation


@given(counts=COUNTS, data=st.data())
def test_the_order_of_buckets_does_not_matter(counts, data):
    shuffled = dict(data.draw(st.permutations(list(counts.items()))))
    assert tc.Usage.of(shuffled) == tc.Usage.of(counts)
    assert hash(tc.Usage.of(shuffled)) == hash(tc.Usage.of(counts))


@given(left=COUNTS, right=COUNTS)
def test_usage_adds_bucket_by_bucket(left, right):
    both = tc.Usage.of(left) + tc.Usage.of(right)
    assert both == tc.Usage.of({name: left.get(name, 0) + right.get(name, 0) for name in tc.METERS})
    assert both == tc.Usage.of(right) + tc.Usage.of(left)
    assert sum([tc.Usage.of(left), tc.Usage.of(right)], tc.Usage()) == both


@given(counts=COUNTS, times=st.integers(0, 10**6))
def test_usage_times_a_number_is_that_many_requests(counts, times):
    expected = tc.Usage.of({name: n * times for name, n in counts.items()})
    assert tc.Usage.of(counts) * times == expected
    assert times * tc.Usage.of(counts) == expected


@given(tree=trees("input") | trees("output") | trees("web_search") | trees("cache_write"))
def test_totals_of_a_tree_mean_the_disjoint_counts_behind_them(tree):
    totals, own = tree
    if "cache_write" in totals and "input" not in totals:
        totals = {"input": totals["cache_write"], **totals}
    assert tc.Usage.from_totals(**totals) == tc.Usage.of(own)


@given(tree=trees("input"), data=st.data())
def test_a_total_of_the_middle_may_be_left_out(tree, data):
    """`cache_write_1h` without `cache_write` comes out of `input`."""
    totals, own = tree
    middle = [name for name in totals if name != "input" and any(part in totals for part in _parts(name))]
    left_out = data.draw(st.sampled_from(middle)) if middle else None
    rest = {name: count for name, count in totals.items() if name != left_out}
    expected = {**own, "input": own["input"] + own.get(left_out, 0)}
    expected.pop(left_out, None)
    assert tc.Usage.from_totals(**rest) == tc.Usage.of(expected)


def test_inclusive_totals_of_one_response():
    totals = {"input": 1_000, "cache_read": 600, "cache_write": 300, "cache_write_1h": 100, "output": 50, "reasoning": 50, "web_search": 2}
    usage = tc.Usage.from_totals(**totals)
    assert usage == tc.Usage(input=100, cache_read=600, cache_write=200, cache_write_1h=100, reasoning=50, web_search=2)
    assert (usage.input_total, usage.output_total) == (1_000, 50)


@pytest.mark.parametrize(
    ("totals", "meter", "value"),
    [
        ({"input": 5, "cache_read": 6}, "input", 5),
        ({"input": 10, "cache_read": 6, "audio_input": 5}, "input", 10),
        ({"input": 10, "cache_write": 3, "cache_write_1h": 4}, "cache_write", 3),
        ({"input": 3, "cache_write_1h": 4}, "input", 3),
        ({"output": 3, "reasoning": 4}, "output", 3),
        ({"output": 0, "reasoning": 1}, "output", 0),
        ({"web_search": 1, "web_search_low": 2}, "web_search", 1),
    ],
)
def test_parts_above_their_total_are_refused(totals, meter, value):
    with pytest.raises(tc.UsageError, match="is less than its parts") as caught:
        tc.Usage.from_totals(**totals)
    assert (caught.value.meter, caught.value.value) == (meter, value)


@pytest.mark.parametrize("part", ["cache_read", "cache_write_1h", "audio_cache_read", "reasoning", "image_output"])
def test_a_part_without_its_total_is_refused(part):
    with pytest.raises(tc.UsageError, match=r"is missing; pass (input|output)="):
        tc.Usage.from_totals(**{part: 5})


def test_parts_of_meters_other_than_tokens_need_no_total():
    assert tc.Usage.from_totals(web_search_low=3, annotated_page=2) == tc.Usage(web_search_low=3, annotated_page=2)


@pytest.mark.parametrize("value", [np.int64(7), np.uint8(7), np.int32(7), np.array(7)])
def test_numpy_integers_are_counts(value):
    usage = tc.Usage(input=value)
    assert usage == tc.Usage(input=7)
    assert type(usage.input) is int
    assert tc.Usage.from_totals(input=value) == usage


@pytest.mark.parametrize(
    ("value", "cure"),
    [
        (True, "pass an int"),
        (np.True_, "pass an int"),
        (2.0, "pass 2$"),
        (2.5, "pass an int"),
        (float("nan"), "pass an int"),
        (float("inf"), "pass an int"),
        (np.float64(3), "pass 3$"),
        (np.array([1, 2]), "pass an int"),
        (np.array(1.5), "pass an int"),
        (Decimal(5), "pass an int"),
        ("5", "pass an int"),
        (None, "pass an int"),
    ],
)
@pytest.mark.parametrize("make", [tc.Usage, tc.Usage.from_totals])
def test_what_is_no_whole_number_is_refused_with_the_cure(make, value, cure):
    with pytest.raises(tc.UsageTypeError, match=cure) as caught:
        make(output=value)
    assert caught.value.meter == "output"
    assert caught.value.value is value
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("make", [tc.Usage, tc.Usage.from_totals])
@pytest.mark.parametrize(("value", "why"), [(-1, "is negative"), (np.int64(-1), "is negative"), (LARGEST_COUNT + 1, "is absurd")])
def test_counts_that_cannot_be_are_refused(make, value, why):
    with pytest.raises(tc.UsageError, match=f"input={int(value)} {why}") as caught:
        make(input=value)
    assert isinstance(caught.value, ValueError)
    assert caught.value.value == int(value)


def test_the_largest_count_is_still_one():
    assert tc.Usage(input=LARGEST_COUNT).input == LARGEST_COUNT
    with pytest.raises(tc.UsageError, match="is absurd"):
        tc.Usage(input=LARGEST_COUNT) + tc.Usage(input=1)
    with pytest.raises(tc.UsageError, match="is absurd"):
        tc.Usage(input=LARGEST_COUNT) * 2


@pytest.mark.parametrize("times", [-1, True, 1.0, "2"])
def test_usage_times_something_else_is_refused(times):
    with pytest.raises(tc.UsageError):
        tc.Usage(input=1) * times


@pytest.mark.parametrize("make", [tc.Usage, tc.Usage.from_totals])
@pytest.mark.parametrize(("meter", "suggestion"), [("cache_reads", "cache_read"), ("inptu", "input"), ("reasoning_tokens", "reasoning")])
def test_an_unknown_meter_is_refused_with_a_suggestion(make, meter, suggestion):
    with pytest.raises(tc.UnknownNameError, match=f"no meter '{meter}'") as caught:
        make(**{meter: 1})
    assert suggestion in caught.value.suggestions
    assert repr(suggestion) in str(caught.value)
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize("value", [0, 1])
def test_an_unknown_meter_is_refused_even_without_a_count(value):
    with pytest.raises(tc.UnknownNameError):
        tc.Usage(prompt=value, input=1)


def test_usage_does_not_change():
    usage = tc.Usage(input=1)
    with pytest.raises(AttributeError, match="make a new Usage instead of setting 'input'"):
        usage.input = 2
    with pytest.raises(AttributeError, match="usage has no meter 'prompt'"):
        _ = usage.prompt


@given(counts=COUNTS)
def test_usage_survives_pickling_copying_and_its_repr(counts):
    usage = tc.Usage.of(counts)
    assert pickle.loads(pickle.dumps(usage)) == usage
    assert copy.deepcopy(copy.copy(usage)) == usage
    assert eval(repr(usage), {"Usage": tc.Usage}) == usage


def test_usage_equals_usage_only():
    assert tc.Usage(input=1) != {"input": 1}
    assert tc.Usage(input=1) != tc.Usage(output=1)
    assert tc.Usage(input=1, output=0) == tc.Usage(input=1)
    assert (bool(tc.Usage()), bool(tc.Usage(output=0)), bool(tc.Usage(image=1))) == (False, False, True)
    with pytest.raises(TypeError):
        tc.Usage(input=1) + 1

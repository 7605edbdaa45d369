"""Workloads: segments of equal requests, shipped or one's own."""

from __future__ import annotations

import csv
import json
import pickle
import tomllib
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from demand_strategies import workloads
from tokencost.workloads.sizes import Region

usages = st.builds(tc.Usage, input=st.integers(0, 10**6), cache_read=st.integers(0, 10**6), output=st.integers(0, 10**5))


@given(st.lists(st.tuples(st.integers(1, 50), usages), min_size=1, max_size=8))
def test_total_is_every_request_added_up(parts):
    workload = tc.Workload("any", tuple(tc.Segment(str(n), times, usage) for n, (times, usage) in enumerate(parts)))

    assert workload.total == sum((usage for times, usage in parts for _ in range(times)), tc.Usage())
    assert workload.requests == sum(times for times, _ in parts)


def test_of_a_document():
    workload = tc.Workload.of(
        {"title": "two", "source": "s", "note": "n", "segment": [{"name": "a", "requests": 3, "input": 5}, {"output": 7, "cache_read": 0}]}
    )

    assert workload == tc.Workload("two", (tc.Segment("a", 3, tc.Usage(input=5)), tc.Segment("segment 2", 1, tc.Usage(output=7))), "s", "n")


@pytest.mark.parametrize(
    ("segments", "error", "message"),
    [
        (None, tc.UsageError, r"has no segment; add a \[\[segment\]\]"),
        ([], tc.UsageError, r"has no segment; add a \[\[segment\]\]"),
        ({"requests": 3, "input": 5}, tc.UsageError, r"has no segment; add a \[\[segment\]\]"),
        ([{"requests": 0, "input": 5}], tc.UsageError, "requests=0 of segment 'segment 1' is below 1; leave the segment out"),
        ([{"requests": -1, "name": "x"}], tc.UsageError, "requests=-1 of segment 'x' is below 1"),
        ([{"requests": 1.5}], tc.UsageTypeError, "requests=1.5 of segment 'segment 1' is not a whole number; pass an int"),
        ([{"requests": True}], tc.UsageTypeError, "requests=True of segment"),
        ([{"requests": "many"}], tc.UsageTypeError, "requests='many' of segment"),
        ([{"input": 1.5}], tc.UsageTypeError, "input=1.5 is a float"),
        ([{"input": -1}], tc.UsageError, "input=-1 is negative"),
        ([{"imput": 1}], tc.UnknownNameError, "no meter 'imput'"),
    ],
)
def test_documents_that_do_not_hold(segments, error, message):
    with pytest.raises(error, match=message):
        tc.Workload.of({"title": "x", "segment": segments})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tc.Workload("none", ()), tc.UsageError, "the workload has no segment; add one"),
        (lambda: tc.Segment("s", 0.5, tc.Usage(input=1)), tc.UsageTypeError, "requests=0.5 of segment 's' is not a whole number"),
        (lambda: tc.Segment("s", -5, tc.Usage(input=1)), tc.UsageError, "requests=-5 of segment 's' is below 1"),
    ],
)
def test_segments_that_do_not_hold(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_shipped_workloads_load_and_name_their_source():
    assert {"chat", "short-chat"} <= set(tc.shipped_workloads())
    for name in tc.shipped_workloads():
        workload = tc.load_workload(name)
        assert workload.source
        assert workload.requests > 10_000


def test_one_of_your_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('title = "mine"\n[[segment]]\nrequests = 2\ninput = 10\n', encoding="utf-8")

    assert tc.load_workload(path) == tc.load_workload(str(path)) == tc.Workload("mine", (tc.Segment("segment 1", 2, tc.Usage(input=10)),))


@pytest.mark.parametrize("name", ["chats", "nowhere.toml", "zzz", "."])
def test_names_that_do_not_exist(name):
    with pytest.raises(
        tc.UnknownNameError, match=r"no workload '.*'; pass the path of a TOML file, or one of azure-.*, chat, .*short-chat"
    ) as caught:
        tc.load_workload(name)

    assert caught.value.suggestions == (("chat",) if name == "chats" else ())


@pytest.mark.parametrize("text", ["[[segment]\n", "input = 1\ninput = 2\n"])
def test_files_that_are_not_toml(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(tc.TableError, match="not TOML"):
        tc.load_workload(path)


def test_workloads_pickle():
    workload = tc.load_workload("chat")

    assert pickle.loads(pickle.dumps(workload)) == workload


@given(workloads)
def test_toml_gives_the_same_workload(workload):
    """Any workload is written as TOML and read back as it was."""
    assert tc.Workload.of(workload.document) == workload
    assert tc.Workload.of(tomllib.loads(workload.to_toml(), parse_float=Decimal)) == workload


@given(workloads)
def test_any_workload_pickles_and_hashes(workload):
    again = pickle.loads(pickle.dumps(workload))

    assert (again, hash(again.segments)) == (workload, hash(workload.segments))


@given(workloads, st.integers(10, 10**6))
def test_another_number_of_requests_is_shared_out_as_before(workload, requests):
    changed = workload.with_requests(requests)

    assert changed.requests == requests
    for before, after in zip(workload.segments, changed.segments, strict=True):
        assert abs(after.requests - Fraction(before.requests * requests, workload.requests)) < len(workload.segments) + 1
        assert after.sizes == before.sizes


@given(workloads)
def test_what_if(workload):
    """A change of the hit rate, of growth or of hours leaves what it does not name."""
    assert workload.with_profile(tc.HourProfile.even()).means == workload.means
    grown = workload.with_growth("0.5")
    assert {grown.growth_of(segment) for segment in grown.segments} == {Fraction(1, 2)}
    assert workload.with_completion(1).tokens == workload.tokens


def test_a_few_numbers_make_a_workload():
    made = tc.Workload.described(requests=10, prompt=100, completion=20, cached=0.25, reasoning=0.5, service_tiers={"batch": 1}, growth=0.1)

    assert made.means == {"cache_read": 250, "input": 750, "reasoning": 100, "output": 100}
    assert (made.tokens, made.growth, made.segments[0].service_tiers) == (1_200, Fraction(1, 10), {"batch": 1})


def test_a_log_gives_its_sizes_and_its_week(log):
    """Two requests an hour on working days in Shanghai, for two weeks; a day of it gives no profile."""
    rows = [f"2026-11-{2 + day:02}T{hour:02}:30:00+08:00,{100 * hour},{hour}" for day in range(13) if day % 7 < 5 for hour in range(9, 18)]
    week = tc.Workload.from_trace(tc.read_trace(log("at,input,output\n" + "\n".join(rows))), zone="Asia/Shanghai", requests=5_000)
    day = tc.Workload.from_trace(tc.read_trace(log("at,input,output\n" + "\n".join(rows[:9]))), zone="Asia/Shanghai")

    assert week.segments[0].profile == tc.HourProfile.daily([0] * 9 + [1] * 9 + [0] * 6, zone="Asia/Shanghai", weekend=0)
    assert (week.requests, week.means["input"] / 5_000) == (5_000, 1_300)
    assert (day.requests, day.segments[0].profile) == (9, tc.HourProfile.even())


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"prompt": 5, "points": [{"input": 1}]}, tc.WorkloadError, "segment 's' has points and other sizes; keep one"),
        ({"shares": {"cache_read": 0.5}, "input": 5}, tc.WorkloadError, "segment 's' has shares and no prompt or completion"),
        ({"prompt": "long"}, tc.WorkloadError, "prompt='long' is no law"),
        ({"prompt": 5, "profile": "office"}, tc.WorkloadError, "profile 'office' is none; write"),
        ({"prompt": 5, "profile": {"day": [1] * 24, "week": [1] * 168}}, tc.WorkloadError, "is none; write"),
        ({"prompt": 5, "profile": {"day": [1] * 24, "zone": "Mars/Olympus"}}, tc.InstantError, "Mars/Olympus"),
        ({"prompt": 5, "growth": -1}, tc.WorkloadError, "growth=-1 a month leaves nothing or less; pass a number above -1"),
        ({"prompt": 5, "growth": "fast"}, tc.WorkloadError, "growth='fast' is not a number"),
        (
            {"prompt": 5, "service_tiers": {"batch": 0.5}},
            tc.WorkloadError,
            "service_tiers batch 0.5 add up to 0.5; shares add up to exactly 1",
        ),
        ({"prompt": 5, "service_tiers": {}}, tc.WorkloadError, "service_tiers nothing add up to 0"),
        ({"prompt": 5, "service_tiers": {"bulk": 1}}, tc.UnknownNameError, "no service tier 'bulk' in batch, fast"),
        ({"prompt": 5, "modes": {"thinking": 0.7, "none": 0.7}}, tc.WorkloadError, "add up to 1.4; shares add up to at most 1"),
        ({"prompt": 5, "modes": {"thought": 1}}, tc.UnknownNameError, "no mode 'thought'"),
        ({"prompt": 5, "completion": {"quantiles": {"0": 9, "1": 1}}}, tc.WorkloadError, "are not ordered"),
    ],
)
def test_described_segments_that_do_not_hold(words, error, message):
    with pytest.raises(error, match=message):
        tc.Workload.of({"segment": [{"name": "s", **words}]})


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        ({"growth": -2}, tc.WorkloadError, "growth=-2 a month"),
        ({"uncertainty": {"cached": -1}}, tc.WorkloadError, "uncertainty of cached -1 is negative; it is 0 or more"),
        ({"uncertainty": {"hits": 1}}, tc.UnknownNameError, "no uncertainty 'hits' in requests, cached, completion, growth"),
        ({"uncertainty": 0.1}, tc.WorkloadError, "uncertainty 0.1 is no block; write { requests = 0.1 }"),
    ],
)
def test_described_workloads_that_do_not_hold(document, error, message):
    with pytest.raises(error, match=message):
        tc.Workload.of({**document, "segment": [{"prompt": 5}]})


def test_two_segments_of_one_name():
    segment = tc.Segment("same", 1, tc.Drawn(tc.Law.fixed(1), tc.Law.fixed(1)))

    with pytest.raises(tc.WorkloadError, match="two segments are named 'same'; name them apart"):
        tc.Workload("two", (segment, segment))


def test_requests_that_differ_have_no_one_usage():
    with pytest.raises(tc.WorkloadError, match="requests of segment 'requests' differ in size; take their means, or estimate"):
        tc.Workload.described(requests=1, prompt=5, completion=5).total  # noqa: B018 - a property that raises


@pytest.mark.parametrize(
    ("number", "message"), [(0, "requests=0 of segment 'all' is below 1"), (1, "requests=1 are fewer than the 2 segments")]
)
def test_too_few_requests(number, message):
    with pytest.raises(tc.UsageError, match=message):
        tc.load_workload("coding-agent").with_requests(number)


def _azure(shared):
    with (shared / "traces" / "azure_llm_2023_conv.csv").open(encoding="utf-8") as lines:
        return [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(lines)]


def _mooncake(shared):
    with (shared / "traces" / "mooncake_conversation.jsonl").open(encoding="utf-8") as lines:
        return [(row["input_length"], row["output_length"]) for row in map(json.loads, lines)]


@pytest.mark.parametrize(("name", "read"), [("azure-conversation-2023", _azure), ("mooncake-conversation-2025", _mooncake)])
def test_described_production_traces_are_those_of_the_logs(shared, name, read):
    """Means within 2 %, the part of requests and of tokens beyond the usual edges of tiers within 1.5 points."""
    rows, workload = read(shared), tc.load_workload(name)
    prompts = sum(prompt for prompt, _ in rows)

    assert workload.requests == len(rows)
    counts = workload.means
    assert counts["input"] + counts.get("cache_read", 0) == pytest.approx(prompts, rel=0.005)
    assert float(counts["output"]) == pytest.approx(sum(completion for _, completion in rows), rel=0.02)
    for edge in (1_000, 4_000, 8_000, 32_000, 64_000, 100_000):
        parts = [(segment.requests, segment.sizes.part(Region(edge + 1))) for segment in workload.segments]
        tail = sum(n * part.probability for n, part in parts) / len(rows)
        tokens = sum(n * count for n, part in parts for meter, count in part.counts.items() if meter != "output") / prompts
        assert float(tail) == pytest.approx(sum(prompt > edge for prompt, _ in rows) / len(rows), abs=0.005)
        assert float(tokens) == pytest.approx(sum(prompt for prompt, _ in rows if prompt > edge) / prompts, abs=0.015)


def test_the_coding_agent_has_the_means_that_were_published():
    """TraceLab: 54.9e9 prompt tokens, 52.6e9 of them cached, and 186.9e6 of completions, in 357,161 steps."""
    workload = tc.load_workload("coding-agent")
    counts = workload.means

    assert workload.requests == 357_161
    assert float(counts["cache_read"]) == pytest.approx(52.6e9, rel=0.005)
    assert float(counts["input"] + counts["cache_read"]) == pytest.approx(54.9e9, rel=0.005)
    assert float(counts["output"]) == pytest.approx(186.9e6, rel=0.01)

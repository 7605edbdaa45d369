"""Workloads: segments of equal requests, shipped or one's own."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

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


def test_shipped_workloads_load_and_name_their_source():
    assert tc.shipped_workloads() == ("chat", "short-chat")
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
    with pytest.raises(tc.UnknownNameError, match=r"no workload '.*'; pass the path of a TOML file, or one of chat, short-chat") as caught:
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

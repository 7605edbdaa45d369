"""Reading logs: any separator, any order of columns, any usual name, nested JSON."""

from __future__ import annotations

import csv
import io
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

INPUT_NAMES = [
    "prompt_tokens",
    "input_tokens",
    "ContextTokens",
    "Request tokens",
    "num_prompt_tokens",
    "Prompt-Tokens",
    "input",
    "tokens_in",
]
OUTPUT_NAMES = ["completion_tokens", "output_tokens", "GeneratedTokens", "Response tokens", "output", "TOKENS OUT"]
READ_NAMES = ["cached_tokens", "cache_read", "prompt_cache_hit_tokens", "cachedInputTokens"]
REASONING_NAMES = ["reasoning_tokens", "thinking_tokens", "reasoning"]
OTHER_NAMES = ["model", "user", "note", "total_tokens", "request", "image", "page", "id"]


@st.composite
def logs(draw):
    """Rows of inclusive counts, and the names of their columns in any order."""
    row = st.fixed_dictionaries(
        {
            "cache_read": st.integers(0, 10**6),
            "fresh": st.integers(0, 10**6),
            "reasoning": st.integers(0, 10**5),
            "said": st.integers(0, 10**5),
            "other": st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
            | st.sampled_from(['"', ",", ";", "\t", "two\nlines", "two\r\nlines", " padded ", "{", "12.5"]),
        }
    )
    names = {
        "input": draw(st.sampled_from(INPUT_NAMES)),
        "output": draw(st.sampled_from(OUTPUT_NAMES)),
        "cache_read": draw(st.sampled_from(READ_NAMES)),
        "reasoning": draw(st.sampled_from(REASONING_NAMES)),
        "at": draw(st.sampled_from(["timestamp", "created_at", "Time", "start_time"])),
        "other": draw(st.sampled_from(OTHER_NAMES)),
    }
    order = draw(st.permutations(list(names)))
    return draw(st.lists(row, min_size=1, max_size=20)), [(key, names[key]) for key in order]


def _cells(rows):
    return [
        {
            "input": row["fresh"] + row["cache_read"],
            "output": row["said"] + row["reasoning"],
            "cache_read": row["cache_read"],
            "reasoning": row["reasoning"],
            "at": f"2025-02-01T00:00:{n % 60:02}Z",
            "other": row["other"],
        }
        for n, row in enumerate(rows)
    ]


def _usages(rows):
    return [tc.Usage(input=row["fresh"], cache_read=row["cache_read"], output=row["said"], reasoning=row["reasoning"]) for row in rows]


def _csv(rows, names, delimiter, terminator):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=terminator)
    writer.writerow([name for _, name in names])
    writer.writerows([[cells[key] for key, _ in names] for cells in _cells(rows)])
    return file.getvalue()


def _check(trace, rows, names):
    assert [row.usage for row in trace.rows] == _usages(rows)
    assert trace.columns == {key: name for key, name in names if key != "other"}
    assert trace.ignored == tuple(name for key, name in names if key == "other")
    assert (trace.bad, trace.counts, trace.requests) == ((), "totals", len(rows))
    assert [row.when for row in trace.rows] == [cells["at"] for cells in _cells(rows)]


@given(logs(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_csv_round_trips(tmp_path_factory, drawn, delimiter, terminator, bom):
    rows, names = drawn
    path = tmp_path_factory.mktemp("csv") / "log.txt"
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + _csv(rows, names, delimiter, terminator).encode())

    _check(tc.read_trace(path), rows, names)


@given(logs(), st.booleans(), st.sampled_from(["log.jsonl", "log.ndjson", "log.json", "log.txt"]))
def test_json_lines_round_trip(tmp_path_factory, drawn, blank, name):
    rows, names = drawn
    path = tmp_path_factory.mktemp("json") / name
    lines = [json.dumps({name: cells[key] for key, name in names}, ensure_ascii=blank) for cells in _cells(rows)]
    path.write_text(("\n\n" if blank else "\n").join(lines), encoding="utf-8")

    _check(tc.read_trace(path), rows, names)


def test_rows_are_numbered_by_the_line_on_which_they_begin(log):
    """A quoted line break does not shift the rows that follow it away from their lines."""
    trace = tc.read_trace(log('note,input,output\n"one\ntwo",1,2\n\n"three",3,4\n"\n\n",5,x\n,6,7\n'))

    assert [(row.number, row.usage.input) for row in trace.rows] == [(2, 1), (5, 3), (9, 6)]
    assert [bad.number for bad in trace.bad] == [6]


def test_line_ends_of_an_old_mac(log):
    assert tc.read_trace(log("input,output\r1,2\r3,4\r")).total == tc.Usage(input=4, output=6)


def test_blank_lines_are_no_rows(log):
    trace = tc.read_trace(log("input,output\n\n1,2\n   \n\t\n3,4\n\n"))

    assert (trace.total, trace.bad) == (tc.Usage(input=4, output=6), ())


def test_blank_lines_above_the_header_and_blanks_after_separators(log):
    assert tc.read_trace(log('\n  \nmodel, input, "output"\n"a, b", 1, "2"\n')).total == tc.Usage(input=1, output=2)


@pytest.mark.parametrize("cell", ["374", " 374 ", "374.0", "374.", "+374", "374.000", "00374"])
def test_whole_numbers_are_accepted_however_written(log, cell):
    assert tc.read_trace(log(f"input,output\n{cell},1\n")).total == tc.Usage(input=374, output=1)


@pytest.mark.parametrize("cell", ["374", "374.0", "3.74e2", '"374"', '"374.0"'])
def test_whole_numbers_of_json_are_accepted_however_written(log, cell):
    assert tc.read_trace(log(f'{{"input": {cell}, "output": 1}}')).total == tc.Usage(input=374, output=1)


def test_empty_parts_are_none_and_zero_totals_are_zero(log):
    trace = tc.read_trace(log("input,output,cached_tokens,reasoning_tokens\n10,0,,\n0,5,0, \n"))

    assert [row.usage for row in trace.rows] == [tc.Usage(input=10), tc.Usage(output=5)]


def test_usage_objects_of_an_api_are_found(log):
    """The shape of a chat response: nested details, and a first response without them."""
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13, "prompt_tokens_details": None}
    later = {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    lines = [{"created": 1_738_368_000, "usage": usage}, {"created": 1_738_368_001, "usage": later}]
    trace = tc.read_trace(log("\n".join(map(json.dumps, lines)), "log.jsonl"))

    assert trace.columns == {
        "at": "created",
        "input": "usage.prompt_tokens",
        "output": "usage.completion_tokens",
        "cache_read": "usage.prompt_tokens_details.cached_tokens",
        "reasoning": "usage.completion_tokens_details.reasoning_tokens",
    }
    assert [row.usage for row in trace.rows] == [
        tc.Usage(input=10, output=3),
        tc.Usage(input=36, cache_read=64, output=10, reasoning=20),
    ]
    assert trace.ignored[:2] == ("usage.total_tokens", "usage.prompt_tokens_details")
    assert trace.instants()[1] == tc.to_instant("2025-02-01T00:00:01Z")


def test_columns_can_be_named(log):
    line = {"in": {"fresh": 5, "hits": 7}, "out": 3, "when": "2025-02-01T00:00:00Z", "search": 2, "prompt_tokens": 999}
    named = {"input": "in.fresh", "cache_read": "in.hits", "output": "out", "at": "when", "web_search": "search"}
    trace = tc.read_trace(log(json.dumps(line), "log.jsonl"), columns=named, counts="disjoint")

    assert trace.columns == named
    assert trace.total == tc.Usage(input=5, cache_read=7, output=3, web_search=2)
    assert trace.ignored == ("prompt_tokens",)


def test_text_of_a_prompt_is_not_taken_for_its_tokens(log):
    trace = tc.read_trace(log("input,output,input_tokens,output_tokens,request\nhello,world,3,4,17\n"))

    assert trace.total == tc.Usage(input=3, output=4)
    assert trace.ignored == ("input", "output", "request")


def test_the_outermost_of_equal_columns_is_taken(log):
    line = {"usage": {"prompt_tokens": 5, "completion_tokens": 6}, "x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}}

    assert tc.read_trace(log(json.dumps(line))).total == tc.Usage(input=5, output=6)


def test_attributes_of_telemetry(log):
    """OpenTelemetry counts cached tokens inside the input and names them `cache_read.input_tokens`."""
    line = {
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 5,
    }
    trace = tc.read_trace(log(json.dumps(line)))

    assert (trace.total, trace.counts) == (tc.Usage(input=40, cache_read=60, output=5), "totals")


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        (
            {"usage": {"input_tokens": 100, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 7, "output_tokens": 5}},
            tc.Usage(input=100, cache_read=60, cache_write=7, output=5),
        ),
        (
            {"inputTokens": 100, "outputTokens": 5, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 7},
            tc.Usage(input=100, cache_read=60, cache_write=7, output=5),
        ),
    ],
    ids=["anthropic", "bedrock"],
)
def test_cached_tokens_that_an_api_counts_apart(log, line, usage):
    """Two APIs leave cached tokens out of `input_tokens`; their column names say so."""
    path = log(json.dumps(line))

    assert (tc.read_trace(path).total, tc.read_trace(path).counts) == (usage, "disjoint")
    assert tc.read_trace(path, counts="totals").total == tc.Usage(input=33, cache_read=60, cache_write=7, output=5)


@pytest.mark.parametrize(
    "line",
    [
        {"prompt_tokens": 100, "cache_read_input_tokens": 60, "completion_tokens": 5},
        {"input_tokens": 100, "cached_tokens": 60, "output_tokens": 5},
        {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 60}, "output_tokens": 5},
    ],
    ids=["litellm", "plain", "responses"],
)
def test_cached_tokens_that_an_api_counts_inside(log, line):
    assert tc.read_trace(log(json.dumps(line))).total == tc.Usage(input=40, cache_read=60, output=5)


def test_other_meters_are_read_where_they_are_named(log):
    path = log("seconds,user\n30,a\n5,b\n")

    assert tc.read_trace(path, columns={"audio_s": "seconds"}).total == tc.Usage(audio_s=35)


def test_a_log_may_say_that_it_has_no_output(log):
    path = log("tokens,model\n30,embedding\n5,embedding\n")
    trace = tc.read_trace(path, columns={"input": "tokens", "output": ""})

    assert (trace.total, trace.columns) == (tc.Usage(input=35), {"input": "tokens"})


def test_long_cells_are_read(log):
    """A log may carry whole prompts."""
    assert tc.read_trace(log(f'prompt text,input,output\n"{"word, " * 60_000}",1,2\n')).total == tc.Usage(input=1, output=2)


def test_reading_leaves_the_csv_module_as_it_was(log):
    before = csv.field_size_limit()
    tc.read_trace(log(f"note,input,output\n{'x' * (before + 1)},1,2\n"))

    assert csv.field_size_limit() == before


def test_a_path_may_be_text(log):
    path = log("input,output\n1,2\n")

    assert tc.read_trace(str(path)) == tc.read_trace(path)


def test_traces_pickle(log):
    trace = tc.read_trace(log("at,input,output\n2025-02-01T00:00:00Z,1,2\nx,y,z\n"))

    assert pickle.loads(pickle.dumps(trace)) == trace
    assert trace.bad

"""Bad rows: counted, listed with their line and the reason; the rest of the log is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

GOOD = tc.Usage(input=10, output=2)

CELLS = {
    "-5": "input=-5 is negative; counts are 0 or more",
    "12.5": "input='12.5' is not a whole number; write it in figures, without separators",
    "many": "input='many' is not a whole number; write it in figures, without separators",
    "": "input is empty; a request has a count, which may be 0",
    "  ": "input is empty; a request has a count, which may be 0",
    "true": "input='true' is not a whole number; write it in figures, without separators",
    '"1,000"': "input='1,000' is not a whole number; write it in figures, without separators",
    "1_000": "input='1_000' is not a whole number; write it in figures, without separators",
    "1 000": "input='1 000' is not a whole number; write it in figures, without separators",
    "1e3": "input='1e3' is not a whole number; write it in figures, without separators",
    "0x10": "input='0x10' is not a whole number; write it in figures, without separators",
    "nan": "input='nan' is not a whole number; write it in figures, without separators",
    "²": "input='²' is not a whole number; write it in figures, without separators",
    "9" * 16: f"input={'9' * 16} is absurd; a count is at most {10**15}, split the usage or check its unit",
    "9" * 5_000: f"input='{'9' * 56}... is not a whole number; write it in figures, without separators",
}

VALUES = {
    "-5": "input=-5 is negative; counts are 0 or more",
    "12.5": "input=12.5 is not a whole number; write it in figures, without separators",
    '"many"': "input='many' is not a whole number; write it in figures, without separators",
    '""': "input is empty; a request has a count, which may be 0",
    "null": "input is empty; a request has a count, which may be 0",
    "true": "input=True is not a whole number; write it in figures, without separators",
    "[5]": "input=[5] is not a whole number; write it in figures, without separators",
    '"1,000"': "input='1,000' is not a whole number; write it in figures, without separators",
    "NaN": "input=nan is not a whole number; write it in figures, without separators",
    "Infinity": "input=inf is not a whole number; write it in figures, without separators",
    "1" + "0" * 30: f"input=1{'0' * 30} is absurd; a count is at most {10**15}, split the usage or check its unit",
    "1e400": "input=inf is not a whole number; write it in figures, without separators",
}


def _only_bad(trace):
    (bad,) = trace.bad
    assert [row.usage for row in trace.rows] == [GOOD, GOOD]
    assert [row.number for row in trace.rows] == [bad.number - 1, bad.number + 1]
    return bad


@pytest.mark.parametrize(("cell", "reason"), CELLS.items(), ids=[cell[:20] for cell in CELLS])
def test_bad_cells(log, cell, reason):
    bad = _only_bad(tc.read_trace(log(f"input,output\n10,2\n{cell},4\n10,2\n")))

    assert bad == tc.BadRow(3, reason, f"{cell},4".strip()[:200])


@pytest.mark.parametrize(("value", "reason"), VALUES.items(), ids=[value[:20] for value in VALUES])
def test_bad_values_of_json(log, value, reason):
    good, bad_line = '{"input": 10, "output": 2}', f'{{"input": {value}, "output": 4}}'
    bad = _only_bad(tc.read_trace(log(f"{good}\n{bad_line}\n{good}\n")))

    assert bad == tc.BadRow(2, reason, bad_line)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("10", "1 cell, and the header has 2"),
        ("10,2,3", "3 cells, and the header has 2"),
        ("10,2,", "3 cells, and the header has 2"),
        ('"10"2,2', "',' expected after '\"'"),
        ('"10,2', "a quote opens and never closes"),
    ],
)
def test_broken_lines_of_csv(log, line, reason):
    """A quote that never closes costs its own row, not all that follow."""
    bad = _only_bad(tc.read_trace(log(f"input,output\n10,2\n{line}\n10,2\n")))

    assert bad == tc.BadRow(3, reason, line)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"input": 10, "output": 2', "not JSON (expecting ',' delimiter)"),
        ('{"input" 10, "output": 2}', "not JSON (expecting ':' delimiter)"),
        ("10,2", "not JSON (extra data)"),
        ("[10, 2]", "JSON, but not an object"),
        ('"text"', "JSON, but not an object"),
        ("null", "JSON, but not an object"),
        ('{"output": 2}', "input is empty; a request has a count, which may be 0"),
        ("{}", "input is empty; a request has a count, which may be 0"),
        ('{"input": {"text": "hello"}, "output": 2}', "input is empty; a request has a count, which may be 0"),
        ('{"input": ' + "9" * 5_000 + ', "output": 2}', "JSON that is too long or too deep to read"),
        ('{"input": 10, "output": 2, "x": ' + '{"x": ' * 50_000, "JSON that is too long or too deep to read"),
    ],
    ids=["cut", "colon", "csv", "array", "text", "null", "missing", "nothing", "nested", "long", "deep"],
)
def test_broken_lines_of_json(log, line, reason):
    good = '{"input": 10, "output": 2}'
    bad = _only_bad(tc.read_trace(log(f"{good}\n{line}\n{good}\n")))

    assert bad == tc.BadRow(2, reason, line[:200])


def test_a_deep_object_that_json_still_reads(log):
    """Flattening goes no deeper than the interpreter does; that is a bad row, not a crash."""
    good, deep = '{"input": 10, "output": 2}', '{"input": 10, "output": 2, "x": ' + '{"x": ' * 900 + "1" + "}" * 901
    trace = tc.read_trace(log(f"{good}\n{deep}\n{good}\n"))

    assert trace.requests + len(trace.bad) == 3


@pytest.mark.parametrize("counts", ["totals", "disjoint"])
def test_parts_above_their_total(log, counts):
    """What is impossible for inclusive counts is right for disjoint ones."""
    trace = tc.read_trace(log("input,cached_tokens,output\n10,0,2\n10,11,2\n"), counts=counts)

    if counts == "disjoint":
        assert trace.total == tc.Usage(input=20, cache_read=11, output=4)
    else:
        (bad,) = trace.bad
        assert (bad.number, bad.text, trace.rows[0].usage) == (3, "10,11,2", GOOD)
        assert bad.reason.startswith("input=10 is less than its parts cache_read=11; the total must contain them")


def test_a_bad_part_makes_its_row_bad(log):
    trace = tc.read_trace(log("input,cached_tokens,output\n10,0,2\n10,some,2\n10,0,2\n"))

    assert _only_bad(trace).reason == "cache_read='some' is not a whole number; write it in figures, without separators"


def test_a_cut_last_line(log):
    """A log that is still being written ends in the middle of a line."""
    trace = tc.read_trace(log('note,input,output\n"a, b",10,2\n"c, '))

    assert (trace.total, trace.bad) == (GOOD, (tc.BadRow(3, "a quote opens and never closes", '"c,'),))


def test_a_named_meter_is_needed_in_every_row(log):
    trace = tc.read_trace(log("seconds,user\n30,a\n,b\n5,c\n"), columns={"audio_s": "seconds"})

    assert trace.bad == (tc.BadRow(3, "audio_s is empty; a request has a count, which may be 0", ",b"),)


def test_bad_rows_stand_in_the_order_of_the_file(log):
    trace = tc.read_trace(log("input,output\n1\n-1,1\n1,2,3\nx,1\n1,1\n"))

    assert [bad.number for bad in trace.bad] == [2, 3, 4, 5]


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["ok", "-1", "x", "", "1.5", "short", "long", '"']))))
def test_every_row_is_good_or_bad(tmp_path_factory, rows):
    """Nothing is lost: good rows add up, and each bad one is listed with its line."""
    lines = []
    for count, kind in rows:
        lines.append(
            {"ok": f"{count},{count}", "short": f"{count}", "long": f"{count},1,1", '"': f'{count},"{count}"x'}.get(kind, f"{kind},1")
        )
    path = tmp_path_factory.mktemp("rows") / "log.csv"
    path.write_text("\n".join(["input,output", "1,1", *lines]), encoding="utf-8")
    trace = tc.read_trace(path)
    good = [count for count, kind in rows if kind == "ok"]

    assert trace.total == tc.Usage(input=sum(good) + 1, output=sum(good) + 1)
    assert [bad.number for bad in trace.bad] == [n for n, (_, kind) in enumerate(rows, 3) if kind != "ok"]
    assert all(bad.reason for bad in trace.bad)
    assert [bad.text for bad in trace.bad] == [line.strip() for line, (_, kind) in zip(lines, rows, strict=True) if kind != "ok"]

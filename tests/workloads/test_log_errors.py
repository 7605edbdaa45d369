"""Logs that cannot be read at all: what is wrong, and the cure."""

from __future__ import annotations

import codecs
import re

import pytest

import tokencost as tc

LINE = '{"input": 1, "output": 2}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; a log has a header line and one request a line"),
        (" \n\r\n", "is empty; a log has a header line and one request a line"),
        ("\ufeff", "is empty; a log has a header line and one request a line"),
        ("input,output\n", "has no rows; a log has a header line and one request a line"),
        ("input,output\n\n\n", "has no rows; a log has a header line and one request a line"),
        ('""', "has no rows; a log has a header line and one request a line"),
        (b"PK\x03\x04\x00\x00input,output\n1,2\n", "is binary, not text; export it as UTF-8 CSV or JSON lines"),
        ("input,output\n1,2\n".encode("utf-16"), "is UTF-16 text; export it as UTF-8 CSV or JSON lines"),
        (codecs.BOM_UTF16_BE + "input,output\n1,2\n".encode("utf-16-be"), "is UTF-16 text; export it as UTF-8 CSV or JSON lines"),
        ("input,output\n1,2\n".encode("utf-16-le"), "is binary, not text; export it as UTF-8 CSV or JSON lines"),
        ("modèle,input,output\nx,1,2\n".encode("latin-1"), "is not UTF-8 text (byte 3); export it as UTF-8 CSV or JSON lines"),
        ("input,output,input\n1,2,3\n", "column 'input' stands twice in"),
        ("input, output,input \n1,2,3\n", "column 'input' stands twice in"),
        ('"input,output\n1,2\n', "the header of PATH, line 1, is broken: a quote opens and never closes; correct it"),
        (f"[{LINE}]", "is one JSON array; write one object a line (JSON lines)"),
        (f"\n  [\n{LINE}\n]", "is one JSON array; write one object a line (JSON lines)"),
        ('{\n  "input": 1,\n', "has no rows; its first line is bad, not JSON (expecting property name enclosed in double quotes)"),
        ("input,output\n-1,2\n1\n", "no row of PATH can be rated; the first is row 2: input=-1 is negative; counts are 0 or more"),
        ("input,output\n1\n-1,2\n", "no row of PATH can be rated; the first is row 2: 1 cell, and the header has 2"),
        ("input,output\n1\n2\n", "has no rows; its first line is bad, 1 cell, and the header has 2"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:24],
)
def test_the_message_says_what_is_wrong(log, content, message):
    path = log(content)

    with pytest.raises(tc.TraceError, match=re.escape(message.replace("PATH", str(path)))) as caught:
        tc.read_trace(path)

    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(tc.TraceError, match=r"^cannot read '.*log\.csv': no such file or directory; pass the path of a CSV"):
        tc.read_trace(tmp_path / "log.csv")


def test_a_folder(tmp_path):
    with pytest.raises(tc.TraceError, match=r"is a directory; pass the path of a CSV"):
        tc.read_trace(tmp_path)


def test_a_path_that_cannot_be():
    with pytest.raises(tc.TraceError, match=r"null (byte|character).*; pass the path of a CSV"):
        tc.read_trace("log\0.csv")


def test_errors_are_value_errors(tmp_path):
    with pytest.raises(ValueError, match="cannot read"):
        tc.read_trace(tmp_path / "log.csv")


@pytest.mark.parametrize(
    ("header", "columns", "message"),
    [
        (
            "when,tok_in,tok_out",
            {},
            "no column of input and output tokens in PATH, which has when, tok_in, tok_out; name them with columns={'input': 'NAME', ",
        ),
        (
            "when,tok_in,tok_out",
            {},
            "'output': 'NAME'}, on the command line --column input=NAME --column output=NAME, or '' for none",
        ),
        (
            "when,input,tok_out",
            {},
            "no column of output tokens in PATH, which has when, input, tok_out; name it with columns={'output': 'NAME'}",
        ),
        (
            "when,tok_in,output",
            {},
            "no column of input tokens in PATH, which has when, tok_in, output; name it with columns={'input': 'NAME'}",
        ),
        ("when,tok_in,tok_out", {"input": "tok_in"}, "no column of output tokens in PATH"),
        ("when,tok_in,tok_out", {"output": "tok_out"}, "no column of input tokens in PATH"),
        ("when,tok_in,tok_out", {"at": "when", "cache_read": "tok_in"}, "no column of input and output tokens in PATH"),
        ("when,tokens_in,tok_out", {"output": "tokens_out"}, "no column 'tokens_out' in PATH; did you mean 'tok_out' or 'tokens_in'?"),
        ("a,b,c", {"input": "zzz"}, "no column 'zzz' in PATH; it has a, b, c"),
        ("a,input,output", {"input": "a", "output": "a"}, "column 'a' is named for both input and output; name it once"),
        (
            "prompt_tokens,Prompt Tokens,output",
            {},
            "columns 'Prompt Tokens' and 'prompt_tokens' of PATH both look like input; name one with columns={'input': 'Prompt Tokens'}",
        ),
        (",".join(f"c{n}" for n in range(30)), {}, "c18, c19 and 10 more; name them with"),
    ],
)
def test_columns_that_are_not_clear(log, header, columns, message):
    """The message names what there is, and how to name what is meant."""
    path = log(f"{header}\n{','.join('1' for _ in header.split(','))}\n")

    with pytest.raises(tc.TraceError) as caught:
        tc.read_trace(path, columns=columns)

    assert message.replace("PATH", str(path)) in str(caught.value)
    assert caught.value.columns == tuple(header.split(","))


def test_equal_columns_are_clear_once_one_is_named(log):
    path = log("prompt_tokens,Prompt Tokens,output\n1,2,3\n")

    assert tc.read_trace(path, columns={"input": "Prompt Tokens"}).total == tc.Usage(input=2, output=3)


@pytest.mark.parametrize(
    ("meter", "message"),
    [
        ("imput", "no meter 'imput' to read a column for; did you mean 'input' or 'image_input'?"),
        ("cache_red", "no meter 'cache_red' to read a column for; did you mean 'cache_read'"),
        ("zzz", "no meter 'zzz' to read a column for; the meters are in tokencost.METERS"),
    ],
)
def test_meters_that_do_not_exist(log, meter, message):
    with pytest.raises(tc.UnknownNameError, match=re.escape(message)) as caught:
        tc.read_trace(log("input,output\n1,2\n"), columns={meter: "input"})

    assert caught.value.name == meter


def test_a_way_of_counting_that_does_not_exist(log):
    with pytest.raises(tc.UnknownNameError, match="counts='total' is not a way to count; pass 'totals' or 'disjoint'"):
        tc.read_trace(log("input,output\n1,2\n"), counts="total")


def test_the_first_bad_line_of_json_is_no_header(log):
    """A broken first line is one bad row; the columns come from all the others."""
    trace = tc.read_trace(log(f'{{"error": "timeout"\n{{"error": "timeout"}}\n{LINE}\n', "log.jsonl"))

    assert (trace.total, [bad.number for bad in trace.bad]) == (tc.Usage(input=1, output=2), [1, 2])


def test_all_facts_are_attributes(log):
    path = log("input,output\n-1,2\nx,2\n")

    with pytest.raises(tc.TraceError) as caught:
        tc.read_trace(path)

    assert [bad.number for bad in caught.value.bad] == [2, 3]

"""`tokencost tokens`: a text as tokens, from the command line."""

import json
from decimal import Decimal

import pytest

import tokencost as tc
from tokencost.cli.tokens import DEFAULT_MODELS

AT = ("--at", "2026-11-20T12:00:00Z")


@pytest.fixture
def prompt(tmp_path):
    path = tmp_path / "prompt.txt"
    path.write_bytes("Compare what the text costs.\r\n要比较的是文字的价格。\n".encode())
    return path


def test_json_equals_the_library(read_json, prompt):
    made = read_json("tokens", prompt, "--model", "gpt-4o", "--model", "claude-opus-4-5", *AT)
    result = tc.compare_text(prompt.read_bytes().decode(), ["gpt-4o", "claude-opus-4-5"], at=AT[1])
    assert [(row["offering"], row["input_tokens"], Decimal(row["total_cost"])) for row in made["offerings"]] == [
        (row.offering, row.sent.tokens, row.total.cost.amount) for row in result.rows
    ]
    assert (made["at"], made["at_is_now"], made["currency"], made["characters"]) == (AT[1], False, "USD", result.characters)


def test_the_table_is_that_of_the_library(ok, prompt):
    text = prompt.read_bytes().decode()
    assert ok("tokens", prompt, *AT) == f"{tc.compare_text(text, DEFAULT_MODELS, at=AT[1])}\n"


def test_standard_input(ok, prompt):
    assert ok("tokens", "-", *AT, input=prompt.read_bytes()) == ok("tokens", prompt, *AT)


def test_a_completion(read_json, prompt, tmp_path):
    answer = tmp_path / "answer.txt"
    answer.write_text("The text.", encoding="utf-8")
    made = read_json("tokens", prompt, "--completion", answer, "--model", "gpt-4o", *AT)
    assert made["completion_characters"] == 9
    row = made["offerings"][0]
    assert Decimal(row["total_cost"]) == Decimal(row["input_cost"]) + Decimal(row["output_cost"])


def test_without_an_instant_it_says_which_one_was_taken(ok, prompt):
    assert "instant: now, " in ok("tokens", prompt, "--model", "gpt-4o")


@pytest.mark.parametrize("raw", [b"\xff\xfeh\x00i\x00", b"abc\x89PNG"])
def test_a_file_that_is_no_text_ends_with_1(refused, tmp_path, raw):
    path = tmp_path / "picture.bin"
    path.write_bytes(raw)
    assert "not UTF-8 text" in refused(1, "tokens", path, *AT)


def test_a_file_that_is_not_there_ends_with_1(refused, tmp_path):
    assert "no such file" in refused(1, "tokens", tmp_path / "none.txt", *AT)


def test_questions_that_cannot_be_answered_end_with_2(refused, prompt):
    assert "no tokenizer of 'claude-opus-4-5' is known" in refused(
        2, "tokens", prompt, "--model", "claude-opus-4-5", "--basis", "exact", *AT
    )
    assert "gpt-9o" in refused(2, "tokens", prompt, "--model", "gpt-9o", *AT)


def test_an_empty_file(ok, tmp_path):
    path = tmp_path / "empty.txt"
    path.touch()
    assert json.loads(ok("tokens", path, "--model", "gpt-4o", *AT, "--json"))["offerings"][0]["total_cost"] == "0"

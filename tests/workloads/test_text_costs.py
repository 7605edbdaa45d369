"""One text on many offerings: exact costs, prices per million characters, order, and reasons."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

TEXTS = Path(__file__).parents[2] / "benchmarks" / "texts"
AT = "2026-11-20T12:00:00Z"
MODELS = ("openai/global/gpt-4o", "alibaba/global/qwen3-max", "deepseek/global/deepseek-flash")

GOLDEN = {  # tokens, cost as input, price per million characters as input and as output
    "english": {
        "deepseek/global/deepseek-flash": (79, "0.00001185", "0.030463", "0.121851"),
        "alibaba/global/qwen3-max": (78, "0.0000936", "0.240617", "1.203085"),
        "openai/global/gpt-4o": (78, "0.000195", "0.501285", "2.005141"),
    },
    "chinese": {
        "deepseek/global/deepseek-flash": (71, "0.00001065", "0.089496", "0.357983"),
        "alibaba/global/qwen3-max": (76, "0.0000912", "0.766387", "3.831933"),
        "openai/global/gpt-4o": (87, "0.0002175", "1.827731", "7.310924"),
    },
    "python": {
        "deepseek/global/deepseek-flash": (122, "0.0000183", "0.038285", "0.153138"),
        "alibaba/global/qwen3-max": (122, "0.0001464", "0.306276", "1.531381"),
        "openai/global/gpt-4o": (119, "0.0002975", "0.622385", "2.48954"),
    },
}


@pytest.mark.parametrize(("name", "rows"), GOLDEN.items())
def test_the_three_paragraphs(book, name, rows):
    result = tc.compare_text((TEXTS / f"{name}.txt").read_text(encoding="utf-8"), MODELS, at=AT, book=book)
    assert [row.offering for row in result.rows] == list(rows)
    for row in result.rows:
        costs = (row.as_input.cost, row.as_input.per_million_characters, row.as_output.per_million_characters)
        assert (
            row.sent.tokens,
            *(str(money.amount) if money.amount >= Decimal("1e-6") else f"{money.amount:f}" for money in costs),
        ) == tuple(f"{Decimal(value):f}" if isinstance(value, str) else value for value in rows[row.offering])


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60), model=st.sampled_from(MODELS))
def test_costs_are_those_of_a_quote(book, text, model):
    row = tc.compare_text(text, [model], at=AT, book=book).rows[0]
    tokens = tc.count_tokens(text, model, book=book).tokens
    assert row.as_input.cost == book.quote(model, tc.Usage(input=tokens), at=AT).total
    assert row.as_output.cost == book.quote(model, tc.Usage(output=tokens), at=AT).total
    assert row.total == row.as_input
    assert row.as_input.low == row.as_input.cost == row.as_input.high


def test_a_completion_makes_one_request(book):
    result = tc.compare_text("Say hi.", ["gpt-4o"], at=AT, book=book, completion="Hi there!")
    row = result.rows[0]
    usage = tc.Usage(input=row.sent.tokens, output=row.made.tokens)
    assert (result.characters, result.completion_characters) == (7, 9)
    assert row.total.cost == book.quote("gpt-4o", usage, at=AT).total == row.as_input.cost + row.as_output.cost
    assert "a text of 7 characters and a completion of 9" in str(result)


def test_an_estimate_carries_the_costs_of_its_bounds(book):
    result = tc.compare_text("Compare what the text costs.", ["claude-opus-4-5"], at=AT, book=book)
    row = result.rows[0]
    quoted = [book.quote("claude-opus-4-5", tc.Usage(input=n), at=AT).total for n in (row.sent.tokens, row.sent.low, row.sent.high)]
    assert list(row.total[:3]) == quoted
    assert row.total.low < row.total.cost < row.total.high
    assert f"anthropic/global/claude-opus-4-5: estimate, {row.sent.low} to {row.sent.high} tokens" in str(result)
    assert f"~{row.sent.tokens}" in result._repr_html_()


def test_an_empty_text_costs_nothing_and_has_no_price_per_character(book):
    row = tc.compare_text("", ["gpt-4o"], at=AT, book=book).rows[0]
    assert (row.sent.tokens, row.total.cost, row.total.per_million_characters) == (0, tc.Money(0, "USD"), None)


def test_an_offering_named_twice_is_there_once(book):
    assert len(tc.compare_text("a", ["gpt-4o", "gpt-4o"], at=AT, book=book).rows) == 1


def test_other_currencies_are_not_ranked_without_a_conversion(book):
    names = ["alibaba/china/qwen-plus", "gpt-4o"]
    plain = tc.compare_text("some text", names, at=AT, book=book)
    assert [row.total.cost.currency for row in plain.rows] == ["USD", "CNY"]
    assert plain.records()[1]["currency"] == "CNY"
    fx = tc.ExchangeTable([(date(2026, 11, 19), "USD", "CNY", "7.10", "test")])
    converted = tc.compare_text("some text", names, at=AT, book=book, fx=fx)
    assert [row.total.cost.currency for row in converted.rows] == ["USD", "USD"]
    assert converted.rows[0].offering == "alibaba/china/qwen-plus"


def test_what_has_no_price_says_why(book):
    result = tc.compare_text("some text", ["deepseek-chat", "text-embedding-3-large", "gpt-4o"], at=AT, book=book)
    assert [row.offering.split("/")[-1] for row in result.rows] == ["text-embedding-3-large", "gpt-4o", "deepseek-chat"]
    embedding, _, retired = result.rows
    assert embedding.as_output is None
    assert "has no rate for output" in embedding.reasons[0]
    assert (retired.total, retired.as_input) == (None, None)
    assert "no price of deepseek/global/deepseek-chat is known" in retired.reasons[0]
    assert result.records()[2]["total_cost"] is None


def test_records_are_plain(book):
    record = tc.compare_text("hello world", ["gpt-4o"], at=AT, book=book).records()[0]
    assert record["input_tokens"] == record["input_tokens_low"] == 2
    assert (record["input_basis"], record["input_tokenizer"]) == ("exact", "o200k_base")
    assert (record["total_cost"], record["currency"], record["reasons"]) == (Decimal("0.000005"), "USD", ())
    assert record["input_per_million_characters"] == Decimal("0.454545")


@pytest.mark.parametrize(("offerings", "kind"), [([], tc.UsageError), ("gpt-4o", tc.UsageTypeError), (["gpt-9o"], tc.UnknownNameError)])
def test_offerings_are_checked(book, offerings, kind):
    with pytest.raises(kind):
        tc.compare_text("a", offerings, at=AT, book=book)


@pytest.mark.parametrize("extra", [{"text": b"x"}, {"text": "a", "completion": b"x"}])
def test_texts_are_checked(book, extra):
    with pytest.raises(tc.TextTypeError):
        tc.compare_text(extra.pop("text"), ["gpt-4o"], at=AT, book=book, **extra)


def test_a_text_is_counted_once_for_each_tokenizer(book, monkeypatch):
    seen = []
    monkeypatch.setattr("tokencost.workloads.tokens.count_with", lambda tokenizer, text: seen.append(tokenizer) or len(text))
    tc.compare_text("some text", ["gpt-4o", "gpt-4o-mini", "gpt-4"], at=AT, book=book)
    assert seen == ["o200k_base", "cl100k_base"]

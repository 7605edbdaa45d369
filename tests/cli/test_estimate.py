"""`tokencost estimate`: a month of a workload from the command line."""

import json
from decimal import Decimal

import pytest

import tokencost as tc

NUMBERS = ("--requests", "100k", "--prompt", "3000", "--completion", "400")
MONTH = ("--month", "2026-03")


def described(**more):
    return tc.Workload.described(requests=100_000, prompt=3_000, completion=400, **more)


def test_from_a_few_numbers(ok):
    expected = tc.estimate(described(cached="0.5"), "gpt-4o", month="2026-03")

    assert ok("estimate", "gpt-4o", *NUMBERS, "--cached", "0.5", *MONTH) == f"{expected}\n"


def test_a_law_of_sizes_and_a_seed(ok):
    law = tc.Law.lognormal(median=1500, p90=9000, most=60_000)
    workload = tc.Workload.described(requests=1_000_000, prompt=law, completion=350)
    words = ("--requests", "1M", "--prompt", "1500:9000:60k", "--completion", "350", "--draws", "50", "--seed", "3")

    assert ok("estimate", "gpt-4o", *words, *MONTH) == f"{tc.estimate(workload, 'gpt-4o', month='2026-03', draws=50, seed=3)}\n"


def test_without_demand_the_shipped_chat_is_taken(ok):
    assert ok("estimate", "gpt-4o", *MONTH, "--draws", "0").startswith(tc.load_workload("chat").title)


def test_a_named_workload_with_other_figures(ok):
    words = ("--workload", "retrieval", "--requests", "5000", "--cached", "0.1", "--growth", "0.2", "--draws", "0")
    expected = tc.load_workload("retrieval").with_requests(5000).with_cached("0.1").with_growth("0.2")

    assert ok("estimate", "gpt-4o", *words, *MONTH) == f"{tc.estimate(expected, 'gpt-4o', month='2026-03', draws=0)}\n"


def test_a_workload_from_a_file(ok, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(described().to_toml(), encoding="utf-8")

    assert ok("estimate", "gpt-4o", "--workload", path, *MONTH) == ok("estimate", "gpt-4o", *NUMBERS, *MONTH)


def test_sensitivity_follows_the_estimate(ok):
    workload = described(cached="0.5")
    words = ("estimate", "gpt-4o", *NUMBERS, "--cached", "0.5", *MONTH, "--draws", "0")

    assert ok(*words, "--sensitivity") == f"{ok(*words)}\n{tc.sensitivity(workload, 'gpt-4o', month='2026-03')}\n"


def test_json_equals_the_library(read_json):
    made = read_json("estimate", "gpt-4o", *NUMBERS, "--cached", "0.5", *MONTH, "--quantiles", "0.5, 0.99", "--sensitivity")
    expected = tc.estimate(described(cached="0.5"), "gpt-4o", month="2026-03", quantiles=("0.5", "0.99"))

    assert Decimal(made["expected"]) == expected.expected.amount
    assert [(Decimal(row["share"]), Decimal(row["cost"])) for row in made["quantiles"]] == [
        (Decimal(str(float(own.share))), own.cost.amount) for own in expected.quantiles
    ]
    assert [(row["meter"], Decimal(row["cost"])) for row in made["rows"]] == [(row["meter"], row["cost"]) for row in expected.records()]
    assert [row["driver"] for row in made["sensitivity"]] == [row.driver for row in expected.sensitivity().rows]
    assert (made["month"], made["month_is_now"], made["currency"], made["tokens"]) == ("2026-03", False, "USD", "340000000")


def test_json_without_a_price_has_no_total(read_json):
    words = ("--requests", "10", "--prompt", "150k:400k:900k", "--completion", "10", "--draws", "0")
    made = read_json("estimate", "claude-sonnet-4-5", *words, "--month", "2026-10")

    assert (made["expected"], made["sensitivity"]) == (None, None)
    (missing,) = made["unpriced"]
    assert Decimal(missing["requests"]) > 0
    assert "prices no request of more than 200,000 input tokens" in missing["reason"]


def test_credits_are_in_json(read_json):
    made = read_json("estimate", "gemini-2.5-pro", *NUMBERS, *MONTH)

    json.dumps(made["credits"])
    assert Decimal(made["credit"]) >= 0


def test_without_a_month_it_says_which_one_was_taken(ok, read_json):
    assert "month: this one, " in ok("estimate", "gpt-4o", *NUMBERS, "--draws", "0")
    assert read_json("estimate", "gpt-4o", *NUMBERS, "--draws", "0")["month_is_now"]


def test_another_currency(ok):
    words = ("estimate", "alibaba/china/qwen3-max", *NUMBERS, "--month", "2026-11", "--currency", "USD", "--draws", "0")

    assert "the list is in CNY, not USD" in ok(*words)
    assert "converted at 7.1 CNY per USD of 2026-10-30 (command line)" in ok(*words, "--fx", "2026-10-30 USD/CNY=7.1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--prompt", "10"), "--requests is missing; demand from numbers needs --requests, --prompt and --completion"),
        (("--requests", "5", "--prompt", "10"), "--completion is missing; demand from numbers"),
        (("--workload", "chat", "--prompt", "10"), "--workload has sizes of its own; leave --prompt and --completion out"),
        ((*NUMBERS[:2], "--prompt", "1:2", "--completion", "5"), "invalid value for '--prompt': '1:2' is no length; write it like 3000"),
        ((*NUMBERS[:2], "--prompt", "x", "--completion", "5"), "invalid value for '--prompt': 'x' is no count"),
        ((*NUMBERS[:2], "--prompt", "9:5:7", "--completion", "5"), "lognormal"),
        ((*NUMBERS, "--cached", "1.5"), "cached=1.5 is outside 0 to 1"),
        ((*NUMBERS, "--cached", "half"), "cached='half' is not a number"),
        ((*NUMBERS, "--growth", "-1"), "growth=-1 a month leaves nothing or less"),
        (
            (*NUMBERS, "--uncertain", "size=0.1"),
            "invalid value for '--uncertain': 'size=0.1' is none of requests, cached, completion, growth",
        ),
        ((*NUMBERS, "--uncertain", "requests"), "write it like requests=0.2"),
        ((*NUMBERS, "--uncertain", "requests=-1"), "uncertainty of requests -1 is negative"),
        ((*NUMBERS, "--month", "2026-13"), "'2026-13'"),
        ((*NUMBERS, "--quantiles", "0.5,2"), "quantile=2 is outside 0 to 1"),
        ((*NUMBERS, "--draws", "-1"), "draws=-1"),
        (("--workload", "chatt"), "no workload 'chatt'; pass the path of a TOML file"),
    ],
)
def test_questions_that_cannot_be_answered(refused, words, said):
    assert said in refused(2, "estimate", "gpt-4o", *words, *(() if "--month" in words else MONTH))


def test_an_unknown_model(refused):
    assert refused(2, "estimate", "gpt-9o", *NUMBERS, *MONTH).startswith("no model 'gpt-9o'")

"""`tokencost forecast`: months to come from the command line, as a table, as JSON and as a figure."""

import importlib
import json
from dataclasses import replace
from decimal import Decimal

import pytest

import tokencost as tc

NUMBERS = ("--requests", "400k", "--prompt", "3000", "--completion", "350", "--cached", "0.4", "--growth", "0.05")
SPAN = ("--start", "2026-10", "--months", "5", "--draws", "200")


def described(**more):
    return tc.Workload.described(requests=400_000, prompt=3_000, completion=350, cached="0.4", growth="0.05", **more)


def ahead(workload, model, **more):
    return tc.forecast(workload, model, **{"start": "2026-10", "months": 5, "draws": 200, **more})


def test_a_table(ok):
    assert ok("forecast", "gemini-3.8-flash", *NUMBERS, *SPAN) == f"{ahead(described(), 'gemini-3.8-flash')}\n"


def test_a_budget_an_uncertainty_and_other_quantiles(ok):
    words = ("--budget", "6000", "--uncertain", "requests=0.2", "--uncertain", "growth=0.01", "--quantiles", "0.1,0.9", "--seed", "4")
    workload = replace(described(), uncertainty=tc.Uncertainty(requests="0.2", growth="0.01"))
    expected = ahead(workload, "gemini-3.8-flash", budget="6000", quantiles=("0.1", "0.9"), seed=4)

    assert ok("forecast", "gemini-3.8-flash", *NUMBERS, *SPAN, *words) == f"{expected}\n"


def test_nothing_is_carried_unless_it_may_be(ok):
    assert "beyond='carry' assumes that it goes on" in ok("forecast", "gemini-3.8-flash", *NUMBERS, *SPAN, "--beyond", "stop")


def test_json_equals_the_library(read_json):
    made = read_json("forecast", "gemini-3.8-flash", *NUMBERS, *SPAN, "--budget", "6000")
    expected = ahead(described(), "gemini-3.8-flash", budget=6000)

    assert Decimal(made["total"]) == expected.total.amount
    assert [(row["month"], Decimal(row["cost"]), row["known"], row["passes_by_end"]) for row in made["months"]] == [
        (row.month, row.cost.amount, row.known, passing.by_end) for row, passing in zip(expected.months, expected.passing, strict=True)
    ]
    assert made["months"][3]["events"][0]["at"] == "2027-01-01T00:00:00Z"
    assert (made["budget"], made["draws"], made["start_is_now"], made["known_until"]) == ("6000", 200, False, "2026-11-02T00:00:00Z")


def test_json_of_months_without_a_price(read_json):
    made = read_json("forecast", "deepseek-v4-pro", *NUMBERS, "--start", "2026-12", "--months", "2", "--draws", "0")

    assert (made["total"], made["months"][1]["cost"], made["months"][1]["known"]) == (None, None, "unknown")


def test_without_a_start_it_says_which_month_was_taken(ok):
    assert "month: this one, " in ok("forecast", "gpt-4o", *NUMBERS, "--months", "1", "--draws", "0")


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "PNG"])
def test_a_figure(ok, tmp_path, ending):
    path = tmp_path / f"bill.{ending}"
    words = ("forecast", "gemini-3.8-flash", *NUMBERS, *SPAN)

    assert ok(*words, "--plot", path) == f"{ok(*words)}figure: {path.as_posix()}\n"
    assert path.stat().st_size > 5_000


def test_a_figure_beside_json(read_json, tmp_path):
    path = tmp_path / "bill.svg"

    assert read_json("forecast", "gemini-3.8-flash", *NUMBERS, *SPAN, "--plot", path)["plot"] == path.as_posix()
    assert "</svg>" in path.read_text(encoding="utf-8")


def test_a_figure_of_costs(ok, tmp_path):
    words = ("compare", "gpt-4o", "o1", "--at", "2025-03-01T12:00:00Z")
    path = tmp_path / "costs.svg"

    assert ok(*words, "--plot", path) == f"{ok(*words)}figure: {path.as_posix()}\n"
    assert "</svg>" in path.read_text(encoding="utf-8")


def test_a_figure_of_hit_rates(ok, tmp_path):
    rows = ({"timestamp": 9000 * n, "input_length": 4096, "output_length": 10, "hash_ids": list(range(8))} for n in range(5))
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    words = ("cache", "replay", tmp_path / "log.jsonl", "--rule", "openai", "--model", "gpt-4o", "--at", "2026-03-01T00:00:00Z")
    path = tmp_path / "hits.png"

    assert ok(*words, "--plot", path) == f"{ok(*words)}figure: {path.as_posix()}\n"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_figure_is_refused_before_anything_is_worked_out(refused, tmp_path, monkeypatch):
    words = ("forecast", "no-such-model", "--plot")

    assert refused(2, *words, "bill.txt").startswith("invalid value for '--plot': 'bill.txt' is no figure by its name; end it with .png")
    assert "is no folder; make it first" in refused(2, *words, tmp_path / "none" / "bill.png")
    extra = importlib.import_module("tokencost.display.extra")

    def missing(name):
        raise ModuleNotFoundError(name, name=name)

    monkeypatch.setattr(extra, "import_module", missing)
    assert "needs matplotlib; install it with: pip install 'tokencost-tariffs[plot]'" in refused(2, *words, "bill.png")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--months", "0"), "months=0 is not a whole number from 1 to 600"),
        (("--start", "soon"), "'soon'"),
        (("--budget", "much"), "'much'"),
        (("--budget", "-5 EUR"), "-5 EUR"),
        (("--draws", "-1"), "draws=-1"),
        (("--beyond", "guess"), "'guess' is not one of 'carry', 'stop'"),
    ],
)
def test_questions_that_cannot_be_answered(refused, words, said):
    assert said in refused(2, "forecast", "gemini-3.8-flash", *NUMBERS, *SPAN, *words)

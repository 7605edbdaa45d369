"""`tokencost quote`."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.cli.options import as_count, matching

AT = ("--at", "2025-02-01T12:00:00Z")
WORKED = ("quote", "deepseek-reasoner", "--input", "30M", "--cache-read", "70M", "--output", "10M", *AT)


def test_the_table_has_the_lines_the_total_and_the_evidence(ok):
    lines = ok(*WORKED).splitlines()
    assert lines[0] == "deepseek/global/deepseek-reasoner at 2025-02-01T12:00:00Z (USD, standard)"
    assert [line.split()[-3:] for line in lines[3:6]] == [["16.50", "USD", "list"], ["9.80", "USD", "list"], ["21.90", "USD", "list"]]
    assert lines[6].split() == ["total", "48.20", "USD"]
    assert re.fullmatch(r"list of 2025-01-20T00:00:00Z \(announced\), checked \S+: https://api-docs\.deepseek\.com/\S+", lines[8])


def test_the_output_is_that_of_the_library(ok, book):
    quote = book.quote("deepseek-reasoner", tc.Usage(input=30_000_000, cache_read=70_000_000, output=10_000_000), at=AT[1])
    assert ok(*WORKED) == f"{quote.table().text()}\n"


def test_json_is_exact_text(read_json):
    made = read_json(*WORKED)
    assert made["total"] == {"amount": "48.2", "currency": "USD"}
    assert [(line["meter"], line["quantity"], line["price"], line["amount"]["amount"]) for line in made["lines"]] == [
        ("input", 30_000_000, "0.55", "16.5"),
        ("cache_read", 70_000_000, "0.14", "9.8"),
        ("output", 10_000_000, "2.19", "21.9"),
    ]
    assert (made["offering"], made["at"], made["at_is_now"]) == ("deepseek/global/deepseek-reasoner", "2025-02-01T12:00:00Z", False)
    assert (made["exchange"], made["window"], made["warnings"]) == (None, None, [])
    assert made["evidence"]["source"]["url"].startswith("https://api-docs.deepseek.com/")


@given(
    counts=st.fixed_dictionaries(
        {"input": st.integers(1, 10**9)}, optional={name: st.integers(0, 10**9) for name in ("output", "cache_read", "reasoning")}
    )
)
def test_json_is_the_librarys_total_to_the_last_digit(book, counts):
    from click.testing import CliRunner

    from tokencost.cli import door

    options = [part for name, count in counts.items() for part in (f"--{name.replace('_', '-')}", str(count))]
    made = json.loads(CliRunner().invoke(door, ["quote", "gpt-4o", *options, *AT, "--json"]).stdout)
    assert Decimal(made["total"]["amount"]) == book.cost("gpt-4o", tc.Usage(**counts), at=AT[1])
    assert sum((Decimal(line["amount"]["amount"]) for line in made["lines"]), Decimal(0)) == Decimal(made["total"]["amount"])


def test_without_an_instant_now_is_taken_and_said(ok, read_json):
    before = datetime.now(UTC).replace(microsecond=0)
    last = ok("quote", "gpt-4o", "--input", "1M").splitlines()[-1]
    after = datetime.now(UTC)
    said = re.fullmatch(r"instant: now, (\S+); --at asks for another", last)
    assert before <= tc.to_instant(said.group(1)) <= after
    made = read_json("quote", "gpt-4o", "--input", "1M")
    assert (made["at_is_now"], before <= tc.to_instant(made["at"])) == (True, True)


def test_totals_are_inclusive_counts(read_json):
    disjoint = read_json("quote", "gpt-4o", "--input", "300", "--cache-read", "700", "--output", "80", "--reasoning", "20", *AT)
    totals = read_json("quote", "gpt-4o", "--input", "1000", "--cache-read", "700", "--output", "100", "--reasoning", "20", "--totals", *AT)
    assert totals["usage"] == disjoint["usage"] == {"input": 300, "cache_read": 700, "output": 80, "reasoning": 20}
    assert totals["total"] == disjoint["total"]


def test_any_meter_can_be_counted(read_json):
    made = read_json("quote", "gpt-5", "--meter", "web-search=1k", "--meter", "cache_read=1M", "--at", "2026-08-01T00:00:00Z")
    assert made["usage"] == {"web_search": 1000, "cache_read": 1_000_000}


def test_the_choice_of_rows(read_json):
    standard = read_json("quote", "gpt-4o", "--input", "1M", *AT)
    batch = read_json("quote", "gpt-4o", "--input", "1M", "--service-tier", "batch", *AT)
    assert (standard["total"]["amount"], batch["total"]["amount"]) == ("2.5", "1.25")
    yuan = read_json("quote", "deepseek-reasoner", "--input", "1M", "--currency", "CNY", *AT)
    assert yuan["total"] == {"amount": "4", "currency": "CNY"}


def test_a_conversion_shows_the_rate_its_day_and_where_it_is_from(ok, read_json):
    args = ("quote", "gpt-4o", "--input", "1M", "--currency", "CNY", "--at", "2025-02-24T12:00:00Z")
    fx = ("--fx", "2025-02-24 USD/CNY=7.2464", "--fx", "2025-02-23 usd / cny = 7.1")
    assert "converted: 18.116 CNY = 2.50 USD at 7.2464 CNY per USD of 2025-02-24 (command line)" in ok(*args, *fx).splitlines()
    made = read_json(*args, *fx)
    assert made["total"] == {"amount": "18.116", "currency": "CNY"}
    assert made["native"] == {"amount": "2.5", "currency": "USD"}
    assert made["exchange"] == {
        "on": "2025-02-24",
        "base": "USD",
        "target": "CNY",
        "rate": "7.2464",
        "source": "command line",
        "inverse": False,
    }


def test_tables_of_ones_own(read_json, acme):
    made = read_json("quote", "model", "--input", "1M", "--tables", acme, *AT)
    assert (made["offering"], made["total"]["amount"]) == ("acme/global/model", "0.55")


def test_an_offset_is_converted(read_json):
    assert read_json("quote", "gpt-4o", "--input", "1", "--at", "2025-02-01T20:00:00+08:00")["at"] == "2025-02-01T12:00:00Z"


def test_a_dropped_part_of_a_name_is_said(read_json):
    made = read_json("quote", "claude-3-7-sonnet-latest", "--input", "1", "--at", "2025-06-01T00:00:00Z")
    assert (made["name"], made["offering"].split("/")[0]) == ("claude-3-7-sonnet-latest", "anthropic")


# --- counts and patterns


@given(st.integers(-(10**15), 10**15))
def test_a_count_is_read_however_its_digits_are_grouped(number):
    assert {as_count(None, None, text) for text in (str(number), f"{number:,}", f"{number:_}", f" {number} ")} == {number}


@pytest.mark.parametrize(
    ("text", "count"), [("1k", 1000), ("1.5K", 1500), ("0.000001M", 1), ("70M", 70_000_000), ("2G", 2 * 10**9), ("1.25B", 1_250_000_000)]
)
def test_a_count_may_have_a_suffix(text, count):
    assert as_count(None, None, text) == count


@pytest.mark.parametrize("text", ["", "1.5", "1m", "k", "1e6", "0x10", "nan", "1M5", "--5", "1 000", "1.0000001M"])
def test_a_count_that_is_none_is_refused(text):
    from click import BadParameter

    with pytest.raises(BadParameter):
        as_count(None, None, text)


IDS = ["acme/eu/labs/Rocket-1", "acme/global/rocket-1", "other/global/rocket-1-mini"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (None, [0, 1, 2]),
        ("rocket", [0, 1, 2]),
        ("ACME/", [0, 1]),
        ("rocket-1", [0, 1, 2]),
        ("*rocket-1", [0, 1]),
        ("rocket-?", [1]),
        ("acme/*", [0, 1]),
        ("labs/*", [0]),
        ("[ao]*mini", [2]),
    ],
)
def test_a_pattern_is_a_part_of_the_id_or_a_shell_pattern(pattern, found):
    assert matching(IDS, pattern) == [IDS[n] for n in found]


def test_a_pattern_that_matches_nothing_suggests_names():
    with pytest.raises(tc.UnknownNameError) as caught:
        matching(IDS, "rokcet-1")
    assert caught.value.suggestions[0] in {"rocket-1", "Rocket-1"}

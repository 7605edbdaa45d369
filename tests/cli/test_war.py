"""`tokencost war`: scenarios listed, shown and played, and price indexes."""

import json

import pytest

import tokencost as tc
from tokencost import war

OWN = """
title = "half price"
start = 2026-11-21T00:00:00Z
until = 2027-03-01T00:00:00Z
source = "made up"

[[move]]
at = 2026-12-01T00:00:00Z
offering = "gpt-4o"
kind = "cut"
by = 0.5
meters = ["output"]
"""


@pytest.fixture
def own(tmp_path):
    """A scenario of one's own: the price of output is halved."""
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    return str(path)


def test_the_shipped_scenarios_are_listed(ok):
    listed = json.loads(ok("war", "list", "--json"))
    assert tuple(row["name"] for row in listed) == tc.shipped_scenarios()
    assert all(name in ok("war", "list") for name in tc.shipped_scenarios())


def test_a_scenario_is_shown_with_its_moves_and_source(ok, own):
    text = ok("war", "show", own)
    assert "half price: 2026-11-21 to 2027-03-01, lists stand still otherwise" in text
    assert "gpt-4o" in text
    assert "by 0.5" in text
    assert text.rstrip().endswith("made up")
    assert json.loads(ok("war", "show", own, "--json"))["title"] == "half price"


def test_a_war_is_played_and_its_cut_weighed(ok, own):
    """Output is 6.25 of 12.50 USD: half of it off is a quarter of the bill."""
    counts = ("--input", "1M", "--output", "250k")
    text = ok("war", "play", own, *counts)
    assert "output -50.0%" in text
    assert "-25.0%" in text.split("what it was worth", 1)[1]
    made = json.loads(ok("war", "play", own, *counts, "--json"))
    assert (made["settled"], [row["change"] for row in made["worth"]]) == (True, [-0.25])
    assert [(row["meter"], row["before"], row["after"]) for row in made["events"]] == [("output", "10.0", "5")]


def test_without_a_workload_only_the_log_is_shown(ok, own):
    assert "what it was worth" not in ok("war", "play", own)
    assert "what it was worth" in ok("war", "play", own, "--workload", "short-chat")


def test_json_of_the_cascade_equals_the_library(ok):
    made = json.loads(ok("war", "play", "may-2024", "--input", "1G", "--output", "100M", "--json"))
    rows = tc.play("may-2024").worth(tc.Usage(input=10**9, output=10**8))
    assert [row["change"] for row in made["worth"]] == [None if row.change is None else float(row.change) for row in rows]


def test_an_index_equals_the_library(ok):
    models = ("gpt-4o", "gpt-4o-mini", "claude-3-haiku-20240307")
    words = [word for model in models for word in ("--model", model)]
    found = ok("war", "index", "--from", "2024-06", "--until", "2024-12", "--kind", "chained jevons", *words)
    panel = war.panel_of(
        tc.load_workload("short-chat"), list(models), months=war.months_between("2024-06", "2024-12"), over="first_instant"
    )
    assert found.rstrip("\n") == war.index_table(panel, ["chained jevons"], free="exclude").table().text().rstrip("\n")
    asked = json.loads(ok("war", "index", "--from", "2024-06", "--until", "2024-12", "--kind", "chained jevons", *words, "--json"))
    assert len(asked) == 7


def test_figures_are_drawn(ok, tmp_path, own):
    pytest.importorskip("matplotlib", reason="figures need the extra plot")
    for name, words in (
        ("war.svg", ["play", own]),
        ("index.png", ["index", "--from", "2024-06", "--until", "2024-09", "--model", "gpt-4o"]),
    ):
        target = tmp_path / name
        assert ok("war", *words, "--plot", target).rstrip().endswith(f"figure: {target.as_posix()}")
        assert target.stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["play", "may-2042"], "no scenario 'may-2042'; pass the path of a TOML file, or one of"),
        (["play", "{own}", "--input", "5", "--workload", "chat"], "a workload and counts were given; keep one of them"),
        (["index", "--from", "2024-13", "--until", "2024-12"], "month '2024-13' is not a month; write it like '2026-11'"),
        (["index", "--from", "2024-06", "--until", "2024-07", "--kind", "pasche"], "paasche"),
    ],
)
def test_questions_that_cannot_be_asked(refused, own, words, message):
    assert message in refused(2, "war", *(word.format(own=own) for word in words))

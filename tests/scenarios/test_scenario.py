"""Scenarios: their documents, their doors, and those that ship."""

from __future__ import annotations

import pickle
import tomllib
from datetime import timedelta
from decimal import Decimal

import pytest

from tokencost.errors import InstantError, MoneyTypeError, ScenarioError, TokencostError, UnknownNameError
from tokencost.scenarios.move import Move, Reaction
from tokencost.scenarios.scenario import Scenario, load_scenario, shipped_scenarios

TEXT = """
title = "mine"
start = 2025-02-01T00:00:00Z
until = 2025-06-01T00:00:00Z

[costs.gpt-4o]
input = 0.5

[[move]]
at = 2025-03-01T08:00:00+08:00
offering = "gpt-4o"
kind = "cut"
by = 0.3
meters = ["input"]

[[reaction]]
offering = "deepseek-reasoner"
kind = "match"
targets = ["gpt-4o"]
lag_days = 1.5
"""


def document(**changes):
    return {**tomllib.loads(TEXT, parse_float=Decimal), **changes}


def test_a_document_says_what_python_says():
    made = Scenario(
        title="mine",
        start="2025-02-01T00:00:00Z",
        until="2025-06-01T00:00:00Z",
        costs={"gpt-4o": {"input": "0.5"}},
        moves=(Move(at="2025-03-01T00:00:00Z", offering="gpt-4o", kind="cut", by="0.3", meters=("input",)),),
        reactions=(Reaction(offering="deepseek-reasoner", kind="match", targets=("gpt-4o",), lag=timedelta(hours=36)),),
    )
    assert Scenario.of(document()) == made
    assert made.names == ("gpt-4o", "deepseek-reasoner")
    assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_load_and_say_their_sources(name):
    made = load_scenario(name)
    assert made.title
    assert made.source or all(move.source for move in made.moves) or name == "own-what-if"


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    assert load_scenario(path) == load_scenario(str(path)) == Scenario.of(document())


MOVE = {"at": "2025-03-01T00:00:00Z", "offering": "gpt-4o", "kind": "free"}


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"moves": []}, ScenarioError, "a scenario has no key 'moves'; did you mean 'move'"),
        ({"start": "2025-07-01T00:00:00Z"}, ScenarioError, "ends at 2025-06-01T00:00:00Z, not after it begins"),
        ({"start": "2025-02-01T00:00:00"}, InstantError, "names no time zone"),
        ({"baseline": "thawed"}, UnknownNameError, "frozen"),
        ({"move": [], "reaction": []}, ScenarioError, "has no move; add one"),
        ({"move": [{**MOVE, "at": "2025-01-01T00:00:00Z"}]}, ScenarioError, "lies outside the scenario"),
        ({"move": [{**MOVE, "at": "2025-06-01T00:00:00Z"}]}, ScenarioError, "lies outside the scenario"),
        ({"move": [{**MOVE, "kind": "list"}]}, ScenarioError, "lists come from the tables"),
        ({"move": [{**MOVE, "version": 1}]}, ScenarioError, "a move has no key 'version'"),
        ({"move": [{"at": MOVE["at"], "kind": "free"}]}, ScenarioError, "a move has no offering"),
        ({"move": [{**MOVE, "kind": "cut", "by": 0.5}]}, MoneyTypeError, "0.5"),
        ({"reaction": [{"offering": "gpt-4o", "kind": "match"}]}, ScenarioError, "a reaction has no targets"),
        (
            {"reaction": [{"offering": "gpt-4o", "kind": "match", "targets": ["o1"], "lag_days": -1}]},
            ScenarioError,
            "lag_days=-1 is no number of days",
        ),
        ({"costs": {"gpt-4o": {"input": 0.5}}}, MoneyTypeError, "0.5"),
    ],
)
def test_documents_that_cannot_be(changes, kind, message):
    with pytest.raises(kind) as caught:
        Scenario.of(document(**changes))
    assert message in str(caught.value)
    assert isinstance(caught.value, TokencostError)


def test_missing_start():
    without = document()
    del without["start"]
    with pytest.raises(ScenarioError, match="no start; write start = "):
        Scenario.of(without)


def test_names_that_are_none():
    with pytest.raises(UnknownNameError, match=r"no scenario 'may-2042'; .*may-2024"):
        load_scenario("may-2042")


@pytest.mark.parametrize("lag", [5, timedelta(days=-1)])
def test_lags_that_are_no_time(lag):
    reaction = Reaction(offering="gpt-4o", kind="match", targets=("o1",), lag=lag)
    with pytest.raises(ScenarioError, match="pass a timedelta of 0 or more"):
        Scenario(title="", start="2025-02-01T00:00:00Z", until="2025-03-01T00:00:00Z", reactions=(reaction,))

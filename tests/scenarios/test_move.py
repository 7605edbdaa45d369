"""Moves and reactions: what they take, what they refuse, and how they say so."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tokencost.errors import InstantError, MoneyTypeError, ScenarioError, TokencostError, UnknownNameError
from tokencost.scenarios.move import Move, Reaction

AT = "2026-12-01T00:00:00Z"


def test_instants_are_taken_as_text_or_aware_and_compared_as_instants():
    """The end is after the beginning, though its text is smaller."""
    move = Move(at="2026-12-01T07:00:00+08:00", offering="a", kind="promotion", by="0.5", until="2026-12-01T00:00:00Z")
    assert (move.at, move.until) == (datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert str(move) == "promotion of a at 2026-11-30T23:00:00Z"


def test_numbers_are_exact():
    move = Move(at=AT, offering="a", kind="set", prices={"input": "0.1", "output": 2})
    assert move.prices == {"input": Decimal("0.1"), "output": Decimal(2)}
    assert pickle.loads(pickle.dumps(move)) == move


def test_a_move_without_meters_is_about_all_tokens_and_one_with_them_about_each_by_its_own_name():
    every = Move(at=AT, offering="a", kind="cut", by="0.5")
    some = Move(at=AT, offering="a", kind="cut", by="0.5", meters=["input"])
    assert [every.touches(m) for m in ("input", "cache_read", "output", "web_search", "price")] == [True, True, True, False, True]
    assert [some.touches(m) for m in ("input", "cache_read", "output")] == [True, False, False]


def test_a_window_may_have_several_stretches():
    move = Move(at=AT, offering="a", kind="window", by=2, hours="09:00-12:00, 14:00-18:00", days="mon-fri", zone="Asia/Shanghai")
    assert [(w.window, w.days, w.hours) for w in move.stretches] == [("peak", "mon-fri", "09:00-12:00"), ("peak", "mon-fri", "14:00-18:00")]


BAD_MOVES = [
    ({"kind": "slash"}, UnknownNameError, "'slash'"),
    ({"kind": "cut"}, ScenarioError, "cut of a at 2026-12-01T00:00:00Z has no by; add it"),
    ({"kind": "cut", "by": 0.3}, MoneyTypeError, "0.3"),
    ({"kind": "cut", "by": 30}, ScenarioError, "a cut of 30 % is 0.3"),
    ({"kind": "cut", "by": 1}, ScenarioError, "free is a kind of its own"),
    ({"kind": "cut", "by": "-0.1"}, ScenarioError, "leaves nothing or less"),
    ({"kind": "raise", "by": "-0.1"}, ScenarioError, "is a cut; write it as one"),
    ({"kind": "set"}, ScenarioError, "has no prices"),
    ({"kind": "set", "prices": {"input": 0.5}}, MoneyTypeError, "0.5"),
    ({"kind": "set", "prices": {"input": -1}}, ScenarioError, "input=-1 of set of a at 2026-12-01T00:00:00Z is negative"),
    ({"kind": "set", "prices": {"inptu": 1}}, UnknownNameError, "input"),
    ({"kind": "cut", "by": "0.5", "meters": ["inptu"]}, UnknownNameError, "input"),
    ({"kind": "cut", "by": "0.5", "meters": "input"}, ScenarioError, "write a list of names, like ['input']"),
    ({"kind": "match"}, ScenarioError, "has no targets"),
    ({"kind": "match", "targets": "b"}, ScenarioError, "write a list of names, like ['b']"),
    ({"kind": "match", "targets": ["a"]}, ScenarioError, "follows itself"),
    ({"kind": "match", "targets": ["b"], "floor": {"input": 0.1}}, MoneyTypeError, "0.1"),
    ({"kind": "promotion", "by": "0.5"}, ScenarioError, "has no until"),
    ({"kind": "promotion", "until": "2027-01-01T00:00:00Z"}, ScenarioError, "has to say by (the share off) or prices, and not both"),
    ({"kind": "promotion", "by": "0.5", "until": AT}, ScenarioError, "ends at 2026-12-01T00:00:00Z, not after it begins"),
    ({"kind": "window", "by": 2}, ScenarioError, "has no hours"),
    ({"kind": "window", "by": 0, "hours": "09:00-12:00"}, ScenarioError, "is no factor; twice as dear is 2"),
    ({"kind": "window", "by": 2, "hours": "9-12"}, ScenarioError, "hours '9-12' are not understood"),
    ({"kind": "window", "by": 2, "hours": "09:00-12:00", "zone": "Mars/Base"}, ScenarioError, "Mars/Base"),
    ({"kind": "window", "by": 2, "hours": "09:00-12:00", "zone": "../etc"}, ScenarioError, "../etc"),
    ({"kind": "window", "by": 2, "hours": "09:00-12:00", "days": "someday"}, ScenarioError, "someday"),
    ({"kind": "tier", "by": 2}, ScenarioError, "has no above"),
    ({"kind": "tier", "by": 2, "above": 0}, ScenarioError, "is no size"),
    ({"kind": "tier", "by": 2, "above": True}, ScenarioError, "is no size"),
    ({"kind": "free", "at": "2026-12-01T00:00:00"}, InstantError, "names no time zone"),
    ({"kind": "free", "at": "2026-12-01"}, InstantError, "a date at best"),
]


@pytest.mark.parametrize(("words", "kind", "message"), BAD_MOVES, ids=lambda value: str(value)[:40])
def test_moves_that_cannot_be(words, kind, message):
    with pytest.raises(kind) as caught:
        Move(**{"at": AT, "offering": "a", **words})
    assert message in str(caught.value)
    assert isinstance(caught.value, TokencostError)


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ({"kind": "copy"}, UnknownNameError, "match and undercut"),
        ({"raises": "yes"}, UnknownNameError, "ignore and follow"),
        ({"targets": ()}, ScenarioError, "has no targets; name whom it follows"),
        ({"targets": "b"}, ScenarioError, "write a list of names"),
        ({"targets": ("a", "b")}, ScenarioError, "a reacts to itself"),
        ({"by": "0.1"}, ScenarioError, "does not go with match"),
        ({"kind": "undercut", "by": 1}, ScenarioError, "undercutting by 10 % is 0.1"),
        ({"kind": "undercut", "by": 0.1}, MoneyTypeError, "0.1"),
        ({"floor": {"input": 0.1}}, MoneyTypeError, "0.1"),
        ({"meters": ("inptu",)}, UnknownNameError, "input"),
    ],
)
def test_reactions_that_cannot_be(words, kind, message):
    with pytest.raises(kind) as caught:
        Reaction(**{"offering": "a", "kind": "match", "targets": ("b",), "lag": 1, **words})
    assert message in str(caught.value)

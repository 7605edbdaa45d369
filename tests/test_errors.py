"""Errors and warnings: one tree each, the facts as attributes, a builtin as a second base, and a pickle that keeps them."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost import errors

KINDS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and kind.__name__ in errors.__all__]
BUILTINS = {
    tc.UnknownNameError: LookupError,
    tc.AmbiguousNameError: LookupError,
    tc.OutsideHistoryError: LookupError,
    tc.NoRateError: LookupError,
    tc.CurrencyError: LookupError,
    tc.UnpricedMeterError: LookupError,
    tc.AboveListError: LookupError,
    tc.CalendarError: LookupError,
    tc.UsageError: ValueError,
    tc.UsageTypeError: TypeError,
    tc.WorkloadError: ValueError,
    tc.InstantError: ValueError,
    tc.InstantTypeError: TypeError,
    tc.MoneyError: ValueError,
    tc.MoneyTypeError: TypeError,
    tc.MixedCurrencyError: TypeError,
    tc.LayerError: ValueError,
    tc.TableError: ValueError,
    tc.TraceError: ValueError,
    tc.TextError: ValueError,
    tc.TextTypeError: TypeError,
    tc.TokenizerError: LookupError,
    tc.ColumnError: ValueError,
    tc.RangeError: OverflowError,
    tc.IncompleteError: LookupError,
    tc.StreamError: OSError,
    tc.ScenarioError: ValueError,
    tc.UnitError: TypeError,
    tc.ConvergenceError: ArithmeticError,
}


def test_every_name_is_public():
    assert sorted(kind.__name__ for kind in KINDS) == sorted(errors.__all__)
    assert set(errors.__all__) <= set(tc.__all__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_one_tree(kind):
    """An error is a TokencostError, a warning is a TokencostWarning and a UserWarning, and nothing is both."""
    error, warning = issubclass(kind, tc.TokencostError), issubclass(kind, tc.TokencostWarning)

    assert error != warning
    assert warning == issubclass(kind, UserWarning)
    assert kind.__name__.endswith(("Error",) if error else ("Warning", "Notice"))


@pytest.mark.parametrize(("kind", "builtin"), BUILTINS.items(), ids=lambda kind: kind.__name__)
def test_inherits_the_builtin_that_people_catch(kind, builtin):
    assert issubclass(kind, builtin)


def test_every_error_has_a_builtin():
    assert set(BUILTINS) == {kind for kind in KINDS if issubclass(kind, tc.TokencostError)} - {tc.TokencostError}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_pickles_and_keeps_its_facts(kind):
    error = kind("it went wrong; do it right", name="gpt-9o", suggestions=("gpt-4o",), value=1.5)

    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is kind
        assert twin == error
        assert hash(twin) == hash(error)
        assert (twin.name, twin.suggestions, twin.value) == ("gpt-9o", ("gpt-4o",), 1.5)
        assert str(twin) == "it went wrong; do it right"


def test_facts_are_attributes_and_nothing_else_is():
    error = tc.UnknownNameError("no model", name="x", suggestions=())

    assert error.facts == {"name": "x", "suggestions": ()}
    with pytest.raises(AttributeError, match=r"'UnknownNameError' has no attribute 'nome'; it has \['name', 'suggestions'\]"):
        _ = error.nome


def test_equal_only_to_its_own_kind_and_facts():
    error = tc.MoneyError("bad", value=1)

    assert error != tc.MoneyError("bad", value=2)
    assert error != tc.MoneyError("good", value=1)
    assert error != tc.MoneyTypeError("bad", value=1)
    assert error != ValueError("bad")


def test_every_error_is_documented_with_its_facts():
    """The docstring of an error names the facts that it carries."""
    assert [kind.__name__ for kind in BUILTINS if "Facts: `" not in (kind.__doc__ or "")] == []


def test_unknown_name_suggests_the_nearest():
    error = tc.UnknownNameError.of("gpt-4o-mni", ["gpt-4o", "gpt-4o-mini", "o1"])

    assert error.suggestions == ("gpt-4o-mini", "gpt-4o")
    assert str(error) == "no model 'gpt-4o-mni' in this book; did you mean 'gpt-4o-mini' or 'gpt-4o'?"


def test_unknown_name_without_a_near_one_says_where_to_look():
    error = tc.UnknownNameError.of("zzz", ["gpt-4o"], what="offering", where="the shelf")

    assert error.suggestions == ()
    assert str(error) == "no offering 'zzz' in the shelf; `tokencost list` names them all"


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=8), st.integers(1, 4))
def test_nearest_are_candidates_without_repeats(name, candidates, limit):
    found = errors.nearest(name, candidates, limit=limit)

    assert len(found) <= limit
    assert len(set(found)) == len(found)
    assert set(found) <= set(candidates)


def test_nearest_looks_past_case_and_keeps_it():
    assert errors.nearest("GPT-4O", ["gpt-4o", "Llama-3"]) == ("gpt-4o",)
    assert errors.nearest("llama-3", ["gpt-4o", "Llama-3"]) == ("Llama-3",)

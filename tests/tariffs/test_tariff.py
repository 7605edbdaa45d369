"""Tariffs: frozen records that know when each of their versions ends."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import tariffs
from tokencost.tariffs.tariff import SERVICE_TIERS, lower_edge


def at(day: int) -> datetime:
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day)


def version(start: int, until: int | None = None, status: str = "in_force") -> tc.Version:
    row = tc.Rate(currency="USD", prices={"input": Decimal(start)})
    end = None if until is None else at(until)
    return tc.Version(start=at(start), until=end, basis="announced", status=status, source="s", checked=date(2026, 1, 1), rates=(row,))


def tariff(*versions: tc.Version) -> tc.Tariff:
    return tc.Tariff(id="acme/us-east/family/model", publisher="acme", versions=versions)


@pytest.mark.parametrize(
    ("above", "at_or_above", "expected"), [(None, None, 0), (0, None, 0), (None, 0, 0), (200_000, None, 200_001), (None, 200_000, 200_000)]
)
def test_lower_edge(above, at_or_above, expected):
    assert lower_edge(above, at_or_above) == expected
    row = tc.Rate(currency="USD", above=above, at_or_above=at_or_above, above_output=above, at_or_above_output=at_or_above, prices={})
    assert (row.first_input, row.first_output) == (expected, expected)


def test_the_id_names_provider_endpoint_and_model():
    """A model's id may contain slashes."""
    made = tariff(version(0))

    assert (made.provider, made.endpoint, made.model) == ("acme", "us-east", "family/model")


def test_a_version_ends_where_it_says_or_where_the_next_begins():
    first, second, third = version(0), version(10, until=20), version(30)
    made = tariff(first, second, third)

    assert [made.ends(v) for v in made.versions] == [at(10), at(20), None]


def test_a_withdrawn_version_ends_nothing_and_rates_nothing():
    first, never, last = version(0), version(5, until=8, status="withdrawn"), version(10)
    made = tariff(first, never, last)

    assert made.in_force == (first, last)
    assert made.ends(first) == at(10)
    assert made.ends(never) == at(8)


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from(["in_force", "announced", "withdrawn"])), min_size=1, max_size=6))
def test_the_spans_of_a_history_do_not_overlap(steps):
    days = [sum(gap for gap, _ in steps[: n + 1]) for n in range(len(steps))]
    made = tariff(*(version(day, status=status) for day, (_, status) in zip(days, steps, strict=True)))
    spans = [(v.start, made.ends(v)) for v in made.in_force]

    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert all(end is None for _, end in spans[-1:])


def test_currencies_come_in_the_order_of_the_file():
    rows = tuple(tc.Rate(currency=code, prices={"input": Decimal(1)}) for code in ("USD", "CNY", "USD", "EUR"))

    assert replace(version(0), rates=rows).currencies == ("USD", "CNY", "EUR")


@given(tariffs())
def test_pickles_copies_and_compares(made):
    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert twin == made
        assert repr(twin) == repr(made)
    assert replace(made, note="another") != made


def test_does_not_change():
    made = tariff(version(0))

    with pytest.raises(FrozenInstanceError):
        made.id = "other"
    with pytest.raises((AttributeError, TypeError)):
        made.colour = "red"
    with pytest.raises(TypeError):
        tc.Tariff("acme/us/model", "acme")


def test_service_tiers_begin_with_the_standard():
    assert SERVICE_TIERS[0] == "standard"
    assert tc.Rate(currency="USD", prices={}).service_tier == "standard"

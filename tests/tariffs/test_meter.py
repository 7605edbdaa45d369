"""Meters: a tree of what is counted, each with its unit and what its price buys."""

from __future__ import annotations

import pytest

import tokencost as tc
from tokencost.tariffs.meter import METERS, TOKEN_METERS, ancestors, children, meter, within

PER = {"token": 1_000_000, "token-second": 3_600_000_000, "call": 1_000, "page": 1_000, "second": 3_600, "image": 1, "character": 1_000_000}


@pytest.mark.parametrize("row", METERS.values(), ids=lambda row: row.name)
def test_a_meter_is_whole(row):
    assert meter(row.name) is METERS[row.name] is row
    assert row.per == PER[row.unit]
    assert row.counts
    assert row.priced_per
    assert row.name.isidentifier()
    assert row.name.islower()


@pytest.mark.parametrize("row", METERS.values(), ids=lambda row: row.name)
def test_a_part_is_counted_in_the_unit_of_its_parent(row):
    """Billing a bucket at its ancestor's rate only makes sense in one unit."""
    if row.parent is not None:
        assert METERS[row.parent].unit == row.unit
        assert METERS[row.parent].per == row.per
        assert list(METERS).index(row.parent) < list(METERS).index(row.name)


@pytest.mark.parametrize("name", METERS)
def test_ancestors_children_and_descendants_agree(name):
    chain = ancestors(name)

    assert chain[0] == name
    assert METERS[chain[-1]].parent is None
    assert [METERS[below].parent for below in chain[:-1]] == list(chain[1:])
    assert all(name in within(above) for above in chain)
    assert all(METERS[child].parent == name for child in children(name))
    assert set(within(name)) == {name}.union(*(within(child) for child in children(name)))


def test_token_meters_are_those_counted_in_tokens():
    assert {name for name, row in METERS.items() if row.unit == "token"} == TOKEN_METERS
    assert "cache_storage" not in TOKEN_METERS


def test_the_two_totals_hold_all_tokens_but_citations():
    assert {*within("input"), *within("output"), "citation"} == TOKEN_METERS


def test_the_table_format_lists_every_meter(tables):
    """The reference page and the registry name the same meters."""
    page = (tables.parent.parent / "docs" / "reference" / "table-format.md").read_text(encoding="utf-8")
    section = page.split("### Meters", 1)[1].split("\n## ", 1)[0]

    assert [name for name in METERS if f"`{name}`" not in section] == []


def test_an_unknown_meter_is_refused_with_suggestions():
    with pytest.raises(tc.UnknownNameError, match=r"no meter 'cache_reads' in the registry; did you mean 'cache_read'") as caught:
        meter("cache_reads")

    assert caught.value.name == "cache_reads"
    assert caught.value.suggestions[0] == "cache_read"

"""The grid: exactly one row applies to every request, and the proof finds every list for which that is not so."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from strategies import SCHEDULES, grids, tariffs
from tokencost.tariffs.grid import Choice, available, by_window, effective_rows, grid_faults, rows_for, splits_modes

WINDOWS = SCHEDULES["office"]
CODES = {"T04", "T05", "T06", "T10"}


def rate(currency: str = "USD", **selectors: object) -> tc.Rate:
    return tc.Rate(currency=currency, **{"prices": {"input": Decimal(1)}, **selectors})


def faults(*rows: tc.Rate, windows: tuple[str, ...] | None = None) -> list[str]:
    return sorted(code for code, _, _ in grid_faults(rows, windows))


def modes(row: tc.Rate, rows: tuple[tc.Rate, ...]) -> list[str | None]:
    split = any(other.mode == "thinking" for other in rows if other.currency == row.currency)
    if row.mode == "any" or (not split and row.mode is None):
        return [None, "thinking"]
    return [row.mode]


def ladders(rows: tuple[tc.Rate, ...]) -> dict[tuple, list[tc.Rate]]:
    """The rows of every choice and window, the obvious way."""
    found: dict[tuple, list[tc.Rate]] = defaultdict(list)
    for row in rows:
        for mode in modes(row, rows):
            found[row.currency, row.service_tier, mode, row.residency, row.window].append(row)
    return found


def applying(ladder: list[tc.Rate], size: int, output: int) -> list[tc.Rate]:
    """The rows of one ladder that apply to a request, by the words of the format and nothing else."""

    def reaches(row: tc.Rate, among: list[tc.Rate], count: int, first: str, upper: str) -> bool:
        own = getattr(row, first)
        later = [getattr(other, first) for other in among if getattr(other, first) > own]
        limit = getattr(row, upper) if getattr(row, upper) is not None else min(later) - 1 if later else count
        return own <= count <= limit

    return [
        row
        for row in ladder
        if reaches(row, ladder, size, "first_input", "up_to")
        and reaches(row, [r for r in ladder if r.first_input == row.first_input], output, "first_output", "up_to_output")
    ]


def probes(ladder: list[tc.Rate]) -> list[tuple[int, int]]:
    """Sizes around every edge of a ladder."""
    sizes = {edge + step for row in ladder for edge in (row.first_input, row.up_to) if edge is not None for step in (-1, 0, 1)}
    outputs = {edge + step for row in ladder for edge in (row.first_output, row.up_to_output) if edge is not None for step in (-1, 0, 1)}
    return [(size, output) for size in sizes for output in outputs if size >= 0 and output >= 0]


def beyond(ladder: list[tc.Rate], size: int, output: int) -> bool:
    """Whether a request is larger than the largest one that the list prices."""
    top = max(row.first_input for row in ladder)
    reached = max((row.first_input for row in ladder if row.first_input <= size), default=top)
    inner = [row for row in ladder if row.first_input == reached]
    last = max(inner, key=lambda row: row.first_output)
    ends = next((row.up_to for row in ladder if row.first_input == top), None)
    return (ends is not None and size > ends) or (last.up_to_output is not None and output > last.up_to_output)


@given(grids(windows=WINDOWS))
def test_a_valid_grid_has_no_faults_and_one_row_around_every_edge(rows):
    assert list(grid_faults(rows, WINDOWS)) == []

    for ladder in ladders(rows).values():
        for size, output in probes(ladder):
            assert len(applying(ladder, size, output)) == (0 if beyond(ladder, size, output) else 1)


@st.composite
def shaken(draw) -> tuple[tc.Rate, ...]:
    """A few rows with edges that may or may not fit together."""
    edge = st.none() | st.integers(0, 6)
    keys = ("above", "at_or_above", "up_to", "above_output", "up_to_output")
    row = st.fixed_dictionaries({}, optional=dict.fromkeys(keys, edge))
    rows = draw(st.lists(row, min_size=1, max_size=4))
    return tuple(rate(**({**found, "at_or_above": None} if found.get("above") is not None else found)) for found in rows)


@settings(max_examples=400)
@given(shaken())
def test_what_passes_the_proof_has_exactly_one_row(rows):
    """The proof is sound: whatever the edges, no fault means one row for each size that the list prices."""
    if faults(*rows):
        return
    for ladder in ladders(rows).values():
        for size in range(10):
            for output in range(10):
                assert len(applying(ladder, size, output)) == (0 if beyond(ladder, size, output) else 1)


@settings(max_examples=400)
@given(shaken())
def test_what_fails_the_proof_is_no_grid(rows):
    """The proof is complete: no fault is raised over rows of which each is used, and exactly one for every size."""
    if not faults(*rows):
        return
    sizes = [(ladder, size, output) for ladder in ladders(rows).values() for size in range(10) for output in range(10)]
    used = {id(row) for asked in sizes for row in applying(*asked)}

    assert used != {id(row) for row in rows} or any(len(applying(*asked)) != (0 if beyond(*asked) else 1) for asked in sizes)


@given(grids(windows=WINDOWS), st.data())
def test_a_row_twice_is_two_rows_for_one_choice(rows, data):
    twin = data.draw(st.sampled_from(rows))
    where = data.draw(st.integers(0, len(rows)))
    found = list(grid_faults((*rows[:where], twin, *rows[where:]), WINDOWS))

    assert "T04" in {code for code, _, _ in found}
    assert all(";" in message for _, _, message in found)


@given(grids(windows=WINDOWS), st.data())
def test_without_a_row_there_is_a_hole(rows, data):
    """Every row but the last of a ladder that says where it ends, and every row that its neighbours do not replace."""
    gone = data.draw(st.sampled_from(range(len(rows))))
    ended = tuple(_with_upper_edges(rows))
    row, left = ended[gone], (*ended[:gone], *ended[gone + 1 :])
    for ladder in ladders(ended).values():
        if row in ladder:
            kept = [other for other in ladder if other is not row]
            inner = [other for other in kept if other.first_input == row.first_input]
            last = (
                all(other.first_output < row.first_output for other in inner)
                if inner
                else all(o.first_input < row.first_input for o in kept)
            )
            alone = not kept and row.window is None
            if not (last or alone):
                assert "T05" in faults(*left, windows=WINDOWS)


def _with_upper_edges(rows: tuple[tc.Rate, ...]) -> list[tc.Rate]:
    """The same rows, each saying where it ends if another one follows."""
    made: list[tc.Rate] = []
    for row in rows:
        mine = next(ladder for ladder in ladders(rows).values() if row in ladder)
        later = [other.first_input for other in mine if other.first_input > row.first_input]
        above = [other.first_output for other in mine if other.first_input == row.first_input and other.first_output > row.first_output]
        edges = {"up_to": min(later) - 1} if later else {}
        made.append(replace(row, **edges, **({"up_to_output": min(above) - 1} if above else {})))
    return made


@given(grids(windows=WINDOWS))
def test_without_a_window_s_rows_there_is_a_hole(rows):
    windowed = [row for row in rows if row.window == "peak"]
    if windowed:
        first = windowed[0]
        key = (first.currency, first.service_tier, first.mode, first.residency)
        left = [r for r in rows if r.window != "peak" or (r.currency, r.service_tier, r.mode, r.residency) != key]

        assert "T05" in faults(*left, windows=WINDOWS)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"above": 10}], ["T05"]),
        ([{"at_or_above": 1}], ["T05"]),
        ([{}, {}], ["T04"]),
        ([{}, {"above": 0}], ["T04"]),
        ([{"above": 0, "up_to": 10}, {"above": 12}], ["T05"]),
        ([{"above": 0, "up_to": 10}, {"at_or_above": 10}], ["T04"]),
        ([{"above": 0, "up_to": 10}, {"above": 10}], []),
        ([{"up_to": 10}, {"at_or_above": 11, "up_to": 20}], []),
        ([{"above": 10, "up_to": 5}, {}], ["T05"]),
        ([{"above_output": 5}], ["T05"]),
        ([{}, {"above_output": 200}, {"above": 100}], []),
        ([{}, {"above": 100, "above_output": 200}], ["T05"]),
        ([{"up_to_output": 5}, {"above_output": 6}], ["T05"]),
        ([{"up_to": 10}, {"up_to": 20, "above_output": 5}], ["T05"]),
        ([{"up_to": 10}, {"above_output": 5}], ["T05"]),
        ([{"up_to": 10}, {"above_output": 5}, {"above": 10}], []),
        ([{"prices": {"input": Decimal(1), "output": Decimal(1)}}, {"above": 5}], ["T06"]),
    ],
)
def test_ladders(rows, expected):
    assert faults(*(rate(**row) for row in rows)) == expected


@pytest.mark.parametrize(
    ("rows", "windows", "expected"),
    [
        ([{"window": "peak"}, {"window": "off_peak"}], WINDOWS, []),
        ([{}], WINDOWS, []),
        ([{"window": "peak"}], WINDOWS, ["T05"]),
        ([{"window": "peak"}, {"window": "off_peak"}], None, ["T10"]),
        ([{"window": "peak"}, {"window": "off_peak"}, {"window": "night"}], WINDOWS, ["T10"]),
        ([{"window": "peak"}, {"window": "off_peak"}, {}], WINDOWS, ["T04"]),
        ([{"window": "peak"}, {"window": "off_peak"}, {"service_tier": "batch"}], WINDOWS, []),
    ],
)
def test_windows(rows, windows, expected):
    assert faults(*(rate(**row) for row in rows), windows=windows) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"mode": "thinking"}, {}], []),
        ([{"mode": "thinking"}], []),
        ([{"mode": "any"}], []),
        ([{"mode": "any"}, {}], ["T04"]),
        ([{"mode": "any"}, {"mode": "thinking"}], ["T04"]),
        ([{"mode": "any", "service_tier": "batch"}, {"mode": "thinking"}, {}], []),
        ([{}, {"currency": "CNY"}, {"service_tier": "batch"}, {"residency": "us"}], []),
    ],
)
def test_choices(rows, expected):
    assert faults(*(rate(**row) for row in rows)) == expected


@given(grids(windows=WINDOWS))
def test_available_choices_are_those_that_have_rows(rows):
    for currency in {row.currency for row in rows}:
        split = splits_modes(rows, currency)
        offered = available(rows, (), currency)

        assert len(set(offered)) == len(offered)
        for choice in offered:
            chosen, factors = rows_for(rows, (), choice)
            assert chosen
            assert factors == []
            assert {row.currency for row in chosen} == {currency}
        expected = {Choice(*key[:4]) for key in ladders(rows) if key[0] == currency and (split or key[2] is None)}
        assert set(offered) == expected


def test_factors_make_a_choice_from_the_rows_below_it():
    batch = tc.Adjustment(service_tier="batch", multiply=Decimal("0.5"))
    resident = tc.Adjustment(residency="us", multiply=Decimal("1.1"))
    rows = (rate(), rate(service_tier="priority"))

    assert rows_for(rows, (batch, resident), Choice("USD")) == ([rows[0]], [])
    assert rows_for(rows, (batch, resident), Choice("USD", "batch")) == ([rows[0]], [batch])
    assert rows_for(rows, (batch, resident), Choice("USD", "batch", None, "us")) == ([rows[0]], [batch, resident])
    assert rows_for(rows, (batch, resident), Choice("USD", "priority", None, "us")) == ([rows[1]], [resident])
    assert rows_for(rows, (batch, resident), Choice("USD", "flex")) == ([], [])
    assert rows_for(rows, (batch, resident), Choice("USD", "standard", None, "eu")) == ([], [])
    assert rows_for(rows, (batch,), Choice("CNY", "batch"))[0] == []


def test_rows_of_a_choice_by_window_rise():
    rows = [rate(above=100), rate(), rate(window="peak", above_output=5), rate(window="peak")]
    found = by_window(rows)

    assert found == {None: [rows[1], rows[0]], "peak": [rows[3], rows[2]]}


@given(tariffs())
def test_a_promotion_replaces_whole_choices_and_nothing_else(tariff):
    """Under a promotion every choice that had a price has one still: the promotion's where it has rows for it, else the list's."""
    for promo in tariff.promos:
        version = next(v for v in tariff.in_force if v.start <= promo.start < (tariff.ends(v) or promo.until))
        rows = effective_rows(version, promo)

        assert [code for code, _, _ in grid_faults(rows, SCHEDULES.get(version.schedule or ""))] == []
        for currency in version.currencies:
            before = available(version.rates, (), currency)
            assert set(available(rows, (), currency)) == set(before)
            for choice in before:
                chosen = rows_for(rows, (), choice)[0]
                replaced = any(row in promo.rates for row in chosen)
                assert all(row in promo.rates for row in chosen) == replaced
                if not replaced:
                    assert [r.prices for r in chosen] == [r.prices for r in rows_for(version.rates, (), choice)[0]]


def test_a_promotion_for_thinking_leaves_the_rest_of_an_any_row():
    """A row for both modes keeps the one that the promotion does not touch."""
    version = tc.Version(start=None, basis="announced", source="s", checked=None, rates=(rate(mode="any"), rate(service_tier="batch")))
    promo = tc.Promo(start=None, until=None, basis="announced", source="s", checked=None, rates=(rate(mode="thinking", note="half"),))
    rows = effective_rows(version, promo)

    assert rows_for(rows, (), Choice("USD", mode="thinking"))[0] == [promo.rates[0]]
    assert [row.note for row in rows_for(rows, (), Choice("USD"))[0]] == [None]
    assert list(grid_faults(rows, None)) == []


def test_a_choice_prints_what_was_chosen():
    assert str(Choice("USD")) == "USD, standard"
    assert str(Choice("CNY", "batch", "thinking", "eu")) == "CNY, batch, thinking, residency eu"

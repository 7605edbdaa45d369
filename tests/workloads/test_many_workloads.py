"""Many workloads at once: every cell equals the single comparison."""

from __future__ import annotations

import pickle
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tokencost as tc
from rating.draws import LAB, counts_for, instants_for, tariffs
from tokencost.workloads.law import Law
from tokencost.workloads.sizes import Drawn, Points
from workloads.descriptions import AT, NAMES, described_workloads, uniform_workloads

BOOK = tc.load_book()


def held(workloads, names, at, book):
    """Compare the grid with single comparisons, cell by cell."""
    grid = tc.compare_many(workloads, names, at=at, book=book)
    for row, workload in enumerate(workloads):
        for place, name in enumerate(names):
            (one,) = tc.compare(workload, [name], at=at, book=book).rows
            cost = grid.cost(row, place)
            assert cost == (None if one.unpriced else one.native)
            assert (grid.reason(row, place) is None) == (cost is not None)
            if cost is None and len(one.reasons) == 1 and all(isinstance(segment.size, Drawn) for segment in workload.segments):
                assert grid.reason(row, place) == one.reasons[0]  # listed requests may be told of one by one
    return grid


@given(workloads=st.lists(described_workloads() | uniform_workloads, min_size=1, max_size=4), names=st.permutations(NAMES))
def test_the_grid_equals_comparisons(workloads, names):
    held(workloads, names[:5], AT, BOOK)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A book of one made-up provider, to which drawn tariffs are added."""
    root = tmp_path_factory.mktemp("lab_tables")
    for path, text in LAB.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return tc.load_book(root)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tariff=tariffs(), described=st.lists(described_workloads(), max_size=2), data=st.data())
def test_the_grid_equals_comparisons_on_any_tariff(lab, tariff, described, data):
    """Tiers by prompt, completion or total, graduated ones, windows, minimum billing, meters by the hour."""
    sizes = data.draw(st.lists(counts_for(tariff).map(tc.Usage.of), min_size=1, max_size=4))
    plain = tc.Workload("uniform", tuple(tc.Segment("s", 3, usage) for usage in sizes))
    points = tc.Workload("points", (tc.Segment("p", 7, Points([(usage, 2) for usage in sizes])),))
    extra = tc.Workload("extra", (tc.Segment("e", 7, Drawn(Law.quantiles({0: 0, 1: 300}), Law.fixed(9), extra=sizes[0])),))
    held([plain, points, extra, *described], [tariff.id], data.draw(instants_for(tariff)), lab.with_tariffs([tariff]))


def test_tiers_by_the_length_of_the_answer():
    """The regions of two edges, prompt and completion, on shipped offerings that have both."""
    at = tc.to_instant(AT)
    names = []
    for name in BOOK.ids:
        try:
            ladder = BOOK.timeline(name).segment(at).ladder(at)
        except tc.TokencostError:
            continue
        if any(step[2] for step in ladder.steps):
            names.append(name)
    assert names
    sizes = [(40_000, 700), (128_000, 200), (300_000, 201), (31_999, 5000)]
    workloads = [
        tc.Workload(
            f"{prompt}",
            (tc.Segment("s", 9, Drawn(Law.quantiles({0: 0, 0.5: prompt // 2, 1: prompt}), Law.quantiles({0: 1, 1: completion}))),),
        )
        for prompt, completion in sizes
    ]
    held(workloads, names, AT, BOOK)


def test_the_cheapest_of_each_row():
    short, long = tc.Usage(input=100, output=10), tc.Usage(input=300_000, output=10)
    names = ["claude-sonnet-4-5", "gpt-5.1", "alibaba/china/qwen3-max"]
    grid = tc.compare_many([short, long], names, at=AT, book=BOOK)
    fx = tc.ExchangeTable([(date(2026, 11, 19), "CNY", "USD", "0.0001", "a yuan for next to nothing")])

    assert [choice.offering for choice in grid.cheapest()] == ["openai/global/gpt-5.1"] * 2
    assert grid.cheapest(fx=fx)[0].offering == "alibaba/china/qwen3-max"
    assert grid.cheapest("CNY")[0].cost == grid.cost(0, 2)
    assert grid.cost(1, 0) is None
    assert grid.reason(1, 0).startswith("anthropic/global/claude-sonnet-4-5 prices no request of more than 200,000 input tokens")
    with pytest.raises(tc.UnknownNameError, match="no currency of this grid 'EUR'"):
        grid.cheapest("EUR")


def test_records_and_columns_for_frames():
    grid = tc.compare_many([tc.Usage(input=10**6)], ["gpt-4o", "gpt-5"], at="2025-02-01T00:00:00Z", book=BOOK)
    first, second = grid.records()

    assert (first["workload"], first["offering"], str(first["cost"]), first["currency"]) == ("usage", "openai/global/gpt-4o", "2.5", "USD")
    assert (second["cost"], second["currency"]) == (None, None)
    assert second["reason"].startswith("no price of openai/global/gpt-5 is known")
    assert grid.frame()["cost"] == [first["cost"], None]
    assert "1 of 2 cells have no price" in str(grid)
    assert pickle.loads(pickle.dumps(grid)).records() == grid.records()


@pytest.mark.parametrize(
    ("workloads", "names", "error", "message"),
    [
        ([], ["gpt-4o"], tc.UsageError, "there are no workloads to compare; pass at least one"),
        ([tc.Usage(input=1)], [], tc.UsageError, "there are no offerings to compare"),
        (tc.Usage(input=1), ["gpt-4o"], tc.UsageTypeError, "is no list; pass a list, also of one"),
        ([tc.Usage(input=1)], "gpt-4o", tc.UsageTypeError, "offerings='gpt-4o' is no list"),
        ([5], ["gpt-4o"], tc.UsageTypeError, "workload 5 is a int, not usage"),
        ([tc.Usage(input=1)], ["gpt-9o"], tc.UnknownNameError, "gpt-9o"),
    ],
)
def test_what_cannot_be_a_grid(workloads, names, error, message):
    with pytest.raises(error, match=message):
        tc.compare_many(workloads, names, at=AT, book=BOOK)

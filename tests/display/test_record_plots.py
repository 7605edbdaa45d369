"""Figures of records: prices, shares, fans and indexes from plain values."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from tokencost.display.columns import places_of, rows_of
from tokencost.display.price_steps import ticks_between

AT = [f"2026-{month:02d}-01T00:00:00Z" for month in range(1, 6)]


class Price(NamedTuple):
    at: str
    offering: str
    meter: str
    list_price: object
    effective_price: object
    currency: str


def price_rows(offering, listed, paid=None, *, meter="input", currency="USD"):
    return [Price(*row, currency) for row in zip(AT, [offering] * 5, [meter] * 5, listed, paid or listed, strict=True)]


# -- prices ------------------------------------------------------------------------------------------------------------------------------


def test_steps_are_the_records(drawn, lines):
    rows = price_rows("a", [2, 2, Decimal("1.5"), 1, 1], [2, 1, 1, 1, Decimal("0.5")])
    (axes,) = drawn(tc.plot_prices(rows))
    found = lines(axes)

    assert [list(map(float, found[name][1])) for name in ("a", "a, list")] == [[2, 1, 1, 1, 0.5], [2, 2, 1.5, 1, 1]]
    assert found["a"][0] == [tc.to_instant(at) for at in AT]
    assert {line.get_drawstyle() for line in axes.get_lines() if line.get_label() in found} == {"steps-post"}
    (moves,) = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert list(moves.get_ydata()) == [1, 0.5]


def test_records_may_come_in_any_order(lines):
    rows = price_rows("a", [5, 4, 3, 2, 1])

    assert lines(tc.plot_prices(rows[::-1]).axes[0])["a"][1].tolist() == [5, 4, 3, 2, 1]


def test_free_prices_stand_apart_on_a_scale_of_factors(drawn, texts):
    figure = tc.plot_prices(price_rows("a", [2, 1, 0, 0, 0]) + price_rows("b", [8, 8, 8, 8, 4]))
    (axes,) = drawn(figure)

    assert axes.get_yscale() == "symlog"
    assert "free" in [label.get_text() for label in axes.get_yticklabels()]
    assert {"a  free", "b  4"} <= set(texts(figure))
    heights = axes.transData.transform([(0, price) for price in (0, 1, 2, 4, 8)])[:, 1]
    assert np.diff(heights[1:]) == pytest.approx([heights[2] - heights[1]] * 3, rel=0.01)
    assert heights[1] - heights[0] > 20


def test_without_free_prices_the_scale_is_logarithmic(drawn):
    assert drawn(tc.plot_prices(price_rows("a", [2, 1, 1, 1, 1])))[0].get_yscale() == "log"


def test_all_prices_may_be_free(drawn):
    figure = tc.plot_prices(price_rows("a", [0] * 5))

    drawn(figure)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["free"]


def test_a_seller_that_comes_later_is_a_gap_before(drawn, lines):
    found = lines(drawn(tc.plot_prices(price_rows("a", [None, None, 3, 3, 3])))[0])["a"][1]

    assert [math.isnan(value) for value in found] == [True, True, False, False, False]


def test_each_meter_and_currency_has_a_panel_with_its_unit(drawn):
    rows = price_rows("a", [2] * 5) + price_rows("a", [8] * 5, meter="output") + price_rows("b", [3] * 5, currency="CNY")

    assert [axes.get_ylabel() for axes in drawn(tc.plot_prices(rows))] == [
        "input, USD per million tokens",
        "output, USD per million tokens",
        "input, CNY per million tokens",
    ]


def test_an_offering_has_one_colour_in_all_panels():
    rows = price_rows("a", [2] * 5) + price_rows("b", [3] * 5) + price_rows("b", [8] * 5, meter="output")
    colours = [[line.get_color() for line in axes.get_lines() if line.get_label() == "b"] for axes in tc.plot_prices(rows).axes]

    assert colours[0] == colours[1]


@given(st.floats(1e-6, 1e4), st.floats(1, 1e6))
def test_ticks_lie_within_the_prices_and_are_few(least, factor):
    ticks = ticks_between(least, least * factor)

    assert ticks == sorted(ticks)
    assert 1 <= len(ticks) <= 12
    assert all(least * 0.998 <= tick <= least * factor * 1.002 for tick in ticks)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.one_of(st.none(), st.decimals(0, 100, places=4)), min_size=5, max_size=5))
def test_any_prices_are_drawn(values):
    figure = tc.plot_prices(price_rows("a", values))
    figure.canvas.draw()


# -- shares, indexes and fans ------------------------------------------------------------------------------------------------------------


def test_shares_are_the_records(drawn, lines):
    source = {"month": [1, 1, 2, 2], "offering": ["a", "b"] * 2, "share": [0.9, 0.1, 0.75, None]}
    (axes,) = drawn(tc.plot_shares(source, of="tokens"))
    found = lines(axes)

    assert found["a"][1].tolist() == [0.9, 0.75]
    assert found["b"][1].tolist()[0] == 0.1
    assert math.isnan(found["b"][1][1])
    assert (axes.get_ylim(), axes.get_ylabel()) == ((0, 1), "share of tokens")


def test_many_lines_have_a_legend_instead_of_names_at_their_ends(drawn):
    source = [{"month": month, "offering": f"offering {n}", "share": 1 / 14} for month in range(3) for n in range(14)]
    (axes,) = drawn(tc.plot_shares(source))

    assert len(axes.get_legend().get_texts()) == 14


def test_an_index_is_drawn_on_a_scale_of_factors(drawn, lines):
    source = {"period": ["Q1", "Q2", "Q3"], "kind": ["fisher"] * 3, "index": [1, 0.5, 0.25]}
    (axes,) = drawn(tc.plot_index(source))

    assert axes.get_yscale() == "log"
    assert lines(axes)["fisher"][1].tolist() == [1, 0.5, 0.25]
    assert axes.get_ylabel() == "index, 1 at the base"


def test_an_index_of_zero_is_left_out_and_counted(drawn, texts):
    figure = tc.plot_index({"period": [1, 2, 3], "kind": ["x"] * 3, "index": [100, None, 0]}, base=100)

    drawn(figure)
    assert "2 of 3 values are missing or 0 and are not drawn." in texts(figure)


def test_a_fan_pairs_shares_that_add_up_to_one(drawn, lines):
    source = {"month": [1, 2, 3], "q0.1": [1, 1, 1], "q0.5": [2, 3, 4], "q0.9": [3, 5, 7], "q0.99": [9, 9, 9], "mean": [2, 3, None]}
    (axes,) = drawn(tc.plot_fan(source, line="mean", unit="USD per million tokens", across="months from now"))
    found = lines(axes)

    assert sorted(found) == ["mean", "median", "quantile 0.99"]
    assert found["median"][1].tolist() == [2, 3, 4]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["quantile 0.99", "median", "80% of paths", "mean"]
    (band,) = axes.collections
    extent = band.get_paths()[0].get_extents()
    assert (extent.x0, extent.x1, extent.y0, extent.y1) == (1, 3, 1, 7)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("months from now", "USD per million tokens")


def test_a_fan_of_results_with_records(drawn, lines):
    class Made:
        def records(self):
            return [{"month": "2026-10", "q0.5": 1.0}, {"month": "2026-11", "q0.5": 2.0}]

    assert lines(drawn(tc.plot_fan(Made()))[0])["median"][1].tolist() == [1, 2]


def test_gaps_part_a_band(drawn):
    source = {"month": [1, 2, 3, 4], "q0.1": [1, None, 1, 1], "q0.5": [2, None, 2, 2], "q0.9": [3, None, 3, 3]}
    (axes,) = drawn(tc.plot_fan(source))

    assert len(axes.collections) == 2


# -- what cannot be drawn ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plot", [tc.plot_prices, tc.plot_shares, tc.plot_index, tc.plot_fan], ids=lambda plot: plot.__name__)
def test_bad_sources_are_refused(plot):
    with pytest.raises(tc.ColumnError, match="there is nothing to draw; pass at least one record"):
        plot([])
    with pytest.raises(tc.ColumnError, match="7 is a int; pass records"):
        plot(7)
    with pytest.raises(tc.ColumnError, match="'text' is a str; pass records"):
        plot("text")
    with pytest.raises(tc.ColumnError, match="3 is no record; pass mappings or named tuples"):
        plot([3])
    with pytest.raises(tc.ColumnError, match="columns differ in length: a has 1, b has 2"):
        plot({"a": [1], "b": [1, 2]})
    with pytest.raises(tc.ColumnError, match=r"no column '.*' to draw; there are a") as caught:
        plot({"a": [1]})
    assert caught.value.columns == ("a",)


def test_a_fan_without_quantiles_is_refused():
    with pytest.raises(tc.ColumnError, match=r"no quantiles to draw; there are month, p50; name columns of quantiles like q0\.05"):
        tc.plot_fan({"month": [1], "p50": [1]})


def test_places_are_instants_numbers_or_names():
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert places_of([date(2026, 1, 1), at]).values == (at, at)
    assert places_of(["2026-01-01T00:00:00Z"]).values == (at,)
    assert places_of([1, 2.5]).values == (1, 2.5)
    assert places_of([1, "x", 1]).names == ("1", "x")


def test_rows_have_the_names_that_all_have():
    assert rows_of([{"a": 1, "b": 2}, {"a": 3}]).names == ("a",)

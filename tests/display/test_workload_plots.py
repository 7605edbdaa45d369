"""Figures of workloads: what is drawn is what the results say."""

from __future__ import annotations

import builtins
import importlib
import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.display.canvas import short_names, spread_out, style_of

AT = "2026-11-20T12:00:00Z"
PLOTS = [name for name in tc.__all__ if name.startswith("plot_")]


@pytest.fixture(scope="module")
def chat():
    law = tc.Law.lognormal(median=1_500, p90=9_000, most=60_000)
    made = tc.Workload.described("chat", requests=400_000, prompt=law, completion=350, cached=0.4, growth=0.05)
    return replace(made, uncertainty=tc.Uncertainty(requests="0.2", growth="0.03"))


def near(values, expected):
    return np.allclose(np.array(values, float), np.array(expected, float), rtol=1e-12, equal_nan=True)


# -- cost by model -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compared():
    models = ["o1", "claude-sonnet-4-5", "gpt-4o", "alibaba/china/qwen-max", "deepseek-reasoner"]
    return tc.compare(tc.load_workload("chat"), models, at="2025-02-25T12:00:00Z", baseline="gpt-4o")


def test_bars_are_the_totals_cheapest_first(compared, drawn):
    (axes,) = drawn(tc.plot_costs(compared))
    totals = [float(row.total.amount) for row in compared.rows if row.total is not None]

    assert [bar.get_width() for bar in axes.patches] == totals == sorted(totals)
    assert [label.get_text() for label in axes.get_yticklabels()] == [row.offering for row in compared.rows]
    assert axes.get_xlabel() == "cost, USD"


def test_what_has_no_full_price_is_listed_with_its_reason(compared, texts):
    found = texts(tc.plot_costs(compared))

    assert sum(text.startswith("no full price: ") for text in found) == 2
    assert any("alibaba/china/qwen-max: its list is in CNY, not USD; pass fx= with a dated exchange table" in text for text in found)


def test_the_baseline_stands_out(compared, texts):
    figure = tc.plot_costs(compared)
    colours = {bar.get_facecolor() for bar in figure.axes[0].patches}

    assert len(colours) == 2
    assert sum(text.endswith(" (baseline)") for text in texts(figure)) == 1


def test_of_many_bars_the_note_says_how_many_are_left_out(compared, texts, drawn):
    figure = tc.plot_costs(compared, most=1)

    assert len(drawn(figure)[0].patches) == 1
    assert any("2 more, not drawn, cost " in text for text in texts(figure))


def test_a_free_offering_has_a_word_and_no_bar(texts, drawn, compared):
    free = compared.rows[0]._replace(total=tc.Money(0, "USD"))
    figure = tc.plot_costs(compared._replace(rows=(free,)))

    drawn(figure)
    assert "free" in texts(figure)


@pytest.mark.parametrize("most", [0, -1, True, 2.0])
def test_no_bars_are_refused(compared, most):
    with pytest.raises(tc.UsageError, match="draws nothing; pass a whole number from 1"):
        tc.plot_costs(compared, most=most)


# -- forecast ----------------------------------------------------------------------------------------------------------------------------


def test_a_forecast_is_drawn_as_it_is(chat, drawn, lines):
    result = tc.forecast(chat, "google/global/gemini-3.8-flash", start="2026-10", months=6, draws=300, budget=6_000)
    upper, lower = drawn(tc.plot_forecast(result))

    for axes, key, spread in ((upper, "cost", "quantiles"), (lower, "cumulative", "cumulative_quantiles")):
        found = lines(axes)
        assert near(found["expected, exact"][1], [getattr(row, key).amount for row in result.months])
        assert near(found["median"][1], [getattr(row, spread)[0.5].amount for row in result.months])
        bands = [band.get_paths()[0].get_extents() for band in axes.collections]
        for band, (low, high) in zip(bands, [(0.05, 0.95), (0.25, 0.75)], strict=True):
            assert band.y0 == pytest.approx(min(float(getattr(row, spread)[low].amount) for row in result.months))
            assert band.y1 == pytest.approx(max(float(getattr(row, spread)[high].amount) for row in result.months))


def test_the_budget_the_marks_and_what_is_carried(chat, texts):
    result = tc.forecast(chat, "google/global/gemini-3.8-flash", start="2026-10", months=6, draws=300, budget=6_000)
    figure = tc.plot_forecast(result)
    found = texts(figure)
    upper, lower = figure.axes

    assert (upper.get_ylabel(), lower.get_ylabel()) == ("cost a month, USD", "cost so far, USD")
    assert [list(line.get_ydata()) for line in lower.get_lines() if list(line.get_ydata()) == [6000, 6000]] == [[6000, 6000]]
    assert [f"{row.by_end:.0%}" for row in result.passing] == [text for text in found if text.endswith("%") and text[:-1].isdigit()]
    assert {"budget 6,000.00 USD", "carried: assumed to go on", "announced"} <= set(found)
    marks = [line.get_xdata()[0] for line in upper.get_lines() if list(line.get_ydata()) == [0, 1]]
    assert marks == [2.5]
    assert any(text.startswith("1  2027-01-01T00:00:00Z: an announced list begins: cache_read 0.075 → 0.15") for text in found)


def test_a_mark_within_a_month_stands_where_the_instant_is(chat):
    figure = tc.plot_forecast(tc.forecast(chat, "deepseek-v4-pro", start="2026-08", months=2, draws=0))
    marks = [line.get_xdata()[0] for line in figure.axes[0].get_lines() if list(line.get_ydata()) == [0, 1]]

    assert marks == [pytest.approx(-0.5 + (15 + 16 / 24) / 31)]


def test_months_without_a_cost_are_a_gap(chat, drawn, lines, texts):
    figure = tc.plot_forecast(tc.forecast(chat, "deepseek-v4-pro", start="2026-11", months=4, draws=100))
    found = lines(drawn(figure)[0])["expected, exact"][1]

    assert [math.isnan(value) for value in found] == [False, False, True, True]
    assert "no price known" in texts(figure)


@pytest.mark.parametrize(("months", "draws"), [(1, 100), (1, 0), (30, 0)])
def test_one_month_and_many(chat, drawn, months, draws):
    drawn(tc.plot_forecast(tc.forecast(chat.with_growth(0), "google/global/gemini-3.8-flash", start="2026-12", months=months, draws=draws)))


# -- indifference ------------------------------------------------------------------------------------------------------------------------


def test_indifference_lines_go_through_the_knots(drawn, lines, texts):
    usage = tc.Usage(input=6_000, output=400)
    found = tc.indifference(usage, "claude-sonnet-4-5", "gpt-4o", at=AT)
    figure = tc.plot_indifference(found)
    made = lines(drawn(figure)[0])

    assert near(made[found.first][1], [knot.first for knot in found.knots])
    assert near(made[found.second][1], [knot.second for knot in found.knots])
    assert near(made[found.second][0], [knot.value for knot in found.knots])
    assert {"57.5%", "gpt-4o cheaper", "claude-sonnet-4-5 cheaper", "cost, USD"} <= set(texts(figure))


def test_where_one_is_always_cheaper_nothing_is_marked(texts):
    found = texts(tc.plot_indifference(tc.indifference(tc.Usage(input=6_000, output=400), "gpt-4o", "gpt-4.1", over="batch_share", at=AT)))

    assert "gpt-4.1 cheaper" in found
    assert "share of requests made in batch" in found


def test_an_indifference_curve(drawn, texts):
    points = tc.indifference_curve(tc.Usage(input=6_000, output=400), "claude-sonnet-4-5", "gpt-4o", at=AT, points=41)
    figure = tc.plot_indifference(points)
    (axes,) = drawn(figure)
    values = [float(point.values[0]) if point.values else math.nan for point in points]

    assert near(axes.get_lines()[0].get_ydata(), values)
    assert near(axes.get_lines()[0].get_xdata(), [point.across for point in points])
    assert "gpt-4o always cheaper" in texts(figure)


def test_no_curve_is_refused():
    with pytest.raises(tc.UsageError, match="there is no point to draw"):
        tc.plot_indifference([])
    with pytest.raises(tc.UsageTypeError, match="'abc' is no curve; pass what"):
        tc.plot_indifference("abc")


# -- hit rate ----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trace():
    rng = np.random.default_rng(0)
    turns: dict[int, int] = {}
    blocks = []
    for talk in rng.integers(0, 40, 400).tolist():
        turns[talk] = turns.get(talk, 2) + 1
        blocks.append([talk * 1000 + block for block in range(turns[talk])])
    at = np.sort(rng.integers(0, 7_200_000, 400))
    return tc.PrefixTrace.of(at_ms=at, input=[512 * len(own) for own in blocks], output=[9] * 400, blocks=blocks, block_size=512)


def test_hit_rates_are_those_of_the_replay(trace, drawn, lines):
    replay = tc.replay_cache(trace, "anthropic-5m")
    (axes,) = drawn(tc.plot_hit_rate(replay, every_s=600))
    at, rates = lines(axes)["anthropic-5m"]
    expected = replay.hit_rates(every_s=600)

    assert near(rates, [math.nan if own.rate is None else own.rate for own in expected])
    assert near(at, [(own.from_s + 300) / 60 for own in expected])
    assert axes.get_xlabel() == "minutes since the first request"
    assert axes.get_ylim() == (0, 1)


def test_equal_rules_share_a_line_and_its_name(trace, lines, drawn):
    replays = [tc.replay_cache(trace, rule) for rule in ("anthropic-5m", "anthropic-1h", "alibaba-explicit")]
    (axes,) = drawn(tc.plot_hit_rate(replays))

    assert list(lines(axes)) == ["anthropic-5m, alibaba-explicit", "anthropic-1h"]


def test_a_comparison_of_rules_is_drawn_too(trace, lines):
    compared = tc.compare_cache_rules(trace, [("deepseek", "deepseek-chat"), ("openai", "gpt-4o")], at="2026-03-01T00:00:00Z")

    assert sorted(lines(tc.plot_hit_rate(compared).axes[0])) == ["deepseek", "openai"]


def test_no_replay_is_refused(trace):
    with pytest.raises(tc.UsageError, match="there is no replay to draw"):
        tc.plot_hit_rate([])
    with pytest.raises(tc.UsageTypeError, match="is no replay; pass what"):
        tc.plot_hit_rate(7)
    with pytest.raises(tc.UsageTypeError, match="is no replay; pass what"):
        tc.plot_hit_rate([trace])
    with pytest.raises(tc.UsageError, match="every_s=0 is no length of a span"):
        tc.plot_hit_rate(tc.replay_cache(trace, "openai"), every_s=0)


# -- the look ----------------------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 0.2)), max_size=12))
def test_labels_never_overlap_and_keep_their_order(pairs):
    wanted, heights = [own for own, _ in pairs], [height for _, height in pairs]
    made = spread_out(wanted, heights)
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])

    assert len(made) == len(wanted)
    for low, high in pairwise(order):
        assert made[high] - made[low] >= (heights[low] + heights[high]) / 2 - 1e-9


@given(st.lists(st.floats(0, 1), max_size=12, unique=True))
def test_labels_with_room_stay_where_they_are(wanted):
    gaps = [high - low for low, high in pairwise(sorted(wanted))]

    assert spread_out(wanted, [min(gaps, default=1) * 0.9] * len(wanted)) == pytest.approx(wanted)


def test_no_two_lines_look_the_same():
    assert len({tuple(style_of(place).values()) for place in range(28)}) == 28


@given(st.lists(st.text("ab/", min_size=1, max_size=5), unique=True))
def test_short_names_stay_apart(names):
    assert len(set(short_names(names).values())) == len(names)


def test_a_notebook_shows_a_figure_by_itself(compared):
    assert tc.plot_costs(compared)._repr_png_().startswith(b"\x89PNG")


def test_nothing_global_is_touched(compared):
    """The settings of the user stay as they are."""
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    tc.plot_costs(compared)

    assert dict(mpl.rcParams) == before


def test_no_list_of_open_figures_is_even_loaded():
    """A figure is gone when its last name is: nobody has to close it."""
    code = (
        "import sys, io, tokencost as tc\n"
        "figure = tc.plot_fan({'month': [1, 2], 'q0.5': [1, 2]})\n"
        "figure.savefig(io.BytesIO(), format='svg')\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)

    assert (run.stdout, run.stderr) == ("False\n", "")


def test_a_title_may_hold_any_text(compared, drawn, texts):
    """Dollars begin no formula."""
    figure = tc.plot_costs(compared._replace(title="$5 and $10_000 " * 9))

    drawn(figure)
    assert any("$10_000" in text for text in texts(figure))


@pytest.mark.parametrize("name", PLOTS)
def test_a_missing_extra_says_what_to_install(name, monkeypatch):
    """Names can be imported without matplotlib; drawing says what is missing."""
    module = importlib.import_module("tokencost.display.extra")
    monkeypatch.setattr(module, "import_module", mock.Mock(side_effect=ModuleNotFoundError("no", name="matplotlib")))
    with pytest.raises(ModuleNotFoundError, match=r"needs matplotlib; install it with: pip install 'tokencost-tariffs\[plot\]'"):
        getattr(tc, name)(None)


def test_another_missing_module_is_not_hidden(monkeypatch):
    module = importlib.import_module("tokencost.display.extra")
    monkeypatch.setattr(module, "import_module", mock.Mock(side_effect=ModuleNotFoundError("no PIL", name="PIL")))
    with pytest.raises(ModuleNotFoundError, match="no PIL"):
        module.need_matplotlib()


def test_the_names_are_there_without_matplotlib(monkeypatch):
    """A module that draws is imported without the library that it draws with."""
    real = builtins.__import__

    def refuse(name, *args, **extra):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError(name)
        return real(name, *args, **extra)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for name in ("cost_bars", "fan_bands", "forecast_fan", "hit_rate_lines", "indifference_lines", "price_steps", "share_lines"):
        monkeypatch.delitem(sys.modules, f"tokencost.display.{name}", raising=False)
        importlib.import_module(f"tokencost.display.{name}")

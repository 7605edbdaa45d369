"""Cost bars: what a workload costs on each offering."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from tokencost.display.extra import need_matplotlib
from tokencost.errors import UsageError
from tokencost.tariffs.clock import iso
from tokencost.workloads.comparison import requests_text
from tokencost.workloads.cost_estimate import shown_money

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from tokencost.display.extra import Axes
    from tokencost.workloads.comparison import Compared, Comparison

__all__ = ["plot_costs"]

_BAR: Final = 0.27
"""Inches of a bar with the space around it."""
_REASON: Final = 72
_LEAST_OTHERS: Final = 10
_MOST_REASONS: Final = 6


def plot_costs(comparison: Comparison, *, most: int = 40) -> Figure:
    """Draw what a workload costs on each offering, the cheapest first.

    Offerings without a full price stand below, with the reason instead of a bar. Of very many the `most` cheapest are drawn, and a note
    says how many more there are and what they cost. The baseline has a colour of its own. Bars are in the currency of the comparison.

    >>> import tokencost as tc
    >>> result = tc.compare(tc.load_workload("chat"), ["gpt-4o", "deepseek-reasoner", "o1"], at="2025-03-01T12:00:00Z")
    >>> figure = tc.plot_costs(result)
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['deepseek/global/deepseek-reasoner', 'openai/global/gpt-4o', 'openai/global/o1']

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
        UsageError: `most` is less than 1.
    """
    need_matplotlib()
    from tokencost.display.canvas import new_chart, write_notes

    if type(most) is not int or most < 1:
        raise UsageError(f"most={most!r} draws nothing; pass a whole number from 1", meter="most", value=most)
    ranked = [row for row in comparison.rows if row.total is not None]
    others = [row for row in comparison.rows if row.total is None]
    listed = max(most - len(ranked), _LEAST_OTHERS)
    shown = (ranked[:most], others[:listed])
    height = 1.15 + _BAR * sum(map(len, shown))
    chart = new_chart(f"Cost of {comparison.title}, {_when(comparison)}", height=max(height, 1.7))
    _draw(chart.add_subplot(), comparison, *shown)
    write_notes(chart, _notes(comparison, ranked[most:], others, listed))
    return chart


def _when(comparison: Comparison) -> str:
    if comparison.month:
        return f"in {comparison.month}"
    return "each request at its own instant" if comparison.at is None else f"at {iso(comparison.at)}"


def _draw(axes: Axes, comparison: Comparison, ranked: Sequence[Compared], others: Sequence[Compared]) -> None:
    from tokencost.display.canvas import COLOURS, GREY, INK, NUMBERS, SMALL, style_axes

    costs = [float(row.total.amount) for row in ranked if row.total is not None]
    colours = [COLOURS[1] if _is_baseline(row, comparison) else COLOURS[0] for row in ranked]
    axes.barh(range(len(costs)), costs, height=0.68, color=colours)
    for place, row in enumerate(ranked):
        assert row.total is not None, "ranked rows have a total"
        told = shown_money(row.total) if row.total else "free"
        told += " (baseline)" if _is_baseline(row, comparison) else ""
        axes.annotate(told, (costs[place], place), (4, 0), textcoords="offset points", va="center", fontsize=SMALL, color=INK)
    for place, row in enumerate(others, len(ranked)):
        reason = textwrap.shorten("no full price: " + "; ".join(row.reasons), _REASON, placeholder=" …")
        text = axes.annotate(
            reason, (0, place), (4, 0), textcoords="offset points", va="center", fontsize=SMALL, color=GREY, style="italic"
        )
        text.set_parse_math(False)
    style_axes(axes, grid="x", x=f"cost, {comparison.currency}")
    axes.set_yticks(range(len(ranked) + len(others)), [row.offering for row in (*ranked, *others)])
    axes.set_ylim(len(ranked) + len(others) - 0.4, -0.6)
    axes.set_xlim(0, max(costs, default=0) * 1.12 or 1)
    axes.xaxis.set_major_formatter(NUMBERS)
    if not any(costs):
        axes.set_xticks([0])


def _is_baseline(row: Compared, comparison: Comparison) -> bool:
    return comparison.baseline in (row.name, row.offering)


def _notes(comparison: Comparison, more: Sequence[Compared], others: Sequence[Compared], listed: int) -> Iterator[str]:
    yield f"{requests_text(comparison.requests)}, {comparison.tokens:,} tokens"
    if more and more[0].total is not None and more[-1].total is not None:
        yield f"{len(more):,} more, not drawn, cost {shown_money(more[0].total)} to {shown_money(more[-1].total)} {comparison.currency}"
    if len(others) > listed:
        yield f"{len(others) - listed:,} more without a full price are not drawn"
    if len(others) <= _MOST_REASONS:
        yield from (f"{row.offering}: {reason}" for row in others for reason in row.reasons)

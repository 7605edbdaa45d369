"""Indifference lines: two offerings as one share of a workload moves, and where they cost the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from tokencost.display.extra import need_matplotlib
from tokencost.errors import UsageError, UsageTypeError
from tokencost.workloads.indifference import Indifference, IndifferencePoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from tokencost.display.extra import Axes

__all__ = ["plot_indifference"]

_NAMES: Final = {
    "cached": "share of prompts read from the cache",
    "output_share": "share of completions in all tokens",
    "peak_share": "share of requests in peak hours",
    "batch_share": "share of requests made in batch",
}


def plot_indifference(curve: Indifference | Sequence[IndifferencePoint], *, over: str = "cached", across: str = "output_share") -> Figure:
    """Draw where two offerings cost the same.

    Of an `Indifference`: what both cost as the share moves, the values at which they meet, and below each stretch the cheaper one. Of the
    points of `indifference_curve`: the share `over` at which they meet, for each value of the share `across`, as these were asked for;
    values of `across` at which one is always cheaper are marked with its name.

    >>> import tokencost as tc
    >>> found = tc.indifference(tc.Usage(input=6_000, output=400), "claude-sonnet-4-5", "gpt-4o", at="2026-11-20T12:00:00Z")
    >>> figure = tc.plot_indifference(found)
    >>> figure.axes[0].get_xlabel()
    'share of prompts read from the cache'

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
        UsageError: no points.
        UsageTypeError: neither of these.
    """
    need_matplotlib()
    if isinstance(curve, Indifference):
        return _lines(curve)
    points: list[Any] = list(cast("Sequence[Any]", curve)) if isinstance(curve, (list, tuple)) else [curve]
    if not all(isinstance(point, IndifferencePoint) for point in points):
        raise UsageTypeError(
            f"{curve!r:.60} is no curve; pass what tc.indifference or tc.indifference_curve returns", meter="curve", value=curve
        )
    if not points:
        raise UsageError("there is no point to draw; ask tc.indifference_curve for some", meter="curve", value=curve)
    return _crossings(cast("list[IndifferencePoint]", points), over=over, across=across)


def _lines(found: Indifference) -> Figure:
    from tokencost.display.canvas import COLOURS, NUMBERS, End, label_ends, new_chart, short_names, style_axes, write_notes

    names = short_names([found.first, found.second])
    colours = dict(zip((found.first, found.second), COLOURS, strict=False))
    chart = new_chart(f"Cost of {found.title} on {names[found.first]} and {names[found.second]}, {found.when}")
    axes: Axes = chart.add_subplot()
    shares = [float(knot.value) for knot in found.knots]
    costs = {found.first: [float(knot.first) for knot in found.knots], found.second: [float(knot.second) for knot in found.knots]}
    for name, values in costs.items():
        axes.plot(shares, values, color=colours[name], linewidth=2, label=name, solid_capstyle="round")
    highest = max(value for values in costs.values() for value in values)
    axes.set_ylim(0, highest * 1.12 or 1)
    axes.set_xlim(shares[0], shares[-1])
    style_axes(axes, x=_NAMES[found.over], y=f"cost, {found.currency}")
    axes.yaxis.set_major_formatter(NUMBERS)
    _percents(axes)
    _stretches(axes, found, colours, names)
    label_ends(axes, [End(shares[-1], values[-1], names[name], colours[name]) for name, values in costs.items()], height=3.7)
    write_notes(chart, [found.words[:1].upper() + found.words[1:] + "."])
    return chart


def _percents(axes: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))


def _stretches(axes: Axes, found: Indifference, colours: Mapping[str, str], names: Mapping[str, str]) -> None:
    """Draw below each stretch the colour of the cheaper offering, and a line where both cost the same."""
    from tokencost.display.canvas import GREY, INK, SMALL

    width = float(found.knots[-1].value - found.knots[0].value)
    for stretch in found.stretches:
        low, high = float(stretch.low), float(stretch.high)
        colour = GREY if stretch.cheaper is None else colours[stretch.cheaper]
        axes.axvspan(low, high, 0, 0.022, color=colour, linewidth=0)
        told = "same cost" if stretch.cheaper is None else f"{names[stretch.cheaper]} cheaper"
        if (high - low) / width > len(told) / 95:
            place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
            text = axes.annotate(told, ((low + high) / 2, 0.022), (0, 4), ha="center", fontsize=SMALL, color=colour, **place)
            text.set_parse_math(False)
    for value in found.values:
        share, cost = float(value), float(found.costs(value)[0])
        axes.plot([share, share], [0, cost], color=GREY, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
        axes.plot([share], [cost], marker="o", markersize=6, color="white", markeredgecolor=INK, markeredgewidth=1.2, zorder=4)
        axes.annotate(f"{share:.1%}", (share, cost), (0, 9), textcoords="offset points", ha="center", fontsize=SMALL + 1, color=INK)


def _crossings(points: list[IndifferencePoint], *, over: str, across: str) -> Figure:
    from matplotlib.ticker import PercentFormatter

    from tokencost.display.canvas import COLOURS, GREY, SMALL, new_chart, short_names, style_axes

    chart = new_chart("Where two offerings cost the same")
    axes: Axes = chart.add_subplot()
    most = max((len(point.values) for point in points), default=0)
    shares = [float(point.across) for point in points]
    for rank in range(most):
        values = [float(point.values[rank]) if rank < len(point.values) else float("nan") for point in points]
        axes.plot(shares, values, color=COLOURS[0], linewidth=2, marker="o", markersize=4, clip_on=False)
    cheaper = list(dict.fromkeys(point.cheaper for point in points if point.cheaper is not None))
    names = short_names(cheaper)
    for place, name in enumerate(cheaper):
        own = [float(point.across) for point in points if point.cheaper == name and not point.values]
        height = -0.05 - 0.06 * place
        axes.plot(own, [height] * len(own), linestyle="none", marker="s", markersize=6, color=COLOURS[1 + place], clip_on=False)
        label = axes.annotate(
            f"{names[name]} always cheaper", (max(own, default=1.0), height), (9, 0), textcoords="offset points", va="center",
            fontsize=SMALL, color=COLOURS[1 + place], annotation_clip=False,
        )  # fmt: skip
        label.set_parse_math(False)
    style_axes(axes, x=_NAMES.get(across, across), y=_NAMES.get(over, over))
    axes.set_xlim(min(shares), max(shares))
    axes.set_ylim(-0.05 - 0.06 * len(cheaper), 1.02)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    _percents(axes)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return chart

"""Share lines and index lines: how demand is shared out, and how a price level moves, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tokencost.display.columns import number_of, places_of, rows_of
from tokencost.display.extra import need_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tokencost.display.columns import Rows
    from tokencost.display.extra import Axes

__all__ = ["plot_index", "plot_shares"]

_NAMED_ENDS: Final = 12


def plot_shares(
    source: object, *, x: str = "month", name: str = "offering", value: str = "share", title: str = "Shares", of: str = "requests"
) -> Figure:
    """Draw shares over time, a line for each name, from 0 to 100 per cent.

    `source` has records, is an iterable of them, or a dict of columns: `x`, `name` and `value` say which columns are taken, `of` what is
    shared out. A share that is None is a gap.

    >>> import tokencost as tc
    >>> shares = {"month": [1, 1, 2, 2], "offering": ["a", "b"] * 2, "share": [0.5, 0.5, 0.7, 0.3]}
    >>> figure = tc.plot_shares(shares)
    >>> [line.get_label() for line in figure.axes[0].get_lines()]
    ['a', 'b']

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
        ColumnError: there are no records, or a column is missing.
    """
    need_matplotlib()
    from matplotlib.ticker import PercentFormatter

    from tokencost.display.canvas import new_chart

    chart = new_chart(title)
    rows = rows_of(source)
    axes: Axes = chart.add_subplot()
    highest = max((share for share in map(number_of, rows.column(value)) if share > 0), default=1.0)
    axes.set_ylim(0, 1 if highest > 0.6 else highest * 1.15)  # noqa: PLR2004 - near enough to all for the whole to be shown
    _draw(axes, rows, x, name, value)
    axes.set_ylabel(f"share of {of}")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    return chart


def plot_index(
    source: object, *, x: str = "period", name: str = "kind", value: str = "index", base: float = 1, title: str = "Price index"
) -> Figure:
    """Draw indexes over time, a line for each name, on a scale of factors around their base.

    `source` has records, is an iterable of them, or a dict of columns: `x`, `name` and `value` say which columns are taken. An index that
    is None or 0 has no place on a scale of factors: it is a gap, and a note counts them.

    >>> import tokencost as tc
    >>> figure = tc.plot_index({"period": ["2025", "2026"], "kind": ["fisher"] * 2, "index": [1, 0.4]})
    >>> [line.get_ydata().tolist() for line in figure.axes[0].get_lines() if line.get_label() == "fisher"]
    [[1.0, 0.4]]

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
        ColumnError: there are no records, or a column is missing.
    """
    need_matplotlib()
    from tokencost.display.canvas import GREY, new_chart, number_text, write_notes
    from tokencost.display.price_steps import ticks_between

    chart = new_chart(title)
    rows = rows_of(source)
    axes: Axes = chart.add_subplot()
    axes.set_yscale("log")
    values = [own for own in map(number_of, rows.column(value)) if own > 0]
    least, most = min([base, *values]), max([base, *values])
    ticks = ticks_between(least, most)
    axes.set_ylim(min(ticks[0], least) / 1.08, max(ticks[-1], most) * 1.08)
    left_out = _draw(axes, rows, x, name, value, above=0.0)
    axes.minorticks_off()
    axes.set_yticks(ticks, [number_text(float(f"{tick:.4g}")) for tick in ticks], minor=False)
    axes.axhline(base, color=GREY, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
    axes.set_ylabel(f"index, {number_text(base)} at the base")
    write_notes(chart, [f"{left_out} of {len(rows.rows)} values are missing or 0 and are not drawn."] if left_out else [])
    return chart


def _draw(axes: Axes, rows: Rows, x: str, name: str, value: str, *, above: float = float("-inf")) -> int:
    """Draw a line for each name, named at its right end; return how many values are no number above a bound."""
    from tokencost.display.axis import place_ticks
    from tokencost.display.canvas import End, label_ends, place_legend, short_names, style_axes, style_of

    rows.need(x, name, value)
    places = places_of(rows.column(x))
    at = dict(zip(rows.column(x), places.values, strict=True))
    groups = rows.by(lambda row: row[name])
    names = short_names([str(own) for own in groups])
    ends: list[Any] = []
    lines: list[Any] = []
    left_out = 0
    for place, (own, group) in enumerate(groups.items()):
        style = style_of(place)
        pairs = sorted((at[row[x]], number_of(row[value])) for row in group.rows)
        drawn = [(here, there if there > above else float("nan")) for here, there in pairs]
        lines += axes.plot(*zip(*drawn, strict=True), linewidth=1.9, label=str(own), **style)
        seen = [pair for pair in drawn if pair[1] > above]
        left_out += len(drawn) - len(seen)
        if seen:
            ends.append(End(*seen[-1], names[str(own)], style["color"]))
    style_axes(axes, x=x)
    place_ticks(axes, places)
    if len(ends) <= _NAMED_ENDS:
        label_ends(axes, ends, height=3.9)
    else:
        place_legend(axes, lines, columns=4)
    return left_out

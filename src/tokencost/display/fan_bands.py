"""Fan bands: quantiles of something uncertain over time, the outer ones lighter."""

from __future__ import annotations

import re
from itertools import pairwise
from math import isnan, nan
from typing import TYPE_CHECKING, Any, Final

from tokencost.display.columns import number_of, places_of, rows_of
from tokencost.display.extra import need_matplotlib
from tokencost.errors import ColumnError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from tokencost.display.columns import Rows
    from tokencost.display.extra import Axes

__all__ = ["draw_bands", "plot_fan"]

_QUANTILE: Final = re.compile(r"q(0(?:\.\d+)?|1(?:\.0+)?|0?\.\d+)")
_ALONE: Final = 0.3
"""Half the width of a month that stands alone, as a share of the distance between two."""
_SAME: Final = 1e-9
_MIDDLE: Final = 0.5


def plot_fan(
    source: object,
    *,
    x: str = "month",
    line: str | None = None,
    title: str = "Quantiles",
    unit: str = "",
    across: str = "",
) -> Figure:
    """Draw quantiles over time as bands, the outer ones lighter, and the median as a line.

    `source` has records, is an iterable of them, or a dict of columns: the column `x`, and quantiles named like `q0.05`. Shares that add up
    to one make a band. `line` names a column to draw as a line, such as a mean. `unit` labels the axis of values, `across` the other. What
    is missing is a gap.

    >>> import tokencost as tc
    >>> figure = tc.plot_fan({"month": [1, 2], "q0.25": [1, 2], "q0.5": [2, 4], "q0.75": [3, 7]}, unit="USD per million tokens")
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['median', '50% of paths']

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
        ColumnError: there are no records, no quantiles, or no such column.
    """
    need_matplotlib()
    from tokencost.display.axis import place_ticks
    from tokencost.display.canvas import COLOURS, NUMBERS, new_chart, place_legend, style_axes

    rows = rows_of(source)
    places = places_of(rows.column(x))
    found = _quantiles(rows)
    chart = new_chart(title)
    axes: Axes = chart.add_subplot()
    handles = draw_bands(axes, places.values, found)
    if line is not None:
        values = [number_of(value) for value in rows.column(line)]
        handles += axes.plot(places.values, values, color=COLOURS[1], linewidth=1.8, marker="o", markersize=3.5, label=line)
    style_axes(axes, x=across or x, y=unit)
    if min((value for values in found.values() for value in values if not isnan(value)), default=0) >= 0:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(NUMBERS)
    place_ticks(axes, places)
    place_legend(axes, handles)
    return chart


def _quantiles(rows: Rows) -> dict[float, list[float]]:
    found = {float(match[1]): name for name in rows.names if (match := _QUANTILE.fullmatch(name))}
    if not found:
        raise ColumnError(
            f"no quantiles to draw; there are {', '.join(rows.names)}; name columns of quantiles like q0.05",
            column="q0.5",
            columns=rows.names,
        )
    return {share: [number_of(value) for value in rows.column(found[share])] for share in sorted(found)}


def draw_bands(axes: Axes, places: Sequence[Any], quantiles: Mapping[float, Sequence[float]], *, colour: str | None = None) -> list[Any]:
    """Draw bands between quantiles whose shares add up to one, lines for the others, and return what a legend needs."""
    from matplotlib.patches import Patch

    from tokencost.display.canvas import COLOURS, tint

    ink = colour or COLOURS[0]
    pairs = [(low, high) for low in quantiles for high in quantiles if low < _MIDDLE and abs(low + high - 1) < _SAME]
    handles: list[Any] = []
    for rank, (low, high) in enumerate(sorted(pairs), 1):
        shade = tint(ink, 0.14 + 0.26 * rank / len(pairs))
        for start, stop in _runs([a + b for a, b in zip(quantiles[low], quantiles[high], strict=True)]):
            where = _widened(places, start, stop)
            below, above = ([*quantiles[share][start:stop]] * (len(where) // (stop - start)) for share in (low, high))
            axes.fill_between(where, below, above, color=shade, linewidth=0)
        handles.insert(0, Patch(color=shade, label=f"{(high - low) * 100:.4g}% of paths"))
    paired = {share for pair in pairs for share in pair}
    for share, values in quantiles.items():
        if share not in paired:
            middle = abs(share - _MIDDLE) < _SAME
            style = {"linewidth": 1.6} if middle else {"linewidth": 0.9, "linestyle": "--"}
            for start, _ in (run for run in _runs(values) if run[1] - run[0] == 1):
                axes.plot(_widened(places, start, start + 1), [values[start]] * 2, color=ink, **style)
            (drawn,) = axes.plot(places, list(values), color=ink, label="median" if middle else f"quantile {share:g}", **style)
            handles.insert(0, drawn)
    return handles


def _runs(values: Sequence[float]) -> list[tuple[int, int]]:
    """Return where values are without a gap, as half-open spans."""
    edges = [place for place, (a, b) in enumerate(pairwise([nan, *values, nan])) if isnan(a) != isnan(b)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _widened(places: Sequence[Any], start: int, stop: int) -> list[Any]:
    """Return the places of a span; one that stands alone becomes as wide as a bar."""
    if stop - start > 1:
        return list(places[start:stop])
    step = min((abs(b - a) for a, b in pairwise(places) if a != b), default=None)
    reach = (1 if step is None and isinstance(places[start], (int, float)) else step) or 0
    return [places[start] - reach * _ALONE, places[start] + reach * _ALONE] if reach else [places[start]]

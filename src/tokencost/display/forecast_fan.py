"""Forecast fans: the cost of each month with its spread, what changes the price, and how sure the price is."""

from __future__ import annotations

import calendar
from itertools import groupby
from math import ceil, nan
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.display.extra import need_matplotlib
from tokencost.display.fan_bands import draw_bands
from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from matplotlib.figure import Figure

    from tokencost.display.extra import Axes
    from tokencost.tariffs.money import Money
    from tokencost.workloads.forecast import Forecast, PriceEvent

__all__ = ["plot_forecast"]

_SHADES: Final = {"announced": "#EAF3FA", "carried": "#F1F1F1", "unknown": "#F6E3DA"}
_WORDS: Final = {
    "listed": "seen on the list",
    "announced": "announced",
    "carried": "carried: assumed to go on",
    "unknown": "no price known",
}
_PANEL: Final = 3.6
_LETTERS: Final = 95
"""So many small letters fit into a panel."""
_ROOM: Final = 1.2
"""Room above the highest value, for the numbers of events."""
_CHANGES: Final = 4
_ENDS: Final = frozenset({"prices begin", "prices end", "calendar ends"})
"""Events that matter without a price that changes."""
_MOST_SHARES: Final = 12
_LEVELS: Final = 4
_THIN: Final = 0.015


class _Panel(NamedTuple):
    """What one panel shows: a cost of each month, and its quantiles."""

    costs: list[float]
    quantiles: dict[float, list[float]]
    label: str


def plot_forecast(forecast: Forecast) -> Figure:
    """Draw the cost of each month: the exact expectation, and the quantiles of its drawn paths as bands.

    A line with a number marks each instant at which a price of the workload changes; the numbers are told below. Months whose price is not
    seen on a list are shaded and say so; months without a cost are a gap. With a budget a second panel shows all months so far, the budget,
    and how likely it has been passed.

    >>> import tokencost as tc
    >>> result = tc.forecast(tc.load_workload("chat"), "deepseek-v4-pro", start="2026-07", months=4, draws=200, budget=200)
    >>> figure = tc.plot_forecast(result)
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['cost a month, USD', 'cost so far, USD']

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
    """
    need_matplotlib()
    from tokencost.display.canvas import new_chart, write_notes

    panels = _panels(forecast)
    events = [event for row in forecast.months for event in row.events if event.prices or _ENDS & set(event.kinds)]
    months = forecast.months
    span = months[0].month if len(months) == 1 else f"{months[0].month} to {months[-1].month}"
    width = min(max(9.0, 2 + 0.3 * len(months)), 16.0)
    chart = new_chart(f"Forecast of {forecast.title} on {forecast.offering}, {span}", width=width, height=1.1 + _PANEL * len(panels))
    every: Any = chart.subplots(len(panels), 1, sharex=True, squeeze=False)
    for place, (axes, panel) in enumerate(zip(every[:, 0], panels, strict=True)):
        _draw(axes, forecast, panel, events, is_first=not place)
    if forecast.budget is not None:
        _draw_budget(every[-1, 0], forecast, forecast.budget)
    _across(every[-1, 0], forecast)
    write_notes(chart, _notes(forecast, events))
    return chart


def _panels(forecast: Forecast) -> list[_Panel]:
    months = forecast.months
    costs = _Panel(
        [_number(row.cost) for row in months],
        _columns([row.quantiles for row in months]),
        f"cost a month, {forecast.currency}",
    )
    if forecast.budget is None:
        return [costs]
    so_far = _columns([row.cumulative_quantiles for row in months])
    return [costs, _Panel([_number(row.cumulative) for row in months], so_far, f"cost so far, {forecast.currency}")]


def _number(money: Money | None) -> float:
    return nan if money is None else float(money.amount)


def _columns(rows: Sequence[Mapping[float, Money]]) -> dict[float, list[float]]:
    shares = sorted({share for row in rows for share in row})
    return {share: [_number(row.get(share)) for row in rows] for share in shares}


def _draw(axes: Axes, forecast: Forecast, panel: _Panel, events: Sequence[PriceEvent], *, is_first: bool) -> None:
    from tokencost.display.canvas import COLOURS, NUMBERS, place_legend, style_axes

    count = len(panel.costs)
    _shade(axes, forecast, told=is_first)
    handles = draw_bands(axes, range(count), panel.quantiles)
    (line,) = axes.plot(range(count), panel.costs, color=COLOURS[1], linewidth=1.6, marker="o", markersize=4, label="expected, exact")
    style_axes(axes, y=panel.label)
    highest = max((value for row in (panel.costs, *panel.quantiles.values()) for value in row if value == value), default=1.0)  # noqa: PLR0124 - nan is not itself
    if not is_first and forecast.budget is not None:
        highest = max(highest, float(forecast.budget.amount))
    axes.set_ylim(0, highest * _ROOM or 1)
    axes.yaxis.set_major_formatter(NUMBERS)
    _mark(axes, forecast, events, told=is_first)
    if is_first:
        place_legend(axes, [line, *handles])


def _shade(axes: Axes, forecast: Forecast, *, told: bool) -> None:
    """Shade the months whose price nobody has seen, and say in words how sure each is."""
    from tokencost.display.canvas import GREY, SMALL

    first = 0
    for known, rows in groupby(forecast.months, key=lambda row: row.known):
        last = first + len(list(rows))
        if known in _SHADES:
            axes.axvspan(first - 0.5, last - 0.5, color=_SHADES[known], linewidth=0, zorder=0)
        if told:
            room = (last - first) / len(forecast.months) * _LETTERS
            axes.annotate(
                _WORDS[known] if room > len(_WORDS[known]) else known, ((first + last - 1) / 2, 0), (0, 5),
                xycoords=("data", "axes fraction"), textcoords="offset points", ha="center", fontsize=SMALL, color=GREY, style="italic",
                rotation=0 if room > len(known) else 90,
            )  # fmt: skip
        first = last


def _mark(axes: Axes, forecast: Forecast, events: Sequence[PriceEvent], *, told: bool) -> None:
    """Draw a line where a price changes, with the number under which it is told below."""
    from tokencost.display.canvas import GREY, INK, SMALL

    last_at, level = float("-inf"), 0
    for number, event in enumerate(events, 1):
        where = _place(forecast, event)
        axes.axvline(where, color=GREY, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
        if told:
            level = (level + 1) % _LEVELS if where - last_at < len(forecast.months) / 35 else 0
            axes.annotate(
                str(number), (where, 0.955 - 0.075 * level), xycoords=("data", "axes fraction"), ha="center", va="center", fontsize=SMALL,
                color=INK, bbox={"boxstyle": "circle,pad=0.22", "facecolor": "white", "edgecolor": GREY, "linewidth": 0.8},
            )  # fmt: skip
            last_at = where


def _place(forecast: Forecast, event: PriceEvent) -> float:
    """Return where an instant stands: a month reaches half a step to either side of its place."""
    at = event.at
    names = [row.month for row in forecast.months]
    begin = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    days = calendar.monthrange(at.year, at.month)[1]
    return names.index(f"{at:%Y-%m}") - 0.5 + (at - begin).total_seconds() / (days * 86400)


def _draw_budget(axes: Axes, forecast: Forecast, budget: Money) -> None:
    """Draw the budget as a line, and at the top how likely it has been passed by the end of each month."""
    from tokencost.display.canvas import COLOURS, SMALL

    amount = float(budget.amount)
    axes.axhline(amount, color=COLOURS[3], linewidth=1.6)
    text = {"textcoords": "offset points", "fontsize": SMALL, "color": "#9B4C7C", "va": "bottom"}
    axes.annotate(f"budget {budget}", (1.0, amount), (4, -4), xycoords=("axes fraction", "data"), annotation_clip=False, **text)
    if not forecast.passing:
        return
    axes.annotate("likely passed", (1.0, 0.93), (4, 0), xycoords="axes fraction", annotation_clip=False, **text)
    step = ceil(len(forecast.months) / _MOST_SHARES)
    for place, row in list(enumerate(forecast.passing))[::step]:
        told = "—" if row.by_end is None else f"{row.by_end:.0%}"
        axes.annotate(told, (place, 0.93), (0, 0), xycoords=("data", "axes fraction"), ha="center", **text)


def _across(axes: Axes, forecast: Forecast) -> None:
    from tokencost.display.axis import name_ticks

    axes.set_xlim(-0.5, len(forecast.months) - 0.5)
    name_ticks(axes, [row.month for row in forecast.months])
    axes.set_xlabel("month, UTC")


def _notes(forecast: Forecast, events: Sequence[PriceEvent]) -> Iterator[str]:
    for number, event in enumerate(events, 1):
        yield f"{number}  {iso(event.at)}: {_told(event)}"
    if forecast.passing:
        yield "Percentages: how likely the cost of all months so far has passed the budget."
    if _is_thin(_panels(forecast)[0]):
        yield "The bands are about as thin as the line: nothing but chance makes the paths differ."
    drawn = f"{forecast.draws:,} drawn paths, seed {forecast.seed}. " if forecast.draws else ""
    seen = "never seen on a list" if forecast.known_until is None else f"seen on the list up to {iso(forecast.known_until)}"
    yield f"{drawn}The price was {seen}."


def _is_thin(panel: _Panel) -> bool:
    """Say whether the widest band can hardly be seen."""
    if not panel.quantiles:
        return False
    rows = [panel.quantiles[share] for share in (min(panel.quantiles), max(panel.quantiles))]
    widths = [(high - low) / high for low, high in zip(*rows, strict=True) if high > 0]
    return bool(widths) and max(widths) < _THIN


def _told(event: PriceEvent) -> str:
    """Return what happens in a few words, with the first prices that change."""
    what = event.text.partition(": ")[0]
    several = len({change.where for change in event.prices}) > 1
    moves = [
        f"{change.meter} {_price(change.old)} → {_price(change.new)}" + (f" ({change.where.rsplit(', ', 1)[-1]})" if several else "")
        for change in event.prices
    ]
    more = f", and {len(moves) - _CHANGES} more" if len(moves) > _CHANGES else ""
    return f"{what}: {', '.join(moves[:_CHANGES])}{more}" if moves else what


def _price(price: Decimal | None) -> str:
    return "none" if price is None else format(price, "f")

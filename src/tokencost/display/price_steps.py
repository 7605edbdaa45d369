"""Price steps: list prices and the prices that are paid, over time, on a scale of factors."""

from __future__ import annotations

from math import floor, isnan, log10
from typing import TYPE_CHECKING, Any, Final

from tokencost.display.columns import number_of, places_of, rows_of
from tokencost.display.extra import need_matplotlib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from tokencost.display.canvas import End
    from tokencost.display.columns import Rows
    from tokencost.display.extra import Axes

__all__ = ["plot_prices", "ticks_between"]

_PANEL: Final = 3.2
_LABEL: Final = 0.175
"""Inches of the name of a line."""
_NEEDED: Final = ("at", "offering", "meter", "list_price", "effective_price")
_WIDE: Final = 30
"""So many times the least price, and powers of ten are enough of labels."""
_FREE_ROOM: Final = 0.22
_FEWEST_TICKS: Final = 2
_FAR: Final = 1.3


def plot_prices(source: object, *, title: str = "Prices", unit: str = "million tokens") -> Figure:
    """Draw prices as steps on a logarithmic scale, where equal percentages are equal heights; a panel for each meter and currency.

    `source` has records, is an iterable of them, or a dict of columns: `at`, `offering`, `meter`, `list_price`, `effective_price` and, if
    there are several, `currency`. What is paid is a thick line with a dot at every move, the list price a thin dashed one where it
    differs. A price holds until the next record of its offering, None is a gap, and free prices stand apart at the foot.

    >>> import tokencost as tc
    >>> at = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]
    >>> prices = {"at": at, "offering": ["a"] * 3, "meter": ["input"] * 3, "list_price": [2, 1, 1], "effective_price": [2, 1, 0]}
    >>> figure = tc.plot_prices(prices, title="A price war")
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['free', '1', '2']

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
        ColumnError: there are no records, or a column is missing.
    """
    need_matplotlib()
    from tokencost.display.axis import place_ticks
    from tokencost.display.canvas import label_ends, new_chart, style_axes, write_notes

    rows = rows_of(source)
    rows.need(*_NEEDED)
    panels = rows.by(lambda row: (row["meter"], row.get("currency")))
    places = places_of(rows.column("at"))
    offerings = list(dict.fromkeys(rows.column("offering")))
    named = max(len({row["offering"] for row in own.rows}) for own in panels.values())
    height = max(_PANEL, _LABEL * named + 0.6)
    chart = new_chart(title, height=1.1 + height * len(panels))
    every: Any = chart.subplots(len(panels), 1, sharex=True, squeeze=False)
    dashed = False
    for axes, ((meter, currency), own) in zip(every[:, 0], panels.items(), strict=True):
        ends, apart = _draw(axes, own, offerings)
        dashed = dashed or apart
        style_axes(axes, y=f"{meter}, {currency or ''}{' ' if currency else ''}per {unit}")
        label_ends(axes, ends, height=height - 0.5)
    place_ticks(every[-1, 0], places)
    every[-1, 0].set_xlabel("date, UTC" if places.has_instants else "at")
    write_notes(
        chart, ["Thick lines are what is paid, thin dashed ones the list price where it differs. Dots are moves."] if dashed else []
    )
    return chart


def _draw(axes: Axes, rows: Rows, offerings: Sequence[Any]) -> tuple[list[End], bool]:
    """Draw the steps of one panel; return the ends of its lines, and whether a list price is not what is paid."""
    from tokencost.display.canvas import End, number_text, short_names, style_of

    names = short_names([str(name) for name in offerings])
    ends: list[End] = []
    apart = False
    paid_and_listed = [number_of(value) for key in _NEEDED[3:] for value in rows.column(key)]
    _scale(axes, [price for price in paid_and_listed if not isnan(price)])
    for name, own in rows.by(lambda row: row["offering"]).items():
        style = style_of(offerings.index(name))
        order = sorted(zip(places_of(own.column("at")).values, own.rows, strict=True), key=lambda pair: pair[0])
        at = [place for place, _ in order]
        paid, listed = ([number_of(row[key]) for _, row in order] for key in ("effective_price", "list_price"))
        if any(a != b and not (isnan(a) and isnan(b)) for a, b in zip(paid, listed, strict=True)):
            apart = True
            axes.plot(at, listed, drawstyle="steps-post", color=style["color"], linewidth=1.0, linestyle=(0, (4, 2)), label=f"{name}, list")
        axes.plot(at, paid, drawstyle="steps-post", linewidth=2.0, label=str(name), **style)
        moves = [n for n in range(1, len(paid)) if paid[n] != paid[n - 1] and not isnan(paid[n])]
        axes.plot([at[n] for n in moves], [paid[n] for n in moves], linestyle="none", marker="o", markersize=4, color=style["color"])
        last = max((n for n, price in enumerate(paid) if not isnan(price)), default=None)
        if last is not None:
            ends.append(
                End(at[last], paid[last], f"{names[str(name)]}  {number_text(paid[last]) if paid[last] else 'free'}", style["color"])
            )
    return ends, apart


def _scale(axes: Axes, prices: list[float]) -> None:
    """Scale an axis by factors, with room at the foot for what is free."""
    from tokencost.display.canvas import FAINT, number_text, tint

    paid = [price for price in prices if price > 0]
    if not paid:
        axes.set_ylim(-1, 1)
        axes.set_yticks([0.0], ["free"])
        return
    low, high = min(paid), max(paid)
    ticks = ticks_between(low, high)
    is_free = any(price == 0 for price in prices)
    if is_free:
        decades = max(log10(high / low), 0.5)
        # between nothing and the least price the scale is straight: nothing lies there
        axes.set_yscale("symlog", linthresh=low * 0.8, linscale=_FREE_ROOM * decades)
        axes.axhspan(-low * 0.4, low * 0.4, color=tint(FAINT, 0.5), linewidth=0, zorder=0)
        axes.set_ylim(-low * 0.4, high * 1.15)
    else:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.15, high * 1.15)
    axes.minorticks_off()
    shown = [0.0, *ticks] if is_free else ticks
    axes.set_yticks(shown, ["free" if not tick else number_text(float(f"{tick:.4g}")) for tick in shown], minor=False)


def ticks_between(least: float, most: float) -> list[float]:
    """Return round numbers from about the least to about the most, fewer of them where the span is wide."""
    steps = (1.0,) if most / least > _WIDE**2 else (1.0, 3.0) if most / least > _WIDE else (1.0, 2.0, 5.0)
    first, last = floor(log10(least)), floor(log10(most)) + 1
    every = [float(f"{step:g}e{power}") for power in range(first, last + 1) for step in steps]
    inside = [tick for tick in every if least * 0.999 <= tick <= most * 1.001]
    if len(inside) < _FEWEST_TICKS and most > least:
        from matplotlib.ticker import MaxNLocator

        near = [float(tick) for tick in MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(least, most)]
        inside = [tick for tick in near if least <= tick <= most]
    ends = inside or [least]
    return [*([least] if ends[0] / least > _FAR else []), *ends, *([most] if most / ends[-1] > _FAR else [])]

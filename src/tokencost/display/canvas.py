"""Canvas: one look for all figures, and nothing global.

This and `axis.py` need matplotlib as soon as they are imported; the others import it when something is drawn.
"""

from __future__ import annotations

import textwrap
from decimal import Decimal
from io import BytesIO
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokencost.display.extra import Axes


__all__ = [
    "COLOURS",
    "FAINT",
    "GREY",
    "INK",
    "NUMBERS",
    "SMALL",
    "Chart",
    "End",
    "label_ends",
    "new_chart",
    "number_text",
    "place_legend",
    "short_names",
    "spread_out",
    "style_axes",
    "style_of",
    "tint",
    "write_notes",
]

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
"""Colours that stay apart for eyes that mix up red and green (Okabe and Ito, 2008), and a grey."""

INK: Final = "#222222"
GREY: Final = "#6A6A6A"
FAINT: Final = "#E4E4E4"
SMALL: Final = 8.5
_BODY: Final = 9.5
_TITLE: Final = 12.0
_DASHES: Final = ("-", (0, (1, 0.8)), (0, (7, 1.2, 1, 1.2)), (0, (3, 1, 1, 1, 1, 1)))
_DPI: Final = 144
_POINTS: Final = 72
_LETTER: Final = 0.54
"""The width of a letter, in sizes of the font, on average."""
_WIDE_FONTS: Final = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei")


class Chart(Figure):
    """A figure that no global state knows, and that a notebook shows by itself."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        whole: Any = self
        whole.savefig(buffer, format="png")
        return buffer.getvalue()


class End(NamedTuple):
    """The right end of a line, and what stands beside it."""

    x: Any
    y: float
    text: str
    colour: str


def new_chart(title: str, *, width: float = 9.0, height: float = 5.0) -> Chart:
    """Return an empty chart on white, its title at the left, wrapped where it is long."""
    letters = int((width - 0.3) * _POINTS / (_TITLE * _LETTER * 1.08))
    lines = textwrap.wrap(title, letters)
    engine = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.09, hspace=0.03)
    chart = Chart(figsize=(width, height + _line(_TITLE) * (len(lines) - 1)), dpi=_DPI, layout=engine, facecolor="white")
    whole: Any = chart
    text = whole.suptitle("\n".join(lines), x=0.012, ha="left", fontsize=_TITLE, fontweight="bold", color=INK, family=_family(title))
    text.set_parse_math(False)
    return chart


def write_notes(chart: Chart, notes: Iterable[str]) -> None:
    """Write notes below everything, wrapped, in small grey letters; the chart grows by them."""
    letters = int((chart.get_figwidth() - 0.3) * _POINTS / (SMALL * _LETTER))
    lines = [line for note in notes for line in textwrap.wrap(note, letters, subsequent_indent="    ")]
    if lines:
        said = "\n".join(lines)
        whole: Any = chart
        chart.set_figheight(chart.get_figheight() + _line(SMALL) * len(lines))
        text = whole.supxlabel(said, x=0.012, ha="left", fontsize=SMALL, color=GREY, family=_family(said), linespacing=1.35)
        text.set_parse_math(False)


def _line(size: float) -> float:
    """Return the height of a line of text, in inches."""
    return size * 1.6 / _POINTS


def _family(text: str) -> list[str]:
    """Return fonts for a text: the usual one, and such as have Chinese characters where it needs them and they are installed."""
    if text.isascii():
        return ["DejaVu Sans"]
    return ["DejaVu Sans", *(name for name in _WIDE_FONTS if name in fontManager.get_font_names())]


def style_axes(axes: Axes, *, grid: str = "y", x: str = "", y: str = "") -> None:
    """Give axes the common look: a light grid one way, no box, labels of both ways."""
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis=grid, color=FAINT, linewidth=0.8)  # pyright: ignore[reportArgumentType]
    for side in ("top", "right", "left" if grid == "y" else "bottom"):
        axes.spines[side].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color("#B0B0B0")
    axes.tick_params(labelsize=_BODY, colors=INK, color="#B0B0B0", length=3 if grid == "y" else 0)
    if grid == "y":
        axes.tick_params(axis="y", length=0)
    axes.set_xlabel(x, fontsize=_BODY, color=GREY)
    axes.set_ylabel(y, fontsize=_BODY, color=GREY)


def number_text(value: float, _: object = None) -> str:
    """Return a number for an axis: plain digits with thousands apart.

    >>> number_text(1500.0), number_text(2e-05)
    ('1,500', '0.00002')
    """
    return f"{Decimal(f'{value:.10g}'):,f}"


NUMBERS: Final = FuncFormatter(number_text)


def tint(colour: str, share: float) -> str:
    """Return a colour mixed with white.

    >>> tint("#000000", 0.5)
    '#808080'
    """
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * share):02x}" for part in parts)


def style_of(place: int) -> dict[str, Any]:
    """Return the colour and the dashes of the line at a place; no two of the first 28 are the same."""
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": _DASHES[place // len(COLOURS) % len(_DASHES)]}


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return the last part of ids where no two share it, else the whole.

    >>> short_names(["openai/global/gpt-4o", "azure/eu/gpt-4o", "openai/global/o1"])
    {'openai/global/gpt-4o': 'openai/global/gpt-4o', 'azure/eu/gpt-4o': 'azure/eu/gpt-4o', 'openai/global/o1': 'o1'}
    """
    ends = [name.rsplit("/", 1)[-1] for name in names]
    return {name: end if ends.count(end) == 1 else name for name, end in zip(names, ends, strict=True)}


def spread_out(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Return the middles of labels of some heights that do not overlap, in the same order, as near to those wanted as can be.

    >>> spread_out([0.5, 0.5, 0.9], [0.1, 0.1, 0.1])
    [0.45, 0.55, 0.9]
    """
    blocks: list[tuple[float, int]] = []
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    steps = [0.0, *((heights[low] + heights[high]) / 2 for low, high in pairwise(order))]
    least = list(accumulate(steps))[: len(order)]
    for place, start in zip(order, least, strict=True):
        total, count = wanted[place] - start, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            before, more = blocks.pop()
            total, count = total + before, count + more
        blocks.append((total, count))
    level = [total / count for total, count in blocks for _ in range(count)]
    made = {place: value + start for place, value, start in zip(order, level, least, strict=True)}
    return [round(made[place], 12) for place in range(len(wanted))]


def label_ends(axes: Axes, ends: Sequence[End], *, height: float) -> None:
    """Write the names of lines beside their right ends, apart from each other; `height` is that of the axes, in inches."""
    if not ends:
        return
    scale = axes.transScale + axes.transLimits
    wanted = [float(scale.transform((0.0, end.y))[1]) for end in ends]
    heights = [SMALL * 1.4 / _POINTS / height * (end.text.count("\n") + 1) for end in ends]
    for end, place in zip(ends, spread_out(wanted, heights), strict=True):
        label = axes.annotate(
            end.text,
            xy=(end.x, end.y),
            xytext=(1.025, place),
            textcoords="axes fraction",
            color=end.colour,
            fontsize=SMALL,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": end.colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 2, "relpos": (0, 0.5)},
        )
        label.set_parse_math(False)


def place_legend(axes: Axes, handles: Sequence[Any], *, columns: int = 5) -> None:
    """Put a legend in a row above axes, at the left."""
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=SMALL,
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0.2,
        labelcolor=INK,
    )

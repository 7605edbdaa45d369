"""Axes across: months, instants and numbers, with as many labels as there is room for."""

from __future__ import annotations

from datetime import UTC
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from tokencost.display.canvas import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokencost.display.columns import Places
    from tokencost.display.extra import Axes

__all__ = ["name_ticks", "place_ticks"]

_MARGINS: Final = 2.2
_LETTER: Final = 0.077
"""Inches of a letter of a label."""


def place_ticks(axes: Axes, places: Places) -> None:
    """Label the axis across by what stands on it."""
    if places.has_instants:
        locator: Any = AutoDateLocator(tz=UTC, minticks=3, maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    elif places.names is not None:
        name_ticks(axes, places.names)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=all(value == round(value) for value in places.values), nbins=10))
        axes.xaxis.set_major_formatter(NUMBERS)


def name_ticks(axes: Axes, names: Sequence[str]) -> None:
    """Label places 0, 1, ... with names; of many only every second, third, ... one, as there is room."""
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes are drawn in a figure"
    room = (figure.get_figwidth() - _MARGINS) / (_LETTER * (max(map(len, names)) + 2))
    step = ceil(len(names) / max(room, 1))
    axes.set_xticks(range(0, len(names), step), list(names)[::step])

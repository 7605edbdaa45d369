"""The lognormal law, rounded to whole numbers and tabulated."""

from __future__ import annotations

from math import log
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lognormal_rows"]

_RESOLUTION: Final = 2**40
"""Probabilities of a lognormal law are whole multiples of one in so many."""
_STEPS_AN_OCTAVE: Final = 64


def lognormal_rows(median: int, p90: int, most: int) -> Iterator[tuple[int, int, int]]:
    """Tabulate a lognormal law rounded to whole numbers: every number apart where the steps are narrow, stretches where they are wide."""
    normal = NormalDist(log(median), (log(p90) - log(median)) / NormalDist().inv_cdf(0.9))
    edges = [0]
    while edges[-1] < most - 1:
        edges.append(min(max(edges[-1] + 1, round(edges[-1] * 2 ** (1 / _STEPS_AN_OCTAVE))), most - 1))
    below, last = 0, -1
    for edge in edges:
        upto = round(normal.cdf(log(edge + 0.5)) * _RESOLUTION)
        yield (last + 1, edge, upto - below)
        below, last = upto, edge
    yield (most, most, _RESOLUTION - below)

"""Shares: numbers of a description, taken exactly as they were written."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from math import lcm
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import WorkloadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["common_denominator", "drawn_places", "fraction_of", "share_of"]

_LARGEST_DRAW: Final = 2**62
"""Weights that add up to more are drawn to one part in so many."""


def fraction_of(value: object, *, what: str) -> Fraction:
    """Return a number exactly as it was written; 0.1 is a tenth, also as a float.

    >>> fraction_of(0.1, what="growth"), fraction_of("2.5", what="growth")
    (Fraction(1, 10), Fraction(5, 2))

    Raises:
        WorkloadError: it is no finite number.
    """
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, bool) and isinstance(value, (int, str, float, Decimal)):
        try:
            return Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            pass
    raise WorkloadError(f"{what}={value!r} is not a number; write it like 0.4 or '0.4'", meter=what, value=value)


def share_of(value: object, *, what: str) -> Fraction:
    """Return a share between 0 and 1.

    >>> share_of(0.4, what="cached")
    Fraction(2, 5)

    Raises:
        WorkloadError: it is no number, or lies outside.
    """
    share = fraction_of(value, what=what)
    if not 0 <= share <= 1:
        raise WorkloadError(f"{what}={value} is outside 0 to 1; a share of 40 % is 0.4", meter=what, value=value)
    return share


def common_denominator(parts: Iterable[Fraction]) -> int:
    """Return the smallest number that makes all of these whole."""
    return lcm(*(part.denominator for part in parts))


def drawn_places(weights: Sequence[int], generator: Generator, size: int) -> NDArray[Any]:
    """Draw places of a list by their weights, exactly: integers are drawn, and no probability is rounded."""
    import numpy as np

    edges = list(accumulate(weights))
    total = edges[-1]
    if total > _LARGEST_DRAW:
        edges = [edge * _LARGEST_DRAW // total for edge in edges]
    found = np.array(edges, np.int64)
    return np.searchsorted(found, generator.integers(0, edges[-1], size), side="right")

"""Splices: how an index over a rolling window is made longer by one period, without changing what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from tokencost.errors import ScenarioError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Splice", "rolled"]

Splice = Literal["movement", "window", "half", "mean", "window_published", "half_published", "mean_published"]
"""Where a new window is joined to the ones before: at the period before, at its first period, in its middle, or at all of them on average;
against the window before, or against the series as it was published."""

_SPLICES: Final[tuple[str, ...]] = get_args(Splice)
_LEAST: Final = 2


def rolled(solve: Callable[[int, int], NDArray[np.float64]], periods: int, *, window: int | None, splice: Splice) -> NDArray[np.float64]:
    """Return the logarithms of an index over all periods from those of windows, the first one whole and each later one spliced on.

    `solve(low, high)` gives the logarithms of the index over the periods from `low` up to `high`. Without a window it is asked once.
    The splices are those of Ivancic, Diewert & Fox (2011), Krsinich (2016), de Haan (2015) and Diewert & Fox (2017).

    Raises:
        ScenarioError: a window of fewer than two periods.
        UnknownNameError: there is no such splice.
    """
    if splice not in _SPLICES:
        raise UnknownNameError.of(str(splice), _SPLICES, what="splice", where=", ".join(_SPLICES))
    if window is not None and window < _LEAST:
        raise ScenarioError(f"a window of {window} periods compares nothing; take two or more", value=window)
    if window is None or window >= periods:
        made = solve(0, periods)
        return made - made[0]
    old = solve(0, window)
    made = np.empty(periods)
    made[:window] = old - old[0]
    for last in range(window, periods):
        first = last - window + 1
        new = solve(first, last + 1)
        before = made[first:last] if splice.endswith("_published") else old[1:] - old[-1] + made[last - 1]
        joined = before + new[-1] - new[:-1]  # what each period in common would make of the new one
        made[last] = joined.mean() if splice.startswith("mean") else joined[-_lag(splice, window)]
        old = new
    return made


def _lag(splice: str, window: int) -> int:
    """Return how many periods back the windows are joined."""
    return {"movement": 1, "window": window - 1, "half": window // 2}[splice.removesuffix("_published")]

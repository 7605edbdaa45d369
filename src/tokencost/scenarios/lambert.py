"""The Lambert W function, principal branch: w e^w = z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tokencost.errors import ScenarioError

if TYPE_CHECKING:
    from tokencost.scenarios.prices import FloatArray

__all__ = ["lambert_w", "lambert_w_of_exp"]

_STEPS: Final = 60
_TOLERANCE: Final = 1e-9
"""The last step is one of Newton's on a convex function, so its own error is the square of it."""


def lambert_w(values: Any) -> FloatArray:
    """Return W(z) for z >= 0, elementwise.

    The equation is solved as `ln w + w = ln z`, whose Newton steps do not overflow (Corless et al., 1996).

    >>> lambert_w([0.0, 1.0]).round(8)
    array([0.            , 0.56714329])

    Raises:
        ScenarioError: a value is negative or not a number.
    """
    z = np.asarray(values, dtype=np.float64)
    if not (z >= 0).all():
        raise ScenarioError("the Lambert function is asked for below 0; pass numbers that are 0 or more", value=values)
    with np.errstate(divide="ignore"):
        return lambert_w_of_exp(np.log(z))


def lambert_w_of_exp(exponents: Any) -> FloatArray:
    """Return W(e^y) elementwise, for exponents whose e^y would overflow as well.

    With u = ln w the equation is `u + e^u = y`; it is convex in u, so Newton's steps from the right of its root come down to it.

    >>> float(lambert_w_of_exp(1000.0))
    993.0991694723889
    """
    y = np.asarray(exponents, dtype=np.float64)
    nothing = np.isneginf(y)
    y = np.where(nothing, 0.0, y)
    low = y <= 1
    u = np.where(low, y, np.log(np.where(low, 1.0, y)))
    for _ in range(_STEPS):
        w = np.exp(u)
        step = (u - y + w) / (1 + w)
        u = u - step
        if np.all(np.abs(step) <= _TOLERANCE * (1 + np.abs(u))):
            break
    return np.where(nothing, 0.0, np.exp(u))

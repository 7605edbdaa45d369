"""Least squares: coefficients with standard errors, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Fit", "least_squares"]

_SINGULAR = 1e-12


class Fit(NamedTuple):
    """A fitted line or plane: its coefficients and their standard errors, in the order of the columns.

    `degrees` are the points less the coefficients; with none left there is no standard error, and it is NaN.
    """

    coefficients: NDArray[np.float64]
    errors: NDArray[np.float64]
    r_squared: float
    points: int
    degrees: int


def least_squares(
    columns: NDArray[np.float64], values: NDArray[np.float64], *, what: str, weights: NDArray[np.float64] | None = None
) -> Fit:
    """Fit values by columns, one of which is constant; weights multiply the squares of the residuals.

    Raises:
        ScenarioError: fewer points than columns, or columns that are not independent.
    """
    points, wanted = columns.shape
    if points < wanted:
        raise ScenarioError(f"{what} has {points} points for {wanted} coefficients; pass more points", value=points)
    root = np.sqrt(np.ones(points) if weights is None else weights)
    design, target = columns * root[:, None], values * root
    scale = np.sqrt((design**2).sum(axis=0))
    if not scale.all():
        raise _dependent(what)
    q, r = np.linalg.qr(design / scale)
    if np.abs(np.diag(r)).min() < _SINGULAR:
        raise _dependent(what)
    coefficients = np.linalg.solve(r, q.T @ target) / scale
    residual = target - design @ coefficients
    weight = root**2
    centred = values - (weight @ values) / weight.sum()
    spread = float(weight @ centred**2)
    rest = float(residual @ residual)
    degrees = points - wanted
    variance = rest / degrees if degrees else np.nan
    inverse = np.linalg.inv(r)
    errors = np.sqrt(variance * (inverse**2).sum(axis=1)) / scale
    return Fit(coefficients, errors, 1 - rest / spread if spread else 1.0, points, degrees)


def _dependent(what: str) -> ScenarioError:
    return ScenarioError(f"{what} cannot tell its columns apart; take points that differ in time and in quality", value=what)

"""Plain logit by Newton's method on firm markups: one unknown a firm, for one market or many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from tokencost.scenarios.prices import FloatArray

__all__ = ["aggregate_markups", "firm_markups"]

_STEP: Final = 1e-7
"""The last relative step: the error is about its square."""
_FIRST_LOOK: Final = 2
"""No market settles in fewer steps than this."""
_INNER: Final = 60
_OUTER: Final = 200
_MARGIN: Final = 10.0


def firm_markups(log_sums: FloatArray, *, outside: bool, max_iterations: int) -> tuple[FloatArray, int]:
    """Return mu = alpha (p - c) of each firm, shape (F, ...), and how many iterations they took; the axes after the first are markets.

    Each product of a firm has one markup, mu_f = 1 / (1 - S_f) with S_f = T_f e^(-mu_f) / (1 + sum_h T_h e^(-mu_h)); `log_sums` are ln T_f,
    T_f = sum e^(delta - alpha c). Newton is on ln(mu_f (1 - S_f)) = 0, which stays well behaved where one firm has nearly all buyers; its
    Jacobian is diag(1/mu + u) - u S', u = S / (1 - S), so a step costs O(F). Markets that it does not settle go to `aggregate_markups`.
    """
    with np.errstate(all="ignore"):
        mu, iterations, settled = _newton(log_sums, outside=outside, max_iterations=max_iterations)
    if not settled.all():
        mu[:, ~settled] = aggregate_markups(log_sums[:, ~settled], outside=outside)
        iterations += _OUTER
    return mu, iterations


def _newton(log_sums: FloatArray, *, outside: bool, max_iterations: int) -> tuple[FloatArray, int, Any]:
    top = np.maximum.reduce(log_sums, axis=0)
    top -= 1.0
    none: Any = 0.0
    if outside:
        top = np.maximum(top, 0.0)
        none = np.exp(-top)
    shifted = log_sums - top
    x = np.exp(shifted - 1.0)
    mu = 1.0 + np.log(1.0 + x / (np.add.reduce(x, axis=0) + none - x))
    others, step, scale, iterations = np.empty_like(mu), np.empty_like(mu), np.empty_like(mu), 0
    settled: Any = False
    for iterations in range(1, max_iterations + 1):
        np.exp(np.subtract(shifted, mu, out=x), out=x)
        total = np.add.reduce(x, axis=0) + none
        np.subtract(total, x, out=others)
        np.log(np.multiply(np.multiply(mu, others, out=step), 1.0 / total, out=step), out=step)
        np.multiply(mu, x, out=scale)
        scale += others
        np.divide(mu, scale, out=scale)
        step *= np.multiply(others, scale, out=others)
        scale *= x
        scale *= _dot(x, step) / (total - _dot(x, scale))
        step += scale
        mu -= step
        if iterations >= _FIRST_LOOK:
            settled = np.maximum.reduce(np.abs(step, out=step), axis=0) < _STEP
            if np.logical_and.reduce(settled, axis=None):
                break
    return mu, iterations, settled


def _dot(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.einsum("f...,f...->...", left, right)


def aggregate_markups(log_sums: FloatArray, *, outside: bool) -> FloatArray:
    """Return the same markups by bisection on one number, ln of the sum of e^V: slow, and sure to end.

    Given that sum H each firm has mu (1 - T e^(-mu) / H) = 1, and the shares 1 - 1/mu fall as H rises; equilibrium is where they and the
    outside share sum to 1 (the aggregative game of Nocke and Schutz, 2018).
    """
    high = np.asarray(np.logaddexp.reduce(log_sums, axis=0), dtype=np.float64)
    if outside:
        high = np.logaddexp(high, 0.0)
    low = np.zeros_like(high) if outside else _lowest(log_sums)
    for _ in range(_OUTER):
        middle = (low + high) / 2
        odds = _own_odds(log_sums - middle)
        inside = (odds / (1 + odds)).sum(axis=0) + (np.exp(-middle) if outside else 0.0)
        low, high = np.where(inside > 1, middle, low), np.where(inside > 1, high, middle)
    return 1 + _own_odds(log_sums - (low + high) / 2)


def _lowest(log_sums: FloatArray) -> FloatArray:
    """Return less than ln of the sum of e^V can be: the markup of the best firm is bounded by how far its rivals are."""
    return np.partition(log_sums, -2, axis=0)[-2] - _MARGIN


def _own_odds(relative: FloatArray) -> FloatArray:
    """Return mu - 1 with mu (1 - e^(relative - mu)) = 1, by Newton on y - ln(1 + e^y) + e^y = relative - 1, y = ln(mu - 1)."""
    target = relative - 1.0
    y = np.where(target <= 0, target, np.log1p(np.maximum(target, 0.0)))
    for _ in range(_INNER):
        odds = np.exp(y)
        step = (y - np.log1p(odds) + odds - target) / (1 / (1 + odds) + odds)
        y = y - step
        if (np.abs(step) <= _STEP * (1 + np.abs(y))).all():
            break
    return np.exp(y)

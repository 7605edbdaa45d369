"""Nested logit by Newton's method on the markups of pairs: one unknown for each firm in each nest, for one market or many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from tokencost.scenarios.prices import FloatArray

__all__ = ["Places", "pair_markups"]

_STEP: Final = 1e-7
"""The last relative step: the error is about its square."""
_LEAST: Final = 1e-10
_LONGEST: Final = 4.0
"""A step at most multiplies or divides a markup by this."""


class Places(NamedTuple):
    """Where pairs stand in a grid: rows are firms, or, where each firm keeps to one nest, just as many rows as the greatest nest needs."""

    rows: np.ndarray[Any, np.dtype[np.int64]]
    nests: np.ndarray[Any, np.dtype[np.int64]]
    linked: bool

    @classmethod
    def of(cls, firms: np.ndarray[Any, np.dtype[np.int64]], nests: np.ndarray[Any, np.dtype[np.int64]]) -> Places:
        """Return the places of pairs of these firms and nests."""
        if len(np.unique(firms)) < len(firms):
            return cls(firms, nests, linked=True)
        order = np.argsort(nests, kind="stable")
        ranks = np.empty_like(order)
        ranks[order] = np.arange(len(order)) - np.searchsorted(nests[order], nests[order])
        return cls(ranks, nests, linked=False)

    def grid(self, values: FloatArray) -> FloatArray:
        """Return values of pairs, shape (P, ...), as a grid with minus infinity where there is no pair."""
        made = np.full((int(self.rows.max()) + 1, int(self.nests.max()) + 1, *values.shape[1:]), -np.inf)
        made[self.rows, self.nests] = values
        return made


class _State(NamedTuple):
    """Shares of pairs at some markups: y in the nest, s of all, c = 1 - rho y - (1 - rho) s, and what others of the firm earn."""

    y: FloatArray
    s: FloatArray
    c: FloatArray
    earned: FloatArray
    elsewhere: FloatArray


def pair_markups(log_sums: FloatArray, *, linked: bool, rho: float, outside: bool, max_iterations: int) -> tuple[FloatArray, int]:
    """Return mu = alpha (p - c), shape (F, G, ...), and how many iterations they took; the axes after the first two are markets.

    Within a firm and a nest all products have one markup. `log_sums` are ln of the sum of e^((delta - alpha c) / (1 - rho)) over each pair,
    minus infinity where a firm has nothing in a nest; without `linked` each pair is a firm, whatever its row. The first-order condition
    of a pair is mu (1 - rho y - (1 - rho) s) = (1 - rho) (1 + sum over the firm's other nests of s mu), and Newton is on the logarithm of
    both sides. The Jacobian is a diagonal with one rank for each firm, each nest and the outside option, so a step needs no F G x F G
    matrix. A market that it does not settle keeps what it came to, for the caller to look at its residual.
    """
    keep = 1 - rho
    scaled = log_sums - log_sums.max(axis=0)
    values = keep * log_sums.max(axis=0)
    iterations = 0
    with np.errstate(all="ignore"):
        mu = np.full(log_sums.shape, keep)
        mu = keep * (1 + np.log1p(1 / _state(scaled, values, mu, rho, outside=outside, linked=linked).c - 1))
        for iterations in range(1, max_iterations + 1):  # noqa: B007 - counted, and said in the end
            state = _state(scaled, values, mu, rho, outside=outside, linked=linked)
            step = _step(state, mu, rho) if linked else _step_apart(state, mu, rho)
            new = np.minimum(np.maximum(mu - step, np.maximum(mu / _LONGEST, keep)), mu * _LONGEST)
            change, mu = np.abs(new - mu), new
            if not (change >= _STEP * mu).any():
                break
    return mu, iterations


def _state(scaled: FloatArray, best: FloatArray, mu: FloatArray, rho: float, *, outside: bool, linked: bool) -> _State:
    keep = 1 - rho
    v = scaled - mu / keep
    top = np.maximum.reduce(v, axis=0)
    x = np.exp(v - top)
    sums = np.add.reduce(x, axis=0)
    values = best + keep * (top + np.log(sums))
    peak = np.maximum.reduce(values, axis=0)
    if outside:
        peak = np.maximum(peak, 0.0)
    e = np.exp(values - peak)
    total = np.add.reduce(e, axis=0)
    if outside:
        total = total + np.exp(-peak)
    y, nest = x / sums, e / total
    rest = (sums - x) / sums
    s = y * nest
    earned = s * mu
    c = np.maximum((rho + keep * nest) * rest + keep * ((total - e) / total), _LEAST * keep)
    elsewhere = np.add.reduce(earned, axis=1)[:, None] - earned if linked else np.zeros(())
    return _State(y, s, c, earned, elsewhere)


def _step(state: _State, mu: FloatArray, rho: float) -> FloatArray:
    """Solve J x = g: J = D - (firm blocks of rank one) + U V', by Sherman-Morrison within firms and Woodbury over nests."""
    y, s, c, earned, elsewhere = state
    keep, nests = 1 - rho, y.shape[1]
    both, right = mu * c, 1 / (keep * (1 + elsewhere))
    scaled_y = y / keep
    q = s - earned / keep
    diagonal = 1 / mu + (rho * scaled_y + s) / c + right * keep * q
    own = rho * (right * earned - (scaled_y + s) / c)

    sides = np.empty((nests + 2, *y.shape))
    np.multiply(-rho * right, np.moveaxis(earned, 1, 0)[:, :, None], out=sides[:nests])
    for nest in range(nests):
        sides[nest, :, nest] += own[:, nest]
    sides[nests] = -keep * (s / c + right * elsewhere)
    np.log(both * right, out=sides[nests + 1])
    sides /= diagonal
    if nests > 1:
        column = right * keep / diagonal
        factor = 1 / (1 - np.add.reduce(q * column, axis=1))
        sides += column * (factor * np.add.reduce(q * sides, axis=2))[:, :, None]
    else:
        sides /= 1 - q * right * keep / diagonal

    small = np.empty((nests + 1, nests + 2, *y.shape[2:]))
    small[:nests] = np.moveaxis(np.add.reduce(y * sides, axis=1), 1, 0)
    small[nests] = np.add.reduce(np.add.reduce(s * sides, axis=2), axis=1)
    weights = _solve(small, nests + 1)
    found = sides[nests + 1]
    for place in range(nests + 1):
        found = found - sides[place] * weights[place]
    return found


def _step_apart(state: _State, mu: FloatArray, rho: float) -> FloatArray:
    """Solve the same where no firm is in two nests: the small system has the shape of an arrow, so that nests need no matrix either."""
    y, s, c = state.y, state.s, state.c
    keep = 1 - rho
    scaled_y = y / keep
    diagonal = 1 / mu + (rho * scaled_y + s) / c
    inverse = 1 / (c * diagonal)
    nest = -rho * (scaled_y + s) * inverse
    all_ = -keep * s * inverse
    gap = np.log(mu * c / keep) / diagonal
    pivot = 1 + np.add.reduce(y * nest, axis=0)
    across, right = np.add.reduce(y * all_, axis=0) / pivot, np.add.reduce(y * gap, axis=0) / pivot
    below = np.add.reduce(s * nest, axis=0)
    sums = np.add.reduce(np.add.reduce(s * gap, axis=0) - below * right, axis=0)
    corner = 1 + np.add.reduce(np.add.reduce(s * all_, axis=0) - below * across, axis=0)
    weight = sums / corner
    return gap - nest * (right - across * weight) - all_ * weight


def _solve(small: FloatArray, size: int) -> FloatArray:
    """Return (I + A)^-1 b from [A, b], the axes after the first two being markets: one elimination for all of them at once."""
    for place in range(size):
        small[place, place] += 1.0
    for pivot in range(size):
        row = small[pivot, pivot + 1 :] / small[pivot, pivot]
        small[pivot, pivot + 1 :] = row
        for place in range(size):
            if place != pivot:
                small[place, pivot + 1 :] -= small[place, pivot] * row
    return small[:, size]

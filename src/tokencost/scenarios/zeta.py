"""First-order conditions of Bertrand-Nash prices as a fixed point: p = clip(c + zeta(p))."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.scenarios.demand import choice_at, weighted_log_shares

if TYPE_CHECKING:
    from tokencost.scenarios.bounds import Bounds
    from tokencost.scenarios.choice import Choice
    from tokencost.scenarios.market import Market
    from tokencost.scenarios.prices import FloatArray

__all__ = ["Solved", "cost_equation", "gap_of", "price_scale", "solve_zeta", "wanted_prices", "zeta"]

_MEMORY: Final = 6
_PATIENCE: Final = 4.0
"""Acceleration stops for a while where the gap is this many times greater than the least one so far."""
_PAUSE: Final = 8


class Solved(NamedTuple):
    """Prices that a solver ended with, and how: the relative gap of the first-order conditions, and how many steps it took."""

    prices: FloatArray
    gap: float
    iterations: int


def zeta(market: Market, margins: FloatArray, choice: Choice) -> FloatArray:
    """Return the margins that firms want, given shares and the margins of all products of the firm.

    zeta = Lambda^-1 [s + (O * Gamma)' (p - c)], Morrow and Skerlos (2011). With one segment it is
    (1 - rho)/alpha + rho sum_(k in f, nest of j) s_(k|g) m_k + (1 - rho) sum_(k in f) s_k m_k: no J x J matrix, and no division by shares.
    """
    firm = market.firms.spread(market.firms.sum(choice.shares * margins))
    rho = market.rho
    if len(market.mixture.weights) == 1:
        wanted = 1 / market.mixture.alphas[0] + firm[0]
        if choice.within is None:
            return wanted
        return (1 - rho) * wanted + rho * market.pairs.spread(market.pairs.sum(choice.within * margins))[0]
    buyers = np.exp(weighted_log_shares(market, choice)) * market.mixture.alphas[:, None]
    if choice.within is not None:
        firm = firm + rho / (1 - rho) * market.pairs.spread(market.pairs.sum(choice.within * margins))
    return (1 - rho) * (1 + (buyers * firm).sum(axis=0)) / buyers.sum(axis=0)


def wanted_prices(market: Market, prices: FloatArray, bounds: Bounds | None = None) -> FloatArray:
    """Return clip(c + zeta(p)): what each product would cost next, all else as it is."""
    costs = market.known_costs()
    return (bounds or market.bounds).clip(costs + zeta(market, prices - costs, choice_at(market, prices)))


def price_scale(market: Market) -> float:
    """Return the scale of markups, 1 / alpha of the most sensitive buyers; tolerances are relative to it and to the price itself."""
    return float(1 / market.mixture.alphas.max())


def gap_of(market: Market, prices: FloatArray, wanted: FloatArray) -> float:
    """Return the greatest |p - wanted| / (|p| + 1/alpha)."""
    return float((np.abs(prices - wanted) / (np.abs(prices) + price_scale(market))).max())


def solve_zeta(market: Market, start: FloatArray, *, tolerance: float, max_iterations: int, bounds: Bounds | None = None) -> Solved:
    """Iterate p = clip(c + zeta(p)), accelerated after Anderson (1965).

    Where acceleration loses ground, or gains none for a while, plain steps go on from the best prices so far, twice as many each time.
    Plain zeta converges where acceleration may wander.
    """
    limits = bounds or market.bounds
    prices, least, since, plain, pause = limits.clip(start), np.inf, 0, 0, _PAUSE
    best, after = prices, prices
    moves: list[FloatArray] = []
    gaps: list[FloatArray] = []
    for iteration in range(1, max_iterations + 1):
        wanted = wanted_prices(market, prices, limits)
        gap = gap_of(market, prices, wanted)
        since = 0 if gap < least else since + 1
        if gap < least:
            least, best, after = gap, prices, wanted
        if least <= tolerance or not np.isfinite(least):
            return Solved(best, least, iteration)
        if plain > 0:
            plain, prices = plain - 1, wanted
        elif not gap <= _PATIENCE * least or since > _MEMORY:
            moves, gaps, prices, plain, pause, since = [], [], after, pause, 2 * pause, 0
        else:
            moves, gaps = [*moves[-_MEMORY:], wanted], [*gaps[-_MEMORY:], wanted - prices]
            prices = limits.clip(_mixed(moves, gaps))
    return Solved(best, least, max_iterations)


def _mixed(moves: list[FloatArray], gaps: list[FloatArray]) -> FloatArray:
    if len(moves) == 1:
        return moves[0]
    differences = np.stack([gap - gaps[-1] for gap in gaps[:-1]], axis=1)
    weights = np.linalg.lstsq(differences, -gaps[-1], rcond=1e-12)[0]
    changes = np.stack([move - moves[-1] for move in moves[:-1]], axis=1)
    return moves[-1] + changes @ weights


def cost_equation(market: Market, prices: FloatArray) -> FloatArray:
    """Return the margins m = zeta(m) at given shares: one linear system for each firm."""
    choice = choice_at(market, prices)
    shares, within, rho = choice.shares, choice.within, market.rho
    buyers = np.exp(weighted_log_shares(market, choice)) * market.mixture.alphas[:, None]
    margins = np.empty(len(prices))
    for firm in range(len(market.firms.labels)):
        own = np.flatnonzero(market.firms.codes == firm)
        matrix = np.diag(buyers[:, own].sum(axis=0) / (1 - rho)) - buyers[:, own].T @ shares[:, own]
        if within is not None and market.nests is not None:
            together = market.nests.codes[own][:, None] == market.nests.codes[own]
            matrix -= rho / (1 - rho) * together * (buyers[:, own].T @ within[:, own])
        margins[own] = np.linalg.solve(matrix, np.ones(len(own)))
    return margins

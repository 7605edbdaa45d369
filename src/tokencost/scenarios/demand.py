"""What demand says at given prices: shares, elasticities, diversion, surplus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tokencost.scenarios.choice import choose

if TYPE_CHECKING:
    from tokencost.scenarios.choice import Choice
    from tokencost.scenarios.market import Market
    from tokencost.scenarios.prices import FloatArray

__all__ = ["choice_at", "diversion_at", "elasticities_at", "outside_diversion_at", "shares_of", "surplus_of", "weighted_log_shares"]


def choice_at(market: Market, prices: FloatArray) -> Choice:
    """Return the choice of each segment at these prices, V = delta - alpha p; the first axis is segments."""
    mix = market.mixture
    return choose(mix.deltas - mix.alphas[:, None] * prices, nests=market.nests, rho=market.rho, outside=market.outside_option)


def shares_of(market: Market, choice: Choice) -> FloatArray:
    """Return s_j = sum over segments of w_i s_ij."""
    return market.mixture.weights @ choice.shares


def weighted_log_shares(market: Market, choice: Choice) -> FloatArray:
    """Return ln(w_i s_ij / s_j), shape (I, J): who the buyers of each product are, even where hardly anybody buys it."""
    if len(market.mixture.weights) == 1:
        return np.zeros_like(choice.log_shares)
    logs = np.log(market.mixture.weights)[:, None] + choice.log_shares
    top = logs.max(axis=0)
    return logs - (top + np.log(np.exp(logs - top).sum(axis=0)))


def _semi_elasticities(market: Market, choice: Choice) -> FloatArray:
    """Return d ln s_j / d p_k, shape (J, J): rows are shares, columns are prices."""
    buyers = np.exp(weighted_log_shares(market, choice)) * market.mixture.alphas[:, None]
    matrix = buyers.T @ choice.shares
    own = np.diag(buyers.sum(axis=0) / (1 - market.rho))
    if market.nests is not None and choice.within is not None:
        together = market.nests.codes[:, None] == market.nests.codes
        matrix = matrix + market.rho / (1 - market.rho) * together * (buyers.T @ choice.within)
    return matrix - own


def elasticities_at(market: Market, prices: FloatArray) -> FloatArray:
    """Return d ln s_j / d ln p_k, shape (J, J)."""
    return _semi_elasticities(market, choice_at(market, prices)) * prices


def diversion_at(market: Market, prices: FloatArray) -> FloatArray:
    """Return the part of the buyers that product j (row) loses by a small rise of its price and k (column) gains; NaN for k = j."""
    choice = choice_at(market, prices)
    semi = _semi_elasticities(market, choice)
    log_shares = _log_total(market, choice)
    ratios = -np.exp(log_shares[None, :] - log_shares[:, None]) * semi.T / np.diag(semi)[:, None]
    np.fill_diagonal(ratios, np.nan)
    return ratios


def outside_diversion_at(market: Market, prices: FloatArray) -> FloatArray:
    """Return the part of the buyers that each product loses by a small rise of its price to no product at all."""
    if not market.outside_option:
        return np.zeros(len(market.names))
    choice = choice_at(market, prices)
    leaving = np.exp(weighted_log_shares(market, choice) - choice.inclusive[:, None]) * market.mixture.alphas[:, None]
    return leaving.sum(axis=0) / -np.diag(_semi_elasticities(market, choice))


def surplus_of(market: Market, choice: Choice) -> float:
    """Return consumer surplus of the whole market: size times the mean of inclusive value / alpha (Small and Rosen, 1981)."""
    mix = market.mixture
    return float(market.size * (mix.weights * choice.inclusive / mix.alphas).sum())


def _log_total(market: Market, choice: Choice) -> FloatArray:
    logs = np.log(market.mixture.weights)[:, None] + choice.log_shares
    top = logs.max(axis=0)
    return top + np.log(np.exp(logs - top).sum(axis=0))

"""The best that one firm can do while its rivals' prices stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import ConvergenceError, ScenarioError
from tokencost.scenarios.choice import choose, log_sum_exp
from tokencost.scenarios.demand import choice_at, shares_of
from tokencost.scenarios.lambert import lambert_w_of_exp
from tokencost.scenarios.zeta import solve_zeta

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tokencost.scenarios.market import Market
    from tokencost.scenarios.prices import FloatArray

__all__ = ["Deviation", "best_deviation", "best_response", "firm_profits"]

_GRID: Final = 160
_PEAKS: Final = 4
_TOLERANCE: Final = 1e-13
_STEPS: Final = 2_000


class Deviation(NamedTuple):
    """The most that any one firm gains by leaving some prices alone: who, where to, and by what part of its profit."""

    firm: Hashable
    prices: FloatArray
    profit: float
    gain: float


def best_response(market: Market, prices: Any, firm: Hashable) -> FloatArray:
    """Return all prices after one firm has set its own for the greatest profit, the others' as they are.

    In a plain logit all products of the firm have the markup (1 + W(T/(e A)))/alpha, T = sum of e^(delta - alpha c) over its own products
    and A = 1 + sum of e^V over the others. Nests, segments and bounds are solved: a scan of common markups, then the first-order
    conditions from each peak of it, and the best of these.

    >>> from tokencost.scenarios.market import Market
    >>> market = Market(delta=[8, 8], alpha=4, costs=[1, 1], unit="USD/Mtok")
    >>> best_response(market, [2.5, 1.2], "0").round(6)
    array([1.37114, 1.2    ])

    Raises:
        ScenarioError: no such firm; nobody else to buy from, so no price is too high.
        ConvergenceError: no peak could be solved.
    """
    given = market.prices(prices)
    if firm not in market.firms.labels:
        raise ScenarioError(f"firm {firm!r} is not in the market; it has {', '.join(map(str, market.firms.labels))}", value=firm)
    own = market.firms.codes == market.firms.labels.index(firm)
    if not market.outside_option and own.all() and not np.isfinite(market.bounds.high).all():
        raise ScenarioError("one firm without an outside option has no best price; add a rival, an outside option or caps", value=firm)
    if len(market.mixture.weights) == 1 and market.nests is None and market.bounds.free:
        return _closed(market, given, own)
    return _searched(market, given, own)


def _closed(market: Market, prices: FloatArray, own: Any) -> FloatArray:
    alpha, delta, costs = float(market.mixture.alphas[0]), market.mixture.deltas[0], market.known_costs()
    rivals = (delta - alpha * prices)[~own]
    against = log_sum_exp(rivals, outside=market.outside_option) if rivals.size else np.zeros(())
    log_sum = log_sum_exp((delta - alpha * costs)[own], outside=False)
    markup = (1 + float(lambert_w_of_exp(log_sum - 1 - against))) / alpha
    return np.where(own, costs + markup, prices)


def _searched(market: Market, prices: FloatArray, own: Any) -> FloatArray:
    costs, mix = market.known_costs(), market.mixture
    bounds = market.bounds.hold(prices, ~own)
    least, most = 1e-3 / float(mix.alphas.max()), _greatest_markup(market, prices, own)
    markups = least * (most / least) ** (np.arange(_GRID) / (_GRID - 1))
    tried = bounds.clip(np.where(own, costs + markups[:, None], prices))
    utilities = mix.deltas - mix.alphas[:, None] * tried[:, None, :]
    shares = np.einsum(
        "i,kij->kj", mix.weights, choose(utilities, nests=market.nests, rho=market.rho, outside=market.outside_option).shares
    )
    profits = ((tried - costs) * shares)[:, own].sum(axis=1)
    padded = np.pad(profits, 1, constant_values=-np.inf)
    peaks = np.flatnonzero((profits >= padded[:-2]) & (profits >= padded[2:]))
    peaks = peaks[np.argsort(profits[peaks])[::-1][:_PEAKS]]
    ends = [solve_zeta(market, tried[peak], tolerance=_TOLERANCE, max_iterations=_STEPS, bounds=bounds) for peak in peaks]
    solved = [end for end in ends if end.gap <= _TOLERANCE * 100]
    if not solved:
        least = min(end.gap for end in ends)
        raise ConvergenceError(
            f"no best response within {_STEPS} steps; the nearest misses its first-order conditions by {least:.2g}",
            residual=least,
            iterations=_STEPS,
            tolerance=_TOLERANCE,
        )
    return max(
        (end.prices for end in solved), key=lambda found: float(((found - costs) * shares_of(market, choice_at(market, found)))[own].sum())
    )


def _greatest_markup(market: Market, prices: FloatArray, own: Any) -> float:
    """Return more than any best markup: 1 + W(z) <= 2 + ln z, against the outside option alone or the best rival where there is none."""
    mix = market.mixture
    log_sums = log_sum_exp((mix.deltas - mix.alphas[:, None] * market.known_costs())[:, own], outside=False)
    if not market.outside_option and not own.all():
        log_sums = log_sums - (mix.deltas - mix.alphas[:, None] * prices)[:, ~own].max(axis=1)
    return float(((3 + np.maximum(log_sums, 0.0)) / mix.alphas).max())


def firm_profits(market: Market, prices: FloatArray) -> FloatArray:
    """Return the profit of each firm, in the order of `market.firms.labels`."""
    return market.size * market.firms.sum((prices - market.known_costs()) * shares_of(market, choice_at(market, prices)))


def best_deviation(market: Market, prices: Any) -> Deviation:
    """Return the most profitable change that one firm can make alone: near 0 gain where the prices are an equilibrium.

    >>> from tokencost.scenarios.market import Market
    >>> market = Market(delta=[8, 8], alpha=4, costs=[1, 1], unit="USD/Mtok")
    >>> round(best_deviation(market, [1.925, 1.925]).gain, 4)
    0.2199
    """
    given = market.prices(prices)
    now = firm_profits(market, given)
    found: list[Deviation] = []
    for place, firm in enumerate(market.firms.labels):
        moved = best_response(market, given, firm)
        profit = float(firm_profits(market, moved)[place])
        base = abs(float(now[place]))
        gained = profit - float(now[place])
        found.append(Deviation(firm, moved, profit, gained / base if base else float(np.sign(gained)) * np.inf if gained else 0.0))
    return max(found, key=lambda deviation: deviation.gain)

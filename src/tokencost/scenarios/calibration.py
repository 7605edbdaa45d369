"""Demand from what is seen: mean utilities from shares, alpha from one elasticity, costs from first-order conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tokencost.errors import ConvergenceError, ScenarioError
from tokencost.scenarios.choice import Groups
from tokencost.scenarios.demand import choice_at, shares_of
from tokencost.scenarios.market import Market
from tokencost.scenarios.prices import PriceCoefficient, floats, frozen, price_number
from tokencost.scenarios.unit import Unit
from tokencost.scenarios.zeta import cost_equation

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tokencost.scenarios.prices import FloatArray

__all__ = ["Calibration", "calibrate_alpha", "implied_costs", "invert_shares", "market_from_shares"]


class Calibration(NamedTuple):
    """A price coefficient that gives one product the own-price elasticity it was seen to have.

    `markup` and `marginal_cost` are those of a firm with this product alone that prices by Bertrand-Nash: p - c = -p / elasticity.
    """

    alpha: PriceCoefficient
    own_elasticity: float
    price: float
    share: float

    @property
    def lerner(self) -> float:
        """(p - c) / p = -1 / elasticity.

        Raises:
            ScenarioError: the elasticity is in [-1, 0]: no cost above 0 goes with it.
        """
        if self.own_elasticity >= -1:
            raise ScenarioError(
                f"own-price elasticity {self.own_elasticity:g} is in [-1, 0]: a firm out for profit would raise the price until demand"
                " is elastic, so no cost can be inferred; pass the cost itself",
                value=self.own_elasticity,
            )
        return -1 / self.own_elasticity

    @property
    def markup(self) -> float:
        """The p - c that goes with the elasticity, in the unit of the price."""
        return self.price * self.lerner

    @property
    def marginal_cost(self) -> float:
        """The cost that goes with the elasticity, in the unit of the price."""
        return self.price - self.markup


def calibrate_alpha(
    *, own_elasticity: float, price: float, share: float, unit: Unit | str, within_share: float | None = None, rho: float = 0.0
) -> Calibration:
    """Return the alpha of a logit from one own-price elasticity; of a nested logit with the share in the nest and rho.

    e_jj = -alpha p [1/(1 - rho) - rho/(1 - rho) s_(j|g) - s_j], Berry (1994).

    >>> calibration = calibrate_alpha(own_elasticity=-1.11, price=0.5, share=0.2, unit="USD/Mtok")
    >>> round(calibration.alpha.value, 4), round(calibration.marginal_cost, 6)
    (2.775, 0.04955)

    Raises:
        ScenarioError: an elasticity of 0 or more, a price not above 0, a share not between 0 and 1, rho outside [0, 1).
    """
    elasticity, level = price_number(own_elasticity, what="elasticity"), price_number(price, what="price")
    part, nesting = price_number(share, what="share"), price_number(rho, what="rho")
    if elasticity >= 0:
        raise ScenarioError(
            f"own-price elasticity {elasticity:g} is not below 0; pass how many percent sales fall, as a negative number", value=elasticity
        )
    if level <= 0:
        raise ScenarioError(f"price {level:g} is not above 0: a free price has no elasticity; pass a price above 0", value=level)
    if not 0 < part < 1:
        raise ScenarioError(f"share {part:g} is not between 0 and 1; pass the part of all buyers, those who buy none included", value=part)
    if not 0 <= nesting < 1 or (nesting > 0 and within_share is None):
        raise ScenarioError(f"rho {nesting:g} needs to be in [0, 1), with within_share where it is above 0; pass both", value=nesting)
    inside = part if within_share is None else price_number(within_share, what="within_share")
    if not part <= inside <= 1:
        raise ScenarioError(f"within_share {inside:g} is not between share {part:g} and 1; pass the part of the nest", value=inside)
    slope = (1 - nesting * inside) / (1 - nesting) - part
    return Calibration(PriceCoefficient(-elasticity / (level * slope), Unit.of(unit)), elasticity, level, part)


def invert_shares(shares: Any, prices: Any, *, alpha: float, nesting_ids: Sequence[Hashable] | None = None, rho: float = 0.0) -> FloatArray:
    """Return the mean utilities delta_j = ln s_j - ln s_0 - rho ln s_(j|g) + alpha p_j that give these shares (Berry, 1994).

    >>> invert_shares([0.2, 0.3], [1.0, 0.5], alpha=0.8).round(4)
    array([-0.1163, -0.1108])

    Raises:
        ScenarioError: a share that is not between 0 and 1, or shares that sum to 1 or more: nobody is left who buys none.
    """
    seen, paid = _checked_shares(shares), floats(prices, what="price")
    log_within = np.zeros_like(seen)
    if nesting_ids is not None and rho > 0:
        nests = Groups.of(nesting_ids)
        log_within = np.log(seen / nests.spread(nests.sum(seen)))
    return np.log(seen) - np.log1p(-seen.sum()) - rho * log_within + alpha * paid


def market_from_shares(*, shares: Any, prices: Any, tolerance: float = 1e-13, max_iterations: int = 10_000, **arguments: Any) -> Market:
    """Return the market, of these arguments of `Market`, whose shares at these prices are those that were seen.

    With one segment delta is closed (Berry, 1994); with several it is the contraction of Berry, Levinsohn and Pakes (1995), one delta for
    all segments. Without `costs` the market knows demand alone; `implied_costs` infers them.

    >>> market = market_from_shares(shares=[0.2, 0.3], prices=[1.0, 0.5], alpha=0.8, unit="USD/Mtok")
    >>> market.shares([1.0, 0.5])
    array([0.2, 0.3])

    Raises:
        ScenarioError: shares that cannot be, and what `Market` raises.
        ConvergenceError: the contraction did not come to an end.
    """
    seen = _checked_shares(shares)
    market = Market(delta=np.zeros_like(seen), **arguments)
    if not market.outside_option:
        raise ScenarioError("without an outside option shares say delta only up to a constant; pass delta to Market", value=None)
    paid = market.prices(prices)
    delta = invert_shares(seen, paid, alpha=float(market.mixture.alphas[0]), nesting_ids=market.nesting_ids, rho=market.rho)
    if len(market.mixture.weights) == 1:
        return market.replace(segments=market.segments(delta[None]))
    gap = np.inf
    for _ in range(max_iterations):
        candidate = market.replace(segments=market.segments(np.broadcast_to(delta, market.mixture.deltas.shape)))
        step = (1 - market.rho) * (np.log(seen) - np.log(shares_of(candidate, choice_at(candidate, paid))))
        delta, gap = delta + step, float(np.abs(step).max())
        if gap <= tolerance * (1 + float(np.abs(delta).max())):
            return market.replace(segments=market.segments(np.broadcast_to(delta, market.mixture.deltas.shape)))
    raise ConvergenceError(
        f"mean utilities still moved by {gap:.2g} after {max_iterations} steps; allow more with max_iterations=",
        residual=gap,
        iterations=max_iterations,
        tolerance=tolerance,
    )


def implied_costs(market: Market, prices: Any) -> FloatArray:
    """Return the marginal costs at which these prices are a Bertrand-Nash equilibrium of the market.

    The first-order conditions are linear in the margins: p - c = zeta(p - c), solved firm by firm.

    >>> market = Market(delta=[1.0, 0.5], alpha=1.4, unit="USD/Mtok")
    >>> implied_costs(market, [1.2, 1.0]).round(4)
    array([0.2284, 0.093 ])

    Raises:
        ScenarioError: a price is not above 0, or a cost would not be: demand is not elastic enough for a price set for profit.
    """
    paid = market.prices(prices)
    if (paid <= 0).any():
        raise ScenarioError("a free price says nothing about its cost; pass the cost itself", value=float(paid.min()))
    costs = paid - cost_equation(market, paid)
    if (costs <= 0).any():
        worst = int(np.argmin(costs))
        elasticity = float(market.elasticities(paid)[worst, worst])
        raise ScenarioError(
            f"{market.names[worst]}: the cost of price {paid[worst]:g} with own-price elasticity {elasticity:.3g} is {costs[worst]:.3g},"
            " not above 0; demand is too inelastic for a price set for profit: pass the cost itself, or a greater alpha",
            value=elasticity,
        )
    return frozen(costs)


def _checked_shares(shares: Any) -> FloatArray:
    seen = floats(shares, what="share")
    if not seen.size:
        raise ScenarioError("the market is empty; pass one share or more", value=0)
    if (seen <= 0).any() or (seen >= 1).any():
        bad = float(seen[(seen <= 0) | (seen >= 1)][0])
        raise ScenarioError(f"share {bad:g} is not between 0 and 1; leave out what nobody buys", value=bad)
    if seen.sum() >= 1:
        raise ScenarioError(
            f"shares sum to {seen.sum():g}, so nobody buys none; pass parts of all possible buyers", value=float(seen.sum())
        )
    return seen

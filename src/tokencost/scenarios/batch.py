"""Many markets in one go: arrays that lie beside each other in memory, and what Newton's method makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.firm_markups import firm_markups
from tokencost.scenarios.market import Market
from tokencost.scenarios.pair_markups import Places, pair_markups
from tokencost.scenarios.prices import FloatArray, PriceCoefficient, Prices, floats

if TYPE_CHECKING:
    from tokencost.scenarios.choice import Groups
    from tokencost.scenarios.unit import Unit

__all__ = ["Batch", "Part", "solve_part"]

_NEWTON_STEPS: Final = 50


class Batch(NamedTuple):
    """What all markets have in common, and the arrays of each."""

    unit: Unit
    delta: FloatArray
    costs: FloatArray
    alpha: FloatArray
    rho: float
    outside: bool
    firms: Groups
    nests: Groups | None
    pairs: Groups

    @classmethod
    def of(cls, *, delta: Any, costs: Any, alpha: Any, unit: Unit, firm_ids: Any, nesting_ids: Any, rho: Any, outside: bool) -> Batch:
        """Return checked arrays, broadcast to (markets, products).

        Raises:
            ScenarioError: an empty market, shapes that do not fit, a number that is not finite, alpha not above 0.
            UnitError: costs or a coefficient in another unit.
        """
        utilities, spent = floats(delta, what="delta"), _in_unit(costs, unit, "cost")
        slopes = np.atleast_1d(_in_unit(alpha, unit, "alpha") if not np.isscalar(alpha) else floats([alpha], what="alpha"))
        if utilities.ndim not in {1, 2} or spent.ndim not in {1, 2} or slopes.ndim != 1 or not utilities.size:
            raise ScenarioError(
                f"delta has shape {utilities.shape} and costs {spent.shape}; pass (markets, products), none of them 0",
                value=utilities.shape,
            )
        try:
            shape = np.broadcast_shapes(utilities.shape, spent.shape, (len(slopes), 1), (1, 1))
            utilities, spent, slopes = np.broadcast_to(utilities, shape), np.broadcast_to(spent, shape), np.broadcast_to(slopes, shape[:1])
        except ValueError:
            raise ScenarioError(
                f"delta {utilities.shape}, costs {spent.shape} and alpha {slopes.shape} do not fit; pass (markets, products), (markets,)",
                value=utilities.shape,
            ) from None
        if (slopes <= 0).any():
            raise ScenarioError(
                f"alpha {float(slopes.min())!r} is not above 0; pass the utility that one unit of price takes away",
                value=float(slopes.min()),
            )
        if (spent < 0).any():
            raise ScenarioError(f"cost {float(spent.min()):g} is below 0; pass 0 or more", value=float(spent.min()))
        first = Market(
            delta=utilities[0],
            alpha=float(slopes[0]),
            costs=spent[0],
            unit=unit,
            firm_ids=firm_ids,
            nesting_ids=nesting_ids,
            rho=rho,
            outside_option=outside,
        )
        if not outside and len(first.firms.labels) == 1:
            raise ScenarioError(
                "one firm without an outside option has no best price; add a rival or an outside option", value=first.firms.labels
            )
        return cls(unit, utilities, spent, slopes, first.rho, outside, first.firms, first.nests, first.pairs)

    def rows(self, part: slice) -> Batch:
        """Return some of the markets."""
        return self._replace(delta=self.delta[part], costs=self.costs[part], alpha=self.alpha[part])

    def market(self, place: int) -> Market:
        """Return one of the markets by itself."""
        return Market(
            delta=self.delta[place],
            alpha=float(self.alpha[place]),
            costs=self.costs[place],
            unit=self.unit,
            firm_ids=self.firms.codes.tolist(),
            nesting_ids=None if self.nests is None else self.nests.codes.tolist(),
            rho=None if self.nests is None else self.rho,
            outside_option=self.outside,
        )


Part = tuple[FloatArray, FloatArray, FloatArray, FloatArray, Any]
"""Prices and shares of shape (B, J); inclusive values, residuals and iterations of shape (B,)."""


def solve_part(batch: Batch) -> Part:
    """Return what Newton's method makes of these markets, with the residual of each."""
    return _logit(batch) if batch.nests is None else _nested(batch)


def _logit(batch: Batch) -> Part:
    """Solve markets that lie beside each other in memory: products are the first axis, so that each sum runs over whole rows."""
    costs = batch.costs.T * batch.alpha
    net = batch.delta.T - costs
    mu, iterations = firm_markups(_log_sums(batch.firms, net), outside=batch.outside, max_iterations=_NEWTON_STEPS)
    spread = _spread(batch.firms, mu)
    shares, inclusive = _chosen(net - spread, outside=batch.outside)
    wanted = _spread(batch.firms, 1 + _sums(batch.firms, shares) * mu)
    return _finished(batch, costs, spread, wanted=wanted, shares=shares, inclusive=inclusive, iterations=iterations)


def _nested(batch: Batch) -> Part:
    firms, nests, pairs, rho = batch.firms, batch.nests, batch.pairs, batch.rho
    if nests is None:
        raise AssertionError("nests are there: asked by the caller")
    costs = batch.costs.T * batch.alpha
    net = batch.delta.T - costs
    places = Places.of(firms.codes[pairs.first], nests.codes[pairs.first])
    grid = places.grid(_log_sums(pairs, net / (1 - rho)))
    mu, iterations = pair_markups(grid, linked=places.linked, rho=rho, outside=batch.outside, max_iterations=_NEWTON_STEPS)
    of_pairs = mu[places.rows, places.nests]
    spread = _spread(pairs, of_pairs)
    with np.errstate(invalid="ignore"):
        scaled = (net - spread) / (1 - rho)
        sums = _log_sums(nests, scaled)
        within = np.exp(scaled - _spread(nests, sums))
        nest_shares, inclusive = _chosen((1 - rho) * sums, outside=batch.outside)
        shares = within * _spread(nests, nest_shares)
        earned = _spread(firms, _sums(firms, shares * spread))
        wanted = (1 - rho) * (1 + earned) + rho * _spread(pairs, _sums(pairs, within) * of_pairs)
        return _finished(batch, costs, spread, wanted=wanted, shares=shares, inclusive=inclusive, iterations=iterations)


def _finished(
    batch: Batch, costs: FloatArray, mu: FloatArray, *, wanted: FloatArray, shares: FloatArray, inclusive: FloatArray, iterations: int
) -> Part:
    """Return prices and the relative residual |p - c - zeta| / (|p| + 1/alpha) of each market."""
    prices = costs + mu
    residual = np.maximum.reduce(np.abs(mu - wanted) / (prices + 1), axis=0)
    residual[np.isnan(residual)] = np.inf
    return (prices / batch.alpha).T, shares.T, inclusive, residual, np.full(len(residual), iterations)


def _chosen(utilities: FloatArray, *, outside: bool) -> tuple[FloatArray, FloatArray]:
    """Return shares and the inclusive value, along the first axis."""
    top = np.maximum.reduce(utilities, axis=0)
    if outside:
        top = np.maximum(top, 0.0)
    x = np.exp(utilities - top)
    total = np.add.reduce(x, axis=0)
    if outside:
        total = total + np.exp(-top)
    x /= total
    return x, top + np.log(total)


def _sums(groups: Groups, values: FloatArray) -> FloatArray:
    if len(groups.starts) == len(values):
        return values
    return np.add.reduceat(values if groups.order is None else values[groups.order], groups.starts, axis=0)


def _log_sums(groups: Groups, values: FloatArray) -> FloatArray:
    if len(groups.starts) == len(values):
        return values
    top = np.maximum.reduceat(values if groups.order is None else values[groups.order], groups.starts, axis=0)
    return top + np.log(_sums(groups, np.exp(values - top[groups.codes])))


def _spread(groups: Groups, values: FloatArray) -> FloatArray:
    return values if len(groups.starts) == len(groups.codes) else values[groups.codes]


def _in_unit(values: Any, unit: Unit, what: str) -> FloatArray:
    if isinstance(values, Prices | PriceCoefficient):
        unit.match(values.unit, what=what)
        return np.atleast_1d(np.asarray(values[0], dtype=np.float64))
    return floats(values, what=what)

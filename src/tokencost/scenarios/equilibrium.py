"""Bertrand-Nash prices of one market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from tokencost.errors import ConvergenceError, ScenarioError
from tokencost.scenarios.best_response import best_deviation, firm_profits
from tokencost.scenarios.demand import choice_at, shares_of, surplus_of
from tokencost.scenarios.firm_markups import firm_markups
from tokencost.scenarios.pair_markups import Places, pair_markups
from tokencost.scenarios.prices import Prices, frozen
from tokencost.scenarios.zeta import Solved, gap_of, solve_zeta, wanted_prices, zeta
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tokencost.scenarios.market import Market
    from tokencost.scenarios.prices import FloatArray

__all__ = ["Equilibrium", "Method", "equilibrium"]

Method = Literal["auto", "newton", "zeta"]

_NEWTON_STEPS: Final = 50
_LARGEST_GRID: Final = 2_000_000
"""Numbers in the widest array of Newton's method on pairs; beyond it zeta needs less."""
_WORTH_LEAVING: Final = 1e-9
_TRIES: Final = 8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Equilibrium:
    """Prices from which no firm wants to move, and how they were found.

    `residual` is the greatest |p - clip(c + zeta(p))| / (|p| + 1/alpha), worked out anew at these prices; `converged` says that it is
    within the tolerance. `deviation_gain` is the greatest part by which a firm's profit would rise by a move of its own, where that was
    searched: in mixtures of segments, whose first-order conditions can hold where no firm is best off. Money is in the currency of the
    unit, for the size of the market; arrays follow the order of the products, or of `firms`.

    >>> from tokencost.scenarios.market import Market
    >>> market = Market(delta=[8, 8], alpha=4, costs=[1, 1], unit="USD/Mtok")
    >>> found = equilibrium(market)
    >>> found.prices.round(6), found.converged
    (array([1.472927, 1.472927]), True)
    """

    market: Market
    prices: FloatArray
    shares: FloatArray
    residual: float
    iterations: int
    converged: bool
    method: str
    deviation_gain: float | None = None

    @property
    def outside_share(self) -> float:
        """The share of those who buy none."""
        return self.market.outside_share(self.prices)

    @property
    def priced(self) -> Prices:
        """The prices with their unit."""
        return Prices(self.prices, self.market.unit)

    @property
    def markups(self) -> FloatArray:
        """What each product costs over its marginal cost, p - c."""
        return self.prices - self.market.known_costs()

    @property
    def profits(self) -> FloatArray:
        """(p - c) s of each product, times the size of the market."""
        return self.market.size * self.markups * self.shares

    @property
    def firms(self) -> tuple[Hashable, ...]:
        """The firms, in the order of their first product."""
        return self.market.firms.labels

    @property
    def firm_profits(self) -> FloatArray:
        """The profit of each of `firms`."""
        return firm_profits(self.market, self.prices)

    @property
    def firm_shares(self) -> FloatArray:
        """The share of each of `firms`."""
        return self.market.firms.sum(self.shares)

    @property
    def hhi(self) -> float:
        """The Herfindahl-Hirschman index of the firms' parts of what is bought, from 0 to 10,000."""
        parts = self.firm_shares / self.shares.sum()
        return float(10_000 * (parts**2).sum())

    @property
    def consumer_surplus(self) -> float:
        """Consumer surplus of all buyers, over no product at all."""
        return surplus_of(self.market, choice_at(self.market, self.prices))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each product."""
        columns = zip(
            self.market.names,
            self.market.firm_ids,
            self.prices.tolist(),
            self.shares.tolist(),
            self.markups.tolist(),
            self.profits.tolist(),
            strict=True,
        )
        keys = ("name", "firm", "price", "share", "markup", "profit")
        return [{**dict(zip(keys, row, strict=True)), "unit": str(self.market.unit), "converged": self.converged} for row in columns]

    def table(self) -> Table:
        """Return the equilibrium as a table for eyes."""
        rows = [
            (
                str(row["name"]),
                str(row["firm"]),
                f"{row['price']:.6g}",
                f"{row['share']:.2%}",
                f"{row['markup']:.6g}",
                f"{row['profit']:.6g}",
            )
            for row in self.records()
        ]
        columns = (Column("product"), Column("firm"), *(Column(heading, number=True) for heading in ("price", "share", "markup", "profit")))
        state = "converged" if self.converged else "NOT CONVERGED"
        notes = (
            f"{self.outside_share:.2%} buy none; HHI {self.hhi:,.0f}; consumer surplus {self.consumer_surplus:.6g}",
            f"{state} by {self.method}: {self.iterations} iterations, residual {self.residual:.1e}",
        )
        return Table(f"Bertrand-Nash prices in {self.market.unit}", columns, tuple(rows), notes)

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<Equilibrium of {len(self.prices)} products, {self.method}, residual {self.residual:.1e}>"

    def _repr_html_(self) -> str:
        return self.table().html()


def equilibrium(market: Market, *, method: Method = "auto", tolerance: float = 1e-12, max_iterations: int = 5_000) -> Equilibrium:
    """Return the Bertrand-Nash prices of a market whose firms each set all prices of their own.

    Plain logit is Newton's method on firm markups, nested logit on the markups of firms in nests; there the equilibrium exists and is
    unique (Nocke and Schutz, 2018). Segments, posted prices, floors and caps are the fixed point of zeta (Morrow and Skerlos, 2011),
    accelerated; with segments it is started from several prices and each firm's own best deviation is searched. `method` asks for one of
    them.

    Raises:
        ScenarioError: the market has no costs, one firm without an outside option, or no price that its firms would stay at was found.
        ConvergenceError: the residual is above the tolerance.
    """
    _check(market, method)
    if len(market.mixture.weights) > 1:
        return _of_mixture(market, tolerance=tolerance, max_iterations=max_iterations)
    newton = method != "zeta" and market.bounds.free and _pair_numbers(market) <= _LARGEST_GRID
    if newton:
        solved = _by_newton(market)
        if solved.gap <= tolerance or method == "newton":
            return _result(market, solved, "newton", tolerance=tolerance)
    elif method == "newton":
        raise ScenarioError("Newton's method solves markets of one segment without bounds; ask for method='zeta'", value=method)
    solved = solve_zeta(market, _start(market), tolerance=tolerance, max_iterations=max_iterations)
    return _result(market, solved, "zeta", tolerance=tolerance)


def _check(market: Market, method: str) -> None:
    market.known_costs()
    if method not in {"auto", "newton", "zeta"}:
        raise ScenarioError(f"method {method!r} is none; write 'auto', 'newton' or 'zeta'", value=method)
    alone = not market.outside_option and len(market.firms.labels) == 1
    if alone and not np.isfinite(market.bounds.high).all():
        raise ScenarioError(
            "one firm without an outside option has no best price; add a rival, an outside option or caps", value=market.firms.labels
        )


def _pair_numbers(market: Market) -> int:
    nests = 0 if market.nests is None else len(market.nests.labels)
    return len(market.firms.labels) * nests * (nests + 2)


def _start(market: Market, alpha: float | None = None) -> FloatArray:
    costs = market.known_costs()
    level = (1 - market.rho) / (alpha or float(market.mixture.alphas[0]))
    margins = np.full(len(costs), level)
    return costs + zeta(market, margins, choice_at(market, costs + margins))


def _by_newton(market: Market) -> Solved:
    alpha, costs, rho = float(market.mixture.alphas[0]), market.known_costs(), market.rho
    net = market.mixture.deltas[0] - alpha * costs
    firms, nests = market.firms, market.nests
    if nests is None:
        mu, iterations = firm_markups(firms.log_sum_exp(net), outside=market.outside_option, max_iterations=_NEWTON_STEPS)
        prices = costs + firms.spread(mu) / alpha
    else:
        pairs = market.pairs
        places = Places.of(firms.codes[pairs.first], nests.codes[pairs.first])
        grid = places.grid(pairs.log_sum_exp(net / (1 - rho)))
        mu, iterations = pair_markups(grid, linked=places.linked, rho=rho, outside=market.outside_option, max_iterations=_NEWTON_STEPS)
        prices = costs + pairs.spread(mu[places.rows, places.nests]) / alpha
    if not np.isfinite(prices).all():
        return Solved(prices, np.inf, iterations)
    return Solved(prices, gap_of(market, prices, wanted_prices(market, prices)), iterations)


def _result(market: Market, solved: Solved, method: str, *, tolerance: float, gain: float | None = None) -> Equilibrium:
    if not solved.gap <= tolerance:
        raise ConvergenceError(
            f"prices still miss their first-order conditions by {solved.gap:.2g} after {solved.iterations} iterations of {method};"
            " allow more with max_iterations=, or a wider tolerance=",
            residual=solved.gap,
            iterations=solved.iterations,
            tolerance=tolerance,
        )
    shares = shares_of(market, choice_at(market, solved.prices))
    return Equilibrium(
        market, frozen(solved.prices), frozen(shares), solved.gap, solved.iterations, converged=True, method=method, deviation_gain=gain
    )


def _of_mixture(market: Market, *, tolerance: float, max_iterations: int) -> Equilibrium:
    """Solve from several starts; stay where no firm gains by moving alone, else go on from its best move."""
    starts = [_start(market, alpha) for alpha in (*market.mixture.alphas.tolist(), float(market.mixture.weights @ market.mixture.alphas))]
    seen: list[FloatArray] = []
    last: Solved | None = None
    for _ in range(_TRIES):
        if not starts:
            break
        solved = solve_zeta(market, starts.pop(0), tolerance=tolerance, max_iterations=max_iterations)
        last = solved if last is None or solved.gap < last.gap else last
        if solved.gap > tolerance or any(gap_of(market, known, solved.prices) < np.sqrt(tolerance) for known in seen):
            continue
        seen.append(solved.prices)
        best = best_deviation(market, solved.prices)
        if best.gain <= _WORTH_LEAVING:
            return _result(market, solved, "zeta", tolerance=tolerance, gain=best.gain)
        starts.append(best.prices)
    if last is not None and last.gap > tolerance:
        return _result(market, last, "zeta", tolerance=tolerance)
    raise ScenarioError(f"none of {len(seen)} stationary prices is an equilibrium: at each a firm gains by moving alone", value=len(seen))

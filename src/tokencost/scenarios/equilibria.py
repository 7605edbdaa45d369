"""Bertrand-Nash prices of many markets with the same products and owners at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tokencost.errors import ConvergenceError
from tokencost.scenarios.batch import Batch, solve_part
from tokencost.scenarios.choice import Groups
from tokencost.scenarios.equilibrium import equilibrium
from tokencost.scenarios.unit import Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tokencost.scenarios.prices import FloatArray

__all__ = ["Equilibria", "equilibria"]

_LOGIT_CHUNK: Final = 16_384
"""Prices solved in one go: their arrays stay in the cache of a processor."""
_NESTED_CHUNK: Final = 4_096


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Equilibria:
    """Equilibria of B markets of J products: prices and shares of shape (B, J); residual, iterations and converged of shape (B,).

    A market that did not converge has NaN for its prices and shares, never a number that looks like one. `residual` is relative, as in
    `Equilibrium`. Profits and surplus are for a market of size 1.
    """

    unit: Unit
    firms: tuple[Hashable, ...]
    firm_codes: np.ndarray[Any, np.dtype[np.int64]]
    costs: FloatArray
    alpha: FloatArray
    prices: FloatArray
    shares: FloatArray
    inclusive: FloatArray
    residual: FloatArray
    iterations: np.ndarray[Any, np.dtype[np.int64]]
    converged: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def markups(self) -> FloatArray:
        """Markups p - c, shape (B, J)."""
        return self.prices - self.costs

    @property
    def outside_share(self) -> FloatArray:
        """The share of those who buy none, shape (B,)."""
        return 1 - self.shares.sum(axis=1)

    @property
    def firm_shares(self) -> FloatArray:
        """The share of each of `firms`, shape (B, F)."""
        return Groups.of(self.firm_codes.tolist()).sum(self.shares)

    @property
    def firm_profits(self) -> FloatArray:
        """The profit of each of `firms`, shape (B, F)."""
        return Groups.of(self.firm_codes.tolist()).sum(self.markups * self.shares)

    @property
    def hhi(self) -> FloatArray:
        """The Herfindahl-Hirschman index of what is bought, from 0 to 10,000, shape (B,)."""
        parts = self.firm_shares / self.shares.sum(axis=1, keepdims=True)
        return 10_000 * (parts**2).sum(axis=1)

    @property
    def consumer_surplus(self) -> FloatArray:
        """Inclusive value over alpha, shape (B,)."""
        return self.inclusive / self.alpha

    def check(self) -> Equilibria:
        """Return these equilibria if all of them converged.

        Raises:
            ConvergenceError: some did not.
        """
        if not self.converged.all():
            places = np.flatnonzero(~self.converged)
            raise ConvergenceError(
                f"{places.size} of {len(self.converged)} markets did not converge, the first is number {places[0]}; their prices are NaN",
                residual=float(self.residual[places].max()),
                iterations=int(self.iterations.max()),
                tolerance=None,
            )
        return self

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each market."""
        return [
            {"market": place, "prices": prices, "shares": shares, "residual": residual, "iterations": steps, "converged": ended}
            for place, (prices, shares, residual, steps, ended) in enumerate(
                zip(
                    self.prices.tolist(),
                    self.shares.tolist(),
                    self.residual.tolist(),
                    self.iterations.tolist(),
                    self.converged.tolist(),
                    strict=True,
                )
            )
        ]

    def table(self) -> Table:
        """Return quantiles of each product's price over the markets that converged."""
        solved = self.prices[self.converged]
        quantiles = np.quantile(solved, [0.05, 0.5, 0.95], axis=0).T if solved.size else np.full((self.prices.shape[1], 3), np.nan)
        rows = [
            (str(place), str(self.firms[code]), *(f"{q:.6g}" for q in row))
            for place, (code, row) in enumerate(zip(self.firm_codes, quantiles, strict=True))
        ]
        columns = (Column("product"), Column("firm"), *(Column(heading, number=True) for heading in ("5%", "median", "95%")))
        note = f"{int(self.converged.sum()):,} of {len(self.converged):,} markets converged, residual at most {self.residual.max():.1e}"
        return Table(f"Bertrand-Nash prices in {self.unit}", columns, tuple(rows), (note,))

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<Equilibria of {len(self.prices)} markets, {int(self.converged.sum())} converged>"

    def _repr_html_(self) -> str:
        return self.table().html()


def equilibria(
    *,
    delta: Any,
    costs: Any,
    alpha: Any,
    unit: Unit | str,
    firm_ids: Sequence[Hashable] | None = None,
    nesting_ids: Sequence[Hashable] | None = None,
    rho: float | None = None,
    outside_option: bool = True,
    tolerance: float = 1e-12,
) -> Equilibria:
    """Return the Bertrand-Nash prices of B markets of J products; the arguments are those of `Market`.

    `delta` and `costs` have shape (B, J), or (J,) for the same in all markets; `alpha` is a number or has shape (B,). Owners, nests and
    rho are the same in all. Segments and bounds are for one market at a time.

    >>> found = equilibria(delta=[[8, 8], [7, 8]], costs=[1, 1], alpha=4, unit="USD/Mtok")
    >>> found.prices.round(4)
    array([[1.4729, 1.4729],
           [1.3953, 1.5476]])

    Raises:
        ScenarioError: an empty market, shapes that do not fit, a number that is not finite, alpha not above 0.
        UnitError: costs or a coefficient in another unit.
    """
    batch = Batch.of(
        delta=delta,
        costs=costs,
        alpha=alpha,
        unit=Unit.of(unit),
        firm_ids=firm_ids,
        nesting_ids=nesting_ids,
        rho=rho,
        outside=outside_option,
    )
    markets, products = batch.delta.shape
    size = max(1, (_LOGIT_CHUNK if batch.nests is None else _NESTED_CHUNK) // products)
    prices, shares = np.empty((products, markets)).T, np.empty((products, markets)).T
    inclusive, residual, iterations = np.empty(markets), np.empty(markets), np.empty(markets, dtype=np.int64)
    for at in range(0, markets, size):
        part = slice(at, at + size)
        prices[part], shares[part], inclusive[part], residual[part], iterations[part] = solve_part(batch.rows(part))
    converged = residual <= tolerance
    for place in np.flatnonzero(~converged).tolist():
        try:
            found = equilibrium(batch.market(place), method="zeta", tolerance=tolerance)
        except ConvergenceError:
            prices[place], shares[place], inclusive[place] = np.nan, np.nan, np.nan
            continue
        prices[place], shares[place], inclusive[place] = found.prices, found.shares, found.market.inclusive_value(found.prices)[0]
        residual[place], iterations[place], converged[place] = found.residual, iterations[place] + found.iterations, True
    for column in (prices, shares, inclusive, residual, iterations, converged):
        column.flags.writeable = False
    return Equilibria(
        batch.unit,
        batch.firms.labels,
        batch.firms.codes,
        batch.costs,
        batch.alpha,
        prices,
        shares,
        inclusive,
        residual,
        iterations,
        converged,
    )

"""Prices over time when each firm in turn, or all at once, or after a delay, answers the others' prices as best it can."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.best_response import best_response
from tokencost.scenarios.cycles import cycle_of_prices
from tokencost.scenarios.prices import frozen
from tokencost.scenarios.zeta import gap_of, wanted_prices
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from tokencost.scenarios.cycles import Cycle
    from tokencost.scenarios.market import Market
    from tokencost.scenarios.prices import FloatArray

__all__ = ["BestResponses", "Order", "best_responses"]

Order = Literal["simultaneous", "sequential"]
_LONGEST_SHOWN: Final = 12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BestResponses:
    """The prices of each period, shape (rounds + 1, J), the first row being the ones that it began with.

    `residual` is how far the last prices are from Bertrand-Nash ones, relative as in `Equilibrium`; `converged` says that it is within
    the tolerance. `cycle` is where the path repeats itself, or None while it does not: a cycle of length 1 stays where it is. A path can
    stay where no first-order condition holds only if it has come to a bound.
    """

    market: Market
    prices: FloatArray
    order: str
    residual: float
    iterations: int
    converged: bool
    cycle: Cycle | None

    @property
    def last(self) -> FloatArray:
        """The prices of the last period."""
        return self.prices[-1]

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each period."""
        return [{"period": period, **dict(zip(self.market.names, row, strict=True))} for period, row in enumerate(self.prices.tolist())]

    def table(self) -> Table:
        """Return the first periods and the last as a table for eyes."""
        periods = [*range(min(_LONGEST_SHOWN, len(self.prices) - 1)), len(self.prices) - 1]
        rows = [(str(period), *(f"{price:.6g}" for price in self.prices[period])) for period in periods]
        columns = (Column("period", number=True), *(Column(name, number=True) for name in self.market.names))
        if self.cycle is None:
            turn = "no cycle"
        elif self.cycle.length == 1:
            turn = f"stays from period {self.cycle.start}"
        else:
            turn = f"repeats every {self.cycle.length} periods from period {self.cycle.start}"
        state = "at Bertrand-Nash prices" if self.converged else "not at Bertrand-Nash prices"
        note = f"{state}: residual {self.residual:.1e} after {self.iterations} rounds; {turn}"
        return Table(f"best responses in {self.market.unit}, {self.order}", columns, tuple(rows), (note,))

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<BestResponses of {self.iterations} rounds, residual {self.residual:.1e}>"

    def _repr_html_(self) -> str:
        return self.table().html()


def best_responses(
    market: Market,
    initial: Any,
    *,
    rounds: int,
    order: Order = "simultaneous",
    revision_periods: Mapping[Hashable, int] | None = None,
    lags: Mapping[Hashable, int] | None = None,
    tolerance: float = 1e-12,
) -> BestResponses:
    """Return the prices of each round in which firms set the best prices against those of the others.

    Simultaneous firms answer the prices of the period before; sequential ones move in the order of `market.firms.labels`, each seeing
    what was just set. A firm with `revision_periods` of k moves only in periods k, 2k, ...; one with `lags` of l answers its rivals'
    prices of l periods ago (1 if not said, the first prices before there are any). In a period in which it does not move a firm keeps its
    prices.

    >>> from tokencost.scenarios.market import Market
    >>> market = Market(delta=[8, 8], alpha=4, costs=[1, 1], unit="USD/Mtok")
    >>> best_responses(market, [2.5, 1.2], rounds=2).prices.round(4)
    array([[2.5   , 1.2   ],
           [1.3711, 1.7803],
           [1.6055, 1.4316]])

    Raises:
        ScenarioError: rounds below 1, an unknown order or firm, a period or a lag below 1, lags in a sequence.
        ConvergenceError: a best response was not found.
    """
    periods, seen = _whole(market, revision_periods, "revision period"), _whole(market, lags, "lag")
    if isinstance(rounds, bool) or not isinstance(cast("object", rounds), int) or rounds < 1:
        raise ScenarioError(f"rounds {rounds!r} is not 1 or more; pass how often firms may move", value=rounds)
    if order not in {"simultaneous", "sequential"}:
        raise ScenarioError(f"order {order!r} is none; write 'simultaneous' or 'sequential'", value=order)
    if order == "sequential" and lags:
        raise ScenarioError("firms that move one after the other see what was just set, so lags mean nothing; leave them out", value=lags)
    path = [market.prices(initial)]
    for period in range(1, rounds + 1):
        path.append(_next(market, path, period, order=order, periods=periods, lags=seen))
    prices = frozen(np.stack(path))
    cycle = cycle_of_prices(prices, step=math.lcm(*periods.values()), memory=max(seen.values()), tolerance=tolerance)
    residual = gap_of(market, prices[-1], wanted_prices(market, prices[-1]))
    return BestResponses(market, prices, order, residual, rounds, converged=residual <= tolerance, cycle=cycle)


def _next(
    market: Market, path: list[FloatArray], period: int, *, order: str, periods: Mapping[Hashable, int], lags: Mapping[Hashable, int]
) -> FloatArray:
    now = path[-1].copy()
    for firm in market.firms.labels:
        if period % periods[firm]:
            continue
        against = now if order == "sequential" else path[max(0, period - lags[firm])]
        own = market.firms.codes == market.firms.labels.index(firm)
        now[own] = best_response(market, against, firm)[own]
    return now


def _whole(market: Market, values: Mapping[Hashable, int] | None, what: str) -> dict[Hashable, int]:
    """Return a whole number of 1 or more for each firm."""
    given = values or {}
    for firm, number in given.items():
        if firm not in market.firms.labels:
            raise ScenarioError(
                f"{what} of {firm!r}, which is not in the market; it has {', '.join(map(str, market.firms.labels))}", value=firm
            )
        if isinstance(number, bool) or not isinstance(cast("object", number), int) or number < 1:
            raise ScenarioError(f"{what} {number!r} of {firm!r} is not 1 or more; count it in periods", value=number)
    return {firm: given.get(firm, 1) for firm in market.firms.labels}

"""When a cartel holds: the discount factor above which nobody gains by leaving it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.best_response import best_response, firm_profits
from tokencost.scenarios.equilibrium import equilibrium
from tokencost.scenarios.prices import frozen
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tokencost.scenarios.equilibrium import Equilibrium
    from tokencost.scenarios.market import Market
    from tokencost.scenarios.prices import FloatArray

__all__ = ["Collusion", "collusion"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Collusion:
    """Nash and joint prices of a market, what each firm earns by keeping to the joint ones and by leaving them once, and what that implies.

    Arrays follow `firms`; row f of `deviation_prices` are all prices after firm f has left. `thresholds` are
    delta* = (pi_D - pi_C) / (pi_D - pi_N) under grim trigger: punished by Nash prices for ever (Friedman, 1971). A threshold of 1 or more
    says that the firm earns no more in the cartel than without it and never keeps to it.
    """

    nash: Equilibrium
    joint: Equilibrium
    deviation_prices: FloatArray
    nash_profits: FloatArray
    joint_profits: FloatArray
    deviation_profits: FloatArray
    thresholds: FloatArray

    @property
    def firms(self) -> tuple[Hashable, ...]:
        """The firms, in the order of their first product."""
        return self.nash.firms

    @property
    def critical_discount_factor(self) -> float:
        """The least discount factor at which all firms keep to joint prices: the greatest threshold."""
        return float(self.thresholds.max())

    @property
    def sustainable(self) -> bool:
        """Whether any discount factor below 1 holds the cartel together."""
        return self.critical_discount_factor < 1

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each firm."""
        columns = zip(
            self.nash_profits.tolist(), self.joint_profits.tolist(), self.deviation_profits.tolist(), self.thresholds.tolist(), strict=True
        )
        keys = ("nash_profit", "joint_profit", "deviation_profit", "threshold")
        return [{"firm": firm, **dict(zip(keys, row, strict=True))} for firm, row in zip(self.firms, columns, strict=True)]

    def table(self) -> Table:
        """Return profits and thresholds as a table for eyes."""
        rows = [
            (str(r["firm"]), *(f"{r[key]:.6g}" for key in ("nash_profit", "joint_profit", "deviation_profit", "threshold")))
            for r in self.records()
        ]
        columns = (Column("firm"), *(Column(heading, number=True) for heading in ("Nash", "joint", "deviation", "threshold")))
        end = (
            f"holds from a discount factor of {self.critical_discount_factor:.4f}"
            if self.sustainable
            else "does not hold at any discount factor"
        )
        return Table("profits, and the discount factor that keeps each firm in a cartel", columns, tuple(rows), (f"the cartel {end}",))

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<Collusion of {len(self.firms)} firms, threshold {self.critical_discount_factor:.4f}>"

    def _repr_html_(self) -> str:
        return self.table().html()


def collusion(market: Market, *, tolerance: float = 1e-12) -> Collusion:
    """Return what holds a cartel of all firms together.

    Joint prices maximise the sum of profits; each firm keeps those of its own products.

    >>> from tokencost.scenarios.market import Market
    >>> market = Market(delta=[8, 8], alpha=4, costs=[1, 1], unit="USD/Mtok")
    >>> round(collusion(market).critical_discount_factor, 6)
    0.393098

    Raises:
        ScenarioError: one firm, or no outside option: a joint price has no end then.
        ConvergenceError: an equilibrium or a best response was not found.
    """
    firms: tuple[Hashable, ...] = market.firms.labels
    if len(firms) < 2:  # noqa: PLR2004 - a cartel takes two
        raise ScenarioError(
            f"{next(iter(firms))} owns all products, so there is nobody to collude with; pass a market of two firms or more", value=firms
        )
    nash = equilibrium(market, tolerance=tolerance)
    joint = equilibrium(market.merge(*firms), tolerance=tolerance)
    moved = np.stack([best_response(market, joint.prices, firm) for firm in firms])
    alone, together = firm_profits(market, nash.prices), firm_profits(market, joint.prices)
    leaving = np.array([firm_profits(market, prices)[place] for place, prices in enumerate(moved)])
    loss = leaving - alone
    with np.errstate(divide="ignore", invalid="ignore"):
        thresholds = np.where(loss > 0, (leaving - together) / loss, np.inf)
    return Collusion(nash, joint, frozen(moved), frozen(alone), frozen(together), frozen(leaving), frozen(thresholds))

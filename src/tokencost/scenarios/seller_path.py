"""Seller paths: the list prices of one seller over time, the promotions above them, and the lines of a war's log."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.exact import EXACT, plain
from tokencost.scenarios.move import touched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from tokencost.scenarios.move import Prices
    from tokencost.tariffs.tariff import Promo

__all__ = ["Event", "Promotion", "SellerPath"]


class Promotion(NamedTuple):
    """A factor on the effective price on a half-open span, or prices of its own; the list stays."""

    start: Any
    until: Any
    factor: Decimal
    meters: tuple[str, ...]
    prices: Mapping[str, Decimal]
    promo: Promo | None = None

    def applied(self, listed: Prices) -> Prices:
        """Return the prices that are paid while it runs."""
        lower = {
            meter: plain(EXACT.multiply(price, self.factor)) if touched(meter, self.meters) else price for meter, price in listed.items()
        }
        return {**lower, **{meter: price for meter, price in self.prices.items() if meter in lower}}


class Event(NamedTuple):
    """One line of the log: who changed what, from which price to which, and why.

    The prices of a `promotion` and a `promotion_end` are those that are paid, all others are list prices: these alone, one after the
    other, give the list of every instant. A change of shape, a window or a tier, has no meter.
    """

    at: Any
    offering: str
    kind: str
    meter: str
    before: Decimal | None
    after: Decimal | None
    cause: str
    source: str | None = None
    below_cost: bool = False


class SellerPath:
    """The prices of one seller over time: list prices by instant, None while it is not on sale, and promotions above them."""

    def __init__(self) -> None:
        self.instants: list[Any] = []
        self.lists: list[Prices | None] = []
        self.promotions: list[Promotion] = []

    def list_at(self, at: Any) -> Prices | None:
        """Return the list prices of an instant, None where the seller is not on sale."""
        place = bisect_right(self.instants, at) - 1
        return self.lists[place] if place >= 0 else None

    def effective_at(self, at: Any) -> Prices | None:
        """Return the prices that are paid at an instant."""
        prices = self.list_at(at)
        if prices is None:
            return None
        for promotion in self.promotions:
            if promotion.start <= at < promotion.until:
                prices = promotion.applied(prices)
        return prices

    def write(self, at: Any, prices: Prices | None) -> None:
        """Put a list in force from an instant on."""
        if self.instants and self.instants[-1] == at:
            self.lists[-1] = prices
        else:
            self.instants.append(at)
            self.lists.append(prices)

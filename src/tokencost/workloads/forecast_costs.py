"""Costs of a forecast: each month exactly, in one currency, or the reason why it has none."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

from tokencost.errors import CurrencyError
from tokencost.exact import from_fraction
from tokencost.tariffs.clock import iso
from tokencost.tariffs.money import Money
from tokencost.workloads.forecast_events import price_events
from tokencost.workloads.forecast_knowledge import known_until, word_of_month
from tokencost.workloads.month_cost import month_cost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tokencost.rating.timeline import Selection
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.workloads.expectation import Expectation
    from tokencost.workloads.forecast_events import PriceEvent
    from tokencost.workloads.forecast_knowledge import Known
    from tokencost.workloads.month_cost import MonthCost
    from tokencost.workloads.profile import Month
    from tokencost.workloads.workload import Workload

__all__ = ["Beyond", "Costing", "ExactMonth", "by_segment"]

Beyond = Literal["carry", "stop"]
"""What to do after the day on which the list was last seen: assume that it goes on, or give no cost."""


class ExactMonth(NamedTuple):
    """The expected cost of a month in the currency of the forecast, with the factor from each currency that was met."""

    cost: Money | None
    priced: Money | None
    factors: Mapping[str, Fraction]
    known: Known
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Costing(NamedTuple):
    """One workload on one offering: what every part of a forecast asks for."""

    expectation: Expectation
    workload: Workload
    offering: str
    selection: Selection

    def cost(self, workload: Workload, month: Month, ahead: int) -> MonthCost:
        """Return the expected cost of a month, of this workload or of one like it."""
        return month_cost(self.expectation, workload, self.offering, month, months_ahead=ahead, selection=self.selection)

    def selection_of(self, cost: MonthCost) -> Selection:
        """Return the selection with the currency that a month was priced in."""
        found = list(cost.by_currency)
        return self.selection._replace(currency=found[0]) if found else self.selection

    def selections(self, costs: Sequence[MonthCost]) -> list[Selection]:
        """Return every selection that the requests are made with."""
        choices = {(choice.service_tier, choice.mode): None for segment in self.workload.segments for choice in segment.choices}
        bases = dict.fromkeys(self.selection_of(cost) for cost in costs)
        return [base._replace(service_tier=tier, mode=mode) for base in bases for tier, mode in choices]

    def exact(self, cost: MonthCost, wanted: str, fx: ExchangeTable | None, beyond: Beyond) -> ExactMonth:
        """Return the expected cost of a month in one currency, or why there is none."""
        known = word_of_month(self.expectation, self.workload, self.offering, cost.month, self.selection_of(cost))
        if beyond == "stop" and known == "carried":
            seen = self.known_until([cost])
            reason = f"the list was not seen from {iso(seen)} on; beyond='carry' assumes that it goes on" if seen else "it was never seen"
            return ExactMonth(None, None, {}, "unknown", (reason,))
        reasons = [f"{round(count):,} of {round(cost.requests):,} requests: {reason}" for reason, count in cost.unpriced.items()]
        priced, factors, notes = None, {}, ()
        try:
            priced, factors, notes = _converted(cost, wanted, fx)
        except CurrencyError as error:
            reasons.append(str(error))
        return ExactMonth(None if reasons else priced, priced, factors, "unknown" if reasons else known, tuple(reasons), notes)

    def events(self, span: Sequence[Month], costs: Sequence[MonthCost]) -> list[PriceEvent]:
        """Return everything that happens to the prices within some months."""
        meters = {meter: None for segment in self.workload.segments for meter in segment.means}
        return price_events(
            self.expectation.book, self.offering, self.selections(costs), meters=meters, start=span[0].start, until=span[-1].until
        )

    def known_until(self, costs: Sequence[MonthCost]) -> datetime | None:
        """Return the instant up to which the prices were seen on a list."""
        book = self.expectation.book
        return known_until(book.shelf, [book.timeline(self.offering, **selection._asdict()) for selection in self.selections(costs)])


def by_segment(cost: MonthCost, factors: Mapping[str, Fraction]) -> dict[str, float]:
    """Return the cost of each segment in one currency."""
    found: dict[str, Fraction] = {}
    for row in cost.rows:
        found[row.where.segment] = found.get(row.where.segment, Fraction(0)) + row.cost * factors[row.currency]
    return {name: float(amount) for name, amount in found.items()}


def _converted(cost: MonthCost, wanted: str, fx: ExchangeTable | None) -> tuple[Money | None, dict[str, Fraction], tuple[str, ...]]:
    """Return the cost of a month in one currency, converted at the rate of its first day; nothing where nothing is priced."""
    sums = cost.by_currency
    parts: list[Money] = []
    factors: dict[str, Fraction] = {}
    notes: list[str] = []
    for currency, amount in sums.items():
        money = Money(from_fraction(amount), currency)
        if currency == wanted:
            parts.append(money)
            factors[currency] = Fraction(1)
            continue
        if fx is None:
            raise CurrencyError(
                f"its list is in {currency}, not {wanted}; pass fx= with a dated exchange table",
                offering=cost.offering,
                asked=wanted,
                available=(currency,),
            )
        done = fx.convert(money, wanted, at=cost.month.start)
        parts.append(done.money)
        factors[currency] = 1 / Fraction(done.rate.rate) if done.inverse else Fraction(done.rate.rate)
        notes.append(f"converted at {done.rate.rate} {done.rate.target} per {done.rate.base} of {done.rate.on} ({done.rate.source})")
    if not parts and cost.unpriced:
        return None, factors, ()
    return Money.sum(parts, currency=wanted), factors, tuple(notes)

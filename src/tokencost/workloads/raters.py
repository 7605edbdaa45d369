"""Raters: how each kind of demand is rated on one offering: request by request, or by its expectation."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import UsageError
from tokencost.rating.quote import ticks_of, total_of
from tokencost.workloads.comparison import Compared
from tokencost.workloads.prices import NO_PRICE, Prices
from tokencost.workloads.tally import Block, Tally, reckoned
from tokencost.workloads.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from tokencost.rating.book import Book
    from tokencost.rating.timeline import Segment, Selection
    from tokencost.rating.usage import Usage
    from tokencost.workloads.demand import Demand
    from tokencost.workloads.described import Reckoner
    from tokencost.workloads.profile import Month
    from tokencost.workloads.tally import Exchange, Reckoned
    from tokencost.workloads.trace import Trace

__all__ = ["ExpectedRater", "RequestRater"]


class RequestRater(NamedTuple):
    """Requests as they are: a trace, usages, or a workload of equal requests."""

    demand: Demand
    book: Book
    choice: Selection

    @property
    def title(self) -> str:
        """What is rated."""
        return self.demand.title

    @property
    def at(self) -> datetime | None:
        """The one instant of all requests, None where there are several."""
        return self.demand.at

    @property
    def month(self) -> str | None:
        """The month that is rated, None for instants."""
        return None

    @property
    def requests(self) -> int:
        """The number of requests."""
        return self.demand.requests

    @property
    def tokens(self) -> int | Fraction:
        """All tokens, cached ones included; the expected number where sizes are drawn."""
        return self.demand.tokens

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the parts, none where they have no names."""
        return self.demand.segments

    @property
    def parts(self) -> list[int]:
        """The requests of each part."""
        return [times for _, times in self.demand.items]

    def row(self, name: str, exchange: Exchange) -> Reckoned:
        """Rate all demand on one offering: in the currency asked for, or in its own where there is no such list."""
        prices, demand, tally = Prices(self.book, name, self.choice), self.demand, Tally()
        for begin, end in demand.days():
            low = begin
            while low < end:
                stretch = prices.stretch(demand.instant(low))
                high = min(demand.until(low, stretch.until), end)
                if stretch.segment is None:
                    assert stretch.reason is not None
                    tally.fail(stretch.reason, demand.batch(low, high).requests)
                elif not _rate_together(tally, stretch.segment, demand, low, high):
                    _rate_each(tally, stretch.segment, demand, low, high)
                low = high
        return tally.result(name, prices.line(self.choice.currency).resolution.offering, exchange)


def _rate_together(tally: Tally, segment: Segment, demand: Demand, low: int, high: int) -> bool:
    """Rate the sum of many requests where cost is linear in it: under one row whose prices are all whole ticks."""
    cell = segment.flat
    if cell is None:
        return False
    requests, counts = demand.batch(low, high)
    if not cell.rates.keys() >= counts.keys():  # a meter priced by the hour, one with a minimum, or one without a rate
        return False
    number = sum(count * cell.rates[name] for name, count in counts.items())
    at = demand.instant(low)
    tally.add(segment, at, number, cell.scale, requests)
    numbers = demand.products(low, high, cell.rates) if high - low > 1 else [number]
    tally.blocks.append(Block(low, segment.choice.currency, at.date(), cell.scale, numbers))
    return True


def _rate_each(tally: Tally, segment: Segment, demand: Demand, low: int, high: int) -> None:
    made: dict[int, Block] = {}
    for index in range(low, high):
        usage, times = demand.items[index]
        at = demand.instant(index)
        try:
            number, scale = ticks_of(segment, usage, at) or (Fraction(total_of(segment, usage, at)), 0)
        except NO_PRICE as error:
            tally.fail(error, times)
        else:
            tally.add(segment, at, number * times, scale, times)
            if scale not in made:
                made[scale] = Block(low, segment.choice.currency, at.date(), scale, [None] * (high - low))
            numbers = made[scale].numbers
            assert isinstance(numbers, list)
            numbers[index - low] = number * times
    tally.blocks.extend(made.values())


class ExpectedRater(NamedTuple):
    """Demand that is described: rated by its expectation, at one instant or over a month."""

    workload: Workload
    reckoner: Reckoner

    @classmethod
    def of(
        cls,
        workload: Trace | Workload | Usage | Iterable[Usage],
        book: Book,
        choice: Selection,
        *,
        at: datetime | str | None,
        month: Month | str | None,
    ) -> ExpectedRater:
        """Prepare a workload.

        Raises:
            UsageError: a month is asked for, and the demand is no workload.
        """
        from tokencost.workloads.described import Reckoner

        if not isinstance(workload, Workload):
            raise UsageError(
                f"month={month!s} needs a workload, which says when requests are made; describe one, or take Workload.from_trace(trace)",
                meter="month",
                value=month,
            )
        return cls(workload, Reckoner(book, choice, at=at, month=month))

    @property
    def title(self) -> str:
        """What is rated."""
        return self.workload.title

    @property
    def at(self) -> datetime | None:
        """The one instant of all requests, None where there are several."""
        return self.reckoner.at

    @property
    def month(self) -> str | None:
        """The month that is rated, None for instants."""
        return None if self.reckoner.month is None else self.reckoner.month.text

    @property
    def requests(self) -> int:
        """The number of requests."""
        return self.workload.requests

    @property
    def tokens(self) -> int | Fraction:
        """All tokens, cached ones included; the expected number where sizes are drawn."""
        return self.workload.tokens

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the parts, none where they have no names."""
        return tuple(segment.name for segment in self.workload.segments)

    @property
    def parts(self) -> list[int]:
        """The requests of each part."""
        return [segment.requests for segment in self.workload.segments]

    def row(self, name: str, exchange: Exchange) -> Reckoned:
        """Return the expected cost on one offering; the requests without a price are expected ones, rounded, and at least one."""
        day = self.reckoner.exchanged_at.date()
        sums: dict[tuple[str, date], Fraction] = {}
        unpriced: dict[str, Fraction] = {}
        offerings: dict[str, None] = {}
        blocks: list[Block] = []
        for place, found in enumerate(self.reckoner.segments(self.workload, name)):
            offerings |= dict.fromkeys(found.offerings)
            for reason, requests in found.unpriced.items():
                unpriced[reason] = unpriced.get(reason, Fraction(0)) + requests
            for currency, cost in found.by_currency.items():
                sums[currency, day] = sums.get((currency, day), Fraction(0)) + cost
                if not found.unpriced:
                    blocks.append(Block(place, currency, day, 0, [cost]))
        missing = sum(unpriced.values(), Fraction(0))
        lost = max(round(missing), 1) if missing else 0
        order = sorted(unpriced, key=lambda reason: -unpriced[reason])
        reasons = [f"{reason} ({float(unpriced[reason] / self.requests):.2%})" if len(order) > 1 else reason for reason in order]
        offering = " + ".join(offerings) or self.reckoner.book.resolve(name).offering
        row = Compared(name, offering, None, None, self.requests - lost, lost, tuple(reasons), ())
        return reckoned(row, sums, tuple(blocks), exchange)

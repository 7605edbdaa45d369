"""Tallies: what one offering asks for all demand, exactly: by currency and day, and part by part."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import CurrencyError
from tokencost.exact import from_fraction
from tokencost.tariffs.clock import UTC
from tokencost.tariffs.money import Money
from tokencost.workloads.comparison import Compared, requests_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from tokencost.rating.timeline import Segment
    from tokencost.tariffs.fx import ExchangeTable

__all__ = ["Block", "Exchange", "Reckoned", "Tally", "reckoned"]


class Block(NamedTuple):
    """Costs of the parts from `low` on: integers at a scale, or fractions; None where a part has no price."""

    low: int
    currency: str
    day: date
    scale: int
    numbers: Sequence[int | Fraction | None] | NDArray[Any]


class Reckoned(NamedTuple):
    """A row of a comparison, and the costs behind it, by currency and day and part by part, with the factor that converts each day."""

    row: Compared
    blocks: tuple[Block, ...]
    factors: Mapping[tuple[str, date], Fraction]
    sums: Mapping[tuple[str, date], Fraction]


class Exchange(NamedTuple):
    """The currency that is wanted, and the exchange table to reach it with."""

    wanted: str
    fx: ExchangeTable | None


class Tally:
    """Running totals of one offering, exact, by currency and day."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, date, int], int | Fraction] = {}
        self.offerings: dict[str, None] = {}
        self.priced = 0
        self.failed: Counter[type[Exception]] = Counter()
        self.first: dict[type[Exception], str] = {}
        self.blocks: list[Block] = []

    def add(self, segment: Segment, at: datetime, number: int | Fraction, scale: int, requests: int) -> None:
        """Add the cost of some requests."""
        key = (segment.choice.currency, at.date(), scale)
        self.numbers[key] = self.numbers.get(key, 0) + number
        self.offerings[segment.span.tariff.id] = None
        self.priced += requests

    def fail(self, error: Exception, requests: int) -> None:
        """Count requests that have no price."""
        self.failed[type(error)] += requests
        self.first.setdefault(type(error), str(error))

    @property
    def sums(self) -> dict[tuple[str, date], Fraction]:
        """The totals by currency and day."""
        found: dict[tuple[str, date], Fraction] = {}
        for (currency, day, scale), number in self.numbers.items():
            found[currency, day] = found.get((currency, day), Fraction(0)) + Fraction(number) / 10**scale
        return found

    def result(self, name: str, fallback: str, exchange: Exchange) -> Reckoned:
        """Return the row of the offering, and its costs part by part."""
        several = len(self.failed) > 1
        reasons = [f"{self.first[kind]} ({requests_text(n)})" if several else self.first[kind] for kind, n in self.failed.most_common()]
        offering = " + ".join(self.offerings) or fallback
        empty = Compared(name, offering, None, None, self.priced, sum(self.failed.values()), tuple(reasons), ())
        return reckoned(empty, self.sums, tuple(self.blocks), exchange)


def reckoned(row: Compared, sums: Mapping[tuple[str, date], Fraction], blocks: tuple[Block, ...], exchange: Exchange) -> Reckoned:
    """Fill a row with its total, in the currency that is wanted, and with what it costs in its own."""
    currencies = {currency for currency, _ in sums}
    if len(currencies) == 1:
        row = row._replace(native=Money(from_fraction(sum(sums.values(), Fraction(0))), next(iter(currencies))))
    factors: dict[tuple[str, date], Fraction] = {}
    try:
        parts, notes = _converted(sums, exchange, factors)
    except CurrencyError as error:
        return Reckoned(row if row.unpriced else row._replace(reasons=(*row.reasons, str(error))), blocks, factors, sums)
    if not row.unpriced:
        row = row._replace(total=Money.sum(parts, currency=exchange.wanted), notes=notes)
    return Reckoned(row, blocks, factors, sums)


def _converted(
    sums: Mapping[tuple[str, date], Fraction], exchange: Exchange, factors: dict[tuple[str, date], Fraction]
) -> tuple[list[Money], tuple[str, ...]]:
    """Return the totals of all days in one currency, each converted at the rate of its day; note the rates and their factors."""
    parts: list[Money] = []
    notes: dict[str, None] = {}
    for (currency, day), cost in sums.items():
        money = Money(from_fraction(cost), currency)
        if currency == exchange.wanted:
            factors[currency, day] = Fraction(1)
            parts.append(money)
            continue
        if exchange.fx is None:
            raise CurrencyError(
                f"its list is in {currency}, not {exchange.wanted}; pass fx= with a dated exchange table",
                offering=None,
                asked=exchange.wanted,
                available=(currency,),
            )
        done = exchange.fx.convert(money, exchange.wanted, at=datetime.combine(day, datetime.min.time(), tzinfo=UTC))
        factors[currency, day] = 1 / Fraction(done.rate.rate) if done.inverse else Fraction(done.rate.rate)
        notes[f"converted at {done.rate.rate} {done.rate.target} per {done.rate.base} of {done.rate.on} ({done.rate.source})"] = None
        parts.append(done.money)
    return parts, tuple(notes)

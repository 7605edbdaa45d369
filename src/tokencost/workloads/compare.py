"""Comparisons: one workload on many offerings, exact and sorted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import (
    AboveListError,
    CalendarError,
    CurrencyError,
    NoRateError,
    OutsideHistoryError,
    UnpricedMeterError,
    UsageError,
    UsageTypeError,
)
from tokencost.exact import from_fraction
from tokencost.rating.book import load_book
from tokencost.rating.quote import ticks_of, total_of
from tokencost.rating.timeline import Selection
from tokencost.tariffs.clock import LATEST, UTC
from tokencost.tariffs.money import Money, currency_code
from tokencost.workloads.comparison import Compared, Comparison, requests_text
from tokencost.workloads.demand import Demand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from tokencost.rating.book import Book
    from tokencost.rating.timeline import Segment, Timeline
    from tokencost.rating.usage import Usage
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.tariffs.names import Piece
    from tokencost.workloads.trace import Trace
    from tokencost.workloads.workload import Workload

__all__ = ["Compared", "Comparison", "compare"]

_PRICE_PLACES: Final = 6
_NO_PRICE: Final = (AboveListError, CalendarError, CurrencyError, NoRateError, OutsideHistoryError, UnpricedMeterError)
"""Why a request may have no price; any other error is a mistake of the caller or of a table, and is raised."""


def compare(
    workload: Trace | Workload | Usage | Iterable[Usage],
    offerings: Sequence[str],
    *,
    at: datetime | str,
    book: Book | None = None,
    baseline: str | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    service_tier: str = "standard",
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
    zone: str | None = None,
    start: datetime | str | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Comparison:
    """Rate one workload on many offerings and sort them by cost.

    `at` is the instant to rate at, or `"each"` to rate every row of a trace at its own (`zone` and `start` say how its times are meant). An
    offering without a list in `currency` is converted with `fx`, and stays unranked without it. A request without a price is
    counted with its reason, never taken as zero. An offering that is named twice is rated once. `progress` is told the offering and the
    number of requests rated.

    Raises:
        UnknownNameError, AmbiguousNameError: an offering's name is not clear.
        UsageError: there is nothing to rate, or no offering.
        TraceError: `at="each"` on a trace whose times have no zone.
        LayerError: two layers of the book claim one rate.
    """
    book = book or load_book()
    if isinstance(offerings, str):
        raise UsageTypeError(f"offerings={offerings!r} is text; pass a list of names", meter="offerings", value=offerings)
    demand = Demand.of(workload, at=at, zone=zone, start=start)
    wanted = book.currency if currency is None else currency_code(currency)
    named: dict[tuple[Piece, ...], str] = {}
    for name in (*offerings, *(() if baseline is None else (baseline,))):
        named.setdefault(book.resolve(name).pieces, name)
    if not named:
        raise UsageError("no offering to compare; name at least one", meter="offerings", value=())
    choice = Selection(currency, service_tier, mode, residency, tenant)
    rows: list[Compared] = []
    for name in named.values():
        rows.append(_compared(_Prices(book, name, choice), demand, wanted, fx))
        if progress is not None:
            progress(name, demand.requests)
    against = None if baseline is None else named[book.resolve(baseline).pieces]
    return Comparison(demand.title, demand.at, wanted, demand.requests, demand.tokens, _ranked(rows, demand, against), baseline)


class _Stretch(NamedTuple):
    """What an offering has on a half-open span: a segment, or a reason why there is no price."""

    until: datetime
    segment: Segment | None
    reason: Exception | None


class _Prices(NamedTuple):
    """The price history of one offering under one choice, in whichever currency it has a list."""

    book: Book
    name: str
    choice: Selection

    def line(self, currency: str | None) -> Timeline:
        return self.book.timeline(self.name, **self.choice._replace(currency=currency)._asdict())

    def stretch(self, at: datetime) -> _Stretch:
        """Return the stretch of an instant in the currency asked for, or else in the book's or the first that is listed."""
        line = self.line(self.choice.currency)
        found = next((span for span in line.spans if span.start <= at < span.until), None)
        until = found.until if found is not None else min((span.start for span in line.spans if span.start > at), default=LATEST)
        try:
            try:
                return _Stretch(until, line.segment(at), None)
            except CurrencyError as error:
                listed = self.book.currency if self.book.currency in error.available else error.available[0]
                return _Stretch(until, self.line(listed).segment(at), None)
        except _NO_PRICE as error:
            return _Stretch(until, None, error)


def _compared(prices: _Prices, demand: Demand, wanted: str, fx: ExchangeTable | None) -> Compared:
    """Rate all demand on one offering: in the currency asked for, or in its own where there is no such list."""
    tally = _Tally()
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
    return tally.result(prices.name, prices.line(prices.choice.currency).resolution.offering, wanted, fx)


def _rate_together(tally: _Tally, segment: Segment, demand: Demand, low: int, high: int) -> bool:
    """Rate the sum of many requests where cost is linear in it: under one row whose prices are all whole ticks."""
    cell = segment.flat
    if cell is None:
        return False
    requests, counts = demand.batch(low, high)
    if not cell.rates.keys() >= counts.keys():  # a meter priced by the hour, one with a minimum, or one without a rate
        return False
    number = sum(count * cell.rates[name] for name, count in counts.items())
    tally.add(segment, demand.instant(low), number, cell.scale, requests)
    return True


def _rate_each(tally: _Tally, segment: Segment, demand: Demand, low: int, high: int) -> None:
    for index in range(low, high):
        usage, times = demand.items[index]
        at = demand.instant(index)
        try:
            number, scale = ticks_of(segment, usage, at) or (Fraction(total_of(segment, usage, at)), 0)
        except _NO_PRICE as error:
            tally.fail(error, times)
        else:
            tally.add(segment, at, number * times, scale, times)


class _Tally:
    """Running totals of one offering, exact, by currency and day."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, date, int], int | Fraction] = {}
        self.offerings: dict[str, None] = {}
        self.priced = 0
        self.failed: Counter[type[Exception]] = Counter()
        self.first: dict[type[Exception], str] = {}

    def add(self, segment: Segment, at: datetime, number: int | Fraction, scale: int, requests: int) -> None:
        key = (segment.choice.currency, at.date(), scale)
        self.numbers[key] = self.numbers.get(key, 0) + number
        self.offerings[segment.span.tariff.id] = None
        self.priced += requests

    def fail(self, error: Exception, requests: int) -> None:
        self.failed[type(error)] += requests
        self.first.setdefault(type(error), str(error))

    @property
    def sums(self) -> dict[tuple[str, date], Fraction]:
        """The totals by currency and day."""
        found: dict[tuple[str, date], Fraction] = {}
        for (currency, day, scale), number in self.numbers.items():
            found[currency, day] = found.get((currency, day), Fraction(0)) + Fraction(number) / 10**scale
        return found

    def result(self, name: str, fallback: str, wanted: str, fx: ExchangeTable | None) -> Compared:
        sums = self.sums
        currencies = {currency for currency, _ in sums}
        native = None
        if len(currencies) == 1:
            native = Money(from_fraction(sum(sums.values(), Fraction(0))), currencies.pop())
        several = len(self.failed) > 1
        reasons = [f"{self.first[kind]} ({requests_text(n)})" if several else self.first[kind] for kind, n in self.failed.most_common()]
        total, notes = None, ()
        if not self.failed:
            try:
                total, notes = _converted(sums, wanted, fx)
            except CurrencyError as error:
                reasons.append(str(error))
        offering = " + ".join(self.offerings) or fallback
        return Compared(name, offering, total, native, self.priced, sum(self.failed.values()), tuple(reasons), notes)


def _converted(sums: dict[tuple[str, date], Fraction], wanted: str, fx: ExchangeTable | None) -> tuple[Money, tuple[str, ...]]:
    """Add up the totals of all days in one currency, each converted at the rate of its day."""
    parts: list[Money] = []
    notes: dict[str, None] = {}
    for (currency, day), cost in sums.items():
        money = Money(from_fraction(cost), currency)
        if currency == wanted:
            parts.append(money)
            continue
        if fx is None:
            raise CurrencyError(
                f"its list is in {currency}, not {wanted}; pass fx= with a dated exchange table",
                offering=None,
                asked=wanted,
                available=(currency,),
            )
        done = fx.convert(money, wanted, at=datetime.combine(day, datetime.min.time(), tzinfo=UTC))
        notes[f"converted at {done.rate.rate} {done.rate.target} per {done.rate.base} of {done.rate.on} ({done.rate.source})"] = None
        parts.append(done.money)
    return Money.sum(parts), tuple(notes)


def _ranked(rows: list[Compared], demand: Demand, baseline: str | None) -> tuple[Compared, ...]:
    full = sorted(((row.total, row) for row in rows if row.total is not None), key=lambda pair: (pair[0].amount, pair[1].offering))
    against = next((total for total, row in full if row.name == baseline), None)
    done: list[Compared] = []
    for total, row in full:
        difference = None if against is None else total - against
        percent = None
        if against and difference is not None:
            percent = from_fraction(Fraction(difference.amount) / Fraction(against.amount) * 100, places=4)
        done.append(
            row._replace(
                per_1000_requests=_per(total, 1000, demand.requests),
                realised_price=_per(total, 10**6, demand.tokens),
                to_cheapest=total - full[0][0],
                to_baseline=difference,
                baseline_percent=percent,
            )
        )
    return (*done, *(row for row in rows if row.total is None))


def _per(total: Money, unit: int, count: int) -> Money | None:
    """Return the cost of `unit` items, rounded half-even to six decimals; None where there are none."""
    if not count:
        return None
    return Money(from_fraction(Fraction(total.amount) * unit / count, places=_PRICE_PLACES), total.currency)

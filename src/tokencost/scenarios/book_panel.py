"""Panels from a book: what a workload costs on each offering, month by month, by the dated lists that were in force."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from tokencost.errors import (
    AboveListError,
    CalendarError,
    CurrencyError,
    NoRateError,
    OutsideHistoryError,
    ScenarioError,
    TokencostError,
    UnknownNameError,
    UnpricedMeterError,
    UsageTypeError,
    WorkloadError,
)
from tokencost.rating.book import load_book
from tokencost.rating.timeline import Selection
from tokencost.scenarios.price_panel import LeftOut, PricePanel
from tokencost.scenarios.unit import Unit
from tokencost.tariffs.clock import LATEST
from tokencost.tariffs.meter import TOKEN_METERS
from tokencost.tariffs.money import Money, currency_code
from tokencost.workloads.described import Reckoner, choices_of
from tokencost.workloads.profile import Month

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.workloads.expectation import Expected
    from tokencost.workloads.workload import Workload

__all__ = ["By", "Over", "months_between", "panel_of"]

By = Literal["offering", "meter"]
"""What an item is: an offering at its price for the whole workload, or each meter of it at its own price."""

Over = Literal["month", "first_instant"]
"""When prices are taken: over the month, as the workload spreads over its hours, or at 00:00 UTC on the first of it."""

_MTOK: Final = 10**6
_WHOLE: Final = Fraction(1)
_REASONS: Final[dict[type[TokencostError], str]] = {
    AboveListError: "requests above the largest that has a price",
    CalendarError: "a calendar that ends before the month",
    NoRateError: "no list for the service tier or mode",
    WorkloadError: "context tiers that need sizes as points",
}


def months_between(first: Month | str, last: Month | str) -> tuple[Month, ...]:
    """Return the months from the first to the last, both included.

    >>> [month.text for month in months_between("2024-11", "2025-01")]
    ['2024-11', '2024-12', '2025-01']

    Raises:
        WorkloadError: one is no month.
        ScenarioError: the last is before the first.
    """
    month, end = Month.of(first), Month.of(last)
    if end < month:
        raise ScenarioError(f"there is no month from {month} to {end}; name the earlier one first", value=(first, last))
    made = [month]
    while made[-1] < end:
        made.append(made[-1].next)
    return tuple(made)


def panel_of(
    workload: Workload,
    offerings: Sequence[str] | None = None,
    *,
    months: Iterable[Month | str],
    by: By = "offering",
    over: Over = "month",
    book: Book | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    tenant: str | None = None,
) -> PricePanel:
    """Build a panel of prices from dated lists: what a million tokens of a workload cost on each offering in each month.

    The price of an offering is the cost of the workload over all its tokens, with its context tiers, service tiers and cached share;
    with `by="meter"` every meter of an offering is an item of its own, at what it costs per million. Quantities are the millions of tokens
    of the workload in a month, the same for each offering: weigh offerings by what was really used with `with_quantities`. Without
    `offerings` all of the book are asked.

    An offering that has no list yet, or no more, is not on sale. One that has a list and no price for part of the workload (no price for a
    meter, prompts above its context), or a list in another currency that is not converted, is left out of the month with its reason.
    Over a month that a list covers in part, the price is that of the part. A price at the first instant is one window of the clock, and
    half the price of the day where that is a night discount.

    >>> import tokencost as tc
    >>> panel = panel_of(tc.load_workload("short-chat"), ["gpt-4o", "gpt-4o-mini"], months=["2024-06", "2024-12"])
    >>> panel.prices.round(4).tolist()
    [[6.1227, nan], [3.342, 0.2005]]

    Raises:
        UnknownNameError, AmbiguousNameError: an offering's name is not clear.
        ScenarioError: no month, no offering, or nothing that has a price.
    """
    book = book or load_book()
    if isinstance(offerings, str):
        raise UsageTypeError(f"offerings={offerings!r} is text; pass a list of names", meter="offerings", value=offerings)
    for value, known, what in ((by, ("offering", "meter"), "kind of item"), (over, ("month", "first_instant"), "time of prices")):
        if value not in known:
            raise UnknownNameError.of(str(value), known, what=what, where=", ".join(known))
    names = tuple(dict.fromkeys(book.ids if offerings is None else offerings))
    wanted = book.currency if currency is None else currency_code(currency)
    chosen = sorted({Month.of(month) for month in months})
    if not names or not chosen:
        raise ScenarioError("a panel needs an offering and a month; name at least one of each", value=(names, chosen))
    for name in names:
        book.resolve(name)
    reader = _Reader(workload, wanted, fx, by)
    found: list[dict[str, _Priced | TokencostError]] = []
    selection = Selection(wanted, tenant=tenant)
    reckoner = Reckoner(book, selection, at=chosen[0].start) if over == "first_instant" else Reckoner(book, selection, month=chosen[0])
    for month in chosen:  # one reckoner for all months: it keeps what it has worked out
        if over == "first_instant":
            reckoner.at = month.start
        else:
            reckoner.month = month
        found.append({name: reader.price(reckoner, name, month.start) for name in names})
    return _assembled(
        reader, names, chosen, found, title=f"{workload.title}, {'1st of the month' if over == 'first_instant' else 'monthly'}"
    )


class _Priced(NamedTuple):
    """What the workload costs on an offering in a month, by meter, in the currency of the panel."""

    by_meter: dict[str, float]


class _Kept(NamedTuple):
    """What was found for an offering, and until when it holds."""

    until: datetime
    costs: dict[tuple[str, str], Fraction] | TokencostError


class _Reader:
    """What is asked of every offering; a price at an instant is kept as long as its list stays in force."""

    def __init__(self, workload: Workload, currency: str, fx: ExchangeTable | None, by: By) -> None:
        self.workload = workload
        self.currency = currency
        self.fx = fx
        self.by = by
        self._kept: dict[str, _Kept] = {}

    def price(self, reckoner: Reckoner, name: str, at: datetime) -> _Priced | TokencostError:
        """Return what a month of the workload costs, or why it has no price."""
        kept = self._kept.get(name)
        if kept is None or at >= kept.until:
            kept = self._kept[name] = self._costs(reckoner, name, at)
        return kept.costs if isinstance(kept.costs, TokencostError) else self._converted(kept.costs, name, at)

    def _costs(self, reckoner: Reckoner, name: str, at: datetime) -> _Kept:
        costs: dict[tuple[str, str], Fraction] = {}
        until = LATEST
        for segment in self.workload.segments:
            for choice in choices_of(segment, reckoner.selection):
                rows = reckoner.expected(segment, choice, name)
                until = min(until, at if reckoner.at is None else _holds(rows[0], at))
                covered = _covered(rows)
                if isinstance(covered, TokencostError):
                    return _Kept(until, covered)
                for row in rows:
                    if row.currency is not None:
                        part = segment.requests * choice.share * row.share / covered
                        for meter, cost in row.cost.by_meter.items():
                            costs[row.currency, meter] = costs.get((row.currency, meter), Fraction(0)) + part * cost
        return _Kept(until, costs)

    def _converted(self, costs: dict[tuple[str, str], Fraction], name: str, at: datetime) -> _Priced | TokencostError:
        made: dict[str, float] = {}
        for (currency, meter), cost in costs.items():
            factor = 1.0
            if currency != self.currency:
                if self.fx is None:
                    why = f"listed in {currency}, not converted; pass fx= with dated exchange rates"
                    return CurrencyError(why, offering=name, asked=self.currency, available=(currency,))
                try:
                    factor = float(self.fx.convert(Money(1, currency), self.currency, at=at).money.amount)
                except CurrencyError:
                    why = f"listed in {currency}, and no exchange rate of the month was passed"
                    return CurrencyError(why, offering=name, asked=self.currency, available=(currency,))
            made[meter] = made.get(meter, 0.0) + float(cost) * factor
        return _Priced(made)

    @property
    def mtok(self) -> dict[str, float]:
        """The millions of tokens of the workload in a month, by meter."""
        return {meter: float(count / _MTOK) for meter, count in self.workload.means.items() if count and meter in TOKEN_METERS}


def _holds(row: Expected, at: datetime) -> datetime:
    """Return the instant until which a price at one instant stays: that of its list, where it has no windows."""
    reason = row.cost.reason
    if row.priced is not None:
        return row.priced.until if row.window is None else at
    if isinstance(reason, OutsideHistoryError) and reason.first is not None and at < reason.first:
        return reason.first
    return at


def _covered(rows: list[Expected]) -> Fraction | TokencostError:
    """Return the share of requests in times with a list, or why those have no price, or that there is no such time."""
    outside = Fraction(0)
    for row in rows:
        if isinstance(row.cost.reason, OutsideHistoryError):
            outside += row.share
        elif row.cost.unpriced:
            assert row.cost.reason is not None
            return row.cost.reason
    if outside < _WHOLE:
        return _WHOLE - outside
    reason = rows[0].cost.reason
    assert reason is not None
    return reason


def _words(error: TokencostError) -> str:
    """Return why an offering is left out, in words that offerings share, so that they can be counted."""
    if isinstance(error, UnpricedMeterError):
        return f"no price for {error.meter}"
    for kind, words in _REASONS.items():
        if isinstance(error, kind):
            return words
    return str(error)


def _assembled(
    reader: _Reader, names: tuple[str, ...], months: list[Month], found: list[dict[str, _Priced | TokencostError]], *, title: str
) -> PricePanel:
    mtok = reader.mtok
    total = sum(mtok.values())
    if not total:
        raise ScenarioError(
            "the workload has no tokens, so that a million of them has no price; describe some", value=reader.workload.title
        )
    meters = list(mtok) if reader.by == "meter" else [""]
    items = {(name, meter): place for place, (name, meter) in enumerate((name, meter) for name in names for meter in meters)}
    prices = np.full((len(months), len(items)), np.nan)
    reasons: dict[tuple[str, str], list[Month]] = {}
    for row, own in enumerate(found):
        for name, priced in own.items():
            if isinstance(priced, TokencostError):
                if not isinstance(priced, OutsideHistoryError):
                    reasons.setdefault((name, _words(priced)), []).append(months[row])
                continue
            for meter in meters:
                cost = sum(priced.by_meter.values()) if not meter else priced.by_meter.get(meter, 0.0)
                prices[row, items[name, meter]] = cost / (mtok[meter] if meter else total)
    kept = np.logical_not(np.isnan(prices).all(axis=0))
    if not kept.any():
        told = next(iter(reasons), None)
        why = f": {told[0]} has {told[1]}" if told else "; no list is known for these months"
        raise ScenarioError(f"no offering has a price for the workload in {months[0]} to {months[-1]}{why}", value=names)
    left_out = [LeftOut(name, why, tuple(rows)) for (name, why), rows in reasons.items()]
    named = [f"{name}/{meter}" if meter else name for (name, meter), place in items.items() if kept[place]]
    quantities = np.array([mtok[meter] if meter else total for (_, meter), place in items.items() if kept[place]])
    return PricePanel(months, named, prices[:, kept], quantities=quantities, unit=Unit(reader.currency), title=title, left_out=left_out)

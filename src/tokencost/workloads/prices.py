"""Prices of one offering over time: which list is in force at an instant, in the currency asked for or in the one that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import (
    AboveListError,
    CalendarError,
    CurrencyError,
    NoRateError,
    OutsideHistoryError,
    UnpricedMeterError,
)
from tokencost.tariffs.clock import LATEST

if TYPE_CHECKING:
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.timeline import Segment, Selection, Timeline

__all__ = ["NO_PRICE", "PriceStretch", "Prices"]

NO_PRICE: Final = (AboveListError, CalendarError, CurrencyError, NoRateError, OutsideHistoryError, UnpricedMeterError)
"""Why a request may have no price; any other error is a mistake of the caller or of a table, and is raised."""


class PriceStretch(NamedTuple):
    """What an offering has on a half-open span: a segment, or a reason why there is no price."""

    until: datetime
    segment: Segment | None
    reason: Exception | None


class Prices(NamedTuple):
    """The price history of one offering under one choice, in whichever currency it has a list."""

    book: Book
    name: str
    choice: Selection

    def line(self, currency: str | None) -> Timeline:
        """Return the history of the lists in a currency."""
        return self.book.timeline(self.name, **self.choice._replace(currency=currency)._asdict())

    def stretch(self, at: datetime) -> PriceStretch:
        """Return the stretch of an instant in the currency asked for, or else in the book's or the first that is listed."""
        line = self.line(self.choice.currency)
        found = next((span for span in line.spans if span.start <= at < span.until), None)
        until = found.until if found is not None else min((span.start for span in line.spans if span.start > at), default=LATEST)
        try:
            try:
                return PriceStretch(until, line.segment(at), None)
            except CurrencyError as error:
                listed = self.book.currency if self.book.currency in error.available else error.available[0]
                return PriceStretch(until, self.line(listed).segment(at), None)
        except NO_PRICE as error:
            return PriceStretch(until, None, error)

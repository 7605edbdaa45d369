"""One comparison that most tests of the rating room make: cost, quote, the quote's lines and the oracle say the same."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import tokencost as tc
from rating.oracle import NoPrice, oracle_total

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from rating.oracle import Wanted

__all__ = ["ROUNDING", "agree", "error_of", "sum_of_lines"]

ROUNDING = Decimal("0.5e-18")
"""How far a rounded amount may lie from the fraction behind it: half of the eighteenth decimal."""

_KINDS = {
    "outside": tc.OutsideHistoryError,
    "currency": tc.CurrencyError,
    "rate": tc.NoRateError,
    "above": tc.AboveListError,
    "unpriced": tc.UnpricedMeterError,
    "calendar": tc.CalendarError,
}


def error_of(call: Callable[[], object]) -> tc.TokencostError | None:
    """Return the error that a call raises, None where it raises none."""
    try:
        call()
    except tc.TokencostError as error:
        return error
    return None


def sum_of_lines(quote: tc.Quote) -> Decimal:
    """Add the lines of a quote up, exactly."""
    return tc.Money.sum([line.amount for line in quote.lines], currency=quote.native.currency).amount


def _priced(*question: object) -> Fraction | str:
    """Return what the oracle says: a price, or the word for why there is none."""
    *asked, layers = question
    book, *rest = asked
    try:
        return oracle_total(book.shelf, *rest, layers=layers)
    except NoPrice as reason:
        return reason.args[0]


def agree(
    book: tc.Book,
    tariff: tc.Tariff,
    counts: Mapping[str, int],
    at: datetime,
    wanted: Wanted,
    *,
    layers: Sequence[Mapping[str, object]] = (),
) -> Decimal | None:
    """Assert that cost, quote, lines and oracle agree, on a price or on why there is none; return the price.

    `layers` tell the oracle what the book's own layers are.
    """
    usage, selection = tc.Usage.of(counts), wanted._asdict()
    exact = _priced(book, tariff, counts, at, wanted, layers)
    if isinstance(exact, str):
        refused = error_of(lambda: book.cost(tariff.id, usage, at=at, **selection))
        assert type(refused) is _KINDS[exact]
        assert refused == error_of(lambda: book.quote(tariff.id, usage, at=at, **selection))
        return None
    cost = book.cost(tariff.id, usage, at=at, **selection)
    quote = book.quote(tariff.id, usage, at=at, **selection)
    assert quote.total == tc.Money(cost, wanted.currency)
    hours = sum(line.priced_per in {"hour", "1M tokens and hour"} for line in quote.lines)
    if hours == 0:
        assert Fraction(cost) == exact
        assert sum_of_lines(quote) == cost
    else:
        assert abs(Fraction(cost) - exact) <= Fraction(ROUNDING)
        assert abs(sum_of_lines(quote) - cost) <= (hours + 1) * ROUNDING
    return cost

"""Rows: one request rated the slow, obvious way, with everything that can happen to it.

This is the twin of the arrays: it rates what they cannot hold (prices by the hour, minimum billing, graduated tiers, amounts beyond
64 bits), and it says in words why a request has no price.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import (
    AboveListError,
    CalendarError,
    CurrencyError,
    NoRateError,
    OutsideHistoryError,
    UnpricedMeterError,
)
from tokencost.exact import from_fraction
from tokencost.rating.quote import parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from tokencost.errors import TokencostError
    from tokencost.rating.card import Cell
    from tokencost.rating.timeline import Segment
    from tokencost.rating.usage import Usage

__all__ = ["NO_PRICE", "OUTCOMES", "Outcome", "RatedRow", "rate_row"]

OUTCOMES: Final = ("priced", "free", "partial", "unknown")
"""What can become of a row: it has a price; its price is 0; some of its meters have none; it has none."""

NO_PRICE: Final = (AboveListError, CalendarError, CurrencyError, NoRateError, OutsideHistoryError)
"""Why a request may have no price; any other error is a mistake of the caller or of a table, and is raised."""


class Outcome:
    """The codes of the outcomes, as columns hold them."""

    PRICED: Final = 0
    FREE: Final = 1
    PARTIAL: Final = 2
    UNKNOWN: Final = 3


class RatedRow(NamedTuple):
    """One request, rated: its outcome, its exact amount, the amount of each meter, its cell, and what went wrong."""

    outcome: int
    amount: Decimal | None
    meters: Mapping[str, Decimal]
    cell: Cell | None
    problems: tuple[TokencostError, ...] = ()


def rate_row(segment: Segment, usage: Usage, at: datetime) -> RatedRow:
    """Rate one request, meter by meter.

    The amount is that of the meters that have a price. Where it is no finite decimal (prices by the hour), the sum is rounded once, at
    the eighteenth decimal, as in a quote.
    """
    try:
        parts = parts_of(segment, usage, at)
    except NO_PRICE as error:
        return RatedRow(Outcome.UNKNOWN, None, {}, None, (error,))
    meters: dict[str, Fraction] = {}
    missing: dict[str, TokencostError] = {}
    for cell, share in parts:
        for bucket, count in share.counts.items():
            try:
                meters[bucket] = meters.get(bucket, Fraction(0)) + cell.amount(bucket, count)
            except UnpricedMeterError as error:
                missing[bucket] = error
    problems, last = tuple(missing.values()), parts[-1][0]
    if problems and not meters:
        return RatedRow(Outcome.UNKNOWN, None, {}, last, problems)
    total = sum(meters.values(), Fraction(0))
    outcome = Outcome.PARTIAL if problems else Outcome.FREE if usage and not total else Outcome.PRICED
    return RatedRow(outcome, from_fraction(total), {bucket: from_fraction(part) for bucket, part in meters.items()}, last, problems)

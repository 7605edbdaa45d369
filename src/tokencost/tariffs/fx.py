"""Exchange: dated rates that the caller brings, each with its source."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import CurrencyError, MoneyError, MoneyTypeError
from tokencost.exact import EXACT, exact_decimal, from_fraction
from tokencost.tariffs.clock import to_instant
from tokencost.tariffs.money import Money, currency_code

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

__all__ = ["Conversion", "ExchangeRate", "ExchangeTable"]

_LONGEST_GAP: Final = timedelta(days=31)


class ExchangeRate(NamedTuple):
    """How many units of `target` one unit of `base` bought on a day, and who says so."""

    on: date
    base: str
    target: str
    rate: Decimal
    source: str


class Conversion(NamedTuple):
    """A converted amount, with the rate behind it; `inverse` says that the rate was divided by."""

    money: Money
    native: Money
    rate: ExchangeRate
    inverse: bool

    def __str__(self) -> str:
        rate = self.rate
        return f"{self.native} at {rate.rate} {rate.target} per {rate.base} of {rate.on} ({rate.source})"


class ExchangeTable:
    """Dated exchange rates; a conversion takes the last rate at or before the day of the instant.

    Each row is `(date, base, target, rate, source)`. Multiplying is exact; dividing by a rate is rounded half-even at 18 decimals.

    >>> import datetime as dt
    >>> table = ExchangeTable([(dt.date(2025, 2, 24), "USD", "CNY", "7.2464", "implied by 380 billion yuan = 52.44 billion dollars")])
    >>> table.convert(Money("2", "USD"), "CNY", at="2025-02-25T00:00:00Z").money
    Money('14.4928', 'CNY')

    Raises:
        MoneyError: a rate that is zero or negative, a row without a source, or two rates of one pair for one day.
        MoneyTypeError: a rate that is a float, or a day that is not a date.
        CurrencyError: no rate for the pair, or only one that is more than `max_age` old.
    """

    def __init__(self, rows: Iterable[tuple[date, str, str, Decimal | int | str, str]], *, max_age: timedelta = _LONGEST_GAP) -> None:
        made: dict[tuple[date, frozenset[str]], ExchangeRate] = {}
        for on, base, target, rate, source in rows:
            if isinstance(on, datetime) or not isinstance(on, date):  # pyright: ignore[reportUnnecessaryIsInstance]
                kind = type(on).__name__
                raise MoneyTypeError(f"the day {on!r} of an exchange rate is a {kind}; pass a date, like date(2025, 2, 24)", value=on)
            number = exact_decimal(rate, what="exchange rate")
            if number <= 0:
                raise MoneyError(f"exchange rate {number} from {base} to {target} is not above zero; check the row", value=number)
            if not source:
                raise MoneyError(f"the exchange rate from {base} to {target} of {on} has no source; say where it is from", value=source)
            row = ExchangeRate(on, currency_code(base), currency_code(target), number, source)
            pair = frozenset((base, target))
            if len(pair) == 1:
                raise MoneyError(f"an exchange rate from {base} to {target} converts nothing; check the row", value=number)
            if made.setdefault((on, pair), row) != row:
                raise MoneyError(f"two exchange rates between {base} and {target} for {on}; keep one", value=number)
        self.rates = tuple(sorted(made.values()))
        self.max_age = max_age

    def convert(self, money: Money, target: str, *, at: datetime | str) -> Conversion:
        """Convert an amount at the rate of the day, in UTC, of an instant."""
        currency_code(target)
        day = to_instant(at).date()
        pair = {money.currency, target}
        known = [rate for rate in self.rates if {rate.base, rate.target} == pair]
        past = [rate for rate in known if rate.on <= day]
        if not past or day - past[-1].on > self.max_age:
            dates = f"known for {known[0].on} to {known[-1].on}" if known else "no rate for this pair"
            raise CurrencyError(
                f"no exchange rate from {money.currency} to {target} for {day}: {dates}; add a row for that day, or allow older "
                "ones with max_age",
                offering=None,
                asked=target,
                available=tuple(sorted({rate.base for rate in self.rates} | {rate.target for rate in self.rates})),
            )
        rate = past[-1]
        if rate.base == money.currency:
            return Conversion(Money(EXACT.multiply(money.amount, rate.rate), target), money, rate, inverse=False)
        return Conversion(Money(from_fraction(Fraction(money.amount) / Fraction(rate.rate)), target), money, rate, inverse=True)

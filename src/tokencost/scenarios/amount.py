"""Amounts: the numbers of a scenario, taken exactly as they were written, and checked where they enter."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING, Final

from tokencost.errors import ScenarioError, UnitError
from tokencost.exact import from_fraction
from tokencost.tariffs.money import Money

if TYPE_CHECKING:
    from tokencost.scenarios.unit import Unit

__all__ = ["months_of", "never", "number_of", "quantity_of", "rate_of", "shown", "shown_months"]

_MOST_DIGITS: Final = 100
_PLAIN_BITS: Final = 300
_LEAST_DIGIT: Final = -400  # every float64 lies above
_MOST_MONTHS: Final = 1200
_SMALL: Final = 100


def number_of(value: object, *, what: str, unit: Unit | None = None) -> Fraction:
    """Return a number exactly as it was written: 0.1 is a tenth, also as a float. Money is taken in the currency of the unit.

    >>> number_of(0.1, what="growth"), number_of("2.5", what="price")
    (Fraction(1, 10), Fraction(5, 2))

    Raises:
        ScenarioError: it is no finite number, or one of more than a hundred digits.
        UnitError: money in another currency than the unit's, or where no money is meant.
    """
    if isinstance(value, Fraction):
        return value
    if type(value) is int and value.bit_length() < _PLAIN_BITS:
        return Fraction(value)
    if isinstance(value, Money):
        return _money(value, what, unit)
    if not isinstance(value, bool) and isinstance(value, (Real, str, Decimal)):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            pass
        else:
            if number.is_finite() and number and not _LEAST_DIGIT <= number.adjusted() <= _MOST_DIGITS:
                raise ScenarioError(f"{what}={value} is beyond every market, or as good as 0; check its unit", value=value)
            if number.is_finite():
                return Fraction(number)
    raise ScenarioError(f"{what}={value!r} is not a finite number; write it like 0.55 or '0.55'", value=value)


def _money(value: Money, what: str, unit: Unit | None) -> Fraction:
    if unit is None:
        raise UnitError(f"{what}={value} is money, not a number; pass the number alone", left=value.currency, right=None)
    if value.currency != unit.currency:
        raise UnitError(
            f"{what}={value} is in {value.currency}, not in {unit.currency}; convert it first", left=value.currency, right=unit.currency
        )
    return Fraction(value.amount)


def quantity_of(value: object, *, what: str, unit: Unit | None = None) -> Fraction:
    """Return a number of 0 or more.

    Raises:
        ScenarioError: it is no number, or negative.
        UnitError: money in another currency.
    """
    number = number_of(value, what=what, unit=unit)
    if number < 0:
        raise ScenarioError(f"{what}={value} is negative; pass 0 or more", value=value)
    return number


def rate_of(value: object, *, what: str) -> Fraction:
    """Return a rate a month, above -1: 0.05 is five per cent.

    Raises:
        ScenarioError: it is no number, or -1 or less.
    """
    rate = number_of(value, what=what)
    if rate <= -1:
        raise ScenarioError(f"{what}={value} leaves nothing after a month; pass a rate above -1, five per cent is 0.05", value=value)
    return rate


def months_of(value: object, *, what: str) -> int:
    """Return a whole number of months, at least one.

    Raises:
        ScenarioError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_MONTHS:
        raise ScenarioError(f"{what}={value!r} is not a whole number of months from 1 to {_MOST_MONTHS:,}; a year is 12", value=value)
    return value


def shown(number: Fraction | None) -> str:
    """Return a number for eyes: two decimals, or four figures where it is small; a dash where there is none.

    >>> shown(Fraction(562100)), shown(Fraction(1, 8)), shown(None)
    ('562,100.00', '0.125', '—')
    """
    if number is None:
        return "—"
    if abs(number) >= _SMALL or (number * 100).denominator == 1:
        return f"{from_fraction(Fraction(round(number * 100), 100)):,.2f}"
    return f"{float(number):,.4g}" if abs(number) < 1 else f"{float(number):,.4f}"


def shown_months(months: float | None) -> str:
    """Return a number of months for eyes."""
    return "never" if months is None else f"{months:,.1f}"


def never(why: str) -> str:
    """Return the word for what does not happen, with its reason."""
    return f"never: {why}"

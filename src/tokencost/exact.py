"""Exact arithmetic: ticks, the Decimal context, rounding rules.

A tick is 10^-12 currency unit per token, so a price per million tokens with up to six decimals is a whole number of
ticks. Factors (batch, residency, contracts) can need more digits; a rate therefore carries its own *scale*, the number of
decimals of its integer. Sums of integers are exact, and one conversion at the end gives the `Decimal`.
"""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import TYPE_CHECKING, Final, Literal

from tokencost.errors import MoneyError, MoneyTypeError

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["EXACT", "ROUNDINGS", "TICK_SCALE", "RoundingRule", "decimal_of", "exact_decimal", "from_fraction", "plain", "rounded"]

TICK_SCALE: Final = 12
"""Decimals of a tick: one tick is 10^-12 currency unit."""

EXACT: Final = Context(
    prec=400,
    Emax=MAX_EMAX,
    Emin=MIN_EMIN,
    traps=[InvalidOperation, DivisionByZero, Overflow, Inexact],
)
"""A context in which an inexact result is an error, whatever context the caller has set."""

RoundingRule = Literal["half_even", "half_up", "up", "down"]

ROUNDINGS: Final[dict[str, str]] = {
    "half_even": ROUND_HALF_EVEN,
    "half_up": ROUND_HALF_UP,
    "up": ROUND_CEILING,
    "down": ROUND_DOWN,
}
"""The named rounding rules; money is never rounded without naming one."""

DIVISION_PLACES: Final = 18
_MOST_PLACES: Final = 100
_POWERS: Final = tuple(10**n for n in range(64))
_UNITS: Final = tuple(Decimal(1).scaleb(-n) for n in range(64))
_multiply, _normalize = EXACT.multiply, EXACT.normalize


def decimal_of(number: int, scale: int) -> Decimal:
    """Return `number * 10**-scale` exactly, without trailing zeros or exponent.

    >>> decimal_of(482_000_000_000, 12)
    Decimal('0.482')
    >>> decimal_of(50 * 10**12, 12)
    Decimal('50')
    """
    try:
        power = _POWERS[scale]
    except IndexError:  # many layers of long factors
        return plain(EXACT.scaleb(Decimal(number), -scale))
    if number % power == 0:
        return Decimal(number // power)
    return _normalize(_multiply(number, _UNITS[scale]))


def exact_decimal(value: object, *, what: str = "amount") -> Decimal:
    """Return a Decimal from a Decimal, an int or text; a binary float is refused with the cure.

    >>> exact_decimal("0.55")
    Decimal('0.55')

    Raises:
        MoneyTypeError: a float, a bool, or anything else that is not a number in text.
        MoneyError: text that is not a finite decimal, or a number with more than a hundred digits before or after the point.
    """
    if isinstance(value, float):
        raise MoneyTypeError(f"{what} {value!r} is a binary float, not exact; pass Decimal({str(value)!r}) or {str(value)!r}", value=value)
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise MoneyTypeError(f"{what} {value!r} is a {type(value).__name__}; pass a Decimal, an int or text", value=value)
    try:
        number = EXACT.create_decimal(value)
    except InvalidOperation:
        raise MoneyError(f"{what} {value!r} is not a decimal number; write it like '0.55'", value=value) from None
    except Inexact:
        raise _absurd(what, value) from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise MoneyError(f"{what} {value!r} is not finite; write a number like '0.55'", value=value)
    if number and (number.adjusted() > _MOST_PLACES or exponent < -_MOST_PLACES):
        raise _absurd(what, value)
    return number


def _absurd(what: str, value: object) -> MoneyError:
    return MoneyError(
        f"{what} {str(value)[:40]!r} has more than {_MOST_PLACES} digits on one side of the point; check its unit", value=value
    )


def plain(number: Decimal) -> Decimal:
    """Return the same number without trailing zeros and without an exponent.

    >>> plain(Decimal("48.200")), plain(Decimal("5E+1"))
    (Decimal('48.2'), Decimal('50'))
    """
    if number == number.to_integral_value():
        return Decimal(int(number))
    return EXACT.normalize(number)


def rounded(number: Decimal, *, places: int, rule: RoundingRule) -> Decimal:
    """Round to a number of decimals by a named rule.

    >>> rounded(Decimal("2.345"), places=2, rule="half_even"), rounded(Decimal("2.345"), places=2, rule="half_up")
    (Decimal('2.34'), Decimal('2.35'))
    """
    if rule not in ROUNDINGS:
        raise MoneyError(f"no rounding rule {rule!r}; the rules are {', '.join(ROUNDINGS)}", value=rule)
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUNDINGS[rule], context=Context(prec=EXACT.prec))


def from_fraction(number: Fraction, *, places: int = DIVISION_PLACES) -> Decimal:
    """Return a fraction as a Decimal: exact where it ends within a hundred decimals, else half-even at `places` decimals.

    Prices per hour divided by 3,600 seconds need not end, and years of compounded growth end after hundreds of digits; this is the one
    place where such a quotient is rounded.

    >>> from fractions import Fraction
    >>> from_fraction(Fraction(1, 8)), from_fraction(Fraction(1, 3), places=4)
    (Decimal('0.125'), Decimal('0.3333'))
    """
    denominator = number.denominator
    twos = (denominator & -denominator).bit_length() - 1
    odd, fives = denominator >> twos, 0
    while odd % 5 == 0:
        odd //= 5
        fives += 1
    scale = max(twos, fives)
    if odd == 1 and scale <= _MOST_PLACES:
        return plain(EXACT.scaleb(Decimal(number.numerator * 10**scale // denominator), -scale))
    scaled = round(number * 10**places)  # Fraction rounds half to even
    return plain(EXACT.scaleb(Decimal(scaled), -places))

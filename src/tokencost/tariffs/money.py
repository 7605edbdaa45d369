"""Money: an exact amount in a currency."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import MixedCurrencyError, MoneyError, MoneyTypeError
from tokencost.exact import EXACT, exact_decimal, plain, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from tokencost.exact import RoundingRule

__all__ = ["Money", "currency_code"]

_CODE: Final = re.compile(r"[A-Z]{3}")


def currency_code(value: object) -> str:
    """Return a checked ISO 4217 code.

    >>> currency_code("USD")
    'USD'
    """
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise MoneyError(f"currency {value!r} is not an ISO 4217 code; write it like 'USD' or 'CNY'", value=value)
    return value


class Money:
    """An exact amount in one currency; two currencies never mix.

    `amount` is a `Decimal`, an `int` or text. A float is refused: it has already lost digits.

    >>> Money("0.10", "USD") + Money("0.20", "USD")
    Money('0.3', 'USD')
    >>> str(Money("48.2", "USD"))
    '48.20 USD'

    Raises:
        MoneyTypeError: the amount is a float or not a number.
        MixedCurrencyError: adding or comparing two currencies.
    """

    __slots__ = ("amount", "currency")
    amount: Decimal
    currency: str

    def __init__(self, amount: Decimal | int | str, currency: str) -> None:
        object.__setattr__(self, "amount", plain(exact_decimal(amount)))
        object.__setattr__(self, "currency", currency_code(currency))

    @classmethod
    def sum(cls, items: Iterable[Money], *, currency: str | None = None) -> Money:
        """Return the exact sum; of nothing only where the currency is given.

        >>> Money.sum([Money(1, "CNY"), Money("0.5", "CNY")])
        Money('1.5', 'CNY')
        """
        total = None if currency is None else cls(0, currency)
        for item in items:
            total = item if total is None else total + item
        if total is None:
            raise MoneyError("the sum of no money has no currency; pass currency=", value=None)
        return total

    def rounded(self, *, places: int = 2, rule: RoundingRule = "half_even") -> Money:
        """Return the amount rounded by a named rule.

        >>> Money("0.4825", "USD").rounded(places=3)
        Money('0.482', 'USD')
        """
        return Money(rounded(self.amount, places=places, rule=rule), self.currency)

    def _same(self, other: object, verb: str) -> Money:
        if not isinstance(other, Money):
            raise MoneyTypeError(
                f"cannot {verb} {self!s} and {other!r}, a {type(other).__name__}; make it Money({str(other)!r}, {self.currency!r})",
                value=other,
            )
        if other.currency != self.currency:
            raise MixedCurrencyError(
                f"cannot {verb} {self!s} and {other!s}; convert one with a dated exchange table first", left=self, right=other, value=other
            )
        return other

    def __add__(self, other: object) -> Money:
        return Money(EXACT.add(self.amount, self._same(other, "add").amount), self.currency)

    def __sub__(self, other: object) -> Money:
        return Money(EXACT.subtract(self.amount, self._same(other, "subtract").amount), self.currency)

    def __mul__(self, factor: Decimal | int | str) -> Money:
        return Money(EXACT.multiply(self.amount, exact_decimal(factor, what="factor")), self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(EXACT.minus(self.amount), self.currency)

    def __lt__(self, other: object) -> bool:
        return self.amount < self._same(other, "compare").amount

    def __le__(self, other: object) -> bool:
        return self.amount <= self._same(other, "compare").amount

    def __gt__(self, other: object) -> bool:
        return self.amount > self._same(other, "compare").amount

    def __ge__(self, other: object) -> bool:
        return self.amount >= self._same(other, "compare").amount

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.amount == other.amount and self.currency == other.currency

    def __hash__(self) -> int:
        return hash((self.amount, self.currency))

    def __bool__(self) -> bool:
        return self.amount != 0

    def __repr__(self) -> str:
        return f"Money({format(self.amount, 'f')!r}, {self.currency!r})"

    def __str__(self) -> str:
        text = format(self.amount, ",f")
        whole, _, decimals = text.partition(".")
        return f"{whole}.{decimals:0<2} {self.currency}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Money, (self.amount, self.currency)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"money does not change; make a new Money instead of setting {name!r}")

"""Units of a price: a currency, and the number of tokens that it buys."""

from __future__ import annotations

from typing import Final, NamedTuple

from tokencost.errors import ScenarioError, UnitError
from tokencost.tariffs.money import currency_code

__all__ = ["USD_PER_MTOK", "Unit"]

_NAMES: Final = {"token": 1, "ktok": 10**3, "mtok": 10**6}


class Unit(NamedTuple):
    """What a price is counted in: a currency per so many tokens.

    The price coefficient of a demand model has the inverse unit; models and prices of different units do not meet.

    >>> Unit.of("CNY/Mtok")
    Unit(currency='CNY', per=1000000)
    >>> print(Unit("USD"))
    USD/Mtok
    """

    currency: str
    per: int = 10**6

    @classmethod
    def of(cls, value: object) -> Unit:
        """Return a unit from text.

        Raises:
            ScenarioError: it is not written like USD/Mtok.
            MoneyError: there is no such currency.
        """
        if isinstance(value, Unit):
            return value
        if isinstance(value, str) and value.count("/") == 1:
            currency, per = value.split("/")
            if per.lower() in _NAMES:
                return cls(currency_code(currency), _NAMES[per.lower()])
        raise ScenarioError(f"unit {value!r} is none; write it like 'USD/Mtok' or 'CNY/token'", value=value)

    def match(self, other: Unit, *, what: str) -> None:
        """Say nothing where two units are the same.

        Raises:
            UnitError: they differ.
        """
        if self != other:
            raise UnitError(f"{what} is in {other}, not in {self}; convert it first", left=self, right=other)

    def __str__(self) -> str:
        name = next((name for name, per in _NAMES.items() if per == self.per), f"{self.per} tokens")
        return f"{self.currency}/{name.capitalize() if name != 'token' else name}"


USD_PER_MTOK: Final = Unit("USD")

"""Budgets: whether a cost stays within an amount, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from tokencost.tariffs.money import Money

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["Answer", "Fit", "Passing", "budget_of"]

Answer = Literal["certain", "likely", "unlikely", "never", "unknown"]


class Fit(NamedTuple):
    """Whether a cost stays within a budget.

    `answer` is `certain` where even the most does, and `never` where not even the least does. In between it is `likely` where the
    probability is at least the confidence asked for, `unlikely` where it is less, and `unknown` where that cannot be said: without a law of
    the output, or where it hangs on the prompt or its cached part, which are ranges. `probability` is None where it is not known, and with
    `is_bound` a lower bound, at the dearest end of these ranges. A fit is true where it is certain or likely.

    >>> bool(Fit("likely", 0.95, Money("0.01", "USD")))
    True
    """

    answer: Answer
    probability: float | None
    budget: Money
    is_bound: bool = False

    def __bool__(self) -> bool:
        return self.answer in ("certain", "likely")

    def __str__(self) -> str:
        if self.probability is None:
            return f"{self.answer} within {self.budget}"
        return f"{self.answer} within {self.budget} ({'at least ' if self.is_bound else ''}{self.probability:.1%})"


class Passing(NamedTuple):
    """The probabilities that a budget is passed: by the end of a month, in that month, and by the cost of that month alone.

    `by_end` counts all months so far, `in_month` the paths that pass the budget in this month and not before, `alone` the paths whose cost
    of this month is already more than the budget. All are None from the first month without a price on; `alone` only in such months.
    """

    month: str
    by_end: float | None
    in_month: float | None
    alone: float | None


def budget_of(budget: Money | Decimal | int | str, currency: str) -> Money:
    """Return a budget as money; a bare number is in the currency of the cost.

    >>> budget_of(500, "USD")
    Money('500', 'USD')

    Raises:
        MixedCurrencyError: the budget is in another currency.
        MoneyTypeError: a float, or no number.
    """
    made = budget if isinstance(budget, Money) else Money(budget, currency)
    return made + Money(0, currency)  # refuses another currency, in its own words

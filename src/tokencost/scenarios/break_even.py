"""Break-even: the volume that pays for an outlay, and when growing sales have added up to it."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, log, log1p, log10
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import ScenarioError
from tokencost.exact import from_fraction
from tokencost.scenarios.amount import never, quantity_of, rate_of, shown, shown_months
from tokencost.scenarios.margin import contribution_of
from tokencost.scenarios.unit import USD_PER_MTOK, Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LONGEST", "BreakEven", "break_even", "first_whole_month", "float_of", "grown", "log_one_plus", "months_to_grow"]

LONGEST: Final = 1200
"""The whole months up to which sums are worked out exactly: a hundred years."""

_TINY: Final = Fraction(1, 10**200)
_HALF: Final = Fraction(1, 2)
_WIDE: Final = 300


class BreakEven(NamedTuple):
    """When an outlay has come back.

    `volume` is exact, in the tokens of the unit. `months` is the continuous solution in float64, `whole_months` the first month at whose
    end the outlay has come back, decided exactly. Each is None where that never happens or cannot be said, and `note` says why.
    """

    outlay: Fraction
    contribution: Fraction
    volume: Fraction | None
    months: float | None
    whole_months: int | None
    unit: Unit
    note: str | None = None

    @property
    def tokens(self) -> Fraction | None:
        """The volume in tokens."""
        return None if self.volume is None else self.volume * self.unit.per

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record, ready for a data frame."""
        numbers = {name: getattr(self, name) for name in ("outlay", "contribution", "volume", "tokens")}
        made = {name: None if number is None else from_fraction(number) for name, number in numbers.items()}
        return [{**made, "months": self.months, "whole_months": self.whole_months, "unit": str(self.unit), "note": self.note}]

    def table(self) -> Table:
        """Return the break-even as a table for eyes."""
        rows = (
            ("outlay", shown(self.outlay), self.unit.currency),
            ("contribution", shown(self.contribution), str(self.unit)),
            ("volume", shown(self.volume), f"{self.unit.per:,} tokens"),
            ("months", shown_months(self.months) if self.note or self.months is not None else "—", ""),
        )
        return Table(
            "break-even", (Column("figure"), Column("value", number=True), Column("unit")), rows, (self.note,) if self.note else ()
        )

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def break_even(
    outlay: object,
    contribution: object,
    *,
    first_month: object = None,
    growth: object = 0,
    unit: Unit | str = USD_PER_MTOK,
) -> BreakEven:
    """Return the volume whose contribution pays for an outlay, and the months that sales take to reach it.

    Month k = 0, 1, ... sells first_month (1 + growth)^k, so that n months bring contribution * first_month * ((1 + growth)^n - 1) / growth.
    The contribution is a number or a [UnitMargin][]. Without `first_month` only the volume is found.

    >>> result = break_even(5_576_000, "0.6182", first_month=2_000_000, growth="0.08")
    >>> f"{float(result.volume):,.0f} Mtok, {result.months:.4f} months, {result.whole_months} whole ones"
    '9,019,735 Mtok, 4.0029 months, 5 whole ones'
    >>> break_even(5_576_000, 0, first_month=2_000_000).note
    'never: each unit sold leaves 0.00'

    Raises:
        ScenarioError: a negative outlay or volume, or a growth of -1 or less.
        UnitError: money in another currency, or a contribution in another unit.
    """
    counted = Unit.of(unit)
    amount, left = quantity_of(outlay, what="outlay", unit=counted), contribution_of(contribution, unit=counted)
    monthly = rate_of(growth, what="growth")
    first = None if first_month is None else quantity_of(first_month, what="first_month")
    if not amount:
        return BreakEven(amount, left, Fraction(0), 0.0, 0, counted)
    if left <= 0:
        return BreakEven(amount, left, None, None, None, counted, never(f"each unit sold leaves {shown(left)}"))
    volume = amount / left
    if first is None:
        return BreakEven(amount, left, volume, None, None, counted)
    months = months_to_grow(volume, first, monthly) if first else None
    if months is None:
        most = shown(-first / monthly) if first else "0"
        return BreakEven(amount, left, volume, None, None, counted, never(f"sales add up to less than {most} for all time"))
    whole = first_whole_month(lambda n: grown(first, monthly, n) >= volume, near=months)
    note = None if whole is not None else f"longer than {LONGEST:,} months; whole months are not worked out"
    return BreakEven(amount, left, volume, months, whole, counted, note)


def grown(first: Fraction, growth: Fraction, months: int) -> Fraction:
    """Return what months that grow add up to: first ((1 + g)^n - 1) / g, exact."""
    return first * ((1 + growth) ** months - 1) / growth if growth else first * months


def months_to_grow(total: Fraction, first: Fraction, growth: Fraction) -> float | None:
    """Return after how many months, not whole, growing months add up to a total: ln(1 + total g / first) / ln(1 + g); None for never."""
    ratio = total / first
    if abs(growth) < _TINY:  # the limit; below that, logarithms of 1 + g lose their figures
        return float_of(ratio)
    if 1 + ratio * growth <= 0:
        return None
    return log_one_plus(ratio * growth) / log_one_plus(growth)


def first_whole_month(reached: Callable[[int], bool], *, near: float) -> int | None:
    """Return the first whole month that satisfies a test which stays true from there on, looked for near a number; None beyond 1,200."""
    if near > LONGEST:
        return None
    month = max(ceil(near), 0)
    while not reached(month):
        month += 1
    while month > 0 and reached(month - 1):
        month -= 1
    return month


def log_one_plus(number: Fraction) -> float:
    """Return ln(1 + x) in float64, also where 1 + x is beyond it or rounds to 0."""
    if abs(number) < _HALF:
        return log1p(float(number))
    whole = 1 + number
    return log(whole.numerator) - log(whole.denominator) if abs(log10(whole.numerator) - log10(whole.denominator)) > _WIDE else log(whole)


def float_of(number: Fraction) -> float:
    """Return the nearest float64.

    Raises:
        ScenarioError: there is none, the number is too large.
    """
    try:
        return float(number)
    except OverflowError:
        raise ScenarioError(
            f"a figure of {number.numerator.bit_length()} bits is beyond every market; check its unit", value=number
        ) from None

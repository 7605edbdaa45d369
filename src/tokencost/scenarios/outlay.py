"""Outlays: what has to come in every month to pay one back with interest, and how many tokens bring that in."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.exact import from_fraction
from tokencost.scenarios.amount import months_of, number_of, quantity_of, rate_of, shown
from tokencost.scenarios.margin import contribution_of
from tokencost.scenarios.unit import USD_PER_MTOK, Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Annuity", "annuity", "present_value"]


class Annuity(NamedTuple):
    """Equal payments at the end of each month that are worth an outlay today; exact.

    `volume` a month brings the payment in, in the tokens of the unit; `volume_without_interest` is the outlay over the contribution, for
    all months together. Both are None where no contribution was passed, or where it is 0 or less: then no volume does, and `note` says so.
    """

    outlay: Fraction
    rate: Fraction
    months: int
    payment: Fraction
    contribution: Fraction | None
    unit: Unit
    note: str | None = None

    @property
    def volume(self) -> Fraction | None:
        """The volume a month whose contribution is the payment."""
        return self._over(self.payment)

    @property
    def tokens(self) -> Fraction | None:
        """The same volume in tokens."""
        return None if self.volume is None else self.volume * self.unit.per

    @property
    def volume_without_interest(self) -> Fraction | None:
        """The volume of all months together whose contribution is the outlay."""
        return self._over(self.outlay)

    @property
    def interest(self) -> Fraction:
        """What all payments come to above the outlay."""
        return self.payment * self.months - self.outlay

    def _over(self, amount: Fraction) -> Fraction | None:
        return amount / self.contribution if self.contribution is not None and self.contribution > 0 else None

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record, ready for a data frame."""
        numbers = {name: getattr(self, name) for name in ("outlay", "rate", "payment", "interest", "volume", "tokens")}
        made = {name: None if number is None else from_fraction(number) for name, number in numbers.items()}
        return [{**made, "months": self.months, "unit": str(self.unit), "note": self.note}]

    def table(self) -> Table:
        """Return the annuity as a table for eyes."""
        rows = (
            ("outlay", shown(self.outlay), self.unit.currency),
            ("payment a month", shown(self.payment), self.unit.currency),
            ("interest in all", shown(self.interest), self.unit.currency),
            ("volume a month", shown(self.volume), f"{self.unit.per:,} tokens"),
        )
        title = f"{self.months} months at {float(self.rate):.3%} a month"
        return Table(title, (Column("figure"), Column("value", number=True), Column("unit")), rows, (self.note,) if self.note else ())

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def annuity(outlay: object, *, rate: object, months: int, contribution: object = None, unit: Unit | str = USD_PER_MTOK) -> Annuity:
    """Return the payment that repays an outlay in some months: C r / (1 - (1 + r)^-n), paid at the end of each month.

    `rate` is a month's; at 0 the payment is C / n. `contribution` is what is left of the price of a unit after its marginal cost, a
    number or a [UnitMargin][]; it gives the volume that brings the payment in.

    >>> plan = annuity(53_000_000_000, rate="0.008", months=60, contribution="0.25")
    >>> f"{float(plan.payment):,.0f} USD a month, {float(plan.volume):.4g} Mtok"
    '1,115,690,490 USD a month, 4.463e+09 Mtok'

    Raises:
        ScenarioError: a negative outlay, a rate of -1 or less, or months that are no horizon.
        UnitError: money in another currency, or a contribution in another unit.
    """
    counted = Unit.of(unit)
    amount = quantity_of(outlay, what="outlay", unit=counted)
    each, count = rate_of(rate, what="rate"), months_of(months, what="months")
    payment = amount * each / (1 - (1 + each) ** -count) if each else amount / count
    left = None if contribution is None else contribution_of(contribution, unit=counted)
    note = None if left is None or left > 0 else f"never: each unit sold leaves {shown(left)}, no volume repays the outlay"
    return Annuity(amount, each, count, payment, left, counted, note)


def present_value(flows: Sequence[object], *, rate: object) -> Fraction:
    """Return what flows at the end of months 1, 2, ... are worth today, exact.

    >>> plan = annuity(1000, rate="0.01", months=12)
    >>> present_value([plan.payment] * 12, rate="0.01") == 1000
    True

    Raises:
        ScenarioError: a rate of -1 or less, or a flow that is no number.
    """
    factor = 1 / (1 + rate_of(rate, what="rate"))
    worth = Fraction(0)
    for flow in reversed(flows):  # Horner: no power is worked out twice
        worth = (worth + number_of(flow, what="flow")) * factor
    return worth

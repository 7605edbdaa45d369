"""Recoupment: whether gains that follow a war ever make up for what it cost, and after how many months."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import ScenarioError
from tokencost.exact import from_fraction
from tokencost.scenarios.amount import never, number_of, quantity_of, rate_of, shown, shown_months
from tokencost.scenarios.break_even import LONGEST, first_whole_month, grown, months_to_grow
from tokencost.scenarios.outlay import present_value
from tokencost.scenarios.unit import USD_PER_MTOK, Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Recoupment", "recoupment"]


class Recoupment(NamedTuple):
    """What a war cost, and how long it takes to earn that back; exact, but for the continuous `months`.

    `present_value` is that of the losses at the start, `owed` what they have grown to when the gains begin. `least_gain` is the gain a
    month that only pays the interest on it: at that or less, no number of months is enough, and `months` is None.
    """

    losses: tuple[Fraction, ...]
    gain: Fraction
    rate: Fraction
    present_value: Fraction
    owed: Fraction
    months: float | None
    whole_months: int | None
    unit: Unit
    note: str | None = None

    @property
    def least_gain(self) -> Fraction:
        """The gain a month above which the losses come back in the end; 0 without interest, where any gain is enough."""
        return max(self.rate * self.owed, Fraction(0))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record, ready for a data frame."""
        numbers = {name: getattr(self, name) for name in ("gain", "rate", "present_value", "owed", "least_gain")}
        made = {name: from_fraction(number) for name, number in numbers.items()}
        return [{**made, "months": self.months, "whole_months": self.whole_months, "currency": self.unit.currency, "note": self.note}]

    def table(self) -> Table:
        """Return the recoupment as a table for eyes."""
        rows = (
            (f"losses of {len(self.losses)} months, at the start", f"{shown(self.present_value)} {self.unit.currency}"),
            ("owed when the gains begin", f"{shown(self.owed)} {self.unit.currency}"),
            ("gain a month", f"{shown(self.gain)} {self.unit.currency}"),
            ("least gain that is ever enough", f"{shown(self.least_gain)} {self.unit.currency}"),
            ("months of gains", shown_months(self.months)),
        )
        return Table("recoupment", (Column("figure"), Column("value", number=True)), rows, (self.note,) if self.note else ())

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def recoupment(losses: Sequence[object], gain: object, *, rate: object = 0, unit: Unit | str = USD_PER_MTOK) -> Recoupment:
    """Return the months of gains that make up for losses, all flows at the end of their month: G (1 - (1 + r)^-m) / r = future value.

    `losses` has an amount for each month of the war, positive where money is lost; what the war gave up against a market at peace can stand
    there as well. `rate` is a month's.

    >>> war = recoupment([4_000_000] * 9, 1_500_000, rate="0.01")
    >>> f"{war.months:.4f} months, {war.whole_months} whole ones; never at {float(war.least_gain):,.0f} a month or less"
    '28.8887 months, 29 whole ones; never at 374,741 a month or less'

    Raises:
        ScenarioError: no month, a negative gain, or a rate of -1 or less.
        UnitError: money in another currency.
    """
    counted = Unit.of(unit)
    lost = tuple(number_of(loss, what=f"loss of month {month}", unit=counted) for month, loss in enumerate(losses))
    if not lost:
        raise ScenarioError("there is no month of losses; pass an amount for each", value=losses)
    each, monthly = quantity_of(gain, what="gain", unit=counted), rate_of(rate, what="rate")
    worth = present_value(lost, rate=monthly)
    owed = worth * (1 + monthly) ** len(lost)
    base = Recoupment(lost, each, monthly, worth, owed, None, None, counted)
    if owed <= 0:
        return base._replace(months=0.0, whole_months=0, note="nothing was lost")
    if not each:
        return base._replace(note=never("there is no gain"))
    first, fading = each / (1 + monthly), 1 / (1 + monthly) - 1
    months = months_to_grow(owed, first, fading)
    if months is None:
        return base._replace(note=never(f"{shown(each)} a month is not above the interest on what is owed, {shown(base.least_gain)}"))
    whole = first_whole_month(lambda n: grown(first, fading, n) >= owed, near=months)
    note = None if whole is not None else f"longer than {LONGEST:,} months; whole months are not worked out"
    return base._replace(months=months, whole_months=whole, note=note)

"""Runways: how long cash carries a seller that loses money, and which of several has to stop first."""

from __future__ import annotations

from math import expm1
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from tokencost.errors import ScenarioError
from tokencost.exact import from_fraction
from tokencost.scenarios.amount import never, quantity_of, rate_of, shown, shown_months
from tokencost.scenarios.break_even import LONGEST, float_of, grown, log_one_plus
from tokencost.scenarios.margin import contribution_of
from tokencost.scenarios.unit import USD_PER_MTOK, Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

__all__ = ["Runway", "Stop", "Stops", "first_to_stop", "runway"]

_HALVINGS: Final = 80
_TINY: Final = 1e-200


class Runway(NamedTuple):
    """How long cash lasts.

    `whole_months` are those at whose end cash is 0 or more, decided exactly; `months` is the continuous solution in float64; `cash_left` is
    what is left after the last whole month. They are None where cash lasts for ever, or longer than can be said, and `note` says which.
    `below_cost` says that each unit is sold below its marginal cost: a price that is merely low is not.
    """

    cash: Fraction
    first_month_loss: Fraction
    months: float | None
    whole_months: int | None
    cash_left: Fraction | None
    months_without_growth: float | None
    below_cost: bool
    unit: Unit
    note: str | None = None

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record, ready for a data frame."""
        numbers = {name: getattr(self, name) for name in ("cash", "first_month_loss", "cash_left")}
        made = {name: None if number is None else from_fraction(number) for name, number in numbers.items()}
        rest = {name: getattr(self, name) for name in ("months", "whole_months", "months_without_growth", "below_cost", "note")}
        return [{**made, **rest, "currency": self.unit.currency}]

    def table(self) -> Table:
        """Return the runway as a table for eyes."""
        rows = (
            ("cash", f"{shown(self.cash)} {self.unit.currency}"),
            ("loss of the first month", f"{shown(self.first_month_loss)} {self.unit.currency}"),
            ("months", shown_months(self.months) if self.months is not None else "—"),
            ("months without growth", shown_months(self.months_without_growth)),
            ("price below marginal cost", "yes" if self.below_cost else "no"),
        )
        return Table("runway", (Column("figure"), Column("value", number=True)), rows, (self.note,) if self.note else ())

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def runway(
    cash: object,
    contribution: object,
    *,
    first_month: object,
    fixed: object = 0,
    growth: object = 0,
    unit: Unit | str = USD_PER_MTOK,
) -> Runway:
    """Return how long cash carries a seller; month k = 0, 1, ... sells first_month (1 + growth)^k and pays `fixed`.

    The contribution is price less marginal cost, a number or a [UnitMargin][]; below 0, a price that draws volume draws losses.
    Cash C lasts until -contribution * first_month * ((1 + g)^n - 1) / g + fixed * n = C.

    >>> war = runway(30_000_000, "-0.21", first_month=10_000_000, fixed=500_000, growth="0.12")
    >>> f"{war.months:.4f} months, {war.whole_months} whole ones; {war.months_without_growth:.2f} without growth"
    '8.0315 months, 8 whole ones; 11.54 without growth'

    Raises:
        ScenarioError: negative cash, volume or fixed cost, or a growth of -1 or less.
        UnitError: money in another currency, or a contribution in another unit.
    """
    counted = Unit.of(unit)
    purse, left = quantity_of(cash, what="cash", unit=counted), contribution_of(contribution, unit=counted)
    standing = quantity_of(fixed, what="fixed", unit=counted)
    burn = _Burn(-left * quantity_of(first_month, what="first_month"), standing, rate_of(growth, what="growth"))
    loss = burn.sold + standing
    flat = float_of(purse / loss) if loss > 0 else None
    base = Runway(purse, loss, None, None, None, flat, left < 0, counted)
    why = burn.endless(purse)
    if why is not None:
        return base._replace(note=never(why))
    peak = burn.peak or LONGEST
    broke = _first(lambda month: burn.after(min(month, peak)) > purse)
    if broke is None:
        return base._replace(note=f"longer than {LONGEST:,} months; they are not worked out")
    whole = broke - 1
    return base._replace(months=burn.crossing(purse, whole), whole_months=whole, cash_left=purse - burn.after(whole))


class _Burn(NamedTuple):
    """Cash that flows out: `sold` of the first month (below 0 where sales earn), growing, and `fixed` every month."""

    sold: Fraction
    fixed: Fraction
    growth: Fraction

    def after(self, months: int) -> Fraction:
        """Return what has flowed out after some months."""
        return grown(self.sold, self.growth, months) + self.fixed * months

    def endless(self, cash: Fraction) -> str | None:
        """Say why cash lasts for ever, if it does. Where it does not, what has flowed out passes it once and stays above until the peak."""
        sold, fixed, growth = self
        if sold < 0:
            return self._earning(cash)
        if not sold and not fixed:
            return "nothing is lost"
        shrinking = growth < 0 and not fixed and sold / -growth <= cash
        return f"sales shrink, and all losses add up to less than {shown(sold / -growth)}" if shrinking else None

    def _earning(self, cash: Fraction) -> str | None:
        sold, fixed, growth = self
        if growth < 0:
            return "sales earn every month" if not fixed else None
        if sold + fixed <= 0:
            return "sales earn the fixed cost in every month"
        if not growth:
            return None
        peak = self.peak
        if peak is not None and self.after(peak) <= cash:
            return f"sales outgrow the fixed cost in month {peak}, after {shown(self.after(peak))} were lost"
        return None

    @property
    def peak(self) -> int | None:
        """The month from which on growing sales earn the fixed cost: until there what has flowed out grows. None where there is none."""
        sold, fixed, growth = self
        if sold >= 0 or growth <= 0:
            return None
        return _first(lambda month: -sold * (1 + growth) ** month >= fixed)

    def crossing(self, cash: Fraction, month: int) -> float:
        """Return the continuous month, within one, at which what has flowed out is all cash."""
        left = float_of(cash - self.after(month))
        sold, fixed = float_of(self.sold * (1 + self.growth) ** month), float_of(self.fixed)
        growth, step = float(self.growth), log_one_plus(self.growth)
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            part = (low + high) / 2
            out = sold * (expm1(part * step) / growth if abs(growth) > _TINY else part) + fixed * part
            low, high = (part, high) if out <= left else (low, part)
        return month + low


def _first(holds: Callable[[int], bool]) -> int | None:
    """Return the first whole month, by doubling and halving, that satisfies a test; None where none up to 1,200 does."""
    high = 1
    while not holds(high):
        if high >= LONGEST:
            return None
        high = min(2 * high, LONGEST)
    low = 0
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


class _Lasting(Protocol):
    @property
    def whole_months(self) -> int | None: ...
    @property
    def note(self) -> str | None: ...


class Stop(NamedTuple):
    """A seller, and the whole months that it lasts; None where it does not have to stop, with the reason."""

    seller: str
    whole_months: int | None
    note: str | None


class Stops(NamedTuple):
    """Sellers in the order in which cash makes them stop. Those that end in the same month are tied; those without an end come last."""

    rows: tuple[Stop, ...]

    @property
    def first(self) -> tuple[str, ...]:
        """Who has to stop first; none where nobody has to."""
        return self._with(min((row.whole_months for row in self.rows if row.whole_months is not None), default=None))

    @property
    def last(self) -> tuple[str, ...]:
        """Who is left: those that do not have to stop, or else those that last longest."""
        staying = tuple(row.seller for row in self.rows if row.whole_months is None)
        return staying or self._with(max(row.whole_months for row in self.rows if row.whole_months is not None))

    def _with(self, months: int | None) -> tuple[str, ...]:
        return tuple(row.seller for row in self.rows if months is not None and row.whole_months == months)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each seller, ready for a data frame."""
        return [row._asdict() for row in self.rows]

    def table(self) -> Table:
        """Return the sellers as a table for eyes."""
        rows = tuple((row.seller, "—" if row.whole_months is None else str(row.whole_months), row.note or "") for row in self.rows)
        first = f"first to stop: {', '.join(self.first) or 'nobody'}"
        return Table("who has to stop", (Column("seller"), Column("whole months", number=True), Column("note")), rows, (first,))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def first_to_stop(sellers: Mapping[str, _Lasting]) -> Stops:
    """Return sellers in the order in which their cash runs out, by their [Runway][] or their [Ledger][].

    >>> deep = runway(30_000_000, "-0.21", first_month=10_000_000)
    >>> shallow = runway(5_000_000, "-0.21", first_month=10_000_000)
    >>> first_to_stop({"deep": deep, "shallow": shallow}).first
    ('shallow',)

    Raises:
        ScenarioError: there is no seller.
    """
    if not sellers:
        raise ScenarioError("there is no seller; pass a runway for each name", value=sellers)
    rows = [Stop(name, found.whole_months, found.note) for name, found in sellers.items()]
    return Stops(tuple(sorted(rows, key=lambda row: (row.whole_months is None, row.whole_months or 0, row.seller))))

"""Ledgers: a seller's months one by one, volume, revenue, margins and cash, along a path of prices."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import ScenarioError
from tokencost.exact import from_fraction
from tokencost.scenarios.amount import number_of, quantity_of, rate_of, shown
from tokencost.scenarios.unit import USD_PER_MTOK, Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Ledger", "LedgerMonth", "ledger"]


class LedgerMonth(NamedTuple):
    """One month of a seller; volume in the tokens of the unit, amounts in its currency, `cash` at the end of the month."""

    month: int
    price: Fraction
    unit_cost: Fraction
    volume: Fraction
    fixed: Fraction
    cash: Fraction

    @property
    def revenue(self) -> Fraction:
        """Price times volume."""
        return self.price * self.volume

    @property
    def cost(self) -> Fraction:
        """What serving the volume costs."""
        return self.unit_cost * self.volume

    @property
    def gross_profit(self) -> Fraction:
        """Revenue less the cost of serving it, before what is fixed."""
        return self.revenue - self.cost

    @property
    def gross_margin(self) -> Fraction | None:
        """Gross profit as a share of revenue; None where the price is 0."""
        return 1 - self.unit_cost / self.price if self.price else None

    @property
    def cost_profit_margin(self) -> Fraction | None:
        """Gross profit as a share of the cost of serving; None where that is 0."""
        return self.price / self.unit_cost - 1 if self.unit_cost else None

    @property
    def below_cost(self) -> bool:
        """Whether the price is below the marginal cost."""
        return self.price < self.unit_cost


class Ledger(NamedTuple):
    """A seller's months; `first_negative` is the first month, counted from 0, at whose end cash is below 0, None where there is none."""

    rows: tuple[LedgerMonth, ...]
    unit: Unit = USD_PER_MTOK

    @property
    def first_negative(self) -> int | None:
        """The first month at whose end cash is below 0."""
        return next((row.month for row in self.rows if row.cash < 0), None)

    @property
    def whole_months(self) -> int | None:
        """The months that cash lasts; None where it lasts through all of them."""
        return self.first_negative

    @property
    def note(self) -> str | None:
        """What a ledger without an end says of it: only that its months are over."""
        return None if self.first_negative is not None else f"not within {len(self.rows)} months"

    @property
    def below_cost_months(self) -> tuple[int, ...]:
        """The months in which the price is below the marginal cost."""
        return tuple(row.month for row in self.rows if row.below_cost)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each month, ready for a data frame."""
        names = ("price", "unit_cost", "volume", "revenue", "cost", "gross_profit", "gross_margin", "cost_profit_margin", "fixed", "cash")
        made: list[dict[str, Any]] = []
        for row in self.rows:
            found: dict[str, Fraction | None] = {name: getattr(row, name) for name in names}
            shares = {name: None if number is None else from_fraction(number) for name, number in found.items()}
            made.append({"month": row.month, **shares, "below_cost": row.below_cost, "unit": str(self.unit)})
        return made

    def table(self) -> Table:
        """Return the ledger as a table for eyes."""
        headings = ("price", "volume", "revenue", "gross profit", "gross margin", "cash")
        rows = tuple(
            (
                str(row.month),
                *map(shown, (row.price, row.volume, row.revenue, row.gross_profit)),
                "—" if row.gross_margin is None else f"{float(row.gross_margin):.1%}",
                shown(row.cash),
            )
            for row in self.rows
        )
        notes = [] if self.first_negative is None else [f"cash is gone in month {self.first_negative}"]
        if self.below_cost_months:
            notes.append(f"below marginal cost in months {', '.join(map(str, self.below_cost_months))}")
        if any(row.gross_margin is None for row in self.rows):
            notes.append("a free price has no gross margin: nothing divides by a revenue of 0")
        return Table(
            f"months of a seller, in {self.unit}", (Column("month"), *(Column(h, number=True) for h in headings)), rows, tuple(notes)
        )

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def ledger(
    prices: Sequence[object],
    unit_cost: object | Sequence[object],
    *,
    first_month: object,
    growth: object = 0,
    elasticity: object = 0,
    fixed: object | Sequence[object] = 0,
    cash: object = 0,
    base_price: object = None,
    unit: Unit | str = USD_PER_MTOK,
) -> Ledger:
    """Return a seller's months along a path of prices: V_t = first_month (1 + growth)^t (p_t / p_0)^elasticity.

    `p_0` is `base_price`, or the price of month 0. `unit_cost` and `fixed` are one number, or one for each month. Everything is exact, but
    for a power that is not whole: that factor is a float64, taken as it is. Prices are of a unit of the mix that is sold.

    >>> book = ledger(["0.9", "0.9", "0.6"], "0.35", first_month=500_000, growth="0.1", elasticity="-1.11", fixed=120_000, cash=600_000)
    >>> [round(float(row.cash)) for row in book.rows]
    [755000, 937500, 1054723]

    Raises:
        ScenarioError: no month, a negative number, a growth of -1 or less, or a free price under an elasticity: the ratio divides by 0.
        UnitError: money in another currency.
    """
    counted = Unit.of(unit)
    path = [quantity_of(price, what=f"price of month {month}", unit=counted) for month, price in enumerate(prices)]
    if not path:
        raise ScenarioError("there is no month; pass a price for each", value=prices)
    costs, standing = _path(unit_cost, len(path), "unit_cost", counted), _path(fixed, len(path), "fixed", counted)
    volume, step = quantity_of(first_month, what="first_month"), rate_of(growth, what="growth")
    power = number_of(elasticity, what="elasticity")
    base = path[0] if base_price is None else quantity_of(base_price, what="base_price", unit=counted)
    purse = number_of(cash, what="cash", unit=counted)
    rows: list[LedgerMonth] = []
    for month, (price, cost, paid) in enumerate(zip(path, costs, standing, strict=True)):
        sold = volume * _response(price, base, power, month)
        purse += sold * (price - cost) - paid
        rows.append(LedgerMonth(month, price, cost, sold, paid, purse))
        volume *= 1 + step
    return Ledger(tuple(rows), counted)


def _path(value: object, months: int, what: str, unit: Unit) -> list[Fraction]:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return [quantity_of(value, what=what, unit=unit)] * months
    rows: list[Any] = list(value)  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
    if len(rows) != months:
        raise ScenarioError(f"{what} of {len(rows)} months for prices of {months}; pass one number, or one for each", value=len(rows))
    return [quantity_of(row, what=f"{what} of month {month}", unit=unit) for month, row in enumerate(rows)]


def _response(price: Fraction, base: Fraction, power: Fraction, month: int) -> Fraction:
    """Return the factor by which a price moves the volume; exact where the power is whole, or the price unmoved."""
    if not power or price == base != 0:
        return Fraction(1)
    if not base or (not price and power < 0):
        where = "the base price is 0" if not base else f"the price of month {month} is 0"
        raise ScenarioError(
            f"{where}: (p_t / p_0)^{float(power):g} divides by 0, a free price has no constant elasticity; pass elasticity=0",
            value=price,
        )
    ratio = price / base
    if power.denominator == 1:
        return ratio ** int(power)
    try:
        return Fraction(float(ratio) ** float(power))
    except OverflowError:
        raise ScenarioError(
            f"elasticity={float(power):g} takes the volume of month {month} beyond every number; check the prices", value=price
        ) from None

"""Grids: what many workloads cost on many offerings, exactly: integers over one denominator a row."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import UnknownNameError
from tokencost.exact import from_fraction
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso
from tokencost.tariffs.money import Money

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from tokencost.tariffs.fx import ExchangeTable

__all__ = ["CostGrid", "GridChoice"]

_SHOWN_ROWS = 8


class GridChoice(NamedTuple):
    """The cheapest offering for one workload, and what it costs there; None where no offering has a price for it."""

    workload: str
    offering: str | None
    cost: Money | None


@dataclass(frozen=True, slots=True, eq=False)
class CostGrid:
    """The cost of every workload on every offering at one instant, each in the currency of the offering's list.

    `numbers` has a row for each workload and a column for each offering: the cost is the number over the row's denominator. It holds
    whole numbers, and fractions where billing has a minimum. `codes` is 0 where the cost is known, else the place of the reason in
    `reasons`, counted from 1.

    >>> import tokencost as tc
    >>> chat = tc.load_workload("chat")
    >>> grid = tc.compare_many([chat], ["gpt-4o", "deepseek-reasoner"], at="2025-02-01T12:00:00Z")
    >>> grid.cost(0, 1), grid.cheapest()[0].offering
    (Money('64.92745708', 'USD'), 'deepseek/global/deepseek-reasoner')
    """

    at: datetime
    workloads: tuple[str, ...]
    offerings: tuple[str, ...]
    currencies: tuple[str | None, ...]
    numbers: NDArray[Any]
    denominators: tuple[int, ...]
    codes: NDArray[np.int32]
    reasons: tuple[str, ...]

    def fraction(self, workload: int, offering: int) -> Fraction | None:
        """Return the exact cost of a cell, None where it has no price."""
        if self.codes[workload, offering]:
            return None
        return Fraction(self.numbers[workload, offering]) / self.denominators[workload]

    def cost(self, workload: int, offering: int) -> Money | None:
        """Return the cost of a cell by its places, as `compare` would give it; None where it has no price."""
        exact, currency = self.fraction(workload, offering), self.currencies[offering]
        return None if exact is None or currency is None else Money(from_fraction(exact), currency)

    def reason(self, workload: int, offering: int) -> str | None:
        """Return why a cell has no price, None where it has one."""
        code = int(self.codes[workload, offering])
        return self.reasons[code - 1] if code else None

    def cheapest(self, currency: str = "USD", *, fx: ExchangeTable | None = None) -> list[GridChoice]:
        """Return the cheapest offering for each workload, of those with a list in a currency, or with one that `fx` converts.

        Of equal ones the first is taken. Offerings without a price for a workload stand aside.

        Raises:
            CurrencyError: the table has no rate for a currency at the instant of the grid.
            UnknownNameError: no offering has a list in the currency, and no table was passed.
        """
        factors = {own: self._factor(own, currency, fx) for own in set(self.currencies) if own == currency or (own and fx is not None)}
        columns = [place for place, own in enumerate(self.currencies) if own in factors]
        if not columns:
            raise UnknownNameError.of(currency, sorted({own for own in self.currencies if own}), what="currency of this grid")
        made: list[GridChoice] = []
        for row, name in enumerate(self.workloads):
            numbers, codes = self.numbers[row], self.codes[row]
            priced = [(numbers[place] * factors[self.currencies[place]], place) for place in columns if not codes[place]]
            if not priced:
                made.append(GridChoice(name, None, None))
                continue
            number, place = min(priced)
            made.append(GridChoice(name, self.offerings[place], Money(from_fraction(Fraction(number) / self.denominators[row]), currency)))
        return made

    def _factor(self, own: str | None, currency: str, fx: ExchangeTable | None) -> Fraction | int:
        if own == currency or own is None or fx is None:
            return 1
        done = fx.convert(Money(1, own), currency, at=self.at)
        return 1 / Fraction(done.rate.rate) if done.inverse else Fraction(done.rate.rate)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each cell, ready for a data frame."""
        made: list[dict[str, Any]] = []
        for row, workload in enumerate(self.workloads):
            for column, offering in enumerate(self.offerings):
                cost = self.cost(row, column)
                made.append(
                    {
                        "workload": workload,
                        "offering": offering,
                        "cost": None if cost is None else cost.amount,
                        "currency": self.currencies[column],
                        "reason": self.reason(row, column),
                    }
                )
        return made

    def frame(self) -> dict[str, list[Any]]:
        """Return the cells as columns, in the order of the records, for the constructor of any data frame."""
        records = self.records()
        names = ("workload", "offering", "cost", "currency", "reason")
        return {name: [record[name] for record in records] for name in names}

    def table(self) -> Table:
        """Return the corner of the grid as a table for eyes."""
        shown = range(min(len(self.offerings), _SHOWN_ROWS))
        columns = (Column("workload"), *(Column(self.offerings[place], number=True) for place in shown))
        rows = tuple(
            (name, *(str(self.cost(row, place) or "—") for place in shown)) for row, name in enumerate(self.workloads[:_SHOWN_ROWS])
        )
        title = f"cost of {len(self.workloads):,} workloads on {len(self.offerings):,} offerings at {iso(self.at)}"
        missing = int((self.codes != 0).sum())
        notes = (f"{missing:,} of {self.codes.size:,} cells have no price",) if missing else ()
        return Table(title, columns, rows, notes)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()

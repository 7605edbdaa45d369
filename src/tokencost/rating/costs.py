"""Costs: what every row of a usage table costs, exact."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from tokencost.errors import RangeError, UnknownNameError
from tokencost.exact import decimal_of
from tokencost.rating.row import OUTCOMES, Outcome
from tokencost.rating.totals import incomplete

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized
    from decimal import Decimal

    from numpy.typing import NDArray

    from tokencost.rating.edition import Editions
    from tokencost.rating.problem import Finding, Problem
    from tokencost.rating.totals import CostTotals
    from tokencost.rating.usage_table import UsageTable
    from tokencost.table import Table
    from tokencost.tariffs.money import Money

__all__ = ["Amount", "Costs"]

Amount = Literal["decimal", "ticks", "float"]
_AMOUNTS: Final = ("decimal", "ticks", "float")
_SHOWN_PROBLEMS: Final = 10


class Costs:
    """The exact cost of each row of a table: `ticks` / 10**`scale` of its currency, with an outcome for every row.

    `outcome` holds codes into `OUTCOMES` (0 priced, 1 free, 2 partial, 3 unknown), `currency` and `version` codes into `currencies` and
    `versions`, -1 where there is none. `meters` has the ticks of each meter, with `detail="meters"`. `exact` has the amounts of rows that
    whole ticks of 64 bits cannot hold; it is nearly always empty. `problems` say why rows have no whole price.

    >>> import tokencost as tc
    >>> table = {"model": ["gpt-4o", "gpt-9o"], "at": ["2025-06-01T12:00:00Z"] * 2, "input": [1000, 5], "output": [200, 5]}
    >>> costs = tc.load_book().rate_table(table)
    >>> costs.amounts(), costs.outcomes
    ([Decimal('0.0045'), None], {'priced': 1, 'free': 0, 'partial': 0, 'unknown': 1})
    >>> costs.problems[0].message
    "no model 'gpt-9o' in this book; did you mean 'gpt-4o' or 'gpt-5' or 'gpt-4'?"
    """

    def __init__(
        self,
        table: UsageTable,
        *,
        scale: int,
        ticks: NDArray[np.int64],
        outcome: NDArray[np.uint8],
        cell: NDArray[np.int32] | None,
        lines: NDArray[Any] | int,
        editions: Editions,
        meters: Mapping[str, NDArray[np.int64]],
        exact: Mapping[int, Decimal],
        exact_meters: Mapping[int, Mapping[str, Decimal]],
        findings: tuple[Finding, ...],
    ) -> None:
        self.table = table
        self.scale = scale
        self.raw_ticks = ticks
        self.outcome = outcome
        self.exact = exact
        self.findings = findings
        self.exact_meters = exact_meters
        self._meters = meters
        self._cell, self._lines = cell, lines
        self.versions, self.currencies, self._version_of, self._currency_of = editions

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Why rows have no whole price: one problem for each cause, the most frequent first."""
        return tuple(finding.told() for finding in self.findings)

    def __getstate__(self) -> dict[str, Any]:
        from tokencost.rating.problem import Finding

        told = tuple(Finding(*problem) for problem in self.problems)
        return {**self.__dict__, "findings": told}

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.table.rows

    @property
    def ticks(self) -> NDArray[np.int64]:
        """The cost of each row in ticks, 10**-`scale` of its currency each; 0 where the outcome is unknown.

        Raises:
            RangeError: some rows are in `exact`.
        """
        if self.exact:
            row, amount = next(iter(self.exact.items()))
            raise RangeError(
                f"{_rows(self.exact)} cannot be held in whole 64-bit numbers of 10^-{self.scale}, "
                f"the first is row {row}, which costs {amount}; "
                "read .amounts(), .frame() or .floats(), or take .raw_ticks and .exact together",
                rows=tuple(self.exact),
                scale=self.scale,
            )
        return self.raw_ticks

    @property
    def meters(self) -> Mapping[str, NDArray[np.int64]]:
        """The cost of each meter in each row, in ticks; empty unless `detail="meters"` was asked for.

        Raises:
            RangeError: some rows are in `exact`.
        """
        if self._meters and self.exact_meters:
            row = next(iter(self.exact_meters))
            raise RangeError(
                f"meters of {_rows(self.exact_meters)} cannot be held in whole 64-bit numbers of 10^-{self.scale}, the first is row {row}; "
                "read .frame(), or take .exact_meters too",
                rows=tuple(self.exact_meters),
                scale=self.scale,
            )
        return self._meters

    @cached_property
    def _edition(self) -> NDArray[Any] | int:
        return self._lines if self._cell is None else self._cell

    @cached_property
    def version(self) -> NDArray[np.int32]:
        """The edition that priced each row, as a code into `versions`."""
        return self._of(self._version_of)

    @cached_property
    def currency(self) -> NDArray[np.int32]:
        """The currency of each row, as a code into `currencies`."""
        return self._of(self._currency_of)

    def _of(self, values: NDArray[np.int32]) -> NDArray[np.int32]:
        one = isinstance(self._edition, int)
        found = np.full(self.rows, values[self._edition], np.int32) if one else values[self._edition]
        found[self.outcome == Outcome.UNKNOWN] = -1  # counts that cannot be, or only meters without a rate: the list priced nothing
        return found

    def currency_codes(self, rows: slice) -> NDArray[np.int64] | int:
        """Return the currency of a stretch of rows as codes into `currencies`, one above the last of them where there is no price.

        Rows that are all of one currency have one code.
        """
        none = len(self.currencies)
        unknown = self.outcome[rows] == Outcome.UNKNOWN
        if none <= 1:
            return np.where(unknown, none, 0) if unknown.any() else 0
        if isinstance(self._edition, int):
            return np.where(unknown, none, self._currency_or_none[self._edition])
        codes = self._currency_or_none[self._edition[rows]]
        codes[unknown] = none
        return codes

    @cached_property
    def _currency_or_none(self) -> NDArray[np.int64]:
        return np.where(self._currency_of < 0, len(self.currencies), self._currency_of)

    @property
    def outcomes(self) -> dict[str, int]:
        """The number of rows of each outcome."""
        counted = np.bincount(self.outcome, minlength=len(OUTCOMES))
        return {name: int(counted[code]) for code, name in enumerate(OUTCOMES)}

    @property
    def total(self) -> Money:
        """What all rows cost.

        Raises:
            IncompleteError: some rows have no whole price.
            MixedCurrencyError: there are several currencies; `totals()` has them apart.
        """
        return self.complete().totals().total

    def complete(self) -> Costs:
        """Return these costs if every row has a whole price.

        Raises:
            IncompleteError: some have none; the message has the most frequent causes.
        """
        outcomes = self.outcomes
        if outcomes["partial"] or outcomes["unknown"]:
            raise incomplete(outcomes, self.problems)
        return self

    def totals(self, by: str | Sequence[str] = ()) -> CostTotals:
        """Return exact totals by columns of the table, or by `model`, `offering`, `version`, `outcome`, `month`, `day` or `hour` (UTC).

        Currencies are always apart.

        >>> import tokencost as tc
        >>> table = {"at": ["2025-06-01T12:00:00Z", "2025-06-02T00:00:00Z"], "input": [1000, 5], "output": [9, 5]}
        >>> [(row.group, str(row.amount)) for row in tc.load_book().rate_table(table, model="gpt-4o").totals(by=["day"]).rows]
        [(('2025-06-01',), '0.00259'), (('2025-06-02',), '0.0000625')]

        Raises:
            ColumnError: there is no such column.
        """
        from tokencost.rating.grouping import group_totals

        return group_totals(self, (by,) if isinstance(by, str) else tuple(by))

    def amounts(self) -> list[Decimal | None]:
        """Return the cost of each row as a Decimal, None where it is unknown."""
        found: list[Decimal | None] = [
            None if code == Outcome.UNKNOWN else decimal_of(number, self.scale)
            for number, code in zip(self.raw_ticks.tolist(), self.outcome.tolist(), strict=True)
        ]
        for row, amount in self.exact.items():
            found[row] = amount
        return found

    def floats(self) -> NDArray[np.float64]:
        """Return the cost of each row as a binary float, not exact; NaN where it is unknown."""
        return self._as_floats(self.raw_ticks, self.exact)

    def _as_floats(self, ticks: NDArray[np.int64], exact: Mapping[int, Decimal]) -> NDArray[np.float64]:
        found = ticks / 10.0**self.scale
        found[self.outcome == Outcome.UNKNOWN] = np.nan
        for row, amount in exact.items():
            found[row] = float(amount)
        return found

    def decimals(self) -> Any:
        """Return the cost of each row as an Arrow array of decimals, null where it is unknown. Needs pyarrow."""
        from tokencost.rating.decimals import decimal_array

        return decimal_array(self.raw_ticks, scale=self.scale, unknown=self.outcome == Outcome.UNKNOWN, exact=self.exact)

    def frame(self, *, amount: Amount = "decimal", prefix: str = "") -> Any:
        """Return the table with `cost`, `currency` and `outcome` beside it, in the kind that was given.

        With `detail="meters"` there is `cost_<meter>` too. A cost that is unknown is null (0 with `amount="ticks"`). `prefix` stands before
        the new names.

        Raises:
            ColumnError: a new name is taken.
            RangeError: `amount="ticks"`, and some rows are in `exact`.
        """
        from tokencost.rating.frames import attach

        columns = self.columns(amount=amount, arrow=not isinstance(self.table.source, Mapping))
        return attach(self.table.source, {f"{prefix}{name}": column for name, column in columns.items()})

    def columns(self, *, amount: Amount = "decimal", arrow: bool = True) -> dict[str, Any]:
        """Return the new columns of `frame` alone: decimals and texts as Arrow arrays, or as arrays of objects."""
        if amount not in _AMOUNTS:
            raise UnknownNameError(
                f"amount={amount!r} is no kind of amount; pass 'decimal', 'ticks' or 'float'", name=amount, suggestions=_AMOUNTS
            )
        from tokencost.rating.decimals import text_column

        columns: dict[str, Any] = {"cost": self._column(self.raw_ticks, self.exact, amount, arrow=arrow)}
        for meter, ticks in self._meters.items():
            exact = {row: parts[meter] for row, parts in self.exact_meters.items() if meter in parts}
            columns[f"cost_{meter}"] = self._column(ticks, exact, amount, arrow=arrow)
        columns["currency"] = text_column(self.currency, self.currencies, arrow=arrow)
        columns["outcome"] = text_column(self.outcome.astype(np.int32), OUTCOMES, arrow=arrow)
        return columns

    def _column(self, ticks: NDArray[np.int64], exact: Mapping[int, Decimal], amount: Amount, *, arrow: bool) -> Any:
        if amount == "ticks":
            if exact:  # one of these refuses, and names the first row; a meter may be no whole number of ticks where the sum is one
                assert self.ticks is not None
                assert self.meters is not None
            return ticks
        if amount == "float":
            return self._as_floats(ticks, exact)
        from tokencost.rating.decimals import decimal_array, decimal_objects

        made = decimal_array if arrow else decimal_objects
        return made(ticks, scale=self.scale, unknown=self.outcome == Outcome.UNKNOWN, exact=exact)

    def table_of_totals(self) -> Table:
        """Return the totals and problems as a table for eyes."""
        table = self.totals().table()
        notes = tuple(f"{p.rows:,} row{'s' * (p.rows != 1)}, first row {p.first_row}: {p.message}" for p in self.problems[:_SHOWN_PROBLEMS])
        more = len(self.problems) - _SHOWN_PROBLEMS
        return table._replace(notes=(*table.notes, *notes, *([f"and {more:,} more problems"] if more > 0 else [])))

    def __len__(self) -> int:
        return self.rows

    def __str__(self) -> str:
        return self.table_of_totals().text()

    def _repr_html_(self) -> str:
        return self.table_of_totals().html()

    def __repr__(self) -> str:
        counted = ", ".join(f"{number:,} {name}" for name, number in self.outcomes.items() if number)
        return f"Costs({self.rows:,} rows: {counted or 'none'})"


def _rows(rows: Sized) -> str:
    return f"{len(rows):,} row{'s' * (len(rows) != 1)}"

"""Slow rows: the few that whole numbers of 64 bits cannot rate, one by one and exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tokencost.errors import TokencostError
from tokencost.exact import EXACT
from tokencost.rating.edition import edition_of
from tokencost.rating.plan import instant_of
from tokencost.rating.row import NO_PRICE, Outcome, RatedRow, rate_row
from tokencost.rating.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from numpy.typing import NDArray

    from tokencost.rating.apart import Written
    from tokencost.rating.edition import VersionRef
    from tokencost.rating.plan import Plan
    from tokencost.rating.rate_arrays import RateArrays
    from tokencost.rating.timeline import Segment
    from tokencost.rating.usage_table import UsageTable

__all__ = ["SlowRows", "usage_at"]

_LARGEST = 2**63
_REMEMBERED = 100_000


class SlowRows:
    """Rates rows by the slow path and writes them into the columns; what does not fit there is kept apart.

    `exact` has the amounts that are no whole 64-bit number of ticks, `exact_meters` those of meters, `problems` the errors by row.
    """

    def __init__(
        self,
        plan: Plan,
        arrays: RateArrays,
        table: UsageTable,
        *,
        numbers: Sequence[int],
        places: NDArray[Any] | int,
        written: Written,
    ) -> None:
        self.plan = plan
        self.arrays = arrays
        self.table = table
        self.numbers = numbers
        self.places = places
        self.written = written
        self.exact: dict[int, Decimal] = {}
        self.exact_meters: dict[int, dict[str, Decimal]] = {}
        self.problems: dict[int, tuple[TokencostError, ...]] = {}
        self.editions: list[tuple[VersionRef | None, str | None]] = []
        self._edition_numbers: dict[int, int] = {}
        self._known: dict[Any, RatedRow] = {}

    def rate(self, rows: Iterable[NDArray[np.int64]]) -> None:
        """Rate the rows, each once."""
        found = list(rows)
        if found:
            for row in np.unique(np.concatenate(found)):
                self._rate(int(row))

    def line(self, row: int) -> int:
        """Return the number of a row's line in the plan."""
        return self.numbers[self.places if isinstance(self.places, int) else int(self.places[row])]

    def at(self, row: int) -> datetime:
        """Return the instant of a row."""
        return instant_of(int(self.table.at[row])) if isinstance(self.table.at, np.ndarray) else self.table.at

    def _rate(self, row: int) -> None:
        usage = usage_at(self.table, row)
        cell = None if self.written.cell is None else int(self.written.cell[row])
        ladder = -1 if cell is None else int(self.arrays.cell_ladder[cell])
        if ladder >= 0:
            key = (ladder, usage)
            if key not in self._known:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[key] = rate_row(self.plan.segments[ladder], usage, self.at(row))
            self._write(row, self._known[key])
            return
        if cell is not None and not self.arrays.open <= cell < self.arrays.nothing:
            return  # larger than its list prices, and told already
        try:
            segment = self.plan.timeline(self.line(row)).segment(self.at(row))
            rated = rate_row(segment, usage, self.at(row))
        except (*NO_PRICE, OverflowError) as error:
            rated = RatedRow(Outcome.UNKNOWN, None, {}, None, (error,) if isinstance(error, TokencostError) else ())
        else:
            if cell is not None and self.written.cell is not None:
                self.written.cell[row] = self._edition(segment)
        if rated.problems:
            self.problems[row] = rated.problems
        self._write(row, rated)

    def _edition(self, segment: Segment) -> int:
        """Return a number, after those of the rate arrays, for the edition and currency of a segment."""
        number = self._edition_numbers.get(id(segment))
        if number is None:
            number = self._edition_numbers[id(segment)] = len(self.arrays.editions) + len(self.editions)
            self.editions.append(edition_of(segment))
        return number

    def _write(self, row: int, rated: RatedRow) -> None:
        self.written.outcome[row] = rated.outcome
        self.written.ticks[row] = self._ticks(row, rated.amount, self.exact)
        parts: dict[int, Decimal] = {}
        for meter, ticks in self.written.meters.items():
            parts.clear()
            ticks[row] = self._ticks(row, rated.meters.get(meter), parts)
            if parts:
                self.exact_meters.setdefault(row, {})[meter] = parts[row]

    def _ticks(self, row: int, amount: Decimal | None, apart: dict[int, Decimal]) -> int:
        """Return an amount in ticks, or keep it apart and return 0."""
        if amount is None:
            return 0
        ticks = EXACT.scaleb(amount, self.arrays.scale)
        if ticks == int(ticks) < _LARGEST:
            return int(ticks)
        apart[row] = amount
        return 0


def usage_at(table: UsageTable, row: int) -> Usage:
    """Return the usage of one row.

    Raises:
        UsageError: counts that cannot be.
    """
    counts: Mapping[str, Any] = {meter: int(column[row]) for meter, column in table.counts.items()}
    return Usage.from_totals(**counts) if table.totals else Usage(**counts)

"""What a pass over a table left to be told, and how to put it into words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tokencost.errors import AboveListError, LayerError, NoRateError, StreamError, TokencostError, UnknownNameError, UnpricedMeterError
from tokencost.rating.problem import Finding, merged, reason_for
from tokencost.rating.row import rate_row
from tokencost.rating.slow_rows import usage_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokencost.rating.card import Cell
    from tokencost.rating.plan import Plan
    from tokencost.rating.rate_arrays import RateArrays
    from tokencost.rating.slow_rows import SlowRows
    from tokencost.rating.tally import Tally
    from tokencost.rating.usage_table import UsageTable

__all__ = ["findings_of"]


def findings_of(plan: Plan, arrays: RateArrays, table: UsageTable, tally: Tally, slow: SlowRows) -> tuple[Finding, ...]:
    """Return one finding for each cause, the most frequent first.

    Each says what rating its first row alone would say, so a million rows of an unknown model are one message.
    """
    teller = _Teller(plan, arrays, table, tally, slow)
    return merged([*teller.unreadable(), *teller.impossible(), *teller.without_price(), *teller.unpriced(), *teller.slowly()])


class _Teller:
    def __init__(self, plan: Plan, arrays: RateArrays, table: UsageTable, tally: Tally, slow: SlowRows) -> None:
        self.plan = plan
        self.arrays = arrays
        self.table = table
        self.tally = tally
        self.slow = slow

    def unreadable(self) -> Iterator[Finding]:
        """Yield what could not be read."""
        for found in self.table.unreadable:
            if len(found.rows):
                yield Finding(f"unreadable {found.heading}", None, len(found.rows), int(found.rows[0]), found.reason)

    def impossible(self) -> Iterator[Finding]:
        """Yield counts that cannot be."""
        for kind in ("negative", "absurd", "less"):
            for place, rows, first in getattr(self.tally, kind):
                words = "parts above their total" if kind == "less" else f"{kind} count"
                yield Finding(f"{words}: {self.arrays.meters[place]}", None, rows, first, self._said)

    def without_price(self) -> Iterator[Finding]:
        """Yield reasons why whole rows have no price."""
        for number, rows, first in self.tally.reasons:
            reason = self.arrays.reason_of[number]
            if reason is None:
                continue
            line, error = self.plan.reasons[reason]
            if isinstance(error, LayerError):
                raise error
            if error is not None:
                name = self._asked(line, error)
                yield Finding(reason_for(error), name, rows, first, partial(self._said, known=error))
        for number, rows, first in self.tally.above:
            ladder = self.arrays.ladder_of[number]
            assert ladder is not None
            offering = self.plan.segments[ladder].span.tariff.id
            yield Finding("above the list", offering, rows, first, self._said)

    def unpriced(self) -> Iterator[Finding]:
        """Yield meters that have no rate."""
        for number, rows, first in self.tally.unpriced:
            cell_number, place = divmod(number, len(self.arrays.meters))
            cell = self.arrays.cells[cell_number]
            assert cell is not None
            meter = self.arrays.meters[place]
            said = partial(_unpriced, cell, meter)
            yield Finding("meter without a rate", f"{cell.scope.offering} {meter}", rows, first, said)

    def slowly(self) -> Iterator[Finding]:
        """Yield what the slow path met."""
        for row, errors in self.slow.problems.items():
            for error in errors:
                yield Finding(reason_for(error), self._name(row, error), 1, row, error.message)

    def _name(self, row: int, error: TokencostError) -> str:
        """Return what a problem is counted under: the offering where its list is at fault, else the name that was asked for."""
        if isinstance(error, AboveListError):
            return error.offering
        if isinstance(error, UnpricedMeterError):
            return f"{error.offering} {error.meter}"
        return self._asked(self.slow.line(row), error)

    def _asked(self, line: int, error: TokencostError) -> str:
        """Return what had no price: the unknown word, which may be a service tier's, the choice that the list lacks, or the model."""
        if isinstance(error, UnknownNameError):
            return error.name
        if isinstance(error, NoRateError):
            return f"{error.offering} {error.asked}"
        return self.plan.lines[line].name

    def _said(self, row: int, known: TokencostError | None = None) -> str:
        """Return what rating one row alone says."""
        try:
            usage = usage_at(self.table, row)
            at = self.slow.at(row)
            rated = rate_row(self.plan.timeline(self.slow.line(row)).segment(at), usage, at)
        except StreamError as error:  # a worker without the tables of the plan: what is known has to do
            return error.message if known is None else known.message
        except TokencostError as error:
            return error.message
        except OverflowError:
            number = int(self.table.at[row]) if isinstance(self.table.at, np.ndarray) else 0
            return f"the instant {number} (microseconds since 1970) lies outside the years 1 to 9999; check the unit of the column"
        if rated.problems:
            return rated.problems[0].message
        assert known is not None, "a row without a price alone has none in a table"
        return known.message


def _unpriced(cell: Cell, meter: str, row: int) -> str:
    del row  # the same is said of every row
    return cell.unpriced(meter).message

"""Rate arrays: the ladders of a plan as integers, in the order in which a kernel wants them.

Every stretch of a line becomes an id. Ids below `plain` have one cell and nothing else to look at; those up to `flat` have context
tiers. From `careful` on there is a meter that is free, one without a rate, or one that only fractions can bill; from `reasons` on there
is no price at all, and from `open` to `nothing` the clock has to be asked, which the slow path does. The id is also the number of the
first cell, so that most rows need one look-up and no branch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.exact import TICK_SCALE
from tokencost.rating.edition import edition_of, editions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tokencost.rating.card import Cell, Ladder
    from tokencost.rating.plan import Plan

__all__ = ["FINEST_SCALE", "NEVER", "RateArrays", "Tiers"]

FINEST_SCALE: Final = 18
"""Rates that need more decimals are left to the slow path; with eighteen, 64 bits hold nine units of a currency."""
NEVER: Final = np.int64(2**62)
_PLAIN, _TIERED, _CAREFUL_TIERED, _CAREFUL, _REASON, _OPEN = range(6)
"""The kinds of ids, in their order."""


class Tiers(NamedTuple):
    """The context tiers of the ids from `plain` to `flat`, padded to the longest ladder; arrays of steps by ids.

    A request is in the last step whose `first_input` and `first_output` it reaches, and above the list where its size passes `limit` or
    its output the `up_to_output` of the step. `on_total` ladders go by prompt and completion together.
    """

    first_input: NDArray[np.int64]
    first_output: NDArray[np.int64]
    up_to_output: NDArray[np.int64]
    cell: NDArray[np.int64]
    limit: NDArray[np.int64]
    on_total: NDArray[np.int64]


class RateArrays:
    """What one edition of a plan charges for a set of meters.

    `rates` has a row a cell and a column a meter, as integers at `scale`; `unpriced` and `fractional` have a bit for each meter that a cell
    has no rate for, or that needs the slow path. `ids` maps entries of the plan: ladders first, then reasons from the end.
    """

    def __init__(self, plan: Plan, meters: Sequence[str]) -> None:
        self.plan = plan
        self.meters = tuple(meters)
        self.edition = plan.edition
        scales = [_scale_of(cell) for ladder in plan.ladders for cell in ladder.cells]
        self.scale = max([TICK_SCALE, *(scale for scale in scales if scale <= FINEST_SCALE)])
        reasons = [_OPEN if reason.error is None else _REASON for reason in plan.reasons]
        kinds = np.array([self._kind(number) for number in range(len(plan.ladders))] + reasons, np.int64)
        order = np.argsort(kinds, kind="stable")
        edges = (int(edge) for edge in np.searchsorted(kinds[order], range(1, _OPEN + 1)))
        self.plain, self.careful, self.flat, self.reasons, self.open = edges
        self.count = len(order) + 2
        ids = np.empty(len(order), np.int64)
        ids[order] = np.arange(len(order))
        ladders = len(plan.ladders)
        self.ids = np.concatenate([ids[:ladders], ids[ladders:][::-1]])  # an entry of -1 is the first reason
        self.nothing = len(order)
        """The id of rows that were found unreadable before: no price, and the cause is told already."""
        self.above = len(order) + 1
        """The id of rows larger than their list prices, once they are counted."""
        self.ladder_of: list[int | None] = [int(n) if n < ladders else None for n in order] + [None, None]
        self.reason_of: list[int | None] = [int(n) - ladders if n >= ladders else None for n in order] + [None, None]
        self._fill_cells()
        self.special = (self.unpriced | self.fractional) != 0
        self.special |= (self.rates == 0).any(axis=1)
        self.tiers = self._tiers()
        self.all_plain = self.plain == len(order)
        self.trigger = np.full(self.count, NEVER)
        """The smallest prompt of a row of each id that is not rated by its first cell alone: any, for ids that need care."""
        self.trigger[self.plain : self.careful] = [
            _trigger(plan.ladders[number]) for number in self.ladder_of[self.plain : self.careful] if number is not None
        ]
        self.trigger[self.careful : self.nothing] = 0

    def _kind(self, ladder: int) -> int:
        found = self.plan.ladders[ladder]
        care = any(_scale_of(cell) > FINEST_SCALE or not self._ticks(cell, meter) for cell in found.cells for meter in self.meters)
        if found.flat is not None:
            return _CAREFUL if care else _PLAIN
        return _CAREFUL_TIERED if care or self.plan.segments[ladder].graduated else _TIERED

    def _fill_cells(self) -> None:
        """Number the cells: the first cell of every id by the id, the further ones after all ids."""
        ladders = self.plan.ladders
        cells: list[tuple[Cell | None, int]] = [(None, -1) if n is None else (ladders[n].cells[0], n) for n in self.ladder_of]
        self.further: dict[int, int] = {}
        for row, number in enumerate(self.ladder_of):
            if number is not None:
                self.further[row] = len(cells)
                cells.extend((cell, number) for cell in ladders[number].cells[1:])
        self.cells = [cell for cell, _ in cells]
        numbers = [number for _, number in cells]
        self.cell_ladder = np.array(numbers, np.int64)
        self.editions = [(None, None) if number < 0 else edition_of(self.plan.segments[number]) for number in numbers]
        """The edition of the list and the currency behind each cell."""
        self.index = editions_of(self.editions)
        width = len(self.meters)
        self.rates = np.zeros((len(cells), width), np.int64)
        self.unpriced = np.zeros(len(cells), np.int64)
        self.fractional = np.zeros(len(cells), np.int64)
        for row, (cell, ladder) in enumerate(cells):
            if cell is not None:
                self._fill(row, cell, fractional=_scale_of(cell) > FINEST_SCALE or self._graduated(ladder))
        self.largest = [int(column.max(initial=0)) for column in self.rates.T]

    def _graduated(self, ladder: int) -> bool:
        return self.plan.segments[ladder].graduated and self.plan.ladders[ladder].flat is None

    def _fill(self, row: int, cell: Cell, *, fractional: bool) -> None:
        for column, meter in enumerate(self.meters):
            if meter not in cell.billed_as:
                self.unpriced[row] |= 1 << column
            elif fractional or meter not in cell.rates:
                self.fractional[row] |= 1 << column
            else:
                ticks = self._ticks(cell, meter)
                if ticks is None:
                    self.fractional[row] |= 1 << column
                else:
                    self.rates[row, column] = ticks

    def _ticks(self, cell: Cell, meter: str) -> int | None:
        """Return the rate of a meter at the scale of all cells, None where it has none or 64 bits do not hold it."""
        number = cell.rates.get(meter)
        if number is None:
            return None
        shift = self.scale - cell.scale
        ticks = number * 10**shift if shift >= 0 else number // 10**-shift
        return ticks if ticks < NEVER else None

    def _tiers(self) -> Tiers:
        ladders = [self.plan.ladders[number] for number in self.ladder_of[self.plain : self.flat] if number is not None]
        shape = (max([1, *(len(ladder.cells) for ladder in ladders)]), len(ladders))
        first_input, first_output = np.full(shape, NEVER), np.zeros(shape, np.int64)
        up_to_output, cell = np.full(shape, NEVER), np.zeros(shape, np.int64)
        for column, ladder in enumerate(ladders):
            for step, (size, _, output, up_to) in enumerate(ladder.steps):
                first_input[step, column], first_output[step, column] = size, output
                up_to_output[step, column] = NEVER if up_to is None else up_to
                row = self.plain + column
                cell[step, column] = self.further[row] + step - 1 if step else row
        return Tiers(
            first_input,
            first_output,
            up_to_output,
            cell,
            limit=np.array([NEVER if ladder.limit is None else ladder.limit for ladder in ladders], np.int64),
            on_total=np.array([ladder.on_total for ladder in ladders], np.int64),
        )

    def entry_ids(self, entries: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the ids of entries of the plan."""
        return self.ids[entries]


def _trigger(ladder: Ladder) -> int:
    """Return the smallest prompt for which more than the first cell has to be looked at: any, where completions count as well."""
    if ladder.on_total or any(first_output or up_to is not None for _, _, first_output, up_to in ladder.steps):
        return 0
    edges = [size for size, *_ in ladder.steps if size] + ([] if ladder.limit is None else [ladder.limit + 1])
    return min(edges, default=int(NEVER))


def _scale_of(cell: Cell) -> int:
    """Return the decimals that the integer rates of a cell really need."""
    scale = cell.scale
    numbers = [number for number in cell.rates.values() if number]
    while scale > TICK_SCALE and all(number % 10 == 0 for number in numbers):
        numbers = [number // 10 for number in numbers]
        scale -= 1
    return scale

"""Undercutting step by step down to a floor, and back to the top: the pattern of Edgeworth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokencost.errors import ScenarioError
from tokencost.exact import EXACT, exact_decimal
from tokencost.scenarios.cycles import cycle_of
from tokencost.scenarios.unit import Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from tokencost.scenarios.cycles import Cycle

__all__ = ["UndercutPath", "undercut"]


@dataclass(frozen=True, slots=True)
class UndercutPath:
    """Exact prices after each move, the first row being the ones that it began with; `cycle` is where rows and mover come back, or None."""

    unit: Unit
    prices: tuple[tuple[Decimal, ...], ...]
    cycle: Cycle | None

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each move."""
        return [{"move": move, **{str(firm): price for firm, price in enumerate(row)}} for move, row in enumerate(self.prices)]

    def table(self) -> Table:
        """Return the path as a table for eyes."""
        columns = (Column("move", number=True), *(Column(f"firm {firm}", number=True) for firm in range(len(self.prices[0]))))
        rows = tuple((str(move), *map(str, row)) for move, row in enumerate(self.prices))
        note = "no cycle yet" if self.cycle is None else f"repeats every {self.cycle.length} moves from move {self.cycle.start}"
        return Table(f"undercutting in {self.unit}", columns, rows, (note,))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def undercut(
    initial: Sequence[Decimal | int | str],
    *,
    step: Decimal | int | str,
    floor: Decimal | int | str,
    top: Decimal | int | str,
    moves: int,
    unit: Unit | str,
) -> UndercutPath:
    """Return prices of firms that take turns: each goes `step` below its cheapest rival, or to `top` if that is below `floor`.

    The first one moves first. Nobody optimises here; Maskin and Tirole (1988) show when such cycles are an equilibrium. Prices are exact,
    so a cycle is found, not guessed.

    >>> path = undercut(["1", "1"], step="0.25", floor="0.25", top="1", moves=10, unit="USD/Mtok")
    >>> [str(price) for price in path.prices[3]], path.cycle
    (['0.25', '0.50'], Cycle(start=1, length=4))

    Raises:
        ScenarioError: fewer than two firms, a step not above 0, a floor above the top or below 0, moves below 1.
        MoneyTypeError: a price is a binary float.
    """
    start = tuple(exact_decimal(price, what="price") for price in initial)
    down, least, most = exact_decimal(step, what="step"), exact_decimal(floor, what="floor"), exact_decimal(top, what="top")
    if len(start) < 2:  # noqa: PLR2004 - a war takes two
        raise ScenarioError(f"{len(start)} firms undercut nobody; pass the prices of two or more", value=len(start))
    if down <= 0:
        raise ScenarioError(f"step {down} is not above 0; pass by how much a firm goes below its rival", value=down)
    if not 0 <= least <= most:
        raise ScenarioError(f"floor {least} and top {most} are not 0 or more and in order; lower the floor or raise the top", value=least)
    if isinstance(moves, bool) or moves < 1:
        raise ScenarioError(f"moves {moves!r} is not 1 or more; pass how many moves to play", value=moves)
    path: list[tuple[Decimal, ...]] = [start]
    for move in range(moves):
        mover, row = move % len(start), list(path[-1])
        target = EXACT.subtract(min(price for firm, price in enumerate(row) if firm != mover), down)
        row[mover] = most if target < least else target
        path.append(tuple(row))
    cycle = cycle_of([(row, move % len(start)) for move, row in enumerate(path)])
    return UndercutPath(Unit.of(unit), tuple(path), cycle)

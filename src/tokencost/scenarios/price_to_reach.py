"""The price to reach a level of quality: the cheapest item on sale that is good enough, period by period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.decline import DAYS_PER_YEAR, decline_per_year, record_lows
from tokencost.scenarios.hedonic import scores_of
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tokencost.scenarios.decline import Decline
    from tokencost.scenarios.price_panel import PricePanel
    from tokencost.scenarios.unit import Unit

__all__ = ["PriceToReach", "Reached", "price_to_reach"]


class Reached(NamedTuple):
    """The lowest price of a period at some quality, and the item that has it."""

    price: float
    item: str


class PriceToReach(NamedTuple):
    """The cheapest way to each level of quality; None where nothing on sale reaches it.

    A curve may rise: an item that is withdrawn, or made dearer, can be had no more. `unscored` are the items that have no score.
    """

    unit: Unit
    periods: tuple[Any, ...]
    curves: Mapping[float, tuple[Reached | None, ...]]
    unscored: tuple[str, ...]

    def decline(self, level: float, *, days_per_year: float = DAYS_PER_YEAR, confidence: float = 0.9) -> Decline:
        """Fit the decline of the record lows of a level: each point a new lowest price.

        Raises:
            ScenarioError: no such level, a free price, or fewer than three record lows.
        """
        if level not in self.curves:
            raise ScenarioError(f"level {level} was not asked for; there are {', '.join(f'{own:g}' for own in self.curves)}", value=level)
        found = [(period, row.price) for period, row in zip(self.periods, self.curves[level], strict=True) if row is not None]
        lows = record_lows([period for period, _ in found], [price for _, price in found])
        return decline_per_year(
            [period for period, _ in lows], [price for _, price in lows], days_per_year=days_per_year, confidence=confidence
        )

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each level and period."""
        return [
            {"level": level, "period": period, "price": None if row is None else row.price, "item": None if row is None else row.item}
            for level, curve in self.curves.items()
            for period, row in zip(self.periods, curve, strict=True)
        ]

    def table(self) -> Table:
        """Return the curves side by side as a table for eyes."""
        head: list[Column] = [Column("period")]
        for level in self.curves:
            head += [Column(f"{level:g}", number=True), Column("by")]
        rows: list[tuple[str, ...]] = []
        for place, period in enumerate(self.periods):
            cells = [str(period)]
            for curve in self.curves.values():
                row = curve[place]
                cells += ["—", ""] if row is None else [f"{row.price:.4g}", row.item]
            rows.append(tuple(cells))
        notes = (f"{len(self.unscored)} items have no score and are left out",) if self.unscored else ()
        return Table(f"price to reach a quality, {self.unit}", tuple(head), tuple(rows), notes)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def price_to_reach(panel: PricePanel, quality: Mapping[str, float], levels: Iterable[float]) -> PriceToReach:
    """Return the lowest price, period by period, among items on sale whose score is at least each level.

    Free items count: what costs nothing is the cheapest. Of equal prices the item that the panel names first is taken.

    >>> from tokencost.scenarios.price_panel import PricePanel
    >>> panel = PricePanel(("2024-05", "2024-06", "2024-07"), ("old", "new"), [[10, None], [10, 2], [10, None]])
    >>> [row.price for row in price_to_reach(panel, {"old": 60, "new": 61}, [60]).curves[60]]
    [10.0, 2.0, 10.0]

    Raises:
        UnknownNameError: a score is of no item of the panel.
        ScenarioError: no level, or a score that is no number.
    """
    wanted = tuple(dict.fromkeys(levels))
    if not wanted:
        raise ScenarioError("there is no level of quality; pass at least one", value=wanted)
    scores = scores_of(panel, quality)
    if scores.shape[1] != 1:
        raise ScenarioError("a price to reach needs one score for each item; pass one", value=scores.shape[1])
    own = scores[:, 0]
    curves: dict[float, tuple[Reached | None, ...]] = {}
    for level in wanted:
        able = np.where(panel.on_sale & (own >= level), panel.prices, np.inf)
        best = able.argmin(axis=1)
        curves[level] = tuple(
            Reached(float(able[row, column]), panel.items[column]) if np.isfinite(able[row, column]) else None
            for row, column in enumerate(best.tolist())
        )
    unscored = tuple(item for item, score in zip(panel.items, own.tolist(), strict=True) if np.isnan(score))
    return PriceToReach(panel.unit, panel.periods, curves, unscored)

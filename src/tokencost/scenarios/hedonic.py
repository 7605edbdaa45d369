"""Hedonic indexes: what prices do at equal quality, by the caller's own scores of quality."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.bilateral import refuse_free
from tokencost.scenarios.decline import DAYS_PER_YEAR, day_of
from tokencost.scenarios.least_squares import least_squares
from tokencost.scenarios.price_index import index_of, prepared
from tokencost.scenarios.price_panel import LeftOut, PricePanel
from tokencost.scenarios.student import t_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tokencost.scenarios.least_squares import Fit
    from tokencost.scenarios.price_index import Free, Index
    from tokencost.scenarios.time_product import Weights
    from tokencost.table import Table

__all__ = ["HedonicIndex", "HedonicTrend", "hedonic_index", "hedonic_trend", "scores_of"]

if TYPE_CHECKING:
    Scores = Mapping[str, float | Sequence[float]]
    """A score for each item, higher is better, or several; an item without one is left out and counted."""


@dataclass(frozen=True, slots=True)
class HedonicIndex:
    """A price index at equal quality, and the regression behind it.

    `quality` are the coefficients of the scores, `errors` their standard errors: what a point of each adds to the logarithm of a price.
    """

    index: Index
    quality: tuple[float, ...]
    errors: tuple[float, ...]
    r_squared: float
    points: int

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each period."""
        return self.index.records()

    def table(self) -> Table:
        """Return the index as a table for eyes."""
        made = self.index.table()
        told = ", ".join(f"{value:.4g} ({error:.2g})" for value, error in zip(self.quality, self.errors, strict=True))
        note = f"ln price = constant + quality + period: quality {told}, R squared {self.r_squared:.3f}, {self.points} prices"
        return made._replace(notes=(note, *made.notes[1:]))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


class HedonicTrend(NamedTuple):
    """A constant rate of change of prices at equal quality.

    `time` is the change of ln price in a year (or in a period, where periods are numbers), `factor` how many times lower a price is after
    one, from `low` to `high` at `confidence`; `quality` are the coefficients of the scores.
    """

    time: float
    error: float
    factor: float
    low: float
    high: float
    confidence: float
    quality: tuple[float, ...]
    r_squared: float
    points: int
    per: str

    def __str__(self) -> str:
        return (
            f"{self.factor:.4g}x lower a {self.per} at equal quality ({self.confidence:.0%}: {self.low:.4g} to {self.high:.4g}), "
            f"{self.points} prices, R squared {self.r_squared:.3f}"
        )


def hedonic_index(
    panel: PricePanel, quality: Scores, *, weights: Weights = "equal", base: Any = None, free: Free = "refuse"
) -> HedonicIndex:
    """Fit ln p = a + b quality + period by least squares over everything on sale; the index is exp(period) (time-dummy method).

    A new item counts from its first day, by its score: this sees what an index over matched items cannot, better ones that come at lower
    prices. It is no better than the scores (CPI Manual 2004, chapter 21).

    >>> panel = PricePanel((0, 1), ("a", "b", "c"), [[1, 4, None], [0.5, None, 8]])
    >>> made = hedonic_index(panel, {"a": 10, "b": 12, "c": 14})
    >>> made.index.values.round(6).tolist(), round(made.quality[0], 6)
    ([1.0, 0.5], 0.693147)

    Raises:
        ScenarioError: a free price, a period without a scored item, too few prices, or scores that say nothing.
    """
    panel, rows, columns, scores = _observed(panel, quality, free)
    weight = _weights(panel, weights, rows, columns)
    start = 0 if base is None else panel.place(base)
    dummies = np.zeros((len(rows), len(panel.periods)))
    dummies[np.arange(len(rows)), rows] = 1.0
    counts = dummies.sum(axis=0)
    for row in np.flatnonzero(counts == 0).tolist():
        raise ScenarioError(f"no scored item is on sale in {panel.periods[row]}; score one, or leave it out", value=panel.periods[row])
    centred = scores - scores.mean(axis=0)
    fit = least_squares(np.hstack([dummies, centred]), np.log(panel.prices[rows, columns]), what="the hedonic index", weights=weight)
    levels, slopes = np.split(fit.coefficients, [len(panel.periods)])
    values = np.exp(levels - levels[start])
    note = "regression on quality and periods over everything on sale that has a score"
    made = index_of(panel, "hedonic", values, counts, base=start, weighted=weights == "expenditure", note=note)
    return HedonicIndex(made, _floats(slopes), _floats(fit.errors[len(panel.periods) :]), fit.r_squared, fit.points)


def hedonic_trend(
    panel: PricePanel,
    quality: Scores,
    *,
    weights: Weights = "equal",
    confidence: float = 0.9,
    days_per_year: float = DAYS_PER_YEAR,
    free: Free = "refuse",
) -> HedonicTrend:
    """Fit ln p = a + b quality + c time by least squares: one rate for the whole span, and how sure it is.

    Time is in years of `days_per_year` where periods are dates or months, in the periods' own unit where they are numbers. Prices of one
    item in many periods are taken as so many observations, though they hardly are: the interval is then too narrow.

    >>> panel = PricePanel((0, 1, 2), ("a", "b"), [[1, 4.1], [0.5, 2], [0.26, 1]])
    >>> print(hedonic_trend(panel, {"a": 10, "b": 12}))
    1.993x lower a period at equal quality (90%: 1.943 to 2.044), 6 prices, R squared 1.000

    Raises:
        ScenarioError: a free price, too few prices, or scores or times that say nothing.
    """
    panel, rows, columns, scores = _observed(panel, quality, free)
    if not 0 < confidence < 1:
        raise ScenarioError(f"confidence={confidence} is no probability; pass one between 0 and 1, such as 0.9", value=confidence)
    times, per = _times(panel, days_per_year)
    observed = times[rows]
    design = np.column_stack([np.ones(len(rows)), observed - observed.mean(), scores - scores.mean(axis=0)])
    fit = least_squares(
        design, np.log(panel.prices[rows, columns]), what="the hedonic trend", weights=_weights(panel, weights, rows, columns)
    )
    return _trend(fit, confidence, per)


def _trend(fit: Fit, confidence: float, per: str) -> HedonicTrend:
    if not fit.degrees:
        raise ScenarioError(f"{fit.points} prices leave no interval; pass more", value=fit.points)
    time, error = float(fit.coefficients[1]), float(fit.errors[1])
    reach = error * t_quantile((1 + confidence) / 2, degrees=fit.degrees)
    most = log(np.finfo(np.float64).max)
    factor, low, high = (exp(min(-value, most)) for value in (time, time + reach, time - reach))
    return HedonicTrend(time, error, factor, low, high, confidence, _floats(fit.coefficients[2:]), fit.r_squared, fit.points, per)


def _floats(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(number) for number in numbers)


def _times(panel: PricePanel, days_per_year: float) -> tuple[NDArray[np.float64], str]:
    if all(isinstance(period, Real) for period in panel.periods):
        return np.array(panel.periods, dtype=np.float64), "period"
    return np.array([day_of(period) for period in panel.periods]) / days_per_year, "year"


def _weights(panel: PricePanel, weights: str, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64] | None:
    """Return the share of each price in the spending of its period, None where all weigh alike."""
    if weights == "equal":
        return None
    if weights != "expenditure":
        raise UnknownNameError.of(str(weights), ("expenditure", "equal"), what="weights", where="expenditure, equal")
    if panel.quantities is None:
        raise ScenarioError("weights='expenditure' needs quantities, and the panel has none; pass quantities=", value=weights)
    spent = np.where(panel.on_sale, panel.prices * panel.quantities, 0.0)[rows, columns]
    spent = np.nan_to_num(spent)
    totals = np.bincount(rows, weights=spent, minlength=len(panel.periods))
    return spent / totals[rows]


def _observed(panel: PricePanel, quality: Scores, free: Free) -> tuple[PricePanel, NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the panel with what is left out of it, and the row, the column and the scores of each price that is used."""
    panel = prepared(panel, free=free)
    scores = scores_of(panel, quality)
    scored = np.logical_not(np.isnan(scores).any(axis=1))
    refuse_free(panel, "a hedonic regression", panel.on_sale & scored)
    gone = [
        LeftOut(item, "no score", tuple(panel.periods[row] for row in np.flatnonzero(panel.on_sale[:, column])))
        for column, item in enumerate(panel.items)
        if not scored[column] and panel.on_sale[:, column].any()
    ]
    rows, columns = np.nonzero(panel.on_sale & scored)
    if not len(rows):
        raise ScenarioError("no item of the panel has a score; name them as the panel does", value=dict(quality))
    marked = PricePanel(
        panel.periods,
        panel.items,
        panel.prices,
        quantities=panel.quantities,
        unit=panel.unit,
        title=panel.title,
        left_out=(*panel.left_out, *gone),
    )
    return marked, rows, columns, scores[columns]


def scores_of(panel: PricePanel, quality: Scores) -> NDArray[np.float64]:
    """Return a row of scores for each item of a panel, NaN where it has none.

    Raises:
        UnknownNameError: a score is of no item of the panel.
        ScenarioError: a score is no finite number, or some items have more of them than others.
    """
    sizes = {1 if isinstance(score, Real) else len(cast("Sequence[float]", score)) for score in quality.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise ScenarioError(f"items have {sorted(sizes)} scores each; give every item as many", value=sorted(sizes))
    places = {item: column for column, item in enumerate(panel.items)}
    found = np.full((len(panel.items), sizes.pop()), np.nan)
    for item, score in quality.items():
        if item not in places:
            raise UnknownNameError.of(item, panel.items, what="scored item", where="the panel")
        numbers = np.array(score, dtype=np.float64)
        if not np.isfinite(numbers).all():
            raise ScenarioError(f"score {score} of {item!r} is no finite number; leave the item out", value=score)
        found[places[item]] = numbers
    return found

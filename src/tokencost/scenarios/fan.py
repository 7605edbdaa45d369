"""Fans: quantiles, mean and spread of something uncertain, month by month, each with its Monte Carlo standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.prices import frozen, price_number
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokencost.scenarios.prices import FloatArray

__all__ = ["QUANTILES", "Chances", "Estimate", "Fan", "FanDrawing", "chance_error", "quantile_levels"]

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


class Estimate(NamedTuple):
    """A number found by simulation, and its standard error from the number of paths alone."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.error:.1g}"


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """The spread of a price or a cost over the months. A band is not a path: no single path stays at a quantile.

    Rows are months, `quantiles` has a column for each level. `counts` are the paths on which there is a value at all: a provider that is
    not launched has no price, and quantiles and mean are those of the others, NaN where there is none. Numbers are float64.
    """

    of: str
    unit: str
    months: np.ndarray[Any, np.dtype[np.int64]]
    levels: tuple[float, ...]
    quantiles: FloatArray
    quantile_errors: FloatArray
    mean: FloatArray
    mean_error: FloatArray
    sd: FloatArray
    counts: np.ndarray[Any, np.dtype[np.int64]]
    paths: int
    seed: int
    numpy_version: str

    def quantile(self, level: float, month: int) -> Estimate:
        """Return a quantile at the end of a month.

        Raises:
            ScenarioError: the level or the month was not simulated.
        """
        if level not in self.levels:
            told = ", ".join(f"{known:g}" for known in self.levels)
            raise ScenarioError(f"quantile {level!r} was not asked for; pass quantiles= with it, there are {told}", value=level)
        place, column = self._place(month), self.levels.index(level)
        return Estimate(float(self.quantiles[place, column]), float(self.quantile_errors[place, column]))

    def mean_at(self, month: int) -> Estimate:
        """Return the mean at the end of a month.

        Raises:
            ScenarioError: the month was not simulated.
        """
        return Estimate(float(self.mean[self._place(month)]), float(self.mean_error[self._place(month)]))

    def _place(self, month: int) -> int:
        if isinstance(month, bool) or not 1 <= month <= len(self.months):
            raise ScenarioError(f"month {month!r} was not simulated; it goes from 1 to {len(self.months)}", value=month)
        return month - 1

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each month, ready for a data frame."""
        return [
            {
                "of": self.of,
                "unit": self.unit,
                "month": int(month),
                **{f"q{level:g}": float(self.quantiles[place, column]) for column, level in enumerate(self.levels)},
                **{f"q{level:g}_error": float(self.quantile_errors[place, column]) for column, level in enumerate(self.levels)},
                "mean": float(self.mean[place]),
                "mean_error": float(self.mean_error[place]),
                "sd": float(self.sd[place]),
                "count": int(self.counts[place]),
            }
            for place, month in enumerate(self.months)
        ]

    def table(self) -> Table:
        """Return the fan as a table for eyes."""
        columns = (
            Column("month", number=True),
            *(Column(f"{level:.4g}", number=True) for level in self.levels),
            Column("mean", number=True),
            Column("± s.e.", number=True),
        )
        rows = tuple(
            (str(month), *(f"{number:.4g}" for number in row), f"{mean:.4g}", f"{error:.1g}")
            for month, row, mean, error in zip(self.months.tolist(), self.quantiles, self.mean, self.mean_error, strict=True)
        )
        notes = [f"{self.paths:,} paths, seed {self.seed}, numpy {self.numpy_version}"]
        if int(self.counts.min()) < self.paths:
            notes.append("over the paths on which it is on sale")
        return Table(f"{self.of} in {self.unit}", columns, rows, tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<Fan of {self.of} in {self.unit}: {len(self.months)} months, {self.paths:,} paths>"

    def _repr_html_(self) -> str:
        return self.table().html()


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """How likely something lies above or below a level at the end of each month, with standard errors.

    A path without a value counts as neither. Where no path or every path does it, the standard error is that of a single one, 1 / paths.
    """

    of: str
    level: float
    months: np.ndarray[Any, np.dtype[np.int64]]
    above: FloatArray
    above_error: FloatArray
    below: FloatArray
    below_error: FloatArray
    paths: int

    @property
    def first_above(self) -> FloatArray:
        """How much `above` grows in each month: for a cumulative cost, how likely it passes the level in that month."""
        return np.diff(self.above, prepend=0.0)

    @property
    def first_above_error(self) -> FloatArray:
        """The standard errors of `first_above`, where it is a probability."""
        return chance_error(np.clip(self.first_above, 0, 1), self.paths)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each month, ready for a data frame."""
        columns = ("above", "above_error", "below", "below_error")
        return [
            {"of": self.of, "level": self.level, "month": int(month), **{key: float(getattr(self, key)[place]) for key in columns}}
            for place, month in enumerate(self.months)
        ]

    def table(self) -> Table:
        """Return the chances as a table for eyes."""
        columns = (Column("month", number=True), *(Column(head, number=True) for head in ("above", "± s.e.", "below", "± s.e.")))
        rows = tuple(
            (str(r["month"]), f"{r['above']:.2%}", f"{r['above_error']:.2%}", f"{r['below']:.2%}", f"{r['below_error']:.2%}")
            for r in self.records()
        )
        return Table(f"{self.of} against {self.level:g}", columns, rows)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


class FanDrawing:
    """A fan that is filled month by month, from the values of all paths, infinity where there is none."""

    def __init__(self, of: str, months: int, levels: Sequence[float], level: float | None) -> None:
        self.of, self.levels, self.level = of, tuple(levels), level
        self.quantiles = np.full((months, len(self.levels)), np.nan)
        self.errors = self.quantiles.copy()
        self.moments = np.full((months, 3), np.nan)
        self.counts = np.zeros(months, dtype=np.int64)
        self.sides = np.zeros((months, 2), dtype=np.int64)

    def add(self, month: int, values: FloatArray) -> None:
        """Take in the values of a month."""
        place = month - 1
        order = np.sort(values)
        if order[-1] == np.inf:
            order = order[: np.searchsorted(order, np.inf)]
        self.counts[place] = count = len(order)
        if not count:
            return
        if self.level is not None:
            self.sides[place] = count - np.searchsorted(order, self.level, side="right"), np.searchsorted(order, self.level, side="left")
        shares = np.array(self.levels)
        spread = np.sqrt(shares * (1 - shares) / count)
        self.quantiles[place] = _at(order, shares)
        self.errors[place] = (_at(order, np.minimum(shares + spread, 1)) - _at(order, np.maximum(shares - spread, 0))) / 2
        middle = order[count // 2]
        order -= middle  # moments about the middle: exact where all values are equal, and no digits lost to a far origin
        near = float(order.sum()) / count
        np.square(order, out=order)
        sd = max(float(order.sum()) / count - near**2, 0.0) ** 0.5
        self.moments[place] = middle + near, sd / count**0.5, sd

    def fan(self, *, unit: str, paths: int, seed: int) -> Fan:
        """Return the fan."""
        return Fan(
            of=self.of,
            unit=unit,
            months=months_array(len(self.counts)),
            levels=self.levels,
            quantiles=frozen(self.quantiles),
            quantile_errors=frozen(self.errors),
            mean=frozen(self.moments[:, 0].copy()),
            mean_error=frozen(self.moments[:, 1].copy()),
            sd=frozen(self.moments[:, 2].copy()),
            counts=_frozen(self.counts),
            paths=paths,
            seed=seed,
            numpy_version=np.__version__,
        )

    def chances(self, paths: int) -> Chances:
        """Return how often values lay above and below the level."""
        assert self.level is not None, "chances are of a level"
        above, below = (self.sides[:, side] / paths for side in (0, 1))
        errors = [frozen(chance_error(share, paths)) for share in (above, below)]
        return Chances(self.of, self.level, months_array(len(self.counts)), frozen(above), errors[0], frozen(below), errors[1], paths)


def _at(order: FloatArray, shares: FloatArray) -> FloatArray:
    """Return quantiles of sorted values, linear between neighbours."""
    places = shares * (len(order) - 1)
    low = np.floor(places).astype(np.int64)
    high = np.minimum(low + 1, len(order) - 1)
    return order[low] + (order[high] - order[low]) * (places - low)


def chance_error(shares: FloatArray, paths: int) -> FloatArray:
    """Return standard errors of shares of paths, at least that of a single path."""
    return np.maximum(np.sqrt(shares * (1 - shares) / paths), 1 / paths)


def months_array(months: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the months 1, 2, ..., read-only."""
    return _frozen(np.arange(1, months + 1, dtype=np.int64))


def _frozen(array: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    array.flags.writeable = False
    return array


def quantile_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Return levels of quantiles, in order.

    Raises:
        ScenarioError: one is not between 0 and 1, or they are not in order.
    """
    made = tuple(price_number(level, what="quantile") for level in levels)
    for level in made:
        if not 0 < level < 1:
            raise ScenarioError(f"quantile {level!r} is not between 0 and 1; pass levels like 0.05, 0.5, 0.95", value=level)
    if list(made) != sorted(set(made)):
        raise ScenarioError(f"quantiles {made} are not in order, or one is there twice; pass them from low to high", value=made)
    return made

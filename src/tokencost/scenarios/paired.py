"""Paired differences: two scenarios on the same draws, so that the luck they share cancels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.fan import Estimate, chance_error, months_array
from tokencost.scenarios.price_draws import PriceDraws
from tokencost.scenarios.prices import frozen
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from tokencost.scenarios.monte_carlo import MonteCarlo
    from tokencost.scenarios.prices import FloatArray

__all__ = ["PairedDifference", "paired_difference"]

_COSTS = ("cost", "cumulative_cost")


@dataclass(frozen=True, slots=True, eq=False)
class PairedDifference:
    """One scenario less another, month by month, over the paths on which both have a value.

    `error` is the standard error of the mean difference as it was drawn. `independent_error` is what draws of their own would have left:
    where it is the larger, common random numbers were worth their name. `lower` is the share of paths on which the first is the lower one.
    """

    of: str
    unit: str
    months: np.ndarray[Any, np.dtype[np.int64]]
    mean: FloatArray
    error: FloatArray
    independent_error: FloatArray
    lower: FloatArray
    lower_error: FloatArray
    counts: np.ndarray[Any, np.dtype[np.int64]]
    paths: int
    seeds: tuple[int, int]
    numpy_version: str

    def at(self, month: int) -> Estimate:
        """Return the mean difference at the end of a month.

        Raises:
            ScenarioError: the month was not simulated.
        """
        if isinstance(month, bool) or not 1 <= month <= len(self.months):
            raise ScenarioError(f"month {month!r} was not simulated; it goes from 1 to {len(self.months)}", value=month)
        return Estimate(float(self.mean[month - 1]), float(self.error[month - 1]))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each month, ready for a data frame."""
        columns = ("mean", "error", "independent_error", "lower", "lower_error")
        return [
            {"of": self.of, "unit": self.unit, "month": int(month), **{key: float(getattr(self, key)[place]) for key in columns}}
            for place, month in enumerate(self.months)
        ]

    def table(self) -> Table:
        """Return the differences as a table for eyes."""
        heads = ("difference", "± s.e.", "s.e. if independent", "lower on")
        columns = (Column("month", number=True), *(Column(head, number=True) for head in heads))
        rows = tuple(
            (str(r["month"]), f"{r['mean']:.4g}", f"{r['error']:.2g}", f"{r['independent_error']:.2g}", f"{r['lower']:.1%}")
            for r in self.records()
        )
        same = "common random numbers" if self.seeds[0] == self.seeds[1] else "seeds differ: the draws are not common"
        return Table(f"difference of {self.of} in {self.unit}", columns, rows, (f"{self.paths:,} paths, seed {self.seeds[0]}; {same}",))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def paired_difference(one: MonteCarlo, other: MonteCarlo, *, of: str, chunk: int) -> PairedDifference:
    """Return one scenario less another; see `MonteCarlo.difference`."""
    _check(one, other, of)
    draws = [PriceDraws(spec, chunk=chunk) for spec in (one, other)]
    numbers = np.full((one.months, 5), np.nan)
    counts = np.zeros(one.months, dtype=np.int64)
    for row in range(one.months):
        for own in draws:
            own.advance()
        left, right = (own.of(of) for own in draws)
        known = np.isfinite(left) & np.isfinite(right)
        counts[row] = count = int(np.count_nonzero(known))
        if count:
            numbers[row] = _numbers(left[known], right[known])
    mean, error, independent, lower, lower_error = (frozen(numbers[:, place].copy()) for place in range(5))
    counts.flags.writeable = False
    return PairedDifference(
        of=of,
        unit=one.unit.currency if of in _COSTS else str(one.unit),
        months=months_array(one.months),
        mean=mean,
        error=error,
        independent_error=independent,
        lower=lower,
        lower_error=lower_error,
        counts=counts,
        paths=one.paths,
        seeds=(one.seed, other.seed),
        numpy_version=np.__version__,
    )


def _numbers(left: FloatArray, right: FloatArray) -> tuple[float, ...]:
    """Return the mean difference, its standard error, that of independent draws, how often the first is lower, and its standard error."""
    count = len(left)
    differences = left - right
    lower = np.count_nonzero(differences < 0) / count
    error = float(differences.std()) / count**0.5
    independent = float(np.hypot(left.std(), right.std())) / count**0.5
    return float(differences.mean()), error, independent, lower, float(chance_error(np.array([lower]), count)[0])


def _check(one: MonteCarlo, other: MonteCarlo, of: str) -> None:
    one.unit.match(other.unit, what="the other scenario")
    for field in ("months", "paths"):
        if getattr(one, field) != getattr(other, field):
            raise ScenarioError(
                f"{field} are {getattr(one, field)} here and {getattr(other, field)} there; simulate both alike",
                value=getattr(other, field),
            )
    for spec in (one, other):
        if of in _COSTS and spec.demand is None:
            raise ScenarioError(f"{of!r} without a demand; pass demand= to both scenarios", value=of)
        known = (*spec.names, "cheapest", *_COSTS)
        if of not in known:
            raise UnknownNameError.of(of, known, what="result", where=", ".join(known))

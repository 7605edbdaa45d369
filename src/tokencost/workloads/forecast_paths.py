"""Paths: months of a forecast drawn many times over, so that a total has the spread of totals and not the sum of spreads.

Every draw has a stream of its own, named by the seed, the segment, the month and what is drawn. Another segment, another month or another
price therefore moves no draw, and two offerings are compared on the same demand.
"""

from __future__ import annotations

from fractions import Fraction
from math import log, sqrt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import TokencostError, WorkloadError
from tokencost.rating.card import graduated
from tokencost.rating.usage import Usage
from tokencost.workloads.hit_rate import hit_rate
from tokencost.workloads.simulation import stream
from tokencost.workloads.sizes import Points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from tokencost.rating.card import Ladder
    from tokencost.workloads.expectation import Expectation
    from tokencost.workloads.hit_rate import HitShare
    from tokencost.workloads.profile import Month
    from tokencost.workloads.segment import Segment
    from tokencost.workloads.workload import Workload

    Draws = NDArray[np.float64]

__all__ = ["Drawer", "Response", "SegmentMonth", "paths_of", "request_variance"]

_SIZES: Final = 4096
"""Requests drawn to see how much the cost of one varies; a list of at most as many is taken as it is."""


class Response(NamedTuple):
    """How a cost changes with one uncertain figure: exact at these values, linear in between and beyond."""

    at: tuple[float, ...]
    change: tuple[float, ...]

    def of(self, values: Draws) -> Draws:
        """Return the change of the cost at each value."""
        if len(self.at) < 2:  # noqa: PLR2004
            return np.zeros_like(values)
        found = np.interp(values, self.at, self.change)
        for end, inner, beyond in ((0, 1, values < self.at[0]), (-1, -2, values > self.at[-1])):
            slope = (self.change[end] - self.change[inner]) / (self.at[end] - self.at[inner])
            found = np.where(beyond, self.change[end] + slope * (values - self.at[end]), found)
        return found


class SegmentMonth(NamedTuple):
    """One segment in one month: expected requests and cost, how the cost answers to what is uncertain, and how it varies by request.

    `months_ahead` and `growth` are in `requests` already. `variance` is that of the cost of one request over the square of its mean.
    """

    segment: str
    month: Month
    requests: float
    months_ahead: int
    growth: float
    cost: float
    cached: Response
    completion: Response
    variance: float


class Drawer:
    """Draws by name: each name has its own stream under one seed."""

    def __init__(self, seed: int, draws: int) -> None:
        self.seed, self.draws = seed, draws

    def stream(self, *names: str) -> Generator:
        """Return the stream of a name."""
        return stream(self.seed, " of ".join(("forecast", *names)))

    def factor(self, variance: float, *names: str) -> Draws:
        """Draw a factor of mean 1, by a lognormal law: its logarithm has this variance."""
        if not variance:
            return np.ones(self.draws)
        return np.exp(self.stream(*names).normal(-variance / 2, sqrt(variance), self.draws))

    def shares(self, known: HitShare, spread: float, segment: str) -> Draws:
        """Draw the hit rate of a segment, by a beta law around its own; one of none or of all stays so.

        One error for all segments decides its place among the draws.

        Raises:
            WorkloadError: it cannot be off so far.
        """
        mean = float(known.share / known.most) if known.most else 0.0
        if not spread or not 0 < mean < 1:
            return np.full(self.draws, float(known.share))
        most = float(known.most)
        total = mean * (1 - mean) / (spread / most) ** 2 - 1
        if total <= 0:
            raise WorkloadError(
                f"uncertainty of cached {spread:g} is more than a hit rate of {float(known.share):g} admits in segment {segment!r}; "
                f"say less than {sqrt(mean * (1 - mean)) * most:.2g}",
                meter="cached",
                value=spread,
            )
        drawn = np.sort(self.stream("cached", segment).beta(mean * total, (1 - mean) * total, self.draws))
        order = np.argsort(np.argsort(self.stream("cached").standard_normal(self.draws), kind="stable"), kind="stable")
        return drawn[order] * most


def paths_of(workload: Workload, rows: Sequence[Sequence[SegmentMonth]], drawer: Drawer) -> Draws:
    """Draw the cost of each month many times: a row for each draw, a column for each month.

    What is uncertain moves all segments together. That of requests is split in halves of the variance: one factor that stays for the whole
    path, and one of the month's own.
    The number of requests of a segment is a Poisson draw around that, their sizes a gamma draw with the mean and the variance of so many.
    """
    off = workload.uncertainty
    half = log(1 + float(off.requests) ** 2) / 2
    lasting = drawer.factor(half, "requests")
    completion = drawer.factor(log(1 + float(off.completion) ** 2), "completion")
    drift = drawer.stream("growth").normal(0, float(off.growth), drawer.draws) if off.growth else np.zeros(drawer.draws)
    months: list[Draws] = []
    for row in rows:
        own = drawer.factor(half, "requests", row[0].month.text) if row else np.ones(drawer.draws)
        cost = np.zeros(drawer.draws)
        for part in row:
            grown = np.maximum(1 + drift / (1 + part.growth), 0) ** part.months_ahead
            cost += _segment_cost(workload, part, part.requests * lasting * own * grown, completion, drawer)
        months.append(cost)
    return np.stack(months, axis=1) if months else np.zeros((drawer.draws, 0))


def _segment_cost(workload: Workload, part: SegmentMonth, expected: Draws, completion: Draws, drawer: Drawer) -> Draws:
    segment = next(segment for segment in workload.segments if segment.name == part.segment)
    requests = drawer.stream("count", part.segment, part.month.text).poisson(expected).astype(np.float64)
    shares = drawer.shares(hit_rate(segment.sizes), float(workload.uncertainty.cached), part.segment)
    one = np.maximum(part.cost + part.cached.of(shares) + part.completion.of(completion), 0) / part.requests
    if part.variance > 0:
        requests = drawer.stream("sizes", part.segment, part.month.text).gamma(requests / part.variance, part.variance)
    return requests * one


def request_variance(expectation: Expectation, segment: Segment, parts: Sequence[tuple[Fraction, Ladder, str]], drawer: Drawer) -> float:
    """Return the variance of the cost of one request over the square of its mean, over sizes and over windows.

    `parts` are the ladders of a month with the share of requests that pay them, and how their tiers are meant.
    """
    mean = second = 0.0
    for share, ladder, tiering in parts:
        cost = float(expectation.cost(ladder, segment.sizes, tiering=tiering).total)
        weights, costs = _request_costs(segment, ladder, tiering, drawer)
        own = float(weights @ costs)
        spread = float(weights @ costs**2) / own**2 if own else 1.0
        mean += float(share) * cost
        second += float(share) * cost**2 * spread
    found = second / mean**2 - 1 if mean else 0.0
    return found if found > 1e-12 else 0.0  # noqa: PLR2004 - what is less is the rounding of floats


def _request_costs(segment: Segment, ladder: Ladder, tiering: str, drawer: Drawer) -> tuple[Draws, Draws]:
    sizes = segment.sizes
    if isinstance(sizes, Points) and sizes.cached is None and len(sizes.rows) <= _SIZES:
        rows = [(usage, float(weight / sizes.total)) for usage, weight in sizes.rows]
    else:
        columns = sizes.sample(drawer.stream("shapes", segment.name), _SIZES)
        lists: dict[str, list[Any]] = {meter: column.tolist() for meter, column in columns.items()}
        rows = [(Usage.of({meter: column[n] for meter, column in lists.items()}), 1 / _SIZES) for n in range(_SIZES)]
    costs = [_cost(ladder, usage, tiering) for usage, _ in rows]
    return np.array([weight for _, weight in rows]), np.array(costs)


def _cost(ladder: Ladder, usage: Usage, tiering: str) -> float:
    try:
        if tiering == "graduated" and ladder.flat is None:
            return float(sum((cell.fraction(own) for cell, own in graduated(ladder, usage)), Fraction(0)))
        cell = ladder.cell(usage)
        try:
            return cell.number(usage) / 10**cell.scale
        except KeyError:  # a meter priced by the hour, or with a minimum
            return float(cell.fraction(usage))
    except TokencostError:  # a drawn request above the list; the month is not simulated where any can be
        return 0.0

"""Months drawn at random: the spread of a month's cost from chance and from what is not known for sure.

Chance: the number of requests of a segment is Poisson; their sum is drawn request by request where there are few, and by its mean and
variance, as a normal number, where there are many. What is not known: the `Uncertainty` of the workload moves the number of requests, the
hit rate, the length of completions and the growth, in all segments together, for an error of judgement seldom stops at one.

Cost is linear in the hit rate. In the length of completions it is evaluated exactly at five lengths and interpolated between them. The
variance of one request is that of a sample rated by the book; its mean is the exact one.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import log, sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.errors import WorkloadError
from tokencost.rating.timeline import Selection
from tokencost.workloads.hit_rate import hit_rate
from tokencost.workloads.month_cost import month_cost
from tokencost.workloads.simulation import checked_count, one_currency, rated_sample, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tokencost.workloads.expectation import Expectation
    from tokencost.workloads.profile import Month
    from tokencost.workloads.segment import Segment
    from tokencost.workloads.workload import Workload

    Floats = NDArray[np.float64]

__all__ = ["SimulatedMonths", "simulate_months"]

_POOL: Final = 4096
_FEW: Final = 4_000_000
"""So many requests of one segment, over all months, are drawn one by one."""
_CHUNK: Final = 1 << 20
_DEVIATIONS: Final = (-4, -2, 0, 2, 4)
_STEPS: Final = 10**4
_LEAST_GROWTH: Final = -0.99
_NOWHERE: Final = Selection()


class SimulatedMonths(NamedTuple):
    """The cost of a month in many draws, in units of the currency of the list, before allowances.

    These are statistics, not money; a quantile of n draws is itself uncertain by about one part in the root of n.
    """

    costs: Floats
    currency: str
    seed: int

    def quantile(self, share: float) -> float:
        """Return the cost that is not passed in a share of the draws."""
        return float(np.quantile(self.costs, share))

    def beyond(self, cost: float) -> float:
        """Return the share of draws that cost more."""
        return float(np.mean(self.costs > cost))


class _Errors(NamedTuple):
    """How far off the figures are in each draw, as standard normal numbers; those of all segments together."""

    requests: Floats
    cached: Floats
    completion: Floats
    growth: Floats


class _Priced(NamedTuple):
    """A workload where it is priced, and how many months of growth lie before."""

    expectation: Expectation
    workload: Workload
    offering: str
    month: Month
    months_ahead: int
    selection: Selection

    def cost(self, segment: Segment) -> Fraction:
        """Return what one request of a segment is expected to cost."""
        alone = replace(self.workload, segments=(segment,))
        found = month_cost(self.expectation, alone, self.offering, self.month, selection=self.selection)
        return sum(found.by_currency.values(), Fraction(0)) / segment.requests


def simulate_months(
    expectation: Expectation,
    workload: Workload,
    offering: str,
    month: Month,
    *,
    draws: int = 10_000,
    seed: int = 0,
    months_ahead: int = 0,
    selection: Selection = _NOWHERE,
) -> SimulatedMonths | None:
    """Draw the cost of a month many times; None where some requests have no price.

    Raises:
        UsageError: no draw, or a negative seed.
        WorkloadError: prices in more than one currency, or an uncertainty that the figures do not admit.
    """
    checked_count(draws, "draws", least=1)
    base = month_cost(expectation, workload, offering, month, months_ahead=months_ahead, selection=selection)
    if not base.is_complete:
        return None
    currency = one_currency(frozenset(base.by_currency)) or selection.currency or expectation.book.currency
    errors = _Errors(*(stream(seed, f"error of {name}").standard_normal(draws) for name in _Errors._fields))
    priced = _Priced(expectation, workload, offering, month, months_ahead, selection)
    total = np.zeros(draws)
    for segment in workload.segments:
        total += _segment(priced, segment, errors, seed=seed)
    return SimulatedMonths(total, currency, seed)


def _segment(priced: _Priced, segment: Segment, errors: _Errors, *, seed: int) -> Floats:
    """Return what one segment costs in each draw."""
    exact = priced.cost(segment)
    sure = float(exact)
    means = np.maximum(sure + _by_hits(priced, segment, errors, seed=seed) + _by_length(priced, segment, errors, exact=exact), 0.0)
    numbers = _numbers(priced, segment, errors)
    sample = rated_sample(
        priced.expectation,
        segment,
        priced.offering,
        priced.month,
        requests=_POOL,
        seed=seed,
        selection=priced.selection,
        key="costs",
    )
    pool = sample.costs * (sure / mean if (mean := float(sample.costs.mean())) else 0.0)
    generator = stream(seed, f"months of {segment.name}")
    changed = means / sure if sure else np.ones_like(means)
    if float(numbers.sum()) <= _FEW:
        return changed * _one_by_one(generator.poisson(numbers), pool, generator)
    spread = np.sqrt(numbers * float(np.mean(pool**2)))
    return np.maximum(numbers * means + changed * spread * generator.standard_normal(len(numbers)), 0.0)


def _numbers(priced: _Priced, segment: Segment, errors: _Errors) -> Floats:
    """Return the expected number of requests of each draw."""
    spread, ahead = priced.workload.uncertainty, priced.months_ahead
    growth = np.maximum(float(priced.workload.growth_of(segment)) + float(spread.growth) * errors.growth, _LEAST_GROWTH)
    return segment.requests * _lognormal(float(spread.requests), errors.requests) * (1 + growth) ** ahead


def _lognormal(spread: float, errors: Floats) -> Floats:
    """Return factors with a mean of 1 and a relative standard deviation."""
    sigma = sqrt(log(1 + spread**2))
    return np.exp(sigma * errors - sigma**2 / 2)


def _one_by_one(numbers: NDArray[np.int64], pool: Floats, generator: np.random.Generator) -> Floats:
    """Return sums of costs drawn from a pool, as many as each month has; a bounded number of them at a time."""
    sums = np.zeros(len(numbers))
    edges = np.concatenate(([0], np.cumsum(numbers)))
    for start in range(0, int(edges[-1]), _CHUNK):
        size = min(_CHUNK, int(edges[-1]) - start)
        costs = pool[generator.integers(0, len(pool), size)]
        places = np.searchsorted(edges, np.arange(start, start + size), side="right") - 1
        sums += np.bincount(places, weights=costs, minlength=len(numbers))
    return sums


def _by_hits(priced: _Priced, segment: Segment, errors: _Errors, *, seed: int) -> Floats | float:
    """Return by how much the cost of a request changes with the hit rate of each draw."""
    spread = float(priced.workload.uncertainty.cached)
    known = hit_rate(segment.sizes)
    share = known.share / known.most if known.most else Fraction(0)
    if not spread or not 0 < share < 1:
        return 0.0
    slope = float(priced.cost(segment.with_cached(known.most)) - priced.cost(segment.with_cached(0))) / float(known.most)
    mean, deviation = float(share), spread / float(known.most)
    both = mean * (1 - mean) / deviation**2 - 1
    if both <= 0:
        raise WorkloadError(
            f"uncertainty of cached {spread:g} is more than a hit rate of {float(known.share):g} admits in segment {segment.name!r}; "
            f"say less than {sqrt(mean * (1 - mean)) * float(known.most):.2g}",
            meter="cached",
            value=spread,
        )
    drawn = np.sort(stream(seed, f"hit rate of {segment.name}").beta(mean * both, (1 - mean) * both, len(errors.cached)))
    ranks = np.argsort(np.argsort(errors.cached, kind="stable"), kind="stable")  # one error for all segments: their order is the same
    return slope * (drawn[ranks] * float(known.most) - float(known.share))


def _by_length(priced: _Priced, segment: Segment, errors: _Errors, *, exact: Fraction) -> Floats | float:
    """Return by how much the cost of a request changes with the length of completions of each draw."""
    spread = float(priced.workload.uncertainty.completion)
    if not spread:
        return 0.0
    factors = [Fraction(round(float(factor) * _STEPS), _STEPS) for factor in _lognormal(spread, np.array(_DEVIATIONS, np.float64))]
    costs = {factor: float(priced.cost(segment.with_completion(factor)) - exact) for factor in factors}
    costs[Fraction(1)] = 0.0
    known = sorted(costs)
    drawn = _lognormal(spread, errors.completion)
    return np.interp(drawn, [float(factor) for factor in known], [costs[factor] for factor in known])

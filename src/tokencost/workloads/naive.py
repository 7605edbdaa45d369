"""The cost that a spreadsheet gives: the mean request at the mean price.

Kept beside the expectation to show what it leaves out: that long requests pay the higher tier, and that requests come at some hours more
than at others.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import TokencostError
from tokencost.rating.usage import Usage
from tokencost.workloads.expectation import amount_of
from tokencost.workloads.month_cost import selection_of
from tokencost.workloads.profile import HourProfile

if TYPE_CHECKING:
    from tokencost.rating.timeline import Selection
    from tokencost.workloads.expectation import Expectation
    from tokencost.workloads.profile import Month
    from tokencost.workloads.segment import Choice, Segment
    from tokencost.workloads.workload import Workload

__all__ = ["NaiveCost", "naive_cost"]


class NaiveCost(NamedTuple):
    """Mean size times mean price in each currency, or why the mean request has no price."""

    by_currency: dict[str, Fraction]
    reason: TokencostError | None = None


class _Mean(NamedTuple):
    """Requests made under one service tier and mode: how many, what they use together, and one of the segments they are from."""

    requests: Fraction
    counts: dict[str, Fraction]
    segment: Segment
    choice: Choice


def naive_cost(expectation: Expectation, workload: Workload, offering: str, month: Month, *, selection: Selection) -> NaiveCost:
    """Price the mean request of each service tier and mode in the context tier of its size, at prices averaged evenly over the clock."""
    found: dict[str, Fraction] = {}
    for mean in _means(workload):
        average = {meter: count / mean.requests for meter, count in mean.counts.items()}
        try:
            usage = Usage.of({meter: round(count) for meter, count in average.items()})
            chosen = selection_of(expectation, mean.segment, mean.choice, offering, month=month, selection=selection)
            for span in expectation.spans(offering, month, HourProfile.even(), selection=chosen):
                if span.ladder is None or span.priced is None:
                    return NaiveCost({}, span.reason)
                cell = span.ladder.cell(usage)
                cost = sum((amount_of(cell, meter, count) for meter, count in average.items() if count), Fraction(0))
                currency = span.priced.choice.currency
                found[currency] = found.get(currency, Fraction(0)) + mean.requests * span.share * cost
        except TokencostError as error:
            return NaiveCost({}, error)
    return NaiveCost(found)


def _means(workload: Workload) -> list[_Mean]:
    """Add up the requests of all segments that are made in the same way."""
    found: dict[tuple[str, str | None], _Mean] = {}
    for segment in workload.segments:
        for choice in segment.choices:
            requests = segment.requests * choice.share
            known = found.setdefault((choice.service_tier, choice.mode), _Mean(Fraction(0), {}, segment, choice))
            for meter, count in segment.means.items():
                known.counts[meter] = known.counts.get(meter, Fraction(0)) + requests * count
            found[choice.service_tier, choice.mode] = known._replace(requests=known.requests + requests)
    return list(found.values())

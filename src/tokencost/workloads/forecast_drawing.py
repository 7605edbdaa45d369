"""Drawing a forecast: what each segment costs in each month, and how that answers to what is uncertain, made ready for the paths."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.workloads.forecast_costs import by_segment
from tokencost.workloads.forecast_paths import Response, SegmentMonth, paths_of, request_variance
from tokencost.workloads.hit_rate import hit_rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tokencost.rating.card import Ladder
    from tokencost.workloads.forecast_costs import Costing, ExactMonth
    from tokencost.workloads.forecast_paths import Drawer
    from tokencost.workloads.profile import Month
    from tokencost.workloads.segment import Segment
    from tokencost.workloads.workload import Workload

__all__ = ["drawn_months"]

_REACH: Final = 2
"""Exact costs are worked out so many standard deviations to either side; they are taken as linear in between and beyond."""
_LEAST_FACTOR: Final = Fraction(1, 10)


class _Variant(NamedTuple):
    """The workload with one uncertain figure moved, and where the figure then stands in each segment."""

    kind: str
    at: Mapping[str, Fraction]
    workload: Workload


def drawn_months(costing: Costing, span: Sequence[Month], exact: Sequence[ExactMonth], drawer: Drawer) -> NDArray[np.float64]:
    """Draw the cost of each month: a row for each path; a month without a cost is not a number."""
    if not drawer.draws:
        return np.zeros((0, len(span)))
    variants = list(_variants(costing.workload))
    spreads: dict[object, float] = {}
    rows: list[list[SegmentMonth]] = []
    for ahead, (month, found) in enumerate(zip(span, exact, strict=True)):
        made = _segments(costing, month, ahead, exact=found, variants=variants, drawer=drawer, spreads=spreads)
        rows.append([] if found.cost is None else list(made))
    paths = paths_of(costing.workload, rows, drawer)
    for place, found in enumerate(exact):
        if found.cost is None:
            paths[:, place] = np.nan
    return paths


def _variants(workload: Workload) -> Iterator[_Variant]:
    off = workload.uncertainty
    for side in (0, -_REACH, _REACH) if off.cached else ():
        at = {segment.name: _moved_share(segment, off.cached * side) for segment in workload.segments}
        parts = tuple(s.with_cached(at[s.name]) if _is_unsure(s) else s for s in workload.segments)
        yield _Variant("cached", at, replace(workload, segments=parts))
    for side in (0, -_REACH, _REACH) if off.completion else ():
        factor = max(1 + off.completion * side, _LEAST_FACTOR)
        yield _Variant("completion", dict.fromkeys((s.name for s in workload.segments), factor), workload.with_completion(factor))


def _is_unsure(segment: Segment) -> bool:
    """Say whether the hit rate of a segment can be off: one of none or of all cannot."""
    known = hit_rate(segment.sizes)
    return 0 < known.share < known.most


def _moved_share(segment: Segment, by: Fraction) -> Fraction:
    """Return the hit rate moved by so many points, as far as the rest of the prompt leaves room."""
    known = hit_rate(segment.sizes)
    return min(max(known.share + by, Fraction(0)), known.most)


def _segments(
    costing: Costing,
    month: Month,
    ahead: int,
    *,
    exact: ExactMonth,
    variants: Sequence[_Variant],
    drawer: Drawer,
    spreads: dict[object, float],
) -> Iterator[SegmentMonth]:
    """Yield every segment of a month; `spreads` keeps what was seen of the variance for the next month."""
    workload = costing.workload
    cost = costing.cost(workload, month, ahead)
    base = by_segment(cost, exact.factors)
    moved = [(variant, by_segment(costing.cost(variant.workload, month, ahead), exact.factors)) for variant in variants]
    for segment in workload.segments:
        growth = workload.growth_of(segment)
        parts = _ladders(costing, segment, cost.month, list(cost.by_currency))
        key = (segment.name, tuple((share, id(ladder)) for share, ladder, _ in parts))
        if key not in spreads:
            spreads[key] = request_variance(costing.expectation, segment, parts, drawer)
        yield SegmentMonth(
            segment.name,
            month,
            float(segment.requests * (1 + growth) ** ahead),
            ahead,
            float(growth),
            base.get(segment.name, 0.0),
            _response(segment.name, "cached", moved),
            _response(segment.name, "completion", moved),
            spreads[key],
        )


def _response(segment: str, kind: str, moved: Sequence[tuple[_Variant, Mapping[str, float]]]) -> Response:
    """Return how the cost of a segment answers: what was worked out, less its middle, which comes first."""
    rows = [(float(variant.at[segment]), costs.get(segment, 0.0)) for variant, costs in moved if variant.kind == kind]
    if not rows:
        return Response((), ())
    middle = rows[0][1]
    points = sorted({at: cost - middle for at, cost in rows}.items())
    return Response(tuple(at for at, _ in points), tuple(change for _, change in points))


def _ladders(costing: Costing, segment: Segment, month: Month, currencies: list[str]) -> list[tuple[Fraction, Ladder, str]]:
    """Return the ladders that the requests of a segment pay in a month, each with its share and how its tiers are meant."""
    base = costing.selection._replace(currency=currencies[0]) if currencies else costing.selection
    shares: dict[int, tuple[Fraction, Ladder, str]] = {}
    for choice in segment.choices:
        chosen = base._replace(service_tier=choice.service_tier, mode=choice.mode)
        for span in costing.expectation.spans(costing.offering, month, segment.profile, selection=chosen):
            if span.ladder is not None and span.priced is not None:
                before = shares[id(span.ladder)][0] if id(span.ladder) in shares else Fraction(0)
                shares[id(span.ladder)] = before + choice.share * span.share, span.ladder, span.priced.span.tariff.tiering
    return list(shares.values())

"""Credits: what the free quantities of a price list take off a month's cost."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tokencost.tariffs.meter import within
from tokencost.workloads.month_cost import selection_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tokencost.rating.timeline import Selection
    from tokencost.tariffs.tariff import Allowance
    from tokencost.workloads.expectation import Expectation
    from tokencost.workloads.month_cost import MonthCost
    from tokencost.workloads.profile import Month
    from tokencost.workloads.segment import Segment
    from tokencost.workloads.workload import Workload

__all__ = ["Credit", "credits_of"]

_DAY = timedelta(days=1)


class Credit(NamedTuple):
    """What one allowance takes off a month: how much is used of its meter, how much of that is free, and what it would have cost."""

    offering: str
    meter: str
    quantity: int
    per: str
    used: Fraction
    free: Fraction
    currency: str
    amount: Fraction


class _Used(NamedTuple):
    """What one segment uses of a meter on one day, and what that costs."""

    day: datetime
    offering: str
    meter: str
    currency: str
    quantity: Fraction
    cost: Fraction


def credits_of(
    expectation: Expectation, workload: Workload, cost: MonthCost, *, selection: Selection, months_ahead: int = 0
) -> tuple[tuple[Credit, ...], tuple[str, ...]]:
    """Return the credits of a month, and notes on allowances that are not credited.

    What is free a day is worth at most what the expected use of that day costs; all service tiers and segments share it. A day's use
    varies, and what a quiet day leaves is lost, so that the true credit is at most this one; with many uses a day it is near. An
    allowance that is granted once is credited in the month in which it begins, and in no other, for nobody knows whether it is used up.
    """
    notes: dict[str, None] = {}
    wanted: dict[tuple[str, Allowance], None] = {}
    for priced in cost.priced:
        tariff = priced.span.tariff
        for allowance in tariff.allowances:
            if not _overlaps(allowance, cost.month) or not workload.means.keys() & set(within(allowance.meter)):
                continue
            if allowance.per == "once" and not (allowance.start is not None and cost.month.start <= allowance.start < cost.month.until):
                notes[f"{allowance.quantity:,} {allowance.meter} that {tariff.id} gives once are taken as used before"] = None
            else:
                wanted[tariff.id, allowance] = None
    if not wanted:
        return (), tuple(notes)
    used = list(_all_used(expectation, workload, cost, selection=selection, months_ahead=months_ahead))
    return tuple(credit for offering, allowance in wanted for credit in _credits(offering, allowance, used)), tuple(notes)


def _overlaps(allowance: Allowance, month: Month) -> bool:
    return (allowance.start is None or allowance.start < month.until) and (allowance.until is None or month.start < allowance.until)


def _credits(offering: str, allowance: Allowance, used: list[_Used]) -> Iterator[Credit]:
    """Yield the credit of one allowance in each currency."""
    meters = within(allowance.meter)
    counts: dict[tuple[datetime | None, str], Fraction] = {}
    costs: dict[tuple[datetime | None, str], Fraction] = {}
    for row in used:
        if row.offering != offering or row.meter not in meters or not _holds(allowance, row.day):
            continue
        key = (row.day if allowance.per == "day" else None, row.currency)
        counts[key] = counts.get(key, Fraction(0)) + row.quantity
        costs[key] = costs.get(key, Fraction(0)) + row.cost
    for currency in dict.fromkeys(currency for _, currency in counts):
        mine = [key for key in counts if key[1] == currency and counts[key]]
        free = {key: min(Fraction(allowance.quantity), counts[key]) for key in mine}
        amount = sum((costs[key] * free[key] / counts[key] for key in mine), Fraction(0))
        total, credited = (sum((part[key] for key in mine), Fraction(0)) for part in (counts, free))
        yield Credit(offering, allowance.meter, allowance.quantity, allowance.per, total, credited, currency, amount)


def _holds(allowance: Allowance, day: datetime) -> bool:
    """Say whether any hour of a day lies within an allowance."""
    return (allowance.start is None or allowance.start < day + _DAY) and (allowance.until is None or day < allowance.until)


def _all_used(expectation: Expectation, workload: Workload, cost: MonthCost, *, selection: Selection, months_ahead: int) -> Iterator[_Used]:
    for segment in workload.segments:
        demand = segment.requests * (1 + workload.growth_of(segment)) ** months_ahead
        yield from _used(expectation, segment, cost, demand=demand, selection=selection)


def _used(expectation: Expectation, segment: Segment, cost: MonthCost, *, demand: Fraction, selection: Selection) -> Iterator[_Used]:
    """Yield what the priced requests of a segment use of each meter on each day; the days are those of UTC."""
    month = cost.month
    days = [month.start + n * _DAY for n in range(month.days)]
    for choice in segment.choices:
        chosen = selection_of(expectation, segment, choice, cost.offering, month=month, selection=selection)
        spans = {span.start: span for span in expectation.spans(cost.offering, month, segment.profile, selection=chosen)}
        instants = sorted({*days, *spans, month.until})
        masses = segment.profile.mass(instants, month=month)
        span = None
        for (start, _), (before, after) in zip(pairwise(instants), pairwise(masses), strict=True):
            span = spans.get(start, span)
            if span is None or span.ladder is None or span.priced is None or before == after:
                continue
            requests = demand * choice.share * Fraction(after - before, masses[-1])
            tariff = span.priced.span.tariff
            one = expectation.cost(span.ladder, segment.sizes, tiering=tariff.tiering)
            day = start.replace(hour=0, minute=0, second=0, microsecond=0)
            for meter, amount in one.by_meter.items():
                count = requests * segment.means[meter]
                yield _Used(day, tariff.id, meter, span.priced.choice.currency, count, requests * amount)

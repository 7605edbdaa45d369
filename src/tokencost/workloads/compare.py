"""Comparisons: one workload on many offerings, exact and sorted."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from tokencost.errors import UsageError, UsageTypeError
from tokencost.exact import from_fraction
from tokencost.rating.book import load_book
from tokencost.rating.timeline import Selection
from tokencost.tariffs.money import Money, currency_code
from tokencost.workloads.comparison import Compared, Comparison
from tokencost.workloads.demand import Demand
from tokencost.workloads.raters import ExpectedRater, RequestRater
from tokencost.workloads.tally import Exchange
from tokencost.workloads.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.usage import Usage
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.tariffs.names import Piece
    from tokencost.workloads.profile import Month
    from tokencost.workloads.tally import Reckoned
    from tokencost.workloads.trace import Trace

__all__ = ["Compared", "Comparison", "compare"]

_PRICE_PLACES: Final = 6


def compare(
    workload: Trace | Workload | Usage | Iterable[Usage],
    offerings: Sequence[str],
    *,
    at: datetime | str | None = None,
    month: Month | str | None = None,
    book: Book | None = None,
    baseline: str | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    service_tier: str = "standard",
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
    zone: str | None = None,
    start: datetime | str | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Comparison:
    """Rate one workload on many offerings and sort them by cost.

    `at` is the instant to rate at, or `"each"` to rate every row of a trace at its own (`zone` and `start` say how its times are meant).
    With `month` instead, a workload is rated over that month: its expected cost, integrated over sizes and hours, no growth before it. An
    offering without a list in `currency` is converted with `fx` (a month at the rate of its first day), and stays unranked without it. A
    request without a price is counted with its reason, never taken as zero. An offering that is named twice is rated once. `progress` is
    told the offering and the number of requests rated.

    Raises:
        UnknownNameError, AmbiguousNameError: an offering's name is not clear.
        UsageError: there is nothing to rate, or no offering.
        WorkloadError: a month that is none, or a service tier other than the workload describes.
        TraceError: `at="each"` on a trace whose times have no zone.
        LayerError: two layers of the book claim one rate.
    """
    book = book or load_book()
    if isinstance(offerings, str):
        raise UsageTypeError(f"offerings={offerings!r} is text; pass a list of names", meter="offerings", value=offerings)
    wanted = book.currency if currency is None else currency_code(currency)
    choice = Selection(currency, service_tier, mode, residency, tenant)
    rater: RequestRater | ExpectedRater
    if month is not None or (isinstance(workload, Workload) and workload.is_described and at != "each"):
        rater = ExpectedRater.of(workload, book, choice, at=at, month=month)
    else:
        rater = RequestRater(Demand.of(workload, at=at, zone=zone, start=start), book, choice)
    named: dict[tuple[Piece, ...], str] = {}
    for name in (*offerings, *(() if baseline is None else (baseline,))):
        named.setdefault(book.resolve(name).pieces, name)
    if not named:
        raise UsageError("no offering to compare; name at least one", meter="offerings", value=())
    rows: list[Reckoned] = []
    for name in named.values():
        rows.append(rater.row(name, Exchange(wanted, fx)))
        if progress is not None:
            progress(name, rater.requests)
    against = None if baseline is None else named[book.resolve(baseline).pieces]
    ranked = _ranked([found.row for found in rows], rater, against)
    made = Comparison(rater.title, rater.at, wanted, rater.requests, round(rater.tokens), ranked, baseline, rater.month)
    return _routed(made, rows, rater)


def _routed(made: Comparison, rows: list[Reckoned], rater: RequestRater | ExpectedRater) -> Comparison:
    """Add what single parts of the demand cost: by segment, and on the cheapest offering for each."""
    from tokencost.workloads.router import cheapest_by_segment, part_costs, router_bound, segment_costs

    order = {row.name: place for place, row in enumerate(made.rows)}
    found = sorted(rows, key=lambda reckoned: order[reckoned.row.name])
    counts = rater.parts
    costs = [part_costs(reckoned, len(counts)) for reckoned in found]
    bound = router_bound([(row.offering, own) for row, own in zip(made.rows, costs, strict=True)], counts, made.currency)
    if not rater.segments:
        return made._replace(router_bound=bound)
    told = list(zip(rater.segments, counts, strict=True))
    shared = tuple(
        row._replace(segments=segment_costs(own, told, row.total, made.currency)) for row, own in zip(made.rows, costs, strict=True)
    )
    return made._replace(rows=shared, router_bound=bound, cheapest_by_segment=cheapest_by_segment(shared))


def _ranked(rows: list[Compared], rater: RequestRater | ExpectedRater, baseline: str | None) -> tuple[Compared, ...]:
    full = sorted(((row.total, row) for row in rows if row.total is not None), key=lambda pair: (pair[0].amount, pair[1].offering))
    against = next((total for total, row in full if row.name == baseline), None)
    done: list[Compared] = []
    for place, (total, row) in enumerate(full, 1):
        difference = None if against is None else total - against
        percent = None
        if against and difference is not None:
            percent = from_fraction(Fraction(difference.amount) / Fraction(against.amount) * 100, places=4)
        equal = bool(done) and done[-1].total == total
        done.append(
            row._replace(
                per_1000_requests=_per(total, 1000, rater.requests),
                realised_price=_per(total, 10**6, rater.tokens),
                to_cheapest=total - full[0][0],
                to_baseline=difference,
                baseline_percent=percent,
                rank=done[-1].rank if equal else place,
            )
        )
    return (*done, *(row for row in rows if row.total is None))


def _per(total: Money, unit: int, count: int | Fraction) -> Money | None:
    """Return the cost of `unit` items, rounded half-even to six decimals; None where there are none."""
    if not count:
        return None
    return Money(from_fraction(Fraction(total.amount) * unit / count, places=_PRICE_PLACES), total.currency)

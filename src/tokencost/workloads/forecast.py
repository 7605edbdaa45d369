"""Forecasts: what a workload will cost month by month, under the dated prices that are known, announced or assumed."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Final, get_args

from tokencost.errors import WorkloadError
from tokencost.rating.book import load_book
from tokencost.rating.timeline import Selection
from tokencost.workloads.budget import Passing, budget_of
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.forecast_costs import Beyond, Costing
from tokencost.workloads.forecast_drawing import drawn_months
from tokencost.workloads.forecast_events import PriceEvent
from tokencost.workloads.forecast_paths import Drawer
from tokencost.workloads.forecast_result import Forecast, ForecastMonth, quantiles_of
from tokencost.workloads.profile import Month
from tokencost.workloads.share import share_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    import numpy as np
    from numpy.typing import NDArray

    from tokencost.rating.book import Book
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.tariffs.money import Money
    from tokencost.workloads.forecast_costs import ExactMonth
    from tokencost.workloads.month_cost import MonthCost
    from tokencost.workloads.workload import Workload

__all__ = ["Beyond", "Forecast", "ForecastMonth", "Passing", "PriceEvent", "forecast"]

_MOST_MONTHS: Final = 600
_MOST_DRAWS: Final = 10**7
_MOST_REQUESTS: Final = 10**15
"""No month has as many requests; growth that leads there is a slip of the unit."""


def forecast(
    workload: Workload,
    offering: str,
    *,
    start: str,
    months: int = 12,
    book: Book | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    residency: str | None = None,
    tenant: str | None = None,
    quantiles: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
    draws: int = 2000,
    seed: int = 0,
    budget: Money | Decimal | int | str | None = None,
    beyond: Beyond = "carry",
) -> Forecast:
    """Forecast the cost of a workload month by month: exact expectations, drawn quantiles, what changes, and how sure each price is.

    `start` is the first month, in UTC, and has the demand that the workload says; growth compounds from it. Expected costs hold for the
    figures as they are stated; `draws` paths add Poisson requests, their sizes, and the uncertainty of the workload, and `draws=0` leaves
    that out. A month after the last look at the list is labelled `carried`, or has no cost with `beyond="stop"`. An amount in another
    currency is converted with `fx` at the rate of the month's first day. Probabilities to pass a `budget` count paths.

    >>> import tokencost as tc
    >>> result = tc.forecast(tc.load_workload("chat"), "deepseek-v4-pro", start="2026-08", months=2, draws=0)
    >>> [(row.month, str(row.cost.rounded(places=2)), row.known) for row in result.months]
    [('2026-08', '61.59 USD', 'listed'), ('2026-09', '80.42 USD', 'listed')]

    Raises:
        UnknownNameError, AmbiguousNameError: the offering's name is not clear.
        WorkloadError: `start` is no month, or `months`, `draws`, `seed`, `quantiles` or `beyond` cannot be.
        MixedCurrencyError: the budget is in another currency than the cost.
        LayerError: two layers of the book claim one rate.
    """
    span = _months(start, months)
    shares = _shares(quantiles)
    _check(draws, seed, beyond)
    book = book or load_book()
    costing = Costing(Expectation(book), workload, offering, Selection(currency, residency=residency, tenant=tenant).checked())
    _check_demand(workload, span, draws)
    costs = [costing.cost(workload, month, ahead) for ahead, month in enumerate(span)]
    wanted = currency or next((found for cost in costs for found in cost.by_currency), book.currency)
    limit = None if budget is None else budget_of(budget, wanted)
    exact = [costing.exact(cost, wanted, fx, beyond) for cost in costs]
    paths = drawn_months(costing, span, exact, Drawer(seed, draws))
    rows = tuple(_rows(costs, exact, paths, shares if draws else (), costing.events(span, costs)))
    result = Forecast(
        workload.title,
        costs[-1].offering,
        wanted,
        rows,
        rows[-1].cumulative,
        rows[-1].cumulative_quantiles,
        costing.known_until(costs),
        limit,
        (),
        draws,
        seed,
        paths,
    )
    return result if limit is None or not draws else replace(result, passing=result.passes(limit))


def _rows(
    costs: Sequence[MonthCost], exact: Sequence[ExactMonth], paths: NDArray[np.float64], shares: tuple[float, ...], events: list[PriceEvent]
) -> Iterator[ForecastMonth]:
    cumulative = paths.cumsum(axis=1)
    upto: Money | None = None
    whole = True
    for place, (cost, found) in enumerate(zip(costs, exact, strict=True)):
        whole = whole and found.cost is not None
        upto = found.cost if upto is None or found.cost is None else upto + found.cost
        currency = "" if found.cost is None else found.cost.currency
        yield ForecastMonth(
            cost.month.text,
            cost.requests,
            found.cost,
            found.priced,
            found.known,
            found.reasons,
            tuple(event for event in events if cost.month.start <= event.at < cost.month.until),
            quantiles_of(paths[:, place], shares, currency) if found.cost is not None and shares else {},
            upto if whole else None,
            quantiles_of(cumulative[:, place], shares, currency) if whole and shares else {},
            found.notes,
        )


def _months(start: str, months: object) -> list[Month]:
    if type(months) is not int or not 1 <= months <= _MOST_MONTHS:
        raise WorkloadError(f"months={months!r} is not a whole number from 1 to {_MOST_MONTHS}; a year is 12", meter="months", value=months)
    found = [Month.of(start)]
    while len(found) < months:
        found.append(found[-1].next)
    return found


def _check_demand(workload: Workload, span: Sequence[Month], draws: int) -> None:
    names = [segment.name for segment in workload.segments]
    for segment in workload.segments:
        if draws and names.count(segment.name) > 1:
            raise WorkloadError(f"two segments are named {segment.name!r}; name them apart", meter="name", value=segment.name)
        growth = workload.growth_of(segment)
        if log(segment.requests) + log(1 + growth) * (len(span) - 1) > log(_MOST_REQUESTS):
            raise WorkloadError(
                f"segment {segment.name!r} grows to more than {_MOST_REQUESTS:,} requests by {span[-1]}; "
                f"growth={float(growth):g} is that of a month, five per cent are 0.05",
                meter="growth",
                value=growth,
            )


def _shares(quantiles: Sequence[float]) -> tuple[float, ...]:
    shares = [share_of(share, what="quantile") for share in quantiles]
    return tuple(sorted({float(share) for share in shares}))


def _check(draws: object, seed: object, beyond: object) -> None:
    if type(draws) is not int or not 0 <= draws <= _MOST_DRAWS:
        raise WorkloadError(
            f"draws={draws!r} is not a whole number from 0 to {_MOST_DRAWS:,}; 2,000 is enough for most", meter="draws", value=draws
        )
    if type(seed) is not int or seed < 0:
        raise WorkloadError(f"seed={seed!r} is not a whole number of 0 or more; pass an int", meter="seed", value=seed)
    if beyond not in get_args(Beyond):
        raise WorkloadError(f"beyond={beyond!r} is none of {', '.join(get_args(Beyond))}; write one of these", meter="beyond", value=beyond)

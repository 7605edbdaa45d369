"""Costs over time: what a workload costs on each of several offerings, month by month, by the dated lists of a book."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import CurrencyError, ScenarioError, WorkloadError
from tokencost.rating.book import load_book
from tokencost.rating.timeline import Selection
from tokencost.scenarios.amount import months_of
from tokencost.scenarios.cost_paths import CostPaths
from tokencost.tariffs.money import Money, currency_code
from tokencost.workloads.described import workload_of
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.forecast_knowledge import weakest, word_of_month
from tokencost.workloads.month_cost import month_cost, selection_of
from tokencost.workloads.profile import Month

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokencost.rating.book import Book
    from tokencost.rating.usage import Usage
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.workloads.forecast_knowledge import Known
    from tokencost.workloads.month_cost import MonthCost
    from tokencost.workloads.trace import Trace
    from tokencost.workloads.workload import Workload

__all__ = ["cost_over_time"]


def cost_over_time(
    workload: Workload | Trace | Usage | Iterable[Usage],
    offerings: Sequence[str],
    *,
    start: Month | str,
    months: int = 12,
    book: Book | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> CostPaths:
    """Return what a workload is expected to cost on each offering in each month, exact, in one currency.

    The first month is `start`, in UTC, with the demand that the workload says; its growth compounds from there. Tiers, windows, promotions
    and price changes within a month count as in an estimate, and prices go on after the last look at a list, where
    `known` says 'carried'. A month in which some requests
    have no price (before launch, after retirement, above the largest request of the list) has the cost None, with its reason. A list in
    another currency is converted with `fx` at the rate of the month's first day.

    >>> import tokencost as tc
    >>> usage = tc.Usage(input=30_000_000, cache_read=70_000_000, output=10_000_000)
    >>> costs = cost_over_time(usage, ["deepseek-reasoner", "gpt-4o"], start="2024-12", months=4)
    >>> [[cost and float(round(cost, 2)) for cost in row] for row in costs.costs]
    [[None, 262.5], [None, 262.5], [46.93, 262.5], [36.13, 262.5]]

    Raises:
        ScenarioError: no offering, one that is there twice, or `months` that are no horizon.
        WorkloadError: `start` is no month.
        UnknownNameError, AmbiguousNameError: the name of an offering is not clear.
        CurrencyError: a list is in another currency and was not converted; a price that is not in this currency is not a missing one.
    """
    names = tuple(offerings)
    horizon = months_of(months, what="months")
    if isinstance(offerings, str) or not names or len(set(names)) < len(names):
        raise ScenarioError(f"offerings {offerings!r} are none, or one is there twice; pass a list of names", value=offerings)
    opened = book or load_book()
    buyer = _Buyer(Expectation(opened), workload_of(workload), Selection(currency, residency=residency, tenant=tenant).checked())
    wanted = currency_code(currency or opened.currency)
    month = Month.of(start)
    cells: dict[tuple[str, str], _Cell] = {}
    for ahead in range(horizon):
        for name in names:
            cells[month.text, name] = buyer.cell(name, month, ahead, wanted, fx)
        month = month.next
    labels = tuple(dict.fromkeys(label for label, _ in cells))
    return CostPaths(
        labels,
        names,
        tuple(tuple(cells[label, name].cost for name in names) for label in labels),
        wanted,
        {place: cell.reason for place, cell in cells.items() if cell.reason is not None},
        {place: cell.limit for place, cell in cells.items() if cell.limit is not None},
        {place: cell.known for place, cell in cells.items() if cell.cost is not None},
    )


class _Cell(NamedTuple):
    cost: Fraction | None
    reason: str | None
    limit: int | None
    known: Known = "unknown"


class _Buyer(NamedTuple):
    expectation: Expectation
    workload: Workload
    selection: Selection

    def cell(self, name: str, month: Month, ahead: int, wanted: str, fx: ExchangeTable | None) -> _Cell:
        """Return the cost of a month in one currency, or why there is none, and what the lists say of both."""
        limit = self.limit(name, month)
        try:
            found = month_cost(self.expectation, self.workload, name, month, months_ahead=ahead, selection=self.selection)
        except WorkloadError as error:  # tiers that the description says too little for
            return _Cell(None, str(error), limit)
        if found.unpriced:
            return _Cell(None, "; ".join(_told(found)), limit)
        sums = found.by_currency
        total = sum((cost * _factor(currency, wanted, fx, found) for currency, cost in sums.items()), Fraction(0))
        chosen = [self.selection._replace(currency=currency) for currency in sums]
        words: list[Known] = [word_of_month(self.expectation, self.workload, name, month, each) for each in chosen]
        return _Cell(total, None, limit, weakest(words))

    def limit(self, name: str, month: Month) -> int | None:
        """Return the largest request that the lists of a month price, where they say so."""
        limits: list[int] = []
        for segment in self.workload.segments:
            for choice in segment.choices:
                chosen = selection_of(self.expectation, segment, choice, name, month=month, selection=self.selection)
                spans = self.expectation.spans(name, month, segment.profile, selection=chosen)
                limits += [span.ladder.limit for span in spans if span.ladder is not None and span.ladder.limit is not None]
        return min(limits, default=None)


def _told(found: MonthCost) -> list[str]:
    """Say why requests of a month have no price, and how many where some have one."""
    whole = len(found.unpriced) == 1 and sum(found.unpriced.values()) == found.requests
    return [reason if whole else f"{float(count / found.requests):.0%} of requests: {reason}" for reason, count in found.unpriced.items()]


def _factor(currency: str, wanted: str, fx: ExchangeTable | None, found: MonthCost) -> Fraction:
    if currency == wanted:
        return Fraction(1)
    if fx is None:
        raise CurrencyError(
            f"the list of {found.offering} is in {currency}, not {wanted}; pass fx= with a dated exchange table",
            offering=found.offering,
            asked=wanted,
            available=(currency,),
        )
    done = fx.convert(Money(1, currency), wanted, at=found.month.start)
    return 1 / Fraction(done.rate.rate) if done.inverse else Fraction(done.rate.rate)

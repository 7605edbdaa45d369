"""Estimating: the expected cost of a month with all that belongs to it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import AllowanceNotice, CurrencyError, StalePriceWarning, UsageTypeError
from tokencost.rating.book import load_book
from tokencost.rating.timeline import STALE_AFTER, Selection
from tokencost.tariffs.clock import iso
from tokencost.tariffs.money import Money, currency_code
from tokencost.workloads.cost_estimate import CostQuantile, Estimate, Inputs, to_money
from tokencost.workloads.credits import credits_of
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.month_cost import month_cost
from tokencost.workloads.naive import naive_cost
from tokencost.workloads.profile import Month
from tokencost.workloads.share import share_of
from tokencost.workloads.simulated_months import simulate_months
from tokencost.workloads.simulation import checked_count
from tokencost.workloads.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokencost.errors import PriceWarning
    from tokencost.rating.book import Book
    from tokencost.rating.evidence import Evidence
    from tokencost.rating.timeline import Segment as Priced
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.workloads.credits import Credit
    from tokencost.workloads.simulated_months import SimulatedMonths

__all__ = ["Factors", "estimate", "factors_of", "warnings_of"]

_SPREAD_PLACES = 6


class Factors(NamedTuple):
    """The currency of a result, the factor from each currency of the list, and what to say about them."""

    currency: str
    by_currency: Mapping[str, Fraction]
    notes: tuple[str, ...]

    def total(self, amounts: Mapping[str, Fraction]) -> Fraction | None:
        """Return amounts in several currencies as one, None where one of them is not converted."""
        if not amounts.keys() <= self.by_currency.keys():
            return None
        return sum((amount * self.by_currency[currency] for currency, amount in amounts.items()), Fraction(0))


def estimate(
    workload: Workload,
    offering: str,
    *,
    month: Month | str,
    book: Book | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    residency: str | None = None,
    tenant: str | None = None,
    quantiles: Sequence[object] = (0.05, 0.5, 0.95),
    draws: int = 10_000,
    seed: int = 0,
) -> Estimate:
    """Return what a workload is expected to cost in a month, exactly, with its parts and its spread.

    The month is one of UTC, and its requests are those of the workload: growth belongs to later months. Each segment is integrated over its
    sizes, tier by tier, and over the clock, window by window; service tiers and modes are those of its segments. Without `currency` the
    cost is in that of the list; another one is converted with `fx` at the rate of the month's first day. `quantiles` come from `draws`
    simulated months; with `draws=0` nothing is simulated. Where some requests have no price there is no total and no quantile.

    Free quantities of the list are netted. What is free a day is worth at most what the expected use of that day costs; the use of a real
    day varies, so that the true credit is at most this one.

    >>> import tokencost as tc
    >>> office = tc.HourProfile.daily([0] * 9 + [1] * 9 + [0] * 6, zone="Asia/Shanghai", weekend=0)
    >>> chat = tc.Workload.described(requests=100_000, prompt=3_000, completion=400, profile=office)
    >>> result = tc.estimate(chat, "deepseek-v4-flash", month="2026-11", draws=0)
    >>> str(result.expected), str(result.naive), f"{result.gap_percent:.1f}"
    ('122.666666666667 USD', '83.0875 USD', '47.6')

    Raises:
        UnknownNameError, AmbiguousNameError: the offering's name is not clear.
        WorkloadError: a month that is none, a quantile outside 0 to 1, or laws under tiers that need points.
        UsageTypeError: something else than a workload.
        UsageError: a number of draws or a seed below 0.
    """
    if not isinstance(workload, Workload):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageTypeError(
            f"workload {workload!r:.80} is a {type(workload).__name__}; pass a Workload, made by Workload.described or Workload.from_trace",
            meter="workload",
            value=workload,
        )
    asked = Month.of(month)
    shares = sorted({share_of(share, what="quantile") for share in quantiles})
    checked_count(draws, "draws", least=0)
    checked_count(seed, "seed", least=0)
    expectation = Expectation(book or load_book())
    selection = Selection(currency=currency, residency=residency, tenant=tenant)
    cost = month_cost(expectation, workload, offering, asked, selection=selection)
    factors = factors_of(cost.by_currency, currency=currency, fx=fx, month=asked, prefer=expectation.book.currency)
    free, notes = credits_of(expectation, workload, cost, selection=selection)
    gross = factors.total(cost.by_currency) if cost.is_complete else None
    off = factors.total(_by_currency(free))
    exact = None if gross is None or off is None else gross - off
    naive = naive_cost(expectation, workload, offering, asked, selection=selection)
    if naive.reason is not None:
        notes = (*notes, f"mean size times mean price is not known: {naive.reason}")
    found, spread = (), None
    if draws and exact is not None and off is not None:
        simulated = simulate_months(expectation, workload, offering, asked, draws=draws, seed=seed, selection=selection)
        assert simulated is not None
        found, spread = _spread(simulated, shares, factors, off)
    return Estimate(
        workload=workload,
        offering=cost.offering,
        month=asked,
        currency=factors.currency,
        exact=exact,
        gross=gross,
        rows=cost.rows,
        credits=free,
        unpriced=cost.unpriced,
        naive_exact=None if naive.reason is not None else factors.total(naive.by_currency),
        quantiles=found,
        spread=spread,
        warnings=warnings_of(cost.priced, asked),
        evidence=_evidence(expectation.book, offering, cost.priced),
        notes=(*factors.notes, *notes),
        inputs=Inputs(expectation.book, selection, factors.by_currency),
    )


def _spread(
    simulated: SimulatedMonths, shares: Sequence[Fraction], factors: Factors, off: Fraction
) -> tuple[tuple[CostQuantile, ...], Money]:
    """Return the quantiles of simulated months after credits, and their standard deviation."""
    factor = factors.by_currency.get(simulated.currency, Fraction(1))

    def money(cost: float, less: Fraction) -> Money:
        return to_money(max(Fraction(cost) * factor - less, Fraction(0)), factors.currency, places=_SPREAD_PLACES)

    found = tuple(CostQuantile(share, money(simulated.quantile(float(share)), off)) for share in shares)
    return found, money(float(simulated.costs.std()), Fraction(0))


def _by_currency(free: Sequence[Credit]) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for own in free:
        found[own.currency] = found.get(own.currency, Fraction(0)) + own.amount
    return found


def factors_of(listed: Mapping[str, Fraction], *, currency: str | None, fx: ExchangeTable | None, month: Month, prefer: str) -> Factors:
    """Return how the currencies of a list become that of the result, at the rates of the month's first day.

    A currency that cannot be converted has no factor and a note that says so.
    """
    only = next(iter(listed)) if len(listed) == 1 else prefer
    wanted = only if currency is None else currency_code(currency)
    factors = {wanted: Fraction(1)}
    notes: list[str] = []
    for native in listed:
        if native == wanted:
            continue
        if fx is None:
            notes.append(f"the list is in {native}, not {wanted}; pass fx= with a dated exchange table")
            continue
        try:
            done = fx.convert(Money("1", native), wanted, at=month.start)
        except CurrencyError as error:
            notes.append(str(error))
        else:
            rate = Fraction(done.rate.rate)
            factors[native] = 1 / rate if done.inverse else rate
            notes.append(f"converted at {done.rate.rate} {done.rate.target} per {done.rate.base} of {done.rate.on} ({done.rate.source})")
    return Factors(wanted, factors, tuple(notes))


def warnings_of(priced: Sequence[Priced], month: Month) -> tuple[PriceWarning, ...]:
    """Return what is to be known about the prices of a month: announced, promotional, of uncertain date, or last checked long before.

    Free quantities are left out: an estimate nets them.
    """
    found: dict[str, PriceWarning] = {}
    for span in priced:
        for notice in span.notices:
            if not isinstance(notice, AllowanceNotice):
                found.setdefault(str(notice), notice)
        last = min(span.until, month.until)
        if last > span.stale:
            checked = span.span.version.checked
            text = f"the price was last checked on {checked}, more than {STALE_AFTER.days} days before {iso(last)}; it may have changed"
            found.setdefault(text, StalePriceWarning(text, checked=checked, at=last))
    return tuple(found.values())


def _evidence(book: Book, offering: str, priced: Sequence[Priced]) -> tuple[Evidence, ...]:
    """Return how the prices are known, each list once."""
    line = book.timeline(offering)
    return tuple(dict.fromkeys(line.evidence(span) for span in sorted(priced, key=lambda span: span.start)))

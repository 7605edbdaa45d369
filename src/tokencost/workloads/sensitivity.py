"""Sensitivities: by how much the cost of a month changes when one figure of the workload does, each evaluated exactly."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import NoRateError, TokencostError, WorkloadError
from tokencost.table import Column, Table
from tokencost.workloads.cost_estimate import shown_money, to_money
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.hit_rate import hit_rate
from tokencost.workloads.month_cost import month_cost, selection_of
from tokencost.workloads.profile import HourProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.tariffs.money import Money
    from tokencost.workloads.cost_estimate import Estimate
    from tokencost.workloads.expectation import Expected
    from tokencost.workloads.profile import Month
    from tokencost.workloads.segment import Choice, Segment
    from tokencost.workloads.workload import Workload

__all__ = ["Sensitivity", "SensitivityRow", "sensitivity", "sensitivity_of"]

_POINTS: Final = Fraction(1, 10)
_GROWTH: Final = Fraction(1, 100)
_MONTHS: Final = 12


class SensitivityRow(NamedTuple):
    """One figure changed: what the workload costs then, and the difference, over so many months."""

    driver: str
    change: str
    cost: Money
    difference: Money
    percent: Decimal
    months: int


class Sensitivity(NamedTuple):
    """What drives the cost of a month, the largest relative change first; `left_out` says which drivers do not apply, and why.

    Costs are before credits. Changes to a share stop at its limits: at 0, and at all that there is.

    >>> import tokencost as tc
    >>> chat = tc.Workload.described(requests=100_000, prompt=3_000, completion=400, cached=0.5)
    >>> for row in tc.sensitivity(chat, "gpt-4o", month="2026-03").rows[:3]:
    ...     print(row.driver, row.change, row.difference)
    growth +1 point a month 656.909150202086 USD
    completion length +10 % 40.00 USD
    completion length -10 % -40.00 USD
    """

    title: str
    base: Money
    rows: tuple[SensitivityRow, ...]
    left_out: tuple[str, ...]

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each row, ready for a data frame."""
        return [
            {**row._asdict(), "cost": row.cost.amount, "difference": row.difference.amount, "currency": row.cost.currency}
            for row in self.rows
        ]

    def table(self) -> Table:
        """Return the sensitivities as a table for eyes."""
        columns = (Column("driver"), Column("change"), Column("difference", number=True), Column("%", number=True), Column("over"))
        rows = [
            (
                row.driver,
                row.change,
                shown_money(row.difference, signed=True),
                f"{row.percent:+.1f}",
                "1 month" if row.months == 1 else f"{row.months} months",
            )
            for row in self.rows
        ]
        return Table(self.title, columns, tuple(rows), tuple(f"left out: {reason}" for reason in self.left_out))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


class _Change(NamedTuple):
    """A change of one figure: the difference, of which cost."""

    driver: str
    change: str
    difference: Fraction
    base: Fraction
    months: int = 1


class _NotApplicable(Exception):  # noqa: N818 - not an error: it is told, not raised to the caller
    """Why a driver does not apply."""


def sensitivity(
    workload: Workload,
    offering: str,
    *,
    month: Month | str,
    book: Book | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> Sensitivity:
    """Return what drives the cost of a workload on one offering.

    Five figures are changed, one at a time, and the cost is evaluated again exactly: the hit rate by 10 points, the length of completions
    by 10 %, growth by one point a month over twelve months at the prices of this one, the share of requests at peak hours by 10 points, and
    the share sent in batch by 10 points.

    Raises:
        UnknownNameError, AmbiguousNameError: the name is not clear.
        WorkloadError: some requests have no price, or one that is not converted.
    """
    from tokencost.workloads.estimate import estimate

    made = estimate(
        workload, offering, month=month, book=book, currency=currency, fx=fx, residency=residency, tenant=tenant, quantiles=(), draws=0
    )
    return sensitivity_of(made)


def sensitivity_of(estimate: Estimate) -> Sensitivity:
    """Return what drives the cost of an estimate.

    Raises:
        WorkloadError: some requests have no price, or one that is not converted.
    """
    if estimate.gross is None:
        why = next(iter((*estimate.unpriced, *estimate.notes)), "no total")
        raise WorkloadError(f"there is no total to change on {estimate.offering}: {why}", meter="cost", value=None)
    study = _Study(estimate, estimate.gross)
    changes: list[_Change] = []
    left_out: list[str] = []
    for driver, changed in study.drivers.items():
        try:
            changes += changed()
        except _NotApplicable as reason:
            left_out.append(f"{driver}, {reason}")
    changes.sort(key=lambda own: -abs(own.difference / own.base) if own.base else Fraction(0))
    currency = estimate.currency
    rows = tuple(
        SensitivityRow(
            own.driver,
            own.change,
            to_money(own.base + own.difference, currency),
            to_money(own.difference, currency),
            to_money(own.difference / own.base * 100 if own.base else Fraction(0), currency, places=4).amount,
            own.months,
        )
        for own in changes
    )
    base = to_money(estimate.gross, currency)
    title = f"what drives {estimate.workload.title} on {estimate.offering} in {estimate.month}: {shown_money(base)} {currency}"
    return Sensitivity(title, base, rows, tuple(left_out))


class _Study:
    """One estimate, evaluated again and again with one figure changed."""

    def __init__(self, estimate: Estimate, base: Fraction) -> None:
        self.workload, self.offering, self.month = estimate.workload, estimate.offering, estimate.month
        self.selection, self.factors = estimate.inputs.selection, estimate.inputs.factors
        self.expectation = Expectation(estimate.inputs.book)
        self.base = base
        self.drivers: Mapping[str, Callable[[], list[_Change]]] = {
            "hit rate": self.hits,
            "completion length": self.lengths,
            "growth": self.growth,
            "share in peak": self.peak,
            "batch share": self.batch,
        }

    def cost(self, workload: Workload) -> Fraction:
        """Return the cost of a workload.

        Raises:
            _NotApplicable: some of its requests have no price.
        """
        try:
            found = month_cost(self.expectation, workload, self.offering, self.month, selection=self.selection)
        except WorkloadError as error:
            raise _NotApplicable(str(error)) from error
        if not found.is_complete:
            raise _NotApplicable(next(iter(found.unpriced)))
        return sum((cost * self.factors[currency] for currency, cost in found.by_currency.items()), Fraction(0))

    def hits(self) -> list[_Change]:
        """Read ten points more and less of every prompt from the cache."""
        if not any(hit_rate(segment.sizes).most for segment in self.workload.segments):
            raise _NotApplicable("for there is no prompt")
        now = self.cost(self._with_hits(Fraction(0)))  # requests whose hits differ are made alike, on both sides
        made = [(told, self.cost(self._with_hits(step)) - now) for told, step in (("+10 points", _POINTS), ("-10 points", -_POINTS))]
        if not any(difference for _, difference in made):
            raise _NotApplicable(f"for {self.offering} bills cached prompts like others")
        return [_Change("hit rate", told, difference, self.base) for told, difference in made if difference]

    def _with_hits(self, step: Fraction) -> Workload:
        segments: list[Segment] = []
        for segment in self.workload.segments:
            known = hit_rate(segment.sizes)
            segments.append(segment.with_cached(min(max(known.share + step, Fraction(0)), known.most)) if known.most else segment)
        return replace(self.workload, segments=tuple(segments))

    def lengths(self) -> list[_Change]:
        """Make completions a tenth longer and shorter."""
        steps = (("+10 %", 1 + _POINTS), ("-10 %", 1 - _POINTS))
        made = [(told, self.cost(self.workload.with_completion(factor)) - self.base) for told, factor in steps]
        if not any(difference for _, difference in made):
            raise _NotApplicable("for there is none, or none that a tenth would change")
        return [_Change("completion length", told, difference, self.base) for told, difference in made]

    def growth(self) -> list[_Change]:
        """Let requests grow a point faster for twelve months, at the prices of this one."""
        base = changed = Fraction(0)
        for segment in self.workload.segments:
            cost = self.cost(replace(self.workload, segments=(segment,)))
            rate = self.workload.growth_of(segment)
            base += cost * sum((1 + rate) ** ahead for ahead in range(_MONTHS))
            changed += cost * sum((1 + rate + _GROWTH) ** ahead for ahead in range(_MONTHS))
        return [_Change("growth", "+1 point a month", changed - base, base, _MONTHS)]

    def peak(self) -> list[_Change]:
        """Move ten points of the requests into the dearest window and out of it, the others in proportion."""
        steps = {"+10 points": _POINTS, "-10 points": -_POINTS}
        sums = dict.fromkeys(steps, Fraction(0))
        windowed = False
        for segment in self.workload.segments:
            for choice in segment.choices:
                known = self._windows(segment, choice)
                if known is None:
                    continue
                windowed = True
                for told, step in steps.items():
                    moved = min(max(known.share + step, Fraction(0)), Fraction(1)) - known.share
                    sums[told] += segment.requests * choice.share * moved * (known.peak - known.other)
        if not windowed:
            raise _NotApplicable(f"for the prices of {self.offering} have no windows in {self.month}")
        return [_Change("share in peak", told, difference, self.base) for told, difference in sums.items() if difference]

    def _windows(self, segment: Segment, choice: Choice) -> _Peak | None:
        """Return what requests cost in the dearest window and in the others, None where there is but one."""
        chosen = selection_of(self.expectation, segment, choice, self.offering, month=self.month, selection=self.selection)

        def rows(profile: HourProfile) -> dict[str, _Window]:
            found = self.expectation.month(self.offering, segment.sizes, self.month, profile, selection=chosen)
            return {name: own for name, own in self._by_window(found) if own.share}

        here, clock = rows(segment.profile), rows(HourProfile.even())
        if len(clock) < 2:  # noqa: PLR2004
            return None
        cost = {name: here.get(name, own).cost for name, own in clock.items()}
        dearest = max(cost, key=lambda name: cost[name])
        share = here[dearest].share if dearest in here else Fraction(0)
        rest = {name: own for name, own in (here if share < 1 else clock).items() if name != dearest}
        whole = sum((own.share for own in rest.values()), Fraction(0))
        return _Peak(share, cost[dearest], sum((own.share * cost[name] for name, own in rest.items()), Fraction(0)) / whole)

    def _by_window(self, found: list[Expected]) -> Iterator[tuple[str, _Window]]:
        """Yield each window with its share of requests and what one of them costs."""
        shares: dict[str, Fraction] = {}
        costs: dict[str, Fraction] = {}
        for row in found:
            if row.window is None or row.currency is None:
                continue
            shares[row.window] = shares.get(row.window, Fraction(0)) + row.share
            costs[row.window] = costs.get(row.window, Fraction(0)) + row.share * row.cost.total * self.factors.get(
                row.currency, Fraction(0)
            )
        return ((name, _Window(share, costs[name] / share)) for name, share in shares.items())

    def batch(self) -> list[_Change]:
        """Send ten points of the requests in batch that are sent at the standard price, and back."""
        changes: list[_Change] = []
        for told, step in (("+10 points", _POINTS), ("-10 points", -_POINTS)):
            moved = self._with_batch(step)
            if moved is not None:
                changes.append(_Change("batch share", told, self._batch_cost(moved) - self.base, self.base))
        if not changes:
            raise _NotApplicable("for no request is sent at the standard price")
        return changes

    def _with_batch(self, step: Fraction) -> Workload | None:
        segments: list[Segment] = []
        for segment in self.workload.segments:
            tiers = dict(segment.service_tiers)
            standard, batch = tiers.get("standard", Fraction(0)), tiers.get("batch", Fraction(0))
            moved = min(max(step, -batch), standard)
            segments.append(replace(segment, service_tiers={**tiers, "standard": standard - moved, "batch": batch + moved}))
        changed = replace(self.workload, segments=tuple(segments))
        return None if changed == self.workload else changed

    def _batch_cost(self, workload: Workload) -> Fraction:
        chosen = self.selection._replace(service_tier="batch")
        try:
            self.expectation.book.timeline(self.offering, **chosen._asdict()).segment(self.month.start)
        except NoRateError as error:
            raise _NotApplicable(f"for {self.offering} has no batch list") from error
        except TokencostError:
            pass  # the cost itself says what is missing
        return self.cost(workload)


class _Window(NamedTuple):
    """The share of requests in a window, and what one of them costs."""

    share: Fraction
    cost: Fraction


class _Peak(NamedTuple):
    """The share of requests in the dearest window, and what a request costs there and elsewhere."""

    share: Fraction
    peak: Fraction
    other: Fraction

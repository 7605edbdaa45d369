"""Described workloads on an offering: the expected cost of each segment, at one instant or over a month, exactly."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import CurrencyError, TokencostError, UsageError, UsageTypeError, WorkloadError
from tokencost.rating.usage import Usage
from tokencost.tariffs.clock import to_instant
from tokencost.workloads.expectation import Expectation, Expected, RequestCost, request_cost
from tokencost.workloads.prices import NO_PRICE, Prices
from tokencost.workloads.profile import Month
from tokencost.workloads.segment import Segment
from tokencost.workloads.trace import Trace
from tokencost.workloads.workload import Workload

if TYPE_CHECKING:
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.card import Ladder
    from tokencost.rating.timeline import Selection
    from tokencost.workloads.segment import Choice
    from tokencost.workloads.sizes import Sizes

__all__ = ["Reckoner", "SegmentExpectation", "choices_of", "workload_of"]

_PLAIN_TIERS = {"standard": 1}
_PLAIN_MODES = {"none": 1}


class SegmentExpectation(NamedTuple):
    """What the requests of one segment are expected to cost on an offering.

    `by_currency` is the cost of those with a price, `unpriced` maps the reason why some have none to how many are expected, `offerings`
    are those whose list was used.
    """

    segment: Segment
    by_currency: dict[str, Fraction]
    unpriced: dict[str, Fraction]
    offerings: tuple[str, ...]


class Reckoner:
    """Expected costs under one book, at one instant or over one month; what is worked out once is kept.

    Raises:
        UsageError: neither an instant nor a month, or both.
        WorkloadError: the month is none.
    """

    def __init__(self, book: Book, selection: Selection, *, at: datetime | str | None = None, month: Month | str | None = None) -> None:
        if (at is None) == (month is None):
            told = "both at= and month=" if at is not None else "neither at= nor month="
            raise UsageError(f"{told} were passed; pass one instant, or one month like month='2026-11'", meter="at", value=at)
        self.book = book
        self.selection = selection.checked()
        self.month = None if month is None else Month.of(month)
        self.at = None if at is None else to_instant(at)
        self._expectation = None if month is None else Expectation(book)
        self._costs: dict[tuple[int, int], tuple[Sizes, Ladder, RequestCost]] = {}

    @property
    def exchanged_at(self) -> datetime:
        """The instant whose exchange rate is taken: the one that is asked about, or the beginning of the month."""
        if self.at is not None:
            return self.at
        assert self.month is not None
        return self.month.start

    def segments(self, workload: Workload, name: str) -> list[SegmentExpectation]:
        """Return the expected cost of every segment of a workload on an offering.

        Raises:
            UnknownNameError, AmbiguousNameError: the name is not clear.
            WorkloadError: another service tier or mode is asked for than the workload describes.
        """
        return [self.segment(segment, name) for segment in workload.segments]

    def segment(self, segment: Segment, name: str) -> SegmentExpectation:
        """Return the expected cost of the requests of one segment on an offering."""
        costs: dict[str, Fraction] = {}
        unpriced: dict[str, Fraction] = {}
        used: dict[str, None] = {}
        for choice in choices_of(segment, self.selection):
            for row in self.expected(segment, choice, name):
                requests = segment.requests * choice.share * row.share
                if row.priced is not None:
                    used[row.priced.span.tariff.id] = None
                    assert row.currency is not None
                    if row.cost.unpriced < 1:
                        costs[row.currency] = costs.get(row.currency, Fraction(0)) + requests * row.cost.total
                if row.cost.unpriced:
                    reason = str(row.cost.reason)
                    unpriced[reason] = unpriced.get(reason, Fraction(0)) + requests * row.cost.unpriced
        return SegmentExpectation(segment, costs, unpriced, tuple(used))

    def expected(self, segment: Segment, choice: Choice, name: str) -> list[Expected]:
        """Return the expected cost of one request of a segment, a row for each list and window that it can meet."""
        selection = self.selection._replace(service_tier=choice.service_tier, mode=choice.mode)
        try:
            if self.at is not None:
                return [self._at(segment.sizes, Prices(self.book, name, selection), self.at)]
            return self._in_month(segment, name, selection)
        except WorkloadError as error:  # tiers that the description says too little for
            return [_nothing(error)]

    def windows(self, segment: Segment, name: str) -> list[tuple[Choice, list[Expected]]]:
        """Return the expected costs of a request in every window that there is, for each service tier and mode of a segment.

        Over a month a window has the share that the profile gives it; at one instant all windows of its list stand side by side.

        Raises:
            WorkloadError: at one instant, a list with more than two windows.
        """
        made: list[tuple[Choice, list[Expected]]] = []
        for choice in choices_of(segment, self.selection):
            rows = self.expected(segment, choice, name)
            first = rows[0]
            if self.at is not None and first.priced is not None and first.window is not None:
                ladders, tiering = first.priced.ladders, first.priced.span.tariff.tiering
                if len(ladders) > 2:  # noqa: PLR2004
                    raise WorkloadError(
                        f"{name} has the windows {', '.join(map(str, ladders))} at one instant; pass month=, where the profile weighs them",
                        meter="at",
                        value=self.at,
                    )
                share = Fraction(1, len(ladders))
                rows = [
                    first._replace(share=share, window=window, cost=self.cost(ladder, segment.sizes, tiering=tiering))
                    for window, ladder in ladders.items()
                ]
            made.append((choice, rows))
        return made

    def cost(self, ladder: Ladder, sizes: Sizes, *, tiering: str) -> RequestCost:
        """Return the expected cost of one request under some context tiers, worked out once."""
        key = (id(ladder), id(sizes))
        if key not in self._costs:  # both are kept, so that their ids stay theirs
            self._costs[key] = sizes, ladder, request_cost(ladder, sizes, tiering=tiering)
        return self._costs[key][2]

    def _at(self, sizes: Sizes, prices: Prices, at: datetime) -> Expected:
        stretch = prices.stretch(at)
        if stretch.segment is None:
            assert isinstance(stretch.reason, TokencostError)
            return _nothing(stretch.reason)
        priced = stretch.segment
        try:
            window = priced.window(at)
        except NO_PRICE as error:
            return _nothing(error)
        cost = self.cost(priced.ladders[window], sizes, tiering=priced.span.tariff.tiering)
        return Expected(Fraction(1), window, priced.choice.currency, cost, priced)

    def _in_month(self, segment: Segment, name: str, selection: Selection) -> list[Expected]:
        assert self._expectation is not None
        assert self.month is not None
        found = self._expectation.month(name, segment.sizes, self.month, segment.profile, selection=selection)
        for row in found:
            if isinstance(row.cost.reason, CurrencyError) and row.cost.reason.available:
                listed = row.cost.reason.available
                other = self.book.currency if self.book.currency in listed else listed[0]
                chosen = selection._replace(currency=other)
                return self._expectation.month(name, segment.sizes, self.month, segment.profile, selection=chosen)
        return found


def choices_of(segment: Segment, selection: Selection) -> tuple[Choice, ...]:
    """Return the service tiers and modes of a segment, or those of the selection where the segment describes none.

    Raises:
        WorkloadError: both say something.
    """
    for what, asked, plain, described in (
        ("service_tier", selection.service_tier != "standard", _PLAIN_TIERS, segment.service_tiers),
        ("mode", selection.mode is not None, _PLAIN_MODES, segment.modes),
    ):
        if asked and dict(described) != plain:
            raise WorkloadError(
                f"{what}={getattr(selection, what)!r} was asked for, and segment {segment.name!r} describes its own {what}s; leave one out",
                meter=what,
                value=getattr(selection, what),
            )
    return tuple(
        choice._replace(
            service_tier=selection.service_tier if selection.service_tier != "standard" else choice.service_tier,
            mode=selection.mode if selection.mode is not None else choice.mode,
        )
        for choice in segment.choices
    )


def workload_of(workload: Trace | Workload | Usage | Iterable[Usage]) -> Workload:
    """Return demand of any kind as a workload: the rows of a trace as they came, each usage as a request.

    Raises:
        UsageError: there is nothing to rate.
        UsageTypeError: something that is no usage.
    """
    if isinstance(workload, Workload):
        return workload
    if isinstance(workload, Trace):
        return Workload.from_trace(workload)
    usages = list(workload) if isinstance(workload, Iterable) and not isinstance(workload, (Usage, str)) else [workload]
    for usage in usages:
        if not isinstance(usage, Usage):
            raise UsageTypeError(
                f"workload {usage!r} is a {type(usage).__name__}, not usage; pass a Usage, a Workload, or read_trace(path)",
                meter="workload",
                value=usage,
            )
    names = ["usage"] if len(usages) == 1 else [f"usage {number}" for number in range(1, len(usages) + 1)]
    made = (Segment(name, 1, usage) for name, usage in zip(names, usages, strict=True) if isinstance(usage, Usage))
    return Workload("usage", tuple(made))


def _nothing(reason: TokencostError) -> Expected:
    return Expected(Fraction(1), None, None, RequestCost({}, Fraction(1), reason), None)

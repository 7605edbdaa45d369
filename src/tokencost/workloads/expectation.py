"""Expectations: what a segment of a workload costs in a month, integrated over sizes and hours, exactly.

A month is cut where a price changes or a window begins. Each stretch has the share of requests that its hours draw; each context tier has
the part of the requests that fall into it. Cost is linear within both, so that sums of products of fractions are the expected cost:
not the price of a mean request, which tiers make wrong, nor the mean of prices, which windows make wrong.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.errors import AboveListError, LayerError, TokencostError, UnpricedMeterError, WorkloadError
from tokencost.rating.card import graduated
from tokencost.rating.plan import instant_of, micros
from tokencost.rating.timeline import Selection
from tokencost.rating.usage import Usage
from tokencost.workloads.sizes import EVERYTHING, Drawn, Points, Region

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.card import Cell, Ladder
    from tokencost.rating.timeline import Segment as Priced
    from tokencost.workloads.profile import HourProfile, Month
    from tokencost.workloads.sizes import Sizes

__all__ = ["Expectation", "Expected", "RequestCost", "Span", "amount_of", "request_cost"]

_CERTAIN: Final = Fraction(1)


class RequestCost(NamedTuple):
    """The expected cost of one request, by meter, in units of the currency; and the probability and reason of having no price."""

    by_meter: dict[str, Fraction]
    unpriced: Fraction = Fraction(0)
    reason: TokencostError | None = None

    @property
    def total(self) -> Fraction:
        """The cost of all meters together."""
        return sum(self.by_meter.values(), Fraction(0))


class Span(NamedTuple):
    """A stretch of a month under one list and one window: the share of requests that it draws, and why it has no price, if so."""

    start: datetime
    share: Fraction
    ladder: Ladder | None
    priced: Priced | None
    window: str | None
    reason: TokencostError | None


class Expected(NamedTuple):
    """The expected cost of one request in one window of a month: its share of requests, its currency, and what the request costs."""

    share: Fraction
    window: str | None
    currency: str | None
    cost: RequestCost
    priced: Priced | None


class Expectation:
    """Expected costs under one book; what is worked out once is kept for the next month and the next workload.

    >>> import tokencost as tc
    >>> from tokencost.workloads.law import Law
    >>> from tokencost.workloads.profile import HourProfile, Month
    >>> sizes = Drawn(Law.fixed(1_000_000), Law.fixed(0))
    >>> rows = Expectation(tc.load_book()).month("deepseek-reasoner", sizes, Month.of("2025-03"), HourProfile.even())
    >>> [(row.window, str(row.share), str(row.cost.total)) for row in rows]
    [('off_peak', '1/3', '27/200'), ('peak', '2/3', '11/20')]
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.plan = book.plan()
        self._costs: dict[tuple[int, int], tuple[Sizes, RequestCost]] = {}
        self._spans: dict[tuple[int, Month, HourProfile], list[Span]] = {}

    def month(self, name: str, sizes: Sizes, month: Month, profile: HourProfile, *, selection: Selection | None = None) -> list[Expected]:
        """Return the expected cost of a request made in a month, a row for each list and window of it.

        Raises:
            UnknownNameError, AmbiguousNameError: the name is not clear.
            LayerError: two layers of the book claim one rate.
        """
        rows: dict[tuple[object, ...], Expected] = {}
        for span in self.spans(name, month, profile, selection=selection):
            if span.ladder is None or span.priced is None:
                assert span.reason is not None
                key: tuple[object, ...] = (type(span.reason),)
                row = Expected(span.share, None, None, RequestCost({}, Fraction(1), span.reason), None)
            else:
                key = (id(span.ladder),)
                cost = self.cost(span.ladder, sizes, tiering=span.priced.span.tariff.tiering)
                row = Expected(span.share, span.window, span.priced.choice.currency, cost, span.priced)
            known = rows.get(key)
            rows[key] = row if known is None else known._replace(share=known.share + span.share)
        return list(rows.values())

    def cost(self, ladder: Ladder, sizes: Sizes, *, tiering: str) -> RequestCost:
        """Return the expected cost of a request under the context tiers of one window."""
        key = (id(ladder), id(sizes))
        if key not in self._costs:
            self._costs[key] = sizes, request_cost(ladder, sizes, tiering=tiering)  # the sizes are kept, so that their id stays theirs
        return self._costs[key][1]

    def spans(self, name: str, month: Month, profile: HourProfile, *, selection: Selection | None = None) -> list[Span]:
        """Return the stretches of a month that have demand."""
        self.book.resolve(name)
        first, last = micros(month.start), micros(month.until)
        self.plan.cover(first, last - 1)
        line = self.plan.line(name, selection or Selection())
        key = (line, month, profile)
        if key not in self._spans:
            self._spans[key] = list(self._stretches(line, month, profile))
        return self._spans[key]

    def _stretches(self, line: int, month: Month, profile: HourProfile) -> Iterator[Span]:
        starts, entries = self.plan.starts[line], self.plan.entries[line]
        first, last = micros(month.start), micros(month.until)
        low, high = int(np.searchsorted(starts, first, side="right")) - 1, int(np.searchsorted(starts, last, side="left"))
        instants = [month.start, *(instant_of(int(start)) for start in starts[low + 1 : high]), month.until]
        masses = profile.mass(instants, month=month)
        for place, entry in enumerate(int(entry) for entry in entries[low:high]):
            share = Fraction(masses[place + 1] - masses[place], masses[-1])
            if not share:
                continue
            if entry < 0:
                yield Span(instants[place], share, None, None, None, self._reason(line, instants[place]))
            else:
                ladder, priced = self.plan.ladders[entry], self.plan.segments[entry]
                window = next(name for name, own in priced.ladders.items() if own is ladder)
                yield Span(instants[place], share, ladder, priced, window, None)

    def _reason(self, line: int, at: datetime) -> TokencostError:
        """Return why there is no price at an instant, in the words of a single request."""
        try:
            self.plan.timeline(line).segment(at).ladder(at)
        except LayerError:  # no price that is missing, but two that claim the same
            raise
        except TokencostError as error:
            return error
        raise AssertionError("a stretch without a ladder has a reason")


# -- one ladder ----------------------------------------------------------------------------------------------------------------------------


def request_cost(ladder: Ladder, sizes: Sizes, *, tiering: str = "cliff") -> RequestCost:
    """Return the expected cost of one request under the context tiers of one window.

    Raises:
        WorkloadError: sizes drawn from laws, under tiers that look at prompt and completion together, or are graduated.
    """
    if (
        isinstance(sizes, Points)
        and tiering != "graduated"
        and any(_is_uneven(cell, meter) for cell in ladder.cells for meter in sizes.means)
    ):
        return _one_by_one(ladder, sizes, tiering=tiering)  # some requests cost, or lack, what others do not
    if ladder.flat is not None:
        return _in_cells([(EVERYTHING, ladder.flat)], sizes)
    if tiering == "graduated" or ladder.on_total:
        if isinstance(sizes, Drawn) or (tiering == "graduated" and sizes.cached is not None):
            raise WorkloadError(
                "these context tiers are graduated or count prompt and completion together; "
                "list the sizes as points, with their own cache reads",
                meter="size",
                value=sizes,
            )
        return _one_by_one(ladder, sizes, tiering=tiering)
    return _in_cells(list(_regions(ladder)), sizes)


def _regions(ladder: Ladder) -> Iterator[tuple[Region, Cell | TokencostError]]:
    """Yield the rectangles of prompt and completion within which one cell applies, or none."""
    limits = [] if ladder.limit is None else [ladder.limit + 1]
    inputs = sorted({0, *(first for first, _, _, _ in ladder.steps), *limits})
    outputs = sorted({0, *(first for _, _, first, _ in ladder.steps), *(upto + 1 for *_, upto in ladder.steps if upto is not None)})
    for first_input, next_input in zip(inputs, [*inputs[1:], None], strict=True):
        for first_output, next_output in zip(outputs, [*outputs[1:], None], strict=True):
            region = Region(
                first_input,
                None if next_input is None else next_input - 1,
                first_output,
                None if next_output is None else next_output - 1,
            )
            try:
                yield region, ladder.cell(Usage(input=first_input, output=first_output))
            except AboveListError as error:
                yield region, _above(ladder, error, "input" if first_input in limits else "output")


def _above(ladder: Ladder, error: AboveListError, what: str) -> AboveListError:
    """Return the reason why all requests of a region have no price, in words for many of them."""
    scope = ladder.cells[0].scope
    return AboveListError(
        f"{scope.offering} prices no request of more than {error.limit:,} {what} tokens in {scope.currency}; "
        "split such requests or take another offering",
        **error.facts,
    )


def _in_cells(regions: list[tuple[Region, Cell | TokencostError]] | list[tuple[Region, Cell]], sizes: Sizes) -> RequestCost:
    by_meter: dict[str, Fraction] = {}
    unpriced, reason = Fraction(0), None
    for region, cell in regions:
        part = sizes.part(region)
        if not part.probability:
            continue
        try:
            if isinstance(cell, TokencostError):
                raise cell
            amounts = {meter: amount_of(cell, meter, count, part.probability) for meter, count in part.counts.items() if count}
        except (AboveListError, UnpricedMeterError) as error:
            unpriced, reason = unpriced + part.probability, error
        else:
            for meter, amount in amounts.items():
                by_meter[meter] = by_meter.get(meter, Fraction(0)) + amount
    return RequestCost(by_meter, unpriced, reason)


def amount_of(cell: Cell, meter: str, count: Fraction, probability: Fraction = _CERTAIN) -> Fraction:
    """Return the expected amount of a meter, of which a count is expected in a region of some probability."""
    if meter in cell.minimum:  # never part of a prompt: each request in the region has the same count
        return probability * cell.amount(meter, round(count / probability))
    if meter in cell.rates:
        return count * Fraction(cell.rates[meter], 10**cell.scale)
    if meter in cell.odd:
        return count * cell.odd[meter]
    raise cell.unpriced(meter)


def _one_by_one(ladder: Ladder, sizes: Points, *, tiering: str) -> RequestCost:
    by_meter: dict[str, Fraction] = {}
    unpriced, reason = Fraction(0), None
    for usage, weight in sizes.rows:
        part = weight / sizes.total
        try:
            amounts = list(_amounts(ladder, usage, sizes, tiering=tiering))
        except (AboveListError, UnpricedMeterError) as error:
            unpriced, reason = unpriced + part, error
        else:
            for meter, amount in amounts:
                by_meter[meter] = by_meter.get(meter, Fraction(0)) + part * amount
    return RequestCost(by_meter, unpriced, reason)


def _amounts(ladder: Ladder, usage: Usage, sizes: Points, *, tiering: str) -> Iterator[tuple[str, Fraction]]:
    """Yield what each meter of one request costs."""
    if tiering == "graduated" and ladder.flat is None:
        for cell, own in graduated(ladder, usage):
            yield from ((meter, cell.amount(meter, count)) for meter, count in own.counts.items())
        return
    cell = ladder.cell(usage)
    counts = sizes.recached({meter: Fraction(count) for meter, count in usage.counts.items()})
    yield from ((meter, amount_of(cell, meter, count)) for meter, count in counts.items() if count)


def _is_uneven(cell: Cell, meter: str) -> bool:
    return meter in cell.minimum or not (meter in cell.rates or meter in cell.odd)

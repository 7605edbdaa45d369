"""Many workloads on many offerings at one instant: a matrix product of integers, which equals the comparisons one by one.

What a workload needs of an offering is how much of each meter falls into each of its context tiers. Offerings share tiers: what lies at
or below an edge is worked out once for every edge that any of them has. Rates and counts are brought to common denominators, and each set
of tiers is one product.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from tokencost.errors import AboveListError, TokencostError, UsageError, UsageTypeError
from tokencost.rating.book import load_book
from tokencost.rating.timeline import Selection
from tokencost.rating.usage import Usage
from tokencost.tariffs.clock import to_instant
from tokencost.workloads.cost_grid import CostGrid
from tokencost.workloads.demand import Demand
from tokencost.workloads.described import Reckoner, workload_of
from tokencost.workloads.expectation import request_cost
from tokencost.workloads.prices import NO_PRICE, Prices
from tokencost.workloads.raters import ExpectedRater, RequestRater
from tokencost.workloads.sizes import EVERYTHING, Points, Region
from tokencost.workloads.tally import Exchange
from tokencost.workloads.tier_parts import TierParts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from tokencost.rating.book import Book
    from tokencost.rating.card import Cell, Ladder
    from tokencost.workloads.tier_parts import Corner, Way
    from tokencost.workloads.trace import Trace
    from tokencost.workloads.workload import Workload

__all__ = ["compare_many"]

_SEVERAL: Final = "its lists for the service tiers and modes of this workload are in several currencies; compare them apart"


class _Column(NamedTuple):
    """One offering under one service tier and mode: its regions of one cell each; without any, every workload is rated apart."""

    place: int
    currency: str
    regions: tuple[tuple[Region, Cell | TokencostError], ...]


def compare_many(
    workloads: Sequence[Workload | Usage | Trace],
    offerings: Sequence[str],
    *,
    at: datetime | str,
    book: Book | None = None,
    currency: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> CostGrid:
    """Rate many workloads on many offerings at one instant: exactly what `compare` gives for each, at once.

    Every cell is in the currency of the offering's list: `currency`, else the book's, else the one that there is.

    >>> import tokencost as tc
    >>> both = [tc.load_workload(name) for name in ("chat", "short-chat")]
    >>> [choice.offering for choice in tc.compare_many(both, ["gpt-4o", "o1"], at="2025-02-01T12:00:00Z").cheapest()]
    ['openai/global/gpt-4o', 'openai/global/gpt-4o']

    Raises:
        UnknownNameError, AmbiguousNameError: an offering's name is not clear.
        UsageError: there is no workload, or no offering.
        InstantError: the instant is naive or no instant.
        LayerError: two layers of the book claim one rate.
    """
    book, instant = book or load_book(), to_instant(at)
    for what, given in (("offerings", offerings), ("workloads", workloads)):
        if isinstance(given, (str, Usage)) or not hasattr(given, "__len__"):
            raise UsageTypeError(f"{what}={given!r} is no list; pass a list, also of one", meter=what, value=given)
        if not given:
            raise UsageError(f"there are no {what} to compare; pass at least one", meter=what, value=given)
    made = [workload_of(workload) for workload in workloads]
    parts = TierParts(made)
    selection = Selection(currency, residency=residency, tenant=tenant)
    grid = _Grid(_Asked(made, tuple(offerings), book, instant, selection))
    columns = {way: grid.columns(way) for way in parts.ways}
    parts.cut({way: {corner for column in own for corner in _corners(column)} for way, own in columns.items()})
    grid.scale(parts, [cell for own in columns.values() for column in own for _, cell in column.regions])
    for way, own in columns.items():
        grid.charge(way, own, parts)
    return grid.result(parts)


class _Asked(NamedTuple):
    """What is asked: which workloads on which offerings, and when."""

    workloads: list[Workload]
    offerings: tuple[str, ...]
    book: Book
    at: datetime
    selection: Selection


class _Grid:
    """The cells as they fill: numbers over a denominator a row, and reasons."""

    def __init__(self, asked: _Asked) -> None:
        self.asked = asked
        shape = len(asked.workloads), len(asked.offerings)
        self.numbers: NDArray[Any] = np.zeros(shape, object)
        self.codes: NDArray[np.int32] = np.zeros(shape, np.int32)
        self.reasons: dict[str, int] = {}
        self.currencies: list[str | None] = [None] * shape[1]
        self.ids = [asked.book.resolve(name).offering for name in asked.offerings]
        self.apart: NDArray[np.bool_] = np.zeros(shape, np.bool_)
        self.unit = 1
        self._lost: dict[tuple[Way, int], str] = {}

    def columns(self, way: Way) -> list[_Column]:
        """Return the offerings that have a list for a service tier and mode; keep the reasons of the others."""
        made: list[_Column] = []
        for place, name in enumerate(self.asked.offerings):
            prices = Prices(self.asked.book, name, self.asked.selection._replace(service_tier=way[0], mode=way[1]))
            stretch = prices.stretch(self.asked.at)
            try:
                if stretch.segment is None:
                    raise stretch.reason or AssertionError
                ladder = stretch.segment.ladder(self.asked.at)
            except NO_PRICE as error:
                self._lost[way, place] = str(error)
                continue
            priced = stretch.segment
            self.ids[place] = priced.span.tariff.id
            self.currencies[place] = self.currencies[place] or priced.choice.currency
            is_linear = ladder.flat is not None or not (priced.graduated or ladder.on_total)
            made.append(_Column(place, priced.choice.currency, tuple(_regions(ladder)) if is_linear else ()))
        return made

    def scale(self, parts: TierParts, cells: list[Cell | TokencostError]) -> None:
        """Find the denominator of all rates."""
        scales = {cell.scale for cell in cells if not isinstance(cell, TokencostError)}
        used = {meter for meters in parts.meters.values() for meter in meters}
        odd = [
            cell.odd[m].denominator for cell in cells if not isinstance(cell, TokencostError) and cell.odd for m in used & cell.odd.keys()
        ]
        self.unit = lcm(10 ** max(scales, default=0), *odd)

    def charge(self, way: Way, columns: list[_Column], parts: TierParts) -> None:
        """Add what the requests of one service tier and mode cost."""
        rows = np.array(parts.rows[way], np.int64)
        for (own, place), reason in self._lost.items():
            if own == way:
                self._refuse(rows, place, reason)
        groups: dict[tuple[Region, ...], list[_Column]] = {}
        for column in columns:
            if column.currency != self.currencies[column.place]:
                self._refuse(rows, column.place, _SEVERAL)
            elif not column.regions:
                self.apart[rows, column.place] = True
            else:
                groups.setdefault(tuple(region for region, _ in column.regions), []).append(column)
        for regions, group in groups.items():
            for number, region in enumerate(regions):
                self._charge_region(way, parts, region, [(column.place, column.regions[number][1]) for column in group])

    def _charge_region(self, way: Way, parts: TierParts, region: Region, cells: list[tuple[int, Cell | TokencostError]]) -> None:
        part = parts.within(way, region)
        hit = np.asarray(part.requests != 0, np.bool_)
        rows = np.array(parts.rows[way], np.int64)[hit]
        if not len(rows):
            return
        counts = part.counts[hit]
        used = [number for number in range(counts.shape[1]) if counts[:, number].any()]
        counts, meters = counts[:, used], [parts.meters[way][number] for number in used]
        plain: list[tuple[int, list[int]]] = []
        for place, cell in cells:
            if isinstance(cell, TokencostError):
                self._refuse(rows, place, str(cell))
                continue
            for number, meter in enumerate(meters):
                if meter in cell.minimum or meter in cell.odd:
                    self._set_apart(rows[np.asarray(counts[:, number] != 0, np.bool_)], place, is_odd=meter not in cell.minimum)
                elif meter not in cell.rates:
                    self._refuse(rows[np.asarray(counts[:, number] != 0, np.bool_)], place, str(cell.unpriced(meter)))
            plain.append((place, [self._rate(cell, meter) for meter in meters]))
        if plain:
            rates = np.array([rates for _, rates in plain], object).reshape(len(plain), len(meters))
            places = np.array([place for place, _ in plain], np.int64)
            self.numbers[rows[:, None], places[None, :]] += counts @ rates.T

    def _rate(self, cell: Cell, meter: str) -> int:
        if meter in cell.rates:
            return cell.rates[meter] * (self.unit // 10**cell.scale)
        return int(cell.odd[meter] * self.unit) if meter in cell.odd else 0

    def _set_apart(self, rows: NDArray[np.int64], place: int, *, is_odd: bool) -> None:
        """Mark cells that are no product: minimum billing, and by the hour where each request is rounded."""
        for row in cast("list[int]", rows.tolist()):
            if not is_odd or not self.asked.workloads[row].is_described:
                self.apart[row, place] = True

    def _refuse(self, rows: NDArray[np.int64], place: int, reason: str) -> None:
        code = self.reasons.setdefault(reason, len(self.reasons) + 1)
        fresh = rows[self.codes[rows, place] == 0]
        self.codes[fresh, place] = code

    def result(self, parts: TierParts) -> CostGrid:
        """Rate what was set apart as a comparison would, and return the grid."""
        asked = self.asked
        reckoner = Reckoner(asked.book, asked.selection, at=asked.at)
        denominators = tuple(own * self.unit for own in parts.denominators)
        for row, place in np.argwhere(self.apart).tolist():
            workload, name = asked.workloads[row], asked.offerings[place]
            rater = ExpectedRater(workload, reckoner)
            if not workload.is_described:
                rater = RequestRater(Demand.of(workload, at=asked.at), asked.book, asked.selection)
            found = rater.row(name, Exchange(asked.book.currency, None))
            self.numbers[row, place] = sum(found.sums.values(), Fraction(0)) * denominators[row]
            self.codes[row, place] = 0
            if found.row.unpriced:
                self._refuse(np.array([row]), place, found.row.reasons[0])
        titles = tuple(workload.title for workload in asked.workloads)
        currencies, reasons = tuple(self.currencies), tuple(self.reasons)
        return CostGrid(asked.at, titles, tuple(self.ids), currencies, self.numbers, denominators, self.codes, reasons)


def _regions(ladder: Ladder) -> Iterator[tuple[Region, Cell | TokencostError]]:
    """Yield the regions of prompt and completion in which one cell applies, or none."""
    if ladder.flat is not None:
        yield EVERYTHING, ladder.flat
        return
    limits: list[int] = [] if ladder.limit is None else [ladder.limit + 1]
    inputs = sorted({0, *(first for first, _, _, _ in ladder.steps), *limits})
    outputs = sorted({0, *(first for *_, first, _ in ladder.steps), *(upto + 1 for *_, upto in ladder.steps if upto is not None)})
    for low, high in _ranges(inputs):
        for short, long in _ranges(outputs):
            region = Region(low, high, short, long)
            try:
                yield region, ladder.cell(Usage(input=low, output=short))
            except AboveListError as error:
                lost = request_cost(ladder, Points([(Usage(input=low, output=short), 1)]))  # in the words of an expectation
                yield region, lost.reason or error


def _ranges(firsts: list[int]) -> list[tuple[int, int | None]]:
    """Return the ranges that begin at these numbers, ends included; the last has none."""
    return [*((low, high - 1) for low, high in pairwise(firsts)), (firsts[-1], None)]


def _corners(column: _Column) -> Iterator[Corner]:
    """Yield the corners from which the regions of an offering are made."""
    yield None, None
    for region, _ in column.regions:
        for prompt in (region.last_input, region.first_input - 1):
            for completion in (region.last_output, region.first_output - 1):
                if -1 not in (prompt, completion):
                    yield prompt, completion

"""Routers: every part of the demand sent to the offering that is cheapest for it, which no choice between the offerings can beat."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.exact import from_fraction
from tokencost.tariffs.money import Money
from tokencost.workloads.comparison import Route, RouterBound, SegmentChoice, SegmentCost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tokencost.workloads.comparison import Compared
    from tokencost.workloads.tally import Reckoned

__all__ = ["PartCosts", "Route", "RouterBound", "cheapest_by_segment", "part_costs", "router_bound", "segment_costs"]

_SAFE: Final = 2**62
_SHARE_PLACES: Final = 6


class PartCosts(NamedTuple):
    """What every part costs on one offering: numbers over a denominator, and which of them are known."""

    numbers: NDArray[Any]
    known: NDArray[np.bool_]
    denominator: int

    def cost(self, place: int) -> Fraction | None:
        """Return the cost of one part, None where it has no price."""
        return Fraction(self.numbers[place : place + 1].tolist()[0]) / self.denominator if self.known[place] else None


def part_costs(found: Reckoned, parts: int) -> PartCosts:
    """Return what every part costs on an offering, in the currency of the comparison."""
    plain = all(block.scale == found.blocks[0].scale and found.factors.get((block.currency, block.day)) == 1 for block in found.blocks)
    known = np.zeros(parts, np.bool_)
    pieces: list[tuple[int, list[int], list[Any] | NDArray[Any]]] = []
    for block in found.blocks:
        factor = found.factors.get((block.currency, block.day))
        if factor is None:
            continue
        if isinstance(block.numbers, np.ndarray):
            high = block.low + len(block.numbers)
            known[block.low : high] = True
            numbers = block.numbers if plain else [_scaled(number, factor, block.scale) for number in block.numbers.tolist()]
            pieces.append((block.low, [], numbers))
        else:
            places = [block.low + n for n, number in enumerate(block.numbers) if number is not None]
            known[places] = True
            priced = [number for number in block.numbers if number is not None]
            pieces.append((block.low, places, priced if plain else [_scaled(number, factor, block.scale) for number in priced]))
    narrow = plain and all(_is_narrow(numbers) for _, _, numbers in pieces)
    made = np.zeros(parts, np.int64 if narrow else object)
    for low, places, numbers in pieces:
        if places:
            made[places] = np.array(numbers, made.dtype)
        elif isinstance(numbers, np.ndarray) or numbers:
            made[low : low + len(numbers)] = numbers
    return PartCosts(made, known, 10 ** found.blocks[0].scale if plain and found.blocks else 1)


def _scaled(number: int | Fraction, factor: Fraction, scale: int) -> Fraction:
    return Fraction(number) * factor / 10**scale


def _is_narrow(numbers: list[Any] | NDArray[Any]) -> bool:
    if isinstance(numbers, np.ndarray):
        return numbers.dtype == np.int64
    return all(isinstance(number, int) and number < _SAFE for number in numbers)


def router_bound(found: Sequence[tuple[str, PartCosts]], requests: Sequence[int], currency: str) -> RouterBound:
    """Send every part to the cheapest of some offerings; equal costs go to the one that is named first."""
    usable = [(name, costs) for name, costs in found if costs.known.any()]
    without = tuple(name for name, costs in found if not costs.known.any())
    names = tuple(name for name, _ in usable)
    everything = sum(requests)
    nothing = RouterBound(None, 0, everything, names, without, None, None, None, None, ())
    if not usable:
        return nothing
    whole = np.logical_and.reduce([costs.known for _, costs in usable])
    if not whole.any():
        return nothing
    columns, denominator = _common([costs for _, costs in usable])
    kept = [column[whole] for column in columns]
    least, choice = kept[0].copy(), np.zeros(len(kept[0]), np.int64)
    for number, column in enumerate(kept[1:], 1):
        cheaper = np.asarray(column < least, np.bool_)
        least[cheaper] = column[cheaper]
        choice[cheaper] = number
    singles = [_total(column, denominator) for column in kept]
    best = min(range(len(singles)), key=lambda number: singles[number])
    total = _total(least, denominator)
    priced = np.array(requests, object)[whole]
    routes: list[Route] = []
    for number, name in enumerate(names):
        mine = choice == number
        if mine.any():
            routes.append(Route(name, int(priced[mine].sum()), Money(from_fraction(_total(least[mine], denominator)), currency)))
    saving = singles[best] - total
    percent = from_fraction(saving / singles[best] * 100, places=4) if singles[best] else None
    bound, single = (Money(from_fraction(number), currency) for number in (total, singles[best]))
    counted = int(priced.sum())
    left = everything - counted
    return RouterBound(bound, counted, left, names, without, names[best], single, single - bound, percent, tuple(routes))


def _common(costs: list[PartCosts]) -> tuple[list[NDArray[Any]], int]:
    """Return the numbers of all offerings over one denominator."""
    first = costs[0].denominator
    if all(own.denominator == first for own in costs):
        return [own.numbers for own in costs], first
    return [np.array([Fraction(number) / own.denominator for number in own.numbers.tolist()], object) for own in costs], 1


def _total(numbers: NDArray[Any], denominator: int) -> Fraction:
    """Return the sum over the denominator, exactly; where 64 bits might not hold it, in integers of any size."""
    if numbers.dtype == np.int64 and (not len(numbers) or int(numbers.max()) < _SAFE // len(numbers)):
        return Fraction(int(numbers.sum()), denominator)
    return Fraction(sum(numbers.tolist(), Fraction(0))) / denominator


def segment_costs(costs: PartCosts, segments: Sequence[tuple[str, int]], total: Money | None, currency: str) -> tuple[SegmentCost, ...]:
    """Return what each segment costs on one offering, and its share of the total, rounded half-even to six decimals."""
    made: list[SegmentCost] = []
    for place, (name, requests) in enumerate(segments):
        cost = costs.cost(place)
        share = from_fraction(cost / Fraction(total.amount), places=_SHARE_PLACES) if cost is not None and total else None
        made.append(SegmentCost(name, requests, None if cost is None else Money(from_fraction(cost), currency), share))
    return tuple(made)


def cheapest_by_segment(rows: Sequence[Compared]) -> tuple[SegmentChoice, ...]:
    """Return the cheapest offering for each segment; of equal ones the one that is cheaper for all demand."""
    made: list[SegmentChoice] = []
    for place, (name, requests, _, _) in enumerate(rows[0].segments):
        told = [(row.offering, row.segments[place].cost) for row in rows]
        priced = [(cost.amount, number) for number, (_, cost) in enumerate(told) if cost is not None]
        offering, cost = told[min(priced)[1]] if priced else (None, None)
        made.append(SegmentChoice(name, requests, offering, cost, tuple(offering for offering, cost in told if cost is None)))
    return tuple(made)

"""Ranges of one request: what it can cost over all outputs that it may have, exactly.

With the prompt given, cost is a row of straight pieces over the number of output tokens: a tier, a minimum or the first token begins a
new one. What is least, what is most, an expectation and a probability are therefore worked out piece by piece and not by trying outputs.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tokencost.rating.quote import parts_of
from tokencost.rating.usage import Usage
from tokencost.workloads.law import Law, Stretch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tokencost.rating.card import Ladder
    from tokencost.rating.timeline import Segment

__all__ = ["Piece", "Prompt", "cut_law", "expected_cost", "pieces_of", "probability_within", "quantile_cost", "request_amount"]


class Prompt(NamedTuple):
    """The tokens of a prompt, and how many of them are read from a cache."""

    tokens: int
    cached: int

    def usage(self, output: int, *, meter: str = "output") -> Usage:
        """Return the usage of a request with so many output tokens."""
        return Usage.of({"input": self.tokens - self.cached, "cache_read": self.cached, meter: output})


class Piece(NamedTuple):
    """Outputs from `first` to `last` tokens, on which cost is a straight line from `low` to `high`."""

    first: int
    last: int
    low: Fraction
    high: Fraction

    @property
    def slope(self) -> Fraction:
        """The cost of one more token."""
        return (self.high - self.low) / (self.last - self.first) if self.last > self.first else Fraction(0)

    def within(self, cost: Fraction) -> tuple[int, int] | None:
        """Return the first and last output whose cost is at most this; None where there is none."""
        slope = self.slope
        if not slope:
            return (self.first, self.last) if self.low <= cost else None
        edge = self.first + (cost - self.low) / slope
        first, last = (self.first, min(self.last, edge.__floor__())) if slope > 0 else (max(self.first, edge.__ceil__()), self.last)
        return (first, last) if first <= last else None

    def cost(self, output: int) -> Fraction:
        """Return the cost of an output."""
        return self.low + (output - self.first) * self.slope


def request_amount(segment: Segment, usage: Usage, at: datetime) -> Fraction:
    """Return the cost of one request, unrounded.

    Raises:
        AboveListError: it is larger than anything the list prices.
        UnpricedMeterError: it uses what the list does not price.
    """
    return sum((cell.fraction(own) for cell, own in parts_of(segment, usage, at)), Fraction(0))


def pieces_of(segment: Segment, prompt: Prompt, most: int, at: datetime, *, meter: str = "output") -> list[Piece]:
    """Return the straight pieces of the cost over outputs from 0 to the most.

    Raises:
        AboveListError: an output within reach is above the list.
    """
    ladder = segment.ladder(at)
    firsts = sorted(first for first in {0, *_edges(ladder, prompt, meter)} if first <= most)
    found: list[Piece] = []
    for first, following in pairwise([*firsts, most + 1]):
        ends = [request_amount(segment, prompt.usage(output, meter=meter), at) for output in (first, following - 1)]
        found.append(Piece(first, following - 1, *ends))
    return found


def _edges(ladder: Ladder, prompt: Prompt, meter: str) -> set[int]:
    """Return the outputs at which another price, or another way to count, begins."""
    edges = {1} | {first for _, _, first, _ in ladder.steps} | {upto + 1 for *_, upto in ladder.steps if upto is not None}
    if ladder.on_total:
        edges |= {first - prompt.tokens for first, _, _, _ in ladder.steps if first > prompt.tokens}
        edges |= {upto + 1 - prompt.tokens for _, upto, _, _ in ladder.steps if upto is not None and upto >= prompt.tokens}
    edges |= {cell.minimum[meter] for cell in ladder.cells if meter in cell.minimum}
    return edges


def cut_law(law: Law, most: int) -> Law:
    """Return the law of an output that is cut off at the most.

    >>> cut_law(Law.points({10: 1, 90: 1}), 50).stretches
    (Stretch(first=10, last=10, weight=1), Stretch(first=50, last=50, weight=1))
    """
    if law.most <= most:
        return law
    found: list[Stretch] = []
    beyond = 0
    common = 1
    for first, last, _ in law.stretches:
        common *= (last - first + 1) if first <= most < last else 1
    for first, last, weight in law.stretches:
        inside = 0 if first > most else min(last, most) - first + 1
        share = weight * common * inside // (last - first + 1)
        if inside:
            found.append(Stretch(first, min(last, most), share))
        beyond += weight * common - share
    return Law([*found, Stretch(most, most, beyond)], law.document)


def expected_cost(pieces: Sequence[Piece], law: Law) -> Fraction:
    """Return the expected cost of a request whose output has this law."""
    total = Fraction(0)
    for piece in pieces:
        part = law.part(piece.first, piece.last)
        total += part.probability * (piece.low - piece.first * piece.slope) + part.moment * piece.slope
    return total


def probability_within(pieces: Sequence[Piece], law: Law, cost: Fraction) -> Fraction:
    """Return the probability that a request costs at most this."""
    ranges = (piece.within(cost) for piece in pieces)
    return sum((law.part(*found).probability for found in ranges if found is not None), Fraction(0))


def quantile_cost(pieces: Sequence[Piece], law: Law, share: Fraction) -> Fraction:
    """Return the smallest cost that is not passed in a share of the cases: that of an output which can be."""
    rising = all(piece.slope >= 0 for piece in pieces) and all(before.high <= after.low for before, after in pairwise(pieces))
    if rising:  # more output is never cheaper, and the quantile of the cost is the cost of the quantile
        output = law.quantile(share)
        return next(piece.cost(output) for piece in pieces if output <= piece.last)
    costs = sorted(_candidates(pieces, law))
    low, high = 0, len(costs) - 1
    while low < high:  # the costs at ends of stretches bracket it
        middle = (low + high) // 2
        low, high = (low, middle) if probability_within(pieces, law, costs[middle]) >= share else (middle + 1, high)
    top, floor = costs[low], costs[low - 1] if low else costs[0]
    best = top
    for piece in pieces:  # between two of them each piece is a straight line over one stretch
        best = min(best, _smallest(piece, pieces, law, share, (floor, top)))
    return best


def _candidates(pieces: Sequence[Piece], law: Law) -> set[Fraction]:
    found: set[Fraction] = set()
    for piece in pieces:
        for first, last, _ in law.stretches:
            low, high = max(first, piece.first), min(last, piece.last)
            if low <= high:
                found |= {piece.cost(low), piece.cost(high)}
    return found


def _smallest(piece: Piece, pieces: Sequence[Piece], law: Law, share: Fraction, between: tuple[Fraction, Fraction]) -> Fraction:
    """Return the smallest cost of a piece within bounds that is not passed in a share of the cases, or the upper bound."""
    slope = piece.slope
    ends = [] if not slope else sorted((piece.first + (cost - piece.low) / slope) for cost in between)
    if not ends:
        return between[1]
    low, high = max(piece.first, ends[0].__ceil__()), min(piece.last, ends[1].__floor__())
    best = between[1]
    while low <= high:
        middle = (low + high) // 2
        cost = piece.cost(middle)
        enough = probability_within(pieces, law, cost) >= share
        best = min(best, cost) if enough else best
        low, high = (low, middle - 1) if enough == (slope > 0) else (middle + 1, high)
    return best

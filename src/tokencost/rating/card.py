"""Rate cards: rows of a tariff resolved to integers that usage can be multiplied with.

A `Cell` is one row with all its factors applied. A `Ladder` is the context tiers of one window. Exactness: the rate of one unit
is an integer at the cell's `scale`, so a sum of products is an integer and nothing is rounded. Meters priced by the hour cannot in
general be written so (an hour has 3,600 seconds); they are kept as fractions.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import AboveListError, UnpricedMeterError
from tokencost.exact import EXACT, TICK_SCALE, plain
from tokencost.rating.usage import Usage
from tokencost.tariffs.meter import METERS, TOKEN_METERS, ancestors, within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from fractions import Fraction

    from tokencost.tariffs.tariff import Adjustment, Rate, Tariff

__all__ = ["Cell", "Ladder", "Origin", "Scope", "Step", "graduated", "make_cell"]

_POWERS: Final = {10**k: k for k in range(10)}
_PROMPT_ORDER: Final = (
    *(name for name in METERS if "cache_read" in name),
    *(name for name in METERS if name.startswith("cache_write")),
    *(name for name in within("input") if "cache_read" not in name and not name.startswith("cache_write")),
)


class Step(NamedTuple):
    """One layer above the list that changed a rate, in the order applied."""

    layer: str
    multiply: Decimal | None = None
    prices: Mapping[str, Decimal] | None = None
    meters: frozenset[str] | None = None
    source: str | None = None
    is_layer: bool = True

    def apply(self, prices: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Return the prices after this layer."""
        if self.prices is not None:
            return {**prices, **self.prices}
        assert self.multiply is not None
        scope = TOKEN_METERS if self.meters is None else self.meters
        return {name: plain(EXACT.multiply(price, self.multiply)) if name in scope else price for name, price in prices.items()}

    def touches(self, name: str) -> bool:
        """Say whether a meter's rate comes through this layer."""
        if self.prices is not None:
            return name in self.prices
        return name in (TOKEN_METERS if self.meters is None else self.meters)


class Scope(NamedTuple):
    """What an error names when a cell cannot price something."""

    offering: str
    currency: str


class Origin(NamedTuple):
    """Where a row stands: in the list or in a promotion, and by which source."""

    layer: str
    source: str


class Cell:
    """One row, resolved: its unit prices after every factor, and integers for arithmetic.

    `rates` maps every bucket that is billed by plain multiplication to its integer rate per unit, ancestors' rates included; `odd` maps
    the others, priced by the hour or with a minimum, to fractions; `billed_as` names the meter whose rate a bucket takes.
    """

    __slots__ = ("billed_as", "minimum", "odd", "origin", "prices", "rates", "row", "scale", "scope", "steps")

    def __init__(
        self, scope: Scope, row: Rate, prices: Mapping[str, Decimal], *, steps: tuple[Step, ...], minimum: Mapping[str, int], origin: Origin
    ) -> None:
        self.scope = scope
        self.row = row
        self.steps = steps
        self.origin = origin
        self.prices: dict[str, Decimal] = dict(prices)
        self.minimum: dict[str, int] = dict(minimum)
        self.billed_as = _billed_as(frozenset(prices))
        scales = {name: _scale(price, METERS[name].per) for name, price in prices.items()}
        self.scale = max([TICK_SCALE, *(scale for scale in scales.values() if scale is not None)])
        whole = {
            name: int(EXACT.scaleb(price, self.scale - _POWERS[METERS[name].per]))
            for name, price in prices.items()
            if scales[name] is not None
        }
        plainly = {bucket: name for bucket, name in self.billed_as.items() if name in whole and bucket not in minimum}
        self.rates: dict[str, int] = {bucket: whole[name] for bucket, name in plainly.items()}
        unlike = {bucket: name for bucket, name in self.billed_as.items() if bucket not in plainly}
        self.odd: dict[str, Fraction] = _fractions(unlike, prices) if unlike else {}

    def number(self, usage: Usage) -> int:
        """Return the cost as an integer at `scale`.

        Raises:
            KeyError: a bucket that is priced by the hour, has a minimum, or has no rate; `fraction` sorts these out.
        """
        rates = self.rates
        total = 0
        for name, count in usage.counts.items():
            total += count * rates[name]
        return total

    def fraction(self, usage: Usage) -> Fraction:
        """Return the cost exactly, whatever the meters.

        Raises:
            UnpricedMeterError: a bucket has neither a rate nor a priced ancestor.
        """
        from fractions import Fraction

        return sum((self.amount(name, count) for name, count in usage.counts.items()), Fraction(0))

    def layer(self, meter: str) -> str:
        """Return the name of the layer that gave a meter its rate: the last one that touched it."""
        return next((step.layer for step in reversed(self.steps) if step.is_layer and step.touches(meter)), self.origin.layer)

    def amount(self, bucket: str, count: int) -> Fraction:
        """Return what one bucket costs, exactly, its minimum included."""
        from fractions import Fraction

        count = self.billed(bucket, count)
        if bucket in self.rates:
            return Fraction(count * self.rates[bucket], 10**self.scale)
        if bucket in self.odd:
            return count * self.odd[bucket]
        raise self.unpriced(bucket)

    def billed(self, bucket: str, count: int) -> int:
        """Return the quantity that is billed: at least the minimum of a meter that is used at all."""
        return max(count, self.minimum.get(bucket, 0)) if count else 0

    def unpriced(self, bucket: str) -> UnpricedMeterError:
        """Return the error for a bucket that this row does not price."""
        priced = tuple(self.prices)
        chain = " or ".join(ancestors(bucket))
        return UnpricedMeterError(
            f"{self.scope.offering} has no rate for {chain} in {self.scope.currency}; "
            f"it prices {', '.join(priced) or 'nothing'}, so leave the bucket out or count it in one of these",
            offering=self.scope.offering,
            meter=bucket,
            priced=priced,
        )


def _fractions(billed_as: Mapping[str, str], prices: Mapping[str, Decimal]) -> dict[str, Fraction]:
    """Return the price of one unit as a fraction, for buckets that no integer rate can bill."""
    from fractions import Fraction

    return {bucket: Fraction(prices[name]) / METERS[name].per for bucket, name in billed_as.items()}


def _scale(price: Decimal, per: int) -> int | None:
    """Return the decimals that the price of one unit needs, or None where it is no finite decimal."""
    power = _POWERS.get(per)
    if power is None:
        return None
    exponent = price.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(power - exponent, 0)


@cache
def _billed_as(priced: frozenset[str]) -> Mapping[str, str]:
    """Return the meter that each bucket is billed by; most rows price one of a few sets of meters."""
    billed = {bucket: next((meter for meter in ancestors(bucket) if meter in priced), None) for bucket in METERS}
    return {bucket: meter for bucket, meter in billed.items() if meter is not None}


def make_cell(
    tariff: Tariff, row: Rate, adjustments: Sequence[Adjustment], above: Sequence[Step], *, minimum: Mapping[str, int], origin: Origin
) -> Cell:
    """Resolve a row: its own prices, then the tariff's factors, then promotions, contracts and markups."""
    steps = [_adjustment_step(a) for a in adjustments] + list(above)
    prices: dict[str, Decimal] = {name: plain(price) for name, price in row.prices.items()}
    for step in steps:
        prices = step.apply(prices)
    return Cell(Scope(tariff.id, row.currency), row, prices, steps=tuple(steps), minimum=minimum, origin=origin)


def _adjustment_step(adjustment: Adjustment) -> Step:
    name = adjustment.service_tier or f"residency {adjustment.residency}"
    meters = frozenset(bucket for root in adjustment.meters for bucket in within(root)) if adjustment.meters else None
    return Step(name, multiply=adjustment.multiply, meters=meters, source=adjustment.source, is_layer=False)


class Ladder:
    """The context tiers of one window: which cell a request falls into by its size."""

    __slots__ = ("_edges", "cells", "flat", "limit", "on_total", "steps")

    def __init__(self, rows: Sequence[tuple[Rate, Cell]], *, tier_on: str) -> None:
        self.cells = tuple(cell for _, cell in rows)
        self.steps = tuple((row.first_input, row.up_to, row.first_output, row.up_to_output) for row, _ in rows)
        self.on_total = tier_on == "total"
        plain_row = len(rows) == 1 and self.steps[0] == (0, None, 0, None)
        self.flat = self.cells[0] if plain_row else None
        by_output = any(step[2:] != (0, None) for step in self.steps)
        self._edges = None if by_output else [step[0] for step in self.steps]
        last = max(step[0] for step in self.steps)
        limits = [step[1] for step in self.steps if step[0] == last]
        self.limit = limits[0] if limits[0] is not None else None

    def size(self, usage: Usage) -> int:
        """Return the tokens that decide the tier."""
        return usage.input_total + (usage.output_total if self.on_total else 0)

    def cell(self, usage: Usage) -> Cell:
        """Return the one cell that applies to a request.

        Raises:
            AboveListError: the request is larger than anything the list prices.
        """
        if self.flat is not None:
            return self.flat
        size = self.size(usage)
        if self.limit is not None and size > self.limit:
            raise self._above("input" if not self.on_total else "total", size, self.limit)
        if self._edges is not None:
            return self.cells[bisect_right(self._edges, size, 1) - 1]
        output = usage.output_total
        found, upper = self.cells[0], None
        for cell, (first, _, first_output, up_to_output) in zip(self.cells, self.steps, strict=True):
            if first > size:
                break
            if first_output <= output or first_output == 0:
                found, upper = cell, up_to_output
        if upper is not None and output > upper:
            raise self._above("output", output, upper)
        return found

    def _above(self, what: str, size: int, limit: int) -> AboveListError:
        scope = self.cells[0].scope
        return AboveListError(
            f"{size} {what} tokens are above {limit}, the largest request that {scope.offering} prices in {scope.currency}; "
            "split the request or take another offering",
            offering=scope.offering,
            tokens=size,
            limit=limit,
        )


def graduated(ladder: Ladder, usage: Usage) -> list[tuple[Cell, Usage]]:
    """Cut a request into the slices of a graduated ladder.

    Prompt tokens fill the tiers in prompt order, the rest pays the last tier reached. A cached prefix comes first, then what was
    written to the cache, then the other input.
    """
    final = ladder.cell(usage)
    output = usage.output_total
    reached = {first: cell for (first, _, first_output, _), cell in zip(ladder.steps, ladder.cells, strict=True) if first_output <= output}
    edges = list(reached.items())
    slices: dict[int, dict[str, int]] = {index: {} for index in range(len(edges))}
    used = 0
    for name in _PROMPT_ORDER:
        left = usage.counts.get(name, 0)
        while left:
            index = max(n for n, (first, _) in enumerate(edges) if max(first - 1, 0) <= used)
            room = left if index + 1 == len(edges) else min(left, max(edges[index + 1][0] - 1, 0) - used)
            slices[index][name] = slices[index].get(name, 0) + room
            used, left = used + room, left - room
    rest = {name: count for name, count in usage.counts.items() if name not in _PROMPT_ORDER}
    parts = [(cell, counts) for (_, cell), counts in zip(edges, slices.values(), strict=True) if counts]
    if rest or not parts:
        parts.append((final, rest))
    return [(cell, Usage.of(counts)) for cell, counts in parts]

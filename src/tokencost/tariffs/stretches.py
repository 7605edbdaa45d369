"""Stretches: a tariff as a step function of time, each step a grid of prices."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from tokencost.exact import EXACT, plain
from tokencost.tariffs.clock import LATEST
from tokencost.tariffs.grid import available, by_window, effective_rows, rows_for
from tokencost.tariffs.meter import TOKEN_METERS, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from tokencost.tariffs.grid import Choice
    from tokencost.tariffs.tariff import Adjustment, Promo, Rate, Tariff, Version

__all__ = ["Cells", "Stretch", "Tier", "factors_only", "ladder_of", "paired", "stretches"]


class Tier(NamedTuple):
    """The prices from one lower edge on, in tokens of input and of output; none where the list stops there."""

    first_input: int
    first_output: int
    prices: Mapping[str, Decimal]


def ladder_of(rows: Iterable[tuple[Tier, int | None, int | None]]) -> list[Tier]:
    """Return the tiers of one window from its rows in rising order, each with its upper edges of input and output.

    Where the last edge is a limit, a tier without prices says that nothing is priced above it.
    """
    tiers: list[Tier] = []
    grouped = [(first, list(same)) for first, same in itertools.groupby(rows, key=lambda row: row[0].first_input)]
    for first, same in grouped:
        tiers += [tier for tier, _, _ in same]
        limit = same[-1][2]
        tiers += [] if limit is None else [Tier(first, limit + 1, {})]
    limit = grouped[-1][1][0][1] if grouped else None
    return tiers if limit is None else [*tiers, Tier(limit + 1, 0, {})]


class Cells(NamedTuple):
    """All prices at one instant: for each choice and window the tiers in rising order, and the factors that make a choice from others."""

    ladders: Mapping[Choice, Mapping[str | None, Sequence[Tier]]]
    derived: Mapping[Choice, tuple[tuple[Decimal, tuple[str, ...]], ...]]

    def ladder_sets(self, choice: Choice) -> Mapping[str | None, Sequence[Tier]]:
        """Return the ladders of a choice by window; thinking costs the same as not, where the list does not price it apart."""
        found = self.ladders.get(choice, {})
        if found or choice.mode is None or any(known.mode and known.currency == choice.currency for known in self.ladders):
            return found
        return self.ladders.get(choice._replace(mode=None), {})

    def ladder(self, choice: Choice, window: str | None) -> Sequence[Tier]:
        """Return the tiers of one window, or those of the whole day where the choice knows no windows."""
        ladders = self.ladder_sets(choice)
        return ladders.get(window) or ladders.get(None) or ()

    def prices_at(self, choice: Choice, window: str | None, edge: tuple[int, int]) -> Mapping[str, Decimal]:
        """Return the prices of the tier that a request of this much input and output falls into; none where nothing is priced."""
        tiers = self.ladder(choice, window)
        reached = [tier for tier in tiers if tier.first_input <= edge[0] and (tier.first_output <= edge[1] or tier.first_output == 0)]
        return reached[-1].prices if reached else {}


class Stretch(NamedTuple):
    """A stretch of a tariff in which neither the version nor the promotion changes."""

    start: datetime
    until: datetime
    version: Version
    promo: Promo | None

    @property
    def cells(self) -> Cells:
        """The prices that hold on this stretch."""
        rows, factors_of = effective_rows(self.version, self.promo), self.version.adjustments
        ladders: dict[Choice, dict[str | None, list[Tier]]] = {}
        derived: dict[Choice, tuple[tuple[Decimal, tuple[str, ...]], ...]] = {}
        for currency in dict.fromkeys(row.currency for row in rows):
            for choice in available(rows, factors_of, currency):
                chosen, factors = rows_for(rows, factors_of, choice)
                if factors:
                    derived[choice] = factors_only(factors)
                ladders[choice] = {
                    window: ladder_of(
                        (Tier(row.first_input, row.first_output, _prices(row, factors, self.promo)), row.up_to, row.up_to_output)
                        for row in ladder
                    )
                    for window, ladder in by_window(chosen).items()
                }
        return Cells(ladders, derived)


def factors_only(factors: Iterable[Adjustment]) -> tuple[tuple[Decimal, tuple[str, ...]], ...]:
    """Return what factors do to a price, without where that is written."""
    return tuple((factor.multiply, factor.meters) for factor in factors)


def _prices(row: Rate, factors: Iterable[Adjustment], promo: Promo | None) -> dict[str, Decimal]:
    """Return the prices of a row under the factors of its version and of a promotion."""
    prices = {name: plain(price) for name, price in row.prices.items()}
    steps = [(factor.multiply, factor.meters) for factor in factors]
    if promo is not None and promo.multiply is not None:
        steps.append((promo.multiply, promo.meters))
    for multiply, roots in steps:
        meters = frozenset(bucket for root in roots for bucket in within(root)) or TOKEN_METERS
        prices = {name: plain(EXACT.multiply(price, multiply)) if name in meters else price for name, price in prices.items()}
    return prices


def stretches(tariff: Tariff) -> list[Stretch]:
    """Cut a tariff at every instant where its version or its promotion changes; withdrawn versions are left out."""
    found: list[Stretch] = []
    for version in tariff.in_force:
        start, until = version.start, tariff.ends(version) or LATEST
        edges = {edge for promo in tariff.promos for edge in (promo.start, promo.until) if start < edge < until} | {start, until}
        for begin, end in itertools.pairwise(sorted(edges)):
            promo = next((promo for promo in tariff.promos if promo.start <= begin < promo.until), None)
            found.append(Stretch(begin, end, version, promo))
    return found


def paired(old: Tariff, new: Tariff) -> Iterator[tuple[datetime, datetime, Stretch | None, Stretch | None]]:
    """Yield the spans in which neither copy changes, with the stretch of each side, None where it has no price."""
    sides = stretches(old), stretches(new)
    edges = sorted({edge for side in sides for stretch in side for edge in (stretch.start, stretch.until)})
    for start, until in itertools.pairwise(edges):
        left, right = (next((s for s in side if s.start <= start < s.until), None) for side in sides)
        yield start, until, left, right

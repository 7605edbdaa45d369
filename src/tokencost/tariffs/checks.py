"""Checks of a tariff's structure: one function a code, each yielding where and what.

These must hold; without them a price is not defined. What is merely implausible is in `plausibility`. They run in `lint`, and when a
book of one's own reads a table.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import MoneyError, nearest
from tokencost.tariffs.clock import LATEST, iso, overlaps
from tokencost.tariffs.fault import Finding
from tokencost.tariffs.grid import effective_rows, grid_faults
from tokencost.tariffs.meter import METERS
from tokencost.tariffs.money import currency_code

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime
    from decimal import Decimal

    from tokencost.tariffs.fault import Place
    from tokencost.tariffs.provider import Provider, Source
    from tokencost.tariffs.schedule import Calendar, Schedule
    from tokencost.tariffs.tariff import Promo, Rate, Tariff, Version

__all__ = ["ADDED", "STRUCTURE", "Case", "Finding", "findings_of", "no_source"]

_MOST_DECIMALS: Final = 6
_ACROSS: Final = frozenset({"T07", "T08", "T16", "T17"})
"""The codes of checks that look at several blocks at once."""
_EDGES: Final = ("above", "at_or_above", "up_to", "above_output", "at_or_above_output", "up_to_output")


class Case(NamedTuple):
    """A tariff together with everything around it that a check may look at."""

    tariff: Tariff
    provider: Provider
    sources: Mapping[str, Source]
    calendars: Mapping[str, Calendar | None]


def _parts(tariff: Tariff) -> Iterator[tuple[str, int, Version | Promo]]:
    yield from (("version", n, part) for n, part in enumerate(tariff.versions))
    yield from (("promo", n, part) for n, part in enumerate(tariff.promos))


def _rows(tariff: Tariff) -> Iterator[tuple[Place, str, Rate]]:
    for block, number, part in _parts(tariff):
        for row, rate in enumerate(part.rates):
            yield (block, number, row), f"{block} {part.start:%Y-%m-%d}, row {row + 1}", rate


def _versions(tariff: Tariff) -> Iterator[tuple[Place, str, Version]]:
    for n, version in enumerate(tariff.versions):
        yield ("version", n, None), f"version {version.start:%Y-%m-%d}", version


def unknown_meters(case: Case) -> Iterator[Finding]:
    """T01: a key of a row that is neither a selector nor a meter, or another word that should be a meter."""
    tariff = case.tariff
    for place, where, rate in _rows(tariff):
        yield from _no_meters(place, where, rate.prices)
        if not rate.prices:
            yield Finding("T01", place, where, "the row prices no meter; give it at least one, free is 0.0")
    for place, where, version in _versions(tariff):
        yield from _no_meters(place, where, [*(name for factor in version.adjustments for name in factor.meters), *version.minimum])
    for n, promo in enumerate(tariff.promos):
        yield from _no_meters(("promo", n, None), f"promo {promo.start:%Y-%m-%d}", promo.meters)
    for n, allowance in enumerate(tariff.allowances):
        yield from _no_meters(("allowance", n, None), f"allowance {allowance.meter}", [allowance.meter])


def _no_meters(place: Place, where: str, names: Iterable[str]) -> Iterator[Finding]:
    for name in names:
        if name not in METERS:
            near = nearest(name, METERS)
            cure = f"did you mean {near[0]!r}?" if near else "the reference lists the meters"
            yield Finding("T01", place, where, f"unknown meter {name!r}; {cure}", name)


def exact_prices(case: Case) -> Iterator[Finding]:
    """T02: a price with more than six decimals."""
    for place, where, rate in _rows(case.tariff):
        for name, price in rate.prices.items():
            exponent = price.as_tuple().exponent
            if not isinstance(exponent, int) or -exponent > _MOST_DECIMALS:
                message = f"{name} = {price:f} has more than {_MOST_DECIMALS} decimals; write the figure that is printed"
                yield Finding("T02", place, where, message, name)


def currency_codes(case: Case) -> Iterator[Finding]:
    """T21: a currency that is no code."""
    for place, where, rate in _rows(case.tariff):
        try:
            currency_code(rate.currency)
        except MoneyError as error:
            yield Finding("T21", place, where, str(error), "currency")


def not_negative(case: Case) -> Iterator[Finding]:
    """T03: a price, edge, factor or quantity below zero."""
    for place, where, name, number in _numbers(case.tariff):
        if number is not None and number < 0:
            yield Finding("T03", place, where, f"{name} = {number} is negative; write 0 or more", name)
    for place, where, version in _versions(case.tariff):
        for factor in version.adjustments:
            if factor.multiply <= 0:
                yield Finding(
                    "T03", place, where, f"multiply = {factor.multiply} is not above 0; write the factor, like 0.5", "adjustments"
                )


def _numbers(tariff: Tariff) -> Iterator[tuple[Place, str, str, Decimal | int | None]]:
    for place, where, rate in _rows(tariff):
        yield from ((place, where, name, price) for name, price in rate.prices.items())
        yield from ((place, where, name, getattr(rate, name)) for name in _EDGES)
    for place, where, version in _versions(tariff):
        yield from ((place, where, name, number) for name, number in version.minimum.items())
    for n, promo in enumerate(tariff.promos):
        yield ("promo", n, None), f"promo {promo.start:%Y-%m-%d}", "multiply", promo.multiply
    for n, allowance in enumerate(tariff.allowances):
        yield ("allowance", n, None), f"allowance {allowance.meter}", "quantity", allowance.quantity


def _windows(case: Case, version: Version) -> tuple[str, ...] | None:
    """Return the windows that the editions of its schedule can give while a version is in force; None where there is no schedule."""
    if version.schedule is None:
        return None
    editions = list(_editions(case.provider.schedule_versions(version.schedule)))
    ends = case.tariff.ends(version)
    given = [schedule.names for schedule, until in editions if overlaps(schedule.start, until, version.start, ends)]
    if not given:  # another check says so; the rows cannot be held against it
        return tuple(dict.fromkeys(row.window for row in version.rates if row.window is not None))
    return tuple(dict.fromkeys(name for names in given for name in names))


def _editions(schedules: tuple[Schedule, ...]) -> Iterator[tuple[Schedule, datetime | None]]:
    """Yield the editions of a schedule with their ends: their own, or the start of the next one."""
    for schedule, following in itertools.zip_longest(schedules, schedules[1:]):
        limits = [end for end in (schedule.until, following.start if following is not None else None) if end is not None]
        yield schedule, min(limits, default=None)


def grid(case: Case) -> Iterator[Finding]:
    """T04, T05, T06, T10: exactly one row for every choice, window and size."""
    for place, where, version in _versions(case.tariff):
        if not version.rates:
            yield Finding("T05", place, where, "has no rows, nothing is priced; give it rates")
        windows = _windows(case, version)
        own = list(grid_faults(version.rates, windows))
        seen = {(code, choice) for code, choice, _ in own}
        for code, choice, message in own:
            yield Finding(code, place, f"{where}, {choice}", message)
        yield from _factors(place, where, version)
        for p, promo in enumerate(case.tariff.promos):
            if overlaps(promo.start, promo.until, version.start, case.tariff.ends(version)) and version.status != "withdrawn":
                for code, choice, message in grid_faults(effective_rows(version, promo), windows):
                    if (code, choice) not in seen:
                        yield Finding(code, ("promo", p, None), f"promo {promo.start:%Y-%m-%d}, {choice}", message)


def _factors(place: Place, where: str, version: Version) -> Iterator[Finding]:
    rows = {row.service_tier for row in version.rates}
    for factor in version.adjustments:
        if factor.service_tier in rows:
            yield Finding("T04", place, where, f"{factor.service_tier} has rows and a factor; keep one of them", "adjustments")
        if (factor.service_tier is None) == (factor.residency is None):
            yield Finding("T04", place, where, "a factor needs a service tier or a residency, and not both; split it", "adjustments")
    for (tier, residency), count in Counter((factor.service_tier, factor.residency) for factor in version.adjustments).items():
        if count > 1:
            yield Finding("T04", place, where, f"{count} factors for {tier or f'residency {residency}'}; keep one of them", "adjustments")


def one_edge(case: Case) -> Iterator[Finding]:
    """T04: two lower edges in one row."""
    for place, where, rate in _rows(case.tariff):
        for exclusive, inclusive in (("above", "at_or_above"), ("above_output", "at_or_above_output")):
            if getattr(rate, exclusive) is not None and getattr(rate, inclusive) is not None:
                yield Finding("T04", place, where, f"{exclusive} and {inclusive} are two lower edges of one row; keep one", inclusive)


def versions_in_order(case: Case) -> Iterator[Finding]:
    """T07: versions that start before the one above them, or overlap it."""
    rated = [(place, where, version) for place, where, version in _versions(case.tariff) if version.status != "withdrawn"]
    if not rated:
        yield Finding("T07", ("version", 0, None), "", "no version rates; give the tariff at least one that is not withdrawn")
    for place, where, version in rated:
        if version.until is not None and version.until <= version.start:
            yield Finding("T07", place, where, f"ends at {iso(version.until)}, before it begins; correct its until", "until")
    for (_, _, earlier), (place, where, later) in itertools.pairwise(rated):
        if later.start <= earlier.start:
            message = f"does not start after the one above it, {iso(earlier.start)}; put the oldest first"
            yield Finding("T07", place, where, message, "from")
        elif earlier.until is not None and earlier.until > later.start:
            yield Finding("T07", place, where, f"starts before the one above it ends, {iso(earlier.until)}; let that one end here", "from")


def promos(case: Case) -> Iterator[Finding]:
    """T08: a promotion with no list below, without prices, or overlapping another."""
    tariff = case.tariff
    for n, promo in enumerate(tariff.promos):
        where, place = f"promo {promo.start:%Y-%m-%d}", ("promo", n, None)
        if promo.until <= promo.start:
            yield Finding("T08", place, where, f"ends at {iso(promo.until)}, before it begins; correct its until", "until")
        if bool(promo.rates) == (promo.multiply is not None):
            yield Finding("T08", place, where, "has rates and multiply, or neither; give it one of them")
        if not any(version.start <= promo.start < (tariff.ends(version) or LATEST) for version in tariff.in_force):
            yield Finding("T08", place, where, "no list price lies below its start; add the version that it discounts", "from")
        for other in tariff.promos[n + 1 :]:
            if overlaps(promo.start, promo.until, other.start, other.until):
                yield Finding("T08", place, where, f"overlaps the promotion of {iso(other.start)}; end it first", "until")


def sources_known(case: Case) -> Iterator[Finding]:
    """T09: a source that `sources.toml` does not have."""
    tariff, known = case.tariff, case.sources
    named: list[tuple[Place, str, str | None]] = []
    named += [((block, n, None), f"{block} {part.start:%Y-%m-%d}", part.source) for block, n, part in _parts(tariff)]
    named += [(place, where, rate.source) for place, where, rate in _rows(tariff)]
    named += [(place, where, factor.source) for place, where, version in _versions(tariff) for factor in version.adjustments]
    named += [(("allowance", n, None), f"allowance {free.meter}", free.source) for n, free in enumerate(tariff.allowances)]
    for place, where, source in named:
        if source is not None and source not in known:
            yield Finding("T09", place, where, no_source(source, known), "source")


def no_source(name: str, known: Mapping[str, Source]) -> str:
    """Return the message for a source that is not there."""
    near = nearest(name, known)
    return f"source {name!r} is not in sources.toml; " + (f"did you mean {near[0]!r}?" if near else "add it with its url")


def schedules_known(case: Case) -> Iterator[Finding]:
    """T10: a schedule that `provider.toml` does not have, or not for the whole version."""
    for place, where, version in _versions(case.tariff):
        if version.schedule is None:
            continue
        editions = list(_editions(case.provider.schedule_versions(version.schedule)))
        if not editions:
            names = sorted({schedule.id for schedule in case.provider.schedules})
            cure = f"write one of {', '.join(names)}" if names else "add it there"
            yield Finding("T10", place, where, f"schedule {version.schedule!r} is not in provider.toml; {cure}", "schedule")
            continue
        gap = _first_gap(editions, version.start, case.tariff.ends(version)) if version.status != "withdrawn" else None
        if gap is not None:
            message = (
                f"schedule {version.schedule!r} has no edition from {iso(gap)} on, while the version rates; add one, or end the version"
            )
            yield Finding("T10", place, where, message, "schedule")


def _first_gap(editions: Iterable[tuple[Schedule, datetime | None]], start: datetime, until: datetime | None) -> datetime | None:
    """Return the first instant of a span at which no edition is in force, None where they cover it."""
    reached = start
    for schedule, end in editions:
        if until is not None and reached >= until:
            return None
        if schedule.start > reached:
            return reached
        if end is None:
            return None
        reached = max(reached, end)
    return reached if until is None or reached < until else None


STRUCTURE = (
    unknown_meters,
    exact_prices,
    not_negative,
    grid,
    one_edge,
    versions_in_order,
    promos,
    sources_known,
    schedules_known,
    currency_codes,
)
"""The checks of one tariff's structure, in the order of their codes."""

ADDED = (unknown_meters, not_negative, grid, one_edge, versions_in_order, promos, schedules_known, currency_codes)
"""Those of them that a tariff made in memory has to pass: it needs no `sources.toml`, and its prices may have any number of decimals."""


def findings_of(
    case: Case, checks: Iterable[Callable[[Case], Iterator[Finding]]], *, unsound: Collection[tuple[str, int]] = ()
) -> list[Finding]:
    """Run checks on the sound part of a tariff: `unsound` blocks, whose values cannot be compared, are left out.

    What hangs on a block that was left out (the order of the versions, the list below a promotion) is then not asked.
    """
    if not unsound:
        return [finding for check in checks for finding in check(case)]
    tariff = case.tariff
    kept: dict[str, list[int]] = {}
    parts: dict[str, Any] = {}
    for block in ("version", "promo", "allowance"):
        rows: Any = getattr(tariff, f"{block}s")
        count = len(rows) if hasattr(rows, "__len__") else 0  # a missing key leaves a mark that is no list
        kept[block] = [n for n in range(count) if (block, n) not in unsound]
        parts[f"{block}s"] = tuple(rows[n] for n in kept[block])
    sound = case._replace(tariff=replace(tariff, **parts))
    found = [finding for check in checks for finding in check(sound) if finding.code not in _ACROSS]
    return [f._replace(place=(f.place[0], kept[f.place[0]][f.place[1]], f.place[2])) for f in found]

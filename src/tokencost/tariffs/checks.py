"""Checks of a tariff's structure: one function a code, each yielding where and what.

These must hold; without them a price is not defined. What is merely implausible is in `plausibility`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tokencost.tariffs.clock import EARLIEST, iso, overlaps
from tokencost.tariffs.grid import effective_rows, grid_faults
from tokencost.tariffs.meter import METERS
from tokencost.tariffs.money import currency_code
from tokencost.errors import MoneyError, nearest
from tokencost.tariffs.schedule import parse_days, parse_hours, windows_clash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokencost.tariffs.provider import Alias, Provider, Source
    from tokencost.tariffs.schedule import Calendar, Schedule
    from tokencost.tariffs.tariff import Promo, Rate, Tariff, Version

__all__ = ["STRUCTURE", "Case", "Finding", "provider_findings"]

_MOST_DECIMALS = 6


class Case(NamedTuple):
    """A tariff together with everything around it that a check may look at."""

    tariff: Tariff
    provider: Provider
    sources: Mapping[str, Source]
    calendars: Mapping[str, Calendar]


class Finding(NamedTuple):
    """What a check found: the place as (block, number, row), for the line; in words; and the message."""

    code: str
    place: tuple[str, int, int | None]
    where: str
    message: str


def _parts(tariff: Tariff) -> Iterator[tuple[str, int, Version | Promo]]:
    yield from (("version", n, part) for n, part in enumerate(tariff.versions))
    yield from (("promo", n, part) for n, part in enumerate(tariff.promos))


def _rows(tariff: Tariff) -> Iterator[tuple[tuple[str, int, int], str, Rate]]:
    for block, number, part in _parts(tariff):
        for row, rate in enumerate(part.rates):
            yield (block, number, row), f"{block} {part.start:%Y-%m-%d}, row {row + 1}", rate


def unknown_meters(case: Case) -> Iterator[Finding]:
    """T01: a key of a row that is neither a selector nor a meter."""
    for place, where, rate in _rows(case.tariff):
        for name in rate.prices:
            if name not in METERS:
                near = nearest(name, METERS)
                yield Finding("T01", place, where, f"unknown meter {name!r}; " + (f"did you mean {near[0]!r}?" if near else "the reference lists the meters"))
        if not rate.prices:
            yield Finding("T01", place, where, "the row prices no meter; give it at least one, free is 0.0")


def exact_prices(case: Case) -> Iterator[Finding]:
    """T02: a price with more than six decimals, or a currency that is no code."""
    for place, where, rate in _rows(case.tariff):
        for name, price in rate.prices.items():
            exponent = price.as_tuple().exponent
            if not isinstance(exponent, int) or -exponent > _MOST_DECIMALS:
                yield Finding("T02", place, where, f"{name} = {price} has more than {_MOST_DECIMALS} decimals; write the figure that is printed")
        try:
            currency_code(rate.currency)
        except MoneyError as error:
            yield Finding("T21", place, where, str(error))


def not_negative(case: Case) -> Iterator[Finding]:
    """T03: a price, edge, factor or quantity below zero."""
    for place, where, rate in _rows(case.tariff):
        numbers = {**rate.prices, "above": rate.above, "at_or_above": rate.at_or_above, "up_to": rate.up_to, "above_output": rate.above_output}
        for name, number in numbers.items():
            if number is not None and number < 0:
                yield Finding("T03", place, where, f"{name} = {number} is negative; it is 0 or more")
    for n, version in enumerate(case.tariff.versions):
        for factor in version.adjustments:
            if factor.multiply <= 0:
                yield Finding("T03", ("version", n, None), f"version {version.start:%Y-%m-%d}", f"multiply = {factor.multiply} is not above 0")
        yield from (
            Finding("T03", ("version", n, None), f"version {version.start:%Y-%m-%d}", f"minimum {name} = {number} is negative or no meter")
            for name, number in version.minimum.items()
            if number < 0 or name not in METERS
        )


def _windows(case: Case, version: Version) -> tuple[str, ...] | None:
    if version.schedule is None:
        return None
    schedules = case.provider.schedule_versions(version.schedule)
    return tuple(dict.fromkeys(name for schedule in schedules for name in schedule.names)) or None


def grid(case: Case) -> Iterator[Finding]:
    """T04, T05, T06, T10: exactly one row for every choice, window and size."""
    for n, version in enumerate(case.tariff.versions):
        label = f"version {version.start:%Y-%m-%d}"
        seen = {(code, where) for code, where, _ in grid_faults(version.rates, _windows(case, version))}
        for code, where, message in grid_faults(version.rates, _windows(case, version)):
            yield Finding(code, ("version", n, None), f"{label}, {where}", message)
        for factor in version.adjustments:
            if factor.service_tier and any(row.service_tier == factor.service_tier for row in version.rates):
                yield Finding("T04", ("version", n, None), label, f"{factor.service_tier} has rows and a factor; keep one of them")
            if (factor.service_tier is None) == (factor.residency is None):
                yield Finding("T04", ("version", n, None), label, "a factor needs a service tier or a residency, and not both")
        for p, promo in enumerate(case.tariff.promos):
            if overlaps(promo.start, promo.until, version.start, case.tariff.ends(version)) and version.status != "withdrawn":
                for code, where, message in grid_faults(effective_rows(version, promo), _windows(case, version)):
                    if (code, where) not in seen:
                        yield Finding(code, ("promo", p, None), f"promo {promo.start:%Y-%m-%d}, {where}", message)


def versions_in_order(case: Case) -> Iterator[Finding]:
    """T07: versions that start before the one above them, or overlap it."""
    rated = [(n, version) for n, version in enumerate(case.tariff.versions) if version.status != "withdrawn"]
    if not rated:
        yield Finding("T07", ("version", 0, None), "", "no version rates; a tariff needs at least one that is not withdrawn")
    for n, version in rated:
        if version.until is not None and version.until <= version.start:
            yield Finding("T07", ("version", n, None), f"version {version.start:%Y-%m-%d}", f"ends at {iso(version.until)}, before it begins")
    for (_, earlier), (n, later) in zip(rated, rated[1:], strict=False):
        where = f"version {later.start:%Y-%m-%d}"
        if later.start <= earlier.start:
            yield Finding("T07", ("version", n, None), where, f"does not start after the one above it, {iso(earlier.start)}; the oldest comes first")
        elif earlier.until is not None and earlier.until > later.start:
            yield Finding("T07", ("version", n, None), where, f"starts before the one above it ends, {iso(earlier.until)}")


def promos(case: Case) -> Iterator[Finding]:
    """T08: a promotion with no list below, without prices, or overlapping another."""
    tariff = case.tariff
    for n, promo in enumerate(tariff.promos):
        where, place = f"promo {promo.start:%Y-%m-%d}", ("promo", n, None)
        if promo.until <= promo.start:
            yield Finding("T08", place, where, f"ends at {iso(promo.until)}, before it begins")
        if bool(promo.rates) == (promo.multiply is not None):
            yield Finding("T08", place, where, "needs rates or multiply, and not both")
        if promo.multiply is not None and promo.multiply < 0:
            yield Finding("T03", place, where, f"multiply = {promo.multiply} is negative")
        if not any(version.start <= promo.start < (tariff.ends(version) or promo.until) for version in tariff.in_force):
            yield Finding("T08", place, where, "no list price lies below its start; add the version that it discounts")
        for other in tariff.promos[n + 1 :]:
            if overlaps(promo.start, promo.until, other.start, other.until):
                yield Finding("T08", place, where, f"overlaps the promotion of {iso(other.start)}; end it first")


def sources_known(case: Case) -> Iterator[Finding]:
    """T09: a source that `sources.toml` does not have."""
    known = case.sources
    for block, n, part in _parts(case.tariff):
        if part.source not in known:
            yield Finding("T09", (block, n, None), f"{block} {part.start:%Y-%m-%d}", _no_source(part.source, known))
    for place, where, rate in _rows(case.tariff):
        if rate.source is not None and rate.source not in known:
            yield Finding("T09", place, where, _no_source(rate.source, known))
    for allowance in case.tariff.allowances:
        if allowance.source not in known:
            yield Finding("T09", ("allowance", 0, None), f"allowance {allowance.meter}", _no_source(allowance.source, known))


def _no_source(name: str, known: Mapping[str, Source]) -> str:
    near = nearest(name, known)
    return f"source {name!r} is not in sources.toml" + (f"; did you mean {near[0]!r}?" if near else "; add it with its url")


def schedules_known(case: Case) -> Iterator[Finding]:
    """T10: a schedule that `provider.toml` does not have, or not for the whole version."""
    for n, version in enumerate(case.tariff.versions):
        if version.schedule is None:
            continue
        place, where = ("version", n, None), f"version {version.start:%Y-%m-%d}"
        schedules = case.provider.schedule_versions(version.schedule)
        if not schedules:
            names = sorted({schedule.id for schedule in case.provider.schedules})
            yield Finding("T10", place, where, f"schedule {version.schedule!r} is not in provider.toml; it has {', '.join(names) or 'none'}")
        elif schedules[0].start > version.start:
            yield Finding("T10", place, where, f"schedule {version.schedule!r} starts at {iso(schedules[0].start)}, after the version does")


STRUCTURE = (unknown_meters, exact_prices, not_negative, grid, versions_in_order, promos, sources_known, schedules_known)
"""The checks of one tariff's structure, in the order of their codes."""


def provider_findings(provider: Provider, sources: Mapping[str, Source], calendars: Mapping[str, Calendar], offerings: frozenset[str]) -> Iterator[Finding]:
    """T09, T10, T11, T22: schedules, calendars, sources and names of a provider."""
    for n, schedule in enumerate(provider.schedules):
        yield from _schedule_findings(n, schedule, sources, calendars)
    mine = {offering.split("/", 1)[1] for offering in offerings if offering.startswith(f"{provider.id}/")}
    endpoints = {offering.split("/", 1)[0] for offering in mine}
    if mine and provider.default not in endpoints:
        yield Finding("T22", ("", 0, None), "", f"default endpoint {provider.default!r} has no offering; it has {', '.join(sorted(endpoints))}")
    for n, alias in enumerate(provider.aliases):
        place, where = ("alias", n, None), f"alias {alias.name}"
        if alias.offering not in mine:
            near = nearest(alias.offering, mine)
            yield Finding("T22", place, where, f"points at {alias.offering!r}, which is not here" + (f"; did you mean {near[0]!r}?" if near else ""))
        if f"{alias.offering.split('/', 1)[0]}/{alias.name}" in mine:
            yield Finding("T22", place, where, "is also an offering of the same endpoint; a name has one meaning")
        if alias.source not in sources:
            yield Finding("T09", place, where, _no_source(alias.source, sources))
        for other in provider.aliases[n + 1 :]:
            if (other.name, other.offering.split("/")[0]) == (alias.name, alias.offering.split("/")[0]) and _both(alias, other):
                yield Finding("T22", place, where, f"points at {alias.offering} and {other.offering} at the same time")
    folded: dict[str, str] = {}
    for offering in sorted(mine):
        if (twin := folded.setdefault(offering.casefold(), offering)) != offering:
            yield Finding("T22", ("", 0, None), "", f"{offering!r} and {twin!r} differ only in case; keep one")


def _both(left: Alias, right: Alias) -> bool:
    return overlaps(left.start or EARLIEST, left.until, right.start or EARLIEST, right.until)


def _schedule_findings(n: int, schedule: Schedule, sources: Mapping[str, Source], calendars: Mapping[str, Calendar]) -> Iterator[Finding]:
    place, where = ("schedule", n, None), f"schedule {schedule.id} {schedule.start:%Y-%m-%d}"
    if schedule.source not in sources:
        yield Finding("T09", place, where, _no_source(schedule.source, sources))
    for window in schedule.windows:
        try:
            parse_days(window.days)
            parse_hours(window.hours)
        except ValueError as error:
            yield Finding("T10", place, where, str(error))
            return
        name = window.except_calendar
        if name is not None and name not in calendars:
            yield Finding("T11", place, where, f"calendar {name!r} is not in calendars/; it has {', '.join(calendars) or 'none'}")
        elif name is not None and not calendars[name].start <= schedule.start.date() < calendars[name].until:
            span = calendars[name]
            yield Finding("T11", place, where, f"calendar {name!r} covers {span.start} to {span.until}, not the start of the schedule")
    clash = windows_clash(schedule.windows)
    if clash is not None:
        yield Finding("T10", place, where, f"windows {clash[0].window!r} ({clash[0].hours}) and {clash[1].window!r} ({clash[1].hours}) overlap")

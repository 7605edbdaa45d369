"""Checks of a provider: its schedules, sources, calendars and names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tokencost.errors import nearest
from tokencost.tariffs.checks import no_source
from tokencost.tariffs.clock import EARLIEST, iso, overlaps
from tokencost.tariffs.fault import WHOLE, Finding
from tokencost.tariffs.schedule import parse_days, parse_hours, windows_clash

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tokencost.tariffs.fault import Place
    from tokencost.tariffs.provider import Alias, Provider, Source
    from tokencost.tariffs.schedule import Calendar, Schedule

__all__ = ["provider_findings"]


def provider_findings(
    provider: Provider, sources: Mapping[str, Source], calendars: Mapping[str, Calendar | None], offerings: Collection[str]
) -> Iterator[Finding]:
    """T09, T10, T11, T21, T22: schedules, calendars, sources, patterns and names of a provider."""
    mine = {offering.split("/", 1)[1] for offering in offerings if offering.startswith(f"{provider.id}/")}
    endpoints = sorted({offering.split("/", 1)[0] for offering in mine})
    if mine and provider.default not in endpoints:
        message = f"default endpoint {provider.default!r} has no offering; write one of {', '.join(endpoints)}"
        yield Finding("T22", WHOLE, "", message, "default")
    if provider.namespace is not None:
        yield from _pattern(WHOLE, "", "namespace", provider.namespace)
    for n, schedule in enumerate(provider.schedules):
        yield from _schedule(("schedule", n, None), schedule, sources, calendars)
        if any((other.id, other.start) == (schedule.id, schedule.start) for other in provider.schedules[:n]):
            where = f"schedule {schedule.id} {schedule.start:%Y-%m-%d}"
            yield Finding("T10", ("schedule", n, None), where, f"is the second edition from {iso(schedule.start)}; keep one", "from")
    for n, rule in enumerate(provider.rules):
        place, where = ("rule", n, None), f"rule {n + 1}"
        yield from _pattern(place, where, "pattern", rule.pattern)
        if mine and rule.endpoint is not None and rule.endpoint not in endpoints:
            message = f"endpoint {rule.endpoint!r} has no offering; write one of {', '.join(endpoints)}"
            yield Finding("T22", place, where, message, "endpoint")
    for n, alias in enumerate(provider.aliases):
        yield from _alias(("alias", n, None), alias, provider.aliases[n + 1 :], mine, sources)
    yield from _twins(mine)


def _pattern(place: Place, where: str, key: str, pattern: str) -> Iterator[Finding]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield Finding("T21", place, where, f"{key} {pattern!r} is no regular expression ({error}); correct it", key)


def _alias(place: Place, alias: Alias, later: tuple[Alias, ...], mine: Collection[str], sources: Mapping[str, Source]) -> Iterator[Finding]:
    where = f"alias {alias.name}"
    endpoint = alias.offering.split("/", 1)[0]
    if alias.offering not in mine:
        near = nearest(alias.offering, mine)
        cure = f"did you mean {near[0]!r}?" if near else "write endpoint/model of an offering of this provider"
        yield Finding("T22", place, where, f"points at {alias.offering!r}, which is not here; {cure}", "offering")
    if f"{endpoint}/{alias.name}" in mine:
        yield Finding("T22", place, where, "is also an offering of the same endpoint; drop the alias, a name has one meaning", "name")
    if alias.start is not None and alias.until is not None and alias.until <= alias.start:
        yield Finding("T22", place, where, f"ends at {iso(alias.until)}, before it begins; correct its until", "until")
    if alias.source not in sources:
        yield Finding("T09", place, where, no_source(alias.source, sources), "source")
    for other in later:
        if (other.name, other.offering.split("/", 1)[0]) == (alias.name, endpoint) and _both(alias, other):
            yield Finding("T22", place, where, f"points at {alias.offering} and {other.offering} at the same time; end one of them first")


def _both(left: Alias, right: Alias) -> bool:
    return overlaps(left.start or EARLIEST, left.until, right.start or EARLIEST, right.until)


def _twins(mine: Collection[str]) -> Iterator[Finding]:
    folded: dict[str, str] = {}
    for offering in sorted(mine):
        if (twin := folded.setdefault(offering.casefold(), offering)) != offering:
            yield Finding("T22", WHOLE, "", f"{offering!r} and {twin!r} differ only in case; keep one")


def _schedule(
    place: Place, schedule: Schedule, sources: Mapping[str, Source], calendars: Mapping[str, Calendar | None]
) -> Iterator[Finding]:
    where = f"schedule {schedule.id} {schedule.start:%Y-%m-%d}"
    if schedule.source not in sources:
        yield Finding("T09", place, where, no_source(schedule.source, sources), "source")
    if schedule.until is not None and schedule.until <= schedule.start:
        yield Finding("T10", place, where, f"ends at {iso(schedule.until)}, before it begins; correct its until", "until")
    if not _is_zone(schedule.timezone):
        message = f"timezone {schedule.timezone!r} is not in the zone database; write it like 'Asia/Shanghai'"
        yield Finding("T10", place, where, message, "timezone")
    understood = True
    for row, window in enumerate(schedule.windows):
        spot: Place = (*place[:2], row)
        try:
            parse_days(window.days)
            parse_hours(window.hours)
        except ValueError as error:
            understood = False
            yield Finding("T10", spot, f"{where}, row {row + 1}", str(error))
        if window.except_calendar is not None:
            yield from _calendar(spot, f"{where}, row {row + 1}", schedule, window.except_calendar, calendars)
    clash = windows_clash(schedule.windows) if understood else None
    if clash is not None:
        left, right = clash
        message = f"windows {left.window!r} ({left.hours}) and {right.window!r} ({right.hours}) overlap; let one begin where the other ends"
        yield Finding("T10", place, where, message)


def _calendar(spot: Place, where: str, schedule: Schedule, name: str, calendars: Mapping[str, Calendar | None]) -> Iterator[Finding]:
    if name not in calendars:
        cure = f"write one of {', '.join(calendars)}" if calendars else "add the file"
        yield Finding("T11", spot, where, f"calendar {name!r} is not in calendars/; {cure}", "except")
        return
    span = calendars[name]
    if span is not None and not span.start <= schedule.start.date() < span.until:
        message = (
            f"calendar {name!r} covers {span.start} to {span.until} (exclusive), not the start of the schedule; extend it from the notice"
        )
        yield Finding("T11", spot, where, message, "except")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True

"""Doors: the checks that a table passes before a book of one's own rates by it.

Tables that ship with the package were checked when they were committed; nothing of this module is imported for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokencost.tariffs import files
from tokencost.tariffs.calendar_checks import calendar_findings
from tokencost.tariffs.checks import ADDED, STRUCTURE, Case, findings_of
from tokencost.tariffs.fault import WHOLE, Fault, Finding, raise_faults
from tokencost.tariffs.places import calendar_lines, located
from tokencost.tariffs.provider import Provider
from tokencost.tariffs.provider_checks import provider_findings
from tokencost.tariffs.reading import Reading
from tokencost.tariffs.tariff import Tariff

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from tokencost.tariffs.provider import Source
    from tokencost.tariffs.schedule import Calendar

__all__ = ["check_added", "check_calendar", "check_provider", "checked_tariff"]

_ID_PARTS = 3


def checked_tariff(path: Path, offering: str, *, shown: str, provider: Provider, sources: Mapping[str, Source]) -> Tariff:
    """Read the table of an offering and check its types and its structure.

    Raises:
        TableError: the table does not hold; `faults` has everything that is wrong with it, each with its line.
    """
    reading = Reading(shown)
    tariff = files.build_tariff(reading, files.read_toml(path, shown=shown), offering)
    found = [*reading.findings, *findings_of(Case(tariff, provider, sources, {}), STRUCTURE, unsound=reading.unsound)]
    if found:
        raise_faults(located(found, shown, path.read_text(encoding="utf-8")))
    return tariff


def check_provider(
    path: Path,
    provider: Provider,
    *,
    shown: str,
    sources: Mapping[str, Source],
    calendars: Mapping[str, Calendar],
    offerings: Collection[str],
) -> None:
    """Check the schedules, sources, patterns and names of a provider.

    Raises:
        TableError: `provider.toml` does not hold; `faults` has everything that is wrong with it.
    """
    found = list(provider_findings(provider, sources, calendars, offerings))
    if found:
        raise_faults(located(found, shown, path.read_text(encoding="utf-8")))


def check_calendar(path: Path, calendar: Calendar, *, shown: str) -> None:
    """Check the days of a calendar.

    Raises:
        TableError: the calendar does not hold; `faults` has everything that is wrong with it.
    """
    found = list(calendar_findings(calendar))
    if found:
        raise_faults(calendar_lines(found, shown, path.read_text(encoding="utf-8")))


def check_added(tariffs: Iterable[tuple[Tariff, Provider | None]]) -> None:
    """Check tariffs that were made in memory, each with its provider where the shelf has one.

    They need no source on file, and their prices may have any number of decimals.

    Raises:
        TableError: a float where a price is meant, a hole in the rows, an id of another form; `faults` has all of it.
    """
    faults: list[Fault] = []
    for tariff, known in tariffs:
        reading = Reading(tariff.id)
        reading.check(Tariff, tariff)
        parts = tariff.id.split("/")
        if len(parts) < _ID_PARTS or not all(parts):
            reading.findings.append(Finding("T22", WHOLE, "", f"the id {tariff.id!r} is not one; write it like provider/endpoint/model"))
        provider = known or Provider(id=parts[0], name=parts[0], kind="publisher", default=parts[min(1, len(parts) - 1)])
        found = findings_of(Case(tariff, provider, {}, {}), ADDED, unsound=reading.unsound)
        faults += [*reading.faults, *(Fault(f.code, tariff.id, f.where, f.message) for f in found)]
    raise_faults(faults)

"""Checks of a calendar: gazetted days in order, inside the span, and never both off and worked."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tokencost.tariffs.fault import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tokencost.tariffs.schedule import Calendar

__all__ = ["calendar_findings"]

_NOWHERE = ("", 0, None)


def calendar_findings(calendar: Calendar) -> Iterator[Finding]:
    """T09, T11: a source and a check date; days inside the span, in order, named once, and working days that are not days off."""
    if not calendar.source.strip():
        yield Finding("T09", _NOWHERE, "source", "is empty; name the notice that gazettes the days")
    if calendar.until <= calendar.start:
        yield Finding("T11", _NOWHERE, "until", f"the span ends on {calendar.until}, not after it begins on {calendar.start}")
    yield from _list_findings(calendar, "days_off", calendar.days_off)
    yield from _list_findings(calendar, "working", calendar.working)
    off = frozenset(calendar.days_off)
    for day in calendar.working:
        if day in off:
            yield Finding(
                "T11", _NOWHERE, f"working {day}", f"{day} is both a day off and a working day; keep the one that the notice says"
            )


def _list_findings(calendar: Calendar, key: str, days: tuple[date, ...]) -> Iterator[Finding]:
    for day in days:
        if not calendar.start <= day < calendar.until:
            yield Finding(
                "T11",
                _NOWHERE,
                f"{key} {day}",
                f"{day} lies outside the span {calendar.start} to {calendar.until} (exclusive); correct the day, or extend the span",
            )
    for earlier, later in itertools.pairwise(days):
        if later == earlier:
            yield Finding("T11", _NOWHERE, f"{key} {later}", f"{later} is named twice; keep it once")
        elif later < earlier:
            yield Finding("T11", _NOWHERE, f"{key} {later}", f"{later} comes after {earlier}; put the days in order")

"""Corrections: a past price may change only where the table says that it was wrong, and why.

The past of a price ends where somebody last looked: up to the day of its check the older copy vouches for it. What comes later, and
what the older copy did not price at all, may be written without a word.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from tokencost.tariffs.clock import LATEST, iso
from tokencost.tariffs.diff import cell_changes
from tokencost.tariffs.fault import Finding
from tokencost.tariffs.meter import ancestors
from tokencost.tariffs.stretches import paired

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tokencost.tariffs.provider import Provider
    from tokencost.tariffs.schedule import Calendar, Schedule
    from tokencost.tariffs.stretches import Stretch
    from tokencost.tariffs.tariff import Tariff, Version

__all__ = ["calendar_past", "schedules_past", "tariff_past"]

_EARLIEST_DAWN: Final = timedelta(hours=14)
"""A day begins first where clocks are 14 hours ahead of UTC."""


def _known_until(checked: date) -> datetime:
    """Return the instant up to which a check vouches for a price: where its day first dawns, for the price may change on that day."""
    return datetime.combine(checked, time(), tzinfo=UTC) - _EARLIEST_DAWN


def tariff_past(old: Tariff, new: Tariff) -> Iterator[Finding]:
    """T18: a price that an older copy vouches for is different now, and no correction says why."""
    found: dict[int | None, tuple[str, int]] = {}
    for start, _, left, right in paired(old, new):
        if left is None or start >= _known_until((left.promo or left.version).checked):
            continue
        said = _first_difference(old, new, left, right, start)
        if said is None:
            continue
        version = right.version if right is not None else _nearest(new, start)
        if version is not None and _corrected(old, version):
            continue
        number = None if version is None else new.versions.index(version)
        message, count = found.get(number, (said, 0))
        found[number] = message, count + 1
    for number, (message, _) in found.items():
        where = "" if number is None else f"version {new.versions[number].start:%Y-%m-%d}"
        cure = "append a version for a new price, or say in `correction` what was wrong"
        yield Finding("T18", ("version", number or 0, None), where, f"{message}, and no correction says why; {cure}")


def _first_difference(old: Tariff, new: Tariff, left: Stretch, right: Stretch | None, start: datetime) -> str | None:
    """Say the first thing that an older copy gave differently on a span, of what it gave at all."""
    if right is None:
        return f"the past price from {iso(start)} is gone"
    for key in ("tiering", "tier_on"):
        if getattr(old, key) != getattr(new, key) and any(row.first_input or row.first_output for row in left.version.rates):
            return f"{key} was {getattr(old, key)!r} and is {getattr(new, key)!r}"
    if left[2:] == right[2:]:
        return None
    before = left.cells
    for change in cell_changes(new.id, before, right.cells):
        known = before.prices_at(change.choice, change.window, (change.first_input, change.first_output))
        if not any(meter in known for meter in ancestors(change.meter)):
            continue  # it was an error then, so no figure rests on it
        old_price, new_price = ("none" if price is None else format(price, "f") for price in (change.old, change.new))
        return f"{change.meter} from {iso(start)} ({change.where}) was {old_price} and is {new_price}"
    for key in ("minimum", "schedule"):
        was, became = getattr(left.version, key), getattr(right.version, key)
        if was != became and not (key == "schedule" and was is None):
            return f"{key} from {iso(start)} was {was or 'none'} and is {became or 'none'}"
    return None


def _nearest(new: Tariff, start: datetime) -> Version | None:
    """Return the version that a correction of a span without a price would stand in: the one before it, or the first."""
    before = [version for version in new.in_force if version.start <= start]
    return before[-1] if before else next(iter(new.in_force), None)


def _corrected(old: Tariff, version: Version) -> bool:
    twin = next((other for other in old.versions if other.start == version.start), None)
    return version.correction is not None and (twin is None or twin.correction != version.correction)


def schedules_past(old: Provider, new: Provider) -> Iterator[Finding]:
    """T18: the clock of a past day is different now, and the note of the schedule is the same."""
    for name in dict.fromkeys(schedule.id for schedule in old.schedules):
        sides = old.schedule_versions(name), new.schedule_versions(name)
        edges = sorted({edge for side in sides for s in side for edge in (s.start, s.until or LATEST)})
        for start, _ in itertools.pairwise(edges):
            left, right = (_in_force(side, start) for side in sides)
            if left is None or start >= _known_until(left.checked) or (right is not None and _clock(left) == _clock(right)):
                continue
            if right is None or right.note is None or right.note == left.note:
                place = ("schedule", new.schedules.index(right), None) if right is not None else ("", 0, None)
                message = f"the windows of {name} from {iso(start)} on are not what they were; say in its note what was wrong"
                yield Finding("T18", place, f"schedule {name}", message)
                break


def _in_force(schedules: tuple[Schedule, ...], at: datetime) -> Schedule | None:
    current = [s for s in schedules if s.start <= at and (s.until is None or at < s.until)]
    return current[-1] if current else None


def _clock(schedule: Schedule) -> tuple[object, ...]:
    return schedule.timezone, schedule.default, schedule.windows


def calendar_past(old: Calendar, new: Calendar) -> Iterator[Finding]:
    """T18: a past day was off and is not, or the other way round, and the note of the calendar is the same."""
    changed = sorted(day for day in set(old.days_off) ^ set(new.days_off) if old.start <= day < old.until and day < old.checked)
    lost = sorted(day for day in (old.start, old.until) if not new.start <= day <= new.until)
    if new.note is not None and new.note != old.note:
        return
    for day in changed:
        now = "off" if day in new.days_off else "not off"
        yield Finding("T18", ("", 0, None), f"days_off {day}", f"{day} is {now} and was the opposite; say in its note what was wrong")
    if lost:
        yield Finding(
            "T18",
            ("", 0, None),
            "from",
            f"the span was {old.start} to {old.until} and no longer covers that; keep the days that were covered",
        )

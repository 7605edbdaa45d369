"""Turns: the instants at which a schedule changes from one window to another."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import CalendarError
from tokencost.tariffs.clock import UTC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from zoneinfo import ZoneInfo

    from tokencost.tariffs.schedule import Dial

__all__ = ["Turn", "turns"]

_ONE_DAY: Final = timedelta(days=1)
_DAY_MINUTES: Final = 24 * 60


class Turn(NamedTuple):
    """From this instant on the window is this one, or not known because a calendar has run out."""

    at: datetime
    window: str | CalendarError


def turns(dial: Dial, start: datetime, until: datetime) -> list[Turn]:
    """Return every change of window on the half-open span, the window at `start` first.

    >>> from datetime import date
    >>> from tokencost.tariffs.schedule import Dial, Schedule, Window
    >>> night = Schedule(id="night", start=datetime(2025, 2, 26, tzinfo=UTC), timezone="UTC", default="peak", source="s",
    ...                  checked=date(2026, 1, 1), windows=(Window(window="off_peak", hours="16:30-00:30"),))
    >>> [(str(t.at)[11:16], t.window) for t in turns(Dial(night, {}), datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 3, 2, tzinfo=UTC))]
    [('00:00', 'off_peak'), ('00:30', 'peak'), ('16:30', 'off_peak')]
    """
    zone = dial.zone
    minutes = sorted({edge % _DAY_MINUTES for stretch in dial.stretches for edge in (stretch.first, stretch.last)})
    edges = {start}
    day = start.astimezone(zone).date() - _ONE_DAY
    while day <= until.astimezone(zone).date() + _ONE_DAY:
        edges.update(edge for edge in _edges(day, minutes, zone) if start <= edge < until)
        day += _ONE_DAY
    found: list[Turn] = []
    for edge in sorted(edges):
        window = _window(dial, edge)
        if not found or found[-1].window != window:
            found.append(Turn(edge, window))
    return found


def _edges(day: date, minutes: list[int], zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the instants of a local day at which a window can begin or end.

    On a day on which the clocks are changed a local time may come twice or never, so every minute of it is one.
    """
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    following = datetime.combine(day + _ONE_DAY, time(), zone).astimezone(UTC)
    if following - midnight == _ONE_DAY:
        yield from (midnight + timedelta(minutes=minute) for minute in minutes)
    else:
        yield from (midnight + timedelta(minutes=minute) for minute in range(int((following - midnight).total_seconds()) // 60))


def _window(dial: Dial, at: datetime) -> str | CalendarError:
    try:
        return dial.window_at(at)
    except CalendarError as error:
        return error

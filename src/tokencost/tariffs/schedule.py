"""Schedules: from local time to a window, with weekdays, midnight wraps and gazetted days off."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tokencost.errors import CalendarError
from tokencost.tariffs.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

__all__ = ["DAY_NAMES", "Calendar", "Decided", "Dial", "Schedule", "Window", "minutes_of", "parse_days", "parse_hours", "windows_clash"]

Decided = Literal["request", "completion", "unstated"]
DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_DAY_MINUTES: Final = 24 * 60
_ONE_DAY: Final = timedelta(days=1)


@record
class Calendar:
    """Gazetted days off and working days, with the span that they cover.

    Governments decide these a year at a time. Outside the span the answer is an error, never a prediction.

    >>> cn = Calendar(id="cn", name="example", start=date(2026, 1, 1), until=date(2027, 1, 1), days_off=(date(2026, 1, 1),), source="s",
    ...               checked=date(2026, 11, 20))
    >>> cn.is_off(date(2026, 1, 1)), cn.is_off(date(2026, 1, 5))
    (True, False)
    """

    id: str
    name: str
    start: date
    until: date
    days_off: tuple[date, ...]
    working: tuple[date, ...] = ()
    source: str
    checked: date
    note: str | None = None

    def is_off(self, day: date) -> bool:
        """Say whether a day is gazetted as off.

        Raises:
            CalendarError: the day lies outside the span that the calendar covers.
        """
        if not self.start <= day < self.until:
            raise CalendarError(
                f"calendar {self.id!r} covers {self.start} to {self.until} (exclusive) and says nothing of {day}; "
                "days off are gazetted a year at a time, so extend the calendar file from the notice",
                calendar=self.id,
                day=day,
                start=self.start,
                until=self.until,
            )
        return day in self.days_off


@record
class Window:
    """One stretch of local wall-clock time that has a name.

    `days` are those on which the stretch starts; `hours` are half-open and may wrap midnight.
    """

    window: str
    days: str = "daily"
    hours: str = "00:00-24:00"
    except_calendar: str | None = None


@record
class Schedule:
    """A version of a provider's clock: which window an instant falls into.

    >>> from datetime import UTC
    >>> night = Schedule(id="night", start=datetime(2025, 2, 26, tzinfo=UTC), timezone="UTC", default="peak", source="s",
    ...                  checked=date(2026, 1, 1), windows=(Window(window="off_peak", hours="16:30-00:30"),))
    >>> night.window_at(datetime(2025, 3, 1, 17, tzinfo=UTC), {}), night.window_at(datetime(2025, 3, 1, 0, 30, tzinfo=UTC), {})
    ('off_peak', 'peak')
    """

    id: str
    start: datetime
    until: datetime | None = None
    timezone: str
    decided: Decided = "unstated"
    default: str
    windows: tuple[Window, ...]
    basis: str = "announced"
    source: str
    checked: date
    note: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All windows that an instant can fall into, the default one last."""
        return tuple(dict.fromkeys([*(w.window for w in self.windows if w.window != self.default), self.default]))

    def window_at(self, at: datetime, calendars: Mapping[str, Calendar]) -> str:
        """Return the window of an aware instant.

        Raises:
            CalendarError: the answer hangs on a gazetted calendar that does not cover the day.
        """
        return Dial(self, calendars).window_at(at)


class Stretch(NamedTuple):
    """A window made ready for comparing: minutes of the day, numbers of weekdays, the calendar and its days off."""

    window: str
    first: int
    last: int
    days: frozenset[int]
    calendar: Calendar | None
    days_off: frozenset[date]

    def runs_from(self, day: date) -> bool:
        """Say whether the stretch that may start on a day does start.

        Raises:
            CalendarError: the calendar does not cover the day.
        """
        if day.weekday() not in self.days:
            return False
        if self.calendar is None:
            return True
        if self.calendar.start <= day < self.calendar.until:
            return day not in self.days_off
        return not self.calendar.is_off(day)


class Dial:
    """A schedule and its calendars, made ready to be asked often."""

    __slots__ = ("_default", "stretches", "zone")

    def __init__(self, schedule: Schedule, calendars: Mapping[str, Calendar]) -> None:
        self.zone = _zone(schedule.timezone)
        self._default = schedule.default
        self.stretches = tuple(_stretch(window, calendars) for window in schedule.windows)

    def window_at(self, at: datetime) -> str:
        """Return the window of an aware instant.

        Raises:
            CalendarError: the answer hangs on a gazetted calendar that does not cover the day.
        """
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        for stretch in self.stretches:
            if stretch.first <= minute < stretch.last and stretch.runs_from(local.date()):
                return stretch.window
            if minute + _DAY_MINUTES < stretch.last and stretch.runs_from(local.date() - _ONE_DAY):  # it began yesterday
                return stretch.window
        return self._default


def _stretch(window: Window, calendars: Mapping[str, Calendar]) -> Stretch:
    calendar = None if window.except_calendar is None else calendars[window.except_calendar]
    days_off = frozenset[date]() if calendar is None else frozenset(calendar.days_off)
    return Stretch(window.window, *parse_hours(window.hours), parse_days(window.days), calendar, days_off)


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo  # slow to load, and most prices have no windows

    return ZoneInfo(name)


@lru_cache(maxsize=256)
def parse_days(text: str) -> frozenset[int]:
    """Return weekday numbers, Monday 0, from `daily`, `mon-fri`, `sat,sun` and the like.

    >>> sorted(parse_days("fri-mon"))
    [0, 4, 5, 6]

    Raises:
        ValueError: a word that is no day.
    """
    days: set[int] = set()
    for part in text.split(","):
        if part.strip() == "daily":
            days.update(range(7))
            continue
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        if not all(end in DAY_NAMES for end in ends):
            raise ValueError(f"days {text!r} are not understood at {part!r}; write daily, mon-fri, sat or sat,sun")
        low, high = DAY_NAMES.index(ends[0]), DAY_NAMES.index(ends[1])
        days.update(day % 7 for day in range(low, high + 1 if high >= low else high + 8))
    return frozenset(days)


@lru_cache(maxsize=256)
def parse_hours(text: str) -> tuple[int, int]:
    """Return first and last minute of the day, half-open; a wrap past midnight ends above 1,440.

    >>> parse_hours("09:00-12:00"), parse_hours("22:00-08:00")
    ((540, 720), (1320, 1920))

    Raises:
        ValueError: text of another form, or an empty stretch.
    """
    match = _HOURS.fullmatch(text)
    if match is None:
        raise ValueError(f"hours {text!r} are not understood; write them like 09:00-12:00")
    h1, m1, h2, m2 = (int(group) for group in match.groups())
    first, last = h1 * 60 + m1, h2 * 60 + m2
    if m1 > 59 or m2 > 59 or first >= _DAY_MINUTES or last > _DAY_MINUTES or first == last:  # noqa: PLR2004
        raise ValueError(f"hours {text!r} are not a stretch of a day; write them like 09:00-12:00, the whole day as 00:00-24:00")
    return first, last if last > first else last + _DAY_MINUTES


def minutes_of(window: Window) -> frozenset[int]:
    """Return the minutes of a local week, Monday 00:00 first, that a window covers before its calendar is looked at."""
    first, last = parse_hours(window.hours)
    week = 7 * _DAY_MINUTES
    return frozenset((day * _DAY_MINUTES + minute) % week for day in parse_days(window.days) for minute in range(first, last))


def windows_clash(windows: tuple[Window, ...]) -> tuple[Window, Window] | None:
    """Return two differently named windows that share a minute of the week, if there are any.

    >>> windows_clash((Window(window="night", hours="22:00-08:00"), Window(window="peak", days="mon", hours="07:00-09:00"))) is not None
    True
    """
    stretches = [(window, _stretches(window)) for window in windows]
    for index, (left, mine) in enumerate(stretches):
        for right, theirs in stretches[index + 1 :]:
            if left.window != right.window and any(a < d and c < b for a, b in mine for c, d in theirs):
                return left, right
    return None


def _stretches(window: Window) -> list[tuple[int, int]]:
    """Return the half-open stretches of minutes of a local week that a window covers; one that leaves the week is cut in two."""
    first, last = parse_hours(window.hours)
    week = 7 * _DAY_MINUTES
    found: list[tuple[int, int]] = []
    for day in parse_days(window.days):
        begins, ends = day * _DAY_MINUTES + first, day * _DAY_MINUTES + last
        found.append((begins, min(ends, week)))
        if ends > week:
            found.append((0, ends - week))
    return found

"""Window hours: at which instants of a span a list has which window, and how many hours of a week fall into it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tokencost.errors import CalendarError
from tokencost.scenarios.rewrite import schedule_of
from tokencost.tariffs.schedule import Dial

if TYPE_CHECKING:
    from datetime import datetime

    from tokencost.rating.book import Book

__all__ = ["window_instants"]

_STEP: Final = timedelta(minutes=15)
_STEPS_IN_A_WEEK: Final = 7 * 24 * 4
_WEEK: Final = timedelta(days=7)


def window_instants(book: Book, offering: str, begin: datetime, end: datetime) -> list[tuple[datetime, int]]:
    """Return an instant of a span for each window that its list has, with the quarters of an hour that a week has of it.

    The list is that of the span's first instant. A window that the span is too short to have is left out. Without windows, and where a
    calendar says nothing of these days, it is the first instant alone.
    """
    tariff = book.shelf.tariff(book.resolve(offering).offering)
    version = next((v for v in reversed(tariff.in_force) if v.start <= begin), None)
    schedule = None if version is None else schedule_of(book, tariff, version, begin)
    if schedule is None:
        return [(begin, 1)]
    try:
        dial = Dial(schedule, {w.except_calendar: book.shelf.calendar(w.except_calendar) for w in schedule.windows if w.except_calendar})
        instants: dict[str, datetime] = {}
        hours: dict[str, int] = {}
        for step in range(_STEPS_IN_A_WEEK):
            at = begin + step * _STEP
            window = dial.window_at(at)
            hours[window] = hours.get(window, 0) + 1
            if at < min(end, begin + _WEEK):
                instants.setdefault(window, at)
    except CalendarError:
        return [(begin, 1)]
    return [(at, hours[window]) for window, at in instants.items()]

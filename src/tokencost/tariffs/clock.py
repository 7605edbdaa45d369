"""Instants and spans: aware, half-open, never the wall clock of the machine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from tokencost.errors import InstantError, InstantTypeError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["EARLIEST", "LATEST", "UTC", "iso", "overlaps", "to_instant", "zone_named"]

EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)
_CURE: Final = "write it like '2025-02-01T12:00:00Z' or datetime(2025, 2, 1, 12, tzinfo=UTC)"


def to_instant(value: object) -> datetime:
    """Return an aware datetime in UTC from a datetime or ISO text with its offset.

    >>> to_instant("2025-02-01T20:00:00+08:00")
    datetime.datetime(2025, 2, 1, 12, 0, tzinfo=datetime.timezone.utc)

    Raises:
        InstantTypeError: a bare date, a number, or something else that is not an instant.
        InstantError: a naive datetime, or text that is not ISO 8601.

    A subclass of datetime, such as a timestamp of pandas, becomes a plain one; what is finer than microseconds is cut off.
    """
    if isinstance(value, str):
        value = _parse(value)
    if not isinstance(value, datetime):
        kind = "a date, which spans many hours" if isinstance(value, date) else f"a {type(value).__name__}"
        raise InstantTypeError(f"at={value!r} is {kind}, not an instant; {_CURE}", value=value)
    if type(value) is not datetime:
        value = _plain(value)
    if value.utcoffset() is None:
        raise InstantError(f"at={value!r} is naive, it names no time zone; {_CURE}", value=value)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InstantError(f"at={value!r} is outside the years 1 to 9999 in UTC; {_CURE}", value=value) from None


def _plain(value: datetime) -> datetime:
    """Return a plain datetime; a missing timestamp of pandas is a datetime that has no date."""
    try:
        return datetime.combine(value.date(), value.timetz())
    except (TypeError, ValueError):
        raise InstantError(f"at={value!r} is a missing value, not an instant; {_CURE}", value=value) from None


def _parse(text: str) -> datetime:
    stripped = text.strip()
    if "T" not in stripped.upper() and " " not in stripped and ":" not in stripped:
        raise InstantTypeError(f"at={text!r} is a date at best, not an instant; {_CURE}", value=text)
    try:
        return datetime.fromisoformat(stripped)
    except ValueError:
        raise InstantError(f"at={text!r} is not an ISO 8601 instant; {_CURE}", value=text) from None


def iso(instant: datetime | None) -> str:
    """Return the canonical text of an instant, in UTC; an open end is an ellipsis.

    >>> iso(datetime(2025, 1, 20, tzinfo=UTC))
    '2025-01-20T00:00:00Z'
    """
    if instant is None:
        return "..."
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def overlaps(start: datetime, until: datetime | None, other_start: datetime, other_until: datetime | None) -> bool:
    """Say whether two half-open spans share an instant; None is an open end.

    >>> day = datetime(2025, 1, 1, tzinfo=UTC)
    >>> overlaps(day, day, day, None)
    False
    """
    if until is not None and (until <= start or until <= other_start):
        return False
    return other_until is None or (other_until > other_start and other_until > start)


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its name.

    >>> zone_named("Asia/Shanghai").key
    'Asia/Shanghai'

    Raises:
        InstantError: there is no such zone.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # slow to load, and most prices have no windows

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InstantError(f"zone {name!r} is not a time zone; write it like 'UTC' or 'Asia/Shanghai'", value=name) from None

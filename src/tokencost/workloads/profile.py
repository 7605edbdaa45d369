"""Profiles: at which hours of the week requests are made, in whose time zone, and what share of a month falls where."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import gcd
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from tokencost.errors import WorkloadError
from tokencost.tariffs.clock import UTC, to_instant, zone_named
from tokencost.workloads.share import common_denominator, fraction_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["HOURS", "HourProfile", "Month"]

HOURS: Final = 168
_DAY: Final = 24
_WORKDAYS: Final = 5
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_QUARTER: Final = timedelta(minutes=15)
_QUARTER_MICROS: Final = 15 * 60 * 10**6
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST: Final = 10**9


class Month(NamedTuple):
    """A calendar month in UTC, which is how providers bill.

    >>> Month.of("2026-11").next.text
    '2026-12'
    """

    start: datetime
    until: datetime

    @classmethod
    def of(cls, value: object) -> Month:
        """Return a month from text.

        Raises:
            WorkloadError: it is not written like 2026-11.
        """
        if isinstance(value, Month):
            return value
        match = _MONTH.fullmatch(value) if isinstance(value, str) else None
        if match is None or not 1970 <= int(match.group(1)) < 9999:  # noqa: PLR2004
            raise WorkloadError(f"month {value!r} is not a month; write it like '2026-11'", meter="month", value=value)
        return cls._at(int(match.group(1)), int(match.group(2)))

    @classmethod
    def _at(cls, year: int, month: int) -> Month:
        following = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004
        return cls(datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC))

    @property
    def next(self) -> Month:
        """The month after this one."""
        return Month._at(self.until.year, self.until.month)

    @property
    def text(self) -> str:
        """The month as it is written."""
        return f"{self.start:%Y-%m}"

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.start).days

    def __str__(self) -> str:
        return self.text


class HourProfile:
    """How requests spread over the 168 hours of a week, Monday 00:00 first, in a time zone.

    Only the ratio of weights matters. Within an hour requests come evenly. A month with five Mondays has more of Monday's weight.

    >>> from tokencost.tariffs.clock import to_instant
    >>> office = HourProfile.weekly([0] * 9 + [1] * 9 + [0] * 150, zone="Asia/Shanghai")
    >>> str(office.share(to_instant("2026-11-02T01:00:00Z"), to_instant("2026-11-02T10:00:00Z"), month=Month.of("2026-11")))
    '1/5'
    """

    __slots__ = ("weights", "zone")

    def __init__(self, weights: Iterable[object], *, zone: str = "UTC") -> None:
        parts = [fraction_of(weight, what="profile") for weight in weights]
        if len(parts) != HOURS:
            raise WorkloadError(
                f"a profile of {len(parts)} weights is no week; pass {HOURS}, Monday 00:00 first, or 24 for every day",
                meter="profile",
                value=len(parts),
            )
        for hour, part in enumerate(parts):
            if part < 0:
                raise WorkloadError(
                    f"weight {float(part):g} of hour {hour} is negative; weights are 0 or more", meter="profile", value=part
                )
        if not any(parts):
            raise WorkloadError("all weights of the profile are 0; give an hour a weight above 0", meter="profile", value=0)
        zone_named(zone)
        self.zone = zone
        common = common_denominator(parts)
        whole = [int(part * common) for part in parts]
        factor = gcd(*whole)
        whole = [weight // factor for weight in whole]
        self.weights = tuple(whole)
        if max(whole) > _MOST:
            raise WorkloadError(
                f"weights of the profile range from {min(whole)} to {max(whole)}; write them with fewer figures",
                meter="profile",
                value=max(whole),
            )

    # -- ways to make one --------------------------------------------------------------------------------------------------------------

    @classmethod
    def even(cls) -> Self:
        """Return the profile of requests that come evenly, night and day."""
        return cls([1] * HOURS)

    @classmethod
    def weekly(cls, weights: Sequence[object], *, zone: str = "UTC") -> Self:
        """Return a profile by its 168 weights, Monday 00:00 first."""
        return cls(weights, zone=zone)

    @classmethod
    def daily(cls, weights: Sequence[object], *, zone: str = "UTC", weekend: object = 1) -> Self:
        """Return a profile by the 24 weights of a day; on Saturday and Sunday they are `weekend` times as large.

        >>> HourProfile.daily([1] * 24, weekend=0.5).weights[0], HourProfile.daily([1] * 24, weekend=0.5).weights[-1]
        (2, 1)
        """
        if len(weights) != _DAY:
            raise WorkloadError(f"a day of {len(weights)} weights is no day; pass {_DAY}", meter="profile", value=len(weights))
        parts = [fraction_of(weight, what="profile") for weight in weights]
        less = fraction_of(weekend, what="weekend")
        return cls(parts * _WORKDAYS + [part * less for part in parts] * 2, zone=zone)

    @classmethod
    def of(cls, instants: Iterable[datetime], *, zone: str = "UTC") -> Self:
        """Return the profile that instants show: how many fell in each hour of the week, in a time zone.

        Raises:
            WorkloadError: they span less than a week, which says nothing of the rest of it.
            InstantError: one has no offset.
        """
        local = zone_named(zone)
        seen, counts = [to_instant(instant) for instant in instants], [0] * HOURS
        span = max(seen) - min(seen) if seen else timedelta(0)
        if span < timedelta(days=6, hours=23):
            raise WorkloadError(
                f"the instants span {span}, not a week; describe the profile, or leave it out for an even one", meter="profile", value=span
            )
        for instant in seen:
            there = instant.astimezone(local)
            counts[there.weekday() * _DAY + there.hour] += 1
        return cls(counts, zone=zone)

    # -- what it says ------------------------------------------------------------------------------------------------------------------

    @property
    def is_even(self) -> bool:
        """Say whether all hours are alike."""
        return len(set(self.weights)) == 1

    def share(self, start: datetime, until: datetime, *, month: Month) -> Fraction:
        """Return the share of a month's requests that are made on a half-open span within it."""
        first, last, end = self.mass([start, until, month.until], month=month)
        return Fraction(last - first, end)

    def mass(self, instants: Sequence[datetime], *, month: Month) -> list[int]:
        """Return how much of a month's demand has come before each of these instants, in whole units that add up."""
        if self.is_even:
            return [(min(max(at, month.start), month.until) - month.start) // timedelta(microseconds=1) for at in instants]
        grid, upto = _grid(self.weights, self.zone, month)
        found: list[int] = []
        for at in instants:
            passed = (min(max(at, month.start), month.until) - month.start) // timedelta(microseconds=1)
            quarter, rest = divmod(passed, _QUARTER_MICROS)
            found.append(upto[quarter] * _QUARTER_MICROS + (grid[quarter] * rest if rest else 0))
        return found

    def sample(self, generator: Generator, size: int, *, month: Month) -> NDArray[Any]:
        """Draw instants within a month, as microseconds since 1970."""
        import numpy as np

        first = (month.start - _EPOCH) // timedelta(microseconds=1)
        _, upto = _grid(self.weights, self.zone, month)
        edges = np.array(upto[1:], np.int64)
        quarter = np.searchsorted(edges, generator.integers(0, upto[-1], size), side="right")
        return first + quarter * _QUARTER_MICROS + generator.integers(0, _QUARTER_MICROS, size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HourProfile) and (self.weights, self.zone) == (other.weights, other.zone)

    def __hash__(self) -> int:
        return hash((self.weights, self.zone))

    def __repr__(self) -> str:
        return "HourProfile.even()" if self.is_even else f"HourProfile.weekly({list(self.weights)}, zone={self.zone!r})"


@lru_cache(maxsize=512)
def _grid(weights: tuple[int, ...], zone: str, month: Month) -> tuple[list[int], list[int]]:
    """Return the weight of each quarter of an hour of a month, and their running sum from 0.

    All zones of today are whole quarters from UTC, so that a quarter lies in one local hour.
    """
    local = zone_named(zone)
    grid: list[int] = []
    at = month.start
    while at < month.until:
        there = at.astimezone(local)
        grid.append(weights[there.weekday() * _DAY + there.hour])
        at += _QUARTER
    return grid, list(accumulate(grid, initial=0))

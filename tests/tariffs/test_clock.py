"""Instants: aware or refused with the cure; spans half-open."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

import tokencost as tc
from strategies import instants, zoned_instants
from tokencost.tariffs.clock import EARLIEST, LATEST, iso, overlaps, to_instant

CURE = "write it like '2025-02-01T12:00:00Z' or datetime(2025, 2, 1, 12, tzinfo=UTC)"
NOON = datetime(2025, 2, 1, 12, tzinfo=UTC)


@given(zoned_instants())
def test_an_aware_instant_keeps_its_moment_and_becomes_utc(at):
    found = to_instant(at)

    assert found == at
    assert found.tzinfo is UTC
    assert to_instant(at.isoformat()) == found
    assert to_instant(found) == found


@given(instants())
def test_the_canonical_text_reads_back(at):
    text = iso(at)

    assert text.endswith("Z")
    assert to_instant(text) == at
    assert iso(at.astimezone(ZoneInfo("Asia/Shanghai"))) == text


def test_an_open_end_is_an_ellipsis():
    assert iso(None) == "..."


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-01T12:00:00Z",
        "2025-02-01T20:00:00+08:00",
        " 2025-02-01 12:00:00+00:00 ",
        "2025-02-01T12:00Z",
        "20250201T120000Z",
        "2025-W05-6T12:00:00Z",
    ],
)
def test_iso_text_with_an_offset(text):
    assert to_instant(text) == NOON


@pytest.mark.parametrize("text", ["2025-02-01T12:00:00", "2025-02-01 12:00", "2025-02-01T12:00:00.5"])
def test_text_without_an_offset_is_refused(text):
    with pytest.raises(tc.InstantError, match="is naive, it names no time zone") as caught:
        to_instant(text)

    assert str(caught.value).endswith(CURE)


@pytest.mark.parametrize("text", ["2025-02-01", "20250201", "", "2025", "now"])
def test_text_of_a_bare_date_is_refused(text):
    with pytest.raises(tc.InstantTypeError, match="is a date at best, not an instant") as caught:
        to_instant(text)

    assert str(caught.value).endswith(CURE)
    assert caught.value.value == text


@pytest.mark.parametrize(
    "text",
    [
        "12:00",
        "yesterday",
        "2025-13-01T00:00:00Z",
        "2025-02-30T00:00:00Z",
        "12025-01-01T00:00:00Z",
        "Tue Feb 1 12:00",
        "0000-01-01T00:00:00Z",
    ],
)
def test_text_that_is_no_instant_is_refused(text):
    with pytest.raises(tc.InstantError) as caught:
        to_instant(text)

    assert str(caught.value).endswith(CURE)


@pytest.mark.parametrize(
    "value", [date(2025, 2, 1), 1738411200, 1738411200.0, None, True, time(12, tzinfo=UTC), (2025, 2, 1), b"2025-02-01T12:00:00Z"]
)
def test_what_is_no_instant_is_refused(value):
    with pytest.raises(tc.InstantTypeError, match="not an instant") as caught:
        to_instant(value)

    assert str(caught.value).endswith(CURE)
    assert caught.value.value == value
    assert isinstance(caught.value, TypeError)


def test_a_date_is_told_why():
    with pytest.raises(tc.InstantTypeError, match="is a date, which spans many hours, not an instant"):
        to_instant(date(2025, 2, 1))


class Nowhere(tzinfo):
    """A zone that does not know its offset, which Python calls naive."""

    def utcoffset(self, _):
        return None

    def dst(self, _):
        return None


@pytest.mark.parametrize("value", [NOON.replace(tzinfo=None), NOON.replace(tzinfo=Nowhere())])
def test_a_naive_datetime_is_refused(value):
    with pytest.raises(tc.InstantError, match="is naive, it names no time zone"):
        to_instant(value)


@pytest.mark.parametrize(
    "value",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))),
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_an_instant_beyond_the_years_is_refused(value):
    with pytest.raises(tc.InstantError, match="is outside the years 1 to 9999 in UTC"):
        to_instant(value)


class Stamp(datetime):
    """A subclass with more than a datetime has, as the timestamps of data frames are."""

    nanosecond = 7

    def __repr__(self):
        return "Stamp(...)"


class Missing(datetime):
    """A missing timestamp: a datetime by type that has no date."""

    def date(self):
        raise ValueError("NaT has no date")


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("America/New_York")])
def test_a_subclass_becomes_a_plain_datetime(zone):
    at = Stamp(2025, 11, 2, 1, 30, 0, 123456, tzinfo=zone, fold=1)
    found = to_instant(at)

    assert type(found) is datetime
    assert found == datetime(2025, 11, 2, 1, 30, 0, 123456, tzinfo=zone, fold=1).astimezone(UTC)


def test_a_missing_timestamp_is_refused():
    with pytest.raises(tc.InstantError, match="is a missing value, not an instant"):
        to_instant(Missing(2025, 1, 1, tzinfo=UTC))


def test_the_second_hour_of_a_clock_change_is_a_later_instant():
    zone = ZoneInfo("America/New_York")
    first, second = (to_instant(datetime(2025, 11, 2, 1, 30, tzinfo=zone, fold=fold)) for fold in (0, 1))

    assert second - first == timedelta(hours=1)


def test_overlaps_says_whether_a_shared_instant_exists():
    """Against counting all half-open spans of a few hours out, open and empty ones too."""
    hours = range(5)
    at = [EARLIEST + timedelta(hours=n) for n in hours]
    spans = [(start, until) for start in hours for until in (*hours, None)]
    for start, until in spans:
        for other, end in spans:
            shared = set(range(start, 9 if until is None else until)) & set(range(other, 9 if end is None else end))
            found = overlaps(at[start], None if until is None else at[until], at[other], None if end is None else at[end])

            assert found == bool(shared), (start, until, other, end)


def test_the_ends_of_time_are_aware():
    assert EARLIEST < NOON < LATEST


def test_the_library_never_asks_what_time_it_is():
    """Only the command line may default to now; a price depends on the instant that is passed and on nothing else."""
    rooms = Path(tc.__file__).parent
    asked = {"now", "today", "utcnow", "localtime", "gmtime", "time_ns", "perf_counter", "monotonic"}
    found = [
        (file.relative_to(rooms).as_posix(), node.lineno)
        for file in sorted(rooms.rglob("*.py"))
        if file.relative_to(rooms).parts[0] != "cli"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in asked
    ]

    assert found == []

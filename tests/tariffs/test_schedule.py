"""Schedules: which window an instant falls into, to the microsecond, against a clock that counts minutes out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import instants
from tokencost.tariffs.schedule import DAY_NAMES, minutes_of, parse_days, parse_hours, windows_clash

TICK = timedelta(microseconds=1)
YEAR = (datetime(2025, 1, 3, tzinfo=UTC), datetime(2026, 12, 29, tzinfo=UTC))
CALENDAR = tc.Calendar(
    id="cn",
    name="holidays",
    start=date(2025, 1, 1),
    until=date(2027, 1, 1),
    days_off=(date(2025, 5, 1), date(2025, 5, 2), date(2025, 5, 3), date(2025, 10, 1)),
    working=(date(2025, 4, 27),),
    source="s",
    checked=date(2026, 1, 1),
)
CALENDARS = {"cn": CALENDAR}


def schedule(*windows: tc.Window, timezone: str = "UTC", default: str = "default") -> tc.Schedule:
    return tc.Schedule(
        id="s",
        start=datetime(2020, 1, 1, tzinfo=UTC),
        timezone=timezone,
        default=default,
        windows=windows,
        source="s",
        checked=date(2026, 1, 1),
    )


def window(hours: str = "00:00-24:00", days: str = "daily", name: str = "peak", except_calendar: str | None = None) -> tc.Window:
    return tc.Window(window=name, days=days, hours=hours, except_calendar=except_calendar)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


HOURS = (
    st.tuples(st.integers(0, 1439), st.integers(0, 1440))
    .filter(lambda ends: ends[0] != ends[1])
    .map(lambda ends: f"{clock(ends[0])}-{clock(ends[1])}")
)
DAYS = st.lists(st.sampled_from([*DAY_NAMES, "mon-fri", "sat-sun", "fri-mon", "wed-wed", "daily"]), min_size=1, max_size=3).map(",".join)
WINDOWS = st.builds(window, HOURS, DAYS, except_calendar=st.sampled_from([None, None, "cn"]))
ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu"])


def covers(stretch: tc.Window, local: datetime) -> bool:
    """The slow, obvious answer: is there a start day from which the stretch, laid on the wall clock, holds this moment?"""
    first, last = (
        datetime.combine(date.min, time.fromisoformat(text if text != "24:00" else "00:00")).time() for text in stretch.hours.split("-")
    )
    for begins in (local.date(), local.date() - timedelta(days=1)):
        start = datetime.combine(begins, first)
        ends = datetime.combine(begins + timedelta(days=last <= first), last)
        listed = any(_on(part, begins.weekday()) for part in stretch.days.split(","))
        off = stretch.except_calendar is not None and begins in CALENDAR.days_off
        if start <= local.replace(tzinfo=None) < ends and listed and not off:
            return True
    return False


def _on(part: str, weekday: int) -> bool:
    if part == "daily":
        return True
    first, _, last = part.partition("-")
    low, high = DAY_NAMES.index(first), DAY_NAMES.index(last or first)
    return low <= weekday <= high if low <= high else weekday >= low or weekday <= high


@given(st.lists(WINDOWS, min_size=1, max_size=3), ZONES, instants(first=YEAR[0], last=YEAR[1]))
def test_falls_into_a_window_where_the_wall_clock_says_so(windows, zone, at):
    """Overlapping stretches of one name included."""
    expected = any(covers(stretch, at.astimezone(ZoneInfo(zone))) for stretch in windows)

    assert schedule(*windows, timezone=zone).window_at(at, CALENDARS) == ("peak" if expected else "default")


@given(WINDOWS, ZONES, instants(first=YEAR[0], last=YEAR[1]))
def test_windows_are_half_open_at_every_edge(stretch, zone, near):
    """Both sides of each edge of the stretch, to the microsecond, on the day of a drawn instant."""
    day = near.astimezone(ZoneInfo(zone)).date()
    for text in stretch.hours.split("-"):
        edge = datetime.combine(day, time.fromisoformat("00:00" if text == "24:00" else text), tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for at in (edge - TICK, edge, edge + TICK):
            expected = covers(stretch, at.astimezone(ZoneInfo(zone)))

            assert (schedule(stretch, timezone=zone).window_at(at, CALENDARS) == "peak") == expected


def at_beijing(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-02-26T23:59:59.999999", "default"),
        ("2025-02-27T00:30:00", "off_peak"),
        ("2025-02-27T08:29:59.999999", "off_peak"),
        ("2025-02-27T08:30:00", "default"),
    ],
)
def test_a_night_discount_that_wraps_midnight_in_utc(text, expected):
    night = schedule(window("16:30-00:30", name="off_peak"))

    assert night.window_at(at_beijing(text), {}) == expected


def test_a_wrapped_window_belongs_to_the_day_on_which_it_starts():
    """Friday night to Saturday morning is a Friday; Monday morning is a Sunday night and not one of these days."""
    nights = schedule(window("22:00-08:00", days="mon-fri"))

    assert nights.window_at(datetime(2025, 3, 8, 7, 59, tzinfo=UTC), {}) == "peak"
    assert nights.window_at(datetime(2025, 3, 8, 22, tzinfo=UTC), {}) == "default"
    assert nights.window_at(datetime(2025, 3, 10, 7, 59, tzinfo=UTC), {}) == "default"


def test_a_day_off_is_tested_where_the_window_starts():
    """1 May is off: the night of 30 April runs on into it, and its own night does not begin."""
    nights = schedule(window("22:00-08:00", except_calendar="cn"), timezone="Asia/Shanghai")

    assert nights.window_at(at_beijing("2025-05-01T07:59"), CALENDARS) == "peak"
    assert nights.window_at(at_beijing("2025-05-01T22:00"), CALENDARS) == "default"
    assert nights.window_at(at_beijing("2025-05-04T07:59"), CALENDARS) == "default"


def test_a_make_up_day_is_no_day_off_and_no_weekday():
    """Sunday 27 April 2025 was worked: a weekday window does not begin, a daily one does."""
    sunday = at_beijing("2025-04-27T10:00")

    assert (
        schedule(window("09:00-12:00", days="mon-fri", except_calendar="cn"), timezone="Asia/Shanghai").window_at(sunday, CALENDARS)
        == "default"
    )
    assert schedule(window("09:00-12:00", except_calendar="cn"), timezone="Asia/Shanghai").window_at(sunday, CALENDARS) == "peak"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-03-09T06:59:59.999999Z", "default"),
        ("2025-03-09T07:00:00Z", "peak"),
        ("2025-03-09T07:59:59.999999Z", "peak"),
        ("2025-03-09T08:00:00Z", "default"),
        ("2025-11-02T05:59:59.999999Z", "default"),
        ("2025-11-02T06:00:00Z", "default"),
        ("2025-11-02T08:00:00Z", "peak"),
        ("2025-11-02T09:00:00Z", "default"),
    ],
)
def test_the_clock_changes_in_new_york(at, expected):
    """03:00-04:00 local: 07:00Z on the short day, when 02:00 is skipped, and 08:00Z on the long one."""
    assert schedule(window("03:00-04:00"), timezone="America/New_York").window_at(tc.to_instant(at), {}) == expected


def test_an_hour_that_does_not_exist_and_one_that_comes_twice():
    """02:30 is skipped in spring; 01:30 comes twice in autumn, and both belong to the window."""
    zone = schedule(window("02:00-03:00"), timezone="America/New_York")
    minutes = [datetime(2025, 3, 9, 5, tzinfo=UTC) + timedelta(minutes=n) for n in range(240)]

    assert {zone.window_at(at, {}) for at in minutes} == {"default"}

    zone = schedule(window("01:00-02:00"), timezone="America/New_York")
    minutes = [datetime(2025, 11, 2, 3, tzinfo=UTC) + timedelta(minutes=n) for n in range(300)]

    assert sum(zone.window_at(at, {}) == "peak" for at in minutes) == 120


def test_outside_the_cover_of_its_calendar_a_window_is_an_error():
    office = schedule(window("09:00-12:00", days="mon-fri", except_calendar="cn"), timezone="Asia/Shanghai")

    assert office.window_at(at_beijing("2026-12-31T10:00"), CALENDARS) == "peak"
    with pytest.raises(tc.CalendarError) as caught:
        office.window_at(at_beijing("2027-01-01T10:00"), CALENDARS)
    assert str(caught.value).endswith("so extend the calendar file from the notice")
    assert (caught.value.calendar, caught.value.day) == ("cn", date(2027, 1, 1))
    assert (caught.value.start, caught.value.until) == (date(2025, 1, 1), date(2027, 1, 1))


def test_the_calendar_is_asked_only_where_the_answer_hangs_on_it():
    """Lunch, night and a weekend need no gazette."""
    office = schedule(window("09:00-12:00", days="mon-fri", except_calendar="cn"), timezone="Asia/Shanghai")

    for text in ("2027-01-01T12:00", "2027-01-01T08:59:59.999999", "2027-01-02T10:00"):
        assert office.window_at(at_beijing(text), CALENDARS) == "default"


@pytest.mark.parametrize("day", [date(2024, 12, 31), date(2027, 1, 1), date.min, date.max])
def test_a_calendar_says_nothing_of_days_outside_its_span(day):
    with pytest.raises(tc.CalendarError, match=r"covers 2025-01-01 to 2027-01-01 \(exclusive\) and says nothing of"):
        CALENDAR.is_off(day)


def test_a_calendar_knows_its_days():
    assert [day for day in (date(2025, 1, 1) + timedelta(days=n) for n in range(730)) if CALENDAR.is_off(day)] == list(CALENDAR.days_off)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("daily", range(7)),
        ("mon", [0]),
        ("mon-fri", range(5)),
        ("fri-mon", [0, 4, 5, 6]),
        ("sun-mon", [0, 6]),
        ("sat,sun", [5, 6]),
        ("mon, wed-thu", [0, 2, 3]),
        ("tue-tue", [1]),
    ],
)
def test_days(text, expected):
    assert parse_days(text) == set(expected)


@pytest.mark.parametrize("text", ["", "monday", "mon-", "-mon", "mon-fri-sat", "mon;tue", "Mon", "weekdays", "mon,,tue"])
def test_days_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match=r"are not understood at .*; write daily, mon-fri, sat or sat,sun$"):
        parse_days(text)


@given(st.integers(0, 1439), st.integers(0, 1440))
def test_hours(first, last):
    text = f"{clock(first)}-{clock(last)}"
    if first == last:
        with pytest.raises(ValueError, match="are not a stretch of a day"):
            parse_hours(text)
    else:
        start, end = parse_hours(text)

        assert start == first
        assert end % 1440 == last % 1440
        assert 0 < end - start <= 1440


@pytest.mark.parametrize(
    "text", ["9:00-12:00", "09:00", "09:00-25:00", "24:00-08:00", "09:60-10:00", "09:00 - 12:00", "24:00-24:00", "00:00-24:01"]
)
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="write them like 09:00-12:00"):
        parse_hours(text)


@given(st.lists(st.builds(window, HOURS, DAYS, name=st.sampled_from(["peak", "night", "day"])), min_size=1, max_size=3))
def test_windows_clash_where_they_share_a_minute_of_the_week(windows):
    named = [(stretch.window, minutes_of(stretch)) for stretch in windows]
    expected = any(mine & theirs for n, (left, mine) in enumerate(named) for right, theirs in named[n + 1 :] if left != right)
    found = windows_clash(tuple(windows))

    assert (found is not None) == expected
    if found is not None:
        assert minutes_of(found[0]) & minutes_of(found[1])
        assert found[0].window != found[1].window


def test_window_names_end_with_the_default():
    assert schedule(window(name="b"), window(name="a"), window(name="b"), default="z").names == ("b", "a", "z")
    assert schedule(window(name="z"), window(name="a"), default="z").names == ("a", "z")

"""Turns: the changes of a schedule laid out beforehand say what the clock says when it is asked, to the microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import instants
from tokencost.tariffs.schedule import DAY_NAMES, Dial
from tokencost.tariffs.turns import Turn, turns

TICK = timedelta(microseconds=1)
FIRST, LAST = datetime(2024, 12, 20, tzinfo=UTC), datetime(2027, 2, 10, tzinfo=UTC)
ZONES = st.sampled_from(
    ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "America/Havana"]
)
"""Lord Howe moves its clocks by half an hour; Cairo and Havana move them at midnight."""


def calendar(name: str, *days_off: date, start: date, until: date) -> tc.Calendar:
    return tc.Calendar(id=name, name=name, start=start, until=until, days_off=days_off, source="s", checked=date(2025, 1, 1))


CALENDARS = {
    "cn": calendar("cn", date(2025, 5, 1), date(2025, 10, 1), start=date(2025, 1, 1), until=date(2026, 1, 1)),
    "year": calendar("year", date(2025, 3, 30), date(2025, 10, 26), date(2026, 3, 8), start=date(2025, 1, 1), until=date(2027, 1, 1)),
}
"""The first ends inside the span; the second has days off on which clocks are changed."""


def schedule(*windows: tc.Window, timezone: str = "UTC", default: str = "default") -> tc.Schedule:
    start, checked = datetime(2020, 1, 1, tzinfo=UTC), date(2026, 1, 1)
    return tc.Schedule(id="s", start=start, timezone=timezone, default=default, windows=windows, source="s", checked=checked)


def dial(*windows: tc.Window, timezone: str = "UTC") -> Dial:
    return Dial(schedule(*windows, timezone=timezone), CALENDARS)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


MINUTES = st.integers(0, 1439) | st.sampled_from([0, 60, 119, 120, 150, 180, 1410])
HOURS = (
    st.tuples(MINUTES, MINUTES | st.just(1440))
    .filter(lambda ends: ends[0] != ends[1])
    .map(lambda ends: f"{clock(ends[0])}-{clock(ends[1])}")
)
DAYS = st.lists(st.sampled_from([*DAY_NAMES, "mon-fri", "sat-sun", "fri-mon", "daily", "daily"]), min_size=1, max_size=2).map(",".join)
WINDOWS = st.builds(
    tc.Window,
    window=st.sampled_from(["peak", "night"]),
    days=DAYS,
    hours=HOURS,
    except_calendar=st.sampled_from([None, None, "cn", "year"]),
)
DIALS = st.builds(lambda windows, zone: dial(*windows, timezone=zone), st.lists(WINDOWS, min_size=1, max_size=3), ZONES)
CLOCK_CHANGES = [
    datetime(2025, 3, 30, 1, tzinfo=UTC),
    datetime(2025, 10, 26, 1, tzinfo=UTC),
    datetime(2025, 3, 9, 7, tzinfo=UTC),
    datetime(2025, 11, 2, 6, tzinfo=UTC),
    datetime(2025, 4, 5, 15, tzinfo=UTC),
    datetime(2025, 10, 4, 15, 30, tzinfo=UTC),
    datetime(2025, 4, 24, 22, tzinfo=UTC),
    datetime(2025, 10, 30, 21, tzinfo=UTC),
    datetime(2025, 3, 9, 5, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
]
STARTS = instants(first=FIRST, last=LAST) | st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes), st.sampled_from(CLOCK_CHANGES), st.integers(-3000, 600)
)
SPANS = st.builds(lambda start, hours: (start, start + timedelta(hours=hours)), STARTS, st.integers(1, 24 * 9))


def asked(clockwork: Dial, at: datetime) -> object:
    """The window of an instant, or the calendar that has run out and the day."""
    try:
        return clockwork.window_at(at)
    except tc.CalendarError as error:
        return told(error)


def told(window: str | tc.CalendarError) -> object:
    return (window.calendar, window.day) if isinstance(window, tc.CalendarError) else window


def laid_out(found: list[Turn], at: datetime) -> object:
    """What the turns say of an instant, by looking at every one of them."""
    return told([turn.window for turn in found if turn.at <= at][-1])


@given(DIALS, SPANS, st.lists(st.integers(0, 10**6), min_size=10, max_size=60))
def test_turns_say_what_the_clock_says(clockwork, span, shares):
    """At any instant, and a microsecond before, at and after every turn."""
    start, until = span
    found = turns(clockwork, start, until)
    probes = [start + (until - start) * share / (10**6 + 1) for share in shares]
    probes += [turn.at + step for turn in found for step in (-TICK, timedelta(0), TICK) if start <= turn.at + step < until]
    probes += [start, until - TICK]

    assert [laid_out(found, at) for at in probes] == [asked(clockwork, at) for at in probes]


@given(DIALS, SPANS)
def test_every_minute_of_a_day_is_as_the_clock_says(clockwork, span):
    """The span around the change of a clock, minute by minute: nothing turns unseen between two probes."""
    start = span[0].replace(second=0, microsecond=0)
    found = turns(clockwork, start, start + timedelta(hours=30))
    minutes = [start + timedelta(minutes=n) for n in range(30 * 60)]
    pieces = [*found, Turn(start + timedelta(hours=30), "end")]
    expected = [(told(here.window), int((after.at - here.at) / timedelta(minutes=1))) for here, after in pairwise(pieces)]
    seen: list[tuple[object, int]] = []
    for at in minutes:
        window = asked(clockwork, at)
        if seen and seen[-1][0] == window:
            seen[-1] = (window, seen[-1][1] + 1)
        else:
            seen.append((window, 1))

    assert expected == seen


@given(DIALS, SPANS)
def test_turns_ascend_from_the_start_and_neighbours_differ(clockwork, span):
    start, until = span
    found = turns(clockwork, start, until)

    assert found[0].at == start
    assert all(left.at < right.at for left, right in pairwise(found))
    assert all(turn.at < until and turn.at.utcoffset() == timedelta(0) for turn in found)
    assert all(told(left.window) != told(right.window) for left, right in pairwise(found))


@given(DIALS, SPANS, st.integers(1, 99))
def test_a_span_in_two_parts_turns_as_one(clockwork, span, share):
    """What months laid out one after the other rest upon."""
    start, until = span
    middle = start + (until - start) * share / 100
    joined = turns(clockwork, start, middle)
    joined += [turn for turn in turns(clockwork, middle, until) if told(turn.window) != told(joined[-1].window) or turn.at > middle]
    whole = turns(clockwork, start, until)

    assert [(turn.at, told(turn.window)) for turn in joined] == [(turn.at, told(turn.window)) for turn in whole]


@pytest.mark.parametrize(
    ("zone", "start", "hours", "expected"),
    [
        ("America/New_York", "2025-03-09T05:00", "01:30-03:00", ["06:30", "07:00"]),  # 02:00 to 03:00 is skipped
        ("America/New_York", "2025-11-02T04:00", "01:30-02:00", ["05:30", "06:00", "06:30", "07:00"]),  # 01:30 comes twice
        ("Australia/Lord_Howe", "2025-04-05T13:00", "01:45-02:00", ["14:45", "15:00", "15:15", "15:30"]),  # the last half hour again
        ("Australia/Lord_Howe", "2025-10-04T13:00", "01:45-02:15", ["15:15", "15:30"]),  # 02:00 to 02:30 is skipped
        ("Asia/Shanghai", "2025-03-09T00:00", "09:00-12:00", ["01:00", "04:00"]),
    ],
)
def test_a_local_time_that_comes_twice_or_never(zone, start, hours, expected):
    begin = datetime.fromisoformat(f"{start}+00:00")
    found = turns(dial(tc.Window(window="peak", hours=hours), timezone=zone), begin, begin + timedelta(hours=6))

    assert [f"{turn.at:%H:%M}" for turn in found[1:]] == expected
    assert [turn.window for turn in found] == ["default", *(["peak", "default"] * (len(expected) // 2))]


def test_where_a_calendar_ends_every_day_is_a_turn_of_its_own():
    """From 2026 on the first calendar says nothing, and the error names the day; outside the hours nobody needs it."""
    office = dial(tc.Window(window="peak", hours="09:00-12:00", except_calendar="cn"))
    found = turns(office, datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))

    assert [(f"{turn.at:%d %H}", told(turn.window)) for turn in found] == [
        ("31 00", "default"),
        ("31 09", "peak"),
        ("31 12", "default"),
        ("01 09", ("cn", date(2026, 1, 1))),
        ("01 12", "default"),
        ("02 09", ("cn", date(2026, 1, 2))),
        ("02 12", "default"),
    ]


def test_two_calendars_that_have_both_run_out_are_two_reasons():
    """The day is the same, and each error names its own calendar."""
    shifts = dial(
        tc.Window(window="peak", hours="09:00-12:00", except_calendar="cn"),
        tc.Window(window="night", hours="12:00-15:00", except_calendar="year"),
    )
    found = turns(shifts, datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC))

    assert [(turn.at.hour, getattr(turn.window, "calendar", turn.window)) for turn in found] == [
        (0, "default"),
        (9, "cn"),
        (12, "year"),
        (15, "default"),
    ]


def test_a_window_that_never_changes_is_one_turn():
    start = datetime(2025, 1, 1, tzinfo=UTC)

    assert turns(dial(tc.Window(window="peak")), start, start + timedelta(days=40)) == [Turn(start, "peak")]

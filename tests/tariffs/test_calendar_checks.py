"""Checks of gazetted calendars."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import CALENDAR, write_tables
from tokencost.tariffs.calendar_checks import calendar_findings
from tokencost.tariffs.lint import lint_tables

FIRST, END = date(2026, 1, 1), date(2027, 1, 1)
SOUND = tc.Calendar(
    id="cn",
    name="example",
    start=FIRST,
    until=END,
    days_off=(date(2026, 1, 1), date(2026, 10, 1)),
    working=(date(2026, 1, 4),),
    source="https://example.org/notice",
    checked=date(2026, 11, 20),
)


def codes(calendar):
    return [(finding.code, finding.where) for finding in calendar_findings(calendar)]


@given(st.sets(st.dates(FIRST, END - timedelta(days=1)), max_size=12), st.data())
def test_a_sound_calendar_has_no_faults(days, data):
    working = data.draw(st.sets(st.sampled_from(sorted(days)))) if days else set()
    calendar = replace(SOUND, days_off=tuple(sorted(days - working)), working=tuple(sorted(working)))
    assert codes(calendar) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"days_off": (date(2026, 10, 1), date(2026, 1, 1))}, [("T11", "days_off 2026-01-01")]),
        ({"days_off": (date(2026, 1, 1), date(2026, 1, 1))}, [("T11", "days_off 2026-01-01")]),
        ({"days_off": (date(2027, 1, 1),)}, [("T11", "days_off 2027-01-01")]),
        ({"working": (date(2025, 12, 31),)}, [("T11", "working 2025-12-31")]),
        ({"working": (date(2026, 1, 1),)}, [("T11", "working 2026-01-01")]),
        ({"until": FIRST, "days_off": (), "working": ()}, [("T11", "until")]),
        ({"source": " "}, [("T09", "source")]),
    ],
    ids=["order", "twice", "after-the-span", "before-the-span", "off-and-working", "empty-span", "no-source"],
)
def test_each_fault_of_a_calendar(change, expected):
    assert codes(replace(SOUND, **change)) == expected


def test_lint_takes_a_calendar_or_the_folder_of_calendars(tmp_path):
    """The fault bears the line of the day, in a list that runs over several lines."""
    broken = CALENDAR.replace("days_off = [2025-01-01, 2025-05-01,", "days_off = [\n  2025-05-01,\n  2025-01-01,")
    tables = write_tables(tmp_path, files={"calendars/days-off.toml": broken})
    faults = [
        ("calendars/days-off.toml", "T11", 6, "2025-01-01 comes after 2025-05-01; put the days in order"),
        ("calendars/days-off.toml", "T11", 6, "2025-05-02 comes after 2025-01-01; put the days in order"),
    ]
    for path in (tables / "calendars" / "days-off.toml", tables / "calendars", tables):
        found = [(fault.path, fault.code, fault.line, fault.message) for fault in lint_tables(path)]
        assert found == faults[:1]


def test_lint_of_a_single_table_leaves_the_calendars_days_alone(tmp_path):
    tables = write_tables(tmp_path, files={"calendars/days-off.toml": CALENDAR.replace("2025-05-02, ", "2025-05-02, 2025-05-02, ")})
    assert lint_tables(tables / "acme" / "global") == []
    assert [fault.code for fault in lint_tables(tables)] == ["T11"]


def test_a_calendar_that_cannot_be_read_is_named_once(tmp_path):
    tables = write_tables(tmp_path, files={"calendars/days-off.toml": CALENDAR.replace("checked  = 2026-01-01", "")})
    assert [fault.code for fault in lint_tables(tables / "calendars")] == ["T09"]


def test_the_shipped_calendars_hold(tables):
    assert lint_tables(tables / "calendars") == []

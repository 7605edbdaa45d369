"""The times of a log: aware instants, or an error that names the first row without one."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

START = "2025-02-01T00:00:00Z"


@pytest.fixture
def timed(log):
    """A function that reads a log with these times."""

    def read(*times: str) -> tc.Trace:
        return tc.read_trace(log("\n".join(["timestamp;input;output", *(f"{time};1;2" for time in times)])))

    return read


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-02-01T08:30:00Z", datetime(2025, 2, 1, 8, 30, tzinfo=UTC)),
        ("2025-02-01 08:30:00+08:00", datetime(2025, 2, 1, 0, 30, tzinfo=UTC)),
        (" 2025-02-01T08:30+00:00 ", datetime(2025, 2, 1, 8, 30, tzinfo=UTC)),
        ("2025-02-01T08:30:00.1234567Z", datetime(2025, 2, 1, 8, 30, 0, 123_456, tzinfo=UTC)),
        ("2025-02-01T08:30:00,5Z", datetime(2025, 2, 1, 8, 30, 0, 500_000, tzinfo=UTC)),
        ("20250201T083000Z", datetime(2025, 2, 1, 8, 30, tzinfo=UTC)),
        ("1738398600", datetime(2025, 2, 1, 8, 30, tzinfo=UTC)),
        ("1738398600.75", datetime(2025, 2, 1, 8, 30, tzinfo=UTC)),
        ("1738398600250", datetime(2025, 2, 1, 8, 30, 0, 250_000, tzinfo=UTC)),
        ("1738398600250125", datetime(2025, 2, 1, 8, 30, 0, 250_125, tzinfo=UTC)),
        ("1738398600250125999", datetime(2025, 2, 1, 8, 30, 0, 250_125, tzinfo=UTC)),
    ],
)
def test_instants_that_need_no_zone(timed, text, instant):
    assert timed(text).instants() == [instant]


@given(st.datetimes(min_value=datetime(2001, 9, 10), max_value=datetime(2100, 1, 1)), st.sampled_from([1, 10**3, 10**6]))  # noqa: DTZ001 - made aware below
def test_epochs_of_json_are_told_apart_by_their_size(tmp_path_factory, naive, unit):
    instant = naive.replace(tzinfo=UTC)
    number = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=10**6 // unit)
    path = tmp_path_factory.mktemp("epoch") / "log.jsonl"
    path.write_text(json.dumps({"created": number, "input": 1, "output": 2}), encoding="utf-8")
    kept = timedelta(microseconds=10**6 // unit)

    assert timedelta(0) <= instant - tc.read_trace(path).instants()[0] < kept


@pytest.mark.parametrize(
    ("value", "when"), [("1738398600.75", 1738398600), ("12", 12), ("true", None), ("null", None), ("NaN", "nan"), ('" "', None)]
)
def test_times_of_json(log, value, when):
    trace = tc.read_trace(log(f'{{"ts": {value}, "input": 1, "output": 2}}'))

    assert [row.when for row in trace.rows] == [when]


def test_text_without_an_offset_is_taken_in_the_zone(timed):
    trace = timed("2023-11-16 18:15:46.6805900", "2023-07-01 00:00:00")

    assert trace.instants(zone="UTC") == [
        datetime(2023, 11, 16, 18, 15, 46, 680_590, tzinfo=UTC),
        datetime(2023, 7, 1, tzinfo=UTC),
    ]
    assert trace.instants(zone="Europe/Berlin") == [
        datetime(2023, 11, 16, 17, 15, 46, 680_590, tzinfo=UTC),
        datetime(2023, 6, 30, 22, tzinfo=UTC),
    ]


def test_a_zone_leaves_offsets_alone(timed):
    trace = timed("2025-02-01T00:00:00Z", "2025-02-01T08:00:00", "1738368000")

    assert trace.instants(zone="Asia/Shanghai") == [datetime(2025, 2, 1, tzinfo=UTC)] * 3


def test_of_a_repeated_hour_the_first_is_meant(timed):
    assert timed("2025-10-26T02:30:00").instants(zone="Europe/Berlin") == [datetime(2025, 10, 26, 0, 30, tzinfo=UTC)]


def test_numbers_from_a_start(timed):
    start = datetime(2025, 2, 1, 8, tzinfo=UTC)

    assert timed("0", "1500", "3600000").instants(start="2025-02-01T16:00:00+08:00") == [
        start,
        start + timedelta(seconds=1.5),
        start + timedelta(hours=1),
    ]


@pytest.mark.parametrize(
    ("times", "options", "message"),
    [
        (
            ["2025-02-01T00:00:00", "2025-02-01T00:00:01"],
            {},
            "column 'timestamp' of PATH gives instants without an offset, first in row 2; pass zone='UTC' or another",
        ),
        (
            [START, START, "2025-02-01T00:00:00", START, "2025-02-01"],
            {},
            "'2025-02-01' in row 6 of PATH is not an ISO 8601 instant; write it like '2025-02-01T12:00:00Z'",
        ),
        (
            [START, START, "2025-02-01T00:00:00", START, "2025-02-01T00:00:00"],
            {},
            "column 'timestamp' of PATH mixes instants with and without an offset, first in row 4; pass zone='UTC' or another",
        ),
        ([START, "yesterday"], {"zone": "UTC"}, "'yesterday' in row 3 of PATH is not an ISO 8601 instant"),
        ([START, "16/11/2023 18:15"], {"zone": "UTC"}, "'16/11/2023 18:15' in row 3 of PATH is not an ISO 8601 instant"),
        ([START, "2025-02-30T00:00:00Z"], {}, "'2025-02-30T00:00:00Z' in row 3 of PATH is not an ISO 8601 instant"),
        ([START, "-5"], {}, "'-5' in row 3 of PATH is not an ISO 8601 instant"),
        ([START, ""], {}, "row 3 of PATH has no instant; leave it out or rate the log at one instant"),
        ([START, "1500"], {}, "time 1500 in row 3 of PATH counts from an unknown start; pass start= with the instant that is 0"),
        (["20231116181546"], {}, "time 20231116181546 in row 2 of PATH counts from an unknown start"),
        (["20231116"], {"zone": "UTC"}, "time 20231116 in row 2 of PATH counts from an unknown start"),
        (["9" * 18], {"start": START}, f"time {'9' * 18} in row 2 of PATH is beyond the year 9999; pass milliseconds"),
        (["9" * 30], {"start": START}, f"'{'9' * 30}' in row 2 of PATH is not an ISO 8601 instant"),
        (["0001-01-01T00:00:00+14:00"], {}, "PATH has an instant outside the years 1 to 9999 in UTC; leave its row out"),
    ],
)
def test_times_that_are_no_instants(timed, times, options, message):
    trace = timed(*times)

    with pytest.raises(tc.TraceError, match=re.escape(message.replace("PATH", trace.path))):
        trace.instants(**options)


def test_a_log_without_times(log):
    trace = tc.read_trace(log("input,output\n1,2\n"))

    assert [row.when for row in trace.rows] == [None]
    with pytest.raises(tc.TraceError, match=r"has no column of instants; name it with columns=\{'at': 'NAME'\}"):
        trace.instants()


def test_times_that_two_columns_could_give(log):
    """A log that is rated at one instant needs no answer; one that is not asks for it."""
    path = log("asked.time,answered.time,input,output\n2025-02-01T00:00:00Z,2025-02-01T00:00:05Z,1,2\n")

    assert "at" not in tc.read_trace(path).columns
    assert tc.read_trace(path, columns={"at": "answered.time"}).instants() == [datetime(2025, 2, 1, 0, 0, 5, tzinfo=UTC)]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "local"])
def test_zones_that_do_not_exist(timed, zone):
    with pytest.raises(tc.InstantError, match=re.escape(f"zone {zone!r} is not a time zone; write it like 'UTC' or 'Asia/Shanghai'")):
        timed("2025-02-01T00:00:00").instants(zone=zone)


def test_a_start_without_an_offset(timed):
    with pytest.raises(tc.InstantError, match="is naive"):
        timed("0").instants(start="2025-02-01T00:00:00")

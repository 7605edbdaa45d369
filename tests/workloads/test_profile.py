"""Profiles: which share of a month's requests falls into which hours, in whose time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from demand_strategies import profiles, zones

months = st.dates(min_value=datetime(2020, 1, 1).date(), max_value=datetime(2030, 1, 1).date()).map(lambda day: tc.Month.of(f"{day:%Y-%m}"))  # noqa: DTZ001


@given(profiles, months, st.lists(st.integers(0, 31 * 24 * 60), min_size=1, max_size=4))
def test_the_parts_of_a_month_add_up(profile, month, minutes):
    cuts = sorted({min(month.start + timedelta(minutes=n), month.until) for n in minutes} | {month.start, month.until})

    assert sum(profile.share(a, b, month=month) for a, b in pairwise(cuts)) == 1


@given(profiles, months, st.integers(0, 31 * 24 - 1))
def test_an_hour_has_the_weight_of_its_local_hour(profile, month, number):
    """The slow, obvious twin: every quarter of an hour of the month is looked up on the local clock."""
    quarters = [month.start + timedelta(minutes=15 * n) for n in range(month.days * 96)]
    local = [quarter.astimezone(ZoneInfo(profile.zone)) for quarter in quarters]
    weights = [profile.weights[there.weekday() * 24 + there.hour] for there in local]
    start = min(month.start + timedelta(hours=number), month.until - timedelta(hours=1))
    first = quarters.index(start)

    expected = Fraction(sum(weights[first : first + 4]), sum(weights))
    assert profile.share(start, start + timedelta(hours=1), month=month) == expected


def test_the_clock_that_springs_forward_skips_its_hour():
    """On 2026-03-29 Berlin has no 02:00; a profile of that hour alone has 30 days of 31 in March."""
    profile = tc.HourProfile.daily([0, 0, 1, *([0] * 21)], zone="Europe/Berlin")
    month = tc.Month.of("2026-03")

    day = [profile.share(month.start + timedelta(days=n), month.start + timedelta(days=n + 1), month=month) for n in range(31)]
    assert day == [0 if n == 28 else Fraction(1, 30) for n in range(31)]


def test_the_clock_that_falls_back_has_its_hour_twice():
    """On 2026-10-25 Berlin has 02:00 twice, at 00:00 and 01:00 UTC."""
    profile = tc.HourProfile.daily([0, 0, 1, *([0] * 21)], zone="Europe/Berlin")
    start = datetime(2026, 10, 25, tzinfo=UTC)

    assert profile.share(start, start + timedelta(hours=2), month=tc.Month.of("2026-10")) == Fraction(2, 32)


def test_a_day_in_shanghai_begins_eight_hours_before_one_in_utc():
    profile = tc.HourProfile.daily([1] + [0] * 23, zone="Asia/Shanghai")
    month = tc.Month.of("2026-11")

    start = datetime(2026, 11, 1, 16, tzinfo=UTC)
    assert profile.share(start, start + timedelta(hours=1), month=month) == Fraction(1, 30)
    assert profile.share(month.start, month.start + timedelta(hours=16), month=month) == 0


@given(profiles, months)
def test_draws_fall_where_the_weight_is(profile, month):
    drawn = profile.sample(np.random.Generator(np.random.PCG64(1)), 2_000, month=month)
    days = np.bincount((drawn - int(month.start.timestamp()) * 10**6) // 86_400_000_000, minlength=month.days)

    assert len(days) == month.days
    for day, number in enumerate(days.tolist()):
        share = float(profile.share(month.start + timedelta(days=day), month.start + timedelta(days=day + 1), month=month))
        assert abs(number - 2_000 * share) <= 6 * max((2_000 * share) ** 0.5, 1)


@given(st.lists(st.integers(0, 9), min_size=24, max_size=24).filter(any), st.integers(2, 9), zones)
def test_only_the_ratio_of_weights_matters(hours, times, zone):
    assert tc.HourProfile.daily(hours, zone=zone) == tc.HourProfile.daily([hour * times for hour in hours], zone=zone)


def test_a_week_of_instants_gives_its_profile():
    start = datetime(2026, 11, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
    instants = [start + timedelta(hours=n) for n in range(168) for _ in range(1 + n % 3)]

    assert tc.HourProfile.of(instants, zone="Asia/Shanghai").weights == tuple(1 + n % 3 for n in range(168))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tc.HourProfile.weekly([1] * 24), "a profile of 24 weights is no week; pass 168, Monday 00:00 first, or 24 for every day"),
        (lambda: tc.HourProfile.daily([1] * 7), "a day of 7 weights is no day; pass 24"),
        (lambda: tc.HourProfile.weekly([0] * 168), "all weights of the profile are 0; give an hour a weight above 0"),
        (lambda: tc.HourProfile.weekly([-1] + [1] * 167), "weight -1 of hour 0 is negative; weights are 0 or more"),
        (lambda: tc.HourProfile.weekly(["x"] * 168), "profile='x' is not a number"),
        (lambda: tc.HourProfile.weekly([10**10 + 1, *([1] * 167)]), "weights of the profile range from 1 to 10000000001; write them"),
        (lambda: tc.HourProfile.of([datetime(2026, 1, 1, tzinfo=UTC)]), "the instants span 0:00:00, not a week; describe the profile"),
        (lambda: tc.HourProfile.of([]), "not a week"),
        (lambda: tc.Month.of("2026-13"), "month '2026-13' is not a month; write it like '2026-11'"),
        (lambda: tc.Month.of("November"), "is not a month"),
        (lambda: tc.Month.of(202611), "month 202611 is not a month"),
        (lambda: tc.Month.of("1969-12"), "is not a month"),
    ],
)
def test_profiles_and_months_that_cannot_be(make, message):
    with pytest.raises(tc.WorkloadError, match=message):
        make()


def test_zones_that_do_not_exist():
    with pytest.raises(tc.InstantError, match="Asia/Peking"):
        tc.HourProfile.daily([1] * 24, zone="Asia/Peking")


def test_instants_without_an_offset_give_no_profile():
    with pytest.raises(tc.InstantError, match="is naive, it names no time zone"):
        tc.HourProfile.of([datetime(2026, 1, 1)])  # noqa: DTZ001


def test_months_follow_each_other():
    month = tc.Month.of("2026-12")

    assert (str(month.next), month.days, month.next.start) == ("2027-01", 31, month.until)

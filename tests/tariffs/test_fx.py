"""Exchange: the last rate at or before the day, with its source; never an old one, never two for one day."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import amounts

DAY = date(2025, 2, 24)
ROWS = [(DAY, "USD", "CNY", "7.2464", "bank"), (DAY + timedelta(days=7), "USD", "CNY", "7.26", "bank"), (DAY, "EUR", "USD", "1.05", "bank")]


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2025, 2, 24, hour, tzinfo=UTC) + timedelta(days=day)


@given(amounts(places=6), st.integers(0, 37))
def test_multiplies_exactly_and_divides_half_even(amount, day):
    table = tc.ExchangeTable(ROWS)
    rate = Decimal("7.26") if day >= 7 else Decimal("7.2464")
    there = table.convert(tc.Money(amount, "USD"), "CNY", at=at(day))
    back = table.convert(tc.Money(amount, "CNY"), "USD", at=at(day))

    assert there.money == tc.Money(amount * rate, "CNY")
    assert (there.rate.rate, there.inverse, there.native) == (rate, False, tc.Money(amount, "USD"))
    assert back.inverse
    assert abs(Fraction(back.money.amount) - Fraction(amount) / Fraction(rate)) <= Fraction(1, 2 * 10**18)


def test_takes_the_last_rate_at_or_before_the_day_in_utc():
    table = tc.ExchangeTable(reversed(ROWS))

    def rate(when: datetime | str) -> Decimal:
        return table.convert(tc.Money(1, "USD"), "CNY", at=when).rate.rate

    assert rate(at(0, 0)) == Decimal("7.2464")
    assert rate(at(6, 23)) == Decimal("7.2464")
    assert rate(at(7, 0)) == Decimal("7.26")
    assert rate("2025-03-03T07:59:59+08:00") == Decimal("7.2464")
    assert rate("2025-03-03T08:00:00+08:00") == Decimal("7.26")


@pytest.mark.parametrize(
    ("native", "target", "day", "why"),
    [
        ("USD", "CNY", -1, "known for 2025-02-24 to 2025-03-03"),
        ("USD", "CNY", 39, "known for 2025-02-24 to 2025-03-03"),
        ("EUR", "CNY", 0, "no rate for this pair"),
        ("USD", "USD", 0, "no rate for this pair"),
        ("JPY", "USD", 0, "no rate for this pair"),
    ],
)
def test_what_has_no_rate_is_refused_with_the_cure(native, target, day, why):
    with pytest.raises(tc.CurrencyError) as caught:
        tc.ExchangeTable(ROWS).convert(tc.Money(1, native), target, at=at(day))

    assert why in str(caught.value)
    assert str(caught.value).endswith("add a row for that day, or allow older ones with max_age")
    assert caught.value.asked == target
    assert caught.value.available == ("CNY", "EUR", "USD")


def test_how_old_a_rate_may_be():
    dollar = tc.Money(1, "USD")

    assert tc.ExchangeTable(ROWS).convert(dollar, "CNY", at=at(38)).rate.rate == Decimal("7.26")
    assert tc.ExchangeTable(ROWS, max_age=timedelta(days=400)).convert(dollar, "CNY", at=at(300)).rate.rate == Decimal("7.26")
    with pytest.raises(tc.CurrencyError):
        tc.ExchangeTable(ROWS, max_age=timedelta(0)).convert(dollar, "CNY", at=at(1))


@pytest.mark.parametrize("when", [datetime(2025, 2, 25), "2025-02-25T00:00:00"])  # noqa: DTZ001 - that is the point
def test_a_naive_instant_is_refused(when):
    """The zone of the machine must not decide the day."""
    with pytest.raises(tc.InstantError, match="is naive"):
        tc.ExchangeTable(ROWS).convert(tc.Money(1, "USD"), "CNY", at=when)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ((DAY, "USD", "CNY", 7.25, "bank"), tc.MoneyTypeError, "exchange rate 7.25 is a binary float"),
        ((DAY, "USD", "CNY", "0", "bank"), tc.MoneyError, "exchange rate 0 from USD to CNY is not above zero; check the row"),
        ((DAY, "USD", "CNY", "-7", "bank"), tc.MoneyError, "is not above zero"),
        ((DAY, "USD", "CNY", "7", ""), tc.MoneyError, "has no source; say where it is from"),
        ((DAY, "USD", "cny", "7", "bank"), tc.MoneyError, "currency 'cny' is not an ISO 4217 code"),
        ((DAY, "USD", "USD", "1", "bank"), tc.MoneyError, "an exchange rate from USD to USD converts nothing; check the row"),
        (
            ("2025-02-24", "USD", "CNY", "7", "bank"),
            tc.MoneyTypeError,
            "the day '2025-02-24' of an exchange rate is a str; pass a date, like",
        ),
        ((at(0), "USD", "CNY", "7", "bank"), tc.MoneyTypeError, "of an exchange rate is a datetime; pass a date, like"),
        ((DAY, "USD", "CNY", "7.3", "other"), tc.MoneyError, "two exchange rates between USD and CNY for 2025-02-24; keep one"),
        ((DAY, "CNY", "USD", "0.138", "bank"), tc.MoneyError, "two exchange rates between CNY and USD for 2025-02-24; keep one"),
    ],
)
def test_rows_that_cannot_be_are_refused(row, error, message):
    with pytest.raises(error) as caught:
        tc.ExchangeTable([*ROWS, row])

    assert message in str(caught.value)


def test_the_same_row_twice_is_one_row():
    assert tc.ExchangeTable([*ROWS, *ROWS]).rates == tc.ExchangeTable(ROWS).rates


def test_prints_the_rate_and_its_source_and_pickles():
    found = tc.ExchangeTable(ROWS).convert(tc.Money(2, "USD"), "CNY", at=at(0))

    assert str(found) == "2.00 USD at 7.2464 CNY per USD of 2025-02-24 (bank)"
    assert pickle.loads(pickle.dumps(found)) == found
    assert pickle.loads(pickle.dumps(tc.ExchangeTable(ROWS))).rates == tc.ExchangeTable(ROWS).rates

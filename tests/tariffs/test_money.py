"""Money: exact, in one currency, and never a float."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tokencost as tc
from strategies import amounts, currencies, money
from tokencost.tariffs.money import currency_code

DOLLARS = money(currency="USD")


@given(amounts(), currencies())
def test_keeps_the_exact_amount(amount, currency):
    made = tc.Money(amount, currency)

    assert (made.amount, made.currency) == (amount, currency)
    assert eval(repr(made), {"Money": tc.Money}) == made


@given(DOLLARS, DOLLARS)
def test_adds_subtracts_and_compares_like_fractions(left, right):
    first, second = Fraction(left.amount), Fraction(right.amount)

    assert Fraction((left + right).amount) == first + second
    assert Fraction((left - right).amount) == first - second
    assert Fraction((-left).amount) == -first
    assert (left < right, left <= right, left > right, left >= right) == (first < second, first <= second, first > second, first >= second)
    assert (left == right) == (first == second)
    assert bool(left) == bool(first)


@given(DOLLARS, st.integers(-(10**9), 10**9) | amounts(places=6))
def test_multiplies_exactly_from_both_sides(left, factor):
    assert Fraction((left * factor).amount) == Fraction(left.amount) * Fraction(factor)
    assert factor * left == left * factor
    assert left * str(factor) == left * factor


@given(st.lists(DOLLARS, min_size=1, max_size=20))
def test_sum_is_exact_in_any_order(items):
    expected = sum((Fraction(item.amount) for item in items), Fraction(0))

    assert Fraction(tc.Money.sum(items).amount) == expected
    assert tc.Money.sum(reversed(items), currency="USD") == tc.Money.sum(items)


def test_the_sum_of_nothing_needs_a_currency():
    assert tc.Money.sum([], currency="CNY") == tc.Money(0, "CNY")
    with pytest.raises(tc.MoneyError, match=r"the sum of no money has no currency; pass currency=$"):
        tc.Money.sum([])


def test_the_builtin_sum_starts_from_no_currency_and_is_refused():
    with pytest.raises(TypeError):
        sum([tc.Money(1, "USD"), tc.Money(2, "USD")])


@given(money(), money())
def test_currencies_never_mix(left, right):
    assume(left.currency != right.currency)

    assert left != right
    for verb, operate in {
        "add": lambda: left + right,
        "subtract": lambda: left - right,
        "compare": lambda: left < right,
        "add ": lambda: tc.Money.sum([left, right]),
    }.items():
        with pytest.raises(
            tc.MixedCurrencyError, match=f"cannot {verb.strip()} .*; convert one with a dated exchange table first$"
        ) as caught:
            operate()
        assert (caught.value.left, caught.value.right) == (left, right)


@pytest.mark.parametrize("other", [1, 0, Decimal(1), "1", 0.5, None])
def test_money_and_a_bare_number_do_not_mix(other):
    one = tc.Money(1, "USD")

    assert one != other
    with pytest.raises(tc.MoneyTypeError, match=r"make it Money\('.*', 'USD'\)$"):
        _ = one + other
    with pytest.raises(tc.MoneyTypeError, match=r"cannot compare 1\.00 USD and"):
        _ = one >= other


def test_a_float_is_refused_with_the_cure():
    with pytest.raises(tc.MoneyTypeError, match=r"^amount 0\.1 is a binary float, not exact; pass Decimal\('0\.1'\) or '0\.1'$"):
        tc.Money(0.1, "USD")
    with pytest.raises(tc.MoneyTypeError, match=r"^factor 1\.5 is a binary float"):
        _ = tc.Money(1, "USD") * 1.5


@pytest.mark.parametrize("code", ["usd", "US", "USDT", "", "U$D", "\uff35\uff33\uff24", None, 840])
def test_a_currency_is_three_capital_letters(code):
    with pytest.raises(tc.MoneyError, match=r"is not an ISO 4217 code; write it like 'USD' or 'CNY'$") as caught:
        tc.Money(1, code)

    assert caught.value.value == code
    with pytest.raises(tc.MoneyError):
        currency_code(code)


@given(amounts(), currencies(), st.integers(0, 6))
def test_equal_money_hashes_and_prints_alike(amount, currency, zeros):
    """The same amount with zeros appended is the same money."""
    made = tc.Money(amount, currency)
    longer = tc.Money(f"{amount:f}" + ("0" * zeros if "." in f"{amount:f}" else "." + "0" * (zeros + 1)), currency)

    assert longer == made
    assert hash(longer) == hash(made)
    assert (str(longer), repr(longer)) == (str(made), repr(made))


@given(money())
def test_pickles_and_copies(made):
    for twin in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert twin == made
        assert repr(twin) == repr(made)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("48.2", "48.20 USD"),
        ("0", "0.00 USD"),
        ("50", "50.00 USD"),
        ("0.4825", "0.4825 USD"),
        ("-1234567.5", "-1,234,567.50 USD"),
        ("0.000000000001", "0.000000000001 USD"),
        ("5E+3", "5,000.00 USD"),
    ],
)
def test_prints_all_digits_and_at_least_two_decimals(amount, text):
    assert str(tc.Money(amount, "USD")) == text


def test_rounds_only_by_a_named_rule():
    assert tc.Money("0.4825", "USD").rounded(places=3) == tc.Money("0.482", "USD")
    assert tc.Money("0.4825", "USD").rounded(places=3, rule="half_up") == tc.Money("0.483", "USD")
    with pytest.raises(tc.MoneyError, match="no rounding rule"):
        tc.Money(1, "USD").rounded(rule="bankers")


def test_does_not_change():
    made = tc.Money(1, "USD")

    with pytest.raises(AttributeError, match="money does not change; make a new Money instead of setting 'amount'"):
        made.amount = Decimal(2)
    with pytest.raises(AttributeError):
        made.note = "x"

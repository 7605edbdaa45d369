"""Exact arithmetic: every result equals the fraction, whatever decimal context the caller has set."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import amounts
from tokencost.exact import EXACT, ROUNDINGS, decimal_of, exact_decimal, from_fraction, plain, rounded

NUMBERS = st.integers(-(10**40), 10**40) | st.integers(-1000, 1000)
COARSE = decimal.Context(prec=3, rounding=decimal.ROUND_UP, traps=[decimal.Inexact, decimal.Rounded, decimal.InvalidOperation])
"""A caller's context in which any operation that is not shielded would be wrong or raise."""


def is_plain(number: Decimal) -> bool:
    """Whether a number is written with no more digits than it needs after the point, and none left out before it."""
    _, digits, exponent = number.as_tuple()
    return exponent == 0 or (exponent < 0 and digits[-1] != 0)


@given(NUMBERS, st.integers(0, 63))
def test_decimal_of_equals_the_fraction(number, scale):
    found = decimal_of(number, scale)

    assert Fraction(found) == Fraction(number, 10**scale)
    assert is_plain(found)


@pytest.mark.parametrize("scale", [63, 64, 65, 90])
def test_decimal_of_holds_beyond_its_tables(scale):
    """Many layers with long factors need more decimals than the tables of powers hold."""
    assert Fraction(decimal_of(12_345, scale)) == Fraction(12_345, 10**scale)


@given(NUMBERS, st.integers(1, 10**9))
def test_from_fraction_is_exact_or_half_even(numerator, denominator):
    number = Fraction(numerator, denominator)
    odd = number.denominator
    for prime in (2, 5):
        while odd % prime == 0:
            odd //= prime
    found = from_fraction(number)

    assert is_plain(found)
    if odd == 1:
        assert Fraction(found) == number
    else:
        assert Fraction(found) == Fraction(round(number * 10**18), 10**18)


@pytest.mark.parametrize(
    ("number", "places", "expected"),
    [
        (Fraction(1, 3), 4, "0.3333"),
        (Fraction(2, 3), 4, "0.6667"),
        (Fraction(-2, 3), 4, "-0.6667"),
        (Fraction(1, 7), 0, "0"),
        (Fraction(1, 1_000_000_007), 18, "0.000000000999999993"),
        (Fraction(1, 8), 2, "0.125"),
    ],
)
def test_from_fraction_rounds_only_what_does_not_terminate(number, places, expected):
    assert from_fraction(number, places=places) == Decimal(expected)


@given(amounts(), amounts(), NUMBERS, st.integers(0, 30))
def test_the_caller_s_context_does_not_matter(left, right, number, scale):
    def all_of_it():
        price = tc.Money(left, "USD")
        total = price + tc.Money(right, "USD")
        return (
            (total, price * 3, -price, price - total, price < total, str(total), repr(total)),
            decimal_of(number, scale),
            from_fraction(Fraction(number, 7)),
            from_fraction(Fraction(number, 8)),
            exact_decimal(str(left)),
            plain(right),
            rounded(left, places=2, rule="half_even"),
        )

    expected = all_of_it()
    with decimal.localcontext(COARSE):
        assert all_of_it() == expected


@given(amounts(places=30))
def test_plain_changes_the_text_and_not_the_number(number):
    assert plain(number) == number
    assert is_plain(plain(number))


@pytest.mark.parametrize("value", ["0.55", "5.5e-1", "00.550", Decimal("0.55")])
def test_exact_decimal_takes_text_and_decimals(value):
    assert exact_decimal(value) == Decimal("0.55")


def test_a_float_is_refused_with_the_cure():
    with pytest.raises(tc.MoneyTypeError) as caught:
        exact_decimal(0.1, what="price")

    assert str(caught.value) == "price 0.1 is a binary float, not exact; pass Decimal('0.1') or '0.1'"
    assert caught.value.value == 0.1


@pytest.mark.parametrize(("value", "kind"), [(True, "bool"), (None, "NoneType"), (b"1", "bytes"), (1j, "complex"), ([1], "list")])
def test_what_is_no_number_is_refused_with_the_cure(value, kind):
    with pytest.raises(tc.MoneyTypeError, match=rf"is a {kind}; pass a Decimal, an int or text$"):
        exact_decimal(value)


@pytest.mark.parametrize("value", ["", "abc", "1,5", "0x10", "1 000", " 1", "$5", "0.1.2"])
def test_text_that_is_no_number_is_refused_with_the_cure(value):
    with pytest.raises(tc.MoneyError, match=r"is not a decimal number; write it like '0\.55'$"):
        exact_decimal(value)


@pytest.mark.parametrize("value", ["nan", "sNaN", "inf", "-Infinity", Decimal("NaN"), Decimal("Infinity")])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(tc.MoneyError, match="is not finite"):
        exact_decimal(value)


@pytest.mark.parametrize("value", ["1e101", "1e999999999", "1e-101", "0." + "1" * 101, "9" * 500, "1e-9999999999999999999"])
def test_absurd_numbers_are_refused_before_they_fill_the_memory(value):
    with pytest.raises(tc.MoneyError, match=r"check its unit$|write it like|is not finite"):
        exact_decimal(value)


@pytest.mark.parametrize("value", ["1e100", "-1e-100", "0e999", "0e-999"])
def test_large_and_small_numbers_are_kept(value):
    assert exact_decimal(value) == Decimal(value)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("half_even", ("2.34", "-2.34")), ("half_up", ("2.35", "-2.35")), ("up", ("2.35", "-2.34")), ("down", ("2.34", "-2.34"))],
)
def test_rounding_rules(rule, expected):
    assert tuple(str(rounded(Decimal(text), places=2, rule=rule)) for text in ("2.345", "-2.345")) == expected


def test_an_unknown_rounding_rule_is_refused_with_the_list():
    with pytest.raises(tc.MoneyError, match=r"no rounding rule 'nearest'; the rules are half_even, half_up, up, down$"):
        rounded(Decimal(1), places=2, rule="nearest")


@given(amounts(), st.integers(0, 12), st.sampled_from(sorted(ROUNDINGS)))
def test_rounding_moves_less_than_one_unit(number, places, rule):
    found = rounded(number, places=places, rule=rule)

    assert abs(Fraction(found) - Fraction(number)) < Fraction(1, 10**places)
    assert (found * 10**places) % 1 == 0


def test_the_exact_context_refuses_to_round():
    with pytest.raises(decimal.Inexact):
        EXACT.divide(Decimal(1), Decimal(3))

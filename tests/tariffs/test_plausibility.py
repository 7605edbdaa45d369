"""Plausibility: what is probably a slip, on both sides of each limit, and silent where a version says that it knows."""

from __future__ import annotations

import decimal
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

import tokencost as tc
from tokencost.tariffs.checks import Case, findings_of
from tokencost.tariffs.plausibility import PLAUSIBILITY


def row(currency: str = "USD", **known: object) -> tc.Rate:
    """A row from selectors and from prices as text."""
    priced = {name: Decimal(known.pop(name)) for name in [*known] if isinstance(known[name], str) and known[name][:1].isdigit()}
    return tc.Rate(currency=currency, prices=priced, **known)


def version(*rows: tc.Rate, day: int = 0, **options: object) -> tc.Version:
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return tc.Version(start=start, basis="announced", source="s", checked=date(2026, 1, 1), rates=rows, **options)


def found(*versions: tc.Version) -> list[tuple[str, int, int | None]]:
    """The code, version and row of every finding."""
    tariff = tc.Tariff(id="acme/global/m", publisher="acme", versions=versions)
    findings = findings_of(Case(tariff, None, {}, {}), PLAUSIBILITY)
    for code, (_, number, row), where, _, _ in findings:
        begins = f"version {versions[number].start:%Y-%m-%d}"
        assert where == (begins if row is None else f"{begins}, row {row + 1}"), code
    return [(f.code, f.place[1], f.place[2]) for f in findings]


def moves(old: str, new: str, **options: object) -> list[str]:
    return [code for code, _, _ in found(version(row(input=old)), version(row(input=new), day=1, **options))]


@pytest.mark.parametrize(("read", "expected"), [("0.55", []), ("0.550001", [("T12", 0, 0)]), ("0", [])])
def test_t12_cache_read_above_input(read, expected):
    assert found(version(row(input="0.55", cache_read=read))) == expected
    assert found(version(row(input="0.55", cache_read_explicit=read))) == expected


@pytest.mark.parametrize("tier", ["batch", "flex"])
@pytest.mark.parametrize(("price", "expected"), [("0.55", []), ("0.56", [("T13", 0, 1)])])
def test_t13_batch_or_flex_above_standard(tier, price, expected):
    assert found(version(row(input="0.55"), row(input=price, service_tier=tier))) == expected


@pytest.mark.parametrize(("factor", "expected"), [("1", []), ("1.01", [("T13", 0, None)])])
def test_t13_a_factor_above_one(factor, expected):
    assert found(version(row(input="0.55"), adjustments=(tc.Adjustment(service_tier="flex", multiply=Decimal(factor)),))) == expected
    assert found(version(row(input="0.55"), adjustments=(tc.Adjustment(service_tier="priority", multiply=Decimal(factor)),))) == []


def test_t13_compares_like_with_like():
    """A dearer priority tier, a batch row of another context tier or mode, and a lone batch list are no slips."""
    assert found(version(row(input="0.55"), row(input="0.9", service_tier="priority"))) == []
    assert found(version(row(input="0.55"), row(input="1.1", above=100), row(input="0.9", above=100, service_tier="batch"))) == []
    assert found(version(row(input="0.9", service_tier="batch"))) == []


@pytest.mark.parametrize(("night", "expected"), [("0.55", []), ("0.56", [("T14", 0, 1)])])
def test_t14_off_peak_above_peak(night, expected):
    assert found(version(row(input="0.55", window="peak"), row(input=night, window="off_peak"))) == expected


def test_t14_compares_like_with_like():
    tiers = (row(input="0.55", window="peak"), row(input="1.1", window="peak", above=100))
    nights = (row(input="0.5", window="off_peak"), row(input="1.0", window="off_peak", above=100))

    assert found(version(*tiers, *nights)) == []
    assert found(version(*nights)) == []
    assert found(version(*tiers)) == []
    assert found(version(*tiers, *nights[:1], row(input="1.2", window="off_peak", above=100))) == [("T14", 0, 3)]


@pytest.mark.parametrize(
    ("yuan", "expected"), [("5", []), ("4.99", [("T15", 0, 1)]), ("10", []), ("10.01", [("T15", 0, 1)]), ("0", [("T15", 0, 1)])]
)
def test_t15_an_odd_exchange_rate(yuan, expected):
    assert found(version(row(input="1"), row("CNY", input=yuan))) == expected


def test_t15_asks_only_yuan_against_dollars():
    assert found(version(row(input="1"), row("EUR", input="100"))) == []
    assert found(version(row("CNY", input="100"))) == []
    assert found(version(row(input="0"), row("CNY", input="7"))) == []
    assert found(version(row(input="1"), row("CNY", input="100", service_tier="batch"))) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("1", "5", []), ("1", "5.01", ["T16"]), ("5.01", "1", ["T16"]), ("0", "9", []), ("9", "0", []), ("1", "499", ["T16"])],
)
def test_t16_a_move_beyond_fivefold(old, new, expected):
    assert moves(old, new) == expected
    assert moves(old, new, note="the provider said so") == []


@pytest.mark.parametrize(("new", "expected"), [("0.499", []), ("0.5", ["T17"]), ("2", ["T17"]), ("2.001", []), ("0.0000001", [])])
def test_t17_a_move_of_about_a_thousand(new, expected):
    assert [code for code in moves("0.001", new, note="dearer") if code == "T17"] == expected
    assert [code for code in moves(new, "0.001", note="cheaper") if code == "T17"] == expected


@pytest.mark.parametrize(("price", "expected"), [("1000", []), ("1000.01", [("T17", 0, 0)])])
def test_t17_a_price_too_dear_for_any_model(price, expected):
    assert found(version(row(input=price))) == expected
    assert found(version(row(output=price))) == expected
    assert found(version(row(page=price))) == []


def test_moves_skip_what_was_withdrawn():
    """An announced list that never came moves nothing."""
    assert found(version(row(input="1")), version(row(input="100"), day=1, status="withdrawn"), version(row(input="1"), day=2)) == []


@pytest.mark.parametrize(
    ("code", "versions"),
    [
        ("T12", [[row(input="0.1", cache_read="0.2")]]),
        ("T13", [[row(input="0.1"), row(input="0.2", service_tier="batch")]]),
        ("T14", [[row(input="0.1", window="peak"), row(input="0.2", window="off_peak")]]),
        ("T15", [[row(input="1"), row("CNY", input="1")]]),
        ("T17", [[row(input="2000")]]),
        ("T17", [[row(input="0.001")], [row(input="1")]]),
    ],
)
def test_a_version_may_say_that_it_knows(code, versions):
    """`allow` silences its own code, and only together with a note that says why."""
    earlier = [version(*rows) for rows in versions[:-1]]

    def last(**options: object) -> list[str]:
        return [code for code, _, _ in found(*earlier, version(*versions[-1], day=1, **options))]

    assert code in last()
    assert code in last(allow=(code,))
    assert code in last(note="it is so", allow=("T16",))
    assert code not in last(note="it is so", allow=(code,))


def test_the_caller_s_decimal_context_does_not_matter():
    versions = (version(row(input="1.0001"), row("CNY", input="10.0009")), version(row(input="5.0004"), day=1))
    expected = found(*versions)
    with decimal.localcontext(decimal.Context(prec=2, traps=[decimal.Inexact, decimal.Rounded])):
        assert found(*versions) == expected

"""Evidence and warnings: how a price is known, and what is to be known about it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

import tokencost as tc

DAY = timedelta(days=1)
USAGE = tc.Usage(input=1_000_000)


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


def version(start: datetime, **keys) -> tc.Version:
    rates = (tc.Rate(currency="USD", prices={"input": Decimal(1)}),)
    return tc.Version(**{"start": start, "basis": "announced", "source": "lab", "checked": date(2025, 6, 1), "rates": rates, **keys})


@pytest.fixture
def quote(lab):
    def made(instant: datetime, *versions: tc.Version, **keys) -> tc.Quote:
        law = tc.Tariff(**{"id": "lab/rack/m", "publisher": "lab", "versions": versions, **keys})
        return lab.with_tariffs([law]).quote("lab/rack/m", USAGE, at=instant)

    return made


def test_a_price_that_is_sure_has_no_warnings(quote):
    made = quote(at(2, 1), version(at(1, 1)), version(at(3, 1)))
    assert made.warnings == ()
    assert made.evidence.basis == "announced"


def test_a_price_is_stale_more_than_ninety_days_after_it_was_checked(quote):
    checked = at(6, 1)
    assert quote(checked + 90 * DAY, version(at(1, 1))).warnings == ()
    (warning,) = quote(checked + 90 * DAY + timedelta(microseconds=1), version(at(1, 1))).warnings
    assert type(warning) is tc.StalePriceWarning
    assert warning.checked == date(2025, 6, 1)
    assert "last checked on 2025-06-01, more than 90 days before 2025-08-30T00:00:00.000001Z" in str(warning)


@pytest.mark.parametrize("basis", ["first_observed", "catalogue"])
def test_an_uncertain_start_is_told_on_both_sides_of_it(quote, basis):
    versions = (version(at(1, 1)), version(at(3, 1), basis=basis), version(at(5, 1)))
    (before,) = quote(at(2, 1), *versions).warnings
    (after,) = quote(at(4, 1), *versions).warnings
    assert (type(before), before.start, before.basis) == (tc.UncertainDateWarning, at(3, 1), basis)
    assert (type(after), after.start, after.basis) == (tc.UncertainDateWarning, at(3, 1), basis)
    assert "the next price was first recorded" in str(before)
    assert quote(at(5, 2), *versions).warnings == ()


def test_a_promotion_is_told_with_its_end_where_it_gave_the_price(quote):
    promo = tc.Promo(
        start=at(2, 1), until=at(3, 1), basis="announced", source="lab", checked=date(2025, 6, 1), note="spring", multiply=Decimal("0.5")
    )
    made = quote(at(2, 15), version(at(1, 1)), promos=(promo,))
    assert [(type(w), w.until) for w in made.warnings] == [(tc.PromotionalPriceWarning, at(3, 1))]
    assert made.promo_until == at(3, 1)
    assert (made.evidence.version_start, made.evidence.note) == (at(2, 1), "spring")
    assert [line.layer for line in made.lines] == ["promo"]
    assert quote(at(3, 1), version(at(1, 1)), promos=(promo,)).promo_until is None


def test_a_promotion_of_another_list_is_not_told(lab):
    """A launch price in CNY only leaves no trace on a USD quote."""
    rows = tuple(tc.Rate(currency=c, prices={"input": Decimal(p)}) for c, p in (("USD", 1), ("CNY", 7)))
    cheap = tc.Rate(currency="CNY", prices={"input": Decimal(3)}, source="lab-cny")
    promo = tc.Promo(start=at(2, 1), until=at(3, 1), basis="announced", source="lab", checked=date(2025, 6, 1), rates=(cheap,))
    law = tc.Tariff(id="lab/rack/m", publisher="lab", versions=(version(at(1, 1), rates=rows),), promos=(promo,))
    book = lab.with_tariffs([law])
    dollars = book.quote(law.id, USAGE, at=at(2, 15))
    assert (dollars.total.amount, dollars.promo_until, dollars.warnings) == (1, None, ())
    assert dollars.lines[0].layer == "list"
    yuan = book.quote(law.id, USAGE, at=at(2, 15), currency="CNY")
    assert (yuan.total.amount, yuan.promo_until) == (3, at(3, 1))
    assert (yuan.lines[0].layer, yuan.lines[0].source) == ("promo", "lab-cny")


def test_an_announced_price_says_that_it_had_not_begun(quote):
    (warning,) = quote(at(7, 15), version(at(1, 1)), version(at(7, 1), status="announced", checked=date(2025, 6, 30))).warnings
    assert type(warning) is tc.AnnouncedPriceWarning
    assert (warning.start, warning.checked) == (at(7, 1), date(2025, 6, 30))


@pytest.mark.parametrize(("per", "text"), [("month", "5,000 web_search are free per month"), ("once", "5,000 web_search are free once")])
def test_an_allowance_is_told_while_it_runs(quote, per, text):
    allowance = tc.Allowance(
        meter="web_search", quantity=5_000, per=per, start=at(2, 1), until=at(3, 1), source="lab", checked=date(2025, 6, 1)
    )
    (warning,) = quote(at(2, 1), version(at(1, 1)), allowances=(allowance,)).warnings
    assert type(warning) is tc.AllowanceNotice
    assert (warning.meter, warning.quantity, warning.per) == ("web_search", 5_000, per)
    assert str(warning) == f"{text}; this quote bills gross"
    assert quote(at(3, 1), version(at(1, 1)), allowances=(allowance,)).warnings == ()


def test_evidence_leads_to_the_source_and_the_clock(lab):
    rates = tuple(tc.Rate(currency="USD", window=w, prices={"input": Decimal(1)}) for w in ("peak", "off_peak"))
    law = tc.Tariff(
        id="lab/rack/m",
        publisher="lab",
        versions=(version(at(1, 1)), version(at(5, 1), schedule="office", rates=rates, served="m-2", note="why")),
    )
    book = lab.with_tariffs([law])
    plain = book.quote(law.id, USAGE, at=at(2, 1)).evidence
    assert (plain.offering, plain.version_start, plain.checked, plain.served, plain.note) == (
        "lab/rack/m",
        at(1, 1),
        date(2025, 6, 1),
        None,
        None,
    )
    assert plain.source.url == "https://example.org/prices"
    assert plain.decided == "completion"  # the provider's word, where no schedule decides
    assert book.quote(law.id, USAGE, at=at(5, 2)).evidence.decided == "unstated"  # the first edition says nothing
    second = book.quote(law.id, USAGE, at=at(8, 2)).evidence
    assert (second.decided, second.served, second.note) == ("request", "m-2", "why")


def test_a_price_on_ones_own_machines_has_no_document(lab):
    mine = tc.self_hosted("lab/rack/mine", gpu_hour=1, tokens_per_second={"input": 1_000}, start=at(1, 1))
    made = lab.with_tariffs([mine]).quote("lab/rack/mine", USAGE, at=at(2, 1))
    assert made.evidence.source is None
    assert "no document" in str(made)


def test_shipped_prices_carry_their_source(book):
    evidence = book.quote("deepseek-reasoner", USAGE, at="2025-03-01T17:00:00Z").evidence
    assert evidence.basis == "announced"
    assert evidence.decided == "completion"
    assert evidence.source.kind == "official_announcement"
    assert evidence.source.url.startswith("https://")
    assert evidence.served.startswith("DeepSeek-R1")

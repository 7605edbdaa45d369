"""Quotes: lines, records, tables for eyes, and what survives a trip through pickle."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from rating.agreement import error_of, sum_of_lines
from rating.draws import choice_at, counts_for, instants_for, tariffs

NIGHT = "2025-03-01T17:00:00Z"
USAGE = tc.Usage(input=300_000, cache_read=700_000, output=90_000, reasoning=10_000)


@pytest.fixture
def quote(book) -> tc.Quote:
    """R1 under the night window: 0.135 fresh, 0.035 cached, 0.55 out; 0.0405 + 0.0245 + 0.0495 + 0.0055 = 0.12."""
    return book.quote("deepseek-reasoner", USAGE, at=NIGHT)


def test_lines_name_the_meter_its_rate_and_the_amount(quote):
    assert [line._asdict() for line in quote.lines] == [
        {
            "meter": meter,
            "billed_as": billed_as,
            "quantity": quantity,
            "billed": quantity,
            "price": Decimal(price),
            "priced_per": "1M tokens",
            "amount": tc.Money(amount, "USD"),
            "layer": "list",
            "source": "pricing-2025-02-26",
        }
        for meter, billed_as, quantity, price, amount in [
            ("input", "input", 300_000, "0.135", "0.0405"),
            ("cache_read", "cache_read", 700_000, "0.035", "0.0245"),
            ("output", "output", 90_000, "0.55", "0.0495"),
            ("reasoning", "output", 10_000, "0.55", "0.0055"),
        ]
    ]
    assert quote.total == tc.Money("0.12", "USD")
    assert sum_of_lines(quote) == Decimal("0.12")


def test_a_quote_says_what_was_chosen(quote):
    assert (quote.offering, quote.name, quote.rule, quote.dropped) == (
        "deepseek/global/deepseek-reasoner",
        "deepseek-reasoner",
        "publisher",
        None,
    )
    assert quote.choice == ("USD", "standard", None, None)
    assert (quote.window, quote.tier, quote.promo_until, quote.tenant, quote.converted) == ("off_peak", 0, None, None, None)
    assert (quote.usage, quote.at, quote.currency) == (USAGE, datetime(2025, 3, 1, 17, tzinfo=UTC), "USD")
    assert quote.tariff.id == quote.offering
    assert len(quote.fingerprint) == 16


def test_the_tier_of_a_quote_is_its_lower_edge(book):
    """qwen3-max re-rates above 32,000 and 128,000 tokens of input."""
    tiers = {
        size: book.quote("alibaba/global/qwen3-max", tc.Usage(input=size), at="2026-03-01T00:00:00Z").tier
        for size in (1, 32_000, 32_001, 128_001)
    }
    assert tiers == {1: 0, 32_000: 0, 32_001: 32_001, 128_001: 128_001}


def test_the_tenant_of_a_quote_is_kept(book):
    assert book.quote("gpt-4o", USAGE, at=NIGHT, tenant="acme").tenant == "acme"


def test_records_are_one_flat_row_a_line(quote):
    records = quote.records()
    assert [record["meter"] for record in records] == ["input", "cache_read", "output", "reasoning"]
    assert records[0] == {
        "offering": "deepseek/global/deepseek-reasoner",
        "at": "2025-03-01T17:00:00Z",
        "service_tier": "standard",
        "mode": None,
        "residency": None,
        "window": "off_peak",
        "tier": 0,
        "meter": "input",
        "billed_as": "input",
        "quantity": 300_000,
        "billed": 300_000,
        "price": Decimal("0.135"),
        "priced_per": "1M tokens",
        "amount": Decimal("0.0405"),
        "layer": "list",
        "source": "pricing-2025-02-26",
        "currency": "USD",
    }
    assert sum(record["amount"] for record in records) == Decimal("0.12")


def test_the_table_of_a_quote_reads_like_a_bill(quote):
    table = quote.table()
    assert table.title == "deepseek/global/deepseek-reasoner at 2025-03-01T17:00:00Z (USD, standard, off_peak)"
    assert [column.heading for column in table.columns] == ["meter", "billed as", "quantity", "price", "per", "amount", "layer"]
    assert table.rows == (
        ("input", "", "300,000", "0.135", "1M tokens", "0.0405 USD", "list"),
        ("cache_read", "", "700,000", "0.035", "1M tokens", "0.0245 USD", "list"),
        ("output", "", "90,000", "0.55", "1M tokens", "0.0495 USD", "list"),
        ("reasoning", "output", "10,000", "0.55", "1M tokens", "0.0055 USD", "list"),
        ("total", "", "", "", "", "0.12 USD", ""),
    )
    assert table.notes[0] == "name 'deepseek-reasoner' by rule: publisher"
    assert table.notes[1].startswith("list of 2025-02-26T16:30:00Z (announced), checked 20")
    assert any(note.startswith("note: A quarter of the list at night") for note in table.notes)
    assert str(quote) == table.text()


def test_one_line_needs_no_total(book):
    """A bill of one bucket is its own total; one of none shows a total of nothing."""
    rows = book.quote("deepseek/global/deepseek-reasoner", tc.Usage(input=1), at=NIGHT).table().rows
    assert [row[0] for row in rows] == ["input"]
    assert [row[0] for row in book.quote("deepseek-reasoner", tc.Usage(), at=NIGHT).table().rows] == ["total"]


def test_the_table_tells_tier_name_and_warnings(book):
    quote = book.quote("mistral-large-latest", tc.Usage(input=1), at="2025-01-01T00:00:00Z")
    assert "name 'mistral-large-latest' by rule: alias" in quote.table().notes
    tiered = book.quote("alibaba/global/qwen3-max", tc.Usage(input=40_000), at="2025-11-01T00:00:00Z")
    assert tiered.table().title.endswith("(USD, standard, tier from 32,001)")
    stale = book.quote("deepseek-reasoner", tc.Usage(input=1), at="2026-07-20T00:00:00Z")
    assert not any(note.startswith("warning: ") for note in stale.table().notes)
    old = book.quote("gpt-4o", tc.Usage(input=1), at="2027-06-01T00:00:00Z")
    assert any(note.startswith("warning: the price was last checked on ") for note in old.table().notes)


def test_a_dropped_part_of_a_name_is_said(book):
    quote = book.quote("us.anthropic.claude-sonnet-4-5-20250929-v1:0", tc.Usage(input=1), at="2026-03-01T00:00:00Z")
    assert quote.offering.startswith("amazon-bedrock/us/anthropic.claude-sonnet-4-5")
    assert quote.rule in ("alias", "rule")
    assert quote.name == "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def test_html_holds_the_same_cells_escaped(lab):
    rate = tc.Rate(currency="USD", prices={"input": Decimal(1), "output": Decimal(2)})
    start = datetime(2025, 1, 1, tzinfo=UTC)
    version = tc.Version(start=start, basis="announced", source="lab", checked=start.date(), rates=(rate,), note="<b>bold & sharp</b>")
    law = tc.Tariff(id="lab/rack/m", publisher="lab", versions=(version,))
    quote = lab.with_tariffs([law]).quote("lab/rack/m", tc.Usage(input=1_000_000, output=1_000_000), at=start)
    html = quote._repr_html_()
    assert html == quote.table().html()
    assert html.startswith("<table>")
    assert "&lt;b&gt;bold &amp; sharp&lt;/b&gt;" in html
    assert "<b>" not in html
    for cell in ("input", "1,000,000", "1.00 USD", "3.00 USD", "lab/rack/m at 2025-01-01T00:00:00Z (USD, standard)"):
        assert cell in html


@given(data=st.data())
def test_a_quote_survives_pickling(lab, data):
    tariff = data.draw(tariffs())
    book = lab.with_tariffs([tariff])
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)._asdict()
    usage = tc.Usage.of(data.draw(counts_for(tariff)))
    if error_of(lambda: book.quote(tariff.id, usage, at=at, **wanted)) is not None:
        return
    quote = book.quote(tariff.id, usage, at=at, **wanted)
    again = pickle.loads(pickle.dumps(quote))
    assert again == quote
    assert (str(again), again.fingerprint, again.records()) == (str(quote), quote.fingerprint, quote.records())


def test_a_converted_quote_survives_pickling(book):
    table = tc.ExchangeTable([(datetime(2025, 2, 28, tzinfo=UTC).date(), "USD", "EUR", "0.95", "a bank")])
    quote = book.quote("deepseek-reasoner", USAGE, at=NIGHT, currency="EUR", fx=table)
    assert pickle.loads(pickle.dumps(quote)) == quote
    assert (quote.total, quote.native) == (tc.Money("0.114", "EUR"), tc.Money("0.12", "USD"))


def test_an_amount_that_does_not_end_is_rounded_at_the_eighteenth_decimal(lab):
    """0.05 USD an hour is 0.0000138... a second; seconds that make whole hours are exact."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rate = tc.Rate(currency="USD", prices={"container_s": Decimal("0.05"), "cache_storage": Decimal("4.5")})
    version = tc.Version(start=start, basis="announced", source="lab", checked=start.date(), rates=(rate,))
    book = lab.with_tariffs([tc.Tariff(id="lab/rack/m", publisher="lab", versions=(version,))])
    at = start + timedelta(days=1)
    assert book.cost("lab/rack/m", tc.Usage(container_s=1), at=at) == Decimal("0.000013888888888889")
    assert book.cost("lab/rack/m", tc.Usage(container_s=5_400), at=at) == Decimal("0.075")
    # 2 million tokens kept for half an hour: 2 x 4.50 x 0.5
    assert book.cost("lab/rack/m", tc.Usage(cache_storage=2_000_000 * 1_800), at=at) == Decimal("4.5")


def test_the_instant_of_a_quote_keeps_the_callers_zone_and_prints_in_utc(book):
    at = datetime(2025, 3, 2, 1, tzinfo=timezone(timedelta(hours=8)))
    quote = book.quote("deepseek-reasoner", USAGE, at=at)
    assert quote.at == at
    assert "2025-03-01T17:00:00Z" in str(quote)

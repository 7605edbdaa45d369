"""Offerings and rate cards: one price law of a book, quoted and shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from rating.agreement import error_of
from rating.draws import choice_at, counts_for, instants_for, tariffs

USAGE = tc.Usage(input=1_000_000, output=1_000_000)


def test_an_offering_is_found_by_any_of_its_names(book):
    names = ["deepseek-reasoner", "deepseek/deepseek-reasoner", "deepseek/global/deepseek-reasoner", "deepseek-r1"]
    assert {book.tariff(name).id for name in names} == {"deepseek/global/deepseek-reasoner"}
    r1 = book.tariff("deepseek-reasoner")
    assert r1.provider.name == "DeepSeek"
    assert r1.law is book.shelf.tariff(r1.id)
    assert (r1.versions, r1.promos) == (r1.law.versions, r1.law.promos)
    span = "2025-01-20T00:00:00Z to 2026-07-24T15:59:00Z"
    assert repr(r1) == f"Offering('deepseek/global/deepseek-reasoner', {len(r1.versions)} versions, {span})"


@given(data=st.data())
def test_an_offering_quotes_as_its_book_does(lab, data):
    tariff = data.draw(tariffs())
    book = lab.with_tariffs([tariff])
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)._asdict()
    usage = tc.Usage.of(data.draw(counts_for(tariff)))
    mine = book.tariff(tariff.id)
    expected = error_of(lambda: book.quote(tariff.id, usage, at=at, **wanted))
    for call in (mine.quote, mine.cost):
        assert error_of(lambda call=call: call(usage, at=at, **wanted)) == expected
    if expected is None:
        assert mine.quote(usage, at=at, **wanted) == book.quote(tariff.id, usage, at=at, **wanted)
        assert mine.cost(usage, at=at, **wanted) == book.cost(tariff.id, usage, at=at, **wanted)


def test_a_name_that_has_meant_several_offerings_needs_an_instant(book):
    with pytest.raises(tc.AmbiguousNameError, match="pass at= or one of these") as caught:
        book.tariff("mistral-large-latest")
    assert "mistral/global/mistral-large-2411" in caught.value.candidates


def test_an_offering_chosen_by_an_instant_stays_that_one(book):
    """The name has moved on since; the offering that it meant then is still quoted as itself, also later."""
    then = book.tariff("mistral-large-latest", at="2025-01-01T00:00:00Z")
    assert then.id == "mistral/global/mistral-large-2411"
    later = "2026-01-15T00:00:00Z"
    assert book.quote("mistral-large-latest", USAGE, at=later).offering == "mistral/global/mistral-large-2512"
    assert then.quote(USAGE, at=later).offering == then.id
    assert then.cost(USAGE, at=later) == book.cost(then.id, USAGE, at=later)
    assert then.card(at=later).offering == then.id


def test_an_instant_may_be_text_or_a_datetime(book):
    at = datetime(2025, 1, 1, tzinfo=UTC)
    assert book.tariff("mistral-large-latest", at=at).id == book.tariff("mistral-large-latest", at="2025-01-01T00:00:00Z").id
    with pytest.raises(tc.InstantError):
        book.tariff("mistral-large-latest", at="2025-01-01")


def test_a_card_holds_the_prices_of_every_tier_with_inclusive_edges(book):
    """The mainland list of qwen3-max: bands up to 32,000, 128,000 and 256,000 tokens of input."""
    card = book.tariff("alibaba/china/qwen3-max").card(at="2026-03-01T00:00:00Z")
    assert (card.offering, card.window, card.choice.currency) == ("alibaba/china/qwen3-max", None, "CNY")
    assert [(row.from_input, row.up_to_input, row.prices["input"], row.prices["output"]) for row in card.rows] == [
        (0, 32_000, Decimal("2.5"), Decimal(10)),
        (32_001, 128_000, Decimal(4), Decimal(16)),
        (128_001, 256_000, Decimal(7), Decimal(28)),
    ]
    batch = book.tariff("alibaba/china/qwen3-max").card(at="2026-03-01T00:00:00Z", service_tier="batch")
    assert [row.prices["input"] for row in batch.rows] == [Decimal("1.25"), Decimal(2), Decimal("3.5")]


@given(data=st.data())
def test_a_card_prices_what_cost_prices(lab, data):
    """Each row of a card, multiplied out at its lower edges, is the cost of a request of that size."""
    tariff = data.draw(tariffs())
    book = lab.with_tariffs([tariff])
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)._asdict()
    if tariff.tiering == "graduated" or error_of(lambda: book.tariff(tariff.id).card(at=at, **wanted)) is not None:
        return
    for row in book.tariff(tariff.id).card(at=at, **wanted).rows:
        prompt = row.from_input - (row.from_output if tariff.tier_on == "total" else 0)
        if prompt < 0:
            continue
        usage = tc.Usage(input=prompt, output=row.from_output)
        expected = (prompt * row.prices["input"] + row.from_output * row.prices["output"]) / 1_000_000
        assert book.cost(tariff.id, usage, at=at, **wanted) == expected


def test_the_table_of_a_card(book):
    tiered = book.tariff("alibaba/global/qwen3-max").card(at="2025-11-01T00:00:00Z").table()
    assert tiered.title == "alibaba/global/qwen3-max at 2025-11-01T00:00:00Z (USD, standard)"
    assert [column.heading for column in tiered.columns] == ["request size", "input / 1M tokens", "output / 1M tokens"]
    assert tiered.rows == (
        ("from 0 to 32,000", "1.2", "6"),
        ("from 32,001 to 128,000", "2.4", "12"),
        ("from 128,001", "3", "15"),
    )
    flat = book.tariff("deepseek-reasoner").card(at="2025-03-01T17:00:00Z")
    assert flat.table().title == "deepseek/global/deepseek-reasoner at 2025-03-01T17:00:00Z (USD, standard, off_peak)"
    assert [column.heading for column in flat.table().columns] == ["input / 1M tokens", "cache_read / 1M tokens", "output / 1M tokens"]
    assert str(flat) == flat.table().text()
    assert "<td style='text-align:right'>0.135</td>" in flat._repr_html_()


def test_the_table_of_a_card_with_bands_of_output(lab):
    rows = tuple(
        tc.Rate(currency="CNY", above=0, above_output=low, up_to_output=high, prices={"input": Decimal("0.8"), "output": Decimal(price)})
        for low, high, price in ((0, None, 2), (200, 16_000, 8))
    )
    start = datetime(2025, 1, 1, tzinfo=UTC)
    version = tc.Version(start=start, basis="announced", source="lab", checked=start.date(), rates=rows)
    card = lab.with_tariffs([tc.Tariff(id="lab/rack/m", publisher="lab", versions=(version,))]).tariff("lab/rack/m").card(at=start)
    assert [(row.from_output, row.up_to_output) for row in card.rows] == [(0, 200), (201, 16_000)]
    assert [row[0] for row in card.table().rows] == ["from 0, output from 0 to 200", "from 0, output from 201 to 16,000"]


def test_the_history_lists_every_version_and_its_windows(book):
    r1 = book.tariff("deepseek-reasoner")
    history = r1.history()
    text = str(r1)
    assert text == history.text()
    assert r1._repr_html_() == history.html()
    starts = [row[0] for row in history.rows if row[0]]
    assert starts[:3] == ["2025-01-20T00:00:00Z", "2025-02-26T16:30:00Z", "2025-09-05T16:00:00Z"]
    for piece in ("off_peak", "0.135", "16:30-00:30", "last checked 20"):
        assert piece in text


def test_a_card_outside_the_history_is_an_error(book):
    with pytest.raises(tc.OutsideHistoryError):
        book.tariff("deepseek-reasoner").card(at=datetime(2025, 1, 20, tzinfo=UTC) - timedelta(microseconds=1))
    with pytest.raises(tc.InstantTypeError):
        book.tariff("deepseek-reasoner").card(at="2025-02-01")

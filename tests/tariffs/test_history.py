"""History: every version, factor and promotion of a tariff in one table, with windows and sources below."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given

import tokencost as tc
from strategies import tariffs, write_tables
from tokencost.tariffs.history import history_table
from tokencost.tariffs.shelf import Shelf


def at(month: int) -> datetime:
    return datetime(2025, month, 1, tzinfo=UTC)


KNOWN = {"basis": "announced", "source": "page", "checked": date(2026, 1, 1)}


def row(price: str, **options: object) -> tc.Rate:
    return tc.Rate(currency="USD", prices={"input": Decimal(price), "output": Decimal(price) * 4}, **options)


FULL = tc.Tariff(
    id="acme/global/model",
    publisher="acme",
    title="R1",
    note="all about it",
    versions=(
        tc.Version(
            start=at(1),
            **KNOWN,
            note="first",
            rates=(row("0.5", above=0, source="press"), row("1", above=32_000, up_to=64_000, above_output=10, up_to_output=20)),
            adjustments=(
                tc.Adjustment(service_tier="batch", multiply=Decimal("0.5"), meters=("input",)),
                tc.Adjustment(residency="us", multiply=Decimal("1.1"), source="archive"),
            ),
        ),
        tc.Version(
            start=at(3), until=at(4), **KNOWN, status="withdrawn", rates=(row("9", mode="thinking", service_tier="flex", residency="eu"),)
        ),
        tc.Version(start=at(5), **KNOWN, schedule="night", rates=(row("0.3", window="off_peak"), row("0.6", window="peak"))),
    ),
    promos=(
        tc.Promo(start=at(2), until=at(3), **KNOWN, note="launch", rates=(row("0.1"),)),
        tc.Promo(start=at(6), until=at(7), **KNOWN, multiply=Decimal("0.25"), meters=("input",)),
    ),
)


def test_one_line_for_every_row_factor_and_promotion(tmp_path):
    shelf = Shelf(write_tables(tmp_path))
    table = history_table(FULL, shelf.provider("acme"), shelf.sources("acme"))

    assert table.title == "acme/global/model (R1): price per million tokens unless the meter says otherwise"
    assert [column.heading for column in table.columns] == ["from", "until", "what", "choice", "input", "output", "source"]
    assert table.rows == (
        ("2025-01-01T00:00:00Z", "2025-05-01T00:00:00Z", "list, announced", "USD", "0.5", "2.0", "press"),
        ("", "", "", "USD, from 32,001 to 64,000, output from 11 to 20", "1", "4", "page"),
        ("", "", "", "batch: x 0.5 on input", "", "", "page"),
        ("", "", "", "residency us: x 1.1", "", "", "archive"),
        ("2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z", "withdrawn, announced", "USD, flex, thinking, residency eu", "9", "36", "page"),
        ("2025-05-01T00:00:00Z", "...", "list, announced", "USD, off_peak", "0.3", "1.2", "page"),
        ("", "", "", "USD, peak", "0.6", "2.4", "page"),
        ("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z", "promo, announced", "USD", "0.1", "0.4", "page"),
        ("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z", "promo, announced", "list x 0.25 on input", "", "", "page"),
    )
    assert table.notes == (
        "note: all about it",
        "note on 2025-01-01: first",
        "note on 2025-02-01: launch",
        "schedule night from 2023-01-01T00:00:00Z in UTC: off_peak daily 16:30-00:30; otherwise peak",
        "source page: https://example.org/pricing (official_page)",
        "source press: https://example.org/press (news)",
        "source archive: https://example.org/archive (archived_official_page)",
        "last checked 2026-01-01",
    )


def test_a_source_that_is_not_on_file_is_named_and_not_explained(tmp_path):
    """A tariff made in memory may have its source anywhere."""
    table = history_table(FULL, Shelf(write_tables(tmp_path)).provider("acme"), {})

    assert table.rows[0][-1] == "press"
    assert [note for note in table.notes if note.startswith("source")] == []


@given(tariffs())
def test_nothing_of_a_tariff_is_left_out(tmp_path_factory, tariff):
    """A row for each rate, factor and multiplying promotion, whatever the tariff."""
    shelf = Shelf(write_tables(tmp_path_factory.mktemp("tables"), tariff))
    table = history_table(tariff, shelf.provider("acme"), shelf.sources("acme"))
    expected = sum(len(v.rates) + len(v.adjustments) for v in tariff.versions) + sum(len(p.rates) or 1 for p in tariff.promos)

    assert len(table.rows) == expected
    assert {len(line) for line in table.rows} == {len(table.columns)}
    assert sum(line[0] != "" for line in table.rows) == len(tariff.versions) + len(tariff.promos)
    assert table.text()
    assert table.html()

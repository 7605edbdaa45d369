"""The shipped tables: sound, sourced, of the size that the documentation speaks of, and right where the figures are known."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

import tokencost as tc
from tokencost.tariffs.lint import lint_tables
from tokencost.tariffs.shelf import Shelf

MTOK = 1_000_000


@pytest.fixture(scope="module")
def laws(book):
    """Every tariff by its id."""
    return {tariff.id: tariff for tariff in book.shelf.tariffs()}


# --- soundness


def test_every_file_passes_every_check(tables):
    assert [str(fault) for fault in lint_tables(tables)] == []


def test_the_strict_door_reads_what_the_trusted_one_does(tables, laws):
    """What ships unchecked would pass as a book of one's own."""
    checked = Shelf(tables)

    assert checked.ids == tuple(laws)
    assert [name for name in checked.ids if checked.tariff(name) != laws[name]] == []


def test_there_are_enough_of_them(book, laws):
    assert len(book.shelf.provider_ids) >= 25
    assert len(laws) >= 350
    assert sum(len(law.versions) for law in laws.values()) >= 1_000


def test_every_price_leads_to_a_source_and_a_check_date(book, laws):
    """Every version, promotion, allowance and row names a document that is there, and the day when somebody looked."""
    missing = []
    for name, law in laws.items():
        known = book.shelf.sources(law.provider)
        parts = (*law.versions, *law.promos, *law.allowances)
        rows = [row for part in (*law.versions, *law.promos) for row in part.rates if row.source is not None]
        missing += [(name, part.source) for part in (*parts, *rows) if part.source not in known]
        missing += [(name, part.start) for part in parts if not isinstance(part.checked, date)]

    assert missing == []


def test_every_source_says_where_it_is(book):
    sources = [source for provider in book.shelf.provider_ids for source in book.shelf.sources(provider).values()]

    assert [source.id for source in sources if not source.url.startswith("http") and source.kind != "memory"] == []
    assert [source.id for source in sources if source.kind == "memory" and not (source.note or source.title)] == []


def test_no_two_offerings_differ_only_in_case(laws):
    folded = Counter(name.casefold() for name in laws)

    assert [name for name, count in folded.items() if count > 1] == []


def test_every_provider_has_its_default_endpoint(book, laws):
    missing = {}
    for name in book.shelf.provider_ids:
        provider = book.shelf.provider(name)
        endpoints = {law.endpoint for law in laws.values() if law.provider == name}
        if provider.default not in endpoints:
            missing[name] = (provider.default, endpoints)

    assert missing == {}


def test_every_alias_points_at_an_offering(book, laws):
    for name in book.shelf.provider_ids:
        for alias in book.shelf.provider(name).aliases:
            assert f"{name}/{alias.offering}" in laws, (name, alias.name)


def test_every_model_of_its_publisher_is_found_by_its_bare_name(book, laws):
    """No name of a publisher's own default endpoint leads anywhere else."""
    wrong = {}
    for name, law in laws.items():
        default = book.shelf.provider(law.provider).default
        if law.publisher == law.provider and law.endpoint == default:
            try:
                found = book.resolve(law.model)
            except tc.AmbiguousNameError as error:
                rivals = {laws[candidate].publisher for candidate in error.candidates}
                if len(rivals) < 2:
                    wrong[name] = error.candidates
            else:
                if found.offering != name:
                    wrong[name] = found

    assert wrong == {}


def test_calendars_cover_2026(book):
    assert book.shelf.calendar_ids != ()
    for name in book.shelf.calendar_ids:
        calendar = book.shelf.calendar(name)
        assert calendar.start <= date(2026, 1, 1)
        assert calendar.until >= date(2027, 1, 1)


def test_claims_are_what_the_lists_say(book):
    """A figure that an article gives is the price of the meter that we say it is."""
    assert book.claims != ()
    for claim in book.claims:
        prices = book.tariff(claim.offering).card(at=claim.at, currency=claim.currency).rows[0].prices
        assert {meter: prices[claim.really[meter]] for meter in claim.said} == claim.said


# --- figures that are known


@pytest.mark.parametrize(
    ("name", "at", "currency", "prices"),
    [
        ("deepseek/global/deepseek-chat", "2024-05-06T00:00:00Z", "CNY", {"input": "1", "output": "2"}),
        ("zhipu/china/glm-3-turbo", "2024-05-10T00:00:00Z", "CNY", {"input": "5", "output": "5"}),
        ("zhipu/china/glm-3-turbo", "2024-05-11T00:00:00Z", "CNY", {"input": "1", "output": "1"}),
        ("bytedance/china/doubao-pro-32k", "2024-05-15T00:00:00Z", "CNY", {"input": "0.8", "output": "2"}),
        ("alibaba/china/qwen-long", "2024-05-20T00:00:00Z", "CNY", {"input": "20", "output": "20"}),
        ("alibaba/china/qwen-long", "2024-05-21T00:00:00Z", "CNY", {"input": "0.5", "output": "2"}),
        ("alibaba/china/qwen-max", "2024-05-20T00:00:00Z", "CNY", {"input": "120", "output": "120"}),
        ("alibaba/china/qwen-max", "2024-05-21T00:00:00Z", "CNY", {"input": "40", "output": "120"}),
        ("alibaba/china/qwen-max", "2025-02-06T00:00:00Z", "CNY", {"input": "2.4", "output": "9.6"}),
        ("baidu/china/ernie-speed-128k", "2024-05-21T00:00:00Z", "CNY", {"input": "0", "output": "0"}),
        ("tencent/china/hunyuan-pro", "2024-05-22T00:00:00Z", "CNY", {"input": "30", "output": "100"}),
        ("deepseek/global/deepseek-chat", "2024-08-02T00:00:00Z", "CNY", {"cache_read": "0.1", "input": "1", "output": "2"}),
        ("deepseek/global/deepseek-chat", "2025-02-08T15:59:59Z", "CNY", {"cache_read": "0.1", "input": "1", "output": "2"}),
        ("deepseek/global/deepseek-chat", "2025-02-08T16:00:00Z", "CNY", {"cache_read": "0.5", "input": "2", "output": "8"}),
        ("deepseek/global/deepseek-reasoner", "2025-01-20T00:00:00Z", "CNY", {"cache_read": "1", "input": "4", "output": "16"}),
        ("deepseek/global/deepseek-reasoner", "2025-01-20T00:00:00Z", "USD", {"cache_read": "0.14", "input": "0.55", "output": "2.19"}),
        ("deepseek/global/deepseek-reasoner", "2025-02-26T16:29:59Z", "CNY", {"cache_read": "1", "input": "4", "output": "16"}),
        ("deepseek/global/deepseek-reasoner", "2025-02-26T16:30:00Z", "CNY", {"cache_read": "0.25", "input": "1", "output": "4"}),
        ("deepseek/global/deepseek-reasoner", "2025-02-27T00:30:00Z", "CNY", {"cache_read": "1", "input": "4", "output": "16"}),
        ("deepseek/global/deepseek-chat", "2025-09-05T16:00:00Z", "USD", {"cache_read": "0.07", "input": "0.56", "output": "1.68"}),
        ("deepseek/global/deepseek-chat", "2025-09-29T00:00:00Z", "USD", {"cache_read": "0.028", "input": "0.28", "output": "0.42"}),
        ("deepseek/global/deepseek-v4-pro", "2026-04-24T00:00:00Z", "CNY", {"cache_read": "1", "input": "12", "output": "24"}),
        ("deepseek/global/deepseek-v4-pro", "2026-04-27T00:00:00Z", "CNY", {"cache_read": "0.025", "input": "3", "output": "6"}),
        ("deepseek/global/deepseek-v4-pro", "2026-06-01T00:00:00Z", "USD", {"cache_read": "0.003625", "input": "0.435", "output": "0.87"}),
        ("deepseek/global/deepseek-v4-pro", "2026-11-20T00:30:00Z", "USD", {"cache_read": "0.022", "input": "0.66", "output": "1.98"}),
        ("deepseek/global/deepseek-v4-pro", "2026-11-20T01:00:00Z", "USD", {"cache_read": "0.044", "input": "1.32", "output": "3.96"}),
        ("openai/global/gpt-4o", "2024-05-13T00:00:00Z", "USD", {"input": "5", "output": "15"}),
        ("openai/global/gpt-4o", "2025-01-01T00:00:00Z", "USD", {"input": "2.5", "cache_read": "1.25", "output": "10"}),
        ("openai/global/o1", "2025-01-20T00:00:00Z", "USD", {"input": "15", "cache_read": "7.5", "output": "60"}),
    ],
)
def test_figures_of_the_price_war(book, name, at, currency, prices):
    (row,) = book.tariff(name).card(at=at, currency=currency).rows

    assert {meter: row.prices[meter] for meter in prices} == {meter: Decimal(price) for meter, price in prices.items()}


@pytest.mark.parametrize(
    ("name", "currency", "usage", "totals"),
    [
        ("alibaba/china/qwen-long", "CNY", (1_000, 0, 100), {"2024-05-20": "22000", "2024-05-22": "700"}),
        ("alibaba/china/qwen-max", "CNY", (1_000, 0, 100), {"2024-05-20": "132000", "2024-05-22": "52000"}),
        ("tencent/china/hunyuan-pro", "CNY", (1_000, 0, 100), {"2024-05-20": "110000", "2024-05-23": "40000"}),
        ("zhipu/china/glm-3-turbo", "CNY", (1_000, 0, 100), {"2024-05-10": "5500", "2024-05-12": "1100"}),
        ("deepseek/global/deepseek-chat", "CNY", (1_000, 0, 100), {"2024-05-10": "1200", "2024-05-22": "1200"}),
        ("bytedance/china/doubao-pro-32k", "CNY", (1_000, 0, 100), {"2024-05-16": "1000", "2024-06-16": "1000"}),
        ("deepseek/global/deepseek-reasoner", "USD", (30, 70, 10), {"2025-01-20": "48.2", "2025-02-20": "48.2"}),
        ("deepseek/global/deepseek-reasoner", "USD", (266_000, 342_000, 168_000), {"2025-02-01": "562100", "2025-02-26": "562100"}),
        ("deepseek/global/deepseek-v4-pro", "CNY", (200, 800, 100), {"2026-04-25": "5600", "2026-05-20": "1220"}),
    ],
)
def test_workloads_of_the_price_war(book, name, currency, usage, totals):
    """Millions of fresh, cached and completion tokens, before and after a move."""
    fresh, cached, completed = (count * MTOK for count in usage)
    for day, total in totals.items():
        used = tc.Usage(input=fresh, cache_read=cached, output=completed)
        assert book.cost(name, used, at=f"{day}T00:00:00Z", currency=currency) == Decimal(total)

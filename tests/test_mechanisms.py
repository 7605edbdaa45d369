"""Every pricing mechanism of docs/reference/mechanisms.md: its own lines are loaded, rated, and compared with a hand figure."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import tokencost as tc
from tokencost.tariffs.canonical import provider_text, tariff_text
from tokencost.tariffs.files import read_provider, read_tariff
from tokencost.tariffs.lint import lint_tables

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "mechanisms.md"
M = 1_000_000
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LATER = "2026-06-01T00:00:00Z"
HEADING = re.compile(r"^### ([A-Z]\d+)\. (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```toml *([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DATES = {"source": "page", "checked": date(2026, 11, 20)}
TOP = ("title", "publisher", "tiering", "tier_on", "vat", "version", "promo", "allowance")


def sections() -> dict[str, tuple[str, str]]:
    """The title and the text of every mechanism, by its code."""
    text = PAGE.read_text(encoding="utf-8").split("\n## Left out, in one place")[0]
    heads = list(HEADING.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head[1]: (head[2], text[head.end() : end]) for head, end in zip(heads, ends, strict=True)}


SECTIONS = sections()


def table(text: str) -> str:
    """A whole offering file around the lines of the page, in canonical form."""
    found = tomllib.loads(text, parse_float=Decimal)
    doc = {key: value for key, value in found.items() if key in TOP}
    rest = {key: value for key, value in found.items() if key not in TOP}
    doc.setdefault("version", [rest] if rest else [])
    for version in doc["version"]:
        for key, value in {"from": FIRST, "basis": "announced", **DATES}.items():
            version.setdefault(key, value)
    for promo in doc.get("promo", []):
        promo.update({"basis": "announced", **DATES})
    for allowance in doc.get("allowance", []):
        allowance.update(DATES)
    return tariff_text(read_tariff(doc, "acme/global/m", path="page"))


@pytest.fixture
def mechanism(tmp_path):
    """Write the lines of one mechanism as a folder of tables, check it, and open it as a book."""

    def load(code: str) -> tc.Book:
        provider = 'name = "Acme"\nkind = "publisher"\ndefault = "global"\n'
        for word, text in BLOCK.findall(SECTIONS[code][1]):
            if word == "provider":
                provider += text
            elif word == "calendar":
                write(tmp_path / "calendars" / "gazetted.toml", text)
            else:
                write(tmp_path / "acme" / f"{word or 'global/m'}.toml", table(text))
        made = read_provider(tomllib.loads(provider, parse_float=Decimal), "acme", path="page")
        write(tmp_path / "acme" / "provider.toml", provider_text(made))
        write(tmp_path / "acme" / "sources.toml", '[[source]]\nid   = "page"\nurl  = "https://example.org"\nkind = "official_page"\n')
        assert lint_tables(tmp_path) == []
        return tc.load_book(tmp_path)

    return load


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def cost(book: tc.Book, *, name: str = "acme/global/m", at: str = LATER, currency: str | None = None, **rest) -> str:
    """The total as text; `service_tier`, `mode` and `residency` choose, everything else counts."""
    choice = {key: rest.pop(key) for key in ("service_tier", "mode", "residency") if key in rest}
    usage = tc.Usage(**rest)
    total = book.cost(name, usage, at=at, currency=currency, **choice)
    assert book.quote(name, usage, at=at, currency=currency, **choice).total.amount == total
    return format(total, "f")


def test_c01_three_rates(mechanism):
    # 0.3 x 0.55 + 0.7 x 0.14 + 0.1 x 2.19
    assert cost(mechanism("C1"), input=300_000, cache_read=700_000, output=100_000) == "0.482"


def test_c02_automatic_cache(mechanism):
    book = mechanism("C2")
    assert cost(book, cache_read=M) == "0.32"
    assert cost(book, cache_write=M) == "0.8"
    assert book.quote("acme/global/m", tc.Usage(cache_write=M), at=LATER).lines[0].billed_as == "input"


def test_c03_two_kinds_of_cache(mechanism):
    # 3.125 + 0.5 + 0.25
    assert cost(mechanism("C3"), cache_write=M, cache_read=M, cache_read_explicit=M) == "3.875"


def test_c05_explicit_cache_with_fees(mechanism):
    # 100,000 tokens: create 2.4, keep for 5 minutes 100,000 x 10 / M x 5 = 5, ten hits 0.2, and 1,000 tokens of answer 0.012
    assert cost(mechanism("C5"), cache_write=100_000, cache_storage=100_000 * 300, cache_hit_request=10, output=1_000) == "7.612"


def test_c06_cache_storage(mechanism):
    book = mechanism("C6")
    day = M * 86_400
    assert cost(book, cache_storage=day, at="2026-02-01T00:00:00Z") == "0"
    assert cost(book, cache_storage=day, at="2026-03-01T00:00:00Z") == "0.408"  # 24 x 0.017


def test_c07_two_lifetimes(mechanism):
    assert cost(mechanism("C7"), cache_write=M, cache_write_1h=M) == "6"


def test_c08_fast_variant(mechanism):
    book = mechanism("C8")
    assert cost(book, input=M, cache_read=M, cache_write=M, output=M) == "14.2"
    assert cost(book, input=M, cache_read=M, cache_write=M, output=M, service_tier="fast") == "28.2"


def test_c09_bands_of_prompt_length(mechanism):
    book = mechanism("C9")
    assert cost(book, input=32_000, output=1_000) == "0.09"  # 0.08 + 0.01
    assert cost(book, input=32_001, output=1_000) == "0.144004"  # 0.128004 + 0.016
    with pytest.raises(tc.AboveListError):
        cost(book, input=256_001)


def test_c10_cached_price_stays(mechanism):
    book = mechanism("C10")
    assert cost(book, cache_read=10_000) == "0.0016"
    assert cost(book, cache_read=100_000) == "0.016"


def test_c11_bands_of_output_length(mechanism):
    book = mechanism("C11")
    assert cost(book, input=10_000, output=200) == "0.0216"  # 0.02 + 0.0016
    assert cost(book, input=10_000, output=201) == "0.032814"  # 0.03 + 0.002814
    assert cost(book, input=40_000, output=200) == "0.1632"  # 0.16 + 0.0032


def test_c12_inclusive_edges(mechanism):
    book = mechanism("C12")
    assert cost(book, input=31_999) == "0.095997"
    assert cost(book, input=32_000) == "0.128"


def test_c13_thinking_mode(mechanism):
    book = mechanism("C13")
    assert cost(book, output=M) == "2"
    assert cost(book, output=M, mode="thinking") == "8"
    assert cost(book, input=200_000, output=10_000, mode="thinking") == "0.72"  # 0.48 + 0.24


def test_c14_night_discount(mechanism):
    book = mechanism("C14")
    assert cost(book, output=M, at="2025-03-01T16:29:59Z") == "2.19"
    assert cost(book, output=M, at="2025-03-01T16:30:00Z") == "0.55"
    assert cost(book, output=M, at="2025-03-02T00:29:59Z") == "0.55"
    assert cost(book, output=M, at="2025-03-02T00:30:00Z") == "2.19"
    assert cost(book, output=M, at="2025-09-05T17:00:00Z") == "1.68"
    assert book.quote("m", tc.Usage(output=1), at="2025-03-01T17:00:00Z").evidence.decided == "completion"


def test_c15_peak_hours_and_holidays(mechanism):
    book = mechanism("C15")
    assert cost(book, output=M, at="2026-08-22T10:00:00+08:00") == "8"  # a Saturday, under the first edition
    assert cost(book, output=M, at="2026-08-29T10:00:00+08:00") == "4"  # a Saturday, under the second
    assert cost(book, output=M, at="2026-09-30T10:00:00+08:00") == "8"  # a Wednesday
    assert cost(book, output=M, at="2026-09-30T12:00:00+08:00") == "4"
    assert cost(book, output=M, at="2026-10-01T10:00:00+08:00") == "4"  # a holiday
    assert cost(book, output=M, at="2026-10-10T10:00:00+08:00") == "4"  # a Saturday worked in exchange
    with pytest.raises(tc.CalendarError):
        cost(book, output=M, at="2027-01-04T10:00:00+08:00")


def test_c16_clock_of_a_reseller(mechanism):
    book = mechanism("C16")
    assert cost(book, output=M, at="2026-08-29T21:59:00+08:00") == "3.96"
    assert cost(book, output=M, at="2026-08-29T22:00:00+08:00") == "1.98"


def test_c17_batch_without_cache_discount(mechanism):
    assert cost(mechanism("C17"), cache_read=M, service_tier="batch") == "1.25"


def test_c18_flex_and_priority(mechanism):
    book = mechanism("C18")
    assert cost(book, input=M, output=M, service_tier="flex") == "1.235"
    assert cost(book, input=M, output=M, service_tier="priority") == "4.3225"


def test_c19_promotion_with_an_end(mechanism):
    book = mechanism("C19")
    assert cost(book, output=M, at="2025-02-08T15:59:59Z") == "0.28"
    assert cost(book, output=M, at="2025-02-08T16:00:00Z") == "1.1"
    assert book.quote("m", tc.Usage(output=1), at="2025-02-08T00:00:00Z").lines[0].layer == "promo"


def test_c20_promotion_made_permanent(mechanism):
    book = mechanism("C20")
    assert cost(book, input=M, at="2026-05-31T15:58:59Z") == "0.435"
    assert cost(book, input=M, at="2026-05-31T15:59:00Z") == "0.435"
    assert book.quote("m", tc.Usage(input=1), at="2026-06-01T00:00:00Z").lines[0].layer == "list"


def test_c21_announced_and_withdrawn(mechanism):
    book = mechanism("C21")
    assert cost(book, input=M, at="2026-07-16T00:00:00Z") == "0.435"
    quote = book.quote("m", tc.Usage(input=M), at="2026-12-01T00:00:00Z")
    assert str(quote.total) == "0.66 USD"
    assert [type(warning) for warning in quote.warnings] == [tc.AnnouncedPriceWarning]


def test_c22_start_known_late(mechanism):
    quote = mechanism("C22").quote("m", tc.Usage(input=M), at="2026-10-01T00:00:00Z")
    assert (str(quote.total), quote.evidence.basis) == ("0.66 USD", "first_observed")
    assert [type(warning) for warning in quote.warnings] == [tc.UncertainDateWarning]


def test_c23_served_model_changes(mechanism):
    book = mechanism("C23")
    assert cost(book, name="flash", output=M, at="2026-02-01T00:00:00Z") == "0.42"
    assert book.quote("flash", tc.Usage(output=M), at=LATER).evidence.served == "V4-Flash"


def test_c24_retired_id(mechanism):
    book = mechanism("C24")
    assert cost(book, name="old-model", output=M, at="2026-08-01T00:00:00Z") == "0.28"
    with pytest.raises(tc.OutsideHistoryError):
        cost(book, name="old-model", output=M, at=LATER)


def test_c25_free_then_paid(mechanism):
    book = mechanism("C25")
    assert cost(book, input=M, output=M, at="2026-02-01T00:00:00Z") == "0"
    assert cost(book, input=M, output=M, at="2026-03-01T00:00:00Z") == "10.5"


def test_c26_modalities(mechanism):
    # 0.6 + 9 + 1.8 + 1.5 + 36, each a million tokens
    assert cost(mechanism("C26"), input=M, audio_input=M, audio_cache_read=M, image_input=M, audio_output=M) == "48.9"


def test_c27_other_meters(mechanism):
    # three searches 0.012, ten pages 0.015, 20,000 characters 1, half an hour 0.9, two images 0.12
    assert cost(mechanism("C27"), web_search=3, page=10, character_input=20_000, audio_s=1_800, image=2) == "2.047"


def test_c28_two_lists(mechanism):
    book = mechanism("C28")
    assert (cost(book, input=M), cost(book, input=M, currency="CNY")) == ("3", "20")
    with pytest.raises(tc.CurrencyError):
        cost(book, input=M, currency="EUR")


def test_c29_regional_lists(mechanism):
    book = mechanism("C29")
    assert str(book.quote("m", tc.Usage(input=M), at=LATER).total) == "1.20 USD"
    assert str(book.quote("acme/china/m", tc.Usage(input=M), at=LATER).total) == "2.50 CNY"


def test_c30_vat(mechanism):
    book = mechanism("C30")
    assert cost(book, input=M) == "3.18"
    assert book.tariff("m").law.vat == "included"


def test_c32_one_price(mechanism):
    assert cost(mechanism("C32"), input=600_000, output=400_000) == "12"


def test_c33_printed_rounding(mechanism):
    assert cost(mechanism("C33"), input=M) == "0.135"


def test_a01_cache_rates(mechanism):
    # 3 + 0.3 + 3.75 + 6
    assert cost(mechanism("A1"), input=M, cache_read=M, cache_write=M, cache_write_1h=M) == "13.05"


def test_a02_mixed_lifetimes(mechanism):
    # 0.1 x 6.25 + 0.2 x 10
    assert cost(mechanism("A2"), cache_write=100_000, cache_write_1h=200_000) == "2.625"


def test_a04_batch_multiplies(mechanism):
    book = mechanism("A4")
    # 300,000 tokens lie above the edge: 0.1 x 6 + 0.2 x 0.6, and ten searches 0.1
    assert cost(book, input=100_000, cache_read=200_000, web_search=10) == "0.82"
    assert cost(book, input=100_000, cache_read=200_000, web_search=10, service_tier="batch") == "0.46"  # 0.72 / 2 + 0.1
    assert cost(book, input=100_000, cache_read=200_000, service_tier="batch", residency="us") == "0.396"  # 0.36 x 1.1


def test_a05_long_context(mechanism):
    book = mechanism("A5")
    assert cost(book, input=100_000, cache_read=100_000, output=50_000, at="2026-04-01T00:00:00Z") == "1.08"  # 0.3 + 0.03 + 0.75
    assert cost(book, input=100_001, cache_read=100_000, output=50_000, at="2026-04-01T00:00:00Z") == "1.785006"  # 0.600006 + 0.06 + 1.125
    with pytest.raises(tc.AboveListError):
        cost(book, input=200_001, at="2026-05-01T00:00:00Z")


def test_a06_five_times(mechanism):
    book = mechanism("A6")
    assert cost(book, input=100_000, output=1_000) == "0.0105"
    assert cost(book, input=100_001, output=1_000) == "0.0525005"


def test_a07_fast_mode(mechanism):
    book = mechanism("A7")
    assert cost(book, input=M, cache_read=M, service_tier="fast") == "33"
    with pytest.raises(tc.NoRateError):
        cost(book, input=M, service_tier="fast", at="2026-07-24T00:00:00Z")
    with pytest.raises(tc.NoRateError):
        cost(book, input=M, service_tier="batch")


def test_a08_residency(mechanism):
    assert cost(mechanism("A8"), input=M, output=M, residency="us") == "33"


def test_a09_regional_endpoint(mechanism):
    book = mechanism("A9")
    assert (cost(book, name="m", input=M), cost(book, name="eu.m", input=M)) == ("3", "3.3")


def test_a10_thinking_as_output(mechanism):
    book = mechanism("A10")
    assert cost(book, output=200_000, reasoning=800_000) == "25"
    assert book.quote("m", tc.Usage(reasoning=1), at=LATER).lines[0].billed_as == "output"


def test_a12_tools(mechanism):
    book = mechanism("A12")
    # ten searches 0.1, five fetches free, a container of one minute billed as five: 0.05 / 12 of an hour
    assert cost(book, web_search=10, web_fetch=5) == "0.1"
    assert cost(book, container_s=60) == "0.004166666666666667"
    assert cost(book, container_s=7_200) == "0.1"
    quote = book.quote("m", tc.Usage(container_s=7_200), at=LATER)
    assert [type(warning) for warning in quote.warnings] == [tc.AllowanceNotice]


def test_a13_session_hours(mechanism):
    assert cost(mechanism("A13"), session_s=5_400) == "0.12"


def test_a14_rise_called_off(mechanism):
    assert cost(mechanism("A14"), input=M, output=M, at="2026-09-02T00:00:00Z") == "12"


def test_o01_cached_column(mechanism):
    assert cost(mechanism("O1"), input=500_000, cache_read=500_000) == "1.875"


def test_o03_paid_writes(mechanism):
    book = mechanism("O3")
    assert cost(book, cache_write=M, at=LATER) == "5"
    assert cost(book, cache_write=M, cache_write_12h=M, at="2026-07-09T00:00:00Z") == "18.75"


def test_o04_long_context_by_tier(mechanism):
    book = mechanism("O4")
    assert cost(book, input=272_000) == "0.68"
    assert cost(book, input=300_000) == "1.5"
    with pytest.raises(tc.AboveListError):
        cost(book, input=300_000, service_tier="priority")


def test_o05_batch_table(mechanism):
    assert cost(mechanism("O5"), cache_read=M, output=M, service_tier="batch") == "7.63"


def test_o06_flex_table(mechanism):
    book = mechanism("O6")
    assert cost(book, cache_read=M, service_tier="flex") == "0.138"
    assert cost(book, cache_read=M, service_tier="batch") == "0.55"


def test_o07_priority_table(mechanism):
    assert cost(mechanism("O7"), input=M, cache_read=M, output=M, service_tier="priority") == "23.375"


def test_o09_ultrafast(mechanism):
    book = mechanism("O9")
    assert cost(book, input=M, output=M, service_tier="ultrafast", at="2026-12-01T00:00:00Z") == "36"
    assert cost(book, input=M, output=M, service_tier="ultrafast", at="2027-03-01T00:00:00Z") == "72"


def test_o11_regional_processing(mechanism):
    book = mechanism("O11")
    assert (cost(book, input=M), cost(book, input=M, residency="us"), cost(book, input=M, residency="eu")) == ("2", "2.2", "2.2")


def test_o12_alias_moves(mechanism):
    book = mechanism("O12")
    assert cost(book, name="latest", input=M, at="2026-03-31T23:59:59Z") == "5"
    assert cost(book, name="latest", input=M, at="2026-04-01T00:00:00Z") == "2.5"
    assert cost(book, name="m-may", input=M, at="2026-04-01T00:00:00Z") == "5"


def test_o13_promised_until(mechanism):
    assert cost(mechanism("O13"), input=M, output=M, at="2026-12-01T00:00:00Z") == "24"


def test_o14_modalities_cached(mechanism):
    # 0.4 + 0.4 + 0.5 + 64
    assert cost(mechanism("O14"), cache_read=M, audio_cache_read=M, image_cache_read=M, audio_output=M) == "65.3"


def test_o15_live_session(mechanism):
    assert cost(mechanism("O15"), session_s=60) == "0.05"


def test_o16_web_search(mechanism):
    assert cost(mechanism("O16"), input=1_000, web_search=2) == "0.052"


def test_o17_file_search(mechanism):
    assert cost(mechanism("O17"), file_search=4) == "0.01"


def test_g01_inclusive_tier(mechanism):
    book = mechanism("G1")
    assert cost(book, input=100_000, cache_read=100_000, output=1_000) == "0.1475"  # 0.125 + 0.0125 + 0.01
    assert cost(book, input=100_000, cache_read=100_001, output=1_000) == "0.29000025"  # 0.25 + 0.02500025 + 0.015


def test_g02_batch_keeps_cache_price(mechanism):
    assert cost(mechanism("G2"), input=M, cache_read=M, output=M, service_tier="batch") == "1.43"


def test_g03_flex_and_priority_tables(mechanism):
    book = mechanism("G3")
    assert cost(book, input=M, output=M, service_tier="flex") == "1.4"
    assert cost(book, input=M, output=M, service_tier="priority") == "5.04"


def test_g04_storage_prorated(mechanism):
    book = mechanism("G4")
    assert cost(book, cache_storage=200_000 * 90 * 60) == "0.15"  # 0.2 M tokens for 1.5 hours at 0.5
    assert cost(book, cache_storage=200_000 * 90 * 60, at="2027-01-01T00:00:00Z") == "0.3"


def test_g06_uncertain_day(mechanism):
    book = mechanism("G6")
    before, after = (book.quote("m", tc.Usage(cache_read=M), at=at) for at in ("2025-10-01T00:00:00Z", "2025-12-01T00:00:00Z"))
    assert (str(before.total), str(after.total)) == ("0.075 USD", "0.03 USD")
    assert [type(w) for w in (*before.warnings, *after.warnings)] == [tc.UncertainDateWarning, tc.UncertainDateWarning]


def test_g07_introductory(mechanism):
    book = mechanism("G7")
    assert cost(book, input=M, output=M, at="2026-12-31T23:59:59Z") == "4.5"
    assert cost(book, input=M, output=M, at="2027-01-01T00:00:00Z") == "9"


def test_g08_thinking_rate(mechanism):
    book = mechanism("G8")
    assert cost(book, output=M) == "0.6"
    assert cost(book, output=500_000, reasoning=500_000, mode="thinking") == "3.5"


def test_g09_audio_apart(mechanism):
    assert cost(mechanism("G9"), input=M, audio_input=M, video_input=M) == "1.6"


def test_g10_grounding(mechanism):
    book = mechanism("G10")
    assert cost(book, web_search=3) == "0.042"
    notice = book.quote("m", tc.Usage(web_search=3), at=LATER).warnings[0]
    assert (notice.quantity, notice.per) == (5_000, "month")


def test_g11_maps(mechanism):
    assert cost(mechanism("G11"), maps_grounding=2) == "0.05"


def test_x01_inclusive_edge(mechanism):
    book = mechanism("X1")
    assert cost(book, input=199_999) == "0.399998"
    assert cost(book, input=200_000) == "0.8"


def test_x02_order_of_factors(mechanism):
    # long tier: 0.1 x 4 + 0.1 x 1, twice that
    assert cost(mechanism("X2"), input=100_000, cache_read=100_000, service_tier="priority") == "1"


def test_x03_batch_at_a_fifth_off(mechanism):
    assert cost(mechanism("X3"), input=M, cache_read=M, output=M, service_tier="batch") == "3.16"


def test_x06_fast_with_smaller_steps(mechanism):
    book = mechanism("X6")
    assert (cost(book, input=200_000), cost(book, input=200_001)) == ("0.8", "1.200006")


def test_x07_tools(mechanism):
    assert cost(mechanism("X7"), web_search=1, code_execution=1, x_search=2, attachment_search=1) == "0.03"


def test_m01_batch_and_region(mechanism):
    # (0.4 + 0.04) x 0.5 x 1.1
    assert cost(mechanism("M1"), input=M, cache_read=M, service_tier="batch", residency="eu") == "0.242"


def test_m02_euro_list(mechanism):
    assert cost(mechanism("M2"), input=M, output=M, currency="EUR") == "0.348"


def test_m03_free_launch(mechanism):
    book = mechanism("M3")
    assert cost(book, input=M, output=M, at="2026-03-10T23:59:59Z") == "0"
    assert cost(book, input=M, output=M, at="2026-03-11T00:00:00Z") == "0.4"


def test_m04_three_prices_in_a_month(mechanism):
    book = mechanism("M4")
    days = ("2026-10-19T00:00:00Z", "2026-10-20T00:00:00Z", "2026-10-29T00:00:00Z")
    assert [cost(book, output=M, at=day) for day in days] == ["2.09", "4.18", "2.1"]


def test_b03_discounts_do_not_combine(mechanism):
    assert cost(mechanism("B3"), input=M, cache_read=M, service_tier="batch") == "0.15"


def test_b04_minimum(mechanism):
    book = mechanism("B4")
    assert cost(book, audio_s=3) == cost(book, audio_s=10) == "0.000308333333333333"  # 0.111 / 360
    assert cost(book, audio_s=3_600) == "0.111"


def test_b05_routing(mechanism):
    book = mechanism("B5")
    assert cost(book, input=M, output=M, residency="us", at="2026-09-01T00:00:00Z") == "2.25"
    with pytest.raises(tc.NoRateError):
        cost(book, input=M, residency="us", at="2026-08-31T23:59:59Z")


def test_b07_search_context(mechanism):
    book = mechanism("B7")
    assert cost(book, web_search_low=1) == "0.005"
    assert cost(book, web_search_high=1, citation=10_000, reasoning=100_000) == "0.332"  # 0.012 + 0.02 + 0.3


def test_b08_contributor_price(mechanism):
    book = mechanism("B8")
    assert (cost(book, name="m", output=M), cost(book, name="m-contributor", output=M)) == ("4.25", "0.2")


def test_b09_rerank(mechanism):
    assert cost(mechanism("B9"), rerank_search=5, input=M, image_input=M) == "0.6"


def test_z01_graduated(mechanism):
    # 200,000 at 3 and 100,000 at 6; the answer at the tier in which the prompt ends
    assert cost(mechanism("Z1"), input=300_000, output=10_000) == "1.425"


def test_z02_tier_on_total(mechanism):
    book = mechanism("Z2")
    assert (cost(book, input=900, output=100), cost(book, input=900, output=101)) == ("0.0011", "0.002204")


@pytest.mark.parametrize("code", SECTIONS)
def test_every_mechanism_is_shown_or_named_as_left_out(code):
    """A section has lines with a test of this file, points at another section, or says what is left out."""
    title, text = SECTIONS[code]
    named = re.findall(r"^Test: \[(test_\w+)\]", text, re.MULTILINE)
    if BLOCK.search(text):
        assert len(named) == 1, f"{code} {title}: lines without a test"
        assert callable(globals().get(named[0]))
        assert named[0].startswith(f"test_{code[0].lower()}{int(code[1:]):02}_")
    else:
        others = [other for other in re.findall(r"\b([A-Z]\d+)\b", text) if other in SECTIONS]
        assert "**Left" in text or others, f"{code} {title}: neither lines, nor another section, nor a reason"


def test_every_test_of_a_mechanism_is_named_on_the_page():
    text = PAGE.read_text(encoding="utf-8")
    mine = [name for name in globals() if re.match(r"test_[a-z]\d\d_", name)]
    assert [name for name in mine if f"[{name}]" not in text] == []

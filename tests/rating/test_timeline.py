"""Timelines: which version, promotion, window and layer holds at an instant, to the microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

import tokencost as tc
from rating.agreement import error_of
from rating.draws import LAB
from tokencost.rating.timeline import Selection
from tokencost.tariffs.shelf import Shelf

MICROSECOND = timedelta(microseconds=1)
USAGE = tc.Usage(input=1_000_000)


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2025, month, number, hour, tzinfo=UTC)


def version(start: datetime, price: str, **keys) -> tc.Version:
    """A version with one USD row for input."""
    rates = keys.pop("rates", (tc.Rate(currency="USD", prices={"input": Decimal(price)}),))
    return tc.Version(**{"start": start, "basis": "announced", "source": "lab", "checked": date(2025, 6, 1), "rates": rates, **keys})


def tariff(*versions: tc.Version, **keys) -> tc.Tariff:
    return tc.Tariff(**{"id": "lab/rack/m", "publisher": "lab", "versions": versions, **keys})


def promo(start: datetime, until: datetime, **keys) -> tc.Promo:
    return tc.Promo(start=start, until=until, basis="announced", source="lab", checked=date(2025, 6, 1), **keys)


@pytest.fixture
def price(lab):
    """The price of a million tokens on a tariff at an instant, or the kind of error."""

    def at(law: tc.Tariff, instant: datetime, **selection: str) -> Decimal | type:
        book = lab.with_tariffs([law])
        error = error_of(lambda: book.cost(law.id, USAGE, at=instant, **selection))
        return book.cost(law.id, USAGE, at=instant, **selection) if error is None else type(error)

    return at


def test_versions_are_half_open_and_gaps_have_no_price(price):
    law = tariff(version(day(1, 1), "1"), version(day(2, 1), "2", until=day(3, 1)), version(day(4, 1), "4"))
    edges = [day(1, 1), day(2, 1), day(3, 1), day(4, 1)]
    before = [price(law, edge - MICROSECOND) for edge in edges]
    after = [price(law, edge) for edge in edges]
    assert before == [tc.OutsideHistoryError, 1, 2, tc.OutsideHistoryError]
    assert after == [1, 2, tc.OutsideHistoryError, 4]
    assert price(law, datetime(2100, 1, 1, tzinfo=UTC)) == 4


def test_a_gap_is_described_by_what_lies_around_it(lab):
    law = tariff(version(day(2, 1), "2", until=day(3, 1)), version(day(4, 1), "4"))
    with pytest.raises(
        tc.OutsideHistoryError, match="the price until 2025-03-01T00:00:00Z and from 2025-04-01T00:00:00Z on is known, not in between"
    ):
        lab.with_tariffs([law]).cost(law.id, USAGE, at=day(3, 15))
    with pytest.raises(tc.OutsideHistoryError, match="known prices run from 2025-02-01T00:00:00Z to now") as caught:
        lab.with_tariffs([law]).cost(law.id, USAGE, at=day(1, 15))
    assert (caught.value.first, caught.value.until) == (day(2, 1), None)


def test_a_withdrawn_version_rates_nothing_and_ends_nothing(price):
    law = tariff(version(day(1, 1), "1"), version(day(2, 1), "9", status="withdrawn"), version(day(3, 1), "3", status="announced"))
    assert [price(law, at) for at in (day(1, 15), day(2, 15), day(3, 15))] == [1, 1, 3]


def test_a_promotion_lies_above_the_list_and_gives_it_back(price):
    law = tariff(version(day(1, 1), "1"), version(day(2, 15), "3"), promos=(promo(day(2, 1), day(3, 1), multiply=Decimal("0.25")),))
    edges = [day(2, 1), day(2, 15), day(3, 1)]
    assert [price(law, edge - MICROSECOND) for edge in edges] == [1, Decimal("0.25"), Decimal("0.75")]
    assert [price(law, edge) for edge in edges] == [Decimal("0.25"), Decimal("0.75"), 3]


def test_a_promotion_of_one_choice_leaves_the_others_at_the_list(price):
    rates = (
        tc.Rate(currency="USD", prices={"input": Decimal(1)}),
        tc.Rate(currency="USD", service_tier="batch", prices={"input": Decimal("0.5")}),
        tc.Rate(currency="CNY", prices={"input": Decimal(7)}),
    )
    half_off = tc.Rate(currency="USD", prices={"input": Decimal("0.6")})
    law = tariff(version(day(1, 1), "1", rates=rates), promos=(promo(day(2, 1), day(3, 1), rates=(half_off,)),))
    assert price(law, day(2, 2)) == Decimal("0.6")
    assert price(law, day(2, 2), service_tier="batch") == Decimal("0.5")
    assert price(law, day(2, 2), currency="CNY") == 7


@pytest.mark.parametrize(("promoted", "plain", "thinking"), [("thinking", 1, 2), (None, 2, 1), ("any", 2, 2)])
def test_a_promotion_of_one_mode_leaves_the_other_of_a_row_for_both(price, promoted, plain, thinking):
    rates = (
        tc.Rate(currency="USD", mode="any", prices={"input": Decimal(1)}),
        tc.Rate(currency="USD", service_tier="batch", mode="thinking", prices={"input": Decimal(5)}),
    )
    row = tc.Rate(currency="USD", mode=promoted, prices={"input": Decimal(2)})
    law = tariff(version(day(1, 1), "1", rates=rates), promos=(promo(day(2, 1), day(3, 1), rates=(row,)),))
    assert (price(law, day(2, 2)), price(law, day(2, 2), mode="thinking")) == (plain, thinking)


def test_a_promotion_may_name_meters_and_covers_their_parts(lab):
    row = tc.Rate(currency="USD", prices={"input": Decimal(4), "cache_read": Decimal(1), "output": Decimal(8), "reasoning": Decimal(6)})
    law = tariff(version(day(1, 1), "1", rates=(row,)), promos=(promo(day(2, 1), day(3, 1), multiply=Decimal("0.5"), meters=("input",)),))
    card = lab.with_tariffs([law]).tariff(law.id).card(at=day(2, 2))
    assert card.rows[0].prices == {"input": Decimal(2), "cache_read": Decimal("0.5"), "output": Decimal(8), "reasoning": Decimal(6)}


def windowed(schedule: str, **keys) -> tc.Tariff:
    rates = tuple(tc.Rate(currency="USD", window=w, prices={"input": Decimal(p)}) for w, p in (("peak", 2), ("off_peak", 1)))
    return tariff(version(day(1, 1), "0", schedule=schedule, rates=rates, **keys))


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (day(6, 28, 1), 2),  # a Saturday, 09:00 in Shanghai, while every day counts
        (day(6, 28, 4), 1),  # 12:00: half-open
        (day(6, 28, 4) - MICROSECOND, 2),
        (day(6, 28, 1) - MICROSECOND, 1),
        (day(6, 30, 6), 2),  # a Monday under the first edition, 14:00
        (day(6, 30, 16) - MICROSECOND, 1),
        (day(7, 1, 1), 2),  # a Tuesday under the second edition
        (day(7, 4, 1), 1),  # a Friday off
        (day(7, 5, 1), 1),  # a Saturday
        (day(7, 7, 9), 2),  # a Monday, 17:00
        (day(7, 7, 10), 1),
    ],
)
def test_the_editions_of_a_schedule_take_over_from_each_other(price, instant, expected):
    assert price(windowed("office"), instant) == expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (datetime(2025, 2, 1, 3, 30, tzinfo=UTC), 1),  # Friday 22:30 in New York
        (datetime(2025, 2, 1, 3, 29, 59, 999_999, tzinfo=UTC), 2),
        (datetime(2025, 2, 1, 11, 14, 59, tzinfo=UTC), 1),  # Saturday 06:14, begun on Friday
        (datetime(2025, 2, 1, 11, 15, tzinfo=UTC), 2),
        (datetime(2025, 2, 5, 4, 0, tzinfo=UTC), 2),  # Tuesday 23:00: no night begins on a Tuesday
        (datetime(2025, 2, 6, 4, 0, tzinfo=UTC), 1),  # Wednesday 23:00
        (datetime(2025, 7, 12, 2, 30, tzinfo=UTC), 1),  # Friday 22:30 in summer time
        (datetime(2025, 7, 5, 2, 30, tzinfo=UTC), 2),  # Friday 4 July: the day on which the night would begin is off
        (datetime(2025, 7, 4, 3, 30, tzinfo=UTC), 2),  # Thursday
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(price, instant, expected):
    assert price(windowed("night"), instant) == expected


def test_a_calendar_that_has_run_out_is_an_error_only_where_it_matters(price):
    law = windowed("office")
    assert price(law, datetime(2026, 2, 2, 0, 0, tzinfo=UTC)) == 1  # 08:00 on a Monday, outside any window
    assert price(law, datetime(2026, 2, 1, 2, 0, tzinfo=UTC)) == 1  # a Sunday
    assert price(law, datetime(2026, 2, 2, 2, 0, tzinfo=UTC)) is tc.CalendarError


SHORT = """
name = "Lab"
kind = "publisher"
default = "rack"

[[schedule]]
id = "short"
from = 2025-01-01T00:00:00Z
until = 2025-02-01T00:00:00Z
timezone = "UTC"
default = "peak"
windows = [ { window = "off_peak", hours = "00:00-06:00" } ]
source = "lab"
checked = 2025-01-01
"""
OF_SHORT = """
[[version]]
from = 2025-01-01T00:00:00Z
basis = "announced"
source = "lab"
checked = 2025-01-01
schedule = "short"
rates = [ { currency = "USD", window = "off_peak", input = 1.0 }, { currency = "USD", window = "peak", input = 2.0 } ]
"""


def test_a_schedule_that_has_ended_gives_no_price(tmp_path):
    """A table that nobody checked outlives its schedule: an error that names the schedule, never a guess."""
    for path, text in {"lab/provider.toml": SHORT, "lab/sources.toml": LAB["lab/sources.toml"], "lab/rack/m.toml": OF_SHORT}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    book = tc.Book(Shelf(tmp_path, trusted=True))
    assert [book.cost("lab/rack/m", USAGE, at=day(1, 31, hour)) for hour in (5, 6)] == [1, 2]
    for call in (book.cost, book.quote):
        with pytest.raises(tc.OutsideHistoryError, match="schedule 'short' has no edition from 2025-02-01T00:00:00Z on"):
            call("lab/rack/m", USAGE, at=day(2, 1))
    with pytest.raises(tc.TableError, match="schedule 'short' has no edition from 2025-02-01T00:00:00Z on"):
        tc.load_book(tmp_path).cost("lab/rack/m", USAGE, at=day(1, 31))


def test_a_dated_alias_prices_by_its_piece(book):
    """mistral-large-latest has meant four models; the price follows the piece, to the microsecond."""
    usage = tc.Usage(input=1_000_000)
    pieces = book.resolve("mistral-large-latest").pieces
    assert len(pieces) >= 4
    for piece in pieces:
        for at in (piece.start, piece.start + timedelta(days=1), piece.until and piece.until - MICROSECOND):
            if at is None or error_of(lambda at=at, p=piece: book.cost(p.offering, usage, at=at)) is not None:
                continue
            quote = book.quote("mistral-large-latest", usage, at=at)
            assert quote.offering == piece.offering
            assert quote.total.amount == book.cost(piece.offering, usage, at=at) == book.cost("mistral-large-latest", usage, at=at)
            assert (quote.name, quote.rule) == ("mistral-large-latest", "alias")
    with pytest.raises(tc.OutsideHistoryError):
        book.cost("mistral-large-latest", usage, at=pieces[0].start - MICROSECOND)


def test_an_alias_for_a_time_has_no_price_after_it(book):
    at = tc.to_instant("2025-09-29T00:00:00Z")
    assert book.cost("deepseek-v3.1", USAGE, at=at - MICROSECOND) == Decimal("0.56")
    with pytest.raises(tc.OutsideHistoryError, match="known prices run from 2025-08-21T00:00:00Z to 2025-09-29T00:00:00Z"):
        book.cost("deepseek-v3.1", USAGE, at=at)


@pytest.mark.parametrize("word", ["bach", "standrad", "Batch", "", "half"])
def test_a_service_tier_that_does_not_exist_is_never_the_standard_price(book, word):
    with pytest.raises(tc.UnknownNameError, match=f"no service tier {word!r} in standard, batch, flex, priority, fast, ultrafast"):
        book.cost("gpt-4o", USAGE, at="2025-06-01T00:00:00Z", service_tier=word)


@pytest.mark.parametrize("word", ["think", "reasoning", "any", "none", ""])
def test_a_mode_that_does_not_exist_is_never_the_plain_price(book, word):
    with pytest.raises(tc.UnknownNameError, match=f"no mode {word!r} in thinking"):
        book.cost("alibaba/global/qwen-plus", USAGE, at="2026-03-01T00:00:00Z", mode=word)


def test_a_selection_is_checked_before_anything_is_priced():
    assert Selection("USD", "batch", "thinking", "us", "acme").checked() == ("USD", "batch", "thinking", "us", "acme")
    with pytest.raises(tc.MoneyError):
        Selection("dollars").checked()


def test_residency_multiplies_every_service_tier(price):
    factors = (tc.Adjustment(service_tier="batch", multiply=Decimal("0.5")), tc.Adjustment(residency="us", multiply=Decimal("1.1")))
    law = tariff(version(day(1, 1), "3", adjustments=factors))
    found = {
        (tier, place): price(law, day(2, 1), service_tier=tier, residency=place) for tier in ("standard", "batch") for place in (None, "us")
    }
    assert found == {
        ("standard", None): 3,
        ("standard", "us"): Decimal("3.3"),
        ("batch", None): Decimal("1.5"),
        ("batch", "us"): Decimal("1.65"),
    }
    assert price(law, day(2, 1), residency="eu") is tc.NoRateError
    assert price(law, day(2, 1), service_tier="flex", residency="us") is tc.NoRateError


def test_a_row_without_mode_means_any_mode_unless_thinking_is_priced_apart(price):
    plain = tariff(version(day(1, 1), "1"))
    assert price(plain, day(2, 1), mode="thinking") == 1
    rows = tuple(tc.Rate(currency="USD", mode=mode, prices={"input": Decimal(p)}) for mode, p in ((None, 1), ("thinking", 4)))
    split = tariff(version(day(1, 1), "1", rates=rows))
    assert (price(split, day(2, 1)), price(split, day(2, 1), mode="thinking")) == (1, 4)


def test_layers_and_allowances_cut_the_history_too(lab):
    """Every boundary of whatever lies above the list starts a new segment, so that notices are right on both sides."""
    allowance = tc.Allowance(
        meter="input", quantity=5, per="month", start=day(3, 1), until=day(4, 1), source="lab", checked=date(2025, 6, 1)
    )
    law = tariff(version(day(1, 1), "1"), allowances=(allowance,))
    book = lab.with_tariffs([law]).with_layers([tc.Contract("c", percent=-50, start=day(2, 1), until=day(5, 1))])
    line = book.timeline(law.id)
    assert [span.start for span in line.spans] == [day(1, 1), day(2, 1), day(3, 1), day(4, 1), day(5, 1)]
    told = [[type(w).__name__ for w in book.quote(law.id, USAGE, at=at).warnings] for at in (day(2, 15), day(3, 15), day(4, 15))]
    assert told == [[], ["AllowanceNotice"], []]

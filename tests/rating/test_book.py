"""The book: totals, and their errors, against a second opinion."""

from __future__ import annotations

import decimal
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
import tokencost as tc
from rating.agreement import agree, error_of, sum_of_lines
from rating.draws import choice_at, counts_for, instants_for, tariffs
from rating.oracle import Wanted
from tokencost.exact import EXACT

HOURLY = {name for name, meter in tc.METERS.items() if meter.per % 3_600 == 0}
R1 = "deepseek/global/deepseek-reasoner"
BEFORE_THE_NIGHT_PRICE = "2025-02-01T12:00:00Z"


@given(data=st.data())
def test_drawn_tariffs_cost_what_the_oracle_says(lab, data):
    tariff = data.draw(tariffs())
    book = lab.with_tariffs([tariff])
    at = data.draw(instants_for(tariff))
    agree(book, tariff, data.draw(counts_for(tariff)), at, choice_at(data, tariff, at))


@pytest.fixture(scope="session")
def acme(tmp_path_factory) -> tc.Book:
    """A book with the provider that the common strategies draw tariffs for."""
    return tc.load_book(strategies.write_tables(tmp_path_factory.mktemp("acme_tables")))


@given(data=st.data())
def test_tariffs_of_the_common_strategies_cost_what_the_oracle_says(acme, data):
    """Gaps, withdrawn and announced versions, a schedule of three windows, mixed edges inside one ladder."""
    tariff = data.draw(strategies.tariffs())
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)
    agree(acme.with_tariffs([tariff]), tariff, data.draw(counts_for(tariff)), at, wanted)


ANY_CHOICE = st.builds(
    Wanted,
    st.sampled_from(["USD", "CNY"]),
    st.sampled_from(["standard", "batch", "fast"]),
    st.sampled_from([None, "thinking"]),
    st.sampled_from([None, "us", "eu"]),
)


@given(data=st.data(), wanted=ANY_CHOICE)
def test_drawn_tariffs_refuse_what_the_oracle_refuses(lab, data, wanted):
    tariff = data.draw(tariffs())
    agree(lab.with_tariffs([tariff]), tariff, data.draw(counts_for(tariff)), data.draw(instants_for(tariff)), wanted)


@given(data=st.data())
def test_cost_is_additive_where_no_tier_is_crossed(lab, data):
    """The sum of many quotes is the quote of the sum, to the last digit; the order of requests and buckets does not matter."""
    tariff = data.draw(tariffs(linear=True))
    book = lab.with_tariffs([tariff])
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)
    requests = [{k: n for k, n in data.draw(counts_for(tariff)).items() if k not in HOURLY} for _ in range(data.draw(st.integers(1, 5)))]

    def cost(usage: tc.Usage) -> Decimal:
        return book.cost(tariff.id, usage, at=at, **wanted._asdict())

    usages = [usage for usage in map(tc.Usage.of, requests) if error_of(lambda usage=usage: cost(usage)) is None]
    if not usages:
        return
    whole = cost(sum(usages, tc.Usage()))
    total = Decimal(0)
    for usage in data.draw(st.permutations(usages)):
        total = EXACT.add(total, cost(tc.Usage.of(dict(reversed(usage.counts.items())))))
    assert total == whole
    assert cost(usages[0] * 1_000_000) == EXACT.multiply(cost(usages[0]), 1_000_000)


def test_a_million_small_calls_cost_what_one_large_call_does(book):
    """9 x 0.15 + 2 x 0.60 = 2.55 USD for a million calls of 9 and 2 tokens; sums of binary floats are off at the eleventh decimal."""
    small = tc.Usage(input=9, output=2)
    one = book.cost("gpt-4o-mini", small, at="2025-06-01T00:00:00Z")
    assert one == Decimal("0.00000255")
    assert one * 1_000_000 == Decimal("2.55")
    assert sum([one] * 100_000) * 10 == Decimal("2.55")
    assert book.cost("gpt-4o-mini", small * 1_000_000, at="2025-06-01T00:00:00Z") == Decimal("2.55")


@given(data=st.data())
def test_the_total_does_not_depend_on_the_decimal_context(lab, data):
    """A caller's context of three digits changes no digit of a price."""
    tariff = data.draw(tariffs())
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)
    usage = tc.Usage.of(data.draw(counts_for(tariff)))
    layers = [tc.Contract("c", percent="-12.3456789"), tc.Markup("m", percent="0.0000001")]

    def outcome() -> object:
        book = lab.with_tariffs([tariff]).with_layers(layers)
        return error_of(lambda: book.cost(tariff.id, usage, at=at, **wanted._asdict())) or book.quote(
            tariff.id, usage, at=at, **wanted._asdict()
        )

    usual = outcome()
    with decimal.localcontext(decimal.Context(prec=3, Emax=9, Emin=-9, traps=[decimal.Inexact])):
        assert outcome() == usual


AWAY = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    "at",
    [
        "2025-03-01T17:00:00Z",
        "2025-03-01t17:00:00+00:00",
        " 2025-03-02 01:00:00+08:00 ",
        datetime(2025, 3, 1, 17, tzinfo=UTC),
        datetime(2025, 3, 2, 1, tzinfo=AWAY),
    ],
)
def test_an_instant_is_the_same_however_it_is_written(book, at):
    usage = tc.Usage(input=1_000_000)
    assert book.cost(R1, usage, at=at) == Decimal("0.135")
    quote = book.quote(R1, usage, at=at)
    assert (quote.total, quote.window, quote.at) == (tc.Money("0.135", "USD"), "off_peak", datetime(2025, 3, 1, 17, tzinfo=UTC))


class _Nowhere(timezone.__base__):
    """A time zone that does not know its offset."""

    def utcoffset(self, dt):  # noqa: ARG002
        return None

    def dst(self, dt):  # noqa: ARG002
        return None

    def tzname(self, dt):  # noqa: ARG002
        return None


WRONG = {
    "unknown model": (tc.UnknownNameError, {"name": "deepseek-reasonr"}),
    "no text": (tc.UnknownNameError, {"name": None}),
    "reseller only": (tc.AmbiguousNameError, {"name": "llama-3.3-70b-versatile"}),
    "before the history": (tc.OutsideHistoryError, {"at": "2024-12-01T00:00:00Z"}),
    "after the history": (tc.OutsideHistoryError, {"at": "2026-11-01T00:00:00Z"}),
    "service tier misspelt": (tc.UnknownNameError, {"service_tier": "batchh"}),
    "service tier none": (tc.UnknownNameError, {"service_tier": None}),
    "service tier in capitals": (tc.UnknownNameError, {"service_tier": "Batch"}),
    "service tier not sold": (tc.NoRateError, {"service_tier": "batch"}),
    "mode misspelt": (tc.UnknownNameError, {"mode": "think"}),
    "residency not sold": (tc.NoRateError, {"residency": "us"}),
    "currency not listed": (tc.CurrencyError, {"currency": "EUR"}),
    "currency misspelt": (tc.MoneyError, {"currency": "usd"}),
    "unpriced meter": (tc.UnpricedMeterError, {"usage": tc.Usage(input=1, web_search=1)}),
    "naive": (tc.InstantError, {"at": datetime(2025, 2, 1)}),  # noqa: DTZ001 - naive on purpose
    "naive text": (tc.InstantError, {"at": "2025-02-01T00:00:00"}),
    "half aware": (tc.InstantError, {"at": datetime(2025, 2, 1, tzinfo=_Nowhere())}),
    "a date": (tc.InstantTypeError, {"at": datetime(2025, 2, 1, tzinfo=UTC).date()}),
    "a date in text": (tc.InstantTypeError, {"at": "2025-02-01"}),
    "a number": (tc.InstantTypeError, {"at": 1738368000}),
    "no instant": (tc.InstantTypeError, {"at": None}),
    "no such day": (tc.InstantError, {"at": "2025-02-30T00:00:00Z"}),
    "before the calendar": (tc.InstantError, {"at": datetime(1, 1, 1, tzinfo=AWAY)}),
    "after the calendar": (tc.InstantError, {"at": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-8)))}),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_cost_and_quote_refuse_alike(book, case, warm):
    """The same error, fact for fact, whether or not the name has been priced before."""
    kind, change = WRONG[case]
    fresh = book.with_layers([])
    call = {"name": R1, "usage": tc.Usage(input=1), "at": BEFORE_THE_NIGHT_PRICE, **change}
    if warm:
        fresh.cost(R1, tc.Usage(input=1), at=BEFORE_THE_NIGHT_PRICE)
        fresh.quote(R1, tc.Usage(input=1), at=BEFORE_THE_NIGHT_PRICE)
    cost, quote = error_of(lambda: fresh.cost(**call)), error_of(lambda: fresh.quote(**call))
    assert type(cost) is kind
    assert cost == quote
    assert pickle.loads(pickle.dumps(cost)) == cost


def test_an_unknown_name_suggests_the_nearest(book):
    with pytest.raises(tc.UnknownNameError, match="did you mean 'deepseek-reasoner'") as caught:
        book.cost("deepseek-reasonr", tc.Usage(input=1), at=BEFORE_THE_NIGHT_PRICE)
    assert caught.value.name == "deepseek-reasonr"
    assert caught.value.suggestions[0] == "deepseek-reasoner"


def test_a_missing_rate_names_what_there_is(book):
    with pytest.raises(tc.NoRateError, match="no rate for USD, batch at 2025-02-01T12:00:00Z; its list has USD, standard") as caught:
        book.cost(R1, tc.Usage(input=1), at=BEFORE_THE_NIGHT_PRICE, service_tier="batch")
    assert (caught.value.offering, caught.value.at) == (R1, datetime(2025, 2, 1, 12, tzinfo=UTC))
    assert caught.value.asked.service_tier == "batch"
    assert [choice.service_tier for choice in caught.value.available] == ["standard"]


def test_an_unpriced_bucket_names_what_is_priced(book):
    with pytest.raises(
        tc.UnpricedMeterError, match="no rate for web_search_low or web_search in USD; it prices input, cache_read, output"
    ) as caught:
        book.cost(R1, tc.Usage(input=1, web_search_low=1), at=BEFORE_THE_NIGHT_PRICE)
    assert (caught.value.offering, caught.value.meter, caught.value.priced) == (R1, "web_search_low", ("input", "cache_read", "output"))


def test_an_instant_outside_the_history_names_what_is_covered(book):
    with pytest.raises(tc.OutsideHistoryError, match="known prices run from 2025-01-20T00:00:00Z to 2026-07-24T15:59:00Z") as caught:
        book.cost(R1, tc.Usage(input=1), at="2025-01-19T23:59:59.999999Z")
    assert caught.value.first == datetime(2025, 1, 20, tzinfo=UTC)
    assert caught.value.until == datetime(2026, 7, 24, 15, 59, tzinfo=UTC)
    assert caught.value.at == datetime(2025, 1, 19, 23, 59, 59, 999_999, tzinfo=UTC)


def test_empty_usage_costs_nothing_everywhere(book):
    """No bucket, no cost: also on graduated and windowed tariffs."""
    assert book.cost(R1, tc.Usage(), at=BEFORE_THE_NIGHT_PRICE) == 0
    quote = book.quote(R1, tc.Usage(), at=BEFORE_THE_NIGHT_PRICE)
    assert (quote.total, quote.lines) == (tc.Money(0, "USD"), ())


def test_one_list_is_quoted_in_its_own_currency_and_two_in_the_preferred_one(book):
    usage, at = tc.Usage(output=1_000_000), BEFORE_THE_NIGHT_PRICE
    assert book.quote(R1, usage, at=at).total == tc.Money("2.19", "USD")
    assert book.with_currency("CNY").quote(R1, usage, at=at).total == tc.Money(16, "CNY")
    assert book.quote(R1, usage, at=at, currency="CNY").total == tc.Money(16, "CNY")
    assert book.with_currency("CNY").quote("gpt-4o", usage, at=at).total == tc.Money(10, "USD")
    with pytest.raises(tc.CurrencyError, match="has no EUR list at 2025-02-01T12:00:00Z, only USD, CNY") as caught:
        book.with_currency("EUR").cost(R1, usage, at=at)
    assert (caught.value.asked, caught.value.available) == ("EUR", ("USD", "CNY"))


def test_a_missing_list_that_another_endpoint_has_is_pointed_out(book):
    with pytest.raises(tc.CurrencyError, match="alibaba/global/qwen-plus has one"):
        book.cost("alibaba/china/qwen-plus", tc.Usage(input=1), at="2026-01-01T00:00:00Z", currency="USD")


RATES = tc.ExchangeTable(
    [
        (datetime(2025, 1, 31, tzinfo=UTC).date(), "USD", "EUR", "0.96", "a bank"),
        (datetime(2025, 1, 31, tzinfo=UTC).date(), "USD", "CNY", "7.25", "a bank"),
    ]
)


@pytest.mark.parametrize("prefer", ["USD", "CNY", "EUR"])
def test_conversion_starts_from_a_list_and_shows_its_rate(book, prefer):
    """Into EUR from the preferred list, or from the first where the preferred one is missing; CNY has no rate to EUR here."""
    preferring = book.with_currency(prefer)
    call = {"at": BEFORE_THE_NIGHT_PRICE, "currency": "EUR", "fx": RATES}
    if prefer == "CNY":
        with pytest.raises(tc.CurrencyError, match="no exchange rate from CNY to EUR"):
            preferring.quote(R1, tc.Usage(output=1_000_000), **call)
        return
    quote = preferring.quote(R1, tc.Usage(output=1_000_000), **call)
    assert quote.total == tc.Money("2.1024", "EUR")  # 2.19 x 0.96
    assert quote.native == tc.Money("2.19", "USD")
    assert (quote.converted.rate.rate, quote.converted.rate.source) == (Decimal("0.96"), "a bank")
    assert quote.currency == "EUR"
    assert sum_of_lines(quote) == Decimal("2.19")
    assert "at 0.96 EUR per USD of 2025-01-31 (a bank)" in str(quote)


def test_a_list_beats_a_conversion(book):
    quote = book.quote(R1, tc.Usage(output=1_000_000), at=BEFORE_THE_NIGHT_PRICE, currency="CNY", fx=RATES)
    assert (quote.total, quote.converted) == (tc.Money(16, "CNY"), None)


@given(data=st.data())
def test_a_pickled_book_prices_alike(lab, data):
    tariff = data.draw(tariffs())
    book = lab.with_tariffs([tariff]).with_layers([tc.Markup("m", percent=10, start="2025-03-01T00:00:00Z")])
    again = pickle.loads(pickle.dumps(book))
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)._asdict()
    usage = tc.Usage.of(data.draw(counts_for(tariff)))
    expected = error_of(lambda: book.quote(tariff.id, usage, at=at, **wanted))
    if expected is None:
        assert again.quote(tariff.id, usage, at=at, **wanted) == book.quote(tariff.id, usage, at=at, **wanted)
    else:
        assert error_of(lambda: again.quote(tariff.id, usage, at=at, **wanted)) == expected
    assert again.fingerprint == book.fingerprint


def test_the_fingerprint_follows_the_content(lab):
    row = tc.Rate(currency="USD", prices={"input": Decimal(1)})
    start = datetime(2025, 1, 1, tzinfo=UTC)
    version = tc.Version(start=start, basis="announced", source="lab", checked=start.date(), rates=(row,))
    one = lab.with_tariffs([tc.Tariff(id="lab/rack/m", publisher="lab", versions=(version,))])
    dearer = tc.Version(
        start=start, basis="announced", source="lab", checked=start.date(), rates=(tc.Rate(currency="USD", prices={"input": Decimal(2)}),)
    )
    other = lab.with_tariffs([tc.Tariff(id="lab/rack/m", publisher="lab", versions=(dearer,))])
    prints = {book.fingerprint for book in (lab, one, other, one.with_layers([tc.Markup("m", percent=1)]))}
    assert len(prints) == 4
    assert one.with_currency("CNY").fingerprint == one.fingerprint


def test_books_do_not_share_what_they_add(lab):
    """`with_tariffs` and `with_layers` make new books and leave the old one alone."""
    mine = tc.self_hosted("lab/rack/mine", gpu_hour=1, tokens_per_second={"output": 1_000}, start="2025-01-01T00:00:00Z")
    more = lab.with_tariffs([mine])
    assert more.ids == ("lab/rack/mine",)
    assert lab.ids == ()
    layered = more.with_layers([tc.Markup("m", percent=100)])
    usage, at = tc.Usage(output=1_000_000), "2025-02-01T00:00:00Z"
    assert layered.cost("lab/rack/mine", usage, at=at) == 2 * more.cost("lab/rack/mine", usage, at=at)
    assert layered.with_layers([]).cost("lab/rack/mine", usage, at=at) == more.cost("lab/rack/mine", usage, at=at)


def test_a_folder_that_does_not_exist_is_no_book():
    with pytest.raises(tc.TableError, match="no folder of price tables at '/nowhere/at/all'"):
        tc.load_book("/nowhere/at/all")
    with pytest.raises(tc.MoneyError):
        tc.load_book(currency="dollars")

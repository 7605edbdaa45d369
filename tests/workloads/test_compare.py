"""Comparisons: order, baseline, currencies, what has no price, and how it all is shown."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

import tokencost as tc
from workloads.slow import slow_bill, trace_of

AT = "2025-02-01T00:00:00Z"
MILLION = tc.Usage(input=10**6, output=10**6)
R1, GPT, O1 = "deepseek/global/deepseek-reasoner", "openai/global/gpt-4o", "openai/global/o1"
FX = tc.ExchangeTable([(date(2025, 1, 31), "USD", "CNY", "7.25", "central parity")])


def _totals(result):
    return [(row.offering, None if row.total is None else str(row.total)) for row in result.rows]


@pytest.fixture
def priced(book):
    """A function that adds offerings to the book: name to price of input, of output, and more about the tariff."""

    def add(**prices):
        made = []
        for name, (start, currency, cells, *more) in prices.items():
            rates = tuple(
                tc.Rate(
                    currency=currency, prices={meter: Decimal(price) for meter, price in cell.items() if meter in tc.METERS}, **_edges(cell)
                )
                for cell in cells
            )
            fields = dict(*more)
            version = tc.Version(
                start=tc.to_instant(start),
                basis="announced",
                source="s",
                checked=date(2025, 1, 1),
                rates=rates,
                minimum=fields.pop("minimum", {}),
            )
            made.append(tc.Tariff(id=f"lab/rack/{name}", publisher="lab", versions=(version,), **fields))
        return book.with_tariffs(made)

    return add


def _edges(cell):
    return {key: value for key, value in cell.items() if key not in tc.METERS}


def test_cheapest_first(book):
    result = tc.compare(MILLION, ["o1", "gpt-4o", "deepseek-reasoner"], at=AT, book=book)

    assert _totals(result) == [(R1, "2.74 USD"), (GPT, "12.50 USD"), (O1, "75.00 USD")]
    assert [row.name for row in result.rows] == ["deepseek-reasoner", "gpt-4o", "o1"]
    assert [row.to_cheapest for row in result.rows] == [tc.Money(0, "USD"), tc.Money("9.76", "USD"), tc.Money("72.26", "USD")]
    assert (result.at, result.currency, result.requests, result.tokens) == (tc.to_instant(AT), "USD", 1, 2 * 10**6)


def test_equal_totals_stand_in_the_order_of_their_ids(book):
    names = ["o3", "openai/global/gpt-4.1"]
    result = tc.compare(MILLION, names, at="2025-09-01T00:00:00Z", book=book)

    assert [row.offering for row in result.rows] == ["openai/global/gpt-4.1", "openai/global/o3"]
    assert result.rows[0].total == result.rows[1].total


def test_against_a_baseline(book):
    result = tc.compare(MILLION, ["deepseek-reasoner", "o1"], at=AT, baseline="gpt-4o", book=book)

    assert [row.offering for row in result.rows] == [R1, GPT, O1]
    assert [str(row.to_baseline) for row in result.rows] == ["-9.76 USD", "0.00 USD", "62.50 USD"]
    assert [row.baseline_percent for row in result.rows] == [Decimal("-78.08"), Decimal(0), Decimal(500)]
    assert result.baseline == "gpt-4o"


def test_percent_is_rounded_half_even_to_four_places(priced):
    book = priced(a=("2025-01-01T00:00:00Z", "USD", [{"input": "3"}]), b=("2025-01-01T00:00:00Z", "USD", [{"input": "1"}]))
    result = tc.compare(tc.Usage(input=1), ["lab/rack/b"], at=AT, baseline="lab/rack/a", book=book)

    assert [row.baseline_percent for row in result.rows] == [Decimal("-66.6667"), Decimal(0)]


def test_a_free_baseline_has_no_percent(priced):
    book = priced(free=("2025-01-01T00:00:00Z", "USD", [{"input": "0"}]))
    result = tc.compare(tc.Usage(input=10), ["gpt-4o"], at=AT, baseline="lab/rack/free", book=book)

    assert [(row.offering, row.baseline_percent) for row in result.rows] == [("lab/rack/free", None), (GPT, None)]
    assert result.rows[1].to_baseline == result.rows[1].total


def test_a_baseline_without_a_price_compares_nothing(book):
    result = tc.compare(MILLION, ["gpt-4o"], at=AT, baseline="gpt-5", book=book)

    assert [(row.offering, row.to_baseline, row.baseline_percent) for row in result.rows] == [
        (GPT, None, None),
        ("openai/global/gpt-5", None, None),
    ]
    assert result.rows[0].to_cheapest == tc.Money(0, "USD")
    assert "to gpt-5" in str(result)


def test_an_offering_named_twice_is_rated_once(book):
    """By its name, by its id or as the baseline: it is one row, under the first name."""
    result = tc.compare(MILLION, ["gpt-4o", "o1", GPT, "gpt-4o"], at=AT, baseline="openai/gpt-4o", book=book)

    assert [row.name for row in result.rows] == ["gpt-4o", "o1"]
    assert [row.to_baseline for row in result.rows] == [tc.Money(0, "USD"), tc.Money("62.5", "USD")]


@pytest.mark.parametrize("names", [["gpt-9o"], ["gpt-4o", "gpt-9o"]])
def test_unknown_names_raise(book, names):
    with pytest.raises(tc.UnknownNameError, match="gpt-9o"):
        tc.compare(MILLION, names, at=AT, book=book)


def test_an_unknown_baseline_raises(book):
    with pytest.raises(tc.UnknownNameError, match="gpt-9o"):
        tc.compare(MILLION, ["gpt-4o"], at=AT, baseline="gpt-9o", book=book)


@pytest.mark.parametrize(
    ("offerings", "workload", "error", "message"),
    [
        ([], MILLION, tc.UsageError, "no offering to compare; name at least one"),
        ("gpt-4o", MILLION, tc.UsageTypeError, "offerings='gpt-4o' is text; pass a list of names"),
        (["gpt-4o"], [], tc.UsageError, "there is no request to rate; pass at least one usage"),
        (["gpt-4o"], trace_of([]), tc.UsageError, "there is no request to rate"),
        (
            ["gpt-4o"],
            "log.csv",
            tc.UsageTypeError,
            r"workload 'log.csv' is a str, not usage; pass a Usage, a Workload, or read_trace\(path\)",
        ),
        (["gpt-4o"], [5], tc.UsageTypeError, "workload 5 is a int, not usage"),
        (["gpt-4o"], 5, tc.UsageTypeError, "workload 5 is a int, not usage"),
    ],
    ids=lambda value: None if not isinstance(value, str) else value[:30],
)
def test_nothing_to_compare(book, offerings, workload, error, message):
    with pytest.raises(error, match=message):
        tc.compare(workload, offerings, at=AT, book=book)


@pytest.mark.parametrize("workload", [MILLION, [MILLION], tc.Workload("w", (tc.Segment("s", 1, MILLION),))])
def test_each_needs_a_trace(book, workload):
    with pytest.raises(tc.UsageError, match="at='each' needs a trace, whose rows have instants; pass one instant"):
        tc.compare(workload, ["gpt-4o"], at="each", book=book)


def test_each_needs_times(book, log):
    with pytest.raises(tc.TraceError, match="pass zone='UTC' or another"):
        tc.compare(tc.read_trace(log("at,input,output\n2025-02-01T00:00:00,1,2\n")), ["gpt-4o"], at="each", book=book)


@pytest.mark.parametrize(
    ("at", "error"), [(date(2025, 2, 1), tc.InstantTypeError), ("2025-02-01T00:00:00", tc.InstantError), (None, tc.InstantTypeError)]
)
def test_instants_are_aware(book, at, error):
    with pytest.raises(error, match="at="):
        tc.compare(MILLION, ["gpt-4o"], at=at, book=book)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"service_tier": "batched"}, tc.UnknownNameError),
        ({"mode": "thinkin"}, tc.UnknownNameError),
        ({"currency": "usd"}, tc.MoneyError),
    ],
)
def test_misspelt_selections_raise(book, asked, error):
    with pytest.raises(error):
        tc.compare(MILLION, ["gpt-4o"], at=AT, book=book, **asked)


def test_a_list_in_the_currency_asked_for(book):
    row = tc.compare(MILLION, ["deepseek-reasoner"], at=AT, currency="CNY", book=book).rows[0]

    assert (row.total, row.native, row.notes) == (tc.Money(20, "CNY"), tc.Money(20, "CNY"), ())


def test_another_currency_stays_unranked_without_a_rate(book):
    result = tc.compare(MILLION, ["gpt-4o", "deepseek-reasoner"], at=AT, currency="CNY", book=book)
    cheap, other = result.rows

    assert (cheap.offering, cheap.total) == (R1, tc.Money(20, "CNY"))
    assert (other.total, other.native, other.priced, other.unpriced) == (None, tc.Money("12.5", "USD"), 1, 0)
    assert other.reasons == ("its list is in USD, not CNY; pass fx= with a dated exchange table",)
    assert f"{GPT}: 12.50 USD, not converted: its list is in USD, not CNY" in str(result)


def test_another_currency_is_converted_with_its_rate_noted(book):
    result = tc.compare(MILLION, ["gpt-4o", "deepseek-reasoner"], at=AT, currency="CNY", fx=FX, book=book)
    other = result.rows[1]

    assert (other.total, other.native) == (tc.Money("90.625", "CNY"), tc.Money("12.5", "USD"))
    assert other.notes == ("converted at 7.25 CNY per USD of 2025-01-31 (central parity)",)
    assert other.to_cheapest == tc.Money("70.625", "CNY")


def test_the_books_currency_is_the_default(book):
    """A list in CNY alone is converted into the currency of the book, never mixed up with it."""
    result = tc.compare(MILLION, ["alibaba/china/qwen-max", "deepseek-reasoner"], at=AT, fx=FX, book=book)
    in_yuan = tc.compare(MILLION, ["deepseek-reasoner"], at=AT, book=book.with_currency("CNY"))
    native = slow_bill(book, "alibaba/china/qwen-max", [(MILLION, tc.to_instant(AT))]).amount
    row = next(row for row in result.rows if row.offering == "alibaba/china/qwen-max")

    assert (result.currency, in_yuan.currency, in_yuan.rows[0].total) == ("USD", "CNY", tc.Money(20, "CNY"))
    assert row.native == tc.Money(native, "CNY")
    assert abs(row.total.amount * Decimal("7.25") - native) < Decimal("1e-15")


def test_a_rate_that_is_too_old_converts_nothing(book):
    old = tc.ExchangeTable([(date(2024, 1, 1), "USD", "CNY", "7.1", "long ago")])
    row = tc.compare(MILLION, ["gpt-4o"], at=AT, currency="CNY", fx=old, book=book).rows[0]

    assert (row.total, row.native) == (None, tc.Money("12.5", "USD"))
    assert row.reasons[0].startswith("no exchange rate from USD to CNY for 2025-02-01")


def test_each_day_is_converted_at_its_own_rate(book):
    """Two requests, two days, two rates; the notes name both."""
    fx = tc.ExchangeTable([(date(2025, 1, 31), "USD", "CNY", "7", "one"), (date(2025, 2, 1), "USD", "CNY", "8", "two")])
    late, early = datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)
    trace = trace_of([(tc.Usage(input=10**6), late), (tc.Usage(input=10**6), early)])
    row = tc.compare(trace, ["gpt-4o"], at="each", currency="CNY", fx=fx, book=book).rows[0]

    assert row.total == tc.Money(Decimal("2.5") * 15, "CNY")
    assert [note[:16] for note in row.notes] == ["converted at 7 C", "converted at 8 C"]


def test_a_list_that_changes_its_currency(priced):
    """Half of the log is billed in yuan, half in dollars: no native total, and none at all without a rate."""
    book = priced(m=("2025-01-01T00:00:00Z", "CNY", [{"input": "7"}]))
    tariff = book.shelf.tariff("lab/rack/m")
    (version,) = tariff.versions
    later = replace(version, start=tc.to_instant("2025-02-01T00:00:00Z"), rates=(tc.Rate(currency="USD", prices={"input": Decimal(1)}),))
    book = book.with_tariffs([replace(tariff, versions=(version, later))])
    trace = trace_of(
        [(tc.Usage(input=10**6), datetime(2025, 1, day, tzinfo=UTC)) for day in (30, 31)] + [(tc.Usage(input=10**6), tc.to_instant(AT))]
    )
    alone = tc.compare(trace, ["lab/rack/m"], at="each", book=book)
    fx = tc.ExchangeTable([(date(2025, 1, 30), "USD", "CNY", "7", "x")])
    row = tc.compare(trace, ["lab/rack/m"], at="each", fx=fx, book=book).rows[0]

    assert (alone.rows[0].total, alone.rows[0].native, alone.rows[0].priced) == (None, None, 3)
    assert "lab/rack/m: several currencies, not converted: its list is in CNY, not USD" in str(alone)
    assert (row.total, row.native) == (tc.Money(3, "USD"), None)


def test_several_lists_and_none_in_the_currency_asked_for(priced):
    """Like a quote: the list in the book's currency is converted, or else the first that there is."""
    book = priced(m=("2025-01-01T00:00:00Z", "CNY", [{"input": "7"}]))
    tariff = book.shelf.tariff("lab/rack/m")
    (version,) = tariff.versions
    euro = tc.Rate(currency="EUR", prices={"input": Decimal(1)})
    book = book.with_tariffs([replace(tariff, versions=(replace(version, rates=(*version.rates, euro)),))])
    usage = tc.Usage(input=10**6)

    def native(book, currency):
        return tc.compare(usage, ["lab/rack/m"], at=AT, currency=currency, book=book).rows[0].native

    yuan, euros = tc.Money(7, "CNY"), tc.Money(1, "EUR")
    assert [native(book, currency) for currency in (None, "USD", "GBP", "EUR")] == [yuan, yuan, yuan, euros]
    assert [native(book.with_currency("EUR"), currency) for currency in (None, "GBP", "CNY")] == [euros, euros, yuan]
    fx = tc.ExchangeTable([(date(2025, 1, 31), "GBP", base, "9", "x") for base in ("CNY", "EUR")])
    quote = book.quote("lab/rack/m", usage, at=AT, currency="GBP", fx=fx)
    assert tc.compare(usage, ["lab/rack/m"], at=AT, currency="GBP", fx=fx, book=book).rows[0].total == quote.total


def test_no_price_is_last_and_never_zero(book):
    """The reason stands where the price would."""
    result = tc.compare(MILLION, ["gpt-5", "o1", "claude-sonnet-4-5"], at=AT, book=book)
    first, *rest = result.rows

    assert (first.offering, first.unpriced) == (O1, 0)
    assert [row.offering for row in rest] == ["openai/global/gpt-5", "anthropic/global/claude-sonnet-4-5"]
    for row in rest:
        assert (row.total, row.native, row.priced, row.unpriced) == (None, None, 0, 1)
        assert (row.per_1000_requests, row.realised_price, row.to_cheapest) == (None, None, None)
        assert row.reasons[0].startswith(f"no price of {row.offering} is known at 2025-02-01T00:00:00Z; known prices run from 2025-")


def test_nothing_at_all_has_a_price(book):
    result = tc.compare(MILLION, ["gpt-5"], at=AT, baseline="gpt-5", book=book)

    assert [(row.total, row.unpriced) for row in result.rows] == [(None, 1)]


def test_free_is_a_price(priced):
    book = priced(free=("2025-01-01T00:00:00Z", "USD", [{"input": "0", "output": "0"}]))
    row = tc.compare(MILLION, ["lab/rack/free"], at=AT, book=book).rows[0]

    assert (row.total, row.priced, row.unpriced, row.realised_price) == (tc.Money(0, "USD"), 1, 0, tc.Money(0, "USD"))


def test_meters_without_a_price_are_counted_request_by_request(book):
    """One request with audio does not take the price away from the others, and their cost is shown as the part it is."""
    plain, audio = tc.Usage(input=1_000), tc.Usage(input=1_000, audio_s=5)
    row = tc.compare([plain, audio, plain], ["gpt-4o"], at=AT, book=book).rows[0]

    assert (row.total, row.native, row.priced, row.unpriced) == (None, tc.Money("0.005", "USD"), 2, 1)
    assert row.reasons[0].startswith("openai/global/gpt-4o has no rate for audio_s in USD")


def test_reasons_of_several_kinds_say_how_many_each(priced):
    book = priced(
        m=("2025-02-01T00:00:00Z", "USD", [{"input": "1", "above": 0}, {"input": "2", "above": 100, "up_to": 1_000}]),
    )
    start = tc.to_instant(AT)
    early = datetime(2025, 1, 1, tzinfo=UTC)
    calls = [(tc.Usage(input=100), start), (tc.Usage(input=1_001), start), (tc.Usage(input=1), early), (tc.Usage(input=1), early)]
    row = tc.compare(trace_of(calls), ["lab/rack/m"], at="each", book=book).rows[0]

    assert (row.native, row.priced, row.unpriced) == (tc.Money("0.0001", "USD"), 1, 3)
    assert row.reasons[0].startswith("no price of lab/rack/m is known at 2025-01-01T00:00:00Z")
    assert row.reasons[0].endswith("(2 requests)")
    assert row.reasons[1].startswith("1001 input tokens are above 1000")
    assert row.reasons[1].endswith("(1 request)")


def test_realised_price_counts_every_token_of_the_workload(book):
    """Cached tokens belong to the divisor: leaving them out would make whoever caches most look dear."""
    usage = tc.Usage(input=100_000, cache_read=800_000, output=60_000, reasoning=40_000)
    row = tc.compare([usage] * 4, ["deepseek-reasoner"], at=AT, book=book).rows[0]
    cost = Decimal("0.1") * Decimal("0.55") + Decimal("0.8") * Decimal("0.14") + Decimal("0.1") * Decimal("2.19")

    assert row.total == tc.Money(4 * cost, "USD")
    assert row.realised_price == tc.Money(cost, "USD")
    assert row.per_1000_requests == tc.Money(1000 * cost, "USD")


def test_derived_prices_are_rounded_and_totals_are_not(priced):
    book = priced(m=("2025-01-01T00:00:00Z", "USD", [{"input": "0.000001"}]))
    row = tc.compare([tc.Usage(input=1), tc.Usage(input=1), tc.Usage(request=0)], ["lab/rack/m"], at=AT, book=book).rows[0]

    assert row.total == tc.Money("0.000000000002", "USD")
    assert row.realised_price == tc.Money("0.000001", "USD")
    assert row.per_1000_requests == tc.Money("0", "USD")


def test_what_has_no_tokens_has_no_price_per_token(book):
    row = tc.compare(tc.Usage(audio_s=3_600), ["groq/global/whisper-large-v3"], at="2026-11-01T00:00:00Z", book=book).rows[0]

    assert (row.total, row.realised_price, row.per_1000_requests) == (tc.Money("0.111", "USD"), None, tc.Money(111, "USD"))


def test_minimum_billing_applies_to_each_row(book, log):
    """A clip of one second is billed as ten, each time; adding the seconds up first would hide that."""
    trace = tc.read_trace(log("\n".join(["seconds", *["1"] * 90, "3600"])), columns={"audio_s": "seconds"})
    row = tc.compare(trace, ["groq/global/whisper-large-v3-turbo"], at="2026-11-01T00:00:00Z", book=book).rows[0]
    at = tc.to_instant("2026-11-01T00:00:00Z")
    bill = slow_bill(book, "groq/global/whisper-large-v3-turbo", ((item.usage, at) for item in trace.rows))

    assert row.total.amount == bill.amount
    assert abs(row.total.amount - Decimal("0.04") * (3600 + 90 * 10) / 3600) < Decimal("1e-15")


def test_minimum_billing_of_tokens(priced):
    """The price is linear above the minimum only, so a log cannot be rated by its sum."""
    book = priced(m=("2025-01-01T00:00:00Z", "USD", [{"input": "1"}], {"minimum": {"input": 100}}))
    row = tc.compare([tc.Usage(input=count) for count in (1, 99, 100, 101)], ["lab/rack/m"], at=AT, book=book).rows[0]

    assert row.total == tc.Money("0.000401", "USD")


def test_a_segment_of_many_requests_is_that_many_rows(book):
    """Minimum billing again: 90 requests of one second cost 90 minima."""
    workload = tc.Workload("clips", (tc.Segment("short", 90, tc.Usage(audio_s=1)), tc.Segment("long", 1, tc.Usage(audio_s=3_600))))
    rows = [usage for segment in workload.segments for usage in [segment.usage] * segment.requests]
    name, at = "groq/global/whisper-large-v3-turbo", "2026-11-01T00:00:00Z"

    assert tc.compare(workload, [name], at=at, book=book).rows[0].total == tc.compare(rows, [name], at=at, book=book).rows[0].total


def test_graduated_slices_are_cut_for_each_row(priced):
    """Two prompts of 100 fill the first tier twice; one of 200 fills it once."""
    cells = [{"input": "1", "output": "10", "above": 0}, {"input": "2", "output": "20", "above": 100}]
    book = priced(m=("2025-01-01T00:00:00Z", "USD", cells, {"tiering": "graduated"}))
    two = tc.compare([tc.Usage(input=100, output=1)] * 2, ["lab/rack/m"], at=AT, book=book).rows[0]
    one = tc.compare([tc.Usage(input=200, output=2)], ["lab/rack/m"], at=AT, book=book).rows[0]

    assert two.total == tc.Money("0.000220", "USD")
    assert one.total == tc.Money("0.000340", "USD")


def test_service_tiers(book):
    """Half price where there is a batch list; a reason where there is none."""
    result = tc.compare(MILLION, ["gpt-4o", "deepseek-reasoner"], at=AT, service_tier="batch", book=book)
    half, none = result.rows

    assert (half.offering, half.total) == (GPT, tc.Money("6.25", "USD"))
    assert (none.offering, none.total, none.unpriced) == (R1, None, 1)
    assert "has no rate for" in none.reasons[0]


@pytest.mark.parametrize(
    ("name", "asked"),
    [("alibaba/global/qwen-plus-2025-04-28", {"mode": "thinking"}), ("anthropic/global/claude-opus-4-6", {"residency": "us"})],
)
def test_modes_and_residencies_are_passed_on(book, name, asked):
    at = "2026-03-01T00:00:00Z"
    plain, chosen = (tc.compare(MILLION, [name], at=at, book=book, **some).rows[0].total for some in ({}, asked))

    assert chosen.amount == book.cost(name, MILLION, at=at, **asked) > plain.amount


def test_layers_and_tenants(book):
    """A contract that begins in the middle of a log, for one tenant, below a markup for all."""
    book = book.with_layers(
        [
            tc.Contract("acme", percent=-20, offering=GPT, tenant="acme", start="2025-02-01T00:00:00Z"),
            tc.Markup("resale", percent=10),
        ]
    )
    calls = [(tc.Usage(input=10**6), datetime(2025, 1, 31, 23, tzinfo=UTC)), (tc.Usage(input=10**6), tc.to_instant(AT))]
    totals = {
        tenant: tc.compare(trace_of(calls), ["gpt-4o"], at="each", tenant=tenant, book=book).rows[0].total for tenant in (None, "acme")
    }

    assert totals == {None: tc.Money("5.5", "USD"), "acme": tc.Money("4.95", "USD")}
    assert totals["acme"].amount == slow_bill(book, "gpt-4o", calls, tenant="acme").amount


def test_layers_that_clash_are_an_error_and_no_missing_price(book):
    book = book.with_layers([tc.Contract("one", percent=-20), tc.Contract("two", percent=-10)])

    with pytest.raises(tc.LayerError, match="'one' and 'two' both claim"):
        tc.compare(MILLION, ["gpt-4o"], at=AT, book=book)


def test_counts_beyond_a_single_usage(book):
    """A comparison adds up without the limit that guards a single usage."""
    workload = tc.Workload("huge", tuple(tc.Segment(str(n), 10**9, tc.Usage(input=10**7)) for n in range(2)))
    result = tc.compare(workload, ["gpt-4o"], at=AT, book=book)

    assert (result.tokens, result.rows[0].total) == (2 * 10**16, tc.Money(5 * 10**10, "USD"))


def test_a_name_that_changes_its_meaning(book):
    """A row says which offerings a dated name went through, in the order of the log."""
    calls = [(tc.Usage(input=10**6), datetime(2024, 7, day, tzinfo=UTC)) for day in (25, 24)]
    row = tc.compare(trace_of(calls), ["mistral-large-latest"], at="each", book=book).rows[0]

    assert row.offering == "mistral/global/mistral-large-2402 + mistral/global/mistral-large-2407"
    assert row.total.amount == slow_bill(book, "mistral-large-latest", calls).amount


def test_progress_is_told_after_each_offering(book):
    told = []
    tc.compare([MILLION] * 3, ["gpt-4o", "gpt-5"], at=AT, baseline="o1", book=book, progress=lambda name, n: told.append((name, n)))

    assert told == [("gpt-4o", 3), ("gpt-5", 3), ("o1", 3)]


def test_a_book_is_opened_where_none_is_passed():
    assert tc.compare(MILLION, ["gpt-4o"], at=AT).rows[0].total == tc.Money("12.5", "USD")


def test_records_are_plain(book):
    result = tc.compare(MILLION, ["gpt-4o", "gpt-5", "alibaba/china/qwen-max"], at=AT, baseline="o1", book=book)
    first, *_, yuan, none = result.records()

    assert first == {
        "name": "gpt-4o",
        "offering": GPT,
        "total": Decimal("12.5"),
        "native": Decimal("12.5"),
        "priced": 1,
        "unpriced": 0,
        "reasons": (),
        "notes": (),
        "per_1000_requests": Decimal(12_500),
        "realised_price": Decimal("6.25"),
        "to_cheapest": Decimal(0),
        "to_baseline": Decimal("-62.5"),
        "baseline_percent": Decimal("-83.3333"),
        "rank": 1,
        "currency": "USD",
        "native_currency": "USD",
    }
    assert {record["native_currency"] for record in (yuan, none)} == {"CNY", None}
    assert {record["total"] for record in (yuan, none)} == {None}
    assert all(record.keys() == first.keys() for record in result.records())


def test_text(book):
    result = tc.compare([MILLION] * 2, ["deepseek-reasoner", "gpt-4o", "gpt-5"], at=AT, baseline="gpt-4o", book=book)

    assert str(result).splitlines() == [
        "usage: 2 requests, 4,000,000 tokens, at 2025-02-01T00:00:00Z, in USD",
        "offering                             total  per 1,000 requests  per 1M tokens  to cheapest          to gpt-4o",
        "─────────────────────────────────  ───────  ──────────────────  ─────────────  ───────────  ─────────────────",
        "deepseek/global/deepseek-reasoner   5.4800          2,740.0000         1.3700      +0.0000  -19.5200 (-78.1%)",
        "openai/global/gpt-4o               25.0000         12,500.0000         6.2500     +19.5200    +0.0000 (+0.0%)",
        "openai/global/gpt-5                      —",
        f"openai/global/gpt-5: 2 of 2 requests have no price: {result.rows[2].reasons[0]}",
    ]


def test_text_of_each_instant(book):
    result = tc.compare(trace_of([(MILLION, tc.to_instant(AT))]), ["gpt-4o"], at="each", book=book)

    assert str(result).startswith("up.csv: 1 request, 2,000,000 tokens, each request at its own instant, in USD\n")
    assert result.at is None


def test_little_money_is_not_shown_as_none(book):
    result = tc.compare(tc.Usage(input=1), ["gpt-4o-mini", "gpt-4o"], at=AT, book=book)

    assert [row[1] for row in result.table().rows] == ["0.00000015", "0.0000025"]
    assert result.table().rows[0][4] == "+0.0000"


def test_html_is_escaped(book):
    trace = replace(trace_of([(MILLION, tc.to_instant(AT))]), path="C:\\logs\\<b>&.csv")
    html = tc.compare(trace, ["gpt-4o", "gpt-5"], at=AT, book=book)._repr_html_()

    assert "<caption>&lt;b&gt;&amp;.csv: 1 request," in html
    assert f"<td style='text-align:left'>{GPT}</td><td style='text-align:right'>12.5000</td>" in html
    assert "<small>openai/global/gpt-5: 1 of 1 request has no price" in html


def test_comparisons_pickle(book):
    result = tc.compare([MILLION], ["gpt-4o", "gpt-5"], at=AT, currency="CNY", fx=FX, baseline="o1", book=book)

    assert pickle.loads(pickle.dumps(result)) == result

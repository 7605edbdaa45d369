"""Forecasts: costs by hand across known changes, sums, and what is not known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from tokencost.rating.timeline import Selection
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.month_cost import month_cost

PROVIDER = """name = "Acme"
kind = "publisher"
default = "global"
pricing = "https://acme.example/prices"

[[endpoint]]
id = "global"
name = "one"
"""
SOURCES = """[[source]]
id = "page"
url = "https://acme.example/prices"
kind = "official_page"
"""
TARIFF = """[[version]]
from    = 2026-01-01T00:00:00Z
basis   = "announced"
source  = "page"
checked = 2026-03-31
rates   = [ { currency = "USD", input = 1.0, output = 2.0 } ]

[[version]]
from    = 2026-06-01T00:00:00Z
basis   = "announced"
status  = "announced"
source  = "page"
checked = 2026-03-31
rates   = [ { currency = "USD", input = 2.0, output = 4.0 } ]

[[promo]]
from     = 2026-02-01T00:00:00Z
until    = 2026-02-15T00:00:00Z
basis    = "announced"
source   = "page"
checked  = 2026-02-02
multiply = 0.5
"""
HOURLY = tc.Workload("a million tokens an hour, in a month of 31 days", (tc.Segment("hourly", 744, tc.Usage(input=1_000_000)),))
PLAIN = tc.Workload("plain", (tc.Segment("all", 28_000, tc.Usage(input=1_000, output=500)),))


def write_book(folder, tariff: str = TARIFF) -> tc.Book:
    (folder / "acme" / "global").mkdir(parents=True)
    for name, text in (("provider", PROVIDER), ("sources", SOURCES), ("global/m", tariff)):
        (folder / "acme" / f"{name}.toml").write_text(text, encoding="utf-8")
    return tc.load_book(folder)


@pytest.fixture(scope="module")
def acme(tmp_path_factory) -> tc.Book:
    return write_book(tmp_path_factory.mktemp("acme"))


def costs(result) -> list[str | None]:
    return [None if row.cost is None else str(row.cost.amount) for row in result.months]


def test_a_promotion_that_ends_by_hand(acme):
    """28,000 requests at 0.001 + 0.001 are 56 USD; half of February, 14 of 28 days, is sold at half: 42 USD."""
    result = tc.forecast(PLAIN, "m", start="2026-01", months=3, book=acme, draws=0)

    assert costs(result) == ["56", "42", "56"]
    assert result.total == tc.Money(154, "USD")
    assert [row.known for row in result.months] == ["listed"] * 3
    assert [(str(event.at), event.kinds) for row in result.months for event in row.events] == [
        ("2026-01-01 00:00:00+00:00", ("prices begin",)),
        ("2026-02-01 00:00:00+00:00", ("promotion begins",)),
        ("2026-02-15 00:00:00+00:00", ("promotion ends",)),
    ]
    assert str(result.months[1].events[1]) == (
        "2026-02-15T00:00:00Z: a promotion ends: USD, standard: input 0.5 → 1 (+100%), output 1 → 2 (+100%)"
    )
    assert result.months[1].events[1].source == "https://acme.example/prices"


def test_an_announced_rise_by_hand(acme):
    """The list was last seen on 31 March: April and May assume that it goes on, June is announced at twice the price."""
    result = tc.forecast(PLAIN, "m", start="2026-03", months=4, book=acme, draws=0)

    assert costs(result) == ["56", "56", "56", "112"]
    assert [row.known for row in result.months] == ["listed", "carried", "carried", "announced"]
    assert result.known_until == tc.to_instant("2026-04-01T00:00:00Z")
    assert result.months[3].events[0].kinds == ("announced",)
    assert "carried: the list in force is assumed to go on; nobody has seen that it does" in str(result)
    assert "the price was seen on the list up to 2026-04-01T00:00:00Z, not after" in str(result)


def test_stopping_where_the_list_was_last_seen(acme):
    """Nothing is extended: only what was seen, or published for a date to come, has a cost."""
    result = tc.forecast(PLAIN, "m", start="2026-03", months=4, book=acme, draws=0, beyond="stop")

    assert costs(result) == ["56", None, None, "112"]
    assert [row.known for row in result.months] == ["listed", "unknown", "unknown", "announced"]
    assert result.total is None
    assert [row.cumulative for row in result.months] == [tc.Money(56, "USD"), None, None, None]
    assert "2026-04 has no cost: the list was not seen from 2026-04-01T00:00:00Z on; beyond='carry'" in str(result)


def test_a_month_partly_after_the_last_look_is_carried(tmp_path):
    book = write_book(tmp_path, TARIFF.replace("2026-03-31", "2026-03-15"))

    assert [row.known for row in tc.forecast(PLAIN, "m", start="2026-02", months=2, book=book, draws=0).months] == ["listed", "carried"]


@pytest.mark.parametrize(("checked", "known"), [("2026-02-02", "announced"), ("2026-02-28", "listed"), ("2026-04-01", "listed")])
def test_a_promotion_lasts_as_long_as_was_published(tmp_path, checked, known):
    """Its end is published, so that it need not be assumed; after somebody looked again it is listed, and the list after it is carried."""
    tariff = TARIFF.replace("2026-03-31", "2026-01-31").replace("2026-02-15", "2026-03-01").replace("2026-02-02", checked)
    result = tc.forecast(PLAIN, "m", start="2026-01", months=3, book=write_book(tmp_path, tariff), draws=0)

    assert [row.known for row in result.months] == ["listed", known, "carried"]
    assert costs(result) == ["56", "28", "56"]


def test_the_windows_of_2026_08_16_by_hand(book):
    """DeepSeek V4 Pro, a request of a million tokens an hour, in August 2026.

    376 hours before 16 August 16:00 UTC at 0.435; six days of daily windows, 42 hours of peak and 102 others; then in Beijing from 23
    August to 1 September 08:00, with six weekdays, 42 hours of peak and 182 others: 376 x 0.435 + 284 x 0.66 + 84 x 1.32 = 461.88.
    """
    result = tc.forecast(HOURLY, "deepseek-v4-pro", start="2026-08", months=1, book=book, draws=0)

    assert costs(result) == ["461.88"]
    assert [event.kinds for event in result.months[0].events] == [("list", "windows begin"), ("windows change",)]
    assert "windows begin (peak daily 09:00-12:00; peak daily 14:00-18:00 in Asia/Shanghai, otherwise off_peak)" in str(result)
    assert "USD, standard, peak: input 0.435 → 1.32 (+203.45%)" in str(result)


def test_a_promotion_that_became_the_list(book):
    """The 75 per cent off DeepSeek V4 Pro ended on 31 May 2026 15:59 UTC, and the list fell to that quarter: nothing changes."""
    result = tc.forecast(HOURLY, "deepseek-v4-pro", start="2026-05", months=2, book=book, draws=0)

    assert costs(result) == ["323.64", "323.64"]
    assert str(result.months[0].events[-1]).endswith("a new list begins; a promotion ends: no price of this workload changes")


def test_a_launch_price_that_ends_in_a_month_without_prices_before(book):
    """Mistral Large 4: 14 days at 0.68, 9 at 1.36, 3 at 0.7 per million are 572.64; the first five days have no price."""
    row = tc.forecast(HOURLY, "mistral/global/mistral-large-4-0", start="2026-10", months=1, book=book, draws=0).months[0]

    assert (row.cost, row.known) == (None, "unknown")
    assert row.priced == tc.Money("572.64", "USD")
    assert row.reasons[0].startswith("120 of 744 requests: no price of mistral/global/mistral-large-4-0 is known at 2026-10-01")


def test_the_introductory_price_of_gemini_ends(book):
    """Announced for 1 January 2027: 744 million tokens at 0.75 are 558 USD, at 1.5 they are 1,116."""
    result = tc.forecast(HOURLY, "google/global/gemini-3.8-flash", start="2026-12", months=2, book=book, draws=0)

    assert costs(result) == ["558", "1116"]
    assert [row.known for row in result.months] == ["carried", "announced"]


def test_a_calendar_that_has_run_out_gives_no_cost(book):
    """The days off of 2027 are not gazetted: the hours that hang on them have no price, and the month has no cost."""
    result = tc.forecast(HOURLY, "deepseek-v4-pro", start="2026-12", months=2, book=book, draws=50)

    december, january = result.months
    assert (december.known, january.known) == ("carried", "unknown")
    assert january.cost is None
    assert january.priced is not None
    assert (january.quantiles, january.cumulative_quantiles, result.total_quantiles) == ({}, {}, {})
    assert "calendar 'cn-statutory' covers" in january.reasons[0]
    assert december.events[-1].kinds == ("calendar ends",)
    assert str(december.events[-1].at) == "2026-12-31 16:00:00+00:00"


def test_a_list_that_never_came_is_told(book):
    events = tc.forecast(HOURLY, "deepseek-v4-pro", start="2026-07", months=1, book=book, draws=0).months[0].events

    assert [(str(event.at)[:10], event.kinds) for event in events] == [("2026-07-15", ("withdrawn",))]
    assert events[0].text.startswith("a list was announced to begin here and was withdrawn: Twice the price in peak hours")


def test_a_contract_that_begins_is_told(acme):
    layered = acme.with_layers([tc.Contract("spring", percent=-50, provider="acme", start="2026-03-01T00:00:00Z")])
    result = tc.forecast(PLAIN, "m", start="2026-03", months=1, book=layered, draws=0)

    assert costs(result) == ["28"]
    assert str(result.months[0].events[0]) == (
        "2026-03-01T00:00:00Z: contract spring begins: USD, standard: input 1 → 0.5 (-50%), output 2 → 1 (-50%)"
    )


def test_growth_compounds(acme):
    """Ten per cent a month: 56, 61.6, 67.76."""
    grown = PLAIN.with_growth("0.1")
    result = tc.forecast(grown, "m", start="2026-03", months=3, book=acme, draws=0)

    assert costs(result) == ["56", "61.6", "67.76"]
    assert [row.requests for row in result.months] == [28_000, 30_800, 33_880]


def test_a_segment_grows_by_its_own_rate(acme):
    parts = (tc.Segment("a", 1000, tc.Usage(input=1000), growth=Fraction(1)), tc.Segment("b", 1000, tc.Usage(input=1000)))
    result = tc.forecast(tc.Workload("two", parts, growth=Fraction(-1, 2)), "m", start="2026-03", months=2, book=acme, draws=0)

    assert costs(result) == ["2", "2.5"]


laws = st.builds(lambda low, more: tc.Law.quantiles({0: low, 1: low + more}), st.integers(0, 5000), st.integers(0, 300_000))
workloads = st.builds(
    lambda requests, prompt, completion, cached, growth: tc.Workload.described(
        requests=requests, prompt=prompt, completion=completion, cached=Fraction(cached, 10), growth=Fraction(growth, 10)
    ),
    st.integers(1, 10**6),
    laws,
    laws,
    st.integers(0, 10),
    st.integers(-9, 10),
)


@settings(max_examples=40, deadline=None)
@given(workloads, st.sampled_from(["deepseek-v4-pro", "google/global/gemini-3.8-flash", "openai/global/gpt-6.2-sol"]))
def test_months_add_up_and_the_unknown_is_never_zero(book, workload, offering):
    result = tc.forecast(workload, offering, start="2026-11", months=4, book=book, draws=0)

    known = [row.cost for row in result.months if row.cost is not None]
    assert result.total == (tc.Money.sum(known) if len(known) == 4 else None)
    assert [row.known == "unknown" for row in result.months] == [row.cost is None for row in result.months]
    assert [bool(row.reasons) for row in result.months] == [row.cost is None for row in result.months]
    upto = None
    for row in result.months:
        upto = None if row.cost is None or (upto is None and row is not result.months[0]) else row.cost if upto is None else upto + row.cost
        assert row.cumulative == upto


@settings(max_examples=30, deadline=None)
@given(workloads, st.sampled_from(["2026-08", "2026-10"]))
def test_one_month_is_the_cost_of_that_month(book, workload, month):
    result = tc.forecast(workload, "deepseek-v4-pro", start=month, months=1, book=book, draws=0)
    cost = month_cost(Expectation(book), workload, "deepseek-v4-pro", tc.Month.of(month), selection=Selection())

    assert abs(Fraction(result.months[0].cost.amount) - cost.by_currency.get("USD", 0)) <= Fraction(1, 2 * 10**18)


@settings(max_examples=30, deadline=None)
@given(workloads)
def test_months_of_one_price_cost_the_same(acme, workload):
    """Without growth, and with one list and no window, no month differs from another, however many days it has."""
    result = tc.forecast(workload.with_growth(0), "m", start="2026-03", months=3, book=acme, draws=0)

    if result.months[0].cost is not None:
        assert len({row.cost for row in result.months}) == 1
    else:
        assert workload.means.get("cache_read")


def test_a_list_in_another_currency_is_not_taken_for_it(book):
    offering, rates = "alibaba/china/qwen-max", [(date(2026, 1, 1), "USD", "CNY", "8", "made up")]
    native = tc.forecast(HOURLY, offering, start="2026-02", months=1, book=book, draws=0)
    lost = tc.forecast(HOURLY, offering, start="2026-02", months=1, book=book, draws=0, currency="USD")
    fx = tc.ExchangeTable(rates)
    converted = tc.forecast(HOURLY, offering, start="2026-02", months=1, book=book, draws=20, currency="USD", fx=fx)

    assert native.currency == "CNY"
    assert (lost.currency, lost.months[0].cost) == ("USD", None)
    assert lost.months[0].reasons == ("its list is in CNY, not USD; pass fx= with a dated exchange table",)
    assert converted.total == tc.Money(native.total.amount / 8, "USD")
    assert "converted at 8 CNY per USD of 2026-01-01 (made up)" in str(converted)
    assert abs(float(converted.paths.mean()) / float(converted.total.amount) - 1) < 0.05


def test_service_tiers_that_lose_their_price(book):
    """Fast mode leaves the model on 30 November 2026: its share has no price, and the month no cost."""
    fast = tc.Workload("fast", (tc.Segment("s", 30, tc.Usage(input=1000), service_tiers={"fast": "0.5", "standard": "0.5"}),))
    row = tc.forecast(fast, "anthropic/global/claude-opus-4-8", start="2026-11", months=1, book=book, draws=0).months[0]

    assert row.cost is None
    assert "has no rate for USD, fast" in row.reasons[0]
    assert [event.kinds for event in row.events] == [("announced",)]


def test_records_and_pages(acme):
    result = tc.forecast(PLAIN, "m", start="2026-02", months=2, book=acme, draws=10, budget="60", quantiles=[0.5])

    first = result.records()[0]
    assert (first["month"], first["cost"], first["known"], first["currency"]) == ("2026-02", Decimal(42), "listed", "USD")
    assert set(first) >= {"q0.5", "cumulative_q0.5", "passes_by_end", "passes_in_month", "passes_alone", "events", "reasons"}
    assert first["events"][1]["prices"] == ["USD, standard input 0.5 → 1 (+100%)", "USD, standard output 1 → 2 (+100%)"]
    assert "<table>" in result._repr_html_()
    assert str(result).splitlines()[0] == "plain on acme/global/m: 2026-02 to 2026-03, in USD"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": "August"}, "month 'August' is not a month; write it like '2026-11'"),
        ({"months": 0}, "months=0 is not a whole number from 1 to 600; a year is 12"),
        ({"months": 2.5}, "months=2.5 is not a whole number"),
        ({"draws": -1}, "draws=-1 is not a whole number from 0"),
        ({"seed": -1}, "seed=-1 is not a whole number of 0 or more"),
        (
            {"workload": PLAIN.with_growth(10), "months": 600},
            "grows to more than 1,000,000,000,000,000 requests by 2076-01; growth=10 is that",
        ),
        ({"workload": tc.Workload("twins", PLAIN.segments * 2)}, "two segments are named 'all'; name them apart"),
        ({"quantiles": [5]}, "quantile=5 is outside 0 to 1"),
        ({"beyond": "guess"}, "beyond='guess' is none of carry, stop"),
    ],
)
def test_what_cannot_be_forecast(acme, wrong, message):
    with pytest.raises(tc.WorkloadError, match=message):
        tc.forecast(
            wrong.get("workload", PLAIN), "m", book=acme, **{"start": "2026-02", **{k: v for k, v in wrong.items() if k != "workload"}}
        )


def test_an_unknown_offering(acme):
    with pytest.raises(tc.UnknownNameError, match="no model 'mm'"):
        tc.forecast(PLAIN, "mm", start="2026-02", book=acme)


def test_two_contracts_that_claim_one_price_are_an_error(acme):
    layered = acme.with_layers([tc.Contract(name, percent=-5, provider="acme") for name in ("a", "b")])
    with pytest.raises(tc.LayerError, match="both claim"):
        tc.forecast(PLAIN, "m", start="2026-02", book=layered)

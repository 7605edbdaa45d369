"""Estimates: the expected cost of a month, its parts, the gap to a spreadsheet, credits, currencies, evidence."""

from __future__ import annotations

import datetime as dt
import pickle
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from demand_strategies import drawn, points, profiles, workloads
from tokencost.rating.timeline import Selection
from tokencost.workloads.expectation import Expectation
from tokencost.workloads.month_cost import month_cost

TIERED, WINDOWED = "alibaba/china/qwen3-max", "deepseek/global/deepseek-v4-flash"
MONTH = tc.Month.of("2026-11")
RATES = tc.ExchangeTable([(dt.date(2026, 10, 30), "USD", "CNY", "7.125", "a bank")])
PARTS = ("segment", "service_tier", "mode", "window", "meter")


def estimate(workload, offering, book, **changes):
    return tc.estimate(workload, offering, **{"month": MONTH, "book": book, "draws": 0} | changes)


@given(workloads)
@pytest.mark.parametrize("offering", [TIERED, WINDOWED, "gemini-2.5-pro"])
def test_every_breakdown_adds_up(book, offering, workload):
    result = estimate(workload, offering, book)
    priced = sum(row.cost for row in result.rows)

    for part in PARTS:
        costs = [share.cost.amount for share in result.by(part)]
        assert abs(sum(map(Fraction, costs)) - priced) <= len(costs) * Fraction(1, 10**12)  # each is rounded at the twelfth decimal
        assert costs == sorted(costs, reverse=True)
    assert (result.gross is None) == bool(result.unpriced)
    assert result.gross in (None, priced)
    assert len(result.records()) == len(result.rows)
    assert result.requests == workload.requests


@given(points | drawn(), profiles)
def test_the_gap_vanishes_without_tiers_and_windows(book, sizes, profile):
    """Where one flat price holds all month, mean size times mean price is the truth."""
    flat = replace(book.shelf.tariff("openai/global/gpt-4o"), id="openai/global/flat", allowances=())
    rate = replace(
        flat.versions[-1].rates[0], service_tier="standard", prices={"input": Decimal(2), "output": Decimal(8), "web_search": Decimal(5)}
    )
    one = replace(flat.versions[-1], start=tc.to_instant("2020-01-01T00:00:00Z"), until=None, rates=(rate,), adjustments=())
    own = book.with_tariffs([replace(flat, versions=(one,), promos=())])

    result = estimate(tc.Workload("w", (tc.Segment("s", 77, sizes, profile),)), "openai/global/flat", own)

    assert (result.naive_exact, result.gap.amount) == (result.gross, 0)


def test_the_gap_of_tiers_by_hand(book):
    """Half the prompts have 8,000 tokens and half 192,000: the mean of 100,000 lies in the lower tier, half the tokens do not."""
    sizes = tc.Points([(tc.Usage(input=8_000), 1), (tc.Usage(input=192_000), 1)])
    result = estimate(tc.Workload("w", (tc.Segment("s", 1_000_000, sizes),)), TIERED, book)

    assert result.exact == 4_000 * 9 + 96_000 * 15
    assert result.naive_exact == 100_000 * 9
    assert (result.gap, result.gap_percent) == (tc.Money(576_000, "CNY"), Decimal(64))


def test_the_gap_of_windows_by_hand(book):
    """All requests at peak hours pay twice the price off peak; the clock alone has 147 of 720 hours at peak in November 2026."""
    peak = tc.HourProfile.weekly(([0] * 9 + [1] * 3 + [0] * 2 + [1] * 4 + [0] * 6) * 5 + [0] * 48, zone="Asia/Shanghai")
    result = estimate(tc.Workload.described(requests=720, prompt=1_000_000, completion=0, profile=peak), WINDOWED, book)

    assert result.exact == 720 * Fraction(3, 10)
    assert result.naive_exact == Fraction(147 * 30 + (720 - 147) * 15, 100)
    assert [(share.name, share.percent) for share in result.by("window")] == [("peak", 100)]


def test_prices_per_request_and_per_token():
    chat = tc.Workload.described(requests=2_000, prompt=3_000, completion=1_000, cached=0.5)
    result = tc.estimate(chat, "gpt-4o", month="2026-03", draws=0)

    by_hand = 2_000 * (Decimal(1500) * Decimal("2.5") + 1_500 * Decimal("1.25") + 1_000 * 10) / 10**6
    assert result.expected == tc.Money(by_hand, "USD")
    assert result.realised_price == tc.Money(by_hand / 8, "USD")
    assert result.per_1000_requests == tc.Money(by_hand / 2, "USD")
    assert result.tokens == 8_000_000


def test_quantiles_are_simulated_and_reproducible(book):
    chat = replace(tc.Workload.described(requests=50_000, prompt=3_000, completion=400), uncertainty=tc.Uncertainty(requests=0.2))
    one, same, other = (estimate(chat, "gpt-4o", book, month="2026-03", draws=4_000, seed=seed) for seed in (1, 1, 2))

    low, middle, high = (float(quantile.cost.amount) for quantile in one.quantiles)
    expected = float(one.exact)
    assert one == same
    assert one.quantiles != other.quantiles
    assert [quantile.share for quantile in one.quantiles] == [Fraction(1, 20), Fraction(1, 2), Fraction(19, 20)]
    assert (low / expected, middle / expected, high / expected) == pytest.approx((0.707, 0.981, 1.36), rel=0.03)  # lognormal, sd 20 %
    assert float(one.spread.amount) / expected == pytest.approx(0.2, rel=0.05)


def test_nothing_missing_is_zero(book):
    """One prompt in five is longer than the list allows: there is no total, no quantile, and the rest is shown."""
    sizes = tc.Points([(tc.Usage(input=1_000), 4), (tc.Usage(input=300_000), 1)])
    result = estimate(tc.Workload("w", (tc.Segment("s", 100, sizes),)), "anthropic/global/claude-sonnet-4-5", book, draws=100)

    assert (result.exact, result.expected, result.gross, result.credit, result.realised_price, result.gap) == (None,) * 6
    assert (result.quantiles, result.spread) == ((), None)
    assert [(number, reason.split(";")[0]) for reason, number in result.unpriced.items()] == [
        (20, "anthropic/global/claude-sonnet-4-5 prices no request of more than 200,000 input tokens in USD")
    ]
    assert result.native == tc.Money("0.24", "USD")
    assert "20 of 100 requests have no price: anthropic/global/claude-sonnet-4-5 prices no request of more" in str(result)


def test_the_cost_is_in_the_currency_of_the_list_unless_another_is_asked_for(book):
    chat = tc.Workload.described(requests=1_000, prompt=1_000_000, completion=0)
    native = estimate(chat, "alibaba/china/qwen-plus", book)
    other = estimate(chat, "alibaba/china/qwen-plus", book, currency="USD")
    converted = estimate(chat, "alibaba/china/qwen-plus", book, currency="USD", fx=RATES)

    assert (native.currency, other.exact, other.native) == ("CNY", None, native.expected)
    assert other.notes[0] == "the list is in CNY, not USD; pass fx= with a dated exchange table"
    assert converted.exact == native.exact / Fraction("7.125")
    assert converted.notes[0] == "converted at 7.125 CNY per USD of 2026-10-30 (a bank)"
    assert converted.by("meter")[0].cost.currency == "USD"
    with pytest.raises(tc.UsageError, match="the list of alibaba/china/qwen-plus is in CNY, not USD; pass fx="):
        other.by("meter")


def test_a_currency_with_a_list_of_its_own_needs_no_rate(book):
    chat = tc.Workload.described(requests=1_000, prompt=1_000_000, completion=0)

    assert [estimate(chat, WINDOWED, book, currency=code).currency for code in ("USD", "CNY")] == ["USD", "CNY"]


def with_allowances(book, *allowances):
    """The offering of the examples with a price for searches, and free ones."""
    flat = book.shelf.tariff("openai/global/gpt-4o")
    version = flat.versions[-1]
    rates = tuple(replace(rate, prices={**rate.prices, "web_search": Decimal(10)}) for rate in version.rates)
    made = [
        tc.Allowance(meter="web_search", source=version.source, checked=version.checked, **{"per": "day", "quantity": 1, **words})
        for words in allowances
    ]
    versions = (*flat.versions[:-1], replace(version, rates=rates))
    return book.with_tariffs([replace(flat, id="openai/global/searching", versions=versions, allowances=tuple(made))])


SEARCHES = tc.Workload("w", (tc.Segment("s", 3_000, tc.Usage(input=1_000, web_search=1)),))


@pytest.mark.parametrize(
    ("words", "free"),
    [
        ({"quantity": 40}, 40 * 30),
        ({"quantity": 100}, 3_000),
        ({"quantity": 1_500}, 3_000),
        ({"quantity": 1_000, "per": "month"}, 1_000),
        ({"quantity": 10_000, "per": "month"}, 3_000),
        ({"quantity": 40, "until": tc.to_instant("2026-11-11T00:00:00Z")}, 400),
        ({"quantity": 40, "start": tc.to_instant("2026-11-21T00:00:00Z")}, 400),
        ({"quantity": 700, "per": "once", "start": tc.to_instant("2026-11-05T00:00:00Z")}, 700),
    ],
)
def test_free_quantities_are_netted(book, words, free):
    """3,000 searches at a cent, a hundred a day; the free ones of a day are worth at most what the day uses."""
    result = estimate(SEARCHES, "openai/global/searching", with_allowances(book, words))

    assert result.gross == 30 + Fraction(3_000 * 1_000 * 25, 10**7)
    assert result.credit == tc.Money(Decimal(free) / 100, "USD")
    assert result.exact == result.gross - Fraction(free, 100)
    assert [(credit.free, credit.amount) for credit in result.credits] == [(free, Fraction(free, 100))]
    assert f"free: {free:,} of" in str(result)


def test_quiet_days_use_less_than_is_free(book):
    """All requests come on Mondays, of which November 2026 has five: 600 a day, of which 100 are free."""
    mondays = tc.HourProfile.weekly([0, 1] + [0] * 166)
    result = estimate(SEARCHES.with_profile(mondays), "openai/global/searching", with_allowances(book, {"quantity": 100}))

    assert result.credits[0].free == 5 * 100


def test_what_was_given_once_before_is_not_credited(book):
    early = {"quantity": 700, "per": "once", "start": tc.to_instant("2026-01-05T00:00:00Z")}
    result = estimate(SEARCHES, "openai/global/searching", with_allowances(book, early))

    assert (result.credits, result.credit) == ((), tc.Money(0, "USD"))
    assert result.notes == ("700 web_search that openai/global/searching gives once are taken as used before",)


def test_segments_and_service_tiers_share_what_is_free(book):
    one = SEARCHES.segments[0]
    both = replace(SEARCHES, segments=(replace(one, requests=1_000), replace(one, name="t", requests=2_000)))
    book = with_allowances(book, {"quantity": 40})

    assert estimate(both, "openai/global/searching", book).exact == estimate(SEARCHES, "openai/global/searching", book).exact


def test_what_there_is_to_know_about_the_prices(book):
    """Stale, uncertain and promotional prices are told; free quantities are not, for they are netted."""
    chat = tc.Workload.described(requests=10, prompt=10, completion=1)
    late = estimate(chat, WINDOWED, book, month="2027-06")
    uncertain = estimate(chat, TIERED, book)
    promoted = next(name for name in book.ids if book.shelf.tariff(name).promos)
    promo = book.shelf.tariff(promoted).promos[0]
    told = estimate(chat, promoted, book, month=f"{promo.start:%Y-%m}")

    assert [type(warning) for warning in late.warnings] == [tc.StalePriceWarning]
    assert tc.UncertainDateWarning in {type(warning) for warning in uncertain.warnings}
    assert tc.PromotionalPriceWarning in {type(warning) for warning in told.warnings}
    assert not any(isinstance(warning, tc.AllowanceNotice) for warning in estimate(SEARCHES, "gemini-2.5-pro", book).warnings)
    assert [known.offering for known in uncertain.evidence] == [TIERED]
    assert len(estimate(chat, WINDOWED, book, month="2026-09").evidence) == 2


def test_announced_prices_are_told(book):
    offering = book.shelf.tariff(WINDOWED)
    after = replace(offering.versions[-1], start=tc.to_instant("2027-01-01T00:00:00Z"), status="announced")
    own = book.with_tariffs([replace(offering, versions=(*offering.versions, after))])
    chat = tc.Workload.described(requests=10, prompt=10, completion=1)

    assert tc.AnnouncedPriceWarning in {type(warning) for warning in estimate(chat, WINDOWED, own, month="2027-01").warnings}
    assert tc.AnnouncedPriceWarning not in {type(warning) for warning in estimate(chat, WINDOWED, own).warnings}


def test_thinking_and_batch_are_priced_as_such(book):
    chat = tc.Workload.described(requests=100, prompt=1_000, completion=1_000, service_tiers={"standard": 0.25, "batch": 0.75})
    result = estimate(chat, "gpt-4o", book)

    rates = {
        tier: book.cost("gpt-4o", tc.Usage(input=1_000, output=1_000), at=MONTH.start, service_tier=tier) for tier in ("standard", "batch")
    }
    assert result.exact == 25 * Fraction(rates["standard"]) + 75 * Fraction(rates["batch"])
    assert {share.name for share in result.by("service_tier")} == {"standard", "batch"}


def test_tables_for_eyes(book):
    profile = tc.HourProfile.daily([0] * 9 + [1] * 9 + [0] * 6, zone="Asia/Shanghai")
    result = estimate(
        tc.Workload.described("chat", requests=1_000, prompt=1_000, completion=100, profile=profile), WINDOWED, book, draws=200
    )
    text = str(result)

    assert text.startswith(f"chat on {WINDOWED} in 2026-11: 1,000 requests, 1,100,000 tokens, ")
    assert all(word in text for word in ("window  peak", "meter   output", "mean size times mean price", "simulated: 0.05: "))
    assert "<table>" in result._repr_html_()
    assert result.table().notes[0].endswith("per 1M tokens")


def test_estimates_pickle(book):
    result = estimate(tc.load_workload("coding-agent"), "claude-sonnet-4-5", book)

    assert pickle.loads(pickle.dumps(result)) == result


@pytest.mark.parametrize("name", tc.shipped_workloads())
def test_every_shipped_workload_has_an_estimate(book, name):
    result = estimate(tc.load_workload(name), "gemini-2.5-pro", book)

    assert result.exact > 0


@given(st.sampled_from(PARTS))
def test_a_workload_that_costs_nothing(part):
    result = tc.estimate(tc.Workload.described(requests=5, prompt=0, completion=0), "gpt-4o", month="2026-03", draws=10)

    assert (result.exact, result.by(part), result.realised_price, result.gap_percent) == (0, (), None, None)


def test_the_estimate_is_what_the_month_costs(book):
    workload = tc.load_workload("mooncake-conversation-2025")
    cost = month_cost(Expectation(book), workload, TIERED, MONTH, selection=Selection())

    assert estimate(workload, TIERED, book).exact == sum(cost.by_currency.values())


CHAT = tc.Workload.described(requests=10, prompt=10, completion=1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tc.estimate(CHAT, "gpt-4o", month="2026-00"), tc.WorkloadError, "month '2026-00' is not a month"),
        (lambda: tc.estimate(CHAT, "gpt-4o", month="2026-03", quantiles=(1.5,)), tc.WorkloadError, "quantile=1.5 is outside 0 to 1"),
        (
            lambda: tc.estimate(CHAT, "gpt-4o", month="2026-03", draws=-1),
            tc.UsageError,
            "draws=-1 is not a whole number from 0 on; pass one",
        ),
        (lambda: tc.estimate(CHAT, "gpt-4o", month="2026-03", seed="x"), tc.UsageError, "seed='x' is not a whole number from 0 on"),
        (lambda: tc.estimate(CHAT, "gpt-4oo", month="2026-03"), tc.UnknownNameError, "no model 'gpt-4oo'"),
        (lambda: tc.estimate(CHAT, "gpt-4o", month="2026-03", currency="dollars"), tc.MoneyError, "dollars"),
        (lambda: tc.estimate(tc.Usage(input=5), "gpt-4o", month="2026-03"), tc.UsageTypeError, "is a Usage; pass a Workload, made by"),
        (lambda: tc.estimate(CHAT, "gpt-4o", month="2026-03", draws=0).by("hour"), tc.UnknownNameError, "no part of an estimate 'hour'"),
    ],
)
def test_estimates_that_cannot_be(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_real_log_costs_what_its_requests_cost(book, shared):
    """In a month of one list the estimate of a log is the sum of its requests, and a spreadsheet misses a tenth of it and more."""
    log = tc.read_trace(shared / "traces" / "mooncake_conversation.jsonl")
    result = estimate(tc.Workload.from_trace(log), TIERED, book, month="2026-06")

    assert result.exact == sum(Fraction(book.cost(TIERED, row.usage, at="2026-06-15T00:00:00Z")) for row in log.rows)
    assert result.gap_percent > 10


def test_the_described_trace_costs_what_the_log_costs(book, shared):
    """On a list with tiers at 32,000 and 128,000 tokens the description is within 2 % of the log, without the hits that it adds."""
    log = tc.Workload.from_trace(tc.read_trace(shared / "traces" / "mooncake_conversation.jsonl"))
    described = tc.load_workload("mooncake-conversation-2025").with_cached(0)

    costs = [float(estimate(own, TIERED, book, month="2026-06").exact) for own in (described, log)]
    assert costs[0] == pytest.approx(costs[1], rel=0.02)

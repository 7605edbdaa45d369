"""Self-hosted prices, by figures worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

START = "2026-01-01T00:00:00Z"


def prices(**keys) -> dict[str, Decimal]:
    """The prices of a tariff made from these numbers."""
    made = tc.self_hosted("me/rack/llama", **{"gpu_hour": 1, "tokens_per_second": {"output": 1_000}, "start": START, **keys})
    return made.versions[0].rates[0].prices


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        # one dollar buys 3.6 million tokens: 1 / 3.6
        ({}, {"output": "0.277778"}),
        # 8 x 2.50 = 20 an hour at full use; 20,000/s make 72 million, 2,500/s 9 million: 20 / 72, 20 / 9
        (
            {"gpu_hour": "2.50", "gpus": 8, "tokens_per_second": {"input": 20_000, "output": 2_500}},
            {"input": "0.277778", "output": "2.222222"},
        ),
        # the same used for 40 percent of the time: divided by 0.4
        (
            {"gpu_hour": "2.50", "gpus": 8, "utilisation": "0.4", "tokens_per_second": {"input": 20_000, "output": 2_500}},
            {"input": "0.694444", "output": "5.555556"},
        ),
        # 3.60 an hour at 1,000/s: 3.6 million tokens cost 3.60
        ({"gpu_hour": "3.6"}, {"output": "1"}),
        ({"gpu_hour": 0}, {"output": "0"}),
        # half of a millionth rounds to the even neighbour: 0.0000018 x 10^6 / (3600 x 1000) = 0.0000005 and three times that
        ({"gpu_hour": "0.0000018"}, {"output": "0"}),
        ({"gpu_hour": "0.0000054"}, {"output": "0.000002"}),
    ],
)
def test_prices_by_hand(keys, expected):
    assert prices(**keys) == {name: Decimal(price) for name, price in expected.items()}


@given(
    hour=st.decimals(0, 1_000, places=4),
    gpus=st.integers(1, 64),
    rate=st.decimals("0.01", 10**6, places=2),
    use=st.decimals("0.01", 1, places=2),
)
def test_a_price_earns_the_hour_back(hour, gpus, rate, use):
    """The tokens of a paid hour at this price cost what the hour cost, within the sixth decimal of the price."""
    price = prices(gpu_hour=hour, gpus=gpus, utilisation=use, tokens_per_second={"output": rate})["output"]
    millions = Fraction(rate) * 3_600 * Fraction(use) / 1_000_000
    assert abs(Fraction(price) * millions - Fraction(hour) * gpus) <= millions / 2_000_000


def test_it_is_a_tariff_like_any_other(book):
    mine = tc.self_hosted(
        "me/rack/llama", gpu_hour="2.5", tokens_per_second={"output": 2_500}, currency="EUR", start="2026-01-01T08:00:00+08:00"
    )
    assert (mine.id, mine.publisher, mine.provider, mine.model) == ("me/rack/llama", "me", "me", "llama")
    (version,) = mine.versions
    assert (version.start, version.basis, version.checked) == (datetime(2026, 1, 1, tzinfo=UTC), "documented", date(2026, 1, 1))
    assert version.note == "1 GPU at 2.5 EUR an hour, utilisation 1, output 2500/s"
    more = book.with_tariffs([mine])
    quote = more.quote("llama", tc.Usage(output=1_000_000), at="2026-02-01T00:00:00Z")
    assert quote.total == tc.Money("0.277778", "EUR")
    assert more.tariff("me/llama").id == "me/rack/llama"
    assert book.ids == tuple(name for name in more.ids if name != "me/rack/llama")
    with pytest.raises(tc.OutsideHistoryError):
        more.cost("me/rack/llama", tc.Usage(output=1), at="2025-12-31T23:59:59Z")


def test_a_note_of_ones_own_replaces_the_sum(book):
    mine = tc.self_hosted("me/rack/llama", gpu_hour=1, tokens_per_second={"output": 1}, start=START, note="the old rack")
    assert book.with_tariffs([mine]).quote("me/rack/llama", tc.Usage(output=1), at=START).evidence.note == "the old rack"


@pytest.mark.parametrize(
    ("keys", "kind", "message"),
    [
        ({"gpu_hour": 1.5}, tc.MoneyTypeError, r"gpu_hour 1.5 is a binary float, not exact; pass Decimal\('1.5'\)"),
        ({"gpu_hour": "-1"}, tc.UsageError, "gpu_hour is 0 or more"),
        ({"gpus": 0}, tc.UsageError, "gpus 1 or more"),
        ({"gpus": 1.5}, tc.MoneyTypeError, "gpus 1.5 is a binary float"),
        ({"gpus": True}, tc.MoneyTypeError, "gpus True is a bool"),
        ({"utilisation": 0}, tc.UsageError, "utilisation=0 is not above 0 and at most 1"),
        ({"utilisation": "1.01"}, tc.UsageError, "utilisation=1.01 is not above 0 and at most 1"),
        ({"utilisation": 0.4}, tc.MoneyTypeError, "utilisation 0.4 is a binary float"),
        ({"tokens_per_second": {}}, tc.UsageError, "nothing has a price"),
        ({"tokens_per_second": {"output": 0}}, tc.UsageError, r"tokens_per_second\['output'\]=0 is not above 0"),
        ({"tokens_per_second": {"output": 2.5}}, tc.MoneyTypeError, "is a binary float"),
        ({"tokens_per_second": {"outptu": 1}}, tc.UnknownNameError, "did you mean 'output'"),
        ({"tokens_per_second": {"audio_s": 1}}, tc.UsageError, "counts seconds, not tokens"),
        ({"currency": "dollars"}, tc.MoneyError, "is not an ISO 4217 code"),
        ({"start": "2026-01-01"}, tc.InstantTypeError, "is a date at best"),
    ],
)
def test_numbers_that_make_no_price_are_refused(keys, kind, message):
    with pytest.raises(kind, match=message):
        prices(**keys)


@pytest.mark.parametrize("name", ["llama", "rack/llama", "me//llama", "/rack/llama", "me/rack/"])
def test_an_id_of_another_form_is_refused(name):
    with pytest.raises(tc.LayerError, match="is not provider/endpoint/model"):
        tc.self_hosted(name, gpu_hour=1, tokens_per_second={"output": 1}, start=START)

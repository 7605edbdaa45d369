"""Rate cards: rows, ladders, slices and minimum billing, by figures worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.rating.card import Cell, Origin, Scope, Step, make_cell

START = datetime(2025, 1, 1, tzinfo=UTC)
AT = "2025-06-01T00:00:00Z"


def rate(**keys) -> tc.Rate:
    """A USD row; prices are written as text or whole numbers."""
    selectors = {name: keys.pop(name) for name in list(keys) if name not in tc.METERS}
    return tc.Rate(currency="USD", prices={name: Decimal(price) for name, price in keys.items()}, **selectors)


def tariff(*rows: tc.Rate, **keys) -> tc.Tariff:
    """A tariff of one version with these rows."""
    inside = {name: keys.pop(name) for name in ("minimum", "adjustments", "schedule") if name in keys}
    version = tc.Version(start=START, basis="announced", source="lab", checked=START.date(), rates=rows, **inside)
    return tc.Tariff(id="lab/rack/m", publisher="lab", versions=(version,), **keys)


def cell(*, minimum=None, **prices) -> Cell:
    """One resolved row."""
    row = rate(**prices)
    return Cell(Scope("lab/rack/m", "USD"), row, row.prices, steps=(), minimum=minimum or {}, origin=Origin("list", "lab"))


@pytest.fixture
def priced(lab):
    """Price a usage on a tariff: the total, and for each line what it was billed as and its amount."""

    def total(law: tc.Tariff, at: str = AT, **counts: int) -> tuple[Decimal, list[tuple[str, str, Decimal]]]:
        book = lab.with_tariffs([law])
        quote = book.quote(law.id, tc.Usage(**counts), at=at)
        assert book.cost(law.id, tc.Usage(**counts), at=at) == quote.total.amount
        return quote.total.amount, [(line.meter, line.billed_as, line.amount.amount) for line in quote.lines]

    return total


def test_a_bucket_without_a_rate_is_billed_at_its_nearest_priced_ancestor(priced):
    """cache_write_1h falls to cache_write, audio_cache_read past audio_input to input, reasoning to output."""
    law = tariff(rate(input=2, cache_write="2.5", output=8))
    counts = {
        "cache_write_1h": 1_000_000,
        "cache_write": 1_000_000,
        "audio_cache_read": 1_000_000,
        "cache_read": 1_000_000,
        "reasoning": 1_000_000,
    }
    total, lines = priced(law, **counts)
    assert lines == [
        ("cache_write_1h", "cache_write", Decimal("2.5")),
        ("cache_write", "cache_write", Decimal("2.5")),
        ("audio_cache_read", "input", Decimal(2)),
        ("cache_read", "input", Decimal(2)),
        ("reasoning", "output", Decimal(8)),
    ]
    assert total == 17


@pytest.mark.parametrize("meter", sorted(tc.METERS))
def test_every_meter_falls_back_along_its_own_branch_and_no_other(lab, meter):
    """With only its root priced a bucket is billed as the root; with only other roots priced it is an error."""
    chain = [meter]
    while tc.METERS[chain[-1]].parent is not None:
        chain.append(tc.METERS[chain[-1]].parent)
    book = lab.with_tariffs([tariff(rate(**{chain[-1]: 3_600}))])
    quote = book.quote("lab/rack/m", tc.Usage(**{meter: 1}), at=AT)
    assert [(line.meter, line.billed_as, line.priced_per) for line in quote.lines] == [(meter, chain[-1], tc.METERS[chain[-1]].priced_per)]
    assert quote.total.amount == Decimal(3_600) / tc.METERS[chain[-1]].per
    others = {name: 1 for name, other in tc.METERS.items() if other.parent is None and name != chain[-1]}
    with pytest.raises(tc.UnpricedMeterError, match=f"no rate for {' or '.join(chain)} in USD") as caught:
        lab.with_tariffs([tariff(rate(**others))]).cost("lab/rack/m", tc.Usage(**{meter: 1}), at=AT)
    assert caught.value.meter == meter
    assert caught.value.priced == tuple(others)


def test_a_published_zero_is_free_and_a_missing_price_is_not(lab):
    free = lab.with_tariffs([tariff(rate(input=0, output=0))])
    assert free.cost("lab/rack/m", tc.Usage(input=10**9, reasoning=10**9), at=AT) == 0
    with pytest.raises(tc.UnpricedMeterError):
        free.cost("lab/rack/m", tc.Usage(input=1, web_search=1), at=AT)


@pytest.mark.parametrize(
    ("size", "unit"),
    [(0, 0), (1, 2), (32_000, 2), (32_001, 4), (127_999, 4), (128_000, 4), (128_001, 7), (256_000, 7)],
)
def test_a_cliff_re_rates_the_whole_request_above_its_exclusive_edge(priced, size, unit):
    law = tariff(
        rate(above=0, input=2, output=1), rate(above=32_000, input=4, output=2), rate(above=128_000, up_to=256_000, input=7, output=3)
    )
    assert priced(law, input=size)[0] == Decimal(size * unit) / 1_000_000
    assert priced(law, input=size // 2, cache_read=size - size // 2)[0] == Decimal(size * unit) / 1_000_000


def test_a_request_above_the_last_edge_has_no_price(lab):
    law = tariff(rate(above=0, input=2, output=1), rate(above=128_000, up_to=256_000, input=7, output=3))
    with pytest.raises(
        tc.AboveListError, match="256001 input tokens are above 256000, the largest request that lab/rack/m prices in USD"
    ) as caught:
        lab.with_tariffs([law]).cost("lab/rack/m", tc.Usage(input=1, cache_read=256_000), at=AT)
    assert (caught.value.offering, caught.value.tokens, caught.value.limit) == ("lab/rack/m", 256_001, 256_000)
    one_row = tariff(rate(above=0, up_to=200_000, input=3, output=15))
    assert lab.with_tariffs([one_row]).cost("lab/rack/m", tc.Usage(input=200_000), at=AT) == Decimal("0.6")
    with pytest.raises(tc.AboveListError, match="200001 input tokens are above 200000"):
        lab.with_tariffs([one_row]).cost("lab/rack/m", tc.Usage(input=200_001), at=AT)


@pytest.mark.parametrize(("size", "unit"), [(199_998, 2), (199_999, 2), (200_000, 4), (200_001, 4)])
def test_an_inclusive_edge_belongs_to_the_tier_above(priced, size, unit):
    law = tariff(rate(at_or_above=0, input=2, output=1), rate(at_or_above=200_000, input=4, output=2))
    assert priced(law, input=size)[0] == Decimal(size * unit) / 1_000_000


@pytest.mark.parametrize(("prompt", "completion", "unit"), [(32_000, 0, 1), (32_000, 1, 3), (31_999, 1, 1), (1, 32_000, 3), (0, 32_000, 1)])
def test_a_ladder_on_the_total_counts_the_completion(priced, prompt, completion, unit):
    law = tariff(rate(above=0, input=1, output=1), rate(above=32_000, input=3, output=3), tier_on="total")
    assert priced(law, input=prompt, output=completion)[0] == Decimal((prompt + completion) * unit) / 1_000_000


@pytest.mark.parametrize(
    ("prompt", "completion", "units"),
    [
        (32_000, 200, ("0.8", 2)),
        (32_000, 201, ("0.8", 8)),
        (32_001, 200, ("1.2", 16)),
        (32_001, 201, ("1.2", 16)),
        (128_001, 1, ("2.4", 24)),
    ],
)
def test_an_output_ladder_inside_a_context_tier(priced, prompt, completion, units):
    """The list of doubao-seed-1.6: up to 200 tokens of answer to a short prompt are cheaper."""
    law = tariff(
        rate(above=0, above_output=0, input="0.8", output=2),
        rate(above=0, above_output=200, input="0.8", output=8),
        rate(above=32_000, input="1.2", output=16),
        rate(above=128_000, up_to=256_000, input="2.4", output=24),
    )
    expected = (prompt * Decimal(units[0]) + completion * units[1]) / 1_000_000
    assert priced(law, input=prompt, output=completion)[0] == expected


def test_an_answer_above_the_last_output_edge_has_no_price(lab):
    law = tariff(rate(above_output=0, input=1, output=1), rate(above_output=200, up_to_output=16_000, input=1, output=8))
    book = lab.with_tariffs([law])
    assert book.cost("lab/rack/m", tc.Usage(reasoning=16_000), at=AT) == Decimal("0.128")
    with pytest.raises(tc.AboveListError, match="16001 output tokens are above 16000"):
        book.cost("lab/rack/m", tc.Usage(output=1, reasoning=16_000), at=AT)


GRADUATED = tariff(
    rate(above=0, input=10, cache_read=1, cache_write=12, output=100),
    rate(above=100, input=20, cache_read=2, cache_write=24, output=200),
    rate(above=300, input=40, cache_read=4, cache_write=48, output=400),
    tiering="graduated",
)


@pytest.mark.parametrize(
    ("counts", "millionths"),
    [
        ({"input": 100}, 100 * 10),
        ({"input": 101}, 100 * 10 + 1 * 20),
        ({"input": 300, "output": 1}, 100 * 10 + 200 * 20 + 200),
        ({"input": 301, "output": 1}, 100 * 10 + 200 * 20 + 1 * 40 + 400),
        # cache reads fill the first tier, the write reaches the second, the fresh prompt the third
        ({"input": 200, "cache_read": 80, "cache_write": 50, "output": 7}, 80 * 1 + 20 * 12 + 30 * 24 + 170 * 20 + 30 * 40 + 7 * 400),
        ({"input": 50, "cache_read": 250}, 100 * 1 + 150 * 2 + 50 * 20),
        ({"output": 9}, 9 * 100),
        ({}, 0),
    ],
)
def test_graduated_tiers_by_hand(priced, counts, millionths):
    total, lines = priced(GRADUATED, **counts)
    assert total == Decimal(millionths) / 1_000_000
    assert sum(amount for *_, amount in lines) == total


def test_graduated_slices_pay_their_own_output_band(priced):
    """Inside a graduated tier the answer's length chooses the row, and the prompt ends in the second tier."""
    law = tariff(
        rate(above=0, above_output=0, input=10, output=100),
        rate(above=0, above_output=200, input=11, output=110),
        rate(above=100, above_output=0, input=20, output=200),
        rate(above=100, above_output=200, input=22, output=220),
        tiering="graduated",
    )
    assert priced(law, input=150, output=200)[0] == Decimal(100 * 10 + 50 * 20 + 200 * 200) / 1_000_000
    assert priced(law, input=150, output=201)[0] == Decimal(100 * 11 + 50 * 22 + 201 * 220) / 1_000_000


@given(n=st.integers(0, 1_000), m=st.integers(0, 1_000))
def test_a_graduated_price_never_jumps(lab, n, m):
    """One more token costs at most the dearest tier's price of one token, at an edge as anywhere."""
    book = lab.with_tariffs([GRADUATED])
    step = book.cost("lab/rack/m", tc.Usage(input=n + 1, cache_read=m), at=AT) - book.cost(
        "lab/rack/m", tc.Usage(input=n, cache_read=m), at=AT
    )
    assert Decimal(1) / 1_000_000 <= step <= Decimal(40) / 1_000_000


@pytest.mark.parametrize(("seconds", "billed"), [(0, None), (1, 10), (9, 10), (10, 10), (11, 11), (3_600, 3_600)])
def test_minimum_billing_raises_a_meter_that_is_used_at_all(lab, seconds, billed):
    """0.36 USD an hour is 0.0001 a second; ten seconds are billed at least."""
    book = lab.with_tariffs([tariff(rate(audio_s="0.36"), minimum={"audio_s": 10})])
    quote = book.quote("lab/rack/m", tc.Usage(audio_s=seconds), at=AT)
    assert [(line.quantity, line.billed) for line in quote.lines] == ([] if billed is None else [(seconds, billed)])
    assert quote.total.amount == Decimal(billed or 0) / 10_000
    assert book.cost("lab/rack/m", tc.Usage(audio_s=seconds), at=AT) == quote.total.amount


def test_a_minimum_leaves_other_meters_alone(lab):
    """A token price beside a minimum is the plain product, for a meter in the same unit as for any other."""
    law = tariff(rate(input=3, request=5, audio_s="0.36"), minimum={"request": 4, "audio_s": 10})
    book = lab.with_tariffs([law])
    assert book.cost(law.id, tc.Usage(input=1_000_000), at=AT) == 3
    assert book.cost(law.id, tc.Usage(input=1_000_000, request=1), at=AT) == Decimal("3.02")  # 4 x 5 / 1,000
    assert book.cost(law.id, tc.Usage(input=1_000_000, request=5), at=AT) == Decimal("3.025")


@given(
    parts=st.lists(
        st.dictionaries(st.sampled_from(["audio_s", "video_s", "cache_storage", "container_s", "input"]), st.integers(0, 10**7)), max_size=5
    )
)
def test_hours_are_exact_as_fractions_and_add_up(parts):
    """A price by the hour is a third of a cent somewhere; the sum of the parts is the whole all the same."""
    one = cell(audio_s="0.11", video_s="0.000001", cache_storage="4.5", container_s="0.05", input="0.55")
    usages = [tc.Usage.of(counts) for counts in parts]
    assert sum((one.fraction(usage) for usage in usages), Fraction(0)) == one.fraction(sum(usages, tc.Usage()))
    seconds = sum(usage.audio_s for usage in usages)
    assert one.amount("audio_s", seconds) == Fraction(11 * seconds, 360_000)


@given(prices=st.dictionaries(st.sampled_from(sorted(tc.METERS)), st.decimals(0, 10**6, places=6), min_size=1), data=st.data())
def test_integers_say_what_fractions_say(prices, data):
    """The fast sum of integers and the slow sum of fractions are one number; what has no integer is refused."""
    one = cell(**prices)
    usage = tc.Usage.of(data.draw(st.dictionaries(st.sampled_from(sorted(one.billed_as)), st.integers(0, 10**9), max_size=6)))
    if any(name in one.odd for name in usage.counts):
        with pytest.raises(KeyError):
            one.number(usage)
    else:
        assert Fraction(one.number(usage), 10**one.scale) == one.fraction(usage)


def test_factors_apply_to_token_meters_or_to_those_named_and_their_parts():
    law = tariff(rate(input=2, cache_read=1, output=8, reasoning=4, web_search=10))
    everything = tc.Adjustment(service_tier="batch", multiply=Decimal("0.5"))
    output = tc.Adjustment(residency="us", multiply=Decimal("1.1"), meters=("output",))
    above = [
        Step("promo", multiply=Decimal("0.1"), meters=frozenset({"input"})),
        Step("contract c", prices={"cache_read": Decimal("0.07")}),
    ]
    made = make_cell(law, law.versions[0].rates[0], [everything, output], above, minimum={}, origin=Origin("list", "lab"))
    assert {name: str(price) for name, price in made.prices.items()} == {
        "input": "0.1",  # 2 x 0.5 x 0.1
        "cache_read": "0.07",
        "output": "4.4",  # 8 x 0.5 x 1.1
        "reasoning": "2.2",
        "web_search": "10",
    }
    assert {name: made.layer(name) for name in made.prices} == {
        "input": "promo",
        "cache_read": "contract c",
        "output": "list",
        "reasoning": "list",
        "web_search": "list",
    }


def test_factors_may_need_more_digits_than_a_price_list():
    """0.003625 x 0.333 x 1.1 has eleven decimals; the integer behind it carries them."""
    law = tariff(rate(input="0.003625"))
    factors = [tc.Adjustment(service_tier="batch", multiply=Decimal("0.333")), tc.Adjustment(residency="us", multiply=Decimal("1.1"))]
    made = make_cell(law, law.versions[0].rates[0], factors, (), minimum={}, origin=Origin("list", "lab"))
    assert made.prices["input"] == Decimal("0.0013278375")
    assert Fraction(made.number(tc.Usage(input=7)), 10**made.scale) == Fraction(7 * 13_278_375, 10**10 * 10**6)

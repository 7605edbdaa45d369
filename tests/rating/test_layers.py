"""Layers: contracts and markups above the list, with dates, tenants and an order."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from rating.agreement import agree, error_of
from rating.draws import choice_at, counts_for, instants_for, tariffs

MICROSECOND = timedelta(microseconds=1)
START = datetime(2025, 1, 1, tzinfo=UTC)
AT = "2025-06-01T00:00:00Z"
PRICES = {"input": Decimal(2), "cache_read": Decimal(1), "output": Decimal(8), "reasoning": Decimal(6), "web_search": Decimal(10)}


def law(name: str = "lab/rack/m") -> tc.Tariff:
    """Two lists and a batch factor."""
    rates = (tc.Rate(currency="USD", prices=PRICES), tc.Rate(currency="CNY", prices={name: price * 7 for name, price in PRICES.items()}))
    batch = tc.Adjustment(service_tier="batch", multiply=Decimal("0.5"))
    version = tc.Version(start=START, basis="announced", source="lab", checked=date(2025, 6, 1), rates=rates, adjustments=(batch,))
    return tc.Tariff(id=name, publisher="lab", versions=(version,))


@pytest.fixture
def card(lab):
    """The unit prices under layers, and the layer that gave each."""

    def made(
        *layers: tc.Contract | tc.Markup, name: str = "lab/rack/m", at: str = AT, **selection: str
    ) -> tuple[dict[str, Decimal], dict[str, str]]:
        book = lab.with_tariffs([law(), law("lab/rack/other")]).with_layers(layers)
        quote = book.quote(name, tc.Usage.of(dict.fromkeys(PRICES, 1_000)), at=at, **selection)
        assert quote.total.amount == book.cost(name, quote.usage, at=at, **selection)
        prices = book.tariff(name).card(at=at, **selection).rows[0].prices
        assert prices == {line.meter: line.price for line in quote.lines}
        return dict(prices), {line.meter: line.layer for line in quote.lines}

    return made


def times(factor: str, *, only: tuple[str, ...] = tuple(PRICES), base: dict[str, Decimal] = PRICES) -> dict[str, Decimal]:
    return {name: price * Decimal(factor) if name in only else price for name, price in base.items()}


def test_without_layers_the_list_gives_every_rate(card):
    assert card() == (PRICES, dict.fromkeys(PRICES, "list"))


def test_a_percentage_applies_to_every_meter(card):
    """Fees for searches are discounted and marked up as tokens are."""
    assert card(tc.Contract("acme", percent=-20)) == (times("0.8"), dict.fromkeys(PRICES, "contract acme"))
    assert card(tc.Markup("resale", percent="12.5")) == (times("1.125"), dict.fromkeys(PRICES, "markup resale"))


def test_a_percentage_may_name_meters_and_covers_their_parts(card):
    prices, layers = card(tc.Contract("answers", percent=-50, meters=["output", "web_search"]))
    assert prices == times("0.5", only=("output", "reasoning", "web_search"))
    assert layers == {m: "contract answers" if m in ("output", "reasoning", "web_search") else "list" for m in PRICES}


def test_prices_replace_those_they_name_in_their_currency_only(card):
    contract = tc.Contract("fixed", prices={"input": "1.5", "output": 6}, currency="USD")
    assert card(contract) == (
        {**PRICES, "input": Decimal("1.5"), "output": Decimal(6)},
        {**dict.fromkeys(PRICES, "list"), "input": "contract fixed", "output": "contract fixed"},
    )
    assert card(contract, currency="CNY")[1] == dict.fromkeys(PRICES, "list")


def test_prices_may_add_a_meter_that_the_list_has_not(lab):
    book = lab.with_tariffs([law()]).with_layers([tc.Contract("files", prices={"file_search": "2.5"}, currency="USD")])
    assert book.cost("lab/rack/m", tc.Usage(file_search=1_000), at=AT) == Decimal("2.5")
    with pytest.raises(tc.UnpricedMeterError):
        book.cost("lab/rack/m", tc.Usage(file_search=1_000), at=AT, currency="CNY")


def test_a_markup_lies_above_a_contract_whatever_their_order(card):
    contract, markup = tc.Contract("c", percent=-20), tc.Markup("m", percent=10, meters=["output"])
    expected = (
        times("1.1", only=("output", "reasoning"), base=times("0.8")),
        {m: "markup m" if m in ("output", "reasoning") else "contract c" for m in PRICES},
    )
    assert card(contract, markup) == expected
    assert card(markup, contract) == expected


def test_a_contract_lies_above_the_factors_and_the_promotion(lab):
    """2 USD, half in batch, a quarter off by promotion, a tenth off by contract: 2 x 0.5 x 0.75 x 0.9."""
    promo = tc.Promo(
        start=START, until=START + timedelta(days=400), basis="announced", source="lab", checked=date(2025, 6, 1), multiply=Decimal("0.75")
    )
    plain = law()
    tariff = tc.Tariff(id=plain.id, publisher="lab", versions=plain.versions, promos=(promo,))
    book = lab.with_tariffs([tariff]).with_layers([tc.Contract("c", percent=-10)])
    assert book.cost("lab/rack/m", tc.Usage(input=1_000_000), at=AT, service_tier="batch") == Decimal("0.675")
    fixed = lab.with_tariffs([tariff]).with_layers([tc.Contract("c", prices={"input": 1}, currency="USD")])
    assert fixed.cost("lab/rack/m", tc.Usage(input=1_000_000), at=AT, service_tier="batch") == 1


@pytest.mark.parametrize(
    ("narrow", "hit", "miss"),
    [
        ({"provider": "lab"}, {}, None),
        ({"provider": "someone"}, None, {}),
        ({"offering": "lab/rack/m"}, {}, {"name": "lab/rack/other"}),
        ({"tenant": "acme"}, {"tenant": "acme"}, {"tenant": "beta"}),
        ({"tenant": "acme"}, {"tenant": "acme"}, {}),
        ({"service_tier": "batch"}, {"service_tier": "batch"}, {}),
        ({"currency": "CNY"}, {"currency": "CNY"}, {}),
        ({"provider": "lab", "tenant": "acme", "service_tier": "batch"}, {"tenant": "acme", "service_tier": "batch"}, {"tenant": "acme"}),
    ],
)
def test_a_layer_applies_to_what_it_names_only(card, narrow, hit, miss):
    layer = tc.Contract("c", percent=-50, **narrow)
    if hit is not None:
        assert set(card(layer, **hit)[1].values()) == {"contract c"}
    if miss is not None:
        assert set(card(layer, **miss)[1].values()) == {"list"}


def test_the_narrowest_of_a_kind_wins_and_does_not_add_up(card):
    """A tenant's contract beats an offering's, that a provider's, that a service tier's, that one for everything."""
    every = [
        tc.Contract("all", percent=-1),
        tc.Contract("tier", percent=-2, service_tier="standard"),
        tc.Contract("provider", percent=-3, provider="lab"),
        tc.Contract("offering", percent=-4, offering="lab/rack/m"),
        tc.Contract("tenant", percent=-5, tenant="acme"),
    ]
    while every:
        prices, layers = card(*every, tenant="acme")
        assert set(layers.values()) == {f"contract {every[-1].name}"}
        assert prices == times(str(every[-1].multiply))
        every.pop()


def test_dates_are_half_open(card):
    layers = [tc.Contract("may", percent=-10, start="2025-05-01T00:00:00Z", until=AT), tc.Contract("june", percent=-30, start=AT)]
    at = tc.to_instant(AT)
    assert [
        set(card(*layers, at=when)[1].values()) for when in (tc.to_instant("2025-05-01T00:00:00Z") - MICROSECOND, at - MICROSECOND, at)
    ] == [
        {"list"},
        {"contract may"},
        {"contract june"},
    ]


def test_two_equal_claims_are_an_error_that_names_both(card):
    with pytest.raises(tc.LayerError, match="contracts 'one' and 'two' both claim lab/rack/m at 2025-06-01T00:00:00Z") as caught:
        card(tc.Contract("one", percent=-1), tc.Contract("two", percent=-2, until="2025-07-01T00:00:00Z"), at="2025-06-01T00:00:00Z")
    assert caught.value.layers == ("one", "two")
    one_each = card(tc.Contract("one", percent=-1), tc.Markup("two", percent=2))[1]
    assert set(one_each.values()) == {"markup two"}
    later = card(tc.Contract("one", percent=-1), tc.Contract("two", percent=-2, until="2025-02-01T00:00:00Z"))[1]
    assert set(later.values()) == {"contract one"}


def test_cost_and_quote_refuse_a_conflict_alike(lab):
    book = lab.with_tariffs([law()]).with_layers([tc.Markup("one", percent=1), tc.Markup("two", percent=2)])
    errors = [error_of(lambda call=call: call("lab/rack/m", tc.Usage(input=1), at=AT)) for call in (book.cost, book.quote)]
    assert type(errors[0]) is tc.LayerError
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ("keys", "kind", "message"),
    [
        ({}, tc.LayerError, "needs a percent or prices, and not both"),
        ({"percent": 1, "prices": {"input": 1}, "currency": "USD"}, tc.LayerError, "needs a percent or prices, and not both"),
        ({"prices": {}, "currency": "USD"}, tc.LayerError, "needs a percent or prices, and not both"),
        ({"prices": {"input": 1}}, tc.LayerError, "has prices without a currency"),
        ({"prices": {"input": -1}, "currency": "USD"}, tc.LayerError, "has a negative price"),
        ({"prices": {"input": 0.5}, "currency": "USD"}, tc.MoneyTypeError, "input 0.5 is a binary float"),
        ({"prices": {"imput": 1}, "currency": "USD"}, tc.UnknownNameError, "did you mean 'input'"),
        ({"prices": {"input": 1}, "currency": "usd"}, tc.MoneyError, "is not an ISO 4217 code"),
        ({"percent": 0.5}, tc.MoneyTypeError, "percent 0.5 is a binary float"),
        ({"percent": "lots"}, tc.MoneyError, "is not a decimal number"),
        ({"percent": "-100.01"}, tc.LayerError, "takes off 100.01 percent; at most 100"),
        ({"percent": 1, "meters": ["imput"]}, tc.UnknownNameError, "did you mean 'input'"),
        ({"percent": 1, "start": AT, "until": AT}, tc.LayerError, "let until be later"),
        ({"percent": 1, "start": "2025-06-01"}, tc.InstantTypeError, "is a date at best"),
        ({"percent": 1, "offering": "gpt-4o"}, tc.LayerError, "write it as provider/endpoint/model"),
        ({"percent": 1, "offering": "openai//gpt-4o"}, tc.LayerError, "write it as provider/endpoint/model"),
        ({"percent": 1, "service_tier": "bach"}, tc.UnknownNameError, "no service tier 'bach'"),
    ],
)
@pytest.mark.parametrize("make", [tc.Contract, tc.Markup])
def test_a_layer_that_could_not_hold_is_refused(make, keys, kind, message):
    with pytest.raises(kind, match=message):
        make("c", **keys)


def test_a_layer_takes_any_exact_percentage(card):
    assert card(tc.Contract("free", percent=-100))[0] == times("0")
    thirds = card(tc.Markup("precise", percent="33.333333333333333333333333333333"))[0]
    assert thirds["output"] == Decimal("10.66666666666666666666666666666664")


def test_layers_print_compare_and_pickle():
    layers = [
        tc.Contract("c", percent=-20, provider="openai", tenant="acme", start=AT),
        tc.Markup("m", prices={"input": 1}, currency="USD", meters=["output"]),
    ]
    assert pickle.loads(pickle.dumps(layers)) == layers
    assert len({*layers, *pickle.loads(pickle.dumps(layers))}) == 2
    assert layers[0] != tc.Contract("c", percent=-21, provider="openai", tenant="acme", start=AT)
    assert tc.Contract("x", percent=1) != tc.Markup("x", percent=1)
    assert repr(layers[0]).startswith("Contract('c', multiply=Decimal('0.80'), provider='openai'")


LAYERS = st.lists(
    st.one_of(
        st.builds(
            dict,
            percent=st.sampled_from(["-100", "-12.5", "0", "3.000001", "250"]),
            meters=st.sampled_from([None, ("input",), ("output", "web_search"), ("cache_write",)]),
            prices=st.none(),
        ),
        st.builds(
            dict,
            percent=st.none(),
            meters=st.none(),
            prices=st.dictionaries(st.sampled_from(["input", "output", "cache_read", "request"]), st.decimals(0, 99, places=6), min_size=1),
        ),
    ),
    min_size=2,
    max_size=2,
)


@given(data=st.data(), both=LAYERS)
def test_layers_cost_what_the_oracle_says(lab, data, both):
    """A contract, then a markup, over any tariff: the oracle multiplies step by step."""
    tariff = data.draw(tariffs())
    at = data.draw(instants_for(tariff))
    wanted = choice_at(data, tariff, at)
    made = []
    for kind, layer in zip((tc.Contract, tc.Markup), both, strict=True):
        keys = (
            {"percent": layer["percent"], "meters": layer["meters"] or ()}
            if layer["prices"] is None
            else {"prices": layer["prices"], "currency": wanted.currency}
        )
        made.append(kind("x", **keys))
    book = lab.with_tariffs([tariff]).with_layers(made)
    agree(book, tariff, data.draw(counts_for(tariff)), at, wanted, layers=both)

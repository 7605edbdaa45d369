"""What the press said of prices, held against the provider's own list."""

import pickle
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc

PRESS = "ainvest-2025-07-28"
AT = "2025-02-01T12:00:00Z"
USAGE = tc.Usage(cache_read=70_000_000, input=30_000_000, output=10_000_000)


@pytest.fixture
def claim(book):
    return next(claim for claim in book.claims if claim.id == PRESS)


def test_the_pair_of_the_press_leaves_a_quarter_of_the_bill_out(book):
    """100 million input tokens at 0.14 and 10 million output tokens at 2.19, where 30 million of the input cost 0.55."""
    check = tc.explain_claim(book, PRESS, USAGE, at=AT)
    assert (check.really, check.by_press) == (tc.Money("48.20", "USD"), tc.Money("35.90", "USD"))
    assert check.missing == tc.Money("12.30", "USD")
    assert [(line.meter, line.charged_as, str(line.amount)) for line in check.lines] == [
        ("cache_read", "input", "9.80 USD"),
        ("input", "input", "4.20 USD"),
        ("output", "output", "21.90 USD"),
    ]


def test_the_reasons_say_which_rate_each_figure_is(book):
    assert tc.explain_claim(book, PRESS, USAGE, at=AT).reasons == (
        "input was said to cost 0.14 per 1M tokens; that is the price of cache_read, input cost 0.55",
        "output was said to cost 2.19 per 1M tokens, and did",
        (
            "the press charges all 100,000,000 tokens under input 0.14 per 1M tokens; "
            "really 70,000,000 cache_read pay 0.14 and 30,000,000 input pay 0.55"
        ),
    )


def test_without_a_usage_only_the_figures_are_explained(book):
    check = tc.explain_claim(book, PRESS)
    assert [(price.meter, price.really, price.right, price.traced) for price in check.prices] == [
        ("input", "cache_read", False, True),
        ("output", "output", True, True),
    ]
    assert (check.quote, check.by_press, check.really, check.missing, check.lines) == (None, None, None, None, ())
    assert len(check.reasons) == 2


def test_a_usage_that_the_press_prices_right_needs_no_reason(book):
    check = tc.explain_claim(book, PRESS, tc.Usage(cache_read=1_000, output=10), at=AT)
    assert check.missing == tc.Money(0, "USD")
    assert len(check.reasons) == 2


def test_without_an_instant_the_claims_own_is_taken(book, claim):
    assert tc.explain_claim(book, claim, USAGE).quote.at == claim.at


def test_a_figure_that_is_on_no_list_is_called_so(book, claim):
    made_up = replace(claim, said={"input": Decimal("0.2")})
    assert tc.explain_claim(book, made_up).reasons == (
        "input was said to cost 0.2 per 1M tokens; no price of the list, cache_read was 0.14, input cost 0.55",
    )


@given(
    usage=st.fixed_dictionaries(
        {}, optional={name: st.integers(0, 10**9) for name in ("input", "cache_read", "cache_write", "output", "reasoning")}
    ).map(tc.Usage.of)
)
def test_the_press_reckoning_is_two_products(book, usage):
    """All input at the figure for input, all output at the figure for output, exactly; the rest is the difference to the quote."""
    check = tc.explain_claim(book, PRESS, usage, at=AT)
    expected = (usage.input_total * Fraction("0.14") + usage.output_total * Fraction("2.19")) / 10**6
    assert Fraction(check.by_press.amount) == expected
    assert check.really == book.quote("deepseek-reasoner", usage, at=AT).total
    assert check.by_press + check.missing == check.really


def test_a_bucket_that_the_claim_says_nothing_of_is_an_error(book):
    with pytest.raises(tc.UnpricedMeterError, match="says nothing of web_search; it prices input, output") as caught:
        tc.explain_claim(book, PRESS, tc.Usage(web_search=1))
    assert (caught.value.meter, caught.value.priced) == ("web_search", ("input", "output"))


def test_a_meter_that_the_list_does_not_price_is_an_error(book, claim):
    with pytest.raises(tc.UnpricedMeterError, match="has no rate for web_search"):
        tc.explain_claim(book, replace(claim, said={"web_search": Decimal(1)}, really={}))


def test_an_unknown_claim_is_an_error_with_the_nearest(book):
    with pytest.raises(tc.UnknownNameError) as caught:
        tc.explain_claim(book, "ainvest-2025-07-29")
    assert caught.value.suggestions == (PRESS,)


def test_a_check_is_a_table_and_records_and_pickles(book):
    check = tc.explain_claim(book, PRESS, USAGE, at=AT)
    assert str(check).splitlines()[-1] == "by the press 35.90 USD, really 48.20 USD at 2025-02-01T12:00:00Z; the press leaves out 12.30 USD"
    assert [(record["meter"], record["said"], record["proper"], record["right"]) for record in check.records()] == [
        ("input", Decimal("0.14"), Decimal("0.55"), False),
        ("output", Decimal("2.19"), Decimal("2.19"), True),
    ]
    assert pickle.loads(pickle.dumps(check)) == check
    assert "35.90 USD" in check._repr_html_()


def test_every_shipped_claim_is_traced_to_the_list(book):
    """A claim in the tables is explained by them: each figure is the price of the meter that it is said to be."""
    assert [(claim.id, price.meter) for claim in book.claims for price in tc.explain_claim(book, claim).prices if not price.traced] == []

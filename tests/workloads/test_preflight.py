"""Pre-flight: bounds that hold, expectations that are exact, and budgets that are never passed for want of a price."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from tokencost.exact import from_fraction
from tokencost.workloads.law import Stretch
from tokencost.workloads.preflight_range import cut_law

AT = "2026-11-18T02:00:00Z"
OFFERINGS = (
    "deepseek-v4-pro",
    "openai/global/gpt-6.2-sol",
    "google/global/gemini-2.5-pro",
    "openai/global/gpt-4o",
)
ORDER = ("never", "unlikely", "unknown", "likely", "certain")

laws = st.one_of(
    st.builds(tc.Law.fixed, st.integers(0, 9000)),
    st.builds(lambda low, more: tc.Law.quantiles({0: low, 1: low + more}), st.integers(0, 5000), st.integers(1, 9000)),
    st.builds(tc.Law.points, st.dictionaries(st.integers(0, 9000), st.integers(1, 9), min_size=1, max_size=6)),
    st.just(tc.Law.lognormal(median=400, p90=2000, most=30_000)),
)
prompts = st.one_of(st.integers(0, 3000), st.integers(190_000, 290_000))
caches = st.one_of(
    st.integers(0, 10).map(lambda tenths: Fraction(tenths, 10)),
    st.tuples(st.integers(0, 5), st.integers(5, 10)).map(lambda pair: (Fraction(pair[0], 10), Fraction(pair[1], 10))),
)
offerings = st.sampled_from(OFFERINGS)
mosts = st.integers(0, 8000)
asked = st.fixed_dictionaries({"model": offerings, "prompt": prompts, "max_output": mosts, "cached": caches})


def checked(book, given, output=None):
    return tc.preflight(given["model"], **{key: value for key, value in given.items() if key != "model"}, output=output, at=AT, book=book)


@settings(max_examples=60, deadline=None)
@given(asked, laws)
def test_the_expected_lies_between_the_bounds(book, given, law):
    made = checked(book, given, law)

    assert made.least <= made.expected <= made.most
    assert made.least <= made.likely <= made.most
    assert made.fits(made.most).answer == "certain"
    assert made.fits(made.likely)


@settings(max_examples=60, deadline=None)
@given(offerings, prompts, mosts, st.integers(0, 10))
def test_the_ends_are_what_a_quote_says(book, offering, prompt, most, tenths):
    made = tc.preflight(offering, prompt=prompt, max_output=most, cached=Fraction(tenths, 10), at=AT, book=book)
    cached = round(Fraction(tenths, 10) * prompt)

    least, dearest = (book.cost(offering, tc.Usage(input=prompt - cached, cache_read=cached, output=output), at=AT) for output in (0, most))
    assert (made.least.amount, made.most.amount) == (least, dearest)
    assert (made.expected, made.likely) == (None, None)


@settings(max_examples=40, deadline=None)
@given(asked, laws, st.integers(0, 2**32))
def test_every_request_that_may_be_sent_lies_within(book, given, law, seed):
    made = checked(book, given, law)
    luck = np.random.default_rng(seed)

    for output in law.sample(luck, 20).tolist():
        read = int(luck.integers(made.cached_least, made.cached_most + 1))
        usage = tc.Usage(input=given["prompt"] - read, cache_read=read, output=min(output, given["max_output"]))
        cost = book.cost(given["model"], usage, at=AT)
        assert made.least.amount <= cost <= made.most.amount


@settings(max_examples=40, deadline=None)
@given(asked, st.none() | laws, st.lists(st.decimals(0, 3, places=4, allow_nan=False), min_size=2, max_size=6))
def test_a_larger_budget_fits_no_worse(book, given, law, budgets):
    made = checked(book, given, law)
    fits = [made.fits(budget) for budget in sorted(budgets)]

    assert [ORDER.index(fit.answer) for fit in fits] == sorted(ORDER.index(fit.answer) for fit in fits)
    chances = [fit.probability for fit in fits if fit.probability is not None]
    assert chances == sorted(chances)


small = st.dictionaries(st.integers(0, 60), st.integers(1, 9), min_size=1, max_size=12).map(tc.Law.points)


@settings(max_examples=60, deadline=None)
@given(small, st.integers(0, 50), st.integers(1, 20), st.integers(0, 40))
def test_expectation_probability_and_quantile_by_counting(book, law, most, twentieths, budget):
    """Every output that can be is priced one by one, with its weight."""
    confidence = Fraction(twentieths, 20)
    made = tc.preflight(
        "openai/global/gpt-4o", prompt=0, max_output=most, output=law, at="2025-06-01T00:00:00Z", book=book, confidence=confidence
    )
    rows = [(Fraction(min(first, most), 10**5), Fraction(weight, law.total)) for first, _, weight in law.stretches]  # 10 USD a million

    assert made.expected.amount == from_fraction(sum(cost * weight for cost, weight in rows))
    limit = Fraction(budget, 10**5)
    within = sum((weight for cost, weight in rows if cost <= limit), Fraction(0))
    fit = made.fits(from_fraction(limit))
    assert fit.answer == ("certain" if limit >= Fraction(most, 10**5) else "likely" if within >= confidence else "unlikely")
    assert fit.probability == (1.0 if fit.answer == "certain" else float(within))
    upto, wanted = Fraction(0), None
    for cost, weight in sorted(rows):
        upto += weight
        wanted = cost if wanted is None and upto >= confidence else wanted
    assert made.likely.amount == from_fraction(wanted)


@pytest.fixture(scope="module")
def falling(tmp_path_factory) -> tc.Book:
    """Above 30 tokens of output a token costs 1 instead of 4, above 50 it costs 2."""
    rows = ((0, 4), (30, 1), (50, 2))
    rates = "\n".join(f'  {{ currency = "USD", above_output = {edge}, input = 0.0, output = {price}.0 }},' for edge, price in rows)
    return limited(tmp_path_factory.mktemp("falling"), f"\n{rates}\n")


wide = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(1, 9)), min_size=1, max_size=6).map(
    lambda rows: tc.Law([Stretch(low, low + more, weight) for low, more, weight in place(rows)], 0)
)


def place(rows):
    """Put drawn stretches one after another."""
    start = 0
    for gap, more, weight in rows:
        yield start + gap, more, weight
        start += gap + more + 1


@settings(max_examples=150, deadline=None)
@given(wide, st.integers(0, 120), st.integers(1, 20))
def test_a_quantile_where_more_output_may_be_cheaper_by_counting(falling, law, most, twentieths):
    confidence = Fraction(twentieths, 20)
    made = tc.preflight("m", prompt=7, max_output=most, output=law, at=AT, book=falling, confidence=confidence)
    rows = [
        (price(min(number, most)), Fraction(weight, law.total * (last - first + 1)))
        for first, last, weight in law.stretches
        for number in range(first, last + 1)
    ]

    assert made.expected.amount == from_fraction(sum(cost * weight for cost, weight in rows))
    upto, wanted = Fraction(0), None
    for cost, weight in sorted(rows):
        upto += weight
        wanted = cost if wanted is None and upto >= confidence else wanted
    assert made.likely.amount == from_fraction(wanted)
    assert made.fits(from_fraction(wanted))


def price(output: int) -> Fraction:
    return Fraction(output * (4 if output <= 30 else 1 if output <= 50 else 2), 10**6)


@settings(max_examples=60, deadline=None)
@given(laws, st.integers(0, 10_000))
def test_a_law_cut_at_the_most(law, most):
    cut = cut_law(law, most)

    assert cut.most <= max(most, cut.least)
    for number in {0, most // 2, most - 1} - {-1}:
        assert cut.part(0, number).probability == law.part(0, number).probability if number < most else True
    assert cut.part(0, most).probability == 1


def test_a_request_that_may_cross_a_tier_says_so(book):
    """Sol doubles its price above 272,000 prompt tokens: the dearest request is one token above the edge, not the largest below it."""
    made = tc.preflight("openai/global/gpt-6.2-sol", prompt=272_001, max_output=100, at=AT, book=book)
    below = tc.preflight("openai/global/gpt-6.2-sol", prompt=272_000, max_output=100, at=AT, book=book)

    assert str(made.most) == "1.089504 USD"
    assert str(below.most) == "0.545 USD"


def test_a_text_whose_estimate_straddles_a_tier_says_so(book):
    """The count of the text is an estimate; where its bounds hold a tier's edge, the most lies in the dearer one."""
    text = "one word after another " * 60_000
    made = tc.preflight("google/global/gemini-2.5-pro", prompt=text, max_output=100, at=AT, book=book)

    assert made.basis == "estimate"
    assert made.prompt_low < 200_000 < made.prompt_high
    assert "the request may cross a context tier: another price holds from 200,001 prompt tokens on" in made.notes
    assert made.most.amount == book.cost("google/global/gemini-2.5-pro", tc.Usage(input=made.prompt_high, output=100), at=AT)


def test_an_estimate_is_never_certain(book):
    """One text in ten lies outside the bounds of its estimate, and no budget changes that."""
    made = tc.preflight("anthropic/global/claude-opus-4-8", prompt="a prompt of some words", max_output=100, output=50, at=AT, book=book)

    assert made.basis == "estimate"
    assert (made.fits(1000).answer, made.fits(1000).probability, made.fits(1000).is_bound) == ("likely", 0.9, True)
    assert (made.fits(0).answer, made.fits(0).probability) == ("unlikely", 0.0)
    assert made.likely == made.most.__class__(from_fraction(Fraction(made.prompt_high * 5 + 50 * 25, 10**6)), "USD")
    strict = tc.preflight(
        "anthropic/global/claude-opus-4-8", prompt="a prompt", max_output=100, output=50, at=AT, book=book, confidence=0.95
    )
    assert (strict.likely, strict.fits(1000).answer) == (None, "unknown")


@pytest.mark.parametrize(("confidence", "output"), [(0.8, 10), (0.85, 100)])
def test_the_confidence_of_an_estimate_leaves_room_for_the_prompt(book, confidence, output):
    """The prompt lies within its bounds nine times in ten: 85 in a hundred need 94 in a hundred of the outputs, 80 need 89."""
    law = tc.Law.points({10: 9, 100: 1})
    made = tc.preflight(
        "anthropic/global/claude-opus-4-8", prompt="a prompt", max_output=100, output=law, at=AT, book=book, confidence=confidence
    )

    assert made.likely.amount == from_fraction(Fraction(made.prompt_high * 5 + output * 25, 10**6))
    assert made.fits(made.likely).answer == "likely"


def test_the_most_of_an_estimate_may_lie_at_the_edge_of_a_tier(tmp_path):
    """Where a tier above is cheaper the dearest prompt is the largest one below it, and the cheapest may be the first above."""
    rates = """
  { currency = "USD", above = 0, input = 4.0, output = 1.0 },
  { currency = "USD", above = 100, input = 1.0, output = 1.0 },
"""
    made = tc.preflight("m", prompt="some words " * 50, max_output=0, at=AT, book=limited(tmp_path, rates))

    assert made.prompt_low < 100 < made.prompt_high
    assert made.most == tc.Money("0.0004", "USD")
    assert made.least.amount == from_fraction(Fraction(min(101, made.prompt_low * 4), 10**6))


def test_a_tier_of_prompt_and_output_together(tmp_path):
    """With 60 tokens of prompt, the 41st token of output makes all of the request dearer."""
    rates = """
  { currency = "USD", above = 0, input = 1.0, output = 1.0 },
  { currency = "USD", above = 100, input = 2.0, output = 2.0 },
"""
    book = limited(tmp_path, rates, head='tier_on = "total"\n\n')
    made = tc.preflight("m", prompt=60, max_output=80, output=tc.Law.points({40: 1, 41: 1}), at=AT, book=book)

    assert (str(made.least), str(made.most)) == ("0.00006 USD", "0.00028 USD")
    assert made.expected == tc.Money("0.000151", "USD")
    assert (made.fits("0.0001").probability, made.fits("0.000201").probability) == (0.5, 0.5)
    assert "the request may cross a context tier: another price holds from 101 tokens of prompt and output on" in made.notes


def test_an_output_below_the_minimum_is_billed_as_the_minimum(tmp_path):
    book = limited(tmp_path, '{ currency = "USD", input = 1.0, output = 2.0 }', tail="minimum = { output = 50 }\n")
    made = tc.preflight("m", prompt=0, max_output=100, output=tc.Law.quantiles({0: 20, 1: 100}), at=AT, book=book)

    billed = [max(output, 50) for output in range(20, 101)]
    assert made.expected.amount == from_fraction(Fraction(2 * sum(billed), 81 * 10**6))


def test_without_a_law_nothing_is_guessed(book):
    made = tc.preflight("gpt-4o", prompt=1_000, max_output=1_000, at="2025-06-01T00:00:00Z", book=book)

    assert (str(made.least), made.expected, made.likely, str(made.most)) == ("0.0025 USD", None, None, "0.0125 USD")
    answers = [made.fits(budget).answer for budget in ("0.002", "0.0025", "0.0124", "0.0125")]
    assert answers == ["never", "unknown", "unknown", "certain"]
    assert "no law of the output was passed: nothing between least and most is known" in str(made)


def test_a_cached_part_that_is_a_range(book):
    """Nothing cached is dearest, everything cached is cheapest; the expectation takes the middle."""
    made = tc.preflight("gpt-4o", prompt=1_000, max_output=0, output=0, cached=(0, 1.0), at="2025-06-01T00:00:00Z", book=book)

    assert (str(made.least), str(made.expected), str(made.most)) == ("0.00125 USD", "0.001875 USD", "0.0025 USD")
    assert made.fits("0.002").answer == "unknown"


def test_whole_numbers_count_cached_tokens(book):
    counted, shared = (
        tc.preflight("gpt-4o", prompt=1_000, max_output=0, cached=cached, at="2025-06-01T00:00:00Z", book=book) for cached in (400, 0.4)
    )

    assert counted == shared
    assert (counted.cached_least, counted.cached_most) == (400, 400)


def test_windows_decide_by_the_instant(book):
    peak, night = (tc.preflight("deepseek-v4-pro", prompt=10**6, max_output=0, at=at, book=book) for at in (AT, "2026-11-18T20:00:00Z"))

    assert [(made.window, str(made.most)) for made in (peak, night)] == [("peak", "1.32 USD"), ("off_peak", "0.66 USD")]


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"model": "gpt-9o"}, tc.UnknownNameError, "no model 'gpt-9o'"),
        ({"at": "2020-01-01T00:00:00Z"}, tc.OutsideHistoryError, "no price of openai/global/gpt-4o is known"),
        ({"at": "2025-06-01"}, tc.InstantTypeError, "is a date at best"),
        ({"currency": "CNY"}, tc.CurrencyError, "has no CNY list"),
        ({"service_tier": "flex"}, tc.NoRateError, "has no rate for USD, flex"),
        ({"prompt": -1}, tc.UsageError, "prompt=-1 is negative"),
        ({"prompt": 1.5}, tc.UsageTypeError, "prompt=1.5 is not a whole number of tokens"),
        ({"max_output": True}, tc.UsageTypeError, "max_output=True is not a whole number"),
        ({"cached": 101}, tc.UsageError, "cached=101 is more than the 100 tokens of the prompt; a share is written like 0.4"),
        ({"cached": 1.5}, tc.WorkloadError, "cached=1.5 is outside 0 to 1"),
        ({"cached": (0.6, 0.2)}, tc.UsageError, "does not ascend; write the least first"),
        ({"cached": (0, 0.2, 1.0)}, tc.UsageError, "is no range; pass two numbers"),
        ({"confidence": 0}, tc.WorkloadError, "confidence=0 says nothing"),
        ({"output": "long"}, tc.WorkloadError, "output='long' is no law"),
    ],
)
def test_what_cannot_be_asked(book, wrong, error, message):
    asked = {"model": "openai/global/gpt-4o", "prompt": 100, "max_output": 10, "at": "2025-06-01T00:00:00Z", **wrong}
    with pytest.raises(error, match=message):
        tc.preflight(asked.pop("model"), **asked, book=book)


def test_above_the_list_is_an_error_and_no_budget(tmp_path):
    book = limited(tmp_path)
    for prompt, output in ((501, 1), (400, 201)):
        with pytest.raises(tc.AboveListError, match="the largest request that acme/global/m prices"):
            tc.preflight("m", prompt=prompt, max_output=output, output=10, at=AT, book=book)
    assert tc.preflight("m", prompt=500, max_output=200, at=AT, book=book).most == tc.Money("0.0009", "USD")


def test_a_meter_without_a_price_is_an_error(book):
    with pytest.raises(tc.UnpricedMeterError, match="has no rate for output"):
        tc.preflight("openai/global/text-embedding-3-small", prompt=10, max_output=1, at=AT, book=book)
    assert tc.preflight("openai/global/text-embedding-3-small", prompt=10, max_output=0, at=AT, book=book).most.amount > 0


def test_a_budget_in_another_currency(book):
    made = tc.preflight("gpt-4o", prompt=10, max_output=1, at="2025-06-01T00:00:00Z", book=book)
    with pytest.raises(tc.MixedCurrencyError):
        made.fits(tc.Money(1, "CNY"))


def test_reasoning_with_a_price_of_its_own_is_within_the_bounds(tmp_path):
    """All of the output may be reasoning, or none of it."""
    book = limited(tmp_path, rates='{ currency = "USD", input = 1.0, output = 2.0, reasoning = 3.0 }')
    made = tc.preflight("m", prompt=100, max_output=100, output=100, at=AT, book=book)

    assert (str(made.expected), str(made.most)) == ("0.0003 USD", "0.0004 USD")
    assert any(note.startswith("reasoning tokens have a price of their own") for note in made.notes)


def test_a_tier_of_output_that_is_cheaper(tmp_path):
    """With more than 50 tokens of output all of it is cheaper: the most is at 50, and a budget between holds on both sides."""
    rates = """
  { currency = "USD", above_output = 0, input = 0.0, output = 4.0 },
  { currency = "USD", above_output = 50, input = 0.0, output = 1.0 },
"""
    book = limited(tmp_path, rates=rates)
    made = tc.preflight("m", prompt=100, max_output=100, output=tc.Law.points({10: 1, 50: 1, 60: 1, 100: 1}), at=AT, book=book)

    assert (str(made.least), str(made.most)) == ("0.00 USD", "0.0002 USD")
    assert made.expected.amount == from_fraction(Fraction(40 + 200 + 60 + 100, 4 * 10**6))
    fit = made.fits("0.0001")  # all but the 50 tokens
    assert (fit.answer, fit.probability) == ("unlikely", 0.75)
    assert "the request may cross a tier of output: another price holds from 51 output tokens on" in made.notes


def test_records_and_pages(book):
    made = tc.preflight("gpt-4o", prompt=1_000, max_output=1_000, output=500, at="2025-06-01T00:00:00Z", book=book)

    record = made.records()[0]
    assert (record["prompt"], record["basis"], str(record["expected"]), record["currency"]) == (1000, "exact", "0.0075", "USD")
    assert "<table>" in made._repr_html_()
    assert str(made).splitlines()[0] == "openai/global/gpt-4o at 2025-06-01T00:00:00Z: prompt of 1,000 tokens, at most 1,000 of output"
    assert str(made.fits("0.01")) == "likely within 0.01 USD (100.0%)"
    assert str(tc.preflight("gpt-4o", prompt=1, max_output=9, at=AT, book=book).fits("0.00001")) == "unknown within 0.00001 USD"


def limited(
    folder, rates: str = '{ currency = "USD", above = 0, up_to = 500, input = 1.0, output = 2.0, up_to_output = 200 }', *, head="", tail=""
) -> tc.Book:
    (folder / "acme" / "global").mkdir(parents=True)
    texts = {
        "provider": 'name = "Acme"\nkind = "publisher"\ndefault = "global"\n\n[[endpoint]]\nid = "global"\nname = "one"\n',
        "sources": '[[source]]\nid = "page"\nurl = "https://acme.example/prices"\nkind = "official_page"\n',
        "global/m": f"""{head}[[version]]
from    = 2026-01-01T00:00:00Z
basis   = "announced"
source  = "page"
checked = 2026-11-18
{tail}rates   = [ {rates} ]
""",
    }
    for name, text in texts.items():
        (folder / "acme" / f"{name}.toml").write_text(text, encoding="utf-8")
    return tc.load_book(folder)

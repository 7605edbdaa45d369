"""The tables against the recorded facts: what a provider announced, documented or printed is what the book says.

Everything that the tables deliberately have otherwise is listed here with its reason, so that a slip shows.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest

import tokencost as tc
from golden.facts import METERS, UNITS, differences, questions, read_facts

if TYPE_CHECKING:
    from golden.facts import Difference, Fact, Question

LEFT_OUT = {
    # meters and units that the tables do not have
    "token_package": "a prepaid package",
    "per month per 10K TPM": "a prepaid quota",
    "token_price_multiplier": "a factor; it is in the rows or the adjustments of each model",
    "input_cache_read_multiplier": "a factor; it is in the rows of each model",
    "input_cache_write_multiplier": "a factor; it is in the rows of each model",
    "input_cache_write_1h_multiplier": "a factor; it is in the rows of each model",
    "20-minute session": "containers by size",
    "GB-day": "storage of files",
    "GiB-day": "storage of files",
    "usage_guideline_violation_fee": "a penalty",
    "profile": "one meter counts posts, none counts profiles",
    "per 10000 characters (list; half price promotion running)": "the list under a promotion without an end; the price charged is held",
    # models that are none
    "*": "a fee of many models; it is in the rows of each",
    "Gemini 3 and later": "a fee of many models; it is in the rows of each",
    "non-reasoning models (web search preview)": "a fee of many models; the newer tool's is in the rows",
    "web-search (agent strategy)": "a fee of many models; it is in the rows of each",
    "grok-imagine-image-quality 2K": "the size of an image is no selector",
}
"""What the tables do not hold, by meter, unit or model, and why."""

RENAMED = {
    "iflytek/china/spark-pro/max": ("iflytek/china/spark-pro", "iflytek/china/spark-max"),
    "moonshot/china/moonshot-v1 context cache": tuple(f"moonshot/china/moonshot-v1-{size}" for size in ("8k", "32k", "128k")),
    "perplexity/global/Search API": ("perplexity/global/search-api",),
    "xai/global/grok-imagine-image-quality 1K": ("xai/global/grok-imagine-image-quality",),
}
"""Facts about a model under a name that no caller would use."""

DELIBERATE = {
    # a flat thinking price beside banded prices that are equal in both modes; it is the top band's
    "alibaba/global/qwen3-vl-plus USD output_thinking standard": "one output price for both modes, by the dated snapshots of the page",
    # the facts put the list of the launch until the cache cut, the discount ran from midnight of that day
    "deepseek/*/deepseek-v4-pro * standard at 2026-04-26T12:14:59": "the list under the discount that had begun",
    # release notes say the 13th, a catalogue was changed in the evening
    "anthropic/global/claude-opus-4-6-20260205 USD * standard at 2026-03-13T19:13:39": "long context ended at the start of that day",
    # "start is the last day an older catalogue still showed another price"
    "google/global/gemini-2.5-*-preview-tts USD input standard at 2025-09-01*": "the new price is known from its first reading only",
    # a storage price in the wrong column of a catalogue; the page has no price for writing
    "google/global/gemini-3.1-flash-lite USD input_cache_write standard": "a catalogue's storage price",
    # 0.15/0.60 was the price of the 04-17 and 05-20 previews; the page prints 0.30/2.50 for this one
    "google/global/gemini-flash-latest USD * standard at 2025-*": "the page's price, not the catalogue's",
    # 0.025 until a catalogue caught up; the page of 2025-12-21 prints 0.01
    "google/global/gemini-flash-lite-latest USD input_cache_read standard": "the page's price, not the catalogue's",
    # the documentation prints today's price; 0.3 was charged in 2024
    "mistral/global/open-mistral-nemo-2407 USD * standard at 2024-07-18*": "the price of the launch is not known",
    # a list with an output price alone
    "mistral/global/pixtral-large-2411 EUR output standard": "no input price was printed, so there is no EUR list",
    # a catalogue was nine days ahead of the documentation
    "mistral/global/voxtral-small-latest USD output standard at 2026-08-02*": "the documentation's day",
}
"""Differences that are meant, by label and instant, and why."""


@pytest.fixture(scope="session")
def facts(shared) -> list[Fact]:
    """The facts that the provider dated or printed, and that no catalogue computed."""
    return [fact for fact in read_facts(shared / "facts") if fact.strong and not fact.computed]


def reason_left_out(fact: Fact) -> str | None:
    """Return the entry by which a fact is left out, None where the tables hold it."""
    return next((name for name in (fact.meter, fact.unit, fact.model) if name in LEFT_OUT), None)


def names_of(book: tc.Book, fact: Fact) -> tuple[str, ...]:
    """Return the names under which the book is asked."""
    whole = f"{fact.provider}/{fact.endpoint}/{fact.model}"
    if whole in RENAMED:
        return RENAMED[whole]
    try:
        book.resolve(whole)
    except tc.UnknownNameError:
        whole = f"{fact.provider}/{fact.model}"
        book.resolve(whole)
    return (whole,)


def undated(book: tc.Book, name: str, asked: Question) -> Difference | None:
    """Put a question without a date to every version; it is answered if one of them knows the price."""
    starts = [version.start for version in book.tariff(name).versions if version.status != "withdrawn"]
    answers = [differences(book, name, asked._replace(at=start)) for start in starts]
    return None if None in answers else answers[-1]


def test_what_is_left_out_is_left_out_for_a_reason(facts):
    """Each entry is needed, and whatever has a meter, a unit and a model here is compared."""
    assert {reason_left_out(fact) for fact in facts} - {None} == LEFT_OUT.keys()
    kept = [fact for fact in facts if reason_left_out(fact) is None]
    assert {fact.meter for fact in kept} <= METERS.keys()
    assert {fact.unit for fact in kept} <= UNITS.keys()


def test_the_tables_say_what_the_facts_say(book, facts):
    """About six thousand questions; no difference but those that are meant, and each of those still there."""
    days_off = frozenset(book.shelf.calendar("cn-statutory").days_off)
    found: list[Difference] = []
    asked = 0
    for question in questions([fact for fact in facts if reason_left_out(fact) is None], days_off):
        ask = differences if question.dated else undated
        found += [made for name in names_of(book, question.fact) if (made := ask(book, name, question)) is not None]
        asked += 1
    assert asked > 5_000
    unexpected = [str(made) for made in found if not any(fnmatchcase(made.label, f"{pattern}*") for pattern in DELIBERATE)]
    assert "\n".join(unexpected) == ""
    gone = [pattern for pattern in DELIBERATE if not any(fnmatchcase(made.label, f"{pattern}*") for made in found)]
    assert "\n".join(gone) == ""


def test_the_two_prices_of_a_discount_are_both_kept(book):
    """What the comparison above passes over: the list of V4-Pro under its discount."""
    offering = book.tariff("deepseek/global/deepseek-v4-pro")
    (listed,) = [version for version in offering.versions if version.start == tc.to_instant("2026-04-26T12:15:00Z")]
    assert {row.currency: str(row.prices["input"]) for row in listed.rates} == {"USD": "1.74", "CNY": "12.0"}
    assert offering.cost(tc.Usage(input=1_000_000), at="2026-04-26T12:15:00Z") * 4 == listed.rates[0].prices["input"]

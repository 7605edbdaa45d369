"""Price moves: what the book says just before and at each one.

The figures of `china_price_events.jsonl` are read from the shared folder; which offering an event speaks of, and at which instant it took
effect, is said in `events`. A dozen moves stand here by value, so that they are tested without the folder too.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

import tokencost as tc
from golden.events import EVENTS, NIGHT, NO_FIGURES, PEAK, V3_1

if TYPE_CHECKING:
    from golden.events import At

MICROSECOND = timedelta(microseconds=1)
FIGURE = re.compile(
    r"(?P<input>[\d.]+)(?:/(?P<output>[\d.]+))?(?: \(0-32k\))?(?:, hit (?P<cache_read>[\d.]+))?(?:, thinking (?P<thinking>[\d.]+))?"
    r"(?:, above 32k (?P<above_input>[\d.]+)/(?P<above_output>[\d.]+))?"
)
METERS = {
    "input": "input",
    "output": "output",
    "input_cache_read": "cache_read",
    "output_thinking": "thinking",
    "input_cache_write": "cache_write",
    "storage_per_minute": "storage_per_minute",
    "per_hit_request": "per_hit_request",
}


def figures(part: object, name: str) -> dict[str, Decimal]:
    """Read the figures of an event: a mapping by meter, or text such as `0.14/0.28, hit 0.028`."""
    if part is None or name == "-":
        return {}
    if name == "":
        return {METERS[key]: Decimal(value) for key, value in part.items()}
    found = FIGURE.fullmatch(part[name])
    assert found is not None, part[name]
    if name.endswith(" hit"):
        return {"cache_read": Decimal(part[name])}
    read = {key: Decimal(value) for key, value in found.groupdict().items() if value is not None}
    return {"output": read["input"], **read}


def price_of(book: tc.Book, known: At, meter: str, currency: str, at: object) -> Decimal:
    """Look one figure up: what a request of this size pays for a meter, or what the list under a promotion says."""
    if known.listed:
        (version,) = [v for v in book.tariff(known.offering).versions if v.start <= at and (v.until is None or at < v.until)][-1:]
        (row,) = [row for row in version.rates if row.currency == currency]
        return row.prices[meter]
    prompt, answer, mode = known.prompt, known.answer, None
    if meter.startswith("above_"):
        meter, prompt = meter.removeprefix("above_"), 32_001
    if meter == "thinking":
        meter, mode = "output", "thinking"
    if meter == "storage_per_minute":
        # a million tokens for a minute
        return book.cost(known.offering, tc.Usage(cache_storage=1_000_000 * 60), at=at, currency=currency)
    if meter == "per_hit_request":
        return book.cost(known.offering, tc.Usage(cache_hit_request=1), at=at, currency=currency)
    counts = {meter: prompt} if meter != "output" else {"input": prompt, "output": answer}
    quote = book.quote(known.offering, tc.Usage(**counts), at=at, currency=currency, mode=mode)
    (line,) = [line for line in quote.lines if line.meter == meter]
    return line.price


@pytest.fixture(scope="session")
def events(shared) -> list[dict]:
    """The recorded moves, in the order of the file."""
    lines = (shared / "facts" / "china_price_events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_recorded_event_is_spoken_of(events):
    found = {(event["date"], event["provider"], event["model"]) for event in events}
    assert found == EVENTS.keys() | NO_FIGURES.keys()
    assert EVENTS.keys().isdisjoint(NO_FIGURES)


@pytest.mark.parametrize("key", EVENTS, ids=" ".join)
def test_the_book_has_the_price_before_and_after(book, events, key):
    (event,) = [event for event in events if (event["date"], event["provider"], event["model"]) == key]
    compared = 0
    for known in EVENTS[key]:
        at = tc.to_instant(known.instant)
        for name, instant in (("before", at - MICROSECOND), ("after", at)):
            expected = figures(event[name], getattr(known, name))
            actual = {meter: price_of(book, known, meter, event["currency"], instant) for meter in expected}
            assert actual == expected, (known.offering, name)
            compared += len(expected)
    assert compared > 0


def test_the_idle_price_of_the_resold_flash_is_half_the_busy_one(book):
    """The event says only "half"."""
    busy, idle = (
        book.tariff("alibaba/global/deepseek-v4-flash-0731").card(at=at).rows[0].prices
        for at in ("2026-08-17T00:00:00Z", "2026-08-17T14:00:00Z")
    )
    assert idle == {meter: price / 2 for meter, price in busy.items()}


BY_VALUE = [
    # offering, instant, currency, (input, cached, output) before, after
    ("deepseek/global/deepseek-chat", "2025-02-08T16:00:00Z", "USD", ("0.14", "0.014", "0.28"), ("0.27", "0.07", "1.10")),
    ("deepseek/global/deepseek-chat", "2025-02-08T16:00:00Z", "CNY", ("1", "0.1", "2"), ("2", "0.5", "8")),
    ("deepseek/global/deepseek-reasoner", NIGHT, "USD", ("0.55", "0.14", "2.19"), ("0.135", "0.035", "0.55")),
    ("deepseek/global/deepseek-chat", NIGHT, "USD", ("0.27", "0.07", "1.10"), ("0.135", "0.035", "0.55")),
    ("deepseek/global/deepseek-reasoner", V3_1, "USD", ("0.55", "0.14", "2.19"), ("0.56", "0.07", "1.68")),
    ("deepseek/global/deepseek-chat", "2025-09-29T00:00:00Z", "CNY", ("4", "0.5", "12"), ("2", "0.2", "3")),
    ("deepseek/global/deepseek-v4-flash", "2026-04-26T12:15:00Z", "USD", ("0.14", "0.028", "0.28"), ("0.14", "0.0028", "0.28")),
    ("deepseek/global/deepseek-v4-pro", "2026-05-31T15:59:00Z", "USD", ("0.435", "0.003625", "0.87"), ("0.435", "0.003625", "0.87")),
    ("deepseek/global/deepseek-v4-flash", PEAK, "USD", ("0.14", "0.0028", "0.28"), ("0.22", "0.007", "0.66")),
    ("deepseek/global/deepseek-v4-pro", PEAK, "CNY", ("3", "0.025", "6"), ("4.5", "0.15", "13.5")),
    ("alibaba/china/qwen-max", "2025-01-25T00:00:00Z", "CNY", ("20", None, "60"), ("2.4", None, "9.6")),
    ("alibaba/china/qwen-turbo", "2024-05-21T00:00:00Z", "CNY", ("8", None, "8"), ("2", None, "6")),
    ("zhipu/china/glm-5.3-flash", "2026-09-09T16:00:00Z", "CNY", ("0.4", "0.115", "1.4"), ("0.8", "0.23", "2.8")),
    ("xiaomi/global/mimo-v2.5-pro", "2026-05-27T00:00:00Z", "USD", ("1", "0.2", "3"), ("0.435", "0.0036", "0.87")),
    ("tencent/china/hy3", "2026-07-20T16:00:00Z", "CNY", ("0", "0", "0"), ("1", "0.25", "4")),
    ("baidu/china/ernie-speed-8k", "2024-05-21T00:00:00Z", "CNY", ("4", None, "8"), ("0", None, "0")),
    ("openai/global/o3", "2025-06-10T00:00:00Z", "USD", ("10", "2.5", "40"), ("2", "0.5", "8")),
]


@pytest.mark.parametrize("move", BY_VALUE, ids=lambda move: " ".join(move[:3]))
def test_moves_by_value(book, move):
    offering, instant, currency, before, after = move
    at = tc.to_instant(instant)
    for moment, prices in ((at - MICROSECOND, before), (at, after)):
        expected = {m: Decimal(p) for m, p in zip(("input", "cache_read", "output"), prices, strict=True) if p is not None}
        card = book.tariff(offering).card(at=moment, currency=currency)
        assert {meter: card.rows[0].prices[meter] for meter in expected} == expected


@pytest.mark.parametrize(
    ("offering", "start", "before", "after"),
    [
        ("deepseek/global/deepseek-v4-flash", "2026-07-15T00:00:00Z", "0.14", "0.14"),
        ("deepseek/global/deepseek-v4-pro", "2026-07-15T00:00:00Z", "0.435", "0.435"),
        # noon of a Monday in Beijing: the peak stretch ends then, and nothing else happens; 0.15 would have been the new price
        ("deepseek/global/deepseek-v4-pro", "2026-09-14T04:00:00Z", "1.32", "0.66"),
    ],
)
def test_moves_that_were_called_off_are_kept_and_rate_nothing(book, offering, start, before, after):
    at = tc.to_instant(start)
    assert [version.status for version in book.tariff(offering).versions if version.start == at] == ["withdrawn"]
    prices = [book.cost(offering, tc.Usage(input=1_000_000), at=moment) for moment in (at - MICROSECOND, at, at + timedelta(hours=1))]
    assert prices == [Decimal(before), Decimal(after), Decimal(after)]

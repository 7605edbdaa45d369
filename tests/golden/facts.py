"""Recorded price facts, read as questions that a book can be asked.

A fact says that a meter had a price on a span, by some source. It is asked at its first instant, at its last, and on the days on which it
was seen; for the smallest and for the largest request of its tier; inside its window.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import tokencost as tc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Difference", "Fact", "Question", "differences", "questions", "read_facts"]

FILES = ("china_prices.jsonl", "global_prices.jsonl")
DATED = frozenset({"announced", "documented", "release_notes", "launch_date"})
OFFICIAL = ("official_announcement", "official_page", "archived_official_page")
RANKS = (*OFFICIAL, "catalog_commit", "issue_thread", "news", "memory")
"""Sources in order of precedence: an official page beats a catalogue."""

METERS = {
    "input": "input",
    "output": "output",
    "output_thinking": "output",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "input_cache_write_12h": "cache_write_12h",
    "input_cache_storage_hour": "cache_storage",
    "input_cache_storage_minute": "cache_storage",
    "input_audio": "audio_input",
    "input_audio_cache_read": "audio_cache_read",
    "input_image": "image_input",
    "input_image_cache_read": "image_cache_read",
    "input_video": "video_input",
    "output_audio": "audio_output",
    "output_image": "image_output",
    "output_citation": "citation",
    "output_image_each": "image",
    "request": "request",
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "attachment_search_call": "attachment_search",
    "code_execution_call": "code_execution",
    "maps_grounding_call": "maps_grounding",
    "x_search_post": "x_search",
    "ocr_page": "page",
    "ocr_annotated_page": "annotated_page",
    "text_input_characters": "character_input",
    "text_output_characters": "character_output",
    "audio_minute": "audio_s",
    "session_minute": "session_s",
    "code_execution_container_hour": "container_s",
    "managed_agent_session_hour": "session_s",
}
CALLS = {
    ("deepseek", "file-parse-ocr"): "page",
    ("deepseek", "tts"): "character_input",
    ("deepseek", "web-fetch"): "web_fetch",
    ("deepseek", "web-search"): "web_search",
    ("alibaba", "web-search (agent strategy)"): "web_search",
    ("xiaomi", "mimo-v2.5-asr"): "audio_s",
}
"""What the word request means where it is not a call of a model."""
UNITS = {
    None: 1,
    "per 1M tokens per hour": 1,
    "per 1M tokens per minute": 60,
    "per request that hits a live cache": 1_000,
    "per 1000 calls": 1,
    "per 1000 pages": 1,
    "per 10000 characters": 100,
    "per input audio hour": 1,
    "1M characters": 1,
    "image": 1,
    "hour": 1,
    "container-hour": 1,
    "session-hour": 1,
    "minute": 60,
    **dict.fromkeys(("call", "grounded prompt", "search query", "query", "request", "page", "post"), 1_000),
}
"""What a printed price is multiplied with to make it one per million tokens, per thousand calls, per hour."""


_NEVER = datetime(2030, 1, 1, tzinfo=UTC)


class Fact(NamedTuple):
    """One line of a file of facts."""

    place: str
    provider: str
    endpoint: str
    model: str
    currency: str
    meter: str
    service: str
    price: Decimal
    unit: str | None
    start: datetime | None
    until: datetime | None
    basis: str | None
    kind: str
    seen: tuple[str, ...]
    tier: dict | None
    window: dict | None
    note: str
    conflict: bool

    @property
    def key(self) -> tuple[str, ...]:
        """What the price is of; facts with one key on one instant contradict each other or agree."""
        shape = (json.dumps(self.tier, sort_keys=True), json.dumps(self.window, sort_keys=True))
        return (self.provider, self.endpoint, self.model, self.currency, self.meter, self.service, *shape)

    @property
    def label(self) -> str:
        """A fact in a few words, for messages and for the list of allowed differences."""
        return f"{self.provider}/{self.endpoint}/{self.model} {self.currency} {self.meter} {self.service}"

    @property
    def strong(self) -> bool:
        """Whether the provider named the start, or the figure is from its own page."""
        return self.basis in DATED or self.kind in OFFICIAL

    @property
    def computed(self) -> bool:
        """Whether a catalogue made the figure up from another one by a rule of its own."""
        return self.note.startswith(("derived in the snapshot", "1-hour write as a multiple of input (snapshot rule)"))

    @property
    def rank(self) -> tuple[int, bool]:
        """Precedence where facts overlap, the best first."""
        return RANKS.index(self.kind), self.conflict


class Question(NamedTuple):
    """A fact put to the book: a usage at an instant, under a selection."""

    fact: Fact
    at: datetime
    counts: dict[str, int]
    meter: str
    selection: dict[str, str]
    price: Decimal
    dated: bool = True


class Difference(NamedTuple):
    """A question to which the book says something else, a price or an error."""

    question: Question
    found: Decimal | str

    @property
    def label(self) -> str:
        """The fact and the instant, for the list of differences that are meant."""
        return f"{self.question.fact.label} at {self.question.at:%Y-%m-%dT%H:%M:%S}"

    def __str__(self) -> str:
        return f"{self.question.fact.place} {self.label} for {self.question.counts}: {self.question.price}, here {self.found}"


def _instant(text: str | None) -> datetime | None:
    """Read an instant, or a day as its first; a month says too little."""
    if text is None or len(text) < len("2026-01-01"):
        return None
    return datetime.fromisoformat(f"{text}T00:00:00Z" if "T" not in text else text)


def _fact(place: str, row: dict) -> Fact:
    seen = row.get("observed") or [row.get("observed_on")]
    return Fact(
        place,
        row["provider"],
        row["endpoint"],
        row["model"],
        row["currency"],
        row["meter"],
        row["service"],
        Decimal(row.get("price_per_mtok") or row.get("price_per_unit")),
        row.get("unit"),
        _instant(row["valid_from"]),
        _instant(row["valid_to"]),
        row.get("valid_from_basis"),
        row["source_kind"],
        tuple(day for day in seen if day),
        row["context_tier"],
        row["when"],
        row.get("note") or "",
        bool(row.get("conflict")),
    )


def read_facts(folder: Path) -> list[Fact]:
    """Read all facts; each remembers its file and line."""
    found: list[Fact] = []
    for name in FILES:
        for number, line in enumerate((folder / name).read_text(encoding="utf-8").splitlines(), 1):
            found.append(_fact(f"{name}:{number}", json.loads(line)))
    return found


def _end(fact: Fact, others: list[Fact]) -> datetime | None:
    """Return when a fact stops: as it says, or when the next price of the same thing begins by a source that is as good."""
    later = [other.start for other in others if fact.start and other.start and other.start > fact.start and other.rank <= fact.rank]
    return min([end for end in (fact.until, *later) if end is not None], default=None)


def _instants(fact: Fact, end: datetime | None) -> list[datetime]:
    """Return the instants at which a fact is known to hold."""
    found = [] if fact.start is None else [fact.start]
    if end is not None and (fact.start is None or end > fact.start):
        found.append(end - timedelta(microseconds=1))
    if end is not None and fact.start is not None:
        found.append(fact.start + (end - fact.start) / 2)
    noons = [day + timedelta(hours=12) for text in fact.seen if (day := _instant(text)) is not None]
    found += [noon for noon in noons if (fact.start is None or noon >= fact.start) and (end is None or noon < end)]
    if not found:
        found = [datetime(int(text[:4]), int(text[5:7]), 15, tzinfo=UTC) for text in fact.seen]
    return sorted(set(found))


def _outranked(fact: Fact, at: datetime, others: list[Fact]) -> bool:
    """Say whether a better source has another price for the same thing at an instant."""
    return any(
        other.price != fact.price
        and (other.rank, -(other.start or at).timestamp()) < (fact.rank, -(fact.start or at).timestamp())
        and (other.start is None or other.start <= at)
        and (other.until is None or at < other.until)
        for other in others
    )


def _inside(at: datetime, window: dict, days_off: frozenset) -> bool:
    """Say whether an instant is in the window of a fact, or outside it where the fact says so."""
    clock, local = at.strftime("%H:%M"), at + timedelta(hours=8)
    spans = window.get("windows_utc") or [window["window_utc"]]
    hit = any(first <= clock < last if first < last else (clock >= first or clock < last) for first, last in spans)
    hit = hit and (window.get("weekdays", "all") == "all" or local.strftime("%a").lower() in window["weekdays"])
    hit = hit and not (window.get("holidays_excluded") and local.date() in days_off)
    return hit != (window.get("applies") == "outside")


def _moved(fact: Fact, at: datetime, end: datetime | None, days_off: frozenset) -> datetime | None:
    """Return the instant nearest to one inside the window of a fact: after it, or before the end of the fact."""
    if fact.window is None:
        return at
    back = end is not None and at == end - timedelta(microseconds=1)
    step = timedelta(minutes=-30 if back else 30)
    for n in range(14 * 48):
        moved = at + n * step
        if (end is None or moved < end) and (fact.start is None or moved >= fact.start) and _inside(moved, fact.window, days_off):
            return moved
    return None


def _sizes(fact: Fact) -> list[tuple[int, int]]:
    """Return the smallest and the largest prompt of a fact's tier, each with the smallest answer of its band."""
    tier = fact.tier or {}
    half_open = str(tier.get("bounds", "")).startswith("lower inclusive")
    low, high = tier.get("above_input_tokens") or 0, tier.get("up_to")
    answer = tier.get("above_output_tokens") or 0
    smallest = (low if half_open else low + 1) if low else 1
    answers = (answer if half_open else answer + 1) if answer else 1
    sizes = [(smallest, answers)]
    if high:
        sizes.append((high - 1 if half_open else high, answers))
    return sizes


def _asked(fact: Fact) -> tuple[str, dict[str, str]]:
    """Return the meter and the selection that a fact speaks of, in the words of the book."""
    meter = CALLS.get((fact.provider, fact.model), METERS[fact.meter])
    selection = {"currency": fact.currency, "service_tier": fact.service}
    if fact.meter == "output_thinking":
        if fact.provider == "perplexity":
            return "reasoning", selection
        selection["mode"] = "thinking"
    if fact.model == "grok-4.7-fast":  # a model here, a service in the fact
        selection["service_tier"] = "standard"
    if fact.endpoint == "us.api.x.ai":
        selection["residency"] = "us"
    if fact.meter == "input_cache_read" and fact.note == "explicit cache hit":
        return "cache_read_explicit", selection
    if fact.unit == "per request that hits a live cache":
        return "cache_hit_request", selection
    if fact.provider == "mistral" and fact.unit == "1M characters" and fact.meter == "input":
        return "character_input", selection
    return meter, selection


def _counts(meter: str, prompt: int, answer: int) -> dict[str, int]:
    tokens = tc.METERS[meter].unit == "token"
    if tokens and tc.Usage(**{meter: 1}).input_total:
        return {meter: prompt}
    return {"input": prompt, meter: answer} if tokens else {meter: 1}


def questions(facts: list[Fact], days_off: frozenset) -> Iterator[Question]:
    """Yield everything that facts say, unless a better source contradicts them; facts without any date are marked so."""
    by_key: defaultdict[tuple[str, ...], list[Fact]] = defaultdict(list)
    for fact in facts:
        by_key[fact.key].append(fact)
    for same in by_key.values():
        for fact in same:
            end = _end(fact, same)
            meter, selection = _asked(fact)
            instants = _instants(fact, end)
            for start in instants or [_NEVER]:
                at = _moved(fact, start, end, days_off)
                if at is None or _outranked(fact, at, same):
                    continue
                for prompt, answer in _sizes(fact):
                    counts, price = _counts(meter, prompt, answer), fact.price * UNITS[fact.unit]
                    yield Question(fact, at, counts, meter, selection, price, dated=bool(instants))


def differences(book: tc.Book, name: str, question: Question) -> Difference | None:
    """Ask the book, and return what it says where that is something else."""
    try:
        quote = book.quote(name, tc.Usage(**question.counts), at=question.at, **question.selection)
    except tc.TokencostError as error:
        return Difference(question, type(error).__name__)
    (line,) = [line for line in quote.lines if line.meter == question.meter]
    return None if line.price == question.price else Difference(question, line.price)

"""Knowledge: how sure a price of a month is, by the days on which somebody looked.

Nothing here reads a clock. A price is known up to the day on which it was last seen, or up to the start of the next one if that was seen.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tokencost.tariffs.clock import LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from tokencost.rating.evidence import Span
    from tokencost.rating.timeline import Selection, Timeline
    from tokencost.tariffs.schedule import Schedule
    from tokencost.tariffs.shelf import Shelf
    from tokencost.tariffs.tariff import Version
    from tokencost.workloads.expectation import Expectation
    from tokencost.workloads.profile import Month
    from tokencost.workloads.workload import Workload

__all__ = ["WORDS", "Known", "known_until", "weakest", "word_of_month"]

Known = Literal["listed", "announced", "carried", "unknown"]
WORDS: Final[tuple[Known, ...]] = ("listed", "announced", "carried", "unknown")
"""How sure a price is, the surest first: seen on the list, published for a date to come, assumed to go on, not known."""

_ONE_DAY: Final = timedelta(days=1)


class _Part(NamedTuple):
    """One of the things that a price hangs on: a word, until when it holds, and the word after that."""

    word: Known
    until: datetime = LATEST
    after: Known = "carried"

    def at(self, instant: datetime) -> Known:
        return self.word if instant < self.until else self.after


def weakest(words: Iterable[Known]) -> Known:
    """Return the least sure of some words.

    >>> weakest(["listed", "carried", "announced"])
    'carried'
    """
    return WORDS[max((WORDS.index(word) for word in words), default=-1)]


def word_of_month(expectation: Expectation, workload: Workload, offering: str, month: Month, selection: Selection) -> Known:
    """Return how sure the prices of a month are: the least sure of all that its requests meet."""
    found: set[Known] = set()
    for segment in workload.segments:
        for choice in segment.choices:
            chosen = selection._replace(service_tier=choice.service_tier, mode=choice.mode)
            spans = expectation.spans(offering, month, segment.profile, selection=chosen)
            ends = [*(span.start for span in spans[1:]), month.until]
            for span, until in zip(spans, ends, strict=True):
                if span.priced is None:
                    found.add("unknown")
                    continue
                parts = _parts(expectation.book.shelf, span.priced.span)
                edges = sorted({span.start, *(part.until for part in parts if span.start < part.until < until)})
                for start, end in zip(edges, [*edges[1:], until], strict=True):
                    word = weakest(part.at(start) for part in parts)
                    if word not in found and segment.profile.share(start, end, month=month):
                        found.add(word)
    return weakest(found)


def known_until(shelf: Shelf, lines: Iterable[Timeline]) -> datetime | None:
    """Return the instant up to which all lines are known from lists that were seen; None where one never was."""
    ends: list[datetime] = []
    for line in lines:
        seen = [span for span in line.spans if all(part.word == "listed" for part in _parts(shelf, span))]
        if not seen:
            return None
        ends.append(max(min(span.until, *(part.until for part in _parts(shelf, span))) for span in seen))
    return min(ends, default=None)


def _parts(shelf: Shelf, span: Span) -> list[_Part]:
    """Return what the price of a span hangs on: its version or promotion, and the edition of its schedule."""
    version, promo = span.version, span.promo
    if version.status == "announced":
        parts = [_Part("announced")]
    else:
        rated = span.tariff.in_force
        until = _seen_until(version, rated[rated.index(version) + 1 :])
        # a promotion has an end that the provider published: until then it is announced, not assumed
        parts = [_Part("listed", until) if promo is None else _Part("listed", max(until, _day_after(promo.checked)), "announced")]
    if span.schedule is not None:
        editions = shelf.provider(span.tariff.provider).schedule_versions(span.schedule.id)
        if span.schedule.start.date() > span.schedule.checked:
            parts.append(_Part("announced"))
        else:
            later = [edition for edition in editions if edition.start > span.schedule.start]
            parts.append(_Part("listed", _seen_until(span.schedule, later)))
    return parts


def _seen_until(part: Version | Schedule, later: Sequence[Version | Schedule]) -> datetime:
    """Return until when an edition was seen to hold: for good, if a later one was seen in force."""
    if any(edition.start.date() <= edition.checked for edition in later):
        return LATEST
    return _day_after(part.checked)


def _day_after(day: date) -> datetime:
    return datetime.combine(day + _ONE_DAY, time(), tzinfo=UTC)

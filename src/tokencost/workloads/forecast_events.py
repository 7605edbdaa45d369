"""Events: what happens to a price in a month, with the instant, in words taken from the tables."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import TokencostError
from tokencost.tariffs.clock import LATEST, iso, zone_named
from tokencost.tariffs.diff import cell_changes
from tokencost.tariffs.stretches import Cells, Tier, ladder_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from tokencost.rating.book import Book
    from tokencost.rating.evidence import Span
    from tokencost.rating.timeline import Selection, Timeline
    from tokencost.tariffs.diff import PriceChange
    from tokencost.tariffs.grid import Choice
    from tokencost.tariffs.schedule import Schedule
    from tokencost.tariffs.tariff import Tariff, Version

__all__ = ["PriceEvent", "price_events"]

_EMPTY = Cells({}, {})


class PriceEvent(NamedTuple):
    """Something that happens to a price at an instant.

    `kinds` are among `list`, `announced`, `withdrawn`, `promotion begins`, `promotion ends`, `windows begin`, `windows change`,
    `windows end`, `calendar ends`, `layer`, `name`, `prices begin`, `prices end`. `prices` are those that change, of the meters that the
    workload uses. `basis`, `checked` and `source` say how it is known.

    >>> import tokencost as tc
    >>> chat = tc.load_workload("chat")
    >>> event = tc.forecast(chat, "mistral/global/mistral-large-4-0", start="2026-10", months=1, draws=0).months[0].events[1]
    >>> str(event.at), event.kinds, [(change.meter, str(change.old), str(change.new)) for change in event.prices][:2]
    ('2026-10-20 00:00:00+00:00', ('promotion ends',), [('input', '0.68', '1.36'), ('cache_read', '0.07', '0.14')])
    """

    at: datetime
    kinds: tuple[str, ...]
    text: str
    prices: tuple[PriceChange, ...] = ()
    basis: str | None = None
    checked: date | None = None
    source: str | None = None

    def record(self) -> dict[str, Any]:
        """Return the event as one plain record; the instant is text."""
        prices = [f"{change.where} {change.meter} {_moved(change)}" for change in self.prices]
        return {**self._asdict(), "at": iso(self.at), "kinds": list(self.kinds), "prices": prices}

    def __str__(self) -> str:
        return f"{iso(self.at)}: {self.text}"


def price_events(
    book: Book, name: str, selections: Iterable[Selection], *, meters: Iterable[str], start: datetime, until: datetime
) -> list[PriceEvent]:
    """Return everything that happens to the prices of a name on a half-open span, in order."""
    wanted = tuple(meters)
    found: dict[tuple[datetime, tuple[str, ...], str], PriceEvent] = {}
    for selection in selections:
        line = book.timeline(name, **selection._asdict())
        for event in _events(book, line, wanted):
            if start <= event.at < until:
                key = (event.at, event.kinds, event.text)
                known = found.get(key)
                found[key] = event if known is None else known._replace(prices=(*known.prices, *event.prices))
    return [_told(event) for event in sorted(found.values(), key=lambda event: event.at)]


def _events(book: Book, line: Timeline, meters: tuple[str, ...]) -> Iterator[PriceEvent]:
    spans = line.spans
    for place, span in enumerate(spans):
        before = spans[place - 1] if place and spans[place - 1].until == span.start else None
        words = dict(_happenings(book, line, before, span))
        if words:
            cells = [_EMPTY if side is None else _cells(line, side, meters) for side in (before, span)]
            changes = tuple(cell_changes(span.tariff.id, *cells)) if before is not None else ()
            yield _made(book, span.start, span, words, changes)
        following = spans[place + 1].start if place + 1 < len(spans) else LATEST
        if span.until < following:
            yield PriceEvent(span.until, ("prices end",), "the prices end, and none is known to follow")
        yield from _calendar_ends(book, span)
    for tariff in {piece.offering: book.shelf.tariff(piece.offering) for piece in line.resolution.pieces}.values():
        yield from _withdrawn(book, tariff)


def _happenings(book: Book, line: Timeline, before: Span | None, after: Span) -> Iterator[tuple[str, str]]:
    """Yield what begins, changes or ends between two spans, as a kind and its words."""
    if before is None:
        yield "prices begin", "prices begin" if after.version.status == "in_force" else "announced prices begin"
    elif before.tariff.id != after.tariff.id:
        yield "name", f"the name means {after.tariff.id} from here on"
    elif before.version != after.version:
        yield ("announced", "an announced list begins") if after.version.status == "announced" else ("list", "a new list begins")
    old, new = (before.promo if before is not None else None), after.promo
    if old != new:
        if old is not None:
            yield "promotion ends", "a promotion ends"
        if new is not None:
            yield "promotion begins", f"a promotion begins, until {iso(new.until)}"
    yield from _windows(before.schedule if before is not None else None, after.schedule)
    for layer in book.layers:
        if layer.applies(
            offering=after.tariff.id,
            currency=line.selection.currency or layer.currency or book.currency,
            service_tier=line.selection.service_tier,
            tenant=line.selection.tenant,
        ):
            verbs = [verb for verb, at in (("begins", layer.start), ("ends", layer.until)) if at == after.start]
            yield from (("layer", f"{layer.kind} {layer.name} {verb}") for verb in verbs)


def _windows(old: Schedule | None, new: Schedule | None) -> Iterator[tuple[str, str]]:
    if old == new:
        return
    if new is None:
        yield "windows end", "the windows end"
        return
    windows = "; ".join(
        f"{w.window} {w.days} {w.hours}" + (f" except {w.except_calendar}" if w.except_calendar else "") for w in new.windows
    )
    kind = "windows begin" if old is None else "windows change"
    yield kind, f"{kind} ({windows} in {new.timezone}, otherwise {new.default})"


def _made(book: Book, at: datetime, span: Span, words: dict[str, str], changes: tuple[PriceChange, ...]) -> PriceEvent:
    """Build an event with the evidence of the part that made it: the promotion, the schedule, or the version."""
    part = span.version
    if span.promo is not None and span.promo.start == at:
        part = span.promo
    elif span.schedule is not None and set(words) <= {"windows change"}:
        part = span.schedule
    source = book.shelf.sources(span.tariff.provider).get(part.source)
    return PriceEvent(
        at, tuple(words), "; ".join(words.values()), changes, part.basis, part.checked, None if source is None else source.url
    )


def _told(event: PriceEvent) -> PriceEvent:
    """Return an event whose text names the prices that change."""
    if event.kinds == ("prices end",) or event.kinds[0] in ("withdrawn", "calendar ends", "prices begin"):
        return event
    if not event.prices:
        return event._replace(text=f"{event.text}: no price of this workload changes")
    groups = groupby(event.prices, key=lambda change: change.where)
    told = "; ".join(f"{where}: " + ", ".join(f"{change.meter} {_moved(change)}" for change in own) for where, own in groups)
    return event._replace(text=f"{event.text}: {told}")


def _moved(change: PriceChange) -> str:
    old, new = ("none" if price is None else format(price, "f") for price in (change.old, change.new))
    return f"{old} → {new}" + ("" if change.percent is None else f" ({change.percent:+f}%)")


def _calendar_ends(book: Book, span: Span) -> Iterator[PriceEvent]:
    schedule = span.schedule
    for name in dict.fromkeys(w.except_calendar for w in schedule.windows if w.except_calendar) if schedule is not None else ():
        assert schedule is not None
        calendar = book.shelf.calendar(name)
        at = datetime.combine(calendar.until, time(), tzinfo=zone_named(schedule.timezone)).astimezone(UTC)
        if span.start <= at < span.until:
            text = f"calendar {name} says nothing from {calendar.until} on; hours that hang on it have no known price"
            yield PriceEvent(at, ("calendar ends",), text, (), None, calendar.checked, calendar.source)


def _withdrawn(book: Book, tariff: Tariff) -> Iterator[PriceEvent]:
    for version in tariff.versions:
        if version.status == "withdrawn":
            yield PriceEvent(
                version.start, ("withdrawn",), _withdrawal(version), (), version.basis, version.checked, _url(book, tariff, version)
            )


def _withdrawal(version: Version) -> str:
    return "a list was announced to begin here and was withdrawn" + ("" if version.note is None else f": {version.note}")


def _url(book: Book, tariff: Tariff, version: Version) -> str | None:
    source = book.shelf.sources(tariff.provider).get(version.source)
    return None if source is None else source.url


def _cells(line: Timeline, span: Span, meters: tuple[str, ...]) -> Cells:
    """Return what each meter of the workload is billed at on a span, layers included; nothing where the choice has no price."""
    try:
        segment = line.segment(span.start)
    except TokencostError:
        return _EMPTY
    ladders: dict[str | None, list[Tier]] = {}
    for window, ladder in segment.ladders.items():
        rows = [
            (Tier(step[0], step[2], {m: cell.prices[cell.billed_as[m]] for m in meters if m in cell.billed_as}), step[1], step[3])
            for step, cell in zip(ladder.steps, ladder.cells, strict=True)
        ]
        ladders[window] = ladder_of(rows)
    choice: Choice = segment.choice
    return Cells({choice: ladders}, {})

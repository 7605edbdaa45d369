"""Timelines: everything that a name can cost over time, compiled segment by segment.

A segment is a stretch of time in which nothing changes: one version, one promotion or none, one edition of the schedule, one set of
layers. Boundaries are found at once, a segment is resolved when an instant first falls into it.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import CurrencyError, NoRateError, OutsideHistoryError, UnknownNameError
from tokencost.rating.card import Ladder, Origin, Step, make_cell
from tokencost.rating.evidence import Evidence, Span, notices_of
from tokencost.rating.layers import layer_edges, layer_steps
from tokencost.tariffs.clock import EARLIEST, LATEST, iso, to_instant
from tokencost.tariffs.grid import Choice, available, by_window, effective_rows, rows_for
from tokencost.tariffs.meter import within
from tokencost.tariffs.money import currency_code
from tokencost.tariffs.schedule import Dial
from tokencost.tariffs.tariff import SERVICE_TIERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokencost.rating.card import Cell
    from tokencost.rating.layers import Layer
    from tokencost.tariffs.names import Resolution
    from tokencost.tariffs.schedule import Calendar
    from tokencost.tariffs.shelf import Shelf
    from tokencost.tariffs.tariff import Rate

__all__ = ["STALE_AFTER", "Segment", "Selection", "Timeline"]

STALE_AFTER: Final = timedelta(days=90)
"""A price that was last checked longer ago than this, seen from the instant asked about, is called stale."""


class Selection(NamedTuple):
    """What the caller chose; None for the currency means the book's preference."""

    currency: str | None = None
    service_tier: str = "standard"
    mode: str | None = None
    residency: str | None = None
    tenant: str | None = None

    def checked(self) -> Selection:
        """Return the selection if its words exist; a misspelt one must not fall back to the standard price."""
        if self.currency is not None:
            currency_code(self.currency)
        if self.service_tier not in SERVICE_TIERS:
            raise UnknownNameError.of(str(self.service_tier), SERVICE_TIERS, what="service tier", where=f"{', '.join(SERVICE_TIERS)}")
        if self.mode not in (None, "thinking"):
            raise UnknownNameError.of(str(self.mode), ("thinking",), what="mode", where="thinking (or None)")
        return self


class Segment:
    """A resolved span: the ladder of each window, and what to say about the price."""

    __slots__ = (
        "choice",
        "dial",
        "evidence",
        "flat",
        "from_promo",
        "graduated",
        "ladders",
        "notices",
        "schedule",
        "span",
        "stale",
        "start",
        "until",
    )

    def __init__(
        self, span: Span, choice: Choice, ladders: dict[str | None, Ladder], *, calendars: Mapping[str, Calendar], from_promo: bool
    ) -> None:
        self.span = span
        self.start, self.until = span.start, span.until
        self.choice = choice
        self.ladders = ladders
        self.schedule = span.schedule if None not in ladders else None
        self.dial = Dial(self.schedule, calendars) if self.schedule is not None else None
        self.from_promo = from_promo
        self.notices = notices_of(span, from_promo=from_promo)
        self.evidence: Evidence | None = None
        only = ladders.get(None)
        self.flat = only.flat if only is not None else None
        self.graduated = span.tariff.tiering == "graduated"
        stale = datetime.combine(span.version.checked, datetime.min.time(), tzinfo=EARLIEST.tzinfo) + STALE_AFTER
        self.stale = stale

    def window(self, at: datetime) -> str | None:
        """Return the window of an instant, None where the rows have none.

        Raises:
            CalendarError: the window hangs on a calendar that does not cover the day.
            OutsideHistoryError: the rows name windows, and no edition of the schedule is in force.
        """
        if self.dial is not None:
            return self.dial.window_at(at)
        if None in self.ladders:
            return None
        span = self.span
        raise OutsideHistoryError(
            f"no price of {span.tariff.id} is known at {iso(at)}: "
            f"schedule {span.version.schedule!r} has no edition from {iso(self.start)} on; add one to provider.toml, or end the version",
            offering=span.tariff.id,
            at=at,
            first=self.start,
            until=self.until,
        )

    def ladder(self, at: datetime) -> Ladder:
        """Return the context tiers in force at an instant."""
        return self.ladders[self.window(at)]


class Timeline:
    """All segments of one name under one selection.

    >>> import tokencost as tc
    >>> line = tc.load_book().timeline("deepseek-reasoner")
    >>> line.segment(tc.to_instant("2025-02-01T00:00:00Z")).choice.currency
    'USD'
    """

    def __init__(
        self, shelf: Shelf, resolution: Resolution, selection: Selection, *, layers: Sequence[Layer] = (), prefer: str = "USD"
    ) -> None:
        self.shelf = shelf
        self.resolution = resolution
        self.selection = selection
        self.layers = layers
        self.prefer = prefer
        self.spans = _spans(shelf, resolution, layers)
        self._starts = [span.start for span in self.spans]
        self._made: dict[int, Segment] = {}
        self.last: Segment | None = None

    def segment(self, at: datetime) -> Segment:
        """Return the segment of an aware instant.

        Raises:
            OutsideHistoryError: no price is known then.
            CurrencyError: there is no list in the currency.
            NoRateError: the list has no such service tier, mode or residency.
        """
        index = bisect_right(self._starts, at) - 1
        if index < 0 or at >= self.spans[index].until:
            raise self._outside(at)
        made = self._made.get(index)
        if made is None:
            made = self._made[index] = self._resolve(self.spans[index], at)
        self.last = made
        return made

    def evidence(self, segment: Segment) -> Evidence:
        """Return how the price of a segment is known, read once."""
        if segment.evidence is None:
            span = segment.span
            provider = self.shelf.provider(span.tariff.provider)
            part = span.promo if span.promo is not None and segment.from_promo else span.version
            segment.evidence = Evidence(
                span.tariff.id,
                part.start,
                part.basis,
                self.shelf.sources(provider.id).get(part.source),
                part.checked,
                span.version.served,
                part.note,
                segment.schedule.decided if segment.schedule else provider.decided,
            )
        return segment.evidence

    def _resolve(self, span: Span, at: datetime) -> Segment:
        rows = effective_rows(span.version, span.promo)
        currency = self._currency(span, tuple(dict.fromkeys(row.currency for row in rows)), at)
        asked = self.selection
        choice = Choice(currency, asked.service_tier, asked.mode, asked.residency)
        chosen, factors = rows_for(rows, span.version.adjustments, choice)
        if not chosen:
            raise self._no_rate(span, choice, available(rows, span.version.adjustments, currency), at)
        promo_rows = span.promo.rates if span.promo else ()
        above: list[Step] = []
        if span.promo is not None and span.promo.multiply is not None:
            scope = frozenset(bucket for root in span.promo.meters for bucket in within(root)) or None
            above.append(Step("promo", multiply=span.promo.multiply, meters=scope, source=span.promo.source))
        above += layer_steps(
            self.layers, offering=span.tariff.id, currency=currency, service_tier=asked.service_tier, tenant=asked.tenant, at=at
        )

        def cell(row: Rate) -> Cell:
            promo = span.promo if row in promo_rows else None
            origin = Origin("promo", row.source or promo.source) if promo else Origin("list", row.source or span.version.source)
            return make_cell(span.tariff, row, factors, above, minimum=span.version.minimum, origin=origin)

        ladders = {
            window: Ladder([(row, cell(row)) for row in rows], tier_on=span.tariff.tier_on) for window, rows in by_window(chosen).items()
        }
        calendars = {
            w.except_calendar: self.shelf.calendar(w.except_calendar)
            for w in (span.schedule.windows if span.schedule else ())
            if w.except_calendar
        }
        from_promo = span.promo is not None and (span.promo.multiply is not None or chosen[0] in promo_rows)
        return Segment(span, choice, ladders, calendars=calendars, from_promo=from_promo)

    def _currency(self, span: Span, listed: tuple[str, ...], at: datetime) -> str:
        asked = self.selection.currency
        if asked is None:
            if len(listed) == 1:
                return listed[0]
            asked = self.prefer
        if asked in listed:
            return asked
        others = sorted(
            offering
            for offering in self.shelf.by_model.get(span.tariff.model, ())
            if offering.startswith(f"{span.tariff.provider}/")
            and offering != span.tariff.id
            and any(asked in version.currencies for version in self.shelf.tariff(offering).versions)
        )
        cure = f"{' and '.join(others)} has one; or " if others else ""
        raise CurrencyError(
            f"{span.tariff.id} has no {asked} list at {iso(at)}, only {', '.join(listed)}; "
            f"{cure}pass currency={listed[0]!r}, or fx= with a dated exchange table",
            offering=span.tariff.id,
            asked=asked,
            available=listed,
        )

    def _no_rate(self, span: Span, choice: Choice, offered: tuple[Choice, ...], at: datetime) -> NoRateError:
        listed = "; ".join(map(str, offered))
        return NoRateError(
            f"{span.tariff.id} has no rate for {choice} at {iso(at)}; its list has {listed}",
            offering=span.tariff.id,
            at=to_instant(at),
            asked=choice,
            available=offered,
        )

    def _outside(self, at: datetime) -> OutsideHistoryError:
        at = to_instant(at)  # the ends of the calendar may have no instant in UTC
        name = self.resolution.pieces[-1].offering
        if not self.spans:
            return OutsideHistoryError(
                f"{name} has no version that rates; see `tokencost show {name}`", offering=name, at=at, first=None, until=None
            )
        first, until = self._starts[0], self.spans[-1].until
        known = f"known prices run from {iso(first)} to {'now' if until == LATEST else iso(until)}"
        before = [span for span in self.spans if span.until <= at]
        after = [span for span in self.spans if span.start > at]
        if before and after:
            known = f"the price until {iso(before[-1].until)} and from {iso(after[0].start)} on is known, not in between"
        return OutsideHistoryError(
            f"no price of {name} is known at {iso(at)}; {known}, ask for an instant inside",
            offering=name,
            at=at,
            first=first,
            until=None if until == LATEST else until,
        )


def _spans(shelf: Shelf, resolution: Resolution, layers: Sequence[Layer]) -> list[Span]:
    """Cut the history of every piece of a name at all instants where something changes."""
    spans: list[Span] = []
    for piece in resolution.pieces:
        tariff = shelf.tariff(piece.offering)
        low, high = piece.start or EARLIEST, piece.until or LATEST
        for version in tariff.in_force:
            start, until = max(version.start, low), min(tariff.ends(version) or LATEST, high)
            if start >= until:
                continue
            schedules = shelf.provider(tariff.provider).schedule_versions(version.schedule) if version.schedule else ()
            edges = {start, until} | layer_edges(layers, start, until)
            for part in (*tariff.promos, *tariff.allowances, *schedules):
                edges |= {edge for edge in (part.start, part.until) if edge is not None and start < edge < until}
            ordered = sorted(edges)
            for begin, end in pairwise(ordered):
                promo = next((p for p in tariff.promos if p.start <= begin < p.until), None)
                current = [s for s in schedules if s.start <= begin and (s.until is None or begin < s.until)]
                spans.append(Span(begin, end, tariff, version, promo, current[-1] if current else None))
    return sorted(spans, key=lambda span: span.start)

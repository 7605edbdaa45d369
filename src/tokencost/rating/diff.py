"""Differences between two instants of one book: what every offering costs then and now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokencost.errors import CalendarError, InstantError
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.diff import PriceDiff, cell_changes
from tokencost.tariffs.grid import available, effective_rows, rows_for
from tokencost.tariffs.stretches import Cells, Tier, factors_only, ladder_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.tariffs.diff import PriceChange
    from tokencost.tariffs.grid import Choice
    from tokencost.tariffs.tariff import Promo, Version

__all__ = ["diff_at"]


def diff_at(book: Book, before: datetime | str, after: datetime | str, *, offerings: Iterable[str] | None = None) -> PriceDiff:
    """Return what changed between two instants: offerings that came or went, and prices that moved.

    Prices are those that a request would pay at each instant: promotions, contracts and markups of the book applied, and of a schedule
    the window in force. `offerings` are ids; without them all offerings of the book are compared. One whose calendar does not cover an
    instant is named in the notes, as is one whose window differs between the two.

    >>> import tokencost as tc
    >>> diff = tc.diff_at(tc.load_book(), "2025-02-01T00:00:00Z", "2025-03-01T17:00:00Z", offerings=["deepseek/global/deepseek-reasoner"])
    >>> [(c.meter, str(c.old), str(c.new)) for c in diff.changes if c.choice.currency == "USD"]
    [('input', '0.55', '0.135'), ('cache_read', '0.14', '0.035'), ('output', '2.19', '0.55')]

    Raises:
        InstantError: an instant is naive or none, or the second is not after the first.
        UnknownNameError: an id that is not in the book.
    """
    first, second = to_instant(before), to_instant(after)
    if second <= first:
        raise InstantError(f"the second instant {iso(second)} is not after the first, {iso(first)}; put the earlier one first", value=after)
    added: list[str] = []
    removed: list[str] = []
    changes: list[PriceChange] = []
    notes: list[str] = []
    for offering in book.ids if offerings is None else offerings:
        try:
            old, new = _cells_at(book, offering, first), _cells_at(book, offering, second)
        except CalendarError as error:
            notes.append(f"{offering} is left out: {error}")
            continue
        if not (old.ladders and new.ladders):
            added += [offering] if new.ladders else []
            removed += [offering] if old.ladders else []
            continue
        moved = cell_changes(offering, old, new)
        changes += moved
        notes += _window_notes(book, offering, first, second) if moved else ()
    title = f"prices at {iso(first)} against {iso(second)}: per million tokens unless the meter says otherwise"
    return PriceDiff(title, tuple(added), tuple(removed), tuple(changes), tuple(notes))


def _in_force(book: Book, offering: str, at: datetime) -> tuple[Version, Promo | None] | None:
    law = book.shelf.tariff(offering)
    for version in law.in_force:
        end = law.ends(version)
        if version.start <= at and (end is None or at < end):
            return version, next((promo for promo in law.promos if promo.start <= at < promo.until), None)
    return None


def _cells_at(book: Book, offering: str, at: datetime) -> Cells:
    """Return everything that an offering costs at an instant; nothing where no price is known."""
    found = _in_force(book, offering, at)
    if found is None:
        return Cells({}, {})
    version, promo = found
    listed = effective_rows(version, promo)
    asked = book.tariff(offering)
    ladders: dict[Choice, dict[str | None, list[Tier]]] = {}
    derived: dict[Choice, tuple[tuple[Decimal, tuple[str, ...]], ...]] = {}
    for currency in dict.fromkeys(row.currency for row in listed):
        for choice in available(listed, version.adjustments, currency):
            card = asked.card(at=at, currency=currency, service_tier=choice.service_tier, mode=choice.mode, residency=choice.residency)
            rows = ((Tier(row.from_input, row.from_output, row.prices), row.up_to_input, row.up_to_output) for row in card.rows)
            ladders[choice] = {None: ladder_of(rows)}
            factors = rows_for(listed, version.adjustments, choice)[1]
            if factors:
                derived[choice] = factors_only(factors)
    return Cells(ladders, derived)


def _window_notes(book: Book, offering: str, first: datetime, second: datetime) -> list[str]:
    """Say which windows the two instants fall into, where they are not the same."""
    windows: list[str | None] = []
    for at in (first, second):
        found = _in_force(book, offering, at)
        assert found is not None  # both instants have a price
        currency = found[0].currencies[0]
        windows.append(book.timeline(offering, currency=currency).segment(at).window(at))
    if windows[0] == windows[1]:
        return []
    before, after = (window or "no window" for window in windows)
    return [f"{offering}: {before} at {iso(first)}, {after} at {iso(second)}"]

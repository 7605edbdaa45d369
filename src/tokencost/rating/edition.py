"""Editions: which version of whose list priced a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from datetime import datetime

    from tokencost.rating.timeline import Segment

__all__ = ["VersionRef", "edition_of"]


class VersionRef(NamedTuple):
    """One edition of an offering's list: when it began, and how that is known."""

    offering: str
    start: datetime
    basis: str

    def __str__(self) -> str:
        return f"{self.offering} {iso(self.start)}"


def edition_of(segment: Segment) -> tuple[VersionRef, str]:
    """Return the edition of the list behind a segment, and its currency."""
    version = segment.span.version
    return VersionRef(segment.span.tariff.id, version.start, version.basis), segment.choice.currency

"""Evidence: how a price is known, and what is to be known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import AllowanceNotice, AnnouncedPriceWarning, PromotionalPriceWarning, UncertainDateWarning
from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from datetime import date, datetime

    from tokencost.errors import PriceWarning
    from tokencost.tariffs.provider import Source
    from tokencost.tariffs.schedule import Schedule
    from tokencost.tariffs.tariff import Promo, Tariff, Version

__all__ = ["Evidence", "Span", "notices_of"]

_UNCERTAIN: Final = frozenset({"first_observed", "catalogue"})


class Evidence(NamedTuple):
    """How a price is known: the version it stands in, its source, and when somebody last looked.

    `basis` says how the start date is known; `source` is the document that the rates of the list lead to; `decided` which instant decides
    the price.
    """

    offering: str
    version_start: datetime
    basis: str
    source: Source | None
    checked: date
    served: str | None
    note: str | None
    decided: str


class Span(NamedTuple):
    """A stretch of time before it is resolved."""

    start: datetime
    until: datetime
    tariff: Tariff
    version: Version
    promo: Promo | None
    schedule: Schedule | None


def notices_of(span: Span, *, from_promo: bool) -> tuple[PriceWarning, ...]:
    """Say what is to be known about a price that holds for the whole span."""
    version, promo, tariff = span.version, span.promo, span.tariff
    found: list[PriceWarning] = []
    if promo is not None and from_promo:
        found.append(PromotionalPriceWarning(f"a promotion above the list price, until {iso(promo.until)}", until=promo.until))
    if version.status == "announced":
        found.append(
            AnnouncedPriceWarning(
                f"announced to begin at {iso(version.start)}; it had not begun when last checked on {version.checked}",
                start=version.start,
                checked=version.checked,
            )
        )
    if version.basis in _UNCERTAIN:
        found.append(
            UncertainDateWarning(
                f"the price was first recorded at {iso(version.start)} ({version.basis}); it may have begun earlier",
                start=version.start,
                basis=version.basis,
            )
        )
    following = next((v for v in tariff.in_force if v.start >= span.until), None)
    if following is not None and following.basis in _UNCERTAIN:
        found.append(
            UncertainDateWarning(
                f"the next price was first recorded at {iso(following.start)} ({following.basis}); it may have begun earlier",
                start=following.start,
                basis=following.basis,
            )
        )
    found.extend(
        AllowanceNotice(
            f"{a.quantity:,} {a.meter} are free per {a.per}; this quote bills gross"
            if a.per != "once"
            else f"{a.quantity:,} {a.meter} are free once; this quote bills gross",
            meter=a.meter,
            quantity=a.quantity,
            per=a.per,
        )
        for a in tariff.allowances
        if (a.start is None or a.start <= span.start) and (a.until is None or span.start < a.until)
    )
    return tuple(found)

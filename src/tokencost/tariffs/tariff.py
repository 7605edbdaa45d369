"""Tariffs: the whole dated price law of one offering, as published.

These classes are the price law and nothing else: they know no schedule, no source text, no arithmetic. They are frozen;
a change makes new ones.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

from tokencost.tariffs.record import record

__all__ = [
    "BASES",
    "SERVICE_TIERS",
    "Adjustment",
    "Allowance",
    "Basis",
    "Mode",
    "Promo",
    "Rate",
    "ServiceTier",
    "Status",
    "Tariff",
    "Version",
    "lower_edge",
]

Basis = Literal["announced", "documented", "first_observed", "catalogue"]
Status = Literal["in_force", "announced", "withdrawn"]
ServiceTier = Literal["standard", "batch", "flex", "priority", "fast", "ultrafast"]
Mode = Literal["thinking", "any"]
Vat = Literal["excluded", "included"]

BASES: Final[tuple[Basis, ...]] = ("announced", "documented", "first_observed", "catalogue")
"""How a start date is known, best first; the last two are only upper bounds."""

SERVICE_TIERS: Final[tuple[ServiceTier, ...]] = ("standard", "batch", "flex", "priority", "fast", "ultrafast")


def lower_edge(above: int | None, at_or_above: int | None) -> int:
    """Return the smallest count that belongs to a tier; a ladder starts at 0 either way.

    >>> lower_edge(200_000, None), lower_edge(None, 200_000), lower_edge(0, None)
    (200001, 200000, 0)
    """
    if at_or_above is not None:
        return at_or_above
    return above + 1 if above else 0


@record
class Rate:
    """One row: the unit prices for one choice of selectors.

    `prices` maps a meter to its price per published unit (`tc.METERS[name].priced_per`).
    """

    currency: str
    service_tier: ServiceTier = "standard"
    mode: Mode | None = None
    residency: str | None = None
    window: str | None = None
    above: int | None = None
    at_or_above: int | None = None
    up_to: int | None = None
    above_output: int | None = None
    at_or_above_output: int | None = None
    up_to_output: int | None = None
    prices: dict[str, Decimal]
    source: str | None = None
    note: str | None = None

    @property
    def first_input(self) -> int:
        """The smallest request, in tokens of the tariff's `tier_on`, that this row applies to."""
        return lower_edge(self.above, self.at_or_above)

    @property
    def first_output(self) -> int:
        """The smallest number of output tokens that this row applies to."""
        return lower_edge(self.above_output, self.at_or_above_output)


@record
class Adjustment:
    """A factor on rates, for one service tier or one residency; on all token meters or on those named."""

    service_tier: ServiceTier | None = None
    residency: str | None = None
    multiply: Decimal
    meters: tuple[str, ...] = ()
    source: str | None = None
    note: str | None = None


@record
class Version:
    """One edition of a price list, in force on the half-open span from `start` to `until` or the next start."""

    start: datetime
    until: datetime | None = None
    basis: Basis
    announced: date | None = None
    status: Status = "in_force"
    source: str
    checked: date
    schedule: str | None = None
    served: str | None = None
    note: str | None = None
    correction: str | None = None
    allow: tuple[str, ...] = ()
    minimum: dict[str, int] = field(default_factory=dict[str, int])
    rates: tuple[Rate, ...]
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies that this edition has a list in, in the order of the file."""
        return tuple(dict.fromkeys(rate.currency for rate in self.rates))


@record
class Promo:
    """A price above the list that ends on a date: rows of its own, or a factor on the list's."""

    start: datetime
    until: datetime
    basis: Basis
    announced: date | None = None
    source: str
    checked: date
    note: str | None = None
    rates: tuple[Rate, ...] = ()
    multiply: Decimal | None = None
    meters: tuple[str, ...] = ()


@record
class Allowance:
    """A quantity that is free per period; single quotes bill gross, ledgers net it."""

    meter: str
    quantity: int
    per: Literal["day", "month", "once"]
    start: datetime | None = None
    until: datetime | None = None
    source: str
    checked: date
    note: str | None = None


@record
class Tariff:
    """The whole dated price law of one offering.

    `id` is `provider/endpoint/model`. `versions` are in order of their start and do not overlap; withdrawn ones are kept
    for the record and rate nothing.
    """

    id: str
    publisher: str
    title: str | None = None
    tiering: Literal["cliff", "graduated"] = "cliff"
    tier_on: Literal["input_total", "total"] = "input_total"
    vat: Vat | None = None
    note: str | None = None
    versions: tuple[Version, ...]
    promos: tuple[Promo, ...] = ()
    allowances: tuple[Allowance, ...] = ()

    @property
    def provider(self) -> str:
        """Who sells and bills."""
        return self.id.split("/", 1)[0]

    @property
    def endpoint(self) -> str:
        """The region or deployment that has this list."""
        return self.id.split("/", 2)[1]

    @property
    def model(self) -> str:
        """The model's id at this provider; it may contain slashes."""
        return self.id.split("/", 2)[2]

    @property
    def in_force(self) -> tuple[Version, ...]:
        """The versions that rate: all but the withdrawn ones."""
        return tuple(version for version in self.versions if version.status != "withdrawn")

    def ends(self, version: Version) -> datetime | None:
        """Return the instant at which a version stops, or None while it is open."""
        rated = self.in_force
        following = rated[rated.index(version) + 1 :] if version in rated else ()
        limits = [end for end in (version.until, following[0].start if following else None) if end is not None]
        return min(limits, default=None)

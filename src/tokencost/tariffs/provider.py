"""Providers: who sells, at which endpoints, by which clock, under which names, on whose word."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from tokencost.tariffs.record import record
from tokencost.tariffs.schedule import Decided, Schedule

__all__ = ["Alias", "Claim", "Endpoint", "NameRule", "Provider", "Source", "SourceKind"]

SourceKind = Literal["official_announcement", "official_page", "archived_official_page", "news", "issue_thread", "catalogue", "memory"]


@record
class Source:
    """A document that a rate leads to."""

    id: str
    url: str
    kind: SourceKind
    title: str | None = None
    note: str | None = None


@record
class Endpoint:
    """A region or deployment of a provider that has its own list."""

    id: str
    name: str
    note: str | None = None


@record
class NameRule:
    """How a longer name of this provider may be shortened, and what is dropped by it."""

    kind: Literal["prefix", "suffix"]
    pattern: str
    drops: str | None = None
    endpoint: str | None = None
    note: str | None = None


@record
class Alias:
    """Another name of an offering, perhaps only for a time."""

    name: str
    offering: str
    start: datetime | None = None
    until: datetime | None = None
    source: str
    checked: date
    note: str | None = None


@record
class Provider:
    """One provider: `provider.toml`, and the folder it lies in as the id.

    `namespace` is a regular expression for names that can only be this provider's, such as `anthropic.claude-...` on Bedrock.
    """

    id: str
    name: str
    kind: Literal["publisher", "host"]
    default: str
    decided: Decided = "unstated"
    vat: Literal["excluded", "included"] | None = None
    namespace: str | None = None
    pricing: str | None = None
    note: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    rules: tuple[NameRule, ...] = ()
    aliases: tuple[Alias, ...] = ()

    def schedule_versions(self, schedule_id: str) -> tuple[Schedule, ...]:
        """Return the versions of one schedule in order of their start."""
        return tuple(sorted((s for s in self.schedules if s.id == schedule_id), key=lambda s: s.start))


@record
class Claim:
    """What an article says of a price, and which rates those figures really are.

    `said` maps a meter to the figure that the article gives it; `really` maps it to the meter which has that price on
    the provider's own list at `at`.
    """

    id: str
    article: str
    publication: str
    offering: str
    at: datetime
    currency: str
    said: dict[str, Decimal]
    really: dict[str, str]
    note: str | None = None

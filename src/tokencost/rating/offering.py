"""Offerings: one provider, endpoint and model, ready to quote and to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import AmbiguousNameError
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.history import history_table
from tokencost.tariffs.meter import METERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.rating.quote import Quote
    from tokencost.rating.usage import Usage
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.tariffs.grid import Choice
    from tokencost.tariffs.names import Resolution
    from tokencost.tariffs.provider import Provider
    from tokencost.tariffs.tariff import Promo, Tariff, Version

__all__ = ["CardRow", "Offering", "RateCard"]


class CardRow(NamedTuple):
    """One context tier of a rate card: its edges in tokens, both inclusive, and its unit prices."""

    from_input: int
    up_to_input: int | None
    from_output: int
    up_to_output: int | None
    prices: Mapping[str, Decimal]


class RateCard(NamedTuple):
    """A tariff resolved at one instant for one choice: what each meter costs now.

    >>> import tokencost as tc
    >>> card = tc.load_book().tariff("deepseek-reasoner").card(at="2025-02-01T00:00:00Z")
    >>> {meter: str(price) for meter, price in card.rows[0].prices.items()}
    {'input': '0.55', 'cache_read': '0.14', 'output': '2.19'}
    """

    offering: str
    at: datetime
    choice: Choice
    window: str | None
    rows: tuple[CardRow, ...]

    def table(self) -> Table:
        """Return the card as a table for eyes."""
        meters = tuple(self.rows[0].prices)
        tiered = any(row.from_input or row.from_output or row.up_to_input is not None for row in self.rows)
        columns = [Column("request size")] * tiered + [Column(f"{name} / {METERS[name].priced_per}", number=True) for name in meters]
        rows = [tuple([_edges(row)] * tiered + [format(row.prices[name], "f") for name in meters]) for row in self.rows]
        title = f"{self.offering} at {iso(self.at)} ({self.choice}{'' if self.window is None else f', {self.window}'})"
        return Table(title, tuple(columns), tuple(rows))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _edges(row: CardRow) -> str:
    upper = "" if row.up_to_input is None else f" to {row.up_to_input:,}"
    text = f"from {row.from_input:,}{upper}"
    if row.from_output or row.up_to_output is not None:
        text += f", output from {row.from_output:,}" + ("" if row.up_to_output is None else f" to {row.up_to_output:,}")
    return text


class Offering:
    """One offering of a book: its price law, and quotes from it.

    >>> import tokencost as tc
    >>> r1 = tc.load_book().tariff("deepseek-reasoner")
    >>> r1.cost(tc.Usage(output=1_000_000), at="2025-02-01T00:00:00Z")
    Decimal('2.19')
    """

    def __init__(self, book: Book, resolution: Resolution, at: datetime | None = None) -> None:
        meant = resolution.pieces
        if at is not None:
            meant = tuple(p for p in meant if (p.start is None or p.start <= at) and (p.until is None or at < p.until)) or meant
        offerings = list(dict.fromkeys(piece.offering for piece in meant))
        if len(offerings) > 1:
            spans = "; ".join(f"{piece.offering} from {iso(piece.start)} to {iso(piece.until)}" for piece in meant)
            raise AmbiguousNameError(
                f"{resolution.name!r} has meant several offerings: {spans}; pass at= or one of these",
                name=resolution.name,
                candidates=tuple(offerings),
            )
        self.book = book
        self.resolution = resolution
        self.id = offerings[0]
        whole = {piece.offering for piece in resolution.pieces} == {self.id}
        self.name = resolution.name if whole else self.id  # an offering that was chosen by `at` stays that one at every instant

    @property
    def law(self) -> Tariff:
        """The price law itself: all versions, promotions and allowances."""
        return self.book.shelf.tariff(self.id)

    @property
    def provider(self) -> Provider:
        """Who sells it."""
        return self.book.shelf.provider(self.id.split("/", 1)[0])

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version of the list, the oldest first, withdrawn ones included."""
        return self.law.versions

    @property
    def promos(self) -> tuple[Promo, ...]:
        """Every promotion above the list."""
        return self.law.promos

    def quote(
        self,
        usage: Usage,
        *,
        at: datetime | str,
        currency: str | None = None,
        service_tier: str = "standard",
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
        fx: ExchangeTable | None = None,
    ) -> Quote:
        """Return the cost of a usage on this offering, with lines and evidence; see [Book.quote][]."""
        return self.book.quote(
            self.name,
            usage,
            at=at,
            currency=currency,
            service_tier=service_tier,
            mode=mode,
            residency=residency,
            tenant=tenant,
            fx=fx,
        )

    def cost(
        self,
        usage: Usage,
        *,
        at: datetime | str,
        currency: str | None = None,
        service_tier: str = "standard",
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
    ) -> Decimal:
        """Return just the total of a usage on this offering; see [Book.cost][]."""
        return self.book.cost(
            self.name, usage, at=at, currency=currency, service_tier=service_tier, mode=mode, residency=residency, tenant=tenant
        )

    def card(
        self,
        *,
        at: datetime | str,
        currency: str | None = None,
        service_tier: str = "standard",
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
    ) -> RateCard:
        """Return the unit prices at an instant, one row for each context tier."""
        when = to_instant(at)
        line = self.book.timeline(self.name, currency=currency, service_tier=service_tier, mode=mode, residency=residency, tenant=tenant)
        segment = line.segment(when)
        ladder = segment.ladder(when)
        rows: list[CardRow] = []
        for n, (cell, (first, upper, first_output, up_to_output)) in enumerate(zip(ladder.cells, ladder.steps, strict=True)):
            later = [step for step in ladder.steps[n + 1 :] if step[0] > first]
            inner = [step for step in ladder.steps[n + 1 :] if step[0] == first]
            rows.append(
                CardRow(
                    first,
                    later[0][0] - 1 if later else upper,
                    first_output,
                    inner[0][2] - 1 if inner else up_to_output,
                    cell.prices,
                )
            )
        return RateCard(segment.span.tariff.id, when, segment.choice, segment.window(when), tuple(rows))

    def history(self) -> Table:
        """Return every version and promotion as a table, with windows and sources."""
        return history_table(self.law, self.provider, self.book.shelf.sources(self.provider.id))

    def __repr__(self) -> str:
        rated = self.law.in_force
        end = self.law.ends(rated[-1]) if rated else None
        until = "now" if end is None else iso(end)
        return f"Offering({self.id!r}, {len(self.versions)} versions, {iso(self.versions[0].start)} to {until})"

    def __str__(self) -> str:
        return self.history().text()

    def _repr_html_(self) -> str:
        return self.history().html()

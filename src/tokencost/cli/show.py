"""`tokencost show` and `tokencost list`: what the tables hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import tokencost as tc
from tokencost.cli.command import ToldCommand
from tokencost.cli.options import at_option, choice_options, json_option, matching, open_book, tables_option
from tokencost.cli.output import emit_json, plain
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tokencost.rating.book import Book
    from tokencost.rating.offering import Offering

__all__ = ["list_", "show"]


@click.command(
    cls=ToldCommand,
    short_help="The price history of a model, or its rate card at an instant.",
    examples=(
        "tokencost show deepseek-reasoner",
        "tokencost show alibaba/china/qwen-max --at 2025-06-01T00:00:00Z",
        "tokencost show gpt-4o --at 2025-06-01T00:00:00Z --service-tier batch --json",
    ),
)
@click.argument("model")
@at_option("With it the rate card of that instant is shown, without it the whole history.")
@choice_options
@tables_option
@json_option
def show(
    model: str,
    *,
    at: datetime | None,
    currency: str | None,
    service_tier: str,
    mode: str | None,
    residency: str | None,
    tables: Path | None,
    as_json: bool,
) -> None:
    """Show every price that MODEL ever had, with its windows, notes and sources.

    With --at it is the rate card of one instant instead: the unit price of every meter, by size of request where the list has context
    tiers. The options that choose among rows (--currency, --service-tier, --mode, --residency) belong to the rate card.
    """
    offering = open_book(tables).tariff(model, at=at)
    if at is None:
        if (currency, service_tier, mode, residency) != (None, "standard", None, None):
            raise click.UsageError("a choice of rows belongs to a rate card; pass --at with it, or leave it out for the whole history")
        if as_json:
            emit_json(_history_record(offering))
        else:
            click.echo(offering.history().text())
        return
    card = offering.card(at=at, currency=currency, service_tier=service_tier, mode=mode, residency=residency)
    if as_json:
        emit_json(card)
    else:
        click.echo(card.table().text())


def _history_record(offering: Offering) -> dict[str, Any]:
    law, provider = offering.law, offering.provider
    used = dict.fromkeys(version.schedule for version in law.versions if version.schedule)
    parts = (*law.versions, *law.promos)
    sources = offering.book.shelf.sources(provider.id)
    named = dict.fromkeys(name for part in parts for name in (part.source, *(row.source for row in part.rates)) if name)
    return {
        "offering": law.id,
        "name": offering.resolution.name,
        "rule": offering.resolution.rule,
        **{key: value for key, value in plain(law).items() if key != "id"},
        "provider": {"id": provider.id, "name": provider.name},
        "schedules": [plain(schedule) for name in used for schedule in provider.schedule_versions(name)],
        "sources": {name: plain(sources[name]) for name in named if name in sources},
    }


@click.command(
    "list",
    cls=ToldCommand,
    short_help="The offerings in the tables.",
    examples=(
        "tokencost list deepseek",
        "tokencost list 'gpt-4o*' --provider openai --json",
    ),
)
@click.argument("pattern", required=False)
@click.option("--provider", metavar="NAME", help="Only the offerings of this provider.")
@tables_option
@json_option
def list_(pattern: str | None, *, provider: str | None, tables: Path | None, as_json: bool) -> None:
    """List the offerings, with their title, the number of their price versions, and their first and last date.

    PATTERN is any part of an id, or a shell pattern over the id or the model: `deepseek`, `gpt-5*`, `alibaba/china/*`. The last date is
    the start of the newest price; `until` is empty while that price is open.
    """
    book = open_book(tables)
    ids = list(book.ids)
    if provider is not None:
        if provider not in book.shelf.provider_ids:
            raise tc.UnknownNameError.of(provider, book.shelf.provider_ids, what="provider")
        ids = [name for name in ids if name.startswith(f"{provider}/")]
    records = [_entry(book, name) for name in matching(ids, pattern)]
    if as_json:
        emit_json(records)
        return
    columns = (Column("offering"), Column("title"), Column("versions", number=True), Column("first"), Column("last"), Column("until"))
    rows = tuple(tuple(str(plain(record[column.heading]) or "") for column in columns) for record in records)
    noun = "offering" if len(rows) == 1 else "offerings"
    click.echo(Table("", columns, rows, (f"{len(rows):,} {noun}",)).text())


def _entry(book: Book, name: str) -> dict[str, Any]:
    law = book.shelf.tariff(name)
    rated = law.in_force
    end = law.ends(rated[-1])
    return {
        "offering": name,
        "title": law.title,
        "versions": len(rated),
        "first": rated[0].start.date(),
        "last": rated[-1].start.date(),
        "until": None if end is None else end.date(),
    }

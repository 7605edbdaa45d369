"""`tokencost quote`: what a usage costs at an instant, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.options import (
    at_option,
    choice_options,
    exchange_table,
    json_option,
    now,
    open_book,
    tables_option,
    usage_of,
    usage_options,
)
from tokencost.cli.output import emit_json, plain
from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tokencost.rating.quote import Quote

__all__ = ["quote", "quote_record"]


@click.command(
    cls=ToldCommand,
    short_help="What a usage costs at an instant.",
    examples=(
        "tokencost quote deepseek-reasoner --input 30M --cache-read 70M --output 10M --at 2025-02-01T12:00:00Z",
        "tokencost quote gpt-4o --input 12000 --cache-read 8000 --output 900 --totals --service-tier batch",
        "tokencost quote gpt-4o --input 1M --currency CNY --fx '2025-02-24 USD/CNY=7.2464' --at 2025-02-24T12:00:00Z",
    ),
)
@click.argument("model")
@usage_options
@at_option("Without it now is taken, and the output says which instant that was.")
@choice_options
@click.option(
    "--fx",
    multiple=True,
    metavar="'DAY BASE/TARGET=RATE'",
    help="A dated exchange rate, like '2025-02-24 USD/CNY=7.2464', for a --currency without a list of its own. Repeatable.",
)
@tables_option
@json_option
def quote(
    model: str,
    *,
    at: datetime | None,
    currency: str | None,
    service_tier: str,
    mode: str | None,
    residency: str | None,
    fx: tuple[str, ...],
    tables: Path | None,
    as_json: bool,
    **counts: Any,
) -> None:
    """Quote what a usage costs on MODEL at an instant: exact, line by line, with the source of the price.

    Counts are disjoint: --input is the fresh prompt only, what was read from a cache counts under --cache-read and nowhere else.
    With --totals they are the inclusive counts that most APIs report. A count may be written 1500000, 1_500_000 or 1.5M.
    """
    usage = usage_of(counts)
    if not usage:
        raise click.UsageError("nothing was counted, so there is nothing to quote; pass --input, --output or --meter NAME=COUNT")
    exchange = exchange_table(fx)
    if exchange is not None and currency is None:
        raise click.UsageError("--fx converts to --currency, which is missing; pass --currency CNY or another")
    instant = now() if at is None else at
    made = open_book(tables).quote(
        model, usage, at=instant, currency=currency, service_tier=service_tier, mode=mode, residency=residency, fx=exchange
    )
    if as_json:
        emit_json({**quote_record(made), "at_is_now": at is None})
        return
    click.echo(made.table().text())
    if at is None:
        click.echo(f"instant: now, {iso(instant)}; --at asks for another")


def quote_record(quote: Quote) -> dict[str, Any]:
    """Return a quote as one record of plain values: totals, lines, evidence, warnings."""
    converted = quote.converted
    return {
        "offering": quote.offering,
        "name": quote.name,
        "rule": quote.rule,
        "dropped": quote.dropped,
        "at": iso(quote.at),
        "usage": dict(quote.usage.counts),
        "total": plain(quote.total),
        "native": plain(quote.native),
        "exchange": None if converted is None else {**plain(converted.rate), "inverse": converted.inverse},
        "choice": plain(quote.choice),
        "window": quote.window,
        "tier": quote.tier,
        "promo_until": plain(quote.promo_until),
        "lines": plain(quote.lines),
        "evidence": plain(quote.evidence),
        "warnings": [{"kind": type(warning).__name__, "message": str(warning)} for warning in quote.warnings],
        "fingerprint": quote.fingerprint,
    }

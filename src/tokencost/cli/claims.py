"""`tokencost claims`: what the press said of prices, and what they really were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import tokencost as tc
from tokencost.cli.command import ToldCommand
from tokencost.cli.options import at_option, json_option, open_book, tables_option, usage_of, usage_options
from tokencost.cli.output import emit_json, plain
from tokencost.cli.quote import quote_record

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tokencost.rating.claims import ClaimCheck

__all__ = ["claims"]


@click.command(
    cls=ToldCommand,
    short_help="What the press said of prices, and what they really were.",
    examples=(
        "tokencost claims",
        "tokencost claims deepseek-reasoner --cache-read 70M --input 30M --output 10M --at 2025-02-01T12:00:00Z",
    ),
)
@click.argument("model", required=False)
@usage_options
@at_option("The instant at which the usage is priced; without it the instant of the claim.")
@tables_option
@json_option
def claims(model: str | None, *, at: datetime | None, tables: Path | None, as_json: bool, **counts: Any) -> None:
    """Hold what the press said of prices against the providers' own lists.

    For each figure: which rate it really is, and what the meter that it was said of cost. With counts, also what that usage would have
    cost by the figures of the press and what it really cost. A figure for input is charged for all input, cached or not, because the
    articles name no other. MODEL leaves only the claims about it.
    """
    usage = usage_of(counts)
    if at is not None and not usage:
        raise click.UsageError("--at prices a usage, and nothing was counted; pass --input, --cache-read or --output, or leave --at out")
    book = open_book(tables)
    chosen = book.claims
    if model is not None:
        offerings = {piece.offering for piece in book.resolve(model).pieces}
        chosen = tuple(claim for claim in chosen if claim.offering in offerings)
    checks = [tc.explain_claim(book, claim, usage or None, at=at) for claim in chosen]
    if as_json:
        emit_json([_record(check) for check in checks])
    elif checks:
        click.echo("\n\n".join(check.table().text() for check in checks))
    else:
        click.echo("no claim is recorded" if model is None else f"no claim about {model} is recorded")


def _record(check: ClaimCheck) -> dict[str, Any]:
    return {
        **plain(check.claim),
        "prices": [{**plain(price), "right": price.right, "traced": price.traced} for price in check.prices],
        "reasons": list(check.reasons),
        "by_press": plain(check.by_press),
        "really": plain(check.really),
        "missing": plain(check.missing),
        "press_lines": plain(check.lines),
        "quote": None if check.quote is None else quote_record(check.quote),
    }

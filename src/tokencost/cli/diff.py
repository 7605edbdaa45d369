"""`tokencost diff`: what changed between two copies of the tables, or between two instants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import tokencost as tc
from tokencost.cli.command import ToldCommand
from tokencost.cli.options import as_instants, json_option, matching, open_book, tables_option
from tokencost.cli.output import emit_json, shown_path

if TYPE_CHECKING:
    from datetime import datetime

    from tokencost.tariffs.diff import PriceDiff

__all__ = ["diff"]

_TWO: Final = 2


@click.command(
    cls=ToldCommand,
    short_help="What changed between two copies of the tables, or two instants.",
    examples=(
        "tokencost diff old/price_tables new/price_tables",
        "tokencost diff --at 2025-02-01T00:00:00Z --at 2026-02-01T00:00:00Z deepseek",
    ),
)
@click.argument("what", nargs=-1, metavar="OLD NEW | --at A --at B [PATTERN]")
@click.option("--at", "instants", callback=as_instants, multiple=True, metavar="INSTANT", help="Twice: compare the prices at two instants.")
@tables_option
@json_option
def diff(what: tuple[str, ...], *, instants: tuple[datetime, ...], tables: Path | None, as_json: bool) -> None:
    """Say what changed: offerings added and removed, prices with old, new and percent.

    OLD and NEW are two folders of price tables. They are compared over all time, so each change comes with the span on which the two
    differ: a price that was appended, and a past one that was corrected. Prices that a factor makes (half for batch) are left out where
    they move with the price they are made from.

    With --at twice it is one folder at two instants: what a request paid then and pays now. PATTERN narrows it, as in `list`.
    """
    found = _at_two_instants(what, instants, tables) if instants else _of_two_folders(what, tables)
    if as_json:
        emit_json({"title": found.title, "added": found.added, "removed": found.removed, "notes": found.notes, "records": found.records()})
    else:
        click.echo(found.table().text())


def _at_two_instants(what: tuple[str, ...], instants: tuple[datetime, ...], tables: Path | None) -> PriceDiff:
    if len(instants) != _TWO:
        raise click.UsageError(f"two instants are compared, not {len(instants)}; pass --at twice")
    if len(what) > 1:
        raise click.UsageError(
            f"with --at there is at most one PATTERN, not {' and '.join(map(repr, what))}; quote it, or drop --at for two folders"
        )
    book = open_book(tables)
    return tc.diff_at(book, *instants, offerings=matching(book.ids, what[0] if what else None))


def _of_two_folders(what: tuple[str, ...], tables: Path | None) -> PriceDiff:
    from tokencost.tariffs.lint import find_tables

    if len(what) != _TWO:
        raise click.UsageError(f"two folders of tables are compared, not {len(what)}; pass OLD and NEW, or --at twice")
    if tables is not None:
        raise click.UsageError("--tables belongs to --at; name both folders as OLD and NEW")
    for folder in what:
        root, _ = find_tables(Path(folder))
        if root != Path(folder).resolve():
            raise click.UsageError(f"{folder!r} is a part of its tables; pass the folder of all of them, {shown_path(root)!r}")
    old, new = (tc.load_book(folder).shelf for folder in what)
    return tc.diff_shelves(old, new)

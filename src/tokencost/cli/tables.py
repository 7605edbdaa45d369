"""`tokencost lint`, `fmt` and `stale`: the care of price tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.options import FOLDER, as_day, json_option, matching, open_book, tables_option, today
from tokencost.cli.output import emit_json, shown_path, tracked, write_beside
from tokencost.errors import TableError
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from tokencost.tariffs.fault import Fault
    from tokencost.tariffs.tariff import Tariff

__all__ = ["fmt", "lint", "stale"]

_STALE_DAYS: Final = 90


@click.command(
    cls=ToldCommand,
    short_help="Check price tables.",
    examples=(
        "tokencost lint data/price_tables",
        "tokencost lint data/price_tables/deepseek --on 2026-11-20",
        "tokencost lint data/price_tables --base ../main/data/price_tables",
        "tokencost lint --codes",
    ),
)
@click.argument("paths", nargs=-1, type=FOLDER, metavar="PATH...")
@click.option(
    "--on", callback=as_day, metavar="DAY", help="The day that staleness (T20) is measured from; without it nothing is called stale."
)
@click.option(
    "--base", type=FOLDER, metavar="DIR", help="An older copy of the tables: a past price that differs without a correction is T18."
)
@click.option("--codes", is_flag=True, help="Explain the codes: all of them, or with PATH those that were found.")
@json_option
def lint(paths: tuple[Path, ...], *, on: date | None, base: Path | None, codes: bool, as_json: bool) -> None:
    """Check price tables, and name every fault with its file, line and code.

    PATH is a table, a provider's folder, the calendars or one of them, the claims, or the folder of all tables. Faults go to standard
    output, one a line; the exit code is 1 if there are any.
    """
    if not paths:
        if not codes:
            raise click.UsageError("nothing to check; pass a table, a provider's folder or the folder of all tables")
        _write_codes(None, as_json=as_json)
        return
    faults, files = _faults(paths, on, base)
    if as_json:
        emit_json([fault._asdict() for fault in faults])
    else:
        for fault in faults:
            code = click.style(f" {fault.code}", fg="yellow")
            click.echo(str(fault).replace(f" {fault.code}", code, 1))
        if codes and faults:
            click.echo()
            _write_codes({fault.code for fault in faults}, as_json=False)
    checked = _counted(files, "file")
    if faults:
        click.echo(f"{_counted(len(faults), 'fault')} in {checked}; `tokencost lint --codes` explains the codes", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"no faults in {checked}", err=True)


def _faults(paths: tuple[Path, ...], on: date | None, base: Path | None) -> tuple[list[Fault], int]:
    """Return all faults below some paths, their files named as seen from here, and the number of files."""
    from tokencost.tariffs.lint import find_tables, lint_tables

    faults: dict[Fault, None] = {}
    files: set[Path] = set()
    for path in paths:
        root, found = find_tables(path)
        files.update(found)
        for fault in lint_tables(path, on=on, base=base, track=lambda items: tracked(items, what="checking")):
            faults[fault._replace(path=shown_path(root / fault.path))] = None
    return list(faults), len(files)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _write_codes(found: set[str] | None, *, as_json: bool) -> None:
    from tokencost.tariffs.fault import CODES

    meant = {code: text for code, text in CODES.items() if found is None or code in found}
    if as_json:
        emit_json(meant)
    else:
        click.echo(Table("", (Column("code"), Column("what is wrong")), tuple(meant.items())).text())


@click.command(
    cls=ToldCommand,
    short_help="Write price tables in canonical form.",
    examples=(
        "tokencost fmt data/price_tables/deepseek",
        "tokencost fmt --check data/price_tables",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=FOLDER, metavar="PATH...")
@click.option(
    "--check", is_flag=True, help="Write nothing; name the files that are not in canonical form, and exit with 1 if there are any."
)
def fmt(paths: tuple[Path, ...], *, check: bool) -> None:
    """Write price tables in canonical form: keys in order, one rate a line, plain decimals, instants in UTC.

    A file is written beside the old one and moved in place. Comments are kept at the head of a file only; one that stands elsewhere
    would be lost, so the file is left alone and named. Calendars and claims are left as they stand.
    """
    from tokencost.tariffs.lint import canonical_form, find_tables

    every = {file: root for root, found in map(find_tables, paths) for file in found}
    changed = refused = 0
    for file in tracked(list(every), what="formatting"):
        try:
            text = canonical_form(file, every[file])
        except TableError as error:
            refused += 1
            fault = error.faults[0] if error.faults else None
            message = error.message if fault is None else str(fault._replace(path=shown_path(every[file] / fault.path)))
            click.echo(f"{click.style('tokencost:', fg='red')} {message}", err=True)
            continue
        if text == file.read_bytes().decode("utf-8").replace("\r\n", "\n"):
            continue
        changed += 1
        if not check:
            write_beside(file.resolve(), text)
        click.echo(f"{'would rewrite' if check else 'rewrote'} {shown_path(file)}")
    left = len(every) - changed - refused
    verb = "to rewrite" if check else "rewritten"
    kept = f"{changed:,} {verb}, {left:,} in canonical form" + (f", {refused:,} left alone" if refused else "")
    click.echo(f"{_counted(len(every), 'file')}: {kept}", err=True)
    if refused or (check and changed):
        raise click.exceptions.Exit(1)


@click.command(
    cls=ToldCommand,
    short_help="Tables by the day of their last check, the oldest first.",
    examples=(
        "tokencost stale --days 30",
        "tokencost stale openai/ --on 2026-12-31 --json",
    ),
)
@click.argument("pattern", required=False)
@click.option("--days", type=click.IntRange(min=0), default=_STALE_DAYS, show_default=True, metavar="N", help="Older than this many days.")
@click.option(
    "--on", callback=as_day, metavar="DAY", help="The day to count from; without it today, and the output says which day that was."
)
@tables_option
@json_option
def stale(pattern: str | None, *, days: int, on: date | None, tables: Path | None, as_json: bool) -> None:
    """List the tables whose prices were last checked more than some days ago, the oldest first, with the page to look at.

    Only open prices count: a retired offering need not be looked at again. PATTERN narrows the list, as in `list`.
    """
    book = open_book(tables)
    day = today() if on is None else on
    records: list[dict[str, Any]] = []
    for name in matching(book.ids, pattern):
        law = book.shelf.tariff(name)
        checked = _last_check(law)
        if checked is not None and (day - checked).days > days:
            source = book.shelf.sources(law.provider).get(law.in_force[-1].source)
            records.append({"offering": name, "checked": checked, "days": (day - checked).days, "source": source.url if source else None})
    records.sort(key=lambda record: (record["checked"], record["offering"]))
    if as_json:
        emit_json({"on": day, "days": days, "stale": records})
        return
    columns = (Column("offering"), Column("checked"), Column("days", number=True), Column("source"))
    rows = tuple(tuple(str(record[column.heading] or "") for column in columns) for record in records)
    note = f"{_counted(len(rows), 'table')} last checked more than {days} days before {day}{'' if on else ', today'}"
    click.echo(Table("", columns if rows else (), rows, (note,)).text())


def _last_check(law: Tariff) -> date | None:
    """Return the day on which somebody last looked at a price that is still open; None where none is."""
    if law.ends(law.in_force[-1]) is not None:
        return None
    return max(version.checked for version in law.in_force)

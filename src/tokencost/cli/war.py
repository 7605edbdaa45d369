"""`tokencost war`: price wars of the past and of one's own, what they were worth, and price indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.figure import plot_option, write_figure
from tokencost.cli.options import json_option, open_book, tables_option, usage_of, usage_options
from tokencost.cli.output import emit_json
from tokencost.display.price_steps import plot_prices
from tokencost.display.share_lines import plot_index
from tokencost.scenarios.book_panel import months_between, panel_of
from tokencost.scenarios.index_table import index_table
from tokencost.scenarios.play import play as played_of
from tokencost.scenarios.scenario import load_scenario, shipped_scenarios
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso
from tokencost.workloads.workload import load_workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    from tokencost.scenarios.index_table import IndexTable
    from tokencost.scenarios.played import MoveWorth
    from tokencost.scenarios.scenario import Scenario

__all__ = ["war"]

_KINDS: Final = ("jevons", "chained jevons", "geks jevons", "geks tornqvist")


@click.group(short_help="Price wars: play them, see what a cut was worth, and price indexes.")
def war() -> None:
    """Price wars: the ones that were, ones of your own, what each announced cut was worth, and how far prices fell."""


@war.command("list", cls=ToldCommand, short_help="The scenarios that ship with the package.", examples=("tokencost war list",))
@json_option
def list_(*, as_json: bool) -> None:
    """List the scenarios that ship with the package."""
    found = [(name, load_scenario(name)) for name in shipped_scenarios()]
    if as_json:
        emit_json([{"name": name, "title": s.title, "start": s.start, "until": s.until, "offerings": s.names} for name, s in found])
        return
    rows = tuple((name, s.title, f"{s.start:%Y-%m-%d}", f"{s.until:%Y-%m-%d}", str(len(s.names))) for name, s in found)
    columns = (Column("name"), Column("title"), Column("from"), Column("until"), Column("offerings", number=True))
    click.echo(Table("price wars", columns, rows, ()).text())


@war.command(
    cls=ToldCommand,
    short_help="What a scenario says: its moves, reactions, sources.",
    examples=("tokencost war show may-2024", "tokencost war show mine.toml"),
)
@click.argument("scenario", metavar="SCENARIO")
@json_option
def show(scenario: str, *, as_json: bool) -> None:
    """Show a scenario, by the name of a shipped one or the path of a TOML file: its moves, its reactions, its sources."""
    found = load_scenario(scenario)
    if as_json:
        emit_json(found)
    else:
        click.echo(_told(found).text())


def _told(scenario: Scenario) -> Table:
    rows = [(iso(move.at), move.offering, move.kind, _words(move)) for move in scenario.moves]
    rows += [("", r.offering, f"{r.kind}, {r.lag.days} days later", _words(r)) for r in scenario.reactions]
    notes = [text for text in (scenario.source, scenario.note) if text]
    baseline = {"frozen": "lists stand still otherwise", "known": "what was announced comes too", "history": "and all that the tables have"}
    title = f"{scenario.title}: {scenario.start:%Y-%m-%d} to {scenario.until:%Y-%m-%d}, {baseline[scenario.baseline]}"
    return Table(title, (Column("at"), Column("offering"), Column("move"), Column("what")), tuple(rows), tuple(notes))


def _words(row: Any) -> str:
    prices = [f"{meter} {price:f}" for meter, price in getattr(row, "prices", {}).items()]
    said = {name: getattr(row, name, None) for name in ("by", "until", "above", "hours")}
    parts = [*prices, *(f"{name} {value}" for name, value in said.items() if value)]
    return ", ".join([*parts, *(f"of {target}" for target in row.targets)])


@war.command(
    cls=ToldCommand,
    short_help="Play a scenario: the log, and what it was worth to a workload.",
    examples=(
        "tokencost war play may-2024",
        "tokencost war play may-2024 --input 1G --output 100M",
        "tokencost war play mine.toml --workload chat --json",
    ),
)
@click.argument("scenario", metavar="SCENARIO")
@click.option("--workload", metavar="NAME|FILE", help="A shipped workload or the path of a TOML file, to see what each change was worth.")
@usage_options
@plot_option
@tables_option
@json_option
def play(scenario: str, *, workload: str | None, plot: Path | None, tables: Path | None, as_json: bool, **options: Any) -> None:
    """Play SCENARIO, the name of a shipped one or the path of a TOML file, and show its log.

    With a workload, or counts such as --input 1G --output 100M, it is shown too what every change of price was worth to it: a cut of the
    input price alone is worth less than its percentage.
    """
    played = played_of(load_scenario(scenario), open_book(tables))
    usage = usage_of(options)
    if usage.counts and workload is not None:
        raise click.UsageError("a workload and counts were given; keep one of them")
    demand = usage if usage.counts else None if workload is None else load_workload(workload)
    worth = played.worth(demand) if demand is not None or played.scenario.workload is not None else []
    figure = None if plot is None else write_figure(plot, plot_prices(played.prices(), title=played.scenario.title))
    if as_json:
        emit_json({"title": played.scenario.title, "settled": played.settled, "events": played.records(), "worth": _records(worth)})
        return
    click.echo(played.table().text())
    if worth:
        click.echo()
        click.echo(played.worth_table(demand).text())
    if figure is not None:
        click.echo(figure)


def _index_figure(table: IndexTable) -> Any:
    rows = [{**row, "period": str(row["period"])} for row in table.records()]
    return plot_index(rows, title=f"Price indexes of {table.title}")


def _records(worth: list[MoveWorth]) -> Iterator[dict[str, Any]] | list[dict[str, Any]]:
    return [
        {**row._asdict(), "announced": {m: _share(change) for m, change in row.announced.items()}, "change": _share(row.change)}
        for row in worth
    ]


def _share(change: Fraction | None) -> float | None:
    return None if change is None else float(change)


@war.command(
    cls=ToldCommand,
    short_help="Price indexes of the tables for a workload, side by side.",
    examples=(
        "tokencost war index --from 2024-05 --until 2026-11 --model gpt-4o --model deepseek-chat",
        "tokencost war index --from 2025-01 --until 2025-12 --kind 'chained fisher' --workload chat",
    ),
)
@click.option("--from", "first", required=True, metavar="MONTH", help="The first month, like 2024-05; the index is 1 there.")
@click.option("--until", "last", required=True, metavar="MONTH", help="The last month.")
@click.option("--model", "models", multiple=True, metavar="MODEL", help="An offering; all of the book without it. Repeatable.")
@click.option("--workload", default="short-chat", metavar="NAME|FILE", help="What is bought: short-chat by default.")
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="An index, like fisher, 'chained jevons' or 'geks tornqvist'. Repeatable."
)
@click.option("--currency", metavar="CODE", help="The currency of the lists; USD by default.")
@plot_option
@tables_option
@json_option
def index(
    *, first: str, last: str, models: tuple[str, ...], kinds: tuple[str, ...], plot: Path | None, as_json: bool, **options: Any
) -> None:
    """Print price indexes of a workload's price per million tokens, on the first instant of each month.

    Models that are free are left out and counted. An index of the same models misses what new and better models are worth.
    """
    panel = panel_of(
        load_workload(options["workload"]),
        models or None,
        months=months_between(first, last),
        over="first_instant",
        book=open_book(options["tables"]),
        currency=options["currency"],
    )
    table = index_table(panel, kinds or _KINDS, free="exclude")
    figure = None if plot is None else write_figure(plot, _index_figure(table))
    if as_json:
        emit_json(table.records())
    else:
        click.echo(table.table().text())
        if figure is not None:
            click.echo(figure)

"""`tokencost reprice`: what every row of any number of log files cost, in the memory of a few batches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.options import choice_options, json_option, open_book, tables_option
from tokencost.cli.output import emit_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tokencost.streams.reprice import Repriced, Step

__all__ = ["reprice"]

_SHOWN_CAUSES: Final = 10
_SHOWN_BAD_ROWS: Final = 10


@click.command(
    cls=ToldCommand,
    short_help="What every row of large log files cost.",
    examples=(
        "tokencost reprice logs/*.parquet --out costs/ --by model,day",
        "tokencost reprice requests.csv.gz --model gpt-4o --zone UTC --by day",
        "tokencost reprice logs/ --out costs/ --keep request_id,team --by team,model,month --column model=llm",
    ),
)
@click.argument("sources", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder that costs are written into; without it only totals are printed.",
)
@click.option("--by", metavar="NAMES", default="", help="Columns to total by, or model, offering, version, month, day, hour (UTC).")
@click.option("--column", "columns", multiple=True, metavar="NAME=COLUMN", help="The column of a meter, model, at or a choice. Repeatable.")
@click.option("--model", metavar="MODEL", help="The model of all rows, where no column says it.")
@click.option("--at", metavar="INSTANT", help="The instant of all rows, with its offset; without it each row is rated at its own.")
@click.option("--zone", metavar="ZONE", help="The time zone of times without an offset.")
@click.option("--unit", type=click.Choice(["s", "ms", "us", "ns"]), help="What whole numbers as instants count from 1970 in.")
@click.option("--start", metavar="INSTANT", help="The first instant, where the log counts milliseconds from it.")
@click.option(
    "--counts",
    type=click.Choice(["totals", "disjoint"]),
    help="Whether input contains its cached part, as most APIs report it, or not. Without it the column names decide.",
)
@choice_options
@click.option("--tenant", metavar="NAME", help="The tenant whose contracts apply.")
@click.option("--keep", metavar="NAMES", default="all", help="The columns written beside the costs: all (the default), none, or names.")
@click.option("--format", "kind", type=click.Choice(["parquet", "csv", "jsonl", "arrow"]), default="parquet", help="What is written.")
@click.option("--amount", type=click.Choice(["decimal", "ticks", "float"]), default="decimal", help="How a cost is written; floats round.")
@click.option("--prefix", metavar="TEXT", default="", help="What stands before the new names cost, currency and outcome.")
@click.option("--rows-per-part", type=click.IntRange(1), metavar="N", help="Rows in a file that is written, about; 4 million without it.")
@tables_option
@json_option
def reprice(sources: tuple[str, ...], *, out: Path | None, tables: Path | None, as_json: bool, **options: Any) -> None:
    """Rate every row of log files, exactly, and write what it costs beside it.

    FILE is a file, a folder or a pattern: Parquet, CSV, JSON lines or Arrow; text also packed with gzip or zstd. Files may be larger than
    memory. Parts are moved in place when they are whole, so that a run that was stopped leaves no broken file; the same command goes on
    where it stopped. Lines that cannot be read are counted, listed, and kept in bad-rows.csv in the folder.
    """
    begun = perf_counter()
    made: Repriced | None = None
    try:
        with _progress() as advance:
            made = _run(sources, out, tables, options, advance)
    except KeyboardInterrupt:
        if out is None:
            raise
        raise KeyboardInterrupt(f"interrupted; what is in {str(out)!r} is whole, and the same command goes on from there") from None
    seconds = perf_counter() - begun
    if as_json:
        emit_json(_record(made))
    else:
        for line in _report(made, seconds):
            click.echo(line)
    for line in _about_bad(made):
        click.echo(line, err=True)


def _run(
    sources: tuple[str, ...], out: Path | None, tables: Path | None, options: dict[str, Any], advance: Callable[[Step], None] | None
) -> Repriced:
    from tokencost.rating.usage_table import UsageColumns  # numpy and pyarrow are loaded when a file is read, not for every command
    from tokencost.streams.reprice import reprice as run

    named = UsageColumns.of(_columns(options.pop("columns")))
    columns = UsageColumns(
        **{name: getattr(named, name) for name in ("model", "at", "service_tier", "mode", "residency", "tenant", "currency", "meters")},
        counts=options.pop("counts"),
        unit=options.pop("unit"),
        zone=options.pop("zone"),
    )
    tier = options.pop("service_tier")
    keep = options.pop("keep")
    rows = options.pop("rows_per_part")
    return run(
        sources,
        out,
        book=open_book(tables),
        columns=columns,
        by=_names(options.pop("by")),
        service_tier=None if tier == "standard" else tier,  # the default of the option must not hide a column
        keep=keep if keep in ("all", "none") else _names(keep),
        progress=advance,
        **options,
        **({} if rows is None else {"rows_per_part": rows}),
    )


def _columns(pairs: tuple[str, ...]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is no name and column; write it like input=prompt_tokens", param_hint="'--column'")
        columns[name.strip()] = column.strip()
    return columns


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@contextmanager
def _progress() -> Generator[Callable[[Step], None] | None]:
    """Show a bar on a terminal; say nothing where the output is piped."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None, rows=0)
        yield lambda step: bar.update(task, description=Path(step.file).name, completed=step.done, total=step.size, rows=step.rows)


def _report(made: Repriced, seconds: float) -> Iterator[str]:
    """Say what the rows came to, why some have no price, what was read, and how fast."""
    yield made.totals.table().text()
    yield f"outcomes: {', '.join(f'{rows:,} {name}' for name, rows in made.outcomes.items())}"
    for cause in made.causes[:_SHOWN_CAUSES]:
        rows = f"{cause.rows:,} row{'s' * (cause.rows != 1)}"
        yield f"  {rows}, {cause.reason}, first row {cause.first_row} of {cause.file}: {cause.message}"
    if len(made.causes) > _SHOWN_CAUSES:
        yield f"  and {len(made.causes) - _SHOWN_CAUSES:,} more causes{'' if made.out is None else ', all of them in summary.json'}"
    for said, rows in made.notes.items():
        yield f"note: {said} ({rows:,} row{'s' * (rows != 1)})"
    yield from _about_columns(made)
    fresh = made.rows - made.resumed
    if made.out is not None and made.resumed:
        done = "nothing was left to do" if not fresh else f"{fresh:,} were left"
        yield f"went on in {made.out}, where {made.resumed:,} of {made.rows:,} rows were done; {done}"
    if fresh:
        yield f"rated {fresh:,} rows in {seconds:.1f} s, {fresh / seconds / 1e6:.2f} million a second"
    if made.out is not None:
        yield f"{made.parts:,} part{'s' * (made.parts != 1)}, totals.csv and summary.json are in {made.out}"


def _about_columns(made: Repriced) -> Iterator[str]:
    """Say which column was read as what, once where all files agree."""
    said: dict[str, list[str]] = {}
    for name, columns in made.columns.items():
        said.setdefault(", ".join(f"{column} as {heading}" for heading, column in columns.items()), []).append(name)
    for columns, names in said.items():
        where = "" if len(said) == 1 else f" of {names[0]}{f' and {len(names) - 1:,} more' if len(names) > 1 else ''}"
        yield f"columns{where}: {columns or 'none'}"


def _about_bad(made: Repriced) -> Iterator[str]:
    if not made.bad_rows:
        return
    several = made.bad_rows > 1
    yield f"{made.bad_rows:,} row{'s' * several} could not be read and {'are' if several else 'is'} not in the totals:"
    shown = made.bad[:_SHOWN_BAD_ROWS]
    for name, bad in shown:
        yield f"  row {bad.number} of {name}: {bad.reason}"
    if made.bad_rows > len(shown) > 0:
        yield f"  and {made.bad_rows - len(shown):,} more"
    yield "--out DIR keeps all of them" if made.out is None else f"all of them are in {made.out / 'bad-rows.csv'}"


def _record(made: Repriced) -> dict[str, Any]:
    return {
        "out": None if made.out is None else str(made.out),
        "tables": made.fingerprint,
        "rows": made.rows,
        "resumed": made.resumed,
        "parts": made.parts,
        "outcomes": made.outcomes,
        "bad_rows": made.bad_rows,
        "columns": dict(made.columns),
        "totals": made.totals.records(),
        "causes": list(made.causes),
        "notes": dict(made.notes),
    }

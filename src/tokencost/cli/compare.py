"""`tokencost compare`: rate a request log against a set of offerings."""

from __future__ import annotations

import csv
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.figure import plot_option, write_figure
from tokencost.cli.options import choice_options, exchange_table, json_option, now, open_book, tables_option
from tokencost.cli.output import emit_json
from tokencost.cli.quality import read_quality
from tokencost.display.cost_bars import plot_costs
from tokencost.tariffs.clock import iso, to_instant
from tokencost.workloads.compare import compare as rate
from tokencost.workloads.trace import Trace, read_trace
from tokencost.workloads.workload import load_workload

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from datetime import datetime

    from tokencost.workloads.compare import Comparison
    from tokencost.workloads.frontier import Frontier
    from tokencost.workloads.trace import BadRow
    from tokencost.workloads.workload import Workload

__all__ = ["DEFAULT_OFFERINGS", "compare"]

DEFAULT_OFFERINGS: Final = (
    "deepseek/global/deepseek-flash",
    "deepseek/global/deepseek-v4-pro",
    "alibaba/global/qwen3-max",
    "alibaba/global/qwen-plus",
    "moonshot/global/kimi-k3",
    "openai/global/gpt-4o",
    "openai/global/gpt-4o-mini",
    "openai/global/gpt-5.1",
    "anthropic/global/claude-sonnet-4-5",
    "google/global/gemini-2.5-pro",
    "mistral/global/mistral-large-2512",
    "xai/global/grok-4.3",
)
"""What is compared when no model is named: well-known offerings of makers on both sides of the price war."""

DEFAULT_WORKLOAD: Final = "chat"
_SHOWN_BAD_ROWS: Final = 10
_AMOUNTS: Final = ("total", "best_total", "saving")
_LOG_ENDINGS: Final = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".log", ".txt"})


@click.command(
    cls=ToldCommand,
    short_help="A request log or workload on many offerings, cheapest first.",
    examples=(
        "tokencost compare deepseek-reasoner gpt-4o o1 --at 2025-03-01T12:00:00Z --baseline gpt-4o",
        "tokencost compare requests.csv gpt-4 gpt-3.5-turbo --at each --zone UTC",
        "tokencost compare --workload chat --month 2026-11 --quality scores.csv",
        "tokencost compare alibaba/china/qwen-max gpt-4o --at 2025-02-24T12:00:00Z --fx '2025-02-24 USD/CNY=7.2464'",
    ),
)
@click.argument("models", nargs=-1, metavar="[LOG] [MODEL]...")
@click.option(
    "--log", type=click.Path(path_type=Path), metavar="FILE", help="The request log, CSV or JSON lines, if it is not named first."
)
@click.option("--workload", "workload_name", metavar="NAME", help="A described workload: a shipped one (chat, short-chat) or a TOML file.")
@click.option("--at", metavar="INSTANT", help="The instant to rate at, with its offset, or 'each' for every row of the log at its own.")
@click.option("--month", metavar="MONTH", help="Instead of --at: the expected cost of a month, like 2026-11, by its hours and windows.")
@click.option("--column", "columns", multiple=True, metavar="METER=NAME", help="The column of a meter, or at=NAME. Repeatable.")
@click.option(
    "--counts",
    type=click.Choice(["totals", "disjoint"]),
    help="Whether input contains its cached part, as most APIs report it, or not. Without it the column names decide.",
)
@click.option("--zone", metavar="ZONE", help="The time zone of times without an offset, with --at each.")
@click.option("--start", metavar="INSTANT", help="The first instant, where the log counts milliseconds from it, with --at each.")
@click.option("--baseline", metavar="MODEL", help="An offering that differences are given to as well.")
@click.option(
    "--quality",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your quality scores, name and score, as CSV, JSON or TOML: adds the frontier of cost and quality.",
)
@choice_options
@click.option("--fx", multiple=True, metavar="'DAY BASE/TARGET=RATE'", help="A dated exchange rate, for lists in another currency.")
@click.option("--bad-rows", type=click.Path(path_type=Path), metavar="FILE", help="Where rows that cannot be read are written.")
@plot_option
@tables_option
@json_option
def compare(
    models: tuple[str, ...],
    *,
    log: Path | None,
    workload_name: str | None,
    quality: Path | None,
    bad_rows: Path | None,
    plot: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Rate a workload on many offerings, exactly, and sort them by what it costs there.

    LOG is a request log, CSV or JSON lines, one request a row; without it a shipped workload is rated that published statistics describe.
    MODEL is an id or any unambiguous name; without one a set of well-known offerings is taken. Without --at now is taken, and the output
    says which instant that was; with --month a workload is rated over a whole month. Rows of a log that cannot be read are counted,
    listed, and written to a file. Where a router could save by sending each part of the demand elsewhere, the least cost is said below.
    """
    if models and log is None and _is_log(models[0]):
        log, models = Path(models[0]), models[1:]
    if log is not None and workload_name is not None:
        raise click.UsageError("--log and --workload are two sources of demand; pass one of them")
    demand = _demand(log, workload_name, options)
    scores = None if quality is None else read_quality(quality)
    at, note = _instant(options["at"], options["month"])
    names = models or DEFAULT_OFFERINGS
    chosen = {key: options[key] for key in ("baseline", "currency", "service_tier", "mode", "residency", "zone", "start", "month")}
    book = open_book(options["tables"])
    with _progress(len(names)) as advance:
        result = rate(demand, names, at=at, book=book, fx=exchange_table(options["fx"]), progress=advance, **chosen)
    bad = demand.bad if isinstance(demand, Trace) else ()
    written = _write_bad(bad, log, bad_rows)
    drawn = "" if plot is None else write_figure(plot, plot_costs(result))
    frontier = None if scores is None else result.frontier(scores)
    if as_json:
        rows = {"bad_rows": list(bad), "bad_rows_file": None if written is None else str(written), "offerings": result.records()}
        emit_json(
            {**_head(result, demand), "at_is_now": options["at"] is None and result.month is None, **rows, **_parts(result, frontier)}
        )
    else:
        click.echo(result.table().text())
        if frontier is not None:
            click.echo(f"\n{frontier}\n")
        for line in (*_about(demand), *filter(None, (note, drawn))):
            click.echo(line)
    for line in _about_bad(bad, written):
        click.echo(line, err=True)


def _is_log(word: str) -> bool:
    """Say whether the first word is a request log and not a model: a file's ending, or a file that is there."""
    return Path(word).suffix.lower() in _LOG_ENDINGS or Path(word).is_file()


def _about(demand: Trace | Workload) -> Iterator[str]:
    """Say what was rated: the columns of a log, or where the figures of a workload are from."""
    if isinstance(demand, Trace):
        yield f"columns: {', '.join(f'{column} as {meter}' for meter, column in demand.columns.items())}"
        if demand.ignored:
            yield f"not read: {', '.join(demand.ignored)}"
    elif demand.source:
        yield f"workload: {demand.source}"


def _demand(log: Path | None, name: str | None, options: dict[str, Any]) -> Trace | Workload:
    if log is None:
        return load_workload(name or DEFAULT_WORKLOAD)
    columns: dict[str, str] = {}
    for pair in options["columns"]:
        meter, equals, column = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is no meter and column; write it like input=prompt_tokens", param_hint="'--column'")
        columns[meter.strip()] = column.strip()
    return read_trace(log, columns=columns, counts=options["counts"])


def _instant(text: str | None, month: str | None) -> tuple[datetime | str | None, str]:
    """Return the instant to rate at, none for a month, and a line that says so where the clock was asked."""
    if month is not None:
        if text is not None:
            raise click.UsageError("--at and --month are two times; pass one of them")
        return None, ""
    if text == "each":
        return "each", ""
    if text is not None:
        return to_instant(text), ""
    moment = now()
    return moment, f"instant: now, {iso(moment)}; --at asks for another"


def _head(result: Comparison, demand: Trace | Workload) -> dict[str, Any]:
    return {
        "title": result.title,
        "at": None if result.at is None else iso(result.at),
        "month": result.month,
        "currency": result.currency,
        "requests": result.requests,
        "tokens": result.tokens,
        "baseline": result.baseline,
        "source": None if isinstance(demand, Trace) else demand.source,
        "columns": dict(demand.columns) if isinstance(demand, Trace) else None,
    }


def _parts(result: Comparison, frontier: Frontier | None) -> dict[str, Any]:
    """Return what parts of the demand cost, and the frontier, where scores were passed."""
    bound = result.router_bound
    routed = None
    if bound is not None:
        amounts = {name: None if money is None else money.amount for name, money in bound._asdict().items() if name in _AMOUNTS}
        routes = [{**route._asdict(), "cost": route.cost.amount} for route in bound.routes]
        routed = {**bound._asdict(), **amounts, "routes": routes}
    choices = [{**own._asdict(), "cost": None if own.cost is None else own.cost.amount} for own in result.cheapest_by_segment]
    told = {"segments": result.segment_records(), "cheapest_by_segment": choices, "router_bound": routed}
    if frontier is None:
        return told
    rows = [{**row, "quality": float(row["quality"])} for row in frontier.records()]
    left = {"missing": frontier.missing, "unpriced": frontier.unpriced, "unused": frontier.unused}
    return {**told, "frontier": {"offerings": rows, **left}}


@contextmanager
def _progress(steps: int) -> Generator[Callable[[str, int], None] | None]:
    """Show a bar on a terminal; say nothing where the output is piped."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("rating {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=steps)
        yield lambda name, _: bar.update(task, description=name, advance=1)


def _write_bad(bad: Sequence[BadRow], log: Path | None, chosen: Path | None) -> Path | None:
    """Write the rows that could not be read beside where we stand, so that nothing is lost."""
    if not bad or log is None:
        return None
    path = chosen or Path(f"{log.stem}.bad-rows.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "reason", "text"])
        writer.writerows(bad)
    return path


def _about_bad(bad: Sequence[BadRow], written: Path | None) -> Iterator[str]:
    if not bad:
        return
    yield f"{len(bad):,} row{'s' * (len(bad) > 1)} could not be read and {'are' if len(bad) > 1 else 'is'} not in the totals:"
    for row in bad[:_SHOWN_BAD_ROWS]:
        yield f"  row {row.number}: {row.reason}"
    if len(bad) > _SHOWN_BAD_ROWS:
        yield f"  and {len(bad) - _SHOWN_BAD_ROWS:,} more"
    yield f"all of them are in {written}"

"""`tokencost forecast`: what a workload will cost, month by month, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.demand import demand_of, demand_options, list_options, month_of, shares_of
from tokencost.cli.figure import plot_option, write_figure
from tokencost.cli.options import exchange_table, json_option, open_book, tables_option
from tokencost.cli.output import emit_json
from tokencost.display.forecast_fan import plot_forecast
from tokencost.tariffs.clock import iso
from tokencost.workloads.forecast import forecast as look_ahead

if TYPE_CHECKING:
    from pathlib import Path

    from tokencost.workloads.forecast import Forecast

__all__ = ["forecast"]


@click.command(
    cls=ToldCommand,
    short_help="What a workload will cost month by month, and how sure that is.",
    examples=(
        "tokencost forecast deepseek-v4-pro --workload chat --start 2026-07 --months 4",
        "tokencost forecast gemini-3.8-flash --workload retrieval --growth 0.05 --uncertain requests=0.2 --start 2026-10 --budget 2500",
    ),
)
@click.argument("model", metavar="MODEL")
@demand_options
@click.option(
    "--start", metavar="MONTH", help="The first month of UTC, like 2026-11; without it the present one, and the output says which."
)
@click.option("--months", metavar="N", type=int, default=12, show_default=True, help="How many months.")
@click.option("--budget", metavar="AMOUNT", help="Say how likely all months so far have passed this amount.")
@click.option(
    "--beyond",
    type=click.Choice(["carry", "stop"]),
    default="carry",
    show_default=True,
    help="After the day on which the list was last seen: assume that it goes on, or give no cost.",
)
@click.option("--quantiles", metavar="SHARES", default="0.05,0.25,0.5,0.75,0.95", show_default=True, help="Quantiles of the drawn paths.")
@click.option("--draws", metavar="N", type=int, default=2000, show_default=True, help="Paths to draw; 0 for none.")
@click.option("--seed", metavar="N", type=int, default=0, show_default=True, help="The seed of the paths.")
@list_options
@click.option("--fx", multiple=True, metavar="'DAY BASE/TARGET=RATE'", help="A dated exchange rate, for lists in another currency.")
@plot_option
@tables_option
@json_option
def forecast(
    model: str, *, start: str | None, fx: tuple[str, ...], plot: Path | None, tables: Path | None, as_json: bool, **options: Any
) -> None:
    """Forecast what a workload costs on MODEL month by month, under the prices that are listed, announced or assumed to go on.

    Demand is a shipped workload, a TOML file, or a few numbers: --requests, --prompt, --completion. Expected costs are exact; the others
    are quantiles of drawn paths. Every month says how sure its price is; one without a price has no cost, and the reason stands below.
    """
    workload = demand_of(options)
    first, note = month_of(start, "--start")
    shares: Any = shares_of(options.pop("quantiles"))
    made = look_ahead(workload, model, start=first, book=open_book(tables), fx=exchange_table(fx), quantiles=shares, **options)
    written = None if plot is None else write_figure(plot, plot_forecast(made))
    if as_json:
        emit_json(_document(made, start_is_now=start is None, plot=plot))
        return
    click.echo(str(made))
    for line in (note, written):
        if line:
            click.echo(line)


def _document(made: Forecast, *, start_is_now: bool, plot: Path | None) -> dict[str, Any]:
    return {
        "title": made.title,
        "offering": made.offering,
        "currency": made.currency,
        "start_is_now": start_is_now,
        "total": None if made.total is None else made.total.amount,
        "total_quantiles": {f"q{share:g}": money.amount for share, money in made.total_quantiles.items()},
        "known_until": None if made.known_until is None else iso(made.known_until),
        "budget": None if made.budget is None else made.budget.amount,
        "draws": made.draws,
        "seed": made.seed,
        "plot": None if plot is None else plot.as_posix(),
        "months": made.records(),
    }

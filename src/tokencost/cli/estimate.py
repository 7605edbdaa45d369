"""`tokencost estimate`: what a workload is expected to cost in a month, and what drives it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.demand import demand_of, demand_options, list_options, month_of, shares_of
from tokencost.cli.options import exchange_table, json_option, open_book, tables_option
from tokencost.cli.output import emit_json
from tokencost.exact import from_fraction
from tokencost.workloads.estimate import estimate as work_out

if TYPE_CHECKING:
    from pathlib import Path

    from tokencost.tariffs.money import Money
    from tokencost.workloads.cost_estimate import Estimate
    from tokencost.workloads.sensitivity import Sensitivity

__all__ = ["estimate"]

_AMOUNTS = ("expected", "native", "credit", "naive", "gap", "realised_price", "per_1000_requests", "spread")
_PLACES = 6


@click.command(
    cls=ToldCommand,
    short_help="What a workload costs in a month: expected, spread, and what drives it.",
    examples=(
        "tokencost estimate gpt-4o --requests 100000 --prompt 3000 --completion 400 --cached 0.5 --month 2026-03",
        "tokencost estimate deepseek-v4-flash --requests 1M --prompt 1500:9000:60000 --completion 350 --month 2026-11 --sensitivity",
        "tokencost estimate claude-opus-4-6 --workload coding-agent --month 2026-11 --quantiles 0.5,0.99 --json",
    ),
)
@click.argument("model", metavar="MODEL")
@demand_options
@click.option("--month", metavar="MONTH", help="The month of UTC, like 2026-11; without it the present one, and the output says which.")
@click.option("--quantiles", metavar="SHARES", default="0.05,0.5,0.95", show_default=True, help="Quantiles of the simulated months.")
@click.option("--draws", metavar="N", type=int, default=10_000, show_default=True, help="Months to simulate; 0 for none.")
@click.option("--seed", metavar="N", type=int, default=0, show_default=True, help="The seed of the simulation.")
@click.option("--sensitivity", is_flag=True, help="Say as well by how much hit rate, completions, growth, peak and batch change it.")
@list_options
@click.option("--fx", multiple=True, metavar="'DAY BASE/TARGET=RATE'", help="A dated exchange rate, for lists in another currency.")
@tables_option
@json_option
def estimate(
    model: str, *, month: str | None, sensitivity: bool, fx: tuple[str, ...], tables: Path | None, as_json: bool, **options: Any
) -> None:
    """Work out what a workload is expected to cost on MODEL in a month, exactly, with its parts and its spread.

    Demand is a shipped workload, a TOML file, or a few numbers: --requests, --prompt, --completion. Sizes of requests are integrated tier
    by tier, hours window by window. Where some requests have no price there is no total: they are counted, with the reason.
    """
    workload = demand_of(options)
    asked, note = month_of(month, "--month")
    quantiles = shares_of(options.pop("quantiles"))
    made = work_out(workload, model, month=asked, book=open_book(tables), fx=exchange_table(fx), quantiles=quantiles, **options)
    drivers = made.sensitivity() if sensitivity else None
    if as_json:
        emit_json(_document(made, drivers, month_is_now=month is None))
        return
    click.echo(str(made))
    if drivers is not None:
        click.echo(f"\n{drivers}")
    if note:
        click.echo(note)


def _document(made: Estimate, drivers: Sensitivity | None, *, month_is_now: bool) -> dict[str, Any]:
    amounts: dict[str, Money | None] = {name: getattr(made, name) for name in _AMOUNTS}
    return {
        "title": made.workload.title,
        "offering": made.offering,
        "month": made.month.text,
        "month_is_now": month_is_now,
        "currency": made.currency,
        "requests": made.requests,
        "tokens": _number(made.tokens),
        **{name: None if money is None else money.amount for name, money in amounts.items()},
        "native_currency": None if made.native is None else made.native.currency,
        "gap_percent": made.gap_percent,
        "quantiles": [{"share": _number(own.share), "cost": own.cost.amount} for own in made.quantiles],
        "unpriced": [{"reason": reason, "requests": _number(number)} for reason, number in made.unpriced.items()],
        "credits": [own._asdict() | {key: _number(getattr(own, key)) for key in ("amount", "free", "used")} for own in made.credits],
        "notes": list(made.notes),
        "warnings": [str(warning) for warning in made.warnings],
        "rows": made.records(),
        "sensitivity": None if drivers is None else drivers.records(),
    }


def _number(value: Fraction | int) -> Any:
    return from_fraction(Fraction(round(value * 10**_PLACES), 10**_PLACES))

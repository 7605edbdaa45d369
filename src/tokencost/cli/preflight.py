"""`tokencost preflight`: what one request can cost before it is sent, and whether that fits a budget."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.demand import as_law
from tokencost.cli.options import as_count, at_option, choice_options, json_option, now, open_book, tables_option
from tokencost.cli.output import emit_json
from tokencost.tariffs.clock import iso
from tokencost.workloads.preflight import preflight as look

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["preflight"]


@click.command(
    cls=ToldCommand,
    short_help="What one request can cost before it is sent.",
    examples=(
        "tokencost preflight gpt-4o --prompt 2000 --max-output 1000 --output 200:800:1000 --budget 0.01 --at 2025-06-01T00:00:00Z",
        "tokencost preflight deepseek-v4-pro --prompt 100k --max-output 8k --cached 0:0.9 --at 2026-11-18T03:00:00Z",
    ),
)
@click.argument("model", metavar="MODEL")
@click.option("--prompt", callback=as_count, metavar="N", help="Tokens of the prompt, cached ones included.")
@click.option("--text", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE", help="The prompt as UTF-8 text, or -, to count.")
@click.option("--max-output", required=True, callback=as_count, metavar="N", help="The most tokens of output, hidden reasoning included.")
@click.option("--output", metavar="TOKENS", help="Tokens of output to expect: one count, or MEDIAN:P90:MOST of a lognormal law.")
@click.option("--cached", metavar="SHARE", default="0", help="The share of the prompt in a cache, like 0.4, or LEAST:MOST of it.")
@click.option("--budget", metavar="AMOUNT", help="Say whether the request stays within this amount.")
@click.option("--confidence", metavar="SHARE", default="0.9", show_default=True, help="What likely means.")
@at_option("Without it now is taken, and the output says which instant that was.")
@choice_options
@tables_option
@json_option
def preflight(
    model: str,
    *,
    prompt: int | None,
    text: Path | None,
    output: str | None,
    cached: str,
    budget: str | None,
    confidence: str,
    at: datetime | None,
    tables: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what one request to MODEL can cost: least, expected, most, and the cost that a confidence stands for."""
    if (prompt is None) == (text is None):
        raise click.UsageError("the prompt is a count or a text; pass either --prompt or --text")
    instant = now() if at is None else at
    law = None if output is None else as_law("--output", output)
    asked: Any = prompt if text is None else _read(text)
    made = look(
        model,
        prompt=asked,
        output=law,
        cached=_cached(cached),
        at=instant,
        book=open_book(tables),
        confidence=_number("--confidence", confidence),
        **options,
    )
    fit = None if budget is None else made.fits(budget)
    if as_json:
        found = None if fit is None else {"answer": fit.answer, "probability": fit.probability, "is_bound": fit.is_bound}
        emit_json({**made.record(), "at_is_now": at is None, "budget": None if fit is None else fit.budget.amount, "fit": found})
        return
    click.echo(str(made))
    if fit is not None:
        click.echo(str(fit))
    if at is None:
        click.echo(f"instant: now, {iso(instant)}; --at asks for another")


def _read(path: Path) -> str:
    raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"byte {error.start:,} is no UTF-8 text; convert it first", param_hint="'--text'") from None


def _cached(text: str) -> Any:
    low, colon, high = text.partition(":")
    return (low, high) if colon else low


def _number(option: str, text: str) -> Any:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise click.BadParameter(f"{text!r} is no share; write it like 0.9", param_hint=f"'{option}'") from None

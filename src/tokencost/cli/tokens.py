"""`tokencost tokens`: how many tokens a text is on each offering, and what it costs there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tokencost.cli.command import ToldCommand
from tokencost.cli.options import at_option, choice_options, exchange_table, json_option, now, open_book, tables_option
from tokencost.cli.output import emit_json
from tokencost.errors import TextError
from tokencost.tariffs.clock import iso
from tokencost.workloads.text_costs import compare_text

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["DEFAULT_MODELS", "tokens"]

DEFAULT_MODELS: Final = ("deepseek/global/deepseek-flash", "alibaba/global/qwen3-max", "openai/global/gpt-4o")
"""What a text is counted for when no model is named."""


@click.command(
    cls=ToldCommand,
    short_help="A text as tokens: how many on each model, and what it costs.",
    examples=(
        "tokencost tokens prompt.txt --model gpt-4o --model deepseek-chat --at 2025-02-01T12:00:00Z",
        "tokencost tokens prompt.txt --completion answer.txt --model claude-opus-4-5 --basis estimate",
        "tokencost tokens - --model qwen3-max --json < prompt.txt",
    ),
)
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--model", "models", multiple=True, metavar="MODEL", help="An id or any unambiguous name. Repeatable.")
@click.option("--completion", type=click.Path(path_type=Path), metavar="FILE", help="The answer: priced as output, with FILE as input.")
@click.option(
    "--basis",
    type=click.Choice(["best", "exact", "estimate"]),
    default="best",
    help="best (the default) estimates only where no tokenizer is known, and says so; exact refuses to.",
)
@at_option("Without it now is taken, and the output says which instant that was.")
@choice_options
@click.option("--fx", multiple=True, metavar="'DAY BASE/TARGET=RATE'", help="A dated exchange rate, for lists in another currency.")
@tables_option
@json_option
def tokens(
    source: Path,
    *,
    models: tuple[str, ...],
    completion: Path | None,
    at: datetime | None,
    fx: tuple[str, ...],
    tables: Path | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Count FILE, UTF-8 text or `-` for standard input, with the tokenizer of each MODEL, and price it at an instant.

    Only the text is counted, not what a chat template puts around it. Tokenizers come with the extra `tokenizers`; nothing is downloaded.
    """
    instant = now() if at is None else at
    answer = None if completion is None else _read(completion)
    book, table = open_book(tables), exchange_table(fx)
    result = compare_text(_read(source), models or DEFAULT_MODELS, at=instant, completion=answer, book=book, fx=table, **chosen)
    if as_json:
        head = {"at": iso(result.at), "at_is_now": at is None, "currency": result.currency}
        sizes = {"characters": result.characters, "completion_characters": result.completion_characters}
        emit_json({**head, **sizes, "offerings": result.records()})
        return
    click.echo(result.table().text())
    if at is None:
        click.echo(f"instant: now, {iso(instant)}; --at asks for another")


def _read(path: Path) -> str:
    """Return the text of a file, every character of it, as it stands there.

    Raises:
        TextError: it is not UTF-8.
    """
    raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        name = "standard input" if str(path) == "-" else repr(path.as_posix())
        raise TextError(
            f"byte {error.start:,} of {name} is {raw[error.start]:#04x}, not UTF-8 text; convert the file to UTF-8 first",
            position=error.start,
            length=len(raw),
        ) from None

"""The group: all commands behind one door, and one way to fail.

Whatever goes wrong ends in one line on standard error and an exit code: 1 for data that does not hold, 2 for a question that cannot be
asked, 130 for an interrupt, 141 for a reader that went away.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from tokencost.cli.cache import cache
from tokencost.cli.claims import claims
from tokencost.cli.compare import compare
from tokencost.cli.diff import diff
from tokencost.cli.estimate import estimate
from tokencost.cli.forecast import forecast
from tokencost.cli.new import new
from tokencost.cli.preflight import preflight
from tokencost.cli.quote import quote
from tokencost.cli.reprice import reprice
from tokencost.cli.show import list_, show
from tokencost.cli.tables import fmt, lint, stale
from tokencost.cli.tokens import tokens
from tokencost.cli.war import war
from tokencost.errors import StreamError, TableError, TextError, TokencostError, TraceError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["DATA_FAULT", "INTERRUPTED", "READER_GONE", "WRONG_QUESTION", "Door", "Interrupted", "Stop", "WrongQuestion", "door", "run"]

DATA_FAULT: Final = 1
WRONG_QUESTION: Final = 2
INTERRUPTED: Final = 130
READER_GONE: Final = 141


class Stop(click.ClickException):
    """The end of a command that met data which does not hold: one line on standard error, and an exit code."""

    exit_code = DATA_FAULT

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

    def show(self, file: Any = None) -> None:
        """Write the line."""
        colour = False if os.environ.get("NO_COLOR") else None  # the context that knew it has ended
        click.echo(f"{click.style('tokencost:', fg='red')} {self.message}", file=file, err=True, color=colour)


class WrongQuestion(Stop):
    """The end of a command that was asked what it cannot answer."""

    exit_code = WRONG_QUESTION


class Interrupted(Stop):
    """The end of a command that the user broke off."""

    exit_code = INTERRUPTED


class Door(click.Group):
    """The group of all commands, listed in the order in which they are added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, as added rather than by the alphabet."""
        del ctx
        return list(self.commands)

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """Read the options of the group; colour is off where the environment says so."""
        if os.environ.get("NO_COLOR"):
            extra["color"] = False
        with _one_line():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _one_line():
            return super().invoke(ctx)


@contextmanager
def _one_line() -> Generator[None]:
    """Turn every failure into a line and a code."""
    try:
        yield
    except (click.exceptions.Exit, Stop):
        raise
    except BrokenPipeError:
        _hush(sys.stdout)
        raise click.exceptions.Exit(READER_GONE) from None
    except KeyboardInterrupt as stopped:
        raise Interrupted(str(stopped) or "interrupted") from None
    except (click.ClickException, TokencostError) as error:
        raise _stop_for(error) from None
    except OSError as error:
        if error.filename is None:
            _hush(sys.stdout)  # what is left in it would fail again at the end
        what = "cannot write the output" if error.filename is None else f"cannot use {str(error.filename)!r}"
        raise Stop(f"{what}: {(error.strerror or str(error)).lower()}") from None
    except Exception as error:
        if os.environ.get("TOKENCOST_TRACEBACK"):
            raise
        said = f"unexpected {type(error).__name__}: {error}"
        raise Stop(f"{said}; this is a defect, TOKENCOST_TRACEBACK=1 shows where it lies") from None


def _stop_for(error: click.ClickException | TokencostError) -> Stop:
    if isinstance(error, click.UsageError):
        said = error.format_message().rstrip(".")
        where = "tokencost" if error.ctx is None else error.ctx.command_path
        return WrongQuestion(f"{said[:1].lower()}{said[1:]}; see `{where} --help`")
    if isinstance(error, click.ClickException):
        return Stop(error.format_message())
    if isinstance(error, TableError) and "\n" in error.message:
        head, first, *_ = error.message.splitlines()
        return Stop(f"{head}; the first is {first}")
    return (Stop if isinstance(error, (StreamError, TableError, TextError, TraceError)) else WrongQuestion)(error.message)


def _hush(stream: Any) -> None:
    """Point a stream whose reader is gone at nothing, so that the interpreter can end quietly."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (AttributeError, OSError, ValueError):
        return  # a stream without a file of its own has nothing left to flush


@click.group(
    cls=Door,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 all is well; 1 tables or files that do not hold, or faults were found; 2 a name, instant, count or option that "
    "cannot be; 130 interrupted; 141 the reader of the output went away. Prices in --json are text, because they are exact.",
)
@click.version_option(package_name="tokencost-tariffs", prog_name="tokencost", message="%(prog)s %(version)s")
@click.pass_context
def door(ctx: click.Context) -> None:
    """What language-model tokens cost, did cost, and will cost.

    Exact, dated, sourced prices: every figure leads to the document that it was read from. MODEL is an id such as
    `deepseek/global/deepseek-reasoner`, or any unambiguous name of one: `deepseek-reasoner`, `gpt-4o`.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


_COMMANDS = (
    *(compare, estimate, forecast, preflight, reprice, quote, show, list_, tokens),
    *(cache, war, claims, diff, lint, fmt, new, stale),
)
for _command in _COMMANDS:
    door.add_command(_command)


def run() -> int:
    """Run the command line on the arguments of the process, and return its exit code."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # a terminal that lacks a character gets a question mark, not a traceback
    try:
        door.main(prog_name="tokencost")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else WRONG_QUESTION
    except BrokenPipeError:
        _hush(sys.stdout)
        _hush(sys.stderr)
        return READER_GONE
    except KeyboardInterrupt:
        return INTERRUPTED

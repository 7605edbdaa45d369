"""Options that several commands share, and the kinds of values they take."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

import tokencost as tc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokencost.rating.book import Book
    from tokencost.rating.usage import Usage
    from tokencost.tariffs.fx import ExchangeTable

__all__ = [
    "FOLDER",
    "as_count",
    "as_day",
    "as_instant",
    "as_instants",
    "at_option",
    "choice_options",
    "exchange_table",
    "json_option",
    "matching",
    "now",
    "open_book",
    "tables_option",
    "today",
    "usage_of",
    "usage_options",
]

_F = TypeVar("_F", bound="Callable[..., Any]")
_COUNT: Final = re.compile(r"([+-]?\d[\d_,]*(?:\.\d+)?)([kKMGB]?)")
_SCALES: Final = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}
_FX: Final = re.compile(r"\s*(\d{4}-\d\d-\d\d)\s+([A-Za-z]{3})\s*/\s*([A-Za-z]{3})\s*=\s*(\S+)\s*")
_NAMED: Final = ("input", "cache_read", "cache_write", "output", "reasoning")

FOLDER: Final = click.Path(path_type=Path)


def as_count(ctx: click.Context | None, param: click.Parameter | None, value: str | None) -> int | None:
    """Return a whole number from `1500000`, `1_500_000` or `1.5M`."""
    if value is None:
        return None
    match = _COUNT.fullmatch(value.strip())
    if match is None:
        raise click.BadParameter(f"{value!r} is no count; write a whole number like 1500000, 1_500_000 or 1.5M", ctx, param)
    number = Decimal(match.group(1).replace(",", "").replace("_", "")) * _SCALES[match.group(2)]
    if number != int(number):
        raise click.BadParameter(f"{value!r} is not whole; counts are whole numbers", ctx, param)
    return int(number)


def as_instant(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Return an instant, or say with the name of the option what is wrong with it."""
    del ctx
    try:
        return None if value is None else tc.to_instant(value)
    except tc.InstantError as error:
        said = error.message.replace(f"at={error.value!r}", f"{param.opts[0]} {value!r}", 1)
        raise type(error)(said, value=value) from None


def as_instants(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[datetime, ...]:
    """Return the instants of an option that may be repeated."""
    made = (as_instant(ctx, param, value) for value in values)
    return tuple(instant for instant in made if instant is not None)


def as_day(ctx: click.Context, param: click.Parameter, value: str | None) -> date | None:
    """Return a day from `2026-11-20`."""
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day; write it like 2026-11-20", ctx, param) from None


def now() -> datetime:
    """Return the present instant, to the second; only the command line looks at the clock, and it says so."""
    return datetime.now(UTC).replace(microsecond=0)


def today() -> date:
    """Return the present day in UTC."""
    return now().date()


def open_book(tables: Path | None, currency: str | None = None) -> Book:
    """Open the shipped tables, or a folder of one's own, with the currency that is preferred where a list has several."""
    return tc.load_book(tables, currency=currency or "USD")


def tables_option(command: _F) -> _F:
    """Add `--tables`."""
    return click.option("--tables", type=FOLDER, metavar="DIR", help="A folder of price tables of your own, instead of the shipped ones.")(
        command
    )


def json_option(command: _F) -> _F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON; prices and amounts are text, exact.")(command)


def at_option(text: str) -> Callable[[_F], _F]:
    """Add `--at`, with what is done without it."""
    return click.option(
        "--at", callback=as_instant, metavar="INSTANT", help=f"An instant with its offset, like 2025-02-01T12:00:00Z. {text}"
    )


def choice_options(command: _F) -> _F:
    """Add the options that choose among the rows of a price list."""
    for name, metavar, text in (
        ("--residency", "NAME", "Where the request is processed, like us or eu, where that has its price."),
        ("--mode", "NAME", "thinking, where the list prices it apart."),
        ("--service-tier", "NAME", "standard (the default), batch, flex, priority, fast or ultrafast."),
        ("--currency", "CODE", "The currency of the list, like USD or CNY; USD is preferred where there are several."),
    ):
        default = "standard" if name == "--service-tier" else None
        command = click.option(name, metavar=metavar, default=default, help=text)(command)
    return command


def usage_options(command: _F) -> _F:
    """Add the options that count what was used."""
    totals = "The counts are inclusive totals, as most APIs report them: input contains cache reads, output contains reasoning."
    meter = "Any other meter: audio_input=5000, web_search=3. Repeatable."
    command = click.option("--totals", is_flag=True, help=totals)(command)
    command = click.option("--meter", "meters", multiple=True, metavar="NAME=COUNT", help=meter)(command)
    for name in reversed(_NAMED):
        words = tc.METERS[name].counts
        command = click.option(f"--{name.replace('_', '-')}", name, callback=as_count, metavar="N", help=f"{words[0].upper()}{words[1:]}.")(
            command
        )
    return command


def usage_of(options: dict[str, Any]) -> Usage:
    """Return the usage that the options count, and take them out of `options`; empty where none was given."""
    given: dict[str, int] = {name: count for name in _NAMED if (count := options.pop(name)) is not None}
    for text in options.pop("meters"):
        name, equals, count = str(text).partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise click.BadParameter(f"{text!r} is no meter and count; write it like audio_input=5000", param_hint="'--meter'")
        if name in given:
            raise click.BadParameter(f"{name} is counted twice; add the counts up", param_hint="'--meter'")
        number = as_count(None, None, count)
        assert number is not None
        given[name] = number
    make = tc.Usage.from_totals if options.pop("totals") else tc.Usage
    return make(**given)  # pyright: ignore[reportArgumentType] - the library checks the names


def exchange_table(texts: Sequence[str]) -> ExchangeTable | None:
    """Return the exchange rates that were given, None where there are none."""
    rows: list[tuple[date, str, str, str, str]] = []
    for text in texts:
        match = _FX.fullmatch(text)
        try:
            on = None if match is None else date.fromisoformat(match.group(1))
        except ValueError:
            on = None
        if match is None or on is None:
            raise click.BadParameter(f"{text!r} is no dated rate; write it like '2025-02-24 USD/CNY=7.2464'", param_hint="'--fx'")
        rows.append((on, match.group(2).upper(), match.group(3).upper(), match.group(4), "command line"))
    return tc.ExchangeTable(rows) if rows else None


def matching(ids: Iterable[str], pattern: str | None) -> list[str]:
    """Return the ids that a pattern means: a shell pattern over the id or its model part, or any part of the id.

    Raises:
        UnknownNameError: nothing matches; the nearest names are suggested.
    """
    pool = list(ids)
    if pattern is None:
        return pool
    folded = pattern.casefold()
    if any(char in pattern for char in "*?["):
        found = [name for name in pool if fnmatchcase(name.casefold(), folded) or fnmatchcase(name.split("/", 2)[-1].casefold(), folded)]
    else:
        found = [name for name in pool if folded in name.casefold()]
    if not found:
        raise tc.UnknownNameError.of(pattern, [*{name.split("/", 2)[-1] for name in pool}, *pool], what="offering like")
    return found

"""What commands write: tables, JSON, files, and a bar while something takes long."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from tokencost.tariffs.clock import iso
from tokencost.tariffs.money import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["emit_json", "plain", "shown_path", "tracked", "write_beside"]

_T = TypeVar("_T")
_TOML_KEYS: Final = {"start": "from", "except_calendar": "except"}
_LONG: Final = 200


_WRITTEN: Final[tuple[tuple[type[Any], Callable[[Any], Any]], ...]] = (
    (Decimal, lambda number: format(number, "f")),
    (datetime, lambda instant: iso(instant)),  # noqa: PLW0108 - so that every writer takes anything
    (date, lambda day: day.isoformat()),
    (Money, lambda money: {"amount": format(money.amount, "f"), "currency": money.currency}),
)


def plain(value: Any) -> Any:
    """Return a value as JSON has it: prices as text, instants as ISO text, records as objects.

    Records of the price tables bear the keys of the table format, and leave out what the file leaves out.

    >>> from decimal import Decimal
    >>> plain({"price": Decimal("0.55"), "total": Money("2", "USD")})
    {'price': '0.55', 'total': {'amount': '2', 'currency': 'USD'}}
    """
    found: Any = value
    for kind, written in _WRITTEN:
        if isinstance(found, kind):
            return written(found)
    if hasattr(found, "_asdict"):
        return plain(found._asdict())
    if is_dataclass(found):
        pairs = ((field.name, getattr(found, field.name)) for field in fields(found))
        return {_TOML_KEYS.get(key, key): plain(item) for key, item in pairs if item is not None and item not in ((), {})}
    if isinstance(found, dict):
        return {str(key): plain(item) for key, item in cast("Mapping[Any, Any]", found).items()}
    if isinstance(found, (list, tuple)):
        return [plain(item) for item in cast("Iterable[Any]", found)]
    return found


def emit_json(value: Any) -> None:
    """Write a value as JSON, in characters that the output can carry."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=encoding != "utf8"))


def tracked(items: list[_T], *, what: str) -> Iterable[_T]:
    """Yield items, with a bar on standard error where that is a terminal and there are many."""
    if len(items) < _LONG or not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, description=what, console=Console(stderr=True), transient=True)


def shown_path(path: Path) -> str:
    """Return a path as a person here would write it: relative where it lies below the current folder."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def write_beside(path: Path, text: str) -> None:
    """Write a file beside the one that it replaces, and move it in place, so that nobody ever reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        if path.exists():
            shutil.copymode(path, name)
        else:
            Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

"""Quality scores from a file: the name of an offering and a number, higher is better, as CSV, JSON or TOML."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import click

from tokencost.tariffs.files import read_toml

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_quality"]

_HINT = "'--quality'"
_COLUMNS = 2


def read_quality(path: Path) -> dict[str, object]:
    """Read scores by the name or id of an offering; a first line of CSV without a number is a heading."""
    kind = path.suffix.lower()
    try:
        if kind == ".csv":
            return _from_csv(path)
        if kind == ".json":
            found: Any = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
        elif kind == ".toml":
            found = read_toml(path)
        else:
            raise click.BadParameter(f"{path.name!r} is no CSV, JSON or TOML by its name; end it with .csv", param_hint=_HINT)
    except OSError as error:
        raise click.BadParameter(f"cannot read {str(path)!r}: {(error.strerror or str(error)).lower()}", param_hint=_HINT) from None
    except ValueError as error:
        raise click.BadParameter(f"{str(path)!r} cannot be read: {error}", param_hint=_HINT) from None
    if not isinstance(found, dict):
        raise click.BadParameter(f'{str(path)!r} is no mapping; write it like {{"gpt-4o": 61.5}}', param_hint=_HINT)
    return cast("dict[str, object]", found)


def _from_csv(path: Path) -> dict[str, object]:
    scores: dict[str, object] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            if not row or (number == 1 and not any(char.isdigit() for char in row[-1])):
                continue
            if len(row) != _COLUMNS:
                raise click.BadParameter(f"line {number} of {str(path)!r} is not name,score: {','.join(row)!r}", param_hint=_HINT)
            name, score = (cell.strip() for cell in row)
            if name in scores:
                raise click.BadParameter(f"line {number} of {str(path)!r} gives {name!r} a second score; keep one", param_hint=_HINT)
            scores[name] = score
    return scores

"""Faults: what is wrong with a table, where, and by which check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CODES", "WHOLE", "Fault", "Finding", "Place", "raise_faults"]

Place = tuple[str, int, int | None]
"""Where in a file: the kind of block, its number from 0, and a row of its `rates` or `windows` from 0; `WHOLE` is the top of the file."""

WHOLE: Final[Place] = ("", 0, None)

CODES: Final[dict[str, str]] = {
    "T01": "unknown key or meter",
    "T02": "price that is not an exact decimal, or has more than six decimals",
    "T03": "negative price, edge or factor",
    "T04": "two rows for one choice",
    "T05": "hole in the grid of rows",
    "T06": "meters differ between the rows of one choice",
    "T07": "versions out of order or overlapping",
    "T08": "promotion without an end, overlapping another, or without a list below",
    "T09": "unknown source, or no check date",
    "T10": "schedule missing, or window names differ from its windows",
    "T11": "calendar missing, or not covering the schedule",
    "T12": "cache read above input",
    "T13": "batch or flex above standard",
    "T14": "off-peak above peak",
    "T15": "two currency lists imply an odd exchange rate",
    "T16": "a move beyond fivefold without a note",
    "T17": "a unit slip: a factor of about 1,000",
    "T18": "a past row changed without a correction",
    "T19": "not in canonical form",
    "T20": "stale: not checked for a long time",
    "T21": "not TOML, or a value of the wrong type",
    "T22": "a name that clashes: alias, endpoint or offering",
}
"""Every check by its code, in one sentence."""


class Finding(NamedTuple):
    """What a check found: its code, the place, the place in words, the message, and the key where it is about one."""

    code: str
    place: Place
    where: str
    message: str
    key: str | None = None


class Fault(NamedTuple):
    """One fault of one file.

    >>> str(Fault("T03", "acme/global/m.toml", "version 2025-01-20, row 1", "input = -1.0 is negative; prices are 0 or more", 7))
    'acme/global/m.toml:7: T03 version 2025-01-20, row 1: input = -1.0 is negative; prices are 0 or more'
    """

    code: str
    path: str
    where: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        where = f" {self.where}:" if self.where else ""
        return f"{self.path}{line}: {self.code}{where} {self.message}"


def raise_faults(faults: Iterable[Fault]) -> None:
    """Raise one error that lists all faults, if there are any.

    Raises:
        TableError: there is at least one; `error.faults` holds them.
    """
    found = tuple(faults)
    if found:
        files = len({fault.path for fault in found})
        head = f"{len(found)} fault{'s' * (len(found) > 1)} in {files} price table{'s' * (files > 1)}"
        raise TableError("\n  ".join([f"{head}; `tokencost lint` explains the codes", *map(str, found)]), faults=found)

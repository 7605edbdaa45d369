"""Cells: the counts and instants of text, one by one or a column at a time, as `compare` reads them."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from tokencost.errors import InstantError
from tokencost.streams.arrow import pa, pc, text_like
from tokencost.tariffs.clock import UTC

if TYPE_CHECKING:
    from tokencost.streams.arrow import Array, DataType
    from tokencost.streams.reading import Reading

__all__ = ["INSTANTS", "NAMES", "count_in", "counts_in", "instant_in", "instants_in"]

INSTANTS: Final = pa.timestamp("us", "UTC")
"""The type of a column of instants."""
NAMES: Final = pa.dictionary(pa.int32(), pa.string())
"""The type of a column of few texts."""

_WHOLE: Final = re.compile(r"\s*([+-]?[0-9]{1,18})(?:\.0*)?\s*")
_WHOLE_COLUMN: Final = r"^\s*[+-]?[0-9]{1,18}(\.0*)?\s*$"
_NUMBER: Final = re.compile(r"([0-9]{1,19})(?:\.[0-9]*)?")
_OFFSET: Final = re.compile(r"(?:[+-][0-9]{2}(?::?[0-9]{2})?|[Zz])\s*$")
_HEAD: Final = 100
_DATE: Final = len("2025-02-01")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_PLAUSIBLE: Final = (10**9, 5 * 10**9)
"""Seconds of the Unix epoch that a log can be from: 2001 to 2128; with them the size of a number tells its unit."""


def count_in(meter: str, cell: object) -> int | None:
    """Return the count in a cell of text or JSON, None where it is empty.

    Raises:
        ValueError: it is no whole number; the message says so.
    """
    if type(cell) is int and -(10**18) < cell < 10**18:
        return cell
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    match = None if isinstance(cell, bool) else _WHOLE.fullmatch(str(cell))
    if match is None:
        shown = repr(cell) if len(repr(cell)) <= 60 else f"{cell!r:.57}..."  # noqa: PLR2004
        raise ValueError(f"{meter}={shown} is not a whole number; write it in figures, without separators")
    return int(match.group(1))


def counts_in(column: Array) -> Array | None:
    """Return a column of text as whole numbers, None if a cell is not one."""
    if not pc.all(pc.match_substring_regex(column, _WHOLE_COLUMN), min_count=0).as_py():
        return None
    bare = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^\+|\.0*$", "")
    return pc.cast(bare, pa.int64())


def instant_in(cell: object, reading: Reading, where: str) -> datetime | None:
    """Return the instant in a cell, None where it is empty.

    Raises:
        ValueError: it is no instant; the message says so.
        InstantError: it names no offset, and no zone was given.
    """
    if cell is None or isinstance(cell, bool):
        return None
    text = str(cell).strip()
    if not text:
        return None
    if isinstance(cell, float) and math.isfinite(cell):
        return _counted(int(cell), reading)
    match = _NUMBER.fullmatch(text)
    if match is not None or isinstance(cell, int):
        return _counted(int(match.group(1) if match else text), reading)
    instant = _parsed(text)
    if instant is None:
        raise ValueError(f"{text[:60]!r} is not an ISO 8601 instant; write it like '2025-02-01T12:00:00Z'")
    if instant.tzinfo is None:
        if reading.zone is None:
            message = f"column {reading.at!r} gives instants without an offset, first in {where}; pass zone='UTC' or another"
            raise InstantError(message, value=text)
        instant = instant.replace(tzinfo=ZoneInfo(reading.zone))
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from None


def _parsed(text: str) -> datetime | None:
    if ":" not in text and "T" not in text.upper():
        return None  # a bare date is no instant
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _counted(number: int, reading: Reading) -> datetime:
    if reading.start is not None:
        micros = reading.start + number * 1000
    else:
        each = _UNITS[reading.unit] if reading.unit else _unit_of(number)
        if each is None:
            raise ValueError(f"time {number} counts from an unknown start; pass start= with the instant that is 0, or unit=")
        micros = number * 10**6 // each
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise ValueError(f"time {number} is beyond the year 9999; check its unit") from None


def _unit_of(number: int) -> int | None:
    return next((each for each in _UNITS.values() if _PLAUSIBLE[0] <= number // each < _PLAUSIBLE[1]), None)


def instants_in(column: Array, reading: Reading) -> Array | None:
    """Return a column of text or numbers as instants, None where its cells have to be read one by one."""
    kind = column.type
    if text_like(kind):
        if pa.types.is_dictionary(kind):
            column = pc.cast(column, kind.value_type)
        return _text_instants(column, reading)
    if pa.types.is_floating(kind) and column.null_count < len(column):
        return None
    if not (pa.types.is_integer(kind) or column.null_count == len(column)):
        return None
    return _number_instants(pc.cast(column, pa.int64()), reading)


def _text_instants(column: Array, reading: Reading) -> Array | None:
    head = column[:_HEAD]
    first = next((text for text in head.drop_null().to_pylist() if text), "")
    if first.isdecimal():
        numbers = _cast(column, pa.int64())
        return None if numbers is None else _number_instants(numbers, reading)
    if not pc.all(pc.match_substring(column, ":"), min_count=0).as_py():
        return None  # a bare date is no instant
    zone = "UTC" if _OFFSET.search(first[_DATE:]) else None
    whole = _cast(head, pa.timestamp("us", zone)) is not None  # to fail is slow, a hundred times as slow on a whole column
    made = _cast(column, pa.timestamp("us", zone)) if whole else None
    if made is None and (finer := _cast(column, pa.timestamp("ns", zone))) is not None:
        made = pc.cast(finer, pa.timestamp("us", zone), safe=False)
    if made is None or zone:
        return made
    return None if reading.zone is None else _located(made, reading.zone)


def _cast(column: Array, kind: DataType) -> Array | None:
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        return None


def _located(column: Array, zone: str) -> Array | None:
    """Return local times as instants, None where the zone skips one or is not known to Arrow."""
    try:
        return pc.cast(pc.assume_timezone(column, zone, ambiguous="earliest", nonexistent="raise"), INSTANTS)
    except pa.ArrowInvalid:
        return None


def _number_instants(column: Array, reading: Reading) -> Array | None:
    extent: dict[str, Any] = pc.min_max(column).as_py()
    low, high = extent["min"], extent["max"]
    if low is None:
        return pa.nulls(len(column), INSTANTS)
    if reading.start is not None:
        if not -(10**14) < low <= high < 10**14:
            return None
        return pc.cast(pc.add(pc.multiply(column, 1000), reading.start), INSTANTS)
    each = _UNITS[reading.unit] if reading.unit else _unit_of(low)
    if each is None or (not reading.unit and _unit_of(high) != each) or low < 0:
        return None
    if high // each >= 10**11:
        return None
    return pc.cast(pc.divide(column, each // 10**6) if each > 10**6 else pc.multiply(column, 10**6 // each), INSTANTS)

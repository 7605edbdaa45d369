"""Instants in bulk: columns of times as microseconds since 1970 in UTC, local clocks included."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np

from tokencost.errors import InstantError
from tokencost.rating.cells import Cells, Coded, Moments, Numbers, is_null, wrong_type
from tokencost.tariffs.clock import EARLIEST, LATEST, UTC, zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from tokencost.rating.cells import Column, Faults

__all__ = ["UNITS", "Unit", "instants_in", "to_utc"]

Unit = Literal["s", "ms", "us", "ns"]

UNITS: Final[tuple[Unit, ...]] = ("s", "ms", "us", "ns")
"""Units in which integers may count from 1970."""

_MICROS: Final = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_FINER: Final = {"ns": 10**3, "ps": 10**6, "fs": 10**9, "as": 10**12}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a local clock
_TICK: Final = timedelta(microseconds=1)
_QUARTER: Final = 15 * 60 * 1_000_000
_FIRST_MICROS: Final = (EARLIEST - _EPOCH) // _TICK
_LAST_MICROS: Final = (LATEST - _EPOCH) // _TICK
_FIRST: Final = _FIRST_MICROS // _QUARTER + 4 * 24
_LAST: Final = _LAST_MICROS // _QUARTER - 4 * 24
"""Quarters of an hour that a local clock can show; a day is left at either end for the offset."""
_UNIT_CURE: Final = "say what they count from 1970 in, like columns=UsageColumns(unit='s'); or 'ms', 'us', 'ns'"
_DENSE: Final = 1 << 22


def instants_in(column: Column, name: str, *, unit: Unit | None, zone: str | None) -> tuple[NDArray[np.int64], Faults]:
    """Return a column of instants as microseconds since 1970 in UTC, and the rows that cannot be read (they hold 0).

    What is finer than microseconds is cut off. Times without an offset are taken in `zone`: of an hour that it repeats, the first is
    meant; a time that it skips has the offset from before. Integers count from 1970 in `unit`.

    >>> instants_in(Numbers(np.array([1, 2]), None, "int64"), "ts", unit="s", zone=None)[0]
    array([1000000, 2000000])

    Raises:
        InstantError: times without an offset and no `zone`, or a zone that does not exist.
        ColumnError: the column holds bare dates, floats, integers without `unit`, or something else that is no instant.
    """
    local = None if zone is None else zone_named(zone)
    faults: Faults = {}
    if isinstance(column, Moments) and column.unit != "D":
        if not column.aware and local is None:
            raise _naive(name, column.kind)
        micros, nulls = _scaled(column.ticks, column.unit, column.nulls, name, faults)
        if not column.aware and local is not None:
            micros = _located(micros, local, name, faults)
    elif isinstance(column, Numbers) and column.values.dtype.kind in "iu":
        if unit is None:
            raise wrong_type(name, column.kind, "integers may be seconds or milliseconds", _UNIT_CURE)
        micros, nulls = _scaled(column.values, unit, column.nulls, name, faults)
    elif isinstance(column, Coded):
        micros, nulls = _texts(column, name, local, faults)
    elif isinstance(column, Cells):
        micros, nulls = _cells(column.values, name, unit, local, faults)
    else:
        cure = "convert it to timestamps with a zone, or name another column with columns={'at': 'NAME'}"
        what = "a date spans many hours" if isinstance(column, Moments) else "at is an instant"
        raise wrong_type(name, column.kind, what, cure)
    if nulls is not None and nulls.any():
        faults[f"no instant in column {name!r}; write when the request was made"] = nulls
        micros = np.where(nulls, 0, micros)
    return micros, faults


def _naive(name: str, kind: str) -> InstantError:
    return InstantError(
        f"column {name!r} holds {kind}, instants without an offset; say where the clock stood, like columns=UsageColumns(zone='UTC'), "
        "or 'Asia/Shanghai'",
        value=name,
    )


def _scaled(
    ticks: NDArray[Any], unit: str, nulls: NDArray[np.bool_] | None, name: str, faults: Faults
) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Return ticks of a unit as microseconds; those outside 64 bits are faults."""
    beyond: NDArray[np.bool_] | None = None
    if ticks.dtype == np.uint64:
        beyond = ticks > np.iinfo(np.int64).max
        if not beyond.any():
            beyond = None
    ticks = np.ascontiguousarray(ticks.astype(np.int64, copy=False))
    if unit in _FINER:
        return _cut(np.floor_divide(ticks, _FINER[unit]), beyond, nulls, name, faults), nulls
    factor = _MICROS[unit]
    if factor == 1:
        return _cut(ticks, beyond, nulls, name, faults), nulls
    limit = np.iinfo(np.int64).max // factor
    outside = (ticks > limit) | (ticks < -limit)
    if outside.any():
        beyond = outside if beyond is None else outside | beyond
        ticks = np.where(outside, 0, ticks)
    return _cut(ticks * factor, beyond, nulls, name, faults), nulls


def _cut(
    micros: NDArray[np.int64], beyond: NDArray[np.bool_] | None, nulls: NDArray[np.bool_] | None, name: str, faults: Faults
) -> NDArray[np.int64]:
    if beyond is None:
        return micros
    if nulls is not None:
        beyond &= ~nulls
    if beyond.any():
        _fault(faults, _outside(name), len(micros))[:] |= beyond
    return np.where(beyond, 0, micros)


def _outside(name: str) -> str:
    return f"an instant outside the years 1 to 9999 in column {name!r}; check its unit"


def _fault(faults: Faults, reason: str, rows: int) -> NDArray[np.bool_]:
    return faults.setdefault(reason, np.zeros(rows, np.bool_))


def _located(local: NDArray[np.int64], zone: ZoneInfo, name: str, faults: Faults) -> NDArray[np.int64]:
    if zone.key == "UTC":
        return local
    quarter = local // _QUARTER
    outside = (quarter < _FIRST) | (quarter > _LAST)
    if outside.any():
        _fault(faults, _outside(name), len(local))[:] |= outside
        local = np.where(outside, 0, local)
    return to_utc(local, zone)


def to_utc(local: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Return what a local clock shows, in microseconds since its own 1970, as microseconds since 1970 in UTC.

    The zone is asked once for each quarter of an hour that occurs: clocks change on quarters. Where they once did not, each second is
    asked for itself.

    >>> to_utc(np.array([8 * 3600 * 1_000_000]), zone_named("Asia/Shanghai"))
    array([0])
    """
    if not len(local):
        return local
    quarter = local // _QUARTER
    first = int(quarter.min())
    span = int(quarter.max()) - first + 1
    if span <= _DENSE:
        quarter -= first
        seen = np.zeros(span, np.bool_)
        seen[quarter] = True
        distinct = np.flatnonzero(seen) + first
        table = np.zeros(span, np.int64)
    else:
        distinct, quarter = np.unique(quarter, return_inverse=True)
        first = 0
        table = np.zeros(len(distinct), np.int64)
    starts = [_offset(number * _QUARTER, zone) for number in distinct.tolist()]
    ends = [_offset(number * _QUARTER + _QUARTER - 1, zone) for number in distinct.tolist()]
    table[distinct - first if span <= _DENSE else slice(None)] = starts
    utc = local - table[quarter]
    mixed = [number for number, start, end in zip(distinct.tolist(), starts, ends, strict=True) if start != end]
    if mixed:
        rows = np.flatnonzero(np.isin(local // _QUARTER, mixed))
        seconds, which = np.unique(local[rows] // 1_000_000, return_inverse=True)
        utc[rows] = local[rows] - np.array([_offset(second * 1_000_000, zone) for second in seconds.tolist()], np.int64)[which]
    return utc


def _offset(local: int, zone: ZoneInfo) -> int:
    offset = zone.utcoffset(_LOCAL_EPOCH + timedelta(microseconds=local))
    assert offset is not None  # a zone knows its offset
    return offset // _TICK


def _texts(column: Coded, name: str, zone: ZoneInfo | None, faults: Faults) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return texts as instants, each distinct one read once."""
    inner: Faults = {}
    micros, nulls = _cells([*column.names, None], name, None, zone, inner)
    for reason, bad in inner.items():
        rows = bad[column.codes]
        if rows.any():
            _fault(faults, reason, len(rows))[:] |= rows
    return micros[column.codes], nulls[column.codes]


def _cells(
    values: list[Any], name: str, unit: Unit | None, zone: ZoneInfo | None, faults: Faults
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    micros = np.zeros(len(values), np.int64)
    nulls = np.zeros(len(values), np.bool_)
    naive = np.zeros(len(values), np.bool_)
    for row, value in enumerate(values):
        found = _read(value, name, unit)
        if found is None:
            nulls[row] = True
            continue
        if isinstance(found, datetime):
            naive[row] = found.tzinfo is None
            found = (found - (_LOCAL_EPOCH if found.tzinfo is None else _EPOCH)) // _TICK
        if isinstance(found, int) and not _FIRST_MICROS <= found <= _LAST_MICROS:
            found = _outside(name)
            naive[row] = False
        if isinstance(found, int):
            micros[row] = found
        else:
            _fault(faults, found, len(values))[row] = True
    if not naive.any():
        return micros, nulls
    if zone is not None:
        inner: Faults = {}
        micros[naive] = _located(micros[naive], zone, name, inner)
        for reason, bad in inner.items():
            _fault(faults, reason, len(values))[np.flatnonzero(naive)[bad]] = True
        return micros, nulls
    if bool((naive | nulls).all()):
        raise _naive(name, f"{values[int(naive.argmax())]!r} and the like")
    faults[f"an instant without an offset in column {name!r}; write the offset, or pass zone='UTC' or another"] = naive
    micros[naive] = 0
    return micros, nulls


def _read(value: Any, name: str, unit: Unit | None) -> datetime | int | str | None:
    """Return the instant of a cell (a number is microseconds), None where it is empty, or what is wrong with it."""
    if is_null(value):
        return None
    found: datetime | int | str | None
    if isinstance(value, str):
        found = _parsed(value.strip(), name)
    elif isinstance(value, datetime):
        plain = value if type(value) is datetime else datetime.combine(value.date(), value.timetz())
        found = plain if plain.utcoffset() is not None else plain.replace(tzinfo=None)
    elif isinstance(value, np.datetime64):
        found = _plain_moment(cast("np.datetime64", value), name)
    elif isinstance(value, date):
        found = _bare(name)
    elif isinstance(value, (float, np.floating, Decimal)):
        kind = type(cast("object", value)).__name__
        raise wrong_type(name, kind, "at is an instant", "convert it to timestamps with a zone, or to integers of one unit")
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if unit is None:
            raise wrong_type(name, "int", "integers may be seconds or milliseconds", _UNIT_CURE)
        number = int(cast("int", value))
        found = number * _MICROS[unit] if unit in _MICROS else number // _FINER[unit]
    else:
        found = f"a {type(cast('object', value)).__name__} in column {name!r}, not an instant; write it like '2025-02-01T12:00:00Z'"
    return found


def _plain_moment(value: np.datetime64, name: str) -> datetime | str | None:
    if np.isnat(value):
        return None
    plain: object = value.astype("M8[us]").item()
    return plain if isinstance(plain, datetime) else _outside(name)


def _parsed(text: str, name: str) -> datetime | str | None:
    if not text:
        return None
    try:
        if ":" in text or "T" in text.upper():
            return datetime.fromisoformat(text)
        date.fromisoformat(text)
    except ValueError:
        return f"text that is no ISO 8601 instant in column {name!r}; write it like '2025-02-01T12:00:00Z'"
    return _bare(name)


def _bare(name: str) -> str:
    return f"a bare date in column {name!r}, which spans many hours; write it like '2025-02-01T12:00:00Z'"

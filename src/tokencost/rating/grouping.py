"""Grouping: exact sums of columns of ticks by the values of other columns."""

from __future__ import annotations

from datetime import date, timedelta
from functools import reduce
from math import isnan, prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import ColumnError
from tokencost.exact import decimal_of
from tokencost.rating.row import Outcome
from tokencost.rating.totals import NOTHING, CostTotals, Sums
from tokencost.rating.usage_table import Coded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from tokencost.rating.costs import Costs
    from tokencost.rating.totals import GroupKey

__all__ = ["DERIVED", "group_totals"]

DERIVED: Final = ("model", "offering", "version", "currency", "outcome", "month", "day", "hour")
"""Groups that need no column of the table: `month`, `day` and `hour` are of the instant, in UTC."""

_BLOCK: Final = 1 << 19
_SMALL_BLOCK: Final = 1 << 15
"""Rows that stay in the cache together; worth it where there are fewer groups than these."""
_HALF: Final = 32
_LOW: Final = 2**_HALF - 1
_SURE: Final = 2**62
_DENSE: Final = 1 << 21
_FEW: Final = 1 << 10
_HOUR: Final = 3_600 * 10**6
_DAY: Final = 24 * _HOUR
_EPOCH: Final = date(1970, 1, 1)
_OUTCOMES: Final = 4


Codes = Any
"""A number for each row, or one for all of them."""


class Key(NamedTuple):
    """A column to group by: small numbers from 0, and what each stands for; or what returns the numbers of a stretch of rows."""

    codes: Codes | Callable[[slice], Codes]
    values: Sequence[Any]

    def block(self, rows: slice) -> Codes:
        """Return the numbers of a stretch of rows."""
        if isinstance(self.codes, int):
            return self.codes
        return self.codes(rows) if callable(self.codes) else self.codes[rows]


def group_totals(costs: Costs, by: Sequence[str]) -> CostTotals:
    """Return the exact totals of rated rows by columns of their table, or by what can be derived.

    Sums are made of two halves of 32 bits, in blocks so small that no half can overflow; they are whole numbers all the way.

    Raises:
        ColumnError: there is no such column.
    """
    keys = [*(_key(costs, name) for name in by), _currency(costs)]
    sizes = [len(key.values) for key in keys]
    summed = _summed(costs, keys, sizes)
    groups: dict[GroupKey, Sums] = {}

    def take(key: GroupKey, sums: Sums) -> None:
        """Add sums to their group; several numbers may stand for one value, such as days beyond the calendar."""
        groups[key] = groups[key].plus(sums) if key in groups else sums

    scale = costs.scale
    for key, (rows, whole, partial) in zip(_values(list(summed), keys, sizes), summed.values(), strict=True):
        take(key, Sums((rows[0], rows[1], rows[2], rows[3]), decimal_of(whole, scale), decimal_of(partial, scale) if partial else NOTHING))
    exact = [reduce(lambda code, pair: code * pair[1] + _at(pair[0], row), zip(keys, sizes, strict=True), 0) for row in costs.exact]
    for key, (row, amount) in zip(_values(exact, keys, sizes), costs.exact.items(), strict=True):
        partial_row = int(costs.outcome[row]) == Outcome.PARTIAL
        take(key, Sums((0, 0, 0, 0), partial_amount=amount) if partial_row else Sums((0, 0, 0, 0), amount))
    return CostTotals(by, groups)


def _summed(costs: Costs, keys: Sequence[Key], sizes: Sequence[int]) -> dict[int, tuple[list[int], int, int]]:
    """Return for each group the rows of each outcome, the ticks of priced rows, and the ticks of partial ones."""
    space = prod(sizes) * _OUTCOMES
    if space >= 2**62:
        raise ColumnError(
            f"{space // _OUTCOMES:,} possible groups are more than can be numbered; group by fewer columns", column=None, columns=()
        )
    sums = _Sums(space, dense=space <= _room(costs.rows))
    size = _SMALL_BLOCK if space <= _SMALL_BLOCK else _BLOCK
    for begin in range(0, costs.rows, size):
        block = slice(begin, min(begin + size, costs.rows))
        code = costs.outcome[block].astype(np.int64)
        stride = _OUTCOMES
        for key, width in zip(reversed(keys), reversed(sizes), strict=True):
            if width > 1:
                code += key.block(block) * np.int64(stride)
                stride *= width
        sums.add(code, costs.raw_ticks[block])
    groups: dict[int, tuple[list[int], int, int]] = {}
    for number, rows, ticks in sums:
        group, outcome = divmod(number, _OUTCOMES)
        known, whole, partial = groups.get(group, ([0] * _OUTCOMES, 0, 0))
        known[outcome] += rows
        part = outcome == Outcome.PARTIAL
        groups[group] = (known, whole + (0 if part else ticks), partial + (ticks if part else 0))
    return groups


class _Sums:
    """Numbers of rows and sums of ticks by code, exact: `high` counts in 2^32 ticks, and `low` is carried over before it could overflow."""

    def __init__(self, space: int, *, dense: bool) -> None:
        self.codes = np.empty(0, np.int64)
        self.dense = dense
        size = space if dense else 0
        self.parts = [np.zeros(size, np.int64) for _ in range(3)]
        self._small = dense and space <= _SMALL_BLOCK
        self._reached = 0
        """What no sum in `low` is above."""

    def add(self, code: NDArray[np.int64], ticks: NDArray[np.int64]) -> None:
        """Add rows."""
        most = max(int(ticks.max()), -int(ticks.min()), _LOW) * len(ticks)
        if not self._small or most > _SURE:
            self._add_halves(code, ticks)
            return
        rows, high, low = self.parts
        if self._reached + most > _SURE:
            high += low >> _HALF
            low &= _LOW
            self._reached = _LOW
        self._reached += most
        rows += np.bincount(code, minlength=len(rows))
        np.add.at(low, code, ticks)

    def _add_halves(self, code: NDArray[np.int64], ticks: NDArray[np.int64]) -> None:
        """Add rows of any size, or to very many sums: the sums of both halves of a block fit into the 53 bits of a float."""
        least = int(code.min())
        code = code - least
        found: NDArray[np.int64] | None = None
        if int(code.max()) >= _room(len(code)):
            found, code = np.unique(code, return_inverse=True)
        rows = np.bincount(code)
        low = np.bincount(code, weights=ticks & _LOW).astype(np.int64)
        high = np.bincount(code, weights=ticks >> _HALF).astype(np.int64) + (low >> _HALF)
        places = np.flatnonzero(rows)
        where = (places if found is None else found[places]) + least
        if not self.dense:
            where = self._places(where)
        for part, new in zip(self.parts, (rows, high, low & _LOW), strict=True):
            part[where] += new[places]
        self._reached += _LOW

    def _places(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where sparse codes have their sums, with room for the new ones."""
        union = np.union1d(self.codes, codes)
        if len(union) > len(self.codes):
            moved = np.searchsorted(union, self.codes)
            for number, part in enumerate(self.parts):
                self.parts[number] = np.zeros(len(union), np.int64)
                self.parts[number][moved] = part
            self.codes = union
        return np.searchsorted(self.codes, codes)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Yield each code with its rows and ticks."""
        places = np.flatnonzero(self.parts[0])
        codes = (places if self.dense else self.codes[places]).tolist()
        rows, high, low = (part[places].tolist() for part in self.parts)
        for code, number, upper, lower in zip(codes, rows, high, low, strict=True):
            yield code, number, (upper << _HALF) + lower


def _values(numbers: list[int], keys: Sequence[Key], sizes: Sequence[int]) -> Iterator[GroupKey]:
    """Yield the values and the currency that each number of a group stands for."""
    rest = np.array(numbers, np.int64)
    columns: list[list[Any]] = []
    for key, size in zip(reversed(keys), reversed(sizes), strict=True):
        rest, codes = np.divmod(rest, size)
        columns.append([key.values[code] for code in codes.tolist()])
    for currency, *group in zip(*columns, strict=True):
        yield tuple(reversed(group)), currency


def _at(key: Key, row: int) -> int:
    codes = key.block(slice(row, row + 1))
    return codes if isinstance(codes, int) else int(codes[0])


def _key(costs: Costs, name: str) -> Key:
    table = costs.table
    if isinstance(table.model, Coded) and table.columns.get("model") == name:
        return _coded(table.model)  # read already
    try:
        column = table.column(name)
    except ColumnError as error:
        if name not in DERIVED:
            raise ColumnError(f"{error.message}; or group by one of {', '.join(DERIVED)}", **error.facts) from None
        return _derived(costs, name)
    return _coded(column) if isinstance(column, Coded) else _from_array(column)


def _derived(costs: Costs, name: str) -> Key:
    table = costs.table
    if name == "model":
        return Key(0, (table.model,)) if isinstance(table.model, str) else _coded(table.model)
    if name == "currency":
        return _currency(costs)
    if name == "outcome":
        from tokencost.rating.row import OUTCOMES

        return Key(costs.outcome, OUTCOMES)
    if name in ("offering", "version"):
        said = [v.offering if name == "offering" else str(v) for v in costs.versions]
        values = tuple(dict.fromkeys(said))
        place = np.array([values.index(text) for text in said] + [len(values)], np.int64)  # -1 is the last
        return Key(place[costs.version], (*values, None))
    return _time(costs, name)


def _time(costs: Costs, name: str) -> Key:
    """Return the hour, day or month of each row as text that sorts; rows without an instant have none."""
    from tokencost.rating.plan import micros

    at = costs.table.at
    unit = _HOUR if name == "hour" else _DAY
    if isinstance(at, np.ndarray) and len(at) and not any(unreadable.heading == "at" for unreadable in costs.table.unreadable):
        least, most = int(at.min()) // unit, int(at.max()) // unit
        if most - least < _room(len(at)):
            clock = _Clock(at, unit, least, most, months=name == "month")
            return Key(clock, [_text(number, name) for number in clock.numbers])
    numbers = np.full(1, micros(at) // unit) if not isinstance(at, np.ndarray) else at // unit
    if name == "month":
        numbers = _months(numbers)
    key = _from_array(numbers)
    values = [_text(int(number), name) for number in key.values]
    codes: Codes = key.codes if isinstance(at, np.ndarray) else 0
    without = [unreadable.rows for unreadable in costs.table.unreadable if unreadable.heading == "at"]
    if without and not isinstance(codes, int):
        codes = codes.copy()
        codes[np.concatenate(without)] = len(values)
        values.append(None)
    return Key(codes, values)


class _Clock:
    """The hours, days or months of instants, numbered from their first; a block within one of them, as most of a log are, is one number."""

    def __init__(self, at: NDArray[np.int64], unit: int, least: int, most: int, *, months: bool) -> None:
        self.at, self.unit, self.least = at, unit, least
        self.numbers = range(least, most + 1)
        self._months: NDArray[np.int64] | None = None
        if months:
            found = _months(np.arange(least, most + 1))
            self.numbers = range(int(found[0]), int(found[-1]) + 1)
            self._months = found - found[0]

    def __call__(self, rows: slice) -> Codes:
        """Return the numbers of a stretch of rows."""
        at = self.at[rows]
        first, last = (int(end) // self.unit - self.least for end in (at.min(), at.max()))
        if self._months is not None:
            first, last = int(self._months[first]), int(self._months[last])
        if first == last:
            return first
        numbers = at // self.unit - self.least
        return numbers if self._months is None else self._months[numbers]


def _months(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the months of days, both counted from January 1970; the calendar is asked once for each day and not for each row."""
    if not len(days):
        return days
    least, most = int(days.min()), int(days.max())
    if most - least >= _room(len(days)):
        return days.astype("M8[D]").astype("M8[M]").astype(np.int64)
    months = np.arange(least, most + 1).astype("M8[D]").astype("M8[M]").astype(np.int64)
    return months[days - least]


def _text(number: int, name: str) -> str | None:
    try:
        if name == "month":
            return f"{1970 + number // 12:04}-{number % 12 + 1:02}"
        if name == "day":
            return (_EPOCH + timedelta(days=number)).isoformat()
        return f"{_EPOCH + timedelta(days=number // 24)}T{number % 24:02}"
    except OverflowError:
        return None


def _currency(costs: Costs) -> Key:
    """Return the currency of each row, none where its price is unknown."""
    return Key(costs.currency_codes, (*costs.currencies, None))


def _coded(column: Coded) -> Key:
    names: tuple[str | None, ...] = column.names
    codes: NDArray[Any] = column.codes
    if len(codes) and codes.min() < 0:
        codes, names = np.where(codes < 0, len(names), codes), (*names, None)
    return Key(codes, names)


def _from_array(values: NDArray[Any]) -> Key:
    """Return the numbers of any column; whole numbers of a small range need no sorting."""
    if values.dtype.kind in "iu" and len(values):
        least, most = int(values.min()), int(values.max())
        if most - least < _room(len(values)):
            return Key((values - least).astype(np.int64), range(least, most + 1))
    if values.dtype.kind == "O":
        numbers: dict[Any, int] = {}
        codes = np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)
        return Key(codes, [_plain(value) for value in numbers])
    distinct, codes = np.unique(values, return_inverse=True)
    found: list[Any] = list(distinct)
    return Key(codes, [_plain(value) for value in found])


def _room(rows: int) -> int:
    """Return how many codes are counted in arrays without sorting: more than that would take longer than the rows themselves."""
    return min(_DENSE, 4 * rows + _FEW)


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: numpy's and dates become Python's and text; NaN, which equals nothing, is an empty cell."""
    if isinstance(value, np.datetime64):
        text = str(value)  # pyright: ignore[reportUnknownArgumentType]
        return None if text == "NaT" else text
    found: Any = value.item() if hasattr(value, "item") else value
    if isinstance(found, float) and isnan(found):
        return None
    return found if found is None or isinstance(found, str | int | float | bool) else str(found)

"""Cells: a column as arrays, whatever it came from, and what its cells mean as names or counts.

A column is one of five kinds. What a row holds wrongly is kept as a fault of that row; what a column cannot be is an error.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from tokencost.errors import ColumnError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Cells", "Coded", "Column", "Faults", "Moments", "Numbers", "Opaque", "counts_in", "is_null", "names_in", "wrong_type"]

_WHOLE: Final = re.compile(r"\s*([+-]?[0-9]+)(?:\.0*)?\s*")
_LONGEST: Final = 18
_MISSING: Final = ("NoneType", "NAType", "NaTType")
_MOST: Final = 2**63
_WIDEST: Final = ((np.int8, 2**7), (np.int16, 2**15), (np.int32, 2**31))


class Coded(NamedTuple):
    """A column of few distinct texts: for each row the number of its name, -1 where it has none."""

    codes: NDArray[np.signedinteger[Any]]
    names: tuple[str, ...]


class Numbers(NamedTuple):
    """A column of integers, floats or booleans; `nulls` marks the empty cells, None where there are none."""

    values: NDArray[Any]
    nulls: NDArray[np.bool_] | None
    kind: str


class Moments(NamedTuple):
    """A column of instants or dates: ticks of `unit` since 1970, in UTC where it is `aware`, else by a local clock."""

    ticks: NDArray[np.int64]
    unit: str
    aware: bool
    nulls: NDArray[np.bool_] | None
    kind: str


class Cells(NamedTuple):
    """A column of Python objects."""

    values: list[Any]
    kind: str


class Opaque(NamedTuple):
    """A column that means nothing here: nested, binary, a duration; only its type is known."""

    kind: str


Column = Coded | Numbers | Moments | Cells | Opaque
Faults = dict[str, "NDArray[np.bool_]"]
"""Rows that cannot be read, by the reason."""


def wrong_type(name: str, kind: str, wanted: str, cure: str) -> ColumnError:
    """Return the error of a column of the wrong type."""
    return ColumnError(f"column {name!r} has the type {kind}, and {wanted}; {cure}", column=name, columns=(name,))


def is_null(value: object) -> bool:
    """Say whether a cell is empty: None, a NaN, or a missing value of pandas.

    >>> is_null(None), is_null(float("nan")), is_null(0)
    (True, True, False)
    """
    if value is None or type(value).__name__ in _MISSING:
        return True
    return isinstance(value, (float, np.floating, Decimal)) and math.isnan(cast("float", value))


def names_in(column: Column, name: str, heading: str) -> Coded:
    """Return a column of names as codes.

    >>> names_in(Cells(["gpt-4o", None, "gpt-4o"], "list"), "model", "model")
    Coded(codes=array([ 0, -1,  0], dtype=int32), names=('gpt-4o',))

    Raises:
        ColumnError: the column holds something else than text.
    """
    if isinstance(column, Coded):
        return column
    if isinstance(column, Cells):
        coded = encoded(column.values)
        if isinstance(coded, Coded):
            return coded
        kind = f"{column.kind} with a {coded}"
    else:
        kind = column.kind
    raise wrong_type(name, kind, f"{heading} is text", f"convert it to text, or name another column with columns={ {heading: 'NAME'} }")


def encoded(values: Sequence[Any]) -> Coded | str:
    """Return texts as codes, in the order of their first row; or the type of a value that is no text."""
    try:
        seen: dict[Any, int] = dict.fromkeys(values, -1)
    except TypeError:
        return next(type(value).__name__ for value in values if type(value).__hash__ is None)
    names: list[str] = []
    for value in seen:
        if isinstance(value, str):
            seen[value] = len(names)
            names.append(value if type(value) is str else str.__str__(value))
        elif not is_null(value):
            return type(value).__name__
    codes = np.fromiter(map(seen.__getitem__, values), np.int32, len(values))
    return Coded(codes, tuple(names))


def distinct(codes: NDArray[np.signedinteger[Any]], names: Sequence[str | None]) -> Coded:
    """Return codes over names of which some may be the same or missing as codes over distinct ones."""
    kept = tuple(dict.fromkeys(name for name in names if name is not None))
    if len(kept) == len(names):
        return Coded(codes, kept)
    number = {name: code for code, name in enumerate(kept)}
    table = np.array([*(-1 if name is None else number[name] for name in names), -1], np.int32)
    return Coded(table[codes], kept)


def signed(codes: NDArray[Any], size: int) -> NDArray[np.signedinteger[Any]]:
    """Return codes below `size` as signed integers, without a copy where the bits allow it."""
    if codes.dtype.kind == "i" and codes.dtype.isnative:
        return np.ascontiguousarray(codes)
    for narrow, beyond in _WIDEST:
        if codes.dtype.isnative and codes.dtype.itemsize == np.dtype(narrow).itemsize and size <= beyond:
            return np.ascontiguousarray(codes).view(narrow)
    return codes.astype(np.int32 if size <= 2**31 else np.int64)


def counts_in(column: Column, name: str, meter: str, *, needed: bool) -> tuple[NDArray[np.int64], Faults]:
    """Return a column of counts, 0 where a cell is empty or cannot be read, and the rows that cannot be.

    An empty cell is a fault only where the count is `needed`.

    >>> counts, faults = counts_in(Numbers(np.array([1.0, 2.5]), None, "float64"), "tokens", "input", needed=True)
    >>> counts, {reason: rows.nonzero()[0] for reason, rows in faults.items()}
    (array([1, 0]), {"a fraction in column 'tokens'; counts are whole numbers, so correct it": array([1])})

    Raises:
        ColumnError: the column holds booleans, text, instants or something else that is no count.
    """
    kinds = _kinds(column)
    if isinstance(column, Numbers) and column.values.dtype.kind in "iuf":
        counts, nulls, faults = _numbers(column, name)
    elif isinstance(column, Cells) and (not kinds or kinds - {str, bool, np.bool_}):
        counts, nulls, faults = _cells(column.values, kinds, name)
    elif isinstance(column, Coded) and not column.names:
        counts, nulls, faults = np.zeros(len(column.codes), np.int64), np.ones(len(column.codes), np.bool_), {}
    else:
        kind = " and ".join(sorted(kind.__name__ for kind in kinds)) or ("text" if isinstance(column, Coded) else column.kind)
        cure = f"convert it to integers, or name another column with columns={ {meter: 'NAME'} }"
        raise wrong_type(name, kind, f"{meter} counts whole numbers", cure)
    if needed and nulls is not None and nulls.any():
        faults[f"no {meter} in column {name!r}; write the count, which may be 0"] = nulls
    return counts, faults


def _kinds(column: Column) -> set[type]:
    """Return the types of the cells that are not empty."""
    if not isinstance(column, Cells):
        return set()
    kinds = {kind for kind in set(map(type, column.values)) if kind.__name__ not in _MISSING}
    return kinds if not kinds & {float, np.float64} else {type(cell) for cell in column.values if not is_null(cell)}


def _numbers(column: Numbers, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None, Faults]:
    values, nulls = column.values, column.nulls
    if values.dtype.kind == "f":
        return _floats(values, nulls, name)
    faults: Faults = {}
    if values.dtype.kind == "u" and values.dtype.itemsize == 8:  # noqa: PLR2004 - 64 bits
        beyond = values >= _MOST
        if nulls is not None:
            beyond &= ~nulls
        if beyond.any():
            faults[_beyond(name)] = beyond
            values = np.where(beyond, 0, values)
    counts = np.ascontiguousarray(values.astype(np.int64, copy=False))
    if nulls is not None:
        counts = np.where(nulls, 0, counts)
    return counts, nulls, faults


def _floats(values: NDArray[Any], nulls: NDArray[np.bool_] | None, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None, Faults]:
    with np.errstate(invalid="ignore"):
        counts = values.astype(np.int64)
    bad = counts != values
    if nulls is not None:
        bad |= nulls
    if not bad.any():
        return counts, None, {}
    counts[bad] = 0
    empty = np.isnan(values) if nulls is None else np.isnan(values) | nulls
    beyond = bad & ~empty & (np.abs(values) >= _MOST)
    return (
        counts,
        empty,
        {reason: rows for reason, rows in ((_fraction(name), bad & ~empty & ~beyond), (_beyond(name), beyond)) if rows.any()},
    )


def _cells(values: list[Any], kinds: set[type], name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None, Faults]:
    if kinds == {int}:
        try:
            return np.array(values, np.int64), None, {}
        except (OverflowError, TypeError, ValueError):  # a number beyond 64 bits, or an empty cell
            pass
    counts = np.zeros(len(values), np.int64)
    nulls = np.zeros(len(values), np.bool_)
    faults: Faults = {}
    for row, value in enumerate(values):
        count = _count(value, name)
        if count is None:
            nulls[row] = True
        elif isinstance(count, int):
            counts[row] = count
        else:
            faults.setdefault(count, np.zeros(len(values), np.bool_))[row] = True
    return counts, nulls, faults


def _count(value: Any, name: str) -> int | str | None:
    """Return the count of a cell, None where it is empty, or what is wrong with it."""
    if is_null(value) or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str):
        match = _WHOLE.fullmatch(value)
        number = int(match[1]) if match is not None and len(match[1]) <= _LONGEST else None
        return f"text that is no whole number in column {name!r}; write it in figures, without separators" if number is None else number
    if isinstance(value, (float, np.floating, Decimal)):
        if not math.isfinite(cast("float", value)):
            return _beyond(name)
        if value % 1:
            return _fraction(name)
    elif isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        return f"a {type(value).__name__} in column {name!r}; counts are whole numbers, so write one"
    number = int(cast("int", value))
    return number if -_MOST <= number < _MOST else _beyond(name)


def _fraction(name: str) -> str:
    return f"a fraction in column {name!r}; counts are whole numbers, so correct it"


def _beyond(name: str) -> str:
    return f"a number beyond 64 bits in column {name!r}; check its unit"

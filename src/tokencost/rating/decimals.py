"""Columns of results: exact decimals, currencies and outcomes, as Arrow arrays or as arrays of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tokencost.errors import RangeError
from tokencost.exact import decimal_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

__all__ = ["bits_of", "decimal_array", "decimal_objects", "index_array", "text_array", "text_column"]

_DIGITS: Final = 38
_MOST_DIGITS: Final = 76


def decimal_objects(ticks: NDArray[np.int64], *, scale: int, unknown: NDArray[np.bool_], exact: Mapping[int, Decimal]) -> NDArray[Any]:
    """Return amounts as an array of Decimals, None where unknown."""
    column = np.empty(len(ticks), object)
    column[:] = [decimal_of(number, scale) for number in ticks.tolist()]
    column[unknown] = None
    for row, amount in exact.items():
        column[row] = amount
    return column


def decimal_array(ticks: NDArray[np.int64], *, scale: int, unknown: NDArray[np.bool_], exact: Mapping[int, Decimal]) -> Any:
    """Return amounts as an Arrow array of decimals with 38 digits, null where unknown; no number is converted one by one.

    Where a row needs more decimals than ticks have, all amounts get them.

    Raises:
        RangeError: an amount needs more than 76 digits.
    """
    from tokencost.rating.arrow import pa

    finest = max([scale, *(-_exponent(amount) for amount in exact.values())])
    halves = np.empty((len(ticks), 2), np.int64)
    halves[:, 0] = ticks
    np.right_shift(ticks, 63, out=halves[:, 1])
    array = pa.Array.from_buffers(pa.decimal128(_DIGITS, scale), len(ticks), [bits_of(~unknown), pa.py_buffer(halves)])
    if not exact:
        return array
    digits = finest + max([0, len(str(int(ticks.max()))) - scale, *(amount.adjusted() + 1 for amount in exact.values())])
    if digits > _MOST_DIGITS:
        raise RangeError(
            f"amounts need {digits} digits, and a decimal of Arrow has {_MOST_DIGITS} at most; read .amounts(), or take floats",
            rows=tuple(exact),
            scale=finest,
        )
    kind = pa.decimal128(_DIGITS, finest) if digits <= _DIGITS else pa.decimal256(_MOST_DIGITS, finest)
    array = array.cast(kind)
    rows = sorted(exact)
    mask = np.zeros(len(ticks), bool)
    mask[rows] = True
    return pa.compute.replace_with_mask(array, pa.array(mask), pa.array([exact[row] for row in rows], kind))


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def text_column(codes: NDArray[np.int32], names: Sequence[str], *, arrow: bool) -> Any:
    """Return coded text as a dictionary array of Arrow, or as an array of texts; a code of -1 is none."""
    if not arrow:
        return np.array([*names, None], object)[codes]
    from tokencost.rating.arrow import pa

    return pa.DictionaryArray.from_arrays(index_array(codes), text_array(names))


def index_array(codes: NDArray[np.signedinteger[Any]]) -> Any:
    """Return codes as an Arrow array that shares their memory, null where they are negative."""
    from tokencost.rating.arrow import pa

    return pa.Array.from_buffers(pa.from_numpy_dtype(codes.dtype), len(codes), [bits_of(codes >= 0), pa.py_buffer(codes)])


def text_array(texts: Sequence[str]) -> Any:
    """Return texts as an Arrow array.

    `pyarrow.array` would load pandas where that is installed, which takes longer than rating a million rows.
    """
    from tokencost.rating.arrow import pa

    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def bits_of(valid: NDArray[np.bool_]) -> Any:
    """Return which rows hold a value as a bitmap of Arrow, None where all do."""
    from tokencost.rating.arrow import pa

    return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))

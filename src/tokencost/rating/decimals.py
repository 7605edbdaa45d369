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

__all__ = ["decimal_array", "decimal_objects", "text_column"]

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
    valid: Any = None if not unknown.any() else pa.py_buffer(np.packbits(~unknown, bitorder="little"))
    array = pa.Array.from_buffers(pa.decimal128(_DIGITS, scale), len(ticks), [valid, pa.py_buffer(halves)])
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

    mask = codes < 0
    indices = pa.array(codes, mask=mask) if mask.any() else pa.array(codes)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string()))

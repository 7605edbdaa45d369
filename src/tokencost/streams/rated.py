"""Rated rows: what a chunk costs, and the columns that are written beside its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tokencost.errors import RangeError
from tokencost.exact import TICK_SCALE
from tokencost.rating.decimals import bits_of, index_array, text_array
from tokencost.rating.row import OUTCOMES, Outcome
from tokencost.streams.arrow import pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tokencost.rating.costs import Costs
    from tokencost.rating.totals import CostTotals
    from tokencost.streams.arrow import Array, Batch
    from tokencost.streams.reading import Chunk

__all__ = ["AMOUNTS", "COST_DIGITS", "COST_SCALE", "NEW_COLUMNS", "Amount", "Cause", "RatedChunk", "add_causes", "with_costs"]

Amount = Literal["decimal", "ticks", "float"]

AMOUNTS: Final[tuple[Amount, ...]] = ("decimal", "ticks", "float")
"""How costs are written: exact decimals, whole ticks of 10^-12, or floats, which are not exact."""
NEW_COLUMNS: Final = ("cost", "currency", "outcome")
"""What is written beside the columns that are kept."""
COST_DIGITS: Final = 38
COST_SCALE: Final = 18
"""Digits of the column `cost`, and how many of them stand behind the point; the same in every part, whatever its rows."""
_CAUSES: Final = 1000
_HALF: Final = 32
_AT_ONCE: Final = 1 << 13
"""Rows whose amounts stay in the cache while they are widened."""
_OTHERS: Final = ("other causes, too many to list", None)


class Cause(NamedTuple):
    """Why some rows have no whole price: how many, the first of them, counted from 0 in its file, and what is wrong with that one."""

    reason: str
    name: str | None
    rows: int
    file: str
    first_row: int
    message: str


class RatedChunk(NamedTuple):
    """A chunk with its costs: of which file, its totals and causes; no chunk at the end of a file."""

    source: int
    chunk: Chunk | None = None
    costs: Costs | None = None
    totals: CostTotals | None = None
    causes: Sequence[Cause] = ()
    notes: Mapping[str, int] = {}


def add_causes(known: dict[tuple[str, str | None], Cause], found: Iterable[Cause]) -> None:
    """Count causes together; beyond a thousand different ones the rest are one."""
    for cause in found:
        key = cause.reason, cause.name
        if key not in known and len(known) >= _CAUSES:
            key = _OTHERS
        first = known.setdefault(key, cause._replace(reason=key[0], name=key[1], rows=0))
        known[key] = first._replace(rows=first.rows + cause.rows)


def with_costs(kept: Batch, costs: Costs, *, amount: Amount, prefix: str) -> Batch:
    """Return rows with what they cost behind them; null where that is unknown.

    Raises:
        RangeError: an amount does not fit the column.
    """
    made: dict[str, Array] = {
        "cost": _AMOUNTS[amount](costs),
        "currency": _coded(costs.currency, costs.currencies),
        "outcome": _coded(costs.outcome, OUTCOMES),
    }
    columns = {name: kept.column(name) for name in kept.schema.names} | {prefix + name: column for name, column in made.items()}
    return pa.table(columns)


def _coded(codes: Any, names: Sequence[str]) -> Array:
    """Return codes as a dictionary column; -1 is null."""
    import numpy as np

    return pa.DictionaryArray.from_arrays(index_array(codes.astype(np.int8, copy=False)), text_array(names), safe=False)


def _decimals(costs: Costs) -> Array:
    """Return exact decimals; all of a column at once, unless some rows are no whole ticks."""
    factor = 10 ** (COST_SCALE - costs.scale) if costs.scale <= COST_SCALE else 0
    if 0 < factor < 2**_HALF and not costs.exact:
        valid = bits_of(costs.outcome != Outcome.UNKNOWN)
        wide = pa.py_buffer(_times(costs.raw_ticks, factor))
        return pa.Array.from_buffers(pa.decimal128(COST_DIGITS, COST_SCALE), costs.rows, [valid, wide])
    try:
        return costs.decimals().cast(pa.decimal128(COST_DIGITS, COST_SCALE))
    except pa.ArrowInvalid:
        message = (
            f"an amount has more than {COST_SCALE} digits behind the point or {COST_DIGITS - COST_SCALE} before it; pass amount='float'"
        )
        raise RangeError(message, rows=(), scale=COST_SCALE) from None


def _times(ticks: NDArray[np.int64], factor: int) -> NDArray[np.int64]:
    """Return products with a number below 2^32 as whole numbers of 128 bits, the lower half first."""
    import numpy as np

    wide = np.empty((len(ticks), 2), np.int64)
    low, high = wide[:, 0], wide[:, 1]
    for begin in range(0, len(ticks), _AT_ONCE):
        rows = slice(begin, begin + _AT_ONCE)
        part = ticks[rows]
        np.multiply(part, factor, out=low[rows])  # what is beyond 64 bits is cut off
        if max(int(part.max()), -int(part.min())) < 2**63 // factor:
            np.right_shift(low[rows], 63, out=high[rows])
        else:
            upper = (part >> _HALF) * factor + ((part & (2**_HALF - 1)) * factor >> _HALF)
            np.right_shift(upper, _HALF, out=high[rows])
    return wide


def _ticks(costs: Costs) -> Array:
    try:
        scaled = costs.decimals().cast(pa.decimal128(COST_DIGITS, TICK_SCALE))
        return pa.array([None if cell is None else int(cell.scaleb(TICK_SCALE)) for cell in scaled.to_pylist()], pa.int64())
    except (pa.ArrowInvalid, OverflowError):
        message = f"an amount is no whole number of ticks of 10^-{TICK_SCALE} in 64 bits; pass amount='decimal'"
        raise RangeError(message, rows=(), scale=TICK_SCALE) from None


def _floats(costs: Costs) -> Array:
    found = costs.floats()
    return pa.array(found, mask=found != found)  # noqa: PLR0124 - what is not equal to itself is no number


_AMOUNTS: Final[dict[str, Any]] = {"decimal": _decimals, "ticks": _ticks, "float": _floats}

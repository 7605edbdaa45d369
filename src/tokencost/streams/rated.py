"""Rated rows: what a chunk costs, and the columns that are written beside its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tokencost.errors import RangeError
from tokencost.exact import TICK_SCALE
from tokencost.rating.row import OUTCOMES, Outcome
from tokencost.streams.arrow import pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        "currency": _coded(costs.currency, costs.currencies, empty=True),
        "outcome": _coded(costs.outcome, OUTCOMES),
    }
    columns = {name: kept.column(name) for name in kept.schema.names} | {prefix + name: column for name, column in made.items()}
    return pa.table(columns)


def _coded(codes: Any, names: Sequence[str], *, empty: bool = False) -> Array:
    """Return codes as a dictionary column; -1 is null."""
    import numpy as np

    small = codes.astype(np.int8, copy=False)
    void = (small < 0) if empty else None
    indices = pa.array(small) if void is None or not void.any() else pa.array(small, mask=void)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()), safe=False)


def _decimals(costs: Costs) -> Array:
    """Return exact decimals; where the amounts are small, as most are, by one multiplication of whole columns."""
    import numpy as np

    factor = 10 ** (COST_SCALE - costs.scale) if costs.scale <= COST_SCALE else 0
    ticks = costs.raw_ticks
    if len(ticks) and factor and not costs.exact and max(int(ticks.max()), -int(ticks.min())) < 2**63 // factor:
        halves = np.empty((len(ticks), 2), np.int64)
        np.multiply(ticks, factor, out=halves[:, 0])
        np.right_shift(halves[:, 0], 63, out=halves[:, 1])
        unknown = costs.outcome == Outcome.UNKNOWN
        valid = pa.py_buffer(np.packbits(~unknown, bitorder="little")) if unknown.any() else None
        return pa.Array.from_buffers(pa.decimal128(COST_DIGITS, COST_SCALE), len(ticks), [valid, pa.py_buffer(halves)])
    try:
        return costs.decimals().cast(pa.decimal128(COST_DIGITS, COST_SCALE))
    except pa.ArrowInvalid:
        message = (
            f"an amount has more than {COST_SCALE} digits behind the point or {COST_DIGITS - COST_SCALE} before it; pass amount='float'"
        )
        raise RangeError(message, rows=(), scale=COST_SCALE) from None


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

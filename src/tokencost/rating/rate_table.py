"""Rating tables: many requests of many models, instants and selections at once, with the same result as one by one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from tokencost.errors import ColumnError, UnknownNameError, UsageTypeError
from tokencost.rating.apart import Written
from tokencost.rating.buckets import Buckets
from tokencost.rating.costs import Costs
from tokencost.rating.edition import editions_of
from tokencost.rating.fused import kernel_for
from tokencost.rating.kernel import BLOCK
from tokencost.rating.lookup import Lookup
from tokencost.rating.plan import Line, micros
from tokencost.rating.problems import findings_of
from tokencost.rating.row import Outcome
from tokencost.rating.slow_rows import SlowRows
from tokencost.rating.timeline import Selection
from tokencost.rating.usage_table import Coded
from tokencost.tariffs.meter import ancestors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tokencost.rating.fused import KernelKind
    from tokencost.rating.kernel import Kernel
    from tokencost.rating.plan import Plan
    from tokencost.rating.tally import Tally
    from tokencost.rating.usage_table import UsageTable

__all__ = ["Detail", "Lines", "compiled", "rate_usage_table"]

Detail = Literal["rows", "meters"]
_DETAILS: Final = ("rows", "meters")
_ROWS_A_THREAD: Final = 1 << 18
_FEW_NAMES: Final = 16
_CHUNK: Final = 1 << 16
_MOST_COMBINATIONS: Final = 1 << 22


class Lines(NamedTuple):
    """The lines of a table: their numbers in the plan, for each row the place of its line among them, or one for all; its ends in time."""

    numbers: list[int]
    places: NDArray[Any] | int
    low: int
    high: int


def rate_usage_table(
    plan: Plan,
    table: UsageTable,
    *,
    detail: Detail = "rows",
    threads: int | None = None,
    kernel: KernelKind = "auto",
    reuse: bool = False,
) -> Costs:
    """Rate a usage table by a plan.

    `detail="meters"` keeps the cost of each meter too. `threads` is one unless more are asked for: one core nearly fills the memory's
    bandwidth, so more pay only where that has room. `kernel` says whether "numpy" multiplies or "compiled" loops, which need the extra
    `compiled`; the digits are the same. "auto" takes the loops where they are installed and there are rows enough. With `reuse` what is
    laid out is kept for the next table of the same kind, which pays in a stream of batches.

    Raises:
        ColumnError: a part is counted (`cache_read`) and its total (`input`) is not, in a table of totals.
        LayerError: two layers of the book claim one rate.
        ModuleNotFoundError: `kernel` is "compiled", and the extra `compiled` is not installed.
        UnknownNameError: no such `detail` or `kernel`.
    """
    _check(table, detail, threads)
    chosen = kernel_for(kernel, table.rows, detail)
    lines = compiled(plan, table)
    low, high = lines.low, lines.high
    arrays = plan.arrays(tuple(table.counts))
    if reuse and isinstance(table.at, np.ndarray):
        lookup = plan.lookup(arrays, lines.numbers, low=low, high=high)
    else:
        lookup = Lookup(plan, arrays, lines.numbers, low=low, high=high, rows=table.rows)
    places = _without_unreadable(lines.places, table, void=lookup.width - 1)
    plainly = lookup.constant is not None and bool((lookup.constant[:-1] < arrays.plain).all()) and not table.unreadable
    written = Written(
        np.empty(table.rows, np.int64),
        np.zeros(table.rows, np.uint8),
        None if plainly else np.empty(table.rows, np.int32),
        {meter: np.empty(table.rows, np.int64) for meter in arrays.meters} if detail == "meters" else {},
    )
    at = table.at if isinstance(table.at, np.ndarray) else None
    if at is None and lookup.constant is None:
        raise AssertionError("one instant has one id a line")
    buckets = Buckets(table.counts, totals=table.totals)
    tally = _run(chosen(arrays, lookup, lines=places, at=at, buckets=buckets, written=written), table.rows, threads)
    for unreadable in table.unreadable:
        written.outcome[unreadable.rows] = Outcome.UNKNOWN
    slow = SlowRows(plan, arrays, table, numbers=lines.numbers, places=places, written=written)
    slow.rate(tally.slow)
    editions = editions_of([*arrays.editions, *slow.editions]) if slow.editions else arrays.index
    if plainly and lookup.constant is not None:
        editions = editions.at(lookup.constant)
    return Costs(
        table,
        scale=arrays.scale,
        ticks=written.ticks,
        outcome=written.outcome,
        cell=written.cell,
        lines=places,
        editions=editions,
        meters=written.meters,
        exact=slow.exact,
        exact_meters=slow.exact_meters,
        findings=findings_of(plan, arrays, table, tally, slow),
    )


def _check(table: UsageTable, detail: str, threads: int | None) -> None:
    if detail not in _DETAILS:
        raise UnknownNameError(f"detail={detail!r} is no kind of detail; pass 'rows' or 'meters'", name=detail, suggestions=_DETAILS)
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageTypeError(f"threads={threads!r} is no number of threads; pass 1 or more", meter="threads", value=threads)
    if not table.totals:
        return
    for meter in table.counts:
        *_, root = chain = ancestors(meter)
        if root in ("input", "output") and not any(whole in table.counts for whole in chain[1:]) and meter != root:
            raise ColumnError(
                f"{meter} is a part of {root}, and the table has no {root}; name its column with columns={{{root!r}: NAME}}, "
                'or pass UsageColumns(counts="disjoint") if no count contains another',
                column=meter,
                columns=tuple(table.counts),
            )


def _ends(table: UsageTable) -> tuple[int, int]:
    """Return the first and the last instant, in microseconds; those of rows that cannot be read are left out."""
    if not isinstance(table.at, np.ndarray):
        return micros(table.at), micros(table.at)
    at = table.at
    if any(unreadable.heading == "at" for unreadable in table.unreadable):
        keep = np.ones(len(at), bool)
        for unreadable in table.unreadable:
            keep[unreadable.rows] = False
        at = at[keep]
    return (int(at.min()), int(at.max())) if len(at) else (0, 0)


def compiled(plan: Plan, table: UsageTable) -> Lines:
    """Compile the lines that occur in a table, over its time, and say which row is on which."""
    low, high = _ends(table)
    plan.cover(low, high)
    numbers, places = _lines(plan, table)
    return Lines(numbers, places, low, high)


def _lines(plan: Plan, table: UsageTable) -> tuple[list[int], NDArray[Any] | int]:
    parts: list[Coded | str | None] = [table.model, table.currency, table.service_tier, table.mode, table.residency, table.tenant]
    coded = [part for part in parts if isinstance(part, Coded)]
    if not coded:
        return [_line(plan, parts, ())], 0
    if len(coded) == 1 and isinstance(table.model, Coded):
        return _model_lines(plan, table.model, parts), table.model.codes
    sizes = [len(part.names) + 1 for part in coded]  # one more for the empty cell, which comes first
    combined = np.zeros(table.rows, np.int64)
    for part, size in zip(coded, sizes, strict=True):
        combined *= size
        combined += part.codes
        combined += 1
    if int(np.prod(sizes, dtype=float)) <= _MOST_COMBINATIONS:
        found = np.flatnonzero(np.bincount(combined))
        place_of = np.zeros(int(np.prod(sizes)), np.int64)
        place_of[found] = np.arange(len(found))
        places = place_of[combined]
    else:
        found, places = np.unique(combined, return_inverse=True)
    return [_line(plan, parts, _chosen(int(number), coded, sizes)) for number in found], places


def _model_lines(plan: Plan, model: Coded, parts: Sequence[Coded | str | None]) -> list[int]:
    """Return the line of each model; the categories of a frame may name far more models than its rows do, and these are left out."""
    selection = _selection(parts[1:])
    lines = [Line(name, selection) for name in model.names]
    if sum(line not in plan for line in lines) > _FEW_NAMES:
        used = np.zeros(len(lines) + 1, bool)
        for begin in range(0, len(model.codes), _CHUNK):
            used[model.codes[begin : begin + _CHUNK]] = True  # an empty cell is -1, the last
            if used[:-1].all():
                break
        lines = [line if occurs else None for line, occurs in zip(lines, used[:-1].tolist(), strict=True)]
    spare = next((line for line in lines if line is not None), Line("", selection))
    return [plan.line(*(line or spare)) for line in lines or [spare]]


def _chosen(number: int, coded: Sequence[Coded], sizes: Sequence[int]) -> tuple[str | None, ...]:
    chosen: list[str | None] = []
    for part, size in zip(reversed(coded), reversed(sizes), strict=True):
        number, code = divmod(number, size)
        chosen.append(part.names[code - 1] if code else None)
    return tuple(reversed(chosen))


def _line(plan: Plan, parts: Sequence[Coded | str | None], chosen: tuple[str | None, ...]) -> int:
    values = iter(chosen)
    model, *selectors = (next(values) if isinstance(part, Coded) else part for part in parts)
    return plan.line(model or "", _selection(selectors))


def _selection(selectors: Sequence[Coded | str | None]) -> Selection:
    # an empty cell, or an empty text, is the default
    currency, service_tier, mode, residency, tenant = (part if isinstance(part, str) and part else None for part in selectors)
    return Selection(currency, service_tier or "standard", mode, residency, tenant)


def _without_unreadable(places: NDArray[Any] | int, table: UsageTable, *, void: int) -> NDArray[Any] | int:
    """Return the places of the lines, with the one that says nothing for rows that cannot be read."""
    rows = [unreadable.rows for unreadable in table.unreadable if len(unreadable.rows)]
    if not rows:
        return places
    made = np.full(table.rows, places, np.int64) if isinstance(places, int) else places.astype(np.int64)
    made[np.concatenate(rows)] = void
    return made


def _run(kernel: Kernel, rows: int, threads: int | None) -> Tally:
    """Rate all rows, in as many threads as pay."""
    workers = min(threads or 1, max(rows // _ROWS_A_THREAD, 1))
    if workers == 1:
        return kernel.run(0, rows)
    blocks = -(-rows // BLOCK)
    cuts = [blocks * n // workers * BLOCK for n in range(workers)] + [rows]
    with ThreadPoolExecutor(workers) as pool:
        first, *others = pool.map(kernel.run, cuts, cuts[1:])
    for other in others:
        first.add(other)
    return first

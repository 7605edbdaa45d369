"""Starting prices: what a workload pays at one instant on each of several offerings, as the beginning of price processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokencost.errors import ScenarioError
from tokencost.scenarios.price_process import PriceProcess
from tokencost.scenarios.prices import Prices
from tokencost.workloads.compare import compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.usage import Usage
    from tokencost.scenarios.unit import Unit
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.workloads.trace import Trace
    from tokencost.workloads.workload import Workload

__all__ = ["price_processes"]


def price_processes(
    workload: Trace | Workload | Usage | Iterable[Usage],
    offerings: Sequence[str],
    *,
    at: datetime | str,
    cached_workload: Workload | Usage | None = None,
    book: Book | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    **moves: Any,
) -> tuple[PriceProcess, ...]:
    """Return a price process for each offering, which begins at what the workload pays there at one instant, per million tokens.

    `moves` are arguments of `PriceProcess` that all share; change one with `dataclasses.replace`. With `cached_workload`, the same demand
    with every prompt read from a cache, `workload` is taken as that without a cache, and the hit rate can be drawn.

    >>> import tokencost as tc
    >>> usage = tc.Usage(input=30_000_000, cache_read=70_000_000, output=10_000_000)
    >>> found = price_processes(usage, ["deepseek-reasoner", "gpt-4o"], at="2025-02-01T00:00:00Z", cuts_per_month=0.1, cut_size=0.5)
    >>> [(process.name, round(process.price[0], 4)) for process in found]
    [('deepseek-reasoner', 0.4382), ('gpt-4o', 2.3864)]

    Raises:
        ScenarioError: an offering has no price for the whole workload at this instant, or a move that cannot be.
        UnknownNameError, AmbiguousNameError: the name of an offering is not clear.
    """
    chosen: dict[str, Any] = {"at": at, "book": book, "currency": currency, "fx": fx}
    plain, unit = _prices(workload, offerings, chosen)
    cached = None if cached_workload is None else _prices(cached_workload, offerings, chosen)[0]
    return tuple(
        PriceProcess(name=name, price=plain[name], cached_price=None if cached is None else cached[name], unit=unit, **moves)
        for name in offerings
    )


def _prices(workload: Any, offerings: Sequence[str], chosen: dict[str, Any]) -> tuple[dict[str, float], Unit]:
    compared = compare(workload, offerings, **chosen)
    prices = Prices.of_comparison(compared)
    named = {row.name: price for row, price in zip(compared.rows, prices.values.tolist(), strict=True)}
    missing = next((name for name in offerings if name not in named), None)
    if missing is not None:
        raise ScenarioError(f"offering {missing!r} is there twice, by another name; name each once", value=missing)
    return named, prices.unit

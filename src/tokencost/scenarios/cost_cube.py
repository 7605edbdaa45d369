"""Cost cubes: every workload on every model in every month, in blocks that are never all in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = ["CheapestCosts", "CostBlock", "cheapest_costs", "cost_blocks"]

_NO_PRICE: Final = 1e300
"""Stands for a missing price: nothing of it costs nothing, anything of it costs more than can be."""
_TOO_MUCH: Final = 1e200
_BLOCK: Final = 1 << 17


class CostBlock(NamedTuple):
    """Costs of some workloads in one month: a row for each workload from `first` on, a column for each model.

    A workload that uses a meter without a price costs infinity. The block is written over by the next one: copy what you keep.
    """

    month: int
    first: int
    costs: NDArray[np.float64]


class CheapestCosts(NamedTuple):
    """The lowest cost of each workload in each month, and the model that has it: rows are months, NaN and -1 where there is none."""

    costs: NDArray[np.float64]
    models: NDArray[np.intp]


def cost_blocks(prices: ArrayLike, quantities: ArrayLike) -> Iterator[CostBlock]:
    """Yield the cost of every workload on every model, month by month, in blocks that fit in a processor's cache.

    `prices` are months x models x meters, NaN where there is none; `quantities` are workloads x meters, in the tokens of the unit of the
    prices. Binary floats: a statistic, not a bill.

    >>> [block.costs.tolist() for block in cost_blocks([[[1.0, 2.0], [3.0, float("nan")]]], [[10, 0], [10, 1]])]
    [[[10.0, 30.0], [12.0, inf]]]

    Raises:
        ScenarioError: shapes that do not fit, quantities or prices that are negative or infinite, or quantities that are missing.
    """
    for block in _blocks(prices, quantities):
        block.costs[block.costs > _TOO_MUCH] = np.inf
        yield block


def cheapest_costs(prices: ArrayLike, quantities: ArrayLike) -> CheapestCosts:
    """Return the cheapest model for every workload in every month; of equal ones the first.

    >>> found = cheapest_costs([[[1.0, 9.0], [3.0, 3.0]]], [[10, 0], [10, 10]])
    >>> found.costs.tolist(), found.models.tolist()
    ([[10.0, 60.0]], [[0, 1]])

    Raises:
        ScenarioError: as `cost_blocks`.
    """
    shape = (np.shape(prices)[0] if np.ndim(prices) else 0, len(np.atleast_1d(quantities)))
    costs, models = np.empty(shape), np.empty(shape, dtype=np.intp)
    for month, first, block in _blocks(prices, quantities):
        best = block.argmin(axis=1)
        models[month, first : first + len(block)] = best
        costs[month, first : first + len(block)] = np.take_along_axis(block, best[:, None], axis=1)[:, 0]
    none = costs > _TOO_MUCH
    costs[none], models[none] = np.nan, -1
    return CheapestCosts(costs, models)


def _blocks(prices: ArrayLike, quantities: ArrayLike) -> Iterator[CostBlock]:
    given, used = np.asarray(prices, dtype=np.float64), np.asarray(quantities, dtype=np.float64)
    if given.ndim != 3 or used.ndim != 2 or given.shape[2] != used.shape[1] or 0 in given.shape + used.shape:  # noqa: PLR2004
        raise ScenarioError(
            f"prices of shape {given.shape} and quantities of shape {used.shape} do not fit; "
            "pass months x models x meters and workloads x meters",
            value=(given.shape, used.shape),
        )
    if not (np.isfinite(used).all() and (used >= 0).all()):
        raise ScenarioError("a quantity is negative or missing; every workload has 0 or more of each meter", value=quantities)
    if np.isinf(given).any() or (given < 0).any():
        raise ScenarioError("a price is negative or infinite; it is 0 or more, or NaN where there is none", value=prices)
    size = max(_BLOCK // given.shape[1], 1)
    buffer = np.empty((size, given.shape[1]))
    for month, models in enumerate(given):
        columns = np.ascontiguousarray(np.where(np.isnan(models), _NO_PRICE, models).T)
        for first in range(0, len(used), size):
            rows = used[first : first + size]
            yield CostBlock(month, first, np.matmul(rows, columns, out=buffer[: len(rows)]))

"""The weighted time-product dummy index: a regression of prices on what was sold and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.bilateral import FORMULAS, side_of
from tokencost.scenarios.geks import refuse_apart
from tokencost.scenarios.price_index import index_of, prepared
from tokencost.scenarios.splice import rolled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tokencost.scenarios.price_index import Free, Index
    from tokencost.scenarios.price_panel import PricePanel
    from tokencost.scenarios.splice import Splice

__all__ = ["Weights", "time_product_index"]

Weights = Literal["expenditure", "equal"]
"""How observations weigh: by their share of the period's spending, or all alike."""


def time_product_index(
    panel: PricePanel,
    *,
    weights: Weights = "expenditure",
    window: int | None = None,
    splice: Splice = "mean",
    base: Any = None,
    free: Free = "refuse",
) -> Index:
    """Fit ln p = item + period by least squares, each price weighing as its share of its period's spending; the index is exp(period).

    The weighted time-product dummy of Summers (1973) and Rao (1990), as in Diewert & Fox (2022). It needs no match between any two
    periods, only that items join them all in the end; an item that is on sale in one period alone says nothing. A `window` and a `splice`
    are as for GEKS. Solved as a system as large as the number of periods, whatever the number of items.

    >>> from tokencost.scenarios.price_panel import PricePanel
    >>> panel = PricePanel((1, 2, 3), ("a", "b"), [[4, None], [2, 6], [None, 3]], quantities=[[1, None], [1, 1], [None, 1]])
    >>> time_product_index(panel).values.round(6).tolist()
    [1.0, 0.5, 0.25]

    Raises:
        ScenarioError: a free price, no quantities, periods that no item joins.
        UnknownNameError: there are no such weights or no such splice.
    """
    if weights not in ("expenditure", "equal"):
        raise UnknownNameError.of(str(weights), ("expenditure", "equal"), what="weights", where="expenditure, equal")
    panel = prepared(panel, free=free)
    weighted = weights == "expenditure"
    side = side_of(panel, FORMULAS["tornqvist" if weighted else "jevons"])
    weight = side.spent if weighted else side.there
    total = weight.sum(axis=1)
    for row in np.flatnonzero(total == 0).tolist():
        raise ScenarioError(f"nothing with a weight is on sale in {panel.periods[row]}; leave the period out", value=panel.periods[row])
    share = weight / total[:, None]
    values = rolled(lambda low, high: _fitted(share[low:high], side.log[low:high], panel, low), len(share), window=window, splice=splice)
    start = 0 if base is None else panel.place(base)
    note = f"regression on items and periods, weights {weights}"
    if window is not None and window < len(share):
        note = f"{note}; windows of {window} periods, {splice.replace('_', ' ')} splice"
    return index_of(panel, "time product dummy", np.exp(values), (weight > 0).sum(axis=1), base=start, weighted=weighted, note=note)


def _fitted(share: NDArray[np.float64], log: NDArray[np.float64], panel: PricePanel, low: int) -> NDArray[np.float64]:
    """Return the coefficients of the periods, those of the items being eliminated."""
    item = share.sum(axis=0)
    inverse = np.divide(1.0, item, out=np.zeros_like(item), where=item > 0)
    between = (share * inverse) @ share.T
    refuse_apart(between > 0, panel, low, what="the time product dummy")
    system = np.diag(share.sum(axis=1)) - between
    mean = (share * log).sum(axis=0) * inverse
    right = (share * (log - mean)).sum(axis=1)
    levels = np.zeros(len(share))
    levels[1:] = np.linalg.solve(system[1:, 1:], right[1:])
    return levels

"""GEKS: bilateral indexes between all pairs of periods, made to agree with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.bilateral import FORMULAS, compare_sides, formula_of, side_of
from tokencost.scenarios.price_index import index_of, prepared
from tokencost.scenarios.splice import rolled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tokencost.scenarios.price_index import Free, Index
    from tokencost.scenarios.price_panel import PricePanel
    from tokencost.scenarios.splice import Splice

__all__ = ["geks_index", "refuse_apart"]


def geks_index(
    panel: PricePanel,
    kind: str = "tornqvist",
    *,
    window: int | None = None,
    splice: Splice = "mean",
    base: Any = None,
    free: Free = "refuse",
) -> Index:
    """Return the index of Gini, Elteto, Koves and Szulc: the geometric mean of all ways from the base through another period.

    I_t = prod_k (P_0k P_kt)^(1/T), each P over the items that its two periods have (Ivancic, Diewert & Fox 2011). It does not drift. Where
    some pairs of periods have no item in common, the logarithms are fitted to the pairs that have by least squares, which is the same
    number where all have. With a `window` only that many periods are compared with each other, and each new one is joined by a `splice`.

    >>> from tokencost.scenarios.price_panel import PricePanel
    >>> panel = PricePanel((1, 2, 3), ("a", "b"), [[1, 1], [0.5, 1], [1, 1]], quantities=[[10, 10], [50, 5], [10, 10]])
    >>> geks_index(panel).values.round(6).tolist()
    [1.0, 0.629961, 1.0]

    Raises:
        UnknownNameError: there is no such formula or splice.
        ScenarioError: a formula that does not return to 1 there and back, periods that no chain of matched items joins, a free price under
            a formula that cannot take it.
    """
    formula, panel = formula_of(kind), prepared(panel, free=free)
    if not formula.reversible:
        able = ", ".join(name for name, other in FORMULAS.items() if other.reversible)
        raise ScenarioError(f"{kind} there and back is not 1, so that geks cannot rest on it; take one of {able}", value=kind)
    side = side_of(panel, formula)
    found = compare_sides(formula, side, side)
    with np.errstate(divide="ignore"):
        logs = np.log(found)
    logs[np.isinf(logs)] = np.nan  # everything that two periods share is free in one of them
    pairs = ~np.isnan(logs)
    values = rolled(
        lambda low, high: _fitted(logs[low:high, low:high], pairs[low:high, low:high], panel, low), len(logs), window=window, splice=splice
    )
    start = 0 if base is None else panel.place(base)
    joined = pairs.any(axis=1)
    lost = int((~pairs).sum() - (~joined).sum()) // 2
    note = f"all pairs of periods, over items that both have; {lost} of {len(logs) * (len(logs) - 1) // 2} pairs have none"
    if window is not None and window < len(logs):
        note = f"{note}; windows of {window} periods, {splice.replace('_', ' ')} splice"
    return index_of(panel, f"geks {kind}", np.exp(values), side.there.sum(axis=1), base=start, weighted=formula.weighted, note=note)


def _fitted(logs: NDArray[np.float64], pairs: NDArray[np.bool_], panel: PricePanel, low: int) -> NDArray[np.float64]:
    """Return the levels whose differences are nearest to the logarithms of all pairs."""
    if pairs.all():
        return logs.mean(axis=0)
    refuse_apart(pairs, panel, low, what="geks")
    here = np.where(pairs, logs, 0.0)
    apart = pairs.astype(np.float64)
    np.fill_diagonal(apart, 0.0)
    system = np.diag(apart.sum(axis=1)) - apart
    levels = np.zeros(len(logs))
    levels[1:] = np.linalg.solve(system[1:, 1:], here.sum(axis=0)[1:])
    return levels


def refuse_apart(pairs: NDArray[np.bool_], panel: PricePanel, low: int, *, what: str) -> None:
    """Raise where some periods cannot be reached from the first by any chain of pairs."""
    reached = np.zeros(len(pairs), dtype=bool)
    reached[0] = True
    while True:
        more = reached | pairs[reached].any(axis=0)
        if (more == reached).all():
            break
        reached = more
    if not reached.all():
        first = panel.periods[low + int(np.flatnonzero(~reached)[0])]
        raise ScenarioError(
            f"{what} cannot compare {first} with {panel.periods[low]}: no chain of items on sale in both leads from one to the other; "
            "take fewer periods, a wider window, or more items",
            value=first,
        )

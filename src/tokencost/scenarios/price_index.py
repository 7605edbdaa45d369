"""Price indexes over time: against a fixed base, chained from period to period, and of a fixed basket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.bilateral import compare_sides, formula_of, refuse_free, side_of
from tokencost.scenarios.price_panel import LeftOut, read_only
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from tokencost.scenarios.price_panel import PricePanel

__all__ = ["Free", "Index", "chained_index", "fixed_base_index", "index_of", "lowe_index", "mean_index", "prepared", "without_weight"]

Free = Literal["refuse", "exclude"]
"""What to do with prices of 0: refuse them where a formula cannot take them, or leave them out everywhere and count them."""

_SHOWN = 4
_MEANS = ("unit_value", "geometric_mean", "arithmetic_mean")


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """A price index: a number for each period, 1 in the base period.

    `matched` counts, for each period, the items that its number rests on. `excluded` says which items are left out in which periods, and
    why; an item that is not on sale is not excluded. `note` says how it was made.

    >>> from tokencost.scenarios.price_panel import PricePanel
    >>> panel = PricePanel((2024, 2025), ("a", "b"), [[2, 8], [1, 8]], quantities=[[10, 1], [30, 1]])
    >>> fixed_base_index(panel, "laspeyres").values.tolist()
    [1.0, 0.6428571428571429]
    """

    kind: str
    periods: tuple[Any, ...]
    values: NDArray[np.float64]
    matched: tuple[int, ...]
    base: Any
    excluded: tuple[LeftOut, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", read_only(self.values))

    def __reduce__(self) -> tuple[Any, ...]:
        return Index, (self.kind, self.periods, self.values, self.matched, self.base, self.excluded, self.note)

    def __getitem__(self, period: Any) -> float:
        """Return the index of a period, which may be written as it is shown."""
        for own, value in zip(self.periods, self.values.tolist(), strict=True):
            if own == period or str(own) == str(period):
                return value
        raise ScenarioError(f"the index has no period {period}; it has {self.periods[0]} to {self.periods[-1]}", value=period)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each period."""
        rows = zip(self.periods, self.values.tolist(), self.matched, strict=True)
        return [{"kind": self.kind, "period": period, "index": value, "matched": matched} for period, value, matched in rows]

    def table(self) -> Table:
        """Return the index as a table for eyes."""
        head = (Column("period"), Column("index", number=True), Column("items", number=True))
        rows = zip(self.periods, self.values.tolist(), self.matched, strict=True)
        notes = [self.note] if self.note else []
        if self.excluded:
            notes.append(excluded_text(self.excluded))
        made = tuple((str(period), f"{value:.4f}", str(matched)) for period, value, matched in rows)
        return Table(f"{self.kind.replace('_', ' ')}, {self.base} = 1", head, made, tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def excluded_text(excluded: tuple[LeftOut, ...]) -> str:
    """Return how many items and prices are left out, by reason, the most frequent first."""
    reasons: dict[str, list[int]] = {}
    for row in excluded:
        reasons.setdefault(row.reason, []).append(len(row.periods))
    order = sorted(reasons, key=lambda reason: -sum(reasons[reason]))
    told = [f"{_counted(len(reasons[why]), 'item')}, {_counted(sum(reasons[why]), 'price')} ({why})" for why in order[:_SHOWN]]
    rest = sum(len(reasons[why]) for why in order[_SHOWN:])
    return "left out: " + "; ".join([*told, *([f"{_counted(rest, 'item')} for other reasons"] if rest else [])])


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


# -- before any index ----------------------------------------------------------------------------------------------------------------------


def prepared(panel: PricePanel, *, free: Free) -> PricePanel:
    """Return the panel with free prices left out, if that is asked for.

    Raises:
        UnknownNameError: `free` is neither refuse nor exclude.
    """
    if free not in ("refuse", "exclude"):
        raise UnknownNameError.of(str(free), ("refuse", "exclude"), what="way with free prices", where="refuse, exclude")
    return panel.without_free() if free == "exclude" else panel


def without_weight(panel: PricePanel) -> tuple[LeftOut, ...]:
    """Return the items that are on sale and have no quantity, which no weighted index counts."""
    if panel.quantities is None:
        return ()
    missing = panel.on_sale & np.isnan(panel.quantities)
    return tuple(
        LeftOut(panel.items[column], "no quantity", tuple(panel.periods[row] for row in np.flatnonzero(missing[:, column])))
        for column in np.flatnonzero(missing.any(axis=0)).tolist()
    )


def index_of(panel: PricePanel, kind: str, values: ArrayLike, matched: ArrayLike, *, base: int, weighted: bool, note: str) -> Index:
    """Return an index with what was left out of it, 1 in the base period."""
    found = np.asarray(values, dtype=np.float64)
    excluded = (*panel.left_out, *(without_weight(panel) if weighted else ()))
    counts = tuple(int(count) for count in np.asarray(matched))
    return Index(kind, panel.periods, found / found[base], counts, panel.periods[base], excluded, note)


def _base(panel: PricePanel, base: Any) -> int:
    return 0 if base is None else panel.place(base)


def _refuse_gaps(
    values: NDArray[np.float64], counts: NDArray[np.float64], panel: PricePanel, *, pairs: list[tuple[int, int]], kind: str
) -> None:
    """Raise where two periods that are compared have nothing in common, or nothing with a weight."""
    for place in np.flatnonzero(np.isnan(values) | (values <= 0)).tolist():
        before, after = (panel.periods[row] for row in pairs[place])
        if not counts[place]:
            raise ScenarioError(
                f"no item of {before} is on sale in {after}, so that {kind} has nothing to compare; take a nearer base, chain, or geks",
                value=(before, after),
            )
        raise ScenarioError(
            f"the {int(counts[place])} items of {before} and {after} have no weight, their prices or quantities are all 0; "
            f"pass free='exclude', or other quantities",
            value=(before, after),
        )


# -- the indexes ---------------------------------------------------------------------------------------------------------------------------


def fixed_base_index(panel: PricePanel, kind: str = "fisher", *, base: Any = None, free: Free = "refuse") -> Index:
    """Compare every period with the base period directly, over the items that both have.

    `kind` is a formula by name: laspeyres, paasche, fisher, marshall_edgeworth, walsh, geo_laspeyres, geo_paasche, tornqvist, jevons,
    carli, harmonic or dutot; see `tokencost.scenarios.bilateral` for each. The base is the first period unless another is named.

    Raises:
        UnknownNameError: there is no such formula.
        ScenarioError: no matched items in some period, no quantities, or a free price under a formula that cannot take it.
    """
    formula, panel = formula_of(kind), prepared(panel, free=free)
    side, start = side_of(panel, formula), _base(panel, base)
    own = side.rows(start, start + 1)
    counts = (own.there @ side.there.T)[0]
    values = compare_sides(formula, own, side)[0]
    pairs = [(start, row) for row in range(len(panel.periods))]
    _refuse_gaps(values, counts, panel, pairs=pairs, kind=kind)
    note = f"each period against {panel.periods[start]}, over items that both have"
    return index_of(panel, kind, values, counts, base=start, weighted=formula.weighted, note=note)


def chained_index(panel: PricePanel, kind: str = "fisher", *, base: Any = None, free: Free = "refuse") -> Index:
    """Multiply comparisons of each period with the one before, over the items that both have.

    Items come and go without a gap, and the price of this is drift: where prices and quantities go away and return, most formulas do not.

    >>> from tokencost.scenarios.price_panel import PricePanel
    >>> panel = PricePanel((1, 2, 3), ("a", "b"), [[1, 1], [0.5, 1], [1, 1]], quantities=[[10, 10], [50, 5], [10, 10]])
    >>> chained_index(panel, "laspeyres").values.tolist()
    [1.0, 0.75, 1.375]

    Raises:
        UnknownNameError: there is no such formula.
        ScenarioError: two neighbouring periods without matched items, no quantities, or a free price under a formula that cannot take it.
    """
    formula, panel = formula_of(kind), prepared(panel, free=free)
    side, start = side_of(panel, formula), _base(panel, base)
    pairs = [(row, row + 1) for row in range(len(panel.periods) - 1)]
    links = np.array([compare_sides(formula, side.rows(a, b), side.rows(b, b + 1))[0, 0] for a, b in pairs])
    counts = np.array([float((side.there[a] * side.there[b]).sum()) for a, b in pairs])
    _refuse_gaps(links, counts, panel, pairs=pairs, kind=f"chained {kind}")
    values = np.concatenate([[1.0], np.cumprod(links)])
    matched = np.concatenate([[side.there[0].sum()], counts])
    note = "each period against the one before, multiplied; the items are those of the link"
    return index_of(panel, f"chained {kind}", values, matched, base=start, weighted=formula.weighted, note=note)


def lowe_index(panel: PricePanel, basket: Mapping[str, float] | ArrayLike, *, base: Any = None, free: Free = "refuse") -> Index:
    """Return sum p1 q / sum p0 q for one basket of quantities, whatever was bought in either period (Lowe 1823).

    It is the bill of a fixed workload. Items of the basket that one of the two periods does not have are left out of both sums.

    Raises:
        ScenarioError: nothing of the basket is on sale in both.
    """
    made = fixed_base_index(panel.with_quantities(basket), "laspeyres", base=base, free=free)
    note = f"one basket at the prices of each period and of {made.base}, over items that both have"
    return Index("lowe", made.periods, made.values, made.matched, made.base, made.excluded, note)


def mean_index(panel: PricePanel, kind: str = "unit_value", *, base: Any = None, free: Free = "refuse") -> Index:
    """Compare mean prices of whatever is on sale, matched or not: what is not an index of prices, and is often taken for one.

    `kind` is unit_value (all spending over all quantities), geometric_mean or arithmetic_mean. Such a mean moves where buyers change from
    one item to another, or a new one comes, while no price changes.

    >>> from tokencost.scenarios.price_panel import PricePanel
    >>> panel = PricePanel((2024, 2025), ("small", "large"), [[1, 10], [1, 10]], quantities=[[50, 50], [90, 10]])
    >>> round(mean_index(panel)[2025], 4), fixed_base_index(panel)[2025]
    (0.3455, 1.0)

    Raises:
        UnknownNameError: there is no such mean.
        ScenarioError: a period has nothing on sale, or nothing with a weight.
    """
    if kind not in _MEANS:
        raise UnknownNameError.of(kind, _MEANS, what="mean", where=", ".join(_MEANS))
    panel = prepared(panel, free=free)
    here, start = panel.on_sale, _base(panel, base)
    if kind == "unit_value":
        side = side_of(panel, formula_of("laspeyres"))
        counts, above, below = side.there.sum(axis=1), side.spent.sum(axis=1), side.quantity.sum(axis=1)
    else:
        if kind == "geometric_mean":
            refuse_free(panel, kind, here)
        prices = np.where(here, panel.prices, 1.0)
        terms = np.where(here, np.log(prices), 0.0) if kind == "geometric_mean" else np.where(here, prices, 0.0)
        counts = below = here.sum(axis=1).astype(np.float64)
        above = terms.sum(axis=1)
    for row in np.flatnonzero(below == 0).tolist():
        raise ScenarioError(f"nothing with a weight is on sale in {panel.periods[row]}; leave the period out", value=panel.periods[row])
    means = np.exp(above / below) if kind == "geometric_mean" else above / below
    if not means[start]:
        raise ScenarioError(f"everything is free in {panel.periods[start]}, the base; take another", value=0)
    note = "means over whatever is on sale, not matched: a change of items counts as a change of prices"
    return index_of(panel, kind, means, counts, base=start, weighted=kind == "unit_value", note=note)

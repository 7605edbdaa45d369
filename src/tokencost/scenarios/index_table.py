"""Indexes side by side: one panel, many formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.bilateral import FORMULAS
from tokencost.scenarios.geks import geks_index
from tokencost.scenarios.price_index import chained_index, excluded_text, fixed_base_index, mean_index
from tokencost.scenarios.time_product import time_product_index
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokencost.scenarios.price_index import Free, Index
    from tokencost.scenarios.price_panel import PricePanel

__all__ = ["IndexTable", "index_table", "price_index"]

_MEANS: Final = ("unit value", "geometric mean", "arithmetic mean")
_TIME_PRODUCT: Final = "time product dummy"
_USUAL: Final = ("laspeyres", "paasche", "fisher", "tornqvist", "chained fisher", "geks tornqvist", _TIME_PRODUCT, "unit value")


class IndexTable(NamedTuple):
    """Indexes of one panel side by side; `refused` says of those that could not be made why not."""

    title: str
    base: Any
    indexes: Mapping[str, Index]
    refused: Mapping[str, str]

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each index and period."""
        return [record for index in self.indexes.values() for record in index.records()]

    def table(self) -> Table:
        """Return the indexes as a table for eyes."""
        kinds = list(self.indexes)
        periods = self.indexes[kinds[0]].periods if kinds else ()
        rows = [(str(period), *(f"{self.indexes[kind].values[place]:.4f}" for kind in kinds)) for place, period in enumerate(periods)]
        notes = dict.fromkeys(excluded_text(index.excluded) for index in self.indexes.values() if index.excluded)
        head = (Column("period"), *(Column(kind, number=True) for kind in kinds))
        title = f"price indexes of {self.title}, {self.base} = 1"
        return Table(title, head, tuple(rows), (*notes, *(f"{kind}: {why}" for kind, why in self.refused.items())))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def index_table(panel: PricePanel, kinds: Sequence[str] = _USUAL, *, base: Any = None, free: Free = "refuse") -> IndexTable:
    """Return several indexes of one panel side by side.

    A kind is a formula (`fisher`: against the base), `chained` or `geks` and a formula (`chained fisher`), `time product dummy`, or a mean
    that is no index (`unit value`, `geometric mean`, `arithmetic mean`). One that cannot be made is listed with its reason.

    >>> from tokencost.scenarios.price_panel import PricePanel
    >>> panel = PricePanel((1, 2, 3), ("a", "b"), [[1, 1], [0.5, 1], [1, 1]], quantities=[[10, 10], [50, 5], [10, 10]], title="a sale")
    >>> print(index_table(panel, ["laspeyres", "chained laspeyres", "chained fisher", "geks fisher", "unit value"]))
    price indexes of a sale, 1 = 1
    period  laspeyres  chained laspeyres  chained fisher  geks fisher  unit value
    ──────  ─────────  ─────────────────  ──────────────  ───────────  ──────────
    1          1.0000             1.0000          1.0000       1.0000      1.0000
    2          0.7500             0.7500          0.6396       0.6396      0.5455
    3          1.0000             1.3750          1.0000       1.0000      1.0000

    Raises:
        UnknownNameError: there is no such kind.
        ScenarioError: no kind is asked for.
    """
    if not kinds or isinstance(kinds, str):
        raise ScenarioError(f"kinds={kinds!r} names no list of indexes; pass one like ['fisher', 'geks fisher']", value=kinds)
    made: dict[str, Index] = {}
    refused: dict[str, str] = {}
    for kind in kinds:
        try:
            made[kind] = price_index(panel, kind, base=base, free=free)
        except ScenarioError as error:
            refused[kind] = str(error)
    start = panel.periods[0] if base is None else panel.periods[panel.place(base)]
    return IndexTable(panel.title, start, made, refused)


def price_index(panel: PricePanel, kind: str, *, base: Any = None, free: Free = "refuse") -> Index:
    """Return one index by its name in words, as `index_table` takes it.

    >>> from tokencost.scenarios.price_panel import PricePanel
    >>> price_index(PricePanel((1, 2), ("a",), [[2], [1]]), "chained jevons")[2]
    0.5

    Raises:
        UnknownNameError: there is no such kind.
        ScenarioError: the index cannot be made.
    """
    words = kind.replace("_", " ")
    way, _, formula = words.partition(" ")
    if way in ("chained", "geks"):
        return (chained_index if way == "chained" else geks_index)(panel, formula.replace(" ", "_"), base=base, free=free)
    if words == _TIME_PRODUCT:
        return time_product_index(panel, base=base, free=free)
    if words in _MEANS:
        return mean_index(panel, words.replace(" ", "_"), base=base, free=free)
    if words.replace(" ", "_") not in FORMULAS:
        known = (*FORMULAS, _TIME_PRODUCT, *_MEANS)
        raise UnknownNameError.of(kind, known, what="index", where=f"{', '.join(known)}, or chained or geks and a formula")
    return fixed_base_index(panel, words.replace(" ", "_"), base=base, free=free)

"""Price panels: what items cost in each period, which of them were on sale, and how much of each was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.unit import USD_PER_MTOK, Unit
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Flow", "LeftOut", "PricePanel", "read_only"]

_KEYS = ("period", "item", "price", "quantity", "unit")
_OPTIONS = ("quantities", "unit", "title", "left_out")


class LeftOut(NamedTuple):
    """An item that is not counted in some periods, and why."""

    item: str
    reason: str
    periods: tuple[Any, ...]

    def __str__(self) -> str:
        when = str(self.periods[0]) if len(self.periods) == 1 else f"{len(self.periods)} periods, {self.periods[0]} to {self.periods[-1]}"
        return f"{self.item}: {self.reason} ({when})"


class Flow(NamedTuple):
    """What came and went in a period: how many items are on sale, which are new, which are gone, which cost nothing."""

    period: Any
    on_sale: int
    entered: tuple[str, ...]
    left: tuple[str, ...]
    free: tuple[str, ...]


def read_only(values: ArrayLike) -> NDArray[np.float64]:
    """Return a copy of numbers as a column that cannot be changed."""
    made = np.array(values, dtype=np.float64)
    made.flags.writeable = False
    return made


@dataclass(frozen=True, slots=True, eq=False)
class PricePanel:
    """Prices of items by period, in one unit, as binary floats: indexes are statistics, not bills.

    `prices` has a row for each period and a column for each item; NaN is not on sale, 0 is free. `quantities` has the same shape, in the
    tokens of the unit; a number that is missing there leaves the item out of weighted indexes in that period. `left_out` says what is
    missing for another reason than not being on sale.

    >>> panel = PricePanel(("2024-05", "2024-06"), ("a", "b"), [[2.0, 8.0], [1.0, float("nan")]], quantities=[[10, 1], [30, 0]])
    >>> [(flow.period, flow.on_sale, flow.left) for flow in panel.flows()]
    [('2024-05', 2, ()), ('2024-06', 1, ('b',))]

    Raises:
        ScenarioError: periods that do not ascend, items that are named twice, shapes that differ, negative or infinite numbers, no price.
    """

    periods: tuple[Any, ...]
    items: tuple[str, ...]
    prices: NDArray[np.float64]
    quantities: NDArray[np.float64] | None = None
    unit: Unit = USD_PER_MTOK
    title: str = "prices"
    left_out: tuple[LeftOut, ...] = ()

    def __init__(
        self,
        periods: Iterable[Any],
        items: Iterable[str],
        prices: ArrayLike,
        *,
        quantities: ArrayLike | None = None,
        unit: Unit | str = USD_PER_MTOK,
        title: str = "prices",
        left_out: Iterable[LeftOut] = (),
    ) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("periods", checked_periods(tuple(periods)))
        put("items", tuple(items))
        put("unit", Unit.of(unit))
        put("title", title)
        put("left_out", tuple(left_out))
        twice = [item for item in set(self.items) if self.items.count(item) > 1] if len(set(self.items)) < len(self.items) else []
        if twice:
            raise ScenarioError(f"item {min(twice)!r} is there twice; name the items apart", value=min(twice))
        put("prices", self._checked(prices, "price"))
        if not self.on_sale.any():
            raise ScenarioError("the panel has no price, nothing is on sale; pass at least one price", value=())
        if quantities is None:
            put("quantities", None)
        else:
            given = np.broadcast_to(np.array(quantities, dtype=np.float64), self.prices.shape)
            put("quantities", self._checked(np.where(self.on_sale, given, np.nan), "quantity"))

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, ({name: getattr(self, name) for name in ("periods", "items", "prices", *_OPTIONS)},)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PricePanel):
            return NotImplemented
        own, their = ((p.periods, p.items, p.unit, p.title, p.left_out, p.quantities is None) for p in (self, other))
        if own != their or not np.array_equal(self.prices, other.prices, equal_nan=True):
            return False
        return self.quantities is None or np.array_equal(self.quantities, cast("Any", other.quantities), equal_nan=True)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def _checked(self, numbers: ArrayLike, what: str) -> NDArray[np.float64]:
        found = read_only(numbers)
        wanted = (len(self.periods), len(self.items))
        if found.shape != wanted:
            raise ScenarioError(
                f"{what} has the shape {found.shape}, not {wanted}; give a row for each period and a column for each item",
                value=found.shape,
            )
        bad = (found < 0) | np.isinf(found)
        if bad.any():
            row, column = (int(place) for place in np.argwhere(bad)[0])
            number = float(found[row, column])
            raise ScenarioError(
                f"{what} {number} of {self.items[column]!r} in {self.periods[row]} cannot be; it is 0 or more, or NaN where there is none",
                value=number,
            )
        return found

    # -- ways to make one --------------------------------------------------------------------------------------------------------------

    @classmethod
    def from_records(cls, records: Iterable[Mapping[str, Any]], *, unit: Unit | str | None = None, title: str = "prices") -> PricePanel:
        """Build a panel from rows with `period`, `item`, `price`, and `quantity` and `unit` where they are known.

        >>> rows = [{"period": 1, "item": "a", "price": 2.0, "unit": "CNY/Mtok"}, {"period": 2, "item": "a", "price": 1.0}]
        >>> PricePanel.from_records(rows, unit="CNY/Mtok").prices.tolist()
        [[2.0], [1.0]]

        Raises:
            UnitError: two units in one panel.
            ScenarioError: a row lacks something, or two rows are about the same price.
        """
        wanted = None if unit is None else Unit.of(unit)
        found: dict[tuple[Any, str], Mapping[str, Any]] = {}
        for row in records:
            for key in ("period", "item", "price"):
                if key not in row:
                    raise ScenarioError(f"row {dict(row)!r} has no {key}; it needs period, item and price", value=dict(row))
            for key in row:
                if key not in _KEYS:
                    raise UnknownNameError.of(str(key), _KEYS, what="key of a price record", where=", ".join(_KEYS))
            if row.get("unit") is not None:
                own = Unit.of(row["unit"])
                wanted = own if wanted is None else wanted
                wanted.match(own, what=f"the price of {row['item']!r} in {row['period']}")
            if found.setdefault((row["period"], row["item"]), row) is not row:
                raise ScenarioError(f"{row['item']!r} has two prices in {row['period']}; keep one of them", value=dict(row))
        periods, items = sorted({period for period, _ in found}), list(dict.fromkeys(item for _, item in found))
        prices = np.full((2, len(periods), len(items)), np.nan)
        places, columns = {p: n for n, p in enumerate(periods)}, {i: n for n, i in enumerate(items)}
        for (period, item), row in found.items():
            for layer, key in enumerate(("price", "quantity")):
                value = row.get(key)
                prices[layer, places[period], columns[item]] = np.nan if value is None else float(value)
        counted = any(row.get("quantity") is not None for row in found.values())
        return cls(periods, items, prices[0], quantities=prices[1] if counted else None, unit=wanted or USD_PER_MTOK, title=title)

    @classmethod
    def from_expenditures(
        cls, periods: Iterable[Any], items: Iterable[str], prices: ArrayLike, *, expenditures: ArrayLike, **options: Any
    ) -> PricePanel:
        """Build a panel from prices and what was spent; a free item has no quantity that spending would tell."""
        own, spent = np.array(prices, dtype=np.float64), np.array(expenditures, dtype=np.float64)
        quantities = np.divide(spent, own, out=np.full(own.shape, np.nan), where=own > 0)
        return cls(periods, items, own, quantities=quantities, **options)

    def with_quantities(self, quantities: ArrayLike | Mapping[str, float]) -> PricePanel:
        """Return the same prices with other quantities: an array, one row for all periods, or a number for each item by name."""
        if isinstance(quantities, Mapping):
            given = quantities
            for item in given:
                if item not in self.items:
                    raise UnknownNameError.of(item, self.items, what="item", where="the panel")
            quantities = [given.get(item, np.nan) for item in self.items]
        return self._changed(quantities=quantities)

    def without_free(self) -> PricePanel:
        """Return the panel with free items off sale while they are free, each counted in `left_out`."""
        free = self.prices == 0
        if not free.any():
            return self
        gone = [
            LeftOut(item, "free", tuple(self.periods[row] for row in np.flatnonzero(free[:, column])))
            for column, item in enumerate(self.items)
            if free[:, column].any()
        ]
        if not (self.prices > 0).any():
            raise ScenarioError("every price of the panel is 0, so that nothing is left; pass a price above 0", value=0)
        return self._changed(prices=np.where(free, np.nan, self.prices), left_out=(*self.left_out, *gone))

    def between(self, first: Any, last: Any) -> PricePanel:
        """Return the periods from the first to the last, ends included, with the items that are on sale in them."""
        low, high = self.place(first), self.place(last) + 1
        if low >= high:
            raise ScenarioError(f"there is no period from {first} to {last}; name the earlier one first", value=(first, last))
        kept = np.flatnonzero(self.on_sale[low:high].any(axis=0))
        return self._part(slice(low, high), kept)

    def only(self, items: Sequence[str]) -> PricePanel:
        """Return the panel of some items."""
        columns = {item: column for column, item in enumerate(self.items)}
        for item in items:
            if item not in columns:
                raise UnknownNameError.of(item, self.items, what="item", where="the panel")
        return self._part(slice(None), np.array([columns[item] for item in items], dtype=np.intp))

    def _part(self, rows: slice, columns: NDArray[np.intp]) -> PricePanel:
        items = tuple(self.items[int(column)] for column in columns)
        quantities = None if self.quantities is None else self.quantities[rows][:, columns]
        return self._changed(periods=self.periods[rows], items=items, prices=self.prices[rows][:, columns], quantities=quantities)

    def _changed(self, **changes: Any) -> PricePanel:
        own: dict[str, Any] = {name: getattr(self, name) for name in _OPTIONS}
        own |= changes
        return PricePanel(own.pop("periods", self.periods), own.pop("items", self.items), own.pop("prices", self.prices), **own)

    # -- what it says ------------------------------------------------------------------------------------------------------------------

    @property
    def on_sale(self) -> NDArray[np.bool_]:
        """Which items have a price, by period."""
        return ~np.isnan(self.prices)

    def place(self, period: Any) -> int:
        """Return the row of a period, which may be written as it is shown.

        Raises:
            ScenarioError: the panel has no such period.
        """
        for row, own in enumerate(self.periods):
            if own == period or str(own) == str(period):
                return row
        raise ScenarioError(f"the panel has no period {period}; it has {self.periods[0]} to {self.periods[-1]}", value=period)

    def flows(self) -> tuple[Flow, ...]:
        """Return what came and went, period by period; nothing is new in the first one."""
        made: list[Flow] = []
        before: NDArray[np.bool_] | None = None
        for row, period in enumerate(self.periods):
            now = self.on_sale[row]
            new, gone = (np.zeros_like(now),) * 2 if before is None else (now & ~before, before & ~now)
            free = self._named(now & (self.prices[row] == 0))
            made.append(Flow(period, int(now.sum()), self._named(new), self._named(gone), free))
            before = now
        return tuple(made)

    def _named(self, mask: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(self.items[column] for column in np.flatnonzero(mask))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each price."""
        rows, columns = np.nonzero(self.on_sale)
        quantity = self.quantities
        return [
            {
                "period": self.periods[row],
                "item": self.items[column],
                "price": float(self.prices[row, column]),
                **({} if quantity is None else {"quantity": float(quantity[row, column])}),
                "unit": str(self.unit),
            }
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        ]

    def table(self) -> Table:
        """Return what came and went as a table for eyes."""
        head = (Column("period"), *(Column(name, number=True) for name in ("on sale", "entered", "left", "free", "lowest", "highest")))
        rows: list[tuple[str, ...]] = []
        for row, flow in enumerate(self.flows()):
            own = self.prices[row][self.on_sale[row]]
            ends = (f"{own.min():.4g}", f"{own.max():.4g}") if flow.on_sale else ("", "")
            counts = (flow.on_sale, len(flow.entered), len(flow.left), len(flow.free))
            rows.append((str(flow.period), *map(str, counts), *ends))
        notes = [f"{len(self.left_out)} items are left out somewhere; see left_out"] if self.left_out else []
        return Table(f"{self.title}: {len(self.items)} items, {self.unit}", head, tuple(rows), tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"PricePanel({len(self.periods)} periods, {len(self.items)} items, {self.unit})"

    def _repr_html_(self) -> str:
        return self.table().html()


def checked_periods(periods: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return periods that ascend.

    Raises:
        ScenarioError: there is none, they do not ascend, or cannot be compared.
    """
    if not periods:
        raise ScenarioError("there is no period; pass at least one", value=())
    for before, after in pairwise(periods):
        try:
            ascends = bool(before < after)
        except TypeError:
            raise ScenarioError(f"periods {before!r} and {after!r} cannot be compared; pass all of one kind", value=after) from None
        if not ascends:
            raise ScenarioError(f"period {after} comes after {before}; periods ascend, each once: sort them", value=after)
    return periods


def _remade(parts: dict[str, Any]) -> PricePanel:
    return PricePanel(**parts)

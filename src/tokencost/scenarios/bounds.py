"""What prices may be: posted ones, floors and caps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.prices import Prices, frozen, price_array, price_number

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tokencost.scenarios.prices import FloatArray
    from tokencost.scenarios.unit import Unit

__all__ = ["Bounds", "amounts", "ids", "names_of", "rho_of"]


class Bounds(NamedTuple):
    """The least and the greatest that each price may be; both are the price itself where it is posted."""

    floors: FloatArray
    caps: FloatArray
    posted: FloatArray
    low: FloatArray
    high: FloatArray
    free: bool

    @classmethod
    def of(cls, *, floors: object, caps: object, posted: object, names: Sequence[str], unit: Unit) -> Bounds:
        """Return bounds from one number, from numbers by name, or from one number each.

        Raises:
            ScenarioError: a floor above its cap, a posted price outside of them, or a number below 0.
        """
        low = _bound(floors, -np.inf, "floor", names, unit)
        high = _bound(caps, np.inf, "cap", names, unit)
        fixed = _bound(posted, np.nan, "posted price", names, unit)
        for name, floor, cap, price in zip(names, low.tolist(), high.tolist(), fixed.tolist(), strict=True):
            if floor > cap:
                raise ScenarioError(f"{name}: floor {floor:g} is above cap {cap:g}; lower the floor or raise the cap", value=floor)
            if price < floor or price > cap:
                raise ScenarioError(f"{name}: posted price {price:g} is outside of {floor:g} to {cap:g}; post one inside", value=price)
        free = bool((low == -np.inf).all() and (high == np.inf).all() and np.isnan(fixed).all())
        is_posted = ~np.isnan(fixed)
        return cls(low, high, fixed, frozen(np.where(is_posted, fixed, low)), frozen(np.where(is_posted, fixed, high)), free)

    def clip(self, prices: FloatArray) -> FloatArray:
        """Return the nearest prices that the bounds allow."""
        return prices if self.free else np.minimum(np.maximum(prices, self.low), self.high)

    def hold(self, prices: FloatArray, held: np.ndarray[Any, np.dtype[np.bool_]]) -> Bounds:
        """Return the bounds with the prices of some products held where they are."""
        low, high = np.where(held, prices, self.low), np.where(held, prices, self.high)
        return self._replace(low=low, high=high, free=False)

    def named(self, names: Sequence[str], *, factor: float = 1.0) -> dict[str, dict[str, float]]:
        """Return the bounds that are there, by name, as arguments of a market."""
        made: dict[str, dict[str, float]] = {}
        for key, values in (("floors", self.floors), ("caps", self.caps), ("posted", self.posted)):
            made[key] = {name: value * factor for name, value in zip(names, values.tolist(), strict=True) if np.isfinite(value)}
        return made


def amounts(values: object, *, what: str, names: Sequence[str], unit: Unit) -> FloatArray:
    """Return one amount of 0 or more for each name.

    Raises:
        ScenarioError: one is missing, superfluous, not finite or below 0.
        UnitError: they are in another unit.
    """
    numbers = price_array(values, unit=unit, names=names, what=what)
    if (numbers < 0).any():
        bad = float(numbers.min())
        raise ScenarioError(f"{what} {bad:g} is below 0; pass 0 or more", value=bad)
    return numbers


def _bound(values: object, missing: float, what: str, names: Sequence[str], unit: Unit) -> FloatArray:
    if values is None:
        return frozen(np.full(len(names), missing))
    if isinstance(values, Mapping):
        named = {name: value for name, value in cast("Mapping[str, object]", values).items() if value is not None}
        for name in named:
            if name not in names:
                raise ScenarioError(f"{what} for {name!r}, which is not in the market; it has {', '.join(names)}", value=name)
        known = [name for name in names if name in named]
        array = np.full(len(names), missing)
        array[[name in named for name in names]] = amounts(named, what=what, names=known, unit=unit)
        return frozen(array)
    if isinstance(values, Prices) or not np.isscalar(values):
        return frozen(amounts(values, what=what, names=names, unit=unit))
    return frozen(amounts([price_number(values, what=what)] * len(names), what=what, names=names, unit=unit))


def ids(values: Sequence[Hashable] | None, *, what: str, products: int) -> tuple[Hashable, ...] | None:
    """Return one id for each product, or None.

    Raises:
        ScenarioError: too many or too few.
    """
    if values is None:
        return None
    listed = tuple(values.tolist() if isinstance(values, np.ndarray) else values)
    if len(listed) != products:
        raise ScenarioError(f"{what} has {len(listed)} entries for {products} products; pass one each", value=len(listed))
    return listed


def names_of(values: Sequence[str] | None, *, products: int) -> tuple[str, ...]:
    """Return the names of the products, numbers where none are passed.

    Raises:
        ScenarioError: there is no product, a name stands twice, or there are too many or too few.
    """
    if products == 0:
        raise ScenarioError("the market is empty; pass one product or more", value=0)
    if values is None:
        return tuple(str(number) for number in range(products))
    names = tuple(str(name) for name in values)
    if len(names) != products or len(set(names)) != products:
        raise ScenarioError(
            f"{len(names)} names, {len(set(names))} of them different, for {products} products; name each once", value=names
        )
    return names


def rho_of(rho: object, *, nested: bool) -> float:
    """Return rho in [0, 1).

    Raises:
        ScenarioError: it is outside, or it is there without nests, or nests without it.
    """
    if rho is None:
        if nested:
            raise ScenarioError("nesting_ids without rho; pass rho in [0, 1)", value=None)
        return 0.0
    number = price_number(rho, what="rho")
    if not 0 <= number < 1:
        raise ScenarioError(f"rho {rho!r} is not in [0, 1); texts with lambda mean 1 - rho", value=rho)
    if number > 0 and not nested:
        raise ScenarioError(f"rho {rho!r} without nesting_ids; pass the nest of each product", value=rho)
    return number

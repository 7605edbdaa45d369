"""Price processes: how the price of one provider moves at random around the timeline that is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.amount import quantity_of
from tokencost.scenarios.prices import price_number
from tokencost.scenarios.unit import USD_PER_MTOK, Unit

if TYPE_CHECKING:
    from tokencost.scenarios.prices import FloatArray

__all__ = ["PriceProcess", "chance_of", "timeline_of"]

_MOST_EVENTS: Final = 100.0
RESERVED: Final = ("cheapest", "cost", "cumulative_cost", "budget", "monthly_budget")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceProcess:
    """How the workload-effective price of one provider moves by the month, in float64.

    ln p = ln(timeline) + drift t + volatility times a normal walk + N ln(1 - cut_size) + M ln(1 + rise_size), with N and M Poisson: a price
    moves on the scale of logarithms, so it is never negative, and a free price stays free. `drift` is that of the median. All rates are by
    the month. `name` keys the random numbers: the same name and seed give the same path in every scenario.

    Arguments:
        name: who it is; not one of the words for results, such as "cheapest".
        price: the price at month 0; or a timeline, at months 0, 1, 2, ...: its last price goes on.
        cached_price: the same where every prompt is read from the cache; `price` is then that without one, and the demand has a hit rate.
        unit: what the price is counted in.
        drift, volatility: mean and standard deviation of the change of ln p.
        cuts_per_month, cut_size: intensity of cuts, and their size in (0, 1); or two bounds, for one uniform size a month.
        rises_per_month, rise_size: the same for rises; 0.5 is half as much again.
        common: how far the walk is that of all providers together, from -1 to 1: the correlation of two walks is the product of theirs.
        joins_war, joins_shortage: how likely the provider cuts (once) in a month of war, and raises in a month of shortage.
        contagion: how many more cuts are expected in the month after any cut of any provider here, as in a Hawkes process with a memory of
            one month. It ties the path to who else is listed.
        floor: what the price does not fall below; cuts beyond it do not happen.
        launch_after: mean number of months to its launch, exponential; None where it is on sale. Its price moves before, unseen.

    >>> deepseek = PriceProcess(name="deepseek", price=2, cuts_per_month=0.15, cut_size=0.4)
    >>> round(deepseek.expected_price(36), 6)
    0.23065

    Raises:
        ScenarioError: a negative price, volatility or intensity, a size of cut outside (0, 1), an empty timeline, cuts without a size.
        UnitError: a price that is money in another currency.
    """

    name: str
    price: Any
    cached_price: Any = None
    unit: Any = USD_PER_MTOK
    drift: float = 0.0
    volatility: float = 0.0
    cuts_per_month: float = 0.0
    cut_size: Any = None
    rises_per_month: float = 0.0
    rise_size: Any = None
    common: float = 0.0
    joins_war: float = 0.0
    joins_shortage: float = 0.0
    contagion: float = 0.0
    floor: float = 0.0
    launch_after: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ScenarioError(f"name {self.name!r} is none; its random numbers are keyed by it, pass text", value=self.name)
        if self.name in RESERVED:
            raise ScenarioError(f"name {self.name!r} means a result; call the provider otherwise", value=self.name)
        self._keep("unit", Unit.of(self.unit))
        self._keep("price", timeline_of(self.price, what=self._what("price"), unit=self.unit))
        if self.cached_price is not None:
            self._keep("cached_price", timeline_of(self.cached_price, what=self._what("cached_price"), unit=self.unit))
        self._keep("drift", price_number(self.drift, what=self._what("drift")))
        for field in ("volatility", "cuts_per_month", "rises_per_month", "contagion"):
            self._keep(field, self._at_least_0(field))
        self._keep("floor", float(quantity_of(self.floor, what=self._what("floor"), unit=self.unit)))
        for field in ("joins_war", "joins_shortage"):
            self._keep(field, chance_of(getattr(self, field), what=self._what(field)))
        self._check_sizes()
        least = min(self.price + (self.cached_price or ()))
        if self.floor > least:
            raise ScenarioError(f"{self._what('floor')} {self.floor:g} is above its known price {least:g}; lower it", value=self.floor)
        if not -1 <= price_number(self.common, what=self._what("common")) <= 1:
            raise ScenarioError(f"{self._what('common')} {self.common!r} is no correlation; pass a number from -1 to 1", value=self.common)
        if self.launch_after is not None and price_number(self.launch_after, what=self._what("launch_after")) <= 0:
            raise ScenarioError(
                f"{self._what('launch_after')} {self.launch_after!r} is no wait; pass months above 0, or None where it is on sale",
                value=self.launch_after,
            )

    def _keep(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    def _what(self, field: str) -> str:
        return f"{field} of {self.name}"

    def _at_least_0(self, field: str) -> float:
        value = getattr(self, field)
        number = price_number(value, what=self._what(field))
        if number < 0:
            raise ScenarioError(f"{self._what(field)} {value!r} is negative; pass 0 or more", value=value)
        if field != "volatility" and number > _MOST_EVENTS:
            raise ScenarioError(f"{self._what(field)} {value!r} is more than {_MOST_EVENTS:g}; pass the number in one month", value=value)
        return number

    def _check_sizes(self) -> None:
        for field, most, uses in (
            ("cut_size", 1.0, ("cuts_per_month", "joins_war", "contagion")),
            ("rise_size", np.inf, ("rises_per_month", "joins_shortage")),
        ):
            value = getattr(self, field)
            if value is None:
                used = next((use for use in uses if getattr(self, use)), None)
                if used is not None:
                    raise ScenarioError(f"{self._what(used)} needs a {field}; pass one, like 0.4", value=None)
                continue
            both = [
                price_number(size, what=self._what(field))
                for size in cast("Iterable[Any]", value if isinstance(value, (tuple, list)) else (value, value))
            ]
            if len(both) != 2 or not 0 < both[0] <= both[1] < most:  # noqa: PLR2004 - two bounds
                cure = "a size in (0, 1), 0.4 is 40 % off" if most == 1 else "a size above 0, 0.5 is half as much again"
                raise ScenarioError(f"{self._what(field)} {value!r} cannot be; pass {cure}, or two such bounds in order", value=value)
            self._keep(field, both[0] if both[0] == both[1] else (both[0], both[1]))

    def timeline(self, months: int) -> FloatArray:
        """Return the price at months 0 to `months` without chance: the timeline and its drift, at a hit rate of 0, not below the floor."""
        return np.maximum(self.base(self.price, months), self.floor)

    def base(self, prices: tuple[float, ...], months: int) -> FloatArray:
        """Return prices that are known at months 0 to `months`, their last going on, with the drift and before the floor."""
        known = np.array([prices[min(month, len(prices) - 1)] for month in range(months + 1)])
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # a simulation refuses what comes of it
            return known * np.exp(self.drift * np.arange(months + 1))

    def expected_price(self, month: int) -> float:
        """Return the exact mean of the price at a month: E p = timeline exp((drift + volatility^2/2) t - cuts d t + rises r t).

        Raises:
            ScenarioError: a floor, contagion, wars, shortages, a launch or a cache make it depend on more.
        """
        if self.floor or self.contagion or self.joins_war or self.joins_shortage or self.launch_after is not None or self.cached_price:
            raise ScenarioError(f"the mean price of {self.name} has no short formula; simulate it", value=self.name)
        if any(isinstance(size, tuple) for size in (self.cut_size, self.rise_size)):
            raise ScenarioError(f"the mean price of {self.name} has no short formula, a size is drawn; simulate it", value=self.name)
        rate = self.volatility**2 / 2 - self.cuts_per_month * (self.cut_size or 0.0) + self.rises_per_month * (self.rise_size or 0.0)
        return float(self.base(self.price, month)[month] * np.exp(rate * month))


def timeline_of(value: object, *, what: str, unit: Unit) -> tuple[float, ...]:
    """Return prices by month from one number, or from one for each month from 0 on.

    Raises:
        ScenarioError: there is none, or one is negative or no number.
    """
    one = isinstance(value, str) or hasattr(value, "currency") or not isinstance(value, Iterable)  # money is a tuple, and one amount
    numbers: list[Any] = [value] if one else list(cast("Iterable[Any]", value))
    if not numbers:
        raise ScenarioError(f"{what} is an empty timeline; pass a price, or one for each month from 0 on", value=value)
    return tuple(float(quantity_of(_plain(number), what=what, unit=unit)) for number in numbers)


def _plain(number: object) -> object:
    return cast("Any", number).item() if isinstance(number, np.generic) else number


def chance_of(value: object, *, what: str) -> float:
    """Return a probability.

    Raises:
        ScenarioError: it is no number from 0 to 1.
    """
    number = price_number(value, what=what)
    if not 0 <= number <= 1:
        raise ScenarioError(f"{what} {value!r} is no probability; pass a number from 0 to 1", value=value)
    return number

"""Growth and hit rates that are not known: how demand moves, and which share of its prompts a cache serves."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.amount import quantity_of
from tokencost.scenarios.draws import stream
from tokencost.scenarios.prices import price_number
from tokencost.scenarios.unit import USD_PER_MTOK, Unit

if TYPE_CHECKING:
    from numpy.random import Generator

    from tokencost.scenarios.prices import FloatArray

__all__ = ["Growth", "HitRate", "UncertainDemand"]


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of demand in a month, drawn anew for every month: 0.05 is five per cent.

    `uniform` draws g between two bounds; `lognormal` draws ln(1 + g) with a mean and a standard deviation; `fixed` draws nothing.

    >>> Growth.uniform(0.02, 0.12).mean_factor.__round__(9)
    1.07

    Raises:
        ScenarioError: growth of -1 or less, bounds out of order, a negative standard deviation.
    """

    kind: Literal["fixed", "uniform", "lognormal"]
    low: float
    high: float

    @classmethod
    def fixed(cls, rate: float) -> Growth:
        """Return growth that is known."""
        return cls("fixed", _rate(rate), _rate(rate))

    @classmethod
    def uniform(cls, low: float, high: float) -> Growth:
        """Return growth between two bounds, each month anew."""
        if _rate(low) > _rate(high):
            raise ScenarioError(f"growth from {low!r} to {high!r} is out of order; pass the smaller bound first", value=(low, high))
        return cls("uniform", float(low), float(high))

    @classmethod
    def lognormal(cls, mean: float, sigma: float) -> Growth:
        """Return growth with ln(1 + g) normal: `mean` and `sigma` are those of the logarithm."""
        if price_number(sigma, what="sigma of growth") < 0:
            raise ScenarioError(f"sigma of growth {sigma!r} is negative; pass 0 or more", value=sigma)
        return cls("lognormal", price_number(mean, what="mean of growth"), float(sigma))

    @property
    def mean_factor(self) -> float:
        """The mean of 1 + g."""
        if self.kind == "lognormal":
            return float(np.exp(self.low + self.high**2 / 2))
        return 1 + (self.low + self.high) / 2

    def factors(self, generator: Generator, count: int) -> FloatArray:
        """Draw 1 + g: one number of the stream each, whatever the bounds."""
        if self.kind == "lognormal":
            return np.exp(self.low + self.high * generator.standard_normal(count))
        return 1 + (self.low + (self.high - self.low) * generator.random(count))


@dataclass(frozen=True, slots=True)
class HitRate:
    """The share of prompts that a cache serves, not known for sure: a Beta law, drawn once for a path.

    >>> HitRate(0.7, 0.05).parameters
    (58.1, 24.9)

    Raises:
        ScenarioError: a mean outside [0, 1], or a standard deviation that no Beta law with this mean has.
    """

    mean: float
    sd: float = 0.0

    def __post_init__(self) -> None:
        mean, sd = price_number(self.mean, what="mean of the hit rate"), price_number(self.sd, what="sd of the hit rate")
        if not 0 <= mean <= 1:
            raise ScenarioError(f"mean of the hit rate {self.mean!r} is no share; pass a number from 0 to 1", value=self.mean)
        most = sqrt(mean * (1 - mean))
        if sd < 0 or (sd and sd >= most):
            raise ScenarioError(
                f"sd of the hit rate {self.sd!r} does not go with a mean of {mean:g}; pass 0, or less than {most:.3g}", value=self.sd
            )

    @classmethod
    def beta(cls, a: float, b: float) -> HitRate:
        """Return the Beta law with these parameters.

        Raises:
            ScenarioError: one is not above 0.
        """
        if price_number(a, what="a") <= 0 or price_number(b, what="b") <= 0:
            raise ScenarioError(f"a Beta law with parameters {a!r} and {b!r} cannot be; pass two above 0", value=(a, b))
        return cls(a / (a + b), sqrt(a * b / (a + b + 1)) / (a + b))

    @property
    def parameters(self) -> tuple[float, float] | None:
        """The two parameters of the Beta law, None where nothing is drawn."""
        if not self.sd:
            return None
        both = self.mean * (1 - self.mean) / self.sd**2 - 1
        return round(self.mean * both, 9), round((1 - self.mean) * both, 9)

    def draw(self, seed: int, count: int) -> FloatArray | float:
        """Draw hit rates; two laws under one seed are ordered alike, path by path."""
        parameters = self.parameters
        if parameters is None:
            return self.mean
        rates = np.sort(stream(seed, "hit rate").beta(*parameters, count))
        drawn = np.empty(count)
        drawn[np.argsort(stream(seed, "hit rate order").random(count), kind="stable")] = rates
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainDemand:
    """How much is bought, of whom, and what of that is not known.

    The cost of month t is the price of month t times `volume` (1 + g_1) ... (1 + g_t). `volume` counts tokens as the unit of the prices
    does, in millions for USD/Mtok, at month 0. `buys` is a provider, or "cheapest": all of it from whoever is cheapest in that month, at no
    cost of switching, which is a bound and no plan.

    >>> UncertainDemand(volume=120, growth=Growth.uniform(0, 0.1)).unit
    Unit(currency='USD', per=1000000)

    Raises:
        ScenarioError: a volume that is not above 0, or growth and hit rates that are none.
    """

    volume: Any
    growth: Any = 0.0
    hit_rate: Any = None
    buys: str = "cheapest"
    unit: Any = USD_PER_MTOK

    def __post_init__(self) -> None:
        volume = float(quantity_of(self.volume, what="volume"))
        if not volume:
            raise ScenarioError(
                f"volume {self.volume!r} buys nothing; pass how many units of tokens are bought in a month", value=self.volume
            )
        growth = self.growth if isinstance(self.growth, Growth) else Growth.fixed(self.growth)
        rate = self.hit_rate if self.hit_rate is None or isinstance(self.hit_rate, HitRate) else HitRate(self.hit_rate)
        for field, value in (("volume", volume), ("growth", growth), ("hit_rate", rate), ("unit", Unit.of(self.unit))):
            object.__setattr__(self, field, value)


def _rate(value: object) -> float:
    rate = price_number(value, what="growth")
    if rate <= -1:
        raise ScenarioError(f"growth {value!r} leaves nothing after a month; pass a rate above -1, five per cent is 0.05", value=value)
    return rate

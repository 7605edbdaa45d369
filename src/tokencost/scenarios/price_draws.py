"""Price draws: all paths of all providers, carried from month to month; memory does not grow with the months.

Numbers are drawn by provider, kind of move and month, path after path, in this order. Each provider has its own streams, so neither the
number of paths worked on at a time, nor the order of providers, nor the number of threads is seen in a result.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.scenarios.draws import PoissonLaw, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator

    from numpy.typing import NDArray

    from tokencost.scenarios.growth import UncertainDemand
    from tokencost.scenarios.monte_carlo import MonteCarlo
    from tokencost.scenarios.price_process import PriceProcess
    from tokencost.scenarios.prices import FloatArray

__all__ = ["CHUNK", "PriceDraws", "chunks_of"]

CHUNK: Final = 1 << 15
"""Paths worked on at a time: what is needed for them stays near the processor."""
_BYTE: Final = 255
_MOST: Final = 1e150
"""Squares of larger numbers are beyond float64, and so are variances."""


def chunks_of(paths: int, chunk: int) -> Iterator[slice]:
    """Yield the paths in stretches."""
    for start in range(0, paths, chunk):
        yield slice(start, min(start + chunk, paths))


class _Shared(NamedTuple):
    """What is drawn once for all providers in a month; None where nobody needs it."""

    walk: FloatArray | None
    war: Any
    shortage: Any
    cuts_before: Any


class _Jumps:
    """Cuts or rises of one provider: how many come, and what they multiply a price by."""

    def __init__(self, process: PriceProcess, seed: int, kind: str) -> None:
        cuts = kind == "cut"
        self.intensity = process.cuts_per_month if cuts else process.rises_per_month
        self.joins = process.joins_war if cuts else process.joins_shortage
        self.contagion = process.contagion if cuts else 0.0
        size: Any = process.cut_size if cuts else process.rise_size
        self.sign = -1.0 if cuts else 1.0
        self.bounds: tuple[float, float] | None = None
        self.factor = 1.0
        if isinstance(size, float):
            self.factor += self.sign * size
        else:
            self.bounds = size
        self.active = bool(self.intensity or self.joins or self.contagion)
        self.counting = stream(seed, kind, process.name)
        self.joining = stream(seed, f"joint {kind}", process.name)
        self.sizing = stream(seed, f"size of {kind}", process.name)
        self.laws: dict[int, PoissonLaw] = {}
        self.known_powers: FloatArray = np.ones(1)

    def law(self, before: int) -> PoissonLaw:
        """Return the law of the number of events, after so many cuts of anyone in the month before."""
        if before not in self.laws:
            self.laws[before] = PoissonLaw(self.intensity + self.contagion * before)
        return self.laws[before]

    def powers(self, most: int) -> FloatArray:
        """Return the factor to the powers 0 to `most`, or more."""
        if len(self.known_powers) <= most:
            self.known_powers = np.float64(self.factor) ** np.arange(most + 1, dtype=np.float64)
        return self.known_powers

    def apply(self, level: FloatArray, joint: Any, before: Any, own: Any) -> None:
        """Multiply the levels of a stretch of paths by the events of a month, and add these to `own` where they are counted."""
        count = len(level)
        sizes = None
        if self.bounds is not None:
            low, high = self.bounds
            sizes = 1 + self.sign * (low + (high - low) * self.sizing.random(count))
        if self.intensity or self.contagion:
            uniform = self.counting.random(count)
            for known in (0,) if before is None else np.unique(before).tolist():
                law = self.law(known)
                here = None if before is None else np.flatnonzero(before == known)
                where, counts = law.events(uniform if here is None else uniform[here])
                where = where if here is None else here[where]
                level[where] *= self.powers(law.most)[counts] if sizes is None else sizes[where] ** counts
                if own is not None:
                    own[where] += counts.astype(own.dtype)
        if joint is not None and self.joins:
            where = np.flatnonzero(joint & (self.joining.random(count) < self.joins))
            level[where] *= self.factor if sizes is None else sizes[where]
            if own is not None:
                own[where] += 1


class _ProviderDraws:
    """The paths of one provider: its levels, a factor on what is known of its price."""

    def __init__(self, process: PriceProcess, spec: MonteCarlo, hits: FloatArray | float | None) -> None:
        self.process = process
        self.level = np.ones(spec.paths)
        self.price = np.empty(spec.paths)
        self.base = process.base(process.price, spec.months)
        self.cached = None if process.cached_price is None else process.base(process.cached_price, spec.months)
        self.hits = hits
        self.walking = stream(spec.seed, "walk", process.name)
        self.cuts = _Jumps(process, spec.seed, "cut")
        self.rises = _Jumps(process, spec.seed, "rise")
        self.launch: FloatArray | None = None
        if process.launch_after is not None:
            uniform = stream(spec.seed, "launch", process.name).random(spec.paths)
            self.launch = -process.launch_after * np.log1p(-uniform)

    def step(self, month: int, shared: _Shared, own: Any, chunk: int) -> None:
        """Carry the paths on by a month, and put their prices in place; one that is not launched has the price infinity."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # what comes of it is refused below
            for part in chunks_of(len(self.level), chunk):
                level = self.level[part]
                if self.process.volatility:
                    self._walk(level, None if shared.walk is None else shared.walk[part])
                counted = None if own is None else own[part]
                before = None if shared.cuts_before is None or not self.process.contagion else shared.cuts_before[part]
                if self.cuts.active:
                    self.cuts.apply(level, None if shared.war is None else shared.war[part], before, counted)
                if self.rises.active:
                    self.rises.apply(level, None if shared.shortage is None else shared.shortage[part], None, None)
                self._put(month, part, level)

    def _walk(self, level: FloatArray, common: FloatArray | None) -> None:
        sigma, weight = self.process.volatility, self.process.common
        moves = self.walking.standard_normal(len(level))
        if weight and common is not None:
            moves *= sqrt(1 - weight**2)
            moves += weight * common
        moves *= sigma
        level *= np.exp(moves, out=moves)

    def _put(self, month: int, part: slice, level: FloatArray) -> None:
        price, floor = self.price[part], self.process.floor
        known: Any = self.base[month]
        if self.cached is not None:
            hits = self.hits[part] if isinstance(self.hits, np.ndarray) else self.hits
            known = known + hits * (self.cached[month] - known)
        np.multiply(level, known, out=price)
        if floor:
            low = np.flatnonzero(price < floor)
            level[low] = floor / (known[low] if isinstance(known, np.ndarray) else known)
            price[low] = floor
        self._check(month, price)
        if self.launch is not None:
            price[self.launch[part] > month] = np.inf

    def _check(self, month: int, price: FloatArray) -> None:
        """Refuse prices that float64 does not hold: infinity means not on sale here, and 0 means free."""
        known = self.process.price + (self.process.cached_price or ())
        if not price.max() < _MOST or (0 not in known and not price.min() > 0):
            name = self.process.name
            raise ScenarioError(
                f"the price of {name} leaves what float64 holds in month {month}; lower its drift, volatility or moves, or set a floor",
                value=name,
            )


class PriceDraws:
    """The state of a simulation at the end of a month: prices by provider, the least of them, and what the demand costs."""

    def __init__(self, spec: MonteCarlo, *, names: Collection[str] | None = None, chunk: int = CHUNK, threads: int = 1) -> None:
        """Begin at month 0; where names are given, draw the prices of these alone, and buy nothing."""
        self.spec, self.chunk, self.threads = spec, chunk, threads
        self.processes = [process for process in spec.processes if names is None or process.name in names]
        self.demand = spec.demand if names is None else None
        self.month = 0
        demand = spec.demand
        hits = None if demand is None or demand.hit_rate is None else demand.hit_rate.draw(spec.seed, spec.paths)
        self.providers = {process.name: _ProviderDraws(process, spec, hits) for process in self.processes}
        self.commons = {kind: stream(spec.seed, f"common {kind}") for kind in ("walk", "war", "shortage")}
        self.growing = stream(spec.seed, "growth")
        self.volume: Any = None if demand is None else demand.volume
        self.cost = self.cumulative = np.zeros(0 if self.demand is None else spec.paths)
        spreads = any(process.contagion for process in self.processes)
        self.cuts: Any = np.zeros((len(self.processes), spec.paths), dtype=np.int16) if spreads else None
        self.pool: ThreadPoolExecutor | None = None

    @contextmanager
    def open(self) -> Generator[PriceDraws]:
        """Keep threads while months are drawn."""
        if self.threads == 1:
            yield self
            return
        with ThreadPoolExecutor(self.threads) as pool:
            self.pool = pool
            try:
                yield self
            finally:
                self.pool = None

    def each(self, work: Callable[[Any], object], items: Any) -> list[Any]:
        """Do the same for each item, on all threads."""
        return [work(item) for item in items] if self.pool is None else list(self.pool.map(work, items))

    def advance(self, seen: Callable[[str, FloatArray], object] | None = None) -> None:
        """Carry all paths on by a month; `seen` is told each provider's prices while they are near."""
        self.month += 1
        self.__dict__.pop("cheapest", None)
        shared = self._shared()
        cuts = self.cuts
        if cuts is not None:
            cuts[:] = 0

        def carry(item: tuple[int, tuple[str, _ProviderDraws]]) -> None:
            place, (name, own) = item
            own.step(self.month, shared, None if cuts is None else cuts[place], self.chunk)
            if seen is not None:
                seen(name, own.price)

        self.each(carry, list(enumerate(self.providers.items())))
        if self.demand is not None:
            self._buy(self.demand)

    def _shared(self) -> _Shared:
        """Draw what all providers share; `before` are read before the counts of this month are begun."""
        spec, processes = self.spec, self.processes
        walk = self.commons["walk"].standard_normal(spec.paths) if any(p.common and p.volatility for p in processes) else None
        war = self._together("war", spec.war_chance) if any(p.joins_war for p in processes) else None
        shortage = self._together("shortage", spec.shortage_chance) if any(p.joins_shortage for p in processes) else None
        before = None if self.cuts is None else self.cuts.sum(axis=0, dtype=np.int64)
        return _Shared(walk, war, shortage, before)

    def _together(self, kind: str, chance: float) -> Any:
        return self.commons[kind].random(self.spec.paths) < chance

    @cached_property
    def cheapest(self) -> FloatArray:
        """The least price of each path, infinity where nobody is on sale."""
        least = np.full(self.spec.paths, np.inf)
        for own in self.providers.values():
            np.minimum(least, own.price, out=least)
        return least

    def winners(self) -> tuple[FloatArray, FloatArray]:
        """Return, for each provider, the mean of how it wins a path, and of the square: 1 where it is the cheapest, 1/k with k who tie.

        Paths are counted by how many tie, in whole numbers, so that no order of adding is seen.
        """
        prices = [own.price for own in self.providers.values()]
        least = self.cheapest

        def counted(part: slice) -> dict[int, NDArray[np.int64]]:
            here = np.where(np.isfinite(least[part]), least[part], np.nan)
            equal = np.array([price[part] == here for price in prices])
            ties = equal.sum(axis=0, dtype=np.uint8 if len(prices) <= _BYTE else np.int64)
            sizes = np.unique(ties[ties > 1]).tolist()
            found = {size: np.count_nonzero(equal & (ties == size), axis=1) for size in sizes}
            return {1: np.array([np.count_nonzero(row) for row in equal]) - sum(found.values()), **found}

        total: dict[int, NDArray[np.int64]] = {}
        for part in self.each(counted, list(chunks_of(self.spec.paths, self.chunk))):
            for size, wins in part.items():
                total[size] = total.get(size, 0) + wins
        shares, squares = np.zeros(len(prices)), np.zeros(len(prices))
        for size, wins in sorted(total.items()):
            shares += wins / self.spec.paths / size
            squares += wins / self.spec.paths / size**2
        return shares, squares

    def _buy(self, demand: UncertainDemand) -> None:
        growth = demand.growth
        with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below
            if growth.kind == "fixed":
                self.volume = demand.volume * np.float64(1 + growth.low) ** self.month
            else:
                self.volume = self.volume * growth.factors(self.growing, self.spec.paths)
            self.cost = self.of(demand.buys) * self.volume
            self.cumulative = self.cumulative + self.cost
        if not self.cumulative.max() < _MOST:
            raise ScenarioError(f"the cost leaves what float64 holds in month {self.month}; lower the growth", value=growth)

    def of(self, what: str) -> FloatArray:
        """Return what is known of each path at the end of the month: a provider's price, "cheapest", "cost" or "cumulative_cost"."""
        if what == "cheapest":
            return self.cheapest
        if what in ("cost", "cumulative_cost"):
            return self.cost if what == "cost" else self.cumulative
        return self.providers[what].price

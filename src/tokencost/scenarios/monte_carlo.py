"""Monte Carlo: many paths of the prices of providers, and what a demand costs on each; seeded, streamed, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.amount import months_of, quantity_of
from tokencost.scenarios.draws import count_of, seed_of
from tokencost.scenarios.fan import QUANTILES, FanDrawing, months_array, quantile_levels
from tokencost.scenarios.price_draws import CHUNK, PriceDraws
from tokencost.scenarios.price_process import PriceProcess, chance_of
from tokencost.scenarios.prices import frozen
from tokencost.scenarios.simulated import SimulatedPrices, WinnerShares

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tokencost.scenarios.fan import Chances, Fan
    from tokencost.scenarios.growth import UncertainDemand
    from tokencost.scenarios.paired import PairedDifference
    from tokencost.scenarios.prices import FloatArray
    from tokencost.scenarios.unit import Unit

__all__ = ["MonteCarlo"]

_STATISTICS: Final = ("providers", "cheapest", "winners", "cost")
_BUDGETS: Final = {"budget": "cumulative_cost", "monthly_budget": "cost"}


@dataclass(frozen=True, slots=True, init=False)
class MonteCarlo:
    """Prices of providers over months, on many paths under one seed.

    Every provider's numbers are a stream of their own, keyed by its name. Adding a provider, listing them in another order or asking for
    other statistics leaves its path as it is, bit for bit; only `contagion` ties paths together, as it should. Month 0 is known; results
    are of months 1 to `months`, prices at the end of each. Memory is 16 bytes for each path and provider, and does not grow with months.

    Arguments:
        processes: one for each provider, all in one unit.
        months, paths, seed: how far, how many, and which numbers.
        war_chance, shortage_chance: how likely a month is one of war, or of shortage, for all providers at once: those that join cut, or
            raise, together. Independent providers make wars look rarer than they are.
        demand: what is bought, for costs and budgets.

    >>> processes = [PriceProcess(name="A", price=2, cuts_per_month=0.15, cut_size=0.4), PriceProcess(name="B", price=1, volatility=0.1)]
    >>> found = MonteCarlo(processes, months=12, paths=4000, seed=7).run()
    >>> print(found.winners.share("A", 12))
    0.589 ± 0.008

    Raises:
        ScenarioError: no provider, one that is there twice, months, paths or a seed that cannot be, contagion without end, a demand that
            buys of someone who is not there or not on sale yet, a hit rate without cached prices or the other way round.
        UnitError: prices, or the demand, in different units.
    """

    processes: tuple[PriceProcess, ...]
    months: int = 12
    paths: int = 10_000
    seed: int = 0
    war_chance: float = 0.0
    shortage_chance: float = 0.0
    demand: UncertainDemand | None = None

    def __init__(
        self,
        processes: Iterable[PriceProcess],
        *,
        months: int = 12,
        paths: int = 10_000,
        seed: int = 0,
        war_chance: float = 0.0,
        shortage_chance: float = 0.0,
        demand: UncertainDemand | None = None,
    ) -> None:
        fields: dict[str, Any] = {
            "processes": _processes_of(processes),
            "months": months_of(months, what="months"),
            "paths": count_of(paths, what="paths"),
            "seed": seed_of(seed),
            "war_chance": chance_of(war_chance, what="war_chance"),
            "shortage_chance": chance_of(shortage_chance, what="shortage_chance"),
            "demand": demand,
        }
        for field, value in fields.items():
            object.__setattr__(self, field, value)
        self._check_demand()

    @property
    def names(self) -> tuple[str, ...]:
        """The providers, as they are listed."""
        return tuple(process.name for process in self.processes)

    @property
    def unit(self) -> Unit:
        """What all prices are counted in."""
        return self.processes[0].unit

    def _check_demand(self) -> None:
        demand, cached = self.demand, [process.name for process in self.processes if process.cached_price is not None]
        rate = None if demand is None else demand.hit_rate
        if cached and rate is None:
            raise ScenarioError(
                f"{cached[0]} has a cached_price and nobody a hit rate; pass demand=UncertainDemand(hit_rate=...)", value=None
            )
        if demand is None:
            return
        self.unit.match(demand.unit, what="the demand")
        if rate is not None and not cached:
            raise ScenarioError("a hit rate moves no price here; pass a cached_price of the providers that have a cache", value=rate)
        sellers = self.names if demand.buys == "cheapest" else (demand.buys,)
        if not set(sellers) <= set(self.names):
            raise UnknownNameError.of(demand.buys, self.names, what="provider", where=", ".join(self.names))
        if all(process.launch_after is not None for process in self.processes if process.name in sellers):
            raise ScenarioError(
                f"buys={demand.buys!r} is not on sale in all months, so a cost is missing; buy of one that is", value=demand.buys
            )

    # -- results -----------------------------------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        quantiles: Sequence[float] = QUANTILES,
        statistics: Collection[str] = _STATISTICS,
        levels: Mapping[str, object] | None = None,
        budget: object = None,
        monthly_budget: object = None,
        chunk: int = CHUNK,
        threads: int = 1,
    ) -> SimulatedPrices:
        """Draw all paths, and return fans, winners and chances.

        `statistics` are those wanted of "providers", "cheapest", "winners" and "cost". `levels` maps providers, or "cheapest", to a price
        to be above or below; `budget` is passed by the costs of months 1 to t together, `monthly_budget` by those of one month. Neither of
        these, nor `chunk` (paths worked on at a time) nor `threads`, moves a result.

        Raises:
            ScenarioError: a budget without a demand, a level that is no price, quantiles out of order, prices that float64 does not hold.
            UnknownNameError: a level or statistic of something that is not here.
        """
        drawings = self._drawings(quantile_levels(quantiles), statistics, self._levels(levels, budget, monthly_budget))
        wins = np.zeros((2, self.months, len(self.processes))) if "winners" in statistics else None
        draws = PriceDraws(self, chunk=count_of(chunk, what="chunk"), threads=count_of(threads, what="threads"))

        def seen(name: str, prices: FloatArray) -> None:
            if name in drawings:
                drawings[name].add(draws.month, prices)

        with draws.open():
            for month in range(1, self.months + 1):
                draws.advance(seen)
                if wins is not None:
                    wins[:, month - 1] = draws.winners()
                others = [what for what in ("cheapest", "cost", "cumulative_cost") if what in drawings]
                draws.each(lambda what: drawings[what].add(draws.month, draws.of(what)), others)
        return self._result(drawings, wins)

    def prices(self, name: str, *, chunk: int = CHUNK) -> FloatArray:
        """Return every path of a provider's price: a row for each month, a column for each path, NaN before its launch.

        Raises:
            UnknownNameError: it is not here.
        """
        if name not in self.names:
            raise UnknownNameError.of(name, self.names, what="provider", where=", ".join(self.names))
        tied = any(process.contagion for process in self.processes)
        draws = PriceDraws(self, names=self.names if tied else (name,), chunk=count_of(chunk, what="chunk"))
        paths = np.empty((self.months, self.paths))
        for row in paths:
            draws.advance()
            row[:] = draws.of(name)
        paths[np.isinf(paths)] = np.nan
        return frozen(paths)

    def difference(self, other: MonteCarlo, *, of: str = "cumulative_cost", chunk: int = CHUNK) -> PairedDifference:
        """Return this scenario less another, path by path: with one seed both meet the same luck, and only what differs is left.

        `of` is "cumulative_cost", "cost", "cheapest" or a provider of both.

        Raises:
            ScenarioError: the two have different months or paths, or no demand where costs are asked for.
            UnitError: they are in different units.
            UnknownNameError: one of them does not have it.
        """
        from tokencost.scenarios.paired import paired_difference

        return paired_difference(self, other, of=of, chunk=count_of(chunk, what="chunk"))

    # -- parts -------------------------------------------------------------------------------------------------------------------------

    def _levels(self, levels: Mapping[str, object] | None, budget: object, monthly_budget: object) -> dict[str, float]:
        made: dict[str, float] = {}
        for name, level in (levels or {}).items():
            if name not in (*self.names, "cheapest"):
                known = (*self.names, "cheapest")
                raise UnknownNameError.of(name, known, what="provider", where=", ".join(known))
            made[name] = float(quantity_of(level, what=f"level of {name}", unit=self.unit))
        for name, amount in (("budget", budget), ("monthly_budget", monthly_budget)):
            if amount is None:
                continue
            if self.demand is None:
                raise ScenarioError(f"{name}={amount} without a demand; pass demand=UncertainDemand(volume=...)", value=amount)
            made[_BUDGETS[name]] = float(quantity_of(amount, what=name, unit=self.unit))
        return made

    def _drawings(self, quantiles: tuple[float, ...], statistics: Collection[str], levels: Mapping[str, float]) -> dict[str, FanDrawing]:
        for word in statistics:
            if word not in _STATISTICS:
                raise UnknownNameError.of(word, _STATISTICS, what="statistic", where=", ".join(_STATISTICS))
        wanted = [*(self.names if "providers" in statistics else ()), *(["cheapest"] if "cheapest" in statistics else ())]
        if "cost" in statistics and self.demand is not None:
            wanted += ["cost", "cumulative_cost"]
        return {name: FanDrawing(name, self.months, quantiles, levels.get(name)) for name in dict.fromkeys([*wanted, *levels])}

    def _result(self, drawings: Mapping[str, FanDrawing], wins: FloatArray | None) -> SimulatedPrices:
        units = {"cost": self.unit.currency, "cumulative_cost": self.unit.currency}
        fans: dict[str, Fan] = {
            name: drawing.fan(unit=units.get(name, str(self.unit)), paths=self.paths, seed=self.seed) for name, drawing in drawings.items()
        }
        named = {what: name for name, what in _BUDGETS.items()}
        chances: dict[str, Chances] = {
            named.get(name, name): drawing.chances(self.paths) for name, drawing in drawings.items() if drawing.level is not None
        }
        return SimulatedPrices(
            fans={name: fan for name, fan in fans.items() if name in self.names},
            cheapest=fans.get("cheapest"),
            winners=None if wins is None else self._winners(wins),
            cost=fans.get("cost"),
            cumulative_cost=fans.get("cumulative_cost"),
            chances=chances,
            unit=self.unit,
            months=self.months,
            paths=self.paths,
            seed=self.seed,
            numpy_version=np.__version__,
        )

    def _winners(self, wins: FloatArray) -> WinnerShares:
        shares, squares = wins
        errors = np.maximum(np.sqrt(np.maximum(squares - shares**2, 0) / self.paths), 1 / self.paths)
        return WinnerShares(self.names, months_array(self.months), frozen(shares.copy()), frozen(errors), self.paths, self.seed)

    def replace(self, **changes: Any) -> MonteCarlo:
        """Return the simulation with other arguments, checked again."""
        return replace(self, **changes)

    def with_process(self, process: PriceProcess) -> MonteCarlo:
        """Return the simulation with one more provider, or with this one in place of its namesake."""
        if process.name not in self.names:
            return replace(self, processes=(*self.processes, process))
        return replace(self, processes=tuple(process if own.name == process.name else own for own in self.processes))


def _processes_of(processes: object) -> tuple[PriceProcess, ...]:
    """Return the processes, checked against each other."""
    made: tuple[Any, ...] = tuple(cast("Iterable[Any]", processes)) if isinstance(processes, Iterable) else (processes,)
    if not made:
        raise ScenarioError("there is no provider to simulate; pass one PriceProcess or more", value=())
    for process in made:
        if not isinstance(process, PriceProcess):
            raise ScenarioError(f"{process!r} is no PriceProcess; pass one for each provider", value=process)
        made[0].unit.match(process.unit, what=f"the price of {process.name}")
    names = [process.name for process in made]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ScenarioError(f"provider {twice!r} is there twice; their random numbers would be the same, name them apart", value=twice)
    spread = sum(process.contagion for process in made)
    if spread >= 1:
        raise ScenarioError(
            f"contagion adds up to {spread:g}: every cut brings one more or more, without end; keep it below 1", value=spread
        )
    return made

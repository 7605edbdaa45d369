"""Simulated prices: fans, winners and chances of one run, with what is needed to draw it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.scenarios.fan import Estimate
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from tokencost.scenarios.fan import Chances, Fan
    from tokencost.scenarios.prices import FloatArray
    from tokencost.scenarios.unit import Unit

__all__ = ["SimulatedPrices", "WinnerShares"]


@dataclass(frozen=True, slots=True, eq=False)
class WinnerShares:
    """How often each provider is the cheapest at the end of each month: a row for a month, a column for a provider.

    Where several have the same least price, to the last bit, each is counted with an equal part. Shares of a month add up to 1, less the
    paths on which nobody is on sale.
    """

    providers: tuple[str, ...]
    months: np.ndarray[Any, np.dtype[np.int64]]
    shares: FloatArray
    errors: FloatArray
    paths: int
    seed: int

    def share(self, provider: str, month: int) -> Estimate:
        """Return how likely a provider is the cheapest at the end of a month.

        Raises:
            UnknownNameError: it was not simulated.
            ScenarioError: the month was not simulated.
        """
        if provider not in self.providers:
            raise UnknownNameError.of(provider, self.providers, what="provider", where=", ".join(self.providers))
        if isinstance(month, bool) or not 1 <= month <= len(self.months):
            raise ScenarioError(f"month {month!r} was not simulated; it goes from 1 to {len(self.months)}", value=month)
        column = self.providers.index(provider)
        return Estimate(float(self.shares[month - 1, column]), float(self.errors[month - 1, column]))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each month and provider, ready for a data frame."""
        return [
            {"month": int(month), "provider": name, "share": float(self.shares[row, column]), "error": float(self.errors[row, column])}
            for row, month in enumerate(self.months)
            for column, name in enumerate(self.providers)
        ]

    def table(self) -> Table:
        """Return the shares as a table for eyes."""
        rows = tuple((str(month), *(f"{share:.1%}" for share in row)) for month, row in zip(self.months.tolist(), self.shares, strict=True))
        columns = (Column("month", number=True), *(Column(name, number=True) for name in self.providers))
        worst = float(self.errors.max())
        return Table("how often each is the cheapest", columns, rows, (f"standard errors up to {worst:.2%}; ties are split",))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPrices:
    """What a Monte Carlo run found.

    `fans` are those of the providers by name. `cheapest`, `cost` and `cumulative_cost` are None where they were not asked for, or there is
    no demand. `chances` are kept by name of what the level is of; those of budgets are `chances["budget"]`, of the cumulative cost, and
    `chances["monthly_budget"]`. The same seed draws the same numbers with the same version of numpy, and with others as a rule.
    """

    fans: Mapping[str, Fan]
    cheapest: Fan | None
    winners: WinnerShares | None
    cost: Fan | None
    cumulative_cost: Fan | None
    chances: Mapping[str, Chances]
    unit: Unit
    months: int
    paths: int
    seed: int
    numpy_version: str

    def __getitem__(self, name: str) -> Fan:
        if name not in self.fans:
            raise UnknownNameError.of(name, self.fans, what="provider", where=", ".join(self.fans) or "a run without fans")
        return self.fans[name]

    @property
    def all_fans(self) -> tuple[Fan, ...]:
        """Every fan of the run."""
        others = (self.cheapest, self.cost, self.cumulative_cost)
        return (*self.fans.values(), *(fan for fan in others if fan is not None))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each fan and month, ready for a data frame."""
        return [record for fan in self.all_fans for record in fan.records()]

    def table(self) -> Table:
        """Return the last month as a table for eyes."""
        last = self.months - 1
        fans = self.all_fans
        levels = fans[0].levels if fans else ()
        columns = (
            Column("of"),
            Column("unit"),
            *(Column(f"{level:.4g}", number=True) for level in levels),
            Column("mean", number=True),
            Column("± s.e.", number=True),
            Column("cheapest", number=True),
        )
        rows = tuple(
            (
                fan.of,
                fan.unit,
                *(f"{number:.4g}" for number in fan.quantiles[last]),
                f"{fan.mean[last]:.4g}",
                f"{fan.mean_error[last]:.1g}",
                "" if self.winners is None or fan.of not in self.fans else f"{self.winners.share(fan.of, self.months).value:.1%}",
            )
            for fan in fans
        )
        told = (f"{what}: {chances.above[last]:.2%} above {chances.level:g}" for what, chances in self.chances.items())
        notes = (*told, f"{self.paths:,} paths, seed {self.seed}, numpy {self.numpy_version}; a band is not a path")
        return Table(f"after {self.months} months", columns, rows, notes)

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<SimulatedPrices of {len(self.fans)} providers over {self.months} months, {self.paths:,} paths, seed {self.seed}>"

    def _repr_html_(self) -> str:
        return self.table().html()

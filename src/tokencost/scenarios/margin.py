"""Margins: what a seller earns on what it sells, at its prices and at its costs; both margins that people quote, by name."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.exact import from_fraction
from tokencost.scenarios.amount import number_of, quantity_of, shown
from tokencost.scenarios.price_vectors import cost_at_prices, quantities_of
from tokencost.scenarios.unit import USD_PER_MTOK, Unit
from tokencost.table import Column, Table
from tokencost.tariffs.meter import ancestors

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Margin", "UnitMargin", "contribution_of", "sales_margin", "unit_margin"]

_FREE = "no gross margin: the revenue is 0, and nothing divides by it"
_FOR_NOTHING = "no cost-profit margin: the cost is 0, and nothing divides by it"


class Margin(NamedTuple):
    """Revenue against cost, exact, with the volume of each meter in the tokens of the unit.

    `gross_margin` is profit over revenue, `cost_profit_margin` profit over cost: 84.5 % of the one is 545 % of the other. Each is None
    where what it divides by is 0.
    """

    revenue: Fraction
    cost: Fraction
    volumes: Mapping[str, Fraction]
    unit: Unit = USD_PER_MTOK

    @property
    def profit(self) -> Fraction:
        """Revenue less cost."""
        return self.revenue - self.cost

    @property
    def gross_margin(self) -> Fraction | None:
        """Profit as a share of revenue; None where everything is free."""
        return self.profit / self.revenue if self.revenue else None

    @property
    def cost_profit_margin(self) -> Fraction | None:
        """Profit as a share of cost; None where it costs nothing."""
        return self.profit / self.cost if self.cost else None

    @property
    def volume(self) -> Fraction:
        """All tokens, cached ones included, as the unit counts them."""
        return sum(self.volumes.values(), Fraction(0))

    @property
    def cost_per_unit(self) -> Fraction:
        """The cost for each unit of all tokens."""
        return self.cost / self.volume

    @property
    def cost_per_output(self) -> Fraction | None:
        """The cost for each unit of completion tokens, if they carry all of it; None where there are none."""
        made = self._of("output")
        return self.cost / made if made else None

    @property
    def hit_rate(self) -> Fraction | None:
        """The share of prompts that was read from a cache; None where there are none."""
        prompts = self._of("input")
        return self._of("cache_read") / prompts if prompts else None

    def _of(self, root: str) -> Fraction:
        return sum((count for name, count in self.volumes.items() if root in ancestors(name)), Fraction(0))

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record, ready for a data frame; margins are shares, not per cent."""
        names = (
            "revenue",
            "cost",
            "profit",
            "gross_margin",
            "cost_profit_margin",
            "volume",
            "cost_per_unit",
            "cost_per_output",
            "hit_rate",
        )
        found: dict[str, Fraction | None] = {name: getattr(self, name) for name in names}
        made = {name: None if number is None else from_fraction(number) for name, number in found.items()}
        return [{**made, "unit": str(self.unit)}]

    def table(self) -> Table:
        """Return the margins as a table for eyes."""
        currency = self.unit.currency
        rows = (
            ("revenue", shown(self.revenue), currency),
            ("cost", shown(self.cost), currency),
            ("profit", shown(self.profit), currency),
            ("gross margin", _percent(self.gross_margin), "of revenue"),
            ("cost-profit margin", _percent(self.cost_profit_margin), "of cost"),
            ("cost of all tokens", shown(self.cost_per_unit), str(self.unit)),
            ("cost on output alone", shown(self.cost_per_output), str(self.unit)),
        )
        notes = [_FREE] * (not self.revenue) + [_FOR_NOTHING] * (not self.cost)
        return Table("", (Column("figure"), Column("value", number=True), Column("unit")), rows, tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


class UnitMargin(NamedTuple):
    """The price and the marginal cost of one unit of a mix of tokens, exact; `contribution` is what is left for everything else."""

    price: Fraction
    cost: Fraction
    unit: Unit = USD_PER_MTOK

    @property
    def contribution(self) -> Fraction:
        """The price less the marginal cost."""
        return self.price - self.cost

    @property
    def below_cost(self) -> bool:
        """Whether the price is below the marginal cost, the question that Areeda and Turner (1975) ask of a predator."""
        return self.price < self.cost

    @property
    def gross_margin(self) -> Fraction | None:
        """The contribution as a share of the price; None where the price is 0."""
        return self.contribution / self.price if self.price else None

    @property
    def cost_profit_margin(self) -> Fraction | None:
        """The contribution as a share of the cost; None where the cost is 0."""
        return self.contribution / self.cost if self.cost else None

    def __str__(self) -> str:
        below = ", below cost" if self.below_cost else ""
        return f"{shown(self.price)} less {shown(self.cost)} leaves {shown(self.contribution)} {self.unit}{below}"


def sales_margin(volumes: Mapping[str, object], prices: Mapping[str, object], cost: object, *, unit: Unit | str = USD_PER_MTOK) -> Margin:
    """Return the margins on what was sold in a day or a month: volumes and prices by meter, and one sum for what serving them cost.

    >>> volumes = {"cache_read": 342_000, "input": 266_000, "output": 168_000}
    >>> day = sales_margin(volumes, {"cache_read": 0.14, "input": 0.55, "output": 2.19}, cost="87072")
    >>> f"{day.revenue} {float(day.cost_profit_margin):.1%} {float(day.gross_margin):.1%}"
    '562100 545.6% 84.5%'

    Raises:
        ScenarioError: a volume, a price or the cost is negative, all volumes are 0, or a meter has no price.
        UnknownNameError: there is no such meter.
        UnitError: money in another currency.
    """
    counted = Unit.of(unit)
    sold = quantities_of(volumes, what="volume")
    return Margin(cost_at_prices(prices, sold, unit=counted), quantity_of(cost, what="cost", unit=counted), sold, counted)


def unit_margin(
    mix: Mapping[str, object], prices: Mapping[str, object], costs: Mapping[str, object], *, unit: Unit | str = USD_PER_MTOK
) -> UnitMargin:
    """Return price and marginal cost of one unit of a mix of tokens; only the ratio of the quantities in the mix matters.

    A margin on the price of one meter says nothing of a workload: hits, misses and completions are sold together.

    >>> mix = {"cache_read": 44, "input": 34, "output": 22}
    >>> prices, costs = {"cache_read": 0.14, "input": 0.55, "output": 2.19}, {"cache_read": 0.05, "input": 0.11, "output": 0.24}
    >>> print(unit_margin(mix, prices, costs))
    0.7304 less 0.1122 leaves 0.6182 USD/Mtok

    Raises:
        ScenarioError: a number is negative, all of the mix is 0, or a meter has no price or no cost.
        UnknownNameError: there is no such meter.
        UnitError: money in another currency.
    """
    counted = Unit.of(unit)
    parts = quantities_of(mix, what="part of the mix")
    whole = sum(parts.values(), Fraction(0))
    price, cost = (cost_at_prices(vector, parts, unit=counted) / whole for vector in (prices, costs))
    return UnitMargin(price, cost, counted)


def contribution_of(value: object, *, unit: Unit) -> Fraction:
    """Return a contribution per unit, given as a number, as money, or as a margin of the same unit.

    Raises:
        UnitError: it has another unit.
        ScenarioError: it is no number.
    """
    if isinstance(value, UnitMargin):
        unit.match(value.unit, what="contribution")
        return value.contribution
    return number_of(value, what="contribution", unit=unit)


def _percent(share: Fraction | None) -> str:
    return "—" if share is None else f"{float(share):.1%}"

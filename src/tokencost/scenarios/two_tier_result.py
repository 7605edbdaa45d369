"""What a war of two tiers came to: prices, shares and margins in each situation, and when outlays are earned back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import ScenarioError, UnknownNameError
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tokencost.rating.book import Book
    from tokencost.scenarios.break_even import BreakEven
    from tokencost.scenarios.outlay import Annuity
    from tokencost.scenarios.two_tier import TwoTierAssumptions

__all__ = ["Situation", "TurnsOn", "TwoTierWar"]

_MAIN = "equilibrium"


class Situation(NamedTuple):
    """One set of prices, and what follows: float64, money a month in the currency of the unit.

    Prices and costs are those of a million tokens of the workload's mix; shares are of all tokens that could be bought.
    """

    name: str
    unit: str
    firms: Mapping[str, str]
    prices: Mapping[str, float]
    costs: Mapping[str, float]
    shares: Mapping[str, float]
    contributions: Mapping[str, float]
    outside_share: float
    consumer_surplus: float
    residual: float | None

    def gross_margin(self, offering: str) -> float:
        """Return (p - c) / p; minus infinity for a free price."""
        return 1 - self.costs[offering] / self.prices[offering] if self.prices[offering] else float("-inf")

    def cost_profit(self, offering: str) -> float:
        """Return (p - c) / c."""
        return self.prices[offering] / self.costs[offering] - 1


class TurnsOn(NamedTuple):
    """What one other assumption makes of the answer; `refused` says why where there is none."""

    assumption: str
    value: str
    price: float | None
    share: float | None
    payment: float | None
    volume: float | None
    times: float | None
    months: float | None
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTierWar:
    """A war of two tiers that was played; the numbers are float64 economics, and rest on `assumptions`.

    `plans` are annuities of the outlay and `recovery` its break-even with growth, by situation; `training` says in how many months the
    sales of an offering, as they are in the equilibrium, pay for the training of a model. `alpha` is per USD/Mtok, `size` is in millions of
    tokens a month, `own_elasticities` are those at the lists.
    """

    assumptions: TwoTierAssumptions
    responder: str
    alpha: float
    size: float
    own_elasticities: Mapping[str, float]
    situations: tuple[Situation, ...]
    plans: Mapping[str, Annuity]
    recovery: Mapping[str, BreakEven]
    training: Mapping[str, BreakEven]

    def __getitem__(self, name: str) -> Situation:
        for situation in self.situations:
            if situation.name == name:
                return situation
        names = [situation.name for situation in self.situations]
        raise UnknownNameError.of(name, names, what="situation", where=", ".join(names))

    def turns_on(self, assumption: str = "as assumed", value: str = "") -> TurnsOn:
        """Return the answer in the equilibrium as one line."""
        end, plan = self[_MAIN], self.plans[_MAIN]
        volume = None if plan.volume is None else float(plan.volume)
        sold = self.size * end.shares[self.responder]
        return TurnsOn(
            assumption,
            value,
            end.prices[self.responder],
            end.shares[self.responder],
            float(plan.payment),
            volume,
            None if volume is None else volume / sold,
            self.recovery[_MAIN].months,
        )

    def sensitivity(self, *, book: Book | None = None) -> list[TurnsOn]:
        """Return the answer again with each assumption lower and higher, one at a time; the first line is as assumed."""
        from tokencost.scenarios.two_tier import two_tier_war

        found = [self.turns_on()]
        for name, value, change in _changes(self.assumptions):
            try:
                found.append(two_tier_war(change(self.assumptions), book=book).turns_on(name, value))
            except ScenarioError as error:
                found.append(TurnsOn(name, value, None, None, None, None, None, None, str(error)))
        return found

    def sensitivity_table(self, *, book: Book | None = None) -> Table:
        """Return `sensitivity` as a table for eyes."""
        lines = self.sensitivity(book=book)
        rows = [
            (
                line.assumption,
                line.value,
                *(
                    ("refused", "", "", "", "")
                    if line.price is None or line.share is None
                    else (f"{line.price:.3f}", f"{line.share:.1%}", _short(line.volume), _short(line.times), _months(line.months))
                ),
            )
            for line in lines
        ]
        headings = ("price USD/Mtok", "share", "Mtok a month", "times sold", "months")
        columns = (Column("assumption"), Column("value"), *(Column(heading, number=True) for heading in headings))
        notes = (
            "Mtok a month pay the annuity of the outlay, times sold is that over what is sold at first; months with growth, no interest",
            *(f"{line.assumption} {line.value}: {line.refused}" for line in lines if line.refused),
        )
        return Table(f"what the outlay's return on {self.responder} turns on", columns, tuple(rows), notes)

    # -- for eyes ----------------------------------------------------------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each offering in each situation."""
        return [
            {
                "situation": situation.name,
                "offering": name,
                "firm": situation.firms[name],
                "price": situation.prices[name],
                "cost": situation.costs[name],
                "unit": situation.unit,
                "share": situation.shares[name],
                "gross_margin": situation.gross_margin(name),
                "cost_profit_margin": situation.cost_profit(name),
                "contribution_a_month": situation.contributions[name],
                "currency": situation.unit.split("/", maxsplit=1)[0],
                "residual": situation.residual,
            }
            for situation in self.situations
            for name in situation.prices
        ]

    def table(self) -> Table:
        """Return prices, shares and margins as a table for eyes."""
        headings = ("price", "cost", "share", "gross margin", "cost-profit", "USD a month")
        columns = (Column("situation"), Column("offering"), *(Column(heading, number=True) for heading in headings))
        rows = tuple(
            (
                row["situation"],
                row["offering"],
                f"{row['price']:.3f}",
                f"{row['cost']:.3f}",
                f"{row['share']:.1%}",
                f"{row['gross_margin']:.1%}",
                f"{row['cost_profit_margin']:.0%}",
                f"{row['contribution_a_month']:,.0f}",
            )
            for row in self.records()
        )
        return Table("two tiers: workload-effective prices in USD/Mtok, contribution in USD a month", columns, rows, tuple(self._notes()))

    def _notes(self) -> Iterator[str]:
        given = self.assumptions
        yield f"shares, own elasticity {given.own_elasticity:g} of {given.anchor}, rho {given.rho:g} and growth {given.growth} are assumed"
        yield f"alpha {self.alpha:.4f} per USD/Mtok; the market could buy {self.size:,.0f} Mtok a month"
        billions = f"{given.outlay_cny / 1e9:,.0f} billion CNY at {given.cny_per_usd}"
        yield f"outlay {given.outlay / 1e9:,.2f} billion USD ({billions}, {given.attributed:.0%} of it)"
        for situation in self.situations:
            plan, recovered = self.plans[situation.name], self.recovery[situation.name]
            sold = self.size * situation.shares[self.responder]
            volume = "no volume" if plan.volume is None else f"{float(plan.volume):,.0f} Mtok a month, sold are {sold:,.0f},"
            yield (
                f"{situation.name}: {volume} would pay {float(plan.payment):,.0f} USD a month for {plan.months} months;"
                f" with growth it is recovered in {_months(recovered.months)} months"
            )
        for what, paid in self.training.items():
            yield f"training of {what}: {_months(paid.months)} months"

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _short(number: float | None) -> str:
    return "never" if number is None else f"{number:,.4g}" if number < 1e6 else f"{number:,.0f}"  # noqa: PLR2004 - for eyes


def _months(months: float | None) -> str:
    return "never" if months is None else f"{months:,.1f}"


def _changes(given: TwoTierAssumptions) -> Iterator[tuple[str, str, Callable[[TwoTierAssumptions], TwoTierAssumptions]]]:
    """Yield every assumption that is changed, to what, and how."""

    def field(name: str, *values: Any) -> Iterator[tuple[str, str, Callable[[TwoTierAssumptions], TwoTierAssumptions]]]:
        for value in values:
            yield name, str(value), lambda known, value=value: replace(known, **{name: value})

    yield from field("own_elasticity", round(given.own_elasticity * 0.8, 6), round(given.own_elasticity * 1.6, 6), -1.11)
    yield from field("rho", round(given.rho * 0.5, 6), round(min(given.rho * 1.4, 0.95), 6))
    for firm in dict.fromkeys(product.firm for product in given.products):
        for factor in (0.75, 1.25):
            yield f"shares of {firm}", f"x {factor}", lambda known, firm=firm, factor=factor: known.with_shares_of(firm, factor)
    yield from field("cost_factor", given.cost_factor / 2, given.cost_factor * 3)
    yield from field("posted", ())
    yield from field("attributed", given.attributed / 4, given.attributed / 2)
    yield from field("monthly_rate", "0", "0.015")
    yield from field("months", max(given.months - 24, 1), given.months + 60)
    yield from field("growth", "0", "0.02", "0.1")

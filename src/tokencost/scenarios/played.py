"""Played scenarios: the book after a war, the log, and what each announced percentage was really worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import ScenarioError
from tokencost.exact import from_fraction
from tokencost.scenarios.window_hours import window_instants
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.money import Money
from tokencost.workloads.compare import compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.rating.usage import Usage
    from tokencost.scenarios.price_path import PricePath
    from tokencost.scenarios.scenario import Scenario
    from tokencost.scenarios.seller_path import Event
    from tokencost.workloads.workload import Workload

__all__ = ["MoveWorth", "Played", "PlayedPrice"]

_JUST_BEFORE = timedelta(microseconds=1)
_WEEK = timedelta(days=7)


class PlayedPrice(NamedTuple):
    """A list price and the price that is paid, at one instant."""

    at: datetime
    offering: str
    meter: str
    list_price: Decimal
    effective_price: Decimal
    currency: str


class MoveWorth(NamedTuple):
    """What a change of prices was worth to a workload, beside the percentages that were announced.

    `announced` maps meters to the change of their price, -0.97 for 97 % off; `change` is that of the workload's bill, None where it had
    none before or was free, or has none after. Where a list has windows the bills are means over the hours of a week, all alike.
    """

    at: datetime
    offering: str
    announced: Mapping[str, Fraction]
    before: Money | None
    after: Money | None
    change: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A scenario that was played: `book` has the prices of the war, `before` the same lists without it.

    `settled` is False where sellers answered each other without end, or still did when the time ran out.

    >>> from tokencost.scenarios.play import play
    >>> import tokencost as tc
    >>> played = play("may-2024")
    >>> worth = next(w for w in played.worth(tc.Usage(input=1_000_000_000, output=100_000_000)) if w.offering.endswith("qwen-max"))
    >>> f"announced {float(worth.announced['input']):.1%} of input, {worth.before} to {worth.after}: {float(worth.change):.1%}"
    'announced -66.7% of input, 132,000.00 CNY to 52,000.00 CNY: -60.6%'
    """

    scenario: Scenario
    book: Book
    before: Book
    war: PricePath
    currencies: Mapping[str, str]

    @property
    def offerings(self) -> tuple[str, ...]:
        """Everyone who takes part."""
        return tuple(self.war.paths)

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that happened, in order."""
        return tuple(self.war.events)

    @property
    def settled(self) -> bool:
        """Say whether the war came to rest; the table says why where it did not."""
        return self.war.settled

    @property
    def instants(self) -> tuple[datetime, ...]:
        """The start, every instant at which a price changes or a promotion begins or ends, and the end."""
        edges = {self.scenario.start, self.scenario.until}
        for path in self.war.paths.values():
            edges |= {*path.instants, *(edge for promotion in path.promotions for edge in (promotion.start, promotion.until))}
        return tuple(at for at in sorted(edges) if self.scenario.start <= at <= self.scenario.until)

    def prices(self, instants: Iterable[datetime | str] | None = None) -> list[PlayedPrice]:
        """Return list and effective prices of the base rows, at these instants, or at all at which one changes."""
        found: list[PlayedPrice] = []
        for at in self.instants if instants is None else [to_instant(value) for value in instants]:
            for name, path in self.war.paths.items():
                listed, paid = path.list_at(at) or {}, path.effective_at(at) or {}
                found += [PlayedPrice(at, name, meter, listed[meter], paid[meter], self.currencies[name]) for meter in listed]
        return found

    def below_cost(self) -> dict[str, tuple[str, ...]]:
        """Return the months on whose first instant, or at a change within them, each seller's prices are below its cost."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.war.paths:
            below = [
                f"{at:%Y-%m}" for at in sorted({*self.instants, *self._months()} - {self.scenario.until}) if self.war.below_cost(name, at)
            ]
            found[name] = tuple(dict.fromkeys(below))
        return found

    def _months(self) -> Iterator[datetime]:
        at = self.scenario.start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        while at < self.scenario.until:
            if at >= self.scenario.start:
                yield at
            at = (at + timedelta(days=32)).replace(day=1)

    # -- on a workload -----------------------------------------------------------------------------------------------------------------

    def _workload(self, workload: Workload | Usage | None) -> Any:
        chosen = self.scenario.workload if workload is None else workload
        if chosen is None:
            raise ScenarioError(
                f"scenario {self.scenario.title!r} has no workload; pass one, like tc.Usage(input=10, output=1)", value=None
            )
        if isinstance(chosen, str):
            from tokencost.workloads.workload import load_workload

            return load_workload(chosen)
        return chosen

    def costs(self, instants: Iterable[datetime | str], workload: Workload | Usage | None = None) -> list[dict[str, Any]]:
        """Return what a workload costs on every offering at these instants' prices; None where it is not on sale.

        Raises:
            ScenarioError: no workload was passed, and the scenario has none.
        """
        demand = self._workload(workload)
        return [
            {"at": at, "offering": name, "cost": self._cost(demand, name, at) if self.war.paths[name].list_at(at) is not None else None}
            for at in (to_instant(value) for value in instants)
            for name in self.offerings
        ]

    def _cost(self, demand: Any, name: str, at: datetime) -> Money | None:
        return compare(demand, [name], at=at, book=self.book, currency=self.currencies[name]).rows[0].total

    def _paid_before(self, name: str, at: datetime) -> Mapping[str, Decimal]:
        """Return the prices that were paid just before an instant; at the start, those of the lists that the war found."""
        path = self.war.paths[name]
        if at > self.scenario.start:
            return path.effective_at(at - _JUST_BEFORE) or {}
        listed = self.war.initial[name] or {}
        running = next((p for p in path.promotions if p.start < at <= p.until), None)
        return listed if running is None else running.applied(dict(listed))

    def _mean_cost(self, demand: Any, name: str, begin: datetime, end: datetime) -> Money | None:
        """Return what a workload costs while a list stands: a mean over the hours of its week, each window at an instant that has it."""
        total, weight = Fraction(0), 0
        for at, hours in window_instants(self.book, name, begin, end):
            cost = self._cost(demand, name, at)
            if cost is None:
                return None
            total, weight = total + Fraction(cost.amount) * hours, weight + hours
        return Money(from_fraction(total / weight), self.currencies[name])

    def worth(self, workload: Workload | Usage | None = None) -> list[MoveWorth]:
        """Return, for every instant at which a seller's prices changed, what that was worth to a workload.

        A cut of the input price alone is worth less than its percentage, by as much as the workload's bill is output.

        Raises:
            ScenarioError: no workload was passed, and the scenario has none.
        """
        demand = self._workload(workload)
        found: list[MoveWorth] = []
        for at, name in dict.fromkeys((event.at, event.offering) for event in self.events):
            path = self.war.paths[name]
            old, new = self._paid_before(name, at), path.effective_at(at) or {}
            announced = {m: Fraction(new[m]) / Fraction(old[m]) - 1 for m in old if m in new and old[m] and old[m] != new[m]}
            edges = sorted({at, *(event.at for event in self.events if event.offering == name)})
            place = edges.index(at)
            earlier = edges[place - 1] if place else at - _WEEK
            later = edges[place + 1] if place + 1 < len(edges) else at + _WEEK
            before = self._mean_cost(demand, name, earlier, at) if old else None
            after = self._mean_cost(demand, name, at, later) if new else None
            change = Fraction(after.amount) / Fraction(before.amount) - 1 if before and after is not None else None
            found.append(MoveWorth(at, name, announced, before, after, change))
        return found

    def worth_table(self, workload: Workload | Usage | None = None) -> Table:
        """Return `worth` as a table for eyes: the percentages of the list beside that of the bill, where the bill changed.

        Raises:
            ScenarioError: no workload was passed, and the scenario has none.
        """
        columns = (
            Column("at"),
            Column("offering"),
            Column("prices by meter"),
            Column("bill before", number=True),
            Column("after", number=True),
            Column("currency"),
            Column("worth", number=True),
        )
        rows = tuple(
            (
                iso(worth.at),
                worth.offering,
                ", ".join(f"{meter} {float(change):+.1%}" for meter, change in worth.announced.items()),
                "" if worth.before is None else f"{worth.before.rounded().amount:,}",
                "" if worth.after is None else f"{worth.after.rounded().amount:,}",
                self.currencies[worth.offering],
                "" if worth.change is None else f"{float(worth.change):+.1%}",
            )
            for worth in self.worth(workload)
            if worth.before != worth.after
        )
        notes = (
            "no figure where there was no price before, or none for a part of the workload; windowed lists: means over a week's hours",
        )
        return Table(f"{self.scenario.title}: what it was worth", columns, rows, notes)

    # -- for eyes ----------------------------------------------------------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """Return the log as plain records, ready for a data frame."""
        return [{**event._asdict(), "currency": self.currencies[event.offering]} for event in self.events]

    def table(self) -> Table:
        """Return the log as a table for eyes."""
        columns = (
            Column("at"),
            Column("offering"),
            Column("move"),
            Column("meter"),
            Column("currency"),
            Column("before", number=True),
            Column("after", number=True),
            Column("change", number=True),
            Column("cause"),
        )
        rows = tuple(
            (
                iso(event.at),
                event.offering,
                event.kind,
                event.meter,
                self.currencies[event.offering],
                "" if event.before is None else f"{event.before:f}",
                "" if event.after is None else f"{event.after:f}",
                _percent(event.before, event.after),
                event.cause + (", below cost" if event.below_cost else ""),
            )
            for event in self.events
        )
        notes = ["prices per million tokens; those of promotions and their ends are paid, all others are list prices"]
        if self.war.unsettled is not None:
            notes.append(f"NOT SETTLED: {self.war.unsettled}")
        return Table(self.scenario.title, columns, rows, tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _percent(before: Decimal | None, after: Decimal | None) -> str:
    if not before or after is None:
        return ""
    return f"{from_fraction((Fraction(after) / Fraction(before) - 1) * 100, places=1):+.1f}%"

"""Cost paths: what a buyer would pay month by month on each of several offerings, None where it is not on sale."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import ScenarioError, UnknownNameError, nearest
from tokencost.exact import from_fraction
from tokencost.scenarios.amount import number_of, quantity_of, shown
from tokencost.scenarios.unit import Unit
from tokencost.table import Column, Table
from tokencost.tariffs.money import currency_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokencost.workloads.forecast_knowledge import Known

__all__ = ["CheapestMonth", "CostPaths"]

_TOLD: Final = {
    "announced": "announced, not in force when the list was last seen",
    "carried": "carried on, the list was last seen before",
    "unknown": "not known",
}


class CheapestMonth(NamedTuple):
    """The least that a month costs, and the offerings that cost it, in the order of the matrix; None where none is on sale."""

    month: str
    offerings: tuple[str, ...]
    cost: Fraction | None


@dataclass(frozen=True, slots=True)
class CostPaths:
    """Months by offerings: what a workload costs, exact; None where an offering has no price for it, which is never zero.

    `costs` has a row for each month and a column for each offering, in units of `currency`. `reasons` says why a cost is None, by month and
    offering; `limits` are the largest requests that the lists price, in tokens, where they are known; `known` says how sure prices of a
    book are: listed, announced, or carried on after the last look at the list.

    >>> costs = CostPaths.of([[22000, 1200, None], [700, 1200, 1000]], offerings=["qwen-long", "deepseek-v2", "doubao"], currency="CNY")
    >>> [(row.offerings, str(row.cost)) for row in costs.cheapest()]
    [(('deepseek-v2',), '1200'), (('qwen-long',), '700')]
    """

    months: tuple[str, ...]
    offerings: tuple[str, ...]
    costs: tuple[tuple[Fraction | None, ...], ...]
    currency: str = "USD"
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    limits: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    known: Mapping[tuple[str, str], Known] = field(default_factory=dict[tuple[str, str], "Known"])

    @classmethod
    def of(
        cls,
        costs: CostPaths | Sequence[Sequence[object]],
        *,
        offerings: Sequence[str] | None = None,
        months: Sequence[str] | None = None,
        currency: str = "USD",
    ) -> CostPaths:
        """Return cost paths from a matrix: a row for each month, numbers or Money, None where an offering is not on sale.

        A float is taken as it is written, 0.1 is a tenth; everything after is exact.

        Raises:
            ScenarioError: no month, no offering, rows of different lengths, a negative cost, or a name that is there twice.
            UnitError: money in another currency.
        """
        if isinstance(costs, CostPaths):
            return costs
        rows = [list(row) for row in costs]
        width = len(rows[0]) if rows else 0
        if not width:
            raise ScenarioError("the matrix has no month or no offering; pass a row for each month", value=costs)
        names = _names(offerings, width, "offering")
        whens = _names(months, len(rows), "month")
        unit = Unit(currency_code(currency))
        made: list[tuple[Fraction | None, ...]] = []
        for when, row in zip(whens, rows, strict=True):
            if len(row) != width:
                raise ScenarioError(
                    f"month {when} has {len(row)} costs, not {width}; write None where an offering is not on sale", value=row
                )
            made.append(
                tuple(
                    None if cost is None else quantity_of(cost, what=f"cost of {name} in month {when}", unit=unit)
                    for name, cost in zip(names, row, strict=True)
                )
            )
        return cls(whens, names, tuple(made), unit.currency)

    def place(self, offering: str | int) -> int:
        """Return the column of an offering, by its name or its number.

        Raises:
            UnknownNameError: there is none.
        """
        if isinstance(offering, int) and not isinstance(offering, bool) and 0 <= offering < len(self.offerings):
            return offering
        if offering in self.offerings:
            return self.offerings.index(str(offering))
        near = nearest(str(offering), self.offerings)
        cure = (
            f"did you mean {' or '.join(map(repr, near))}?" if near else f"pass one of its {len(self.offerings)} names, or a column from 0"
        )
        raise UnknownNameError(f"no offering {str(offering)!r} in these cost paths; {cure}", name=str(offering), suggestions=near)

    def cheapest(self) -> tuple[CheapestMonth, ...]:
        """Return the least cost of every month, and all offerings that have it."""
        found: list[CheapestMonth] = []
        for month, row in zip(self.months, self.costs, strict=True):
            least = min((cost for cost in row if cost is not None), default=None)
            names = tuple(name for name, cost in zip(self.offerings, row, strict=True) if cost is not None and cost == least)
            found.append(CheapestMonth(month, names, least))
        return tuple(found)

    @property
    def frontier_bound(self) -> Fraction | None:
        """The least of every month added up: a bound that no buyer reaches who pays for switching. None where a month has none on sale."""
        total = Fraction(0)
        for row in self.cheapest():
            if row.cost is None:
                return None
            total += row.cost
        return total

    def meeting(self, *, quality: Mapping[str, object] | None = None, at_least: object = None, context: int | None = None) -> CostPaths:
        """Return the same paths without the months in which an offering does not meet what the buyer needs.

        `quality` holds the caller's scores, higher is better, and `at_least` the least of them that will do; an offering without a score
        does not meet it, nothing is guessed. `context` is the largest request in tokens; an offering whose list states a smaller limit is
        out, one whose limit is not known stays.

        >>> costs = CostPaths.of([[5, 1], [5, 1]], offerings=["large", "small"])
        >>> costs.meeting(quality={"large": 80, "small": 40}, at_least=60).reasons["0", "small"]
        'quality 40 is below 60'

        Raises:
            ScenarioError: one of `quality` and `at_least` without the other, or a score that is no number.
            UnknownNameError: a score for an offering that is not here.
        """
        if (quality is None) != (at_least is None):
            raise ScenarioError("quality and at_least go together; pass scores, and the least that will do", value=at_least)
        scores = {self.place(name): number_of(score, what=f"quality of {name}") for name, score in (quality or {}).items()}
        bar = None if at_least is None else number_of(at_least, what="at_least")
        reasons = dict(self.reasons)
        rows: list[tuple[Fraction | None, ...]] = []
        for month, row in zip(self.months, self.costs, strict=True):
            kept = list(row)
            for place, name in enumerate(self.offerings):
                why = _below(scores.get(place), bar) or _too_small(self.limits.get((month, name)), context)
                if why is not None and kept[place] is not None:
                    kept[place] = None
                    reasons[month, name] = why
            rows.append(tuple(kept))
        return replace(self, costs=tuple(rows), reasons=reasons)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each month and offering, ready for a data frame."""
        return [
            {
                "month": month,
                "offering": name,
                "cost": None if cost is None else from_fraction(cost),
                "currency": self.currency,
                "known": self.known.get((month, name)),
                "reason": self.reasons.get((month, name)),
            }
            for month, row in zip(self.months, self.costs, strict=True)
            for name, cost in zip(self.offerings, row, strict=True)
        ]

    def table(self) -> Table:
        """Return the paths as a table for eyes."""
        rows = tuple((month, *map(shown, row)) for month, row in zip(self.months, self.costs, strict=True))
        columns = (Column("month"), *(Column(name, number=True) for name in self.offerings))
        missing: dict[str, list[str]] = {}
        for (month, name), why in self.reasons.items():
            missing.setdefault(f"{name}: {why}", []).append(month)
        for (month, name), word in self.known.items():
            if word != "listed":
                missing.setdefault(f"{name}: {_TOLD[word]}", []).append(month)
        notes = tuple(f"{_span(months)} {why}" for why, months in missing.items())
        return Table(f"cost a month, in {self.currency}", columns, rows, notes)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _span(months: list[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} … {months[-1]}"


def _below(score: Fraction | None, bar: Fraction | None) -> str | None:
    if bar is None:
        return None
    if score is None:
        return "it has no score of quality"
    return f"quality {float(score):g} is below {float(bar):g}" if score < bar else None


def _too_small(limit: int | None, context: int | None) -> str | None:
    if context is None or limit is None or limit >= context:
        return None
    return f"its list prices requests up to {limit:,} tokens, not {context:,}"


def _names(names: Sequence[str] | None, count: int, what: str) -> tuple[str, ...]:
    made = tuple(str(place) for place in range(count)) if names is None else tuple(names)
    if len(made) != count:
        raise ScenarioError(f"{len(made)} names for {count} {what}s; pass one for each", value=made)
    twice = next((name for name in made if made.count(name) > 1), None)
    if twice is not None:
        raise ScenarioError(f"{what} {twice!r} is there twice; name them apart", value=twice)
    return made

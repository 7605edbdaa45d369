"""Results of a forecast: records for programs, a table for eyes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import WorkloadError
from tokencost.exact import from_fraction
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso
from tokencost.tariffs.money import Money
from tokencost.workloads.budget import Passing, budget_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from decimal import Decimal
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from tokencost.workloads.forecast_events import PriceEvent
    from tokencost.workloads.forecast_knowledge import Known

__all__ = ["Forecast", "ForecastMonth", "quantiles_of", "shown_money"]

_FIGURES: Final = 12
"""Significant figures of a quantile: it is drawn, and has no more to say."""


class ForecastMonth(NamedTuple):
    """One month of a forecast.

    `cost` is the exact expected cost, None where any request has no price; `priced` is what the others cost. `known` says how sure the
    price is: `listed`, `announced`, `carried` or `unknown`, the least sure of all that the requests of the month meet. `quantiles` are of
    the month's cost, `cumulative_quantiles` of all months up to its end; both are empty where there is nothing to draw.
    """

    month: str
    requests: Fraction
    cost: Money | None
    priced: Money | None
    known: Known
    reasons: tuple[str, ...]
    events: tuple[PriceEvent, ...]
    quantiles: Mapping[float, Money]
    cumulative: Money | None
    cumulative_quantiles: Mapping[float, Money]
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return the month as one plain record; amounts are `Decimal`."""
        record: dict[str, Any] = {"month": self.month, "requests": from_fraction(self.requests, places=6), "known": self.known}
        for key in ("cost", "priced", "cumulative"):
            money: Money | None = getattr(self, key)
            record[key] = None if money is None else money.amount
        record |= {f"q{share:g}": money.amount for share, money in self.quantiles.items()}
        record |= {f"cumulative_q{share:g}": money.amount for share, money in self.cumulative_quantiles.items()}
        return {**record, "reasons": list(self.reasons), "events": [event.record() for event in self.events], "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a workload is expected to cost on one offering, month by month, and how sure that is.

    `total` is None where any month has no cost. `known_until` is the instant up to which the price was seen on a list, None where it never
    was. `passing` are the probabilities to pass the `budget`, where one was set; `passes` gives those of another.

    >>> import tokencost as tc
    >>> chat = tc.load_workload("chat")
    >>> result = tc.forecast(chat, "google/global/gemini-3.8-flash", start="2026-12", months=2, draws=0)
    >>> [(row.month, str(row.cost), row.known) for row in result.months]
    [('2026-12', '84.97555455 USD', 'carried'), ('2027-01', '169.9511091 USD', 'announced')]
    """

    title: str
    offering: str
    currency: str
    months: tuple[ForecastMonth, ...]
    total: Money | None
    total_quantiles: Mapping[float, Money]
    known_until: datetime | None
    budget: Money | None
    passing: tuple[Passing, ...]
    draws: int
    seed: int
    paths: NDArray[np.float64] = field(repr=False, compare=False)

    def passes(self, budget: Money | Decimal | int | str) -> tuple[Passing, ...]:
        """Return the probabilities that the cost passes a budget, month by month.

        Raises:
            MixedCurrencyError: the budget is in another currency.
            WorkloadError: the forecast was made without draws.
        """
        amount = float(budget_of(budget, self.currency).amount)
        if not self.draws:
            raise WorkloadError("draws=0 leaves no paths to count; forecast with draws=2000", meter="draws", value=0)
        found: list[Passing] = []
        cumulative, before = self.paths.cumsum(axis=1), 0.0
        for place, row in enumerate(self.months):
            alone = None if row.cost is None else float((self.paths[:, place] > amount).mean())
            if row.cumulative is None:
                found.append(Passing(row.month, None, None, alone))
                continue
            by_end = float((cumulative[:, place] > amount).mean())
            found.append(Passing(row.month, by_end, by_end - before, alone))
            before = by_end
        return tuple(found)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each month, ready for a data frame."""
        rows = [{"offering": self.offering, "currency": self.currency, **row.record()} for row in self.months]
        if not self.passing:
            return rows
        keys = ("by_end", "in_month", "alone")
        return [row | {f"passes_{key}": getattr(passing, key) for key in keys} for row, passing in zip(rows, self.passing, strict=True)]

    def table(self) -> Table:
        """Return the forecast as a table for eyes."""
        shares = next((tuple(row.quantiles) for row in self.months if row.quantiles), ())
        columns = [Column("month"), Column("requests", number=True), Column("expected", number=True)]
        columns += [Column(f"{100 * share:g}%", number=True) for share in shares]
        columns += [Column(f"passes {self.budget}", number=True)] if self.passing else []
        columns.append(Column("price"))
        rows = [
            (
                row.month,
                f"{round(row.requests):,}",
                shown_money(row.cost),
                *(shown_money(row.quantiles.get(share)) for share in shares),
                *([_percent(self.passing[place].by_end)] if self.passing else []),
                row.known,
            )
            for place, row in enumerate(self.months)
        ]
        totals = (shown_money(self.total_quantiles.get(share)) for share in shares)
        requests = sum(row.requests for row in self.months)
        rows.append(("total", f"{round(requests):,}", shown_money(self.total), *totals, *([""] if self.passing else []), ""))
        title = f"{self.title} on {self.offering}: {self.months[0].month} to {self.months[-1].month}, in {self.currency}"
        return Table(title, tuple(columns), tuple(rows), tuple(dict.fromkeys(self._footnotes())))

    def _footnotes(self) -> Iterator[str]:
        for row in self.months:
            yield from (str(event) for event in row.events)
            if row.cost is None:
                part = "" if row.priced is None else f", the priced part is {shown_money(row.priced)}"
                yield f"{row.month} has no cost{part}: {'; '.join(row.reasons)}"
            yield from row.notes
        words = {row.known for row in self.months}
        known = "never seen on a list" if self.known_until is None else f"seen on the list up to {iso(self.known_until)}, not after"
        if words != {"listed"}:
            yield f"the price was {known}"
        if "announced" in words:
            yield "announced: published by the provider for a date to come"
        if "carried" in words:
            yield "carried: the list in force is assumed to go on; nobody has seen that it does"
        if self.draws:
            yield f"quantiles of {self.draws:,} drawn paths, seed {self.seed}"

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def quantiles_of(draws: NDArray[np.float64], shares: tuple[float, ...], currency: str) -> dict[float, Money]:
    """Return quantiles of drawn amounts, each the amount of one draw, with twelve figures."""
    import numpy as np

    found = np.quantile(draws, shares, method="inverted_cdf").tolist()
    return {share: Money(f"{amount:.{_FIGURES}g}", currency) for share, amount in zip(shares, found, strict=True)}


def shown_money(money: Money | None) -> str:
    """Return an amount with two decimals, or with as many as its first four figures need; a dash where there is none."""
    if money is None:
        return "—"
    places = 2 if not money or money.amount.adjusted() >= 0 else 3 - money.amount.adjusted()
    return f"{money.rounded(places=places).amount:,.{places}f}"


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"

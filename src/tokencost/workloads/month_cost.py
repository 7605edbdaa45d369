"""Costs of a month: what a workload is expected to cost on one offering, by segment, service tier, window and meter, exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import CurrencyError
from tokencost.rating.timeline import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokencost.errors import TokencostError
    from tokencost.rating.timeline import Segment as Priced
    from tokencost.workloads.expectation import Expectation, Expected
    from tokencost.workloads.profile import Month
    from tokencost.workloads.segment import Choice, Segment
    from tokencost.workloads.workload import Workload

__all__ = ["CostRow", "MonthCost", "Where", "month_cost", "selection_of"]

_NOWHERE: Final = Selection()


class Where(NamedTuple):
    """The part of a month's demand that a row is about: a segment, how its requests are made, and in which window."""

    segment: str
    service_tier: str
    mode: str | None
    window: str | None


class CostRow(NamedTuple):
    """The expected cost of one meter somewhere, and its currency."""

    where: Where
    meter: str
    currency: str
    cost: Fraction


class MonthCost(NamedTuple):
    """The expected cost of one month on one offering.

    `requests` are those of the month, growth included; `unpriced` maps the reason why some have no price to how many. `priced` are the
    spans of price history that were used.
    """

    offering: str
    month: Month
    requests: Fraction
    rows: tuple[CostRow, ...]
    unpriced: Mapping[str, Fraction]
    priced: tuple[Priced, ...]

    @property
    def by_currency(self) -> dict[str, Fraction]:
        """The cost of the priced requests in each currency."""
        found: dict[str, Fraction] = {}
        for row in self.rows:
            found[row.currency] = found.get(row.currency, Fraction(0)) + row.cost
        return found

    @property
    def is_complete(self) -> bool:
        """Say whether every request has a price."""
        return not self.unpriced


def month_cost(
    expectation: Expectation,
    workload: Workload,
    offering: str,
    month: Month,
    *,
    months_ahead: int = 0,
    selection: Selection = _NOWHERE,
) -> MonthCost:
    """Return what a workload is expected to cost in a month; `months_ahead` of growth lie before it.

    An offering without a list in the currency of the selection is taken in the one that it has.

    Raises:
        UnknownNameError, AmbiguousNameError: the name is not clear.
    """
    rows: dict[tuple[Where, str, str], Fraction] = {}
    unpriced: dict[str, Fraction] = {}
    used: dict[int, Priced] = {}
    requests = Fraction(0)
    for segment in workload.segments:
        demand = segment.requests * (1 + workload.growth_of(segment)) ** months_ahead
        requests += demand
        for choice in segment.choices:
            for found in _expected(expectation, segment, choice, offering, month=month, selection=selection):
                share = demand * choice.share * found.share
                where = Where(segment.name, choice.service_tier, choice.mode, found.window)
                if found.priced is not None:
                    used[id(found.priced)] = found.priced
                for meter, cost in found.cost.by_meter.items():
                    assert found.currency is not None
                    key = (where, meter, found.currency)
                    rows[key] = rows.get(key, Fraction(0)) + share * cost
                if found.cost.unpriced:
                    reason = str(found.cost.reason)
                    unpriced[reason] = unpriced.get(reason, Fraction(0)) + share * found.cost.unpriced
    made = tuple(CostRow(*key, cost) for key, cost in rows.items())
    return MonthCost(expectation.book.resolve(offering).offering, month, requests, made, unpriced, tuple(used.values()))


def _expected(
    expectation: Expectation, segment: Segment, choice: Choice, offering: str, *, month: Month, selection: Selection
) -> list[Expected]:
    """Return the expected costs of a request, in the currency asked for or in the one that is listed."""
    chosen = selection_of(expectation, segment, choice, offering, month=month, selection=selection)
    return expectation.month(offering, segment.sizes, month, segment.profile, selection=chosen)


def selection_of(
    expectation: Expectation, segment: Segment, choice: Choice, offering: str, *, month: Month, selection: Selection
) -> Selection:
    """Return the selection under which requests made so have a list: that of the caller, or the same in the currency that is listed."""
    chosen = selection._replace(service_tier=choice.service_tier, mode=choice.mode)
    reasons = [span.reason for span in expectation.spans(offering, month, segment.profile, selection=chosen)]
    other = _listed(expectation, reasons)
    return chosen if other is None else chosen._replace(currency=other)


def _listed(expectation: Expectation, reasons: list[TokencostError | None]) -> str | None:
    """Return the currency to take where the one asked for has no list."""
    for reason in reasons:
        if isinstance(reason, CurrencyError) and reason.available:
            preferred = expectation.book.currency
            return preferred if preferred in reason.available else reason.available[0]
    return None

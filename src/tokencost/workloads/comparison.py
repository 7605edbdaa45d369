"""Results of a comparison: records for programs, a table for eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from decimal import Decimal

    from tokencost.tariffs.money import Money
    from tokencost.workloads.frontier import Frontier

__all__ = ["Compared", "Comparison", "Route", "RouterBound", "SegmentChoice", "SegmentCost", "requests_text", "shown_amount"]

_SHOWN_PLACES: Final = 4


class SegmentCost(NamedTuple):
    """What one segment of a workload costs on an offering, and its share of the offering's total; None where it is not known."""

    segment: str
    requests: int
    cost: Money | None
    share: Decimal | None = None


class SegmentChoice(NamedTuple):
    """The cheapest offering for one segment, what it costs there, and the offerings that have no price for it."""

    segment: str
    requests: int
    offering: str | None
    cost: Money | None
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.segment} {self.offering or 'nowhere'}" + ("" if self.cost is None else f" ({shown_amount(self.cost)})")


class Compared(NamedTuple):
    """One offering's share of a comparison.

    `total` is in the currency of the comparison, None where some requests have no price or no conversion was passed; `native` is what the
    priced requests cost in the currency of the list. `priced` and `unpriced` count requests, `reasons` say why some have no price.
    `realised_price` is the total per million tokens of the workload, cached ones included, rounded half-even to six decimals, as is
    `per_1000_requests`. `rank` counts from 1, equal totals share one; `segments` say what each segment of a workload costs. Where sizes are
    drawn, `unpriced` is an expected number, rounded, and at least 1.
    """

    name: str
    offering: str
    total: Money | None
    native: Money | None
    priced: int
    unpriced: int
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    per_1000_requests: Money | None = None
    realised_price: Money | None = None
    to_cheapest: Money | None = None
    to_baseline: Money | None = None
    baseline_percent: Decimal | None = None
    rank: int | None = None
    segments: tuple[SegmentCost, ...] = ()


class Route(NamedTuple):
    """What a router sends to one offering: how many requests, and what they cost there."""

    offering: str
    requests: int
    cost: Money


class RouterBound(NamedTuple):
    """The least that a router between some offerings can reach: each part of the demand on the cheapest offering for it.

    A part is a segment, or a request of a trace. The bound is over `offerings`, those that price something; `without` price nothing, or
    were not converted. A part that one of `offerings` has no price for is left out: nobody knows what the best would be.
    `requests` are in the bound, `left_out` are not; `total`, `best_total` and `saving` are about the requests in it. `best` is the single
    offering that is cheapest for these.
    """

    total: Money | None
    requests: int
    left_out: int
    offerings: tuple[str, ...]
    without: tuple[str, ...]
    best: str | None
    best_total: Money | None
    saving: Money | None
    saving_percent: Decimal | None
    routes: tuple[Route, ...]

    def __str__(self) -> str:
        if self.total is None or self.best is None or self.saving is None:
            return "no bound for a router: no part of the demand is priced on every offering"
        left = f"; {self.left_out:,} requests without a price on every offering are left out" if self.left_out else ""
        without = f"; without {', '.join(self.without)}" if self.without else ""
        if len(self.routes) == 1:
            return f"a router saves nothing: {self.best} is cheapest for every part{left}{without}"
        percent = "" if self.saving_percent is None else f" ({self.saving_percent:.1f}%)"
        ways = ", ".join(f"{route.requests:,} to {route.offering}" for route in self.routes)
        total, saving = shown_amount(self.total), shown_amount(self.saving)
        return f"a router costs at least {total}, {saving} less than {self.best}{percent}: {ways}{left}{without}"


class Comparison(NamedTuple):
    """Many offerings on one workload, cheapest first; those without a full price last, in the order asked for.

    `cheapest_by_segment` names the best offering for each segment of a workload, `router_bound` is the least that a choice between the
    offerings, segment by segment or request by request, can reach.

    >>> import tokencost as tc
    >>> result = tc.compare(tc.Usage(input=1_000_000, output=1_000_000), ["gpt-4o", "deepseek-reasoner"], at="2025-02-01T00:00:00Z")
    >>> [(row.offering, str(row.total)) for row in result.rows]
    [('deepseek/global/deepseek-reasoner', '2.74 USD'), ('openai/global/gpt-4o', '12.50 USD')]
    """

    title: str
    at: datetime | None
    currency: str
    requests: int
    tokens: int
    rows: tuple[Compared, ...]
    baseline: str | None
    month: str | None = None
    cheapest_by_segment: tuple[SegmentChoice, ...] = ()
    router_bound: RouterBound | None = None

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each offering, ready for a data frame."""
        amounts = ("total", "native", "per_1000_requests", "realised_price", "to_cheapest", "to_baseline")
        made: list[dict[str, Any]] = []
        for row in self.rows:
            record = row._asdict()
            del record["segments"]
            for key in amounts:
                record[key] = None if record[key] is None else record[key].amount
            made.append({**record, "currency": self.currency, "native_currency": None if row.native is None else row.native.currency})
        return made

    def segment_records(self) -> list[dict[str, Any]]:
        """Return one plain record for each segment on each offering."""
        return [
            {"offering": row.offering, **part._asdict(), "cost": None if part.cost is None else part.cost.amount, "currency": self.currency}
            for row in self.rows
            for part in row.segments
        ]

    def frontier(self, quality: Mapping[str, object]) -> Frontier:
        """Return the offerings that no other one beats in cost and quality, by the caller's own scores.

        `quality` maps the name or the id of an offering, or the end of its id where that is clear, to a number, higher is better. An
        offering is beaten by one that costs no more and is at least as good, and better in one of the two. Equal ones both stay. An
        offering without a score is listed, never guessed.

        >>> import tokencost as tc
        >>> usage = tc.Usage(input=1_000_000, output=1_000_000)
        >>> result = tc.compare(usage, ["gpt-4o", "o1", "deepseek-reasoner"], at="2025-02-01T00:00:00Z")
        >>> [row.offering for row in result.frontier({"gpt-4o": 60, "o1": 75.5, "deepseek-reasoner": 71}).rows]
        ['deepseek/global/deepseek-reasoner', 'openai/global/o1']

        Raises:
            WorkloadError: a score is no number, or an offering has two.
        """
        from tokencost.workloads.frontier import frontier_of

        return frontier_of(self, quality)

    def table(self) -> Table:
        """Return the comparison as a table for eyes."""
        headings = ["total", "per 1,000 requests", "per 1M tokens", "to cheapest"]
        if self.baseline is not None:
            headings.append(f"to {self.baseline}")
        rows = [
            (
                row.offering,
                shown_amount(row.total) or "—",
                shown_amount(row.per_1000_requests),
                shown_amount(row.realised_price),
                shown_amount(row.to_cheapest, signed=True),
                *([_against(row)] if self.baseline is not None else []),
            )
            for row in self.rows
        ]
        when = f"in {self.month}" if self.month else "each request at its own instant" if self.at is None else f"at {iso(self.at)}"
        title = f"{self.title}: {requests_text(self.requests)}, {self.tokens:,} tokens, {when}, in {self.currency}"
        columns = (Column("offering"), *(Column(heading, number=True) for heading in headings))
        return Table(title, columns, tuple(rows), tuple(self._footnotes()))

    def _footnotes(self) -> Iterator[str]:
        for row in self.rows:
            why = "; ".join(row.reasons)
            if row.unpriced:
                verb = "have" if self.requests > 1 else "has"
                yield f"{row.offering}: {row.unpriced:,} of {requests_text(self.requests)} {verb} no price: {why}"
            elif row.total is None:
                yield f"{row.offering}: {'several currencies' if row.native is None else row.native}, not converted: {why}"
            yield from (f"{row.offering}: {note}" for note in row.notes)
        if len({choice.offering for choice in self.cheapest_by_segment}) > 1:
            yield f"cheapest by segment: {', '.join(map(str, self.cheapest_by_segment))}"
        if self.router_bound is not None and len(self.router_bound.routes) > 1:
            yield str(self.router_bound)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def requests_text(number: int) -> str:
    """Return a number of requests in words.

    >>> requests_text(1), requests_text(19_366)
    ('1 request', '19,366 requests')
    """
    return f"{number:,} request{'s' if number != 1 else ''}"


def shown_amount(money: Money | None, *, signed: bool = False) -> str:
    """Return an amount with four decimals, or with as many as its first four figures need: little is not nothing."""
    if money is None:
        return ""
    places = max(_SHOWN_PLACES, _SHOWN_PLACES - 1 - money.amount.adjusted()) if money else _SHOWN_PLACES
    amount = money.rounded(places=places).amount
    text = f"{amount:,f}" if places > _SHOWN_PLACES else f"{amount:,.{_SHOWN_PLACES}f}"
    return f"+{text}" if signed and amount >= 0 else text


def _against(row: Compared) -> str:
    if row.to_baseline is None:
        return ""
    percent = "" if row.baseline_percent is None else f" ({row.baseline_percent:+.1f}%)"
    return f"{shown_amount(row.to_baseline, signed=True)}{percent}"

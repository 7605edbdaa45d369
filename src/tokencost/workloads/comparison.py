"""Results of a comparison: records for programs, a table for eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from tokencost.tariffs.money import Money

__all__ = ["Compared", "Comparison", "requests_text"]

_SHOWN_PLACES: Final = 4


class Compared(NamedTuple):
    """One offering's share of a comparison.

    `total` is in the currency of the comparison, None where some requests have no price or no conversion was passed; `native` is what the
    priced requests cost in the currency of the list. `priced` and `unpriced` count requests, `reasons` say why some have no price.
    `realised_price` is the total per million tokens of the workload, cached ones included, rounded half-even to six decimals, as is
    `per_1000_requests`.
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


class Comparison(NamedTuple):
    """Many offerings on one workload, cheapest first; those without a full price last, in the order asked for.

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

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each offering, ready for a data frame."""
        amounts = ("total", "native", "per_1000_requests", "realised_price", "to_cheapest", "to_baseline")
        made: list[dict[str, Any]] = []
        for row in self.rows:
            record = row._asdict()
            for key in amounts:
                record[key] = None if record[key] is None else record[key].amount
            made.append({**record, "currency": self.currency, "native_currency": None if row.native is None else row.native.currency})
        return made

    def table(self) -> Table:
        """Return the comparison as a table for eyes."""
        headings = ["total", "per 1,000 requests", "per 1M tokens", "to cheapest"]
        if self.baseline is not None:
            headings.append(f"to {self.baseline}")
        rows = [
            (
                row.offering,
                _shown(row.total) or "—",
                _shown(row.per_1000_requests),
                _shown(row.realised_price),
                _shown(row.to_cheapest, signed=True),
                *([_against(row)] if self.baseline is not None else []),
            )
            for row in self.rows
        ]
        when = "each request at its own instant" if self.at is None else f"at {iso(self.at)}"
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


def _shown(money: Money | None, *, signed: bool = False) -> str:
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
    return f"{_shown(row.to_baseline, signed=True)}{percent}"

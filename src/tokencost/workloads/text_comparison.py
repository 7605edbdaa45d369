"""Results of a comparison on one text: records for programs, a table for eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tokencost.tariffs.money import Money
    from tokencost.workloads.tokens import TokenCount

__all__ = ["CostRange", "TextComparison", "TextCost"]


class CostRange(NamedTuple):
    """What a text costs: for the count, and for its lower and upper bound; the three are equal where the count is exact.

    `per_million_characters` is rounded half-even to six decimals, None for an empty text.
    """

    cost: Money
    low: Money
    high: Money
    per_million_characters: Money | None


class TextCost(NamedTuple):
    """One offering's share of a comparison: its counts, and what they cost as input, as output and in one request.

    A cost is None where the list has no price for it, and `reasons` say why. `made` is the count of the completion, or of the same text.
    """

    name: str
    offering: str
    sent: TokenCount
    made: TokenCount
    as_input: CostRange | None
    as_output: CostRange | None
    total: CostRange | None
    reasons: tuple[str, ...] = ()


class TextComparison(NamedTuple):
    """One text on many offerings, cheapest first; those without a price in the currency last, in the order asked for.

    >>> import tokencost as tc
    >>> result = tc.compare_text("hello world", ["gpt-4o", "deepseek-chat"], at="2025-03-01T12:00:00Z")
    >>> [(row.offering, row.sent.tokens, str(row.total.cost)) for row in result.rows]
    [('deepseek/global/deepseek-chat', 2, '0.00000054 USD'), ('openai/global/gpt-4o', 2, '0.000005 USD')]
    """

    at: datetime
    currency: str
    characters: int
    completion_characters: int | None
    rows: tuple[TextCost, ...]

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each offering, ready for a data frame; amounts are exact."""
        made: list[dict[str, Any]] = []
        for row in self.rows:
            record: dict[str, Any] = {"name": row.name, "offering": row.offering}
            for word, count in (("input", row.sent), ("output", row.made)):
                fields = ("tokens", "low", "high", "basis", "tokenizer")
                record |= {f"{word}_{'tokens_' * (field in {'low', 'high'})}{field}": getattr(count, field) for field in fields}
            for word, costs in (("input", row.as_input), ("output", row.as_output), ("total", row.total)):
                for field in CostRange._fields:
                    money = None if costs is None else getattr(costs, field)
                    record[f"{word}_{field}"] = None if money is None else money.amount
            known = next((costs.cost.currency for costs in (row.total, row.as_input, row.as_output) if costs is not None), None)
            made.append({**record, "currency": known, "reasons": row.reasons})
        return made

    def table(self) -> Table:
        """Return the comparison as a table for eyes."""
        asked = self.completion_characters is not None
        headings = ["input tokens", *(["output tokens"] if asked else []), "cost", "per 1M characters in", "per 1M characters out"]
        rows = tuple(
            (
                row.offering,
                row.sent.tokenizer or "estimate",
                _counted(row.sent),
                *([_counted(row.made)] if asked else []),
                _amount(row.total.cost if row.total else None, self.currency) or "—",
                _amount(row.as_input.per_million_characters if row.as_input else None, self.currency),
                _amount(row.as_output.per_million_characters if row.as_output else None, self.currency),
            )
            for row in self.rows
        )
        more = f" and a completion of {self.completion_characters:,}" if asked else ""
        title = f"a text of {self.characters:,} characters{more}, at {iso(self.at)}, in {self.currency}"
        columns = (Column("offering"), Column("tokenizer"), *(Column(heading, number=True) for heading in headings))
        return Table(title, columns, rows, tuple(self._footnotes()))

    def _footnotes(self) -> Iterator[str]:
        for row in self.rows:
            if row.sent.basis == "estimate":
                bounds = "" if row.total is None else f", costs {row.total.low} to {row.total.high}"
                why = f" ({row.sent.note})" if row.sent.note else ""
                yield f"{row.offering}: estimate, {row.sent.low:,} to {row.sent.high:,} tokens{bounds}; {row.sent.confidence}{why}"
            yield from (f"{row.offering}: {reason}" for reason in row.reasons)
        yield "Only the text is counted, not what a chat template puts around it."

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _counted(count: TokenCount) -> str:
    return f"{'~' * (count.basis == 'estimate')}{count.tokens:,}"


def _amount(money: Money | None, currency: str) -> str:
    """Return an exact amount, with its currency where that is another than the table's."""
    if money is None:
        return ""
    text = str(money)
    return text.removesuffix(f" {currency}")

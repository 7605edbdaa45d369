"""Pre-flight: what one request that is not sent yet can cost, and whether that fits a budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tokencost.errors import WorkloadError
from tokencost.exact import from_fraction
from tokencost.rating.book import load_book
from tokencost.rating.quote import make_quote
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.money import Money
from tokencost.workloads.budget import Fit, budget_of
from tokencost.workloads.law import Law
from tokencost.workloads.preflight_prompt import checked_count, counted_prompt, prompts_of
from tokencost.workloads.preflight_range import cut_law, expected_cost, pieces_of, probability_within, quantile_cost
from tokencost.workloads.share import share_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.rating.card import Ladder
    from tokencost.workloads.preflight_prompt import CountedPrompt
    from tokencost.workloads.preflight_range import Piece

__all__ = ["Fit", "Preflight", "preflight"]

_PLACES: Final = 10
_BAND: Final = Fraction(9, 10)
"""How often the count of a text lay within the bounds of its estimate."""


class RequestRange(NamedTuple):
    """All that a request may be: the pieces of its cost at each end of what is not certain, and the law of its output."""

    corners: tuple[tuple[Piece, ...], ...]
    law: Law | None
    band: Fraction

    @property
    def least(self) -> Fraction:
        return min(min(piece.low, piece.high) for pieces in self.corners for piece in pieces)

    @property
    def most(self) -> Fraction:
        return max(max(piece.low, piece.high) for pieces in self.corners for piece in pieces)

    def probabilities(self, cost: Fraction) -> tuple[Fraction, Fraction] | None:
        """Return the least and the most that the probability to cost no more than this can be."""
        if self.law is None and self.least <= cost < self.most:
            return None
        if self.law is None:
            found = [Fraction(cost >= self.most)]
        else:
            found = [probability_within(pieces, self.law, cost) for pieces in self.corners]
        return self.band * min(found), self.band * max(found) + 1 - self.band

    def likely(self, confidence: Fraction) -> Fraction | None:
        """Return the cost that is not passed with a confidence, None where nothing can be said."""
        if self.law is None or confidence > self.band:
            return None
        return max(quantile_cost(pieces, self.law, confidence / self.band) for pieces in self.corners)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What one request can cost.

    `least` has no output and the largest cached part, `most` the full `max_output` and the smallest: nothing lies outside where `basis` is
    `exact`. Where it is `estimate` the prompt was text without a known tokenizer, and both hold for its bounds, `prompt_low` and
    `prompt_high`, outside of which one text in ten lies. `expected`, and `likely`, which is not passed with the `confidence`, need the law
    of the output and are None without.

    >>> import tokencost as tc
    >>> made = tc.preflight("gpt-4o", prompt=2_000, max_output=1_000, output=Law.fixed(400), at="2025-06-01T00:00:00Z")
    >>> str(made.least), str(made.expected), str(made.most)
    ('0.005 USD', '0.009 USD', '0.015 USD')
    >>> print(made.fits(Money("0.01", "USD")))
    likely within 0.01 USD (100.0%)
    """

    offering: str
    at: datetime
    window: str | None
    prompt: int
    prompt_low: int
    prompt_high: int
    basis: Literal["exact", "estimate"]
    cached_least: int
    cached_most: int
    max_output: int
    least: Money
    expected: Money | None
    most: Money
    likely: Money | None
    confidence: float
    notes: tuple[str, ...]
    range: RequestRange = field(repr=False, compare=False)

    def fits(self, budget: Money | Decimal | int | str) -> Fit:
        """Say whether the request stays within a budget; a bare number is in the currency of the cost.

        Raises:
            MixedCurrencyError: the budget is in another currency.
        """
        limit = budget_of(budget, self.most.currency)
        amount = Fraction(limit.amount)
        if self.basis == "exact" and amount >= self.range.most:
            return Fit("certain", 1.0, limit)
        if self.basis == "exact" and amount < self.range.least:
            return Fit("never", 0.0, limit)
        found = self.range.probabilities(amount)
        if found is None:
            return Fit("unknown", None, limit)
        low, high = found
        wanted = share_of(self.confidence, what="confidence")
        return Fit("likely" if low >= wanted else "unlikely" if high < wanted else "unknown", float(low), limit, low < high)

    def record(self) -> dict[str, Any]:
        """Return the answer as one plain record; amounts are `Decimal`, the instant is text."""
        amounts = {key: getattr(self, key) for key in ("least", "expected", "likely", "most")}
        keys = ("offering", "window", "prompt", "prompt_low", "prompt_high", "basis", "cached_least", "cached_most", "max_output")
        return {
            **{key: getattr(self, key) for key in keys},
            "at": iso(self.at),
            "currency": self.most.currency,
            **{key: None if money is None else money.amount for key, money in amounts.items()},
            "confidence": self.confidence,
            "notes": list(self.notes),
        }

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record in a list, ready for a data frame."""
        return [self.record()]

    def table(self) -> Table:
        """Return the answer as a table for eyes."""
        rows = [("least", self.least), ("expected", self.expected), (f"likely ({self.confidence:.0%})", self.likely), ("most", self.most)]
        prompt = f"{self.prompt:,}" if self.basis == "exact" else f"about {self.prompt:,} ({self.prompt_low:,} to {self.prompt_high:,})"
        window = "" if self.window is None else f" ({self.window})"
        title = f"{self.offering} at {iso(self.at)}{window}: prompt of {prompt} tokens, at most {self.max_output:,} of output"
        cells = tuple((name, "—" if money is None else str(_shown(money))) for name, money in rows)
        return Table(title, (Column(""), Column("cost", number=True)), cells, self.notes)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _shown(money: Money) -> Money:
    """Return an amount with ten decimals at most, or with as many as its first four figures need."""
    return money.rounded(places=max(_PLACES, 3 - money.amount.adjusted())) if money else money


def preflight(
    model: str,
    *,
    prompt: int | str,
    max_output: int,
    output: Law | int | None = None,
    cached: float | Decimal | str | tuple[float | Decimal | str, float | Decimal | str] = 0,
    at: datetime | str,
    book: Book | None = None,
    currency: str | None = None,
    service_tier: str = "standard",
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
    confidence: float = 0.9,
) -> Preflight:
    """Say what one request can cost before it is sent: least, expected, most, and the cost that a confidence stands for.

    `prompt` is a number of tokens, or text to count. `max_output` limits the output, hidden reasoning included, and `output` is the law of
    its length; what would be longer is cut there. `cached` is the part of the prompt that a cache holds: an `int` counts tokens, any other
    number is a share, and a pair is the least and the most of it. `expected` takes the middle of such ranges, every bound their dearest.

    >>> import tokencost as tc
    >>> made = tc.preflight("gpt-4o", prompt=2_000, max_output=1_000, cached=(0, 0.5), at="2025-06-01T00:00:00Z")
    >>> str(made.least), made.expected, str(made.most), made.fits("0.02").answer
    ('0.00375 USD', None, '0.015 USD', 'certain')

    Raises:
        UnknownNameError: nothing has this name.
        OutsideHistoryError, CurrencyError, NoRateError, UnpricedMeterError, CalendarError: there is no such price.
        AboveListError: the largest request that this may be is above the list.
        UsageError: counts that cannot be.
        WorkloadError: a share or the confidence is outside 0 to 1, or the law of the output is none.
    """
    when, book = to_instant(at), book or load_book()
    most = checked_count("max_output", max_output)
    certainty = share_of(confidence, what="confidence")
    if not certainty:
        raise WorkloadError("confidence=0 says nothing; pass a share such as 0.9", meter="confidence", value=confidence)
    line = book.timeline(model, currency=currency, service_tier=service_tier, mode=mode, residency=residency, tenant=tenant)
    segment = line.segment(when)
    ladder = segment.ladder(when)
    counted = counted_prompt(prompt, model, at=when, book=book)
    middle, prompts = prompts_of(counted, cached, ladder)
    law = None if output is None else cut_law(Law.of(output, what="output"), most)
    meters = _output_meters(ladder)
    corners = tuple(tuple(pieces_of(segment, corner, most, when, meter=meter)) for corner in prompts for meter in meters)
    reach = RequestRange(corners, law, Fraction(1) if counted.basis == "exact" else _BAND)
    dearest = make_quote(line, max(prompts).usage(most), when)
    money = _Priced(segment.choice.currency)
    return Preflight(
        segment.span.tariff.id,
        when,
        segment.window(when),
        counted.tokens,
        counted.low,
        counted.high,
        counted.basis,
        min(corner.cached for corner in prompts),
        max(corner.cached for corner in prompts),
        most,
        money.of(reach.least),
        None if law is None else money.of(expected_cost(pieces_of(segment, middle, most, when), law)),
        money.of(reach.most),
        None if (likely := reach.likely(certainty)) is None else money.of(likely),
        float(certainty),
        tuple(_notes(counted, ladder, most, meters, law)) + tuple(str(warning) for warning in dearest.warnings),
        reach,
    )


class _Priced(NamedTuple):
    """The currency of amounts."""

    currency: str

    def of(self, amount: Fraction) -> Money:
        return Money(from_fraction(amount), self.currency)


def _output_meters(ladder: Ladder) -> tuple[str, ...]:
    """Return how output may be billed: reasoning is output, and has a price of its own on few lists."""
    apart = any(cell.billed_as.get("reasoning") == "reasoning" for cell in ladder.cells)
    return ("output", "reasoning") if apart else ("output",)


def _notes(counted: CountedPrompt, ladder: Ladder, most: int, meters: Sequence[str], law: Law | None) -> Iterator[str]:
    if counted.basis == "estimate":
        yield f"the prompt is an estimate: {counted.note}; least and most hold for these bounds"
    low, high = (counted.low, counted.high + most) if ladder.on_total else (counted.low, counted.high)
    what = "tokens of prompt and output" if ladder.on_total else "prompt tokens"
    for edge in sorted({first for first, _, _, _ in ladder.steps if low < first <= high}):
        yield f"the request may cross a context tier: another price holds from {edge:,} {what} on"
    for edge in sorted({first for _, _, first, _ in ladder.steps if 0 < first <= most}):
        yield f"the request may cross a tier of output: another price holds from {edge:,} output tokens on"
    if len(meters) > 1:
        yield "reasoning tokens have a price of their own: the bounds take all output as either kind, the expectation as plain output"
    if law is None:
        yield "no law of the output was passed: nothing between least and most is known"

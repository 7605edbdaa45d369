"""Text costs: one text on many offerings, each counted with its own tokenizer and priced exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import (
    AboveListError,
    CalendarError,
    CurrencyError,
    NoRateError,
    OutsideHistoryError,
    UnpricedMeterError,
    UsageError,
    UsageTypeError,
)
from tokencost.exact import from_fraction
from tokencost.rating.book import load_book
from tokencost.rating.usage import Usage
from tokencost.tariffs.clock import to_instant
from tokencost.tariffs.money import Money, currency_code
from tokencost.workloads.text_comparison import CostRange, TextComparison, TextCost
from tokencost.workloads.tokens import checked_text, counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.workloads.tokens import CountBasis, TokenCount

__all__ = ["compare_text"]

_MILLION: Final = 10**6
_PRICE_PLACES: Final = 6
_NO_PRICE: Final = (AboveListError, CalendarError, CurrencyError, NoRateError, OutsideHistoryError, UnpricedMeterError)


def compare_text(
    text: str,
    offerings: Sequence[str],
    *,
    at: datetime | str,
    completion: str | None = None,
    basis: CountBasis = "best",
    book: Book | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    service_tier: str = "standard",
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> TextComparison:
    """Count one text with the tokenizer of each offering, price it at an instant, and sort the offerings by cost.

    Each row has the cost of sending the text as input, and that of producing it as output; with `completion`, output is the
    completion instead, and `total` is one request with both. Without it `total` is the input alone. Costs of exact counts are exact;
    those of estimates carry the costs of their bounds. Prices per million characters are those costs by the length of the text,
    rounded half-even to six decimals. `basis` is as in [count_tokens][]. Reasoning, cache and chat templates are not in it.

    Raises:
        UnknownNameError, AmbiguousNameError: an offering's name is not clear.
        TextTypeError, TextError: the text cannot be counted.
        TokenizerError: exact, and no tokenizer is known; or the extra `tokenizers` is not installed.
        UsageError: there is no offering.
        InstantError: the instant is naive or no instant.
    """
    if isinstance(offerings, str):
        raise UsageTypeError(f"offerings={offerings!r} is text; pass a list of names", meter="offerings", value=offerings)
    if not offerings:
        raise UsageError("no offering to compare; name at least one", meter="offerings", value=())
    when, book = to_instant(at), book or load_book()
    wanted = book.currency if currency is None else currency_code(currency)
    checked_text(text)
    texts = _Texts(text, text if completion is None else checked_text(completion))
    selection = {"service_tier": service_tier, "mode": mode, "residency": residency, "tenant": tenant}
    known: tuple[dict[str, int], dict[str, int]] = ({}, {})
    prices = _Prices(book, when, wanted, fx, selection)
    rows: list[TextCost] = []
    for name in dict.fromkeys(offerings):
        sent = counted(texts.sent, name, basis=basis, at=when, book=book, known=known[0])
        made = sent if completion is None else counted(texts.made, name, basis=basis, at=when, book=book, known=known[1])
        rows.append(_row(name, book.tariff(name, at=when).id, texts, (sent, made), prices, both=completion is not None))
    ranked = sorted((row for row in rows if row.total is not None and row.total.cost.currency == wanted), key=_order)
    rest = [row for row in rows if row not in ranked]
    return TextComparison(when, wanted, len(text), None if completion is None else len(completion), (*ranked, *rest))


class _Prices(NamedTuple):
    """The prices of a book at an instant, in the currency wanted where there is such a list or a conversion."""

    book: Book
    at: datetime
    currency: str
    fx: ExchangeTable | None
    selection: dict[str, Any]

    def cost(self, name: str, usage: Usage) -> Money:
        """Return the cost of a usage; in the currency of the list where there is neither."""
        try:
            return self.book.quote(name, usage, at=self.at, currency=self.currency, fx=self.fx, **self.selection).total
        except CurrencyError:
            if self.fx is not None:
                raise
            return self.book.quote(name, usage, at=self.at, **self.selection).total


class _Texts(NamedTuple):
    """What is sent, and what is made of it."""

    sent: str
    made: str


def _order(row: TextCost) -> tuple[object, ...]:
    assert row.total is not None
    return (row.total.cost.amount, row.offering)


def _row(name: str, offering: str, texts: _Texts, counts: tuple[TokenCount, TokenCount], prices: _Prices, *, both: bool) -> TextCost:
    """Price a text as input and as output, and both in one request; what has no price is left out with its reason."""
    sent, made = counts
    reasons: dict[str, None] = {}

    def priced(kinds: Sequence[Usage], characters: int) -> CostRange | None:
        try:
            middle, low, high = (prices.cost(name, usage) for usage in kinds)
        except _NO_PRICE as error:
            reasons[str(error)] = None
            return None
        per = (
            None
            if not characters
            else Money(from_fraction(Fraction(middle.amount) * _MILLION / characters, places=_PRICE_PLACES), middle.currency)
        )
        return CostRange(middle, low, high, per)

    as_input = priced([Usage(input=n) for n in _three(sent)], len(texts.sent))
    as_output = priced([Usage(output=n) for n in _three(made)], len(texts.made))
    total = as_input
    if both:
        pairs = zip(_three(sent), _three(made), strict=True)
        total = priced([Usage(input=a, output=b) for a, b in pairs], len(texts.sent) + len(texts.made))
    return TextCost(name, offering, sent, made, as_input, as_output, total, tuple(reasons))


def _three(count: TokenCount) -> tuple[int, int, int]:
    return count.tokens, count.low, count.high

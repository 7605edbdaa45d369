"""Claims: what the press said of a price, which rate that really is, and what the mistake amounts to."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import UnknownNameError, UnpricedMeterError
from tokencost.exact import from_fraction
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.meter import METERS, ancestors
from tokencost.tariffs.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.rating.quote import Quote
    from tokencost.rating.usage import Usage
    from tokencost.tariffs.provider import Claim

__all__ = ["ClaimCheck", "ClaimedLine", "ClaimedPrice", "explain_claim"]


class ClaimedPrice(NamedTuple):
    """One figure of a claim, held against the provider's own list.

    `said` is the figure that the article gives `meter`; `really` is the meter that it belongs to, whose price on the list is `listed`;
    `proper` is what the list asks for `meter` itself. Prices are per `priced_per`.
    """

    meter: str
    said: Decimal
    really: str
    listed: Decimal
    proper: Decimal
    priced_per: str

    @property
    def right(self) -> bool:
        """Whether the figure is the price of the meter that it was said of."""
        return self.said == self.proper

    @property
    def traced(self) -> bool:
        """Whether the figure is on the list at all, under the meter that it really is."""
        return self.said == self.listed

    def __str__(self) -> str:
        if self.right:
            return f"{self.meter} was said to cost {self.said:f} per {self.priced_per}, and did"
        origin = f"that is the price of {self.really}" if self.traced else f"no price of the list, {self.really} was {self.listed:f}"
        return f"{self.meter} was said to cost {self.said:f} per {self.priced_per}; {origin}, {self.meter} cost {self.proper:f}"


class ClaimedLine(NamedTuple):
    """One bucket of a usage at the price that a claim gives it; `charged_as` is the meter whose figure was taken."""

    meter: str
    charged_as: str
    quantity: int
    price: Decimal
    amount: Money


class ClaimCheck(NamedTuple):
    """A claim held against the list, and what a usage costs by either.

    `prices` say which rate each figure really is. With a usage, `quote` is what it really costs, `lines` and `by_press` what it would
    cost by the figures of the claim; without one they are empty.

    >>> import tokencost as tc
    >>> usage = tc.Usage(cache_read=70_000_000, input=30_000_000, output=10_000_000)
    >>> check = tc.explain_claim(tc.load_book(), "ainvest-2025-07-28", usage, at="2025-02-01T12:00:00Z")
    >>> str(check.really), str(check.by_press), str(check.missing)
    ('48.20 USD', '35.90 USD', '12.30 USD')
    """

    claim: Claim
    prices: tuple[ClaimedPrice, ...]
    lines: tuple[ClaimedLine, ...] = ()
    by_press: Money | None = None
    quote: Quote | None = None

    @property
    def really(self) -> Money | None:
        """What the usage really costs."""
        return None if self.quote is None else self.quote.native

    @property
    def missing(self) -> Money | None:
        """What the figures of the claim leave out: the real cost less theirs, negative where they ask too much."""
        return None if self.quote is None or self.by_press is None else self.quote.native - self.by_press

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the claim is right or wrong, one sentence for each figure, and one for each bucket of the usage that it misprices."""
        return (*map(str, self.prices), *self._mispriced())

    def _mispriced(self) -> Iterator[str]:
        """Say of each figure that misprices the usage how much it is charged for, and what those buckets really pay."""
        real = {} if self.quote is None else {line.meter: line for line in self.quote.lines}
        for price in self.prices:
            mine = [line for line in self.lines if line.charged_as == price.meter]
            if all(real[line.meter].price == line.price for line in mine):
                continue
            whole = f"{sum(line.quantity for line in mine):,} {METERS[price.meter].unit}s"
            parts = " and ".join(f"{line.quantity:,} {line.meter} pay {real[line.meter].price:f}" for line in mine)
            yield f"the press charges all {whole} under {price.meter} {price.said:f} per {price.priced_per}; really {parts}"

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each figure of the claim, ready for a data frame."""
        common = {"claim": self.claim.id, "offering": self.claim.offering, "at": iso(self.claim.at), "currency": self.claim.currency}
        return [{**common, **price._asdict(), "right": price.right, "traced": price.traced} for price in self.prices]

    def table(self) -> Table:
        """Return the figures, and the cost by either reckoning, as a table for eyes."""
        columns = (Column("meter"), Column("said", number=True), Column("really the price of"), Column("its own price", number=True))
        rows = [(price.meter, f"{price.said:f}", price.really, f"{price.proper:f}") for price in self.prices]
        claim = self.claim
        title = f"{claim.id}: {claim.publication}, {claim.article}"
        notes = [f"{claim.offering} on {iso(claim.at)}, {claim.currency}", *self.reasons]
        notes += [f"note: {claim.note}"] if claim.note else []
        if self.quote is not None:
            notes.append(f"by the press {self.by_press}, really {self.really} at {iso(self.quote.at)}; the press leaves out {self.missing}")
        return Table(title, columns, tuple(rows), tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def explain_claim(book: Book, claim: Claim | str, usage: Usage | None = None, *, at: datetime | str | None = None) -> ClaimCheck:
    """Hold what the press said of a price against the provider's own list.

    `claim` is one of `book.claims` or its id. With a `usage`, both reckonings of its cost are made: by the list in force at `at` (the
    instant of the claim, if left out), and by the figures of the claim, which price a bucket that they do not name like its nearest
    ancestor: an article that gives one price for input charges it for cached input too.

    >>> import tokencost as tc
    >>> for price in tc.explain_claim(tc.load_book(), "ainvest-2025-07-28").prices:
    ...     print(price)
    input was said to cost 0.14 per 1M tokens; that is the price of cache_read, input cost 0.55
    output was said to cost 2.19 per 1M tokens, and did

    Raises:
        UnknownNameError: no claim has this id.
        UnpricedMeterError: the list or the claim has no price for a bucket of the usage.
        OutsideHistoryError, CurrencyError, InstantError: as in [Book.quote][].
    """
    if isinstance(claim, str):
        claim = _named(book, claim)
    listed = book.tariff(claim.offering).card(at=claim.at, currency=claim.currency).rows[0].prices
    prices = tuple(_held(claim, name, listed) for name in claim.said)
    if usage is None:
        return ClaimCheck(claim, prices)
    lines = tuple(_line(claim, bucket, count) for bucket, count in usage.counts.items())
    quote = book.quote(claim.offering, usage, at=claim.at if at is None else to_instant(at), currency=claim.currency)
    return ClaimCheck(claim, prices, lines, Money.sum((line.amount for line in lines), currency=claim.currency), quote)


def _named(book: Book, claim_id: str) -> Claim:
    for claim in book.claims:
        if claim.id == claim_id:
            return claim
    raise UnknownNameError.of(claim_id, (claim.id for claim in book.claims), what="claim")


def _held(claim: Claim, name: str, listed: Mapping[str, Decimal]) -> ClaimedPrice:
    really = claim.really.get(name, name)
    return ClaimedPrice(name, claim.said[name], really, _price(claim, listed, really), _price(claim, listed, name), METERS[name].priced_per)


def _price(claim: Claim, listed: Mapping[str, Decimal], name: str) -> Decimal:
    """Return the price of a meter on the list, or of its nearest priced ancestor."""
    billed_as = next((meter for meter in ancestors(name) if meter in listed), None)
    if billed_as is None:
        raise _unpriced(claim, name, listed, f"{claim.offering} has no rate for {name} at {iso(claim.at)}")
    return listed[billed_as]


def _line(claim: Claim, bucket: str, count: int) -> ClaimedLine:
    charged_as = next((meter for meter in ancestors(bucket) if meter in claim.said), None)
    if charged_as is None:
        raise _unpriced(claim, bucket, claim.said, f"claim {claim.id} says nothing of {bucket}")
    price = claim.said[charged_as]
    amount = from_fraction(count * Fraction(price) / METERS[charged_as].per)
    return ClaimedLine(bucket, charged_as, count, price, Money(amount, claim.currency))


def _unpriced(claim: Claim, name: str, priced: Mapping[str, Decimal], why: str) -> UnpricedMeterError:
    return UnpricedMeterError(
        f"{why}; it prices {', '.join(priced)}, so leave {name} out", offering=claim.offering, meter=name, priced=tuple(priced)
    )

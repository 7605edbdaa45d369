"""Break-even of a cache: how often a prefix must be read again before writing it has paid."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import UsageError, UsageTypeError
from tokencost.exact import from_fraction
from tokencost.rating.book import load_book
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso
from tokencost.tariffs.meter import METERS, ancestors
from tokencost.workloads.replay import rule_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.rating.offering import RateCard
    from tokencost.workloads.cache_rule import CacheRule

__all__ = ["CacheBreakEven", "cache_break_even"]

_PLACES: Final = 6
_HOUR: Final = 3600


class CacheBreakEven(NamedTuple):
    """What writing a prefix of `tokens` tokens costs and what each read of it saves, and so how many reads pay for it.

    `input`, `write` and `read` are prices of 1M tokens, `storage` of 1M tokens kept for an hour, `hit` of 1,000 requests that hit; None
    where the rule bills none. `prices_as` names the meter whose price stands for another that the list does not have.
    """

    rule: CacheRule
    offering: str
    at: datetime
    currency: str
    tokens: int
    input: Decimal
    write: Decimal
    read: Decimal
    storage: Decimal | None = None
    hit: Decimal | None = None
    prices_as: Mapping[str, str] = {}

    @property
    def premium(self) -> Decimal:
        """What writing 1M tokens costs above their price as input; below 0 where writing is cheaper."""
        return self.write - self.input

    @property
    def saving(self) -> Fraction:
        """What reading 1M tokens from the cache saves, the fee of a hit taken off."""
        fee = Fraction(0) if self.hit is None else Fraction(self.hit) * 1000 / self.tokens
        return Fraction(self.input) - Fraction(self.read) - fee

    @property
    def exact_reads(self) -> Fraction | None:
        """How many reads within one lifetime pay exactly for one write and its storage; None where no number does."""
        if self.saving <= 0:
            return None
        kept = Fraction(0) if self.storage is None else Fraction(self.storage) * Fraction(self.rule.lifetime_s, _HOUR)
        return (Fraction(self.premium) + kept) / self.saving

    @property
    def reads(self) -> int | None:
        """The least number of reads within one lifetime with which the cache costs no more than none; None where no number does."""
        exact = self.exact_reads
        return None if exact is None else max(math.ceil(exact), 0)

    @property
    def reads_per_hour(self) -> Decimal | None:
        """How many reads an hour pay for the storage alone, rounded half-even to six decimals; None without storage or saving."""
        if self.storage is None or self.saving <= 0:
            return None
        return from_fraction(Fraction(self.storage) / self.saving, places=_PLACES)

    def hours(self, reads: int) -> Decimal | None:
        """Return for how many hours a prefix that is read so often may be kept until it costs more than it saves; None without storage.

        >>> import tokencost as tc
        >>> even = tc.cache_break_even("gemini-2.5-pro", rule="google-explicit", at="2026-03-01T00:00:00Z")
        >>> even.reads, even.hours(9)
        (4, Decimal('2.25'))

        Raises:
            UsageError: `reads` is negative; UsageTypeError where it is no whole number.
        """
        if type(reads) is not int:
            raise UsageTypeError(f"reads={reads!r} is not a whole number; pass an int", meter="reads", value=reads)
        if reads < 0:
            raise UsageError(f"reads={reads} is negative; pass 0 or more", meter="reads", value=reads)
        if not self.storage:
            return None
        return from_fraction(max((reads * self.saving - Fraction(self.premium)) / Fraction(self.storage), Fraction(0)), places=_PLACES)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record, ready for a data frame."""
        exact = None if self.exact_reads is None else from_fraction(self.exact_reads, places=_PLACES)
        made = {**self._asdict(), "rule": self.rule.id, "premium": self.premium, "saving": from_fraction(self.saving, places=_PLACES)}
        return [{**made, "exact_reads": exact, "reads": self.reads, "reads_per_hour": self.reads_per_hour}]

    def table(self) -> Table:
        """Return the prices and the answer as a table for eyes."""
        rows = [("input", "1M tokens", self.input), ("write", "1M tokens", self.write), ("read", "1M tokens", self.read)]
        if self.storage is not None:
            rows.append(("storage", "1M tokens and hour", self.storage))
        if self.hit is not None:
            rows.append(("hit", "1,000 hits", self.hit))
        columns = (Column(""), Column(f"price in {self.currency}", number=True), Column("per"))
        title = f"{self.rule.id} on {self.offering} at {iso(self.at)}, a prefix of {self.tokens:,} tokens"
        return Table(title, columns, tuple((name, format(price, "f"), per) for name, per, price in rows), tuple(self._said()))

    def _said(self) -> list[str]:
        exact = self.exact_reads
        said = [f"the list has no price of {name}; it is billed as {other}" for name, other in self.prices_as.items()]
        if exact is None:
            return [*said, "reading from the cache saves nothing, so it never pays"]
        life = self.rule.lifetime_text
        if not self.reads:
            said.append("writing costs nothing extra, so it pays with the first read")
        else:
            number = f"{self.reads} read{'s' * (self.reads != 1)}"
            said.append(f"pays after {number} within one lifetime ({life}); exactly {from_fraction(exact, places=_PLACES)}")
        if self.reads_per_hour is not None:
            said.append(f"storage alone takes {self.reads_per_hour} reads an hour")
        return said

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def cache_break_even(
    offering: str,
    *,
    rule: CacheRule | str,
    at: datetime | str,
    book: Book | None = None,
    tokens: int | None = None,
    currency: str | None = None,
    service_tier: str = "standard",
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> CacheBreakEven:
    """Return when a cache pays for itself on an offering: reads for each write within one lifetime, and hours of storage.

    `tokens` is the size of the prefix, which chooses the context tier and spreads the fee of a hit; without it, the rule's minimum.

    >>> import tokencost as tc
    >>> for rule in ("anthropic-5m", "anthropic-1h"):
    ...     even = tc.cache_break_even("claude-sonnet-4-5", rule=rule, at="2026-03-01T00:00:00Z")
    ...     print(even.reads, even.exact_reads)
    1 5/18
    2 10/9

    Raises:
        UnknownNameError: no shipped rule or no offering has this name.
        UsageError: the list does not price input or the storage that the rule bills, or `tokens` cannot be.
    """
    book = book or load_book()
    sold = book.tariff(offering)
    found = rule_of(rule).for_offering(sold.id)
    size = found.minimum if tokens is None else tokens
    if type(size) is not int or size < found.minimum:
        raise UsageError(
            f"tokens={size!r} is no prefix that {found.id} keeps; pass {found.minimum} or more, its minimum", meter="tokens", value=size
        )
    card = sold.card(at=at, currency=currency, service_tier=service_tier, mode=mode, residency=residency, tenant=tenant)
    prices = _prices(card, size)
    meters = {"input": "input", "write": found.write_meter or "input", "read": found.read_meter}
    meters |= {name: meter for name, meter in (("storage", found.storage_meter), ("hit", found.hit_meter)) if meter is not None}
    billed = {meter: _billed(meter, prices, card) for meter in meters.values()}
    return CacheBreakEven(
        found,
        card.offering,
        card.at,
        card.choice.currency,
        size,
        **{name: prices[billed[meter]] for name, meter in meters.items()},
        prices_as={meter: other for meter, other in billed.items() if meter != other},
    )


def _prices(card: RateCard, tokens: int) -> Mapping[str, Decimal]:
    rows = [row for row in card.rows if row.from_input <= tokens and row.from_output == 0]
    if not rows or (rows[-1].up_to_input or tokens) < tokens:
        raise UsageError(f"tokens={tokens} is above all that {card.offering} prices; pass fewer", meter="tokens", value=tokens)
    return rows[-1].prices


def _billed(meter: str, prices: Mapping[str, Decimal], card: RateCard) -> str:
    for name in ancestors(meter):
        if name in prices:
            return name
    raise UsageError(
        f"{card.offering} has no price of {meter} ({METERS[meter].counts}) at {iso(card.at)}; take a rule that it bills",
        meter=meter,
        value=None,
    )

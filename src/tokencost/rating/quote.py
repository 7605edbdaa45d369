"""Quotes: what a usage costs, line by line, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import StalePriceWarning
from tokencost.exact import decimal_of, from_fraction
from tokencost.rating.card import graduated
from tokencost.rating.timeline import STALE_AFTER
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso
from tokencost.tariffs.meter import METERS
from tokencost.tariffs.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from tokencost.errors import PriceWarning
    from tokencost.rating.card import Cell
    from tokencost.rating.evidence import Evidence
    from tokencost.rating.timeline import Segment, Timeline
    from tokencost.rating.usage import Usage
    from tokencost.tariffs.fx import Conversion
    from tokencost.tariffs.grid import Choice
    from tokencost.tariffs.tariff import Tariff

__all__ = ["LineItem", "Quote", "make_quote", "parts_of", "ticks_of", "total_of"]


class LineItem(NamedTuple):
    """One bucket of the usage at its rate.

    `billed_as` is the meter whose rate was taken, `billed` the quantity after a minimum, `price` per `priced_per`, `layer` the layer that
    gave the rate, and `source` the id of the document.
    """

    meter: str
    billed_as: str
    quantity: int
    billed: int
    price: Decimal
    priced_per: str
    amount: Money
    layer: str
    source: str


class Quote(NamedTuple):
    """The cost of a usage on one offering at one instant, exact.

    `total` is in `currency`, the currency of the list; `converted` carries a conversion if one was asked for. `lines` add up to the total
    exactly for tokens and calls; amounts by the hour that do not terminate are rounded at the 18th decimal, each line and the total once.
    `tier` is the lower edge of the context tier that applied. `warnings` say what to know about the price.

    >>> import tokencost as tc
    >>> usage = tc.Usage(input=300_000, cache_read=700_000, output=100_000)
    >>> quote = tc.load_book().quote("deepseek-reasoner", usage, at="2025-02-01T00:00:00Z")
    >>> quote.total
    Money('0.482', 'USD')
    >>> [(line.meter, str(line.amount)) for line in quote.lines]
    [('input', '0.165 USD'), ('cache_read', '0.098 USD'), ('output', '0.219 USD')]
    """

    offering: str
    at: datetime
    usage: Usage
    native: Money
    lines: tuple[LineItem, ...]
    choice: Choice
    window: str | None
    tier: int
    promo_until: datetime | None
    warnings: tuple[PriceWarning, ...]
    evidence: Evidence
    name: str
    rule: str
    dropped: str | None
    tariff: Tariff
    converted: Conversion | None = None
    tenant: str | None = None

    @property
    def total(self) -> Money:
        """The cost: in the currency of the list, or converted where a conversion was asked for."""
        return self.native if self.converted is None else self.converted.money

    @property
    def currency(self) -> str:
        """The currency of the total."""
        return self.total.currency

    @property
    def fingerprint(self) -> str:
        """A hash of the tariff that was rated, so that the figure can be reproduced."""
        import hashlib  # loads a cryptographic library; a first quote does not wait for it

        return hashlib.sha256(repr(self.tariff).encode()).hexdigest()[:16]

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each line, ready for a data frame."""
        common = {
            "offering": self.offering,
            "at": iso(self.at),
            "service_tier": self.choice.service_tier,
            "mode": self.choice.mode,
            "residency": self.choice.residency,
            "window": self.window,
            "tier": self.tier,
        }
        return [{**common, **line._asdict(), "amount": line.amount.amount, "currency": line.amount.currency} for line in self.lines]

    def table(self) -> Table:
        """Return the quote as a table for eyes."""
        columns = (
            Column("meter"),
            Column("billed as"),
            Column("quantity", number=True),
            Column("price", number=True),
            Column("per"),
            Column("amount", number=True),
            Column("layer"),
        )
        rows = [
            (
                line.meter,
                "" if line.billed_as == line.meter else line.billed_as,
                f"{line.billed:,}",
                format(line.price, "f"),
                line.priced_per,
                str(line.amount),
                line.layer,
            )
            for line in self.lines
        ]
        if len(self.lines) != 1:
            rows.append(("total", "", "", "", "", str(self.native), ""))
        selectors = [str(self.choice), self.window, f"tier from {self.tier:,}" if self.tier else None]
        title = f"{self.offering} at {iso(self.at)} ({', '.join(part for part in selectors if part)})"
        return Table(title, columns, tuple(rows), tuple(self._footnotes()))

    def _footnotes(self) -> Iterator[str]:
        known = self.evidence
        if self.rule != "id":
            yield f"name {self.name!r} by rule: {self.rule}" + (f", dropped {self.dropped}" if self.dropped else "")
        if self.converted is not None:
            yield f"converted: {self.converted.money} = {self.converted}"
        where = known.source.url if known.source else "no document"
        yield f"list of {iso(known.version_start)} ({known.basis}), checked {known.checked}: {where}"
        if known.note:
            yield f"note: {known.note}"
        yield from (f"warning: {warning}" for warning in self.warnings)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def parts_of(segment: Segment, usage: Usage, at: datetime) -> list[tuple[Cell, Usage]]:
    """Return the cells that a request is rated by, each with its share: one, unless the tariff is graduated."""
    ladder = segment.ladder(at)
    if segment.span.tariff.tiering == "graduated" and ladder.flat is None:
        return graduated(ladder, usage)
    return [(ladder.cell(usage), usage)]


def ticks_of(segment: Segment, usage: Usage, at: datetime) -> tuple[int, int] | None:
    """Return the exact total as an integer and its scale, or None where only a fraction is exact.

    Meters by the hour, minimum billing and graduated tiers need fractions or several rows; `total_of` rates these.
    """
    cell = segment.flat
    if cell is None:
        if segment.graduated:
            return None
        cell = segment.ladder(at).cell(usage)
    rates = cell.rates
    try:
        return sum([count * rates[name] for name, count in usage.counts.items()]), cell.scale
    except KeyError:
        return None


def total_of(segment: Segment, usage: Usage, at: datetime) -> Decimal:
    """Return the exact total of a usage; the slow, obvious twin of the fast path in `Book.cost`."""
    return _summed(parts_of(segment, usage, at))


def make_quote(line: Timeline, usage: Usage, at: datetime) -> Quote:
    """Rate a usage and say everything about it."""
    segment = line.last
    if segment is None or not segment.start <= at < segment.until:
        segment = line.segment(at)
    parts = parts_of(segment, usage, at)
    currency = segment.choice.currency
    lines = tuple([_line(cell, bucket, count, currency) for cell, share in parts for bucket, count in share.counts.items()])
    total = _money(_total(parts), currency)
    span, found = segment.span, line.resolution
    warnings = segment.notices
    if at > segment.stale:
        warnings = (*warnings, _stale(segment, at))
    return Quote(
        span.tariff.id,
        at,
        usage,
        total,
        lines,
        segment.choice,
        parts[-1][0].row.window,
        parts[-1][0].row.first_input,
        span.promo.until if span.promo is not None and segment.from_promo else None,
        warnings,
        line.evidence(segment),
        found.name,
        found.rule,
        found.dropped,
        span.tariff,
        None,
        line.selection.tenant,
    )


def _total(parts: list[tuple[Cell, Usage]]) -> Decimal:
    if len(parts) == 1:
        cell, usage = parts[0]
        try:
            return decimal_of(cell.number(usage), cell.scale)
        except KeyError:
            pass
    return _summed(parts)


def _summed(parts: list[tuple[Cell, Usage]]) -> Decimal:
    from fractions import Fraction

    return from_fraction(sum((cell.fraction(share) for cell, share in parts), Fraction(0)))


def _line(cell: Cell, bucket: str, count: int, currency: str) -> LineItem:
    billed_as = cell.billed_as.get(bucket)
    if billed_as is None:
        raise cell.unpriced(bucket)
    billed = cell.billed(bucket, count) if cell.minimum else count
    rate = cell.rates.get(bucket)
    amount = decimal_of(billed * rate, cell.scale) if rate is not None else from_fraction(cell.amount(bucket, count))
    layer = cell.layer(billed_as) if cell.steps else cell.origin.layer
    return LineItem(
        bucket,
        billed_as,
        count,
        billed,
        cell.prices[billed_as],
        METERS[billed_as].priced_per,
        _money(amount, currency),
        layer,
        cell.origin.source,
    )


def _money(amount: Decimal, currency: str) -> Money:
    """Make money from parts that are known to be right, without checking them again."""
    made = _new(Money)
    _set_amount(made, amount)
    _set_currency(made, currency)
    return made


_new: Final = object.__new__
_set_amount: Final = Money.__dict__["amount"].__set__
_set_currency: Final = Money.__dict__["currency"].__set__


def _stale(segment: Segment, at: datetime) -> StalePriceWarning:
    checked = segment.span.version.checked
    return StalePriceWarning(
        f"the price was last checked on {checked}, more than {STALE_AFTER.days} days before {iso(at)}; it may have changed",
        checked=checked,
        at=at,
    )

"""Estimates of a month's cost: the expected cost exactly, its parts, its spread, and what a spreadsheet would have said."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tokencost.errors import UnknownNameError, UsageError
from tokencost.exact import plain
from tokencost.table import Column, Table
from tokencost.tariffs.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokencost.errors import PriceWarning
    from tokencost.rating.book import Book
    from tokencost.rating.evidence import Evidence
    from tokencost.rating.timeline import Selection
    from tokencost.workloads.credits import Credit
    from tokencost.workloads.month_cost import CostRow
    from tokencost.workloads.profile import Month
    from tokencost.workloads.sensitivity import Sensitivity
    from tokencost.workloads.workload import Workload

__all__ = ["CostQuantile", "CostShare", "Estimate", "Inputs", "shown_money", "to_money"]

Part = Literal["segment", "service_tier", "mode", "window", "meter"]
_PARTS: Final = ("segment", "service_tier", "mode", "window", "meter")
_PLACES: Final = 12
_PRICE_PLACES: Final = 6
_SHOWN: Final = 2
_MILLION: Final = 10**6
_THOUSAND: Final = 1000


class CostShare(NamedTuple):
    """A part of the expected cost before credits: what it costs, and its share of all in per cent."""

    name: str
    cost: Money
    percent: Decimal


class CostQuantile(NamedTuple):
    """The cost that a month does not pass in a share of the simulated months."""

    share: Fraction
    cost: Money


class Inputs(NamedTuple):
    """What an estimate was made with, so that it can be made again with one thing changed; and the factor of each currency."""

    book: Book
    selection: Selection
    factors: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a workload is expected to cost in a month on one offering.

    `exact` is the expected cost after credits, as a fraction of the unit of `currency`; None where some requests have no price
    (`unpriced` says why, and how many are expected), or where the list is in a currency that was not converted. `gross` is before
    `credits`, as are the `rows`, one for each segment, service tier, mode, window and meter, in the currency of the list. `naive_exact` is
    the mean request at the mean price. `quantiles` and `spread` (a standard deviation) are simulated.

    >>> import tokencost as tc
    >>> chat = tc.Workload.described(requests=100_000, prompt=3_000, completion=400, cached=0.5)
    >>> result = tc.estimate(chat, "gpt-4o", month="2026-03")
    >>> result.expected, result.per_1000_requests
    (Money('962.5', 'USD'), Money('9.625', 'USD'))
    >>> [(part.name, str(part.cost)) for part in result.by("meter")]
    [('output', '400.00 USD'), ('input', '375.00 USD'), ('cache_read', '187.50 USD')]
    """

    workload: Workload
    offering: str
    month: Month
    currency: str
    exact: Fraction | None
    gross: Fraction | None
    rows: tuple[CostRow, ...]
    credits: tuple[Credit, ...]
    unpriced: Mapping[str, Fraction]
    naive_exact: Fraction | None
    quantiles: tuple[CostQuantile, ...]
    spread: Money | None
    warnings: tuple[PriceWarning, ...]
    evidence: tuple[Evidence, ...]
    notes: tuple[str, ...]
    inputs: Inputs = field(repr=False, compare=False)

    @property
    def expected(self) -> Money | None:
        """The expected cost, rounded half-even at the twelfth decimal."""
        return None if self.exact is None else to_money(self.exact, self.currency)

    @property
    def requests(self) -> int:
        """The number of requests expected in the month."""
        return self.workload.requests

    @property
    def tokens(self) -> Fraction:
        """The tokens expected in the month, cached ones included."""
        return self.workload.tokens

    @property
    def native(self) -> Money | None:
        """What the priced requests cost before credits in the currency of the list; None where there are several."""
        sums: dict[str, Fraction] = {}
        for row in self.rows:
            sums[row.currency] = sums.get(row.currency, Fraction(0)) + row.cost
        if len(sums) != 1:
            return None
        currency, cost = sums.popitem()
        return to_money(cost, currency)

    @property
    def credit(self) -> Money | None:
        """What allowances take off."""
        return None if self.gross is None or self.exact is None else to_money(self.gross - self.exact, self.currency)

    @property
    def naive(self) -> Money | None:
        """The mean request at the mean price: what a spreadsheet says. None where that request has no price."""
        return None if self.naive_exact is None else to_money(self.naive_exact, self.currency)

    @property
    def gap(self) -> Money | None:
        """The expected cost before credits, less the naive one."""
        found = self._gap
        return None if found is None else to_money(found, self.currency)

    @property
    def gap_percent(self) -> Decimal | None:
        """The gap in per cent of the naive cost, at four decimals."""
        found = self._gap
        return None if found is None or not self.naive_exact else _decimal(found / self.naive_exact * 100, 4)

    @property
    def _gap(self) -> Fraction | None:
        return None if self.gross is None or self.naive_exact is None else self.gross - self.naive_exact

    @property
    def realised_price(self) -> Money | None:
        """The expected cost per million tokens, cached ones included, at six decimals."""
        return self._per(_MILLION, self.tokens)

    @property
    def per_1000_requests(self) -> Money | None:
        """The expected cost of a thousand requests, at six decimals."""
        return self._per(_THOUSAND, Fraction(self.requests))

    def _per(self, unit: int, count: Fraction) -> Money | None:
        if self.exact is None or not count:
            return None
        return to_money(self.exact * unit / count, self.currency, places=_PRICE_PLACES)

    def by(self, part: Part) -> tuple[CostShare, ...]:
        """Return the expected cost before credits by segment, service_tier, mode, window or meter, the largest first.

        Raises:
            UnknownNameError: there is no such part.
            UsageError: the list is in a currency that was not converted.
        """
        if part not in _PARTS:
            raise UnknownNameError.of(str(part), _PARTS, what="part of an estimate", where=", ".join(_PARTS))
        sums: dict[str, Fraction] = {}
        for row in self.rows:
            name = row.meter if part == "meter" else getattr(row.where, part)
            named = "none" if name is None else str(name)
            sums[named] = sums.get(named, Fraction(0)) + row.cost * self._factor(row.currency)
        whole = sum(sums.values(), Fraction(0))
        ordered = sorted(sums.items(), key=lambda item: -item[1])
        return tuple(
            CostShare(name, to_money(cost, self.currency), _decimal(cost / whole * 100, 2) if whole else Decimal(0))
            for name, cost in ordered
        )

    def _factor(self, currency: str) -> Fraction:
        if currency not in self.inputs.factors:
            raise UsageError(
                f"the list of {self.offering} is in {currency}, not {self.currency}; pass fx= with a dated exchange table",
                meter="currency",
                value=currency,
            )
        return self.inputs.factors[currency]

    def sensitivity(self) -> Sensitivity:
        """Return what drives the cost: by how much it changes with the hit rate, the completions, the growth and the hours."""
        from tokencost.workloads.sensitivity import sensitivity_of

        return sensitivity_of(self)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each row, ready for a data frame; costs are before credits, in the currency of the list."""
        return [
            {
                "offering": self.offering,
                "month": self.month.text,
                **row.where._asdict(),
                "meter": row.meter,
                "cost": to_money(row.cost, row.currency).amount,
                "currency": row.currency,
            }
            for row in self.rows
        ]

    def table(self) -> Table:
        """Return the estimate as a table for eyes: where the cost falls, and below it what there is to say."""
        columns = (Column("part"), Column(""), Column("cost", number=True), Column("%", number=True))
        rows = [
            (part.replace("_", " "), share.name, shown_money(share.cost), f"{share.percent:.1f}")
            for part in _PARTS
            for share in self._shares(part)
        ]
        total = "—" if self.expected is None else f"{shown_money(self.expected)} {self.currency}"
        title = (
            f"{self.workload.title} on {self.offering} in {self.month}: {self.requests:,} requests, {round(self.tokens):,} tokens, {total}"
        )
        return Table(title, columns, tuple(rows), tuple(self._footnotes()))

    def _shares(self, part: Part) -> tuple[CostShare, ...]:
        if any(row.currency not in self.inputs.factors for row in self.rows):
            return ()
        shares = self.by(part)
        return shares if part == "meter" or len(shares) > 1 else ()

    def _footnotes(self) -> Iterator[str]:
        for reason, number in self.unpriced.items():
            yield f"{shown_number(number)} of {self.requests:,} requests have no price: {reason}"
        for credit in self.credits:
            amount = shown_money(to_money(credit.amount, credit.currency))
            free = f"{shown_number(credit.free)} of {shown_number(credit.used)} {credit.meter}"
            yield f"free: {free} ({credit.quantity:,} {'once' if credit.per == 'once' else f'a {credit.per}'}), {amount} {credit.currency}"
        if self.realised_price is not None and self.per_1000_requests is not None:
            yield f"{shown_money(self.per_1000_requests)} per 1,000 requests, {shown_money(self.realised_price)} per 1M tokens"
        if self.naive is not None and self.gap is not None:
            percent = "" if self.gap_percent is None else f" ({self.gap_percent:+.1f}%)"
            yield f"mean size times mean price: {shown_money(self.naive)}; gap {shown_money(self.gap, signed=True)}{percent}"
        if self.quantiles:
            yield "simulated: " + ", ".join(f"{float(own.share):g}: {shown_money(own.cost)}" for own in self.quantiles)
        yield from self.notes
        yield from (f"warning: {warning}" for warning in self.warnings)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def to_money(number: Fraction, currency: str, *, places: int = _PLACES) -> Money:
    """Return a fraction as money, rounded half-even; by default at the twelfth decimal."""
    return Money(_decimal(number, places), currency)


def _decimal(number: Fraction, places: int) -> Decimal:
    return plain(Decimal(round(number * 10**places)).scaleb(-places))


def shown_money(money: Money, *, signed: bool = False) -> str:
    """Return an amount for eyes: with two decimals, or with as many as its first three figures need."""
    places = max(_SHOWN, _SHOWN - money.amount.adjusted()) if money else _SHOWN
    return format(money.rounded(places=places).amount, f"{'+' if signed else ''},.{places}f")


def shown_number(number: Fraction) -> str:
    """Return an expected number for eyes: whole where it is large."""
    return f"{round(number):,}" if number.denominator == 1 or number >= 100 else f"{float(number):.3g}"  # noqa: PLR2004

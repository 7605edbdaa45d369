"""The book: all tariffs of a shelf, ready to rate."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokencost.errors import CurrencyError
from tokencost.exact import decimal_of
from tokencost.rating.quote import make_quote, total_of
from tokencost.rating.timeline import Selection, Timeline
from tokencost.tariffs.clock import to_instant
from tokencost.tariffs.money import currency_code
from tokencost.tariffs.names import resolve
from tokencost.tariffs.shelf import Shelf, shipped_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from tokencost.rating.costs import Costs
    from tokencost.rating.fused import KernelKind
    from tokencost.rating.layers import Layer
    from tokencost.rating.matrix import CostMatrix
    from tokencost.rating.offering import Offering
    from tokencost.rating.plan import Plan
    from tokencost.rating.quote import Quote
    from tokencost.rating.rate_table import Detail
    from tokencost.rating.usage import Usage
    from tokencost.rating.usage_table import UsageColumns
    from tokencost.tariffs.fx import ExchangeTable
    from tokencost.tariffs.names import Resolution
    from tokencost.tariffs.provider import Claim
    from tokencost.tariffs.tariff import Tariff

__all__ = ["Book", "load_book"]


def load_book(path: str | Path | None = None, *, currency: str = "USD") -> Book:
    """Open a book of price tables: the shipped ones, or a folder of one's own.

    `currency` is the list that is preferred where an offering has several. Nothing is fetched, and no file is read before it is needed.

    >>> import tokencost as tc
    >>> tc.load_book().cost("deepseek-reasoner", tc.Usage(output=1_000_000), at="2025-02-01T00:00:00Z")
    Decimal('2.19')

    Raises:
        TableError: the folder does not exist; a table that does not hold is reported when it is read.
        MoneyError: the currency is not an ISO 4217 code.
    """
    root = shipped_tables() if path is None else Path(path)
    return Book(Shelf(root, trusted=path is None), currency=currency_code(currency))


class Book:
    """All tariffs of a shelf under one preferred currency and one set of layers.

    A book never changes; `with_layers`, `with_tariffs` and `with_currency` make new ones.
    """

    def __init__(self, shelf: Shelf, *, currency: str = "USD", layers: tuple[Layer, ...] = ()) -> None:
        self.shelf = shelf
        self.currency = currency
        self.layers = layers
        self._lines: dict[tuple[str, str | None, str, str | None, str | None, str | None], Timeline] = {}
        self._plain: dict[str, Timeline] = {}  # the same lines where nothing but the name was chosen, found faster by it alone

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.shelf, self.currency, self.layers)

    def with_layers(self, layers: Iterable[Layer]) -> Book:
        """Return a book with these contracts and markups above its prices, in place of the ones it had."""
        return Book(self.shelf, currency=self.currency, layers=tuple(layers))

    def with_tariffs(self, tariffs: Iterable[Tariff]) -> Book:
        """Return a book that holds these tariffs too, in place of those with the same id."""
        return Book(self.shelf.with_tariffs(tariffs), currency=self.currency, layers=self.layers)

    def with_currency(self, currency: str) -> Book:
        """Return a book that prefers another currency."""
        return Book(self.shelf, currency=currency_code(currency), layers=self.layers)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all offerings, sorted."""
        return self.shelf.ids

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What the press said of prices, and which rates those figures really are."""
        return self.shelf.claims

    @cached_property
    def fingerprint(self) -> str:
        """A hash of every tariff, provider and calendar, so that any figure can be reproduced. Reads all tables."""
        import hashlib  # loads a cryptographic library; a first quote does not wait for it

        digest = hashlib.sha256()
        for tariff in self.shelf.tariffs():
            digest.update(repr(tariff).encode())
        for provider in self.shelf.provider_ids:
            digest.update(repr(self.shelf.provider(provider)).encode())
        for calendar in self.shelf.calendar_ids:
            digest.update(repr(self.shelf.calendar(calendar)).encode())
        digest.update(repr(self.layers).encode())
        return digest.hexdigest()[:16]

    def resolve(self, name: str) -> Resolution:
        """Say what a name means, by which rule, and what was dropped.

        Raises:
            UnknownNameError: nothing has this name.
            AmbiguousNameError: several offerings have it.
        """
        return resolve(self.shelf, name)

    def tariff(self, name: str, *, at: datetime | str | None = None) -> Offering:
        """Return an offering by name, ready to quote; `at` chooses where a name has meant several over time.

        >>> import tokencost as tc
        >>> tc.load_book().tariff("deepseek-reasoner").id
        'deepseek/global/deepseek-reasoner'
        """
        from tokencost.rating.offering import Offering

        return Offering(self, self.resolve(name), None if at is None else to_instant(at))

    def timeline(
        self,
        name: str,
        *,
        currency: str | None = None,
        service_tier: str = "standard",
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
    ) -> Timeline:
        """Return the compiled price history of a name under one selection."""
        key = (name, currency, service_tier, mode, residency, tenant)
        line = self._lines.get(key)
        if line is None:
            selection = Selection(currency, service_tier, mode, residency, tenant).checked()
            line = Timeline(self.shelf, self.resolve(name), selection, layers=self.layers, prefer=self.currency)
            self._lines[key] = line
            if key == (name, None, "standard", None, None, None):
                self._plain[name] = line
        return line

    def cost(
        self,
        name: str,
        usage: Usage,
        *,
        at: datetime | str,
        currency: str | None = None,
        service_tier: str = "standard",
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
    ) -> Decimal:
        """Return just the total of a usage, exact, in the currency of the list.

        >>> import tokencost as tc
        >>> tc.load_book().cost("deepseek-reasoner", tc.Usage(input=1_000_000), at="2025-03-01T17:00:00Z")
        Decimal('0.135')

        Raises:
            UnknownNameError: nothing has this name.
            OutsideHistoryError: no price is known at the instant.
            CurrencyError, NoRateError, UnpricedMeterError, AboveListError, CalendarError: the list has no such price.
            InstantError: the instant is naive or no instant.
        """
        try:
            if currency is None and mode is None and residency is None and tenant is None and service_tier == "standard":
                line = self._plain[name]
            else:
                line = self._lines[name, currency, service_tier, mode, residency, tenant]
        except (KeyError, TypeError):
            line = self.timeline(name, currency=currency, service_tier=service_tier, mode=mode, residency=residency, tenant=tenant)
        if type(at) is not datetime:
            at = to_instant(at)
        segment = line.last
        try:
            if segment is None or not segment.start <= at < segment.until:
                segment = line.segment(at)
        except TypeError:
            to_instant(at)  # a naive instant cannot be compared; this says so
            raise
        cell = segment.flat
        if cell is None:
            if segment.graduated:
                return total_of(segment, usage, at)
            cell = segment.ladder(at).cell(usage)
        rates = cell.rates
        total = 0
        try:
            for meter, count in usage.counts.items():
                total += count * rates[meter]
        except KeyError:  # a meter priced by the hour, one with a minimum, or one without a rate
            return total_of(segment, usage, at)
        return decimal_of(total, cell.scale)

    def plan(self) -> Plan:
        """Return an empty plan: compiled price law that grows with what is asked of it, for many tables in a row."""
        from tokencost.rating.plan import Plan

        return Plan(self)

    def rate_table(
        self,
        table: object,
        *,
        columns: UsageColumns | Mapping[str, str] | None = None,
        model: str | None = None,
        at: datetime | str | None = None,
        currency: str | None = None,
        service_tier: str | None = None,
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
        detail: Detail = "rows",
        threads: int | None = None,
        kernel: KernelKind = "auto",
    ) -> Costs:
        """Rate a whole table of usage, exactly and at once: models, instants, selections and currencies may be mixed.

        `table` is a dict of arrays, or a frame of pandas, polars, pyarrow or duckdb. Columns are found by their usual names, or by
        `columns`; what is passed as an argument is one value for all rows. Rows without a price are counted with their causes, never
        taken as zero. `detail="meters"` keeps the cost of each meter. `threads` is one unless more are asked for.

        Very many rows are multiplied by compiled loops where the extra `compiled` is installed, else by numpy, with the same digits;
        `kernel="numpy"` and `kernel="compiled"` choose one of the two, whatever the size.

        >>> import tokencost as tc
        >>> table = {"model": ["gpt-4o", "deepseek-reasoner"], "at": ["2025-02-01T00:00:00Z"] * 2, "input": [1000, 500], "output": [0, 9]}
        >>> tc.load_book().rate_table(table).amounts()
        [Decimal('0.0025'), Decimal('0.00029471')]

        Raises:
            ColumnError: a column is missing, there twice, or of the wrong type.
            InstantError: instants without an offset, and no zone.
            LayerError: two layers of the book claim one rate.
            ModuleNotFoundError: `kernel="compiled"` without the extra `compiled`, or a frame without the extra `frames`.
        """
        from tokencost.rating.rate_table import rate_usage_table
        from tokencost.rating.usage_table import read_usage_table

        usage = read_usage_table(
            table,
            columns=columns,
            model=model,
            at=at,
            currency=currency,
            service_tier=service_tier,
            mode=mode,
            residency=residency,
            tenant=tenant,
        )
        return rate_usage_table(self.plan(), usage, detail=detail, threads=threads, kernel=kernel)

    def rate_matrix(
        self,
        table: object,
        offerings: Sequence[str],
        *,
        by: str | Sequence[str] = (),
        columns: UsageColumns | Mapping[str, str] | None = None,
        at: datetime | str | None = None,
        currency: str | None = None,
        service_tier: str | None = None,
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
        threads: int | None = None,
    ) -> CostMatrix:
        """Rate the same usage on many offerings: what it would have cost there, row by row, or by groups of rows.

        With `at` all rows are rated at one instant's prices; without it each at its own. Contracts are those of the book.

        >>> import tokencost as tc
        >>> table = {"input": [1000, 1000], "output": [100, 100], "team": ["red", "blue"]}
        >>> print(tc.load_book().rate_matrix(table, ["gpt-4o", "gpt-4o-mini"], by="team", at="2025-06-01T00:00:00Z"))
        cost of the same usage by team
        offering        blue      red  currency
        ───────────  ───────  ───────  ────────
        gpt-4o        0.0035   0.0035  USD
        gpt-4o-mini  0.00021  0.00021  USD

        Raises:
            UnknownNameError, AmbiguousNameError: an offering's name is not clear.
            ColumnError: a column is missing, there twice, or of the wrong type.
        """
        from tokencost.rating.matrix import rate_usage_matrix
        from tokencost.rating.usage_table import read_usage_table

        chosen = {"currency": currency, "service_tier": service_tier, "mode": mode, "residency": residency, "tenant": tenant}
        usage = read_usage_table(table, columns=columns, model=next(iter(offerings), ""), at=at, **chosen)
        return rate_usage_matrix(self.plan(), usage, offerings, by=(by,) if isinstance(by, str) else tuple(by), threads=threads)

    def quote(
        self,
        name: str,
        usage: Usage,
        *,
        at: datetime | str,
        currency: str | None = None,
        service_tier: str = "standard",
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
        fx: ExchangeTable | None = None,
    ) -> Quote:
        """Return the cost of a usage with its lines, evidence and warnings.

        With `fx` a currency without a list is converted to, at the dated rate that the quote then shows.

        >>> import tokencost as tc
        >>> quote = tc.load_book().quote("deepseek-reasoner", tc.Usage(input=1_000_000), at="2025-03-01T17:00:00Z")
        >>> str(quote.total), quote.window
        ('0.135 USD', 'off_peak')
        """
        line = self.timeline(name, currency=currency, service_tier=service_tier, mode=mode, residency=residency, tenant=tenant)
        when = at if type(at) is datetime and at.utcoffset() is not None else to_instant(at)
        try:
            return make_quote(line, usage, when)
        except CurrencyError as error:
            if fx is None or currency is None:
                raise
            listed = self.currency if self.currency in error.available else error.available[0]
        quote = self.quote(name, usage, at=when, currency=listed, service_tier=service_tier, mode=mode, residency=residency, tenant=tenant)
        return quote._replace(converted=fx.convert(quote.native, currency, at=when))


def _reopen(shelf: Shelf, currency: str, layers: tuple[Layer, ...]) -> Book:
    return Book(shelf, currency=currency, layers=layers)

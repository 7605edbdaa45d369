"""Comparisons: one workload on many offerings, exact and sorted."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tokencost.errors import AmbiguousNameError, CurrencyError, TokencostError, UnknownNameError, UsageError
from tokencost.exact import from_fraction
from tokencost.rating.book import Book, load_book
from tokencost.rating.quote import ticks_of, total_of
from tokencost.rating.usage import Usage
from tokencost.table import Column, Table
from tokencost.tariffs.clock import UTC, iso, to_instant
from tokencost.tariffs.money import Money
from tokencost.workloads.trace import Trace
from tokencost.workloads.workload import Segment, Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokencost.rating.timeline import Segment as TimelineSegment
    from tokencost.rating.timeline import Timeline
    from tokencost.tariffs.fx import ExchangeTable

__all__ = ["Compared", "Comparison", "compare"]

_PRICE_PLACES = 6


class Demand(NamedTuple):
    """What is compared, in the one shape that rating needs: requests of one usage, perhaps at their own instant."""

    usage: Usage
    requests: int
    at: datetime | None


class Compared(NamedTuple):
    """One offering's share of a comparison.

    `total` is in the currency of the comparison, None where some requests have no price or no conversion was passed; `native` is what the priced
    requests cost in the currency of the list. `priced` and `unpriced` count requests, `reasons` say why some have no price.
    `realised_price` is per million tokens of the workload, rounded half-even to six decimals, as is `per_1000_requests`.
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
    """Many offerings on one workload, cheapest first; those without a full price last.

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
        columns = [Column("offering"), Column("total", number=True), Column("per 1,000 requests", number=True), Column("per 1M tokens", number=True)]
        columns += [Column("to cheapest", number=True)] + [Column(f"to {self.baseline}", number=True)] * (self.baseline is not None)
        rows = [
            (
                row.offering,
                _shown(row.total) if row.total is not None else "—",
                _shown(row.per_1000_requests),
                _shown(row.realised_price),
                _shown(row.to_cheapest, signed=True),
                *([_against(row)] if self.baseline is not None else []),
            )
            for row in self.rows
        ]
        when = "each request at its own instant" if self.at is None else f"at {iso(self.at)}"
        title = f"{self.title}: {self.requests:,} requests, {self.tokens:,} tokens, {when}, in {self.currency}"
        return Table(title, tuple(columns), tuple(rows), tuple(self._footnotes()))

    def _footnotes(self) -> Iterable[str]:
        for row in self.rows:
            if row.unpriced:
                yield f"{row.offering}: {row.unpriced:,} of {self.requests:,} requests have no price: {'; '.join(row.reasons)}"
            elif row.total is None:
                yield f"{row.offering}: {row.native}, not converted: {'; '.join(row.reasons)}"
            yield from (f"{row.offering}: {note}" for note in row.notes)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _shown(money: Money | None, *, signed: bool = False) -> str:
    if money is None:
        return ""
    amount = money.rounded(places=4).amount
    return f"{amount:+,.4f}" if signed else f"{amount:,.4f}"


def _against(row: Compared) -> str:
    if row.to_baseline is None:
        return ""
    percent = "" if row.baseline_percent is None else f" ({row.baseline_percent:+.1f}%)"
    return f"{_shown(row.to_baseline, signed=True)}{percent}"


def compare(
    workload: Trace | Workload | Usage | Iterable[Usage],
    offerings: Sequence[str],
    *,
    at: datetime | str | Literal["each"],
    book: Book | None = None,
    baseline: str | None = None,
    currency: str | None = None,
    fx: ExchangeTable | None = None,
    service_tier: str = "standard",
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
    zone: str | None = None,
    start: datetime | str | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Comparison:
    """Rate one workload on many offerings and sort them by cost.

    `at` is the instant to rate at, or `"each"` to rate every row of a trace at its own (`zone` and `start` say how its times are meant). An
    offering without a list in `currency` is converted with `fx`, and stays unranked without it. A request without a price is
    counted with its reason, never taken as zero. `progress` is told the offering and the number of requests rated.

    Raises:
        UnknownNameError, AmbiguousNameError: an offering's name is not clear.
        UsageError: there is nothing to rate, or no offering.
        TraceError: `at="each"` on a trace whose times have no zone.
    """
    book = book or load_book()
    demands, title = _demands(workload, at, zone, start)
    when = None if at == "each" else to_instant(at)
    names = list(dict.fromkeys([*offerings, *([baseline] if baseline else [])]))
    if not names:
        raise UsageError("no offering to compare; name at least one", meter="offerings", value=())
    wanted = currency or book.currency
    rows: list[Compared] = []
    for name in names:
        lines = [
            book.timeline(name, currency=asked, service_tier=service_tier, mode=mode, residency=residency, tenant=tenant) for asked in dict.fromkeys((currency, None))
        ]
        rows.append(_compared(name, lines, demands, when, wanted, fx))
        if progress is not None:
            progress(name, sum(demand.requests for demand in demands))
    requests = sum(demand.requests for demand in demands)
    tokens = sum(demand.usage.tokens * demand.requests for demand in demands)
    return Comparison(title, when, wanted, requests, tokens, _ranked(rows, requests, tokens, baseline), baseline)


def _demands(workload: Any, at: object, zone: str | None, start: datetime | str | None) -> tuple[list[Demand], str]:
    if isinstance(workload, Trace):
        instants: list[datetime | None] = [*workload.instants(zone=zone, start=start)] if at == "each" else [None] * len(workload.rows)
        merged = Counter((row.usage, instant) for row, instant in zip(workload.rows, instants, strict=True))
        return [Demand(usage, n, instant) for (usage, instant), n in merged.items()], workload.path.replace("\\", "/").rsplit("/", 1)[-1]
    if isinstance(workload, Usage):
        workload = Workload("usage", (Segment("request", 1, workload),))
    elif not isinstance(workload, Workload):
        workload = Workload("usage", tuple(Segment(str(n), 1, usage) for n, usage in enumerate(workload, 1)))
    if at == "each":
        raise UsageError("at='each' needs a trace, whose rows have instants; pass one instant", meter="at", value=at)
    if not workload.segments:
        raise UsageError("there is no request to rate; pass at least one usage", meter="workload", value=())
    return [Demand(segment.usage, segment.requests, None) for segment in workload.segments], workload.title


def _compared(name: str, lines: list[Timeline], demands: list[Demand], when: datetime | None, wanted: str, fx: ExchangeTable | None) -> Compared:
    """Rate all demands on one offering: in the currency asked for, or in its own where there is no such list."""
    tally = _Tally()
    whole = _whole(lines, demands, when)
    for demand in demands if whole is None else [whole]:
        at = demand.at or when
        assert at is not None
        try:
            segment = _segment(lines, at)
            number, scale = ticks_of(segment, demand.usage, at) or (Fraction(total_of(segment, demand.usage, at)), 0)
            tally.add(segment, at, (number * demand.requests, scale))
            tally.priced += demand.requests if whole is None else sum(d.requests for d in demands)
        except (UnknownNameError, AmbiguousNameError):
            raise
        except TokencostError as error:
            tally.fail(error, demand.requests)
    return tally.result(name, lines[0].resolution.offering, wanted, fx)


def _whole(lines: list[Timeline], demands: list[Demand], when: datetime | None) -> Demand | None:
    """Return all demand as one usage where cost is linear in it: at one instant, under a single row without minimum."""
    if when is None or len(demands) == 1:
        return None
    for line in lines:
        try:
            cell = line.segment(when).flat
        except TokencostError:
            continue
        if cell is None or cell.minimum:
            return None
        return Demand(_total(demands), 1, None)
    return None


def _total(demands: list[Demand]) -> Usage:
    counts: Counter[str] = Counter()
    for demand in demands:
        for name, count in demand.usage.counts.items():
            counts[name] += count * demand.requests
    return Usage.of(counts)


def _segment(lines: list[Timeline], at: datetime) -> TimelineSegment:
    """Return the segment in the currency asked for, or else in the offering's own."""
    for line in lines:
        segment = line.last
        if segment is not None and segment.start <= at < segment.until:
            return segment
        try:
            return line.segment(at)
        except CurrencyError:
            if line is lines[-1]:
                raise
    raise AssertionError  # pragma: no cover - the last line returns or raises


class _Tally:
    """Running totals of one offering, exact, by currency and day."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, date, int], int | Fraction] = {}
        self.offerings: dict[str, None] = {}
        self.priced = 0
        self.failed: Counter[type[TokencostError]] = Counter()
        self.first: dict[type[TokencostError], str] = {}

    def add(self, segment: TimelineSegment, at: datetime, cost: tuple[int | Fraction, int]) -> None:
        number, scale = cost
        key = (segment.choice.currency, at.date() if at.tzinfo is UTC else at.astimezone(UTC).date(), scale)
        self.numbers[key] = self.numbers.get(key, 0) + number
        self.offerings[segment.span.tariff.id] = None

    @property
    def sums(self) -> dict[tuple[str, date], Fraction]:
        """The totals by currency and day."""
        found: dict[tuple[str, date], Fraction] = {}
        for (currency, day, scale), number in self.numbers.items():
            found[currency, day] = found.get((currency, day), Fraction(0)) + Fraction(number) / 10**scale
        return found

    def fail(self, error: TokencostError, requests: int) -> None:
        self.failed[type(error)] += requests
        self.first.setdefault(type(error), str(error))

    def result(self, name: str, fallback: str, wanted: str, fx: ExchangeTable | None) -> Compared:
        sums = self.sums
        currencies = {currency for currency, _ in sums}
        native = None
        if len(currencies) == 1:
            native = Money(from_fraction(sum(sums.values(), Fraction(0))), currencies.pop())
        reasons = [self.first[kind] if n == 1 else f"{self.first[kind]} ({n:,} requests)" for kind, n in self.failed.most_common()]
        total, notes = None, []
        if sums and not self.failed:
            try:
                total, notes = self._converted(wanted, fx)
            except CurrencyError as error:
                reasons.append(str(error))
        offering = " + ".join(self.offerings) or fallback
        return Compared(name, offering, total, native, self.priced, sum(self.failed.values()), tuple(reasons), tuple(notes))

    def _converted(self, wanted: str, fx: ExchangeTable | None) -> tuple[Money, list[str]]:
        parts: list[Money] = []
        notes: dict[str, None] = {}
        for (currency, day), cost in self.sums.items():
            money = Money(from_fraction(cost), currency)
            if currency == wanted:
                parts.append(money)
                continue
            if fx is None:
                raise CurrencyError(
                    f"its list is in {currency}, not {wanted}; pass fx= with a dated exchange table", offering=None, asked=wanted, available=(currency,)
                )
            done = fx.convert(money, wanted, at=datetime.combine(day, datetime.min.time(), tzinfo=UTC))
            notes[f"converted at {done.rate.rate} {done.rate.target} per {done.rate.base} of {done.rate.on} ({done.rate.source})"] = None
            parts.append(done.money)
        return Money.sum(parts), list(notes)


def _ranked(rows: list[Compared], requests: int, tokens: int, baseline: str | None) -> tuple[Compared, ...]:
    full = sorted((row for row in rows if row.total is not None), key=lambda row: (row.total.amount, row.offering))  # type: ignore[union-attr]
    rest = [row for row in rows if row.total is None]
    against = next((row.total for row in full if row.name == baseline), None)
    done: list[Compared] = []
    for row in full:
        total = row.total
        assert total is not None
        difference = None if against is None else total - against
        percent = None if against is None or not against or difference is None else from_fraction(Fraction(difference.amount) / Fraction(against.amount) * 100, places=4)
        done.append(
            row._replace(
                per_1000_requests=_per(total, 1000, requests),
                realised_price=_per(total, 10**6, tokens),
                to_cheapest=total - full[0].total,  # type: ignore[operator]
                to_baseline=difference,
                baseline_percent=percent,
            )
        )
    return (*done, *rest)


def _per(total: Money, unit: int, count: int) -> Money | None:
    """Return the cost of `unit` items, rounded half-even to six decimals; None where there are none."""
    if not count:
        return None
    return Money(from_fraction(Fraction(total.amount) * unit / count, places=_PRICE_PLACES), total.currency)

"""Results of a cache replay: what was read and written, at which rate, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import UsageError, UsageTypeError
from tokencost.exact import from_fraction
from tokencost.rating.book import load_book
from tokencost.rating.usage import Usage
from tokencost.rating.usage_table import UsageColumns
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from numpy.typing import NDArray

    from tokencost.rating.book import Book
    from tokencost.tariffs.money import Money
    from tokencost.workloads.cache_rule import CacheRule
    from tokencost.workloads.prefix_trace import PrefixTrace

__all__ = ["CacheReplay", "HitRate", "rate_columns", "share"]

_PLACES: Final = 6
_DISJOINT: Final = "disjoint"


class HitRate(NamedTuple):
    """The hit rate of the requests of one span: when it begins, in seconds from the first request, and the share of input that was read."""

    from_s: int
    requests: int
    input: int
    read: int
    rate: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CacheReplay:
    """What a cache rule makes of a trace, one entry a request: tokens read from the cache, tokens written to it.

    `storage` are the token-seconds by which each request lengthens what is kept, None where the rule bills none.

    >>> import tokencost as tc
    >>> trace = tc.PrefixTrace.of(at_ms=[0, 1000], input=[1536, 2048], output=[9, 9], blocks=[[1, 2, 3], [1, 2, 3, 4]], block_size=512)
    >>> replay = tc.replay_cache(trace, "anthropic-5m")
    >>> replay.hit_rate, replay.usage
    (Decimal('0.428571'), Usage(cache_read=1536, output=18, cache_write=2048))
    >>> replay.cost("claude-sonnet-4-5", at="2026-03-01T00:00:00Z")
    Money('0.0084108', 'USD')
    """

    trace: PrefixTrace
    rule: CacheRule
    read: NDArray[np.int64]
    written: NDArray[np.int64]
    storage: NDArray[np.int64] | None = None

    @property
    def requests(self) -> int:
        """The number of requests."""
        return len(self.read)

    @property
    def hits(self) -> int:
        """The number of requests that read anything from the cache."""
        return int(np.count_nonzero(self.read))

    @property
    def hit_rate(self) -> Decimal | None:
        """The share of all input tokens that was read from the cache, rounded half-even to six decimals; None without input."""
        return share(int(self.read.sum()), int(self.trace.input.sum()))

    def hit_rates(self, *, every_s: int = 60) -> tuple[HitRate, ...]:
        """Return the hit rate over time, span by span from the first request on; spans without requests have none.

        Raises:
            UsageError: `every_s` is not a whole number of seconds, 1 or more.
        """
        if type(every_s) is not int or every_s < 1:
            kind = UsageError if type(every_s) is int else UsageTypeError
            raise kind(f"every_s={every_s!r} is no length of a span; pass whole seconds, 1 or more", meter="every_s", value=every_s)
        at = self.trace.at_ms
        if not len(at):
            return ()
        begins = np.searchsorted((at - at[0]) // (1000 * every_s), np.arange(self.trace.span_s // every_s + 2))
        columns = [np.diff(np.concatenate([[0], np.cumsum(column)])[begins]) for column in (self.trace.input, self.read)]
        return tuple(
            HitRate(n * every_s, int(count), int(tokens), int(read), share(int(read), int(tokens)))
            for n, (count, tokens, read) in enumerate(zip(np.diff(begins), *columns, strict=True))
        )

    def columns(self) -> dict[str, NDArray[np.int64]]:
        """Return the meters of every request as columns of disjoint counts, ready for `Book.rate_table` with `counts="disjoint"`."""
        rule = self.rule
        written = self.written if rule.write_meter is not None else np.zeros_like(self.written)
        made = {"input": self.trace.input - self.read - written, rule.read_meter: self.read, "output": self.trace.output}
        if rule.write_meter is not None:
            made[rule.write_meter] = written
        if rule.storage_meter is not None and self.storage is not None:
            made[rule.storage_meter] = self.storage
        if rule.hit_meter is not None:
            made[rule.hit_meter] = (self.read > 0).astype(np.int64)
        return made

    @property
    def usage(self) -> Usage:
        """The meters of all requests together."""
        return Usage.of({name: int(column.sum()) for name, column in self.columns().items()})

    def cost(
        self,
        offering: str,
        *,
        at: datetime | str,
        book: Book | None = None,
        currency: str | None = None,
        service_tier: str | None = None,
        mode: str | None = None,
        residency: str | None = None,
        tenant: str | None = None,
    ) -> Money:
        """Return what the trace costs on an offering with this cache, exact; `at` is one instant, or `"each"` for each request's own.

        Raises:
            IncompleteError: some requests have no price there.
            TraceError: `at="each"` for a trace that does not say when it began.
        """
        chosen = {"currency": currency, "service_tier": service_tier, "mode": mode, "residency": residency, "tenant": tenant}
        return rate_columns(self.columns(), self.trace, offering, at=at, book=book, chosen=chosen)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record, ready for a data frame."""
        counts = dict(self.usage.counts)
        return [{"rule": self.rule.id, "requests": self.requests, "hits": self.hits, "hit_rate": self.hit_rate, **counts}]

    def table(self) -> Table:
        """Return the totals as a table for eyes."""
        whole = int(self.trace.input.sum())
        apart = ("output", self.rule.storage_meter, self.rule.hit_meter)
        counts = self.usage.counts.items()
        rows = [(name, f"{count:,}", "" if name in apart else _percent(share(count, whole))) for name, count in counts]
        columns = (Column("meter"), Column("count", number=True), Column("of input", number=True))
        counted = f"{self.requests:,} request{'s' * (self.requests != 1)}, {self.hits:,} hit{'s' * (self.hits != 1)}"
        title = f"{self.rule.id}: {counted}, hit rate {_percent(self.hit_rate) or '—'}"
        return Table(title, columns, tuple(rows))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def rate_columns(
    columns: dict[str, NDArray[np.int64]],
    trace: PrefixTrace,
    offering: str,
    *,
    at: datetime | str,
    book: Book | None,
    chosen: dict[str, str | None],
) -> Money:
    """Return what columns of disjoint counts cost on an offering, at one instant or each request at its own."""
    table: dict[str, Any] = dict(columns)
    named = UsageColumns(counts=_DISJOINT, meters={name: name for name in columns})
    given: dict[str, Any] = {**chosen, "model": offering}
    if at == "each":
        table["at"] = trace.instants()
        named = UsageColumns(at="at", counts=_DISJOINT, zone="UTC", meters={name: name for name in columns})
    else:
        given["at"] = at
    return (book or load_book()).rate_table(table, columns=named, **given).total


def share(part: int, whole: int) -> Decimal | None:
    """Return a share, rounded half-even to six decimals; None where there is nothing to share.

    >>> share(1, 3), share(0, 0)
    (Decimal('0.333333'), None)
    """
    return from_fraction(round(Fraction(part, whole) * 10**_PLACES) * Fraction(1, 10**_PLACES)) if whole else None


def _percent(rate: Decimal | None) -> str:
    return "" if rate is None else f"{rate * 100:.2f}%"

"""Comparisons of cache rules: one trace under several rules, each on an offering, with and without the cache."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import IncompleteError, UsageError
from tokencost.exact import from_fraction
from tokencost.rating.book import load_book
from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso, to_instant
from tokencost.tariffs.meter import ancestors
from tokencost.workloads.cache_replay import rate_columns
from tokencost.workloads.comparison import requests_text
from tokencost.workloads.replay import replay_cache, rule_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.tariffs.money import Money
    from tokencost.workloads.cache_replay import CacheReplay
    from tokencost.workloads.cache_rule import CacheRule
    from tokencost.workloads.prefix_trace import PrefixTrace

__all__ = ["CacheComparison", "CachedCost", "compare_cache_rules"]

_SHOWN_PLACES: Final = 2
_PERCENT_PLACES: Final = 4


class CachedCost(NamedTuple):
    """One rule on one offering: the replay, and what the trace costs without the cache and with it.

    `without`, `cost`, `saving` and `saving_percent` (rounded half-even to four decimals) are None where some requests have no price;
    `reason` says why. `notes` tell which meters are billed as another one, and what about the rule was chosen.
    """

    offering: str
    replay: CacheReplay
    without: Money | None
    cost: Money | None
    saving: Money | None
    saving_percent: Decimal | None
    reason: str | None
    notes: tuple[str, ...]


class CacheComparison(NamedTuple):
    """Cache rules on one trace, cheapest first; those without a full price last.

    >>> import tokencost as tc
    >>> trace = tc.PrefixTrace.of(at_ms=[0, 9000], input=[4096, 4096], output=[9, 9], blocks=[[*range(8)], [*range(7), 9]], block_size=512)
    >>> pairs = [("anthropic-5m", "claude-sonnet-4-5"), ("deepseek", "deepseek-chat")]
    >>> result = tc.compare_cache_rules(trace, pairs, at="2026-03-01T00:00:00Z")
    >>> [(row.replay.rule.id, str(row.without), str(row.cost)) for row in result.rows]
    [('deepseek', '0.00230132 USD', '0.001398152 USD'), ('anthropic-5m', '0.024846 USD', '0.0186252 USD')]
    """

    title: str
    at: datetime | None
    requests: int
    tokens: int
    rows: tuple[CachedCost, ...]

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each rule, ready for a data frame."""
        made: list[dict[str, Any]] = []
        for row in self.rows:
            amounts = {name: None if money is None else money.amount for name, money in _amounts(row)}
            known: dict[str, Any] = {
                "rule": row.replay.rule.id,
                "offering": row.offering,
                "requests": row.replay.requests,
                "hits": row.replay.hits,
                "hit_rate": row.replay.hit_rate,
                "currency": None if row.cost is None else row.cost.currency,
                "saving_percent": row.saving_percent,
                "reason": row.reason,
                "notes": row.notes,
            }
            made.append({**known, **amounts, "usage": dict(row.replay.usage.counts)})
        return made

    def table(self) -> Table:
        """Return the comparison as a table for eyes."""
        headings = ("hit rate", "without", "with", "saved", "")
        columns = (Column("rule"), Column("offering"), *(Column(heading, number=True) for heading in headings), Column("currency"))
        rows = tuple(
            (
                row.replay.rule.id,
                row.offering,
                "—" if row.replay.hit_rate is None else f"{row.replay.hit_rate * 100:.2f}%",
                *(_shown(money) for _, money in _amounts(row)),
                "" if row.saving_percent is None else f"{row.saving_percent:+.1f}%",
                "" if row.cost is None else row.cost.currency,
            )
            for row in self.rows
        )
        when = "each request at its own instant" if self.at is None else f"at {iso(self.at)}"
        title = f"{self.title}: {requests_text(self.requests)}, {self.tokens:,} tokens, {when}"
        return Table(title, columns, rows, tuple(dict.fromkeys(self._footnotes())))

    def _footnotes(self) -> Iterator[str]:
        for row in self.rows:
            if row.reason is not None:
                yield f"{row.offering}: {row.reason}"
            yield from row.notes

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def compare_cache_rules(
    trace: PrefixTrace,
    pairs: Iterable[tuple[CacheRule | str, str]],
    *,
    at: datetime | str,
    book: Book | None = None,
    currency: str | None = None,
    service_tier: str | None = None,
    mode: str | None = None,
    residency: str | None = None,
    tenant: str | None = None,
) -> CacheComparison:
    """Replay a trace through rules, each with an offering, and sort them by what the trace costs with the cache.

    A rule has the minimum of the offering's model where that has one of its own. `at` is the instant to rate at, or `"each"`. Currencies
    are not converted: lists in several are sorted apart.

    Raises:
        UnknownNameError: no shipped rule or no offering has this name.
        UsageError: there is nothing to compare.
        TraceError: `at="each"` for a trace that does not say when it began.
    """
    book = book or load_book()
    chosen = {"currency": currency, "service_tier": service_tier, "mode": mode, "residency": residency, "tenant": tenant}
    when = None if at == "each" else to_instant(at)
    rows: list[CachedCost] = []
    for rule, name in pairs:
        offering = book.tariff(name, at=when).id
        replay = replay_cache(trace, rule_of(rule).for_offering(offering))
        rows.append(_compared(replay, offering, at, book, chosen))
    if not rows:
        raise UsageError("no rule to compare; pass at least one pair of a rule and an offering", meter="pairs", value=())
    rows.sort(key=lambda row: (row.cost is None, *(("", 0) if row.cost is None else (row.cost.currency, row.cost.amount))))
    title = trace.path.replace("\\", "/").rsplit("/", 1)[-1]
    return CacheComparison(title, when, trace.requests, trace.tokens, tuple(rows))


def _compared(replay: CacheReplay, offering: str, at: datetime | str, book: Book, chosen: dict[str, str | None]) -> CachedCost:
    trace = replay.trace
    plain = {"input": trace.input, "output": trace.output}
    notes = tuple(_notes(replay, offering))
    try:
        without, cost = (rate_columns(columns, trace, offering, at=at, book=book, chosen=chosen) for columns in (plain, replay.columns()))
    except IncompleteError as error:
        return CachedCost(offering, replay, None, None, None, None, error.message, notes)
    if at != "each":
        notes += tuple(_fallbacks(replay, offering, at, book, chosen))
    saving = without - cost
    percent = None
    if without:
        rounded = round(Fraction(saving.amount) / Fraction(without.amount) * 100 * 10**_PERCENT_PLACES)  # Fraction rounds half to even
        percent = from_fraction(Fraction(rounded, 10**_PERCENT_PLACES))
    return CachedCost(offering, replay, without, cost, saving, percent, None, notes)


def _notes(replay: CacheReplay, offering: str) -> Iterator[str]:
    rule = replay.rule
    if "lifetime_s" in rule.chosen:
        yield f"{rule.id}: lifetime {rule.lifetime_text}"
    if rule.provider is not None and rule.provider != offering.split("/", 1)[0]:
        yield f"{rule.id} is the rule of {rule.provider}; {offering} has it here for comparison only"


def _fallbacks(replay: CacheReplay, offering: str, at: datetime | str, book: Book, chosen: dict[str, str | None]) -> Iterator[str]:
    """Say which meters the list does not have, and what they are billed as."""
    options: dict[str, Any] = {**chosen, "service_tier": chosen["service_tier"] or "standard"}
    prices = book.tariff(offering).card(at=at, **options).rows[0].prices
    for meter in replay.columns():
        billed = next((name for name in ancestors(meter) if name in prices), meter)
        if billed != meter:
            yield f"{offering} has no price of {meter}; it is billed as {billed}"


def _amounts(row: CachedCost) -> tuple[tuple[str, Money | None], ...]:
    return ("without", row.without), ("cost", row.cost), ("saving", row.saving)


def _shown(money: Money | None) -> str:
    if money is None:
        return "—"
    places = max(_SHOWN_PLACES, 3 - money.amount.adjusted()) if money else _SHOWN_PLACES
    return f"{money.rounded(places=places).amount:,f}"

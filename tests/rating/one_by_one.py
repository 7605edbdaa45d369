"""A table of usage rated one row at a time: what the columns have to say, found by asking for every row alone.

Whole prices come from `Book.cost` and `Book.quote`, parts of a price from the oracle.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import tokencost as tc
from rating.oracle import Wanted, oracle_parts, version_at
from tokencost.exact import EXACT, from_fraction
from tokencost.rating.edition import VersionRef
from tokencost.rating.usage import LARGEST_COUNT
from tokencost.tariffs.meter import ancestors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

__all__ = ["SELECTORS", "Alone", "Row", "alone", "problems_of", "table_of"]

SELECTORS = ("service_tier", "mode", "residency", "tenant", "currency")
_REASONS = {
    tc.UnknownNameError: "unknown name",
    tc.AmbiguousNameError: "ambiguous name",
    tc.OutsideHistoryError: "outside history",
    tc.CurrencyError: "no list in the currency",
    tc.NoRateError: "no such rate",
    tc.CalendarError: "calendar",
    tc.AboveListError: "above the list",
    tc.MoneyError: "no currency",
}


class Row(NamedTuple):
    """One request as a table holds it: an empty cell is None, counts are what the columns say."""

    name: str | None
    at: datetime
    counts: dict[str, int]
    selection: dict[str, str | None]
    team: str | None = None


class Alone(NamedTuple):
    """What a row costs when it is the only one; `causes` are reason and name of all that is wrong with it, with what is said of it."""

    outcome: str
    amount: Decimal | None
    meters: dict[str, Decimal]
    version: VersionRef | None
    currency: str | None
    causes: dict[tuple[str, str | None], str]


def table_of(rows: Sequence[Row], meters: Sequence[str]) -> dict[str, list[object]]:
    """Return rows as a table of lists, with these meters as columns."""
    return {
        "model": [row.name for row in rows],
        "at": [row.at for row in rows],
        **{meter: [row.counts.get(meter, 0) for row in rows] for meter in meters},
        **{name: [row.selection.get(name) for row in rows] for name in SELECTORS},
        "team": [row.team for row in rows],
    }


def alone(book: tc.Book, row: Row, meters: Sequence[str], *, totals: bool) -> Alone:
    """Rate one row by itself."""
    counts = {meter: row.counts.get(meter, 0) for meter in meters}
    causes = _impossible(counts, totals=totals)
    try:
        usage = tc.Usage.from_totals(**counts) if totals else tc.Usage(**counts)
    except tc.UsageError as error:
        causes = dict.fromkeys(causes, error.message)
    else:
        assert not causes
    if row.name is None:
        causes["unreadable model", None] = "no model in column 'model'; write which model served the request"
    if causes:
        return Alone("unknown", None, {}, None, None, causes)
    chosen = {name: value for name, value in row.selection.items() if value}
    try:
        quote = book.quote(row.name, usage, at=row.at, **chosen)
    except tc.UnpricedMeterError:
        return _partial(book, row, usage, chosen)
    except tc.TokencostError as error:
        kind = next(words for kind, words in _REASONS.items() if isinstance(error, kind))
        return Alone("unknown", None, {}, None, None, {(kind, _blamed(error, row)): error.message})
    cost = book.cost(row.name, usage, at=row.at, **chosen)
    assert quote.native.amount == cost
    lines: dict[str, Decimal] = {}
    for line in quote.lines:
        lines[line.meter] = EXACT.add(lines.get(line.meter, 0), line.amount.amount)
    paid = any(line.price and line.billed for line in quote.lines)
    outcome = "free" if usage and not paid else "priced"
    return Alone(outcome, cost, lines, _version(book, quote), quote.currency, {})


def _blamed(error: tc.TokencostError, row: Row) -> str:
    """Return what a row without a price is counted under."""
    if isinstance(error, tc.AboveListError):
        return error.offering
    if isinstance(error, tc.NoRateError):
        return f"{error.offering} {error.asked}"
    return error.name if isinstance(error, tc.UnknownNameError) else row.name


def _impossible(counts: Mapping[str, int], *, totals: bool) -> dict[tuple[str, str | None], str]:
    """Say which counts cannot be, by the letter of the rules."""
    causes = {(f"negative count: {meter}", None): "" for meter, count in counts.items() if count < 0}
    causes |= {(f"absurd count: {meter}", None): "" for meter, count in counts.items() if count > LARGEST_COUNT}
    if totals and not causes:
        own = dict(counts)
        for meter, count in counts.items():
            whole = next((name for name in ancestors(meter)[1:] if name in counts), None)
            if whole is not None:
                own[whole] -= count
        causes |= {(f"parts above their total: {meter}", None): "" for meter, count in own.items() if count < 0}
    return causes


def _version(book: tc.Book, quote: tc.Quote) -> VersionRef:
    version = version_at(quote.tariff, quote.at)
    if quote.promo_until is None:
        assert (version.start, version.basis) == (quote.evidence.version_start, quote.evidence.basis)
    assert book.tariff(quote.offering).id == quote.offering
    return VersionRef(quote.offering, version.start, version.basis)


def _partial(book: tc.Book, row: Row, usage: tc.Usage, chosen: Mapping[str, str]) -> Alone:
    """Rate the meters that have a rate, by the oracle."""
    assert row.name is not None
    nothing = book.quote(row.name, tc.Usage(), at=row.at, **chosen)
    wanted = Wanted(*nothing.choice)
    layers = _layers(book, row, nothing)
    parts = oracle_parts(book.shelf, nothing.tariff, usage.counts, row.at, wanted, layers=layers)
    lacking = dict.fromkeys(meter for meter, amount in parts if amount is None)
    causes: dict[tuple[str, str | None], str] = {}
    for meter in lacking:
        causes["meter without a rate", f"{nothing.offering} {meter}"] = (
            f"{nothing.offering} has no rate for {' or '.join(ancestors(meter))} in "
        )
    meters = {
        meter: sum(amount for name, amount in parts if name == meter and amount is not None) for meter, known in parts if known is not None
    }
    if not meters:
        return Alone("unknown", None, {}, None, None, causes)
    amount = from_fraction(sum(meters.values()))
    said = {meter: from_fraction(part) for meter, part in meters.items()}
    return Alone("partial", amount, said, _version(book, nothing), nothing.currency, causes)


def _layers(book: tc.Book, row: Row, quote: tc.Quote) -> list[dict[str, object]]:
    """The contract and the markup that apply, the narrowest of each, in the words of the oracle."""
    found: list[dict[str, object]] = []
    for kind in (tc.Contract, tc.Markup):
        fitting = [
            layer
            for layer in book.layers
            if type(layer) is kind
            and layer.tenant in (None, row.selection.get("tenant"))
            and layer.currency in (None, quote.choice.currency)
            and (layer.start is None or layer.start <= row.at)
            and (layer.until is None or row.at < layer.until)
        ]
        for layer in sorted(fitting, key=lambda layer: layer.tenant is None)[:1]:
            percent = None if layer.multiply is None else (layer.multiply - 1) * 100
            found.append({"prices": layer.prices, "percent": percent, "meters": layer.meters})
    return found


def problems_of(rated: Sequence[Alone]) -> dict[tuple[str, str | None], tuple[int, int]]:
    """Return every cause with its rows and the first of them."""
    rows = Counter(cause for row in rated for cause in row.causes)
    return {cause: (rows[cause], next(n for n, row in enumerate(rated) if cause in row.causes)) for cause in rows}

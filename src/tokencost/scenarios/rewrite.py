"""Rewriting: a price path turned back into tariffs, so that quotes, columns and estimates work on what a war has made of them.

Every change of a list becomes a version, every promotion a promotion above it. What a path does not know about, batch rows, context
tiers, windows, keeps its ratio to the base row; a ratio that does not end is rounded half-even to twelve decimals. What stood before the
scenario begins stays, and after it ends its last prices stand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import NoRateError, ScenarioError
from tokencost.exact import EXACT, from_fraction, plain
from tokencost.tariffs.meter import ancestors
from tokencost.tariffs.provider import Endpoint, Provider
from tokencost.tariffs.schedule import Schedule
from tokencost.tariffs.tariff import Promo, Rate, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from tokencost.rating.book import Book
    from tokencost.scenarios.move import Move, Prices
    from tokencost.scenarios.seller_path import Promotion, SellerPath
    from tokencost.tariffs.tariff import Tariff

__all__ = ["Template", "base_prices", "rewritten", "schedule_of", "template_of"]

_SOURCE: Final = "scenario"
_PLACES: Final = 12


@dataclass(frozen=True, slots=True)
class Template:
    """A list as it stands before a war touches it: the version, the currency that is fought in, and the base row's prices."""

    tariff: Tariff
    version: Version | None
    currency: str
    base: Prices
    schedule: Schedule | None = None


def template_of(book: Book, offering: str, at: datetime, *, currency: str | None = None) -> Template:
    """Return the list of an offering that is in force at an instant; one not yet on sale has no version.

    Raises:
        UnknownNameError: there is no such offering.
        NoRateError: it has no list in the currency.
    """
    tariff = book.shelf.tariff(book.resolve(offering).offering)
    version = next((v for v in reversed(tariff.in_force) if v.start <= at and ((end := tariff.ends(v)) is None or at < end)), None)
    if version is None:
        later = [listed for v in tariff.in_force if v.start > at for listed in v.currencies]
        return Template(tariff, None, currency or (book.currency if book.currency in later or not later else later[0]), {})
    chosen = currency or (book.currency if book.currency in version.currencies else version.currencies[0])
    if chosen not in version.currencies:
        raise NoRateError(
            f"{tariff.id} has no list in {chosen}; it has {', '.join(version.currencies)}",
            offering=tariff.id,
            at=at,
            asked=chosen,
            available=version.currencies,
        )
    schedule = schedule_of(book, tariff, version, at)
    return Template(tariff, version, chosen, base_prices(version, chosen, schedule), schedule)


def schedule_of(book: Book, tariff: Tariff, version: Version, at: datetime) -> Schedule | None:
    """Return the edition of a version's schedule that is in force at an instant."""
    if version.schedule is None:
        return None
    editions = [s for s in book.shelf.provider(tariff.provider).schedules if s.id == version.schedule and s.start <= at]
    return editions[-1] if editions else None


def base_prices(version: Version, currency: str, schedule: Schedule | None) -> Prices:
    """Return the prices of the base row: the standard tier, no mode or residency, the smallest requests, the default window."""
    rows = [
        row
        for row in version.rates
        if (row.currency, row.service_tier, row.residency) == (currency, "standard", None)
        and row.mode != "thinking"
        and row.window in (None, None if schedule is None else schedule.default)
    ]
    if not rows:
        return {}
    return dict(min(rows, key=lambda row: (row.first_input, row.first_output)).prices)


# -- back into tariffs ---------------------------------------------------------------------------------------------------------------------


def rewritten(
    book: Book, templates: dict[str, Template], paths: dict[str, SellerPath], moves: Iterable[Move], *, clocks_until: datetime
) -> Book:
    """Return the book in which these offerings have the prices of their paths, and no others.

    Clocks stand still like lists: editions of a schedule that begin after `clocks_until` do not come, and the last one does not end.
    """
    shapes: dict[str, list[Move]] = {}
    for move in moves:
        if move.kind in ("window", "end_window", "tier", "list", "launch"):
            shapes.setdefault(move.offering, []).append(move)
    tariffs: list[Tariff] = []
    schedules: dict[str, list[Schedule]] = {}
    for name, path in paths.items():
        made = _versions(templates[name], path, shapes.get(name, []), schedules)
        versions = [_with_clock(book, templates[name], version, clocks_until, schedules) for version in made]
        if versions:
            promos = tuple(_promos(templates[name], path, versions))
            tariffs.append(replace(templates[name].tariff, versions=tuple(versions), promos=promos))
    shelf = book.shelf
    providers = [
        _with_schedules(book, next(tariff.id for tariff in tariffs if tariff.provider == provider), added)
        for provider, added in schedules.items()
    ]
    if providers:
        from tokencost.rating.book import Book as Made

        return Made(shelf.with_providers(providers), currency=book.currency, layers=book.layers).with_tariffs(tariffs)
    return book.with_tariffs(tariffs)


def _versions(template: Template, path: SellerPath, shapes: list[Move], schedules: dict[str, list[Schedule]]) -> Iterable[Version]:
    """Yield a version for each instant at which the list or its shape changes."""
    first = path.instants[0]
    known = template.version
    yield from (v for v in template.tariff.in_force if v.start < (first if known is None else known.start))  # before the war
    shape, before = template, None if known is None else (template.base, template)
    made = [] if known is None else [_version(template, template.base, known.start)]
    for at in sorted({*path.instants, *(move.at for move in shapes)}):
        for move in (move for move in shapes if move.at == at):
            shape = _reshaped(shape, move, schedules)
        prices = path.list_at(at)
        if prices is None:
            if before is not None:
                made[-1] = replace(made[-1], until=at)
            before = None
        elif (prices, shape) != before:
            before = (prices, shape)
            if made and made[-1].start == at:  # the war begins with the list itself
                made.pop()
            made.append(_version(shape, prices, at))
    yield from (version for version in made if version.until is None or version.start < version.until)


def _version(shape: Template, prices: Prices, at: datetime) -> Version:
    assert shape.version is not None, "what is on sale has a list"
    if prices == shape.base:
        return replace(shape.version, start=at, until=None, status="in_force")
    rows = tuple(_scaled(row, shape, prices) if row.currency == shape.currency else None for row in shape.version.rates)
    kept = tuple(row for row in rows if row is not None)  # lists in other currencies are not fought over, and end
    return replace(
        shape.version, start=at, until=None, status="in_force", basis="announced", source=_SOURCE, checked=at.date(), rates=kept, note=None
    )


def _fresh(currency: str, prices: Mapping[str, Decimal], at: datetime) -> Version:
    row = Rate(currency=currency, prices=dict(prices))
    return Version(start=at, basis="announced", source=_SOURCE, checked=at.date(), rates=(row,))


def _scaled(row: Rate, shape: Template, prices: Prices) -> Rate:
    """Return a row whose prices stand to the new base prices as they stood to the old."""
    made: dict[str, Decimal] = {}
    for meter, price in row.prices.items():
        old, new = shape.base.get(meter), prices.get(meter)
        if meter in shape.base and new is None:  # the new list does not have it
            continue
        if old is None or new is None or old == new:
            made[meter] = price
        elif price == old:
            made[meter] = new
        elif old == 0:
            raise ScenarioError(
                f"{shape.tariff.id} was free for {meter}, and its dearer rows have no ratio to nothing; launch it anew", value=meter
            )
        else:
            made[meter] = from_fraction(Fraction(price) * Fraction(new) / Fraction(old), places=_PLACES)
    for meter in (meter for meter in prices if meter not in shape.base):
        made[meter] = from_fraction(Fraction(prices[meter]) * _ratio(row, shape, meter), places=_PLACES)
    return replace(row, prices=made, source=None)


def _ratio(row: Rate, shape: Template, meter: str) -> Fraction:
    """Return how a row stands to the base row in the meter that a new one is part of: half price on batch is half price for it too."""
    for root in ancestors(meter):
        if root in row.prices and shape.base.get(root):
            return Fraction(row.prices[root]) / Fraction(shape.base[root])
    return Fraction(1)


def _promos(template: Template, path: SellerPath, versions: list[Version]) -> Iterable[Promo]:
    """Yield the promotions that began before the war, those of the tables as they are there, and those of the war."""
    first = path.instants[0]
    yield from (promo for promo in template.tariff.promos if promo.start <= first)
    for promotion in path.promotions:
        if promotion.promo is not None:
            if promotion.start > first:
                yield promotion.promo
            continue
        for begin, until in _lists_below(path, promotion, versions):
            promo = Promo(start=begin, until=until, basis="announced", source=_SOURCE, checked=begin.date())
            if promotion.meters or promotion.prices:  # each meter by its own name, every row in its ratio
                yield replace(promo, rates=tuple(_promoted(template, path, promotion, begin, versions)))
            else:
                yield replace(promo, multiply=promotion.factor)


def _lists_below(path: SellerPath, promotion: Promotion, versions: list[Version]) -> Iterable[tuple[datetime, datetime]]:
    """Yield the parts of a promotion in which the list below stands still; those in which the seller is not on sale are left out."""
    starts = [version.start for version in versions if promotion.start < version.start < promotion.until]
    ends = [version.until for version in versions if version.until is not None and promotion.start < version.until < promotion.until]
    edges = sorted({promotion.start, *starts, *ends, promotion.until})
    yield from ((begin, until) for begin, until in pairwise(edges) if path.list_at(begin) is not None)


def _promoted(template: Template, path: SellerPath, promotion: Promotion, at: datetime, versions: list[Version]) -> Iterable[Rate]:
    """Yield the rows that are paid from an instant on, while a promotion is on some meters or at prices of its own."""
    version = next(version for version in reversed(versions) if version.start <= at)
    listed = path.list_at(at) or {}
    shape = Template(template.tariff, version, template.currency, listed)
    yield from (_scaled(row, shape, promotion.applied(listed)) for row in version.rates if row.currency == template.currency)


def _with_clock(book: Book, template: Template, version: Version, until: datetime, schedules: dict[str, list[Schedule]]) -> Version:
    """Return a version of the war with the clock that it has then, open at its end; those from before keep theirs."""
    provider = template.tariff.provider
    if version.schedule is None or (template.version is not None and version.start < template.version.start):
        return version
    known = {schedule.id for schedule in schedules.get(provider, [])}
    if version.schedule in known:
        return version
    editions = book.shelf.provider(provider).schedule_versions(version.schedule)
    held = [edition for edition in editions if edition.start <= max(until, version.start)]
    if held == list(editions) and held[-1].until is None:
        return version
    name = f"scenario-{version.schedule}-{held[-1].start:%Y%m%d%H%M}"
    own = [replace(edition, id=name) for edition in (*held[:-1], replace(held[-1], until=None))]
    if name not in known:
        schedules.setdefault(provider, []).extend(own)
    return replace(version, schedule=name)


# -- shapes --------------------------------------------------------------------------------------------------------------------------------


def _reshaped(shape: Template, move: Move, schedules: dict[str, list[Schedule]]) -> Template:
    """Return the list with a window or a tier more, or with the rows of another version."""
    if move.kind == "list":
        assert move.version is not None
        return replace(shape, version=move.version, base=dict(move.prices))
    if move.kind == "launch":  # a list of its own: rows of an earlier one do not come back
        return replace(shape, version=_fresh(shape.currency, move.prices, move.at), base=dict(move.prices), schedule=None)
    assert shape.version is not None, "the path has refused a move of a seller who is not on sale"
    if move.kind == "tier":
        return _own(shape, rates=tuple(_tiered(shape.version.rates, move)))
    if move.kind == "end_window":
        if shape.version.schedule is None:
            raise ScenarioError(f"{move}: its list has no windows; leave the move out", value=move.offering)
        rows = tuple(replace(row, window=None) for row in shape.version.rates if row.window in (None, _default(shape)))
        return replace(_own(shape, rates=rows, schedule=None), schedule=None)
    return _windowed(shape, move, schedules)


def _own(shape: Template, **changes: Any) -> Template:
    """Return a list whose version is the scenario's own, for no page has its rows."""
    assert shape.version is not None
    return replace(shape, version=replace(shape.version, basis="announced", source=_SOURCE, note=None, **changes))


def _default(shape: Template) -> str | None:
    return None if shape.schedule is None else shape.schedule.default


def _tiered(rows: Iterable[Rate], move: Move) -> Iterable[Rate]:
    assert move.above is not None
    for row in rows:
        if row.first_input or row.up_to is not None:
            raise ScenarioError(f"{move}: its list has context tiers already; write the rows as a list of their own", value=move.above)
        yield row
        dearer = _times(row, move)
        yield replace(row, above=move.above, prices=dearer, source=None)


def _times(row: Rate, move: Move) -> Prices:
    assert move.by is not None
    return {m: plain(EXACT.multiply(price, move.by)) if move.touches(m) else price for m, price in row.prices.items()}


def _windowed(shape: Template, move: Move, schedules: dict[str, list[Schedule]]) -> Template:
    assert shape.version is not None
    if shape.version.schedule is not None:
        raise ScenarioError(f"{move}: its list has windows already; end these first", value=move.window)
    default = "standard" if move.window != "standard" else "other"
    name = f"scenario-{shape.tariff.model.replace('/', '-')}-{move.at:%Y%m%d%H%M}"
    schedule = Schedule(
        id=name,
        start=move.at,
        timezone=move.zone,
        default=default,
        source=_SOURCE,
        checked=move.at.date(),
        windows=move.stretches,
    )
    known = schedules.setdefault(shape.tariff.provider, [])
    if schedule not in known:
        known.append(schedule)
    rows: list[Rate] = []
    for row in shape.version.rates:
        dearer = _times(row, move)
        rows += [replace(row, window=default), replace(row, window=move.window, prices=dearer, source=None)]
    return replace(_own(shape, rates=tuple(rows), schedule=name), schedule=schedule)


def _with_schedules(book: Book, offering: str, added: list[Schedule]) -> Provider:
    name, endpoint, _ = offering.split("/", 2)
    known = (
        book.shelf.provider(name)
        if name in book.shelf.provider_ids
        else Provider(id=name, name=name, kind="publisher", default=endpoint, endpoints=(Endpoint(id=endpoint, name=endpoint),))
    )
    return replace(known, schedules=(*(s for s in known.schedules if s.id not in {new.id for new in added}), *added))

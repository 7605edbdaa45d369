"""History: what the tables say happened, or was announced, as moves of a scenario."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tokencost.scenarios.move import Move
from tokencost.scenarios.rewrite import base_prices, schedule_of
from tokencost.scenarios.seller_path import Promotion
from tokencost.tariffs.meter import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from tokencost.rating.book import Book
    from tokencost.scenarios.move import Prices
    from tokencost.scenarios.rewrite import Template
    from tokencost.scenarios.scenario import Scenario
    from tokencost.tariffs.tariff import Promo, Version

__all__ = ["moves_of_tables", "running_promotions"]


def moves_of_tables(book: Book, scenario: Scenario, templates: Mapping[str, Template]) -> list[Move]:
    """Return the changes of the tables that a scenario lets happen, in order of time.

    A frozen baseline has none, a known one what had been announced when the scenario begins, a history all.
    """
    if scenario.baseline == "frozen":
        return []
    found = [move for name, template in templates.items() for move in _moves(book, scenario, name, template)]
    return sorted(found, key=lambda move: move.at)


def running_promotions(scenario: Scenario, templates: Mapping[str, Template]) -> dict[str, list[Promotion]]:
    """Return the promotions of the tables that are on when a scenario begins; they end when they were to end."""
    found: dict[str, list[Promotion]] = {}
    for name, template in templates.items():
        for promo in template.tariff.promos if template.version is not None else ():
            if promo.start <= scenario.start < promo.until and (parts := _parts(promo, template)) is not None:
                by, meters, prices = parts
                found.setdefault(name, []).append(Promotion(promo.start, promo.until, Decimal(1) - (by or 0), meters, prices, promo))
    return found


def _moves(book: Book, scenario: Scenario, name: str, template: Template) -> Iterator[Move]:
    tariff = template.tariff
    versions = [version for version in tariff.in_force if _was_known(scenario, version.announced) or version.start <= scenario.start]
    for version in versions:
        listed = template.currency in version.currencies
        if _inside(scenario, version.start) and (listed or _listed_before(versions, version, template.currency)):
            if listed:
                base = base_prices(version, template.currency, schedule_of(book, tariff, version, version.start))
                yield Move(at=version.start, offering=name, kind="list", prices=base, version=version, source=version.source)
            else:
                yield Move(at=version.start, offering=name, kind="withdraw", source=version.source)
        end = tariff.ends(version)
        if listed and end is not None and _inside(scenario, end) and all(other.start != end for other in tariff.in_force):
            yield Move(at=end, offering=name, kind="withdraw", source=version.source)
    for promo in tariff.promos:
        if _inside(scenario, promo.start) and _was_known(scenario, promo.announced) and (parts := _parts(promo, template)) is not None:
            by, meters, prices = parts
            yield Move(
                at=promo.start,
                offering=name,
                kind="promotion",
                by=by,
                meters=meters,
                prices=prices,
                until=promo.until,
                source=promo.source,
                promo=promo,
            )


def _listed_before(versions: list[Version], version: Version, currency: str) -> bool:
    """Say whether the version before had a list in a currency, so that this one, which has none, ends it."""
    place = versions.index(version)
    return place > 0 and currency in versions[place - 1].currencies


def _parts(promo: Promo, template: Template) -> tuple[Decimal | None, tuple[str, ...], Prices] | None:
    """Return the share off, the meters and the prices of a promotion; None where it has none for the base row."""
    if promo.multiply is not None:
        meters = tuple(dict.fromkeys(meter for root in promo.meters for meter in within(root)))
        return 1 - promo.multiply, meters, {}
    rows = [row for row in promo.rates if row.currency == template.currency and row.service_tier == "standard" and row.mode != "thinking"]
    return (None, (), dict(rows[0].prices)) if rows else None


def _was_known(scenario: Scenario, announced: date | None) -> bool:
    return scenario.baseline == "history" or (announced is not None and announced <= scenario.start.date())


def _inside(scenario: Scenario, at: datetime) -> bool:
    return scenario.start < at < scenario.until

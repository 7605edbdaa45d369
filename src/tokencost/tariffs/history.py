"""History: a tariff as a table that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokencost.table import Column, Table
from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tokencost.tariffs.provider import Provider, Source
    from tokencost.tariffs.tariff import Adjustment, Promo, Rate, Tariff, Version

__all__ = ["history_table"]


def history_table(tariff: Tariff, provider: Provider, sources: Mapping[str, Source]) -> Table:
    """Return all versions and promotions of a tariff, one row of rates a line, with windows and sources below."""
    meters = tuple(dict.fromkeys(name for part in (*tariff.versions, *tariff.promos) for row in part.rates for name in row.prices))
    columns = (
        Column("from"),
        Column("until"),
        Column("what"),
        Column("choice"),
        *(Column(name, number=True) for name in meters),
        Column("source"),
    )
    rows: list[tuple[str, ...]] = []
    for version in tariff.versions:
        what = "list" if version.status == "in_force" else version.status
        rows += _rows(version, iso(tariff.ends(version)), f"{what}, {version.basis}", meters)
        rows += [_factor_row(factor, len(meters), version.source) for factor in version.adjustments]
    for promo in tariff.promos:
        rows += _rows(promo, iso(promo.until), f"promo, {promo.basis}", meters)
        if promo.multiply is not None:
            scope = f" on {', '.join(promo.meters)}" if promo.meters else ""
            span = (iso(promo.start), iso(promo.until), f"promo, {promo.basis}")
            rows.append((*span, f"list x {promo.multiply}{scope}", *[""] * len(meters), promo.source))
    title = f"{tariff.id}{f' ({tariff.title})' if tariff.title else ''}: price per million tokens unless the meter says otherwise"
    return Table(title, columns, tuple(rows), tuple(_notes(tariff, provider, sources)))


def _rows(part: Version | Promo, until: str, what: str, meters: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for number, row in enumerate(part.rates):
        head = (iso(part.start), until, what) if number == 0 else ("", "", "")
        prices = tuple(format(row.prices[name], "f") if name in row.prices else "" for name in meters)
        yield (*head, _choice(row), *prices, row.source or part.source)


def _factor_row(factor: Adjustment, width: int, source: str) -> tuple[str, ...]:
    name = factor.service_tier or f"residency {factor.residency}"
    scope = f" on {', '.join(factor.meters)}" if factor.meters else ""
    return ("", "", "", f"{name}: x {factor.multiply}{scope}", *[""] * width, factor.source or source)


def _choice(row: Rate) -> str:
    tier = None
    if row.first_input or row.up_to is not None:
        tier = f"from {row.first_input:,}" + ("" if row.up_to is None else f" to {row.up_to:,}")
    output = None
    if row.first_output or row.up_to_output is not None:
        output = f"output from {row.first_output:,}" + ("" if row.up_to_output is None else f" to {row.up_to_output:,}")
    service = None if row.service_tier == "standard" else row.service_tier
    residency = None if row.residency is None else f"residency {row.residency}"
    return ", ".join(part for part in (row.currency, service, row.mode, residency, row.window, tier, output) if part)


def _notes(tariff: Tariff, provider: Provider, sources: Mapping[str, Source]) -> Iterable[str]:
    dated = [(f"note on {part.start:%Y-%m-%d}", part.note) for part in (*tariff.versions, *tariff.promos)]
    yield from (f"{label}: {note}" for label, note in [("note", tariff.note), *dated] if note)
    for schedule_id in dict.fromkeys(version.schedule for version in tariff.versions if version.schedule):
        for schedule in provider.schedule_versions(schedule_id):
            windows = "; ".join(
                f"{w.window} {w.days} {w.hours}" + (f" except {w.except_calendar}" if w.except_calendar else "") for w in schedule.windows
            )
            yield f"schedule {schedule.id} from {iso(schedule.start)} in {schedule.timezone}: {windows}; otherwise {schedule.default}"
    parts = (*tariff.versions, *tariff.promos)
    rows = (row.source for part in parts for row in part.rates)
    factors = (factor.source for version in tariff.versions for factor in version.adjustments)
    used = dict.fromkeys(source for source in (*(part.source for part in parts), *rows, *factors) if source)
    for name in used:
        if name in sources:
            yield f"source {name}: {sources[name].url} ({sources[name].kind})"
    checked = max(part.checked for part in tariff.versions)
    yield f"last checked {checked}"

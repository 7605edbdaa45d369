"""A slow, obvious second opinion on what a usage costs.

It reads the records of a tariff and nothing else: no code of the rating room. Versions, promotions, windows and rows are found by
looking at every one of them; arithmetic is in fractions.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import product, starmap
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from tokencost.tariffs.meter import METERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tokencost.tariffs.schedule import Calendar, Schedule, Window
    from tokencost.tariffs.shelf import Shelf
    from tokencost.tariffs.tariff import Adjustment, Promo, Rate, Tariff, Version

__all__ = ["NoPrice", "Wanted", "offered", "oracle_lines", "oracle_parts", "oracle_total", "version_at"]

_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_TOKENS = {name for name, meter in METERS.items() if meter.unit == "token"}


class NoPrice(Exception):  # noqa: N818 - an answer of the oracle, not a defect
    """The tables have no price for this; the reason is the argument."""


class Wanted(NamedTuple):
    """One selection of everything that a caller can choose."""

    currency: str
    service_tier: str = "standard"
    mode: str | None = None
    residency: str | None = None


def _up(name: str) -> list[str]:
    """A meter and what it is part of, nearest first."""
    chain = [name]
    while METERS[chain[-1]].parent is not None:
        chain.append(METERS[chain[-1]].parent)
    return chain


def _under(root: str) -> set[str]:
    return {name for name in METERS if root in _up(name)}


_INPUT, _OUTPUT = _under("input"), _under("output")


def version_at(tariff: Tariff, at: datetime) -> Version:
    """The version that is in force at an instant."""
    begun = [version for version in tariff.versions if version.status != "withdrawn" and version.start <= at]
    if not begun:
        raise NoPrice("outside")
    newest = max(begun, key=lambda version: version.start)
    if newest.until is not None and at >= newest.until:
        raise NoPrice("outside")
    return newest


def _promo(tariff: Tariff, at: datetime) -> Promo | None:
    running = [promo for promo in tariff.promos if promo.start <= at < promo.until]
    assert len(running) <= 1
    return running[0] if running else None


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _weekdays(text: str) -> set[str]:
    days: set[str] = set()
    for part in text.split(","):
        word = part.strip()
        if word == "daily":
            days.update(_DAYS)
            continue
        first, _, last = word.partition("-")
        day = _DAYS.index(first)
        while True:
            days.add(_DAYS[day % 7])
            if _DAYS[day % 7] == (last or first):
                break
            day += 1
    return days


def _covers(window: Window, local: datetime, calendar: Calendar | None) -> bool:
    """Try every day on which a stretch that holds this local time can have begun."""
    begin, end = (_minutes(text) for text in window.hours.split("-"))
    length = end - begin if end > begin else end - begin + 24 * 60
    for back in (0, 1):
        day = local.date() - timedelta(days=back)
        since = (local - local.replace(hour=0, minute=0, second=0, microsecond=0)) + timedelta(days=back) - timedelta(minutes=begin)
        if not timedelta(0) <= since < timedelta(minutes=length):
            continue
        if _DAYS[day.weekday()] not in _weekdays(window.days):
            continue
        if calendar is not None:
            if not calendar.start <= day < calendar.until:
                raise NoPrice("calendar")
            if day in calendar.days_off:
                continue
        return True
    return False


def _window(schedules: Sequence[Schedule], shelf: Shelf, at: datetime) -> str:
    running = [schedule for schedule in schedules if schedule.start <= at and (schedule.until is None or at < schedule.until)]
    schedule = max(running, key=lambda schedule: schedule.start)
    local = at.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None)
    for window in schedule.windows:
        calendar = None if window.except_calendar is None else shelf.calendar(window.except_calendar)
        if _covers(window, local, calendar):
            return window.window
    return schedule.default


def _fits(row: Rate, rows: Sequence[Rate], wanted: Wanted) -> bool:
    """Say whether a row prices a choice, by the rules of its selectors."""
    if (row.currency, row.service_tier, row.residency) != (wanted.currency, wanted.service_tier, wanted.residency):
        return False
    apart = any(other.mode == "thinking" for other in rows if other.currency == wanted.currency)
    if row.mode == "thinking":
        return wanted.mode == "thinking"
    if row.mode == "any" or not apart:
        return True
    return wanted.mode is None


def _rows(version: Version, promo: Promo | None, wanted: Wanted) -> tuple[list[Rate], list[Adjustment]]:
    """Find the rows of a choice: its own, else those of a simpler choice and the factors that lead from there."""
    both = [*version.rates, *(promo.rates if promo else ())]
    tier, place = wanted.service_tier, wanted.residency
    by_place = [a for a in version.adjustments if place is not None and a.residency == place and a.service_tier in (None, tier)]
    by_tier = [a for a in version.adjustments if a.service_tier == tier and a.residency is None]
    paths: list[tuple[Wanted, list[Adjustment]]] = [(wanted, [])]
    if by_place:
        paths.append((wanted._replace(residency=None), by_place[:1]))
    if by_tier:
        paths.append((wanted._replace(service_tier="standard"), by_tier[:1]))
    if by_place and by_tier:
        paths.append((wanted._replace(service_tier="standard", residency=None), [*by_tier[:1], *by_place[:1]]))
    for simpler, factors in paths:
        for rates in (promo.rates if promo else (), version.rates):
            found = [row for row in rates if _fits(row, both, simpler)]
            if found:
                return found, factors
    raise NoPrice("rate")


def _first(above: int | None, at_or_above: int | None) -> int:
    if at_or_above is not None:
        return at_or_above
    return 0 if not above else above + 1


def _reaches(above: int | None, at_or_above: int | None, size: int) -> bool:
    """Say whether a size lies beyond the lower edge, by the letter of the raw keys; a ladder starts at 0 either way."""
    if at_or_above is not None:
        return size >= at_or_above
    return above is None or above == 0 or size > above


def _scan(rows: Sequence[Rate], size: int, output: int) -> Rate:
    """Look at every row: the reached one with the highest edge of size, then of output."""
    best = None
    for row in rows:
        if not _reaches(row.above, row.at_or_above, size):
            continue
        if best is None or _first(row.above, row.at_or_above) > _first(best.above, best.at_or_above):
            best = row
    assert best is not None
    tier = [row for row in rows if _first(row.above, row.at_or_above) == _first(best.above, best.at_or_above)]
    if all(row.up_to is not None and size > row.up_to for row in tier):
        raise NoPrice("above")
    best = None
    for row in tier:
        if not _reaches(row.above_output, row.at_or_above_output, output):
            continue
        if best is None or _first(row.above_output, row.at_or_above_output) > _first(best.above_output, best.at_or_above_output):
            best = row
    assert best is not None
    if best.up_to_output is not None and output > best.up_to_output:
        raise NoPrice("above")
    return best


def _prices(row: Rate, factors: Sequence[Adjustment], promo: Promo | None, layers: Sequence[Mapping[str, object]]) -> dict[str, Fraction]:
    """Multiply the row by every factor, one after the other."""
    prices = {name: Fraction(price) for name, price in row.prices.items()}
    steps: list[tuple[Fraction, set[str]]] = []
    for factor in factors:
        scope = set[str]().union(*(_under(root) for root in factor.meters)) if factor.meters else _TOKENS
        steps.append((Fraction(factor.multiply), scope))
    if promo is not None and promo.multiply is not None:
        scope = set[str]().union(*(_under(root) for root in promo.meters)) if promo.meters else _TOKENS
        steps.append((Fraction(promo.multiply), scope))
    for factor, scope in steps:
        prices = {name: price * factor if name in scope else price for name, price in prices.items()}
    for layer in layers:
        if layer["prices"] is not None:
            prices |= {name: Fraction(price) for name, price in layer["prices"].items()}
        else:
            scope = set(METERS) if layer["meters"] is None else set[str]().union(*(_under(root) for root in layer["meters"]))
            prices = {name: price * (1 + Fraction(layer["percent"]) / 100) if name in scope else price for name, price in prices.items()}
    return prices


def _line(prices: Mapping[str, Fraction], minimum: Mapping[str, int], bucket: str, count: int) -> Fraction:
    quantity = max(count, minimum.get(bucket, 0))
    for name in _up(bucket):
        if name in prices:
            return prices[name] * quantity / METERS[name].per
    raise NoPrice("unpriced")


def _slices(rows: Sequence[Rate], counts: Mapping[str, int], last: Rate) -> list[tuple[Rate, str, int]]:
    """Cut the prompt at the edges of a graduated ladder; the rest of the usage pays the tier in which the prompt ends."""
    tiers = sorted(rows, key=lambda row: _first(row.above, row.at_or_above))
    reads = [name for name in METERS if name in _INPUT and "cache_read" in name]
    writes = [name for name in METERS if name in _INPUT and "cache_write" in name]
    fresh = [name for name in METERS if name in _INPUT and "cache" not in name]
    cut: list[tuple[Rate, str, int]] = []
    done = 0
    for name in [*reads, *writes, *fresh]:
        begin, end = done, done + counts.get(name, 0)
        for n, tier in enumerate(tiers):
            low = max(_first(tier.above, tier.at_or_above) - 1, 0)
            high = max(_first(tiers[n + 1].above, tiers[n + 1].at_or_above) - 1, 0) if n + 1 < len(tiers) else end
            share = min(end, high) - max(begin, low)
            if share > 0:
                cut.append((tier, name, share))
        done = end
    return cut + [(last, name, count) for name, count in counts.items() if name not in _INPUT]


def oracle_parts(
    shelf: Shelf, tariff: Tariff, counts: Mapping[str, int], at: datetime, wanted: Wanted, *, layers: Sequence[Mapping[str, object]] = ()
) -> list[tuple[str, Fraction | None]]:
    """What each bucket costs, None where it has no rate.

    `layers` are mappings with `prices`, or with `percent` and `meters`, in the order in which they apply.
    """
    version, promo = version_at(tariff, at), _promo(tariff, at)
    if not any(row.currency == wanted.currency for row in (*version.rates, *(promo.rates if promo else ()))):
        raise NoPrice("currency")
    rows, factors = _rows(version, promo, wanted)
    if any(row.window is not None for row in rows):
        schedules = shelf.provider(tariff.id.split("/")[0]).schedules
        name = _window([schedule for schedule in schedules if schedule.id == version.schedule], shelf, at)
        rows = [row for row in rows if row.window == name]
    prompt = sum(count for name, count in counts.items() if name in _INPUT)
    output = sum(count for name, count in counts.items() if name in _OUTPUT)
    last = _scan(rows, prompt + (output if tariff.tier_on == "total" else 0), output)
    shares = [(last, name, count) for name, count in counts.items()]
    if tariff.tiering == "graduated":
        shares = _slices(rows, counts, last)
    parts: list[tuple[str, Fraction | None]] = []
    for row, name, count in shares:
        try:
            parts += [(name, _line(_prices(row, factors, promo, layers), version.minimum, name, count))] if count else []
        except NoPrice:
            parts.append((name, None))
    return parts


def oracle_lines(
    shelf: Shelf, tariff: Tariff, counts: Mapping[str, int], at: datetime, wanted: Wanted, *, layers: Sequence[Mapping[str, object]] = ()
) -> list[tuple[str, Fraction]]:
    """What each bucket costs, where all have a rate."""
    lines: list[tuple[str, Fraction]] = []
    for name, amount in oracle_parts(shelf, tariff, counts, at, wanted, layers=layers):
        if amount is None:
            raise NoPrice("unpriced")
        lines.append((name, amount))
    return lines


def oracle_total(
    shelf: Shelf, tariff: Tariff, counts: Mapping[str, int], at: datetime, wanted: Wanted, *, layers: Sequence[Mapping[str, object]] = ()
) -> Fraction:
    """What a usage costs, as a fraction."""
    return sum((amount for _, amount in oracle_lines(shelf, tariff, counts, at, wanted, layers=layers)), Fraction(0))


def offered(tariff: Tariff, at: datetime) -> list[Wanted]:
    """Every choice that has a price at an instant."""
    version, promo = version_at(tariff, at), _promo(tariff, at)
    rows = [*version.rates, *(promo.rates if promo else ())]
    currencies = dict.fromkeys(row.currency for row in rows)
    tiers = dict.fromkeys([*(row.service_tier for row in rows), *(a.service_tier for a in version.adjustments if a.service_tier)])
    places = dict.fromkeys([None, *(row.residency for row in rows), *(a.residency for a in version.adjustments)])
    found: list[Wanted] = []
    for wanted in starmap(Wanted, product(currencies, tiers, (None, "thinking"), places)):
        try:
            _rows(version, promo, wanted)
        except NoPrice:
            continue
        found.append(wanted)
    return found

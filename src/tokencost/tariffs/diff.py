"""Differences: what two copies of the price tables say differently, and from when to when.

A tariff is read as a step function of time, so that one comparison finds everything: a version that was appended, a promotion, a
figure that was corrected in the past. Each step is a grid of prices; windows and context tiers that only one side has are compared
cell by cell.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.exact import decimal_of
from tokencost.table import Column, Table
from tokencost.tariffs.clock import LATEST, iso
from tokencost.tariffs.stretches import Cells, paired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from tokencost.tariffs.grid import Choice
    from tokencost.tariffs.schedule import Window
    from tokencost.tariffs.shelf import Shelf
    from tokencost.tariffs.stretches import Stretch
    from tokencost.tariffs.tariff import Tariff

__all__ = ["PriceChange", "PriceDiff", "cell_changes", "diff_shelves", "rule_changes", "tariff_changes"]


class PriceChange(NamedTuple):
    """One price that differs: of which choice and meter, from what to what, and on which span.

    `old` or `new` is None where that side has no such price. `window` is None where the price holds all day, `first_input` and
    `first_output` are the lower edges of the context tier in tokens. `start` and `until` bound the span on which the two sides differ,
    None for an open end.

    >>> import tokencost as tc
    >>> diff = tc.diff_at(tc.load_book(), "2025-02-01T00:00:00Z", "2025-10-01T00:00:00Z", offerings=["deepseek/global/deepseek-reasoner"])
    >>> next((str(c.old), str(c.new), str(c.percent)) for c in diff.changes if c.meter == "input" and c.choice.currency == "USD")
    ('0.55', '0.28', '-49.09')
    """

    offering: str
    choice: Choice
    window: str | None
    first_input: int
    first_output: int
    meter: str
    old: Decimal | None
    new: Decimal | None
    start: datetime | None = None
    until: datetime | None = None

    @property
    def percent(self) -> Decimal | None:
        """The change in percent of the old price, half-even to two decimals; None where there is no old price above 0, or no new one."""
        if not self.old or self.new is None:
            return None
        return decimal_of(round((Fraction(self.new) / Fraction(self.old) - 1) * 10_000), 2)

    @property
    def where(self) -> str:
        """The choice, window and context tier in words."""
        tier = f"from {self.first_input:,}" if self.first_input else None
        output = f"output from {self.first_output:,}" if self.first_output else None
        return ", ".join(part for part in (str(self.choice), self.window, tier, output) if part)

    @property
    def move(self) -> Fraction | str:
        """New over old, or in a word what happened where there is no such quotient: added, removed, from free, to free."""
        if self.old is None or self.new is None:
            return "added" if self.old is None else "removed"
        return Fraction(self.new) / Fraction(self.old) if self.old and self.new else "to free" if self.old else "from free"


class PriceDiff(NamedTuple):
    """What changed between two sides: offerings that came or went, prices that moved, and notes on what is no price.

    It is true where there is any difference, prints as a table, and turns into plain records.
    """

    title: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changes: tuple[PriceChange, ...]
    notes: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each difference, ready for a data frame; prices stay `Decimal`, instants are text."""
        empty = dict.fromkeys(("currency", "service_tier", "mode", "residency", *PriceChange._fields[2:], "percent"))
        records: list[dict[str, Any]] = [{"offering": name, "what": "added", **empty} for name in self.added]
        records += [{"offering": name, "what": "removed", **empty} for name in self.removed]
        for change in self.changes:
            spans = {key: None if instant is None else iso(instant) for key, instant in (("start", change.start), ("until", change.until))}
            fields = {key: value for key, value in change._asdict().items() if key not in ("offering", "choice")}
            records.append(
                {"offering": change.offering, "what": "price", **change.choice._asdict(), **fields, **spans, "percent": change.percent}
            )
        return records

    def table(self) -> Table:
        """Return the differences as a table for eyes."""
        spans = any(change.start is not None for change in self.changes)
        head = [Column("offering"), Column("choice"), *([Column("from"), Column("until")] * spans), Column("meter")]
        columns = (*head, Column("old", number=True), Column("new", number=True), Column("change", number=True))
        rows = [self._row(change, spans=spans) for change in self.changes]
        gaps = [""] * (len(columns) - 2)
        rows += [(name, *gaps, what) for what, names in (("added", self.added), ("removed", self.removed)) for name in names]
        verdict = () if rows else ("no price differs",)
        return Table(self.title, columns if rows else (), tuple(rows), (*verdict, *self.notes))

    def _row(self, change: PriceChange, *, spans: bool) -> tuple[str, ...]:
        span = [iso(change.start), iso(change.until)] * spans
        old, new = ("" if price is None else format(price, "f") for price in (change.old, change.new))
        percent = change.percent
        return (change.offering, change.where, *span, change.meter, old, new, str(change.move) if percent is None else f"{percent:+f}%")

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changes or self.notes)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def cell_changes(offering: str, old: Cells, new: Cells) -> list[PriceChange]:
    """Return every price that differs between two sets of cells.

    A choice that both sides make by the same factor is left out where it moves with the choice that it is made from.
    """
    changes: dict[Choice, list[PriceChange]] = {}
    for choice in dict.fromkeys([*old.ladders, *new.ladders]):
        changes[choice] = list(_choice_changes(offering, choice, old, new))
    made_alike = {choice for choice, factors in old.derived.items() if new.derived.get(choice) == factors}
    kept = [mine for choice, mine in changes.items() if choice not in made_alike or not _follows(choice, changes)]
    return [change for mine in kept for change in mine]


def _follows(choice: Choice, changes: Mapping[Choice, Sequence[PriceChange]]) -> bool:
    bases = (
        choice._replace(residency=None),
        choice._replace(service_tier="standard"),
        choice._replace(service_tier="standard", residency=None),
    )
    mine = _moves(changes[choice])
    return any(base != choice and base in changes and _moves(changes[base]) == mine for base in bases)


def _moves(changes: Iterable[PriceChange]) -> set[object]:
    return {(change.window, change.first_input, change.first_output, change.meter, change.move) for change in changes}


def _choice_changes(offering: str, choice: Choice, old: Cells, new: Cells) -> Iterator[PriceChange]:
    windows = dict.fromkeys([*old.ladder_sets(choice), *new.ladder_sets(choice)])
    for window in [window for window in windows if window is not None] or [None]:
        edges = {(tier.first_input, tier.first_output) for side in (old, new) for tier in side.ladder(choice, window)}
        for edge in sorted(edges):
            before, after = old.prices_at(choice, window, edge), new.prices_at(choice, window, edge)
            for meter in dict.fromkeys([*before, *after]):
                if before.get(meter) != after.get(meter):
                    yield PriceChange(offering, choice, window, *edge, meter, before.get(meter), after.get(meter))


def tariff_changes(old: Tariff, new: Tariff) -> list[PriceChange]:
    """Return every price that two copies of a tariff give differently, each with the span on which they differ."""
    open_spans: dict[tuple[Any, ...], PriceChange] = {}
    found: list[PriceChange] = []
    for start, until, left, right in paired(old, new):
        still: dict[tuple[Any, ...], PriceChange] = {}
        for change in _stretch_changes(new.id, left, right):
            key = change[:8]
            earlier = open_spans.get(key)
            still[key] = change._replace(start=start if earlier is None else earlier.start, until=until)
        found += [change for key, change in open_spans.items() if key not in still]
        open_spans = still
    found += open_spans.values()
    found.sort(key=lambda change: change.start or LATEST)
    return [change._replace(until=None if change.until == LATEST else change.until) for change in found]


def _stretch_changes(offering: str, left: Stretch | None, right: Stretch | None) -> list[PriceChange]:
    if left is not None and right is not None and left[2:] == right[2:]:
        return []
    empty = Cells({}, {})
    return cell_changes(offering, empty if left is None else left.cells, empty if right is None else right.cells)


def diff_shelves(old: Shelf, new: Shelf) -> PriceDiff:
    """Return what two folders of price tables say differently.

    Every offering that both have is compared at all times, so that an appended version, a new promotion and a corrected past price all
    show, each with the span on which the two copies differ. Rules that are no price (tiering, minimums, schedules, calendars) are named
    in the notes.

    >>> import tokencost as tc
    >>> shelf = tc.load_book().shelf
    >>> bool(tc.diff_shelves(shelf, shelf))
    False

    Raises:
        TableError: a table that does not hold.
    """
    before, after = set(old.ids), set(new.ids)
    changes: list[PriceChange] = []
    notes: list[str] = []
    for offering in sorted(before & after):
        left, right = old.tariff(offering), new.tariff(offering)
        if left != right:
            changes += tariff_changes(left, right)
            notes += rule_changes(left, right)
    for provider in sorted(set(old.provider_ids) & set(new.provider_ids)):
        names = {clock[0] for clock in _clocks(old, provider) ^ _clocks(new, provider)}
        notes += [f"{provider}: schedule {name} differs" for name in sorted(names)]
    for calendar in sorted(set(old.calendar_ids) & set(new.calendar_ids)):
        if old.calendar(calendar).days_off != new.calendar(calendar).days_off:
            notes.append(f"calendar {calendar}: the days off differ")
    title = f"{old.root} against {new.root}: price per million tokens unless the meter says otherwise"
    return PriceDiff(title, tuple(sorted(after - before)), tuple(sorted(before - after)), tuple(changes), tuple(notes))


def _clocks(shelf: Shelf, provider: str) -> set[tuple[str, datetime, datetime | None, str, str, tuple[Window, ...]]]:
    """Return what decides a window, of every schedule of a provider; sources and notes are no part of it."""
    return {(s.id, s.start, s.until, s.timezone, s.default, s.windows) for s in shelf.provider(provider).schedules}


def rule_changes(old: Tariff, new: Tariff) -> Iterator[str]:
    """Say how two copies of a tariff differ in what decides a price without being one."""
    for key in ("tiering", "tier_on"):
        if getattr(old, key) != getattr(new, key):
            yield f"{new.id}: {key} {getattr(old, key)!r} became {getattr(new, key)!r}"
    for start, _, left, right in paired(old, new):
        if left is None or right is None:
            continue
        for key in ("minimum", "schedule"):
            was, became = getattr(left.version, key), getattr(right.version, key)
            if was != became:
                yield f"{new.id}: {key} from {iso(start)} on: {was or 'none'} became {became or 'none'}"

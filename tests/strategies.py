"""What hypothesis draws for all tests: instants, money, prices, usage, ladders, whole tariffs; and a folder of tables to put them in.

Everything drawn is valid: a drawn tariff has exactly one row for every request, and stands on the provider that `write_tables` writes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

import tokencost as tc
from tokencost.tariffs.canonical import tariff_text
from tokencost.tariffs.tariff import BASES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = [
    "CALENDAR",
    "CURRENCIES",
    "FILES",
    "OFFERING",
    "PROVIDER",
    "SCHEDULES",
    "SOURCES",
    "adjustments",
    "allowances",
    "amounts",
    "counts",
    "currencies",
    "days",
    "grids",
    "instants",
    "ladders",
    "money",
    "notes",
    "prices",
    "promos",
    "tariffs",
    "usages",
    "versions",
    "write_tables",
    "zoned_instants",
]

CURRENCIES = ("USD", "CNY", "EUR")
SCHEDULES: dict[str, tuple[str, ...]] = {"office": ("peak", "off_peak"), "night": ("off_peak", "peak"), "three": ("peak", "night", "day")}
"""The schedules of the written provider, with the windows that each can give, the default one last."""

_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_SOURCES = ("page", "archive", "press")
_METERS = (
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "audio_input",
    "reasoning",
    "citation",
    "cache_storage",
    "request",
    "web_search",
    "audio_s",
)
_METERS = (
    ["input", "output"],
    ["input", "cache_read", "output"],
    ["input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning"],
    ["input", "output", "audio_input", "citation", "cache_storage", "request", "web_search", "audio_s"],
    ["input"],
    ["page"],
    ["audio_s"],
)
_LISTS = (("USD",), ("USD",), ("USD", "CNY"), ("CNY", "USD"), ("EUR",))
_TIERS = (
    [("standard", (None,))],
    [("standard", ("any",))],
    [("standard", (None, "thinking"))],
    [("standard", (None,)), ("batch", ("any",))],
    [("standard", (None, "thinking")), ("batch", ("any",))],
    [("standard", (None, "thinking")), ("flex", (None,)), ("priority", (None, "thinking"))],
)
_EDGES = (1, 2, 3, 10, 1_000, 32_000, 32_768, 128_000, 200_000, 272_000, 1_000_000)


# --- scalars


def instants(*, first: datetime = _FIRST, last: datetime = datetime(2028, 1, 1, tzinfo=UTC)) -> SearchStrategy[datetime]:
    """Aware instants in UTC, to the microsecond."""
    return st.datetimes(first.replace(tzinfo=None), last.replace(tzinfo=None)).map(lambda naive: naive.replace(tzinfo=UTC))


def zoned_instants() -> SearchStrategy[datetime]:
    """Aware instants in any whole-minute offset."""
    offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    return st.builds(datetime.astimezone, instants(), offsets)


def days() -> SearchStrategy[date]:
    """Days on which somebody may have looked."""
    return st.dates(date(2024, 1, 1), date(2027, 12, 31))


def currencies() -> SearchStrategy[str]:
    """Currency codes of lists."""
    return st.sampled_from(CURRENCIES)


def amounts(*, places: int = 12) -> SearchStrategy[Decimal]:
    """Exact amounts of either sign, up to 10^15."""
    return st.builds(Decimal.scaleb, st.integers(-(10**15), 10**15).map(Decimal), st.integers(-places, 0))


def money(*, currency: str | None = None) -> SearchStrategy[tc.Money]:
    """Money in one currency, or in any."""
    return st.builds(tc.Money, amounts(), currencies() if currency is None else st.just(currency))


def prices() -> SearchStrategy[Decimal]:
    """Published prices: free, round, odd, with up to six decimals."""
    usual = st.sampled_from([Decimal(text) for text in ("0", "0.028", "0.14", "0.55", "1.25", "2.19", "10", "75", "0.003625", "0.000001")])
    return usual | st.builds(Decimal.scaleb, st.integers(0, 10**9).map(Decimal), st.integers(-6, -2))


def notes() -> SearchStrategy[str]:
    """Free text of any kind that a TOML file can hold."""
    return st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
        ['say "no"', "it's", "C:\\new", "# not a comment", "a\nb", '"""', "\\'"]
    )


def counts(*, meters: tuple[str, ...] = ("input", "cache_read", "output"), most: int = 2_000_000) -> SearchStrategy[dict[str, int]]:
    """Disjoint counts for some of these meters."""
    edge = st.sampled_from([0, *_EDGES]).flatmap(lambda n: st.sampled_from([max(n - 1, 0), n, n + 1]))
    return st.dictionaries(st.sampled_from(meters), st.integers(0, most) | edge, max_size=len(meters))


def usages(*, meters: tuple[str, ...] = ("input", "cache_read", "output"), most: int = 2_000_000) -> SearchStrategy[tc.Usage]:
    """Usage of some of these meters."""
    return counts(meters=meters, most=most).map(tc.Usage.of)


# --- what is drawn often is made once, which is most of the time that drawing takes

_BOOL = st.booleans()
_ONE_IN_FOUR = st.integers(0, 3).map(lambda n: n == 0)
_NOTE = notes()
_MAYBE_NOTE = st.none() | _NOTE
_DAY = days()
_MAYBE_DAY = st.none() | _DAY
_SOURCE = st.sampled_from(_SOURCES)
_MAYBE_SOURCE = st.none() | _SOURCE
_PRICES = st.lists(prices(), min_size=1, max_size=7)
_INNER_EDGES = st.sets(st.sampled_from(_EDGES) | st.integers(1, 50), max_size=3)
_ONE_INNER_EDGE = st.sets(st.sampled_from(_EDGES), max_size=1)
_ROOM = st.integers(0, 1_000_000)
_ROW_METERS = st.sampled_from(_METERS)
_LIST_CURRENCIES = st.sampled_from(_LISTS)
_LIST_TIERS = st.sampled_from(_TIERS)
_RESIDENCIES = st.sampled_from([(None,), (None,), (None, "us"), (None, "eu", "us")])
_SCHEDULE = st.none() | st.sampled_from(sorted(SCHEDULES))
_BASIS = st.sampled_from(BASES)
_MINIMUM = st.sampled_from([{}, {}, {"audio_s": 10}, {"request": 1, "page": 2}])
_FACTORS = st.sampled_from([Decimal(text) for text in ("0.5", "0.75", "1.1", "2", "0.333")])
_FACTOR_METERS = st.sampled_from([(), (), ("input",), ("output", "cache_read")])
_MULTIPLY = st.sampled_from([Decimal("0.5"), Decimal("0.25"), Decimal(0)])
_PROMO_METERS = st.sampled_from([(), ("input",), ("output",)])
_STATUS = st.sampled_from(["in_force", "announced"])


# --- rows


def ladders(*, output: bool = False) -> SearchStrategy[list[dict[str, int]]]:
    """The edges of a ladder of tiers that starts at 0 and has neither hole nor overlap, as keys of rows in rising order."""
    return _OUTPUT_LADDERS if output else _LADDERS


@st.composite
def _ladder(draw: DrawFn, inner: SearchStrategy[set[int]], suffix: str) -> list[dict[str, int]]:
    firsts = [0, *sorted(draw(inner))]
    steps: list[dict[str, int]] = []
    for first, following in [*pairwise(firsts), (firsts[-1], None)]:
        step = {f"at_or_above{suffix}": first} if first == 1 or draw(_BOOL) else {f"above{suffix}": max(first - 1, 0)}
        if first == 0 and draw(_BOOL):
            step = {}
        if following is not None and draw(_BOOL):
            step[f"up_to{suffix}"] = following - 1
        if following is None and draw(_ONE_IN_FOUR):
            step[f"up_to{suffix}"] = first + draw(_ROOM)
        steps.append(step)
    return steps


_LADDERS = _ladder(_INNER_EDGES, "")
_OUTPUT_LADDERS = _ladder(_ONE_INNER_EDGE, "_output")


def _grid_edges(draw: DrawFn, *, tiers: bool, outputs: bool) -> list[dict[str, int]]:
    found: list[dict[str, int]] = []
    for step in draw(_LADDERS) if tiers else [{}]:
        inner = draw(_OUTPUT_LADDERS) if outputs and draw(_ONE_IN_FOUR) else [{}]
        found += [{**step, **edge} for edge in inner]
    return found


class _Palette:
    """A few drawn prices, dealt out in turn: rows differ, and hypothesis has little to draw."""

    def __init__(self, draw: DrawFn) -> None:
        self.prices = draw(_PRICES)
        self.extra: dict[str, str] = {"source": "archive"} if draw(_ONE_IN_FOUR) else {"note": draw(_NOTE)} if draw(_ONE_IN_FOUR) else {}
        self.dealt = 0

    def row(self, selectors: dict[str, Any], meters: list[str]) -> tc.Rate:
        """Return a row with the next prices; one row in three has a source or note of its own, if any has."""
        self.dealt += 1
        priced = {meter: self.prices[(self.dealt * 3 + n) % len(self.prices)] for n, meter in enumerate(meters)}
        return tc.Rate(**selectors, prices=priced, **(self.extra if self.dealt % 3 == 0 else {}))


def _choice_rows(draw: DrawFn, selectors: dict[str, Any], windows: tuple[str, ...], palette: _Palette, *, outputs: bool) -> list[tc.Rate]:
    """All rows of one choice: the same meters in each, a ladder for each window or one without."""
    meters = draw(_ROW_METERS)
    windowed = windows if windows and draw(_BOOL) else (None,)
    edges = [_grid_edges(draw, tiers=draw(_BOOL), outputs=outputs)]
    if len(windowed) > 1 and draw(_BOOL):
        edges.append(_grid_edges(draw, tiers=True, outputs=outputs))
    return [
        palette.row({**selectors, "window": window, **edge}, meters) for n, window in enumerate(windowed) for edge in edges[n % len(edges)]
    ]


def _list_rows(draw: DrawFn, windows: tuple[str, ...], *, outputs: bool) -> list[tc.Rate]:
    """Rows of a whole list, in canonical order: by currency, service tier, mode, residency, window and tier."""
    rows: list[tc.Rate] = []
    palette = _Palette(draw)
    for currency in draw(_LIST_CURRENCIES):
        for tier, modes in draw(_LIST_TIERS):
            for mode in modes:
                for residency in draw(_RESIDENCIES):
                    chosen = {"currency": currency, "service_tier": tier, "mode": mode, "residency": residency}
                    rows += _choice_rows(draw, chosen, windows, palette, outputs=outputs)
    return rows


@st.composite
def grids(draw: DrawFn, *, windows: tuple[str, ...] = ()) -> tuple[tc.Rate, ...]:
    """The rows of one list: every selector, exactly one row for every request; `windows` are those that rows may name."""
    return tuple(_list_rows(draw, windows, outputs=True))


@st.composite
def adjustments(draw: DrawFn, rows: list[tc.Rate]) -> tuple[tc.Adjustment, ...]:
    """Factors for service tiers and residencies that have no rows of their own."""
    tiers = [tier for tier in ("batch", "flex", "priority") if not any(row.service_tier == tier for row in rows)]
    residencies = [name for name in ("us", "eu", "jp") if not any(row.residency == name for row in rows)]
    keys: list[dict[str, Any]] = [{"service_tier": tier} for tier in tiers] + [{"residency": name} for name in residencies]
    chosen = [key for key in keys if draw(_ONE_IN_FOUR)]
    return tuple(tc.Adjustment(**key, multiply=draw(_FACTORS), meters=draw(_FACTOR_METERS), source=draw(_MAYBE_SOURCE)) for key in chosen)


# --- tariffs


@st.composite
def versions(draw: DrawFn, *, start: datetime, until: datetime | None, status: str = "in_force", outputs: bool = True) -> tc.Version:
    """One edition of a list on a span."""
    schedule = draw(_SCHEDULE)
    rows = _list_rows(draw, SCHEDULES.get(schedule or "", ()), outputs=outputs)
    return tc.Version(
        start=start,
        until=until,
        basis=draw(_BASIS),
        announced=draw(_MAYBE_DAY),
        status=status,
        source=draw(_SOURCE),
        checked=draw(_DAY),
        schedule=schedule,
        served=draw(_MAYBE_NOTE),
        note=draw(_MAYBE_NOTE),
        correction=draw(_MAYBE_NOTE),
        minimum=draw(_MINIMUM),
        rates=tuple(rows),
        adjustments=draw(adjustments(rows)),
    )


@st.composite
def promos(draw: DrawFn, version: tc.Version, *, start: datetime, until: datetime) -> tc.Promo:
    """A promotion above one version: new prices for whole choices of it, or a factor."""
    known: dict[str, Any] = {
        "start": start,
        "until": until,
        "basis": "announced",
        "source": "page",
        "checked": draw(_DAY),
        "note": draw(_MAYBE_NOTE),
    }
    if draw(_BOOL):
        return tc.Promo(**known, multiply=draw(_MULTIPLY), meters=draw(_PROMO_METERS))
    keys = list(dict.fromkeys((row.currency, row.service_tier, row.residency) for row in version.rates))
    chosen = {keys[0]} | {key for key in keys[1:] if draw(_ONE_IN_FOUR)}
    rows = [row for row in version.rates if (row.currency, row.service_tier, row.residency) in chosen]
    palette = _Palette(draw)
    return tc.Promo(
        **known, rates=tuple(replace(row, prices=palette.row({"currency": row.currency}, [*row.prices]).prices) for row in rows)
    )


def allowances() -> SearchStrategy[tc.Allowance]:
    """A quantity that is free."""
    return _ALLOWANCES


_ALLOWANCES = st.builds(
    tc.Allowance,
    meter=st.sampled_from(["web_search", "cache_storage", "input"]),
    quantity=st.integers(1, 10**6),
    per=st.sampled_from(["day", "month", "once"]),
    start=st.none() | st.just(_FIRST),
    until=st.none(),
    source=_SOURCE,
    checked=_DAY,
    note=_MAYBE_NOTE,
)
_GAPS = st.lists(st.integers(1, 300), min_size=2, max_size=3)
_FRACTIONS = st.sampled_from([timedelta(), timedelta(microseconds=1), timedelta(seconds=59)])
_TIERING = st.sampled_from(["cliff", "cliff", "graduated"])
_TIER_ON = st.sampled_from(["input_total", "total"])
_VAT = st.sampled_from([None, "excluded", "included"])
_MINUTES = st.integers(0, 60).map(lambda minutes: timedelta(minutes=minutes))
_FEW_ALLOWANCES = st.lists(_ALLOWANCES, max_size=2).map(tuple)


@st.composite
def tariffs(draw: DrawFn, *, name: str = "acme/global/model") -> tc.Tariff:
    """A whole valid tariff: versions with gaps and withdrawn ones, promotions, allowances, every selector."""
    tiering = draw(_TIERING)
    outputs = tiering == "cliff"
    gaps = draw(_GAPS)
    starts = [_FIRST + timedelta(days=sum(gaps[:n])) + draw(_FRACTIONS) for n in range(len(gaps))]
    listed: list[tc.Version] = []
    lifted: list[tc.Promo] = []
    for start, following in pairwise(starts):
        until = draw(st.sampled_from([None, following, following - timedelta(hours=1)]))
        listed.append(draw(versions(start=start, until=until, status=draw(_STATUS), outputs=outputs)))
        if draw(_BOOL):
            lifted.append(draw(promos(listed[-1], start=start + draw(_MINUTES), until=following - timedelta(hours=2))))
        if draw(_ONE_IN_FOUR):
            listed.append(draw(versions(start=start, until=following, status="withdrawn", outputs=outputs)))
    return tc.Tariff(
        id=name,
        publisher="someone-else" if draw(_ONE_IN_FOUR) else name.split("/", 1)[0],
        title=draw(_MAYBE_NOTE),
        tiering=tiering,
        tier_on=draw(_TIER_ON) if outputs else "input_total",
        vat=draw(_VAT),
        note=draw(_MAYBE_NOTE),
        versions=tuple(listed),
        promos=tuple(lifted),
        allowances=draw(_FEW_ALLOWANCES),
    )


# --- files

PROVIDER = """\
name    = "Acme"
kind    = "publisher"
default = "global"

[[endpoint]]
id   = "global"
name = "one endpoint"

[[schedule]]
id       = "office"
from     = 2023-01-01T00:00:00Z
timezone = "Asia/Shanghai"
decided  = "completion"
default  = "off_peak"
windows = [
  { window = "peak", days = "mon-fri", hours = "09:00-12:00", except = "days-off" },
  { window = "peak", days = "mon-fri", hours = "14:00-18:00", except = "days-off" },
]
basis    = "announced"
source   = "page"
checked  = 2026-01-01

[[schedule]]
id       = "night"
from     = 2023-01-01T00:00:00Z
timezone = "UTC"
default  = "peak"
windows = [
  { window = "off_peak", days = "daily", hours = "16:30-00:30" },
]
basis    = "announced"
source   = "page"
checked  = 2026-01-01

[[schedule]]
id       = "three"
from     = 2023-01-01T00:00:00Z
timezone = "America/New_York"
default  = "day"
windows = [
  { window = "peak", days = "daily", hours = "09:00-12:00" },
  { window = "night", days = "fri-mon", hours = "22:00-08:00" },
]
basis    = "announced"
source   = "page"
checked  = 2026-01-01
"""
SOURCES = """\
[[source]]
id   = "page"
url  = "https://example.org/pricing"
kind = "official_page"

[[source]]
id   = "archive"
url  = "https://example.org/archive"
kind = "archived_official_page"

[[source]]
id   = "press"
url  = "https://example.org/press"
kind = "news"
"""
CALENDAR = """\
name     = "days off"
from     = 2023-01-01
until    = 2029-01-01
days_off = [2025-01-01, 2025-05-01, 2025-05-02, 2026-01-01]
working  = [2025-05-03]
source   = "https://example.org/days"
checked  = 2026-01-01
"""
OFFERING = """\
[[version]]
from    = 2025-01-20T00:00:00Z
basis   = "announced"
source  = "page"
checked = 2026-01-01
rates = [
  { currency = "USD", input = 0.55, cache_read = 0.14, output = 2.19 },
  { currency = "CNY", input = 4.0, cache_read = 1.0, output = 16.0 },
]
"""
FILES: dict[str, str] = {
    "calendars/days-off.toml": CALENDAR,
    "acme/provider.toml": PROVIDER,
    "acme/sources.toml": SOURCES,
}


def write_tables(root: Path, *drawn: tc.Tariff, files: Mapping[str, str] | None = None) -> Path:
    """Write a valid folder of tables with one provider, `acme`, and return it.

    Holds these tariffs, or one small offering `acme/global/model` where there are none. `files` adds texts or replaces them, by path.
    """
    offerings = {f"{tariff.id}.toml": tariff_text(tariff) for tariff in drawn} or {"acme/global/model.toml": OFFERING}
    for name, text in {**FILES, **offerings, **(files or {})}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    return root

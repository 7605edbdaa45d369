"""What hypothesis draws for the rating room: tariffs with every feature, instants near their edges, usage near their tiers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import strategies as st

import tokencost as tc
from rating.oracle import NoPrice, Wanted, offered

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LAB", "PROMPT_METERS", "choice_at", "counts_for", "instants_for", "tariffs"]

LAB = {
    "lab/provider.toml": """
name    = "Lab"
kind    = "publisher"
default = "rack"
decided = "completion"

[[schedule]]
id       = "office"
from     = 2025-01-01T00:00:00Z
timezone = "Asia/Shanghai"
default  = "off_peak"
windows  = [
  { window = "peak", days = "daily", hours = "09:00-12:00" },
  { window = "peak", days = "daily", hours = "14:00-18:00" },
]
source   = "lab"
checked  = 2026-01-01

[[schedule]]
id       = "office"
from     = 2025-06-30T16:00:00Z
timezone = "Asia/Shanghai"
decided  = "request"
default  = "off_peak"
windows  = [
  { window = "peak", days = "mon-fri", hours = "09:00-12:00", except = "lab-days" },
  { window = "peak", days = "mon-fri", hours = "14:00-18:00", except = "lab-days" },
]
source   = "lab"
checked  = 2026-01-01

[[schedule]]
id       = "night"
from     = 2025-01-01T00:00:00Z
timezone = "America/New_York"
default  = "peak"
windows  = [
  { window = "off_peak", days = "fri-mon,wed", hours = "22:30-06:15", except = "lab-days" },
]
source   = "lab"
checked  = 2026-01-01
""",
    "lab/sources.toml": '[[source]]\nid = "lab"\nurl = "https://example.org/prices"\nkind = "official_page"\n',
    "calendars/lab-days.toml": """
name     = "days off at the lab"
from     = 2025-01-01
until    = 2026-01-01
days_off = [2025-05-01, 2025-05-02, 2025-07-04, 2025-10-01, 2025-10-02, 2025-12-25]
source   = "https://example.org/days"
checked  = 2025-01-01
""",
}
"""The files of a provider with two schedules and a calendar, which drawn tariffs belong to."""

PROMPT_METERS = ("cache_read", "cache_read_explicit", "cache_write", "cache_write_1h", "audio_input", "audio_cache_read", "image_input")
_OTHER_METERS = ("reasoning", "audio_output", "citation", "request", "web_search", "web_search_high", "image", "audio_s", "cache_storage")
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LADDERS = ([], [], [128_000], [32_000, 128_000], [1, 2], [100, 200_000])
_SHAPES = ((False, None, 0, 1), (False, 400_000, 1, 997), (True, None, 2, 1_000_000), (True, 400_000, 0, 12_500), (False, None, 3, 0))
_INNER = (
    [{}],
    [{"above_output": 0}, {"above_output": 200}],
    [{"above_output": 0}, {"at_or_above_output": 200, "up_to_output": 16_000}],
    [{"above_output": 0}, {"above_output": 1}, {"above_output": 16_000}],
)
_PLAIN = ("standard", None, None)
_CHOICES = (
    (_PLAIN,),
    (_PLAIN, ("standard", "thinking", None)),
    (_PLAIN, ("priority", None, None), ("standard", None, "eu")),
    (_PLAIN, ("standard", "thinking", None), ("priority", "any", None), ("priority", "any", "eu")),
    (("standard", "any", None), ("priority", "thinking", None)),
)


def _price(meter: str, number: int, unit: int) -> Decimal:
    """A price as it is printed, up to six decimals; no two rows or meters share one, so that a wrong row shows."""
    place = [*tc.METERS].index(meter)
    return Decimal((number * 101 + place) * unit).scaleb(-6)


@st.composite
def _ladder(draw: Callable, first: int, meters: tuple[str, ...], *, graduated: bool, **selectors: str | None) -> list[tc.Rate]:
    """Rows of one choice and window: context tiers by either kind of edge, output tiers inside them, perhaps an end.

    `first` is the number of the first row, from which the prices are made.
    """
    edges = draw(st.sampled_from(_LADDERS))
    inclusive, limit, outer, unit = draw(st.sampled_from(_SHAPES))
    rows: list[tc.Rate] = []
    for n, edge in enumerate([0, *edges]):
        lower = {"at_or_above": edge} if inclusive and edge else {"above": edge} if edges else {}
        upper = {"up_to": limit} if n == len(edges) else {}
        inner = [{}] if graduated or n % 2 else _INNER[outer]
        for more in inner:
            priced = {name: _price(name, first + len(rows), unit) for name in meters}
            rows.append(tc.Rate(**selectors, **lower, **upper, **more, prices=priced))
    return rows


@st.composite
def _rows(draw: Callable, schedule: str | None, *, graduated: bool, currencies: list[str]) -> tuple[tc.Rate, ...]:
    """All rows of a version: currencies, service tiers, modes, residencies and windows."""
    extra = draw(st.lists(st.sampled_from([*PROMPT_METERS, *_OTHER_METERS]), max_size=5, unique=True))
    meters = ("input", *extra, "output")
    rows: list[tc.Rate] = []
    for currency in currencies:
        for tier, mode, residency in draw(st.sampled_from(_CHOICES)):
            windows = (None,) if schedule is None else ("off_peak", "peak")
            for window in windows:
                chosen = {"currency": currency, "service_tier": tier, "mode": mode, "residency": residency, "window": window}
                rows += draw(_ladder(len(rows), meters, graduated=graduated, **chosen))
    return tuple(rows)


@st.composite
def _adjustments(draw: Callable) -> tuple[tc.Adjustment, ...]:
    factors = st.sampled_from([Decimal("0.5"), Decimal("1.1"), Decimal("0.333"), Decimal(2)])
    scopes = st.sampled_from([(), ("input",), ("output", "cache_read"), ("input", "output", "web_search")])
    found = [
        tc.Adjustment(service_tier=tier, multiply=draw(factors), meters=draw(scopes)) for tier in ("batch", "flex") if draw(st.booleans())
    ]
    if draw(st.booleans()):
        found.append(tc.Adjustment(residency="us", multiply=draw(factors), meters=draw(scopes)))
    return tuple(found)


@st.composite
def tariffs(draw: Callable, *, linear: bool = False) -> tc.Tariff:
    """A tariff of the lab with one to three versions and perhaps a promotion; `linear` leaves tiers and minimum billing out."""
    graduated = not linear and draw(st.integers(0, 3)) == 0
    starts = draw(st.lists(st.integers(0, 700), min_size=1, max_size=3, unique=True).map(sorted))
    currencies = draw(st.sampled_from([["USD"], ["CNY"], ["USD", "CNY"]]))
    versions: list[tc.Version] = []
    for n, day in enumerate(starts):
        schedule = draw(st.sampled_from([None, None, "office", "night"]))
        gap = (starts[n + 1] if n + 1 < len(starts) else 10_000) - day
        end = draw(st.sampled_from([None, None, 1, 90]))
        version = tc.Version(
            start=_BEGIN + timedelta(days=day, minutes=7),
            until=None if end is None or end >= gap else _BEGIN + timedelta(days=day + end, minutes=7),
            basis=draw(st.sampled_from(["announced", "catalogue"])),
            source="lab",
            checked=date(2025, 6, 1),
            schedule=schedule,
            minimum={} if linear else draw(st.sampled_from([{}, {}, {"audio_s": 10}, {"request": 3}])),
            rates=draw(_rows(schedule, graduated=graduated, currencies=currencies)),
            adjustments=draw(_adjustments()),
        )
        versions.append(_flat(version) if linear else version)
    promos = () if linear else draw(_promos(versions[0], graduated=graduated))
    tier_on = "input_total" if graduated else draw(st.sampled_from(["input_total", "total"]))
    tiering = "graduated" if graduated else "cliff"
    return tc.Tariff(id="lab/rack/m", publisher="lab", tiering=tiering, tier_on=tier_on, versions=tuple(versions), promos=promos)


def _flat(version: tc.Version) -> tc.Version:
    """The same version with one row for each choice and window."""
    kept = (row for row in version.rates if (row.first_input, row.first_output) == (0, 0))
    bare = {"above": None, "at_or_above": None, "up_to": None, "above_output": None, "at_or_above_output": None, "up_to_output": None}
    return replace(version, rates=tuple(replace(row, **bare) for row in kept))


@st.composite
def _promos(draw: Callable, version: tc.Version, *, graduated: bool) -> tuple[tc.Promo, ...]:
    """No promotion, one that multiplies, or one with rows of its own for one of the list's choices."""
    start = version.start + timedelta(hours=draw(st.integers(0, 20)))
    until = start + timedelta(days=draw(st.sampled_from([1, 60])))
    common = {"start": start, "until": until, "basis": "announced", "source": "lab", "checked": date(2025, 6, 1)}
    kind = draw(st.sampled_from(["none", "multiply", "rates"]))
    if kind == "none":
        return ()
    if kind == "multiply":
        factor, meters = draw(st.sampled_from([(Decimal("0.25"), ()), (Decimal(0), ()), (Decimal("0.9"), ("input",))]))
        return (tc.Promo(**common, multiply=factor, meters=meters),)
    like = draw(st.sampled_from(version.rates))
    modes = {"any": ["any", "thinking", None]}.get(like.mode, [like.mode])
    chosen = {
        "currency": like.currency,
        "service_tier": like.service_tier,
        "mode": draw(st.sampled_from(modes)),
        "residency": like.residency,
    }
    return (tc.Promo(**common, rates=tuple(draw(_ladder(1_000, tuple(like.prices), graduated=graduated, **chosen)))),)


def choice_at(data: st.DataObject, tariff: tc.Tariff, at: datetime) -> Wanted:
    """Draw a choice that has a price then, or the plain one where nothing has."""
    try:
        return data.draw(st.sampled_from(offered(tariff, at)))
    except NoPrice:
        return Wanted("USD")


def instants_for(tariff: tc.Tariff) -> st.SearchStrategy[datetime]:
    """Instants at and around every edge of a tariff, around the edges of windows, and anywhere between."""
    parts = (*tariff.versions, *tariff.promos)
    edges = sorted(
        {edge for part in parts for edge in (part.start, part.until) if edge is not None} | {datetime(2025, 6, 30, 16, tzinfo=UTC)}
    )
    near = st.tuples(st.sampled_from(edges), st.sampled_from([-_MICROSECOND, timedelta(0), _MICROSECOND])).map(_added)
    minute = st.integers(0, 60 * 24 * 900).map(lambda n: _BEGIN + timedelta(minutes=n))
    quarter = st.tuples(st.integers(0, 4 * 24 * 500), st.sampled_from([-1, 0])).map(
        lambda p: _BEGIN + timedelta(minutes=15 * p[0], microseconds=p[1])
    )
    return near | minute | quarter


def _added(pair: tuple[datetime, timedelta]) -> datetime:
    """Add a pair up; hypothesis shrinks a named function better to read."""
    return pair[0] + pair[1]


@st.composite
def counts_for(draw: Callable, tariff: tc.Tariff, *, most: int = 300_000) -> dict[str, int]:
    """Counts of meters that the tariff prices, or their parts; the prompt often ends at the edge of a tier."""
    rows = [row for part in (*tariff.versions, *tariff.promos) for row in part.rates]
    edges = sorted({edge for row in rows for edge in (row.above, row.at_or_above, row.up_to) if edge})
    pool = list(
        dict.fromkeys(
            ["input", "output", *(name for row in rows for name in row.prices), "cache_write_12h", "reasoning", "image_cache_read"]
        )
    )
    chosen = draw(st.lists(st.sampled_from(pool), max_size=5, unique=True))
    counts = {name: draw(st.integers(0, most) | st.sampled_from([1, 199, 200, 201, 16_000, 16_001])) for name in chosen}
    prompt = [name for name in chosen if name != "input" and "input" in _chain(name)]
    if edges and draw(st.booleans()):
        wanted = draw(st.sampled_from(edges)) + draw(st.sampled_from([-1, 0, 1]))
        fresh = wanted - sum(counts[name] for name in prompt)
        if fresh >= 0:
            counts["input"] = fresh
    return {name: count for name, count in counts.items() if count}


def _chain(name: str) -> list[str]:
    chain = [name]
    while tc.METERS[chain[-1]].parent is not None:
        chain.append(tc.METERS[chain[-1]].parent)
    return chain

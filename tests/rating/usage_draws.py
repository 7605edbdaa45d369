"""What hypothesis draws for tables of usage: books with layers, and rows on both sides of everything that can change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import tokencost as tc
from rating.draws import choice_at, counts_for, instants_for, tariffs
from rating.one_by_one import Row, table_of
from tokencost.rating.usage_table import UsageColumns, UsageTable, read_usage_table
from tokencost.tariffs.meter import ancestors, within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FAR", "KERNELS", "LAYERS", "Drawn", "drawn_tables", "in_totals", "read", "repeated", "shipped_tables"]

KERNELS = ("numpy", "compiled") if find_spec("numba") else ("numpy",)
"""The kernels that can be had here."""

MICROSECOND = timedelta(microseconds=1)
FAR = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2014, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2064, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2065, 1, 1, tzinfo=UTC),
    datetime(2070, 6, 1, 3, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)
"""Instants beyond those for which windows are laid out."""

_BEGIN = datetime(2025, 3, 1, 0, 7, 30, tzinfo=UTC)
LAYERS: tuple[tuple[tc.Contract | tc.Markup, ...], ...] = (
    (),
    (),
    (tc.Contract("acme", percent=-20, tenant="acme"), tc.Markup("resale", percent="12.5")),
    (tc.Contract("fixed", prices={"input": "1.5", "web_search": 3}, currency="USD", start=_BEGIN, until=_BEGIN + timedelta(days=90)),),
    (tc.Contract("fine", percent="-12.3457", meters=["input"]), tc.Markup("free", percent=-100, tenant="beta")),
    (tc.Contract("finest", percent="-12.345678901234567", meters=["output"]),),
    (
        tc.Contract("dear", prices={"input": 4 * 10**12, "output": 5, "image": 6_000_000}, currency="USD"),
        tc.Markup("m", percent="0.000001"),
    ),
)
"""Contracts that make rates of up to eighteen decimals, of more, and beyond 64 bits."""

_TIERS = st.sampled_from([None, "standard", "batch", "flex", "priority", "bogus"])
_MODES = st.sampled_from([None, "thinking", "deep"])
_PLACES = st.sampled_from([None, "eu", "us", "mars"])
_TENANTS = st.sampled_from([None, "acme", "beta"])
_CURRENCIES = st.sampled_from([None, None, "USD", "CNY", "EUR", "usd"])
_TEAMS = st.sampled_from([None, "", "red", "blue"])
_ODD = st.sampled_from([-1, -(2**63), 10**15, 10**15 + 1, 2**63 - 1, 10**12, 9 * 10**14])
_ELSE = ("input", "output", "cache_read", "reasoning", "video_input", "web_fetch", "session_s", "page")


class Drawn(NamedTuple):
    """A book, rows of usage, the meters that are columns, and whether a count contains its parts."""

    book: tc.Book
    rows: list[Row]
    meters: tuple[str, ...]
    totals: bool


@st.composite
def drawn_tables(draw: Callable, lab: tc.Book, *, least: int = 1) -> Drawn:
    """A book of one or two tariffs under some layers, and rows for it: some instants, some usages and some selections in many pairs."""
    laws = [draw(tariffs())]
    if draw(st.booleans()):
        laws.append(replace(draw(tariffs()), id="lab/rack/n"))
    book = lab.with_tariffs(laws).with_layers(draw(st.sampled_from(LAYERS)))
    totals = draw(st.booleans())
    data = draw(st.data())
    kinds = [(law, at) for law in laws for at in draw(st.lists(instants_for(law), min_size=1, max_size=4))]
    if draw(st.integers(0, 7)) == 0:  # seldom: half a century of windows is laid out then
        kinds.append((laws[0], draw(st.sampled_from(FAR))))
    used = [draw(counts_for(law)) for law in laws for _ in range(3)]
    used.append({name: draw(st.integers(0, 500_000)) for name in draw(st.lists(st.sampled_from(_ELSE), max_size=3, unique=True))})
    rows: list[Row] = []
    for law, at in kinds:
        name = draw(st.sampled_from([law.id, law.id, law.id, law.id.rsplit("/", 1)[1], "no-such-model", None]))
        chosen = draw(_selections()) if draw(st.integers(0, 3)) == 0 else choice_at(data, law, at)._asdict()
        chosen["tenant"] = draw(_TENANTS)
        step = draw(st.sampled_from([timedelta(0), MICROSECOND, timedelta(minutes=15)]))
        rows += [Row(name, at if n % 2 or at.year == 9999 else at + step, counts, chosen) for n, counts in enumerate(used)]
    rows = draw(st.permutations(rows))[: draw(st.integers(least, len(rows)))]
    meters = tuple(draw(st.permutations(sorted({"input", "output", *(name for counts in used for name in counts)}))))
    rows = [row._replace(counts=in_totals(row.counts, meters) if totals else row.counts, team=draw(_TEAMS)) for row in rows]
    return Drawn(book, [draw(_spoilt(row, meters)) for row in rows], meters, totals)


@st.composite
def _selections(draw: Callable) -> dict[str, str | None]:
    return {"service_tier": draw(_TIERS), "mode": draw(_MODES), "residency": draw(_PLACES), "currency": draw(_CURRENCIES)}


@st.composite
def _spoilt(draw: Callable, row: Row, meters: Sequence[str]) -> Row:
    """Most rows as they are; some with a count that cannot be, or one so large that 64 bits do not hold its price."""
    if draw(st.integers(0, 6)):
        return row
    return row._replace(counts={**row.counts, draw(st.sampled_from(meters)): draw(_ODD)})


def in_totals(counts: dict[str, int], meters: Sequence[str]) -> dict[str, int]:
    """Return disjoint counts as totals that contain their parts, for a table with these meters."""
    return {meter: sum(counts.get(part, 0) for part in within(meter) if part in meters) for meter in meters}


@st.composite
def shipped_tables(draw: Callable, book: tc.Book) -> Drawn:
    """Rows for a few of the shipped offerings, by id or by model, at any time of three years."""
    names = draw(st.lists(st.sampled_from(book.ids), min_size=1, max_size=4))
    names = [draw(st.sampled_from([name, name.rsplit("/", 1)[1]])) for name in names]
    starts = [edge for name in names[:1] for edge in _edges(book, name)]
    minutes = st.integers(0, 3 * 365 * 24 * 60).map(lambda n: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=n))
    near = (
        minutes
        if not starts
        else minutes | st.builds(datetime.__add__, st.sampled_from(starts), st.sampled_from([-MICROSECOND, MICROSECOND * 0]))
    )
    moments = draw(st.lists(near, min_size=1, max_size=5))
    meters = tuple(draw(st.permutations(["input", "output", *draw(st.lists(st.sampled_from(_EXTRA), max_size=3, unique=True))])))
    totals = draw(st.booleans())
    rows: list[Row] = []
    for name in names:
        for at in moments:
            counts = {meter: draw(st.integers(0, 300_000) | st.sampled_from([0, 0, 128_000, 200_000, 200_001])) for meter in meters}
            chosen = draw(_selections()) if draw(st.booleans()) else {}
            rows.append(Row(name, at, in_totals(counts, meters) if totals else counts, chosen, team=draw(_TEAMS)))
    return Drawn(book, rows, meters, totals)


_EXTRA = ("cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input", "image_input", "web_search", "audio_s", "image")
assert all(ancestors(meter) for meter in _EXTRA)


def _edges(book: tc.Book, name: str) -> list[datetime]:
    try:
        tariff = book.tariff(name)
    except tc.TokencostError:
        return []
    return [version.start for version in book.shelf.tariff(tariff.id).versions]


def read(drawn: Drawn, rows: Sequence[Row] | None = None, **given: Any) -> UsageTable:
    counts = "totals" if drawn.totals else "disjoint"
    columns = UsageColumns(counts=counts, meters={meter: meter for meter in drawn.meters})
    return read_usage_table(table_of(drawn.rows if rows is None else rows, drawn.meters), columns=columns, **given)


def repeated(table: UsageTable, times: int) -> UsageTable:
    """Return a usage table many times over."""
    rows = table.rows * times

    def over(part: Any) -> Any:
        if isinstance(part, np.ndarray):
            return np.tile(part, times)
        return part._replace(codes=np.tile(part.codes, times)) if hasattr(part, "codes") else part

    again = np.arange(times)[:, None] * table.rows
    selected = {name: over(getattr(table, name)) for name in ("model", "at", "currency", "service_tier", "mode", "residency", "tenant")}
    unreadable = tuple(u._replace(rows=(again + u.rows).ravel()) for u in table.unreadable)
    counts = {meter: over(column) for meter, column in table.counts.items()}
    return UsageTable(rows=rows, counts=counts, totals=table.totals, unreadable=unreadable, source=None, **selected)

"""Look-ups: quarters of an hour within which something changes, and the ends of the time that a table spans."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from rating.usage_draws import KERNELS
from tokencost.rating import rate_table
from tokencost.rating.lookup import Lookup
from tokencost.rating.rate_table import rate_usage_table
from tokencost.rating.usage_table import read_usage_table

MIDNIGHT = datetime(2025, 2, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def priced(lab: tc.Book, *starts: datetime) -> tc.Book:
    """A book of one tariff that costs one dollar a token at first, two after the first of these instants, and so on."""
    versions = tuple(
        tc.Version(
            start=start,
            basis="announced",
            source="lab",
            checked=date(2025, 6, 1),
            rates=(tc.Rate(currency="USD", prices={"input": Decimal(10**6 * (n + 1))}),),
        )
        for n, start in enumerate([datetime(2025, 1, 1, tzinfo=UTC), *starts])
    )
    return lab.with_tariffs([tc.Tariff(id="lab/rack/m", publisher="lab", versions=versions)])


def columns(book: tc.Book, instants: list[datetime], *, reuse: bool = False, kernel: str = "auto") -> list[Decimal | None]:
    table = read_usage_table({"at": instants, "input": [1] * len(instants)}, columns={"input": "input", "output": ""}, model="lab/rack/m")
    return rate_usage_table(book.plan(), table, reuse=reuse, kernel=kernel).amounts()


def alone(book: tc.Book, instants: list[datetime]) -> list[Decimal]:
    return [book.cost("lab/rack/m", tc.Usage(input=1), at=at) for at in instants]


def test_a_change_within_the_last_quarter(lab):
    """The rows span two quarters and end in the one that changes."""
    change = MIDNIGHT + timedelta(minutes=7)
    instants = [MIDNIGHT - timedelta(seconds=1), change - MICROSECOND, change]

    assert columns(priced(lab, change), instants) == [1, 1, 2]


def test_a_change_within_the_first_quarter_before_the_first_row(lab):
    """What held at the start of that quarter holds no more when the rows begin."""
    early, later = MIDNIGHT + timedelta(minutes=7), MIDNIGHT + timedelta(hours=3)
    instants = [early + timedelta(minutes=1), early + timedelta(hours=1), later - MICROSECOND, later]

    assert columns(priced(lab, early, later), instants) == [2, 2, 2, 3]


OFFSETS = st.integers(0, 3 * 60 * 60 * 10**6) | st.integers(0, 12).map(lambda n: n * 15 * 60 * 10**6)
"""Anywhere in three hours, or at the start of a quarter."""


@given(st.lists(OFFSETS, min_size=1, max_size=4, unique=True), st.lists(OFFSETS, min_size=1, max_size=8), st.sampled_from([None, 0, 2**40]))
def test_changes_anywhere_in_a_quarter(lab, changes, rows, forced):
    """To the microsecond, at both sides of each change, in a table of quarters and by search."""
    starts = [MIDNIGHT + offset * MICROSECOND for offset in sorted(changes)]
    book = priced(lab, *starts)
    instants = [MIDNIGHT + offset * MICROSECOND for offset in rows]
    instants += [start + step for start in starts[:2] for step in (-MICROSECOND, timedelta(0))]
    with pytest.MonkeyPatch.context() as patch:
        if forced is not None:
            patch.setattr(rate_table, "Lookup", lambda *args, **keys: Lookup(*args, **{**keys, "rows": forced}))
        for few in (instants, instants[:2], instants[-2:]):
            for kernel in KERNELS:
                assert columns(book, few, kernel=kernel) == alone(book, few)
    assert columns(book, instants, reuse=True) == alone(book, instants)


def test_instants_a_millennium_apart_need_no_table(lab):
    """More quarters than are ever laid out."""
    instants = [datetime(2025, 1, 1, tzinfo=UTC), MIDNIGHT - MICROSECOND, MIDNIGHT, datetime(9999, 12, 31, tzinfo=UTC)]

    assert columns(priced(lab, MIDNIGHT), instants) == [1, 1, 2, 2]


def test_a_whole_block_of_unreadable_instants_is_unknown(book):
    """Their cells hold 0, which lies far before the table of quarters."""
    from tokencost.rating.kernel import BLOCK

    many = 2 * BLOCK
    instants = [None] * many + ["2025-03-01T12:00:00Z", "2025-03-01T17:00:00Z"] * 16 * BLOCK
    table = {"model": ["deepseek-reasoner"] * len(instants), "at": instants, "input": [1] * len(instants), "output": [0] * len(instants)}
    costs = book.rate_table(table, threads=1)
    assert costs.outcomes == {"priced": 32 * BLOCK, "free": 0, "partial": 0, "unknown": many}
    assert costs.problems[0].rows == many

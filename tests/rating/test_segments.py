"""Segments: found once, kept, shared by threads, and never mixed up."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from rating.agreement import error_of
from rating.draws import counts_for, instants_for, tariffs
from rating.oracle import NoPrice, offered
from tokencost.rating.timeline import Timeline

USAGE = tc.Usage(input=1_000_000)


def day(month: int, number: int) -> datetime:
    return datetime(2025, month, number, tzinfo=UTC)


def law() -> tc.Tariff:
    """A price of 1 in January, of 2 from February on."""
    versions = tuple(
        tc.Version(
            start=day(month, 1),
            basis="announced",
            source="lab",
            checked=date(2025, 6, 1),
            rates=(tc.Rate(currency="USD", prices={"input": Decimal(month)}),),
        )
        for month in (1, 2)
    )
    return tc.Tariff(id="lab/rack/m", publisher="lab", versions=versions)


@given(data=st.data())
def test_jumping_about_in_time_changes_no_price(lab, data):
    """The segment that was used last is kept; a book that has priced other instants says what a fresh one says."""
    tariff_ = data.draw(tariffs())
    instants = data.draw(st.lists(instants_for(tariff_), min_size=2, max_size=6))
    usage = tc.Usage.of(data.draw(counts_for(tariff_)))
    selections = [{}]
    for at in instants:
        try:
            selections += [wanted._asdict() for wanted in offered(tariff_, at)[:2]]
        except NoPrice:
            continue
    used = lab.with_tariffs([tariff_])
    for at in [*instants, *reversed(instants), *instants]:
        for selection in selections:
            fresh = lab.with_tariffs([tariff_])
            expected = error_of(lambda at=at, s=selection, b=fresh: b.cost(tariff_.id, usage, at=at, **s))
            if expected is None:
                assert used.cost(tariff_.id, usage, at=at, **selection) == fresh.cost(tariff_.id, usage, at=at, **selection)
                assert used.quote(tariff_.id, usage, at=at, **selection) == fresh.quote(tariff_.id, usage, at=at, **selection)
            else:
                assert error_of(lambda at=at, s=selection: used.cost(tariff_.id, usage, at=at, **s)) == expected


@pytest.fixture
def hasty():
    """Let threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty")
def test_threads_that_price_different_instants_do_not_mix_them_up(book):
    """Four threads share one timeline and jump between versions, windows and lists."""
    usage = tc.Usage(input=1_000_000, cache_read=1_000_000, output=1_000_000)
    name = "deepseek/global/deepseek-chat"
    instants = ["2024-09-01T00:00:00Z", "2025-02-01T00:00:00Z", "2025-03-01T17:00:00Z", "2025-03-01T12:00:00Z", "2025-10-15T00:00:00Z"]
    moments = [tc.to_instant(at) for at in instants]
    expected = [tc.load_book().cost(name, usage, at=at) for at in moments]
    assert len(set(expected)) == 4  # 0.434 at the launch price too
    shared, wrong = book.with_layers([]), []
    start = threading.Barrier(4)

    def work(offset: int) -> None:
        start.wait()
        for n in range(1_500):
            k = (n * (offset + 1) + offset) % len(moments)
            if (
                shared.cost(name, usage, at=moments[k]) != expected[k]
                or shared.quote(name, usage, at=moments[k]).total.amount != expected[k]
            ):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_price_is_made_of_the_segment_that_was_found(lab, monkeypatch):
    """What another thread may do at the worst moment: put its own segment in place just after this one was found."""
    book = lab.with_tariffs([law()])
    others = book.timeline("lab/rack/m").segment(day(2, 15))
    find = Timeline.segment

    def meddle(line: Timeline, at: datetime) -> object:
        found = find(line, at)
        line.last = others
        return found

    monkeypatch.setattr(Timeline, "segment", meddle)
    assert book.cost("lab/rack/m", USAGE, at=day(1, 15)) == 1
    assert book.quote("lab/rack/m", USAGE, at=day(1, 15)).total.amount == 1


def test_each_segment_is_resolved_once(lab):
    made = law()
    before = replace(made)
    line = lab.with_tariffs([made]).timeline(made.id)
    first = line.segment(day(1, 5))
    assert line.segment(day(2, 5)) is not first
    assert line.segment(day(1, 6)) is first
    assert made == before

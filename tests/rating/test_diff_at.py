"""What every offering costs at two instants of one book."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import instants, tariffs, write_tables

R1 = "deepseek/global/deepseek-reasoner"
ABSENT = (tc.NoRateError, tc.OutsideHistoryError, tc.CurrencyError)


def told(diff):
    return [(c.where, c.meter, c.old and str(c.old), c.new and str(c.new), c.percent and str(c.percent)) for c in diff.changes]


def test_prices_that_moved_between_two_instants(book):
    diff = tc.diff_at(book, "2025-02-01T00:00:00Z", "2025-10-01T00:00:00Z", offerings=[R1])
    assert told(diff) == [
        ("USD, standard", "input", "0.55", "0.28", "-49.09"),
        ("USD, standard", "cache_read", "0.14", "0.028", "-80"),
        ("USD, standard", "output", "2.19", "0.42", "-80.82"),
        ("CNY, standard", "input", "4", "2", "-50"),
        ("CNY, standard", "cache_read", "1", "0.2", "-80"),
        ("CNY, standard", "output", "16", "3", "-81.25"),
    ]
    assert diff.notes == ()


def test_the_window_in_force_is_compared_and_said(book):
    diff = tc.diff_at(book, "2025-03-01T12:00:00Z", "2025-03-01T17:00:00Z", offerings=[R1])
    assert [(c.meter, str(c.old), str(c.new)) for c in diff.changes if c.choice.currency == "USD"] == [
        ("input", "0.55", "0.135"),
        ("cache_read", "0.14", "0.035"),
        ("output", "2.19", "0.55"),
    ]
    assert diff.notes == (f"{R1}: peak at 2025-03-01T12:00:00Z, off_peak at 2025-03-01T17:00:00Z",)


def test_an_offering_comes_and_goes(book):
    before, during, after = "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z", "2026-10-01T00:00:00Z"
    assert tc.diff_at(book, before, during, offerings=[R1]).added == (R1,)
    assert tc.diff_at(book, during, after, offerings=[R1]).removed == (R1,)
    assert not tc.diff_at(book, "2024-01-01T00:00:00Z", before, offerings=[R1])


def test_a_contract_of_the_book_is_a_change_from_its_start(book):
    mine = book.with_layers([tc.Contract("acme", percent=-20, provider="openai", start="2025-06-01T00:00:00Z")])
    diff = tc.diff_at(mine, "2025-05-31T00:00:00Z", "2025-06-01T00:00:00Z", offerings=["openai/global/gpt-4o"])
    assert {c.percent for c in diff.changes} == {Decimal(-20)}


def test_a_calendar_that_has_run_out_leaves_its_offerings_out_by_name(book):
    name = "deepseek/global/deepseek-v4-pro"
    diff = tc.diff_at(book, "2026-11-20T00:00:00Z", "2027-02-01T02:00:00Z", offerings=[name, R1])
    assert (diff.changes, diff.added, diff.removed) == ((), (), ())
    assert [note.split(":")[0] for note in diff.notes] == [f"{name} is left out"]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("2025-02-01", "2025-03-01T00:00:00Z", tc.InstantTypeError),
        ("2025-02-01T00:00:00", "2025-03-01T00:00:00Z", tc.InstantError),
        ("2025-02-01T00:00:00Z", "2025-02-01T00:00:00Z", tc.InstantError),
        ("2025-03-01T00:00:00Z", "2025-02-01T00:00:00Z", tc.InstantError),
    ],
    ids=["date", "naive", "same", "reversed"],
)
def test_instants_that_cannot_be(book, before, after, kind):
    with pytest.raises(kind):
        tc.diff_at(book, before, after, offerings=[R1])


def test_an_unknown_offering_is_an_error(book):
    with pytest.raises(tc.UnknownNameError):
        tc.diff_at(book, "2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z", offerings=["deepseek/global/r9"])


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """A book with the schedules of the written provider; tests add the tariffs."""
    return tc.load_book(write_tables(tmp_path_factory.mktemp("diff_at")))


@given(tariffs(), instants(last=datetime(2025, 6, 1, tzinfo=UTC)), st.timedeltas(timedelta(hours=1), timedelta(days=400)), st.data())
def test_every_change_is_on_the_rate_cards_of_both_instants(acme, drawn, first, later, data):
    second = first + later
    mine = acme.with_tariffs([drawn])
    diff = tc.diff_at(mine, first, second, offerings=[drawn.id])
    for change in data.draw(st.lists(st.sampled_from(diff.changes), max_size=6)) if diff.changes else []:
        assert (price(mine, drawn.id, change, first), price(mine, drawn.id, change, second)) == (change.old, change.new)
        assert change.old != change.new


def price(book, offering, change, at):
    try:
        card = book.tariff(offering).card(at=at, **change.choice._asdict())
    except ABSENT:
        return None
    for row in card.rows:
        inside = row.from_input <= change.first_input and (row.up_to_input is None or change.first_input <= row.up_to_input)
        if inside and row.from_output <= change.first_output and (row.up_to_output is None or change.first_output <= row.up_to_output):
            return row.prices.get(change.meter)
    return None

"""What two copies of the tables say differently."""

import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from strategies import instants, tariffs, usages, write_tables
from tokencost.tariffs.diff import tariff_changes
from tokencost.tariffs.grid import Choice

ID = "acme/global/model"
START = datetime(2025, 1, 1, tzinfo=UTC)
CHOICES = [
    {"currency": currency, "service_tier": tier, "mode": mode, "residency": residency}
    for currency in ("USD", "CNY", "EUR")
    for tier in ("standard", "batch", "priority")
    for mode in (None, "thinking")
    for residency in (None, "us")
]
ABSENT = (tc.NoRateError, tc.OutsideHistoryError, tc.CurrencyError, tc.UnpricedMeterError, tc.AboveListError)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A book with the schedules of the written provider; tests add the tariffs."""
    return tc.load_book(write_tables(tmp_path_factory.mktemp("diff")))


def version(start=START, **fields):
    rates = fields.pop("rates", (rate(),))
    return tc.Version(**({"start": start, "basis": "announced", "source": "page", "checked": start.date(), "rates": rates} | fields))


def rate(currency="USD", *, prices=None, **selectors):
    return tc.Rate(currency=currency, prices=prices or {"input": Decimal("0.55"), "output": Decimal("2.19")}, **selectors)


def law(*versions, **fields):
    return tc.Tariff(id=ID, publisher="acme", versions=versions or (version(),), **fields)


def told(changes):
    """The changes without their offering, in words."""
    return [(c.where, c.meter, c.old and str(c.old), c.new and str(c.new), c.start, c.until) for c in changes]


@given(tariffs())
def test_a_tariff_does_not_differ_from_itself(drawn):
    assert tariff_changes(drawn, drawn) == []


@given(tariffs(), tariffs())
def test_the_two_directions_mirror_each_other(left, right):
    there, back = tariff_changes(left, right), tariff_changes(right, left)
    assert {c._replace(old=c.new, new=c.old) for c in back} == set(there)
    assert len(there) == len(set(there))


@given(tariffs(), tariffs(), st.data())
def test_every_change_is_what_both_sides_charge(empty, left, right, data):
    """Each change holds against the rating of either side, at its start and at its last instant."""
    books = empty.with_tariffs([left]), empty.with_tariffs([right])
    changes = tariff_changes(left, right)
    for change in data.draw(st.lists(st.sampled_from(changes), max_size=8)) if changes else []:
        assert change.old != change.new
        last = change.until or datetime(2028, 1, 1, tzinfo=UTC)
        for at in (change.start, last - timedelta(microseconds=1)):
            assert (listed(books[0], change, at), listed(books[1], change, at)) == (change.old, change.new)


def listed(book, change, at):
    """The price that a book's rating has for the cell of a change, None where it has none."""
    try:
        segment = book.timeline(ID, **change.choice._asdict()).segment(at)
    except ABSENT:
        return None
    ladder = segment.ladders.get(change.window) or segment.ladders.get(None)
    if ladder is None or (ladder.limit is not None and change.first_input > ladder.limit):
        return None
    edges = zip(ladder.cells, ladder.steps, strict=True)
    reached = [(cell, step) for cell, step in edges if step[0] <= change.first_input and (step[2] <= change.first_output or not step[2])]
    if not reached or (reached[-1][1][3] is not None and change.first_output > reached[-1][1][3]):
        return None
    return reached[-1][0].prices.get(change.meter)


@st.composite
def edited(draw):
    """A tariff, and a copy of it that a hand has been at."""
    old = draw(tariffs())
    number = draw(st.integers(0, len(old.versions) - 1))
    touched = old.versions[number]
    row = draw(st.integers(0, len(touched.rates) - 1))
    dear = replace(touched.rates[row], prices={meter: price + 1 for meter, price in touched.rates[row].prices.items()})
    edits = [
        replace(touched, rates=(*touched.rates[:row], dear, *touched.rates[row + 1 :])),
        replace(touched, adjustments=()),
        replace(touched, until=touched.start + timedelta(hours=1)),
        replace(touched, note="looked again"),
    ]
    kept = (*old.versions[:number], draw(st.sampled_from(edits)), *old.versions[number + 1 :])
    return old, replace(old, versions=kept, promos=draw(st.sampled_from([old.promos, ()])))


@given(edited(), instants(last=datetime(2025, 6, 1, tzinfo=UTC)), usages())
def test_where_no_change_is_told_both_sides_cost_the_same(empty, pair, at, usage):
    books = [empty.with_tariffs([side]) for side in pair]
    told_here = [c for c in tariff_changes(*pair) if c.start <= at and (c.until is None or at < c.until)]
    differing = [choice for choice in CHOICES if len({cost(book, usage, at, choice) for book in books}) > 1]
    assert told_here or not differing


def cost(book, usage, at, choice):
    try:
        return book.cost(ID, usage, at=at, **choice)
    except ABSENT as error:
        return type(error)


def test_an_appended_version_is_told_with_its_start():
    later = START + timedelta(days=90)
    new = law(version(), version(later, rates=(rate(prices={"input": Decimal("0.28"), "output": Decimal("2.19")}),)))
    assert told(tariff_changes(law(), new)) == [("USD, standard", "input", "0.55", "0.28", later, None)]


def test_a_corrected_past_price_is_told_with_its_span():
    later = START + timedelta(days=90)
    wrong = rate(prices={"input": Decimal(55), "output": Decimal("2.19")})
    old, new = law(version(rates=(wrong,)), version(later)), law(version(), version(later))
    assert told(tariff_changes(old, new)) == [("USD, standard", "input", "55", "0.55", START, later)]


def test_one_span_is_told_once_though_a_version_of_the_same_prices_begins_in_it():
    later = START + timedelta(days=90)
    dear = rate(prices={"input": Decimal(1), "output": Decimal("2.19")})
    new = law(version(rates=(dear,)), version(later, rates=(dear,), note="looked again"))
    assert told(tariff_changes(law(), new)) == [("USD, standard", "input", "0.55", "1", START, None)]


def test_windows_that_are_new_are_held_against_the_price_of_the_whole_day():
    night = rate(prices={"input": Decimal("0.135"), "output": Decimal("0.55")}, window="off_peak")
    new = law(version(schedule="night", rates=(night, rate(window="peak"))))
    assert told(tariff_changes(law(), new)) == [
        ("USD, standard, off_peak", "input", "0.55", "0.135", START, None),
        ("USD, standard, off_peak", "output", "2.19", "0.55", START, None),
    ]


def test_a_context_tier_that_is_new_is_told_from_its_edge():
    dear = rate(prices={"input": Decimal("1.1"), "output": Decimal("2.19")}, above=200_000)
    new = law(version(rates=(rate(above=0), dear)))
    assert told(tariff_changes(law(), new)) == [("USD, standard, from 200,001", "input", "0.55", "1.1", START, None)]


def test_a_limit_that_is_new_takes_the_prices_above_it_away():
    new = law(version(rates=(rate(up_to=1000),)))
    assert told(tariff_changes(law(), new)) == [
        ("USD, standard, from 1,001", "input", "0.55", None, START, None),
        ("USD, standard, from 1,001", "output", "2.19", None, START, None),
    ]


def test_a_choice_made_by_a_factor_is_left_out_while_it_follows():
    half = (tc.Adjustment(service_tier="batch", multiply=Decimal("0.5")),)
    third = (tc.Adjustment(service_tier="batch", multiply=Decimal("0.3")),)
    cheap = rate(prices={"input": Decimal("0.11"), "output": Decimal("2.19")})
    old = law(version(adjustments=half))
    follows = tariff_changes(old, law(version(adjustments=half, rates=(cheap,))))
    assert [c.choice.service_tier for c in follows] == ["standard"]
    moves = tariff_changes(old, law(version(adjustments=third)))
    assert told(moves) == [
        ("USD, batch", "input", "0.275", "0.165", START, None),
        ("USD, batch", "output", "1.095", "0.657", START, None),
    ]


def test_a_promotion_is_a_difference_on_its_span():
    begin, end = START + timedelta(days=1), START + timedelta(days=8)
    promo = tc.Promo(start=begin, until=end, basis="announced", source="page", checked=begin.date(), multiply=Decimal("0.5"))
    found = told(tariff_changes(law(), law(promos=(promo,))))
    assert found == [
        ("USD, standard", "input", "0.55", "0.275", begin, end),
        ("USD, standard", "output", "2.19", "1.095", begin, end),
    ]


@pytest.mark.parametrize(
    ("old", "new", "percent"),
    [
        ("0.55", "0.28", "-49.09"),
        ("1", "2", "100"),
        ("3", "1", "-66.67"),
        ("8", "8.001", "0.01"),
        ("0", "1", None),
        (None, "1", None),
        ("1", None, None),
    ],
)
def test_percent_is_rounded_half_even_to_two_decimals(old, new, percent):
    prices = [None if text is None else Decimal(text) for text in (old, new)]
    change = tc.PriceChange(ID, Choice("USD"), None, 0, 0, "input", *prices)
    assert change.percent == (None if percent is None else Decimal(percent))


@pytest.fixture
def two_folders(tmp_path):
    """An older and a newer copy: one price moves, one offering comes, one goes, a schedule and a calendar change."""
    later = START + timedelta(days=90)
    moved = law(version(), version(later, rates=(rate(prices={"input": Decimal("0.28"), "output": Decimal("2.19")}),)))
    gone, came = replace(law(), id="acme/global/old"), replace(law(), id="acme/eu/new")
    old = write_tables(tmp_path / "old", law(), gone)
    new = write_tables(tmp_path / "new", moved, came)
    provider, calendar = new / "acme" / "provider.toml", new / "calendars" / "days-off.toml"
    provider.write_text(provider.read_text(encoding="utf-8").replace("16:30-00:30", "17:00-00:30"), encoding="utf-8")
    calendar.write_text(calendar.read_text(encoding="utf-8").replace("2025-05-02, ", ""), encoding="utf-8")
    return tc.diff_shelves(tc.load_book(old).shelf, tc.load_book(new).shelf)


def test_two_folders(two_folders):
    assert (two_folders.added, two_folders.removed) == (("acme/eu/new",), ("acme/global/old",))
    assert [(c.offering, c.meter, str(c.percent)) for c in two_folders.changes] == [(ID, "input", "-49.09")]
    assert two_folders.notes == ("acme: schedule night differs", "calendar days-off: the days off differ")
    assert two_folders


def test_a_diff_is_a_table_and_records_and_pickles(two_folders):
    lines = two_folders.table().text().splitlines()
    assert lines[1].split() == ["offering", "choice", "from", "until", "meter", "old", "new", "change"]
    assert lines[3].split() == [ID, "USD,", "standard", "2025-04-01T00:00:00Z", "...", "input", "0.55", "0.28", "-49.09%"]
    assert [line.split() for line in lines[4:6]] == [["acme/eu/new", "added"], ["acme/global/old", "removed"]]
    records = two_folders.records()
    assert [record["what"] for record in records] == ["added", "removed", "price"]
    assert records[2] == {
        "offering": ID,
        "what": "price",
        "currency": "USD",
        "service_tier": "standard",
        "mode": None,
        "residency": None,
        "window": None,
        "first_input": 0,
        "first_output": 0,
        "meter": "input",
        "old": Decimal("0.55"),
        "new": Decimal("0.28"),
        "start": "2025-04-01T00:00:00Z",
        "until": None,
        "percent": Decimal("-49.09"),
    }
    assert len({frozenset(record) for record in records}) == 1
    assert pickle.loads(pickle.dumps(two_folders)) == two_folders
    assert "acme/eu/new" in two_folders._repr_html_()


def test_nothing_differs(tmp_path):
    shelf = tc.load_book(write_tables(tmp_path)).shelf
    same = tc.diff_shelves(shelf, shelf)
    assert not same
    assert str(same).splitlines()[1:] == ["no price differs"]


def test_rules_that_are_no_price_are_noted(tmp_path):
    tiers = (rate(above=0), rate(above=100))
    old = law(version(rates=tiers))
    new = law(version(rates=tiers, minimum={"output": 5}), tiering="graduated")
    made = [tc.load_book(write_tables(tmp_path / name, tariff)).shelf for name, tariff in (("old", old), ("new", new))]
    assert tc.diff_shelves(*made).notes == (
        f"{ID}: tiering 'cliff' became 'graduated'",
        f"{ID}: minimum from 2025-01-01T00:00:00Z on: none became {{'output': 5}}",
    )

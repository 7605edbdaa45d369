"""Rating a table: every row says what it would say alone, digit for digit, whatever way it takes through the arrays."""

from __future__ import annotations

import pickle
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import tokencost as tc
from rating.one_by_one import Row, alone, problems_of, table_of
from rating.usage_draws import KERNELS, Drawn, drawn_tables, read, repeated, shipped_tables
from tokencost.rating import rate_table
from tokencost.rating.lookup import Lookup
from tokencost.rating.rate_table import rate_usage_table
from tokencost.rating.row import OUTCOMES
from tokencost.rating.totals import CostTotals
from tokencost.rating.usage_table import UsageColumns, read_usage_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rating.one_by_one import Alone
    from tokencost.rating.costs import Costs

GROUPS = ("model", "offering", "version", "day", "month", "hour", "outcome", "team")


def rated_alone(drawn: Drawn) -> list[Alone]:
    known: dict[str, Alone] = {}
    return [known.setdefault(repr(row), alone(drawn.book, row, drawn.meters, totals=drawn.totals)) for row in drawn.rows]


def digits(amounts: Sequence[Decimal | None]) -> list[str]:
    return [str(amount) for amount in amounts]


def check(costs: Costs, expected: Sequence[Alone]) -> None:
    """Assert that every column says what the rows say alone."""
    assert digits(costs.amounts()) == digits([row.amount for row in expected])
    assert [OUTCOMES[code] for code in costs.outcome] == [row.outcome for row in expected]
    assert [None if code < 0 else costs.versions[code] for code in costs.version] == [row.version for row in expected]
    assert [None if code < 0 else costs.currencies[code] for code in costs.currency] == [row.currency for row in expected]
    assert costs.outcomes == {name: sum(row.outcome == name for row in expected) for name in OUTCOMES}
    assert {(p.reason, p.name): (p.rows, p.first_row) for p in costs.problems} == problems_of(expected)
    assert len({(p.reason, p.name) for p in costs.problems}) == len(costs.problems)
    assert [p.rows for p in costs.problems] == sorted((p.rows for p in costs.problems), reverse=True)
    for problem in costs.problems:
        said = expected[problem.first_row].causes[problem.reason, problem.name]
        assert said in problem.message if "has no rate for" in said and said.endswith(" in ") else said == problem.message


def check_meters(costs: Costs, expected: Sequence[Alone], meters: Sequence[str]) -> None:
    """Assert that the columns of meters are the lines of quotes."""
    ticks = costs._meters if costs.exact_meters else costs.meters
    assert set(ticks) == set(meters)
    for number, row in enumerate(expected):
        said = {meter: decimal_at(int(column[number]), costs.scale) for meter, column in ticks.items()}
        said |= costs.exact_meters.get(number, {})
        assert {meter: amount for meter, amount in said.items() if amount} == {meter: part for meter, part in row.meters.items() if part}


def decimal_at(number: int, scale: int) -> Decimal:
    return Decimal(number).scaleb(-scale)


def summed(expected: Sequence[Alone]) -> dict[tuple[str | None, str], tuple[int, Decimal]]:
    """Rows and amounts by currency and outcome."""
    rows = Counter((row.currency, row.outcome) for row in expected)
    return {
        key: (
            number,
            tc.Money.sum([tc.Money(r.amount or 0, "USD") for r in expected if (r.currency, r.outcome) == key], currency="USD").amount,
        )
        for key, number in rows.items()
    }


def check_totals(totals: CostTotals, expected: Sequence[Alone]) -> None:
    found: dict[tuple[str | None, str], tuple[int, Decimal]] = {}
    for row in totals.rows:
        for outcome in OUTCOMES:
            amount = {"partial": row.partial_amount, "unknown": Decimal(0)}.get(outcome, row.amount)
            if getattr(row, outcome):
                assert (row.currency, outcome) not in found
                found[row.currency, outcome] = getattr(row, outcome), Decimal(0) if outcome == "free" else amount
    assert found == summed(expected)


@given(st.data())
def test_every_row_of_a_drawn_book_costs_what_it_costs_alone(lab, data):
    drawn = data.draw(drawn_tables(lab))
    expected = rated_alone(drawn)
    for row in expected:
        event(row.outcome)
    costs = rate_usage_table(drawn.book.plan(), read(drawn), detail="meters")

    check(costs, expected)
    check_meters(costs, expected, drawn.meters)
    check_totals(costs.totals(), expected)


@settings(max_examples=40)
@given(st.data())
def test_every_row_of_the_shipped_tables_costs_what_it_costs_alone(book, data):
    drawn = data.draw(shipped_tables(book))
    expected = rated_alone(drawn)

    check(rate_usage_table(drawn.book.plan(), read(drawn)), expected)


@settings(max_examples=40)
@given(st.data())
@pytest.mark.skipif("compiled" not in KERNELS, reason="numba is not installed")
def test_every_row_costs_by_the_compiled_kernel_what_it_costs_alone(lab, book, data):
    drawn = data.draw(drawn_tables(lab) | shipped_tables(book))

    check(rate_usage_table(drawn.book.plan(), read(drawn), kernel="compiled"), rated_alone(drawn))


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_shipped_offering_at_every_edge_of_its_history(book, kernel):
    """Each start of a version and of a promotion, the microsecond before it, and the list's currencies, tiers and modes."""
    rows: list[Row] = []
    for name in book.ids[::7]:
        tariff = book.shelf.tariff(name)
        edges = sorted({edge for part in (*tariff.versions, *tariff.promos) for edge in (part.start, part.until) if edge is not None})
        choices = {(rate.currency, rate.service_tier, rate.mode, rate.residency) for part in tariff.versions for rate in part.rates}
        for currency, tier, mode, place in sorted(choices, key=str)[:4]:
            chosen = {"currency": currency, "service_tier": tier, "mode": None if mode == "any" else mode, "residency": place}
            for edge in edges[-6:]:
                for at in (edge - (edge.resolution), edge):
                    rows += [Row(name, at, {"input": size, "output": 900, "cache_read": 100}, chosen) for size in (1_000, 200_100, 300_000)]
    drawn = Drawn(book, rows, ("input", "cache_read", "output"), totals=True)

    check(rate_usage_table(book.plan(), read(drawn), kernel=kernel), rated_alone(drawn))


@settings(max_examples=25)
@given(st.data())
def test_the_table_of_quarters_and_the_search_say_the_same(lab, data):
    """A few rows are searched one by one, many are looked up in a table; each way is forced."""
    drawn = data.draw(drawn_tables(lab, least=4))
    expected = rated_alone(drawn)
    for rows in (0, 2**40):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rate_table, "Lookup", lambda *args, n=rows, **keys: Lookup(*args, **{**keys, "rows": n}))
            for kernel in KERNELS:
                check(rate_usage_table(drawn.book.plan(), read(drawn), kernel=kernel), expected)


@settings(max_examples=6)
@given(st.data())
def test_many_blocks_and_threads_say_the_same(lab, data):
    """The rows over and over again, over many blocks and several threads."""
    drawn = data.draw(drawn_tables(lab, least=3).filter(lambda drawn: len(drawn.rows) > 2))
    times = 35_000 // len(drawn.rows) + 1
    few = rate_usage_table(drawn.book.plan(), read(drawn), detail="meters")
    table = repeated(read(drawn), times)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_table, "_ROWS_A_THREAD", 1)
        many = [rate_usage_table(drawn.book.plan(), table, detail="meters", threads=threads) for threads in (1, 2, 3)]
    for costs in many:
        assert costs.raw_ticks.tolist() == few.raw_ticks.tolist() * times
        assert costs.exact == {n * few.rows + row: amount for n in range(times) for row, amount in few.exact.items()}
        assert costs.outcome.tolist() == few.outcome.tolist() * times
        assert costs.currency.tolist() == few.currency.tolist() * times
        assert costs.version.tolist() == few.version.tolist() * times
        assert all(column.tolist() == few._meters[meter].tolist() * times for meter, column in costs._meters.items())
        assert sorted(costs.problems) == sorted(problem._replace(rows=problem.rows * times) for problem in few.problems)
        assert costs.totals("day") == CostTotals.merged([few.totals("day")] * times)


@settings(max_examples=20)
@given(st.data())
def test_totals_do_not_depend_on_parts_or_their_order(lab, data):
    drawn = data.draw(drawn_tables(lab, least=2))
    by = tuple(data.draw(st.lists(st.sampled_from(GROUPS), max_size=3, unique=True)))
    whole = rate_usage_table(drawn.book.plan(), read(drawn)).totals(by)
    shuffled = data.draw(st.permutations(drawn.rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    plan = drawn.book.plan()
    parts = [
        rate_usage_table(plan, read(drawn, shuffled[begin:end]), reuse=data.draw(st.booleans())).totals(by)
        for begin, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)
        if begin < end
    ]
    merged = CostTotals.merged(parts, by=by)

    assert merged == whole
    assert merged.rows == whole.rows
    assert CostTotals.merged(reversed(parts), by=by) == whole
    assert CostTotals.from_json(whole.to_json()) == whole
    assert sum(row.rows for row in whole.rows) == len(drawn.rows)
    check_totals(rate_usage_table(plan, read(drawn)).totals(), rated_alone(drawn))


@settings(max_examples=20)
@given(st.data())
def test_a_plan_serves_many_tables(lab, data):
    """Grown by one batch after the other, and with what is laid out kept, it says what a new plan says."""
    drawn = data.draw(drawn_tables(lab, least=3))
    expected = rated_alone(drawn)
    plan = drawn.book.plan()
    size = data.draw(st.integers(1, 4))
    for begin in range(0, len(drawn.rows), size):
        part = read(drawn, drawn.rows[begin : begin + size])
        check(rate_usage_table(plan, part, reuse=data.draw(st.booleans())), expected[begin : begin + size])
    check(rate_usage_table(plan, read(drawn), reuse=True), expected)


@settings(max_examples=12)
@given(st.data())
def test_a_pickled_plan_rates_without_its_tables(lab, data):
    """What a worker gets: names that are compiled need no file, and the problems are told alike."""
    drawn = data.draw(drawn_tables(lab))
    expected = rated_alone(drawn)
    plan = drawn.book.plan()
    first = rate_usage_table(plan, read(drawn))
    sent = pickle.loads(pickle.dumps(plan))
    again = rate_usage_table(sent, read(drawn))
    check(again, expected)
    assert again.problems == first.problems
    pairs = zip(drawn.rows, expected, strict=True)
    kept = [(row, known) for row, known in pairs if known.outcome in ("priced", "free") and 2015 <= row.at.year < 2065]
    if kept:
        sent = pickle.loads(pickle.dumps(plan))
        sent.book = None
        rows = read(drawn, [row for row, _ in kept])
        assert digits(rate_usage_table(sent, rows).amounts()) == digits([known.amount for _, known in kept])


@settings(max_examples=20)
@given(st.data())
def test_one_value_for_all_rows_is_as_good_as_a_column(lab, data):
    """One model, one instant, one of each selector; in one table or in several of one plan."""
    drawn = data.draw(drawn_tables(lab))
    row = data.draw(st.sampled_from([row for row in drawn.rows if row.name is not None] or [drawn.rows[0]._replace(name="lab/rack/m")]))
    rows = [other._replace(name=row.name, at=row.at, selection=row.selection) for other in drawn.rows]
    drawn = drawn._replace(rows=rows)
    expected = rated_alone(drawn)
    selection = {name: value for name, value in row.selection.items() if value is not None}
    bare = {name: column for name, column in table_of(rows, drawn.meters).items() if name in drawn.meters}
    columns = UsageColumns(counts="totals" if drawn.totals else "disjoint", meters={meter: meter for meter in drawn.meters})
    table = read_usage_table(bare, columns=columns, model=row.name, at=row.at, **selection)
    plan = drawn.book.plan()
    for reuse in (False, True, True):
        for kernel in KERNELS:
            check(rate_usage_table(plan, table, reuse=reuse, kernel=kernel), expected)

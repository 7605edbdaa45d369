"""Policies of buyers: the optimum against every path there is, the bounds around it, ties, gaps and bad input."""

from __future__ import annotations

import pickle
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import ScenarioError, UnitError, UnknownNameError
from tokencost.scenarios.cost_paths import CostPaths
from tokencost.scenarios.switching import greedy, optimal, status_quo, switching, threshold

CELLS = st.one_of(st.none(), st.integers(0, 6), st.decimals(0, 6, places=1))


@st.composite
def markets(draw):
    """A matrix with something on sale every month, the column where the buyer starts, and a fee."""
    months, offerings = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    rows = [draw(st.lists(CELLS, min_size=offerings, max_size=offerings)) for _ in range(months)]
    assume(all(any(cell is not None for cell in row) for row in rows))
    fee = draw(st.one_of(st.integers(0, 8), st.decimals(0, 8, places=1)))
    return rows, draw(st.integers(0, offerings - 1)), fee


def cost_of(rows, path, start, fee):
    """What a path costs, or None where it is on something that is not on sale."""
    if any(row[place] is None for row, place in zip(rows, path, strict=True)):
        return None
    moves = sum(before != after for before, after in pairwise((start, *path)))
    return sum((Fraction(row[place]) for row, place in zip(rows, path, strict=True)), Fraction(0)) + moves * Fraction(fee)


def every_path(rows, start, fee):
    found = {path: cost_of(rows, path, start, fee) for path in product(range(len(rows[0])), repeat=len(rows))}
    return {path: cost for path, cost in found.items() if cost is not None}


@given(markets())
def test_the_optimum_is_the_best_of_all_paths(market):
    """Cost, uniqueness, and the fewest moves among the cheapest."""
    rows, start, fee = market
    paths = every_path(rows, start, fee)
    least = min(paths.values())
    cheapest = [path for path, cost in paths.items() if cost == least]
    best = optimal(rows, start=start, switching_cost=fee)

    assert best.cost == least
    assert best.path in cheapest
    assert best.unique is (len(cheapest) == 1)
    assert best.switches == min(sum(a != b for a, b in pairwise((start, *path))) for path in cheapest)


@given(markets(), st.integers(1, 5))
def test_the_optimum_lies_between_the_frontier_and_every_policy(market, horizon):
    rows, start, fee = market
    found = switching(rows, start=start, switching_cost=fee, horizon=horizon)

    assert found.frontier_bound <= found.optimal.cost <= min(found.greedy.cost, found.threshold.cost)
    assert found.status_quo.cost is None or found.optimal.cost <= found.status_quo.cost
    assert all(found.regret(name) >= 0 for name in ("greedy", "threshold"))
    assert found.regret("optimal") == 0


@given(markets())
def test_every_policy_pays_what_its_path_costs(market):
    rows, start, fee = market
    for path in switching(rows, start=start, switching_cost=fee).policies:
        if path.path is None:
            assert any(row[start] is None for row in rows)
        else:
            assert path.cost == cost_of(rows, path.path, start, fee if path.policy != "status quo" else 0)


@given(markets())
def test_without_a_fee_the_optimum_is_the_frontier(market):
    rows, start, _ = market
    found = switching(rows, start=start)

    assert found.optimal.cost == found.frontier_bound == found.greedy.cost == found.threshold.cost


@given(markets())
def test_a_fee_above_every_saving_keeps_the_buyer_who_can_stay(market):
    rows, start, _ = market
    assume(all(row[start] is not None for row in rows))
    found = switching(rows, start=start, switching_cost=1000, horizon=5)

    assert found.optimal.path == found.threshold.path == found.status_quo.path == (start,) * len(rows)
    assert found.saving() == 0


@given(markets(), st.randoms())
def test_the_order_of_offerings_and_the_unit_of_money_do_not_matter(market, random):
    rows, start, fee = market
    order = list(range(len(rows[0])))
    random.shuffle(order)
    mixed = [[None if row[place] is None else row[place] * 7 for place in order] for row in rows]

    assert optimal(mixed, start=order.index(start), switching_cost=fee * 7).cost == 7 * optimal(rows, start=start, switching_cost=fee).cost


@given(markets(), st.integers(0, 5))
def test_a_larger_fee_never_makes_it_cheaper_and_a_new_offering_never_dearer(market, more):
    rows, start, fee = market
    best = optimal(rows, start=start, switching_cost=fee).cost

    assert optimal(rows, start=start, switching_cost=fee + more).cost >= best
    assert optimal([[*row, more] for row in rows], start=start, switching_cost=fee).cost <= best


def test_a_threshold_is_strict():
    """A saving of 4 for 2 months is worth a fee of 7.99, not one of 8."""
    assert threshold([[5, 1]], start=0, switching_cost="7.99", horizon=2).path == (1,)
    assert threshold([[5, 1]], start=0, switching_cost=8, horizon=2).path == (0,)


def test_ties_keep_the_current_offering_and_then_the_first_of_the_matrix():
    assert greedy([[3, 3, 3]], start=1).path == (1,)
    assert greedy([[5, 3, 3]], start=0).path == (1,)
    assert optimal([[3, 3, 3]], start=1).path == (1,)
    assert optimal([[3, 3]], start=0).unique is False


def test_a_buyer_whose_offering_is_withdrawn_has_to_move_and_pays():
    """Null is never zero: nobody stays on what is not on sale, whatever the fee."""
    rows = [[1, 5], [None, 5]]
    found = switching(rows, start=0, switching_cost=100, horizon=1)

    assert found.status_quo.cost is None
    assert found.status_quo.note == "0 in month 1: it is not on sale"
    assert found.saving() is found.regret("status_quo") is None
    assert (found.threshold.path, found.threshold.cost) == ((0, 1), 106)
    assert (found.optimal.path, found.optimal.cost) == ((0, 1), 106)


def test_floats_are_taken_as_they_are_written():
    """Ten months at 0.1 are one, not 0.9999999999999999."""
    assert status_quo([[0.1]] * 10, start=0).cost == 1
    assert status_quo([[Decimal("0.1")]] * 10, start=0).cost == status_quo([["0.1"]] * 10, start=0).cost == 1


def test_money_is_taken_in_its_own_currency_only():
    yuan = tc.Money("22000", "CNY")

    assert CostPaths.of([[yuan, 1200]], currency="CNY").costs == ((22000, 1200),)
    with pytest.raises(UnitError, match=r"cost of 0 in month 0=22,000.00 CNY is in CNY, not in USD; convert it first"):
        CostPaths.of([[yuan]])
    with pytest.raises(UnitError, match=r"switching_cost=5.00 USD is in USD, not in CNY"):
        greedy(CostPaths.of([[1, 2]], currency="CNY"), start=0, switching_cost=tc.Money(5, "USD"))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "the matrix has no month or no offering; pass a row for each month"),
        ([[]], "the matrix has no month or no offering"),
        ([[1, 2], [1]], "month 1 has 1 costs, not 2; write None where an offering is not on sale"),
        ([[1, -2]], "cost of 1 in month 0=-2 is negative; pass 0 or more"),
        ([[1, float("nan")]], "cost of 1 in month 0=nan is not a finite number"),
        ([[1, float("inf")]], "is not a finite number"),
        ([[1, True]], "cost of 1 in month 0=True is not a finite number"),
        ([[1, "1e999999999"]], "is beyond every market, or as good as 0; check its unit"),
        ([[1, 2], [None, None]], "nothing is on sale in month 1, no policy gets past it"),
    ],
)
def test_a_matrix_that_cannot_be_is_refused(rows, told):
    with pytest.raises(ScenarioError, match=told):
        optimal(rows, start=0)


@pytest.mark.parametrize("horizon", [0, -1, "-0.5"])
def test_a_horizon_of_nothing_is_refused(horizon):
    with pytest.raises(ScenarioError, match=r"is not above 0; pass the months for which a saving counts"):
        threshold([[1, 2]], start=0, horizon=horizon)


def test_a_negative_fee_and_unknown_names_are_refused():
    with pytest.raises(ScenarioError, match="switching_cost=-1 is negative"):
        optimal([[1]], start=0, switching_cost=-1)
    with pytest.raises(UnknownNameError, match=r"no offering 'gpt-4' in these cost paths; did you mean 'gpt-4o'\?"):
        optimal(CostPaths.of([[1]], offerings=["gpt-4o"]), start="gpt-4")
    with pytest.raises(UnknownNameError, match="no offering '-1' in these cost paths; pass one of its 1 names, or a column from 0"):
        optimal([[1]], start=-1)
    with pytest.raises(UnknownNameError, match="no policy 'best'"):
        switching([[1]], start=0).regret("best")
    with pytest.raises(ScenarioError, match="offering 'a' is there twice"):
        CostPaths.of([[1, 2]], offerings=["a", "a"])
    with pytest.raises(ScenarioError, match="1 names for 2 months"):
        CostPaths.of([[1], [2]], months=["May"])


def test_what_a_buyer_needs_is_a_reason_and_not_a_price():
    costs = CostPaths.of([[5, 1, 2]] * 2, offerings=["large", "small", "unknown"], months=["May", "June"])
    able = costs.meeting(quality={"large": 80, "small": 40}, at_least=60)

    assert able.costs == ((5, None, None),) * 2
    assert able.reasons["June", "small"] == "quality 40 is below 60"
    assert able.reasons["May", "unknown"] == "it has no score of quality"
    assert (costs.frontier_bound, able.frontier_bound) == (2, 10)
    with pytest.raises(ScenarioError, match="quality and at_least go together"):
        costs.meeting(at_least=60)
    with pytest.raises(UnknownNameError, match="no offering 'larg'"):
        costs.meeting(quality={"larg": 1}, at_least=1)


def test_a_score_at_the_bar_is_enough():
    assert CostPaths.of([[1]]).meeting(quality={"0": 0.6}, at_least="0.6").costs == ((1,),)


def test_a_frontier_has_no_bound_where_nothing_is_on_sale():
    costs = CostPaths.of([[1, 2], [None, None]])

    assert costs.frontier_bound is None
    assert costs.cheapest()[1] == ("1", (), None)


def test_results_print_pickle_and_give_records():
    found = switching([[22000, 1200, None], [700, None, 1000]], start=0, switching_cost=900, horizon=3)

    assert str(found).splitlines() == [
        "2 months at 900.00 a move, in USD",
        "policy           cost  moves     saving     regret",
        "──────────  ─────────  ─────  ─────────  ─────────",
        "status quo  22,700.00      0       0.00  19,000.00",
        "greedy       3,700.00      2  19,000.00       0.00",
        "threshold    3,700.00      2  19,000.00       0.00",
        "optimal      3,700.00      2  19,000.00       0.00",
        "frontier, moves for nothing: 1,900.00; no buyer reaches it who pays for moves",
    ]
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.records()[3] == {
        "policy": "optimal",
        "cost": Decimal(3700),
        "switches": 2,
        "fees": Decimal(1800),
        "saving": Decimal(19000),
        "regret": Decimal(0),
        "currency": "USD",
    }
    assert [row["paid"] for row in found.optimal.records()] == [Decimal(2100), Decimal(1600)]
    assert found._repr_html_().startswith("<table>")
    assert str(found.optimal).splitlines() == [
        "optimal: 3,700.00 USD",
        "month  offering  move      paid",
        "─────  ────────  ────  ────────",
        "0      1         yes   2,100.00",
        "1      0         yes   1,600.00",
    ]
    assert found.optimal._repr_html_().startswith("<table>")


def test_what_cannot_be_said_is_said_below_the_table():
    """A tie at the optimum, and a status quo that was withdrawn."""
    found = switching([[3, 3], [None, 3]], start=0, switching_cost=0)

    assert str(found).splitlines()[-2:] == [
        "the optimum is not the only path of its cost",
        "status quo has no cost: 0 in month 1: it is not on sale",
    ]
    assert found.status_quo.records() == []
    assert found.status_quo.offerings is found.status_quo.paid is found.status_quo.fees is None
    assert str(found.status_quo).splitlines()[0] == "status quo: — USD"

"""Best responses, undercutting and cartels over time."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokencost.errors import MoneyTypeError, ScenarioError
from tokencost.scenarios.best_response import best_response, firm_profits
from tokencost.scenarios.collusion import collusion
from tokencost.scenarios.cycles import Cycle, cycle_of_prices
from tokencost.scenarios.dynamics import best_responses
from tokencost.scenarios.equilibrium import equilibrium
from tokencost.scenarios.market import Market
from tokencost.scenarios.undercutting import undercut

UNIT = "USD/Mtok"
DUOPOLY = Market(delta=[8, 8], alpha=4, costs=[1, 1], firm_ids=["a", "b"], unit=UNIT)


@given(st.lists(st.floats(-2, 4), min_size=3, max_size=3), st.floats(0.5, 3), st.floats(0.05, 2), st.floats(0.05, 2))
def test_the_closed_best_response_beats_every_common_markup(delta, alpha, first, second):
    market = Market(delta=delta, alpha=alpha, costs=[0.1, 0.2, 0.3], firm_ids=["a", "b", "a"], unit=UNIT)
    start = np.array([first, second, first])
    moved = best_response(market, start, "a")
    assert moved[1] == second
    assert moved[0] - 0.1 == pytest.approx(moved[2] - 0.3)
    best = firm_profits(market, moved)[0]
    for step in (-0.3, -0.01, 0.01, 0.3):
        assert firm_profits(market, moved + step * np.array([1, 0, 1]))[0] <= best
    searched = best_response(market.replace(nesting_ids=[0, 0, 1], rho=1e-12), start, "a")
    assert searched == pytest.approx(moved, rel=1e-7)


@pytest.mark.parametrize("order", ["simultaneous", "sequential"])
def test_best_responses_come_to_the_equilibrium_and_stay(order):
    path = best_responses(DUOPOLY, [2.5, 1.2], rounds=80, order=order)
    assert path.last == pytest.approx(equilibrium(DUOPOLY).prices, rel=1e-12)
    assert path.converged
    assert path.cycle is not None
    assert path.cycle.length == 1
    assert f"stays from period {path.cycle.start}" in str(path)
    assert len(path.records()) == 81


def test_a_short_path_says_that_it_has_not_come_to_rest():
    path = best_responses(DUOPOLY, [2.5, 1.2], rounds=3)
    assert (path.converged, path.cycle) == (False, None)
    assert path.residual > 1e-3
    assert "not at Bertrand-Nash prices" in str(path)


def test_lags_answer_older_prices_and_slow_firms_keep_theirs():
    path = best_responses(DUOPOLY, [2.5, 1.2], rounds=4, lags={"a": 2}, revision_periods={"b": 3}).prices
    assert path[1, 0] == path[2, 0] == best_response(DUOPOLY, [2.5, 1.2], "a")[0]
    assert path[:3, 1].tolist() == [1.2, 1.2, 1.2]
    assert path[3, 1] == best_response(DUOPOLY, path[2], "b")[1]
    assert path[4, 0] == path[3, 0]


def test_bounds_hold_in_best_responses():
    capped = DUOPOLY.with_caps(1.4).with_floors({"1": 1.35})
    path = best_responses(capped, [1.3, 1.35], rounds=30)
    assert path.last == pytest.approx(equilibrium(capped).prices, rel=1e-10)
    assert path.prices[1:].max() <= 1.4
    posted = best_responses(DUOPOLY.post({"1": 1.0}), [2.0, 1.0], rounds=2).prices
    assert posted[:, 1].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rounds": 0}, "rounds 0 is not"),
        ({"rounds": True}, "rounds True is not"),
        ({"order": "x"}, "order 'x' is none"),
        ({"lags": {"a": 0}}, "lag 0 of 'a'"),
        ({"revision_periods": {"c": 1}}, "revision period of 'c'"),
        ({"lags": {"a": 2}, "order": "sequential"}, "lags mean nothing"),
    ],
)
def test_dynamics_that_cannot_be_are_refused(more, message):
    with pytest.raises(ScenarioError, match=message):
        best_responses(DUOPOLY, [1, 1], **({"rounds": 2} | more))


def test_an_unknown_firm_has_no_best_response():
    with pytest.raises(ScenarioError, match="firm 'c' is not in the market"):
        best_response(DUOPOLY, [1, 1], "c")


def test_cycles_of_prices_are_found_with_their_phase():
    path = np.array([[9.0], [5.0], [1.0], [2.0], [3.0], [1.0], [2.0], [3.0]])
    assert cycle_of_prices(path, step=1, memory=1, tolerance=1e-12) == Cycle(2, 3)
    assert cycle_of_prices(path, step=2, memory=1, tolerance=1e-12) is None
    assert cycle_of_prices(path[:5], step=1, memory=1, tolerance=1e-12) is None


@given(st.integers(1, 9), st.integers(0, 20), st.integers(1, 60), st.integers(2, 3))
def test_undercutting_keeps_to_its_rules_and_comes_round(step, floor, room, firms):
    """Exact to the digit: a move goes one step below the cheapest rival or to the top, and a path that is long enough repeats itself."""
    top = floor + room
    path = undercut([top] * firms, step=Decimal(step) / 10, floor=floor, top=top, moves=60 * 10 * firms + 30, unit=UNIT)
    for move, (before, after) in enumerate(zip(path.prices, path.prices[1:], strict=False)):
        mover = move % firms
        assert [p for n, p in enumerate(after) if n != mover] == [p for n, p in enumerate(before) if n != mover]
        below = min(p for n, p in enumerate(before) if n != mover) - Decimal(step) / 10
        assert after[mover] == (top if below < floor else below)
    assert path.cycle is not None
    start, length = path.cycle
    assert path.prices[start : start + length] == path.prices[start + length : start + 2 * length][:length] or length > 1


def test_undercutting_of_the_hand_example():
    path = undercut(["1", "1"], step="0.25", floor="0.25", top="1", moves=10, unit=UNIT)
    assert [[float(p) for p in row] for row in path.prices[1:5]] == [[0.75, 1], [0.75, 0.5], [0.25, 0.5], [0.25, 1]]
    assert path.cycle == Cycle(1, 4)
    assert "repeats every 4 moves from move 1" in str(path)
    assert path.records()[1] == {"move": 1, "0": Decimal("0.75"), "1": Decimal(1)}


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"initial": ["1"]}, ScenarioError, "undercut nobody"),
        ({"step": 0}, ScenarioError, "step 0 is not above 0"),
        ({"floor": 2}, ScenarioError, "floor 2 and top 1"),
        ({"moves": 0}, ScenarioError, "moves 0 is not"),
        ({"step": 0.25}, MoneyTypeError, "0.25"),
    ],
)
def test_undercutting_that_cannot_be_is_refused(more, error, message):
    arguments = {"initial": ["1", "1"], "step": "0.25", "floor": "0.25", "top": "1", "moves": 3, "unit": UNIT} | more
    initial = arguments.pop("initial")
    with pytest.raises(error, match=message):
        undercut(initial, **arguments)


def test_a_cartel_of_unlike_firms_holds_only_if_all_gain():
    found = collusion(Market(delta=[8, 8], alpha=4, costs=[1, 1], unit=UNIT))
    assert found.critical_discount_factor == pytest.approx(0.39309796522869, rel=1e-10)
    assert found.sustainable
    unlike = collusion(Market(delta=[8, 2], alpha=4, costs=[1, 1], unit=UNIT))
    assert unlike.thresholds[0] != unlike.thresholds[1]
    assert (unlike.deviation_profits >= unlike.joint_profits - 1e-12).all()
    assert unlike.joint_profits.sum() >= unlike.nash_profits.sum()
    assert unlike.sustainable == bool((unlike.joint_profits > unlike.nash_profits).all())
    assert "the cartel" in str(unlike)
    assert [row["firm"] for row in unlike.records()] == ["0", "1"]


def test_one_firm_does_not_collude():
    with pytest.raises(ScenarioError, match="nobody to collude with"):
        collusion(DUOPOLY.merge("a", "b"))

"""Switching: four ways in which a buyer can follow prices that move, each move paid for, and what is lost against the best of all."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import ScenarioError
from tokencost.scenarios.amount import number_of, quantity_of
from tokencost.scenarios.cost_paths import CostPaths
from tokencost.scenarios.switching_result import BuyerPath, Switching
from tokencost.scenarios.unit import Unit
from tokencost.workloads.share import common_denominator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["greedy", "optimal", "status_quo", "switching", "threshold"]


def status_quo(costs: CostPaths | Sequence[Sequence[object]], *, start: str | int) -> BuyerPath:
    """Return the path of a buyer who never moves; it has no cost where `start` is not on sale in some month.

    >>> str(status_quo([[5, 1], [5, 1]], start=0).cost)
    '10'

    Raises:
        ScenarioError: the matrix does not hold.
        UnknownNameError: there is no such offering.
    """
    paths = CostPaths.of(costs)
    place = paths.place(start)
    gone = next((month for month, row in zip(paths.months, paths.costs, strict=True) if row[place] is None), None)
    if gone is not None:
        why = paths.reasons.get((gone, paths.offerings[place]), "it is not on sale")
        return BuyerPath("status quo", paths, place, None, Fraction(0), note=f"{paths.offerings[place]} in month {gone}: {why}")
    return BuyerPath("status quo", paths, place, (place,) * len(paths.months), Fraction(0))


def greedy(costs: CostPaths | Sequence[Sequence[object]], *, start: str | int, switching_cost: object = 0) -> BuyerPath:
    """Return the path of a buyer who is on the cheapest offering every month, whatever a move costs.

    A move is paid in its month, before the month's usage. Where several are cheapest the buyer stays, or takes the first of the matrix.

    >>> greedy([[5, 1], [1, 2]], start=0, switching_cost=3).path
    (1, 0)

    Raises:
        ScenarioError: the matrix does not hold, a month has nothing on sale, or the switching cost is negative.
        UnknownNameError: there is no such offering.
        UnitError: the switching cost is money in another currency.
    """
    return _walk("greedy", costs, start, switching_cost, lambda _saving, _fee: True)


def threshold(
    costs: CostPaths | Sequence[Sequence[object]], *, start: str | int, switching_cost: object = 0, horizon: object = 1
) -> BuyerPath:
    """Return the path of a buyer who moves to the cheapest offering where this month's saving, for `horizon` months, is above the fee.

    The rule is (cost here - least cost) * horizon > switching cost, strictly. A buyer whose offering is not on sale has to move.

    >>> threshold([[5, 1], [1, 2]], start=0, switching_cost=3, horizon=1).path
    (1, 1)

    Raises:
        ScenarioError: as [greedy][], or a horizon that is not above 0.
        UnknownNameError: there is no such offering.
        UnitError: the switching cost is money in another currency.
    """
    months = number_of(horizon, what="horizon")
    if months <= 0:
        raise ScenarioError(f"horizon={horizon} is not above 0; pass the months for which a saving counts", value=horizon)
    return _walk("threshold", costs, start, switching_cost, lambda saving, fee: saving * months > fee)


def optimal(costs: CostPaths | Sequence[Sequence[object]], *, start: str | int, switching_cost: object = 0) -> BuyerPath:
    """Return the cheapest path of all, by dynamic programming: V_k(t) = C_k(t) + min(V_k(t-1), min_j V_j(t-1) + S).

    It knows all prices beforehand, which no buyer does: it is what the other policies are measured against. Of several cheapest paths it
    is one with the fewest moves; `unique` says whether there is another. The work grows with months times offerings.

    >>> best = optimal([[5, 1], [1, 2], [1, 2]], start=0, switching_cost=3)
    >>> best.path, str(best.cost), best.unique
    ((0, 0, 0), '7', True)

    Raises:
        ScenarioError: the matrix does not hold, a month has nothing on sale, or the switching cost is negative.
        UnknownNameError: there is no such offering.
        UnitError: the switching cost is money in another currency.
    """
    paths, place, fee = _checked(costs, start, switching_cost)
    scale = common_denominator([fee, *(cost for row in paths.costs for cost in row if cost is not None)])
    states: dict[int, _State] = {place: _State(0, 0, 1)}
    origins: list[dict[int, int]] = []
    for row in paths.costs:
        states, origin = _month(states, [None if cost is None else int(cost * scale) for cost in row], int(fee * scale))
        origins.append(origin)
    least = min(state.cost for state in states.values())
    last = min(states, key=lambda k: (states[k].cost, states[k].moves))
    ways = sum(state.ways for state in states.values() if state.cost == least)
    path = [last]
    for origin in reversed(origins[1:]):
        path.append(origin[path[-1]])
    return BuyerPath("optimal", paths, place, tuple(reversed(path)), fee, unique=ways == 1)


def switching(
    costs: CostPaths | Sequence[Sequence[object]], *, start: str | int, switching_cost: object = 0, horizon: object = 1
) -> Switching:
    """Return all four policies on the same prices, with the frontier that ignores the fee, savings and regrets.

    >>> matrix = [[22000, 1200, None], [22000, 1200, 1000], [700, 1200, 1000]]
    >>> result = switching(matrix, start=0, switching_cost=900, horizon=3)
    >>> [(path.policy, str(path.cost), path.switches) for path in result.policies]
    [('status quo', '44700', 0), ('greedy', '5600', 3), ('threshold', '4900', 2), ('optimal', '4500', 1)]

    Raises:
        ScenarioError: the matrix does not hold, a month has nothing on sale, the fee is negative, or the horizon is not above 0.
        UnknownNameError: there is no such offering.
        UnitError: the switching cost is money in another currency.
    """
    paths = CostPaths.of(costs)
    return Switching(
        status_quo(paths, start=start),
        greedy(paths, start=start, switching_cost=switching_cost),
        threshold(paths, start=start, switching_cost=switching_cost, horizon=horizon),
        optimal(paths, start=start, switching_cost=switching_cost),
    )


class _State(NamedTuple):
    """The least that it costs to be somewhere, in whole parts of the currency, the fewest moves, and how many paths cost as little."""

    cost: int
    moves: int
    ways: int


def _month(states: dict[int, _State], row: list[int | None], fee: int) -> tuple[dict[int, _State], dict[int, int]]:
    """Return the states after a month, and where the buyer of each came from."""
    source = min(states, key=lambda k: (states[k].cost, states[k].moves))
    best = states[source]
    ways = sum(state.ways for state in states.values() if state.cost == best.cost)
    moved = _State(best.cost + fee, best.moves + 1, ways)
    made: dict[int, _State] = {}
    origin: dict[int, int] = {}
    for place, cost in enumerate(row):
        if cost is None:
            continue
        stay = states.get(place)
        if stay is None or stay[:2] > moved[:2]:
            found, origin[place] = moved, source
        else:
            found, origin[place] = stay, place
        if stay is not None and stay.cost == moved.cost:  # without a fee, or by chance; a path from here to here is the one that stays
            others = moved.ways - (stay.ways if stay.cost == best.cost else 0)
            found = found._replace(ways=stay.ways + others)
        made[place] = _State(found.cost + cost, found.moves, found.ways)
    return made, origin


def _walk(
    policy: str,
    costs: CostPaths | Sequence[Sequence[object]],
    start: str | int,
    switching_cost: object,
    worth: Callable[[Fraction, Fraction], bool],
) -> BuyerPath:
    """Follow a rule that looks at one month: move to the cheapest where it is worth it, or where one has to."""
    paths, place, fee = _checked(costs, start, switching_cost)
    here = place
    path: list[int] = []
    for row in paths.costs:
        least = min(cost for cost in row if cost is not None)
        own = row[here]
        if own is None or (own > least and worth(own - least, fee)):
            here = row.index(least)
        path.append(here)
    return BuyerPath(policy, paths, place, tuple(path), fee)


def _checked(costs: CostPaths | Sequence[Sequence[object]], start: str | int, switching_cost: object) -> tuple[CostPaths, int, Fraction]:
    paths = CostPaths.of(costs)
    fee = quantity_of(switching_cost, what="switching_cost", unit=Unit(paths.currency))
    empty = next((row.month for row in paths.cheapest() if row.cost is None), None)
    if empty is not None:
        raise ScenarioError(
            f"nothing is on sale in month {empty}, no policy gets past it; leave the month out, or add an offering", value=empty
        )
    return paths, paths.place(start), fee

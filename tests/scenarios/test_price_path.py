"""Price paths: against the solved case, against a slow month-by-month twin, and their own laws."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokencost.errors import ScenarioError
from tokencost.scenarios.move import Move, Reaction
from tokencost.scenarios.price_path import PricePath
from tokencost.scenarios.seller_path import Promotion

_FILE = Path(__file__).resolve().parents[3] / "shared" / "oracles" / "pricewar_oracles.json"
_CASES = json.loads(_FILE.read_text())["cases"] if _FILE.is_file() else []
_KINDS = {"set": "set", "raise_pct": "raise", "cut_pct": "cut"}
NAMES = ("A", "B", "C")
MONTHS = 8


def prices(amount):
    return {"price": Decimal(amount)}


@pytest.mark.parametrize("case", [case for case in _CASES if case["id"].startswith("timeline.rules")], ids=lambda case: case["id"])
def test_solved_case(case):
    inputs = case["inputs"]
    moves = [
        Move(at=at, offering=firm, kind=_KINDS[kind], **({"prices": {"price": value}} if kind == "set" else {"by": value}))
        for at, firm, kind, value in inputs["moves"]
    ]
    moves += [
        Move(at=p["start"], offering=p["firm"], kind="promotion", by=1 - Decimal(p["multiplier"]), until=p["end_exclusive"])
        for p in inputs["promotions"]
    ]
    reactions = [
        Reaction(offering=r["firm"], kind=r["kind"], targets=r["targets"], by=r["par"] or 0, lag=r["lag"]) for r in inputs["reactions"]
    ]
    months = range(inputs["months"])
    war = PricePath(
        {name: prices(value) for name, value in inputs["initial"].items()},
        moves=moves,
        reactions=reactions,
        costs={name: prices(value) for name, value in inputs["floors"].items()},
        start=0,
        until=inputs["months"],
    )

    assert {name: [float(path.list_at(t)["price"]) for t in months] for name, path in war.paths.items()} == case["expected"]["list_price"]
    assert {name: [float(path.effective_at(t)["price"]) for t in months] for name, path in war.paths.items()} == case["expected"][
        "effective_price"
    ]
    assert {name: [t for t in months if war.below_cost(name, t)] for name in war.paths} == case["expected"]["months_below_marginal_cost"]


# -- a slow twin ---------------------------------------------------------------------------------------------------------------------------

amounts = st.integers(0, 60).map(lambda n: Decimal(n) / 10)
shares = st.integers(0, 9).map(lambda n: Decimal(n) / 10)


@st.composite
def rules(draw):
    name, kind = draw(st.sampled_from(NAMES)), draw(st.sampled_from(["match", "undercut"]))
    return Reaction(
        offering=name,
        kind=kind,
        by=draw(shares) if kind == "undercut" else 0,
        targets=draw(st.lists(st.sampled_from([other for other in NAMES if other != name]), min_size=1, unique=True)),
        lag=draw(st.integers(1, 3)),
        raises=draw(st.sampled_from(["ignore", "follow"])),
    )


@st.composite
def wars(draw):
    """Sellers, moves in any order of time, one promotion a seller at most, reactions with lags of a month and more."""
    initial = {name: draw(st.one_of(amounts, amounts, st.none())) for name in NAMES}
    moves, on_sale = [], {name: value is not None for name, value in initial.items()}
    for at in range(1, MONTHS):
        for name in NAMES:
            kind = draw(st.sampled_from(["", "", "", "set", "cut", "raise", "free", "withdraw"]))
            if not on_sale[name]:
                kind = "launch" if kind in ("set", "raise") else ""
            if kind in ("set", "launch"):
                moves.append(Move(at=at, offering=name, kind=kind, prices=prices(draw(amounts))))
            elif kind in ("cut", "raise"):
                moves.append(Move(at=at, offering=name, kind=kind, by=draw(shares)))
            elif kind:
                moves.append(Move(at=at, offering=name, kind=kind))
            on_sale[name] = kind == "launch" or (on_sale[name] and kind != "withdraw")
    reactions = draw(st.lists(rules(), max_size=4))
    costs = {name: prices(draw(amounts)) for name in draw(st.lists(st.sampled_from(NAMES), unique=True))}
    running = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        begin = draw(st.integers(-1, MONTHS - 2))
        end, off = draw(st.integers(max(begin, 0) + 1, MONTHS + 2)), draw(shares)
        if begin < 0:
            running[name] = [Promotion(begin, end, 1 - off, (), {})]
        elif begin > 0 and _on_sale(name, begin, initial, moves):
            moves.append(Move(at=begin, offering=name, kind="promotion", by=off, until=end))
    return {"initial": initial, "moves": moves, "reactions": reactions, "costs": costs, "running": running}


def _on_sale(name, at, initial, moves):
    state = initial[name] is not None
    for move in moves:
        if move.offering == name and move.at <= at and move.kind in ("launch", "withdraw"):
            state = move.kind == "launch"
    return state


def twin(war):
    """Play month by month, everything looked at every month, in fractions."""
    now = {name: None if value is None else Fraction(value) for name, value in war["initial"].items()}
    promos = [(name, p.start, p.until, Fraction(p.factor)) for name, found in war["running"].items() for p in found]
    promos += [(m.offering, m.at, m.until, 1 - Fraction(m.by)) for m in war["moves"] if m.kind == "promotion"]
    lists, paid = [], []
    for month in range(MONTHS):
        for move in (m for m in war["moves"] if m.at == month):
            old = now[move.offering]
            if move.kind in ("set", "launch"):
                now[move.offering] = Fraction(move.prices["price"])
            elif move.kind == "cut":
                now[move.offering] = old * (1 - Fraction(move.by))
            elif move.kind == "raise":
                now[move.offering] = old * (1 + Fraction(move.by))
            elif move.kind in ("free", "withdraw"):
                now[move.offering] = Fraction(0) if move.kind == "free" else None
        for reaction in war["reactions"]:
            own, then = now[reaction.offering], month - reaction.lag
            seen = [paid[then][name] for name in reaction.targets if paid[then][name] is not None] if then >= 0 else []
            if own is None or not seen:
                continue
            floor = Fraction(war["costs"].get(reaction.offering, prices(0))["price"])
            wanted = max(Fraction(round(min(seen) * (1 - Fraction(reaction.by)) * 10**12), 10**12), floor)
            now[reaction.offering] = wanted if reaction.raises == "follow" else min(own, wanted)
        lists.append(dict(now))
        factors = {name: factor for name, start, until, factor in promos if start <= month < until}
        paid.append({name: None if value is None else value * factors.get(name, 1) for name, value in now.items()})
    return lists, paid


def played(war, **words):
    given = {**war, "initial": {name: None if v is None else prices(v) for name, v in war["initial"].items()}}
    return PricePath(**{**given, "start": 0, "until": MONTHS, **words})


def bare(vector):
    return None if vector is None else Fraction(vector["price"])


@given(wars())
def test_paths_equal_those_of_the_slow_twin(war):
    found = played(war)
    lists, paid = twin(war)

    for month in range(MONTHS):
        assert {name: bare(path.list_at(month)) for name, path in found.paths.items()} == lists[month]
        assert {name: bare(path.effective_at(month)) for name, path in found.paths.items()} == paid[month]


@given(wars())
def test_the_log_replays_to_the_lists(war):
    """All events but those of promotions, one after the other, give the list of every month."""
    found = played(war)
    now = {name: None if value is None else prices(value) for name, value in war["initial"].items()}
    for month in range(MONTHS):
        for event in (e for e in found.events if e.at == month and e.meter and not e.kind.startswith("promotion")):
            assert (now[event.offering] or {}).get("price") == event.before
            now[event.offering] = None if event.after is None else {event.meter: event.after}
        assert {name: path.list_at(month) for name, path in found.paths.items()} == now


@given(wars())
def test_effective_prices_are_never_above_the_list(war):
    found = played(war)
    for path in found.paths.values():
        for month in range(MONTHS):
            listed = path.list_at(month)
            assert listed is None or path.effective_at(month)["price"] <= listed["price"]


@given(wars())
def test_reactions_keep_to_their_floors(war):
    for event in played(war).events:
        if event.cause == "reaction":
            assert event.after >= war["costs"].get(event.offering, prices(0))["price"]


@given(wars())
def test_moves_of_different_sellers_at_one_instant_commute(war):
    kept = sorted(war["moves"], key=lambda move: (move.at, -NAMES.index(move.offering)))  # within one seller the order stays
    left, right = played(war), played({**war, "moves": kept})
    for name in NAMES:
        assert [left.paths[name].list_at(m) for m in range(MONTHS)] == [right.paths[name].list_at(m) for m in range(MONTHS)]


@given(amounts, st.sampled_from(["0.2", "0.5", "0.75", "0.36", "0"]))
def test_a_cut_and_its_inverse_restore_the_list(price, by):
    """Cut by x, then raise by x / (1 - x), where that terminates."""
    share = Fraction(by)
    back = share / (1 - share)
    up = Decimal(back.numerator) / Decimal(back.denominator)
    war = PricePath(
        {"A": prices(price)},
        moves=[Move(at=1, offering="A", kind="cut", by=by), Move(at=2, offering="A", kind="raise", by=up)],
        start=0,
        until=4,
    )
    assert war.paths["A"].list_at(3) == prices(price)


def test_matching_before_a_promotion_is_not_matching_after_it():
    """What one sees is what is paid: path dependence."""
    promotion = Move(at=2, offering="A", kind="promotion", by="0.5", until=4)
    lists = [
        PricePath(
            {"A": prices(4), "B": prices(9)},
            moves=[promotion, Move(at=at, offering="B", kind="match", targets=("A",))],
            start=0,
            until=6,
        )
        .paths["B"]
        .list_at(5)
        for at in (1, 2, 4)
    ]
    assert lists == [prices(4), prices(2), prices(4)]


def test_at_one_instant_promotions_end_then_moves_come_then_reactions_in_their_order():
    war = PricePath(
        {"A": prices(8), "B": prices(9), "C": prices(10)},
        moves=[
            Move(at=1, offering="A", kind="promotion", by="0.5", until=3),
            Move(at=3, offering="A", kind="set", prices=prices(6)),
            Move(at=3, offering="A", kind="cut", by="0.5"),
        ],
        reactions=[
            Reaction(offering="C", kind="match", targets=("B",), lag=0),
            Reaction(offering="B", kind="match", targets=("A",), lag=0),
        ],
        start=0,
        until=5,
    )
    assert [(e.offering, e.kind, e.before, e.after) for e in war.events if e.at == 3] == [
        ("A", "promotion_end", 4, 8),
        ("A", "set", 8, 6),
        ("A", "cut", 6, 3),
        ("B", "match", 4, 3),
        ("C", "match", 4, 3),
    ]


def test_rules_of_one_seller_are_looked_at_together_in_their_order():
    """The tie to B alone is asked for in month 3; the older rule, which looks two months back, still holds the price down."""
    rules = [
        Reaction(offering="A", kind="match", targets=("B",), lag=1, raises="follow"),
        Reaction(offering="A", kind="match", targets=("C",), lag=2),
    ]
    moves = [Move(at=1, offering="C", kind="set", prices=prices(1)), Move(at=2, offering="C", kind="set", prices=prices(9))]
    war = PricePath({"A": prices(7), "B": prices(5), "C": prices(9)}, moves=moves, reactions=rules, start=0, until=6)
    assert [war.paths["A"].list_at(month)["price"] for month in range(6)] == [7, 5, 5, 1, 5, 5]


def test_sellers_who_swap_prices_for_ever_are_flagged():
    """Each matches what the other charged a month ago, up and down."""
    both = [Reaction(offering=a, kind="match", targets=(b,), lag=1, raises="follow") for a, b in ("AB", "BA")]
    war = PricePath({"A": prices(1), "B": prices(2)}, reactions=both, start=0, until=12)

    assert [war.paths["A"].list_at(t)["price"] for t in range(4)] == [1, 2, 1, 2]
    assert (war.settled, war.unsettled) == (False, "sellers were still answering each other when the time ran out")


def test_sellers_who_undercut_each_other_at_once_are_flagged():
    both = [Reaction(offering=a, kind="undercut", by="0.01", targets=(b,), lag=0) for a, b in ("AB", "BA")]
    war = PricePath({"A": prices(1), "B": prices(2)}, reactions=both, start=0, until=12)
    assert war.unsettled == "sellers answered each other without end at 0; the play was cut off there"


def test_a_war_of_undercutting_ends_at_the_floors_and_is_settled():
    both = [Reaction(offering=a, kind="undercut", by="0.1", targets=(b,), lag=1) for a, b in ("AB", "BA")]
    costs = {"A": prices("0.5"), "B": prices("0.4")}
    war = PricePath({"A": prices(1), "B": prices(2)}, reactions=both, costs=costs, start=0, until=60)
    assert (war.paths["A"].list_at(59), war.paths["B"].list_at(59), war.settled) == (prices("0.5"), prices("0.45"), True)


def test_a_long_chain_of_answers_stays_within_twelve_decimals():
    both = [Reaction(offering=a, kind="undercut", by="0.07", targets=(b,), lag=1) for a, b in ("AB", "BA")]
    war = PricePath({"A": prices(1), "B": prices(2)}, reactions=both, start=0, until=2_000)
    assert all(-price["price"].as_tuple().exponent <= 12 for path in war.paths.values() for price in path.lists)


def test_many_moves_at_one_instant_are_no_cycle():
    names = [f"s{number}" for number in range(400)]
    cuts = [Move(at=1, offering=name, kind="cut", by="0.5") for name in names]
    war = PricePath({name: prices(2) for name in names}, moves=cuts, start=0, until=3)
    assert (war.settled, len(war.events), war.paths["s399"].list_at(1)) == (True, 400, prices(1))


def test_a_promotion_that_is_extended_has_no_gap():
    moves = [Move(at=at, offering="A", kind="promotion", by="0.5", until=at + 2) for at in (1, 3)]
    war = PricePath({"A": prices(2)}, moves=moves, start=0, until=8)

    assert [war.paths["A"].effective_at(t)["price"] for t in range(7)] == [2, 1, 1, 1, 1, 2, 2]
    assert [(e.at, e.kind, e.meter) for e in war.events] == [(1, "promotion", "price"), (3, "promotion", ""), (5, "promotion_end", "price")]


def test_instants_may_be_datetimes_and_paths_pickle():
    start = datetime(2025, 1, 1, tzinfo=UTC)
    war = PricePath(
        {"A": prices(2), "B": prices(3)},
        moves=[Move(at=start + timedelta(days=3), offering="A", kind="free")],
        reactions=[Reaction(offering="B", kind="match", targets=("A",), lag=timedelta(hours=36), floor=prices(1))],
        start=start,
        until=start + timedelta(days=30),
    )
    back = pickle.loads(pickle.dumps(war))
    assert back.events == war.events
    assert back.paths["B"].list_at(start + timedelta(days=4, hours=12)) == prices(1)


@pytest.mark.parametrize(
    ("moves", "reactions", "message"),
    [
        ([Move(at=1, offering="X", kind="free")], [], "names 'X', which is not in the scenario; it has A, B, new"),
        ([Move(at=1, offering="A", kind="match", targets=("X",))], [], "names 'X', which is not in the scenario"),
        ([Move(at=1, offering="new", kind="free")], [], "free of new at 1: it is not on sale then; launch it first"),
        (
            [Move(at=1, offering="A", kind="promotion", by="0.5", until=4), Move(at=3, offering="A", kind="promotion", by="0.1", until=9)],
            [],
            "overlaps the promotion from 1 to 4; begin when that one has ended",
        ),
        (
            [Move(at=1, offering="A", kind="promotion", prices={"output": 1}, until=4)],
            [],
            "promotion of A at 1 is on output, which has no list price; it has price",
        ),
        (
            [],
            [Reaction(offering="B", kind="match", targets=("A",), lag=1, floor=prices(9))],
            "the floor of B, price 9, is above its list price 3",
        ),
        (
            [Move(at=1, offering="B", kind="match", targets=("A",), floor=prices(9))],
            [],
            "its floor, price 9, is above its list price 3; lower it",
        ),
        (
            [Move(at=1, offering="new", kind="launch", prices=prices(1))],
            [Reaction(offering="new", kind="match", targets=("A",), lag=1, floor=prices(2))],
            "launch of new at 1: its floor, price 2, is above its list price 1; lower it",
        ),
        (
            [Move(at=1, offering="A", kind="launch", prices=prices(1))],
            [],
            "launch of A at 1: it is on sale already; set its prices instead",
        ),
        ([], [Reaction(offering="B", kind="match", targets=("X",), lag=1)], "the reaction of B names 'X', which is not in the scenario"),
    ],
)
def test_wars_that_cannot_be(moves, reactions, message):
    with pytest.raises(ScenarioError) as caught:
        PricePath({"A": prices(2), "B": prices(3), "new": None}, moves=moves, reactions=reactions, start=0, until=12)
    assert message in str(caught.value)


def test_a_cost_above_the_list_holds_answers_back_and_is_no_error():
    war = PricePath(
        {"A": prices(1), "B": prices(3)},
        reactions=[Reaction(offering="B", kind="match", targets=("A",), lag=1)],
        costs={"B": prices(5)},
        start=0,
        until=4,
    )
    assert (war.paths["B"].list_at(3), war.below_cost("B", 3)) == (prices(3), True)

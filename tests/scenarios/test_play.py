"""Playing on books: solved cases on the shipped tables, history, every kind of move on every kind of list, and what it was worth."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import NoRateError, ScenarioError, TableError, UnitError, UnknownNameError
from tokencost.scenarios.move import Move, Reaction
from tokencost.scenarios.play import play
from tokencost.scenarios.scenario import Scenario, load_scenario, shipped_scenarios

_FILE = Path(__file__).resolve().parents[3] / "shared" / "oracles" / "pricewar_oracles.json"
_CASES = {case["id"]: case for case in json.loads(_FILE.read_text())["cases"]} if _FILE.is_file() else {}
NEEDED = pytest.mark.skipif(not _CASES, reason="the solved cases are not beside the repository")

START, UNTIL, MID = "2026-11-01T00:00:00Z", "2027-03-01T00:00:00Z", "2026-12-02T00:00:00Z"
WINDOWED, TIERED, BATCHED = "deepseek/global/deepseek-v4-flash", "alibaba/china/qwen-plus", "openai/global/gpt-4o"
USAGE = tc.Usage(input=1_000, cache_read=500, output=300)
BEFORE, AFTER = "2026-12-01T20:00:00Z", "2026-12-02T20:00:00Z"  # the same hour of two working days
CURRENCY = {WINDOWED: "CNY", TIERED: "CNY", BATCHED: "USD"}


def war(*moves, book=None, **words):
    return play(Scenario(title="war", start=words.pop("start", START), until=words.pop("until", UNTIL), moves=moves, **words), book)


def cost(book, name, at=AFTER, usage=USAGE, **words):
    return book.cost(name, usage, at=at, currency=CURRENCY.get(name), **words)


# -- solved cases --------------------------------------------------------------------------------------------------------------------------


def own_book(models):
    """A book of one provider with these lists from the beginning of 2024."""
    rows = [(f"us/china/{name}", amounts) for name, amounts in models.items()]
    tariffs = [
        tc.Tariff(
            id=name,
            publisher="us",
            versions=(
                tc.Version(
                    start=datetime(2024, 1, 1, tzinfo=UTC),
                    basis="announced",
                    source="test",
                    checked=datetime(2024, 1, 1, tzinfo=UTC).date(),
                    rates=(tc.Rate(currency="CNY", prices={k: Decimal(str(v)) for k, v in amounts.items()}),),
                ),
            ),
        )
        for name, amounts in rows
    ]
    return tc.load_book(currency="CNY").with_tariffs(tariffs)


@NEEDED
def test_solved_cascade_of_may_2024():
    case = _CASES["timeline.china_2024_05.dev"]
    first = [event for event in case["inputs"]["events"] if event["date"] == "2024-01-01"]
    known = {event["model"] for event in first}
    book = own_book({event["model"]: {key: event[key] for key in ("input", "output")} for event in first})
    moves = []
    for event in (event for event in case["inputs"]["events"] if event["date"] != "2024-01-01"):
        kind = "set" if event["model"] in known else "launch"
        amounts = {key: str(event[key]) for key in ("input", "output")}
        moves.append(Move(at=f"{event['date']}T00:00:00Z", offering=f"us/china/{event['model']}", kind=kind, prices=amounts))
    names = tuple(f"us/china/{name}" for name in known)
    scenario = Scenario(title="", start="2024-05-01T00:00:00Z", until="2024-06-01T00:00:00Z", moves=moves, offerings=names)
    found = play(scenario, book)
    million = {meter: count * 10**6 for meter, count in case["inputs"]["workload_mtok"].items()}

    for date, wanted in case["expected"]["snapshots"].items():
        rows = found.costs([f"{date}T00:00:00Z"], tc.Usage(**million))
        costs = {row["offering"].rsplit("/", 1)[1]: float(row["cost"].amount) for row in rows if row["cost"] is not None}
        assert costs == wanted["monthly_cost_cny"]
        assert min((n for n, c in costs.items() if c), key=costs.get) == wanted["cheapest_paid"]
        assert costs[wanted["cheapest_any"]] == min(costs.values())
    worth = {w.offering.rsplit("/", 1)[1]: w for w in found.worth(tc.Usage(**million))}
    for name in ("qwen_long", "qwen_max", "hunyuan_pro"):
        assert -float(worth[name.replace("_", "-")].change) == pytest.approx(case["expected"][f"workload_saving_{name}"], rel=1e-12)
    cuts = case["expected"]["headline_cuts"]
    assert -float(worth["qwen-long"].announced["input"]) == pytest.approx(cuts["qwen_long_input"], rel=1e-12)
    assert -float(worth["qwen-long"].announced["output"]) == pytest.approx(cuts["qwen_long_output"], rel=1e-12)
    assert -float(worth["glm-3-turbo"].announced["output"]) == pytest.approx(cuts["glm_3_turbo"], rel=1e-12)
    assert -float(worth["hunyuan-standard-256k"].announced["input"]) == pytest.approx(cuts["hunyuan_standard_256k_input"], rel=1e-12)


def test_the_shipped_cascade_says_what_each_percentage_was_worth():
    found = {w.offering.rsplit("/", 1)[1]: w for w in play("may-2024").worth(tc.Usage(input=1_000_000_000, output=100_000_000))}
    assert {name: round(float(found[name].change), 3) for name in ("qwen-long", "qwen-max", "hunyuan-pro", "glm-3-turbo")} == {
        "qwen-long": -0.968,
        "qwen-max": -0.606,
        "hunyuan-pro": -0.636,
        "glm-3-turbo": -0.8,
    }
    assert (found["ernie-speed-8k"].change, found["hunyuan-standard"].before, found["hunyuan-lite"].change) == (-1, None, None)
    assert found["deepseek-chat"].after == tc.Money("1200", "CNY")


def v4_book():
    return own_book({"v4-pro": {"cache_read": 1, "input": 12, "output": 24}})


@NEEDED
def test_solved_ups_and_downs_of_v4_pro():
    case = _CASES["timeline.deepseek_v4_2026.dev"]
    mtok, expected = case["inputs"]["workload_mtok"], case["expected"]
    usage = tc.Usage(cache_read=mtok["cache_hit"] * 10**6, input=mtok["cache_miss"] * 10**6, output=mtok["output"] * 10**6)
    name, day = "us/china/v4-pro", "2026-04-26T00:00:00+08:00"
    lower = Move(at=day, offering=name, kind="set", prices={"cache_read": "0.1"})

    def promotion(end):
        return Move(at=day, offering=name, kind="promotion", by="0.75", until=f"{end}T00:00:00+08:00")

    def at(found, instant):
        return float(found.book.cost(name, usage, at=instant))

    words = {"start": "2026-04-24T00:00:00+08:00", "until": "2026-08-01T00:00:00+08:00", "book": v4_book()}
    ended = war(lower, promotion("2026-05-05"), **words)
    assert at(ended, "2026-04-25T00:00:00+08:00") == expected["cost_at_launch"]
    assert at(ended, "2026-05-04T23:59:59+08:00") == expected["cost_promo"]
    assert at(ended, "2026-05-05T00:00:00+08:00") == expected["cost_if_promo_had_expired"]
    kept = war(
        lower,
        promotion("2026-05-31"),
        Move(at="2026-05-31T00:00:00+08:00", offering=name, kind="cut", by="0.75"),
        Move(
            at="2026-07-15T00:00:00+08:00",
            offering=name,
            kind="window",
            by=2,
            hours="09:00-12:00, 14:00-18:00",
            zone="Asia/Shanghai",
        ),
        **words,
    )
    assert at(kept, "2026-05-30T12:00:00+08:00") == at(kept, "2026-06-30T12:00:00+08:00") == expected["cost_promo"]
    assert at(kept, "2026-07-20T10:00:00+08:00") == at(kept, "2026-07-19T17:59:59+08:00") == expected["cost_all_peak"]
    assert at(kept, "2026-07-20T13:00:00+08:00") == expected["cost_all_off_peak"]
    mean = kept.worth(usage)[-1]
    assert float(mean.after.amount) == pytest.approx(expected["cost_uniform_load_with_peak"], rel=1e-12)
    assert float(1 + mean.change) == pytest.approx(expected["uniform_load_multiplier"], rel=1e-12)


# -- nothing happens, and history ----------------------------------------------------------------------------------------------------------

OFFERINGS = (WINDOWED, TIERED, BATCHED, "google/global/gemini-2.5-pro", "anthropic/global/claude-opus-4-6")


@pytest.fixture(scope="module")
def peace():
    """A war of which nobody named here is part but as a bystander."""
    return war(Move(at=MID, offering="o3-mini", kind="cut", by="0.5"), offerings=OFFERINGS)


@given(
    st.sampled_from(OFFERINGS),
    st.integers(0, 19 * 24 * 3600).map(lambda seconds: datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    st.integers(0, 300_000),
    st.integers(0, 9_000),
    st.sampled_from(["standard", "batch"]),
)
def test_without_moves_every_quote_is_equal(peace, name, at, prompt, answer, tier):  # noqa: PLR0917 - as hypothesis draws them
    def price(book):
        try:
            return book.cost(name, tc.Usage(input=prompt, output=answer), at=at, service_tier=tier)
        except tc.TokencostError as error:
            return type(error).__name__

    assert price(peace.book) == price(tc.load_book())


@pytest.fixture(scope="module")
def history():
    return {name: play(name) for name in ("deepseek-2024-2026", "r1-shock-2025")}


@settings(max_examples=300)
@given(st.data())
def test_a_history_is_that_of_the_tables(history, data):
    found = history[data.draw(st.sampled_from(sorted(history)))]
    name = data.draw(st.sampled_from(found.offerings))
    at = data.draw(
        st.datetimes(found.scenario.start.replace(tzinfo=None), found.scenario.until.replace(tzinfo=None), timezones=st.just(UTC))
    )
    if at == found.scenario.until:
        return
    prices = []
    for book in (tc.load_book(), found.book, found.before):
        try:
            prices.append(book.cost(name, USAGE, at=at, currency=found.currencies[name]))
        except tc.TokencostError as error:
            prices.append(type(error).__name__)
    assert prices[0] == prices[1] == prices[2]


def test_a_history_tells_the_promotion_that_ran_when_it_began(history):
    ends = [(e.at, e.meter, e.before, e.after) for e in history["r1-shock-2025"].events if e.kind == "promotion_end"]
    day = datetime(2025, 2, 8, 16, tzinfo=UTC)
    assert ends == [
        (day, "input", Decimal("0.14"), Decimal("0.27")),
        (day, "cache_read", Decimal("0.014"), Decimal("0.07")),
        (day, "output", Decimal("0.28"), Decimal("1.1")),
    ]


def test_bills_of_windowed_lists_are_means_over_a_week(history):
    """At 12:00 in Beijing a peak ends; the cut of that instant is 27.6 %, not the 61.3 % between the last second and this."""
    usage = tc.Usage(input=300_000_000, cache_read=200_000_000, output=100_000_000)
    worth = {(w.offering.rsplit("/", 1)[1], w.at): w for w in history["deepseek-2024-2026"].worth(usage)}
    cut = worth["deepseek-v4-flash", datetime(2026, 9, 10, 4, tzinfo=UTC)]
    assert float(cut.change) == pytest.approx(-0.2763, abs=1e-4)
    night = worth["deepseek-chat", datetime(2025, 2, 26, 16, 30, tzinfo=UTC)]
    assert night.change == Fraction(-1, 6)  # half price for eight hours of twenty-four


def test_a_frozen_list_keeps_its_promotion_to_its_end_and_no_other_change_comes():
    found = war(
        Move(at="2025-03-01T00:00:00Z", offering="o1", kind="free"),
        start="2025-02-01T00:00:00Z",
        until="2026-01-01T00:00:00Z",
        offerings=("deepseek-chat",),
    )
    price = [
        found.book.cost("deepseek-chat", tc.Usage(output=10**6), at=at)
        for at in ("2025-02-08T15:59:59Z", "2025-02-08T16:00:00Z", "2025-02-27T20:00:00Z", "2025-12-01T00:00:00Z", "2026-11-01T00:00:00Z")
    ]
    assert price == [Decimal("0.28"), *[Decimal("1.1")] * 4]


def test_known_changes_come_and_others_do_not():
    """The end of the night discount was announced two weeks before it came; the cut of the end of September was not."""
    found = war(
        Move(at="2025-09-30T00:00:00Z", offering="o1", kind="free"),
        start="2025-08-25T00:00:00Z",
        until="2025-12-01T00:00:00Z",
        offerings=("deepseek-chat",),
        baseline="known",
    )
    price = [found.book.cost("deepseek-chat", tc.Usage(output=10**6), at=at) for at in ("2025-09-01T12:00:00Z", "2025-11-01T12:00:00Z")]
    assert price == [Decimal("1.1"), Decimal("1.68")]


# -- every kind of move --------------------------------------------------------------------------------------------------------------------

MOVES = {
    "cut": {"by": "0.5"},
    "raise": {"by": "0.25"},
    "free": {},
    "promotion": {"by": "0.75", "until": "2027-01-01T00:00:00Z"},
    "set": {"prices": {"input": "7", "output": "9"}},
    "tier": {"by": 2, "above": 700},
    "window": {"by": 3, "hours": "19:00-21:00"},
}
FACTOR = {"cut": Fraction(1, 2), "raise": Fraction(5, 4), "free": 0, "promotion": Fraction(1, 4), "tier": 2, "window": 3}


@pytest.mark.parametrize("kind", MOVES)
@pytest.mark.parametrize("name", OFFERINGS)
def test_every_kind_of_move_on_every_kind_of_list(name, kind):
    """The base row, larger requests and batch go together, and before the move nothing has changed."""
    move = Move(at=MID, offering=name, kind=kind, **MOVES[kind])
    known = tc.load_book()
    if (
        kind in ("tier", "window")
        and name not in (BATCHED, "anthropic/global/claude-opus-4-6")
        and (kind, name)
        not in {
            ("window", TIERED),
            ("window", "google/global/gemini-2.5-pro"),
            ("tier", WINDOWED),
        }
    ):
        with pytest.raises(ScenarioError, match=r"its list has (context tiers|windows) already"):
            war(move, currency=CURRENCY.get(name))
        return
    found = war(move, currency=CURRENCY.get(name))

    for usage in (USAGE, tc.Usage(input=210_000, output=3_000)):
        for tier in ("standard", "batch"):

            def price(book, at, tier=tier, usage=usage):
                try:
                    return Fraction(cost(book, name, at, usage, service_tier=tier))
                except NoRateError:
                    return None

            old, new = price(known, BEFORE), price(found.book, AFTER)
            assert price(found.book, BEFORE) == old
            if kind in FACTOR:
                assert new == (None if old is None else old * FACTOR[kind])
            else:
                assert new is None or new > 0


@pytest.mark.parametrize("name", OFFERINGS)
def test_a_list_taken_off_and_launched_anew(name):
    found = war(
        Move(at=MID, offering=name, kind="withdraw"),
        Move(at="2027-01-01T00:00:00Z", offering=name, kind="launch", prices={"input": 1, "output": 2}),
        currency=CURRENCY.get(name),
    )
    assert cost(found.book, name, BEFORE) == cost(tc.load_book(), name, BEFORE)
    with pytest.raises(tc.TokencostError):
        cost(found.book, name)
    assert cost(found.book, name, "2027-01-02T20:00:00Z", tc.Usage(input=10**6, cache_read=10**6)) == 2  # cached input has no price now
    with pytest.raises(ScenarioError, match="it is not on sale then; launch it first"):
        war(Move(at=MID, offering=name, kind="withdraw"), Move(at="2026-12-03T00:00:00Z", offering=name, kind="free"))


def test_a_move_at_the_first_instant_leaves_the_past_alone():
    found = war(Move(at=START, offering=BATCHED, kind="cut", by="0.5"))
    assert cost(found.book, BATCHED, "2026-10-31T23:59:59Z") == cost(tc.load_book(), BATCHED, "2026-10-31T23:59:59Z")
    assert cost(found.book, BATCHED, START) * 2 == cost(tc.load_book(), BATCHED, START)
    assert [w.change for w in found.worth(USAGE)] == [Fraction(-1, 2)]
    gone = war(Move(at=START, offering=BATCHED, kind="withdraw"))
    assert cost(gone.book, BATCHED, "2026-10-31T23:59:59Z") == cost(tc.load_book(), BATCHED, "2026-10-31T23:59:59Z")


def test_promotions_leave_the_list():
    """On one meter, at prices, and through a change of the list below."""
    name = BATCHED
    begin, end = "2026-11-10T00:00:00Z", "2026-12-20T00:00:00Z"
    found = war(
        Move(at=begin, offering=name, kind="promotion", by="0.5", meters=("input",), until=end),
        Move(at=MID, offering=name, kind="cut", by="0.5"),
        Move(at=end, offering=name, kind="promotion", prices={"output": "0.5"}, until="2027-01-10T00:00:00Z"),
    )
    instants = ["2026-11-09T00:00:00Z", begin, MID, end, "2027-01-10T00:00:00Z"]
    listed = [(str(p.meter), p.list_price, p.effective_price) for p in found.prices(instants) if p.meter in ("input", "output")]
    assert listed == [
        ("input", Decimal("2.5"), Decimal("2.5")),
        ("output", Decimal(10), Decimal(10)),
        ("input", Decimal("2.5"), Decimal("1.25")),
        ("output", Decimal(10), Decimal(10)),
        ("input", Decimal("1.25"), Decimal("0.625")),
        ("output", Decimal(5), Decimal(5)),
        ("input", Decimal("1.25"), Decimal("1.25")),
        ("output", Decimal(5), Decimal("0.5")),
        ("input", Decimal("1.25"), Decimal("1.25")),
        ("output", Decimal(5), Decimal(5)),
    ]
    for at in instants:
        vector = {p.meter: p.effective_price for p in found.prices([at])}
        for meter, price in ((name, vector[name]) for name in ("input", "cache_read", "output")):
            assert found.book.cost(name, tc.Usage(**{meter: 10**6}), at=at) == price
    batch = [found.book.cost(name, tc.Usage(input=10**6), at=at, service_tier="batch") for at in (begin, MID)]
    assert batch == [Decimal("0.625"), Decimal("0.3125")]


def test_a_new_meter_keeps_the_ratio_of_the_rows():
    found = war(Move(at=MID, offering="openai/global/gpt-4-turbo", kind="set", prices={"cache_read": 5}))
    assert found.book.cost("openai/global/gpt-4-turbo", tc.Usage(cache_read=10**6), at=AFTER) == 5
    assert found.book.cost("openai/global/gpt-4-turbo", tc.Usage(cache_read=10**6), at=AFTER, service_tier="batch") == Decimal("2.5")


def test_lists_in_other_currencies_end_where_one_is_fought_over():
    found = war(Move(at=MID, offering=WINDOWED, kind="cut", by="0.5"), currency="CNY")
    assert found.book.cost(WINDOWED, USAGE, at=BEFORE, currency="USD") == tc.load_book().cost(WINDOWED, USAGE, at=BEFORE, currency="USD")
    with pytest.raises(tc.TokencostError, match="USD"):
        found.book.cost(WINDOWED, USAGE, at=AFTER, currency="USD")


def test_windows_end_and_the_default_stays():
    found = war(Move(at=MID, offering=WINDOWED, kind="end_window"), currency="CNY")
    peak = "2026-12-03T02:00:00Z"
    off = cost(tc.load_book(), WINDOWED, "2026-12-02T20:00:00Z")
    assert cost(found.book, WINDOWED, peak) == cost(found.book, WINDOWED, AFTER) == off
    with pytest.raises(ScenarioError, match="its list has no windows"):
        war(Move(at=MID, offering=BATCHED, kind="end_window"))


def test_a_seller_from_nowhere_with_windows_and_one_who_answers():
    name = "me/china/cheap"
    found = war(
        Move(at="2026-11-10T00:00:00Z", offering=name, kind="launch", prices={"input": 1, "output": 4}),
        Move(at=MID, offering=name, kind="window", by="0.5", window="night", hours="22:00-06:00"),
        Move(at="2026-12-10T00:00:00Z", offering=name, kind="tier", by=2, above=10_000),
        Move(at="2026-12-20T00:00:00Z", offering=TIERED, kind="undercut", by="0.1", targets=(name,), floor={"output": "0.5"}),
        currency="CNY",
        reactions=(Reaction(offering=name, kind="undercut", by="0.5", targets=(TIERED,), lag=timedelta(days=3), floor={"input": "0.3"}),),
    )
    assert found.book.cost(name, tc.Usage(input=10**4), at="2026-12-05T12:00:00Z") * 10**2 == Decimal("0.4")
    assert found.book.cost(name, tc.Usage(input=10**4), at="2026-12-05T23:00:00Z") * 10**2 == Decimal("0.2")
    assert found.book.cost(name, tc.Usage(input=10**5), at="2026-12-15T12:00:00Z") * 10 == Decimal("0.8")
    for made in (pickle.loads(pickle.dumps(found.book)), pickle.loads(pickle.dumps(found)).book):
        assert made.cost(name, tc.Usage(input=10**4), at="2026-12-05T23:00:00Z") * 10**2 == Decimal("0.2")
    assert found.settled


def test_columns_and_estimates_work_on_what_a_war_has_made():
    found = war(
        Move(at=MID, offering=BATCHED, kind="cut", by="0.123456789"),
        Move(at=MID, offering=WINDOWED, kind="raise", by="1"),
        reactions=(Reaction(offering="o3-mini", kind="undercut", by="0.07", targets=(BATCHED,), lag=timedelta(days=2)),),
    )
    names = [BATCHED, WINDOWED, "o3-mini"] * 3
    instants = [START] * 3 + [MID] * 3 + ["2026-12-15T02:30:00Z"] * 3
    table = {"model": names, "at": instants, "input": [1234] * 9, "output": [567] * 9}
    assert found.book.rate_table(table).amounts() == [
        found.book.cost(name, tc.Usage(input=1234, output=567), at=at) for name, at in zip(names, instants, strict=True)
    ]
    chat = tc.load_workload("chat")
    made = [tc.estimate(chat, BATCHED, month="2027-01", book=book, draws=0).exact for book in (found.before, found.book)]
    assert made[1] == made[0] * (1 - Fraction("0.123456789"))
    quote = found.book.tariff(BATCHED).quote(USAGE, at=AFTER)
    assert quote.total.amount == cost(found.book, BATCHED)


def test_shipped_scenarios_play_and_print():
    for name in shipped_scenarios():
        found = play(name)
        assert found.settled
        assert len(found.records()) == len(found.table().rows)
        assert load_scenario(name).title in str(found)
        assert pickle.loads(pickle.dumps(found)).records() == found.records()


def test_months_below_cost_are_flagged():
    found = play("two-tier-2025")
    assert found.below_cost()["deepseek/global/deepseek-reasoner"] == ("2025-05", "2025-06", "2025-07")
    assert found.below_cost()["alibaba/global/qwen-max"] == ()
    assert [e.meter for e in found.events if e.below_cost] == ["cache_read"]


# -- bad input -----------------------------------------------------------------------------------------------------------------------------


def test_a_seller_who_follows_another_currency_is_refused():
    reaction = Reaction(offering=BATCHED, kind="match", targets=(TIERED,), lag=timedelta(days=1))
    with pytest.raises(UnitError, match=r"gpt-4o is priced in USD/Mtok and follows alibaba/china/qwen-plus, which is in CNY/Mtok"):
        war(reactions=(reaction,))
    with pytest.raises(UnitError):
        war(Move(at=MID, offering=BATCHED, kind="match", targets=(TIERED,)))


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ({"offering": "gpt-4oo", "kind": "free"}, UnknownNameError, "gpt-4o"),
        ({"offering": "cheap", "kind": "launch", "prices": {"input": 1}}, ScenarioError, "name it provider/endpoint/model"),
        ({"offering": "deepseek-chat", "kind": "free"}, ScenarioError, "is not on sale at 2026-11-01, when the scenario begins"),
        ({"offering": BATCHED, "kind": "cut", "by": "0.5", "currency": "CNY"}, NoRateError, "has no list in CNY; it has USD"),
        (
            {"offering": BATCHED, "kind": "window", "by": 2, "hours": "09:00-12:00, 11:00-13:00", "days": "mon", "window": "standard"},
            None,
            "",
        ),
    ],
)
def test_plays_that_cannot_be(words, kind, message):
    currency = words.pop("currency", None)
    move = Move(at=MID, **words)
    if kind is None:  # stretches of one window may overlap, and its name may be that of the default
        war(move)
        return
    with pytest.raises(kind) as caught:
        war(move, currency=currency)
    assert message in str(caught.value)


def test_a_worth_without_a_workload_is_refused():
    found = war(Move(at=MID, offering=BATCHED, kind="free"))
    with pytest.raises(ScenarioError, match=r"scenario 'war' has no workload; pass one, like tc.Usage\(input=10, output=1\)"):
        found.worth()


def test_dearer_rows_of_a_free_list_have_no_ratio():
    moves = (
        Move(at=MID, offering=BATCHED, kind="free"),
        Move(at="2026-12-10T00:00:00Z", offering=BATCHED, kind="set", prices={"input": 1, "output": 2}),
    )
    assert war(*moves).book.cost(BATCHED, tc.Usage(input=10**6), at="2026-12-11T00:00:00Z") == 1
    assert issubclass(TableError, tc.TokencostError)


# -- books against paths -------------------------------------------------------------------------------------------------------------------

SMALL = (BATCHED, TIERED, WINDOWED)
DAYS = st.integers(1, 40).map(lambda day: datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day))
PRICE = st.integers(1, 90).map(lambda tenths: Decimal(tenths) / 10)


@st.composite
def moves_of(draw, name):
    """Moves of one seller that can be: in order of time, promotions apart, launched only when off sale."""
    days = sorted(set(draw(st.lists(DAYS, min_size=1, max_size=5))))
    made, on_sale, free_from = [], True, days[0]
    for day in days:
        kinds = ["set", "cut", "raise", "promotion", "withdraw"] if on_sale else ["launch"]
        kind = draw(st.sampled_from(kinds))
        if kind == "promotion" and day < free_from:
            continue
        words = {
            "set": {"prices": {"input": draw(PRICE), "output": draw(PRICE)}},
            "launch": {"prices": {"input": draw(PRICE), "output": draw(PRICE)}},
            "cut": {"by": Decimal(draw(st.integers(0, 9))) / 10, "meters": draw(st.sampled_from([(), ("input",)]))},
            "raise": {"by": Decimal(draw(st.integers(0, 30))) / 10},
            "withdraw": {},
            "promotion": draw(
                st.sampled_from([{"by": Decimal("0.25")}, {"by": Decimal("0.5"), "meters": ("output",)}, {"prices": {"input": "0.7"}}])
            ),
        }[kind]
        if kind == "promotion":
            free_from = day + timedelta(days=draw(st.integers(1, 15)))
            words = {**words, "until": free_from}
        on_sale = kind != "withdraw"
        made.append(Move(at=day, offering=name, kind=kind, **words))
    return made


@given(st.data())
def test_quotes_are_those_of_the_path(data):
    """Every meter, at four in the morning in Beijing of every day: what the book says is what the path says."""
    name = data.draw(st.sampled_from(SMALL))
    moves = data.draw(moves_of(name))
    found = war(*moves, currency=CURRENCY.get(name))
    for day in data.draw(st.lists(st.integers(0, 55), min_size=1, max_size=6)):
        at = datetime(2026, 11, 1, 20, tzinfo=UTC) + timedelta(days=day)
        paid = found.war.paths[found.offerings[0]].effective_at(at)
        for meter in ("input", "cache_read", "output"):
            if paid is None:
                with pytest.raises(tc.TokencostError):
                    cost(found.book, name, at, tc.Usage(**{meter: 1000}))
            else:
                expected = paid.get(meter, paid["input"])  # without a price of its own a cached token is input
                assert cost(found.book, name, at, tc.Usage(**{meter: 1000})) * 1000 == expected
    assert pickle.loads(pickle.dumps(found.book)).cost(name, USAGE, at=START, currency=CURRENCY.get(name)) == cost(found.book, name, START)

"""Indexes of the shipped tables: panels from a book, and indexes side by side."""

from __future__ import annotations

from datetime import date
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import ScenarioError, UnknownNameError, UsageTypeError, WorkloadError
from tokencost.scenarios.book_panel import months_between, panel_of
from tokencost.scenarios.index_table import index_table, price_index
from tokencost.scenarios.price_index import chained_index, fixed_base_index, lowe_index
from tokencost.scenarios.price_panel import PricePanel

MIX = tc.Workload("mix", (tc.Segment("s", 1000, tc.Usage(input=300, cache_read=700, output=100)),))
PLAIN = tc.Workload("plain", (tc.Segment("s", 10, tc.Usage(input=1_000_000, output=1_000_000)),))
RATES = tc.ExchangeTable([(date(2024, 5, 1), "USD", "CNY", "7.25", "made up")])
BOUNCE = PricePanel((1, 2, 3), ("a", "b"), [[1, 1], [0.5, 1], [1, 1]], quantities=[[10, 10], [50, 5], [10, 10]], title="a sale")


def test_the_price_is_the_bill_over_the_tokens(book: tc.Book) -> None:
    """In every month and for every offering, the same as a quote of the mean request."""
    names = ["gpt-4o", "gpt-4o-mini", "deepseek-chat", "claude-opus-4-5"]
    panel = panel_of(MIX, names, months=months_between("2024-05", "2026-11"), over="first_instant", book=book)
    seen = 0
    for row, month in enumerate(panel.periods):
        for column, name in enumerate(panel.items):
            try:
                cost = book.cost(name, MIX.segments[0].usage, at=month.start, currency="USD")
            except (tc.OutsideHistoryError, tc.CurrencyError):
                assert isnan(panel.prices[row, column])
            else:
                assert panel.prices[row, column] == pytest.approx(float(cost) / 1100 * 1e6, rel=1e-14)
                seen += 1
    assert seen > 60
    assert panel.quantities is not None
    assert panel.quantities[-1, panel.items.index("gpt-4o")] == 1.1


def test_launch_and_retirement_are_entry_and_exit(book: tc.Book) -> None:
    panel = panel_of(MIX, ["deepseek-reasoner", "gpt-4o"], months=["2024-12", "2025-02", "2026-08"], over="first_instant", book=book)
    assert [(str(flow.period), flow.entered, flow.left) for flow in panel.flows()] == [
        ("2024-12", (), ()),
        ("2025-02", ("deepseek-reasoner",), ()),
        ("2026-08", (), ("deepseek-reasoner",)),
    ]
    assert panel.left_out == ()


def test_a_month_weighs_the_windows_that_one_instant_does_not(book: tc.Book) -> None:
    """At 00:00 UTC it is night in the list of March 2025, and everything costs a quarter; over the month a third of the hours do."""
    months = ["2025-03"]
    night = panel_of(PLAIN, ["deepseek-reasoner"], months=months, over="first_instant", book=book).prices[0, 0]
    whole = panel_of(PLAIN, ["deepseek-reasoner"], months=months, book=book).prices[0, 0]
    list_price = (0.55 + 2.19) / 2
    assert night == pytest.approx(list_price / 4, rel=0.01)
    assert whole == pytest.approx(list_price * (2 / 3 + 1 / 3 / 4), rel=0.01)


def test_meters_are_items_of_their_own(book: tc.Book) -> None:
    panel = panel_of(MIX, ["gpt-4o"], months=["2025-02"], by="meter", book=book)
    assert panel.items == ("gpt-4o/input", "gpt-4o/cache_read", "gpt-4o/output")
    assert panel.prices.tolist() == [[2.5, 1.25, 10.0]]
    assert panel.quantities is not None
    assert panel.quantities.tolist() == [[0.3, 0.7, 0.1]]


def test_meters_and_offerings_give_one_lowe_index(book: tc.Book) -> None:
    names, months = ["gpt-4o", "deepseek-chat"], ["2024-12", "2025-03", "2025-10"]
    whole, parts = (panel_of(MIX, names, months=months, by=by, book=book) for by in ("offering", "meter"))
    assert parts.quantities is not None
    assert whole.quantities is not None
    found = lowe_index(parts, parts.quantities[0]).values.tolist()
    assert found == pytest.approx(lowe_index(whole, whole.quantities[0]).values.tolist(), rel=1e-12)


def test_conversion_only_with_a_dated_rate(book: tc.Book) -> None:
    names, months = ["alibaba/china/qwen-long", "gpt-4o"], ["2024-05", "2024-07"]
    bare = panel_of(PLAIN, names, months=months, over="first_instant", book=book)
    assert bare.items == ("gpt-4o",)
    assert [(row.item, row.reason, len(row.periods)) for row in bare.left_out] == [
        ("alibaba/china/qwen-long", "listed in CNY, not converted; pass fx= with dated exchange rates", 2)
    ]
    made = panel_of(PLAIN, names, months=months, over="first_instant", book=book, fx=RATES)
    assert made.prices[0, 0] == pytest.approx(20 / 7.25)
    assert isnan(made.prices[1, 0])
    assert [(row.reason, [str(period) for period in row.periods]) for row in made.left_out] == [
        ("listed in CNY, and no exchange rate of the month was passed", ["2024-07"])
    ]
    native = panel_of(PLAIN, names[:1], months=months, over="first_instant", book=book, currency="CNY")
    assert (native.prices[:, 0].tolist(), str(native.unit)) == ([20.0, 1.25], "CNY/Mtok")


def test_what_cannot_serve_the_workload_is_left_out_with_a_reason(book: tc.Book) -> None:
    panel = panel_of(PLAIN, ["gpt-4o", "text-embedding-3-small"], months=["2025-01"], book=book)
    assert [(row.item, row.reason) for row in panel.left_out] == [("text-embedding-3-small", "no price for output")]
    with pytest.raises(
        ScenarioError,
        match="no offering has a price for the workload in 2025-01 to 2025-01: text-embedding-3-small has no price for output",
    ):
        panel_of(PLAIN, ["text-embedding-3-small"], months=["2025-01"], book=book)
    with pytest.raises(ScenarioError, match="no list is known for these months"):
        panel_of(PLAIN, ["deepseek-reasoner"], months=["2024-05"], book=book)


@pytest.mark.parametrize(
    ("names", "options", "error", "message"),
    [
        ("gpt-4o", {"months": ["2025-01"]}, UsageTypeError, "is text; pass a list"),
        (["gpt-4o"], {"months": []}, ScenarioError, "needs an offering and a month"),
        ([], {"months": ["2025-01"]}, ScenarioError, "needs an offering and a month"),
        (["gpt-4o"], {"months": ["2025-13"]}, WorkloadError, "is not a month"),
        (["gpt-4x"], {"months": ["2025-01"]}, UnknownNameError, "gpt-4x"),
        (["gpt-4o"], {"months": ["2025-01"], "by": "model"}, UnknownNameError, "model"),
        (["gpt-4o"], {"months": ["2025-01"], "over": "year"}, UnknownNameError, "year"),
    ],
)
def test_panels_of_a_book_that_cannot_be(names: object, options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        panel_of(PLAIN, names, **options)


def test_months_between() -> None:
    assert len(months_between("2024-05", "2026-11")) == 31
    with pytest.raises(ScenarioError, match="no month from 2025-02 to 2025-01"):
        months_between("2025-02", "2025-01")


def test_described_workloads_are_integrated(book: tc.Book) -> None:
    """Half of the prompts above a context tier: the mean of two bills, not the bill of the mean."""
    sizes = tc.Points([(tc.Usage(input=100_000), 1), (tc.Usage(input=300_000), 1)])
    drawn = tc.Workload("tiers", (tc.Segment("s", 10, sizes),))
    panel = panel_of(drawn, ["gemini-2.5-pro"], months=["2025-11"], over="first_instant", book=book)
    costs = [book.cost("gemini-2.5-pro", tc.Usage(input=size), at="2025-11-01T00:00:00Z") for size in (100_000, 300_000)]
    assert panel.prices[0, 0] == pytest.approx(float(sum(costs)) / 400_000 * 1e6, rel=1e-14)
    assert costs[1] > 3 * costs[0]


# -- the shipped tables --------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> PricePanel:
    """What a short chat costs on every shipped offering, on the first of each month."""
    return panel_of(tc.load_workload("short-chat"), months=months_between("2024-05", "2026-11"), over="first_instant")


def test_every_shipped_offering_is_priced_or_accounted_for(shipped: PricePanel, book: tc.Book) -> None:
    assert set(shipped.items) <= set(book.ids)
    assert len(shipped.periods) == 31
    for left in shipped.left_out:
        if left.item in shipped.items:
            column = shipped.items.index(left.item)
            assert all(isnan(shipped.prices[shipped.place(period), column]) for period in left.periods)
    assert {left.reason.split(" ")[0] for left in shipped.left_out} <= {"listed", "no", "requests", "a", "context"}


def test_matched_indexes_of_the_shipped_tables_move_less_than_the_mean_of_what_is_on_sale(shipped: PricePanel) -> None:
    kinds = ["chained jevons", "geks jevons", "geks tornqvist", "time product dummy", "geometric mean"]
    found = index_table(shipped, kinds, free="exclude")
    assert found.refused == {}
    last = {kind: float(index.values[-1]) for kind, index in found.indexes.items()}
    assert last["geometric mean"] < 0.6 * min(value for kind, value in last.items() if kind != "geometric mean")
    assert all(0.5 < value < 1 for kind, value in last.items() if kind != "geometric mean")


def test_free_offerings_of_the_shipped_tables_are_refused_or_counted(shipped: PricePanel) -> None:
    assert any(flow.free for flow in shipped.flows())
    with pytest.raises(ScenarioError, match="cannot take a price of 0"):
        chained_index(shipped, "jevons")
    counted = [row for row in chained_index(shipped, "jevons", free="exclude").excluded if row.reason == "free"]
    assert sum(len(row.periods) for row in counted) == int((shipped.prices == 0).sum())


# -- side by side --------------------------------------------------------------------------------------------------------------------------


def test_indexes_side_by_side() -> None:
    found = index_table(BOUNCE)
    assert list(found.indexes) == [
        "laspeyres",
        "paasche",
        "fisher",
        "tornqvist",
        "chained fisher",
        "geks tornqvist",
        "time product dummy",
        "unit value",
    ]
    assert found.indexes["laspeyres"].values.tolist() == fixed_base_index(BOUNCE, "laspeyres").values.tolist()
    assert len(found.records()) == 8 * 3
    assert "<table>" in found._repr_html_()


def test_an_index_that_cannot_be_is_listed_with_its_reason() -> None:
    free = PricePanel((1, 2), ("a", "b"), [[1, 1], [0, 1]], quantities=[[1, 1], [1, 1]])
    found = index_table(free, ["laspeyres", "jevons"])
    assert list(found.indexes) == ["laspeyres"]
    assert list(found.refused) == ["jevons"]
    assert "jevons: jevons cannot take a price of 0" in str(found)


def test_all_refused_is_a_table_without_columns() -> None:
    bare = PricePanel((1, 2), ("a",), [[1], [1]])
    found = index_table(bare, ["fisher"])
    assert "fisher: fisher weighs prices by quantities" in str(found)


@given(st.sampled_from(["fisher", "chained_fisher", "geks fisher", "time_product_dummy", "unit value", "marshall edgeworth"]))
def test_names_in_words(kind: str) -> None:
    assert price_index(BOUNCE, kind, base=3)[3] == pytest.approx(1)


@pytest.mark.parametrize("kind", ["fischer", "chained", "geks fischer", "chained unit value", ""])
def test_names_that_do_not_exist(kind: str) -> None:
    with pytest.raises(UnknownNameError):
        price_index(BOUNCE, kind)
    with pytest.raises(UnknownNameError):
        index_table(BOUNCE, [kind])


def test_tables_of_nothing() -> None:
    for kinds in ([], "fisher"):
        with pytest.raises(ScenarioError, match="names no list of indexes"):
            index_table(BOUNCE, kinds)

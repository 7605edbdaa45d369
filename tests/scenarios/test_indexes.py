"""Price indexes: identities on drawn panels, figures by value, and what is refused."""

from __future__ import annotations

import pickle
from itertools import pairwise
from math import isnan, nan, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokencost.errors import ScenarioError, UnitError, UnknownNameError
from tokencost.scenarios.bilateral import FORMULAS
from tokencost.scenarios.geks import geks_index
from tokencost.scenarios.price_index import chained_index, fixed_base_index, lowe_index, mean_index
from tokencost.scenarios.price_panel import PricePanel
from tokencost.scenarios.time_product import time_product_index

REVERSIBLE = sorted(name for name, formula in FORMULAS.items() if formula.reversible)
CLOSE = {"rel": 1e-11, "abs": 1e-13}
FEW = settings(max_examples=20)
"""Properties that are run for each formula draw fewer panels for each."""

# The artificial prices and quantities of the CPI Manual (2004), chapter 19: six items, five periods.
MANUAL_PRICES = [[1.0] * 6, [1.2, 3.0, 1.3, 0.7, 1.4, 0.8], [1.0, 1.0, 1.5, 0.5, 1.7, 0.6], [0.8, 0.5, 1.6, 0.3, 1.9, 0.4]]
MANUAL_QUANTITIES = [
    [1.0, 1.0, 2.0, 1.0, 4.5, 0.5],
    [0.8, 0.9, 1.9, 1.3, 4.7, 0.6],
    [1.0, 1.1, 1.8, 3.0, 5.0, 0.8],
    [1.2, 1.2, 1.9, 6.0, 5.6, 1.3],
]
BOUNCE = PricePanel((1, 2, 3), ("a", "b"), [[1, 1], [0.5, 1], [1, 1]], quantities=[[10, 10], [50, 5], [10, 10]])


@st.composite
def panels(draw: st.DrawFn, *, periods: int | None = None, least: int = 2) -> PricePanel:
    """Complete panels of prices and quantities above zero, four orders of magnitude wide."""
    rows = periods or draw(st.integers(2, 6))
    columns = draw(st.integers(least, 6))
    numbers = st.floats(0.01, 100.0, allow_subnormal=False)
    cells = draw(st.lists(numbers, min_size=2 * rows * columns, max_size=2 * rows * columns))
    prices, quantities = np.array(cells).reshape(2, rows, columns)
    return PricePanel(range(rows), [f"item {n}" for n in range(columns)], prices, quantities=quantities)


@st.composite
def gaps(draw: st.DrawFn) -> PricePanel:
    """Panels in which items come and go, and the first item stays."""
    panel = draw(panels())
    holes = draw(st.lists(st.booleans(), min_size=panel.prices.size, max_size=panel.prices.size))
    prices = np.where(np.array(holes).reshape(panel.prices.shape), np.nan, panel.prices)
    prices[:, 0] = panel.prices[:, 0]
    return PricePanel(panel.periods, panel.items, prices, quantities=panel.quantities)


def _pair(panel: PricePanel, kind: str) -> float:
    return float(fixed_base_index(panel, kind).values[1])


def _reversed(panel: PricePanel) -> PricePanel:
    assert panel.quantities is not None
    return PricePanel(panel.periods, panel.items, panel.prices[::-1], quantities=panel.quantities[::-1])


# -- identities ----------------------------------------------------------------------------------------------------------------------------


@given(panels(periods=2))
def test_fisher_is_the_geometric_mean_of_laspeyres_and_paasche(panel: PricePanel) -> None:
    assert _pair(panel, "fisher") ** 2 == pytest.approx(_pair(panel, "laspeyres") * _pair(panel, "paasche"), **CLOSE)


@given(panels(periods=2))
def test_fisher_of_prices_times_fisher_of_quantities_is_the_ratio_of_spending(panel: PricePanel) -> None:
    assert panel.quantities is not None
    swapped = PricePanel(panel.periods, panel.items, panel.quantities, quantities=panel.prices)
    spent = (panel.prices * panel.quantities).sum(axis=1)
    assert _pair(panel, "fisher") * _pair(swapped, "fisher") == pytest.approx(spent[1] / spent[0], **CLOSE)


@pytest.mark.parametrize("kind", REVERSIBLE)
@FEW
@given(panel=panels(periods=2))
def test_there_and_back_is_one(kind: str, panel: PricePanel) -> None:
    assert _pair(panel, kind) * _pair(_reversed(panel), kind) == pytest.approx(1, **CLOSE)


def test_there_and_back_is_not_one_for_the_others() -> None:
    panel = PricePanel((0, 1), ("a", "b"), [[1, 1], [2, 1]], quantities=[[3, 1], [1, 2]])
    others = sorted(FORMULAS.keys() - set(REVERSIBLE))
    assert others == ["carli", "geo_laspeyres", "geo_paasche", "harmonic", "laspeyres", "paasche"]
    for kind in others:
        assert abs(_pair(panel, kind) * _pair(_reversed(panel), kind) - 1) > 0.01


@pytest.mark.parametrize(("kind", "other"), [("laspeyres", "paasche"), ("geo_laspeyres", "geo_paasche"), ("carli", "harmonic")])
@FEW
@given(panel=panels(periods=2))
def test_each_reverses_the_other(kind: str, other: str, panel: PricePanel) -> None:
    assert _pair(panel, kind) * _pair(_reversed(panel), other) == pytest.approx(1, **CLOSE)


@pytest.mark.parametrize("kind", sorted(FORMULAS))
@FEW
@given(panel=panels(periods=2))
def test_lies_between_the_least_and_the_most_of_the_price_relatives(kind: str, panel: PricePanel) -> None:
    relatives = panel.prices[1] / panel.prices[0]
    assert relatives.min() * (1 - 1e-11) <= _pair(panel, kind) <= relatives.max() * (1 + 1e-11)


@given(panels(periods=2))
def test_geometric_ones_lie_below_and_above_the_arithmetic_ones(panel: PricePanel) -> None:
    kinds = ("geo_laspeyres", "laspeyres", "geo_paasche", "paasche", "jevons", "carli", "harmonic", "tornqvist")
    found = {kind: _pair(panel, kind) for kind in kinds}
    slack = 1 + 1e-11
    assert found["geo_laspeyres"] <= found["laspeyres"] * slack
    assert found["paasche"] <= found["geo_paasche"] * slack
    assert found["harmonic"] <= found["jevons"] * slack
    assert found["jevons"] <= found["carli"] * slack
    assert found["tornqvist"] == pytest.approx((found["geo_laspeyres"] * found["geo_paasche"]) ** 0.5, **CLOSE)


@pytest.mark.parametrize("kind", sorted(FORMULAS))
@FEW
@given(panel=panels(periods=2), factor=st.floats(0.01, 100))
def test_prices_in_proportion_give_the_proportion(kind: str, panel: PricePanel, factor: float) -> None:
    scaled = PricePanel(panel.periods, panel.items, [panel.prices[0], panel.prices[0] * factor], quantities=panel.quantities)
    assert _pair(scaled, kind) == pytest.approx(factor, **CLOSE)


@pytest.mark.parametrize("kind", sorted(set(FORMULAS) - {"dutot"}))
@FEW
@given(panel=panels(), powers=st.lists(st.integers(-6, 6), min_size=6, max_size=6))
def test_units_of_measurement_do_not_matter(kind: str, panel: PricePanel, powers: list[int]) -> None:
    unit = 10.0 ** np.array(powers[: len(panel.items)])
    assert panel.quantities is not None
    other = PricePanel(panel.periods, panel.items, panel.prices * unit, quantities=panel.quantities / unit)
    assert fixed_base_index(other, kind).values.tolist() == pytest.approx(fixed_base_index(panel, kind).values.tolist(), **CLOSE)


@pytest.mark.parametrize("kind", sorted(FORMULAS))
@FEW
@given(panel=gaps(), seed=st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter(kind: str, panel: PricePanel, seed: object) -> None:
    order = list(panel.items)
    seed.shuffle(order)  # type: ignore[attr-defined]
    found = chained_index(panel.only(order), kind)
    assert found.values.tolist() == pytest.approx(chained_index(panel, kind).values.tolist(), **CLOSE)
    assert found.matched == chained_index(panel, kind).matched


@pytest.mark.parametrize("kind", sorted(FORMULAS))
@FEW
@given(panel=panels())
def test_constant_prices_give_one_whatever_the_quantities(kind: str, panel: PricePanel) -> None:
    still = PricePanel(panel.periods, panel.items, np.broadcast_to(panel.prices[0], panel.prices.shape), quantities=panel.quantities)
    ones = pytest.approx([1.0] * len(panel.periods), **CLOSE)
    assert fixed_base_index(still, kind).values.tolist() == ones
    assert chained_index(still, kind).values.tolist() == ones


@pytest.mark.parametrize("kind", ["jevons", "dutot"])
@FEW
@given(panel=panels())
def test_unweighted_ratios_are_transitive(kind: str, panel: PricePanel) -> None:
    assert chained_index(panel, kind).values.tolist() == pytest.approx(fixed_base_index(panel, kind).values.tolist(), **CLOSE)
    assert geks_index(panel, kind).values.tolist() == pytest.approx(fixed_base_index(panel, kind).values.tolist(), **CLOSE)


@pytest.mark.parametrize("kind", REVERSIBLE)
@FEW
@given(panel=gaps(), base=st.integers(0, 5))
def test_geks_does_not_depend_on_its_base(kind: str, panel: PricePanel, base: int) -> None:
    base %= len(panel.periods)
    found = geks_index(panel, kind).values
    moved = geks_index(panel, kind, base=base).values
    assert moved.tolist() == pytest.approx((found / found[base]).tolist(), rel=1e-9)


@given(panels())
def test_two_periods_of_geks_are_the_bilateral_index(panel: PricePanel) -> None:
    two = panel.between(0, 1)
    assert geks_index(two, "fisher").values.tolist() == pytest.approx(fixed_base_index(two, "fisher").values.tolist(), **CLOSE)


@given(panels(periods=2))
def test_the_time_product_dummy_solves_its_regression(panel: PricePanel) -> None:
    """The same numbers as from a design with a column for each item and period."""
    assert panel.quantities is not None
    spent = panel.prices * panel.quantities
    weight = np.sqrt(spent / spent.sum(axis=1, keepdims=True)).ravel()
    items = len(panel.items)
    design = np.zeros((2 * items, items + 1))
    design[np.arange(2 * items), np.tile(np.arange(items), 2)] = 1
    design[items:, items] = 1
    solved = np.linalg.lstsq(design * weight[:, None], np.log(panel.prices).ravel() * weight, rcond=None)[0]
    assert time_product_index(panel).values[1] == pytest.approx(np.exp(solved[-1]), rel=1e-6)


@given(panels(periods=2), st.lists(st.floats(0.01, 100), min_size=6, max_size=6))
def test_lowe_is_the_bill_of_one_basket(panel: PricePanel, basket: list[float]) -> None:
    amounts = basket[: len(panel.items)]
    wanted = (panel.prices[1] @ amounts) / (panel.prices[0] @ amounts)
    assert lowe_index(panel, amounts).values[1] == pytest.approx(wanted, **CLOSE)
    assert panel.quantities is not None
    assert lowe_index(panel, panel.quantities[0]).values[1] == pytest.approx(_pair(panel, "laspeyres"), **CLOSE)


@given(gaps())
def test_a_chained_index_is_the_product_of_its_links(panel: PricePanel) -> None:
    links = [_pair(panel.between(a, b), "fisher") for a, b in pairwise(panel.periods)]
    assert chained_index(panel, "fisher").values[-1] == pytest.approx(prod(links), **CLOSE)


# -- by value ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("laspeyres", [1, 1.42, 1.345, 1.355]),
        ("paasche", [1, 1.3823529411764706, 1.2031496062992126, 1.0209302325581395]),
        ("fisher", [1, 1.4010500263982684, 1.272099139404017, 1.176163451700604]),
        ("tornqvist", [1, 1.4051617485546968, 1.2890132160200265, 1.2268158833795586]),
        ("walsh", [1, 1.4017179420824686, 1.2849682666565925, 1.2192659546886078]),
        ("jevons", [1, 1.2419200902684202, 0.9563354157287512, 0.7255808357580232]),
        ("carli", [1, 1.4, 1.05, 0.9166666666666666]),
        ("dutot", [1, 1.4, 1.05, 0.9166666666666666]),
    ],
)
def test_the_panel_of_the_manual(kind: str, values: list[float]) -> None:
    panel = PricePanel(range(4), "abcdef", MANUAL_PRICES, quantities=MANUAL_QUANTITIES)
    assert fixed_base_index(panel, kind).values.tolist() == pytest.approx(values, rel=1e-12)


def test_marshall_edgeworth_and_harmonic_by_hand() -> None:
    panel = PricePanel((0, 1), ("a", "b"), [[1, 2], [2, 3]], quantities=[[3, 1], [1, 2]])
    assert _pair(panel, "marshall_edgeworth") == (2 * 4 + 3 * 3) / (1 * 4 + 2 * 3)
    assert _pair(panel, "harmonic") == pytest.approx(2 / (1 / 2 + 2 / 3), **CLOSE)


def test_a_promotion_that_ends_leaves_drift_in_the_chain_and_none_in_geks() -> None:
    assert chained_index(BOUNCE, "laspeyres").values.tolist() == [1.0, 0.75, 1.375]
    assert chained_index(BOUNCE, "paasche").values[-1] == pytest.approx(8 / 11, **CLOSE)
    assert geks_index(BOUNCE).values[-1] == pytest.approx(1, **CLOSE)
    assert time_product_index(BOUNCE).values[-1] == pytest.approx(1, **CLOSE)


def test_entry_and_exit_are_counted_and_compared_over_matched_items() -> None:
    panel = PricePanel((1, 2, 3), ("old", "both", "new"), [[4, 2, nan], [4, 1, 9], [nan, 1, 3]])
    assert [(flow.on_sale, flow.entered, flow.left) for flow in panel.flows()] == [(2, (), ()), (3, ("new",), ()), (2, (), ("old",))]
    found = chained_index(panel, "jevons")
    assert found.values.tolist() == pytest.approx([1, 0.5**0.5, (0.5 / 3) ** 0.5], **CLOSE)
    assert found.matched == (2, 2, 2)
    assert fixed_base_index(panel, "jevons").matched == (2, 2, 1)


def test_pairs_without_a_common_item_are_bridged_and_counted() -> None:
    panel = PricePanel((1, 2, 3), ("old", "new"), [[4, nan], [2, 6], [nan, 3]])
    found = geks_index(panel, "jevons")
    assert found.values.tolist() == pytest.approx([1, 0.5, 0.25], **CLOSE)
    assert "1 of 3 pairs have none" in found.note


@given(panels(periods=5, least=4))
def test_missing_pairs_are_fitted_by_least_squares(panel: PricePanel) -> None:
    """The same numbers as from a regression of the pairs that have items in common on their two periods."""
    prices = np.array(panel.prices)
    prices[0, 1:] = prices[1:, 0] = nan
    prices[1, 0] = panel.prices[1, 0]
    holed = PricePanel(panel.periods, panel.items, prices)
    rows, values = [], []
    for a in range(5):
        for b in range(a + 1, 5):
            shared = holed.on_sale[a] & holed.on_sale[b]
            if shared.any():
                rows.append([(period == b) - (period == a) for period in range(1, 5)])
                values.append(np.log(prices[b] / prices[a])[shared].mean())
    solved = np.linalg.lstsq(np.array(rows, dtype=float), np.array(values), rcond=None)[0]
    assert len(rows) == 7
    assert np.log(geks_index(holed, "jevons").values[1:]).tolist() == pytest.approx(solved.tolist(), rel=1e-9, abs=1e-9)


# -- windows and splices -------------------------------------------------------------------------------------------------------------------

SPLICES = ("movement", "window", "half", "mean", "window_published", "half_published", "mean_published")


@pytest.mark.parametrize("splice", SPLICES)
@FEW
@given(panel=panels())
def test_a_window_over_everything_is_no_window(splice: str, panel: PricePanel) -> None:
    whole = geks_index(panel, "fisher").values.tolist()
    assert geks_index(panel, "fisher", window=len(panel.periods), splice=splice).values.tolist() == whole


@pytest.mark.parametrize("splice", SPLICES)
@FEW
@given(panel=panels())
def test_a_window_of_two_is_the_chained_index(splice: str, panel: PricePanel) -> None:
    found = geks_index(panel, "fisher", window=2, splice=splice)
    assert found.values.tolist() == pytest.approx(chained_index(panel, "fisher").values.tolist(), **CLOSE)


@pytest.mark.parametrize("splice", SPLICES)
@FEW
@given(panel=panels(periods=6), window=st.integers(2, 5))
def test_what_was_published_does_not_change(splice: str, panel: PricePanel, window: int) -> None:
    longer = geks_index(panel, window=window, splice=splice).values
    shorter = geks_index(panel.between(0, 4), window=window, splice=splice).values
    assert longer[:5].tolist() == pytest.approx(shorter.tolist(), **CLOSE)


@pytest.mark.parametrize("splice", SPLICES)
@FEW
@given(panel=panels(periods=6), window=st.integers(2, 6))
def test_transitive_indexes_are_the_same_under_any_splice(splice: str, panel: PricePanel, window: int) -> None:
    found = geks_index(panel, "jevons", window=window, splice=splice).values.tolist()
    assert found == pytest.approx(fixed_base_index(panel, "jevons").values.tolist(), rel=1e-10)


def test_splices_by_hand() -> None:
    """Windows of three periods: the fourth joined at the period before, two before, and on average."""
    panel = PricePanel(range(4), "abcdef", MANUAL_PRICES, quantities=MANUAL_QUANTITIES)
    old, new = (geks_index(panel.between(*ends), "fisher").values for ends in ((0, 2), (1, 3)))
    movement = old[2] * new[2] / new[1]
    window = old[1] * new[2] / new[0]
    made = {splice: geks_index(panel, "fisher", window=3, splice=splice).values[3] for splice in SPLICES}
    assert made["movement"] == pytest.approx(movement, **CLOSE)
    assert made["window"] == made["window_published"] == pytest.approx(window, **CLOSE)
    assert made["half"] == made["movement"]
    assert made["mean"] == made["mean_published"] == pytest.approx((movement * window) ** 0.5, **CLOSE)


def test_time_product_takes_windows_too() -> None:
    panel = PricePanel(range(4), "abcdef", MANUAL_PRICES, quantities=MANUAL_QUANTITIES)
    chained = [time_product_index(panel.between(a, a + 1)).values[1] for a in range(3)]
    assert time_product_index(panel, window=2).values[-1] == pytest.approx(prod(chained), **CLOSE)


# -- means that are no indexes -------------------------------------------------------------------------------------------------------------


def test_unit_values_move_where_no_price_does() -> None:
    panel = PricePanel((0, 1), ("small", "large"), [[1, 10], [1, 10]], quantities=[[50, 50], [90, 10]])
    assert mean_index(panel).values[1] == (90 + 100) / 100 / ((50 + 500) / 100)
    assert chained_index(panel, "fisher").values[1] == 1


def test_means_of_what_is_on_sale() -> None:
    panel = PricePanel((0, 1), ("a", "b"), [[4, nan], [4, 1]])
    assert mean_index(panel, "geometric_mean").values[1] == pytest.approx(0.5)
    assert mean_index(panel, "arithmetic_mean").values[1] == 2.5 / 4


# -- free prices ---------------------------------------------------------------------------------------------------------------------------

FREE = PricePanel((1, 2, 3), ("a", "b"), [[2, 1], [1, 0], [1, 0]], quantities=[[1, 1], [1, 1], [1, 1]])


@pytest.mark.parametrize("kind", sorted(name for name, formula in FORMULAS.items() if formula.positive))
def test_a_free_price_is_refused_where_it_has_no_logarithm(kind: str) -> None:
    with pytest.raises(ScenarioError, match="cannot take a price of 0, and 2 of 6 prices are 0, first 'b' in 2; pass free='exclude'"):
        fixed_base_index(FREE, kind)
    with pytest.raises(ScenarioError, match="cannot take a price of 0"):
        chained_index(FREE, kind)


def test_a_free_price_counts_where_it_can() -> None:
    assert fixed_base_index(FREE, "laspeyres").values.tolist() == [1, 1 / 3, 1 / 3]


def test_free_prices_are_excluded_and_counted() -> None:
    found = fixed_base_index(FREE, "jevons", free="exclude")
    assert found.values.tolist() == pytest.approx([1, 0.5, 0.5])
    assert [(row.item, row.reason, row.periods) for row in found.excluded] == [("b", "free", (2, 3))]
    assert "left out: 1 item, 2 prices (free)" in str(found)
    assert fixed_base_index(FREE, "laspeyres", free="exclude").values.tolist() == [1, 0.5, 0.5]
    assert geks_index(FREE, free="exclude").excluded == time_product_index(FREE, free="exclude").excluded == found.excluded


def test_everything_free_leaves_nothing() -> None:
    panel = PricePanel((1, 2), ("a",), [[1], [0]], quantities=[[1], [1]])
    with pytest.raises(ScenarioError, match="have no weight"):
        fixed_base_index(panel, "laspeyres")
    with pytest.raises(ScenarioError, match="no item of 1 is on sale in 2"):
        fixed_base_index(panel, "jevons", free="exclude")
    with pytest.raises(ScenarioError, match="every price of the panel is 0"):
        PricePanel((1,), ("a",), [[0]]).without_free()


# -- what is refused -----------------------------------------------------------------------------------------------------------------------


def test_periods_without_matched_items() -> None:
    apart = PricePanel((1, 2), ("a", "b"), [[1, nan], [nan, 2]], quantities=[[1, nan], [nan, 1]])
    for make in (fixed_base_index, chained_index):
        with pytest.raises(ScenarioError, match="no item of 1 is on sale in 2"):
            make(apart)
    for make in (geks_index, time_product_index):
        with pytest.raises(ScenarioError, match="cannot compare 2 with 1: no chain of items"):
            make(apart)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (((), (), []), {}, "there is no period"),
        (((1,), (), [[]]), {}, "nothing is on sale"),
        (((1,), ("a",), [[nan]]), {}, "nothing is on sale"),
        (((2, 1), ("a",), [[1], [1]]), {}, "period 1 comes after 2; periods ascend"),
        (((1, 1), ("a",), [[1], [1]]), {}, "period 1 comes after 1; periods ascend"),
        (((1, "2"), ("a",), [[1], [1]]), {}, "cannot be compared"),
        (((1,), ("a", "a"), [[1, 1]]), {}, "item 'a' is there twice"),
        (((1,), ("a",), [[-1]]), {}, "price -1.0 of 'a' in 1 cannot be"),
        (((1,), ("a",), [[float("inf")]]), {}, "price inf of 'a' in 1 cannot be"),
        (((1,), ("a",), [[1]]), {"quantities": [[-2]]}, "quantity -2.0 of 'a' in 1 cannot be"),
        (((1,), ("a",), [1]), {}, r"price has the shape \(1,\), not \(1, 1\)"),
    ],
)
def test_panels_that_cannot_be(arguments: tuple[object, ...], options: dict[str, object], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        PricePanel(*arguments, **options)


def test_units_do_not_mix() -> None:
    rows = [{"period": 1, "item": "a", "price": 1, "unit": "CNY/Mtok"}, {"period": 1, "item": "b", "price": 1, "unit": "USD/Mtok"}]
    with pytest.raises(UnitError, match="the price of 'b' in 1 is in USD/Mtok, not in CNY/Mtok; convert it first"):
        PricePanel.from_records(rows)
    with pytest.raises(UnitError, match="is in CNY/Mtok, not in USD/Mtok"):
        PricePanel.from_records(rows[:1], unit="USD/Mtok")


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([{"period": 1, "item": "a"}], ScenarioError, "has no price"),
        ([{"period": 1, "item": "a", "price": 1, "prize": 2}], UnknownNameError, "prize"),
        ([{"period": 1, "item": "a", "price": 1}, {"period": 1, "item": "a", "price": 2}], ScenarioError, "'a' has two prices in 1"),
    ],
)
def test_records_that_cannot_be(rows: list[dict[str, object]], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        PricePanel.from_records(rows)


def test_names_and_options_that_do_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="fischer"):
        fixed_base_index(BOUNCE, "fischer")
    with pytest.raises(UnknownNameError, match="ignore"):
        fixed_base_index(BOUNCE, free="ignore")
    with pytest.raises(UnknownNameError, match="middle"):
        geks_index(BOUNCE, splice="middle")
    with pytest.raises(UnknownNameError, match="median"):
        mean_index(BOUNCE, "median")
    with pytest.raises(UnknownNameError, match="volume"):
        time_product_index(BOUNCE, weights="volume")
    with pytest.raises(UnknownNameError, match="zzz"):
        BOUNCE.only(["zzz"])
    with pytest.raises(UnknownNameError, match="zzz"):
        BOUNCE.with_quantities({"zzz": 1})
    with pytest.raises(ScenarioError, match="there and back is not 1"):
        geks_index(BOUNCE, "laspeyres")
    with pytest.raises(ScenarioError, match="a window of 1 periods"):
        geks_index(BOUNCE, window=1)
    with pytest.raises(ScenarioError, match="no period 9"):
        fixed_base_index(BOUNCE, base=9)
    with pytest.raises(ScenarioError, match="no period 9"):
        fixed_base_index(BOUNCE)[9]
    with pytest.raises(ScenarioError, match="from 3 to 1"):
        BOUNCE.between(3, 1)


def test_weights_that_are_missing() -> None:
    bare = PricePanel((1, 2), ("a",), [[1], [2]])
    for make in (fixed_base_index, chained_index, geks_index, time_product_index):
        with pytest.raises(ScenarioError, match="the panel has none; pass quantities="):
            make(bare)
    assert time_product_index(bare, weights="equal").values.tolist() == pytest.approx([1, 2])
    none = bare.with_quantities(0.0)
    with pytest.raises(ScenarioError, match="the 1 items of 1 and 1 have no weight"):
        fixed_base_index(none)
    with pytest.raises(ScenarioError, match="nothing with a weight is on sale in 1"):
        time_product_index(none)


def test_an_item_without_a_quantity_is_left_out_of_weighted_indexes_and_named() -> None:
    panel = PricePanel((1, 2), ("a", "b"), [[1, 1], [2, 8]], quantities=[[1, 1], [1, nan]])
    found = fixed_base_index(panel, "laspeyres")
    assert found.values.tolist() == [1, 2]
    assert [(row.item, row.reason, row.periods) for row in found.excluded] == [("b", "no quantity", (2,))]
    assert fixed_base_index(panel, "jevons").values.tolist() == pytest.approx([1, 4])


# -- panels and results --------------------------------------------------------------------------------------------------------------------


@given(gaps())
@settings(max_examples=25)
def test_panels_and_indexes_survive_pickling_and_records(panel: PricePanel) -> None:
    again = pickle.loads(pickle.dumps(panel))
    assert again == panel
    assert not again.prices.flags.writeable
    rows = {tuple(row.items()) for row in panel.records()}
    assert {tuple(row.items()) for row in PricePanel.from_records(panel.records()).records()} == rows
    index = chained_index(panel, "fisher")
    other = pickle.loads(pickle.dumps(index))
    assert (other.kind, other.values.tolist(), other.matched) == (index.kind, index.values.tolist(), index.matched)
    with pytest.raises(ValueError, match="read-only"):
        other.values[0] = 2


def test_expenditures_stand_for_quantities() -> None:
    panel = PricePanel.from_expenditures((1, 2), ("a", "b"), [[2, 4], [1, 0]], expenditures=[[10, 8], [10, 0]])
    assert panel.quantities is not None
    assert panel.quantities[0].tolist() == [5, 2]
    assert isnan(panel.quantities[1, 1])


def test_quantities_by_name_and_for_all_periods() -> None:
    named = BOUNCE.with_quantities({"a": 3, "b": 1})
    assert named == BOUNCE.with_quantities([3, 1])
    assert named != BOUNCE
    assert lowe_index(BOUNCE, {"a": 3, "b": 1}).values.tolist() == [1, 2.5 / 4, 1]


def test_tables_for_eyes() -> None:
    assert str(chained_index(BOUNCE, "laspeyres")) == (
        "chained laspeyres, 1 = 1\n"
        "period   index  items\n"
        "──────  ──────  ─────\n"
        "1       1.0000      2\n"
        "2       0.7500      2\n"
        "3       1.3750      2\n"
        "each period against the one before, multiplied; the items are those of the link"
    )
    assert "<table>" in chained_index(BOUNCE)._repr_html_()
    assert "<table>" in BOUNCE._repr_html_()
    assert str(BOUNCE).splitlines()[0] == "prices: 2 items, USD/Mtok"
    assert repr(BOUNCE) == "PricePanel(3 periods, 2 items, USD/Mtok)"
    assert chained_index(BOUNCE, "laspeyres").records()[2] == {"kind": "chained laspeyres", "period": 3, "index": 1.375, "matched": 2}

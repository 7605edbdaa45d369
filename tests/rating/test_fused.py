"""The compiled kernel: what numpy says, digit for digit, and what happens where numba is missing."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokencost as tc
import tokencost.rating
from rating.usage_draws import drawn_tables, read, repeated
from tokencost.rating import fused, rate_table
from tokencost.rating.fused import FusedKernel, kernel_for
from tokencost.rating.kernel import Kernel
from tokencost.rating.rate_table import rate_usage_table
from tokencost.rating.usage_table import Coded, UsageTable

if TYPE_CHECKING:
    from tokencost.rating.costs import Costs

pytest.importorskip("numba", reason="the kernel is compiled by numba")

JUNE = "2025-06-01T12:00:00Z"
MANY = 2 * FusedKernel.block + 1_000


def same(one: Costs, other: Costs) -> None:
    """Assert that two ways to rate a table say the same of every row."""
    assert np.array_equal(one.raw_ticks, other.raw_ticks)
    assert np.array_equal(one.outcome, other.outcome)
    assert np.array_equal(one.version, other.version)
    assert np.array_equal(one.currency, other.currency)
    assert (one.exact, one.problems, one.scale) == (other.exact, other.problems, other.scale)


def strided(column: np.ndarray) -> np.ndarray:
    """Return the column as every other number of another."""
    return np.repeat(column, 2)[::2]


def frozen(column: np.ndarray) -> np.ndarray:
    column = column.copy()
    column.flags.writeable = False
    return column


def laid_out(table: UsageTable, way: Any) -> UsageTable:
    """Return the table with its columns in another layout."""
    model = table.model._replace(codes=way(table.model.codes)) if isinstance(table.model, Coded) else table.model
    at = way(table.at) if isinstance(table.at, np.ndarray) else table.at
    return replace(table, model=model, at=at, counts={meter: way(column) for meter, column in table.counts.items()})


@settings(max_examples=8)
@given(st.data())
def test_many_blocks_in_any_layout_and_two_threads_say_what_numpy_says(lab, data):
    drawn = data.draw(drawn_tables(lab, least=3))
    table = repeated(read(drawn), MANY // len(drawn.rows))
    expected = rate_usage_table(drawn.book.plan(), table, kernel="numpy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_table, "_ROWS_A_THREAD", 1)
        for way, threads in ((np.asarray, 1), (frozen, 2), (strided, 1)):
            same(rate_usage_table(drawn.book.plan(), laid_out(table, way), kernel="compiled", threads=threads), expected)


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64])
def test_codes_of_any_width(book, kind):
    rng = np.random.default_rng(7)
    names = ("gpt-4o", "deepseek-reasoner", "gpt-4o-mini", "no-such-model")
    at = np.sort(rng.integers(1_735_700_000_000_000, 1_751_300_000_000_000, MANY))
    counts = {"input": rng.integers(10, 300_000, MANY), "cache_read": rng.integers(0, 10, MANY), "output": rng.integers(0, 999, MANY)}
    table = UsageTable(rows=MANY, model=Coded(rng.integers(0, 4, MANY).astype(kind), names), at=at, counts=counts, totals=True)

    same(rate_usage_table(book.plan(), table, kernel="compiled"), rate_usage_table(book.plan(), table, kernel="numpy"))


@pytest.mark.parametrize("wrong", [{"input": -1}, {"output": 2**62}, {"cache_read": 10**6}], ids=["negative", "absurd", "above its whole"])
@pytest.mark.parametrize("model", ["gpt-4o", "deepseek-reasoner"], ids=["one price", "windows"])
def test_one_row_that_cannot_be_leaves_the_other_rows_alone(book, wrong, model):
    """It is in the second of three blocks."""
    counts = {"input": np.full(MANY, 1_000), "cache_read": np.full(MANY, 10), "output": np.full(MANY, 5)}
    for meter, count in wrong.items():
        counts[meter][FusedKernel.block + 3] = count
    at = np.linspace(1_740_000_000_000_000, 1_741_000_000_000_000, MANY).astype(np.int64)
    table = UsageTable(rows=MANY, model=model, at=at, counts=counts, totals=True)
    costs = rate_usage_table(book.plan(), table, kernel="compiled")

    assert (costs.outcomes["unknown"], costs.problems[0].first_row) == (1, FusedKernel.block + 3)
    same(costs, rate_usage_table(book.plan(), table, kernel="numpy"))


def test_five_meters_are_two_passes(book):
    meters = ("input", "cache_read", "output", "reasoning", "audio_input")
    counts = {meter: np.arange(MANY) % 1_000 + 3_000 * (meter in ("input", "output")) for meter in meters}
    table = UsageTable(rows=MANY, model="gpt-4o", at=datetime(2025, 6, 1, tzinfo=UTC), counts=counts, totals=True)

    same(rate_usage_table(book.plan(), table, kernel="compiled"), rate_usage_table(book.plan(), table, kernel="numpy"))


def test_rows_in_quarters_within_which_something_changes(lab):
    """Every row is in such a quarter, and half of them are above the first context tier."""
    midnight = datetime(2025, 2, 1, tzinfo=UTC)
    edges = [midnight + timedelta(minutes=15 * n + 7) for n in range(8)]
    versions = tuple(
        tc.Version(
            start=start,
            basis="announced",
            source="lab",
            checked=date(2025, 6, 1),
            rates=(tc.Rate(currency="USD", prices={"input": Decimal(n + 1)}),),
        )
        for n, start in enumerate([datetime(2025, 1, 1, tzinfo=UTC), *edges])
    )
    book = lab.with_tariffs([tc.Tariff(id="lab/rack/m", publisher="lab", versions=versions)])
    first = int(midnight.timestamp()) * 10**6
    at = np.linspace(first, first + 7_000_000_000, MANY).astype(np.int64)
    table = UsageTable(rows=MANY, model="lab/rack/m", at=at, counts={"input": np.arange(MANY) % 1_000}, totals=True)
    costs = rate_usage_table(book.plan(), table, kernel="compiled")

    same(costs, rate_usage_table(book.plan(), table, kernel="numpy"))
    changes = np.array([int(edge.timestamp()) * 10**6 for edge in edges])
    assert np.array_equal(costs.raw_ticks, (np.searchsorted(changes, at, side="right") + 1) * (np.arange(MANY) % 1_000) * 10**6)


def test_costs_of_meters_are_numpys(book):
    table = {"input": [1_000, 2], "output": [3, 4]}
    compiled = book.rate_table(table, model="gpt-4o", at=JUNE, detail="meters", kernel="compiled")

    assert kernel_for("compiled", 1, "meters") is Kernel
    assert {name: column.tolist() for name, column in compiled.meters.items()} == {
        "input": [2_500_000_000, 5_000_000],
        "output": [30_000_000, 40_000_000],
    }


@pytest.fixture
def unloaded(monkeypatch):
    """As if no table had been rated by compiled loops yet."""
    monkeypatch.delitem(sys.modules, "tokencost.rating.loops", raising=False)
    monkeypatch.delattr(tokencost.rating, "loops", raising=False)
    return monkeypatch


@pytest.mark.usefixtures("unloaded")
def test_few_rows_do_not_import_numba():
    assert kernel_for("auto", fused.MANY - 1, "rows") is Kernel
    assert kernel_for("numpy", 2**40, "rows") is Kernel
    assert "tokencost.rating.loops" not in sys.modules
    assert kernel_for("auto", fused.MANY, "rows") is FusedKernel
    assert kernel_for("auto", fused.ENOUGH, "rows") is FusedKernel
    assert kernel_for("auto", fused.ENOUGH - 1, "rows") is Kernel


def test_without_numba(unloaded, book):
    unloaded.setitem(sys.modules, "numba", None)
    assert kernel_for("auto", 2**40, "rows") is Kernel
    with pytest.raises(ModuleNotFoundError, match=r"needs numba.*pip install 'tokencost-tariffs\[compiled\]'") as caught:
        book.rate_table({"input": [1], "output": [1]}, model="gpt-4o", at=JUNE, kernel="compiled")
    assert caught.value.name == "numba"


def test_a_numba_that_does_not_go_with_numpy(unloaded):
    """It is as good as none, unless it is asked for."""

    def refuse(name: str) -> None:
        raise ImportError(f"{name} needs numba, which needs another numpy")

    unloaded.setattr(fused, "import_module", refuse)
    assert kernel_for("auto", 2**40, "rows") is Kernel
    with pytest.raises(ImportError, match="another numpy"):
        kernel_for("compiled", 1, "rows")


def test_without_a_folder_for_a_cache(monkeypatch):
    from tokencost.rating import loops

    def njit(**options: bool) -> Any:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda loop: (loop, options)

    monkeypatch.setattr(loops, "_numba", SimpleNamespace(njit=njit))
    assert loops._compiled(len) == (len, {"nogil": True})


def test_no_such_kernel(book):
    with pytest.raises(tc.UnknownNameError, match="kernel='fortran' is no kind of kernel; pass 'auto', 'numpy' or 'compiled'") as caught:
        book.rate_table({"input": [1], "output": [1]}, model="gpt-4o", at=JUNE, kernel="fortran")
    assert caught.value.name == "fortran"

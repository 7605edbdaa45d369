"""One file through everything that can read it: the totals are the same to the last digit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import tokencost as tc

pa = pytest.importorskip("pyarrow", reason="streams need the extra frames")
pq = pytest.importorskip("pyarrow.parquet")

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BY = ["model", "month"]


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """Requests of two years: plain models, windows, context tiers, an unknown name, and a name that is missing."""
    models = ["gpt-4o", "deepseek-reasoner", "qwen3-max", "gemini-2.5-pro", "gpt-9o", None]
    rows = 3_000
    begin, step = 1_730_419_200_000_000, 20_897_000_000
    path = tmp_path_factory.mktemp("one") / "log.parquet"
    table = pa.table(
        {
            "model": pa.array([models[n * 7 % 6] for n in range(rows)]).dictionary_encode(),
            "at": pa.array([begin + n * step for n in range(rows)], pa.timestamp("us", "UTC")),
            "input": [n * 7919 % 300_000 for n in range(rows)],
            "cache_read": [n * 7919 % 300_000 // 3 for n in range(rows)],
            "output": [n * 104_729 % 5_000 for n in range(rows)],
        }
    )
    pq.write_table(table, path, row_group_size=500)
    return path


def pandas(path: Path) -> Any:
    return pytest.importorskip("pandas").read_parquet(path)


def polars(path: Path) -> Any:
    return pytest.importorskip("polars").read_parquet(path)


def polars_lazy(path: Path) -> Any:
    return pytest.importorskip("polars").scan_parquet(path)


def arrow(path: Path) -> Any:
    return pq.read_table(path)


def duckdb(path: Path) -> Any:
    return pytest.importorskip("duckdb").read_parquet(str(path))


@pytest.mark.parametrize("read", [pandas, polars, polars_lazy, arrow, duckdb])
def test_every_library_and_the_stream_come_to_the_same_totals(file, book, read: Callable[[Path], Any]):
    columns = tc.UsageColumns(counts="totals")
    streamed = tc.reprice(file, by=BY, book=book, columns=columns).totals
    assert streamed.outcomes["priced"] > 1_000
    assert streamed.outcomes["unknown"] >= 1_000
    assert book.rate_table(read(file), columns=columns).totals(BY) == streamed

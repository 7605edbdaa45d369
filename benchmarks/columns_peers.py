"""The same work by polars, duckdb and pandas, in turns with ours: one thread, whole numbers of 64 bits, a column of ticks as the result.

They get the law ready made, as a table of rates at our scale, and models as whole numbers, which joins like best. Plain tables are a
join on the model and a sum of products; full ones a join on the model and on time, over the stretches that our plan has laid out. So
versions, promotions, windows and holidays are theirs too. Context tiers are not, nor outcomes, nor any check of counts.

    POLARS_MAX_THREADS=1 python benchmarks/columns_peers.py --folder FOLDER --rows 1000000 --case full
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import tokencost as tc
from columns_kernel import seconds
from columns_rows import CASES, METERS, arrow_table, law_of, load, names_of, usage_table
from contest import in_turns
from tokencost.rating.rate_table import rate_usage_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from columns_rows import Law

    Columns = dict[str, NDArray[np.int64]]
    Contestant = Callable[[], NDArray[np.int64]]

__all__ = ["COMPILED", "DUCKDB", "KERNEL", "PANDAS", "POLARS", "ROUNDS", "STREAMING", "TABLE", "measure"]

TABLE, KERNEL, COMPILED = "tokencost, rate_table", "tokencost, kernel of numpy alone", "tokencost, compiled kernel alone"
POLARS, STREAMING, DUCKDB, PANDAS = "polars", "polars, streaming engine", "duckdb", "pandas"
ROUNDS = 5
SAMPLE = 10**6
RATES = tuple(f"rate_{meter}" for meter in METERS)
TICKS = "(input - cache_read) * rate_input + cache_read * rate_cache_read + output * rate_output"


def ours(columns: Columns, names: Sequence[str], plan: object) -> dict[str, Contestant]:
    """Return our ways to rate a table; the whole call takes the compiled kernel where there are rows enough."""
    book, table, usage = tc.load_book(), arrow_table(columns, names), usage_table(columns, names)
    return {
        TABLE: lambda: book.rate_table(table, threads=1).raw_ticks,
        KERNEL: lambda: rate_usage_table(plan, usage, threads=1, kernel="numpy", reuse=True).raw_ticks,
        COMPILED: lambda: rate_usage_table(plan, usage, threads=1, kernel="compiled", reuse=True).raw_ticks,
    }


def with_polars(columns: Columns, law: Law, *, timed: bool) -> dict[str, Contestant]:
    """Return what polars does, in both its engines."""
    import polars as pl

    assert pl.thread_pool_size() == 1, "set POLARS_MAX_THREADS=1"
    rows = pl.DataFrame(columns)
    prices = pl.DataFrame({"model": law.model.astype(np.int32), "start": law.start, **dict(zip(RATES, law.rates.T, strict=True))})
    if timed:
        joined = (
            rows.lazy()
            .set_sorted("at")
            .join_asof(prices.lazy().set_sorted("start"), left_on="at", right_on="start", by="model", check_sortedness=False)
        )
    else:
        joined = rows.lazy().join(prices.lazy(), on="model", how="left", maintain_order="left")
    ticks = joined.select(pl.sql_expr(TICKS).alias("ticks"))
    engines = {POLARS: "in-memory", STREAMING: "streaming"}
    return {name: lambda engine=engine: ticks.collect(engine=engine)["ticks"].to_numpy() for name, engine in engines.items()}


def with_duckdb(columns: Columns, law: Law, *, timed: bool) -> dict[str, Contestant]:
    """Return what duckdb does, on tables of its own."""
    import duckdb
    import pyarrow as pa

    base = duckdb.connect()
    base.execute("SET threads = 1")
    given = {
        "given_rows": pa.table(columns),
        "given_prices": pa.table({"model": law.model.astype(np.int32), "start": law.start, **dict(zip(RATES, law.rates.T, strict=True))}),
    }
    for name, table in given.items():
        base.register(name, table)
        base.execute(f"CREATE TABLE {name.removeprefix('given_')} AS SELECT * FROM {name}")
    join = "ASOF LEFT JOIN prices ON rows.model = prices.model AND rows.at >= prices.start" if timed else "LEFT JOIN prices USING (model)"
    query = f"SELECT {TICKS} AS ticks FROM rows {join}"
    return {DUCKDB: lambda: base.execute(query).fetchnumpy()["ticks"]}


def with_pandas(columns: Columns, law: Law, *, timed: bool) -> dict[str, Contestant]:
    """Return what pandas does."""
    import pandas as pd

    rows = pd.DataFrame(columns, copy=False)
    prices = pd.DataFrame({"model": law.model.astype(np.int32), "start": law.start, **dict(zip(RATES, law.rates.T, strict=True))})

    def rate() -> NDArray[np.int64]:
        if timed:
            joined = pd.merge_asof(rows, prices, left_on="at", right_on="start", by="model")
        else:
            joined = rows.merge(prices, on="model", how="left")
        return joined.eval(TICKS).to_numpy()

    return {PANDAS: rate}


def measure(folder: Path, rows: int, case: str) -> dict[str, object]:
    """Compare the answers on a sample, then time all contestants in turns; times are in seconds, one a round."""
    names, timed = names_of(folder, rows, CASES[case]), case != "plain"
    columns = load(folder, rows, CASES[case])
    book = tc.load_book()
    law, plan = law_of(book, names), book.plan()

    def contestants(chosen: Columns) -> dict[str, Contestant]:
        peers = (make(chosen, law, timed=timed) for make in (with_polars, with_duckdb, with_pandas))
        return ours(chosen, names, plan) | {name: call for found in peers for name, call in found.items()}

    below = np.flatnonzero(columns["input"] + columns["output"] < law.edges[columns["model"]])
    below = below[:: -(-len(below) // SAMPLE)]
    sums = {name: exact_sum(call()) for name, call in contestants({name: column[below] for name, column in columns.items()}).items()}
    if len(set(sums.values())) > 1:
        raise SystemExit(f"the answers differ: {sums}")
    seen = in_turns({name: partial(seconds, call) for name, call in contestants(columns).items()}, rounds=ROUNDS)
    releases = {name: importlib.metadata.version(name) for name in ("numpy", "numba", "pyarrow", "polars", "duckdb", "pandas")}
    return {"rows": rows, "compared": len(below), "ticks": sums[TABLE], "stretches": len(law.start), "seen": seen, "releases": releases}


def exact_sum(ticks: NDArray[np.int64]) -> int:
    """Add up in two halves, so that nothing overflows."""
    ticks = np.asarray(ticks).astype(np.int64, casting="safe")
    return (int((ticks >> 32).sum()) << 32) + int((ticks & 0xFFFFFFFF).sum())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--case", choices=("plain", "full"), required=True)
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, options.rows, options.case)))

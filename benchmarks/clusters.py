"""Clusters: the same rater in Spark's `mapInArrow` and in Ray's `map_batches`, beside one process.

Run it with the interpreter of an environment that has one of the engines, pyarrow and this project; the engine that is missing is
passed over. Rows are compared one by one, and the engine's own sums of the column `cost` with the totals of this project.

    python benchmarks/clusters.py [--rows 200000] [--partitions 8]
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import pickle
import platform
import random
import sys
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

import tokencost as tc
from tokencost.streams.batches import BatchRater

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

MODELS = ("gpt-4o", "deepseek-reasoner", "gemini-2.5-pro", "claude-sonnet-4-5", "qwen-max", "gpt-9o", None)
SPAN = ("2025-02-01T00:00:00Z", "2026-02-01T00:00:00Z")


def log_of(rows: int) -> pa.Table:
    """Return requests of a year, with unknown names, empty cells and every row numbered."""
    draw = random.Random(7)
    start = datetime.fromisoformat(SPAN[0])
    return pa.table(
        {
            "row": pa.array(range(rows), pa.int64()),
            "model": pa.array([draw.choice(MODELS) for _ in range(rows)], pa.string()),
            "at": pa.array([start + timedelta(seconds=draw.randrange(365 * 86_400)) for _ in range(rows)], pa.timestamp("us", "UTC")),
            "input": pa.array([draw.randrange(300_000) for _ in range(rows)], pa.int64()),
            "output": pa.array([draw.randrange(4_000) for _ in range(rows)], pa.int64()),
        }
    )


def with_spark(log: pa.Table, rater: BatchRater, partitions: int) -> tuple[str, pa.Table, dict[str, Decimal]]:
    """Rate with Spark on this machine, both cores."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    import pyspark
    from pyspark.sql import SparkSession, functions

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
    spark = builder.config("spark.sql.execution.arrow.pyspark.enabled", "true").getOrCreate()
    try:
        frame = spark.createDataFrame(log).repartition(partitions)
        costs = frame.mapInArrow(rater, rater.ddl(frame.limit(0).toArrow().schema))
        sums = costs.where("cost is not null").groupBy("model").agg(functions.sum("cost").alias("cost")).collect()
        empty = frame.where("row < 0").mapInArrow(rater, rater.ddl(frame.limit(0).toArrow().schema)).toArrow()
        assert (empty.num_rows, empty.column_names) == (0, rater.schema(log.schema).names)
        return f"pyspark {pyspark.__version__}", costs.toArrow(), {row["model"]: row["cost"] for row in sums}
    finally:
        spark.stop()


def with_ray(log: pa.Table, rater: BatchRater, partitions: int) -> tuple[str, pa.Table, dict[str, Decimal]]:
    """Rate with Ray on this machine, both cores."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, logging_level="warning", log_to_driver=False)
    try:
        size = -(-log.num_rows // partitions)
        pieces = [log.slice(n, size) for n in range(0, log.num_rows, size)]
        frame = ray.data.from_arrow([*pieces, log.slice(0, 0)]).map_batches(rater.table, batch_format="pyarrow", zero_copy_batch=True)
        costs = pa.concat_tables(table for table in ray.get(frame.to_arrow_refs()) if table.num_columns)  # Ray asks nobody about no rows
        sums = {row["model"]: row["sum(cost)"] for row in frame.groupby("model").sum("cost").take_all() if row["sum(cost)"] is not None}
        return f"ray {ray.__version__}", costs, sums
    finally:
        ray.shutdown()


ENGINES: dict[str, Callable[..., tuple[str, pa.Table, dict[str, Decimal]]]] = {"pyspark": with_spark, "ray": with_ray}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--partitions", type=int, default=8)
    options = parser.parse_args()
    log = log_of(options.rows)
    raters = {
        "names travel": BatchRater(tc.load_book(), names=[name for name in MODELS if name], span=SPAN),
        "own tables": BatchRater(tc.load_book()),
    }
    print(f"Python {platform.python_version()}, pyarrow {pa.__version__}, {options.rows:,} rows in {options.partitions} partitions")
    for engine, run in ENGINES.items():
        if importlib.util.find_spec(engine) is None:
            print(f"{engine} is not installed here")
            continue
        for how, rater in raters.items():
            began = time.perf_counter()
            version, costs, sums = run(log, rater, options.partitions)
            took = time.perf_counter() - began
            alone = rater.table(log)
            rows = costs.sort_by("row").combine_chunks().cast(alone.schema) == alone.combine_chunks()
            totals = {row.group[0]: row.amount for row in rater.totals(log, by="model").rows if row.priced or row.free}
            added = {model: amount for model, amount in sums.items() if model is not None}
            print(
                f"{version}, {how} ({len(pickle.dumps(rater)):,} bytes): rows {'equal' if rows else 'DIFFER'}, "
                f"sums {'equal' if added == totals else 'DIFFER'}, {took:.1f} s with start and stop"
            )
            assert rows
            assert added == totals


if __name__ == "__main__":
    main()

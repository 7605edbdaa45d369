"""Indexes: GEKS, the time-product dummy and cost cubes, beside PriceIndexCalc where it is installed, in one run.

PriceIndexCalc needs numpy 1.26 and some libraries that it does not declare, so that it has an environment of its own:

    python -m venv benchmarks/.venvs/indexes
    benchmarks/.venvs/indexes/bin/python -m pip install PriceIndexCalc==0.7 numpy==1.26.4 pandas==2.1.4 seaborn statsmodels scikit-learn
    python benchmarks/indexes.py [--peer benchmarks/.venvs/indexes/bin/python]

Both get the same panel, read and in memory before the clock starts, as each of them takes it: an array for us, a frame of rows for the
peer. The indexes are compared before anything is timed. The peer's own engine for the time-product dummy fails on newer pandas, so that
the one on statsmodels is taken. It gets months as text of one width: it sorts months that are numbers as text, and gives other indexes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread for both; two on a busy machine wait for each other

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
PEER = HERE / ".venvs" / "indexes" / "bin" / "python"
SHAPES = ((300, 36), (3000, 36))
BARS = {(300, 36): 10.0, (3000, 36): 65.0}
CUBE = (36, 3000, 4, 1000)
CUBE_BAR = 1000.0
ROUNDS = 21
SEED = 20261122


def drawn(items: int, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Prices that wander, a tenth of them missing, and quantities that answer them."""
    draw = np.random.default_rng(SEED)
    prices = np.exp(draw.normal(0, 1.5, items) + np.cumsum(draw.normal(-0.02, 0.1, (periods, items)), axis=0))
    quantities = np.exp(draw.normal(3, 1, (periods, items))) / prices
    missing = draw.random((periods, items)) < 0.1
    return np.where(missing, np.nan, prices), np.where(missing, np.nan, quantities)


def taken(call: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Return the median and the least of some rounds, in milliseconds."""
    seen = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        seen.append(1000 * (time.perf_counter() - start))
    return statistics.median(seen), min(seen)


PEER_CODE = """
import json, statistics, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from PriceIndexCalc.pandas_modules.index_methods import multilateral_methods
data = np.load(sys.argv[1])
rows, columns = np.nonzero(~np.isnan(data["prices"]))
months = [f"{row // 12 + 2024}-{row % 12 + 1:02}" for row in rows]
prices, quantities = data["prices"][rows, columns], data["quantities"][rows, columns]
frame = pd.DataFrame({"month": months, "id": columns, "price": prices, "quantity": quantities})
found = {}
for name, options in (("geks", {"bilateral_method": "tornqvist"}), ("tpd", {"td_engine": "statsmodels"})):
    if name == "tpd" and data["prices"].shape[1] > 300:
        continue
    seen = []
    for _ in range(int(sys.argv[2])):
        start = time.perf_counter()
        made = multilateral_methods(frame.copy(), method=name, **options)
        seen.append(1000 * (time.perf_counter() - start))
    values = made[[c for c in made.columns if c not in ("month",)][-1]].tolist()
    found[name] = {"ms": statistics.median(seen), "values": values}
print(json.dumps(found))
"""


def peer(python: Path, prices: np.ndarray, quantities: np.ndarray, rounds: int) -> dict[str, Any]:
    """Return what the peer finds and how long it takes; nothing where it is not installed."""
    if not python.is_file():
        print(f"no interpreter at {python}: the peer is left out")
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panel.npz"
        np.savez(path, prices=prices, quantities=quantities)
        done = subprocess.run([python, "-c", PEER_CODE, str(path), str(rounds)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"the peer failed: {done.stderr.strip().splitlines()[-1]}")
        return {}
    return json.loads(done.stdout.strip().splitlines()[-1])


def indexes(python: Path) -> None:
    """Time GEKS and the time-product dummy."""
    from tokencost.scenarios.geks import geks_index
    from tokencost.scenarios.price_index import chained_index
    from tokencost.scenarios.price_panel import PricePanel
    from tokencost.scenarios.time_product import time_product_index

    for items, periods in SHAPES:
        prices, quantities = drawn(items, periods)
        panel = PricePanel(range(periods), [f"m{n}" for n in range(items)], prices, quantities=quantities)
        own = {
            "geks": (lambda panel=panel: geks_index(panel)),
            "geks, windows of 13": (lambda panel=panel: geks_index(panel, window=13)),
            "tpd": (lambda panel=panel: time_product_index(panel)),
            "chained fisher": (lambda panel=panel: chained_index(panel)),
        }
        other = peer(python, prices, quantities, 3 if items > 300 else 5)
        print(f"\n{items} items x {periods} periods, a tenth missing")
        for name, call in own.items():
            ours, least = taken(call, ROUNDS)
            line = f"  {name:<20} {ours:9.2f} ms (least {least:.2f})"
            if name == "geks":
                line += f"   bar {BARS[items, periods]:g} ms: {'met' if ours <= BARS[items, periods] else 'MISSED'}"
            if name in other:
                apart = max(abs(a / b - 1) for a, b in zip(call().values.tolist(), other[name]["values"], strict=True))
                line += f"   PriceIndexCalc {other[name]['ms']:9.1f} ms, ratio {other[name]['ms'] / ours:7.0f}, apart by {apart:.1e}"
            print(line)


def cube() -> None:
    """Time the cost of every workload on every model in every month."""
    from tokencost.scenarios.cost_cube import cheapest_costs, cost_blocks

    months, models, meters, workloads = CUBE
    draw = np.random.default_rng(SEED)
    prices = np.exp(draw.normal(0, 1.5, (months, models, meters)))
    prices[draw.random(prices.shape) < 0.1] = np.nan
    used = np.exp(draw.normal(3, 1, (workloads, meters)))
    print(f"\n{models} models x {months} months x {workloads} workloads, {meters} meters: {models * months * workloads:,} costs")
    for name, call in (
        ("all costs, streamed", lambda: sum(len(b.costs) for b in cost_blocks(prices, used))),
        ("cheapest", lambda: cheapest_costs(prices, used)),
    ):
        ours, least = taken(call, 3)
        print(f"  {name:<20} {ours:9.2f} ms (least {least:.2f})   bar {CUBE_BAR:g} ms: {'met' if ours <= CUBE_BAR else 'MISSED'}")


def tables() -> None:
    """Time a panel of all shipped tables and its indexes."""
    import tokencost as tc
    from tokencost.scenarios.book_panel import months_between, panel_of
    from tokencost.scenarios.index_table import index_table

    book, workload, months = tc.load_book(), tc.load_workload("short-chat"), months_between("2024-05", "2026-11")
    for over in ("first_instant", "month"):
        start = time.perf_counter()
        panel = panel_of(workload, months=months, over=over, book=book)
        kinds = ["chained jevons", "geks tornqvist", "time product dummy"]
        half = time.perf_counter()
        index_table(panel, kinds, free="exclude")
        print(f"\nall {len(book.ids)} offerings, {len(months)} months, {over}: {half - start:.1f} s for {panel!r},", end=" ")
        print(f"{1000 * (time.perf_counter() - half):.0f} ms for {len(kinds)} indexes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, default=PEER, help="interpreter of the environment of PriceIndexCalc")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}, {os.cpu_count()} cores; medians of rounds in one process")
    indexes(options.peer)
    cube()
    tables()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Bertrand-Nash prices: medians of this library and of PyBLP in the same process, with the greatest difference of their prices.

Run it in an environment that has both, one thread each: `OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/equilibrium.py`. PyBLP
is called in its lean form, without the gradients and Hessians that it checks by default, and only its solving is timed; building the market
is timed apart.
"""

from __future__ import annotations

import statistics
import time
import warnings

import numpy as np

from tokencost.scenarios.equilibria import equilibria
from tokencost.scenarios.equilibrium import equilibrium
from tokencost.scenarios.market import Market

ALPHA, OWNED, RHO = 1.5, 5, 0.5
ONE = ((10, 0.2, 1.0), (100, 0.2, 1.0), (1000, 2.0, 2.0))
"""Products of one market, and the bars in milliseconds for plain and nested logit."""
MANY = ((1000, 10, OWNED, 2.0, 15.0), (1000, 10, 1, 2.0, 15.0), (100_000, 20, 1, 300.0, None))
"""Markets, their products, products a firm, and the bars."""


def main() -> None:
    peer = _peer()
    print(f"{'products':>9} {'markets':>8} {'kind':>7} {'ms':>9} {'bar':>6} {'build':>7} {'PyBLP ms':>9} {'ratio':>7} {'difference':>10}")
    for products, plain, nested in ONE:
        for bar, rho in ((plain, None), (nested, RHO)):
            data = _draw(1, products)
            _line(data, OWNED, rho, bar, peer, repeats=51)
    for markets, products, owned, plain, nested in MANY:
        for bar, rho in ((plain, None), (nested, RHO)):
            if bar is not None:
                data = _draw(markets, products)
                _line(data, owned, rho, bar, peer if markets * products <= 10_000 else None, repeats=21 if markets < 10_000 else 7)


def _draw(markets, products):
    draw = np.random.default_rng(7)
    delta = draw.uniform(-0.5, 2.5, (markets, products)) - np.log(products / 10)
    return delta, draw.uniform(0.02, 1.5, (markets, products)), draw.integers(0, 2, products)


def _line(data, owned, rho, bar, peer, *, repeats):
    delta, costs, nests = data
    markets, products = delta.shape
    structure = {"firm_ids": (np.arange(products) // owned).tolist()}
    if rho is not None:
        structure |= {"nesting_ids": nests.tolist(), "rho": rho}
    build = 0.0
    if markets == 1:
        start = time.perf_counter()
        market = Market(delta=delta[0], costs=costs[0], alpha=ALPHA, unit="USD/Mtok", **structure)
        build = time.perf_counter() - start
        spent, found = _median(lambda: equilibrium(market), repeats)
    else:
        spent, found = _median(lambda: equilibria(delta=delta, costs=costs, alpha=ALPHA, unit="USD/Mtok", **structure), repeats)
    theirs, ratio, difference = "", "", ""
    if peer is not None:
        other, prices = peer(delta, costs, nests, owned, rho)
        theirs, ratio = f"{other * 1e3:.2f}", f"{other / spent:.0f}x"
        difference = f"{np.abs(prices - found.prices.ravel()).max():.1e}"
    kind = "plain" if rho is None else "nested"
    print(
        f"{products:>9,} {markets:>8,} {kind:>7} {spent * 1e3:>9.3f} {bar:>6} {build * 1e3:>7.2f} {theirs:>9} {ratio:>7} {difference:>10}",
        flush=True,
    )


def _median(call, repeats):
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = call()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent), found


def _peer():
    """Return a function that solves the same markets with PyBLP, or None where it is not installed."""
    try:
        import pyblp
    except ImportError:
        print("PyBLP is not installed; its columns stay empty")
        return None
    pyblp.options.verbose = False

    def solve(delta, costs, nests, owned, rho):
        markets, products = delta.shape
        data = {
            "market_ids": np.repeat(np.arange(markets), products),
            "firm_ids": np.tile(np.arange(products) // owned, markets),
            "x": delta.ravel(),
        }
        more = {}
        if rho is not None:
            data["nesting_ids"], more = np.tile(nests, markets), {"rho": rho}
        flat = costs.reshape(-1, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            simulation = pyblp.Simulation(
                (pyblp.Formulation("0 + x + prices"), None, None),
                data,
                beta=[1, -ALPHA],
                xi=np.zeros(flat.size),
                omega=np.zeros(flat.size),
                **more,
            )
            spent, solved = _median(
                lambda: simulation.replace_endogenous(
                    costs=flat,
                    prices=flat + 1 / ALPHA,
                    compute_gradients=False,
                    compute_hessians=False,
                    iteration=pyblp.Iteration("simple", {"atol": 1e-12}),
                ),
                5 if flat.size <= 1_000 else 3,
            )
        return spent, solved.product_data.prices.ravel()

    return solve


if __name__ == "__main__":
    main()

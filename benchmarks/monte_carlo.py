"""Measure how long it takes to simulate the prices of many providers, and how much memory.

    python benchmarks/monte_carlo.py [paths] [months] [providers] [repeats]

Every provider has volatility, a part of it common, and Poisson cuts. All statistics are taken: fans of each provider and of the cheapest,
and winner shares. Each run is a process of its own, on one thread and on two; the quickest ordinary way, one array of all paths held in
memory, is measured beside it. Peak memory is that of the whole process, the interpreter and numpy included.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def simulate(paths: int, months: int, providers: int, threads: int) -> float:
    """Run the simulation, and return the seconds that it took."""
    from tokencost.scenarios.monte_carlo import MonteCarlo
    from tokencost.scenarios.price_process import PriceProcess

    processes = [
        PriceProcess(
            name=f"provider {number}",
            price=1.2,
            drift=-0.02,
            volatility=0.15,
            common=0.3,
            cuts_per_month=0.15,
            cut_size=0.1 + 0.02 * number,
        )
        for number in range(providers)
    ]
    began = time.perf_counter()
    found = MonteCarlo(processes, months=months, paths=paths, seed=7).run(quantiles=QUANTILES, threads=threads)
    seconds = time.perf_counter() - began
    assert abs(float(found.winners.shares[-1].sum()) - 1) < 1e-9
    return seconds


def whole_cube(paths: int, months: int, providers: int) -> float:
    """Do the same with one array of all months, paths and providers, and return the seconds that it took."""
    import numpy as np

    began = time.perf_counter()
    generator = np.random.default_rng(7)
    cube = generator.standard_normal((providers, months, paths))
    cube *= 0.15
    cube -= 0.02
    sizes = np.log(0.9 - 0.02 * np.arange(providers))
    cube += generator.poisson(0.15, cube.shape) * sizes[:, None, None]
    np.cumsum(cube, axis=1, out=cube)
    np.exp(cube, out=cube)
    cube *= 1.2
    np.quantile(cube, QUANTILES, axis=2)
    np.array([np.bincount(month.argmin(axis=0), minlength=providers) for month in cube.transpose(1, 0, 2)])
    return time.perf_counter() - began


def main(paths: int = 100_000, months: int = 36, providers: int = 20, repeats: int = 3) -> None:
    """Measure, and print what was found."""
    print(f"{paths:,} paths x {months} months x {providers} providers, medians of {repeats}")
    sizes = [str(number) for number in (paths, months, providers)]
    for name, words in (("one thread", ["1"]), ("two threads", ["2"]), ("whole cube", ["0"])):
        seen = []
        for _ in range(repeats):
            done = subprocess.run([sys.executable, __file__, "--one", *sizes, *words], capture_output=True, text=True, check=True)
            seen.append([float(word) for word in done.stdout.split()])
        seconds, spent, megabytes, before = (statistics.median(column) for column in zip(*seen, strict=True))
        print(f"{name:12} {seconds:6.2f} s, {spent:.2f} s of processors   {megabytes:6.0f} MB peak, {before:.0f} MB of it at the start")


def one(paths: int, months: int, providers: int, threads: int) -> None:
    """Measure one run in this process."""
    import tokencost.scenarios.monte_carlo  # noqa: F401 - what is imported is not what is measured

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = time.process_time()
    seconds = simulate(paths, months, providers, threads) if threads else whole_cube(paths, months, providers)
    spent = time.process_time() - spent
    print(seconds, spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, before)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*(int(word) for word in sys.argv[2:]))
    else:
        main(*(int(word) for word in sys.argv[1:]))

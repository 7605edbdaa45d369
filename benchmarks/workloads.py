"""Measure how long it takes to compare many described workloads on many offerings, and how much memory.

    python benchmarks/workloads.py [workloads] [offerings]

Workloads are drawn with a fixed seed: one to three segments of fixed, quantile and lognormal lengths, with shares read from a cache, some
of them in batch. Offerings are the shipped ones, those with context tiers first. Loading tables, compiling rates and the comparison
itself are told apart; the grid is held against single comparisons.
"""

from __future__ import annotations

import random
import resource
import sys
import time

INSTANT = "2026-11-20T12:00:00Z"
CHECKED = 40


def drawn_law(luck: random.Random, *, longest: int) -> object:
    """Draw a law of one of three kinds."""
    from tokencost.workloads.law import Law

    kind = luck.randrange(3)
    if kind == 0:
        return Law.fixed(luck.randrange(1, longest))
    if kind == 1:
        points = sorted(luck.sample(range(longest), 5))
        return Law.quantiles(dict(zip(("0", "0.25", "0.5", "0.9", "1"), points, strict=True)))
    median = luck.randrange(longest // 100, longest // 8)
    return Law.lognormal(median=median, p90=median * luck.randrange(2, 6), most=longest)


def drawn_workload(luck: random.Random, number: int) -> object:
    """Draw a workload of one to three segments."""
    import tokencost as tc
    from tokencost.workloads.sizes import Drawn

    segments = []
    for place in range(luck.randint(1, 3)):
        prompt = drawn_law(luck, longest=luck.choice((8_000, 60_000, 300_000)))
        completion = drawn_law(luck, longest=luck.choice((500, 8_000)))
        shares = {"cache_read": luck.randrange(0, 90) / 100, "reasoning": luck.randrange(0, 50) / 100}
        segments.append(tc.Segment(f"segment {place}", luck.randrange(1_000, 1_000_000), Drawn(prompt, completion, shares=shares)))
    return tc.Workload(f"workload {number}", tuple(segments))


def chosen_offerings(book: object, wanted: int) -> list[str]:
    """Return offerings with a price at the instant: those with context tiers first, then the others, evenly from all providers."""
    import tokencost as tc

    at = tc.to_instant(INSTANT)
    tiered, flat = [], []
    for name in book.ids:
        try:
            ladder = book.timeline(name).segment(at).ladder(at)
        except tc.TokencostError:
            continue
        if {"input", "output"} <= ladder.cells[0].rates.keys():
            (tiered if ladder.flat is None else flat).append(name)
    tiered = tiered[: wanted // 2]
    rest = wanted - len(tiered)
    return [*tiered, *flat[:: max(len(flat) // rest, 1)][:rest]]


def megabytes() -> float:
    """Return the most memory that this process has used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(workloads: int = 1_000, offerings: int = 300) -> None:
    """Measure, and print what was found."""
    import tokencost as tc

    began = time.perf_counter()
    names = chosen_offerings(tc.load_book(), offerings)
    print(f"choosing {len(names)} offerings of {len(tc.load_book().ids)}: {time.perf_counter() - began:.2f} s, not counted")
    luck = random.Random(2026)
    began = time.perf_counter()
    drawn = [drawn_workload(luck, number) for number in range(workloads)]
    print(f"drawing {workloads:,} workloads: {time.perf_counter() - began:.2f} s, not counted")
    book = tc.load_book()
    began = time.perf_counter()
    tc.compare_many(drawn[:1], names, at=INSTANT, book=book)
    print(f"loading tables and compiling rates: {time.perf_counter() - began:.3f} s")
    before, seconds, busy = megabytes(), [], []
    for _ in range(3):
        began, worked = time.perf_counter(), time.process_time()
        grid = tc.compare_many(drawn, names, at=INSTANT, book=book)
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
    known = int((grid.codes == 0).sum())
    print(f"{workloads:,} x {len(names)}: best {min(seconds):.3f} s, first {seconds[0]:.3f} s, processor {min(busy):.3f} s")
    print(f"memory: {before:.0f} MB before, {megabytes():.0f} MB at most; {known:,} of {grid.codes.size:,} cells have a price")
    began = time.perf_counter()
    cheapest = grid.cheapest()
    print(f"the cheapest for each workload: {time.perf_counter() - began:.3f} s, {len({c.offering for c in cheapest})} different offerings")
    began = time.perf_counter()
    for row in luck.sample(range(workloads), min(CHECKED, workloads)):
        single = {one.name: one for one in tc.compare(drawn[row], names, at=INSTANT, book=book).rows}
        for place, name in enumerate(names):
            cost, one = grid.cost(row, place), single[name]
            assert (cost is None) == (one.unpriced > 0), (row, name)
            assert cost is None or cost == one.native, (row, name)
    took = time.perf_counter() - began
    print(f"{min(CHECKED, workloads)} workloads compared one by one: {took:.2f} s, every digit equal")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))

"""Caches: a million requests through cache rules, and the memory that takes.

python benchmarks/caches.py [--requests 1000000] [--log FILE] [RULE]...

The requests are the log of `../shared/traces` again and again, each copy an hour later and with ids of its own but for the first block,
which all prompts share. Each rule runs in a process of its own, whose peak memory is printed with the trace alone and after the replay.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import tempfile
import time
from pathlib import Path

import numpy as np

import tokencost as tc

LOG = Path(__file__).resolve().parent.parent.parent / "shared" / "traces" / "mooncake_conversation.jsonl"
COLUMNS = ("at_ms", "input", "output", "blocks", "offsets", "ids", "size")
RULES = ("deepseek", "openai", "anthropic-5m", "anthropic-1h", "alibaba-explicit", "google-explicit")
HOUR_MS = 3_600_000


def repeated(log: tc.PrefixTrace, requests: int) -> tc.PrefixTrace:
    """The log, copy after copy, until there are so many requests."""
    copies = -(-requests // log.requests)
    blocks = np.empty(len(log.blocks) * copies, np.int64)
    for copy, part in enumerate(np.split(blocks, copies)):
        part[:] = np.where(log.blocks == 0, 0, log.blocks + copy * log.ids)
    sizes = np.tile(np.diff(log.offsets), copies)[:requests]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    at = (log.at_ms + np.arange(copies)[:, None] * HOUR_MS).ravel()[:requests]
    tokens, output = (np.tile(column, copies)[:requests] for column in (log.input, log.output))
    return tc.PrefixTrace.of(
        at_ms=at, input=tokens, output=output, blocks=blocks[: offsets[-1]], offsets=offsets, block_size=log.block_size, path="repeated"
    )


def peak_mb() -> float:
    """The most memory that this process has held since it began; what its parent held is not counted."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def measure(folder: Path, rule: str, answers: multiprocessing.Queue) -> None:
    """Replay in this process, and answer with seconds and megabytes."""
    columns = {name: np.load(folder / f"{name}.npy") for name in COLUMNS}
    trace = tc.PrefixTrace(path="repeated", block_size=int(columns.pop("size")), ids=int(columns.pop("ids")), **columns)
    tc.replay_cache(trace.taken(np.arange(10)), rule)  # what is loaded at the first call
    before = peak_mb()
    begin = time.perf_counter()
    replay = tc.replay_cache(trace, rule)
    took = time.perf_counter() - begin
    answers.put((trace.requests, len(trace.blocks), trace.ids, took, before, peak_mb(), replay.hit_rate))


def main() -> None:
    """Measure the rules that are named, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rules", nargs="*", default=list(RULES))
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--log", type=Path, default=LOG)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    begin = time.perf_counter()
    log = tc.read_prefix_trace(options.log)
    print(f"{log.requests:,} requests read in {time.perf_counter() - begin:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        trace = repeated(log, options.requests)
        print(f"{trace.requests:,} made of them and checked in {time.perf_counter() - begin:.2f} s")
        for name in COLUMNS:
            np.save(Path(folder) / f"{name}.npy", trace.block_size if name == "size" else getattr(trace, name))
        del trace
        print("rule               requests      blocks         ids  replay s  requests/s  trace MB  peak MB  hit rate")
        for rule in options.rules:
            answers = context.Queue()
            process = context.Process(target=measure, args=(Path(folder), rule, answers))
            process.start()
            requests, blocks, ids, took, before, peak, rate = answers.get()
            process.join()
            sizes = f"{requests:>9,}  {blocks:>10,}  {ids:>10,}"
            print(f"{rule:<16}  {sizes}  {took:>8.2f}  {requests / took:>10,.0f}  {before:>8,.0f}  {peak:>7,.0f}  {rate}")


if __name__ == "__main__":
    main()

"""Slow, obvious second opinions on cache replays, without any code of the library.

`slow_replay` keeps a dictionary of units, each known by the whole prompt before it, and looks at every one of them. `pairwise_held` keeps
nothing at all: it holds each request against every earlier one. It knows only rules under which a hit renews.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import tokencost as tc

__all__ = ["Asked", "Slow", "pairwise_held", "read_rows", "slow_replay", "slow_tokens"]


class Asked(NamedTuple):
    """One request: its time in milliseconds, its tokens, the ids of its blocks."""

    at: int
    input: int
    output: int
    ids: tuple[int | str, ...]


class Slow(NamedTuple):
    """What a request reads and writes, and the milliseconds by which it lengthens each token that is kept, added up."""

    read: int
    written: int
    kept_ms: int


def read_rows(path: Path) -> list[Asked]:
    """Read a log with the standard library alone."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [Asked(row["timestamp"], row["input_length"], row["output_length"], tuple(row["hash_ids"])) for row in found]


def slow_replay(rows: Sequence[Asked], rule: tc.CacheRule, block_size: int) -> list[Slow]:
    """Replay unit by unit; rows ascend in time."""
    unit, life = rule.granularity, rule.lifetime_s * 1000
    ends: dict[tuple[tuple[int | str, ...], int], int] = {}

    def units(row: Asked) -> list[tuple[tuple[int | str, ...], int]]:
        """Every unit that the request stores: the ids up to its last token, and its number."""
        stored = min(row.input, len(row.ids) * block_size) // unit
        if stored * unit < rule.minimum:
            return []
        return [(row.ids[: -(-(n + 1) * unit // block_size)], n) for n in range(stored)]

    done: list[Slow] = []
    for _, same in groupby(rows, key=lambda row: row.at):
        together = list(same)
        found: list[int] = []  # looked at first, for all requests of one instant
        for row in together:
            alive = 0
            for key in units(row):
                if ends.get(key, row.at) <= row.at:
                    break
                alive += 1
            found.append(alive if alive * unit >= rule.minimum else 0)
        for row, alive in zip(together, found, strict=True):
            keys, kept = units(row), 0
            for n, key in enumerate(keys):
                if n < alive and not rule.renewed:
                    continue
                kept += unit * (row.at + life - max(ends.get(key, row.at), row.at))
                ends[key] = row.at + life
            done.append(Slow(_read(alive * unit, row, rule), (len(keys) - alive) * unit, kept))
    return done


def _read(held: int, row: Asked, rule: tc.CacheRule) -> int:
    read = max(min(held, row.input - rule.fresh_tokens), 0) // rule.granularity * rule.granularity
    return read if read >= rule.minimum else 0


def slow_tokens(rows: Sequence[Slow]) -> list[int]:
    """The whole token-seconds of each request, cut so that they add up to the whole seconds of all."""
    made, before, total = [], 0, 0
    for row in rows:
        total += row.kept_ms
        made.append(total // 1000 - before)
        before = total // 1000
    return made


def pairwise_held(rows: Sequence[Asked], rule: tc.CacheRule, block_size: int) -> list[tuple[int, int]]:
    """What each request reads and writes, by the earlier request within one lifetime that it shares most with."""
    assert rule.renewed
    unit = rule.granularity
    stored = [min(row.input, len(row.ids) * block_size) // unit * unit for row in rows]
    stored = [tokens if tokens >= rule.minimum else 0 for tokens in stored]
    at = np.array([row.at for row in rows])
    keeps = np.array(stored) > 0
    heads = [np.array([row.ids[n] if len(row.ids) > n else -1 - n for row in rows]) for n in range(2)]
    done: list[tuple[int, int]] = []
    for i, row in enumerate(rows):
        low, high = np.searchsorted(at, [row.at - rule.lifetime_s * 1000 + 1, row.at])
        near = keeps[low:high] & (heads[0][low:high] == heads[0][i])
        shared = min(block_size, row.input) if near.any() and row.ids else 0
        for j in np.flatnonzero(near & (heads[1][low:high] == heads[1][i])) + low:
            other = rows[j]
            same = next((n for n, (a, b) in enumerate(zip(row.ids, other.ids, strict=False)) if a != b), min(len(row.ids), len(other.ids)))
            shared = max(shared, min(same * block_size, row.input, other.input))
        held = min(shared, stored[i]) // unit * unit
        held = held if held >= rule.minimum else 0
        done.append((_read(held, row, rule), stored[i] - held))
    return done

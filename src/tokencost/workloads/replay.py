"""Replays: a prefix trace through one cache rule, request by request, exactly."""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tokencost.errors import UsageTypeError
from tokencost.workloads.cache_replay import CacheReplay
from tokencost.workloads.cache_rule import CacheRule
from tokencost.workloads.cache_rules import load_cache_rules
from tokencost.workloads.prefix_trace import PrefixTrace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["replay_cache", "rule_of"]

_NEVER: Final = -(1 << 60)
_CHUNK: Final = 1 << 20
"""Blocks looked at together."""


def replay_cache(trace: PrefixTrace, rule: CacheRule | str) -> CacheReplay:
    """Replay a trace through a cache rule: what each request reads from the cache, and what it writes.

    A request reads the longest beginning of its prompt that is alive, in whole units, or nothing where that is shorter than the rule's
    minimum; `fresh_tokens` of the prompt are never read. What is not alive of the prompt's whole units is written, if the prompt reaches
    the minimum, and is there for requests at a later instant: requests at one instant do not see what each other writes. A lifetime is
    half-open: exactly at its end a unit is gone. The cache has room for everything, and marked breakpoints are the best ones.

    >>> import tokencost as tc
    >>> trace = tc.PrefixTrace.of(at_ms=[0, 1000], input=[1536, 2048], output=[9, 9], blocks=[[1, 2, 3], [1, 2, 3, 4]], block_size=512)
    >>> replay = tc.replay_cache(trace, "anthropic-5m")
    >>> replay.read.tolist(), replay.written.tolist()
    ([0, 1536], [1536, 512])

    Raises:
        UnknownNameError: no shipped rule has this id.
        UsageTypeError: `trace` is no prefix trace.
    """
    if not isinstance(trace, PrefixTrace):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageTypeError(
            f"trace {trace!r} is a {type(trace).__name__}; pass read_prefix_trace(path) or PrefixTrace.of(...)", meter="trace", value=trace
        )
    found = rule_of(rule)
    stage = _Stage.of(trace, found)
    follow = _follow_renewed if found.renewed else _follow_fixed
    alive, stored_ms = follow(stage, found)
    held = stage.held(alive, found)
    read = np.minimum(held, stage.readable) // found.granularity * found.granularity
    read[read < found.minimum] = 0
    storage = None if found.storage_meter is None else np.diff(np.cumsum(stored_ms) // 1000, prepend=0)
    return CacheReplay(trace=trace, rule=found, read=read, written=stage.stored - held, storage=storage)


def rule_of(rule: CacheRule | str) -> CacheRule:
    """Return a rule, by its id among the shipped ones where it is text."""
    if isinstance(rule, str):
        return load_cache_rules()[rule]
    if not isinstance(rule, CacheRule):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageTypeError(
            f"rule {rule!r} is a {type(rule).__name__}; pass a CacheRule or the id of a shipped one", meter="rule", value=rule
        )
    return rule


class _Stage(NamedTuple):
    """What a replay needs of a trace: the tokens of each prompt that are stored, and the most that may be read."""

    trace: PrefixTrace
    stored: NDArray[np.int64]
    readable: NDArray[np.int64]

    @classmethod
    def of(cls, trace: PrefixTrace, rule: CacheRule) -> _Stage:
        unit = rule.granularity
        stored = trace.covered // unit * unit
        stored[stored < rule.minimum] = 0
        return cls(trace, stored, np.minimum(stored, trace.input - rule.fresh_tokens))

    def held(self, alive: NDArray[np.int64], rule: CacheRule) -> NDArray[np.int64]:
        """Return the tokens that each request finds alive, in whole units from the first on; 0 below the minimum."""
        found = np.minimum(alive * self.trace.block_size, self.stored) // rule.granularity * rule.granularity
        found[found < rule.minimum] = 0
        return found

    def unit_tokens(self, place: NDArray[np.int64], owner: NDArray[np.int64] | int, rule: CacheRule) -> NDArray[np.int64]:
        """Return the tokens of the units that end in a block, by its number in the prompt of its owner."""
        size, unit = self.trace.block_size, rule.granularity
        ends = np.minimum((place + 1) * size, self.stored[owner]) // unit
        return np.maximum(ends - place * size // unit, 0) * unit

    def spans(self) -> Iterator[slice]:
        """Yield neighbouring requests of about so many blocks, never parting those of one instant."""
        at, offsets = self.trace.at_ms, self.trace.offsets
        begin = 0
        while begin < len(at):
            full = bisect_right(offsets, int(offsets[begin]) + _CHUNK, begin) - 1
            end = bisect_right(at, int(at[max(full, begin + 1) - 1]), begin)
            yield slice(begin, end)
            begin = end


def _follow_renewed(stage: _Stage, rule: CacheRule) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replay a rule under which every request sets the end of all that it stores, by a hit or by writing.

    So a block is alive if an earlier request stored it within one lifetime, whatever else happened, and then what precedes it is alive too.
    Returns the blocks that each request finds alive, and the token-milliseconds by which it lengthens what is kept.
    """
    trace, life = stage.trace, rule.lifetime_s * 1000
    alive, kept = np.zeros(trace.requests, np.int64), np.zeros(trace.requests, np.int64)
    last = np.full(trace.ids, _NEVER, np.int64)
    for rows in stage.spans():
        begins = trace.offsets[rows]
        sizes = np.diff(trace.offsets[rows.start : rows.stop + 1])
        owner = np.repeat(np.arange(rows.start, rows.stop, dtype=np.int64), np.where(stage.stored[rows] > 0, sizes, 0))
        here = np.repeat(stage.stored[rows] > 0, sizes)
        codes = trace.blocks[begins[0] : begins[0] + len(here)][here]
        at = trace.at_ms[owner]
        seen, before = _touched(codes, at, last)
        alive[rows] = np.bincount(owner[at - seen < life] - rows.start, minlength=len(sizes))
        if rule.storage_meter is not None:
            place = np.flatnonzero(here) + begins[0] - trace.offsets[owner]
            weighed = stage.unit_tokens(place, owner, rule) * np.minimum(at - before, life)
            sums = np.concatenate([[0], np.cumsum(weighed)])
            kept[rows] = np.diff(sums[np.searchsorted(owner, np.arange(rows.start, rows.stop + 1, dtype=np.int64))])
    return alive, kept


def _touched(codes: NDArray[np.int32], at: NDArray[np.int64], last: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when each block was touched before, at an earlier instant and at all, and note in `last` when it was touched last."""
    count = len(codes)
    if not count:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    bits = count.bit_length()
    keys = np.sort((codes.astype(np.int64) << bits) | np.arange(count, dtype=np.int64))  # by block, then in the order of the log
    place = keys & ((1 << bits) - 1)
    block = keys >> bits
    when = at[place]
    first = np.ones(count, bool)
    first[1:] = block[1:] != block[:-1]
    earlier = np.empty(count, np.int64)
    earlier[1:] = when[:-1]
    earlier[first] = last[block[first]]
    group = first.copy()
    group[1:] |= when[1:] != when[:-1]
    strictly = earlier[np.maximum.accumulate(np.where(group, np.arange(count, dtype=np.int64), 0))]
    ends = np.ones(count, bool)
    ends[:-1] = first[1:]
    last[block[ends]] = when[ends]
    seen, before = np.empty(count, np.int64), np.empty(count, np.int64)
    seen[place], before[place] = strictly, earlier
    return seen, before


def _follow_fixed(stage: _Stage, rule: CacheRule) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replay a rule under which a hit renews nothing: what is alive keeps its end, the rest of the prompt gets a new one.

    Each end depends on what was found alive before, so this goes block by block, on plain lists, which are faster here than arrays.
    Returns the blocks that each request finds alive, and the token-milliseconds by which it lengthens what is kept.
    """
    trace = stage.trace
    alive, kept = np.zeros(trace.requests, np.int64), np.zeros(trace.requests, np.int64)
    shelf = _Ends([_NEVER] * trace.ids, trace.block_size, rule)
    again = _again(trace)
    for rows in stage.spans():
        offsets = trace.offsets[rows.start : rows.stop + 1]
        codes = trace.blocks[int(offsets[0]) : int(offsets[-1])]
        counted = np.concatenate([[0], np.cumsum(again[codes])])[offsets - offsets[0]]
        begins, blocks = (offsets[:-1] - offsets[0]).tolist(), codes.tolist()
        prompts = [blocks[begin : begin + many] for begin, many in zip(begins, np.diff(counted).tolist(), strict=True)]
        stored = stage.stored[rows].tolist()
        found, longer = [0] * len(prompts), [0] * len(prompts)
        for now, same in groupby(range(len(prompts)), key=trace.at_ms[rows].tolist().__getitem__):
            writers = [row for row in same if stored[row]]
            for row in writers:  # all requests of one instant read before any of them writes
                found[row] = shelf.alive(prompts[row], now)
            for row in writers:
                longer[row] = shelf.write(prompts[row], now, stored[row], found[row])
        alive[rows], kept[rows] = found, longer
    return alive, kept


def _again(trace: PrefixTrace) -> NDArray[np.bool_]:
    """Say which blocks occur more than once. The others, which end their prompts, are never found alive and need not be kept."""
    ordered = np.sort(trace.blocks)
    again = np.zeros(trace.ids, bool)
    again[ordered[1:][ordered[1:] == ordered[:-1]]] = True
    return again


class _Ends(NamedTuple):
    """When each block is gone, in milliseconds."""

    until: list[int]
    block_size: int
    rule: CacheRule

    def alive(self, prompt: list[int], now: int) -> int:
        """Return how many blocks of a prompt are alive, from the first on."""
        until = self.until
        for place, block in enumerate(prompt):
            if until[block] <= now:
                return place
        return len(prompt)

    def write(self, prompt: list[int], now: int, stored: int, alive: int) -> int:
        """Write what was not found alive of a prompt, and return the token-milliseconds by which that lengthens what is kept."""
        until, size, unit = self.until, self.block_size, self.rule.granularity
        held = min(alive * size, stored) // unit * unit
        if held < self.rule.minimum:
            held = 0
        life = self.rule.lifetime_s * 1000
        longer, end = (stored - held) * life, now + life
        for place in range(-(-held // size), len(prompt)):  # a block that a held unit reaches into keeps its end
            block = prompt[place]
            old = until[block]
            if old > now:  # alive, but behind a gap or too short to be read
                begin = place * size
                longer -= max(min(begin + size, stored) // unit - begin // unit, 0) * unit * (old - now)
            until[block] = end
        return longer

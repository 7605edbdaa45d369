"""Logs with block ids: JSON lines read one by one into columns."""

from __future__ import annotations

import json
import math
import re
from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np

from tokencost.errors import InstantError, TraceError, UnknownNameError, UsageError
from tokencost.rating.headings import choose_columns
from tokencost.tariffs.clock import to_instant
from tokencost.workloads.log import BadRow
from tokencost.workloads.prefix_trace import PrefixTrace, checked_block_size, coded, fits

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_prefix_trace"]

TimeUnit = Literal["s", "ms"]

_BLOCKS: Final = ("hashids", "blockids", "blockhashes", "blockhashids", "prefixids", "prefixhashids")
_UNITS: Final[dict[str, int]] = {"s": 1000, "ms": 1}
_SIZES: Final = tuple(1 << n for n in range(14))
_SHOWN: Final = 200
_LONGEST: Final = 60
_FARTHEST: Final = 1 << 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_prefix_trace(
    path: str | Path,
    *,
    block_size: int | None = None,
    columns: Mapping[str, str] | None = None,
    time_unit: TimeUnit = "ms",
    start: datetime | str | None = None,
) -> PrefixTrace:
    """Read a log of requests with the ids of their prompt's blocks: JSON lines, one request a line.

    Columns are found by their usual names (`timestamp`, `input_length`, `output_length`, `hash_ids`), or named with `columns` as `at`,
    `input`, `output` and `blocks`. Numbers in `at` count `time_unit` from `start`; text is ISO 8601 with an offset. Ids are whole numbers
    or text. `block_size` is found where prompts and blocks leave one power of two. The file is read line by line; bad rows are kept in
    `bad`.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "log.jsonl"
    >>> _ = path.write_text('{"timestamp": 0, "input_length": 1100, "output_length": 9, "hash_ids": [4, 5, 6]}')
    >>> read_prefix_trace(path).block_size
    512

    Raises:
        TraceError: the file is missing or no log, has no block ids, or ids contradict one another.
        UsageError: `block_size` cannot be, or is needed.
        UnknownNameError: `time_unit` is neither "s" nor "ms".
    """
    if time_unit not in _UNITS:
        raise UnknownNameError(f"time_unit={time_unit!r} is no unit of times; pass 's' or 'ms'", name=time_unit, suggestions=("s", "ms"))
    if block_size is not None:
        checked_block_size(block_size)
    file = Path(path)
    reading = _Reading(str(file), dict(columns or {}), _UNITS[time_unit])
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    reading.take(number, line)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise TraceError(f"cannot read {str(file)!r}: {why}; pass the path of a JSON lines file", path=str(file)) from None
    return reading.trace(block_size, None if start is None else to_instant(start))


class _Reading:
    """One pass over a log: columns that grow, and rows that could not be read."""

    def __init__(self, path: str, named: dict[str, str], scale: int) -> None:
        self.path = path
        self.named = named
        self.scale = scale
        self.columns: dict[str, str] = {}
        self.bad: list[BadRow] = []
        self.numbers, self.at, self.input, self.output, self.sizes = (array("q") for _ in range(5))
        self.blocks = array("q")
        self.index: dict[str, int] = {}
        self.kind: type | None = None
        self.clock: type | None = None

    def take(self, number: int, line: bytes) -> None:
        """Read one line; a bad one is noted."""
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            self._bad(number, line, "not JSON")
            return
        if not isinstance(found, dict):
            self._bad(number, line, "JSON, but not an object")
            return
        record = cast("dict[str, Any]", found)
        if not self.columns:
            self.columns = self._choose(tuple(record))
        try:
            at = self._time(record.get(self.columns["at"]))
            counts = [_count(name, record.get(self.columns[name])) for name in ("input", "output")]
            ids = self._ids(record.get(self.columns["blocks"]))
        except UsageError as error:
            self._bad(number, line, error.message)
            return
        self.blocks.extend(ids)
        for column, value in zip(
            (self.numbers, self.at, self.input, self.output, self.sizes), (number, at, *counts, len(ids)), strict=True
        ):
            column.append(value)

    def _bad(self, number: int, line: bytes, reason: str) -> None:
        self.bad.append(BadRow(number, reason, line[: 4 * _SHOWN].decode("utf-8", "replace").strip()[:_SHOWN]))

    def _choose(self, header: tuple[str, ...]) -> dict[str, str]:
        blocks = self.named.pop("blocks", None)
        if blocks is None:
            blocks = next((name for name in header if re.sub(r"[^a-z0-9]", "", name.lower()) in _BLOCKS), None)
        if blocks is None or blocks not in header:
            asked = "a column of block ids" if blocks is None else f"a column {blocks!r}"
            raise TraceError(
                f"{self.path} has no {asked.removeprefix('a ')}, only {', '.join(header)}; a cache is replayed by the ids of each prompt's "
                "blocks, so name them with columns={'blocks': 'NAME'}",
                path=self.path,
                columns=header,
            )
        chosen = choose_columns(self.path, header, self.named)
        if "at" not in chosen:
            raise TraceError(f"{self.path} has no column of times; name it with columns={{'at': 'NAME'}}", path=self.path, columns=header)
        return {**chosen, "blocks": blocks}

    def _time(self, value: object) -> int:
        if isinstance(value, str):
            try:
                made = (to_instant(value) - _EPOCH) // (_EPOCH.resolution * 1000)
            except InstantError as error:
                raise UsageError(error.message, meter="at", value=value) from None
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) > _FARTHEST:
            raise UsageError(f"at={_short(value)} is no time; write a number or an instant with its offset", meter="at", value=value)
        else:
            made = round(value * self.scale)
        kind = str if isinstance(value, str) else int
        if self.clock not in (None, kind):
            raise UsageError(f"at={_short(value)} is not written as the times before it; write all in one way", meter="at", value=value)
        self.clock = kind
        return made

    def _ids(self, value: object) -> list[int]:
        if not isinstance(value, list):
            raise UsageError(f"block ids {_short(value)} are no list; write one id a block", meter="blocks", value=value)
        ids = cast("list[Any]", value)
        kinds = set(map(type, ids))
        if not kinds:
            return []
        kind = next(iter(kinds))
        if len(kinds) > 1 or kind not in (int, str) or self.kind not in (None, kind):
            odd = next((i for i in ids if type(i) not in (int, str) or type(i) is not (self.kind or kind)), ids[0])
            wanted = "whole numbers or text" if self.kind is None else "text as before" if self.kind is str else "whole numbers as before"
            raise UsageError(f"block id {_short(odd)} is not like the others; ids are {wanted}", meter="blocks", value=odd)
        if kind is int and not all(-(2**63) <= i < 2**63 for i in (min(ids), max(ids))):
            raise UsageError(f"block id {max(ids, key=abs)} has more than 64 bits; write such ids as text", meter="blocks", value=ids)
        self.kind = kind
        return [self.index.setdefault(i, len(self.index)) for i in ids] if kind is str else ids

    def trace(self, block_size: int | None, start: datetime | None) -> PrefixTrace:
        """Return what was read, without the prompts that do not fit their blocks."""
        if not self.numbers:
            why = f"its first row is bad: {self.bad[0].reason}" if self.bad else "it is empty"
            raise TraceError(f"no row of {self.path} can be replayed; {why}", path=self.path, bad=tuple(self.bad))
        tokens, sizes = np.frombuffer(self.input, np.int64), np.frombuffer(self.sizes, np.int64)
        size = block_size or _found_size(self.path, tokens, sizes)
        codes, ids = coded(np.frombuffer(self.blocks, np.int64) if self.blocks else np.empty(0, np.int64))
        made = PrefixTrace(
            path=self.path,
            block_size=size,
            at_ms=np.frombuffer(self.at, np.int64),
            input=tokens,
            output=np.frombuffer(self.output, np.int64),
            blocks=codes,
            offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            ids=ids,
            start=_EPOCH if self.clock is str else start,
            bad=tuple(self.bad),
        )
        good = fits(tokens, sizes, size)
        if not good.all():
            for row in np.flatnonzero(~good):
                blocks = f"{sizes[row]} block{'s' * int(sizes[row] != 1)} of {size} tokens"
                reason = f"{blocks} for a prompt of {tokens[row]}; a prompt has as many as it fills"
                self.bad.append(BadRow(self.numbers[row], reason, ""))
            if not good.any():
                raise TraceError(f"no row of {self.path} can be replayed; the first has {self.bad[-len(good)].reason}", path=self.path)
            made = made.taken(np.flatnonzero(good), bad=tuple(sorted(self.bad)))
        return made.checked().sorted()


def _found_size(path: str, tokens: np.ndarray[Any, np.dtype[np.int64]], sizes: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    """Return the one power of two that most prompts and blocks agree on."""
    fitting = {size: int(fits(tokens, sizes, size).sum()) for size in _SIZES}
    most = max(fitting.values())
    best = [size for size, count in fitting.items() if count == most]
    if len(best) > 1 or 2 * most <= len(tokens):
        why = f"{', '.join(map(str, best))} fit equally well" if 2 * most > len(tokens) else "no power of two fits most prompts"
        raise UsageError(f"cannot tell the block size of {path}, {why}; pass block_size=", meter="block_size", value=tuple(best))
    return best[0]


def _count(name: str, value: object) -> int:
    if type(value) is not int or not 0 <= value <= 1 << 40:
        raise UsageError(f"{name}={_short(value)} is no count of tokens; write a whole number, 0 or more", meter=name, value=value)
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."

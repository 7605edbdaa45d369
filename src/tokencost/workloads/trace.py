"""Traces: request logs, one usage and one instant a row."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import TokencostError, TraceError, UnknownNameError, UsageError
from tokencost.rating.headings import COUNTS, choose_columns, counts_of, needed_meters
from tokencost.rating.usage import Usage
from tokencost.tariffs.clock import UTC, to_instant, zone_named
from tokencost.workloads.log import BadRow, read_log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokencost.rating.headings import Counts
    from tokencost.workloads.log import Log

__all__ = ["BadRow", "Trace", "TraceRow", "read_trace"]

_WHOLE: Final = re.compile(r"\s*([+-]?[0-9]+)(?:\.0*)?\s*")
_TIME: Final = re.compile(r"([0-9]{1,19})(?:\.[0-9]*)?")
_LONGEST: Final = 18
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PLAUSIBLE: Final = range(10**9, 5 * 10**9)
"""Seconds of the Unix epoch that a log can be from: 2001 to 2128. They are told apart from milliseconds and finer by their size."""


class TraceRow(NamedTuple):
    """One request: the line of the file on which it begins, when it was made as the file says it, and what it used."""

    number: int
    when: str | int | None
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    r"""A request log: its good rows, its bad rows, and the columns that were read.

    `columns` maps `at` and meters to column names, `ignored` are the columns that were not read, `counts` says whether totals contained
    their parts.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = path.write_text("prompt_tokens,completion_tokens\n1000,200\n-5,10\n")
    >>> trace = read_trace(path)
    >>> len(trace.rows), trace.bad[0].reason
    (1, 'input=-5 is negative; counts are 0 or more')
    """

    path: str
    columns: Mapping[str, str]
    rows: tuple[TraceRow, ...]
    bad: tuple[BadRow, ...] = ()
    ignored: tuple[str, ...] = ()
    counts: Counts = "totals"

    @property
    def requests(self) -> int:
        """The number of good rows."""
        return len(self.rows)

    @property
    def total(self) -> Usage:
        """The usage of all good rows together."""
        counts: Counter[str] = Counter()
        for row in self.rows:
            counts.update(row.usage.counts)
        return Usage.of(counts)

    def instants(self, *, zone: str | None = None, start: datetime | str | None = None) -> list[datetime]:
        """Return the instant of every good row, in UTC.

        Text without an offset is taken in `zone`; of an hour that a zone repeats in autumn, the first is meant. Numbers are the Unix
        epoch in seconds, milli-, micro- or nanoseconds by their size, or milliseconds from `start`.

        Raises:
            TraceError: there is no time column, times without a zone, some with and some without an offset, or a time that is no instant.
            InstantError: the zone does not exist, or `start` is naive.
        """
        if "at" not in self.columns:
            raise TraceError(f"{self.path} has no column of instants; name it with columns={{'at': 'NAME'}}", path=self.path)
        local = zone_named(zone) if zone is not None else None
        begin = None if start is None else to_instant(start)
        found = [_instant(row, self.path, begin) for row in self.rows]
        naive = [row.number for row, instant in zip(self.rows, found, strict=True) if instant.tzinfo is None]
        if naive and local is None:
            what = "mixes instants with and without an offset" if len(naive) < len(found) else "gives instants without an offset"
            raise TraceError(
                f"column {self.columns['at']!r} of {self.path} {what}, first in row {naive[0]}; pass zone='UTC' or another",
                path=self.path,
                row=naive[0],
            )
        try:
            return [(instant if instant.tzinfo else instant.replace(tzinfo=local)).astimezone(UTC) for instant in found]
        except OverflowError:
            raise TraceError(f"{self.path} has an instant outside the years 1 to 9999 in UTC; leave its row out", path=self.path) from None


def _instant(row: TraceRow, path: str, start: datetime | None) -> datetime:
    """Return the instant of a row, naive where the log gives no offset."""
    when, where = row.when, f"in row {row.number} of {path}"
    if isinstance(when, str):
        try:
            if ":" in when or "T" in when.upper():
                return datetime.fromisoformat(when)
        except ValueError:
            pass
        raise TraceError(f"{when!r} {where} is not an ISO 8601 instant; write it like '2025-02-01T12:00:00Z'", path=path, row=row.number)
    if when is None:
        raise TraceError(
            f"row {row.number} of {path} has no instant; leave it out or rate the log at one instant", path=path, row=row.number
        )
    if start is not None:
        try:
            return start + timedelta(milliseconds=when)
        except OverflowError:
            raise TraceError(f"time {when} {where} is beyond the year 9999; pass milliseconds", path=path, row=row.number) from None
    for unit in (1, 10**3, 10**6, 10**9):
        if when // unit in _PLAUSIBLE:
            return _EPOCH + timedelta(seconds=when // unit, microseconds=when % unit * 10**6 // unit)
    raise TraceError(f"time {when} {where} counts from an unknown start; pass start= with the instant that is 0", path=path, row=row.number)


def read_trace(path: str | Path, *, columns: Mapping[str, str] | None = None, counts: Counts | None = None) -> Trace:
    """Read a request log, CSV or JSON lines, one request a row.

    `columns` maps `at` or a meter to a column's name (`usage.prompt_tokens` reaches into JSON objects), or to `""` where the log has none;
    columns that are not named are found by their usual names. With `counts="totals"` input contains its cached part, as most APIs report
    it; with `"disjoint"` it does not. Left out, it is `"totals"`, except for the columns of Anthropic and Bedrock (`input_tokens` beside
    `cache_read_input_tokens`), which are disjoint.

    Raises:
        TraceError: the file is missing, empty or binary, or a needed column is not there. Bad rows are kept in `bad`, not raised.
        UnknownNameError: `columns` names a meter that does not exist, or `counts` is neither word.
    """
    if counts is not None and counts not in COUNTS:
        raise UnknownNameError(f"counts={counts!r} is not a way to count; pass 'totals' or 'disjoint'", name=counts, suggestions=COUNTS)
    log = read_log(Path(path))
    chosen = choose_columns(log.path, log.columns, columns or {})
    return _collected(log, chosen, counts or counts_of(chosen))


def _collected(log: Log, chosen: dict[str, str], counts: Counts) -> Trace:
    rows: list[TraceRow] = []
    bad = list(log.bad)
    at = chosen.get("at")
    meters = [(meter, column) for meter, column in chosen.items() if meter != "at"]
    needed = needed_meters(chosen)
    build = Usage.from_totals if counts == "totals" else Usage
    for number, record in log.records:
        found: dict[str, Any] = {}
        try:
            for meter, column in meters:
                count = _count(meter, record.get(column), needed)
                if count is not None:
                    found[meter] = count
            rows.append(TraceRow(number, None if at is None else _when(record.get(at)), build(**found)))
        except TokencostError as error:
            bad.append(log.broken(number, str(error)))
    bad.sort()
    if not rows:
        raise TraceError(
            f"no row of {log.path} can be rated; the first is row {bad[0].number}: {bad[0].reason}", path=log.path, bad=tuple(bad)
        )
    ignored = tuple(column for column in log.columns if column not in chosen.values())
    return Trace(path=log.path, columns=chosen, rows=tuple(rows), bad=tuple(bad), ignored=ignored, counts=counts)


def _count(meter: str, value: object, needed: frozenset[str]) -> int | None:
    """Return a count from a cell; an empty cell is 0 for a part and an error for a total."""
    if isinstance(value, str):
        if value.isdecimal() and value.isascii() and len(value) <= _LONGEST:
            return int(value)
        value = value.strip() or None
    elif type(value) is int:
        return value
    if value is None:
        if meter in needed:
            raise UsageError(f"{meter} is empty; a request has a count, which may be 0", meter=meter, value=value)
        return None
    match = _WHOLE.fullmatch(str(value))
    if match is None or len(match.group(1)) > _LONGEST:
        raise UsageError(
            f"{meter}={_short(value)} is not a whole number; write it in figures, without separators", meter=meter, value=value
        )
    return int(match.group(1))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004


def _when(value: object) -> str | int | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    text = str(value).strip()
    match = _TIME.fullmatch(text)
    return int(match.group(1)) if match else text or None

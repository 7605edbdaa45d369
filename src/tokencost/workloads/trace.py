"""Traces: request logs as they lie on disk, read to the end even where some rows are bad."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tokencost.errors import InstantError, TokencostError, TraceError, UnknownNameError, UsageError, nearest
from tokencost.rating.usage import Usage
from tokencost.tariffs.clock import UTC, to_instant
from tokencost.tariffs.meter import METERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["BadRow", "Trace", "TraceRow", "read_trace"]

Counts = Literal["totals", "disjoint"]

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "at": ("at", "timestamp", "time", "ts", "datetime", "createdat", "created", "startedat", "starttime", "date", "arrivaltime"),
    "input": ("input", "inputtokens", "prompttokens", "contexttokens", "inputlength", "promptlength", "numinputtokens", "tokensin", "prompt"),
    "output": ("output", "outputtokens", "completiontokens", "generatedtokens", "outputlength", "completionlength", "numoutputtokens", "tokensout"),
    "cache_read": ("cacheread", "cachedtokens", "cachereadtokens", "cachereadinputtokens", "cachedinputtokens", "promptcachehittokens"),
    "cache_write": ("cachewrite", "cachewritetokens", "cachecreationinputtokens", "cachecreationtokens"),
    "reasoning": ("reasoning", "reasoningtokens", "thinkingtokens", "reasoningoutputtokens"),
}
_WHOLE: Final = re.compile(r"\s*([+-]?\d+)(?:\.0*)?\s*")
_SHOWN: Final = 200
_EPOCH_MS: Final = 10**11
_EPOCH_S: Final = 10**9


class TraceRow(NamedTuple):
    """One request: its row in the file, when it was made as the file says it, and what it used."""

    number: int
    when: str | int | None
    usage: Usage


class BadRow(NamedTuple):
    """A row that could not be read, and why."""

    number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A request log: its good rows, its bad rows, and the columns that were read.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = path.write_text("prompt_tokens,completion_tokens\\n1000,200\\n-5,10\\n")
    >>> trace = read_trace(path)
    >>> len(trace.rows), trace.bad[0].reason
    (1, 'input=-5 is negative; counts are 0 or more')
    """

    path: str
    columns: Mapping[str, str]
    rows: tuple[TraceRow, ...]
    bad: tuple[BadRow, ...] = ()
    ignored: tuple[str, ...] = field(default=())

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

        Text without an offset is taken in `zone`. Numbers are seconds or milliseconds of the Unix epoch by their size, or milliseconds from `start`.

        Raises:
            TraceError: there is no time column, times without a zone, or some with and some without an offset.
        """
        if "at" not in self.columns:
            raise TraceError(f"{self.path} has no column of instants; name it with columns={{'at': ...}}", path=self.path)
        local = _zone(zone) if zone is not None else None
        begin = None if start is None else to_instant(start)
        found = [_instant(row, self.path, local, begin) for row in self.rows]
        naive = [row.number for row, (_, aware) in zip(self.rows, found, strict=True) if not aware]
        if naive and local is None:
            mixed = len(naive) < len(found)
            what = "mixes instants with and without an offset" if mixed else "gives instants without an offset"
            raise TraceError(f"column {self.columns['at']!r} of {self.path} {what}, first in row {naive[0]}; pass zone='UTC' or another", path=self.path, row=naive[0])
        return [instant.astimezone(UTC) for instant, _ in found]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InstantError(f"zone {name!r} is not a time zone; write it like 'UTC' or 'Asia/Shanghai'", value=name) from None


def _instant(row: TraceRow, path: str, zone: ZoneInfo | None, start: datetime | None) -> tuple[datetime, bool]:
    when = row.when
    if when is None:
        raise TraceError(f"row {row.number} of {path} has no instant; leave it out or rate the log at one instant", path=path, row=row.number)
    if isinstance(when, int):
        if start is not None:
            return start + timedelta(milliseconds=when), True
        if when >= _EPOCH_MS:
            return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=when), True
        if when >= _EPOCH_S:
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=when), True
        raise TraceError(f"time {when} in row {row.number} of {path} counts from an unknown start; pass start= with the first instant", path=path, row=row.number)
    try:
        instant = datetime.fromisoformat(when.strip())
    except ValueError:
        raise TraceError(f"{when!r} in row {row.number} of {path} is not an ISO 8601 instant", path=path, row=row.number) from None
    if instant.tzinfo is None:
        return instant.replace(tzinfo=zone or UTC), zone is not None
    return instant, True


def read_trace(path: str | Path, *, columns: Mapping[str, str] | None = None, counts: Counts = "totals") -> Trace:
    """Read a request log, CSV or JSON lines, one request a row.

    `columns` maps `at` or a meter to a column's name (`usage.prompt_tokens` reaches into JSON objects); columns that are not named are found
    by their usual names. With `counts="totals"` input contains its cached part, as most APIs report it; with `"disjoint"` it does not.

    Raises:
        TraceError: the file is missing, empty or binary, or a needed column is not there. Bad rows are kept in `bad`, not raised.
        UnknownNameError: `columns` names a meter that does not exist.
    """
    file = Path(path)
    for name in columns or {}:
        if name != "at" and name not in METERS:
            raise UnknownNameError.of(name, ("at", *METERS), what="meter", where="the registry")
    text = _text(file)
    is_json = file.suffix.lower() in (".jsonl", ".ndjson", ".json") or text.lstrip()[:1] in ("{", "[")
    if is_json and text.lstrip().startswith("["):
        raise TraceError(f"{file} is one JSON array; write one object a line (JSON lines)", path=str(file))
    records = _json_rows(text) if is_json else _csv_rows(text, str(file))
    first = next(records, None)
    while first is not None and isinstance(first[1], str):  # rows that are no object come before the first good one
        first = next(records, None)
    if first is None:
        raise TraceError(f"{file} has no rows; a log has a header line and one request a line", path=str(file))
    chosen = _choose(str(file), tuple(first[1]), columns or {})
    return _collect(str(file), _json_rows(text) if is_json else _csv_rows(text, str(file)), chosen, counts, tuple(first[1]))


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise TraceError(f"cannot read {str(file)!r}: {(error.strerror or 'unreadable').lower()}; pass the path of a CSV or JSON lines file", path=str(file)) from None
    if not raw.strip():
        raise TraceError(f"{file} is empty; a log has a header line and one request a line", path=str(file))
    if b"\0" in raw[:65536]:
        raise TraceError(f"{file} is binary, not text; export it as CSV or JSON lines", path=str(file))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TraceError(f"{file} is not UTF-8 text (byte {error.start}); export it as UTF-8 CSV or JSON lines", path=str(file)) from None


def _csv_rows(text: str, path: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [name.strip() for name in next(reader)]
    if doubled := [name for name, n in Counter(names).items() if n > 1 and name]:
        raise TraceError(f"column {doubled[0]!r} stands twice in {path}; rename one", path=path)
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(names):
            yield reader.line_num, f"{len(cells)} cells, the header has {len(names)}: {delimiter.join(cells)[:_SHOWN]}"
        else:
            yield reader.line_num, dict(zip(names, cells, strict=True))


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, f"not JSON ({error.msg.lower()}): {line[:_SHOWN]}"
            continue
        yield number, _flat(found) if isinstance(found, dict) else f"not a JSON object: {line[:_SHOWN]}"


def _flat(found: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in found.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _choose(path: str, header: tuple[str, ...], named: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each meter: those named, the others by their usual names."""
    chosen: dict[str, str] = {}
    for meter, column in named.items():
        if column not in header:
            near = nearest(column, header)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(header)}"
            raise TraceError(f"no column {column!r} in {path}; {hint}", path=path, columns=header)
        chosen[meter] = column
    for meter in (*_NAMES, *METERS):
        if meter in chosen:
            continue
        usual = _NAMES.get(meter, (meter.replace("_", ""),))
        fits = [column for column in header if re.sub(r"[^a-z0-9]", "", column.rsplit(".", 1)[-1].lower()) in usual and column not in chosen.values()]
        fits.sort(key=lambda column: usual.index(re.sub(r"[^a-z0-9]", "", column.rsplit(".", 1)[-1].lower())))
        if fits:
            chosen[meter] = fits[0]
    missing = [meter for meter in ("input", "output") if meter not in chosen]
    if len(missing) == len(chosen.keys() | missing) or len(missing) > 1 or (missing and not named):
        raise TraceError(
            f"no column of {' and '.join(missing)} tokens in {path}, which has {', '.join(header)}; name it with --column {missing[0]}=NAME", path=path, columns=header
        )
    return chosen


def _collect(path: str, records: Iterator[tuple[int, dict[str, Any] | str]], chosen: dict[str, str], counts: Counts, header: tuple[str, ...]) -> Trace:
    rows: list[TraceRow] = []
    bad: list[BadRow] = []
    meters = {meter: column for meter, column in chosen.items() if meter != "at"}
    build = Usage.from_totals if counts == "totals" else Usage
    for number, record in records:
        if isinstance(record, str):
            bad.append(BadRow(number, record.split(":", 1)[0], record))
            continue
        try:
            found: dict[str, Any] = {meter: _count(meter, record.get(column)) for meter, column in meters.items()}
            usage = build(**{meter: count for meter, count in found.items() if count is not None})
            when = record.get(chosen["at"]) if "at" in chosen else None
            rows.append(TraceRow(number, _when(when), usage))
        except TokencostError as error:
            bad.append(BadRow(number, str(error), json.dumps(record, ensure_ascii=False, default=str)[:_SHOWN]))
    if not rows:
        why = f"the first is row {bad[0].number}: {bad[0].reason}" if bad else "there is none"
        raise TraceError(f"no row of {path} can be rated; {why}", path=path, bad=tuple(bad))
    return Trace(path=path, columns=chosen, rows=tuple(rows), bad=tuple(bad), ignored=tuple(c for c in header if c not in chosen.values()))


def _count(meter: str, value: Any) -> int | None:
    """Return a count from a cell; an empty cell is 0 for a part and an error for a total."""
    if value is None or (isinstance(value, str) and not value.strip()):
        if meter in ("input", "output"):
            raise UsageError(f"{meter} is empty; a request has a count, which may be 0", meter=meter, value=value)
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _WHOLE.fullmatch(value if isinstance(value, str) else str(value))
    if match is None or isinstance(value, bool):
        raise UsageError(f"{meter}={value!r} is not a whole number", meter=meter, value=value)
    return int(match.group(1))


def _when(value: Any) -> str | int | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return int(value)
    text = str(value).strip()
    return int(text) if re.fullmatch(r"\d+", text) else text or None

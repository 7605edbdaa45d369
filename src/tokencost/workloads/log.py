"""Logs: text files as numbered records, read to the end even where some lines are broken."""

from __future__ import annotations

import codecs
import csv
import io
import json
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from tokencost.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["BadRow", "Log", "read_log"]

Record = dict[str, Any]

_SHOWN: Final = 200
_SNIFFED: Final = 65_536
_JSON_SUFFIXES: Final = frozenset({".jsonl", ".ndjson", ".json"})
_CELL_LIMIT: Final = threading.Lock()
"""The csv module has one limit for all its readers."""


class BadRow(NamedTuple):
    """A row that could not be read: the line on which it begins, why, and the start of that line."""

    number: int
    reason: str
    text: str


class Log(NamedTuple):
    """A log as it lies on disk: its columns, and its records by the line on which each begins."""

    path: str
    columns: tuple[str, ...]
    records: list[tuple[int, Record]]
    bad: list[BadRow]
    lines: list[str]

    def broken(self, number: int, reason: str) -> BadRow:
        """Return the bad row that begins on a line."""
        return BadRow(number, reason, _shown(self.lines, number))


def read_log(file: Path) -> Log:
    """Read a CSV file (comma, semicolon, tab or bar) or JSON lines; nested JSON objects become dotted columns.

    Raises:
        TraceError: the file is missing, empty, binary, not UTF-8, or no log.
    """
    path = str(file)
    text = _text(file)
    lines = list(io.StringIO(text, newline=""))  # the line ends stay; they may belong to a quoted cell
    first = next(n for n, line in enumerate(lines) if line.strip())
    begins = lines[first].lstrip()[0]
    if file.suffix.lower() in _JSON_SUFFIXES or begins in "{[":
        if begins == "[":
            raise TraceError(f"{path} is one JSON array; write one object a line (JSON lines)", path=path)
        log = _json_log(path, lines)
    else:
        with _CELL_LIMIT:  # a cell may hold a whole prompt
            limit = csv.field_size_limit(max(len(text), csv.field_size_limit()))
            try:
                log = _csv_log(path, lines, first)
            finally:
                csv.field_size_limit(limit)
    if not log.records:
        why = f"its first line is bad, {log.bad[0].reason}" if log.bad else "a log has a header line and one request a line"
        raise TraceError(f"{path} has no rows; {why}", path=path, bad=tuple(log.bad))
    return log


def _text(file: Path) -> str:
    path = str(file)
    try:
        raw = file.read_bytes()
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise TraceError(f"cannot read {path!r}: {why}; pass the path of a CSV or JSON lines file", path=path) from None
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TraceError(f"{path} is UTF-16 text; export it as UTF-8 CSV or JSON lines", path=path)
    if b"\0" in raw[:_SNIFFED]:
        raise TraceError(f"{path} is binary, not text; export it as UTF-8 CSV or JSON lines", path=path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TraceError(f"{path} is not UTF-8 text (byte {error.start}); export it as UTF-8 CSV or JSON lines", path=path) from None
    if not text.strip():
        raise TraceError(f"{path} is empty; a log has a header line and one request a line", path=path)
    return text


def _shown(lines: list[str], number: int) -> str:
    return lines[number - 1].strip()[:_SHOWN]


def _csv_log(path: str, lines: list[str], first: int) -> Log:
    delimiter = max(",;\t|", key=lines[first].count)
    rows = _csv_rows(lines, first, delimiter)
    number, header = next(rows)
    if isinstance(header, str):
        raise TraceError(f"the header of {path}, line {number}, is broken: {header}; correct it", path=path)
    names = [name.strip() for name in header]
    if doubled := [name for name, n in Counter(names).items() if n > 1 and name]:
        raise TraceError(f"column {doubled[0]!r} stands twice in {path}; rename one", path=path, columns=tuple(names))
    log = Log(path, tuple(name for name in names if name), [], [], lines)
    for number, cells in rows:
        if isinstance(cells, str):
            log.bad.append(log.broken(number, cells))
        elif not lines[number - 1].strip():
            continue
        elif len(cells) != len(names):
            log.bad.append(log.broken(number, f"{len(cells)} cell{'s' * (len(cells) != 1)}, and the header has {len(names)}"))
        else:
            log.records.append((number, dict(zip(names, cells, strict=True))))
    return log


def _csv_rows(lines: list[str], first: int, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each row with the line on which it begins, or what is wrong with it.

    After a broken row reading goes on with the line below its first, so that a quote that never closes costs one row and not the rest.
    """
    at = first
    while at < len(lines):
        reader = csv.reader(map(lines.__getitem__, range(at, len(lines))), delimiter=delimiter, strict=True, skipinitialspace=True)
        read = 0
        try:
            for cells in reader:
                number, read = at + read + 1, reader.line_num
                if cells:
                    yield number, cells
        except csv.Error as error:
            at += read + 1
            unclosed = str(error) == "unexpected end of data"
            yield at, "a quote opens and never closes" if unclosed else str(error)
        else:
            return


def _json_log(path: str, lines: list[str]) -> Log:
    log = Log(path, (), [], [], lines)
    columns: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            record = _flat(cast("Record", found)) if isinstance(found, dict) else None
        except json.JSONDecodeError as error:
            log.bad.append(log.broken(number, f"not JSON ({error.msg.lower()})"))
        except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
            log.bad.append(log.broken(number, "JSON that is too long or too deep to read"))
        else:
            if record is None:
                log.bad.append(log.broken(number, "JSON, but not an object"))
            else:
                log.records.append((number, record))
                columns.update(dict.fromkeys(record))
    return log._replace(columns=tuple(columns))


def _flat(found: Mapping[str, Any], prefix: str = "") -> Record:
    flat: Record = {}
    for key, value in found.items():
        if isinstance(value, dict):
            flat.update(_flat(cast("Record", value), f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat

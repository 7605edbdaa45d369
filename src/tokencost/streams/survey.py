"""Survey: every file opened and its columns chosen before the first row is read, so that a run does not fail at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import ColumnError, StreamError, TokencostError, nearest
from tokencost.rating.grouping import DERIVED
from tokencost.rating.headings import find_columns
from tokencost.streams.arrow import FAULTS
from tokencost.streams.arrow_rows import ArrowReader, ParquetReader
from tokencost.streams.csv_lines import CsvReader
from tokencost.streams.json_lines import JsonReader
from tokencost.streams.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tokencost.streams.reading import Chunk, Place, Reader
    from tokencost.streams.sources import Source

__all__ = ["open_reader", "rows_of", "survey"]


_READERS: Final[dict[str, Any]] = {"parquet": ParquetReader, "arrow": ArrowReader, "csv": CsvReader, "jsonl": JsonReader}


def open_reader(source: Source) -> Reader:
    """Open a file and read its columns.

    Raises:
        StreamError: it is not what its ending says, or broken.
    """
    try:
        return _READERS[source.kind](source)
    except TokencostError:
        raise
    except (*FAULTS, ValueError) as error:
        raise StreamError(f"{source.name} cannot be read: {_said(error)}; get it whole, or leave it out", path=source.name) from None


def rows_of(reader: Reader, reading: Reading, place: Place) -> Iterator[Chunk]:
    """Yield the rows of a file from a place on.

    Raises:
        StreamError: the file breaks off, or a piece of it is damaged.
    """
    try:
        yield from reader.chunks(reading, place)
    except TokencostError:
        raise
    except (*FAULTS, ValueError) as error:
        name = reader.source.name
        raise StreamError(f"{name} cannot be read to its end: {_said(error)}; get it whole, or leave it out", path=name) from None


def _said(error: BaseException) -> str:
    """Return the first line of an error, as the middle of a sentence."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    line = text.strip().splitlines()[0].rstrip(".")
    return line[:1].lower() + line[1:]


def survey(
    readers: Sequence[Reader],
    *,
    named: Mapping[str, str],
    given: Collection[str],
    by: Sequence[str],
    keep: Sequence[str] | None,
    **words: Any,
) -> list[Reading]:
    """Return what is read of each file: its columns by the caller's word or their usual names.

    Raises:
        ColumnError: a column that is needed, kept or totalled by is not in a file.
    """
    readings: list[Reading] = []
    for reader in readers:
        if not reader.header:  # an empty file has no rows either
            readings.append(Reading(columns={}, keep=(), **words))
            continue
        columns = _chosen(reader, named, given)
        _check_there(reader, (*(word for word in by if word not in DERIVED), *(keep or ())))
        own = tuple(word for word in by if word in reader.header)
        readings.append(Reading(columns=columns, by=own, keep=None if keep is None else tuple(keep), **words))
    return readings


def _chosen(reader: Reader, named: Mapping[str, str], given: Collection[str]) -> dict[str, str]:
    try:
        return find_columns(reader.header, named, given=given)
    except ColumnError as error:
        message = error.message.replace(" this table", f" {reader.source.name}")
        raise type(error)(message, **error.facts) from None


def _check_there(reader: Reader, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in reader.header:
            near = nearest(column, (*reader.header, *DERIVED))
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(reader.header[:20])}"
            raise ColumnError(f"no column {column!r} in {reader.source.name}; {hint}", column=column, columns=reader.header)

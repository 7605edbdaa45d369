"""Files: TOML in, records out.

Reading has two doors. Tables that ship with the package were checked when they were committed and are built as they
stand. Any other table passes the strict door: unknown keys, missing keys and wrong types are collected, all at once.
"""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from tokencost.tariffs.fault import WHOLE, Fault, raise_faults
from tokencost.tariffs.provider import Claim, Provider, Source
from tokencost.tariffs.reading import Reading, Spot, called, shown_value
from tokencost.tariffs.schedule import Calendar
from tokencost.tariffs.tariff import Tariff

if TYPE_CHECKING:
    from pathlib import Path

    from tokencost.tariffs.reading import Doc

__all__ = ["Reading", "build_tariff", "read_calendar", "read_claims", "read_provider", "read_sources", "read_tariff", "read_toml"]

_T = TypeVar("_T")
_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")


def read_toml(path: Path, *, shown: str | None = None) -> Doc:
    """Read one TOML file with exact decimals.

    Raises:
        TableError: the file is not UTF-8 or not TOML; the fault carries the line.
    """
    raw = path.read_bytes()
    try:
        return tomllib.loads(raw.decode("utf-8"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte {raw[error.start]:#04x} is not UTF-8; save the file as UTF-8"
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found.group(1)) if found else 1 + raw.count(b"\n")
        message = f"not TOML: {str(error)[:1].lower()}{str(error)[1:]}; correct it there"
    raise_faults([Fault("T21", shown or path.as_posix(), "", message, line)])
    raise AssertionError  # raise_faults always raises here


def _read(kind: type[_T], doc: Doc, path: str, *, strict: bool, given: Doc, file: Path | None = None) -> _T:
    reading = Reading(path)
    built = reading.build(kind, doc, given=given)
    if strict:
        reading.check(kind, built)
    _raise(reading, file)
    return built


def _raise(reading: Reading, file: Path | None) -> None:
    """Raise what is wrong, with its lines where the file is at hand."""
    if reading.findings and file is not None:
        from tokencost.tariffs.places import located

        raise_faults(located(reading.findings, reading.path, file.read_text(encoding="utf-8")))
    raise_faults(reading.faults)


def _read_all(kind: type[_T], doc: Doc, path: str, *, block: str, strict: bool, file: Path | None) -> list[_T]:
    """Build the records of a file that is nothing but blocks of one kind."""
    reading = Reading(path)
    whole = Spot(WHOLE, "")
    for key in doc.keys() - {block}:
        reading.fault("T01", whole, f"unknown key {key!r}; this file has [[{block}]] blocks only", key)
    rows: Any = doc.get(block, [])
    built: list[_T] = []
    if not isinstance(rows, list):
        reading.fault("T21", whole, f"{block} = {shown_value(rows)}: not a list of blocks; begin each with [[{block}]]", block)
        rows = []
    for n, row in enumerate(cast("list[Any]", rows)):
        if not isinstance(row, dict):
            reading.fault("T21", whole, f"{block} = {shown_value(row)}: not a block; begin each with [[{block}]]", block)
            continue
        found = cast("Doc", row)
        spot = Spot((block, n, None), called(block, found, n))
        built.append(reading.build(kind, found, spot))
        if strict:
            reading.check(kind, built[-1], spot)
    if strict:
        _twice(reading, block, [getattr(record, "id", None) for record in built])
    _raise(reading, file)
    return built


def _twice(reading: Reading, block: str, ids: list[Any]) -> None:
    for n, name in enumerate(ids):
        if isinstance(name, str) and name in ids[:n]:
            spot = Spot((block, n, None), f"{block} {name}")
            reading.fault("T22", spot, f"the id {name!r} is given twice; a name has one meaning, rename one")


def build_tariff(reading: Reading, doc: Doc, tariff_id: str) -> Tariff:
    """Build and strictly check a tariff, collecting what is wrong in the reading instead of raising."""
    built = reading.build(Tariff, doc, given=_tariff_given(tariff_id))
    reading.check(Tariff, built)
    return built


def _tariff_given(tariff_id: str) -> Doc:
    return {"id": tariff_id, "publisher": tariff_id.split("/", 1)[0]}


def read_tariff(doc: Doc, tariff_id: str, *, path: str, strict: bool = True, file: Path | None = None) -> Tariff:
    """Build a tariff from the document of an offering file.

    Raises:
        TableError: unknown or missing keys, wrong types; all of them at once.
    """
    return _read(Tariff, doc, path, strict=strict, given=_tariff_given(tariff_id), file=file)


def read_provider(doc: Doc, provider_id: str, *, path: str, strict: bool = True, file: Path | None = None) -> Provider:
    """Build a provider from the document of its `provider.toml`; `file` is where the lines of faults are looked up."""
    return _read(Provider, doc, path, strict=strict, given={"id": provider_id}, file=file)


def read_sources(doc: Doc, *, path: str, strict: bool = True, file: Path | None = None) -> dict[str, Source]:
    """Build the sources of a provider, by id."""
    return {source.id: source for source in _read_all(Source, doc, path, block="source", strict=strict, file=file)}


def read_calendar(doc: Doc, calendar_id: str, *, path: str, strict: bool = True, file: Path | None = None) -> Calendar:
    """Build a calendar from its file."""
    return _read(Calendar, doc, path, strict=strict, given={"id": calendar_id}, file=file)


def read_claims(doc: Doc, *, path: str, strict: bool = True, file: Path | None = None) -> tuple[Claim, ...]:
    """Build the press claims, in the order of the file."""
    return tuple(_read_all(Claim, doc, path, block="claim", strict=strict, file=file))

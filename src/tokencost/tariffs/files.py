"""Files: TOML in, records out.

Reading has two doors. Tables that ship with the package were checked when they were committed and are built as they
stand. Any other table passes the strict door: unknown keys, missing keys and wrong types are collected, all at once.
"""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tokencost.tariffs.fault import Fault, raise_faults
from tokencost.tariffs.provider import Alias, Claim, Endpoint, NameRule, Provider, Source
from tokencost.tariffs.schedule import Calendar, Schedule, Window
from tokencost.tariffs.tariff import Adjustment, Allowance, Promo, Rate, Tariff, Version

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Reading", "build_tariff", "read_calendar", "read_claims", "read_provider", "read_sources", "read_tariff", "read_toml"]

_T = TypeVar("_T")
Doc = dict[str, Any]

_RENAMED: Final = {"from": "start", "except": "except_calendar"}
_PLURAL: Final = {
    "version": "versions",
    "promo": "promos",
    "allowance": "allowances",
    "endpoint": "endpoints",
    "schedule": "schedules",
    "rule": "rules",
    "alias": "aliases",
}
_PARTS: Final[dict[type[Any], dict[str, type[Any]]]] = {
    Tariff: {"versions": Version, "promos": Promo, "allowances": Allowance},
    Version: {"rates": Rate, "adjustments": Adjustment},
    Promo: {"rates": Rate},
    Provider: {"endpoints": Endpoint, "schedules": Schedule, "rules": NameRule, "aliases": Alias},
    Schedule: {"windows": Window},
}
_ROW_KEYS: Final = frozenset(f.name for f in fields(Rate)) - {"prices"}
_DECIMALS: Final = frozenset({"multiply"})


def read_toml(path: Path, *, shown: str | None = None) -> Doc:
    """Read one TOML file with exact decimals.

    Raises:
        TableError: the file is not UTF-8 or not TOML; the fault carries the line.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise_faults([Fault("T21", shown or path.as_posix(), "", f"not TOML: {error}")])
        raise AssertionError from error  # pragma: no cover - raise_faults always raises here


@cache
def _keys(kind: type[Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return all keys of a record, and those without a default."""
    every = fields(kind)
    needed = (f.name for f in every if f.default is MISSING and f.default_factory is MISSING)
    return frozenset(f.name for f in every), frozenset(needed)


class Reading:
    """One pass over one document: what was built, and what was wrong."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.faults: list[Fault] = []

    def fault(self, code: str, where: str, message: str) -> None:
        """Note a fault and go on."""
        self.faults.append(Fault(code, self.path, where, message))

    def build(self, kind: type[_T], doc: Doc, where: str = "") -> _T | None:
        """Build a record from a document; note every fault; return None where a required key is missing."""
        values: Doc = {}
        known, needed = _keys(kind)
        for key, value in doc.items():
            name = _RENAMED.get(key, key)
            if kind in (Tariff, Provider):
                name = _PLURAL.get(name, name)
            if kind is Rate and name not in _ROW_KEYS:
                values.setdefault("prices", {})[key] = Decimal(value) if type(value) is int else value
            elif name not in known:
                self.fault("T01", where, f"unknown key {key!r}; known are {', '.join(sorted(_toml_keys(kind)))}")
            else:
                values[name] = self._value(kind, name, value, where)
        if kind is Rate:
            values.setdefault("prices", {})
        missing = needed - values.keys()
        for name in sorted(missing):
            code = {"source": "T09", "checked": "T09"}.get(name, "T08" if kind is Promo and name == "until" else "T21")
            self.fault(code, where, f"missing key {_toml_key(kind, name)!r}")
        return None if missing else kind(**values)

    def _value(self, kind: type[Any], name: str, value: Any, where: str) -> Any:
        part = _PARTS.get(kind, {}).get(name)
        if part is not None and isinstance(value, list):
            rows: list[Any] = value
            built = (self.build(part, row, f"{where}{_place(part, row, n)}") for n, row in enumerate(rows, 1) if isinstance(row, dict))
            return tuple(item for item in built if item is not None)
        if isinstance(value, list):
            return tuple(value)
        if type(value) is int and name in _DECIMALS:
            return Decimal(value)
        if kind is Claim and name == "said":
            return {key: Decimal(price) if type(price) is int else price for key, price in value.items()}
        return value

    def check(self, kind: type[Any], built: Any) -> None:
        """Let pydantic check the types of a built record, strictly, and note every fault."""
        from pydantic import TypeAdapter, ValidationError

        try:
            _adapter(kind, TypeAdapter).validate_python(built)
        except ValidationError as error:
            for item in error.errors():
                path = item["loc"]
                what = "T02" if "prices" in path or path[-1:] == ("multiply",) else "T21"
                self.fault(what, _spell(built, path), f"{path[-1]} = {item['input']!r}: {item['msg'].lower()}")


_ADAPTERS: dict[type[Any], Any] = {}


def _adapter(kind: type[Any], factory: Any) -> Any:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = factory(kind)
    return _ADAPTERS[kind]


def _toml_key(kind: type[Any], name: str) -> str:
    names = {new: old for old, new in _RENAMED.items()}
    if kind in (Tariff, Provider):
        names |= {new: old for old, new in _PLURAL.items()}
    return names.get(name, name)


def _toml_keys(kind: type[Any]) -> set[str]:
    return {_toml_key(kind, name) for name in _keys(kind)[0]} - {"id" if kind in (Tariff, Provider) else ""}


def _place(kind: type[Any], row: Doc, number: int) -> str:
    """Name a part of a document as a reader would look for it."""
    word = kind.__name__.lower()
    start = row.get("from")
    if kind in (Version, Promo) and start is not None:
        return f"{word} {str(start)[:19].replace(' ', 'T')}, "
    return f"{'row' if kind is Rate else word} {number}"


def _spell(built: Any, path: tuple[int | str, ...]) -> str:
    """Turn a pydantic location into the words of `_place`."""
    words: list[str] = []
    node = built
    for step in path[:-1]:
        node = node[step] if isinstance(step, int) or isinstance(node, dict) else getattr(node, step)
        if isinstance(step, int):
            start = getattr(node, "start", None)
            words.append(f"{type(node).__name__.lower().replace('rate', 'row')} {str(start)[:19].replace(' ', 'T') if start else step + 1}")
    return ", ".join(words)


def _read(kind: type[_T], doc: Doc, path: str, *, strict: bool) -> _T:
    reading = Reading(path)
    built = reading.build(kind, doc)
    if strict and built is not None:
        reading.check(kind, built)
    raise_faults(reading.faults)
    assert built is not None
    return built


def build_tariff(reading: Reading, doc: Doc, tariff_id: str) -> Tariff | None:
    """Build and strictly check a tariff, collecting faults in the reading instead of raising."""
    provider = tariff_id.split("/", 1)[0]
    built = reading.build(Tariff, {"publisher": provider, **doc, "id": tariff_id})
    if built is not None:
        reading.check(Tariff, built)
    return built


def read_tariff(doc: Doc, tariff_id: str, *, path: str, strict: bool = True) -> Tariff:
    """Build a tariff from the document of an offering file.

    Raises:
        TableError: unknown or missing keys, wrong types; all of them at once.
    """
    provider = tariff_id.split("/", 1)[0]
    return _read(Tariff, {"publisher": provider, **doc, "id": tariff_id}, path, strict=strict)


def read_provider(doc: Doc, provider_id: str, *, path: str, strict: bool = True) -> Provider:
    """Build a provider from the document of its `provider.toml`."""
    return _read(Provider, {**doc, "id": provider_id}, path, strict=strict)


def read_sources(doc: Doc, *, path: str, strict: bool = True) -> dict[str, Source]:
    """Build the sources of a provider, by id."""
    built = [_read(Source, row, path, strict=strict) for row in doc.get("source", [])]
    return {source.id: source for source in built}


def read_calendar(doc: Doc, calendar_id: str, *, path: str, strict: bool = True) -> Calendar:
    """Build a calendar from its file."""
    return _read(Calendar, {**doc, "id": calendar_id}, path, strict=strict)


def read_claims(doc: Doc, *, path: str, strict: bool = True) -> tuple[Claim, ...]:
    """Build the press claims, in the order of the file."""
    return tuple(_read(Claim, row, path, strict=strict) for row in doc.get("claim", []))

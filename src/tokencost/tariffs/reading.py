"""Readings: from the document of a file to records, every fault noted on the way."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

from tokencost.errors import nearest
from tokencost.tariffs.fault import WHOLE, Fault, Finding
from tokencost.tariffs.provider import Alias, Claim, Endpoint, NameRule, Provider
from tokencost.tariffs.schedule import Calendar, Schedule, Window
from tokencost.tariffs.tariff import Adjustment, Allowance, Promo, Rate, Tariff, Version

if TYPE_CHECKING:
    from tokencost.tariffs.fault import Place

__all__ = ["Doc", "Reading", "Spot", "called", "shown_value"]

_T = TypeVar("_T")
Doc = dict[str, Any]
"""A TOML document, or a table in one."""

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
_BLOCKS: Final[dict[type[Any], str]] = {
    Version: "version",
    Promo: "promo",
    Allowance: "allowance",
    Endpoint: "endpoint",
    Schedule: "schedule",
    NameRule: "rule",
    Alias: "alias",
}
_FILES: Final = (Tariff, Provider)
_DATED: Final = ("version", "promo", "schedule")
_LABELS: Final = (("from", "start"), ("id", "id"), ("name", "name"), ("meter", "meter"))
_KEYS: Final = {field: key for key, field in _RENAMED.items()}
_DECIMALS: Final = frozenset({"multiply"})
_LONGEST: Final = 60
_ABSENT: Final = object()
_EXAMPLES: Final = {
    "start": "2025-01-20T00:00:00Z",
    "until": "2025-02-08T16:00:00Z",
    "checked": "2026-11-20",
    "source": '"pricing-en", an id in sources.toml',
    "basis": '"announced"',
    "currency": '"USD"',
    "multiply": "0.5",
    "rates": "[ ... ], one row a line",
    "timezone": '"Asia/Shanghai"',
}
_CURES: Final = {
    "is_instance_of": "not an exact decimal; write a plain number like 0.55, without quotes",
    "finite_number": "not a finite number; write a plain number like 0.55",
    "datetime_type": "not an instant; write it like 2025-01-20T00:00:00Z, without quotes",
    "date_type": "not a day; write it like 2026-11-20, without quotes",
    "string_type": 'not text; write it in quotes, like "text"',
    "int_type": "not a whole number; write it like 200_000, without quotes or decimals",
    "tuple_type": "not a list; write it in brackets, or as [[blocks]]",
    "dict_type": "not a table; write it in braces, like { audio_s = 10 }",
    "dataclass_exact_type": 'not a table; write it in braces, like { currency = "USD", input = 0.55 }',
}
"""The cure for a value of the wrong type, by pydantic's name of the error."""


@cache
def _keys(kind: type[Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return all fields of a record, and those without a default."""
    every = fields(kind)
    needed = (f.name for f in every if f.default is MISSING and f.default_factory is MISSING)
    return frozenset(f.name for f in every), frozenset(needed)


@cache
def _names(kind: type[Any]) -> dict[str, str]:
    """Return the field behind every key that a document of a record may have."""
    made = {new: old for old, new in _RENAMED.items()}
    if kind in _FILES:
        made |= {new: old for old, new in _PLURAL.items()}
    given = {"id"} if kind in (Tariff, Provider, Calendar) else {"prices"} if kind is Rate else set[str]()
    return {made.get(name, name): name for name in _keys(kind)[0] - given}


class Spot(NamedTuple):
    """Where in a document: the place for the line, and in words."""

    place: Place
    where: str


class Reading:
    """One pass over one document: what was built, and what was wrong.

    A record is built even where a key is missing or a value has the wrong type, so that everything wrong is found at once; it is
    fit for use only where there are no `findings`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.findings: list[Finding] = []

    @property
    def faults(self) -> list[Fault]:
        """What was wrong, as faults of this file."""
        return [Fault(f.code, self.path, f.where, f.message) for f in self.findings]

    @property
    def unsound(self) -> frozenset[tuple[str, int]]:
        """The blocks that have a missing key or a value of the wrong type; ("", 0) is the top of the file."""
        return frozenset(f.place[:2] for f in self.findings if f.code != "T01")

    def fault(self, code: str, spot: Spot, message: str, key: str | None = None) -> None:
        """Note a fault and go on."""
        self.findings.append(Finding(code, spot.place, spot.where, message, key))

    def build(self, kind: type[_T], doc: Doc, spot: Spot | None = None, *, given: Doc | None = None) -> _T:
        """Build a record from a document and note every fault; `given` are fields that the document does not have."""
        spot = spot or Spot(WHOLE, "")
        values: Doc = dict(given or {})
        names = _names(kind)
        for key, value in doc.items():
            name = names.get(key)
            if name is not None:
                values[name] = self._value(kind, name, value, spot, key)
            elif kind is Rate and key != "prices":
                values.setdefault("prices", {})[key] = Decimal(value) if type(value) is int else value
            else:
                near = nearest(key, names)
                cure = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(names))}"
                self.fault("T01", spot, f"unknown key {key!r}; {cure}", key)
        if kind is Rate:
            values.setdefault("prices", {})
        for name in sorted(_keys(kind)[1] - values.keys()):
            values[name] = _ABSENT
            code = {"source": "T09", "checked": "T09"}.get(name, "T08" if kind is Promo and name == "until" else "T21")
            key = _toml_key(kind, name)
            self.fault(code, spot, f"missing key {key!r}; write it like {key} = {_EXAMPLES.get(name, '...')}")
        make: Any = kind
        return make(**values)

    def _value(self, kind: type[Any], name: str, value: Any, spot: Spot, key: str) -> Any:
        part = _PARTS.get(kind, {}).get(name)
        if isinstance(value, list):
            rows = cast("list[Any]", value)
            if part is None:
                return tuple(rows)
            # a row that is no table is refused by `check`
            return tuple(self._part(part, row, n, spot) if isinstance(row, dict) else row for n, row in enumerate(rows))
        if isinstance(value, datetime) and value.tzinfo is None:
            self.fault("T21", spot, f"{key} = {value.isoformat()} names no offset; write it like {value.isoformat()}Z", key)
        if type(value) is int and name in _DECIMALS:
            return Decimal(value)
        if kind is Claim and name == "said" and isinstance(value, dict):
            said = cast("Doc", value)
            return {meter: Decimal(price) if type(price) is int else price for meter, price in said.items()}
        return value

    def _part(self, part: type[Any], row: Any, number: int, inside: Spot) -> Any:
        return self.build(part, row, _spot(part, row, number, inside))

    def check(self, kind: type[Any], built: Any, spot: Spot | None = None) -> None:
        """Let pydantic check the types of a built record, strictly, and note every fault."""
        from pydantic import TypeAdapter, ValidationError

        try:
            _adapter(kind, TypeAdapter).validate_python(built)
        except ValidationError as error:
            for item in error.errors():
                if item["input"] is _ABSENT:
                    continue  # said when it was built
                path = item["loc"]
                code = "T02" if {"prices", "said", "multiply"}.intersection(path) else "T21"
                key = next((step for step in reversed(path) if isinstance(step, str)), None)
                key = _toml_key(kind, key) if key and len(path) == 1 else _KEYS.get(key or "", key)
                cure = _CURES.get(item["type"]) or _expected(item) or item["msg"].lower()
                self.fault(code, _spot_of(built, path, spot), f"{key} = {shown_value(item['input'])}: {cure}", key)


_ADAPTERS: dict[type[Any], Any] = {}


def _adapter(kind: type[Any], factory: Any) -> Any:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = factory(kind)
    return _ADAPTERS[kind]


def _expected(item: Any) -> str | None:
    words = item.get("ctx", {}).get("expected")
    return f"not a word that is known here; write {words}" if words else None


def shown_value(value: Any) -> str:
    """Return a value as it may stand in the file, cut where it is long."""
    text = value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _toml_key(kind: type[Any], name: str) -> str:
    return next((key for key, field in _names(kind).items() if field == name), name)


def _spot(kind: type[Any], row: Doc, number: int, inside: Spot) -> Spot:
    """Return where a part of a document stands, in the words in which a reader would look for it."""
    block = _BLOCKS.get(kind)
    if block is not None:
        return Spot((block, number, None), called(block, row, number))
    if kind is Adjustment:
        return Spot(inside.place, f"{inside.where}, adjustment {number + 1}")
    return Spot((*inside.place[:2], number), f"{inside.where}, row {number + 1}")


def called(block: str, row: Doc, number: int) -> str:
    """Return the words for a block: its name and its start, or its number where it has neither."""
    words = [word for word in (row.get("id"), row.get("name"), row.get("meter")) if isinstance(word, str)][:1]
    if block in _DATED and isinstance(start := row.get("from"), datetime):
        words.append(f"{start:%Y-%m-%d}")
    return " ".join([block, *(words or [str(number + 1)])])


def _spot_of(built: Any, path: tuple[int | str, ...], spot: Spot | None) -> Spot:
    """Return where a pydantic location stands."""
    found = spot or Spot(WHOLE, "")
    node = built
    for step, at in pairwise(path):
        part: type[Any] | None = _PARTS.get(cast("type[Any]", type(node)), {}).get(str(step))
        if part is not None and isinstance(at, int):
            node = getattr(node, str(step))[at]
            found = _spot(part, {key: getattr(node, field, None) for key, field in _LABELS}, at, found)
    return found

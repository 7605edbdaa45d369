"""Canonical TOML: the one way to write a record, so that a price change is a one-line diff."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from tokencost.exact import plain
from tokencost.tariffs.clock import iso
from tokencost.tariffs.tariff import SERVICE_TIERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokencost.tariffs.provider import Provider, Source
    from tokencost.tariffs.tariff import Rate, Tariff

__all__ = ["provider_text", "sources_text", "tariff_text", "toml_value"]

_TOML_KEYS: Final = {"start": "from", "except_calendar": "except"}
_SELECTORS: Final = (
    "currency",
    "service_tier",
    "mode",
    "residency",
    "window",
    "above",
    "at_or_above",
    "up_to",
    "above_output",
    "at_or_above_output",
    "up_to_output",
)
_VERSION_KEYS: Final = (
    "start",
    "until",
    "basis",
    "announced",
    "status",
    "source",
    "checked",
    "schedule",
    "served",
    "note",
    "correction",
    "allow",
    "minimum",
    "multiply",
    "meters",
    "rates",
    "adjustments",
)
_DEFAULTS: Final[dict[str, Any]] = {
    "status": "in_force",
    "tiering": "cliff",
    "tier_on": "input_total",
    "service_tier": "standard",
    "decided": "unstated",
    "except_calendar": None,
}
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def tariff_text(tariff: Tariff, *, head: str = "") -> str:
    """Return a tariff as the text of its file.

    `head` is a block of comment lines to keep at the top.
    """
    pairs = [(key, getattr(tariff, key)) for key in ("title", "publisher", "tiering", "tier_on", "vat", "note")]
    if tariff.publisher == tariff.provider:
        pairs = [(key, value) for key, value in pairs if key != "publisher"]
    blocks = ["".join(_lines(pairs))] if any(_kept(key, value) for key, value in pairs) else []
    blocks += [_block("version", ((key, getattr(v, key)) for key in _VERSION_KEYS if hasattr(v, key))) for v in tariff.versions]
    blocks += [_block("promo", ((key, getattr(p, key)) for key in _VERSION_KEYS if hasattr(p, key))) for p in tariff.promos]
    keys = ("meter", "quantity", "per", "start", "until", "source", "checked", "note")
    blocks += [_block("allowance", ((key, getattr(a, key)) for key in keys)) for a in tariff.allowances]
    return head + "\n".join(blocks)


def provider_text(provider: Provider, *, head: str = "") -> str:
    """Return a provider as the text of its `provider.toml`."""
    top = ("name", "kind", "default", "decided", "vat", "namespace", "pricing", "note")
    blocks = ["".join(_lines((key, getattr(provider, key)) for key in top))]
    parts: list[tuple[str, Iterable[Any], tuple[str, ...]]] = [
        ("endpoint", provider.endpoints, ("id", "name", "note")),
        (
            "schedule",
            provider.schedules,
            ("id", "start", "until", "timezone", "decided", "default", "windows", "basis", "source", "checked", "note"),
        ),
        ("rule", provider.rules, ("kind", "pattern", "drops", "endpoint", "note")),
        ("alias", provider.aliases, ("name", "offering", "start", "until", "source", "checked", "note")),
    ]
    for name, records, keys in parts:
        blocks += [_block(name, ((key, getattr(record, key)) for key in keys)) for record in records]
    return head + "\n".join(blocks)


def sources_text(sources: Iterable[Source], *, head: str = "") -> str:
    """Return sources as the text of `sources.toml`."""
    keys = ("id", "url", "kind", "title", "note")
    return head + "\n".join(_block("source", ((key, getattr(source, key)) for key in keys)) for source in sources)


def _block(name: str, pairs: Iterable[tuple[str, Any]]) -> str:
    return "".join([f"[[{name}]]\n", *_lines(pairs)])


def _kept(key: str, value: Any) -> bool:
    return value is not None and value not in ((), {}) and value != _DEFAULTS.get(key, ...)


def _lines(pairs: Iterable[tuple[str, Any]]) -> Iterator[str]:
    kept = [(_TOML_KEYS.get(key, key), key, value) for key, value in pairs if _kept(key, value)]
    width = max((len(shown) for shown, _, _ in kept if shown not in ("rates", "adjustments", "windows")), default=0)
    for shown, key, value in kept:
        if key == "rates":
            yield _rows_text("rates", (_row(row) for row in _ordered(value)))
        elif key == "adjustments":
            yield _rows_text(
                key,
                (_inline((k, getattr(a, k)) for k in ("service_tier", "residency", "multiply", "meters", "source", "note")) for a in value),
            )
        elif key == "windows":
            yield _rows_text(key, (_inline((k, getattr(w, k)) for k in ("window", "days", "hours", "except_calendar")) for w in value))
        else:
            yield f"{shown:<{width}} = {toml_value(value)}\n"


def _rows_text(name: str, rows: Iterable[str]) -> str:
    return f"{name} = [\n" + "".join(f"  {row},\n" for row in rows) + "]\n"


def _ordered(rows: Iterable[Rate]) -> list[Rate]:
    rows = list(rows)
    currencies = list(dict.fromkeys(row.currency for row in rows))
    windows = list(dict.fromkeys(row.window for row in rows))
    return sorted(
        rows,
        key=lambda row: (
            currencies.index(row.currency),
            SERVICE_TIERS.index(row.service_tier) if row.service_tier in SERVICE_TIERS else len(SERVICE_TIERS),
            row.mode or "",
            row.residency or "",
            windows.index(row.window),
            row.first_input,
            row.first_output,
        ),
    )


def _row(row: Rate) -> str:
    pairs = [*((key, getattr(row, key)) for key in _SELECTORS), *row.prices.items(), ("source", row.source), ("note", row.note)]
    return _inline(pairs)


def _inline(pairs: Iterable[tuple[str, Any]]) -> str:
    inner = ", ".join(f"{_TOML_KEYS.get(key, key)} = {toml_value(value)}" for key, value in pairs if _kept(key, value))
    return f"{{ {inner} }}"


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it, tables inline.

    >>> toml_value({"0.5": [1, 2], "zone": "UTC"})
    '{ "0.5" = [1, 2], zone = "UTC" }'
    """
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(toml_value(item) for item in cast('Iterable[Any]', value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {toml_value(item)}' for key, item in cast('dict[str, Any]', value).items())} }}"
    return _scalar(value)


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else _string(key)


def _scalar(value: Decimal | datetime | date | int | str) -> str:
    if isinstance(value, Decimal):
        text = format(plain(value), "f")
        return text if "." in text else f"{text}.0"
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int) else _string(value)


def _string(text: str) -> str:
    controls = any(char < " " or char == "\x7f" for char in text)
    if "\\" in text and "'" not in text and not controls:
        return f"'{text}'"
    escaped = "".join(_ESCAPES.get(char) or (f"\\u{ord(char):04x}" if char < " " or char == "\x7f" else char) for char in text)
    return f'"{escaped}"'

"""Files of cache rules: TOML in, rules out, everything wrong said at once."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from tokencost.errors import TableError, UnknownNameError, UsageError, nearest
from tokencost.tariffs.fault import Fault
from tokencost.tariffs.files import read_toml
from tokencost.tariffs.shipped import shipped_folder
from tokencost.workloads.cache_rule import RULE_KEYS, CacheRule, CacheRules

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["load_cache_rules"]

_NEEDED: Final = ("id", "kind", "granularity", "minimum", "lifetime_s", "renewed", "url", "checked")
_SOURCED: Final = frozenset({"url", "checked"})
_ENDS: Final = frozenset({"least", "most", "used"})
_TEXTS: Final = ("url", "title", "note")


def load_cache_rules(path: str | Path | None = None) -> CacheRules:
    """Return the shipped cache rules by id, or those of one's own: a TOML file, or a folder of them.

    >>> import tokencost as tc
    >>> rules = tc.load_cache_rules()
    >>> rules["deepseek"].granularity, rules["openai"].lifetime_text
    (64, '5 min to 1 h, 5 min used')

    Raises:
        TableError: there is no such file, or rules in it do not hold; all faults are listed.
    """
    root = _shipped() if path is None else Path(path)
    files = sorted(root.glob("*.toml")) if root.is_dir() else [root]
    if not files or not all(file.is_file() for file in files):
        raise TableError(f"no cache rules at {str(root)!r}; pass a TOML file with [[rule]] blocks or a folder of such files", faults=())
    rules = CacheRules()
    faults: list[Fault] = []
    for file in files:
        for rule in _rules(file, faults):
            if rule.id in rules:
                faults.append(_fault(file, rule.id, "T22", "stands twice; give each rule an id of its own"))
            rules[rule.id] = rule
    if faults:
        head = f"{len(faults)} fault{'s' * (len(faults) > 1)} in cache rules"
        raise TableError("\n  ".join([head, *map(str, faults)]), faults=tuple(faults))
    return rules


def _shipped() -> Path:
    return shipped_folder("cache_rules")


def _fault(file: Path, rule: object, code: str, message: str) -> Fault:
    return Fault(code, file.name, f"rule {rule}", message)


def _rules(file: Path, faults: list[Fault]) -> Iterator[CacheRule]:
    """Yield the rules of a file that can be built, and note what is wrong with the others."""
    document = read_toml(file, shown=file.name)
    odd = sorted(document.keys() - {"rule"})
    faults.extend(Fault("T01", file.name, "", f"unknown key {key!r}; a file of cache rules has [[rule]] blocks only") for key in odd)
    rows: object = document.get("rule")
    if not isinstance(rows, list) or not rows:
        faults.append(Fault("T21", file.name, "", "has no rule; add a [[rule]] block"))
        return
    for number, row in enumerate(cast("list[object]", rows), 1):
        if not isinstance(row, dict):
            faults.append(_fault(file, number, "T21", f"{row!r} is no block; begin each rule with [[rule]]"))
            continue
        block = cast("dict[str, Any]", row)
        said = list(_said(block))
        if said:
            faults.extend(_fault(file, block.get("id", number), code, message) for code, message in said)
            continue
        try:
            yield CacheRule(**_values(block), provider=file.stem)
        except (UsageError, UnknownNameError) as error:
            faults.append(_fault(file, block["id"], "T21", error.message))


def _said(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the keys of a block, by the code of the check."""
    for key in sorted(row.keys() - RULE_KEYS):
        near = nearest(key, RULE_KEYS)
        yield "T01", f"unknown key {key!r}; " + (f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(RULE_KEYS))}")
    for key in _NEEDED:
        if key not in row:
            yield "T09" if key in _SOURCED else "T21", f"missing key {key!r}; a rule has {', '.join(_NEEDED)}"
    if "checked" in row and (isinstance(row["checked"], datetime) or not isinstance(row["checked"], date)):
        yield "T09", f"checked = {row['checked']!r} is no day; write it like 2026-11-20, without quotes"
    for key in _TEXTS:
        if key in row and not isinstance(row[key], str):
            yield "T21", f'{key} = {row[key]!r} is not text; write it in quotes, like "text"'
    if not isinstance(row.get("minimum_of", {}), dict):
        yield "T21", f'minimum_of = {row["minimum_of"]!r} is no table; write it like {{ "model-*" = 2048 }}'
    chosen: object = row.get("chosen", [])
    if not isinstance(chosen, list) or not all(isinstance(name, str) for name in cast("list[object]", chosen)):
        yield "T21", f'chosen = {chosen!r} is no list of keys; write it like ["granularity"]'
    span: object = row.get("lifetime_s")
    if isinstance(span, dict) and ("used" not in span or cast("dict[str, Any]", span).keys() - _ENDS):
        yield "T21", f"lifetime_s = {span!r} is no span; write it like {{ least = 300, most = 3600, used = 300 }}, where used is needed"


def _values(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a rule from its block."""
    span: object = row["lifetime_s"]
    stated = cast("dict[str, Any]", span) if isinstance(span, dict) else {"least": span, "most": span, "used": span}
    ends = {"lifetime_s": stated["used"], "lifetime_least_s": stated.get("least"), "lifetime_most_s": stated.get("most")}
    return {**row, **ends, "chosen": tuple(row.get("chosen", ()))}

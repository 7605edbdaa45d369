"""The examples of docs/reference/checks.md: lines with a fault, and what is said of them."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from tokencost.tariffs.lint import lint_tables

if TYPE_CHECKING:
    from pathlib import Path

    from tokencost.tariffs.fault import Fault

__all__ = ["Example", "examples", "faults_of"]

_BLOCK = re.compile(r"^```(toml|text) *([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DEFAULTS = {"from": "2024-01-01T00:00:00Z", "basis": '"announced"', "source": '"page"', "checked": "2026-11-20"}
_PROVIDER = 'name    = "Acme"\nkind    = "publisher"\ndefault = "global"\n'
_SOURCES = '[[source]]\nid   = "page"\nurl  = "https://example.org"\nkind = "official_page"\n'
_ROW = 'rates = [\n  { currency = "USD", input = 0.55, output = 2.19 },\n]\n'


class Example(NamedTuple):
    """One code of the page: its sentence, the lines of each file, what is said, and where that stands in the page."""

    code: str
    sentence: str
    files: dict[str, str]
    base: str | None
    on: date | None
    said: str
    start: int
    end: int


def examples(text: str) -> list[Example]:
    """Return the examples of the page, in its order."""
    found: list[Example] = []
    heads = list(re.finditer(r"^## (T\d\d)\n\n\*\*(.+)\*\*$", text, re.MULTILINE))
    for head, end in zip(heads, [*(h.start() for h in heads[1:]), len(text)], strict=True):
        files, base, on, said = {}, None, None, None
        for block in _BLOCK.finditer(text, head.end(), end):
            kind, words, lines = block[1], block[2].split(), block[3]
            if kind == "text":
                said = block
            elif words[0] == "base":
                base = _whole(lines)
            else:
                files["provider" if "provider" in words else "offering"] = lines
                on = next((date.fromisoformat(word.removeprefix("on=")) for word in words if word.startswith("on=")), on)
        assert said is not None, f"{head[1]} shows no message"
        found.append(Example(head[1], head[2], files, base, on, said[3], said.start(3), said.end(3)))
    return found


def faults_of(example: Example, folder: Path) -> list[Fault]:
    """Write the files of an example around its lines, and return the faults that are found."""
    tables = folder / "tables"
    _write(tables / "acme" / "provider.toml", _PROVIDER + ("\n" + example.files["provider"] if "provider" in example.files else ""))
    _write(tables / "acme" / "sources.toml", _SOURCES)
    _write(tables / "acme" / "global" / "m.toml", _whole(example.files.get("offering", _ROW)))
    base = None
    if example.base is not None:
        base = folder / "base"
        _write(base / "acme" / "provider.toml", _PROVIDER)
        _write(base / "acme" / "sources.toml", _SOURCES)
        _write(base / "acme" / "global" / "m.toml", example.base)
    return lint_tables(tables, on=example.on, base=base)


def _whole(lines: str) -> str:
    if "[[" in lines:
        return lines
    wanted = {key: value for key, value in _DEFAULTS.items() if not re.search(rf"^{key}\s*=", lines, re.MULTILINE)}
    given = dict(re.findall(r"^(\w+)\s*= (\S.*)$", lines.split("rates = [", maxsplit=1)[0], re.MULTILINE))
    order = ("from", "basis", "status", "source", "checked", "schedule")
    both = {**wanted, **given}
    width = max(map(len, both))
    head = "".join(f"{key:<{width}} = {both[key]}\n" for key in order if key in both)
    return "[[version]]\n" + head + "rates = [" + lines.split("rates = [", 1)[1]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

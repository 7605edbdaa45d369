"""The reference of price wars, made from the docstrings: one section for each name of `tokencost.war`.

python tools/war_page.py [--check]
"""

from __future__ import annotations

import ast
import builtins
import doctest
import inspect
import re
import sys
from pathlib import Path
from textwrap import dedent, fill
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "tests" / "docs")]

from tokencost import war  # noqa: E402

from signatures import shown  # noqa: E402  # isort: skip

__all__ = ["main", "page"]

PAGE = REPOSITORY / "docs" / "reference" / "war.md"
WIDTH = 120
INTRO = (
    "What `tokencost.war` has: moves and wars, buyers, sellers, demand, equilibria, chance, and indexes. The most used names are "
    "at the top as well, as `tc.play`. Bills, lists and moves are exact; demand, equilibria, indexes and draws are 64-bit floats, and say "
    "so. How to use them: [play a price war](../how-to/play-a-price-war.md), [price indexes](../explanation/price-indexes.md)."
)
_LINK = re.compile(r"\[([\w.]+)\]\[\]")


def page() -> str:
    """Return the text of the page."""
    parts = ["# Price wars", fill(INTRO, width=WIDTH, break_long_words=False, break_on_hyphens=False), _contents()]
    for group, names in war.GROUPS.items():
        parts.append(f"## {group}")
        parts += [_section(name) for name in names]
    return "\n\n".join(parts) + "\n"


def _contents() -> str:
    rows = [
        f"- [{group}](#{group.lower().replace(' ', '-')}): " + ", ".join(f"[`{name}`](#{name.lower()})" for name in names)
        for group, names in war.GROUPS.items()
    ]
    return "\n".join(fill(row, width=WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) for row in rows)


def _section(name: str) -> str:
    found = getattr(war, name)
    text, example = _told(found)
    prose, _, raised = text.partition("Raises:\n")
    parts = [f"### `{name}`", *(_paragraph(part) for part in prose.strip().split("\n\n") if part.strip())]
    parts.append(f"```python signature\n{shown(name, war)}```")
    if raised:
        rows = [" ".join(row.split()) for row in re.split(r"\n(?=\S)", dedent(raised).strip())]
        listed = (re.sub(r"^([\w, ]+): ", lambda m: ", ".join(f"`{kind.strip()}`" for kind in m[1].split(",")) + ": ", row) for row in rows)
        parts.append("Raises:\n\n" + "\n".join(fill(f"- {row}", width=WIDTH, subsequent_indent="  ") for row in listed))
    if example:
        parts.append(f"```python\n{_imports(found, example)}{example}```")
    return "\n\n".join(parts)


def _paragraph(text: str) -> str:
    lines = text.splitlines()
    if any(line.startswith((" ", "- ", "* ")) for line in lines):
        return text
    plain = _LINK.sub(r"`\1`", " ".join(text.split()))
    return fill(plain, width=WIDTH, break_long_words=False, break_on_hyphens=False)


def _told(found: Any) -> tuple[str, str]:
    """Return the prose of a docstring and its example."""
    text = inspect.getdoc(found) or ""
    example: list[str] = []
    prose: list[str] = []
    for block in re.split(r"\n\n", text):
        (example if block.lstrip().startswith(">>>") else prose).append(block)
    return "\n\n".join(prose), "".join(f"{block.rstrip()}\n" for block in example)


def _imports(found: Any, example: str) -> str:
    """Return the imports that an example leaves to its module."""
    source = "\n".join(part.source for part in doctest.DocTestParser().get_examples(example))
    tree = ast.parse(source)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {
        (alias.asname or alias.name) for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound - set(dir(builtins))
    home = vars(sys.modules[found.__module__])
    lines: dict[str, list[str]] = {}
    for name in sorted(used):
        value = home.get(name)
        if name in war.__all__:
            lines.setdefault("from tokencost.war import ", []).append(name)
        elif inspect.ismodule(value):
            lines[f"import {value.__name__} as {name}"] = []
        elif value is not None:
            lines.setdefault(f"from {value.__module__} import ", []).append(name)
    return "".join(f">>> {start}{', '.join(names)}\n" for start, names in sorted(lines.items()))


def main() -> int:
    """Write the page, or check that it is current."""
    text = page()
    current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
    if "--check" in sys.argv[1:]:
        print("current" if current else "docs/reference/war.md is not current; run python tools/war_page.py")
        return int(not current)
    if not current:
        PAGE.write_text(text, encoding="utf-8")
        print("docs/reference/war.md written")
    return 0


if __name__ == "__main__":
    sys.exit(main())

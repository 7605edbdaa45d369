"""Places: from what a check names to the line of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tokencost.tariffs.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokencost.tariffs.fault import Finding, Place

__all__ = ["calendar_lines", "comment_below", "first_difference", "located"]

_TEXT_OR_COMMENT: Final = re.compile(
    r"\"\"\"(?:\\.|[^\\])*?\"{3,5}|'''.*?'{3,5}|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|#[^\n]*",
    re.DOTALL,
)
_BLOCK: Final = re.compile(r"^[ \t]*\[\[?[ \t]*([^\]\s]+)[ \t]*\]", re.MULTILINE)
_ROWS: Final = re.compile(r"^[ \t]*(?:rates|windows)[ \t]*=[ \t]*\[", re.MULTILINE)


def located(findings: Iterable[Finding], shown: str, text: str) -> Iterator[Fault]:
    """Yield findings as faults of a file, each with its line in the text."""
    found = list(findings)
    bare = _blanked(text) if found else ""
    for finding in found:
        yield Fault(finding.code, shown, finding.where, finding.message, _line(bare, finding.place, finding.key))


def _line(bare: str, place: Place, key: str | None) -> int | None:
    """Return the line of a block, of a row in it, or of a key in either; None for the file as a whole."""
    block, number, row = place
    heads = list(_BLOCK.finditer(bare))
    own = [n for n, head in enumerate(heads) if head.group(1) == block]
    found: int | None = None
    begin, end = 0, heads[0].start() if heads else len(bare)
    if number < len(own):
        at = own[number]
        found = begin = heads[at].start()
        end = heads[at + 1].start() if at + 1 < len(heads) else len(bare)
    if row is not None:
        found, end = _row(bare, begin, end, row)
        begin = found
    if key is not None and (match := re.compile(rf"(?<![\w.-]){re.escape(key)}[ \t]*[=.]").search(bare, begin, end)):
        found = match.start()
    return None if found is None else bare.count("\n", 0, found) + 1


def _row(bare: str, begin: int, end: int, row: int) -> tuple[int, int]:
    """Return where a row of an array of inline tables begins and ends; the array itself where it has fewer rows."""
    opening = _ROWS.search(bare, begin, end)
    if opening is None:
        return begin, end
    depth, seen, start = 0, -1, opening.start()
    for at in range(opening.end(), end):
        char = bare[at]
        if char == "{":
            seen += depth == 0
            start = at if depth == 0 and seen == row else start
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0 and seen == row:
                return start, at
        elif char == "]" and depth == 0:
            break
    return opening.start(), end


def _blanked(text: str) -> str:
    """Return the text with strings and comments blanked out, every line and column where it was."""
    return _TEXT_OR_COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def comment_below(text: str, head: str) -> int | None:
    """Return the line of the first comment that is not in the head, None where there is none."""
    below = len(text) - len(text.split("\n", head.count("\n"))[-1])
    comments = (match.start() for match in _TEXT_OR_COMMENT.finditer(text, below) if match.group().startswith("#"))
    first = next(comments, None)
    return None if first is None else text.count("\n", 0, first) + 1


def calendar_lines(findings: Iterable[Finding], shown: str, text: str) -> Iterator[Fault]:
    """Yield the findings on a calendar as faults; where one names a key and a day, its line is that day's last one under the key."""
    for finding in findings:
        key, _, day = finding.where.partition(" ")
        begins = re.search(rf"^{re.escape(key)}\s*=", text, flags=re.MULTILINE)
        line = None
        if begins is not None:
            upto = text.find("]", begins.end()) if day else begins.end()
            at = text.rfind(day, begins.start(), upto) if day else begins.start()
            line = text.count("\n", 0, max(at, begins.start())) + 1
        yield Fault(finding.code, shown, finding.where, finding.message, line)


def first_difference(text: str, other: str) -> int:
    r"""Return the first line in which two texts differ.

    >>> first_difference("a\nb\n", "a\nc\n")
    2
    """
    pairs = zip([*text.split("\n"), ""], [*other.split("\n"), ""], strict=False)
    return next((number for number, (left, right) in enumerate(pairs, 1) if left != right), 1)

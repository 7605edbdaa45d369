"""Estimates: about how many tokens a text has where its tokenizer cannot be had.

Characters and runs of characters are counted by class, and each class has a weight. The weights and the error of the estimate are
measured against the tokenizers that can be had, by the script benchmarks/token_counts.py, and ship as a table.
"""

from __future__ import annotations

from functools import cache
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.tariffs.files import read_toml
from tokencost.workloads.tokenizers import data_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.uint32]

__all__ = ["CLASSES", "ErrorBand", "Estimate", "counts_of", "estimate_tokens", "kind_of"]

CLASSES: Final = (
    "word",
    "letter_after_6",
    "accented_letter",
    "change_of_case",
    "capital",
    "letter_meets_digit",
    "number",
    "digit_after_3",
    "mark",
    "mark_again",
    "line",
    "indent",
    "blank",
    "han",
    "kana",
    "hangul",
    "wide_mark",
    "two_byte",
    "three_byte",
    "four_byte",
)
"""What is counted. A word, number, line or indent is a run; the others are characters, or places where two kinds meet."""

_CHUNK: Final = 1 << 20
_SPACE, _LINE, _BLANK, _LOWER, _UPPER, _DIGIT, _MARK, _ACCENTED, _HAN, _KANA, _HANGUL, _WIDE, _TWO, _THREE, _FOUR = range(15)
_RANGES: Final = (
    (0x80, 0xBF, _MARK),
    (0xC0, 0x24F, _ACCENTED),
    (0x250, 0x7FF, _TWO),
    (0x1E00, 0x1EFF, _ACCENTED),
    (0x2000, 0x206F, _MARK),
    (0x3000, 0x303F, _WIDE),
    (0x3040, 0x30FF, _KANA),
    (0x3100, 0x33FF, _THREE),
    (0x3400, 0x9FFF, _HAN),
    (0xAC00, 0xD7AF, _HANGUL),
    (0xF900, 0xFAFF, _HAN),
    (0xFF00, 0xFFEF, _WIDE),
)
_RARE_HAN: Final = (0x20000, 0x40000)
_LONG_WORD: Final = 6
_LONG_NUMBER: Final = 3
_MOST: Final = 2


class ErrorBand(NamedTuple):
    """Where the true count lies, as shares of the estimate: 90 of 100 measured counts lie between `low` and `high`."""

    low: float
    high: float
    counts: int


class Estimate(NamedTuple):
    """An estimated number of tokens, its bounds, the kind of text it was taken for, and the error measured on that kind."""

    tokens: int
    low: int
    high: int
    kind: str
    band: ErrorBand


def estimate_tokens(text: str) -> Estimate:
    """Estimate the tokens of a text under a tokenizer that is not known.

    >>> estimate_tokens("").tokens
    0
    """
    weights, bands = _measured()
    counts = counts_of(text)
    kind = kind_of(counts)
    tokens = sum(weights[name] * count for name, count in counts.items())
    band = bands[kind]
    if not text:
        return Estimate(0, 0, 0, kind, band)
    most = len(text.encode("utf-8", "surrogatepass")) if len(text) < _CHUNK else 4 * len(text)
    low, high = max(1, floor(tokens * band.low) - 1), min(most, ceil(tokens * band.high) + 1)
    return Estimate(min(max(1, round(tokens)), most), min(low, most), high, kind, band)


def kind_of(counts: Mapping[str, int]) -> str:
    """Return the kind of text: `east_asian` or `other_script` where most of what is written is so, else `latin`.

    >>> kind_of({"han": 12, "word": 3})
    'east_asian'
    """
    east = sum(counts.get(name, 0) for name in ("han", "kana", "hangul"))
    other = sum(counts.get(name, 0) for name in ("two_byte", "three_byte", "four_byte"))
    words = sum(counts.get(name, 0) for name in ("word", "number", "mark", "change_of_case"))
    if east >= max(other, words) and east:
        return "east_asian"
    return "other_script" if other > words else "latin"


def counts_of(text: str) -> dict[str, int]:
    """Count a text by class, a million characters at a time.

    >>> {name: count for name, count in counts_of("Two words, 12345").items() if count}
    {'word': 2, 'number': 1, 'digit_after_3': 2, 'mark': 1}
    """
    totals: dict[str, int] = dict.fromkeys(CLASSES, 0)
    for start in range(0, len(text), _CHUNK):
        for name, count in _counts(text[start : start + _CHUNK]).items():
            totals[name] += count
    return totals


def _counts(chunk: str) -> dict[str, int]:
    import numpy as np

    codes = np.frombuffer(chunk.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kinds = _table()[np.minimum(codes, 0x10000)]
    kinds[(codes >= _RARE_HAN[0]) & (codes < _RARE_HAN[1])] = _HAN
    amounts = np.bincount(kinds, minlength=15).tolist()
    lower, upper, digit = kinds == _LOWER, kinds == _UPPER, kinds == _DIGIT
    letter = lower | upper | (kinds == _ACCENTED)
    words, numbers, marks = (_runs(kind) for kind in (letter, digit, kinds == _MARK))
    lines, spaces = _runs(kinds == _LINE), _runs(kinds == _SPACE)
    meets = int(np.count_nonzero(letter[1:] & digit[:-1]) + np.count_nonzero(letter[:-1] & digit[1:]))
    changes = int(np.count_nonzero(lower[:-1] & upper[1:]))
    made = {
        "word": len(words),
        "letter_after_6": int(np.maximum(words - _LONG_WORD, 0).sum()),
        "accented_letter": amounts[_ACCENTED],
        "change_of_case": changes,
        "capital": int(np.count_nonzero(upper[:-1] & upper[1:])),
        "letter_meets_digit": meets,
        "number": len(numbers),
        "digit_after_3": int(np.maximum(numbers - _LONG_NUMBER, 0).sum()),
        "mark": len(marks),
        "mark_again": int(np.maximum(marks - 1, 0).sum()),
        "line": len(lines),
        "indent": int(np.count_nonzero(spaces >= _MOST)),
    }
    names = ("blank", "han", "kana", "hangul", "wide_mark", "two_byte", "three_byte", "four_byte")
    kinds_of_names = (_BLANK, _HAN, _KANA, _HANGUL, _WIDE, _TWO, _THREE, _FOUR)
    return made | {name: amounts[kind] for name, kind in zip(names, kinds_of_names, strict=True)}


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the lengths of the runs of true."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return edges[1::2] - edges[::2]


@cache
def _table() -> NDArray[np.uint8]:
    """Return the class of every character below 0x10000, and of those above at the end."""
    import numpy as np

    table = np.full(0x10001, _THREE, dtype=np.uint8)
    table[:0x80] = _MARK
    table[:0x20] = table[0x7F] = _BLANK
    for first, last, kind in (*_RANGES, (0x30, 0x39, _DIGIT), (0x41, 0x5A, _UPPER), (0x61, 0x7A, _LOWER)):
        table[first : last + 1] = kind
    table[[0x0A, 0x0D]] = _LINE
    table[0x20] = _SPACE
    table[0x10000] = _FOUR
    return table


@cache
def _measured() -> tuple[dict[str, float], dict[str, ErrorBand]]:
    document: Mapping[str, Any] = read_toml(data_folder() / "estimate.toml")
    weights = {name: float(document["weight"][name]) for name in CLASSES}
    return weights, {row["kind"]: ErrorBand(float(row["low"]), float(row["high"]), row["counts"]) for row in document["band"]}

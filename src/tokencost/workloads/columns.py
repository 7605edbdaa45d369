"""Columns: which column of a log holds which meter, by the caller's word or by its usual name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from tokencost.errors import TraceError, UnknownNameError, nearest
from tokencost.tariffs.meter import METERS, ancestors

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COUNTS", "Counts", "choose_columns", "counts_of", "needed_meters"]

Counts = Literal["totals", "disjoint"]

COUNTS: Final[tuple[Counts, ...]] = ("totals", "disjoint")
"""Whether input contains its cached part (and output its reasoning), or each is counted once."""

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "at": ("at", "timestamp", "time", "ts", "datetime", "createdat", "created", "startedat", "starttime", "date", "arrivaltime"),
    "input": (
        "inputtokens",
        "prompttokens",
        "contexttokens",
        "requesttokens",
        "inputlength",
        "promptlength",
        "numinputtokens",
        "numprompttokens",
        "tokensin",
        "input",
        "prompt",
    ),
    "output": (
        "outputtokens",
        "completiontokens",
        "generatedtokens",
        "responsetokens",
        "outputlength",
        "completionlength",
        "numoutputtokens",
        "numcompletiontokens",
        "numgenerationtokens",
        "tokensout",
        "output",
    ),
    "cache_read": (
        "cacheread",
        "cachedtokens",
        "cachereadtokens",
        "cachereadinputtokens",
        "cachedinputtokens",
        "inputcachedtokens",
        "promptcachehittokens",
    ),
    "cache_write": ("cachewrite", "cachewritetokens", "cachewriteinputtokens", "cachecreationinputtokens", "cachecreationtokens"),
    "reasoning": ("reasoning", "reasoningtokens", "thinkingtokens", "reasoningoutputtokens"),
}
"""The usual names, best first, in small letters and figures only; a bare `input` may be the text of the prompt, so it comes last."""

_OTHER_MEANINGS: Final = frozenset({"citation", "image", "page", "request"})
"""Meters whose names more often head ids and text than counts; these are read only where the caller names the column."""

_USUAL: Final[dict[str, tuple[str, int]]] = {
    **{name.replace("_", ""): (name, 0) for name in METERS if name not in _OTHER_MEANINGS},
    **{word: (meter, rank) for meter, words in _NAMES.items() for rank, word in enumerate(words)},
}
_APART: Final = frozenset({"cachereadinputtokens", "cachewriteinputtokens", "cachecreationinputtokens"})
"""Names that APIs give to cached tokens which their `input_tokens` leaves out."""
_LISTED: Final = 20


def choose_columns(path: str, header: tuple[str, ...], named: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each meter, and of `at`: those named by the caller ('' for none), the others by their usual names.

    A log has input and output, unless the caller says that it has none or names what else it counts (`audio_s`).

    Raises:
        UnknownNameError: a meter that does not exist is named.
        TraceError: a named column is not there, two columns fit a meter equally well, or there is none of input or output tokens.
    """
    chosen = _named(path, header, named)
    fits: dict[str, list[tuple[int, int, str]]] = {}
    for column in header:
        meter, rank = _usual(column)
        if meter and meter not in chosen and column not in chosen.values():
            fits.setdefault(meter, []).append((rank, column.count("."), column))
    for meter, found in fits.items():
        best, *rest = sorted(found)
        if rest and rest[0][:2] == best[:2]:
            if meter == "at":  # a log can be rated without its times
                continue
            pair = f"{best[2]!r} and {rest[0][2]!r}"
            raise TraceError(
                f"columns {pair} of {path} both look like {meter}; name one with {_cure({meter: best[2]})}", path=path, columns=header
            )
        chosen[meter] = best[2]
    missing = [meter for meter in ("input", "output") if meter not in chosen]
    if missing and not any(ancestors(meter)[-1] not in ("input", "output") for meter in named if meter != "at"):
        cure = f"name {'them' if len(missing) > 1 else 'it'} with {_cure(dict.fromkeys(missing, 'NAME'))}"
        raise TraceError(
            f"no column of {' and '.join(missing)} tokens in {path}, which has {_listed(header)}; {cure}, or '' for none",
            path=path,
            columns=header,
        )
    return {meter: column for meter, column in chosen.items() if column}


def _named(path: str, header: tuple[str, ...], named: Mapping[str, str]) -> dict[str, str]:
    taken: dict[str, str] = {}
    for meter, column in named.items():
        if meter != "at" and meter not in METERS:
            near = nearest(meter, ("at", *METERS))
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "the meters are in tokencost.METERS"
            raise UnknownNameError(f"no meter {meter!r} to read a column for; {hint}", name=meter, suggestions=near)
        if not column:
            continue
        if column not in header:
            near = nearest(column, header)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {_listed(header)}"
            raise TraceError(f"no column {column!r} in {path}; {hint}", path=path, columns=header)
        if column in taken:
            raise TraceError(f"column {column!r} is named for both {taken[column]} and {meter}; name it once", path=path, columns=header)
        taken[column] = meter
    return dict(named)


def _usual(column: str) -> tuple[str, int]:
    """Return what a column usually means: by its last two words (`cache_read.input_tokens`) or its last (`usage.prompt_tokens`)."""
    words = [re.sub(r"[^a-z0-9]", "", word.lower()) for word in column.split(".")]
    return _USUAL.get("".join(words[-2:])) or _USUAL.get(words[-1]) or ("", 0)


def _cure(named: Mapping[str, str]) -> str:
    return f"columns={dict(named)}, on the command line {' '.join(f'--column {meter}={column}' for meter, column in named.items())}"


def _listed(header: tuple[str, ...]) -> str:
    more = f" and {len(header) - _LISTED} more" if len(header) > _LISTED else ""
    return ", ".join(header[:_LISTED]) + more


def needed_meters(chosen: Mapping[str, str]) -> frozenset[str]:
    """Return the meters that every row must count: input and output where the log has them, else whatever it has."""
    totals = frozenset({"input", "output"}) & chosen.keys()
    return totals or frozenset(chosen.keys() - {"at"})


def counts_of(chosen: Mapping[str, str]) -> Counts:
    """Say how a log counts, by the names of its columns.

    Cached tokens are apart where `input_tokens` stands beside `cache_read_input_tokens` and the like, as Anthropic and Bedrock report them;
    everywhere else they are inside.
    """
    last = {meter: re.sub(r"[^a-z0-9]", "", column.rsplit(".", 1)[-1].lower()) for meter, column in chosen.items()}
    apart = {last.get("cache_read"), last.get("cache_write")} & _APART
    return "disjoint" if apart and last.get("input") == "inputtokens" else "totals"

"""Headings: which column of a log or table holds which meter, by the caller's word or by its usual name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from tokencost.errors import ColumnError, TraceError, UnknownNameError, nearest
from tokencost.tariffs.meter import METERS, ancestors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = ["COUNTS", "SELECTORS", "Counts", "choose_columns", "counts_of", "find_columns", "needed_meters"]

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
SELECTORS: Final = ("service_tier", "mode", "residency", "tenant", "currency")
"""What else chooses a rate. A table's own column of that very name is read, or the one that the caller names."""
_MODELS: Final = ("model", "modelname", "modelid", "offering", "requestmodel", "genairequestmodel", "responsemodel", "genairesponsemodel")
_USUAL_OF_TABLES: Final[dict[str, tuple[str, int]]] = {**_USUAL, **{word: ("model", rank) for rank, word in enumerate(_MODELS)}}
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

    def fault(message: str, _column: str | None = None) -> TraceError:
        return TraceError(message, path=path, columns=header)

    _check_named(header, named, ("at",), path, fault)
    found, doubles = _found(header, named, _USUAL)
    for meter, (one, other) in doubles.items():
        if meter != "at":  # a log can be rated without its times
            cure = f"name one with {_cure({meter: one})}"
            raise fault(f"columns {one!r} and {other!r} of {path} both look like {meter}; {cure}")
    chosen = {**named, **found}
    if missing := _missing(chosen, named, ("at",)):
        cure = f"name {'them' if len(missing) > 1 else 'it'} with {_cure(dict.fromkeys(missing, 'NAME'))}"
        raise fault(f"no column of {' and '.join(missing)} tokens in {path}, which has {_listed(header)}; {cure}, or '' for none")
    return {meter: column for meter, column in chosen.items() if column}


def find_columns(header: tuple[str, ...], named: Mapping[str, str], *, given: Collection[str] = ()) -> dict[str, str]:
    """Return the column of `model`, `at`, each selector and each meter of a table, in the table's own order.

    Named ones come first ('' for none), then usual names; what is `given` as one value for all rows needs no column, and its column is
    not read.

    >>> find_columns(("ts", "model", "prompt_tokens", "completion_tokens"), {})
    {'at': 'ts', 'model': 'model', 'input': 'prompt_tokens', 'output': 'completion_tokens'}

    Raises:
        UnknownNameError: a meter that does not exist is named.
        ColumnError: a named column is not there, a column that is needed is missing, there twice, or fits no better than another.
    """

    def fault(message: str, column: str | None = None) -> ColumnError:
        return ColumnError(message, column=column, columns=header)

    others = ("model", "at", *SELECTORS)
    _check_named(header, named, others, "this table", fault)
    found, doubles = _found(header, named, _USUAL_OF_TABLES)
    for heading, (one, other) in doubles.items():
        if heading not in given:
            cure = f"name one with columns={ {heading: one} }"
            raise fault(f"columns {one!r} and {other!r} of this table both look like {heading}; {cure}", one)
    chosen = {**{name: name for name in SELECTORS if name in header and name not in named}, **named, **found}
    if missing := _missing(chosen, named, others):
        cure = f"name {'them' if len(missing) > 1 else 'it'} with columns={dict.fromkeys(missing, 'NAME')}"
        raise fault(f"no column of {' and '.join(missing)} tokens in this table, which has {_listed(header)}; {cure}, or '' for none")
    for heading, example in (("model", "'gpt-4o'"), ("at", "'2025-02-01T12:00:00Z'")):
        if not chosen.get(heading) and heading not in given:
            cure = f"name it with columns={ {heading: 'NAME'} }, or pass {heading}={example} for all rows"
            raise fault(f"no column of {heading} in this table, which has {_listed(header)}; {cure}")
    read = {heading: column for heading, column in chosen.items() if column and heading not in given}
    for column in read.values():
        if header.count(column) > 1:
            raise fault(f"column {column!r} is there {header.count(column)} times; rename all but one", column)
    return dict(sorted(read.items(), key=lambda item: header.index(item[1])))


def _check_named(
    header: tuple[str, ...],
    named: Mapping[str, str],
    others: tuple[str, ...],
    where: str,
    fault: Callable[[str, str], Exception],
) -> None:
    """Refuse a heading or a column that does not exist, and a column named twice."""
    taken: dict[str, str] = {}
    for meter, column in named.items():
        if meter not in others and meter not in METERS:
            near = nearest(meter, (*others, *METERS))
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "the meters are in tokencost.METERS"
            raise UnknownNameError(f"no meter {meter!r} to read a column for; {hint}", name=meter, suggestions=near)
        if not column:
            continue
        if column not in header:
            near = nearest(column, header)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {_listed(header)}"
            raise fault(f"no column {column!r} in {where}; {hint}", column)
        if column in taken:
            raise fault(f"column {column!r} is named for both {taken[column]} and {meter}; name it once", column)
        taken[column] = meter


def _found(
    header: tuple[str, ...], named: Mapping[str, str], usual: Mapping[str, tuple[str, int]]
) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Return the column of each heading that is not named, and the pairs that fit a heading equally well."""
    fits: dict[str, list[tuple[int, int, str]]] = {}
    for column in dict.fromkeys(header):
        meter, rank = _usual(column, usual)
        if meter and meter not in named and column not in named.values():
            fits.setdefault(meter, []).append((rank, column.count("."), column))
    found: dict[str, str] = {}
    doubles: dict[str, tuple[str, str]] = {}
    for meter, columns in fits.items():
        best, *rest = sorted(columns)
        if rest and rest[0][:2] == best[:2]:
            doubles[meter] = (best[2], rest[0][2])
        else:
            found[meter] = best[2]
    return found, doubles


def _missing(chosen: Mapping[str, str], named: Mapping[str, str], others: tuple[str, ...]) -> list[str]:
    """Return which of input and output has no column, unless the caller names what else is counted."""
    if any(name not in others and ancestors(name)[-1] not in ("input", "output") for name in named):
        return []
    return [meter for meter in ("input", "output") if meter not in chosen]


def _usual(column: str, usual: Mapping[str, tuple[str, int]]) -> tuple[str, int]:
    """Return what a column usually means: by its last two words (`cache_read.input_tokens`) or its last (`usage.prompt_tokens`)."""
    words = [re.sub(r"[^a-z0-9]", "", word.lower()) for word in column.split(".")]
    return usual.get("".join(words[-2:])) or usual.get(words[-1]) or ("", 0)


def _cure(named: Mapping[str, str]) -> str:
    return f"columns={dict(named)}, on the command line {' '.join(f'--column {meter}={column}' for meter, column in named.items())}"


def _listed(header: tuple[str, ...]) -> str:
    more = f" and {len(header) - _LISTED} more" if len(header) > _LISTED else ""
    return ", ".join(header[:_LISTED]) + more


def needed_meters(chosen: Mapping[str, str]) -> frozenset[str]:
    """Return the meters that every row must count: input and output where the log has them, else whatever it has."""
    totals = frozenset({"input", "output"}) & chosen.keys()
    return totals or frozenset(METERS.keys() & chosen.keys())


def counts_of(chosen: Mapping[str, str]) -> Counts:
    """Say how a log counts, by the names of its columns.

    Cached tokens are apart where `input_tokens` stands beside `cache_read_input_tokens` and the like, as Anthropic and Bedrock report them;
    everywhere else they are inside.
    """
    last = {meter: re.sub(r"[^a-z0-9]", "", column.rsplit(".", 1)[-1].lower()) for meter, column in chosen.items()}
    apart = {last.get("cache_read"), last.get("cache_write")} & _APART
    return "disjoint" if apart and last.get("input") == "inputtokens" else "totals"

"""Vocabularies: counting with the tokenizers that packages of the extra `tokenizers` ship.

Nothing is downloaded: toktok carries the vocabularies of OpenAI, and two packages carry the files of DeepSeek and Qwen, which
tiktoken counts with. Neither has types, so both are `Any` here and nowhere else.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import TextError, TokenizerError
from tokencost.workloads.tokenizers import shipped_tokenizers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tokencost.workloads.tokenizers import Tokenizer

__all__ = ["LONGEST_BLANK", "count_with", "pieces"]

LONGEST_BLANK: Final = 400_000
"""White space in a row that is counted; the engines need time or memory that grows faster than its length."""
LONGEST_STRETCH: Final = 16_000_000
"""Characters without a place to cut that are counted in one go."""
_PIECE: Final = 1_000_000
_CUT: Final = re.compile(r"(?<=\n)(?=[^\s/])|(?<=\S)(?= )")
"""Where no token can cross: before a line that begins with neither space nor slash, and before a space that follows something else."""
_BLANK: Final = re.compile(rf"(?<!\s)\s{{{LONGEST_BLANK}}}\s")


def count_with(tokenizer: str, text: str) -> int:
    """Return the number of tokens of a text under a shipped tokenizer; control tokens in it count as plain text.

    Raises:
        TokenizerError: the package that ships it is not installed, or ships another vocabulary than the one that was verified.
        TextError: a stretch of the text is too long for the engines.
    """
    record = shipped_tokenizers()[tokenizer]
    count = _engine(tokenizer)
    blank = _BLANK.search(text) if len(text) > LONGEST_BLANK else None
    if blank is not None:
        raise TextError(
            f"the text has more than {LONGEST_BLANK:,} characters of white space in a row, from {blank.start():,} on, which no tokenizer "
            "takes; shorten them, or ask for basis='estimate'",
            position=blank.start(),
            length=len(blank.group()),
        )
    if record.normal is None:
        return sum(map(count, pieces(text)))
    from unicodedata import normalize

    return sum(count(normalize(record.normal, piece)) for piece in pieces(text))


def pieces(text: str) -> Iterable[str]:
    """Yield a text in pieces of about a million characters, cut where no token can cross, so that their tokens add up.

    >>> [len(piece) for piece in pieces("a b " * 300_000)]
    [1000001, 199999]

    Raises:
        TextError: there is no place to cut for 16 million characters.
    """
    start = 0
    while len(text) - start > _PIECE:
        cut = _CUT.search(text, start + _PIECE)
        end = len(text) if cut is None else cut.start()
        if end - start > LONGEST_STRETCH:
            raise TextError(
                f"the text has {end - start:,} characters from {start:,} on without a space or a line to cut at, and at most "
                f"{LONGEST_STRETCH:,} are counted; cut it yourself, or ask for basis='estimate'",
                position=start,
                length=end - start,
            )
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


@cache
def _engine(tokenizer: str) -> Callable[[str], int]:
    record = shipped_tokenizers()[tokenizer]
    if record.engine == "toktok":
        toktok = _module("toktok", record)
        return lambda piece: int(toktok.batch_count([piece], tokenizer, 1)[0])
    tiktoken = _module("tiktoken", record)
    read = _ranks_of_merges if record.engine == "merges" else _ranks_of_lines
    ranks = _checked(record, read(_vocabulary(record)))
    encoding = tiktoken.Encoding(tokenizer, pat_str=record.pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda piece: _tokens(encoding, piece)


def _tokens(encoding: Any, piece: str) -> int:
    try:
        return len(encoding.encode_to_numpy(piece, disallowed_special=()))
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise TextError(
            f"the tokenizer {encoding.name!r} gave up on a stretch of {len(piece):,} characters that begins with {piece[:20]!r}; "
            "cut it yourself, or ask for basis='estimate'",
            position=None,
            length=len(piece),
        ) from None


def _module(name: str, record: Tokenizer) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise _missing(record, name) from None


def _vocabulary(record: Tokenizer) -> Path:
    """Return the file of a vocabulary, found without importing the package around it, which would read it too."""
    spec = find_spec(record.module)
    for folder in (spec.submodule_search_locations if spec is not None else None) or ():
        path = Path(folder, record.file)
        if path.is_file():
            return path
    raise _missing(record, record.module)


def _missing(record: Tokenizer, module: str) -> TokenizerError:
    return TokenizerError(
        f"counting with {record.id!r} needs {module}, which is not installed; install it with: "
        "pip install 'tokencost-tariffs[tokenizers]', or ask for basis='estimate'",
        model=None,
        tokenizer=record.id,
        package=record.package,
    )


def _checked(record: Tokenizer, ranks: dict[bytes, int]) -> dict[bytes, int]:
    """Return a vocabulary that is the one whose counts were verified."""
    import hashlib

    digest = hashlib.sha256(b"".join(len(token).to_bytes(2, "big") + token for token in ranks)).hexdigest()
    if digest != record.digest:
        raise TokenizerError(
            f"{record.package} ships another vocabulary than the one that {record.id!r} was verified with; install the version that this "
            "release names, or ask for basis='estimate'",
            model=None,
            tokenizer=record.id,
            package=record.package,
        )
    return ranks


def _ranks_of_lines(path: Path) -> dict[bytes, int]:
    """Read a vocabulary of lines, a token in base64 and its rank."""
    from base64 import b64decode

    rows = (line.split() for line in path.read_bytes().splitlines() if line)
    return {b64decode(token): int(rank) for token, rank in rows}


def _ranks_of_merges(path: Path) -> dict[bytes, int]:
    """Read a vocabulary of bytes written as visible characters, and rank what is merged by the order of the merges."""
    import json

    model = json.loads(path.read_text(encoding="utf-8"))["model"]
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in frozenset(visible)]
    table = {chr(byte): byte for byte in visible} | {chr(256 + number): byte for number, byte in enumerate(hidden)}
    single = sorted((token for token in model["vocab"] if token in table), key=model["vocab"].__getitem__)
    merged = (pair.replace(" ", "") if isinstance(pair, str) else "".join(pair) for pair in model["merges"])
    return {bytes(map(table.__getitem__, token)): rank for rank, token in enumerate((*single, *merged))}

"""Token counts: how many tokens a text is for a model, exactly or by a labelled estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from tokencost.errors import AmbiguousNameError, TextError, TextTypeError, TokenizerError
from tokencost.rating.book import load_book
from tokencost.tariffs.clock import to_instant
from tokencost.workloads.token_estimate import estimate_tokens
from tokencost.workloads.tokenizers import rule_of, shipped_tokenizers
from tokencost.workloads.vocabularies import count_with

if TYPE_CHECKING:
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.tariffs.names import Resolution
    from tokencost.workloads.tokenizers import TokenizerRule

__all__ = ["CountBasis", "TokenCount", "checked_text", "count_tokens", "counted"]

CountBasis = Literal["best", "exact", "estimate"]
"""What is asked for: exact where the tokenizer is known and an estimate elsewhere, always exact, or always an estimate."""

_BASES: Final = get_args(CountBasis)
_BYTES: Final = frozenset({bytes, bytearray, memoryview})
_CHUNK: Final = 1 << 20


class TokenCount(NamedTuple):
    """The tokens of a text for a model.

    `basis` is `exact` or `estimate`. An exact count has its `tokenizer`, and `low` and `high` are equal to it; an estimate has none, and
    `low` and `high` are bounds that held for 90 of 100 measured counts. `confidence` says so in words, `note` why there is no more.
    Only the text is counted: what a chat template puts around messages, tools and images is billed too and is not in it.
    """

    model: str
    tokens: int
    basis: Literal["exact", "estimate"]
    low: int
    high: int
    tokenizer: str | None
    characters: int
    confidence: str
    note: str | None = None

    def records(self) -> list[dict[str, Any]]:
        """Return the count as one plain record in a list, ready for a data frame."""
        return [self._asdict()]

    def __str__(self) -> str:
        if self.basis == "exact":
            return f"{self.tokens:,} tokens of {self.model} ({self.tokenizer})"
        return f"about {self.tokens:,} tokens of {self.model} ({self.low:,} to {self.high:,}; {self.confidence})"


def count_tokens(
    text: str,
    model: str,
    *,
    basis: CountBasis = "best",
    at: datetime | str | None = None,
    book: Book | None = None,
) -> TokenCount:
    """Count the tokens of a text for a model.

    `model` is any name of an offering, or the id of a tokenizer such as `o200k_base`. With `basis="best"` the count is exact where a
    tokenizer of the model is known, and an estimate, labelled, where none is; `"exact"` and `"estimate"` ask for one of them. A known
    tokenizer whose package is not installed is an error and never a silent estimate. `at` chooses where a name has meant models with
    different tokenizers; without it the newest is taken. Control tokens in the text, such as `<|endoftext|>`, count as the characters
    that they are written with.

    >>> count_tokens("hello world", "gpt-4o").tokens
    2

    Raises:
        TextTypeError: the text is no `str`.
        TextError: it holds half a character (a lone surrogate), or a stretch too long for the tokenizer.
        TokenizerError: exact, and no tokenizer is known; or the extra `tokenizers` is not installed.
        UnknownNameError: no offering and no tokenizer has this name.
        InstantError: `at` is naive or no instant.
    """
    checked_text(text)
    return counted(text, model, basis=basis, at=None if at is None else to_instant(at), book=book, known={})


def counted(
    text: str,
    model: str,
    *,
    basis: CountBasis,
    at: datetime | None,
    book: Book | None,
    known: dict[str, int],
) -> TokenCount:
    """Count a checked text as [count_tokens][] does; `known` keeps what was counted, by tokenizer, for the next model."""
    if basis not in _BASES:
        raise TokenizerError(f"no basis {basis!r}; pass one of {', '.join(_BASES)}", model=model, tokenizer=None, package=None)
    tokenizer, rule = _tokenizer_of(model, at, book)
    if tokenizer is None and basis == "exact":
        why = f": {rule.note}" if rule is not None and rule.note else ""
        raise TokenizerError(
            f"no tokenizer of {model!r} is known{why}; ask for basis='best' to have a labelled estimate",
            model=model,
            tokenizer=None,
            package=None,
        )
    if tokenizer is None or basis == "estimate":
        return _estimated(text, model, rule if tokenizer is None else None)
    tokens = known.get(tokenizer)
    if tokens is None:
        tokens = known[tokenizer] = count_with(tokenizer, text)
    record = shipped_tokenizers()[tokenizer]
    note = None if rule is None else rule.note
    return TokenCount(model, tokens, "exact", tokens, tokens, tokenizer, len(text), f"{tokenizer} of {record.publisher}", note)


def checked_text(text: object) -> str:
    """Return text that can be counted.

    Raises:
        TextTypeError: it is no `str`.
        TextError: it holds a lone surrogate, which is half a character.
    """
    if not isinstance(text, str):
        cure = "decode it first, with .decode('utf-8')" if type(text) in _BYTES else "pass a str"
        raise TextTypeError(f"the text is of type {type(text).__name__}, not text; {cure}", value=type(text).__name__)
    for start in range(0, 0 if text.isascii() else len(text), _CHUNK):
        try:
            text[start : start + _CHUNK].encode("utf-8")
        except UnicodeEncodeError as error:
            position = start + error.start
            raise TextError(
                f"character {position:,} of the text is {text[position]!r}, half of a surrogate pair and no character; replace it, with "
                ".encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')",
                position=position,
                length=1,
            ) from None
    return text


def _tokenizer_of(name: str, at: datetime | None, book: Book | None) -> tuple[str | None, TokenizerRule | None]:
    """Return the tokenizer that a name counts with, and the rule that says so."""
    if name in shipped_tokenizers():
        return name, None
    try:
        model = _model_at((book or load_book()).resolve(name), at)
    except AmbiguousNameError as error:  # sold by several: they count alike, whoever sells it
        rules = {rule_of(offering.split("/", 2)[2], at) for offering in error.candidates}
        if len(rules) > 1:
            raise
        rule = rules.pop()
    else:
        rule = rule_of(model, at)
    return (None if rule is None else rule.tokenizer), rule


def _model_at(resolution: Resolution, at: datetime | None) -> str:
    """Return the model, without provider and endpoint, that a name means at an instant, or now."""
    offering = resolution.offering
    if at is not None:
        for piece in resolution.pieces:
            if (piece.start is None or piece.start <= at) and (piece.until is None or at < piece.until):
                offering = piece.offering
    return offering.split("/", 2)[2]


def _estimated(text: str, model: str, rule: TokenizerRule | None) -> TokenCount:
    guess = estimate_tokens(text)
    kind = guess.kind.replace("_", " ")
    confidence = (
        f"90% of {guess.band.counts} measured counts of {kind} text lay between {guess.band.low:.2f} and {guess.band.high:.2f} times"
    )
    note = None if rule is None else rule.note
    return TokenCount(model, guess.tokens, "estimate", guess.low, guess.high, None, len(text), f"{confidence} the estimate", note)

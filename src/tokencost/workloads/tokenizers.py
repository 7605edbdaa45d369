"""Tokenizers: which vocabulary a model counts with, as a table with sources.

The table ships with the package and needs no other library; [tokencost.workloads.vocabularies][] counts with the vocabularies.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

from tokencost.tariffs.files import read_toml
from tokencost.tariffs.shipped import shipped_folder

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

__all__ = ["Tokenizer", "TokenizerRule", "data_folder", "rule_of", "shipped_rules", "shipped_tokenizers"]

NormalForm = Literal["NFC", "NFD", "NFKC", "NFKD"]
"""A Unicode form that text is brought to."""
_MAKER: Final = re.compile(r"(?:anthropic|deepseek|openai|qwen)\.")
"""What some hosts put before the name of a model."""


class Tokenizer(NamedTuple):
    """A tokenizer that a package of the extra `tokenizers` ships.

    `pattern` splits text before the vocabulary is used, `normal` is the Unicode form that text is brought to first, and `digest` the
    SHA-256 of the vocabulary that was verified.
    """

    id: str
    publisher: str
    engine: str
    package: str
    source: str
    checked: date
    note: str
    module: str = ""
    file: str = ""
    digest: str = ""
    pattern: str = ""
    normal: NormalForm | None = None


class TokenizerRule(NamedTuple):
    """Models that count with one tokenizer on the half-open span from `start` to `until`, or with none that is known."""

    models: re.Pattern[str]
    tokenizer: str | None = None
    start: datetime | None = None
    until: datetime | None = None
    source: str | None = None
    note: str | None = None

    def holds(self, model: str, at: datetime | None) -> bool:
        """Say whether the rule is about a model at an instant; without an instant, whether it is so now."""
        begun = at is None or self.start is None or self.start <= at
        over = self.until is not None and (at is None or self.until <= at)
        return begun and not over and any(self.models.fullmatch(name) for name in _short_names(model))


def data_folder() -> Path:
    """Return the folder of the shipped tables of tokenizers."""
    return shipped_folder("tokenizers", packed="tokenizers_data")


@cache
def _document() -> dict[str, list[dict[str, Any]]]:
    return cast("dict[str, list[dict[str, Any]]]", read_toml(data_folder() / "tokenizers.toml"))


@cache
def shipped_tokenizers() -> dict[str, Tokenizer]:
    """Return the tokenizers that can be counted with, by id.

    >>> list(shipped_tokenizers())
    ['o200k_base', 'cl100k_base', 'deepseek-v3', 'qwen', 'qwen3.5']
    """
    return {row["id"]: Tokenizer(**row) for row in _document()["tokenizer"]}


@cache
def shipped_rules() -> tuple[TokenizerRule, ...]:
    """Return the rules that tie models to tokenizers."""
    return tuple(
        TokenizerRule(re.compile(row["models"]), *(row.get(key) for key in ("tokenizer", "from", "until", "source", "note")))
        for row in _document()["rule"]
    )


def rule_of(model: str, at: datetime | None = None) -> TokenizerRule | None:
    """Return the rule for the name of a model at an instant, None where the table does not know it.

    >>> rule_of("gpt-4o-mini").tokenizer, rule_of("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B").tokenizer
    ('o200k_base', 'qwen')
    """
    return next((rule for rule in shipped_rules() if rule.holds(model, at)), None)


def _short_names(model: str) -> set[str]:
    """Return the forms of a name that a rule may be about: whole, without its maker, and each part between slashes."""
    folded = model.casefold()
    names = {folded, *folded.split("/")}
    return names | {_MAKER.sub("", name, count=1) for name in names if _MAKER.match(name)}

"""Prompts of a request that is not sent yet: how many tokens, how many of them cached, and how sure both are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from tokencost.errors import UsageError, UsageTypeError
from tokencost.workloads.preflight_range import Prompt
from tokencost.workloads.share import share_of

if TYPE_CHECKING:
    from datetime import datetime

    from tokencost.rating.book import Book
    from tokencost.rating.card import Ladder

__all__ = ["CountedPrompt", "checked_count", "counted_prompt", "prompts_of"]


class CountedPrompt(NamedTuple):
    """The tokens of a prompt: how they were counted, and the bounds of an estimate, which held for 90 of 100 measured passages."""

    tokens: int
    low: int
    high: int
    basis: Literal["exact", "estimate"]
    note: str | None = None


def checked_count(what: str, count: object) -> int:
    """Return a number of tokens that can be.

    Raises:
        UsageTypeError: it is no whole number.
        UsageError: it is negative.
    """
    if type(count) is not int:
        raise UsageTypeError(f"{what}={count!r} is not a whole number of tokens; pass an int", meter=what, value=count)
    if count < 0:
        raise UsageError(f"{what}={count} is negative; counts are 0 or more", meter=what, value=count)
    return count


def counted_prompt(prompt: int | str, model: str, *, at: datetime, book: Book) -> CountedPrompt:
    """Return the tokens of a prompt, by its number or by its text.

    Raises:
        UsageTypeError: it is neither.
        TokenizerError: the tokenizer of the model is known and not installed.
    """
    if isinstance(prompt, str):
        from tokencost.workloads.tokens import count_tokens  # only text needs a tokenizer

        count = count_tokens(prompt, model, at=at, book=book)
        return CountedPrompt(count.tokens, count.low, count.high, count.basis, None if count.basis == "exact" else count.confidence)
    tokens = checked_count("prompt", prompt)
    return CountedPrompt(tokens, tokens, tokens, "exact")


def prompts_of(counted: CountedPrompt, cached: object, ladder: Ladder) -> tuple[Prompt, list[Prompt]]:
    """Return the prompt to expect, and those at the ends of all that it may be: of the count, of its cached part, of context tiers.

    Raises:
        UsageError: more is cached than there is, or the range of it does not ascend.
        WorkloadError: a share outside 0 to 1.
    """
    ends = cast("tuple[object, ...]", cached) if isinstance(cached, tuple) else (cached, cached)
    if len(ends) != 2:  # noqa: PLR2004
        raise UsageError(f"cached={cached!r} is no range; pass two numbers, the least and the most", meter="cache_read", value=cached)
    edges = {first for first, _, _, _ in ladder.steps if counted.low < first <= counted.high} if not ladder.on_total else set[int]()
    sizes = {counted.low, counted.tokens, counted.high, *edges, *(edge - 1 for edge in edges)}
    corners = {Prompt(tokens, _cached(end, tokens, counted)) for tokens in sizes for end in ends}
    least, most = (_cached(end, counted.tokens, counted) for end in ends)
    if least > most:
        raise UsageError(f"cached={cached!r} does not ascend; write the least first, then the most", meter="cache_read", value=cached)
    return Prompt(counted.tokens, (least + most) // 2), sorted(corners)


def _cached(end: object, tokens: int, counted: CountedPrompt) -> int:
    """Return how many tokens are cached: a whole number counts tokens, anything else is a share."""
    if type(end) is int:
        count = checked_count("cached", end)
        if count > counted.high:
            raise UsageError(
                f"cached={count} is more than the {counted.high} tokens of the prompt; a share is written like 0.4",
                meter="cache_read",
                value=end,
            )
        return min(count, tokens)
    return round(share_of(end, what="cached") * tokens)

"""Meters: what is counted, in which unit, inside which other meter.

The registry is data. Meters form a tree: `cache_read` is part of `input`, `reasoning` of `output`. A bucket of usage is
billed at its own rate or at its nearest priced ancestor's.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal, NamedTuple

from tokencost.errors import UnknownNameError

__all__ = ["METERS", "TOKEN_METERS", "Meter", "ancestors", "children", "meter", "within"]

Unit = Literal["token", "call", "second", "token-second", "image", "page", "character"]


class Meter(NamedTuple):
    """One meter: its parent, its unit, and how many units its published price buys.

    >>> METERS["cache_read"].parent, METERS["cache_read"].priced_per
    ('input', '1M tokens')
    """

    name: str
    parent: str | None
    unit: Unit
    per: int
    priced_per: str
    counts: str


_M = 1_000_000
_HOUR = 3_600

_REGISTRY: Final[tuple[Meter, ...]] = (
    Meter("input", None, "token", _M, "1M tokens", "prompt tokens"),
    Meter("cache_read", "input", "token", _M, "1M tokens", "prompt tokens read from a cache"),
    Meter("cache_read_explicit", "cache_read", "token", _M, "1M tokens", "prompt tokens read from a cache the caller created"),
    Meter("cache_write", "input", "token", _M, "1M tokens", "prompt tokens written to a cache, shortest lifetime"),
    Meter("cache_write_1h", "cache_write", "token", _M, "1M tokens", "prompt tokens written to a cache for one hour"),
    Meter("cache_write_12h", "cache_write", "token", _M, "1M tokens", "prompt tokens written to a cache for twelve hours"),
    Meter("audio_input", "input", "token", _M, "1M tokens", "audio tokens of the prompt"),
    Meter("audio_cache_read", "audio_input", "token", _M, "1M tokens", "audio tokens read from a cache"),
    Meter("image_input", "input", "token", _M, "1M tokens", "image tokens of the prompt"),
    Meter("image_cache_read", "image_input", "token", _M, "1M tokens", "image tokens read from a cache"),
    Meter("video_input", "input", "token", _M, "1M tokens", "video tokens of the prompt"),
    Meter("video_cache_read", "video_input", "token", _M, "1M tokens", "video tokens read from a cache"),
    Meter("output", None, "token", _M, "1M tokens", "completion tokens"),
    Meter("reasoning", "output", "token", _M, "1M tokens", "hidden reasoning tokens"),
    Meter("audio_output", "output", "token", _M, "1M tokens", "audio tokens of the completion"),
    Meter("image_output", "output", "token", _M, "1M tokens", "image tokens of the completion"),
    Meter("video_output", "output", "token", _M, "1M tokens", "video tokens of the completion"),
    Meter("citation", None, "token", _M, "1M tokens", "citation tokens"),
    Meter("cache_storage", None, "token-second", _M * _HOUR, "1M tokens and hour", "token-seconds kept in an explicit cache"),
    Meter("request", None, "call", 1_000, "1,000 calls", "requests"),
    Meter("cache_hit_request", None, "call", 1_000, "1,000 calls", "requests that hit an explicit cache"),
    Meter("web_search", None, "call", 1_000, "1,000 calls", "web searches or grounded prompts"),
    Meter("web_search_low", "web_search", "call", 1_000, "1,000 calls", "searches with a small search context"),
    Meter("web_search_medium", "web_search", "call", 1_000, "1,000 calls", "searches with a medium search context"),
    Meter("web_search_high", "web_search", "call", 1_000, "1,000 calls", "searches with a large search context"),
    Meter("web_fetch", None, "call", 1_000, "1,000 calls", "pages fetched"),
    Meter("file_search", None, "call", 1_000, "1,000 calls", "file searches"),
    Meter("attachment_search", None, "call", 1_000, "1,000 calls", "attachment searches"),
    Meter("code_execution", None, "call", 1_000, "1,000 calls", "code executions"),
    Meter("maps_grounding", None, "call", 1_000, "1,000 calls", "map look-ups"),
    Meter("x_search", None, "call", 1_000, "1,000 calls", "posts searched"),
    Meter("rerank_search", None, "call", 1_000, "1,000 calls", "search units of a reranker"),
    Meter("page", None, "page", 1_000, "1,000 pages", "pages read"),
    Meter("annotated_page", "page", "page", 1_000, "1,000 pages", "pages read with annotations"),
    Meter("image", None, "image", 1, "image", "images made"),
    Meter("character_input", None, "character", _M, "1M characters", "characters of the prompt"),
    Meter("character_output", None, "character", _M, "1M characters", "characters of the completion"),
    Meter("audio_s", None, "second", _HOUR, "hour", "seconds of audio heard"),
    Meter("audio_output_s", None, "second", _HOUR, "hour", "seconds of audio made"),
    Meter("video_s", None, "second", _HOUR, "hour", "seconds of video"),
    Meter("session_s", None, "second", _HOUR, "hour", "seconds of a live session"),
    Meter("container_s", None, "second", _HOUR, "hour", "seconds of a container"),
)

METERS: Final[dict[str, Meter]] = {row.name: row for row in _REGISTRY}
"""All meters by name, parents before children."""


@cache
def ancestors(name: str) -> tuple[str, ...]:
    """Return the meter and its ancestors, nearest first.

    >>> ancestors("cache_write_1h")
    ('cache_write_1h', 'cache_write', 'input')
    """
    chain = [name]
    while (parent := METERS[chain[-1]].parent) is not None:
        chain.append(parent)
    return tuple(chain)


def within(root: str) -> tuple[str, ...]:
    """Return the meter and all its descendants, in the order of the registry.

    >>> within("output")
    ('output', 'reasoning', 'audio_output', 'image_output', 'video_output')
    """
    return tuple(name for name in METERS if root in ancestors(name))


def children(name: str) -> tuple[str, ...]:
    """Return the direct parts of a meter.

    >>> children("cache_write")
    ('cache_write_1h', 'cache_write_12h')
    """
    return tuple(row.name for row in _REGISTRY if row.parent == name)


def meter(name: str) -> Meter:
    """Return a meter by name.

    >>> meter("audio_s").priced_per
    'hour'

    Raises:
        UnknownNameError: no meter has this name; the nearest ones are suggested.
    """
    if name not in METERS:
        raise UnknownNameError.of(name, METERS, what="meter", where="the registry")
    return METERS[name]


TOKEN_METERS: Final[frozenset[str]] = frozenset(row.name for row in _REGISTRY if row.unit == "token")

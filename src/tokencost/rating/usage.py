"""Usage: disjoint counts, every token once."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final, TypedDict

from tokencost.errors import UnknownNameError, UsageError, UsageTypeError
from tokencost.tariffs.meter import METERS, TOKEN_METERS, ancestors, within

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

__all__ = ["LARGEST_COUNT", "Counts", "Usage"]

LARGEST_COUNT: Final = 10**15
"""Counts above this are refused as absurd: no provider has sold as many tokens to anyone."""

_INPUT: Final = frozenset(within("input"))
_OUTPUT: Final = frozenset(within("output"))


Counts = TypedDict(  # noqa: UP013 - the class form would compile every annotation again at each import
    "Counts",
    {
        "input": int,
        "cache_read": int,
        "cache_read_explicit": int,
        "cache_write": int,
        "cache_write_1h": int,
        "cache_write_12h": int,
        "audio_input": int,
        "audio_cache_read": int,
        "image_input": int,
        "image_cache_read": int,
        "video_input": int,
        "video_cache_read": int,
        "output": int,
        "reasoning": int,
        "audio_output": int,
        "image_output": int,
        "video_output": int,
        "citation": int,
        "cache_storage": int,
        "request": int,
        "cache_hit_request": int,
        "web_search": int,
        "web_search_low": int,
        "web_search_medium": int,
        "web_search_high": int,
        "web_fetch": int,
        "file_search": int,
        "attachment_search": int,
        "code_execution": int,
        "maps_grounding": int,
        "x_search": int,
        "rerank_search": int,
        "page": int,
        "annotated_page": int,
        "image": int,
        "character_input": int,
        "character_output": int,
        "audio_s": int,
        "audio_output_s": int,
        "video_s": int,
        "session_s": int,
        "container_s": int,
    },
    total=False,
)
"""The counts that usage is made of, one for each meter; what is left out is 0."""


def _checked(name: str, value: object) -> int:
    """Return a count that can be, or say what would have been right."""
    if name not in METERS:
        raise UnknownNameError.of(name, METERS, what="meter", where="the registry")
    try:
        count = operator.index(None if isinstance(value, bool) else value)  # type: ignore[call-overload,arg-type]
    except TypeError:
        cure = f"pass {int(value)}" if isinstance(value, float) and value.is_integer() else "counts are whole numbers; pass an int"
        raise UsageTypeError(f"{name}={value!r} is a {type(value).__name__}; {cure}", meter=name, value=value) from None
    if count < 0:
        raise UsageError(f"{name}={count} is negative; counts are 0 or more", meter=name, value=count)
    if count > LARGEST_COUNT:
        raise UsageError(
            f"{name}={count} is absurd; a count is at most {LARGEST_COUNT}, split the usage or check its unit", meter=name, value=count
        )
    return count


class Usage:
    """What a request, or many, used: disjoint buckets, one count for each meter.

    `input` is the fresh prompt only; what was read from or written to a cache, or was audio, is counted in its own bucket and
    nowhere else. For the inclusive counts that most APIs report use [Usage.from_totals][].

    >>> Usage(input=300_000, cache_read=700_000, output=100_000).input_total
    1000000

    Raises:
        UsageTypeError: a count that is fractional, boolean or no number.
        UsageError: a negative or absurd count.
        UnknownNameError: a meter that does not exist.
    """

    __slots__ = ("counts",)
    counts: Mapping[str, int]
    """The buckets that are not empty."""

    def __init__(self, **counts: Unpack[Counts]) -> None:
        given: dict[str, Any] = counts  # type: ignore[assignment]
        for name, value in given.items():
            if type(value) is not int or not 0 < value <= LARGEST_COUNT or name not in METERS:
                given = {name: count for name, value in given.items() if (count := _checked(name, value))}
                break
        _set_counts(self, given)

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Usage:
        """Return usage from a mapping of meter to count.

        >>> Usage.of({"input": 5, "output": 2})
        Usage(input=5, output=2)
        """
        return cls(**counts)  # type: ignore[typeddict-item]

    @classmethod
    def from_totals(cls, **totals: Unpack[Counts]) -> Usage:
        """Return disjoint usage from inclusive totals, where each total contains its parts.

        `input` is the whole prompt, of which `cache_read` were cached; `output` the whole completion, of which `reasoning` was hidden.
        A part's own parts are inside it in the same way (`cache_write` of which `cache_write_1h`).

        >>> Usage.from_totals(input=1_000_000, cache_read=700_000, output=100_000)
        Usage(input=300000, cache_read=700000, output=100000)

        Raises:
            UsageError: parts exceed their total, or a part is given without it.
        """
        given: dict[str, Any] = totals  # type: ignore[assignment]
        given = {
            name: value if type(value) is int and 0 < value <= LARGEST_COUNT and name in METERS else _checked(name, value)
            for name, value in given.items()
        }
        own: dict[str, int] = dict(given)
        for name, count in given.items():
            if METERS[name].parent is None:
                continue
            *_, root = chain = ancestors(name)
            whole = next((meter for meter in chain[1:] if meter in given), None)
            if whole is not None:
                own[whole] -= count
            elif root in ("input", "output"):
                raise UsageError(
                    f"{name}={count} is a part of {root}, and {root} is missing; pass {root}= as the total that contains it",
                    meter=name,
                    value=count,
                )
        for name, count in own.items():
            if count < 0:
                parts = ", ".join(f"{part}={n}" for part, n in given.items() if part != name and name in ancestors(part))
                raise UsageError(
                    f"{name}={given[name]} is less than its parts {parts}; "
                    "the total must contain them, or use Usage(...) for disjoint counts",
                    meter=name,
                    value=given[name],
                )
        return cls.of(own)

    @property
    def input_total(self) -> int:
        """All tokens of the prompt, cached or not, of any modality."""
        return sum([n for name, n in self.counts.items() if name in _INPUT])

    @property
    def output_total(self) -> int:
        """All tokens of the completion, reasoning included."""
        return sum([n for name, n in self.counts.items() if name in _OUTPUT])

    @property
    def tokens(self) -> int:
        """All tokens."""
        return sum([n for name, n in self.counts.items() if name in TOKEN_METERS])

    def __getattr__(self, name: str) -> int:
        if name in METERS:
            return self.counts.get(name, 0)
        raise AttributeError(f"usage has no meter {name!r}; the meters are in tokencost.METERS")

    def __add__(self, other: Usage) -> Usage:
        if not isinstance(other, Usage):  # pyright: ignore[reportUnnecessaryIsInstance]
            return NotImplemented
        return Usage.of({name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in {**self.counts, **other.counts}})

    def __mul__(self, times: int) -> Usage:
        return Usage.of({name: n * _checked("request", times) for name, n in self.counts.items()})

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Usage) and self.counts == other.counts

    def __hash__(self) -> int:
        return hash(frozenset(self.counts.items()))

    def __bool__(self) -> bool:
        return bool(self.counts)

    def __repr__(self) -> str:
        return f"Usage({', '.join(f'{name}={n}' for name, n in self.counts.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Usage.of, (dict(self.counts),)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"usage does not change; make a new Usage instead of setting {name!r}")


# the slot itself: what is stored here passes neither `__setattr__` above nor a search for the slot
_set_counts: Final = Usage.__dict__["counts"].__set__

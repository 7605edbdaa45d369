"""Cycles: where a path of prices begins to repeat itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tokencost.scenarios.prices import FloatArray

__all__ = ["Cycle", "cycle_of", "cycle_of_prices"]


class Cycle(NamedTuple):
    """The first place of a path that comes back, and after how many steps it does; a length of 1 is a price that stays."""

    start: int
    length: int


def cycle_of(states: Sequence[Hashable]) -> Cycle | None:
    """Return the cycle of a path of exact states, or None.

    >>> cycle_of("abcdcdcd")
    Cycle(start=2, length=2)
    """
    seen: dict[Hashable, int] = {}
    for place, state in enumerate(states):
        if state in seen:
            return Cycle(seen[state], place - seen[state])
        seen[state] = place
    return None


def cycle_of_prices(path: FloatArray, *, step: int, memory: int, tolerance: float) -> Cycle | None:
    """Return the cycle at the end of a path of shape (T, J), equal within a relative tolerance, or None.

    A state is `memory` rows of prices at a phase: rows `step` apart are at the same one.
    """
    last = len(path) - 1
    for length in range(step, last - memory + 2, step):
        tail = range(last - memory + 1, last + 1)
        if all(_same(path, row, row - length, tolerance) for row in tail):
            start = last - memory + 1
            while start - length > 0 and _same(path, start - 1, start - 1 - length, tolerance):
                start -= 1
            steady = all(_same(path, row, row - 1, tolerance) for row in range(start - length + 1, last + 1))
            return Cycle(start - length, 1 if steady else length)
    return None


def _same(path: FloatArray, left: int, right: int, tolerance: float) -> Any:
    return right >= 0 and (abs(path[left] - path[right]) <= tolerance * (abs(path[left]) + abs(path[right]))).all()

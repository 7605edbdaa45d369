"""Tallies: what a pass over many rows leaves to be told, by cause and not by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Causes", "Tally"]


class Causes:
    """Rows counted under numbered causes, with the first row of each.

    >>> causes = Causes(8)
    >>> causes.count(np.array([5, 2, 5]), np.array([10, 11, 12]))
    >>> list(causes)
    [(2, 1, 11), (5, 2, 10)]
    """

    def __init__(self, size: int) -> None:
        self.rows = np.zeros(size, np.int64)
        self.first = np.full(size, -1, np.int64)

    def count(self, keys: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        """Count rows, in ascending order and after all that were counted before, under the cause of each."""
        self.rows += np.bincount(keys, minlength=len(self.rows))
        fresh = np.flatnonzero(self.first[keys] < 0)[::-1]
        if len(fresh):
            self.first[keys[fresh]] = rows[fresh]  # of several rows of one cause the one that is written last stays

    def count_all(self, keys: NDArray[np.int64], begin: int) -> None:
        """Count a block of neighbouring rows from `begin` on, each under its cause."""
        numbers = np.bincount(keys, minlength=len(self.rows))
        for key in np.flatnonzero((self.first < 0) & (numbers > 0)):
            self.first[key] = int(np.argmax(keys == key)) + begin
        self.rows += numbers

    def add(self, other: Causes) -> None:
        """Take over what another stretch of rows counted."""
        earlier = (other.first >= 0) & ((self.first < 0) | (other.first < self.first))
        self.first[earlier] = other.first[earlier]
        self.rows += other.rows

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Yield each cause that was met: its number, its rows, the first of them."""
        for key in np.flatnonzero(self.rows):
            yield int(key), int(self.rows[key]), int(self.first[key])


class Tally:
    """What a stretch of rows left to be told or to be done.

    `reasons` and `above` are by id; `unpriced`, by cell and place of the meter; `negative`, `absurd` and `less` (than its parts), by the
    place of the meter. `slow` has the rows that only the slow path can rate.
    """

    def __init__(self, *, ids: int, cells: int, meters: int) -> None:
        self.reasons, self.above = Causes(ids), Causes(ids)
        self.unpriced = Causes(cells * meters)
        self.negative, self.absurd, self.less = Causes(meters), Causes(meters), Causes(meters)
        self.slow: list[NDArray[np.int64]] = []

    def add(self, other: Tally) -> None:
        """Take over what another stretch of rows left."""
        for name in ("reasons", "above", "unpriced", "negative", "absurd", "less"):
            getattr(self, name).add(getattr(other, name))
        self.slow.extend(other.slow)

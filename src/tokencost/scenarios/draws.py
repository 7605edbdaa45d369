"""Draws: streams of random numbers by name, and counts of events that are monotone in one uniform number each.

Every stream is a child of one `SeedSequence`, keyed by a hash of what is drawn and for whom, so that another provider, another statistic or
another kind of move does not touch the numbers of the rest. Counts are drawn by inversion: one number each, whatever the intensity, so that
two scenarios stay in step and more intensity never means fewer events on any path.
"""

from __future__ import annotations

from hashlib import sha256
from math import exp, lgamma, log
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from tokencost.errors import ScenarioError

if TYPE_CHECKING:
    from tokencost.scenarios.prices import FloatArray

__all__ = ["PoissonLaw", "count_of", "seed_of", "stream"]

_WORD: Final = 4
_TAIL: Final = 2.0**-54
"""Below the step of a uniform draw of 53 bits: further counts cannot be drawn."""


def stream(seed: int, *key: str) -> Generator:
    """Return the stream of a key under a seed: PCG64, child of the seed's sequence by the SHA-256 of the key.

    >>> float(stream(7, "cuts", "deepseek").random()) == float(stream(7, "cuts", "deepseek").random())
    True
    """
    digest = sha256("\x1f".join(key).encode()).digest()
    words = tuple(int.from_bytes(digest[place : place + _WORD], "big") for place in range(0, len(digest), _WORD))
    return Generator(PCG64(SeedSequence(seed, spawn_key=words)))


class PoissonLaw:
    """Counts of events in a month, by inversion of the cumulative law.

    >>> law = PoissonLaw(0.15)
    >>> where, counts = law.events(np.array([0.2, 0.9, 0.999]))
    >>> where.tolist(), counts.tolist()
    ([1, 2], [1, 2])
    """

    __slots__ = ("bounds",)

    def __init__(self, intensity: float) -> None:
        bounds: list[float] = []
        total, count = 0.0, 0
        while intensity > 0:
            mass = exp(count * log(intensity) - intensity - lgamma(count + 1))
            total += mass
            bounds.append(min(total, 1.0))
            if count > intensity and mass < _TAIL:
                break
            count += 1
        self.bounds: FloatArray = np.array(bounds or [1.0])

    @property
    def most(self) -> int:
        """The largest count that can be drawn."""
        return len(self.bounds)

    def events(self, uniform: FloatArray) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], np.ndarray[tuple[int], np.dtype[np.intp]]]:
        """Return where there is any event, and how many there."""
        where = np.flatnonzero(uniform >= self.bounds[0])
        return where, np.searchsorted(self.bounds, uniform[where], side="right")


def count_of(value: object, *, what: str) -> int:
    """Return a whole number of at least one.

    Raises:
        ScenarioError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ScenarioError(f"{what}={value!r} is not a whole number of at least 1; pass one", value=value)
    return value


def seed_of(value: object) -> int:
    """Return a seed: a whole number, 0 or more.

    Raises:
        ScenarioError: it is not; there is no seed by chance, a result that cannot be drawn again is worth little.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ScenarioError(f"seed={value!r} is not a whole number of 0 or more; pass one, and keep it with the result", value=value)
    return value

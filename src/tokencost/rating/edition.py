"""Editions: which version of whose list priced a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tokencost.tariffs.clock import iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from tokencost.rating.timeline import Segment

__all__ = ["Editions", "VersionRef", "edition_of", "editions_of"]


class VersionRef(NamedTuple):
    """One edition of an offering's list: when it began, and how that is known."""

    offering: str
    start: datetime
    basis: str

    def __str__(self) -> str:
        return f"{self.offering} {iso(self.start)}"


def edition_of(segment: Segment) -> tuple[VersionRef, str]:
    """Return the edition of the list behind a segment, and its currency."""
    version = segment.span.version
    return VersionRef(segment.span.tariff.id, version.start, version.basis), segment.choice.currency


class Editions(NamedTuple):
    """The editions and currencies behind numbered cells: what there is, and for each cell the code of its own, -1 for none."""

    versions: tuple[VersionRef, ...]
    currencies: tuple[str, ...]
    version_of: NDArray[np.int32]
    currency_of: NDArray[np.int32]

    def at(self, cells: NDArray[np.int64]) -> Editions:
        """Return the same for other numbers, each standing for one of the cells."""
        return self._replace(version_of=self.version_of[cells], currency_of=self.currency_of[cells])


def editions_of(cells: Sequence[tuple[VersionRef | None, str | None]]) -> Editions:
    """Return the editions and currencies of cells, each told once."""
    versions = {version: number for number, version in enumerate(dict.fromkeys(v for v, _ in cells if v is not None))}
    currencies = {currency: number for number, currency in enumerate(dict.fromkeys(c for _, c in cells if c is not None))}
    return Editions(
        tuple(versions),
        tuple(currencies),
        np.array([-1 if version is None else versions[version] for version, _ in cells], np.int32),
        np.array([-1 if currency is None else currencies[currency] for _, currency in cells], np.int32),
    )

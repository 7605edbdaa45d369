"""Inertia: shares that move towards a target a part of the way each month, and how long half of the way takes."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tokencost.errors import ScenarioError
from tokencost.table import Column, Table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Inertia", "inertia"]

_SLACK: Final = 1e-9


class Inertia(NamedTuple):
    """Realised shares, a row for each target; `half_life` in periods, None where shares never move. Read-only columns of float64."""

    shares: NDArray[np.float64]
    targets: NDArray[np.float64]
    persistence: float
    half_life: float | None

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each period, and for each offering where there are several; periods count from 0."""
        shares, targets = self.shares.reshape(len(self.shares), -1), self.targets.reshape(len(self.targets), -1)
        return [
            {"period": period, "offering": place, "share": float(shares[period, place]), "target": float(targets[period, place])}
            for period in range(shares.shape[0])
            for place in range(shares.shape[1])
        ]

    def table(self) -> Table:
        """Return the shares as a table for eyes."""
        rows = tuple((str(row["period"]), str(row["offering"]), f"{row['share']:.4f}", f"{row['target']:.4f}") for row in self.records())
        columns = tuple(Column(name, number=True) for name in ("period", "offering", "share", "target"))
        half = "never" if self.half_life is None else f"{self.half_life:.2f} periods"
        return Table(f"shares with a persistence of {self.persistence:g}; half of the way: {half}", columns, rows)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def inertia(initial: ArrayLike, targets: ArrayLike, *, persistence: float) -> Inertia:
    """Return how shares move towards their targets: s_t = persistence s_(t-1) + (1 - persistence) target_t, in float64.

    `initial` are the shares before the first target, one number or one for each offering; `targets` has a row for each period. The gap to a
    target that stays halves in ln(1/2) / ln(persistence) periods (partial adjustment, Nerlove 1958).

    >>> path = inertia(0.1, [0.1, 0.6, 0.6], persistence=0.8)
    >>> path.shares.round(4).tolist(), round(path.half_life, 4)
    ([0.1, 0.2, 0.28], 3.1063)

    Raises:
        ScenarioError: a share or the persistence lies outside 0 to 1, shares add up to more than 1, or the shapes do not fit.
    """
    first, rows = _shares(initial, "initial"), _shares(targets, "targets")
    if isinstance(persistence, bool) or not 0 <= persistence <= 1:
        raise ScenarioError(f"persistence={persistence!r} is outside 0 to 1; 0 follows at once, 1 never moves", value=persistence)
    if rows.ndim != first.ndim + 1 or rows.shape[1:] != first.shape or not len(rows):
        raise ScenarioError(
            f"targets of shape {rows.shape} do not fit initial shares of shape {first.shape}; pass a row of shares for each period",
            value=rows.shape,
        )
    if first.ndim and max(first.sum(), rows.sum(axis=1).max()) > 1 + _SLACK:
        raise ScenarioError("shares of one market add up to more than 1; pass them with the outside option left out", value=targets)
    made = np.empty_like(rows)
    share = first
    for period, target in enumerate(rows):
        share = persistence * share + (1 - persistence) * target
        made[period] = share
    for column in (made, rows):
        column.setflags(write=False)
    half_life = None if persistence == 1 else 0.0 if persistence == 0 else log(0.5) / log(persistence)
    return Inertia(made, rows, float(persistence), half_life)


def _shares(values: ArrayLike, what: str) -> NDArray[np.float64]:
    try:
        made = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ScenarioError(f"{what}={values!r} are no shares; pass numbers from 0 to 1", value=values) from None
    if not ((made >= 0) & (made <= 1)).all():  # a nan is refused too
        raise ScenarioError(f"{what} {made.tolist()} are not all from 0 to 1; a share of 40 % is 0.4", value=values)
    return made

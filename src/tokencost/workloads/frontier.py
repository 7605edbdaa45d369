"""Frontiers: the offerings that no other one beats in cost and quality, by scores that the caller brings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from tokencost.errors import WorkloadError
from tokencost.table import Column, Table
from tokencost.workloads.comparison import shown_amount
from tokencost.workloads.share import fraction_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from tokencost.tariffs.money import Money
    from tokencost.workloads.comparison import Compared, Comparison

__all__ = ["Frontier", "FrontierRow", "frontier_of"]


class FrontierRow(NamedTuple):
    """An offering with its cost and its score, and the offerings that beat it, cheapest first; none on the frontier."""

    offering: str
    total: Money
    quality: Fraction
    dominated_by: tuple[str, ...] = ()


class Frontier(NamedTuple):
    """Cost against quality: `rows` are not beaten, cheapest first; `dominated` are.

    An offering is beaten by one that costs no more and is at least as good, and better in one of the two; equal ones both stay.
    `missing` have no score, `unpriced` have a score and no total, `unused` are scores that no offering of the comparison has.
    """

    title: str
    currency: str
    rows: tuple[FrontierRow, ...]
    dominated: tuple[FrontierRow, ...]
    missing: tuple[str, ...]
    unpriced: tuple[str, ...]
    unused: tuple[str, ...]

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record for each offering with a cost and a score, ready for a data frame."""
        return [
            {**row._asdict(), "total": row.total.amount, "currency": self.currency, "on_frontier": not row.dominated_by}
            for row in (*self.rows, *self.dominated)
        ]

    def table(self) -> Table:
        """Return the frontier, and below it what is beaten and by what, as a table for eyes."""
        columns = (Column("offering"), Column("total", number=True), Column("quality", number=True), Column("beaten by"))
        rows = tuple(
            (row.offering, shown_amount(row.total), f"{float(row.quality):g}", _told(row.dominated_by))
            for row in (*self.rows, *self.dominated)
        )
        notes = [
            f"{what}: {', '.join(names)}"
            for what, names in (
                ("without a score", self.missing),
                ("without a price", self.unpriced),
                ("scores of offerings that are not compared", self.unused),
            )
            if names
        ]
        return Table(f"cost against quality of {self.title}, in {self.currency}", columns, rows, tuple(notes))

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _told(names: tuple[str, ...]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "") if names else ""


def frontier_of(comparison: Comparison, quality: Mapping[str, object]) -> Frontier:
    """Hold the costs of a comparison against scores; [Comparison.frontier][] says how."""
    keys = _keys(comparison)
    scores = {row.name: score for row in comparison.rows if (score := _score(row, keys[row.name], quality)) is not None}
    full = [(row, row.total) for row in comparison.rows if row.name in scores and row.total is not None]
    order = sorted(full, key=lambda pair: (pair[1].amount, -scores[pair[0].name], pair[0].offering))
    kept: list[FrontierRow] = []
    beaten: list[FrontierRow] = []
    for row, total in order:
        score = scores[row.name]
        better = [
            other.offering
            for other in kept
            if other.quality >= score and other.total <= total and (other.quality, other.total) != (score, total)
        ]
        made = FrontierRow(row.offering, total, score, tuple(better))
        (beaten if better else kept).append(made)
    known = {key for own in keys.values() for key in own}
    return Frontier(
        comparison.title,
        comparison.currency,
        tuple(kept),
        tuple(beaten),
        tuple(row.offering for row in comparison.rows if row.name not in scores),
        tuple(row.offering for row in comparison.rows if row.name in scores and row.total is None),
        tuple(str(key) for key in quality if key not in known),
    )


def _keys(comparison: Comparison) -> dict[str, tuple[str, ...]]:
    """Return what each offering may be called: its name, its id, and the end of its id where no other has it."""
    ends = Counter(row.offering.rpartition("/")[2] for row in comparison.rows)
    return {
        row.name: (row.name, row.offering, *(end for end in [row.offering.rpartition("/")[2]] if ends[end] == 1)) for row in comparison.rows
    }


def _score(row: Compared, keys: tuple[str, ...], quality: Mapping[str, object]) -> Fraction | None:
    given = {key: fraction_of(quality[key], what=f"quality of {key}") for key in keys if key in quality}
    if len(set(given.values())) > 1:
        told = " and ".join(f"{key}={float(score):g}" for key, score in given.items())
        raise WorkloadError(f"{row.offering} has two scores, {told}; keep one", meter="quality", value=told)
    return next(iter(given.values()), None)

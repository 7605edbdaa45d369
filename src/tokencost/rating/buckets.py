"""Buckets: columns of counts made disjoint, every token once, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tokencost.rating.usage import LARGEST_COUNT
from tokencost.tariffs.meter import ancestors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokencost.rating.tally import Tally

__all__ = ["Buckets"]

Numbers = Any  # columns of 64-bit integers; numpy's generics say nothing more here
_largest: Final = np.maximum.reduce
_smallest: Final = np.minimum.reduce


class Buckets:
    """The counts of a usage table, one column a meter; with `totals` a count contains its parts, which are taken out.

    `prompts` and `completion` are the places of the meters of either side; `wholes` those that contain others, with the places of these.
    """

    def __init__(self, counts: Mapping[str, Numbers], *, totals: bool) -> None:
        self.meters = tuple(counts)
        self.columns = list(counts.values())
        roots = [ancestors(meter)[-1] for meter in self.meters]
        self.prompts = [place for place, root in enumerate(roots) if root == "input"]
        self.completion = [place for place, root in enumerate(roots) if root == "output"]
        self.wholes = _wholes(self.meters) if totals else []
        self._whole_prompt = counts["input"] if totals and "input" in counts else None

    def block(self, low: int, high: int, space: Mapping[int, Numbers], tally: Tally) -> tuple[list[Numbers], list[int], Numbers]:
        """Return the disjoint counts of a block of rows, the largest of each meter, and which rows cannot be, None where all can.

        `space` has a column for each meter that contains others.
        """
        counts = [column[low:high] for column in self.columns]
        most = [int(_largest(column.view(np.uint64))) for column in counts]  # a negative count is a huge one
        bad: Numbers = None
        if max(most, default=0) > LARGEST_COUNT:
            bad = self._impossible(counts, tally, low)
            counts = [np.where(bad, 0, column) for column in counts]
            most = [int(_largest(column)) for column in counts]
        own: dict[int, Numbers] = {}
        for whole, parts in self.wholes:
            rest = own[whole] = np.subtract(counts[whole], counts[parts[0]], out=space[whole][: high - low])
            for part in parts[1:]:
                np.subtract(rest, counts[part], out=rest)
            if _smallest(rest) < 0:
                less = rest < 0
                rows = np.flatnonzero(less)
                tally.less.count(np.full(len(rows), whole), rows + low)
                bad = less if bad is None else bad | less
        counts = [own.get(place, column) for place, column in enumerate(counts)]
        return counts if bad is None else [np.where(bad, 0, column) for column in counts], most, bad

    def _impossible(self, counts: Sequence[Numbers], tally: Tally, low: int) -> Numbers:
        bad = np.zeros(len(counts[0]), bool)
        for place, column in enumerate(counts):
            for causes, wrong in ((tally.negative, column < 0), (tally.absurd, column > LARGEST_COUNT)):
                rows = np.flatnonzero(wrong)
                causes.count(np.full(len(rows), place), rows + low)
                bad |= wrong
        return bad

    def prompt(self, counts: Sequence[Numbers], low: int, *, out: Numbers) -> Numbers:
        """Return the tokens of the prompts of a block; `out` is where a sum is put."""
        if self._whole_prompt is not None:
            return self._whole_prompt[low : low + len(out)]
        if not self.prompts:
            out.fill(0)
            return out
        first, *others = self.prompts
        if not others:
            return counts[first]
        np.add(counts[first], counts[others[0]], out=out)
        for place in others[1:]:
            np.add(out, counts[place], out=out)
        return out

    def own(self, rows: Numbers) -> list[Numbers]:
        """Return the disjoint counts of some rows, which have been found to be possible."""
        given = [column[rows] for column in self.columns]
        own = list(given)
        for whole, parts in self.wholes:
            own[whole] = given[whole] - sum(given[part] for part in parts)
        return own


def _wholes(meters: Sequence[str]) -> list[tuple[int, list[int]]]:
    """Return the place of each meter that contains others of these, and theirs: the nearest container counts, as in `Usage.from_totals`."""
    found: dict[int, list[int]] = {}
    for place, meter in enumerate(meters):
        whole = next((name for name in ancestors(meter)[1:] if name in meters), None)
        if whole is not None:
            found.setdefault(meters.index(whole), []).append(place)
    return list(found.items())

"""Parts of many workloads by size: how much of each meter lies at or below the edges of context tiers, as integers a row.

All numbers of one workload are over one denominator, so that sums and differences of them are exact and quick.
"""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tokencost.rating.timeline import Selection
from tokencost.tariffs.meter import ancestors
from tokencost.workloads.described import choices_of
from tokencost.workloads.sizes import Drawn, Region

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from tokencost.workloads.law import Law
    from tokencost.workloads.sizes import Sizes
    from tokencost.workloads.workload import Workload

__all__ = ["Corner", "TierParts", "Way", "Within"]

Way = tuple[str, str | None]
"""A service tier and a mode."""
Corner = tuple[int | None, int | None]
"""The largest prompt and the largest completion of a corner, None without end."""

_PLAIN = Selection()


class _Demand(NamedTuple):
    """So many requests of a row are drawn from these sizes."""

    row: int
    requests: Fraction
    sizes: Sizes


class _Share(NamedTuple):
    """What lies in a corner, over a denominator: the requests, and the count of each meter."""

    requests: int
    counts: dict[str, int]
    denominator: int


class Within(NamedTuple):
    """What lies in a region, a row for each workload: requests, and counts with a column for each meter, over the rows' denominators."""

    requests: NDArray[Any]
    counts: NDArray[Any]


class TierParts:
    """The demand of many workloads, cut at every edge that is asked for.

    `rows` gives the workloads that use a way, `meters` the columns of its counts, `denominators` one number for each workload.
    """

    def __init__(self, workloads: Sequence[Workload]) -> None:
        self.workloads = workloads
        self._demand: dict[Way, list[_Demand]] = {}
        for row, workload in enumerate(workloads):
            for segment in workload.segments:
                for choice in choices_of(segment, _PLAIN):
                    drawn = _Demand(row, segment.requests * choice.share, segment.sizes)
                    self._demand.setdefault((choice.service_tier, choice.mode), []).append(drawn)
        self.rows = {way: list(dict.fromkeys(drawn.row for drawn in demand)) for way, demand in self._demand.items()}
        self.meters: dict[Way, list[str]] = {}
        self.denominators: list[int] = [1] * len(workloads)
        self._arrays: dict[tuple[Way, Corner], Within] = {}
        self._parts: dict[tuple[int, int | None], tuple[int, int, int]] = {}
        self._shares: dict[int, tuple[dict[str, int], dict[str, int], int]] = {}

    @property
    def ways(self) -> list[Way]:
        """Every service tier with every mode that some workload uses."""
        return list(self._demand)

    def cut(self, corners: dict[Way, Iterable[Corner]]) -> None:
        """Work out what lies in every corner of every way."""
        found: dict[tuple[Way, Corner], list[tuple[int, _Share]]] = {}
        for way, several in corners.items():
            wanted = list(several)
            for drawn in self._demand[way]:
                known: dict[Corner, _Share] = {}
                for corner, least in zip(wanted, _reached(drawn.sizes, wanted), strict=True):
                    if least not in known:
                        known[least] = self._share(drawn, least)
                    found.setdefault((way, corner), []).append((drawn.row, known[least]))
                for share in known.values():
                    self.denominators[drawn.row] = lcm(self.denominators[drawn.row], share.denominator)
        for way in corners:
            meters = {meter: None for key, shares in found.items() if key[0] == way for _, share in shares for meter in share.counts}
            self.meters[way] = list(meters)
        for (way, corner), shares in found.items():
            self._arrays[way, corner] = self._laid_out(way, shares)

    def within(self, way: Way, region: Region) -> Within:
        """Return what lies in a region whose corners were cut."""
        far, near = (region.last_input, region.last_output), (region.first_input - 1, region.first_output - 1)
        whole = self._arrays[way, far]
        if near == (-1, -1):
            return whole
        requests, counts = whole
        if near[0] >= 0:
            left = self._arrays[way, (near[0], far[1])]
            requests, counts = requests - left.requests, counts - left.counts
        if near[1] >= 0:
            below = self._arrays[way, (far[0], near[1])]
            requests, counts = requests - below.requests, counts - below.counts
        if min(near) >= 0:
            both = self._arrays[way, near]
            requests, counts = requests + both.requests, counts + both.counts
        return Within(requests, counts)

    def _laid_out(self, way: Way, shares: list[tuple[int, _Share]]) -> Within:
        place = {row: number for number, row in enumerate(self.rows[way])}
        column = {meter: number for number, meter in enumerate(self.meters[way])}
        requests = [0] * len(place)
        counts = [[0] * len(column) for _ in place]
        for row, share in shares:
            times = self.denominators[row] // share.denominator
            requests[place[row]] += share.requests * times
            mine = counts[place[row]]
            for meter, count in share.counts.items():
                mine[column[meter]] += count * times
        return Within(np.array(requests, object), np.array(counts, object).reshape(len(place), len(column)))

    def _share(self, drawn: _Demand, corner: Corner) -> _Share:
        sizes, times = drawn.sizes, drawn.requests
        if not isinstance(sizes, Drawn):
            part = sizes.part(Region(0, corner[0], 0, corner[1]))
            numbers = {meter: times * count for meter, count in part.counts.items()}
            common = lcm((times * part.probability).denominator, *(number.denominator for number in numbers.values()))
            return _Share(int(times * part.probability * common), {meter: int(n * common) for meter, n in numbers.items()}, common)
        prompt, completion = (  # what each request uses besides counts towards its size, and is no part of the laws
            None if upto is None else upto - more
            for upto, more in zip(corner, (sizes.extra.input_total, sizes.extra.output_total), strict=True)
        )
        p, m, below = self._part(sizes.prompt, prompt)
        q, n, beside = self._part(sizes.completion, completion)
        inputs, outputs, common = self._meters(sizes)
        prompts, completions, requests = times.numerator * m * q, times.numerator * n * p, times.numerator * p * q * common
        counts = {meter: prompts * share for meter, share in inputs.items()}
        counts |= {meter: completions * share for meter, share in outputs.items()}
        for meter, count in sizes.extra.counts.items():
            counts[meter] = counts.get(meter, 0) + count * requests
        return _Share(requests, counts, times.denominator * below * beside * common)

    def _meters(self, sizes: Drawn) -> tuple[dict[str, int], dict[str, int], int]:
        """Return the shares of a prompt and of a completion by meter, as integers over one denominator; what is left is the root's."""
        made = self._shares.get(id(sizes))
        if made is None:
            common = lcm(*(share.denominator for share in sizes.shares.values()))
            sides: dict[str, dict[str, int]] = {"input": {}, "output": {}}
            for meter, share in sizes.shares.items():
                if share:
                    sides[ancestors(meter)[-1]][meter] = _over(share, common)
            for root, side in sides.items():
                if left := common - sum(side.values()):
                    side[root] = left
            made = self._shares[id(sizes)] = sides["input"], sides["output"], common
        return made

    def _part(self, law: Law, upto: int | None) -> tuple[int, int, int]:
        """Return the probability and the moment of what lies at a number or below, and the denominator of both."""
        key = (id(law), upto)
        made = self._parts.get(key)
        if made is None:
            made = self._parts[key] = law.upto(upto)
        return made


def _over(number: Fraction, denominator: int) -> int:
    return number.numerator * (denominator // number.denominator)


def _reached(sizes: Sizes, wanted: Iterable[Corner]) -> list[Corner]:
    """Return corners without the ends that no request of these sizes reaches."""
    if not isinstance(sizes, Drawn):
        return list(wanted)
    prompt = sizes.prompt.stretches[-1].last + sizes.extra.input_total
    completion = sizes.completion.stretches[-1].last + sizes.extra.output_total
    return [
        (None if first is None or first >= prompt else first, None if second is None or second >= completion else second)
        for first, second in wanted
    ]

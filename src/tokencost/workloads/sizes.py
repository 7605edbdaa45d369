"""Sizes: how many tokens one request uses, as a distribution over all its meters at once.

Either the requests are listed (`Points`), so that long prompts keep the answers that they had, or prompt and completion are drawn from
two laws (`Drawn`). Expectations of both are exact over any range of sizes, which is what context tiers ask for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import WorkloadError
from tokencost.rating.usage import Usage
from tokencost.tariffs.meter import METERS, ancestors
from tokencost.workloads.share import common_denominator, drawn_places, fraction_of, share_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from tokencost.workloads.law import Law

__all__ = ["EVERYTHING", "Drawn", "Points", "Region", "Sized", "Sizes"]

_CACHED: Final = "cache_read"
_NO_USAGE: Final = Usage()


class Region(NamedTuple):
    """A range of prompts and one of completions, ends included; None has no end."""

    first_input: int = 0
    last_input: int | None = None
    first_output: int = 0
    last_output: int | None = None


EVERYTHING: Final = Region()


class Sized(NamedTuple):
    """What lies in a region: its probability, and the expected count of each meter times that probability."""

    probability: Fraction
    counts: dict[str, Fraction]


class Points:
    """Requests as they were, each with a weight.

    `cached` moves the tokens between input and cache reads until this share of the two is read from the cache, in every request.

    >>> sizes = Points([(Usage(input=100, output=10), 3), (Usage(input=900, output=90), 1)])
    >>> sizes.means
    {'input': Fraction(300, 1), 'output': Fraction(30, 1)}

    Raises:
        WorkloadError: there is no request, or a weight is not above 0.
    """

    def __init__(self, rows: Iterable[tuple[Usage, object]], *, cached: object = None) -> None:
        merged: dict[Usage, Fraction] = {}
        for usage, weight in rows:
            part = fraction_of(weight, what="weight")
            if part <= 0:
                raise WorkloadError(f"weight {weight} of {usage} is not above 0; leave the request out", meter="weight", value=weight)
            merged[usage] = merged.get(usage, Fraction(0)) + part
        if not merged:
            raise WorkloadError("there is no request; list at least one usage", meter="points", value=())
        self.rows = tuple(sorted(merged.items(), key=lambda row: row[0].input_total))
        self.cached = None if cached is None else share_of(cached, what="cached")

    @cached_property
    def total(self) -> Fraction:
        """The sum of all weights."""
        return sum((weight for _, weight in self.rows), Fraction(0))

    @cached_property
    def means(self) -> dict[str, Fraction]:
        """The expected count of each meter of one request."""
        return self.part(EVERYTHING).counts

    @cached_property
    def _prompts(self) -> list[int]:
        return [usage.input_total for usage, _ in self.rows]

    @cached_property
    def _sums(self) -> dict[str, list[Fraction]]:
        """Running sums of weights, under the name of no meter, and of weighted counts, in the order of prompts."""
        meters = {meter: None for usage, _ in self.rows for meter in usage.counts}
        weighted = {meter: [weight * usage.counts.get(meter, 0) for usage, weight in self.rows] for meter in meters}
        return {meter: list(accumulate(terms, initial=Fraction(0))) for meter, terms in {"": [w for _, w in self.rows], **weighted}.items()}

    def part(self, region: Region) -> Sized:
        """Return what lies in a region."""
        low = bisect_left(self._prompts, region.first_input)
        high = len(self.rows) if region.last_input is None else bisect_right(self._prompts, region.last_input)
        if region.first_output == 0 and region.last_output is None:
            sums = {meter: running[max(low, high)] - running[low] for meter, running in self._sums.items()}
        else:
            sums = dict.fromkeys(self._sums, Fraction(0))
            for usage, weight in self.rows[low:high]:
                if region.first_output <= usage.output_total and (region.last_output is None or usage.output_total <= region.last_output):
                    sums[""] += weight
                    for meter, count in usage.counts.items():
                        sums[meter] += weight * count
        found = {meter: total / self.total for meter, total in sums.items()}
        return Sized(found.pop(""), self.recached(found))

    def recached(self, counts: dict[str, Fraction]) -> dict[str, Fraction]:
        """Return counts with the share of the prompt read from the cache that is asked for."""
        if self.cached is None:
            return counts
        both = counts.get("input", Fraction(0)) + counts.get(_CACHED, Fraction(0))
        return {**counts, "input": both * (1 - self.cached), _CACHED: both * self.cached}

    def with_cached(self, share: object) -> Points:
        """Return the same requests with another share of the prompt read from the cache."""
        return Points(self.rows, cached=share)

    def with_completion(self, factor: object) -> Points:
        """Return the same requests with completions so many times as long, rounded half-even."""
        times = fraction_of(factor, what="completion")
        return Points([(_stretched(usage, times), weight) for usage, weight in self.rows], cached=self.cached)

    def sample(self, generator: Generator, size: int) -> dict[str, NDArray[Any]]:
        """Draw requests: the count of each meter, a column each."""
        import numpy as np

        common = common_denominator(weight for _, weight in self.rows)
        place = drawn_places([int(weight * common) for _, weight in self.rows], generator, size)
        meters = {meter: None for usage, _ in self.rows for meter in usage.counts}
        columns = {meter: np.array([usage.counts.get(meter, 0) for usage, _ in self.rows], np.int64)[place] for meter in meters}
        if self.cached is not None:
            nothing = np.zeros(size, np.int64)
            both = columns.get("input", nothing) + columns.get(_CACHED, nothing)
            columns |= _split(both, {_CACHED: self.cached}, "input", generator)
        return columns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Points) and (self.rows, self.cached) == (other.rows, other.cached)

    def __hash__(self) -> int:
        return hash((self.rows, self.cached))

    def __repr__(self) -> str:
        shown = ", ".join(f"({usage!r}, {weight})" for usage, weight in self.rows[:3])
        more = f", ... {len(self.rows) - 3} more" if len(self.rows) > 3 else ""  # noqa: PLR2004
        return f"Points([{shown}{more}])"


class Drawn:
    """Prompts and completions drawn from two laws, independently.

    `prompt` and `completion` are totals. `shares` says which part of them is counted by a meter within: cache reads and writes of the
    prompt, reasoning of the completion. A share holds for the sum; a draw is rounded up or down so that it comes out right on average.
    `extra` is used by each request besides: a search, an image.

    >>> from tokencost.workloads.law import Law
    >>> sizes = Drawn(Law.fixed(1000), Law.fixed(200), shares={"cache_read": 0.4})
    >>> sizes.means["cache_read"], sizes.means["input"]
    (Fraction(400, 1), Fraction(600, 1))

    Raises:
        WorkloadError: a share is outside 0 to 1, all together pass 1, or its meter is no part of input or output.
    """

    def __init__(self, prompt: Law, completion: Law, *, shares: Mapping[str, object] | None = None, extra: Usage = _NO_USAGE) -> None:
        self.prompt = prompt
        self.completion = completion
        self.shares = {meter: share_of(share, what=meter) for meter, share in (shares or {}).items()}
        self.extra = extra
        self._split = {root: _shares_of(root, self.shares) for root in ("input", "output")}

    @cached_property
    def means(self) -> dict[str, Fraction]:
        """The expected count of each meter of one request."""
        return self.part(EVERYTHING).counts

    def part(self, region: Region) -> Sized:
        """Return what lies in a region."""
        more_input, more_output = (
            self.extra.input_total,
            self.extra.output_total,
        )  # they count towards the size, and are no part of the laws
        last_input, last_output = region.last_input, region.last_output
        prompt = self.prompt.part(region.first_input - more_input, None if last_input is None else last_input - more_input)
        completion = self.completion.part(region.first_output - more_output, None if last_output is None else last_output - more_output)
        probability = prompt.probability * completion.probability
        counts: dict[str, Fraction] = {}
        for root, moment in (("input", prompt.moment * completion.probability), ("output", completion.moment * prompt.probability)):
            for meter, share in self._split[root].items():
                counts[meter] = moment * share
        for meter, count in self.extra.counts.items():
            counts[meter] = counts.get(meter, Fraction(0)) + count * probability
        return Sized(probability, counts)

    def with_cached(self, share: object) -> Drawn:
        """Return the same sizes with another share of the prompt read from the cache."""
        return Drawn(self.prompt, self.completion, shares={**self.shares, _CACHED: share}, extra=self.extra)

    def with_completion(self, factor: object) -> Drawn:
        """Return the same sizes with completions so many times as long, rounded half-even."""
        return Drawn(self.prompt, self.completion.scaled(factor), shares=self.shares, extra=self.extra)

    def sample(self, generator: Generator, size: int) -> dict[str, NDArray[Any]]:
        """Draw requests: the count of each meter, a column each."""
        columns: dict[str, NDArray[Any]] = {}
        for root, law in (("input", self.prompt), ("output", self.completion)):
            shares = {meter: share for meter, share in self._split[root].items() if meter != root}
            columns |= _split(law.sample(generator, size), shares, root, generator)
        for meter, count in self.extra.counts.items():
            columns[meter] = columns[meter] + count if meter in columns else _filled(count, size)
        return columns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Drawn) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return self.prompt, self.completion, tuple(sorted(self.shares.items())), self.extra

    def __repr__(self) -> str:
        shares = {meter: float(share) for meter, share in self.shares.items()}
        return f"Drawn({self.prompt!r}, {self.completion!r}, shares={shares}, extra={self.extra!r})"


Sizes = Points | Drawn


def _shares_of(root: str, shares: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Return the share of each meter below a root, and last what is left for the root itself."""
    found: dict[str, Fraction] = {}
    for meter, share in shares.items():
        if meter not in METERS:
            from tokencost.errors import UnknownNameError

            raise UnknownNameError.of(meter, METERS, what="meter")
        *_, top = ancestors(meter)
        if top not in ("input", "output") or meter == top:
            raise WorkloadError(
                f"share of {meter}: it is no part of a prompt or a completion; count it for each request, like {meter}=1",
                meter=meter,
                value=share,
            )
        if top == root:
            found[meter] = share
    left = 1 - sum(found.values(), Fraction(0))
    if left < 0:
        told = " + ".join(f"{meter} {float(share):g}" for meter, share in found.items())
        raise WorkloadError(f"{told} is more than all of {root}; shares add up to 1 at most", meter=root, value=told)
    return {**found, root: left}


def _split(total: NDArray[Any], shares: Mapping[str, Fraction], rest: str, generator: Generator) -> dict[str, NDArray[Any]]:
    """Split counts by shares, each rounded up or down by chance so that its mean is right, and nothing lost."""
    import numpy as np

    luck = generator.random(len(total))
    columns: dict[str, NDArray[Any]] = {}
    upto, before = Fraction(0), np.zeros(len(total), np.int64)
    for meter, share in shares.items():
        upto += share
        edge = total if upto == 1 else np.minimum(np.floor(total * float(upto) + luck).astype(np.int64), total)
        columns[meter] = edge - before
        before = edge
    columns[rest] = total - before
    return columns


def _filled(count: int, size: int) -> NDArray[Any]:
    import numpy as np

    return np.full(size, count, np.int64)


def _stretched(usage: Usage, times: Fraction) -> Usage:
    counts = {meter: round(count * times) if ancestors(meter)[-1] == "output" else count for meter, count in usage.counts.items()}
    return Usage.of(counts)

"""Laws: how a whole number, such as the length of a prompt, is distributed.

A law is a row of stretches: whole numbers from `first` to `last` that are equally likely, and a weight. With it expectations over any
range are sums of integers, exact to the last digit; so is every draw of a simulation.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from itertools import accumulate, pairwise
from math import gcd
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from tokencost.errors import WorkloadError
from tokencost.workloads.lognormal import lognormal_rows
from tokencost.workloads.share import common_denominator, drawn_places, fraction_of, share_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["Law", "Part", "Stretch"]

_LARGEST: Final = 10**9
"""No request has as many tokens; a law that reaches further is a slip of the unit."""
_KINDS: Final = ("quantiles", "lognormal", "points")


class Stretch(NamedTuple):
    """Whole numbers from `first` to `last`, equally likely, that together have a weight."""

    first: int
    last: int
    weight: int


class Part(NamedTuple):
    """What lies in a range: its probability, and the number times its probability, summed."""

    probability: Fraction
    moment: Fraction


class Law:
    """The distribution of a whole number.

    `document` is the law as a TOML file writes it, from which an equal one can be made.

    >>> law = Law.quantiles({0: 0, 0.5: 100, 1: 300})
    >>> law.mean, law.quantile(0.5), law.beyond(100)
    (Fraction(501, 4), 100, Fraction(1, 2))
    >>> Law.of(law.document) == law
    True
    """

    __slots__ = ("_doubled", "_edges", "_firsts", "document", "stretches", "total")

    def __init__(self, stretches: Iterable[Stretch], document: int | Mapping[str, Any]) -> None:
        self.stretches = tuple(stretch for stretch in stretches if stretch.weight)
        self.total = sum(stretch.weight for stretch in self.stretches)
        self.document = document
        self._firsts = [stretch.first for stretch in self.stretches]
        self._edges = list(accumulate(weight for _, _, weight in self.stretches))
        self._doubled = list(accumulate(weight * (first + last) for first, last, weight in self.stretches))

    # -- ways to make one --------------------------------------------------------------------------------------------------------------

    @classmethod
    def fixed(cls, number: int) -> Law:
        """Return the law of a number that is always the same.

        >>> Law.fixed(500).mean
        Fraction(500, 1)
        """
        number = _whole(number, what="length")
        return cls((Stretch(number, number, 1),), number)

    @classmethod
    def points(cls, weights: Mapping[int, object]) -> Law:
        """Return the law of numbers with weights: lengths that were seen, and how often.

        >>> Law.points({100: 3, 900: 1}).mean
        Fraction(300, 1)

        Raises:
            WorkloadError: there is none, a weight is negative, or all are zero.
        """
        found: dict[int, Fraction] = {}
        for number, weight in weights.items():
            part = fraction_of(weight, what="weight")
            if part < 0:
                raise WorkloadError(f"weight {weight} of {number} is negative; weights are 0 or more", meter="points", value=weight)
            place = _whole(number, what="point")
            found[place] = found.get(place, Fraction(0)) + part
        if not any(found.values()):
            raise WorkloadError(f"points {dict(weights)!r} weigh nothing; give one a weight above 0", meter="points", value=dict(weights))
        common = common_denominator(found.values())
        stretches = (Stretch(number, number, int(part * common)) for number, part in sorted(found.items()))
        return cls(stretches, {"points": [[number, _written(part)] for number, part in sorted(found.items())]})

    @classmethod
    def empirical(cls, numbers: Iterable[int]) -> Law:
        """Return the law of numbers as they were seen, each as likely as the other.

        >>> Law.empirical([5, 5, 8]).mean
        Fraction(6, 1)
        """
        seen: dict[int, int] = {}
        for number in numbers:
            seen[number] = seen.get(number, 0) + 1
        return cls.points(seen)

    @classmethod
    def quantiles(cls, quantiles: Mapping[Any, int]) -> Law:
        """Return a law by its quantiles, from 0 (the least) to 1 (the most); between two of them all numbers are equally likely.

        >>> Law.quantiles({0: 10, 1: 20}).mean
        Fraction(15, 1)

        Raises:
            WorkloadError: 0 or 1 is missing, or the numbers do not ascend.
        """
        rows = sorted((share_of(share, what="quantile"), _whole(number, what="quantile")) for share, number in quantiles.items())
        if len(rows) < 2 or (rows[0][0], rows[-1][0]) != (0, 1):  # noqa: PLR2004
            raise WorkloadError(
                f"quantiles {_told(quantiles)} do not reach from 0 to 1; say the least (0) and the most (1)",
                meter="quantiles",
                value=dict(quantiles),
            )
        for (low, first), (high, last) in pairwise(rows):
            if low == high or first > last:
                raise WorkloadError(
                    f"quantiles {_told(quantiles)} are not ordered: {last} at {float(high):g} follows {first} at {float(low):g}; "
                    "larger shares have larger numbers",
                    meter="quantiles",
                    value=dict(quantiles),
                )
        common = common_denominator(share for share, _ in rows)
        # the number of a quantile belongs to the stretch that it ends; the least one to the first
        stretches = (Stretch(min(a + (low > 0), b), b, int((high - low) * common)) for (low, a), (high, b) in pairwise(rows))
        return cls(stretches, {"quantiles": {str(_written(share)): number for share, number in rows}})

    @classmethod
    def lognormal(cls, *, median: int, p90: int, most: int) -> Law:
        """Return a lognormal law by its median and its 90 % quantile, cut at the largest number that can be.

        What lies above `most` counts as `most`. The law is tabulated in stretches a 64th of an octave wide; probabilities are whole
        multiples of 2^-40.

        >>> law = Law.lognormal(median=1000, p90=4000, most=100_000)
        >>> law.quantile(0.5), law.quantile(0.9), round(float(law.mean))
        (1000, 4000, 1795)

        Raises:
            WorkloadError: not 0 < median < p90 <= most.
        """
        median, p90, most = (_whole(number, what=name) for number, name in ((median, "median"), (p90, "p90"), (most, "most")))
        if not 0 < median < p90 <= most:
            raise WorkloadError(
                f"median={median}, p90={p90}, most={most} do not ascend from above 0; a lognormal law needs median < p90 <= most",
                meter="lognormal",
                value={"median": median, "p90": p90, "most": most},
            )
        return cls(
            (Stretch(*row) for row in lognormal_rows(median, p90, most)), {"lognormal": {"median": median, "p90": p90, "most": most}}
        )

    @classmethod
    def of(cls, value: object, *, what: str = "length") -> Law:
        """Return a law from a number, or from the words of a TOML file.

        >>> Law.of({"lognormal": {"median": 100, "p90": 300, "most": 8000}}).quantile(0.9)
        300

        Raises:
            WorkloadError: it is neither.
        """
        if isinstance(value, Law):
            return value
        if type(value) is int:
            return cls.fixed(value)
        if isinstance(value, dict) and len(document := cast("dict[str, Any]", value)) == 1:
            kind, words = next(iter(document.items()))
            if kind == "quantiles" and isinstance(words, dict):
                return cls.quantiles(cast("dict[Any, int]", words))
            if kind == "lognormal" and isinstance(words, dict) and set(cast("dict[str, int]", words)) == {"median", "p90", "most"}:
                return cls.lognormal(**cast("dict[str, int]", words))
            if kind == "points" and isinstance(words, list):
                return cls.points(_pairs(cast("list[Any]", words)))
        raise WorkloadError(
            f"{what}={value!r} is no law; write a whole number, or one of {', '.join(_KINDS)}, "
            "like { lognormal = { median = 400, p90 = 1500, most = 8192 } }",
            meter=what,
            value=value,
        )

    # -- what it says ------------------------------------------------------------------------------------------------------------------

    @property
    def least(self) -> int:
        """The smallest number."""
        return self.stretches[0].first

    @property
    def most(self) -> int:
        """The largest number."""
        return max(stretch.last for stretch in self.stretches)

    @property
    def mean(self) -> Fraction:
        """The expected number, exactly."""
        return Fraction(self._doubled[-1], 2 * self.total)

    def part(self, first: int, last: int | None) -> Part:
        """Return what lies from `first` to `last`, both included; None has no end.

        >>> Law.quantiles({0: 1, 1: 100}).part(51, None)
        Part(probability=Fraction(1, 2), moment=Fraction(151, 4))
        """
        low, high = self._upto(first - 1), self._upto(None if last is None else max(last, first - 1))
        return Part(high.probability - low.probability, high.moment - low.moment)

    def upto(self, number: int | None) -> tuple[int, int, int]:
        """Return the probability and the moment of what lies at a number or below, and the least denominator of both.

        >>> Law.quantiles({0: 1, 1: 100}).upto(50)
        (2, 51, 4)
        """
        if number is None:
            weight, doubled, length = self.total, self._doubled[-1], 1
        else:
            place = bisect_right(self._firsts, number) - 1
            if place < 0:
                return 0, 0, 1
            first, last, whole = self.stretches[place]
            reached, length = min(number, last), last - first + 1
            inside = whole * (reached - first + 1)
            weight = (self._edges[place] - whole) * length + inside
            doubled = (self._doubled[place] - whole * (first + last)) * length + inside * (first + reached)
        common = 2 * self.total * length
        least = gcd(2 * weight, doubled, common)
        return 2 * weight // least, doubled // least, common // least

    def _upto(self, number: int | None) -> Part:
        weight, moment, common = self.upto(number)
        return Part(Fraction(weight, common), Fraction(moment, common))

    def beyond(self, number: int) -> Fraction:
        """Return the probability of more than a number."""
        return self.part(number + 1, None).probability

    def quantile(self, share: object) -> int:
        """Return the smallest number that is not passed in a share of the cases.

        >>> Law.points({1: 1, 2: 1, 9: 2}).quantile(0.5)
        2
        """
        wanted = share_of(share, what="quantile") * self.total
        place = next(n for n, edge in enumerate(self._edges) if edge >= wanted)
        first, last, weight = self.stretches[place]
        inside = (wanted - (self._edges[place] - weight)) * (last - first + 1) / weight
        return max(first + -(-inside.numerator // inside.denominator) - 1, first)

    def sample(self, generator: Generator, size: int) -> NDArray[Any]:
        """Draw numbers, exactly by the law: integers choose the stretch, integers the place within it."""
        import numpy as np

        place = drawn_places([stretch.weight for stretch in self.stretches], generator, size)
        first, last = (np.array([stretch[n] for stretch in self.stretches], np.int64)[place] for n in (0, 1))
        return generator.integers(first, last + 1)

    def scaled(self, factor: object) -> Law:
        """Return the law of a number so many times as large, rounded half-even.

        >>> Law.quantiles({0: 10, 1: 20}).scaled(1.5).document
        {'quantiles': {'0': 15, '1': 30}}
        """
        times = fraction_of(factor, what="factor")
        if times < 0:
            raise WorkloadError(f"factor={factor} is negative; lengths are 0 or more", meter="factor", value=factor)
        try:
            return Law.of(_scaled(self.document, times))
        except WorkloadError:  # a lognormal law whose median and 90 % quantile are rounded to one number is listed instead
            found: dict[int, object] = {}
            for first, last, weight in self.stretches:
                place = round((first + last) * times / 2)
                found[place] = cast("int", found.get(place, 0)) + weight
            return Law.points(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Law) and self.stretches == other.stretches

    def __hash__(self) -> int:
        return hash(self.stretches)

    def __repr__(self) -> str:
        return f"Law.of({self.document!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Law, (self.stretches, self.document)


def _whole(number: object, *, what: str) -> int:
    if type(number) is not int or not 0 <= number <= _LARGEST:
        raise WorkloadError(f"{what} {number!r} is not a whole number from 0 to {_LARGEST:,}; check its unit", meter=what, value=number)
    return number


def _written(part: Fraction) -> Any:
    """Return a number as TOML writes it: whole, or a decimal or a fraction in text."""
    from tokencost.exact import from_fraction

    if part.denominator == 1:
        return part.numerator
    decimal = from_fraction(part)
    return str(decimal) if Fraction(decimal) == part else str(part)


def _pairs(rows: list[Any]) -> dict[int, object]:
    weights: dict[int, object] = {}
    for row in rows:
        if not isinstance(row, (list, tuple)) or len(cast("list[Any]", row)) != 2:  # noqa: PLR2004
            raise WorkloadError(f"point {row!r} is not [number, weight]; write it like [500, 3]", meter="points", value=row)
        number, weight = cast("list[Any]", row)
        weights[number] = weight
    return weights


def _scaled(document: Any, times: Fraction) -> Any:
    """Scale the numbers of a law as it is written."""
    if isinstance(document, int):
        return round(document * times)
    kind, words = next(iter(document.items()))
    if kind == "points":
        merged: dict[int, Fraction] = {}
        for number, weight in words:
            place = round(number * times)
            merged[place] = merged.get(place, Fraction(0)) + fraction_of(weight, what="weight")
        return {kind: [[number, _written(weight)] for number, weight in merged.items()]}
    return {kind: {name: round(number * times) for name, number in words.items()}}


def _told(quantiles: Mapping[Any, int]) -> str:
    return ", ".join(f"{share}: {number}" for share, number in quantiles.items())

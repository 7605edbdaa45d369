"""Splits: what a workload costs on one offering as one share of it moves, exactly, as a line through a few knots."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from tokencost.errors import UnknownNameError, WorkloadError
from tokencost.rating.usage import Usage
from tokencost.tariffs.meter import ancestors
from tokencost.workloads.law import Law
from tokencost.workloads.sizes import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokencost.rating.card import Ladder
    from tokencost.workloads.described import Reckoner
    from tokencost.workloads.segment import Segment
    from tokencost.workloads.workload import Workload

__all__ = ["SHARES", "Costs", "Split", "split_of", "with_share"]

Costs = dict[str, Fraction]
"""A cost in each currency."""
SHARES: Final = ("cached", "output_share", "peak_share", "batch_share")
_PEAK: Final = "peak"


class Split:
    """One share of a workload as it moves from `least` to `most`: where the cost bends, and what it is there."""

    least = Fraction(0)
    most = Fraction(1)

    def __init__(self, workload: Workload, reckoner: Reckoner) -> None:
        self.workload = workload
        self.reckoner = reckoner

    def knots(self, name: str) -> set[Fraction]:
        """Return the values between which the cost on an offering is a straight line."""
        del name
        return {self.least, self.most}

    def cost(self, name: str, value: Fraction) -> Costs:
        """Return the cost on an offering at a value, by currency."""
        return self.total(with_share(self.workload, self.over, value), name)

    over = ""

    def total(self, workload: Workload, name: str) -> Costs:
        """Return the cost of a workload on an offering.

        Raises:
            WorkloadError: some requests have no price there.
        """
        found: Costs = {}
        for segment in workload.segments:
            add(found, self.segment(segment, name))
        return found

    def segment(self, segment: Segment, name: str) -> Costs:
        """Return the cost of one segment on an offering."""
        expected = self.reckoner.segment(segment, name)
        for reason in expected.unpriced:
            raise WorkloadError(f"{name} has no price for all requests of segment {segment.name!r}: {reason}", meter="offering", value=name)
        return expected.by_currency


def add(costs: Costs, more: Costs, *, times: Fraction = Fraction(1)) -> None:
    """Add costs, so many times, to others."""
    for currency, cost in more.items():
        costs[currency] = costs.get(currency, Fraction(0)) + times * cost


class _Cached(Split):
    """The share of prompts read from the cache: at most what other meters leave of a prompt."""

    over = "cached"

    def __init__(self, workload: Workload, reckoner: Reckoner) -> None:
        super().__init__(workload, reckoner)
        for segment in workload.segments:
            if isinstance(segment.size, Drawn):
                others = (
                    share for meter, share in segment.size.shares.items() if meter != "cache_read" and ancestors(meter)[-1] == "input"
                )
                self.most = min(self.most, 1 - sum(others, Fraction(0)))


class _Batch(Split):
    """The share of requests that are made in batch."""

    over = "batch_share"


class _Peak(Split):
    """The share of requests made in the peak window, of those made while there are windows."""

    over = "peak_share"

    def cost(self, name: str, value: Fraction) -> Costs:
        found: Costs = {}
        for segment in self.workload.segments:
            for choice, rows in self.reckoner.windows(segment, name):
                windowed = sum((row.share for row in rows if row.window is not None), Fraction(0))
                peak = sum((row.share for row in rows if row.window == _PEAK), Fraction(0))
                if windowed and not 0 < peak < windowed:
                    raise WorkloadError(
                        f"all or none of segment {segment.name!r} falls into the peak of {name}; give it a profile with hours in both",
                        meter=self.over,
                        value=name,
                    )
                for row in rows:
                    if row.cost.unpriced or row.currency is None:
                        raise WorkloadError(f"{name} has no price for all requests: {row.cost.reason}", meter="offering", value=name)
                    share = row.share
                    if row.window is not None:
                        part, wanted = (peak, value) if row.window == _PEAK else (windowed - peak, 1 - value)
                        share = windowed * wanted * row.share / part
                    add(found, {row.currency: row.cost.total}, times=segment.requests * choice.share * share)
        return found


class _Fixed(NamedTuple):
    """A request of one size: all its tokens, and the share of each meter on its side."""

    segment: Segment
    tokens: int
    shares: dict[str, Fraction]
    extra: Usage

    def at(self, prompt: int) -> Segment:
        """Return the segment with so many tokens in the prompt and the rest in the completion."""
        sizes = Drawn(Law.fixed(prompt), Law.fixed(self.tokens - prompt), shares=self.shares, extra=self.extra)
        return replace(self.segment, size=sizes)


class _Output(Split):
    """The share of completions in all tokens, which stay as many: whole tokens, mixed so that their mean is right."""

    over = "output_share"

    def __init__(self, workload: Workload, reckoner: Reckoner) -> None:
        super().__init__(workload, reckoner)
        self.fixed = [_fixed(segment) for segment in workload.segments]
        self._known: dict[tuple[int, int, str], Costs] = {}

    def knots(self, name: str) -> set[Fraction]:
        found = {self.least, self.most}
        for fixed in self.fixed:
            for prompt in self._edges(fixed, name):
                if 0 <= prompt <= fixed.tokens:
                    found.add(1 - Fraction(prompt, fixed.tokens))
        return found

    def _edges(self, fixed: _Fixed, name: str) -> Iterable[int]:
        """Yield the prompts at both sides of every edge of the tiers that the segment can meet."""
        for _, rows in self.reckoner.windows(fixed.segment, name):
            for row in rows:
                for ladder in row.priced.ladders.values() if row.priced is not None else ():
                    for first_input, first_output in _firsts(ladder):
                        yield from (first_input - 1, first_input)
                        yield from (fixed.tokens - first_output, fixed.tokens - first_output + 1)

    def cost(self, name: str, value: Fraction) -> Costs:
        found: Costs = {}
        for place, fixed in enumerate(self.fixed):
            prompt = (1 - value) * fixed.tokens
            low = prompt.numerator // prompt.denominator
            rest = prompt - low
            add(found, self._whole(place, low, name), times=1 - rest)
            if rest:
                add(found, self._whole(place, low + 1, name), times=rest)
        return found

    def _whole(self, place: int, prompt: int, name: str) -> Costs:
        key = (place, prompt, name)
        if key not in self._known:
            self._known[key] = self.segment(self.fixed[place].at(prompt), name)
        return self._known[key]


def _firsts(ladder: Ladder) -> Iterable[tuple[int, int]]:
    """Yield where tiers begin, by prompt and by completion, the end of the list included."""
    for first_input, last_input, first_output, last_output in ladder.steps:
        yield first_input, first_output
        yield 0 if last_input is None else last_input + 1, 0 if last_output is None else last_output + 1


def _fixed(segment: Segment) -> _Fixed:
    """Return the one size of a segment's requests.

    Raises:
        WorkloadError: they have several.
    """
    size = segment.size
    if isinstance(size, Drawn) and size.prompt.least == size.prompt.most and size.completion.least == size.completion.most:
        return _checked(_Fixed(segment, size.prompt.least + size.completion.least, size.shares, size.extra))
    if not isinstance(size, Usage):
        raise WorkloadError(
            f"requests of segment {segment.name!r} differ in size; an output share needs one, like Usage(input=900, output=100)",
            meter="output_share",
            value=segment.name,
        )
    totals = {"input": size.input_total, "output": size.output_total}
    shares = {
        meter: Fraction(count, totals[ancestors(meter)[-1]])
        for meter, count in size.counts.items()
        if count and meter not in totals and ancestors(meter)[-1] in totals
    }
    extra = Usage.of({meter: count for meter, count in size.counts.items() if ancestors(meter)[-1] not in totals})
    return _checked(_Fixed(segment, sum(totals.values()), shares, extra))


def _checked(fixed: _Fixed) -> _Fixed:
    if not fixed.tokens:
        raise WorkloadError(
            f"segment {fixed.segment.name!r} has no tokens to share out; give it a prompt or a completion",
            meter="output_share",
            value=fixed.segment.name,
        )
    return fixed


_KINDS: Final[dict[str, type[Split]]] = {kind.over: kind for kind in (_Cached, _Output, _Peak, _Batch)}


def split_of(over: str, workload: Workload, reckoner: Reckoner) -> Split:
    """Return the moving share of a workload.

    Raises:
        UnknownNameError: there is no such share.
    """
    if over not in _KINDS:
        raise UnknownNameError.of(over, SHARES, what="share", where=", ".join(SHARES))
    return _KINDS[over](workload, reckoner)


def with_share(workload: Workload, over: str, value: Fraction) -> Workload:
    """Return the same demand with a share set; an output share is rounded half-even to whole tokens.

    Raises:
        WorkloadError: a share in peak, which a description has no word for but its profile.
    """
    if over == "cached":
        return workload.with_cached(value)
    if over == "batch_share":
        tiers = {"batch": value, "standard": 1 - value}
        return replace(workload, segments=tuple(replace(segment, service_tiers=tiers) for segment in workload.segments))
    if over == "output_share":
        made = [_fixed(segment) for segment in workload.segments]
        return replace(workload, segments=tuple(fixed.at(round((1 - value) * fixed.tokens)) for fixed in made))
    raise WorkloadError(f"{over!r} cannot be set; pass cached, output_share or batch_share", meter="across", value=over)

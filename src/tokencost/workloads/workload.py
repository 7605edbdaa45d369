"""Workloads: demand as segments, described in a few numbers, taken from a log, or read from TOML."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from tokencost.errors import UnknownNameError, UsageError, WorkloadError
from tokencost.rating.usage import Usage
from tokencost.tariffs.files import read_toml
from tokencost.tariffs.meter import TOKEN_METERS
from tokencost.tariffs.shipped import named_file, shipped_folder, shipped_names
from tokencost.workloads.law import Law
from tokencost.workloads.profile import HourProfile
from tokencost.workloads.segment import Segment, checked_growth, checked_requests, segment_of
from tokencost.workloads.share import fraction_of, share_of
from tokencost.workloads.sizes import Drawn, Points

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from tokencost.workloads.trace import Trace

__all__ = ["Segment", "Uncertainty", "Workload", "checked_requests", "load_workload", "shipped_workloads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """How far the figures of a workload may be off, as standard deviations.

    `requests` and `completion` are relative (0.1 is ten per cent), `cached` is in points of the share, `growth` in points a month.

    Raises:
        WorkloadError: one is negative, or no number.
    """

    requests: Fraction = Fraction(0)
    cached: Fraction = Fraction(0)
    completion: Fraction = Fraction(0)
    growth: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        for name in ("requests", "cached", "completion", "growth"):
            spread = fraction_of(getattr(self, name), what=name)
            if spread < 0:
                raise WorkloadError(f"uncertainty of {name} {float(spread):g} is negative; it is 0 or more", meter=name, value=spread)
            object.__setattr__(self, name, spread)


_CERTAIN = Uncertainty()


@dataclass(frozen=True, slots=True)
class Workload:
    """A month's demand, by segments, with the source of its figures.

    `growth` is a month's, compounded: 0.05 is five per cent more every month. It holds for all segments that have none of their own.

    >>> small, large = Usage(input=500, output=100), Usage(input=9_000, output=700)
    >>> Workload("two sizes", (Segment("small", 900, small), Segment("large", 100, large))).requests
    1000
    >>> chat = Workload.described(requests=50_000, prompt=Law.lognormal(median=800, p90=4000, most=32_000), completion=300, cached=0.3)
    >>> Workload.of(chat.document) == chat
    True
    """

    title: str
    segments: tuple[Segment, ...]
    source: str | None = None
    note: str | None = None
    growth: Fraction = field(default=Fraction(0), kw_only=True)
    uncertainty: Uncertainty = field(default=_CERTAIN, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.segments))
        object.__setattr__(self, "growth", checked_growth(self.growth))
        if not self.segments:
            raise UsageError("the workload has no segment; add one with requests and sizes", meter="segment", value=())
        names = [segment.name for segment in self.segments]
        for name in names:
            if names.count(name) > 1 and self.is_described:
                raise WorkloadError(f"two segments are named {name!r}; name them apart", meter="name", value=name)

    # -- ways to make one --------------------------------------------------------------------------------------------------------------

    @classmethod
    def described(
        cls,
        title: str = "workload",
        *,
        requests: int,
        prompt: Law | int,
        completion: Law | int,
        cached: object = 0,
        reasoning: object = 0,
        profile: HourProfile | None = None,
        growth: object = 0,
        service_tiers: Mapping[str, Any] | None = None,
        modes: Mapping[str, Any] | None = None,
        uncertainty: Uncertainty = _CERTAIN,
    ) -> Workload:
        """Describe demand in a few numbers: requests a month, lengths, the share of prompts read from a cache.

        Raises:
            WorkloadError: a share outside 0 to 1, growth of -1 or less, a law that does not hold.
        """
        said = (("cache_read", "cached", cached), ("reasoning", "reasoning", reasoning))
        shares = {meter: share for meter, what, given in said if (share := share_of(given, what=what))}
        size = Drawn(Law.of(prompt, what="prompt"), Law.of(completion, what="completion"), shares=shares)
        even = HourProfile.even()
        chosen = Segment(
            "requests", requests, size, profile or even, service_tiers=service_tiers or {"standard": Fraction(1)}, modes=modes or {}
        )
        return cls(title, (chosen,), growth=checked_growth(growth), uncertainty=uncertainty)

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        *,
        requests: int | None = None,
        profile: HourProfile | None = None,
        growth: object = 0,
        zone: str | None = None,
        start: datetime | str | None = None,
        title: str | None = None,
    ) -> Workload:
        """Take the sizes of requests from a log, prompts and completions as they came together.

        `requests` a month are as many as the log has, unless another number is said. Without a `profile` a log of a week or more gives its
        own, in `zone`; a shorter one says nothing of the rest of the week, and requests come evenly.

        Raises:
            TraceError: its times have no zone.
        """
        made = profile
        if made is None and "at" in trace.columns and (zone is not None or start is not None):
            instants = trace.instants(zone=zone, start=start)
            try:
                made = HourProfile.of(instants, zone=zone or "UTC")
            except WorkloadError:
                made = None
        name = title or trace.path.replace("\\", "/").rsplit("/", 1)[-1]
        sizes = Points((row.usage, 1) for row in trace.rows)
        segment = Segment("requests", trace.requests if requests is None else requests, sizes, made or HourProfile.even())
        return cls(name, (segment,), growth=checked_growth(growth))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Workload:
        """Build a workload from the document of its TOML file.

        Raises:
            UsageError: a segment without requests, or counts that cannot be.
            WorkloadError: shares, laws or profiles that do not hold.
        """
        rows = document.get("segment")
        if not isinstance(rows, list) or not rows:
            raise UsageError("the workload has no segment; add a [[segment]] with requests and counts", meter="segment", value=rows)
        segments = tuple(segment_of(row, number) for number, row in enumerate(cast("list[dict[str, Any]]", rows), 1))
        return cls(
            str(document.get("title", "workload")),
            segments,
            document.get("source"),
            document.get("note"),
            growth=checked_growth(document.get("growth", 0)),
            uncertainty=_uncertainty_of(document.get("uncertainty", {})),
        )

    # -- what it says ------------------------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> int:
        """The number of requests a month."""
        return sum(segment.requests for segment in self.segments)

    @property
    def is_described(self) -> bool:
        """Say whether any segment has requests of different sizes, tiers or modes."""
        return not all(segment.is_uniform for segment in self.segments)

    @property
    def means(self) -> dict[str, Fraction]:
        """The expected count of each meter in a month."""
        counts: dict[str, Fraction] = {}
        for segment in self.segments:
            for name, count in segment.means.items():
                counts[name] = counts.get(name, Fraction(0)) + count * segment.requests
        return counts

    @property
    def tokens(self) -> Fraction:
        """The expected tokens of a month, cached ones included."""
        return sum((count for meter, count in self.means.items() if meter in TOKEN_METERS), Fraction(0))

    @property
    def total(self) -> Usage:
        """The usage of all requests of a month together, where every segment has requests of one size."""
        counts: dict[str, int] = {}
        for segment in self.segments:
            for name, count in segment.usage.counts.items():
                counts[name] = counts.get(name, 0) + count * segment.requests
        return Usage.of(counts)

    @property
    def document(self) -> dict[str, Any]:
        """The workload in the words of a TOML file, from which an equal one can be made."""
        from tokencost.workloads.workload_text import document_of

        return document_of(self)

    def to_toml(self) -> str:
        """Return the workload as the text of a TOML file."""
        from tokencost.workloads.workload_text import text_of

        return text_of(self)

    # -- what if -----------------------------------------------------------------------------------------------------------------------

    def with_requests(self, requests: int) -> Workload:
        """Return the same demand with another number of requests a month, shared out among the segments as before.

        Raises:
            UsageError: fewer requests than there are segments.
        """
        checked_requests("all", requests)
        if requests < len(self.segments):
            raise UsageError(
                f"requests={requests} are fewer than the {len(self.segments)} segments; leave some out", meter="requests", value=requests
            )
        before, parts = self.requests, [segment.requests for segment in self.segments]
        made = [max(part * requests // before, 1) for part in parts]
        order = sorted(range(len(parts)), key=lambda place: -(parts[place] * requests % before))
        for place in order[: max(requests - sum(made), 0)]:
            made[place] += 1
        made[made.index(max(made))] += requests - sum(made)
        return replace(self, segments=tuple(replace(own, requests=number) for own, number in zip(self.segments, made, strict=True)))

    def with_cached(self, share: object) -> Workload:
        """Return the same demand with another share of prompts read from the cache."""
        return replace(self, segments=tuple(segment.with_cached(share) for segment in self.segments))

    def with_completion(self, factor: object) -> Workload:
        """Return the same demand with completions so many times as long."""
        return replace(self, segments=tuple(segment.with_completion(factor) for segment in self.segments))

    def with_profile(self, profile: HourProfile) -> Workload:
        """Return the same demand at other hours of the week."""
        return replace(self, segments=tuple(replace(segment, profile=profile) for segment in self.segments))

    def with_growth(self, growth: object) -> Workload:
        """Return the same demand with another growth a month, in all segments."""
        rate = checked_growth(growth)
        return replace(self, growth=rate, segments=tuple(replace(segment, growth=None) for segment in self.segments))

    def growth_of(self, segment: Segment) -> Fraction:
        """Return the growth of a segment, its own or that of all."""
        return self.growth if segment.growth is None else segment.growth


def _uncertainty_of(words: object) -> Uncertainty:
    known = ("requests", "cached", "completion", "growth")
    if not isinstance(words, dict):
        raise WorkloadError(f"uncertainty {words!r} is no block; write {{ requests = 0.1 }}", meter="uncertainty", value=words)
    row = cast("dict[str, Any]", words)
    for key in row:
        if key not in known:
            raise UnknownNameError.of(key, known, what="uncertainty", where=", ".join(known))
    return Uncertainty(**row)


def _folder() -> Path:
    return shipped_folder("workloads", packed="workloads_data")


def shipped_workloads() -> tuple[str, ...]:
    """Return the names of the workloads that ship with the package.

    >>> "chat" in shipped_workloads()
    True
    """
    return shipped_names(_folder())


def load_workload(name: str | Path = "chat") -> Workload:
    """Return a shipped workload by name, or one of your own by the path of its TOML file.

    >>> load_workload("chat").requests
    12031

    Raises:
        UnknownNameError: no shipped workload has this name, and it is no file.
        TableError: the file is not TOML.
    """
    return Workload.of(read_toml(named_file(name, _folder(), what="workload")))

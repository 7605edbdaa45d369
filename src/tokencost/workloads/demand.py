"""Demand: what is compared, in the one shape that rating needs."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from tokencost.errors import UsageError, UsageTypeError
from tokencost.rating.usage import Usage
from tokencost.tariffs.clock import LATEST, to_instant
from tokencost.tariffs.meter import TOKEN_METERS
from tokencost.workloads.trace import Trace
from tokencost.workloads.workload import Segment, Workload, checked_requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

__all__ = ["Batch", "Demand", "Request"]

_DAY = timedelta(days=1)


class Request(NamedTuple):
    """Equal requests: what each of them used, and how many there are."""

    usage: Usage
    times: int


class Batch(NamedTuple):
    """Neighbouring requests taken together: how many, and their counts added up."""

    requests: int
    counts: dict[str, int]


class Demand:
    """Requests in the order of their instants, or all at one instant.

    `instants` are aware, in UTC and ascending, one for each of `items`; None where everything is rated `at` one instant.
    """

    def __init__(self, title: str, items: Sequence[Request], *, at: datetime | None = None, instants: Sequence[datetime] = ()) -> None:
        if not items:
            raise UsageError("there is no request to rate; pass at least one usage", meter="workload", value=())
        self.title = title
        self.items = items
        self.at = at
        self.instants = instants
        self._batches: dict[tuple[int, int], Batch] = {}

    @classmethod
    def of(
        cls,
        workload: Trace | Workload | Usage | Iterable[Usage],
        *,
        at: datetime | str,
        zone: str | None = None,
        start: datetime | str | None = None,
    ) -> Demand:
        """Build the demand of a workload of any kind.

        Raises:
            UsageError: there is nothing to rate, or `at="each"` for something else than a trace.
            UsageTypeError: something that is no usage, such as the path of a log.
        """
        if isinstance(workload, Trace):
            title = workload.path.replace("\\", "/").rsplit("/", 1)[-1]
            if at == "each":
                order = sorted(zip(workload.instants(zone=zone, start=start), workload.rows, strict=True), key=lambda pair: pair[0])
                return cls(title, [Request(row.usage, 1) for _, row in order], instants=[instant for instant, _ in order])
            merged = Counter(row.usage for row in workload.rows)
            return cls(title, [Request(usage, times) for usage, times in merged.items()], at=to_instant(at))
        if at == "each":
            raise UsageError("at='each' needs a trace, whose rows have instants; pass one instant", meter="at", value=at)
        made = workload if isinstance(workload, Workload) else Workload("usage", tuple(_segments(workload)))
        for segment in made.segments:
            checked_requests(segment.name, segment.requests)
        return cls(made.title, [Request(segment.usage, segment.requests) for segment in made.segments], at=to_instant(at))

    @property
    def requests(self) -> int:
        """The number of requests."""
        return self.batch(0, len(self.items)).requests

    @property
    def tokens(self) -> int:
        """All tokens of all requests, cached ones included."""
        return sum(count for name, count in self.batch(0, len(self.items)).counts.items() if name in TOKEN_METERS)

    def batch(self, low: int, high: int) -> Batch:
        """Return the items from `low` to `high` added up, once for all offerings that ask."""
        found = self._batches.get((low, high))
        if found is None:
            counts: dict[str, int] = {}
            requests = 0
            for usage, times in self.items[low:high]:
                requests += times
                for name, count in usage.counts.items():
                    counts[name] = counts.get(name, 0) + count * times
            found = self._batches[low, high] = Batch(requests, counts)
        return found

    def instant(self, index: int) -> datetime:
        """Return the instant at which an item is rated."""
        return self.instants[index] if self.at is None else self.at

    def until(self, low: int, instant: datetime) -> int:
        """Return the index after the last item from `low` on that is rated before an instant; at least one item is."""
        if self.at is not None:
            return len(self.items)
        return max(bisect_left(self.instants, instant, low), low + 1)

    def days(self) -> Iterator[tuple[int, int]]:
        """Yield the items of each day, in UTC, as first index and index after the last."""
        low = 0
        while low < len(self.items):
            day = self.instant(low).replace(hour=0, minute=0, second=0, microsecond=0)
            high = self.until(low, day + _DAY) if day.date() < LATEST.date() else len(self.items)
            yield low, high
            low = high


def _segments(workload: Usage | Iterable[Usage]) -> Iterator[Segment]:
    """Yield one segment for each usage."""
    if isinstance(workload, Usage):
        workload = (workload,)
    if isinstance(workload, str) or not isinstance(workload, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _no_usage(workload)
    for number, usage in enumerate(workload, 1):
        if not isinstance(usage, Usage):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _no_usage(usage)
        yield Segment(str(number), 1, usage)


def _no_usage(value: object) -> UsageTypeError:
    return UsageTypeError(
        f"workload {value!r} is a {type(value).__name__}, not usage; pass a Usage, a Workload, or read_trace(path)",
        meter="workload",
        value=value,
    )

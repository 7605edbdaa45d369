"""Demand: what is compared, in the one shape that rating needs."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import UsageError, UsageTypeError
from tokencost.rating.usage import Usage
from tokencost.tariffs.clock import LATEST, to_instant
from tokencost.tariffs.meter import TOKEN_METERS
from tokencost.workloads.trace import Trace
from tokencost.workloads.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

__all__ = ["Batch", "Demand", "Request"]

_DAY = timedelta(days=1)
_SAFE: Final = 2**62


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

    `instants` are aware, in UTC and ascending, one for each of `items`; None where everything is rated `at` one instant. `segments` names
    the items where they have names.
    """

    def __init__(
        self,
        title: str,
        items: Sequence[Request],
        *,
        at: datetime | None = None,
        instants: Sequence[datetime] = (),
        segments: tuple[str, ...] = (),
    ) -> None:
        if not items:
            raise UsageError("there is no request to rate; pass at least one usage", meter="workload", value=())
        self.title = title
        self.items = items
        self.at = at
        self.instants = instants
        self.segments = segments
        self._batches: dict[tuple[int, int], Batch] = {}
        self._columns: dict[str, NDArray[Any]] = {}

    @classmethod
    def of(
        cls,
        workload: Trace | Workload | Usage | Iterable[Usage],
        *,
        at: datetime | str | None,
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
        if isinstance(workload, Workload):
            items = [Request(segment.usage, segment.requests) for segment in workload.segments]
            return cls(workload.title, items, at=to_instant(at), segments=tuple(segment.name for segment in workload.segments))
        return cls("usage", list(_requests(workload)), at=to_instant(at))

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

    def products(self, low: int, high: int, rates: Mapping[str, int]) -> NDArray[Any]:
        """Return the cost of each item from `low` to `high` under one row of integer rates: 64 bits where they hold it."""
        import numpy as np

        columns = [(self._column(name)[low:high], rates[name]) for name in self._batches[low, high].counts]
        safe = sum(int(column.max()) * rate for column, rate in columns) < _SAFE
        total: NDArray[Any] = np.zeros(high - low, np.int64 if safe else object)
        for column, rate in columns:
            total = total + (column * rate if safe else column.astype(object) * rate)
        return total

    def _column(self, name: str) -> NDArray[Any]:
        import numpy as np

        if name not in self._columns:
            counts = [usage.counts.get(name, 0) * times for usage, times in self.items]
            self._columns[name] = np.array(counts, np.int64 if max(counts) < _SAFE else object)
        return self._columns[name]

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


def _requests(workload: Usage | Iterable[Usage]) -> Iterator[Request]:
    """Yield one request for each usage."""
    if isinstance(workload, Usage):
        workload = (workload,)
    if isinstance(workload, str) or not isinstance(workload, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _no_usage(workload)
    for usage in workload:
        if not isinstance(usage, Usage):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _no_usage(usage)
        yield Request(usage, 1)


def _no_usage(value: object) -> UsageTypeError:
    return UsageTypeError(
        f"workload {value!r} is a {type(value).__name__}, not usage; pass a Usage, a Workload, or read_trace(path)",
        meter="workload",
        value=value,
    )

"""Workloads: demand as segments of equal requests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tokencost.errors import UnknownNameError, UsageError, UsageTypeError, nearest
from tokencost.rating.usage import Usage
from tokencost.tariffs.files import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Segment", "Workload", "checked_requests", "load_workload", "shipped_workloads"]

_WORDS = frozenset({"name", "requests"})


class Segment(NamedTuple):
    """Requests of one size: how many, and what each of them uses."""

    name: str
    requests: int
    usage: Usage


class Workload(NamedTuple):
    """Demand described by segments, with the source of its figures.

    >>> small, large = Usage(input=500, output=100), Usage(input=9_000, output=700)
    >>> Workload("two sizes", (Segment("small", 900, small), Segment("large", 100, large))).requests
    1000
    """

    title: str
    segments: tuple[Segment, ...]
    source: str | None = None
    note: str | None = None

    @property
    def requests(self) -> int:
        """The number of requests."""
        return sum(segment.requests for segment in self.segments)

    @property
    def total(self) -> Usage:
        """The usage of all requests together."""
        counts: dict[str, int] = {}
        for segment in self.segments:
            for name, count in segment.usage.counts.items():
                counts[name] = counts.get(name, 0) + count * segment.requests
        return Usage.of(counts)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Workload:
        """Build a workload from the document of its TOML file.

        Raises:
            UsageError: a segment without requests, or counts that cannot be.
        """
        rows = document.get("segment")
        if not isinstance(rows, list) or not rows:
            raise UsageError("the workload has no segment; add a [[segment]] with requests and counts", meter="segment", value=rows)
        segments = tuple(_segment(row, number) for number, row in enumerate(cast("list[dict[str, Any]]", rows), 1))
        return cls(str(document.get("title", "workload")), segments, document.get("source"), document.get("note"))


def _segment(row: Mapping[str, Any], number: int) -> Segment:
    name = str(row.get("name", f"segment {number}"))
    requests = checked_requests(name, row.get("requests", 1))
    return Segment(name, requests, Usage.of({key: value for key, value in row.items() if key not in _WORDS}))


def checked_requests(name: str, requests: object) -> int:
    """Return a number of requests that can be.

    Raises:
        UsageTypeError: it is no whole number.
        UsageError: it is below 1.
    """
    if type(requests) is not int:
        raise UsageTypeError(
            f"requests={requests!r} of segment {name!r} is not a whole number; pass an int", meter="requests", value=requests
        )
    if requests < 1:
        raise UsageError(f"requests={requests} of segment {name!r} is below 1; leave the segment out", meter="requests", value=requests)
    return requests


def _folder() -> Path:
    package = Path(__file__).parent.parent
    inside = package / "workloads_data"
    return inside if inside.is_dir() else package.parent.parent / "data" / "workloads"


def shipped_workloads() -> tuple[str, ...]:
    """Return the names of the workloads that ship with the package.

    >>> shipped_workloads()
    ('chat', 'short-chat')
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def load_workload(name: str | Path = "chat") -> Workload:
    """Return a shipped workload by name, or one of your own by the path of its TOML file.

    >>> load_workload("chat").requests
    12031

    Raises:
        UnknownNameError: no shipped workload has this name, and it is no file.
        TableError: the file is not TOML.
    """
    path = Path(name) if Path(name).suffix == ".toml" else _folder() / f"{name}.toml"
    if not path.is_file():
        shipped = shipped_workloads()
        raise UnknownNameError(
            f"no workload {str(name)!r}; pass the path of a TOML file, or one of {', '.join(shipped)}",
            name=str(name),
            suggestions=nearest(str(name), shipped),
        )
    return Workload.of(read_toml(path))

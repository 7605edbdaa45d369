"""A contest: contestants measured in turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from calls import CONTESTANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = [
    "BAR_HEADINGS",
    "ENVIRONMENT",
    "Bar",
    "Seen",
    "Worker",
    "in_turns",
    "machine",
    "markdown",
    "median",
    "ratio",
    "releases",
    "workers",
]

WORKER = Path(__file__).with_name("worker.py")
ENVIRONMENT = {
    **os.environ,
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # the map that ships with it; nothing is fetched
    "LITELLM_LOG": "CRITICAL",
}
Seen = dict[str, list[float]]
"""What was measured of every contestant, one value a round."""


class Bar(NamedTuple):
    """One bar: how long we may take in units of a peer, and how long we took."""

    what: str
    limit: float
    peer: str
    ratio: float

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.ratio <= self.limit

    def row(self) -> tuple[str, ...]:
        """Return the bar as cells of a table."""
        return self.what, f"{self.limit} x {self.peer}", "yes" if self.met else "**no**", f"{self.ratio:.2f}"


BAR_HEADINGS = ("what", "at most", "met", "measured")


class Worker:
    """One contestant's interpreter, kept waiting between its turns."""

    def __init__(self, python: Path) -> None:
        self.process = subprocess.Popen([python, "-I", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT, text=True)

    def request(self, do: str, **facts: str) -> dict[str, Any]:
        """Ask for one thing and wait for the reply."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **facts}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker {self.process.args} ended with {self.process.wait()}")
        return json.loads(line)

    def take(self, setup: str, statement: str) -> Callable[[], float]:
        """Return a function that times one turn of a statement, in microseconds."""
        return lambda: self.request("time", setup=setup, statement=statement)["us"]

    def close(self) -> None:
        """End the interpreter."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def workers(pythons: Mapping[str, Path]) -> Iterator[dict[str, Worker]]:
    """Start one interpreter for every contestant and end them all afterwards; `pythons` are those of the environments, by name."""
    running = {contestant.name: Worker(pythons[contestant.environment]) for contestant in CONTESTANTS}
    try:
        yield running
    finally:
        for worker in running.values():
            worker.close()


def releases(running: Mapping[str, Worker]) -> dict[str, dict[str, str]]:
    """Return the release and the Python of every contestant."""
    return {c.name: running[c.name].request("release", distribution=c.distribution) for c in CONTESTANTS}


def in_turns(takes: Mapping[str, Callable[[], Any]], *, rounds: int) -> dict[str, list[Any]]:
    """Let every contestant take its turn, round after round, each round begun by another; the first round only warms up."""
    names = list(takes)
    seen: dict[str, list[Any]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            value = takes[name]()
            if turn:
                seen[name].append(value)
    return seen


def median(seen: Seen, name: str) -> float:
    """Return the median of a contestant."""
    return statistics.median(seen[name])


def ratio(seen: Seen, name: str, other: str) -> float:
    """Return the median of the ratios of two contestants, taken round by round, which a slow spell of the machine does not move."""
    return statistics.median(mine / theirs for mine, theirs in zip(seen[name], seen[other], strict=True))


def machine() -> str:
    """Describe the machine: cores, system and Python, and no date."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {platform.system()} on {platform.machine()}, {python}"


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """Return a markdown table; all columns but the first `words` ones align right."""
    rule = ["---" if n < words else "---:" for n in range(len(headings))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (headings, rule, *rows))

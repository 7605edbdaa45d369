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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["ENVIRONMENT", "Bar", "Interpreters", "Worker", "in_turns", "machine", "markdown", "measured", "workers"]

WORKER = Path(__file__).with_name("worker.py")
ENVIRONMENT = {
    **os.environ,
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # the map that ships with it; nothing is fetched
    "LITELLM_LOG": "CRITICAL",
}
Interpreters = dict[str, Path]
"""The Python of each environment, by the name of the environment."""


class Bar(NamedTuple):
    """One bar: our median against a peer's, and the ratio that must not be exceeded."""

    what: str
    limit: float
    ours: float
    theirs: float
    peer: str

    @property
    def ratio(self) -> float:
        """Our median in units of the peer's."""
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.ratio <= self.limit

    def row(self) -> tuple[str, ...]:
        """Return the bar as cells of a table."""
        return self.what, f"at most {self.limit} x {self.peer}", f"{self.ratio:.2f}", "met" if self.met else "MISSED"


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
            raise RuntimeError(f"the worker of {self.process.args} ended with {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End the interpreter."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def workers(pythons: Interpreters) -> Iterator[dict[str, Worker]]:
    """Start one interpreter for every contestant and end them all afterwards."""
    running = {contestant.name: Worker(pythons[contestant.environment]) for contestant in CONTESTANTS}
    try:
        yield running
    finally:
        for worker in running.values():
            worker.close()


def measured(running: Mapping[str, Worker]) -> dict[str, dict[str, str]]:
    """Return the release and the Python of every contestant."""
    return {c.name: running[c.name].request("version", distribution=c.distribution) for c in CONTESTANTS}


def in_turns(takes: Mapping[str, Any], *, rounds: int) -> dict[str, list[float]]:
    """Let every contestant take its turn, round after round, the first to start moving on by one each round; the first round only warms up.

    A take is a function that returns one measurement.
    """
    names = list(takes)
    seen: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            value = takes[name]()
            if turn:
                seen[name].append(value)
    return seen


def medians(seen: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the median of every contestant."""
    return {name: statistics.median(values) for name, values in seen.items()}


def machine() -> str:
    """Describe the machine: cores and system, and no date."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {platform.python_implementation()} {platform.python_version()}"


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 1) -> str:
    """Return a markdown table; all columns from number `numbers` on align right."""
    rule = ["---" if n < numbers else "---:" for n in range(len(headings))]
    lines = [headings, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

"""Start: what `import` costs, and a first price in a new process, side by side with the peers.

Every measurement is a process of its own; the contestants take turns. `inside` is the time from before the import to the answer, as the
process sees it; `whole` is the life of the process as its parent sees it, with the start and end of Python.

    python benchmarks/start.py
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from calls import CASES, CONTESTANTS, IMPORTS, OURS
from contest import BAR_HEADINGS, ENVIRONMENT, Bar, in_turns, markdown, median, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from contest import Seen

__all__ = ["Outcome", "bars", "measure", "tables"]

ROUNDS = 15
IMPORT_BAR = 0.5
COLD_BAR = 1.2
YARDSTICK = "model-prices"
_PROGRAM = "import time; _began = time.perf_counter()\n{body}\nprint(time.perf_counter() - _began)\n"


class Outcome(NamedTuple):
    """One kind of start: milliseconds inside the process, and of the whole process."""

    what: str
    limit: float
    inside: Seen
    whole: Seen


def measure(pythons: Mapping[str, Path], *, rounds: int = ROUNDS) -> list[Outcome]:
    """Start every contestant again and again, in turns."""
    plain = CASES[0]
    full = {name: call.full or call.total for name, call in plain.calls.items()}
    kinds = [
        ("import", IMPORT_BAR, IMPORTS),
        ("first total", COLD_BAR, {name: f"{call.setup}\n{call.total}" for name, call in plain.calls.items()}),
        ("first full quote", COLD_BAR, {name: f"{call.setup}\n{full[name]}" for name, call in plain.calls.items()}),
    ]
    interpreters = {contestant.name: pythons[contestant.environment] for contestant in CONTESTANTS}
    outcomes: list[Outcome] = []
    for what, limit, bodies in kinds:
        entered = [name for name in bodies if what != "first full quote" or plain.calls[name].full or name == YARDSTICK]
        seen = in_turns({name: _take(interpreters[name], bodies[name]) for name in entered}, rounds=rounds)
        inside = {name: [pair[0] for pair in pairs] for name, pairs in seen.items()}
        whole = {name: [pair[1] for pair in pairs] for name, pairs in seen.items()}
        outcomes.append(Outcome(what, limit, inside, whole))
    return outcomes


def _take(python: Path, body: str) -> Callable[[], tuple[float, float]]:
    command = [python, "-I", "-c", _PROGRAM.format(body=body)]

    def take() -> tuple[float, float]:
        began = time.perf_counter()
        done = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True)
        whole = time.perf_counter() - began
        return float(done.stdout.split()[-1]) * 1e3, whole * 1e3

    return take


def bars(outcomes: list[Outcome]) -> list[Bar]:
    """Return the bars, each for both ways to look at a start."""
    return [
        Bar(f"{what}, {view}", limit, YARDSTICK, ratio(seen, OURS, YARDSTICK))
        for what, limit, inside, whole in outcomes
        for view, seen in (("inside the process", inside), ("whole process", whole))
    ]


def tables(outcomes: list[Outcome]) -> str:
    """Return the medians as markdown, one table for each kind of start, each with its ratio to ours."""
    headings = ("contestant", "inside, ms", "ratio", "whole, ms", "ratio")
    parts = [
        f"### {what[0].upper()}{what[1:]}\n\n{markdown(headings, [(name, *_cells(inside, name), *_cells(whole, name)) for name in inside])}"
        for what, _, inside, whole in outcomes
    ]
    return "\n\n".join(parts)


def _cells(seen: Seen, name: str) -> tuple[str, str]:
    return f"{median(seen, name):.0f}", f"{ratio(seen, name, OURS):.2f}"


if __name__ == "__main__":
    from environments import pythons_from_command_line

    measured = measure(pythons_from_command_line(__doc__))
    print(tables(measured), markdown(BAR_HEADINGS, [bar.row() for bar in bars(measured)], words=3), sep="\n\n")

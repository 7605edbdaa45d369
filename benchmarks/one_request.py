"""One request: its total, and its full quote with lines and evidence, side by side with the peers.

Run alone it prints its tables: `python benchmarks/one_request.py`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple

from calls import CASES, OURS, Case
from contest import Bar, in_turns, markdown, medians, workers

if TYPE_CHECKING:
    from contest import Interpreters, Worker

__all__ = ["Answer", "Outcome", "bars", "measure", "tables"]

ROUNDS = 31
TOTAL_BAR = 0.8
QUOTE_BAR = 0.2
_CLOSE = Decimal("1e-9")


class Answer(NamedTuple):
    """What a contestant answered, before anything was timed, and how that compares with the exact total."""

    text: str
    verdict: str

    @property
    def right(self) -> bool:
        """Whether the price is right, be it only as nearly as a float can hold it."""
        return self.verdict in ("exact", "float")


class Outcome(NamedTuple):
    """One case: every contestant's answer, and medians in nanoseconds of the total and of the full quote."""

    case: Case
    answers: dict[str, Answer]
    total: dict[str, float]
    full: dict[str, float]


def _judge(case: Case, reply: dict[str, str]) -> Answer:
    text = reply.get("answer")
    if text is None:
        return Answer(reply.get("error", "no answer"), "cannot")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Answer(text, "cannot")
    if reply["kind"] == "Decimal" and number == case.exact:
        return Answer(text, "exact")
    near = abs(number - case.exact) <= _CLOSE * case.exact
    return Answer(text, "float" if near else "wrong")


def measure(running: dict[str, Worker], *, rounds: int = ROUNDS) -> list[Outcome]:
    """Check every answer, then time every contestant in turns, case by case."""
    outcomes: list[Outcome] = []
    for case in CASES:
        answers = {name: _judge(case, running[name].request("ask", setup=call.setup, total=call.total)) for name, call in case.calls.items()}
        able = [name for name, answer in answers.items() if answer.verdict != "cannot"]
        total = {name: _take(running[name], case.calls[name].setup, case.calls[name].total) for name in able}
        full = {name: _take(running[name], case.calls[name].setup, statement) for name in able if (statement := case.calls[name].full)}
        outcomes.append(Outcome(case, answers, medians(in_turns(total, rounds=rounds)), medians(in_turns(full, rounds=rounds))))
    return outcomes


def _take(worker: Worker, setup: str, statement: str):
    return lambda: worker.request("time", setup=setup, statement=statement)["ns"]


def bars(outcomes: list[Outcome]) -> list[Bar]:
    """Return the bars of every case: the total against the fastest peer that answers right, the full quote against genai-prices."""
    found: list[Bar] = []
    for case, answers, total, full in outcomes:
        rivals = {name: ns for name, ns in total.items() if name != OURS and answers[name].right}
        peer = min(rivals, key=rivals.__getitem__)
        found.append(Bar(f"total of one request, {case.id}", TOTAL_BAR, total[OURS], rivals[peer], peer))
        found.append(Bar(f"full quote, {case.id}", QUOTE_BAR, full[OURS], full["genai-prices"], "genai-prices"))
    return found


def tables(outcomes: list[Outcome]) -> str:
    """Return the medians and ratios as markdown, one table a case."""
    parts: list[str] = []
    for case, answers, total, full in outcomes:
        rows = [
            (
                name,
                f"`{answer.text}`" if answer.verdict != "cannot" else answer.text,
                answer.verdict,
                *(_cells(total, name)),
                *(_cells(full, name)),
            )
            for name, answer in answers.items()
        ]
        headings = ("contestant", "answer, USD", "verdict", "total, us", "ratio", "full quote, us", "ratio")
        title = case.title[0].upper() + case.title[1:]
        parts.append(f"### {title}\n\nThe exact total is {case.exact} USD.\n\n{markdown(headings, rows, numbers=3)}")
    return "\n\n".join(parts)


def _cells(medians_ns: dict[str, float], name: str) -> tuple[str, str]:
    ns = medians_ns.get(name)
    return ("", "") if ns is None else (f"{ns / 1000:.2f}", f"{ns / medians_ns[OURS]:.2f}")


def run(pythons: Interpreters) -> None:
    """Measure and print."""
    with workers(pythons) as running:
        outcomes = measure(running)
    print(tables(outcomes))
    print()
    print(markdown(("what", "bar", "ratio", ""), [bar.row() for bar in bars(outcomes)]))


if __name__ == "__main__":
    from environments import pythons_from_command_line

    run(pythons_from_command_line(__doc__))

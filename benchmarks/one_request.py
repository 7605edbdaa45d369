"""One request: its total, and its full quote with lines and evidence, side by side with the peers.

python benchmarks/one_request.py
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple

from calls import CASES, OURS
from contest import BAR_HEADINGS, Bar, in_turns, markdown, median, ratio, workers

if TYPE_CHECKING:
    from calls import Case
    from contest import Seen, Worker

__all__ = ["Answer", "Outcome", "bars", "measure", "tables"]

ROUNDS = 31
TOTAL_BAR = 0.8
QUOTE_BAR = 0.2
_CLOSE = Decimal("1e-9")
_HEADINGS = ("contestant", "verdict", "answer, USD", "total, us", "ratio", "full quote, us", "ratio")


class Answer(NamedTuple):
    """What a contestant answered before anything was timed, with every digit, and how that compares with the exact total."""

    text: str
    verdict: str

    @property
    def right(self) -> bool:
        """Whether the price is right, be it only as nearly as a float can hold it."""
        return self.verdict in ("exact", "nearly")


class Outcome(NamedTuple):
    """One case: every contestant's answer, and what its total and its full quote took, in microseconds."""

    case: Case
    answers: dict[str, Answer]
    total: Seen
    full: Seen


def judge(case: Case, reply: dict[str, str]) -> Answer:
    """Compare an answer with the exact total: `exact`, `nearly` (a float), `wrong`, or `cannot`."""
    text = reply.get("answer")
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return Answer(text or reply.get("error", "none"), "cannot")
    if number == case.exact and reply["kind"] == "Decimal":
        return Answer(text or "", "exact")
    near = abs(number - case.exact) <= _CLOSE * case.exact
    return Answer(text or "", "nearly" if near else "wrong")


def measure(running: dict[str, Worker], *, rounds: int = ROUNDS) -> list[Outcome]:
    """Check every answer, then time every contestant in turns, case by case."""
    outcomes: list[Outcome] = []
    for case in CASES:
        answers = {name: judge(case, running[name].request("ask", setup=call.setup, total=call.total)) for name, call in case.calls.items()}
        able = {name: case.calls[name] for name, answer in answers.items() if answer.verdict != "cannot"}
        total = {name: running[name].take(call.setup, call.total) for name, call in able.items()}
        full = {name: running[name].take(call.setup, call.full) for name, call in able.items() if call.full}
        outcomes.append(Outcome(case, answers, in_turns(total, rounds=rounds), in_turns(full, rounds=rounds)))
    return outcomes


def bars(outcomes: list[Outcome]) -> list[Bar]:
    """Return the bars of every case: the total against the fastest peer that answers right, the full quote against genai-prices."""
    found: list[Bar] = []
    for case, answers, total, full in outcomes:
        peer = min((name for name in total if name != OURS and answers[name].right), key=lambda name: median(total, name))
        found.append(Bar(f"total of one request, {case.id}", TOTAL_BAR, peer, ratio(total, OURS, peer)))
        found.append(Bar(f"full quote, {case.id}", QUOTE_BAR, "genai-prices", ratio(full, OURS, "genai-prices")))
    return found


def tables(outcomes: list[Outcome]) -> str:
    """Return the medians as markdown, one table a case, each with its ratio to ours."""
    parts: list[str] = []
    for case, answers, total, full in outcomes:
        rows = [(name, answer.verdict, f"`{answer.text}`", *_cells(total, name), *_cells(full, name)) for name, answer in answers.items()]
        title = case.title[0].upper() + case.title[1:]
        parts.append(f"### {title}\n\nThe exact total is {case.exact} USD.\n\n{markdown(_HEADINGS, rows, words=3)}")
    return "\n\n".join(parts)


def _cells(seen: Seen, name: str) -> tuple[str, str]:
    return (f"{median(seen, name):.2f}", f"{ratio(seen, name, OURS):.2f}") if name in seen else ("", "")


if __name__ == "__main__":
    from environments import pythons_from_command_line

    with workers(pythons_from_command_line(__doc__)) as everyone:
        measured = measure(everyone)
    print(tables(measured), markdown(BAR_HEADINGS, [bar.row() for bar in bars(measured)], words=3), sep="\n\n")

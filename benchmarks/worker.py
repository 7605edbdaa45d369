"""The worker: runs in a contestant's own interpreter and times what it is asked to, one JSON object a line.

It imports nothing but the standard library, so that every contestant can run it. `ask` answers a call once, `time` repeats a statement
for one turn and gives the microseconds of one pass.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import platform
import sys
import time
import timeit

CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time
"""Processor time where its clock is fine enough: what else runs on the machine then counts for less."""
TURN_S = 0.02
"""How long one turn lasts: long enough for the clock, short enough that a turn of every contestant meets the same machine."""


class Bench:
    """Compiled statements, and how often each is repeated in a turn."""

    def __init__(self) -> None:
        self.timers: dict[str, tuple[timeit.Timer, int]] = {}

    def ask(self, request: dict) -> dict:
        """Answer a call once, as text that shows every digit."""
        names: dict = {}
        exec(request["setup"], names)  # the statements are the benchmark's own
        answer = eval(request["total"], names)
        return {"answer": None if answer is None else str(answer), "kind": type(answer).__name__}

    def time(self, request: dict) -> dict:
        """Run one turn."""
        key = request["setup"] + "\n" + request["statement"]
        if key not in self.timers:
            names: dict = {}
            exec(request["setup"], names)  # once: a setup that ran before every turn would time its first, cold call
            timer = timeit.Timer(request["statement"], timer=CLOCK, globals=names)
            timer.timeit(1)
            number, taken = timer.autorange()
            self.timers[key] = timer, max(1, round(number * TURN_S / taken))
        timer, number = self.timers[key]
        return {"us": timer.timeit(number) / number * 1e6}

    def release(self, request: dict) -> dict:
        """Say which release is measured, on which Python."""
        return {"release": importlib.metadata.version(request["distribution"]), "python": platform.python_version()}


def serve() -> None:
    """Answer requests until the input ends; what a library prints goes to standard error."""
    replies, sys.stdout = sys.stdout, sys.stderr
    logging.disable()
    bench = Bench()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = getattr(bench, request.pop("do"))(request)
        except Exception as error:  # a contestant that cannot answer says so and stays in the run
            reply = {"error": type(error).__name__}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    serve()

"""Pages: the documentation as something that can be run.

A fenced block of a page is one of these, by its first word:

- `python`: run in one namespace a page, in a folder of its own. With `>>>` every example is compared with the output below it;
  otherwise a `text` block that follows holds what the block prints.
- `console`: lines that begin with `$ tokencost` run through the command line in this process; the lines below are its output.
  Other commands are shown and not run.
- `sh`: lines that begin with `tokencost ` run in the same way and only need to succeed.
- `python signature`: the signature of the public name in the heading above.
- any other, with `file=NAME`: written to that file before the next block runs.

`norun` after the first word leaves a block alone. In expected output a line of three dots stands for anything.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from signatures import shown

import tokencost as tc
from tokencost import war

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["REPOSITORY", "Block", "Outcome", "blocks_of", "matches", "pages", "play", "run_cli"]

REPOSITORY = Path(__file__).resolve().parent.parent.parent
_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ `(\w+)`$", re.MULTILINE)
_WIDTH = "150"
_TABLES = "data/price_tables"


class Block(NamedTuple):
    """A fenced block: its language, the other words of its first line, its text, and where the text stands in the page."""

    language: str
    words: tuple[str, ...]
    text: str
    start: int
    end: int

    @property
    def file(self) -> str | None:
        """The file that the block is written to."""
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), None)


class Outcome(NamedTuple):
    """What a block of a page shows, and what it shows when it is run; output that fits is left as it stands."""

    block: Block
    expected: str
    actual: str
    failure: str | None = None


def pages() -> list[Path]:
    """Return every page of the documentation."""
    top = [REPOSITORY / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return [*(page for page in top if page.is_file()), *sorted((REPOSITORY / "docs").rglob("*.md"))]


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [Block(m[1], tuple(m[2].split()), m[3], m.start(3), m.end(3)) for m in _FENCE.finditer(text)]


def matches(expected: str, actual: str) -> bool:
    """Say whether output is as shown; three dots stand for anything."""
    return doctest.OutputChecker().check_output(expected.rstrip() + "\n", actual.rstrip() + "\n", doctest.ELLIPSIS)


def play(page: Path, folder: Path) -> Iterator[Outcome]:
    """Run a page from top to bottom in a folder, and yield what each block shows and what it should."""
    text = page.read_text(encoding="utf-8")
    if _TABLES in text:
        shutil.copytree(REPOSITORY / _TABLES, folder / _TABLES)
    names: dict[str, Any] = {"__name__": "__main__"}
    found = blocks_of(text)
    with contextlib.chdir(folder):
        for number, block in enumerate(found):
            following = found[number + 1] if number + 1 < len(found) else None
            if block.file is not None:
                target = Path(block.file)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(block.text, encoding="utf-8")
            elif "signature" in block.words:
                heading = _HEADING.findall(text, 0, block.start)[-1]
                yield Outcome(block, block.text, shown(heading, war if page.stem == "war" else tc))
            elif "norun" not in block.words:
                yield from _outcomes(block, following, names)


def _outcomes(block: Block, following: Block | None, names: dict[str, Any]) -> Iterator[Outcome]:
    if block.language == "python" and ">>> " in block.text:
        made, failure = _doctest(block.text, names)
        yield Outcome(block, block.text, made, failure)
    elif block.language == "python":
        printed, failure = _execute(block.text, "exec", names)
        shown = following if following is not None and following.language == "text" else None
        if shown is not None:
            yield Outcome(shown, shown.text, shown.text if matches(shown.text, printed) else printed.rstrip() + "\n", failure)
        else:
            yield Outcome(block, block.text, block.text, failure or (f"prints {printed!r} and shows nothing" if printed else None))
    elif block.language == "console":
        yield _session(block)
    elif block.language == "sh":
        for line in block.text.splitlines():
            if line.startswith("tokencost "):
                printed, code = run_cli(shlex.split(line, comments=True)[1:])
                yield Outcome(block, block.text, block.text, None if code == 0 else f"{line!r} ends with {code}: {printed}")


def _doctest(text: str, names: dict[str, Any]) -> tuple[str, str | None]:
    """Return the examples with the output that they really have, and what was raised unannounced; output that fits stays as it is."""
    made: list[str] = []
    surprises: list[str] = []
    for part in doctest.DocTestParser().parse(text):
        if isinstance(part, str):
            made.append(part)
            continue
        printed, failure = _execute(part.source, "single", names)
        if failure is None:
            got, fits = printed, matches(part.want, printed)
            if "\n\n" in printed:
                surprises.append(f"{part.source.strip()!r} prints an empty line, which ends its output here; show it in a text block")
        else:
            got, fits = f"Traceback (most recent call last):\n    ...\n{failure}\n", matches(part.exc_msg or "", failure)
            if not part.want.startswith("Traceback"):
                surprises.append(f"{part.source.strip()!r} raises {failure}")
        made += [f"{'>>> ' if n == 0 else '... '}{line}".rstrip() + "\n" for n, line in enumerate(part.source.splitlines())]
        made.append(part.want if fits else got)
    return "".join(made), "; ".join(surprises) or None


def _execute(source: str, how: str, names: dict[str, Any]) -> tuple[str, str | None]:
    stream = io.StringIO()
    try:
        with contextlib.redirect_stdout(stream):
            exec(compile(source, "<page>", how, dont_inherit=True), names)
    except Exception as error:  # noqa: BLE001 - whatever a page raises is its output
        return stream.getvalue(), "".join(traceback.format_exception_only(error)).strip()
    return stream.getvalue(), None


def _session(block: Block) -> Outcome:
    """Run the commands of a session, and return it with the output that they really have."""
    made: list[str] = []
    failures: list[str] = []
    for part in re.split(r"^(?=\$ )", block.text, flags=re.MULTILINE):
        command, _, shown = part.partition("\n")
        if not command.startswith("$ tokencost"):
            made.append(part)
            continue
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            command += "\n" + more
        words = shlex.split(command.removeprefix("$ ").replace("\\\n", " "), comments=True)
        printed, code = run_cli(words[1:])
        wanted = 1 if "# exit 1" in command else 0
        if code != wanted:
            failures.append(f"{command!r} ends with {code}: {printed}")
        made.append(f"{command}\n{shown if matches(shown, printed) else printed.rstrip() + chr(10)}")
    return Outcome(block, block.text, "".join(made), "; ".join(failures) or None)


def run_cli(arguments: list[str]) -> tuple[str, int]:
    """Run the command line in this process, and return what it prints, on both streams, and its exit code."""
    from tokencost.__main__ import main

    stream = io.StringIO()
    environment = {"COLUMNS": _WIDTH, "NO_COLOR": "1", "TERM": "dumb"}
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["tokencost", *arguments]),
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        try:
            code = main()
        except SystemExit as stop:
            code = stop.code
    lines = (line.rstrip() for line in stream.getvalue().splitlines())
    return "\n".join(lines).rstrip() + "\n", int(code or 0)

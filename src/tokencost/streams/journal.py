"""The journal: what of a run is done, a line a part, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from tokencost.errors import StreamError
from tokencost.streams.reading import Place

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["BAD_ROWS", "JOURNAL", "Journal", "PartDone", "locked", "settle", "write_text"]

JOURNAL: Final = ".tokencost-reprice.jsonl"
"""The name of the journal in the folder of a run."""
BAD_ROWS: Final = "bad-rows.csv"
"""The rows of text that could not be read."""
_LOCK: Final = ".tokencost-reprice.lock"
_EDITION: Final = 1
_CURE: Final = "pass another folder, or delete this one to begin anew"


class PartDone(NamedTuple):
    """A part that is safe: of which file, its own file (none where no row was good), where the next begins, and what it came to."""

    source: int
    number: int
    file: str | None
    size: int
    rows: int
    place: Place
    ended: bool
    totals: str
    outcomes: Mapping[str, int]
    problems: Sequence[Sequence[Any]]
    bad_rows: int
    bad_end: int
    notes: Mapping[str, int]


class Journal:
    """The journal of one folder: the manifest of the run in its first line, then a line for every part that is done.

    Raises:
        StreamError: the folder holds a run with other files, tables or options, or a part that is not as it was written.
    """

    def __init__(self, out: Path, manifest: Mapping[str, Any]) -> None:
        self.out = out
        self.path = out / JOURNAL
        self.parts: list[PartDone] = []
        manifest = json.loads(json.dumps({"edition": _EDITION, **manifest}))
        lines = list(self._read())
        if not lines:
            self._refuse_strangers()
            self._append(manifest)
            settle(out)
            return
        self._compare(lines[0], manifest)
        for line in lines[1:]:
            part = PartDone(**line)._replace(place=Place(*line["place"]))
            self._check(part)
            self.parts.append(part)

    def add(self, part: PartDone) -> None:
        """Write the line of a part that is in place, and wait until it is on the disk."""
        self._append(part._asdict())
        self.parts.append(part)

    @property
    def bad_end(self) -> int:
        """The bytes of the file of bad rows that belong to finished parts."""
        return self.parts[-1].bad_end if self.parts else 0

    def _append(self, line: Mapping[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> Iterator[dict[str, Any]]:
        """Yield the whole lines; one that was torn when the run was killed is cut off."""
        if not self.path.exists():
            return
        raw = self.path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole < len(raw):
            with self.path.open("r+b") as file:
                file.truncate(whole)
        for number, line in enumerate(raw[:whole].splitlines(), 1):
            try:
                found = json.loads(line)
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise StreamError(f"line {number} of {self.path} is broken; {_CURE}", path=str(self.path))
            yield cast("dict[str, Any]", found)

    def _refuse_strangers(self) -> None:
        """Refuse to write among files that no run has written."""
        found = sorted(path.name for path in self.out.iterdir() if path.name not in (_LOCK, JOURNAL))
        if found:
            raise StreamError(
                f"{self.out} is not empty, it has {found[0]!r}, and no run began in it; pass another folder", path=str(self.out)
            )

    def _compare(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        for key in dict.fromkeys((*new, *old)):
            if old.get(key) == new.get(key):
                continue
            said = (
                _changed_files(old[key], new[key]) if key == "sources" and key in old else f"{key} {old.get(key)!r}, now {new.get(key)!r}"
            )
            raise StreamError(f"{self.out} holds a run with {said}; {_CURE}", path=str(self.out), differs=key)

    def _check(self, part: PartDone) -> None:
        if part.file is None:
            return
        path = self.out / part.file
        size = path.stat().st_size if path.exists() else None
        if size != part.size:
            what = "is missing" if size is None else f"has {size:,} bytes and not {part.size:,}"
            raise StreamError(f"{path} {what}, it was changed after it was written; {_CURE}", path=str(path))


def _changed_files(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> str:
    was, now = ({str(source["path"]): source for source in sources} for sources in (old, new))
    for path in (*now, *was):
        if path not in was:
            return f"other files: {path} is new"
        if path not in now:
            return f"other files: {path} was read and is not named now"
        if was[path] != now[path]:
            return f"other files: {path} has changed"
    return "the same files in another order"


@contextmanager
def locked(out: Path) -> Generator[None]:
    """Make the folder, and hold it for one run; the system lets go of it even where the run is killed.

    Raises:
        StreamError: another run holds it, or it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / _LOCK).open("a+b")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StreamError(f"cannot write into {str(out)!r}: {why}; pass a folder that can be written to", path=str(out)) from None
    with file:
        try:
            _lock(file.fileno())
        except OSError:
            message = f"another run is writing into {str(out)!r}; wait until it has ended, or pass another folder"
            raise StreamError(message, path=str(out)) from None
        yield


def _lock(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        getattr(msvcrt, "locking")(handle, getattr(msvcrt, "LK_NBLCK"), 1)  # noqa: B009 - not there for the type checker elsewhere
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def settle(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; systems that cannot say so are passed over."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a file beside the one that it replaces, and move it in place when it is on the disk."""
    beside = path.with_name(f".{path.name}.tmp")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    settle(path.parent)

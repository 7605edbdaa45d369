"""Sources: which files a run reads, and what kind each of them is."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tokencost.errors import StreamError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ENDINGS", "PACKINGS", "Kind", "Source", "Sources", "find_sources"]

Kind = Literal["parquet", "csv", "jsonl", "arrow"]
Sources = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

ENDINGS: Final[dict[str, Kind]] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
"""The kind of a file by its ending."""

PACKINGS: Final = {".gz": "gzip", ".zst": "zstd"}
"""How text may be packed, by the ending after its own."""

_KINDS: Final = f"the kinds are {', '.join(ENDINGS)}, and text also packed as .csv.gz or .jsonl.zst"


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path as given, its kind, how it is packed, its size in bytes and its time of change in nanoseconds."""

    path: Path
    kind: Kind
    packed: str | None
    size: int
    changed: int

    @property
    def name(self) -> str:
        """The path as it was given."""
        return self.path.as_posix()

    @property
    def stem(self) -> str:
        """The name of the file without the endings that say its kind.

        >>> Source(Path("logs/may.2025.csv.gz"), "csv", "gzip", 0, 0).stem
        'may.2025'
        """
        name = self.path.name
        return (name[: -len(self.path.suffix)] if self.packed else name).rpartition(".")[0]

    def state(self) -> dict[str, object]:
        """Return what must be the same when a run goes on: where the file is, its size, and when it changed."""
        return {"path": str(self.path.resolve()), "size": self.size, "changed": self.changed}


def find_sources(given: Sources, *, without: Path | None = None) -> tuple[Source, ...]:
    """Return the files that paths, folders and patterns name, in the order given, each once.

    Folders are walked to their depths for files of known kinds, sorted; names that begin with a dot or an underscore are passed over there.
    Patterns (`logs/2025-*/*.parquet`, `**`) are expanded, sorted. `without` is a folder that nothing is read from: where output goes.

    Raises:
        StreamError: a path does not exist, is of no known kind, or nothing is found.
    """
    words = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    if not words:
        raise StreamError(f"no file to read was named; pass files, folders or patterns, {_KINDS}", paths=())
    barred = None if without is None else without.resolve()
    found: dict[tuple[int, int] | Path, Source] = {}
    for word in words:
        for path in _expand(os.fspath(word)):
            if barred is None or not path.resolve().is_relative_to(barred):
                source, key = _source(path)
                found.setdefault(key, source)
    if not found:
        shown = ", ".join(repr(os.fspath(word)) for word in words)
        raise StreamError(f"nothing to read in {shown}; {_KINDS}", paths=tuple(os.fspath(word) for word in words))
    return tuple(found.values())


def _expand(word: str) -> Iterator[Path]:
    path = Path(word)
    if path.is_dir():
        yield from _walk(path)
    elif path.exists() or not glob.has_magic(word):
        yield path
    else:
        matches = sorted(glob.glob(word, recursive=True))  # noqa: PTH207 - patterns may be absolute, which Path.glob refuses
        if not matches:
            raise StreamError(f"nothing matches the pattern {word!r}; check the folder that it begins in", paths=(word,))
        for match in matches:
            yield from _walk(Path(match)) if Path(match).is_dir() else (Path(match),)


def _walk(folder: Path) -> Iterator[Path]:
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        for name in sorted(files):
            if name[0] not in "._" and _kind(Path(name)) is not None:
                yield Path(at, name)


def _kind(path: Path) -> tuple[Kind, str | None] | None:
    """Return the kind of a file and how it is packed, by the endings of its name."""
    *before, last = ["", *(suffix.lower() for suffix in path.suffixes)]
    packed = PACKINGS.get(last)
    kind = ENDINGS.get(before[-1] if packed and before else last)
    if kind is None or (packed is not None and kind not in ("csv", "jsonl")):
        return None
    return kind, packed


def _source(path: Path) -> tuple[Source, tuple[int, int] | Path]:
    """Return a file with what tells it apart from all others, however it is written or linked."""
    known = _kind(path)
    try:
        stat = path.stat()
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise StreamError(f"cannot read {str(path)!r}: {why}; pass files, folders or patterns", path=str(path)) from None
    if known is None:
        raise StreamError(f"{path} is of no known kind; {_KINDS}", path=str(path))
    source = Source(path, *known, stat.st_size, stat.st_mtime_ns)
    return source, (stat.st_dev, stat.st_ino) if stat.st_ino else path.resolve()

"""Lint: all checks over files, every fault at once, each with its file, its line and its code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import TableError
from tokencost.tariffs import files
from tokencost.tariffs.canonical import provider_text, sources_text, tariff_text
from tokencost.tariffs.checks import STRUCTURE, Case, Finding, provider_findings
from tokencost.tariffs.fault import Fault
from tokencost.tariffs.plausibility import PLAUSIBILITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from tokencost.tariffs.provider import Provider, Source
    from tokencost.tariffs.schedule import Calendar
    from tokencost.tariffs.tariff import Tariff

__all__ = ["canonical_form", "find_tables", "lint_tables", "structure_faults"]

_STALE_DAYS: Final = 180
_NOT_OFFERINGS: Final = ("provider.toml", "sources.toml")


def find_tables(path: Path) -> tuple[Path, list[Path]]:
    """Return the root of the tables that a file or folder belongs to, and the files in it, sorted.

    Raises:
        TableError: there is no such path, or no `provider.toml` around it.
    """
    if not path.exists():
        raise TableError(f"no file or folder {str(path)!r}; pass a table, a provider's folder or the folder of all tables", faults=())
    path = path.resolve()
    inner = path if path.is_dir() else path.parent
    holders = [folder for folder in (inner, *inner.parents) if (folder / "provider.toml").is_file()]
    root = holders[0].parent if holders else inner
    if not holders and not any(root.glob("*/provider.toml")) and path.parent.name != "calendars" and path.name != "claims.toml":
        raise TableError(f"no price tables at {str(path)!r}; a provider's folder holds a provider.toml", faults=())
    if path.parent.name == "calendars":
        root = path.parent.parent
    found = [path] if path.is_file() else sorted(path.rglob("*.toml"))
    return root, found


def lint_tables(path: Path, *, on: date | None = None) -> list[Fault]:
    """Check a table, a provider's folder or all tables, and return every fault.

    `on` is the day that staleness is measured from; without it nothing is called stale, because the library never looks at the clock.
    """
    root, found = find_tables(path)
    surroundings = _Surroundings(root)
    faults: list[Fault] = []
    for file in found:
        faults += _lint_file(file, root, surroundings, on)
    faults += surroundings.faults
    return list(dict.fromkeys(faults))


class _Surroundings:
    """Providers, sources and calendars, each read once; their own faults are kept."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[Fault] = []
        self._providers: dict[str, tuple[Provider | None, dict[str, Source]]] = {}
        self.calendars: dict[str, Calendar] = {}
        for file in sorted((root / "calendars").glob("*.toml")):
            calendar = self._quietly(lambda file=file: files.read_calendar(files.read_toml(file, shown=_shown(file, root)), file.stem, path=_shown(file, root)))
            if calendar is not None:
                self.calendars[file.stem] = calendar
        self.offerings = frozenset(
            file.relative_to(root).with_suffix("").as_posix() if file.suffix == ".toml" else ""
            for file in root.glob("*/*/**/*.toml")
            if file.name not in _NOT_OFFERINGS
        )

    def _quietly(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except TableError as error:
            self.faults.extend(error.faults)
            return None

    def provider(self, provider: str) -> tuple[Provider | None, dict[str, Source]]:
        """Return a provider and its sources, None and none where their files do not hold."""
        if provider not in self._providers:
            folder = self.root / provider
            shown = f"{provider}/provider.toml"
            made = None
            if (folder / "provider.toml").is_file():
                made = self._quietly(lambda: files.read_provider(files.read_toml(folder / "provider.toml", shown=shown), provider, path=shown))
            else:
                self.faults.append(Fault("T22", shown, "", "is missing; every provider's folder needs one"))
            sources: dict[str, Source] = {}
            if (folder / "sources.toml").is_file():
                shown = f"{provider}/sources.toml"
                sources = self._quietly(lambda: files.read_sources(files.read_toml(folder / "sources.toml", shown=shown), path=shown)) or {}
            self._providers[provider] = (made, sources)
        return self._providers[provider]


def _shown(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _lint_file(file: Path, root: Path, around: _Surroundings, on: date | None) -> Iterator[Fault]:
    shown = _shown(file, root)
    parts = shown.split("/")
    if parts[0] == "calendars":
        return  # read, and checked, with the surroundings
    if len(parts) == 1:
        yield from _claims(file, shown)
        return
    text = file.read_text(encoding="utf-8", errors="replace")
    provider, sources = around.provider(parts[0])
    if provider is None:
        return
    if parts[1] == "provider.toml":
        yield from _located(provider_findings(provider, sources, around.calendars, around.offerings), shown, text)
        yield from _canonical(shown, text, provider_text(provider, head=_head(text)))
    elif parts[1] == "sources.toml":
        yield from _canonical(shown, text, sources_text(sources.values(), head=_head(text)))
    else:
        yield from _lint_offering(file, text, shown, (provider, sources, around.calendars), on)


def _lint_offering(file: Path, text: str, shown: str, around: tuple[Provider, dict[str, Source], dict[str, Calendar]], on: date | None) -> Iterator[Fault]:
    reading = files.Reading(shown)
    try:
        doc = files.read_toml(file, shown=shown)
    except TableError as error:
        yield from error.faults
        return
    tariff_id = shown.removesuffix(".toml")
    tariff = files.build_tariff(reading, doc, tariff_id)
    yield from (_with_line(fault, text) for fault in reading.faults)
    if tariff is None or any(fault.code == "T21" for fault in reading.faults):
        return
    case = Case(tariff, *around)
    found = [finding for check in (*STRUCTURE, *PLAUSIBILITY) for finding in check(case)]
    yield from _located(iter(found), shown, text)
    if not found and not reading.faults:
        yield from _canonical(shown, text, tariff_text(tariff, head=_head(text)))
    newest = max((version.checked for version in tariff.versions), default=None)
    if on is not None and newest is not None and (on - newest).days > _STALE_DAYS and tariff.ends(tariff.versions[-1]) is None:
        yield Fault("T20", shown, "", f"last checked on {newest}, more than {_STALE_DAYS} days before {on}; look again and set checked")


def structure_faults(tariff: Tariff, provider: Provider, sources: dict[str, Source], calendars: dict[str, Calendar], path: str) -> list[Fault]:
    """Return what keeps a tariff from being rated: the checks that a book of one's own makes when it reads a table."""
    case = Case(tariff, provider, sources, calendars)
    return [Fault(f.code, path, f.where, f.message) for check in STRUCTURE for f in check(case)]


def _claims(file: Path, shown: str) -> Iterator[Fault]:
    if shown != "claims.toml":
        yield Fault("T22", shown, "", "lies outside a provider's folder; tables are <provider>/<endpoint>/<model>.toml")
        return
    try:
        files.read_claims(files.read_toml(file, shown=shown), path=shown)
    except TableError as error:
        yield from error.faults


def canonical_form(file: Path, root: Path) -> str:
    """Return the canonical text of a table.

    Raises:
        TableError: the file does not hold, or a comment inside it would be lost.
    """
    shown = _shown(file, root)
    text = file.read_text(encoding="utf-8")
    doc = files.read_toml(file, shown=shown)
    head = _head(text)
    lost = _lost_comment(text, head)
    if lost is not None:
        fault = Fault("T19", shown, "", "this comment would be lost; say it in a note", lost)
        raise TableError(str(fault), faults=(fault,))
    provider = shown.split("/", 1)[0]
    if shown.endswith("/provider.toml"):
        return provider_text(files.read_provider(doc, provider, path=shown), head=head)
    if shown.endswith("/sources.toml"):
        return sources_text(files.read_sources(doc, path=shown).values(), head=head)
    return tariff_text(files.read_tariff(doc, shown.removesuffix(".toml"), path=shown), head=head)


def _canonical(shown: str, text: str, canonical: str) -> Iterator[Fault]:
    if text == canonical:
        return
    pairs = zip([*text.splitlines(), ""], [*canonical.splitlines(), ""], strict=False)
    line = next((n for n, (is_, should) in enumerate(pairs, 1) if is_ != should), 1)
    yield Fault("T19", shown, "", "is not in canonical form; `tokencost fmt` writes it", line)


def _head(text: str) -> str:
    """Return the comment lines at the top of a file, with the empty line after them."""
    match = re.match(r"(?:#[^\n]*\n)+\n?", text)
    return match.group() if match else ""


def _lost_comment(text: str, head: str) -> int | None:
    for number, line in enumerate(text.splitlines(), 1):
        if number > head.count("\n") and re.match(r"\s*#", re.sub(r"\"(?:\\.|[^\"\\])*\"|'[^']*'", "", line).lstrip("{}[],=.:0-9A-Za-z_ +-")):
            return number
    return None


def _located(findings: Iterator[Finding], shown: str, text: str) -> Iterator[Fault]:
    for finding in findings:
        yield Fault(finding.code, shown, finding.where, finding.message, _line_of(text, finding.place))


def _line_of(text: str, place: tuple[str, int, int | None]) -> int | None:
    """Return the line of the n-th block of a kind, or of a row of rates inside it."""
    block, number, row = place
    if not block:
        return None
    seen, rows, inside = -1, -1, False
    header = None
    for at, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("[["):
            if inside:
                break
            seen += stripped == f"[[{block}]]"
            if seen == number and header is None:
                inside, header = True, at
        elif inside and row is not None:
            rows += stripped.removeprefix("rates").lstrip(" =[").startswith("{")
            if rows == row:
                return at
    return header


def _with_line(fault: Fault, text: str) -> Fault:
    """Find the line of a fault that names its key, from its words."""
    match = re.search(r"'([^']+)'|^(\w+) =", fault.message)
    if match is None:
        return fault
    word = re.escape(match.group(1) or match.group(2))
    found = re.search(rf"^.*(?<![\w-]){word}\s*=", text, flags=re.MULTILINE)
    return fault._replace(line=text.count("\n", 0, found.end()) + 1) if found else fault

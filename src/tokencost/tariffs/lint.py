"""Lint: all checks over files, every fault at once, each with its file, its line and its code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokencost.errors import TableError
from tokencost.tariffs import files
from tokencost.tariffs.calendar_checks import calendar_findings
from tokencost.tariffs.canonical import provider_text, sources_text, tariff_text
from tokencost.tariffs.checks import STRUCTURE, Case, findings_of
from tokencost.tariffs.corrections import calendar_past, schedules_past, tariff_past
from tokencost.tariffs.fault import Fault, raise_faults
from tokencost.tariffs.meter import METERS
from tokencost.tariffs.places import calendar_lines, comment_below, first_difference, located
from tokencost.tariffs.plausibility import PLAUSIBILITY
from tokencost.tariffs.provider_checks import provider_findings
from tokencost.tariffs.surroundings import CALENDARS, OlderCopy, Surroundings, Unread, document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date
    from pathlib import Path

    from tokencost.tariffs.tariff import Tariff

__all__ = ["canonical_form", "find_tables", "lint_tables"]

_STALE_DAYS: Final = 180
_CLAIMS: Final = "claims.toml"


def find_tables(path: Path) -> tuple[Path, list[Path]]:
    """Return the root of the tables that a file or folder belongs to, and the files in it, sorted.

    A path may be one table, a provider's folder, the calendars or one of them, the claims, or the folder of all tables.

    Raises:
        TableError: there is no such path, no `provider.toml` around it, or it is a file of another kind.
    """
    if not path.exists():
        raise TableError(f"no file or folder {str(path)!r}; pass a table, a provider's folder or the folder of all tables", faults=())
    path = path.resolve()
    if path.is_file() and path.suffix != ".toml":
        raise TableError(f"{str(path)!r} is no price table; tables are .toml files", faults=())
    inner = path if path.is_dir() else path.parent
    holders = [folder for folder in (inner, *inner.parents) if (folder / "provider.toml").is_file()]
    root = holders[0].parent if holders else inner.parent if inner.name == CALENDARS else inner
    if not holders and inner.name != CALENDARS and path.name != _CLAIMS and not any(root.glob("*/provider.toml")):
        raise TableError(f"no price tables at {str(path)!r}; a provider's folder holds a provider.toml", faults=())
    found = [path] if path.is_file() else sorted(file for file in path.rglob("*.toml") if file.is_file())
    return root, found


def lint_tables(
    path: Path,
    *,
    on: date | None = None,
    base: Path | None = None,
    track: Callable[[list[Path]], Iterable[Path]] = iter,
) -> list[Fault]:
    """Check a table, a provider's folder, the calendars or all tables, and return every fault.

    `on` is the day that staleness is measured from; without it nothing is called stale, because the library never looks at the clock.
    `base` is an older copy of the tables: a past price that differs from it without a correction is a fault; what cannot be read in it
    has no past to keep. `track` is given the files and yields them again, for a progress bar.

    Raises:
        TableError: `path` or `base` holds no tables.
    """
    root, found = find_tables(path)
    job = _Job(Surroundings(root), None if base is None else OlderCopy(find_tables(base)[0]), on)
    faults: list[Fault] = []
    for file in track(found):
        faults += _lint_file(file, job)
    if job.older is not None and path.is_dir():
        faults += job.older.gone(path.resolve().relative_to(root).as_posix(), job.around)
    faults += job.around.faults
    return list(dict.fromkeys(faults))


class _Job(NamedTuple):
    """What a run of the checks knows beside the file at hand."""

    around: Surroundings
    older: OlderCopy | None
    on: date | None


def _lint_file(file: Path, job: _Job) -> Iterator[Fault]:
    shown = file.relative_to(job.around.root).as_posix()
    parts = shown.split("/")
    try:
        doc = document(file, shown)
    except TableError as error:
        yield from error.faults
        return
    text = _text(file)
    if parts[0] == CALENDARS:
        yield from _lint_calendar(file.stem, text, shown, job)
    elif len(parts) == 1:
        yield from _lint_claims(doc, shown, job.around.offerings)
    elif parts[1] in ("provider.toml", "sources.toml"):
        yield from _lint_provider(text, shown, job)
    elif len(parts) == 2:  # noqa: PLR2004
        yield Fault("T22", shown, "", "lies outside an endpoint's folder; tables are <provider>/<endpoint>/<model>.toml")
    else:
        yield from _lint_offering(doc, text, shown, job)


def _text(file: Path) -> str:
    """Return the text of a file; how a checkout ends its lines is no part of the form."""
    return file.read_bytes().decode("utf-8").replace("\r\n", "\n")


def _lint_calendar(calendar_id: str, text: str, shown: str, job: _Job) -> Iterator[Fault]:
    calendar = job.around.calendars.get(calendar_id)
    if calendar is None:
        return  # its faults lie with the surroundings, which read it first
    findings = list(calendar_findings(calendar))
    before = job.older.calendar(calendar_id) if job.older is not None else None
    if before is not None:
        findings += calendar_past(before, calendar)
    yield from calendar_lines(findings, shown, text)


def _lint_claims(doc: dict[str, Any], shown: str, offerings: frozenset[str]) -> Iterator[Fault]:
    if shown != _CLAIMS:
        yield Fault("T22", shown, "", "lies outside a provider's folder; tables are <provider>/<endpoint>/<model>.toml")
        return
    try:
        claims = files.read_claims(doc, path=shown)
    except TableError as error:
        yield from error.faults
        return
    for claim in claims:
        if claim.offering not in offerings:
            yield Fault("T22", shown, f"claim {claim.id}", f"points at {claim.offering!r}, which is not here; name an offering by its id")
        for name in dict.fromkeys([*claim.said, *claim.really.values()]):
            if name not in METERS:
                yield Fault("T01", shown, f"claim {claim.id}", f"unknown meter {name!r}; the reference lists the meters")


def _lint_provider(text: str, shown: str, job: _Job) -> Iterator[Fault]:
    """Check a `provider.toml` or a `sources.toml`."""
    owner, name = shown.split("/")
    provider, sources = job.around.provider(owner)
    if provider is None:
        return
    if name == "provider.toml":
        findings = list(provider_findings(provider, sources, job.around.calendars, job.around.offerings))
        before = job.older.provider(owner) if job.older is not None else None
        if before is not None:
            findings += schedules_past(before, provider)
        yield from located(findings, shown, text)
        yield from _canonical(shown, text, provider_text(provider, head=_head(text)))
        return
    if not isinstance(sources, Unread):
        yield from _canonical(shown, text, sources_text(sources.values(), head=_head(text)))


def _lint_offering(doc: dict[str, Any], text: str, shown: str, job: _Job) -> Iterator[Fault]:
    provider, sources = job.around.provider(shown.split("/", 1)[0])
    reading = files.Reading(shown)
    tariff = files.build_tariff(reading, doc, shown.removesuffix(".toml"))
    if provider is None:
        yield from located(reading.findings, shown, text)
        return
    case = Case(tariff, provider, sources, job.around.calendars)
    found = [*reading.findings, *findings_of(case, (*STRUCTURE, *PLAUSIBILITY), unsound=reading.unsound)]
    if reading.unsound:
        yield from located(found, shown, text)
        return
    if not found:
        yield from _canonical(shown, text, tariff_text(tariff, head=_head(text)))
    before = job.older.tariff(tariff.id) if job.older is not None else None
    if before is not None:
        found += tariff_past(before, tariff)
    yield from located(found, shown, text)
    newest = max((version.checked for version in tariff.versions), default=None)
    if job.on is not None and newest is not None and (job.on - newest).days > _STALE_DAYS and _open(tariff):
        message = f"last checked on {newest}, more than {_STALE_DAYS} days before {job.on}; look again and set checked"
        yield Fault("T20", shown, "", message)


def _open(tariff: Tariff) -> bool:
    return bool(tariff.in_force) and tariff.ends(tariff.in_force[-1]) is None


def canonical_form(file: Path, root: Path) -> str:
    """Return the canonical text of a table; calendars and claims are kept as they stand.

    Raises:
        TableError: the file does not hold, or something in it would be lost: a comment inside, a second source of one id.
    """
    shown = file.relative_to(root).as_posix()
    doc = document(file, shown)
    text = _text(file)
    head = _head(text)
    owner, _, rest = shown.partition("/")
    if owner == CALENDARS or not rest:
        return text
    lost = comment_below(text, head)
    if lost is not None:
        raise_faults([Fault("T19", shown, "", "this comment would be lost; say it in a note", lost)])
    if rest == "provider.toml":
        return provider_text(files.read_provider(doc, owner, path=shown, file=file), head=head)
    if rest == "sources.toml":
        return sources_text(files.read_sources(doc, path=shown, file=file).values(), head=head)
    return tariff_text(files.read_tariff(doc, shown.removesuffix(".toml"), path=shown, file=file), head=head)


def _canonical(shown: str, text: str, canonical: str) -> Iterator[Fault]:
    inside = comment_below(text, _head(text))
    if inside is not None:
        yield Fault("T19", shown, "", "has a comment below its head; say it in a note", inside)
    elif text != canonical:
        yield Fault("T19", shown, "", "is not in canonical form; `tokencost fmt` writes it", first_difference(text, canonical))


def _head(text: str) -> str:
    """Return the comment lines at the top of a file, with the empty line after them."""
    match = re.match(r"(?:#[^\n]*\n)+\n?", text)
    return match.group() if match else ""

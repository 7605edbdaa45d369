"""The shelf: where price tables stand, read when they are first asked for."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import TableError, UnknownNameError
from tokencost.tariffs import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokencost.tariffs.provider import Claim, Provider, Source
    from tokencost.tariffs.schedule import Calendar
    from tokencost.tariffs.tariff import Tariff

__all__ = ["Shelf", "shipped_tables"]

_NOT_OFFERINGS: Final = frozenset({"provider.toml", "sources.toml"})
_SUFFIX: Final = ".toml"


def shipped_tables() -> Path:
    """Return the folder of the tables that ship with the package.

    >>> shipped_tables().name
    'price_tables'
    """
    package = Path(__file__).parent.parent
    inside = package / "price_tables"
    return inside if inside.is_dir() else package.parent.parent / "data" / "price_tables"


class Shelf:
    """A folder of price tables, plus tariffs that were added in memory.

    Nothing is read before it is asked for. A shelf never changes; `with_tariffs` makes a new one.
    """

    def __init__(self, root: Path, *, trusted: bool = False, added: Iterable[Tariff] = ()) -> None:
        if not root.is_dir():
            raise TableError(
                f"no folder of price tables at {str(root)!r}; pass the folder that holds <provider>/<endpoint>/<model>.toml", faults=()
            )
        self.root = root.absolute()
        self.trusted = trusted
        self._added: dict[str, Tariff] = {tariff.id: tariff for tariff in added}
        self._providers: dict[str, Provider] = {}
        self._changed: dict[str, Provider] = {}
        self._tariffs: dict[str, Tariff] = dict(self._added)
        self._sources: dict[str, dict[str, Source]] = {}
        self._calendars: dict[str, Calendar] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        shipped = self.trusted and self.root == shipped_tables().absolute()
        return _reopen, (None if shipped else self.root, self.trusted, tuple(self._added.values()), tuple(self._changed.values()))

    def with_tariffs(self, tariffs: Iterable[Tariff]) -> Shelf:
        """Return a shelf on which these tariffs stand too, in place of those with the same id.

        Raises:
            TableError: a tariff that does not hold: a float where a price is meant, a hole in its rows; all faults at once.
        """
        from tokencost.tariffs.doors import check_added

        added = tuple(tariffs)
        known = set(self.provider_ids)
        check_added((tariff, self.provider(tariff.provider) if tariff.provider in known else None) for tariff in added)
        made = Shelf(self.root, trusted=self.trusted, added={**self._added, **{t.id: t for t in added}}.values())
        made._providers, made._sources, made._calendars = self._providers, self._sources, self._calendars
        made._changed = self._changed
        made._tariffs = {**self._tariffs, **made._added}
        made.__dict__["_on_disk"] = self._on_disk
        return made

    def with_providers(self, providers: Iterable[Provider]) -> Shelf:
        """Return a shelf on which these providers stand in place of those with the same id: with another schedule, for one."""
        made = Shelf(self.root, trusted=self.trusted, added=self._added.values())
        made._sources, made._calendars, made._tariffs = self._sources, self._calendars, self._tariffs
        made.__dict__["_on_disk"] = self._on_disk
        changed = {**self._changed, **{provider.id: provider for provider in providers}}
        made._changed, made._providers = changed, {**self._providers, **changed}
        return made

    @cached_property
    def _on_disk(self) -> dict[str, str]:
        """The file of every offering on disk, by id, sorted; as text, for of the thousands only a few are read."""
        return dict(sorted(_tables(str(self.root), "")))

    @cached_property
    def paths(self) -> dict[str, Path]:
        """The file of every offering on disk, by id, sorted."""
        return {offering: Path(path) for offering, path in self._on_disk.items()}

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of all offerings, sorted."""
        return tuple(sorted({*self._on_disk, *self._added})) if self._added else tuple(self._on_disk)

    def has(self, offering: str) -> bool:
        """Say whether an offering with exactly this id stands here."""
        return offering in self._added or offering in self._on_disk

    @cached_property
    def by_model(self) -> dict[str, tuple[str, ...]]:
        """The ids of all offerings, by the part after provider and endpoint."""
        grouped: dict[str, list[str]] = {}
        for offering in self.ids:
            grouped.setdefault(offering.split("/", 2)[2], []).append(offering)
        return {model: tuple(offerings) for model, offerings in grouped.items()}

    @cached_property
    def provider_ids(self) -> tuple[str, ...]:
        """The ids of all providers, sorted."""
        on_disk = {entry.parent.name for entry in self.root.glob("*/provider.toml")}
        return tuple(sorted({*on_disk, *self._changed, *(offering.split("/", 1)[0] for offering in self._added)}))

    def tariff(self, offering: str) -> Tariff:
        """Return the tariff with exactly this id.

        Raises:
            UnknownNameError: there is none.
            TableError: its file does not hold.
        """
        found = self._tariffs.get(offering)
        if found is not None:
            return found
        file = self._on_disk.get(offering)
        if file is None:
            raise UnknownNameError.of(offering, self.ids, what="offering")
        made = self._trusted(Path(file), offering) if self.trusted else self._checked(Path(file), offering)
        self._tariffs[offering] = made
        return made

    def _trusted(self, path: Path, offering: str) -> Tariff:
        shown = self._shown(path)
        return files.read_tariff(files.read_toml(path, shown=shown), offering, path=shown, strict=False)

    def _checked(self, path: Path, offering: str) -> Tariff:
        """Read a table that nobody has checked before: its types, and that exactly one row applies to every request."""
        from tokencost.tariffs.doors import checked_tariff

        provider = offering.split("/", 1)[0]
        return checked_tariff(path, offering, shown=self._shown(path), provider=self.provider(provider), sources=self.sources(provider))

    def tariffs(self) -> Iterator[Tariff]:
        """Yield every tariff, in the order of the ids."""
        return (self.tariff(offering) for offering in self.ids)

    def provider(self, provider: str) -> Provider:
        """Return a provider; one that exists only in memory is made from its first offering."""
        found = self._providers.get(provider)
        if found is None:
            path = self.root / provider / "provider.toml"
            if path.is_file():
                shown = self._shown(path)
                found = files.read_provider(files.read_toml(path, shown=shown), provider, path=shown, strict=not self.trusted, file=path)
                if not self.trusted:
                    self._check_provider(path, found)
            else:
                return self._made_up(provider)
            self._providers[provider] = found
        return found

    def providers_with(self, text: str) -> Iterator[Provider]:
        """Yield the providers whose `provider.toml` has a text in it, so that the others need not be understood to be passed over.

        A folder that nobody has checked is read in full, so that what is wrong in it is found.
        """
        for provider in self.provider_ids:
            if not self.trusted or text in self._provider_texts.get(provider, ""):
                yield self.provider(provider)

    @cached_property
    def _provider_texts(self) -> dict[str, str]:
        return {path.parent.name: path.read_text(encoding="utf-8") for path in self.root.glob("*/provider.toml")}

    def _check_provider(self, path: Path, provider: Provider) -> None:
        from tokencost.tariffs.doors import check_provider

        named = {window.except_calendar for schedule in provider.schedules for window in schedule.windows if window.except_calendar}
        calendars = {name: self.calendar(name) for name in self.calendar_ids if name in named}
        check_provider(path, provider, shown=self._shown(path), sources=self.sources(provider.id), calendars=calendars, offerings=self.ids)

    def _made_up(self, provider: str) -> Provider:
        from tokencost.tariffs.provider import Provider as Made

        mine = [offering for offering in self.ids if offering.startswith(f"{provider}/")]
        if not mine:
            raise UnknownNameError.of(provider, self.provider_ids, what="provider")
        return Made(id=provider, name=provider, kind="publisher", default=mine[0].split("/")[1])

    def sources(self, provider: str) -> dict[str, Source]:
        """Return the sources of a provider, by id."""
        found = self._sources.get(provider)
        if found is None:
            path = self.root / provider / "sources.toml"
            found = {}
            if path.is_file():
                shown = self._shown(path)
                found = files.read_sources(files.read_toml(path, shown=shown), path=shown, strict=not self.trusted, file=path)
            self._sources[provider] = found
        return found

    @cached_property
    def calendar_ids(self) -> tuple[str, ...]:
        """The ids of all calendars."""
        return tuple(sorted(path.stem for path in (self.root / "calendars").glob("*.toml")))

    def calendar(self, calendar: str) -> Calendar:
        """Return a calendar of gazetted days."""
        if calendar not in self._calendars:
            path = self.root / "calendars" / f"{calendar}.toml"
            if not path.is_file():
                raise UnknownNameError.of(calendar, self.calendar_ids, what="calendar")
            shown = self._shown(path)
            found = files.read_calendar(files.read_toml(path, shown=shown), calendar, path=shown, strict=not self.trusted, file=path)
            if not self.trusted:
                from tokencost.tariffs.doors import check_calendar

                check_calendar(path, found, shown=shown)
            self._calendars[calendar] = found
        return self._calendars[calendar]

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """What the press said of prices, and which rates those figures are."""
        path = self.root / "claims.toml"
        if not path.is_file():
            return ()
        return files.read_claims(files.read_toml(path, shown="claims.toml"), path="claims.toml", strict=not self.trusted, file=path)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _tables(folder: str, inside: str) -> Iterator[tuple[str, str]]:
    """Yield the id and the file of every offering below a folder that lies `inside` the root; offerings begin two levels below it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _tables(entry.path, f"{inside}{name}/")
            elif name.endswith(_SUFFIX) and name not in _NOT_OFFERINGS and inside.count("/") > 1:
                yield inside + name.removesuffix(_SUFFIX), entry.path


def _reopen(root: Path | None, trusted: bool, added: tuple[Tariff, ...], changed: tuple[Provider, ...] = ()) -> Shelf:  # noqa: FBT001 - pickle passes by position
    """Open the same tables again; the shipped ones where this machine has them, which may be another folder."""
    shelf = Shelf(shipped_tables() if root is None else root, trusted=trusted, added=added)
    return shelf.with_providers(changed) if changed else shelf

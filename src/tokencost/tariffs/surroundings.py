"""Surroundings: what stands around a table that is being checked, and an older copy of it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tokencost.errors import TableError, UnknownNameError
from tokencost.tariffs import files
from tokencost.tariffs.fault import Fault
from tokencost.tariffs.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tokencost.tariffs.provider import Provider, Source
    from tokencost.tariffs.schedule import Calendar
    from tokencost.tariffs.tariff import Tariff

__all__ = ["CALENDARS", "OlderCopy", "Surroundings", "document"]

CALENDARS: Final = "calendars"
"""The folder of the calendars, beside the providers' folders."""

_NOT_OFFERINGS: Final = ("provider.toml", "sources.toml")


def document(file: Path, shown: str) -> dict[str, Any]:
    """Read one TOML file; one that cannot be opened is a fault like any other.

    Raises:
        TableError: the file cannot be opened, is not UTF-8 or not TOML.
    """
    try:
        return files.read_toml(file, shown=shown)
    except OSError as error:
        fault = Fault("T21", shown, "", f"cannot be read: {(error.strerror or str(error)).lower()}")
        raise TableError(str(fault), faults=(fault,)) from None


class Unread(dict[str, "Source"]):
    """The sources of a file that does not hold: until it does, none can be called unknown."""

    def __contains__(self, name: object) -> bool:
        return True


class Surroundings:
    """Providers, sources and calendars, each read once; their own faults are kept in `faults`.

    A calendar that does not hold is None.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[Fault] = []
        self._providers: dict[str, tuple[Provider | None, dict[str, Source]]] = {}
        self.calendars: dict[str, Calendar | None] = {}
        for file in sorted((root / CALENDARS).glob("*.toml")):
            self.calendars[file.stem] = self._quietly(
                file, lambda doc, shown, file=file: files.read_calendar(doc, file.stem, path=shown, file=file)
            )
        self.offerings = frozenset(
            file.relative_to(root).with_suffix("").as_posix() if file.suffix == ".toml" else ""
            for file in root.glob("*/*/**/*.toml")
            if file.name not in _NOT_OFFERINGS
        )

    def _quietly(self, file: Path, read: Callable[[dict[str, Any], str], Any]) -> Any:
        shown = file.relative_to(self.root).as_posix()
        try:
            return read(document(file, shown), shown)
        except TableError as error:
            self.faults.extend(error.faults)
            return None

    def provider(self, provider: str) -> tuple[Provider | None, dict[str, Source]]:
        """Return a provider and its sources, None and none where their files do not hold."""
        if provider not in self._providers:
            own, sources = (self.root / provider / name for name in _NOT_OFFERINGS)
            made = None
            if own.is_file():
                made = self._quietly(own, lambda doc, shown: files.read_provider(doc, provider, path=shown, file=own))
            else:
                self.faults.append(Fault("T22", f"{provider}/provider.toml", "", "is missing; every provider's folder needs one"))
            known: dict[str, Source] | None = {}
            if sources.is_file():
                known = self._quietly(sources, lambda doc, shown: files.read_sources(doc, path=shown, file=sources))
            self._providers[provider] = (made, Unread() if known is None else known)
        return self._providers[provider]


class OlderCopy:
    """An older copy of the tables; what cannot be read in it is None, for it has no past to keep."""

    def __init__(self, root: Path) -> None:
        self.shelf = Shelf(root, trusted=True)

    def tariff(self, offering: str) -> Tariff | None:
        """Return a tariff as it was."""
        return self._read(self.shelf.tariff, offering) if self.shelf.has(offering) else None

    def provider(self, provider: str) -> Provider | None:
        """Return a provider as it was."""
        return self._read(self.shelf.provider, provider)

    def calendar(self, calendar: str) -> Calendar | None:
        """Return a calendar as it was."""
        return self._read(self.shelf.calendar, calendar)

    def _read(self, read: Callable[[str], Any], name: str) -> Any:
        try:
            return read(name)
        except (TableError, UnknownNameError):
            return None

    def gone(self, scope: str, around: Surroundings) -> Iterator[Fault]:
        """T18: an offering of the older copy, inside a folder, that is not there any more, and that no alias stands for."""
        for offering in self.shelf.ids:
            if offering in around.offerings or (scope != "." and not offering.startswith(f"{scope}/")):
                continue
            provider, endpoint, model = offering.split("/", 2)
            known = around.provider(provider)[0] if (around.root / provider).is_dir() else None
            aliases = () if known is None else known.aliases
            if (endpoint, model) not in {(alias.offering.split("/", 1)[0], alias.name) for alias in aliases}:
                yield Fault("T18", f"{offering}.toml", "", "is gone; keep a retired offering, with its end, so that its past can be priced")

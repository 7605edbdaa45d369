"""Shipped data: the folders that travel with the package, and their files by name."""

from __future__ import annotations

from pathlib import Path

from tokencost.errors import UnknownNameError, nearest

__all__ = ["named_file", "shipped_folder", "shipped_names"]


def shipped_folder(name: str, *, packed: str | None = None) -> Path:
    """Return a folder of shipped data: inside the installed package, under its `packed` name, or in the checkout.

    >>> shipped_folder("workloads", packed="workloads_data").is_dir()
    True
    """
    package = Path(__file__).parent.parent
    inside = package / (packed or name)
    return inside if inside.is_dir() else package.parent.parent / "data" / name


def shipped_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the files in a folder of shipped data, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def named_file(name: str | Path, folder: Path, *, what: str) -> Path:
    """Return the file of a shipped name, or the one that a path of one's own means.

    Raises:
        UnknownNameError: nothing shipped has this name, and it is no TOML file.
    """
    path = Path(name) if Path(name).suffix == ".toml" else folder / f"{name}.toml"
    if not path.is_file():
        shipped = shipped_names(folder)
        raise UnknownNameError(
            f"no {what} {str(name)!r}; pass the path of a TOML file, or one of {', '.join(shipped)}",
            name=str(name),
            suggestions=nearest(str(name), shipped),
        )
    return path

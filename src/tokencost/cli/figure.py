"""Figures as files: the option `--plot`, checked before anything is worked out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from tokencost.display.extra import need_matplotlib

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["plot_option", "write_figure"]

_F = TypeVar("_F", bound="Callable[..., Any]")
_ENDINGS: Final = (".png", ".svg", ".pdf")


def plot_option(command: _F) -> _F:
    """Add `--plot`."""
    told = "Draw a figure as well, into a file that ends with .png, .svg or .pdf; needs the extra plot."
    return click.option("--plot", type=click.Path(path_type=Path), callback=_checked, metavar="FILE", help=told)(command)


def _checked(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    if value is None:
        return None
    if value.suffix.lower() not in _ENDINGS:
        raise click.BadParameter(f"{value.name!r} is no figure by its name; end it with .png, .svg or .pdf", ctx, param)
    if not value.parent.is_dir():
        raise click.BadParameter(f"{value.parent.as_posix()!r} is no folder; make it first", ctx, param)
    try:
        need_matplotlib()
    except ModuleNotFoundError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    return value


def write_figure(path: Path, figure: Any) -> str:
    """Write a figure into a file, and return a line that says where it is."""
    figure.savefig(path)
    return f"figure: {path.as_posix()}"

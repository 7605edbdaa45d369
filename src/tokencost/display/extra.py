"""The extra `plot`: what to install where matplotlib is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Axes", "need_matplotlib"]

Axes = Any
"""Axes of matplotlib: most of their methods take keywords that have no types."""


def need_matplotlib() -> None:
    """Say what to install where matplotlib is missing.

    >>> need_matplotlib()

    Raises:
        ModuleNotFoundError: the extra `plot` is not installed.
    """
    try:
        import_module("matplotlib")
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ModuleNotFoundError(
            "drawing a figure needs matplotlib; install it with: pip install 'tokencost-tariffs[plot]'", name="matplotlib"
        ) from None

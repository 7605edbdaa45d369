"""The command line: quotes, histories, claims, differences, and checks of price tables."""

from __future__ import annotations

from tokencost.cli.group import door, run

__all__ = ["door", "run"]

"""The door of the command line: `tokencost` and `python -m tokencost`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line, or say how to install what it needs."""
    try:
        from tokencost.cli import run
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.stderr.write(f"tokencost: the command line needs {error.name}; install it with: pip install 'tokencost-tariffs[cli]'\n")
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())

"""The environments: this project and its peers, each installed where it does not meet a namesake.

AgentOps tokencost has the same import name as this project and gets an environment of its own. An environment that is there is used
again; this project is installed anew each time, because it is what changed.

    python benchmarks/environments.py --venvs FOLDER
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["PACKAGES", "prepare", "pythons_from_command_line"]

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
PACKAGES = {
    "peers": (str(PROJECT), "genai-prices", "model-prices", "litellm"),
    "agentops": ("tokencost",),
}


def python_of(folder: Path) -> Path:
    """Return the interpreter of an environment."""
    inside = Path("Scripts", "python.exe") if sys.platform == "win32" else Path("bin", "python")
    return folder / inside


def prepare(venvs: Path, *, install: bool = True) -> dict[str, Path]:
    """Return the interpreter of every environment, made and filled where it is missing; with `install`, this project as it now stands."""
    pythons = {name: python_of(venvs / name) for name in PACKAGES}
    fresh = [name for name, python in pythons.items() if not python.exists()]
    for name in fresh:
        venv.create(venvs / name, with_pip=True)
        _pip(pythons[name], "install", *PACKAGES[name])
    if install and "peers" not in fresh:
        _pip(pythons["peers"], "install", "--force-reinstall", "--no-deps", str(PROJECT))
    return pythons


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def pythons_from_command_line(description: str | None) -> dict[str, Path]:
    """Read the options that all scripts share and return the interpreters."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venvs", type=Path, default=HERE / ".venvs", help="folder of the environments (default: benchmarks/.venvs)")
    parser.add_argument("--as-installed", action="store_true", help="measure this project as it was last installed there")
    options = parser.parse_args()
    return prepare(options.venvs.resolve(), install=not options.as_installed)


if __name__ == "__main__":
    for environment, interpreter in pythons_from_command_line(__doc__).items():
        print(f"{environment}: {interpreter}")

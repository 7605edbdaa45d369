"""How tests call the command line, and tables of their own to call it on."""

import json
import shutil

import pytest
from click.testing import CliRunner

from strategies import OFFERING, write_tables
from tokencost.cli import door


@pytest.fixture
def call():
    """Run a command in this process; the result has `exit_code`, `stdout` and `stderr`."""

    def invoke(*args, **extra):
        return CliRunner().invoke(door, [str(arg) for arg in args], prog_name="tokencost", **extra)

    return invoke


@pytest.fixture
def ok(call):
    """Run a command that must succeed, and return its standard output."""

    def invoke(*args, **extra):
        result = call(*args, **extra)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    return invoke


@pytest.fixture
def read_json(ok):
    """Run a command with `--json`, and return what it wrote."""
    return lambda *args: json.loads(ok(*args, "--json"))


@pytest.fixture
def refused(call):
    """Run a command that must fail with a code, and return its one line without the name in front."""

    def invoke(code, *args, **extra):
        result = call(*args, **extra)
        assert result.stdout == ""
        assert result.exit_code == code
        assert result.stderr.startswith("tokencost: ")
        assert result.stderr.count("\n") == 1
        return result.stderr.removeprefix("tokencost: ").rstrip("\n")

    return invoke


@pytest.fixture
def acme(tmp_path):
    """A folder of tables with one provider and one offering, `acme/global/model`."""
    return write_tables(tmp_path / "acme_tables")


@pytest.fixture
def copied(tmp_path, acme):
    """An older copy of the same tables, to change the newer one against."""
    return shutil.copytree(acme, tmp_path / "older_tables")


@pytest.fixture
def edit(acme):
    """Change the text of the offering."""

    def change(*pairs):
        text = OFFERING
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (acme / "acme/global/model.toml").write_text(text, encoding="utf-8")

    return change

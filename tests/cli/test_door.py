"""The door: help, exit codes, and one line for whatever goes wrong."""

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import tokencost as tc
from tokencost.cli import door, run
from tokencost.cli.command import ToldCommand

COMMANDS = (
    *("compare", "estimate", "forecast", "preflight", "reprice", "quote", "show", "list", "tokens"),
    *("cache", "war", "claims", "diff", "lint", "fmt", "new", "stale"),
)
NEEDS_FOLDERS = (
    "tokencost diff old",
    "tokencost lint data",
    "tokencost fmt",
    "tokencost new",
    "tokencost compare",
    "tokencost reprice",
    "tokencost tokens",
)
EXAMPLES = [
    example for command in door.commands.values() for example in getattr(command, "examples", ()) if not example.startswith(NEEDS_FOLDERS)
]
QUOTE = ("quote", "gpt-4o", "--input", "1", "--at", "2025-02-01T00:00:00Z")


def python_m(*args, **extra):
    return subprocess.run([sys.executable, "-m", "tokencost", *args], capture_output=True, text=True, check=False, **extra)


# --- help


def test_the_commands_are_listed_in_the_order_of_use(ok):
    listed = re.findall(r"^  (\w+)  ", ok("--help").split("Commands:")[1], flags=re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == [name for name in COMMANDS if name in door.commands]


@pytest.mark.parametrize("args", [(), ("-h",), ("--help",)])
def test_help_names_the_exit_codes(ok, args):
    assert "Exit codes: 0 all is well" in ok(*args)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name in door.commands])
def test_every_command_and_option_has_help(ok, name):
    command = door.commands[name]
    assert command.help
    assert command.short_help
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []
    assert ok(name, "--help").startswith(f"Usage: tokencost {name}")


@pytest.mark.parametrize("name", [name for name, command in door.commands.items() if isinstance(command, ToldCommand)])
def test_examples_are_never_wrapped(ok, name):
    written = ok(name, "--help", terminal_width=40)
    assert [example for example in door.commands[name].examples if f"  {example}\n" not in written] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_help_run(call, example):
    """Each is a line that can be copied; those that need folders of one's own are run in the tests of their commands."""
    program, *args = shlex.split(example)
    assert program == "tokencost"
    result = call(*args)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout


def test_the_version(ok):
    assert ok("--version") == f"tokencost {tc.__version__}\n"


# --- failures: one line, and a code


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("bogus",), "no such command 'bogus'"),
        (("--bogus",), "no such option '--bogus'"),
        (("quote",), "missing argument 'MODEL'"),
        ((*QUOTE, "--inptu", "2"), "no such option '--inptu'"),
        ((*QUOTE[:2],), "nothing was counted"),
        (("quote", "gpt-9o", *QUOTE[2:]), "no model 'gpt-9o' in this book; did you mean 'gpt-4o'"),
        ((*QUOTE[:4], "--at", "2025-02-01"), "--at '2025-02-01' is a date at best, not an instant; write it like '2025-02-01T12:00:00Z'"),
        ((*QUOTE[:4], "--at", "2025-02-01T00:00"), "--at '2025-02-01T00:00' is naive, it names no time zone; write it like"),
        ((*QUOTE[:4], "--at", "noon:"), "--at 'noon:' is not an ISO 8601 instant; write it like"),
        ((*QUOTE[:4], "--at", "2015-02-01T00:00:00Z"), "no price of openai/global/gpt-4o is known at 2015-02-01T00:00:00Z"),
        ((*QUOTE, "--output", "-1"), "output=-1 is negative; counts are 0 or more"),
        ((*QUOTE, "--output", "1.5"), "'1.5' is not whole; counts are whole numbers"),
        ((*QUOTE, "--output", "many"), "'many' is no count; write a whole number like 1500000"),
        ((*QUOTE, "--output", "9000000000000000"), "output=9000000000000000 is absurd"),
        ((*QUOTE, "--totals", "--cache-read", "2"), "input=1 is less than its parts cache_read=2"),
        ((*QUOTE, "--meter", "bogus=1"), "no meter 'bogus' in the registry"),
        ((*QUOTE, "--meter", "audio_input"), "'audio_input' is no meter and count; write it like audio_input=5000"),
        ((*QUOTE, "--meter", "input=3"), "input is counted twice; add the counts up"),
        ((*QUOTE, "--currency", "CNY"), "openai/global/gpt-4o has no CNY list"),
        ((*QUOTE, "--currency", "yuan"), "currency 'yuan' is not an ISO 4217 code"),
        ((*QUOTE, "--service-tier", "bulk"), "no service tier 'bulk' in standard, batch"),
        ((*QUOTE, "--mode", "dreaming"), "no mode 'dreaming'"),
        ((*QUOTE, "--residency", "moon"), "openai/global/gpt-4o has no rate for USD, standard, residency moon"),
        ((*QUOTE, "--fx", "2025-02-01 USD/CNY=7"), "--fx converts to --currency, which is missing"),
        ((*QUOTE, "--currency", "CNY", "--fx", "7.2"), "'7.2' is no dated rate; write it like '2025-02-24 USD/CNY=7.2464'"),
        ((*QUOTE, "--currency", "CNY", "--fx", "2025-13-01 USD/CNY=7"), "'2025-13-01 USD/CNY=7' is no dated rate"),
        ((*QUOTE, "--currency", "CNY", "--fx", "2025-02-01 USD/CNY=x"), "exchange rate 'x' is not a decimal number"),
        ((*QUOTE, "--currency", "CNY", "--fx", "2024-02-01 USD/CNY=7"), "no exchange rate from USD to CNY for 2025-02-01"),
        (("quote", "o1", "--meter", "image=1", "--at", "2025-02-01T00:00:00Z"), "openai/global/o1 has no rate for image in USD"),
        (("show", "llama"), "no model 'llama' in this book"),
        (("show", "gpt-4o", "--currency", "USD"), "a choice of rows belongs to a rate card; pass --at"),
        (("list", "qwzx"), "no offering like 'qwzx' in this book"),
        (("list", "--provider", "opnai"), "no provider 'opnai' in this book; did you mean 'openai'?"),
        (("claims", "gpt-9o"), "no model 'gpt-9o' in this book"),
        (("claims", "--at", "2025-02-01T00:00:00Z"), "--at prices a usage, and nothing was counted"),
        (("claims", "--meter", "web_search=1"), "claim ainvest-2025-07-28 says nothing of web_search"),
        (("diff",), "two folders of tables are compared, not 0"),
        (("diff", "a", "b", "c"), "two folders of tables are compared, not 3"),
        (("diff", "a", "b", "--tables", "c"), "--tables belongs to --at"),
        (("diff", "--at", "2025-02-01T00:00:00Z"), "two instants are compared, not 1"),
        (("diff", *("--at", "2025-02-01T00:00:00Z") * 2), "the second instant 2025-02-01T00:00:00Z is not after the first"),
        (("diff", "--at", "2025-02-01T00:00:00Z", "--at", "2025-03-01T00:00:00Z", "a", "b"), "with --at there is at most one PATTERN"),
        (("lint",), "nothing to check; pass a table"),
        (("lint", "x", "--on", "today"), "'today' is no day; write it like 2026-11-20"),
        (("fmt",), "missing argument 'PATH...'"),
        (("stale", "--days", "-1"), "-1 is not in the range x>=0"),
        (("new", "acme/model"), "missing option '--source-url'"),
    ],
)
def test_a_question_that_cannot_be_asked_ends_with_2(refused, args, said):
    assert said in refused(2, *args)


def test_a_usage_error_names_the_help_that_would_have_told(refused):
    assert refused(2, *QUOTE, "--bogus").endswith("; see `tokencost quote --help`")
    assert refused(2, "--bogus").endswith("; see `tokencost --help`")


@pytest.mark.parametrize("args", [("quote", "model", "--input", "1"), ("show", "model"), ("list",), ("claims",), ("stale",)])
def test_tables_that_are_not_there_end_with_1(refused, tmp_path, args):
    assert refused(1, *args, "--tables", tmp_path / "nowhere").startswith("no folder of price tables at ")


@pytest.mark.parametrize("args", [("lint",), ("fmt",)])
def test_paths_that_hold_no_tables_end_with_1(refused, tmp_path, args):
    assert refused(1, *args, tmp_path / "nowhere").startswith("no file or folder ")
    assert refused(1, *args, tmp_path).startswith("no price tables at ")
    (tmp_path / "prices.csv").write_text("")
    assert refused(1, *args, tmp_path / "prices.csv").endswith("is no price table; tables are .toml files")


def test_a_table_with_many_faults_is_one_line(refused, acme, edit):
    edit(("input = 0.55", "inptu = 0.55"), ("output = 2.19", "output = -2.19"))
    said = refused(1, "quote", "model", "--input", "1", "--tables", acme)
    assert said.startswith("2 faults in 1 price table; `tokencost lint` explains the codes; the first is acme/global/model.toml:7: T")


def test_a_file_that_cannot_be_read_ends_with_1(refused, acme):
    table = acme / "acme/global/model.toml"
    table.unlink()
    table.symlink_to(table)
    assert refused(1, "show", "model", "--tables", acme) == f"cannot use {str(table)!r}: too many levels of symbolic links"


class Broken:
    """A book whose every use raises."""

    def __init__(self, error):
        self.error = error

    def __getattr__(self, name):
        raise self.error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (tc.TraceError("no column for input"), 1, "no column for input"),
        (tc.TableError("one\n  two\n  three"), 1, "one; the first is two"),
        (tc.CalendarError("the calendar ends"), 2, "the calendar ends"),
        (PermissionError(13, "Permission denied", "tables/x.toml"), 1, "cannot use 'tables/x.toml': permission denied"),
        (OSError(28, "No space left on device"), 1, "cannot write the output: no space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RecursionError("too deep"), 1, "unexpected RecursionError: too deep; this is a defect, TOKENCOST_TRACEBACK=1 shows where it lies"),
        (click.FileError("x.toml", "gone"), 1, "Could not open file 'x.toml': gone"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_kind_of_failure_is_one_line(refused, monkeypatch, error, code, said):
    monkeypatch.setattr("tokencost.cli.quote.open_book", lambda _: Broken(error))
    assert refused(code, *QUOTE) == said


def test_a_defect_shows_itself_where_that_is_asked_for(call, monkeypatch):
    monkeypatch.setattr("tokencost.cli.quote.open_book", lambda _: Broken(RuntimeError("boo")))
    assert isinstance(call(*QUOTE, env={"TOKENCOST_TRACEBACK": "1"}).exception, RuntimeError)


def test_a_reader_that_went_away_is_no_failure_worth_a_word(call, monkeypatch):
    monkeypatch.setattr("tokencost.cli.quote.open_book", lambda _: Broken(BrokenPipeError(32, "Broken pipe")))
    result = call(*QUOTE)
    assert (result.exit_code, result.stdout, result.stderr) == (141, "", "")


def test_colour_is_for_terminals_that_want_it(call):
    plain, bright = call("bogus"), call("bogus", color=True)
    assert bright.stderr == plain.stderr.replace("tokencost:", "\x1b[31mtokencost:\x1b[0m", 1)
    assert call("bogus", color=True, env={"NO_COLOR": "1"}).stderr == plain.stderr


# --- the function behind the script


@pytest.mark.parametrize(("args", "code"), [(["--version"], 0), (["bogus"], 2), (["lint", "/nowhere"], 1)])
def test_run_returns_the_code(monkeypatch, capsys, args, code):
    monkeypatch.setattr(sys, "argv", ["tokencost", *args])
    assert run() == code
    assert bool(capsys.readouterr().err) == bool(code)


@pytest.mark.parametrize(("error", "code"), [(BrokenPipeError(), 141), (KeyboardInterrupt(), 130)])
def test_run_survives_what_happens_outside_a_command(monkeypatch, error, code):
    def fail(**_):
        raise error

    monkeypatch.setattr(door, "main", fail)
    monkeypatch.setattr("tokencost.cli.group._hush", lambda _: None)
    assert run() == code


def test_run_writes_to_whatever_stands_for_standard_output(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tokencost", "--version"])
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert (run(), sys.stdout.getvalue()) == (0, f"tokencost {tc.__version__}\n")


# --- as a program


def test_the_program_quotes_to_the_cent():
    done = python_m(
        "quote", "deepseek-reasoner", "--input", "30M", "--cache-read", "70M", "--output", "10M", "--at", "2025-02-01T12:00:00Z"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[6].split() == ["total", "48.20", "USD"]


def test_the_program_fails_in_one_line():
    done = python_m("quote", "gpt-9o", "--input", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"tokencost: no model 'gpt-9o' in this book; did you mean .*\n", done.stderr)


def test_the_program_checks_tables(acme):
    assert python_m("lint", str(acme)).returncode == 0
    (acme / "acme/sources.toml").unlink()
    done = python_m("lint", str(acme), cwd=acme)
    assert done.returncode == 1
    assert "acme/global/model.toml:4: T09 version 2025-01-20: source 'page' is not in sources.toml" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
@pytest.mark.parametrize("args", [("list", "--json"), ("--help",), ("show", "deepseek-reasoner")])
def test_a_closed_pipe_ends_quietly(args):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([sys.executable, "-m", "tokencost", *args], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_is_one_line():
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([sys.executable, "-m", "tokencost", "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "tokencost: cannot write the output: no space left on device\n")


def test_an_output_that_lacks_a_character_gets_no_traceback():
    done = python_m(*QUOTE, env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "openai/global/gpt-4o at 2025-02-01T00:00:00Z" in done.stdout


@pytest.mark.parametrize("name", ["click", "rich"])
def test_without_the_extra_the_program_says_how_to_get_it(name):
    hide = f"import sys; sys.modules[{name!r}] = sys.modules[{name + '.progress'!r}] = None"
    script = f"{hide}; from tokencost.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", script, "--version"], capture_output=True, text=True, check=False)
    if name == "rich":  # needed for a bar only, and then there is a terminal
        assert done.returncode == 0
    else:
        expected = "tokencost: the command line needs click; install it with: pip install 'tokencost-tariffs[cli]'\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", expected)

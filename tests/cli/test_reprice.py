"""`tokencost reprice`: large logs, from the command line."""

import csv
import gzip
import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tokencost as tc
from tokencost.cli import reprice as command
from tokencost.cli.reprice import reprice

HEAD = "timestamp,model,prompt_tokens,completion_tokens,team\n"


@pytest.fixture
def log(tmp_path):
    """A request log with three good rows, one of an unknown model, and two bad ones."""
    path = tmp_path / "requests.csv"
    path.write_text(
        HEAD + "2025-02-26T16:29:59Z,gpt-4o,1000,100,red\n2025-02-26T16:30:00Z,gpt-4o,1000,100,blue\n"
        "2025-02-27T16:30:00Z,deepseek-reasoner,1000,100,red\n2025-02-26T16:30:01Z,gpt-9o,10,100,red\n"
        "2025-02-26T16:30:02Z,gpt-4o,12.5,100,red\nbroken\n",
        encoding="utf-8",
    )
    return path


def test_totals_are_printed_with_causes_columns_and_bad_rows(call, log):
    result = call("reprice", log, "--by", "model,day")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "costs by model, day"
    assert [line.split()[:3] for line in lines[3:6]] == [
        ["deepseek-reasoner", "2025-02-27", "1"],
        ["gpt-4o", "2025-02-26", "2"],
        ["gpt-9o", "2025-02-26", "1"],
    ]
    assert "outcomes: 3 priced, 0 free, 0 partial, 1 unknown" in lines
    assert any(
        line.startswith(f"  1 row, unknown name, first row 3 of {log}: no model 'gpt-9o' in this book; did you mean ") for line in lines
    )
    assert "columns: timestamp as at, model as model, prompt_tokens as input, completion_tokens as output" in lines
    assert lines[-1].startswith("rated 4 rows in ")
    assert result.stderr.splitlines() == [
        "2 rows could not be read and are not in the totals:",
        f"  row 6 of {log}: input='12.5' is not a whole number; write it in figures, without separators",
        f"  row 7 of {log}: 1 cell, and the header has 5",
        "--out DIR keeps all of them",
    ]


def test_costs_are_written_beside_the_rows(call, log, tmp_path):
    out = tmp_path / "costs"
    result = call("reprice", log, "--out", out, "--keep", "team,model", "--by", "team")
    assert result.exit_code == 0
    table = pq.read_table(out / "requests/part-00000.parquet")
    assert table.schema.names == ["team", "model", "cost", "currency", "outcome"]
    assert [str(cost) for cost in table.column("cost").to_pylist()[:2]] == ["0.003500000000000000"] * 2
    assert f"1 part, totals.csv and summary.json are in {out}" in result.stdout
    assert f"all of them are in {out / 'bad-rows.csv'}" in result.stderr
    with (out / "bad-rows.csv").open(encoding="utf-8", newline="") as file:
        assert [row["row"] for row in csv.DictReader(file)] == ["6", "7"]


def test_a_finished_run_says_that_nothing_was_left(call, log, tmp_path):
    words = ("reprice", log, "--out", tmp_path / "costs")
    call(*words)
    assert f"went on in {tmp_path / 'costs'}, where 4 of 4 rows were done; nothing was left to do" in call(*words).stdout


def test_the_examples_of_the_help_run(call, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    usage = pa.table({"request_id": ["a"], "team": ["red"], "llm": ["gpt-4o"], "input": [5], "output": [6], "ts": ["2025-03-01T12:00:00Z"]})
    pq.write_table(usage.rename_columns({"llm": "model"}), "logs/a.parquet")
    Path("requests.csv.gz").write_bytes(
        gzip.compress(log.read_bytes().replace(b"Z,", b",").replace(b"12.5", b"12").replace(b"broken\n", b""))
    )
    first, second, third = reprice.examples
    assert call(*shlex.split(first)[1:]).exit_code == 0
    assert call(*shlex.split(second)[1:]).exit_code == 0
    shutil.rmtree("costs")
    pq.write_table(usage, "logs/a.parquet")
    assert call(*shlex.split(third)[1:]).exit_code == 0
    assert pq.read_schema("costs/a/part-00000.parquet").names == ["request_id", "team", "cost", "currency", "outcome"]


def test_json_equals_the_library(call, log):
    made = json.loads(call("reprice", log, "--by", "team", "--json").stdout)
    usage = tc.Usage(input=1000, output=100)
    book = tc.load_book()
    red = book.cost("gpt-4o", usage, at="2025-02-26T16:29:59Z") + book.cost("deepseek-reasoner", usage, at="2025-02-27T16:30:00Z")
    assert [(row["team"], row["amount"]) for row in made["totals"] if row["currency"]] == [("blue", "0.0035"), ("red", str(red))]
    assert made["outcomes"] == {"priced": 3, "free": 0, "partial": 0, "unknown": 1}
    assert (made["rows"], made["bad_rows"], made["tables"]) == (4, 2, book.fingerprint)
    assert made["causes"][0]["name"] == "gpt-9o"


def test_a_column_of_service_tiers_is_read_unless_the_option_says_otherwise(read_json, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("model,input,output,service_tier\ngpt-4o,1000,0,batch\ngpt-4o,1000,0,\n", encoding="utf-8")
    words = ("reprice", log, "--at", "2025-03-01T12:00:00Z")
    amounts = [read_json(*words, *extra)["totals"][0]["amount"] for extra in ((), ("--service-tier", "batch"))]
    assert amounts == ["0.00375", "0.0025"]


def test_many_groups_are_cut_short_on_the_screen(ok, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user,input,output\n" + "".join(f"u{n:03},5,5\n" for n in range(60)), encoding="utf-8")
    words = ("--model", "gpt-4o", "--at", "2025-03-01T12:00:00Z", "--by", "user", "--out", tmp_path / "out")
    text = ok("reprice", log, *words)
    assert "u039" in text
    assert "u040" not in text
    assert "and 20 more groups" in text
    assert (tmp_path / "out/totals.csv").read_text(encoding="utf-8").count("\n") == 61


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (1, ("none.csv",), "cannot read 'none.csv': no such file or directory; pass files, folders or patterns"),
        (2, ("{log}", "--by", "tema"), "no column 'tema' in {log}; did you mean 'team'?"),
        (
            2,
            ("{log}", "--column", "input"),
            "invalid value for '--column': 'input' is no name and column; write it like input=prompt_tokens",
        ),
        (2, ("{log}", "--column", "at="), "no column of at in {log}"),
        (2, ("{log}", "--zone", "Mars"), "zone 'Mars' is not a time zone"),
        (2, (), "missing argument 'FILE...'"),
    ],
)
def test_what_cannot_be_done_ends_in_one_line(refused, log, code, words, said):
    assert refused(code, "reprice", *(word.format(log=log) for word in words)).startswith(said.format(log=log))


def test_another_run_in_the_folder_is_refused_by_what_differs(call, refused, log, tmp_path):
    out = tmp_path / "out"
    call("reprice", log, "--out", out)
    assert f"{out} holds a run with model None, now 'gpt-4o'; pass another folder" in refused(
        1, "reprice", log, "--out", out, "--model", "gpt-4o"
    )


def test_an_interrupt_says_how_to_go_on(call, log, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_run", interrupted)
    result = call("reprice", log, "--out", tmp_path / "out")
    assert result.exit_code == 130
    assert result.stderr == f"tokencost: interrupted; what is in '{tmp_path / 'out'}' is whole, and the same command goes on from there\n"
    result = call("reprice", log)
    assert (result.exit_code, result.stderr) == (130, "tokencost: interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_a_real_interrupt_ends_with_130_and_the_same_command_goes_on(ok, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("input,output\n" + "5,5\n" * 3_000_000, encoding="utf-8")
    words = [
        "reprice",
        str(log),
        "--model",
        "gpt-4o",
        "--at",
        "2025-03-01T12:00:00Z",
        "--out",
        str(tmp_path / "out"),
        "--rows-per-part",
        "100000",
    ]
    process = subprocess.Popen([sys.executable, "-m", "tokencost", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "out").glob("log/part-*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (
        130,
        f"tokencost: interrupted; what is in {str(tmp_path / 'out')!r} is whole, and the same command goes on from there\n",
    )
    assert not list((tmp_path / "out").rglob("*.tmp"))
    text = ok(*words)
    assert "3,000,000 priced" in text
    assert "went on in" in text

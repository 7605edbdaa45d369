"""Runs that are stopped: by a full disk, by the user, by the system; and what the next one makes of what they left."""

import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tokencost as tc
from streams.logs import requests
from tokencost.errors import StreamError
from tokencost.streams import arrow_rows, blocks, json_lines, parts
from tokencost.streams.journal import JOURNAL, locked
from tokencost.streams.reprice import reprice

ROWS = 3_000
BOOK = tc.load_book()
RUN = """
import sys, time
from pathlib import Path
from tokencost.streams import arrow_rows, blocks
from tokencost.streams.reprice import reprice
arrow_rows._BATCH, blocks.BLOCK = 100, 8_000
sources, out, pause = sys.argv[1].split("|"), sys.argv[2], float(sys.argv[3])
reprice(sources, out, by=("model", "team", "day"), rows_per_part=250, progress=lambda step: time.sleep(pause))
"""


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(arrow_rows, "_BATCH", 100)
    monkeypatch.setattr(blocks, "BLOCK", 8_000)


@pytest.fixture
def logs(tmp_path):
    """Two logs: Parquet, and text with bad lines in it."""
    table = requests(ROWS)
    pq.write_table(table.slice(0, ROWS // 2), tmp_path / "first.parquet", row_group_size=400)
    lines = []
    for number, row in enumerate(table.slice(ROWS // 2).to_pylist()):
        lines.append(json.dumps({**row, "at": row["at"].isoformat()}))
        if number % 50 == 0:
            lines.append(f"broken {number}")
    (tmp_path / "second.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [tmp_path / "first.parquet", tmp_path / "second.jsonl"]


def run(logs, out, **words):
    return reprice(logs, out, **{"book": BOOK, "by": ("model", "team", "day"), "rows_per_part": 250, **words})


def written(out):
    """All rows and bad rows that lie in a folder."""
    paths = [path for folder in ("first", "second") for path in sorted((out / folder).glob("part-*.parquet"))]
    rows = pa.concat_tables([pq.read_table(path).drop_columns(["at"]) for path in paths])
    return rows.to_pylist(), (out / "bad-rows.csv").read_text(encoding="utf-8")


def leftovers(out):
    return [path.name for path in out.rglob("*") if path.name.endswith(".tmp")]


@pytest.fixture
def whole(logs, tmp_path, small):
    """A run that nothing stopped, and its folder."""
    del small
    out = tmp_path / "whole"
    return run(logs, out), out


def same(done, out, whole):
    """Say that a run came to what the one that nothing stopped came to."""
    expected, folder = whole
    assert done.totals == expected.totals
    assert (done.rows, done.bad_rows, done.causes) == (expected.rows, expected.bad_rows, expected.causes)
    assert written(out) == written(folder)
    assert leftovers(out) == []
    assert (out / "totals.csv").read_bytes() == (folder / "totals.csv").read_bytes()
    assert (out / "summary.json").read_bytes() == (folder / "summary.json").read_bytes()


def test_the_whole_run_has_every_row(whole, logs):
    done, out = whole
    assert done.rows == ROWS
    assert done.bad_rows == 30
    assert done.totals == BOOK.rate_table(requests(ROWS)).totals(("model", "team", "day"))
    assert len(written(out)[0]) == ROWS
    assert len(logs) == 2


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_killed_run_leaves_nothing_broken_and_goes_on(logs, tmp_path, whole, after):
    """The process is ended by the system after a number of parts; the rest is done by another."""
    out = tmp_path / "out"
    words = [sys.executable, "-c", RUN, "|".join(map(str, logs)), str(out), "0.03"]
    process = subprocess.Popen(words)
    deadline = time.monotonic() + 60
    while len(list(out.rglob("part-*.parquet"))) < after and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    for path in out.rglob("part-*.parquet"):
        assert pq.read_table(path).num_rows > 0
    done = run(logs, out)
    assert done.resumed < ROWS
    assert done.resumed > 0 or after == 1  # it may have been killed before the line of its first part was written
    same(done, out, whole)


def test_an_interrupt_leaves_nothing_broken_and_goes_on(logs, tmp_path, whole):
    out = tmp_path / "out"

    def interrupt(step):
        if step.rows > ROWS // 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(logs, out, progress=interrupt)
    assert leftovers(out) == []
    same(run(logs, out), out, whole)


@pytest.mark.parametrize("at", [0, 3, 7])
def test_a_full_disk_says_what_is_safe_and_the_next_run_goes_on(logs, tmp_path, whole, monkeypatch, at):
    out = tmp_path / "out"
    write = parts.PartFile.finish
    finished = []

    def fill(self):
        if len(finished) == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finished.append(self)
        return write(self)

    with monkeypatch.context() as patch:
        patch.setattr(parts.PartFile, "finish", fill)
        with pytest.raises(StreamError, match=r"no space left on device; .* safe there; make room there, and run the same again") as caught:
            run(logs, out)
    assert f"{at} part{'s' * (at != 1)} with" in caught.value.message
    assert leftovers(out) == []
    same(run(logs, out), out, whole)


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root on Linux can mount a small disk")
def test_a_disk_that_is_really_full(logs, tmp_path, small):
    del small
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", disk], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let its root mount")
    try:
        with pytest.raises(StreamError, match=r"no space left on device"):
            run(logs, disk / "out")
        assert leftovers(disk) == []
        for path in disk.rglob("part-*.parquet"):
            assert pq.read_table(path).num_rows > 0
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        assert run(logs, disk / "out").rows == ROWS
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_finished_run_has_nothing_left_to_do(logs, whole):
    _, out = whole
    before = {path: path.stat().st_mtime_ns for path in out.rglob("part-*")}
    done = run(logs, out)
    assert done.resumed == done.rows == ROWS
    assert {path: path.stat().st_mtime_ns for path in out.rglob("part-*")} == before
    same(done, out, whole)


def test_a_torn_last_line_of_the_journal_is_cut_off(logs, tmp_path, whole):
    _, out = whole
    journal = out / JOURNAL
    raw = journal.read_bytes()
    torn = tmp_path / "torn"
    out.rename(torn)
    (torn / JOURNAL).write_bytes(raw[:-20])
    done = run(logs, torn)
    assert 0 < ROWS - done.resumed <= 350
    out.mkdir()
    for path in torn.iterdir():
        path.rename(out / path.name)
    assert done.totals == whole[0].totals


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"by": "model"}, r"holds a run with by .*, now \['model'\]; pass another folder, or delete this one to begin anew"),
        ({"keep": "none"}, "with keep 'all', now 'none'"),
        ({"model": "gpt-4o"}, "with model None, now 'gpt-4o'"),
        ({"rows_per_part": 99}, "with rows_per_part 250, now 99"),
        ({"columns": {"cache_read": ""}}, "with columns"),
    ],
)
def test_other_options_in_the_same_folder_are_refused_by_name(logs, whole, words, said):
    with pytest.raises(StreamError, match=said):
        run(logs, whole[1], **words)


def test_other_tables_in_the_same_folder_are_refused(logs, whole):
    book = BOOK.with_layers([tc.Contract("deal", percent=-10, meters=["input"])])
    with pytest.raises(StreamError, match=r"holds a run with tables '[0-9a-f]+', now '[0-9a-f]+'"):
        run(logs, whole[1], book=book)


def test_other_files_in_the_same_folder_are_refused_by_name(logs, whole, tmp_path):
    with pytest.raises(StreamError, match=r"other files: .*second\.jsonl was read and is not named now"):
        run(logs[:1], whole[1])
    with pytest.raises(StreamError, match=r"the same files in another order"):
        run(logs[::-1], whole[1])
    pq.write_table(requests(5), tmp_path / "third.parquet")
    with pytest.raises(StreamError, match=r"other files: .*third\.parquet is new"):
        run([*logs, tmp_path / "third.parquet"], whole[1])
    with logs[1].open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(StreamError, match=r"other files: .*second\.jsonl has changed"):
        run(logs, whole[1])


def test_a_part_that_was_changed_is_refused(logs, whole):
    _, out = whole
    (out / "first/part-00001.parquet").write_bytes(b"")
    with pytest.raises(StreamError, match=r"part-00001.parquet has 0 bytes and not .*, it was changed after it was written"):
        run(logs, out)
    (out / "first/part-00001.parquet").unlink()
    with pytest.raises(StreamError, match=r"part-00001.parquet is missing"):
        run(logs, out)


def test_a_folder_with_files_of_others_is_refused(logs, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").touch()
    with pytest.raises(StreamError, match=r"is not empty, it has 'mine.txt', and no run began in it; pass another folder"):
        run(logs, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["mine.txt"]


def test_two_runs_in_one_folder_are_refused(logs, tmp_path):
    with locked(tmp_path / "out"), pytest.raises(StreamError, match=r"another run is writing into .*; wait until it has ended"):
        run(logs, tmp_path / "out")


def test_a_folder_that_cannot_be_made_is_an_error(logs, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StreamError, match=r"cannot write into .*: (not a directory|file exists)"):
        run(logs, tmp_path / "file")


@pytest.mark.usefixtures("small")
def test_a_packed_file_that_breaks_off_says_what_is_safe(logs, tmp_path, monkeypatch):
    monkeypatch.setattr(json_lines, "_LOOKED_AT", 8_000)
    path = tmp_path / "packed.jsonl.gz"
    packed = gzip.compress(logs[1].read_bytes())
    path.write_bytes(packed[: len(packed) * 2 // 3])
    with pytest.raises(StreamError, match=r"packed\.jsonl\.gz cannot be read to its end: .*; \d+ parts with [\d,]+ rows are safe there in"):
        run([path], tmp_path / "out")
    assert leftovers(tmp_path / "out") == []
    assert all(isinstance(path, Path) and pq.read_table(path).num_rows for path in (tmp_path / "out").rglob("part-*.parquet"))

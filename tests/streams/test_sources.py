"""Sources: files, folders and patterns, and what kind each file is."""

import os

import pytest

from tokencost.errors import StreamError
from tokencost.streams.sources import ENDINGS, Source, find_sources


@pytest.fixture
def logs(tmp_path):
    """A folder of logs of several kinds, with names that are passed over."""
    folder = tmp_path / "logs"
    for name in ("b.csv", "a.parquet", "deep/c.jsonl.gz", "_SUCCESS", ".hidden.csv", "_tmp/x.csv", "notes.txt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return folder


def names(found, folder):
    return [source.path.relative_to(folder).as_posix() for source in found]


def test_a_folder_is_walked_for_known_kinds(logs):
    found = find_sources(logs)
    assert names(found, logs) == ["a.parquet", "b.csv", "deep/c.jsonl.gz"]
    assert [(source.kind, source.packed) for source in found] == [("parquet", None), ("csv", None), ("jsonl", "gzip")]
    assert [source.stem for source in found] == ["a", "b", "c"]


def test_patterns_are_expanded_and_sorted(logs):
    assert names(find_sources(f"{logs}/**/*.jsonl.gz"), logs) == ["deep/c.jsonl.gz"]
    assert names(find_sources([f"{logs}/*.csv", f"{logs}/[ab].*"]), logs) == ["b.csv", "a.parquet"]


def test_the_same_file_is_read_once(logs):
    os.link(logs / "b.csv", logs / "z.csv")
    (logs / "link.csv").symlink_to(logs / "b.csv")
    found = find_sources([logs / "b.csv", logs, f"{logs}/deep/../b.csv"])
    assert names(found, logs) == ["b.csv", "a.parquet", "deep/c.jsonl.gz"]


def test_where_output_goes_nothing_is_read(logs):
    assert names(find_sources(logs, without=logs / "deep"), logs) == ["a.parquet", "b.csv"]


@pytest.mark.parametrize(
    ("name", "kind", "packed", "stem"),
    [
        ("x.PARQUET", "parquet", None, "x"),
        ("may.2025.tsv", "csv", None, "may.2025"),
        ("x.ndjson.zst", "jsonl", "zstd", "x"),
        ("x.feather", "arrow", None, "x"),
    ],
)
def test_the_ending_says_the_kind(tmp_path, name, kind, packed, stem):
    (tmp_path / name).touch()
    (source,) = find_sources(tmp_path / name)
    assert (source.kind, source.packed, source.stem) == (kind, packed, stem)


@pytest.mark.parametrize("name", ["x.xlsx", "x", "x.gz", "x.parquet.gz", "csv"])
def test_another_ending_is_refused_with_the_list_of_kinds(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(StreamError, match="is of no known kind; the kinds are ") as caught:
        find_sources(tmp_path / name)
    assert all(ending in caught.value.message for ending in ENDINGS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no file to read was named"),
        ("{}/none.csv", "cannot read .*no such file"),
        ("{}/*.parquet", "nothing matches the pattern"),
        ("{}", "nothing to read in"),
    ],
)
def test_nothing_to_read_is_an_error(tmp_path, given, said):
    with pytest.raises(StreamError, match=said):
        find_sources(given.format(tmp_path) if given else given)


def test_a_changed_file_has_another_state(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1", encoding="utf-8")
    (before,) = find_sources(path)
    path.write_text("22", encoding="utf-8")
    (after,) = find_sources(path)
    assert isinstance(before, Source)
    assert before.state() != after.state()

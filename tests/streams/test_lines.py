"""Text: CSV and JSON lines, read a block at a time, as `compare` reads them whole."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.errors import InstantError, StreamError
from tokencost.streams import blocks, lines
from tokencost.streams.reading import Reading
from tokencost.streams.sources import find_sources
from tokencost.streams.survey import open_reader, rows_of

HEAD = "timestamp,model,prompt_tokens,completion_tokens,note\n"
GOOD = "2025-02-01T12:00:00Z,gpt-4o,1000,200,fine\n"
NOON = datetime(2025, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks so small that every few rows begin another."""
    monkeypatch.setattr(blocks, "BLOCK", 64)
    monkeypatch.setattr(lines, "_ONE_BY_ONE", 16)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.zst"])
def test_csv_is_typed_where_it_is_rated_and_text_where_it_is_kept(write, read, ending):
    rated, kept, bad, _, _ = read(write(f"log.{ending}", HEAD + GOOD * 3), by=("note",))
    assert rated.to_pylist()[0] == {
        "timestamp": NOON,
        "model": "gpt-4o",
        "prompt_tokens": 1000,
        "completion_tokens": 200,
        "note": "fine",
    }
    as_text = dict(zip(HEAD.strip().split(","), GOOD.strip().split(","), strict=True))
    assert kept.to_pylist()[2] == as_text | {"prompt_tokens": 1000, "completion_tokens": 200}
    assert (rated.num_rows, bad) == (3, [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_read(write, read, delimiter):
    rated, *_ = read(write("log.csv", (HEAD + GOOD).replace(",", delimiter)))
    assert rated.column("completion_tokens").to_pylist() == [200]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2025-02-01T12:00:00Z,gpt-4o,x,200,n", "input='x' is not a whole number; write it in figures, without separators"),
        ("2025-02-01T12:00:00Z,gpt-4o,12.5,200,n", "input='12.5' is not a whole number; write it in figures, without separators"),
        ("2025-02-01T12:00:00Z,gpt-4o,1,200", "4 cells, and the header has 5"),
        ("2025-02-01T12:00:00Z,gpt-4o,1,200,n,n", "6 cells, and the header has 5"),
        ('2025-02-01T12:00:00Z,gpt-4o,1,200,"n', "a quote opens and never closes"),
        ("2025-02-01,gpt-4o,1,200,n", "'2025-02-01' is not an ISO 8601 instant; write it like '2025-02-01T12:00:00Z'"),
        ("noon,gpt-4o,1,200,n", "'noon' is not an ISO 8601 instant; write it like '2025-02-01T12:00:00Z'"),
    ],
)
def test_a_bad_line_is_kept_whole_with_its_number_and_reason(write, read, line, reason):
    rated, _, bad, _, _ = read(write("log.csv", f"{HEAD}{GOOD * 5000}{line}\n{GOOD * 5000}"))
    assert rated.num_rows == 10_000
    assert [(row.number, row.reason, row.text) for row in bad] == [(5002, reason, line)]


def test_a_line_that_is_not_utf8_is_bad(write, read):
    rated, _, bad, _, _ = read(write("log.csv", HEAD.encode() + GOOD.encode() + b"x,\xff,1,2,3\n" + GOOD.encode()))
    assert (rated.num_rows, bad) == (2, [(3, "not UTF-8 text", "x,\\xff,1,2,3")])


def test_cells_may_hold_line_ends_and_lines_are_still_counted(write, read):
    long = GOOD.replace("fine", '"a\nb, ""c"""')
    rated, kept, bad, _, _ = read(write("log.csv", HEAD + long + GOOD + "broken\n" + long))
    assert kept.column("note").to_pylist() == ['a\nb, "c"', "fine", 'a\nb, "c"']
    assert [row.number for row in bad] == [5]
    assert rated.num_rows == 3


def test_counts_written_as_floats_are_whole_numbers(write, read):
    rated, _, bad, _, _ = read(write("log.csv", HEAD + GOOD.replace("1000,200", "1000.0, +200.") * 2))
    assert rated.column("prompt_tokens").to_pylist() == [1000, 1000]
    assert rated.column("completion_tokens").to_pylist() == [200, 200]
    assert (rated.schema.field("prompt_tokens").type, bad) == (pa.int64(), [])


def test_empty_cells_are_null_and_spaces_around_names_are_not_part_of_them(write, read):
    rated, *_ = read(write("log.csv", HEAD + ",  gpt-4o ,,5,\n,,1,,\n"))
    assert rated.to_pylist() == [
        {"timestamp": None, "model": "gpt-4o", "prompt_tokens": None, "completion_tokens": 5},
        {"timestamp": None, "model": None, "prompt_tokens": 1, "completion_tokens": None},
    ]


def test_a_mark_at_the_beginning_blank_lines_and_foreign_line_ends_are_no_matter(write, read):
    text = "\ufeff\r\n" + (HEAD + GOOD + "\n" + GOOD).replace("\n", "\r\n")
    rated, kept, bad, _, _ = read(write("log.csv", text))
    assert (rated.num_rows, kept.column("note").to_pylist(), bad) == (2, ["fine", "fine"], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\ufeffa,b".encode("utf-16"), "is UTF-16 text"),
        (b"a,b\0\n", "is binary"),
        ("a,a\n1,2\n", "column 'a' stands twice"),
        ('"a,b\n1,2\n', "the header of .* is broken: a quote opens and never closes"),
    ],
)
def test_a_file_that_is_no_log_is_refused(write, text, said):
    with pytest.raises(StreamError, match=said):
        open_reader(*find_sources(write("log.csv", text)))


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_an_empty_file_has_no_columns_and_no_rows(write, name):
    assert open_reader(*find_sources(write(name, ""))).header == ()


@pytest.mark.parametrize(
    "case",
    [
        ("2025-02-01 12:00:00.1234567Z", {}, NOON.replace(microsecond=123456)),
        ("2025-02-01T20:00:00+08:00", {}, NOON),
        ("2025-02-01 20:00:00", {"zone": "Asia/Shanghai"}, NOON),
        ("2025-02-01 12:00:00.1234567", {"zone": "UTC"}, NOON.replace(microsecond=123456)),
        ("2025-10-26 02:30:00", {"zone": "Europe/Berlin"}, datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ("2025-03-30 02:30:00", {"zone": "Europe/Berlin"}, datetime(2025, 3, 30, 1, 30, tzinfo=UTC)),
        ("1738411200", {}, NOON),
        ("1738411200123", {}, NOON.replace(microsecond=123000)),
        ("1738411200123456", {}, NOON.replace(microsecond=123456)),
        ("1738411200123456789", {}, NOON.replace(microsecond=123456)),
        ("1500", {"start": int(NOON.timestamp()) * 10**6}, NOON.replace(second=1, microsecond=500_000)),
        ("1500", {"unit": "s"}, datetime(1970, 1, 1, 0, 25, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("beside", [False, True])
def test_instants_are_read_in_every_form_alone_and_beside_others(write, read, case, beside):
    """Beside a cell of another form the column cannot be read at once, and every cell is read by itself."""
    cell, words, expected = case
    other = GOOD.replace("2025-02-01T12:00:00Z", "2025-02-01T13:00+01:00") if beside else ""
    rated, _, bad, _, _ = read(write("log.csv", HEAD + GOOD.replace("2025-02-01T12:00:00Z", cell) + other), **words)
    assert (rated.column("timestamp").to_pylist(), bad) == ([expected, NOON][: 1 + beside], [])


def test_instants_without_an_offset_need_a_zone(write, read):
    with pytest.raises(InstantError, match=r"gives instants without an offset, first in row 3 of .*log\.csv; pass zone='UTC' or another"):
        read(write("log.csv", HEAD + GOOD + GOOD.replace("Z,", ",")))


def test_json_lines_have_dotted_columns_and_types_of_their_own(write, read):
    record = {"timestamp": "2025-02-01T12:00:00Z", "model": "gpt-4o", "usage": {"in": 5, "out": {"n": 7}}, "tags": ["a"], "ok": True}
    columns = {"at": "timestamp", "model": "model", "input": "usage.in", "output": "usage.out.n"}
    rated, kept, bad, _, _ = read(write("log.jsonl.gz", (json.dumps(record) + "\n") * 2), columns=columns)
    assert rated.to_pylist()[1] == {"timestamp": NOON, "model": "gpt-4o", "usage.in": 5, "usage.out.n": 7}
    assert kept.to_pylist()[0] == {
        "timestamp": "2025-02-01T12:00:00Z",
        "model": "gpt-4o",
        "usage.in": 5,
        "usage.out.n": 7,
        "tags": ["a"],
        "ok": True,
    }
    assert bad == []


def as_json(**changes):
    return (
        json.dumps({"timestamp": "2025-02-01T12:00:00Z", "model": "gpt-4o", "prompt_tokens": 5, "completion_tokens": 7, **changes}) + "\n"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"model": "gpt-4o"', "not JSON (expecting ',' delimiter)"),
        ("5", "JSON, but not an object"),
        ('{"a":1}{"a":2}', "not JSON (extra data)"),
        (as_json(prompt_tokens=1.5).strip(), "input=1.5 is not a whole number; write it in figures, without separators"),
        (as_json(prompt_tokens=True).strip(), "input=True is not a whole number; write it in figures, without separators"),
        (as_json(timestamp="soon").strip(), "'soon' is not an ISO 8601 instant; write it like '2025-02-01T12:00:00Z'"),
    ],
)
def test_a_bad_line_of_json_is_kept_with_its_number(write, read, line, reason):
    rated, _, bad, _, _ = read(write("log.jsonl", as_json() * 3000 + "\n" + line + "\n" + as_json() * 3000))
    assert (rated.num_rows, bad) == (6000, [(3002, reason, line)])


def test_counts_of_json_may_be_text_or_whole_floats(write, read):
    rated, _, bad, _, _ = read(write("log.jsonl", as_json() + as_json(prompt_tokens="12") + as_json(prompt_tokens=3.0)))
    assert (rated.column("prompt_tokens").to_pylist(), bad) == ([5, 12, 3], [])


def test_a_field_that_begins_late_is_counted_in_the_notes(write, read):
    text = as_json(team="red") * 40_000
    _, kept, _, _, notes = read(write("log.jsonl", text + as_json(team=5, extra=1) * 3))
    assert kept.column("team").to_pylist()[-1] == "5"
    assert [(said.partition(" of ")[0], rows) for said, rows in notes.items()] == [("field 'extra'", 3)]


def test_one_array_of_json_is_refused(write):
    with pytest.raises(StreamError, match="is one JSON array; write one object a line"):
        open_reader(*find_sources(write("log.jsonl", "[\n{}\n]\n")))


@pytest.mark.parametrize("name", ["log.csv.gz", "log.jsonl.zst"])
def test_a_packed_file_that_breaks_off_is_an_error(write, read, name):
    text = HEAD + GOOD * 1000 if "csv" in name else as_json() * 1000
    path = write(name, text)
    path.write_bytes(path.read_bytes()[:-15])
    with pytest.raises(StreamError, match=r"cannot be read.*: truncated compressed stream; get it whole, or leave it out"):
        read(path)


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.csv.gz"])
@pytest.mark.usefixtures("small_blocks")
def test_reading_goes_on_at_any_place(write, read, name):
    rows = [GOOD.replace("fine", f'"row {n}\n"') if n % 3 else "bad\n" for n in range(40)]
    text = HEAD + "".join(rows) if "csv" in name else "".join(as_json(note=n) if n % 3 else "bad\n" for n in range(40))
    path = write(name, text)
    _, kept, bad, places, _ = read(path)
    assert len(places) > 5
    for place in places[:-1]:
        _, later, bad_later, _, _ = read(path, place=place)
        assert later.to_pylist() == kept.to_pylist()[place.row :]
        assert bad_later == bad[len(bad) - len(bad_later) :]
    assert places[-1].row == kept.num_rows == 26


cell = st.one_of(
    st.integers(-5, 10**6).map(str),
    st.sampled_from(["", " 7 ", "+3", "12.0", "12.", "1e3", "x", "1,5", "nan", "9" * 19, '"4"', '"x', 'a"b', "null", "True"]),
)
row = st.one_of(
    st.tuples(cell, cell).map(lambda cells: f"2025-02-01T12:00:00Z,gpt-4o,{cells[0]},{cells[1]},n"),
    st.sampled_from(["", "   ", ",,,,", "a,b", '2025-02-01T12:00:00Z,gpt-4o,1,2,"a\nb"', '2025-02-01T12:00:00Z,gpt-4o,1,2, "n"']),
)


@given(rows=st.lists(row, min_size=1, max_size=30), size=st.integers(20, 400))
def test_csv_has_the_rows_that_compare_reads(tmp_path_factory, rows, size):
    """Whatever the size of blocks, the counts of the good rows and the numbers of the bad ones are those of `read_trace`."""
    path = tmp_path_factory.mktemp("logs") / "log.csv"
    path.write_text(HEAD + GOOD + "\n".join(rows) + "\n", encoding="utf-8")
    trace = tc.read_trace(path)
    found, bad = [], []
    for block_size in (size, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "BLOCK", block_size)
            patch.setattr(lines, "_ONE_BY_ONE", 16)
            reading = Reading(columns={"at": "timestamp", "model": "model", "input": "prompt_tokens", "output": "completion_tokens"})
            chunks = list(rows_of(open_reader(*find_sources(path)), reading, open_reader(*find_sources(path)).begin))
        bad.append([(bad.number, bad.reason) for chunk in chunks for bad in chunk.bad])
        found.append([tuple(r.values())[2:] for chunk in chunks for r in chunk.rated.to_pylist()])
    assert found[0] == found[1]
    assert bad[0] == bad[1]
    refused = {row.number for row in trace.bad} - {number for number, _ in bad[0]}
    good = [counts for counts in found[0] if None not in counts and min(counts) >= 0]
    assert len(good) == trace.requests
    assert len(found[0]) - len(good) == len(refused)
    assert sum(counts[0] for counts in good) == trace.total.counts.get("input", 0)

"""Prefix traces: logs with block ids, read line by line, bad rows counted."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tokencost as tc

ROWS = (
    {"timestamp": 0, "input_length": 1100, "output_length": 9, "hash_ids": [10, 11, 12]},
    {"timestamp": 3000, "input_length": 1024, "output_length": 8, "hash_ids": [10, 11]},
    {"timestamp": 3000, "input_length": 600, "output_length": 7, "hash_ids": [10, 14]},
)


def changed(row, **values):
    return {**row, **values}


@pytest.fixture
def written(log):
    """Write rows as JSON lines; text stands as it is."""
    return lambda *rows: log("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "log.jsonl")


def test_a_log_is_read_without_options(written):
    trace = tc.read_prefix_trace(written(*ROWS))

    assert (trace.requests, trace.block_size, trace.ids, trace.bad, trace.reordered) == (3, 512, 4, (), 0)
    assert (trace.at_ms.tolist(), trace.input.tolist(), trace.output.tolist()) == ([0, 3000, 3000], [1100, 1024, 600], [9, 8, 7])
    assert (trace.offsets.tolist(), trace.blocks.tolist()) == ([0, 3, 5, 7], [0, 1, 2, 0, 1, 0, 3])
    assert (trace.tokens, trace.span_s, trace.covered.tolist()) == (2748, 3, [1100, 1024, 600])
    assert repr(trace).endswith("log.jsonl', 3 requests, 7 blocks of 512, 4 ids)")


def test_ids_may_be_text_or_large(written):
    text = [changed(row, hash_ids=[f"{n:x}" for n in row["hash_ids"]]) for row in ROWS]
    large = [changed(row, hash_ids=[n - 2**62 for n in row["hash_ids"]]) for row in ROWS]

    for rows in (text, large):
        assert tc.read_prefix_trace(written(*rows)).blocks.tolist() == [0, 1, 2, 0, 1, 0, 3]


def test_columns_may_be_named(written):
    rows = [{"t": row["timestamp"], "n": row["input_length"], "out": row["output_length"], "b": row["hash_ids"]} for row in ROWS]
    columns = {"at": "t", "input": "n", "output": "out", "blocks": "b"}

    assert tc.read_prefix_trace(written(*rows), columns=columns).blocks.tolist() == tc.read_prefix_trace(written(*ROWS)).blocks.tolist()


def test_times_may_be_seconds_or_instants(written):
    seconds = [changed(row, timestamp=row["timestamp"] / 1000 + 0.0625) for row in ROWS]
    iso = [changed(row, timestamp=f"2026-03-01T01:00:0{row['timestamp'] // 1000}.250+01:00") for row in ROWS]

    assert tc.read_prefix_trace(written(*seconds), time_unit="s").at_ms.tolist() == [62, 3062, 3062]
    trace = tc.read_prefix_trace(written(*iso))
    assert trace.instants().tolist()[0].isoformat() == "2026-03-01T00:00:00.250000"
    assert np.diff(trace.at_ms).tolist() == [3000, 0]


def test_instants_need_a_start(written):
    path = written(*ROWS)

    assert tc.read_prefix_trace(path, start="2026-03-01T01:00:00+01:00").instants()[1] == np.datetime64("2026-03-01T00:00:03")
    with pytest.raises(tc.TraceError, match=r"counts its times from an unknown start; pass start="):
        tc.read_prefix_trace(path).instants()


def test_rows_out_of_order_are_sorted_and_counted(written):
    late = changed(ROWS[0], timestamp=9000)
    trace = tc.read_prefix_trace(written(late, *ROWS[1:]))

    assert trace.reordered == 2
    assert (trace.at_ms.tolist(), trace.input.tolist()) == ([3000, 3000, 9000], [1024, 600, 1100])
    assert trace.blocks.tolist() == [0, 1, 0, 3, 0, 1, 2]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "JSON, but not an object"),
        (changed(ROWS[0], hash_ids=None), "block ids None are no list; write one id a block"),
        (changed(ROWS[0], hash_ids=[10, "11", 12]), "block id '11' is not like the others; ids are whole numbers as before"),
        (changed(ROWS[0], hash_ids=["10", "11", "12"]), "block id '10' is not like the others; ids are whole numbers as before"),
        (changed(ROWS[0], hash_ids=[10, 1.5, 12]), "block id 1.5 is not like the others; ids are whole numbers as before"),
        (changed(ROWS[0], hash_ids=[True, 11, 12]), "block id True is not like the others; ids are whole numbers as before"),
        (changed(ROWS[0], hash_ids=[10, 11, 2**64]), "block id 18446744073709551616 has more than 64 bits; write such ids as text"),
        (changed(ROWS[0], hash_ids=[10]), "1 block of 512 tokens for a prompt of 1100; a prompt has as many as it fills"),
        (changed(ROWS[0], hash_ids=[10, 11, 12, 13]), "4 blocks of 512 tokens for a prompt of 1100; a prompt has as many as it fills"),
        (changed(ROWS[0], input_length=-5), "input=-5 is no count of tokens; write a whole number, 0 or more"),
        (changed(ROWS[0], input_length=True), "input=True is no count of tokens"),
        (changed(ROWS[0], output_length="many"), "output='many' is no count of tokens"),
        (changed(ROWS[0], timestamp=None), "at=None is no time; write a number or an instant with its offset"),
        (changed(ROWS[0], timestamp=float("nan")), "at=nan is no time"),
        (changed(ROWS[0], timestamp=2**60), "at=1152921504606846976 is no time"),
        (changed(ROWS[0], timestamp="2026-03-01T00:00:00Z"), "at='2026-03-01T00:00:00Z' is not written as the times before it"),
        (changed(ROWS[0], timestamp="noon"), "at='noon' is a date at best, not an instant"),
    ],
)
def test_bad_rows_are_counted(written, row, reason):
    """They stand behind good rows, which are kept."""
    trace = tc.read_prefix_trace(written(*ROWS, row), block_size=512)

    assert trace.requests == 3
    assert [(bad.number, reason in bad.reason) for bad in trace.bad] == [(4, True)]


def test_the_rest_of_a_prompt_may_have_no_id(written):
    """Some logs name whole blocks only; the rest is then never read from a cache."""
    trace = tc.read_prefix_trace(written(changed(ROWS[0], hash_ids=[10, 11]), *ROWS[1:]))

    assert (trace.bad, trace.covered.tolist()) == ((), [1024, 1024, 600])


def test_an_empty_prompt_has_no_blocks(written):
    trace = tc.read_prefix_trace(written(*ROWS, changed(ROWS[0], timestamp=4000, input_length=0, hash_ids=[])))

    assert (trace.requests, trace.bad, trace.covered.tolist()[-1]) == (4, (), 0)
    assert tc.replay_cache(trace, "deepseek").read.tolist() == [0, 1024 - 64, 512, 0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{k: v for k, v in ROWS[0].items() if k != "hash_ids"}],
            "has no column of block ids, only timestamp, input_length, output_length",
        ),
        ([{k: v for k, v in ROWS[0].items() if k != "timestamp"}], "has no column of times; name it with columns={'at': 'NAME'}"),
        ([{k: v for k, v in ROWS[0].items() if k != "input_length"}], "input"),
        (["", ""], "it is empty"),
        (["{"], "its first row is bad: not JSON"),
        (
            [*ROWS, changed(ROWS[2], hash_ids=[11, 10])],
            "whose id follows another block elsewhere; ids must depend on all that precedes them",
        ),
        ([*ROWS, changed(ROWS[2], input_length=700)], "ends in a block whose id has another length elsewhere"),
        ([*ROWS, changed(ROWS[2], input_length=1100, hash_ids=[10, 14, 15])], "has a whole block with the id of a shorter one elsewhere"),
    ],
)
def test_logs_that_cannot_be_replayed(written, rows, message):
    with pytest.raises(tc.TraceError) as caught:
        tc.read_prefix_trace(written(*rows), block_size=512)

    assert message in caught.value.message
    assert caught.value.path.endswith("log.jsonl")


def test_a_missing_file(tmp_path):
    with pytest.raises(tc.TraceError, match=r"cannot read .*nowhere.jsonl.*: no such file or directory"):
        tc.read_prefix_trace(tmp_path / "nowhere.jsonl")


def test_no_prompt_fits(written):
    with pytest.raises(tc.TraceError, match=r"no row of .* can be replayed; the first has 3 blocks of 16 tokens for a prompt of 1100"):
        tc.read_prefix_trace(written(*ROWS), block_size=16)


def test_the_block_size_is_found_by_most_rows(written):
    odd = changed(ROWS[0], hash_ids=[10])
    trace = tc.read_prefix_trace(written(odd, *ROWS, *(changed(row, timestamp=5000) for row in ROWS)))

    assert (trace.block_size, trace.requests, trace.bad[0].number) == (512, 6, 1)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([changed(ROWS[0], input_length=5, hash_ids=[10])], "8, 16, 32"),
        ([changed(ROWS[0], input_length=5, hash_ids=[10, 11, 12, 13, 14, 15, 16])], "no power of two fits most prompts"),
    ],
)
def test_a_block_size_that_cannot_be_told(written, rows, why):
    with pytest.raises(tc.UsageError, match=f"cannot tell the block size of .*{why}.*; pass block_size="):
        tc.read_prefix_trace(written(*rows))


@pytest.mark.parametrize("size", [0, -1, 2**21, 512.0, "512", True])
def test_block_sizes_that_cannot_be(written, size):
    with pytest.raises(tc.UsageError, match=r"block_size=.*; pass"):
        tc.read_prefix_trace(written(*ROWS), block_size=size)


def test_units_of_time_that_cannot_be(written):
    with pytest.raises(tc.UnknownNameError, match="time_unit='us' is no unit of times; pass 's' or 'ms'"):
        tc.read_prefix_trace(written(*ROWS), time_unit="us")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input": [5]}, "has columns of different length"),
        ({"input": [-5, 5]}, "request 0 of trace has input=-5"),
        ({"output": [5, 2**41]}, "request 1 of trace has output="),
        ({"at_ms": [0, 2**51]}, "request 1 of trace has the time"),
        ({"input": [5, 50]}, "request 1 of trace has 1 block of 8 tokens for a prompt of 50; pass the block_size of the log"),
        ({"blocks": [[1], ["1"]]}, "give all ids one kind"),
        ({"blocks": [[1], [1.5]]}, "block id 1.5 is no whole number"),
        ({"blocks": np.array([1, 1]), "offsets": np.array([0, 2, 1])}, "has offsets that do not cut its blocks"),
    ],
)
def test_traces_in_memory_that_cannot_be(changes, message):
    given = {"at_ms": [0, 1], "input": [5, 5], "output": [0, 0], "blocks": [[1], [1]], "block_size": 8, **changes}
    with pytest.raises(tc.TraceError) as caught:
        tc.PrefixTrace.of(**given)

    assert message in caught.value.message


def test_a_trace_in_memory_from_flat_blocks():
    nested = tc.PrefixTrace.of(at_ms=[0, 1], input=[9, 5], output=[0, 0], blocks=[[7, 3], [4]], block_size=8)
    flat = tc.PrefixTrace.of(
        at_ms=np.array([0, 1]),
        input=np.array([9, 5]),
        output=np.array([0, 0]),
        blocks=np.array([7, 3, 4]),
        offsets=np.array([0, 2, 3]),
        block_size=8,
    )

    assert (nested.ids, flat.ids, nested.offsets.tolist()) == (3, 3, flat.offsets.tolist())


@pytest.mark.parametrize("changes", [{"at_ms": [0.5, 1]}, {"input": ["5", "5"]}, {"output": [True, False]}, {"input": 5}])
def test_columns_in_memory_are_whole_numbers(changes):
    given = {"at_ms": [0, 1], "input": [5, 5], "output": [0, 0], "blocks": [[1], [1]], "block_size": 8, **changes}
    with pytest.raises(tc.UsageTypeError, match=f"{next(iter(changes))} is no column of whole numbers but of"):
        tc.PrefixTrace.of(**given)


def test_large_sparse_ids_are_coded():
    trace = tc.PrefixTrace.of(at_ms=[0], input=[16], output=[0], blocks=np.array([2**60, -7]), offsets=np.array([0, 2]), block_size=8)

    assert (trace.ids, sorted(trace.blocks.tolist())) == (2, [0, 1])


def test_no_blocks_at_all():
    trace = tc.PrefixTrace.of(at_ms=[0], input=[5], output=[0], blocks=np.array([], np.int64), offsets=np.array([0, 0]), block_size=8)

    assert (trace.ids, tc.replay_cache(trace, "xai").usage) == (0, tc.Usage(input=5))

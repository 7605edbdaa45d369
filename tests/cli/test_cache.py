"""`tokencost cache`: rules, replays and break-evens from the command line."""

import json
import shlex
from decimal import Decimal

import pytest

import tokencost as tc
from tokencost.cli import door
from tokencost.cli.cache import DEFAULT_PAIRS

AT = "2026-03-01T00:00:00Z"
ROWS = (
    {"timestamp": 0, "input_length": 4096, "output_length": 10, "hash_ids": [0, 1, 2, 3, 4, 5, 6, 7]},
    {"timestamp": 9000, "input_length": 4100, "output_length": 10, "hash_ids": [0, 1, 2, 3, 4, 5, 6, 9, 10]},
)
EXAMPLES = [example for command in door.commands["cache"].commands.values() for example in command.examples]


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A log with two good rows, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)

    def write(*more):
        text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in (*ROWS, *more))
        (tmp_path / "requests.jsonl").write_text(text, encoding="utf-8")
        return "requests.jsonl"

    return write


def test_rules_in_a_table(ok):
    assert ok("cache", "rules") == f"{tc.load_cache_rules()}\n"


def test_rules_by_name(ok, refused):
    text = ok("cache", "rules", "openai", "xai")

    assert text.startswith("cache rule openai\n")
    assert "\n\ncache rule xai\n" in text
    assert refused(2, "cache", "rules", "openia").startswith("no cache rule 'openia'; did you mean 'openai'")


def test_rules_as_json(read_json):
    made = read_json("cache", "rules", "anthropic-5m")

    assert [(rule["id"], rule["lifetime_s"], rule["checked"], rule["chosen"]) for rule in made] == [
        ("anthropic-5m", 300, "2026-11-22", ["granularity"])
    ]


def test_rules_of_ones_own(ok, refused, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[rule]]\nid = "mine"\nkind = "automatic"\ngranularity = 1\nminimum = 1\nlifetime_s = 5\nrenewed = true\n'
        'url = "https://example.org"\nchecked = 2026-11-20\n',
        encoding="utf-8",
    )

    assert "lifetime_least_s" in ok("cache", "rules", "mine", "--rules", path)
    path.write_text("[[rule]]", encoding="utf-8")
    assert refused(1, "cache", "rules", "--rules", path).startswith(
        "8 faults in cache rules; the first is mine.toml: T21 rule 1: missing key"
    )


def test_a_replay(ok, log):
    text = ok("cache", "replay", log(), "--rule", "anthropic-5m", "--rule", "anthropic-1h", "--model", "claude-sonnet-4-5", "--at", AT)
    pairs = [(rule, "claude-sonnet-4-5") for rule in ("anthropic-5m", "anthropic-1h")]

    assert text == f"{tc.compare_cache_rules(tc.read_prefix_trace(log()), pairs, at=AT)}\n"


def test_a_replay_as_json(read_json, log):
    made = read_json("cache", "replay", log(), "--rule", "deepseek", "--model", "deepseek-chat", "--at", AT)
    row = tc.compare_cache_rules(tc.read_prefix_trace(log()), [("deepseek", "deepseek-chat")], at=AT).rows[0]
    (found,) = made["rules"]

    assert (made["at"], made["at_is_now"], made["requests"], made["block_size"], made["bad_rows"]) == (AT, False, 2, 512, [])
    assert (Decimal(found["cost"]), Decimal(found["without"]), found["hits"]) == (row.cost.amount, row.without.amount, 1)
    assert found["usage"] == dict(row.replay.usage.counts)


def test_without_rules_well_known_ones_are_taken(ok, log):
    text = ok("cache", "replay", log(), "--at", "2026-08-01T00:00:00Z")

    assert all(f"{rule} " in text and offering in text for rule, offering in DEFAULT_PAIRS)


def test_without_an_instant_it_says_which_one_was_taken(ok, log):
    assert "instant: now, " in ok("cache", "replay", log(), "--rule", "openai", "--model", "gpt-4o")
    assert "instant: now, " in ok("cache", "break-even", "openai", "gpt-4o")


def test_another_lifetime(ok, log):
    short = ok("cache", "replay", log(), "--rule", "openai", "--model", "gpt-4o", "--at", AT, "--lifetime", "9")

    assert "0.00%" in short
    assert "openai: lifetime not stated, 9 s used" in short


def test_each_at_its_own_instant(ok, refused, log):
    words = ("cache", "replay", log(), "--rule", "openai", "--model", "gpt-4o", "--at", "each")

    assert "each request at its own instant" in ok(*words, "--start", AT)
    assert "counts its times from an unknown start" in refused(1, *words)


def test_bad_rows_and_order_are_told(call, log):
    result = call("cache", "replay", log("{", {**ROWS[0], "timestamp": 5}), "--rule", "openai", "--model", "gpt-4o", "--at", AT)

    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "1 row stood before an earlier one; the log was put in the order of its times",
        "1 row could not be read and is left out:",
        "  row 3: not JSON",
    ]


def test_many_bad_rows_are_cut(call, log):
    result = call("cache", "replay", log(*["{"] * 12), "--rule", "openai", "--model", "gpt-4o", "--at", AT)

    assert result.stderr.splitlines()[0] == "12 rows could not be read and are left out:"
    assert result.stderr.splitlines()[-1] == "  and 2 more"


@pytest.mark.parametrize(
    ("code", "words", "message"),
    [
        (2, ("--rule", "openai"), "a rule is rated on a model; pass both --rule and --model, or neither"),
        (2, ("--rule", "openai", "--model", "gpt-4o", "--column", "blocks"), "'blocks' is no part and column"),
        (1, ("--rule", "openai", "--model", "gpt-4o", "--column", "blocks=ids"), "has no column 'ids', only timestamp"),
        (2, ("--rule", "openai", "--model", "gpt-4o", "--block-size", "0"), "block_size=0 is outside"),
        (2, ("--rule", "openai", "--model", "gpt-4o", "--lifetime", "0"), "lifetime_s=0 of cache rule 'openai' is outside"),
        (1, ("--rule", "openai", "--model", "gpt-4o", "--block-size", "16"), "no row of requests.jsonl can be replayed"),
    ],
)
def test_questions_that_cannot_be(refused, log, code, words, message):
    assert message in refused(code, "cache", "replay", log(), "--at", AT, *words)


def test_a_break_even(ok, read_json):
    words = ("cache", "break-even", "google-explicit", "gemini-2.5-pro", "--at", AT, "--tokens", "50000")

    assert ok(*words) == f"{tc.cache_break_even('gemini-2.5-pro', rule='google-explicit', at=AT, tokens=50_000)}\n"
    assert {key: read_json(*words)[key] for key in ("reads", "reads_per_hour", "at_is_now")} == {
        "reads": 4,
        "reads_per_hour": "4",
        "at_is_now": False,
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(ok, log, example):
    log()
    assert ok(*shlex.split(example)[1:])


def test_the_group_has_help(ok):
    assert "replay" in ok("cache", "--help")

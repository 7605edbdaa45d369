"""`tokencost compare`: the main job, from the command line."""

import json
from decimal import Decimal

import pytest

import tokencost as tc
from tokencost.cli.compare import DEFAULT_OFFERINGS
from tokencost.rating.book import load_book

AT = "2025-03-01T12:00:00Z"
MODELS = ("deepseek-reasoner", "gpt-4o", "o1")


@pytest.fixture
def log(tmp_path):
    """A request log with two good rows and two bad ones."""
    path = tmp_path / "requests.csv"
    path.write_text(
        "timestamp,prompt_tokens,completion_tokens\n2025-02-26T16:29:59Z,1000,100\n2025-02-26T16:30:00Z,1000,100\n"
        "2025-02-26T16:30:01Z,-1,100\n2025-02-26T16:30:02Z,12.5,100\n",
        encoding="utf-8",
    )
    return path


def rows_of(text):
    """The offerings of a printed comparison, in its order."""
    lines = text.splitlines()
    rule = next(n for n, line in enumerate(lines) if line.startswith("──"))
    return [line.split()[0] for line in lines[rule + 1 :] if "/" in line.split()[0] and ":" not in line.split()[0]]


def test_without_a_log_the_shipped_workload_is_rated(ok):
    text = ok("compare", *MODELS, "--at", AT)
    assert rows_of(text) == ["deepseek/global/deepseek-reasoner", "openai/global/gpt-4o", "openai/global/o1"]
    assert text.startswith(f"{tc.load_workload('chat').title}: 12,031 requests")
    assert f"workload: {tc.load_workload('chat').source}" in text


def test_without_a_model_well_known_offerings_are_rated(ok):
    text = ok("compare", "--at", "2026-11-20T12:00:00Z")
    assert sorted(rows_of(text)) == sorted(DEFAULT_OFFERINGS)


def test_without_an_instant_it_says_which_one_was_taken(ok):
    assert "instant: now, " in ok("compare", "gpt-4o")


def test_json_equals_the_library(ok):
    made = json.loads(ok("compare", "--workload", "short-chat", *MODELS, "--at", AT, "--baseline", "gpt-4o", "--json"))
    result = tc.compare(tc.load_workload("short-chat"), MODELS, at=AT, baseline="gpt-4o", book=load_book())
    assert [(row["offering"], Decimal(row["total"]), Decimal(row["to_baseline"])) for row in made["offerings"]] == [
        (row.offering, row.total.amount, row.to_baseline.amount) for row in result.rows
    ]
    assert (made["at"], made["at_is_now"], made["currency"], made["requests"]) == ("2025-03-01T12:00:00Z", False, "USD", 19366)


@pytest.mark.parametrize("words", [["{log}", "deepseek-reasoner"], ["deepseek-reasoner", "--log", "{log}"]])
def test_a_log_is_rated_to_the_end_and_bad_rows_are_listed_and_written(call, log, tmp_path, words):
    bad = tmp_path / "bad.csv"
    result = call("compare", *[word.format(log=log) for word in words], "--at", "each", "--bad-rows", bad)
    assert result.exit_code == 0
    assert rows_of(result.stdout) == ["deepseek/global/deepseek-reasoner"]
    assert "2 requests" in result.stdout
    assert "2 rows could not be read and are not in the totals:" in result.stderr
    assert "row 4: input=-1 is negative; counts are 0 or more" in result.stderr
    assert "row 5: input='12.5' is not a whole number" in result.stderr
    assert [line.split(",")[0] for line in bad.read_text(encoding="utf-8").splitlines()] == ["row", "4", "5"]


def test_bad_rows_are_written_here_unless_told_where(call, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call("compare", log, "gpt-4o", "--at", AT)
    assert (tmp_path / "requests.bad-rows.csv").read_text(encoding="utf-8").count("\n") == 3


def test_each_row_is_rated_at_its_own_instant(call, log, book):
    made = json.loads(call("compare", log, "deepseek-reasoner", "--at", "each", "--json").stdout)
    usage = tc.Usage(input=1000, output=100)
    expected = sum(book.cost("deepseek-reasoner", usage, at=at) for at in ("2025-02-26T16:29:59Z", "2025-02-26T16:30:00Z"))
    assert Decimal(made["offerings"][0]["total"]) == expected
    assert made["at"] is None


def test_columns_can_be_named(ok, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("when;eins;zwei;drei\n2025-03-01T12:00:00Z;1000;100;400\n", encoding="utf-8")
    named = ("--column", "input=eins", "--column", "output=zwei", "--column", "cache_read=drei", "--column", "at=when")
    made = json.loads(ok("compare", path, "deepseek-reasoner", *named, "--at", "each", "--json"))
    assert Decimal(made["offerings"][0]["total"]) == (600 * Decimal("0.55") + 400 * Decimal("0.14") + 100 * Decimal("2.19")) / 10**6


def test_another_currency_needs_a_rate_and_shows_it(ok):
    words = ("compare", "alibaba/china/qwen-max", "gpt-4o", "--at", "2025-02-24T12:00:00Z")
    assert "not converted: its list is in CNY, not USD" in ok(*words)
    text = ok(*words, "--fx", "2025-02-24 USD/CNY=7.2464")
    assert "converted at 7.2464 CNY per USD of 2025-02-24 (command line)" in text


def test_an_offering_without_a_price_is_last_and_says_why(ok):
    text = ok("compare", "claude-sonnet-4-5", "gpt-4o", "--at", AT)
    assert rows_of(text) == ["openai/global/gpt-4o", "anthropic/global/claude-sonnet-4-5"]
    assert (
        "12,031 of 12,031 requests have no price: no price of anthropic/global/claude-sonnet-4-5 is known at 2025-03-01T12:00:00Z" in text
    )


@pytest.fixture
def two_segments(tmp_path):
    """A described workload: long prompts with short answers, and the other way round."""
    path = tmp_path / "two.toml"
    path.write_text(
        'title = "two kinds"\n[[segment]]\nname = "read"\nrequests = 100\nprompt = { quantiles = { 0 = 1000, 1 = 90000 } }\n'
        'completion = 10\n[[segment]]\nname = "write"\nrequests = 100\nprompt = 100\ncompletion = { points = [[1000, 1], [9000, 3]] }\n',
        encoding="utf-8",
    )
    return path


def test_a_described_workload_over_a_month(ok, two_segments):
    text = ok("compare", "--workload", two_segments, "deepseek-reasoner", "gpt-4o", "--month", "2025-03")
    result = tc.compare(tc.load_workload(two_segments), ["deepseek-reasoner", "gpt-4o"], month="2025-03", book=load_book())
    assert text.rstrip("\n") == str(result)
    assert "two kinds: 200 requests, 5,261,000 tokens, in 2025-03, in USD" in text
    assert "instant: now" not in text


def test_the_footnotes_say_what_segments_and_a_router_cost(ok, two_segments):
    words = ("compare", "--workload", two_segments, "grok-4.3", "gpt-5.1", "--at", "2026-11-20T12:00:00Z")
    workload = tc.load_workload(two_segments)
    bound = tc.compare(workload, ["grok-4.3", "gpt-5.1"], at="2026-11-20T12:00:00Z", book=load_book()).router_bound
    made = json.loads(ok(*words, "--json"))
    assert Decimal(made["router_bound"]["total"]) == bound.total.amount
    assert sum(Decimal(row["cost"]) for row in made["segments"] if row["offering"] == "openai/global/gpt-5.1") == Decimal(
        next(row["total"] for row in made["offerings"] if row["offering"] == "openai/global/gpt-5.1")
    )
    assert ("a router costs at least" in ok(*words)) == (len(bound.routes) > 1)
    assert [choice["segment"] for choice in made["cheapest_by_segment"]] == ["read", "write"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.csv", "model,score\ngpt-4o,61.5\no1,70\nnobody,1\n"),
        ("q.json", '{"gpt-4o": 61.5, "o1": 70, "nobody": 1}'),
        ("q.toml", "gpt-4o = 61.5\no1 = 70\nnobody = 1\n"),
    ],
)
def test_quality_scores_give_a_frontier(ok, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    words = ("compare", *MODELS, "--at", AT, "--quality", path)
    made = json.loads(ok(*words, "--json"))["frontier"]
    assert [(row["offering"], row["quality"], row["on_frontier"]) for row in made["offerings"]] == [
        ("openai/global/gpt-4o", 61.5, True),
        ("openai/global/o1", 70.0, True),
    ]
    assert (made["missing"], made["unused"]) == (["deepseek/global/deepseek-reasoner"], ["nobody"])
    assert "scores of offerings that are not compared: nobody" in ok(*words)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("q.csv", "gpt-4o;61\n", "line 1 of"),
        ("q.csv", "gpt-4o,61\ngpt-4o,62\n", "gives 'gpt-4o' a second score; keep one"),
        ("q.csv", "gpt-4o,6x1\n", "quality of gpt-4o='6x1' is not a number"),
        ("q.json", "[1]", "is no mapping; write it like"),
        ("q.json", "{", "cannot be read"),
        ("q.xlsx", "", "'q.xlsx' is no CSV, JSON or TOML by its name; end it with .csv"),
    ],
)
def test_scores_that_cannot_be_are_one_line(refused, tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert said in refused(2, "compare", "gpt-4o", "--at", AT, "--quality", path)


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (2, ["gpt-4o", "--month", "2026-11", "--at", AT], "--at and --month are two times; pass one of them"),
        (2, ["gpt-4o", "--month", "November"], "month 'November' is not a month; write it like '2026-11'"),
        (2, ["gpt-4o", "--at", AT, "--quality", "missing.csv"], "cannot read 'missing.csv': no such file or directory"),
        (2, ["gpt-4o-mni"], "no model 'gpt-4o-mni' in this book; did you mean 'gpt-4o-mini'"),
        (2, ["gpt-4o", "--at", "2025-03-01"], "is a date at best, not an instant"),
        (2, ["gpt-4o", "--at", "each"], "at='each' needs a trace"),
        (
            2,
            ["gpt-4o", "--workload", "chatt"],
            "no workload 'chatt'; pass the path of a TOML file, or one of azure-conversation-2023, batch-extraction, chat",
        ),
        (2, ["gpt-4o", "--fx", "7.2"], "'7.2' is no dated rate"),
        (1, ["missing.csv", "gpt-4o"], "cannot read 'missing.csv': no such file or directory"),
    ],
)
def test_what_cannot_be_is_one_line(refused, code, words, said):
    assert said in refused(code, "compare", *words)


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (2, ["--workload", "chat"], "--log and --workload are two sources of demand; pass one of them"),
        (2, ["--column", "input"], "'input' is no meter and column; write it like input=prompt_tokens"),
        (1, ["--column", "input=promt_tokens"], "no column 'promt_tokens'"),
        (2, ["--column", "inputt=prompt_tokens"], "no meter 'inputt'"),
    ],
)
def test_what_cannot_be_with_a_log_is_one_line(refused, log, code, words, said):
    assert said in refused(code, "compare", log, "gpt-4o", "--at", AT, *words)


def test_binary_and_empty_logs_are_refused(refused, tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"\x00\x01\x02")
    (tmp_path / "empty.csv").write_bytes(b"")
    assert "is binary, not text" in refused(1, "compare", tmp_path / "binary.csv", "gpt-4o")
    assert "is empty" in refused(1, "compare", tmp_path / "empty.csv", "gpt-4o")

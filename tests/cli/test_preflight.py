"""`tokencost preflight`: one request before it is sent, from the command line."""

from decimal import Decimal

import pytest

import tokencost as tc

AT = ("--at", "2025-06-01T00:00:00Z")
WORDS = ("preflight", "gpt-4o", "--prompt", "2k", "--max-output", "1000")


def asked(**more):
    return tc.preflight("gpt-4o", **{"prompt": 2_000, "max_output": 1_000, "at": AT[1], **more})


def test_a_table(ok):
    assert ok(*WORDS, *AT) == f"{asked()}\n"


def test_a_law_a_range_and_a_budget(ok):
    made = asked(output=tc.Law.lognormal(median=200, p90=800, most=1000), cached=("0", "0.5"), confidence=Decimal("0.8"))
    words = ("--output", "200:800:1000", "--cached", "0:0.5", "--confidence", "0.8", "--budget", "0.01")

    assert ok(*WORDS, *words, *AT) == f"{made}\n{made.fits('0.01')}\n"


def test_text_is_counted(ok, tmp_path):
    path = tmp_path / "prompt.txt"
    path.write_text("Say what this costs. " * 40, encoding="utf-8")
    made = asked(prompt="Say what this costs. " * 40)
    words = ("preflight", "gpt-4o", "--text", path, "--max-output", "1000", *AT)

    assert ok(*words) == f"{made}\n"
    assert ok("preflight", "gpt-4o", "--text", "-", *words[4:], input="Say what this costs. " * 40) == f"{made}\n"


def test_json(read_json):
    made = read_json(*WORDS, "--output", "400", "--budget", "0.01", *AT)
    expected = asked(output=400)

    assert [Decimal(made[key]) for key in ("least", "expected", "most")] == [
        getattr(expected, key).amount for key in ("least", "expected", "most")
    ]
    assert made["fit"] == {"answer": "likely", "probability": 1.0, "is_bound": False}
    assert (made["budget"], made["at"], made["at_is_now"]) == ("0.01", AT[1], False)
    assert read_json(*WORDS, *AT)["fit"] is None


def test_without_an_instant_it_says_which_one_was_taken(ok):
    assert "instant: now, " in ok(*WORDS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--text", "x"), "the prompt is a count or a text; pass either --prompt or --text"),
        (("--cached", "2.5"), "cached=2.5 is outside 0 to 1"),
        (("--cached", "0.5:0.1"), "does not ascend"),
        (("--confidence", "most"), "invalid value for '--confidence': 'most' is no share"),
        (("--confidence", "0"), "confidence=0 says nothing"),
        (("--output", "some"), "invalid value for '--output': 'some' is no count"),
        (("--budget", "low"), "'low'"),
    ],
)
def test_questions_that_cannot_be_answered(refused, words, said):
    assert said in refused(2, *WORDS, *words, *AT)


def test_a_prompt_is_needed(refused):
    assert "pass either --prompt or --text" in refused(2, "preflight", "gpt-4o", "--max-output", "5", *AT)


def test_text_must_be_text(refused, tmp_path):
    path = tmp_path / "prompt.bin"
    path.write_bytes(b"ab\xff")

    assert "byte 2 is no UTF-8 text; convert it first" in refused(2, "preflight", "gpt-4o", "--text", path, "--max-output", "5", *AT)
    assert "cannot use" in refused(1, "preflight", "gpt-4o", "--text", tmp_path / "none.txt", "--max-output", "5", *AT)

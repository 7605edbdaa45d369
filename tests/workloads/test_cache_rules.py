"""Cache rules: data with sources, read strictly."""

from __future__ import annotations

import pickle
from dataclasses import fields

import pytest

import tokencost as tc

GOOD = """
[[rule]]
id          = "acme-5m"
kind        = "explicit"
granularity = 64
minimum     = 1024
minimum_of  = { "big-*" = 4096, "big-new" = 512 }
lifetime_s  = { least = 300, most = 600, used = 300 }
renewed     = true
write_meter = "cache_write"
url         = "https://example.org/caching"
checked     = 2026-11-20
chosen      = ["lifetime_s"]
note        = "How it is."
"""


@pytest.fixture
def rules_file(tmp_path):
    """Write a file of rules, with pairs of old and new text."""

    def write(*pairs, text=GOOD):
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "acme.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


SHIPPED = tc.load_cache_rules()


def test_the_shipped_rules():
    assert list(SHIPPED) == [
        "alibaba-implicit",
        "alibaba-explicit",
        "anthropic-5m",
        "anthropic-1h",
        "bytedance-explicit",
        "deepseek",
        "google-implicit",
        "google-explicit",
        "minimax-passive",
        "minimax-explicit",
        "moonshot-5m",
        "moonshot-1h",
        "moonshot-2024",
        "openai",
        "openai-24h",
        "openai-30m",
        "openai-12h",
        "xai",
        "zhipu",
    ]


@pytest.mark.parametrize("rule", SHIPPED.values(), ids=list(SHIPPED))
def test_every_rule_has_a_source_and_says_what_was_chosen(rule, book):
    """A lifetime that is a span, or that is not stated, is marked as chosen; the provider is one of the tables."""
    assert rule.url.startswith("https://")
    assert rule.checked is not None
    assert rule.title
    assert rule.note
    assert rule.provider in book.shelf.provider_ids
    assert ("lifetime_s" in rule.chosen) == (not rule.lifetime_least_s == rule.lifetime_most_s == rule.lifetime_s)


@pytest.mark.parametrize("rule", SHIPPED.values(), ids=list(SHIPPED))
def test_every_pattern_of_a_model_fits_one(rule, book):
    models = [name for name in book.ids if name.startswith(f"{rule.provider}/")]
    for pattern, minimum in rule.minimum_of.items():
        only = tc.CacheRule(id="only", granularity=1, minimum=1, lifetime_s=1, minimum_of={pattern: minimum})
        assert any(only.for_offering(name).minimum == minimum for name in models), pattern


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("deepseek", ("automatic", 64, 64, 7200, True, None, "cache_read", None)),
        ("openai", ("automatic", 128, 1024, 300, True, None, "cache_read", None)),
        ("anthropic-5m", ("explicit", 1, 1024, 300, True, "cache_write", "cache_read", None)),
        ("anthropic-1h", ("explicit", 1, 1024, 3600, True, "cache_write_1h", "cache_read", None)),
        ("alibaba-implicit", ("automatic", 1, 256, 300, True, None, "cache_read", None)),
        ("alibaba-explicit", ("explicit", 1, 1024, 300, True, "cache_write", "cache_read_explicit", None)),
        ("google-explicit", ("explicit", 1, 1024, 3600, False, None, "cache_read", "cache_storage")),
    ],
)
def test_golden_rules(rule, facts):
    found = SHIPPED[rule]
    named = (found.kind, found.granularity, found.minimum, found.lifetime_s, found.renewed)
    assert (*named, found.write_meter, found.read_meter, found.storage_meter) == facts


@pytest.mark.parametrize(
    ("offering", "minimum"),
    [
        ("anthropic/global/claude-sonnet-4-5", 1024),
        ("anthropic/global/claude-haiku-4-5", 4096),
        ("anthropic/global/claude-opus-4-6", 4096),
        ("anthropic/global/claude-opus-4-7", 2048),
        ("anthropic/global/claude-opus-4-8", 1024),
        ("anthropic/global/claude-opus-5", 512),
        ("anthropic/global/claude-3-5-haiku-20241022", 2048),
    ],
)
def test_some_models_have_a_minimum_of_their_own(offering, minimum):
    assert SHIPPED["anthropic-5m"].for_offering(offering).minimum == minimum


def test_a_file_of_ones_own(rules_file):
    rule = tc.load_cache_rules(rules_file())["acme-5m"]

    assert (rule.provider, rule.granularity, rule.lifetime_text, rule.read_meter) == (
        "acme",
        64,
        "5 min to 10 min, 5 min used",
        "cache_read",
    )
    assert [rule.for_offering(f"acme/global/{name}").minimum for name in ("small", "big-old", "big-new")] == [1024, 4096, 512]
    assert tc.load_cache_rules(rules_file().parent) == {"acme-5m": rule}
    assert pickle.loads(pickle.dumps(rule)) == rule


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("granularity = 64", "granularty = 64", "rule acme-5m: unknown key 'granularty'; did you mean 'granularity'?"),
        ("granularity = 64", "", "missing key 'granularity'; a rule has id, kind,"),
        ("granularity = 64", "granularity = 0", "granularity=0 of cache rule 'acme-5m' is outside 1 to 1000000000"),
        ("granularity = 64", "granularity = 6.4", "granularity=Decimal('6.4') of cache rule 'acme-5m' is not a whole number"),
        ("granularity = 64", "granularity = true", "granularity=True of cache rule 'acme-5m' is not a whole number"),
        ("minimum     = 1024", "minimum = -1", "minimum=-1 of cache rule 'acme-5m' is outside"),
        ("4096", '"many"', "minimum_of big-*='many' of cache rule 'acme-5m' is not a whole number"),
        ('{ "big-*" = 4096, "big-new" = 512 }', "4096", "minimum_of = 4096 is no table"),
        ("used = 300", "use = 300", "is no span; write it like { least = 300, most = 3600, used = 300 }"),
        ("used = 300", "used = 601", "lifetime_s=601 of cache rule 'acme-5m' is outside what is stated, 300 to 600"),
        ("{ least = 300, most = 600, used = 300 }", "0", "lifetime_s=0 of cache rule 'acme-5m' is outside"),
        ('"explicit"', '"manual"', "kind='manual' of cache rule 'acme-5m' is neither 'automatic' nor 'explicit'"),
        ("= true", "= 1", "renewed=1 of cache rule 'acme-5m' is neither true nor false"),
        ('"cache_write"', '"cache_wrte"', "no meter 'cache_wrte' in write_meter of cache rule 'acme-5m'; did you mean 'cache_write'"),
        ('"cache_write"', '"cache_read"', "write_meter='cache_read' of cache rule 'acme-5m' is not cache_write or a part of it"),
        ('url         = "https://example.org/caching"', "", "missing key 'url'"),
        ('"https://example.org/caching"', "5", "url = 5 is not text"),
        ("2026-11-20", '"yesterday"', "checked = 'yesterday' is no day; write it like 2026-11-20"),
        ("2026-11-20", "2026-11-20T00:00:00Z", "is no day; write it like 2026-11-20"),
        ('["lifetime_s"]', '["lifetime"]', "chosen='lifetime' of cache rule 'acme-5m' is no key of a rule"),
        ('["lifetime_s"]', '"lifetime_s"', "chosen = 'lifetime_s' is no list of keys"),
        ('"acme-5m"', '" "', "id=' ' is no name of a cache rule"),
        ("[[rule]]", "[[rules]]", "unknown key 'rules'; a file of cache rules has [[rule]] blocks only"),
        ("[[rule]]", "rule = [5]\n[other]", "5 is no block; begin each rule with [[rule]]"),
        ("[[rule]]", "rule = 5\n[other]", "has no rule; add a [[rule]] block"),
    ],
)
def test_bad_rules(rules_file, old, new, message):
    with pytest.raises(tc.TableError) as caught:
        tc.load_cache_rules(rules_file((old, new)))

    assert message in caught.value.message
    assert all(fault.path == "acme.toml" for fault in caught.value.faults)


def test_all_faults_are_said_at_once(rules_file):
    text = GOOD.replace("= 64", "= -64") + GOOD.replace("minimum     =", "minimal     =") + GOOD + GOOD
    with pytest.raises(tc.TableError, match="4 faults in cache rules") as caught:
        tc.load_cache_rules(rules_file(text=text))

    assert [fault.code for fault in caught.value.faults] == ["T21", "T01", "T21", "T22"]


@pytest.mark.parametrize("text", ["", "not toml"])
def test_files_without_rules(rules_file, text):
    with pytest.raises(tc.TableError):
        tc.load_cache_rules(rules_file(text=text))


def test_a_missing_file(tmp_path):
    with pytest.raises(tc.TableError, match=r"no cache rules at .*nowhere.*; pass a TOML file"):
        tc.load_cache_rules(tmp_path / "nowhere")


def test_another_lifetime_counts_as_chosen():
    longer = SHIPPED["anthropic-5m"].with_lifetime(3600)

    assert (longer.lifetime_s, longer.lifetime_text) == (3600, "not stated, 1 h used")
    assert set(longer.chosen) == {"granularity", "lifetime_s"}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("anthropic-1h", "1 h"),
        ("openai", "5 min to 1 h, 5 min used"),
        ("openai-24h", "at most 1 d, 1 d used"),
        ("openai-30m", "at least 30 min, 30 min used"),
        ("deepseek", "2 h to 3 d, 2 h used"),
        ("xai", "not stated, 5 min used"),
    ],
)
def test_lifetimes_in_words(rule, text):
    assert SHIPPED[rule].lifetime_text == text


def test_rules_print():
    text = str(SHIPPED)

    assert text.count("\n") == len(SHIPPED) + 3
    assert "openai-24h          automatic   128    1,024  at most 1 d, 1 d used*" in text
    assert SHIPPED._repr_html_().startswith("<table>")
    assert "lifetime_s*" in str(SHIPPED["openai"])
    assert {f.name for f in fields(tc.CacheRule)} == set(SHIPPED.records()[0])
    assert SHIPPED["xai"]._repr_html_().startswith("<table>")

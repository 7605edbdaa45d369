"""Names: what people write leads to one offering by a rule that the answer names, or to an error with suggestions."""

from __future__ import annotations

import pytest

import tokencost as tc
from strategies import OFFERING, SOURCES, write_tables
from tokencost.tariffs.names import resolve
from tokencost.tariffs.shelf import Shelf

HEAD = 'name    = "{}"\nkind    = "{}"\ndefault = "{}"\n'


def alias(name: str, offering: str, *spans: str) -> str:
    lines = ["[[alias]]", f'name = "{name}"', f'offering = "{offering}"', *spans, 'source = "page"', "checked = 2026-01-01", ""]
    return "\n".join(lines)


def rule(kind: str, pattern: str, **more: str) -> str:
    return f"[[rule]]\nkind = '{kind}'\npattern = '{pattern}'\n" + "".join(f"{key} = '{value}'\n" for key, value in more.items())


ACME = HEAD.format("Acme", "publisher", "global") + "".join(
    [
        rule("suffix", r"-\d{8}", drops="date"),
        rule("suffix", "-preview"),
        rule("prefix", r"beta\."),
        alias("chat", "global/v2", "until = 2025-01-01T00:00:00Z"),
        alias("chat", "global/v3", "from = 2025-01-01T00:00:00Z"),
        alias("spread", "eu/v2"),
        alias("spread", "global/v2"),
        alias("european", "eu/tiny"),
        alias("nick", "global/v2"),
    ]
)
HOST = (
    HEAD.format("Host", "host", "us")
    + "namespace = '(acme|zeta)\\..+'\n"
    + "".join(
        [
            rule("prefix", r"us\.", endpoint="us"),
            rule("prefix", r"eu\.", endpoint="eu"),
            rule("suffix", r"-v\d:\d", drops="revision"),
            alias("hosted", "us/acme.v2"),
        ]
    )
)
RIVAL = HEAD.format("Rival", "publisher", "global") + alias("nick", "global/rival-1")
RESOLD = 'publisher = "acme"\n\n' + OFFERING


@pytest.fixture(scope="module", params=[True, False], ids=["trusted", "checked"])
def shelf(request, tmp_path_factory):
    """A publisher with two endpoints, a rival with a name in common, and hosts that resell."""
    files = {
        "acme/provider.toml": ACME,
        "rival/provider.toml": RIVAL,
        "host/provider.toml": HOST,
        "shop/provider.toml": HEAD.format("Shop", "host", "global"),
        **{f"{name}/sources.toml": SOURCES for name in ("acme", "rival", "host", "shop")},
        **dict.fromkeys(("acme/global/v2.toml", "acme/global/v3.toml", "acme/eu/v2.toml", "acme/eu/tiny.toml"), OFFERING),
        **dict.fromkeys(("acme/eu/two.toml", "acme/us/two.toml", "acme/global/Mixed-Case.toml", "acme/global/family/v9.toml"), OFFERING),
        **dict.fromkeys(("rival/global/rival-1.toml", "rival/global/shared.toml", "acme/global/shared.toml"), OFFERING),
        **dict.fromkeys(("host/us/acme.v2.toml", "host/eu/acme.v2.toml", "host/us/v2.toml", "shop/global/v2.toml"), RESOLD),
        **dict.fromkeys(("host/us/only-resold.toml", "shop/global/only-resold.toml", "shop/global/once-resold.toml"), RESOLD),
        "acme/global/model.toml": OFFERING,
    }
    return Shelf(write_tables(tmp_path_factory.mktemp("tables"), files=files), trusted=request.param)


@pytest.mark.parametrize(
    ("name", "offering", "how", "dropped"),
    [
        ("acme/global/v2", "acme/global/v2", "id", None),
        ("acme/eu/v2", "acme/eu/v2", "id", None),
        ("acme/v2", "acme/global/v2", "default endpoint", None),
        ("acme/family/v9", "acme/global/family/v9", "default endpoint", None),
        ("acme/tiny", "acme/eu/tiny", "only endpoint", None),
        ("v2", "acme/global/v2", "publisher", None),
        (" v2 ", "acme/global/v2", "publisher", None),
        ("family/v9", "acme/global/family/v9", "publisher", None),
        ("tiny", "acme/eu/tiny", "only endpoint", None),
        ("european", "acme/eu/tiny", "alias", None),
        ("acme/european", "acme/eu/tiny", "alias", None),
        ("spread", "acme/global/v2", "alias", None),
        ("acme/eu/spread", "acme/eu/v2", "alias", None),
        ("acme/nick", "acme/global/v2", "alias", None),
        ("rival/nick", "rival/global/rival-1", "alias", None),
        ("v2-20250101", "acme/global/v2", "rule", "date '-20250101'"),
        ("acme/eu/v2-20250101", "acme/eu/v2", "rule", "date '-20250101'"),
        ("v2-preview", "acme/global/v2", "rule", "suffix '-preview'"),
        ("beta.v2", "acme/global/v2", "rule", "prefix 'beta.'"),
        ("beta.v2-20250101", "acme/global/v2", "rule", "prefix 'beta.', date '-20250101'"),
        ("acme.v2-v1:0", "host/us/acme.v2", "rule", "revision '-v1:0'"),
        ("us.v2", "host/us/v2", "rule", None),
        ("eu.acme.v2", "host/eu/acme.v2", "rule", None),
        ("eu.acme.v2-v2:0", "host/eu/acme.v2", "rule", "revision '-v2:0'"),
        ("host/eu.acme.v2", "host/eu/acme.v2", "rule", None),
        ("host/hosted", "host/us/acme.v2", "alias", None),
        ("acme.v2", "host/us/acme.v2", "namespace", None),
        ("V2", "acme/global/v2", "case", None),
        ("mixed-case", "acme/global/Mixed-Case", "case", None),
        ("ACME/Global/V3", "acme/global/v3", "case", None),
        ("host/v2", "host/us/v2", "default endpoint", None),
        ("shop/once-resold", "shop/global/once-resold", "default endpoint", None),
    ],
)
def test_a_name_leads_to_one_offering_and_says_how(shelf, name, offering, how, dropped):
    found = resolve(shelf, name)

    assert (found.offering, found.rule, found.dropped) == (offering, how, dropped)
    assert found.name == name
    assert shelf.has(found.offering)


def test_every_id_is_its_own_name(shelf):
    for offering in shelf.ids:
        found = resolve(shelf, offering)

        assert (found.offering, found.rule) == (offering, "id")


def test_a_dated_alias_means_one_thing_at_a_time(shelf):
    turn = tc.to_instant("2025-01-01T00:00:00Z")
    found = resolve(shelf, "chat")

    assert [(piece.offering, piece.start, piece.until) for piece in found.pieces] == [
        ("acme/global/v2", None, turn),
        ("acme/global/v3", turn, None),
    ]
    assert found.offering == "acme/global/v3"


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("shared", ("acme/global/shared", "rival/global/shared")),
        ("two", ("acme/eu/two", "acme/us/two")),
        ("acme/two", ("acme/eu/two", "acme/us/two")),
        ("nick", ("acme/global/v2", "rival/global/rival-1")),
        ("only-resold", ("host/us/only-resold", "shop/global/only-resold")),
        ("once-resold", ("shop/global/once-resold",)),
    ],
)
def test_a_name_that_fits_several_is_refused_with_all_of_them(shelf, name, candidates):
    """Resellers are never taken silently, not even the only one."""
    with pytest.raises(tc.AmbiguousNameError) as caught:
        resolve(shelf, name)

    assert caught.value.candidates == candidates
    assert str(caught.value).endswith(f"say which: {', '.join(candidates)}")


@pytest.mark.parametrize(
    ("name", "suggestion", "words"),
    [
        ("v22", "v2", "no model 'v22' in this book; did you mean 'v2'"),
        ("mixed-cas", "Mixed-Case", "no model 'mixed-cas' in this book"),
        ("chatt", "chat", "did you mean 'chat'"),
        ("acme/tinny", "tiny", "no model 'tinny' in the tables of acme; did you mean"),
        ("acme/asia/v2", "acme/global/v2", "no endpoint 'asia' of acme; it has eu, global, us"),
        ("acne/global/v2", "acme", "no provider 'acne' in this book; did you mean 'acme'"),
    ],
)
def test_an_unknown_name_is_refused_with_suggestions(shelf, name, suggestion, words):
    with pytest.raises(tc.UnknownNameError) as caught:
        resolve(shelf, name)

    assert words in str(caught.value)
    assert suggestion in caught.value.suggestions


@pytest.mark.parametrize(
    "name", ["", "zzzzzz", "/", "//", "acme/", "acme//v2", "acme/global/", "v2\n-20250101", "🙂", 'a"b', "\\", "x" * 5_000]
)
def test_nonsense_is_an_unknown_name(shelf, name):
    with pytest.raises(tc.UnknownNameError):
        resolve(shelf, name)


@pytest.mark.parametrize("name", [None, 4, 4.0, ["v2"], b"v2"])
def test_what_is_no_text_is_an_unknown_name(shelf, name):
    with pytest.raises(tc.UnknownNameError):
        resolve(shelf, name)


@pytest.mark.parametrize("name", ["v", "v2-mini", "xv2", "v2x", "model-20251", "chat-latest", "v2-20250101-20250101"])
def test_likeness_is_never_enough(shelf, name):
    """No prefix, substring or family match: only what a rule of the provider drops is dropped."""
    with pytest.raises(tc.UnknownNameError):
        resolve(shelf, name)

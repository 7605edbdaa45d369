"""Providers: every mistake in a `provider.toml` has its code, its line and its cure, for lint and for a book of one's own."""

from __future__ import annotations

import pytest

import tokencost as tc
from strategies import OFFERING, PROVIDER, SOURCES, write_tables
from tokencost.tariffs.lint import lint_tables

OWNER = "acme/provider.toml"
ALIAS = '[[alias]]\nname     = "{}"\noffering = "{}"\n{}source   = "page"\nchecked  = 2026-01-01\n'
LATEST = "\n" + ALIAS.format("latest", "global/model", "")
WINDOWS = '  { window = "off_peak", days = "daily", hours = "16:30-00:30" },\n'
OFFICE = PROVIDER.split("[[schedule]]\n")[1]
SECOND = '  { window = "peak", days = "mon-fri", hours = "14:00-18:00", except = "days-off" },\n'
NIGHT = PROVIDER.split("[[schedule]]\n")[2].split("\n\n")[0] + "\n"


def spans(first: str, second: str) -> str:
    return "\n" + ALIAS.format("latest", "global/model", first) + "\n" + ALIAS.format("latest", "global/other", second)


@pytest.mark.parametrize(
    ("change", "fault", "cure"),
    [
        (('default = "global"', 'default = "globl"'), ("T22", "", 3), "write one of eu, global"),
        (('"global"\n\n', '"global"\nnamespace = "("\n\n'), ("T21", "", 4), "; correct it"),
        (('timezone = "UTC"', 'timezone = "Mars/Base"'), ("T10", "schedule night 2023-01-01", 26), "write it like 'Asia/Shanghai'"),
        (('timezone = "UTC"', 'timezone = "../etc"'), ("T10", "schedule night 2023-01-01", 26), "write it like 'Asia/Shanghai'"),
        (("16:30-00:30", "1630-0030"), ("T10", "schedule night 2023-01-01, row 1", 29), "write them like 09:00-12:00"),
        (('"daily", hours = "16', '"weekdays", hours = "16'), ("T10", "schedule night 2023-01-01, row 1", 29), "mon-fri, sat or sat,sun"),
        (
            (WINDOWS, WINDOWS + WINDOWS.replace("off_peak", "dawn")),
            ("T10", "schedule night 2023-01-01", 23),
            "let one begin where the other ends",
        ),
        (
            (NIGHT, NIGHT.replace("2023-01-01T00:00:00Z", "2023-01-01T00:00:00Z\nuntil = 2022-01-01T00:00:00Z")),
            ("T10", "schedule night 2023-01-01", 26),
            "correct its until",
        ),
        (
            (NIGHT, NIGHT + "\n[[schedule]]\n" + NIGHT),
            ("T10", "schedule night 2023-01-01", 37),
            "is the second edition from 2023-01-01T00:00:00Z; keep one",
        ),
        (('source   = "page"', 'source   = "pgae"'), ("T09", "schedule office 2023-01-01", 20), "did you mean 'page'?"),
        (('except = "days-off" },\n]', 'except = "days" },\n]'), ("T11", "schedule office 2023-01-01, row 2", 17), "write one of days-off"),
        (
            (OFFICE, OFFICE.replace("2023-01-01T", "2022-01-01T").replace(SECOND, "")),
            ("T11", "schedule office 2022-01-01, row 1", 16),
            "extend it from the notice",
        ),
        (("[[endpoint]]", '[[rule]]\nkind = "suffix"\npattern = "["\n\n[[endpoint]]'), ("T21", "rule 1", 7), "; correct it"),
        (
            ("[[endpoint]]", '[[rule]]\nkind = "prefix"\npattern = "us"\nendpoint = "us"\n\n[[endpoint]]'),
            ("T22", "rule 1", 8),
            "write one of eu, global",
        ),
        (
            (LATEST, LATEST.replace("global/model", "nowhere")),
            ("T22", "alias latest", 50),
            "endpoint/model of an offering of this provider",
        ),
        ((LATEST, LATEST.replace("latest", "other")), ("T22", "alias other", 49), "drop the alias, a name has one meaning"),
        ((LATEST, LATEST.replace('"page"', '"web"')), ("T09", "alias latest", 51), "add it with its url"),
        (
            (LATEST, LATEST.replace("source ", "from = 2025-01-01T00:00:00Z\nuntil = 2025-01-01T00:00:00Z\nsource ")),
            ("T22", "alias latest", 52),
            "correct its until",
        ),
        ((LATEST, spans("", "")), ("T22", "alias latest", 48), "end one of them first"),
        (
            (LATEST, spans("from = 2025-01-01T00:00:00Z\n", "from = 2025-06-01T00:00:00Z\n")),
            ("T22", "alias latest", 48),
            "end one of them first",
        ),
        ((LATEST, spans("until = 2025-06-01T00:00:00Z\n", "from = 2025-06-01T00:00:00Z\n")), None, None),
        ((LATEST, LATEST + LATEST.replace("global/model", "eu/model")), None, None),
        ((LATEST, LATEST), None, None),
    ],
)
def test_one_mistake_in_a_provider(tmp_path, change, fault, cure):
    text = (PROVIDER + LATEST).replace(*change, 1)
    others = {"acme/global/model.toml": OFFERING, "acme/global/other.toml": OFFERING, "acme/eu/model.toml": OFFERING}
    root = write_tables(tmp_path, files={**others, OWNER: text})
    faults = [found for found in lint_tables(root) if found.code != "T19"]

    assert [(found.code, found.where, found.line) for found in faults] == ([fault] if fault else [])
    assert all(found.path == OWNER and found.message.endswith(cure) for found in faults)
    if fault:
        with pytest.raises(tc.TableError) as caught:
            tc.load_book(root).shelf.provider("acme")
        assert caught.value.faults == tuple(faults)


def test_two_offerings_that_differ_only_in_case(tmp_path):
    root = write_tables(tmp_path, files={"acme/global/Model.toml": OFFERING, "acme/global/model.toml": OFFERING})
    if len(list((root / "acme" / "global").iterdir())) < 2:
        pytest.skip("the file system does not tell them apart")

    assert [str(fault) for fault in lint_tables(root)] == [
        "acme/provider.toml: T22 'global/model' and 'global/Model' differ only in case; keep one"
    ]


def test_a_missing_provider_is_said_once(tmp_path):
    root = write_tables(tmp_path, files={"other/global/a.toml": OFFERING, "other/global/b.toml": OFFERING})

    assert [str(fault) for fault in lint_tables(root)] == ["other/provider.toml: T22 is missing; every provider's folder needs one"]


def test_a_broken_provider_does_not_hide_what_is_wrong_beside_it(tmp_path):
    root = write_tables(tmp_path, files={OWNER: "name = 1\n", "acme/global/model.toml": OFFERING.replace("basis", "bases")})

    assert sorted((fault.path, fault.code, fault.message.split(";")[0]) for fault in lint_tables(root)) == [
        ("acme/global/model.toml", "T01", "unknown key 'bases'"),
        ("acme/global/model.toml", "T21", "missing key 'basis'"),
        ("acme/provider.toml", "T21", "missing key 'default'"),
        ("acme/provider.toml", "T21", "missing key 'kind'"),
        ("acme/provider.toml", "T21", "name = 1: not text"),
    ]


def test_broken_sources_do_not_make_every_source_unknown(tmp_path):
    root = write_tables(tmp_path, files={"acme/sources.toml": SOURCES.replace('kind = "news"', 'kind = "rumour"')})

    assert [(fault.path, fault.code, fault.where, fault.line) for fault in lint_tables(root)] == [
        ("acme/sources.toml", "T21", "source press", 14)
    ]


def test_a_source_given_twice(tmp_path):
    root = write_tables(tmp_path, files={"acme/sources.toml": SOURCES + "\n" + SOURCES.split("\n\n", maxsplit=1)[0] + "\n"})

    assert [(fault.path, fault.code, fault.where, fault.line) for fault in lint_tables(root)] == [
        ("acme/sources.toml", "T22", "source page", 16)
    ]

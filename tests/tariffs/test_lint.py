"""Lint: which files belong to a path, what is checked in each, and where in the text a fault is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import tokencost as tc
from strategies import CALENDAR, OFFERING, PROVIDER, write_tables
from tokencost.tariffs.fault import Finding
from tokencost.tariffs.lint import find_tables, lint_tables
from tokencost.tariffs.places import comment_below, located

CLAIM = """
[[claim]]
id = "one"
article = "A"
publication = "P"
offering = "acme/global/model"
at = 2025-01-20T00:00:00Z
currency = "USD"
said = { input = 0.14 }
really = { input = "cache_read" }
"""


@pytest.fixture
def root(tmp_path):
    """Two providers, claims and a calendar."""
    theirs = {
        "other/provider.toml": PROVIDER.replace("Acme", "Other"),
        "other/sources.toml": (write_tables(tmp_path) / "acme" / "sources.toml").read_text(),
        "other/global/family/model.toml": OFFERING,
    }
    return write_tables(tmp_path, files={**theirs, "claims.toml": CLAIM})


@pytest.mark.parametrize(
    ("inner", "count"),
    [
        ("", 8),
        ("acme", 3),
        ("acme/global", 1),
        ("acme/global/model.toml", 1),
        ("acme/provider.toml", 1),
        ("other/global/family", 1),
        ("calendars/days-off.toml", 1),
        ("calendars", 1),
        ("claims.toml", 1),
    ],
)
def test_a_path_knows_its_tables(root, inner, count):
    found_root, found = find_tables(root / inner)

    assert found_root == root.resolve()
    assert len(found) == count
    assert found == sorted(found)
    assert lint_tables(root / inner) == []


def test_a_path_without_tables_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("")

    for inner, message in {"nowhere": "no file or folder", "empty": "no price tables at", "empty/notes.txt": "is no price table"}.items():
        with pytest.raises(tc.TableError, match=message) as caught:
            find_tables(tmp_path / inner)
        assert caught.value.faults == ()


@pytest.mark.parametrize("inner", ["", "acme", "acme/global", "acme/global/model.toml"])
def test_a_fault_has_the_same_path_wherever_lint_begins(root, inner):
    (root / "acme/global/model.toml").write_text(OFFERING.replace("2.19", "-2.19").replace("16.0", "-16.0"))

    assert [(fault.code, fault.path, fault.line) for fault in lint_tables(root / inner)] == [
        ("T03", "acme/global/model.toml", 7),
        ("T03", "acme/global/model.toml", 8),
    ]


@pytest.mark.parametrize(
    ("name", "text", "code", "message"),
    [
        ("stray.toml", "a = 1\n", "T22", "lies outside a provider's folder; tables are <provider>/<endpoint>/<model>.toml"),
        ("acme/stray.toml", OFFERING, "T22", "lies outside an endpoint's folder; tables are <provider>/<endpoint>/<model>.toml"),
        ("claims.toml", CLAIM.replace("acme/global/model", "acme/global/modle"), "T22", "points at 'acme/global/modle', which is not here"),
        ("claims.toml", CLAIM.replace('"cache_read"', '"cache_raed"'), "T01", "unknown meter 'cache_raed'"),
        (
            "claims.toml",
            CLAIM.replace("at = 2025-01-20T00:00:00Z", "at = 2025-01-20"),
            "T21",
            "at = 2025-01-20: not an instant; write it like",
        ),
        ("claims.toml", CLAIM.replace("[[claim]]", "[[claims]]"), "T01", "unknown key 'claims'; this file has [[claim]] blocks only"),
        ("calendars/days-off.toml", CALENDAR.replace("2023-01-01", "23"), "T21", "from = 23: not a day; write it like 2026-11-20"),
        ("acme/global/model.toml", "rates = [\n", "T21", "not TOML: "),
        ("acme/sources.toml", "[[source]]\nid = \n", "T21", "not TOML: "),
    ],
)
def test_every_kind_of_file_is_checked(tmp_path, name, text, code, message):
    faults = [fault for fault in lint_tables(write_tables(tmp_path, files={name: text})) if fault.code != "T19"]

    assert [(fault.code, fault.path) for fault in faults] == [(code, name)]
    assert message in faults[0].message


def test_staleness_is_measured_from_the_day_that_is_passed(tmp_path):
    """The library never looks at the clock: without a day nothing is stale, and a list that has ended cannot be."""
    root = write_tables(tmp_path)

    assert lint_tables(root) == []
    assert lint_tables(root, on=date(2026, 6, 30)) == []
    assert [fault.code for fault in lint_tables(root, on=date(2026, 7, 1))] == ["T20"]
    write_tables(tmp_path, files={"acme/global/model.toml": OFFERING.replace("basis", "until   = 2025-06-01T00:00:00Z\nbasis")})
    assert [fault.code for fault in lint_tables(root, on=date(2030, 1, 1)) if fault.code == "T20"] == []


def test_files_of_other_kinds_are_passed_over(root):
    (root / "README.md").write_text("# tables\n")
    (root / "acme" / "notes.txt").write_text("x")

    assert lint_tables(root) == []


def test_a_file_that_cannot_be_opened_is_a_fault_like_any_other(root, monkeypatch):
    read = Path.read_bytes

    def refuse(path):
        if path.name == "model.toml" and "acme" in path.parts:
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)

    assert [str(fault) for fault in lint_tables(root)] == ["acme/global/model.toml: T21 cannot be read: permission denied"]


# --- places

TEXT = """\
# head: { not = "a row" }
title = "no [[version]] here"

[[version]]
note  = \"\"\"
[[version]]
rates = [
\"\"\"
rates = [
  { currency = "USD", input = 1.0, note = "{ } ] #" },  # two
  { currency = "CNY", input = 2.0 }, { currency = "EUR",
    input = 3.0 },
]
[[version]] # the second
rates = [ { input = 1.0 },
          { input = 2.0 } ]
adjustments = [ { multiply = 0.5 } ]

[[schedule]]
windows = [
  { window = "peak", hours = "09:00-12:00" },
]

[[promo]]
multiply = 0.5
"""


@pytest.mark.parametrize(
    ("place", "key", "line"),
    [
        (("", 0, None), None, None),
        (("", 0, None), "title", 2),
        (("", 0, None), "note", None),
        (("version", 0, None), None, 4),
        (("version", 0, None), "note", 5),
        (("version", 0, None), "title", 4),
        (("version", 0, 0), None, 10),
        (("version", 0, 0), "input", 10),
        (("version", 0, 1), "currency", 11),
        (("version", 0, 2), None, 11),
        (("version", 0, 2), "input", 12),
        (("version", 0, 9), None, 9),
        (("version", 1, None), None, 14),
        (("version", 1, 0), None, 15),
        (("version", 1, 1), "input", 16),
        (("version", 1, None), "adjustments", 17),
        (("version", 1, 2), None, 15),
        (("version", 2, None), None, None),
        (("schedule", 0, 0), "hours", 21),
        (("promo", 0, 1), None, 24),
        (("promo", 0, 1), "multiply", 25),
        (("alias", 0, None), None, None),
    ],
)
def test_a_place_leads_to_its_line(place, key, line):
    """Text in quotes and comments are not taken for tables, rows or keys."""
    (fault,) = located([Finding("T01", place, "where", "message", key)], "x.toml", TEXT)

    assert (fault.line, fault.path, fault.where, fault.message) == (line, "x.toml", "where", "message")


@pytest.mark.parametrize(
    ("text", "head", "line"),
    [
        ("a = 1\n", "", None),
        ("# a\n\na = 1\n", "# a\n\n", None),
        ("# it's\r\n# a 'head'\r\na = 1\r\n", "# it's\n# a 'head'\n", None),
        ("a = 1\n# b\n", "", 2),
        ("a = 1 # b\n", "", 1),
        ("# a\n\na = '#' # b\n", "# a\n\n", 3),
        ('a = "\\" # no"\n', "", None),
        ('a = """# no\n"# no""""\n# yes\n', "", 3),
        ("a = '''# no\n''# no'''\n", "", None),
    ],
)
def test_the_first_comment_below_the_head(text, head, line):
    assert comment_below(text, head) == line

"""The documentation is true: examples run, links resolve, references are complete and current."""

from __future__ import annotations

import re
import runpy
import sys
import tomllib
from decimal import Decimal

import pytest
from check_examples import examples, faults_of
from pages import REPOSITORY, blocks_of, pages, play
from signatures import shown

import tokencost as tc
from tokencost.tariffs.fault import CODES
from tokencost.tariffs.files import read_calendar, read_claims, read_provider, read_sources, read_tariff

DOCS = REPOSITORY / "docs"
REFERENCE = DOCS / "reference"
PAGES = pages()
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
CHECKS = examples((REFERENCE / "checks.md").read_text(encoding="utf-8"))


def named(path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def text_of(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as they are made from their words."""
    heads = re.findall(r"^#+ (.+)$", CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", head).lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page.read_text(encoding="utf-8"))], ids=named)
def test_examples_run_and_show_what_they_show(page, tmp_path):
    """Every example of a page runs, in order and in one namespace, and its output is the one on the page."""
    for outcome in play(page, tmp_path):
        assert outcome.failure is None
        assert outcome.actual == outcome.expected, "python tools/refresh_docs.py writes the real output"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_resolve(page):
    """A link inside the repository leads to a file that exists, and to a heading that it has."""
    text = page.read_text(encoding="utf-8")
    lost = []
    for target in LINK.findall(CODE.sub("", text)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            lost.append(target)
    assert lost == []


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    linked = {(DOCS / target.partition("#")[0]).resolve() for target in LINK.findall(index)}
    assert [named(page) for page in sorted(DOCS.rglob("*.md")) if page.name != "README.md" and page not in linked] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_pages_speak_of_the_project_alone(page):
    """No path of somebody's machine stands in a page."""
    assert re.findall(r"(?:/home/|/Users/|/tmp/|[A-Z]:\\)\S*", page.read_text(encoding="utf-8")) == []


def test_the_api_reference_names_everything():
    """Every public name has a section with its signature; errors and warnings have a row."""
    text = text_of("api.md")
    sections = set(re.findall(r"^### `(\w+)`$", text, re.MULTILINE))
    rows = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    told = {name for name in tc.__all__ if isinstance(getattr(tc, name), type) and issubclass(getattr(tc, name), Warning | Exception)}
    assert sections == set(tc.__all__) - told
    assert rows == told


@pytest.mark.parametrize("name", sorted(re.findall(r"^### `(\w+)`$", text_of("api.md"), re.MULTILINE)))
def test_the_api_reference_shows_an_example_of_each_name(name):
    section = text_of("api.md").split(f"### `{name}`\n", 1)[1].split("\n### ", 1)[0]
    assert shown(name) in section
    assert ">>> " in section


@pytest.mark.parametrize("name", [name for name in tc.__all__ if name.endswith(("Error", "Warning", "Notice"))])
def test_the_reference_of_errors_has_each_with_its_facts(name):
    kind = getattr(tc, name)
    text = text_of("errors.md")
    assert name in text
    if kind not in (tc.TokencostError, tc.TokencostWarning, tc.PriceWarning):
        section = re.split(rf"^##+ {name}$", text, maxsplit=1, flags=re.MULTILINE)[1].split("\n#", 1)[0]
        facts = re.findall(r"`(\w+)`", kind.__doc__.split("Facts:", 1)[1])
        assert [fact for fact in facts if f"`{fact}`" not in section] == []


def test_every_check_is_explained_in_its_own_words():
    assert {example.code: example.sentence for example in CHECKS} == CODES


@pytest.mark.parametrize("example", CHECKS, ids=lambda example: example.code)
def test_the_example_of_a_check_has_that_fault(example, tmp_path):
    """The lines of the page have this fault and no other, and the message is the one on the page."""
    faults = faults_of(example, tmp_path)
    assert {fault.code for fault in faults} == {example.code}
    assert "".join(f"{fault}\n" for fault in faults) == example.said


def test_every_command_is_in_the_reference():
    """The help itself is compared by the examples; here, that no command is left out."""
    from tokencost.cli import door

    sessions = "".join(block.text for block in blocks_of(text_of("cli.md")) if block.language == "console")
    assert [name for name in door.commands if f"$ tokencost {name} --help\n" not in sessions] == []


def test_coverage_and_the_counts_of_the_readme_are_current(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["coverage_page.py", "--check"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(REPOSITORY / "tools" / "coverage_page.py"), run_name="__main__")
    assert (stop.value.code, capsys.readouterr().out) == (0, "current\n")


def test_the_reference_of_price_wars_is_current(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["war_page.py", "--check"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(REPOSITORY / "tools" / "war_page.py"), run_name="__main__")
    assert (stop.value.code, capsys.readouterr().out) == (0, "current\n")


def test_the_examples_of_the_table_format_are_read():
    """The blocks of table-format.md are files that the strict door lets in."""
    blocks = [block.text.replace(", ... ]", " ]") for block in blocks_of(text_of("table-format.md")) if block.language == "toml"]
    offering, provider, sources, calendar, claims = (tomllib.loads(text, parse_float=Decimal) for text in blocks)
    assert read_tariff(offering, "deepseek/global/deepseek-reasoner", path="page").versions[0].rates[0].prices["input"] == Decimal("0.55")
    assert [schedule.id for schedule in read_provider(provider, "deepseek", path="page").schedules] == ["peak-valley"]
    assert list(read_sources(sources, path="page")) == ["pricing-en"]
    assert len(read_calendar(calendar, "cn", path="page").days_off) == 1
    assert len(read_claims(claims, path="page")) == 1


def test_the_meters_of_the_table_format_are_those_of_the_registry():
    text = text_of("table-format.md").split("### Meters", 1)[1].split("\n## ", 1)[0]
    names = {name for row in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert names == set(tc.METERS)


def test_the_changelog_has_the_version_of_the_package():
    assert tc.__version__ in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")

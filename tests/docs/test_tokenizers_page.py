"""The page of tokenizers and the weights of the estimate are what the script measures."""

import importlib.util

import pytest
from pages import REPOSITORY


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("token_counts", REPOSITORY / "benchmarks" / "token_counts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def grid(script):
    return script.measure()


def test_the_tables_of_the_page_are_current(script, grid):
    found = script.bands(script.held_out(grid))
    page = (REPOSITORY / "docs" / "reference" / "tokenizers.md").read_text(encoding="utf-8")
    for lines in (script.paragraphs(grid), script.density(grid), script.errors(grid, found)):
        assert [line for line in lines if f"{line}\n" not in page] == [], "python benchmarks/token_counts.py --write fills them in"


def test_the_weights_are_those_of_the_script(script, grid):
    weights = script.fit(grid.classes, list(grid.tokens.values()), grid.weights)
    shipped = (REPOSITORY / "data" / "tokenizers" / "estimate.toml").read_text(encoding="utf-8")
    assert script.weights_toml(weights, script.bands(script.held_out(grid))) == shipped


def test_the_paragraphs_of_the_recipe_are_those_that_are_measured():
    page = (REPOSITORY / "docs" / "how-to" / "count-tokens.md").read_text(encoding="utf-8")
    texts = REPOSITORY / "benchmarks" / "texts"
    assert [name for name in ("english", "chinese", "python") if (texts / f"{name}.txt").read_text(encoding="utf-8") not in page] == []

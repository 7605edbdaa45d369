"""Books that the tests of the rating room share."""

import pytest

import tokencost as tc
from rating.draws import LAB


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> tc.Book:
    """A book whose only provider has schedules and a calendar and no tariff; tests add tariffs of their own."""
    root = tmp_path_factory.mktemp("lab_tables")
    for path, text in LAB.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return tc.load_book(root)

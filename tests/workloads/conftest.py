"""What the tests of workloads share."""

import pytest

import tokencost as tc


@pytest.fixture
def log(tmp_path):
    """A function that writes a log and returns its path."""

    def write(text: str | bytes, name: str = "log.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture(scope="session")
def book() -> tc.Book:
    """The shipped tables, opened once."""
    return tc.load_book()

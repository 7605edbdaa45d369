"""How tests of streams read and write files."""

import gzip

import pytest

COLUMNS = {"at": "timestamp", "model": "model", "input": "prompt_tokens", "output": "completion_tokens"}


@pytest.fixture
def write(tmp_path):
    """Write a file of text, packed as its ending says."""

    def make(name, text):
        path = tmp_path / name
        raw = text.encode() if isinstance(text, str) else text
        if name.endswith(".zst"):
            import pyarrow as pa

            with pa.output_stream(path, compression="zstd") as stream:
                stream.write(raw)
        else:
            path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return make


@pytest.fixture
def read():
    """Read a file: its rated columns, its kept ones, its bad rows and the places at which chunks end."""

    import pyarrow as pa

    from tokencost.streams.reading import BEGIN, Reading
    from tokencost.streams.sources import find_sources
    from tokencost.streams.survey import open_reader, rows_of

    def chunks_of(path, *, columns=None, place=BEGIN, **words):
        (source,) = find_sources(path)
        reader = open_reader(source)
        reading = Reading(columns=COLUMNS if columns is None else columns, **words)
        found = list(rows_of(reader, reading, place))
        rated, kept = (pa.concat_tables([getattr(chunk, which) for chunk in found]) for which in ("rated", "kept"))
        bad = [row for chunk in found for row in chunk.bad]
        return rated, kept, bad, [chunk.place for chunk in found], reading.notes

    return chunks_of

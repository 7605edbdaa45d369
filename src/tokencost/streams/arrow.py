"""Arrow, as this room uses it: imported once, and said what to install where it is missing.

pyarrow has no types of its own, so its modules and everything they return are `Any` here and nowhere else.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tokencost.errors import StreamError

__all__ = ["FAULTS", "Array", "Batch", "DataType", "Schema", "arrow_csv", "arrow_json", "pa", "pc", "pq", "text_like"]

Batch = Any
"""A record batch or a table: equal columns under one schema."""
Array = Any
Schema = Any
DataType = Any


def _arrow(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        message = "reading and writing files of rows needs pyarrow; install it with: pip install 'tokencost-tariffs[frames]'"
        raise StreamError(message, module="pyarrow") from None


pa: Any = _arrow("pyarrow")
pc: Any = _arrow("pyarrow.compute")
pq: Any = _arrow("pyarrow.parquet")
arrow_csv: Any = _arrow("pyarrow.csv")
arrow_json: Any = _arrow("pyarrow.json")

FAULTS: tuple[type[Exception], ...] = (pa.ArrowException, OSError, EOFError)
"""What reading a file that does not hold can raise."""


def text_like(kind: DataType) -> bool:
    """Say whether a column of this type holds text, dictionary or not."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))

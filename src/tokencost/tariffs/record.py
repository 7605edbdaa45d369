"""Records: frozen dataclasses that pydantic checks strictly at the door.

Price tables are plain standard-library dataclasses, so that a first quote need not wait for pydantic. A table that comes
from outside is checked by pydantic against the very same classes, every fault at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar, dataclass_transform

__all__ = ["record"]

_T = TypeVar("_T")
_STRICT: Final = {"strict": True, "revalidate_instances": "always", "extra": "forbid"}


@dataclass_transform(kw_only_default=True, frozen_default=True)
def record(cls: type[_T]) -> type[_T]:
    """Make a frozen, slotted, keyword-only dataclass with strict pydantic settings."""
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    made.__pydantic_config__ = _STRICT
    return made

"""Signatures: what the reference of the Python API shows of a public name."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import Any, ForwardRef

import tokencost as tc

__all__ = ["shown"]

_WIDTH = 120


def shown(name: str, home: Any = tc) -> str:
    """Return the signature of a public name, and for a class its members, each under its sentence."""
    value = getattr(home, name)
    if not callable(value):
        return f"{name}: dict[str, Meter]\n"
    lines = [_call(name, value)]
    for member in _members(value) if isinstance(value, type) else ():
        found = inspect.getattr_static(value, member)
        lines += ["", f"# {_sentence(found)}", _member(member, found)]
    return "\n".join(lines) + "\n"


def _members(kind: type) -> list[str]:
    """The public members of a class, in the order of their definition; inherited ones of this library too."""
    own: dict[str, None] = {}
    for base in kind.__mro__:
        if base.__module__.startswith("tokencost"):
            own |= dict.fromkeys(base.__dict__)
    data = {f.name for f in fields(kind)} if is_dataclass(kind) else set(getattr(kind, "_fields", ()))
    return [name for name in own if not name.startswith("_") and name not in data and _sentence(inspect.getattr_static(kind, name))]


def _function(found: Any) -> Any:
    if isinstance(found, (classmethod, staticmethod)):
        return found.__func__
    if isinstance(found, property):
        return found.fget
    return found.func if isinstance(found, cached_property) else found


def _sentence(found: Any) -> str:
    function = _function(found)
    if not inspect.isfunction(function):
        return ""
    first = (inspect.getdoc(function) or "").partition("\n\n")[0]
    return " ".join(re.sub(r"\[([\w.]+)\]\[\]", r"`\1`", first).split())


def _member(name: str, found: Any) -> str:
    function = _function(found)
    if isinstance(found, (property, cached_property)):
        return f".{name}: {_kind(inspect.signature(function).return_annotation)}"
    return _call(f".{name}", function, bound=True)


def _call(name: str, function: Any, *, bound: bool = False) -> str:
    signature = inspect.signature(function)
    parts: list[str] = []
    star = False
    for parameter in list(signature.parameters.values())[bound:]:
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            parts.append("*")
        prefix = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        text = f"{prefix}{parameter.name}: {_kind(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            default = parameter.default
            text += f" = {_quoted(default)}"
        parts.append(text)
    result = "" if isinstance(function, type) else f" -> {_kind(signature.return_annotation)}"
    line = f"{name}({', '.join(parts)}){result}"
    if len(line) <= _WIDTH:
        return line
    inner = "".join(f"    {part},\n" for part in parts)
    return f"{name}(\n{inner}){result}"


def _quoted(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    text = repr(value)
    return "{}" if text == "<factory>" else text.replace("datetime.", "")


def _kind(annotation: Any) -> str:
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    if isinstance(annotation, str):
        return annotation
    return getattr(annotation, "__name__", str(annotation))

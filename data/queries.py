"""Named SQL out of ``sql/*.sql``: ``-- name: words`` starts a statement; ``:words`` are bound parameters."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

_NAME: Final = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


@cache
def _statements() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(files("data").joinpath("sql").iterdir(), key=lambda one: one.name):
        parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise KeyError(f"two statements are named {name}")
            found[name] = text.strip().rstrip(";")
    return found


def statement(name: str, parameters: Mapping[str, Any], *, style: str) -> tuple[str, dict[str, Any]]:
    """SQL text and parameters of a named statement.

    A tuple parameter becomes a list of bound values, for ``IN :kinds``. ``style`` is ``named`` (``:x``) or
    ``pyformat`` (``%(x)s``).
    """
    bound: dict[str, Any] = {}

    def place(match: re.Match[str]) -> str:
        key = match[1]
        value = parameters[key]
        if not isinstance(value, tuple):
            bound[key] = value
            return _mark(key, style)
        marks = []
        for i, one in enumerate(value):
            bound[f"{key}_{i}"] = one
            marks.append(_mark(f"{key}_{i}", style))
        return f"({', '.join(marks) or 'NULL'})"

    text = _statements()[name]
    return _PARAMETER.sub(place, text), bound


def _mark(key: str, style: str) -> str:
    return f"%({key})s" if style == "pyformat" else f":{key}"

"""Dated reference data that ships with Lapwing: words and standards that change while the code stays."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

from geo.yardstick import Term, Yardstick


@cache
def yardsticks() -> tuple[Yardstick, ...]:
    """Every scale of probability words, oldest first."""
    text = files("data").joinpath("reference", "yardstick.toml").read_text(encoding="utf-8")
    scales = [
        Yardstick(
            name=scale["name"],
            valid_from=scale["valid_from"],
            source=scale["source"],
            terms=tuple(Term(one["term"], one["phrase"], one["below"]) for one in scale["terms"]),
        )
        for scale in tomllib.loads(text)["scale"]
    ]
    return tuple(sorted(scales, key=lambda scale: scale.valid_from))


def yardstick(on: date) -> Yardstick:
    """Return the scale in force on a day; before the first, the first."""
    current = [scale for scale in yardsticks() if scale.valid_from <= on]
    return current[-1] if current else yardsticks()[0]

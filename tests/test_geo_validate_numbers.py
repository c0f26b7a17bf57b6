"""Numbers of text, whether a whole column is usual or not, are those of Python."""

import math
import re

import numpy as np
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from geo.problems import Problems, Reason
from geo.validate_positions import _numbers

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
USUAL = st.one_of(
    st.floats(-180, 180, allow_nan=False).map(lambda value: f"{value:.6f}"),
    st.floats(0, 1e17).map(lambda value: f"{value:.17f}"),
    st.text("0123456789.-", max_size=8),
    st.integers(0, 10**25).map(str),
)
ODD = st.one_of(
    st.text("0123456789.-+eE_ ", max_size=8),
    st.sampled_from(["nan", "inf", "\u0662", "\uff11.5", "1e999", "9" * 400, "x"]),
)


def _alone(text: str) -> tuple[float, bool]:
    """Value, and whether it is a problem."""
    if text == "":
        return math.nan, False
    value = float(text) if PLAIN.fullmatch(text) else math.nan
    return (value, False) if math.isfinite(value) else (math.nan, True)


@given(st.one_of(st.lists(USUAL), st.lists(st.one_of(USUAL, ODD))))
@example(["-0", "0.1", "5.", ".5", "-.5", ""])
@example(["9" * 400, "1"])
@example(["-", "1"])
@example(["1-2", "1.2.3", "."])
def test_numbers_are_those_of_python(texts: list[str]) -> None:
    problems = Problems(len(texts))
    found = _numbers(pd.Series(texts, dtype=object), "longitude", problems)
    wanted = [_alone(text) for text in texts]
    assert found.tobytes() == np.array([value for value, _ in wanted], np.float64).tobytes()
    assert problems.good.tolist() == [not wrong for _, wrong in wanted]
    for row, (field, reason, detail) in problems.found.items():
        too_large = PLAIN.fullmatch(texts[row]) is not None
        words = "longitude is too large a number" if too_large else "longitude is not a number"
        assert (field, reason, detail) == ("longitude", Reason.BAD_NUMBER, words)

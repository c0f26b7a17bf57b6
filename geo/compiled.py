"""How loops are compiled. It imports numba, which takes half a second: import it, and what stands on it, where it is used.

numba forgets what it kept of a file when that file changes, and only then: loops that call each other share a file.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

Given = ParamSpec("Given")
Result = TypeVar("Result")


def compiled(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Compile at the first call, and keep the result on disk where that can be written."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no folder for its cache
        return numba.njit(nogil=True)(function)

"""Ordnance Survey grid references: letters and digits to metres and the precision they state.

Source: Ordnance Survey, *A guide to coordinate systems in Great Britain*, section 7 (the 500 km and 100 km squares).
"""

import math
import re
from typing import Final

from geo.errors import LapwingError

_LETTERS: Final = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # without I
_PATTERN: Final = re.compile(r"^([HJNOST])([A-HJ-Z])((?:\d\d)*)$")


class BadGridReference(LapwingError, ValueError):
    """Text that is not an OS grid reference."""


def parse_grid_reference(text: str) -> tuple[float, float, float]:
    """Easting, northing of the centre of the stated square, and the radius in metres that contains it.

    Raises
    ------
    BadGridReference

    Examples
    --------
    >>> parse_grid_reference("SK 38123 45678")
    (438123.5, 345678.5, 0.8)
    """
    compact = re.sub(r"\s+", "", text.upper())
    match = _PATTERN.match(compact)
    if not match or len(match[3]) > 10:
        raise BadGridReference(f"{text[:30]!r} is not an OS grid reference such as SK 38123 45678")
    major, minor, digits = _LETTERS.index(match[1]), _LETTERS.index(match[2]), match[3]
    square_e = ((major - 2) % 5) * 5 + minor % 5
    square_n = 19 - (major // 5) * 5 - minor // 5
    half = len(digits) // 2
    size_m = 10 ** (5 - half)
    easting = square_e * 100_000 + (int(digits[:half]) * size_m if half else 0) + size_m / 2
    northing = square_n * 100_000 + (int(digits[half:]) * size_m if half else 0) + size_m / 2
    return easting, northing, math.ceil(size_m / 2**0.5 * 10) / 10


def format_grid_reference(x_m: float, y_m: float) -> str:
    """Six-figure grid reference (100 m square) of a position on the British National Grid.

    Examples
    --------
    >>> format_grid_reference(438123, 345678)
    'SK 381 456'
    """
    square_e, square_n = int(x_m // 100_000), int(y_m // 100_000)
    major = (19 - square_n) - (19 - square_n) % 5 + (square_e + 10) // 5
    minor = (19 - square_n) * 5 % 25 + square_e % 5
    easting, northing = int(x_m % 100_000 // 100), int(y_m % 100_000 // 100)
    return f"{_LETTERS[major]}{_LETTERS[minor]} {easting:03d} {northing:03d}"

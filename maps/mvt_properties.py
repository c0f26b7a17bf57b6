"""Properties of features as a vector tile has them: every distinct value once, and numbers that point at it."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from maps.ragged import Offsets, offsets_of, take_rows
from maps.varints import Bytes, message, varint

Value = str | int | float | bool | None

ABSENT: Final = -1
# Tags of the layer's values and of what a value may be (MVT 2.1, section 4.4).
_VALUE, _TEXT, _DOUBLE, _UNSIGNED, _SIGNED, _BOOLEAN = 0x22, 0x0A, 0x19, 0x28, 0x30, 0x38


@dataclass(frozen=True, eq=False)
class Properties:
    """Keys, a number of a value for each feature and key (-1: none), and the values as written in a layer."""

    keys: tuple[str, ...]
    codes: NDArray[np.int32]
    values: Bytes
    offsets: Offsets

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[Value]], count: int) -> Self:
        """Code the columns of so many features; None and NaN are no value.

        Raises
        ------
        InvalidParameter
            When a column has another length, or a value has no place in a vector tile.
        """
        codes = np.empty((count, len(columns)), np.int32)
        known: dict[tuple[type, Value], int] = {}
        for i, (key, column) in enumerate(columns.items()):
            if len(column) != count:
                raise InvalidParameter(f"Property {key!r} has {len(column)} values for {count} features.")
            codes[:, i] = [_code(_plain(value, key), known) for value in column]
        written = [message(_VALUE, _written(value)) for _, value in known]
        lengths = np.fromiter((len(one) for one in written), np.int64, len(written))
        return cls(tuple(columns), codes, np.frombuffer(b"".join(written), np.uint8), offsets_of(lengths))

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.codes)

    def take(self, rows: Offsets) -> "Properties":
        """Return the properties of some features, with all values still there."""
        return Properties(self.keys, self.codes[rows], self.values, self.offsets)

    def used(self) -> "Properties":
        """Leave out the values that no feature has."""
        count = len(self.offsets) - 1
        seen = np.zeros(count + 1, bool)
        seen[self.codes] = True  # -1 marks the one after the last
        kept = np.flatnonzero(seen[:count])
        number = np.full(count + 1, ABSENT, np.int32)
        number[kept] = np.arange(len(kept), dtype=np.int32)
        at, offsets = take_rows(self.offsets, kept)
        return Properties(self.keys, number[self.codes], self.values[at], offsets)


def _code(value: Value, known: dict[tuple[type, Value], int]) -> int:
    """Number of a value; 1, 1.0 and True are three."""
    return ABSENT if value is None else known.setdefault((type(value), value), len(known))


def _plain(value: Value, key: str) -> Value:
    """Return the value as Python's own type."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, float):
        return None if value != value else value
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 64:
        return value
    raise InvalidParameter(f"Property {key!r} has {value!r}, which is neither text, a 64-bit number nor yes or no.")


def _written(value: Value) -> bytes:
    if isinstance(value, str):
        return message(_TEXT, value.encode())
    if isinstance(value, bool):
        return varint(_BOOLEAN) + varint(value)
    if isinstance(value, float):
        return varint(_DOUBLE) + struct.pack("<d", value)
    if value is not None and value < 0:
        return varint(_SIGNED) + varint(-2 * value - 1)
    return varint(_UNSIGNED) + varint(value or 0)

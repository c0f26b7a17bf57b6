"""Protobuf varints of whole arrays: seven bits a byte, the lowest first, the top bit set on all but the last."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.unsignedinteger[Any]]
Bytes = NDArray[np.uint8]

MORE: Final = np.uint8(0x80)
MOST_BYTES: Final = 10


def zigzag(values: NDArray[np.int32]) -> NDArray[np.uint32]:
    """Signed numbers as unsigned ones, small for small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((values << 1) ^ (values >> 31)).view(np.uint32)


def varint_sizes(values: Numbers) -> Bytes:
    """How many bytes each number takes."""
    sizes = np.ones(len(values), np.uint8)
    most = int(values.max(initial=0))
    for i in range(1, MOST_BYTES):
        if most >> (7 * i) == 0:
            break
        sizes += values >= values.dtype.type(1 << (7 * i))
    return sizes


def write_varints(values: Numbers, sizes: Bytes) -> Bytes:
    """Bytes of the numbers one after the other; `sizes` are those of `varint_sizes`."""
    ends = np.cumsum(sizes, dtype=np.int64)
    written = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    at = ends - sizes
    while len(at):
        longer = np.flatnonzero(sizes > 1)
        low = values.astype(np.uint8) & ~MORE  # the cast keeps the lowest byte
        low[longer] |= MORE
        written[at] = low
        values, at, sizes = values[longer] >> values.dtype.type(7), at[longer] + 1, sizes[longer] - 1
    return written


def varint(value: int) -> bytes:
    """Bytes of one number that is not negative."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def message(tag: int, content: bytes) -> bytes:
    """A field with a length: text, packed numbers or a message inside another."""
    return varint(tag) + varint(len(content)) + content

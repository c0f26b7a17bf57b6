"""UUID version 7 text: time-ordered ids for events (RFC 9562, section 5.7)."""

import os
from typing import Final

import numpy as np

_HEX_PAIRS: Final = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint8).reshape(256, 2)
_LENGTH: Final = 36
_HYPHENS: Final = (8, 13, 18, 23)


def uuid7s(count: int, now_us: int) -> list[str]:
    """Return ``count`` ids that sort by the time they were made."""
    random = np.frombuffer(os.urandom(10 * count), np.uint8).reshape(count, 10)
    raw = np.empty((count, 16), np.uint8)
    raw[:, :6] = np.frombuffer((now_us // 1000).to_bytes(6, "big"), np.uint8)
    raw[:, 6:] = random
    raw[:, 6] = 0x70 | (raw[:, 6] & 0x0F)  # version 7
    raw[:, 8] = 0x80 | (raw[:, 8] & 0x3F)  # the variant of RFC 9562
    letters = np.full((count, _LENGTH), ord("-"), np.uint8)
    letters[:, np.setdiff1d(np.arange(_LENGTH), _HYPHENS)] = _HEX_PAIRS[raw].reshape(count, 32)
    text = letters.tobytes().decode("ascii")
    return [text[begin : begin + _LENGTH] for begin in range(0, len(text), _LENGTH)]


def uuid7(now_us: int) -> str:
    """Return one id."""
    return uuid7s(1, now_us)[0]

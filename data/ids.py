"""UUID version 7 text: time-ordered ids for events (RFC 9562, section 5.7)."""

import os
import uuid


def uuid7s(count: int, now_us: int) -> list[str]:
    """Return ``count`` ids that sort by the time they were made."""
    millis = now_us // 1000
    random = os.urandom(10 * count)
    ids = []
    for i in range(count):
        value = int.from_bytes(random[10 * i : 10 * i + 10], "big")
        rand_a, rand_b = value >> 68, value & ((1 << 62) - 1)
        ids.append(str(uuid.UUID(int=(millis << 80) | (7 << 76) | (rand_a << 64) | (2 << 62) | rand_b)))
    return ids


def uuid7(now_us: int) -> str:
    """Return one id."""
    return uuid7s(1, now_us)[0]

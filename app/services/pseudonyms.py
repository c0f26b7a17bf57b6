"""Keyed hashes: what stands in the store for a registration, a postcode, a partner's key or a purged record.

The keys lie outside the store. A new key is added without knowing what was hashed: each hash is hashed once more.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

_HEX_DIGITS: Final = 32


@dataclass(frozen=True)
class Keyring:
    """The keys of one installation, oldest first. What is pseudonymised is hashed with each of them in turn."""

    keys: tuple[bytes, ...] = field(repr=False)

    def vehicles(self, marks: pd.Series) -> pd.Series:
        """First-generation hash of each registration: what record keys are made of. Empty stays empty."""
        distinct = {text: self._hash(0, text.encode()) if text else "" for text in marks.unique()}
        return marks.map(distinct)

    def grown(self, hashes: pd.Series) -> pd.Series:
        """First-generation hashes under all the keys: what is stored."""
        distinct = {text: self.regrown(text, since=1) for text in hashes.unique()}
        return hashes.map(distinct)

    def regrown(self, text: str, *, since: int) -> str:
        """Return a stored hash under the keys that were added after the first ``since`` ones."""
        for generation in range(since, len(self.keys) if text else 0):
            text = self._hash(generation, text.encode())
        return text

    def word(self, what: str, text: str) -> str:
        """Hash of a postcode or UPRN, by which it can be compared and not read."""
        return self._hash(0, f"{what}:{text}".encode())

    def raw(self, what: str, content: bytes) -> bytes:
        """Hash of bytes: a partner's key, a tombstone, the key of a record at a protected place."""
        return hmac.new(self.keys[0], what.encode() + b":" + content, "sha256").digest()

    def _hash(self, generation: int, content: bytes) -> str:
        return hmac.new(self.keys[generation], content, "sha256").hexdigest()[:_HEX_DIGITS]

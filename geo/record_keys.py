"""What makes two rows the same record."""

import hashlib
from typing import Final

import pandas as pd

from geo.model import OPTIONAL_TEXTS

KEY_FIELDS: Final = (
    "kind", "source", "agency", "urn", "category", "from_us", "to_us", "time_basis", "lon", "lat", "precision_m", "vehicle_hash",
)  # fmt: skip
# Part of a key only where a row has them: a row without has the key that it had before Lapwing knew these fields.
EXTRA_FIELDS: Final = (*OPTIONAL_TEXTS, "reported_us")


class RecordKeys:
    """Keys of the rows of one file, handed in piece by piece and in order.

    A key is the SHA-256 of the row's source, its normalised content and its ordinal among equal rows of its file.
    Whole-row repeats inside one file are separate events and get ordinals 0, 1, 2...; the same file again, or another
    file that overlaps it, gives the same keys, so stored counts are the maximum over files and never their sum.

    Parameters
    ----------
    ordinals : bool
        False where rows have a key of their own and a repeat says nothing new.

    Examples
    --------
    >>> RecordKeys().of(pd.DataFrame(columns=[*KEY_FIELDS, *EXTRA_FIELDS]))
    []
    """

    def __init__(self, *, ordinals: bool = True) -> None:
        self._seen: dict[bytes, int] = {}
        self._ordinals = ordinals

    def of(self, records: pd.DataFrame, hints: pd.DataFrame | None = None) -> list[bytes]:
        """Key of each record.

        Parameters
        ----------
        records : DataFrame
            With ``KEY_FIELDS`` and ``EXTRA_FIELDS``.
        hints : DataFrame of str, optional
            What the rows say of their place in words, on the index of ``records``: it tells unlocated rows apart.
        """
        columns = [records[name].tolist() for name in KEY_FIELDS]
        extras = [(name, records[name]) for name in EXTRA_FIELDS]
        if hints is not None:
            extras += [(str(name), hints[name].reindex(records.index)) for name in hints.columns]
        told = [(name, values.tolist()) for name, values in extras if values.notna().any() and (values != "").any()]
        keys = []
        for i, row in enumerate(zip(*columns, strict=True)):
            text = "\x1f".join(map(str, row))
            for name, values in told:
                if values[i] is not None and values[i] == values[i] and values[i] != "":
                    text += f"\x1f{name}={values[i]}"
            content = hashlib.sha256(text.encode()).digest()
            ordinal = 0
            if self._ordinals:
                ordinal = self._seen[content] = self._seen.get(content, -1) + 1
            keys.append(hashlib.sha256(f"{text}\x1f{ordinal}".encode()).digest())
        return keys


def record_keys(records: pd.DataFrame) -> list[bytes]:
    """Key of each record of a whole file."""
    return RecordKeys().of(records)

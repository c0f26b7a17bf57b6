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
        self._seen: set[bytes] = set()
        self._repeats: dict[bytes, int] = {}
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
        texts = _contents(records, hints)
        first = [_key(text, 0) for text in texts]
        if not self._ordinals:
            return first
        fresh = set(first)
        if len(fresh) == len(first) and self._seen.isdisjoint(fresh):  # no row says what another has said
            self._seen |= fresh
            return first
        return [self._next(key, text) for key, text in zip(first, texts, strict=True)]

    def _next(self, first: bytes, text: str) -> bytes:
        """Key of one more row whose content has ``first`` as its first key."""
        if first not in self._seen:
            self._seen.add(first)
            return first
        ordinal = self._repeats[first] = self._repeats.get(first, 0) + 1
        return _key(text, ordinal)


def _key(text: str, ordinal: int) -> bytes:
    return hashlib.sha256(f"{text}\x1f{ordinal}".encode()).digest()


def _contents(records: pd.DataFrame, hints: pd.DataFrame | None) -> list[str]:
    """What each row says, in one text."""
    columns = [_texts(records[name]) for name in KEY_FIELDS]
    texts = ["\x1f".join(row) for row in zip(*columns, strict=True)]
    extras = [(name, records[name]) for name in EXTRA_FIELDS]
    if hints is not None:
        extras += [(str(name), hints[name].reindex(records.index)) for name in hints.columns]
    for name, values in extras:
        if values.notna().any() and (values != "").any():
            texts = [
                text if value is None or value != value or value == "" else f"{text}\x1f{name}={value}"
                for text, value in zip(texts, values.tolist(), strict=True)
            ]
    return texts


def _texts(values: pd.Series) -> list[str]:
    plain = values.to_numpy(object).tolist() if values.dtype.kind == "O" else values.tolist()
    return plain if pd.api.types.infer_dtype(plain, skipna=False) == "string" else list(map(str, plain))


def record_keys(records: pd.DataFrame) -> list[bytes]:
    """Key of each record of a whole file."""
    return RecordKeys().of(records)

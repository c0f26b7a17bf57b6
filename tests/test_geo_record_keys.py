"""Keys of rows handed in piece by piece are those of hashing each row by itself."""

import hashlib

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geo.model import TimeBasis
from geo.record_keys import EXTRA_FIELDS, KEY_FIELDS, RecordKeys

WORDS = st.sampled_from(["", "x", "é", "a b", "1"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "agency": WORDS, "urn": WORDS, "category": WORDS, "from_us": st.integers(0, 2), "to_us": st.integers(3, 4),
            "time_basis": st.sampled_from([TimeBasis.DATE, TimeBasis.MONTH, "interval"]), "notes": WORDS, "detail": WORDS,
            "lon": st.sampled_from([-2.36, 0.1, np.nan, -0.0]), "precision_m": st.sampled_from([10.0, np.nan]),
            "reported_us": st.sampled_from([None, 5, 6]),
        }
    ),
    max_size=25,
)  # fmt: skip


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    given_names = rows[0].keys() if rows else set()
    records = pd.DataFrame(
        {"kind": "incidents", "source": "s", "lat": 51.5, "vehicle_hash": ""}, index=range(len(rows))
    )
    for name in (*KEY_FIELDS, *EXTRA_FIELDS):
        if name in given_names:
            values = [row[name] for row in rows]
            records[name] = values if isinstance(values[0], float | int) else pd.Series(values, dtype=object)
        elif name not in records:
            records[name] = pd.Series([""] * len(rows), dtype=object)
    return records


def _by_hand(records: pd.DataFrame, seen: dict[str, int], *, ordinals: bool) -> list[bytes]:
    keys = []
    for _, row in records.astype(object).iterrows():
        text = "\x1f".join(str(row[name]) for name in KEY_FIELDS)
        said = [(name, row[name]) for name in EXTRA_FIELDS if row[name] is not None and row[name] not in ("", np.nan)]
        text += "".join(f"\x1f{name}={value}" for name, value in said if value == value)
        ordinal = seen[text] = seen.get(text, -1) + 1
        keys.append(hashlib.sha256(f"{text}\x1f{ordinal if ordinals else 0}".encode()).digest())
    return keys


@given(st.lists(ROWS, max_size=4), st.booleans())
def test_keys_are_those_of_each_row_by_itself(pieces: list[list[dict[str, object]]], ordinals: bool) -> None:
    maker, seen = RecordKeys(ordinals=ordinals), {}  # type: ignore[var-annotated]
    for piece in map(_frame, pieces):
        piece["reported_us"] = piece["reported_us"].astype(object).where(piece["reported_us"].notna(), None)
        assert maker.of(piece) == _by_hand(piece, seen, ordinals=ordinals)


def test_known_keys_stay_as_they_are() -> None:
    """A key that changed would bring every stored record in once more."""
    records = _frame([{"urn": "R1", "from_us": 1, "to_us": 2, "time_basis": TimeBasis.INSTANT, "lon": -2.36}] * 2)
    records = records.assign(agency="", category="x", precision_m=10.0)
    text = "incidents|s||R1|x|1|2|instant|-2.36|51.5|10.0|".replace("|", "\x1f")
    wanted = [hashlib.sha256(f"{text}\x1f{ordinal}".encode()).digest() for ordinal in range(4)]
    maker = RecordKeys()
    assert maker.of(records) + maker.of(records) == wanted
    hints = pd.DataFrame({"road": ["High Street", ""]})
    with_hint = hashlib.sha256(f"{text}\x1froad=High Street\x1f0".encode()).digest()
    assert RecordKeys().of(records, hints) == [with_hint, wanted[0]]

"""Records as they are read in bulk: texts that few rows differ in come as one, and order is made here and not by the database."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Between texts that are read as one. Where a text holds it, texts are read one by one.
MARK: Final = "\x1f"
_TEXTS: Final = (
    "kind", "source", "agency", "category", "time_basis", "location_basis", "method", "source_type", "grade_source",
    "grade_information",
)  # fmt: skip
_COLUMNS: Final = (
    "record_key", "kind", "source", "agency", "urn", "category", "from_us", "to_us", "time_basis", "lon", "lat", "x_m", "y_m",
    "location_basis", "precision_m", "method", "vehicle_hash", "source_type", "grade_source", "grade_information", "reported_us",
)  # fmt: skip
_KEY_BYTES: Final = 32


def unpacked(frame: pd.DataFrame) -> pd.DataFrame | None:
    """Columns of records whose ``texts`` were read as one; None where a text holds the mark itself."""
    codes, distinct = pd.factorize(frame["texts"])
    told = [text.split(MARK) for text in distinct]
    if any(len(parts) != len(_TEXTS) for parts in told):
        return None
    columns = {name: pd.array([parts[i] for parts in told], dtype="str").take(codes) for i, name in enumerate(_TEXTS)}
    return pd.DataFrame(dict(frame.items()) | columns, columns=list(_COLUMNS))


def in_key_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order of ``record_key``, byte by byte, numbered anew; the keys are bytes from then on."""
    frame = frame.assign(record_key=frame["record_key"].map(bytes))
    order = _order_of(frame["record_key"].tolist())
    return frame if order is None else frame.take(order).reset_index(drop=True)


def _order_of(keys: list[bytes]) -> NDArray[np.int64] | None:
    """Order of distinct keys; None where they are in order already."""
    if set(map(len, keys)) != {_KEY_BYTES}:
        order = np.asarray(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
        return None if (np.diff(order) == 1).all() else order
    words = np.frombuffer(b"".join(keys), ">u8").reshape(len(keys), -1).astype(np.uint64)
    first = words[:, 0]
    if (first[1:] > first[:-1]).all():
        return None
    order = np.argsort(first, kind="stable")
    if (first[order[1:]] == first[order[:-1]]).any():
        return np.lexsort(words.T[::-1])
    return order

"""How complete and how precise a batch of records is."""

from typing import Any

import pandas as pd

from geo.model import LocationBasis


def describe(records: pd.DataFrame) -> dict[str, Any]:
    """Completeness and precision of record frames as plain values.

    Returns
    -------
    dict
        ``records``, ``unlocated``, ``distinct_points``, ``on_shared_points`` (located records that share their exact
        position with another), ``snapped`` and counts by ``time_basis``, ``kind`` and ``precision_m`` class.
    """
    located = records[records["location_basis"] != LocationBasis.NONE]
    stack = located.groupby(["x_m", "y_m"], sort=False).size() if len(located) else pd.Series(dtype="int64")
    classes = pd.cut(
        located["precision_m"],
        [0, 10, 50, 150, 1000, float("inf")],
        labels=["<=10", "<=50", "<=150", "<=1000", ">1000"],
    )
    return {
        "records": len(records),
        "unlocated": int(len(records) - len(located)),
        "distinct_points": len(stack),
        "on_shared_points": int(stack[stack > 1].sum()),
        "snapped": int((records["location_basis"] == LocationBasis.SNAPPED).sum()),
        "time_basis": _counts(records["time_basis"]),
        "kinds": _counts(records["kind"]),
        "precision_m": {str(label): int(n) for label, n in classes.value_counts(sort=False).items()},
    }


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(value): int(n) for value, n in values.value_counts(sort=False).sort_index().items()}

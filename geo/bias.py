"""What the map owes to where we looked: the share of input that our own patrols and outreach found, and three states.

A feedback loop needs no model: who patrols where records are, finds more records there. So every analysis says how much
of its input is such, how the order would be without it, and which cells nobody looked at.
"""

from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.model import RecordKind

FOUND_BY_US: Final = ("discovered", "outreach")


class CellState(StrEnum):
    """What a map may say of a cell. ``not_looked`` is not ``quiet``."""

    HOT = "hot"
    LOOKED_QUIET = "looked_quiet"
    NOT_LOOKED = "not_looked"


def found_by_us(records: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each record comes from our own looking: discovered by patrols, or found by outreach.

    An observation without a source type is outreach's, an incident without one was reported.
    """
    kind = records["source_type"].fillna("")
    observed = (records["kind"] == RecordKind.OBSERVATIONS) & (kind == "")
    return (kind.isin(FOUND_BY_US) | observed).to_numpy(bool)


def cell_states(hot: NDArray[np.bool_], looked: NDArray[np.bool_]) -> NDArray[np.object_]:
    """State of every cell from whether it is hot and whether outreach worked there, shape (n,)."""
    quiet = np.where(looked, str(CellState.LOOKED_QUIET), str(CellState.NOT_LOOKED))
    return np.where(hot, str(CellState.HOT), quiet).astype(object)


def rank_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank of each value, the largest first; equal values share the better rank.

    Examples
    --------
    >>> rank_of(np.array([3.0, 5.0, 3.0])).tolist()
    [2, 1, 2]
    """
    ordered = np.sort(values)
    return (len(values) - np.searchsorted(ordered, values, side="right") + 1).astype(np.int64)

"""What a record weighs in the order of places: its grade, and the harm that the user gives its category.

Tests and rates never use these weights: they count records.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Proposals, to be agreed by the partnership: what is suspected to be false weighs nothing, what comes from an unreliable
# source or is not known to be true weighs half. Ungraded records are ordinary ones, and so are those of the legacy
# 5x5x5, whose letters and figures stand the other way round.
SOURCE_WEIGHT: Final[Mapping[str, float]] = {"3": 0.5}
INFORMATION_WEIGHT: Final[Mapping[str, float]] = {"D": 0.5, "E": 0.0}


def record_weights(records: pd.DataFrame, harm: Mapping[str, float]) -> NDArray[np.float64]:
    """Weight of each record: harm of its category times the weight of its 3x5x2 grade, shape (n,).

    Examples
    --------
    >>> rows = pd.DataFrame(
    ...     {
    ...         "category": ["a", "b"],
    ...         "grade_source": ["3", ""],
    ...         "grade_information": ["A", ""],
    ...     }
    ... )
    >>> record_weights(rows, {"b": 4}).tolist()
    [0.5, 4.0]
    """
    of_source = records["grade_source"].map(SOURCE_WEIGHT).fillna(1.0).to_numpy(float)
    of_information = records["grade_information"].map(INFORMATION_WEIGHT).fillna(1.0).to_numpy(float)
    of_category = records["category"].map(dict(harm)).fillna(1.0).to_numpy(float)
    return of_category * of_source * of_information

"""Classes and colours of a count on a map, the same in the browser and in QGIS."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Pale teal to deep purple: no red, which would call an area dangerous; told apart by colour-blind eyes.
RAMP: Final = ("#cfe3e4", "#9fcbcb", "#5fa3ad", "#4c6f9b", "#4b286d")


def class_breaks(records: NDArray[np.int64]) -> list[int]:
    """Six rising limits from 1 to the largest count: equal steps of the logarithm, whole numbers.

    The first class runs from the first limit to the second, each later one from just above its lower limit.

    Examples
    --------
    >>> class_breaks(np.array([0, 1, 100]))
    [1, 3, 6, 16, 40, 100]
    """
    top = max(int(records.max(initial=0)), len(RAMP) + 1)
    breaks = [1]
    for step in np.geomspace(1, top, len(RAMP) + 1)[1:]:
        breaks.append(max(round(float(step)), breaks[-1] + 1))
    return breaks

"""Where a spot is, as coarsely as everybody may know it."""

import numpy as np
from numpy.typing import NDArray

from data.store import Store
from geo.crs import BRITISH_NATIONAL_GRID
from geo.gridref import format_grid_reference


def spots_words(store: Store, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[str]:
    """Say where spots are: grid references to 100 m in a British store, else degrees to about as much."""
    on_grid = store.crs.epsg == BRITISH_NATIONAL_GRID
    x_m, y_m = store.crs.project(np.asarray(lon, float), np.asarray(lat, float))
    return [
        format_grid_reference(float(x), float(y)) if on_grid and np.isfinite(x) else f"{north:.3f}, {east:.3f}"
        for x, y, east, north in zip(x_m, y_m, lon, lat, strict=True)
    ]


def spot_words(store: Store, lon: float, lat: float) -> str:
    """Say where one spot is."""
    return spots_words(store, np.asarray([lon]), np.asarray([lat]))[0]

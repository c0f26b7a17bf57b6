"""Web Mercator as the square that tiles divide: x from 0 at 180 degrees west to 1, y from 0 in the north to 1."""

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Where the square ends (EPSG:3857): the poles themselves would be infinitely far away.
MAX_LAT: Final = 85.0511287798066


def world_from_degrees(lonlat: Floats) -> Floats:
    """Longitudes and latitudes, shape (n, 2), as positions in the square; beyond its edge is on its edge."""
    lat = np.radians(np.clip(lonlat[:, 1], -MAX_LAT, MAX_LAT))
    return np.column_stack([lonlat[:, 0] / 360 + 0.5, 0.5 - np.arcsinh(np.tan(lat)) / (2 * np.pi)])


def degrees_from_world(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a position in the square."""
    return 360 * (x - 0.5), float(np.degrees(np.arctan(np.sinh((0.5 - y) * 2 * np.pi))))


def split_at_antimeridian(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """Cut in two what runs across 180 degrees, such as a cell there; everything else stays as it is.

    A step of more than 180 degrees from one vertex to the next is taken to go the short way round; what would then
    have no area or length, such as a box round the whole world, is left alone.
    """
    west, _, east, _ = shapely.bounds(geometry).T
    wide = np.flatnonzero(east - west > 180)
    if not len(wide):
        return geometry
    unrolled = shapely.transform(geometry[wide], lambda lonlat: lonlat + np.where(lonlat[:, :1] < 0, (360, 0), (0, 0)))
    crosses = np.ptp(shapely.bounds(unrolled)[:, [0, 2]], axis=1) < 180
    crosses &= np.where(shapely.get_dimensions(unrolled) == 2, shapely.area(unrolled), shapely.length(unrolled)) > 0
    if not crosses.any():
        return geometry
    unrolled = unrolled[crosses]
    here = shapely.clip_by_rect(unrolled, -180, -90, 180, 90)
    there = shapely.transform(shapely.clip_by_rect(unrolled, 180, -90, 540, 90), lambda lonlat: lonlat - (360, 0))
    split = geometry.copy()
    split[wide[crosses]] = [shapely.union_all(list(halves)) for halves in zip(here, there, strict=True)]
    return split

"""Which cells an outline takes in that a person drew: whole ones, by their middle."""

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import cells as h3cells

# Level of areas that people drew on a map: wards and beats they are not.
DRAWN_LEVEL: Final = "drawn"
# Middles are found this many resolutions coarser first: most cells of a study area lie far from an outline.
_COARSER: Final = 3


def middles_within(cells: h3cells.Cells, outline: shapely.Geometry) -> NDArray[np.bool_]:
    """Whether the middle of each cell lies inside an outline.

    Parameters
    ----------
    cells : ndarray of int64, shape (n,)
        Cells of one resolution.
    outline : shapely geometry
        Polygon or MultiPolygon in WGS 84.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    A cell counts whole or not at all, so that two outlines can differ by whole cells only and never part the records of
    one. Cells are first looked for by coarse parents whose middles lie no further from the outline's box than two
    spacings of such parents: a child lies within one spacing of its parent's middle.

    Examples
    --------
    >>> cells = h3cells.index_points(np.array([-2.36, -2.40]), np.array([51.38, 51.38]), 9)
    >>> middles_within(cells, shapely.box(-2.37, 51.37, -2.35, 51.39)).tolist()
    [True, False]
    """
    inside = np.zeros(len(cells), bool)
    if not len(cells) or outline.is_empty:
        return inside
    near = np.flatnonzero(_near(cells, outline.bounds))
    shapely.prepare(outline)
    inside[near] = shapely.contains_xy(outline, *h3cells.centres(cells[near]))
    return inside


def _near(cells: h3cells.Cells, bounds: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Whether each cell lies so near a box in degrees that its middle may be inside."""
    coarse = max(0, int(h3cells.resolutions(cells[:1])[0]) - _COARSER)
    parents, number = np.unique(h3cells.parents(cells, coarse), return_inverse=True)
    lon, lat = h3cells.centres(parents)
    west, south, east, north = bounds
    margin_lat = 2 * h3cells.spacing_m(coarse) / h3cells.METRES_PER_DEGREE
    margin_lon = margin_lat / max(0.01, float(np.cos(np.radians(max(abs(south), abs(north)) + margin_lat))))
    near = (lat > south - margin_lat) & (lat < north + margin_lat)
    near &= (lon > west - margin_lon) & (lon < east + margin_lon)
    found: NDArray[np.bool_] = near[number]
    return found

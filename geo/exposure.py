"""What a count is compared with: how much of the exposure each cell of the study area has.

A rate needs a denominator, and which one is a question about the world: ground, people, all crime, or hours of looking.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import cells as h3cells
from geo.neighbourhoods import Neighbourhoods

Floats = NDArray[np.float64]

# A layer of points leaves cells with nothing where a record may still fall. Every window of two rings, which has nineteen
# cells, gets one point more than it has: a sparse layer tells little of its gaps.
EVEN_WEIGHT: Final = 1 / 19


class ExposureKind(StrEnum):
    """What the analysis compares with, as the command line and the stored parameters say it."""

    UNIFORM = "uniform"
    AREA = "area"
    LAYER = "layer"
    EFFORT = "effort"


@dataclass(frozen=True)
class Exposure:
    """A source of exposure that can be laid over any set of cells.

    Parameters
    ----------
    kind : ExposureKind
    boundary : geometry, optional
        WGS 84; for ``area``, cells count by the part of them that lies inside.
    lon, lat, weight : ndarray of float, shape (m,), optional
        Points of the layer, or sessions of outreach with their hours.
    """

    kind: ExposureKind
    boundary: shapely.Geometry | None = None
    lon: Floats | None = None
    lat: Floats | None = None
    weight: Floats | None = None

    def shares(self, cells: h3cells.Cells, *, shift_degrees: float = 0.0) -> Floats:
        """Share of the exposure in each study cell.

        Parameters
        ----------
        cells : ndarray of int64, shape (n,)
            Distinct, sorted, of one resolution.
        shift_degrees : float
            Displacement eastwards that records were given before indexing; the exposure moves with them.

        Returns
        -------
        ndarray of float, shape (n,)
            Sums to one, or all zero where no exposure lies in the area.

        Notes
        -----
        Hours of outreach count in the cell of the session's position. A layer of points has the weight of one more point
        spread over every window of two rings.

        Examples
        --------
        >>> study = h3cells.disks([h3cells.cell_number("89195c2a5b7ffff")], 1)
        >>> Exposure(ExposureKind.UNIFORM).shares(study).round(3).tolist()[:2]
        [0.143, 0.143]
        """
        if not len(cells):
            return np.zeros(0)
        if self.kind is ExposureKind.AREA and self.boundary is not None:
            weights = _inside(cells, self.boundary, shift_degrees)
        elif self.kind in {ExposureKind.LAYER, ExposureKind.EFFORT}:
            weights = self._counted(cells, shift_degrees)
        else:
            weights = np.ones(len(cells))
        total = weights.sum()
        return weights / total if total > 0 else weights

    def _counted(self, cells: h3cells.Cells, shift_degrees: float) -> Floats:
        lon, lat, weight = self.lon, self.lat, self.weight
        if lon is None or lat is None or weight is None or not len(lon):
            return np.zeros(len(cells))
        resolution = int(h3cells.resolutions(cells[:1])[0])
        where = h3cells.index_points(lon + shift_degrees, lat, resolution)
        counted = _sum_into(cells, where, weight)
        if self.kind is ExposureKind.EFFORT or not counted.any():
            return counted
        return counted + EVEN_WEIGHT * counted.sum() / np.isin(where, cells).sum()


def without_rim(share: Floats, around: Neighbourhoods) -> Floats:
    """Take the exposure from the rim of a study area that was drawn round what was observed, two rings wide.

    The rim is empty because it was drawn where records end. With exposure in it, everything inside would look hot.

    Examples
    --------
    >>> study = h3cells.disks([h3cells.cell_number("89195c2a5b7ffff")], 2)
    >>> without_rim(np.full(19, 1 / 19), Neighbourhoods.of(study)).max()
    np.float64(1.0)
    """
    disk = around.disk(2)
    inner = np.where(np.diff(disk.indptr) == np.diff(disk.indptr).max(initial=0), share, 0.0)
    total = inner.sum()
    return inner / total if total > 0 else inner


def _inside(cells: h3cells.Cells, boundary: shapely.Geometry, shift_degrees: float) -> Floats:
    """Square kilometres of each cell inside the boundary.

    Only the ratio of two areas of one small cell is taken in degrees, where both are stretched alike.
    """
    moved = shapely.transform(boundary, lambda at: at + np.asarray([shift_degrees, 0.0]))
    outlines = h3cells.boundaries(cells)
    shapely.prepare(moved)
    whole = shapely.contains_properly(moved, outlines)
    part = np.ones(len(cells))
    crossed = outlines[~whole]
    part[~whole] = shapely.area(shapely.intersection(crossed, moved)) / shapely.area(crossed)
    return part * h3cells.areas_km2(cells)


def _sum_into(cells: h3cells.Cells, where: h3cells.Cells, weight: Floats) -> Floats:
    """Sum of weights in each study cell; what lies outside the area is no exposure of it."""
    at = np.minimum(np.searchsorted(cells, where), len(cells) - 1)
    inside = cells[at] == where
    return np.bincount(at[inside], weight[inside], minlength=len(cells)).astype(float)

"""H3 cells as integers. The only module that imports h3, and the only one that says (lat, lng)."""

from collections.abc import Iterable, Sequence
from typing import Final

import h3.api.numpy_int as h3
import numpy as np
import shapely
from h3 import H3BaseException
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.errors import InvalidParameter

Cells = NDArray[np.int64]
Floats = NDArray[np.float64]

# Average cell areas vary by a third over the globe; callers ask for the area of real cells instead.
MAX_STUDY_CELLS: Final = 5_000_000
METRES_PER_DEGREE: Final = 111_320.0


def index_points(lon: Floats, lat: Floats, resolution: int) -> Cells:
    """H3 cell of each point.

    Parameters
    ----------
    lon, lat : ndarray of float, shape (n,)
        WGS 84 degrees, finite.
    resolution : int
        H3 resolution.

    Returns
    -------
    ndarray of int64, shape (n,)

    Examples
    --------
    >>> cell_text(index_points(np.array([-2.36]), np.array([51.38]), 9))[0][:4]
    '8919'
    """
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    if not lon.size:
        return np.empty(0, np.int64)
    distinct, inverse = np.unique(np.column_stack([lon, lat]).view("c16").ravel(), return_inverse=True)
    cells = [
        h3.latlng_to_cell(y, x, resolution) for x, y in zip(distinct.real.tolist(), distinct.imag.tolist(), strict=True)
    ]
    return np.asarray(cells, np.uint64).astype(np.int64)[inverse]


def parents(cells: Cells, resolution: int) -> Cells:
    """Parent of each cell at a coarser (or the same) resolution; bit arithmetic on the H3 index.

    The index keeps its resolution in bits 52-55 and one digit of three bits a level; a parent has the coarser
    resolution and all finer digits set to 7 (https://h3geo.org/docs/core-library/h3Indexing).
    """
    value = np.asarray(cells).astype(np.uint64)
    if value.size and resolution > resolutions(cells).min():
        raise InvalidParameter(f"A cell has no parent at the finer resolution {resolution}.")
    fill = np.uint64((1 << (3 * (15 - resolution))) - 1)
    value = (value & ~np.uint64(0xF << 52)) | np.uint64(resolution << 52) | fill
    return value.astype(np.int64)


def cells_within(geometry: BaseGeometry, resolution: int) -> Cells:
    """Every cell that a WGS 84 polygon touches, sorted: no point inside the polygon is without a cell.

    Notes
    -----
    Cells whose centre lies inside, and those that the polygon's edge runs through. The edge is sampled at a quarter of
    a cell's side and its neighbours tested one by one: h3's own ``overlap`` mode misses some of them (4.5.0).
    """
    inside = np.asarray(list(h3.h3shape_to_cells(h3.geo_to_h3shape(geometry), resolution)), np.uint64).astype(np.int64)
    step_degrees = h3.average_hexagon_edge_length(resolution, unit="m") / METRES_PER_DEGREE / 4
    edge = shapely.get_coordinates(shapely.segmentize(geometry.boundary, step_degrees))
    near = np.setdiff1d(disks(np.unique(index_points(edge[:, 0], edge[:, 1], resolution)), 1), inside)
    shapely.prepare(geometry)
    return np.union1d(inside, near[shapely.intersects(geometry, boundaries(near))])


def estimated_cells(area_km2: float, resolution: int) -> float:
    """Rough number of cells in an area, to refuse an unreasonable request before making it."""
    return area_km2 / float(h3.average_hexagon_area(resolution, unit="km^2"))


def spacing_m(resolution: int) -> float:
    """Average distance between the centres of neighbouring cells: the root of 3 times their edge."""
    return float(h3.average_hexagon_edge_length(resolution, unit="m")) * 3**0.5


def disks(cells: Iterable[int], k: int) -> Cells:
    """Union of the k-disks round the given cells, sorted."""
    frontier = np.unique(np.fromiter((int(c) for c in cells), np.int64))
    reached = frontier
    for _ in range(k):  # ring by ring: only new cells are expanded
        grown = [h3.grid_disk(int(c), 1) for c in frontier.astype(np.uint64)]
        ring = np.unique(np.concatenate(grown).astype(np.int64)) if grown else frontier
        frontier = np.setdiff1d(ring, reached, assume_unique=True)
        reached = np.union1d(reached, frontier)
    return reached


def lattice(cells: Cells) -> NDArray[np.int64] | None:
    """Whole-number coordinates of cells on one hexagonal lattice, shape (n, 2), or None where there is no such lattice.

    Notes
    -----
    H3's local IJ coordinates round the middle cell: two cells are ``max(|di|, |dj|, |di - dj|)`` steps apart. Cells
    across a pentagon or on far sides of the earth have no common lattice; the 12 pentagons lie in the sea.
    """
    if not len(cells):
        return np.empty((0, 2), np.int64)
    origin = int(np.uint64(cells[len(cells) // 2]))
    try:
        return np.asarray([h3.cell_to_local_ij(origin, c) for c in np.asarray(cells).astype(np.uint64).tolist()])
    except H3BaseException:
        return None


def ring_members(cells: Cells, k: int) -> tuple[NDArray[np.int64], Cells]:
    """(position, cell) of every cell exactly ``k`` steps from each of the given cells; one call a cell, exact anywhere."""
    rings = [np.asarray(h3.grid_ring(c, k), np.uint64) for c in np.asarray(cells).astype(np.uint64).tolist()]
    lengths = np.fromiter((len(ring) for ring in rings), np.int64, len(rings))
    members = np.concatenate(rings) if rings else np.empty(0, np.uint64)
    return np.repeat(np.arange(len(rings)), lengths), members.astype(np.int64)


def areas_km2(cells: Cells) -> Floats:
    """Area of each cell on the sphere, shape (n,)."""
    return np.asarray([h3.cell_area(c, "km^2") for c in np.asarray(cells).astype(np.uint64).tolist()], float)


def boundaries(cells: Cells) -> NDArray[np.object_]:
    """Polygon of each cell in WGS 84, counter-clockwise, shape (n,)."""
    if not len(cells):
        return np.empty(0, object)
    rings = [h3.cell_to_boundary(int(c)) for c in np.asarray(cells).astype(np.uint64)]
    lengths = np.fromiter((len(ring) for ring in rings), np.int64, len(rings))
    latlng = np.concatenate([np.asarray(ring) for ring in rings])
    linear = shapely.linearrings(latlng[:, ::-1], indices=np.repeat(np.arange(len(rings)), lengths))
    return shapely.orient_polygons(shapely.polygons(linear))


def union_geometry(cells: Sequence[int] | Cells) -> BaseGeometry:
    """Outline of a set of cells as one WGS 84 MultiPolygon: a footprint without any incident point as a vertex."""
    if not len(cells):
        return shapely.MultiPolygon()
    shape = shapely.geometry.shape(h3.cells_to_geo([int(np.uint64(np.int64(c))) for c in cells]))
    if isinstance(shape, shapely.Polygon):
        shape = shapely.MultiPolygon([shape])
    return shapely.orient_polygons(shapely.normalize(shape))


def centres(cells: Cells) -> tuple[Floats, Floats]:
    """Longitude and latitude of cell centres, each of shape (n,)."""
    if not len(cells):
        return np.empty(0), np.empty(0)
    latlng = np.asarray([h3.cell_to_latlng(int(c)) for c in np.asarray(cells).astype(np.uint64)])
    return latlng[:, 1], latlng[:, 0]


def cell_text(cells: Iterable[int]) -> list[str]:
    """H3 indexes as their usual hexadecimal text."""
    return [f"{int(c) & 0xFFFFFFFFFFFFFFFF:x}" for c in cells]


def cell_number(text: str) -> int:
    """Integer of a hexadecimal H3 index."""
    return int(text, 16)


def is_cell(cell: int) -> bool:
    """Whether a number is the index of a cell."""
    return bool(h3.is_valid_cell(cell))


def resolutions(cells: Cells) -> NDArray[np.int64]:
    """Resolution stored in each cell's index, shape (n,)."""
    return (np.asarray(cells, np.int64) >> 52) & 0xF

"""H3 cells as integers. The only module that calls h3, and the only one that says (lat, lng).

Many cells are asked by ``geo.cells_kernel``, which runs H3's own C functions over whole arrays; few, and whatever the
kernel hands back, by the calls of h3, which also say what is wrong. The answers are the same to the last bit.
"""

import sys
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, repeat
from types import ModuleType
from typing import Final

import h3.api.numpy_int as h3
import numpy as np
import shapely
from h3 import H3BaseException
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.distinct import distinct_points
from geo.errors import InvalidParameter

Cells = NDArray[np.int64]
Floats = NDArray[np.float64]

# Average cell areas vary by a third over the globe; callers ask for the area of real cells instead.
MAX_STUDY_CELLS: Final = 5_000_000
METRES_PER_DEGREE: Final = 111_320.0
# The kernel takes most of a second to load, or some milliseconds where numba is loaded already; a call of h3 some microseconds.
KERNEL_FROM: Final = 200_000
LOADED_KERNEL_FROM: Final = 5_000


@cache
def _kernel() -> ModuleType | None:
    """Return the compiled loops, or None where the h3 package does not export its C library or it cannot be opened."""
    try:
        from geo import cells_kernel
    except (ImportError, OSError):
        return None
    return cells_kernel


def compile_loops() -> None:
    """Compile what many cells are asked by, where it can be."""
    if kernel := _kernel():
        kernel.compile_all()


def _kernel_for(count: int) -> ModuleType | None:
    """Return the compiled loops if they pay for so many cells."""
    return _kernel() if count >= (LOADED_KERNEL_FROM if "numba" in sys.modules else KERNEL_FROM) else None


def _own(cells: Cells) -> Cells:
    """Copy cells: loops are compiled for arrays that can be written, and pandas gives others."""
    return np.array(cells, np.int64, order="C")


def _calls(cells: Cells) -> list[int]:
    """Return cells as h3 takes them."""
    return np.asarray(cells).astype(np.uint64).tolist()


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
    lon, lat = np.array(lon, float, order="C"), np.array(lat, float, order="C")
    if kernel := _kernel_for(len(lon)):
        cells, taken = kernel.index_points(lon, lat, int(resolution))
        if taken:
            return cells
    lon, lat, inverse = distinct_points(lon, lat)
    calls = map(h3.latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution))
    return np.fromiter(calls, np.uint64, len(lon)).astype(np.int64)[inverse]


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
    inside = np.asarray(h3.h3shape_to_cells(h3.geo_to_h3shape(geometry), resolution), np.uint64).astype(np.int64)
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
    """Union of the k-disks round the given cells, sorted.

    Notes
    -----
    Ring by ring, and only new cells are expanded: the neighbours of a ring lie in it, in the one before or in the next.
    """
    given = cells if isinstance(cells, np.ndarray) else list(cells)
    before, ring = np.empty(0, np.int64), np.unique(np.asarray(given, np.int64))
    rings, kernel = [ring], _kernel_for(len(ring) * (3 * k * (k + 1) + 1))
    for _ in range(k):
        near = _neighbours(ring, kernel)
        before, ring = ring, near[~np.isin(near, np.concatenate([before, ring]))]
        rings.append(ring)
    return np.sort(np.concatenate(rings))


def _neighbours(cells: Cells, kernel: ModuleType | None) -> Cells:
    """Sorted union of cells and those next to them."""
    if kernel:
        near, taken = kernel.neighbours(cells)
        if taken:
            near = np.unique(near)
            return near[near != 0]
    grown = [h3.grid_disk(c, 1) for c in _calls(cells)]
    return np.unique(np.concatenate(grown).astype(np.int64)) if grown else cells


def lattice(cells: Cells) -> NDArray[np.int64] | None:
    """Whole-number coordinates of cells on one hexagonal lattice, shape (n, 2), or None where there is no such lattice.

    Notes
    -----
    H3's local IJ coordinates round the middle cell: two cells are ``max(|di|, |dj|, |di - dj|)`` steps apart. Cells
    across a pentagon or on far sides of the earth have no common lattice; the 12 pentagons lie in the sea.
    """
    if not len(cells):
        return np.empty((0, 2), np.int64)
    middle = len(cells) // 2
    if kernel := _kernel_for(len(cells)):
        position, taken = kernel.lattice(_own(cells), int(cells[middle]))
        return position if taken else None
    calls = _calls(cells)
    try:
        return np.asarray([h3.cell_to_local_ij(calls[middle], c) for c in calls])
    except H3BaseException:
        return None


def ring_members(cells: Cells, k: int) -> tuple[NDArray[np.int64], Cells]:
    """(position, cell) of every cell exactly ``k`` steps from each of the given cells, by position; exact anywhere."""
    if kernel := _kernel_for(len(cells)):
        members, taken = kernel.rings(_own(cells), int(k))
        if taken:
            return np.nonzero(members)[0], members[members != 0]
    rings = [np.asarray(h3.grid_ring(c, k), np.uint64) for c in _calls(cells)]
    lengths = np.fromiter((len(ring) for ring in rings), np.int64, len(rings))
    members = np.concatenate(rings) if rings else np.empty(0, np.uint64)
    return np.repeat(np.arange(len(rings)), lengths), members.astype(np.int64)


def areas_km2(cells: Cells) -> Floats:
    """Area of each cell on the sphere, shape (n,)."""
    if kernel := _kernel_for(len(cells)):
        area_km2, taken = kernel.areas_km2(_own(cells))
        if taken:
            return area_km2
    return np.asarray([h3.cell_area(c, "km^2") for c in _calls(cells)], float)


def boundaries(cells: Cells) -> NDArray[np.object_]:
    """Polygon of each cell in WGS 84, counter-clockwise, shape (n,)."""
    if not len(cells):
        return np.empty(0, object)
    corners, first = _corners(cells)
    shapes = shapely.from_ragged_array(shapely.GeometryType.POLYGON, corners, (first, np.arange(len(first))))
    # H3 turns counter-clockwise on the sphere; drawn flat, a cell at a pole or across the antimeridian may not.
    begins = first[:-1]
    wide = np.maximum.reduceat(corners[:, 0], begins) - np.minimum.reduceat(corners[:, 0], begins) > 180
    shapes[wide] = shapely.orient_polygons(shapes[wide])
    return shapes


def _corners(cells: Cells) -> tuple[Floats, NDArray[np.int64]]:
    """Closed rings one after the other as (lon, lat), shape (m, 2), and where each begins, shape (n + 1,)."""
    if kernel := _kernel_for(len(cells)):
        corners, first, taken = kernel.boundaries(_own(cells))
        if taken:
            return corners, first
    rings = [(*ring, ring[0]) for ring in map(h3.cell_to_boundary, _calls(cells))]
    first = np.concatenate([[0], np.cumsum([len(ring) for ring in rings])])
    return np.ascontiguousarray(np.asarray(list(chain.from_iterable(rings)))[:, ::-1]), first


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
    if kernel := _kernel_for(len(cells)):
        lon, lat, taken = kernel.centres(_own(cells))
        if taken:
            return lon, lat
    latlng = np.asarray([h3.cell_to_latlng(c) for c in _calls(cells)])
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

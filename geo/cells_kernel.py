"""H3's own C functions over whole arrays, compiled: import it where it is used.

The h3 package carries the C library and wraps it call by call. The loops here run the same machine code without Python in
between, so every bit of every answer is H3's. Only ``geo.cells`` uses them, with arrays of its own; where a loop refuses, it
makes the call of h3 instead, which says why.

Source: https://h3geo.org/docs/api/indexing and ``h3api.h`` in the h3 package, whose signatures hold within one major version.
"""

import ctypes
from typing import Any, Final

import h3
import llvmlite.binding
import numpy as np
from h3._cy import cells as wrapper
from numba import types
from numpy.typing import NDArray

from geo.compiled import compiled

Cells = NDArray[np.int64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

C_MAJOR_VERSION: Final = "4"
# A cell's boundary: the number of corners, in 8 bytes with the padding, and up to ten pairs of latitude and longitude.
_MAX_CORNERS: Final = 10
_BOUNDARY_DOUBLES: Final = 1 + 2 * _MAX_CORNERS


def _library() -> ctypes.CDLL:
    version = h3.versions()["c"]
    if version.split(".")[0] != C_MAJOR_VERSION:
        raise ImportError(f"These signatures are those of H3 {C_MAJOR_VERSION}, and this is {version}.")
    return ctypes.CDLL(wrapper.__file__)  # a wrapper exports what is linked into it


_LIBRARY: Final = _library()


def _linked(name: str, result: Any, *arguments: Any) -> Any:
    """Make a C function known to the linker by name, so that compiled code that calls it can be kept on disk."""
    try:
        function = getattr(_LIBRARY, name)
    except AttributeError as error:
        raise ImportError(f"This build of h3 does not export {name}.") from error
    symbol = f"lapwing_h3_{name}"
    llvmlite.binding.add_symbol(symbol, ctypes.cast(function, ctypes.c_void_p).value)
    return types.ExternalFunction(symbol, result(*arguments))


_pointer, _error, _int, _cell = types.voidptr, types.uint32, types.int32, types.uint64
_radians = _linked("degsToRads", types.float64, types.float64)
_degrees = _linked("radsToDegs", types.float64, types.float64)
_is_cell = _linked("isValidCell", _int, _cell)
_point_to_cell = _linked("latLngToCell", _error, _pointer, _int, _pointer)
_cell_to_point = _linked("cellToLatLng", _error, _cell, _pointer)
_cell_to_boundary = _linked("cellToBoundary", _error, _cell, _pointer)
_cell_area_km2 = _linked("cellAreaKm2", _error, _cell, _pointer)
_cell_to_lattice = _linked("cellToLocalIj", _error, _cell, _cell, _error, _pointer)
_disk = _linked("gridDisk", _error, _cell, _int, _pointer)
_ring = _linked("gridRing", _error, _cell, _int, _pointer)


def compile_all() -> None:
    """Compile every loop, or read it from disk: set-up does this, so that nobody waits for it later."""
    cells, _ = index_points(np.zeros(1), np.zeros(1), 9)
    for loop in (centres, boundaries, areas_km2, neighbours):
        loop(cells)
    lattice(cells, int(cells[0]))
    rings(cells, 1)


@compiled
def index_points(lon: Floats, lat: Floats, resolution: int) -> tuple[Cells, bool]:
    """Cell of each point, and whether H3 took them all."""
    cells, at = np.empty(len(lon), np.int64), np.empty(2)
    for i in range(len(lon)):
        at[0], at[1] = _radians(lat[i]), _radians(lon[i])
        if _point_to_cell(at.ctypes, resolution, cells[i:].ctypes):
            return cells, False
    return cells, True


@compiled
def centres(cells: Cells) -> tuple[Floats, Floats, bool]:
    """Longitude and latitude of each centre, and whether all are cells."""
    lon, lat, at = np.empty(len(cells)), np.empty(len(cells)), np.empty(2)
    for i in range(len(cells)):
        if not _is_cell(cells[i]) or _cell_to_point(cells[i], at.ctypes):
            return lon, lat, False
        lat[i], lon[i] = _degrees(at[0]), _degrees(at[1])
    return lon, lat, True


@compiled
def boundaries(cells: Cells) -> tuple[Floats, Ints, bool]:
    """Corners of each cell as (lon, lat), the first of each again at its end; where each begins; whether all are cells."""
    # Room for the most corners there can be; what is never written takes no memory.
    corners, first = np.empty((len(cells) * (_MAX_CORNERS + 1), 2)), np.empty(len(cells) + 1, np.int64)
    boundary = np.empty(_BOUNDARY_DOUBLES)
    count, at = boundary.view(np.int32), 0
    for i in range(len(cells)):
        if not _is_cell(cells[i]) or _cell_to_boundary(cells[i], boundary.ctypes):
            return corners[:0], first, False
        first[i] = at
        for corner in range(count[0]):
            corners[at, 0], corners[at, 1] = _degrees(boundary[2 + 2 * corner]), _degrees(boundary[1 + 2 * corner])
            at += 1
        corners[at, 0], corners[at, 1] = corners[first[i], 0], corners[first[i], 1]
        at += 1
    first[-1] = at
    return corners[:at], first, True


@compiled
def areas_km2(cells: Cells) -> tuple[Floats, bool]:
    """Area of each cell, and whether all are cells."""
    area_km2 = np.empty(len(cells))
    for i in range(len(cells)):
        if not _is_cell(cells[i]) or _cell_area_km2(cells[i], area_km2[i:].ctypes):
            return area_km2, False
    return area_km2, True


@compiled
def lattice(cells: Cells, origin: int) -> tuple[Ints, bool]:
    """Coordinates of each cell round the origin, shape (n, 2), and whether all have some."""
    position, at = np.empty((len(cells), 2), np.int64), np.empty(2, np.int32)
    for i in range(len(cells)):
        if _cell_to_lattice(origin, cells[i], 0, at.ctypes):
            return position, False
        position[i, 0], position[i, 1] = at[0], at[1]
    return position, True


@compiled
def neighbours(cells: Cells) -> tuple[Cells, bool]:
    """Each cell and the cells next to it, shape (n, 7), zero for the sixth of a pentagon; and whether all are cells."""
    near = np.zeros((len(cells), 7), np.int64)
    for i in range(len(cells)):
        if not _is_cell(cells[i]) or _disk(cells[i], 1, near[i].ctypes):
            return near, False
    return near, True


@compiled
def rings(cells: Cells, k: int) -> tuple[Cells, bool]:
    """Cells exactly so many steps from each, shape (n, 6 k) or (n, 1), zero where there are fewer; and whether all are cells."""
    members = np.zeros((len(cells), max(6 * k, 1)), np.int64)
    for i in range(len(cells)):
        # The library itself does not look: fewer than no steps would write where there is no room.
        if k < 0 or not _is_cell(cells[i]) or _ring(cells[i], k, members[i].ctypes):
            return members, False
    return members, True

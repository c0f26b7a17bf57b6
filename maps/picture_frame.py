"""Where a map lies on paper: millimetres from the lower left corner, and Web Mercator inside the map's own frame."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from geo.zoom import MAX_ZOOM
from maps.mercator import degrees_from_world, world_from_degrees

Floats = NDArray[np.float64]
Bounds = tuple[float, float, float, float]

_TILE_PX: Final = 256
_PX_MM: Final = 25.4 / 96
_EQUATOR_M: Final = 40_075_016.686
# No map shows less than this, however few cells there are: a yard without its streets tells nothing.
_LEAST_WORLD: Final = 500 / _EQUATOR_M


@dataclass(frozen=True)
class Frame:
    """A rectangle on paper (mm) and the part of the world square that it shows.

    ``west`` and ``north`` are its upper left corner in the world square, ``mm_per_world`` how long that square would be.
    """

    left: float
    bottom: float
    width: float
    height: float
    west: float
    north: float
    mm_per_world: float

    @classmethod
    def around(cls, bounds: Bounds, *, left: float, bottom: float, width: float, height: float) -> "Frame":
        """Return the frame in which bounds (west, south, east, north; WGS 84) just fit, in its middle.

        Raises
        ------
        InvalidParameter
            When they are no part of the world.
        """
        west, south, east, north = bounds
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise InvalidParameter("The map's bounds are west, south, east and north in degrees.")
        (x0, y1), (x1, y0) = world_from_degrees(np.array([[west, south], [east, north]]))
        scale = min(width / max(x1 - x0, _LEAST_WORLD), height / max(y1 - y0, _LEAST_WORLD))
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        corner = (middle[0] - width / scale / 2, middle[1] - height / scale / 2)
        return cls(left, bottom, width, height, float(corner[0]), float(corner[1]), float(scale))

    def to_mm(self, lonlat: Floats) -> Floats:
        """Return degrees, shape (n, 2), as millimetres on paper."""
        world = world_from_degrees(lonlat)
        right = self.left + (world[:, 0] - self.west) * self.mm_per_world
        up = self.bottom + self.height - (world[:, 1] - self.north) * self.mm_per_world
        return np.column_stack([right, up])

    @property
    def bounds(self) -> Bounds:
        """West, south, east and north of what it shows."""
        west, north = degrees_from_world(self.west, self.north)
        east, south = degrees_from_world(
            self.west + self.width / self.mm_per_world, self.north + self.height / self.mm_per_world
        )
        return west, south, east, north

    @property
    def metres_per_mm(self) -> float:
        """How far a millimetre is on the ground, at the latitude of the middle."""
        _, south, _, north = self.bounds
        return _EQUATOR_M * math.cos(math.radians((south + north) / 2)) / self.mm_per_world

    @property
    def zoom(self) -> int:
        """Zoom of a web map at which things are about as large; paper shows half a step more than a screen."""
        return min(MAX_ZOOM, max(0, math.ceil(math.log2(self.mm_per_world / _PX_MM / _TILE_PX))))

    def shown(self, geometry: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Whether each geometry's box reaches into it."""
        west, south, east, north = self.bounds
        found = shapely.bounds(geometry)
        return np.asarray(
            (found[:, 0] <= east) & (found[:, 2] >= west) & (found[:, 1] <= north) & (found[:, 3] >= south), bool
        )


def round_length(most_m: float) -> float:
    """Return the longest of 1, 2 or 5 times a power of ten metres that is not longer.

    Examples
    --------
    >>> round_length(730), round_length(2400)
    (500.0, 2000.0)
    """
    power = 10.0 ** math.floor(math.log10(most_m))
    return max(step * power for step in (1, 2, 5) if step * power <= most_m)


def length_words(metres: float) -> str:
    """Return a round length as a scale bar has it.

    Examples
    --------
    >>> length_words(500), length_words(2000)
    ('500 m', '2 km')
    """
    return f"{metres:g} m" if metres < 1000 else f"{metres / 1000:g} km"

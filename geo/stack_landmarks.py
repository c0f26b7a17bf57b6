"""How near repeated coordinates lie to what geocoders and publishers use in place of an address."""

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.errors import InvalidParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

# How far each target is looked for: room for rounding to six decimals of a degree or to the metre, but not for a
# transformation without its grid, which moves all points of a source by up to 4 m.
POSTCODE_M: Final = 1.5
STREET_M: Final = 2.0
LINE_M: Final = 1.0
NEAR_LINE_M: Final = 2.0
AREA_M: Final = 5.0
DEFAULT_M: Final = 1.0
PREMISES_M: Final = 40.0
# Grid references are read as the middle of their square, at least 0.5 m from a corner: nothing but a default lies there.
CORNER_M: Final = 1000.0
CORNER_REACH_M: Final = 0.25

# Where reports are made. Schools are left out: harm at and around them is what the work is about.
_REPORTING: Final = re.compile(
    r"\b(police|custody|(?<!animal )(?<!veterinary )hospital|accident and emergency|council (office|building)s?|town ?hall|city hall"
    r"|county hall|civic (centre|offices)|childrens home|(care|nursing) home|residential care|medical care accommodation|social services)\b"
)  # fmt: skip


def _no_points() -> Floats:
    return np.empty((0, 2))


@dataclass(frozen=True)
class Landmarks:
    """Reference geometry in metres of the records' CRS; every part of it may be empty.

    Parameters
    ----------
    roads_m : ndarray of shapely lines, shape (r,)
        One feature a street where streets are used as places, else one a link.
    premises_m : ndarray of shapely geometry, shape (p,)
    premises_kind : ndarray of str, shape (p,)
        As the source has it, such as ``Police Station``.
    areas_m : ndarray of shapely polygons, shape (a,)
    areas_level : ndarray of str, shape (a,)
        Such as ``ward`` or ``lsoa``.
    postcodes_m : ndarray of float, shape (c, 2)
        Centroids of postcode units.
    defaults_m : ndarray of float, shape (d, 2)
        Coordinates known to mean nothing: the force's headquarters, or longitude and latitude 0, 0 in metres.

    Raises
    ------
    InvalidParameter
        When parts do not go together, or a geometry is missing or empty.
    """

    roads_m: Texts
    premises_m: Texts
    premises_kind: Texts
    areas_m: Texts
    areas_level: Texts
    postcodes_m: Floats
    defaults_m: Floats = field(default_factory=_no_points)

    def __post_init__(self) -> None:
        """Gather every problem before refusing."""
        problems = []
        if len(self.premises_m) != len(self.premises_kind):
            problems.append(f"{len(self.premises_m)} premises have {len(self.premises_kind)} kinds")
        if len(self.areas_m) != len(self.areas_level):
            problems.append(f"{len(self.areas_m)} areas have {len(self.areas_level)} levels")
        for name in ("roads_m", "premises_m", "areas_m"):
            shapes = getattr(self, name)
            if bad := int((shapely.is_missing(shapes) | shapely.is_empty(shapes)).sum()):
                problems.append(f"{name} holds {bad} missing or empty geometries")
        for name in ("postcodes_m", "defaults_m"):
            points_m = getattr(self, name)
            if points_m.ndim != 2 or points_m.shape[1] != 2 or not np.isfinite(points_m).all():
                problems.append(f"{name} must be finite, two numbers a point")
        if problems:
            raise InvalidParameter("; ".join(problems) + ".")

    @classmethod
    def none(cls) -> "Landmarks":
        """No reference geometry at all.

        Examples
        --------
        >>> len(Landmarks.none().roads_m)
        0
        """
        nothing = np.empty(0, object)
        return cls(nothing, nothing, nothing, nothing, nothing, _no_points())


@dataclass(frozen=True)
class Nearby:
    """Distances in metres from each point to the nearest landmark of each sort, infinite beyond its reach.

    ``street_radius_m``, ``area_radius_m`` and ``postcode_radius_m`` say how large the nearest one is;
    ``reporting_kind`` is the kind of the nearest premises where reports are made, ``other_m`` the distance to the
    nearest of the rest.
    """

    line_m: Floats
    street_m: Floats
    street_radius_m: Floats
    area_m: Floats
    area_radius_m: Floats
    area_level: Texts
    postcode_m: Floats
    postcode_radius_m: Floats
    reporting_m: Floats
    reporting_kind: Texts
    other_m: Floats


def is_reporting(kinds: Texts) -> NDArray[np.bool_]:
    """Whether premises of each kind are places where reports are made, by the words of their kind.

    Examples
    --------
    >>> is_reporting(np.array(["Police Station", "nursing_home", "takeaway"], object)).tolist()
    [True, True, False]
    """
    codes, names = pd.factorize(kinds, use_na_sentinel=False)
    plain = [re.sub(r"[_\W]+", " ", str(name).lower().replace("'", "").replace("\u2019", "")) for name in names]
    return np.array([bool(_REPORTING.search(name)) for name in plain], bool)[codes]


def nearby(points_m: Floats, landmarks: Landmarks) -> Nearby:
    """Distances of points to landmarks.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        Metres in the CRS of the landmarks.
    landmarks : Landmarks

    Returns
    -------
    Nearby
        Arrays of shape (n,).

    Notes
    -----
    The radius of a postcode is half the way to its nearest neighbour, of a street half its length, and of an area that
    of the circle as large as it.
    """
    shapes = shapely.points(points_m)
    reporting = is_reporting(landmarks.premises_kind)
    street_m, street_radius_m = _streets(points_m, landmarks.roads_m)
    area_m, area = _area_centres(points_m, landmarks.areas_m)
    postcodes_m = np.unique(landmarks.postcodes_m, axis=0)
    postcode_m, postcode = _nearest(points_m, postcodes_m, POSTCODE_M)
    reporting_m, site = _nearest_shape(shapes, landmarks.premises_m[reporting], PREMISES_M)
    return Nearby(
        line_m=_nearest_shape(shapes, landmarks.roads_m, NEAR_LINE_M)[0],
        street_m=street_m,
        street_radius_m=street_radius_m,
        area_m=area_m,
        area_radius_m=_taken(np.sqrt(shapely.area(landmarks.areas_m) / np.pi), area, np.nan),
        area_level=_taken(landmarks.areas_level, area, ""),
        postcode_m=postcode_m,
        postcode_radius_m=_taken(_half_spacing(postcodes_m), postcode, np.nan),
        reporting_m=reporting_m,
        reporting_kind=_taken(landmarks.premises_kind[reporting], site, ""),
        other_m=_nearest_shape(shapes, landmarks.premises_m[~reporting], PREMISES_M)[0],
    )


def is_known_default(points_m: Floats, landmarks: Landmarks) -> NDArray[np.bool_]:
    """Whether each point is one that the caller knows to mean nothing."""
    return np.isfinite(_nearest(points_m, landmarks.defaults_m, DEFAULT_M)[0])


def is_grid_corner(points_m: Floats) -> NDArray[np.bool_]:
    """Whether each point is a corner of the kilometre grid, its origin included.

    Examples
    --------
    >>> is_grid_corner(np.array([[0, 0], [531_000, 181_000.2], [531_000, 181_100]])).tolist()
    [True, True, False]
    """
    off_m = np.abs(points_m - np.round(points_m / CORNER_M) * CORNER_M)
    return np.asarray((off_m <= CORNER_REACH_M).all(axis=1))


def _streets(points_m: Floats, roads_m: Texts) -> tuple[Floats, Floats]:
    """Distance to the nearest middle of a street, along it or of its mass, and half the street's length."""
    parts = shapely.get_parts(roads_m)
    middles = np.concatenate([shapely.line_interpolate_point(parts, 0.5, normalized=True), shapely.centroid(roads_m)])
    half_m = np.concatenate([shapely.length(parts), shapely.length(roads_m)]) / 2
    distance_m, index = _nearest(points_m, shapely.get_coordinates(middles), STREET_M)
    return distance_m, _taken(half_m, index, np.nan)


def _area_centres(points_m: Floats, areas_m: Texts) -> tuple[Floats, Ints]:
    """Distance to the nearest centroid or representative point of an area, and which area."""
    centres = np.concatenate([shapely.centroid(areas_m), shapely.point_on_surface(areas_m)])
    distance_m, index = _nearest(points_m, shapely.get_coordinates(centres), AREA_M)
    return distance_m, np.where(index >= 0, index % max(len(areas_m), 1), -1)


def _half_spacing(points_m: Floats) -> Floats:
    if len(points_m) < 2:
        return np.full(len(points_m), np.inf)
    return np.asarray(cKDTree(points_m).query(points_m, k=2)[0][:, 1] / 2)


def _nearest(points_m: Floats, targets_m: Floats, reach_m: float) -> tuple[Floats, Ints]:
    """Distance to the nearest target and its number; infinite and -1 beyond reach."""
    if not len(targets_m) or not len(points_m):
        return np.full(len(points_m), np.inf), np.full(len(points_m), -1, np.int64)
    distance_m, index = cKDTree(targets_m).query(points_m, distance_upper_bound=reach_m)
    return distance_m, np.where(np.isfinite(distance_m), index, -1)


def _nearest_shape(shapes: Texts, targets: Texts, reach_m: float) -> tuple[Floats, Ints]:
    """Distance to the nearest geometry and its number, the lowest of equals; infinite and -1 beyond reach."""
    distance_m, index = np.full(len(shapes), np.inf), np.full(len(shapes), -1, np.int64)
    (point, target), found_m = shapely.STRtree(targets).query_nearest(
        shapes, max_distance=reach_m, return_distance=True
    )
    order = np.lexsort((target, point))
    first, at = np.unique(point[order], return_index=True)
    distance_m[first], index[first] = found_m[order][at], target[order][at]
    return distance_m, index


def _taken(values: NDArray, index: Ints, missing: float | str) -> NDArray:
    """Values by number, and ``missing`` where the number is -1."""
    padded = np.empty(len(values) + 1, values.dtype)
    padded[:-1], padded[-1] = values, missing
    return padded[index]

"""Geometry without empty parts or rings: some operations of the geometry library do not survive them."""

import numpy as np
import shapely
from numpy.typing import NDArray

Objects = NDArray[np.object_]


def without_empty_parts(geometry: Objects) -> Objects:
    """The same shapes without empty parts and empty holes; what has nothing else stays empty.

    Parameters
    ----------
    geometry : ndarray of shapely geometry or None, shape (n,)

    Returns
    -------
    ndarray of shapely geometry or None, shape (n,)

    Examples
    --------
    >>> without_empty_parts(np.array([shapely.from_wkt("MULTIPOINT (EMPTY, (1 2))")]))[0].wkt
    'MULTIPOINT ((1 2))'
    """
    shapes = np.array(geometry, dtype=object)
    parts, own = shapely.get_parts(shapes, return_index=True)
    bad = np.unique(own[shapely.is_empty(parts)])
    polygons = np.flatnonzero(shapely.get_type_id(parts) == 3)
    rings, ring_of = shapely.get_rings(parts[polygons], return_index=True)
    bad = np.union1d(bad, own[polygons[ring_of[shapely.is_empty(rings)]]])
    for i in bad[~shapely.is_empty(shapes[bad])]:
        shapes[i] = _rebuilt(shapes[i])
    return shapes


def _rebuilt(shape: shapely.Geometry) -> shapely.Geometry:
    parts = [_without_holes(part) for part in shapely.get_parts(shape) if not part.is_empty]
    if shape.geom_type in {"Point", "LineString", "Polygon"}:
        return parts[0] if parts else shape
    if shape.geom_type == "GeometryCollection":
        return shapely.GeometryCollection(parts)
    return type(shape)(parts)


def _without_holes(part: shapely.Geometry) -> shapely.Geometry:
    if part.geom_type != "Polygon":
        return part
    return shapely.Polygon(part.exterior, [hole for hole in part.interiors if not hole.is_empty])

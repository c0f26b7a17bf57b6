"""Positions and outlines as people type them: ``LON,LAT`` or WKT, in WGS 84."""

import numpy as np
import shapely

from geo.errors import InvalidParameter
from geo.whole_shapes import without_empty_parts

_SHAPES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def read_geometry(text: str) -> shapely.Geometry:
    """Read ``LON,LAT`` or WKT as a WGS 84 shape.

    Raises
    ------
    InvalidParameter
    """
    words = text.strip()
    if words[:1].isalpha():
        try:
            shape = without_empty_parts(np.array([shapely.force_2d(shapely.from_wkt(words))], object))[0]
        except (shapely.GEOSException, NotImplementedError) as error:
            raise InvalidParameter(
                f"--geometry: {words[:40]!r} is not WKT, such as POLYGON ((-2.36 51.38, ...))."
            ) from error
        if shape.is_empty or shape.geom_type not in _SHAPES:
            raise InvalidParameter("--geometry: give one point, line or polygon.")
        if not shapely.is_valid(shape):
            raise InvalidParameter(f"--geometry: the outline is not valid: {shapely.is_valid_reason(shape)[:80]}.")
    else:
        shape = shapely.Point(*read_point("--geometry", words))
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidParameter("--geometry: longitude comes first, in degrees: -2.36,51.38.")
    return shape


def read_point(option: str, text: str) -> tuple[float, float]:
    """Read ``LON,LAT``.

    Raises
    ------
    InvalidParameter
    """
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidParameter(f"{option}: {text[:40]!r} is not LON,LAT, such as -2.36,51.38.") from error
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidParameter(f"{option}: longitude comes first, in degrees: -2.36,51.38.")
    return lon, lat

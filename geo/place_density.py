"""How densely stated positions fall round each simple shape, if the record speaks of it."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.special import ndtr

from geo.place_shapes import Parts, Shape

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def density(parts: Parts, part: Ints, points_m: Floats, sigma_m: Floats, geometry_m: NDArray[np.object_]) -> Floats:
    """Density per m2 of a stated position, if the record speaks of the part.

    Parameters
    ----------
    parts : Parts
    part : ndarray of int64, shape (p,)
    points_m : ndarray of float, shape (p, 2)
        Stated position paired with each part.
    sigma_m : ndarray of float, shape (p,)
        Of the Gaussian that blurred it, without reach.
    geometry_m : ndarray of shapely geometry, shape (f,)
        The features that the parts were cut from.

    Returns
    -------
    ndarray of float, shape (p,)
    """
    blur_m = np.hypot(sigma_m, parts.reach_m[part])
    offset_m = points_m - parts.centre_m[part]
    value = np.empty(len(part))
    for shape, measure in ((Shape.BLOB, _blob), (Shape.SEGMENT, _segment), (Shape.SQUARE, _square)):
        mine = np.flatnonzero(parts.shape[part] == shape)
        value[mine] = measure(parts.form[part[mine]], offset_m[mine], blur_m[mine])
    edge = np.flatnonzero(parts.shape[part] == Shape.EDGE)
    value[edge] = _edge(geometry_m[parts.feature[part[edge]]], points_m[edge], blur_m[edge])
    return value


def _blob(form: Floats, offset_m: Floats, blur_m: Floats) -> Floats:
    xx, xy, yy = form[:, 0] + blur_m**2, form[:, 1], form[:, 2] + blur_m**2
    dx, dy = offset_m.T
    determinant = xx * yy - xy**2
    distance2 = (yy * dx**2 - 2 * xy * dx * dy + xx * dy**2) / determinant
    return np.exp(-0.5 * distance2) / (2 * np.pi * np.sqrt(determinant))


def _segment(form: Floats, offset_m: Floats, blur_m: Floats) -> Floats:
    half_m = np.hypot(form[:, 0], form[:, 1])
    along = (offset_m * form[:, :2]).sum(axis=1) / half_m
    across = (offset_m[:, 0] * form[:, 1] - offset_m[:, 1] * form[:, 0]) / half_m
    inside = ndtr((half_m - along) / blur_m) - ndtr((-half_m - along) / blur_m)
    return np.exp(-0.5 * (across / blur_m) ** 2) / (np.sqrt(2 * np.pi) * blur_m) * inside / (2 * half_m)


def _square(form: Floats, offset_m: Floats, blur_m: Floats) -> Floats:
    half_m = form[:, :1]
    blur = blur_m[:, None]
    inside = ndtr((half_m - offset_m) / blur) - ndtr((-half_m - offset_m) / blur)
    return np.asarray(inside.prod(axis=1) / (2 * half_m[:, 0]) ** 2)


def _edge(shapes: NDArray[np.object_], points_m: Floats, blur_m: Floats) -> Floats:
    points = shapely.points(points_m)
    distance_m = -shapely.distance(points, shapes)
    inside = np.flatnonzero(distance_m == 0)
    distance_m[inside] = shapely.distance(points[inside], shapely.boundary(shapes[inside]))
    return ndtr(distance_m / blur_m) / np.maximum(shapely.area(shapes), 1.0)

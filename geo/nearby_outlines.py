"""Shapes as flat arrays of corners and chains, for loops that know no objects."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# What a chain of corners is: points or a line, the outside of a polygon, a hole in it, or all of what only shapely understands.
# Compiled into loops that are kept on disk as long as geo/nearby_kernel.py stays the same: change both.
OPEN: Final = 0
SHELL: Final = 1
HOLE: Final = 2
MIXED: Final = 3

_POLYGON: Final = 3
_PLAIN: Final = (0, 1, _POLYGON)  # point, line and polygon
_OPEN_TYPES: Final = (0, 1, 2, 4, 5)  # point, line, ring, and many points or lines
_AREA_TYPES: Final = (_POLYGON, 6)


@dataclass(frozen=True)
class Outlines:
    """Chains of corners, feature by feature.

    Parameters
    ----------
    corners_m : ndarray of float, shape (c, 2)
        The first corner of a ring is also its last.
    chain_first : ndarray of int64, shape (k + 1,)
        First corner of each chain, and the number of corners.
    role : ndarray of int64, shape (k,)
        ``OPEN``, ``SHELL``, ``HOLE`` or ``MIXED``; the holes of a polygon follow its shell.
    feature_first : ndarray of int64, shape (f + 1,)
        First chain of each feature, and the number of chains.
    """

    corners_m: Floats
    chain_first: Ints
    role: Ints
    feature_first: Ints


def outlines(geometry_m: NDArray[np.object_]) -> Outlines:
    """Take shapes apart.

    Parameters
    ----------
    geometry_m : ndarray of shapely geometry, shape (f,)
        Of any type, also empty or missing.

    Returns
    -------
    Outlines
        Empty and missing shapes have no chains; collections and what shapely adds later are one ``MIXED`` chain.

    Examples
    --------
    >>> found = outlines(np.array([shapely.Point(1, 2), shapely.box(0, 0, 5, 5)]))
    >>> found.chain_first.tolist(), found.role.tolist(), found.feature_first.tolist()
    ([0, 1, 6], [0, 1], [0, 1, 2])
    """
    corners_m = shapely.get_coordinates(geometry_m)
    kind = shapely.get_type_id(geometry_m)
    size = shapely.get_num_coordinates(geometry_m).astype(np.int64)
    owner = np.flatnonzero(size)
    role = np.full(len(geometry_m), MIXED)
    role[np.isin(kind, _OPEN_TYPES)], role[np.isin(kind, _AREA_TYPES)] = OPEN, SHELL
    # Nearly all shapes are one chain; only the others are worth taking to pieces.
    many = (role != MIXED) & (size > 0) & (~np.isin(kind, _PLAIN) | (shapely.get_num_interior_rings(geometry_m) > 0))
    size, role = size[owner], role[owner]
    if many.any():
        size, role, owner = _with_pieces(geometry_m, many, size, role, owner)
    return Outlines(corners_m, _starts(size), role, _starts(np.bincount(owner, minlength=len(geometry_m))))


def _starts(count: Ints) -> Ints:
    """First of each group, and the number of all."""
    return np.concatenate([[0], np.cumsum(count)])


def _with_pieces(
    geometry_m: NDArray[np.object_], many: NDArray[np.bool_], size: Ints, role: Ints, owner: Ints
) -> tuple[Ints, Ints, Ints]:
    """Sizes, roles and features of the chains, where some features have many; in the order of their corners."""
    own = np.flatnonzero(many)
    part, of_own = shapely.get_parts(geometry_m[own], return_index=True)
    ring, of_part = shapely.get_rings(part, return_index=True)
    first = np.diff(of_part, prepend=-1) != 0
    bare = np.flatnonzero(shapely.get_type_id(part) != _POLYGON)
    one = ~many[owner]
    size = np.concatenate([size[one], shapely.get_num_coordinates(part[bare]), shapely.get_num_coordinates(ring)])
    role = np.concatenate([role[one], np.full(len(bare), OPEN), np.where(first, SHELL, HOLE)])
    owner = np.concatenate([owner[one], own[of_own[bare]], own[of_own[of_part]]])
    # A feature's pieces are all bare or all rings, each in the order of its corners.
    order = np.argsort(owner, kind="stable")
    order = order[size[order] > 0]
    return size[order], role[order], owner[order]

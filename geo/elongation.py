"""How long and narrow clusters are, and which of them are a stretch of one named road and not a blob.

Source: principal axes of the weighted covariance, as in the standard deviational ellipse (Lefever 1926); extents are
weighted quantiles and not deviations, so a few stray points do not lengthen a cluster.
"""

from typing import Final

import numpy as np
import pandas as pd
import shapely
import shapely.ops
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from geo.road_graph import RoadGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_LENGTH_M: Final = 150.0
MIN_RATIO: Final = 3.0
MIN_SHARE: Final = 0.8
NEAR_M: Final = 15.0
PAD_M: Final = 25.0  # also what the ends are rounded to
CLEAR_M: Final = 1.0
SHORT_M: Final = np.array([0.0, 5.3, 11.9, 17.3])
ROAD_COLUMNS: Final = ("group", "road", "share", "length_m", "width_m", "bearing_deg", "stretch_m")


def elongation(points_m: Floats, *, weights: Floats, group: Ints, count: int) -> pd.DataFrame:
    """Length, width and bearing of each group of points.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        Projected metres, finite.
    weights : ndarray of float, shape (n,)
        Positive weight of each point.
    group : ndarray of int64, shape (n,)
        Group of each point, from 0; negative (noise) belongs to none.
    count : int
        Number of groups.

    Returns
    -------
    DataFrame
        One row a group: ``length_m`` and ``width_m`` hold 95 % of the weight along and across the principal axis;
        ``bearing_deg`` is that axis clockwise from grid north, from 0 up to 180. NaN for a group without points.

    Raises
    ------
    InvalidParameter
        When a point is not finite, a weight not positive, or a group not below ``count``.

    Examples
    --------
    >>> points = np.array([[0.0, 0], [100, 100], [200, 200], [300, 300]])
    >>> elongation(points, weights=np.ones(4), group=np.zeros(4, int), count=1).round(1).values.tolist()
    [[424.3, 0.0, 45.0]]
    """
    if not np.isfinite(points_m).all() or not (weights > 0).all() or (group >= count).any():
        raise InvalidParameter(f"points must be finite, weights positive and groups below {count}.")
    member = group >= 0
    points_m, weights, group = points_m[member], weights[member], group[member]
    total = np.bincount(group, weights, minlength=count).astype(float)
    some = np.where(total > 0, total, np.nan)
    mean_m = np.column_stack([np.bincount(group, weights * axis, minlength=count) / some for axis in points_m.T])
    x_m, y_m = (points_m - mean_m[group]).T
    xx, yy, xy = (np.bincount(group, weights * part, minlength=count) for part in (x_m**2, y_m**2, x_m * y_m))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    cosine, sine = np.cos(angle)[group], np.sin(angle)[group]
    along_m = _extent(x_m * cosine + y_m * sine, weights, group, total)
    across_m = _extent(y_m * cosine - x_m * sine, weights, group, total)
    turned = across_m > along_m
    bearing_deg = np.round(90 - np.degrees(angle) - 90 * turned, 6) % 180  # rounded, or -1e-17 would become 180
    return pd.DataFrame(
        {
            "length_m": np.fmax(along_m, across_m),
            "width_m": np.fmin(along_m, across_m),
            "bearing_deg": np.where(total > 0, bearing_deg, np.nan),
        }
    )


def along_road(
    points_m: Floats, *, weights: Floats, group: Ints, count: int, precision_m: Floats, roads: RoadGraph
) -> pd.DataFrame:
    """Which groups are a stretch of one named road.

    Parameters
    ----------
    points_m, weights, group, count
        As for ``elongation``.
    precision_m : ndarray of float, shape (n,)
        Radius that holds the true position of a point with 95 % probability.
    roads : RoadGraph
        Links in the same CRS; links of one name that follow one another are one road.

    Returns
    -------
    DataFrame
        ``ROAD_COLUMNS`` for the groups that are a stretch of road, ordered by group: the road's name, the share of
        the weight on it, and ``stretch_m``, the part of the road's own line that the group covers.

    Raises
    ------
    InvalidParameter
        As ``elongation``.

    Notes
    -----
    A group is a stretch of road when it is at least 150 m long and three times as long as wide, and at least 80 % of its
    weight lies within 15 m, or its precision where larger, of one unbroken chain of links of one name. The stretch
    reaches at least 25 m beyond the points and its ends are multiples of 25 m along the chain, or the chain's own
    ends; it never ends on a point. Where links of one name fork, each arm is a chain of its own.

    Examples
    --------
    >>> from geo.road_graph import road_graph
    >>> road = road_graph(shapely.linestrings([[(0, 0), (1000, 0)]]), np.array(["Long Lane"], object))
    >>> points = np.column_stack([np.arange(300.0, 700, 10), np.tile([4.0, -4.0], 20)])
    >>> one, group = np.ones(40), np.zeros(40, int)
    >>> found = along_road(points, weights=one, group=group, count=1, precision_m=5 * one, roads=road)
    >>> found["road"][0], found["stretch_m"][0].wkt
    ('Long Lane', 'LINESTRING (275 0, 725 0)')
    """
    shape = elongation(points_m, weights=weights, group=group, count=count)
    narrow = (shape["length_m"] >= MIN_LENGTH_M) & (shape["length_m"] >= MIN_RATIO * shape["width_m"])
    points, within_m = shapely.points(points_m), np.maximum(NEAR_M, precision_m)
    names = pd.Series(roads.name, dtype=object).fillna("").to_numpy()
    rows = np.flatnonzero(np.isin(group, np.flatnonzero(narrow)))
    at, link = roads.tree.query(points[rows], predicate="dwithin", distance=within_m[rows])
    near = pd.DataFrame({"group": group[rows[at]], "road": names[link]}).drop_duplicates()
    found = []
    for one, road in near[near["road"] != ""].sort_values(["group", "road"]).itertuples(index=False):
        mine = np.flatnonzero(group == one)
        chains = _chains(roads.geometry_m[names == road])
        on = shapely.distance(chains[:, None], points[mine]) <= within_m[mine]
        share = on @ weights[mine] / weights[mine].sum()
        best = int(share.argmax())
        if share[best] >= MIN_SHARE:
            stretch_m = _stretch(chains[best], points[mine], on[best])
            found.append((one, road, share[best], *shape.loc[one], stretch_m))
    table = pd.DataFrame(found, columns=list(ROAD_COLUMNS))
    table = table.sort_values(["group", "share", "road"], ascending=[True, False, True])
    return table.drop_duplicates("group", ignore_index=True)


def _extent(value_m: Floats, weights: Floats, group: Ints, total: Floats) -> Floats:
    """Width of the middle 95 % of the weight of each group; NaN where there is none."""
    order = np.lexsort([value_m, group])
    value_m, weights, group = value_m[order], weights[order], group[order]
    below = np.cumsum(weights) - (np.cumsum(total) - total)[group]  # weight of the group up to and with this point
    ends = []
    for part in (0.025, 0.975):
        reached = below >= part * total[group] * (1 - 1e-9)
        first = np.full(len(total), np.nan)
        groups, at = np.unique(group[reached], return_index=True)
        first[groups] = value_m[reached][at]
        ends.append(first)
    return ends[1] - ends[0]


def _chains(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Unbroken chains of links of one name, in a canonical order and direction."""
    chains = shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))
    return np.asarray(shapely.get_parts(shapely.normalize(shapely.multilinestrings(chains))))


def _stretch(chain: shapely.LineString, points: NDArray[np.object_], on: NDArray[np.bool_]) -> shapely.LineString:
    """Part of the chain that the points on it cover, padded, with ends that are no point."""
    along_m = shapely.line_locate_point(chain, points[on])
    low_m = max(np.floor((along_m.min() - PAD_M) / PAD_M) * PAD_M, 0.0)
    high_m = min(np.ceil((along_m.max() + PAD_M) / PAD_M) * PAD_M, chain.length)
    low_m, high_m = (_clear(chain, end_m + way * SHORT_M, points) for end_m, way in ((low_m, 1), (high_m, -1)))
    return shapely.ops.substring(chain, low_m, high_m)


def _clear(chain: shapely.LineString, choices_m: Floats, points: NDArray[np.object_]) -> float:
    """First of the choices along the chain that is away from all points: a road may end where a point is."""
    away_m = shapely.distance(shapely.line_interpolate_point(chain, choices_m)[:, None], points).min(axis=1)
    return float(choices_m[np.minimum(away_m, CLEAR_M).argmax()])

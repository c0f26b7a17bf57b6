"""Where vehicles stand and which ways they go, as counts by cell: what is known where no road can be told."""

from typing import Any, Final

import numpy as np

from app.services.routing import TRACED_S, Sightings, fixes_of
from geo import cells as h3cells
from geo.corridors_free import cluster_pairs
from geo.crs import MetricCrs
from geo.stops import find_stops, shared_stops

# Two ways from about the same to about the same place, within half a kilometre of each other.
ALIKE_M: Final = 500.0
_STOP_RESOLUTION: Final = 10
_END_RESOLUTION: Final = 8


def movements(seen: Sightings, crs: MetricCrs, *, k: int) -> dict[str, list[dict[str, Any]]]:
    """Spots where at least ``k`` distinct vehicles stood, and, without roads, cells between which as many went.

    A direction is no line: which way anybody took is not known.
    """
    if not len(seen.frame):
        return {"stops": [], "directions": []}
    return {"stops": _stops(seen, crs, k), "directions": [] if seen.roads is not None else _directions(seen, crs, k)}


def _stops(seen: Sightings, crs: MetricCrs, k: int) -> list[dict[str, Any]]:
    fixes = fixes_of(seen.frame, TRACED_S)
    if not len(fixes):
        return []
    shared = shared_stops(find_stops(fixes), k=k)
    cells = _cells(shared[["x_m", "y_m"]].to_numpy(float), crs, _STOP_RESOLUTION)
    return [
        {"cell": cell, "vehicles": int(row["vehicles"]), "stops": int(row["stops"])}
        for cell, row in zip(cells, shared.to_dict("records"), strict=True)
    ]


def _directions(seen: Sightings, crs: MetricCrs, k: int) -> list[dict[str, Any]]:
    pairs = seen.pairs.pairs
    if not len(pairs):
        return []
    label = cluster_pairs(pairs, eps_m=ALIKE_M, k=k)
    kept = pairs[label >= 0].assign(label=label[label >= 0])
    ends = kept.groupby("label")[["from_x_m", "from_y_m", "to_x_m", "to_y_m"]].mean()
    vehicles = kept.groupby("label")["vehicle"].nunique()
    begin = _cells(ends[["from_x_m", "from_y_m"]].to_numpy(float), crs, _END_RESOLUTION)
    end = _cells(ends[["to_x_m", "to_y_m"]].to_numpy(float), crs, _END_RESOLUTION)
    told = [
        {"from_cell": one, "to_cell": other, "vehicles": int(count), "trips": int(trips)}
        for one, other, count, trips in zip(begin, end, vehicles, kept.groupby("label").size(), strict=True)
        if count >= k
    ]
    return sorted(told, key=lambda one: (-one["vehicles"], one["from_cell"], one["to_cell"]))


def _cells(points_m: np.ndarray, crs: MetricCrs, resolution: int) -> list[str]:
    if not len(points_m):
        return []
    return h3cells.cell_text(h3cells.index_points(*crs.unproject(points_m[:, 0], points_m[:, 1]), resolution))

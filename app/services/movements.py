"""Where vehicles stand and which ways they go, as counts by cell: what is known where no road can be told."""

from typing import Any, Final

import numpy as np
import pandas as pd

from app.services.routing import Sightings
from geo import cells as h3cells
from geo.corridors_free import cluster_pairs
from geo.crs import MetricCrs
from geo.stops import find_stops, shared_stops
from geo.temporal import midpoint_us

# Two ways from about the same to about the same place, within half a kilometre of each other.
ALIKE_M: Final = 500.0
# Ways are compared each with each: so many that are all alike take a third of a gigabyte.
MAX_WAYS: Final = 2_000
_LEAST_WAY_M: Final = 100.0
_STOP_RESOLUTION: Final = 10
_END_RESOLUTION: Final = 8
_FROM, _TO = ["from_x_m", "from_y_m"], ["to_x_m", "to_y_m"]


def movements(seen: Sightings, crs: MetricCrs, *, k: int) -> dict[str, list[Any]]:
    """Spots where at least ``k`` distinct vehicles stood, and, without roads, cells between which as many went.

    A direction is no line: which way anybody took is not known. ``notes`` say what was left out.
    """
    if not len(seen.frame):
        return {"stops": [], "directions": [], "notes": []}
    if seen.roads is not None:
        return {"stops": _stops(seen, crs, k), "directions": [], "notes": []}
    ways, notes = _newest(_ways(seen))
    return {"stops": _stops(seen, crs, k), "directions": _directions(ways, crs, k), "notes": notes}


def _stops(seen: Sightings, crs: MetricCrs, k: int) -> list[dict[str, Any]]:
    fixes = seen.traced
    # Trip by trip: of where a vehicle was between two tracks, they say nothing.
    stops = find_stops(fixes.assign(vehicle=fixes["trip"]))
    vehicle = fixes.drop_duplicates("trip").set_index("trip")["vehicle"]
    shared = shared_stops(stops.assign(vehicle=stops["vehicle"].map(vehicle)), k=k)
    cells = _cells(shared[["x_m", "y_m"]].to_numpy(float), crs, _STOP_RESOLUTION)
    return [
        {"cell": cell, "vehicles": int(row["vehicles"]), "stops": int(row["stops"])}
        for cell, row in zip(cells, shared.to_dict("records"), strict=True)
    ]


def _ways(seen: Sightings) -> pd.DataFrame:
    """One way from the first fix of a track to its last, and one from each other sighting to the next."""
    frame, pairs, tracks = seen.frame, seen.pairs.pairs, seen.traced.groupby("trip")
    on_track = np.isin(np.arange(len(frame)), frame.index.get_indexer(seen.traced["row"]))
    loose = pairs[pairs["possible"] & ~(on_track[pairs["origin"]] & on_track[pairs["destination"]])]
    at_us = midpoint_us(frame["from_us"].to_numpy("int64"), frame["to_us"].to_numpy("int64"))
    begin, end = tracks.first(), tracks.last()
    whole = pd.DataFrame(
        {
            "origin": frame.index.get_indexer(begin["row"]),
            **dict(zip(_FROM, (begin["x_m"], begin["y_m"]), strict=True)),
            **dict(zip(_TO, (end["x_m"], end["y_m"]), strict=True)),
        }
    )
    whole = whole[np.hypot(*(whole[_TO].to_numpy() - whole[_FROM].to_numpy()).T) >= _LEAST_WAY_M]
    ways = pd.concat([loose[["origin", *_FROM, *_TO]], whole], ignore_index=True)
    vehicle = pd.factorize(frame["vehicle_hash"], sort=True)[0]
    return ways.assign(vehicle=vehicle[ways["origin"]], at_us=at_us[ways["origin"]], possible=True)


def _newest(ways: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """As many ways as can be compared, and a note where that is not all; the same way again costs nothing."""
    number = ways.groupby([*_FROM, *_TO]).ngroup()
    latest = ways.groupby(number)["at_us"].max()
    if len(latest) <= MAX_WAYS:
        return ways, []
    chosen = latest.sort_values(ascending=False, kind="stable").index[:MAX_WAYS]
    note = f"Directions: only the newest {MAX_WAYS:,} of {len(latest):,} ways between sightings are compared."
    return ways[number.isin(chosen)].reset_index(drop=True), [note]


def _directions(ways: pd.DataFrame, crs: MetricCrs, k: int) -> list[dict[str, Any]]:
    label = cluster_pairs(ways, eps_m=ALIKE_M, k=k)
    kept = ways[label >= 0].assign(label=label[label >= 0])
    ends = kept.groupby("label")[[*_FROM, *_TO]].mean()
    vehicles = kept.groupby("label")["vehicle"].nunique()
    begin = _cells(ends[_FROM].to_numpy(float), crs, _END_RESOLUTION)
    end = _cells(ends[_TO].to_numpy(float), crs, _END_RESOLUTION)
    told = [
        {"from_cell": one, "to_cell": other, "vehicles": int(count), "trips": int(trips)}
        for one, other, count, trips in zip(begin, end, vehicles, kept.groupby("label").size(), strict=True)
        if count >= k and one != other  # ends in one cell are no direction
    ]
    return sorted(told, key=lambda one: (-one["vehicles"], one["from_cell"], one["to_cell"]))


def _cells(points_m: np.ndarray, crs: MetricCrs, resolution: int) -> list[str]:
    if not len(points_m):
        return []
    return h3cells.cell_text(h3cells.index_points(*crs.unproject(points_m[:, 0], points_m[:, 1]), resolution))

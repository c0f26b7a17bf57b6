"""Routes: corridors that several vehicles share, and stretches of road along which a cluster lies."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.protection import MARGIN_M, points_near_protected
from app.services.round_records import features_round
from app.services.selecting import period_us
from data.store import Store
from geo.corridor_facts import Corridor
from geo.corridors import corridors
from geo.crs import MetricCrs
from geo.elongation import MIN_LENGTH_M, MIN_RATIO, along_road, elongation
from geo.map_matching import match_tracks
from geo.model import FeatureKind, LocationBasis, RecordKind, Scope, content_hash
from geo.outcome import Route
from geo.parameters import AnalysisParameters
from geo.road_graph import RoadGraph, road_graph
from geo.sightings import MAX_INTERVAL_US, OdPairs, od_pairs
from geo.temporal import midpoint_us
from geo.track_corridor import track_corridors
from geo.validate_features import project_geometries

DRIVEN: Final = "driven"
TRACKED: Final = "tracked"
ON_FOOT: Final = "on_foot"
_MARGIN_DEGREES: Final = 0.01
# A median of a minute between fixes can be matched to roads; without roads five minutes still trace a way that many share.
DENSE_S: Final = 60.0
TRACED_S: Final = 300.0
# Fewer are sightings, as of cameras, and no track.
LEAST_FIXES: Final = 5
# Of a line without roads, the share where somebody was seen: cameras along a street leave most of it unseen.
LEAST_SEEN: Final = 0.6
# And where as many vehicles as make a route were seen: one fix in ten of a bus line leaves a third and more.
LEAST_CONFIDENCE: Final = 0.3


@dataclass(frozen=True)
class Sightings:
    """Vehicle sightings of the period with a position, and the roads round them."""

    frame: pd.DataFrame
    roads: RoadGraph | None

    @cached_property
    def pairs(self) -> OdPairs:
        """Consecutive sightings of one vehicle, dense tracks put on the road first."""
        return od_pairs(self.frame)

    @cached_property
    def traced(self) -> pd.DataFrame:
        """Fixes of tracks that are dense enough to trace a way, or to see a vehicle stand."""
        return fixes_of(self.frame, TRACED_S)


def sightings(store: Store, scope: Scope, parameters: AnalysisParameters, study: shapely.Geometry | None) -> Sightings:
    """Sightings of known vehicles within the period and area, none of them at a protected place."""
    records = store.evidence.records(scope, [RecordKind.SIGHTINGS])
    start, end = period_us(parameters)
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    keep = (at_us >= start) & (at_us < end) & (records["vehicle_hash"] != "").to_numpy(bool)
    keep &= np.isfinite(records["x_m"].to_numpy(float)) & np.isfinite(records["precision_m"].to_numpy(float))
    # One that was moved, or kept as a coarse cell, was seen elsewhere.
    keep &= (records["location_basis"] == LocationBasis.EXACT).to_numpy(bool)
    frame = records[keep].reset_index(drop=True)
    if study is not None and len(frame):
        shapely.prepare(study)
        inside = shapely.intersects_xy(study, frame["lon"].to_numpy(), frame["lat"].to_numpy())
        frame = frame[inside].reset_index(drop=True)
    if len(frame):
        x_m, y_m = (frame[name].to_numpy(float) for name in ("x_m", "y_m"))
        frame = frame[~points_near_protected(store, scope, x_m, y_m, MARGIN_M)].reset_index(drop=True)
    if not len(frame):
        return Sightings(frame, None)
    roads = roads_round(store, scope, frame)
    return Sightings(frame if roads is None else _on_the_road(frame, roads), roads)


def roads_round(store: Store, scope: Scope, records: pd.DataFrame) -> RoadGraph | None:
    """Road network round records; None where no roads are imported."""
    features = features_round(store, scope, [FeatureKind.ROADS], records, margin_degrees=_MARGIN_DEGREES)
    if features.empty:
        return None
    return road_graph(
        project_geometries(features["geometry"].to_numpy(object), store.crs), features["name"].to_numpy(object)
    )


def find_routes(
    seen: Sightings, parameters: AnalysisParameters, crs: MetricCrs, *, seed: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Corridors of at least as many distinct vehicles as the parameters ask, and what gave none."""
    k = parameters.min_vehicles
    if seen.roads is not None:
        found = corridors(seen.roads, seen.pairs.pairs, k=k, seed=seed)
        routes = [_driven(one, crs) for one in found.corridors]
        counts = found.counts
    else:
        routes, counts = _tracks(seen, crs, k)
    told = {"sightings": len(seen.frame), "pairs": len(seen.pairs.pairs) if len(seen.frame) else 0, **counts}
    return routes, told


def any_elongated(records: pd.DataFrame, group: NDArray[np.int64], count: int) -> bool:
    """Whether any group of records is long and narrow; roads are looked at only then."""
    shape = elongation(records[["x_m", "y_m"]].to_numpy(float), weights=np.ones(len(records)), group=group, count=count)
    return bool(((shape["length_m"] >= MIN_LENGTH_M) & (shape["length_m"] >= MIN_RATIO * shape["width_m"])).any())


def stretches(
    records: pd.DataFrame, group: NDArray[np.int64], count: int, roads: RoadGraph | None
) -> dict[int, tuple[str, float]]:
    """Road of every group that lies along one, and the share of its records on it."""
    if roads is None:
        return {}
    found = along_road(
        records[["x_m", "y_m"]].to_numpy(float),
        weights=np.ones(len(records)),
        group=group,
        count=count,
        precision_m=records["precision_m"].to_numpy(float),
        roads=roads,
    )
    return {int(row["group"]): (str(row["road"]), float(row["share"])) for row in found.to_dict("records")}


def _on_the_road(frame: pd.DataFrame, roads: RoadGraph) -> pd.DataFrame:
    """Put the fixes of dense tracks on the network; sparse sightings stay where they were seen."""
    fixes = fixes_of(frame, DENSE_S)
    if not len(fixes):
        return frame
    matched = match_tracks(fixes, roads)
    on = np.flatnonzero(matched.edge >= 0)
    if not len(on):
        return frame
    points_m = shapely.get_coordinates(
        shapely.line_interpolate_point(roads.geometry_m[matched.edge[on]], matched.along_m[on])
    )
    frame = frame.copy()
    rows = fixes["row"].to_numpy()[on]
    frame.loc[rows, "x_m"], frame.loc[rows, "y_m"] = points_m[:, 0], points_m[:, 1]
    return frame


def fixes_of(frame: pd.DataFrame, usual_gap_s: float) -> pd.DataFrame:
    """Fixes of tracks: five sightings of one vehicle or more, by the median no further apart than said.

    A gap of an hour ends a track, and so does a hop that nobody can have driven.
    """
    from_us, to_us = frame["from_us"].to_numpy("int64"), frame["to_us"].to_numpy("int64")
    fixes = frame[["x_m", "y_m", "precision_m"]].assign(
        row=frame.index,
        at_us=midpoint_us(from_us, to_us),
        span_us=to_us - from_us,
        vehicle=pd.factorize(frame["vehicle_hash"], sort=True)[0],
    )
    fixes = fixes[fixes["span_us"] <= MAX_INTERVAL_US].sort_values(
        ["vehicle", "at_us", "span_us", "x_m", "y_m", "precision_m"], ignore_index=True
    )
    pairs = od_pairs(frame).pairs
    undrivable = frame.index[pairs.loc[~pairs["possible"], "destination"]]
    gap_s = fixes.groupby("vehicle")["at_us"].diff() / 1e6
    new = gap_s.isna() | (gap_s > 3600) | fixes["row"].isin(undrivable)
    fixes["trip"] = new.cumsum()
    gaps_s = gap_s.mask(new).groupby(fixes["trip"])
    dense = (gaps_s.median() <= usual_gap_s) & (gaps_s.size() >= LEAST_FIXES)
    return fixes[fixes["trip"].map(dense).astype(bool)].reset_index(drop=True)


def _tracks(seen: Sightings, crs: MetricCrs, k: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Routes from dense tracks alone, and how many were left out because too little of them was seen."""
    if not len(seen.frame):
        return [], {}
    fixes = seen.traced
    found = track_corridors(fixes, k=max(k, 2))
    shown = [
        _tracked(one, len(fixes), crs) for one in found if one.confidence >= LEAST_CONFIDENCE and one.seen >= LEAST_SEEN
    ]
    counts = {"impossible": seen.pairs.counts["impossible"], "little_seen": len(found) - len(shown)}
    return shown, counts


def _driven(one: Corridor, crs: MetricCrs) -> dict[str, Any]:
    return {
        "kind": DRIVEN,
        "name": " and ".join(one.names[:2]) or None,
        "vehicles": one.vehicles,
        "confidence": round(one.confidence, 3),
        "geometry": to_degrees(one.geometry_m, crs),
        "evidence": {
            "trips": one.trips, "length_m": round(one.length_m), "width_m": round(one.width_m), "chance": float(f"{one.chance:.3g}"),
            "bearing_deg": round(one.bearing_deg), "share_forward": round(one.share_forward, 2), "roads": list(one.names),
        },
    }  # fmt: skip


def _tracked(one: Any, fixes: int, crs: MetricCrs) -> dict[str, Any]:
    line = shapely.LineString(one.line_m)
    return {
        "kind": TRACKED,
        "name": None,
        "vehicles": int(min(one.vehicles_along)),
        "confidence": round(one.confidence, 3),
        "geometry": to_degrees(line, crs),
        "evidence": {
            "trips": one.trips, "length_m": round(line.length), "width_m": round(one.width_m), "one_way": bool(one.directed),
            "fixes": fixes, "roads": [],
        },
    }  # fmt: skip


def to_degrees(shape: shapely.Geometry, crs: MetricCrs) -> shapely.Geometry:
    """Bring a shape in metres to WGS 84."""
    return shapely.transform(shape, lambda xy: np.column_stack(crs.unproject(xy[:, 0], xy[:, 1])))


def ranked(scope: Scope, found: list[dict[str, Any]]) -> list[Route]:
    """Order routes: driven before walked, more vehicles first, then surer, then longer. The same corridor keeps its id."""

    def key(one: dict[str, Any]) -> tuple[Any, ...]:
        return (
            one["kind"] == ON_FOOT,
            -one["vehicles"],
            -one["confidence"],
            -one["evidence"]["length_m"],
            shapely.to_wkb(one["geometry"]),
        )

    routes = []
    for rank, one in enumerate(sorted(found, key=key), start=1):
        outline = shapely.to_wkt(shapely.normalize(one["geometry"]), rounding_precision=5)
        routes.append(Route(route_id=content_hash(scope.org_id, "route", one["kind"], outline), rank=rank, **one))
    return routes

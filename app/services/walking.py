"""Ways on foot between places that reports join: where people can have walked, not a line that somebody drew."""

from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
import shapely.affinity

from app.services.routing import ON_FOOT, to_degrees
from geo import cells as h3cells
from geo.crs import MetricCrs
from geo.model import Place
from geo.narrative import place_title
from geo.outcome import Link
from geo.prism import prism
from geo.road_graph import RoadGraph

# Further apart than this, people rather drive.
MAX_DISTANCE_M: Final = 1500.0
WALKING_MS: Final = 1.4
# Ways at most this much longer than the shortest, and never less than a block, are ways that people take.
_DETOUR: Final = 0.2
_MIN_DETOUR_M: Final = 100.0
_MIN_PIECE_M: Final = 20.0


def walking_ways(
    places: dict[str, Place], links: list[Link], roads: RoadGraph | None, crs: MetricCrs, *, k: int
) -> list[dict[str, Any]]:
    """Streets between places that go together by at least ``k`` pairs of reports and lie within a walk."""
    chosen = [
        link
        for link in links
        if link.significant and link.evidence["report_pairs"] >= k and link.evidence["distance_m"] <= MAX_DISTANCE_M
        if "time" in link.evidence["kinds"] and link.evidence["reports_q"] <= link.evidence["q_value"]
    ]
    if roads is None or not chosen:
        return []
    ends = np.asarray(
        [[places[link.first_place].peak_cell, places[link.second_place].peak_cell] for link in chosen], np.int64
    )
    lon, lat = h3cells.centres(ends.ravel())
    x_m, y_m = (one.reshape(-1, 2) for one in crs.project(lon, lat))
    pairs = pd.DataFrame({"from_x_m": x_m[:, 0], "from_y_m": y_m[:, 0], "to_x_m": x_m[:, 1], "to_y_m": y_m[:, 1]})
    pairs = pairs.assign(seconds=0.0, possible=True, vehicle=0, sigma_m=0.0)
    reach = prism(roads, pairs, speed_ms=WALKING_MS, slack_m=max(MAX_DISTANCE_M * _DETOUR, _MIN_DETOUR_M))
    ways = []
    for number, link in enumerate(chosen):
        if not np.isfinite(reach.shortest_m[number]):
            continue
        allowed_m = max(_DETOUR * reach.shortest_m[number], _MIN_DETOUR_M)
        edges = np.unique(reach.edge[(reach.pair == number) & (reach.detour_m <= allowed_m)])
        # A prism holds the edges that its ends lie on whole; one that is longer than the walk is none of it.
        edges = edges[roads.length_m[edges] <= reach.shortest_m[number] + allowed_m]
        within = _ellipse(x_m[number], y_m[number], float(reach.shortest_m[number]) + allowed_m)
        pieces = shapely.intersection(roads.geometry_m[edges], within)
        edges, pieces = edges[shapely.length(pieces) > _MIN_PIECE_M], pieces[shapely.length(pieces) > _MIN_PIECE_M]
        if not len(edges):
            continue
        shape = shapely.line_merge(shapely.union_all(pieces))
        ways.append(
            {
                "kind": ON_FOOT,
                "name": " to ".join(place_title(places[one].kind, places[one].name) for one in (link.first_place, link.second_place)),
                "vehicles": int(link.evidence["report_pairs"]),
                "confidence": round(1 - link.evidence["q_value"], 3),
                "geometry": to_degrees(shape, crs),
                "evidence": {
                    "trips": int(link.evidence["report_pairs"]), "length_m": round(float(reach.shortest_m[number])), "width_m": round(allowed_m),
                    "roads": sorted({str(roads.name[edge]) for edge in edges if roads.name[edge]}),
                },
            }
        )  # fmt: skip
    return ways


def _ellipse(x_m: np.ndarray, y_m: np.ndarray, longest_m: float) -> shapely.Geometry:
    """Ground from which both ends are within so many metres together: no way of that length leaves it."""
    half_m = longest_m / 2
    apart_m = float(np.hypot(x_m[1] - x_m[0], y_m[1] - y_m[0])) / 2
    across_m = np.sqrt(max(half_m**2 - apart_m**2, 1.0))
    circle = shapely.Point(0, 0).buffer(1.0, quad_segs=32)
    shape = shapely.affinity.scale(circle, half_m, across_m)
    turned = shapely.affinity.rotate(shape, np.degrees(np.arctan2(y_m[1] - y_m[0], x_m[1] - x_m[0])), origin=(0, 0))
    return shapely.affinity.translate(turned, x_m.mean(), y_m.mean())

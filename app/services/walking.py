"""Ways on foot between places that reports join: where people can have walked, not a line that somebody drew."""

from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

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
        shape = shapely.line_merge(shapely.multilinestrings(roads.geometry_m[edges]))
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

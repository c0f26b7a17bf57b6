"""Linked places: what vehicles, prisms and reports within a window join beyond chance."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.routing import Sightings
from data.store import Store
from geo import cells as h3cells
from geo.cluster import NOISE
from geo.model import AREA, Place
from geo.narrative import plural
from geo.nearby import features_within
from geo.outcome import Link
from geo.parameters import AnalysisParameters
from geo.place_network import LinkRules, PlaceNetwork, link_groups, link_places
from geo.prism import prism
from geo.temporal import midpoint_us
from geo.validate_features import project_geometries

# A vehicle seen so near a place's outline was at it.
AT_PLACE_M: Final = 30.0
MAX_VISIT_PRECISION_M: Final = 50.0
# Places watched for less than this are linked too often by the null model's own measure (docs/decisions/0014).
MIN_HISTORY_DAYS: Final = 182
_DAY_US: Final = 86_400_000_000
# Pairs of places grow with the square of their number, and a prism is long work: only the first places are linked.
MAX_PLACES: Final = 500
_MAX_PRISMS: Final = 5_000


def find_links(
    store: Store,
    parameters: AnalysisParameters,
    places: tuple[Place, ...],
    cluster: NDArray[np.int64],
    located: pd.DataFrame,
    seen: Sightings,
    *,
    seed: int,
) -> tuple[list[Link], dict[str, Any]]:
    """Links between places that are no mere areas, by rank the first of them, and the groups that they make."""
    chosen = [place for place in places if place.kind != AREA][:MAX_PLACES]
    if len(chosen) < 2:
        return [], {"groups": [], "pairs_possible": 0}
    outlines_m = project_geometries(
        np.asarray([h3cells.union_geometry(np.asarray(place.footprint, np.int64)) for place in chosen], object),
        store.crs,
    )
    at_m = shapely.get_coordinates(shapely.point_on_surface(outlines_m))
    visits, reports = _visits(seen, outlines_m), _reports(chosen, cluster, located)
    network = link_places(
        pd.DataFrame({"x_m": at_m[:, 0], "y_m": at_m[:, 1]}),
        visits=visits,
        reports=reports,
        prisms=_prisms(seen, outlines_m),
        rules=LinkRules(min_vehicles=parameters.min_vehicles, alpha=parameters.alpha, draws=parameters.simulations),
        seed=seed,
    )
    short = _history_days(visits, reports, len(chosen)) < MIN_HISTORY_DAYS
    doubtful = (
        int((network.links["significant"] & short[_ends(network)].any(axis=1)).sum()) if len(network.links) else 0
    )
    network = _without(network, short)
    return _links(chosen, network), _summary(chosen, network) | {"notes": _notes(doubtful, len(places))}


def _history_days(visits: pd.DataFrame, reports: pd.DataFrame, count: int) -> NDArray[np.float64]:
    """Days from the first to the last that is known of each place."""
    place = np.concatenate([visits["place"], reports["place"]]).astype(np.int64)
    at_us = np.concatenate([visits["at_us"], reports["from_us"]]).astype(np.int64)
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, place, at_us)
    np.maximum.at(last, place, at_us)
    return np.where(last >= first, (last.astype(float) - first) / _DAY_US, 0.0)


def _ends(network: PlaceNetwork) -> NDArray[np.int64]:
    return network.links[["place_a", "place_b"]].to_numpy(np.int64)


def _without(network: PlaceNetwork, short: NDArray[np.bool_]) -> PlaceNetwork:
    """The same links, none of them significant where a place has too short a history; groups are made anew."""
    if not len(network.links):
        return network
    links = network.links.assign(significant=network.links["significant"] & ~short[_ends(network)].any(axis=1))
    return replace(network, links=links, groups=link_groups(links, len(short)))


def _notes(doubtful: int, places: int) -> list[str]:
    left = [f"Only the first {MAX_PLACES} of {places:,} places are looked at."] if places > MAX_PLACES else []
    if not doubtful:
        return left
    return [
        *left,
        f"{plural(doubtful, 'link')} of places known for less than half a year: too short to tell from chance, so not shown as going together.",
    ]


def _visits(seen: Sightings, outlines_m: NDArray[np.object_]) -> pd.DataFrame:
    frame = seen.frame
    if not len(frame):
        return pd.DataFrame({"place": [], "actor": [], "at_us": []}, dtype=np.int64)
    sighting, place = _at_places(
        frame[["x_m", "y_m"]].to_numpy(float), frame["precision_m"].to_numpy(float), outlines_m
    )
    at_us = midpoint_us(frame["from_us"].to_numpy("int64"), frame["to_us"].to_numpy("int64"))
    actor = pd.factorize(frame["vehicle_hash"], sort=True)[0]
    return pd.DataFrame({"place": place, "actor": actor[sighting].astype(np.int64), "at_us": at_us[sighting]})


def _at_places(
    points_m: NDArray[np.float64], precision_m: NDArray[np.float64], outlines_m: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sightings at places and the place of each, the nearest; none where the position is not known well."""
    fine = np.flatnonzero(precision_m <= MAX_VISIT_PRECISION_M)
    sighting, place = features_within(points_m[fine], outlines_m, AT_PLACE_M)
    apart_m = shapely.distance(shapely.points(points_m[fine[sighting]]), outlines_m[place])
    order = np.lexsort((place, apart_m, sighting))
    order = order[np.diff(sighting[order], prepend=-1) != 0]
    return fine[sighting[order]], place[order]


def _reports(places: list[Place], cluster: NDArray[np.int64], located: pd.DataFrame) -> pd.DataFrame:
    """Times of the reports behind places; ``cluster`` is the number of each report's place."""
    most = max(int(cluster.max(initial=NOISE)), *(place.cluster for place in places))
    number = np.full(most + 2, NOISE)  # the last stands for no place
    number[[place.cluster for place in places]] = np.arange(len(places))
    place = number[cluster]
    held = place >= 0
    return located.loc[held, ["from_us", "to_us", "time_basis"]].assign(place=place[held]).reset_index(drop=True)


def _prisms(seen: Sightings, outlines_m: NDArray[np.object_]) -> pd.DataFrame:
    """Places that a vehicle seen at one place could have reached before it was seen again."""
    nothing = pd.DataFrame({"place": [], "reached": [], "actor": []}, dtype=np.int64)
    if seen.roads is None or not len(seen.frame):
        return nothing
    pairs = seen.pairs.pairs
    pairs = pairs[pairs["possible"]].reset_index(drop=True)
    precision_m = seen.frame["precision_m"].to_numpy(float)[pairs["origin"]]
    start, place = _at_places(pairs[["from_x_m", "from_y_m"]].to_numpy(float), precision_m, outlines_m)
    start, place = start[:_MAX_PRISMS], place[:_MAX_PRISMS]
    if not len(start):
        return nothing
    reach = prism(seen.roads, pairs.iloc[start].reset_index(drop=True))
    edge, reached = shapely.STRtree(outlines_m).query(seen.roads.geometry_m, predicate="dwithin", distance=AT_PLACE_M)
    beside = pd.DataFrame({"edge": edge, "reached": reached})
    found = pd.DataFrame({"pair": reach.pair, "edge": reach.edge}).merge(beside, on="edge")
    actor = pairs["vehicle"].to_numpy(np.int64)[start]
    row = found["pair"].to_numpy(np.int64)
    told = pd.DataFrame({"place": place[row], "reached": found["reached"].to_numpy(np.int64), "actor": actor[row]})
    return told[told["place"] != told["reached"]].drop_duplicates(ignore_index=True)


def _links(places: list[Place], network: PlaceNetwork) -> list[Link]:
    links = []
    for row in network.links.to_dict("records"):
        if not row["significant"] and set(row["kinds"]) == {"time"}:
            continue  # any two busy places have reports within three days of each other
        first, second = sorted((places[int(row["place_a"])].place_id, places[int(row["place_b"])].place_id))
        told = {name: _plain(value) for name, value in row.items() if name not in {"place_a", "place_b", "significant"}}
        links.append(Link(first_place=first, second_place=second, significant=bool(row["significant"]), evidence=told))
    return sorted(links, key=lambda one: (one.first_place, one.second_place))


def _summary(places: list[Place], network: PlaceNetwork) -> dict[str, Any]:
    groups = [
        {
            "places": [places[int(number)].place_id for number in row["places"]],
            "links": int(row["links"]),
            "weakest_q": _plain(row["weakest_q"]),
        }
        for row in network.groups.to_dict("records")
    ]
    return {
        "groups": groups,
        "pairs_possible": network.pairs_possible,
        "pairs_linked": network.pairs_linked,
        "significant": int(network.links["significant"].sum()),
        "reports_left_out": network.reports_left_out,
        "smallest_q": _plain(network.smallest_q),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return list(value)
    if isinstance(value, str):
        return value
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 1e15 else float(f"{number:.6g}")

"""What an analysis says besides cells and places: facilities, single reports of weight, routes and linked places."""

import numpy as np

from app.services.facilities import compare_kinds, high_grade, single_reports
from app.services.linking import find_links
from app.services.movements import movements
from app.services.placing import PlacesFound
from app.services.routing import find_routes, ranked, roads_round, sightings
from app.services.selecting import Selection
from app.services.walking import walking_ways
from data.store import Store
from geo import cells as h3cells
from geo.cluster import NOISE, Clustering
from geo.model import Scope
from geo.outcome import Besides
from geo.parameters import AnalysisParameters


def find_besides(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    selection: Selection,
    clustering: Clustering,
    found: PlacesFound,
    study: h3cells.Cells,
    *,
    seed: int,
) -> Besides:
    """Work out what lies beside the places, for the records of one analysis and its study cells."""
    located, around, seen = selection.located, found.around, found.seen
    facilities, kinds = compare_kinds(store, located, seen, around, study, seed=seed)
    vehicles = sightings(store, scope, parameters, selection.study)
    driven, told = find_routes(vehicles, parameters, store.crs, seed=seed)
    links, network = find_links(store, parameters, found.places, found.cluster, located, vehicles, seed=seed)
    by_id = {place.place_id: place for place in found.places}
    roads = vehicles.roads or (roads_round(store, scope, located) if any(link.significant for link in links) else None)
    walked = walking_ways(by_id, links, roads, store.crs, k=parameters.min_vehicles)
    routes = ranked(scope, driven + walked)
    alone = np.asarray(clustering.labels == NOISE)
    summary = {
        "routes": len(routes),
        "sightings": told,
        "movements": movements(vehicles, store.crs, k=parameters.min_vehicles),
        "network": network,
        "speak_of": _rounded(around.shares.plain) if around else {},
        "snapped_speak_of": _rounded(around.shares.snapped) if around else {},
        "facilities": kinds,
        "needs_decision": single_reports(located, alone, seen, around),
        "needs_decision_total": int((alone & high_grade(located)).sum()),
    }
    return Besides(facilities=tuple(facilities), routes=tuple(routes), links=tuple(links), summary=summary)


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {kind: round(share, 4) for kind, share in shares.items()}

"""What an analysis says besides cells and places: facilities, single reports of weight, routes and linked places."""

import numpy as np

from app.services.facilities import compare_kinds, single_reports
from app.services.linking import find_links
from app.services.placing import PlacesFound
from app.services.routing import find_routes, sightings
from app.services.selecting import Selection
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
    facilities, kinds = compare_kinds(store, seen, around, study, seed=seed)
    vehicles = sightings(store, scope, parameters, selection.study)
    routes, told = find_routes(scope, vehicles, parameters, store.crs)
    links, network = find_links(store, parameters, found.places, found.members, located, vehicles, seed=seed)
    alone = np.asarray(clustering.labels == NOISE)
    summary = {
        "routes": len(routes),
        "sightings": told,
        "network": network,
        "speak_of": {kind: round(share, 4) for kind, share in around.prior.items()} if around else {},
        "facilities": kinds,
        "needs_decision": single_reports(located, alone, seen, around),
    }
    return Besides(facilities=tuple(facilities), routes=tuple(routes), links=tuple(links), summary=summary)

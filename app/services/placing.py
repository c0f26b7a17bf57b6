"""From clusters to places: footprints, names with odds, evidence, order and identity."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.attributing import Surroundings, attribute_clusters, surroundings
from app.services.place_statistics import describe, order_places
from app.services.statistics import Findings
from data.store import Store
from geo import cells as h3cells
from geo.attribution import Attribution
from geo.cluster import NOISE, Clustering, width_m
from geo.evidence import basis_of, summarise
from geo.identity import match_places
from geo.model import AREA, Place, Scope
from geo.parameters import AnalysisParameters
from geo.scoring import score

PEAK_CELLS = 5


def make_places(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    located: pd.DataFrame,
    matches: pd.DataFrame,
    clustering: Clustering,
    findings: Findings,
    *,
    run_identity: str,
    as_of_us: int,
    seed: int,
) -> tuple[list[Place], dict[str, list[bytes]]]:
    """Return the places behind the clusters, in listing order, and the record keys behind each place.

    ``located`` has one record an event; ``matches`` names the further reports, which are behind the place too.
    """
    count = clustering.n_clusters
    clustered = clustering.labels != NOISE
    records, group = located[clustered], clustering.labels[clustered]
    rows_of = _rows_of(group, count)
    lon, lat = records["lon"].to_numpy(), records["lat"].to_numpy()
    cover = h3cells.index_points(lon, lat, parameters.footprint_resolution)
    core = clustering.core[clustering.inverse[clustered]]
    footprints = [_footprint(cover[rows], core[rows]) for rows in rows_of]
    known = {place.place_id: place.footprint for place in store.runs.known_places(scope)}
    # A run made again finds its own places again, wherever later runs have seen them since.
    known |= {place.place_id: place.footprint for place in store.runs.places(scope, run_identity)}
    ids = match_places([cells for cells, _ in footprints], known, org_id=scope.org_id, run_id=run_identity)
    widths_m = [width_m(clustering.points_m[points]) for points in _rows_of(clustering.point_labels, count)]
    too_wide = np.asarray(widths_m) > parameters.max_place_width_m
    around = surroundings(store, scope, located) if len(records) else None
    named = _named(records, group, too_wide, around) if around is not None else {}
    keys = records["record_key"].map(bytes)
    also = matches.assign(group=matches["event_key"].map(dict(zip(keys, group, strict=True)))).dropna(subset="group")
    evidence = summarise(records, group, count, as_of_us=as_of_us, also=also)
    told = describe(
        parameters,
        records,
        group,
        [np.asarray(cells, np.int64) for cells, _ in footprints],
        findings,
        as_of_us=as_of_us,
    )
    own_cells = h3cells.index_points(lon, lat, parameters.resolution)
    for number, facts in enumerate(evidence):
        facts.update(told[number], width_m=round(widths_m[number], 1))
        facts["score"] = score(facts)
        if around is not None and number in named:
            facts["feature"] = around.key_of(named[number].feature)
            facts["unattributed"] = named[number].unattributed
        if too_wide[number]:
            facts["peak_cells"] = _peaks(own_cells[rows_of[number]])
    order = order_places(evidence, seed=seed)
    places = []
    for rank, number in enumerate(order, start=1):
        found = named.get(number, Attribution(None, AREA, None, 0.0, ()))
        cells, peak = footprints[number]
        places.append(
            Place(
                place_id=ids[number],
                rank=rank,
                cluster=number,
                kind=found.kind,
                name=found.name,
                probability=None if found.kind == AREA else found.probability,
                basis=basis_of(evidence[number]),
                records=evidence[number]["records"],
                footprint=cells,
                peak_cell=peak,
                evidence=evidence[number],
                alternatives=found.alternatives,
            )
        )
    members = {ids[number]: keys.iloc[rows].tolist() for number, rows in enumerate(rows_of)}
    for number, key in zip(also["group"].astype(int), also["record_key"], strict=True):
        members[ids[number]].append(key)
    return places, members


def _named(
    records: pd.DataFrame, group: NDArray[np.int64], too_wide: NDArray[np.bool_], around: Surroundings
) -> dict[int, Attribution]:
    """Attribution of every cluster narrow enough to be one place."""
    narrow = ~too_wide[group]
    return attribute_clusters(records[narrow], group[narrow], around) if narrow.any() else {}


def _rows_of(group: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Positions of the members of each group, in order of position."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(count + 1))
    return [order[starts[i] : starts[i + 1]] for i in range(count)]


def _footprint(cells: NDArray[np.int64], core: NDArray[np.bool_]) -> tuple[tuple[int, ...], int]:
    """Cells that hold core points, sorted, and the one with the most records."""
    distinct, counts = np.unique(cells[core], return_counts=True)
    return tuple(distinct.tolist()), int(distinct[counts.argmax()])


def _peaks(cells: NDArray[np.int64]) -> list[dict[str, Any]]:
    distinct, counts = np.unique(cells, return_counts=True)
    order = np.lexsort((distinct, -counts))[:PEAK_CELLS]
    return [{"cell": h3cells.cell_text([distinct[i]])[0], "records": int(counts[i])} for i in order]

"""From clusters to places: footprints, names with odds, evidence, order and identity."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.attributing import Surroundings, attribute_clusters, first_named, record_odds, surroundings
from app.services.deciding import Memory
from app.services.place_statistics import describe, order_places
from app.services.routing import any_elongated, roads_round, stretches
from app.services.statistics import Findings
from data.store import Store
from geo import cells as h3cells
from geo.attribution import Attribution, Odds
from geo.cluster import NOISE, Clustering, width_m
from geo.evidence import basis_of, summarise
from geo.identity import match_places, regroup
from geo.model import AREA, ROUTE, LocationBasis, Place, Scope
from geo.parameters import AnalysisParameters
from geo.scoring import score

PEAK_CELLS = 5


@dataclass(frozen=True)
class PlacesFound:
    """Places in listing order, the record keys behind each, and the geography that they were named by.

    ``seen`` has the odds of every located record, by its position; ``remembered`` the footprints that places are known by from now on.
    """

    places: tuple[Place, ...]
    members: dict[str, list[bytes]]
    around: Surroundings | None
    seen: Odds | None
    remembered: dict[str, tuple[int, ...]]


def make_places(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    located: pd.DataFrame,
    matches: pd.DataFrame,
    clustering: Clustering,
    findings: Findings,
    remembered: Memory,
    *,
    run_identity: str,
    as_of_us: int,
    seed: int,
) -> PlacesFound:
    """Find the places behind the clusters.

    ``located`` has one record an event; ``matches`` names the further reports, which are behind the place too.
    """
    clustered = clustering.labels != NOISE
    records = located[clustered]
    core = clustering.core[clustering.inverse[clustered]]
    cover = h3cells.index_points(records["lon"].to_numpy(), records["lat"].to_numpy(), parameters.footprint_resolution)
    group, ids, matched = _identify(
        store, scope, remembered, records, clustering.labels[clustered], cover, core, run_identity
    )
    count, rows_of = len(ids), _rows_of(group, len(ids))
    footprints = [_footprint(cover[rows], core[rows]) for rows in rows_of]
    points_m = records[["x_m", "y_m"]].to_numpy(float)
    widths_m = [width_m(np.unique(points_m[rows], axis=0)) for rows in rows_of]
    too_wide = np.asarray(widths_m) > parameters.max_place_width_m
    around = surroundings(store, scope, located) if len(records) else None
    named = _named(records, group, too_wide, around) if around is not None else {}
    named |= _along_roads(store, scope, records, group, count)
    seen = record_odds(located, around) if around is not None and len(around.reference) else None
    firsts = first_named(seen, len(located))[clustered]
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
    own_cells = h3cells.index_points(records["lon"].to_numpy(), records["lat"].to_numpy(), parameters.resolution)
    for number, facts in enumerate(evidence):
        facts.update(told[number], width_m=round(widths_m[number], 1))
        facts["score"] = score(facts)
        if around is not None and number in named:
            feature = named[number].feature
            facts["feature"] = around.key_of(feature)
            facts["records_agree"] = None if feature is None else int((firsts[rows_of[number]] == feature).sum())
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
    known_by = {ids[number]: cells for number, (cells, _) in enumerate(footprints)} | matched
    members = {ids[number]: keys.iloc[rows].tolist() for number, rows in enumerate(rows_of)}
    for number, key in zip(also["group"].astype(int), also["record_key"], strict=True):
        members[ids[number]].append(key)
    return PlacesFound(tuple(places), members, around, seen, known_by)


def _identify(
    store: Store,
    scope: Scope,
    remembered: Memory,
    records: pd.DataFrame,
    group: NDArray[np.int64],
    cover: NDArray[np.int64],
    core: NDArray[np.bool_],
    run_identity: str,
) -> tuple[NDArray[np.int64], list[str], dict[str, tuple[int, ...]]]:
    """Place of each record: clusters found again by their footprints, then joined and parted as people said.

    The footprints are those of the clusters: a place that was merged is known again by its own, not by the whole's.
    """
    known = dict(remembered.known)
    # A run made again finds its own places again, wherever later runs have seen them since.
    known |= {place.place_id: place.footprint for place in store.runs.places(scope, run_identity)}
    footprints = [_footprint(cover[rows], core[rows])[0] for rows in _rows_of(group, int(group.max(initial=-1)) + 1)]
    ids = match_places(footprints, known, org_id=scope.org_id, run_id=run_identity)
    points_m = records[["x_m", "y_m"]].to_numpy(float)
    return *regroup(points_m, group, ids, remembered.rulings), dict(zip(ids, footprints, strict=True))


def _named(
    records: pd.DataFrame, group: NDArray[np.int64], too_wide: NDArray[np.bool_], around: Surroundings
) -> dict[int, Attribution]:
    """Attribution of every cluster narrow enough to be one place."""
    narrow = ~too_wide[group]
    return attribute_clusters(records[narrow], group[narrow], around) if narrow.any() else {}


def _along_roads(
    store: Store, scope: Scope, records: pd.DataFrame, group: NDArray[np.int64], count: int
) -> dict[int, Attribution]:
    """Clusters that lie along a road are a stretch of it and not a blob; moved points line up by construction."""
    exact = (records["location_basis"] == LocationBasis.EXACT).to_numpy(bool)
    if not exact.any() or not any_elongated(records, group, count):
        return {}
    lying = stretches(records, group, count, roads_round(store, scope, records))
    mostly = 2 * np.bincount(group[exact], minlength=count) > np.bincount(group, minlength=count)
    return {
        number: Attribution(None, ROUTE, road, round(share, 4), (), round(1 - share, 4))
        for number, (road, share) in lying.items()
        if mostly[number]
    }


def _rows_of(group: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Positions of the members of each group, in order of position."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(count + 1))
    return [order[starts[i] : starts[i + 1]] for i in range(count)]


def _footprint(cells: NDArray[np.int64], core: NDArray[np.bool_]) -> tuple[tuple[int, ...], int]:
    """Cells that hold core points, sorted, and the one with the most records; a part split off may hold none."""
    distinct, counts = np.unique(cells[core] if core.any() else cells, return_counts=True)
    return tuple(distinct.tolist()), int(distinct[counts.argmax()])


def _peaks(cells: NDArray[np.int64]) -> list[dict[str, Any]]:
    distinct, counts = np.unique(cells, return_counts=True)
    order = np.lexsort((distinct, -counts))[:PEAK_CELLS]
    return [{"cell": h3cells.cell_text([distinct[i]])[0], "records": int(counts[i])} for i in order]

"""From clusters to places: footprints, names with odds, evidence, order and identity."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.attributing import Surroundings, attribute_clusters, first_named, record_odds, surroundings
from app.services.place_groups import PlaceGroups, group_records
from app.services.place_statistics import describe, order_places
from app.services.routing import any_elongated, roads_round, stretches
from app.services.run_inputs import RunInputs
from app.services.selecting import Selection
from app.services.statistics import Findings
from data.store import Store
from geo import cells as h3cells
from geo.attribution import Attribution, Odds
from geo.cluster import NOISE, Clustering
from geo.evidence import basis_of, summarise
from geo.membership import among
from geo.model import AREA, ROUTE, LocationBasis, Place, Scope
from geo.parameters import AnalysisParameters
from geo.scoring import score

PEAK_CELLS = 5
_UNNAMED = Attribution(None, AREA, None, 0.0, ())


@dataclass(frozen=True)
class PlacesFound:
    """Places in listing order, the record keys behind each, and the geography that they were named by.

    ``seen`` has the odds of every located record, by its position, and ``cluster`` the number of its place, -1 where none;
    ``remembered`` the footprints that places are known by from now on.
    """

    places: tuple[Place, ...]
    members: dict[str, list[bytes]]
    around: Surroundings | None
    seen: Odds | None
    remembered: dict[str, tuple[int, ...]]
    cluster: NDArray[np.int64]


def make_places(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    selection: Selection,
    clustering: Clustering,
    findings: Findings,
    inputs: RunInputs,
    *,
    as_of_us: int,
) -> PlacesFound:
    """Find the places behind the clusters.

    The selection's ``matches`` name the further reports of its records, which are behind the place too.
    """
    located = selection.located
    groups = group_records(store, scope, parameters, selection, clustering, inputs)
    too_wide = np.asarray(groups.widths_m) > parameters.max_place_width_m
    around = surroundings(store, scope, located) if len(located) else None
    named = _named(groups, too_wide, around) if around is not None else {}
    named |= _along_roads(store, scope, groups)
    seen = record_odds(located, around) if around is not None and len(around.reference) else None
    also = _further_reports(selection.matches, groups)
    own_cells = selection.at.cells(parameters.resolution)[groups.clustered]
    evidence = _evidence(parameters, groups, own_cells, also, findings, as_of_us=as_of_us)
    if around is not None:
        _add_names(evidence, groups, named, around, first_named(seen, len(located))[groups.clustered])
    _add_peaks(evidence, groups, too_wide, own_cells)
    places = tuple(
        _place(rank, number, groups, named.get(number, _UNNAMED), evidence[number])
        for rank, number in enumerate(order_places(evidence, seed=inputs.seed), start=1)
    )
    known_by = {groups.ids[number]: cells for number, (cells, _) in enumerate(groups.footprints)} | groups.matched
    cluster = np.full(len(located), NOISE)
    cluster[groups.clustered] = groups.group
    return PlacesFound(places, _members(groups, also), around, seen, known_by, cluster)


def _named(groups: PlaceGroups, too_wide: NDArray[np.bool_], around: Surroundings) -> dict[int, Attribution]:
    """Attribution of every cluster narrow enough to be one place."""
    narrow = ~too_wide[groups.group]
    return attribute_clusters(groups.records[narrow], groups.group[narrow], around) if narrow.any() else {}


def _along_roads(store: Store, scope: Scope, groups: PlaceGroups) -> dict[int, Attribution]:
    """Clusters that lie along a road are a stretch of it and not a blob; moved points line up by construction."""
    records, group, count = groups.records, groups.group, len(groups.ids)
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


def _further_reports(matches: pd.DataFrame, groups: PlaceGroups) -> pd.DataFrame:
    """Reports that are counted with a record of a place, and which place that is."""
    told = among(groups.keys, matches["event_key"])
    place_of = dict(zip(groups.keys[told], groups.group[told], strict=True))
    return matches.assign(group=matches["event_key"].map(place_of)).dropna(subset="group")


def _evidence(
    parameters: AnalysisParameters,
    groups: PlaceGroups,
    own_cells: h3cells.Cells,
    also: pd.DataFrame,
    findings: Findings,
    *,
    as_of_us: int,
) -> list[dict[str, Any]]:
    """Evidence of each place with its statistics and score."""
    evidence = summarise(groups.records, groups.group, len(groups.ids), as_of_us=as_of_us, also=also)
    footprints = [np.asarray(cells, np.int64) for cells, _ in groups.footprints]
    told = describe(parameters, groups.records, groups.group, own_cells, footprints, findings, as_of_us=as_of_us)
    for facts, statistics, across_m in zip(evidence, told, groups.widths_m, strict=True):
        facts.update(statistics, width_m=round(across_m, 1))
        facts["score"] = score(facts)
    return evidence


def _add_names(
    evidence: list[dict[str, Any]],
    groups: PlaceGroups,
    named: dict[int, Attribution],
    around: Surroundings,
    firsts: NDArray[np.int64],
) -> None:
    """Add which feature a place was named by, how many of its records name it first, and what speaks against it."""
    for number, found in named.items():
        agree = None if found.feature is None else int((firsts[groups.rows[number]] == found.feature).sum())
        evidence[number] |= {
            "feature": around.key_of(found.feature),
            "records_agree": agree,
            "unattributed": found.unattributed,
        }


def _add_peaks(
    evidence: list[dict[str, Any]], groups: PlaceGroups, too_wide: NDArray[np.bool_], own_cells: h3cells.Cells
) -> None:
    """Add the fullest cells of what is too wide to be one place."""
    for number in np.flatnonzero(too_wide).tolist():
        evidence[number]["peak_cells"] = _peaks(own_cells[groups.rows[number]])


def _place(rank: int, number: int, groups: PlaceGroups, found: Attribution, facts: dict[str, Any]) -> Place:
    """Put together what is known of one place."""
    cells, peak = groups.footprints[number]
    return Place(
        place_id=groups.ids[number],
        rank=rank,
        cluster=number,
        kind=found.kind,
        name=found.name,
        probability=None if found.kind == AREA else found.probability,
        basis=basis_of(facts),
        records=facts["records"],
        footprint=cells,
        peak_cell=peak,
        evidence=facts,
        alternatives=found.alternatives,
    )


def _members(groups: PlaceGroups, also: pd.DataFrame) -> dict[str, list[bytes]]:
    """Keys of the records behind each place, and of their further reports."""
    keys = groups.keys
    members = {groups.ids[number]: keys.iloc[rows].tolist() for number, rows in enumerate(groups.rows)}
    for number, key in zip(also["group"].astype(int), also["record_key"], strict=True):
        members[groups.ids[number]].append(key)
    return members


def _peaks(cells: NDArray[np.int64]) -> list[dict[str, Any]]:
    distinct, counts = np.unique(cells, return_counts=True)
    order = np.lexsort((distinct, -counts))[:PEAK_CELLS]
    return [{"cell": h3cells.cell_text([distinct[i]])[0], "records": int(counts[i])} for i in order]

"""Released layers of a run: the only way that cells and places reach a map or a file."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely

from app.services.nominated import NominatedPlace, nominated_places
from app.services.reference_layers import release_reference, shown_features
from app.services.route_layers import link_features, route_features
from app.services.rulings import rulings
from app.services.synthetic import is_synthetic
from app.services.tasking import AcceptedPlace, accepted_places, place_point
from app.services.wording import place_words
from data.store import Store
from geo import cells as h3cells
from geo.decisions import Standing, as_decided, is_rejected
from geo.disclosure import ReleasedLayer, release
from geo.errors import Conflict
from geo.fields import FIELDS
from geo.model import FeatureKind, Layer, Place, Profile, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from geo.temporal import LONDON, from_micros

# Records that match a filter, by the identity of each place that it shows.
PlaceFilter = Mapping[str, int]
# Bounds of a map that holds nothing.
GREAT_BRITAIN = (-7.6, 49.9, 1.8, 59.0)
REFERENCE_KINDS = (
    FeatureKind.BOUNDARY,
    FeatureKind.PARKS,
    FeatureKind.ROADS,
    FeatureKind.PREMISES,
    FeatureKind.BUILDINGS,
)


def require_layers(run: Run) -> None:
    """Refuse an analysis whose records were purged, or that an earlier version made: it cannot be shown or checked.

    Raises
    ------
    Conflict
    """
    if run.purged_at_us is not None:
        raise Conflict(f"{purge_words(run)} Make it again: lapwing analyse")
    if run.summary.get("hot_cells") is None:
        raise Conflict(f"Analysis {run.run_id} was made before there were statistics. Make it again: lapwing analyse")


def purge_words(run: Run) -> str:
    """Say in a sentence that an analysis has lost its layers."""
    day = from_micros(run.purged_at_us or 0).astimezone(LONDON).date().isoformat()
    return f"Records that analysis {run.run_id} rests on were removed on {day}, and its layers with them."


def released_layer(
    store: Store,
    scope: Scope,
    run: Run,
    layer: Layer,
    profile: Profile,
    *,
    listed: PlaceFilter | None = None,
    kinds: tuple[str, ...] = (),
) -> ReleasedLayer:
    """Release a layer of a run for an audience.

    ``listed`` chooses places that the run found, and says how many records of each match; ``kinds`` chooses nominated ones.

    Raises
    ------
    DisclosureError
        When the audience may not have the layer.
    """
    require_layers(run)
    if layer is Layer.PLACES:
        frame, geometry = _places(store, scope, run, profile, listed=listed, kinds=kinds)
    else:
        frame, geometry = _MAKERS[layer](store, scope, run, profile)
    return _released(store, scope, run, layer, frame, geometry, profile=profile)


def _released(
    store: Store,
    scope: Scope,
    run: Run,
    layer: Layer,
    frame: pd.DataFrame,
    geometry: np.ndarray,
    *,
    profile: Profile = Profile.OPERATIONAL,
) -> ReleasedLayer:
    """Release with the store's own mark: synthetic or not."""
    return release(layer, frame, geometry, run=run, profile=profile, synthetic=is_synthetic(store, scope))


def _cells(store: Store, scope: Scope, run: Run, profile: Profile) -> tuple[pd.DataFrame, np.ndarray]:
    cells = store.runs.cells(scope, run.run_id)
    wanted = _resolution(run, profile)
    cells = cells[h3cells.resolutions(cells["cell"].to_numpy()) == wanted].reset_index(drop=True)
    geometry = h3cells.boundaries(cells["cell"].to_numpy())
    text = h3cells.cell_text(cells["cell"])
    frame = cells.assign(id=text, cell=text)
    if profile is not Profile.OPERATIONAL:
        return frame.drop(columns="snapped"), geometry
    statistics = store.runs.statistics(scope, run.run_id).drop(columns="share")
    return frame.merge(statistics.assign(cell=h3cells.cell_text(statistics["cell"])), on="cell"), geometry


def _resolution(run: Run, profile: Profile) -> int:
    parameters = AnalysisParameters.from_json(run.parameters)
    return parameters.resolution if profile is Profile.OPERATIONAL else parameters.shared_resolution


def _places(
    store: Store,
    scope: Scope,
    run: Run,
    profile: Profile,
    *,
    listed: PlaceFilter | None = None,
    kinds: tuple[str, ...] = (),
) -> tuple[pd.DataFrame, np.ndarray]:
    decided_on = rulings(store, scope)
    found = [one for one in store.runs.places(scope, run.run_id) if listed is None or one.place_id in listed]
    decided = [as_decided(place, decided_on) for place in found]
    rejected = set()
    if profile is not Profile.OPERATIONAL:  # what people call a place may be somebody's address: it stays inside
        decided = [(place, one) for place, (_, one) in zip(found, decided, strict=True)]
        rejected = {place.place_id for place in found if is_rejected(place.place_id, decided_on)}
    places = [place for place, _ in decided]
    told = [str(Verdict.REJECT) if place.place_id in rejected else one.verdict for place, one in decided]
    rows = [_place_row(place, run, verdict, profile) for place, verdict in zip(places, told, strict=True)]
    for row in rows:
        row["in_view"] = row["records"] if listed is None else listed[row["place"]]
    named = nominated_places(store, scope, run, kinds=kinds)
    rows += [_nominated_row(one) for one in named]
    places += [one.as_place() for one in named]
    columns = [field.name for field in FIELDS[Layer.PLACES] if profile in field.audiences]
    columns = list(dict.fromkeys(["id", "days", "months", "month_only", "decision", *columns]))
    frame = pd.DataFrame(rows, columns=columns, dtype=object).infer_objects()
    frame = frame.drop(columns=["marking", "profile", "run", "generated"])
    if profile is Profile.OPERATIONAL:
        return frame, np.asarray([footprint_geometry(place) for place in places], dtype=object)
    shapes = _outlines_outside(store, scope, run, profile, places)
    empty = shapely.is_empty(shapes)  # it lies in cells that the audience may not have: neither may it be told of
    frame.loc[empty, ["records", "days", "months", "month_only"]] = 0
    return frame, shapes


def _outlines_outside(store: Store, scope: Scope, run: Run, profile: Profile, places: list[Place]) -> np.ndarray:
    """Outlines of places for an audience outside operations: of cells that it has anyway, since others would show through."""
    cells = released_layer(store, scope, run, Layer.CELLS, profile).features["cell"]
    shown = np.asarray([h3cells.cell_number(cell) for cell in cells], np.int64)
    wanted = _resolution(run, profile)
    parts = [np.unique(h3cells.parents(np.asarray(place.footprint, np.int64), wanted)) for place in places]
    return np.asarray([h3cells.union_geometry(np.intersect1d(part, shown)) for part in parts], dtype=object)


def _place_row(place: Place, run: Run, decision: str, profile: Profile) -> dict[str, Any]:
    evidence = place.evidence
    row = {name: getattr(place, name) for name in ("rank", "kind", "name", "records", "probability", "basis")}
    row |= {name: evidence[name] for name in ("days", "months", "month_only", "sources", "first_day", "last_day")}
    row |= {
        "id": place.place_id,
        "place": place.place_id,
        "decision": decision,
        "score": evidence["score"]["score"],
        **{name: evidence[name] for name in ("rate_ratio", "scan_p", "trend", "rank_without_ours")},
        "significant": int(evidence["significant"]),
        "held_in": -1 if evidence["held_in"] is None else evidence["held_in"],
        "rank_low": evidence["rank_interval"][0],
        "rank_high": evidence["rank_interval"][1],
    }
    return row | {"why": place_words(place, run, profile)}


def footprint_geometry(place: Place) -> shapely.Geometry:
    """Outline of a place for operations: its own cells."""
    return h3cells.union_geometry(np.asarray(place.footprint, np.int64))


def _tasking(store: Store, scope: Scope, run: Run, _: Profile) -> tuple[pd.DataFrame, np.ndarray]:
    accepted = accepted_places(store, scope, run).accepted
    names = [
        field.name for field in FIELDS[Layer.TASKING] if field.name not in {"marking", "profile", "run", "generated"}
    ]
    frame = pd.DataFrame([_task_row(one) for one in accepted], columns=["id", *names])
    return frame, np.asarray([footprint_geometry(one.place) for one in accepted], dtype=object)


def _task_row(task: AcceptedPlace) -> dict[str, Any]:
    return {"id": task.place.place_id} | task.columns()


_MAKERS = {
    Layer.CELLS: _cells,
    Layer.ROUTES: route_features,
    Layer.NETWORK: link_features,
    Layer.TASKING: _tasking,
}


def reference_layer(store: Store, scope: Scope, run: Run, kind: FeatureKind) -> ReleasedLayer:
    """Release imported reference geography round a run's cells, for the base of a map."""
    west, south, east, north = run_bounds(store, scope, run)
    features = shown_features(store, scope, [kind], (west, south, east, north))
    tolerance_degrees = 2e-5  # about 2 m: invisible, and a third of the vertices
    shapes = shapely.simplify(features["geometry"].to_numpy(object), tolerance_degrees, preserve_topology=True)
    return release_reference(store, scope, run, str(kind), features["name"].tolist(), shapes)


def run_bounds(store: Store, scope: Scope, run: Run) -> tuple[float, float, float, float]:
    """West, south, east and north of the cells that hold records, with a margin; the study area when none does."""
    cells = store.runs.cells(scope, run.run_id, min_records=1)
    if cells.empty:
        cells = store.runs.cells(scope, run.run_id)
    cells = cells[h3cells.resolutions(cells["cell"].to_numpy()) == _resolution(run, Profile.PARTNER)]
    lon, lat = h3cells.centres(cells["cell"].to_numpy())
    if not len(lon):
        return GREAT_BRITAIN
    margin = 0.005
    return (
        float(lon.min()) - margin,
        float(lat.min()) - margin,
        float(lon.max()) + margin,
        float(lat.max()) + margin,
    )


def _nominated_row(one: NominatedPlace) -> dict[str, Any]:
    """Fields of a place that a person named: no rank, odds or statistics."""
    place = one.as_place()
    row = {name: getattr(place, name) for name in ("kind", "name", "records", "basis")}
    row |= {"id": place.place_id, "place": place.place_id, "decision": one.standing.verdict, "why": one.words}
    return row | dict.fromkeys(("days", "months", "month_only", "sources", "in_view"), 0)


def place_dict(place: Place, run: Run, standing: Standing) -> dict[str, Any]:
    """Return a place as plain values for the command line."""
    lon, lat = place_point(place, standing)
    return {
        "place": place.place_id,
        "rank": place.rank,
        "kind": place.kind,
        "name": place.name,
        "records": place.records,
        "probability": place.probability,
        "basis": place.basis,
        "decision": standing.verdict,
        "merged_into": standing.merged_into,
        "moved": standing.point is not None,
        "peak_cell": h3cells.cell_text([place.peak_cell])[0],
        "lon": round(lon, 6),
        "lat": round(lat, 6),
        "why": place_words(place, run),
        "evidence": place.evidence,
        "alternatives": list(place.alternatives),
    }

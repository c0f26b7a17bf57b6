"""The main job: filter, cells with their zeros, clusters, places, one reproducible run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import geo
from app.services.corroborating import match_reports
from app.services.placing import make_places
from app.services.protection import MARGIN_M, near_protected
from app.services.stacks import REPORTS, weigh_positions
from data.audit import Verb
from data.store import Store
from geo import cells as h3cells
from geo.cluster import dbscan
from geo.errors import InvalidParameter
from geo.evidence import is_snapped
from geo.model import (
    AnalysisParameters,
    LocationBasis,
    Place,
    RecordKind,
    Run,
    Scope,
    TimeBasis,
    run_id,
)
from geo.narrative import plural
from geo.tally import tally_cells
from geo.temporal import LONDON, day_interval, from_micros, local_months, midpoint_us, missing_months

Progress = Callable[[str], None]


def _quiet(_: str) -> None:
    """No progress wanted."""


@dataclass(frozen=True)
class _Selection:
    """Records that match the filter, sorted into what can and cannot be mapped.

    ``located`` has one record an event; ``matches`` says which further reports are counted with which of them.
    """

    located: pd.DataFrame
    matches: pd.DataFrame
    unlocated: int
    set_aside: int
    outside: int
    protected: int
    months: NDArray[np.int64]
    study: shapely.Geometry | None


def choose_kinds(store: Store, scope: Scope, wanted: tuple[str, ...]) -> dict[str, Any]:
    """Split ``--kinds`` words into record kinds and categories.

    Raises
    ------
    InvalidParameter
        When a word is neither.
    """
    record_kinds = tuple(word for word in wanted if word in set(RecordKind))
    categories = tuple(word for word in wanted if word not in set(RecordKind))
    if categories and (unknown := sorted(set(categories) - set(known := store.evidence.categories(scope)))):
        listed = ", ".join([*RecordKind, *known])[:400]
        raise InvalidParameter(f"--kinds: nothing is of kind {unknown[0]!r}; known are {listed}.")
    chosen: dict[str, Any] = {"categories": categories}
    return chosen | ({"record_kinds": record_kinds} if record_kinds else {})


def analyse(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    *,
    seed: int,
    now_us: int,
    as_of_us: int | None = None,
    progress: Progress = _quiet,
) -> Run:
    """Run the analysis and store it whole; the same inputs, parameters, version and seed give the same run.

    ``as_of_us`` is the run's stored time, the moment recency is counted from; it is not part of the id. Without it, a
    run that is already stored over the same inputs is returned as it is, else the time is ``now_us``.
    """
    hashes = store.evidence.input_hashes(scope, parameters.record_kinds)
    batches = sorted(b.batch_id for b in store.evidence.batches(scope) if b.undone_at_us is None)
    identity = run_id(parameters=parameters, input_hashes=hashes, code_version=geo.__version__, seed=seed)
    known = store.runs.find(scope, identity)
    if (
        known
        and known.purged_at_us is None
        and known.summary["batches"] == batches
        and as_of_us in {None, known.generated_at_us}
    ):
        return known
    made_at_us = now_us if as_of_us is None else as_of_us
    progress("Reading records")
    selection = _select(store, scope, parameters)
    progress("Counting cells")
    cells = _cells(selection, parameters)
    progress("Clustering")
    located = selection.located
    clustering = dbscan(
        located["x_m"].to_numpy(),
        located["y_m"].to_numpy(),
        eps_m=parameters.eps_m,
        min_weight=parameters.min_weight,
    )
    progress("Naming places")
    places, members = make_places(
        store, scope, parameters, located, selection.matches, clustering, run_identity=identity, as_of_us=now_us
    )
    own = h3cells.resolutions(cells["cell"].to_numpy()) == parameters.resolution
    summary = _summary(store, parameters, selection, places) | {"cells": int(own.sum()), "batches": batches}
    run = Run(
        run_id=identity, parameters=parameters.as_json(), input_hashes=hashes, code_version=geo.__version__, seed=seed,
        generated_at_us=made_at_us, created_by=scope.actor, summary=summary,
    )  # fmt: skip
    progress("Saving")
    with store.database.transaction():
        store.runs.save(scope, run, cells, places, members, selection.matches)
        store.audit.append(
            scope, Verb.COMBINATION, f"run:{identity}", now_us, records=summary["records"], inputs=len(hashes)
        )
    return run


def _select(store: Store, scope: Scope, parameters: AnalysisParameters) -> _Selection:
    # What a coordinate is shows in all reports, whichever are asked for.
    records = store.evidence.records(scope, sorted({*parameters.record_kinds, *REPORTS}))
    records = weigh_positions(store, scope, records)
    records = records[records["kind"].isin(parameters.record_kinds)]
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    keep = np.ones(len(records), bool)
    if parameters.date_from:
        keep &= at_us >= day_interval(parameters.date_from)[0]
    if parameters.date_to:
        keep &= at_us < day_interval(parameters.date_to)[1]
    if parameters.categories:
        keep &= records["category"].isin(parameters.categories).to_numpy(bool)
    records, at_us = records[keep].reset_index(drop=True), at_us[keep]
    set_aside = records["set_aside"].to_numpy(bool)
    coarse = (records["location_basis"] == LocationBasis.CELL).to_numpy(bool)
    without = (records["location_basis"] == LocationBasis.NONE).to_numpy(bool)
    study = store.evidence.area(scope, parameters.area) if parameters.area else None
    outside, guarded = _where(store, scope, records, set_aside | coarse | without, study)
    mapped = ~(set_aside | coarse | without | outside | guarded)
    known = records.assign(**{name: records[name].where(mapped) for name in ("x_m", "y_m")})
    matches = match_reports(store, scope, known[~(outside | guarded | coarse)])
    again = records["record_key"].map(bytes).isin(matches["record_key"]).to_numpy(bool)
    return _Selection(
        located=records[mapped & ~again].reset_index(drop=True),
        matches=matches,
        unlocated=int((without & ~again).sum()),
        set_aside=int((set_aside & ~again).sum()),
        outside=int((outside & ~guarded).sum()),
        protected=int((guarded | coarse).sum()),
        months=np.unique(local_months(at_us)),
        study=study,
    )


def _where(
    store: Store, scope: Scope, records: pd.DataFrame, nowhere: NDArray[np.bool_], study: shapely.Geometry | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which records lie outside the area, and which at or near a protected place inside it."""
    outside, guarded = np.zeros(len(records), bool), np.zeros(len(records), bool)
    here = np.flatnonzero(~nowhere)
    placed = records.iloc[here]
    if study is not None:
        shapely.prepare(study)
        outside[here] = ~shapely.intersects_xy(study, placed["lon"].to_numpy(), placed["lat"].to_numpy())
    points_m = shapely.points(placed["x_m"].to_numpy(), placed["y_m"].to_numpy())
    guarded[here] = near_protected(store, scope, points_m, MARGIN_M)
    return outside, guarded & ~outside


def _cells(selection: _Selection, parameters: AnalysisParameters) -> pd.DataFrame:
    """Counts at the run's own resolution and at the one shared outside operations."""
    located = selection.located
    lon, lat = located["lon"].to_numpy(), located["lat"].to_numpy()
    frames = []
    for resolution in sorted({parameters.resolution, parameters.shared_resolution}):
        occupied = h3cells.index_points(lon, lat, resolution)
        frames.append(tally_cells(located, occupied, _study_cells(selection.study, occupied, resolution)))
    return pd.concat(frames, ignore_index=True)


def _study_cells(study: shapely.Geometry | None, occupied: NDArray[np.int64], resolution: int) -> NDArray[np.int64]:
    if study is None:
        return h3cells.disks(np.unique(occupied), 2)
    west, south, east, north = study.bounds
    area_km2 = (east - west) * (north - south) * 111.3**2 * np.cos(np.radians((south + north) / 2))
    if (expected := h3cells.estimated_cells(area_km2, resolution)) > h3cells.MAX_STUDY_CELLS:
        raise InvalidParameter(
            f"The area would have about {expected:,.0f} cells; choose a coarser --resolution than {resolution}."
        )
    return h3cells.cells_within(study, resolution)


def _summary(
    store: Store, parameters: AnalysisParameters, selection: _Selection, places: list[Place]
) -> dict[str, Any]:
    located = selection.located
    gaps = missing_months(selection.months, first=parameters.date_from, last=parameters.date_to)
    warnings = []
    if selection.unlocated:
        warnings.append(f"{plural(selection.unlocated, 'record')} without a position: counted, but on no map.")
    if selection.set_aside:
        warnings.append(
            f"{plural(selection.set_aside, 'record')} on a coordinate that stands for no place, or where reports are made:"
            " counted, but on no map."
        )
    if len(selection.matches):
        warnings.append(f"{plural(len(selection.matches), 'report')} of events that others tell of too: counted once.")
    if selection.outside:
        warnings.append(f"{plural(selection.outside, 'record')} outside the chosen area: left out.")
    if selection.protected:
        warnings.append(f"{plural(selection.protected, 'record')} at or near protected places: left out.")
    if gaps:
        warnings.append(f"No records for {', '.join(gaps[:12])}: missing months are not quiet months.")
    if parameters.area is None:
        warnings.append("No area was chosen: the study area is the surroundings of what was observed.")
    if any(is_snapped(place.evidence) for place in places):
        warnings.append("Some places rest on positions moved to fixed map points; such points cluster by construction.")
    month_only = int((located["time_basis"] == TimeBasis.MONTH).sum())
    if month_only:
        warnings.append(f"{month_only:,} records are dated by month only.")
    return {
        "records": len(located),
        "hot_cells": None,
        "clusters": len(places),
        "places": len(places),
        "routes": None,
        "unlocated": selection.unlocated,
        "set_aside": selection.set_aside,
        "counted_once": len(selection.matches),
        "outside_area": selection.outside,
        "protected": selection.protected,
        "study_area": parameters.area or "observed",
        "first_day": _day(located["from_us"].min()) if len(located) else None,
        "last_day": _day(located["to_us"].max() - 1) if len(located) else None,
        "missing_months": gaps,
        "crs_method": store.crs.method,
        "warnings": warnings,
    }


def _day(at_us: int) -> str:
    return from_micros(at_us).astimezone(LONDON).date().isoformat()


def run_dict(run: Run) -> dict[str, Any]:
    """Return a run's outcome as plain values. Statistics not yet made are null, never zero."""
    purged = None if run.purged_at_us is None else from_micros(run.purged_at_us).isoformat()
    told = {name: value for name, value in run.summary.items() if name != "batches"}
    return {"run": run.run_id} | told | {"purged_at": purged}

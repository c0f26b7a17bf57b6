"""The main job: filter, cells with their zeros, clusters, places, one reproducible run."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

import geo
from app.services import statistics
from app.services.besides import find_besides
from app.services.map_tiles import prepare_tiles
from app.services.placing import make_places
from app.services.run_inputs import read_inputs, require_read, require_unchanged, stored_run
from app.services.run_records import NAME, pack_records
from app.services.selecting import Selection, select
from app.services.sharing import SHAREABLE, end_if_shared, may_be_shared
from app.services.study import study_cells
from data.audit import Verb
from data.store import Store
from geo import cells as h3cells
from geo.cluster import Clustering, dbscan
from geo.errors import InvalidParameter
from geo.evidence import is_snapped
from geo.model import Place, RecordKind, Run, Scope, TimeBasis
from geo.narrative import plural
from geo.parameters import AnalysisParameters
from geo.tally import tally_cells
from geo.temporal import LONDON, from_micros, missing_months

Progress = Callable[[str], None]
# Parts of a summary that have commands and pages of their own, with roles of their own.
_NOT_TOLD = frozenset({SHAREABLE, "batches", "needs_decision", "network", "facilities", "movements"})


def _quiet(_: str) -> None:
    """No progress wanted."""


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

    Raises
    ------
    Conflict
        When records came while it read them, or records, the ground or protected places changed before it was stored;
        nothing of it is.
    """
    inputs = read_inputs(store, scope, parameters, seed=seed)
    if known := stored_run(store, scope, inputs, as_of_us=as_of_us):
        return known
    made_at_us = now_us if as_of_us is None else as_of_us
    progress("Reading records")
    selection = select(store, scope, parameters)
    progress("Counting cells")
    cells = _cells(selection, parameters)
    study = _own_cells(cells, parameters)
    findings = statistics.find(store, scope, parameters, selection, study, seed=seed, progress=progress)
    require_read(store, scope, inputs)  # no records but sightings are read from here on
    progress("Clustering")
    clustering = _clusters(selection, parameters)
    progress("Naming places")
    found = make_places(store, scope, parameters, selection, clustering, findings, inputs, as_of_us=made_at_us)
    progress("Following routes and links")
    besides = find_besides(store, scope, parameters, selection, clustering, found, study, seed=seed)
    summary = _summary(store, parameters, selection, found.places) | {"cells": len(study), "batches": inputs.batches}
    summary[SHAREABLE] = may_be_shared(store, scope, parameters)
    cut = (besides.summary.get("movements") or {}).get("notes", [])
    warnings = [*summary["warnings"], *findings.warnings, *cut]
    summary |= {**besides.summary, **findings.summary, "warnings": warnings}
    cells = cells.merge(findings.cells, how="left", on="cell")
    run = Run(
        run_id=inputs.run_id, parameters=parameters.as_json(), input_hashes=inputs.hashes, code_version=geo.__version__, seed=seed,
        generated_at_us=made_at_us, created_by=scope.actor, summary=summary,
    )  # fmt: skip
    progress("Saving")
    with store.database.transaction():
        require_unchanged(store, scope, inputs)
        store.database.lock("run")  # nobody shares one that is replaced
        end_if_shared(store, scope, run.run_id, now_us, reason="it was made anew")
        store.runs.save(scope, run, cells, found.places, found.members, selection.matches, besides)
        store.places.remember(scope, run.run_id, found.remembered)
        progress("Preparing the map")
        packed = {NAME: pack_records(selection, parameters, found.cluster)}
        store.views.keep(scope, run.run_id, packed | prepare_tiles(store, scope, run))
        store.audit.append(
            scope, Verb.COMBINATION, f"run:{run.run_id}", now_us, records=summary["records"], inputs=len(inputs.hashes)
        )
    return run


def _cells(selection: Selection, parameters: AnalysisParameters) -> pd.DataFrame:
    """Counts at the run's own resolution and at the one shared outside operations."""
    located = selection.located
    frames = []
    for resolution in sorted({parameters.resolution, parameters.shared_resolution}):
        occupied = selection.at.cells(resolution)
        frames.append(
            tally_cells(
                located, occupied, study_cells(selection.study, selection.at.distinct_cells(resolution), resolution)
            )
        )
    return pd.concat(frames, ignore_index=True)


def _own_cells(cells: pd.DataFrame, parameters: AnalysisParameters) -> h3cells.Cells:
    """Cells of the run's own resolution, which the statistics are about."""
    every = cells["cell"].to_numpy()
    return every[h3cells.resolutions(every) == parameters.resolution]


def _clusters(selection: Selection, parameters: AnalysisParameters) -> Clustering:
    """Clusters of the located records."""
    x_m, y_m = (selection.located[name].to_numpy() for name in ("x_m", "y_m"))
    return dbscan(
        x_m,
        y_m,
        eps_m=parameters.eps_m,
        min_weight=parameters.min_weight,
        algorithm=parameters.algorithm,
        workers=selection.at.workers,
    )


def _summary(
    store: Store, parameters: AnalysisParameters, selection: Selection, places: Sequence[Place]
) -> dict[str, Any]:
    located = selection.located
    gaps = missing_months(np.unique(selection.months), first=parameters.date_from, last=parameters.date_to)
    warnings = []
    if selection.unlocated:
        warnings.append(f"{plural(selection.unlocated, 'record')} without a position: counted, but on no map.")
    if selection.set_aside:
        warnings.append(
            f"{plural(selection.set_aside, 'record')} on a coordinate that stands for no place, or where reports are made:"
            " counted, but on no map. They are listed by: lapwing stacks list"
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
        "clusters": len(places),
        "places": len(places),
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
    told = {name: value for name, value in run.summary.items() if name not in _NOT_TOLD}
    return {"run": run.run_id} | told | {"purged_at": purged}

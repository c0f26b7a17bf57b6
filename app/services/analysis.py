"""The main job: filter, cells with their zeros, clusters, places, one reproducible run."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

import geo
from app.services import statistics
from app.services.besides import find_besides
from app.services.deciding import memory
from app.services.placing import make_places
from app.services.selecting import Selection, select
from app.services.stacks import REPORTS
from app.services.study import study_cells
from data.audit import Verb
from data.store import Store
from geo import cells as h3cells
from geo.cluster import dbscan
from geo.errors import InvalidParameter
from geo.evidence import is_snapped
from geo.model import Place, RecordKind, Run, Scope, TimeBasis
from geo.narrative import plural
from geo.parameters import AnalysisParameters, run_id
from geo.tally import tally_cells
from geo.temporal import LONDON, from_micros, missing_months

Progress = Callable[[str], None]
# Parts of a summary that have commands and pages of their own, with roles of their own.
_NOT_TOLD = frozenset({"batches", "needs_decision", "network", "facilities", "movements"})


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
    """
    hashes = store.evidence.input_hashes(
        scope, sorted({*parameters.record_kinds, *REPORTS, RecordKind.EFFORT, RecordKind.SIGHTINGS})
    )
    remembered = memory(store, scope)  # once: a decision made meanwhile is the next analysis's
    hashes = (*hashes, *remembered.hashes)
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
    selection = select(store, scope, parameters)
    progress("Counting cells")
    cells = _cells(selection, parameters)
    own = h3cells.resolutions(cells["cell"].to_numpy()) == parameters.resolution
    findings = statistics.find(
        store, scope, parameters, selection, cells["cell"].to_numpy()[own], seed=seed, progress=progress
    )
    progress("Clustering")
    located = selection.located
    clustering = dbscan(
        located["x_m"].to_numpy(),
        located["y_m"].to_numpy(),
        eps_m=parameters.eps_m,
        min_weight=parameters.min_weight,
    )
    progress("Naming places")
    found = make_places(
        store,
        scope,
        parameters,
        located,
        selection.matches,
        clustering,
        findings,
        remembered,
        run_identity=identity,
        as_of_us=made_at_us,
        seed=seed,
    )
    progress("Following routes and links")
    besides = find_besides(
        store, scope, parameters, selection, clustering, found, cells["cell"].to_numpy()[own], seed=seed
    )
    summary = _summary(store, parameters, selection, found.places) | {"cells": int(own.sum()), "batches": batches}
    summary |= besides.summary
    summary |= findings.summary | {"warnings": [*summary["warnings"], *findings.warnings]}
    cells = cells.merge(findings.cells, how="left", on="cell")
    run = Run(
        run_id=identity, parameters=parameters.as_json(), input_hashes=hashes, code_version=geo.__version__, seed=seed,
        generated_at_us=made_at_us, created_by=scope.actor, summary=summary,
    )  # fmt: skip
    progress("Saving")
    with store.database.transaction():
        store.runs.save(scope, run, cells, found.places, found.members, selection.matches, besides)
        store.places.remember(scope, run.run_id, found.remembered)
        store.audit.append(
            scope, Verb.COMBINATION, f"run:{identity}", now_us, records=summary["records"], inputs=len(hashes)
        )
    return run


def _cells(selection: Selection, parameters: AnalysisParameters) -> pd.DataFrame:
    """Counts at the run's own resolution and at the one shared outside operations."""
    located = selection.located
    lon, lat = located["lon"].to_numpy(), located["lat"].to_numpy()
    frames = []
    for resolution in sorted({parameters.resolution, parameters.shared_resolution}):
        occupied = h3cells.index_points(lon, lat, resolution)
        frames.append(tally_cells(located, occupied, study_cells(selection.study, occupied, resolution)))
    return pd.concat(frames, ignore_index=True)


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

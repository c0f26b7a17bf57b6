"""The synthetic city, end to end: written as files, imported and analysed like anybody's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.services.analysis import analyse
from app.services.import_request import ImportRequest
from app.services.importing import import_file, undo_batch
from app.services.sharing import SHAREABLE, share_run
from app.services.terms import Terms
from data.demo import SOURCE, write_city
from data.store import Store
from geo.errors import Conflict
from geo.model import FeatureKind, RecordKind, Run, Scope
from geo.parameters import AnalysisParameters
from geo.temporal import LONDON, from_micros

SEED = 20260101
KINDS = {str(kind) for kind in (*RecordKind, *FeatureKind)}


@dataclass(frozen=True)
class Demonstration:
    """The city's analysis and the truth it can be scored against."""

    run: Run
    truth: Path


def make_demo(store: Store, scope: Scope, folder: Path, *, terms: Terms, say: Callable[[str], None]) -> Demonstration:
    """Make the city once; when the store holds it already, use it again.

    Raises
    ------
    Conflict
        When the store holds records of another source: real and invented records are never mixed.
    """
    now_us = terms.now_us
    held = store.evidence.batches(scope)
    live = [batch for batch in held if batch.undone_at_us is None]
    if {batch.source for batch in held} - {SOURCE}:
        raise Conflict(
            "This store holds records that are not synthetic; give the demo its own: --store sqlite:///var/demo/demo.db"
        )
    truth = folder / "truth.geojson"
    if {batch.kind for batch in live} != KINDS or not truth.is_file():
        for batch in live:  # a city half made, or made without its truth
            undo_batch(store, scope, batch.batch_id, now_us=now_us)
        say("Making a synthetic city ...")
        city = write_city(folder, seed=SEED, today=from_micros(now_us).astimezone(LONDON).date())
        for kind, path in city.files.items():
            request = ImportRequest(kind=kind, source=SOURCE)
            report = import_file(store, scope, path, request, replace(terms, synthetic=True))
            say(f"  {kind}: {report.batch.accepted:,} imported")
    run = analyse(
        store,
        scope,
        AnalysisParameters(area="boundary", crs_epsg=store.crs.epsg),
        seed=SEED,
        now_us=now_us,
        progress=lambda step: say(f"{step} ..."),
    )
    if run.summary.get(SHAREABLE) and not store.sharings.all(scope):  # so that partners' pages can be looked at
        share_run(store, scope, run.run_id, "a look at the synthetic city", now_us=now_us)
    return Demonstration(run, truth)

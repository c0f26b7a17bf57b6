"""The synthetic city, end to end: written as files, imported and analysed like anybody's."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.services.analysis import analyse
from app.services.importing import ImportRequest, import_file
from data.demo import SOURCE, write_city
from data.store import Store
from geo.errors import Conflict
from geo.model import AnalysisParameters, Run, Scope
from geo.temporal import LONDON, from_micros

SEED = 20260101


@dataclass(frozen=True)
class Demonstration:
    """The city's analysis and the truth it can be scored against."""

    run: Run
    truth: Path


def make_demo(
    store: Store, scope: Scope, folder: Path, *, now_us: int, vehicle_key: bytes, say: Callable[[str], None]
) -> Demonstration:
    """Make the city once; when the store holds it already, use it again.

    Raises
    ------
    Conflict
        When the store holds records of another source: real and invented records are never mixed.
    """
    sources = {batch.source for batch in store.evidence.batches(scope) if batch.undone_at_us is None}
    if sources - {SOURCE}:
        raise Conflict(
            "This store holds records that are not synthetic; give the demo its own: --store sqlite:///var/demo/demo.db"
        )
    truth = folder / "truth.geojson"
    if SOURCE not in sources or not truth.is_file():
        say("Making a synthetic city ...")
        city = write_city(folder, seed=SEED, today=from_micros(now_us).astimezone(LONDON).date())
        for kind, path in city.files.items():
            request = ImportRequest(kind=kind, source=SOURCE, column_map={"name": "name"} if kind == "areas" else {})
            report = import_file(store, scope, path, request, now_us=now_us, vehicle_key=vehicle_key)
            say(f"  {kind}: {report.batch.accepted:,} imported")
    runs = store.runs.runs(scope)
    if runs:
        return Demonstration(runs[0], truth)
    run = analyse(
        store,
        scope,
        AnalysisParameters(area="boundary", crs_epsg=store.crs.epsg),
        seed=SEED,
        now_us=now_us,
        progress=lambda step: say(f"{step} ..."),
    )
    return Demonstration(run, truth)

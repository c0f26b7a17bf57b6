"""Whatever the files say: every row is accounted for, their order is no matter, and undo leaves no trace."""

import csv
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.analysis import analyse
from app.services.import_request import ImportReport, ImportRequest
from app.services.importing import import_file, undo_batch
from app.services.layers import released_layer
from app.settings import Settings
from app.wiring import Lapwing
from data.export.geojson import write_geojson
from data.readers import FileSource
from geo.model import Layer, Profile, Scope
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.files import TERMS
from tests.snapshots import everything_stored

SCOPE = Scope(actor="test")
FIELDS = ("id", "date", "longitude", "latitude", "kind", "notes", "grade", "place")
CELLS = {
    "id": st.sampled_from(["", "1", "2", "3", "AB-1234"]),
    "date": st.sampled_from(["2026-01-05", "2026-01-05T21:00", "05/01/2026", "2026-01", "soon", "", "2099-01-01", "2025-03-30T01:30"]),
    "longitude": st.sampled_from(["-2.36", "-2.3600", "51.38", "", "x", "375041"]),
    "latitude": st.sampled_from(["51.38", "-2.36", "", "164611"]),
    "kind": st.sampled_from(["robbery", "ASB", "", "x" * 300]),
    "notes": st.sampled_from(["", "by the swings", "ring 07700 900123", "Mrs Khan", "line one\nline two", 'a "quoted" word']),
    "grade": st.sampled_from(["", "1AP", "B24", "9ZZ"]),
    "place": st.sampled_from(["", "Alice Park", "nowhere"]),
}  # fmt: skip
ROW = st.fixed_dictionaries(CELLS)
FILE = st.tuples(
    st.lists(ROW, max_size=8),
    st.sampled_from(["incidents", "observations"]),
    st.booleans(),
    st.sampled_from([",", ";", "\t"]),
)


@contextmanager
def a_store() -> Iterator[Lapwing]:
    with tempfile.TemporaryDirectory() as folder:
        app = Lapwing(Settings(home=Path(folder), store=f"sqlite:///{folder}/lapwing.db"), clock=lambda: NOW_US)
        app.migrate(None)
        try:
            yield app
        finally:
            app.database.close()


def load(app: Lapwing, file: tuple, name: str) -> ImportReport:
    rows, kind, redact, delimiter = file
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    request = ImportRequest(kind=kind, source="Council", redact=redact and kind == "incidents")
    return import_file(app.store, SCOPE, FileSource(name, content=text.getvalue().encode()), request, TERMS)


slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(FILE)
def test_every_row_is_accounted_for(file: tuple) -> None:
    with a_store() as app:
        batch = load(app, file, "a.csv").batch
        rows = [row for row in file[0] if any(row.values())]  # a blank line is no row
        assert batch.read == len(rows) == batch.accepted + batch.rejected + batch.duplicates
        assert len(app.store.evidence.quarantine(SCOPE)) == batch.rejected
        stored = sum(one["records"] for one in app.store.evidence.record_counts(SCOPE).values())
        assert stored == batch.accepted
        again = load(app, file, "again.csv").batch
        assert (again.accepted, again.duplicates + again.rejected) == (0, len(rows))


@slow
@given(st.lists(FILE, min_size=2, max_size=3), st.data())
def test_the_order_of_import_changes_nothing(files: list, data: st.DataObject) -> None:
    order = data.draw(st.sampled_from(list(permutations(range(len(files))))))
    outcomes = []
    for sequence in (range(len(files)), order):
        with a_store() as app:
            for number in sequence:
                load(app, files[number], f"{number}.csv")
            run = analyse(app.store, SCOPE, AnalysisParameters(min_weight=2), seed=0, now_us=NOW_US)
            records = app.store.evidence.records(SCOPE, ["incidents", "observations"])
            layers = [
                write_geojson(released_layer(app.store, SCOPE, run, layer, Profile.OPERATIONAL))
                for layer in (Layer.CELLS, Layer.PLACES)
            ]
            outcomes.append((run.run_id, repr(records.to_dict("records")), layers))
    assert outcomes[0] == outcomes[1]


@slow
@given(st.lists(FILE, max_size=2), FILE)
def test_undo_restores_the_exact_state(before: list, file: tuple) -> None:
    with a_store() as app:
        for number, one in enumerate(before):
            load(app, one, f"{number}.csv")
        was = everything_stored(app)
        batch = load(app, file, "last.csv").batch
        undo_batch(app.store, SCOPE, batch.batch_id, now_us=NOW_US)
        now = everything_stored(app)
        gone = [row for row in now.pop("batch") if row["batch_id"] != batch.batch_id]  # the undone file stays listed
        assert (gone, now) == (was.pop("batch"), was)

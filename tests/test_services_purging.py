"""Records whose time is over: gone everywhere, and not to be brought back."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.services.analysis import analyse
from app.services.exporting import ExportRequest, export_file
from app.services.import_request import ImportRequest
from app.services.importing import import_file
from app.services.places import list_places
from app.services.purging import purge
from app.wiring import Lapwing
from data.audit import Verb
from geo.errors import Conflict
from geo.model import Layer, Profile, Scope
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.files import TERMS, command, load, row, stack, write_csv

SCOPE = Scope(actor="test")
LATER = replace(TERMS, now_us=NOW_US + 800 * DAY_US)  # incidents are held for 24 months
SPOTS = [(-2.36, 51.38, 8), (-2.33, 51.385, 8)]


@pytest.fixture
def worked(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    load(lapwing, write_csv(tmp_path / "a.csv", [*stack(SPOTS), row(99, date="soon", kind="left over")]))
    return lapwing


def test_nothing_goes_before_its_time(worked: Lapwing) -> None:
    report = purge(worked.store, SCOPE, replace(TERMS, now_us=NOW_US + 700 * DAY_US))
    assert (report.records, report.rejected_rows) == ({}, 0)
    assert report.due_for_review == 16
    assert worked.store.evidence.record_counts(SCOPE)["incidents"]["records"] == 16


def test_a_dry_run_changes_nothing(worked: Lapwing) -> None:
    report = purge(worked.store, SCOPE, LATER, dry_run=True)
    assert (report.records, report.rejected_rows) == ({"incidents": 16}, 1)
    assert worked.store.evidence.record_counts(SCOPE)["incidents"]["records"] == 16
    assert len(worked.store.evidence.quarantine(SCOPE)) == 1


def test_records_layers_and_rejected_rows_go_and_copies_are_recalled(worked: Lapwing, tmp_path: Path) -> None:
    store = worked.store
    run = analyse(store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    request = ExportRequest(layer=Layer.PLACES, format="geojson", profile=Profile.OPERATIONAL, purpose="weekly meeting")
    export_file(store, SCOPE, run, request, tmp_path / "places.geojson", now_us=NOW_US)
    report = purge(store, SCOPE, LATER)
    assert report.records == {"incidents": 16}
    assert report.runs == [run.run_id]
    assert store.evidence.record_counts(SCOPE) == {}
    assert len(store.evidence.quarantine(SCOPE)) == 0
    kept = store.runs.get(SCOPE, run.run_id)
    assert kept.purged_at_us == LATER.now_us
    assert len(store.runs.cells(SCOPE, run.run_id)) == 0
    with pytest.raises(Conflict, match="were removed on"):
        list_places(store, SCOPE, run.run_id)
    (disclosure,) = store.audit.disclosures(SCOPE)
    assert [one["disclosure_id"] for one in store.retention.recalls(SCOPE)] == [disclosure.disclosure_id]
    assert report.recalled == [disclosure.disclosure_id]
    assert store.audit.events(SCOPE)[-1]["verb"] == Verb.ERASURE


def test_what_stays_is_counts_by_month_and_coarse_area(worked: Lapwing) -> None:
    purge(worked.store, SCOPE, LATER)
    counts = worked.store.retention.coarse_counts(SCOPE)
    assert counts["records"].sum() == 16
    assert set(counts["month"]) == {"2024-03"}
    assert len(counts) <= 2  # never one house


def test_its_file_does_not_bring_a_purged_record_back(worked: Lapwing, tmp_path: Path) -> None:
    purge(worked.store, SCOPE, LATER)
    request = ImportRequest(kind="incidents")
    path = write_csv(tmp_path / "b.csv", [*stack(SPOTS), row(500, kind="new")])
    report = import_file(worked.store, SCOPE, path, request, LATER)
    assert (report.batch.read, report.batch.accepted) == (17, 1)
    assert report.reasons == {"purged": 16}


def test_only_runs_with_purged_inputs_lose_their_layers(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack(SPOTS[:1])))
    old = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    request = ImportRequest(kind="observations")
    sooner = replace(TERMS, now_us=NOW_US + 790 * DAY_US)
    import_file(embedded.store, SCOPE, write_csv(tmp_path / "o.csv", stack(SPOTS[1:])), request, sooner)
    parameters = AnalysisParameters(record_kinds=("observations",))
    new = analyse(embedded.store, SCOPE, parameters, seed=0, now_us=NOW_US)
    report = purge(embedded.store, SCOPE, LATER)
    assert old.run_id in report.runs
    assert embedded.store.evidence.record_counts(SCOPE)["observations"]["records"] == 8
    assert embedded.store.runs.get(SCOPE, old.run_id).purged_at_us is not None
    again = analyse(embedded.store, SCOPE, parameters, seed=0, now_us=LATER.now_us)
    assert again.run_id != new.run_id  # a purge is an input too


def test_the_bytes_are_gone(embedded: Lapwing, tmp_path: Path) -> None:
    planted = "PLANTEDwordOfTheRow"
    load(embedded, write_csv(tmp_path / "theirs.csv", [row(1, kind=planted), row(2, kind=planted, date="soon")]))
    purge(embedded.store, SCOPE, LATER)
    (tmp_path / "theirs.csv").unlink()
    everything = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert planted.encode() not in everything


def test_on_the_command_line(tmp_path: Path) -> None:
    command(tmp_path, "import", "incidents", write_csv(tmp_path / "a.csv", [row()]))
    assert command(tmp_path, "purge", "--json").json["purged"] == 0
    assert "No record is past its date" in command(tmp_path, "purge").out

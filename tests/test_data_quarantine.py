"""Rows needing attention: kept, listed, corrected and imported again."""

import csv
import io
from pathlib import Path

import pytest

from app.services.quarantine import corrections_csv
from app.wiring import Lapwing
from geo.model import Scope
from tests.conftest import NOW_US
from tests.files import BATH, POLICE_HEADER, load, police_row, row, write_csv

SCOPE = Scope(actor="test")


def corrections(app: Lapwing, path: Path, **changes: str) -> Path:
    """Write the corrections file with the same correction in every row."""
    found = list(csv.DictReader(io.StringIO(corrections_csv(app.store, SCOPE))))
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, list(found[0]))
        writer.writeheader()
        writer.writerows(one | changes for one in found)
    return path


def test_corrected_rows_are_accepted(lapwing: Lapwing, tmp_path: Path) -> None:
    load(
        lapwing,
        write_csv(tmp_path / "a.csv", [row(1), row(2, date="soon", kind="fight"), row(3, date="later")]),
        source="Youth team",
    )
    fixed = load(lapwing, corrections(lapwing, tmp_path / "c.csv", date="2024-03-10")).batch
    assert (fixed.read, fixed.accepted, fixed.rejected) == (2, 2, 0)
    records = lapwing.store.evidence.records(SCOPE, ["incidents"])
    assert records["source"].tolist() == ["Youth team"] * 3
    assert sorted(records["category"]) == ["fight", "x", "x"]


def test_snapped_stays_snapped(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "p.csv", [police_row(month="2018-13")], POLICE_HEADER))
    load(embedded, corrections(embedded, tmp_path / "c.csv", date="2018-12"))
    (record,) = embedded.store.evidence.records(SCOPE, ["incidents"]).to_dict("records")
    assert (record["location_basis"], record["precision_m"], record["source"]) == (
        "snapped",
        100,
        "data.police.uk",
    )
    assert record["time_basis"] == "month"


def test_the_mended_file_adds_no_corrected_row_twice(embedded: Lapwing, tmp_path: Path) -> None:
    """Both ways of correcting, one after the other: the same event has the same key."""
    load(embedded, write_csv(tmp_path / "a.csv", [row(1), row(2, date="soon")]), source="Youth team")
    load(embedded, corrections(embedded, tmp_path / "c.csv", date="2024-03-10"))
    load(embedded, write_csv(tmp_path / "a.csv", [row(1), row(2, date="2024-03-10")]), source="Youth team")
    assert len(embedded.store.evidence.records(SCOPE, ["incidents"])) == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t="])
def test_no_cell_runs_as_a_formula(embedded: Lapwing, tmp_path: Path, start: str) -> None:
    path = write_csv(tmp_path / "=evil.csv", [row(date="soon", kind=f"{start}cmd|'/c calc'!A0", lat=f"{start}SUM(1)")])
    load(embedded, path, source=f"{start}HYPERLINK(1)".strip() if start != "@" else None)  # "@..." is a handle: refused
    for line in csv.reader(io.StringIO(corrections_csv(embedded.store, SCOPE))):
        for cell in line:
            assert (
                not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or cell.lstrip("+-").replace(".", "").isdigit()
            ), cell


def test_negative_longitudes_stay_numbers(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [row(date="soon")]))
    (found,) = csv.DictReader(io.StringIO(corrections_csv(embedded.store, SCOPE)))
    assert found["longitude"] == str(BATH[0])


SIGHTING = ("date", "longitude", "latitude", "registration")


def test_registrations_are_not_in_it(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "s.csv", [["soon", *BATH, "AB12 CDE"]], SIGHTING), "sightings")
    text = corrections_csv(embedded.store, SCOPE)
    assert "AB12" not in text


def test_the_mark_of_a_removed_registration_is_no_vehicle(embedded: Lapwing, tmp_path: Path) -> None:
    """Else every corrected sighting is of one and the same car, and routes are drawn between strangers."""
    rows = [["soon", *BATH, "AB12 CDE"], ["soon", *BATH, "XY34 ZZZ"]]
    load(embedded, write_csv(tmp_path / "s.csv", rows, SIGHTING), "sightings")
    fixed = load(embedded, corrections(embedded, tmp_path / "c.csv", date="2024-03-10"), "sightings")
    assert fixed.batch.accepted == 0
    assert fixed.reasons == {"missing_field": 2}


def test_a_record_with_a_wrong_geometry_keeps_its_fields(embedded: Lapwing, tmp_path: Path) -> None:
    from tests.files import square, write_geojson

    load(
        embedded,
        write_geojson(tmp_path / "a.geojson", [({"date": "2024-03-09", "kind": "fight"}, square(-2.4, 51.3, 0.1))]),
    )
    (found,) = csv.DictReader(io.StringIO(corrections_csv(embedded.store, SCOPE)))
    assert (found.get("date"), found.get("kind")) == ("2024-03-09", "fight")


def test_nothing_to_correct_is_an_empty_table(embedded: Lapwing) -> None:
    (only,) = corrections_csv(embedded.store, SCOPE).splitlines()
    assert only.startswith("batch,file,row_number,field,reason,detail")


def test_a_row_rejected_twice_is_corrected_once(embedded: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1), row(2, date="soon")])
    load(embedded, path)
    load(embedded, path)
    report = load(embedded, corrections(embedded, tmp_path / "c.csv", date="2024-03-10"))
    assert report.batch.accepted == 1
    assert len(embedded.store.evidence.records(SCOPE, ["incidents"])) == 2
    assert len(embedded.store.evidence.quarantine(SCOPE)) == 0  # in neither of the two batches


def test_corrections_are_of_one_kind(embedded: Lapwing, tmp_path: Path) -> None:
    from app.services.quarantine import hand_out_corrections
    from geo.errors import InvalidParameter, MappingError

    load(embedded, write_csv(tmp_path / "a.csv", [row(date="soon")]))
    load(embedded, write_csv(tmp_path / "s.csv", [["2024-03-09", *BATH, ""]], SIGHTING), "sightings")
    with pytest.raises(InvalidParameter, match="incidents, sightings"):
        corrections_csv(embedded.store, SCOPE)
    text, rows = hand_out_corrections(embedded.store, SCOPE, kind="sightings", now_us=NOW_US)
    assert rows == 1
    (tmp_path / "c.csv").write_text(text, encoding="utf-8-sig", newline="")
    with pytest.raises(MappingError, match="corrects rows of sightings, not incidents"):
        load(embedded, tmp_path / "c.csv")


def test_taking_the_corrections_is_logged(embedded: Lapwing, tmp_path: Path) -> None:
    from app.services.quarantine import hand_out_corrections

    load(embedded, write_csv(tmp_path / "a.csv", [row(date="soon")]))
    hand_out_corrections(embedded.store, SCOPE, now_us=NOW_US)
    assert [e["verb"] for e in embedded.store.audit.events(SCOPE)][-1] == "disclosure"


def test_a_corrected_row_needs_no_more_attention_until_its_correction_is_undone(
    lapwing: Lapwing, tmp_path: Path
) -> None:
    from app.services.importing import undo_batch

    load(lapwing, write_csv(tmp_path / "a.csv", [row(1, date="soon"), row(2, date="later")]))
    lines = corrections_csv(lapwing.store, SCOPE).replace("soon", "2024-03-10")
    (tmp_path / "c.csv").write_text(lines, encoding="utf-8-sig", newline="")
    report = load(lapwing, tmp_path / "c.csv")
    assert (report.batch.accepted, report.batch.rejected, report.corrected) == (1, 1, 1)
    waiting = lapwing.store.evidence.quarantine(SCOPE)
    assert waiting["detail"].str.contains("later").tolist() == [True]  # rejected again, listed once
    undo_batch(lapwing.store, SCOPE, report.batch.batch_id, now_us=NOW_US)
    assert len(lapwing.store.evidence.quarantine(SCOPE)) == 2

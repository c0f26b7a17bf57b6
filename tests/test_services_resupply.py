"""The same partner's file again and again: what changed, what is missing, and taking it back."""

from pathlib import Path
from typing import Any

import pytest

from app.services import mappings
from app.services.analysis import analyse
from app.services.entering import correct, fields_of
from app.services.import_request import ImportRequest
from app.services.importing import import_file, undo_batch
from app.services.supplying import changes_of
from app.wiring import Lapwing
from geo.errors import MappingError
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.council import HEADER, MAPPING, save_mapping, supply
from tests.files import POLICE_HEADER, TERMS, command, load, police_row, write_csv
from tests.runs import SCOPE
from tests.snapshots import everything_stored

SPOTS = [(-2.36, 51.38), (-2.33, 51.385), (-2.39, 51.37)]


def months(*numbers: int) -> list[list[Any]]:
    """Thirty rows a month in three places."""
    rows = []
    for month in numbers:
        for i in range(30):
            lon, lat = SPOTS[i % 3]
            rows.append(
                [f"AC-{month:02d}{i:03d}", f"2026-{month:02d}-{1 + i % 28:02d}T21:{i:02d}", lon, lat, f"type {i % 4}"]
            )
    return rows


def edited(rows: list[list[Any]]) -> list[list[Any]]:
    """Return rows with twenty changes, ten of them of a category, five of a place and five of a time, and three left out."""
    changed = [list(row) for row in rows]
    for i in range(10):
        changed[i][4] = "changed"
    for i in range(10, 15):
        changed[i][2] = -2.361
    for i in range(15, 20):
        changed[i][1] = changed[i][1][:11] + "22:30"
    del changed[40:43]
    return changed


@pytest.fixture
def supplied(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    save_mapping(lapwing)
    supply(lapwing, write_csv(tmp_path / "q1.csv", months(1, 2, 3), HEADER))
    return lapwing


def test_twenty_edits_and_three_removals_are_just_that(supplied: Lapwing, tmp_path: Path) -> None:
    parameters = AnalysisParameters()
    run = analyse(supplied.store, SCOPE, parameters, seed=0, now_us=NOW_US)
    places = {place.place_id for place in supplied.store.runs.places(SCOPE, run.run_id)}
    assert len(places) == 3
    before = everything_stored(supplied)
    second = write_csv(tmp_path / "q1-april.csv", [*edited(months(1, 2, 3)), *months(4)], HEADER)
    report = supply(supplied, second)
    batch = report.batch
    assert (batch.read, batch.updated, batch.unchanged, batch.missing) == (117, 20, 67, 3)
    assert (batch.accepted, batch.duplicates, batch.rejected) == (20 + 30, 67, 0)
    assert {one["place"] for one in report.places_affected} <= places
    assert len(report.places_affected) == 3
    assert (
        supplied.store.evidence.record_counts(SCOPE)["incidents"]["records"] == 90 + 30
    )  # the three missing still count
    changes = changes_of(supplied.store, SCOPE, batch.batch_id)
    kinds = [sorted(one["changes"]) for one in changes if one["what"] == "updated"]
    assert sorted(map(tuple, kinds)).count(("category",)) == 10
    assert sum("from_us" in one for one in kinds) == 5
    assert sum("lon" in one for one in kinds) == 5
    assert {one["urn"] for one in changes if one["what"] == "missing"} == {"AC-02010", "AC-02011", "AC-02012"}
    undo_batch(supplied.store, SCOPE, batch.batch_id, now_us=NOW_US)
    assert everything_stored(supplied) == before | {"batch": everything_stored(supplied)["batch"]}


def test_only_the_place_that_changed_is_named(supplied: Lapwing, tmp_path: Path) -> None:
    analyse(supplied.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    rows = months(1, 2, 3)
    rows[1][4] = "changed"
    (place,) = supply(supplied, write_csv(tmp_path / "b.csv", rows, HEADER)).places_affected
    run = supplied.store.runs.runs(SCOPE)[0]
    behind = supplied.store.runs.place_records(SCOPE, run.run_id, place["place"])
    assert rows[1][0] in set(behind["urn"])


def test_changed_and_changed_back(supplied: Lapwing, tmp_path: Path) -> None:
    rows = months(1, 2, 3)
    first = everything_stored(supplied)["record"]
    there = [list(row) for row in rows]
    there[0][4] = "changed"
    assert supply(supplied, write_csv(tmp_path / "b.csv", there, HEADER)).batch.updated == 1
    assert supply(supplied, write_csv(tmp_path / "c.csv", rows, HEADER)).batch.updated == 1
    standing = supplied.store.evidence.records(SCOPE, ["incidents"])
    assert len(standing) == 90
    assert {bytes(key) for key in standing["record_key"]} == {row["record_key"] for row in first}


def test_a_row_whose_key_stands_twice_is_counted_and_not_guessed(supplied: Lapwing, tmp_path: Path) -> None:
    rows = months(1, 2, 3)
    twin, same = list(rows[5]), list(rows[6])
    twin[4] = "says something else"
    report = supply(supplied, write_csv(tmp_path / "b.csv", [*rows, twin, same], HEADER))
    assert report.reasons == {"repeated_key": 2}
    batch = report.batch
    assert (batch.read, batch.accepted, batch.rejected, batch.duplicates) == (92, 0, 2, 90)
    assert batch.missing == 0  # a rejected row is not a removal


def test_a_rejected_row_is_no_removal(supplied: Lapwing, tmp_path: Path) -> None:
    rows = months(1, 2, 3)
    rows[0][1] = "soon"
    batch = supply(supplied, write_csv(tmp_path / "b.csv", rows, HEADER)).batch
    assert (batch.rejected, batch.missing, batch.updated) == (1, 0, 0)


def test_a_persons_correction_outlives_the_same_supply_again(supplied: Lapwing, tmp_path: Path) -> None:
    store = supplied.store
    record = store.evidence.newest_records(SCOPE, ["incidents"], count=1)[0]
    done = correct(store, SCOPE, bytes(record["record_key"]), {"kind": "what it really was"}, TERMS)
    assert done.report is not None
    rows = months(1, 2, 3)
    batch = supply(supplied, write_csv(tmp_path / "b.csv", [*rows[1:], rows[0]], HEADER)).batch
    assert (batch.updated, batch.unchanged, batch.missing) == (0, 90, 0)
    assert store.evidence.record(SCOPE, done.record_key)["superseded"] == 0
    assert fields_of(store.evidence.record(SCOPE, done.record_key))["kind"] == "what it really was"
    rows[89][4] = "the partner changed it too"
    assert record["urn"] == rows[87][0] or record["urn"].startswith("AC-03")
    again = [list(row) for row in rows]
    for row in again:
        if row[0] == record["urn"]:
            row[4] = "the partner changed it too"
    supply(supplied, write_csv(tmp_path / "c.csv", again, HEADER))
    assert store.evidence.record(SCOPE, done.record_key)["superseded"] == 1


def test_without_full_supply_nothing_is_missing(lapwing: Lapwing, tmp_path: Path) -> None:
    save_mapping(lapwing, MAPPING.replace("full_supply = true", ""))
    supply(lapwing, write_csv(tmp_path / "a.csv", months(1, 2), HEADER))
    assert supply(lapwing, write_csv(tmp_path / "b.csv", months(3), HEADER)).batch.missing == 0


def test_a_crime_id_is_never_a_key(embedded: Lapwing, tmp_path: Path) -> None:
    save_mapping(embedded)
    path = write_csv(tmp_path / "p.csv", [police_row(crime="ab" * 32)], POLICE_HEADER)
    request = ImportRequest(kind="incidents", key=("id",), mapping="council")
    with pytest.raises(MappingError, match="Crime ID does not name one event for ever"):
        import_file(embedded.store, SCOPE, path, request, TERMS)


def test_mappings_have_versions_and_the_same_text_is_none(embedded: Lapwing) -> None:
    for text in (MAPPING, MAPPING, MAPPING + "\n[defaults]\nagency = 'Council'\n"):
        saved = mappings.save(embedded.store, SCOPE, "council", text, now_us=NOW_US)
    assert saved.version == 2
    assert mappings.load(embedded.store, SCOPE, "council").defaults == {"agency": "Council"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind = ", "not valid TOML"),
        ("kind = 'parks'\nsource = 'x'", "needs a kind"),
        ("kind = 'incidents'", "needs a source"),
        ("kind = 'incidents'\nsource = 'x'\nnonsense = 1", "unknown entry 'nonsense'"),
        ("kind = 'incidents'\nsource = 'x'\n[columns]\nage = 'a'", "unknown field 'age'"),
        ("kind = 'incidents'\nsource = 'x'\nkey = 'id'", "must be a list"),
        ("kind = 'incidents'\nsource = 'x'\ncrs = 'London'", "is not a CRS"),
        ("kind = 'incidents'\nsource = 'x'\ntimezone = 'Mars/Olympus'", "Unknown time zone"),
        ("kind = 'incidents'\nsource = 'x'\nfull_supply = true", "needs a key"),
        ("kind = 'incidents'\nsource = 'x'\n[defaults]\nagency = 'ask Mrs Khan'", "a person's name"),
    ],
)
def test_what_is_no_mapping_says_why(embedded: Lapwing, text: str, words: str) -> None:
    with pytest.raises((MappingError, ValueError), match=words):
        mappings.save(embedded.store, SCOPE, "bad", text, now_us=NOW_US)
    assert embedded.store.supplies.mappings(SCOPE) == []


def test_on_the_command_line(tmp_path: Path) -> None:
    profile = tmp_path / "council.toml"
    profile.write_text(MAPPING, encoding="utf-8")
    assert command(tmp_path, "mapping", "save", "council", profile, "--json").json == {
        "mapping": "council",
        "version": 1,
    }
    first = write_csv(tmp_path / "a.csv", months(1, 2, 3), HEADER)
    second = write_csv(tmp_path / "b.csv", [*edited(months(1, 2, 3)), *months(4)], HEADER)
    command(tmp_path, "import", "incidents", first, "--mapping", "council")
    done = command(tmp_path, "import", "incidents", second, "--mapping", "council", "--json")
    assert done.code == 0
    assert {name: done.json[name] for name in ("updated", "unchanged", "missing")} == {
        "updated": 20, "unchanged": 67, "missing": 3,
    }  # fmt: skip
    assert "no longer supplied" in command(tmp_path, "import", "incidents", first, "--mapping", "council").out


def test_the_same_bytes_read_in_another_way_are_said_to_be_the_same(embedded: Lapwing, tmp_path: Path) -> None:
    path = tmp_path / "partner.csv"
    path.write_text("When,X,Y\n2024-03-09,-2.36,51.38\n2024-03-10,-2.37,51.38\n", encoding="utf-8")
    first = load(embedded, path, column_map={"date": "When"})
    assert first.same_file is None
    again = load(embedded, path, column_map={"date": "When"})
    assert (again.batch.accepted, again.same_file) == (0, None)
    other = load(embedded, path, column_map={"date": "When", "longitude": "X", "latitude": "Y"})
    assert (other.batch.accepted, other.same_file) == (2, first.batch.batch_id)
    assert other.as_dict()["same_file"] == first.batch.batch_id

"""What the pages about quality say of files whose faults are known."""

from pathlib import Path

import pytest

from app.services.importing import undo_batch
from app.services.quality import report
from app.wiring import Lapwing
from geo.model import Role, Scope
from tests.conftest import NOW_US
from tests.files import BATH, load, square, stack, write_csv, write_geojson
from tests.test_web_imports import signed_in

SCOPE = Scope(actor="test")
HEADER = ("id", "date", "longitude", "latitude", "kind", "agency", "reported", "source_type", "grade", "notes")


def rows() -> list[list[object]]:
    """Ten reports: half say when they were reported, three have no position, one is unreadable."""
    made: list[list[object]] = []
    for i in range(10):
        where = ["", ""] if i < 3 else [BATH[0] + i * 0.001, BATH[1]]
        told = f"2024-03-{9 + 2 * i:02d}" if i % 2 else ""
        made.append(
            [
                i,
                f"2024-03-{1 + i:02d}T21:00",
                *where,
                "ASB",
                "Police" if i < 4 else "",
                told,
                "outreach" if i == 0 else "",
                "1AP",
                "",
            ]
        )
    return [*made, ["x", "soon", *BATH, "ASB", "", "", "", "", ""]]


@pytest.fixture
def loaded(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    load(lapwing, write_csv(tmp_path / "a.csv", rows(), HEADER))
    load(lapwing, write_geojson(tmp_path / "b.geojson", [({"name": "Town"}, square(-2.37, 51.37, 0.016))]), "boundary")
    return lapwing


def test_every_figure_is_that_of_the_file(loaded: Lapwing) -> None:
    found = report(loaded.store, SCOPE, now_us=NOW_US)
    counts = found["completeness"]["incidents"]
    assert counts["records"] == 10
    assert {name: counts[name] for name in ("category", "agency", "urn", "source_type", "grade", "notes", "time", "position", "reported")} == {
        "category": 10, "agency": 4, "urn": 10, "source_type": 1, "grade": 10, "notes": 0, "time": 10, "position": 7, "reported": 5,
    }  # fmt: skip
    assert found["quarantine"] == {"bad_date": 1}
    assert found["source_types"]["outreach"] == 1
    assert found["lag"]["known"] == 5
    assert found["lag"]["bands"]["not said"] == 5
    assert found["stacks"]["coordinates"] == 7
    (area,) = found["outside"]
    assert (area["boundary"], area["located"]) == ("Town", 7)
    assert area["outside"] == sum(1 for i in range(3, 10) if BATH[0] + i * 0.001 > -2.354)
    assert found["counted_once"] == {}


def test_one_file_and_all_of_them(loaded: Lapwing, tmp_path: Path) -> None:
    other = load(loaded, write_csv(tmp_path / "c.csv", stack([(-2.4, 51.4, 5)]))).batch.batch_id
    one = report(loaded.store, SCOPE, other, now_us=NOW_US)
    assert one["evidence"]["records"] == 5
    assert one["completeness"]["incidents"]["records"] == 5
    assert one["stacks"]["on_repeated"] == 5
    assert report(loaded.store, SCOPE, now_us=NOW_US)["evidence"]["records"] == 15


def test_the_pages(embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    client = signed_in(embedded, scope, Role.ANALYST)
    assert "There are no records yet" in client.get("/quality").text
    assert "No coordinate is shared" in client.get("/stacks").text
    batch = load(embedded, write_csv(tmp_path / "a.csv", rows(), HEADER)).batch.batch_id
    page = client.get("/quality").text
    assert "10 records: 7 of 10 have a position; all say at what time." in page
    assert "No boundary has been imported" in page
    assert "None is due for review or deletion" in page
    assert "Of the 5 that say when, half came within" in page
    assert "bad date" in page
    assert client.get(f"/quality/{batch}").status_code == 200
    assert client.get("/quality/none").status_code == 404


def test_a_file_without_records_says_why(embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    client = signed_in(embedded, scope, Role.ANALYST)
    refused = load(embedded, write_csv(tmp_path / "a.csv", rows()[-1:], HEADER)).batch.batch_id
    for address in ("/quality", f"/quality/{refused}"):
        page = client.get(address).text
        assert "Rejected rows by reason: bad date 1" in page, address
    assert "No record of this file is held" in page
    parks = load(embedded, write_geojson(tmp_path / "p.geojson", [({"name": "Park"}, square(*BATH, 0.1))]), "parks")
    assert "reference geography and no records" in client.get(f"/quality/{parks.batch.batch_id}").text
    undo_batch(embedded.store, SCOPE, refused, now_us=NOW_US)
    page = client.get(f"/quality/{refused}").text
    assert "This file was undone" in page
    assert "Rejected rows" not in page


def test_a_small_share_is_not_drawn_as_none_nor_a_large_one_as_all(
    embedded: Lapwing, scope: Scope, tmp_path: Path
) -> None:
    client = signed_in(embedded, scope, Role.ANALYST)
    told = [[i, "2024-03-01", *BATH, "ASB" if i else "", "" if i else "Police"] for i in range(300)]
    load(embedded, write_csv(tmp_path / "a.csv", told, HEADER[:6]))
    assert "what happened 99%, agency 1%, reference 100%, how it came to light 0%" in client.get("/quality").text


def test_a_coordinate_is_ruled_on_its_page(embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    client = signed_in(embedded, scope, Role.ANALYST)
    load(embedded, write_csv(tmp_path / "a.csv", stack([(-2.4, 51.4, 5)])))
    from app.services.stacks import list_stacks

    (one,) = list_stacks(embedded.store, SCOPE)
    refused = client.post(f"/stacks/{one['stack_id']}", data={"class": "default", "reason": ""})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert (
        client.post(f"/stacks/{one['stack_id']}", data={"class": "default", "reason": "the depot"}).status_code == 302
    )
    assert "no place at all" in client.get("/stacks").text
    assert list_stacks(embedded.store, SCOPE)[0]["stack_class"] == "default"

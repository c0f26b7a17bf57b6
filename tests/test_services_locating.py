"""Unlocated rows, placed offline by UPRN, postcode, road or name: certain, or chosen by a person."""

from pathlib import Path

import pytest

from app.services.locating import locate, preview
from app.services.stacks import weigh_positions
from app.wiring import Lapwing
from geo.errors import InvalidParameter
from geo.model import Scope
from tests.files import TERMS, command, load, square, write_csv, write_geojson

SCOPE = Scope(actor="test")
PARKS = [
    ({"name": "Alice Park"}, square(-2.36, 51.38, 0.002)),
    ({"name": "Victoria Park"}, square(-2.38, 51.38, 0.004)),
]
HEADER = ("id", "date", "place", "postcode", "uprn", "road")


def rows(*told: dict[str, str]) -> list[list[str]]:
    return [[str(i), "2026-03-09", *(one.get(name, "") for name in HEADER[2:])] for i, one in enumerate(told)]


def geography(app: Lapwing, folder: Path) -> None:
    load(app, write_geojson(folder / "parks.geojson", PARKS), "parks")
    points = write_csv(
        folder / "pc.csv",
        [["BA1 6AA", "postcode", -2.35, 51.39], ["BA1 6AB", "postcode", -2.351, 51.39]],
        ("postcode", "level", "longitude", "latitude"),
    )
    load(app, points, "areas")
    house = {"type": "Point", "coordinates": [-2.34, 51.37]}
    load(app, write_geojson(folder / "b.geojson", [({"uprn": "100012345678", "name": ""}, house)]), "buildings")
    road = {"type": "LineString", "coordinates": [[-2.33, 51.37], [-2.33, 51.372]]}
    load(app, write_geojson(folder / "r.geojson", [({"name": "Mill Lane"}, road)]), "roads")


TOLD = (
    {"place": "alice park"}, {"postcode": "ba16aa"}, {"uprn": "100012345678"}, {"road": "Mill Ln"}, {"road": "Mill Lane"},
    {"place": "Victoria Pk"}, {"place": "Victoria Pk"}, {"place": "the moon"}, {},
)  # fmt: skip


@pytest.fixture
def batch(lapwing: Lapwing, tmp_path: Path) -> str:
    """Return a batch that came before the geography did."""
    report = load(lapwing, write_csv(tmp_path / "a.csv", rows(*TOLD), HEADER))
    assert (report.batch.accepted, report.batch.unlocated) == (9, 9)
    geography(lapwing, tmp_path)
    return report.batch.batch_id


def test_what_is_certain_is_placed_and_the_rest_is_offered(lapwing: Lapwing, batch: str) -> None:
    before = preview(lapwing.store, SCOPE, batch, TERMS)
    report = locate(lapwing.store, SCOPE, batch, TERMS)
    assert before.as_dict() == report.as_dict()
    assert report.by_method == {"name": 1, "postcode": 1, "road": 1, "uprn": 1}
    assert (report.located, report.unmatched, report.without_hint) == (4, 1, 1)
    offered = {one["text"]: (one["rows"], one["candidates"][0]["name"]) for one in report.ambiguous}
    assert offered == {"Victoria Pk": (2, "Victoria Park"), "Mill Ln": (1, "Mill Lane")}
    records = lapwing.store.evidence.batch_records(SCOPE, batch)
    found = {row["urn"]: row for row in records.to_dict("records")}
    assert [found[str(i)]["method"] for i in range(9)] == ["name", "postcode", "uprn", "", "road", "", "", "", ""]
    assert found["0"]["precision_m"] > 100  # as far as the park reaches
    assert 25 <= found["1"]["precision_m"] <= 40  # half the way to the next postcode
    assert found["2"]["precision_m"] == 10
    assert (found["1"]["lon"], found["1"]["lat"]) == pytest.approx((-2.35, 51.39), abs=1e-6)
    assert not weigh_positions(lapwing.store, SCOPE, records)["set_aside"].any()


def test_a_person_chooses_for_all_rows_that_say_it(lapwing: Lapwing, batch: str) -> None:
    report = preview(lapwing.store, SCOPE, batch, TERMS)
    wanted = next(one for one in report.ambiguous if one["text"] == "Victoria Pk")["candidates"][0]["candidate"]
    done = locate(lapwing.store, SCOPE, batch, TERMS, choices={"Victoria Pk": wanted})
    assert done.by_method["chosen"] == 2
    assert lapwing.store.locations.waiting(SCOPE) == 2  # Mill Ln and the moon
    with pytest.raises(InvalidParameter, match="No unlocated row of this batch says 'Victoria Pk'"):
        locate(lapwing.store, SCOPE, batch, TERMS, choices={"Victoria Pk": wanted})
    with pytest.raises(InvalidParameter, match="is not among the candidates for 'Mill Ln'"):
        locate(lapwing.store, SCOPE, batch, TERMS, choices={"Mill Ln": "0000"})


def test_positions_given_later_change_the_inputs_of_analyses(lapwing: Lapwing, batch: str) -> None:
    before = lapwing.store.evidence.input_hashes(SCOPE, ["incidents"])
    locate(lapwing.store, SCOPE, batch, TERMS)
    assert lapwing.store.evidence.input_hashes(SCOPE, ["incidents"]) != before


def test_geography_that_is_there_places_rows_as_they_come(lapwing: Lapwing, tmp_path: Path) -> None:
    geography(lapwing, tmp_path)
    report = load(lapwing, write_csv(tmp_path / "a.csv", rows(*TOLD), HEADER))
    assert (report.batch.accepted, report.batch.unlocated) == (9, 5)


def test_one_name_in_two_places_is_never_taken_for_one_of_them(embedded: Lapwing, tmp_path: Path) -> None:
    twins = [*PARKS, ({"name": "Alice Park"}, square(-2.30, 51.40, 0.001))]
    load(embedded, write_geojson(tmp_path / "parks.geojson", twins), "parks")
    batch = load(embedded, write_csv(tmp_path / "a.csv", rows({"place": "Alice Park"}), HEADER)).batch.batch_id
    report = locate(embedded.store, SCOPE, batch, TERMS)
    assert report.located == 0
    assert len(report.ambiguous[0]["candidates"]) == 2


def test_a_session_is_where_its_area_is(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_geojson(tmp_path / "parks.geojson", PARKS), "parks")
    told = [
        ["2026-03-09T19:00", "2026-03-09T21:00", "Alice Park", "2", "yes"],
        ["2026-03-10", "", "the estate", "2", "yes"],
    ]
    path = write_csv(tmp_path / "e.csv", told, ("from", "to", "area", "workers", "nothing_seen"))
    report = load(embedded, path, "effort")
    assert (report.batch.accepted, report.batch.unlocated) == (2, 1)


def test_a_postcode_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    told = rows({"postcode": "BA1 6AA"}, {"uprn": "100012345678"}, {"place": "ask Mrs Khan"})
    path = write_csv(tmp_path / "theirs.csv", told, HEADER)
    done = command(tmp_path, "import", "incidents", path, "--json")
    assert (done.json["accepted"], done.json["reasons"]) == (2, {"personal_data": 1})
    path.unlink()
    everything = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for secret in (b"BA1 6AA", b"BA16AA", b"100012345678", b"Khan"):
        assert secret not in everything


def test_on_the_command_line(tmp_path: Path) -> None:
    done = command(tmp_path, "import", "incidents", write_csv(tmp_path / "a.csv", rows(*TOLD), HEADER), "--json")
    batch = done.json["batches"][0]["batch"]
    told = command(tmp_path, "import", "parks", write_geojson(tmp_path / "p.geojson", PARKS))
    assert "lapwing locate" in told.out
    listed = command(tmp_path, "locate", batch)
    assert "1 record placed (name 1)." in listed.out
    assert "'Victoria Pk' (2 rows) may be:" in listed.out
    found = command(tmp_path, "locate", batch, "--json").json["ambiguous"][0]
    choice = f"{found['text']}={found['candidates'][0]['candidate']}"
    assert command(tmp_path, "locate", batch, "--choose", choice, "--json").json["by_method"] == {"chosen": 2}

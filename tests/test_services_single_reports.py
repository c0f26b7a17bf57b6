"""Single reports of weight: listed for a decision, by cell, and to nobody else."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.services.layers import released_layer
from app.services.purging import purge
from app.wiring import Lapwing
from geo.model import Layer, Profile
from tests.besides import GRADED, LATER, graded, single
from tests.files import load, square, write_csv, write_geojson
from tests.runs import SCOPE, run_of

LONELY = {"1A": (-2.10, 51.30), "1B": (-2.12, 51.31), "1C": (-2.14, 51.32), "2A": (-2.16, 51.33), "3E": (-2.18, 51.34)}


def test_single_reports_of_high_grade_are_listed_once_and_no_others(lapwing: Lapwing, tmp_path: Path) -> None:
    rows = [graded(i, lon, lat, grade) for i, (grade, (lon, lat)) in enumerate(LONELY.items())]
    rows += [graded(10 + i, -2.36, 51.38, "1A") for i in range(7)]
    load(lapwing, write_csv(tmp_path / "a.csv", rows, GRADED))
    run = run_of(lapwing)
    assert run.summary["places"] == 1
    assert sorted(one["grade"] for one in single(run)) == ["1A", "1B"]
    assert len({one["record"] for one in single(run)}) == 2
    behind = {
        bytes(key).hex()
        for place in lapwing.store.runs.places(SCOPE, run.run_id)
        for key in lapwing.store.runs.place_records(SCOPE, run.run_id, place.place_id)["record_key"]
    }
    assert behind.isdisjoint(one["record"] for one in single(run))


def test_a_single_report_is_told_by_its_cell_and_not_its_position(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [graded(1, -2.1037, 51.3041, "1A")], GRADED))
    (one,) = single(run_of(embedded))
    assert (one["lon"], one["lat"]) != (-2.1037, 51.3041)
    assert abs(one["lon"] + 2.1037) < 0.002
    assert abs(one["lat"] - 51.3041) < 0.001
    assert (one["day"], one["agency"]) == ("2024-03-02", "Haven Council")


def test_a_single_report_at_a_protected_place_is_never_listed(lapwing: Lapwing, tmp_path: Path) -> None:
    rows = [graded(i, lon, lat, grade) for i, (grade, (lon, lat)) in enumerate(LONELY.items())]
    load(lapwing, write_csv(tmp_path / "a.csv", rows, GRADED))
    before = run_of(lapwing)
    lon, lat = LONELY["1A"]
    point = {"type": "Point", "coordinates": [lon + 0.0005, lat]}
    load(lapwing, write_geojson(tmp_path / "r.geojson", [({"name": "R"}, point)]), "protected")
    after = run_of(lapwing)
    assert [one["grade"] for one in single(after)] == ["1B"]
    load(lapwing, write_csv(tmp_path / "b.csv", [graded(50, lon, lat, "1A")], GRADED))
    assert [one["grade"] for one in single(run_of(lapwing))] == ["1B"]
    held = lapwing.store.runs.get(SCOPE, before.run_id)
    assert all(one["grade"] != "1A" for one in held.summary.get("needs_decision", []))


def test_one_event_that_two_agencies_tell_of_is_one_line_of_the_higher_grade(embedded: Lapwing, tmp_path: Path) -> None:
    """Whichever of the reports stands for the event, that one of them is of high grade is not lost."""
    header = (*GRADED, "time")
    for number, (agency, grade) in enumerate((("Haven Council", "3E"), ("Haven Police", "1A"))):
        line = [*graded(1, -2.10, 51.30, grade, agency=agency), "21:00"]
        load(embedded, write_csv(tmp_path / f"{number}.csv", [line], header), source=agency)
    run = run_of(embedded)
    assert run.summary["counted_once"] == 1
    assert [one["grade"] for one in single(run)] == ["1A"]


def told_of(app: Lapwing, folder: Path, kind: str, layer: str) -> dict[str, Any]:
    """What is told of a report that lies on a feature of this kind, with a cluster far away."""
    rows = [[*graded(1, -2.10, 51.30, "1A"), 10], *([*graded(10 + i, -2.36, 51.38, "3E"), 10] for i in range(9))]
    load(app, write_csv(folder / "a.csv", rows, (*GRADED, "precision_m")))
    feature = ({"name": "12 Quokka Road", "kind": kind}, square(-2.10005, 51.29995, 0.0001))
    load(app, write_geojson(folder / "f.geojson", [feature]), layer)
    run = run_of(app)
    assert run.summary["clusters"] == 1
    assert ("Quokka" in json.dumps(run.summary)) is (kind == "takeaway")
    (told,) = single(run)
    return told


@pytest.mark.parametrize(
    ("kind", "layer"),
    [("house", "buildings"), ("", "buildings"), ("shop", "buildings"), ("house", "premises"), ("flat", "premises"), ("Children's home", "premises")],
)  # fmt: skip
def test_one_report_never_names_a_home(embedded: Lapwing, tmp_path: Path, kind: str, layer: str) -> None:
    told = told_of(embedded, tmp_path, kind, layer)
    assert (told["kind"], told["name"], told["probability"]) == (None, None, None)


def test_one_report_may_name_a_business(embedded: Lapwing, tmp_path: Path) -> None:
    told = told_of(embedded, tmp_path, "takeaway", "premises")
    assert (told["kind"], told["name"]) == ("takeaway", "12 Quokka Road")
    assert told["probability"] > 0.9


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_a_single_report_is_in_no_layer_of_others(embedded: Lapwing, tmp_path: Path, profile: Profile) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [graded(1, -2.10, 51.30, "1A")], GRADED))
    run = run_of(embedded)
    for layer in (Layer.CELLS, Layer.PLACES):
        assert len(released_layer(embedded.store, SCOPE, run, layer, profile)) == 0


def test_the_bytes_of_a_single_report_are_gone(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "g.csv", [graded(1, -2.10, 51.30, "1A", agency="QuokkaAgency")], GRADED))
    (one,) = single(run_of(embedded))
    purge(embedded.store, SCOPE, LATER)
    (tmp_path / "g.csv").unlink()
    left = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for word in (b"QuokkaAgency", one["record"].encode(), one["cell"].encode()):
        assert word not in left

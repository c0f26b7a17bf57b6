"""What a second reader of names found: each fault once, so that it stays mended."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.services.tasking import accepted_places
from app.wiring import Lapwing
from geo.model import Verdict
from geo.place_kinds import place_kind
from tests.besides import GRADED, graded, single
from tests.deciding import decide
from tests.files import HEADER, load, square, stack, write_csv, write_geojson
from tests.runs import SCOPE, run_of

PRECISE = ("precision_m",)
AT, ELSEWHERE = (-2.10, 51.30), (-2.36, 51.38)


def named_square(name: str, kind: str, at: tuple[float, float], size: float = 0.0001) -> tuple[dict[str, str], Any]:
    return {"name": name, "kind": kind}, square(at[0] - size / 2, at[1] - size / 2, size)


# --- records that name nothing change no comparison -------------------------------------------------------------------


def test_records_that_can_name_no_park_do_not_change_how_parks_compare(embedded: Lapwing, tmp_path: Path) -> None:
    parks = [({"name": "Big"}, square(-2.362, 51.378, 0.005)), ({"name": "Small"}, square(-2.34, 51.40, 0.0006))]
    load(embedded, write_geojson(tmp_path / "p.geojson", parks), "parks")
    load(embedded, write_geojson(tmp_path / "b.geojson", [({"name": "T"}, square(-2.40, 51.36, 0.1))]), "boundary")
    rows = [[*one, 10] for one in stack([(-2.3595, 51.3805, 12), (-2.3397, 51.4003, 12)])]
    load(embedded, write_csv(tmp_path / "a.csv", rows, HEADER + PRECISE))
    before = compared(embedded)
    assert before["Small"]["q_value"] < 0.01
    for number, precision_m in enumerate((2000, 100)):
        spots = [(-2.35 + 0.0004 * i, 51.37, 1) for i in range(30)]
        coarse = [[1000 * (number + 1) + i, *one[1:], precision_m] for i, one in enumerate(stack(spots))]
        load(embedded, write_csv(tmp_path / f"coarse-{number}.csv", coarse, HEADER + PRECISE))
        assert compared(embedded) == before


def compared(app: Lapwing) -> dict[str, dict[str, Any]]:
    run = run_of(app, area="T")
    return {one.name: one.evidence for one in app.store.runs.facilities(SCOPE, run.run_id)}


# --- a spot is near what is likely, and near no home ------------------------------------------------------------------


def test_a_spot_beside_a_home_is_called_after_nothing_on_the_outreach_list(embedded: Lapwing, tmp_path: Path) -> None:
    rows = [[*one, 10] for one in stack([(*ELSEWHERE, 12)])]
    load(embedded, write_csv(tmp_path / "a.csv", rows, HEADER + PRECISE))
    beside = (ELSEWHERE[0] + 0.00042, ELSEWHERE[1])
    homes = [named_square("11 Quokka Road", "house", beside, 0.00012)]
    load(embedded, write_geojson(tmp_path / "h.geojson", homes), "buildings")
    run = run_of(embedded)
    (place,) = embedded.store.runs.places(SCOPE, run.run_id)
    assert place.kind == "unattributed"
    assert [one["name"] for one in place.alternatives] == ["11 Quokka Road"]
    decide(embedded, place.place_id, Verdict.ACCEPT)
    (task,) = accepted_places(embedded.store, SCOPE, run).accepted
    assert task.columns()["place_name"] == "Unnamed spot"
    assert "Quokka" not in json.dumps(task.columns())


# --- records that make no cluster still speak of places ---------------------------------------------------------------


def test_facilities_and_single_reports_need_no_cluster(embedded: Lapwing, tmp_path: Path) -> None:
    rows = [graded(i, *ELSEWHERE, "1A") for i in range(3)] + [graded(10 + i, *AT, "3E") for i in range(2)]
    load(embedded, write_csv(tmp_path / "a.csv", rows, GRADED))
    shops = [named_square(f"Takeaway {i}", "takeaway", at, 0.0002) for i, at in enumerate((ELSEWHERE, AT))]
    load(embedded, write_geojson(tmp_path / "s.geojson", shops), "premises")
    run = run_of(embedded)
    assert run.summary["clusters"] == 0
    told = {one.name: one.records for one in embedded.store.runs.facilities(SCOPE, run.run_id)}
    assert told == {"Takeaway 0": 3, "Takeaway 1": 2}
    assert run.summary["facilities"]["takeaway"]["records"] == 5
    assert [one["name"] for one in single(run)] == ["Takeaway 0"] * 3
    assert run.summary["speak_of"]


def test_no_record_at_all_is_no_fault(embedded: Lapwing, tmp_path: Path) -> None:
    shops = [named_square("Takeaway", "takeaway", AT)]
    load(embedded, write_geojson(tmp_path / "s.geojson", shops), "premises")
    run = run_of(embedded)
    assert (run.summary["facilities"], run.summary["needs_decision"]) == ({}, [])


# --- businesses are no homes, and homes of care are nobody's business -------------------------------------------------


@pytest.mark.parametrize(
    ("subtype", "kind"),
    [
        ("Curry House", "premises"),
        ("Steak House", "premises"),
        ("Ale House", "premises"),
        ("Opera House", "premises"),
        ("House of worship", "premises"),
        ("House clearance", "premises"),
        ("Apartments hotel", "hotel"),
        ("Flat-pack furniture shop", "shop"),
        ("Flat above a shop", "shop"),
        ("Terrace bar", "licensed"),
        ("Curry house takeaway", "takeaway"),
        ("Club house", "premises"),
        ("guest_house", "hotel"),
        ("Public House", "licensed"),
        ("House", "house"),
        ("houses", "house"),
        ("Flat", "house"),
        ("Self-contained flat", "house"),
        ("Flat 3, second floor", "house"),
        ("Block of flats", "house"),
        ("apartments", "house"),
        ("bungalow", "house"),
        ("End-terrace house", "house"),
        ("semidetached_house", "house"),
        ("Semi-Detached", "house"),
        ("3 bedroom detached house", "house"),
        ("House in multiple occupation", "house"),
        ("HMO", "house"),
        ("Residential", "house"),
        ("Private dwelling", "house"),
        ("Property", "premises"),
        ("2", "premises"),
    ],
)
def test_premises_are_homes_only_when_the_whole_kind_says_so(subtype: str, kind: str) -> None:
    assert place_kind("premises", subtype) == kind


CARE = [
    "Care home", "care_home", "Nursing homes", "Residential care", "Residential Care Home", "Children's home", "Children\u2019s Home",
    "childrens home", "Childrens residential home", "Residential home", "Old people's home", "Retirement home", "group_home",
    "Care / Nursing Home", "Home for children", "assisted_living", "Residential institution", "Medical Care Accommodation",
]  # fmt: skip


@pytest.mark.parametrize("layer", ["premises", "buildings"])
@pytest.mark.parametrize("subtype", CARE)
def test_homes_of_care_are_a_kind_of_their_own(layer: str, subtype: str) -> None:
    assert place_kind(layer, subtype) == "care_home"


@pytest.mark.parametrize("subtype", ["Home care agency shop", "Homeware", "Car care", "Health care", "Child care"])
def test_what_only_sounds_like_a_home_of_care_is_none(subtype: str) -> None:
    assert place_kind("premises", subtype) in {"shop", "premises"}


@pytest.mark.parametrize("layer", ["premises", "buildings"])
def test_a_home_of_care_is_compared_nowhere_and_named_by_no_report_and_in_no_heading(
    embedded: Lapwing, tmp_path: Path, layer: str
) -> None:
    round_about = [(AT[0] + 0.00001 * i, AT[1] + 0.00001 * (i % 3)) for i in range(9)]
    rows = [[*graded(i, *spot, "1A"), 10] for i, spot in enumerate(round_about)]
    rows += [[*graded(20, *ELSEWHERE, "1A"), 10]]
    load(embedded, write_csv(tmp_path / "a.csv", rows, GRADED + PRECISE))
    homes = [named_square(f"Quokka Lodge {i}", "Children's home", at, 0.0004) for i, at in enumerate((AT, ELSEWHERE))]
    load(embedded, write_geojson(tmp_path / "c.geojson", homes), layer)
    run = run_of(embedded)
    (place,) = embedded.store.runs.places(SCOPE, run.run_id)
    decide(embedded, place.place_id, Verdict.ACCEPT)
    (task,) = accepted_places(embedded.store, SCOPE, run).accepted
    assert "Quokka" not in task.columns()["place_name"]
    assert run.summary["facilities"] == {}
    assert [one["name"] for one in single(run)] == [None]
    assert "Quokka" not in json.dumps(run.summary)

"""What people decide about places: what then stands, and what lists, exports and later analyses say."""

import json
from pathlib import Path

import pytest

from app.services import places
from app.services.importing import undo_batch
from app.services.layers import released_layer
from app.wiring import Lapwing
from data.export.geojson import write_geojson as geojson_bytes
from geo.decisions import RejectCode
from geo.errors import Conflict, InvalidParameter
from geo.model import Layer, Profile, Verdict
from tests.conftest import NOW_US
from tests.deciding import (
    WEST,
    decide,
    everything,
    found,
    ids,
    named,
    refuge_at,
    shared,
    tasked,
    tasking,
    verdict_of,
)
from tests.files import load, row, square, write_csv, write_geojson
from tests.runs import SCOPE, run_of

# --- accept, reject, and taking back ----------------------------------------------------------------------------------


def test_nothing_is_tasked_before_somebody_accepts(worked: Lapwing) -> None:
    run = run_of(worked)
    assert tasked(worked, run) == []
    assert (tasking(worked, run).waiting, tasking(worked, run).rejected) == (3, 0)
    one = found(worked, run)[11].place_id
    decide(worked, one, Verdict.ACCEPT)
    assert tasked(worked, run) == [one]
    assert verdict_of(worked, run, one) == "accept"


def test_undo_takes_back_one_decision_after_the_other(worked: Lapwing) -> None:
    run = run_of(worked)
    one = found(worked, run)[11].place_id
    told = []
    for verdict in (Verdict.ACCEPT, Verdict.REJECT, Verdict.UNDO, Verdict.UNDO):
        decide(worked, one, verdict)
        told.append(verdict_of(worked, run, one))
    assert told == ["accept", "reject", "accept", "waiting"]
    with pytest.raises(Conflict, match="Nothing was decided"):
        decide(worked, one, Verdict.UNDO)
    history = places.view_place(worked.store, SCOPE, one).decisions
    assert [decision.verdict for decision in history] == ["accept", "reject", "undo", "undo"]
    assert history[2].detail == {"undoes": history[1].decision_id, "verdict": "reject"}


@pytest.mark.parametrize("code", list(RejectCode))
def test_a_rejected_place_keeps_its_code_and_leaves_to_nobody_else(worked: Lapwing, code: RejectCode) -> None:
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    assert one in shared(worked, run, Profile.PARTNER)
    assert one in shared(worked, run, Profile.PUBLIC)
    decision = decide(worked, one, Verdict.REJECT, code=str(code))
    assert decision.detail == {"code": str(code)}
    assert verdict_of(worked, run, one) == "reject"
    for profile in (Profile.PARTNER, Profile.PUBLIC):
        assert one not in shared(worked, run, profile)
    later = run_of(worked, eps_m=149.0)
    assert verdict_of(worked, later, one) == "reject"


def test_a_rejection_without_a_code_is_other_and_unknown_codes_are_refused(worked: Lapwing) -> None:
    one = found(worked, run_of(worked))[12].place_id
    assert decide(worked, one, Verdict.REJECT).detail == {"code": "other"}
    with pytest.raises(InvalidParameter, match="prison"):
        decide(worked, one, Verdict.REJECT, code="cinema")


def test_reasons_are_kept_word_for_word_and_in_no_export(worked: Lapwing) -> None:
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    decide(worked, one, Verdict.ACCEPT, "  lights are out, QUOKKA  ")
    assert [d.reason for d in places.view_place(worked.store, SCOPE, one).decisions] == ["lights are out, QUOKKA"]
    assert b"QUOKKA" not in everything(worked, run)
    assert "QUOKKA" not in json.dumps(worked.store.audit.events(SCOPE), default=str)


# --- move and rename --------------------------------------------------------------------------------------------------


def test_a_moved_place_is_found_at_its_new_point_and_undo_puts_it_back(worked: Lapwing) -> None:
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    decide(worked, one, Verdict.ACCEPT)
    before = tasking(worked, run).accepted[0].where
    decide(worked, one, Verdict.MOVE, to=(-2.3650, 51.3820))
    (listed,) = [p for p in places.list_places(worked.store, SCOPE, run.run_id) if p["place"] == one]
    assert (listed["lon"], listed["lat"], listed["moved"], listed["decision"]) == (-2.365, 51.382, True, "accept")
    moved = tasking(worked, run).accepted[0].where
    assert moved != before
    later = run_of(worked, eps_m=149.0)
    assert tasking(worked, later).accepted[0].where == moved
    decide(worked, one, Verdict.UNDO)
    assert tasking(worked, run).accepted[0].where == before
    assert tasked(worked, run) == [one]


@pytest.mark.parametrize("away", [(-2.36, 51.40), (0.0, 51.38)])
def test_a_point_moves_at_most_a_kilometre(worked: Lapwing, away: tuple[float, float]) -> None:
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter, match="at most 1,000 m"):
        decide(worked, one, Verdict.MOVE, to=away)
    assert worked.store.places.decisions(SCOPE) == []


@pytest.mark.filterwarnings("error")
def test_a_point_beyond_the_grid_is_refused_without_a_warning(worked: Lapwing) -> None:
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter):
        decide(worked, one, Verdict.MOVE, to=(90.0, 0.0))


def test_nobody_is_sent_to_a_protected_place_by_moving_a_point(worked: Lapwing, tmp_path: Path) -> None:
    refuge_at(worked, tmp_path, -2.3650, 51.3820)
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter, match="cannot be used"):
        decide(worked, one, Verdict.MOVE, to=(-2.3650, 51.3820))


def test_a_point_moved_where_a_refuge_is_declared_later_is_not_told(worked: Lapwing, tmp_path: Path) -> None:
    one = found(worked, run_of(worked))[12].place_id
    decide(worked, one, Verdict.ACCEPT)
    before = tasking(worked, run_of(worked)).accepted[0].where
    decide(worked, one, Verdict.MOVE, to=(-2.3650, 51.3820))
    refuge_at(worked, tmp_path, -2.3650, 51.3820)
    run = run_of(worked)
    assert all(line.where in {before, ""} for line in tasking(worked, run).accepted)


def test_the_area_of_a_moved_place_is_that_of_its_new_point(worked: Lapwing, tmp_path: Path) -> None:
    wards = [
        ({"name": "East ward"}, square(-2.3625, 51.37, 0.02)),
        ({"name": "West ward"}, square(-2.3825, 51.37, 0.02)),
    ]
    load(worked, write_geojson(tmp_path / "w.geojson", wards), "areas")
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    decide(worked, one, Verdict.ACCEPT)
    assert tasking(worked, run).accepted[0].area == "East ward"
    decide(worked, one, Verdict.MOVE, to=(-2.3650, 51.3820))
    assert tasking(worked, run).accepted[0].area == "West ward"


def test_a_new_name_is_on_every_list_and_stays(worked: Lapwing) -> None:
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    decide(worked, one, Verdict.ACCEPT)
    decide(worked, one, Verdict.RENAME, name="  The   old  bandstand ")
    for held in (run, run_of(worked, eps_m=149.0)):
        layer = released_layer(worked.store, SCOPE, held, Layer.PLACES, Profile.OPERATIONAL).features
        assert layer.loc[layer["place"] == one, "name"].tolist() == ["The old bandstand"]
        assert "The old bandstand" in str(tasking(worked, held).accepted[0].columns()["place_name"])
    assert places.view_place(worked.store, SCOPE, one).place.name == "The old bandstand"
    decide(worked, one, Verdict.UNDO)
    assert places.view_place(worked.store, SCOPE, one).place.name != "The old bandstand"
    assert tasked(worked, run) == [one]


@pytest.mark.parametrize(
    "name", ["Jane Smith", "Mr Khan's shop", "ring 07700 900123", "jo@example.org", "", " ", "x" * 121]
)
def test_a_name_that_is_a_person_or_nothing_is_refused(worked: Lapwing, name: str) -> None:
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter, match="--name"):
        decide(worked, one, Verdict.RENAME, name=name)
    with pytest.raises(InvalidParameter, match="--name"):
        named(worked, name=name)
    with pytest.raises(InvalidParameter, match="--source"):
        named(worked, source=name)
    assert worked.store.places.nominations(SCOPE) == []


@pytest.mark.parametrize(
    "name", ["Victoria Park", "King George V playing field", "St James Court", "Henry Street car park"]
)
def test_a_name_that_is_a_place_is_taken(worked: Lapwing, name: str) -> None:
    one = found(worked, run_of(worked))[12].place_id
    assert decide(worked, one, Verdict.RENAME, name=name).detail == {"name": name}


@pytest.mark.parametrize("name", ["John Lewis", "Harry Ramsden"])
def test_a_shop_that_is_called_like_a_person_may_be_named(worked: Lapwing, name: str) -> None:
    one = named(worked, name="The corner", kind="shop")
    assert decide(worked, one.place_id, Verdict.RENAME, name=name).detail == {"name": name}
    assert named(worked, name=name, kind="takeaway").name == name
    with pytest.raises(InvalidParameter, match="not a person"):
        named(worked, name=name, kind="park")


@pytest.mark.parametrize("reason", ["ring her on 07700 900123", "jo@example.org told us"])
def test_a_reason_does_not_keep_how_to_reach_a_person(worked: Lapwing, reason: str) -> None:
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter, match="personal data"):
        decide(worked, one, Verdict.ACCEPT, reason)


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_an_address_that_an_analyst_gives_does_not_leave_operations(worked: Lapwing, profile: Profile) -> None:
    """A cluster that nothing names is of no residential kind, yet its new name may be somebody's home."""
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    decide(worked, one, Verdict.RENAME, name="Flat 3, 12 Acacia Avenue")
    layer = released_layer(worked.store, SCOPE, run, Layer.PLACES, profile)
    assert b"Acacia" not in geojson_bytes(layer)


def test_a_place_whose_file_was_undone_can_still_be_explained(worked: Lapwing, tmp_path: Path) -> None:
    batch = load(
        worked,
        write_csv(
            tmp_path / "z.csv", [row(900 + i, date=f"2024-05-{i + 1:02d}", lon=WEST[0], lat=WEST[1]) for i in range(9)]
        ),
    ).batch.batch_id
    one = found(worked, run_of(worked))[9].place_id
    decide(worked, one, Verdict.ACCEPT)
    undo_batch(worked.store, SCOPE, batch, now_us=NOW_US)
    later = run_of(worked)
    assert one not in ids(worked, later)
    assert tasked(worked, later) == []
    view = places.view_place(worked.store, SCOPE, one)
    assert view.standing.verdict == "accept"

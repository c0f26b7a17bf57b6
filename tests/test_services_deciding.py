"""What people decide about places: what then stands, what lists, exports and later analyses say, and what is refused."""

import csv
import json
import threading
from pathlib import Path
from typing import Any

import pytest
import shapely

from app.services import places
from app.services.analysis import analyse
from app.services.deciding import Change, change_place
from app.services.exporting import ExportRequest, export_file
from app.services.importing import undo_batch
from app.services.layers import released_layer
from app.services.nominated import nominated_place, nominated_places
from app.services.nominating import nominate
from app.services.tasking import TaskingList, accepted_places
from app.wiring import Lapwing
from data.audit import Verb
from data.export.geojson import write_geojson as geojson_bytes
from data.places import Nomination
from geo.decisions import Decision, RejectCode
from geo.errors import Conflict, DisclosureError, InvalidParameter, NotFound, NotPermitted
from geo.model import Layer, Place, Profile, Role, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.files import command, load, row, square, stack, write_csv, write_geojson

SCOPE = Scope(actor="test")
A, B, C = (-2.36, 51.38), (-2.30, 51.40), (-2.25, 51.35)
SPOTS = [(*A, 12), (*B, 11), (*C, 10)]
LAYERS = (Layer.CELLS, Layer.PLACES, Layer.TASKING, Layer.ROUTES, Layer.NETWORK)


class LogIsFull(RuntimeError):
    pass


def run_of(app: Lapwing, *, as_of_us: int | None = None, **told: Any) -> Run:
    return analyse(
        app.store, SCOPE, AnalysisParameters(**{"simulations": 19} | told), seed=0, now_us=NOW_US, as_of_us=as_of_us
    )


def found(app: Lapwing, run: Run) -> dict[int, Place]:
    """Places of a run by how many records they have."""
    return {place.records: place for place in app.store.runs.places(SCOPE, run.run_id)}


def ids(app: Lapwing, run: Run) -> list[str]:
    return sorted(place.place_id for place in app.store.runs.places(SCOPE, run.run_id))


def decide(app: Lapwing, place_id: str, verdict: Verdict, reason: str = "we looked", **told: Any) -> Decision:
    return change_place(app.store, SCOPE, place_id, Change(verdict=verdict, reason=reason, **told), now_us=app.clock())


def named(app: Lapwing, **told: Any) -> Nomination:
    words: dict[str, Any] = {
        "name": "Victoria Park",
        "kind": "park",
        "geometry": "-2.20,51.42",
        "reason": "told",
        "source": "council",
    }
    return nominate(app.store, SCOPE, **words | told, now_us=app.clock())


def verdict_of(app: Lapwing, run: Run, place_id: str) -> str:
    listed = {one["place"]: one["decision"] for one in places.list_places(app.store, SCOPE, run.run_id)}
    view = places.view_place(app.store, SCOPE, place_id)
    layer = released_layer(app.store, SCOPE, run, Layer.PLACES, Profile.OPERATIONAL).features
    (exported,) = layer.loc[layer["place"] == place_id, "decision"]
    assert listed[place_id] == view.standing.verdict == exported
    return str(exported)


def shared(app: Lapwing, run: Run, profile: Profile) -> set[str]:
    return set(released_layer(app.store, SCOPE, run, Layer.PLACES, profile).features["place"])


def tasked(app: Lapwing, run: Run) -> list[str]:
    """Place ids of the tasking list, which the tasking layer must repeat."""
    listed = [one.place.place_id for one in tasking(app, run).accepted]
    assert set(released_layer(app.store, SCOPE, run, Layer.TASKING, Profile.OPERATIONAL).features["id"]) == set(listed)
    return sorted(listed)


def tasking(app: Lapwing, run: Run) -> TaskingList:
    return accepted_places(app.store, SCOPE, run)


def members(app: Lapwing, run: Run) -> list[bytes]:
    return sorted(
        bytes(key)
        for place_id in ids(app, run)
        for key in app.store.runs.place_records(SCOPE, run.run_id, place_id)["record_key"]
    )


def everything(app: Lapwing, run: Run) -> bytes:
    return b"".join(geojson_bytes(released_layer(app.store, SCOPE, run, one, Profile.OPERATIONAL)) for one in LAYERS)


@pytest.fixture
def worked(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    load(embedded, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    return embedded


@pytest.fixture
def alone(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    load(embedded, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    return embedded


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
def test_a_rejected_place_keeps_its_code_and_leaves_to_nobody_else(alone: Lapwing, code: RejectCode) -> None:
    run = run_of(alone)
    one = found(alone, run)[12].place_id
    assert one in shared(alone, run, Profile.PARTNER)
    assert one in shared(alone, run, Profile.PUBLIC)
    decision = decide(alone, one, Verdict.REJECT, code=str(code))
    assert decision.detail == {"code": str(code)}
    assert verdict_of(alone, run, one) == "reject"
    for profile in (Profile.PARTNER, Profile.PUBLIC):
        assert one not in shared(alone, run, profile)
    later = run_of(alone, eps_m=149.0)
    assert verdict_of(alone, later, one) == "reject"


def test_a_rejection_without_a_code_is_other_and_unknown_codes_are_refused(alone: Lapwing) -> None:
    one = found(alone, run_of(alone))[12].place_id
    assert decide(alone, one, Verdict.REJECT).detail == {"code": "other"}
    with pytest.raises(InvalidParameter, match="prison"):
        decide(alone, one, Verdict.REJECT, code="cinema")


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
def test_a_point_moves_at_most_a_kilometre(alone: Lapwing, away: tuple[float, float]) -> None:
    one = found(alone, run_of(alone))[12].place_id
    with pytest.raises(InvalidParameter, match="at most 1,000 m"):
        decide(alone, one, Verdict.MOVE, to=away)
    assert alone.store.places.decisions(SCOPE) == []


@pytest.mark.filterwarnings("error")
def test_a_point_beyond_the_grid_is_refused_without_a_warning(alone: Lapwing) -> None:
    one = found(alone, run_of(alone))[12].place_id
    with pytest.raises(InvalidParameter):
        decide(alone, one, Verdict.MOVE, to=(90.0, 0.0))


def refuge_at(app: Lapwing, folder: Path, lon: float, lat: float) -> None:
    point = {"type": "Point", "coordinates": [lon, lat]}
    load(app, write_geojson(folder / "refuge.geojson", [({"name": "R"}, point)]), "protected")


def test_nobody_is_sent_to_a_protected_place_by_moving_a_point(worked: Lapwing, tmp_path: Path) -> None:
    refuge_at(worked, tmp_path, -2.3650, 51.3820)
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter, match="cannot be used"):
        decide(worked, one, Verdict.MOVE, to=(-2.3650, 51.3820))


def test_a_part_of_a_split_is_not_laid_on_a_protected_place(worked: Lapwing, tmp_path: Path) -> None:
    refuge_at(worked, tmp_path, -2.3650, 51.3820)
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter, match="cannot be used"):
        decide(worked, one, Verdict.SPLIT, at=[(-2.3650, 51.3820), A])


def test_the_area_of_a_moved_place_is_that_of_its_new_point(alone: Lapwing, tmp_path: Path) -> None:
    wards = [
        ({"name": "East ward"}, square(-2.3625, 51.37, 0.02)),
        ({"name": "West ward"}, square(-2.3825, 51.37, 0.02)),
    ]
    load(alone, write_geojson(tmp_path / "w.geojson", wards), "areas")
    run = run_of(alone)
    one = found(alone, run)[12].place_id
    decide(alone, one, Verdict.ACCEPT)
    assert tasking(alone, run).accepted[0].area == "East ward"
    decide(alone, one, Verdict.MOVE, to=(-2.3650, 51.3820))
    assert tasking(alone, run).accepted[0].area == "West ward"


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
def test_a_name_that_is_a_person_or_nothing_is_refused(alone: Lapwing, name: str) -> None:
    one = found(alone, run_of(alone))[12].place_id
    with pytest.raises(InvalidParameter, match="--name"):
        decide(alone, one, Verdict.RENAME, name=name)
    with pytest.raises(InvalidParameter, match="--name"):
        named(alone, name=name)
    with pytest.raises(InvalidParameter, match="--source"):
        named(alone, source=name)
    assert alone.store.places.nominations(SCOPE) == []


@pytest.mark.parametrize(
    "name", ["Victoria Park", "King George V playing field", "St James Court", "Henry Street car park"]
)
def test_a_name_that_is_a_place_is_taken(alone: Lapwing, name: str) -> None:
    one = found(alone, run_of(alone))[12].place_id
    assert decide(alone, one, Verdict.RENAME, name=name).detail == {"name": name}


@pytest.mark.parametrize("name", ["John Lewis", "Harry Ramsden"])
def test_a_shop_that_is_called_like_a_person_may_be_named(alone: Lapwing, name: str) -> None:
    one = named(alone, name="The corner", kind="shop")
    assert decide(alone, one.place_id, Verdict.RENAME, name=name).detail == {"name": name}
    assert named(alone, name=name, kind="takeaway").name == name
    with pytest.raises(InvalidParameter, match="not a person"):
        named(alone, name=name, kind="park")


@pytest.mark.parametrize("reason", ["ring her on 07700 900123", "jo@example.org told us"])
def test_a_reason_does_not_keep_how_to_reach_a_person(alone: Lapwing, reason: str) -> None:
    one = found(alone, run_of(alone))[12].place_id
    with pytest.raises(InvalidParameter, match="personal data"):
        decide(alone, one, Verdict.ACCEPT, reason)


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_an_address_that_an_analyst_gives_does_not_leave_operations(alone: Lapwing, profile: Profile) -> None:
    """A cluster that nothing names is of no residential kind, yet its new name may be somebody's home."""
    run = run_of(alone)
    one = found(alone, run)[12].place_id
    decide(alone, one, Verdict.RENAME, name="Flat 3, 12 Acacia Avenue")
    layer = released_layer(alone.store, SCOPE, run, Layer.PLACES, profile)
    assert b"Acacia" not in geojson_bytes(layer)


# --- merge ------------------------------------------------------------------------------------------------------------


def test_a_merge_joins_records_into_one_place_and_loses_none(worked: Lapwing) -> None:
    first = run_of(worked)
    a, b = found(worked, first)[12].place_id, found(worked, first)[11].place_id
    decide(worked, b, Verdict.ACCEPT)
    decide(worked, a, Verdict.MERGE, into=b)
    assert verdict_of(worked, first, a) == "merged"
    merged = run_of(worked)
    assert merged.run_id != first.run_id
    joined = found(worked, merged)
    assert sorted(joined) == [10, 23]
    assert joined[23].place_id == b
    assert members(worked, merged) == members(worked, first)
    assert tasked(worked, merged) == [b]
    assert verdict_of(worked, merged, b) == "accept"
    assert len(set(joined[23].footprint)) == 2
    decide(worked, a, Verdict.UNDO)
    again = run_of(worked)
    assert again == first
    assert ids(worked, again) == ids(worked, first)
    assert verdict_of(worked, again, a) == "waiting"


def test_a_merge_that_was_undone_is_undone_for_new_records_too(worked: Lapwing, tmp_path: Path) -> None:
    first = run_of(worked)
    a, b = found(worked, first)[12].place_id, found(worked, first)[11].place_id
    decide(worked, a, Verdict.MERGE, into=b)
    run_of(worked)
    decide(worked, a, Verdict.UNDO)
    load(worked, write_csv(tmp_path / "b.csv", stack(SPOTS, date="2024-04-{:02d}")))
    later = found(worked, run_of(worked))
    assert (later[24].place_id, later[22].place_id) == (a, b)
    assert len(later) == 3


def test_merges_are_followed_to_the_place_that_stands(worked: Lapwing) -> None:
    first = run_of(worked)
    a, b, c = (found(worked, first)[count].place_id for count in (12, 11, 10))
    decide(worked, a, Verdict.MERGE, into=b)
    decide(worked, b, Verdict.MERGE, into=c)
    (whole,) = found(worked, run_of(worked)).values()
    assert (whole.place_id, whole.records) == (c, 33)
    decide(worked, a, Verdict.UNDO)
    assert {p.place_id: p.records for p in found(worked, run_of(worked)).values()} == {a: 12, c: 21}


def test_what_was_merged_or_split_is_not_merged_or_split_again(worked: Lapwing) -> None:
    first = run_of(worked)
    a, b, c = (found(worked, first)[count].place_id for count in (12, 11, 10))
    with pytest.raises(InvalidParameter, match="into itself"):
        decide(worked, a, Verdict.MERGE, into=a)
    with pytest.raises(NotFound):
        decide(worked, a, Verdict.MERGE, into="nowhere")
    decide(worked, a, Verdict.MERGE, into=b)
    for place, into in ((b, a), (c, a), (a, c)):
        with pytest.raises(Conflict, match=f"Place {a} was merged or split"):
            decide(worked, place, Verdict.MERGE, into=into)
    with pytest.raises(Conflict):
        decide(worked, a, Verdict.SPLIT, at=[A, (A[0] + 0.001, A[1])])
    decide(worked, c, Verdict.SPLIT, at=[C, (C[0] + 0.001, C[1])])
    for told in ({"verdict": Verdict.SPLIT, "at": [C, (C[0] + 0.002, C[1])]}, {"verdict": Verdict.MERGE, "into": b}):
        with pytest.raises(Conflict):
            decide(worked, c, **told)
    with pytest.raises(Conflict):
        decide(worked, b, Verdict.MERGE, into=c)
    assert len(worked.store.places.decisions(SCOPE)) == 2


def test_a_merged_place_says_so_though_it_was_accepted_and_is_tasked_under_the_other(worked: Lapwing) -> None:
    first = run_of(worked)
    a, b = found(worked, first)[12].place_id, found(worked, first)[11].place_id
    decide(worked, a, Verdict.ACCEPT)
    decide(worked, a, Verdict.MERGE, into=b)
    assert tasked(worked, first) == []
    merged = run_of(worked)
    assert tasked(worked, merged) == []  # nobody has accepted the whole
    assert tasking(worked, merged).waiting == 2
    decide(worked, a, Verdict.UNDO)
    assert tasked(worked, first) == [a]


def strip(lon: float, lat: float, steps: range, *, each: int = 6) -> list[tuple[float, float, int]]:
    """Spots in a row to the east, 70 m apart: a cluster that is several cells long."""
    return [(round(lon + 0.001 * step, 6), lat, each) for step in steps]


def test_a_merge_holds_while_its_parts_grow_month_by_month(worked: Lapwing, tmp_path: Path) -> None:
    """Each month adds a little at the far end of the larger place; the smaller stays part of the same place."""
    small, large = strip(-2.10, 51.30, range(2)), strip(-2.15, 51.45, range(5))
    load(worked, write_csv(tmp_path / "m.csv", stack([*small, *large])))
    first = found(worked, run_of(worked))
    a, b = first[30].place_id, first[12].place_id
    decide(worked, b, Verdict.ACCEPT)
    decide(worked, a, Verdict.MERGE, into=b)
    for month in range(4):
        grown = strip(-2.15, 51.45, range(5 + 2 * month, 7 + 2 * month))
        load(worked, write_csv(tmp_path / f"{month}.csv", stack(grown, date=f"2024-0{month + 4}-{{:02d}}")))
        now = found(worked, run_of(worked, max_place_width_m=5000.0))
        assert len(now) == 4, f"month {month}: the merged place fell apart"
        assert now[42 + 12 * (month + 1)].place_id == b


def test_a_run_made_again_under_the_same_merge_is_the_same_bytes(worked: Lapwing) -> None:
    first = run_of(worked)
    before = everything(worked, first)
    a, b = found(worked, first)[12].place_id, found(worked, first)[11].place_id
    decide(worked, a, Verdict.MERGE, into=b)
    merged = run_of(worked)
    told = everything(worked, merged)
    assert run_of(worked, as_of_us=NOW_US + DAY_US).run_id == merged.run_id
    assert everything(worked, run_of(worked, as_of_us=NOW_US)) == told
    decide(worked, a, Verdict.UNDO)
    assert everything(worked, run_of(worked)) != told
    assert everything(worked, run_of(worked, as_of_us=NOW_US)) == before
    decide(worked, a, Verdict.MERGE, into=b)
    assert run_of(worked).run_id == merged.run_id
    assert everything(worked, run_of(worked, as_of_us=NOW_US)) == told


def test_names_points_and_verdicts_make_no_other_run_but_other_merges_do(alone: Lapwing) -> None:
    first = run_of(alone)
    a, b, c = (found(alone, first)[count].place_id for count in (12, 11, 10))
    decide(alone, a, Verdict.ACCEPT)
    decide(alone, b, Verdict.RENAME, name="Victoria Park")
    decide(alone, c, Verdict.MOVE, to=C)
    assert run_of(alone).run_id == first.run_id
    decide(alone, a, Verdict.MERGE, into=b)
    one = run_of(alone).run_id
    decide(alone, a, Verdict.UNDO)
    decide(alone, a, Verdict.MERGE, into=c)
    assert len({first.run_id, one, run_of(alone).run_id}) == 3


# --- split ------------------------------------------------------------------------------------------------------------

WEST, EAST = (-2.20, 51.30), (-2.1990, 51.30)


@pytest.fixture
def double(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    """Two spots 70 m apart, which are one cluster: six records in the west and eight in the east."""
    load(lapwing, write_csv(tmp_path / "d.csv", stack([(*WEST, 6), (*EAST, 8)])))
    return lapwing


def test_a_split_parts_the_records_and_undo_joins_them(double: Lapwing) -> None:
    first = run_of(double)
    whole = found(double, first)[14].place_id
    decide(double, whole, Verdict.ACCEPT)
    told = decide(double, whole, Verdict.SPLIT, at=[WEST, EAST])
    west, east = (one["place"] for one in told.detail["parts"])
    assert verdict_of(double, first, whole) == "split"
    assert tasked(double, first) == []
    parted = run_of(double)
    assert {place.place_id: place.records for place in found(double, parted).values()} == {west: 6, east: 8}
    assert members(double, parted) == members(double, first)
    decide(double, east, Verdict.ACCEPT)
    assert tasked(double, parted) == [east]
    decide(double, whole, Verdict.UNDO)
    assert tasked(double, first) == [whole]
    again = run_of(double)
    assert again == first


def test_parts_stay_parts_when_another_month_comes(double: Lapwing, tmp_path: Path) -> None:
    whole = found(double, run_of(double))[14].place_id
    told = decide(double, whole, Verdict.SPLIT, at=[WEST, EAST])
    west, east = (one["place"] for one in told.detail["parts"])
    run_of(double)
    load(double, write_csv(tmp_path / "e.csv", stack([(*WEST, 5), (*EAST, 6)], date="2024-04-{:02d}")))
    later = run_of(double)
    assert {place.place_id: place.records for place in found(double, later).values()} == {west: 11, east: 14}


def test_undo_of_a_split_holds_when_another_month_comes(double: Lapwing, tmp_path: Path) -> None:
    whole = found(double, run_of(double))[14].place_id
    decide(double, whole, Verdict.SPLIT, at=[WEST, EAST])
    run_of(double)
    decide(double, whole, Verdict.UNDO)
    load(double, write_csv(tmp_path / "e.csv", stack([(*WEST, 5), (*EAST, 6)], date="2024-04-{:02d}")))
    (place,) = found(double, run_of(double)).values()
    assert (place.place_id, place.records) == (whole, 25)


def test_a_part_may_be_split_and_merged_like_any_place(double: Lapwing) -> None:
    whole = found(double, run_of(double))[14].place_id
    west, east = (one["place"] for one in decide(double, whole, Verdict.SPLIT, at=[WEST, EAST]).detail["parts"])
    decide(double, west, Verdict.MERGE, into=east)
    (place,) = found(double, run_of(double)).values()
    assert (place.place_id, place.records) == (east, 14)


def test_what_was_merged_into_a_part_is_not_left_under_it_when_the_split_is_undone(
    double: Lapwing, tmp_path: Path
) -> None:
    load(double, write_csv(tmp_path / "a.csv", stack(SPOTS[:1])))
    first = found(double, run_of(double))
    whole, other = first[14].place_id, first[12].place_id
    west, east = (one["place"] for one in decide(double, whole, Verdict.SPLIT, at=[WEST, EAST]).detail["parts"])
    decide(double, other, Verdict.MERGE, into=west)
    assert {p.place_id: p.records for p in found(double, run_of(double)).values()} == {west: 18, east: 8}
    try:
        decide(double, whole, Verdict.UNDO)
    except Conflict:
        return  # to be told to take the merge back first is as good
    assert {west, east}.isdisjoint(ids(double, run_of(double)))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ([], "two or more"), ([WEST], "two or more"), ([WEST, WEST], "on one spot"), ([WEST, EAST, WEST], "on one spot"),
        ([WEST, (-2.1, 51.3)], "within 1,000 m"),
    ],
)  # fmt: skip
def test_a_split_wants_two_points_near_the_place(double: Lapwing, at: list[tuple[float, float]], said: str) -> None:
    whole = found(double, run_of(double))[14].place_id
    with pytest.raises(InvalidParameter, match=said):
        decide(double, whole, Verdict.SPLIT, at=at)
    assert len(double.store.places.known_places(SCOPE)) == 1


def test_a_part_without_records_is_not_there(double: Lapwing) -> None:
    whole = found(double, run_of(double))[14].place_id
    told = decide(double, whole, Verdict.SPLIT, at=[WEST, EAST, (-2.195, 51.30)])
    parts = [one["place"] for one in told.detail["parts"]]
    run = run_of(double)
    assert ids(double, run) == sorted(parts[:2])


def test_a_part_that_no_analysis_has_found_is_explained_without_a_lie(double: Lapwing) -> None:
    """Right after a split the parts are known: to say that no analysis holds them any more is not true."""
    whole = found(double, run_of(double))[14].place_id
    part = decide(double, whole, Verdict.SPLIT, at=[WEST, EAST]).detail["parts"][0]["place"]
    with pytest.raises(NotFound) as told:
        places.view_place(double.store, SCOPE, part)
    assert "any more" not in str(told.value)


# --- nominated places -------------------------------------------------------------------------------------------------


def test_a_nominated_place_is_beside_the_ranking_and_waits(worked: Lapwing) -> None:
    run = run_of(worked)
    ranked = places.list_places(worked.store, SCOPE, run.run_id)
    one = named(worked)
    assert places.list_places(worked.store, SCOPE, run.run_id) == ranked
    (listed,) = [place.as_dict() for place in nominated_places(worked.store, SCOPE, run)]
    assert (listed["place"], listed["basis"], listed["decision"]) == (one.place_id, "nominated", "waiting")
    layer = released_layer(worked.store, SCOPE, run, Layer.PLACES, Profile.OPERATIONAL)
    (told,) = layer.features[layer.features["place"] == one.place_id].to_dict("records")
    assert (told["basis"], told["records"], told["rank"]) == ("nominated", 0, None)
    assert tasked(worked, run) == []
    decide(worked, one.place_id, Verdict.ACCEPT)
    assert tasked(worked, run) == [one.place_id]
    (line,) = tasking(worked, run).accepted
    assert "No cluster of records stands behind it" in line.why
    decide(worked, one.place_id, Verdict.REJECT)
    assert tasked(worked, run) == []


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
@pytest.mark.parametrize("format_name", ["geojson", "gpkg", "csv"])
def test_a_nominated_place_never_leaves_operations(
    alone: Lapwing, tmp_path: Path, profile: Profile, format_name: str
) -> None:
    run = run_of(alone)
    one = named(alone, name="Quokka Park")
    decide(alone, one.place_id, Verdict.ACCEPT)
    for layer in LAYERS:
        request = ExportRequest(layer=layer, format=format_name, profile=profile, purpose="review")
        path = tmp_path / f"{layer}.{format_name}"
        try:
            export_file(alone.store, SCOPE, run, request, path, now_us=NOW_US)
        except DisclosureError:
            continue
        content = path.read_bytes()
        assert b"Quokka" not in content
        assert one.place_id.encode() not in content


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_routes_network_and_tasking_are_for_operations_only(alone: Lapwing, profile: Profile) -> None:
    run = run_of(alone)
    for layer in (Layer.ROUTES, Layer.NETWORK, Layer.TASKING):
        with pytest.raises(DisclosureError):
            released_layer(alone.store, SCOPE, run, layer, profile)


def test_a_nominated_place_is_known_again_when_records_gather_there(worked: Lapwing, tmp_path: Path) -> None:
    one = named(worked, geometry=f"{WEST[0]},{WEST[1]}")
    decide(worked, one.place_id, Verdict.ACCEPT)
    load(worked, write_csv(tmp_path / "w.csv", stack([(*WEST, 7)], date="2024-04-{:02d}")))
    run = run_of(worked)
    assert found(worked, run)[7].place_id == one.place_id
    assert tasked(worked, run) == [one.place_id]
    assert nominated_places(worked.store, SCOPE, run) == []
    layer = released_layer(worked.store, SCOPE, run, Layer.PLACES, Profile.OPERATIONAL)
    assert layer.features["place"].tolist().count(one.place_id) == 1


def test_the_name_and_source_of_a_nominated_place_are_kept_when_records_gather_there(
    alone: Lapwing, tmp_path: Path
) -> None:
    one = named(alone, geometry=f"{WEST[0]},{WEST[1]}", name="Quokka Park", source="the council")
    load(alone, write_csv(tmp_path / "w.csv", stack([(*WEST, 7)], date="2024-04-{:02d}")))
    run = run_of(alone)
    (listed,) = [p for p in places.list_places(alone.store, SCOPE, run.run_id) if p["place"] == one.place_id]
    assert listed["name"] == "Quokka Park"


def test_a_polygon_is_known_again_by_its_cells(worked: Lapwing, tmp_path: Path) -> None:
    park = shapely.to_wkt(shapely.geometry.shape(square(WEST[0] - 0.001, WEST[1] - 0.001, 0.002)))
    one = named(worked, geometry=park)
    load(worked, write_csv(tmp_path / "w.csv", stack([(*WEST, 7)], date="2024-04-{:02d}")))
    assert found(worked, run_of(worked))[7].place_id == one.place_id


def test_a_nominated_place_that_is_merged_is_explained_by_where_it_went(alone: Lapwing) -> None:
    into = found(alone, run_of(alone))[12].place_id
    one = named(alone)
    decide(alone, one.place_id, Verdict.MERGE, into=into)
    assert nominated_places(alone.store, SCOPE) == []
    told = nominated_place(alone.store, SCOPE, one.place_id)
    assert told is not None
    assert told.standing.merged_into == into


def test_a_nominated_place_that_nothing_found_is_not_split_but_its_parts_are_added(alone: Lapwing) -> None:
    run_of(alone)
    one = named(alone)
    with pytest.raises(Conflict, match="place add"):
        decide(alone, one.place_id, Verdict.SPLIT, at=[(-2.20, 51.42), (-2.199, 51.42)])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"kind": "castle"}, "Unknown kind"), ({"geometry": "51.38,-2.36,1"}, "LON,LAT"), ({"geometry": "POINT (x)"}, "not WKT"),
        ({"geometry": "POINT EMPTY"}, "one point"), ({"geometry": "200,51"}, "longitude"), ({"geometry": "-2,nan"}, "longitude"),
        ({"geometry": "0,0"}, "outside"), ({"reason": " "}, "Say why"),
        ({"geometry": shapely.to_wkt(shapely.geometry.shape(square(-2.4, 51.3, 0.1)))}, "at most 5 km2"),
        ({"geometry": "POLYGON ((-2.36 51.38, -2.35 51.39, -2.35 51.38, -2.36 51.39, -2.36 51.38))"}, "not valid"),
    ],
)  # fmt: skip
def test_a_nomination_that_is_no_place_is_refused(alone: Lapwing, told: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        named(alone, **told)
    assert alone.store.places.nominations(SCOPE) == []


@pytest.mark.parametrize(
    "geometry", ["CIRCULARSTRING (-2.36 51.38, -2.35 51.39, -2.34 51.38)", "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))"]
)
def test_a_shape_that_cannot_be_used_is_refused_in_plain_words(alone: Lapwing, geometry: str) -> None:
    with pytest.raises(InvalidParameter, match="--geometry"):
        named(alone, geometry=geometry)


@pytest.mark.parametrize("geometry", ["LINESTRING (-5 50, 1 55)", "MULTIPOINT ((-5 50), (1 55))"])
def test_a_place_does_not_reach_across_the_country(alone: Lapwing, geometry: str) -> None:
    with pytest.raises(InvalidParameter, match="--geometry"):
        named(alone, geometry=geometry)


def test_a_protected_place_is_not_nominated_and_later_one_hides_it(worked: Lapwing, tmp_path: Path) -> None:
    refuge_at(worked, tmp_path, -2.20, 51.42)
    for geometry in ("-2.20,51.42", "-2.2003,51.42", "LINESTRING (-2.21 51.42, -2.19 51.42)"):
        with pytest.raises(InvalidParameter, match="cannot be used"):
            named(worked, geometry=geometry)


def test_a_place_nominated_where_a_refuge_is_declared_later_is_not_listed_or_tasked(
    worked: Lapwing, tmp_path: Path
) -> None:
    run = run_of(worked)
    one = named(worked)
    decide(worked, one.place_id, Verdict.ACCEPT)
    refuge_at(worked, tmp_path, -2.20, 51.42)
    run = run_of(worked)
    assert nominated_places(worked.store, SCOPE, run) == []
    assert tasked(worked, run) == []


def test_a_point_moved_where_a_refuge_is_declared_later_is_not_told(worked: Lapwing, tmp_path: Path) -> None:
    one = found(worked, run_of(worked))[12].place_id
    decide(worked, one, Verdict.ACCEPT)
    before = tasking(worked, run_of(worked)).accepted[0].where
    decide(worked, one, Verdict.MOVE, to=(-2.3650, 51.3820))
    refuge_at(worked, tmp_path, -2.3650, 51.3820)
    run = run_of(worked)
    assert all(line.where in {before, ""} for line in tasking(worked, run).accepted)


# --- who, and all or nothing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ANALYST])
def test_only_an_analyst_decides_or_nominates(alone: Lapwing, role: Role) -> None:
    one = found(alone, run_of(alone))[12].place_id
    other = Scope(actor="other", role=role)
    for verdict in Verdict:
        change = Change(verdict=verdict, reason="because", to=A, name="Park", into=one, at=[A, B])
        with pytest.raises(NotPermitted):
            change_place(alone.store, other, one, change, now_us=NOW_US)
    with pytest.raises(NotPermitted):
        nominate(
            alone.store, other, name="Park", kind="park", geometry="-2.2,51.4", reason="r", source="s", now_us=NOW_US
        )
    assert alone.store.places.decisions(SCOPE) == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_decision_wants_a_reason_and_what_it_needs(alone: Lapwing, verdict: Verdict) -> None:
    one = found(alone, run_of(alone))[12].place_id
    with pytest.raises(InvalidParameter, match="Say why"):
        decide(alone, one, verdict, " \n ", to=A, name="Park", at=[A, B])
    if verdict in {Verdict.MOVE, Verdict.RENAME, Verdict.MERGE, Verdict.SPLIT}:
        with pytest.raises(InvalidParameter):
            decide(alone, one, verdict)
    assert alone.store.places.decisions(SCOPE) == []


def test_another_organisation_sees_and_decides_nothing(worked: Lapwing) -> None:
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    named(worked)
    stranger = Scope(actor="stranger", org_id="elsewhere")
    with pytest.raises(NotFound):
        change_place(worked.store, stranger, one, Change(verdict=Verdict.ACCEPT, reason="r"), now_us=NOW_US)
    assert nominated_places(worked.store, stranger) == []
    assert worked.store.places.standing(stranger) == {}


def test_a_full_log_leaves_nothing_half_done(worked: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(worked)
    a, b = found(worked, run)[12].place_id, found(worked, run)[11].place_id
    decide(worked, b, Verdict.ACCEPT)
    before = (everything(worked, run), worked.store.places.known_places(SCOPE), worked.store.places.decisions(SCOPE))

    def refuse(*_: object, **__: object) -> None:
        raise LogIsFull

    monkeypatch.setattr(type(worked.store.audit), "append", refuse)
    for told in (
        {"verdict": Verdict.ACCEPT}, {"verdict": Verdict.REJECT}, {"verdict": Verdict.MOVE, "to": A}, {"verdict": Verdict.RENAME, "name": "Park"},
        {"verdict": Verdict.MERGE, "into": b}, {"verdict": Verdict.SPLIT, "at": [A, (A[0] + 0.001, A[1])]},
    ):  # fmt: skip
        with pytest.raises(LogIsFull):
            decide(worked, a, **told)
    with pytest.raises(LogIsFull):
        decide(worked, b, Verdict.UNDO)
    with pytest.raises(LogIsFull):
        named(worked)
    assert worked.store.places.nominations(SCOPE) == []
    assert (
        everything(worked, run),
        worked.store.places.known_places(SCOPE),
        worked.store.places.decisions(SCOPE),
    ) == before


def test_every_decision_is_in_the_log_without_a_position_or_name(worked: Lapwing) -> None:
    one = found(worked, run_of(worked))[12].place_id
    decide(worked, one, Verdict.RENAME, name="Quokka Park")
    decide(worked, one, Verdict.MOVE, to=(-2.3611, 51.3822))
    named(worked, name="Quokka Green")
    events = worked.store.audit.events(SCOPE)[-3:]
    assert [event["verb"] for event in events] == [Verb.ALTERATION, Verb.ALTERATION, Verb.COLLECTION]
    text = json.dumps(worked.store.audit.events(SCOPE), default=str)
    assert not any(word in text for word in ("Quokka", "2.3611", "51.3822", "we looked"))


def test_two_people_who_merge_two_places_into_each_other_at_once_make_no_ring(worked: Lapwing) -> None:
    run = run_of(worked)
    a, b = found(worked, run)[12].place_id, found(worked, run)[11].place_id
    gate, outcome = threading.Barrier(2), []

    def merge(place: str, into: str) -> None:
        gate.wait(timeout=20)
        try:
            decide(worked, place, Verdict.MERGE, into=into)
            outcome.append("done")
        except Conflict:
            outcome.append("refused")
        finally:
            worked.database.close()

    people = [threading.Thread(target=merge, args=pair) for pair in ((a, b), (b, a))]
    for one in people:
        one.start()
    for one in people:
        one.join(timeout=60)
    assert sorted(outcome) == ["done", "refused"]
    assert sorted(found(worked, run_of(worked))) == [10, 23]


def test_two_people_who_undo_at_once_take_back_two_decisions(worked: Lapwing) -> None:
    one = found(worked, run_of(worked))[12].place_id
    for verdict in (Verdict.ACCEPT, Verdict.REJECT):
        decide(worked, one, verdict)
    gate = threading.Barrier(2)

    def undo() -> None:
        gate.wait(timeout=20)
        try:
            decide(worked, one, Verdict.UNDO)
        finally:
            worked.database.close()

    people = [threading.Thread(target=undo) for _ in range(2)]
    for person in people:
        person.start()
    for person in people:
        person.join(timeout=60)
    undone = [d.detail["undoes"] for d in worked.store.places.decisions(SCOPE) if d.verdict == Verdict.UNDO]
    assert len(set(undone)) == 2


# --- the command line -------------------------------------------------------------------------------------------------


def test_the_way_through_on_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()

    def lapwing(*words: object, code: int = 0) -> Any:
        done = command(home, *words)
        assert done.code == code, done
        assert "Traceback" not in done.err
        assert "Warning" not in done.err
        return done

    lapwing("import", "incidents", write_csv(tmp_path / "a.csv", stack([(*WEST, 6), (*EAST, 8), *SPOTS[:2]])))
    run = lapwing("analyse", "--simulations", 19, "--json").json["run"]
    by_count = {one["records"]: one["place"] for one in lapwing("places", run, "--json").json["places"]}
    one = lapwing(
        "place", "add", "--name", "Quokka Park", "--kind", "park", "--geometry", "-2.20,51.42", "--reason", "told",
        "--source", "council", "--json",
    ).json["place"]  # fmt: skip
    listed = lapwing("places", run)
    assert "Nominated by people, in no ranking:" in listed.out
    assert "Quokka Park" in listed.out
    explained = lapwing("explain", one, "--json").json
    assert (explained["basis"], explained["decision"], explained["decisions"]) == ("nominated", "waiting", [])
    assert "goes with move" in lapwing("decide", by_count[14], "accept", "--reason", "r", "--to", "1,2", code=2).err
    assert "goes with split" in lapwing("decide", by_count[14], "merge", "--reason", "r", "--at", "1,2", code=2).err
    assert "--to LON,LAT" in lapwing("decide", by_count[14], "move", "--reason", "r", code=1).err
    assert "--to" in lapwing("decide", by_count[14], "move", "--reason", "r", "--to", "here", code=1).err
    split = lapwing(
        "decide", by_count[14], "split", "--reason", "two doors", "--at", f"{WEST[0]},{WEST[1]}", "--at", f"{EAST[0]},{EAST[1]}",
        "--json",
    ).json  # fmt: skip
    assert len(split["parts"]) == 2
    told = lapwing("decide", by_count[12], "merge", "--reason", "one park", "--into", by_count[11]).out
    assert f"lapwing decide {by_count[12]} undo" in told
    later = lapwing("analyse", "--simulations", 19, "--json").json["run"]
    assert later != run
    counts = sorted(place["records"] for place in lapwing("places", later, "--json").json["places"])
    assert counts == [6, 8, 23]
    for place in (by_count[11], one):
        lapwing("decide", place, "accept", "--reason", "seen")
    rows = lapwing("task", later, "-o", tmp_path / "t.csv", "--json").json["tasking"]
    assert {one["place"] for one in rows} == {by_count[11], one}
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert {line["place"] for line in csv.DictReader(stream)} == {by_count[11], one}
    history = lapwing("explain", by_count[11]).out
    assert "accept: seen" in history
    assert "lapwing decide" not in lapwing("decide", by_count[12], "undo", "--reason", "wrong").out
    assert lapwing("analyse", "--simulations", 19, "--json").json["places"] == 4


def test_an_undo_is_explained_as_an_undo(tmp_path: Path) -> None:
    command(tmp_path, "import", "incidents", write_csv(tmp_path / "a.csv", stack(SPOTS)))
    run = command(tmp_path, "analyse", "--simulations", 19, "--json").json["run"]
    one = command(tmp_path, "places", run, "--json").json["places"][0]["place"]
    for verdict in ("accept", "undo"):
        command(tmp_path, "decide", one, verdict, "--reason", f"because of {verdict}")
    told = command(tmp_path, "explain", one, "--json").json["decisions"]
    assert [decision["verdict"] for decision in told] == ["accept", "undo"]


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

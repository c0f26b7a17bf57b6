"""What a second reading of decisions found: identities taken over, rejections that went missing, and names that came back."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.services import places
from app.services.deciding import memory
from app.services.nominated import nominated_place, nominated_places
from app.services.route_layers import places_of
from app.services.rulings import rulings
from app.services.tasking import accepted_places
from app.wiring import Lapwing
from data.places import Nomination
from geo import cells as h3cells
from geo.errors import Conflict, NotFound
from geo.model import Place, Profile, Role, Run, Scope, Verdict
from tests.deciding import (
    EAST,
    SPOTS,
    WEST,
    A,
    decide,
    found,
    ids,
    named,
    refuge_at,
    shared,
    tasked,
    tasking,
    verdict_of,
)
from tests.files import load, row, stack, write_csv
from tests.runs import SCOPE, run_of

FOOTPRINT_RESOLUTION = 11
DEGREES_A_METRE = 1 / (111_320 * math.cos(math.radians(A[1])))  # of longitude
NAME, SOURCE, REASON = "Marigold annexe", "Haven Council", "quokkas were told of"


@pytest.fixture
def double(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    """Two spots 70 m apart, which are one cluster of fourteen, and another cluster of twelve far away."""
    load(lapwing, write_csv(tmp_path / "d.csv", stack([(*WEST, 6), (*EAST, 8), *SPOTS[:1]])))
    return lapwing


def over_months(*spots: tuple[float, float, int]) -> list[list[object]]:
    """Rows heaped on spots, from enough days and months for partners to see them."""
    return [
        row(100 * number + i, f"2024-{1 + i % 3:02d}-{1 + i:02d}", lon, lat)
        for number, (lon, lat, count) in enumerate(spots)
        for i in range(count)
    ]


def centre(cell: int) -> tuple[float, float]:
    lon, lat = h3cells.centres(np.asarray([cell], np.int64))
    return float(lon[0]), float(lat[0])


# --- a nomination takes over no place that records stand behind -------------------------------------------------------


def test_a_rejected_place_that_grows_is_not_taken_over_by_a_nomination_upon_it(
    embedded: Lapwing, tmp_path: Path
) -> None:
    """A place of one cell shares one cell with what it grows to, and a nomination's middle shares more."""
    (cell,) = h3cells.index_points(*(np.asarray([one]) for one in A), FOOTPRINT_RESOLUTION).tolist()
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*centre(cell), 12)])))
    (prison,) = ids(embedded, run_of(embedded))
    decide(embedded, prison, Verdict.REJECT, code="prison")
    lon, lat = centre(cell)
    one = named(embedded, geometry=f"{lon},{lat}")
    beside = [near for near in h3cells.disks(np.asarray([cell]), 1).tolist() if near != cell][:2]
    grown = stack([(*centre(near), 12) for near in beside])
    load(embedded, write_csv(tmp_path / "b.csv", [[100 + number, *told[1:]] for number, told in enumerate(grown)]))
    later = run_of(embedded)
    assert ids(embedded, later) == [prison]
    assert verdict_of(embedded, later, prison) == "reject"
    assert [told.nomination.place_id for told in nominated_places(embedded.store, SCOPE, later)] == [one.place_id]


def test_a_nomination_is_still_what_a_new_cluster_upon_it_is(worked: Lapwing, tmp_path: Path) -> None:
    run_of(worked)
    one = named(worked, geometry="-2.20,51.42")
    assert memory(worked.store, SCOPE).nominated == {one.place_id}
    load(worked, write_csv(tmp_path / "n.csv", [row(900 + i, lon=-2.20, lat=51.42) for i in range(9)]))
    assert one.place_id in ids(worked, run_of(worked))
    assert memory(worked.store, SCOPE).nominated == set()  # from now on records stand behind it


# --- what was rejected leaves to nobody else, however it is regrouped -------------------------------------------------


@pytest.fixture
def partnered(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    """Two clusters far apart that partners may see, of twelve and fourteen records."""
    load(embedded, write_csv(tmp_path / "a.csv", over_months((*A, 12), (-2.30, 51.40, 14))))
    return embedded


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_a_rejected_place_does_not_leave_after_a_merge_or_split(partnered: Lapwing, profile: Profile) -> None:
    run = run_of(partnered)
    prison, other = (found(partnered, run)[count].place_id for count in (12, 14))
    assert prison in shared(partnered, run, profile)
    decide(partnered, prison, Verdict.REJECT, code="prison")
    assert shared(partnered, run, profile) == {other}
    decide(partnered, prison, Verdict.MERGE, into=other)
    assert verdict_of(partnered, run, prison) == "merged"
    assert shared(partnered, run, profile) == {other}
    decide(partnered, prison, Verdict.UNDO)
    decide(partnered, prison, Verdict.SPLIT, at=[A, (A[0] + 0.0005, A[1])])
    assert verdict_of(partnered, run, prison) == "split"
    assert shared(partnered, run, profile) == {other}


def test_what_was_merged_into_a_rejected_place_does_not_leave_before_the_next_analysis(partnered: Lapwing) -> None:
    run = run_of(partnered)
    prison, other = (found(partnered, run)[count].place_id for count in (12, 14))
    decide(partnered, other, Verdict.ACCEPT)
    decide(partnered, prison, Verdict.REJECT, code="prison")
    decide(partnered, other, Verdict.MERGE, into=prison)
    assert shared(partnered, run, Profile.PARTNER) == set()
    assert shared(partnered, run_of(partnered), Profile.PARTNER) == set()


def test_parts_of_a_rejected_place_are_rejected_until_somebody_decides(partnered: Lapwing) -> None:
    prison = found(partnered, run_of(partnered))[12].place_id
    decide(partnered, prison, Verdict.REJECT, code="prison")
    told = decide(partnered, prison, Verdict.SPLIT, at=[A, (A[0] + 0.0005, A[1])])
    part = told.detail["parts"][0]["place"]
    run = run_of(partnered)
    assert part in ids(partnered, run)
    assert verdict_of(partnered, run, part) == "reject"
    assert part not in shared(partnered, run, Profile.PARTNER)
    assert (tasking(partnered, run).waiting, tasking(partnered, run).rejected) == (1, 1)
    decide(partnered, part, Verdict.ACCEPT)
    assert verdict_of(partnered, run, part) == "accept"
    assert part in shared(partnered, run, Profile.PARTNER)
    decide(partnered, part, Verdict.UNDO)
    assert verdict_of(partnered, run, part) == "reject"


def test_parts_of_an_accepted_place_wait(partnered: Lapwing) -> None:
    whole = found(partnered, run_of(partnered))[12].place_id
    decide(partnered, whole, Verdict.ACCEPT)
    told = decide(partnered, whole, Verdict.SPLIT, at=[A, (A[0] + 0.0005, A[1])])
    run = run_of(partnered)
    assert verdict_of(partnered, run, told.detail["parts"][0]["place"]) == "waiting"
    assert tasked(partnered, run) == []


# --- a nomination near which a refuge was declared since does not come back -------------------------------------------


def quokka(app: Lapwing) -> Nomination:
    return named(app, name=NAME, source=SOURCE, reason=REASON, geometry=f"{A[0]},{A[1]}")


def beside(metres: float) -> tuple[float, float]:
    return A[0] + metres * DEGREES_A_METRE, A[1]


def everything_told(app: Lapwing, run: Run) -> str:
    views = [places.view_place(app.store, SCOPE, place_id) for place_id in ids(app, run)]
    told = [places.list_places(app.store, SCOPE, run.run_id), places_of(app.store, SCOPE, run)]
    told += [(view.place, view.nominations, view.decisions) for view in views]
    told += [[one.name for one in rulings(app.store, SCOPE).values()], nominated_places(app.store, SCOPE, run)]
    return repr(told)


def test_a_hidden_nomination_gives_no_new_cluster_its_identity_or_name(lapwing: Lapwing, tmp_path: Path) -> None:
    one = quokka(lapwing)
    refuge_at(lapwing, tmp_path, *beside(90))
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(*beside(-25), 12)])))
    run = run_of(lapwing)
    assert len(ids(lapwing, run)) == 1
    assert one.place_id not in ids(lapwing, run)
    assert one.place_id not in memory(lapwing.store, SCOPE).known
    assert nominated_place(lapwing.store, SCOPE, one.place_id) is None
    with pytest.raises(NotFound, match=f"No place {one.place_id}"):
        places.view_place(lapwing.store, SCOPE, one.place_id)
    assert not any(word in everything_told(lapwing, run) for word in (NAME, SOURCE, REASON))


def test_what_was_found_before_the_refuge_keeps_its_identity_and_decision_and_loses_the_words(
    lapwing: Lapwing, tmp_path: Path
) -> None:
    one = quokka(lapwing)
    decide(lapwing, one.place_id, Verdict.RENAME, name="Marigold annexe east")
    decide(lapwing, one.place_id, Verdict.REJECT, "quokkas were told of again", code="police_station")
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(*beside(-25), 12)])))
    before = run_of(lapwing)
    assert ids(lapwing, before) == [one.place_id]
    assert all(word in everything_told(lapwing, before) for word in (NAME, SOURCE, REASON))
    refuge_at(lapwing, tmp_path, *beside(90))
    run = run_of(lapwing)
    assert ids(lapwing, run) == [one.place_id]
    assert verdict_of(lapwing, run, one.place_id) == "reject"
    assert not any(word in everything_told(lapwing, run) for word in (NAME, SOURCE, "quokkas"))
    history = places.view_place(lapwing.store, SCOPE, one.place_id).decisions
    assert [decision.verdict for decision in history] == ["rename", "reject"]
    assert history[1].detail == {"code": "police_station"}


# --- a part of a split that was taken back is no place any more -------------------------------------------------------


def test_nothing_is_decided_about_a_part_whose_split_was_taken_back(double: Lapwing) -> None:
    first = run_of(double)
    whole, other = (found(double, first)[count].place_id for count in (14, 12))
    west = decide(double, whole, Verdict.SPLIT, at=[WEST, EAST]).detail["parts"][0]["place"]
    decide(double, whole, Verdict.UNDO)
    with pytest.raises(NotFound, match=f"No place {west}"):
        places.view_place(double.store, SCOPE, west)
    for told in ({"verdict": Verdict.ACCEPT}, {"verdict": Verdict.MERGE, "into": other}, {"verdict": Verdict.RENAME, "name": "Park"}):  # fmt: skip
        with pytest.raises(Conflict, match="taken back"):
            decide(double, west, **told)
    with pytest.raises(Conflict, match="taken back"):
        decide(double, other, Verdict.MERGE, into=west)
    assert ids(double, run_of(double)) == sorted([whole, other])
    assert tasked(double, first) == []


def test_a_split_is_not_taken_back_from_under_what_was_decided_about_its_parts(double: Lapwing) -> None:
    first = run_of(double)
    whole, other = (found(double, first)[count].place_id for count in (14, 12))
    west, east = (one["place"] for one in decide(double, whole, Verdict.SPLIT, at=[WEST, EAST]).detail["parts"])
    decide(double, west, Verdict.ACCEPT)
    decide(double, other, Verdict.MERGE, into=east)
    with pytest.raises(Conflict, match=f"lapwing decide {west} undo"):
        decide(double, whole, Verdict.UNDO)
    decide(double, west, Verdict.UNDO)
    with pytest.raises(Conflict, match=f"lapwing decide {other} undo"):
        decide(double, whole, Verdict.UNDO)
    decide(double, other, Verdict.UNDO)
    decide(double, whole, Verdict.UNDO)
    assert run_of(double) == first


def test_a_rejection_that_parts_inherit_is_no_decision_about_them(double: Lapwing) -> None:
    whole = found(double, run_of(double))[14].place_id
    decide(double, whole, Verdict.REJECT)
    west = decide(double, whole, Verdict.SPLIT, at=[WEST, EAST]).detail["parts"][0]["place"]
    with pytest.raises(Conflict, match="Nothing was decided"):
        decide(double, west, Verdict.UNDO)
    decide(double, whole, Verdict.UNDO)
    assert verdict_of(double, run_of(double), whole) == "reject"


# --- homes and streets ------------------------------------------------------------------------------------------------

HOME = {"kind": "house", "name": "12 Quokka Road", "probability": 0.3}
BUILDING = {"kind": "building", "name": "Quokka Court", "probability": 0.2}
LANE = {"kind": "street", "name": "Mill Lane", "probability": 0.25}


def as_if(app: Lapwing, monkeypatch: pytest.MonkeyPatch, *alternatives: dict[str, object]) -> None:
    """Have every place of a run read as if these could be it too."""
    runs = type(app.store.runs)
    one, many = runs.place, runs.places

    def changed(place: Place) -> Place:
        return replace(place, alternatives=tuple(alternatives))

    monkeypatch.setattr(runs, "place", lambda *of, **told: changed(one(*of, **told)))
    monkeypatch.setattr(runs, "places", lambda *of, **told: [changed(place) for place in many(*of, **told)])


@pytest.mark.parametrize("role", list(Role))
def test_homes_among_the_alternatives_are_told_to_who_decides_only(
    worked: Lapwing, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    as_if(worked, monkeypatch, HOME, LANE, BUILDING)
    scope = Scope(actor="other", role=role)
    shown = places.view_place(worked.store, scope, one).place.alternatives
    listed = next(p for p in places.list_places(worked.store, scope, run.run_id) if p["place"] == one)
    assert list(shown) == listed["alternatives"]
    assert [told["probability"] for told in shown] == [0.3, 0.25, 0.2]
    names = ["12 Quokka Road", "Mill Lane", "Quokka Court"] if role is Role.ANALYST else [None, "Mill Lane", None]
    assert [told["name"] for told in shown] == names


@pytest.mark.parametrize(
    ("streets", "near"),
    [
        ([LANE], True), ([LANE | {"probability": 0.22}], False), ([LANE | {"probability": 0.008}], False),
        ([LANE, LANE | {"name": "Quokka Road"}], False), ([LANE, LANE | {"name": "Quokka Road", "probability": 0.1}], True),
        ([HOME, LANE], True), ([LANE | {"name": None}], False), ([], False),
    ],
)  # fmt: skip
def test_a_street_is_told_near_a_tasked_place_only_where_it_stands_out(
    worked: Lapwing, monkeypatch: pytest.MonkeyPatch, streets: list[dict[str, object]], near: bool
) -> None:
    run = run_of(worked)
    decide(worked, found(worked, run)[12].place_id, Verdict.ACCEPT)
    as_if(worked, monkeypatch, *streets)
    (task,) = accepted_places(worked.store, SCOPE, run).accepted
    assert task.where.startswith("near Mill Lane, ") == near
    assert ("near" in task.where) == near
    assert "Quokka" not in task.where + task.why

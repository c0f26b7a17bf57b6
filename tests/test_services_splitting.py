"""Places that people say are several: the records, the parts and the way back."""

from pathlib import Path

import pytest

from app.services import places
from app.wiring import Lapwing
from geo.errors import Conflict, InvalidParameter, NotFound
from geo.model import Verdict
from tests.deciding import (
    EAST,
    SPOTS,
    WEST,
    A,
    decide,
    found,
    ids,
    members,
    refuge_at,
    tasked,
    verdict_of,
)
from tests.files import load, stack, write_csv
from tests.runs import SCOPE, run_of


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
    decide(double, east, Verdict.UNDO)
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


def test_a_part_of_a_split_is_not_laid_on_a_protected_place(worked: Lapwing, tmp_path: Path) -> None:
    refuge_at(worked, tmp_path, -2.3650, 51.3820)
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter, match="cannot be used"):
        decide(worked, one, Verdict.SPLIT, at=[(-2.3650, 51.3820), A])

"""Places that people say are one: the records, the history and the way back."""

from pathlib import Path

import pytest

from app.wiring import Lapwing
from geo.errors import Conflict, InvalidParameter, NotFound
from geo.model import Verdict
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.deciding import (
    SPOTS,
    A,
    C,
    decide,
    everything,
    found,
    ids,
    members,
    tasked,
    tasking,
    verdict_of,
)
from tests.files import load, stack, write_csv
from tests.runs import SCOPE, run_of


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


def test_names_points_and_verdicts_make_no_other_run_but_other_merges_do(worked: Lapwing) -> None:
    first = run_of(worked)
    a, b, c = (found(worked, first)[count].place_id for count in (12, 11, 10))
    decide(worked, a, Verdict.ACCEPT)
    decide(worked, b, Verdict.RENAME, name="Victoria Park")
    decide(worked, c, Verdict.MOVE, to=C)
    assert run_of(worked).run_id == first.run_id
    decide(worked, a, Verdict.MERGE, into=b)
    one = run_of(worked).run_id
    decide(worked, a, Verdict.UNDO)
    decide(worked, a, Verdict.MERGE, into=c)
    assert len({first.run_id, one, run_of(worked).run_id}) == 3

"""The quality report of one file or of everything: judged over the whole store, said of what was asked for."""

from pathlib import Path
from typing import Any

import pytest

from app.services import quality
from app.services.analysis import analyse
from app.services.importing import undo_batch
from app.services.stacks import list_stacks, rule_stack
from app.wiring import Lapwing
from geo.errors import NotFound
from geo.model import Scope
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.files import BATH, load, row, square, stack, write_csv, write_geojson

SCOPE = Scope(actor="test")
HEADER = ("id", "date", "longitude", "latitude", "kind", "agency")
DETAILED = (*HEADER, "reported", "source_type", "grade", "notes")
DAY_US = 86_400_000_000


def quality_of(app: Lapwing, batch_id: str | None = None, *, now_us: int = NOW_US) -> dict[str, Any]:
    return quality.report(app.store, SCOPE, batch_id, now_us=now_us)


def report(number: int, at: str, agency: str, lon: float = BATH[0]) -> list[Any]:
    return [f"{agency[:2]}-{number:05d}", at, lon, BATH[1], "ASB", agency]


def test_completeness_counts_what_each_kind_says(lapwing: Lapwing, tmp_path: Path) -> None:
    told = [
        ["A-1", "2026-03-09T21:00", *BATH, "ASB", "Police", "2026-03-11", "reported", "1AP", "by the bench"],
        ["", "2026-03-09", "", "", "", "", "", "", "", ""],
    ]
    first = load(lapwing, write_csv(tmp_path / "i.csv", told, DETAILED)).batch
    seen = [["2026-03-10", "alcohol;gifts", "3-5"], ["2026-03-11", "alcohol", ""]]
    load(lapwing, write_csv(tmp_path / "o.csv", seen, ("date", "indicators", "count_band")), "observations")
    found = quality_of(lapwing)["completeness"]
    assert found["incidents"]["records"] == 2
    fields = ("category", "agency", "urn", "time", "position", "source_type", "grade", "reported", "notes")
    assert {name: found["incidents"][name] for name in fields} == dict.fromkeys(fields, 1)
    assert found["incidents"]["regime"] == 0
    assert {name: found["observations"][name] for name in ("records", "indicators", "count_band", "age_band")} == {
        "records": 2, "indicators": 2, "count_band": 1, "age_band": 0,
    }  # fmt: skip
    assert "vehicle" not in found["incidents"]
    of_batch = quality_of(lapwing, first.batch_id)["completeness"]
    assert of_batch == {"incidents": found["incidents"]}


def test_a_file_is_judged_by_the_coordinates_of_the_whole_store(lapwing: Lapwing, tmp_path: Path) -> None:
    """One report alone in its file lies on a coordinate where others report too."""
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(*BATH, 9)])))
    alone = load(lapwing, write_csv(tmp_path / "b.csv", [row(99, "2026-03-09"), row(98, "2026-03-09", -2.30)])).batch
    everything, one = quality_of(lapwing)["stacks"], quality_of(lapwing, alone.batch_id)["stacks"]
    assert (everything["records"], everything["coordinates"], everything["on_repeated"]) == (11, 2, 10)
    assert [(c["stack_class"], c["records"], c["share"]) for c in one["classes"]] == [
        ("address", 1, 0.5), ("single", 1, 0.5),
    ]  # fmt: skip


def test_repeats_are_those_of_an_analysis_and_reach_over_files(lapwing: Lapwing, tmp_path: Path) -> None:
    police = [report(i, f"2026-03-{i + 1:02d}T21:00", "Police") for i in range(6)]
    council = [report(10, "2026-03-01T21:20", "Council", -2.3603), report(11, "2026-03-02T21:10", "Council", -2.3603)]
    first = load(lapwing, write_csv(tmp_path / "p.csv", police, HEADER)).batch
    second = load(lapwing, write_csv(tmp_path / "c.csv", council, HEADER), source="Council").batch
    for batch in (None, first.batch_id, second.batch_id):
        assert quality_of(lapwing, batch)["counted_once"] == {"other_agency": 2}, batch
    run = analyse(lapwing.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    assert run.summary["counted_once"] == 2


def test_repeats_at_a_place_that_is_none_are_not_counted(embedded: Lapwing, tmp_path: Path) -> None:
    police = [report(i, f"2026-03-{i + 1:02d}T21:00", "Police") for i in range(6)]
    council = [report(10, "2026-03-01T21:20", "Council")]
    load(embedded, write_csv(tmp_path / "p.csv", police, HEADER))
    load(embedded, write_csv(tmp_path / "c.csv", council, HEADER), source="Council")
    assert quality_of(embedded)["counted_once"] == {"other_agency": 1}
    (one,) = list_stacks(embedded.store, SCOPE)
    rule_stack(embedded.store, SCOPE, one["stack_id"], "default", reason="the headquarters", now_us=NOW_US)
    found = quality_of(embedded)
    assert (found["counted_once"], found["stacks"]["set_aside"]) == ({}, 7)
    run = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    assert (run.summary["counted_once"], run.summary["set_aside"]) == (0, 7)


def test_each_boundary_is_told_apart(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "i.csv", [row(1), row(2, lon=-2.0), row(3, lon="", lat="")]))
    assert quality_of(lapwing)["outside"] == []
    halves = [({"name": ""}, square(-2.4, 51.3, 0.1)), ({"name": ""}, square(-2.1, 51.3, 0.2))]
    load(lapwing, write_geojson(tmp_path / "both.geojson", halves), "boundary")
    load(
        lapwing, write_geojson(tmp_path / "west.geojson", [({"name": "West"}, square(-2.4, 51.3, 0.1001))]), "boundary"
    )
    found = {one["boundary"]: (one["outside"], one["located"]) for one in quality_of(lapwing)["outside"]}
    assert found == {"West": (1, 2), "unnamed boundary": (0, 2)}


def test_rejected_rows_are_told_by_reason_and_go_with_their_file(lapwing: Lapwing, tmp_path: Path) -> None:
    rows = [row(1), row(2, date="soon"), row(3, date="later"), row(4, lon="x")]
    batch = load(lapwing, write_csv(tmp_path / "a.csv", rows)).batch
    found = quality_of(lapwing)
    assert list(found["quarantine"].items()) == [("bad_date", 2), ("bad_number", 1)]
    (listed,) = found["batches"]
    assert (listed["read"], listed["accepted"], listed["rejected"], listed["updated"]) == (4, 1, 3, 0)
    undo_batch(lapwing.store, SCOPE, batch.batch_id, now_us=NOW_US)
    gone = quality_of(lapwing)
    assert (gone["quarantine"], gone["evidence"]["records"], gone["batches"][0]["undone"]) == ({}, 0, True)
    assert quality_of(lapwing, batch.batch_id)["completeness"] == {}


def test_what_is_due_is_told(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [row(1), row(2)]))
    assert quality_of(embedded)["due"] == {"review": 0, "deletion": 0}
    assert quality_of(embedded, now_us=NOW_US + 600 * DAY_US)["due"] == {"review": 2, "deletion": 0}
    assert quality_of(embedded, now_us=NOW_US + 900 * DAY_US)["due"] == {"review": 0, "deletion": 2}


def test_nothing_is_no_failure_and_an_unknown_file_is_named(lapwing: Lapwing, tmp_path: Path) -> None:
    found = quality_of(lapwing)
    assert (found["batches"], found["completeness"], found["stacks"]["classes"]) == ([], {}, [])
    assert found["lag"]["median_days"] is None
    with pytest.raises(NotFound, match="No batch nope"):
        quality_of(lapwing, "nope")
    parks = [({"name": "Alice Park"}, square(-2.4, 51.3, 0.1))]
    batch = load(lapwing, write_geojson(tmp_path / "p.geojson", parks), "parks").batch
    assert quality_of(lapwing, batch.batch_id)["evidence"]["records"] == 0

"""What changed since last week, what waits and what is missing, over analyses whose places are known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.services.dashboard import LISTED, Overview, overview, run_before
from app.services.data_gaps import LateFile, data_gaps, late_files
from app.services.deciding import Change, change_place
from app.wiring import Lapwing
from geo import cells as h3cells
from geo.model import CELL_COLUMNS, STATISTIC_COLUMNS, Batch, Place, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.deciding import named
from tests.factories import LAT, LON, make_run
from tests.files import load, row, write_csv
from tests.runs import SCOPE

DAY_US = 86_400_000_000
TODAY = date(2026, 5, 28)
NO_CELLS = pd.DataFrame(columns=[*CELL_COLUMNS, *STATISTIC_COLUMNS])
NO_MATCHES = pd.DataFrame(columns=["record_key", "event_key", "reason", "words"])


def place(number: int, *, last: str = "2026-05-20", records: int = 30) -> Place:
    """Return a place of its own cell, known by its number."""
    cells = h3cells.index_points(np.array([LON + 0.01 * number]), np.array([LAT]), 11).tolist()
    evidence = {
        "records": records,
        "month_only": 0,
        "first_day": "2025-06-01",
        "last_day": last,
        "last_month": last[:7],
    }
    return Place(
        place_id=f"{number:016x}", rank=number, cluster=number, kind="park", name=f"Park {number}", probability=0.9, basis="exact",
        records=records, footprint=tuple(cells), peak_cell=cells[0], evidence=evidence | {"trend": "none"},
    )  # fmt: skip


def keep(app: Lapwing, name: str, places: Sequence[Place], *, days_ago: float, **parameters: Any) -> Run:
    """Store an analysis that found these places so many days ago."""
    summary = {
        "places": len(places), "records": sum(one.records for one in places), "hot_cells": 1, "shareable": True, "last_day": "2026-05-27", "missing_months": [],
    }  # fmt: skip
    made = NOW_US - round(days_ago * DAY_US)
    run = replace(make_run(summary, **parameters), run_id=name, generated_at_us=made)
    listed = [replace(one, rank=rank, cluster=rank) for rank, one in enumerate(places, start=1)]
    app.store.runs.save(SCOPE, run, NO_CELLS, listed, {}, NO_MATCHES)
    app.store.places.remember(SCOPE, name, {one.place_id: one.footprint for one in places})
    return run


def seen(app: Lapwing, *, now_us: int = NOW_US) -> Overview:
    found = overview(app.store, SCOPE, app.store.runs.runs(SCOPE), now_us=now_us)
    assert found is not None
    return found


def titles(lines: Sequence[Any]) -> list[str]:
    return [line.title for line in lines]


def decide(app: Lapwing, number: int, verdict: Verdict, *, days_ago: int = 0, **told: Any) -> None:
    code = {"code": "other"} if verdict is Verdict.REJECT else {}
    change = Change(verdict=verdict, reason="we looked", **code, **told)
    change_place(app.store, SCOPE, f"{number:016x}", change, now_us=NOW_US - days_ago * DAY_US)


def test_without_an_analysis_there_is_no_overview(embedded: Lapwing) -> None:
    assert overview(embedded.store, SCOPE, [], now_us=NOW_US) is None


def test_new_gone_and_fading_places_are_told_in_one_sentence(lapwing: Lapwing) -> None:
    keep(lapwing, "older", [place(1), place(2), place(3)], days_ago=8)
    keep(lapwing, "newer", [place(3), place(2, last="2026-03-01"), place(4)], days_ago=1)
    found = seen(lapwing)
    assert (titles(found.new), titles(found.gone), titles(found.fading)) == (["Park 4"], ["Park 1"], ["Park 2"])
    assert [line.run_id for line in found.new + found.gone] == ["newer", "older"]
    assert found.fading[0].quiet_days == (date(2026, 5, 27) - date(2026, 3, 1)).days
    assert found.headline == (
        "Since the analysis of 20 May 2026: 1 new place, 1 fading and 1 gone. 3 places wait for a decision."
    )


def test_nothing_changed_is_said(embedded: Lapwing) -> None:
    keep(embedded, "older", [place(1)], days_ago=8)
    keep(embedded, "newer", [place(1)], days_ago=1)
    decide(embedded, 1, Verdict.ACCEPT)
    assert seen(embedded).headline == "No place has changed since the analysis of 20 May 2026."


def test_a_first_analysis_has_nothing_new(embedded: Lapwing) -> None:
    keep(embedded, "only", [place(1), place(2)], days_ago=1)
    found = seen(embedded)
    assert (found.before, found.new, found.gone) == (None, [], [])
    assert (
        found.headline == "The newest analysis found 2 places of concern in 60 records. 2 places wait for a decision."
    )


def test_only_an_analysis_of_the_same_question_is_compared_with(embedded: Lapwing) -> None:
    keep(embedded, "alike", [place(1)], days_ago=20)
    keep(embedded, "elsewhere", [place(2)], days_ago=9, area="Bath")
    keep(embedded, "newer", [place(1)], days_ago=1)
    found = seen(embedded)
    assert found.before is not None
    assert found.before.run_id == "alike"
    assert (found.new, found.gone) == ([], [])


@pytest.mark.parametrize(
    ("ages", "chosen"),
    [((1, 3, 8, 15), 8), ((1, 3, 5), 5), ((1,), None), ((10, 12, 20), 12), ((0, 7), 7), ((0, 6.9, 30), 30)],
)
def test_compared_is_what_is_a_week_old_or_else_the_oldest(ages: tuple[float, ...], chosen: float | None) -> None:
    runs = [replace(make_run(), run_id=str(age), generated_at_us=NOW_US - round(age * DAY_US)) for age in ages]
    found = run_before(runs, now_us=NOW_US)
    assert (found and found.run_id) == (None if chosen is None else str(chosen))


def test_a_place_that_comes_back_is_marked(embedded: Lapwing) -> None:
    keep(embedded, "first", [place(1), place(2)], days_ago=30)
    keep(embedded, "older", [place(1)], days_ago=8)
    keep(embedded, "lately", [place(1), place(2), place(3)], days_ago=2)
    keep(embedded, "newer", [place(1), place(2), place(3)], days_ago=1)
    assert [(line.title, line.seen_before) for line in seen(embedded).new] == [("Park 2", True), ("Park 3", False)]


def test_an_analysis_without_its_layers_is_passed_over(embedded: Lapwing) -> None:
    keep(embedded, "older", [place(1)], days_ago=8)
    keep(embedded, "newer", [place(1), place(2)], days_ago=2)
    keep(embedded, "purged", [], days_ago=1)
    embedded.database._connection().execute("UPDATE run SET purged_at_us = 1 WHERE run_id = 'purged'")
    found = seen(embedded)
    assert found.newest.run_id == "newer"
    assert titles(found.new) == ["Park 2"]


def test_what_people_decided_is_no_change_of_its_own(embedded: Lapwing) -> None:
    keep(embedded, "older", [place(1), place(2), place(3), place(4)], days_ago=8)
    decide(embedded, 1, Verdict.MERGE, into=f"{2:016x}")
    decide(embedded, 3, Verdict.REJECT)
    keep(embedded, "newer", [place(2), place(3, last="2026-02-01")], days_ago=1)
    found = seen(embedded)
    assert titles(found.gone) == ["Park 4"]  # 1 was merged
    assert titles(found.fading) == []  # 3 was rejected
    assert titles(found.waiting) == ["Park 2"]


def test_what_waits_stands_in_listing_order_with_what_people_named_after_it(embedded: Lapwing) -> None:
    keep(embedded, "newer", [place(n) for n in (7, 3, 5, 1, 9, 2)], days_ago=1)
    named(embedded)
    decide(embedded, 3, Verdict.ACCEPT)
    found = seen(embedded)
    assert titles(found.waiting) == ["Park 7", "Park 5", "Park 1", "Park 9", "Park 2"]
    assert titles(found.nominated_waiting) == ["Victoria Park"]
    assert (found.undecided, found.accepted) == (6, 1)
    assert len(found.waiting) == LISTED


def test_nominations_past_their_day_are_overdue(embedded: Lapwing) -> None:
    keep(embedded, "newer", [place(1)], days_ago=1)
    named(embedded, review_by="2026-06-10")
    named(embedded, name="Albert Park", geometry="-2.25,51.42", review_by="2026-07-01")
    assert seen(embedded).overdue == []
    found = seen(embedded, now_us=NOW_US + 14 * DAY_US)  # 11 June
    assert [(line.title, line.review_by) for line in found.overdue] == [("Victoria Park", date(2026, 6, 10))]


@pytest.mark.parametrize(("days_ago", "listed"), [(75, False), (76, True), (90, True), (120, True)])
def test_accepted_places_are_due_ninety_days_after(embedded: Lapwing, days_ago: int, listed: bool) -> None:
    keep(embedded, "newer", [place(1)], days_ago=1)
    decide(embedded, 1, Verdict.ACCEPT, days_ago=days_ago)
    due = TODAY - timedelta(days=days_ago) + timedelta(days=90)
    expected = [("Park 1", due)] if listed else []
    assert [(line.title, line.review_by) for line in seen(embedded).expiring] == expected


def test_due_reviews_come_by_day_and_a_named_place_has_its_own(embedded: Lapwing) -> None:
    keep(embedded, "newer", [place(1), place(2)], days_ago=1)
    decide(embedded, 1, Verdict.ACCEPT, days_ago=80)
    decide(embedded, 2, Verdict.ACCEPT, days_ago=95)
    own = named(embedded, review_by="2026-06-02")
    change = Change(verdict=Verdict.ACCEPT, reason="we looked")
    change_place(embedded.store, SCOPE, own.place_id, change, now_us=NOW_US)
    found = seen(embedded)
    assert titles(found.expiring) == ["Park 2", "Victoria Park", "Park 1"]
    assert found.overdue == []


def test_an_analysis_is_old_after_a_week(embedded: Lapwing) -> None:
    keep(embedded, "newer", [place(1)], days_ago=7)
    assert not seen(embedded).is_old
    assert seen(embedded, now_us=NOW_US + 1).is_old


def test_places_of_another_organisation_are_not_there(embedded: Lapwing) -> None:
    run = keep(embedded, "newer", [place(1)], days_ago=1)
    found = overview(embedded.store, Scope(org_id="other"), [run], now_us=NOW_US)
    assert found is not None
    assert (found.waiting, found.new, found.accepted) == ([], [], 0)


def batch(kind: str, source: str, *days: int) -> list[Batch]:
    plain: dict[str, Any] = {
        "batch_id": "b", "file_name": "f", "stem": "f", "file_sha256": "", "format": "csv", "read": 1, "accepted": 1, "unlocated": 0,
        "rejected": 0, "duplicates": 0, "imported_by": "test",
    }  # fmt: skip
    return [Batch(kind=kind, source=source, imported_at_us=NOW_US - day * DAY_US, **plain) for day in days]


def test_late_is_told_by_source_and_else_by_kind() -> None:
    weekly = batch("incidents", "police", 40, 33, 26, 19)
    assert late_files(weekly, now_us=NOW_US) == (
        LateFile(kind="incidents", source="police", waited_days=19, usual_days=7),
    )
    others = batch("incidents", "council", 37, 30, 16, 9, 2)
    assert [one.source for one in late_files(weekly + others, now_us=NOW_US)] == ["police"]
    by_name = [one for n, day in enumerate((40, 33, 26, 19)) for one in batch("incidents", f"file-{n}", day)]
    assert late_files(by_name, now_us=NOW_US) == (LateFile(kind="incidents", source="", waited_days=19, usual_days=7),)


def test_reference_geography_and_few_files_are_never_late() -> None:
    assert late_files(batch("parks", "council", 400, 300, 200, 100), now_us=NOW_US) == ()
    assert late_files(batch("incidents", "police", 400, 393, 386), now_us=NOW_US) == ()
    assert late_files([], now_us=NOW_US) == ()


def test_gaps_count_what_has_no_position_and_what_needs_attention(lapwing: Lapwing, tmp_path: Path) -> None:
    assert not data_gaps(lapwing.store, SCOPE, {}, now_us=NOW_US)
    rows = [row(1), row(2, lon="", lat=""), row(3, lon="", lat=""), row(4, date="never"), row(5)]
    load(lapwing, write_csv(tmp_path / "a.csv", rows))
    found = data_gaps(lapwing.store, SCOPE, lapwing.store.evidence.record_counts(SCOPE), now_us=NOW_US)
    assert (found.late, found.unlocated, found.attention) == ((), {"incidents": (2, 4)}, 1)


def test_the_question_is_asked_of_the_stored_parameters(embedded: Lapwing) -> None:
    keep(embedded, "older", [place(1)], days_ago=8, date_from=date(2026, 1, 1), date_to=date(2026, 5, 20))
    keep(embedded, "newer", [place(2)], days_ago=1, date_from=date(2026, 1, 1), date_to=date(2026, 5, 27))
    found = seen(embedded)
    assert titles(found.new) == ["Park 2"]
    assert AnalysisParameters.from_json(found.newest.parameters).date_to == date(2026, 5, 27)

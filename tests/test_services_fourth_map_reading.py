"""What a fourth reader of the map found behind it: each fault once, so that it stays mended."""

import struct
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from app.services import shared_cells as shared_module
from app.services.drawing import save_area
from app.services.exporting import ExportRequest, export_file
from app.services.importing import undo_batch
from app.services.purpose import checked_purpose
from app.services.run_records import run_records
from app.services.shared_cells import shared_cells, shared_months
from app.services.sharing import SHAREABLE
from app.services.view_lists import count_view
from app.settings import Settings
from app.wiring import Lapwing
from geo.errors import Conflict, IntegrityError, InvalidParameter
from geo.model import Layer, Profile, Run
from geo.parameters import AnalysisParameters
from geo.tally import tally_cells
from geo.temporal import local_months, midpoint_us
from geo.view import View, month_view
from tests.conftest import NOW_US
from tests.files import load, row, square, stack, terms_of, write_csv, write_geojson
from tests.runs import SCOPE, run_of

SPOT = (-2.36, 51.38)
CHANGED = "^Records or protected places changed while the analysis was being made; nothing was stored. Make it again.$"
OUTSIDERS = [Profile.PARTNER, Profile.PUBLIC]


def month_rows(first: int, month: str, count: int, spot: tuple[float, float] = SPOT) -> list[list[Any]]:
    """Rows on as many days of a month."""
    return [row(first + i, f"{month}-{1 + i:02d}", *spot) for i in range(count)]


# --- records known by month only, from a file in another time zone ------------------------------------------------------


@pytest.fixture
def two_zones(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    """Ten dated records in June and in July, and four known by month only from a file whose times are UTC."""
    dated = [*month_rows(0, "2025-07", 10), *month_rows(100, "2025-06", 10)]
    by_month = [*(row(200 + i, "2025-07", *SPOT) for i in range(3)), row(300, "2025-06", *SPOT)]
    load(embedded, write_csv(tmp_path / "a.csv", dated))
    load(embedded, write_csv(tmp_path / "b.csv", by_month), timezone="UTC")
    return embedded


def test_every_record_is_in_the_view_of_one_month(two_zones: Lapwing) -> None:
    run = run_of(two_zones)
    every = count_view(two_zones.store, SCOPE, run, View())
    assert every.months == {"2025-06": 11, "2025-07": 13}
    for name, count in every.months.items():
        told = count_view(two_zones.store, SCOPE, run, month_view(int(name[:4]), int(name[5:])))
        assert (told.records, told.without_time) == (count, 0)


def test_what_outsiders_get_of_the_months_leaves_no_small_remainder(two_zones: Lapwing) -> None:
    run = run_of(two_zones)
    whole = int(shared_cells(two_zones.store, SCOPE, run, View(), Profile.PARTNER)["records"].sum())
    views = [month_view(2025, 6), month_view(2025, 7)]
    told = sum(int(shared_cells(two_zones.store, SCOPE, run, one, Profile.PARTNER)["records"].sum()) for one in views)
    assert (whole, whole - told) == (24, 0)


@pytest.mark.parametrize("month", [7, 8])
def test_counts_of_a_month_that_are_not_those_it_was_judged_by_never_leave(
    two_zones: Lapwing, monkeypatch: pytest.MonkeyPatch, month: int
) -> None:
    run = run_of(two_zones)
    real = shared_module.matching

    def too_many(records: pd.DataFrame, view: View) -> np.ndarray:
        return real(records, view) | (np.arange(len(records)) == int(np.argmin(real(records, view))))

    monkeypatch.setattr(shared_module, "matching", too_many)
    with pytest.raises(IntegrityError, match="do not add up"):
        shared_cells(two_zones.store, SCOPE, run, month_view(2025, month), Profile.PARTNER)


def test_the_table_of_months_is_what_each_month_counts_by_itself(city: Lapwing) -> None:
    run = city.store.runs.runs(SCOPE)[0]
    records = run_records(city.store, SCOPE, run)
    own = records["shared_cell"].to_numpy(np.int64)
    cells = np.unique(own)
    months, table = shared_module._month_table(records, cells)
    at = local_months(midpoint_us(records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64)))
    assert months.tolist() == sorted(set(at.tolist()))
    for column, month in enumerate(months):
        counted = tally_cells(records[at == month], own[at == month], cells)
        for name in ("records", "days", "month_only"):
            assert getattr(table, name)[:, column].tolist() == counted[name].tolist()


# --- the months that outsiders are offered ------------------------------------------------------------------------------


def test_outsiders_are_offered_months_between_the_first_and_the_last_released_cell(
    embedded: Lapwing, tmp_path: Path
) -> None:
    rows = [*month_rows(0, "2024-03", 9), *month_rows(50, "2024-05", 9), row(900, "2019-11-05", -2.20, 51.40)]
    load(embedded, write_csv(tmp_path / "a.csv", [*rows, row(901, "2024-09-05", -2.20, 51.40)]))
    run = run_of(embedded)
    for profile in OUTSIDERS:
        months = list(count_view(embedded.store, SCOPE, run, View(), profile).months)
        assert months == (["2024-03", "2024-04", "2024-05"] if profile is Profile.PARTNER else [])
        assert months == shared_months(embedded.store, SCOPE, run, profile)
    every = list(count_view(embedded.store, SCOPE, run, View()).months)
    assert (every[0], every[-1]) == ("2019-11", "2024-09")


# --- files for audiences outside operations -----------------------------------------------------------------------------


def taken(app: Lapwing, run: Run, folder: Path, profile: Profile) -> str:
    wanted = ExportRequest(layer=Layer.CELLS, format="geojson", profile=profile, purpose="weekly meeting")
    return export_file(app.store, SCOPE, run, wanted, folder / "a.geojson", now_us=NOW_US).path.read_text()


def of_drawn_area(app: Lapwing) -> Run:
    save_area(app.store, SCOPE, "Flat in Mill Lane", shapely.box(-2.361, 51.379, -2.359, 51.381), terms_of(app))
    return run_of(app, area="Flat in Mill Lane")


def of_some_days(app: Lapwing) -> Run:
    return run_of(app, date_from=date(2024, 3, 2), date_to=date(2024, 3, 11))


@pytest.mark.parametrize("profile", OUTSIDERS)
@pytest.mark.parametrize(("made", "why"), [(of_drawn_area, "was drawn"), (of_some_days, "not whole months")])
def test_a_file_for_others_is_of_an_analysis_that_may_be_shared(
    embedded: Lapwing, tmp_path: Path, made: Callable[[Lapwing], Run], why: str, profile: Profile
) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12), (-2.33, 51.385, 12)])))
    run = made(embedded)
    before = len(embedded.store.audit.disclosures(SCOPE))
    with pytest.raises(Conflict, match=f"{why}.*for operations"):
        taken(embedded, run, tmp_path, profile)
    assert not (tmp_path / "a.geojson").exists()
    assert len(embedded.store.audit.disclosures(SCOPE)) == before
    assert run.run_id in taken(embedded, run, tmp_path, Profile.OPERATIONAL)
    assert taken(embedded, run_of(embedded), tmp_path, profile)


# --- a purpose ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", ["\u00a0", "\u2007", "\u202f", "\u3000"])
def test_a_purpose_pasted_with_other_spaces_is_kept_with_plain_ones(space: str) -> None:
    assert checked_purpose(f"{space}Tasking for 12{space}March{space}", "the layer is") == "Tasking for 12 March"
    with pytest.raises(InvalidParameter, match="Say what the layer is for"):
        checked_purpose(space, "the layer is")


@pytest.mark.parametrize("text", ["a\u200bb", "a\nb", "a\x00b", "a\u202eb", "a\u2028b"])
def test_a_purpose_with_characters_that_nobody_can_read_is_told_so(text: str) -> None:
    with pytest.raises(InvalidParameter, match="cannot be read, such as line breaks"):
        checked_purpose(text, "the layer is")


def test_a_purpose_that_is_too_long_is_told_how_long_it_may_be() -> None:
    with pytest.raises(InvalidParameter, match="at most 300 characters"):
        checked_purpose("a" * 301, "the layer is")
    assert len(checked_purpose("a" * 300, "the layer is")) == 300


def test_the_ledger_has_the_purpose_with_plain_spaces(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    told = {"layer": Layer.CELLS, "format": "csv", "profile": Profile.OPERATIONAL}
    wanted = ExportRequest(**told, purpose="Tasking for 12\u00a0March ")
    export_file(embedded.store, SCOPE, run_of(embedded), wanted, tmp_path / "c.csv", now_us=NOW_US)
    assert embedded.store.audit.disclosures(SCOPE)[-1].purpose == "Tasking for 12 March"


# --- dates ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "day", "said"),
    [("date_to", date(2200, 1, 1), "--to 2200-01-01"), ("date_from", date(1899, 12, 31), "--from 1899-12-31")],
)
def test_dates_that_no_view_can_have_are_refused_before_anything_is_made(name: str, day: date, said: str) -> None:
    with pytest.raises(InvalidParameter, match=f"{said} is outside 1900-01-01 to 2199-12-31"):
        AnalysisParameters(**{name: day})


def test_the_last_day_that_a_view_can_have_makes_an_analysis(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    run = run_of(embedded, date_from=date(1900, 1, 1), date_to=date(2199, 12, 31))
    assert embedded.store.runs.get(SCOPE, run.run_id).summary[SHAREABLE]


# --- a refuge that was taken back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rejected", [False, True])
def test_a_refuge_that_was_taken_back_is_in_no_file_of_the_store(
    embedded: Lapwing, tmp_path: Path, *, rejected: bool
) -> None:
    name = "Marigold House"
    point = None if rejected else {"type": "Point", "coordinates": [-2.3591234, 51.3812345]}
    batch = load(embedded, write_geojson(tmp_path / "r.geojson", [({"name": name}, point)]), "protected").batch
    assert batch.accepted == (0 if rejected else 1)
    undo_batch(embedded.store, SCOPE, batch.batch_id, now_us=NOW_US)
    needles = [name.encode(), struct.pack("<d", -2.3591234)]
    for file in tmp_path.glob("lapwing.db*"):
        assert not [one for one in needles if one in file.read_bytes()], file.name


def test_tables_of_a_refuge_that_was_taken_back_are_rewritten(postgis_url: str, tmp_path: Path) -> None:
    app = Lapwing(Settings(home=tmp_path, store=postgis_url), clock=lambda: NOW_US)
    app.migrate(None)
    connection = app.database._connection()
    point = {"type": "Point", "coordinates": list(SPOT)}

    def stored_in() -> list[int]:
        asked = "SELECT pg_relation_filenode(%s::regclass)"
        tables = ("feature", "batch_feature", "quarantine")
        return [int(connection.execute(asked, (table,)).fetchone()[0]) for table in tables]

    for kind, rewritten in (("parks", False), ("protected", True)):
        shape = square(*SPOT, 0.001) if kind == "parks" else point
        batch = load(app, write_geojson(tmp_path / "r.geojson", [({"name": "R"}, shape)]), kind).batch
        before = stored_in()
        undo_batch(app.store, SCOPE, batch.batch_id, now_us=NOW_US)
        assert [now != then for now, then in zip(stored_in(), before, strict=True)] == [rewritten] * 3
    app.database.close()

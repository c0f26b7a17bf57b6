"""Five months of real Avon and Somerset street crime, from files to a tasking list, equal on both stores."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import psycopg
import pyogrio
import pytest
import shapely
from psycopg import sql

from app.services import places
from app.services.analysis import analyse
from app.services.exporting import ExportRequest, export_file
from app.services.tasking import accepted_places
from app.settings import Settings
from app.wiring import Lapwing
from geo.model import Layer, Profile, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.files import load

pytestmark = pytest.mark.real

SCOPE = Scope(actor="test")
ROWS, IN_BATH = 69_096, 5_687
REFERENCE = {
    "parks": "os_greenspace_site", "roads": "os_roads", "premises": "os_functional_sites", "boundary": "os_boundary",
}  # fmt: skip
FORMATS = ("geojson", "gpkg")


@dataclass(frozen=True)
class Worked:
    """One store after the whole flow."""

    app: Lapwing
    read: int
    accepted: int
    rejected: int
    duplicates: int
    run: Run
    exports: Path


def street_files(real_data: Path) -> list[Path]:
    return sorted((real_data / "police-street/south-west").glob("*avon-and-somerset*.csv.gz"))


def work(url: str, home: Path, real_data: Path) -> Worked:
    app = Lapwing(Settings(home=home, store=url), clock=lambda: NOW_US)
    app.migrate(None)
    batches = [load(app, path).batch for path in street_files(real_data)]
    for kind, stem in REFERENCE.items():
        load(app, real_data / f"bath/{stem}.geojson.gz", kind)
    run = analyse(app.store, SCOPE, AnalysisParameters(area="os_boundary"), seed=0, now_us=NOW_US)
    for layer in (Layer.CELLS, Layer.PLACES):
        for name in FORMATS:
            request = ExportRequest(
                layer=layer, format=name, profile=Profile.OPERATIONAL, purpose="comparison of stores"
            )
            export_file(app.store, SCOPE, run, request, home / f"{layer}.{name}", now_us=NOW_US)
    totals = {
        name: sum(getattr(one, name) for one in batches) for name in ("read", "accepted", "rejected", "duplicates")
    }
    return Worked(app=app, run=run, exports=home, **totals)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Iterator[Worked]:
    home = tmp_path_factory.mktemp("sqlite")
    worked = work(f"sqlite:///{home}/lapwing.db", home, real_data)
    yield worked
    worked.app.database.close()


@pytest.fixture(scope="module")
def on_postgis(postgres_server: str, tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Iterator[Worked]:
    name = f"real{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    worked = work(postgres_server.replace("/postgres?", f"/{name}?"), tmp_path_factory.mktemp("postgis"), real_data)
    yield worked
    worked.app.database.close()


@pytest.fixture(params=["sqlite", "postgis"])
def worked(request: pytest.FixtureRequest) -> Worked:
    return request.getfixturevalue(f"on_{request.param}")


def test_every_row_is_accounted_for(worked: Worked) -> None:
    assert worked.read == ROWS == worked.accepted + worked.rejected + worked.duplicates
    stored = worked.app.store.evidence.record_counts(SCOPE)["incidents"]["records"]
    assert stored == worked.accepted
    assert len(worked.app.store.evidence.quarantine(SCOPE)) == worked.rejected


def test_the_area_holds_what_a_second_count_finds(worked: Worked, real_data: Path) -> None:
    positions = pd.concat(
        pd.read_csv(path, usecols=["Longitude", "Latitude"]) for path in street_files(real_data)
    ).dropna()
    edge = gpd.read_file(f"/vsigzip/{real_data}/bath/os_boundary.geojson.gz").union_all()
    inside = shapely.intersects_xy(edge, positions["Longitude"], positions["Latitude"]).sum()
    assert worked.run.summary["records"] == inside == IN_BATH
    assert worked.run.summary["study_area"] == "os_boundary"
    assert worked.run.summary["missing_months"] == []


def test_importing_again_adds_nothing(worked: Worked, real_data: Path) -> None:
    again = [load(worked.app, path).batch for path in street_files(real_data)]
    assert [batch.accepted for batch in again] == [0] * 5
    assert sum(batch.duplicates for batch in again) == worked.read - worked.rejected
    assert worked.app.store.evidence.record_counts(SCOPE)["incidents"]["records"] == worked.accepted


@pytest.mark.parametrize("layer", ["cells", "places"])
@pytest.mark.parametrize("name", FORMATS)
def test_both_stores_export_the_same_bytes(on_sqlite: Worked, on_postgis: Worked, layer: str, name: str) -> None:
    assert on_sqlite.run.run_id == on_postgis.run.run_id
    one, two = ((worked.exports / f"{layer}.{name}").read_bytes() for worked in (on_sqlite, on_postgis))
    assert len(one) > 10_000
    assert one == two


@pytest.mark.parametrize("layer", ["cells", "places"])
def test_gdal_reads_as_many_features_in_both_formats(on_sqlite: Worked, layer: str) -> None:
    plain, packed = (
        pyogrio.read_info(on_sqlite.exports / f"{layer}.{name}", layer=layer if name == "gpkg" else 0)
        for name in FORMATS
    )
    assert plain["features"] == packed["features"] > 0
    assert (plain["crs"], packed["crs"]) == ("EPSG:4326", "EPSG:27700")
    with closing(sqlite3.connect(on_sqlite.exports / f"{layer}.gpkg")) as package:
        assert package.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_cells_hold_every_record_once(on_sqlite: Worked) -> None:
    cells = pyogrio.read_dataframe(on_sqlite.exports / "cells.geojson", read_geometry=False)
    assert cells["records"].sum() == IN_BATH
    assert (cells["records"] == 0).any()


def test_task_lists_accepted_places_only(worked: Worked) -> None:
    store = worked.app.store
    listed = store.runs.places(SCOPE, worked.run.run_id)
    assert accepted_places(store, SCOPE, worked.run).accepted == []
    for place in listed[:2]:
        places.decide(store, SCOPE, place.place_id, Verdict.ACCEPT, "known to outreach", now_us=NOW_US)
    places.decide(store, SCOPE, listed[2].place_id, Verdict.REJECT, "the hospital's address", now_us=NOW_US)
    tasking = accepted_places(store, SCOPE, worked.run)
    assert [one.place.place_id for one in tasking.accepted] == [place.place_id for place in listed[:2]]
    assert (tasking.waiting, tasking.rejected) == (len(listed) - 3, 1)


def test_snapped_points_name_parks_and_streets_only(on_sqlite: Worked) -> None:
    kinds = {
        place.kind for place in on_sqlite.app.store.runs.places(SCOPE, on_sqlite.run.run_id) if place.basis == "snapped"
    }
    assert kinds <= {"park", "street", "area", "unattributed"}
    assert "park" in kinds

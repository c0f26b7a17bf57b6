"""Real places: how near crime in Bath lies to its parks, and that no house in the City is ever named from moved points."""

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from app.services.attributing import attribute_clusters, record_odds, surroundings
from app.settings import Settings
from app.wiring import Lapwing
from geo.attribution import Stated, attribute, odds
from geo.model import UNATTRIBUTED, Scope
from geo.nearby import features_within
from geo.reference import Reference
from geo.validate_features import project_geometries
from tests.conftest import NOW_US
from tests.files import command, load

pytestmark = pytest.mark.real
SCOPE = Scope(actor="test")
MOORGATE = (-0.0945, 51.5171, -0.0859, 51.5210)
LAYERS = ("buildings", "premises", "parks", "roads")
NAMED_FROM_MOVED = {"park", "street", "area", UNATTRIBUTED}


@pytest.fixture(scope="module")
def bath(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Iterator[Lapwing]:
    """Five months of Avon and Somerset and the parks of Bath."""
    home = tmp_path_factory.mktemp("bath")
    app = Lapwing(Settings(home=home, store=f"sqlite:///{home}/lapwing.db"), clock=lambda: NOW_US)
    app.migrate(None)
    for path in sorted((real_data / "police-street/south-west").glob("*avon-and-somerset*.csv.gz")):
        load(app, path)
    load(app, real_data / "bath/os_greenspace_site.geojson.gz", "parks")
    yield app
    app.database.close()


def moorgate_rows(real_data: Path) -> pd.DataFrame:
    files = sorted((real_data / "police-street/city-of-london").glob("*.csv.gz"))
    rows = pd.concat([pd.read_csv(file, dtype=str) for file in files], ignore_index=True)
    lon, lat = rows["Longitude"].astype(float), rows["Latitude"].astype(float)
    west, south, east, north = MOORGATE
    return rows[lon.between(west, east) & lat.between(south, north)]


@pytest.fixture(scope="module")
def moorgate(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Iterator[Lapwing]:
    """Two years of the City in the box of the map, and everything on the map, by the command line."""
    home = tmp_path_factory.mktemp("moorgate")
    rows = moorgate_rows(real_data)
    rows.to_csv(home / "moorgate-street.csv", index=False)
    assert (len(rows), len(rows[["Longitude", "Latitude"]].drop_duplicates())) == (1_051, 20)
    assert command(home, "import", "incidents", home / "moorgate-street.csv", "--json").json["accepted"] == 1_051
    for kind in LAYERS:
        done = command(home, "import", kind, real_data / "osm/moorgate-london.osm.pbf", "--json")
        assert done.code == 0, done.err
        assert done.json["accepted"] > 0
    app = Lapwing(Settings(home=home, store=f"sqlite:///{home}/var/lapwing.db"), clock=lambda: NOW_US)
    yield app
    app.database.close()


def test_crime_in_bath_is_as_near_to_parks_as_documented(bath: Lapwing, real_data: Path) -> None:
    records = bath.store.evidence.records(SCOPE, ["incidents"])
    records = records[np.isfinite(records["x_m"].to_numpy(float))]
    edge = gpd.read_file(f"/vsigzip/{real_data}/bath/os_boundary.geojson.gz").union_all()
    records = records[shapely.intersects_xy(edge, records["lon"].to_numpy(float), records["lat"].to_numpy(float))]
    assert len(records) == 5_687
    parks = bath.store.evidence.features(SCOPE, ["parks"])
    assert len(parks) == 520
    shapes_m = project_geometries(parks["geometry"].to_numpy(object), bath.store.crs)
    points_m = records[["x_m", "y_m"]].to_numpy(float)
    near = [len(np.unique(features_within(points_m, shapes_m, distance_m)[0])) for distance_m in (0.0, 25.0, 50.0)]
    assert near == [107, 442, 1_016]


def reference_of(app: Lapwing, kinds: tuple[str, ...]) -> Reference:
    features = app.store.evidence.features(SCOPE, kinds)
    shapes_m = project_geometries(features["geometry"].to_numpy(object), app.store.crs)
    return Reference.of(shapes_m, *(features[name].to_numpy(object) for name in ("kind", "subtype", "name")))


def moved_points(app: Lapwing) -> tuple[pd.DataFrame, np.ndarray]:
    records = app.store.evidence.records(SCOPE, ["incidents"])
    assert set(records["location_basis"]) == {"snapped"}
    points_m, group = np.unique(records[["x_m", "y_m"]].to_numpy(float), axis=0, return_inverse=True)
    assert len(points_m) == 20
    return records.assign(group=group.ravel()), points_m


@pytest.mark.parametrize("precision_m", [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 150.0, 250.0])
@pytest.mark.parametrize("kinds", [("buildings",), LAYERS], ids=["buildings", "everything"])
def test_no_moved_point_names_a_building(moorgate: Lapwing, kinds: tuple[str, ...], precision_m: float) -> None:
    reference = reference_of(moorgate, kinds)
    assert (reference.kinds == "buildings").sum() >= 140
    _, points_m = moved_points(moorgate)
    stated = Stated(points_m, np.full(20, precision_m), np.ones(20, bool))
    each = odds(stated, reference)
    assert set(reference.kinds[each.entity].tolist()) <= {"parks", "roads"}
    if kinds == ("buildings",):
        assert each.unattributed.tolist() == [1.0] * 20
    # Each point a cluster of its own, all of them one, and four of five points each.
    for group in (np.arange(20), np.zeros(20, np.int64), np.arange(20) // 5):
        found = attribute(stated, np.ones(20), group, reference)
        for one in found.values():
            assert one.kind in NAMED_FROM_MOVED, (precision_m, one)
            assert {other["kind"] for other in one.alternatives} <= NAMED_FROM_MOVED
            assert one.feature is None or reference.kinds[one.feature] in {"parks", "roads"}


def test_the_same_points_stated_as_exact_could_name_some(moorgate: Lapwing) -> None:
    """What is kept back above is near enough to be named, if the points had not been moved."""
    reference = reference_of(moorgate, ("buildings", "premises"))
    _, points_m = moved_points(moorgate)
    each = odds(Stated(points_m, np.full(20, 1.0), np.zeros(20, bool)), reference)
    assert len(each.entity) > 0


def test_the_services_name_no_building_for_records_and_clusters(moorgate: Lapwing) -> None:
    records, _ = moved_points(moorgate)
    around = surroundings(moorgate.store, SCOPE, records)
    assert (around.reference.kinds == "buildings").sum() >= 140
    each = record_odds(records, around)
    assert set(around.reference.kinds[each.entity].tolist()) <= {"parks", "roads"}
    assert len(each.unattributed) == 1_051
    for group in (records["group"].to_numpy(np.int64), np.zeros(len(records), np.int64)):
        for one in attribute_clusters(records, group, around).values():
            assert {one.kind, *(other["kind"] for other in one.alternatives)} <= NAMED_FROM_MOVED


@pytest.mark.parametrize("eps_m", [20, 50, 150])
def test_no_place_of_an_analysis_is_a_building(moorgate: Lapwing, tmp_path: Path, eps_m: int) -> None:
    home = moorgate.settings.home
    done = command(home, "analyse", "--eps-m", eps_m, "--resolution", 10, "--json")
    assert done.code == 0, done.err
    listed = command(home, "places", "latest", "--json")
    assert listed.code == 0, listed.err
    places = listed.json["places"] if isinstance(listed.json, dict) else listed.json
    assert len(places) > 0
    for place in places:
        assert place["kind"] in NAMED_FROM_MOVED, place
        assert {other["kind"] for other in place.get("alternatives", ())} <= NAMED_FROM_MOVED

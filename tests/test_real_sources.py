"""Each kind of real source by its documented command: every row accounted for, values read again by other means."""

import gzip
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyreadr
import pytest
import shapely

from app.services.stacks import list_stacks
from app.settings import Settings
from app.wiring import Lapwing
from geo.crs import MetricCrs
from geo.model import Scope
from tests.files import command

pytestmark = pytest.mark.real
SCOPE = Scope()


def imported(home: Path, kind: str, *words: Any) -> dict[str, Any]:
    done = command(home, "import", kind, *words, "--json")
    assert done.code == 0, done.err
    found = done.json
    for batch in found["batches"]:
        assert batch["read"] == batch["accepted"] + batch["rejected"] + batch["duplicates"], batch
    return found  # type: ignore[no-any-return]


def opened(home: Path) -> Lapwing:
    return Lapwing(Settings(home=home, store=f"sqlite:///{home}/var/lapwing.db"))


def records(home: Path, kind: str) -> pd.DataFrame:
    app = opened(home)
    found = app.store.evidence.records(SCOPE, [kind])
    app.database.close()
    return found


def features(home: Path, kind: str) -> pd.DataFrame:
    app = opened(home)
    found = app.store.evidence.features(SCOPE, [kind])
    app.database.close()
    return found


def everything(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in (home / "var").rglob("*") if file.is_file())


def test_two_years_of_the_city_of_london(tmp_path: Path, real_data: Path) -> None:
    files = sorted((real_data / "police-street/city-of-london").glob("*.csv.gz"))
    counted = pd.concat(pd.read_csv(file, dtype=str) for file in files)
    found = imported(tmp_path, "incidents", *files)
    assert found["read"] == len(counted) == 18_867
    assert (found["accepted"], found["reasons"]) == (18_867, {})
    assert found["unlocated"] == counted["Longitude"].isna().sum() == 1_589
    app = opened(tmp_path)
    stacks = list_stacks(app.store, SCOPE, least=1)
    shared = [one for one in stacks if one["records"] > 1]
    app.database.close()
    assert len(stacks) == len(counted.dropna(subset="Longitude")[["Longitude", "Latitude"]].drop_duplicates()) == 535
    assert {one["stack_class"] for one in shared} == {"snap_point"}
    assert round(sum(one["share"] for one in shared), 3) == 0.987


def test_stop_and_search_in_exact_utc_without_the_person(tmp_path: Path, real_data: Path) -> None:
    files = sorted((real_data / "stop-and-search/metropolitan").glob("*.json.gz"))
    rows = [one for file in files for one in json.loads(gzip.decompress(file.read_bytes()))]
    found = imported(tmp_path, "incidents", *files)
    assert (found["read"], found["accepted"]) == (len(rows), 27_395)
    assert found["reasons"] == {}
    assert found["unlocated"] == sum(one["location"] is None for one in rows)
    kept = records(tmp_path, "incidents")
    assert kept["time_basis"].unique().tolist() == ["instant"]
    told = pd.to_datetime([one["datetime"] for one in rows], utc=True).as_unit("us").astype("int64")
    assert sorted(kept["from_us"].tolist()) == sorted(told.tolist())
    assert set(kept["location_basis"]) == {"snapped", "none"}
    stored = everything(tmp_path)
    for word in ("over 34", "under 10", "Female", "Black/African"):
        assert word.encode() not in stored, word


def test_thefts_in_new_york_between_two_moments_and_in_metres_of_their_own(tmp_path: Path, real_data: Path) -> None:
    frame = next(iter(pyreadr.read_r(real_data / "incidents/nyc-vehicle-thefts-2014-2017.rda").values()))
    path = tmp_path / "thefts.csv"
    frame.to_csv(path, index=False)
    home = tmp_path / "home"
    home.mkdir()
    assert command(home, "migrate", "--crs", "EPSG:32618").code == 0
    found = imported(home, "incidents", path, "--timezone", "America/New_York", "--source", "Crime Open Database")
    assert found["read"] == len(frame) == 35_746
    assert (found["accepted"], found["rejected"], found["duplicates"]) == (35_746, 0, 0)
    kept = records(home, "incidents")
    assert (kept["time_basis"] == "interval").mean() > 0.9
    lon, lat = kept["lon"].to_numpy(), kept["lat"].to_numpy()
    x_m, y_m = MetricCrs(32618).project(lon, lat)
    assert np.abs(np.column_stack([x_m - kept["x_m"], y_m - kept["y_m"]])).max() < 0.1
    zone = "America/New_York"
    begin = pd.to_datetime(frame["date_start"]).dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dropna()
    known = set(begin.dt.tz_convert("UTC").dt.as_unit("us").astype("int64").tolist())
    assert kept["from_us"].isin(known).mean() > 0.97


def test_bus_fixes_are_sightings_and_no_vehicle_is_kept(tmp_path: Path, real_data: Path) -> None:
    file = real_data / "trajectories/liverpool-bus-route14.csv.gz"
    counted = pd.read_csv(file)
    found = imported(tmp_path, "sightings", file, "--source", "Bus Open Data Service")
    assert (found["read"], found["accepted"]) == (len(counted), 1_533)
    kept = records(tmp_path, "sightings")
    assert kept["vehicle_hash"].nunique() == counted["vehicle_id"].nunique() == 8
    assert not set(kept["vehicle_hash"]) & set(counted["vehicle_id"].astype(str))
    moments = pd.to_datetime(counted["timestamp"], utc=True).dt.as_unit("us").astype("int64")  # winter: London is UTC
    assert sorted(kept["from_us"]) == sorted(moments)


@pytest.mark.parametrize(("kind", "layer", "where"), [
    ("buildings", "multipolygons", "building IS NOT NULL"), ("roads", "lines", "highway IS NOT NULL"),
])  # fmt: skip
def test_moorgate_in_openstreetmaps_binary_format(
    tmp_path: Path, real_data: Path, kind: str, layer: str, where: str
) -> None:
    file = real_data / "osm/moorgate-london.osm.pbf"
    found = imported(tmp_path, kind, file)
    assert found["read"] == len(pyogrio.read_dataframe(file, layer=layer, where=where))
    assert (found["accepted"], found["rejected"]) == (found["read"], 0)
    if kind == "roads":
        assert "Moorgate" in set(features(tmp_path, kind)["name"])


def test_small_places_of_openstreetmap(tmp_path: Path, real_data: Path) -> None:
    files = sorted((real_data / "osm").glob("*.osm.gz"))
    assert len(files) == 5
    for kind in ("parks", "buildings", "premises", "roads"):
        found = imported(tmp_path, kind, *files)
        assert found["rejected"] == 0
        assert found["accepted"] == len(features(tmp_path, kind))
    assert len(features(tmp_path, "roads")) > 400
    with gzip.open(files[0]) as stream:
        editors = {part.split('"')[0] for part in stream.read().decode().split('user="')[1:]}
    stored = everything(tmp_path)
    assert not [one for one in editors if any(letter in one for letter in "_0123456789") and one.encode() in stored]


BATH = [
    ("parks", "bath/banes_gss_parks_recreation", 69, 3), ("parks", "bath/banes_gss_amenity_grass", 110, 1),
    ("parks", "bath/os_greenspace_site", 520, 0), ("parks", "bath/banes_gss_playspace_children", 143, 0),
    ("premises", "bath/banes_local_shops", 185, 4), ("premises", "bath/os_important_buildings", 939, 0),
    ("premises", "bath/os_functional_sites", 125, 0), ("premises", "bath/banes_education_secondary_schools", 16, 0),
    ("roads", "bath/os_roads", 9_015, 0), ("roads", "bath/banes_prow_bath", 311, 0), ("boundary", "bath/os_boundary", 1, 0),
    ("areas", "bath/ons_ward_2011", 37, 0), ("areas", "boundaries/lsoa-E06000022", 115, 1), ("areas", "boundaries/lsoa-E06000023", 263, 1),
    ("areas", "boundaries/lsoa-E09000028", 166, 1), ("areas", "boundaries/wards-E09000001", 25, 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "rows", "invalid"), BATH)
def test_layers_of_bath_with_their_invalid_polygons_repaired(
    tmp_path: Path, real_data: Path, kind: str, name: str, rows: int, invalid: int
) -> None:
    file = real_data / f"{name}.geojson.gz"
    shapes = gpd.read_file(f"/vsigzip/{file}").geometry.to_numpy()
    assert int((~shapely.is_valid(shapes)).sum()) == invalid
    found = imported(tmp_path, kind, file)
    (batch,) = found["batches"]
    assert (batch["read"], batch["accepted"] + batch["duplicates"], batch["rejected"]) == (rows, rows, 0)
    assert batch["repaired"] == invalid
    assert shapely.is_valid(np.asarray(features(tmp_path, kind)["geometry"], dtype=object)).all()


def test_a_zip_of_the_boundaries_as_a_shapefile(tmp_path: Path, real_data: Path) -> None:
    """OS and ONS hand their layers out as zipped Shapefiles in the national grid."""
    frame = gpd.read_file(f"/vsigzip/{real_data}/boundaries/wards-E06000022.geojson.gz").to_crs(27700)
    (tmp_path / "wards").mkdir()
    frame.to_file(tmp_path / "wards/Wards_2013.shp")
    with zipfile.ZipFile(tmp_path / "wards.zip", "w") as archive:
        for part in sorted((tmp_path / "wards").iterdir()):
            archive.write(part, f"data/{part.name}")
    assert imported(tmp_path, "areas", tmp_path / "wards.zip")["accepted"] == len(frame) == 37
    assert set(features(tmp_path, "areas")["level"]) == {"ward"}
    connection = sqlite3.connect(tmp_path / "var/lapwing.db")
    assert connection.execute("SELECT COUNT(*) FROM feature").fetchone() == (37,)
    connection.close()

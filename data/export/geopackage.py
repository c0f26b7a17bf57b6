"""GeoPackage for police GIS: typed columns, QGIS styles inside, the same bytes for the same inputs, replaced in one step.

Source: OGC 12-128r18 (GeoPackage 1.3); QGIS keeps default styles in a table ``layer_styles``.
"""

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from data.export.qml import cell_style, line_style, place_style
from geo.crs import MetricCrs
from geo.disclosure import ReleasedLayer
from geo.field import Field, FieldType
from geo.fields import GEOMETRY_TYPE, MAX_TEXT
from geo.model import Layer
from geo.validate_features import project_geometries

_GEOMETRY: Final = "geom"
_ID_WIDTH: Final = 64
_ARROW: Final = {
    FieldType.TEXT: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.REAL: pa.float64(),
    FieldType.DATE: pa.date32(),
}
_gdal_configuration = threading.Lock()  # GDAL's configuration belongs to the whole process


def write_geopackage(layer: ReleasedLayer, path: Path, crs: MetricCrs) -> None:
    """Write a released layer to ``path`` in the metric CRS; the file is either replaced whole or left as it was."""
    if not isinstance(layer, ReleasedLayer):
        raise TypeError("only a ReleasedLayer can be exported")
    import pyogrio

    stamp = str(layer.metadata["generated_at"]).replace("Z", ".000Z")
    texts = {name: str(value) for name, value in layer.metadata.items()}
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:  # beside: one file system
        draft = Path(folder) / "draft.gpkg"
        with _gdal_options(OGR_CURRENT_DATE=stamp, OGR_GPKG_ALLOW_THREADED_RTREE="NO"):
            pyogrio.write_arrow(
                _table(layer, crs),
                draft,
                layer=str(layer.layer),
                driver="GPKG",
                geometry_name=_GEOMETRY,
                geometry_type=GEOMETRY_TYPE[layer.layer],
                crs=f"EPSG:{crs.epsg}",
                dataset_metadata=texts,
                layer_metadata=texts,
                dataset_options={"VERSION": "1.3"},
                layer_options={
                    "IDENTIFIER": texts["title"],
                    "DESCRIPTION": _description(layer),
                    "GEOMETRY_NAME": _GEOMETRY,
                },
            )
        _add_style(draft, layer, stamp)
        publish(draft, path)


def _description(layer: ReleasedLayer) -> str:
    return f"{layer.metadata['marking']}. Audience {layer.profile}. Analysis {layer.metadata['run']}. {layer.metadata['handling']}"


def _table(layer: ReleasedLayer, crs: MetricCrs) -> pa.Table:
    arrays, fields = (
        [pa.array(layer.features["id"].tolist(), pa.string())],
        [_arrow_field("id", FieldType.TEXT, "Stable identifier.", width=_ID_WIDTH)],
    )
    for field in layer.fields:
        arrays.append(_array(layer.features[field.name], field))
        fields.append(_arrow_field(field.name, field.type, field.meaning))
    shapes = project_geometries(shapely.force_2d(layer.geometry), crs)
    arrays.append(pa.array(shapely.to_wkb(shapes, output_dimension=2, byte_order=1), pa.binary()))
    return pa.Table.from_arrays(arrays, schema=pa.schema([*fields, pa.field(_GEOMETRY, pa.binary())]))


def _array(values: pd.Series, field: Field) -> pa.Array:
    if field.type is FieldType.REAL:
        numbers = values.to_numpy(np.float64)
        return pa.array(numbers, pa.float64(), mask=~np.isfinite(numbers))
    if field.type is FieldType.DATE:
        return pa.array(values.tolist(), pa.string()).cast(pa.date32())
    return pa.array(values.tolist(), _ARROW[field.type])


def _arrow_field(name: str, kind: FieldType, meaning: str, *, width: int = MAX_TEXT) -> pa.Field:
    """Return an Arrow field with what GDAL makes the OGR field from."""
    metadata = {"GDAL:OGR:comment": meaning}
    if kind is FieldType.TEXT:
        metadata["GDAL:OGR:width"] = str(width)
    if name == "id":
        metadata["GDAL:OGR:unique"] = "true"
    return pa.field(name, _ARROW[kind], name != "id", metadata)


@contextmanager
def _gdal_options(**options: str) -> Iterator[None]:
    import pyogrio

    with _gdal_configuration:
        before = {name: pyogrio.get_gdal_config_option(name) for name in options}
        pyogrio.set_gdal_config_options(options)
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options(before)  # None unsets


# As QGIS creates it (qgsogrprovider.cpp); QGIS looks a style up by f_table_schema = '', table and geometry column.
_LAYER_STYLES: Final = """
CREATE TABLE "layer_styles" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "f_table_catalog" TEXT(256),
"f_table_schema" TEXT(256), "f_table_name" TEXT(256), "f_geometry_column" TEXT(256), "styleName" TEXT(30), "styleQML" TEXT,
"styleSLD" TEXT, "useAsDefault" BOOLEAN, "description" TEXT, "owner" TEXT(30), "ui" TEXT(30),
"update_time" DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""


def _add_style(path: Path, layer: ReleasedLayer, stamp: str) -> None:
    style = _style(layer)
    name = str(layer.layer)
    row = ("", "", name, _GEOMETRY, name, style, "", 1, str(layer.metadata["title"]), "", None, stamp)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute(_LAYER_STYLES)
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
            (stamp,),
        )
        connection.execute("INSERT INTO gpkg_ogr_contents VALUES ('layer_styles', 1)")
        connection.execute(f"INSERT INTO layer_styles VALUES (NULL{', ?' * len(row)})", row)
        connection.execute("COMMIT")


def _style(layer: ReleasedLayer) -> str:
    if layer.layer is Layer.CELLS:
        return cell_style(layer.features["records"].to_numpy())
    if layer.layer in {Layer.ROUTES, Layer.NETWORK}:
        return line_style("name" if layer.layer is Layer.ROUTES else "linked_by")
    return place_style("place_name" if layer.layer is Layer.TASKING else "name")


def publish(draft: Path, path: Path) -> None:
    """Put the draft in the place of the old file, in one step."""
    _sync(draft)
    for suffix in (
        "-wal",
        "-shm",
        "-journal",
    ):  # QGIS leaves these; SQLite would replay a stale one into the new file
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    draft.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Flush a file or folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

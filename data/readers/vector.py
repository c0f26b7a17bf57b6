"""Formats with geometry, through GDAL, to columns of text and WGS 84 geometry."""

import gzip
import io
import json
import os
import warnings
import zipfile
from importlib.resources import as_file, files
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from data.readers.osm import LAYERS, OsmLayer
from data.readers.sniff import FileFacts
from data.readers.tables import RawChunk
from geo.crs import WGS84, MetricCrs
from geo.errors import CrsError, UnreadableFile
from geo.model import REJECTION_COLUMNS, FeatureKind
from geo.problems import Reason

_PREFIXES: Final = {"geojson": "GeoJSON:", "gpkg": "GPKG:"}
# ETRS89 and WGS 84 differ by less than a metre in Europe; the rest are WGS 84 with heights.
_SAME_AS_WGS84: Final = frozenset({WGS84, 4258, 4937, 4979})
# Layers of these formats are parts of one list, not alternatives to choose from.
_ONE_LIST: Final = frozenset({"kml", "gpx"})
_GPX_LINES: Final = ("tracks", "routes")
_GPX_POINTS: Final = ("waypoints", "track_points")

# What a layer says, its shapes, and which of those are broken.
_Part = tuple[pd.DataFrame, np.ndarray, np.ndarray]


def read_vector(facts: FileFacts, kind: str, *, layer: str | None = None) -> RawChunk:
    """Read one layer, or the layers that together are one list; numbers are positions in it, from 1.

    Raises
    ------
    UnreadableFile
        When GDAL cannot read it, it holds several layers and none was named, or its CRS is unknown.
    """
    from pyogrio.errors import DataLayerError, DataSourceError

    _keep_quiet()
    source, path = _address(facts)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's remarks about names and padding; errors still raise
            parts = _osm_parts(facts, source, kind) if facts.format == "osm" else _parts(facts, source, kind, layer)
    except (DataSourceError, DataLayerError) as error:
        why = str(error).splitlines()[0].replace(path or "\0", facts.name)[:200] if str(error) else "unknown"
        raise UnreadableFile(
            f"{facts.name}: cannot be read as {facts.format} ({why}); nothing was imported."
        ) from error
    rows = pd.concat([frame for frame, _, _ in parts], ignore_index=True).fillna("").astype(object)
    geometry = np.concatenate([shapes for _, shapes, _ in parts])
    broken = np.concatenate([damaged for _, _, damaged in parts])
    numbers = np.arange(1, len(geometry) + 1, dtype=np.int64)
    return RawChunk(
        rows[~broken].reset_index(drop=True), numbers[~broken], _malformed(numbers[broken]), geometry[~broken]
    )


def _keep_quiet() -> None:
    """Let GDAL's own remarks go nowhere: they quote the file and would stand in the service's log.

    GDAL opens its log with its first remark, in whatever thread that is.
    """
    import pyogrio

    pyogrio.set_gdal_config_options({"CPL_LOG": os.devnull, "CPL_DEBUG": "OFF"})


def _malformed(numbers: np.ndarray) -> pd.DataFrame:
    """Reject features whose shape is none; what else they say is not kept, as nobody has chosen its columns yet."""
    detail = "its shape is broken, such as a ring that is not closed; mend it in the file"
    rows = [(int(number), "geometry", Reason.BAD_GEOMETRY, detail, json.dumps({})) for number in numbers]
    return pd.DataFrame(rows, columns=list(REJECTION_COLUMNS))


def _address(facts: FileFacts) -> tuple[str | bytes, str]:
    """What GDAL opens, and the path that its messages may quote: bytes stay in memory."""
    import pyogrio

    if facts.source.path is None:
        content = facts.source.content or b""
        if facts.packing == "gzip":
            return gzip.decompress(content), ""
        return _only_folder_of(content, facts.member) if facts.format == "shapefile" else content, ""
    pyogrio.set_gdal_config_options({"CPL_VSIL_GZIP_WRITE_PROPERTIES": "NO"})  # else GDAL leaves a file beside it
    path = str(facts.source.path.resolve())
    packed = {"gzip": f"/vsigzip/{path}", "zip": f"/vsizip/{path}"}.get(facts.packing, path)
    if facts.member:
        packed = f"{packed}/{facts.member}"
    return f"{_PREFIXES.get(facts.format, '')}{packed}", path


def _only_folder_of(content: bytes, member: str) -> bytes:
    """Pack the folder of a Shapefile anew, as the top of an archive: in memory GDAL looks nowhere else."""
    folder = member if not member.lower().endswith(".shp") else member.rpartition("/")[0]
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(packed, "w") as flat:
        for one in archive.infolist():
            if not one.is_dir() and one.filename.rpartition("/")[0] == folder:
                flat.writestr(one.filename.rpartition("/")[2], archive.read(one))
    return packed.getvalue()


def _parts(facts: FileFacts, source: str | bytes, kind: str, wanted: str | None) -> list[_Part]:
    import pyogrio

    # By number: a layer without a name of its own is named after a file, which in memory is another each time.
    layers = [str(one) for one in pyogrio.list_layers(source)[:, 0]]
    return [_read(facts, source, layers.index(name)) for name in _layers(facts, layers, kind, wanted)]


def _layers(facts: FileFacts, layers: list[str], kind: str, wanted: str | None) -> list[str]:
    layers = [name for name in layers if name != "layer_styles"]
    if wanted is not None:
        if wanted not in layers:
            raise UnreadableFile(f"{facts.name}: no layer {wanted!r}; it has {', '.join(layers)}.")
        return [wanted]
    if facts.format == "gpx":
        return list(_GPX_LINES if kind == FeatureKind.ROADS else _GPX_POINTS)
    if facts.format in _ONE_LIST and layers:
        return layers
    if len(layers) != 1:
        raise UnreadableFile(f"{facts.name}: has layers {', '.join(layers) or 'none'}; name one with --layer.")
    return layers


def _osm_parts(facts: FileFacts, source: str | bytes, kind: str) -> list[_Part]:
    if kind not in LAYERS:
        raise UnreadableFile(f"{facts.name}: is OpenStreetMap, which holds reference geography, not {kind}.")
    with as_file(files("data.readers").joinpath("osmconf.ini")) as config:
        parts = [
            (*_read(facts, source, one.layer, where=one.where, CONFIG_FILE=str(config)), one) for one in LAYERS[kind]
        ]
    return [(_osm_columns(rows, one), geometry, broken) for rows, geometry, broken, one in parts]


def _osm_columns(rows: pd.DataFrame, layer: OsmLayer) -> pd.DataFrame:
    """Name, kind and id of features of OpenStreetMap: the first tag that a feature has says what it is."""
    kind = pd.Series("", index=rows.index, dtype=object)
    for tag in layer.tags:
        kind = kind.where(kind != "", rows[tag].replace("yes", tag))
    way = rows["osm_way_id"] if "osm_way_id" in rows else pd.Series("", index=rows.index, dtype=object)
    code = ("way/" + way).where(way != "", rows["osm_id"])
    return pd.DataFrame({"name": rows["name"], "kind": kind, "code": code, "aliases": rows["alt_name"]}, dtype=object)


def _read(facts: FileFacts, source: str | bytes, layer: str | int, **options: Any) -> _Part:
    import pyogrio

    meta, _, wkb, columns = pyogrio.raw.read(source, layer=layer, datetime_as_string=True, **options)
    geometry, broken = _shapes(wkb, _length(columns))
    rows = pd.DataFrame({str(field): _as_text(values) for field, values in zip(meta["fields"], columns, strict=True)})
    if not len(rows.columns):
        rows = pd.DataFrame(index=range(len(geometry)))
    return rows, _to_wgs84(facts, geometry, meta["crs"]), broken


def _shapes(wkb: np.ndarray | None, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Shapes of WKB, and which of them are there but are none."""
    if wkb is None:
        return np.full(count, None), np.zeros(count, bool)
    geometry = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    there = np.asarray([one is not None for one in wkb], bool)
    return geometry, there & shapely.is_missing(geometry)


def _length(columns: list[np.ndarray]) -> int:
    return len(columns[0]) if columns else 0


def _as_text(values: np.ndarray) -> pd.Series:
    """Values as text: whole floats lose their ``.0``, missing values are empty."""
    series = pd.Series(values)
    if series.dtype.kind == "f":
        whole = series.notna() & (series % 1 == 0) & (series.abs() < 1e15)
        text = series.astype(object).map(repr)
        text[whole] = series[whole].astype("int64").astype(str)
        return text.where(series.notna(), "").astype(object)
    return series.astype(object).map(_plain_text).astype(object)


def _plain_text(value: object) -> str:
    missing = value is None or (isinstance(value, float) and np.isnan(value))
    return "" if missing else str(value)


def _to_wgs84(facts: FileFacts, geometry: np.ndarray, crs: str | None) -> np.ndarray:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if crs is None:
        raise UnreadableFile(
            f"{facts.name}: says no coordinate reference system; set one in your GIS and save it again."
        )
    try:
        known = CRS.from_user_input(crs)
    except CRSError as error:
        raise UnreadableFile(f"{facts.name}: its coordinate reference system {crs[:60]!r} is unknown.") from error
    flat = known.sub_crs_list[0] if known.is_compound else known  # heights are of no use here
    epsg = flat.to_epsg()
    if epsg in _SAME_AS_WGS84 or flat.equals(CRS("OGC:CRS84")):
        return geometry
    if epsg is None and flat.is_projected:
        epsg = flat.to_epsg(min_confidence=25)  # a Shapefile names its CRS in words of its own
    if epsg is None or flat.is_geographic:
        raise UnreadableFile(
            f"{facts.name}: is in {flat.name}, which cannot be turned into WGS 84 precisely enough;"
            " save it in EPSG:4326 or EPSG:27700."
        )
    try:
        metric = MetricCrs(epsg)
    except CrsError as error:
        raise UnreadableFile(f"{facts.name}: {error}") from error

    def degrees(coordinates: np.ndarray) -> np.ndarray:
        return np.column_stack(metric.unproject(coordinates[:, 0], coordinates[:, 1]))

    return np.asarray(shapely.transform(shapely.force_2d(geometry), degrees), dtype=object)

"""GeoJSON and GeoPackage through GDAL, to columns of text and WGS 84 geometry."""

import warnings
from typing import Final

import numpy as np
import pandas as pd
import shapely

from data.readers.sniff import FileFacts
from geo.crs import WGS84, MetricCrs
from geo.errors import CrsError, UnreadableFile

_DRIVERS: Final = {"geojson": "GeoJSON", "gpkg": "GPKG"}
# ETRS89 and WGS 84 differ by less than a metre in Europe; the rest are WGS 84 with heights.
_SAME_AS_WGS84: Final = frozenset({WGS84, 4258, 4937, 4979})


def read_vector(facts: FileFacts, *, layer: str | None = None) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Read one layer.

    Returns
    -------
    rows : DataFrame of str
    row_numbers : ndarray of int64
        Position of the feature in the file, from 1.
    geometry : ndarray of shapely geometry or None
        In WGS 84.

    Raises
    ------
    UnreadableFile
        When GDAL cannot read it, it holds several layers and none was named, or its CRS is unknown.
    """
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    path = str(facts.path.resolve())
    source = f"{_DRIVERS[facts.format]}:{'/vsigzip/' if facts.compressed else ''}{path}"
    pyogrio.set_gdal_config_options({"CPL_VSIL_GZIP_WRITE_PROPERTIES": "NO"})  # else GDAL leaves a file beside it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's remarks about names and padding; errors still raise
            name = _layer(facts, [str(one) for one in pyogrio.list_layers(source)[:, 0]], layer)
            meta, _, wkb, columns = pyogrio.raw.read(source, layer=name, datetime_as_string=True)
    except (DataSourceError, DataLayerError) as error:
        why = str(error).splitlines()[0].replace(path, facts.path.name)[:200] if str(error) else "unknown"
        raise UnreadableFile(
            f"{facts.path.name}: cannot be read as {facts.format} ({why}); nothing was imported."
        ) from error
    geometry = np.asarray(shapely.from_wkb(wkb), dtype=object) if wkb is not None else np.full(_length(columns), None)
    rows = pd.DataFrame({str(field): _as_text(values) for field, values in zip(meta["fields"], columns, strict=True)})
    if rows.empty:
        rows = pd.DataFrame(index=range(len(geometry)))
    return rows, np.arange(1, len(geometry) + 1, dtype=np.int64), _to_wgs84(facts, geometry, meta["crs"])


def _length(columns: list[np.ndarray]) -> int:
    return len(columns[0]) if columns else 0


def _layer(facts: FileFacts, layers: list[str], wanted: str | None) -> str:
    layers = [name for name in layers if name != "layer_styles"]
    if wanted is not None:
        if wanted not in layers:
            raise UnreadableFile(f"{facts.path.name}: no layer {wanted!r}; it has {', '.join(layers)}.")
        return wanted
    if len(layers) != 1:
        raise UnreadableFile(f"{facts.path.name}: has layers {', '.join(layers) or 'none'}; name one with --layer.")
    return layers[0]


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
            f"{facts.path.name}: says no coordinate reference system; set one in your GIS and save it again."
        )
    try:
        known = CRS.from_user_input(crs)
    except CRSError as error:
        raise UnreadableFile(f"{facts.path.name}: its coordinate reference system {crs[:60]!r} is unknown.") from error
    flat = known.sub_crs_list[0] if known.is_compound else known  # heights are of no use here
    epsg = flat.to_epsg()
    if epsg in _SAME_AS_WGS84 or flat.equals(CRS("OGC:CRS84")):
        return geometry
    if epsg is None or flat.is_geographic:
        raise UnreadableFile(
            f"{facts.path.name}: is in {flat.name}, which cannot be turned into WGS 84 precisely enough;"
            " save it in EPSG:4326 or EPSG:27700."
        )
    try:
        metric = MetricCrs(epsg)
    except CrsError as error:
        raise UnreadableFile(f"{facts.path.name}: {error}") from error

    def degrees(coordinates: np.ndarray) -> np.ndarray:
        return np.column_stack(metric.unproject(coordinates[:, 0], coordinates[:, 1]))

    return np.asarray(shapely.transform(shapely.force_2d(geometry), degrees), dtype=object)

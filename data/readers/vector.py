"""GeoJSON and GeoPackage through GDAL, to columns of text and WGS 84 geometry."""

import numpy as np
import pandas as pd
import shapely

from data.readers.sniff import FileFacts
from geo.crs import WGS84, MetricCrs
from geo.errors import CrsError, UnreadableFile


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

    source = f"/vsigzip/{facts.path.resolve()}" if facts.compressed else str(facts.path.resolve())
    try:
        name = _layer(facts, [str(one) for one in pyogrio.list_layers(source)[:, 0]], layer)
        meta, _, wkb, columns = pyogrio.raw.read(source, layer=name, datetime_as_string=True)
    except (DataSourceError, DataLayerError) as error:
        why = str(error).splitlines()[0][:200] if str(error) else "unknown"
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
    return series.astype(object).map(lambda value: "" if value is None or value != value else str(value)).astype(object)


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
    epsg = known.to_epsg()
    if epsg == WGS84 or known.is_geographic:
        return geometry
    if epsg is None:
        raise UnreadableFile(
            f"{facts.path.name}: its coordinate reference system has no EPSG code; save it in EPSG:4326."
        )
    try:
        metric = MetricCrs(epsg)
    except CrsError as error:
        raise UnreadableFile(f"{facts.path.name}: {error}") from error

    def degrees(coordinates: np.ndarray) -> np.ndarray:
        return np.column_stack(metric.unproject(coordinates[:, 0], coordinates[:, 1]))

    return np.asarray(shapely.transform(shapely.force_2d(geometry), degrees), dtype=object)

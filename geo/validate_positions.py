"""Where a row says that something happened."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84, MetricCrs
from geo.errors import CrsError
from geo.gridref import BadGridReference, parse_grid_reference
from geo.model import Method
from geo.problems import Problems, Reason

Floats = NDArray[np.float64]
DEFAULT_PRECISION_M: Final = 10.0
MAX_PRECISION_M: Final = 50_000.0
POSITION_FIELDS: Final = ("longitude", "latitude", "easting", "northing", "grid_ref", "wkt")
_USUAL: Final = b"0123456789.-"
_EWKT: Final = re.compile(r"^\s*(?:SRID\s*=\s*(\d{4,6})\s*;)?\s*(POINT\b.*)$", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Positions:
    """Degrees and metres of each row, NaN where it has none, with how they are known; all of shape (n,)."""

    lon: Floats
    lat: Floats
    x_m: Floats
    y_m: Floats
    precision_m: Floats
    method: NDArray[np.object_]


def read_positions(
    rows: pd.DataFrame, problems: Problems, crs: MetricCrs, *, file_crs: MetricCrs | None, precision_m: float
) -> Positions:
    """Position of each row, from whichever of its fields say one.

    Parameters
    ----------
    rows : DataFrame of str
        With ``POSITION_FIELDS`` and ``precision_m``.
    problems : Problems
        Takes what is wrong.
    crs : MetricCrs
        The store's; positions outside it are out of range.
    file_crs : MetricCrs or None
        CRS of ``easting`` and ``northing`` where it is not the store's.
    precision_m : float
        Precision of rows that state none.
    """
    rows, method = _expand(rows, problems, file_crs or crs)
    lon, lat = (_numbers(rows[name], name, problems) for name in ("longitude", "latitude"))
    east, north = (_numbers(rows[name], name, problems) for name in ("easting", "northing"))
    _require_pairs(lon, lat, east, north, problems)
    source = file_crs or crs
    from_grid = np.isfinite(east) & np.isfinite(north) & ~np.isfinite(lon) & problems.good
    if from_grid.any():
        lon, lat = lon.copy(), lat.copy()
        _explain_grid(east, north, from_grid, problems, source)
        from_grid &= problems.good
        lon[from_grid], lat[from_grid] = source.unproject(east[from_grid], north[from_grid])
        beyond = from_grid & ~np.isfinite(lon)
        problems.add(beyond, "easting", Reason.OUT_OF_RANGE, f"easting and northing lie outside {source.name}")
    _explain_degrees(lon, lat, problems, crs)
    x_m, y_m = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    placed = np.isfinite(lon) & problems.good
    x_m[placed], y_m[placed] = crs.project(lon[placed], lat[placed])
    if source == crs:
        exact = from_grid & placed
        x_m[exact], y_m[exact] = east[exact].round(3), north[exact].round(3)
    problems.add(placed & ~np.isfinite(x_m), "longitude", Reason.OUT_OF_RANGE, f"the position lies outside {crs.name}")
    located = np.isfinite(lon)
    method = np.where(located, np.where(method == "", Method.GIVEN.value, method), "")
    return Positions(lon.round(7), lat.round(7), x_m, y_m, _precision(rows, problems, precision_m), method)


def _expand(rows: pd.DataFrame, problems: Problems, file_crs: MetricCrs) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Fill the number fields from grid references and EWKT where no coordinate is given."""
    method = np.full(len(rows), "", dtype=object)
    by_grid, by_wkt = (rows["grid_ref"] != "").to_numpy(bool), (rows["wkt"] != "").to_numpy(bool)
    if not (by_grid.any() or by_wkt.any()):
        return rows, method
    bare = (rows[["longitude", "latitude", "easting", "northing"]] == "").all(axis=1).to_numpy(bool)
    by_grid = bare & by_grid
    by_wkt = bare & ~by_grid & by_wkt
    if not (by_grid.any() or by_wkt.any()):
        return rows, method
    rows = rows.copy()
    for row in np.flatnonzero(by_grid):
        try:
            easting, northing, radius_m = parse_grid_reference(rows["grid_ref"].iat[row])
        except BadGridReference as error:
            problems.add_each({int(row): str(error)}, "grid_ref", Reason.BAD_NUMBER)
            continue
        found = {"precision_m": rows["precision_m"].iat[row] or str(max(radius_m, DEFAULT_PRECISION_M))}
        found |= _as_texts(easting, northing, MetricCrs(), file_crs)
        method[row] = Method.GRID_REF.value
        _put(rows, int(row), found)
    for row in np.flatnonzero(by_wkt):
        try:
            _put(rows, int(row), _point(rows["wkt"].iat[row], file_crs))
        except (CrsError, shapely.errors.GEOSException, ValueError) as error:
            detail = (
                str(error)
                if isinstance(error, CrsError)
                else "wkt is not a point such as SRID=27700;POINT(375041 164611)"
            )
            problems.add_each({int(row): detail}, "wkt", Reason.BAD_GEOMETRY)
    return rows, method


def _put(rows: pd.DataFrame, row: int, found: dict[str, str]) -> None:
    for name, text in found.items():
        rows.iloc[row, rows.columns.get_loc(name)] = text


def _as_texts(x_m: float, y_m: float, source: MetricCrs, wanted: MetricCrs) -> dict[str, str]:
    """Metres as the fields that say them; degrees where the file's own metres are another CRS's."""
    if source == wanted:
        return {"easting": repr(x_m), "northing": repr(y_m)}
    lon, lat = source.unproject(np.array([x_m]), np.array([y_m]))
    return {"longitude": repr(float(lon[0])), "latitude": repr(float(lat[0]))}


def _point(text: str, file_crs: MetricCrs) -> dict[str, str]:
    match = _EWKT.match(text)
    point = shapely.from_wkt(match[2]) if match else None
    if point is None or point.is_empty:
        raise ValueError(text)
    if match is not None and match[1] and int(match[1]) != WGS84:
        return _as_texts(point.x, point.y, MetricCrs(int(match[1])), file_crs)
    if match is not None and not match[1] and (abs(point.x) > 180 or abs(point.y) > 90):
        raise CrsError("the point is in metres of an unknown grid; write SRID=27700;POINT(375041 164611)")
    return {"longitude": repr(point.x), "latitude": repr(point.y)}


def _numbers(texts: pd.Series, field: str, problems: Problems) -> Floats:
    """Numbers of text; empty is NaN, anything else that is not a finite number is a problem of its row."""
    given = (texts != "").to_numpy(bool)
    if not given.any():
        return np.full(len(texts), np.nan)
    numbers = np.full(len(texts), np.nan)
    if (usual := _usual_numbers(texts[given].tolist())) is not None:
        numbers[given] = usual
        problems.add(np.isinf(numbers), field, Reason.BAD_NUMBER, f"{field} is too large a number")
        return np.where(np.isfinite(numbers), numbers, np.nan)
    plain = texts.str.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?").to_numpy(bool)
    problems.add(given & ~plain, field, Reason.BAD_NUMBER, f"{field} is not a number")
    numbers = texts.where(given & plain, "nan").astype(float).to_numpy()
    problems.add(given & plain & ~np.isfinite(numbers), field, Reason.BAD_NUMBER, f"{field} is too large a number")
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _usual_numbers(texts: list[str]) -> Floats | None:
    """Numbers of texts that hold nothing but digits, points and minus signs; None where any holds more or is no number."""
    if "".join(texts).encode("ascii", "replace").translate(None, _USUAL):
        return None
    try:
        return np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None


def _require_pairs(lon: Floats, lat: Floats, east: Floats, north: Floats, problems: Problems) -> None:
    problems.add(np.isfinite(lon) & ~np.isfinite(lat), "latitude", Reason.MISSING_FIELD, "longitude without latitude")
    problems.add(np.isfinite(lat) & ~np.isfinite(lon), "longitude", Reason.MISSING_FIELD, "latitude without longitude")
    halved = np.isfinite(east) != np.isfinite(north)
    problems.add(halved, "northing", Reason.MISSING_FIELD, "easting and northing come in pairs")


def _explain_grid(east: Floats, north: Floats, rows: NDArray[np.bool_], problems: Problems, source: MetricCrs) -> None:
    """Degrees in the columns of metres, and axes the wrong way round."""
    with np.errstate(invalid="ignore"):
        degrees = rows & (np.abs(east) <= 180) & (np.abs(north) <= 90) & ((east != 0) | (north != 0))
    problems.add(
        degrees, "easting", Reason.OUT_OF_RANGE,
        "not metres; these look like degrees: map them with --map longitude=COLUMN --map latitude=COLUMN",
    )  # fmt: skip
    swapped = rows & ~degrees
    at = np.flatnonzero(swapped)
    outside = ~source.covers(*source.unproject(east[at], north[at]))
    fits = source.covers(*source.unproject(north[at], east[at]))
    swapped[at] = outside & fits
    problems.add(
        swapped, "easting", Reason.OUT_OF_RANGE,
        "easting and northing look swapped; map the columns the other way round",
    )  # fmt: skip


def _explain_degrees(lon: Floats, lat: Floats, problems: Problems, crs: MetricCrs) -> None:
    with np.errstate(invalid="ignore"):
        metres = (np.abs(lon) > 180) | (np.abs(lat) > 90)
        outside = np.isfinite(lon) & ~crs.covers(lon, lat)
        zero = (np.abs(lon) < 1e-6) & (np.abs(lat) < 1e-6)
        swapped = outside & crs.covers(lat, lon)
    problems.add(
        metres, "longitude", Reason.OUT_OF_RANGE,
        "not degrees; these look like metres: map them with --map easting=COLUMN --map northing=COLUMN",
    )  # fmt: skip
    problems.add(
        zero, "longitude", Reason.OUT_OF_RANGE, "0,0 is a placeholder, not a place; leave both empty when unknown"
    )
    problems.add(
        swapped, "longitude", Reason.OUT_OF_RANGE,
        "longitude and latitude look swapped; map the columns the other way round",
    )  # fmt: skip
    problems.add(outside, "longitude", Reason.OUT_OF_RANGE, f"the position lies outside {crs.name}, this store's area")


def _precision(rows: pd.DataFrame, problems: Problems, otherwise_m: float) -> Floats:
    stated = _numbers(rows["precision_m"], "precision_m", problems)
    with np.errstate(invalid="ignore"):
        wrong = (stated <= 0) | (stated > MAX_PRECISION_M)
    problems.add(
        wrong, "precision_m", Reason.OUT_OF_RANGE, f"precision_m must lie between 0 and {MAX_PRECISION_M:g} metres"
    )
    return np.where(np.isfinite(stated), stated, otherwise_m)

"""Checks on reference geography: geometry repaired where that is safe, rejected with a reason where it is not."""

import hashlib
import json
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.crs import MetricCrs
from geo.model import FEATURE_COLUMNS, REJECTION_COLUMNS, FeatureKind
from geo.problems import MAX_TEXT, Reason
from geo.whole_shapes import without_empty_parts

FEATURE_FIELDS: Final = ("name", "kind", "level", "code", "vintage", "aliases")
# Areas of this level are points: the middle of a postcode, known by its code.
POSTCODE_LEVEL: Final = "postcode"

_POINT, _LINE, _POLYGON = 0, 1, 2
_COLLECTION: Final = 7
# A longer outline is mended in the file it came from.
MAX_WKT: Final = 100_000
_ALLOWED_DIMENSIONS: Final = {
    FeatureKind.PARKS: {_POINT, _POLYGON},
    FeatureKind.PREMISES: {_POINT, _POLYGON},
    FeatureKind.BUILDINGS: {_POINT, _POLYGON},
    FeatureKind.ROADS: {_LINE},
    FeatureKind.BOUNDARY: {_POLYGON},
    FeatureKind.AREAS: {_POLYGON},
    FeatureKind.PROTECTED: {_POINT, _POLYGON},
}
_DIMENSION_WORDS: Final = {_POINT: "points", _LINE: "lines", _POLYGON: "polygons"}


def validate_features(
    rows: pd.DataFrame,
    geometry: NDArray[np.object_],
    row_numbers: NDArray[np.int64],
    *,
    kind: FeatureKind,
    crs: MetricCrs,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split features into accepted and rejected.

    Parameters
    ----------
    rows : DataFrame of str
        One column for each mapped field (a subset of ``FEATURE_FIELDS``).
    geometry : ndarray of shapely geometry or None, shape (n,)
        WGS 84.
    row_numbers : ndarray of int64, shape (n,)
    kind : FeatureKind
    crs : MetricCrs
        The store's metric CRS; features that do not lie in it are out of range.

    Returns
    -------
    accepted : DataFrame
        ``FEATURE_COLUMNS``; ``repaired`` says that an invalid polygon was made valid.
    rejected : DataFrame
        ``REJECTION_COLUMNS``.
    """
    as_read, shapes_as_read = rows.fillna(""), np.asarray(geometry, dtype=object)
    rows = rows.reindex(columns=list(FEATURE_FIELDS), fill_value="").fillna("")
    geometry = without_empty_parts(shapely.force_2d(np.asarray(geometry, dtype=object)))
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    mixed = shapely.get_type_id(geometry) == _COLLECTION
    invalid = ~missing & (mixed | ~shapely.is_valid(geometry))
    if invalid.any():
        geometry = geometry.copy()
        geometry[invalid] = [_repair(one) for one in geometry[invalid]]
    reasons, details, fields = _judge(rows, geometry, missing, kind, crs)
    good = reasons == ""
    accepted = pd.DataFrame(
        {
            "kind": str(kind), "subtype": rows["kind"], "name": rows["name"], "level": rows["level"], "code": rows["code"],
            "vintage": rows["vintage"], "aliases": rows["aliases"], "repaired": invalid, "geometry": geometry,
        }
    )[good]  # fmt: skip
    accepted.insert(0, "feature_key", feature_keys(accepted))
    accepted.index = pd.Index(row_numbers[good], name="row_number")
    rejected = [
        (
            int(row_numbers[i]),
            str(fields[i]),
            reasons[i],
            details[i],
            _content(as_read.iloc[i], shapes_as_read[i], kind),
        )
        for i in np.flatnonzero(~good)
    ]
    return accepted[list(FEATURE_COLUMNS)], pd.DataFrame(rejected, columns=list(REJECTION_COLUMNS))


def _judge(
    rows: pd.DataFrame,
    geometry: NDArray[np.object_],
    missing: NDArray[np.bool_],
    kind: FeatureKind,
    crs: MetricCrs,
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Reason, detail and field of the first problem of each feature; empty text where there is none."""
    allowed = _ALLOWED_DIMENSIONS[kind]
    wanted = " or ".join(_DIMENSION_WORDS[d] for d in sorted(allowed))
    reasons = np.full(len(rows), "", dtype=object)
    details = np.full(len(rows), "", dtype=object)
    fields = np.full(len(rows), "geometry", dtype=object)
    _flag(reasons, details, missing, Reason.NO_COORDINATES, "reference geography needs a geometry")
    emptied = ~missing & (shapely.is_empty(geometry) | ~shapely.is_valid(geometry))
    _flag(reasons, details, emptied, Reason.BAD_GEOMETRY, "the polygon is invalid and could not be repaired")
    dimensions = shapely.get_dimensions(geometry)
    wrong = ~missing & ~np.isin(dimensions, list(allowed))
    wrong &= ~((rows["level"] == POSTCODE_LEVEL).to_numpy(bool) & (dimensions == _POINT))
    _flag(reasons, details, wrong, Reason.BAD_GEOMETRY, f"{kind} must be {wanted}")
    outside = ~missing & ~_inside(geometry, crs)
    _flag(reasons, details, outside, Reason.OUT_OF_RANGE, f"the feature lies outside {crs.name}")
    for name in FEATURE_FIELDS:
        too_long = (rows[name].str.len() > MAX_TEXT).to_numpy(bool)
        fields[too_long & (reasons == "")] = name
        _flag(reasons, details, too_long, Reason.TOO_LONG, f"{name} is longer than {MAX_TEXT} characters")
    return reasons, details, fields


def _content(row: pd.Series, shape: shapely.Geometry | None, kind: FeatureKind) -> str:
    """Return a rejected feature as it can be corrected and imported again; of protected places nothing is kept."""
    if kind == FeatureKind.PROTECTED:
        return json.dumps({})
    content = {str(name): str(value)[: MAX_WKT if name == "wkt" else MAX_TEXT] for name, value in row.items() if value}
    if shape is not None and not set(content) & {"longitude", "easting", "wkt"}:
        text = shapely.to_wkt(shape, rounding_precision=7)
        content |= {"wkt": text} if len(text) <= MAX_WKT else {}
    return json.dumps(content, ensure_ascii=False)


def feature_keys(features: pd.DataFrame) -> list[bytes]:
    """Key of each feature: SHA-256 of kind, attributes, geometry and ordinal among equal features."""
    wkb = shapely.to_wkb(features["geometry"].to_numpy(object), byte_order=1)
    if features.empty:
        return []
    text = features[["kind", "subtype", "name", "level", "code", "vintage"]].agg("\x1f".join, axis=1)
    text += ("\x1f" + features["aliases"]).where(features["aliases"] != "", "")  # without, the key of old
    digests = [hashlib.sha256(one.encode() + b"\x1f" + shape).digest() for one, shape in zip(text, wkb, strict=True)]
    ordinals = pd.Series(digests, dtype=object).groupby(pd.Series(digests, dtype=object)).cumcount()
    return [hashlib.sha256(d + int(o).to_bytes(8, "big")).digest() for d, o in zip(digests, ordinals, strict=True)]


def _repair(geometry: shapely.Geometry) -> shapely.Geometry:
    """Make a geometry valid and keep only the parts of its own dimension (a bow tie leaves no stray line)."""
    dimension = shapely.get_dimensions(geometry)
    try:
        parts = shapely.get_parts(shapely.make_valid(geometry))
        same = parts[shapely.get_dimensions(parts) == dimension]
        return shapely.union_all(same) if len(same) else shapely.GeometryCollection()
    except shapely.errors.GEOSException:  # coordinates that are no numbers
        return shapely.GeometryCollection()


def _inside(geometry: NDArray[np.object_], crs: MetricCrs) -> NDArray[np.bool_]:
    """Whether every vertex can be projected."""
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    with np.errstate(invalid="ignore"):
        x_m, _ = crs.project(coordinates[:, 0], coordinates[:, 1])
        good = np.isfinite(x_m) & crs.covers(coordinates[:, 0], coordinates[:, 1])
    inside = np.ones(len(geometry), bool)
    inside[owner[~good]] = False
    return inside


def _flag(
    reasons: NDArray[np.object_],
    details: NDArray[np.object_],
    rows: NDArray[np.bool_],
    reason: str,
    detail: str,
) -> None:
    new = rows & (reasons == "")
    reasons[new] = reason
    details[new] = detail


def project_geometries(geometry: NDArray[np.object_], crs: MetricCrs) -> NDArray[np.object_]:
    """WGS 84 geometries in the metric CRS, vertex by vertex."""
    geometry = np.asarray(geometry, dtype=object)
    if not len(geometry):
        return geometry

    def to_metres(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        x_m, y_m = crs.project(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack([x_m, y_m])

    return np.asarray(shapely.transform(geometry, to_metres), dtype=object)

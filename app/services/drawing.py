"""Outlines that people draw on a map: read, and kept as areas of their own level, each a batch that can be undone."""

import json
from dataclasses import replace
from typing import Final

import numpy as np
import shapely

from app.services.deciding import checked_text
from app.services.import_request import ImportRequest
from app.services.importing import import_file
from app.services.synthetic import is_synthetic
from app.services.terms import Terms
from data.demo import SOURCE as SYNTHETIC_SOURCE
from data.readers import FileSource
from data.store import Store
from geo.drawn_area import DRAWN_LEVEL
from geo.errors import InvalidParameter, NotPermitted
from geo.given_geometry import read_geometry
from geo.model import Batch, FeatureKind, Role, Scope
from geo.validate_features import POSTCODE_LEVEL, project_geometries

# A force's whole area is imported as a boundary; what a person draws is a part of it.
MAX_KM2: Final = 2500.0
MIN_CORNERS: Final = 3
MAX_CORNERS: Final = 200
MAX_LENGTH: Final = 20_000
SOURCE: Final = "drawn on a map"
FILE_NAME: Final = "drawn on a map.geojson"


def read_outline(store: Store, text: str) -> shapely.Polygon:
    """Read a drawn outline from WKT in WGS 84.

    Raises
    ------
    InvalidParameter
        When it is no polygon of 3 to 200 corners, crosses itself, is too large or lies outside the store's grid.
    """
    if not text.strip():
        raise InvalidParameter("Draw an outline first: three corners or more.")
    if len(text) > MAX_LENGTH:
        raise InvalidParameter(f"The outline has more than {MAX_CORNERS} corners; draw it with fewer.")
    try:
        shape = read_geometry(text)
    except InvalidParameter as error:
        if "not valid" in str(error):
            raise InvalidParameter("The outline crosses or touches itself; draw it again.") from error
        raise InvalidParameter("The outline could not be read; draw it again.") from error
    if not isinstance(shape, shapely.Polygon) or shape.interiors:
        raise InvalidParameter("An area has one outline; draw it again.")
    corners = shapely.get_coordinates(shape)[:-1]
    if not MIN_CORNERS <= len(corners) <= MAX_CORNERS:
        raise InvalidParameter(f"An outline has {MIN_CORNERS} to {MAX_CORNERS} corners; this one has {len(corners)}.")
    with np.errstate(invalid="ignore"):
        x_m, _ = store.crs.project(corners[:, 0], corners[:, 1])
    if not (np.isfinite(x_m) & store.crs.covers(corners[:, 0], corners[:, 1])).all():
        raise InvalidParameter(f"The outline reaches outside {store.crs.name}.")
    (shape_m,) = project_geometries(np.asarray([shape], object), store.crs)
    if (area_km2 := float(shapely.area(shape_m)) / 1e6) > MAX_KM2:
        raise InvalidParameter(f"The area has {area_km2:,.0f} km²; at most {MAX_KM2:,.0f} can be drawn.")
    return shape


def save_area(store: Store, scope: Scope, name: str, outline: shapely.Polygon, terms: Terms) -> Batch:
    """Keep an outline under a name, as if a file of one area had been imported.

    In the synthetic city's store it belongs to the synthetic city.

    Raises
    ------
    NotPermitted
        When the actor is not an analyst.
    InvalidParameter
        When the name is empty, seems to be a person's, or is that of another area.
    """
    if scope.role is not Role.ANALYST:
        raise NotPermitted("Only an analyst saves areas.")
    plain = checked_text("The name", name, terms.now_us, business=False)
    synthetic = is_synthetic(store, scope)
    request = ImportRequest(kind=FeatureKind.AREAS, source=SYNTHETIC_SOURCE if synthetic else SOURCE)
    with store.database.transaction():
        store.database.lock("import")  # two people who save at once see each other's area
        if plain.casefold() in _taken(store, scope):
            raise InvalidParameter(f"There is an area called {plain} already; choose another name.")
        file = FileSource(FILE_NAME, content=_as_geojson(plain, outline))
        report = import_file(store, scope, file, request, replace(terms, synthetic=synthetic))
        if report.batch.accepted != 1:
            raise InvalidParameter(
                f"The area could not be kept ({', '.join(report.reasons) or 'it is there already'})."
            )
    return report.batch


def _as_geojson(name: str, outline: shapely.Polygon) -> bytes:
    feature = {
        "type": "Feature",
        "properties": {"name": name, "level": DRAWN_LEVEL},
        "geometry": json.loads(shapely.to_geojson(outline)),
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False).encode()


def _taken(store: Store, scope: Scope) -> set[str]:
    """Everything that an analysis would find an area by."""
    kinds = (FeatureKind.BOUNDARY, FeatureKind.AREAS)
    features = store.evidence.features(scope, kinds)
    batches = [one for one in store.evidence.batches(scope) if one.kind in kinds and one.undone_at_us is None]
    names = {*features["name"], *features["code"], *(one.stem for one in batches), *(one.source for one in batches)}
    return {str(name).casefold() for name in names} - {""}


def level_of(store: Store, scope: Scope, name: str) -> str | None:
    """Level under which figures by area have an area of this name; None where they have none."""
    called = [one for one in store.evidence.areas_called(scope, name) if one["name"] == name]
    levels = [one["level"] for one in called if one["kind"] == FeatureKind.AREAS and one["level"] != POSTCODE_LEVEL]
    return levels[0] if levels else None

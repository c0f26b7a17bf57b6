"""Adding a place that no cluster stands behind."""

from typing import Final

import numpy as np
import shapely

from app.services.deciding import checked_text, require_reason
from app.services.protection import MARGIN_M, near_protected
from app.services.reviewing import read_review_by, usual_review_by
from data.audit import Verb
from data.ids import uuid7
from data.places import Nomination
from data.store import Store
from geo import cells as h3cells
from geo.errors import InvalidParameter
from geo.given_geometry import read_geometry
from geo.model import Scope, content_hash
from geo.parameters import AnalysisParameters
from geo.place_kinds import BUSINESS, PLACE_KINDS
from geo.validate_features import project_geometries

# A place is a park, a premises, a stretch of road: not a town.
MAX_KM2: Final = 5.0
MAX_ACROSS_M: Final = 10_000.0
_FOOTPRINT_RESOLUTION: Final = AnalysisParameters().footprint_resolution


def nominate(
    store: Store,
    scope: Scope,
    *,
    name: str,
    kind: str,
    geometry: str,
    reason: str,
    source: str,
    now_us: int,
    review_by: str = "",
) -> Nomination:
    """Add a place that no cluster stands behind. It waits for a decision like any other, and is in no ranking.

    ``geometry`` is ``LON,LAT`` or WKT in WGS 84; ``review_by`` the day by which somebody looks again, 90 days from now when empty.

    Raises
    ------
    InvalidParameter, NotPermitted
    """
    require_reason(scope, reason, now_us)
    if kind not in PLACE_KINDS:
        raise InvalidParameter(f"Unknown kind of place {kind!r}; choose from {', '.join(PLACE_KINDS)}.")
    shape = read_geometry(geometry)
    plain = checked_text("--name", name, now_us, business=kind in BUSINESS)
    told = checked_text("--source", source, now_us, business=False)
    day = read_review_by(review_by, now_us) if review_by.strip() else usual_review_by(now_us)
    shape_m = _projected(store, shape)
    if near_protected(store, scope, np.asarray([shape_m], object), MARGIN_M).any():
        raise InvalidParameter("--geometry cannot be used; choose another position.")
    place = Nomination(
        place_id=content_hash(scope.org_id, "nominated", uuid7(now_us)), kind=kind, name=plain, geometry=shape, source=told,
        reason=reason.strip(), actor=scope.actor, made_at_us=now_us, review_by=day,
    )  # fmt: skip
    with store.database.transaction():
        store.places.nominate(scope, place, _footprint(shape))
        store.audit.append(scope, Verb.COLLECTION, f"place:{place.place_id}", now_us, nominated=kind)
    return place


def _projected(store: Store, shape: shapely.Geometry) -> shapely.Geometry:
    """The outline in metres.

    Raises
    ------
    InvalidParameter
        When it does not lie in the store's grid, or is larger than a place.
    """
    corners = shapely.get_coordinates(shape)
    with np.errstate(invalid="ignore"):
        x_m, y_m = store.crs.project(corners[:, 0], corners[:, 1])
    if not (np.isfinite(x_m) & np.isfinite(y_m)).all():
        raise InvalidParameter(f"--geometry lies outside {store.crs.name}; longitude comes first.")
    (shape_m,) = project_geometries(np.asarray([shape], object), store.crs)
    if np.hypot(np.ptp(x_m), np.ptp(y_m)) > MAX_ACROSS_M or shapely.area(shape_m) > MAX_KM2 * 1e6:
        raise InvalidParameter(
            f"--geometry: a place is at most {MAX_KM2:g} km2 and {MAX_ACROSS_M / 1000:g} km across; import larger outlines as areas."
        )
    return shape_m


def _footprint(shape: shapely.Geometry) -> list[int]:
    if shapely.get_dimensions(shape) == 2:
        return [int(cell) for cell in h3cells.cells_within(shape, _FOOTPRINT_RESOLUTION)]
    lon, lat = shapely.get_coordinates(shapely.segmentize(shape, 2e-4)).T
    return [int(cell) for cell in np.unique(h3cells.index_points(lon, lat, _FOOTPRINT_RESOLUTION))]

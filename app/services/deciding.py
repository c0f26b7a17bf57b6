"""What people do with places: accept, reject, move, rename, merge, split, take back, and name a place of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely

from app.services.protection import MARGIN_M, near_protected
from data.audit import Verb
from data.ids import uuid7
from data.places import KnownPlace, Nomination
from data.store import Store
from geo import cells as h3cells
from geo.decisions import Decision, RejectCode, newest_standing, withdrawn_parts
from geo.errors import Conflict, InvalidParameter, NotPermitted
from geo.guard import scan
from geo.model import Role, Scope, Verdict, content_hash
from geo.parameters import AnalysisParameters
from geo.place_kinds import PLACE_KINDS
from geo.temporal import from_micros
from geo.validate_features import project_geometries

# A point moved further than this from its place would be another place.
MAX_MOVE_M: Final = 1000.0
MAX_NAME: Final = 120
# A named place is a park, a premises, a stretch of road: not a town.
MAX_NOMINATED_KM2: Final = 5.0
_FOOTPRINT_RESOLUTION: Final = AnalysisParameters().footprint_resolution


@dataclass(frozen=True, kw_only=True)
class Change:
    """One decision as asked for; what the verdict does not need stays empty."""

    verdict: Verdict
    reason: str
    code: str = ""
    to: tuple[float, float] | None = None
    name: str = ""
    into: str = ""
    at: Sequence[tuple[float, float]] = field(default_factory=tuple)


def change_place(store: Store, scope: Scope, place_id: str, change: Change, *, now_us: int) -> Decision:
    """Decide about a place; the reason is kept, and earlier decisions stay in its history.

    Merges and splits hold from the next analysis on; everything else at once.

    Raises
    ------
    NotPermitted
        When the actor is not an analyst.
    InvalidParameter
        When a reason or what the verdict needs is missing.
    Conflict
        When the place was merged or split already, or there is nothing to take back.
    """
    _require(scope, change.reason)
    with store.database.transaction():
        store.database.lock("place")  # two people who decide at once see each other's decision
        known = store.places.known_place(scope, place_id)
        detail = _DETAILS.get(change.verdict, _no_detail)(store, scope, known, change, now_us)
        decision = Decision(
            decision_id=uuid7(now_us), place_id=place_id, run_id=known.last_run, verdict=str(change.verdict), reason=change.reason.strip(),
            actor=scope.actor, decided_at_us=now_us, detail=detail,
        )  # fmt: skip
        store.places.add_decision(scope, decision)
        store.audit.append(scope, Verb.ALTERATION, f"place:{place_id}", now_us, verdict=str(change.verdict))
    return decision


def rulings_hash(store: Store, scope: Scope) -> tuple[str, ...]:
    """Name of the merges and splits that stand, as an input of an analysis; nothing where there are none."""
    standing = store.places.standing(scope)
    told = [
        repr((place_id, one.merged_into, one.parts))
        for place_id, one in sorted(standing.items())
        if one.merged_into or one.parts
    ]
    return (f"places:{content_hash(*told)}",) if told else ()


def matchable(store: Store, scope: Scope) -> list[KnownPlace]:
    """Places that a cluster may be found again as: all but parts of a split that was taken back."""
    withdrawn = withdrawn_parts(store.places.decisions(scope))
    return [place for place in store.places.known_places(scope) if place.place_id not in withdrawn]


def nominate(
    store: Store, scope: Scope, *, name: str, kind: str, geometry: str, reason: str, source: str, now_us: int
) -> Nomination:
    """Add a place that no cluster stands behind. It waits for a decision like any other, and is in no ranking.

    ``geometry`` is ``LON,LAT`` or WKT in WGS 84.

    Raises
    ------
    InvalidParameter, NotPermitted
    """
    _require(scope, reason)
    if kind not in PLACE_KINDS:
        raise InvalidParameter(f"Unknown kind of place {kind!r}; choose from {', '.join(PLACE_KINDS)}.")
    shape = read_geometry(geometry)
    plain = _checked_text("--name", name, now_us)
    told = _checked_text("--source", source, now_us)
    (shape_m,) = project_geometries(np.asarray([shape], object), store.crs)
    if not shapely.is_valid(shape_m) or not np.isfinite(shapely.get_coordinates(shape_m)).all():
        raise InvalidParameter(f"--geometry: the outline is not valid, or lies outside {store.crs.name}.")
    if shapely.area(shape_m) > MAX_NOMINATED_KM2 * 1e6:
        raise InvalidParameter(
            f"--geometry: a place is at most {MAX_NOMINATED_KM2:g} km2; import larger outlines as areas."
        )
    if near_protected(store, scope, np.asarray([shape_m], object), MARGIN_M).any():
        raise InvalidParameter("--geometry: too near a protected place; such a place is not named.")
    place = Nomination(
        place_id=content_hash(scope.org_id, "nominated", uuid7(now_us)), kind=kind, name=plain, geometry=shape, source=told,
        reason=reason.strip(), actor=scope.actor, made_at_us=now_us,
    )  # fmt: skip
    with store.database.transaction():
        store.places.nominate(scope, place, _footprint(shape))
        store.audit.append(scope, Verb.COLLECTION, f"place:{place.place_id}", now_us, nominated=kind)
    return place


def read_geometry(text: str) -> shapely.Geometry:
    """Read ``LON,LAT`` or WKT as a WGS 84 shape.

    Raises
    ------
    InvalidParameter
    """
    words = text.strip()
    if words[:1].isalpha():
        try:
            shape = shapely.force_2d(shapely.from_wkt(words))
        except shapely.GEOSException as error:
            raise InvalidParameter(
                f"--geometry: {words[:40]!r} is not WKT, such as POLYGON ((-2.36 51.38, ...))."
            ) from error
        if shape.is_empty or shape.geom_type == "GeometryCollection":
            raise InvalidParameter("--geometry: give one point, line or polygon.")
    else:
        shape = shapely.Point(*read_point("--geometry", words))
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidParameter("--geometry: longitude comes first, in degrees: -2.36,51.38.")
    return shape


def read_point(option: str, text: str) -> tuple[float, float]:
    """Read ``LON,LAT``.

    Raises
    ------
    InvalidParameter
    """
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidParameter(f"{option}: {text[:40]!r} is not LON,LAT, such as -2.36,51.38.") from error
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidParameter(f"{option}: longitude comes first, in degrees: -2.36,51.38.")
    return lon, lat


def _require(scope: Scope, reason: str) -> None:
    if scope.role is not Role.ANALYST:
        raise NotPermitted("Only an analyst decides about places.")
    if not reason.strip():
        raise InvalidParameter("Say why in a few words: a decision without a reason cannot be reviewed.")


def _checked_text(option: str, text: str, now_us: int) -> str:
    plain = " ".join(text.split())
    if not plain or len(plain) > MAX_NAME:
        raise InvalidParameter(f"{option}: 1 to {MAX_NAME} characters.")
    if found := scan(plain, this_year=from_micros(now_us).year):
        raise InvalidParameter(
            f"{option}: it seems to hold personal data ({found[0].rule}); name the place, not a person."
        )
    return plain


def _footprint(shape: shapely.Geometry) -> list[int]:
    if shapely.get_dimensions(shape) == 2:
        return [int(cell) for cell in h3cells.cells_within(shape, _FOOTPRINT_RESOLUTION)]
    lon, lat = shapely.get_coordinates(shapely.segmentize(shape, 2e-4)).T
    return [int(cell) for cell in np.unique(h3cells.index_points(lon, lat, _FOOTPRINT_RESOLUTION))]


Detail = Mapping[str, Any]


def _no_detail(_: Store, __: Scope, ___: KnownPlace, ____: Change, _____: int) -> Detail:
    return {}


def _reject(_: Store, __: Scope, ___: KnownPlace, change: Change, ____: int) -> Detail:
    code = change.code or RejectCode.OTHER
    if code not in set(RejectCode):
        raise InvalidParameter(f"Unknown code {code!r}; choose from {', '.join(RejectCode)}.")
    return {"code": str(code)}


def _move(store: Store, _: Scope, known: KnownPlace, change: Change, __: int) -> Detail:
    if change.to is None:
        raise InvalidParameter("Say where to: --to LON,LAT.")
    away_m = _apart_m(store, known, [change.to])[0]
    if away_m > MAX_MOVE_M:
        raise InvalidParameter(
            f"--to lies {away_m:,.0f} m from the place; a point moves at most {MAX_MOVE_M:,.0f} m. Add another place instead: lapwing place add"
        )
    return {"lon": change.to[0], "lat": change.to[1]}


def _rename(_: Store, __: Scope, ___: KnownPlace, change: Change, now_us: int) -> Detail:
    return {"name": _checked_text("--name", change.name, now_us)}


def _merge(store: Store, scope: Scope, known: KnownPlace, change: Change, _: int) -> Detail:
    if not change.into:
        raise InvalidParameter("Say which place it belongs to: --into PLACE.")
    into = store.places.known_place(scope, change.into)
    if into.place_id == known.place_id:
        raise InvalidParameter("A place is not merged into itself.")
    standing = store.places.standing(scope)
    for place in (known, into):
        one = standing.get(place.place_id)
        if one is not None and (one.merged_into or one.parts):
            raise Conflict(
                f"Place {place.place_id} was merged or split already. Take that back first: lapwing decide {place.place_id} undo"
            )
    return {"into": into.place_id}


def _split(store: Store, scope: Scope, known: KnownPlace, change: Change, now_us: int) -> Detail:
    if len(change.at) < 2:
        raise InvalidParameter("Say where the parts lie: --at LON,LAT for each, two or more.")
    one = store.places.standing(scope).get(known.place_id)
    if one is not None and (one.merged_into or one.parts):
        raise Conflict(
            f"Place {known.place_id} was merged or split already. Take that back first: lapwing decide {known.place_id} undo"
        )
    if max(_apart_m(store, known, change.at)) > MAX_MOVE_M:
        raise InvalidParameter(f"--at: every part lies within {MAX_MOVE_M:,.0f} m of the place.")
    lon, lat = np.asarray(change.at, float).T
    x_m, y_m = store.crs.project(lon, lat)
    if len(np.unique(np.column_stack([x_m, y_m]).round(), axis=0)) < len(x_m):
        raise InvalidParameter("--at: two parts lie on one spot.")
    parts = []
    for i, cells in enumerate(_nearest_cells(store, known, x_m, y_m)):
        place_id = content_hash(scope.org_id, "part", known.place_id, str(i), uuid7(now_us))
        store.places.add_known(scope, place_id, cells)
        parts.append({"place": place_id, "x_m": float(x_m[i]), "y_m": float(y_m[i])})
    return {"parts": parts}


def _undo(store: Store, scope: Scope, known: KnownPlace, _: Change, __: int) -> Detail:
    last = newest_standing(store.places.decisions(scope), known.place_id)
    if last is None:
        raise Conflict(f"Nothing was decided about place {known.place_id} that could be taken back.")
    return {"undoes": last.decision_id, "verdict": last.verdict}


_DETAILS: Final = {
    Verdict.REJECT: _reject,
    Verdict.MOVE: _move,
    Verdict.RENAME: _rename,
    Verdict.MERGE: _merge,
    Verdict.SPLIT: _split,
    Verdict.UNDO: _undo,
}


def _apart_m(store: Store, known: KnownPlace, points: Sequence[tuple[float, float]]) -> list[float]:
    """Distance of each point from the place's footprint."""
    cells = np.asarray(known.footprint, np.int64)
    (outline,) = project_geometries(np.asarray([h3cells.union_geometry(cells)], object), store.crs)
    lon, lat = np.asarray(points, float).T
    return [float(one) for one in shapely.distance(outline, shapely.points(*store.crs.project(lon, lat)))]


def _nearest_cells(store: Store, known: KnownPlace, x_m: np.ndarray, y_m: np.ndarray) -> list[list[int]]:
    """Cells of a footprint by the part that they lie nearest to; each part has at least the cell of its own point."""
    cells = np.asarray(known.footprint, np.int64)
    cell_x_m, cell_y_m = store.crs.project(*h3cells.centres(cells))
    nearest = np.hypot(cell_x_m[:, None] - x_m, cell_y_m[:, None] - y_m).argmin(axis=1)
    lon, lat = store.crs.unproject(x_m, y_m)
    own = h3cells.index_points(lon, lat, int(h3cells.resolutions(cells)[0]))
    return [sorted({int(own[i]), *cells[nearest == i].tolist()}) for i in range(len(x_m))]

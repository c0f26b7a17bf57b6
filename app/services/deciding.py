"""What people do with places: accept, reject, move, rename, merge, split, review, withdraw, and take back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely

from app.services.protection import MARGIN_M, points_near_protected
from app.services.reviewing import read_review_by, require_nominated, require_withdrawable
from app.services.rulings import hidden_nominations
from data.audit import Verb
from data.ids import uuid7
from data.places import KnownPlace
from data.store import Store
from geo import cells as h3cells
from geo.decisions import Decision, RejectCode, Standing, newest_standing, standing, withdrawn_parts
from geo.errors import Conflict, InvalidParameter, NotPermitted
from geo.guard import scan
from geo.model import Role, Scope, Verdict, content_hash
from geo.place_kinds import BUSINESS
from geo.temporal import from_micros
from geo.validate_features import project_geometries

# A point moved further than this from its place would be another place.
MAX_MOVE_M: Final = 1000.0
MAX_NAME: Final = 120


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
    review_by: str = ""


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
        When the place was merged, split or withdrawn already, is none that a person named, is part of a split that was taken back,
        or there is nothing to take back.
    """
    require_reason(scope, change.reason, now_us)
    with store.database.transaction():
        store.database.lock("place")  # two people who decide at once see each other's decision
        known = store.places.known_place(scope, place_id)
        if change.verdict is not Verdict.UNDO:
            _refuse_gone(store, scope, known)
        detail = _DETAILS.get(change.verdict, _no_detail)(store, scope, known, change, now_us)
        decision = Decision(
            decision_id=uuid7(now_us), place_id=place_id, run_id=known.last_run, verdict=str(change.verdict), reason=change.reason.strip(),
            actor=scope.actor, decided_at_us=now_us, detail=detail,
        )  # fmt: skip
        store.places.add_decision(scope, decision)
        store.audit.append(scope, Verb.ALTERATION, f"place:{place_id}", now_us, verdict=str(change.verdict))
    return decision


@dataclass(frozen=True)
class Memory:
    """What is known and ruled of places at one moment: an analysis works with one, whatever is decided meanwhile.

    ``nominated`` are the known places that nothing has found.
    """

    known: Mapping[str, Sequence[int]]
    rulings: Mapping[str, Standing]
    nominated: frozenset[str] = frozenset()

    @property
    def hashes(self) -> tuple[str, ...]:
        """Name of the merges and splits that stand, as an input of an analysis; nothing where there are none."""
        told = [
            repr((place_id, one.merged_into, one.parts))
            for place_id, one in sorted(self.rulings.items())
            if one.merged_into or one.parts
        ]
        return (f"places:{content_hash(*told)}",) if told else ()


def memory(store: Store, scope: Scope) -> Memory:
    """Places that a cluster may be found again as, and what stands of them.

    Parts of a split that was taken back are none, nor is a place that was withdrawn. A nominated place that nothing has found is known
    by its middle: a cluster somewhere in a large outline is not what the person meant. Nothing is found as a hidden one.
    """
    decisions = store.places.decisions(scope)
    rulings = standing(decisions)
    withdrawn = withdrawn_parts(decisions) | {place_id for place_id, one in rulings.items() if one.withdrawn}
    known = {place.place_id: place for place in store.places.known_places(scope) if place.place_id not in withdrawn}
    cells: dict[str, Sequence[int]] = {place_id: place.footprint for place_id, place in known.items()}
    nominations = store.places.nominations(scope)
    unfound = [one for one in nominations if one.place_id in known and not known[one.place_id].last_run]
    hidden = hidden_nominations(store, scope, unfound)
    for one in unfound:
        if one.place_id in hidden:
            del cells[one.place_id]
        else:
            cells[one.place_id] = _middle(one.geometry, known[one.place_id].footprint)
    return Memory(cells, rulings, frozenset(one.place_id for one in unfound) - hidden)


def _middle(shape: shapely.Geometry, footprint: Sequence[int]) -> list[int]:
    at = shape.representative_point()
    resolution = int(h3cells.resolutions(np.asarray(footprint[:1], np.int64))[0])
    cell = h3cells.index_points(np.asarray([at.x]), np.asarray([at.y]), resolution)
    return [int(one) for one in h3cells.disks(cell, 1)]


def require_reason(scope: Scope, reason: str, now_us: int) -> None:
    """Refuse who may not decide, and a reason that is none or names a person's data.

    Raises
    ------
    NotPermitted, InvalidParameter
    """
    if scope.role is not Role.ANALYST:
        raise NotPermitted("Only an analyst decides about places.")
    if not reason.strip():
        raise InvalidParameter("Say why in a few words: a decision without a reason cannot be reviewed.")
    if found := scan(reason, this_year=from_micros(now_us).year, bare_names=False):
        raise InvalidParameter(f"The reason seems to hold personal data ({found[0].rule}); say it without.")


def checked_text(option: str, text: str, now_us: int, *, business: bool) -> str:
    """Return a name or source without needless blanks.

    Raises
    ------
    InvalidParameter
        When it is empty, too long or seems to hold personal data; only places of business may be called like persons.
    """
    plain = " ".join(text.split())
    if not plain or len(plain) > MAX_NAME:
        raise InvalidParameter(f"{option}: 1 to {MAX_NAME} characters.")
    if found := scan(plain, this_year=from_micros(now_us).year, bare_names=not business):
        raise InvalidParameter(
            f"{option}: it seems to hold personal data ({found[0].rule}); name the place, not a person."
        )
    return plain


Detail = Mapping[str, Any]


def _no_detail(_: Store, __: Scope, ___: KnownPlace, ____: Change, _____: int) -> Detail:
    return {}


def _reject(_: Store, __: Scope, ___: KnownPlace, change: Change, ____: int) -> Detail:
    code = change.code or RejectCode.OTHER
    if code not in set(RejectCode):
        raise InvalidParameter(f"Unknown code {code!r}; choose from {', '.join(RejectCode)}.")
    return {"code": str(code)}


def _move(store: Store, scope: Scope, known: KnownPlace, change: Change, __: int) -> Detail:
    if change.to is None:
        raise InvalidParameter("Say where to: --to LON,LAT.")
    _refuse_protected(store, scope, "--to", [change.to])
    away_m = _apart_m(store, known, [change.to])[0]
    if away_m > MAX_MOVE_M:
        raise InvalidParameter(
            f"--to lies {away_m:,.0f} m from the place; a point moves at most {MAX_MOVE_M:,.0f} m. Add another place instead: lapwing place add"
        )
    return {"lon": change.to[0], "lat": change.to[1]}


def _rename(store: Store, scope: Scope, known: KnownPlace, change: Change, now_us: int) -> Detail:
    place = store.runs.place(scope, known.last_run, known.place_id)
    named = next((one.kind for one in store.places.nominations(scope) if one.place_id == known.place_id), "")
    kind = place.kind if place is not None else named
    return {"name": checked_text("--name", change.name, now_us, business=kind in BUSINESS)}


def _merge(store: Store, scope: Scope, known: KnownPlace, change: Change, _: int) -> Detail:
    if not change.into:
        raise InvalidParameter("Say which place it belongs to: --into PLACE.")
    into = store.places.known_place(scope, change.into)
    if into.place_id == known.place_id:
        raise InvalidParameter("A place is not merged into itself.")
    _refuse_gone(store, scope, into)
    _refuse_regrouped(store, scope, known, into)
    return {"into": into.place_id}


def _split(store: Store, scope: Scope, known: KnownPlace, change: Change, now_us: int) -> Detail:
    if len(change.at) < 2:
        raise InvalidParameter("Say where the parts lie: --at LON,LAT for each, two or more.")
    _refuse_regrouped(store, scope, known)
    if not known.last_run:
        raise Conflict(
            "No analysis has found this place yet, so there is nothing to split. Add each part: lapwing place add"
        )
    _refuse_protected(store, scope, "--at", change.at)
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


def _review(store: Store, scope: Scope, known: KnownPlace, change: Change, now_us: int) -> Detail:
    require_nominated(store, scope, known.place_id)
    return {"review_by": read_review_by(change.review_by, now_us).isoformat()}


def _withdraw(store: Store, scope: Scope, known: KnownPlace, _: Change, __: int) -> Detail:
    require_withdrawable(store, scope, known.place_id)
    return {}


def _refuse_gone(store: Store, scope: Scope, known: KnownPlace) -> None:
    """Of a place that was withdrawn nothing is decided but to take that back; a part whose split was undone is none."""
    decisions = store.places.decisions(scope)
    if known.place_id in withdrawn_parts(decisions):
        raise Conflict(
            f"Place {known.place_id} was part of a split that has been taken back, so it is none any more. Decide about the whole."
        )
    one = standing(decisions).get(known.place_id)
    if one is not None and one.withdrawn:
        raise Conflict(
            f"Place {known.place_id} was withdrawn. Take that back first: lapwing decide {known.place_id} undo"
        )


def _undo(store: Store, scope: Scope, known: KnownPlace, _: Change, __: int) -> Detail:
    last = newest_standing(store.places.decisions(scope), known.place_id)
    if last is None:
        raise Conflict(f"Nothing was decided about place {known.place_id} that could be taken back.")
    if last.verdict == Verdict.SPLIT:
        _refuse_used_parts(store, scope, last)
    return {"undoes": last.decision_id, "verdict": last.verdict}


_DETAILS: Final = {
    Verdict.REJECT: _reject,
    Verdict.MOVE: _move,
    Verdict.RENAME: _rename,
    Verdict.MERGE: _merge,
    Verdict.SPLIT: _split,
    Verdict.REVIEW: _review,
    Verdict.WITHDRAW: _withdraw,
    Verdict.UNDO: _undo,
}


def _refuse_regrouped(store: Store, scope: Scope, *places: KnownPlace) -> None:
    """A place that was merged or split stays so until that is taken back."""
    rulings = store.places.standing(scope)
    for place in places:
        one = rulings.get(place.place_id)
        if one is not None and (one.merged_into or one.parts):
            raise Conflict(
                f"Place {place.place_id} was merged or split already. Take that back first: lapwing decide {place.place_id} undo"
            )


def _refuse_used_parts(store: Store, scope: Scope, split: Decision) -> None:
    """A part that something was decided about, or that other places were merged into, cannot vanish from under that."""
    decisions = store.places.decisions(scope)
    parts = [part["place"] for part in split.detail["parts"]]
    for part in parts:
        if (last := newest_standing(decisions, part)) is not None:
            raise Conflict(
                f"Part {part} was decided about since ({last.verdict}). Take that back first: lapwing decide {part} undo"
            )
    if held := sorted(place for place, one in standing(decisions).items() if one.merged_into in parts):
        raise Conflict(f"Place {held[0]} was merged into a part. Take that back first: lapwing decide {held[0]} undo")


def _refuse_protected(store: Store, scope: Scope, option: str, points: Sequence[tuple[float, float]]) -> None:
    """Nobody is sent to a protected place, nor to a point outside the store's grid."""
    lon, lat = np.asarray(points, float).T
    with np.errstate(invalid="ignore"):
        x_m, y_m = store.crs.project(lon, lat)
    if not (np.isfinite(x_m) & np.isfinite(y_m)).all():
        raise InvalidParameter(f"{option} lies outside {store.crs.name}; longitude comes first.")
    if points_near_protected(store, scope, x_m, y_m, MARGIN_M).any():
        raise InvalidParameter(f"{option} cannot be used; choose another position.")


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

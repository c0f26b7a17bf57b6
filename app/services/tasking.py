"""Accepted places as a list for outreach coordinators; nothing is listed before a person has accepted it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import shapely

from app.services.nominated import nominated_places
from app.services.reviewing import REVIEW_AFTER_DAYS, local_day
from app.services.rulings import rulings
from app.services.spots import spot_words
from app.services.wording import place_words
from data.store import Store
from geo import cells as h3cells
from geo.decisions import WAITING, Decision, Standing, as_decided
from geo.drawn_area import DRAWN_LEVEL
from geo.model import FeatureKind, LocationBasis, Place, Run, Scope, Verdict
from geo.narrative import LEAST_NEAR, place_title, usual_hours, usual_weekdays
from geo.place_kinds import STREET

COLUMNS: Final = (
    "place", "place_name", "kind", "area", "where", "why", "weekdays", "hours", "objective", "hazards", "safe_exit",
    "check_in_contact", "non_enforcement_alternatives", "review_date",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AcceptedPlace:
    """One line of the tasking list. What nobody has said yet is blank, to be filled in by the coordinator.

    ``review_by`` is a nominated place's own day of review.
    """

    place: Place
    decision: Decision
    area: str
    where: str
    why: str
    review_by: date | None = None

    def columns(self) -> dict[str, Any]:
        """Return the values of ``COLUMNS``."""
        evidence = self.place.evidence
        review = local_day(self.decision.decided_at_us) + timedelta(days=REVIEW_AFTER_DAYS)
        return {
            "place": self.place.place_id,
            "place_name": place_title(self.place.kind, self.place.name, self.place.alternatives),
            "kind": self.place.kind,
            "area": self.area,
            "where": self.where,
            "why": self.why,
            "weekdays": usual_weekdays(evidence),
            "hours": usual_hours(evidence),
            "objective": "",
            "hazards": "",
            "safe_exit": "",
            "check_in_contact": "",
            "non_enforcement_alternatives": "",
            "review_date": min(review, self.review_by or review).isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class TaskingList:
    """Accepted places of a run, and how many still wait for a decision."""

    run: Run
    accepted: list[AcceptedPlace]
    waiting: int
    rejected: int
    waiting_snapped: int


def accepted_places(store: Store, scope: Scope, run: Run) -> TaskingList:
    """Places of a run that an analyst has accepted, by rank."""
    decided_on = rulings(store, scope)
    decided = [as_decided(place, decided_on) for place in store.runs.places(scope, run.run_id)]
    named = nominated_places(store, scope, run)
    words = {one.nomination.place_id: one.words for one in named}
    days = {one.nomination.place_id: one.review_by for one in named}
    decided += [(one.as_place(), one.standing) for one in named]
    chosen = [(place, one) for place, one in decided if one.verdict == Verdict.ACCEPT]
    waiting = [place for place, one in decided if one.verdict == WAITING]
    areas = _area_names(store, scope, [place_point(place, one) for place, one in chosen])
    return TaskingList(
        run=run,
        accepted=[
            AcceptedPlace(
                place=p,
                decision=one.decision,
                area=a,
                where=_where(store, p, one),
                why=words.get(p.place_id) or place_words(p, run),
                review_by=days.get(p.place_id),
            )
            for (p, one), a in zip(chosen, areas, strict=True)
            if one.decision is not None
        ],
        waiting=len(waiting),
        rejected=sum(one.verdict == Verdict.REJECT for _, one in decided),
        waiting_snapped=sum(place.basis == LocationBasis.SNAPPED for place in waiting),
    )


def place_point(place: Place, standing: Standing) -> tuple[float, float]:
    """Where to look for a place: the point that a person moved it to, else the middle of its fullest cell."""
    if standing.point is not None:
        return standing.point
    lon, lat = h3cells.centres(np.asarray([place.peak_cell], np.int64))
    return float(lon[0]), float(lat[0])


def _area_names(store: Store, scope: Scope, spots: list[tuple[float, float]]) -> list[str]:
    """Name of the smallest imported area that holds each spot; blank when none does."""
    if not spots:
        return []
    areas = store.evidence.features(scope, [FeatureKind.AREAS])
    areas = areas[areas["level"] != DRAWN_LEVEL]
    if areas.empty:
        return [""] * len(spots)
    areas = (
        areas.assign(size=shapely.area(areas["geometry"].to_numpy(object))).sort_values("size").reset_index(drop=True)
    )
    points = shapely.points(np.asarray(spots, float))
    point, area = shapely.STRtree(areas["geometry"].to_numpy(object)).query(points, predicate="within")
    names = [""] * len(spots)
    for p, a in sorted(zip(point.tolist(), area.tolist(), strict=True), reverse=True):
        names[p] = str(areas["name"].iat[a] or areas["code"].iat[a])
    return names


def _where(store: Store, place: Place, standing: Standing) -> str:
    """Say where a place is: a street that the evidence also speaks of, if one stands out, and a reference to 100 m."""
    spot = spot_words(store, *place_point(place, standing))
    street = _street_near(place.alternatives) if place.kind != STREET else None
    return f"near {street}, {spot}" if street else spot


def _street_near(alternatives: Sequence[Mapping[str, Any]]) -> str | None:
    """Name of the likeliest street, by the rule that a spot is called near something by."""
    streets = [other for other in alternatives if other["kind"] == STREET]
    if not streets or streets[0]["probability"] < LEAST_NEAR:
        return None
    first, *others = (round(one["probability"], 2) for one in streets)
    return streets[0]["name"] if first > max(others, default=0.0) else None


def how_to_accept(tasking: TaskingList) -> str:
    """Return what to do when nothing, or not everything, has been decided."""
    if not tasking.accepted and not tasking.waiting:
        return "This analysis found no place of concern, so there is nothing to plan."
    words = f"{tasking.waiting} of {tasking.waiting + tasking.rejected + len(tasking.accepted)} places wait for an analyst's decision."
    if tasking.waiting_snapped:
        words += f" {tasking.waiting_snapped} of them rest on map points that cluster by construction: look twice."
    if tasking.waiting:
        words += f" See them with: lapwing places {tasking.run.run_id}; accept one with: lapwing decide PLACE accept --reason TEXT"
    return words

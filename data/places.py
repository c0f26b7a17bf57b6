"""Places that live on across runs, places that people name, and the decisions about both."""

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import shapely

from geo.decisions import Decision, Standing, standing
from geo.errors import NotFound
from geo.identity import next_footprint
from geo.model import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.database import Database


@dataclass(frozen=True, kw_only=True)
class KnownPlace:
    """A place as last seen, with the footprint that later runs are matched against; runs are empty until one finds it."""

    place_id: str
    first_run: str
    last_run: str
    footprint: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Nomination:
    """A place that a person named: where, what, on whose word and why. ``geometry`` is WGS 84.

    ``review_by`` is the day said when it was named; decisions may have said another since.
    """

    place_id: str
    kind: str
    name: str
    geometry: shapely.Geometry
    source: str
    reason: str
    actor: str
    made_at_us: int
    review_by: date


class Places:
    """Known and nominated places of one store, and decisions about them."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def known_places(self, scope: Scope) -> list[KnownPlace]:
        """Every place ever seen or named, as last seen."""
        return [_known(row) for row in self._db.rows("known_places", org_id=scope.org_id)]

    def known_place(self, scope: Scope, place_id: str) -> KnownPlace:
        """One place as last seen."""
        rows = self._db.rows("known_place", org_id=scope.org_id, place_id=place_id)
        if not rows:
            raise NotFound(f"No place {place_id}; list them with: lapwing places RUN")
        return _known(rows[0])

    def add_known(self, scope: Scope, place_id: str, footprint: "Sequence[int]") -> None:
        """Make a place known before any run has found it."""
        self._db.insert(
            "place",
            {
                "org_id": [scope.org_id],
                "place_id": [place_id],
                "first_run": [""],
                "last_run": [""],
                "footprint": [json.dumps(list(footprint))],
            },
        )

    def remember(self, scope: Scope, run_id: str, footprints: "Mapping[str, Sequence[int]]") -> None:
        """Know the places of a run again: new ones by their footprint, old ones as :func:`geo.identity.next_footprint` says."""
        known = {place.place_id: place.footprint for place in self.known_places(scope)}
        new = [place_id for place_id in footprints if place_id not in known]
        self._db.insert(
            "place",
            {
                "org_id": [scope.org_id] * len(new),
                "place_id": new,
                "first_run": [run_id] * len(new),
                "last_run": [run_id] * len(new),
                "footprint": [json.dumps(list(footprints[place_id])) for place_id in new],
            },
        )
        for place_id in footprints:
            if place_id in known:
                footprint = next_footprint(known[place_id], footprints[place_id])
                self._db.execute(
                    "touch_place",
                    org_id=scope.org_id,
                    place_id=place_id,
                    last_run=run_id,
                    footprint=json.dumps(list(footprint)),
                )

    def nominate(self, scope: Scope, nomination: Nomination, footprint: "Sequence[int]") -> None:
        """Add a place that a person named."""
        row = vars(nomination) | {"org_id": scope.org_id, "geometry": shapely.to_wkb(nomination.geometry)}
        row |= {"review_by": nomination.review_by.isoformat()}
        with self._db.transaction():
            self._db.insert("nomination", {name: [value] for name, value in row.items()})
            self.add_known(scope, nomination.place_id, footprint)

    def nominations(self, scope: Scope) -> list[Nomination]:
        """Places that people named, oldest first."""
        return [_nomination(row) for row in self._db.rows("nominations", org_id=scope.org_id)]

    def forget(self, scope: Scope, nominations: "Sequence[str]", places: "Sequence[str]") -> None:
        """Remove what people said when they named some places, and of ``places`` the footprint and the history too.

        The database refuses to let a history go before the log says that the place was erased.
        """
        with self._db.transaction():
            self._db.execute("purge_nominations", org_id=scope.org_id, place_ids=tuple(nominations))
            self._db.execute("purge_decisions", org_id=scope.org_id, place_ids=tuple(places))
            self._db.execute("purge_places", org_id=scope.org_id, place_ids=tuple(places))

    def add_decision(self, scope: Scope, decision: Decision) -> None:
        """Add to a place's history; earlier decisions stay."""
        with self._db.transaction():
            self._db.lock("decision")
            place_in_line = int(self._db.rows("last_decision")[0]["seq"]) + 1
            row = vars(decision) | {"detail": json.dumps(dict(decision.detail), sort_keys=True)}
            row |= {"org_id": scope.org_id, "seq": place_in_line}
            self._db.insert("decision", {name: [value] for name, value in row.items()})

    def decisions(self, scope: Scope, place_id: str | None = None) -> list[Decision]:
        """Decisions, oldest first."""
        rows = self._db.rows("decisions", org_id=scope.org_id)
        found = [Decision(**(row | {"detail": json.loads(row["detail"])})) for row in rows]
        return [decision for decision in found if place_id in {None, decision.place_id}]

    def standing(self, scope: Scope) -> dict[str, Standing]:
        """What stands of each place that somebody decided about."""
        return standing(self.decisions(scope))


def _known(row: dict[str, Any]) -> KnownPlace:
    return KnownPlace(**(row | {"footprint": tuple(json.loads(row["footprint"]))}))


def _nomination(row: dict[str, Any]) -> Nomination:
    read = {"geometry": shapely.from_wkb(bytes(row["geometry"])), "review_by": date.fromisoformat(row["review_by"])}
    return Nomination(**(row | read))

"""Places that people named: listed beside those that were found, in no ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from app.services.reviewing import local_day, review_by
from app.services.rulings import hidden_nominations, rulings
from data.places import Nomination
from data.store import Store
from geo import cells as h3cells
from geo.decisions import MERGED, WITHDRAWN, Standing
from geo.model import Place, Run, Scope
from geo.temporal import from_micros

NOMINATED = "nominated"


@dataclass(frozen=True)
class NominatedPlace:
    """A nomination with its cells and what stands of it."""

    nomination: Nomination
    footprint: tuple[int, ...]
    standing: Standing

    @property
    def name(self) -> str:
        """Return the name that people gave it last."""
        return self.standing.name or self.nomination.name

    @property
    def point(self) -> tuple[float, float]:
        """Longitude and latitude of where to look."""
        if self.standing.point is not None:
            return self.standing.point
        middle = self.nomination.geometry.representative_point()
        return float(middle.x), float(middle.y)

    @property
    def words(self) -> str:
        """Say what it rests on."""
        day = from_micros(self.nomination.made_at_us).date().isoformat()
        return f"Nominated by a person on {day}. No cluster of records stands behind it."

    @property
    def review_by(self) -> date:
        """Day by which somebody looks at it again."""
        return review_by(self.nomination, self.standing)

    def overdue(self, now_us: int) -> bool:
        """Whether that day is over and nobody has."""
        return local_day(now_us) > self.review_by

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for the command line."""
        lon, lat = self.point
        one = self.nomination
        return {
            "place": one.place_id, "kind": one.kind, "name": self.name, "basis": NOMINATED, "decision": self.standing.verdict,
            "lon": round(lon, 6), "lat": round(lat, 6), "source": one.source, "reason": one.reason, "why": self.words,
            "review_by": self.review_by.isoformat(),
        }  # fmt: skip

    def as_place(self) -> Place:
        """Return it as a place without a rank, records or odds."""
        return Place(
            place_id=self.nomination.place_id, rank=0, cluster=-1, kind=self.nomination.kind, name=self.name, probability=None,
            basis=NOMINATED, records=0, footprint=self.footprint, peak_cell=self._cell(), evidence={"weekdays": None, "hours": None},
        )  # fmt: skip

    def _cell(self) -> int:
        lon, lat = (np.asarray([one]) for one in self.point)
        resolution = int(h3cells.resolutions(np.asarray(self.footprint[:1], np.int64))[0])
        return int(h3cells.index_points(lon, lat, resolution)[0])


def nominated_places(
    store: Store, scope: Scope, run: Run | None = None, *, kinds: Sequence[str] = ()
) -> list[NominatedPlace]:
    """Places that people named, oldest first: not those that the run itself found, were merged or withdrawn.

    ``kinds`` chooses those of some kinds; empty for all.
    """
    found = store.runs.place_ids(scope, run.run_id) if run else set()
    listed = [one for one in _shown(store, scope) if one.nomination.place_id not in found]
    listed = [one for one in listed if one.standing.verdict not in {MERGED, WITHDRAWN}]
    return [one for one in listed if not kinds or one.nomination.kind in kinds]


def nominated_place(store: Store, scope: Scope, place_id: str, *, run_id: str | None = None) -> NominatedPlace | None:
    """One place that people named; None where no such place is, or the analysis named, else any, has found it."""
    seen = store.runs.seen_in(scope, place_id)
    if (run_id in seen) if run_id else seen:
        return None
    return next((one for one in _shown(store, scope) if one.nomination.place_id == place_id), None)


def _shown(store: Store, scope: Scope) -> list[NominatedPlace]:
    """All that may be shown: a place where a protected one has been declared since is nobody's to see."""
    nominations = store.places.nominations(scope)
    if not nominations:
        return []
    hidden = hidden_nominations(store, scope, nominations)
    decided_on, known = rulings(store, scope), {one.place_id: one for one in store.places.known_places(scope)}
    return [
        NominatedPlace(one, known[one.place_id].footprint, decided_on.get(one.place_id, Standing()))
        for one in nominations
        if one.place_id not in hidden
    ]

"""Places of a run: listed, explained and decided about."""

from dataclasses import dataclass
from typing import Any

from app.services.layers import WAITING, place_dict
from data.audit import Verb
from data.ids import uuid7
from data.runs import Decision
from data.store import Store
from geo.errors import InvalidParameter, NotFound, NotPermitted
from geo.model import Place, Role, Run, Scope, Verdict

MIN_REASON = 1


@dataclass(frozen=True, kw_only=True)
class PlaceView:
    """A place as its page needs it."""

    place: Place
    run: Run
    runs_seen: int
    decisions: list[Decision]

    @property
    def standing(self) -> str:
        """Return the latest verdict, or that the place waits for one."""
        return self.decisions[-1].verdict if self.decisions else WAITING


def list_places(store: Store, scope: Scope, run_id: str, *, top: int | None = None) -> list[dict[str, Any]]:
    """Places of a run by rank, as plain values."""
    run = store.runs.get(scope, run_id)
    standing = store.runs.standing(scope)
    places = store.runs.places(scope, run.run_id, top=top)
    return [
        place_dict(place, standing[place.place_id].verdict if place.place_id in standing else WAITING)
        for place in places
    ]


def view_place(store: Store, scope: Scope, place_id: str, *, run_id: str | None = None) -> PlaceView:
    """Return a place as a run saw it: the run named, else the one that saw it last."""
    known = store.runs.known_place(scope, place_id)
    seen = store.runs.seen_in(scope, place_id)
    newest = next((run for run in store.runs.runs(scope) if run.run_id in seen), None)
    if run_id is None and newest is None:
        raise NotFound(f"No stored analysis holds place {place_id} any more.")
    run = store.runs.get(scope, run_id) if run_id else newest
    assert run is not None  # noqa: S101 - one of the two is there, as checked above
    place = store.runs.place(scope, run.run_id, known.place_id)
    if place is None:
        raise NotFound(f"Place {place_id} is not in analysis {run.run_id}.")
    return PlaceView(place=place, run=run, runs_seen=len(seen), decisions=store.runs.decisions(scope, place_id))


def decide(store: Store, scope: Scope, place_id: str, verdict: Verdict, reason: str, *, now_us: int) -> Decision:
    """Accept or reject a place; the reason is kept, and earlier decisions stay in its history.

    Raises
    ------
    NotPermitted
        When the actor is not an analyst.
    InvalidParameter
        When no reason is given.
    """
    if scope.role is not Role.ANALYST:
        raise NotPermitted("Only an analyst decides about places.")
    reason = reason.strip()
    if len(reason) < MIN_REASON:
        raise InvalidParameter("Say why in a few words: a decision without a reason cannot be reviewed.")
    known = store.runs.known_place(scope, place_id)
    decision = Decision(
        decision_id=uuid7(now_us), place_id=place_id, run_id=known.last_run, verdict=str(verdict), reason=reason, actor=scope.actor,
        decided_at_us=now_us,
    )  # fmt: skip
    with store.database.transaction():
        store.runs.add_decision(scope, decision)
        store.audit.append(scope, Verb.ALTERATION, f"place:{place_id}", now_us, verdict=str(verdict))
    return decision

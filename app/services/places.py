"""Places of a run: listed, explained and decided about."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from app.services.layers import WAITING, place_dict, require_layers
from data.audit import Verb
from data.ids import uuid7
from data.runs import Decision
from data.store import Store
from geo.errors import InvalidParameter, NotFound, NotPermitted
from geo.model import Place, Role, Run, Scope, Verdict

MIN_REASON = 1


@dataclass(frozen=True, kw_only=True)
class PlaceView:
    """A place as its page needs it. ``counted_with`` says of a report which other it was counted with, and why."""

    place: Place
    run: Run
    runs_seen: int
    decisions: list[Decision]
    counted_with: dict[bytes, tuple[bytes, str]] = field(default_factory=dict)

    @property
    def standing(self) -> str:
        """Return the latest verdict, or that the place waits for one."""
        return self.decisions[-1].verdict if self.decisions else WAITING


def list_places(store: Store, scope: Scope, run_id: str, *, top: int | None = None) -> list[dict[str, Any]]:
    """Places of a run by rank, as plain values."""
    run = store.runs.get(scope, run_id)
    require_layers(run)
    standing = store.runs.standing(scope)
    places = store.runs.places(scope, run.run_id, top=top)
    return [
        place_dict(place, run, standing[place.place_id].verdict if place.place_id in standing else WAITING)
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
    matches = store.runs.matches(scope, run.run_id)
    counted_with = {
        bytes(key): (bytes(event), words)
        for key, event, words in zip(matches["record_key"], matches["event_key"], matches["words"], strict=True)
    }
    return PlaceView(
        place=place,
        run=run,
        runs_seen=len(seen),
        decisions=store.runs.decisions(scope, place_id),
        counted_with=counted_with,
    )


def reports_of(store: Store, scope: Scope, view: PlaceView) -> pd.DataFrame:
    """Reports behind a place, oldest first: what a run counted, and ``event_key`` and ``words`` of those counted with another."""
    frame = store.runs.place_records(scope, view.run.run_id, view.place.place_id)
    keys = frame["record_key"].map(bytes)
    told = [view.counted_with.get(key, (b"", "")) for key in keys]
    return frame.assign(record_key=keys, event_key=[event for event, _ in told], words=[words for _, words in told])


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

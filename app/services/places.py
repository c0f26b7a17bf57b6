"""Places of a run: listed, explained and decided about."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from app.services.deciding import Change, change_place, memory
from app.services.layers import place_dict, require_layers
from app.services.rulings import hidden_nominations, rulings
from data.places import Nomination
from data.store import Store
from geo.decisions import Decision, Standing, as_decided
from geo.errors import NotFound
from geo.model import Place, Role, Run, Scope, Verdict
from geo.place_kinds import is_residential

# What a decision's detail says of where a place is and what it is called.
_WORDS: Final = frozenset({"name", "lon", "lat"})


@dataclass(frozen=True, kw_only=True)
class PlaceView:
    """A place as its page needs it. ``counted_with`` says of a report which other it was counted with, and why."""

    place: Place
    run: Run
    runs_seen: int
    decisions: list[Decision]
    standing: Standing
    nominations: list[Nomination] = field(default_factory=list)
    counted_with: dict[bytes, tuple[bytes, str]] = field(default_factory=dict)


def list_places(store: Store, scope: Scope, run_id: str, *, top: int | None = None) -> list[dict[str, Any]]:
    """Places of a run by rank, as plain values."""
    run = store.runs.get(scope, run_id)
    require_layers(run)
    decided_on = rulings(store, scope)
    decided = [as_decided(place, decided_on) for place in store.runs.places(scope, run.run_id, top=top)]
    return [place_dict(_as_seen(place, scope), run, one) for place, one in decided]


def view_place(store: Store, scope: Scope, place_id: str, *, run_id: str | None = None) -> PlaceView:
    """Return a place as a run saw it: the run named, else the one that saw it last."""
    known = store.places.known_place(scope, place_id)
    seen = store.runs.seen_in(scope, place_id)
    newest = next((run for run in store.runs.runs(scope) if run.run_id in seen), None)
    if run_id is None and newest is None and not known.last_run:
        if place_id not in memory(store, scope).known:
            raise NotFound(f"No place {place_id}; list them with: lapwing places RUN")
        raise NotFound(f"No analysis has looked at place {place_id} yet; the next one does: lapwing analyse")
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
    nominations = [one for one in store.places.nominations(scope) if one.place_id == place_id]
    hidden = hidden_nominations(store, scope, nominations)
    place, one = as_decided(place, rulings(store, scope))
    return PlaceView(
        place=_as_seen(place, scope),
        run=run,
        runs_seen=len(seen),
        decisions=[_told(one) if hidden else one for one in store.places.decisions(scope, place_id)],
        standing=one,
        nominations=[one for one in nominations if one.place_id not in hidden],
        counted_with=counted_with,
    )


def _as_seen(place: Place, scope: Scope) -> Place:
    """Leave the names of homes that a place could be to those who decide which it is."""
    if scope.role is Role.ANALYST:
        return place
    alternatives = (one | {"name": None} if is_residential(one["kind"]) else one for one in place.alternatives)
    return replace(place, alternatives=tuple(alternatives))


def _told(decision: Decision) -> Decision:
    """Return a decision about a hidden nomination without name, point and what was said before records stood behind it."""
    detail = {key: value for key, value in decision.detail.items() if key not in _WORDS}
    return replace(decision, reason=decision.reason if decision.run_id else "", detail=detail)


def reports_of(store: Store, scope: Scope, view: PlaceView) -> pd.DataFrame:
    """Reports behind a place, oldest first: what a run counted, and ``event_key`` and ``words`` of those counted with another."""
    frame = store.runs.place_records(scope, view.run.run_id, view.place.place_id)
    keys = frame["record_key"].map(bytes)
    told = [view.counted_with.get(key, (b"", "")) for key in keys]
    return frame.assign(record_key=keys, event_key=[event for event, _ in told], words=[words for _, words in told])


def decide(store: Store, scope: Scope, place_id: str, verdict: Verdict, reason: str, *, now_us: int) -> Decision:
    """Accept or reject a place, or do what needs no more than a reason."""
    return change_place(store, scope, place_id, Change(verdict=verdict, reason=reason), now_us=now_us)

"""What people decide about places: an append-only history, and what stands of it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from geo.model import Place, Verdict

WAITING = "waiting"
MERGED = "merged"
SPLIT = "split"
WITHDRAWN = "withdrawn"


class RejectCode(StrEnum):
    """Why a place is none to act on, so that the same reason is not argued twice."""

    PRISON = "prison"
    HOSPITAL = "hospital"
    POLICE_STATION = "police_station"
    CUSTODY = "custody"
    REPORTING_ADDRESS = "reporting_address"
    SNAPPED_ARTEFACT = "snapped_artefact"
    DUPLICATE = "duplicate"
    KNOWN_ACTIVITY = "known_activity"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One decision with its reason. ``detail`` holds what the verdict needs: a point, a name, a day, another place."""

    decision_id: str
    place_id: str
    run_id: str
    verdict: str
    reason: str
    actor: str
    decided_at_us: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Seed:
    """One part of a split place: records nearest to this point, in metres, belong to it."""

    place_id: str
    x_m: float
    y_m: float


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What now holds of one place. ``review_by`` is a day as YYYY-MM-DD, empty where nobody said one."""

    decision: Decision | None = None
    name: str | None = None
    point: tuple[float, float] | None = None
    merged_into: str | None = None
    parts: tuple[Seed, ...] = ()
    review_by: str = ""
    withdrawn: Decision | None = None

    @property
    def verdict(self) -> str:
        """Accept, reject or waiting; withdrawn, merged or split from the moment that somebody said so."""
        if self.withdrawn is not None:
            return WITHDRAWN
        if self.merged_into is not None:
            return MERGED
        if self.parts:
            return SPLIT
        return WAITING if self.decision is None else self.decision.verdict

    @property
    def rejected(self) -> bool:
        """Whether a rejection stands, whatever was merged or split since."""
        return self.decision is not None and self.decision.verdict == Verdict.REJECT


def standing(decisions: Sequence[Decision]) -> dict[str, Standing]:
    """Fold the history, oldest first, into what stands of each place.

    A decision that was undone does not count. ``detail`` of an undo names the decision it takes back in ``undoes``.
    Parts of a rejected place are rejected by the same decision until somebody decides about them.

    Examples
    --------
    >>> one = Decision(decision_id="1", place_id="a", run_id="", verdict="accept", reason="", actor="", decided_at_us=1)
    >>> two = replace(one, decision_id="2", verdict="undo", detail={"undoes": "1"})
    >>> standing([one])["a"].verdict, standing([one, two])
    ('accept', {})
    """
    found: dict[str, Standing] = {}
    for decision in _in_force(decisions):
        now = found.get(decision.place_id, Standing())
        found[decision.place_id] = _after(now, decision)
    for place_id in list(found):  # a place comes before its parts: nothing was decided about those before the split
        one = found[place_id]
        for part in one.parts if one.rejected else ():
            own = found.get(part.place_id, Standing())
            found[part.place_id] = own if own.decision is not None else replace(own, decision=one.decision)
    return found


def is_rejected(place_id: str, rulings: Mapping[str, Standing]) -> bool:
    """Whether a place was rejected, or what it was merged into.

    Examples
    --------
    >>> no = Decision(decision_id="1", place_id="b", run_id="", verdict="reject", reason="", actor="", decided_at_us=1)
    >>> is_rejected("a", {"a": Standing(merged_into="b"), "b": Standing(decision=no)})
    True
    """
    at: str | None = place_id
    while at is not None:
        one = rulings.get(at, Standing())
        if one.rejected:
            return True
        at = one.merged_into
    return False


def _in_force(decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions that were not undone, without the undoing itself."""
    undone = {decision.detail["undoes"] for decision in decisions if decision.verdict == Verdict.UNDO}
    return [one for one in decisions if one.verdict != Verdict.UNDO and one.decision_id not in undone]


def _after(now: Standing, decision: Decision) -> Standing:
    detail = decision.detail
    changed: dict[str, Any] = {"decision": decision}
    if decision.verdict == Verdict.MOVE:
        changed = {"point": (detail["lon"], detail["lat"])}
    elif decision.verdict == Verdict.RENAME:
        changed = {"name": detail["name"]}
    elif decision.verdict == Verdict.MERGE:
        changed = {"merged_into": detail["into"]}
    elif decision.verdict == Verdict.SPLIT:
        changed = {"parts": tuple(Seed(one["place"], one["x_m"], one["y_m"]) for one in detail["parts"])}
    elif decision.verdict == Verdict.REVIEW:
        changed = {"review_by": detail["review_by"]}
    elif decision.verdict == Verdict.WITHDRAW:
        changed = {"withdrawn": decision}
    return replace(now, **changed)


def as_decided(place: Place, rulings: Mapping[str, Standing]) -> tuple[Place, Standing]:
    """Return a place under the name that people gave it, and what stands of it."""
    one = rulings.get(place.place_id, Standing())
    if one.name is None or one.name == place.name:
        return place, one
    return replace(place, name=one.name, evidence={**place.evidence, "found_name": place.name}), one


def newest_standing(decisions: Sequence[Decision], place_id: str) -> Decision | None:
    """Return the newest decision about a place that was not undone: the one that an undo takes back."""
    own = [decision for decision in _in_force(decisions) if decision.place_id == place_id]
    return own[-1] if own else None


def withdrawn_parts(decisions: Sequence[Decision]) -> set[str]:
    """Places that only a split since undone had made."""
    kept = {seed.place_id for one in standing(decisions).values() for seed in one.parts}
    made = {
        part["place"]
        for decision in decisions
        if decision.verdict == Verdict.SPLIT
        for part in decision.detail["parts"]
    }
    return made - kept

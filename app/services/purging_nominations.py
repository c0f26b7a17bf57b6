"""Places that people named and nobody reviewed, or that were withdrawn, when their time is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.services.reviewing import review_by
from app.services.terms import Terms
from data.audit import Disclosure, Verb
from data.places import Nomination
from data.store import Store
from geo.decisions import MERGED, WITHDRAWN, Decision, Standing, standing
from geo.model import Layer, Profile, RecordKind, Scope, Verdict
from geo.retention import dates
from geo.temporal import day_interval

# What people say they know of a place is held like what they say they saw.
HELD_LIKE = RecordKind.OBSERVATIONS


@dataclass(frozen=True, kw_only=True)
class OldNominations:
    """Nominations past their time. ``erased`` are those whose place goes too; of the others records or other places keep it."""

    nominations: tuple[str, ...]
    erased: frozenset[str]
    handed_out: tuple[str, ...]

    @classmethod
    def of(cls, store: Store, scope: Scope, terms: Terms) -> "OldNominations":
        """Find them, and the copies that they stand in and nobody recalled yet."""
        decisions = store.places.decisions(scope)
        rulings = standing(decisions)
        old = [
            one
            for one in store.places.nominations(scope)
            if _is_over(one, rulings.get(one.place_id, Standing()), terms)
        ]
        own = {one.place_id: [d for d in decisions if d.place_id == one.place_id] for one in old}
        recalled = {entry["disclosure_id"] for entry in store.retention.recalls(scope)}
        return cls(
            nominations=tuple(one.place_id for one in old),
            erased=frozenset(one.place_id for one in old if not _is_kept(store, scope, one.place_id, rulings)),
            handed_out=tuple(
                copy.disclosure_id
                for copy in store.audit.disclosures(scope)
                if copy.disclosure_id not in recalled and any(_stands_in(copy, one, own[one.place_id]) for one in old)
            ),
        )


def remove_nominations(store: Store, scope: Scope, terms: Terms, old: OldNominations) -> None:
    """Remove them for good: a keyed tombstone and the log keep that there were some, the ledger what to recall."""
    for disclosure in old.handed_out:
        store.retention.recall(scope, disclosure, "a nominated place in it is no longer held", terms.now_us)
    tombs = [terms.keys.raw("tomb", place_id.encode()) for place_id in old.nominations]
    store.retention.bury(scope, tombs, ["nominations"] * len(tombs), terms.now_us)
    for place_id in old.nominations:  # first: the database keeps a history until the log says that its place was erased
        subject = f"place:{place_id}" if place_id in old.erased else f"nomination:{place_id}"
        store.audit.append(scope, Verb.ERASURE, subject, terms.now_us)
    store.places.forget(scope, old.nominations, sorted(old.erased))
    store.audit.append(scope, Verb.ERASURE, "purge", terms.now_us, nominations=len(old.nominations))


def _is_over(one: Nomination, now: Standing, terms: Terms) -> bool:
    """Whether it was withdrawn, or its day of review passed, longer ago than it may be held."""
    since = [day_interval(review_by(one, now))[1]]
    if now.withdrawn is not None:
        since.append(now.withdrawn.decided_at_us)
    return dates(HELD_LIKE, now_us=min(since), months=terms.retention_months)[1] <= terms.now_us


def _is_kept(store: Store, scope: Scope, place_id: str, rulings: Mapping[str, Standing]) -> bool:
    """Whether a stored analysis found the place, or a merge that stands needs it."""
    merged = {place_id: one.merged_into for place_id, one in rulings.items() if one.merged_into}
    own = rulings.get(place_id, Standing())
    return place_id in {*merged, *merged.values()} or bool(own.parts) or bool(store.runs.seen_in(scope, place_id))


def _stands_in(copy: Disclosure, one: Nomination, decisions: Sequence[Decision]) -> bool:
    """Whether a copy that was handed out lists a place: as its history stood at that moment."""
    if copy.profile != Profile.OPERATIONAL or copy.disclosed_at_us < one.made_at_us:
        return False
    then = standing([d for d in decisions if d.decided_at_us <= copy.disclosed_at_us]).get(one.place_id, Standing())
    if copy.layer == Layer.TASKING:
        return then.verdict == Verdict.ACCEPT
    return copy.layer == Layer.PLACES and then.verdict not in {MERGED, WITHDRAWN}

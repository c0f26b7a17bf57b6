"""Which analysis partners and boards see: the one that somebody shared, of those that ask nothing only an analyst should ask."""

from dataclasses import dataclass
from typing import Final

from app.services.layers import require_layers
from app.services.purpose import checked_purpose
from app.services.reviewing import local_day
from data.audit import Verb
from data.sharing import Sharing
from data.store import Store
from geo.drawn_area import DRAWN_LEVEL
from geo.errors import Conflict, NotPermitted
from geo.model import Profile, Role, Run, Scope
from geo.narrative import day_words
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from geo.validate_features import POSTCODE_LEVEL
from geo.view import month_view

SHAREABLE: Final = "shareable"
# Nearer than this two analyses may differ by a record where a rounded count tips.
APART_DAYS: Final = 28
TOO_CLOSE: Final = "Differences between two close analyses can give a single record away."
_KEPT: Final = "the log"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What may be done about sharing one analysis.

    ``live`` is what partners and boards see now, ``obstacle`` why this one cannot be shared, ``close_to`` what was
    shared before and is too close to this one for sharing it without a second thought.
    """

    live: Sharing | None
    is_live: bool
    obstacle: str
    close_to: Sharing | None


def shared_run(store: Store, scope: Scope) -> Run | None:
    """Return the analysis that partners and boards see; None where none is shared or it has lost its layers."""
    live = store.sharings.live(scope)
    run = store.runs.find(scope, live.run_id) if live else None
    if live is None or run is None or run.purged_at_us is not None or run.generated_at_us != live.run_made_at_us:
        return None
    return run if run.summary.get(SHAREABLE) else None


def may_be_shared(store: Store, scope: Scope, asked: AnalysisParameters) -> bool:
    """Whether an analysis is over whole months or all time, all usual kinds that there are, and an area nobody drew.

    Any other would tell by its bounds, its area's name or its difference from the last what few records say. It is
    judged when the analysis is made: what an area was is not known any more when it is taken back.
    """
    return not _obstacles(store, scope, asked)


def _obstacles(store: Store, scope: Scope, asked: AnalysisParameters) -> list[str]:
    """Say what of its question keeps an analysis inside operations."""
    usual = AnalysisParameters()
    found = []
    starts = asked.date_from is None or asked.date_from.day == 1
    ends = asked.date_to is None or asked.date_to == month_view(asked.date_to.year, asked.date_to.month).date_to
    if not (starts and ends):
        found.append("its dates are not whole months")
    held = store.evidence.record_counts(scope).keys() & set(usual.record_kinds)
    if not held <= set(asked.record_kinds) <= set(usual.record_kinds) or asked.categories:
        found.append("it is not over all usual kinds of records")
    same = ("eps_m", "min_weight", "max_place_width_m", "harm_weights")
    if any(getattr(asked, name) != getattr(usual, name) for name in same):
        found.append("its parameters are not the usual ones")
    levels = store.evidence.area_levels(scope, asked.area) if asked.area else set()
    if levels & {DRAWN_LEVEL, POSTCODE_LEVEL}:
        found.append("its area was drawn, or is a postcode")
    return found


def offer(store: Store, scope: Scope, run: Run, *, now_us: int) -> Offer:
    """Say what may be done about sharing an analysis."""
    live, shown = store.sharings.live(scope), shared_run(store, scope)
    return Offer(
        live=live if shown else None,
        is_live=shown is not None and shown.run_id == run.run_id,
        obstacle=obstacle(store, scope, run),
        close_to=_close_to(store, scope, run, now_us),
    )


def share_run(store: Store, scope: Scope, run_id: str, purpose: str, *, sooner: bool = False, now_us: int) -> Sharing:
    """Have partners and boards see this analysis and no other from now on.

    Raises
    ------
    NotPermitted, InvalidParameter
        When the actor is no analyst, or said no purpose.
    Conflict
        When it may not be shared or is shared already, or when it is close to the one shared before and nobody said
        ``sooner``.
    """
    _require_analyst(scope)
    purpose = checked_purpose(purpose, "the analysis is shared", kept=_KEPT)
    with store.database.transaction():
        store.database.lock("run")
        run = store.runs.get(scope, run_id)
        require_layers(run)
        if words := obstacle(store, scope, run):
            raise Conflict(f"Analysis {run.run_id} cannot be shared: {words}.")
        before = shared_run(store, scope)
        if before is not None and before.run_id == run.run_id:
            raise Conflict(f"Analysis {run.run_id} is shared already.")
        close = _close_to(store, scope, run, now_us)
        if close is not None and not sooner:
            day = day_words(local_day(close.shared_at_us).isoformat())
            raise Conflict(
                f"Analysis {close.run_id} was shared on {day}: less than {APART_DAYS} days lie between the two. {TOO_CLOSE}"
                " To share it all the same, tick the box on its page, or say --sooner."
            )
        if before is not None:
            _log_end(store, scope, before.run_id, now_us, reason=f"run:{run.run_id} is shared")
        made = store.sharings.begin(scope, run, purpose, now_us)
        audiences = [str(one) for one in Profile if one is not Profile.OPERATIONAL]
        told = {"purpose": purpose, "audiences": audiences, "close_to": close.run_id if close else ""}
        store.audit.append(scope, Verb.DISCLOSURE, _subject(run.run_id), now_us, sooner=close is not None, **told)
    return made


def end_if_shared(store: Store, scope: Scope, run_id: str, now_us: int, *, reason: str) -> None:
    """Log that partners and boards see an analysis no longer, for its layers are about to go; under the lock ``run``."""
    live = store.sharings.live(scope)
    if live is not None and live.run_id == run_id:
        _log_end(store, scope, run_id, now_us, reason=reason)


def stop_sharing(store: Store, scope: Scope, purpose: str, *, run_id: str = "", now_us: int) -> Sharing:
    """Take the shared analysis from partners and boards at once; they see none until one is shared.

    Raises
    ------
    NotPermitted, InvalidParameter
        When the actor is no analyst, or said no purpose.
    Conflict
        When none is shared, or another than the one named.
    """
    _require_analyst(scope)
    purpose = checked_purpose(purpose, "sharing is stopped", kept=_KEPT)
    with store.database.transaction():
        store.database.lock("run")
        live = store.sharings.live(scope)
        if live is None:
            raise Conflict("No analysis is shared with partners and boards.")
        if run_id not in {"", live.run_id}:
            raise Conflict(f"Analysis {run_id} is not the one that is shared; that is {live.run_id}.")
        store.sharings.end(scope)
        _log_end(store, scope, live.run_id, now_us, purpose=purpose)
    return live


def _require_analyst(scope: Scope) -> None:
    if scope.role is not Role.ANALYST:
        raise NotPermitted("Only an analyst shares analyses.")


def obstacle(store: Store, scope: Scope, run: Run) -> str:
    """Say why an analysis cannot be shared; nothing where it can."""
    shareable = run.summary.get(SHAREABLE)
    if shareable:
        return ""
    if shareable is None:
        return "it was made before analyses said whether they may be; make it again"
    found = _obstacles(store, scope, AnalysisParameters.from_json(run.parameters))
    return ", and ".join(found) or "its area was drawn, or is a postcode"  # and was taken back since


def _close_to(store: Store, scope: Scope, run: Run, now_us: int) -> Sharing | None:
    """Return what was shared less than four weeks ago, or was made less than four weeks apart, whenever it was shared.

    An analysis that was shared once before tells nothing new.
    """
    acts, near_us = store.sharings.all(scope), APART_DAYS * DAY_US
    if any((one.run_id, one.run_made_at_us) == (run.run_id, run.generated_at_us) for one in acts):
        return None
    for act in reversed(acts):
        if abs(run.generated_at_us - act.run_made_at_us) < near_us or now_us - act.shared_at_us < near_us:
            return act
    return None


def _log_end(store: Store, scope: Scope, run_id: str, at_us: int, **told: str) -> None:
    """Log that partners and boards see an analysis no longer."""
    store.audit.append(scope, Verb.WITHDRAWAL, _subject(run_id), at_us, **told)


def _subject(run_id: str) -> str:
    return f"run:{run_id}/shared"

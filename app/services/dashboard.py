"""What there is to know after signing in: what changed since last week, and what waits for somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from app.services.nominated import NominatedPlace, nominated_places
from app.services.reviewing import REVIEW_AFTER_DAYS, local_day
from app.services.rulings import rulings
from data.store import Store
from geo.decisions import MERGED, SPLIT, WAITING, WITHDRAWN, Standing, as_decided
from geo.model import Place, Run, Scope, Verdict
from geo.narrative import day_words, place_title, plural
from geo.parameters import AnalysisParameters
from geo.place_changes import compare_places, quiet_days, same_question

LISTED: Final = 5
EXPIRING_DAYS: Final = 14
_WEEK_US: Final = 7 * 86_400_000_000
_NOT_THERE: Final = frozenset({MERGED, SPLIT, WITHDRAWN})


@dataclass(frozen=True, kw_only=True)
class Line:
    """A place in a list: which analysis shows it, and what it is listed for.

    ``seen_before`` says that an analysis before the compared one had it; ``quiet_days`` are those since its last record.
    """

    place_id: str
    run_id: str
    title: str
    verdict: str
    records: int
    quiet_days: int | None
    trend: str
    seen_before: bool = False
    review_by: date | None = None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The newest analysis beside an earlier one of the same question, and what waits.

    ``waiting`` are found places without a decision, by rank, and ``nominated_waiting`` those that people named.
    ``expiring`` are accepted places whose day of review is near or over, ``overdue`` nominated ones past theirs.
    """

    newest: Run
    before: Run | None
    is_old: bool
    new: list[Line]
    fading: list[Line]
    gone: list[Line]
    waiting: list[Line]
    nominated_waiting: list[Line]
    overdue: list[Line]
    expiring: list[Line]
    accepted: int

    @property
    def undecided(self) -> int:
        """How many places wait for a decision."""
        return len(self.waiting) + len(self.nominated_waiting)

    @property
    def headline(self) -> str:
        """Say in a sentence or two what changed and what waits."""
        waits = "waits" if self.undecided == 1 else "wait"
        tail = f" {plural(self.undecided, 'place')} {waits} for a decision." if self.undecided else ""
        if self.before is None:
            found = f"{plural(self.newest.summary['places'], 'place')} of concern in {plural(self.newest.summary['records'], 'record')}"
            return f"The newest analysis found {found}.{tail}"
        since = f"since the analysis of {day_words(local_day(self.before.generated_at_us).isoformat())}"
        told = [plural(len(self.new), "new place")] if self.new else []
        told += [f"{len(self.fading):,} fading"] if self.fading else []
        told += [f"{len(self.gone):,} gone"] if self.gone else []
        return (f"S{since[1:]}: {_listed(told)}." if told else f"No place has changed {since}.") + tail


def overview(store: Store, scope: Scope, stored: Sequence[Run], *, now_us: int) -> Overview | None:
    """Compare two of the stored analyses, newest first, and gather what waits; None where none can be shown."""
    runs = [run for run in stored if can_be_shown(run)]
    if not runs:
        return None
    newest, before = runs[0], run_before(runs, now_us=now_us)
    decided_on = rulings(store, scope)
    found = store.runs.places(scope, newest.run_id)
    older = store.runs.places(scope, before.run_id) if before else None
    changed = compare_places(
        found, older, newer_last_day=_last_day(newest), older_last_day=_last_day(before), moved=_moved(decided_on)
    )
    ids = {place.place_id for place in found}
    named = [one for one in nominated_places(store, scope) if one.nomination.place_id not in ids]
    decided = [as_decided(place, decided_on) for place in found]
    nominated = [(one.as_place(), one.standing) for one in named]
    accepted = [(place, one) for place, one in [*decided, *nominated] if one.verdict == Verdict.ACCEPT]
    return Overview(
        newest=newest,
        before=before,
        is_old=now_us - newest.generated_at_us > _WEEK_US,
        new=_new(store, scope, _lines(changed.new, decided_on, newest), runs, before),
        fading=_lines(changed.fading, decided_on, newest),
        gone=_lines(changed.gone, decided_on, before) if before else [],
        waiting=[_line(place, one, newest) for place, one in decided if one.verdict == WAITING],
        nominated_waiting=[_line(place, one, newest) for place, one in nominated if one.verdict == WAITING],
        overdue=[_overdue(one, newest) for one in named if one.overdue(now_us) and one.standing.verdict == WAITING],
        expiring=_expiring(accepted, named, newest, today=local_day(now_us)),
        accepted=len(accepted),
    )


def can_be_shown(run: Run) -> bool:
    """Whether an analysis still has its layers, and statistics."""
    return run.purged_at_us is None and run.summary.get("hot_cells") is not None


def run_before(runs: Sequence[Run], *, now_us: int) -> Run | None:
    """Return what the newest of some runs, newest first, is compared with.

    It asked the same. Of several it is the newest that is a week old, else the oldest there is.
    """
    asked = AnalysisParameters.from_json(runs[0].parameters)
    alike = [run for run in runs[1:] if same_question(asked, AnalysisParameters.from_json(run.parameters))]
    old = [run for run in alike if now_us - run.generated_at_us >= _WEEK_US]
    return old[0] if old else alike[-1] if alike else None


def _last_day(run: Run | None) -> date | None:
    told = run.summary.get("last_day") if run else None
    return date.fromisoformat(told) if told else None


def _moved(decided_on: Mapping[str, Standing]) -> set[str]:
    """Places that come and go because people merged, split or withdrew them."""
    parts = {seed.place_id for one in decided_on.values() for seed in one.parts}
    return parts | {place_id for place_id, one in decided_on.items() if one.verdict in _NOT_THERE}


def _new(store: Store, scope: Scope, lines: list[Line], runs: Sequence[Run], before: Run | None) -> list[Line]:
    """Mark which of the new places that are listed an analysis before the compared one had found."""
    earlier = {run.run_id for run in runs if before and run.generated_at_us < before.generated_at_us}
    first = [
        replace(line, seen_before=not earlier.isdisjoint(store.runs.seen_in(scope, line.place_id)))
        for line in lines[:LISTED]
    ]
    return first + lines[LISTED:]


def _lines(places: Sequence[Place], decided_on: Mapping[str, Standing], run: Run) -> list[Line]:
    """Places that changed; of what a person has rejected nobody needs to hear."""
    decided = [as_decided(place, decided_on) for place in places]
    return [_line(place, one, run) for place, one in decided if one.verdict != Verdict.REJECT]


def _line(place: Place, standing: Standing, run: Run) -> Line:
    return Line(
        place_id=place.place_id,
        run_id=run.run_id,
        title=place_title(place.kind, place.name, place.alternatives),
        verdict=standing.verdict,
        records=place.records,
        quiet_days=quiet_days(place.evidence, _last_day(run)) if place.records else None,
        trend=place.evidence.get("trend", ""),
    )


def _overdue(one: NominatedPlace, run: Run) -> Line:
    return replace(_line(one.as_place(), one.standing, run), review_by=one.review_by)


def _expiring(
    accepted: Sequence[tuple[Place, Standing]], named: Sequence[NominatedPlace], run: Run, *, today: date
) -> list[Line]:
    """Accepted places to be looked at again within two weeks, or that should have been; the earliest first."""
    own_day = {one.nomination.place_id: one.review_by for one in named}
    lines = []
    for place, one in accepted:
        if one.decision is None:
            continue
        day = local_day(one.decision.decided_at_us) + timedelta(days=REVIEW_AFTER_DAYS)
        day = min(day, own_day.get(place.place_id, day))
        if day <= today + timedelta(days=EXPIRING_DAYS):
            lines.append(replace(_line(place, one, run), review_by=day))
    return sorted(lines, key=lambda line: (str(line.review_by), line.title))


def _listed(words: Sequence[str]) -> str:
    """Join words as people do."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

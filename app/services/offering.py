"""What an analysis can be asked for with what is stored: records, days, areas and what counts are compared with."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.services.drawing import SOURCE as DRAWN
from app.services.stacks import REPORTS
from app.services.study import effort, estimated_cells
from data.store import Store
from geo.cells import MAX_STUDY_CELLS
from geo.model import ComparedWith, FeatureKind, RecordKind, Scope
from geo.parameters import AnalysisParameters
from geo.temporal import LONDON, from_micros
from geo.validate_features import POSTCODE_LEVEL

RECENT_DAYS: Final = 28
RECENT_MONTHS: Final = 3
# Outreach sessions say where people looked, not what was found there.
_KINDS: Final = (RecordKind.INCIDENTS, RecordKind.OBSERVATIONS, RecordKind.SIGHTINGS)
_LAYERS: Final = {ComparedWith.PREMISES: FeatureKind.PREMISES, ComparedWith.BUILDINGS: FeatureKind.BUILDINGS}
_FILES: Final = "whole files"
_NAMELESS: Final = "unnamed"

Period = tuple[date | None, date | None]


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What there is to choose from; ``areas`` has the names under each level, ``last_day`` is that of the newest report."""

    records: Mapping[str, Mapping[str, int]]
    categories: tuple[str, ...]
    areas: Mapping[str, tuple[str, ...]]
    compared_with: tuple[ComparedWith, ...]
    last_day: date | None

    @property
    def periods(self) -> dict[str, Period]:
        """Days of each period that is counted back from the newest report, as the figures by area are."""
        if self.last_day is None:
            return {}
        after = self.last_day + timedelta(days=1)
        return {
            "days": (after - timedelta(days=RECENT_DAYS), self.last_day),
            "months": (_months_before(after, RECENT_MONTHS), self.last_day),
            "year": (date(self.last_day.year, 1, 1), self.last_day),
        }


def offer(store: Store, scope: Scope, *, now_us: int) -> Offer:
    """Look at what the store holds."""
    counts = store.evidence.record_counts(scope)
    records = {str(kind): counts[kind] for kind in _KINDS if kind in counts}
    features = store.evidence.feature_counts(scope)
    return Offer(
        records=records,
        categories=tuple(store.evidence.categories(scope)),
        areas=_areas(store, scope),
        compared_with=tuple(one for one in ComparedWith if _is_possible(one, counts, features)),
        last_day=last_day(store, scope, [kind for kind in REPORTS if kind in records] or list(records), now_us=now_us),
    )


def last_day(store: Store, scope: Scope, kinds: list[str], *, now_us: int) -> date | None:
    """Day on which the newest record of some kinds ends, today at the latest; None where there is none."""
    spans = store.evidence.file_spans(scope, kinds) if kinds else None
    if spans is None or spans.empty:
        return None
    return from_micros(min(int(spans["last_us"].max()), now_us)).astimezone(LONDON).date()


def find_obstacles(store: Store, scope: Scope, parameters: AnalysisParameters, *, now_us: int) -> dict[str, str]:
    """Say, under the names of parameters, what would keep an analysis from being made with what is stored."""
    found = {}
    newest = last_day(store, scope, list(parameters.record_kinds), now_us=now_us)
    if newest and parameters.date_from and newest < parameters.date_from:
        found["date_from"] = (
            f"The newest of the chosen records is of {newest.day} {newest:%B %Y}. Choose an earlier day."
        )
    if parameters.area:
        expected = estimated_cells(store.evidence.area(scope, parameters.area), parameters.resolution)
        if expected > MAX_STUDY_CELLS:
            found["resolution"] = f"The area would have about {expected:,.0f} cells. Choose larger ones."
    if parameters.compared_with == ComparedWith.EFFORT and not len(effort(store, scope, parameters).lon):
        found["compared_with"] = "No outreach session with a position lies between these days. Choose something else."
    return found


def _areas(store: Store, scope: Scope) -> dict[str, tuple[str, ...]]:
    """Names by level; those of postcodes are left out, being too many to choose from."""
    features = store.evidence.features(scope, [FeatureKind.BOUNDARY, FeatureKind.AREAS])
    features = features[features["level"] != POSTCODE_LEVEL]
    files = {
        one.stem
        for one in store.evidence.batches(scope)
        if one.stem != DRAWN and one.kind in {FeatureKind.BOUNDARY, FeatureKind.AREAS} and one.undone_at_us is None
    }
    named = features["name"].where(features["name"] != "", features["code"])
    levels = features["level"].where(features["level"] != "", features["kind"])
    found = {level: tuple(sorted(set(names) - {""})) for level, names in named.groupby(levels)}
    if len(features):
        found[_FILES] = tuple(sorted(files - {"", _NAMELESS}))
    return {level: names for level, names in found.items() if names}


def _is_possible(wanted: ComparedWith, records: Mapping[str, object], features: Mapping[str, int]) -> bool:
    if wanted is ComparedWith.EFFORT:
        return RecordKind.EFFORT in records
    if wanted is ComparedWith.RECORDS:
        return RecordKind.INCIDENTS in records
    return wanted not in _LAYERS or _LAYERS[wanted] in features


def _months_before(day: date, months: int) -> date:
    """Return the same day some months earlier, or the last of its month where that has none."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))

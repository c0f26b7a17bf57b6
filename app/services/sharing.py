"""Which analysis partners and boards see: one that asks nothing that only an analyst should ask."""

from data.store import Store
from geo.drawn_area import DRAWN_LEVEL
from geo.model import FeatureKind, Run, Scope
from geo.parameters import AnalysisParameters
from geo.view import month_view


def shared_run(store: Store, scope: Scope) -> Run | None:
    """Return the newest analysis over whole months, all usual kinds of records and an area that nobody drew; None without one.

    Any other would tell by its bounds, or by its difference from the last, what few records say.
    """
    areas = store.evidence.features(scope, [FeatureKind.AREAS])
    drawn = set(areas.loc[areas["level"] == DRAWN_LEVEL, "name"])
    return next(
        (run for run in store.runs.runs(scope) if run.purged_at_us is None and _may_be_shared(run, drawn)), None
    )


def _may_be_shared(run: Run, drawn: set[str]) -> bool:
    asked, usual = AnalysisParameters.from_json(run.parameters), AnalysisParameters()
    whole = True
    if asked.date_from:
        whole &= asked.date_from.day == 1
    if asked.date_to:
        whole &= asked.date_to == month_view(asked.date_to.year, asked.date_to.month).date_to
    every = set(asked.record_kinds) == set(usual.record_kinds) and not asked.categories
    return whole and every and asked.area not in drawn

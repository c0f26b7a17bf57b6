"""Which analysis partners and boards see: one that asks nothing that only an analyst should ask."""

from typing import Final

from data.store import Store
from geo.drawn_area import DRAWN_LEVEL
from geo.model import Run, Scope
from geo.parameters import AnalysisParameters
from geo.validate_features import POSTCODE_LEVEL
from geo.view import month_view

SHAREABLE: Final = "shareable"


def shared_run(store: Store, scope: Scope) -> Run | None:
    """Return the newest analysis that was found fit for partners and boards when it was made; None without one."""
    runs = store.runs.runs(scope)
    return next((run for run in runs if run.purged_at_us is None and run.summary.get(SHAREABLE)), None)


def may_be_shared(store: Store, scope: Scope, asked: AnalysisParameters) -> bool:
    """Whether an analysis is over whole months (or has no dates), all usual kinds of records and an area that nobody drew.

    Any other would tell by its bounds, its area's name or its difference from the last what few records say. It is
    judged when the analysis is made: what an area was is not known any more when it is taken back.
    """
    usual = AnalysisParameters()
    whole = True
    if asked.date_from:
        whole &= asked.date_from.day == 1
    if asked.date_to:
        whole &= asked.date_to == month_view(asked.date_to.year, asked.date_to.month).date_to
    every = set(asked.record_kinds) == set(usual.record_kinds) and not asked.categories
    same = ("eps_m", "min_weight", "max_place_width_m", "harm_weights")
    plain = all(getattr(asked, name) == getattr(usual, name) for name in same)
    levels = store.evidence.area_levels(scope, asked.area) if asked.area else set()
    return whole and every and plain and not levels & {DRAWN_LEVEL, POSTCODE_LEVEL}

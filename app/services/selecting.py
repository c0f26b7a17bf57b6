"""Which records an analysis rests on: filtered, placed, and counted once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.corroborating import match_reports
from app.services.protection import MARGIN_M, near_protected
from app.services.stacks import REPORTS, weigh_positions
from data.store import Store
from geo.bias import found_by_us
from geo.model import LocationBasis, Scope
from geo.parameters import AnalysisParameters
from geo.temporal import day_interval, local_months, midpoint_us


@dataclass(frozen=True)
class Selection:
    """Records that match the filter, sorted into what can and cannot be mapped.

    ``located`` has one record an event, with whether any of its reports (``found_by_us``) and whether all of them
    (``only_by_us``) came from our own looking; ``matches`` says which further reports are counted with which of them.
    ``fringe`` holds mapped records whose interval reaches into the period, though its middle lies outside. ``months``
    has the month of every stored record of the kinds within the period, whatever its category and place.
    """

    located: pd.DataFrame
    fringe: pd.DataFrame
    matches: pd.DataFrame
    unlocated: int
    set_aside: int
    outside: int
    protected: int
    months: NDArray[np.int64]
    study: shapely.Geometry | None


def period_us(parameters: AnalysisParameters) -> tuple[int, int]:
    """Half-open interval that the analysis covers; without dates, all time."""
    start = day_interval(parameters.date_from)[0] if parameters.date_from else -(2**62)
    end = day_interval(parameters.date_to)[1] if parameters.date_to else 2**62
    return start, end


def select(store: Store, scope: Scope, parameters: AnalysisParameters) -> Selection:
    """Choose the records of an analysis; what is left out is counted by reason."""
    # What a coordinate is shows in all reports, whichever are asked for.
    records = store.evidence.records(scope, sorted({*parameters.record_kinds, *REPORTS}))
    records = weigh_positions(store, scope, records)
    records = records[records["kind"].isin(parameters.record_kinds)]
    start, end = period_us(parameters)
    every_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    months = local_months(every_us[(every_us >= start) & (every_us < end)])
    keep = (records["to_us"] > start) & (records["from_us"] < end)
    if parameters.categories:
        keep &= records["category"].isin(parameters.categories)
    records = records[keep].reset_index(drop=True)
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    within = (at_us >= start) & (at_us < end)
    set_aside = records["set_aside"].to_numpy(bool)
    coarse = (records["location_basis"] == LocationBasis.CELL).to_numpy(bool)
    without = (records["location_basis"] == LocationBasis.NONE).to_numpy(bool)
    study = store.evidence.area(scope, parameters.area) if parameters.area else None
    outside, guarded = _where(store, scope, records, set_aside | coarse | without, study)
    mapped = ~(set_aside | coarse | without | outside | guarded)
    known = records.assign(**{name: records[name].where(mapped) for name in ("x_m", "y_m")})
    matches = match_reports(store, scope, known[within & ~(outside | guarded | coarse)])
    again = records["record_key"].map(bytes).isin(matches["record_key"]).to_numpy(bool)
    records = _who_found(records, matches)
    return Selection(
        located=records[within & mapped & ~again].reset_index(drop=True),
        fringe=records[~within & mapped].reset_index(drop=True),
        matches=matches,
        unlocated=int((within & without & ~again).sum()),
        set_aside=int((within & set_aside & ~again).sum()),
        outside=int((within & outside & ~guarded).sum()),
        protected=int((within & (guarded | coarse)).sum()),
        months=months,
        study=study,
    )


def _who_found(records: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Add to each event whether any of its reports, and whether all of them, came from our own looking."""
    own = found_by_us(records)
    keys = records["record_key"].map(bytes).tolist()
    ours = dict(zip(keys, own.tolist(), strict=True))
    with_ours: set[bytes] = set()
    with_others: set[bytes] = set()
    for key, event in zip(matches["record_key"].map(bytes), matches["event_key"].map(bytes), strict=True):
        (with_ours if ours[key] else with_others).add(event)
    also_ours = np.fromiter((key in with_ours for key in keys), bool, len(keys))
    also_others = np.fromiter((key in with_others for key in keys), bool, len(keys))
    return records.assign(found_by_us=own | also_ours, only_by_us=own & ~also_others)


def _where(
    store: Store, scope: Scope, records: pd.DataFrame, nowhere: NDArray[np.bool_], study: shapely.Geometry | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which records lie outside the area, and which at or near a protected place inside it."""
    outside, guarded = np.zeros(len(records), bool), np.zeros(len(records), bool)
    here = np.flatnonzero(~nowhere)
    placed = records.iloc[here]
    if study is not None:
        shapely.prepare(study)
        outside[here] = ~shapely.intersects_xy(study, placed["lon"].to_numpy(), placed["lat"].to_numpy())
    points_m = shapely.points(placed["x_m"].to_numpy(), placed["y_m"].to_numpy())
    guarded[here] = near_protected(store, scope, points_m, MARGIN_M)
    return outside, guarded & ~outside

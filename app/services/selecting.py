"""Which records an analysis rests on: filtered, placed, and counted once."""

import os
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.corroborating import match_reports
from app.services.protection import MARGIN_M, points_near_protected
from app.services.stacks import REPORTS, weigh_positions
from data.store import Store
from geo.bias import found_by_us
from geo.indexed import Indexed
from geo.membership import among
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

    @cached_property
    def at(self) -> Indexed:
        """Positions of the located records, whose cells are worked out once."""
        return index_records(self.located)


def index_records(records: pd.DataFrame) -> Indexed:
    """Find the distinct positions of records, for indexing on all cores."""
    lon, lat = (records[name].to_numpy(float) for name in ("lon", "lat"))
    return Indexed.of(lon, lat, workers=len(os.sched_getaffinity(0)))


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
    records = _only(records, records["kind"].isin(parameters.record_kinds).to_numpy(bool))
    start, end = period_us(parameters)
    every_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    months = local_months(every_us[(every_us >= start) & (every_us < end)])
    keep = ((records["to_us"] > start) & (records["from_us"] < end)).to_numpy(bool)
    if parameters.categories:
        keep = keep & records["category"].isin(parameters.categories).to_numpy(bool)
    records = _only(records, keep)
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    within = (at_us >= start) & (at_us < end)
    set_aside = records["set_aside"].to_numpy(bool)
    coarse = (records["location_basis"] == LocationBasis.CELL).to_numpy(bool)
    without = (records["location_basis"] == LocationBasis.NONE).to_numpy(bool)
    study = store.evidence.area(scope, parameters.area) if parameters.area else None
    outside, guarded = _where(store, scope, records, set_aside | coarse | without, study)
    mapped = ~(set_aside | coarse | without | outside | guarded)
    known = records.assign(**{name: records[name].where(mapped) for name in ("x_m", "y_m")})
    matches = match_reports(store, scope, _only(known, within & ~(outside | guarded | coarse)))
    again = among(records["record_key"], matches["record_key"])
    records = _who_found(records, matches)
    return Selection(
        located=_only(records, within & mapped & ~again),
        fringe=_only(records, ~within & mapped),
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
    own, keys = found_by_us(records), records["record_key"]
    ours = keys[among(keys, matches["record_key"]) & own]
    from_us = among(matches["record_key"], ours)
    also_ours, also_others = (among(keys, matches["event_key"][who]) for who in (from_us, ~from_us))
    return records.assign(found_by_us=own | also_ours, only_by_us=own & ~also_others)


def _only(records: pd.DataFrame, kept: NDArray[np.bool_]) -> pd.DataFrame:
    """Records that are kept, numbered anew."""
    return records.reset_index(drop=True) if kept.all() else records[kept].reset_index(drop=True)


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
    x_m, y_m = (placed[name].to_numpy(float) for name in ("x_m", "y_m"))
    guarded[here] = points_near_protected(store, scope, x_m, y_m, MARGIN_M)
    return outside, guarded & ~outside

"""What the statistics say of the cells of an analysis: hot or not, how sure, since when, and where nobody looked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.hot_areas import find_hot_areas
from app.services.selecting import Selection, index_records, period_us
from app.services.study import Effort, effort, estimated_cells, exposure_of, study_cells
from app.services.time_patterns import near_repeats
from data.store import Store
from geo import cells as h3cells
from geo.bias import cell_states
from geo.exposure import Exposure, ExposureKind, without_rim
from geo.hotspots import Hotspots, find_hotspots
from geo.indexed import Indexed
from geo.model import STATISTIC_COLUMNS, ComparedWith, Scope
from geo.narrative import plural
from geo.neighbourhoods import Neighbourhoods
from geo.parameters import AnalysisParameters
from geo.periods import months_present
from geo.sentences import NO_HOT_CELLS
from geo.stability import MAX_CELLS, Grid, HotGrid, grids, hot_on
from geo.surface import kernel_density
from geo.temporal import local_months, midpoint_us
from geo.trend import MIN_PERIODS, TrendClass, classify_trends
from geo.uncertainty import likely_cells, top_probability

Progress = Callable[[str], None]
# What of a record says where it may have been, and when.
_WEIGHED: Final = ("lon", "lat", "precision_m", "from_us", "to_us")


@dataclass(frozen=True)
class Findings:
    """Statistics of the cells of the run's own resolution, and what the places take from them.

    ``cells`` has ``cell`` and ``STATISTIC_COLUMNS``, ``counts`` its tested records; ``checked`` the hot cells of each grid, None where the checks were
    too costly; ``summary`` and ``warnings`` what the run says of them.
    """

    cells: pd.DataFrame
    counts: NDArray[np.int64]
    around: Neighbourhoods
    checked: tuple[HotGrid, ...] | None
    summary: dict[str, Any]
    warnings: list[str]


def find(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    selection: Selection,
    cells: h3cells.Cells,
    *,
    seed: int,
    progress: Progress,
) -> Findings:
    """Work out the statistics of a selection over its study cells (distinct and sorted)."""
    streams = [int(one) for one in np.random.SeedSequence(seed).generate_state(4, np.uint64) >> np.uint64(1)]
    outreach = effort(store, scope, parameters)
    exposure = exposure_of(store, scope, parameters, selection, outreach)
    share = exposure.shares(cells)
    around = Neighbourhoods.of(cells)
    if _has_rim(selection, exposure):
        share = without_rim(share, around)
    counted = counted_records(parameters, selection.located)
    at = selection.at if counted is selection.located else index_records(counted)
    position = np.searchsorted(cells, at.distinct_cells(parameters.resolution))[at.inverse]
    counts = np.bincount(position, minlength=len(cells))
    fringe = counted_records(parameters, selection.fringe)
    weighed = pd.concat([one[list(_WEIGHED)] for one in (counted, fringe)], ignore_index=True)
    with ThreadPoolExecutor(1) as beside:  # each has draws of its own, so either may come first
        weighing = beside.submit(_top, parameters, weighed, cells, share, around, seed=streams[2])
        progress("Testing what is hot")
        found = find_hotspots(
            counts, share, around, seed=streams[0], alpha=parameters.alpha, simulations=parameters.simulations
        )
        progress("Following the months")
        tested = found.test.tested[position]
        in_test = counted[["from_us", "to_us"]][tested]
        trend, periods = _trend(store, scope, parameters, selection, in_test, position[tested], share, around)
        progress("Checking other grids")
        checked = _check_grids(parameters, selection, exposure, at, seed=streams[1])
        progress("Weighing uncertain positions and times")
        top = weighing.result()
    looked = outreach.looked(cells)
    frame = _frame(store, found, cells, share, counted, looked).assign(top_probability=top, trend=trend)
    summary = _summary(parameters, found, counted, position, outreach, looked, cells) | {"periods": periods}
    summary["trend"] = _trend_summary(trend, periods)
    summary["hot_areas"] = find_hot_areas(counted, position, found, share, around)
    summary["near_repeats"] = near_repeats(counted, seed=streams[3])
    warnings = _warnings(parameters, found, counts, summary["sessions"], checked)
    return Findings(
        frame[["cell", *STATISTIC_COLUMNS]], np.where(found.test.tested, counts, 0), around, checked, summary, warnings
    )


def counted_records(parameters: AnalysisParameters, records: pd.DataFrame) -> pd.DataFrame:
    """Return the records that are tested: with hours of outreach as the exposure, only what was found by looking."""
    if parameters.compared_with != ComparedWith.EFFORT:
        return records
    return records[records["found_by_us"].to_numpy(bool)].reset_index(drop=True)


def _has_rim(selection: Selection, exposure: Exposure) -> bool:
    """Whether the study area was drawn round the records; hours of outreach lie where they were, rim or not."""
    return selection.study is None and exposure.kind is not ExposureKind.EFFORT


def _trend(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    selection: Selection,
    counted: pd.DataFrame,
    position: NDArray[np.int64],
    share: NDArray[np.float64],
    around: Neighbourhoods,
) -> tuple[NDArray[np.object_], dict[str, Any]]:
    """Trend class of every cell, and how many months it rests on."""
    n = len(share)
    if not len(selection.months):
        return np.full(n, str(TrendClass.INSUFFICIENT_HISTORY), object), {"months": 0, "missing": 0}
    first, months = int(selection.months.min()), int(selection.months.max() - selection.months.min()) + 1
    known = np.bincount(selection.months - first, minlength=months)
    # Files say what an empty month means; without one, nobody needs to ask them.
    present = known > 0
    if not present.all():
        present = months_present(known, *_file_months(store, scope, parameters, first))
    told = {"months": int(present.sum()), "missing": int((~present).sum())}
    if present.sum() < MIN_PERIODS:
        return np.full(n, str(TrendClass.INSUFFICIENT_HISTORY), object), told
    month = local_months(midpoint_us(counted["from_us"].to_numpy(), counted["to_us"].to_numpy())) - first
    totals = np.bincount(month, minlength=months)
    counts = np.bincount(position * months + month, minlength=n * months).reshape(n, months)
    disk = around.disk(2)
    observed = np.rint(disk @ counts.astype(float)).astype(np.int64)
    trends = classify_trends(observed, totals, disk @ share, present, alpha=parameters.alpha)
    return np.asarray([str(one) for one in trends.classes], object), told


def _trend_summary(trend: NDArray[np.object_], periods: dict[str, Any]) -> str | dict[str, int]:
    """How many cells are of each class; one word where the history is too short for any."""
    if periods["months"] < MIN_PERIODS:
        return str(TrendClass.INSUFFICIENT_HISTORY)
    names, counts = np.unique(trend.astype(str), return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _file_months(
    store: Store, scope: Scope, parameters: AnalysisParameters, first: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last month of every file of the record kinds, counted from ``first``, and its records."""
    spans = store.evidence.file_spans(scope, parameters.record_kinds)
    ends = np.column_stack([local_months(spans["first_us"].to_numpy()), local_months(spans["last_us"].to_numpy())])
    return ends - first, spans["records"].to_numpy(np.int64)


def _check_grids(
    parameters: AnalysisParameters, selection: Selection, exposure: Exposure, at: Indexed, *, seed: int
) -> tuple[HotGrid, ...] | None:
    """Hot cells of three resolutions laid three ways; None where the finest would have too many cells."""
    finest = parameters.resolution + 1
    if not len(at.lon):
        return None
    if selection.study is not None and estimated_cells(selection.study, finest) > 2 * MAX_CELLS:
        return None
    asked: list[tuple[Grid, h3cells.Cells, h3cells.Cells]] = []
    for grid in reversed(list(grids(parameters.resolution, float(np.median(at.lat[at.inverse]))))):
        here = at.distinct_cells(grid.resolution, grid.shift_degrees)
        if selection.study is None and len(np.unique(here)) > MAX_CELLS // 4:
            return None
        study = study_cells(selection.study, here, grid.resolution)
        if len(study) > MAX_CELLS:
            return None
        asked.append((grid, here, study))
    rim = _has_rim(selection, exposure)

    def check(number: int) -> HotGrid:
        grid, here, study = asked[number]
        return hot_on(
            grid, here, at.times, study, exposure, seed=seed + number, alpha=parameters.alpha, rim=rim
        )  # fmt: skip

    with ThreadPoolExecutor(at.workers) as pool:  # each grid has a seed of its own
        return tuple(pool.map(check, range(len(asked))))


def _top(
    parameters: AnalysisParameters,
    records: pd.DataFrame,
    cells: h3cells.Cells,
    share: NDArray[np.float64],
    around: Neighbourhoods,
    *,
    seed: int,
) -> NDArray[np.float64]:
    """Probability that each cell is in the top 1 %, over likely positions and times; NaN-free, zero without records."""
    if not len(records) or not len(cells):
        return np.zeros(len(cells))
    start, end = period_us(parameters)
    from_us, to_us = records["from_us"].to_numpy(float), records["to_us"].to_numpy(float)
    inside = np.clip((np.minimum(to_us, float(end)) - np.maximum(from_us, float(start))) / (to_us - from_us), 0.0, 1.0)
    at = index_records(records)
    known_m, precision = np.unique(records["precision_m"].to_numpy(float), return_inverse=True)
    stated, which = np.unique(at.inverse * len(known_m) + precision, return_inverse=True)
    place, precision = np.divmod(stated, len(known_m))
    where = likely_cells(
        at.lon[place], at.lat[place], known_m[precision], parameters.resolution, workers=at.workers
    )  # fmt: skip
    nearest = np.minimum(np.searchsorted(cells, where), len(cells) - 1)
    positions = np.where(cells[nearest] == where, nearest, -1)
    return top_probability(positions, inside, share, around, seed=seed, which=which)


def _frame(
    store: Store,
    found: Hotspots,
    cells: h3cells.Cells,
    share: NDArray[np.float64],
    counted: pd.DataFrame,
    looked: NDArray[np.bool_],
) -> pd.DataFrame:
    lon, lat = h3cells.centres(cells)
    centres_m = np.column_stack(store.crs.project(lon, lat)) if len(cells) else np.empty((0, 2))
    density = kernel_density(
        counted[["x_m", "y_m"]].to_numpy(float), np.ones(len(counted)), centres_m, cell_area_m2=mean_area_m2(cells)
    )
    test = found.test
    return pd.DataFrame(
        {
            "cell": cells,
            "share": share,
            "observed": test.observed,
            "expected": test.expected,
            "rate_ratio": test.rate_ratio,
            "ratio_low": test.ratio_low,
            "ratio_high": test.ratio_high,
            "p_value": test.p_value,
            "q_value": test.q_value,
            "scan_p": found.scan.p_value,
            "scan_radius": found.scan.radius,
            "hot": found.hot.astype(np.int64),
            "rate": found.rate,
            "density_km2": density,
            "gi_star_z": found.gi_star_z,
            "gi_star_reliable": found.gi_star_reliable.astype(np.int64),
            "state": cell_states(found.hot, looked),
        }
    )


def mean_area_m2(cells: h3cells.Cells) -> float:
    """Mean area of some fifty cells of a study area, which hardly differ."""
    return float(h3cells.areas_km2(cells[:: max(1, len(cells) // 50)]).mean() * 1e6) if len(cells) else 1.0


def _summary(
    parameters: AnalysisParameters,
    found: Hotspots,
    counted: pd.DataFrame,
    position: NDArray[np.int64],
    outreach: Effort,
    looked: NDArray[np.bool_],
    cells: h3cells.Cells,
) -> dict[str, Any]:
    tested = found.test.tested[position]
    return {
        "hot_cells": int(found.hot.sum()),
        "compared_with": str(parameters.compared_with),
        "tested_records": int(tested.sum()),
        "simulations": found.scan.simulations,
        "found_by_us": int((counted["only_by_us"].to_numpy(bool) & tested).sum()),
        "sessions": outreach.sessions_in(cells),
        "looked_cells": int(looked.sum()),
    }


def _warnings(
    parameters: AnalysisParameters,
    found: Hotspots,
    counts: NDArray[np.int64],
    sessions: int,
    checked: tuple[HotGrid, ...] | None,
) -> list[str]:
    warnings = []
    if not found.hot.any():
        warnings.append(NO_HOT_CELLS)
    beyond = int(counts[~found.test.tested].sum())
    if beyond:
        warnings.append(
            f"{plural(beyond, 'record')} with no exposure in the whole window round it: compared with nothing."
        )
    if not sessions:
        warnings.append(
            "No outreach session with a position lies in this area and period, so a quiet cell cannot be told from one where nobody looked."
        )
    if checked is None and counts.any():
        warnings.append("The area is too large to check other grids: how stable a place is was not tested.")
    if found.scan.simulations < parameters.simulations:
        warnings.append(
            f"The area is so large that {found.scan.simulations} simulations were made instead of {parameters.simulations}."
        )
    return warnings

"""Proof on the user's own data: how often chance alone raises an alarm, and whether the map points to what comes next."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.layers import require_layers
from app.services.selecting import Selection, select
from app.services.statistics import counted_records, mean_area_m2
from app.services.study import effort, exposure_of, study_cells
from data.ids import uuid7
from data.proofs import BACKTEST, CALIBRATION, Proof
from data.store import Store
from geo import cells as h3cells
from geo.backtest import AREA_FRACTIONS, Accuracy, accuracy, compare_with_best_peer, mean_interval
from geo.calibration import calibrate
from geo.errors import InvalidParameter
from geo.model import Run, Scope
from geo.neighbourhoods import Neighbourhoods
from geo.parameters import AnalysisParameters
from geo.shrinkage import shrunk_rates
from geo.surface import BANDWIDTH_M, kernel_density
from geo.temporal import day_interval, midpoint_us
from geo.view import LATEST

Progress = Callable[[str], None]

OURS: Final = "lapwing"
COUNTS: Final = "counts"
KDE: Final = "kde"
METHODS: Final = (OURS, COUNTS, KDE)
EARLIEST: Final = date(1970, 1, 1)


def calibrate_run(store: Store, scope: Scope, run: Run, *, simulations: int, seed: int, now_us: int) -> Proof:
    """Rerun the rule of an analysis on records that fall by its exposure alone, as many as it had.

    Raises
    ------
    Conflict
        When the analysis has no statistics or its layers are gone.
    """
    require_layers(run)
    parameters = AnalysisParameters.from_json(run.parameters)
    found = store.runs.statistics(scope, run.run_id)
    total = int(run.summary["tested_records"])
    outcome = calibrate(
        total, found["share"].to_numpy(), Neighbourhoods.of(found["cell"].to_numpy()), simulations=simulations, seed=seed,
        alpha=parameters.alpha, scan_simulations=int(run.summary["simulations"]),
    )  # fmt: skip
    result = {
        "simulations": outcome.simulations,
        "false_alarms": outcome.false_alarms,
        "rate": outcome.rate,
        "interval": list(outcome.interval),
        "alpha": parameters.alpha,
        "records": total,
        "cells": len(found),
        "compared_with": str(parameters.compared_with),
    }
    question = {"simulations": simulations, "seed": seed}
    return _kept(store, scope, CALIBRATION, run.run_id, question, result, now_us)


@dataclass(frozen=True, kw_only=True)
class BacktestRequest:
    """Train on everything up to a day, test month by month until another.

    Raises
    ------
    InvalidParameter
        When there is nothing between the days.
    """

    parameters: AnalysisParameters
    train_to: date
    test_to: date
    area_fractions: tuple[float, ...] = AREA_FRACTIONS

    def __post_init__(self) -> None:
        """Refuse dates and fractions that test nothing."""
        if self.train_to < EARLIEST or self.test_to > LATEST:
            raise InvalidParameter(f"Days lie between {EARLIEST} and {LATEST}.")
        if self.test_to <= self.train_to:
            raise InvalidParameter(f"--test-to {self.test_to} is not after --train-to {self.train_to}.")
        if bad := [part for part in self.area_fractions if not 0 < part < 1]:
            raise InvalidParameter(f"An area fraction of {bad[0]:g} is outside 0..1.")
        if len(set(self.area_fractions)) < len(self.area_fractions):
            raise InvalidParameter("An area fraction is given twice.")

    def periods(self) -> list[tuple[date, date]]:
        """First and last day of each test month, counted from the end of training; the last may be short."""
        starts = [self.train_to + timedelta(days=1)]
        while (after := _next_month(starts[-1])) <= self.test_to:
            starts.append(after)
        ends = [start - timedelta(days=1) for start in starts[1:]] + [self.test_to]
        return list(zip(starts, ends, strict=True))


def for_backtest(parameters: AnalysisParameters, test_to: date) -> AnalysisParameters:
    """Return what an analysis was asked for, over all time up to the end of the test."""
    return replace(parameters, date_from=None, date_to=test_to)


def _next_month(day: date) -> date:
    year, month = day.year + day.month // 12, day.month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))


def backtest(
    store: Store, scope: Scope, request: BacktestRequest, *, seed: int, now_us: int, progress: Progress
) -> Proof:
    """Test the order of cells on the records of later months, beside plain counts and kernel density.

    Raises
    ------
    InvalidParameter
        When there is no record to learn from or to test on.
    """
    parameters = request.parameters
    selection = select(store, scope, parameters)
    records = counted_records(parameters, selection.located)
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    here = h3cells.index_points(records["lon"].to_numpy(float), records["lat"].to_numpy(float), parameters.resolution)
    cells = np.union1d(study_cells(selection.study, here, parameters.resolution), here)
    ground = _Ground.of(store, cells)
    position = np.searchsorted(cells, here)
    points_m = records[["x_m", "y_m"]].to_numpy(float)
    rows: list[tuple[str, float, Accuracy]] = []
    tested = []
    for number, (first, last) in enumerate(request.periods()):
        start_us, end_us = day_interval(first)[0], day_interval(last)[1]
        before, during = at_us < start_us, (at_us >= start_us) & (at_us < end_us)
        if not before.any() or not during.any():
            continue
        progress(f"Testing on {first} to {last}")
        tested.append({"from": first.isoformat(), "to": last.isoformat(), "records": int(during.sum())})
        later = np.bincount(position[during], minlength=len(cells))
        share = _share_before(store, scope, parameters, selection, cells, first)
        for method, score in ground.scores(points_m[before], position[before], share).items():
            rows += [
                (method, part, accuracy(score, later, area_fraction=part, seed=seed + number))
                for part in request.area_fractions
            ]
    if not tested:
        raise InvalidParameter(
            f"There are no records both up to {request.train_to} and between then and {request.test_to}; nothing can be tested."
        )
    result = _result(rows, request.area_fractions, seed) | {"periods": tested, "cells": len(cells)}
    question = {
        "train_to": request.train_to.isoformat(), "test_to": request.test_to.isoformat(), "seed": seed,
        "resolution": parameters.resolution, "area": parameters.area, "bandwidth_m": BANDWIDTH_M,
        "compared_with": str(parameters.compared_with), "categories": sorted(parameters.categories),
        "record_kinds": sorted(map(str, parameters.record_kinds)),
    }  # fmt: skip
    return _kept(store, scope, BACKTEST, None, question, result, now_us)


def _share_before(
    store: Store, scope: Scope, parameters: AnalysisParameters, selection: Selection, cells: h3cells.Cells, first: date
) -> NDArray[np.float64]:
    """Exposure as it was known before a test period: neither incidents nor sessions of later days are in it."""
    known = replace(parameters, date_to=first - timedelta(days=1))
    return exposure_of(store, scope, known, selection, effort(store, scope, known)).shares(cells)


@dataclass(frozen=True)
class _Ground:
    """The study area that every method orders."""

    around: Neighbourhoods
    centres_m: NDArray[np.float64]
    cell_area_m2: float

    @classmethod
    def of(cls, store: Store, cells: h3cells.Cells) -> "_Ground":
        lon, lat = h3cells.centres(cells)
        centres_m = np.column_stack(store.crs.project(lon, lat)) if len(cells) else np.empty((0, 2))
        return cls(Neighbourhoods.of(cells, 2), centres_m, mean_area_m2(cells))

    def scores(
        self, points_m: NDArray[np.float64], position: NDArray[np.int64], share: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Score of every cell by each method: ours is the shrunk rate times the exposure, the records it expects."""
        counts = np.bincount(position, minlength=len(share)).astype(float)
        density = kernel_density(points_m, np.ones(len(points_m)), self.centres_m, cell_area_m2=self.cell_area_m2)
        return {OURS: shrunk_rates(counts, share, self.around) * share, COUNTS: counts, KDE: density}


def _result(rows: list[tuple[str, float, Accuracy]], fractions: tuple[float, ...], seed: int) -> dict[str, Any]:
    table = pd.DataFrame(
        [(method, part, one.area_fraction, one.hit_rate, one.pai, one.pei) for method, part, one in rows],
        columns=["method", "asked", "chosen", "hit_rate", "pai", "pei"],
    )
    results, comparisons = [], []
    for part in fractions:
        pai: dict[str, list[float]] = {}
        for method in METHODS:
            mine = table[(table["method"] == method) & (table["asked"] == part)]
            pai[method] = mine["pai"].dropna().tolist()
            means = {name: _mean(mine[name]) for name in ("hit_rate", "pai", "pei", "chosen")}
            interval = mean_interval(pai[method], seed=seed)
            told = {"method": method, "area_fraction": part, **means}
            results.append(told | {"pai_interval": interval and [round(end, 4) for end in interval]})
        if compared := compare_with_best_peer(pai, own=OURS, area_fraction=part, seed=seed):
            comparisons.append(
                {
                    "area_fraction": part,
                    "best_peer": compared.peer,
                    "difference": round(compared.difference, 4),
                    "interval": compared.interval and [round(end, 4) for end in compared.interval],
                    "not_worse": compared.not_worse,
                }
            )
    return {"results": results, "comparisons": comparisons}


def _mean(values: pd.Series) -> float | None:
    known = values.dropna()
    return round(float(known.mean()), 6) if len(known) else None


def _kept(
    store: Store,
    scope: Scope,
    kind: str,
    run_id: str | None,
    question: dict[str, Any],
    result: dict[str, Any],
    now_us: int,
) -> Proof:
    proof = Proof(
        proof_id=uuid7(now_us), kind=kind, run_id=run_id, question=question, result=result, made_at_us=now_us, made_by=scope.actor
    )  # fmt: skip
    store.proofs.add(scope, proof)
    return proof

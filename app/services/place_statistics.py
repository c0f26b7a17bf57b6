"""What the statistics say of places: hot or not, on how many grids, at which ranks, and whether it is our own doing."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.statistics import Findings
from app.services.time_patterns import bursts, hour_profiles
from geo.bias import rank_of
from geo.cells import Cells
from geo.evidence import scored_facts
from geo.parameters import AnalysisParameters
from geo.scoring import score
from geo.significance import exact_test
from geo.stability import Grid, HotGrid, held_in, rank_intervals
from geo.weights import record_weights

_OF_PEAK = ("observed", "expected", "rate_ratio", "ratio_low", "ratio_high", "p_value", "q_value", "scan_p", "rate")


def describe(
    parameters: AnalysisParameters,
    records: pd.DataFrame,
    group: NDArray[np.int64],
    own: Cells,
    footprints: list[Cells],
    findings: Findings,
    *,
    as_of_us: int,
) -> list[dict[str, Any]]:
    """Statistics of each place as plain values, ready to store with its evidence; ``own`` is the cell of each record.

    The test is that of the scan's best window round the cell that holds most of the place's records. A place is hot when at least
    half of its footprint lies in hot cells, and significant when the scan finds a window round it, of whatever size,
    beyond what chance makes anywhere.
    """
    count = len(footprints)
    if not count:
        return []
    at = np.searchsorted(findings.cells["cell"].to_numpy(), _fullest(own, group, count))
    peak = findings.cells.iloc[at].reset_index(drop=True)
    peak = peak.assign(**_best_windows(findings, at, peak["scan_radius"].to_numpy()))
    of_each = record_weights(records, dict(parameters.harm_weights))
    weight = np.bincount(group, of_each, minlength=count)
    ours = records["only_by_us"].to_numpy(bool)
    found_by_us = np.bincount(group[ours], minlength=count)
    others = records.loc[~ours, ["agency", "source", "to_us"]]
    without = _scores(others, group[~ours], of_each[~ours], count, as_of_us=as_of_us)
    held = held_in(footprints, findings.checked) if findings.checked is not None else [None] * count
    burst = bursts(records, group, count, eps_m=parameters.eps_m, min_weight=parameters.min_weight)
    profiles = hour_profiles(records, group, count)
    hot = held_in(footprints, [_own_grid(parameters, findings)])
    at_peak = {name: peak[name].tolist() for name in (*_OF_PEAK, "trend", "top_probability")}
    return [
        {name: float(f"{at_peak[name][i]:.6g}") for name in _OF_PEAK}
        | {
            "observed": int(at_peak["observed"][i]),
            "hot": bool(hot[i]),
            "significant": bool(at_peak["scan_p"][i] <= parameters.alpha),
            "trend": str(at_peak["trend"][i]),
            "top_probability": round(float(at_peak["top_probability"][i]), 3),
            "held_in": held[i],
            "checks": len(findings.checked) if findings.checked is not None else 0,
            "weight": round(float(weight[i]), 6),
            "found_by_us": int(found_by_us[i]),
            "score_without_ours": without[i],
            "burst": burst[i],
            "profile": profiles[i],
        }
        for i in range(count)
    ]


def order_places(evidence: list[dict[str, Any]], *, seed: int) -> list[int]:
    """Positions of places in listing order: significant ones first, then by score.

    Each place learns the interval of its rank and its rank without what we found ourselves.
    """
    count = len(evidence)
    scores = np.asarray([facts["score"]["score"] for facts in evidence], float)
    records = np.asarray([facts["records"] for facts in evidence], np.int64)
    significant = np.asarray([facts["significant"] for facts in evidence], bool)
    interval = rank_intervals(records, scores / np.maximum(records, 1), seed=seed)
    without = rank_of(np.asarray([facts["score_without_ours"] for facts in evidence], float))
    with_ours = rank_of(scores)
    for number, facts in enumerate(evidence):
        facts["rank_by_score"] = int(with_ours[number])
        facts["rank_interval"] = interval[number].tolist()
        facts["rank_without_ours"] = int(without[number])
    return sorted(range(count), key=lambda n: (not significant[n], -scores[n], -records[n], n))


def _best_windows(
    findings: Findings, at: NDArray[np.int64], radius: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """What was observed and expected in the window of each place's own radius, with the exact interval."""
    share = findings.cells["share"].to_numpy()
    observed, inside = np.zeros(len(at), np.int64), np.zeros(len(at))
    for k in np.unique(radius):
        rows = radius == k
        window = findings.around.disk(int(k))[at[rows]]
        observed[rows] = np.rint(window @ findings.counts.astype(float)).astype(np.int64)
        inside[rows] = window @ share
    test = exact_test(observed, inside, int(findings.counts.sum()))
    return {name: getattr(test, name) for name in ("observed", "expected", "rate_ratio", "ratio_low", "ratio_high")}


def _scores(
    records: pd.DataFrame, group: NDArray[np.int64], of_each: NDArray[np.float64], count: int, *, as_of_us: int
) -> list[float]:
    """Score that each place would have with these records alone, each of its own weight; 0 where nothing is left."""
    weight = np.bincount(group, of_each, minlength=count)
    told = scored_facts(records, group, count, as_of_us=as_of_us)
    return [score(facts | {"weight": float(weight[i])})["score"] if facts else 0.0 for i, facts in enumerate(told)]


def _own_grid(parameters: AnalysisParameters, findings: Findings) -> HotGrid:
    hot = findings.cells["hot"].to_numpy(bool)
    return HotGrid(Grid(parameters.resolution, 0.0), findings.cells["cell"].to_numpy()[hot])


def _fullest(cells: Cells, group: NDArray[np.int64], count: int) -> Cells:
    """Cell with most records of each group, the lowest where several are equal."""
    distinct, number = np.unique(cells, return_inverse=True)
    pairs, times = np.unique(group * len(distinct) + number, return_counts=True)
    own, cell = np.divmod(pairs, len(distinct))
    order = np.lexsort((cell, -times, own))
    first = np.searchsorted(own[order], np.arange(count))
    return distinct[cell[order][first]]

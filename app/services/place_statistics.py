"""What the statistics say of places: hot or not, on how many grids, at which ranks, and whether it is our own doing."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.statistics import Findings
from app.services.time_patterns import bursts, hour_profiles
from geo import cells as h3cells
from geo.bias import found_by_us, rank_of
from geo.cells import Cells
from geo.model import AnalysisParameters
from geo.stability import Grid, HotGrid, held_in, rank_intervals
from geo.weights import record_weights

_OF_PEAK = ("observed", "expected", "rate_ratio", "ratio_low", "ratio_high", "p_value", "q_value", "scan_p", "rate")


def describe(
    parameters: AnalysisParameters,
    records: pd.DataFrame,
    group: NDArray[np.int64],
    footprints: list[Cells],
    findings: Findings,
) -> list[dict[str, Any]]:
    """Statistics of each place as plain values, ready to store with its evidence.

    The test is that of the window round the cell that holds most of the place's records. A place is hot when at least
    half of its footprint lies in hot cells, and significant when the scan finds a window round it, of whatever size,
    beyond what chance makes anywhere.
    """
    count = len(footprints)
    if not count:
        return []
    own = h3cells.index_points(records["lon"].to_numpy(float), records["lat"].to_numpy(float), parameters.resolution)
    at = np.searchsorted(findings.cells["cell"].to_numpy(), _fullest(own, group, count))
    peak = findings.cells.iloc[at].reset_index(drop=True)
    weight = np.bincount(group, record_weights(records, dict(parameters.harm_weights)), minlength=count)
    ours = np.bincount(group[found_by_us(records)], minlength=count)
    held = held_in(footprints, findings.checked) if findings.checked is not None else [None] * count
    burst = bursts(records, group, count, eps_m=parameters.eps_m, min_weight=parameters.min_weight)
    profiles = hour_profiles(records, group, count)
    hot = held_in(footprints, [_own_grid(parameters, findings)])
    return [
        {name: float(f"{peak[name].iat[i]:.6g}") for name in _OF_PEAK}
        | {
            "observed": int(peak["observed"].iat[i]),
            "hot": bool(hot[i]),
            "significant": bool(peak["scan_p"].iat[i] <= parameters.alpha),
            "trend": str(peak["trend"].iat[i]),
            "top_probability": round(float(peak["top_probability"].iat[i]), 3),
            "held_in": held[i],
            "checks": len(findings.checked) if findings.checked is not None else 0,
            "weight": round(float(weight[i]), 6),
            "found_by_us": int(ours[i]),
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
    score = np.asarray([facts["score"]["score"] for facts in evidence], float)
    records = np.asarray([facts["records"] for facts in evidence], np.int64)
    significant = np.asarray([facts["significant"] for facts in evidence], bool)
    ours = np.asarray([facts["found_by_us"] for facts in evidence], np.int64)
    interval = rank_intervals(records, score / np.maximum(records, 1), seed=seed)
    without = rank_of(score * (1 - ours / np.maximum(records, 1))) if count else np.zeros(0, np.int64)
    with_ours = rank_of(score) if count else np.zeros(0, np.int64)
    for number, facts in enumerate(evidence):
        facts["rank_by_score"] = int(with_ours[number])
        facts["rank_interval"] = interval[number].tolist()
        facts["rank_without_ours"] = int(without[number])
    return sorted(range(count), key=lambda n: (not significant[n], -score[n], -records[n], n))


def _own_grid(parameters: AnalysisParameters, findings: Findings) -> HotGrid:
    hot = findings.cells["hot"].to_numpy(bool)
    return HotGrid(Grid(parameters.resolution, 0.0), findings.cells["cell"].to_numpy()[hot])


def _fullest(cells: Cells, group: NDArray[np.int64], count: int) -> Cells:
    """Cell with most records of each group, the lowest where several are equal."""
    pairs, times = np.unique(np.column_stack([group, cells]), axis=0, return_counts=True)
    order = np.lexsort((pairs[:, 1], -times, pairs[:, 0]))
    first = np.searchsorted(pairs[order, 0], np.arange(count))
    return pairs[order, 1][first]

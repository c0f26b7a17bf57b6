"""Which two records report one event: the pairs worth comparing, and what the rules say of a pair.

Work grows with the pairs that are near, never with the square of a stack.
"""

import math
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.same_event_rules import COMPARED, MINUTE_US, NO_MATCH, Ints, Reports

Flags = NDArray[np.bool_]

# More rows than this from one agency in one small cell are tied to the first, and only that is compared with others.
_CROWD: Final = 10
# Where more reports than this stand in one large cell, likeness across agencies is chance.
_BUSY: Final = 20
# How many earlier records of its reference a record is compared with.
_LAGS: Final = 8


def find_matches(reports: Reports) -> tuple[pd.DataFrame, Ints]:
    """Find the pairs of records that report one event.

    Returns
    -------
    matches : DataFrame
        As of :func:`judge`, each pair once, ``a < b``, without those that meet no rule or that a person has separated.
    unit : ndarray of int64, shape (n,)
        First row of the crowd that each row belongs to, or the row itself.
    """
    unit, busy = _crowds(reports)
    judged = judge(reports, _candidates(reports, unit, busy))
    return judged[judged["reason"] < NO_MATCH], unit


def judge(reports: Reports, pairs: Ints) -> pd.DataFrame:
    """Say what each pair of rows is, whichever of the two comes first.

    Parameters
    ----------
    reports : Reports
    pairs : ndarray of int64, shape (p, 2)

    Returns
    -------
    DataFrame, shape (p, 8)
        ``a, b, reason`` (index into ``REASONS``, or ``NO_MATCH``), ``same_agency, distance_m, gap_us`` (0 where the
        times overlap), and ``limit_m, limit_us`` of the rule that the pair meets.
    """
    rules, (a, b) = reports.rules, pairs.T
    one, two = ({name: reports.table[name].to_numpy()[side] for name in COMPARED} for side in (a, b))
    # From the last moment of the earlier, for intervals are half-open, to the first of the later.
    gap_us = np.maximum(one["from_us"], two["from_us"]) - np.minimum(one["to_us"], two["to_us"]) + 1
    distance_m = np.hypot(one["x_m"] - two["x_m"], one["y_m"] - two["y_m"])
    blur_m = np.hypot(np.nan_to_num(one["precision_m"]), np.nan_to_num(two["precision_m"]))
    alike, same_agency = (one["like"] == two["like"]) & (one["like"] >= 0), one["who"] == two["who"]
    limits_m = [
        np.maximum(rules.reference_distance_m, blur_m),
        np.maximum(rules.max_distance_m, np.minimum(blur_m, rules.max_precision_m)),
        np.full(len(a), rules.repeat_distance_m),
    ]
    minutes = [1440 * rules.reference_gap_days, rules.max_gap_minutes, rules.repeat_gap_minutes]
    limits_us = [np.full(len(a), limit * MINUTE_US) for limit in minutes]
    met = [
        (one["ref"] == two["ref"]) & (one["ref"] >= 0) & ~(distance_m > limits_m[0]),  # no position contradicts nothing
        alike & ~same_agency & (distance_m <= limits_m[1]),
        alike & same_agency & one["brief"] & two["brief"] & (distance_m <= limits_m[2]),
    ]
    met = [near & (gap_us <= limit_us) for near, limit_us in zip(met, limits_us, strict=True)]
    measures = {"a": a, "b": b, "reason": np.select(met, range(NO_MATCH), NO_MATCH), "same_agency": same_agency}
    measures |= {"distance_m": distance_m, "gap_us": np.maximum(0, gap_us)}
    return pd.DataFrame(measures | {"limit_m": np.select(met, limits_m), "limit_us": np.select(met, limits_us)})


def _crowds(reports: Reports) -> tuple[Ints, Flags]:
    """First row of the crowd that a row belongs to, or itself; and whether it is where agencies cannot be compared."""
    table, rules = reports.table, reports.rules
    count = len(table)
    unit, first = np.arange(count), np.arange(count)
    rows = table[(table["like"] >= 0) & table["brief"]]
    side_m = 0.99 * rules.repeat_distance_m / math.sqrt(2)  # any two in a cell of this side are within the distance
    first[rows.index] = _first_in_cell(rows, ["like", "who"], side_m, rules.repeat_gap_minutes)
    crowded = np.bincount(first, minlength=count)[first] > _CROWD
    crowded[reports.apart] = False
    unit[crowded] = first[crowded]

    rows = table[table["like"] >= 0]
    large = _first_in_cell(rows, ["like"], rules.reach_m, rules.max_gap_minutes)
    told = first[rows.index] == rows.index
    busy = np.zeros(count, bool)
    busy[rows.index] = np.bincount(large[told], minlength=count)[large] > _BUSY
    return unit, busy


def _first_in_cell(rows: pd.DataFrame, columns: list[str], side_m: float, minutes: float) -> Ints:
    """Index label of the first row that shares each row's cell of place and time and its values in these columns."""
    cells = rows[columns].assign(
        east=np.floor(rows["x_m"] / side_m),
        north=np.floor(rows["y_m"] / side_m),
        turn=rows["from_us"] // max(1, math.floor(minutes * MINUTE_US)),
    )
    code = cells.groupby(list(cells.columns), sort=False).ngroup().to_numpy()
    return rows.index.to_numpy()[np.unique(code, return_index=True)[1][code]]


def _candidates(reports: Reports, unit: Ints, busy: Flags) -> Ints:
    """Pairs of rows worth comparing, shape (p, 2), the smaller row first, each pair once, none that is separated."""
    table, rules = reports.table, reports.rules
    rows = np.arange(len(table))
    alone = table[(table["like"] >= 0) & (unit == rows)]
    several = alone[~busy[alone.index] & (alone.groupby("like")["who"].transform("nunique") > 1)]
    found = [
        np.column_stack([unit, rows])[unit != rows],
        _near(alone[alone["brief"]], ["like", "who"], rules.repeat_distance_m, rules.repeat_gap_minutes),
        _near(several, ["like"], rules.reach_m, rules.max_gap_minutes),
        *_chains(table, ["ref"]),
        *_chains(table, ["ref", "who"]),
    ]
    low, high = np.sort(np.concatenate(found), axis=1).T
    pairs = np.setdiff1d(low * len(table) + high, reports.apart @ np.array([len(table), 1]))
    return np.column_stack(np.divmod(pairs, len(table)))


def _near(rows: pd.DataFrame, columns: list[str], reach_m: float, gap_minutes: float) -> Ints:
    """Pairs of rows that agree in these columns and lie in reach in place and time, and a few more."""
    rows = rows[rows.duplicated(columns, keep=False)]
    if rows.empty:
        return np.empty((0, 2), np.int64)
    length_us = rows["to_us"] - rows["from_us"]
    middle_us = rows["from_us"] + length_us // 2
    time = (middle_us - middle_us.min()) / (gap_minutes * MINUTE_US + length_us.max() + 2)
    group = 2.0 * rows.groupby(columns, sort=False).ngroup()  # 2 is out of the reach of 1
    tree = cKDTree(np.column_stack([rows["x_m"] / reach_m, rows["y_m"] / reach_m, time, group]))
    return rows.index.to_numpy()[tree.query_pairs(1 + 1e-6, p=np.inf, output_type="ndarray")]


def _chains(table: pd.DataFrame, columns: list[str]) -> list[Ints]:
    """Pairs of rows of one reference that follow each other closely in time."""
    rows = table[(table["ref"] >= 0) & table.duplicated(columns, keep=False)]
    rows = rows.sort_values([*columns, "from_us"], kind="stable")
    group, at = rows.groupby(columns, sort=False).ngroup().to_numpy(), rows.index.to_numpy()
    lags = range(1, min(_LAGS, len(at) - 1) + 1)
    return [np.column_stack([at[:-lag], at[lag:]])[group[:-lag] == group[lag:]] for lag in lags]

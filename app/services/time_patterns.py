"""When things happen: space-time bursts, near repeats, and hour by weekday, from records dated to the day at least."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.aoristic import MAX_INTERVAL_US, aoristic_profile
from geo.cluster import NOISE
from geo.cluster_spacetime import dbscan_spacetime
from geo.errors import InvalidParameter
from geo.moving_window import scan_window_p
from geo.near_repeat import MAX_PAIRS, knox_table, pairs_at_least
from geo.temporal import local_days, midpoint_us

# A burst is as dense as a cluster, within four weeks.
BURST_DAYS: Final = 28.0
SPACE_BANDS_M: Final = (0.0, 100.0, 200.0, 400.0, 800.0)
TIME_BANDS_DAYS: Final = (0.0, 7.0, 14.0, 28.0, 56.0)
PERMUTATIONS: Final = 199
_DAY_US: Final = 86_400_000_000


def dated(records: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each record is known to the week: a longer interval or a month says nothing of days."""
    return ((records["to_us"] - records["from_us"]) <= MAX_INTERVAL_US).to_numpy(bool)


def _calendar_us(records: pd.DataFrame) -> NDArray[np.int64]:
    """Noon-less calendar days as microseconds, so that bands follow days and no change of the clocks."""
    return local_days(midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())) * _DAY_US


def bursts(
    records: pd.DataFrame, group: NDArray[np.int64], count: int, *, eps_m: float, min_weight: float
) -> list[dict[str, Any] | None]:
    """Return the largest burst of each place: how many records, between which days, and how likely by chance.

    A burst is a cluster in space and time; ``p_value`` is that of as many records of the place within any four weeks,
    given how many it has over the time in which anything was recorded.
    """
    usable = dated(records)
    records, group = records[["x_m", "y_m", "from_us", "to_us"]][usable], group[usable]
    at_us = _calendar_us(records)
    labels = dbscan_spacetime(
        records["x_m"].to_numpy(float), records["y_m"].to_numpy(float), at_us,
        eps_m=eps_m, eps_days=BURST_DAYS, min_weight=min_weight,
    ).labels  # fmt: skip
    days = at_us // _DAY_US
    table = pd.DataFrame({"group": group, "label": labels, "day": days})[labels != NOISE]
    found: list[dict[str, Any] | None] = [None] * count
    sizes = table.groupby(["group", "label"])["day"].agg(["size", "min", "max"]).reset_index()
    sizes = sizes.sort_values(["group", "size", "max"], ascending=[True, False, False]).drop_duplicates("group")
    windows = (int(days.max() - days.min()) + 1) / BURST_DAYS if len(days) else 0.0
    order = np.lexsort((days, group))
    starts, sorted_days = np.searchsorted(group[order], np.arange(count + 1)), days[order]
    for place, _, records_in_it, first, last in sizes.itertuples(index=False):
        own = sorted_days[starts[place] : starts[place + 1]]
        most = int((np.searchsorted(own, own + BURST_DAYS, side="left") - np.arange(len(own))).max())
        found[int(place)] = {
            "records": int(records_in_it),
            "first_day": _iso(first),
            "last_day": _iso(last),
            "most_in_four_weeks": most,
            "p_value": float(f"{scan_window_p(windows, len(own) / max(windows, 1.0), most):.4g}"),
        }
    return found


def _iso(day: int) -> str:
    return str(np.datetime64(int(day), "D"))


def near_repeats(records: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """Near-repeat table of the records, or the reason why there is none."""
    usable = records[["x_m", "y_m", "from_us", "to_us"]][dated(records)]
    if len(usable) < 2:
        return {"reason": "Fewer than two records are dated to the week."}
    too_many = {
        "reason": "There are too many near pairs of records to permute; choose a shorter period or a smaller area."
    }
    x_m, y_m = (usable[name].to_numpy(float) for name in ("x_m", "y_m"))
    if pairs_at_least(x_m, y_m, SPACE_BANDS_M[-1]) > MAX_PAIRS:
        return too_many
    try:
        table = knox_table(
            x_m, y_m, _calendar_us(usable), space_bands_m=SPACE_BANDS_M, time_bands_days=TIME_BANDS_DAYS,
            permutations=PERMUTATIONS, seed=seed,
        )  # fmt: skip
    except InvalidParameter:
        return too_many
    return {
        "records": len(usable),
        "space": list(table.space_labels),
        "time": list(table.time_labels),
        "observed": table.observed.tolist(),
        "expected": np.round(table.expected, 3).tolist(),
        "ratio": np.round(table.ratio, 3).tolist(),
        "p_value": np.round(table.p_value, 4).tolist(),
        "tested": table.tested.tolist(),
        "permutations": table.permutations,
    }


def hour_profiles(records: pd.DataFrame, group: NDArray[np.int64], count: int) -> list[dict[str, Any]]:
    """Aoristic weekday by hour weights of each place, how many records they rest on, and whether those are few."""
    usable = (records["time_basis"].isin(["instant", "interval"])).to_numpy(bool)
    timed = records[usable]
    profile = aoristic_profile(timed["from_us"].to_numpy(), timed["to_us"].to_numpy(), group[usable], count)
    return [
        {
            "weights": np.round(profile.weights[i], 3).tolist() if profile.timed[i] else None,
            "timed": int(profile.timed[i]),
            "cautious": bool(profile.cautious[i]),
        }
        for i in range(count)
    ]

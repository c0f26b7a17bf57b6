"""Where the vehicles of tracks stood still, and the places where several did.

Source: Li, Zheng, Xie, Chen, Liu and Ma (2008), *Mining user similarity based on location history* (stay points).
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.cluster import NOISE, dbscan
from geo.errors import InvalidParameter

STOP_COLUMNS: Final = ("vehicle", "x_m", "y_m", "from_us", "to_us", "fixes", "precision_m")
SHARED_COLUMNS: Final = ("place", "x_m", "y_m", "vehicles", "stops", "seconds")


def find_stops(fixes: pd.DataFrame, *, radius_m: float = 30.0, min_seconds: float = 180.0) -> pd.DataFrame:
    """Find the maximal runs of fixes of one vehicle that stay near where they began, long enough.

    Parameters
    ----------
    fixes : DataFrame
        ``vehicle`` (whole number), ``at_us`` (microseconds UTC), ``x_m``, ``y_m`` (projected metres, finite) and
        ``precision_m`` (radius that holds the true position with 95 % probability).
    radius_m : float
        A fix belongs to a run when at most this, and the larger precision of the two, from the run's first fix.
    min_seconds : float
        Time from the first fix of a run to its last that makes it a stop.

    Returns
    -------
    DataFrame
        ``STOP_COLUMNS`` ordered by vehicle and time: ``x_m``, ``y_m`` are means weighted by 1 / precision squared (a
        precision below a metre counts as a metre), ``from_us`` and ``to_us`` the first and last fix, ``precision_m``
        the median of its fixes.

    Raises
    ------
    InvalidParameter
        When a parameter is not positive or a position is not finite.

    Notes
    -----
    As in Li et al. the anchor is the run's first fix; a run that is too short gives up its first fix and is tried from the
    next, one that is a stop ends at the first fix outside. So stops of a vehicle never overlap. All vehicles advance
    together, so the passes are as many as the busiest vehicle needs, not all of them.

    Examples
    --------
    >>> track = pd.DataFrame({"x_m": [0.0, 4, 2, 500, 900], "at_us": np.arange(5) * 10**8, "vehicle": 1})
    >>> find_stops(track.assign(y_m=0.0, precision_m=5.0))[["x_m", "from_us", "to_us"]].values.tolist()
    [[2.0, 0.0, 200000000.0]]
    """
    if not radius_m > 0 or not min_seconds > 0:
        raise InvalidParameter(f"radius {radius_m} m and {min_seconds} s must be positive.")
    if not np.isfinite(fixes[["x_m", "y_m", "precision_m"]].to_numpy(float)).all():
        raise InvalidParameter("x_m, y_m and precision_m must be finite in every fix.")
    fixes = fixes.sort_values(["vehicle", "at_us", "x_m", "y_m", "precision_m"], ignore_index=True)
    first, last = _runs(fixes, radius_m, min_seconds * 1e6)
    run = np.repeat(np.arange(len(first)), last - first + 1)
    row = np.arange(len(run)) - np.repeat(np.cumsum(last - first + 1) - (last - first + 1), last - first + 1)
    inside = fixes.iloc[row + first[run]]
    weight = 1 / np.maximum(inside["precision_m"].to_numpy(float), 1.0) ** 2
    total = np.bincount(run, weight, minlength=len(first))
    return pd.DataFrame(
        {
            "vehicle": fixes["vehicle"].to_numpy()[first],
            "x_m": np.bincount(run, weight * inside["x_m"], minlength=len(first)) / total,
            "y_m": np.bincount(run, weight * inside["y_m"], minlength=len(first)) / total,
            "from_us": fixes["at_us"].to_numpy()[first],
            "to_us": fixes["at_us"].to_numpy()[last],
            "fixes": last - first + 1,
            "precision_m": inside["precision_m"].groupby(run).median().to_numpy(float),
        }
    )


def shared_stops(stops: pd.DataFrame, *, k: int = 3, eps_m: float = 50.0) -> pd.DataFrame:
    """Find where at least ``k`` distinct vehicles stopped.

    Parameters
    ----------
    stops : DataFrame
        As ``find_stops`` gives them.
    k : int
        Distinct vehicles needed.
    eps_m : float
        Stops within this distance of one another are one place.

    Returns
    -------
    DataFrame
        ``SHARED_COLUMNS`` ordered by place: centre as the mean of the vehicles' own means, so that one vehicle with many
        stops does not draw it to itself; distinct vehicles, stops, and total seconds stood.

    Raises
    ------
    InvalidParameter
        When ``k`` is below 2 or ``eps_m`` is not positive.

    Notes
    -----
    Density clustering (DBSCAN, at least ``k`` stops within ``eps_m``), then the count of distinct vehicles: many stops
    of one vehicle are never a shared place.

    Examples
    --------
    >>> stood = {"vehicle": [1, 2, 3, 3], "x_m": [0.0, 10, 20, 900], "y_m": 0.0, "from_us": 0, "to_us": 200_000_000}
    >>> shared_stops(pd.DataFrame(stood))[["x_m", "vehicles", "seconds"]].values.tolist()
    [[10.0, 3.0, 600.0]]
    """
    if k < 2 or not eps_m > 0:
        raise InvalidParameter(f"k {k} must be at least 2 and eps {eps_m} m positive.")
    found = dbscan(stops["x_m"].to_numpy(float), stops["y_m"].to_numpy(float), eps_m=eps_m, min_weight=k)
    inside = stops.assign(place=found.labels, seconds=(stops["to_us"] - stops["from_us"]) / 1e6)
    inside = inside[inside["place"] != NOISE]
    each = inside.groupby(["place", "vehicle"], as_index=False).agg(
        x_m=("x_m", "mean"), y_m=("y_m", "mean"), stops=("x_m", "size"), seconds=("seconds", "sum")
    )
    places = each.groupby("place", as_index=False).agg(
        x_m=("x_m", "mean"),
        y_m=("y_m", "mean"),
        vehicles=("vehicle", "size"),
        stops=("stops", "sum"),
        seconds=("seconds", "sum"),
    )
    places = places[places["vehicles"] >= k].reset_index(drop=True)
    return places.assign(place=np.arange(len(places)))[list(SHARED_COLUMNS)]


def _runs(fixes: pd.DataFrame, radius_m: float, min_us: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last row of every stop; one anchor and one reader of each vehicle advance in step."""
    x_m, y_m, precision_m = (fixes[name].to_numpy(float) for name in ("x_m", "y_m", "precision_m"))
    at_us = fixes["at_us"].to_numpy(np.int64)
    starts = np.flatnonzero(np.diff(fixes["vehicle"].to_numpy(), prepend=np.nan) != 0)
    ends = np.append(starts[1:], len(fixes))
    anchor, reader = starts.copy(), starts + 1
    found: list[NDArray[np.int64]] = []
    while len(anchor):
        over = reader >= ends
        row = np.where(over, anchor, reader)
        reach_m = radius_m + np.maximum(precision_m[row], precision_m[anchor])
        out = over | (np.hypot(x_m[row] - x_m[anchor], y_m[row] - y_m[anchor]) > reach_m)
        stop = out & (at_us[reader - 1] - at_us[anchor] >= min_us)
        found.append(np.column_stack([anchor, reader - 1])[stop])
        anchor = np.where(stop, reader, anchor + out)
        reader = np.where(out, anchor + 1, reader + 1)
        going = anchor < ends
        anchor, reader, ends = anchor[going], reader[going], ends[going]
    first, last = np.concatenate([*found, np.empty((0, 2), np.int64)]).T
    order = np.argsort(first)
    return first[order], last[order]

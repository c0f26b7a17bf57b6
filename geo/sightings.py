"""Sightings of one vehicle, one after the other, as origin-destination pairs; what lies between is not made up."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from geo.errors import InvalidParameter
from geo.model import SIGMAS_IN_95_PERCENT_RADIUS
from geo.temporal import midpoint_us

MAX_INTERVAL_US: Final = 15 * 60 * 1_000_000


@dataclass(frozen=True)
class OdPairs:
    """Origin-destination pairs, and how many sightings and steps gave none.

    Parameters
    ----------
    pairs : DataFrame
        One row a pair, by vehicle and time: ``vehicle, trip, origin, destination, from_x_m, from_y_m, to_x_m, to_y_m,
        seconds, distance_m, bearing_deg, sigma_m, possible``.
    counts : dict of str to int
        ``no_vehicle``, ``long_interval``, ``no_position`` (sightings left out), ``gap``, ``near`` (steps that are no
        pair) and ``impossible`` (pairs kept, with ``possible`` false).
    """

    pairs: pd.DataFrame
    counts: dict[str, int]


def od_pairs(
    sightings: pd.DataFrame, *, window_s: float = 3600, max_speed_ms: float = 31.3, min_distance_m: float = 100
) -> OdPairs:
    """Pair the consecutive sightings of each vehicle.

    Parameters
    ----------
    sightings : DataFrame
        ``vehicle_hash`` (text; empty where unknown), ``from_us``, ``to_us`` (microseconds UTC), ``x_m``, ``y_m``
        (projected metres) and ``precision_m`` (radius that holds the true position with 95 % probability).
    window_s : float
        Sightings farther apart in time are a gap: no pair, and a new trip.
    max_speed_ms : float
        Metres a second; 31.3 is the limit of 70 miles an hour.
    min_distance_m : float
        Sightings nearer than this are no pair, for the vehicle may not have gone anywhere.

    Returns
    -------
    OdPairs
        ``origin`` and ``destination`` are positions in ``sightings``; ``trip`` numbers chains without a gap;
        ``seconds`` lie between the midpoints of the two intervals; ``bearing_deg`` is 0 to the north and clockwise;
        ``sigma_m`` is the root mean square of the two standard deviations of position.

    Raises
    ------
    InvalidParameter
        Where a limit is not positive.

    Notes
    -----
    Only sightings whose interval is at most 15 minutes long, with a vehicle, a position and a precision, are used. A
    pair is not ``possible`` where the distance less both precisions cannot be driven in the time, both intervals
    stretched to their ends: two cars under one plate, or a clock that is wrong.

    Examples
    --------
    >>> seen = pd.DataFrame({"vehicle_hash": "a", "from_us": [0, 60_000_000], "x_m": [0.0, 600.0], "y_m": 0.0})
    >>> od_pairs(seen.assign(to_us=seen["from_us"], precision_m=10.0)).pairs["bearing_deg"].tolist()
    [90.0]
    """
    if min(window_s, max_speed_ms) <= 0 or min_distance_m < 0:
        raise InvalidParameter("window_s and max_speed_ms must be positive and min_distance_m not negative")
    used, counts = _usable(sightings)
    steps = _steps(used, max_speed_ms)
    same = np.diff(used["vehicle"].to_numpy(np.int64)) == 0
    gap = (steps["seconds"] > window_s).to_numpy(bool)
    near = (steps["distance_m"] < min_distance_m).to_numpy(bool)
    steps.insert(1, "trip", np.cumsum(~same | gap))
    pairs = steps[same & ~gap & ~near].reset_index(drop=True)
    pairs["trip"] = pd.factorize(pairs["trip"])[0].astype(np.int64)
    counts |= {
        "gap": int((same & gap).sum()),
        "near": int((same & ~gap & near).sum()),
        "impossible": int((~pairs["possible"]).sum()),
    }
    return OdPairs(pairs, counts)


def _steps(used: pd.DataFrame, max_speed_ms: float) -> pd.DataFrame:
    """Every sighting with the next one, whether of the same vehicle or not."""
    seen = used.iloc[:-1].reset_index(drop=True)
    then = used.iloc[1:].reset_index(drop=True)
    seconds = (then["at_us"] - seen["at_us"]).to_numpy(float) / 1e6
    east_m, north_m = (then["x_m"] - seen["x_m"]).to_numpy(float), (then["y_m"] - seen["y_m"]).to_numpy(float)
    distance_m = np.hypot(east_m, north_m)
    reach_s = seconds + (seen["span_us"] + then["span_us"]).to_numpy(float) / 2e6
    excess_m = distance_m - (seen["precision_m"] + then["precision_m"]).to_numpy(float)
    return pd.DataFrame(
        {
            "vehicle": seen["vehicle"],
            "origin": seen["position"],
            "destination": then["position"],
            "from_x_m": seen["x_m"],
            "from_y_m": seen["y_m"],
            "to_x_m": then["x_m"],
            "to_y_m": then["y_m"],
            "seconds": seconds,
            "distance_m": distance_m,
            "bearing_deg": np.degrees(np.arctan2(east_m, north_m)) % 360,
            "sigma_m": np.sqrt((seen["precision_m"] ** 2 + then["precision_m"] ** 2) / 2) / SIGMAS_IN_95_PERCENT_RADIUS,
            "possible": excess_m <= max_speed_ms * reach_s,
        }
    )


def _usable(sightings: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Sightings that can be paired, by vehicle and time, and how many cannot for which reason."""
    from_us, to_us = sightings["from_us"].to_numpy(np.int64), sightings["to_us"].to_numpy(np.int64)
    text = sightings["vehicle_hash"].fillna("").astype(str)
    unknown = (text == "").to_numpy(bool)
    long = ~unknown & (to_us - from_us > MAX_INTERVAL_US)
    placed = np.isfinite(sightings[["x_m", "y_m", "precision_m"]].to_numpy(float)).all(axis=1)
    lost = ~unknown & ~long & ~placed
    kept = ~unknown & ~long & ~lost
    used = sightings.loc[kept, ["x_m", "y_m", "precision_m"]].assign(
        vehicle=pd.factorize(text[kept], sort=True)[0].astype(np.int64),
        position=np.flatnonzero(kept),
        at_us=midpoint_us(from_us, to_us)[kept],
        span_us=(to_us - from_us)[kept],
    )
    used = used.sort_values(["vehicle", "at_us", "span_us", "x_m", "y_m", "precision_m"], kind="stable")
    counts = {"no_vehicle": unknown.sum(), "long_interval": long.sum(), "no_position": lost.sum()}
    return used, {reason: int(count) for reason, count in counts.items()}

"""Whether the odds mean what they say: planted truth, stated positions, and how often each stated odds came true.

A record is right when the place it was planted on is the one named; ``unattributed`` is right when that place is not
among those that may be named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.attribution import Odds, Stated, odds
from geo.model import SIGMAS_IN_95_PERCENT_RADIUS, UNATTRIBUTED
from geo.place_kinds import PRIOR, prior_group
from geo.place_shapes import REACH_M
from geo.reference import Reference

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS: Final = 10
NOWHERE: Final = -1


@dataclass(frozen=True)
class Planted:
    """Simulated records: where they are stated to be, and the place each speaks of (``NOWHERE`` for none)."""

    stated: Stated
    entity: Ints


@dataclass(frozen=True)
class AttributionCheck:
    """What came true.

    Parameters
    ----------
    top_1, top_3 : float
        Share of records of a place whose place is the first, or among the first three, named.
    stated, observed : ndarray of float, shape (10,)
        Mean stated probability and share that came true, of all named places and ``unattributed`` of all records pooled by
        stated probability; 0 where a bin is empty.
    cases : ndarray of int64, shape (10,)
    """

    top_1: float
    top_3: float
    stated: Floats
    observed: Floats
    cases: Ints

    def worst(self, min_cases: int) -> float:
        """Largest difference between stated and observed among bins with enough cases."""
        full = self.cases >= min_cases
        return float(np.abs(self.stated - self.observed)[full].max(initial=0.0))


def plant(
    reference: Reference,
    count: int,
    *,
    precision_m: float,
    seed: int,
    prior: Mapping[str, float] = PRIOR,
    blur: Literal["gaussian", "disc"] = "gaussian",
) -> Planted:
    """Plant records on the places of a reference and state their positions with an error.

    Parameters
    ----------
    reference : Reference
    count : int
    precision_m : float
        Radius that holds the true position with 95 % probability.
    seed : int
    prior : mapping
        Shares of the kinds in the simulated world; another than the model's shows what a wrong prior does.
    blur : {"gaussian", "disc"}
        ``gaussian`` shares the model's assumptions, reach included; ``disc`` moves each record evenly within a disc that holds
        95 % of its area in ``precision_m``, without reach.
    """
    rng = np.random.default_rng(seed)
    weight = _weights(reference, prior)
    feature = rng.choice(len(reference) + 1, size=count, p=weight)
    nowhere = feature == len(reference)
    points_m = np.empty((count, 2))
    points_m[~nowhere] = _on(reference, feature[~nowhere], rng)
    points_m[nowhere] = _anywhere(reference, int(nowhere.sum()), rng)
    if blur == "gaussian":
        kinds = reference.kinds[np.minimum(feature, len(reference) - 1)]
        reach_m = np.where(nowhere, 0.0, [REACH_M[kind] for kind in kinds.tolist()])
        sigma_m = np.hypot(precision_m / SIGMAS_IN_95_PERCENT_RADIUS, reach_m)
        points_m += rng.normal(size=(count, 2)) * sigma_m[:, None]
    else:
        radius_m = precision_m / np.sqrt(0.95) * np.sqrt(rng.random(count))
        angle = rng.uniform(0, 2 * np.pi, count)
        points_m += np.column_stack([radius_m * np.cos(angle), radius_m * np.sin(angle)])
    entity = np.where(nowhere, NOWHERE, reference.entity[np.minimum(feature, len(reference) - 1)])
    return Planted(Stated(points_m, np.full(count, precision_m), np.zeros(count, bool)), entity)


def check(planted: Planted, reference: Reference) -> AttributionCheck:
    """Attribute planted records and compare the odds with the truth."""
    found = odds(planted.stated, reference)
    truth = planted.entity
    right = found.entity == truth[found.point]
    named = np.zeros(len(truth), bool)
    named[found.point[right]] = True
    stated = np.concatenate([found.probability, found.unattributed])
    happened = np.concatenate([right, ~named]).astype(float)
    bins = np.minimum((stated * BINS).astype(np.int64), BINS - 1)
    cases = np.bincount(bins, minlength=BINS)
    held = np.maximum(cases, 1)
    placed = truth != NOWHERE
    return AttributionCheck(
        top_1=_among(found, right, truth, 1) / max(int(placed.sum()), 1),
        top_3=_among(found, right, truth, 3) / max(int(placed.sum()), 1),
        stated=np.bincount(bins, stated, minlength=BINS) / held,
        observed=np.bincount(bins, happened, minlength=BINS) / held,
        cases=cases,
    )


def _among(found: Odds, right: NDArray[np.bool_], truth: Ints, listed: int) -> int:
    """Records whose place is among the first so many."""
    starts = np.searchsorted(found.point, np.arange(len(truth)))
    rank = np.arange(len(found.point)) - starts[found.point]
    return int((right & (rank < listed)).sum())


def _weights(reference: Reference, prior: Mapping[str, float]) -> Floats:
    """Chance of each feature, and of none, in a world with these shares of the kinds."""
    scale = np.asarray(
        [prior[group] / PRIOR[group] for group in map(prior_group, reference.place_kinds.tolist())], float
    )
    weight = np.append(reference.mass * scale, reference.unattributed * prior[UNATTRIBUTED] / PRIOR[UNATTRIBUTED])
    return np.asarray(weight / weight.sum())


def _on(reference: Reference, feature: Ints, rng: np.random.Generator) -> Floats:
    """A position on each feature, evenly over it."""
    points_m = np.empty((len(feature), 2))
    shapes = reference.geometry_m[feature]
    dimension = shapely.get_dimensions(shapes)
    points_m[dimension == 0] = shapely.get_coordinates(shapely.centroid(shapes[dimension == 0]))
    lines = shapes[dimension == 1]
    at_m = rng.random(len(lines)) * shapely.length(lines)
    points_m[dimension == 1] = shapely.get_coordinates(shapely.line_interpolate_point(lines, at_m))
    waiting = np.flatnonzero(dimension == 2)
    shapely.prepare(shapes)
    while len(waiting):
        bounds = shapely.bounds(shapes[waiting])
        tried = bounds[:, :2] + rng.random((len(waiting), 2)) * (bounds[:, 2:] - bounds[:, :2])
        inside = shapely.contains_xy(shapes[waiting], tried[:, 0], tried[:, 1])
        points_m[waiting[inside]] = tried[inside]
        waiting = waiting[~inside]
    return points_m


def _anywhere(reference: Reference, count: int, rng: np.random.Generator) -> Floats:
    """Positions evenly over the box that the reference lies in."""
    bounds = shapely.total_bounds(reference.geometry_m)
    return np.asarray(bounds[:2] + rng.random((count, 2)) * (bounds[2:] - bounds[:2]))

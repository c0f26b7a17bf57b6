"""Refuges and placements: what lies at or near one is never evidence, never a name and never drawn."""

import numpy as np
import shapely
from numpy.typing import NDArray

from data.store import Store
from geo.model import FeatureKind, Scope
from geo.validate_features import project_geometries

# Positions nearer than this never become part of a hotspot, and premises and homes nearer than this never name one.
MARGIN_M = 100.0
# The building that is the refuge is left off the map. Leaving out more would draw a ring round it.
SAME_BUILDING_M = 10.0


def near_protected(store: Store, scope: Scope, shapes_m: NDArray[np.object_], margin_m: float) -> NDArray[np.bool_]:
    """Whether each geometry, in the store's metres, lies within ``margin_m`` of a protected place; shape (n,)."""
    near = np.zeros(len(shapes_m), bool)
    features = store.evidence.features(scope, [FeatureKind.PROTECTED])
    if len(features) and len(shapes_m):
        tree = shapely.STRtree(project_geometries(features["geometry"].to_numpy(object), store.crs))
        near[tree.query(shapes_m, predicate="dwithin", distance=margin_m)[0]] = True
    return near

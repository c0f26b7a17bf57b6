"""What people decided, as it may be shown now: no point at a protected place, and the names of nominated places."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import shapely

from app.services.protection import MARGIN_M, near_protected
from data.store import Store
from geo.decisions import Standing
from geo.model import Scope


def rulings(store: Store, scope: Scope) -> Mapping[str, Standing]:
    """What stands of each place. A point that has come to lie at a protected place is shown to nobody."""
    found = dict(store.places.standing(scope))
    for one in store.places.nominations(scope):
        now = found.get(one.place_id, Standing())
        found[one.place_id] = now if now.name is not None else replace(now, name=one.name)
    moved = [place_id for place_id, one in found.items() if one.point is not None]
    if moved:
        lon, lat = np.asarray([found[place_id].point for place_id in moved], float).T
        points_m = shapely.points(*store.crs.project(lon, lat))
        for place_id, hidden in zip(moved, near_protected(store, scope, points_m, MARGIN_M).tolist(), strict=True):
            if hidden:
                found[place_id] = replace(found[place_id], point=None)
    return found

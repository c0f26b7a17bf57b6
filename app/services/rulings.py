"""What people decided, as it may be shown now: no point at a protected place, and the names of nominated places."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.services.protection import MARGIN_M, near_protected, points_near_protected
from data.places import Nomination
from data.store import Store
from geo.decisions import Standing
from geo.model import Scope
from geo.validate_features import project_geometries


def hidden_nominations(store: Store, scope: Scope, nominations: Sequence[Nomination]) -> set[str]:
    """Nominated places near which a protected one has been declared since: what people said of them is nobody's to see."""
    if not nominations:
        return set()
    shapes_m = project_geometries(np.asarray([one.geometry for one in nominations], object), store.crs)
    near = near_protected(store, scope, shapes_m, MARGIN_M)
    return {one.place_id for one, hidden in zip(nominations, near.tolist(), strict=True) if hidden}


def rulings(store: Store, scope: Scope) -> Mapping[str, Standing]:
    """What stands of each place.

    A point that has come to lie at a protected place is shown to nobody, nor is the name of a hidden nomination.
    """
    found = dict(store.places.standing(scope))
    nominations = store.places.nominations(scope)
    hidden_names = hidden_nominations(store, scope, nominations)
    for one in nominations:
        now = found.get(one.place_id, Standing())
        name = None if one.place_id in hidden_names else now.name or one.name
        found[one.place_id] = replace(now, name=name)
    moved = [place_id for place_id, one in found.items() if one.point is not None]
    if moved:
        lon, lat = np.asarray([found[place_id].point for place_id in moved], float).T
        guarded = points_near_protected(store, scope, *store.crs.project(lon, lat), MARGIN_M)
        for place_id, hidden in zip(moved, guarded.tolist(), strict=True):
            if hidden:
                found[place_id] = replace(found[place_id], point=None)
    return found

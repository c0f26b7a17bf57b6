"""What a place's page tells besides the place itself: its months, and the places nearest to it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.services.rulings import rulings
from app.services.run_records import has_records, run_records
from app.services.tasking import place_point
from app.services.view_lists import by_month
from data.store import Store
from geo.decisions import Standing, as_decided
from geo.model import Place, Run, Scope

MAX_NEIGHBOURS: Final = 5
NEAR_M: Final = 2_000.0


@dataclass(frozen=True)
class Neighbour:
    """A place of the same analysis and how far its spot is, metres."""

    place: Place
    standing: Standing
    distance_m: float


def place_months(store: Store, scope: Scope, run: Run, place: Place) -> dict[str, int]:
    """Count the records of a place in every month of the analysis; empty where an earlier version made it."""
    if not has_records(store, scope, run):
        return {}
    records = run_records(store, scope, run)
    return by_month(records, (records["place"] == place.cluster).to_numpy(bool))


def neighbours(store: Store, scope: Scope, run: Run, place: Place) -> list[Neighbour]:
    """Return the nearest other places within two kilometres, by distance between the spots where to look."""
    decided_on = rulings(store, scope)
    others = [as_decided(one, decided_on) for one in store.runs.places(scope, run.run_id)]
    spots = np.asarray([place_point(one, standing) for one, standing in others], float).reshape(-1, 2)
    x_m, y_m = store.crs.project(spots[:, 0], spots[:, 1])
    own = next((i for i, (one, _) in enumerate(others) if one.place_id == place.place_id), None)
    if own is None:
        return []
    apart_m = np.hypot(x_m - x_m[own], y_m - y_m[own])
    near = [int(i) for i in np.argsort(apart_m, kind="stable") if i != own and apart_m[i] <= NEAR_M]
    return [Neighbour(*others[i], float(apart_m[i])) for i in near[:MAX_NEIGHBOURS]]

"""Months of a place and the places nearest to it."""

import numpy as np
import pytest

from app.services.dossier import NEAR_M, neighbours, place_months
from app.services.places import reports_of, view_place
from app.services.rulings import rulings
from app.services.tasking import place_point
from app.wiring import Lapwing
from geo.decisions import as_decided
from geo.model import Scope
from geo.temporal import local_months, midpoint_us

SCOPE = Scope(actor="test")


def test_months_are_those_of_the_records_behind_the_place(city: Lapwing) -> None:
    run = city.store.runs.runs(SCOPE)[0]
    for place in city.store.runs.places(SCOPE, run.run_id):
        rows = reports_of(city.store, SCOPE, view_place(city.store, SCOPE, place.place_id))
        rows = rows[rows["event_key"] == b""]
        months = local_months(midpoint_us(rows["from_us"].to_numpy(np.int64), rows["to_us"].to_numpy(np.int64)))
        told = {
            str(month): int(n)
            for month, n in zip(*np.unique(months.astype("datetime64[M]"), return_counts=True), strict=True)
        }
        assert {month: n for month, n in place_months(city.store, SCOPE, run, place).items() if n} == told


def test_neighbours_come_by_distance(city: Lapwing) -> None:
    run = city.store.runs.runs(SCOPE)[0]
    places = city.store.runs.places(SCOPE, run.run_id)
    spots = {one.place_id: place_point(*as_decided(one, rulings(city.store, SCOPE))) for one in places}
    seen = 0
    for place in places:
        near = neighbours(city.store, SCOPE, run, place)
        apart = [one.distance_m for one in near]
        assert apart == sorted(apart)
        assert all(one.place.place_id != place.place_id and one.distance_m <= NEAR_M for one in near)
        for one in near:
            (lon, lat), (lon2, lat2) = spots[place.place_id], spots[one.place.place_id]
            flat = np.hypot((lon2 - lon) * np.cos(np.radians(lat)), lat2 - lat) * 111_200
            assert one.distance_m == pytest.approx(flat, rel=0.01)
            seen += 1
    assert seen

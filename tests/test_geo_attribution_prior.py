"""Shares of the kinds learnt from records: planted shares come back, few records change little."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.attribution import Stated
from geo.attribution_check import plant
from geo.attribution_prior import PSEUDO_RECORDS, learn_shares
from geo.model import UNATTRIBUTED
from geo.place_kinds import PRIOR
from tests.factories import make_reference


def plain_shares(stated, reference):
    return learn_shares(stated, reference).plain


def town():
    """Twelve parks, 24 takeaways, 60 houses and six streets over just nine squares of a kilometre."""
    parks = [
        (shapely.box(x, y, x + 150, y + 150), "parks", "", f"{x}/{y}")
        for x in range(0, 2400, 600)
        for y in (50, 850, 1650)
    ]
    grills = [
        (shapely.Point(x, y), "premises", "takeaway", "") for x in range(300, 2700, 300) for y in (350, 1150, 1950)
    ]
    houses = [
        (shapely.box(x, y, x + 10, y + 8), "buildings", "house", "")
        for x in range(0, 2400, 120)
        for y in (440, 1240, 2040)
    ]
    roads = [
        (shapely.LineString([(0, y), (2999, y)]), "roads", "", f"{y} Road") for y in (0, 700, 1300, 1900, 2500, 2999)
    ]
    return make_reference(*parks, *grills, *houses, *roads)


TOWN = town()
PLANTED = {"park": 0.40, "takeaway": 0.20, "house": 0.05, "street": 0.15, UNATTRIBUTED: 0.20}


def world():
    """Shares in the terms of the assumed prior: what the town has none of goes into ``unattributed``."""
    shares = dict.fromkeys(PRIOR, 0.0) | {kind: share for kind, share in PLANTED.items() if kind != UNATTRIBUTED}
    return shares | {UNATTRIBUTED: PLANTED[UNATTRIBUTED] * PRIOR[UNATTRIBUTED] / TOWN.unattributed}


def learnt(count, *, precision_m=10.0, seed=1):
    return plain_shares(plant(TOWN, count, precision_m=precision_m, seed=seed, prior=world()).stated, TOWN)


def start():
    groups = TOWN.groups
    return {kind: float(TOWN.mass[groups == kind].sum()) for kind in sorted(set(groups.tolist()))} | {
        UNATTRIBUTED: TOWN.unattributed
    }


@pytest.mark.parametrize(("precision_m", "off"), [(1.0, 0.02), (10.0, 0.02), (50.0, 0.04)])
def test_planted_shares_are_learnt(precision_m, off):
    found = learnt(20_000, precision_m=precision_m)
    assert set(found) == set(PLANTED)
    for kind, share in PLANTED.items():
        assert found[kind] == pytest.approx(share, abs=off), kind


@pytest.mark.parametrize("precision_m", [51.0, 100.0])
def test_houses_are_not_unlearnt_from_coarse_records(precision_m):
    assert learnt(20_000, precision_m=precision_m)["house"] > PLANTED["house"] / 2


def test_the_shares_sum_to_one_and_fit_the_reference():
    found = learnt(500)
    assert sum(found.values()) == pytest.approx(1)
    again = TOWN.reweighted(found, found)
    assert again.mass.sum() + again.unattributed == pytest.approx(1)
    assert again.unattributed == pytest.approx(found[UNATTRIBUTED])


def test_few_records_stay_near_the_start_and_none_leave_it():
    begin = start()
    assert plain_shares(Stated(np.empty((0, 2)), np.empty(0), np.empty(0, bool)), TOWN) == pytest.approx(begin)
    five = plain_shares(Stated(np.full((5, 2), 100.0), np.full(5, 1.0), np.zeros(5, bool)), TOWN)
    for kind, share in begin.items():
        assert abs(five[kind] - share) <= 5 / (5 + PSEUDO_RECORDS) + 1e-3, kind
    assert five["park"] > begin["park"]


def test_more_records_come_nearer_to_the_truth():
    off = [max(abs(learnt(count)[kind] - share) for kind, share in PLANTED.items()) for count in (50, 500, 20_000)]
    assert off[0] > off[1] > off[2]


@pytest.mark.parametrize(("precision_m", "snapped"), [(1.0, True), (100.1, False), (5_000.0, False)])
def test_moved_and_coarse_records_teach_nothing(precision_m, snapped):
    stated = plant(TOWN, 500, precision_m=10.0, seed=3, prior=world()).stated
    dull = Stated(stated.points_m, np.full(500, precision_m), np.full(500, snapped))
    assert plain_shares(dull, TOWN) == pytest.approx(start())
    both = Stated(
        np.concatenate([stated.points_m, dull.points_m]),
        np.concatenate([stated.precision_m, dull.precision_m]),
        np.concatenate([stated.snapped, dull.snapped]),
    )
    assert plain_shares(both, TOWN) == pytest.approx(plain_shares(stated, TOWN))


def test_an_empty_reference_leaves_everything_unattributed():
    stated = Stated(np.zeros((3, 2)), np.ones(3), np.zeros(3, bool))
    assert plain_shares(stated, make_reference()) == pytest.approx({UNATTRIBUTED: 1.0})


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(60)))
def test_the_order_of_records_does_not_matter(order):
    stated = plant(TOWN, 60, precision_m=20.0, seed=4, prior=world()).stated
    again = plain_shares(stated.take(np.array(order)), TOWN)
    assert again == pytest.approx(plain_shares(stated, TOWN), abs=1e-9)


def moved_beside(parks, count, *, seed=5):
    """Snapped positions: so many on a park's edge, the rest anywhere on the streets."""
    rng = np.random.default_rng(seed)
    roads = TOWN.geometry_m[TOWN.place_kinds == "street"]
    on_roads = [
        roads[i].interpolate(rng.random(), normalized=True) for i in rng.integers(len(roads), size=count - parks)
    ]
    greens = TOWN.geometry_m[TOWN.place_kinds == "park"]
    in_parks = [greens[i].representative_point() for i in rng.integers(len(greens), size=parks)]
    points_m = shapely.get_coordinates(np.array([*on_roads, *in_parks], object))
    return Stated(points_m, np.full(count, 100.0), np.ones(count, bool))


def test_moved_records_teach_how_many_are_of_parks_and_nothing_else():
    few, many = (learn_shares(moved_beside(parks, 2_000), TOWN) for parks in (20, 1_000))
    assert few.plain == many.plain == pytest.approx(start())
    assert set(few.snapped) == {"park", "street", UNATTRIBUTED}
    assert few.snapped["park"] < 0.08
    assert many.snapped["park"] == pytest.approx(0.5, abs=0.06)
    assert sum(many.snapped.values()) == pytest.approx(1)

"""The odds come true as stated in the world they assume; planting and counting are what they say."""

import functools

import numpy as np
import pytest
import shapely

from data.demo.geography import make_town
from geo.attribution import Odds, Stated
from geo.attribution_check import NOWHERE, AttributionCheck, Planted, check, plant
from geo.model import UNATTRIBUTED
from geo.place_kinds import PRIOR
from geo.place_shapes import REACH_M
from tests.factories import make_reference

RECORDS = 40_000


@functools.cache
def town():
    """The invented town as a reference."""
    made = make_town(np.random.default_rng(7))
    features = [*made.parks, *made.premises, *made.buildings, *made.roads]
    return make_reference(*((one.geometry, one.kind, one.subtype, one.name) for one in features))


@functools.cache
def checked(precision_m):
    return check(plant(town(), RECORDS, precision_m=precision_m, seed=1), town())


@pytest.mark.parametrize("precision_m", [1.0, 10.0, 50.0, 150.0])
def test_stated_odds_come_true(precision_m):
    found = checked(precision_m)
    assert (found.cases >= 1_000).sum() >= 3
    assert found.worst(1_000) < 0.05
    assert (np.diff(found.stated[found.cases > 0]) > 0).all()


def test_exact_positions_name_the_right_place():
    assert checked(1.0).top_1 >= 0.95


def test_blur_costs_certainty_and_never_honesty():
    tops = [checked(precision_m).top_1 for precision_m in (1.0, 10.0, 50.0, 150.0)]
    assert tops == sorted(tops, reverse=True)
    assert all(checked(precision_m).top_3 >= checked(precision_m).top_1 for precision_m in (1.0, 10.0, 50.0, 150.0))


def test_a_prior_that_is_wrong_shows():
    doubled = {kind: share * (2 if i % 2 else 0.5) for i, (kind, share) in enumerate(PRIOR.items())}
    wrong = check(plant(town(), RECORDS, precision_m=50.0, seed=1, prior=doubled), town())
    assert wrong.worst(1_000) > checked(50.0).worst(1_000)


PARK = (shapely.box(0, 0, 200, 100), "parks", "", "Green")
GATE = (shapely.Point(200, 50), "parks", "", "")
ROAD = (shapely.LineString([(0, -300), (800, -300)]), "roads", "", "Mill Lane")
GRILL = (shapely.Point(700, 700), "premises", "takeaway", "Grill")


def small():
    return make_reference(PARK, GATE, ROAD, GRILL)


def test_records_are_planted_by_share_and_a_gate_is_its_park():
    reference = small()
    planted = plant(reference, 20_000, precision_m=1.0, seed=2)
    wanted = {0: PRIOR["park"], 2: PRIOR["street"], 3: PRIOR["takeaway"], NOWHERE: reference.unattributed}
    assert set(planted.entity.tolist()) == set(wanted)
    for entity, share in wanted.items():
        assert (planted.entity == entity).mean() == pytest.approx(share, abs=0.012)


def test_a_world_with_other_shares_has_them():
    reference = small()
    parks_only = dict.fromkeys(PRIOR, 0.0) | {"park": 1.0}
    assert set(plant(reference, 500, precision_m=1.0, seed=2, prior=parks_only).entity.tolist()) == {0}
    nowhere = dict.fromkeys(PRIOR, 0.0) | {UNATTRIBUTED: 1.0}
    assert set(plant(reference, 500, precision_m=1.0, seed=2, prior=nowhere).entity.tolist()) == {NOWHERE}


@pytest.mark.parametrize("blur", ["gaussian", "disc"])
@pytest.mark.parametrize("precision_m", [40.0, 150.0])
def test_ninety_five_in_a_hundred_lie_within_the_stated_precision(blur, precision_m):
    reference = make_reference(GRILL)
    planted = plant(reference, 60_000, precision_m=precision_m, seed=3, blur=blur)
    moved_m = np.hypot(*(planted.stated.points_m[planted.entity == 0] - [700, 700]).T)
    reach_m = REACH_M["premises"] if blur == "gaussian" else 0.0
    radius_m = np.hypot(precision_m, 2.448 * reach_m)
    assert (moved_m <= radius_m).mean() == pytest.approx(0.95, abs=0.012)
    if blur == "disc":
        assert moved_m.max() <= precision_m / np.sqrt(0.95)
        # Even over the disc: half of its area holds half of them.
        assert np.median(moved_m) == pytest.approx(precision_m / np.sqrt(0.95) / np.sqrt(2), rel=0.03)


def test_positions_lie_on_what_they_speak_of():
    planted = plant(small(), 2_000, precision_m=1e-6, seed=4, blur="disc")
    points = shapely.points(planted.stated.points_m)
    ground = shapely.union_all([PARK[0], GATE[0]])
    for entity, shape in ((0, ground), (2, ROAD[0]), (3, GRILL[0])):
        assert shapely.distance(points[planted.entity == entity], shape).max() < 1e-5
    park = planted.stated.points_m[planted.entity == 0]
    inside = park[park[:, 0] < 199]
    np.testing.assert_allclose(inside.mean(axis=0), [100, 50], atol=8)


def test_one_seed_gives_one_world():
    one, two = (plant(small(), 100, precision_m=10.0, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.stated.points_m, two.stated.points_m)
    assert (one.stated.points_m != plant(small(), 100, precision_m=10.0, seed=6).stated.points_m).any()


def test_cases_are_counted_as_written(monkeypatch):
    """Three records: right first, right second, and one of nowhere of which nothing is named."""
    found = Odds(
        np.array([0, 0, 1, 1]), np.array([7, 8, 8, 7]), np.array([0.85, 0.05, 0.55, 0.35]), np.array([0.10, 0.10, 1.0])
    )
    monkeypatch.setattr("geo.attribution_check.odds", lambda stated, reference: found)
    stated = Stated(np.zeros((3, 2)), np.ones(3), np.zeros(3, bool))
    told = check(Planted(stated, np.array([7, 7, NOWHERE])), make_reference())
    assert (told.top_1, told.top_3) == (0.5, 1.0)
    assert told.cases.tolist() == [1, 2, 0, 1, 0, 1, 0, 0, 1, 1]
    np.testing.assert_allclose(told.observed, [0, 0, 0, 1, 0, 0, 0, 0, 1, 1])
    np.testing.assert_allclose(told.stated, [0.05, 0.1, 0, 0.35, 0, 0.55, 0, 0, 0.85, 1.0])
    assert told.worst(1) == pytest.approx(0.65)
    assert told.worst(2) == pytest.approx(0.1)
    assert told.worst(3) == 0.0


def test_no_records_check_to_nothing():
    told = check(Planted(Stated(np.empty((0, 2)), np.empty(0), np.empty(0, bool)), np.empty(0, np.int64)), small())
    assert isinstance(told, AttributionCheck)
    assert (told.top_1, told.top_3, told.cases.sum()) == (0.0, 0.0, 0)

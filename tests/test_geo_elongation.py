"""Principal axes against planted rectangles and numpy, and clusters that are a stretch of road."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.elongation import ROAD_COLUMNS, along_road, elongation
from geo.errors import InvalidParameter
from geo.road_graph import road_graph

LANE = shapely.LineString([(0, 0), (600, 0), (1200, 0), (1200, 900)])


def _turned(points_m, bearing_deg):
    """Turn points lying along y so that they lie along a bearing."""
    angle = np.radians(bearing_deg)
    return points_m @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _roads(**lines):
    names = [name.replace("_", " ").rstrip("0123456789") for name in lines]
    return road_graph(np.array([shapely.LineString(line) for line in lines.values()]), np.array(names, object))


def _found(points_m, roads, *, weights=None, precision_m=5.0):
    one = np.ones(len(points_m))
    return along_road(
        points_m,
        weights=one if weights is None else weights,
        group=np.zeros(len(points_m), np.int64),
        count=1,
        precision_m=precision_m * one,
        roads=roads,
    )


def _strip(low_m=300, high_m=700, side_m=5.0):
    x_m = np.arange(low_m, high_m, 10.0)
    return np.column_stack([x_m, np.where(np.arange(len(x_m)) % 2, side_m, -side_m)])


@pytest.mark.parametrize("bearing_deg", [0.0, 17.0, 45.0, 90.0, 133.0, 179.0])
def test_a_rectangle_has_its_length_width_and_bearing(bearing_deg):
    grid = np.stack(np.meshgrid(np.linspace(-20, 20, 41), np.linspace(-200, 200, 401)), axis=-1).reshape(-1, 2)
    points_m = _turned(grid, bearing_deg) + np.array([337_000, 392_000])
    found = elongation(points_m, weights=np.ones(len(grid)), group=np.zeros(len(grid), np.int64), count=1)
    assert found["length_m"][0] == pytest.approx(0.95 * 400, abs=2)
    assert found["width_m"][0] == pytest.approx(0.95 * 40, abs=2)
    assert (found["bearing_deg"][0] - bearing_deg + 90) % 180 - 90 == pytest.approx(0, abs=0.1)


POINTS = st.lists(
    st.tuples(st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 4), st.integers(-1, 3)), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(POINTS, st.randoms(use_true_random=False))
def test_a_weight_is_as_many_points_and_order_does_not_matter(rows, random):
    def measured(rows):
        x_m, y_m, weight, group = np.array(rows, np.int64).reshape(-1, 4).T
        points_m = np.column_stack([x_m, y_m]).astype(float)
        return elongation(points_m, weights=weight.astype(float), group=group, count=4)

    whole = measured(rows)
    single = [(x, y, 1, g) for x, y, weight, g in rows for _ in range(weight)]
    random.shuffle(single)
    again = measured(single)
    assert whole["length_m"].notna().tolist() == [any(g == one for *_, g in rows) for one in range(4)]
    for group in whole.index[whole["length_m"].notna()]:
        points_m = np.array([(x, y) for x, y, _, g in single if g == group], float)
        spread = np.linalg.eigvalsh(np.cov(points_m.T, bias=True)) if len(points_m) > 1 else np.zeros(2)
        if spread[1] > 1.01 * spread[0]:  # a round cloud has no axis
            for name, period in (("length_m", np.inf), ("width_m", np.inf), ("bearing_deg", 180)):
                apart = abs(again[name][group] - whole[name][group])
                assert min(apart, period - apart) < 1e-4
        assert whole["width_m"][group] <= whole["length_m"][group]
        assert 0 <= whole["bearing_deg"][group] < 180


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 60))
def test_the_axis_is_that_of_the_covariance(seed, count):
    rng = np.random.default_rng(seed)
    points_m = rng.normal(0, 1, (count, 2)) @ np.array([[90.0, 40], [0, 6]])
    weights = rng.uniform(0.5, 3, count)
    found = elongation(points_m, weights=weights, group=np.zeros(count, np.int64), count=1)
    axis = np.linalg.eigh(np.cov(points_m.T, aweights=weights))[1][:, 1]
    bearing_deg = np.degrees(np.arctan2(axis[0], axis[1])) % 180
    assert (found["bearing_deg"][0] - bearing_deg + 90) % 180 - 90 == pytest.approx(0, abs=1e-6)
    along_m = np.sort(points_m @ axis)
    assert 0 < found["length_m"][0] <= along_m[-1] - along_m[0] + 1e-9


def test_stray_points_do_not_lengthen_and_groups_do_not_mix():
    line = np.column_stack([np.arange(0, 200, 1.0), np.zeros(200)])
    stray = np.vstack([line, [[5000.0, 0], [-4000, 0]], line + np.array([0, 900])])
    group = np.r_[np.zeros(202, np.int64), np.ones(200, np.int64)]
    found = elongation(stray, weights=np.ones(402), group=group, count=3)
    np.testing.assert_allclose(found["length_m"][:2], 190, atol=10)
    assert found.loc[2].isna().all()


def test_a_strip_along_a_lane_is_a_stretch_of_it():
    found = _found(_strip(), _roads(Long_Lane=LANE, Other_Way=[(0, 200), (1200, 200)]))
    assert tuple(found.columns) == ROAD_COLUMNS
    assert found[["group", "road", "share"]].to_numpy().tolist() == [[0, "Long Lane", 1.0]]
    assert found["bearing_deg"][0] == pytest.approx(90, abs=1)
    ends = shapely.get_coordinates(found["stretch_m"][0])[[0, -1]]
    assert sorted(ends.tolist()) == [[275.0, 0.0], [725.0, 0.0]]


def test_links_of_one_name_are_one_road_whatever_their_order():
    pieces = {"Long_Lane1": [(500, 0), (0, 0)], "Long_Lane2": [(500, 0), (900, 0)]}
    one, two = _found(_strip(), _roads(**pieces)), _found(_strip(), _roads(**dict(reversed(pieces.items()))))
    assert one["road"].tolist() == ["Long Lane"]
    assert one["stretch_m"][0].equals_exact(two["stretch_m"][0], 1e-9)
    assert one["stretch_m"][0].length == 450


@pytest.mark.parametrize(
    "roads",
    [
        _roads(**{"": LANE}),
        _roads(Long_Lane=[(0, 60), (1200, 60)]),
        _roads(West_Road=[(0, 0), (500, 0)], East_Road=[(500, 0), (1200, 0)]),
        _roads(Long_Lane1=[(0, 0), (450, 0)], Long_Lane2=[(560, 0), (1200, 0)]),
    ],
    ids=["no name", "too far", "two names", "a broken chain"],
)
def test_no_one_named_road_no_stretch(roads):
    assert _found(_strip(), roads).empty


def test_a_blob_or_a_short_strip_on_a_road_is_no_stretch():
    roads = _roads(Long_Lane=LANE)
    assert _found(_strip(300, 450), roads).empty
    assert _found(np.vstack([_strip(300, 700, side) for side in (10.0, 60.0, 110.0)]), roads).empty


def test_eight_in_ten_of_the_weight_is_enough_and_less_is_not():
    points_m = _strip()
    points_m[::5, 1] = 25.0
    assert _found(points_m, _roads(Long_Lane=LANE))["share"].tolist() == [pytest.approx(0.8)]
    heavier = np.where(np.arange(40) % 5, 1.0, 1.1)
    assert _found(points_m, _roads(Long_Lane=LANE), weights=heavier).empty
    assert _found(points_m, _roads(Long_Lane=LANE), weights=heavier, precision_m=30.0)["share"].tolist() == [1.0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 1200), min_size=8, max_size=40), st.floats(0, 12))
def test_a_stretch_reaches_beyond_its_points_and_never_ends_on_one(along_m, side_m):
    points_m = np.column_stack([np.array(along_m, float), np.full(len(along_m), side_m)])
    found = _found(points_m, _roads(Long_Lane=[(0, 0), (1200, 0)]))
    for stretch in found["stretch_m"]:
        ends = np.sort(shapely.get_coordinates(stretch)[[0, -1], 0])
        gap_m = [points_m[:, 0].min() - ends[0], ends[1] - points_m[:, 0].max()]
        for gap, at_end in zip(gap_m, [ends[0] < 20, ends[1] > 1180], strict=True):
            assert gap >= 25 or at_end
        for end in shapely.points(shapely.get_coordinates(stretch)[[0, -1]]):
            assert shapely.distance(end, shapely.points(points_m)).min() > 0


def test_refusals_and_nothing():
    points_m, one, group = _strip(), np.ones(40), np.zeros(40, np.int64)
    for wrong in ({"weights": 0 * one}, {"count": 0}):
        with pytest.raises(InvalidParameter):
            elongation(points_m, **{"weights": one, "group": group, "count": 1} | wrong)
    with pytest.raises(InvalidParameter):
        elongation(points_m * np.nan, weights=one, group=group, count=1)
    nothing = elongation(np.empty((0, 2)), weights=np.empty(0), group=np.empty(0, np.int64), count=0)
    assert nothing.empty
    assert _found(np.empty((0, 2)), _roads(Long_Lane=LANE)).empty

"""Which features are one thing, which points are gates, and a prior that is whole whatever was imported."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.model import UNATTRIBUTED
from geo.place_kinds import PRIOR
from geo.reference import GATE_M, GATE_SHARE, SAME_NAME_M
from tests.factories import make_reference


def road(name, *points):
    return (shapely.LineString(points), "roads", "Local Road", name)


def park(name, left, bottom, side=100):
    return (shapely.box(left, bottom, left + side, bottom + side), "parks", "", name)


def point(kind, x_m, y_m, subtype="", name=""):
    return (shapely.Point(x_m, y_m), kind, subtype, name)


def house(x_m, y_m):
    return (shapely.box(x_m - 4, y_m - 4, x_m + 4, y_m + 4), "buildings", "house", "")


def test_two_high_streets_far_apart_are_two_and_the_links_of_each_are_one():
    reference = make_reference(
        road("High Street", (0, 0), (50, 0)),
        road("High Street", (9_000, 0), (9_050, 0)),
        road("High Street", (50, 0), (90, 0)),
        road("Mill Lane", (50, 0), (50, 80)),
        road("High Street", (9_050, 0), (9_090, 0)),
    )
    assert reference.entity.tolist() == [0, 1, 0, 3, 1]


def test_a_street_hangs_together_over_gaps_up_to_a_hundred_metres_and_by_way_of_other_links():
    links = [road("Mill Lane", (i * 150.0, 0), (i * 150.0 + 60, 0)) for i in range(6)]
    assert make_reference(*links).entity.tolist() == [0] * 6
    edge = SAME_NAME_M + 60
    for gap_m, one in ((edge, True), (edge + 0.01, False)):
        apart = make_reference(road("Mill Lane", (0, 0), (60, 0)), road("Mill Lane", (gap_m, 0), (gap_m + 60, 0)))
        assert (apart.entity[1] == 0) == one


def test_only_roads_and_parks_are_joined_by_name_and_never_without_one():
    reference = make_reference(
        park("Green", 0, 0), park("Green", 150, 0), road("Green", (0, 0), (100, 0)),
        point("premises", 0, 0, "shop", "Green"), point("premises", 1, 0, "shop", "Green"),
        road("", (0, 0), (10, 0)), road("", (10, 0), (20, 0)), park("", 0, 300), park("", 0, 400),
    )  # fmt: skip
    assert reference.entity.tolist() == [0, 0, 2, 3, 4, 5, 6, 7, 8]


def test_gates_belong_to_the_nearest_park_within_reach():
    reference = make_reference(
        park("East", 200, 0), park("West", 0, 0),
        point("parks", 100 + GATE_M, 50), point("parks", 199, 50), point("parks", 50, 50),
        point("parks", 0, 100 + GATE_M + 0.01), point("premises", 100, 50, "shop"),
    )  # fmt: skip
    assert reference.gate.tolist() == [False, False, True, True, True, False, False]
    assert reference.entity.tolist() == [0, 1, 1, 0, 1, 5, 6]


def test_a_park_in_parts_owns_the_gates_of_all_of_them():
    reference = make_reference(park("Green", 0, 0), park("Green", 150, 0), point("parks", 255, 50))
    assert reference.entity.tolist() == [0, 0, 0]
    np.testing.assert_allclose(reference.mass.sum(), PRIOR["park"])
    assert reference.mass[2] == pytest.approx(GATE_SHARE * PRIOR["park"])


def test_parks_share_alike_whatever_their_size_and_gates_take_a_fifth():
    reference = make_reference(
        park("Small", 0, 0, 20), park("Large", 1_000, 0, 500), point("parks", 0, 0), point("parks", 20, 20)
    )
    each = PRIOR["park"] / 2
    np.testing.assert_allclose(reference.mass, [0.8 * each, each, 0.1 * each, 0.1 * each])


def test_parts_of_a_park_share_by_area():
    reference = make_reference(park("Green", 0, 0, 100), park("Green", 150, 0, 50), park("Other", 900, 0))
    np.testing.assert_allclose(reference.mass, PRIOR["park"] / 2 * np.array([0.8, 0.2, 1]))


def test_streets_share_by_length():
    reference = make_reference(
        road("A", (0, 0), (300, 0)), road("B", (0, 500), (100, 500)), road("", (0, 900), (0, 1000))
    )
    np.testing.assert_allclose(reference.mass, PRIOR["street"] * np.array([0.6, 0.2, 0.2]))


def test_houses_and_unlabelled_buildings_share_one_entry():
    unlabelled = (shapely.box(100, 0, 110, 10), "buildings", "", "")
    reference = make_reference(house(0, 0), unlabelled, house(200, 0))
    assert reference.place_kinds.tolist() == ["house", "building", "house"]
    np.testing.assert_allclose(reference.mass, PRIOR["house"] / 3)


def test_what_is_not_imported_stays_unattributed():
    assert make_reference().unattributed == pytest.approx(1.0)
    reference = make_reference(park("Green", 0, 0), point("premises", 500, 0, "takeaway"))
    assert reference.unattributed == pytest.approx(1 - PRIOR["park"] - PRIOR["takeaway"])
    assert reference.unattributed > PRIOR[UNATTRIBUTED]


def test_spacing_is_the_way_to_the_next_building_from_centre_to_centre():
    reference = make_reference(house(0, 0), park("Green", 1, 1), house(0, 12), house(30, 12), point("premises", 0, 1))
    assert reference.spacing_m.tolist() == [12, np.inf, 12, 30, np.inf]
    assert make_reference(house(0, 0)).spacing_m.tolist() == [np.inf]
    assert make_reference(house(0, 0), house(0, 0)).spacing_m.tolist() == [0, 0]


def test_the_ground_is_counted_in_square_kilometres_that_the_layers_run_through():
    assert make_reference(house(500, 500), house(600, 600)).area_m2 == 1e6
    assert make_reference(house(500, 500), house(-500, 500)).area_m2 == 2e6
    assert make_reference(road("Long", (100, 500), (9_900, 500))).area_m2 == 10e6


def test_other_shares_move_what_is_unattributed():
    reference = make_reference(park("Green", 0, 0), park("Other", 900, 0), road("A", (0, 0), (300, 0)))
    shares = {"park": 0.5, "street": 0.3, UNATTRIBUTED: 0.2}
    again = reference.reweighted(shares, shares)
    np.testing.assert_allclose(again.mass, [0.25, 0.25, 0.3])
    assert again.unattributed == pytest.approx(0.2)
    np.testing.assert_allclose(reference.mass.sum(), PRIOR["park"] + PRIOR["street"])


POSITION = st.integers(0, 3_000).map(float)


@st.composite
def a_feature(draw):
    x_m, y_m = draw(POSITION), draw(POSITION)
    kind = draw(st.sampled_from(["road", "park", "point", "house", "premises"]))
    name = draw(st.sampled_from(["", "Green", "High Street"]))
    made = {
        "road": lambda: road(name, (x_m, y_m), (x_m + draw(st.integers(1, 500)), y_m)),
        "park": lambda: park(name, x_m, y_m, draw(st.integers(1, 400))),
        "point": lambda: point("parks", x_m, y_m, "", name),
        "house": lambda: house(x_m, y_m),
        "premises": lambda: point(
            "premises", x_m, y_m, draw(st.sampled_from(["shop", "pub", "taxi", "", "school"])), name
        ),
    }
    return made[kind]()


@settings(max_examples=150, deadline=None)
@given(st.lists(a_feature(), max_size=14))
def test_the_prior_is_whole_and_each_kind_keeps_its_share(features):
    reference = make_reference(*features)
    assert (reference.mass >= 0).all()
    assert reference.mass.sum() + reference.unattributed == pytest.approx(1)
    for group in set(reference.groups.tolist()):
        assert reference.mass[reference.groups == group].sum() == pytest.approx(PRIOR[group])
    assert reference.unattributed >= PRIOR[UNATTRIBUTED] - 1e-12


@settings(max_examples=100, deadline=None)
@given(st.lists(a_feature(), max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_features_changes_no_entity_and_no_share(features, random):
    order = list(range(len(features)))
    random.shuffle(order)
    one, two = make_reference(*features), make_reference(*(features[i] for i in order))
    # A gate as near to one park as to another may fall to either: with it their shares.
    tied = bool(one.gate.any())
    same = [[one.entity[i] == one.entity[j] for j in order] for i in order]
    if not tied:
        np.testing.assert_array_equal(
            two.entity[:, None] == two.entity[None], np.array(same).reshape((len(order),) * 2)
        )
        np.testing.assert_allclose(two.mass, one.mass[order])
    np.testing.assert_allclose(two.spacing_m, one.spacing_m[order])
    assert (two.unattributed, two.area_m2) == (pytest.approx(one.unattributed), one.area_m2)

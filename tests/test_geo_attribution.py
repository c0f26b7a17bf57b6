"""From points to places: parks beside roads, no house from a coarse or moved point, honest doubt."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.attribution import Stated, attribute
from geo.model import UNATTRIBUTED
from geo.place_kinds import is_residential, place_kind
from tests.factories import make_reference

PARK = (shapely.box(0, 20, 300, 320), "parks", "Public Park Or Garden", "Orchard Park")
ROAD = (shapely.LineString([(-500, 0), (800, 0)]), "roads", "Local Road", "Mill Lane")

# The rest of a town, far from the points: without it one park and one road would share the whole prior.
ELSEWHERE = [
    *(
        (shapely.LineString([(20_000, 250 * i), (25_000, 250 * i)]), "roads", "Local Road", f"{i} Road")
        for i in range(20)
    ),
    *((shapely.box(20_020, 250 * i + 20, 20_220, 250 * i + 220), "parks", "", f"Park {i}") for i in range(9)),
    *((shapely.box(20_500 + 30 * i, 258, 20_508 + 30 * i, 266), "buildings", "house", f"{i}") for i in range(100)),
    *((shapely.Point(22_000, 250 * i), "premises", "takeaway", f"Grill {i}") for i in range(10)),
]


def at(*points, precision_m=10.0, snapped=False, group=None, weights=None, reference=()):
    """Attribution of one cluster (or of the given groups) of points."""
    count = len(points)
    found = attribute(
        Stated(
            np.array(points, float),
            np.broadcast_to(np.asarray(precision_m, float), count),
            np.broadcast_to(np.asarray(snapped, bool), count),
        ),
        np.ones(count) if weights is None else np.array(weights, float),
        np.zeros(count, np.int64) if group is None else np.array(group),
        make_reference(*reference, *ELSEWHERE),
    )
    return found if group is not None else found[0]


def house(left, bottom, name):
    return (shapely.box(left, bottom, left + 8, bottom + 8), "buildings", "house", name)


@pytest.mark.parametrize(("snapped", "precision_m"), [(False, 100.0), (True, 100.0)])
def test_a_point_on_the_road_beside_a_park_finds_the_park(snapped, precision_m):
    found = at((150, 0), snapped=snapped, precision_m=precision_m, reference=[PARK, ROAD])
    assert (found.kind, found.name) == ("park", "Orchard Park")
    assert [other["name"] for other in found.alternatives] == ["Mill Lane"]
    assert found.probability > 0.5


def test_a_point_in_the_park_is_more_certain_than_one_beside_it():
    inside = at((150, 100), reference=[PARK, ROAD]).probability
    beside = at((150, 0), reference=[PARK, ROAD]).probability
    assert inside > beside


@pytest.mark.parametrize("precision_m", [1.0, 10.0, 100.0])
def test_a_moved_point_never_gives_a_building_or_premises(precision_m):
    exact_only = [house(0, 0, "1 Mill Lane"), (shapely.box(10, 0, 20, 10), "premises", "hotel", "Grand")]
    found = at((4, 4), snapped=True, precision_m=precision_m, reference=exact_only)
    assert (found.kind, found.alternatives) == (UNATTRIBUTED, ())
    found = at((4, 4), snapped=True, precision_m=precision_m, reference=[*exact_only, ROAD])
    assert found.kind == "street"


def test_a_mostly_moved_cluster_speaks_for_its_park():
    points, snapped = [(150, 0)] * 6 + [(160, 22)] * 2, [True] * 6 + [False] * 2
    found = at(
        *points,
        snapped=snapped,
        precision_m=[100] * 6 + [10] * 2,
        reference=[PARK, ROAD, house(150, -12, "1")],
    )
    assert found.kind == "park"


@pytest.mark.parametrize(
    ("precision_m", "kind"), [(5.0, "house"), (9.9, "house"), (10.1, UNATTRIBUTED), (100.0, UNATTRIBUTED)]
)
def test_a_building_needs_precision_within_half_the_spacing(precision_m, kind):
    street = [house(20 * i, 0, f"{i} Mill Lane") for i in range(5)]
    found = at((44, 4), precision_m=precision_m, reference=street)
    assert (found.kind, found.name) == (kind, "2 Mill Lane" if kind == "house" else None)


def test_two_buildings_on_one_spot_cannot_be_told_apart():
    flats = [
        (shapely.Point(0, 0), "buildings", "flat", "Flat 1"),
        (shapely.Point(0, 0), "buildings", "flat", "Flat 2"),
    ]
    assert at((0, 0), precision_m=10.0, reference=flats).kind == UNATTRIBUTED


def test_a_road_explains_only_what_nothing_else_does():
    takeaway = (shapely.Point(150, -12), "premises", "Fast food", "Chicken Box")
    assert at((150, 0), reference=[ROAD]).kind == "street"
    found = at((150, 0), reference=[ROAD, takeaway])
    assert (found.kind, found.name) == ("takeaway", "Chicken Box")
    assert at((150, 60), reference=[ROAD]).kind == UNATTRIBUTED


def test_a_street_of_many_links_is_one_street():
    links = [
        (shapely.LineString([(30 * i, 0), (30 * i + 30, 0)]), "roads", "Local Road", "High Street") for i in range(10)
    ]
    points = [(10 * i, 0) for i in range(30)]
    whole = at(*points, reference=[(shapely.LineString([(0, 0), (300, 0)]), "roads", "Local Road", "High Street")])
    found = at(*points, reference=links)
    assert (whole.kind, found.kind, found.name) == ("street", "street", "High Street")


def test_nothing_near_is_said_honestly():
    nothing = at((0, 0), (5, 5), group=[3, 8])
    assert {group: found.kind for group, found in nothing.items()} == {3: UNATTRIBUTED, 8: UNATTRIBUTED}
    far = at((5000, 5000), reference=[PARK, ROAD])
    assert (far.feature, far.kind, far.name, far.probability, far.alternatives) == (
        None,
        UNATTRIBUTED,
        None,
        1.0,
        (),
    )


def test_doubt_is_the_share_that_no_feature_claims():
    pubs = [(shapely.Point(0, i), "premises", "pub", str(i)) for i in range(10)]
    found = at((0, 5), reference=pubs)
    assert found.kind == UNATTRIBUTED
    assert found.probability < 0.1  # ten features share nearly all of the evidence


def test_weights_count():
    points = [(150, 100), (150, -400)]
    takeaway = (shapely.Point(150, -400), "premises", "kebab", "Grill")
    assert at(*points, weights=[9, 1], reference=[PARK, takeaway]).kind == "park"
    assert at(*points, weights=[1, 9], reference=[PARK, takeaway]).kind == "takeaway"


FEATURES = st.lists(
    st.tuples(
        st.integers(-100, 100),
        st.integers(-100, 100),
        st.sampled_from(["parks", "premises", "buildings", "roads"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda f: f[:2],
)
POINTS = st.lists(
    st.tuples(
        st.integers(-120, 120),
        st.integers(-120, 120),
        st.sampled_from([3.0, 10.0, 60.0]),
        st.booleans(),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
)


def _features(drawn):
    shapes = {"roads": lambda x, y: shapely.LineString([(x, y), (x + 40, y)])}
    return [
        (shapes.get(k, lambda x, y: shapely.box(x, y, x + 9, y + 9))(x, y), k, "", f"{k} {x} {y}") for x, y, k in drawn
    ]


def _everything(points, reference):
    x, y, precision_m, snapped, group = zip(*points, strict=True)
    return at(*zip(x, y, strict=True), precision_m=precision_m, snapped=snapped, group=group, reference=reference)


@settings(max_examples=40, deadline=None)
@given(FEATURES, POINTS)
def test_odds_are_odds_and_moved_clusters_stay_vague(drawn, points):
    found = _everything(points, _features(drawn))
    assert sorted(found) == sorted({point[4] for point in points})
    for group, one in found.items():
        odds = [one.probability, *(other["probability"] for other in one.alternatives)]
        assert sum(odds) <= 1 + 1e-3
        assert all(0 <= p <= 1 for p in odds)
        if one.kind != UNATTRIBUTED:
            assert one.probability == max(odds)
        if all(point[3] for point in points if point[4] == group):
            assert {one.kind, *(other["kind"] for other in one.alternatives)} <= {
                "park",
                "street",
                UNATTRIBUTED,
            }


@settings(max_examples=30, deadline=None)
@given(FEATURES, POINTS, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(drawn, points, random):
    shuffled = points[:]
    random.shuffle(shuffled)
    one, other = _everything(points, _features(drawn)), _everything(shuffled, _features(drawn))
    assert {g: (f.feature, f.kind) for g, f in one.items()} == {g: (f.feature, f.kind) for g, f in other.items()}
    for group, found in one.items():
        assert found.probability == pytest.approx(other[group].probability, abs=2e-4)


@pytest.mark.parametrize(
    ("kind", "subtype", "expected"),
    [
        ("parks", "", "park"),
        ("roads", "A Road", "street"),
        ("buildings", "semidetached_house", "house"),
        ("buildings", "", "building"),
        ("premises", "Fast food", "takeaway"),
        ("premises", "Guest house", "hotel"),
        ("premises", "pub", "licensed"),
        ("premises", "Bus station", "station"),
        ("premises", "Convenience store", "shop"),
        ("premises", "", "premises"),
        ("premises", "Public House", "licensed"),
        ("buildings", "Public House", "licensed"),
        ("buildings", "guest house", "hotel"),
        ("buildings", "School house", "school"),
        ("premises", "Youth club", "premises"),
        ("premises", "Bus shelter", "premises"),
        ("premises", "Barber", "premises"),
        ("premises", "Business office", "premises"),
        ("premises", "Public library", "premises"),
        ("buildings", "barn", "building"),
        ("buildings", "Maisonette over shop", "house"),
    ],
)
def test_kinds_of_place(kind, subtype, expected):
    assert place_kind(kind, subtype) == expected


def test_homes():
    assert [is_residential(kind) for kind in ("house", "building", "hotel", "park", UNATTRIBUTED)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_point_known_to_half_a_kilometre_names_no_business():
    takeaway = (shapely.Point(500, 0), "premises", "takeaway", "Alis Kebab")
    found = at((0, 0), precision_m=707.0, reference=[takeaway])
    assert (found.kind, found.name) == ("unattributed", None)

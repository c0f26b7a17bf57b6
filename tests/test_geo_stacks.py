"""Repeated coordinates: each rule on hand-made scenes, its bounds, and what holds of any records."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InvalidParameter
from geo.stack_evidence import crowd, effective_number
from geo.stack_landmarks import is_reporting
from geo.stacks import STACK_COLUMNS, Landmarks, StackClass, StackMethod, classify_stacks, stack_of_each_record
from tests.stack_city import CLASSES, DAY_US, NULL_ISLAND_M, classify

KINDS = ("theft", "drugs", "violence", "noise", "concern")


def shapes(*geometry):
    column = np.empty(len(geometry), object)
    column[:] = geometry
    return column


def make_landmarks(*, roads=(), premises=(), areas=(), postcodes=(), defaults=()):
    """Landmarks of road lines, (premises, kind), (area, level), postcode points and known defaults."""
    return Landmarks(
        roads_m=shapes(*roads),
        premises_m=shapes(*(shape for shape, _ in premises)),
        premises_kind=shapes(*(kind for _, kind in premises)),
        areas_m=shapes(*(shape for shape, _ in areas)),
        areas_level=shapes(*(level for _, level in areas)),
        postcodes_m=np.array(postcodes, float).reshape(-1, 2),
        defaults_m=np.array(defaults, float).reshape(-1, 2),
    )


def make_stack(x_m, y_m, n, *, kinds=1, agency="police", days=700, snapped=False):
    """Records on one point, of so many kinds in turn, evenly over so many days."""
    columns = {
        "x_m": float(x_m), "y_m": float(y_m), "category": [KINDS[i % kinds] for i in range(n)], "agency": agency,
        "at_us": (np.arange(n) * days // n) * DAY_US, "snapped": snapped,
    }  # fmt: skip
    return pd.DataFrame(columns)


def make_singles(n, *, agency="police", kinds=5):
    """Records on points of their own, far from the scenes."""
    singles = make_stack(0, 0, n, kinds=kinds, agency=agency)
    return singles.assign(x_m=50_000.5 + 300 * np.arange(n), y_m=70_000.5)


def classed(*stacks, landmarks=None):
    """Classes of a scene by (x_m, y_m)."""
    records = pd.concat([one for one in stacks if len(one)], ignore_index=True).astype(
        {"category": object, "agency": object}
    )
    return classify(records, landmarks or Landmarks.none()).set_index(["x_m", "y_m"])


def test_a_source_that_says_it_moved_the_points_is_believed():
    found = classed(
        make_stack(10.5, 10.5, 4, snapped=True), make_stack(20.5, 20.5, 1, snapped=True), make_stack(30.5, 5, 1)
    )
    assert found["stack_class"].tolist() == ["snap_point", "single", "single"]
    assert found["method"].tolist() == ["snapped", "snapped", "as_given"]
    assert found["precision_m"].tolist()[:2] == [100, 100]
    assert np.isnan(found["precision_m"].iat[2])
    assert found["reason"].iat[0] == "4 of 4 records were moved to a map point, says the source"


def test_postcode_precision_is_half_the_way_to_the_next_one_within_bounds():
    postcodes = [(100.2, 0.1), (220.2, 0.1), (5000.2, 0.1), (5004.2, 0.1), (90_000.2, 0.1)]
    found = classed(*(make_stack(x + 1, y, 2) for x, y in postcodes), landmarks=make_landmarks(postcodes=postcodes))
    assert found["stack_class"].tolist() == ["centroid"] * 5
    assert found["of"].tolist() == ["postcode"] * 5
    assert found["precision_m"].tolist() == pytest.approx([60, 60, 25, 25, 500])
    far = classed(make_stack(102.2, 0.1, 2), landmarks=make_landmarks(postcodes=postcodes))
    assert far["stack_class"].tolist() == ["address"]
    alone = classed(make_stack(100.2, 0.1, 2), landmarks=make_landmarks(postcodes=postcodes[:1]))
    assert alone["precision_m"].tolist() == [500]


def test_middles_of_streets_and_centres_of_areas():
    street = shapely.LineString([(100.5, 0.5), (400.5, 0.5)])
    crescent = shapely.LineString([(0.5, 1000.5), (150.5, 1100.5), (300.5, 1000.5)])
    ward = shapely.box(5000, 5000, 5200, 5300)
    landmarks = make_landmarks(roads=[street, crescent], areas=[(ward, "ward")])
    mass = crescent.centroid
    found = classed(
        make_stack(251.5, 0.5, 3), make_stack(mass.x, mass.y, 2), make_stack(5103, 5150, 2), make_stack(5110, 5150, 2),
        landmarks=landmarks,
    )  # fmt: skip
    assert found.loc[(251.5, 0.5), ["stack_class", "of", "precision_m"]].tolist() == ["centroid", "street", 150]
    assert found.loc[(round(mass.x, 3), round(mass.y, 3)), "of"] == "street"
    area = found.loc[(5103.0, 5150.0)]
    assert (area["of"], area["method"]) == ("ward", "centroid")
    assert area["precision_m"] == pytest.approx((60_000 / np.pi) ** 0.5)
    assert found.loc[(5110.0, 5150.0), "stack_class"] == "address"


@pytest.mark.parametrize(("on_line", "expected"), [(4, "address"), (5, "snap_point")])
def test_one_stack_on_a_line_proves_nothing_and_five_do(on_line, expected):
    road = shapely.LineString([(0.5, 0.5), (9000.5, 0.5)])
    stacks = [make_stack(100.5 + 40 * i, 1.2, 3) for i in range(on_line)]
    homes = [make_stack(100.5 + 40 * i, 3.5, 3) for i in range(20)]
    found = classed(*stacks, *homes, landmarks=make_landmarks(roads=[road]))
    assert set(found.loc[found.index.get_level_values("y_m") == 1.2, "stack_class"]) == {expected}
    assert set(found.loc[found.index.get_level_values("y_m") == 3.5, "stack_class"]) == {"address"}


def test_an_agency_that_moves_its_points_moves_them_all():
    road = shapely.LineString([(0.5, 0.5), (9000.5, 0.5)])
    landmarks = make_landmarks(roads=[road])
    on_line = [make_stack(100.5 + 40 * i, 0.9, 3, agency="archive") for i in range(24)]
    shop, home, single = (
        make_stack(500.5, 80.5, 4, agency="archive"),
        make_stack(600.5, 80.5, 4),
        make_stack(700.5, 80.5, 1, agency="archive"),
    )
    found = classed(*on_line, shop, home, single, landmarks=landmarks)
    assert found.loc[(500.5, 80.5), "stack_class"] == "snap_point"
    assert "24 of 25 stacks within 2 m of a road line" in found.loc[(500.5, 80.5), "reason"]
    assert found.loc[(600.5, 80.5), "stack_class"] == "address"
    assert found.loc[(700.5, 80.5), ["stack_class", "method", "precision_m"]].tolist() == ["single", "snapped", 100]
    middles = make_landmarks(
        roads=[shapely.LineString([(40.5 + 40 * i, 0.9), (160.5 + 40 * i, 0.9)]) for i in range(24)]
    )
    by_street = classed(*on_line, shop, landmarks=middles)  # an agency that geocodes to streets does not move addresses
    assert by_street["stack_class"].value_counts().to_dict() == {"centroid": 24, "address": 1}


STATION = (shapely.box(1000, 1000, 1040, 1040), "Police Station")


@pytest.mark.parametrize(
    ("stack", "premises", "expected"),
    [
        (make_stack(1020.5, 1020.5, 2), [STATION], "reporting_address"),
        (make_stack(1060.5, 1020.5, 60, kinds=5), [STATION], "reporting_address"),
        (make_stack(1060.5, 1020.5, 60, kinds=2), [STATION], "address"),
        (make_stack(1060.5, 1020.5, 8, kinds=5), [STATION], "address"),
        (make_stack(1085.5, 1020.5, 60, kinds=5), [STATION], "address"),
        (make_stack(1060.5, 1020.5, 60, kinds=5), [STATION, (shapely.box(1055, 1015, 1065, 1025), "takeaway")], "address"),
        (make_stack(1020.5, 1020.5, 60, kinds=5), [(STATION[0], "takeaway")], "address"),
    ],
    ids=["inside", "forecourt", "few kinds", "few records", "too far", "at a takeaway", "no reporting kind"],
)  # fmt: skip
def test_premises_where_reports_are_made(stack, premises, expected):
    others = [make_stack(9000.5 + 200 * i, 9000.5, 3, kinds=3) for i in range(9)]
    found = classed(stack, *others, make_singles(100), landmarks=make_landmarks(premises=premises)).loc[
        (stack["x_m"].iat[0], stack["y_m"].iat[0])
    ]
    assert found["stack_class"] == expected
    if expected == "reporting_address":
        assert (found["of"], found["method"]) == ("Police Station", "not_a_place")
        assert "Police Station" in found["reason"]


def test_reporting_kinds_are_known_by_their_words():
    yes = ["Police Station", "hospital", "Custody Suite", "Council Offices", "Town Hall", "townhall", "Children's Home",
           "Children\u2019s home", "care_home", "nursing_home", "Medical Care Accommodation"]  # fmt: skip
    no = ["takeaway", "Animal Hospital", "Secondary Education", "council housing", "Homecare Shop", "", "Careless Home"]
    assert is_reporting(shapes(*yes)).all()
    assert not is_reporting(shapes(*no)).any()
    assert is_reporting(shapes()).shape == (0,)


def _with_default(n=120, *, kinds=5, days=700, others=400, agency="police", neighbours=()):
    homes = [make_stack(9000.5 + 300 * i, 9000.5, 3, kinds=3) for i in range(9)]
    found = classed(
        make_stack(400.5, 400.5, n, kinds=kinds, days=days, agency=agency), *homes, make_singles(others), *neighbours
    )
    return found.loc[(400.5, 400.5)]


def test_a_coordinate_with_too_much_of_everything_is_a_default():
    found = _with_default()
    assert (found["stack_class"], found["method"]) == (StackClass.DEFAULT, StackMethod.NOT_A_PLACE)
    assert found["reason"] == (
        "120 records, 21.9% of all records, 40 times a usual stack and of 5.2 effective kinds against 5.0 overall"
    )
    assert np.isnan(found["precision_m"])


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 60}, {"kinds": 2}, {"days": 1}, {"others": 20},
        {"neighbours": [make_stack(500.5, 400.5, 60, kinds=4), make_stack(400.5, 500.5, 50, kinds=4)]},
    ],
    ids=["twenty times a usual stack", "few kinds", "one night", "too few to compare", "a busy district"],
)  # fmt: skip
def test_what_keeps_a_busy_place_a_place(changes):
    assert _with_default(**changes)["stack_class"] == "address"


def test_an_agency_has_a_default_of_its_own():
    office = make_stack(400.5, 400.5, 60, kinds=5, agency="charity")
    police = [make_singles(9000), *(make_stack(9000.5 + 300 * i, 9000.5, 40, kinds=5) for i in range(9))]
    charity = make_singles(240, agency="charity").assign(y_m=90_000.5)
    found = classed(office, *police, charity).loc[(400.5, 400.5)]
    assert found["stack_class"] == "default"
    assert "20.0% of its agency's records" in found["reason"]


def test_where_all_records_are_of_one_kind_only_a_fifth_of_them_is_too_much():
    def of(n):
        return classed(make_stack(400.5, 400.5, n), make_singles(400, kinds=1)).loc[(400.5, 400.5), "stack_class"]

    assert (of(90), of(110)) == ("address", "default")


def test_corners_and_known_defaults_need_no_second_record():
    landmarks = make_landmarks(defaults=[NULL_ISLAND_M, (333.3, 444.4)])
    found = classed(
        make_stack(0, 0, 1), make_stack(531_000.2, 181_000, 3), make_stack(*NULL_ISLAND_M, 2), make_stack(333.3, 445.1, 1),
        make_stack(531_500, 181_000, 2), make_stack(8000, 8000, 4, snapped=True), landmarks=landmarks,
    )  # fmt: skip
    expected = {
        (0.0, 0.0): "default", (333.3, 445.1): "default", (8000.0, 8000.0): "default", (531_000.2, 181_000.0): "default",
        (531_500.0, 181_000.0): "address", NULL_ISLAND_M: "default",
    }  # fmt: skip
    assert found["stack_class"].to_dict() == expected


def test_points_are_distinct_to_the_millimetre_and_sorted():
    x_m, y_m = np.array([5.0, 2.0004, 2.0, -0.0, 0.0]), np.array([1.0, 7.0, 7.0, 3.0, 3.0])
    found = classed(*(make_stack(x, y, 1) for x, y in zip(x_m, y_m, strict=True))).reset_index()
    assert found[["x_m", "y_m", "records"]].to_numpy().tolist() == [[0, 3, 2], [2, 7, 2], [5, 1, 1]]
    assert stack_of_each_record(x_m, y_m).tolist() == [2, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (make_singles(0), []),
        (make_singles(1), ["single"]),
        (make_stack(7.5, 7.5, 2), ["address"]),
        (make_stack(7.5, 7.5, 900, kinds=5), ["address"]),
    ],
    ids=["none", "one", "two alike", "all alike"],
)
def test_next_to_nothing(records, expected):
    landmarks = make_landmarks(roads=[shapely.LineString([(0, 0), (1, 1)])], postcodes=[(1, 1)])
    for known in (Landmarks.none(), landmarks):
        found = classify(records, known)
        assert list(found.columns) == list(STACK_COLUMNS)
        assert found["stack_class"].tolist() == expected
        assert not found.drop(columns="precision_m").isna().any(axis=None)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InvalidParameter, match="finite"):
        classed(make_stack(np.nan, 1, 2))
    told = {"category": shapes("theft", "theft"), "agency": shapes("police"), "at_us": np.zeros(2, np.int64)}
    with pytest.raises(InvalidParameter, match="one value a record"):
        classify_stacks(np.ones(2), np.ones(2), **told, snapped=np.zeros(2, bool), landmarks=Landmarks.none())
    nothing = shapes()
    with pytest.raises(
        InvalidParameter, match=r"1 premises have 0 kinds; roads_m holds 2 missing or empty geometries\."
    ):
        Landmarks(
            shapes(None, shapely.LineString()), shapes(shapely.Point(0, 0)), nothing, nothing, nothing, np.empty((0, 2))
        )
    with pytest.raises(InvalidParameter, match="postcodes_m must be finite"):
        make_landmarks(postcodes=[(np.nan, 1)])


# A small grid of half metres around one street, one postcode, one ward and one station: every rule is within reach.
SCENE = make_landmarks(
    roads=[shapely.LineString([(0, 0), (8, 0)]), shapely.MultiLineString([[(0, 6), (8, 6)], [(9, 6), (12, 6)]])],
    premises=[(shapely.box(2, 2, 3, 3), "Police Station"), (shapely.box(5, 2, 6, 3), "takeaway")],
    areas=[(shapely.box(0, 0, 20, 20), "ward")],
    postcodes=[(7, 3), (1, 5)],
    defaults=[(12, 0)],
)
RECORD = st.tuples(
    st.integers(0, 24),
    st.integers(0, 14),
    st.sampled_from(KINDS),
    st.sampled_from("ab"),
    st.integers(0, 900),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(RECORD, st.integers(1, 30)), max_size=25), st.randoms(use_true_random=False), st.booleans())
def test_row_order_does_not_matter_and_nothing_is_lost(rows, random, known):
    listed = [record for record, times in rows for _ in range(times)]
    shuffled = random.sample(listed, len(listed))
    landmarks = SCENE if known else Landmarks.none()
    names = ["x_m", "y_m", "category", "agency", "at_us", "snapped"]
    first, second = (
        pd.DataFrame(one, columns=names, index=range(len(one))).astype({"snapped": bool, "at_us": np.int64})
        .assign(x_m=lambda df: df["x_m"] / 2, y_m=lambda df: df["y_m"] / 2, at_us=lambda df: df["at_us"] * DAY_US)
        for one in (listed, shuffled)
    )  # fmt: skip
    found = classify(first, landmarks)
    pd.testing.assert_frame_equal(found, classify(second, landmarks))
    row = stack_of_each_record(first["x_m"].to_numpy(float), first["y_m"].to_numpy(float))
    assert found["records"].sum() == len(listed)
    assert np.bincount(row, minlength=len(found)).tolist() == found["records"].tolist()
    assert (found["x_m"].to_numpy()[row] == first["x_m"].to_numpy()).all()
    assert set(found["stack_class"]) <= {*CLASSES, "single"}
    assert (found["precision_m"].notna() == found["method"].isin(["snapped", "centroid"])).all()
    assert (found["reason"].str.len() > 0).all()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=50))
def test_kinds_and_usual_stacks_follow_their_definitions(rows):
    group = np.unique([g for g, _ in rows], return_inverse=True)[1]
    category = np.array([c for _, c in rows])
    population = group % 2 if group.max() else np.zeros_like(group)
    found = crowd(group, population, category=category, at_us=np.zeros(len(rows), np.int64))
    for one in range(len(found.records)):
        mine = category[group == one]
        pairs = [(a, b) for i, a in enumerate(mine) for j, b in enumerate(mine) if i != j]
        alike = sum(a == b for a, b in pairs)
        assert effective_number(group, category)[one] == pytest.approx(
            min(len(pairs) / alike, len(mine)) if alike else len(mine)
        )
        others = [n for other, n in enumerate(found.records) if other != one and n > 1 and other % 2 == one % 2]
        usual = sorted(others)[(len(others) - 1) // 2] if others else 1
        assert found.times_usual[one] == pytest.approx(len(mine) / usual)

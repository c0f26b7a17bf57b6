"""Names matched to places: certain only where nothing else can be meant, else offered to choose from."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InvalidParameter
from geo.gazetteer import Gazetteer, match_names
from geo.place_names import normalise
from tests.misspelling import misspelt

PLACES = [
    ("Royal Victoria Park", b"a", 0.0, 300.0),
    ("Victoria Park", b"b", 9_000.0, 100.0),
    ("St James's Park", b"c", 2_000.0, 50.0),
    ("Café Brunel", b"d", 3_000.0, 5.0),
    ("The Circus", b"e", 4_000.0, 60.0),
    ("Alice Park", b"f", 6_000.0, 80.0),
]


def gazetteer(places=PLACES, kinds=None):
    names, keys, x_m, radius_m = (list(column) for column in zip(*places, strict=True))
    count = len(places)
    key_array = np.empty(count, object)
    key_array[:] = keys
    return Gazetteer.of(
        names=np.array(names, object),
        kinds=np.array(kinds or ["parks"] * count, object),
        keys=key_array,
        x_m=np.array(x_m, float),
        y_m=np.zeros(count),
        radius_m=np.array(radius_m, float),
    )


def match(text, places=PLACES, **told):
    (found,) = match_names([text], gazetteer(places), **told)
    return found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("victoria park", "Victoria Park"),
        ("  VICTORIA   PARK. ", "Victoria Park"),
        ("Saint James\u2019s Park", "St James's Park"),
        ("St. James' Park", "St James's Park"),
        ("Cafe Brunel", "Café Brunel"),
        ("circus", "The Circus"),
    ],
)
def test_a_name_written_otherwise_is_certain(text, name):
    found = match(text)
    assert found.certain is not None
    assert found.certain.name == name
    assert found.candidates == (found.certain,)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Victoria Pk", "Victoria Park"),
        ("Victoria Pk", "Royal Victoria Park"),
        ("Vctoria Park", "Victoria Park"),
        ("Alise Park", "Alice Park"),
        ("St Jamess Pk", "St James's Park"),
        ("park, royal victoria", "Royal Victoria Park"),
    ],
)
def test_whatever_else_is_alike_is_offered_and_never_taken(text, name):
    found = match(text)
    assert found.certain is None
    assert name in [one.name for one in found.candidates]
    assert found.reason == "no imported place has exactly this name"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "there is no name"), (" .-", "no imported place"), ("zzzqqq", "no imported place has a name like this")],
)
def test_nothing_like_it(text, reason):
    found = match(text)
    assert (found.certain, found.candidates) == (None, ())
    assert reason in found.reason


def test_an_empty_gazetteer():
    empty = gazetteer().among([])
    assert match_names(["Victoria Park"], empty)[0].candidates == ()


def test_one_name_far_apart_is_two_places_and_neither_is_taken():
    found = match("alice park", [*PLACES, ("Alice Park", b"g", 20_000.0, 40.0)])
    assert found.certain is None
    assert [one.key for one in found.candidates] == [b"f", b"g"]  # the larger first
    assert found.reason == "2 imported places have this name"


def test_parts_of_a_park_near_each_other_are_one_place():
    parts = [("Alice Park", bytes([i]), 6_000.0 + 150.0 * i, 40.0 + i) for i in range(4)]
    found = match("Alice Park", [*PLACES[:5], *parts])
    assert found.certain is not None
    assert found.certain.key == bytes([3])  # the largest stands for all
    assert found.certain.x_m == 6_450.0
    assert found.certain.radius_m == 450.0 + 40.0  # round the largest part, and holds the furthest


def test_a_long_road_in_many_pieces_is_one_place():
    pieces = [("London Road", i.to_bytes(2, "big"), 100.0 * i, 50.0) for i in range(500)]
    found = match("London Road", pieces)
    assert found.certain is not None
    assert found.certain.radius_m == 49_950.0


def test_an_alias_is_a_name_of_the_same_place():
    places = [*PLACES, ("The Vic", b"a", 0.0, 300.0)]
    found = match("the vic", places)
    assert found.certain is not None
    assert found.certain.key == b"a"
    assert [one.key for one in match("Royal Victoria Park", places).candidates] == [b"a"]


def test_two_parks_that_share_a_by_name_keep_their_own_positions():
    parks = [("Alice Park", b"a", 0.0, 50.0), ("Victoria Park", b"v", 500.0, 400.0)]
    places = [*parks, *(("The Park", *park[1:]) for park in parks)]
    found = match("Alice Park", places).certain
    assert found is not None
    assert (found.key, found.x_m, found.radius_m) == (b"a", 0.0, 50.0)
    either = match("the park", places)
    assert either.certain is None
    assert [one.key for one in either.candidates] == [b"v", b"a"]


def test_a_part_with_a_by_name_and_one_without_are_one_place():
    parts = [("Alice Park", b"a", 0.0, 50.0), ("The Alice", b"a", 0.0, 50.0), ("Alice Park", b"b", 120.0, 60.0)]
    found = match("Alice Park", parts)
    assert found.certain is not None
    assert (found.certain.key, found.certain.radius_m) == (b"b", 170.0)
    assert len(match("Alice Prk", parts).candidates) == 1


def test_names_without_letters_join_nothing():
    places = [("--", b"a", 0.0, 10.0), ("Alice", b"a", 0.0, 10.0), ("??", b"b", 50.0, 90.0), ("Bob", b"b", 50.0, 90.0)]
    found = match("Alice", places).certain
    assert found is not None
    assert (found.key, found.x_m, found.radius_m) == (b"a", 0.0, 10.0)
    assert len(match("Alise", [*places, ("Alice", b"c", 9_000.0, 5.0)]).candidates) == 2


def test_a_ward_is_another_thing_than_its_park_but_a_churchyard_is_its_church():
    two = [("Kingsmead", b"p", 0.0, 50.0), ("Kingsmead", b"w", 900.0, 2_000.0)]
    ward = gazetteer(two, ["parks", "areas"])
    (found,) = match_names(["Kingsmead"], ward)
    assert found.certain is None
    assert {one.kind: (one.x_m, one.radius_m) for one in found.candidates} == {
        "areas": (900.0, 2_000.0),
        "parks": (0.0, 50.0),
    }
    church = gazetteer(
        [("St Luke's Church", b"y", 0.0, 72.0), ("St Luke's Church", b"c", 30.0, 20.0)], ["parks", "buildings"]
    )
    assert match_names(["st lukes church"], church)[0].certain.key == b"y"
    (alone,) = match_names(["st lukes church"], church, kinds=["buildings"])
    assert (alone.certain.key, alone.certain.x_m, alone.certain.radius_m) == (b"c", 30.0, 20.0)


def test_vowel_signs_tell_names_apart():
    assert normalise("\u0915\u093e") != normalise("\u0915\u0940")
    assert normalise("Bar\u2122") == normalise("BARTM")


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InvalidParameter, match="limit is 0"):
        match_names(["Alice Park"], gazetteer(), limit=0)
    arrays = {name: getattr(gazetteer(), name) for name in ("names", "kinds", "keys", "x_m", "y_m", "radius_m")}
    with pytest.raises(InvalidParameter, match="One entry a name"):
        Gazetteer.of(**(arrays | {"names": arrays["names"][:2]}))


def test_kinds_and_limits():
    both = gazetteer()
    assert match_names(["Alice Park"], both, kinds=["roads"])[0].candidates == ()
    assert match_names(["Alice Park"], both, kinds=["parks"])[0].certain is not None
    assert len(match("Park", limit=2).candidates) == 2


NAMES = st.sampled_from(
    ["Alice Park", "The Alice Park", "Alice Pk", "Victoria Park", "St Mary", "Saint Mary's", "Mill Lane", "", "Élan"]
)
ENTRIES = st.lists(
    st.tuples(NAMES, st.binary(min_size=1, max_size=1), st.sampled_from([0.0, 80.0, 5_000.0]), st.sampled_from([0.0, 50.0])),
    min_size=1,
    max_size=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(ENTRIES, st.lists(NAMES | st.text(max_size=8), max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(entries, texts, random):
    kinds = [random.choice(["parks", "areas", "buildings"]) for _ in entries]
    order = random.sample(range(len(entries)), len(entries))
    shuffled = gazetteer([entries[i] for i in order], [kinds[i] for i in order])
    assert match_names(texts, gazetteer(entries, kinds)) == match_names(texts, shuffled)


@settings(max_examples=150, deadline=None)
@given(ENTRIES, NAMES | st.text(max_size=8))
def test_certain_is_only_what_one_place_alone_is_called(entries, text):
    places = gazetteer(entries)
    (found,) = match_names([text], places)
    called = set(places.entity[[normalise(str(name)) == normalise(text) != "" for name in places.names]].tolist())
    assert (found.certain is not None) == (len(called) == 1)
    if found.certain is not None:
        assert normalise(found.certain.name) == normalise(text)
        spots = [(x_m, reach_m) for name, _, x_m, reach_m in entries if normalise(name) == normalise(text)]
        assert found.certain.x_m in [x_m for x_m, _ in spots]  # never where only another name is
        assert found.certain.radius_m == max(abs(x_m - found.certain.x_m) + reach_m for x_m, reach_m in spots)
    assert len({one.key for one in found.candidates}) == len(found.candidates) <= 3


def share_found(places, pairs):
    """Share of misspellings whose place is among the candidates, and those placed wrongly for certain."""
    matches = match_names([wrong for _, wrong in pairs], places)
    hits, wrongly = 0, []
    for (name, wrong), found in zip(pairs, matches, strict=True):
        meant = set(places.entity[places.plain == normalise(name)].tolist())
        keys = {bytes(key) for key in places.keys[np.isin(places.entity, list(meant))]}
        hits += any(one.key in keys for one in found.candidates)
        if found.certain is not None and found.certain.key not in keys:
            wrongly.append((name, wrong))
    return hits / len(pairs), wrongly


def made_up_names():
    words = [
        "Ash",
        "Birch",
        "Cedar",
        "Dunmore",
        "Elm",
        "Fairfield",
        "Grange",
        "Hollow",
        "Ivy",
        "Jubilee",
        "Kingsmead",
        "Linden",
    ]
    kinds = ["Park", "Gardens", "Recreation Ground", "Common", "Playing Field", "Green", "Road", "Lane"]
    return [f"{one} {other} {kind}" for one in words for other in ("Hill", "St Ann's", "Lower") for kind in kinds]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_misspelt_names_that_are_made_up(seed):
    names = made_up_names()
    places = gazetteer([(name, i.to_bytes(2, "big"), 1_000.0 * i, 50.0) for i, name in enumerate(names)])
    share, wrongly = share_found(places, misspelt(names, 500, seed))
    assert wrongly == []
    assert share >= 0.95


@pytest.mark.real
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_misspelt_parks_of_bath(real_data: Path, seed: int) -> None:
    entries = []
    for file, column in (("os_greenspace_site", "distname1"), ("banes_gss_parks_recreation", "site_name")):
        frame = gpd.read_file(f"/vsigzip/{real_data}/bath/{file}.geojson.gz").to_crs(27700)
        frame = frame[frame[column].notna()]
        points = shapely.point_on_surface(frame.geometry.to_numpy())
        radius_m = shapely.hausdorff_distance(frame.geometry.to_numpy(), points)
        for i, (name, point, reach_m) in enumerate(zip(frame[column], points, radius_m, strict=True)):
            entries.append((name, json.dumps([file, i]).encode(), point.x, point.y, reach_m))
    names, keys, x_m, y_m, radius_m = (list(column) for column in zip(*entries, strict=True))
    key_array = np.empty(len(keys), object)
    key_array[:] = keys
    places = Gazetteer.of(
        names=np.array(names, object),
        kinds=np.full(len(names), "parks", object),
        keys=key_array,
        x_m=np.array(x_m),
        y_m=np.array(y_m),
        radius_m=np.array(radius_m),
    )
    distinct = sorted(set(names))
    assert len(distinct) > 200
    share, wrongly = share_found(places, misspelt(distinct, 500, seed))
    assert wrongly == []
    assert share >= 0.95

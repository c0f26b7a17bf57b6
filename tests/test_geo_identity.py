"""Places keep their id from analysis to analysis by overlap, whatever the order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from geo.identity import MIN_OVERLAP, match_places, overlap
from geo.model import content_hash

FOOTPRINT = st.sets(st.integers(0, 15), min_size=1, max_size=6)


def match(footprints, known, run_id="run"):
    return match_places(
        [sorted(f) for f in footprints], {k: sorted(v) for k, v in known.items()}, org_id="org", run_id=run_id
    )


def test_a_new_place_is_named_by_organisation_run_and_number():
    assert match([{1}, {2}], {}) == [content_hash("org", "run", "0"), content_hash("org", "run", "1")]
    assert match([{1}], {}, "other") != match([{1}], {})


def test_half_of_the_smaller_footprint_keeps_the_id():
    known = {"old": {1, 2, 3, 4}}
    assert match([{3, 4, 5, 6}], known) == ["old"]
    assert match([{4, 5, 6, 7}], known) != ["old"]
    assert match([{4}], known) == ["old"]


def test_the_better_overlap_wins_and_each_id_is_given_once():
    known = {"old": {1, 2, 3, 4}}
    ids = match([{1, 2, 8, 9}, {3, 4}], known)
    assert ids[1] == "old"
    assert ids[0] != "old"


def test_a_place_that_splits_leaves_its_id_to_the_larger_share():
    known = {"old": {1, 2, 3, 4, 5}}
    assert match([{1, 2}, {3, 4, 5}], known)[1] == "old"


@settings(max_examples=150, deadline=None)
@given(st.lists(FOOTPRINT, max_size=5), st.lists(FOOTPRINT, max_size=5), st.randoms(use_true_random=False))
def test_order_of_what_is_known_does_not_matter_and_kept_ids_overlap(new, old, random):
    known = {f"id{i}": cells for i, cells in enumerate(old)}
    ids = match(new, known)
    items = list(known.items())
    random.shuffle(items)
    assert match(new, dict(items)) == ids
    assert len(set(ids)) == len(ids) == len(new)
    for cells, place in zip(new, ids, strict=True):
        if place in known:
            assert overlap(frozenset(cells), frozenset(known[place])) >= MIN_OVERLAP


@settings(max_examples=60, deadline=None)
@given(st.lists(FOOTPRINT, max_size=5))
def test_the_same_run_again_keeps_every_id(new):
    disjoint = [{cell + 100 * i for cell in cells} for i, cells in enumerate(new)]
    ids = match(disjoint, {})
    assert match(disjoint, dict(zip(ids, disjoint, strict=True)), "next") == ids


def test_a_new_id_is_never_one_that_another_place_of_the_run_has_kept():
    taken = content_hash("org", "run", "1")
    ids = match([{1}, {2}], {taken: {1}})
    assert len(set(ids)) == 2


def test_a_large_place_that_swallows_a_tiny_one_keeps_its_own_name():
    large, tiny = list(range(100)), [500]
    assert match_places([[*range(97), 500]], {"large": large, "tiny": tiny}, org_id="o", run_id="r") == ["large"]


def test_an_equal_footprint_comes_before_a_larger_share():
    known = {"same": [1, 2, 3], "wider": list(range(50))}
    assert match_places([[1, 2, 3]], known, org_id="o", run_id="r") == ["same"]

"""Places keep their id from analysis to analysis by overlap, whatever the order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.decisions import Seed, Standing
from geo.identity import MIN_OVERLAP, match_places, overlap, regroup
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


def regrouped(points_m, group, ids, rulings):
    return regroup(np.asarray(points_m, float), np.asarray(group, np.int64), ids, rulings)


def parted(*seeds):
    return Standing(parts=tuple(Seed(*seed) for seed in seeds))


def test_without_rulings_nothing_is_regrouped():
    group, ids = regrouped([(0, 0), (9, 0), (5, 5)], [0, 1, 0], ["a", "b"], {})
    assert (group.tolist(), ids) == ([0, 1, 0], ["a", "b"])
    group, ids = regrouped(np.zeros((0, 2)), [], [], {"a": Standing(merged_into="b")})
    assert (group.tolist(), ids) == ([], [])


def test_merges_are_followed_and_a_target_that_is_not_found_is_still_the_place():
    rulings = {"a": Standing(merged_into="b"), "b": Standing(merged_into="c")}
    group, ids = regrouped(np.zeros((3, 2)), [0, 1, 2], ["a", "b", "d"], rulings)
    assert (group.tolist(), ids) == ([0, 0, 1], ["c", "d"])


def test_a_split_gives_each_record_to_the_nearest_seed_and_leaves_out_a_part_without_records():
    rulings = {"a": parted(("w", 0, 0), ("e", 100, 0), ("far", 9000, 0))}
    group, ids = regrouped([(1, 0), (99, 0), (49, 0), (51, 0)], [0, 0, 0, 0], ["a"], rulings)
    assert [ids[number] for number in group] == ["w", "e", "w", "e"]
    assert "far" not in ids


def test_a_cluster_that_is_found_again_as_a_part_is_parted_like_the_whole():
    rulings = {"a": parted(("w", 0, 0), ("e", 100, 0))}
    group, ids = regrouped([(1, 0), (99, 0)], [0, 0], ["w"], rulings)
    assert [ids[number] for number in group] == ["w", "e"]


def test_parts_may_be_parted_and_merged_again():
    rulings = {
        "a": parted(("w", 0, 0), ("e", 100, 0)),
        "e": parted(("e1", 90, 0), ("e2", 110, 0)),
        "w": Standing(merged_into="b"),
    }
    group, ids = regrouped([(0, 0), (91, 0), (111, 0), (500, 0)], [0, 0, 0, 1], ["a", "b"], rulings)
    assert [ids[number] for number in group] == ["b", "e1", "e2", "b"]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_regrouping_keeps_every_record_and_does_not_hang_on_the_order_of_records(seed):
    rng = np.random.default_rng(seed)
    ids = [f"p{i}" for i in range(6)]
    rulings = {}
    for i in range(6):  # only towards later places: what the service allows has no ring
        if rng.random() < 0.4 and i < 5:
            rulings[ids[i]] = Standing(merged_into=ids[int(rng.integers(i + 1, 6))])
        elif rng.random() < 0.4:
            rulings[ids[i]] = parted((f"{ids[i]}w", 0, 0), (f"{ids[i]}e", 100, 0))
    points_m, group = rng.uniform(-50, 150, (40, 2)), rng.permutation(np.r_[np.arange(6), rng.integers(0, 6, 34)])
    new, names = regrouped(points_m, group, ids, rulings)
    assert sorted(set(new.tolist())) == list(range(len(names)))
    assert len(set(names)) == len(names)
    for name in set(names):  # what stands of a place that is listed sends its records nowhere else
        assert name not in rulings
    order = rng.permutation(40)
    again, other = regrouped(points_m[order], group[order], ids, rulings)
    assert [names[number] for number in new[order]] == [other[number] for number in again]
    assert names == other


def test_a_nomination_gets_only_what_no_found_place_is_known_by():
    """However much of a cluster the nomination shares, the place that records stand behind keeps it."""
    known = {"found": [1], "told": [1, 2, 3, 4, 5, 6, 7]}
    told = {"org_id": "o", "run_id": "r", "nominated": {"told"}}
    assert match_places([[1, 2, 3]], known, **told) == ["found"]
    assert match_places([[1, 2, 3, 4, 5, 6, 7]], known, **told) == ["found"]  # even equal to it
    assert match_places([[1], [2, 3]], known, **told) == ["found", "told"]
    assert match_places([[2, 3]], known, **told) == ["told"]

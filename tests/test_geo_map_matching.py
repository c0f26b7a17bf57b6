"""Map matching on a planted grid: the road driven, not its neighbour; breaks and sparseness said aloud."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import InvalidParameter
from geo.map_matching import match_tracks
from geo.road_graph import road_graph

NOISE_M = 10.0


def _roads(lines):
    """Return the graph of straight lines."""
    return road_graph(shapely.linestrings(lines), np.full(len(lines), "", object))


def _grid(size=6, block_m=200.0):
    span = np.arange(size) * block_m
    along = [[(a, c), (b, c)] for a, b in pairwise(span) for c in span]
    return _roads(along + [[(c, a), (c, b)] for a, b in pairwise(span) for c in span])


def _drive(way, *, every_m=60.0, noise_m=NOISE_M, seed=0, gap_s=10.0):
    line = shapely.LineString(way)
    true_m = shapely.get_coordinates(line.interpolate(np.arange(5.0, line.length, every_m)))
    at_m = true_m + np.random.default_rng(seed).normal(0, noise_m, true_m.shape)
    fixes = pd.DataFrame({"x_m": at_m[:, 0], "y_m": at_m[:, 1], "trip": 1, "precision_m": NOISE_M * 2.448})
    return fixes.assign(at_us=(np.arange(len(fixes)) * gap_s * 1e6).astype(np.int64)), shapely.points(true_m)


def _right(found, roads, true, way):
    """Share of fixes on an edge of the way driven that passes where the vehicle was, or a junction within the noise."""
    line = shapely.LineString(way)
    driven = shapely.length(shapely.intersection(roads.geometry_m, line)) > 1
    near = shapely.distance(roads.geometry_m[found.edge], true) <= 2 * NOISE_M
    return (driven[found.edge] & near).mean()


STAIRS = [(0, 0), (400, 0), (400, 600), (800, 600), (800, 1000), (1000, 1000)]


def test_a_planted_path_is_recovered_among_the_blocks():
    roads, shares = _grid(), []
    for seed in range(20):
        fixes, true = _drive(STAIRS, seed=seed)
        found = match_tracks(fixes, roads)
        assert (found.piece == 0).all()
        shares.append(_right(found, roads, true, STAIRS))
    assert np.mean(shares) >= 0.98


def test_the_edges_driven_are_the_path_in_order_without_repeats():
    roads = _grid()
    fixes, _ = _drive(STAIRS, noise_m=1.0)
    found = match_tracks(fixes, roads)
    way = shapely.LineString(STAIRS)
    on = [shapely.length(shapely.intersection(line, way)) > 100 for line in roads.geometry_m]
    assert set(found.edges["edge"]) == set(np.flatnonzero(on))
    assert found.edges["order"].tolist() == list(range(10))
    middles = shapely.line_interpolate_point(roads.geometry_m[found.edges["edge"]], 0.5, normalized=True)
    assert shapely.line_locate_point(way, middles).tolist() == [100.0 + 200 * n for n in range(10)]
    placed = shapely.line_interpolate_point(roads.geometry_m[found.edge], found.along_m)
    assert shapely.distance(placed, shapely.points(fixes["x_m"], fixes["y_m"])).max() < 6


def test_edges_without_a_fix_are_filled_in():
    roads = _grid(block_m=50.0)
    fixes, _ = _drive([(0, 0), (250, 0)], every_m=110.0, noise_m=0.0)
    found = match_tracks(fixes, roads, radius_m=20.0)
    assert len(np.unique(found.edge)) == 3
    middles = shapely.line_interpolate_point(roads.geometry_m[found.edges["edge"]], 25.0)
    assert shapely.get_coordinates(middles).tolist() == [[25 + 50.0 * n, 0] for n in range(5)]


def test_a_parallel_road_thirty_metres_away_is_not_taken():
    marks = np.arange(0, 3001, 300.0)
    roads = _roads(
        [[(a, c), (b, c)] for a, b in pairwise(marks) for c in (0.0, 30.0)]
        + [[(a, 0.0), (a, 30.0)] for a in marks[::5]]
    )
    shares = []
    for seed in range(20):
        fixes, true = _drive([(0, 0), (3000, 0)], seed=seed)
        shares.append(_right(match_tracks(fixes, roads), roads, true, [(0, 0), (3000, 0)]))
    assert np.mean(shares) >= 0.98


def test_a_gap_begins_a_new_piece():
    roads = _grid()
    fixes, _ = _drive([(0, 0), (1000, 0)], noise_m=0.0)
    away = fixes.assign(y_m=np.where(fixes.index.isin([7, 8]), -500.0, 0.0))
    found = match_tracks(away, roads)
    assert found.edge[[7, 8]].tolist() == found.piece[[7, 8]].tolist() == [-1, -1]
    assert np.isnan(found.along_m[[7, 8]]).all()
    assert found.piece[:7].tolist() == [0] * 7
    assert set(found.piece[9:]) == {1}
    assert found.edges.groupby("piece")["order"].min().tolist() == [0, 0]


def test_no_way_on_begins_a_new_piece():
    roads = _roads([[(0, 0), (400, 0)], [(500, 0), (900, 0)]])
    fixes, _ = _drive([(0, 0), (900, 0)], noise_m=0.0)
    found = match_tracks(fixes, roads)
    assert found.edges[["piece", "edge"]].to_numpy().tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize(("every_m", "gap_s", "sparse_"), [(60, 60.0, False), (60, 61.0, True), (340, 20.0, True)])
def test_a_sparse_trip_is_said_to_be_sparse_and_not_matched(every_m, gap_s, sparse_):
    fixes, _ = _drive(STAIRS[:3], every_m=every_m, gap_s=gap_s, noise_m=0.0)
    found = match_tracks(fixes, _grid())
    assert (found.sparse == sparse_).all()
    assert ((found.edge == -1) == sparse_).all()
    assert found.edges.empty == sparse_


def test_trips_are_matched_apart_on_the_rows_of_the_caller():
    roads = _grid()
    one, _ = _drive([(0, 0), (1000, 0)], seed=1)
    two, _ = _drive([(0, 600), (1000, 600)], seed=2)
    both = pd.concat([one, two.assign(trip=2)], ignore_index=True).sample(frac=1, random_state=3)
    found = match_tracks(both, roads)
    alone = match_tracks(one, roads)
    mine = (both["trip"] == 1).to_numpy()
    order = np.argsort(both["at_us"].to_numpy()[mine])
    assert found.edge[mine][order].tolist() == alone.edge.tolist()
    assert found.edges["trip"].unique().tolist() == [1, 2]


def test_refusals_and_nothing():
    fixes, _ = _drive(STAIRS)
    for wrong in ({"beta_m": 0.0}, {"radius_m": -1.0}):
        with pytest.raises(InvalidParameter):
            match_tracks(fixes, _grid(), **wrong)
    with pytest.raises(InvalidParameter, match="finite"):
        match_tracks(fixes.assign(y_m=np.nan), _grid())
    nothing = match_tracks(fixes.iloc[:0], _grid())
    assert (len(nothing.edge), len(nothing.edges)) == (0, 0)
    assert match_tracks(fixes.iloc[:1], _grid()).sparse.tolist() == [True]

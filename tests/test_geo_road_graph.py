"""Road graphs: nodes where roads meet, edges that remember their road, and nothing lost on the way."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from geo.errors import InvalidParameter
from geo.road_graph import NO_EDGE, road_graph, snap

ENDS = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda at: (at[0] * 10.0, at[1] * 10.0))
LINES = st.lists(st.tuples(ENDS, ENDS).filter(lambda line: line[0] != line[1]), min_size=1, max_size=12)


def _graph(*lines):
    return road_graph(
        np.array([shapely.LineString(one) for one in lines], object),
        np.array([f"Road {i}" for i in range(len(lines))], object),
    )


def test_a_crossing_cuts_both_roads_and_keeps_their_names():
    graph = _graph([(0, 50), (100, 50)], [(50, 0), (50, 100)])
    assert graph.nodes_m.tolist() == [[0, 50], [50, 0], [50, 50], [50, 100], [100, 50]]
    assert sorted(zip(graph.edge_from.tolist(), graph.edge_to.tolist(), strict=True)) == [
        (0, 2),
        (1, 2),
        (2, 3),
        (2, 4),
    ]
    assert graph.road.tolist() == [0, 0, 1, 1]
    assert graph.name.tolist() == ["Road 0", "Road 0", "Road 1", "Road 1"]


@pytest.mark.parametrize("short_m", [0.0, 0.4, -0.4])
def test_an_end_that_nearly_touches_makes_a_junction(short_m):
    graph = _graph([(0, 0), (100, 0)], [(40, short_m), (40, 80)])
    assert len(graph.edge_from) == 3
    assert np.bincount(np.concatenate([graph.edge_from, graph.edge_to])).max() == 3


def test_ends_farther_apart_than_the_tolerance_stay_apart():
    graph = _graph([(0, 0), (100, 0)], [(100.6, 0), (200, 0)])
    assert csgraph.connected_components(graph.matrix, directed=False)[0] == 2


def test_multilines_loops_and_roads_that_run_together():
    both = shapely.MultiLineString([[(0, 0), (100, 0)], [(0, 90), (100, 90)]])
    loop = shapely.LineString([(100, 0), (150, 0), (150, 50), (100, 50), (100, 0)])
    again = shapely.LineString([(50, 0), (100, 0)])
    graph = road_graph(
        np.array([both, loop, again, shapely.LineString()], object), np.array(["A", "B", "C", "D"], object)
    )
    turn = graph.edge_from == graph.edge_to
    assert graph.name[turn].tolist() == ["B"]
    assert graph.length_m[turn].tolist() == [200]
    assert sorted(zip(graph.name, graph.length_m.tolist(), strict=True)) == [
        ("A", 50), ("A", 50), ("A", 100), ("B", 200), ("C", 50)]  # fmt: skip
    assert graph.matrix.diagonal().tolist() == [0] * len(graph.nodes_m)


def test_of_parallel_edges_the_matrix_has_the_shortest():
    graph = _graph([(0, 0), (100, 0)], [(0, 0), (50, 80), (100, 0)])
    assert graph.matrix.toarray().tolist() == [[0, 100], [100, 0]]


def test_a_road_that_crosses_itself_is_cut_there():
    graph = _graph([(0, 0), (100, 0), (100, 50), (50, 50), (50, -50)])
    assert [50.0, 0.0] in graph.nodes_m.tolist()


@settings(max_examples=100, deadline=None)
@given(LINES)
def test_no_length_is_lost_and_edges_meet_only_at_nodes(lines):
    graph = _graph(*lines)
    given_m = shapely.length(shapely.linestrings(lines))
    assert np.allclose(np.bincount(graph.road, graph.length_m, len(lines)), given_m, atol=1.0 * len(lines))
    starts, ends = shapely.get_point(graph.geometry_m, 0), shapely.get_point(graph.geometry_m, -1)
    assert np.array_equal(shapely.get_coordinates(starts), graph.nodes_m[graph.edge_from])
    assert np.array_equal(shapely.get_coordinates(ends), graph.nodes_m[graph.edge_to])
    assert np.allclose(shapely.length(graph.geometry_m), graph.length_m)
    assert (graph.matrix != graph.matrix.T).nnz == 0


@settings(max_examples=60, deadline=None)
@given(LINES, st.lists(ENDS, min_size=1, max_size=8))
def test_snapping_finds_the_nearest_edge(lines, points):
    graph = _graph(*lines)
    points_m = np.array(points) + 0.25
    edge, along_m, distance_m = snap(graph, points_m, 40.0)
    every_m = np.array([shapely.distance(graph.geometry_m, shapely.Point(at)) for at in points_m])
    near = every_m.min(axis=1) <= 40
    assert (edge != NO_EDGE).tolist() == near.tolist()
    assert np.allclose(distance_m[near], every_m.min(axis=1)[near])
    foot = shapely.line_interpolate_point(graph.geometry_m[edge[near]], along_m[near])
    assert np.allclose(shapely.distance(foot, shapely.points(points_m[near])), distance_m[near])
    assert np.isnan(along_m[~near]).all()


def test_no_roads_at_all():
    graph = road_graph(np.empty(0, object), np.empty(0, object))
    assert (len(graph.nodes_m), len(graph.edge_from), graph.matrix.shape) == (0, 0, (0, 0))
    assert snap(graph, np.zeros((1, 2)), 10)[0].tolist() == [NO_EDGE]


def test_bad_input_is_refused():
    line = np.array([shapely.LineString([(0, 0), (1, 0)])], object)
    with pytest.raises(InvalidParameter, match="2 names for 1 roads"):
        road_graph(line, np.array(["a", "b"], object))
    with pytest.raises(InvalidParameter, match="LineString"):
        road_graph(np.array([shapely.Point(0, 0)], object), np.array(["a"], object))
    with pytest.raises(InvalidParameter, match="finite"):
        snap(road_graph(line, np.array(["a"], object)), np.array([[np.nan, 0]]), 10)


@pytest.mark.real
def test_the_roads_of_bath_become_one_network(real_data: Path):
    roads = gpd.read_file(f"/vsigzip/{real_data / 'bath/os_roads.geojson.gz'}").to_crs(27700)
    graph = road_graph(roads.geometry.to_numpy(), roads["roadnumber"].fillna("").to_numpy(object))
    assert len(roads) == 9015
    assert graph.length_m.sum() == pytest.approx(roads.length.sum(), rel=1e-4)
    parts = csgraph.connected_components(graph.matrix, directed=False)[1]
    assert np.bincount(parts).max() >= 0.98 * len(graph.nodes_m)

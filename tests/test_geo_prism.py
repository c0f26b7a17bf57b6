"""Space-time prisms against the written rule, worked out with shortest paths between all nodes."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from geo.errors import InvalidParameter
from geo.prism import prism
from geo.road_graph import road_graph, snap

PLACE = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda at: (at[0] * 10.0 + 1, at[1] * 10.0 + 3))
TRIPS = st.lists(st.tuples(PLACE, PLACE, st.integers(1, 60)), min_size=1, max_size=6)


def _grid():
    at_m = np.arange(5) * 100.0
    lines = [[(0, y), (400, y)] for y in at_m] + [[(x, 0), (x, 400)] for x in at_m]
    return road_graph(shapely.linestrings(lines), np.array([""] * len(lines), object))


def _pairs(*trips):
    start, end, seconds = (np.array(column, float) for column in zip(*trips, strict=True))
    return pd.DataFrame(
        {"from_x_m": start[:, 0], "from_y_m": start[:, 1], "to_x_m": end[:, 0], "to_y_m": end[:, 1], "seconds": seconds}
    )


def _by_rule(graph, pair, reach_m, detour_m):
    """Shortest way of one pair and detour of each edge, by the definition."""
    far_m = csgraph.dijkstra(graph.matrix, directed=False)
    edge, along_m, _ = snap(
        graph, pair[["from_x_m", "from_y_m", "to_x_m", "to_y_m"]].to_numpy(float).reshape(2, 2), 200
    )
    rest_m = graph.length_m[edge] - along_m
    u, v = graph.edge_from, graph.edge_to
    out_m, in_m = (np.minimum(far_m[u[e]] + a, far_m[v[e]] + r) for e, a, r in zip(edge, along_m, rest_m, strict=True))
    way_m = min(out_m[u[edge[1]]] + along_m[1], out_m[v[edge[1]]] + rest_m[1])
    if edge[0] == edge[1]:
        way_m = min(way_m, abs(along_m[0] - along_m[1]))
    over_m = np.minimum(out_m[u] + in_m[v], out_m[v] + in_m[u]) + graph.length_m
    inside = over_m <= min(max(reach_m, way_m) + 50, way_m + detour_m)
    extra_m = np.maximum(over_m - way_m, 0)
    inside[edge], extra_m[edge] = True, 0
    return way_m, np.flatnonzero(inside), extra_m[inside]


@settings(max_examples=100, deadline=None)
@given(TRIPS, st.sampled_from([150.5, np.inf]))
def test_prisms_follow_the_definition(trips, detour_m):
    graph, pairs = _grid(), _pairs(*trips)
    found = prism(graph, pairs, speed_ms=13.37, slack_m=50, detour_m=detour_m)
    for i in range(len(pairs)):
        way_m, edges, extra_m = _by_rule(graph, pairs.iloc[i], 13.37 * pairs["seconds"].iloc[i], detour_m)
        assert found.shortest_m[i] == pytest.approx(way_m, abs=1e-6)
        assert found.edge[found.pair == i].tolist() == edges.tolist()
        assert np.allclose(found.detour_m[found.pair == i], extra_m, atol=1e-6)


def test_more_time_reaches_more_roads_and_never_fewer():
    graph = _grid()
    reached = [
        set(prism(graph, _pairs(((50, 0), (350, 0), seconds)), speed_ms=10, slack_m=0).edge.tolist())
        for seconds in (1, 31, 52, 73, 300)
    ]
    assert all(few <= more for few, more in pairwise(reached))
    assert (len(reached[0]), len(reached[-1])) == (4, len(graph.edge_from))


def test_direction_and_distance_of_a_straight_way():
    graph = road_graph(
        shapely.linestrings([[(0, 0), (100, 0)], [(200, 0), (100, 0)], [(200, 0), (300, 0)]]),
        np.array(["a", "b", "c"], object),
    )
    found = prism(graph, _pairs(((10, 2), (290, 2), 60), ((290, 2), (10, 2), 60)))
    assert found.edge.tolist() == [0, 1, 2, 0, 1, 2]
    assert found.forward.tolist() == [True, False, True, False, True, False]
    assert np.allclose(found.reached_m, [0, 140, 280, 280, 140, 0])


def test_off_the_network_and_out_of_reach_are_told_apart():
    graph = road_graph(shapely.linestrings([[(0, 0), (100, 0)], [(0, 900), (100, 900)]]), np.array(["a", "b"], object))
    found = prism(graph, _pairs(((10, 0), (90, 0), 60), ((10, 0), (50, 500), 60), ((10, 0), (90, 900), 600)))
    assert found.off_network.tolist() == [False, True, False]
    assert found.shortest_m[0] == pytest.approx(80)
    assert np.isnan(found.shortest_m[1])
    assert np.isinf(found.shortest_m[2])
    assert found.pair.tolist() == [0]


def test_no_pairs_and_limits_without_meaning():
    none = _pairs(((0, 0), (1, 1), 1)).iloc[:0]
    assert prism(_grid(), none).pair.tolist() == []
    with pytest.raises(InvalidParameter):
        prism(_grid(), none, speed_ms=0)

"""Vector tiles as another program reads them: the specification's own examples, and whatever hypothesis thinks of."""

import math

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from google.protobuf.internal.encoder import _VarintBytes
from hypothesis import given, settings
from hypothesis import strategies as st
from mapbox_vector_tile.Mapbox import vector_tile_pb2

from geo.errors import InvalidParameter
from maps.mvt import encode_layer
from maps.tile_geometry import TileGeometry
from maps.varints import varint_sizes, write_varints, zigzag

NEAR = st.integers(0, 9)
ANYWHERE = st.integers(-9000, 9000)
VERTICES = st.one_of(
    st.lists(st.tuples(NEAR, NEAR), min_size=1, max_size=8), st.lists(st.tuples(ANYWHERE, ANYWHERE), max_size=8)
).filter(len)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=6),
    st.integers(-3, 3),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.floats(-2, 2).map(round).map(float),
)


def whole(shapes):
    """Shapes with whole coordinates as the geometry of a tile."""
    array = np.empty(len(shapes), object)
    array[:] = shapes
    found = TileGeometry.of(array)
    return TileGeometry(found.xy.astype(np.int64), found.pieces, found.features, found.kind, found.hole)


def flat(features):
    """Features of (kind, [(is a hole, vertices)]) as the geometry of a tile, right or wrong."""
    pieces = [piece for _, some in features for piece in some]
    xy = np.array([at for _, piece in pieces for at in piece], np.int64).reshape(-1, 2)
    return TileGeometry(
        xy,
        np.cumsum([0, *(len(piece) for _, piece in pieces)]),
        np.cumsum([0, *(len(some) for _, some in features)]),
        np.array([kind for kind, _ in features], np.uint8),
        np.array([hole for hole, _ in pieces], bool),
    )


def layer_of(tile):
    """The one layer of a tile as protobuf reads it."""
    read = vector_tile_pb2.tile()
    read.ParseFromString(tile)
    (layer,) = read.layers
    return layer


def decoded(tile):
    """Features of the one layer of a tile as an independent decoder reads them."""
    (layer,) = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True}).values()
    return layer["features"]


# Sections 4.3.5.1 to 4.3.5.6 of the specification.
@pytest.mark.parametrize(
    ("wkt", "commands"),
    [
        ("POINT (25 17)", [9, 50, 34]),
        ("MULTIPOINT (5 7, 3 2)", [17, 10, 14, 3, 9]),
        ("LINESTRING (2 2, 2 10, 10 10)", [9, 4, 4, 18, 0, 16, 16, 0]),
        ("MULTILINESTRING ((2 2, 2 10, 10 10), (1 1, 3 5))", [9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8]),
        ("POLYGON ((3 6, 8 12, 20 34, 3 6))", [9, 6, 12, 18, 10, 12, 24, 44, 15]),
        (
            "MULTIPOLYGON (((0 0, 10 0, 10 10, 0 10, 0 0)),"
            " ((11 11, 20 11, 20 20, 11 20, 11 11), (13 13, 13 17, 17 17, 17 13, 13 13)))",
            [
                *(9, 0, 0, 26, 20, 0, 0, 20, 19, 0, 15),
                *(9, 22, 2, 26, 18, 0, 0, 18, 17, 0, 15),
                *(9, 4, 13, 26, 0, 8, 8, 0, 0, 7, 15),
            ],
        ),
    ],
)
def test_the_examples_of_the_specification(wkt, commands):
    layer = layer_of(encode_layer("any", whole([shapely.from_wkt(wkt)]), {}))
    assert list(layer.features[0].geometry) == commands
    assert (layer.name, layer.version, layer.extent) == ("any", 2, 4096)


def test_rings_turn_the_right_way_whichever_way_they_came():
    hole = [(2, 2), (2, 4), (4, 4), (4, 2)]
    outer = [(0, 0), (9, 0), (9, 9), (0, 9)]
    for one in (outer, outer[::-1]):
        for other in (hole, hole[::-1]):
            layer = layer_of(encode_layer("any", flat([(3, [(False, one), (True, other)])]), {}))
            rings = decoded(mapbox_tile(layer))[0]["geometry"]["coordinates"]
            assert [math.copysign(1, twice_area(ring)) for ring in rings] == [1, -1]


def mapbox_tile(layer):
    return vector_tile_pb2.tile(layers=[layer]).SerializeToString()


def twice_area(ring):
    """Surveyor's formula, positive for clockwise where y grows to the south."""
    return sum(x * y1 - x1 * y for (x, y), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True))


def without_repeats(piece, *, ring):
    kept = [at for i, at in enumerate(piece) if i == 0 or at != piece[i - 1]]
    return kept[:-1] if ring and len(kept) > 1 and kept[0] == kept[-1] else kept


def by_rule(kind, pieces):
    """What is left of a feature's pieces, by the rule as written."""
    if kind == 1:
        return [pieces[0][1]]
    if kind == 2:
        return [kept for _, piece in pieces if len(kept := without_repeats(piece, ring=False)) > 1]
    left, whole_outer = [], False
    for hole, piece in pieces:
        kept = without_repeats(piece, ring=True)
        area = twice_area(kept) if len(kept) > 2 else 0
        whole_outer = whole_outer if hole else area != 0
        if area and whole_outer:
            left.append(kept if (area > 0) != hole else kept[::-1])
    return left


@st.composite
def features(draw):
    kind = draw(st.integers(1, 3))
    if kind == 1:
        return kind, [(False, draw(VERTICES))]
    pieces = draw(st.lists(VERTICES, min_size=1, max_size=4))
    return kind, [(kind == 3 and i > 0 and draw(st.booleans()), piece) for i, piece in enumerate(pieces)]


def drawn(commands):
    """Pieces that a pen following the commands draws."""
    pieces, at, i = [], (0, 0), 0
    while i < len(commands):
        command, count = commands[i] & 7, commands[i] >> 3
        i += 1
        if command == 7:
            continue
        if command == 1:
            pieces.append([])
        for _ in range(count):
            step = [(n >> 1) ^ -(n & 1) for n in commands[i : i + 2]]
            at, i = (at[0] + step[0], at[1] + step[1]), i + 2
            pieces[-1].append(at)
    return pieces


@settings(max_examples=150, deadline=None)
@given(st.lists(features(), max_size=6))
def test_pieces_are_those_of_the_written_rule_and_vanished_features_are_gone(given_features):
    tile = encode_layer("any", flat(given_features), {}, range(len(given_features)))
    wanted = [(i, kind, by_rule(kind, pieces)) for i, (kind, pieces) in enumerate(given_features)]
    wanted = [(i, kind, pieces) for i, kind, pieces in wanted if pieces]
    if not wanted:
        assert tile == b""
        return
    found = layer_of(tile).features
    assert [(one.id, one.type, drawn(list(one.geometry))) for one in found] == wanted


@st.composite
def shapes(draw):
    """Valid polygons with holes, in one or two parts, and lines and points."""
    x, y, size = draw(ANYWHERE), draw(ANYWHERE), draw(st.integers(5, 4000))
    outer = shapely.box(x, y, x + size, y + size)
    hole = shapely.box(x + 1, y + 1, x + draw(st.integers(2, size - 2)), y + draw(st.integers(2, size - 2)))
    other = shapely.box(x + size + 5, y, x + size + 9, y + draw(st.integers(1, 50)))
    with_hole = shapely.difference(outer, hole)
    line = shapely.LineString([(x, y), (x + size, y), (y, x + size)])
    lines, points = shapely.MultiLineString([line, [(0, 0), (1, 1)]]), shapely.MultiPoint([(x, y), (y, x)])
    both = shapely.MultiPolygon([with_hole, other])
    return draw(st.sampled_from([outer, with_hole, both, line, lines, shapely.Point(x, y), points]))


@settings(max_examples=100, deadline=None)
@given(st.lists(shapes(), min_size=1, max_size=5))
def test_an_independent_decoder_gives_the_shapes_back(given_shapes):
    found = decoded(encode_layer("any", whole(given_shapes), {}))
    assert len(found) == len(given_shapes)
    for one, shape in zip(found, given_shapes, strict=True):
        assert shapely.equals(shapely.geometry.shape(one["geometry"]), shape)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 6), st.lists(st.text(max_size=5), max_size=3, unique=True))
def test_properties_come_back_with_their_types_and_each_value_is_written_once(data, count, keys):
    columns = {key: data.draw(st.lists(VALUES, min_size=count, max_size=count)) for key in keys}
    tile = encode_layer("any", whole([shapely.Point(i, 0) for i in range(count)]), columns)
    wanted = [{key: column[i] for key, column in columns.items() if column[i] is not None} for i in range(count)]
    found = [one["properties"] for one in decoded(tile)]
    assert found == wanted
    assert [[type(one[key]) for key in one] for one in found] == [[type(one[key]) for key in one] for one in wanted]
    layer = layer_of(tile)
    assert list(layer.keys) == keys
    distinct = {(type(value), value) for one in wanted for value in one.values()}
    assert len(layer.values) == len({one.SerializeToString() for one in layer.values}) == len(distinct)


def test_values_and_properties_follow_the_features_that_are_left():
    gone = shapely.LineString([(3, 3), (3, 3)])
    columns = {"name": np.array(["first", "gone", None], object), "n": np.array([1, 2, 3])}
    tile = encode_layer(
        "any", whole([shapely.Point(0, 0), gone, shapely.Point(1, 1)]), columns, np.array([7, 8, 2**63])
    )
    assert [(one["id"], one["properties"]) for one in decoded(tile)] == [
        (7, {"name": "first", "n": 1}),
        (2**63, {"n": 3}),
    ]
    assert b"gone" not in tile


def test_missing_numbers_are_left_out():
    tile = encode_layer("any", whole([shapely.Point(0, 0)] * 2), {"rate": np.array([np.nan, 0.5])})
    assert [one["properties"] for one in decoded(tile)] == [{}, {"rate": 0.5}]


def test_tiles_of_several_layers_are_one_after_the_other():
    one = encode_layer("one", whole([shapely.Point(1, 2)]), {})
    two = encode_layer("two", whole([shapely.Point(3, 4)]), {}, extent=512)
    found = mapbox_vector_tile.decode(one + two)
    assert {name: layer["extent"] for name, layer in found.items()} == {"one": 4096, "two": 512}


@pytest.mark.parametrize(
    ("columns", "ids", "words"),
    [
        ({"n": [1, 2]}, None, "'n' has 2 values for 1"),
        ({}, [1, 2], "not of one length"),
        ({"n": [2**64]}, None, "64-bit"),
        ({"n": [b"bytes"]}, None, "neither text"),
    ],
)
def test_what_does_not_fit_is_refused(columns, ids, words):
    with pytest.raises(InvalidParameter, match=words):
        encode_layer("any", whole([shapely.Point(0, 0)]), columns, ids)


def test_parts_of_a_unit_and_mixtures_are_refused():
    with pytest.raises(InvalidParameter, match="whole numbers"):
        encode_layer("any", TileGeometry.of(np.array([shapely.Point(0.5, 0)])), {})
    mixed = shapely.GeometryCollection([shapely.Point(0, 0), shapely.LineString([(0, 0), (1, 1)])])
    with pytest.raises(InvalidParameter, match="mixture"):
        whole([mixed])
    with pytest.raises(InvalidParameter, match="parts one by one"):
        whole([shapely.GeometryCollection([mixed])])


def test_nothing_makes_no_bytes():
    assert encode_layer("any", whole([]), {"a": []}) == b""
    assert encode_layer("any", whole([None, shapely.Polygon()]), {"a": [1, 2]}) == b""


@given(
    st.lists(
        st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([2**k + d for k in range(7, 64, 7) for d in (-1, 0)]))
    )
)
def test_varints_are_those_of_protobuf(numbers):
    values = np.array(numbers, np.uint64)
    assert write_varints(values, varint_sizes(values)).tobytes() == b"".join(map(_VarintBytes, numbers))


@given(st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_zigzag_puts_signs_last(numbers):
    assert zigzag(np.array(numbers, np.int32)).tolist() == [2 * n if n >= 0 else -2 * n - 1 for n in numbers]


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_narrow_numbers_are_written_like_wide_ones(numbers):
    values = np.array(numbers, np.uint32)
    assert write_varints(values, varint_sizes(values)).tobytes() == b"".join(map(_VarintBytes, numbers))


def test_vertices_as_far_as_they_may_be_come_back_and_farther_ones_are_refused():
    far = 2**30 - 1
    line = shapely.LineString([(-far, far), (far, -far), (0, 0)])
    (found,) = decoded(encode_layer("any", whole([line]), {}))
    assert shapely.equals(shapely.geometry.shape(found["geometry"]), line)
    for beyond in (far + 1, -far - 1):
        with pytest.raises(InvalidParameter, match="too far"):
            encode_layer("any", whole([shapely.Point(0, beyond)]), {})

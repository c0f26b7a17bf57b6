"""Tiles of released layers beside an independent decoder, PROJ's own Mercator, and PostGIS."""

import io

import mapbox_vector_tile
import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo import cells as h3cells
from geo.disclosure import release
from geo.errors import IntegrityError, InvalidParameter
from geo.model import Layer, Profile
from maps.tiles import TileIndex, tile_bounds
from tests.factories import CELL_STATISTICS, LAT, LON, make_layer, make_run

HALF_M = 20037508.342789244
MERCATOR = Transformer.from_crs(4326, 3857, always_xy=True)
PROPERTIES = ("cell", "records", "hot", "rate", "trend")


def reference(shapes, kind="parks", names=None):
    """Release base features of one kind."""
    array = np.empty(len(shapes), object)
    array[:] = shapes
    frame = pd.DataFrame({"id": [str(i) for i in range(len(shapes))], "kind": kind, "name": names or None})
    return release(Layer.REFERENCE, frame.astype(object), array, run=make_run(), profile=Profile.OPERATIONAL)


def cells_layer(cells):
    """Release given cells with a number of records each of its own."""
    text = h3cells.cell_text(cells)
    records = np.arange(len(cells))
    plain = {"id": text, "cell": text, "records": records, "days": records, "months": records, "month_only": 0}
    frame = pd.DataFrame(plain | CELL_STATISTICS | {"snapped": 0, "hot": records % 2})
    return release(Layer.CELLS, frame, h3cells.boundaries(cells), run=make_run(), profile=Profile.OPERATIONAL)


def decoded(tile):
    """Features of a tile as an independent decoder reads them, by id."""
    if not tile:
        return {}
    (layer,) = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True}).values()
    return {one["id"]: one for one in layer["features"]}


def in_units(shapes, z, x, y):
    """Shapes in units of a tile, by PROJ."""

    def placed(lonlat):
        east_m, north_m = MERCATOR.transform(lonlat[:, 0], lonlat[:, 1])
        world = np.column_stack([(east_m + HALF_M), (HALF_M - north_m)]) / (2 * HALF_M)
        return (world * 2**z - (x, y)) * 4096

    return shapely.transform(shapes, placed)


def tile_at(lon, lat, z):
    (x_m, y_m) = MERCATOR.transform(lon, lat)
    return z, int((x_m + HALF_M) / (2 * HALF_M) * 2**z), int((HALF_M - y_m) / (2 * HALF_M) * 2**z)


def shape_of(feature):
    return shapely.geometry.shape(feature["geometry"])


def farthest_vertex(found, wanted):
    """How far the vertices of one shape are at most from those of the other, the same number on both sides."""
    one, other = (np.unique(shapely.get_coordinates(each), axis=0) for each in (found, wanted))
    assert len(one) == len(other)
    return np.abs(one[:, None] - other[None]).max(axis=2).min(axis=1).max()


MIDDLE = h3cells.index_points(np.array([LON]), np.array([LAT]), 9)
CELLS = cells_layer(h3cells.disks(MIDDLE, 20))
INDEX = TileIndex.of(CELLS, PROPERTIES)


@pytest.mark.parametrize("z", [0, 3, 8, 10, 12, 13, 14, 15])
def test_a_tile_has_the_cells_that_meet_it_with_their_values_and_vertices(z):
    middle, drawn_whole = tile_at(LON, LAT, z), 0
    for x in range(max(0, middle[1] - 1), min(2**z, middle[1] + 2)):
        for y in range(max(0, middle[2] - 1), min(2**z, middle[2] + 2)):
            units = in_units(CELLS.geometry, z, x, y)
            west, north, east, south = shapely.bounds(units).T
            meets = (east > -63.5) & (west < 4159.5) & (south > -63.5) & (north < 4159.5)
            touches = (east > -64.5) & (west < 4160.5) & (south > -64.5) & (north < 4160.5)
            found = decoded(INDEX.tile(z, x, y))
            drawn = {int(i) for i in np.flatnonzero(meets & (np.minimum(east - west, south - north) > 2))}
            assert drawn <= set(found) <= set(np.flatnonzero(touches).tolist())
            for row, one in found.items():
                wanted = CELLS.features.iloc[row]
                assert one["properties"] == {name: wanted[name] for name in PROPERTIES}
            large = [i for i in found if east[i] - west[i] > 10]  # smaller ones lose vertices to the grid
            assert all(farthest_vertex(shape_of(found[i]), units[i]) <= 1 for i in large)
            drawn_whole += len(large)
    assert drawn_whole >= (0 if z < 8 else 9)


def test_every_cell_is_in_the_tile_of_its_centre():
    lon, lat = shapely.centroid(CELLS.geometry)[0].coords[0]
    row = 0
    for z in range(8, 17):
        assert row in decoded(INDEX.tile(*tile_at(lon, lat, z)))


def test_only_released_layers_are_drawn():
    frame = pd.DataFrame({"cell": ["89195c2a5b7ffff"]})
    for other in (frame, CELLS.features, CELLS.geometry, None):
        with pytest.raises(TypeError, match="ReleasedLayer"):
            TileIndex.of(other, ("cell",))


def test_what_was_suppressed_is_in_no_tile_and_no_index():
    released = make_layer(Layer.CELLS, records=(1, 6, 30), profile=Profile.PARTNER)
    index = TileIndex.of(released, ("cell", "records"))
    assert (index.layer, index.profile, len(index)) == ("cells", "partner", 2)
    found = decoded(index.tile(0, 0, 0)) | decoded(index.tile(*tile_at(LON, LAT, 10)))
    assert sorted(one["properties"]["records"] for one in found.values()) == [6, 30]
    kept = set(released.features["cell"])
    all_cells = set(make_layer(Layer.CELLS, records=(1, 6, 30)).features["cell"])
    (hidden,) = all_cells - kept
    assert hidden.encode() not in index.to_bytes()


def test_a_property_must_have_been_released():
    with pytest.raises(InvalidParameter, match="no property 'why'"):
        TileIndex.of(CELLS, ("cell", "why"))


@pytest.mark.parametrize(
    "place",
    [(-1, 0, 0), (23, 0, 0), (0, 1, 0), (0, 0, 1), (3, 8, 0), (3, 0, 8), (3, -1, 0), (3, 0, -1), (22, 2**22, 0)],
)
def test_a_tile_that_is_none_is_refused(place):
    with pytest.raises(InvalidParameter, match=r"[Tt]iles"):
        tile_bounds(*place)
    with pytest.raises(InvalidParameter, match=r"[Tt]iles"):
        INDEX.tile(*place)


@pytest.mark.parametrize("buffer", [-1, 4097])
def test_a_senseless_buffer_is_refused(buffer):
    with pytest.raises(InvalidParameter, match="buffer"):
        INDEX.tile(10, 0, 0, buffer)


def test_empty_tiles_and_layers_are_no_bytes():
    assert INDEX.tile(10, 0, 0) == b""
    assert INDEX.tile(22, 2**22 - 1, 2**22 - 1) == b""
    empty = TileIndex.of(cells_layer(np.empty(0, np.int64)), PROPERTIES)
    assert empty.tile(0, 0, 0) == b""
    assert len(TileIndex.from_bytes(empty.to_bytes())) == 0
    nothing = TileIndex.of(reference([shapely.Polygon(), None]), ("kind",))
    assert nothing.tile(0, 0, 0) == b""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 22), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_bounds_of_a_tile_are_those_of_proj(z, across, down):
    x, y = int(across * 2**z), int(down * 2**z)
    west, south, east, north = tile_bounds(z, x, y)
    step_m = 2 * HALF_M / 2**z
    corners = MERCATOR.transform([west, east], [north, south])
    wanted = [-HALF_M + x * step_m, -HALF_M + (x + 1) * step_m, HALF_M - y * step_m, HALF_M - (y + 1) * step_m]
    assert np.concatenate(corners) == pytest.approx(wanted, abs=1e-3)


def test_the_buffer_says_how_far_beyond_the_edge_is_drawn():
    z, x, y = 14, 8000, 5400
    west, south, east, north = tile_bounds(z, x, y)
    unit = (east - west) / 4096
    middle = (south + north) / 2
    index = TileIndex.of(reference([shapely.Point(east + 40 * unit, middle)], "premises"), ())
    assert [bool(index.tile(z, x, y, buffer)) for buffer in (0, 39, 41, 64)] == [False, False, True, True]


def test_small_base_features_are_left_out_but_no_points_and_no_cells():
    z, x, y = tile_at(LON, LAT, 10)
    unit = 360 / 2**z / 4096
    box = shapely.box(LON - 0.2 * unit, LAT - 0.01 * unit, LON + 0.2 * unit, LAT + 0.01 * unit)
    long = shapely.LineString([(LON, LAT), (LON + 3 * unit, LAT)])
    short = shapely.LineString([(LON, LAT), (LON + 0.45 * unit, LAT)])
    layer = reference([box, short, long, shapely.Point(LON, LAT)])
    index = TileIndex.of(layer, ())
    assert sorted(decoded(index.tile(z, x, y))) == [2, 3]
    assert sorted(decoded(TileIndex.of(layer, (), smallest_units=4).tile(z, x, y))) == [3]
    assert sorted(decoded(index.tile(*tile_at(LON, LAT, z + 6)))) == [0, 1, 2, 3]
    assert INDEX.smallest_units == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 22), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_positions_are_those_of_proj_down_to_the_deepest_zoom(z, east, north):
    at = shapely.Point(LON + east, LAT + north)
    index = TileIndex.of(reference([shapely.Point(LON - 1, LAT - 1), at, shapely.Point(LON + 1, LAT + 1)]), ())
    place = tile_at(at.x, at.y, z)
    found = shape_of(decoded(index.tile(*place))[1])
    assert farthest_vertex(found, in_units(at, *place)) <= 0.6


@st.composite
def stars(draw):
    """A polygon of some hundred metres to kilometres with a hole in it, round the usual point."""
    count = draw(st.integers(3, 12))
    size = draw(st.floats(0.001, 0.3))
    share = np.array(draw(st.lists(st.floats(0.3, 1), min_size=count, max_size=count)))
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    rim = np.column_stack([np.cos(turn), np.sin(turn)]) * share[:, None] * size + (LON, LAT)
    return shapely.Polygon(rim, [shapely.affinity.scale(shapely.Polygon(rim), 0.2, 0.2, origin=(LON, LAT)).exterior])


@settings(max_examples=60, deadline=None)
@given(stars(), st.integers(8, 20), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_large_features_are_cut_and_lose_nothing_inside_the_tile(star, z, east, north):
    place = tile_at(LON + east * 2.0 ** (9 - z), LAT + north * 2.0 ** (9 - z), z)
    frame = shapely.box(-64, -64, 4160, 4160)
    wanted = shapely.intersection(in_units(star, *place), frame)
    found = decoded(TileIndex.of(reference([star]), ("kind",)).tile(*place))
    if not found:
        assert wanted.area < 4 * 8400  # at most a sliver along an edge
        return
    shape = shape_of(found[0])
    assert np.abs(shapely.get_coordinates(shape)).max() <= 3 * 4096 + 64
    shape = shapely.make_valid(shape)
    assert shapely.symmetric_difference(shapely.intersection(shape, frame), wanted).area <= wanted.length * 1.5 + 4
    assert found[0]["properties"] == {"kind": "parks"}


def test_lines_and_points_far_larger_than_the_tile_are_cut():
    z, x, y = tile_at(LON, LAT, 18)
    road = shapely.LineString([(LON - 1, LAT), (LON + 1, LAT)])
    stops = shapely.MultiPoint([(LON - 1, LAT), (LON, LAT), (LON + 1, LAT)])
    small = shapely.Point(LON, LAT)
    found = decoded(TileIndex.of(reference([road, small, stops], "roads"), ()).tile(z, x, y))
    assert list(found) == [0, 1, 2]
    ends = shapely.get_coordinates(shape_of(found[0]))
    assert sorted(ends[:, 0].tolist()) == [-64, 4160]
    assert farthest_vertex(shape_of(found[2]), shape_of(found[1])) <= 1


def test_a_polygon_that_only_touches_the_buffer_leaves_no_line():
    z, x, y = 12, 2000, 1300
    west, south, east, north = tile_bounds(z, x, y)
    width = east - west
    edge = east + width * 64 / 4096
    far = shapely.box(edge + 1e-12, south - 9 * width, edge + 9 * width, north + 9 * width)
    assert TileIndex.of(reference([far]), ()).tile(z, x, y) == b""


def test_a_stored_index_makes_the_same_tiles():
    shapes = [shapely.Point(LON, LAT).buffer(0.01, 3).difference(shapely.Point(LON, LAT).buffer(0.002)), None]
    layer = reference([*shapes, shapely.LineString([(LON, LAT), (LON + 0.1, LAT)])], names=["Park", None, "£ é"])
    for index in (INDEX, TileIndex.of(layer, ("kind", "name"))):
        again = TileIndex.from_bytes(index.to_bytes())
        assert (again.layer, again.profile, again.smallest_units) == (index.layer, index.profile, index.smallest_units)
        for z in (0, 5, 10, 12, 14, 18, 22):
            place = tile_at(LON, LAT, z)
            assert again.tile(*place) == index.tile(*place)
        assert index.tile(*tile_at(LON, LAT, 12))


def test_what_is_no_stored_index_is_refused():
    written = INDEX.to_bytes()
    pickled, other = io.BytesIO(), io.BytesIO()
    np.savez(pickled, format=np.array([{}], object))
    np.savez(other, format=99)
    cut = written[: len(written) // 2]
    turned = bytearray(written)
    turned[len(written) // 3] ^= 0xFF
    for bad in (b"", b"PK", cut, bytes(turned), pickled.getvalue(), other.getvalue()):
        with pytest.raises(IntegrityError, match="make the analysis again"):
            TileIndex.from_bytes(bad)


def test_a_cell_across_the_antimeridian_is_drawn_on_both_sides_and_nowhere_else():
    cells = h3cells.disks(h3cells.index_points(np.array([180.0]), np.array([10.0]), 5), 1)
    layer = cells_layer(cells)
    across = np.ptp(shapely.bounds(layer.geometry)[:, [0, 2]], axis=1) > 180
    assert across.any()
    index = TileIndex.of(layer, ("cell",))
    z, x, y = tile_at(179.99, 10, 8)
    assert x == 2**z - 1
    east, west = decoded(index.tile(z, x, y)), decoded(index.tile(z, 0, y))
    for row in np.flatnonzero(across):
        areas = [shape_of(side[row]).area for side in (east, west)]
        one = shapely.area(in_units(layer.geometry[~across][:1], z, 0, 0))[0]
        assert sum(areas) == pytest.approx(one, rel=0.05)
    assert index.tile(z, x // 2, y) == b""


def test_a_box_round_the_world_stays_one():
    index = TileIndex.of(reference([shapely.box(-180, -80, 180, 80)]), ())
    assert shape_of(decoded(index.tile(0, 0, 0))[0]).area > 4096 * 4096 * 0.7
    assert shape_of(decoded(index.tile(5, 11, 13))[0]).equals(shapely.box(-64, -64, 4160, 4160))


@pytest.mark.parametrize("lat", [90.0, -90.0, 86.0, 85.05, -85.05])
def test_near_the_poles_the_square_ends(lat):
    cells = h3cells.disks(h3cells.index_points(np.array([30.0]), np.array([lat]), 4), 2)
    index = TileIndex.of(cells_layer(cells), ("cell",))
    for place in ((0, 0, 0), (3, 4, 0 if lat > 0 else 7)):
        xy = [shapely.get_coordinates(shape_of(one)) for one in decoded(index.tile(*place)).values()]
        vertices = np.concatenate([np.empty((0, 2)), *xy])
        assert np.isfinite(vertices).all()
        assert (vertices[:, 1] >= 0).all()
        assert (vertices[:, 1] <= 4096).all()


@pytest.mark.parametrize("count", [20_000, pytest.param(200_000, marks=pytest.mark.full)])
def test_an_index_of_very_many_cells_has_each_where_it_belongs(count):
    cells = h3cells.disks(MIDDLE, 260 if count > 20_000 else 82)[:count]
    assert len(cells) == count
    layer = cells_layer(cells)
    index = TileIndex.from_bytes(TileIndex.of(layer, ("cell", "records")).to_bytes())
    lon, lat = h3cells.centres(cells)
    rng = np.random.default_rng(0)
    ordered = layer.features["cell"].to_numpy()
    world = shapely.bounds(in_units(layer.geometry, 0, 0, 0)) / 4096
    for z in (11, 12, 13, 14):
        for i in rng.choice(count, 6):
            place = tile_at(lon[i], lat[i], z)
            found = decoded(index.tile(*place, 0))
            west, north, east, south = ((world * 2**z - np.tile(place[1:], 2)) * 4096).T
            inside = (west < 4095.9) & (east > 0.1) & (north < 4095.9) & (south > 0.1)
            close = (west < 4096.1) & (east > -0.1) & (north < 4096.1) & (south > -0.1)
            assert set(np.flatnonzero(inside)) <= set(found) <= set(np.flatnonzero(close))
            assert all(
                one["properties"] == {"cell": ordered[k], "records": int(layer.features["records"][k])}
                for k, one in found.items()
            )


def postgis_tile(connection, place, *, clip):
    """The tile as PostGIS makes it of the same features."""
    (tile,) = connection.execute(
        """WITH bounds AS (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS box,
                 ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => 64.0 / 4096) AS wide)
        SELECT ST_AsMVT(f, 'any', 4096, 'shape', 'row') FROM (
            SELECT ST_AsMVTGeom(ST_Transform(geometry, 3857), box, 4096, 64, %(clip)s) AS shape, row, name, records, rate
            FROM feature, bounds WHERE ST_Transform(geometry, 3857) && wide ORDER BY row) f""",
        {**dict(zip("zxy", place, strict=True)), "clip": clip},
    ).fetchone()
    return decoded(bytes(tile))


@pytest.fixture
def postgis(postgis_url):
    with psycopg.connect(postgis_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION postgis")
        connection.execute(
            "CREATE TABLE feature (row bigint, name text, records int, rate float8, geometry geometry(Geometry, 4326))"
        )
        yield connection


def fill(connection, rows, geometry):
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO feature VALUES (%s, %s, %s, %s, ST_SetSRID(%s::geometry, 4326))",
            [(*row, shape.wkb) for row, shape in zip(rows, geometry, strict=True)],
        )


def test_cells_are_those_of_postgis(postgis):
    index = TileIndex.of(CELLS, ("cell", "records", "rate"))
    rows = [(i, one.cell, one.records, one.rate) for i, one in enumerate(CELLS.features.itertuples())]
    fill(postgis, rows, CELLS.geometry)
    for z in (9, 11, 12, 13, 14):
        _, x, y = tile_at(LON, LAT, z)
        for place in ((z, x, y), (z, x + 1, y), (z, x, y + 1)):
            ours, theirs = decoded(index.tile(*place)), postgis_tile(postgis, place, clip=False)
            assert len(ours) > 3 or place != (z, x, y)
            box = shapely.bounds(in_units(CELLS.geometry, *place))
            for row in set(ours) ^ set(theirs):  # PostGIS rounds boxes to single precision before it compares them
                assert np.abs(box[row] - np.array([[-64], [4160]])).min() < 0.1
            assert [row for row in ours if row in theirs] == [row for row in theirs if row in ours]
            for row in set(ours) & set(theirs):
                one = ours[row]
                their_properties = dict(theirs[row]["properties"])
                their_properties["cell"] = their_properties.pop("name")
                assert one["properties"] == their_properties
                assert farthest_vertex(shape_of(one), shape_of(theirs[row])) <= 2


def test_base_features_are_those_of_postgis(postgis):
    rng = np.random.default_rng(3)
    at = rng.uniform((LON - 0.03, LAT - 0.02), (LON + 0.03, LAT + 0.02), (60, 2))
    disks = shapely.buffer(shapely.points(at), rng.uniform(0.001, 0.03, 60), quad_segs=4)
    parks = shapely.difference(disks, shapely.buffer(shapely.points(at), 0.0008, quad_segs=2))
    parks[::7] = [shapely.union(one, shapely.box(-2.2, 51.3, -2.19, 51.31)) for one in parks[::7]]
    roads = shapely.linestrings(np.stack([at, at[::-1]], axis=1))
    shapes = [*parks, *roads, *shapely.points(at)]
    layer = reference(shapes, names=[None if i % 3 else f"No {i}" for i in range(len(shapes))])
    index = TileIndex.of(layer, ("name",), smallest_units=0)
    fill(postgis, [(i, name, None, None) for i, name in enumerate(layer.features["name"])], layer.geometry)
    frame = shapely.box(0, 0, 4096, 4096)
    for z in (9, 12, 14, 16):
        place = tile_at(LON, LAT, z)
        ours, theirs = decoded(index.tile(*place)), postgis_tile(postgis, place, clip=True)
        assert len(theirs) > 20
        for row in set(ours) ^ set(theirs):  # the box meets the tile and the shape does not, or by less than a unit
            shape = shapely.make_valid(shape_of((ours | theirs)[row]))
            assert shapely.intersection(shape, frame).is_empty
        for row in set(ours) & set(theirs):
            assert ours[row]["properties"] == theirs[row]["properties"]
            one, other = (
                shapely.intersection(shapely.make_valid(shape_of(each[row])), frame) for each in (ours, theirs)
            )
            if not one.is_empty and not other.is_empty:
                assert shapely.hausdorff_distance(one, other) <= 2

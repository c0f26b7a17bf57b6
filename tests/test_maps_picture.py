"""Pictures of maps: released layers only, true to scale, the same bytes each time, and no number on another."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from PIL import Image, ImageColor
from pyproj import Geod

from geo.classes import RAMP
from geo.disclosure import ReleasedLayer, release
from geo.errors import InvalidParameter
from geo.model import Layer, Profile
from maps.picture import draw_map, map_frame
from maps.picture_frame import Frame, round_length
from maps.picture_labels import label_spots
from maps.picture_legend import class_words
from maps.picture_text import plain, width_mm, wrapped
from tests.factories import LAT, LON, RUN_ID, for_audience, make_cells, make_layer, make_places, make_run

BREAKS = (1, 2, 4, 8, 16, 32)
BATH = (LON - 0.04, LAT - 0.03, LON + 0.04, LAT + 0.03)
SIZE = (120.0, 120.0)


def cells_of(records: list[int], *, hot: Any = 0, looked: Any = 0, synthetic: bool = False) -> ReleasedLayer:
    frame, shapes = make_cells(records)
    told = frame[["id", "cell", "records"]].assign(hot=hot, looked=looked)
    return release(Layer.MAP, told, shapes, run=make_run(), profile=Profile.OPERATIONAL, synthetic=synthetic)


def places_of(count: int, **columns: Any) -> ReleasedLayer:
    frame, shapes = make_places([5] * count, in_view=5, **columns)
    told = for_audience(frame, Layer.PLACES, Profile.OPERATIONAL)
    return release(Layer.PLACES, told, shapes, run=make_run(), profile=Profile.OPERATIONAL)


def ground_of(kind: str, shape: shapely.Geometry) -> ReleasedLayer:
    told = pd.DataFrame({"id": ["0"], "kind": [kind], "name": [None]})
    return release(Layer.REFERENCE, told, np.array([shape], object), run=make_run(), profile=Profile.OPERATIONAL)


def pixels(*layers: ReleasedLayer, bounds: Any = BATH, **more: Any) -> np.ndarray:
    png = draw_map(layers, bounds=bounds, breaks=BREAKS, size_mm=SIZE, **more)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def at(picture: np.ndarray, layers: tuple[ReleasedLayer, ...], lonlat: Any, *, bounds: Any = BATH) -> np.ndarray:
    """Colours of the picture at positions on the ground."""
    frame = map_frame(layers, bounds=bounds, breaks=BREAKS, size_mm=SIZE)
    right, up = frame.to_mm(np.atleast_2d(np.asarray(lonlat, float))).T
    dots = 200 / 25.4
    return picture[((SIZE[1] - up) * dots).astype(int), (right * dots).astype(int)]


def test_nothing_but_released_layers_is_drawn() -> None:
    frame, _ = make_cells([1, 2])
    with pytest.raises(TypeError, match="ReleasedLayer"):
        draw_map([frame], bounds=BATH, breaks=BREAKS, size_mm=SIZE)
    with pytest.raises(TypeError, match="ReleasedLayer"):
        draw_map([cells_of([1]), frame], bounds=BATH, breaks=BREAKS, size_mm=SIZE)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"layers": []}, "no layer"),
        ({"layers": [make_layer(Layer.CELLS)]}, "no layer"),
        ({"layers": [cells_of([1]), cells_of([1], synthetic=True)]}, "one audience"),
        ({"layers": [places_of(1), make_layer(Layer.PLACES, profile=Profile.PUBLIC)]}, "one audience"),
        ({"breaks": (1, 2)}, "6 limits"),
        ({"size_mm": (30.0, 120.0)}, "at least 80 mm"),
        ({"bounds": (LON, LAT, LON - 1, LAT + 1)}, "bounds"),
        ({"dpi": 20_000}, "dots"),
    ],
)
def test_what_cannot_be_drawn_is_said(changed: dict[str, Any], words: str) -> None:
    asked = {"layers": [cells_of([1])], "bounds": BATH, "breaks": BREAKS, "size_mm": SIZE} | changed
    with pytest.raises(InvalidParameter, match=words):
        draw_map(asked.pop("layers"), **asked)


def test_the_same_layers_make_the_same_bytes_of_the_size_asked_for() -> None:
    layers = [cells_of([0, 1, 3, 7, 12, 30], hot=[0, 0, 0, 0, 1, 1]), places_of(3)]
    first, second = (draw_map(layers, bounds=BATH, breaks=BREAKS, size_mm=(127, 101.6), dpi=100) for _ in range(2))
    assert first == second
    picture = Image.open(io.BytesIO(first))
    assert picture.size == (500, 400)
    assert set(picture.info) <= {"dpi"}  # neither time nor program


def test_each_class_has_its_colour_over_the_ground() -> None:
    layer = cells_of([1, 2, 3, 5, 9, 16, 17, 1000])
    middles = shapely.get_coordinates(shapely.centroid(layer.geometry))
    found = at(pixels(layer), (layer,), middles)
    records = layer.features["records"].tolist()
    for count, colour in zip(records, found, strict=True):
        k = [1 <= count <= 2, 3 <= count <= 4, 5 <= count <= 8, 9 <= count <= 16, count > 16].index(True)
        own = np.array(ImageColor.getrgb(RAMP[k]))
        assert np.abs(colour - (255 * 0.25 + own * 0.75)).max() <= 2, (count, colour)


def test_hot_cells_have_a_heavy_edge_and_looked_ones_a_broken_one() -> None:
    plain_cell, hot, looked = cells_of([3]), cells_of([3], hot=1), cells_of([0], looked=1)
    edge = shapely.get_coordinates(
        shapely.line_interpolate_point(shapely.get_exterior_ring(hot.geometry[0]), np.linspace(0, 0.04, 400))
    )
    dark = [(at(pixels(one), (one,), edge).max(axis=1) < 130).mean() for one in (plain_cell, hot, looked)]
    assert dark[0] == 0
    assert dark[1] > 0.9
    assert 0.15 < dark[2] < 0.85


def test_a_hole_is_not_filled() -> None:
    shape = shapely.box(*BATH).difference(shapely.box(LON - 0.01, LAT - 0.01, LON + 0.01, LAT + 0.01))
    park = ground_of("parks", shape)
    picture = pixels(park)
    inside, outside = at(picture, (park,), [(LON, LAT), (LON + 0.02, LAT + 0.02)])
    assert inside.tolist() == [255, 255, 255]
    assert outside.tolist() == list(ImageColor.getrgb("#cfe6d2"))


def test_points_and_lines_of_the_ground_are_drawn() -> None:
    for kind, shape in (
        ("premises", shapely.Point(LON, LAT)),
        ("roads", shapely.LineString([(LON - 0.01, LAT), (LON + 0.01, LAT)])),
    ):
        layer = ground_of(kind, shape)
        assert at(pixels(layer), (layer,), (LON, LAT)).max() < 230, kind


@settings(max_examples=30)
@given(
    lat=st.floats(-60, 60), lon=st.floats(-170, 170), half=st.floats(0.003, 0.2),
    shape=st.tuples(st.floats(50, 400), st.floats(50, 400)),
)  # fmt: skip
def test_a_frame_shows_its_bounds_and_knows_its_scale(lat: float, lon: float, half: float, shape: Any) -> None:
    bounds = (lon - half, lat - half, lon + half, lat + half)
    frame = Frame.around(bounds, left=10, bottom=20, width=shape[0], height=shape[1])
    corners = frame.to_mm(np.array([bounds[:2], bounds[2:]]))
    assert (corners[:, 0] >= 10 - 1e-6).all()
    assert (corners[:, 0] <= 10 + shape[0] + 1e-6).all()
    assert (corners[:, 1] >= 20 - 1e-6).all()
    assert (corners[:, 1] <= 20 + shape[1] + 1e-6).all()
    middle = (frame.bounds[1] + frame.bounds[3]) / 2
    ends = np.array([(lon, middle), (lon + half / 10, middle)])
    on_paper = float(np.ptp(frame.to_mm(ends)[:, 0]))
    _, _, on_ground = Geod(ellps="sphere", a=6378137, b=6378137).inv(*ends[0], *ends[1])
    assert on_paper * frame.metres_per_mm == pytest.approx(on_ground, rel=2e-3)


def test_a_scale_bar_has_a_round_length() -> None:
    assert [round_length(metres) for metres in (1, 4.9, 5, 99, 1999)] == [1, 2, 5, 50, 1000]


@settings(max_examples=40)
@given(
    places=st.lists(
        st.tuples(st.floats(0, 90), st.floats(0, 90), st.floats(0, 12), st.floats(0, 12)), min_size=1, max_size=40
    )
)
def test_no_number_covers_another_or_leaves_the_map(places: list[Any]) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in places])
    sizes = np.tile([5.0, 3.5], (len(boxes), 1))
    room, taken = np.array([0.0, 0.0, 100.0, 100.0]), np.array([0.0, 0.0, 30.0, 8.0])
    spots = label_spots(boxes, sizes, room, taken)
    assert np.isfinite(spots[0]).all()  # the first in rank always finds room here
    drawn = spots[np.isfinite(spots[:, 0])]
    labels = shapely.box(*(drawn - sizes[: len(drawn)] / 2).T, *(drawn + sizes[: len(drawn)] / 2).T)
    assert shapely.area(shapely.union_all(labels)) == pytest.approx(len(drawn) * 5.0 * 3.5)
    assert not shapely.intersects(labels, shapely.box(*taken)).any()
    assert shapely.covers(shapely.box(*room), labels).all()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every word that is put on a picture."""
    found: list[str] = []
    draw = Axes.text

    def text(self: Axes, x: float, y: float, words: str, **more: Any) -> Any:
        found.append(words)
        assert more["parse_math"] is False
        return draw(self, x, y, words, **more)

    monkeypatch.setattr(Axes, "text", text)
    return found


def test_marking_origin_and_legend_are_on_the_picture(said: list[str]) -> None:
    layer = cells_of([1, 2, 0], hot=[0, 1, 0], looked=[0, 0, 1], synthetic=True)
    pixels(layer, caption="3 records; no filter.")
    words = "\n".join(said)
    assert said.count("OFFICIAL-SENSITIVE (SYNTHETIC)") == 2
    for expected in (
        f"Analysis {RUN_ID}", "Audience: operational", "3 records; no filter.", "SYNTHETIC DATA", "1 to 2 records in a cell",
        "17 to 32", "hot: more than chance explains", "looked, nothing recorded",
    ):  # fmt: skip
        assert expected in words
    assert "place of concern" not in words  # the legend says what is there


def test_places_bear_their_rank_and_nominated_ones_none(said: list[str]) -> None:
    pixels(places_of(3, rank=[7, None, 12], basis=["exact", "nominated", "exact"]))
    numbers = [one for one in said if one.isdecimal()]
    assert numbers == ["7", "12"]
    assert "nominated by a person" in said


def test_an_audience_outside_is_told_that_a_blank_is_not_quiet(said: list[str]) -> None:
    layer = make_layer(Layer.PLACES, records=(12, 30), profile=Profile.PUBLIC)
    pixels(layer)
    assert "A blank is not a quiet place" in " ".join(said)
    assert any("Audience: board" in one for one in said)


def test_words_are_never_formulas_and_strange_characters_do_no_harm(said: list[str]) -> None:
    caption = r"$\frac{1}{0$ ${alert(1)} <b> {{7*7}} \N{x} 漢字 é"
    pixels(cells_of([1]), caption=caption)
    assert r"$\frac{1}{0$ ${alert(1)} <b> {{7*7}} \N{x} ?? é" in said
    assert plain("one\ntwo\t\x07three") == "one two ?three"


@given(st.text(max_size=400), st.integers(1, 3))
@settings(max_examples=60)
def test_wrapped_lines_fit(text: str, lines: int) -> None:
    found = wrapped(text, 7, 60, lines)
    assert len(found) <= lines
    assert all(width_mm(one, 7) <= 60.5 for one in found)
    whole = plain(text)
    if width_mm(whole, 7) <= 60:
        assert found == ([whole] if whole else [])


def test_class_words_leave_no_gap() -> None:
    assert [class_words(k, BREAKS) for k in range(5)] == [
        "1 to 2 records in a cell",
        "3 to 4",
        "5 to 8",
        "9 to 16",
        "17 to 32",
    ]

"""A picture of a map, to print or to put into a paper: drawn by matplotlib from released layers alone."""

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.classes import RAMP
from geo.disclosure import ReleasedLayer
from geo.errors import InvalidParameter
from geo.model import Layer
from maps.picture_frame import Bounds, Floats, Frame, length_words, round_length
from maps.picture_labels import label_spots
from maps.picture_legend import MARGIN_MM, SMALL_PT, draw_above, draw_below, height_above, height_below, words
from maps.picture_shapes import ORDER, draw_layers
from maps.picture_styles import GREY, INK, LEADER, NUMBER, Style
from maps.picture_text import PT_MM, font, width_mm

DPI: Final = 200
_LEAST_MM: Final = 80.0
_MOST_PX: Final = 20_000  # a side; A0 at 400 dots an inch
_NUMBER_PT: Final = 7.5
_ABOVE: Final = 50  # of all layers


def draw_map(
    layers: Sequence[ReleasedLayer],
    *,
    bounds: Bounds,
    breaks: Sequence[int],
    size_mm: tuple[float, float],
    caption: str = "",
    dpi: int = DPI,
) -> bytes:
    """Return a PNG of released layers, the same bytes each time, with marking, legend, scale and where it comes from.

    ``bounds`` (west, south, east, north; WGS 84) lie whole within the map, ``breaks`` are the class limits of the cells as
    ``geo.classes.class_breaks`` makes them, and ``caption`` says in words what is shown.

    Raises
    ------
    TypeError
        When a layer was not released.
    InvalidParameter
        When there is no layer, or no room for a map.
    """
    frame = map_frame(layers, bounds=bounds, breaks=breaks, size_mm=size_mm, caption=caption)
    if max(size_mm) / 25.4 * dpi > _MOST_PX:
        raise InvalidParameter(f"A picture has at most {_MOST_PX:,} dots a side.")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size_mm[0] / 25.4, size_mm[1] / 25.4), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, size_mm[0]), ylim=(0, size_mm[1]))
    axes.set_axis_off()
    draw_layers(axes, layers, frame, breaks)
    unnumbered = _draw_numbers(axes, layers, frame, _draw_scale(axes, frame))
    _draw_edge(axes, frame)
    draw_above(axes, layers[0].metadata, size_mm, caption)
    draw_below(axes, layers, breaks, frame, unnumbered=unnumbered)
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=dpi, metadata={"Software": None})
    return written.getvalue()


def map_frame(
    layers: Sequence[ReleasedLayer],
    *,
    bounds: Bounds,
    breaks: Sequence[int],
    size_mm: tuple[float, float],
    caption: str = "",
) -> Frame:
    """Return where the map lies between caption and legend."""
    if not all(isinstance(layer, ReleasedLayer) for layer in layers):
        raise TypeError("only a ReleasedLayer can be drawn")
    if not layers or any(layer.layer not in ORDER for layer in layers):
        raise InvalidParameter(f"There is no layer to draw; pictures show {', '.join(ORDER)}.")
    if len({(layer.profile, layer.metadata["run"], layer.metadata["marking"]) for layer in layers}) > 1:
        raise InvalidParameter("The layers of a picture belong to one analysis and one audience.")
    if len(breaks) != len(RAMP) + 1:
        raise InvalidParameter(f"The cells have {len(RAMP)} classes, so {len(RAMP) + 1} limits.")
    if min(size_mm) < _LEAST_MM:
        raise InvalidParameter(f"A map is at least {_LEAST_MM:g} mm wide and high.")
    width = size_mm[0] - 2 * MARGIN_MM
    bottom = height_below(layers, breaks, width)
    height = size_mm[1] - bottom - height_above(caption, width)
    return Frame.around(bounds, left=MARGIN_MM, bottom=bottom, width=width, height=height)


def _draw_scale(axes: Any, frame: Frame) -> Floats:
    """Draw a bar of a round length, true in the middle of the map, and return the box that it covers."""
    metres = round_length(frame.metres_per_mm * frame.width / 4)
    long, told = metres / frame.metres_per_mm, length_words(metres)
    left, base = frame.left + 2, frame.bottom + 2
    box = np.array([frame.left, frame.bottom, left + max(long, width_mm(told, SMALL_PT)) + 2, base + 5.5])
    _draw_box(axes, box, {"facecolor": "#ffffffe0", "edgecolor": "none"})
    ends = [left, left, left + long, left + long]
    axes.plot(ends, [base + 1.2, base, base, base + 1.2], color=INK, linewidth=1, zorder=_ABOVE)
    words(axes, left, base + 1.9, told)
    return box


def _draw_numbers(axes: Any, layers: Sequence[ReleasedLayer], frame: Frame, taken: Floats) -> bool:
    """Draw the ranks of the places in view and lines to them; return whether some found no room."""
    found = [layer for layer in layers if layer.layer is Layer.PLACES and "rank" in layer.features]
    ranked = [layer.features["rank"].to_numpy(object) for layer in found]
    known = [np.array([rank is not None for rank in ranks], bool) & frame.shown(layer.geometry)
             for layer, ranks in zip(found, ranked, strict=True)]  # fmt: skip
    if not any(one.any() for one in known):
        return False
    ranks = np.concatenate([one[chosen] for one, chosen in zip(ranked, known, strict=True)]).astype(np.int64)
    shapes = np.concatenate([layer.geometry[chosen] for layer, chosen in zip(found, known, strict=True)])
    order = np.argsort(ranks, kind="stable")
    ranks, boxes = ranks[order], _boxes(shapes[order], frame)
    sizes = np.array([[width_mm(str(rank), _NUMBER_PT, bold=True) + 1.6, _NUMBER_PT * PT_MM + 1.0] for rank in ranks])
    room = np.array([frame.left, frame.bottom, frame.left + frame.width, frame.bottom + frame.height])
    spots = label_spots(boxes, sizes, room, taken)
    for rank, box, size, spot in zip(ranks, boxes, sizes, spots, strict=True):
        if np.isfinite(spot[0]):
            _draw_number(axes, str(rank), box, size, spot)
    return bool(np.isnan(spots[:, 0]).any())


def _boxes(shapes: NDArray[np.object_], frame: Frame) -> Floats:
    """Boxes of shapes on paper, as far as the frame shows them."""
    west, south, east, north = shapely.bounds(shapes).T
    lower, upper = frame.to_mm(np.column_stack([west, south])), frame.to_mm(np.column_stack([east, north]))
    corner = np.array([frame.left, frame.bottom])
    end = corner + np.array([frame.width, frame.height])
    return np.hstack([np.clip(lower, corner, end), np.clip(upper, corner, end)])


def _draw_number(axes: Any, number: str, box: Floats, size: Floats, spot: Floats) -> None:
    near = np.clip(spot, box[:2], box[2:])  # the closest point of the place's box
    middle = (box[:2] + box[2:]) / 2
    axes.plot(*zip((near + middle) / 2, spot, strict=True), zorder=_ABOVE - 1, **LEADER)
    _draw_box(axes, np.concatenate([spot - size / 2, spot + size / 2]), NUMBER)
    axes.text(
        *spot, number, fontproperties=font(_NUMBER_PT, bold=True), color=INK, ha="center", va="center_baseline",
        zorder=_ABOVE, parse_math=False,
    )  # fmt: skip


def _draw_edge(axes: Any, frame: Frame) -> None:
    box = np.array([frame.left, frame.bottom, frame.left + frame.width, frame.bottom + frame.height])
    _draw_box(axes, box, {"facecolor": "none", "edgecolor": GREY, "linewidth": 0.8})


def _draw_box(axes: Any, box: Floats, style: Style) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((box[0], box[1]), box[2] - box[0], box[3] - box[1], zorder=_ABOVE, **style))

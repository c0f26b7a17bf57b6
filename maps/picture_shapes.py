"""Released layers as shapes on a picture: one path for all that looks alike, so that 50,000 cells are five shapes."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.disclosure import ReleasedLayer
from geo.model import Layer
from maps.picture_frame import Frame
from maps.picture_styles import CELLS, GROUND, HALO, HOT, LINK, LOOKED, NOMINATED, PLACE, ROUTE, Style

Shapes = NDArray[np.object_]

# What a picture can show, from the ground up.
ORDER: Final = (Layer.REFERENCE, Layer.MAP, Layer.NETWORK, Layer.ROUTES, Layer.PLACES)


def styled(layer: ReleasedLayer, breaks: Sequence[int]) -> list[tuple[str, Style, NDArray[np.bool_]]]:
    """Return what of a layer looks alike: a name, how it looks, and which features; in the order of drawing."""
    told = layer.features
    if layer.layer is Layer.MAP:
        records = told["records"].to_numpy(np.int64)
        classes = np.where(records > 0, np.searchsorted(np.asarray(breaks[1:-1]), records), -1)
        hot, looked = (told[name].to_numpy() > 0 if name in told else classes < -1 for name in ("hot", "looked"))
        return [
            ("looked", LOOKED, looked & (records == 0) & ~hot),
            *((f"class {k}", style, classes == k) for k, style in enumerate(CELLS)),
            ("hot", HOT, hot),
        ]
    if layer.layer is Layer.PLACES:
        nominated = (told["basis"] == "nominated").to_numpy() if "basis" in told else np.zeros(len(told), bool)
        every = np.ones(len(told), bool)
        return [("halo", HALO, every), ("place", PLACE, ~nominated), ("nominated", NOMINATED, nominated)]
    if layer.layer is Layer.ROUTES:
        return [("route", ROUTE, np.ones(len(told), bool))]
    if layer.layer is Layer.NETWORK:
        return [("link", LINK, (told["significant"] != 0).to_numpy(bool))]
    return [(kind, style, (told["kind"] == kind).to_numpy(bool)) for kind, style in GROUND.items()]


def draw_layers(axes: Any, layers: Sequence[ReleasedLayer], frame: Frame, breaks: Sequence[int]) -> None:
    """Draw layers as far as the frame shows them, ground first and the places on top."""
    from matplotlib.patches import PathPatch

    for order, (style, shapes) in enumerate(_in_order(layers, frame, breaks), start=1):
        patch = PathPatch(_path(shapes, frame), zorder=order, **style)
        axes.add_patch(patch)
        patch.set_clip_box(None)
        patch.set_clip_path(_window(axes, frame))
        points = shapely.get_parts(shapes)
        points = points[shapely.get_dimensions(points) == 0]
        if len(points):
            at = frame.to_mm(shapely.get_coordinates(points))
            axes.plot(*at.T, "s", markersize=2, color=style["edgecolor"], zorder=order, clip_path=_window(axes, frame))


def _in_order(layers: Sequence[ReleasedLayer], frame: Frame, breaks: Sequence[int]) -> Iterator[tuple[Style, Shapes]]:
    ground = list(GROUND)
    found = [
        (ORDER.index(layer.layer), ground.index(name) if name in GROUND else i, style, layer.geometry[chosen])
        for layer in layers
        for i, (name, style, chosen) in enumerate(styled(layer, breaks))
        if chosen.any()
    ]
    for _, _, style, shapes in sorted(found, key=lambda one: one[:2]):
        inside = shapes[frame.shown(shapes)]
        if len(inside):
            yield style, inside


def _window(axes: Any, frame: Frame) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((frame.left, frame.bottom), frame.width, frame.height, transform=axes.transData)


def _path(shapes: Shapes, frame: Frame) -> Any:
    """Rings and lines of all shapes as one path; holes run the other way round, as release has turned them."""
    from matplotlib.path import Path

    parts = shapely.get_parts(shapes)
    dimensions = shapely.get_dimensions(parts)
    runs = np.concatenate([shapely.get_rings(parts[dimensions == 2]), parts[dimensions == 1]])
    lonlat, owner = shapely.get_coordinates(runs, return_index=True)
    codes = np.full(len(lonlat), Path.LINETO, np.uint8)
    begins = np.diff(owner, prepend=-1) > 0
    codes[begins] = Path.MOVETO
    ends = np.diff(owner, append=len(runs)) > 0
    codes[ends & (owner < int((shapely.get_type_id(runs) == 2).sum()))] = Path.CLOSEPOLY
    return Path(frame.to_mm(lonlat), codes) if len(lonlat) else Path(np.empty((0, 2)))

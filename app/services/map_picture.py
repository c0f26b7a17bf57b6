"""The layers of a view, released and drawn as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from app.services.layers import REFERENCE_KINDS, reference_layer, released_layer
from app.services.map_layers import map_layer, resolution_at
from app.services.map_tiles import display
from app.services.view_lists import ListedPlace, as_filter
from data.store import Store
from geo.disclosure import ReleasedLayer
from geo.model import FeatureKind, Layer, Profile, Run, Scope
from geo.view import View
from maps.picture import draw_map
from maps.picture_frame import Bounds, Frame

INSIDE: Final = Profile.OPERATIONAL
MAX_DRAWN: Final = 500  # as on the screen
# The zoom from which each is more than a dot or a blur.
_FROM_ZOOM: Final = {FeatureKind.PARKS: 10, FeatureKind.ROADS: 11, FeatureKind.BUILDINGS: 15, FeatureKind.PREMISES: 15}
_WIDE: Final = 1.2
_EDGE: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is to be drawn: a view, within bounds or else all of it, in the shape that a form of print needs."""

    view: View
    form: str
    bounds: Bounds | None
    caption: str


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A picture of a map, the layers on it, and the class limits of its cells."""

    png: bytes
    layers: tuple[ReleasedLayer, ...]
    breaks: tuple[int, ...]


def draw_view(store: Store, scope: Scope, run: Run, wanted: Picture, listed: Sequence[ListedPlace]) -> Drawn:
    """Release and draw what a view shows of an analysis, with the places that it lists and the ground below."""
    shown = display(store, scope, run, INSIDE)
    within = wanted.bounds or shown.bounds
    size_mm = _size_mm(wanted.form, within)
    zoom = Frame.around(within, left=0, bottom=0, width=size_mm[0], height=size_mm[1] * 0.8).zoom  # legend apart
    resolution = resolution_at(run, INSIDE, zoom)
    cells = map_layer(store, scope, run, wanted.view, INSIDE, resolution=resolution)
    layers = (
        *_ground(store, scope, run, zoom),
        cells,
        *(released_layer(store, scope, run, layer, INSIDE) for layer in (Layer.ROUTES, Layer.NETWORK)),
        _places(store, scope, run, wanted.view, listed),
    )
    breaks = shown.breaks[resolution]
    within = wanted.bounds or _around(cells, within)
    png = draw_map(layers, bounds=within, breaks=breaks, size_mm=size_mm, caption=wanted.caption)
    return Drawn(png=png, layers=layers, breaks=tuple(breaks))


def _around(cells: ReleasedLayer, bounds: Bounds) -> Bounds:
    """Return bounds that hold the whole of every cell with records or a mark of being hot."""
    told = cells.features
    marked = cells.geometry[((told["records"] > 0) | (told["hot"] > 0)).to_numpy()]
    west, south, east, north = shapely.total_bounds(np.append(marked, shapely.box(*bounds)))
    aside, above = _EDGE * (east - west), _EDGE * (north - south)
    return (
        max(float(west - aside), -180),
        max(float(south - above), -90),
        min(float(east + aside), 180),
        min(float(north + above), 90),
    )


def _size_mm(form: str, within: Bounds) -> tuple[float, float]:
    """Size of a picture: beside the words of a document, or a page of its own, across where the map is wide."""
    if form == "pdf":
        return 180.0, 200.0
    frame = Frame.around(within, left=0, bottom=0, width=1, height=1)
    (left, low), (right, high) = frame.to_mm(np.array([within[:2], within[2:]]))
    return (277.0, 190.0) if right - left > _WIDE * (high - low) else (190.0, 277.0)


def _ground(store: Store, scope: Scope, run: Run, zoom: int) -> list[ReleasedLayer]:
    held = store.evidence.feature_counts(scope)
    kinds = [kind for kind in REFERENCE_KINDS if held.get(kind) and zoom >= _FROM_ZOOM.get(kind, 0)]
    return [reference_layer(store, scope, run, kind) for kind in kinds]


def _places(store: Store, scope: Scope, run: Run, view: View, listed: Sequence[ListedPlace]) -> ReleasedLayer:
    """Places as the screen shows them, with those that people named."""
    if view == View() and len(listed) <= MAX_DRAWN:
        return released_layer(store, scope, run, Layer.PLACES, INSIDE)
    first = as_filter(listed[:MAX_DRAWN])
    return released_layer(store, scope, run, Layer.PLACES, INSIDE, listed=first, kinds=view.place_kinds)

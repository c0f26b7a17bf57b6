"""Tiles of an analysis: indexed when the analysis is made, made again where a filter asks for it, kept while they are used."""

import json
import math
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import shapely

from app.services import map_cells
from app.services.filtered_tiles import filtered_tile
from app.services.layers import GREAT_BRITAIN, reference_layer, run_bounds
from app.services.map_layers import TILE_PROPERTIES, coverage_layer, map_layer, resolution_at, resolutions_of
from app.services.run_parts import load_part
from app.services.shelf import Shelf
from data.store import Store
from geo.classes import class_breaks
from geo.disclosure import ReleasedLayer
from geo.model import FeatureKind, Profile, Run, Scope
from geo.view import View
from maps.tiles import TileIndex

CELLS: Final = "cells"
COVERAGE: Final = "coverage"
SIZE: Final = attrgetter("size_bytes")
_DISPLAY: Final = "display"
_ROUND_DEGREES: Final = 0.05


@dataclass(frozen=True)
class Display:
    """What a page needs to know of a map before its tiles come.

    ``breaks`` has the class limits at each resolution, of the whole analysis: no filter moves them. ``bounds`` are west,
    south, east and north, WGS 84.
    """

    breaks: dict[int, list[int]]
    bounds: tuple[float, float, float, float]


def prepare_tiles(store: Store, scope: Scope, run: Run) -> dict[str, bytes]:
    """Index the tiles of a stored analysis, for operations, and say how they are drawn."""
    bodies, breaks = {map_cells.NAME: map_cells.pack_cells(store, scope, run)}, {}
    store.views.keep(scope, run.run_id, bodies)  # what the layers below are read from
    for resolution in resolutions_of(run, Profile.OPERATIONAL):
        layer = map_layer(store, scope, run, View(), Profile.OPERATIONAL, resolution=resolution)
        breaks[resolution] = class_breaks(layer.features["records"].to_numpy())
        bodies[_name(resolution)] = TileIndex.of(layer, TILE_PROPERTIES[Profile.OPERATIONAL]).to_bytes()
    display = {"breaks": breaks, "bounds": run_bounds(store, scope, run)}
    return bodies | {_DISPLAY: json.dumps(display).encode()}


def _name(resolution: int) -> str:
    return f"tiles-{resolution}"


def display(store: Store, scope: Scope, run: Run, profile: Profile) -> Display:
    """Return how an analysis is drawn."""
    body = load_part(store, scope, run, _DISPLAY)
    stored: dict[str, Any] = json.loads(body)
    west, south, east, north = stored["bounds"]
    breaks = {int(resolution): limits for resolution, limits in stored["breaks"].items()}
    if profile is not Profile.OPERATIONAL:
        (shared,) = resolutions_of(run, profile)
        layer = map_layer(store, scope, run, View(), profile, resolution=shared)
        breaks = {shared: class_breaks(layer.features["records"].to_numpy())}
        return Display(breaks, _released_bounds(layer))
    return Display(breaks, (west, south, east, north))


def _released_bounds(layer: ReleasedLayer) -> tuple[float, float, float, float]:
    """Bounds of what an audience has, rounded outwards; where it has nothing, those of the country."""
    if not len(layer):
        return GREAT_BRITAIN
    west, south, east, north = (shapely.total_bounds(layer.geometry) / _ROUND_DEGREES).tolist()
    low, high = (math.floor(west), math.floor(south)), (math.ceil(east), math.ceil(north))
    return tuple(one * _ROUND_DEGREES for one in (*low, *high))


Tile = tuple[int, int, int]


def cell_tile(store: Store, scope: Scope, run: Run, view: View, profile: Profile, tile: Tile, shelf: Shelf) -> bytes:
    """Return one tile (zoom, column, row) of the cells of a view; empty where nothing lies in it."""
    resolution = resolution_at(run, profile, tile[0])
    if profile is Profile.OPERATIONAL and view != View():
        return filtered_tile(store, scope, run, view, tile, resolution=resolution, shelf=shelf)
    key = (CELLS, scope.org_id, run.run_id, run.generated_at_us, profile, view.query(), resolution)
    index: TileIndex = shelf.get(key, lambda: _index(store, scope, run, view, profile, resolution), SIZE)
    return index.tile(*tile)


def coverage_tile(store: Store, scope: Scope, run: Run, tile: Tile, shelf: Shelf) -> bytes:
    """Return one tile of the cells where nobody is known to have looked; for operations."""
    resolution = resolution_at(run, Profile.OPERATIONAL, tile[0])
    key = (COVERAGE, scope.org_id, run.run_id, run.generated_at_us, resolution)

    def make() -> TileIndex:
        return TileIndex.of(coverage_layer(store, scope, run, resolution=resolution), ())

    index: TileIndex = shelf.get(key, make, SIZE)
    return index.tile(*tile)


def reference_tile(store: Store, scope: Scope, run: Run, kind: FeatureKind, tile: Tile, shelf: Shelf) -> bytes:
    """Return one tile of imported reference geography round an analysis; protected places never."""
    key = (str(kind), scope.org_id, run.run_id, *reference_state(store, scope, kind))

    def make() -> TileIndex:
        return TileIndex.of(reference_layer(store, scope, run, kind), ("name",))

    index: TileIndex = shelf.get(key, make, SIZE)
    return index.tile(*tile)


def reference_state(store: Store, scope: Scope, kind: FeatureKind) -> tuple[str, ...]:
    """Return what changes when files of a kind, or of protected places, come or go."""
    return store.evidence.input_hashes(scope, sorted([kind, FeatureKind.PROTECTED]))


def _index(store: Store, scope: Scope, run: Run, view: View, profile: Profile, resolution: int) -> TileIndex:
    if profile is Profile.OPERATIONAL and view == View():
        body = store.views.load(scope, run.run_id, _name(resolution))
        if body is not None:
            return TileIndex.from_bytes(body)
    layer = map_layer(store, scope, run, view, profile, resolution=resolution)
    return TileIndex.of(layer, TILE_PROPERTIES[profile])

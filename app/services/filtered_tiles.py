"""Tiles of a filtered map: counted once, and made into tiles only where somebody looks."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.layers import require_layers
from app.services.map_cells import coarser, view_cells
from app.services.map_layers import TILE_PROPERTIES, release_cells
from app.services.shelf import Shelf
from data.store import Store
from geo import cells as h3cells
from geo.model import Profile, Run, Scope
from geo.view import View
from maps.tiles import TileIndex, tile_bounds

# As many cells are made into one index at once; more are parted by tiles this many zooms further out.
_AT_ONCE: Final = 20_000
_PART_ZOOMS: Final = 3
_WHOLE: Final = (0, 0, 0)


@dataclass(frozen=True)
class _Counted:
    """Cells of a view at one resolution, and where their middles are."""

    cells: pd.DataFrame
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]

    @property
    def size_bytes(self) -> int:
        return int(self.cells.memory_usage().sum()) + self.lon.nbytes + self.lat.nbytes

    def within(self, part: tuple[int, int, int], margin_degrees: float) -> pd.DataFrame:
        """Return the cells that may reach into a tile."""
        west, south, east, north = tile_bounds(*part)
        wide = margin_degrees / np.cos(np.radians(min(80.0, max(abs(south), abs(north)))))
        near = (self.lon >= west - wide) & (self.lon <= east + wide)
        near &= (self.lat >= south - margin_degrees) & (self.lat <= north + margin_degrees)
        return self.cells[near].reset_index(drop=True)


def filtered_tile(
    store: Store, scope: Scope, run: Run, view: View, tile: tuple[int, int, int], *, resolution: int, shelf: Shelf
) -> bytes:
    """Return one tile of the cells of a view, for operations."""
    require_layers(run)
    key = (scope.org_id, run.run_id, run.generated_at_us, view.query(), resolution)
    counted: _Counted = shelf.get(("counted", *key), lambda: _count(store, scope, run, view, resolution), _size)
    part = _WHOLE if len(counted.cells) <= _AT_ONCE else _further_out(tile)

    def make() -> TileIndex:
        margin_degrees = 2 * h3cells.spacing_m(resolution) / h3cells.METRES_PER_DEGREE
        cells = counted.cells if part == _WHOLE else counted.within(part, margin_degrees)
        layer = release_cells(store, scope, run, cells, Profile.OPERATIONAL)
        return TileIndex.of(layer, TILE_PROPERTIES[Profile.OPERATIONAL])

    index: TileIndex = shelf.get(("filtered", *key, part), make, _size)
    return index.tile(*tile)


def _count(store: Store, scope: Scope, run: Run, view: View, resolution: int) -> _Counted:
    cells = coarser(view_cells(store, scope, run, view), resolution)
    return _Counted(cells, *h3cells.centres(cells["cell"].to_numpy(np.int64)))


def _further_out(tile: tuple[int, int, int]) -> tuple[int, int, int]:
    z, x, y = tile
    zooms = min(z, _PART_ZOOMS)
    return z - zooms, x >> zooms, y >> zooms


def _size(thing: _Counted | TileIndex) -> int:
    return thing.size_bytes

"""A released layer made ready for tiles: projected and coded once, then any tile of it in milliseconds."""

import io
import zipfile
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.disclosure import ReleasedLayer
from geo.errors import IntegrityError, InvalidParameter
from geo.model import Layer
from maps.mercator import degrees_from_world, split_at_antimeridian, world_from_degrees
from maps.mvt import EXTENT, encode_layer
from maps.mvt_properties import Properties
from maps.ragged import Offsets
from maps.tile_geometry import Kind, TileGeometry

MAX_ZOOM: Final = 22
BUFFER: Final = 64
FORMAT: Final = 1
# Base features smaller than this many units of a tile are not worth their bytes.
SMALLEST_BASE_UNITS: Final = 0.5
# What reaches farther than a whole tile beyond a tile is cut; hexagons of a sensible resolution stay whole.
_FAR: Final = EXTENT
_WHOLE: Final = 2.0**32 - 1
_FINEST: Final = -48  # a step of 2**-48 of the world's width is less than a thousandth of a millimetre
_PLAIN: Final = ("layer", "profile", "smallest_units", "corner", "step", "boxes")
_GEOMETRY: Final = ("xy", "pieces", "features", "kind", "hole")
_PROPERTIES: Final = ("keys", "codes", "values", "offsets")
_OFFSETS: Final = ("pieces", "features", "offsets")
_UNREADABLE: Final = "The stored map of this analysis cannot be read; make the analysis again"


def tile_bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east and north of a tile in degrees.

    Raises
    ------
    InvalidParameter
        When there is no such tile.
    """
    check_tile(z, x, y)
    west, north = degrees_from_world(x / 2**z, y / 2**z)
    east, south = degrees_from_world((x + 1) / 2**z, (y + 1) / 2**z)
    return west, south, east, north


@dataclass(frozen=True, eq=False)
class TileIndex:
    """Features of one released layer: vertices as whole steps from a corner of the layer, boxes and coded properties.

    A step is a power of two of the world's width, as fine as 32 bits allow: under 0.1 mm for a police force, 1 cm for the
    whole world.
    """

    layer: str
    profile: str
    smallest_units: float
    corner: NDArray[np.float64]
    step: float
    geometry: TileGeometry
    boxes: NDArray[np.uint32]
    properties: Properties

    @classmethod
    def of(cls, layer: ReleasedLayer, properties: tuple[str, ...], *, smallest_units: float | None = None) -> Self:
        """Make the index of a layer, with the properties that the map needs.

        Features smaller than `smallest_units` units of a tile are left out of it; without it that is half a unit for
        reference layers, and 0 for everything else. Points are never left out.

        Raises
        ------
        TypeError
            When the layer was not released.
        InvalidParameter
            When the layer has no such property.
        """
        if not isinstance(layer, ReleasedLayer):
            raise TypeError("only a ReleasedLayer may be drawn; see geo.disclosure.release")
        if unknown := [name for name in properties if name not in layer.features.columns]:
            raise InvalidParameter(f"The {layer.layer} layer has no property {unknown[0]!r}.")
        columns = {name: layer.features[name].tolist() for name in properties}
        turned = shapely.orient_polygons(split_at_antimeridian(layer.geometry), exterior_cw=True)  # as tiles want them
        shapes = TileGeometry.of(turned)
        corner, step, geometry = _in_steps(shapes)
        if smallest_units is None:
            smallest_units = SMALLEST_BASE_UNITS if layer.layer is Layer.REFERENCE else 0.0
        coded = Properties.of(columns, len(layer))
        return cls(
            str(layer.layer), str(layer.profile), smallest_units, corner, step, geometry, geometry.boxes(), coded
        )

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.geometry)

    @property
    def size_bytes(self) -> int:
        """Bytes of its arrays."""
        shapes = (getattr(self.geometry, name).nbytes for name in _GEOMETRY)
        coded = self.properties.codes.nbytes + len(self.properties.values) + self.properties.offsets.nbytes
        return int(sum(shapes) + self.boxes.nbytes + coded)

    def tile(self, z: int, x: int, y: int, buffer: int = BUFFER) -> bytes:
        """Write the tile, with what lies up to `buffer` units beyond its edges; no bytes where nothing is.

        The id of a feature is its row in the released layer.

        Raises
        ------
        InvalidParameter
            When there is no such tile, or the buffer is negative or wider than a tile.
        """
        check_tile(z, x, y)
        if not 0 <= buffer <= EXTENT:
            raise InvalidParameter(f"A tile's buffer is 0 to {EXTENT} units, not {buffer}.")
        scale = self.step * EXTENT * 2.0**z  # units of the tile in a step; a power of two, so exact
        shift = self.corner * (EXTENT * 2.0**z) - np.array([x, y]) * float(EXTENT)
        rows = self._rows(scale, shift, buffer)
        if not len(rows):
            return b""
        geometry = self._placed(rows, scale, shift, buffer)
        return encode_layer(self.layer, geometry, self.properties.take(rows), rows)

    def _rows(self, scale: float, shift: NDArray[np.float64], buffer: int) -> Offsets:
        """Features whose box meets the tile with its buffer, and that are large enough."""
        least = np.floor((-buffer - shift) / scale)
        greatest = np.ceil((EXTENT + buffer - shift) / scale)
        if (greatest < 0).any() or (least > _WHOLE).any():
            return np.empty(0, np.int64)
        (west, north), (east, south) = (np.clip(ends, 0, _WHOLE).astype(np.uint32) for ends in (least, greatest))
        left, top, right, bottom = self.boxes
        rows = np.flatnonzero(
            (left <= east) & (right >= west) & (top <= south) & (bottom >= north) & (self.geometry.kind > 0)
        )
        if self.smallest_units > 0:
            size = np.maximum(right[rows] - left[rows], bottom[rows] - top[rows]) * scale
            rows = rows[(size >= self.smallest_units) | (self.geometry.kind[rows] == Kind.POINT)]
        return rows

    def _placed(self, rows: Offsets, scale: float, shift: NDArray[np.float64], buffer: int) -> TileGeometry:
        """Features in whole units of the tile, those that reach far beyond it cut to it and its buffer."""
        geometry = self.geometry.take(rows)
        exact = replace(geometry, xy=geometry.xy * scale + shift)
        least, greatest = self.boxes[:2, rows] * scale + shift[:, None], self.boxes[2:, rows] * scale + shift[:, None]
        far = ((least < -buffer - _FAR) | (greatest > EXTENT + buffer + _FAR)).any(axis=0)
        if far.any():
            large, small = np.flatnonzero(far), np.flatnonzero(~far)
            cut = _cut(exact.take(large), -buffer, EXTENT + buffer)
            exact = exact.take(small).joined(cut).take(np.argsort(np.concatenate([small, large])))
        return replace(exact, xy=np.rint(exact.xy).astype(np.int32))

    def to_bytes(self) -> bytes:
        """Write the index to be stored; `from_bytes` reads it."""
        arrays = {name: getattr(self, name) for name in _PLAIN}
        arrays |= {name: getattr(self.geometry, name) for name in _GEOMETRY}
        arrays |= {name: getattr(self.properties, name) for name in _PROPERTIES}
        arrays |= {name: arrays[name].astype(np.uint32) for name in _OFFSETS}
        written = io.BytesIO()
        np.savez(written, format=FORMAT, **arrays)
        return written.getvalue()

    @classmethod
    def from_bytes(cls, written: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises
        ------
        IntegrityError
            When it is something else, or of another version.
        """
        try:
            with np.load(io.BytesIO(written), allow_pickle=False) as stored:
                if int(stored["format"]) != FORMAT:
                    raise IntegrityError(f"{_UNREADABLE} (format {int(stored['format'])}, not {FORMAT}).")
                arrays = {name: stored[name] for name in (*_PLAIN, *_GEOMETRY, *_PROPERTIES)}
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise IntegrityError(f"{_UNREADABLE}.") from error
        arrays |= {name: arrays[name].astype(np.int64) for name in _OFFSETS}
        geometry = TileGeometry(**{name: arrays[name] for name in _GEOMETRY})
        keys = tuple(arrays.pop("keys").tolist())
        properties = Properties(keys, *(arrays[name] for name in _PROPERTIES[1:]))
        plain = {name: arrays[name].item() for name in ("layer", "profile", "smallest_units", "step")}
        return cls(**plain, corner=arrays["corner"], boxes=arrays["boxes"], geometry=geometry, properties=properties)


def _in_steps(shapes: TileGeometry) -> tuple[NDArray[np.float64], float, TileGeometry]:
    """Corner and step of a layer in the world's square, and its vertices in whole steps from the corner."""
    world = world_from_degrees(shapes.xy)
    if not len(world):
        return np.zeros(2), 1.0, replace(shapes, xy=world.astype(np.uint32))
    span = float(np.ptp(world, axis=0).max())
    step = float(2.0 ** max(_FINEST, np.ceil(np.log2(span / (_WHOLE - 1))))) if span else 2.0**_FINEST
    corner = np.floor(world.min(axis=0) / step) * step
    return corner, step, replace(shapes, xy=np.rint((world - corner) / step).astype(np.uint32))


def _cut(geometry: TileGeometry, low: int, high: int) -> TileGeometry:
    """Features cut to a square; a polygon that only touches it leaves nothing, not a line."""
    shapes = shapely.clip_by_rect(geometry.as_shapes(), low, low, high, high)
    parts, feature = shapely.get_parts(shapes, return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)  # collections have multiple geometries inside
    feature = feature[inner]
    same = shapely.get_dimensions(parts) == geometry.kind[feature].astype(int) - 1
    return TileGeometry.of_parts(parts[same], feature[same], len(geometry))


def check_tile(z: int, x: int, y: int) -> None:
    """Refuse what is no tile.

    Raises
    ------
    InvalidParameter
    """
    if not 0 <= z <= MAX_ZOOM:
        raise InvalidParameter(f"Tiles have zooms 0 to {MAX_ZOOM}, not {z}.")
    if not (0 <= x < 2**z and 0 <= y < 2**z):
        raise InvalidParameter(f"Zoom {z} has tiles 0 to {2**z - 1} each way; {x}, {y} is none of them.")

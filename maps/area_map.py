"""A map of areas as one drawing for a page: what may be said of each, by pattern and colour, with its name to be read."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely
from markupsafe import Markup
from numpy.typing import NDArray

from geo.disclosure import ReleasedLayer
from geo.errors import InvalidParameter
from geo.model import FeatureKind
from maps.mercator import world_from_degrees

# In units of the drawing, which is as wide as high at most; a page shows it smaller.
WIDTH: Final = 1000
MARGIN: Final = 8
# An area narrower than this has no room for a mark, and a name needs about so much a letter.
_MARK: Final = 28
_LETTER: Final = 13
_MAX_NAMES: Final = 60

UP, DOWN, NO_CLEAR_CHANGE, TOO_FEW, NO_HISTORY = "up", "down", "no_clear_change", "too_few", "no_history"
# Told apart by pattern and by mark as well as by colour: dots, lines, plain, sparse dots, hatching.
_PATTERNS: Final = {
    UP: (14, Markup('<circle class="lw-area-dot" cx="7" cy="7" r="2.6"/>')),
    DOWN: (16, Markup('<path class="lw-area-line" d="M0 8h16"/>')),
    NO_CLEAR_CHANGE: (16, Markup("")),
    TOO_FEW: (26, Markup('<circle class="lw-area-dot" cx="13" cy="13" r="2.2"/>')),
    NO_HISTORY: (14, Markup('<path class="lw-area-line" d="M-4 4l8-8M0 14l14-14M10 18l8-8"/>')),
}
STATES: Final = tuple(_PATTERNS)
_MARKS: Final = {UP: "M{x} {y}m-12 9h24l-12-20z", DOWN: "M{x} {y}m-12-9h24l-12 20z"}


def draw_areas(areas: ReleasedLayer, states: Sequence[str], words: Sequence[str], *, label: str) -> Markup:
    """Draw areas with what may be said of each; ``words`` are read beside the name of each.

    Raises
    ------
    InvalidParameter
        When a feature is no area, or a state is unknown.
    """
    if set(areas.features["kind"]) - {FeatureKind.AREAS} or set(states) - set(STATES):
        raise InvalidParameter("Only areas in a known state are drawn here.")
    shapes = _drawn(areas.geometry)
    _, _, right, bottom = shapely.total_bounds(shapes) if len(shapes) else (0, 0, 0, 0)
    width, height = (round(float(end)) + MARGIN for end in (right, bottom))
    names = [str(name) if name else "Unnamed area" for name in areas.features["name"]]
    drawn = [
        Markup('<path class="lw-area" fill="url(#lw-area-{})" d="{}"><title>{}: {}</title></path>').format(
            state, _path(shape), name, told
        )
        for shape, state, name, told in zip(shapes, states, names, words, strict=True)
    ]
    return Markup(
        '<svg class="lw-areas" viewBox="0 0 {} {}" preserveAspectRatio="xMinYMid" role="img" aria-label="{}"><defs>{}</defs>{}{}</svg>'
    ).format(
        width, height, label, Markup("").join(map(_pattern, STATES)), Markup("").join(drawn), _marks(shapes, states, names)
    )  # fmt: skip


def draw_sample(state: str) -> Markup:
    """Draw a sample of a state for the legend of a page that has the map."""
    return Markup(
        '<svg class="lw-area-sample" viewBox="0 0 60 40" aria-hidden="true">'
        '<rect class="lw-area" x="1" y="1" width="58" height="38" fill="url(#lw-area-{})"/>{}</svg>'
    ).format(state, _mark(state, 30, 20))


def _pattern(state: str) -> Markup:
    size, ink = _PATTERNS[state]
    return Markup(
        '<pattern id="lw-area-{0}" class="lw-area-pattern lw-area-pattern--{0}" width="{1}" height="{1}" patternUnits="userSpaceOnUse">'
        '<rect class="lw-area-ground" width="{1}" height="{1}"/>{2}</pattern>'
    ).format(state, size, ink)


def _mark(state: str, x: int, y: int) -> Markup:
    """Return an arrowhead up or down for a change; nothing for all else."""
    return (
        Markup('<path class="lw-area-mark" d="{}"/>').format(_MARKS[state].format(x=x, y=y))
        if state in _MARKS
        else Markup("")
    )


def _marks(shapes: NDArray[np.object_], states: Sequence[str], names: Sequence[str]) -> Markup:
    """Marks of changes in the areas that have room, and names where there are few areas and each fits into its own."""
    west, north, east, south = shapely.bounds(shapes).T if len(shapes) else np.empty((4, 0))
    wide, high = east - west, south - north
    at = np.rint(shapely.get_coordinates(shapely.point_on_surface(shapes))).astype(int).tolist() if len(shapes) else []
    found = []
    for i, (x, y) in enumerate(at):
        has_mark = states[i] in _MARKS and min(wide[i], high[i]) >= _MARK
        if has_mark:
            found.append(_mark(states[i], x, y))
        if len(names) <= _MAX_NAMES and len(names[i]) * _LETTER <= wide[i] and high[i] >= 3 * _MARK:
            found.append(
                Markup('<text class="lw-area-name" x="{}" y="{}">{}</text>').format(
                    x, y + (38 if has_mark else 8), names[i]
                )
            )
    return Markup("").join(found)


def _drawn(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """Place outlines on the drawing: north up, the longer side as long as there is room."""
    if not len(geometry):
        return geometry
    world = shapely.transform(geometry, world_from_degrees)
    west, north, east, south = shapely.total_bounds(world)
    scale = (WIDTH - 2 * MARGIN) / max(east - west, south - north, 1e-12)
    return np.asarray(shapely.transform(world, lambda xy: (xy - (west, north)) * scale + MARGIN), object)


def _path(shape: shapely.Geometry) -> str:
    """Return the rings of an outline as steps of whole units; what is smaller than a unit is left out."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    whole = np.rint(coordinates).astype(int)
    kept = np.ones(len(whole), bool)
    kept[1:] = (np.diff(whole, axis=0) != 0).any(axis=1) | (np.diff(ring) != 0)
    parts = np.split(whole[kept], np.flatnonzero(np.diff(ring[kept])) + 1)
    return "".join(_ring(part) for part in parts if len(part) > 3)


def _ring(points: NDArray[np.int_]) -> str:
    steps = np.diff(points, axis=0)[:-1]  # z closes the last one
    return f"M{points[0, 0]} {points[0, 1]}l" + " ".join(f"{x} {y}" for x, y in steps.tolist()) + "z"

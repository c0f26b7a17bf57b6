"""The areas of a page of figures as a released layer, ready to be drawn."""

from typing import Final

import numpy as np
import shapely

from app.services.by_area import ByArea
from app.services.reference_layers import no_analysis, release_reference
from data.store import Store
from geo.disclosure import ReleasedLayer
from geo.model import FeatureKind, Scope

# More areas than this are specks on a page, and their outlines a large one.
MAX_DRAWN: Final = 1500
# Parts of the map's longer side: finer than a point of the screen.
_FINENESS: Final = 2000


def area_layer(store: Store, scope: Scope, found: ByArea, *, now_us: int) -> ReleasedLayer | None:
    """Release the outlines of the areas in figures, simplified, in the order of their rows; None where they are too many."""
    inside = [i for i, shape in enumerate(found.shapes) if shape is not None]
    if not 0 < len(inside) <= MAX_DRAWN:
        return None
    shapes = np.asarray([found.shapes[i] for i in inside], object)
    west, south, east, north = shapely.total_bounds(shapes)
    shapes = shapely.simplify(shapes, max(east - west, north - south) / _FINENESS, preserve_topology=True)
    names = [found.rows[i]["area"] for i in inside]
    run = no_analysis(store, scope, "areas", now_us)
    return release_reference(store, scope, run, str(FeatureKind.AREAS), names, shapes)

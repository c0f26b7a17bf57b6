"""The areas of a page of figures as a released layer, ready to be drawn."""

from typing import Final

import numpy as np
import pandas as pd
import shapely

from app.services.by_area import ByArea
from app.services.layers import is_synthetic
from data.store import Store
from geo import __version__
from geo.disclosure import ReleasedLayer, release
from geo.model import FeatureKind, Layer, Profile, Run, Scope, content_hash
from geo.parameters import AnalysisParameters

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
    frame = pd.DataFrame(
        {
            "id": [str(i) for i in range(len(inside))],
            "kind": str(FeatureKind.AREAS),
            "name": pd.Series([found.rows[i]["area"] or None for i in inside], dtype=object),
        }
    )
    return release(
        Layer.REFERENCE,
        frame,
        shapes,
        run=_origin(store, scope, now_us),
        profile=Profile.OPERATIONAL,
        synthetic=is_synthetic(store, scope),
    )


def _origin(store: Store, scope: Scope, now_us: int) -> Run:
    """Stand in for an analysis: areas are released without one."""
    return Run(
        run_id=content_hash("areas", scope.org_id, str(now_us)),
        parameters=AnalysisParameters(crs_epsg=store.crs.epsg).as_json(),
        input_hashes=(),
        code_version=__version__,
        seed=0,
        generated_at_us=now_us,
        created_by=scope.actor,
    )

"""Cells as a map shows them: at the resolution of a zoom, under a filter, released for an audience."""

from typing import Final

import numpy as np
import pandas as pd

from app.services.layers import require_layers
from app.services.map_cells import coarser, unknown_cells, view_cells
from app.services.shared_cells import shared_cells
from app.services.synthetic import is_synthetic
from data.store import Store
from geo import cells as h3cells
from geo.disclosure import ReleasedLayer, release
from geo.errors import InvalidParameter
from geo.model import Layer, Profile, Run, Scope
from geo.parameters import AnalysisParameters
from geo.view import View
from geo.zoom import display_resolution, display_resolutions

# What a tile says of a cell.
TILE_PROPERTIES: Final = {
    Profile.OPERATIONAL: ("cell", "records", "hot", "looked"),
    Profile.PARTNER: ("cell", "records"),
    Profile.PUBLIC: ("cell", "records"),
}


def resolution_at(run: Run, profile: Profile, zoom: int) -> int:
    """H3 resolution of the cells that an audience sees at a zoom: outside operations the one shared resolution."""
    parameters = AnalysisParameters.from_json(run.parameters)
    if profile is not Profile.OPERATIONAL:
        return parameters.shared_resolution
    return display_resolution(zoom, parameters.resolution)


def resolutions_of(run: Run, profile: Profile) -> tuple[int, ...]:
    """All resolutions that an audience sees of an analysis."""
    parameters = AnalysisParameters.from_json(run.parameters)
    inside = profile is Profile.OPERATIONAL
    return display_resolutions(parameters.resolution) if inside else (parameters.shared_resolution,)


def map_layer(store: Store, scope: Scope, run: Run, view: View, profile: Profile, *, resolution: int) -> ReleasedLayer:
    """Release the cells of a view at one resolution.

    A filter is applied to the cells of the analysis; coarser cells are sums of those that it shows. Marks of hot cells and
    of where outreach worked speak of the whole analysis and are not there under a filter that leaves out records.

    Raises
    ------
    DisclosureError
        When the audience may not have the view or the resolution.
    """
    require_layers(run)
    view = view.permitted(profile)
    if resolution not in resolutions_of(run, profile):
        raise InvalidParameter(f"Resolution {resolution} is on no map of this analysis.")
    if profile is not Profile.OPERATIONAL:
        return release_cells(store, scope, run, shared_cells(store, scope, run, view, profile), profile)
    return release_cells(store, scope, run, coarser(view_cells(store, scope, run, view), resolution), profile)


def coverage_layer(store: Store, scope: Scope, run: Run, *, resolution: int) -> ReleasedLayer:
    """Release, for operations, the cells where nothing is recorded and nobody is known to have looked.

    A coarser cell is one of them when all of it is.
    """
    require_layers(run)
    cells = unknown_cells(store, scope, run, resolution=resolution)
    return release_cells(store, scope, run, cells, Profile.OPERATIONAL)


def release_cells(store: Store, scope: Scope, run: Run, frame: pd.DataFrame, profile: Profile) -> ReleasedLayer:
    """Release counted cells for an audience."""
    cells = frame["cell"].to_numpy(np.int64)
    text = h3cells.cell_text(cells)
    return release(
        Layer.MAP, frame.assign(id=text, cell=text), h3cells.boundaries(cells), run=run, profile=profile,
        synthetic=is_synthetic(store, scope),
    )  # fmt: skip

"""Refuges and placements: what lies at or near one is never evidence, never a name and never drawn."""

from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.pseudonyms import Keyring
from data.locations import POSITION_COLUMNS
from data.store import Store
from geo import cells as h3cells
from geo.crs import MetricCrs
from geo.model import H3_INDEX_RESOLUTION, FeatureKind, LocationBasis, Method, RecordKind, Scope
from geo.validate_features import project_geometries

# Positions nearer than this never become part of a hotspot, and premises and homes nearer than this never name one.
MARGIN_M: Final = 100.0
# The building that is the refuge is left off the map. Leaving out more would draw a ring round it.
SAME_BUILDING_M: Final = 10.0
# No point of a cell of resolution 7 is further from its centre than this, anywhere on Earth.
CELL_RADIUS_M: Final = 1_700.0


def near_protected(store: Store, scope: Scope, shapes_m: NDArray[np.object_], margin_m: float) -> NDArray[np.bool_]:
    """Whether each geometry, in the store's metres, lies within ``margin_m`` of a protected place; shape (n,)."""
    near = np.zeros(len(shapes_m), bool)
    features = store.evidence.features(scope, [FeatureKind.PROTECTED])
    if len(features) and len(shapes_m):
        tree = shapely.STRtree(project_geometries(features["geometry"].to_numpy(object), store.crs))
        near[tree.query(shapes_m, predicate="dwithin", distance=margin_m)[0]] = True
    return near


def coarsened(records: pd.DataFrame, crs: MetricCrs, keys: Keyring) -> pd.DataFrame:
    """Give records only their coarse cell as position, and names that the exact one cannot be worked out from."""
    lon, lat = h3cells.centres(records["cell7"].to_numpy(np.int64))
    x_m, y_m = crs.project(lon, lat)
    return records.assign(
        lon=lon.round(7),
        lat=lat.round(7),
        x_m=x_m,
        y_m=y_m,
        location_basis=LocationBasis.CELL.value,
        precision_m=CELL_RADIUS_M,
        method=Method.CELL.value,
        record_key=[keys.raw("protected", bytes(key)) for key in records["record_key"]],
    )


def coarsen_near(store: Store, scope: Scope, records: pd.DataFrame, keys: Keyring) -> tuple[pd.DataFrame, int]:
    """Coarsen those of some new records that lie at or near a protected place; returns all of them, and how many."""
    located = np.isfinite(records["x_m"].to_numpy(float))
    near = np.zeros(len(records), bool)
    points = shapely.points(records["x_m"].to_numpy(float)[located], records["y_m"].to_numpy(float)[located])
    near[located] = near_protected(store, scope, points, MARGIN_M)
    if not near.any():
        return records, 0
    records = records.copy()
    few = coarsened(records[near], store.crs, keys)
    for name in few.columns:
        records.loc[near, name] = few[name]
    return records, int(near.sum())


def coarsen_stored(store: Store, scope: Scope, keys: Keyring) -> list[bytes]:
    """Coarsen what is already stored at or near a protected place; returns the keys of those records. For good."""
    records = store.evidence.records(scope, list(RecordKind))
    exact = records[~records["location_basis"].isin([LocationBasis.NONE, LocationBasis.CELL])]
    points = shapely.points(exact["x_m"].to_numpy(), exact["y_m"].to_numpy())
    exact = exact[near_protected(store, scope, points, MARGIN_M)]
    if exact.empty:
        return []
    exact = exact.assign(
        cell7=h3cells.index_points(exact["lon"].to_numpy(), exact["lat"].to_numpy(), H3_INDEX_RESOLUTION)
    )
    coarse = coarsened(exact, store.crs, keys)
    new = [bytes(key) for key in coarse["record_key"]]
    renamed = coarse[list(POSITION_COLUMNS)].assign(record_key=exact["record_key"].tolist(), new_key=new)
    store.locations.coarsen(scope, renamed)
    return new
